/*
 * errand.c - a thread that fetches something for an output.
 */
#include "outputs/http/errand.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/client.h"

#define STACK ((size_t)256 * 1024)

struct errand {
	errand_fn *fn;
	void *ctx;
	struct http *http;
	pthread_t thread;
	bool started; /* thread is to be joined */
	pthread_mutex_t lock;
	pthread_cond_t back;
	bool busy;
	bool stop;
};

/* http_stop_fn */
static bool
is_stopped(void *ctx)
{
	struct errand *e = ctx;
	bool stop;

	(void)pthread_mutex_lock(&e->lock);
	stop = e->stop;
	(void)pthread_mutex_unlock(&e->lock);
	return stop;
}

struct errand *
errand_new(struct http_access *access, errand_fn *fn, void *ctx)
{
	struct errand *e = xcalloc(1, sizeof(*e));
	pthread_condattr_t attr;

	e->fn = fn;
	e->ctx = ctx;
	e->http = http_new(access, is_stopped, e);
	(void)pthread_mutex_init(&e->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&e->back, &attr);
	(void)pthread_condattr_destroy(&attr);
	return e;
}

static void
join(struct errand *e)
{
	if (e->started)
		(void)pthread_join(e->thread, NULL);
	e->started = false;
}

void
errand_free(struct errand *e)
{
	if (e == NULL)
		return;
	(void)pthread_mutex_lock(&e->lock);
	e->stop = true;
	(void)pthread_mutex_unlock(&e->lock);
	join(e);
	http_free(e->http);
	(void)pthread_cond_destroy(&e->back);
	(void)pthread_mutex_destroy(&e->lock);
	free(e);
}

static void *
run(void *arg)
{
	struct errand *e = arg;

	e->fn(e->ctx, e->http);
	(void)pthread_mutex_lock(&e->lock);
	e->busy = false;
	(void)pthread_cond_signal(&e->back);
	(void)pthread_mutex_unlock(&e->lock);
	return NULL;
}

int
errand_begin(struct errand *e, struct err *err)
{
	pthread_attr_t attr;
	int rc;

	join(e);
	e->busy = true; /* nobody else is there to see it */
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK);
	rc = pthread_create(&e->thread, &attr, run, e);
	(void)pthread_attr_destroy(&attr);
	e->started = rc == 0;
	if (rc == 0)
		return 0;
	e->busy = false;
	return err_set(err, "a thread cannot be started: %s", strerror(rc));
}

bool
errand_busy(struct errand *e, int64_t wait)
{
	int64_t until = clock_monotonic() + wait;
	const struct timespec ts = {
		.tv_sec = (time_t)(until / CLOCK_SECOND),
		.tv_nsec = (long)(until % CLOCK_SECOND * 1000),
	};
	bool busy;

	(void)pthread_mutex_lock(&e->lock);
	while (e->busy && wait > 0 &&
	    pthread_cond_timedwait(&e->back, &e->lock, &ts) == 0)
		;
	busy = e->busy;
	(void)pthread_mutex_unlock(&e->lock);
	return busy;
}
