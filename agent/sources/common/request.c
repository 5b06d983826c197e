/*
 * request.c - one request to a vendor's API.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/auth.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "sources/common/request.h"
#include "sources/source.h"
#include "store/feed.h"

/* Fresh credentials that are refused may be a hiccup; so many calls in a row
 * are not. */
#define DENIED_MAX 2

/* A feed that is throttled so many times in a row waits as it was told.  Then
 * one request shows whether all may go on; another one may after a while. */
#define THROTTLED_MAX 2
#define PROBE_EVERY (5 * CLOCK_SECOND)

int
request_query(struct buf *url, const struct http_pair *query)
{
	bool first = strchr(url->data, '?') == NULL;

	for (; query->name != NULL; query++, first = false)
		if (buf_adds(url, first ? "?" : "&") != 0 ||
		    text_percent(url, query->name) != 0 ||
		    buf_adds(url, "=") != 0 ||
		    text_percent(url, query->value) != 0)
			return -1;
	return 0;
}

int
request_url(struct buf *out, const char *base, const char *path,
    const struct http_pair *query)
{
	size_t len = strlen(base);

	while (len > 0 && base[len - 1] == '/')
		len--;
	if (buf_add(out, base, len) != 0 || buf_adds(out, path) != 0)
		return -1;
	return query != NULL ? request_query(out, query) : 0;
}

/* A URL of that origin but for its http, by https; NULL: it is no such one. */
static char *
by_https(const char *origin, const char *url)
{
	static const char plain[] = "http://";
	char *out = NULL;

	if (origin != NULL && strncasecmp(url, plain, strlen(plain)) == 0)
		out = xasprintf("https://%s", url + strlen(plain));
	if (out != NULL && !http_same_origin(origin, out)) {
		free(out);
		out = NULL;
	}
	return out;
}

int
request_link(struct buf *out, const char *own, const char *base,
    const char *url)
{
	char *https = by_https(own, url);
	const char *path;
	int rc;

	if (https == NULL)
		https = by_https(base, url);
	if (https != NULL)
		url = https;
	if (own == NULL || http_same_origin(own, base) ||
	    !http_same_origin(own, url)) {
		rc = buf_adds(out, url);
	} else {
		/* The rest of a URL that has its origin. */
		path = strstr(url, "://") + 3;
		path += strcspn(path, "/?#");
		rc = request_url(out, base, path, NULL);
	}
	free(https);
	return rc;
}

bool
request_allowed(const struct api *api, const char *what, const char *url,
    struct outcome *r)
{
	if (http_same_origin(url, api->base))
		return true;
	(void)outcome_set(r, REPLY_RETRY,
	    "%s leads to another host than %s and is refused: %.*s; no token "
	    "was sent; if it is the vendor's own, let %s have its host",
	    what, api->option, (int)strcspn(url, "?"), url, api->option);
	(void)snprintf(r->code, sizeof(r->code), "foreign-host");
	return false;
}

static void
count(const struct request *q, enum feed_counter counter, uint64_t n)
{
	if (q->feed != NULL)
		feed_count(q->feed, counter, n);
}

/* How long the worker's feed must wait; 0: not at all. */
static int64_t
held(struct worker *w, int64_t now)
{
	struct stream *st = w->stream;
	int64_t until = st != NULL ? st->hold : 0;

	if (until == 0)
		return 0;
	if (now < until)
		return until - now;
	/* One of those that wait goes first. */
	if (atomic_compare_exchange_strong(&st->hold, &until,
		now + PROBE_EVERY))
		return 0;
	return 1;
}

/* The same of the budget. */
static int64_t
budget(struct worker *w, int reserve)
{
	struct source *s = w->source;
	int64_t wait = 0;

	if (!w->background)
		return rate_take(s->rate, clock_monotonic(), reserve);
	if (s->spare != NULL)
		wait = s->spare(s->ctx);
	return wait > 0 ? wait : rate_take_spare(s->rate, clock_monotonic());
}

/* Wait until the feed may ask and the budget has room; false when stopping. */
static bool
take_turn(struct worker *w, int reserve)
{
	struct source *s = w->source;
	bool go = true, may = false;
	int64_t wait = 0;

	worker_waits(w, WAITS_BUDGET);
	do {
		if (!may)
			wait = held(w, clock_monotonic());
		may = may || wait == 0;
		if (may)
			wait = budget(w, reserve);
		if (wait > 0)
			go = s->rest(s->ctx, wait);
	} while (go && wait > 0);
	return go;
}

/* Throttled: the request waits as long as it was told, within bounds; its feed
 * does when that happens again; and all of the source for a moment, since the
 * budget may be everyone's. */
static void
throttled(struct worker *w, int64_t sent, struct outcome *r)
{
	const struct source *s = w->source;
	int64_t now = clock_monotonic();

	if (s->definition.retry_after_max > 0 &&
	    r->wait > s->definition.retry_after_max)
		r->wait = s->definition.retry_after_max;
	if (w->stream == NULL) {
		rate_throttled(s->rate, sent, now, r->wait);
		return;
	}
	rate_throttled(s->rate, sent, now, 0);
	if (++w->stream->throttled >= THROTTLED_MAX && r->wait > 0)
		w->stream->hold = now + r->wait;
}

/* How it went, for the waits of the feed. */
static void
settle(struct worker *w, int64_t sent, struct outcome *r)
{
	if (r->class == REPLY_THROTTLED) {
		throttled(w, sent, r);
	} else if (w->stream != NULL && r->class != REPLY_RETRY) {
		w->stream->throttled = 0;
		w->stream->hold = 0;
	}
}

/* Ask once; counts what was asked and how it went. */
static enum reply_class
ask(struct worker *w, const struct api *api, const struct request *q,
    const struct http_request *req, struct http_reply *reply, struct outcome *r)
{
	struct source *s = w->source;
	struct err err = ERR_INIT;
	int64_t sent = clock_monotonic();
	int rc;

	count(q, FEED_REQUESTS, 1);
	worker_waits(w, q->patient ? WAITS_NOT : WAITS_ANSWER);
	rc = http_do(w->http, req, reply, &err);
	count(q, FEED_BYTES, reply->bytes);
	if (s->stop(s->ctx))
		return outcome_set(r, REPLY_STOPPED, "the agent is stopping");
	if (rc != 0) {
		rate_bad(s->rate, clock_monotonic());
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
		if (reply->odd != NULL)
			(void)snprintf(r->code, sizeof(r->code), "%s",
			    reply->odd);
		return r->class;
	}
	if (q->take != NULL && !q->objects && !q->any && reply->status == 200 &&
	    reply->shape == HTTP_OBJECT)
		rules_unexpected(api->rules, reply, "an array", r);
	else
		rules_judge(api->rules, reply, r);
	if (r->class == REPLY_THROTTLED && r->wait == 0 && api->wait != NULL)
		r->wait = api->wait(api->ctx, reply);
	/* An error may be anyone's, and so may a page. */
	if (r->class == REPLY_OK && strstr(reply->type, "json") != NULL &&
	    (reply->shape == HTTP_ARRAY || reply->shape == HTTP_OBJECT))
		server_clock_hear(s->clock, reply);
	settle(w, sent, r);
	if (r->class == REPLY_THROTTLED) {
		count(q, FEED_THROTTLED, 1);
	} else if (reply->status >= 500) {
		rate_bad(s->rate, clock_monotonic());
	} else {
		rate_good(s->rate);
	}
	return r->class;
}

/* Behind a 401 that fresh credentials did not change, or a refusal: where to
 * look. */
static void
deny(struct worker *w, const struct api *api, const struct http_reply *reply,
    struct outcome *r)
{
	size_t len = strlen(r->text);

	if (r->class == REPLY_UNAUTHORISED)
		r->class =
		    w->stream == NULL || ++w->stream->denied >= DENIED_MAX
		    ? REPLY_CREDENTIALS
		    : REPLY_RETRY;
	if (api->denied != NULL &&
	    (reply->status == 401 || reply->status == 403) &&
	    (r->class == REPLY_CREDENTIALS || r->class == REPLY_CONFIG))
		(void)snprintf(r->text + len, sizeof(r->text) - len, "; %s",
		    api->denied);
}

/* A dry run has seen enough? */
static bool
is_unwanted(const struct source *s, const struct request *q)
{
	const char *method = q->method != NULL ? q->method
	    : q->body != NULL                  ? "POST"
					       : "GET";

	return s->watch != NULL &&
	    !s->watch->asks(s->watch->ctx, method, q->url, q->body);
}

/* Once, with credentials; true: those were refused, and it is worth another
 * try: others are had, or *kept, they are kept, and one refusal may have been
 * of a moment.  The second one is believed. */
static bool
try(struct worker *w, const struct api *api, const struct request *q,
    struct http_request *req, struct http_reply *reply, bool *kept,
    struct outcome *r)
{
	struct auth_proof proof = { .secret = NULL };
	struct stream *st = w->stream;
	struct oauth_user anyone = { .refused = 0 };
	struct oauth_user *user = st != NULL ? &st->tokens : &anyone;
	bool again = false;

	worker_waits(w, WAITS_TOKEN);
	if (auth_apply(api->auth, w->http, req, &proof, r) == REPLY_OK) {
		(void)ask(w, api, q, req, reply, r);
		if (w->source->watch != NULL)
			w->source->watch->answered(w->source->watch->ctx, reply,
			    r);
		if (r->class == REPLY_UNAUTHORISED) {
			again = !*kept;
			*kept =
			    !*kept && !auth_rejected(api->auth, &proof, user);
		} else if (r->class == REPLY_CLOCK && !*kept) {
			*kept = again = auth_late(api->auth, reply);
		} else if (r->class == REPLY_OK) {
			auth_accepted(api->auth, &proof, user);
			if (st != NULL)
				st->denied = 0;
		}
	} else {
		/* None of the threads gets any further. */
		reply->status = 0;
		reply->sent = false;
		rate_pause(w->source->rate, clock_monotonic() + r->wait);
	}
	auth_proof_release(&proof);
	return again;
}

enum reply_class
request_send(struct worker *w, const struct api *api, const struct request *q,
    struct http_reply *reply, struct outcome *r)
{
	struct http_request req = { .url = q->url,
		.method = q->method,
		.body = q->body,
		.type = q->type,
		.headers = q->headers,
		.take = q->take,
		.objects = q->objects,
		.any = q->any,
		.file = q->file,
		.xml = q->xml,
		.no_content = q->no_content,
		.once = q->once,
		.ctx = q->ctx };
	bool kept = false;

	if (!request_allowed(api, q->what != NULL ? q->what : "the URL", q->url,
		r))
		return r->class;
	for (int tries = 0; tries < 2; tries++) {
		if (is_unwanted(w->source, q) || !take_turn(w, q->reserve)) {
			(void)outcome_set(r, REPLY_STOPPED,
			    "the agent is stopping");
			break;
		}
		if (!try(w, api, q, &req, reply, &kept, r))
			break;
	}
	worker_waits(w, WAITS_NOT);
	deny(w, api, reply, r);
	return r->class;
}
