/*
 * request.c - a definition's request with its values.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/template.h"
#include "sources/common/pages.h"
#include "sources/rest/decode.h"
#include "sources/rest/rest_private.h"

#define URL_MAX ((size_t)2 * HTTP_HEADERS_MAX)
#define TEXT_MAX PAGES_LINK_MAX

static bool
is(const struct template_place *p, const char *name)
{
	return strlen(name) == p->name.len &&
	    memcmp(name, p->name.data, p->name.len) == 0;
}

/* The instant that stands for the left edge: one before it, where the vendor
 * leaves out what is at the edge itself. */
static int64_t
left_edge(const struct rest_values *v)
{
	const struct def_cursor *c = &v->def->cursor;

	return v->window->from -
	    (c->start == BOUND_EXCLUSIVE ? c->granularity : 0);
}

/* template_fn */
static int
value(void *ctx, const struct template_place *p, struct buf *out)
{
	const struct rest_values *v = ctx;
	const struct rest_conf *c = v->rest->conf;
	const struct definition *d = v->rest->def;
	size_t i = definition_variable(d, p->name);
	const char *text;

	if (i < d->n_variables) {
		text = rest_variable(c, i);
		return text != NULL ? buf_adds(out, text) : 0;
	}
	if (is(p, "page"))
		return buf_adds(out, v->page);
	if (is(p, "fetch.id") || is(p, "fetch.ids"))
		return v->ids != NULL ? buf_adds(out, v->ids) : -1;
	if (is(p, "job.id"))
		return v->job != NULL ? buf_adds(out, v->job) : -1;
	if (is(p, "iterator"))
		return v->iterator != NULL ? buf_adds(out, v->iterator) : -1;
	if (is(p, "start"))
		return when_write(when_by_name(p->format), v->start, out);
	if (v->window == NULL)
		return -1;
	return when_write(when_by_name(p->format),
	    is(p, "window.start") ? left_edge(v) : v->window->to, out);
}

/* Append the pairs, their values filled, as a query. */
static int
add_query(const struct rest_values *v, const struct http_pair *query,
    struct buf *url)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	int rc = 0;

	for (; rc == 0 && query != NULL && query->name != NULL; query++) {
		buf_clear(&text);
		rc = template_fill(query->value, TEMPLATE_PLAIN, value,
		    (void *)(uintptr_t)v, &text);
		if (rc == 0) {
			const struct http_pair one[] = {
				{ query->name, text.data }, { NULL, NULL }
			};

			rc = request_query(url, one);
		}
	}
	buf_release(&text);
	return rc;
}

/* The parameter that says which page. */
static int
add_page(const struct rest_values *v, struct buf *url)
{
	const struct def_page *page = &v->def->page;
	struct buf first = BUF_INIT(32);
	struct http_pair one[] = { { page->to, v->page }, { NULL, NULL } };
	int rc = 0;

	if (page->to == NULL)
		return 0;
	if (*v->page == '\0' && page->kind == PAGE_INDEX)
		return 0;
	if (*v->page == '\0' && page->kind == PAGE_NUMBER)
		rc = buf_addf(&first, "%" PRId64, page->first);
	else if (*v->page == '\0' && page->kind == PAGE_OFFSET)
		rc = buf_adds(&first, "0");
	if (first.len > 0)
		one[0].value = first.data;
	if (rc == 0 && *one[0].value != '\0')
		rc = request_query(url, one);
	buf_release(&first);
	return rc;
}

static int
add_headers(const struct rest_values *v, const struct http_pair *headers,
    struct rest_request *out)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	size_t n = 0;
	int rc = 0;

	while (headers != NULL && headers[n].name != NULL)
		n++;
	out->headers = xcalloc(n + 1, sizeof(*out->headers));
	for (size_t i = 0; rc == 0 && i < n; i++) {
		buf_clear(&text);
		rc = template_fill(headers[i].value, TEMPLATE_PLAIN, value,
		    (void *)(uintptr_t)v, &text);
		out->headers[i] =
		    (struct http_pair){ headers[i].name, xstrdup(text.data) };
	}
	buf_release(&text);
	return rc;
}

/* Does the page before lead on with a URL? */
static bool
is_url(const struct def_page *page)
{
	return page->kind == PAGE_LINK || page->kind == PAGE_URL ||
	    page->kind == PAGE_URL_HEADER;
}

static int
make_url(const struct rest_values *v, const struct def_request *r,
    struct buf *url)
{
	const struct definition *d = v->rest->def;
	size_t host =
	    definition_host(d, (struct slice){ r->host, strlen(r->host) });
	struct buf path = BUF_INIT(URL_MAX);
	const bool own = strcmp(r->host, v->def->request.host) == 0;
	const char *base = own ? v->base : NULL;
	int rc;

	rc = template_fill(r->path, TEMPLATE_URL, value, (void *)(uintptr_t)v,
	    &path);
	if (rc == 0)
		rc = request_url(url, base != NULL ? base : v->rest->base[host],
		    path.data, NULL);
	buf_release(&path);
	return rc == 0 ? add_query(v, r->query, url) : rc;
}

/* JSON text that the ids of a batch are part of has their quotes. */
static enum template_encoding
encoding_of(const struct rest_values *v, const struct def_request *r)
{
	if (strstr(r->type, "json") == NULL)
		return TEMPLATE_URL;
	return v->ids != NULL && v->def->fetch.max > 1 ? TEMPLATE_PLAIN
						       : TEMPLATE_JSON;
}

int
rest_request_of(const struct rest_values *v, const struct def_request *r,
    const struct def_records *records, struct rest_request *out)
{
	static const char *const methods[] = { "GET", "POST" };

	if (out->url.data == NULL)
		buf_init(&out->url, URL_MAX);
	buf_init(&out->body, TEXT_MAX);
	if ((out->url.len == 0 && make_url(v, r, &out->url) != 0) ||
	    add_headers(v, r->headers, out) != 0 ||
	    (r->body != NULL &&
		template_fill(r->body, encoding_of(v, r), value,
		    (void *)(uintptr_t)v, &out->body) != 0))
		return -1;
	out->q = (struct request){ .url = out->url.data,
		.method = methods[r->method],
		.headers = out->headers,
		.body = r->body != NULL         ? out->body.data
		    : r->method == 1 /* POST */ ? ""
						: NULL,
		.type = r->type,
		.objects = v->def->arrays != NULL };
	if (records != NULL) {
		out->q.objects = records->format != RECORDS_JSON ||
		    records->at[0][0] != '\0' || records->at[1] != NULL ||
		    v->ids != NULL;
		out->q.any = records->format == RECORDS_CSV;
		out->q.no_content = true;
	}
	return 0;
}

int
rest_request_make(const struct rest_values *v, struct rest_request *out)
{
	const struct def_request *r = v->ask != NULL        ? v->ask
	    : *v->page != '\0' && v->def->next.path != NULL ? &v->def->next
							    : &v->def->request;
	const bool link = is_url(&v->def->page) && *v->page != '\0';

	*out = (struct rest_request){ .headers = NULL };
	buf_init(&out->url, URL_MAX);
	if (link
		? buf_adds(&out->url, v->page) != 0
		: make_url(v, r, &out->url) != 0 || add_page(v, &out->url) != 0)
		return -1;
	if (rest_request_of(v, r, &v->def->records, out) != 0)
		return -1;
	if (link)
		out->q.what = "the link to the next page";
	return 0;
}

void
rest_request_release(struct rest_request *q)
{
	for (struct http_pair *h = q->headers; h != NULL && h->name != NULL;
	     h++)
		free((void *)(uintptr_t)h->value);
	free(q->headers);
	buf_release(&q->url);
	buf_release(&q->body);
}
