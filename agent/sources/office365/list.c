/*
 * list.c - all content of one window, every page of it, into the
 * ledger.
 *
 * A page is streamed: its rows go into the ledger by the thousand, whatever
 * its length.  Rows that are in the ledger stay there when a later one or a
 * later page fails; only the cursor waits for all of them.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/splitter.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "sources/office365/office365.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/write_batch.h"

/* One window has at most so many pages; a real one has some hundreds of rows
 * a page. */
#define PAGES_MAX 20000
/* A lost page token begins the window anew so often before it backs off. */
#define RESTARTS_MAX 3
/* A page that fails is asked for again at once, so often and so long: a
 * listing of many pages would else hardly ever come to its end at a vendor
 * that has a bad day. */
#define PAGE_TRIES 8
#define PAGE_PATIENCE (15 * CLOCK_SECOND)
#define PAGE_PAUSE (CLOCK_SECOND / 4)
#define PAGE_PAUSE_MAX (4 * CLOCK_SECOND)
/* Rows a commit. */
#define ROWS 1000
/* A row is about 400 bytes. */
#define ROW_MAX (64 * 1024)
#define KEY_MAX 1024
#define URI_MAX 8192

/* Listings leave no tokens for anybody, downloads do. */
#define RESERVE 0

struct listing {
	struct worker *w;
	struct stream *st;
	struct write_batch *piece;
	struct splitter *splitter;
	struct office365_listing *what;
	uint64_t hash[ROWS]; /* of the keys in the write batch */
	size_t rows;         /* so many */
	/* First bytes of the SHA-256 of each page's URL: a token that comes
	 * again would go round for ever. */
	uint64_t *seen;
	size_t n_seen;
	struct digest *digest;
};

/* First bytes of the SHA-256 of a text. */
static uint64_t
hash(const struct listing *l, const char *s, size_t len)
{
	uint8_t full[DIGEST_LEN];
	uint64_t first;

	digest_sha256(l->digest, NULL, 0, s, len, full);
	memcpy(&first, full, sizeof(first));
	return first;
}

/* Where the stream remembers a key with this hash. */
static uint64_t *
place(const struct listing *l, uint64_t h)
{
	struct office365_stream *os = l->st->state;

	return &os->known[h % OFFICE365_KNOWN];
}

static int
flush(struct listing *l, struct err *err)
{
	struct commit_result res;

	if (l->rows == 0)
		return 0;
	if (feed_commit(l->piece, &res, err) != 0)
		return -1;
	for (size_t i = 0; i < l->rows; i++)
		*place(l, l->hash[i]) = l->hash[i];
	l->rows = 0;
	l->what->fresh += res.listed;
	if (res.listed > 0)
		l->st->source->listed(l->st->source->ctx, l->st);
	return 0;
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
add_row(struct listing *l, const json_t *row, uint64_t h, struct err *err)
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
	write_batch_listed(l->piece, &item);
	l->hash[l->rows++] = h;
	return l->rows < ROWS ? 0 : flush(l, err);
}

/* splitter_fn: one row. */
static int
take_row(void *ctx, const struct element *el, struct err *err)
{
	struct listing *l = ctx;
	json_t *row;
	uint64_t h = 0;
	int rc;

	/* Most rows of an overlap are known; reading them would be most of
	 * the work. */
	if (el->id.data != NULL)
		h = hash(l, el->id.data, el->id.len);
	if (el->id.data != NULL && !l->what->thorough && *place(l, h) == h)
		return 0;
	row = json_loadb(el->data, el->len, JSON_ALLOW_NUL, NULL);
	if (!json_is_object(row)) {
		json_decref(row);
		return err_set(err,
		    "a row of the content list is not a JSON object");
	}
	rc = add_row(l, row, h, err);
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

/* Has this URL been asked for in this listing? */
static bool
is_repeated(const struct listing *l, const char *url)
{
	uint64_t first = hash(l, url, strlen(url));

	for (size_t i = 0; i < l->n_seen; i++)
		if (l->seen[i] == first)
			return true;
	return false;
}

static void
remember(struct listing *l, const char *url)
{
	if (l->n_seen % 64 == 0)
		l->seen =
		    xreallocarray(l->seen, l->n_seen + 64, sizeof(*l->seen));
	l->seen[l->n_seen++] = hash(l, url, strlen(url));
}

/* Where the page says that the next one is, as a URL to ask for; empty: it is
 * the last. */
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
	if (*uri != '\0' && office365_own(o, "NextPageUri", uri, r)) {
		if (office365_publish(o, uri, next) != 0)
			(void)outcome_set(r, REPLY_RETRY,
			    "NextPageUri is too long");
		else if (is_repeated(l, next->data))
			(void)outcome_set(r, REPLY_RETRY,
			    "NextPageUri leads back to a page of before");
	}
	free(uri);
	return r->class;
}

/* Ask for one page; next gets the URL of the following one. */
static enum reply_class
get_page(struct listing *l, const char *url, struct buf *next,
    struct outcome *r)
{
	const struct office365_call call = { .url = url,
		.reserve = RESERVE,
		.feed = l->st->feed,
		.take = take_page,
		.ctx = l };
	struct http_reply reply;
	struct err err = ERR_INIT;

	splitter_reset(l->splitter);
	http_reply_init(&reply);
	buf_clear(next);
	if (office365_call(l->w, &call, &reply, r) == REPLY_OK) {
		if (l->what->date == 0)
			l->what->date = reply.date != INT64_MIN
			    ? reply.date
			    : server_clock_now(l->w->source->clock);
		if (splitter_end(l->splitter, &err) != 0 || flush(l, &err) != 0)
			(void)outcome_set(r, REPLY_RETRY,
			    "the content list can't be used: %s", err.text);
		else
			(void)read_next(l, &reply, next, r);
	}
	http_reply_release(&reply);
	return r->class;
}

/* The same, again and again for a while when it fails. */
static enum reply_class
insist_on_page(struct listing *l, const char *url, struct buf *next,
    struct outcome *r)
{
	const struct source *s = l->w->source;
	int64_t end = clock_monotonic() + PAGE_PATIENCE, pause;
	unsigned try;

	for (try = 0; try < PAGE_TRIES; try++) {
		(void)get_page(l, url, next, r);
		if (r->class != REPLY_RETRY && r->class != REPLY_THROTTLED)
			break;
		pause = backoff(try, PAGE_PAUSE, PAGE_PAUSE_MAX);
		if (pause < r->wait)
			pause = r->wait;
		if (try + 1 == PAGE_TRIES || clock_monotonic() + pause > end)
			break;
		s->trouble(s->ctx, l->st, r);
		if (!s->rest(s->ctx, pause))
			return outcome_set(r, REPLY_STOPPED,
			    "the agent is stopping");
	}
	return r->class;
}

/* From the first page to the last. */
static enum reply_class
get_pages(struct listing *l, const char *first, struct outcome *r)
{
	struct buf url = BUF_INIT(2 * HTTP_HEADERS_MAX);
	struct buf next = BUF_INIT(2 * HTTP_HEADERS_MAX);

	l->n_seen = 0;
	if (buf_adds(&next, first) != 0)
		return outcome_set(r, REPLY_RETRY, "the URL is too long");
	do {
		struct buf swap = url;

		url = next;
		next = swap;
		remember(l, url.data);
		(void)insist_on_page(l, url.data, &next, r);
	} while (r->class == REPLY_OK && next.len > 0 && l->n_seen < PAGES_MAX);
	if (r->class == REPLY_OK && next.len > 0)
		(void)outcome_set(r, REPLY_RETRY,
		    "the content list has more than %d pages", PAGES_MAX);
	buf_release(&url);
	buf_release(&next);
	return r->class;
}

enum reply_class
office365_list(struct worker *w, struct stream *st,
    struct office365_listing *what, struct outcome *r)
{
	static const struct splitter_spec spec = { .id = "contentId",
		.max = ROW_MAX };
	const struct office365 *o = w->source->state;
	struct listing *l = xcalloc(1, sizeof(*l));
	char from[20], to[20];
	char *first;

	o365_time(what->window.from, from);
	o365_time(what->window.to, to);
	first = xasprintf("%s/subscriptions/content?contentType=%s"
			  "&startTime=%s&endTime=%s&PublisherIdentifier=%s",
	    o->root, st->name, from, to, office365_publisher(o->conf));
	l->w = w;
	l->st = st;
	l->what = what;
	l->piece = write_batch_new(st->feed);
	l->splitter = splitter_new(&spec, take_row, l);
	l->digest = digest_new();
	for (int i = 0; i <= RESTARTS_MAX; i++)
		if (get_pages(l, first, r) != REPLY_CURSOR)
			break;
	digest_free(l->digest);
	splitter_free(l->splitter);
	write_batch_free(l->piece);
	free(l->seen);
	free(l);
	free(first);
	return r->class;
}
