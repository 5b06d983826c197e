/*
 * write_batch_private.h - the inside of struct write_batch, for the modules of
 * the store that share it.
 */
#ifndef STORE_WRITE_BATCH_PRIVATE_H
#define STORE_WRITE_BATCH_PRIVATE_H

#include "base/buf.h"
#include "base/digest.h"
#include "store/write_batch.h"

/* A write batch holds at most this; a reader commits at BATCH_BYTES, so only a
 * single event can come near. */
#define WRITE_BATCH_BYTES_MAX (512 * 1024 * 1024)

struct write_batch_event {
	size_t at; /* in data: the event's bytes, its id behind them */
	size_t len;
	size_t id_len; /* SIZE_MAX: no id */
	int64_t when;
	bool hashed;
	uint8_t leaf[DIGEST_LEN]; /* if so */
};

struct write_batch_listed {
	char *key;
	char *uri;
	int64_t created;
	int64_t expires;
};

struct write_batch_progress {
	int64_t item;
	uint64_t elements;
	uint8_t chain[DIGEST_LEN];
	bool complete;
};

struct write_batch_missing {
	char *record;
	int64_t when;
};

struct write_batch_attested {
	char *chain;
	char *error; /* or NULL */
	struct hour_count *hours;
	struct attested a; /* of these */
};

struct write_batch {
	struct feed *feed;
	enum via via;
	write_batch_judge_fn *judge; /* NULL: nobody looks on */
	void *judge_ctx;
	struct buf data;
	struct write_batch_event *events;
	size_t n_events, room_events;
	size_t bytes; /* of events, and about what their lines add */
	char *cursor; /* NULL: as it is */
	struct write_batch_listed *listed;
	size_t n_listed, room_listed;
	struct write_batch_progress *progress;
	size_t n_progress, room_progress;
	struct write_batch_missing *missing;
	size_t n_missing, room_missing;
	struct write_batch_attested *attested;
	size_t n_attested, room_attested;
	struct gap_row *gaps;
	size_t n_gaps, room_gaps;
	int64_t asked; /* see write_batch_measure(); 0: not measured */
	int64_t covered;
	bool scoped;
	uint8_t scope[DIGEST_LEN]; /* if so: of the item's key */

	/* For feed_commit(). */
	struct write_batch *next; /* in the feed's queue */
	bool done;
	int rc;
	struct err *err;
	uint64_t first; /* index of its first new event */
	struct commit_result result;
};

/* Make it empty, keeping some memory. */
void write_batch_clear(struct write_batch *p);

#endif /* STORE_WRITE_BATCH_PRIVATE_H */
