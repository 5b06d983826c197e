/*
 * ship_state.c - what verdicts mean for a trip and for the output.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "err.h"
#include "log.h"
#include "ship.h"

#define RETRY_FIRST CLOCK_SECOND
#define RETRY_MOST CLOCK_MINUTE

/* What a destination may ask for. */
#define DELAY_MOST CLOCK_HOUR

/* Verdicts of retry in a row that are more than bad luck. */
#define STREAK_BAD 3

int64_t
ship_backoff(unsigned n, int64_t first, int64_t most)
{
	int64_t delay = first;
	uint8_t dice = 128; /* the mean, where there is no entropy */

	for (unsigned i = 1; i < n && delay < most; i++)
		delay *= 2;
	if (delay > most)
		delay = most;
	(void)!getrandom(&dice, sizeof(dice), GRND_NONBLOCK);
	/* Three to five quarters: agents must not come back in step. */
	return delay * 3 / 4 + delay / 2 * dice / 255;
}

void
ship_health(struct ship *s, enum ship_health h, const char *why)
{
	enum ship_health before = s->health;
	bool changed = h != before;

	if (h != SHIP_WELL && strcmp(s->out.trouble, why) != 0)
		changed = true;
	if (!changed)
		return;
	s->health = h;
	s->news = true;
	(void)snprintf(s->out.trouble, sizeof(s->out.trouble), "%s",
	    h == SHIP_WELL ? "" : why);
	if (h == SHIP_WELL)
		log_notice("delivering again");
	else if (h == SHIP_RETRYING && before != h)
		log_warn("%s; everything is kept and tried again", why);
	else if (h == SHIP_BLOCKED && before != h)
		log_err("blocked: %s; everything is kept", why);
	else
		log_info("%s", why);
}

static struct trip *
find(struct ship *s, const struct parcel *p)
{
	struct trip *t = s->trips;

	while (t->parcel != p)
		t = t->next;
	return t;
}

static void
delivered(struct ship *s, struct trip *t)
{
	struct err err = ERR_INIT;

	t->state = TRIP_SETTLED;
	s->add[DELIVERY_EVENTS] += parcel_events(t->parcel);
	s->streak = 0;
	s->level = 0;
	s->hold = 0;
	if (t->letter != 0 &&
	    dead_letter_remove(s->store, t->letter, &err) != 0)
		log_err("dead letter %lld was delivered and cannot be "
			"removed: %s",
		    (long long)t->letter, err.text);
	if (s->health == SHIP_WELL)
		return;
	ship_health(s, SHIP_WELL, "");
	for (t = s->trips; t != NULL; t = t->next)
		t->due = 0;
}

static void
retry(struct ship *s, struct trip *t, int64_t delay, const char *why)
{
	int64_t now = clock_monotonic();

	t->state = TRIP_WAITING;
	if (s->shut)
		return; /* the output is being closed: not its fault */
	t->tries++;
	s->streak++;
	s->met = s->out.connects;
	s->add[DELIVERY_RETRIES]++;
	s->news = true;
	t->due = now + ship_backoff(t->tries, RETRY_FIRST, RETRY_MOST);
	if (delay > DELAY_MOST)
		delay = DELAY_MOST;
	/* Nothing is under way any more: the destination is in trouble, and
	 * not one parcel. */
	if (s->n_flight == 0 && delay <= 0)
		delay = ship_backoff(++s->level, RETRY_FIRST, RETRY_MOST);
	if (delay > 0 && now + delay > s->hold)
		s->hold = now + delay;
	if (s->n_flight == 0 || s->streak >= STREAK_BAD)
		ship_health(s, SHIP_RETRYING, why);
}

static void
blocked(struct ship *s, struct trip *t, const char *why)
{
	t->state = TRIP_WAITING;
	t->due = 0;
	if (s->shut)
		return;
	s->shut = true;
	s->add[DELIVERY_RETRIES]++;
	s->news = true;
	ship_health(s, SHIP_BLOCKED, why);
}

static void
done(void *ctx, struct parcel *p, enum verdict v, int64_t delay,
    const char *why)
{
	struct ship *s = ctx;
	struct trip *t = find(s, p);

	s->n_flight--;
	parcel_unload(p);
	switch (v) {
	case VERDICT_DELIVERED:
		delivered(s, t);
		break;
	case VERDICT_RETRY:
		retry(s, t, delay, why);
		break;
	case VERDICT_REFUSED:
		t->state = TRIP_REFUSED;
		s->streak = 0;
		(void)snprintf(t->why, sizeof(t->why), "%s", why);
		break;
	case VERDICT_BLOCKED:
		blocked(s, t, why);
		break;
	}
}

static int
refuse(void *ctx, struct parcel *p, size_t i, const char *why)
{
	struct ship *s = ctx;
	struct err err = ERR_INIT;

	if (parcel_marked(p, i))
		return 0;
	if (find(s, p)->letter == 0 && ship_letter(s, p, i, why, &err) != 0) {
		log_err("%s", err.text);
		return -1;
	}
	parcel_mark(p, i);
	return 0;
}

const struct output_owner ship_owner = { .done = done, .refuse = refuse };
