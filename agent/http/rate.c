/*
 * rate.c - a token bucket that learns, and back-off.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/rate.h"

/* The budget grows by half after so long at its limit … */
#define GROW_AFTER (2 * CLOCK_SECOND)
/* … and not so soon after the vendor objected. */
#define CALM (5 * CLOCK_SECOND)
/* A bucket holds so many seconds of its rate. */
#define BURST_SECONDS 15.0

#define PAUSE_MIN (CLOCK_SECOND / 2)
#define PAUSE_MAX CLOCK_MINUTE

/* So many failures in a row, of all threads, open the breaker. */
#define BAD_MAX 16
#define BREAK_MAX (30 * CLOCK_SECOND)

struct rate {
	pthread_mutex_t lock;
	double per_second;
	double min;
	double max;
	double tokens;
	int64_t filled;   /* when tokens was right */
	int64_t until;    /* paused */
	int64_t changed;  /* when per_second last was */
	int64_t objected; /* when the vendor last throttled */
	unsigned pauses;  /* in a row */
	unsigned bad;     /* in a row */
};

struct rate *
rate_new(double per_minute, double max)
{
	struct rate *r = xcalloc(1, sizeof(*r));

	(void)pthread_mutex_init(&r->lock, NULL);
	r->per_second = per_minute / 60;
	r->min = r->per_second;
	r->max = max / 60;
	r->tokens = r->per_second * BURST_SECONDS;
	r->filled = INT64_MIN;
	r->objected = INT64_MIN;
	return r;
}

void
rate_free(struct rate *r)
{
	if (r == NULL)
		return;
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}

static void
fill(struct rate *r, int64_t now)
{
	double max = r->per_second * BURST_SECONDS;

	if (r->filled != INT64_MIN && now > r->filled)
		r->tokens += (double)(now - r->filled) / (double)CLOCK_SECOND *
		    r->per_second;
	if (r->tokens > max)
		r->tokens = max;
	r->filled = now;
}

/* The budget is what holds us back: is it time to ask for more? */
static void
grow(struct rate *r, int64_t now)
{
	if (now - r->changed < GROW_AFTER ||
	    (r->objected != INT64_MIN && now - r->objected < CALM))
		return;
	r->changed = now;
	r->per_second *= 1.5;
	if (r->per_second > r->max)
		r->per_second = r->max;
}

/* How long until there are need tokens.  With the lock held. */
static int64_t
wait_for(struct rate *r, int64_t now, double need)
{
	if (now < r->until)
		return r->until - now;
	fill(r, now);
	if (r->tokens >= need)
		return 0;
	return (int64_t)((need - r->tokens) / r->per_second *
		   (double)CLOCK_SECOND) +
	    1;
}

int64_t
rate_take(struct rate *r, int64_t now, int reserve)
{
	int64_t wait;

	(void)pthread_mutex_lock(&r->lock);
	wait = wait_for(r, now, 1.0 + reserve);
	if (wait == 0)
		r->tokens -= 1.0;
	else if (now >= r->until) {
		grow(r, now);
		wait = wait_for(r, now, 1.0 + reserve);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return wait;
}

/* What may wait needs half of the bucket, and never more than it holds. */
static int64_t
spare(struct rate *r, int64_t now, bool take)
{
	double max, need;
	int64_t wait;

	(void)pthread_mutex_lock(&r->lock);
	max = r->per_second * BURST_SECONDS;
	need = 1.0 + max / 2;
	if (need > max)
		need = max > 1.0 ? max : 1.0;
	wait = wait_for(r, now, need);
	if (wait == 0 && take)
		r->tokens -= 1.0;
	(void)pthread_mutex_unlock(&r->lock);
	return wait;
}

int64_t
rate_take_spare(struct rate *r, int64_t now)
{
	return spare(r, now, true);
}

int64_t
rate_spare(struct rate *r, int64_t now)
{
	return spare(r, now, false);
}

static void
pause_until(struct rate *r, int64_t until)
{
	if (until > r->until)
		r->until = until;
}

void
rate_throttled(struct rate *r, int64_t sent, int64_t now, int64_t wait)
{
	(void)pthread_mutex_lock(&r->lock);
	/* Requests that were under way when the pause began say the same
	 * thing again. */
	if (r->objected == INT64_MIN || sent > r->objected) {
		r->objected = now;
		r->per_second *= 0.7;
		if (r->per_second < r->min)
			r->per_second = r->min;
		r->changed = now;
		if (wait == 0)
			wait = backoff(r->pauses, PAUSE_MIN, PAUSE_MAX);
		r->pauses++;
	}
	if (wait > 0)
		pause_until(r, now + wait);
	(void)pthread_mutex_unlock(&r->lock);
}

void
rate_pause(struct rate *r, int64_t until)
{
	(void)pthread_mutex_lock(&r->lock);
	pause_until(r, until);
	(void)pthread_mutex_unlock(&r->lock);
}

void
rate_good(struct rate *r)
{
	(void)pthread_mutex_lock(&r->lock);
	r->pauses = 0;
	r->bad = 0;
	(void)pthread_mutex_unlock(&r->lock);
}

void
rate_bad(struct rate *r, int64_t now)
{
	(void)pthread_mutex_lock(&r->lock);
	r->bad++;
	if (r->bad >= BAD_MAX)
		pause_until(r,
		    now +
			backoff(r->bad / BAD_MAX - 1, CLOCK_SECOND, BREAK_MAX));
	(void)pthread_mutex_unlock(&r->lock);
}

double
rate_budget(struct rate *r)
{
	double n;

	(void)pthread_mutex_lock(&r->lock);
	n = r->per_second * 60;
	(void)pthread_mutex_unlock(&r->lock);
	return n;
}

int64_t
jitter(int64_t most)
{
	uint32_t chance = 0;

	/* Without randomness none is as good. */
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(chance))
		chance = 0;
	return (int64_t)((double)most * chance / UINT32_MAX);
}

int64_t
backoff(unsigned n, int64_t min, int64_t max)
{
	int64_t wait = min;

	for (; n > 0 && wait < max; n--)
		wait *= 2;
	if (wait > max)
		wait = max;
	return wait - jitter(wait / 2);
}
