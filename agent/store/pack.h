/*
 * pack.h - pieces become batches: repeats are left out, indexes assigned,
 * lines built, hashed and packed.  All that costs time at a commit is here
 * and needs no lock on the store.
 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/merkle.h"
#include "store/seen.h"

struct err;
struct feed;
struct kit;
struct piece;
struct store;

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
};

struct pack {
	struct feed *feed;
	struct kit *kit;
	uint64_t next; /* index of the next event */
	struct packed *batch;
	size_t n, room;
	int64_t last_time;
	/* Ids of the events that are new. */
	struct seen_entry *entries;
	size_t n_entries, room_entries;
	uint32_t *set; /* open hash over entries: place + 1, 0 free */
	size_t set_size;
};

/* Begin behind the feed's size. */
void pack_init(struct pack *k, struct feed *f);
void pack_clear(struct pack *k);

/* Add the new events of p; sets its first, result.events and .duplicates. */
int pack_piece(struct pack *k, struct piece *p, struct err *err);

/* Finish the last batch. */
int pack_end(struct pack *k, struct err *err);

/* Free what the store keeps for the next pack, where it is not in use. */
void pack_release(struct store *s);

#endif /* STORE_PACK_H */
