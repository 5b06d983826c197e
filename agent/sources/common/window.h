/*
 * window.h - which windows of time are asked for, and the polls that do it.
 *
 * Windows are half-open and contiguous.  Polls ask again for the overlap
 * before what is done, since a vendor's rows may appear later than their own
 * time says; sweeps ask again for what is further back, the further the more
 * rarely.  All lengths are the source's.  The first part is pure arithmetic.
 *
 * All times are the server's, microseconds since 1970; 0: never or not yet.
 */
#ifndef SOURCES_COMMON_WINDOW_H
#define SOURCES_COMMON_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/rules.h"
#include "sources/source.h"

struct buf;
struct write_batch;

#define WINDOW_SWEEPS 4
#define WINDOW_OWN 4

struct window_spec {
	int64_t unit; /* bounds are multiples of it: start down, end up */
	int64_t span; /* longest window */
	int64_t kept; /* how far back the vendor goes, … */
	int64_t late; /* … less this: it measures when it gets to it */
	/* A feed that begins as far back as can be has so long for its first
	 * call before something is lost. */
	int64_t slack;
	/* A window's end is put so far ahead of what the server's clock said
	 * last: its Date has whole seconds, and what appears in this very one
	 * must not wait for the next poll. */
	int64_t ahead;
	/* Bounds that name whole units, as days, have what is up to so long
	 * behind a window's end, too. */
	int64_t beyond;
	/* What is said to be complete ends so long before the request. */
	int64_t settle;
	int64_t initial; /* how far back a new feed begins */
	int64_t overlap;
	/* From shortest to longest; ended by every 0. */
	struct window_sweep {
		const char *key; /* in the cursor */
		int64_t every;
		int64_t back;
	} sweeps[WINDOW_SWEEPS + 1];
	const char *own[WINDOW_OWN + 1]; /* keys of times of the source's */
	const char *lost; /* cause of the gap of what is not kept any more */
};

/* The cursor of a feed. */
struct window_cursor {
	int64_t from;   /* where the feed began: nothing older is wanted */
	int64_t listed; /* everything available before has been read */
	int64_t swept[WINDOW_SWEEPS]; /* when each sweep was last done */
	int64_t own[WINDOW_OWN];      /* spec.own */
};

/* Read a cursor; "" gives one of zeros.  -1: not one of ours. */
int window_cursor_read(const struct window_spec *spec, const char *json,
    struct window_cursor *c);

/* Append it as JSON; -1 at out's ceiling. */
int window_cursor_write(const struct window_spec *spec,
    const struct window_cursor *c, struct buf *out);

/* A feed begins at now - initial. */
void window_cursor_begin(const struct window_spec *spec,
    struct window_cursor *c, int64_t now, int64_t initial);

struct window {
	int64_t from;
	int64_t to;
};

/*
 * The window of a poll at now, and in *gap what can't be had any more (from ==
 * to: nothing).  overlap: how far before c->listed it begins.
 */
struct window window_next(const struct window_spec *spec,
    const struct window_cursor *c, int64_t now, int64_t overlap,
    struct window *gap);

/* How long after the beginning of a poll with the whole overlap, which took so
 * long, the next one comes. */
int64_t window_full_pause(const struct window_spec *spec, int64_t took);

/* How far before listed such a poll begins, where the last one came to whole
 * (0: there was none).  What polls in between moved on by, without the whole
 * overlap, is added: what is late by less than the overlap is found whenever it
 * appears.  A window still has room for what is new. */
int64_t window_full_overlap(const struct window_spec *spec, int64_t listed,
    int64_t whole);

/* Where c->listed goes once all of w is read: date is the server's time when
 * the reading began. */
int64_t window_listed(const struct window_spec *spec, const struct window *w,
    int64_t date);

/* A sweep under way; zeroed: none. */
struct sweep {
	const struct window_sweep *kind; /* NULL: none */
	int64_t at;                      /* next slice begins here */
	int64_t end;
};

/* Begin the longest sweep that is due at now, if one is. */
void window_sweep_due(const struct window_spec *spec,
    const struct window_cursor *c, int64_t now, struct sweep *s);

/* The next slice, at most a span. */
struct window window_sweep_slice(const struct window_spec *spec,
    const struct sweep *s, int64_t now);

/* A slice is read: go on, and note in c when all are. */
void window_sweep_done(const struct window_spec *spec, struct sweep *s,
    const struct window *slice, int64_t now, struct window_cursor *c);

/*
 * Polls.  The rest is the state of one stream, which belongs to its poll
 * thread, and what a source does with it.
 */

/* To read all of one window. */
struct window_list {
	struct window window;
	bool thorough; /* a sweep: take nothing for known */
	size_t fresh;  /* set: how much was new */
	size_t pages;  /* set, where that is of use: in so many replies */
	int64_t date;  /* set: the server's time when it began */
};
typedef enum reply_class window_list_fn(struct worker *w, struct stream *st,
    struct window_list *l, struct outcome *r);

struct window_state {
	const struct window_spec *spec; /* NULL: not loaded; borrowed */
	bool guessed; /* the cursor began by the local clock */
	int64_t full; /* monotonic: the next poll with the whole overlap, … */
	int64_t whole; /* … and how far the last one came, 0: none yet */
	struct window_cursor cursor;
	struct sweep sweep;
};

/* Read the stream's cursor if that has not been done yet. */
void window_load(struct window_state *s, const struct window_spec *spec,
    struct stream *st);

/*
 * Let a new feed's cursor begin, durably: by the server's clock where that is
 * known, else by the local one, put right as soon as it is, and never by
 * leaving out what was to be read.  As long as nothing was listed st->listed
 * tells of it.
 */
enum reply_class window_begin(struct window_state *s, struct stream *st,
    struct outcome *r);

/* Make the cursor durable, with write batch p if that is not NULL. */
enum reply_class window_save(struct window_state *s, struct stream *st,
    struct write_batch *p, struct outcome *r);

/*
 * Read the newest window, then one slice of a sweep if one is due.
 *
 * While the vendor's clock and the local one disagree, the last of what is new
 * is asked for by both; and what has been missed for longer than the vendor
 * keeps it is a gap only where the local clock says so, too, or where the
 * vendor was asked and refused.
 */
enum poll_next window_poll(struct window_state *s, struct worker *w,
    struct stream *st, window_list_fn *list, struct outcome *r);

#endif /* SOURCES_COMMON_WINDOW_H */
