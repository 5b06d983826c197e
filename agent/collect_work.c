/*
 * collect_work.c - the threads of collect: polls and fetches.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "collect.h"
#include "http/rate.h"
#include "role.h"
#include "store/feed.h"
#include "store/item.h"

/* jansson recurses into hostile nesting; only what is touched costs. */
#define STACK (1024 * 1024)

/*
 * Back-off.  What the vendor's bad day is the cause of is tried again soon,
 * a number of times; what someone has to put right, or what stays, less and
 * less often.  Outages of everything are the business of rate_bad().
 */
static const struct patience {
	unsigned soon;     /* so many tries … */
	int64_t soon_most; /* … are no further apart */
	int64_t most;
} poll_patience = { .soon = 10,
	.soon_most = 4 * CLOCK_SECOND,
	.most = CLOCK_MINUTE },
  item_patience = { .soon = 20,
	  .soon_most = 4 * CLOCK_SECOND,
	  .most = 5 * CLOCK_MINUTE };
#define BACKOFF_LEAST (CLOCK_SECOND / 2)

/* While there is a backlog polls come so often, … */
#define SOON CLOCK_SECOND
/* … but listing takes no more than a fifth of the time. */
#define SOON_SHARE 4

/* A fetcher without work looks so often nevertheless. */
#define IDLE (5 * CLOCK_SECOND)

/* All threads end within this of a stop. */
#define STOP_SECONDS 4

static void
wait_until(struct collector *c, pthread_cond_t *cond, int64_t monotonic)
{
	struct timespec at = { .tv_sec = monotonic / CLOCK_SECOND,
		.tv_nsec = monotonic % CLOCK_SECOND * 1000 };

	(void)pthread_cond_timedwait(cond, &c->lock, &at);
}

/* How long to wait after n failures in a row. */
static int64_t
retry_delay(const struct patience *p, const struct ruling *r, int64_t n)
{
	int64_t wait;

	if (r->class == REPLY_STOPPED)
		return 0;
	if (n > INT16_MAX)
		n = INT16_MAX;
	if (n < p->soon &&
	    (p == &item_patience || r->class == REPLY_RETRY ||
		r->class == REPLY_THROTTLED))
		wait = backoff((unsigned)n, BACKOFF_LEAST, p->soon_most);
	else
		wait = backoff((unsigned)n, BACKOFF_LEAST, p->most);
	return wait > r->wait ? wait : r->wait;
}

/* How long until the next poll. */
static int64_t
poll_delay(const struct job *j, const struct ruling *r, enum poll_next next,
    int64_t took)
{
	const struct source *s = &j->runner->source;
	int64_t interval = s->type->interval(s->conf), delay;

	if (r->class != REPLY_OK)
		return retry_delay(&poll_patience, r, j->health.failures);
	if (next == POLL_AGAIN)
		return 0;
	if (next == POLL_REST)
		return interval;
	delay = took * SOON_SHARE > SOON ? took * SOON_SHARE : SOON;
	return delay < interval ? delay : interval;
}

/* Poll one feed until the agent stops. */
static void *
poll_thread(void *arg)
{
	struct job *j = arg;
	struct runner *r = j->runner;
	struct collector *c = r->collector;
	struct worker w = { .source = &r->source };
	int64_t due = 0;

	w.http = http_new(r->source.access, r->source.stop, r->source.ctx);
	for (;;) {
		struct ruling ruling = { .class = REPLY_OK };
		enum poll_next next;
		int64_t began, delay;

		(void)pthread_mutex_lock(&c->lock);
		while (!c->stopping && (c->paused || clock_monotonic() < due))
			wait_until(c, &c->calm,
			    c->paused ? clock_monotonic() + IDLE : due);
		if (c->stopping) {
			(void)pthread_mutex_unlock(&c->lock);
			break;
		}
		(void)pthread_mutex_unlock(&c->lock);
		began = clock_monotonic();
		next = r->source.type->poll(&w, &j->stream, &ruling);
		delay = poll_delay(j, &ruling, next, clock_monotonic() - began);
		collect_polled(j, &ruling, delay);
		due = clock_monotonic() + delay;
	}
	http_free(w.http);
	return NULL;
}

/* May j have one more fetch?  Every other feed keeps a thread in reserve, so
 * that four dripping blobs here hold up nobody there.  With the lock held. */
static bool
has_turn(const struct job *j)
{
	const struct runner *r = j->runner;
	size_t busy = 0, waiting = 0;

	for (size_t i = 0; i < r->n_jobs; i++) {
		busy += r->jobs[i].active;
		if (&r->jobs[i] != j && r->jobs[i].active == 0)
			waiting++;
	}
	if (r->n_fetchers < r->n_jobs)
		waiting = 0;
	return busy + waiting < r->n_fetchers;
}

/* Claim an item for j: 1, 0 none, and then j->item_due is set.  With the lock
 * held, which is released meanwhile. */
static int
claim(struct job *j, struct item *it)
{
	struct collector *c = j->runner->collector;
	unsigned listings = j->listings;
	int64_t next = INT64_MAX, wait;
	struct err err = ERR_INIT;
	int rc;

	j->active++;
	(void)pthread_mutex_unlock(&c->lock);
	rc = item_claim(j->stream.feed, it, &next, &err);
	if (rc == -1)
		log_err("%s: %s", feed_name(j->stream.feed), err.text);
	(void)pthread_mutex_lock(&c->lock);
	if (rc == 1)
		return 1;
	j->active--;
	/* One that was listed meanwhile may be due at once. */
	if (rc == 0 && j->listings != listings)
		return 0;
	wait = rc == 0 && next != INT64_MAX ? next - clock_now() : IDLE;
	if (wait > IDLE || rc == -1)
		wait = IDLE;
	j->item_due = clock_monotonic() + (wait > 0 ? wait : 0);
	return 0;
}

/* Wait for an item of any feed of the source.  NULL: stopping. */
static struct job *
pick(struct runner *r, struct item *it)
{
	struct collector *c = r->collector;
	struct job *found = NULL;

	(void)pthread_mutex_lock(&c->lock);
	while (!c->stopping && found == NULL) {
		int64_t now = clock_monotonic(), next = now + IDLE;

		for (size_t i = 0; i < r->n_jobs && !c->paused; i++) {
			struct job *j = &r->jobs[(r->turn + i) % r->n_jobs];

			if (j->item_due <= now && has_turn(j) &&
			    claim(j, it) == 1) {
				r->turn = (r->turn + i + 1) % r->n_jobs;
				found = j;
				break;
			}
		}
		if (found != NULL)
			break;
		for (size_t i = 0; i < r->n_jobs; i++)
			if (has_turn(&r->jobs[i]) && r->jobs[i].item_due < next)
				next = r->jobs[i].item_due;
		if (c->paused)
			next = now + IDLE;
		if (!c->stopping && clock_monotonic() < next)
			wait_until(c, &c->work, next);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return found;
}

/* Record as a gap what is gone; 0, or -1 when that is not durable. */
static int
give_up(struct job *j, const struct item *it, const struct ruling *r,
    struct err *err)
{
	struct piece *p = piece_new(j->stream.feed);
	struct gap_row *g = xcalloc(1, sizeof(*g));
	struct commit_result res;
	int rc;

	g->item = it->id;
	g->from = it->created;
	g->to = it->created;
	(void)snprintf(g->key, sizeof(g->key), "%s", it->key);
	(void)snprintf(g->cause, sizeof(g->cause), "%.500s", r->text);
	piece_gap(p, g);
	rc = feed_commit(p, &res, err);
	free(g);
	piece_free(p);
	return rc;
}

/* Give the item back as its fetch ended. */
static void
settle(struct job *j, const struct item *it, const struct ruling *r)
{
	struct collector *c = j->runner->collector;
	int64_t now = clock_now(), wait;
	const char *why = r->text;
	struct err err = ERR_INIT;

	wait = retry_delay(&item_patience, r, it->attempts);
	if (r->class == REPLY_OK)
		why = NULL;
	if (r->class == REPLY_GONE) {
		if (give_up(j, it, r, &err) == 0)
			why = NULL;
		else
			log_err("%s: %s", feed_name(j->stream.feed), err.text);
	}
	err_clear(&err);
	if (item_return(j->stream.feed, it, now + wait, why, &err) != 0)
		log_err("%s: %s", feed_name(j->stream.feed), err.text);
	(void)pthread_mutex_lock(&c->lock);
	j->active--;
	if (why != NULL && clock_monotonic() + wait < j->item_due)
		j->item_due = clock_monotonic() + wait;
	/* This thread may be busy elsewhere when it is due. */
	(void)pthread_cond_signal(&c->work);
	(void)pthread_mutex_unlock(&c->lock);
}

/* Fetch items of one source until the agent stops. */
static void *
fetch_thread(void *arg)
{
	struct runner *r = arg;
	struct worker w = { .source = &r->source };
	struct item it;
	struct job *j;

	w.http = http_new(r->source.access, r->source.stop, r->source.ctx);
	while ((j = pick(r, &it)) != NULL) {
		struct ruling ruling = { .class = REPLY_OK };

		r->source.type->fetch(&w, &j->stream, &it, &ruling);
		collect_fetched(j, &it, &ruling);
		settle(j, &it, &ruling);
		item_release(&it);
	}
	http_free(w.http);
	return NULL;
}

static int
begin(pthread_t *thread, void *(*run)(void *), void *arg, struct err *err)
{
	pthread_attr_t attr;
	int rc;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK);
	rc = pthread_create(thread, &attr, run, arg);
	(void)pthread_attr_destroy(&attr);
	if (rc != 0)
		return err_set(err, "a thread can't be started: %s",
		    strerror(rc));
	return 0;
}

/* What does not depend on the store: files that an administrator may yet put
 * right. */
static int
open_source(struct source *s, struct err *err)
{
	if (s->access == NULL)
		s->access = http_access_open(s->type->http(s->conf), err);
	if (s->access == NULL)
		return -1;
	return s->state != NULL ? 0 : s->type->open(s, err);
}

static int
start_threads(struct runner *r, struct err *err)
{
	const struct source *s = &r->source;
	size_t n =
	    s->type->fetch != NULL ? (size_t)s->type->parallel(s->conf) : 0;
	struct collector *c = r->collector;

	if (r->fetchers == NULL)
		r->fetchers = xcalloc(n + 1, sizeof(*r->fetchers));
	while (r->n_fetchers < n) {
		if (begin(&r->fetchers[r->n_fetchers], fetch_thread, r, err) !=
		    0)
			return -1;
		(void)pthread_mutex_lock(&c->lock);
		r->n_fetchers++;
		(void)pthread_mutex_unlock(&c->lock);
	}
	for (size_t i = 0; i < r->n_jobs; i++) {
		struct job *j = &r->jobs[i];

		if (j->running)
			continue;
		if (begin(&j->thread, poll_thread, j, err) != 0)
			return -1;
		j->running = true;
	}
	r->started = true;
	return 0;
}

static void
start_runner(struct runner *r)
{
	struct err err = ERR_INIT;
	struct ruling why;

	if (r->started ||
	    (open_source(&r->source, &err) == 0 && start_threads(r, &err) == 0))
		return;
	(void)ruling_set(&why, REPLY_CONFIG, "%s", err.text);
	for (size_t i = 0; i < r->n_jobs; i++)
		if (!r->jobs[i].running)
			collect_polled(&r->jobs[i], &why, 0);
}

void
collect_start(struct collector *c)
{
	sigset_t all, before;

	/* Signals are the main thread's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t i = 0; i < c->n_runners; i++)
		start_runner(&c->runners[i]);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
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
		struct runner *r = &c->runners[i];

		for (size_t k = 0; k < r->n_fetchers; k++)
			all = join(r->fetchers[k], &until) && all;
		for (size_t k = 0; k < r->n_jobs; k++)
			if (r->jobs[k].running)
				all = join(r->jobs[k].thread, &until) && all;
	}
	return all;
}
