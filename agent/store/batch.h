/*
 * batch.h - reading batches, by seal, ship and the command line, and sealing.
 *
 * Batch ids grow in commit order over all feeds.  Only the sealed batches
 * before the first unsealed one can be read, a prefix, so that one number, the
 * position of an output, says how far it has got.
 */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/merkle.h"

struct err;
struct store;

struct batch {
	int64_t id;
	int64_t feed_id;
	char feed[256]; /* its name in the tree, as it travels */
	uint64_t first; /* index of its first event */
	size_t count;
	int64_t committed;
	int64_t oldest; /* event times; INT64_MIN: none known */
	int64_t newest;
	size_t raw_len;
	struct buf payload;    /* lines (line.h), one joinable gzip member */
	struct buf times;      /* see batch_times() */
	struct buf checkpoint; /* the checkpoint's value if this batch is the
				  last that it covers, else empty */
	uint64_t size;         /* tree size of that checkpoint */
};

void batch_init(struct batch *b);
void batch_release(struct batch *b);

/* The sealed batch with the lowest id above after: 1 and *b filled (its
 * buffers are reused), 0 none, -1. */
int batch_next_sealed(struct store *s, int64_t after, struct batch *b,
    struct err *err);

/* Event times of b into when[0 .. b->count), microseconds; the commit time
 * where an event has none. */
int batch_times(const struct batch *b, int64_t *when, struct err *err);

/* An event that has the vendor's id of an earlier one, and other bytes. */
struct batch_version {
	uint64_t index;
	char of[300]; /* "FEED:INDEX" of the first event with that id */
};

/* Those among the events [first, first + count) of a tree, in their order: *n
 * in *list, which the caller frees.  0 or -1. */
int batch_versions(struct store *s, const char *tree, uint64_t first,
    size_t count, struct batch_version **list, size_t *n, struct err *err);

/* For seal: what is to be sealed next for one feed, a run of consecutive
 * batches of at most BATCH_EVENTS events, the feed with the lowest unsealed
 * batch id first. */
struct unsealed {
	int64_t feed_id;
	char feed[256]; /* its name in the tree: the origin's */
	int64_t last_batch;
	struct merkle_range peaks; /* of the sealed tree */
	struct merkle_range added; /* of these batches */
	struct buf check;          /* four bytes an event */
	uint64_t until; /* index to stop at; 0: as far as batches go.  Counts
			   for one call */
};

/* 1 and *u filled, 0 nothing to seal, -1.  u is zeroed at first and used
 * again; the caller releases u->check at the end. */
int batch_next_unsealed(struct store *s, struct unsealed *u, struct err *err);

/* Attach the checkpoint (value text of its line) to the batches of u and
 * move the feed's tree to peaks, in one durable transaction. */
int batch_seal(struct store *s, const struct unsealed *u,
    const struct merkle_range *peaks, const char *value, struct err *err);

/* Walk stored lines for export, replay and verify: every sealed batch that
 * still has its payload, feed NULL for all, in id order. */
typedef int batch_fn(void *ctx, const struct batch *b, struct err *err);
int batch_walk(struct store *s, const char *feed, batch_fn *fn, void *ctx,
    struct err *err);

#endif /* STORE_BATCH_H */
