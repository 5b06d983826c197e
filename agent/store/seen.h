/*
 * seen.h - which keys of events (identity.h) a feed has had within its dedupe
 * time.
 *
 * Entries are sixteen bytes.  Each commit adds a sorted run of them; eight
 * runs of a level in the same bucket of time (an eighth of dedupe) are merged
 * into one of the next; a run is dropped whole when its bucket is too old.
 * Memory holds one Bloom filter of a fixed size for all feeds of the process:
 * what is not in it is surely new, anything else is searched for in the runs.
 * A filter that fills up costs time, never an answer.
 *
 * A feed is meant by its name, so that ids live on when a recovery begins a
 * new tree (store.h).
 */
#ifndef STORE_SEEN_H
#define STORE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct filter;
struct store;

#define SEEN_KEY 10  /* bytes of a SHA-256 */
#define SEEN_INDEX 6 /* bytes of the event's index */
/* Indexes and sizes of trees stay below, so that what follows has its place. */
#define SEEN_INDEX_MAX (UINT64_C(1) << (8 * SEEN_INDEX - 1))
#define SEEN_FILTER (4 << 20) /* bytes; good for four million keys */
#define SEEN_BUCKETS 8        /* a dedupe time */
#define SEEN_ROW 1000 /* entries a row: 16000 bytes need no overflow page */

struct seen_entry {
	uint8_t key[SEEN_KEY];
	uint8_t index[SEEN_INDEX]; /* big-endian */
};

void seen_entry_set(struct seen_entry *e, const uint8_t key[SEEN_KEY],
    uint64_t index);
uint64_t seen_entry_index(const struct seen_entry *e);

/* Make the filter, of at most s->filter_bytes, and fill it from the runs, once
 * a handle; it grows with what is added. */
int seen_open(struct store *s, struct err *err);
void seen_release(struct store *s);

/* false: key was surely not seen.  Any thread. */
bool seen_maybe(struct store *s, const uint8_t key[SEEN_KEY]);

/* 1 and *index: seen, and not dropped since; 0: not; -1.  Locks the store. */
int seen_find(struct store *s, const char *name, const uint8_t key[SEEN_KEY],
    uint64_t *index, struct err *err);

/* The same, and in which row of the feed: trees that a recovery left behind
 * count, too. */
int seen_place(struct store *s, const char *name, const uint8_t key[SEEN_KEY],
    int64_t *feed, uint64_t *index, struct err *err);

/* Add n entries (sorted here) to the feed, in the caller's transaction, and
 * merge runs where that is due. */
int seen_add(struct store *s, int64_t feed, int64_t dedupe,
    struct seen_entry *e, size_t n, struct err *err);

/* Search one run; 1 and *index, 0, -1.  The caller has the lock. */
struct seen_run {
	int64_t first; /* row */
	int64_t rows;
};
int seen_search(struct store *s, const struct seen_run *run,
    const uint8_t key[SEEN_KEY], uint64_t *index, struct err *err);

/* Writes a run, row by row. */
struct seen_writer {
	struct store *s;
	struct seen_run run;
	struct seen_entry e[SEEN_ROW];
	size_t n;
};

/* Read a row: 1 and its n entries in e, 0 it is not there, -1. */
int seen_row(struct store *s, int64_t row, struct seen_entry e[SEEN_ROW],
    size_t *n, struct err *err);

/* One bounded step of dropping old runs, in the caller's transaction: 1 there
 * may be more, 0 done, -1. */
int seen_expire(struct store *s, int64_t now, struct err *err);

/* Create a filter of at most that many bytes (at least one block of 64). */
struct filter *filter_new(size_t bytes);
void filter_free(struct filter *f);

/* Any thread. */
bool filter_has(const struct filter *f, const uint8_t key[SEEN_KEY]);

/* One thread at a time: under the store's lock. */
void filter_add(struct filter *f, const uint8_t key[SEEN_KEY]);
void filter_empty(struct filter *f);
/* Let the filter have every key from now on. */
void filter_saturate(struct filter *f);

size_t filter_good(const struct filter *f);

#endif /* STORE_SEEN_H */
