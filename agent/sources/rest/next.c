/*
 * next.c - what a page says of the next one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/splitter.h"
#include "sources/common/pages.h"
#include "sources/rest/pick.h"
#include "sources/rest/rest_private.h"

/* Is there a parameter rel of that relation between s and end, quoted or not,
 * maybe among others? */
static bool
has_rel(const char *s, const char *end, const char *rel)
{
	const size_t len = strlen(rel);

	for (; s < end; s++) {
		const char *stop;

		if (*s != ';')
			continue;
		s++;
		while (s < end && (*s == ' ' || *s == '\t'))
			s++;
		if (end - s < 3 || strncasecmp(s, "rel", 3) != 0)
			continue;
		s += 3;
		while (s < end && (*s == ' ' || *s == '\t'))
			s++;
		if (s == end || *s != '=')
			continue;
		s++;
		while (s < end && (*s == ' ' || *s == '\t'))
			s++;
		stop = s + (s < end && *s == '"');
		while (stop < end && *stop != '"' && *stop != ';')
			stop++;
		for (; s < stop; s++)
			if ((size_t)(stop - s) >= len &&
			    strncasecmp(s, rel, len) == 0 &&
			    (s + len == stop || s[len] == ' ' ||
				s[len] == '\t') &&
			    strchr("=\" ", s[-1]) != NULL)
				return true;
		s--;
	}
	return false;
}

/* The URL with rel=next in one line of Link: <url>; rel="next", <url>; … */
static int
link_in_line(const char *s, size_t len, struct buf *next)
{
	const char *end = s + len;

	while (s < end && (s = memchr(s, '<', (size_t)(end - s))) != NULL) {
		const char *close = memchr(s, '>', (size_t)(end - s));
		const char *stop = close;
		bool quoted = false;

		if (close == NULL)
			return 0;
		/* To the comma in front of the next link. */
		for (; stop < end && (quoted || *stop != ','); stop++)
			quoted ^= *stop == '"';
		if (next->len == 0 && has_rel(close, stop, "next"))
			return buf_add(next, s + 1, (size_t)(close - s) - 1);
		s = stop;
	}
	return 0;
}

/* RFC 8288, of however many lines of headers. */
static int
find_link(const struct buf *headers, struct buf *next)
{
	static const char name[] = "Link:";
	const size_t len = sizeof(name) - 1;
	const char *s = headers->data, *end = s + headers->len;
	int rc = 0;

	while (rc == 0 && s != NULL && s < end) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		const char *stop = nl != NULL ? nl : end;

		while (stop > s && stop[-1] == '\r')
			stop--;
		if ((size_t)(stop - s) > len && strncasecmp(s, name, len) == 0)
			rc = link_in_line(s + len, (size_t)(stop - s) - len,
			    next);
		s = nl != NULL ? nl + 1 : end;
	}
	return rc;
}

static int
next_link(const struct rest_page *p, struct buf *next)
{
	return find_link(&p->reply->headers, next);
}

static int
next_header(const struct rest_page *p, struct buf *next)
{
	char *value = xmalloc(HTTP_HEADERS_MAX);
	int rc = 0;

	if (http_header(p->reply, p->def->page.from[0], value,
		HTTP_HEADERS_MAX))
		rc = buf_adds(next, value);
	free(value);
	return rc;
}

struct slice
rest_value(const struct rest_page *p, size_t i)
{
	if (p->whole.data != NULL)
		return pick_raw(p->whole, p->def->values[i]);
	return splitter_value(p->splitter, i);
}

/* The elements of an array, with a text in between. */
struct joining {
	const char *glue;
	struct buf *out;
	int rc;
};

/* pick_fn */
static int
join(void *ctx, struct slice key, struct slice value)
{
	struct joining *j = ctx;

	(void)key;
	if (j->out->len > 0)
		j->rc = buf_adds(j->out, j->glue);
	if (j->rc == 0)
		j->rc = pages_token(value, j->out);
	return j->rc;
}

static int
next_token(const struct rest_page *p, struct buf *next)
{
	struct joining j = { .glue = p->def->page.join, .out = next };

	for (size_t i = 0;
	     j.rc == 0 && next->len == 0 && p->def->page.from[i] != NULL; i++) {
		struct slice v = rest_value(p, i);

		if (j.glue != NULL && v.data != NULL && *v.data == '[')
			(void)pick_each(v, join, &j);
		else if (v.data != NULL && strchr("{[", *v.data) != NULL &&
		    p->def->token_json)
			j.rc = buf_add(next, v.data, v.len);
		else
			j.rc = pages_token(v, next);
	}
	return j.rc;
}

/* pick_fn */
static int
count(void *ctx, struct slice key, struct slice value)
{
	(void)ctx;
	(void)key;
	(void)value;
	return 0;
}

/* The first page says how many there are. */
static int
next_index(const struct rest_page *p, struct buf *next)
{
	const struct slice v = rest_value(p, 0);
	const intmax_t now = strtoimax(p->page, NULL, 10);

	if (v.data != NULL && *v.data == '[')
		*p->in_all = pick_each(v, count, NULL);
	else if (v.data != NULL && *v.data >= '0' && *v.data <= '9')
		*p->in_all = (size_t)strtoumax(v.data, NULL, 10);
	return (uintmax_t)now + 1 < *p->in_all ? buf_addf(next, "%jd", now + 1)
					       : 0;
}

/* Pages that are counted end with an empty one, but where it says more. */
static bool
is_last(const struct rest_page *p)
{
	return p->rows == 0 && (p->def->page.more == NULL || !rest_more(p));
}

static int
next_number(const struct rest_page *p, struct buf *next)
{
	const intmax_t now = *p->page != '\0' ? strtoimax(p->page, NULL, 10)
					      : p->def->page.first;

	return is_last(p) ? 0 : buf_addf(next, "%jd", now + 1);
}

static int
next_offset(const struct rest_page *p, struct buf *next)
{
	return p->rows == 0
	    ? 0
	    : buf_addf(next, "%jd",
		  strtoimax(p->page, NULL, 10) + (intmax_t)p->rows);
}

static int
next_last_id(const struct rest_page *p, struct buf *next)
{
	if (p->rows == 0 || p->last_id.data == NULL)
		return 0;
	return buf_add(next, p->last_id.data, p->last_id.len);
}

static int
next_none(const struct rest_page *p, struct buf *next)
{
	(void)p;
	(void)next;
	return 0;
}

static int (*const kinds[])(const struct rest_page *p, struct buf *next) = {
	[PAGE_NONE] = next_none,
	[PAGE_LINK] = next_link,
	[PAGE_URL_HEADER] = next_header,
	[PAGE_URL] = next_token,
	[PAGE_TOKEN] = next_token,
	[PAGE_HEADER] = next_header,
	[PAGE_NUMBER] = next_number,
	[PAGE_OFFSET] = next_offset,
	[PAGE_LAST_ID] = next_last_id,
	[PAGE_INDEX] = next_index,
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == PAGE_KINDS,
    "a kind of page has no row");

/* A reference (RFC 3986 section 4.2) becomes a URL: "/path" and "?query" are
 * what vendors send. */
static int
resolve(const char *base, struct buf *next)
{
	struct buf url = BUF_INIT(PAGES_LINK_MAX);
	struct err err = ERR_INIT;
	int rc = -1;

	if (*next->data == '?')
		rc = buf_add(&url, base, strcspn(base, "?#"));
	else if (*next->data == '/' && next->data[1] != '/')
		rc = http_origin(base, &url, &err);
	else
		return 0; /* absolute, or refused as a foreign one */
	if (rc == 0)
		rc = buf_adds(&url, next->data);
	buf_clear(next);
	if (rc == 0)
		rc = buf_add(next, url.data, url.len);
	buf_release(&url);
	return rc;
}

static int
redirect(const struct api *api, struct buf *next)
{
	struct buf url = BUF_INIT(PAGES_LINK_MAX);
	int rc = request_link(&url, api->own, api->base, next->data);

	buf_clear(next);
	if (rc == 0)
		rc = buf_add(next, url.data, url.len);
	buf_release(&url);
	return rc;
}

enum reply_class
rest_next(const struct rest_page *p, struct buf *next, struct outcome *r)
{
	const struct def_page *page = &p->def->page;
	const int kind = page->kind;
	const bool url =
	    kind == PAGE_LINK || kind == PAGE_URL || kind == PAGE_URL_HEADER;

	(void)outcome_set(r, REPLY_OK, "the page is read");
	if (page->short_is_last && p->rows < (size_t)page->size)
		return r->class;
	if (kinds[kind](p, next) != 0 ||
	    (url && next->len > 0 &&
		(resolve(p->url, next) != 0 || redirect(p->api, next) != 0)))
		return outcome_set(r, REPLY_RETRY,
		    "what leads to the next page is neither text nor a number, "
		    "or too long");
	/* Before it is kept: a cursor of another host would never be good. */
	if (url && next->len > 0)
		(void)request_allowed(p->api, "the link to the next page",
		    next->data, r);
	return r->class;
}

static bool
is_text(struct slice s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

/* The place of a pointer among values. */
static size_t
place_of(const struct rest_page *p, const char *pointer)
{
	size_t i = 0;

	while (strcmp(p->def->values[i], pointer) != 0)
		i++;
	return i;
}

struct slice
rest_value_at(const struct rest_page *p, const char *pointer)
{
	return rest_value(p, place_of(p, pointer));
}

bool
rest_matches(const struct rest_page *p, const struct def_match *m)
{
	struct slice v = rest_value_at(p, m->at);

	if (v.data != NULL && v.len >= 2 && *v.data == '"')
		v = (struct slice){ v.data + 1, v.len - 2 };
	return v.data != NULL && is_text(v, m->is);
}

double
rest_wait(const struct rest_page *p)
{
	const char *at = p->def->page.wait;
	struct slice v = { .data = NULL };
	double seconds = 0;
	char text[32];

	if (at != NULL)
		v = rest_value_at(p, at);
	if (v.data == NULL || v.len >= sizeof(text))
		return 0;
	(void)snprintf(text, sizeof(text), "%.*s", (int)v.len, v.data);
	/* A number, or a text of one. */
	(void)sscanf(*text == '"' ? text + 1 : text, "%lf", &seconds);
	return seconds > 0 ? seconds : 0;
}

bool
rest_more(const struct rest_page *p)
{
	const struct def_page *page = &p->def->page;
	struct slice more;

	if (page->more == NULL)
		return p->rows > 0;
	more = rest_value_at(p, page->more);
	/* true, "true", a count or a text, but not false, null, 0 and "". */
	return more.data != NULL && strchr("fn0", *more.data) == NULL &&
	    !is_text(more, "\"\"") && !is_text(more, "\"false\"");
}
