/*
 * in_flight.c - how much is on its way at once, and what breaks connections.
 *
 * A connection that ends cuts short what is on its way.  Where that made no
 * progress, half as much is sent next, down to one line; each success doubles
 * it, and only several do where connections end again and again: what comes
 * through is then not far below what does not.
 *
 * A line that is alone on its way when the connection ends may be to blame, or
 * the network, or the receiver, which may end each connection after some bytes:
 * others are sent before it is tried again, and it counts against the line only
 * where it was the first on its connection.  When it has ended ten connections
 * and others passed each time, it becomes a dead letter, or all waits for it,
 * as the output is told.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "ship/ship_private.h"

/* With so many lines in flight at once there is no limit any more. */
#define LIMIT_MAX 4096

/* Where connections end again and again, so many successes more than one double
 * the limit, at most; the number grows by each such break. */
#define STEPS_MAX 31

/* Where what is sent again must have the bounds that it had, since it may have
 * been taken, it goes so often without progress before it is cut. */
#define SAME_BOUNDS 3

/* Connections that one line ends before it is to blame. */
#define STRIKES_MAX 10

/* Wait before the next connection while there is progress. */
#define PROGRESS_PAUSE (CLOCK_SECOND / 4)

/* So many breaks, each not longer than this after another, are a state and not
 * an incident. */
#define FLAPS_MAX 3
#define FLAP (5 * CLOCK_SECOND)

size_t
ship_moving(const struct ship *s)
{
	const struct output_type *type = s->out.type;
	size_t waiting = type->waiting == NULL ? 0 : type->waiting(&s->out);

	return s->queue.in_flight > waiting ? s->queue.in_flight - waiting : 0;
}

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

/* Leave no more in t than may be in flight, nor than most. */
static void
shorten(struct ship *s, struct delivery *t, size_t most)
{
	if (s->in_flight.limit > 0 && s->in_flight.limit < most)
		most = s->in_flight.limit;
	if (chunk_lines(t->chunk) <= most)
		return;
	if (t->again)
		ship_hold_cut(s, t, most);
	else
		(void)ship_split(s, t, most);
}

/* How many lines may go that are not suspect.  Some have to pass between two
 * tries of one that is: of the last ones, one goes for each try, or a feed that
 * has become quiet would never tell whose fault it is.  What keeps its bounds
 * goes as it is. */
static size_t
allowed(const struct ship *s)
{
	const struct delivery *suspect = NULL;
	size_t lines = 0, wanted;

	for (const struct delivery *t = s->queue.first; t != NULL;
	     t = t->next) {
		if (t->strikes == 0 && t->state == DELIVERY_WAITING)
			lines += chunk_lines(t->chunk);
		else if (t->strikes > 0 && t->strikes < STRIKES_MAX)
			suspect = t;
	}
	if (suspect == NULL || s->out.batches)
		return SIZE_MAX;
	wanted = STRIKES_MAX - suspect->strikes;
	if (lines > wanted)
		return lines - wanted;
	return s->in_flight.passed > suspect->struck || ship_moving(s) > 0 ? 0
									   : 1;
}

/* Is there a line that broke the connection, whose turn it is?  It must be
 * alone, so *wait is set when it has to wait until nothing is in flight.  It
 * comes after others have passed, or when there are none. */
static struct delivery *
suspect(struct ship *s, int64_t now, bool *wait)
{
	struct delivery *found = NULL;
	bool others = false, moving = ship_moving(s) > 0;

	*wait = false;
	for (struct delivery *t = s->queue.first; t != NULL; t = t->next) {
		if (t->strikes > 0 && t->state == DELIVERY_IN_FLIGHT)
			*wait = moving;
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
	*wait = moving;
	return *wait ? NULL : found;
}

static bool
send_some(struct ship *s, size_t window, int64_t now)
{
	size_t left = allowed(s);
	bool sent = false;

	for (struct delivery *t = s->queue.first;
	     t != NULL && s->queue.in_flight < window && left > 0;
	     t = t->next) {
		if (t->state != DELIVERY_WAITING || t->strikes > 0 ||
		    (t->due > now && s->health.state == SHIP_WELL) ||
		    ((t->again || t->replay) && !ship_hold_turn(s)))
			continue;
		sent = true;
		shorten(s, t, left);
		left -= chunk_lines(t->chunk);
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
	if (s->in_flight.limit == 0 ||
	    ++s->in_flight.taken <= s->in_flight.steps)
		return;
	s->in_flight.taken = 0;
	s->in_flight.limit *= 2;
	if (s->in_flight.limit > LIMIT_MAX) {
		s->in_flight.limit = 0;
		s->in_flight.lowered = 0;
		s->in_flight.steps = 0;
	}
}

int64_t
ship_break_pause(struct ship *s)
{
	bool smaller = s->in_flight.lost > 1 && !s->in_flight.partly;
	bool others =
	    s->in_flight.lost == 1 && s->in_flight.passed > s->in_flight.before;
	/* Of an event that is suspect, which others have passed since. */
	bool known = s->in_flight.lost == 1 &&
	    s->in_flight.alone->strikes > 0 &&
	    s->in_flight.passed > s->in_flight.alone->struck;

	/* Half of what was sent, or one event behind others, is another try. */
	if (s->in_flight.progress || smaller || others || known)
		s->health.level = 0;
	if (s->in_flight.progress || smaller || known)
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
	bool first = s->in_flight.passed == s->in_flight.before;

	/* Again, and nothing passed since: that tells nothing of t. */
	if (t->strikes == 0 || (first && s->in_flight.passed > t->struck))
		t->strikes++;
	t->struck = s->in_flight.passed;
	t->due = now +
	    ship_backoff(t->strikes > STRIKES_MAX ? t->strikes - STRIKES_MAX
						  : 1,
		SHIP_RETRY_FIRST, SHIP_RETRY_MAX);
	/* It may have been the bytes of those before it: it goes first on the
	 * next connection. */
	if (!first) {
		t->struck--;
		t->due = now;
	}
}

/* A break cut so many lines short: less goes next. */
static void
lower(struct ship *s, size_t lost)
{
	if (s->out.batches && s->in_flight.barren < SAME_BOUNDS)
		return;
	s->in_flight.limit = lost > 1 ? lost / 2 : 1;
	s->in_flight.taken = 0;
	/* Again at what broke before, and not further down. */
	if (s->in_flight.limit >= s->in_flight.lowered &&
	    s->in_flight.lowered > 0 && s->in_flight.steps < STEPS_MAX)
		s->in_flight.steps = 2 * s->in_flight.steps + 1;
	s->in_flight.lowered = s->in_flight.limit;
}

/* What the breaks since the last look tell. */
static void
learn(struct ship *s, int64_t now)
{
	const size_t lost = s->in_flight.lost;
	struct delivery *t = s->in_flight.alone;
	/* Of a line that is suspect already nothing follows for others. */
	bool known = lost == 1 && t->strikes > 0;

	s->in_flight.barren =
	    s->in_flight.progress ? 0 : s->in_flight.barren + 1;
	if (lost > 0 && !s->in_flight.partly && !known)
		lower(s, lost);
	if (lost == 1 && t->state == DELIVERY_WAITING)
		strike(s, t, now);
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
