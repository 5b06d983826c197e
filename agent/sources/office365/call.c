/*
 * call.c - one request to the Management Activity API.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/secret.h"
#include "http/auth_oauth2.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "sources/office365/office365.h"
#include "store/feed.h"

/* A fresh token that is refused may be a hiccup; so many in a row are not. */
#define REJECTED_MAX 4

#define PUBLISHER "PublisherIdentifier="

struct office365 *
office365_new(const struct office365_conf *conf, struct err *err)
{
	struct office365 *o = xcalloc(1, sizeof(*o));
	struct buf scope = BUF_INIT(1024);
	struct oauth_conf oauth = { .client_id = conf->client_id,
		.client_secret = conf->client_secret,
		.certificate = conf->certificate,
		.private_key = conf->private_key };
	int api_len, login_len;
	const char *api = office365_api(conf, &api_len);
	const char *login = office365_login(conf, &login_len);
	char *token_url;

	o->conf = conf;
	o->root = xasprintf("%.*s/api/v1.0/%s/activity/feed", api_len, api,
	    conf->tenant);
	if (http_origin(api, &scope, err) != 0 ||
	    buf_adds(&scope, "/.default") != 0) {
		(void)err_set(err, "api_url: too long");
		buf_release(&scope);
		office365_free(o);
		return NULL;
	}
	token_url = xasprintf("%.*s/%s/oauth2/v2.0/token", login_len, login,
	    conf->tenant);
	oauth.token_url = token_url;
	oauth.scope = scope.data;
	o->oauth = oauth_new(&oauth);
	free(token_url);
	buf_release(&scope);
	return o;
}

void
office365_free(struct office365 *o)
{
	if (o == NULL)
		return;
	oauth_free(o->oauth);
	free(o->root);
	free(o);
}

int
office365_publish(const struct office365 *o, const char *url, struct buf *out)
{
	const char *query = strchr(url, '?');

	if (buf_adds(out, url) != 0)
		return -1;
	if (query != NULL && strcasestr(query, PUBLISHER) != NULL)
		return 0;
	return buf_addf(out, "%c%s%s", query != NULL ? '&' : '?', PUBLISHER,
	    office365_publisher(o->conf));
}

bool
office365_own(const struct office365 *o, const char *what, const char *url,
    struct outcome *r)
{
	if (http_same_origin(url, o->root))
		return true;
	(void)outcome_set(r, REPLY_RETRY,
	    "%s leads to another host than api_url and is refused: %.*s; no "
	    "token was sent",
	    what, (int)strcspn(url, "?"), url);
	(void)snprintf(r->code, sizeof(r->code), "foreign-host");
	return false;
}

static void
count(const struct office365_call *c, enum feed_counter counter, uint64_t n)
{
	if (c->feed != NULL)
		feed_count(c->feed, counter, n);
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

/* Ask once with this token. */
static enum reply_class
ask(struct worker *w, const struct office365_call *c, const char *token,
    struct http_reply *reply, struct outcome *r)
{
	const struct http_request req = { .url = c->url,
		.body = c->post ? "" : NULL,
		.bearer = token,
		.take = c->take,
		.ctx = c->ctx };
	struct source *s = w->source;
	struct err err = ERR_INIT;
	int64_t sent = clock_monotonic();
	int rc;

	count(c, FEED_REQUESTS, 1);
	rc = http_do(w->http, &req, reply, &err);
	count(c, FEED_BYTES, reply->bytes);
	server_clock_hear(s->clock, reply);
	if (s->stop(s->ctx))
		return outcome_set(r, REPLY_STOPPED, "the agent is stopping");
	if (rc != 0) {
		rate_bad(s->rate, clock_monotonic());
		return outcome_set(r, REPLY_RETRY, "%s", err.text);
	}
	rules_judge(office365_rules, reply, r);
	if (r->class == REPLY_THROTTLED) {
		count(c, FEED_THROTTLED, 1);
		rate_throttled(s->rate, sent, clock_monotonic(), r->wait);
	} else if (reply->status >= 500) {
		rate_bad(s->rate, clock_monotonic());
	} else {
		rate_good(s->rate);
	}
	return r->class;
}

enum reply_class
office365_call(struct worker *w, const struct office365_call *c,
    struct http_reply *reply, struct outcome *r)
{
	struct office365 *o = w->source->state;
	unsigned rejected = 0;

	for (int try = 0; try < 2; try++) {
		char *token;

		if (!take_turn(w, c->reserve))
			return outcome_set(r, REPLY_STOPPED,
			    "the agent is stopping");
		token = oauth_token(o->oauth, w->http, r);
		if (token == NULL) {
			/* None of the threads gets any further. */
			rate_pause(w->source->rate,
			    clock_monotonic() + r->wait);
			return r->class;
		}
		(void)ask(w, c, token, reply, r);
		if (r->class == REPLY_UNAUTHORISED)
			rejected = oauth_reject(o->oauth, token);
		else if (reply->status != 0)
			oauth_accept(o->oauth);
		secret_free(token);
		if (r->class != REPLY_UNAUTHORISED)
			return r->class;
	}
	r->class = rejected < REJECTED_MAX ? REPLY_RETRY : REPLY_CREDENTIALS;
	return r->class;
}
