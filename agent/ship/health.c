/*
 * health.c - what verdicts mean for a delivery and for the output.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "ship/ship_private.h"

#define TELL_EVERY CLOCK_HOUR

/* What a destination may ask for. */
#define DELAY_MAX CLOCK_HOUR

/* Verdicts of retry in a row that are more than bad luck. */
#define STREAK_BAD 3

/* Events refused one by one, and none accepted between them, before each one
 * that follows has to wait: each of them becomes a dead letter. */
#define ROW_MAX 20

int64_t
ship_backoff(unsigned n, int64_t first, int64_t max)
{
	int64_t delay = first;
	uint8_t dice = 128; /* the mean, where there is no entropy */

	for (unsigned i = 1; i < n && delay < max; i++)
		delay *= 2;
	if (delay > max)
		delay = max;
	(void)!getrandom(&dice, sizeof(dice), GRND_NONBLOCK);
	/* Three to five quarters: agents must not come back in step. */
	return delay * 3 / 4 + delay / 2 * dice / 255;
}

void
ship_health(struct ship *s, enum ship_health h, const char *why)
{
	enum ship_health before = s->health.state;
	int64_t now = clock_monotonic();
	bool changed = h != before;

	if (h != SHIP_WELL && strcmp(s->out.trouble, why) != 0)
		changed = true;
	/* What goes on is told again now and then. */
	if (h != SHIP_WELL && h == before &&
	    now - s->health.told >= TELL_EVERY) {
		before = SHIP_WELL;
		changed = true;
	}
	if (!changed)
		return;
	if (h != before)
		s->health.told = now;
	s->health.state = h;
	s->progress.changed = true;
	(void)snprintf(s->out.trouble, sizeof(s->out.trouble), "%s",
	    h == SHIP_WELL ? "" : why);
	if (h == SHIP_WELL)
		log_notice("delivery resumes");
	else if (h == SHIP_RETRYING && before != h)
		log_warn("%s; events are kept and delivery is retried", why);
	else if (h == SHIP_BLOCKED && before != h)
		log_err("blocked: %s; events are kept", why);
	else if (h == SHIP_REFUSING && before != h)
		log_err("refusing: %s", why);
	else
		log_info("%s", why);
}

bool
ship_refusing(const struct ship *s)
{
	return s->health.refusals >= ROW_MAX;
}

void
ship_refused(struct ship *s, bool event, const char *why)
{
	int64_t now = clock_monotonic();
	char text[sizeof(s->out.trouble)];

	if (event && !ship_refusing(s) && ++s->health.refusals == ROW_MAX)
		s->health.level = 0; /* of a trouble before */
	if (!ship_refusing(s))
		return;
	if (now >= s->health.hold)
		s->health.hold = now +
		    ship_backoff(++s->health.level, SHIP_BLOCKED_FIRST,
			SHIP_REFUSING_MAX);
	(void)snprintf(text, sizeof(text),
	    "the receiver refuses every event, %d in a row so far: %.250s; "
	    "look into its log and correct what it takes, or url and format "
	    "here; now and then one event is tried, then all goes on",
	    ROW_MAX, why);
	ship_health(s, SHIP_REFUSING, text);
}

static struct delivery *
find(struct ship *s, const struct chunk *p)
{
	struct delivery *t = s->queue.first;

	while (t->chunk != p)
		t = t->next;
	return t;
}

/* The dead letter that t retries is settled. */
static void
end_dead_letter(struct ship *s, const struct delivery *t)
{
	struct err err = ERR_INIT;

	if (chunk_mark(t->chunk, 0) == CHUNK_REFUSED)
		log_warn("dead letter %lld is refused again: %s",
		    (long long)t->dead_letter, t->why);
	else if (dead_letter_remove(s->store, t->dead_letter, &err) != 0)
		log_err("dead letter %lld was delivered and cannot be "
			"removed: %s",
		    (long long)t->dead_letter, err.text);
}

/* Nothing of t is left to be sent; events were delivered just now. */
static void
settled(struct ship *s, struct delivery *t, size_t events)
{
	t->state = DELIVERY_SETTLED;
	if (t->dead_letter != 0)
		end_dead_letter(s, t);
	/* A checkpoint alone, or refused lines: that tells nothing of events.
	 */
	if (events == 0 && (ship_refusing(s) || t->refused))
		return;
	s->health.retries = 0;
	s->health.hold = 0;
	/* What was received before says nothing of what is to come. */
	if (!t->again)
		s->health.level = 0;
	if (s->health.state == SHIP_WELL || s->out.unheard[0] != '\0' ||
	    !ship_calm(s, clock_monotonic()))
		return;
	ship_health(s, SHIP_WELL, "");
	for (t = s->queue.first; t != NULL; t = t->next)
		t->due = 0;
}

static void
retry(struct ship *s, struct delivery *t, int64_t delay, const char *why)
{
	int64_t now = clock_monotonic();
	bool broke = t->connection != s->out.breaks;
	bool still = ship_moving(s) == 0;

	t->state = DELIVERY_WAITING;
	if (s->health.shut)
		return; /* the output is being closed: not its fault */
	t->tries = broke ? 1 : t->tries + 1;
	s->health.retries++;
	s->health.connects = s->out.connects;
	s->progress.add[OUTPUT_RETRIES]++;
	s->progress.changed = true;
	t->due = now + ship_backoff(t->tries, SHIP_RETRY_FIRST, SHIP_RETRY_MAX);
	if (delay > DELAY_MAX)
		delay = DELAY_MAX;
	/* Nothing is under way any more: the destination is in trouble, and
	 * not one chunk. */
	if (still && delay <= 0 && broke)
		delay = ship_break_pause(s);
	else if (still && delay <= 0)
		delay = ship_backoff(++s->health.level, SHIP_RETRY_FIRST,
		    SHIP_RETRY_MAX);
	if (delay > 0 && now + delay > s->health.hold)
		s->health.hold = now + delay;
	if (still || s->health.retries >= STREAK_BAD)
		ship_health(s, SHIP_RETRYING, why);
}

static void
blocked(struct ship *s, struct delivery *t, const char *why)
{
	t->state = DELIVERY_WAITING;
	t->due = 0;
	if (s->health.shut)
		return;
	s->health.shut = true;
	s->progress.add[OUTPUT_RETRIES]++;
	s->progress.changed = true;
	ship_health(s, SHIP_BLOCKED, why);
}

/* The rest of a delivery ended in v; refused: and other lines of it were
 * refused one by one. */
static void
again(struct ship *s, struct delivery *t, enum verdict v, bool refused,
    int64_t delay, const char *why)
{
	if (v == VERDICT_BLOCKED) {
		blocked(s, t, why);
	} else if (v == VERDICT_REFUSED) {
		t->state = DELIVERY_REFUSED;
		s->health.retries = 0;
		(void)snprintf(t->why, sizeof(t->why), "%s", why);
	} else if (refused && ship_refusing(s)) {
		t->state = DELIVERY_WAITING; /* kept back by settle() */
	} else {
		retry(s, t, delay, why);
	}
}

/* If it is a break that ended t, note that it cut so many lines short. */
static void
note_break(struct ship *s, struct delivery *t, enum verdict v, size_t lines,
    bool partly, const char *why)
{
	if (v == VERDICT_RETRY && t->connection != s->out.breaks &&
	    !s->health.shut)
		ship_cut_short(s, t, lines, partly, why);
}

/* The end of a delivery that was sent again out of what is held. */
static void
done_again(struct ship *s, struct delivery *t, enum verdict v, int64_t delay,
    const char *why)
{
	size_t open = chunk_open(t->chunk, 0);
	bool partly = open > 0 || v == VERDICT_DELIVERED;

	if (partly)
		ship_came_through(s, true);
	if (v == VERDICT_REFUSED) {
		t->state = DELIVERY_REFUSED; /* looked at by ship_bisect() */
		(void)snprintf(t->why, sizeof(t->why), "%s", why);
		return;
	}
	if (v == VERDICT_DELIVERED) {
		settled(s, t, t->delivered);
	} else {
		note_break(s, t, v, chunk_lines(t->chunk) - open, partly, why);
		again(s, t, v, false, delay, why);
	}
	ship_hold_done(s, t);
}

static void
done(void *ctx, struct chunk *p, enum verdict v, int64_t delay, const char *why)
{
	struct ship *s = ctx;
	struct delivery *t = find(s, p), *rest;
	size_t events;
	bool refused = t->refused;

	s->queue.in_flight--;
	chunk_unload(p);
	if (v == VERDICT_DELIVERED)
		t->delivered +=
		    chunk_set_mark(p, 0, chunk_lines(p), CHUNK_DELIVERED);
	if (t->again) {
		done_again(s, t, v, delay, why);
		return;
	}
	events = t->delivered;
	t->hold = s->out.hold.time > 0;
	t->received = clock_monotonic();
	s->progress.add[OUTPUT_EVENTS] += events;
	if (events > 0)
		s->health.refusals = 0;
	if (events > 0 || refused)
		s->health.retries = 0; /* it does answer */
	if (events > 0 || v == VERDICT_DELIVERED)
		ship_came_through(s, false);
	rest = ship_keep_rest(s, t);
	if (rest == NULL) {
		settled(s, t, events);
	} else {
		note_break(s, rest, v, chunk_lines(rest->chunk), events > 0,
		    why);
		again(s, rest, v, refused, delay, why);
	}
	t->delivered = 0;
	t->refused = false;
}

/* Line i of t becomes a dead letter, or stays the one that it is: 1 it is an
 * event, 0 a checkpoint, -1. */
static int
add_dead_letter(struct ship *s, struct delivery *t, size_t i, const char *why)
{
	struct err err = ERR_INIT;

	if (t->dead_letter == 0 && !t->again &&
	    ship_add_dead_letter(s, t->chunk, i, why, &err) != 0) {
		log_err("%s", err.text);
		return -1;
	}
	(void)snprintf(t->why, sizeof(t->why), "%s", why);
	return chunk_set_mark(t->chunk, i, i + 1, CHUNK_REFUSED) > 0;
}

static int
refuse(void *ctx, struct chunk *p, size_t i, const char *why)
{
	if (chunk_mark(p, i) != CHUNK_OPEN)
		return 0;
	return add_dead_letter(ctx, find(ctx, p), i, why) < 0 ? -1 : 0;
}

/* The receiver refused line i of t's chunk.  Where it takes other events of
 * the same chunk it is that line's fault; else, when too many have been refused
 * in a row, the line waits as it does when whole chunks are refused. */
static int
refused_line(struct ship *s, struct delivery *t, size_t i, const char *why)
{
	int event;

	if (chunk_mark(t->chunk, i) != CHUNK_OPEN)
		return 0;
	t->refused = true;
	if (t->delivered == 0 && ship_refusing(s) &&
	    clock_monotonic() < s->health.hold) {
		t->suspect = true;
		return -1;
	}
	event = add_dead_letter(s, t, i, why);
	if (event < 0)
		return -1;
	if (t->delivered == 0)
		ship_refused(s, event > 0, why);
	return 0;
}

static int
settle(void *ctx, struct chunk *p, size_t from, size_t to, enum verdict v,
    const char *why)
{
	struct ship *s = ctx;
	struct delivery *t = find(s, p);

	if (v == VERDICT_DELIVERED) {
		t->delivered += chunk_set_mark(p, from, to, CHUNK_DELIVERED);
		return 0;
	}
	for (size_t i = from; i < to; i++) {
		if (refused_line(s, t, i, why) != 0)
			return -1;
	}
	return 0;
}

const struct output_owner ship_owner = {
	.done = done,
	.settle = settle,
	.refuse = refuse,
};
