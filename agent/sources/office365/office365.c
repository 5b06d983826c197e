/*
 * office365.c - Microsoft 365 through the Office 365 Management Activity API:
 * what a source is, its subscriptions, what a poll does, and `check --live`.
 *
 * Subscriptions are listed first, started only where one is missing, and never
 * stopped, since what becomes available while one is off is never to be had.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/splitter.h"
#include "http/auth.h"
#include "http/auth_oauth2.h"
#include "http/server_clock.h"
#include "sources/office365/office365.h"

/* Microsoft's baseline for a tenant, and the older figure that large ones
 * get with a PublisherIdentifier. */
#define BUDGET 2000.0
#define BUDGET_MAX 60000.0

/* A listing takes at most so much a call. */
#define SPAN CLOCK_DAY

/* A backfill lists so much at once, so that it can say how far it is. */
#define BACKFILL_STEP CLOCK_HOUR

/* The API wants so long between two starts. */
#define START_EVERY (15 * CLOCK_MINUTE)
/* An administrator may be quicker than that. */
#define LOOK_AGAIN (10 * CLOCK_SECOND)
/* A start that was refused was none. */
#define REFUSED_AGAIN (5 * CLOCK_SECOND)

/* `check --live` looks back so far, and keeps a row of this length. */
#define LIVE_SPAN (CLOCK_DAY - CLOCK_MINUTE)
#define ROW_MAX (64 * 1024)

#define PUBLISHER "PublisherIdentifier"

/* Ids of events are needed for as long as a query may still name them. */
static int64_t
dedupe(const struct office365_conf *c)
{
	const int64_t needed = c->reconcile.settle + c->reconcile.span +
	    c->reconcile.patience + CLOCK_DAY;

	return c->reconcile.every == 0 || c->dedupe > needed ? c->dedupe
							     : needed;
}

static void
define(const void *conf, struct source_definition *d)
{
	const struct office365_conf *c = conf;

	*d = (struct source_definition){
		.streams = (const char *const *)c->content,
		.stream_size = sizeof(struct office365_stream),
		.http = &c->http,
		.budget = BUDGET,
		.budget_max = BUDGET_MAX,
		.parallel = c->parallel,
		.interval = c->interval,
		.dedupe = dedupe(c),
		.retention = OFFICE365_KEPT,
		.retry_after_max = c->retry_after_max,
	};
}

static void
set_windows(struct window_spec *s, const struct office365_conf *c)
{
	*s = (struct window_spec){
		.unit = CLOCK_SECOND,
		.span = SPAN,
		.kept = OFFICE365_KEPT,
		.late = CLOCK_MINUTE,
		.slack = 5 * CLOCK_MINUTE,
		.ahead = CLOCK_SECOND,
		.settle = 5 * CLOCK_SECOND,
		.initial = c->initial,
		.overlap = c->overlap,
		.sweeps = { { "hourly", CLOCK_HOUR, SPAN },
		    { "daily", CLOCK_DAY, OFFICE365_KEPT } },
		.own = { [OWN_STARTED] = "started",
		    [OWN_ANSWERED] = "answered",
		    [OWN_AGAIN] = "started_again" },
		.lost = "not listed within the 7 days that Microsoft keeps "
			"content",
	};
}

/* A configured URL and a path with the tenant in it. */
static char *
join(const char *url, const char *before, const char *tenant,
    const char *behind)
{
	int len = (int)strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	return xasprintf("%.*s%s%s%s", len, url, before, tenant, behind);
}

/* What a token is for, which two APIs are. */
static const struct rule activity_rules[] = {
	OAUTH_API_RULES("check cloud and api_url, and that the tenant has the "
			"Office 365 Management APIs",
	    "check cloud and api_url"),
	{ .next = oauth_rules }
};
static const struct rule graph_rules[] = {
	OAUTH_API_RULES("check cloud and graph_url, and that the tenant has "
			"Microsoft Graph",
	    "check cloud and graph_url"),
	{ .next = oauth_rules }
};

/* Tokens: learn.microsoft.com/entra/identity-platform/
 * v2-oauth2-client-creds-grant-flow. */
struct auth *
office365_auth(const struct office365_conf *c, const char *resource,
    struct err *err)
{
	struct auth_conf auth = { .scheme = c->certificate != NULL
		    ? AUTH_OAUTH2_ASSERTION
		    : AUTH_OAUTH2_SECRET,
		.oauth = { .client_id = c->client_id,
		    .rules = strcmp(resource, office365_graph(c)) == 0
			? graph_rules
			: activity_rules,
		    .wait_max = c->retry_after_max,
		    .client_secret = c->client_secret,
		    .certificate = c->certificate,
		    .private_key = c->private_key } };
	struct buf scope = BUF_INIT(1024);
	struct auth *a = NULL;
	char *url;

	if (http_origin(resource, &scope, err) != 0 ||
	    buf_adds(&scope, "/.default") != 0) {
		(void)err_set(err, "%s: too long", resource);
	} else {
		url = join(office365_login(c), "/", c->tenant,
		    "/oauth2/v2.0/token");
		auth.oauth.token_url = url;
		auth.oauth.scope = scope.data;
		a = auth_new(&auth);
		free(url);
	}
	buf_release(&scope);
	return a;
}

/* Where the audit log queries are. */
static int
set_graph(struct office365 *o, struct err *err)
{
	const struct office365_conf *c = o->conf;

	if (c->reconcile.every == 0)
		return 0;
	o->graph_base = join(office365_graph(c), "/",
	    office365_graph_version(c), "/security/auditLog/queries");
	o->graph = (struct api){ .base = o->graph_base,
		.option = "graph_url",
		.rules = office365_graph_rules,
		.auth = office365_auth(c, office365_graph(c), err) };
	return o->graph.auth != NULL ? 0 : -1;
}

/* Microsoft counts requests by tenant. */
static char *
credential(const void *conf)
{
	const struct office365_conf *c = conf;

	return xasprintf("%s %s", office365_api(c), c->tenant);
}

static void
close_source(struct source *s)
{
	struct office365 *o = s->state;

	s->state = NULL;
	if (o == NULL)
		return;
	auth_free(o->api.auth);
	auth_free(o->graph.auth);
	free(o->graph_base);
	free(o->base);
	free(o->denied);
	free(o);
}

static int
open_source(struct source *s, struct err *err)
{
	const struct office365_conf *c = s->conf;
	struct office365 *o = xcalloc(1, sizeof(*o));

	s->state = o;
	o->conf = c;
	o->publisher = c->publisher != NULL ? c->publisher : c->tenant;
	o->base =
	    join(office365_api(c), "/api/v1.0/", c->tenant, "/activity/feed");
	o->denied = xasprintf("check that the application %s has "
			      "ActivityFeed.Read and, for DLP.All, "
			      "ActivityFeed.ReadDlp, with admin consent in "
			      "tenant %s of cloud %s",
	    c->client_id, c->tenant, office365_cloud(c));
	o->api = (struct api){ .base = o->base,
		.option = "api_url",
		.rules = office365_rules,
		.denied = o->denied };
	o->format = (struct event_format){
		.splitter = { .id = "Id",
		    .time = "CreationTime",
		    .max = EVENT_MAX,
		    .pass_longer = true,
		    .repairs = true },
		.what = "blob",
	};
	set_windows(&o->windows, c);
	o->api.auth = office365_auth(c, office365_resource(c), err);
	if (o->api.auth != NULL && set_graph(o, err) == 0)
		return 0;
	close_source(s);
	return -1;
}

static int
add_publisher(const struct office365 *o, struct buf *url)
{
	const struct http_pair query[] = {
		{ PUBLISHER, o->publisher },
		{ NULL, NULL },
	};

	return request_query(url, query);
}

int
office365_url(const struct office365 *o, const char *path,
    const struct http_pair *query, struct buf *out)
{
	if (request_url(out, o->base, path, query) != 0)
		return -1;
	return add_publisher(o, out);
}

int
office365_publish(const struct office365 *o, const char *url, struct buf *out)
{
	const char *query = strchr(url, '?');

	if (request_link(out, office365_own_api(o->conf),
		office365_api(o->conf), url) != 0)
		return -1;
	if (query != NULL && strcasestr(query, PUBLISHER "=") != NULL)
		return 0;
	return add_publisher(o, out);
}

/* A call whose reply is kept: GET, or POST without a body. */
static enum reply_class
call(struct worker *w, const char *path, const char *content_type,
    struct feed *feed, struct http_reply *reply, struct outcome *r)
{
	const struct office365 *o = w->source->state;
	const struct http_pair query[] = {
		{ content_type != NULL ? "contentType" : NULL, content_type },
		{ NULL, NULL },
	};
	struct buf url = BUF_INIT(OFFICE365_URL_MAX);
	struct request q = { .body = content_type != NULL ? "" : NULL,
		.feed = feed };

	if (office365_url(o, path, query, &url) != 0) {
		(void)outcome_set(r, REPLY_CONFIG, "api_url: too long");
	} else {
		q.url = url.data;
		(void)request_send(w, &o->api, &q, reply, r);
	}
	buf_release(&url);
	return r->class;
}

/* The tenant's subscription to a content type, as the API lists it. */
struct subscription {
	bool known;
	bool enabled;
};

static void
find(const json_t *list, const char *content_type, struct subscription *out)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		const char *type =
		    json_string_value(json_object_get(entry, "contentType"));
		const char *status =
		    json_string_value(json_object_get(entry, "status"));

		if (type == NULL || strcasecmp(type, content_type) != 0)
			continue;
		out->known = true;
		/* Of two, one that is enabled will do. */
		out->enabled = out->enabled ||
		    (status != NULL && strcasecmp(status, "enabled") == 0);
	}
}

static enum reply_class
find_subscription(struct worker *w, const char *content_type,
    struct subscription *out, struct outcome *r)
{
	struct http_reply reply;
	json_t *list = NULL;

	*out = (struct subscription){ .known = false };
	http_reply_init(&reply);
	if (call(w, "/subscriptions/list", NULL, NULL, &reply, r) == REPLY_OK) {
		if (reply.body.len > 0)
			list = json_loadb(reply.body.data, reply.body.len,
			    JSON_ALLOW_NUL, NULL);
		if (json_is_array(list))
			find(list, content_type, out);
		else
			rules_unexpected(office365_rules, &reply,
			    "the array of subscriptions", r);
	}
	json_decref(list);
	http_reply_release(&reply);
	return r->class;
}

/* The subscription itself, enabled where it says so, and nothing that tells of
 * an error. */
static bool
is_started(const struct buf *body)
{
	json_t *top = body->len > 0
	    ? json_loadb(body->data, body->len, JSON_ALLOW_NUL, NULL)
	    : NULL;
	const char *status = json_string_value(json_object_get(top, "status"));
	struct reply_error e = { .code = "" };
	bool is;

	if (body->len > 0)
		rules_error(body->data, body->len, &e);
	is = e.code[0] == '\0' && e.message[0] == '\0' &&
	    (status != NULL
		    ? strcasecmp(status, "enabled") == 0
		    : json_is_string(json_object_get(top, "contentType")));
	json_decref(top);
	return is;
}

static enum reply_class
start(struct worker *w, struct stream *st, struct outcome *r)
{
	struct office365_stream *os = st->state;
	int64_t *own = os->window.cursor.own;
	struct http_reply reply;

	http_reply_init(&reply);
	if (call(w, "/subscriptions/start", st->name, st->feed, &reply, r) ==
		REPLY_OK &&
	    !is_started(&reply.body))
		rules_unexpected(office365_rules, &reply,
		    "the started subscription", r);
	if (r->class == REPLY_BENIGN)
		r->class = REPLY_OK;
	os->start = *r;
	if (r->class == REPLY_OK || reply.status / 100 == 4)
		own[OWN_ANSWERED] = own[OWN_STARTED];
	if (r->class != REPLY_OK && reply.status / 100 == 4) {
		own[OWN_STARTED] -= START_EVERY - REFUSED_AGAIN;
		own[OWN_ANSWERED] = own[OWN_STARTED];
	}
	http_reply_release(&reply);
	return r->class;
}

/* Was a start sent of late?  The vendor's clock is known to a second or two; a
 * time that is further ahead is of a clock that was wrong. */
static bool
is_recent(const int64_t *own, int64_t now)
{
	int64_t since = now - own[OWN_STARTED];

	return own[OWN_STARTED] != 0 && since > -CLOCK_MINUTE &&
	    since < START_EVERY;
}

/* How long until the next start may be sent; 0: now.  One whose answer was not
 * seen may have been none: it is sent again at once, but only once. */
static int64_t
guard(const struct office365_stream *os, int64_t now)
{
	const int64_t *own = os->window.cursor.own;
	int64_t since = now - own[OWN_STARTED];

	if (!is_recent(own, now))
		return 0;
	if (own[OWN_ANSWERED] != own[OWN_STARTED] &&
	    own[OWN_AGAIN] != own[OWN_STARTED])
		return 0;
	return START_EVERY - since;
}

/* A start is sent at now.  Durable before it is: no crash makes it two, or with
 * the one that is sent again, three. */
static enum reply_class
note_start(struct office365_stream *os, struct stream *st, int64_t now,
    struct outcome *r)
{
	int64_t *own = os->window.cursor.own;

	if (is_recent(own, now) && own[OWN_ANSWERED] != own[OWN_STARTED])
		own[OWN_AGAIN] = now;
	own[OWN_STARTED] = now;
	return window_save(&os->window, st, NULL, r);
}

/* A start must wait; what the last one failed of is the cause, where that is
 * known. */
static enum reply_class
wait_for_start(const struct office365_stream *os,
    const struct subscription *sub, int64_t wait, struct outcome *r)
{
	char text[sizeof(r->text)];

	if (os->start.class != REPLY_OK) {
		*r = os->start;
		(void)snprintf(text, sizeof(text), "%s", r->text);
		(void)snprintf(r->text, sizeof(r->text),
		    "%.700s; the subscription may be started again in %d s",
		    text, (int)(wait / CLOCK_SECOND) + 1);
	} else {
		(void)outcome_set(r, REPLY_INACTIVE,
		    "the subscription is %s and was started recently; it may "
		    "be started again in %d s",
		    sub->known ? "disabled" : "missing",
		    (int)(wait / CLOCK_SECOND) + 1);
		(void)snprintf(r->code, sizeof(r->code), "start-guard");
	}
	r->wait = wait < LOOK_AGAIN ? wait : LOOK_AGAIN;
	return r->class;
}

/* See that the subscription is on: start it if it is not, at most once per 15
 * minutes. */
static enum reply_class
subscribe(struct worker *w, struct stream *st, struct outcome *r)
{
	struct office365_stream *os = st->state;
	struct subscription sub;
	int64_t now, wait;

	if (find_subscription(w, st->name, &sub, r) != REPLY_OK)
		return r->class;
	if (window_begin(&os->window, st, r) != REPLY_OK)
		return r->class;
	if (sub.enabled && !os->denied)
		goto on;
	now = server_clock_now(w->source->clock);
	wait = guard(os, now);
	if (wait > 0 && sub.enabled)
		goto on;
	if (wait > 0)
		return wait_for_start(os, &sub, wait, r);
	if (note_start(os, st, now, r) != REPLY_OK ||
	    start(w, st, r) != REPLY_OK ||
	    window_save(&os->window, st, NULL, r) != REPLY_OK)
		return r->class;
on:
	os->subscribed = true;
	os->denied = false;
	return outcome_set(r, REPLY_OK, "the subscription is enabled");
}

/* See that there is a subscription and a cursor. */
static enum reply_class
make_ready(struct worker *w, struct stream *st, struct outcome *r)
{
	struct office365_stream *os = st->state;
	const struct office365 *o = w->source->state;
	struct outcome begun;

	window_load(&os->window, &o->windows, st);
	if (os->subscribed)
		return outcome_set(r, REPLY_OK, "ready");
	(void)subscribe(w, st, r);
	/* However long the subscription takes: what the feed begins with
	 * counts from now on. */
	if (window_begin(&os->window, st, &begun) != REPLY_OK &&
	    r->class == REPLY_OK)
		*r = begun;
	return r->class;
}

static void
begin_offline(struct stream *st, struct outcome *r)
{
	struct office365_stream *os = st->state;
	const struct office365 *o = st->source->state;

	window_load(&os->window, &o->windows, st);
	(void)window_begin(&os->window, st, r);
}

static enum poll_next
poll(struct worker *w, struct stream *st, struct outcome *r)
{
	struct office365_stream *os = st->state;
	enum poll_next next;

	if (make_ready(w, st, r) != REPLY_OK)
		return POLL_REST;
	next = window_poll(&os->window, w, st, office365_list, r);
	if (r->class == REPLY_INACTIVE) {
		os->subscribed = false;
		os->denied = true;
	} else if (r->class == REPLY_CLOCK) {
		/* Only a good reply tells the time. */
		os->subscribed = false;
	}
	return next;
}

static const char *
bounds(const void *conf, const char *stream, struct source_bounds *out)
{
	(void)conf;
	(void)stream;
	*out = (struct source_bounds){ .kept = OFFICE365_KEPT,
		.step = BACKFILL_STEP };
	return NULL;
}

/* What became available then goes into the ledger. */
static void
backfill(struct worker *w, struct stream *st, const struct span *span,
    int64_t *to, struct outcome *r)
{
	struct window_list l = { .window = { .from = span->from -
					 span->from % CLOCK_SECOND,
				     .to = span->to },
		.thorough = true };

	if (l.window.to - l.window.from > BACKFILL_STEP)
		l.window.to = l.window.from + BACKFILL_STEP;
	else
		l.window.to +=
		    (CLOCK_SECOND - span->to % CLOCK_SECOND) % CLOCK_SECOND;
	if (office365_list(w, st, &l, r) == REPLY_OK)
		*to = l.window.to < span->to ? l.window.to : span->to;
}

/* A document that is an array, read to its end. */
struct reading {
	struct splitter *splitter;
	size_t n;
	char *uri; /* of its first element that has a contentUri; owned */
};

/* splitter_fn */
static int
count_element(void *ctx, const struct element *el, struct err *err)
{
	struct reading *d = ctx;
	json_t *row;
	const char *uri;

	(void)err;
	d->n++;
	if (d->uri != NULL || el->data == NULL || el->len > ROW_MAX)
		return 0;
	row = json_loadb(el->data, el->len, JSON_ALLOW_NUL, NULL);
	uri = json_string_value(json_object_get(row, "contentUri"));
	if (uri != NULL && *uri != '\0')
		d->uri = xstrdup(uri);
	json_decref(row);
	return 0;
}

/* http_take_fn */
static int
take_reading(void *ctx, const char *data, size_t len, struct err *err)
{
	struct reading *d = ctx;

	return splitter_push(d->splitter, data, len, err);
}

/* Get such a document from url; what: the vendor's word for a URL of its own,
 * or NULL. */
static enum reply_class
read_array(struct worker *w, const char *url, const char *what,
    struct reading *d, struct outcome *r)
{
	static const struct splitter_spec spec = {
		.max = EVENT_MAX, .pass_longer = true, .repairs = true
	};
	const struct office365 *o = w->source->state;
	const struct request q = {
		.url = url, .what = what, .take = take_reading, .ctx = d
	};
	struct http_reply reply;
	struct err err = ERR_INIT;

	*d = (struct reading){ .splitter =
				   splitter_new(&spec, count_element, d) };
	http_reply_init(&reply);
	if (request_send(w, &o->api, &q, &reply, r) == REPLY_OK &&
	    splitter_end(d->splitter, &err) != 0)
		(void)outcome_set(r, REPLY_RETRY,
		    "the reply is not the JSON array that it should be: %s",
		    err.text);
	http_reply_release(&reply);
	splitter_free(d->splitter);
	return r->class;
}

/* Fetch a blob that was listed. */
static enum reply_class
try_blob(struct worker *w, const char *uri, size_t *events, struct outcome *r)
{
	const struct office365 *o = w->source->state;
	struct buf url = BUF_INIT(OFFICE365_URL_MAX);
	struct reading blob = { .n = 0 };

	if (office365_publish(o, uri, &url) != 0)
		(void)outcome_set(r, REPLY_RETRY, "contentUri is too long");
	else
		(void)read_array(w, url.data, "contentUri", &blob, r);
	*events = blob.n;
	free(blob.uri);
	buf_release(&url);
	return r->class;
}

/* May this content be read?  Lists what came of late, and fetches one blob of
 * it. */
static enum reply_class
try_content(struct worker *w, const char *content_type, char *how, size_t size,
    struct buf *message, struct outcome *r)
{
	const struct office365 *o = w->source->state;
	int64_t now = server_clock_now(w->source->clock);
	const struct window last = { .from = now - LIVE_SPAN, .to = now };
	struct buf url = BUF_INIT(OFFICE365_URL_MAX);
	struct reading list = { .n = 0 };
	struct office365_odd odd;
	size_t events = 0;

	if (office365_list_try(w, content_type, &last, &odd, r) != REPLY_OK)
		return r->class;
	if (odd.rows > 0 &&
	    buf_addf(message, "%s: %s\n", content_type, odd.sentence) != 0)
		return outcome_set(r, REPLY_RETRY, "too much to say");
	if (office365_list_url(o, content_type, &last, &url) != 0)
		(void)outcome_set(r, REPLY_CONFIG, "api_url: too long");
	else if (read_array(w, url.data, NULL, &list, r) == REPLY_OK &&
	    list.uri == NULL)
		(void)snprintf(how, size,
		    "enabled and can be listed; fetching is not tested, since "
		    "nothing to fetch was listed for the last day");
	else if (r->class == REPLY_OK &&
	    try_blob(w, list.uri, &events, r) == REPLY_OK)
		(void)snprintf(how, size,
		    "enabled and can be listed; a blob with %zu event%s was "
		    "fetched",
		    events, events == 1 ? "" : "s");
	else if (r->class == REPLY_GONE) {
		/* Whether what is there can be fetched is not doubted. */
		(void)snprintf(how, size,
		    "enabled and can be listed; the blob that was asked for "
		    "is gone (%.64s)",
		    r->code);
		*r = (struct outcome){ .class = REPLY_OK };
	}
	free(list.uri);
	buf_release(&url);
	return r->class;
}

/* One line about one content type; r says why it can't be collected. */
static enum reply_class
look(struct worker *w, const char *content_type, struct buf *message,
    struct outcome *r)
{
	char how[256];
	struct subscription sub;

	if (find_subscription(w, content_type, &sub, r) != REPLY_OK)
		return r->class;
	if (!sub.enabled)
		(void)snprintf(how, sizeof(how),
		    "%s, and the agent starts it; not tested: permission, "
		    "list and fetching",
		    sub.known ? "disabled" : "missing");
	else if (try_content(w, content_type, how, sizeof(how), message, r) !=
	    REPLY_OK)
		return r->class;
	if (buf_addf(message, "%s: the subscription is %s\n", content_type,
		how) != 0)
		return outcome_set(r, REPLY_RETRY, "too much to say");
	return REPLY_OK;
}

/* Each content type, and the first fault as the result. */
static int
live(struct worker *w, struct buf *message, struct err *err)
{
	const struct office365_conf *conf = w->source->conf;
	int rc = 0;

	for (size_t i = 0; conf->content[i] != NULL; i++) {
		struct outcome r;

		if (look(w, conf->content[i], message, &r) == REPLY_OK)
			continue;
		/* Behind a refused token or a throttle all are alike. */
		if (r.class == REPLY_STOPPED)
			break;
		if (rc != 0 &&
		    buf_addf(message, "%s: %s\n", conf->content[i], r.text) !=
			0)
			break;
		rc = err_set(err, "%s: %s", conf->content[i], r.text);
	}
	return rc;
}

static const char *
account(const void *conf)
{
	return ((const struct office365_conf *)conf)->tenant;
}

/* Entra's names for things: learn.microsoft.com/office/
 * office-365-management-api/get-started-with-office-365-management-apis. */
static const char before[] =
    "Once a tenant, in the Entra admin center, https://entra.microsoft.com:\n"
    "  1. App registrations > New registration: any name, no redirect URI.\n"
    "  2. API permissions > Add a permission > Office 365 Management APIs >\n"
    "     Application permissions: ActivityFeed.Read and, for DLP.All,\n"
    "     ActivityFeed.ReadDlp; then \"Grant admin consent\".\n"
    "  3. Certificates & secrets > New client secret: copy its Value, not its\n"
    "     Secret ID. Or upload a certificate.\n"
    "  4. Overview shows the two IDs that are asked for now.\n"
    "Unified audit logging must be on: https://purview.microsoft.com > Audit,\n"
    "or Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true. After\n"
    "that, and after the first subscription, Microsoft may take up to 12 "
    "hours\n"
    "until there are events. More: https://learn.microsoft.com/office/\n"
    "office-365-management-api/get-started-with-office-365-management-apis\n";

static const struct source_stream all_streams[] = {
	{ .name = "Audit.AzureActiveDirectory",
	    .late = OFFICE365_KEPT,
	    .kept = OFFICE365_KEPT },
	{ .name = "Audit.Exchange",
	    .late = OFFICE365_KEPT,
	    .kept = OFFICE365_KEPT },
	{ .name = "Audit.SharePoint",
	    .late = OFFICE365_KEPT,
	    .kept = OFFICE365_KEPT },
	{ .name = "Audit.General",
	    .late = OFFICE365_KEPT,
	    .kept = OFFICE365_KEPT },
	{ .name = "DLP.All", .late = OFFICE365_KEPT, .kept = OFFICE365_KEPT },
	{ .name = NULL },
};

const struct source_type source_office365 = {
	.type.name = "office365",
	.type.title = "Microsoft 365 and Entra (Management Activity API)",
	.type.before = before,
	.type.settings = office365_settings,
	.type.conf_size = sizeof(struct office365_conf),
	.type.check = office365_check,
	.type.shape = office365_shape,
	.define = define,
	.credential = credential,
	.open = open_source,
	.begin = begin_offline,
	.poll = poll,
	.fetch = office365_fetch,
	.bounds = bounds,
	.backfill = backfill,
	.audit = &office365_audit,
	.live = live,
	.close = close_source,
	.account = account,
	.all_streams = all_streams,
};
