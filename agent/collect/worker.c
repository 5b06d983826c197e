/*
 * worker.c - the threads of collect: how they begin, wait and end.
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

int
collect_thread(struct collector *c, void *(*run)(void *), void *arg,
    struct err *err)
{
	pthread_t thread;
	pthread_attr_t attr;
	sigset_t every, before;
	int rc;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK);
	/* Signals are the main thread's. */
	(void)sigfillset(&every);
	(void)pthread_sigmask(SIG_SETMASK, &every, &before);
	rc = pthread_create(&thread, &attr, run, arg);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	if (rc != 0)
		return err_set(err, "a thread cannot be started: %s",
		    strerror(rc));
	c->threads++;
	return 0;
}

void
collect_another_thread(struct collector *c, void *(*run)(void *), void *arg)
{
	struct err err = ERR_INIT;
	int64_t now = clock_monotonic();

	if (collect_thread(c, run, arg, &err) == 0 || now < c->crowd_logged)
		return;
	c->crowd_logged = now + CLOCK_MINUTE;
	log_err("polls and fetches wait for each other, since %s; allow the "
		"service more tasks (TasksMax)",
	    err.text);
}

/* Each thread that ends joins the one before. */
void
collect_thread_ends(struct collector *c)
{
	pthread_t before;
	bool join;

	(void)pthread_mutex_lock(&c->lock);
	before = c->ended;
	join = c->has_ended;
	c->ended = pthread_self();
	c->has_ended = true;
	if (--c->threads == 0)
		(void)pthread_cond_signal(&c->gone);
	(void)pthread_mutex_unlock(&c->lock);
	if (join)
		(void)pthread_join(before, NULL);
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
	struct collector *c = r->collector;
	int rc;

	(void)pthread_mutex_lock(&c->lock);
	rc = collect_poll(r, err);
	if (rc == 0)
		collect_fetch(r);
	r->started = rc == 0;
	(void)pthread_mutex_unlock(&c->lock);
	return rc;
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
		collect_polled(&r->workers[i], &why, 0);
}

void
collect_start(struct collector *c)
{
	bool started = true;

	for (size_t i = 0; i < c->n_runners; i++) {
		role_alive(c->role);
		start_source(&c->runners[i]);
		started = started && c->runners[i].started;
	}
	if (started)
		role_ready(c->role);
}

bool
collect_join(struct collector *c)
{
	const int64_t until = clock_monotonic() + STOP_SECONDS * CLOCK_SECOND;
	bool all;

	(void)pthread_mutex_lock(&c->lock);
	c->stopping = true;
	(void)pthread_cond_broadcast(&c->calm);
	collect_poll_wake(c);
	collect_fetch_wake(c);
	while (c->threads > 0 && clock_monotonic() < until)
		collect_wait(c, &c->gone, until);
	all = c->threads == 0;
	(void)pthread_mutex_unlock(&c->lock);
	if (all && c->has_ended)
		(void)pthread_join(c->ended, NULL);
	return all;
}
