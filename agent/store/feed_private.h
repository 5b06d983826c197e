/*
 * feed_private.h - the inside of struct feed, for the modules of the store
 * that share it.
 */
#ifndef STORE_FEED_PRIVATE_H
#define STORE_FEED_PRIVATE_H

#include <pthread.h>

#include "base/buf.h"
#include "base/digest.h"
#include "store/feed.h"

struct write_batch;

/* Items that one process works on at a time. */
#define CLAIMS_MAX 256

/* What feed_count(), feed_state() and feed_cursor_later() said and is not
 * written yet. */
struct feed_news {
	bool any;
	uint64_t count[FEED_COUNTERS];
	int64_t due; /* times: INT64_MIN where there is nothing new */
	int64_t success;
	int64_t failure;
	int64_t horizon;
	bool has_error;
	char error[512];
	char *cursor; /* owned; NULL: nothing new */
};

/* An item that a thread of this process works on, and since when. */
struct claim {
	int64_t item;
	int64_t when;
};

struct feed {
	struct store *store;
	char name[256];
	char tree[256];
	int64_t id;
	int64_t dedupe;
	bool hours; /* its events are counted by hour */

	/* Guards what follows; never held while waiting for the store. */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct write_batch *queue, **tail;
	bool led; /* a thread commits now and alone touches size */
	uint64_t size;
	char *cursor;
	struct feed_news news;
	int64_t written; /* monotonic time of the last write of news */
	struct claim
	    *claims; /* n_claims, one for each item that is worked on */
	size_t n_claims;
	bool turn;     /* the next claim is for the newest */
	int64_t ahead; /* wall clock before the monotonic one; 0: not known */
};

/* Take the news for writing, inside a transaction; feed_news_done() gives them
 * back: they are written (rc 0), or still to be. */
void feed_news_take(struct feed *f, struct feed_news *n);
void feed_news_done(struct feed *f, struct feed_news *n, int rc);
int feed_news_write(struct feed *f, const struct feed_news *n, struct err *err);

/* The store has lost events of the feed with the id old that may have been
 * signed and shipped: their indexes must not be used again, so what comes goes
 * into a new tree.  The old row keeps what is still to be delivered of the old
 * tree; the ledger goes over to the new.  cause: a sentence
 * about what happened.  In the caller's transaction. */
int feed_renew(struct store *s, int64_t old, const char *name,
    const char *cause, struct err *err);

/* Be the one thread that writes of the feed, as soon as no other one is; and no
 * longer. */
void feed_lead(struct feed *f);
void feed_follow(struct feed *f);

/* Is cursor (NULL: none) what is written already? */
bool feed_cursor_written(struct feed *f, const char *cursor);

/* When the claim on item was taken, INT64_MIN: it is not claimed. */
int64_t feed_claimed(struct feed *f, int64_t item);

#endif /* STORE_FEED_PRIVATE_H */
