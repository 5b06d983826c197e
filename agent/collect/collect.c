/*
 * collect.c - the role that reads from the vendors: its main thread opens
 * the store and the sources, starts their threads and keeps house.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/exit_status.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "collect/collect.h"
#include "collect/collect_private.h"
#include "config/config.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "sources/agent_feed.h"
#include "store/feed.h"
#include "store/store.h"
#include "store/trouble.h"

#define TICK_MS 500

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

/* source.spare */
static int64_t
spare(void *ctx)
{
	return collect_spare(ctx);
}

/* source.listed */
static void
listed(void *ctx, struct stream *st)
{
	struct collector *c = ctx;
	struct feed_worker *j = st->worker;

	(void)pthread_mutex_lock(&c->lock);
	j->listings++;
	j->item_due = 0;
	collect_fetch(j->runner);
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

/* source.trouble */
static void
trouble(void *ctx, struct stream *st, const struct outcome *r)
{
	(void)ctx;
	collect_troubled(st->worker, r);
}

static int
open_workers(struct source_runner *r, struct err *err)
{
	struct source *s = &r->source;
	const char *const *names = s->definition.streams;
	size_t n = 0;

	while (names[n] != NULL)
		n++;
	r->workers = xcalloc(n > 0 ? n : 1, sizeof(*r->workers));
	for (; r->n_workers < n; r->n_workers++) {
		struct feed_worker *j = &r->workers[r->n_workers];
		char *name = xasprintf("%s/%s", s->name, names[r->n_workers]);

		j->runner = r;
		j->listed = INT64_MIN;
		j->oldest = j->expires = INT64_MAX;
		j->stream = (struct stream){ .source = s,
			.name = names[r->n_workers],
			.worker = j,
			.listed = INT64_MIN };
		stream_begin(&j->stream);
		j->stream.feed = feed_open(r->collector->store, name,
		    s->definition.dedupe, err);
		free(name);
		if (j->stream.feed == NULL ||
		    trouble_forget(r->collector->store,
			feed_name(j->stream.feed), err) != 0) {
			feed_close(j->stream.feed);
			stream_end(&j->stream);
			return -1;
		}
	}
	return 0;
}

/* The vendor counts by credential: sources with the same one have one budget
 * for all of them. */
static void
share_rate(struct collector *c, struct source_runner *r)
{
	struct source *s = &r->source;

	if (s->type->credential != NULL)
		r->credential = s->type->credential(s->conf);
	for (struct source_runner *o = c->runners;
	     r->credential != NULL && o < r; o++)
		if (o->source.type == s->type && o->credential != NULL &&
		    o->source.definition.budget == s->definition.budget &&
		    strcmp(o->credential, r->credential) == 0) {
			s->rate = o->source.rate;
			r->shares = true;
			return;
		}
	s->rate = rate_new(s->definition.budget, s->definition.budget_max);
}

/* By the monotonic clock. */
static void
cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(cond, &attr);
	(void)pthread_condattr_destroy(&attr);
}

static int
open_source(struct collector *c, const struct config_entry *conf,
    struct err *err)
{
	struct source_runner *r = &c->runners[c->n_runners++];
	struct source *s = &r->source;

	r->collector = c;
	*s = (struct source){ .type = source_type_of(conf->type),
		.name = conf->name,
		.folder = c->role->config->agent.collect.folder,
		.old_folder = c->folder,
		.conf = conf->conf,
		.clock = server_clock_new(),
		.stop = stop_now,
		.rest = rest,
		.spare = spare,
		.listed = listed,
		.committed = committed,
		.trouble = trouble,
		.ctx = c };
	cond_init(&r->work);
	s->type->define(s->conf, &s->definition);
	if (s->type->fetch != NULL)
		r->n_fetchers = (size_t)s->definition.parallel;
	share_rate(c, r);
	if (open_workers(r, err) != 0)
		return -1;
	collect_reconciler_open(r);
	c->n_feeds += r->n_workers;
	return 0;
}

static void
close_source(struct source_runner *r)
{
	collect_reconciler_close(r);
	for (size_t i = 0; i < r->n_workers; i++) {
		feed_close(r->workers[i].stream.feed);
		stream_end(&r->workers[i].stream);
		free(r->workers[i].troubles);
		http_free(r->workers[i].polls.http);
	}
	free(r->workers);
	(void)pthread_cond_destroy(&r->work);
	if (r->source.state != NULL)
		r->source.type->close(&r->source);
	http_access_free(r->source.access);
	if (!r->shares)
		rate_free(r->source.rate);
	free(r->credential);
	server_clock_free(r->source.clock);
}

int64_t
collect_local_now(const struct collector *c)
{
	int64_t steady = clock_monotonic() + c->ahead, now = clock_now();

	return now < steady ? now : steady;
}

static void
collector_init(struct collector *c, const struct role *role)
{
	*c = (struct collector){ .role = role,
		.ahead = clock_now() - clock_monotonic() };
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_mutex_init(&c->telling, NULL);
	cond_init(&c->calm);
	cond_init(&c->turn);
	cond_init(&c->next);
	cond_init(&c->gone);
}

static int
collector_open(struct collector *c, struct err *err)
{
	const struct config *config = c->role->config;

	c->store = store_open(config->agent.store.path, STORE_DURABLE, err);
	if (c->store == NULL)
		return -1;
	store_agent(c->store, config->agent.name);
	store_limits(c->store, config->agent.store.max_size,
	    config->agent.store.min_free);
	c->own = agent_feed_open(c->store, config->agent.name, err);
	if (c->own == NULL)
		return -1;
	c->folder = file_folder(config->agent.store.path);
	c->runners = xcalloc(config->n_sources + 1, sizeof(*c->runners));
	for (size_t i = 0; i < config->n_sources; i++) {
		role_alive(c->role);
		if (open_source(c, &config->sources[i], err) != 0)
			return -1;
	}
	c->turns = xcalloc(c->n_feeds + 1, sizeof(*c->turns));
	return 0;
}

static void
collector_close(struct collector *c)
{
	for (size_t i = 0; i < c->n_runners; i++)
		close_source(&c->runners[i]);
	free(c->runners);
	free(c->turns);
	free(c->folder);
	free(c->outputs);
	agent_feed_close(c->own);
	store_close(c->store);
	(void)pthread_cond_destroy(&c->calm);
	(void)pthread_cond_destroy(&c->turn);
	(void)pthread_cond_destroy(&c->next);
	(void)pthread_cond_destroy(&c->gone);
	(void)pthread_mutex_destroy(&c->telling);
	(void)pthread_mutex_destroy(&c->lock);
}

int
collect_run(const struct role *role)
{
	struct collector c;
	struct housekeeping housekeeping;
	struct err err = ERR_INIT;
	int status = EXIT_WRONG;

	collector_init(&c, role);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		(void)err_set(&err, "libcurl cannot be initialised");
	else if (collector_open(&c, &err) == 0)
		status = EXIT_FINE;
	if (status != EXIT_FINE)
		log_err("%s", err.text);
	else
		collect_housekeeping_open(&c, &housekeeping);
	while (status == EXIT_FINE && !role_stopping(role)) {
		role_alive(role);
		collect_housekeeping_keep(&c, &housekeeping);
		role_rest(role, TICK_MS);
	}
	if (!collect_join(&c)) {
		log_warn("a thread did not stop in time; what it has not "
			 "committed is fetched again");
		return status;
	}
	if (status == EXIT_FINE)
		collect_housekeeping_close(&c, &housekeeping);
	collector_close(&c);
	curl_global_cleanup();
	return status;
}
