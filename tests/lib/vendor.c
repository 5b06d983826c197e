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

/* Each grant has another refresh token, "r1" behind "r0", and the one before is
 * good until something of it is used. */
static bool
may_refresh(const struct asked *a)
{
	const struct vendor *v = a->v;
	unsigned n;

	return a->refresh == NULL ||
	    (sscanf(a->refresh, "r%u", &n) == 1 && n <= v->granted &&
		n >= v->used);
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
	char name[24], refresh[24];
	const struct place places[] = { { "<token>", name },
		{ "<refresh>", refresh }, { NULL, NULL } };
	int rc;

	if (!may_refresh(a)) {
		vendor_complain(a->v, "a refresh token that was replaced",
		    a->refresh);
		return vendor_answer_error(a, "denied", 400);
	}
	(void)snprintf(refresh, sizeof(refresh), "r%u", a->v->granted + 1);
	(void)snprintf(name, sizeof(name), "granted-%u", ++a->v->granted);
	vendor_put(&body, vendor_text(token, "reply", otherwise), places);
	rc = vendor_answer(a,
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
	else if (n >= v->good) {
		v->used = n > v->used ? n : v->used;
		return true;
	}
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
		rc = vendor_answer_error(a, "-", 599);
	else if (!is_granted(a))
		rc = vendor_answer_error(a, "denied", 401);
	else
		rc = vendor_answer(a, 200,
		    node_get(a->v->script, "fetch.headers"), body.data,
		    body.len, places);
	buf_release(&body);
	return rc;
}

/* The window of the job that is submitted. */
static int
submit_job(struct asked *a, const struct node *job)
{
	struct vendor *v = a->v;

	v->job = (struct position){ .generation = v->generation,
		.from = vendor_time(v, a->start, "start", INT64_MIN),
		.to = vendor_end(v, a->end) };
	v->jobs++;
	v->polls = 0;
	return vendor_answer_as(a, node_get(job, "submitted"), 200);
}

/* Where a job is asked after as its result is read, that is what answers once
 * it is done. */
static bool
is_result(const struct vendor *v, const struct node *job)
{
	return v->polls > 1 &&
	    strcmp(vendor_text(job, "poll.path", "-"),
		vendor_text(v->script, "request.path", "")) == 0;
}

/* A request of the work before the pages; *rc is what answered it. */
static bool
answer_job(struct asked *a, int *rc)
{
	struct vendor *v = a->v;
	const struct node *job = node_get(v->script, "job");
	const bool submits = vendor_is_of_job(a, node_get(job, "submit"));
	char name[24];

	if (!submits &&
	    (is_result(v, job) || !vendor_is_of_job(a, node_get(job, "poll"))))
		return false;
	(void)snprintf(name, sizeof(name), "job-%u", v->jobs);
	if (v->complaint != NULL)
		*rc = vendor_answer_error(a, "-", 599);
	else if (!is_granted(a))
		*rc = vendor_answer_error(a, "denied", 401);
	else if (submits)
		*rc = submit_job(a, job);
	else if (v->jobs == 0 || (a->job != NULL && strcmp(a->job, name) != 0))
		*rc = vendor_answer_error(a, "lost", 404);
	else
		*rc = vendor_answer_as(a,
		    node_get(job, v->polls++ == 0 ? "running" : "done"), 200);
	return true;
}

static int
respond(struct asked *a)
{
	static const char page[] = "<!DOCTYPE html><title>Sign in</title>";
	struct vendor *v = a->v;
	struct buf files = BUF_INIT(TEXT_MAX);
	const struct node *other;
	enum vendor_fault fault;
	int rc;

	if (vendor_is(a, node_get(v->script, "token")))
		return v->complaint == NULL ? grant(a)
					    : vendor_answer_error(a, "-", 599);
	if (answer_job(a, &rc))
		return rc;
	if (vendor_fetched(a, &files))
		return answer_fetched(a, &files);
	other = other_request(a);
	if (other != NULL) {
		const char *reply = vendor_text(other, "reply", "");

		return vendor_answer(a, 200, node_get(other, "replied"), reply,
		    strlen(reply), (const struct place[]){ { NULL, NULL } });
	}
	v->requests++;
	fault = roll(v);
	if (!vendor_right(a))
		return vendor_answer_error(a, "-", 599);
	if (fault == VENDOR_DENIED)
		v->good = v->granted + 1;
	if (fault == VENDOR_DENIED || !is_granted(a))
		return vendor_answer_error(a, "denied", 401);
	switch (fault) {
	case VENDOR_THROTTLED:
		return vendor_answer_error(a, "throttled", 429);
	case VENDOR_FAILED:
		return vendor_answer_error(a, "failed", 500);
	case VENDOR_LOST:
		v->generation++;
		break;
	case VENDOR_PAGE:
		return vendor_answer(a, 200, NULL, page, strlen(page), NULL);
	default:
		break;
	}
	return vendor_answer_page(a, fault);
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
	v->iterates =
	    strcmp(vendor_text(v->script, "cursor", ""), "iterator") == 0;
	v->token = v->token || v->iterates;
	v->newest = strcmp(vendor_text(v->script, "order", ""), "newest") == 0;
	v->per = strcmp(vendor_text(v->script, "pages", ""), "none") == 0
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

void
vendor_add(struct vendor *v, const char *id, int64_t when, unsigned n)
{
	(void)pthread_mutex_lock(&v->lock);
	vendor_add_event(v, id, when, n);
	(void)pthread_mutex_unlock(&v->lock);
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

void
vendor_full(struct vendor *v, size_t rows)
{
	(void)pthread_mutex_lock(&v->lock);
	v->per = rows;
	(void)pthread_mutex_unlock(&v->lock);
}

void
vendor_behave(struct vendor *v, enum vendor_manner manner)
{
	(void)pthread_mutex_lock(&v->lock);
	v->manner = manner;
	v->shifts = 0;
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
