/*
 * trouble.c - what stands still is told once, under a stable name: in the log,
 * the agent's own feed and the store, where status and the metrics find it.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/collect_private.h"
#include "sources/agent_feed.h"
#include "store/feed.h"
#include "store/trouble.h"

#define TELL_EVERY CLOCK_HOUR
/* What comes back within the hour is told when it comes so often, but not
 * sooner than this after it was told. */
#define AGAIN_COUNT 3
#define AGAIN_AFTER CLOCK_MINUTE
/* A fetch's trouble that did not occur for longer than any retry waits is over,
 * whatever ails other items. */
#define QUIET (10 * CLOCK_MINUTE)
/* A poll that waits longer for one thing is told; for its turn, one that waits
 * longer than the interval too, since streams of one account share a budget. */
#define SLOW (10 * CLOCK_SECOND)

#define CHECK_NETWORK "check network, proxy and the vendor's service health"
static const struct {
	const char *what;
	const char *remedy;
} waits[] = {
	[WAITS_TOKEN] = { "an access token", CHECK_NETWORK },
	[WAITS_BUDGET] = { "its turn in the budget of requests",
	    "the streams that share it need more than the vendor allows; a "
	    "longer interval or fewer streams need less" },
	[WAITS_ANSWER] = { "the answer of the vendor's API", CHECK_NETWORK },
	[WAITS_VENDOR] = { "the time that the vendor wants between replies",
	    "it goes on when that is over" },
};

static const char *const slow_code = "slow";

/* Another's word becomes a label and an identity. */
static void
set_code(char out[REPLY_CODE], const struct outcome *r)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789._-";
	int status;

	(void)snprintf(out, REPLY_CODE, "%s", r->code);
	if (out[0] == '\0' && sscanf(r->text, "status %d", &status) == 1)
		(void)snprintf(out, REPLY_CODE, "status-%d", status);
	for (char *c = out; *c != '\0'; c++)
		if (strchr(plain, *c) == NULL)
			*c = '_';
}

/* Is a the one with that name?  A code that stands for two classes, as of a
 * refusal that comes again and again, is one trouble that has changed. */
static bool
is_named(const struct feed_trouble *a, enum reply_class class, const char *code)
{
	return a->last != 0 && strcmp(a->code, code) == 0 &&
	    (a->class == class || code[0] != '\0');
}

/* The one with that name, or room for it: the one that ended first, or else the
 * one that has not occurred for longest. */
static struct feed_trouble *
find(struct feed_worker *j, enum reply_class class, const char *code)
{
	struct feed_trouble *room;

	if (j->troubles == NULL)
		j->troubles = xcalloc(TROUBLES_MAX, sizeof(*j->troubles));
	room = &j->troubles[0];
	for (size_t i = 0; i < TROUBLES_MAX; i++) {
		struct feed_trouble *a = &j->troubles[i];

		if (is_named(a, class, code))
			return a;
		if ((a->of == 0) > (room->of == 0) ||
		    ((a->of == 0) == (room->of == 0) && a->last < room->last))
			room = a;
	}
	return room;
}

/* Is it to be told now? */
static bool
is_news(const struct feed_trouble *a, int64_t now)
{
	if (a->told == 0 || now - a->told >= TELL_EVERY ||
	    (a->until != INT64_MIN && !a->said_wait))
		return true;
	return !a->said && a->count >= AGAIN_COUNT &&
	    now - a->told >= AGAIN_AFTER;
}

static json_t *
about(const struct feed_worker *j, const struct feed_trouble *a)
{
	json_t *o = json_pack("{s:s, s:s, s:o}", "feed",
	    feed_name(j->stream.feed), "class", reply_class_name(a->class),
	    "error", agent_feed_text(a->text));

	if (o != NULL && a->code[0] != '\0')
		(void)json_object_set_new(o, "code", json_string(a->code));
	return o;
}

static void
tell(struct feed_worker *j, const struct feed_trouble *a, const char *what)
{
	struct collector *c = j->runner->collector;
	json_t *more = about(j, a);
	char until[CLOCK_TEXT + 32] = "";

	if (a->until != INT64_MIN) {
		(void)snprintf(until, sizeof(until), "waits until ");
		(void)clock_format(a->until, 0, until + strlen(until));
		(void)strcat(until, " because ");
		(void)json_object_set_new(more, "waits_until",
		    agent_feed_time(a->until));
	}
	if (what != NULL)
		(void)json_object_set_new(more, "content",
		    agent_feed_text(what));
	log_warn("%s: %s%s%s%s", feed_name(j->stream.feed),
	    what != NULL ? what : "", what != NULL ? ": " : "", until, a->text);
	agent_feed_say(c->own,
	    strcmp(a->code, "foreign-host") == 0 ? "refused" : "error", more);
	if (strcmp(a->code, "AADSTS7000222") == 0)
		agent_feed_say(c->own, "credential-expiry",
		    json_pack("{s:s, s:s, s:i}", "source",
			j->runner->source.name, "option", "client_secret",
			"days_left", 0));
}

/* Write it to the store, or take it out.  Without the lock. */
static void
keep(struct feed_worker *j, const struct feed_trouble *a)
{
	struct store *s = j->runner->collector->store;
	struct trouble t = {
		.since = a->since, .until = a->until, .stands = a->stands
	};
	struct err err = ERR_INIT;
	int rc;

	(void)snprintf(t.subject, sizeof(t.subject), "%s",
	    feed_name(j->stream.feed));
	(void)snprintf(t.class, sizeof(t.class), "%s",
	    reply_class_name(a->class));
	(void)snprintf(t.code, sizeof(t.code), "%s", a->code);
	(void)snprintf(t.text, sizeof(t.text), "%s", a->text);
	rc = a->of != 0 ? trouble_set(s, &t, &err) : trouble_end(s, &t, &err);
	if (rc != 0)
		log_info("%s", err.text);
}

/* A trouble occurs.  Under the lock for telling. */
static void
occur(struct feed_worker *j, enum trouble_of of, const struct outcome *r,
    int64_t until, const char *what)
{
	struct collector *c = j->runner->collector;
	int64_t now = clock_monotonic();
	struct feed_trouble *a, copy, before, gone;
	char code[REPLY_CODE];
	bool news;

	set_code(code, r);
	(void)pthread_mutex_lock(&c->lock);
	a = find(j, r->class, code);
	gone = *a;
	if (!is_named(a, r->class, code) || a->class != r->class)
		*a = (struct feed_trouble){ .class = r->class };
	else
		gone.of = 0;
	before = *a;
	if (a->of == 0) {
		(void)snprintf(a->code, sizeof(a->code), "%s", code);
		(void)snprintf(a->text, sizeof(a->text), "%.500s", r->text);
		text_cut(a->text);
		a->since = clock_now();
		a->began = now;
		a->count = 0;
		a->said = false;
		a->said_wait = false;
	}
	a->of |= of;
	a->count++;
	a->last = now;
	a->until = until;
	a->stands = of != TROUBLE_OF_FETCH || j->fetched < a->began;
	news = is_news(a, now);
	if (news) {
		a->told = now;
		a->said = true;
		a->said_wait = a->said_wait || until != INT64_MIN;
	}
	copy = *a;
	(void)pthread_mutex_unlock(&c->lock);
	if (news)
		tell(j, &copy, what);
	else
		log_info("%s: %s", feed_name(j->stream.feed), r->text);
	if (gone.of != 0) {
		gone.of = 0;
		keep(j, &gone);
	}
	if (before.of != copy.of || before.until != copy.until ||
	    before.stands != copy.stands)
		keep(j, &copy);
}

void
collect_trouble(struct feed_worker *j, enum trouble_of of,
    const struct outcome *r, int64_t until, const char *what)
{
	struct collector *c = j->runner->collector;

	(void)pthread_mutex_lock(&c->telling);
	occur(j, of, r, until, what);
	(void)pthread_mutex_unlock(&c->telling);
}

static void
tell_end(struct feed_worker *j, const struct feed_trouble *a)
{
	int64_t lasted = (clock_monotonic() - a->began) / CLOCK_SECOND;
	json_t *more = about(j, a);

	log_notice("%s: is read again after %" PRId64 " s of: %.200s",
	    feed_name(j->stream.feed), lasted, a->text);
	(void)json_object_set_new(more, "after_seconds", json_integer(lasted));
	(void)json_object_set_new(more, "times",
	    json_integer((json_int_t)a->count));
	agent_feed_say(j->runner->collector->own, "recovered", more);
}

/* End what only this ails, and did not occur since. */
static void
end_some(struct feed_worker *j, enum trouble_of of, int64_t since)
{
	struct collector *c = j->runner->collector;

	(void)pthread_mutex_lock(&c->telling);
	for (size_t i = 0; i < TROUBLES_MAX && j->troubles != NULL; i++) {
		struct feed_trouble *a = &j->troubles[i], copy;
		bool ended;

		(void)pthread_mutex_lock(&c->lock);
		ended = (a->of & of) != 0 && a->last <= since;
		if (ended)
			a->of &= ~(unsigned)of;
		ended = ended && a->of == 0;
		copy = *a;
		(void)pthread_mutex_unlock(&c->lock);
		if (!ended)
			continue;
		keep(j, &copy);
		if (copy.said)
			tell_end(j, &copy);
	}
	(void)pthread_mutex_unlock(&c->telling);
}

void
collect_trouble_ends(struct feed_worker *j, enum trouble_of of)
{
	end_some(j, of, INT64_MAX);
}

/* Has anything been fetched since?  Then the feed does not stand still. */
static void
look_what_stands(struct feed_worker *j)
{
	struct collector *c = j->runner->collector;

	(void)pthread_mutex_lock(&c->telling);
	for (size_t i = 0; i < TROUBLES_MAX; i++) {
		struct feed_trouble *a = &j->troubles[i], copy;
		bool moves;

		(void)pthread_mutex_lock(&c->lock);
		moves = a->of == TROUBLE_OF_FETCH && a->stands &&
		    j->fetched >= a->began;
		if (moves)
			a->stands = false;
		copy = *a;
		(void)pthread_mutex_unlock(&c->lock);
		if (moves)
			keep(j, &copy);
	}
	(void)pthread_mutex_unlock(&c->telling);
}

/* A poll that waits and waits has no outcome yet. */
static void
look_for_slow(struct feed_worker *j)
{
	const struct worker *w = &j->polls;
	const enum waiting what = w->waits;
	const int64_t interval = w->source->definition.interval;
	const int64_t slow =
	    what == WAITS_BUDGET && interval > SLOW ? interval : SLOW;
	struct outcome r;

	/* One that is throttled says so itself. */
	if (what == WAITS_NOT || j->stream.hold > clock_monotonic() ||
	    clock_monotonic() - w->waits_since < slow)
		return;
	(void)outcome_set(&r, REPLY_RETRY,
	    "a poll waits for %s, which takes unusually long; %s",
	    waits[what].what, waits[what].remedy);
	(void)snprintf(r.code, sizeof(r.code), "%s", slow_code);
	collect_trouble(j, TROUBLE_OF_POLL, &r, INT64_MIN, NULL);
}

void
collect_watch_troubles(struct feed_worker *j)
{
	struct err err = ERR_INIT;
	bool fetches = false, failing = false;

	look_for_slow(j);
	(void)pthread_mutex_lock(&j->runner->collector->lock);
	for (size_t i = 0; i < TROUBLES_MAX && j->troubles != NULL; i++)
		fetches =
		    fetches || (j->troubles[i].of & TROUBLE_OF_FETCH) != 0;
	(void)pthread_mutex_unlock(&j->runner->collector->lock);
	if (!fetches)
		return;
	look_what_stands(j);
	if (item_failing(j->stream.feed, &failing, &err) != 0)
		log_info("%s", err.text);
	else
		end_some(j, TROUBLE_OF_FETCH,
		    failing ? clock_monotonic() - QUIET : INT64_MAX);
}
