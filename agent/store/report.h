/*
 * report.h - what the store tells those who ask: status, metrics, gaps, and
 * the way of one event, where it came from, when it was committed and sealed,
 * and what each output did with it.
 *
 * The way of an event is known for a day after every output has passed it, or
 * for the dedupe time of its feed if that is longer; beyond, for as long as
 * agent.retain keeps the event itself.
 */
#ifndef STORE_REPORT_H
#define STORE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/backfill.h"
#include "store/feed.h"
#include "store/position.h"
#include "store/reconcile.h"
#include "store/replay.h"
#include "store/write_batch.h"

struct err;
struct store;

/* A time that is not known. */
#define REPORT_NEVER INT64_MIN

struct feed_report {
	int64_t id;
	char name[256];  /* "contoso/Audit.Exchange" */
	char tree[256];  /* as it travels; differs from name only after a
			    recovery, see store.h */
	bool closed;     /* an earlier tree: nothing is added any more */
	char cause[512]; /* why it was begun in place of an earlier one, "" for
			    a feed's first */
	uint64_t size;   /* events committed */
	uint64_t sealed;
	uint64_t count[FEED_COUNTERS];
	int64_t due;          /* next poll */
	int64_t success;      /* last poll that succeeded */
	int64_t failure;      /* last poll that did not */
	char error[512];      /* present; "" when the last poll succeeded */
	int64_t horizon;      /* everything before was read; see report_lag() */
	int64_t committed;    /* last commit with events */
	int64_t newest;       /* newest event time committed */
	uint64_t items;       /* listed and still to be fetched */
	int64_t items_expire; /* soonest expiry among them */
	int64_t items_created;    /* oldest among them at the vendor */
	uint64_t recent;          /* events, see recent_feeds() */
	int64_t retention;        /* of its vendor; 0: unknown.  By who knows
				     the configuration: status_read() */
	struct backfill backfill; /* that is open, the first; id 0: none */
	struct feed_reconciled reconciled;
};

/* What is read in between is of one moment, and costs a look at the file's lock
 * once instead of with each row.  For a handle that one thread uses. */
int report_begin(struct store *s, struct err *err);
void report_end(struct store *s);

/* Read the feed with the lowest id above after; 0 gives the first. */
int report_feed(struct store *s, int64_t after, struct feed_report *r,
    struct err *err);

/*
 * How far a feed is behind its vendor, microseconds: the age of the oldest
 * content that is listed and not collected, or, where all of it is, the time
 * since the vendor was last asked and had nothing else.  So it grows while the
 * vendor does not answer, and at rest is never longer than the interval of
 * the polls.  REPORT_NEVER: not known, or nothing is added to the feed any
 * more.
 */
int64_t report_lag(const struct feed_report *r, int64_t now);

struct output_report {
	char name[64];
	char mode[32]; /* as delivery_state says; "" before */
	struct position position;
	struct position received; /* how far there are receipts */
	uint64_t backlog_events;  /* committed, without a receipt */
	uint64_t backlog_bytes;   /* bytes of their lines, decompressed */
	uint64_t held_events; /* behind the position, with a receipt that does
				 not prove enough yet */
	uint64_t held_bytes;
	int64_t oldest; /* when the first of them was committed */
	int64_t moved;  /* when the position last moved */
	uint64_t count[OUTPUT_COUNTERS];
	uint64_t dead_letters; /* dead letters in the store now */
	char error[512];       /* the present error, "" when all is well */
	int64_t failed;        /* since when the output is failing */
	uint64_t recent;       /* events, see recent_output() */
	/* What is sent again on request; id 0: nothing.  And how many events
	 * of it are left. */
	struct replay replay;
	uint64_t replay_left;
};

/* Read the output whose name follows after; "" gives the first. */
int report_output(struct store *s, const char *after, struct output_report *r,
    struct err *err);

/* Read the gap, or the closing of one, with the lowest id above after; 0 gives
 * the first. */
int report_gap(struct store *s, int64_t after, struct gap_row *g,
    struct err *err);

/* How many gaps were recorded, and how many of them were not closed. */
int report_gaps(struct store *s, uint64_t *n, uint64_t *open, struct err *err);

/* The bytes that are kept with a gap, appended to out: 1, 0 there are none,
 * -1.  And they are needed no more: of gaps up to that one. */
int report_gap_event(struct store *s, int64_t id, struct buf *out,
    struct err *err);
int report_gap_events_told(struct store *s, int64_t last, struct err *err);

/* An event that has the id of an earlier one and other bytes. */
struct version_row {
	int64_t id;
	char feed[256]; /* name of its tree */
	uint64_t index;
	char of[300]; /* the first event with the id: "FEED:INDEX" */
};

/* Read the row with the lowest id above after; 0 gives the first: 1, 0, -1. */
int report_version(struct store *s, int64_t after, struct version_row *v,
    struct err *err);

/* Where an event is. */
struct trace_place {
	int64_t feed; /* id */
	uint64_t index;
};

/* Find the places (at most most) of the events with that id: by its id in the
 * seen-set of every feed, with all versions that there are of it, and where
 * there is none, as a string in the events that are still kept. *n says how
 * many. */
int trace_find(struct store *s, const char *id, struct trace_place *places,
    size_t max, size_t *n, struct err *err);

/* The places of the event with an index in a feed, by its name or that of one
 * of its trees. */
int trace_find_index(struct store *s, const char *feed, uint64_t index,
    struct trace_place *places, size_t max, size_t *n, struct err *err);

/* Times are INT64_MIN where something has not happened or is not known. */
struct trace {
	struct trace_place place;
	char feed[256]; /* name of its tree */
	int64_t batch;  /* 0: no longer known */
	int64_t item;   /* 0: it came from none */
	char key[512];  /* of the item */
	/* "FEED:INDEX" of the first event that has its id, and other bytes;
	 * "": it is the first. */
	char version_of[300];
	int64_t created;
	int64_t listed;
	int64_t fetched;
	int64_t committed;
	int64_t sealed;
};

int trace_read(struct store *s, const struct trace_place *place,
    struct trace *t, struct err *err);

enum trace_state { TRACE_WAITING, TRACE_DELIVERED, TRACE_DEAD_LETTER };

struct trace_output {
	char name[64];
	enum trace_state state;
	int64_t time;     /* delivered or refused at; INT64_MIN: not known */
	bool held;        /* delivered, by a receipt that does not prove enough
			     yet */
	char mode[32];    /* of the output, as struct output_report has it */
	char reason[512]; /* the reason of the dead letter */
};

/* What the output that follows after (by name, "" gives the first) did with
 * the event: 1, 0 no more, -1. */
int trace_output(struct store *s, const struct trace *t, const char *after,
    struct trace_output *o, struct err *err);

#endif /* STORE_REPORT_H */
