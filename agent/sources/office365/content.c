/*
 * content.c - content blobs: all of one window are listed into the ledger, and
 * each is brought from there into the store, where its audit records become
 * events.
 *
 * A page of the list is a JSON array with a row for each blob, a header leads
 * to the next page; a blob is a JSON array of audit records.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/splitter.h"
#include "http/server_clock.h"
#include "sources/common/pages.h"
#include "sources/office365/office365.h"
#include "store/feed.h"

/* A row is about 400 bytes. */
#define ROW_MAX (64 * 1024)
#define KEY_MAX 1024
#define URI_MAX 8192

/* Requests that downloads leave to listings, which leave none to anybody. */
#define BLOB_RESERVE 10

struct listing {
	struct worker *w;
	struct stream *st;
	struct ledger *ledger;
	struct splitter *splitter;
	size_t rows;  /* of this page */
	int64_t date; /* the server's time at the first page; 0: not yet */
};

/* "2026-11-22T04:26:58", whole seconds, as the API wants it. */
static void
format_time(int64_t when, char out[20])
{
	char text[CLOCK_TEXT];

	(void)clock_format(when, 0, text);
	memcpy(out, text, 19);
	out[19] = '\0';
}

int
office365_list_url(const struct office365 *o, const char *content_type,
    const struct window *w, struct buf *out)
{
	char from[20], to[20];
	const struct http_pair query[] = {
		{ "contentType", content_type },
		{ "startTime", from },
		{ "endTime", to },
		{ NULL, NULL },
	};

	format_time(w->from, from);
	format_time(w->to, to);
	return office365_url(o, "/subscriptions/content", query, out);
}

static int
row_text(const json_t *row, const char *key, size_t max, const char **out,
    struct err *err)
{
	const json_t *v = json_object_get(row, key);

	*out = json_string_value(v);
	if (*out == NULL || **out == '\0' || json_string_length(v) > max)
		return err_set(err,
		    "a row of the content list has no usable %s", key);
	return 0;
}

static int
row_time(const json_t *row, const char *key, int64_t *out, struct err *err)
{
	const json_t *v = json_object_get(row, key);

	if (!json_is_string(v) ||
	    clock_parse(json_string_value(v), json_string_length(v), out) != 0)
		return err_set(err,
		    "a row of the content list has no usable %s", key);
	return 0;
}

static int
add_row(struct listing *l, const json_t *row, struct err *err)
{
	struct listed item = { .key = NULL };

	if (row_text(row, "contentId", KEY_MAX, &item.key, err) != 0 ||
	    row_text(row, "contentUri", URI_MAX, &item.uri, err) != 0 ||
	    row_time(row, "contentCreated", &item.created, err) != 0)
		return -1;
	/* Documented as seven days; a list without it is not an error. */
	if (json_object_get(row, "contentExpiration") == NULL)
		item.expires = item.created + OFFICE365_KEPT;
	else if (row_time(row, "contentExpiration", &item.expires, err) != 0)
		return -1;
	return ledger_add(l->ledger, &item, err);
}

/* splitter_fn: one row. */
static int
take_row(void *ctx, const struct element *el, struct err *err)
{
	struct listing *l = ctx;
	json_t *row;
	int rc;

	l->rows++;
	/* Most rows of an overlap are known; reading them would be most of
	 * the work. */
	if (ledger_has(l->ledger, el->id))
		return 0;
	row = json_loadb(el->data, el->len, JSON_ALLOW_NUL, NULL);
	if (json_is_object(row))
		rc = add_row(l, row, err);
	else
		rc = err_set(err,
		    "a row of the content list is not a JSON object");
	json_decref(row);
	return rc;
}

/* http_take_fn */
static int
take_page(void *ctx, const char *data, size_t len, struct err *err)
{
	struct listing *l = ctx;

	return splitter_push(l->splitter, data, len, err);
}

/* Where the page says that the next one is, as a URL to ask for. */
static enum reply_class
read_next(struct listing *l, const struct http_reply *reply, struct buf *next,
    struct outcome *r)
{
	const struct office365 *o = l->w->source->state;
	char *uri = xmalloc(HTTP_HEADERS_MAX);

	/* One page of Microsoft's documentation has another name. */
	if (!http_header(reply, "NextPageUri", uri, HTTP_HEADERS_MAX) &&
	    !http_header(reply, "NextPageUrl", uri, HTTP_HEADERS_MAX))
		uri[0] = '\0';
	if (*uri != '\0' && request_allowed(&o->api, "NextPageUri", uri, r) &&
	    office365_publish(o, uri, next) != 0)
		(void)outcome_set(r, REPLY_RETRY, "NextPageUri is too long");
	free(uri);
	return r->class;
}

/* pages.get */
static enum reply_class
get_page(void *ctx, struct page *page, struct outcome *r)
{
	struct listing *l = ctx;
	const struct office365 *o = l->w->source->state;
	const struct request q = { .url = page->link,
		.feed = l->st->feed,
		.take = take_page,
		.ctx = l };
	struct http_reply reply;
	struct err err = ERR_INIT;

	splitter_reset(l->splitter);
	l->rows = 0;
	http_reply_init(&reply);
	if (request_send(l->w, &o->api, &q, &reply, r) == REPLY_OK) {
		if (l->date == 0)
			l->date = server_clock_now(l->w->source->clock);
		if (splitter_end(l->splitter, &err) != 0 ||
		    ledger_flush(l->ledger, &err) != 0)
			(void)outcome_set(r, REPLY_RETRY,
			    "the content list cannot be parsed: %s", err.text);
		else
			(void)read_next(l, &reply, page->next, r);
	}
	page->rows = l->rows;
	http_reply_release(&reply);
	return r->class;
}

enum reply_class
office365_list(struct worker *w, struct stream *st, struct window_list *what,
    struct outcome *r)
{
	static const struct splitter_spec spec = { .id = "contentId",
		.max = ROW_MAX };
	const struct office365 *o = w->source->state;
	struct office365_stream *os = st->state;
	struct listing l = { .w = w, .st = st };
	const struct pages pages = { .get = get_page,
		.ctx = &l,
		.what = "the content list",
		.next_name = "NextPageUri" };
	struct buf first = BUF_INIT(OFFICE365_URL_MAX);

	l.ledger = ledger_new(st, &os->known, what->thorough);
	l.splitter = splitter_new(&spec, take_row, &l);
	if (office365_list_url(o, st->name, &what->window, &first) != 0)
		(void)outcome_set(r, REPLY_RETRY, "the URL is too long");
	else
		(void)pages_follow(w, st, &pages, first.data, r);
	what->fresh = ledger_fresh(l.ledger);
	what->date = l.date;
	ledger_free(l.ledger);
	splitter_free(l.splitter);
	buf_release(&first);
	return r->class;
}

void
office365_fetch(struct worker *w, struct stream *st, const struct item *it,
    struct outcome *r)
{
	const struct office365 *o = w->source->state;
	struct buf url = BUF_INIT(OFFICE365_URL_MAX);

	if (office365_publish(o, it->uri, &url) != 0) {
		(void)outcome_set(r, REPLY_RETRY, "contentUri is too long");
	} else {
		const struct request q = { .url = url.data,
			.what = "contentUri",
			.reserve = BLOB_RESERVE,
			.feed = st->feed };

		events_fetch(w, st, it, &o->format, &o->api, &q, r);
	}
	buf_release(&url);
}
