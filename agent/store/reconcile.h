/*
 * reconcile.h - what a vendor names by another way than its feeds, and how that
 * compares with what was collected: spans of time that it is asked for, and
 * hours.
 *
 * A subject is what one question is about: a source ("contoso"), or a feed of
 * it ("okta/system").  Times are microseconds, of the events' own time where it
 * is not said; INT64_MIN: not yet.
 */
#ifndef STORE_RECONCILE_H
#define STORE_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct err;
struct store;

#define RECONCILE_QUERY 256 /* most bytes of a vendor's id of a query */
#define RECONCILE_RECORD 512

struct span_row {
	int64_t id;
	char subject[256];
	int64_t from; /* half-open */
	int64_t to;
	char query[RECONCILE_QUERY]; /* that runs at the vendor; "": none */
	int64_t asked;               /* when it was asked for */
	int64_t tries;               /* queries so far */
	uint64_t listed;             /* records that the vendor named: … */
	uint64_t confirmed;          /* … the feeds had them, */
	uint64_t missing;            /* … had them not, */
	uint64_t unnamed;            /* … or they have no id */
	int64_t ended;
	char how[16];    /* "complete", "halved", "unconfirmed" */
	char error[512]; /* of now, or why it can't be confirmed; "": none */
};

/* Add an open span; durable. */
int span_add(struct store *s, const char *subject, int64_t from, int64_t to,
    struct err *err);

/* The subject's first span begins there; durable, and told by nobody.  And when
 * (wall clock) that was said; INT64_MIN: not, or longer ago than is kept. */
int span_begin(struct store *s, const char *subject, int64_t from,
    struct err *err);
int span_begun(struct store *s, const char *subject, int64_t *when,
    struct err *err);

/* Where the subject's last span ends; INT64_MIN: none has begun. */
int span_last(struct store *s, const char *subject, int64_t *to,
    struct err *err);

/* The open one with the lowest id above after: 1, 0, -1.  And that with an id.
 */
int span_open(struct store *s, const char *subject, int64_t after,
    struct span_row *r, struct err *err);
int span_get(struct store *s, int64_t id, struct span_row *r, struct err *err);

/* How many queries of the subject were begun since then (wall clock), and how
 * many run. */
int span_load(struct store *s, const char *subject, int64_t since,
    int64_t *begun, int64_t *running, struct err *err);

/* Note r->query, asked, tries and error; durable: a query is gone on with
 * after a crash. */
int span_note(struct store *s, const struct span_row *r, struct err *err);

/* The span is too long for one answer: two in its place. */
int span_halve(struct store *s, const struct span_row *r, int64_t middle,
    struct err *err);

/* Of the records of a span: so many of an hour were in the feed, too. */
struct span_hour {
	const char *feed;
	int64_t hour;
	uint64_t confirmed;
};

/* Count them, within the caller's transaction. */
int hour_confirm(struct store *s, const struct span_hour *h, struct err *err);

/* It ends with r's counts, how and error: durable, counted for the feeds and
 * their hours, and told. */
int span_end(struct store *s, const struct span_row *r,
    const struct span_hour *hours, size_t n, struct err *err);

/* For the agent's own feed: the end with the lowest id of news above *after,
 * which becomes that id: 1, 0, -1.  And they were told, up to that one. */
int span_news(struct store *s, int64_t *after, struct span_row *r,
    struct err *err);
int span_told(struct store *s, int64_t last, struct err *err);

/* Within the transaction that has just inserted a span: its end is news. */
int span_tell(struct store *s, const char *subject, struct err *err);

/* SQL, of rows of span that are grouped: how much of the hour ?2 is answered,
 * microseconds. */
#define SPAN_ANSWERED                                                    \
	"total(iif(how = 'complete', max(0, min(until, ?2 + 3600000000)" \
	" - max(since, ?2)), 0))"

/* A record of the feed is missing; within the transaction that commits it. */
int missing_put(struct store *s, const char *feed, const char *record,
    int64_t when, struct err *err);

/* Was that record found missing?  1, 0, -1. */
int missing_has(struct store *s, const char *feed, struct slice record,
    struct err *err);

/* The one with the lowest id above after, of the source (its feeds) and of that
 * time: 1, 0, -1. */
struct missing_row {
	int64_t id;
	char feed[256];
	char record[RECONCILE_RECORD];
	int64_t time;
	int64_t found;
};
int missing_next(struct store *s, const char *source, int64_t from, int64_t to,
    int64_t after, struct missing_row *m, struct err *err);

/* An hour of a feed. */
struct hour_row {
	char feed[256];
	int64_t hour;
	bool known;         /* all of it was asked for, and answered: … */
	uint64_t listed;    /* … the vendor has named so many events */
	uint64_t collected; /* in the store, … */
	uint64_t versions;  /* … of them with the id of another, … */
	uint64_t queried;   /* … or that the reconciliation brought */
	uint64_t sealed;
	uint64_t confirmed; /* named by a query, too */
	uint64_t missing;   /* … by it alone */
	uint64_t only;      /* … by the feed alone */
	char error[512];    /* why it is not known; "": it is still to come */
};

/* The first one behind h (its hour and feed; hour INT64_MIN gives the first)
 * between two times, of which anything is known: 1, 0, -1. */
int hour_next(struct store *s, const char *source, int64_t from, int64_t to,
    struct hour_row *h, struct err *err);

/* Of an hour of a source or a feed: was all of it answered?  error as above. */
int hour_state(struct store *s, const char *subject, int64_t hour, bool *known,
    char error[512], struct err *err);

/* How many of them an output has, dead letters left out. */
int hour_delivered(struct store *s, const struct hour_row *h,
    const char *output, uint64_t *n, struct err *err);

/* How a feed stands. */
struct feed_reconciled {
	bool any;      /* spans were ended */
	int64_t until; /* all before was asked for, and answered or given up */
	int64_t open;  /* spans that are still to be answered */
	uint64_t failed; /* that could not be confirmed, and still are not */
	char error[512]; /* of the oldest open one, or of the last */
};
int reconciled_feed(struct store *s, const char *feed,
    struct feed_reconciled *r, struct err *err);

#endif /* STORE_RECONCILE_H */
