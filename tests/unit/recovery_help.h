/*
 * recovery_help.h - stores that are damaged, and go on: for test_recovery.c and
 * test_recovery_rows.c.
 */
#ifndef UNIT_RECOVERY_HELP_H
#define UNIT_RECOVERY_HELP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct feed;

#define RECOVERY_FEED "contoso/Audit.Exchange"
#define RECOVERY_BATCHES 60

/* The store of a test. */
extern struct recovery {
	char dir[64];
	char path[128];
	char message[1024]; /* of the last check */
	struct err err;
} recovery;

/* Before and behind each test. */
void recovery_help_begin(void);
void recovery_help_end(void);

/* Check the store, which must work. */
void recovery_help_check(void);

/* How many files were put aside as damaged. */
int recovery_help_damaged(void);

/* Commit the item with the number, of three events. */
void recovery_help_fill_one(struct feed *f, int number, const char *salt);

/* n items of three events; each: a checkpoint for each, else one for all. */
void recovery_help_fill_with(int n, bool each);
void recovery_help_fill(int n);

/* Events that were there before come again. */
void recovery_help_come_again(int number);

/* Open the feed, commit one more item, seal; the name of its tree. */
void recovery_help_go_on(char *tree, size_t size);

/* Count what can be delivered, and check that each tree's batches follow one
 * another from 0. */
uint64_t recovery_help_deliverable(void);

/* Put these bytes into the file of that name. */
void recovery_help_overwrite(const char *name, off_t at, const char *bytes,
    size_t len);

#endif /* UNIT_RECOVERY_HELP_H */
