/*
 * vendor_page.c - what a vendor after a script has, and its answers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/text.h"
#include "base/when.h"
#include "sources/common/request.h"
#include "tests/lib/vendor_private.h"

#define TEXT_MAX (16 << 20)

/* -- what it has ----------------------------------------------------------- */

static int
by_time(const void *a, const void *b)
{
	const struct event *const *x = a, *const *y = b;

	return (*x)->when < (*y)->when ? -1 : (*x)->when > (*y)->when;
}

/* A text of the script with its places filled, NULL: it has none. */
static char *
filled(const struct vendor *v, const char *path, const struct place *places)
{
	const char *text = vendor_text(v->script, path, NULL);
	struct buf out = BUF_INIT(65536);

	if (text == NULL)
		return NULL;
	vendor_put(&out, text, places);
	return buf_take(&out, NULL);
}

/* What a page has of an event instead: what leads to it, its cells, or a row
 * that has its text inside; NULL: the event is the row. */
static char *
row_of(const struct vendor *v, const char *text, const struct place *places)
{
	struct buf quoted = BUF_INIT(65536);
	struct place inside[] = { places[0], { "<text>", NULL },
		{ NULL, NULL } };
	const char *list =
	    node_find(v->script, "fetch.row") != NULL ? "fetch.row" : "cells";
	char *row = filled(v, list, places);

	if (row != NULL)
		return row;
	if (text_json_string(&quoted, text, strlen(text)) != 0)
		vendor_die("out of memory");
	inside[1].value = quoted.data;
	row = filled(v, "inside", inside);
	buf_release(&quoted);
	return row;
}

void
vendor_add_event(struct vendor *v, const char *id, int64_t when, unsigned n)
{
	struct buf time = BUF_INIT(64);
	char number[16], *text;
	struct place places[] = { { "<id>", id }, { "<time>", NULL },
		{ "<n>", number }, { NULL, NULL } };

	(void)snprintf(number, sizeof(number), "%u", n);
	if (when_write(v->format, when, &time) != 0)
		vendor_die("out of memory");
	places[1].value = time.data;
	text = filled(v, "row", places);
	v->events = xreallocarray(v->events, v->n + 1, sizeof(*v->events));
	v->events[v->n++] = (struct event){ .when = when,
		.text = text,
		.row = row_of(v, text, places),
		.key = filled(v, "fetch.key", places),
		.file = filled(v, "fetch.file", places) };
	buf_release(&time);
}

/* The time in a request's place; its format is in the script's. */
int64_t
vendor_time(const struct vendor *v, const char *text, const char *format,
    int64_t otherwise)
{
	const char *name = vendor_text(v->script, format, "rfc3339");
	int64_t when;

	if (text == NULL)
		return otherwise;
	if (when_read(when_by_name((struct slice){ name, strlen(name) }),
		(struct slice){ text, strlen(text) }, &when) != 0)
		return INT64_MIN;
	return when;
}

/* A window that ends with a date has all of that day. */
int64_t
vendor_end(const struct vendor *v, const char *text)
{
	const int64_t end = vendor_time(v, text, "start", INT64_MAX);
	const bool date =
	    strcmp(vendor_text(v->script, "start", ""), "date") == 0;

	return text != NULL && date ? end + CLOCK_DAY - 1 : end;
}

/* What is at a bound that a window leaves out is not in it. */
static int64_t
left_out(const struct vendor *v, const char *bound)
{
	const char *which = vendor_text(v->script, "exclusive", "");

	return strcmp(which, "both") == 0 || strcmp(which, bound) == 0;
}

/* The events that a request is about, in the order in which they are told. */
static struct event **
choose(struct vendor *v, int64_t from, int64_t to, size_t *n)
{
	struct event **list = xcalloc(v->n + 1, sizeof(struct event *));
	const int64_t first = from + left_out(v, "start");
	const int64_t last = to - left_out(v, "end");

	*n = 0;
	for (size_t i = 0; i < v->n; i++)
		if (v->events[i].when >= first && v->events[i].when <= last)
			list[(*n)++] = &v->events[i];
	if (v->token)
		return list;
	qsort(list, *n, sizeof(struct event *), by_time);
	for (size_t i = 0; v->newest && i < *n / 2; i++) {
		struct event *swap = list[i];

		list[i] = list[*n - 1 - i];
		list[*n - 1 - i] = swap;
	}
	return list;
}

static bool
is_kind(const struct vendor *v, const char *kind)
{
	return strcmp(vendor_text(v->script, "pages", "token"), kind) == 0;
}

/* Behind the last row of that id. */
static size_t
behind(struct event **list, size_t n, const char *id)
{
	char *text = xasprintf("id\":\"%s\"", id);

	while (n > 0 && strstr(list[n - 1]->text, text) == NULL)
		n--;
	free(text);
	return n;
}

static bool
read_position(const struct asked *a, struct position *p)
{
	const struct vendor *v = a->v;

	if (a->page != NULL && !is_kind(v, "last_id"))
		return sscanf(a->page, "p%u.%" SCNd64 ".%" SCNd64 ".%zu",
			   &p->generation, &p->from, &p->to, &p->at) == 4;
	*p = (struct position){ .generation = v->generation,
		.from = vendor_time(v, a->start, "start", INT64_MIN),
		.to = vendor_end(v, a->end) };
	if (node_get(v->script, "job") != NULL) {
		char name[24];

		*p = v->job;
		(void)snprintf(name, sizeof(name), "job-%u", v->jobs);
		if (v->jobs == 0 ||
		    (a->job != NULL && strcmp(a->job, name) != 0))
			p->generation = v->generation - 1;
	}
	if (is_kind(v, "number") && a->number != NULL)
		p->at = (strtoul(a->number, NULL, 10) - 1) * v->per;
	if (is_kind(v, "index") && a->number != NULL)
		p->at = strtoul(a->number, NULL, 10) * v->per;
	if (is_kind(v, "offset") && a->number != NULL)
		p->at = strtoul(a->number, NULL, 10);
	return p->from != INT64_MIN || a->start == NULL;
}

/* -- answers --------------------------------------------------------------- */

int
vendor_answer(struct asked *a, unsigned status, const struct node *headers,
    const char *body, size_t len, const struct place *places)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len,
	    (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	int rc;

	if (r == NULL)
		vendor_die("out of memory");
	(void)MHD_add_response_header(r, "Content-Type", "application/json");
	for (headers = headers != NULL ? headers->child : NULL; headers != NULL;
	     headers = headers->next) {
		struct buf value = BUF_INIT(65536);

		vendor_put(&value, headers->text, places);
		(void)MHD_add_response_header(r, headers->key, value.data);
		buf_release(&value);
	}
	rc = (int)MHD_queue_response(a->conn, status, r);
	MHD_destroy_response(r);
	return rc;
}

/* An answer of the script: { status, headers, body }. */
int
vendor_answer_as(struct asked *a, const struct node *e, unsigned otherwise)
{
	const unsigned status =
	    (unsigned)strtoul(vendor_text(e, "status", "0"), NULL, 10);
	struct buf body = BUF_INIT(65536);
	char reset[24], job[24];
	const struct place places[] = { { "<reset>", reset }, { "<job>", job },
		{ NULL, NULL } };
	int rc;

	(void)snprintf(reset, sizeof(reset), "%" PRId64,
	    clock_now() / CLOCK_SECOND + 1);
	(void)snprintf(job, sizeof(job), "job-%u", a->v->jobs);
	vendor_put(&body, vendor_text(e, "body", "{}"), places);
	rc = vendor_answer(a, status != 0 ? status : otherwise,
	    node_get(e, "headers"), body.data, body.len, places);
	buf_release(&body);
	return rc;
}

/* An error as the script has it. */
int
vendor_answer_error(struct asked *a, const char *name, unsigned otherwise)
{
	return vendor_answer_as(a, node_get(a->v->script, name), otherwise);
}

/* The URL of the next page, as the script asks for it. */
static void
put_url(const struct vendor *v, const char *page, bool foreign, struct buf *url)
{
	const struct node *query = node_find(v->script, "next.query");
	const struct place places[] = { { "<page>", page }, { NULL, NULL } };

	if (buf_adds(url, foreign ? "https://evil.example.com" : v->url) != 0 ||
	    buf_adds(url,
		vendor_text(v->script, "next.path",
		    vendor_text(v->script, "request.path", ""))) != 0)
		vendor_die("out of memory");
	for (query = query != NULL ? query->child : NULL; query != NULL;
	     query = query->next) {
		const struct node *q =
		    query->key != NULL ? query : query->child;
		struct buf value = BUF_INIT(65536);
		struct http_pair one[] = { { q->key, NULL }, { NULL, NULL } };

		vendor_put(&value, q->text, places);
		one[0].value = value.data;
		if (request_query(url, one) != 0)
			vendor_die("out of memory");
		buf_release(&value);
	}
}

/* A row comes in where rows are that have been told, and shifts what follows.
 */
static void
shift(struct vendor *v, const struct position *p)
{
	static const unsigned most = 2;
	struct event **list;
	int64_t when;
	char id[32];
	size_t n;

	if (v->manner != VENDOR_SHIFT || p->at == 0 || v->shifts >= most)
		return;
	list = choose(v, p->from, p->to, &n);
	if (n > 0) {
		when = v->token ? clock_now() : list[0]->when;
		(void)snprintf(id, sizeof(id), "shift-%zu", v->n);
		v->shifts++;
		vendor_add_event(v, id, when, 1);
	}
	free(list);
}

/* Append the rows of a page, and go to where the next one begins. */
static void
put_rows(struct asked *a, struct event **list, size_t n, struct position *p,
    struct buf *rows)
{
	const struct vendor *v = a->v;
	const char *between = vendor_text(v->script, "between", ",");
	size_t per = v->per;

	if (v->manner == VENDOR_SHORT && per != SIZE_MAX)
		per = 1 + v->requests % per;
	if (v->manner == VENDOR_EMPTY && v->requests % 2 == 0 && p->at < n)
		per = 0;
	if (v->manner == VENDOR_TWICE && a->further && p->at > 0 && p->at < n)
		p->at--;
	for (size_t i = 0; i < per && p->at < n; i++, p->at++)
		if (buf_adds(rows, i > 0 ? between : "") != 0 ||
		    buf_adds(rows,
			list[p->at]->row != NULL ? list[p->at]->row
						 : list[p->at]->text) != 0)
			vendor_die("out of memory");
}

/* "{},{}", one each page of n rows. */
static void
put_parts(const struct vendor *v, size_t n, struct buf *parts)
{
	for (size_t i = 0; i == 0 || i * v->per < n; i++)
		if (buf_adds(parts, i > 0 ? ",{}" : "{}") != 0)
			vendor_die("out of memory");
}

/* Which of the bodies that a script has for pages. */
static const char *
body_of(const struct asked *a, bool last, bool empty)
{
	const struct node *script = a->v->script;
	const char *reply =
	    vendor_text(script, last ? "last" : "reply", "[<rows>]");

	if (node_get(script, "further") != NULL)
		return vendor_text(script, a->further ? "further" : "reply",
		    reply);
	return last && empty ? vendor_text(script, "empty", reply) : reply;
}

/* The page that ends at p, of a list of n. */
static int
answer_rows(struct asked *a, enum vendor_fault fault, const struct position *p,
    size_t n, const struct buf *rows)
{
	struct vendor *v = a->v;
	struct buf url = BUF_INIT(65536), body = BUF_INIT(TEXT_MAX),
		   parts = BUF_INIT(65536), link = BUF_INIT(65536);
	const bool more = p->at < n, last = !more && !v->token;
	const char *path;
	char page[120];
	int len, rc;

	/* One that has no rows is another token all the same. */
	len = snprintf(page, sizeof(page), "p%u.%" PRId64 ".%" PRId64 ".%zu",
	    p->generation, p->from, p->to, p->at);
	if (v->manner == VENDOR_EMPTY && more)
		(void)snprintf(page + len, sizeof(page) - (size_t)len, ".%u",
		    v->requests);
	put_url(v, page, fault == VENDOR_FOREIGN, &url);
	put_parts(v, n, &parts);
	path = fault == VENDOR_FOREIGN ? url.data : url.data + strlen(v->url);
	if (buf_addf(&link, more ? "\"%s\"" : "null", path) != 0)
		vendor_die("out of memory");
	{
		const struct place places[] = {
			{ "<rows>", rows->len > 0 ? rows->data : "" },
			{ "<next>", page },
			{ "<url>", url.data },
			{ "<path>", path },
			{ "<link>", link.data },
			{ "<parts>", parts.data },
			{ "<more>", more ? "true" : "false" },
			{ NULL, NULL },
		};

		vendor_put(&body, body_of(a, last, rows->len == 0), places);
		rc = vendor_answer(a, 200,
		    last ? NULL : node_get(v->script, "headers"), body.data,
		    fault == VENDOR_BROKEN ? body.len / 2 : body.len, places);
	}
	buf_release(&url);
	buf_release(&body);
	buf_release(&parts);
	buf_release(&link);
	return rc;
}

/* The reader that a request names, NULL: there is none yet. */
static struct reader *
reader_of(struct vendor *v, const char *name)
{
	for (size_t i = 0; i < v->n_readers; i++)
		if (strcmp(v->readers[i].name, name) == 0)
			return &v->readers[i];
	return NULL;
}

/* Where the batch begins that a reader is told, whose place it becomes. */
static struct reader *
read_iterator(struct asked *a, struct position *p)
{
	struct vendor *v = a->v;
	struct reader *r = reader_of(v, a->iterator);

	if (r == NULL && v->n_readers == READERS_MAX)
		vendor_die("too many readers");
	if (r == NULL && !a->further) {
		r = &v->readers[v->n_readers++];
		(void)snprintf(r->name, sizeof(r->name), "%s", a->iterator);
	}
	if (r == NULL) {
		vendor_complain(v, "a reader that never began", a->iterator);
		p->generation = v->generation - 1;
	} else if (a->further) {
		*p = a->again ? r->last : r->next;
	}
	if (r != NULL)
		r->last = *p;
	return r;
}

int
vendor_answer_page(struct asked *a, enum vendor_fault fault)
{
	struct vendor *v = a->v;
	struct buf rows = BUF_INIT(TEXT_MAX);
	struct reader *reader = NULL;
	struct position p;
	struct event **list;
	size_t n;
	int rc;

	if (!read_position(a, &p)) {
		vendor_complain(v, "a time or token",
		    a->page != NULL ? a->page : "");
		return vendor_answer_error(a, "lost", 400);
	}
	if (v->iterates)
		reader = read_iterator(a, &p);
	if (p.generation != v->generation)
		return vendor_answer_error(a, "lost", 400);
	shift(v, &p);
	list = choose(v, p.from, p.to, &n);
	if (is_kind(v, "last_id") && a->page != NULL)
		p.at = behind(list, n, a->page);
	put_rows(a, list, n, &p, &rows);
	free(list);
	if (reader != NULL)
		reader->next = p;
	rc = answer_rows(a, fault, &p, n, &rows);
	buf_release(&rows);
	return rc;
}
