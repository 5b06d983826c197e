/*
 * health.c - how polls and fetches go: the log, the feed's state and
 * the agent's own feed.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "collect/collect_private.h"
#include "http/server_clock.h"
#include "sources/agent_feed.h"
#include "store/feed.h"

/* A wait that is longer is told with its end. */
#define LONG_WAIT (10 * CLOCK_SECOND)

int
collect_look(struct feed_worker *j, struct err *err)
{
	struct collector *c = j->runner->collector;
	/* Before the look: what a poll lists meanwhile is not in it. */
	int64_t listed = j->stream.listed;
	int64_t oldest = INT64_MAX, expires = INT64_MAX;

	/* Without fetches there are no items. */
	if (j->runner->n_fetchers > 0 &&
	    item_oldest(j->stream.feed, &oldest, &expires, err) != 0)
		return -1;
	(void)pthread_mutex_lock(&c->lock);
	j->listed = listed;
	j->oldest = oldest;
	j->expires = expires;
	/* A thread that could not be had before. */
	if (oldest != INT64_MAX && j->runner->fetching == 0 &&
	    j->runner->started) {
		j->item_due = 0;
		collect_fetch(j->runner);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return 0;
}

/* Where the store fails the survey, which looks too, tells of it; and what
 * was seen before paints nothing better than it is. */
static void
look(struct feed_worker *j)
{
	struct err err = ERR_INIT;

	(void)collect_look(j, &err);
}

/* A time of the vendor by the local clock, which spans are measured with. */
static int64_t
local(const struct feed_worker *j, int64_t at)
{
	return clock_now() - (server_clock_now(j->runner->source.clock) - at);
}

int64_t
collect_horizon(const struct feed_worker *j)
{
	int64_t at = j->listed;

	if (j->oldest != INT64_MAX && (at == INT64_MIN || j->oldest < at))
		at = j->oldest;
	return at == INT64_MIN ? INT64_MIN : local(j, at);
}

int64_t
collect_deletion(const struct feed_worker *j)
{
	int64_t keeps = j->runner->source.definition.retention;
	int64_t at = j->expires;

	if (keeps > 0 && j->listed != INT64_MIN && j->listed + keeps < at)
		at = j->listed + keeps;
	return at == INT64_MAX ? INT64_MIN : local(j, at);
}

/* When r's next try is due where that is far off, or the vendor asked for the
 * wait. */
static int64_t
tried_again(const struct outcome *r, int64_t delay)
{
	if (r->wait > 0 && delay >= LONG_WAIT)
		return clock_now() + delay;
	return INT64_MIN;
}

/* Some rows of a list could not be read, which the source tells once. */
static void
tell_odd(struct feed_worker *j, const struct outcome *r)
{
	log_warn("%s: %s", feed_name(j->stream.feed), r->text);
	agent_feed_say(j->runner->collector->own, "error",
	    json_pack("{s:s, s:s, s:o, s:s}", "feed", feed_name(j->stream.feed),
		"class", "odd", "error", agent_feed_text(r->text), "code",
		r->code));
}

void
collect_troubled(struct feed_worker *j, const struct outcome *r)
{
	feed_count(j->stream.feed, FEED_ERRORS, 1);
	if (strcmp(r->code, REPLY_ODD_ROW) == 0)
		tell_odd(j, r);
	else if (r->class == REPLY_GONE)
		log_err("%s: something is lost: %s", feed_name(j->stream.feed),
		    r->text);
	else
		collect_trouble(j, TROUBLE_OF_POLL, r, INT64_MIN, NULL);
}

void
collect_polled(struct feed_worker *j, const struct outcome *r, int64_t delay)
{
	struct collector *c = j->runner->collector;
	bool good = r->class == REPLY_OK;

	if (r->class == REPLY_STOPPED)
		return;
	look(j);
	(void)pthread_mutex_lock(&c->lock);
	j->due = clock_now() + delay;
	j->failures = good ? 0 : j->failures + 1;
	(void)snprintf(j->error, sizeof(j->error), "%.500s",
	    good ? "" : r->text);
	feed_state(j->stream.feed, j->due, good ? NULL : j->error,
	    collect_horizon(j));
	(void)pthread_mutex_unlock(&c->lock);
	if (good) {
		collect_trouble_ends(j, TROUBLE_OF_POLL);
		return;
	}
	feed_count(j->stream.feed, FEED_ERRORS, 1);
	collect_trouble(j, TROUBLE_OF_POLL, r, tried_again(r, delay), NULL);
}

/* Created at the vendor to durable here, both by the vendor's clock. */
static void
note_success(struct feed_worker *j, const struct item *it)
{
	struct collector *c = j->runner->collector;
	int64_t late = server_clock_now(j->runner->source.clock) - it->created;

	(void)pthread_mutex_lock(&c->lock);
	if (late > j->lateness)
		j->lateness = late;
	j->fetched = clock_monotonic();
	(void)pthread_mutex_unlock(&c->lock);
}

void
collect_fetched_all(struct feed_worker *j)
{
	struct collector *c = j->runner->collector;
	int64_t horizon;

	look(j);
	(void)pthread_mutex_lock(&c->lock);
	horizon = collect_horizon(j);
	(void)pthread_mutex_unlock(&c->lock);
	feed_horizon(j->stream.feed, horizon);
}

void
collect_fetched(struct feed_worker *j, const struct item *it,
    const struct outcome *r, int64_t wait)
{
	if (r->class == REPLY_STOPPED)
		return;
	if (r->class == REPLY_OK) {
		note_success(j, it);
		return;
	}
	feed_count(j->stream.feed, FEED_ERRORS, 1);
	collect_trouble(j, TROUBLE_OF_FETCH, r, tried_again(r, wait), it->key);
}
