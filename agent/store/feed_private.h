/*
 * inside.h - the insides of struct feed and struct piece, for the modules of
 * the store that share them.
 */
#ifndef STORE_FEED_PRIVATE_H
#define STORE_FEED_PRIVATE_H

#include <pthread.h>

#include "base/buf.h"
#include "base/digest.h"
#include "store/feed.h"

/* A piece holds at most this; a reader commits at BATCH_BYTES, so only a
 * single event can come near. */
#define PIECE_BYTES_MOST (512 * 1024 * 1024)

/* Items that one process works on at a time. */
#define CLAIMS_MOST 256

struct piece_event {
	size_t at; /* in data: the event's bytes, its id behind them */
	size_t len;
	size_t id_len; /* SIZE_MAX: no id */
	int64_t when;
	bool hashed;
	uint8_t leaf[DIGEST_LEN]; /* if so */
};

struct piece_listed {
	char *key;
	char *uri;
	int64_t created;
	int64_t expires;
};

struct piece_progress {
	int64_t item;
	uint64_t elements;
	uint8_t chain[DIGEST_LEN];
	bool complete;
};

struct piece {
	struct feed *feed;
	struct buf data;
	struct piece_event *events;
	size_t n_events, room_events;
	size_t bytes; /* of events, and about what their lines add */
	char *cursor; /* NULL: as it is */
	struct piece_listed *listed;
	size_t n_listed, room_listed;
	struct piece_progress *progress;
	size_t n_progress, room_progress;
	struct gap_row *gaps;
	size_t n_gaps, room_gaps;

	/* For feed_commit(). */
	struct piece *next; /* in the feed's queue */
	bool done;
	int rc;
	struct err *err;
	uint64_t first; /* index of its first new event */
	struct commit_result result;
};

/* Make it empty, keeping some memory. */
void piece_clear(struct piece *p);

/* What feed_count() and feed_state() said and is not written yet. */
struct feed_news {
	bool any;
	uint64_t count[FEED_COUNTERS];
	int64_t due; /* times: INT64_MIN where there is nothing new */
	int64_t success;
	int64_t failure;
	int64_t horizon;
	bool has_error;
	char error[512];
};

struct feed {
	struct store *store;
	char name[256];
	char tree[256];
	int64_t id;
	int64_t dedupe;

	/* Guards what follows; never held while waiting for the store. */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct piece *queue, **tail;
	bool led; /* a thread commits now and alone touches size */
	uint64_t size;
	char *cursor;
	struct feed_news news;
	int64_t written; /* monotonic time of the last write of news */
	struct {
		int64_t item;
		int64_t when;
	} claims[CLAIMS_MOST];
	size_t n_claims;
	bool turn;     /* the next claim is for the newest */
	int64_t ahead; /* wall clock before the monotonic one; 0: not known */
};

/* Take the news for writing, inside a transaction; feed_news_back() puts them
 * back when that fails. */
void feed_news_take(struct feed *f, struct feed_news *n);
void feed_news_back(struct feed *f, const struct feed_news *n);
int feed_news_write(struct feed *f, const struct feed_news *n, struct err *err);

/* The store has lost events of the feed with the id old that may have been
 * signed and shipped: their indexes must not be used again, so what comes goes
 * into a new tree.  The old row keeps what is still to be delivered of the old
 * tree; the ledger goes over to the new.  In the caller's transaction. */
int feed_renew(struct store *s, int64_t old, const char *name, struct err *err);

/* When the claim on item was taken, INT64_MIN: it is not claimed. */
int64_t feed_claimed(struct feed *f, int64_t item);

#endif /* STORE_FEED_PRIVATE_H */
