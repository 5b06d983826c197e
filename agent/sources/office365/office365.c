/*
 * office365.c - Microsoft 365 through the Office 365 Management Activity API:
 * what a poll does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "http/server_clock.h"
#include "sources/office365/office365.h"
#include "sources/source.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/write_batch.h"

/* Polls that follow each other faster than this list the whole overlap only
 * so often, and the last seconds in between; and where the whole takes long,
 * for no more than a twentieth of the time. */
#define FULL_EVERY (15 * CLOCK_SECOND)
#define FULL_SHARE 20
#define HOT_OVERLAP (2 * CLOCK_SECOND)

/* A cursor that moved over nothing new is written so often. */
#define SAVE_EVERY (10 * CLOCK_SECOND)

/* Microsoft's baseline for a tenant, and the older figure that large ones
 * get with a PublisherIdentifier. */
#define BUDGET 2000.0
#define BUDGET_MAX 60000.0

enum reply_class
office365_save(struct stream *st, struct write_batch *p, struct outcome *r)
{
	struct office365_stream *os = st->state;
	struct write_batch *own = p == NULL ? write_batch_new(st->feed) : NULL;
	struct buf json = BUF_INIT(1024);
	struct commit_result res;
	struct err err = ERR_INIT;

	if (p == NULL)
		p = own;
	(void)outcome_set(r, REPLY_OK, "committed");
	if (o365_cursor_write(&os->cursor, &json) != 0)
		(void)outcome_set(r, REPLY_RETRY, "the cursor is too long");
	else
		write_batch_cursor(p, json.data);
	if (r->class == REPLY_OK && feed_commit(p, &res, &err) != 0)
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	if (r->class == REPLY_OK)
		os->saved = clock_monotonic();
	buf_release(&json);
	write_batch_free(own);
	return r->class;
}

enum reply_class
office365_begin(struct stream *st, struct outcome *r)
{
	struct office365_stream *os = st->state;
	struct server_clock *clock = st->source->clock;
	const struct office365_conf *conf = st->source->conf;
	struct o365_cursor *c = &os->cursor;
	bool known = server_clock_known(clock);

	(void)outcome_set(r, REPLY_OK, "begun");
	if (c->from == 0) {
		o365_cursor_begin(c, server_clock_now(clock), conf->initial);
		os->guessed = !known;
		return office365_save(st, NULL, r);
	}
	if (os->guessed && known) {
		os->guessed = false;
		c->from += server_clock_skew(clock);
		c->listed = c->from;
		return office365_save(st, NULL, r);
	}
	return r->class;
}

static void
load(struct stream *st)
{
	struct office365_stream *os = st->state;
	char *json = feed_cursor(st->feed);

	if (o365_cursor_read(json, &os->cursor) != 0)
		/* Whatever it was: listing all again costs only requests. */
		o365_cursor_begin(&os->cursor,
		    server_clock_now(st->source->clock), OFFICE365_KEPT);
	os->loaded = true;
	free(json);
}

/* And, as long as nothing was listed, say where the cursor stands. */
static enum reply_class
begin(struct stream *st, struct outcome *r)
{
	const struct office365_stream *os = st->state;
	int64_t before = os->cursor.listed;

	if (office365_begin(st, r) == REPLY_OK &&
	    (st->listed == INT64_MIN || st->listed == before))
		st->listed = os->cursor.listed;
	return r->class;
}

/* source_type.begin */
static void
begin_offline(struct stream *st, struct outcome *r)
{
	const struct office365_stream *os = st->state;

	if (!os->loaded)
		load(st);
	(void)begin(st, r);
}

/* See that there is a subscription and a cursor. */
static enum reply_class
make_ready(struct worker *w, struct stream *st, struct outcome *r)
{
	struct office365_stream *os = st->state;
	struct outcome begun;

	if (!os->loaded)
		load(st);
	if (os->subscribed)
		return outcome_set(r, REPLY_OK, "ready");
	(void)office365_subscribe(w, st, r);
	/* However long the subscription takes: what the feed begins with
	 * counts from now on. */
	if (begin(st, &begun) != REPLY_OK && r->class == REPLY_OK)
		*r = begun;
	return r->class;
}

/* List the newest window.  True: more of the past remains. */
static bool
list_newest(struct worker *w, struct stream *st, size_t *fresh,
    struct outcome *r)
{
	struct office365_stream *os = st->state;
	const struct office365_conf *conf = st->source->conf;
	int64_t now = server_clock_now(st->source->clock);
	int64_t mono = clock_monotonic(), overlap = conf->overlap, took;
	struct office365_listing l = { .thorough = false };
	struct window gap;
	struct gap_row row = { .item = 0 };
	struct write_batch *p;
	bool full;

	full = mono >= os->full;
	if (!full && overlap > HOT_OVERLAP)
		overlap = HOT_OVERLAP;
	l.window = o365_window(&os->cursor, now, overlap, &gap);
	(void)office365_list(w, st, &l, r);
	*fresh = l.fresh;
	if (r->class != REPLY_OK)
		return false;
	if (full) {
		took = (clock_monotonic() - mono) * FULL_SHARE;
		os->full = mono + (took > FULL_EVERY ? took : FULL_EVERY);
	}
	os->cursor.listed = o365_listed(&l.window, l.date);
	/* The cursor is more careful: what is there to be seen now is not
	 * all that will have been available by now. */
	st->listed = l.window.to < now ? l.window.to : now;
	if (l.fresh == 0 && gap.from == gap.to && mono - os->saved < SAVE_EVERY)
		return l.window.to < now;
	p = write_batch_new(st->feed);
	if (gap.from < gap.to) {
		row.from = gap.from;
		row.to = gap.to;
		(void)snprintf(row.cause, sizeof(row.cause),
		    "not listed within the 7 days that Microsoft keeps "
		    "content");
		write_batch_gap(p, &row);
	}
	(void)office365_save(st, p, r);
	write_batch_free(p);
	return l.window.to < now;
}

/* List one slice of a sweep if one is due.  True: slices remain. */
static bool
sweep(struct worker *w, struct stream *st, size_t *fresh, struct outcome *r)
{
	struct office365_stream *os = st->state;
	int64_t now = server_clock_now(st->source->clock);
	struct office365_listing l = { .thorough = true };

	if (os->sweep.kind == SWEEP_NONE)
		o365_sweep_due(&os->cursor, now, &os->sweep);
	if (os->sweep.kind == SWEEP_NONE)
		return false;
	l.window = o365_sweep_slice(&os->sweep, now);
	if (l.window.from < l.window.to)
		(void)office365_list(w, st, &l, r);
	*fresh = l.fresh;
	if (r->class != REPLY_OK)
		return false;
	o365_sweep_done(&os->sweep, &l.window, now, &os->cursor);
	if (os->sweep.kind == SWEEP_NONE)
		(void)office365_save(st, NULL, r);
	return os->sweep.kind != SWEEP_NONE;
}

enum poll_next
office365_poll(struct worker *w, struct stream *st, struct outcome *r)
{
	struct office365_stream *os = st->state;
	size_t fresh = 0, late = 0;
	bool behind, more;

	if (make_ready(w, st, r) != REPLY_OK)
		return POLL_REST;
	behind = list_newest(w, st, &fresh, r);
	if (r->class == REPLY_INACTIVE) {
		os->subscribed = false;
		os->denied = true;
	}
	if (r->class != REPLY_OK)
		return POLL_REST;
	more = sweep(w, st, &late, r);
	if (r->class != REPLY_OK)
		return POLL_REST;
	if (behind || more)
		return POLL_AGAIN;
	return fresh + late > 0 ? POLL_SOON : POLL_REST;
}

static void
define(const void *conf, struct source_definition *d)
{
	const struct office365_conf *c = conf;

	*d = (struct source_definition){
		.streams = (const char *const *)c->content,
		.stream_size = sizeof(struct office365_stream),
		.http = &c->http,
		.budget = BUDGET,
		.budget_max = BUDGET_MAX,
		.parallel = c->parallel,
		.interval = c->interval,
		.dedupe = c->dedupe,
		.retention = OFFICE365_KEPT,
	};
}

static int
open_source(struct source *s, struct err *err)
{
	s->state = office365_new(s->conf, err);
	return s->state != NULL ? 0 : -1;
}

static void
close_source(struct source *s)
{
	office365_free(s->state);
	s->state = NULL;
}

const struct source_type source_office365 = {
	.type.name = "office365",
	.type.settings = office365_settings,
	.type.conf_size = sizeof(struct office365_conf),
	.type.check = office365_check,
	.define = define,
	.open = open_source,
	.begin = begin_offline,
	.poll = office365_poll,
	.fetch = office365_fetch,
	.live = office365_live,
	.close = close_source,
};
