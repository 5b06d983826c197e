/*
 * objects.h - events as objects of a store for objects: S3, Azure Blob Storage,
 * Google Cloud Storage, which differ by a table.
 *
 * Each sealed batch becomes an object of lines (store/line.h), packed with
 * gzip, and beside it a manifest, the line of its checkpoint:
 *
 *   PATH/000000000040-000000000083.ndjson.gz     events 40 to 83 of the feed
 *   PATH/000000000040-000000000083.manifest.json their checkpoint
 *
 * The name says what is in it, and a batch is the same whenever it is sent:
 * what is sent again is the same object.  It is written under the condition
 * that there is none of that name; where there is one, it is looked at, and
 * counts as delivered when the digest of its lines is the same.  Another one
 * stays, and the lines go under a name with their digest in it.
 */
#ifndef OUTPUTS_HTTP_OBJECTS_H
#define OUTPUTS_HTTP_OBJECTS_H

#include <stdbool.h>

#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"
#include "outputs/http/explain.h"

/* The conf of a store begins with it. */
struct objects_conf {
	struct http_output_conf http; /* must stand first */
	char *bucket;                 /* NULL: url names it */
	char *path;
	bool conditional;
};

/* What a store differs by. */
struct object_store {
	/* Header that keeps the digest of an object's lines, and the one under
	 * which an object is only written when there is none. */
	const char *digest;
	const char *guard;
	const char *guard_value;
	/* The answer where there is one: its status, and parts of its codes,
	 * NULL-terminated; NULL: any. */
	int there;
	const char *const *there_codes;
	const struct explained *meanings;

	/* Make and free what objects_login() gives. */
	void (*open)(struct intake *in);
	void (*close)(struct intake *in);
	/* Further headers of an object that is written. */
	int (*headers)(struct intake *in, struct intake_request *r,
	    struct err *err);
	/* The last thing done to a request; returns what prepare does. */
	int (*sign)(struct intake *in, struct intake_request *r,
	    struct err *err);
	/* Each answer. */
	void (*hear)(struct intake *in, const struct intake_response *r);
};

struct objects; /* in->state of such a dialect */
void *objects_login(const struct intake *in);
void objects_set_login(struct intake *in, void *login);

/* Value of a header of a request, NULL: it has none. */
const char *objects_header(const struct intake_request *r, const char *name);

/* For a dialect, which has its store where objects_open() is called. */
void objects_open(struct intake *in, const struct object_store *store);
void objects_close(struct intake *in);
int objects_render(struct intake *in, const struct chunk_line *line,
    struct buf *body, struct err *err);
bool objects_apart(struct intake *in, const struct chunk_line *line);
int objects_prepare(struct intake *in, struct intake_request *r,
    struct err *err);
bool objects_judge(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v);
int objects_poll(struct intake *in, const uint64_t *numbers, size_t n,
    struct intake_request *r, struct err *err);
void objects_acknowledge(struct intake *in, const struct intake_response *r);
int objects_probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err);
int objects_probed(struct intake *in, unsigned step,
    const struct intake_response *r, struct buf *message, struct err *err);

#define OBJECTS_DIALECT(open_)                                           \
	.open = open_, .close = objects_close, .render = objects_render, \
	.apart = objects_apart, .prepare = objects_prepare,              \
	.judge = objects_judge, .poll = objects_poll,                    \
	.acknowledge = objects_acknowledge, .probe = objects_probe,      \
	.probed = objects_probed, .batches = true

/* Options of all of them, and the pure checks. */
extern const struct setting objects_settings[];
void objects_check(const void *conf, const struct config_section *b);

#endif /* OUTPUTS_HTTP_OBJECTS_H */
