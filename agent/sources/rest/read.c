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
#include "http/error_value.h"
#include "http/server_clock.h"
#include "sources/common/events.h"
#include "sources/common/pages.h"
#include "sources/rest/decode.h"
#include "sources/rest/pick.h"
#include "sources/rest/reading.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/identity.h"
#include "store/write_batch.h"

#define ID_MAX 4096

enum reply_class
reading_commit_cursor(struct reading *g, struct outcome *r)
{
	struct err err = ERR_INIT;

	if (rest_cursor_put(g->rs, g->batch, r) == REPLY_OK &&
	    reading_commit(g, &err) != 0)
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	return r->class;
}

/* -- pages ----------------------------------------------------------------- */

static void
begin_page(struct reading *g, const struct page *page)
{
	splitter_reset(g->splitter);
	if (!g->trying) {
		g->batch = write_batch_reuse(g->batch, g->st->feed);
		write_batch_via(g->batch, g->st->via);
		write_batch_judge(g->batch, g->st->judge, g->st->judge_ctx);
		write_batch_measure(g->batch,
		    server_clock_now(g->w->source->clock), g->covered);
	}
	memcpy(g->odd, g->rs->odd, sizeof(g->odd));
	g->stuck = false;
	g->rows = 0;
	g->oldest = INT64_MAX;
	g->n_leads = 0;
	buf_clear(&g->leads);
	buf_clear(&g->whole);
	buf_clear(&g->last_id);
	if (g->equal != NULL && *page->link == '\0')
		rest_rows_reset(g->equal);
	else if (g->equal != NULL)
		rest_rows_undo(g->equal);
}

/* Of lines, is there but one, which has neither id nor time as events do? */
static bool
is_alone(const struct reading *g)
{
	const struct def_stream *def = g->rs->def;

	return def->records.format == RECORDS_NDJSON && def->id != NULL &&
	    g->rows == 1 && g->last_id.len == 0 && g->oldest == INT64_MAX;
}

/* A reply under 200 that says that it is none, or has an error where its
 * events should be. */
static bool
is_good(const struct reading *g, const struct rest_page *page,
    const struct http_reply *reply)
{
	const struct def_match *m = &g->rs->def->records.success;
	struct reply_error e;

	if (m->at != NULL)
		return rest_matches(page, m);
	if ((g->rows > 0 && !is_alone(g)) || reply->body.len == 0)
		return true;
	rules_error(reply->body.data, reply->body.len, &e);
	/* Rows of columns come with a code when all is well, too. */
	return !e.failed &&
	    (*e.code == '\0' || (g->event != NULL && g->rows == 0));
}

/* Is there an error beside its events? */
static bool
has_failed(struct reading *g, const struct http_reply *reply, struct outcome *r)
{
	const enum record_format f =
	    (enum record_format)g->rs->def->records.format;
	size_t n = 0;

	if (f == RECORDS_CSV || f == RECORDS_NDJSON)
		return false;
	while (g->spec.values[n] != NULL)
		n++;
	return reading_failed(g, g->event == NULL ? g->splitter : NULL, n,
	    &g->whole, reply, r);
}

/* Is there more than the reply has, and no page that leads to it? */
static bool
is_incomplete(const struct reading *g, const struct rest_page *page)
{
	const struct def_stream *def = g->rs->def;
	const struct def_match *m = &def->records.incomplete;

	if (m->at != NULL && rest_matches(page, m))
		return true;
	return def->page.kind == PAGE_NONE && def->page.size > 0 &&
	    g->rows >= (size_t)def->page.size;
}

/* Does what has no events say better than we do what is wrong?  A part of a
 * document says nothing. */
static bool
says_why(const struct reading *g, bool whole, const struct http_reply *reply)
{
	struct reply_error e = { .code = "" };

	if (reply->shape != HTTP_OBJECT || g->rows > 0)
		return false;
	if (whole && g->event == NULL)
		return true;
	if (reply->body.len > 0)
		rules_error(reply->body.data, reply->body.len, &e);
	return *e.code != '\0' || e.failed;
}

/* The page is whole: is the document, and has it all that it should? */
static enum reply_class
check_page(struct reading *g, const struct rest_page *page,
    const struct http_reply *reply, struct outcome *r)
{
	struct err err = ERR_INIT;
	bool whole;

	if (reply->status == 204)
		return r->class;
	whole = reading_end(g, &err) == 0;
	if (whole && is_good(g, page, reply)) {
		if (has_failed(g, reply, r))
			return r->class;
		if (!is_incomplete(g, page))
			return r->class;
		/* What it has is good. */
		if (!g->trying && reading_commit(g, &err) != 0)
			return outcome_set(r, REPLY_RETRY, "%s", err.text);
		return outcome_set(r, REPLY_INCOMPLETE,
		    "the reply does not have all that there is");
	}
	if (says_why(g, whole, reply))
		rules_unexpected(g->rs->api->rules, reply,
		    "an object with the events", r);
	else if (whole)
		(void)outcome_set(r, REPLY_RETRY,
		    "the reply has events, and says that it has failed");
	else
		(void)outcome_unread(r, "the events", err.text);
	return r->class;
}

bool
reading_says_more(const struct rest_page *p)
{
	return p->def->page.more != NULL && rest_more(p);
}

/* A window's page is read.  Where another one follows, that is durable with
 * its events; what is behind the last one is durable with the cursor. */
static enum reply_class
end_window_page(struct reading *g, const struct rest_page *p, struct buf *next,
    struct outcome *r)
{
	struct rest_stream *rs = g->rs;
	struct err err = ERR_INIT;

	if (next->len == 0 && reading_says_more(p) &&
	    !rs->def->page.short_is_last)
		return outcome_set(r, REPLY_RETRY,
		    "the reply says that more follows, but not where");
	if ((rs->def->page.more != NULL && !rest_more(p)) ||
	    (rs->def->page.older != 0 && g->oldest < g->values.window->from))
		buf_clear(next);
	if (g->equal != NULL && rest_rows_doubted(g->equal, next->len == 0))
		return outcome_set(r, REPLY_CURSOR,
		    "the page has what came before");
	if (!g->keeps || next->len == 0) {
		if (next->len == 0)
			rest_total_attest(g);
		if (reading_commit(g, &err) != 0)
			return outcome_set(r, REPLY_RETRY, "%s", err.text);
		if (g->keeps)
			buf_clear(&rs->part_page);
		if (next->len == 0)
			buf_clear(&rs->job);
		return r->class;
	}
	rs->part = *g->values.window;
	rs->part_date = g->date;
	rs->part_at = server_clock_now(g->w->source->clock);
	buf_clear(&rs->part_page);
	if (buf_add(&rs->part_page, next->data, next->len) != 0)
		(void)outcome_set(r, REPLY_RETRY, "a page token is too long");
	else
		(void)reading_commit_cursor(g, r);
	/* What could not be written is not gone on behind. */
	if (r->class != REPLY_OK)
		buf_clear(&rs->part_page);
	return r->class;
}

/* By the kind of the cursor. */
static enum reply_class (*const ends[])(struct reading *g,
    const struct rest_page *p, struct buf *next, struct outcome *r) = {
	[CURSOR_WINDOW] = end_window_page,
	[CURSOR_TOKEN] = reading_end_token,
	[CURSOR_ITERATOR] = reading_end_batch,
};

/* The time that the vendor wants to pass before the next request, which is
 * bounded as when it throttles. */
static void
note_wait(struct reading *g, const struct rest_page *p)
{
	const int64_t bound = g->w->source->definition.retry_after_max;
	const double most =
	    (double)(bound > 0 ? bound : CLOCK_HOUR) / (double)CLOCK_SECOND;
	double seconds = rest_wait(p);

	if (seconds > most)
		seconds = most;
	g->rs->wait_until = seconds > 0
	    ? clock_monotonic() + (int64_t)(seconds * (double)CLOCK_SECOND)
	    : 0;
}

static enum reply_class
end_page(struct reading *g, const struct rest_request *q,
    const struct http_reply *reply, struct page *page, struct outcome *r)
{
	struct rest_page p = { .def = g->rs->def,
		.api = g->rs->api,
		.reply = reply,
		.splitter = g->splitter,
		.whole = { g->rs->def->whole ? g->whole.data : NULL,
		    g->whole.len },
		.in_all = &g->pages_in_all,
		.url = q->url.data,
		.page = g->values.page };

	g->pages++;
	g->all += g->rows;
	if (*page->link == '\0')
		g->total = rest_total(&p);
	if (check_page(g, &p, reply, r) != REPLY_OK || g->trying ||
	    reading_fetch(g, r) != REPLY_OK)
		return r->class;
	note_wait(g, &p);
	p.rows = g->rows;
	p.last_id = (struct slice){ g->last_id.len > 0 ? g->last_id.data : NULL,
		g->last_id.len };
	if (rest_next(&p, page->next, r) != REPLY_OK)
		return r->class;
	(void)ends[g->rs->def->cursor.kind](g, &p, page->next, r);
	if (r->class == REPLY_OK && g->equal != NULL)
		rest_rows_keep(g->equal);
	return r->class;
}

/* A lost cursor may say where to begin again. */
static void
note_restart(struct reading *g, const struct http_reply *reply,
    const struct outcome *r)
{
	const struct def_cursor *c = &g->rs->def->cursor;
	struct slice text;

	if (r->class != REPLY_CURSOR || c->restart_from == NULL ||
	    reply->body.len == 0)
		return;
	text = pick((struct slice){ reply->body.data, reply->body.len },
	    c->restart_from);
	if (text.data == NULL ||
	    when_read((enum when_format)c->restart_format, text, &g->restart) !=
		0)
		g->restart = INT64_MIN;
}

/* What a page needs before it can be asked for. */
static enum reply_class
prepare(struct reading *g, const struct page *page, struct outcome *r)
{
	const struct source *s = g->w->source;
	const int64_t wait = g->rs->wait_until - clock_monotonic();

	begin_page(g, page);
	g->values.page = page->link;
	worker_waits(g->w, WAITS_VENDOR);
	if (g->rs->wait_until != 0 && wait > 0 && !s->rest(s->ctx, wait))
		return outcome_set(r, REPLY_STOPPED, "the agent is stopping");
	if (rest_find_host(g->w, g->rs, r) != REPLY_OK)
		return r->class;
	g->values.base = g->rs->api->base;
	g->values.job = g->rs->job.len > 0 ? g->rs->job.data : NULL;
	if (g->trying)
		return r->class;
	if (g->rs->def->cursor.kind == CURSOR_ITERATOR)
		return rest_iterator_ask(g->rs, g->st, &g->values, r);
	if (g->rs->def->job.used && *page->link == '\0')
		return rest_job(g->w, g->st, &g->values, r);
	return r->class;
}

/* Of a batch that cannot be had again, what came of it is kept. */
static void
keep_what_came(struct reading *g, struct outcome *r)
{
	const struct def_stream *def = g->rs->def;
	struct err err = ERR_INIT;

	if (g->trying || def->cursor.kind != CURSOR_ITERATOR ||
	    def->resend.path != NULL || g->rows == 0)
		return;
	if (reading_commit(g, &err) != 0)
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
}

/* Each vendor has words of its own for a page token that is not good any more.
 * What is wrong with a request whose first page was answered is its token, and
 * a window that is read again costs requests, and nothing else. */
static void
judge_token(const struct reading *g, const struct page *page,
    const struct http_reply *reply, struct outcome *r)
{
	const int s = reply->status;

	if (r->class == REPLY_RETRY && *page->link != '\0' &&
	    g->rs->def->cursor.kind == CURSOR_WINDOW &&
	    (s == 400 || s == 404 || s == 410 || s == 422))
		r->class = REPLY_CURSOR;
}

int64_t
reading_until(const struct reading *g)
{
	if (g->values.window != NULL)
		return g->values.window->to;
	/* The first page, which is still coming. */
	return g->date != 0 ? g->date : server_clock_now(g->w->source->clock);
}

int64_t
reading_newest(const struct reading *g)
{
	const int64_t now = server_clock_now(g->w->source->clock);

	return g->newest < now ? g->newest : now;
}

/* pages.get */
static enum reply_class
get_page(void *ctx, struct page *page, struct outcome *r)
{
	struct reading *g = ctx;
	struct rest_request q;
	struct http_reply reply;

	if (prepare(g, page, r) != REPLY_OK)
		return r->class;
	http_reply_init(&reply);
	if (rest_request_make(&g->values, &q) != 0) {
		(void)outcome_set(r, REPLY_CONFIG,
		    "the request is too long; see the source's options");
	} else {
		q.q.feed = g->st != NULL ? g->st->feed : NULL;
		q.q.take = reading_bytes;
		q.q.once = g->rs->def->cursor.kind == CURSOR_ITERATOR;
		q.q.ctx = g;
		if (request_send(g->w, g->rs->api, &q.q, &reply, r) ==
		    REPLY_OK) {
			if (g->date == 0)
				g->date = server_clock_now(g->w->source->clock);
			(void)end_page(g, &q, &reply, page, r);
		} else {
			judge_token(g, page, &reply, r);
			note_restart(g, &reply, r);
			/* What it was refused with is no batch. */
			if (!reply.sent || reply.status / 100 > 2)
				g->rs->in_doubt = g->rs->was_in_doubt;
		}
	}
	if (r->class != REPLY_OK)
		keep_what_came(g, r);
	page->rows = g->rows;
	rest_request_release(&q);
	http_reply_release(&reply);
	return r->class;
}

/* -- readings -------------------------------------------------------------- */

/* Of pages that are decoded, each event is a document of its own. */
static void
open_event(struct reading *g)
{
	static const struct splitter_spec none = { .max = EVENT_MAX };
	struct splitter_spec *spec = &g->event_spec;

	*spec = none;
	spec->id = g->rs->def->id_key;
	spec->time = g->rs->def->time_key;
	spec->pass_longer = true;
	spec->repairs = true;
	spec->object_is_element = true;
	g->event = splitter_new(spec, reading_row, g);
}

void
reading_open(struct reading *g, struct worker *w, struct stream *st,
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
		    .asides = error_places,
		    .id = def->id_key,
		    .time = def->time_key,
		    .max = EVENT_MAX,
		    .pass_longer = true,
		    .repairs = true,
		    .absent_is_empty = def->records.absent_is_empty };
	g->splitter = splitter_new(&g->spec, reading_row, g);
	if (def->records.format != RECORDS_JSON)
		open_event(g);
	g->digest = digest_new();
	g->newest = INT64_MIN;
	g->total = -1;
	g->covered = INT64_MIN;
	buf_init(&g->id, ID_MAX);
	buf_init(&g->last_id, ID_MAX);
	buf_init(&g->whole, READING_WHOLE);
	buf_init(&g->columns, READING_WHOLE);
	buf_init(&g->inside, EVENT_MAX);
	buf_init(&g->leads, READING_WHOLE);
	g->restart = INT64_MIN;
}

void
reading_close(struct reading *g)
{
	splitter_free(g->splitter);
	splitter_free(g->event);
	buf_release(&g->whole);
	buf_release(&g->columns);
	buf_release(&g->inside);
	buf_release(&g->leads);
	free(g->row_hashes);
	write_batch_free(g->batch);
	rest_rows_free(g->equal);
	digest_free(g->digest);
	buf_release(&g->id);
	buf_release(&g->last_id);
}

/* How late an event is can be said where it could have been seen before: up to
 * the time that was listed, and behind that where the last poll is not long
 * ago. */
int64_t
reading_covered(const struct source *s, int64_t listed)
{
	const int64_t usual = 2 * s->definition.interval + CLOCK_MINUTE;

	return server_clock_now(s->clock) - listed <= usual ? INT64_MAX
							    : listed;
}

/* Read all pages from first on. */
enum reply_class
reading_pages(struct reading *g, const char *first, bool endless,
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
 * more, so it goes further back from now on, also after a restart, as far as
 * the vendor keeps events and dedupe knows them. */
static void
widen(struct rest_stream *rs, struct stream *st, int64_t latest)
{
	const struct source *s = st->source;
	const int64_t known =
	    s->definition.dedupe > 0 ? s->definition.dedupe : rs->spec.kept;
	/* What is not remembered any more would come again as new. */
	const int64_t limit = known < rs->spec.kept ? known : rs->spec.kept;
	struct window_sweep *longest = rs->spec.sweeps;
	struct outcome r;
	char back[32];

	while (longest->every != 0 && longest[1].every != 0)
		longest++;
	if (longest->every == 0 || latest < longest->back / 10 * 9 ||
	    longest->back >= limit)
		return;
	longest->back = longest->back < limit / 2 ? 2 * longest->back : limit;
	rs->window.cursor.own[0] = longest->back;
	text_duration_format(back, longest->back);
	(void)outcome_set(&r, REPLY_RETRY,
	    "the longest sweep still found events at its end: the vendor shows "
	    "them later than the definition says; it goes back %s from now on, "
	    "and overlap or the definition's sweeps should be longer%s",
	    back,
	    longest->back == known ? "; it goes no further than dedupe" : "");
	(void)snprintf(r.code, sizeof(r.code), "late");
	s->trouble(s->ctx, st, &r);
}

/* The window is forgotten, and will be read from its left edge. */
static void
drop_part(struct rest_stream *rs)
{
	buf_clear(&rs->part_page);
	buf_clear(&rs->job);
	rs->part_failures = 0;
}

/* Can a window be gone on with behind a page of it?  Rows without an id are
 * counted from its beginning, and only the first page says how many there are
 * or names columns. */
static bool
goes_on(const struct def_stream *def)
{
	return def->id != NULL && def->page.kind != PAGE_INDEX &&
	    def->records.format != RECORDS_COLUMNS;
}

/* Read one span of time, or a part of it.  Its newest event becomes *newest. */
static enum reply_class
read_span(struct worker *w, struct stream *st, struct window_list *l,
    const struct window *span, int64_t *newest, struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	const bool all =
	    span->from == l->window.from && span->to == l->window.to;
	struct reading g;

	reading_open(&g, w, st, rs);
	g.values.window = span;
	g.keeps = all && !l->thorough && goes_on(rs->def);
	if (!rs->aside)
		g.covered =
		    reading_covered(w->source, rs->window.cursor.listed);
	(void)reading_pages(&g, "", false, r);
	l->fresh += g.fresh;
	l->pages += g.pages;
	*newest = g.newest;
	if (l->thorough && !rs->aside)
		widen(rs, st, g.latest);
	if (g.date != 0 && g.date < l->date)
		l->date = g.date;
	reading_close(&g);
	return r->class;
}

/* The vendor does not give a span, or not all of it, and never will. */
static enum reply_class
lose_span(struct rest_stream *rs, struct stream *st, const struct window *span,
    const char *how, struct outcome *r)
{
	const struct source *s = st->source;
	struct gap_row gap = { .from = span->from, .to = span->to };
	struct outcome told = *r;

	told.class = REPLY_GONE;
	(void)snprintf(gap.cause, sizeof(gap.cause), "the vendor %s: %.400s",
	    how, r->text);
	s->trouble(s->ctx, st, &told);
	return rest_cursor_save(rs, st, &gap, r);
}

/* Does the vendor keep one unit of time?  REPLY_GONE: it does not. */
static enum reply_class
try_unit(struct worker *w, struct stream *st, struct window_list *l, int64_t at,
    struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	const struct window unit = { at, at + rs->def->cursor.granularity };
	int64_t newest;

	if (read_span(w, st, l, &unit, &newest, r) == REPLY_INCOMPLETE)
		(void)outcome_set(r, REPLY_OK, "it is kept");
	return r->class;
}

/* The vendor does not keep the beginning of a span any more: up to where it
 * does, which is found by halves, span is a gap, but for what was listed
 * before.  One that says the same of the last hours means something else. */
static enum reply_class
skip_gone(struct worker *w, struct stream *st, struct window_list *l,
    struct window *span, struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	const int64_t unit = rs->def->cursor.granularity;
	const int64_t listed = rs->window.cursor.listed;
	const int64_t recent =
	    server_clock_now(w->source->clock) - CLOCK_HOUR - unit;
	int64_t from = span->from, at = span->to - unit;
	struct outcome why = *r;

	if (try_unit(w, st, l, recent - recent % unit, r) == REPLY_GONE)
		r->class = REPLY_RETRY;
	while (r->class == REPLY_OK && span->to - from >= 2 * unit) {
		if (try_unit(w, st, l, at, r) == REPLY_GONE) {
			from = at;
			(void)outcome_set(r, REPLY_OK, "it is gone");
		} else if (r->class == REPLY_OK) {
			span->to = at;
		}
		at = from + (span->to - from) / unit / 2 * unit;
	}
	if (r->class != REPLY_OK || span->to <= listed)
		return r->class;
	*r = why;
	return lose_span(rs, st,
	    &(struct window){
		span->from > listed ? span->from : listed, span->to },
	    "does not keep it any more", r);
}

/* What is left of a span of which a reply did not have all: from its newest
 * event on, where a list has no end and the oldest events first, else the first
 * half.  false: there is nothing shorter. */
static bool
shorten(const struct def_cursor *c, int64_t newest, struct window *span)
{
	const int64_t units = (span->to - span->from) / c->granularity;

	if (c->end == BOUND_OPEN && newest >= span->from + c->granularity)
		span->from = newest - newest % c->granularity;
	else if (c->end != BOUND_OPEN && units > 1)
		span->to = span->from + units / 2 * c->granularity;
	else
		return false;
	return true;
}

enum reply_class
rest_read_window(struct worker *w, struct stream *st, struct window_list *l,
    struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	const struct def_cursor *c = &rs->def->cursor;
	struct window span = l->window;
	int64_t newest;

	l->date = server_clock_now(w->source->clock);
	(void)outcome_set(r, REPLY_OK, "there is nothing to ask for");
	/* From the left; no less than a unit is asked for. */
	while (span.from < l->window.to) {
		if (read_span(w, st, l, &span, &newest, r) ==
		    REPLY_INCOMPLETE) {
			drop_part(rs);
			if (shorten(c, newest, &span)) {
				(void)outcome_set(r, REPLY_OK,
				    "the rest is asked for");
				continue;
			}
			if (c->end == BOUND_OPEN && newest >= span.from)
				span.to = span.from + c->granularity;
			(void)lose_span(rs, st, &span,
			    "does not give all of the shortest span", r);
		} else if (r->class == REPLY_GONE && !rs->aside) {
			drop_part(rs);
			(void)skip_gone(w, st, l, &span, r);
		}
		if (r->class != REPLY_OK)
			break;
		span = (struct window){ span.to, l->window.to };
	}
	return r->class;
}

/* A page token is worth so many failures in a row: to read the window again
 * costs requests, and nothing else. */
#define PART_FAILURES 3

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
	if (rs->part_page.len == 0 && rs->job.len == 0)
		return r->class;
	first = xstrdup(rs->part_page.len > 0 ? rs->part_page.data : "");
	reading_open(&g, w, st, rs);
	g.values.window = &part;
	g.keeps = goes_on(rs->def);
	g.date = rs->part_date;
	(void)reading_pages(&g, first, false, r);
	reading_close(&g);
	free(first);
	if (r->class == REPLY_OK) {
		drop_part(rs);
		if (part.from <= c->listed &&
		    window_listed(&rs->spec, &part, rs->part_date) > c->listed)
			c->listed =
			    window_listed(&rs->spec, &part, rs->part_date);
		return rest_cursor_save(rs, st, NULL, r);
	}
	if (r->class == REPLY_CURSOR || r->class == REPLY_INCOMPLETE ||
	    r->class == REPLY_GONE) {
		drop_part(rs);
		return outcome_set(r, REPLY_OK, "the window is read again");
	}
	if ((r->class == REPLY_RETRY || r->class == REPLY_CONFIG) &&
	    ++rs->part_failures >= PART_FAILURES)
		drop_part(rs);
	return r->class;
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

	/* To submit a job would be more than a try. */
	if (def->job.used)
		return rest_find_host(w, &rs, r);
	reading_open(&g, w, NULL, &rs);
	g.trying = true;
	/* One that nobody else has, and may be moved. */
	g.values.iterator = "sealfeed-check";
	if (def->cursor.kind == CURSOR_WINDOW)
		g.values.window = &hour;
	(void)get_page(&g, &page, r);
	*rows = g.rows;
	reading_close(&g);
	buf_release(&next);
	free(rs.own_base);
	return r->class;
}
