/*
 * poll.c - the threads that poll: each takes the feed whose turn is next, and
 * while it polls that another one waits for the turn behind it.
 */
#include "base/clock.h"
#include "base/err.h"
#include "collect/collect_private.h"
#include "http/rate.h"

static const struct retry_policy poll_retry = { .soon = 10,
	.soon_max = 4 * CLOCK_SECOND,
	.max = CLOCK_MINUTE };

/* While there is a backlog polls come so often, … */
#define SOON CLOCK_SECOND
/* … but listing takes no more than a fifth of the time. */
#define SOON_SHARE 4

/* So many threads wait at most. */
#define SPARE 4

/* The first polls of many feeds are so far apart on average.  The second one of
 * each comes at any time within the interval, which spreads them, and all
 * others up to a tenth of it sooner than it says. */
#define APART (CLOCK_SECOND / 100)
#define SOONER 10

/* A feed whose next poll is further off leaves its connection to others. */
#define LINGER (2 * CLOCK_SECOND)

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
		return interval -
		    jitter(j->spread ? interval / SOONER : interval);
	delay = took * SOON_SHARE > SOON ? took * SOON_SHARE : SOON;
	return delay < interval ? delay : interval;
}

/* A feed whose first poll has to wait, because the store is full, tells
 * nevertheless how far behind it is and when the vendor deletes what it has not
 * read. */
static void
begin_paused(struct feed_worker *j)
{
	const struct source_type *type = j->runner->source.type;
	struct outcome outcome = { .class = REPLY_OK };

	if (type->begin == NULL)
		return;
	type->begin(&j->stream, &outcome);
	if (outcome.class != REPLY_OK)
		collect_troubled(j, &outcome);
}

/* Returns how long until the next one. */
static int64_t
poll_once(struct feed_worker *j)
{
	struct outcome outcome = { .class = REPLY_OK };
	const int64_t began = clock_monotonic();
	const enum poll_next next =
	    j->runner->source.type->poll(&j->polls, &j->stream, &outcome);
	const int64_t delay =
	    poll_delay(j, &outcome, next, clock_monotonic() - began);

	j->spread = j->spread || next == POLL_REST;
	collect_polled(j, &outcome, delay);
	if (delay > LINGER)
		http_rest(j->polls.http);
	return delay;
}

/* The turn that comes first; NULL: none does.  While the store is full feeds
 * do no more than begin. */
static struct poll_turn *
first_turn(const struct collector *c)
{
	struct poll_turn *first = NULL;

	for (size_t i = 0; i < c->n_turns; i++) {
		struct poll_turn *t = &c->turns[i];

		if (t->due != INT64_MAX && (!c->paused || !t->feed->begun) &&
		    (first == NULL || t->due < first->due))
			first = t;
	}
	return first;
}

/* Wait for a turn; NULL: stopping.  With the lock held. */
static struct poll_turn *
wait_for_turn(struct collector *c)
{
	struct poll_turn *turn = NULL;

	c->pollers++;
	while (!c->stopping && c->waited_for)
		(void)pthread_cond_wait(&c->next, &c->lock);
	c->waited_for = true;
	while (!c->stopping) {
		const int64_t now = clock_monotonic();

		turn = first_turn(c);
		if (turn != NULL && turn->due <= now)
			break;
		c->wakes = turn != NULL ? turn->due : now + COLLECT_IDLE;
		turn = NULL;
		collect_wait(c, &c->turn, c->wakes);
	}
	c->waited_for = false;
	c->pollers--;
	(void)pthread_cond_signal(&c->next);
	return c->stopping ? NULL : turn;
}

/* Polls until the agent stops, or enough others wait. */
static void *
poll_thread(void *arg)
{
	struct collector *c = arg;
	struct poll_turn *turn;
	bool paused;
	int64_t delay;

	(void)pthread_mutex_lock(&c->lock);
	while (c->pollers < SPARE && (turn = wait_for_turn(c)) != NULL) {
		struct feed_worker *j = turn->feed;

		turn->due = INT64_MAX;
		paused = c->paused;
		j->begun = true;
		if (c->pollers == 0)
			collect_another_thread(c, poll_thread, c);
		(void)pthread_mutex_unlock(&c->lock);
		delay = 0;
		if (paused)
			begin_paused(j);
		else
			delay = poll_once(j);
		(void)pthread_mutex_lock(&c->lock);
		turn->due = clock_monotonic() + delay;
		if (turn->due < c->wakes)
			(void)pthread_cond_signal(&c->turn);
	}
	(void)pthread_mutex_unlock(&c->lock);
	collect_thread_ends(c);
	return NULL;
}

int
collect_poll(struct source_runner *r, struct err *err)
{
	struct collector *c = r->collector;
	const struct source *s = &r->source;
	const int64_t all = (int64_t)c->n_feeds * APART;
	const int64_t most =
	    all < s->definition.interval ? all : s->definition.interval;

	if (c->threads == 0 && collect_thread(c, poll_thread, c, err) != 0)
		return -1;
	for (size_t i = 0; i < r->n_workers; i++) {
		struct feed_worker *j = &r->workers[i];

		j->polls.source = &r->source;
		j->polls.stream = &j->stream;
		j->polls.http = http_new(s->access, s->stop, s->ctx);
		c->turns[c->n_turns++] =
		    (struct poll_turn){ .due = clock_monotonic() + jitter(most),
			    .feed = j };
	}
	(void)pthread_cond_signal(&c->turn);
	return 0;
}

void
collect_poll_wake(struct collector *c)
{
	(void)pthread_cond_broadcast(&c->turn);
	(void)pthread_cond_broadcast(&c->next);
}
