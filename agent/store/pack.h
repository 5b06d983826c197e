/*
 * pack.h - what write batches bring of new events, packed into batches as the
 * store has them.
 *
 * All that costs time at a commit is here, and needs no lock on the store.
 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/merkle.h"
#include "store/hours.h"
#include "store/identity.h"
#include "store/via.h"

struct err;
struct feed;
struct scratch;
struct store;
struct write_batch;

/* One batch, ready to be stored. */
struct packed {
	uint64_t first;
	size_t count;
	int64_t oldest; /* INT64_MIN: unknown */
	int64_t newest;
	size_t raw_len;
	struct buf payload;
	struct buf times;
	struct buf checks;
	struct merkle_range range;
	struct hours hours; /* of feeds that are reconciled */
};

/* An event that has the id of an earlier one, and other bytes. */
struct version {
	uint64_t index;
	int64_t of_feed;
	uint64_t of;
};

struct pack {
	struct feed *feed;
	struct scratch *scratch;
	uint64_t next; /* index of the next event */
	enum via via;  /* of the write batch at hand */
	struct packed *batch;
	size_t n, room;
	int64_t last_time;
	struct identities known;
	struct version *version;
	size_t n_versions, room_versions;
};

/* Begin behind the feed's size; it waits where as many packs as there may be
 * are in use. */
void pack_init(struct pack *k, struct feed *f);
void pack_clear(struct pack *k);

/* Add the new events of p; sets its first, result.events and .duplicates.  0 or
 * -1. */
int pack_write_batch(struct pack *k, struct write_batch *p, struct err *err);

/* Finish the last batch of the pack, behind all write batches.  0 or -1. */
int pack_end(struct pack *k, struct err *err);

/* Free what the store keeps for the next pack, where it is not in use. */
void pack_release(struct store *s);

#endif /* STORE_PACK_H */
