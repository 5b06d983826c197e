/*
 * vendor.c - a vendor's API after a script.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/when.h"
#include "sources/common/request.h"
#include "tests/lib/vendor.h"

#define TEXT_MAX (16 << 20)
#define ACCESS_TOKEN "granted-7f3a"

struct event {
	int64_t when;
	char *text;
};

struct vendor {
	struct MHD_Daemon *daemon;
	struct node *script;
	pthread_mutex_t lock;
	char url[64];
	bool newest, token;
	size_t per;
	enum when_format format;
	struct event *events;
	size_t n;
	unsigned generation; /* of page tokens that are good */
	unsigned requests;
	char *complaint;
	enum vendor_fault fault;
	unsigned after, count;
};

/* A request under way. */
struct asked {
	struct vendor *v;
	struct MHD_Connection *conn;
	const char *method;
	const char *path;
	struct buf body;
	/* What its places say. */
	char *start, *end, *page, *number;
	size_t known; /* parameters of its query that are right */
};

static void
die(const char *why)
{
	(void)fprintf(stderr, "vendor: %s\n", why);
	abort();
}

static const char *
text_of(const struct node *map, const char *path, const char *otherwise)
{
	const struct node *n = node_find(map, path);

	return n != NULL && n->text != NULL ? n->text : otherwise;
}

/* Keep what was wrong first. */
static void
complain(struct vendor *v, const char *what, const char *got)
{
	if (v->complaint == NULL)
		v->complaint =
		    xasprintf("request %u: %s: %s", v->requests, what, got);
}

/* -- texts with places ----------------------------------------------------- */

/* Append text with each "<name>" replaced; ended by a NULL name. */
struct place {
	const char *name;
	const char *value;
};

static void
put(struct buf *out, const char *text, const struct place *places)
{
	while (*text != '\0') {
		const struct place *p = places;
		size_t len = 0;

		for (; p->name != NULL; p++) {
			len = strlen(p->name);
			if (strncmp(text, p->name, len) == 0)
				break;
		}
		if (p->name != NULL ? buf_adds(out, p->value) != 0
				    : buf_add(out, text, 1) != 0)
			die("out of memory");
		text += p->name != NULL ? len : 1;
	}
}

/* Does got look like the pattern?  What is in its places goes into a. */
static bool
match(struct asked *a, const char *pattern, const char *got)
{
	while (*pattern != '\0') {
		char **to = strncmp(pattern, "<start>", 7) == 0 ? &a->start
		    : strncmp(pattern, "<end>", 5) == 0         ? &a->end
		    : strncmp(pattern, "<page>", 6) == 0        ? &a->page
		    : strncmp(pattern, "<number>", 8) == 0      ? &a->number
								: NULL;
		size_t len;

		if (to == NULL && *pattern++ != *got++)
			return false;
		if (to == NULL)
			continue;
		pattern = strchr(pattern, '>') + 1;
		len = strcspn(pattern, "<");
		for (const char *stop = got;; stop++) {
			if (len > 0 ? strncmp(stop, pattern, len) == 0
				    : *stop == '\0') {
				free(*to);
				*to = xstrndup(got, (size_t)(stop - got));
				got = stop;
				break;
			}
			if (*stop == '\0')
				return false;
		}
	}
	return *got == '\0';
}

static void
forget(struct asked *a)
{
	free(a->start);
	free(a->end);
	free(a->page);
	free(a->number);
	a->start = a->end = a->page = a->number = NULL;
}

/* -- is the request as it must be? ----------------------------------------- */

static enum MHD_Result
count_one(void *cls, enum MHD_ValueKind kind, const char *key,
    const char *value)
{
	(void)kind;
	(void)key;
	(void)value;
	++*(size_t *)cls;
	return MHD_YES;
}

static bool
fits(struct asked *a, const struct node *how)
{
	const struct node *query = node_get(how, "query");
	size_t given = 0, wanted = 0;

	forget(a);
	(void)MHD_get_connection_values(a->conn, MHD_GET_ARGUMENT_KIND,
	    count_one, &given);
	for (const struct node *q = query != NULL ? query->child : NULL;
	     q != NULL; q = q->next, wanted++) {
		const char *got = MHD_lookup_connection_value(a->conn,
		    MHD_GET_ARGUMENT_KIND, q->key);

		if (got == NULL || !match(a, q->text, got))
			return false;
	}
	return given == wanted &&
	    match(a, text_of(how, "body", ""),
		a->body.len > 0 ? a->body.data : "");
}

static void
check_headers(struct asked *a)
{
	const struct node *h = node_find(a->v->script, "request.headers");

	for (h = h != NULL ? h->child : NULL; h != NULL; h = h->next) {
		const char *got = MHD_lookup_connection_value(a->conn,
		    MHD_HEADER_KIND, h->key);

		if (got == NULL || strcmp(got, h->text) != 0)
			complain(a->v, h->key, got != NULL ? got : "missing");
	}
}

static bool
is_right(struct asked *a)
{
	const struct node *script = a->v->script;
	const struct node *first = node_get(script, "request");
	const struct node *next = node_get(script, "next");
	const unsigned complaints = a->v->complaint != NULL;

	if (strcmp(a->method, text_of(first, "method", "GET")) != 0)
		complain(a->v, "method", a->method);
	if (strcmp(a->path, text_of(first, "path", "")) != 0)
		complain(a->v, "path", a->path);
	check_headers(a);
	if (!(next != NULL && fits(a, next)) && !fits(a, first))
		complain(a->v, "query or body",
		    a->body.len > 0 ? a->body.data : a->path);
	return complaints == (a->v->complaint != NULL);
}

/* -- what it has ----------------------------------------------------------- */

static int
by_time(const void *a, const void *b)
{
	const struct event *const *x = a, *const *y = b;

	return (*x)->when < (*y)->when ? -1 : (*x)->when > (*y)->when;
}

/* The time in a request's place; its format is in the script's. */
static int64_t
time_in(const struct vendor *v, const char *text, const char *format,
    int64_t otherwise)
{
	const char *name = text_of(v->script, format, "rfc3339");
	int64_t when;

	if (text == NULL)
		return otherwise;
	if (when_read(when_by_name((struct slice){ name, strlen(name) }),
		(struct slice){ text, strlen(text) }, &when) != 0)
		return INT64_MIN;
	return when;
}

/* The events that a request is about, in the order in which they are told. */
static struct event **
choose(struct vendor *v, int64_t from, int64_t to, size_t *n)
{
	struct event **list = xcalloc(v->n + 1, sizeof(struct event *));
	const int64_t in =
	    strcmp(text_of(v->script, "exclusive", ""), "true") == 0;

	*n = 0;
	for (size_t i = 0; i < v->n; i++)
		if (v->events[i].when >= from + in &&
		    v->events[i].when <= to - in)
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

/* A page token: what it is about, and where it goes on. */
struct position {
	unsigned generation;
	int64_t from, to;
	size_t at;
};

static bool
is_kind(const struct vendor *v, const char *kind)
{
	return strcmp(text_of(v->script, "pages", "token"), kind) == 0;
}

/* Behind the last row of that id. */
static size_t
behind(struct event **list, size_t n, const char *id)
{
	char *text = xasprintf("\"id\":\"%s\"", id);

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
		.from = time_in(v, a->start, "start", INT64_MIN),
		.to = time_in(v, a->end, "start", INT64_MAX) };
	if (is_kind(v, "number") && a->number != NULL)
		p->at = (strtoul(a->number, NULL, 10) - 1) * v->per;
	if (is_kind(v, "offset") && a->number != NULL)
		p->at = strtoul(a->number, NULL, 10);
	return p->from != INT64_MIN || a->start == NULL;
}

/* -- answers --------------------------------------------------------------- */

static int
answer(struct asked *a, unsigned status, const struct node *headers,
    const char *body, size_t len, const struct place *places)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len,
	    (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	int rc;

	if (r == NULL)
		die("out of memory");
	(void)MHD_add_response_header(r, "Content-Type", "application/json");
	for (headers = headers != NULL ? headers->child : NULL; headers != NULL;
	     headers = headers->next) {
		struct buf value = BUF_INIT(65536);

		put(&value, headers->text, places);
		(void)MHD_add_response_header(r, headers->key, value.data);
		buf_release(&value);
	}
	rc = (int)MHD_queue_response(a->conn, status, r);
	MHD_destroy_response(r);
	return rc;
}

/* An error as the script has it. */
static int
answer_error(struct asked *a, const char *name, unsigned otherwise)
{
	const struct node *e = node_get(a->v->script, name);
	const char *body = text_of(e, "body", "{}");
	char reset[24];
	struct place places[] = { { "<reset>", reset }, { NULL, NULL } };

	(void)snprintf(reset, sizeof(reset), "%" PRId64,
	    clock_now() / CLOCK_SECOND + 1);
	return answer(a,
	    (unsigned)strtoul(text_of(e, "status", "0"), NULL, 10) != 0
		? (unsigned)strtoul(text_of(e, "status", "0"), NULL, 10)
		: otherwise,
	    node_get(e, "headers"), body, strlen(body), places);
}

/* The URL of the next page, as the script asks for it. */
static void
put_url(const struct vendor *v, const char *page, bool foreign, struct buf *url)
{
	const struct node *query = node_find(v->script, "next.query");
	const struct place places[] = { { "<page>", page }, { NULL, NULL } };

	if (buf_adds(url, foreign ? "https://evil.example.com" : v->url) != 0 ||
	    buf_adds(url, text_of(v->script, "request.path", "")) != 0)
		die("out of memory");
	for (query = query != NULL ? query->child : NULL; query != NULL;
	     query = query->next) {
		struct buf value = BUF_INIT(65536);
		struct http_pair one[] = { { query->key, NULL },
			{ NULL, NULL } };

		put(&value, query->text, places);
		one[0].value = value.data;
		if (request_query(url, one) != 0)
			die("out of memory");
		buf_release(&value);
	}
}

static int
answer_page(struct asked *a, enum vendor_fault fault)
{
	struct vendor *v = a->v;
	struct buf rows = BUF_INIT(TEXT_MAX), url = BUF_INIT(65536),
		   body = BUF_INIT(TEXT_MAX);
	struct position p;
	struct event **list;
	char page[100];
	bool more;
	size_t n;
	int rc;

	if (!read_position(a, &p)) {
		complain(v, "a time or token", a->page != NULL ? a->page : "");
		return answer_error(a, "lost", 400);
	}
	if (p.generation != v->generation)
		return answer_error(a, "lost", 400);
	list = choose(v, p.from, p.to, &n);
	if (is_kind(v, "last_id") && a->page != NULL)
		p.at = behind(list, n, a->page);
	for (size_t i = 0; i < v->per && p.at < n; i++, p.at++)
		if (buf_addf(&rows, "%s%s", i > 0 ? "," : "",
			list[p.at]->text) != 0)
			die("out of memory");
	free(list);
	more = p.at < n;
	(void)snprintf(page, sizeof(page), "p%u.%" PRId64 ".%" PRId64 ".%zu",
	    p.generation, p.from, p.to, p.at);
	put_url(v, page, fault == VENDOR_FOREIGN, &url);
	{
		const struct place places[] = {
			{ "<rows>", rows.len > 0 ? rows.data : "" },
			{ "<next>", page },
			{ "<url>", url.data },
			{ "<more>", more ? "true" : "false" },
			{ NULL, NULL },
		};
		const bool last = !more && !v->token;

		put(&body,
		    text_of(v->script, last ? "last" : "reply", "[<rows>]"),
		    places);
		rc = answer(a, 200,
		    last ? NULL : node_get(v->script, "headers"), body.data,
		    fault == VENDOR_BROKEN ? body.len / 2 : body.len, places);
	}
	buf_release(&rows);
	buf_release(&url);
	buf_release(&body);
	return rc;
}

static enum vendor_fault
roll(struct vendor *v)
{
	if (v->fault == VENDOR_NONE || v->count == 0)
		return VENDOR_NONE;
	if (v->after > 0) {
		v->after--;
		return VENDOR_NONE;
	}
	v->count--;
	return v->fault;
}

static int
respond(struct asked *a)
{
	static const char page[] = "<!DOCTYPE html><title>Sign in</title>";
	static const char token[] =
	    "{\"access_token\":\"" ACCESS_TOKEN "\",\"expires_in\":\"3599\"}";
	struct vendor *v = a->v;
	enum vendor_fault fault;

	if (strcmp(a->path, text_of(v->script, "token", "-")) == 0)
		return answer(a, 200, NULL, token, strlen(token), NULL);
	v->requests++;
	fault = roll(v);
	if (!is_right(a))
		return answer_error(a, "-", 599);
	switch (fault) {
	case VENDOR_THROTTLED:
		return answer_error(a, "throttled", 429);
	case VENDOR_FAILED:
		return answer_error(a, "failed", 500);
	case VENDOR_DENIED:
		return answer_error(a, "denied", 401);
	case VENDOR_LOST:
		v->generation++;
		break;
	case VENDOR_PAGE:
		return answer(a, 200, NULL, page, strlen(page), NULL);
	default:
		break;
	}
	return answer_page(a, fault);
}

static enum MHD_Result
handle(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **con_cls)
{
	struct asked *a = *con_cls;
	int rc;

	(void)version;
	if (a == NULL) {
		a = xcalloc(1, sizeof(*a));
		a->v = cls;
		buf_init(&a->body, 1 << 20);
		*con_cls = a;
		return MHD_YES;
	}
	if (*upload_size > 0) {
		if (buf_add(&a->body, upload, *upload_size) != 0)
			return MHD_NO;
		*upload_size = 0;
		return MHD_YES;
	}
	a->conn = conn;
	a->method = method;
	a->path = url;
	(void)pthread_mutex_lock(&a->v->lock);
	rc = respond(a);
	(void)pthread_mutex_unlock(&a->v->lock);
	return (enum MHD_Result)rc;
}

static void
completed(void *cls, struct MHD_Connection *conn, void **con_cls,
    enum MHD_RequestTerminationCode why)
{
	struct asked *a = *con_cls;

	(void)cls;
	(void)conn;
	(void)why;
	if (a == NULL)
		return;
	forget(a);
	buf_release(&a->body);
	free(a);
	*con_cls = NULL;
}

static void
listen_on(struct vendor *v, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const union MHD_DaemonInfo *info;

	v->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL,
	    NULL, handle, v, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at,
	    MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
	if (v->daemon == NULL)
		die("can't listen");
	info = MHD_get_daemon_info(v->daemon, MHD_DAEMON_INFO_BIND_PORT);
	(void)snprintf(v->url, sizeof(v->url), "http://127.0.0.1:%d",
	    (int)info->port);
}

struct vendor *
vendor_start(const char *script, int port)
{
	struct vendor *v = xcalloc(1, sizeof(*v));
	struct buf text = BUF_INIT(65536);
	struct err err = ERR_INIT;
	const char *format;

	if (file_read(script, &text, &err) != 0)
		die(err.text);
	v->script = yaml_parse(script, text.data, text.len, &err);
	if (v->script == NULL)
		die(err.text);
	buf_release(&text);
	(void)pthread_mutex_init(&v->lock, NULL);
	v->token = strcmp(text_of(v->script, "cursor", ""), "token") == 0;
	v->newest = strcmp(text_of(v->script, "order", ""), "newest") == 0;
	v->per = strtoul(text_of(v->script, "per", "3"), NULL, 10);
	format = text_of(v->script, "time", "rfc3339");
	v->format = when_by_name((struct slice){ format, strlen(format) });
	listen_on(v, port);
	return v;
}

void
vendor_stop(struct vendor *v)
{
	MHD_stop_daemon(v->daemon);
	for (size_t i = 0; i < v->n; i++)
		free(v->events[i].text);
	free(v->events);
	free(v->complaint);
	node_free(v->script);
	(void)pthread_mutex_destroy(&v->lock);
	free(v);
}

const char *
vendor_url(const struct vendor *v)
{
	return v->url;
}

const struct node *
vendor_script(const struct vendor *v)
{
	return v->script;
}

void
vendor_add(struct vendor *v, const char *id, int64_t when, unsigned n)
{
	struct buf text = BUF_INIT(65536), time = BUF_INIT(64);
	char number[16];
	const struct place places[] = { { "<id>", id }, { "<time>", NULL },
		{ "<n>", number }, { NULL, NULL } };
	struct place full[4];

	(void)snprintf(number, sizeof(number), "%u", n);
	if (when_write(v->format, when, &time) != 0)
		die("out of memory");
	memcpy(full, places, sizeof(full));
	full[1].value = time.data;
	put(&text, text_of(v->script, "row", ""), full);
	(void)pthread_mutex_lock(&v->lock);
	v->events = xreallocarray(v->events, v->n + 1, sizeof(*v->events));
	v->events[v->n++] =
	    (struct event){ .when = when, .text = buf_take(&text, NULL) };
	(void)pthread_mutex_unlock(&v->lock);
	buf_release(&time);
}

size_t
vendor_count(struct vendor *v)
{
	size_t n;

	(void)pthread_mutex_lock(&v->lock);
	n = v->n;
	(void)pthread_mutex_unlock(&v->lock);
	return n;
}

const char *
vendor_event(struct vendor *v, size_t i)
{
	const char *text;

	(void)pthread_mutex_lock(&v->lock);
	text = v->events[i].text;
	(void)pthread_mutex_unlock(&v->lock);
	return text;
}

void
vendor_fail(struct vendor *v, enum vendor_fault fault, unsigned after,
    unsigned count)
{
	(void)pthread_mutex_lock(&v->lock);
	v->fault = fault;
	v->after = after;
	v->count = count;
	(void)pthread_mutex_unlock(&v->lock);
}

unsigned
vendor_requests(struct vendor *v)
{
	unsigned n;

	(void)pthread_mutex_lock(&v->lock);
	n = v->requests;
	(void)pthread_mutex_unlock(&v->lock);
	return n;
}

const char *
vendor_complaint(struct vendor *v)
{
	const char *text;

	(void)pthread_mutex_lock(&v->lock);
	text = v->complaint;
	(void)pthread_mutex_unlock(&v->lock);
	return text;
}
