/*
 * subscribe.c - subscriptions: listed first, started only where one
 * is missing, never stopped, since what becomes available while one is off is
 * never to be had.
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
#include "http/server_clock.h"
#include "sources/office365/office365.h"
#include "store/feed.h"

/* The API wants so long between two starts. */
#define START_EVERY (15 * CLOCK_MINUTE)
/* An administrator may be quicker than that. */
#define LOOK_AGAIN (10 * CLOCK_SECOND)
/* A start that was refused was none; one without an answer was none, either,
 * when the list does not show it after a while. */
#define REFUSED_AGAIN (5 * CLOCK_SECOND)
#define UNANSWERED_AGAIN (30 * CLOCK_SECOND)

static void
find(const json_t *list, const char *content_type,
    struct office365_subscription *out)
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
		out->enabled =
		    status != NULL && strcasecmp(status, "enabled") == 0;
	}
}

enum reply_class
office365_subscription(struct worker *w, const char *content_type,
    struct office365_subscription *out, struct outcome *r)
{
	const struct office365 *o = w->source->state;
	char *url = xasprintf("%s/subscriptions/list?PublisherIdentifier=%s",
	    o->root, office365_publisher(o->conf));
	const struct office365_call call = { .url = url };
	struct http_reply reply;
	json_t *list = NULL;

	*out = (struct office365_subscription){ .known = false };
	http_reply_init(&reply);
	if (office365_call(w, &call, &reply, r) == REPLY_OK) {
		if (reply.body.len > 0)
			list = json_loadb(reply.body.data, reply.body.len, 0,
			    NULL);
		if (json_is_array(list))
			find(list, content_type, out);
		else
			(void)outcome_set(r, REPLY_RETRY,
			    "the list of subscriptions is not a JSON array "
			    "(type %s); a proxy's or a login page",
			    reply.type);
	}
	json_decref(list);
	http_reply_release(&reply);
	free(url);
	return r->class;
}

static bool
is_object(const struct buf *body)
{
	json_t *top =
	    body->len > 0 ? json_loadb(body->data, body->len, 0, NULL) : NULL;
	bool is = json_is_object(top);

	json_decref(top);
	return is;
}

static enum reply_class
start(struct worker *w, struct stream *st, struct outcome *r)
{
	const struct office365 *o = w->source->state;
	struct office365_stream *os = st->state;
	char *url = xasprintf("%s/subscriptions/start?contentType=%s"
			      "&PublisherIdentifier=%s",
	    o->root, st->name, office365_publisher(o->conf));
	const struct office365_call call = {
		.url = url, .post = true, .feed = st->feed
	};
	struct http_reply reply;

	http_reply_init(&reply);
	if (office365_call(w, &call, &reply, r) == REPLY_BENIGN)
		r->class = REPLY_OK;
	else if (r->class == REPLY_OK && !is_object(&reply.body))
		(void)outcome_set(r, REPLY_RETRY,
		    "the answer to the subscription's start is not a JSON "
		    "object (type %s); a proxy's or a login page",
		    reply.type);
	if (r->class != REPLY_OK)
		os->cursor.started -= START_EVERY -
		    (reply.status / 100 > 2 ? REFUSED_AGAIN : UNANSWERED_AGAIN);
	http_reply_release(&reply);
	free(url);
	return r->class;
}

/* How long until the next start may be sent; 0: now. */
static int64_t
guard(const struct office365_stream *os, int64_t now)
{
	int64_t since = now - os->cursor.started;

	if (os->cursor.started == 0 || since < 0 || since >= START_EVERY)
		return 0;
	return START_EVERY - since;
}

enum reply_class
office365_subscribe(struct worker *w, struct stream *st, struct outcome *r)
{
	struct office365_stream *os = st->state;
	struct office365_subscription sub;
	int64_t now, wait;

	if (office365_subscription(w, st->name, &sub, r) != REPLY_OK)
		return r->class;
	if (office365_begin(st, r) != REPLY_OK)
		return r->class;
	if (sub.enabled && !os->denied)
		goto on;
	now = server_clock_now(w->source->clock);
	wait = guard(os, now);
	if (wait > 0 && sub.enabled)
		goto on;
	if (wait > 0) {
		(void)outcome_set(r, REPLY_INACTIVE,
		    "the subscription is %s and was started not long ago; it "
		    "may be started again in %d s",
		    sub.known ? "disabled" : "missing",
		    (int)(wait / CLOCK_SECOND) + 1);
		(void)snprintf(r->code, sizeof(r->code), "start-guard");
		r->wait = wait < LOOK_AGAIN ? wait : LOOK_AGAIN;
		return r->class;
	}
	/* Durable before it is sent: no crash makes it two. */
	os->cursor.started = now;
	if (office365_save(st, NULL, r) != REPLY_OK ||
	    start(w, st, r) != REPLY_OK)
		return r->class;
on:
	os->subscribed = true;
	os->denied = false;
	return outcome_set(r, REPLY_OK, "the subscription is enabled");
}
