/*
 * live.c - for check --live: does it work, and if not, why?
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "sources/office365/office365.h"

#define SKEW_MAX (5 * CLOCK_MINUTE)

static bool
never(void *ctx)
{
	(void)ctx;
	return false;
}

/* One try is enough here: nothing is waited for, but it is remembered that
 * something would have been. */
static bool
no_rest(void *ctx, int64_t us)
{
	bool *waiting = ctx;

	(void)us;
	*waiting = true;
	return false;
}

static int
discard(void *ctx, const char *data, size_t len, struct err *err)
{
	(void)ctx;
	(void)data;
	(void)len;
	(void)err;
	return 0;
}

/* May this content be read?  Lists the last minute of it. */
static enum reply_class
try_listing(struct worker *w, const char *content_type, struct outcome *r)
{
	const struct office365 *o = w->source->state;
	int64_t now = server_clock_now(w->source->clock);
	struct office365_call call = { .take = discard };
	struct http_reply reply;
	char from[20], to[20];
	char *url;

	o365_time(now - CLOCK_MINUTE, from);
	o365_time(now, to);
	url = xasprintf("%s/subscriptions/content?contentType=%s"
			"&startTime=%s&endTime=%s&PublisherIdentifier=%s",
	    o->root, content_type, from, to, office365_publisher(o->conf));
	call.url = url;
	http_reply_init(&reply);
	(void)office365_call(w, &call, &reply, r);
	http_reply_release(&reply);
	free(url);
	return r->class;
}

/* One line about one content type; -1 when it can't be collected. */
static int
look(struct worker *w, const char *content_type, struct buf *message,
    struct err *err)
{
	struct office365_subscription sub;
	struct outcome r;

	if (office365_subscription(w, content_type, &sub, &r) != REPLY_OK)
		return err_set(err, "%s: %s", content_type, r.text);
	if (!sub.enabled)
		return buf_addf(message,
		    "%s: the subscription is %s; the agent will start it\n",
		    content_type, sub.known ? "disabled" : "missing");
	if (try_listing(w, content_type, &r) != REPLY_OK)
		return err_set(err, "%s: %s", content_type, r.text);
	return buf_addf(message,
	    "%s: the subscription is enabled and can be "
	    "listed\n",
	    content_type);
}

static int
look_at_all(struct worker *w, struct buf *message, struct err *err)
{
	const struct office365_conf *conf = w->source->conf;
	const bool *waiting = w->source->ctx;
	int64_t skew;
	int rc = 0;

	/* Each of them, and the first fault as the result. */
	for (size_t i = 0; conf->content[i] != NULL; i++) {
		struct err one = ERR_INIT;

		if (look(w, conf->content[i], message, &one) == 0)
			continue;
		/* Behind a refused token or a throttle all are alike. */
		if (*waiting)
			break;
		if (rc != 0 && buf_addf(message, "%s\n", one.text) != 0)
			break;
		rc = err_set(err, "%s", one.text);
	}
	skew = server_clock_skew(w->source->clock);
	if ((skew > SKEW_MAX || skew < -SKEW_MAX) &&
	    buf_addf(message,
		"the vendor's clock is %lld s off from this "
		"machine's; set the clock here\n",
		(long long)(skew / CLOCK_SECOND)) != 0)
		return -1;
	return rc;
}

int
office365_live(const char *name, const void *conf, struct buf *message,
    struct err *err)
{
	const struct office365_conf *c = conf;
	bool waiting = false;
	struct source s = { .type = &source_office365,
		.name = name,
		.conf = conf,
		.stop = never,
		.rest = no_rest,
		.ctx = &waiting };
	struct worker w = { .source = &s };
	int rc = -1;

	s.type->define(conf, &s.definition);
	s.rate = rate_new(s.definition.budget, s.definition.budget);
	s.clock = server_clock_new();
	s.access = http_access_open(&c->http, err);
	s.state = office365_new(c, err);
	if (s.access != NULL && s.state != NULL) {
		w.http = http_new(s.access, NULL, NULL);
		rc = look_at_all(&w, message, err);
	}
	http_free(w.http);
	office365_free(s.state);
	http_access_free(s.access);
	server_clock_free(s.clock);
	rate_free(s.rate);
	return rc;
}
