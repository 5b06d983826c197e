/*
 * events.c - the reply that has a listed item becomes events in the store.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/merkle.h"
#include "base/text.h"
#include "sources/common/events.h"
#include "sources/common/lines.h"
#include "sources/common/request.h"
#include "sources/source.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/write_batch.h"

/* A 404 without one of the API's codes may be some proxy's: it is believed
 * after so many tries. */
#define NOT_FOUND_TRIES 4

/* A last event that is broken may be one of a reply that was cut off: it is
 * believed after so many tries. */
#define TAIL_TRIES 2

/* An item's key, "#" and a number. */
#define NUMBERED_MAX 2048

/* Broken events of one reply that the log names. */
#define LOST_TOLD 5

struct fetching {
	struct worker *w;
	struct stream *st;
	const struct item *item;
	const struct event_format *format;
	struct write_batch *batch;
	struct splitter *splitter; /* FRAME_JSON */
	struct lines *lines;       /* … and of the others */
	struct digest *digest;
	uint64_t skip; /* elements that are committed already */
	uint64_t n;    /* elements so far */
	uint8_t chain[DIGEST_LEN];
	bool changed; /* it does not begin as it did */
	bool failed;  /* the last element is not in batch */
	size_t lost;  /* elements that are no events */
};

static int
commit(struct fetching *f, bool complete, struct err *err)
{
	struct commit_result res;

	write_batch_item(f->batch, f->item->id, f->n, f->chain, complete);
	if (complete && f->w->gather &&
	    write_batch_bytes(f->batch) <= GATHER_BYTES) {
		f->w->left = write_batch_move(f->batch);
		if (f->w->left != NULL)
			return 0;
	}
	if (feed_commit(f->batch, &res, err) != 0)
		return -1;
	if (res.events > 0)
		f->st->source->committed(f->st->source->ctx, f->st);
	return 0;
}

/* The last event, which the chain has now, is committed already: 1, 0 not, -1
 * the reply is another one. */
static int
is_known(struct fetching *f, struct err *err)
{
	if (f->n != f->skip)
		return f->n < f->skip;
	if (memcmp(f->chain, f->item->chain, DIGEST_LEN) == 0)
		return 1;
	f->changed = true;
	return err_set(err, "the %s no longer begins with the same events",
	    f->format->what);
}

/* Say why an element is no event. */
static void
explain(const struct lost_event *l, const struct element *el, char *out,
    size_t size)
{
	char hex[2 * DIGEST_LEN + 1] = "";
	uint8_t hash[DIGEST_LEN];
	int n = snprintf(out, size, "event %llu of the %s, counted from 0, is ",
	    (unsigned long long)l->n, l->what);

	out += n;
	size -= (size_t)n;
	if (el->data == NULL) {
		(void)snprintf(out, size,
		    "longer than %d MiB, the most that is held in memory: "
		    "%zu bytes",
		    EVENT_MAX / (1024 * 1024), el->len);
	} else if (el->len <= GAP_EVENT_MAX) {
		(void)snprintf(out, size,
		    "not JSON: %s; its %zu bytes are in the agent's own feed",
		    el->bad, el->len);
	} else {
		struct digest *digest = digest_new();

		digest_sha256(digest, NULL, 0, el->data, el->len, hash);
		digest_free(digest);
		text_hex(hex, hash, DIGEST_LEN);
		(void)snprintf(out, size,
		    "not JSON: %s; the first %zu of its %zu bytes, with the "
		    "SHA-256 %s, are in the agent's own feed",
		    el->bad, GAP_EVENT_MAX, el->len, hex);
	}
}

void
events_lose(struct write_batch *p, struct stream *st,
    const struct lost_event *l, const struct element *el)
{
	const struct source *s = st->source;
	struct gap_row *g = xcalloc(1, sizeof(*g));
	struct outcome r;

	g->item = l->item;
	g->part = l->item != 0;
	g->from = l->from;
	g->to = l->to;
	(void)snprintf(g->key, sizeof(g->key), "%s", l->key);
	explain(l, el, g->cause, sizeof(g->cause));
	if (el->data != NULL) {
		g->event = el->data;
		g->event_len =
		    el->len < GAP_EVENT_MAX ? el->len : GAP_EVENT_MAX;
	}
	write_batch_gap(p, g);
	(void)outcome_set(&r, REPLY_GONE, "%s%s%s", g->key,
	    *g->key != '\0' ? ": " : "", g->cause);
	if (!l->quiet)
		s->trouble(s->ctx, st, &r);
	free(g);
}

/* The last event cannot be one.  It is durable with the next one, so that it
 * is told once. */
static void
lose_event(struct fetching *f, const struct element *el)
{
	const struct lost_event l = { .what = f->format->what,
		.n = f->n - 1,
		.item = f->item->id,
		.key = f->item->key,
		.from = f->item->created,
		.to = f->item->created,
		.quiet = f->lost++ >= LOST_TOLD };

	events_lose(f->batch, f->st, &l, el);
}

/* Tell of those that were too many for the log. */
static void
tell_lost(const struct fetching *f)
{
	const struct source *s = f->st->source;
	struct outcome r;

	if (f->lost <= LOST_TOLD)
		return;
	(void)outcome_set(&r, REPLY_GONE,
	    "%s: %zu more events of the %s are no JSON or too long; see gaps",
	    f->item->key, f->lost - LOST_TOLD, f->format->what);
	s->trouble(s->ctx, f->st, &r);
}

/* Commit what there is if it is enough. */
static int
commit_full(struct fetching *f, struct err *err)
{
	if (write_batch_bytes(f->batch) < WRITE_BATCH_BYTES &&
	    write_batch_events(f->batch) < BATCH_EVENTS)
		return 0;
	return commit(f, false, err);
}

/* The id of an event that the vendor gave none, or what it gave. */
static struct slice
id_of(const struct fetching *f, const struct element *el, char *made,
    size_t size)
{
	int n;

	if (!f->format->numbered || el->id.data != NULL)
		return el->id;
	n = snprintf(made, size, "%s#%llu", f->item->key,
	    (unsigned long long)f->n);
	return (struct slice){ made, (size_t)n };
}

/* splitter_fn: one event. */
static int
take_event(void *ctx, const struct element *el, struct err *err)
{
	struct fetching *f = ctx;
	const struct slice event = { .data = el->data, .len = el->len };
	char made[NUMBERED_MAX];
	uint8_t leaf[DIGEST_LEN];
	int64_t when = INT64_MIN;
	int known;

	/* One that is too long counts as if it were empty. */
	merkle_leaf(f->digest, el->data != NULL ? el->data : "",
	    el->data != NULL ? el->len : 0, leaf);
	digest_sha256(f->digest, f->chain, DIGEST_LEN, leaf, DIGEST_LEN,
	    f->chain);
	f->n++;
	if (el->time.data != NULL &&
	    clock_parse(el->time.data, el->time.len, &when) != 0)
		when = INT64_MIN;
	if (f->format->count != NULL && el->data != NULL && el->bad == NULL)
		f->format->count(f->format->ctx, when);
	known = is_known(f, err);
	if (known != 0)
		return known < 0 ? -1 : 0;
	if (el->data == NULL || el->bad != NULL) {
		lose_event(f, el);
		return commit_full(f, err);
	}
	if (write_batch_add_hashed(f->batch, event,
		id_of(f, el, made, sizeof(made)), when, leaf, err) != 0) {
		f->failed = true;
		return -1;
	}
	return commit_full(f, err);
}

/* http_take_fn */
static int
take_bytes(void *ctx, const char *data, size_t len, struct err *err)
{
	struct fetching *f = ctx;

	if (f->format->see != NULL)
		f->format->see(f->format->ctx, data, len);
	if (f->lines != NULL)
		return lines_push(f->lines, data, len, err);
	return splitter_push(f->splitter, data, len, err);
}

/* The document is complete, or nothing but its last event is broken, time and
 * again.  0, or -1. */
static int
end(struct fetching *f, struct err *err)
{
	struct element tail;

	if (f->lines != NULL)
		return lines_end(f->lines, err);
	if (splitter_end(f->splitter, err) == 0)
		return 0;
	if (f->item->attempts < TAIL_TRIES ||
	    !splitter_tail(f->splitter, &tail))
		return -1;
	err_clear(err);
	return take_event(f, &tail, err);
}

/* The reply was whole: is the document, too? */
static void
finish(struct fetching *f, struct outcome *r)
{
	struct err err = ERR_INIT;
	char what[64];

	if (end(f, &err) != 0) {
		(void)snprintf(what, sizeof(what), "the %s", f->format->what);
		(void)outcome_unread(r, what, err.text);
	} else if (f->n < f->skip) {
		f->changed = true;
		(void)outcome_set(r, REPLY_RETRY,
		    "the %s has fewer events than before", f->format->what);
	} else if (commit(f, true, &err) != 0) {
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
	}
}

/* What came before a reply broke off is good. */
static void
keep(struct fetching *f, struct outcome *r)
{
	struct err err = ERR_INIT;

	if (r->class != REPLY_RETRY || f->changed || f->failed ||
	    f->n <= f->skip)
		return;
	if (commit(f, false, &err) != 0)
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
}

/* Ask for it once. */
static void
get(struct fetching *f, const struct api *api, const struct request *q,
    struct outcome *r)
{
	struct http_reply reply;

	if (f->lines != NULL)
		lines_reset(f->lines);
	else
		splitter_reset(f->splitter);
	if (f->format->see != NULL)
		f->format->see(f->format->ctx, NULL, 0);
	f->n = 0;
	f->changed = false;
	memset(f->chain, 0, sizeof(f->chain));
	http_reply_init(&reply);
	if (request_send(f->w, api, q, &reply, r) == REPLY_OK)
		finish(f, r);
	else if (reply.status == 404 && r->class == REPLY_RETRY &&
	    strcmp(r->code, "page") != 0 &&
	    f->item->attempts >= NOT_FOUND_TRIES)
		r->class = REPLY_GONE;
	http_reply_release(&reply);
}

void
events_fetch(struct worker *w, struct stream *st, const struct item *it,
    const struct event_format *format, const struct api *api,
    const struct request *q, struct outcome *r)
{
	struct fetching f = { .w = w,
		.st = st,
		.item = it,
		.format = format,
		.skip = it->elements };
	struct request full = *q;

	full.take = take_bytes;
	full.ctx = &f;
	f.batch = write_batch_reuse(w->spare, st->feed);
	w->spare = NULL;
	write_batch_scope(f.batch, it->key);
	write_batch_via(f.batch, it->via);
	if (format->frame == FRAME_JSON)
		f.splitter = splitter_new(&format->splitter, take_event, &f);
	else
		f.lines = lines_new(&format->splitter,
		    format->frame == FRAME_TEXT, take_event, &f);
	f.digest = digest_new();
	get(&f, api, &full, r);
	if (f.changed) {
		/* From its start; the seen-set keeps repeats out. */
		f.skip = 0;
		get(&f, api, &full, r);
	}
	keep(&f, r);
	tell_lost(&f);
	digest_free(f.digest);
	splitter_free(f.splitter);
	lines_free(f.lines);
	w->spare = f.batch;
}
