/*
 * fetch.c - what the rows of a list lead to: an event of each, or a file of
 * them.
 *
 * It is brought before the page counts as read, so that the page's place is
 * durable together with it.  What has been brought is not asked for again while
 * its row stays as it is; after a restart it may be, and repeats stay out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/error_value.h"
#include "sources/common/events.h"
#include "sources/rest/decode.h"
#include "sources/rest/reading.h"
#include "store/write_batch.h"

#define IDS_MAX ((size_t)128 * 1024)

/* One request for some rows. */
struct fetching {
	struct reading *g;
	const struct api *api;
	struct api other; /* that this is, where it is not the stream's */
	const struct def_records *records;
	struct splitter *splitter;
	struct buf whole; /* where it is decoded */
};

/* splitter_fn */
static int
take_event(void *ctx, const struct element *el, struct err *err)
{
	struct fetching *f = ctx;

	return reading_event(f->g, el, err);
}

/* http_take_fn */
static int
take_bytes(void *ctx, const char *data, size_t len, struct err *err)
{
	struct fetching *f = ctx;

	if (f->records->format == RECORDS_JSON)
		return splitter_push(f->splitter, data, len, err);
	if (buf_add(&f->whole, data, len) != 0)
		return err_set(err,
		    "what a row leads to is longer than %zu MiB",
		    READING_WHOLE / (1024 * 1024));
	return 0;
}

/* decode_fn */
static int
take_decoded(void *ctx, struct slice event, const char *bad, struct err *err)
{
	struct fetching *f = ctx;
	const struct element odd = {
		.data = event.data, .len = event.len, .bad = bad
	};

	return bad != NULL ? reading_event(f->g, &odd, err)
			   : reading_decoded(f->g, f->splitter, event, err);
}

/* The reply is whole: take what is not taken yet. */
static int
end(struct fetching *f, struct err *err)
{
	const struct def_records *r = f->records;
	struct buf columns = BUF_INIT(READING_WHOLE);
	struct decode d = { .format = (enum record_format)r->format,
		.at = r->at,
		.names = r->names,
		.absent_is_empty = r->absent_is_empty,
		.columns = r->columns,
		.column = r->column,
		.kept = &columns };
	int rc;

	if (r->format == RECORDS_JSON)
		return splitter_end(f->splitter, err);
	rc = reading_decode(f->g, &d, &f->whole, take_decoded, f, err);
	buf_release(&columns);
	return rc;
}

/* It is not there any more: that is a gap, and the others go on. */
static void
lose(struct reading *g, const struct outcome *r)
{
	const struct source *s = g->st->source;
	const struct window *w = g->values.window;
	struct gap_row *gap = xcalloc(1, sizeof(*gap));

	gap->from = w != NULL ? w->from : g->values.start;
	gap->to = reading_until(g);
	(void)snprintf(gap->key, sizeof(gap->key), "%s", g->object);
	(void)snprintf(gap->cause, sizeof(gap->cause), "%.500s", r->text);
	write_batch_gap(g->batch, gap);
	s->trouble(s->ctx, g->st, r);
	free(gap);
}

static enum reply_class
ask(struct fetching *f, struct rest_request *q, struct outcome *r)
{
	struct reading *g = f->g;
	struct http_reply reply;
	struct err err = ERR_INIT;

	http_reply_init(&reply);
	q->q.feed = g->st->feed;
	q->q.take = take_bytes;
	q->q.ctx = f;
	if (request_send(g->w, f->api, &q->q, &reply, r) == REPLY_OK &&
	    reply.status != 204) {
		if (end(f, &err) != 0)
			(void)outcome_unread(r, "what a row leads to",
			    err.text);
		else if (f->records->format == RECORDS_JSON)
			(void)reading_failed(g, f->splitter, 0, &f->whole,
			    &reply, r);
	}
	if (r->class == REPLY_GONE) {
		lose(g, r);
		(void)outcome_set(r, REPLY_OK, "it is a gap");
	}
	http_reply_release(&reply);
	return r->class;
}

/* The URL of a row: absolute, or what follows the host's. */
static int
row_url(const struct fetching *f, const char *lead, struct rest_request *q)
{
	buf_init(&q->url, IDS_MAX);
	if (*lead == '/' && lead[1] != '/')
		return request_url(&q->url, f->api->base, lead, NULL);
	q->q.what = "the URL of a row";
	return buf_adds(&q->url, lead);
}

/* Whom to ask.  URLs of rows on another host than the list's are links that
 * carry their own proof, beside which a token would be refused. */
static void
choose_api(struct fetching *f)
{
	const struct reading *g = f->g;
	const struct rest *o = g->values.rest;
	const struct def_fetch *def = &g->rs->def->fetch;
	const char *name = def->request.host;
	const size_t host =
	    definition_host(o->def, (struct slice){ name, strlen(name) });

	f->api = g->rs->api;
	if (strcmp(name, g->rs->def->request.host) == 0)
		return;
	f->other = *g->rs->api;
	f->other.base = o->base[host];
	f->other.option = o->option[host];
	if (def->url != NULL)
		f->other.auth = o->no_auth;
	f->api = &f->other;
}

/* Bring what leads, one or ids of several as one text, stands for. */
static enum reply_class
bring(struct reading *g, const char *leads, struct outcome *r)
{
	const struct def_fetch *def = &g->rs->def->fetch;
	const struct splitter_spec spec = { .arrays = def->records.format ==
			RECORDS_JSON
		    ? (const char *const *)def->records.at
		    : NULL,
		.id = g->rs->def->id_key,
		.time = g->rs->def->time_key,
		.asides = error_places,
		.max = EVENT_MAX,
		.pass_longer = true,
		.repairs = true,
		.absent_is_empty = def->records.absent_is_empty,
		.object_is_element = true };
	struct fetching f = { .g = g, .records = &def->records };
	struct rest_request q = { .headers = NULL };
	struct rest_values v = g->values;

	v.ids = leads;
	g->object = leads;
	choose_api(&f);
	buf_init(&f.whole, READING_WHOLE);
	f.splitter = splitter_new(&spec, take_event, &f);
	if (g->equal != NULL)
		rest_rows_reset(g->equal);
	if ((def->url != NULL && row_url(&f, leads, &q) != 0) ||
	    rest_request_of(&v, &def->request, &def->records, &q) != 0) {
		(void)outcome_set(r, REPLY_RETRY,
		    "the request for what a row leads to is too long");
	} else {
		if (def->url != NULL)
			q.q.what = "the URL of a row";
		(void)ask(&f, &q, r);
	}
	splitter_free(f.splitter);
	buf_release(&f.whole);
	rest_request_release(&q);
	g->object = NULL;
	return r->class;
}

/* Remember that a row's events are there. */
static void
keep(struct reading *g, size_t from, size_t to)
{
	struct rest_stream *rs = g->rs;

	if (rs->brought == NULL)
		rs->brought = xcalloc(REST_BROUGHT, sizeof(*rs->brought));
	for (; from < to; from++)
		rs->brought[g->row_hashes[from] % REST_BROUGHT] =
		    g->row_hashes[from];
}

/* The next ids as one text: of one row as it is, else in quotes.  Behind them
 * *at is then.  -1: too long. */
static int
join(const struct def_fetch *def, const char **at, size_t n, struct buf *ids)
{
	int rc = 0;

	if (def->max == 1)
		rc = buf_adds(ids, *at);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (def->max > 1)
			rc = (i > 0 && buf_adds(ids, ",") != 0) ||
			    text_json_string(ids, *at, strlen(*at)) != 0;
		*at += strlen(*at) + 1;
	}
	return rc;
}

enum reply_class
reading_fetch(struct reading *g, struct outcome *r)
{
	const struct def_fetch *def = &g->rs->def->fetch;
	const char *at = g->leads.data;
	struct err err = ERR_INIT;
	size_t n;

	for (size_t i = 0; i < g->n_leads && r->class == REPLY_OK; i += n) {
		struct buf ids = BUF_INIT(IDS_MAX);

		n = g->n_leads - i < (size_t)def->max ? g->n_leads - i
						      : (size_t)def->max;
		if (join(def, &at, n, &ids) != 0)
			(void)outcome_set(r, REPLY_RETRY,
			    "the ids of a page's rows are too long");
		else
			(void)bring(g, ids.data, r);
		buf_release(&ids);
		/* What is there stays there, whatever follows. */
		if (r->class == REPLY_OK && reading_commit(g, &err) != 0)
			(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
		if (r->class == REPLY_OK)
			keep(g, i, i + n);
	}
	return r->class;
}
