/*
 * server_clock.c - what time it is at a peer.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "http/client.h"
#include "http/server_clock.h"

/* A Date has whole seconds: two of them may differ so much without either
 * clock having stepped. */
#define GRAIN (2 * CLOCK_SECOND)

struct server_clock {
	pthread_mutex_t lock;
	bool known;
	bool dated;
	int64_t ahead; /* of clock_monotonic() */
	/* What replies say that is not believed yet: likewise. */
	int64_t claim;
	unsigned votes; /* in a row, for it */
	int64_t since;  /* date_at of the first of them */
};

struct server_clock *
server_clock_new(void)
{
	struct server_clock *c = xcalloc(1, sizeof(*c));

	(void)pthread_mutex_init(&c->lock, NULL);
	return c;
}

void
server_clock_free(struct server_clock *c)
{
	if (c == NULL)
		return;
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

static bool
within(int64_t a, int64_t b, int64_t distance)
{
	return a - b <= distance && b - a <= distance;
}

/* How far the local clock is ahead of the monotonic one. */
static int64_t
local_ahead(void)
{
	return clock_now() - clock_monotonic();
}

static void
believe(struct server_clock *c, int64_t ahead)
{
	/* Seconds are cut, so the largest of several is nearest. */
	if (!c->dated || ahead > c->ahead || !within(ahead, c->ahead, GRAIN))
		c->ahead = ahead;
	c->known = true;
	c->dated = true;
	c->votes = 0;
}

/* A time that nothing bears out yet. */
static void
doubt(struct server_clock *c, int64_t ahead, int64_t at)
{
	if (c->votes == 0 || !within(ahead, c->claim, GRAIN)) {
		c->votes = 0;
		c->since = at;
		c->claim = ahead;
	}
	if (ahead > c->claim)
		c->claim = ahead;
	c->votes++;
	if (c->votes >= SERVER_CLOCK_VOTES &&
	    at - c->since >= SERVER_CLOCK_SPAN)
		believe(c, c->claim);
}

void
server_clock_hear(struct server_clock *c, const struct http_reply *r)
{
	const int64_t ahead = r->date != INT64_MIN ? r->date - r->date_at : 0;

	if (r->status == 0)
		return;
	(void)pthread_mutex_lock(&c->lock);
	if (r->date == INT64_MIN)
		c->known = true;
	else if ((c->dated && within(ahead, c->ahead, GRAIN)) ||
	    within(ahead, local_ahead(), SERVER_CLOCK_APART))
		believe(c, ahead);
	else
		doubt(c, ahead, r->date_at);
	(void)pthread_mutex_unlock(&c->lock);
}

void
server_clock_set(struct server_clock *c, const struct http_reply *r)
{
	if (r->status == 0)
		return;
	(void)pthread_mutex_lock(&c->lock);
	if (r->date != INT64_MIN)
		believe(c, r->date - r->date_at);
	c->known = true;
	(void)pthread_mutex_unlock(&c->lock);
}

bool
server_clock_known(struct server_clock *c)
{
	bool known;

	(void)pthread_mutex_lock(&c->lock);
	known = c->known;
	(void)pthread_mutex_unlock(&c->lock);
	return known;
}

bool
server_clock_dated(struct server_clock *c)
{
	bool dated;

	(void)pthread_mutex_lock(&c->lock);
	dated = c->dated;
	(void)pthread_mutex_unlock(&c->lock);
	return dated;
}

int64_t
server_clock_now(struct server_clock *c)
{
	int64_t now;

	(void)pthread_mutex_lock(&c->lock);
	now = c->dated ? clock_monotonic() + c->ahead : clock_now();
	(void)pthread_mutex_unlock(&c->lock);
	return now;
}

int64_t
server_clock_skew(struct server_clock *c)
{
	int64_t skew;

	(void)pthread_mutex_lock(&c->lock);
	skew = c->dated ? c->ahead - local_ahead() : 0;
	(void)pthread_mutex_unlock(&c->lock);
	return skew;
}

int64_t
server_clock_claim(struct server_clock *c)
{
	int64_t claim;

	(void)pthread_mutex_lock(&c->lock);
	claim = c->votes > 0 ? c->claim - local_ahead()
	    : c->dated       ? c->ahead - local_ahead()
			     : 0;
	(void)pthread_mutex_unlock(&c->lock);
	return claim;
}
