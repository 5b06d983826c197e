/*
 * worker.c - the threads of collect: how they begin, wait and end, and
 * the polls.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "collect/collect_private.h"
#include "http/rate.h"
#include "store/feed.h"

/* jansson recurses into hostile nesting; only what is touched costs. */
#define STACK (1024 * 1024)

#define BACKOFF_MIN (CLOCK_SECOND / 2)

static const struct retry_policy poll_retry = { .soon = 10,
	.soon_max = 4 * CLOCK_SECOND,
	.max = CLOCK_MINUTE };

/* While there is a backlog polls come so often, … */
#define SOON CLOCK_SECOND
/* … but listing takes no more than a fifth of the time. */
#define SOON_SHARE 4

/* All threads end within this of a stop. */
#define STOP_SECONDS 3

void
collect_wait(struct collector *c, pthread_cond_t *cond, int64_t monotonic)
{
	struct timespec at = { .tv_sec = monotonic / CLOCK_SECOND,
		.tv_nsec = monotonic % CLOCK_SECOND * 1000 };

	(void)pthread_cond_timedwait(cond, &c->lock, &at);
}

int64_t
collect_retry_delay(const struct retry_policy *p, const struct outcome *r,
    int64_t n)
{
	int64_t wait;

	if (r->class == REPLY_STOPPED)
		return 0;
	if (n > INT16_MAX)
		n = INT16_MAX;
	if (n < p->soon &&
	    (p->any || r->class == REPLY_RETRY || r->class == REPLY_THROTTLED))
		wait = backoff((unsigned)n, BACKOFF_MIN, p->soon_max);
	else
		wait = backoff((unsigned)n, BACKOFF_MIN, p->max);
	return wait > r->wait ? wait : r->wait;
}

/* How long until the next poll. */
static int64_t
poll_delay(const struct feed_worker *j, const struct outcome *r,
    enum poll_next next, int64_t took)
{
	const struct source *s = &j->runner->source;
	int64_t interval = s->definition.interval, delay;

	if (r->class != REPLY_OK)
		return collect_retry_delay(&poll_retry, r, j->failures);
	if (next == POLL_AGAIN)
		return 0;
	if (next == POLL_REST)
		return interval;
	delay = took * SOON_SHARE > SOON ? took * SOON_SHARE : SOON;
	return delay < interval ? delay : interval;
}

/* A feed whose first poll has to wait tells nevertheless how far behind it is
 * and when the vendor deletes what it has not read. */
static void
begin_paused(struct feed_worker *j)
{
	struct collector *c = j->runner->collector;
	const struct source_type *type = j->runner->source.type;
	struct outcome outcome = { .class = REPLY_OK };
	bool paused;

	(void)pthread_mutex_lock(&c->lock);
	paused = c->paused;
	(void)pthread_mutex_unlock(&c->lock);
	if (!paused || type->begin == NULL)
		return;
	type->begin(&j->stream, &outcome);
	if (outcome.class != REPLY_OK)
		collect_troubled(j, &outcome);
}

/* Poll one feed until the agent stops. */
static void *
poll_thread(void *arg)
{
	struct feed_worker *j = arg;
	struct source_runner *r = j->runner;
	struct collector *c = r->collector;
	struct worker w = { .source = &r->source, .stream = &j->stream };
	int64_t due = 0;

	w.http = http_new(r->source.access, r->source.stop, r->source.ctx);
	(void)pthread_mutex_lock(&c->lock);
	j->polls = &w;
	(void)pthread_mutex_unlock(&c->lock);
	begin_paused(j);
	for (;;) {
		struct outcome outcome = { .class = REPLY_OK };
		enum poll_next next;
		int64_t began, delay;

		(void)pthread_mutex_lock(&c->lock);
		while (!c->stopping && (c->paused || clock_monotonic() < due))
			collect_wait(c, &c->calm,
			    c->paused ? clock_monotonic() + COLLECT_IDLE : due);
		if (c->stopping) {
			(void)pthread_mutex_unlock(&c->lock);
			break;
		}
		(void)pthread_mutex_unlock(&c->lock);
		began = clock_monotonic();
		next = r->source.type->poll(&w, &j->stream, &outcome);
		delay =
		    poll_delay(j, &outcome, next, clock_monotonic() - began);
		collect_polled(j, &outcome, delay);
		due = clock_monotonic() + delay;
	}
	(void)pthread_mutex_lock(&c->lock);
	j->polls = NULL;
	(void)pthread_mutex_unlock(&c->lock);
	http_free(w.http);
	return NULL;
}

int
collect_begin(pthread_t *thread, void *(*run)(void *), void *arg,
    struct err *err)
{
	pthread_attr_t attr;
	int rc;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK);
	rc = pthread_create(thread, &attr, run, arg);
	(void)pthread_attr_destroy(&attr);
	if (rc != 0)
		return err_set(err, "a thread cannot be started: %s",
		    strerror(rc));
	return 0;
}

/* What does not depend on the store: files that an administrator may yet put
 * right. */
static int
open_source(struct source *s, struct err *err)
{
	if (s->access == NULL)
		s->access = http_access_open(s->definition.http, err);
	if (s->access == NULL)
		return -1;
	return s->state != NULL ? 0 : s->type->open(s, err);
}

static int
start_threads(struct source_runner *r, struct err *err)
{
	const struct source *s = &r->source;
	size_t n = s->type->fetch != NULL ? (size_t)s->definition.parallel : 0;
	struct collector *c = r->collector;

	if (r->fetchers == NULL)
		r->fetchers = xcalloc(n + 1, sizeof(*r->fetchers));
	while (r->n_fetchers < n) {
		if (collect_begin(&r->fetchers[r->n_fetchers],
			collect_fetch_thread, r, err) != 0)
			return -1;
		(void)pthread_mutex_lock(&c->lock);
		r->n_fetchers++;
		(void)pthread_mutex_unlock(&c->lock);
	}
	for (size_t i = 0; i < r->n_workers; i++) {
		struct feed_worker *j = &r->workers[i];

		if (j->running)
			continue;
		if (collect_begin(&j->thread, poll_thread, j, err) != 0)
			return -1;
		j->running = true;
	}
	r->started = true;
	return 0;
}

static void
start_source(struct source_runner *r)
{
	struct err err = ERR_INIT;
	struct outcome why;

	if (r->started ||
	    (open_source(&r->source, &err) == 0 && start_threads(r, &err) == 0))
		return;
	(void)outcome_set(&why, REPLY_CONFIG, "%s", err.text);
	for (size_t i = 0; i < r->n_workers; i++)
		if (!r->workers[i].running)
			collect_polled(&r->workers[i], &why, 0);
}

void
collect_start(struct collector *c)
{
	sigset_t all, before;
	bool started = true;

	/* Signals are the main thread's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t i = 0; i < c->n_runners; i++) {
		start_source(&c->runners[i]);
		started = started && c->runners[i].started;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started)
		role_ready(c->role);
}

static bool
join(pthread_t thread, const struct timespec *until)
{
	return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, until) == 0;
}

bool
collect_join(struct collector *c)
{
	struct timespec until;
	bool all = true;

	(void)pthread_mutex_lock(&c->lock);
	c->stopping = true;
	(void)pthread_cond_broadcast(&c->work);
	(void)pthread_cond_broadcast(&c->calm);
	(void)pthread_mutex_unlock(&c->lock);
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += STOP_SECONDS;
	for (size_t i = 0; i < c->n_runners; i++) {
		struct source_runner *r = &c->runners[i];

		if (r->backfills)
			all = join(r->backfill_thread, &until) && all;
		for (size_t k = 0; k < r->n_fetchers; k++)
			all = join(r->fetchers[k], &until) && all;
		for (size_t k = 0; k < r->n_workers; k++)
			if (r->workers[k].running)
				all = join(r->workers[k].thread, &until) && all;
	}
	return all;
}
