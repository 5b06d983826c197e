/*
 * queue.c - trips: from the store, cut at the line at fault, settled.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "ship/ship_private.h"
#include "store/store.h"

/* Dead letters are spoken of at most that often. */
#define LETTERS_QUIET (10 * CLOCK_SECOND)

/* Stored bytes are sent as they are, and a destination may take damaged ones
 * for trouble of its own; after so many tries they are looked at. */
#define TRIES_DOUBT 6

/* Trips made ahead: they have packed bytes in memory. */
#define AHEAD 2

struct trip *
ship_trip(struct ship *s, struct trip *at, struct parcel *p)
{
	struct trip **to = &s->trips, *t = xcalloc(1, sizeof(*t));

	if (at != NULL) {
		to = &at->next;
	} else {
		while (*to != NULL)
			to = &(*to)->next;
	}
	t->parcel = p;
	t->next = *to;
	*to = t;
	s->n_trips++;
	return t;
}

/* Take the first trip of the list at out of it. */
static void
drop(struct ship *s, struct trip **at)
{
	struct trip *t = *at;

	*at = t->next;
	s->n_trips--;
	parcel_free(t->parcel);
	free(t);
}

void
ship_drop_all(struct ship *s)
{
	while (s->trips != NULL)
		drop(s, &s->trips);
	cargo_unref(s->cargo);
	s->cargo = NULL;
}

/* Have s->cargo be what comes next: 1, 0 there is none, -1. */
static int
next_cargo(struct ship *s, struct err *err)
{
	int rc;

	if (s->cargo != NULL)
		return 1;
	rc = cargo_next(s->stock, s->after, &s->cargo, err);
	if (rc == 1 && s->line >= cargo_lines(s->cargo)) {
		/* Nothing of it is left: move on as if it had been sent. */
		s->after = cargo_batch(s->cargo);
		s->line = 0;
		cargo_unref(s->cargo);
		s->cargo = NULL;
		return next_cargo(s, err);
	}
	return rc;
}

/* Behind line to of the cargo. */
static void
move_on(struct ship *s, size_t to)
{
	s->line = to;
	if (to < cargo_lines(s->cargo))
		return;
	s->after = cargo_batch(s->cargo);
	s->line = 0;
	cargo_unref(s->cargo);
	s->cargo = NULL;
}

/* How much of the cargo has room.  Where it is damaged all of it has: that is
 * found out about again, and dealt with, when its lines are wanted. */
static int
fit(struct ship *s, size_t room, bool alone, size_t *to, size_t *bytes,
    struct err *err)
{
	struct err why = ERR_INIT;

	if (cargo_fit(s->cargo, s->line, room, alone, to, bytes, &why) == 0)
		return 0;
	err_clear(&why);
	if (cargo_check(s->cargo, &why) < 0)
		return err_set(err, "%s", why.text);
	*to = alone ? cargo_lines(s->cargo) : s->line;
	*bytes = cargo_bytes(s->cargo);
	return 0;
}

/* Load p with what comes next, up to its limit. */
static int
load(struct ship *s, struct parcel *p, struct err *err)
{
	size_t most = s->out.parcel_most, room, to, bytes;
	bool alone;
	int rc = 0;

	while (parcel_bytes(p) < most) {
		rc = next_cargo(s, err);
		if (rc != 1)
			break;
		room = most - parcel_bytes(p);
		alone = parcel_lines(p) == 0;
		/* Only whole batches travel as the store has packed them. */
		if (!alone && s->line == 0 && cargo_bytes(s->cargo) > room)
			break;
		if (fit(s, room, alone, &to, &bytes, err) != 0)
			return -1;
		if (to == s->line ||
		    parcel_add(p, s->cargo, s->line, to, bytes) != 0)
			break;
		move_on(s, to);
	}
	return rc < 0 ? -1 : 0;
}

int
ship_fill(struct ship *s, struct err *err)
{
	size_t waiting = 0;

	if (!s->open)
		return 0;
	/* What was refused may have to wait for what was not. */
	for (const struct trip *t = s->trips; t != NULL; t = t->next)
		waiting += t->state == TRIP_WAITING &&
		    !(t->suspect && ship_refusing(s));
	while (s->n_trips < TRIPS_MOST && waiting < AHEAD) {
		struct parcel *p = parcel_new();
		int rc = load(s, p, err);

		/* What was loaded before an error is on its way all the same:
		 * nobody would load it again. */
		if (parcel_lines(p) == 0) {
			parcel_free(p);
			return rc;
		}
		(void)ship_trip(s, NULL, p);
		waiting++;
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Cut t in two before line at; the second part comes behind it. */
static void
split(struct ship *s, struct trip *t, size_t at)
{
	struct parcel *rest = parcel_split(t->parcel, at);

	ship_trip(s, t, rest)->suspect = t->suspect;
}

struct trip *
ship_probe(struct ship *s)
{
	struct trip *probe = NULL;

	for (struct trip *t = s->trips; t != NULL; t = t->next) {
		if (t->state == TRIP_FLIGHT || t->state == TRIP_REFUSED)
			return NULL;
		if (t->state == TRIP_WAITING &&
		    (probe == NULL || (probe->suspect && !t->suspect)))
			probe = t;
	}
	if (probe != NULL && parcel_lines(probe->parcel) > 1)
		split(s, probe, 1);
	return probe;
}

void
ship_settle(struct ship *s)
{
	struct trip **at = &s->trips;
	bool first = true; /* all before it are settled */

	while (*at != NULL) {
		struct trip *t = *at;

		if (t->letter != 0 && t->state == TRIP_SETTLED) {
			drop(s, at);
			continue;
		}
		if (t->letter == 0 && t->state != TRIP_SETTLED)
			first = false;
		if (t->letter == 0 && first) {
			parcel_end(t->parcel, &s->position);
			s->moved = true;
			s->passed = true;
			drop(s, at);
			continue;
		}
		at = &t->next;
	}
}

/* Say that an event became a dead letter, not too often. */
static void
speak_of(struct ship *s, const struct dead_letter *d)
{
	int64_t now = clock_monotonic();

	if (s->letter_at != 0 && now - s->letter_at < LETTERS_QUIET) {
		log_info("event %llu of %s is a dead letter now: %s",
		    (unsigned long long)d->index, d->feed, d->reason);
		return;
	}
	s->letter_at = now;
	log_warn("event %llu of %s is a dead letter now: %s; `sealfeed "
		 "dead-letters` lists all",
	    (unsigned long long)d->index, d->feed, d->reason);
}

static int
add_letter(struct ship *s, struct dead_letter *d, const char *why,
    struct err *err)
{
	(void)snprintf(d->output, sizeof(d->output), "%s", s->out.name);
	(void)snprintf(d->reason, sizeof(d->reason), "%s", why);
	d->when = clock_now();
	if (dead_letter_add(s->store, d, err) != 0)
		return -1;
	s->add[DELIVERY_REFUSED]++;
	s->news = true;
	return 0;
}

int
ship_letter(struct ship *s, struct parcel *p, size_t i, const char *why,
    struct err *err)
{
	struct dead_letter d = { .id = 0 };
	struct parcel_line line;
	int rc;

	if (parcel_line(p, i, &line, err) != 0)
		return -1;
	if (line.checkpoint) {
		/* Not an event: nothing of a vendor's is missing. */
		log_err("checkpoint %llu of %s is refused: %s; `sealfeed "
			"verify` will miss it",
		    (unsigned long long)line.number, line.feed, why);
		s->add[DELIVERY_REFUSED]++;
		s->news = true;
		return 0;
	}
	(void)snprintf(d.feed, sizeof(d.feed), "%s", line.feed);
	d.index = line.number;
	d.event_time = line.when;
	buf_init(&d.event, line.len);
	if (buf_add(&d.event, line.value, line.len) != 0)
		return err_set(err, "dead letter: no memory for %zu bytes",
		    line.len);
	rc = add_letter(s, &d, why, err);
	if (rc == 0)
		speak_of(s, &d);
	buf_release(&d.event);
	return rc;
}

/* When the store's bytes are damaged, which is why an output refuses what it
 * was given, the store must be mended, and its events fetched again: -1. */
static int
find_damage(struct ship *s, const struct trip *t, struct err *err)
{
	size_t lines = parcel_lines(t->parcel), line, end;
	struct cargo *c;
	int rc;

	for (size_t i = 0; i < lines; i = end) {
		c = parcel_cargo(t->parcel, i, &line);
		end = i + cargo_lines(c) - line;
		if (line >= cargo_events(c))
			continue;
		rc = cargo_check(c, err);
		if (rc == 0)
			continue;
		if (rc > 0)
			store_report(s->store);
		return -1;
	}
	return 0;
}

/* Deal with one refused trip. */
static int
cut(struct ship *s, struct trip *t, struct err *err)
{
	size_t lines = parcel_lines(t->parcel);

	t->tries = 0;
	t->due = 0;
	t->suspect = true;
	if (t->letter != 0) {
		ship_refused(s, true, t->why);
		log_warn("dead letter %lld is refused again: %s",
		    (long long)t->letter, t->why);
		t->state = TRIP_SETTLED;
		return 0;
	}
	if (find_damage(s, t, err) != 0)
		return -1;
	if (lines > 1) {
		split(s, t, lines / 2);
		t->state = TRIP_WAITING;
		return 0;
	}
	/* It was under way when it became clear that all are refused. */
	if (ship_refusing(s) && clock_monotonic() < s->hold) {
		t->state = TRIP_WAITING;
		return 0;
	}
	if (!parcel_marked(t->parcel, 0)) {
		if (ship_letter(s, t->parcel, 0, t->why, err) != 0)
			return -1;
		ship_refused(s, parcel_events(t->parcel) > 0, t->why);
	}
	t->state = TRIP_SETTLED;
	return 0;
}

int
ship_bisect(struct ship *s, struct err *err)
{
	for (struct trip *t = s->trips; t != NULL; t = t->next) {
		if (t->state == TRIP_REFUSED && cut(s, t, err) != 0)
			return -1;
		if (t->state != TRIP_WAITING || t->tries < TRIES_DOUBT)
			continue;
		t->tries = 1; /* and after as many again */
		if (find_damage(s, t, err) != 0)
			return -1;
	}
	return 0;
}
