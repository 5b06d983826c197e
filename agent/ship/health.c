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

#define RETRY_FIRST CLOCK_SECOND
#define RETRY_MAX CLOCK_MINUTE

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
	bool changed = h != before;

	if (h != SHIP_WELL && strcmp(s->out.trouble, why) != 0)
		changed = true;
	if (!changed)
		return;
	s->health.state = h;
	s->progress.changed = true;
	(void)snprintf(s->out.trouble, sizeof(s->out.trouble), "%s",
	    h == SHIP_WELL ? "" : why);
	if (h == SHIP_WELL)
		log_notice("delivering again");
	else if (h == SHIP_RETRYING && before != h)
		log_warn("%s; everything is kept and tried again", why);
	else if (h == SHIP_BLOCKED && before != h)
		log_err("blocked: %s; everything is kept", why);
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
			SHIP_BLOCKED_MAX);
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

static void
delivered(struct ship *s, struct delivery *t)
{
	struct err err = ERR_INIT;

	t->state = DELIVERY_SETTLED;
	s->progress.add[OUTPUT_EVENTS] += chunk_events(t->chunk);
	if (chunk_events(t->chunk) > 0)
		s->health.refusals = 0;
	else if (ship_refusing(s))
		return; /* a checkpoint: that tells nothing of events */
	s->health.retries = 0;
	s->health.level = 0;
	s->health.hold = 0;
	if (t->dead_letter != 0 &&
	    dead_letter_remove(s->store, t->dead_letter, &err) != 0)
		log_err("dead letter %lld was delivered and cannot be "
			"removed: %s",
		    (long long)t->dead_letter, err.text);
	if (s->health.state == SHIP_WELL)
		return;
	ship_health(s, SHIP_WELL, "");
	for (t = s->queue.first; t != NULL; t = t->next)
		t->due = 0;
}

static void
retry(struct ship *s, struct delivery *t, int64_t delay, const char *why)
{
	int64_t now = clock_monotonic();

	t->state = DELIVERY_WAITING;
	if (s->health.shut)
		return; /* the output is being closed: not its fault */
	t->tries++;
	s->health.retries++;
	s->health.connects = s->out.connects;
	s->progress.add[OUTPUT_RETRIES]++;
	s->progress.changed = true;
	t->due = now + ship_backoff(t->tries, RETRY_FIRST, RETRY_MAX);
	if (delay > DELAY_MAX)
		delay = DELAY_MAX;
	/* Nothing is under way any more: the destination is in trouble, and
	 * not one chunk. */
	if (s->queue.in_flight == 0 && delay <= 0)
		delay = ship_backoff(++s->health.level, RETRY_FIRST, RETRY_MAX);
	if (delay > 0 && now + delay > s->health.hold)
		s->health.hold = now + delay;
	if (s->queue.in_flight == 0 || s->health.retries >= STREAK_BAD)
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

static void
done(void *ctx, struct chunk *p, enum verdict v, int64_t delay, const char *why)
{
	struct ship *s = ctx;
	struct delivery *t = find(s, p);

	s->queue.in_flight--;
	chunk_unload(p);
	switch (v) {
	case VERDICT_DELIVERED:
		delivered(s, t);
		break;
	case VERDICT_RETRY:
		retry(s, t, delay, why);
		break;
	case VERDICT_REFUSED:
		t->state = DELIVERY_REFUSED;
		s->health.retries = 0;
		(void)snprintf(t->why, sizeof(t->why), "%s", why);
		break;
	case VERDICT_BLOCKED:
		blocked(s, t, why);
		break;
	}
}

static int
refuse(void *ctx, struct chunk *p, size_t i, const char *why)
{
	struct ship *s = ctx;
	struct err err = ERR_INIT;

	if (chunk_is_refused(p, i))
		return 0;
	if (find(s, p)->dead_letter == 0 &&
	    ship_add_dead_letter(s, p, i, why, &err) != 0) {
		log_err("%s", err.text);
		return -1;
	}
	chunk_set_refused(p, i);
	return 0;
}

const struct output_owner ship_owner = { .done = done, .refuse = refuse };
