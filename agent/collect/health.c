/*
 * health.c - how polls and fetches go: the log, the feed's state and
 * the agent's own feed.
 */
#include <inttypes.h>
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

/* A hiccup that the next try cures is not worth an event. */
#define TELL_AFTER 3
/* A vendor that sends foreign URLs may do so all the time, and a thousand
 * items may have the same trouble. */
#define TELL_EVERY CLOCK_MINUTE

int
collect_look(struct feed_worker *j, struct err *err)
{
	struct collector *c = j->runner->collector;
	/* Before the look: what a poll lists meanwhile is not in it. */
	int64_t listed = j->stream.listed;
	int64_t oldest, expires;

	if (item_oldest(j->stream.feed, &oldest, &expires, err) != 0)
		return -1;
	(void)pthread_mutex_lock(&c->lock);
	j->listed = listed;
	j->oldest = oldest;
	j->expires = expires;
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

/* Someone has to act, or the vendor's answer is strange enough. */
static bool
is_serious(const struct outcome *r)
{
	return r->class == REPLY_CREDENTIALS || r->class == REPLY_CONFIG ||
	    r->class == REPLY_CLOCK || r->class == REPLY_INACTIVE;
}

static json_t *
about(const struct feed_worker *j, const char *class, const char *code,
    const char *text)
{
	json_t *o =
	    json_pack("{s:s, s:s, s:o}", "feed", feed_name(j->stream.feed),
		"class", class, "error", agent_feed_text(text));

	if (o != NULL && *code != '\0')
		(void)json_object_set_new(o, "code", agent_feed_text(code));
	return o;
}

static bool
is_foreign(const struct outcome *r)
{
	return strcmp(r->code, "foreign-host") == 0;
}

/* Is it time to tell again?  at is one of the fields of j. */
static bool
may_tell(struct feed_worker *j, int64_t *at)
{
	struct collector *c = j->runner->collector;
	int64_t now = clock_monotonic();
	bool may;

	(void)pthread_mutex_lock(&c->lock);
	may = now >= *at;
	if (may)
		*at = now + TELL_EVERY;
	(void)pthread_mutex_unlock(&c->lock);
	return may;
}

/* A URL was not followed.  what: the item it belongs to, or NULL. */
static void
tell_refused(struct feed_worker *j, const struct outcome *r, const char *what)
{
	struct collector *c = j->runner->collector;
	json_t *more;

	if (!may_tell(j, &j->say_refused))
		return;
	log_warn("%s: %s", feed_name(j->stream.feed), r->text);
	more = about(j, "refused", r->code, r->text);
	if (more != NULL && what != NULL)
		(void)json_object_set_new(more, "content",
		    agent_feed_text(what));
	agent_feed_say(c->own, "refused", more);
}

/* Some rows of a list could not be read, which the source tells once. */
static void
tell_odd(struct feed_worker *j, const struct outcome *r)
{
	log_warn("%s: %s", feed_name(j->stream.feed), r->text);
	agent_feed_say(j->runner->collector->own, "error",
	    about(j, "odd", r->code, r->text));
}

void
collect_troubled(struct feed_worker *j, const struct outcome *r)
{
	feed_count(j->stream.feed, FEED_ERRORS, 1);
	if (is_foreign(r))
		tell_refused(j, r, NULL);
	else if (strcmp(r->code, REPLY_ODD_ROW) == 0)
		tell_odd(j, r);
	else if (r->class == REPLY_GONE)
		log_err("%s: something is lost: %s", feed_name(j->stream.feed),
		    r->text);
	else
		log_info("%s: %s", feed_name(j->stream.feed), r->text);
}

static void
tell_trouble(struct feed_worker *j, const struct health *h)
{
	struct agent_feed *own = j->runner->collector->own;
	const char *class = reply_class_name(h->class);

	log_warn("%s: %s", feed_name(j->stream.feed), h->text);
	agent_feed_say(own, "error", about(j, class, h->code, h->text));
	if (strcmp(h->code, "AADSTS7000222") == 0)
		agent_feed_say(own, "credential-expiry",
		    json_pack("{s:s, s:s, s:i}", "source",
			j->runner->source.name, "option", "client_secret",
			"days_left", 0));
}

static void
tell_recovery(struct feed_worker *j, const struct health *h)
{
	int64_t lasted = (clock_monotonic() - h->since) / CLOCK_SECOND;

	log_notice("%s: is read again after %" PRId64 " s",
	    feed_name(j->stream.feed), lasted);
	agent_feed_say(j->runner->collector->own, "recovered",
	    json_pack("{s:s, s:I}", "feed", feed_name(j->stream.feed),
		"after_seconds", (json_int_t)lasted));
}

void
collect_polled(struct feed_worker *j, const struct outcome *r, int64_t delay)
{
	struct collector *c = j->runner->collector;
	struct health *h = &j->health, was;
	bool tell = false, recovered = false;

	if (r->class == REPLY_STOPPED)
		return;
	look(j);
	(void)pthread_mutex_lock(&c->lock);
	j->due = clock_now() + delay;
	was = *h;
	if (r->class == REPLY_OK) {
		recovered = h->told;
		*h = (struct health){ .class = REPLY_OK };
	} else {
		if (h->failures++ == 0)
			h->since = clock_monotonic();
		/* Another trouble than the one that was told. */
		if (h->class != r->class || strcmp(h->code, r->code) != 0)
			h->told = false;
		h->class = r->class;
		(void)snprintf(h->code, sizeof(h->code), "%s", r->code);
		(void)snprintf(h->text, sizeof(h->text), "%.500s", r->text);
		tell = !h->told && (is_serious(r) || h->failures >= TELL_AFTER);
		if (tell)
			h->told = true;
		was = *h;
	}
	feed_state(j->stream.feed, j->due,
	    r->class == REPLY_OK ? NULL : h->text, collect_horizon(j));
	(void)pthread_mutex_unlock(&c->lock);
	if (r->class != REPLY_OK)
		feed_count(j->stream.feed, FEED_ERRORS, 1);
	if (tell)
		tell_trouble(j, &was);
	else if (r->class != REPLY_OK)
		log_info("%s: %s", feed_name(j->stream.feed), r->text);
	if (recovered)
		tell_recovery(j, &was);
}

/* Created at the vendor to durable here, both by the vendor's clock. */
static void
note_lateness(struct feed_worker *j, const struct item *it)
{
	struct collector *c = j->runner->collector;
	int64_t late = server_clock_now(j->runner->source.clock) - it->created;

	(void)pthread_mutex_lock(&c->lock);
	if (late > j->lateness)
		j->lateness = late;
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
    const struct outcome *r)
{
	struct agent_feed *own = j->runner->collector->own;
	const char *feed = feed_name(j->stream.feed);

	if (r->class == REPLY_STOPPED)
		return;
	if (r->class == REPLY_OK) {
		note_lateness(j, it);
		return;
	}
	feed_count(j->stream.feed, FEED_ERRORS, 1);
	if (r->class == REPLY_GONE) {
		log_err("%s: %s is lost: %s", feed, it->key, r->text);
	} else if (is_foreign(r)) {
		tell_refused(j, r, it->key);
	} else if (is_serious(r) && may_tell(j, &j->say_item)) {
		log_warn("%s: %s: %s", feed, it->key, r->text);
		agent_feed_say(own, "error",
		    about(j, reply_class_name(r->class), r->code, r->text));
	} else {
		log_info("%s: %s: %s", feed, it->key, r->text);
	}
}
