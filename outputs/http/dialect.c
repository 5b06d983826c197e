/*
 * dialect.c - requests and verdicts between a dialect and the transport.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/event_shape.h"
#include "delivery/chunk.h"
#include "delivery/member.h"
#include "outputs/http/dialect.h"
#include "outputs/http/headers.h"
#include "store/line.h"

/* Longest URL; servers take 8 KiB. */
#define URL_MAX 8192

#define WHY_MAX 512

int
intake_request_begin(struct intake_request *r, const char *url)
{
	r->method = "POST";
	r->chunk = NULL;
	r->from = 0;
	r->to = 0;
	r->lines = 0;
	r->failed = false;
	r->plain = false;
	http_head_free(r->headers);
	r->headers = NULL;
	if (r->url.ceiling == 0)
		buf_init(&r->url, URL_MAX);
	buf_clear(&r->url);
	return buf_adds(&r->url, url);
}

void
intake_request_release(struct intake_request *r)
{
	http_head_free(r->headers);
	buf_release(&r->url);
	buf_release(&r->body);
}

/* Where the path begins, and where it ends without the slashes at its end. */
static size_t
path_begin(const char *url)
{
	const char *host = strstr(url, "://");

	host = host == NULL ? url : host + strlen("://");
	return (size_t)(host - url) + strcspn(host, "/?");
}

static size_t
path_end(const char *url)
{
	size_t begin = path_begin(url), n = strcspn(url, "?");

	while (n > begin && url[n - 1] == '/')
		n--;
	return n;
}

static size_t
path_len(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return n;
}

static bool
has_parameter(const char *url, const char *name, size_t len)
{
	const char *at = strchr(url, '?');

	while (at != NULL &&
	    (strncmp(at + 1, name, len) != 0 ||
		strchr("=&", at[1 + len]) == NULL))
		at = strchr(at + 1, '&');
	return at != NULL;
}

/* Append what query has and url has not. */
static int
add_query(struct buf *url, const char *query)
{
	int rc = 0;

	while (rc == 0 && *query != '\0') {
		size_t len = strcspn(query, "&");

		if (!has_parameter(url->data, query, strcspn(query, "=&")))
			rc = buf_addf(url, "%c%.*s",
			    strchr(url->data, '?') == NULL ? '?' : '&',
			    (int)len, query);
		query += len + (query[len] == '&');
	}
	return rc;
}

/* Keep so much of the URL in front of its query, and append path to that. */
static int
set_path(struct intake_request *r, size_t keep, const char *path)
{
	struct buf url = BUF_INIT(URL_MAX);
	int rc = buf_add(&url, r->url.data, keep);

	if (rc == 0)
		rc = buf_adds(&url, path);
	if (rc == 0)
		rc = buf_adds(&url, r->url.data + strcspn(r->url.data, "?"));
	buf_release(&r->url);
	r->url = url;
	return rc;
}

bool
intake_ends(const struct intake_request *r, const char *path)
{
	const char *url = r->url.data;
	size_t end = path_end(url), len = path_len(path);

	return end - path_begin(url) >= len &&
	    strncmp(url + end - len, path, len) == 0;
}

void
intake_url(struct intake_request *r, const char *path, const char *query)
{
	/* Anything else could name another host. */
	if (path != NULL && path[0] != '/')
		r->failed = true;
	if (path != NULL &&
	    set_path(r, path_end(r->url.data),
		intake_ends(r, path) ? "" : path) != 0)
		r->failed = true;
	if (query != NULL && add_query(&r->url, query) != 0)
		r->failed = true;
}

void
intake_base(struct intake_request *r, const char *path)
{
	if (intake_ends(r, path) &&
	    set_path(r, path_end(r->url.data) - path_len(path), "") != 0)
		r->failed = true;
}

void
intake_header(struct intake_request *r, const char *name, const char *value)
{
	if (http_head_add(&r->headers, name, value) != 0)
		r->failed = true;
}

struct slice
intake_id(struct intake *in, const struct chunk_line *line)
{
	if (line->checkpoint)
		return (struct slice){ .data = NULL };
	return member_text(in->members, line->shape->id, line->value,
	    line->len);
}

struct slice
intake_plain_id(struct intake *in, const struct chunk_line *line)
{
	const struct slice none = { NULL, 0 }, id = intake_id(in, line);
	json_t *value;
	int rc;

	if (id.len == 0 || !text_is_utf8(id))
		return none;
	if (memchr(id.data, '\\', id.len) == NULL)
		return id;
	buf_clear(&in->id);
	if (buf_addf(&in->id, "\"%.*s\"", (int)id.len, id.data) != 0)
		return none;
	value = json_loadb(in->id.data, in->id.len, JSON_DECODE_ANY, NULL);
	buf_clear(&in->id);
	rc = value == NULL ? -1
			   : buf_add(&in->id, json_string_value(value),
				 json_string_length(value));
	json_decref(value);
	return rc == 0 ? (struct slice){ in->id.data, in->id.len } : none;
}

struct slice
intake_text(struct intake *in, const struct chunk_line *line)
{
	const struct line_name name = { in->out->agent, line->feed, line->via };

	if (!line->checkpoint)
		return (struct slice){ line->value, line->len };
	buf_clear(&in->text);
	if (line_add(&in->text, LINE_CHECKPOINT, name, line->number,
		line->value, line->len) != 0)
		abort(); /* the store has it as such a line */
	return (struct slice){ in->text.data, in->text.len - 1 };
}

bool
intake_answer_header(const struct intake_response *r, const char *name,
    char *out, size_t size)
{
	return http_head_find(r->headers, name, out, size);
}

void
intake_verdicts_init(struct intake_verdicts *v, size_t lines)
{
	*v = (struct intake_verdicts){ .lines = lines };
}

void
intake_verdicts_release(struct intake_verdicts *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->list[i].why);
	free(v->list);
	intake_verdicts_init(v, 0);
}

/* A new range up to to; NULL where that is no line further. */
static struct intake_range *
add_range(struct intake_verdicts *v, size_t to, enum verdict verdict)
{
	size_t from = v->n == 0 ? 0 : v->list[v->n - 1].to;

	if (to > v->lines)
		to = v->lines;
	/* One verdict on no lines: of a probe. */
	if (to <= from && (v->lines > 0 || v->n > 0))
		return NULL;
	v->list = xreallocarray(v->list, v->n + 1, sizeof(*v->list));
	v->list[v->n] = (struct intake_range){ .to = to, .verdict = verdict };
	return &v->list[v->n++];
}

void
intake_verdict(struct intake_verdicts *v, size_t to, enum verdict verdict,
    const char *why, ...)
{
	struct intake_range *r = add_range(v, to, verdict);
	struct buf clean = BUF_INIT(WHY_MAX - 1);
	char text[WHY_MAX];
	va_list ap;

	if (r == NULL || verdict == VERDICT_DELIVERED)
		return;
	va_start(ap, why);
	(void)vsnprintf(text, sizeof(text), why, ap);
	va_end(ap);
	/* Any bytes of an answer may be in it. */
	(void)text_printable(&clean, text, strlen(text));
	r->why = buf_take(&clean, NULL);
}

void
intake_again(struct intake_verdicts *v)
{
	v->again = true;
}

void
intake_pending(struct intake_verdicts *v, size_t to, uint64_t number)
{
	struct intake_range *r = add_range(v, to, VERDICT_DELIVERED);

	if (r == NULL)
		return;
	r->pending = true;
	r->number = number;
}
