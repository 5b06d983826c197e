/*
 * office365.c - Microsoft 365 through the Office 365 Management Activity API:
 * what a source is, and what a poll does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/auth.h"
#include "http/auth_oauth2.h"
#include "sources/office365/office365.h"

/* Microsoft's baseline for a tenant, and the older figure that large ones
 * get with a PublisherIdentifier. */
#define BUDGET 2000.0
#define BUDGET_MAX 60000.0

/* A listing takes at most so much a call. */
#define SPAN CLOCK_DAY

/* A backfill lists so much at once, so that it can say how far it is. */
#define BACKFILL_STEP CLOCK_HOUR

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
		    .options = "tenant, client_id, client_secret or "
			       "certificate, cloud and login_url",
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
	(void)office365_subscribe(w, st, r);
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

static void
forget(struct stream *st)
{
	struct office365_stream *os = st->state;

	ledger_known_release(&os->known);
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
	.forget = forget,
	.audit = &office365_audit,
	.live = office365_live,
	.close = close_source,
	.account = account,
	.all_streams = all_streams,
};
