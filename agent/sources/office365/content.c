/*
 * content.c - content blobs: all of one window are listed into the ledger, and
 * each is brought from there into the store, where its audit records become
 * events.
 *
 * A page of the list is a JSON array with a row for each blob, a header leads
 * to the next page; a blob is a JSON array of audit records.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/splitter.h"
#include "base/text.h"
#include "http/server_clock.h"
#include "sources/common/pages.h"
#include "sources/office365/office365.h"
#include "store/feed.h"

/* A row is about 400 bytes. */
#define ROW_MAX (256 * 1024)
#define KEY_MAX 1024
#define URI_MAX 8192

/* Requests that downloads leave to listings, which leave none to anybody. */
#define BLOB_RESERVE 10

/* A time so far from the window that was asked for cannot be meant. */
#define FAR (OFFICE365_KEPT + CLOCK_DAY)
/* Odd rows are told of again after so long, others sooner. */
#define ODD_EVERY CLOCK_HOUR
#define ODD_NEXT CLOCK_MINUTE
#define ODD_QUOTED 160

struct listing {
	struct worker *w;
	struct stream *st;
	struct ledger *ledger; /* NULL: rows are only looked at */
	struct splitter *splitter;
	const struct window *window;
	size_t rows;  /* of this page */
	int64_t date; /* the server's time at the first page; 0: not yet */
	struct office365_odd odd;
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

/* Text of a member of row: of a string, or of a number.  "" where it has
 * none, and *why says so. */
static void
row_text(const json_t *row, const char *key, struct buf *out, const char **why)
{
	const json_t *v = json_object_get(row, key);
	int rc = 0;

	buf_clear(out);
	if (json_is_string(v))
		rc = buf_add(out, json_string_value(v), json_string_length(v));
	else if (json_is_integer(v))
		rc = buf_addf(out, "%lld", (long long)json_integer_value(v));
	/* Nothing but white space is nothing. */
	if (rc != 0 || out->len == 0 || strlen(out->data) != out->len ||
	    strspn(out->data, " \t\r\n") == out->len) {
		buf_clear(out);
		(void)!buf_adds(out, "");
		*why = key;
	}
}

/* A time of row between the bounds; false and *why where it has none. */
static bool
row_time(const json_t *row, const char *key, int64_t least, int64_t most,
    int64_t *out, const char **why)
{
	const json_t *v = json_object_get(row, key);

	if (json_is_string(v) &&
	    clock_parse(json_string_value(v), json_string_length(v), out) ==
		0 &&
	    *out >= least && *out <= most)
		return true;
	*why = key;
	return false;
}

/* FNV-1a. */
static uint64_t
row_hash(const char *data, size_t len)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++)
		hash =
		    (hash ^ (unsigned char)data[i]) * UINT64_C(1099511628211);
	return hash;
}

/* Note a row that is not as it should be; the first one is quoted. */
static void
note_odd(struct listing *l, const struct element *el, const char *what,
    bool lost)
{
	struct office365_odd *o = &l->odd;
	struct office365_stream *os;
	uint64_t hash;
	const char *data = el->data != NULL ? el->data : "";
	size_t len = el->data != NULL ? el->len : 0;
	/* With room for what, so that nothing is cut within a character. */
	struct buf quoted = BUF_INIT(sizeof(o->text) - 80);
	bool more = len > ODD_QUOTED;

	o->lost += lost;
	if (o->rows++ == 0 || (lost && o->lost == 1)) {
		if (text_printable(&quoted, data, more ? ODD_QUOTED : len) != 0)
			more = true;
		(void)snprintf(o->text, sizeof(o->text), "%s: %s%s", what,
		    quoted.data != NULL ? quoted.data : "", more ? "…" : "");
		buf_release(&quoted);
	}
	if (l->st == NULL)
		return;
	hash = row_hash(data, len);
	os = l->st->state;
	os->odd_fresh = os->odd_fresh || os->odd[hash % OFFICE365_ODD] != hash;
	os->odd[hash % OFFICE365_ODD] = hash;
}

/* The key in a URI: the last part of its path, or all of it where that is
 * empty, so that two contents never have the same. */
static struct slice
key_of(const char *uri)
{
	const size_t path = strcspn(uri, "?#");
	const char *slash = memrchr(uri, '/', path);
	const char *from = slash == NULL ? uri : slash + 1;
	const size_t len = (size_t)(uri + path - from);

	if (len == 0)
		return (struct slice){ uri, strlen(uri) };
	return (struct slice){ from, len };
}

/* The URI says which content it is, and the other way round: what one of them
 * lacks is made from the other.  -1: neither is there. */
static int
complete(struct listing *l, struct buf *key, struct buf *uri)
{
	const struct office365 *o = l->w->source->state;
	struct slice from;

	if (key->len == 0 && uri->len == 0)
		return -1;
	if (key->len == 0) {
		from = key_of(uri->data);
		return buf_add(key, from.data, from.len);
	}
	if (uri->len > 0)
		return 0;
	if (buf_adds(uri, o->base) != 0 || buf_adds(uri, "/audit/") != 0)
		return -1;
	return text_percent(uri, key->data);
}

/* A key that is longer than any is kept as its begin and its hash. */
static int
shorten(struct buf *key)
{
	struct digest *d = digest_new();
	char hex[2 * DIGEST_LEN + 1];
	uint8_t hash[DIGEST_LEN];

	digest_sha256(d, NULL, 0, key->data, key->len, hash);
	digest_free(d);
	text_hex(hex, hash, DIGEST_LEN);
	key->len = KEY_MAX - sizeof(hex);
	return buf_addf(key, "~%s", hex);
}

/* What row says of an item: key, uri and times.  NULL, or which member is not
 * as it should be; *lost: without it nothing can be fetched. */
static const char *
read_row(struct listing *l, const json_t *row, struct buf *key, struct buf *uri,
    struct listed *item, bool *lost)
{
	const int64_t from = l->window->from - FAR, to = l->window->to + FAR;
	const char *why = NULL, *late = NULL;

	row_text(row, "contentId", key, &why);
	row_text(row, "contentUri", uri, &why);
	/* "null", "N/A", a path: what is no URL leads nowhere, where the key
	 * may. */
	if (key->len > 0 && uri->len > 0 && strstr(uri->data, "://") == NULL) {
		buf_clear(uri);
		why = "contentUri";
	}
	*lost = complete(l, key, uri) != 0 || uri->len > URI_MAX;
	if (uri->len > URI_MAX)
		why = "contentUri";
	if (!*lost && key->len > KEY_MAX) {
		why = "contentId";
		*lost = shorten(key) != 0;
	}
	if (!row_time(row, "contentCreated", from, to, &item->created, &why))
		item->created = l->window->to;
	if (!row_time(row, "contentExpiration", item->created + 1, to + FAR,
		&item->expires, &late))
		item->expires = item->created + OFFICE365_KEPT;
	/* Documented as seven days; a list without it is not odd. */
	if (late != NULL && json_object_get(row, late) != NULL)
		why = late;
	item->key = key->data;
	item->uri = uri->data;
	return why;
}

static int
add_row(struct listing *l, const struct element *el, const json_t *row,
    struct err *err)
{
	struct buf key = BUF_INIT(ROW_MAX), uri = BUF_INIT(4 * ROW_MAX);
	struct listed item = { .key = NULL };
	bool lost = false;
	const char *why = read_row(l, row, &key, &uri, &item, &lost);
	char what[64];
	int rc = 0;

	if (why != NULL) {
		(void)snprintf(what, sizeof(what), "no usable %s", why);
		note_odd(l, el, what, lost);
	}
	if (!lost && l->ledger != NULL)
		rc = ledger_add(l->ledger, &item, err);
	buf_release(&key);
	buf_release(&uri);
	return rc;
}

/* splitter_fn: one row. */
static int
take_row(void *ctx, const struct element *el, struct err *err)
{
	struct listing *l = ctx;
	json_t *row;
	int rc = 0;

	l->rows++;
	if (el->data == NULL || el->bad != NULL) {
		note_odd(l, el,
		    el->data == NULL ? "a row of more than 256 KiB"
				     : "not JSON",
		    true);
		return 0;
	}
	/* Most rows of an overlap are known; reading them would be most of
	 * the work. */
	if (l->ledger != NULL && ledger_has(l->ledger, el->id))
		return 0;
	row = json_loadb(el->data, el->len, JSON_ALLOW_NUL, NULL);
	if (json_is_object(row))
		rc = add_row(l, el, row, err);
	else
		note_odd(l, el, "not a JSON object", true);
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
	if (*uri != '\0' && office365_publish(o, uri, next) != 0)
		(void)outcome_set(r, REPLY_RETRY, "NextPageUri is too long");
	else if (*uri != '\0')
		(void)request_allowed(&o->api, "NextPageUri", next->data, r);
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
			(void)outcome_unread(r, "the content list", err.text);
		else
			(void)read_next(l, &reply, page->next, r);
	}
	page->rows = l->rows;
	http_reply_release(&reply);
	return r->class;
}

/* What is odd about o's rows, as a sentence. */
static void
describe(const struct office365_odd *o, char *out, size_t size)
{
	(void)snprintf(out, size,
	    "%zu rows of the content list are not as they should be, %zu of "
	    "them lead to nothing; the first: %s",
	    o->rows, o->lost, o->text);
}

/* Tell of rows that are not as they should be, of the same ones rarely. */
static void
tell_odd(struct listing *l)
{
	struct office365_stream *os = l->st->state;
	const struct source *s = l->w->source;
	int64_t now = clock_monotonic();
	struct outcome r;
	char text[600];

	if (l->odd.rows == 0 || now < os->odd_next ||
	    (!os->odd_fresh && now < os->odd_again))
		return;
	os->odd_fresh = false;
	os->odd_next = now + ODD_NEXT;
	os->odd_again = now + ODD_EVERY;
	describe(&l->odd, text, sizeof(text));
	(void)outcome_set(&r, REPLY_RETRY, "%s", text);
	(void)snprintf(r.code, sizeof(r.code), "%s", REPLY_ODD_ROW);
	s->trouble(s->ctx, l->st, &r);
}

static const struct splitter_spec row_spec = { .id = "contentId",
	.max = ROW_MAX,
	.pass_longer = true,
	.repairs = true };

enum reply_class
office365_list(struct worker *w, struct stream *st, struct window_list *what,
    struct outcome *r)
{
	const struct office365 *o = w->source->state;
	struct office365_stream *os = st->state;
	struct listing l = { .w = w, .st = st, .window = &what->window };
	const struct pages pages = { .get = get_page,
		.ctx = &l,
		.what = "the content list",
		.next_name = "NextPageUri" };
	struct buf first = BUF_INIT(OFFICE365_URL_MAX);

	l.ledger = ledger_new(st, &os->known, what->thorough);
	l.splitter = splitter_new(&row_spec, take_row, &l);
	if (office365_list_url(o, st->name, &what->window, &first) != 0)
		(void)outcome_set(r, REPLY_RETRY, "the URL is too long");
	else
		(void)pages_follow(w, st, &pages, first.data, r);
	tell_odd(&l);
	what->fresh = ledger_fresh(l.ledger);
	what->date = l.date;
	ledger_free(l.ledger);
	splitter_free(l.splitter);
	buf_release(&first);
	return r->class;
}

enum reply_class
office365_list_try(struct worker *w, const char *content_type,
    const struct window *window, struct office365_odd *odd, struct outcome *r)
{
	const struct office365 *o = w->source->state;
	struct listing l = { .w = w, .window = window };
	struct request q = { .take = take_page, .ctx = &l };
	struct buf url = BUF_INIT(OFFICE365_URL_MAX);
	struct http_reply reply;
	struct err err = ERR_INIT;

	http_reply_init(&reply);
	l.splitter = splitter_new(&row_spec, take_row, &l);
	if (office365_list_url(o, content_type, window, &url) != 0) {
		(void)outcome_set(r, REPLY_CONFIG, "api_url: too long");
	} else {
		q.url = url.data;
		if (request_send(w, &o->api, &q, &reply, r) == REPLY_OK &&
		    splitter_end(l.splitter, &err) != 0)
			(void)outcome_unread(r, "the content list", err.text);
	}
	*odd = l.odd;
	if (odd->rows > 0)
		describe(&l.odd, odd->sentence, sizeof(odd->sentence));
	splitter_free(l.splitter);
	http_reply_release(&reply);
	buf_release(&url);
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
