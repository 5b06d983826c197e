/*
 * aws.c - the keys of an identity at AWS: the first one, that of each role
 * assumed with it, and how long they are kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/secret.h"
#include "http/aws_private.h"
#include "http/rate.h"
#include "http/server_clock.h"

/* Keys are got anew so long before they end, or at a quarter of their life. */
#define AHEAD (5 * CLOCK_MINUTE)
/* … and not more often than this when AWS does not accept them. */
#define REJECT_AGAIN (2 * CLOCK_SECOND)
#define REJECT_MAX (5 * CLOCK_MINUTE)
#define TRIES 3

struct aws *
aws_new(const struct aws_conf *conf)
{
	struct aws *a = xcalloc(1, sizeof(*a));

	a->conf = conf;
	(void)pthread_mutex_init(&a->lock, NULL);
	a->clock = server_clock_new();
	return a;
}

void
aws_free(struct aws *a)
{
	if (a == NULL)
		return;
	aws_key_release(&a->now.key);
	server_clock_free(a->clock);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}

/* -- roles ----------------------------------------------------------------- */

/* The external id of the i-th of n roles, NULL: none. */
static const char *
external_id(const struct aws_conf *c, size_t i, size_t n)
{
	size_t ids = 0;

	while (c->external_ids != NULL && c->external_ids[ids] != NULL)
		ids++;
	if (ids == n && n > 0)
		return c->external_ids[i];
	return ids == 1 && i + 1 == n ? c->external_ids[0] : NULL;
}

/* Assume the i-th of n roles with the key in g, which becomes the role's. */
static enum reply_class
assume(struct aws *a, struct http *h, size_t i, size_t n, struct aws_grant *g,
    struct outcome *r)
{
	const struct aws_form form[] = {
		{ "Action", "AssumeRole" },
		{ "Version", "2011-06-15" },
		{ "RoleArn", a->conf->roles[i] },
		{ "RoleSessionName", a->conf->session },
		{ "ExternalId", external_id(a->conf, i, n) },
		{ NULL, NULL },
	};
	struct aws_grant next = { .life = 0 };
	char text[sizeof(r->text)];
	struct http_reply reply;

	http_reply_init(&reply);
	if (aws_ask_sts(a, h, form, &g->key, &reply, r) == REPLY_OK &&
	    aws_take_xml(&next, "AssumeRole", &reply, r) == REPLY_OK) {
		aws_key_release(&g->key);
		/* What it was got with may end sooner, which does not end
		 * it. */
		*g = next;
	} else {
		(void)snprintf(text, sizeof(text), "%s", r->text);
		(void)snprintf(r->text, sizeof(r->text), "role %.200s: %.700s",
		    a->conf->roles[i], text);
	}
	aws_reply_forget(&reply);
	return r->class;
}

/* Get keys once. */
static enum reply_class
get(struct aws *a, struct http *h, struct aws_grant *g, struct outcome *r)
{
	size_t n = 0;

	*g = (struct aws_grant){ .life = 0 };
	(void)outcome_set(r, REPLY_OK, "there are keys");
	(void)aws_first_key(a, h, g, r);
	while (a->conf->roles != NULL && a->conf->roles[n] != NULL)
		n++;
	for (size_t i = 0; i < n && r->class == REPLY_OK; i++)
		(void)assume(a, h, i, n, g, r);
	if (r->class != REPLY_OK)
		aws_key_release(&g->key);
	/* What is not accepted here is not accepted anywhere. */
	if (r->class == REPLY_UNAUTHORISED)
		r->class = REPLY_CREDENTIALS;
	return r->class;
}

/* -- the cache ------------------------------------------------------------- */

static void
keep(struct aws *a, const struct aws_grant *g)
{
	int64_t now = clock_monotonic(), ahead;

	aws_key_release(&a->now.key);
	a->now = *g;
	ahead = g->life / 4 < AHEAD ? g->life / 4 : AHEAD;
	a->ends = g->life == INT64_MAX ? INT64_MAX : now + g->life;
	a->renew = g->life == INT64_MAX ? INT64_MAX : a->ends - ahead;
	a->failures = 0;
	a->again = 0;
}

/* Get keys; with the lock held. */
static void
renew(struct aws *a, struct http *h, struct outcome *r)
{
	char text[sizeof(r->text)];
	struct aws_grant g;
	int64_t wait;

	if (clock_monotonic() < a->again) {
		*r = a->why;
		r->wait = a->again - clock_monotonic();
		return;
	}
	/* A hiccup stops everything: look twice.  And a reply that tells of a
	 * wrong clock has told the time. */
	for (int try = 0; try < TRIES; try++)
		if (get(a, h, &g, r) != REPLY_RETRY && r->class != REPLY_CLOCK)
			break;
	if (r->class == REPLY_OK) {
		keep(a, &g);
		return;
	}
	wait = backoff(a->failures++, CLOCK_SECOND / 2, CLOCK_MINUTE);
	(void)snprintf(text, sizeof(text), "%s", r->text);
	(void)snprintf(r->text, sizeof(r->text), "no key for AWS: %.1000s",
	    text);
	if (r->wait < wait)
		r->wait = wait;
	a->again = clock_monotonic() + r->wait;
	a->why = *r;
}

enum reply_class
aws_keys(struct aws *a, struct http *h, struct aws_key *key, struct outcome *r)
{
	const struct aws_key *have = &a->now.key;

	(void)pthread_mutex_lock(&a->lock);
	(void)outcome_set(r, REPLY_OK, "the key is valid");
	if (have->id == NULL || clock_monotonic() >= a->renew)
		renew(a, h, r);
	/* While a renewal fails, the old one is good to its end. */
	if (r->class != REPLY_OK && have->id != NULL &&
	    clock_monotonic() < a->ends)
		(void)outcome_set(r, REPLY_OK, "the key is valid");
	if (r->class == REPLY_OK)
		*key = (struct aws_key){ .id = xstrdup(have->id),
			.secret = secret_copy(have->secret),
			.token = have->token != NULL ? secret_copy(have->token)
						     : NULL };
	(void)pthread_mutex_unlock(&a->lock);
	return r->class;
}

bool
aws_rejected(struct aws *a, const char *secret)
{
	int64_t now = clock_monotonic();
	bool another = true;

	(void)pthread_mutex_lock(&a->lock);
	if (a->now.key.id != NULL && strcmp(a->now.key.secret, secret) == 0) {
		another = now >= a->reject_again;
		if (another) {
			aws_key_release(&a->now.key);
			a->reject_again = now +
			    backoff(a->rejected++, REJECT_AGAIN, REJECT_MAX);
		}
	}
	(void)pthread_mutex_unlock(&a->lock);
	return another;
}

void
aws_accepted(struct aws *a)
{
	(void)pthread_mutex_lock(&a->lock);
	a->rejected = 0;
	a->reject_again = 0;
	(void)pthread_mutex_unlock(&a->lock);
}

enum reply_class
aws_prove(const struct aws_signer *s, struct http *h,
    const struct http_request *req, struct aws_signature *out, char **secret,
    struct outcome *r)
{
	struct aws_key key = { .id = NULL };
	const struct aws_request q = {
		.method = req->method != NULL ? req->method
		    : req->body != NULL       ? "POST"
					      : "GET",
		.url = req->url,
		.region = s->region,
		.service = s->service,
		.headers = req->headers,
		.body = req->body,
		.len = req->body != NULL ? strlen(req->body) : 0,
		.now = server_clock_now(s->clock),
	};
	struct err err = ERR_INIT;

	if (aws_keys(s->keys, h, &key, r) != REPLY_OK)
		return r->class;
	if (aws_sign(&q, &key, out, &err) == 0)
		*secret = secret_copy(key.secret);
	else
		(void)aws_fail(r, &err);
	aws_key_release(&key);
	return r->class;
}
