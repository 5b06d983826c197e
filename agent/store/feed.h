/*
 * feed.h - feeds and their ledgers.
 *
 * The ledger has what a vendor listed and is still to be fetched, or was,
 * until it expires there.  An item is fetched element by element and committed
 * bit by bit.  Its chain is SHA-256 over (chain before || leaf hash of the
 * element), for every element in the order of the reply, repeats included.  A
 * second fetch skips the elements that are already committed and compares:
 * when the chain over the skipped ones differs, the vendor answered in another
 * order and the fetch starts again without skipping, the seen-set keeping
 * repeats out.
 */
#ifndef STORE_FEED_H
#define STORE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "store/counters.h"
#include "store/via.h"

/* As the name of a tree that is retired: all that have the name of their
 * feed. */
#define TREE_ANY "*"

struct err;
struct feed;
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

/* Count its events by the hour of their own time (hours.h) from now on. */
void feed_hours(struct feed *f);

const char *feed_name(const struct feed *f);
int64_t feed_id(const struct feed *f);

/* The cursor as last set (JSON text, "" at first, "lost" after events were
 * lost: begin as far back as the vendor goes); caller frees. */
char *feed_cursor(struct feed *f);

/* Set the cursor as feed_state() does what it says: for one that has moved over
 * nothing new, which costs a question more when a crash takes it back. */
void feed_cursor_later(struct feed *f, const char *cursor);

/* Bookkeeping outside the events; relaxed durability, never an error that
 * matters to the caller. */
void feed_count(struct feed *f, enum feed_counter c, uint64_t n);
/* due: next poll; error NULL: the poll succeeded; horizon: everything that
 * the vendor made available before, by the local clock, was read (INT64_MIN:
 * not known).  Written with the next commit or within a second. */
void feed_state(struct feed *f, int64_t due, const char *error,
    int64_t horizon);
/* Set only the horizon; written with the next commit or within a second. */
void feed_horizon(struct feed *f, int64_t horizon);

enum item_state { ITEM_LISTED, ITEM_DONE, ITEM_GAP };

struct item {
	int64_t id;
	char *key;
	char *uri;
	int64_t created;
	int64_t expires;
	int64_t attempts;
	enum via via;
	uint64_t elements; /* committed so far */
	uint8_t chain[DIGEST_LEN];
};

/* Take one listed item of the feed whose next try is due, for this process:
 * by turns the one that expires first and the newest.  1 and *it (release
 * with item_release()), 0 when none is due (*next then says when one will be,
 * INT64_MAX: none), -1. */
int item_claim(struct feed *f, struct item *it, int64_t *next, struct err *err);

/* The same, and nothing that a backfill listed, which item_claim() takes only
 * where nothing else is due. */
int item_claim_polled(struct feed *f, struct item *it, int64_t *next,
    struct err *err);

/* Give a claimed item back: to be tried again at when, with what went wrong
 * (NULL: it is complete, nothing to say). */
int item_return(struct feed *f, const struct item *it, int64_t when,
    const char *error, struct err *err);

void item_release(struct item *it);

/* Of the items that its polls listed and that are not done the one that expires
 * first, which is the oldest, since a vendor keeps all for the same time: when
 * it was made available and when it expires (both INT64_MAX: there is none).
 * One look at an index, however many there are. */
int item_oldest(struct feed *f, int64_t *created, int64_t *expires,
    struct err *err);

/* The item with that key: 1, its state and how many tries have failed; 0: there
 * is none (any more); -1. */
int item_find(struct feed *f, const char *key, enum item_state *state,
    int64_t *attempts, struct err *err);

/* Is any listed item still to be fetched whose fetch failed before?  *any says
 * so. */
int item_failing(struct feed *f, bool *any, struct err *err);

#endif /* STORE_FEED_H */
