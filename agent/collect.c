/*
 * collect.c - the role that reads from the vendors: its main thread opens
 * the store and the sources, starts their threads and keeps house.
 */
#include <curl/curl.h>
#include <inttypes.h>
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd.h"
#include "collect.h"
#include "config.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "role.h"
#include "sources/agent_feed.h"
#include "store/feed.h"
#include "store/item.h"
#include "store/report.h"
#include "store/store.h"

#define TICK_MS 500
#define FIRST_HEARTBEAT (5 * CLOCK_SECOND)
#define HEARTBEAT_EVERY CLOCK_MINUTE
#define SURVEY_EVERY (5 * CLOCK_SECOND)
#define CLEAN_EVERY (10 * CLOCK_SECOND)
#define CERTIFICATES_EVERY CLOCK_DAY
#define SAY_PAUSED_EVERY CLOCK_HOUR
/* A clock that is further off is told. */
#define SKEW_MOST (5 * CLOCK_MINUTE)

/* When each duty of the main thread is next due, monotonic. */
struct house {
	int64_t heartbeat;
	int64_t survey;
	int64_t clean;
	int64_t certificates;
	int64_t say_paused;
	int64_t said_trouble; /* with the store */
};

static bool
stop_now(void *ctx)
{
	const struct collector *c = ctx;

	return role_stopping(c->role);
}

/* source.rest */
static bool
rest(void *ctx, int64_t us)
{
	struct collector *c = ctx;
	int64_t until = clock_monotonic() + us;
	struct timespec at = { .tv_sec = until / CLOCK_SECOND,
		.tv_nsec = until % CLOCK_SECOND * 1000 };
	bool go;

	(void)pthread_mutex_lock(&c->lock);
	while (!c->stopping && clock_monotonic() < until)
		(void)pthread_cond_timedwait(&c->calm, &c->lock, &at);
	go = !c->stopping;
	(void)pthread_mutex_unlock(&c->lock);
	return go;
}

/* source.listed */
static void
listed(void *ctx, struct stream *st)
{
	struct collector *c = ctx;
	struct job *j = st->job;

	(void)pthread_mutex_lock(&c->lock);
	j->listings++;
	j->item_due = 0;
	(void)pthread_cond_broadcast(&c->work);
	(void)pthread_mutex_unlock(&c->lock);
}

/* source.committed */
static void
committed(void *ctx, struct stream *st)
{
	struct collector *c = ctx;

	(void)st;
	role_wake(c->role, ROLE_SEAL);
}

static int
open_jobs(struct runner *r, struct err *err)
{
	struct source *s = &r->source;
	const char *const *names = s->type->streams(s->conf);
	size_t n = 0;

	while (names[n] != NULL)
		n++;
	r->jobs = xcalloc(n + 1, sizeof(*r->jobs));
	for (; r->n_jobs < n; r->n_jobs++) {
		struct job *j = &r->jobs[r->n_jobs];
		char *name = xasprintf("%s/%s", s->name, names[r->n_jobs]);

		j->runner = r;
		j->oldest_item = INT64_MAX;
		j->stream = (struct stream){ .source = s,
			.name = names[r->n_jobs],
			.job = j,
			.listed = INT64_MIN,
			.state = xcalloc(1, s->type->stream_size) };
		j->stream.feed = feed_open(r->collector->store, name,
		    s->type->dedupe(s->conf), err);
		free(name);
		if (j->stream.feed == NULL) {
			free(j->stream.state);
			return -1;
		}
	}
	return 0;
}

static int
open_runner(struct collector *c, const struct source_conf *conf,
    struct err *err)
{
	struct runner *r = &c->runners[c->n_runners++];
	struct source *s = &r->source;

	r->collector = c;
	*s = (struct source){ .type = conf->type,
		.name = conf->name,
		.conf = conf->conf,
		.rate = rate_new(conf->type->budget, conf->type->budget_most),
		.clock = server_clock_new(),
		.stop = stop_now,
		.rest = rest,
		.listed = listed,
		.committed = committed,
		.ctx = c };
	s->access = http_access_open(s->type->http(s->conf), err);
	if (s->access == NULL || s->type->open(s, err) != 0 ||
	    open_jobs(r, err) != 0)
		return err_prefix(err, "sources.%s", conf->name);
	return 0;
}

static void
close_runner(struct runner *r)
{
	for (size_t i = 0; i < r->n_jobs; i++) {
		feed_close(r->jobs[i].stream.feed);
		free(r->jobs[i].stream.state);
	}
	free(r->jobs);
	free(r->fetchers);
	if (r->source.state != NULL)
		r->source.type->close(&r->source);
	http_access_free(r->source.access);
	rate_free(r->source.rate);
	server_clock_free(r->source.clock);
}

static void
collector_init(struct collector *c, const struct role *role)
{
	pthread_condattr_t attr;

	*c = (struct collector){ .role = role };
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&c->work, &attr);
	(void)pthread_cond_init(&c->calm, &attr);
	(void)pthread_condattr_destroy(&attr);
}

static int
collector_open(struct collector *c, struct err *err)
{
	const struct config *config = c->role->config;

	c->store = store_open(config->agent.store.path, STORE_DURABLE, err);
	if (c->store == NULL)
		return -1;
	store_limits(c->store, config->agent.store.max_size,
	    config->agent.store.min_free);
	c->own = agent_feed_open(c->store, config->agent.name, err);
	if (c->own == NULL)
		return -1;
	c->runners = xcalloc(config->n_sources + 1, sizeof(*c->runners));
	for (size_t i = 0; i < config->n_sources; i++)
		if (open_runner(c, &config->sources[i], err) != 0)
			return -1;
	return 0;
}

static void
collector_close(struct collector *c)
{
	for (size_t i = 0; i < c->n_runners; i++)
		close_runner(&c->runners[i]);
	free(c->runners);
	agent_feed_close(c->own);
	store_close(c->store);
	(void)pthread_cond_destroy(&c->work);
	(void)pthread_cond_destroy(&c->calm);
	(void)pthread_mutex_destroy(&c->lock);
}

static json_t *
feed_names(const struct collector *c)
{
	json_t *names = json_array();

	for (size_t i = 0; i < c->n_runners; i++)
		for (size_t k = 0; k < c->runners[i].n_jobs; k++)
			(void)json_array_append_new(names,
			    json_string(feed_name(c->runners[i]
						      .jobs[k]
						      .stream.feed)));
	return names;
}

static void
say_start(struct collector *c)
{
	const struct role *r = c->role;
	const char *cause = r->again ? "restart" : r->cause;

	if (strcmp(cause, "reload") == 0)
		agent_feed_say(c->own, "configuration",
		    json_pack("{s:s}", "configuration", r->config->digest));
	agent_feed_say(c->own, "start",
	    json_pack("{s:s, s:s, s:s, s:o}", "version", PACKAGE_VERSION,
		"cause", cause, "configuration", r->config->digest, "feeds",
		feed_names(c)));
}

/* Heartbeat and stop: every feed with its counts. */
static void
say_counts(struct collector *c, const char *type)
{
	struct err err = ERR_INIT;
	json_t *feeds = agent_feed_counts(c->store, &err);

	if (feeds == NULL) {
		log_err("%s", err.text);
		return;
	}
	agent_feed_say(c->own, type,
	    json_pack("{s:s, s:o}", "version", PACKAGE_VERSION, "feeds",
		feeds));
}

static void
flush_own(struct collector *c, struct house *h)
{
	struct err err = ERR_INIT;
	int rc = agent_feed_flush(c->own, &err);

	if (rc == 1)
		role_wake(c->role, ROLE_SEAL);
	if (rc != -1 || clock_monotonic() < h->said_trouble)
		return;
	h->said_trouble = clock_monotonic() + CLOCK_MINUTE;
	log_err("%s", err.text);
}

/* Seconds until the vendor deletes the oldest of what is not collected. */
static int64_t
until_gap(struct collector *c)
{
	int64_t least = INT64_MAX;

	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->n_runners; i++) {
		const struct runner *r = &c->runners[i];

		for (size_t k = 0; k < r->n_jobs; k++) {
			int64_t at = collect_horizon(&r->jobs[k]);

			if (at == INT64_MIN)
				continue;
			at += r->source.type->retention - clock_now();
			if (at < least)
				least = at;
		}
	}
	(void)pthread_mutex_unlock(&c->lock);
	return least == INT64_MAX ? -1 : least / CLOCK_SECOND;
}

static void
say_paused(struct collector *c, const struct store_room *room)
{
	int64_t left = until_gap(c);
	char horizon[64];

	if (left >= 0)
		(void)snprintf(horizon, sizeof(horizon),
		    "in %" PRId64 " h %" PRId64 " min", left / 3600,
		    left / 60 % 60);
	else
		(void)snprintf(horizon, sizeof(horizon),
		    "when the vendor's retention ends");
	log_err("the store is full (%" PRId64 " of %" PRId64
		" bytes used, %" PRId64 " free on disk, %" PRId64
		" to be left): collecting pauses; the first gap comes %s; "
		"see which output is behind, or raise store.max_size",
	    room->used, room->max_size, room->free, room->min_free, horizon);
	agent_feed_say(c->own, "paused",
	    json_pack("{s:I, s:I, s:I, s:I, s:I}", "used",
		(json_int_t)room->used, "max_size", (json_int_t)room->max_size,
		"free", (json_int_t)room->free, "min_free",
		(json_int_t)room->min_free, "gap_in_seconds",
		(json_int_t)left));
}

/* Pause while the store is full, resume by itself. */
static void
watch_room(struct collector *c, struct house *h)
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
		(void)pthread_cond_broadcast(&c->work);
		(void)pthread_cond_broadcast(&c->calm);
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
}

static void
survey_job(struct job *j)
{
	struct collector *c = j->runner->collector;
	struct source *s = &j->runner->source;
	struct err err = ERR_INIT;
	uint64_t items = 0;
	int64_t expires = INT64_MAX, horizon;
	size_t expired = 0;

	if (item_expire(j->stream.feed, server_clock_now(s->clock), &expired,
		&err) != 0 ||
	    item_backlog(j->stream.feed, &items, &expires, &err) != 0) {
		log_err("%s: %s", feed_name(j->stream.feed), err.text);
		return;
	}
	if (expired > 0)
		log_err("%s: %zu items expired at the vendor before they "
			"could be fetched; see gaps",
		    feed_name(j->stream.feed), expired);
	(void)pthread_mutex_lock(&c->lock);
	j->oldest_item = items > 0 && expires != INT64_MAX
	    ? expires - s->type->retention
	    : INT64_MAX;
	horizon = collect_horizon(j);
	feed_state(j->stream.feed, j->due,
	    j->health.failures > 0 ? j->health.text : NULL, horizon);
	(void)pthread_mutex_unlock(&c->lock);
}

static void
watch_clock(struct runner *r)
{
	int64_t skew = server_clock_skew(r->source.clock);
	int64_t off = skew < 0 ? -skew : skew;

	if (off <= SKEW_MOST) {
		r->skewed = false;
		return;
	}
	if (r->skewed)
		return;
	r->skewed = true;
	log_warn("%s: the vendor's clock is %" PRId64 " s %s this machine's; "
		 "set the clock here (times are taken from the vendor)",
	    r->source.name, off / CLOCK_SECOND,
	    skew > 0 ? "ahead of" : "behind");
	agent_feed_say(r->collector->own, "clock",
	    json_pack("{s:s, s:I}", "source", r->source.name, "skew_seconds",
		(json_int_t)(skew / CLOCK_SECOND)));
}

static void
survey(struct collector *c)
{
	for (size_t i = 0; i < c->n_runners; i++) {
		struct runner *r = &c->runners[i];

		watch_clock(r);
		for (size_t k = 0; k < r->n_jobs; k++)
			survey_job(&r->jobs[k]);
	}
}

static bool
is_due(int64_t *at, int64_t now, int64_t every)
{
	if (now < *at)
		return false;
	*at = now + every;
	return true;
}

static void
keep_house(struct collector *c, struct house *h)
{
	int64_t now = clock_monotonic();
	struct err err = ERR_INIT;

	watch_room(c, h);
	if (is_due(&h->survey, now, SURVEY_EVERY))
		survey(c);
	if (is_due(&h->clean, now, CLEAN_EVERY) &&
	    store_clean(c->store, c->role->config->agent.retain, &err) != 0)
		log_err("%s", err.text);
	if (is_due(&h->certificates, now, CERTIFICATES_EVERY))
		collect_certificates(c);
	if (is_due(&h->heartbeat, now, HEARTBEAT_EVERY))
		say_counts(c, "heartbeat");
	flush_own(c, h);
}

/* A dozen threads: few arenas, and memory given back. */
static void
tune_memory(void)
{
	(void)mallopt(M_ARENA_MAX, 2);
	(void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 256 * 1024);
}

int
collect_run(const struct role *role)
{
	struct collector c;
	struct house house = { .heartbeat =
				   clock_monotonic() + FIRST_HEARTBEAT };
	struct err err = ERR_INIT;
	int status = EXIT_WRONG;

	tune_memory();
	collector_init(&c, role);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		(void)err_set(&err, "libcurl can't be initialised");
	else if (collector_open(&c, &err) == 0 && collect_start(&c, &err) == 0)
		status = EXIT_FINE;
	if (status != EXIT_FINE)
		log_err("%s", err.text);
	else
		say_start(&c);
	while (status == EXIT_FINE && !role_stopping(role)) {
		role_alive(role);
		keep_house(&c, &house);
		role_rest(role, TICK_MS);
	}
	if (!collect_join(&c)) {
		log_warn("a thread did not end in time; what it had not "
			 "committed is fetched again");
		return status;
	}
	if (status == EXIT_FINE) {
		say_counts(&c, "stop");
		flush_own(&c, &house);
	}
	collector_close(&c);
	curl_global_cleanup();
	return status;
}
