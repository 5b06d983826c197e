/*
 * aws_help.h - the source aws-s3 with its queue, buckets and trail by script,
 * for the suites about it.
 */
#ifndef TESTS_UNIT_AWS_HELP_H
#define TESTS_UNIT_AWS_HELP_H

#include "base/err.h"
#include "sources/aws/s3.h"
#include "tests/unit/canned.h"

struct aws_rig {
	char dir[64], path[128];
	struct canned *server;
	struct s3_conf conf;
	struct source source;
	struct stream stream;
	struct worker w;
	struct store *s;
	struct outcome told, r; /* the last trouble; of a poll or fetch */
	unsigned troubles;
	struct err err;
};
extern struct aws_rig aws_rig;

/* Begin with that server; the options may be changed until the start. */
void aws_help_begin(const struct canned_reply *table);
void aws_help_start(void);
void aws_help_end(void);

enum reply_class aws_help_poll(void);
/* Fetch an item that is due. */
enum reply_class aws_help_fetch(void);

/* How often the server was asked so; a number of the store's. */
size_t aws_help_asked(const char *text);
uint64_t aws_help_count(const char *sql);

#endif /* TESTS_UNIT_AWS_HELP_H */
