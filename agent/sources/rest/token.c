/*
 * token.c - streams whose cursor is the vendor's own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/server_clock.h"
#include "sources/common/pages.h"
#include "sources/rest/pick.h"
#include "sources/rest/reading.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/write_batch.h"

/* So many pages without rows, one behind the other, are followed at once. */
#define EMPTY_PAGES 16U

/* Where a stream without end leads is durable with its page; what could not be
 * written is asked for again from where it was. */
static enum reply_class
move_token(struct reading *g, const struct buf *next, struct outcome *r)
{
	struct rest_stream *rs = g->rs;
	const int64_t newest = rs->newest, here = reading_newest(g);
	struct buf before = rs->token;

	if (here > newest)
		rs->newest = here;
	buf_init(&rs->token, PAGES_LINK_MAX);
	if (buf_add(&rs->token, next->data, next->len) != 0)
		(void)outcome_set(r, REPLY_RETRY, "the cursor is too long");
	else
		(void)reading_commit_cursor(g, r);
	if (r->class != REPLY_OK) {
		rs->newest = newest;
		buf_release(&rs->token);
		rs->token = before;
	} else {
		buf_release(&before);
	}
	return r->class;
}

/* Does a stream without end go on behind a page?  Where the page does not say,
 * one without rows may still lead to some as long as the cursor moves: so many
 * are followed at once, fewer where that has led to nothing. */
static bool
goes_further(struct reading *g, const struct rest_page *p, bool moved)
{
	struct rest_stream *rs = g->rs;

	if (g->rs->def->page.more != NULL)
		return rest_more(p);
	if (g->rows > 0) {
		if (g->empty > 0)
			rs->vain = 0;
		g->empty = 0;
		return true;
	}
	if (!moved)
		return false;
	g->empty++;
	if (g->empty < EMPTY_PAGES >> rs->vain)
		return true;
	if (EMPTY_PAGES >> rs->vain > 1)
		rs->vain++;
	return false;
}

enum reply_class
reading_end_token(struct reading *g, const struct rest_page *p,
    struct buf *next, struct outcome *r)
{
	struct rest_stream *rs = g->rs;
	struct err err = ERR_INIT;
	bool moved = next->len > 0 &&
	    (next->len != rs->token.len ||
		memcmp(next->data, rs->token.data, next->len) != 0);

	if (moved) {
		if (move_token(g, next, r) != REPLY_OK)
			return r->class;
	} else if (reading_commit(g, &err) != 0) {
		return outcome_set(r, REPLY_RETRY, "%s", err.text);
	}
	if (next->len == 0 && (g->rows > 0 || reading_says_more(p)))
		return outcome_set(r, REPLY_RETRY,
		    "the reply has events, but no cursor for those that "
		    "follow");
	if (!moved && g->rows > 0 && rs->def->cursor.back == 0)
		return outcome_set(r, REPLY_RETRY,
		    "the reply has events, but the cursor of those that follow "
		    "is the one that led to it");
	g->behind = goes_further(g, p, moved) && next->len > 0;
	if (!g->behind || (moved && g->pages >= READING_PAGES))
		buf_clear(next);
	/* A vendor that has nothing, again and again, is left alone. */
	if (g->all == 0 && g->pages >= READING_PAGES)
		g->behind = false;
	return r->class;
}

/* The vendor does not know its cursor any more: begin again a little before
 * the newest event that it led to, as far as that is still kept. */
static enum reply_class
restart(struct worker *w, struct stream *st, int64_t named, struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	const struct source *s = w->source;
	const int64_t oldest =
	    server_clock_now(s->clock) - rs->spec.kept + rs->spec.slack;
	const int64_t last = named != INT64_MIN ? named
	    : rs->newest != 0                   ? rs->newest
						: rs->from;
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
	rs->begun = rs->in_doubt = false;
	rs->from = last - rs->def->cursor.overlap;
	if (rs->from < oldest)
		rs->from = oldest;
	return rest_cursor_save(rs, st, last < oldest ? &gap : NULL, r);
}

/* Where to go on: a growing number a little before the last one. */
static char *
first_token(const struct rest_stream *rs)
{
	const char *token = rs->token.len > 0 ? rs->token.data : "";
	const int64_t back = rs->def->cursor.back;
	intmax_t n;
	char *end;

	if (back == 0 || *token < '0' || *token > '9')
		return xstrdup(token);
	n = strtoimax(token, &end, 10);
	if (*end != '\0' || n == INTMAX_MAX)
		return xstrdup(token);
	return xasprintf("%jd", n > back ? n - back : 0);
}

/* Get the first cursor, and make it durable before it is used. */
static enum reply_class
bootstrap(struct worker *w, struct stream *st, struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	const struct rest_values v = { .rest = w->source->state,
		.def = rs->def,
		.start = rs->from,
		.page = "",
		.base = rs->api->base };
	struct rest_request q = { .headers = NULL };
	struct http_reply reply;

	http_reply_init(&reply);
	if (rest_request_of(&v, &rs->def->bootstrap, NULL, &q) != 0) {
		(void)outcome_set(r, REPLY_CONFIG,
		    "the request is too long; see the source's options");
	} else {
		q.q.feed = st->feed;
		if (request_send(w, rs->api, &q.q, &reply, r) == REPLY_OK &&
		    reply.body.data != NULL &&
		    pages_token(pick_raw((struct slice){ reply.body.data,
					     reply.body.len },
				    rs->def->take),
			&rs->token) != 0)
			(void)outcome_set(r, REPLY_RETRY,
			    "the first cursor is neither text nor a number");
	}
	rest_request_release(&q);
	http_reply_release(&reply);
	if (r->class == REPLY_OK && rs->token.len > 0)
		(void)rest_cursor_save(rs, st, NULL, r);
	return r->class;
}

enum reply_class
rest_read_token(struct worker *w, struct stream *st, bool *behind,
    struct outcome *r)
{
	struct rest_stream *rs = *(struct rest_stream **)st->state;
	const bool iterates = rs->def->cursor.kind == CURSOR_ITERATOR;
	char why[sizeof(r->text)], *first;
	struct reading g;
	int64_t named;

	if (iterates && rest_iterator_name(rs, st, r) != REPLY_OK)
		return r->class;
	if (rs->token.len == 0 && rs->def->bootstrap.path != NULL &&
	    (rest_find_host(w, rs, r) != REPLY_OK ||
		bootstrap(w, st, r) != REPLY_OK || rs->token.len == 0))
		return r->class;
	first = iterates ? xstrdup("first") : first_token(rs);
	reading_open(&g, w, st, rs);
	/* In the order of processing nothing is late that was not asked for;
	 * what was there before is older than it is late. */
	if (rs->caught_up != 0)
		g.covered = reading_covered(w->source, rs->caught_up);
	(void)reading_pages(&g, first, true, r);
	*behind = g.behind;
	if (r->class == REPLY_OK && !g.behind)
		st->listed = rs->caught_up = g.date;
	else if (g.newest != INT64_MIN)
		st->listed = reading_newest(&g);
	named = g.restart;
	reading_close(&g);
	free(first);
	if (r->class == REPLY_INCOMPLETE)
		r->class = REPLY_RETRY;
	if (r->class != REPLY_CURSOR)
		return r->class;
	*behind = true;
	/* A place to begin is no cursor that could be lost. */
	if (iterates ? !rs->begun : rs->token.len == 0) {
		(void)snprintf(why, sizeof(why), "%s", r->text);
		return outcome_set(r, REPLY_CONFIG,
		    "the vendor refuses to begin; see initial: %.800s", why);
	}
	return restart(w, st, named, r);
}
