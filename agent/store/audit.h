/*
 * audit.h - a look at the whole store, for `sealfeed store check`: what its
 * tables must say of each other, and every batch that still has its events.
 *
 * All of it is about one state of the store, also while the agent runs; until
 * audit_end() the WAL cannot be carried over into the file.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct store;

int audit_begin(struct store *s, struct err *err);
void audit_end(struct store *s);

/* Takes a sentence about something that is wrong. */
typedef void audit_fn(void *ctx, const char *finding);

/* SQLite's own check of the file's pages and indexes (at most 100 findings);
 * then rows that contradict each other, at most 10 of a kind.  -1: it cannot
 * be found out. */
int audit_pages(struct store *s, audit_fn *fn, void *ctx, struct err *err);
int audit_tables(struct store *s, audit_fn *fn, void *ctx, struct err *err);

/* Bytes of the row; valid during the call. */
struct audit_bytes {
	const void *data;
	size_t len;
};

struct audit_batch {
	int64_t id;
	int64_t feed;
	const char *tree; /* its name */
	int64_t first;
	int64_t count;
	int64_t raw_len;
	bool sealed;
	struct audit_bytes lines;      /* a gzip member */
	struct audit_bytes nodes;      /* of its Merkle range, until sealed */
	struct audit_bytes checks;     /* four bytes an event, until sealed */
	struct audit_bytes checkpoint; /* the value, len 0: it has none */
	int64_t size;                  /* of the checkpoint's tree */
};

/* Each batch with events, by tree and index.  fn returns 0, or -1 to end the
 * walk, which returns -1 then. */
typedef int audit_batch_fn(void *ctx, const struct audit_batch *b,
    struct err *err);
int audit_batches(struct store *s, audit_batch_fn *fn, void *ctx,
    struct err *err);

#endif /* STORE_AUDIT_H */
