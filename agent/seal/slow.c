/*
 * slow.c - work that something else than this process does.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/role.h"
#include "seal/slow.h"

#define TURN (CLOCK_SECOND / 5) /* between looks */

struct work {
	int (*fn)(void *ctx, struct err *err);
	void *ctx;
	struct err *err;
	int rc;
};

static void *
run(void *arg)
{
	struct work *w = arg;

	w->rc = w->fn(w->ctx, w->err);
	return NULL;
}

/* Has the thread ended until then (monotonic)? */
static bool
joined(pthread_t thread, int64_t until)
{
	const struct timespec t = { .tv_sec = until / CLOCK_SECOND,
		.tv_nsec = until % CLOCK_SECOND * 1000 };

	return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &t) !=
	    ETIMEDOUT;
}

int
slow_do(const struct slow *s, int (*fn)(void *ctx, struct err *err), void *ctx,
    struct err *err)
{
	struct work w = { .fn = fn, .ctx = ctx, .err = err, .rc = -1 };
	const int64_t begun = clock_monotonic();
	pthread_t thread;
	int64_t now;

	/* Without a thread it is done all the same. */
	if (pthread_create(&thread, NULL, run, &w) != 0)
		return fn(ctx, err);
	while (!joined(thread, clock_monotonic() + TURN)) {
		now = clock_monotonic();
		if (now - begun < s->max)
			role_alive(s->role);
		if (now - begun >= s->told)
			s->lasts(s->ctx);
	}
	return w.rc;
}
