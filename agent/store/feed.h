/*
 * feed.h - feeds, and the commit of what was read from a vendor.
 *
 * A piece is what one reader (a worker with its blob, a poll with its page)
 * wants to become durable together: events, and the state that they justify.
 * feed_commit() is the only way into the store for events, cursor, ledger,
 * seen-set and gaps; all of a piece lands in one transaction or nothing does.
 */
#ifndef STORE_FEED_H
#define STORE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/text.h"

struct err;
struct feed;
struct piece;
struct store;

/* A batch never holds more lines: with its checkpoint it fits one request of a
 * mebibyte, as it is packed, and the checkpoint's check codes for 8192 events
 * fit a 64 KiB message. */
#define BATCH_BYTES ((1 << 20) - (64 << 10))
#define BATCH_EVENTS 8192

/*
 * Find or create the feed "source/stream" for writing in this process; one
 * struct a feed and process, threads may share it.  dedupe (microseconds, 0 =
 * off): how long an event's id keeps repeats out.  The caller frees it with
 * feed_close() before the store.
 */
struct feed *feed_open(struct store *s, const char *name, int64_t dedupe,
    struct err *err);
void feed_close(struct feed *f);

const char *feed_name(const struct feed *f);
int64_t feed_id(const struct feed *f);

/* The cursor as last committed (JSON text, "" at first, "lost" after events
 * were lost: begin as far back as the vendor goes); caller frees. */
char *feed_cursor(struct feed *f);

/* Pieces.  A piece belongs to one thread at a time. */
struct piece *piece_new(struct feed *f);

/* The same, with the memory of an old piece, which is taken (NULL: none) and
 * loses what is in it. */
struct piece *piece_again(struct piece *old, struct feed *f);

/* What is in p, in a piece with no more memory than it takes; p is empty
 * then.  NULL: no memory, and p is as it was. */
struct piece *piece_move(struct piece *p);
void piece_free(struct piece *p);

/* Append one event (copied): its bytes, its id (data NULL: none, never a
 * duplicate), its time (INT64_MIN: unknown). */
int piece_event(struct piece *p, const char *data, size_t len, struct slice id,
    int64_t when, struct err *err);

/* Append one event with its leaf hash (merkle_leaf()), which need not be made
 * again then. */
int piece_hashed(struct piece *p, struct slice event, struct slice id,
    int64_t when, const uint8_t leaf[32], struct err *err);

/* Bytes and events so far, with what a line adds: a reader commits when there
 * may be no room for one more in a batch, at PIECE_BYTES or BATCH_EVENTS. */
#define PIECE_BYTES (BATCH_BYTES - (32 << 10))
size_t piece_bytes(const struct piece *p);
size_t piece_events(const struct piece *p);

/* The feed's cursor after this piece; copied. */
void piece_cursor(struct piece *p, const char *json);

/* A newly listed item; one that the ledger has already is left as it is.
 * Copied.  uri may be NULL; times in microseconds. */
struct listed {
	const char *key;
	const char *uri;
	int64_t created; /* when the vendor made it available */
	int64_t expires;
};
void piece_listed(struct piece *p, const struct listed *l);

/* Progress of item (ledger id): elements of it that are committed with this
 * piece or before, the running digest over them (see item.h), and whether it
 * is complete. */
void piece_item(struct piece *p, int64_t item, uint64_t elements,
    const uint8_t chain[32], bool complete);

/* A gap: item (0: a span of time from..to) that can no longer be read. */
struct gap_row {
	int64_t id; /* set when read */
	int64_t feed_id;
	char feed[256];
	int64_t item;
	char key[256];
	int64_t from;
	int64_t to;
	int64_t recorded;
	char cause[512];
	bool part; /* of the item, which goes on; not read back */
};
void piece_gap(struct piece *p, const struct gap_row *g);

struct commit_result {
	uint64_t events;     /* new in the store */
	uint64_t duplicates; /* kept out by their id */
	size_t listed;       /* items new to the ledger */
};

/*
 * Make the piece durable; blocks until it is, together with what other
 * threads commit to the same feed meanwhile (one fsync for all).  Repeats of
 * an id, within the piece too, are left out.  On success the piece is empty
 * and can be used again; on failure (disk full, I/O error) nothing has
 * changed, the piece is as it was and can be committed again.
 */
int feed_commit(struct piece *p, struct commit_result *res, struct err *err);

/* The same for several pieces of one feed, which become durable in as few
 * transactions as can be.  Each may fail alone: rc[i] is as feed_commit()
 * returns; err tells of the first that did.  -1 when any did. */
int feed_commit_all(struct piece *const *p, size_t n, int *rc, struct err *err);

/* Bookkeeping outside the events; relaxed durability, never an error that
 * matters to the caller. */
enum feed_counter {
	FEED_REQUESTS,
	FEED_ERRORS,
	FEED_THROTTLED,
	FEED_BYTES,
	FEED_COUNTERS
};
void feed_count(struct feed *f, enum feed_counter c, uint64_t n);
/* due: next poll; error NULL: the poll succeeded; horizon: everything that
 * the vendor made available before, by the local clock, was read (INT64_MIN:
 * not known).  Written with the next commit or within a second. */
void feed_state(struct feed *f, int64_t due, const char *error,
    int64_t horizon);
/* The horizon alone; written the same way, at most once a second. */
void feed_horizon(struct feed *f, int64_t horizon);

enum item_state { ITEM_LISTED, ITEM_DONE, ITEM_GAP };

struct item {
	int64_t id;
	char *key;
	char *uri;
	int64_t created;
	int64_t expires;
	int64_t attempts;
	uint64_t elements; /* committed so far */
	uint8_t chain[DIGEST_LEN];
};

/* Take one listed item of the feed whose next try is due, for this process:
 * by turns the one that expires first and the newest.  1 and *it (release
 * with item_release()), 0 when none is due (*next then says when one will be,
 * INT64_MAX: none), -1. */
int item_claim(struct feed *f, struct item *it, int64_t *next, struct err *err);

/* Give a claimed item back: to be tried again at when, with what went wrong
 * (NULL: it is complete, nothing to say). */
int item_return(struct feed *f, const struct item *it, int64_t when,
    const char *error, struct err *err);

void item_release(struct item *it);

/* Of the listed items of the feed that are not done the one that expires
 * first, which is the oldest, since a vendor keeps all for the same time: when
 * it was made available and when it expires (both INT64_MAX: there is none).
 * One look at an index, however many there are. */
int item_oldest(struct feed *f, int64_t *created, int64_t *expires,
    struct err *err);

/* Listed items whose expiry has passed become gaps, each with its row, in one
 * transaction; *n says how many. */
int item_expire(struct feed *f, int64_t now, size_t *n, struct err *err);

#endif /* STORE_FEED_H */
