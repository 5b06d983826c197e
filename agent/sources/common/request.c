/*
 * request.c - one request to a vendor's API.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "sources/common/auth.h"
#include "sources/common/request.h"
#include "sources/source.h"
#include "store/feed.h"

/* Fresh credentials that are refused may be a hiccup; so many in a row are
 * not. */
#define REJECTED_MAX 4

int
request_encode(struct buf *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~:";

	while (*text != '\0') {
		size_t n = strspn(text, plain);

		if (buf_add(out, text, n) != 0)
			return -1;
		text += n;
		if (*text != '\0' &&
		    buf_addf(out, "%%%02X", (unsigned char)*text++) != 0)
			return -1;
	}
	return 0;
}

int
request_query(struct buf *url, const struct http_pair *query)
{
	bool first = strchr(url->data, '?') == NULL;

	for (; query->name != NULL; query++, first = false)
		if (buf_adds(url, first ? "?" : "&") != 0 ||
		    request_encode(url, query->name) != 0 ||
		    buf_adds(url, "=") != 0 ||
		    request_encode(url, query->value) != 0)
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

bool
request_allowed(const struct api *api, const char *what, const char *url,
    struct outcome *r)
{
	if (http_same_origin(url, api->base))
		return true;
	(void)outcome_set(r, REPLY_RETRY,
	    "%s leads to another host than %s and is refused: %.*s; no token "
	    "was sent",
	    what, api->option, (int)strcspn(url, "?"), url);
	(void)snprintf(r->code, sizeof(r->code), "foreign-host");
	return false;
}

static void
count(const struct request *q, enum feed_counter counter, uint64_t n)
{
	if (q->feed != NULL)
		feed_count(q->feed, counter, n);
}

/* Wait until the budget has room; false when stopping. */
static bool
take_turn(struct worker *w, int reserve)
{
	struct source *s = w->source;
	int64_t wait;

	for (;;) {
		wait = rate_take(s->rate, clock_monotonic(), reserve);
		if (wait == 0)
			return true;
		if (!s->rest(s->ctx, wait))
			return false;
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
	rc = http_do(w->http, req, reply, &err);
	count(q, FEED_BYTES, reply->bytes);
	server_clock_hear(s->clock, reply);
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
	if (q->take != NULL && reply->status == 200 &&
	    reply->shape == HTTP_OBJECT)
		rules_unexpected(api->rules, reply, "an array", r);
	else
		rules_judge(api->rules, reply, r);
	if (r->class == REPLY_THROTTLED) {
		count(q, FEED_THROTTLED, 1);
		rate_throttled(s->rate, sent, clock_monotonic(), r->wait);
	} else if (reply->status >= 500) {
		rate_bad(s->rate, clock_monotonic());
	} else {
		rate_good(s->rate);
	}
	return r->class;
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
		.ctx = q->ctx };
	unsigned rejected = 0;

	if (!request_allowed(api, q->what != NULL ? q->what : "the URL", q->url,
		r))
		return r->class;
	for (int try = 0; try < 2; try++) {
		struct auth_proof proof = { .secret = NULL };

		if (!take_turn(w, q->reserve))
			return outcome_set(r, REPLY_STOPPED,
			    "the agent is stopping");
		if (auth_apply(api->auth, w->http, &req, &proof, r) ==
		    REPLY_OK) {
			(void)ask(w, api, q, &req, reply, r);
			if (r->class == REPLY_UNAUTHORISED)
				rejected = auth_rejected(api->auth, &proof);
			else if (reply->status != 0)
				auth_accepted(api->auth);
		} else {
			/* None of the threads gets any further. */
			rate_pause(w->source->rate,
			    clock_monotonic() + r->wait);
		}
		auth_proof_release(&proof);
		if (r->class != REPLY_UNAUTHORISED)
			return r->class;
	}
	r->class = rejected < REJECTED_MAX ? REPLY_RETRY : REPLY_CREDENTIALS;
	return r->class;
}
