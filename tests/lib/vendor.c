/*
 * vendor.c - a vendor's API after a script.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
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

/* The time in a request's place; its format is in the script's. */
static int64_t
time_in(const struct vendor *v, const char *text, const char *format,
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
static int64_t
end_in(const struct vendor *v, const char *text)
{
	const int64_t end = time_in(v, text, "start", INT64_MAX);
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

/* A page token: what it is about, and where it goes on. */
struct position {
	unsigned generation;
	int64_t from, to;
	size_t at;
};

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
		.from = time_in(v, a->start, "start", INT64_MIN),
		.to = end_in(v, a->end) };
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

/* An error as the script has it. */
static int
answer_error(struct asked *a, const char *name, unsigned otherwise)
{
	const struct node *e = node_get(a->v->script, name);
	const char *body = vendor_text(e, "body", "{}");
	char reset[24];
	struct place places[] = { { "<reset>", reset }, { NULL, NULL } };

	(void)snprintf(reset, sizeof(reset), "%" PRId64,
	    clock_now() / CLOCK_SECOND + 1);
	return answer(a,
	    (unsigned)strtoul(vendor_text(e, "status", "0"), NULL, 10) != 0
		? (unsigned)strtoul(vendor_text(e, "status", "0"), NULL, 10)
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
		vendor_complain(v, "a time or token",
		    a->page != NULL ? a->page : "");
		return answer_error(a, "lost", 400);
	}
	if (p.generation != v->generation)
		return answer_error(a, "lost", 400);
	list = choose(v, p.from, p.to, &n);
	if (is_kind(v, "last_id") && a->page != NULL)
		p.at = behind(list, n, a->page);
	for (size_t i = 0; i < v->per && p.at < n; i++, p.at++)
		if (buf_addf(&rows, "%s%s", i > 0 ? "," : "",
			list[p.at]->row != NULL ? list[p.at]->row
						: list[p.at]->text) != 0)
			vendor_die("out of memory");
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
			{ "<path>",
			    fault == VENDOR_FOREIGN
				? url.data
				: url.data + strlen(v->url) },
			{ "<more>", more ? "true" : "false" },
			{ NULL, NULL },
		};
		const bool last = !more && !v->token;
		const char *reply =
		    vendor_text(v->script, last ? "last" : "reply", "[<rows>]");

		if (last && rows.len == 0)
			reply = vendor_text(v->script, "empty", reply);
		vendor_put(&body, reply, places);
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

/* Grant an access token. */
static int
grant(struct asked *a)
{
	static const char otherwise[] =
	    "{\"access_token\":\"<token>\",\"token_type\":\"Bearer\","
	    "\"expires_in\":\"3599\"}";
	const struct node *token = node_get(a->v->script, "token");
	struct buf body = BUF_INIT(65536);
	char name[24];
	const struct place places[] = { { "<token>", name }, { NULL, NULL } };
	int rc;

	(void)snprintf(name, sizeof(name), "granted-%u", ++a->v->granted);
	vendor_put(&body, vendor_text(token, "reply", otherwise), places);
	rc = answer(a,
	    (unsigned)strtoul(vendor_text(token, "status", "200"), NULL, 10),
	    NULL, body.data, body.len, places);
	buf_release(&body);
	return rc;
}

/* Is the access token one of those that are good?  Where there are none, it
 * is. */
static bool
is_granted(struct asked *a)
{
	struct vendor *v = a->v;
	unsigned n;

	if (node_get(v->script, "token") == NULL)
		return true;
	if (a->token == NULL || sscanf(a->token, "granted-%u", &n) != 1 ||
	    n > v->granted)
		vendor_complain(v, "access token",
		    a->token != NULL ? a->token : "missing");
	else if (n >= v->good)
		return true;
	return false;
}

/* A request of those that the script has beside the pages. */
static const struct node *
other_request(struct asked *a)
{
	const struct node *o = node_get(a->v->script, "also");

	for (o = o != NULL ? o->child : NULL; o != NULL; o = o->next)
		if (vendor_is(a, o))
			break;
	return o;
}

/* What rows of a page lead to; files is released. */
static int
answer_fetched(struct asked *a, struct buf *files)
{
	const struct place places[] = {
		{ "<rows>", files->len > 0 ? files->data : "" }, { NULL, NULL }
	};
	struct buf body = BUF_INIT(TEXT_MAX);
	int rc;

	vendor_put(&body, vendor_text(a->v->script, "fetch.reply", "<rows>"),
	    places);
	buf_release(files);
	if (a->v->complaint != NULL)
		rc = answer_error(a, "-", 599);
	else if (!is_granted(a))
		rc = answer_error(a, "denied", 401);
	else
		rc = answer(a, 200, node_get(a->v->script, "fetch.headers"),
		    body.data, body.len, places);
	buf_release(&body);
	return rc;
}

static int
respond(struct asked *a)
{
	static const char page[] = "<!DOCTYPE html><title>Sign in</title>";
	struct vendor *v = a->v;
	struct buf files = BUF_INIT(TEXT_MAX);
	const struct node *other;
	enum vendor_fault fault;

	if (vendor_is(a, node_get(v->script, "token")))
		return v->complaint == NULL ? grant(a)
					    : answer_error(a, "-", 599);
	if (vendor_fetched(a, &files))
		return answer_fetched(a, &files);
	other = other_request(a);
	if (other != NULL) {
		const char *reply = vendor_text(other, "reply", "");

		return answer(a, 200, node_get(other, "replied"), reply,
		    strlen(reply), (const struct place[]){ { NULL, NULL } });
	}
	v->requests++;
	fault = roll(v);
	if (!vendor_right(a))
		return answer_error(a, "-", 599);
	if (fault == VENDOR_DENIED)
		v->good = v->granted + 1;
	if (fault == VENDOR_DENIED || !is_granted(a))
		return answer_error(a, "denied", 401);
	switch (fault) {
	case VENDOR_THROTTLED:
		return answer_error(a, "throttled", 429);
	case VENDOR_FAILED:
		return answer_error(a, "failed", 500);
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
	vendor_forget(a);
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
		vendor_die("can't listen");
	info = MHD_get_daemon_info(v->daemon, MHD_DAEMON_INFO_BIND_PORT);
	(void)snprintf(v->url, sizeof(v->url), "http://127.0.0.1:%d",
	    (int)info->port);
}

static struct node *
read_script(const char *path)
{
	struct buf text = BUF_INIT(65536);
	struct err err = ERR_INIT;
	struct node *script;

	if (file_read(path, &text, &err) != 0)
		vendor_die(err.text);
	script = yaml_parse(path, text.data, text.len, &err);
	if (script == NULL)
		vendor_die(err.text);
	if (node_get(script, "streams") == NULL)
		vendor_die("a script has no streams");
	buf_release(&text);
	return script;
}

size_t
vendor_streams(const char *path)
{
	struct node *script = read_script(path);
	size_t n = 0;

	for (const struct node *s = node_get(script, "streams")->child;
	     s != NULL; s = s->next)
		n++;
	node_free(script);
	return n;
}

/* What a script says of one of its streams, which is put into "stream". */
static struct node *
stream_script(const char *path, size_t stream)
{
	struct node *script = read_script(path);
	struct node *streams = node_get(script, "streams");
	struct node *one = streams->child;

	while (one != NULL && stream-- > 0)
		one = one->next;
	if (one == NULL)
		vendor_die("a script has fewer streams");
	node_put(script, node_scalar(script, "stream", one->key));
	one = node_copy(one);
	node_remove(script, streams);
	if (one->type == NODE_MAP)
		node_merge(script, one);
	else
		node_free(one);
	return script;
}

struct vendor *
vendor_start(const char *path, size_t stream, int port)
{
	struct vendor *v = xcalloc(1, sizeof(*v));
	const char *format;

	v->script = stream_script(path, stream);
	(void)pthread_mutex_init(&v->lock, NULL);
	v->token = strcmp(vendor_text(v->script, "cursor", ""), "token") == 0;
	v->newest = strcmp(vendor_text(v->script, "order", ""), "newest") == 0;
	v->per = is_kind(v, "none")
	    ? SIZE_MAX
	    : strtoul(vendor_text(v->script, "per", "3"), NULL, 10);
	format = vendor_text(v->script, "time", "rfc3339");
	v->format = when_by_name((struct slice){ format, strlen(format) });
	if (v->format == WHEN_FORMATS)
		vendor_die("a script has no such format of time");
	listen_on(v, port);
	return v;
}

void
vendor_stop(struct vendor *v)
{
	MHD_stop_daemon(v->daemon);
	for (size_t i = 0; i < v->n; i++) {
		free(v->events[i].text);
		free(v->events[i].row);
		free(v->events[i].key);
		free(v->events[i].file);
	}
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

/* The row of a page that leads to an event, or has its text inside; NULL: the
 * event is the row. */
static char *
row_of(const struct vendor *v, const char *text, const struct place *places)
{
	struct buf quoted = BUF_INIT(65536);
	struct place inside[] = { places[0], { "<text>", NULL },
		{ NULL, NULL } };
	char *row = filled(v, "fetch.row", places);

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
vendor_add(struct vendor *v, const char *id, int64_t when, unsigned n)
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
	(void)pthread_mutex_lock(&v->lock);
	v->events = xreallocarray(v->events, v->n + 1, sizeof(*v->events));
	v->events[v->n++] = (struct event){ .when = when,
		.text = text,
		.row = row_of(v, text, places),
		.key = filled(v, "fetch.key", places),
		.file = filled(v, "fetch.file", places) };
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
