/*
 * report.h - what status, metrics and the agent's own feed tell: everything
 * that the store knows about feeds, outputs and gaps, read only.
 *
 * Each function gives one row at a time, the one that follows what the caller
 * had last, so that no transaction stays open between two calls: 1 and the
 * row, 0 no more, -1 with err.
 */
#ifndef STORE_REPORT_H
#define STORE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/delivery.h"
#include "store/feed.h"

struct err;
struct store;

/* A time that is not known. */
#define REPORT_NEVER INT64_MIN

struct feed_report {
	int64_t id;
	char name[256]; /* "contoso/Audit.Exchange" */
	char tree[256]; /* as it travels; differs from name only after a
			   recovery, see store.h */
	bool closed;    /* an earlier tree: nothing is added any more */
	uint64_t size;  /* events committed */
	uint64_t sealed;
	uint64_t duplicates; /* kept out by their id */
	uint64_t count[FEED_COUNTERS];
	int64_t due;          /* next poll */
	int64_t success;      /* last poll that succeeded */
	int64_t failure;      /* last poll that did not */
	char error[512];      /* of now, "" when the last poll succeeded */
	int64_t horizon;      /* everything before was read; see report_lag() */
	int64_t committed;    /* last commit with events */
	int64_t newest;       /* newest event time committed */
	uint64_t items;       /* listed and still to be fetched */
	int64_t items_expire; /* soonest expiry among them */
	int64_t items_created; /* oldest among them at the vendor */
};

/* Feeds by id; after 0 gives the first. */
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
	uint64_t backlog_events; /* committed and not passed */
	uint64_t backlog_bytes;  /* of their lines, unpacked */
	int64_t oldest;          /* when the first of them was committed */
	int64_t moved;           /* when the position last moved */
	uint64_t count[DELIVERY_COUNTERS];
	uint64_t dead_letters; /* kept now */
	char error[512];       /* of now, "" when all is well */
	int64_t failed;        /* since when */
};

/* Outputs by name; after "" gives the first. */
int report_output(struct store *s, const char *after, struct output_report *r,
    struct err *err);

/* Gaps by id; after 0 gives the first. */
int report_gap(struct store *s, int64_t after, struct gap_row *g,
    struct err *err);

/* How many gaps there are. */
int report_gaps(struct store *s, uint64_t *n, struct err *err);

#endif /* STORE_REPORT_H */
