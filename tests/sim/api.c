/*
 * api.c - the Office 365 Management Activity API: subscriptions and content.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "tests/sim/content.h"
#include "tests/sim/request.h"

/* Calls without PublisherIdentifier share a small pool: so many in all. */
#define ANONYMOUS_MAX 20
/* Microsoft looks a little further back than it says. */
#define BACK_MAX (7 * MS_DAY + MS_HOUR)

struct route {
	const char *method;
	const char *path; /* behind activity/feed/ */
	enum scope scope;
	enum counter stat;
	void (*answer)(struct request *rq, struct reply *r, const char *rest);
};

static int
content_by_name(const char *name)
{
	for (int c = 0; name != NULL && c < CONTENTS; c++) {
		if (strcasecmp(name, content_names[c]) == 0)
			return c;
	}
	return CONTENTS;
}

/* The feed that contentType names, or NULL with the error in r. */
static struct feed *
wanted_feed(struct request *rq, struct reply *r)
{
	const char *name = request_argument(rq, "contentType");

	if (name == NULL) {
		reply_error(r, 400, "AF20001",
		    "Missing parameter: contentType.");
	} else if (rq->content == CONTENTS) {
		reply_error(r, 400, "AF20020",
		    "The specified content type is not valid.");
	} else {
		return &rq->sim->feed[rq->content];
	}
	return NULL;
}

static void
list_subscriptions(struct request *rq, struct reply *r, const char *rest)
{
	bool first = true;

	(void)rest;
	reply_printf(r, "[");
	for (int c = 0; c < CONTENTS; c++) {
		const struct feed *f = &rq->sim->feed[c];

		if (f->started == 0 && !f->enabled && !f->disabled)
			continue;
		reply_printf(r,
		    "%s{\"contentType\":\"%s\",\"status\":\"%s\","
		    "\"webhook\":null}",
		    first ? "" : ",", content_names[c],
		    f->enabled ? "enabled" : "disabled");
		first = false;
	}
	reply_printf(r, "]");
}

static void
start(struct request *rq, struct reply *r, const char *rest)
{
	struct feed *f = wanted_feed(rq, r);
	struct sim *s = rq->sim;

	(void)rest;
	if (f == NULL)
		return;
	if (f->enabled) {
		reply_error(r, 400, "AF20024",
		    "The subscription is already enabled. No property change.");
	} else if (f->started != 0 &&
	    sim_clock(s) - f->started < s->opt.start_guard) {
		s->stat[STAT_STARTS_TOO_SOON]++;
		reply_error(r, 403, "AF429",
		    "Too many requests. Method=StartSubscription, "
		    "PublisherId=%s",
		    request_argument(rq, "PublisherIdentifier"));
	} else {
		f->enabled = true;
		f->disabled = false;
		f->started = sim_clock(s);
		reply_printf(r,
		    "{\"contentType\":\"%s\",\"status\":\"enabled\","
		    "\"webhook\":null}",
		    content_names[f->content]);
	}
}

static void
stop(struct request *rq, struct reply *r, const char *rest)
{
	struct feed *f = wanted_feed(rq, r);

	(void)rest;
	if (f == NULL)
		return;
	f->enabled = false;
	r->status = 204;
	r->type = NULL;
}

/* YYYY-MM-DD[THH:MM[:SS[.fff]]][Z] */
static bool
parse_time(const char *s, int64_t *ms)
{
	struct tm tm = { .tm_mday = 0 };
	const char *p = NULL;

	p = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	if (p == NULL) {
		memset(&tm, 0, sizeof(tm));
		p = strptime(s, "%Y-%m-%dT%H:%M", &tm);
	}
	if (p == NULL) {
		memset(&tm, 0, sizeof(tm));
		p = strptime(s, "%Y-%m-%d", &tm);
	}
	if (p == NULL)
		return false;
	if (*p == '.')
		p += 1 + strspn(p + 1, "0123456789");
	if (*p == 'Z')
		p++;
	*ms = (int64_t)timegm(&tm) * MS;
	return *p == '\0';
}

/* Half-open, both or neither, 24 hours at most, 7 days back at most. */
static bool
window(struct request *rq, struct reply *r, int64_t *from, int64_t *to)
{
	const char *start_text = request_argument(rq, "startTime");
	const char *end_text = request_argument(rq, "endTime");
	int64_t now = sim_clock(rq->sim);
	const char *rule =
	    "Start time and end time must both be specified (or both omitted) "
	    "and must be less than or equal to 24 hours apart, with the start "
	    "time no more than 7 days in the past.";

	*to = now + 1;
	*from = now - MS_DAY;
	if (start_text != NULL && *start_text == '\0')
		start_text = NULL; /* our own next page of an open window */
	if (end_text != NULL && *end_text == '\0')
		end_text = NULL;
	if (start_text == NULL && end_text == NULL)
		return true;
	if (start_text == NULL || end_text == NULL) {
		reply_error(r, 400, "AF20030", "%s", rule);
		return false;
	}
	if (!parse_time(start_text, from) || !parse_time(end_text, to)) {
		reply_error(r, 400, "AF20002",
		    "Invalid parameter type: "
		    "startTime or endTime.");
		return false;
	}
	if (*to <= *from || *to - *from > MS_DAY) {
		reply_error(r, 400, "AF20030", "%s", rule);
		return false;
	}
	if (*from < now - BACK_MAX) {
		reply_error(r, 400, "AF20055", "%s", rule);
		return false;
	}
	return true;
}

/* The ways in which a row is odd: a member that is null, has its least value,
 * or is too long; or a row that is none follows. */
enum odd {
	ODD_NOT,
	ODD_URI,
	ODD_ID,
	ODD_LONG_ID,
	ODD_CREATED,
	ODD_LEAST,
	ODD_EXPIRES,
	ODD_NO_ROWS,
	ODDS
};

#define LONG_ID 3000

static void
add_row(const struct request *rq, struct reply *r, const struct blob *b,
    bool first, enum odd odd)
{
	char created[32], expires[32], foreign[64], filling[LONG_ID];
	const char *scheme = rq->sim->opt.key != NULL ? "https" : "http";

	memset(filling, 'k', sizeof(filling));
	sim_time_text(b->created, created);
	sim_time_text(b->expires, expires);
	(void)snprintf(foreign, sizeof(foreign), "127.0.0.1:%u",
	    (unsigned)rq->sim->control_port);
	reply_printf(r, "%s{\"contentType\":\"%s\"", first ? "" : ",",
	    content_names[rq->content]);
	if (odd == ODD_URI)
		reply_printf(r, ",\"contentUri\":null");
	else
		reply_printf(r,
		    ",\"contentUri\":"
		    "\"%s://%s/api/v1.0/%s/activity/feed/audit/%s\"",
		    b->foreign ? "http" : scheme,
		    b->foreign ? foreign : rq->host, rq->sim->opt.tenant,
		    b->id);
	if (odd == ODD_ID)
		reply_printf(r, ",\"contentId\":null");
	else
		reply_printf(r, ",\"contentId\":\"%s%.*s\"", b->id,
		    odd == ODD_LONG_ID ? LONG_ID : 0, filling);
	if (odd == ODD_CREATED)
		reply_printf(r, ",\"contentCreated\":null");
	else
		reply_printf(r, ",\"contentCreated\":\"%s\"",
		    odd == ODD_LEAST ? "0001-01-01T00:00:00" : created);
	if (odd == ODD_EXPIRES)
		reply_printf(r, "}");
	else
		reply_printf(r, ",\"contentExpiration\":\"%s\"}",
		    odd == ODD_LEAST ? "9999-12-31T23:59:59" : expires);
	if (odd == ODD_NO_ROWS)
		reply_printf(r, ",null,17,{},[],\"row\",{\"contentId\":\"\"}");
}

/* The header in one of the forms that were seen. */
static void
add_next(struct request *rq, struct reply *r, size_t at, size_t end)
{
	static const char *const forms[] = { "NextPageUri", "nextpageuri",
		"NEXTPAGEURI", "NextPageUrl" };
	struct sim *s = rq->sim;
	const char *scheme = s->opt.key != NULL ? "https" : "http";
	char host[300];

	(void)snprintf(host, sizeof(host), "%s://%s", scheme, rq->host);
	if (rq->fault == FAULT_FOREIGN_NEXT)
		(void)snprintf(host, sizeof(host), "http://127.0.0.1:%u",
		    (unsigned)s->control_port);
	reply_header(r,
	    forms[rng_below(&s->rng, sizeof(forms) / sizeof(forms[0]))],
	    "%s/api/v1/%s/activity/feed/subscriptions/content?contentType=%s"
	    "&startTime=%s&endTime=%s&nextPage=%zu.%zu.%04x",
	    host, s->opt.tenant, content_names[rq->content],
	    request_argument(rq, "startTime") == NULL
		? ""
		: request_argument(rq, "startTime"),
	    request_argument(rq, "endTime") == NULL
		? ""
		: request_argument(rq, "endTime"),
	    at, end, (unsigned)rng_below(&s->rng, 65536));
}

/* nextPage=AT.END.ANY: go on at blob AT of the END that the first page saw;
 * no two tokens are the same, not even behind an empty page. */
static bool
page_position(struct request *rq, struct reply *r, const struct feed *f,
    size_t *at, size_t *end)
{
	const char *next = request_argument(rq, "nextPage");
	unsigned long long a, e;
	char dot;

	*at = 0;
	*end = f->n_blobs;
	if (next == NULL)
		return true;
	rq->sim->stat[STAT_PAGES]++;
	if (sscanf(next, "%llu%c%llu", &a, &dot, &e) != 3 || dot != '.' ||
	    e > f->n_blobs || a > e) {
		reply_error(r, 400, "AF20031", "Invalid nextPage Input: %s.",
		    next);
		return false;
	}
	*at = (size_t)a;
	*end = (size_t)e;
	return true;
}

static void
add_rows(struct request *rq, struct reply *r, const struct blob *const *rows,
    size_t n)
{
	bool reverse = rq->fault == FAULT_SHUFFLE;
	bool odd = rq->fault == FAULT_ODD_ROWS;

	reply_printf(r, "[");
	for (size_t i = 0; i < n; i++)
		add_row(rq, r, rows[reverse ? n - 1 - i : i], i == 0,
		    odd ? (enum odd)(i % ODDS) : ODD_NOT);
	if (rq->fault == FAULT_DUP_ROW && n > 0)
		add_row(rq, r, rows[0], false, ODD_NOT);
	reply_printf(r, "]");
}

static void
list_page(struct request *rq, struct reply *r, const struct feed *f,
    int64_t from, int64_t to)
{
	const struct blob *rows[1024];
	size_t at, end, n = 0, max = (size_t)rq->sim->opt.page;
	int64_t now = sim_clock(rq->sim);

	if (!page_position(rq, r, f, &at, &end))
		return;
	if (max > sizeof(rows) / sizeof(rows[0]))
		max = sizeof(rows) / sizeof(rows[0]);
	if (rq->fault == FAULT_EMPTY_PAGE)
		max = 0;
	for (; at < end; at++) {
		const struct blob *b = f->blobs[at];

		if (b->created < from || b->created >= to || b->visible > now ||
		    b->expires <= now)
			continue;
		if (n == max)
			break;
		rows[n++] = b;
	}
	add_rows(rq, r, rows, n);
	if (at < end || rq->fault == FAULT_EMPTY_PAGE ||
	    rq->fault == FAULT_FOREIGN_NEXT)
		add_next(rq, r, at, end);
}

static void
list_content(struct request *rq, struct reply *r, const char *rest)
{
	struct feed *f = wanted_feed(rq, r);
	struct sim *s = rq->sim;
	int64_t from, to;

	(void)rest;
	if (f == NULL)
		return;
	if (f->disabled)
		reply_error(r, 400, "AF20023",
		    "The subscription was disabled by a tenant admin.");
	else if (!f->enabled)
		reply_error(r, 400, "AF20022",
		    "No subscription found for the specified content type.");
	else if (!window(rq, r, &from, &to))
		return;
	else if (sim_clock(s) - f->started < s->opt.first_content)
		reply_printf(r, "[]");
	else
		list_page(rq, r, f, from, to);
}

static void
get_blob(struct request *rq, struct reply *r, const char *rest)
{
	struct blob *b = content_find(rq->sim, rest);
	struct feed *f;

	if (b == NULL) {
		reply_error(r, 404, "AF20050",
		    "The specified content (%.100s) does not exist.", rest);
		return;
	}
	f = &rq->sim->feed[rq->content];
	if (b->gone != NULL || b->expires <= sim_clock(rq->sim)) {
		rq->sim->stat[STAT_BLOBS_GONE]++;
		reply_error(r, 404, b->gone != NULL ? b->gone : "AF20051",
		    "The specified content (%s) is no longer available.", rest);
		return;
	}
	if (f->disabled || !f->enabled) {
		reply_error(r, 400, f->disabled ? "AF20023" : "AF20022",
		    "The subscription is not enabled.");
		return;
	}
	r->blob = b;
}

static const struct route routes[] = {
	{ "GET", "subscriptions/list", SCOPE_SUBSCRIPTIONS, STAT_SUBSCRIPTIONS,
	    list_subscriptions },
	{ "POST", "subscriptions/start", SCOPE_SUBSCRIPTIONS, STAT_STARTS,
	    start },
	{ "POST", "subscriptions/stop", SCOPE_SUBSCRIPTIONS, STAT_STOPS, stop },
	{ "GET", "subscriptions/content", SCOPE_LIST, STAT_LISTINGS,
	    list_content },
	{ "GET", "audit/", SCOPE_BLOB, STAT_BLOBS, get_blob },
};

/* The route and what is behind its path, or NULL. */
static const struct route *
find_route(const struct request *rq, const char **rest)
{
	const char *path = strstr(rq->url, "/activity/feed/");

	if (path == NULL)
		return NULL;
	path += strlen("/activity/feed/");
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		size_t n = strlen(routes[i].path);

		if (strncmp(path, routes[i].path, n) == 0 &&
		    (path[n] == '\0' || path[n - 1] == '/') &&
		    strcmp(rq->method, routes[i].method) == 0) {
			*rest = path + n;
			return &routes[i];
		}
	}
	return NULL;
}

enum scope
api_scope(const struct request *rq, enum content *content)
{
	const char *rest;
	const struct route *route = find_route(rq, &rest);

	*content = CONTENTS;
	if (route == NULL)
		return SCOPE_SUBSCRIPTIONS;
	*content =
	    (enum content)content_by_name(request_argument(rq, "contentType"));
	if (route->scope == SCOPE_BLOB) {
		for (int c = 0; c < CONTENTS; c++) {
			char mark[64];
			char *dot;

			(void)snprintf(mark, sizeof(mark), "$%s$",
			    content_names[c]);
			dot = strchr(mark, '.');
			*dot = '_';
			if (strstr(rest, mark) != NULL ||
			    (c == CONTENT_DLP &&
				strstr(rest, "$DLP_All$") != NULL))
				*content = (enum content)c;
		}
	}
	return route->scope;
}

static bool
is_guid(const char *s)
{
	size_t n = s == NULL ? 0 : strlen(s);

	return n == 36 && strspn(s, "0123456789abcdefABCDEF-") == 36 &&
	    s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-';
}

/* The tenant of the path must be the token's. */
static bool
tenant_good(struct request *rq, struct reply *r)
{
	char tenant[64] = "";
	const char *p = strstr(rq->url, "/api/v1");

	if (p != NULL)
		p = strchr(p + 5, '/');
	if (p != NULL)
		(void)snprintf(tenant, sizeof(tenant), "%.*s",
		    (int)strcspn(p + 1, "/"), p + 1);
	if (!is_guid(tenant))
		reply_error(r, 400, "AF20013",
		    "The tenant ID passed in the URL (%s) is not a valid GUID.",
		    tenant);
	else if (strcasecmp(tenant, rq->sim->opt.tenant) != 0)
		reply_error(r, 403, "AF20010",
		    "The tenant ID passed in the URL (%s) does not match the "
		    "tenant ID passed in the access token (%s).",
		    tenant, rq->sim->opt.tenant);
	else
		return true;
	return false;
}

static bool
publisher_good(struct request *rq, struct reply *r)
{
	const char *publisher = request_argument(rq, "PublisherIdentifier");

	if (is_guid(publisher))
		return true;
	rq->sim->stat[STAT_NO_PUBLISHER]++;
	if (rq->sim->stat[STAT_NO_PUBLISHER] <= ANONYMOUS_MAX)
		return true;
	reply_error(r, 403, "AF429",
	    "Too many requests. Method=GetBlob, PublisherId="
	    "00000000-0000-0000-0000-000000000000");
	return false;
}

void
api_answer(struct request *rq, struct reply *r)
{
	const char *rest;
	const struct route *route = find_route(rq, &rest);
	struct sim *s = rq->sim;

	r->status = 200;
	r->type = "application/json; charset=utf-8";
	if (!login_check(rq)) {
		sim_count(s, STAT_UNAUTHORIZED, 1);
		r->status = 401;
		reply_printf(r,
		    "{\"Message\":\"Authorization has been denied "
		    "for this request.\"}");
		return;
	}
	if (route == NULL) {
		r->status = 404;
		reply_printf(r,
		    "{\"Message\":\"No HTTP resource was found that "
		    "matches the request.\"}");
		return;
	}
	(void)pthread_mutex_lock(&s->lock);
	s->stat[route->stat]++;
	if (tenant_good(rq, r) && publisher_good(rq, r))
		route->answer(rq, r, rest);
	if (r->status >= 400 && route->scope == SCOPE_LIST)
		s->stat[STAT_LISTING_ERRORS]++;
	(void)pthread_mutex_unlock(&s->lock);
	if (r->blob == NULL || r->blob->synthetic > 0)
		return;
	r->packed = r->blob->packed.len > 0 && rq->fault == FAULT_NONE &&
	    request_wants_gzip(rq);
	if (!r->packed)
		content_read(s, rq->content, r->blob, rq->fault == FAULT_PRETTY,
		    &r->body);
	else if (buf_add(&r->body, r->blob->packed.data, r->blob->packed.len) ==
	    -1)
		sim_die("out of memory");
}
