/*
 * subscription.c - the tenant's subscriptions to content types.
 *
 * They are listed first, started only where one is missing, and never stopped,
 * since what becomes available while one is off is never to be had.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "http/server_clock.h"
#include "sources/office365/office365.h"

/* The API wants so long between two starts. */
#define START_EVERY (15 * CLOCK_MINUTE)
/* An administrator may be quicker than that. */
#define LOOK_AGAIN (10 * CLOCK_SECOND)
/* A start that was refused was none. */
#define REFUSED_AGAIN (5 * CLOCK_SECOND)

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
		/* Of two, one that is enabled will do. */
		out->enabled = out->enabled ||
		    (status != NULL && strcasecmp(status, "enabled") == 0);
	}
}

enum reply_class
office365_find(struct worker *w, const char *content_type,
    struct office365_subscription *out, struct outcome *r)
{
	struct http_reply reply;
	json_t *list = NULL;

	*out = (struct office365_subscription){ .known = false };
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
    const struct office365_subscription *sub, int64_t wait, struct outcome *r)
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

enum reply_class
office365_subscribe(struct worker *w, struct stream *st, struct outcome *r)
{
	struct office365_stream *os = st->state;
	struct office365_subscription sub;
	int64_t now, wait;

	if (office365_find(w, st->name, &sub, r) != REPLY_OK)
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
