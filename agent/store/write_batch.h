/*
 * write_batch.h - the commit of what was read from a vendor.
 *
 * A write batch is what one reader (a worker with its blob, a poll with its
 * page) wants to become durable together: events, and the state that they
 * justify.  feed_commit() is the only way into the store for events, cursor,
 * ledger, seen-set and gaps; all of a write batch lands in one transaction or
 * nothing does.  It is durable then, but for one that moves the cursor alone:
 * after a power failure the cursor may be an earlier one.
 */
#ifndef STORE_WRITE_BATCH_H
#define STORE_WRITE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "store/attest.h"
#include "store/feed.h"
#include "store/lateness.h"
#include "store/via.h"

struct err;
struct write_batch;

/* A write batch belongs to one thread at a time. */
struct write_batch *write_batch_new(struct feed *f);

/* Like write_batch_new(), with the memory of an old write batch, which is taken
 * (NULL: none) and loses its content. */
struct write_batch *write_batch_reuse(struct write_batch *old, struct feed *f);

/* What is in p, in a write batch with no more memory than it takes; p is empty
 * then.  NULL: no memory, and p is as it was. */
struct write_batch *write_batch_move(struct write_batch *p);
void write_batch_free(struct write_batch *p);

/* Append one event (copied): its bytes, its id, its time (INT64_MIN: unknown).
 * An id that names nothing (identity.h) counts as none, data NULL. */
int write_batch_add(struct write_batch *p, const char *data, size_t len,
    struct slice id, int64_t when, struct err *err);

/* Append one event with its leaf hash (merkle_leaf()), which need not be made
 * again then. */
int write_batch_add_hashed(struct write_batch *p, struct slice event,
    struct slice id, int64_t when, const uint8_t leaf[32], struct err *err);

/* The events come from the item with this key of the vendor: those without an
 * id are told apart by their bytes, and equal ones of one item are repeats.
 * Holds until write_batch_reuse(). */
void write_batch_scope(struct write_batch *p, const char *key);

/* The vendor was asked at that time, and had been asked before for all up to
 * covered: how late the new events are whose time is not behind that, is in
 * commit_result.late.  Holds until write_batch_reuse(). */
void write_batch_measure(struct write_batch *p, int64_t asked, int64_t covered);

/* How its events, or what it lists, came to be asked for; VIA_FEED unless said
 * so.  Holds until write_batch_reuse(). */
void write_batch_via(struct write_batch *p, enum via via);

/* Bytes and events so far, with what a line adds: a reader commits when there
 * may be no room for one more in a batch, at WRITE_BATCH_BYTES or BATCH_EVENTS.
 */
#define WRITE_BATCH_BYTES (BATCH_BYTES - (32 << 10))
size_t write_batch_bytes(const struct write_batch *p);
size_t write_batch_events(const struct write_batch *p);

/* The feed's cursor after this write batch; copied. */
void write_batch_cursor(struct write_batch *p, const char *json);

/* A newly listed item; one that the ledger has already is left as it is, but
 * one that is a gap there is to be fetched again, and its gap is closed.
 * Copied.  uri may be NULL; times in microseconds. */
struct listed {
	const char *key;
	const char *uri;
	int64_t created; /* when the vendor made it available */
	int64_t expires;
};
void write_batch_listed(struct write_batch *p, const struct listed *l);

/* The event that was added last is one that the feed did not have when another
 * way to it had (store/reconcile.h), under that id; copied. */
void write_batch_missing(struct write_batch *p, struct slice record,
    int64_t when);

/* fn sees each event of p, by its id (data NULL: none) and time, when it is
 * judged: known, the feed had that id.  It may call write_batch_missing(), runs
 * in whatever thread packs, while the one that commits waits, and may run again
 * where a commit failed.  Holds until write_batch_reuse(). */
typedef void write_batch_judge_fn(void *ctx, struct write_batch *p,
    struct slice id, int64_t when, bool known);
void write_batch_judge(struct write_batch *p, write_batch_judge_fn *fn,
    void *ctx);

/* The vendor's own account of a span of the feed's time, as attest.h has it;
 * copied. */
void write_batch_attest(struct write_batch *p, const struct attested *a);

/* Progress of item (ledger id): elements of it that are committed with this
 * write batch or before, the running digest over them (see feed.h), and whether
 * it is complete. */
void write_batch_item(struct write_batch *p, int64_t item, uint64_t elements,
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
	/* Read only: of the row that says that another gap was closed, since
	 * its item is fetched after all, that one's id, else 0; and of a gap,
	 * when it was closed (INT64_MIN: it was not). */
	int64_t closes;
	int64_t closed;
	/* The bytes of what cannot be an event, or NULL; copied by
	 * write_batch_gap(), read with report_gap_event(). */
	const void *event;
	size_t event_len;
};
#define GAP_EVENT_MAX ((size_t)256 * 1024) /* of event_len */
void write_batch_gap(struct write_batch *p, const struct gap_row *g);

struct commit_result {
	uint64_t events;     /* new in the store */
	uint64_t duplicates; /* repeats, kept out */
	size_t listed;       /* items new to the ledger, or back in it */
	uint32_t late[LATE_BUCKETS]; /* events by lateness.h */
	uint64_t late_sum;           /* seconds of all of them */
	int64_t latest;              /* the most of it, microseconds */
};

#endif /* STORE_WRITE_BATCH_H */
