/*
 * housekeeping.c - what the main thread of collect keeps an eye on: room in
 * the store, expiring items, clocks, certificates; and what it tells of in
 * the agent's own feed.
 */
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/human.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "collect/collect_private.h"
#include "config/config.h"
#include "http/server_clock.h"
#include "sources/agent_feed.h"
#include "store/feed.h"
#include "store/roles.h"
#include "store/store.h"
#include "store/trouble.h"

#define FIRST_HEARTBEAT (5 * CLOCK_SECOND)
#define HEARTBEAT_EVERY CLOCK_MINUTE
/* Sources that could not be opened are tried again so often. */
#define START_EVERY (10 * CLOCK_SECOND)
#define BACKFILL_EVERY CLOCK_SECOND
#define RECONCILE_EVERY CLOCK_SECOND
#define SURVEY_EVERY (5 * CLOCK_SECOND)
#define CLEAN_EVERY (10 * CLOCK_SECOND)
#define CERTIFICATES_EVERY CLOCK_HOUR
#define WARN_EVERY (10 * CLOCK_SECOND)
#define LEAN_AFTER (COLLECT_IDLE + CLOCK_SECOND)
#define LEAN_EVERY (10 * CLOCK_SECOND)
#define SAY_PAUSED_EVERY CLOCK_HOUR
/* A reader that holds up the WAL for longer is told. */
#define STARVED_TOLD (2 * CLOCK_MINUTE)

/* How long the start's event waits for roles that have not told what confines
 * them, and how often it looks. */
#define WALLS_WAIT (2 * CLOCK_SECOND)
#define WALLS_STEP_MS 10

static json_t *
feed_names(const struct collector *c)
{
	json_t *names = json_array();

	for (size_t i = 0; i < c->n_runners; i++)
		for (size_t k = 0; k < c->runners[i].n_workers; k++)
			(void)json_array_append_new(names,
			    json_string(feed_name(c->runners[i]
						      .workers[k]
						      .stream.feed)));
	return names;
}

/* Have all roles told what confines them since the agent began? */
static bool
all_told(const struct roles *r, int64_t began)
{
	if (r->began != began || r->n == 0)
		return false;
	for (size_t i = 0; i < r->n; i++)
		if (!r->role[i].walls.known)
			return false;
	return true;
}

static json_t *
walls_of(const struct role_walls *w)
{
	char bits[20];

	if (!w->known)
		return json_null();
	(void)snprintf(bits, sizeof(bits), "%016" PRIx64, w->capabilities);
	return json_pack("{s:I, s:s, s:b, s:b, s:i, s:i}", "uid",
	    (json_int_t)w->uid, "capabilities", bits, "no_new_privs",
	    w->no_new_privs, "seccomp", w->seccomp, "landlock_abi",
	    (int)w->landlock, "landlock_rules", (int)w->rules);
}

/* What confines each role, as the supervisor has it; they all start at the same
 * time, so those that are a moment later are waited for. */
static json_t *
confinement(const struct collector *c)
{
	const char *path = c->role->config->agent.store.path;
	const int64_t until = clock_monotonic() + WALLS_WAIT;
	json_t *all = json_array();
	struct roles r;

	while (roles_read(path, &r, NULL) != 1 ||
	    !all_told(&r, c->role->started)) {
		if (clock_monotonic() >= until || role_stopping(c->role))
			break;
		roles_release(&r);
		(void)poll(NULL, 0, WALLS_STEP_MS);
	}
	for (size_t i = 0; i < r.n; i++)
		(void)json_array_append_new(all,
		    json_pack("{s:s, s:o}", "role", r.role[i].name, "confined",
			walls_of(&r.role[i].walls)));
	roles_release(&r);
	return all;
}

static void
say_start(struct collector *c)
{
	const struct role *r = c->role;
	const char *cause = r->again ? "restart" : r->cause;

	if (strcmp(cause, "reload") == 0)
		agent_feed_say(c->own, "configuration",
		    json_pack("{s:s}", "configuration",
			r->config->public_digest));
	agent_feed_say(c->own, "start",
	    json_pack("{s:s, s:s, s:s, s:o, s:o}", "version", PACKAGE_VERSION,
		"cause", cause, "configuration", r->config->public_digest,
		"feeds", feed_names(c), "roles", confinement(c)));
}

static struct feed_worker *
find_worker(struct collector *c, const char *name)
{
	for (size_t i = 0; i < c->n_runners; i++)
		for (size_t k = 0; k < c->runners[i].n_workers; k++) {
			struct feed_worker *j = &c->runners[i].workers[k];

			if (strcmp(feed_name(j->stream.feed), name) == 0)
				return j;
		}
	return NULL;
}

/* The longest that something available has waited since the last time. */
static void
add_lateness(struct collector *c, json_t *feeds)
{
	json_t *o;
	size_t i;

	json_array_foreach(feeds, i, o)
	{
		const char *name =
		    json_string_value(json_object_get(o, "feed"));
		struct feed_worker *j = find_worker(c, name);

		if (j == NULL || j->lateness == 0)
			continue;
		(void)json_object_set_new(o, "lateness_seconds",
		    agent_feed_seconds(j->lateness));
		j->lateness = 0;
	}
}

/* Heartbeat and stop: every feed with its counts, in as many events as it
 * takes. */
static void
say_counts(struct collector *c, const char *type)
{
	struct err err = ERR_INIT;
	int64_t after = 0;
	json_t *feeds;

	while ((feeds = agent_feed_counts(c->store, &after, &err)) != NULL &&
	    json_array_size(feeds) > 0) {
		(void)pthread_mutex_lock(&c->lock);
		add_lateness(c, feeds);
		(void)pthread_mutex_unlock(&c->lock);
		agent_feed_say(c->own, type,
		    json_pack("{s:s, s:o}", "version", PACKAGE_VERSION, "feeds",
			feeds));
	}
	if (feeds == NULL)
		log_err("%s", err.text);
	json_decref(feeds);
}

static void
flush_own(struct collector *c, struct housekeeping *h)
{
	struct err err = ERR_INIT;
	int rc = agent_feed_flush(c->own, &err);

	if (rc == 1)
		role_wake(c->role, ROLE_SEAL);
	if (rc != -1 || clock_monotonic() < h->trouble_logged)
		return;
	h->trouble_logged = clock_monotonic() + CLOCK_MINUTE;
	log_err("%s", err.text);
}

/* Seconds until the vendor deletes the oldest of what is not collected. */
static int64_t
until_gap(struct collector *c)
{
	int64_t min = INT64_MAX;

	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->n_runners; i++) {
		const struct source_runner *r = &c->runners[i];

		for (size_t k = 0; k < r->n_workers; k++) {
			int64_t at = collect_deletion(&r->workers[k]);

			if (at != INT64_MIN && at - clock_now() < min)
				min = at - clock_now();
		}
	}
	(void)pthread_mutex_unlock(&c->lock);
	return min == INT64_MAX ? -1 : min / CLOCK_SECOND;
}

static void
say_paused(struct collector *c, const struct store_room *room)
{
	int64_t left = until_gap(c);
	char horizon[64], size[4][HUMAN_TEXT];

	if (left >= 0)
		(void)snprintf(horizon, sizeof(horizon),
		    "in %" PRId64 " h %" PRId64 " min", left / 3600,
		    left / 60 % 60);
	else
		(void)snprintf(horizon, sizeof(horizon),
		    "when the vendor's retention ends");
	log_err("the store is full (%s of %s used, %s free on its disk, %s "
		"must stay free): collecting pauses; the first gap comes %s; "
		"%s",
	    human_bytes(size[0], (uint64_t)room->used),
	    human_bytes(size[1], (uint64_t)room->max_size),
	    human_bytes(size[2], (uint64_t)room->free),
	    human_bytes(size[3], (uint64_t)room->min_free), horizon,
	    room->by_size
		? "check which output is behind, or raise store.max_size"
		: "free space on the store's disk");
	agent_feed_say(c->own, "paused",
	    json_pack("{s:I, s:I, s:I, s:I, s:I}", "used",
		(json_int_t)room->used, "max_size", (json_int_t)room->max_size,
		"free", (json_int_t)room->free, "min_free",
		(json_int_t)room->min_free, "gap_in_seconds",
		(json_int_t)left));
}

/* For those who look at the store: that collecting pauses, and since when.  A
 * disk without any room for it is full for them, too. */
static void
note_paused(struct collector *c, struct housekeeping *h, bool paused)
{
	const struct trouble t = { .subject = "store",
		.class = TROUBLE_FULL,
		.text = "the store is full, and collecting pauses",
		.since = clock_now(),
		.until = INT64_MIN,
		.stands = true };
	struct err err = ERR_INIT;

	if (h->paused_noted == paused)
		return;
	if ((paused ? trouble_set(c->store, &t, &err)
		    : trouble_end(c->store, &t, &err)) == 0)
		h->paused_noted = paused;
}

/* Pause while the store is full, resume by itself. */
static void
watch_room(struct collector *c, struct housekeeping *h)
{
	struct store_room room;
	struct err err = ERR_INIT;
	bool was = c->paused;

	if (store_room_now(c->store, &room, &err) != 0) {
		log_err("%s", err.text);
		return;
	}
	(void)pthread_mutex_lock(&c->lock);
	c->paused = room.full;
	if (was && !room.full) {
		collect_fetch_wake(c);
		collect_poll_wake(c);
	}
	(void)pthread_mutex_unlock(&c->lock);
	if (was && !room.full) {
		log_notice("the store has room again: collecting resumes");
		agent_feed_say(c->own, "resumed", NULL);
	}
	if (room.full && (!was || clock_monotonic() >= h->say_paused)) {
		h->say_paused = clock_monotonic() + SAY_PAUSED_EVERY;
		say_paused(c, &room);
	}
	note_paused(c, h, room.full);
}

static void
survey_worker(struct feed_worker *j)
{
	struct collector *c = j->runner->collector;
	struct err err = ERR_INIT;
	const char *why = NULL;
	unsigned lost;

	if (collect_look(j, &err) != 0)
		log_err("%s: %s", feed_name(j->stream.feed), err.text);
	(void)pthread_mutex_lock(&c->lock);
	lost = j->lost;
	j->lost = 0;
	/* A poll that hangs must not look like one that succeeded. */
	if (c->paused)
		why = "the store is full: collecting pauses";
	else if (j->failures > 0)
		why = j->error;
	if (why != NULL)
		feed_state(j->stream.feed, j->due, why, collect_horizon(j));
	(void)pthread_mutex_unlock(&c->lock);
	if (lost > 0)
		log_err("%s: %u items expired at the vendor before they "
			"could be fetched; see gaps",
		    feed_name(j->stream.feed), lost);
	collect_watch_troubles(j);
}

/* The two clocks disagree, which the first feed tells for its source.  Neither
 * is believed where that would lose something; what is lost is the comfort of
 * one window for both. */
static void
watch_clock(struct source_runner *r)
{
	int64_t skew = server_clock_claim(r->source.clock);
	int64_t off = skew < 0 ? -skew : skew;
	struct outcome why;

	if (r->n_workers == 0)
		return;
	if (off <= SERVER_CLOCK_APART) {
		collect_trouble_ends(&r->workers[0], TROUBLE_OF_CLOCK);
		r->skewed = false;
		return;
	}
	(void)outcome_set(&why, REPLY_CLOCK,
	    "the replies of the vendor tell a time that is %" PRId64
	    " s %s this machine's, which is not believed before several agree; "
	    "check this machine's clock, and that no proxy changes the Date of "
	    "replies",
	    off / CLOCK_SECOND, skew > 0 ? "ahead of" : "behind");
	(void)snprintf(why.code, sizeof(why.code), "clock");
	collect_trouble(&r->workers[0], TROUBLE_OF_CLOCK, &why, INT64_MIN,
	    NULL);
	if (r->skewed)
		return;
	r->skewed = true;
	agent_feed_say(r->collector->own, "clock",
	    json_pack("{s:s, s:I}", "source", r->source.name, "skew_seconds",
		(json_int_t)(skew / CLOCK_SECOND)));
}

static void
survey(struct collector *c)
{
	for (size_t i = 0; i < c->n_runners; i++) {
		struct source_runner *r = &c->runners[i];

		watch_clock(r);
		for (size_t k = 0; k < r->n_workers; k++)
			survey_worker(&r->workers[k]);
	}
	collect_watch_outputs(c);
}

/* A time that is over by every clock that is known; INT64_MIN: as long as no
 * vendor has answered, only this machine's is, which may be off. */
static int64_t
surely_now(const struct collector *c)
{
	int64_t now = clock_now();
	bool answered = c->n_runners == 0;

	for (size_t i = 0; i < c->n_runners; i++) {
		struct server_clock *clock = c->runners[i].source.clock;
		int64_t there = server_clock_now(clock);

		answered = answered || server_clock_known(clock);
		if (there < now)
			now = there;
	}
	return answered ? now : INT64_MIN;
}

/* A reader that never ends keeps the WAL growing: say so, once an hour, and
 * when it is over. */
static void
watch_reader(struct collector *c, struct housekeeping *h)
{
	const int64_t since = store_starved(c->store);
	struct trouble t = { .subject = "store",
		.class = "reader",
		.code = "checkpoint",
		.since = clock_now(),
		.until = INT64_MIN };
	struct err err = ERR_INIT;
	int64_t minutes = (clock_monotonic() - since) / CLOCK_MINUTE;

	(void)snprintf(t.text, sizeof(t.text),
	    "a process has been reading an old state of the store for %" PRId64
	    " minutes, so its WAL grows and cannot be carried over; end that "
	    "process (fuser names it)",
	    minutes);
	if (since == 0 && h->starved_told != 0) {
		h->starved_told = 0;
		log_notice("the store's WAL is carried over again");
		agent_feed_say(c->own, "recovered",
		    json_pack("{s:s, s:s}", "feed", "store", "code", t.code));
		if (trouble_end(c->store, &t, &err) != 0)
			log_err("%s", err.text);
	}
	if (since == 0 || clock_monotonic() - since < STARVED_TOLD ||
	    (h->starved_told != 0 &&
		clock_monotonic() - h->starved_told < SAY_PAUSED_EVERY))
		return;
	h->starved_told = clock_monotonic();
	log_warn("%s", t.text);
	agent_feed_say(c->own, "error",
	    json_pack("{s:s, s:s, s:s, s:s}", "feed", "store", "class", t.class,
		"code", t.code, "error", t.text));
	if (trouble_set(c->store, &t, &err) != 0)
		log_err("%s", err.text);
}

static void
clean(struct collector *c)
{
	const int64_t now = surely_now(c);
	struct err err = ERR_INIT;

	if (store_clean(c->store, c->role->config->agent.retain, &err) != 0 ||
	    (now != INT64_MIN && store_forget(c->store, now, &err) != 0))
		log_err("%s", err.text);
}

static bool
is_due(int64_t *at, int64_t now, int64_t every)
{
	if (now < *at)
		return false;
	*at = now + every;
	return true;
}

/* Give back memory that is not needed at rest, after the fetchers: polls that
 * find nothing want little of it again. */
static void
keep_lean(struct collector *c, struct housekeeping *h, int64_t now)
{
	const int64_t committed = store_committed(c->store);

	if ((committed != 0 && now - committed < LEAN_AFTER) ||
	    !is_due(&h->lean, now, LEAN_EVERY))
		return;
	store_rest(c->store);
	mem_give_back();
}

void
collect_housekeeping_keep(struct collector *c, struct housekeeping *h)
{
	int64_t now = clock_monotonic();

	/* Before anything is read that there is no room for. */
	watch_room(c, h);
	if (is_due(&h->start, now, START_EVERY))
		collect_start(c);
	if (is_due(&h->backfill, now, BACKFILL_EVERY))
		collect_backfill(c);
	if (is_due(&h->reconcile, now, RECONCILE_EVERY))
		collect_reconcile(c);
	if (is_due(&h->survey, now, SURVEY_EVERY))
		survey(c);
	if (is_due(&h->clean, now, CLEAN_EVERY)) {
		clean(c);
		watch_reader(c, h);
	}
	if (is_due(&h->certificates, now, CERTIFICATES_EVERY))
		collect_certificates(c);
	if (is_due(&h->warn, now, WARN_EVERY))
		collect_warn_certificates(c, &h->expiry);
	if (is_due(&h->heartbeat, now, HEARTBEAT_EVERY))
		say_counts(c, "heartbeat");
	flush_own(c, h);
	keep_lean(c, h, now);
}

void
collect_housekeeping_open(struct collector *c, struct housekeeping *h)
{
	struct err forgotten = ERR_INIT;

	if (trouble_forget(c->store, "store", &forgotten) != 0)
		log_err("%s", forgotten.text);
	*h = (struct housekeeping){ .heartbeat =
					clock_monotonic() + FIRST_HEARTBEAT };
	say_start(c);
}

void
collect_housekeeping_close(struct collector *c, struct housekeeping *h)
{
	say_counts(c, "stop");
	flush_own(c, h);
	free(h->expiry.told);
}
