/*
 * server_clock.c - what time it is at a peer.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
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
	int64_t skew;
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

void
server_clock_hear(struct server_clock *c, const struct http_reply *r)
{
	int64_t ahead;

	if (r->status == 0)
		return;
	(void)pthread_mutex_lock(&c->lock);
	c->known = true;
	if (r->date != INT64_MIN) {
		ahead = r->date - r->date_at;
		/* Seconds are cut, so the largest of several is nearest. */
		if (!c->dated || ahead > c->ahead || ahead < c->ahead - GRAIN)
			c->ahead = ahead;
		c->dated = true;
		c->skew =
		    r->date - (clock_now() - clock_monotonic()) - r->date_at;
	}
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
	skew = c->dated ? c->skew : 0;
	(void)pthread_mutex_unlock(&c->lock);
	return skew;
}
