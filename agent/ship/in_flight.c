/*
 * in_flight.c - how much is on its way at once, and what breaks connections.
 *
 * A connection that ends cuts short what is on its way.  Where that made no
 * progress, half as much is sent next, down to one line; each success doubles
 * it.  A line that is alone on its way when the connection ends may be to
 * blame, or the network, or the receiver: others are sent before it is tried
 * again.  When it has ended ten connections and others passed each time, it
 * becomes a dead letter, or all waits for it, as the output is told.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "ship/ship_private.h"

/* With so many lines in flight at once there is no limit any more. */
#define LIMIT_MAX 4096

/* Connections that one line ends before it is to blame. */
#define STRIKES_MAX 10

/* Wait before the next connection while there is progress. */
#define PROGRESS_PAUSE (CLOCK_SECOND / 4)

/* So many breaks, each not longer than this after another, are a state and not
 * an incident. */
#define FLAPS_MAX 3
#define FLAP (5 * CLOCK_SECOND)

static void
dispatch(struct ship *s, struct delivery *t)
{
	t->state = DELIVERY_IN_FLIGHT;
	t->connection = s->out.breaks;
	s->queue.in_flight++;
	if (t->again)
		s->hold.others = 0;
	else
		s->hold.others += chunk_bytes(t->chunk);
	s->out.type->send(&s->out, t->chunk);
}

/* Leave no more in t than may be in flight. */
static void
shorten(struct ship *s, struct delivery *t)
{
	if (s->in_flight.limit == 0 ||
	    chunk_lines(t->chunk) <= s->in_flight.limit)
		return;
	if (t->again)
		ship_hold_cut(s, t, s->in_flight.limit);
	else
		(void)ship_split(s, t, s->in_flight.limit);
}

/* Is there a line that broke the connection, whose turn it is?  It must be
 * alone, so *wait is set when it has to wait until nothing is in flight.  It
 * comes after others have passed, or when there are none. */
static struct delivery *
suspect(struct ship *s, int64_t now, bool *wait)
{
	struct delivery *found = NULL;
	bool others = false;

	*wait = false;
	for (struct delivery *t = s->queue.first; t != NULL; t = t->next) {
		if (t->strikes > 0 && t->state == DELIVERY_IN_FLIGHT)
			*wait = true;
		else if (t->strikes == 0 && t->state != DELIVERY_SETTLED)
			others = true;
		else if (t->strikes > 0 && t->state == DELIVERY_WAITING &&
		    t->due <= now && found == NULL)
			found = t;
	}
	if (*wait || found == NULL)
		return NULL;
	if (others && s->in_flight.passed <= found->struck)
		return NULL;
	*wait = s->queue.in_flight > 0;
	return *wait ? NULL : found;
}

static bool
send_some(struct ship *s, size_t window, int64_t now)
{
	bool sent = false;

	for (struct delivery *t = s->queue.first;
	     t != NULL && s->queue.in_flight < window; t = t->next) {
		if (t->state != DELIVERY_WAITING || t->strikes > 0 ||
		    (t->due > now && s->health.state == SHIP_WELL) ||
		    ((t->again || t->replay) && !ship_hold_turn(s)))
			continue;
		sent = true;
		shorten(s, t);
		dispatch(s, t);
		if (s->health.shut || s->health.hold > now)
			break;
	}
	return sent;
}

/* How many chunks may be in flight.  A destination in trouble gets one at a
 * time, until a new connection is there. */
static size_t
window(const struct ship *s, bool trouble)
{
	const struct output_type *type = s->out.type;
	size_t most = type->window(&s->out), one = 1;

	if (!trouble && s->in_flight.limit == 0)
		return most;
	if (type->waiting != NULL)
		one += type->waiting(&s->out);
	return one < most ? one : most;
}

bool
ship_send_due(struct ship *s, int64_t now)
{
	bool trouble =
	    (s->health.retries > 0 || s->health.state != SHIP_WELL) &&
	    s->out.connects == s->health.connects;
	struct delivery *t;
	bool wait;

	if (!s->open || s->health.shut || now < s->health.hold)
		return false;
	if (ship_refusing(s))
		t = ship_probe(s);
	else
		t = suspect(s, now, &wait);
	if (t != NULL)
		dispatch(s, t);
	if (t != NULL || ship_refusing(s) || wait)
		return t != NULL;
	return send_some(s, window(s, trouble), now);
}

void
ship_cut_short(struct ship *s, struct delivery *t, size_t lines, bool partly,
    const char *why)
{
	s->in_flight.lost += lines;
	s->in_flight.partly = s->in_flight.partly || partly;
	s->in_flight.alone = t;
	(void)snprintf(t->why, sizeof(t->why), "%s", why);
}

void
ship_came_through(struct ship *s, bool again)
{
	s->in_flight.passed++;
	s->in_flight.progress = s->in_flight.progress || !again;
	if (s->in_flight.limit > 0)
		s->in_flight.limit *= 2;
	if (s->in_flight.limit > LIMIT_MAX)
		s->in_flight.limit = 0;
}

int64_t
ship_break_pause(struct ship *s)
{
	bool smaller = s->in_flight.lost > 1 && !s->in_flight.partly;
	bool others =
	    s->in_flight.lost == 1 && s->in_flight.passed > s->in_flight.before;

	/* Half of what was sent, or one event behind others, is another try. */
	if (s->in_flight.progress || smaller || others)
		s->health.level = 0;
	if (s->in_flight.progress)
		return ship_backoff(1, PROGRESS_PAUSE, PROGRESS_PAUSE);
	return ship_backoff(++s->health.level, SHIP_RETRY_FIRST,
	    SHIP_RETRY_MAX);
}

bool
ship_calm(const struct ship *s, int64_t now)
{
	return !s->in_flight.stuck &&
	    (s->in_flight.flaps < FLAPS_MAX ||
		now - s->in_flight.broke >= FLAP);
}

/* t alone was on its way when the connection ended. */
static void
strike(struct ship *s, struct delivery *t, int64_t now)
{
	/* Again, and nothing passed since: that tells nothing of t. */
	if (t->strikes == 0 || s->in_flight.passed > t->struck)
		t->strikes++;
	t->struck = s->in_flight.passed;
	t->due = now +
	    ship_backoff(t->strikes > STRIKES_MAX ? t->strikes - STRIKES_MAX
						  : 1,
		SHIP_RETRY_FIRST, SHIP_RETRY_MAX);
}

/* What the breaks since the last look tell. */
static void
learn(struct ship *s, int64_t now)
{
	size_t lost = s->in_flight.lost;

	if (lost == 1 && s->in_flight.alone->state == DELIVERY_WAITING)
		strike(s, s->in_flight.alone, now);
	if (lost > 0 && !s->in_flight.partly)
		s->in_flight.limit = lost > 1 ? lost / 2 : 1;
	s->in_flight.flaps =
	    now - s->in_flight.broke < FLAP ? s->in_flight.flaps + 1 : 1;
	s->in_flight.broke = now;
	s->in_flight.before = s->in_flight.passed;
	s->in_flight.progress = false;
	ship_hold_break(s);
}

/* t is to blame for what happens to the connection. */
static int
blame(struct ship *s, struct delivery *t, struct err *err)
{
	char why[sizeof(t->why)];

	(void)snprintf(why, sizeof(why),
	    "alone it ended the connection %d times while others passed: "
	    "%.400s",
	    STRIKES_MAX, t->why);
	if (s->out.poison_waits) {
		(void)snprintf(why, sizeof(why),
		    "one event ended the connection %d times while others "
		    "passed, and delivery waits for it (poison: wait); look at "
		    "the receiver's log: %.300s",
		    STRIKES_MAX, t->why);
		ship_health(s, SHIP_RETRYING, why);
		s->in_flight.stuck = true;
		return 0;
	}
	if (t->dead_letter != 0)
		log_warn("dead letter %lld is not taken: %s",
		    (long long)t->dead_letter, why);
	else if (ship_add_dead_letter(s, t->chunk, 0, why, err) != 0)
		return -1;
	t->state = DELIVERY_SETTLED;
	t->strikes = 0;
	return 0;
}

int
ship_breaks(struct ship *s, int64_t now, struct err *err)
{
	if (s->out.breaks != s->in_flight.breaks)
		learn(s, now);
	s->in_flight.breaks = s->out.breaks;
	s->in_flight.lost = 0;
	s->in_flight.partly = false;
	s->in_flight.alone = NULL;
	s->in_flight.stuck = false;
	for (struct delivery *t = s->queue.first; t != NULL; t = t->next) {
		if (t->state == DELIVERY_WAITING && t->strikes >= STRIKES_MAX &&
		    s->in_flight.passed > t->struck && blame(s, t, err) != 0)
			return -1;
	}
	/* What came through meanwhile was not enough to say so. */
	if (s->health.state == SHIP_RETRYING &&
	    s->in_flight.flaps >= FLAPS_MAX && ship_calm(s, now) &&
	    s->in_flight.passed > s->in_flight.before)
		ship_health(s, SHIP_WELL, "");
	return 0;
}
