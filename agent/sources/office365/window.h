/*
 * window.h - which windows of time are listed: pure arithmetic.
 *
 * Windows are half-open and contiguous, in whole seconds, over the time at
 * which content became available.  The API takes at most 24 hours a call and
 * reaches 7 days back.  Every poll lists again the overlap before what is
 * done; sweeps list further back, every hour 24 hours and every day 7 days,
 * since content may become listed later than its own availability time says.
 */
#ifndef SOURCES_OFFICE365_WINDOW_H
#define SOURCES_OFFICE365_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

#define OFFICE365_SPAN (INT64_C(86400) * 1000000)
#define OFFICE365_KEPT (7 * OFFICE365_SPAN)

/* The cursor of a feed.  All times are the server's, microseconds; 0: never
 * or not yet. */
struct o365_cursor {
	int64_t from;   /* where the feed began: nothing older is wanted */
	int64_t listed; /* everything available before is in the ledger */
	int64_t hourly; /* when the last sweep of each kind was done */
	int64_t daily;
	int64_t started; /* when a subscription start was last sent */
};

/* Read a cursor; "" gives one of zeros.  -1: not one of ours. */
int o365_cursor_read(const char *json, struct o365_cursor *c);

/* Append it as JSON. */
int o365_cursor_write(const struct o365_cursor *c, struct buf *out);

/* A feed begins at now - initial. */
void o365_cursor_begin(struct o365_cursor *c, int64_t now, int64_t initial);

struct window {
	int64_t from;
	int64_t to;
};

/*
 * The window of a poll at now, and in *gap what can't be listed any more
 * (from == to: nothing).  overlap: how far before c->listed it begins.
 */
struct window o365_window(const struct o365_cursor *c, int64_t now,
    int64_t overlap, struct window *gap);

/* Where c->listed goes once all of w is in the ledger: date is the server's
 * time when the listing began. */
int64_t o365_listed(const struct window *w, int64_t date);

/* Sweeps. */
enum sweep_kind { SWEEP_NONE, SWEEP_HOURLY, SWEEP_DAILY };

struct sweep {
	enum sweep_kind kind;
	int64_t at; /* next slice begins here */
	int64_t end;
};

/* Begin the sweep that is due at now, if one is. */
void o365_sweep_due(const struct o365_cursor *c, int64_t now, struct sweep *s);

/* The next slice, at most 24 hours. */
struct window o365_sweep_slice(const struct sweep *s, int64_t now);

/* A slice is in the ledger: go on, and note in c when all are. */
void o365_sweep_done(struct sweep *s, const struct window *slice, int64_t now,
    struct o365_cursor *c);

/* "2026-11-22T04:26:58", whole seconds; out has 20 bytes. */
void o365_time(int64_t when, char *out);

#endif /* SOURCES_OFFICE365_WINDOW_H */
