/*
 * read.c - pages become events in the store.
 *
 * A page streams through the splitter into a write batch, and is committed
 * together with how the next one is asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/merkle.h"
#include "base/splitter.h"
#include "http/server_clock.h"
#include "sources/common/events.h"
#include "sources/common/pages.h"
#include "sources/rest/pick.h"
#include "sources/rest/rest_private.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/identity.h"
#include "store/write_batch.h"

/* So many pages of a stream without end are read in one go. */
#define PAGES_AT_ONCE 200
#define ID_MAX 4096
/* What separates the parts of an id; no part has it. */
#define ID_GLUE "\x1f"

struct reading {
	struct worker *w;
	struct stream *st;
	struct rest_stream *rs;
	struct rest_values values;
	struct splitter_spec spec;
	struct splitter *splitter;
	struct write_batch *batch;
	struct rest_rows *equal; /* NULL: rows have ids */
	struct digest *digest;
	struct buf id;      /* of the row at hand, where it has parts */
	struct buf last_id; /* of the last row of the page */
	size_t rows;        /* of the page */
	size_t pages;
	size_t fresh; /* events that were new */
	int64_t date; /* the server's time when it began */
	int64_t newest;
	int64_t latest;  /* most that a new event was late */
	int64_t covered; /* see write_batch_measure() */
	bool keeps;      /* where a page leads is to be durable */
	bool trying;     /* nothing is kept */
	bool behind;     /* of a stream without end: there is more */
};

/* -- rows ------------------------------------------------------------------ */

static uint64_t
hash_of(const struct element *el)
{
	uint64_t h = UINT64_C(1469598103934665603) ^ el->len;

	for (size_t i = 0; el->data != NULL && i < el->len; i++)
		h = (h ^ (unsigned char)el->data[i]) * UINT64_C(1099511628211);
	return h | 1;
}

/* An element that is no event is told of once, however often an overlap has
 * it. */
static void
lose(struct reading *g, const struct element *el)
{
	const struct window *w = g->values.window;
	const uint64_t hash = hash_of(el);
	uint64_t *known = &g->rs->odd[hash % REST_ODD];
	const struct lost_event l = { .what = "page",
		.n = g->rows - 1,
		.key = "",
		.from = w != NULL ? w->from : g->values.start,
		.to = w != NULL ? w->to : g->date };

	if (*known == hash || g->trying)
		return;
	*known = hash;
	events_lose(g->batch, g->st, &l, el);
}

/* The parts of an id, each at its pointer, one behind the other; data NULL
 * where all are missing. */
static struct slice
joined_id(struct reading *g, const struct element *el)
{
	const struct slice row = { el->data, el->len };
	bool any = false;

	buf_clear(&g->id);
	for (char **p = g->rs->def->id; *p != NULL; p++) {
		struct slice part = pick(row, *p);

		any = any || identity_named(part);
		if ((p != g->rs->def->id && buf_adds(&g->id, ID_GLUE) != 0) ||
		    (part.data != NULL &&
			buf_add(&g->id, part.data, part.len) != 0))
			return (struct slice){ .data = NULL };
	}
	return (struct slice){ any ? g->id.data : NULL, g->id.len };
}

/* The id that the vendor gives to a row; data NULL: none. */
static struct slice
row_id(struct reading *g, const struct element *el)
{
	if (g->rs->def->id == NULL)
		return (struct slice){ .data = NULL };
	if (g->rs->def->id_key == NULL)
		return joined_id(g, el);
	if (el->id.data == NULL || !identity_named(el->id))
		return (struct slice){ .data = NULL };
	return el->id;
}

static int64_t
row_time(const struct reading *g, const struct element *el)
{
	const struct def_time *t = &g->rs->def->time;
	struct slice text = el->time;
	int64_t when;

	if (g->rs->def->time_key == NULL)
		text = pick((struct slice){ el->data, el->len }, t->at);
	if (text.data == NULL ||
	    when_read((enum when_format)t->format, text, &when) != 0)
		return INT64_MIN;
	return when;
}

/* Add a row that has no id: its bytes and a number are one. */
static int
add_nameless(struct reading *g, const struct element *el, int64_t when,
    struct err *err)
{
	const struct slice row = { el->data, el->len };
	uint8_t leaf[DIGEST_LEN];
	char id[REST_ROW_ID];

	merkle_leaf(g->digest, el->data, el->len, leaf);
	if (g->equal == NULL)
		g->equal = rest_rows_new();
	if (rest_rows_id(g->equal, leaf, id) != 0)
		return err_set(err,
		    "the window has more rows without an id than can be told "
		    "apart; a shorter span is needed");
	return write_batch_add_hashed(g->batch, row,
	    (struct slice){ id, strlen(id) }, when, leaf, err);
}

/* Commit what there is. */
static int
commit(struct reading *g, struct err *err)
{
	const struct source *s = g->st->source;
	struct commit_result res;

	if (feed_commit(g->batch, &res, err) != 0)
		return -1;
	g->fresh += res.events;
	if (res.latest > g->latest)
		g->latest = res.latest;
	for (int i = 0; i < LATE_BUCKETS; i++)
		if (res.late[i] > 0)
			feed_count(g->st->feed,
			    (enum feed_counter)(FEED_LATE_10S + i),
			    res.late[i]);
	if (res.late_sum > 0)
		feed_count(g->st->feed, FEED_LATE_SUM, res.late_sum);
	if (res.events > 0)
		s->committed(s->ctx, g->st);
	return 0;
}

/* The same, with where the stream is then. */
static enum reply_class
commit_cursor(struct reading *g, struct outcome *r)
{
	struct err err = ERR_INIT;

	if (rest_cursor_put(g->rs, g->batch, r) == REPLY_OK &&
	    commit(g, &err) != 0)
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	return r->class;
}

/* splitter_fn: one row. */
static int
take_row(void *ctx, const struct element *el, struct err *err)
{
	struct reading *g = ctx;
	struct slice id;
	int64_t when;
	int rc;

	g->rows++;
	if (el->data == NULL || el->bad != NULL) {
		lose(g, el);
		return 0;
	}
	if (g->trying)
		return 0;
	id = row_id(g, el);
	when = row_time(g, el);
	if (when > g->newest)
		g->newest = when;
	buf_clear(&g->last_id);
	if (id.data != NULL && buf_add(&g->last_id, id.data, id.len) != 0)
		buf_clear(&g->last_id);
	if (id.data != NULL)
		rc =
		    write_batch_add(g->batch, el->data, el->len, id, when, err);
	else
		rc = add_nameless(g, el, when, err);
	if (rc == 0 &&
	    (write_batch_bytes(g->batch) >= WRITE_BATCH_BYTES ||
		write_batch_events(g->batch) >= BATCH_EVENTS))
		rc = commit(g, err);
	return rc;
}

/* http_take_fn */
static int
take_bytes(void *ctx, const char *data, size_t len, struct err *err)
{
	struct reading *g = ctx;

	return splitter_push(g->splitter, data, len, err);
}

/* -- pages ----------------------------------------------------------------- */

static void
begin_page(struct reading *g, const struct page *page)
{
	splitter_reset(g->splitter);
	if (!g->trying) {
		g->batch = write_batch_reuse(g->batch, g->st->feed);
		write_batch_measure(g->batch,
		    server_clock_now(g->w->source->clock), g->covered);
	}
	g->rows = 0;
	buf_clear(&g->last_id);
	if (g->equal != NULL && *page->link == '\0')
		rest_rows_reset(g->equal);
	else if (g->equal != NULL)
		rest_rows_undo(g->equal);
}

/* A reply under 200 that says that it is none, or has an error where its
 * events should be. */
static bool
is_good(const struct reading *g, const struct http_reply *reply)
{
	const struct def_match *m = &g->rs->def->records.success;
	const char *const *values = g->rs->def->values;
	struct reply_error e;
	struct slice v;
	size_t i = 0;

	if (m->at != NULL) {
		while (strcmp(values[i], m->at) != 0)
			i++;
		v = splitter_value(g->splitter, i);
		if (v.data != NULL && v.len >= 2 && *v.data == '"')
			v = (struct slice){ v.data + 1, v.len - 2 };
		return v.data != NULL && strlen(m->is) == v.len &&
		    memcmp(m->is, v.data, v.len) == 0;
	}
	if (g->rows > 0 || reply->body.len == 0)
		return true;
	rules_error(reply->body.data, reply->body.len, &e);
	return *e.code == '\0';
}

/* The page is whole: is the document? */
static enum reply_class
check_page(struct reading *g, const struct http_reply *reply, struct outcome *r)
{
	struct err err = ERR_INIT;
	const bool whole = splitter_end(g->splitter, &err) == 0;

	if (whole && is_good(g, reply))
		return r->class;
	if (reply->shape == HTTP_OBJECT && g->rows == 0)
		rules_unexpected(g->rs->api->rules, reply,
		    "an object with the events", r);
	else
		(void)outcome_set(r, REPLY_RETRY,
		    whole ? "the reply has events, and says that it has failed"
			  : "the events cannot be parsed: %s",
		    err.text);
	return r->class;
}

/* A window's page is read.  Where another one follows, that is durable with
 * its events; what is behind the last one is durable with the cursor. */
static enum reply_class
end_window_page(struct reading *g, const struct rest_page *p, struct buf *next,
    struct outcome *r)
{
	struct rest_stream *rs = g->rs;
	struct err err = ERR_INIT;

	if (rs->def->page.more != NULL && !rest_more(p))
		buf_clear(next);
	if (!g->keeps || next->len == 0) {
		if (commit(g, &err) != 0)
			return outcome_set(r, REPLY_RETRY, "%s", err.text);
		if (g->keeps)
			buf_clear(&rs->part_page);
		return r->class;
	}
	rs->part = *g->values.window;
	rs->part_date = g->date;
	rs->part_at = server_clock_now(g->w->source->clock);
	buf_clear(&rs->part_page);
	if (buf_add(&rs->part_page, next->data, next->len) != 0)
		return outcome_set(r, REPLY_RETRY, "a page token is too long");
	return commit_cursor(g, r);
}

/* Where a stream without end goes on; next is emptied where it has caught
 * up. */
static enum reply_class
end_token_page(struct reading *g, const struct rest_page *p, struct buf *next,
    struct outcome *r)
{
	struct rest_stream *rs = g->rs;
	const bool more = rest_more(p);
	struct err err = ERR_INIT;
	bool moved = next->len > 0 &&
	    (next->len != rs->token.len ||
		memcmp(next->data, rs->token.data, next->len) != 0);

	if (next->len == 0 && g->rows > 0) {
		if (commit(g, &err) != 0)
			return outcome_set(r, REPLY_RETRY, "%s", err.text);
		return outcome_set(r, REPLY_RETRY,
		    "the reply has events, but no cursor for those that "
		    "follow");
	}
	if (g->newest > rs->newest)
		rs->newest = g->newest;
	if (moved) {
		buf_clear(&rs->token);
		if (buf_add(&rs->token, next->data, next->len) != 0)
			return outcome_set(r, REPLY_RETRY,
			    "the cursor is too long");
		(void)commit_cursor(g, r);
	} else if (commit(g, &err) != 0) {
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	}
	g->behind = more && next->len > 0;
	if (!g->behind || (moved && g->pages >= PAGES_AT_ONCE))
		buf_clear(next);
	return r->class;
}

static enum reply_class
end_page(struct reading *g, const struct rest_request *q,
    const struct http_reply *reply, struct page *page, struct outcome *r)
{
	const struct rest_page p = { .def = g->rs->def,
		.api = g->rs->api,
		.reply = reply,
		.splitter = g->splitter,
		.url = q->url.data,
		.page = g->values.page,
		.rows = g->rows,
		.last_id = { g->last_id.len > 0 ? g->last_id.data : NULL,
		    g->last_id.len } };

	g->pages++;
	if (check_page(g, reply, r) != REPLY_OK || g->trying ||
	    rest_next(&p, page->next, r) != REPLY_OK)
		return r->class;
	if (g->rs->def->cursor.kind == CURSOR_TOKEN)
		(void)end_token_page(g, &p, page->next, r);
	else
		(void)end_window_page(g, &p, page->next, r);
	if (r->class == REPLY_OK && g->equal != NULL)
		rest_rows_keep(g->equal);
	return r->class;
}

/* pages.get */
static enum reply_class
get_page(void *ctx, struct page *page, struct outcome *r)
{
	struct reading *g = ctx;
	struct rest_request q;
	struct http_reply reply;

	begin_page(g, page);
	g->values.page = page->link;
	http_reply_init(&reply);
	if (rest_request_make(&g->values, &q) != 0) {
		(void)outcome_set(r, REPLY_CONFIG,
		    "the request is too long; see the source's options");
	} else {
		q.q.feed = g->st != NULL ? g->st->feed : NULL;
		q.q.take = take_bytes;
		q.q.ctx = g;
		if (request_send(g->w, g->rs->api, &q.q, &reply, r) ==
		    REPLY_OK) {
			if (g->date == 0)
				g->date = server_clock_now(g->w->source->clock);
			(void)end_page(g, &q, &reply, page, r);
		}
	}
	page->rows = g->rows;
	rest_request_release(&q);
	http_reply_release(&reply);
	return r->class;
}

/* -- readings -------------------------------------------------------------- */

static void
open_reading(struct reading *g, struct worker *w, struct stream *st,
    struct rest_stream *rs)
{
	const struct def_stream *def = rs->def;

	*g = (struct reading){ .w = w, .st = st, .rs = rs };
	g->values = (struct rest_values){
		.rest = w->source->state, .def = def, .start = rs->from
	};
	g->spec =
	    (struct splitter_spec){ .arrays = (const char *const *)def->arrays,
		    .values = def->values,
		    .id = def->id_key,
		    .time = def->time_key,
		    .max = EVENT_MAX,
		    .pass_longer = true,
		    .repairs = true,
		    .absent_is_empty = def->records.absent_is_empty };
	g->splitter = splitter_new(&g->spec, take_row, g);
	g->digest = digest_new();
	g->newest = INT64_MIN;
	g->covered = INT64_MIN;
	buf_init(&g->id, ID_MAX);
	buf_init(&g->last_id, ID_MAX);
}

static void
close_reading(struct reading *g)
{
	splitter_free(g->splitter);
	write_batch_free(g->batch);
	rest_rows_free(g->equal);
	digest_free(g->digest);
	buf_release(&g->id);
	buf_release(&g->last_id);
}

/* How late an event is can be said where it could have been seen before: up to
 * the time that was listed, and behind that where the last poll is not long
 * ago. */
static int64_t
covered_at(const struct source *s, int64_t listed)
{
	const int64_t usual = 2 * s->definition.interval + CLOCK_MINUTE;

	return server_clock_now(s->clock) - listed <= usual ? INT64_MAX
							    : listed;
}

/* Read all pages from first on. */
static enum reply_class
read_pages(struct reading *g, const char *first, bool endless,
    struct outcome *r)
{
	const struct pages pages = { .get = get_page,
		.ctx = g,
		.what = "the list of events",
		.next_name = "what leads to the next page",
		.endless = endless,
		.once = *first != '\0' };

	return pages_follow(g->w, g->st, &pages, first, r);
}

/* The longest sweep found what is about as old as it looks back: there may be
 * more, so it goes further back from now on, as far as the vendor keeps
 * events. */
static void
widen(struct rest_stream *rs, struct stream *st, int64_t latest)
{
	const struct source *s = st->source;
	struct window_sweep *longest = rs->spec.sweeps;
	struct outcome r;
	char back[32];

	while (longest->every != 0 && longest[1].every != 0)
		longest++;
	if (longest->every == 0 || latest < longest->back / 10 * 9 ||
	    longest->back >= rs->spec.kept)
		return;
	longest->back = longest->back < rs->spec.kept / 2 ? 2 * longest->back
							  : rs->spec.kept;
	text_duration_format(back, longest->back);
	(void)outcome_set(&r, REPLY_RETRY,
	    "the longest sweep still found events at its end: the vendor shows "
	    "them later than the definition says; it goes back %s from now on, "
	    "and overlap or the definition's sweeps should be longer",
	    back);
	(void)snprintf(r.code, sizeof(r.code), "late");
	s->trouble(s->ctx, st, &r);
}

enum reply_class
rest_read_window(struct worker *w, struct stream *st, struct window_list *l,
    struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	struct reading g;

	l->date = server_clock_now(w->source->clock);
	if (l->window.from >= l->window.to)
		return outcome_set(r, REPLY_OK, "there is nothing to ask for");
	open_reading(&g, w, st, rs);
	g.values.window = &l->window;
	g.keeps = !l->thorough && rs->def->id != NULL;
	g.covered = covered_at(w->source, rs->window.cursor.listed);
	(void)read_pages(&g, "", false, r);
	l->fresh = g.fresh;
	if (l->thorough)
		widen(rs, st, g.latest);
	if (g.date != 0)
		l->date = g.date;
	close_reading(&g);
	return r->class;
}

/* A page token is worth so many failures in a row: to read the window again
 * costs requests, and nothing else. */
#define PART_FAILURES 3

/* The window is forgotten, and will be read from its left edge. */
static void
drop_part(struct rest_stream *rs)
{
	buf_clear(&rs->part_page);
	rs->part_failures = 0;
}

enum reply_class
rest_read_part(struct worker *w, struct stream *st, struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	const struct window part = rs->part;
	const int64_t life = rs->def->page.life;
	struct window_cursor *c = &rs->window.cursor;
	struct reading g;
	char *first;

	(void)outcome_set(r, REPLY_OK, "nothing is unfinished");
	if (rs->part_page.len > 0 && life > 0 &&
	    server_clock_now(w->source->clock) - rs->part_at > life)
		drop_part(rs);
	if (rs->part_page.len == 0)
		return r->class;
	first = xstrdup(rs->part_page.data);
	open_reading(&g, w, st, rs);
	g.values.window = &part;
	g.keeps = true;
	g.date = rs->part_date;
	(void)read_pages(&g, first, false, r);
	close_reading(&g);
	free(first);
	if (r->class == REPLY_OK) {
		drop_part(rs);
		if (part.from <= c->listed &&
		    window_listed(&rs->spec, &part, rs->part_date) > c->listed)
			c->listed =
			    window_listed(&rs->spec, &part, rs->part_date);
		return rest_cursor_save(rs, st, NULL, r);
	}
	if (r->class == REPLY_CURSOR) {
		drop_part(rs);
		return outcome_set(r, REPLY_OK, "the window is read again");
	}
	if (r->class == REPLY_RETRY && ++rs->part_failures >= PART_FAILURES)
		drop_part(rs);
	return r->class;
}

/* The vendor does not know its cursor any more: begin again a little before
 * the newest event that it led to, as far as that is still kept. */
static enum reply_class
restart(struct worker *w, struct stream *st, struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	const struct source *s = w->source;
	const int64_t oldest =
	    server_clock_now(s->clock) - rs->def->retention + rs->spec.slack;
	const int64_t last = rs->newest != 0 ? rs->newest : rs->from;
	struct gap_row gap = { .from = last, .to = oldest };
	char why[sizeof(r->text)];

	(void)snprintf(why, sizeof(why), "%s", r->text);
	(void)outcome_set(r, REPLY_RETRY,
	    "the vendor has lost the cursor; events are read again from a "
	    "little before the newest on: %.800s",
	    why);
	s->trouble(s->ctx, st, r);
	(void)snprintf(gap.cause, sizeof(gap.cause),
	    "the vendor has lost the cursor, and does not keep its events for "
	    "that long");
	buf_clear(&rs->token);
	rs->from = last - rs->def->cursor.overlap;
	if (rs->from < oldest)
		rs->from = oldest;
	return rest_cursor_save(rs, st, last < oldest ? &gap : NULL, r);
}

enum reply_class
rest_read_token(struct worker *w, struct stream *st, bool *behind,
    struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	const bool known = rs->token.len > 0;
	char *first = xstrdup(known ? rs->token.data : "");
	struct reading g;

	open_reading(&g, w, st, rs);
	/* In the order of processing nothing is late that was not asked for;
	 * what was there before is older than it is late. */
	if (rs->caught_up != 0)
		g.covered = covered_at(w->source, rs->caught_up);
	(void)read_pages(&g, first, true, r);
	*behind = g.behind;
	if (r->class == REPLY_OK && !g.behind)
		st->listed = rs->caught_up = g.date;
	else if (g.newest != INT64_MIN)
		st->listed = g.newest;
	close_reading(&g);
	free(first);
	if (r->class != REPLY_CURSOR)
		return r->class;
	*behind = true;
	/* A place to begin is no cursor that could be lost. */
	if (rs->token.len == 0)
		return outcome_set(r, REPLY_CONFIG,
		    "the vendor refuses to begin: see initial");
	return restart(w, st, r);
}

enum reply_class
rest_try(struct worker *w, const struct def_stream *def, size_t *rows,
    struct outcome *r)
{
	const struct rest *rest = w->source->state;
	const int64_t now = server_clock_now(w->source->clock);
	const struct window hour = { .from = now - CLOCK_HOUR -
		    (now - CLOCK_HOUR) % def->cursor.granularity,
		.to = now - now % def->cursor.granularity };
	struct rest_stream rs = { .def = def,
		.api = &rest->api[def - rest->def->streams],
		.from = hour.from };
	struct buf next = BUF_INIT(PAGES_LINK_MAX);
	struct page page = { .link = "", .next = &next };
	struct reading g;

	open_reading(&g, w, NULL, &rs);
	g.trying = true;
	if (def->cursor.kind == CURSOR_WINDOW)
		g.values.window = &hour;
	(void)get_page(&g, &page, r);
	*rows = g.rows;
	close_reading(&g);
	buf_release(&next);
	return r->class;
}
