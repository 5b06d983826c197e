/*
 * queue.c - deliveries: from the store, cut at the line at fault, settled.
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
#define DEAD_LETTERS_QUIET (10 * CLOCK_SECOND)

/* Stored bytes are sent as they are, and a destination may take damaged ones
 * for trouble of its own; after so many tries they are looked at. */
#define TRIES_DOUBT 6

/* Deliveries made ahead: they have packed bytes in memory. */
#define AHEAD 2

struct delivery *
ship_add_delivery(struct ship *s, struct delivery *at, struct chunk *p)
{
	struct delivery **to = &s->queue.first, *t = xcalloc(1, sizeof(*t));

	if (at != NULL) {
		to = &at->next;
	} else {
		while (*to != NULL)
			to = &(*to)->next;
	}
	t->chunk = p;
	t->next = *to;
	*to = t;
	s->queue.n++;
	return t;
}

/* Take the first delivery of the list at out of it. */
static void
drop(struct ship *s, struct delivery **at)
{
	struct delivery *t = *at;

	*at = t->next;
	s->queue.n--;
	chunk_free(t->chunk);
	free(t);
}

void
ship_drop_all(struct ship *s)
{
	while (s->queue.first != NULL)
		drop(s, &s->queue.first);
	batch_ref_release(s->next.batch);
	s->next.batch = NULL;
	batch_ref_release(s->replay.at.batch);
	s->replay.at.batch = NULL;
	ship_hold_free(s);
}

/* Behind line to of the batch. */
static void
move_on(struct cursor *c, size_t to)
{
	c->line = to;
	if (to < batch_ref_lines(c->batch))
		return;
	c->after = batch_ref_id(c->batch);
	c->line = 0;
	batch_ref_release(c->batch);
	c->batch = NULL;
}

/* Have c->batch be what comes next: 1, 0 there is none, -1. */
static int
next_batch(struct ship *s, struct cursor *c, struct err *err)
{
	int rc;

	if (c->batch != NULL)
		return 1;
	rc = batch_reader_next(s->reader, c->after, &c->batch, err);
	if (rc == 1 && c->line >= batch_ref_lines(c->batch)) {
		/* Nothing of it is left: move on as if it had been sent. */
		move_on(c, c->line);
		return next_batch(s, c, err);
	}
	return rc;
}

/* The line of the batch at c that comes behind until. */
static size_t
end_of(const struct cursor *c, const struct position *until)
{
	if (until == NULL || batch_ref_id(c->batch) <= until->batch)
		return batch_ref_lines(c->batch);
	return c->after <= until->batch ? until->lines : 0;
}

/* How much of the batch, up to line end, has room.  Where it is damaged all of
 * it has: that is found out about again, and dealt with, when its lines are
 * wanted. */
static int
fit(const struct cursor *c, size_t end, size_t room, bool alone, size_t *to,
    size_t *bytes, struct err *err)
{
	struct err why = ERR_INIT;

	if (batch_ref_fit(c->batch, c->line, room, alone, to, bytes, &why) !=
	    0) {
		err_clear(&why);
		if (batch_ref_check(c->batch, &why) < 0)
			return err_set(err, "%s", why.text);
		*to = alone ? batch_ref_lines(c->batch) : c->line;
		*bytes = batch_ref_bytes(c->batch);
	}
	if (*to > end) {
		*bytes = *bytes / (*to - c->line) * (end - c->line);
		*to = end;
	}
	return 0;
}

int
ship_load(struct ship *s, struct cursor *c, const struct position *until,
    size_t max, struct chunk *p, struct err *err)
{
	size_t room, to, bytes, end;
	bool alone;
	int rc = 0;

	while (chunk_bytes(p) < max &&
	    (!s->out.batches || chunk_lines(p) == 0)) {
		rc = next_batch(s, c, err);
		if (rc != 1)
			break;
		end = end_of(c, until);
		if (c->line >= end)
			break;
		room = max - chunk_bytes(p);
		alone = chunk_lines(p) == 0;
		/* Only whole batches travel as the store has packed them. */
		if (!alone && c->line == 0 && batch_ref_bytes(c->batch) > room)
			break;
		if (fit(c, end, room, alone, &to, &bytes, err) != 0)
			return -1;
		if (to == c->line ||
		    chunk_add(p, c->batch, c->line, to, bytes) != 0)
			break;
		move_on(c, to);
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
	for (const struct delivery *t = s->queue.first; t != NULL; t = t->next)
		waiting += t->state == DELIVERY_WAITING && !t->again &&
		    !t->replay && t->strikes == 0 &&
		    !(t->suspect && ship_refusing(s));
	while (s->queue.n < DELIVERIES_MAX && waiting < AHEAD) {
		struct chunk *p = chunk_new();
		int rc = ship_load(s, &s->next, NULL, s->out.chunk_max, p, err);

		/* What was loaded before an error is on its way all the same:
		 * nobody would load it again. */
		if (chunk_lines(p) == 0) {
			chunk_free(p);
			return rc != 0 ? rc : ship_hold_fill(s, err);
		}
		(void)ship_add_delivery(s, NULL, p);
		waiting++;
		if (rc != 0)
			return rc;
	}
	return ship_hold_fill(s, err);
}

struct delivery *
ship_split(struct ship *s, struct delivery *t, size_t at)
{
	struct delivery *rest =
	    ship_add_delivery(s, t, chunk_split(t->chunk, at));

	rest->suspect = t->suspect;
	rest->replay = t->replay;
	rest->connection = t->connection;
	rest->hold = t->hold;
	rest->received = t->received;
	return rest;
}

struct delivery *
ship_keep_rest(struct ship *s, struct delivery *t)
{
	size_t lines = chunk_lines(t->chunk), to = lines;
	size_t from = chunk_open(t->chunk, 0);
	struct delivery *rest = t;

	if (from == lines)
		return NULL;
	while (chunk_mark(t->chunk, to - 1) != CHUNK_OPEN)
		to--;
	if (to < lines)
		ship_split(s, t, to)->state = DELIVERY_SETTLED;
	if (from > 0) {
		rest = ship_split(s, t, from);
		rest->tries = t->tries;
		t->state = DELIVERY_SETTLED;
	}
	chunk_drop_marked(rest->chunk);
	return rest;
}

struct delivery *
ship_probe(struct ship *s)
{
	struct delivery *probe = NULL;

	for (struct delivery *t = s->queue.first; t != NULL; t = t->next) {
		if (t->state == DELIVERY_IN_FLIGHT ||
		    t->state == DELIVERY_REFUSED)
			return NULL;
		if (t->state == DELIVERY_WAITING &&
		    (probe == NULL || (probe->suspect && !t->suspect)))
			probe = t;
	}
	if (probe != NULL && chunk_lines(probe->chunk) > 1)
		(void)ship_split(s, probe, 1);
	return probe;
}

/* Make one of two settled deliveries that follow each other, so that any number
 * of them may wait for the one before. */
static bool
join(struct delivery *t, struct delivery *behind)
{
	if (t->state != DELIVERY_SETTLED || behind->state != DELIVERY_SETTLED ||
	    t->hold != behind->hold || t->connection != behind->connection)
		return false;
	t->bytes += chunk_bytes(t->chunk) + behind->bytes;
	chunk_free(t->chunk);
	t->chunk = behind->chunk;
	behind->chunk = NULL;
	t->received = behind->received;
	return true;
}

void
ship_settle(struct ship *s)
{
	struct delivery **at = &s->queue.first, *t, *prior = NULL;
	bool first = true; /* all before it are settled */

	while ((t = *at) != NULL) {
		if (t->dead_letter != 0 || t->again || t->replay) {
			if (t->state == DELIVERY_SETTLED)
				drop(s, at);
			else
				at = &t->next;
			continue;
		}
		if (t->state != DELIVERY_SETTLED)
			first = false;
		if (first)
			ship_hold_add(s, t);
		if (first || (prior != NULL && join(prior, t))) {
			drop(s, at);
			continue;
		}
		prior = t;
		at = &t->next;
	}
}

/* Say that an event became a dead letter, not too often. */
static void
speak_of(struct ship *s, const struct dead_letter *d)
{
	int64_t now = clock_monotonic();

	if (s->keeping.dead_letter_logged != 0 &&
	    now - s->keeping.dead_letter_logged < DEAD_LETTERS_QUIET) {
		log_info("event %llu of %s becomes a dead letter: %s",
		    (unsigned long long)d->index, d->feed, d->reason);
		return;
	}
	s->keeping.dead_letter_logged = now;
	log_warn("event %llu of %s becomes a dead letter: %s; `sealfeed "
		 "dead-letters` lists all",
	    (unsigned long long)d->index, d->feed, d->reason);
}

static int
store_dead_letter(struct ship *s, struct dead_letter *d, const char *why,
    struct err *err)
{
	(void)snprintf(d->output, sizeof(d->output), "%s", s->out.name);
	(void)snprintf(d->reason, sizeof(d->reason), "%s", why);
	d->when = clock_now();
	if (dead_letter_add(s->store, d, err) != 0)
		return -1;
	s->progress.add[OUTPUT_REFUSED]++;
	s->progress.changed = true;
	return 0;
}

int
ship_add_dead_letter(struct ship *s, struct chunk *p, size_t i, const char *why,
    struct err *err)
{
	struct dead_letter d = { .id = 0 };
	struct chunk_line line;
	int rc;

	if (chunk_line(p, i, &line, err) != 0)
		return -1;
	if (line.checkpoint) {
		/* Not an event: nothing of a vendor's is missing. */
		log_err("checkpoint %llu of %s is refused: %s; `sealfeed "
			"verify` reports it as missing",
		    (unsigned long long)line.number, line.feed, why);
		s->progress.add[OUTPUT_REFUSED]++;
		s->progress.changed = true;
		return 0;
	}
	(void)snprintf(d.feed, sizeof(d.feed), "%s", line.feed);
	d.index = line.number;
	d.event_time = line.when;
	d.via = via_named(line.via);
	buf_init(&d.event, line.len);
	if (buf_add(&d.event, line.value, line.len) != 0)
		return err_set(err, "dead letter: no memory for %zu bytes",
		    line.len);
	rc = store_dead_letter(s, &d, why, err);
	if (rc == 0)
		speak_of(s, &d);
	buf_release(&d.event);
	return rc;
}

/* When the store's bytes are damaged, which is why an output refuses what it
 * was given, the store must be repaired, and its events fetched again: -1. */
static int
find_damage(struct ship *s, const struct delivery *t, struct err *err)
{
	size_t lines = chunk_lines(t->chunk), line, end;
	struct batch_ref *c, *checked = NULL;
	int rc;

	for (size_t i = 0; i < lines; i = end) {
		c = chunk_batch_of(t->chunk, i, &line, &end);
		if (line >= batch_ref_events(c) || c == checked)
			continue;
		checked = c;
		rc = batch_ref_check(c, err);
		if (rc == 0)
			continue;
		if (rc > 0)
			store_flag_damage(s->store);
		return -1;
	}
	return 0;
}

/* Deal with one refused delivery. */
static int
cut(struct ship *s, struct delivery *t, struct err *err)
{
	size_t lines = chunk_lines(t->chunk);

	t->tries = 0;
	t->due = 0;
	t->suspect = true;
	if (t->dead_letter != 0) {
		ship_refused(s, true, t->why);
		log_warn("dead letter %lld is refused again: %s",
		    (long long)t->dead_letter, t->why);
		t->state = DELIVERY_SETTLED;
		return 0;
	}
	if (find_damage(s, t, err) != 0)
		return -1;
	if (t->again) {
		/* It was taken once, and is not refused for good now. */
		ship_hold_done(s, t);
		return 0;
	}
	if (lines > 1) {
		(void)ship_split(s, t, lines / 2);
		t->state = DELIVERY_WAITING;
		return 0;
	}
	/* It was under way when it became clear that all are refused. */
	if (ship_refusing(s) && clock_monotonic() < s->health.hold) {
		t->state = DELIVERY_WAITING;
		return 0;
	}
	if (ship_add_dead_letter(s, t->chunk, 0, t->why, err) != 0)
		return -1;
	ship_refused(s, chunk_set_mark(t->chunk, 0, 1, CHUNK_REFUSED) > 0,
	    t->why);
	t->state = DELIVERY_SETTLED;
	return 0;
}

int
ship_bisect(struct ship *s, struct err *err)
{
	for (struct delivery *t = s->queue.first; t != NULL; t = t->next) {
		if (t->state == DELIVERY_REFUSED && cut(s, t, err) != 0)
			return -1;
		if (t->state != DELIVERY_WAITING || t->tries < TRIES_DOUBT)
			continue;
		t->tries = 1; /* and after as many again */
		if (find_damage(s, t, err) != 0)
			return -1;
	}
	return 0;
}
