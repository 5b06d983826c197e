/*
 * hold.c - what a receipt does not prove.
 *
 * Where whoever gives receipts may be a middlebox in front of the SIEM, what
 * has one is held: the position stays before it until the connection has lived
 * for hold.time longer, or hold.bytes more have receipts.  When the connection
 * ends before that, all that is held is sent again, and held again.
 *
 * Nothing of it is in memory: spans tile what lies between the position and
 * the last receipt, and what is sent again is read from the store again.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "ship/ship_private.h"

/* What is sent again goes in chunks of at most this, so many of them ahead,
 * and one of them behind so many bytes of what was never sent. */
#define AGAIN_BYTES ((size_t)256 << 10)
#define AGAIN_AHEAD 2
#define AGAIN_EVERY ((uint64_t)1 << 20)

/* Receipts that come within this part of hold.time, and of hold.bytes, share a
 * span. */
#define SPANS 64

enum held_state {
	HELD_WAITS,    /* until it is old enough */
	HELD_AGAIN,    /* to be sent again */
	HELD_UNDER_WAY /* it is being sent again */
};

struct held {
	struct held *next;
	struct position to; /* from where the one before ends */
	enum held_state state;
	bool proven;     /* nothing to wait for but those before it */
	int64_t at;      /* of the last receipt (monotonic) */
	uint64_t bytes;  /* that had receipts by then */
	uint64_t before; /* and before its first one */
};

static bool
before(const struct position *a, const struct position *b)
{
	return a->batch != b->batch ? a->batch < b->batch : a->lines < b->lines;
}

/* What is held must not keep the store full: then nothing would be collected
 * for as long as hold.time, again and again. */
static uint64_t
most_bytes(const struct ship *s)
{
	uint64_t most = (uint64_t)s->role->config->agent.store.max_size / 4;

	return most > 0 && most < s->out.hold.bytes ? most : s->out.hold.bytes;
}

/* Could b, which follows a, be one span with it? */
static bool
alike(const struct ship *s, const struct held *a, const struct held *b)
{
	if (a->state != b->state || a->proven != b->proven ||
	    a->state == HELD_UNDER_WAY)
		return false;
	return a->proven || a->state == HELD_AGAIN ||
	    (llabs(b->at - a->at) <= s->out.hold.time / SPANS &&
		b->bytes - a->before <= most_bytes(s) / SPANS);
}

/* Make one span of those that can be. */
static void
tidy(struct ship *s)
{
	for (struct held *h = s->hold.first; h != NULL; h = h->next) {
		while (h->next != NULL && alike(s, h, h->next)) {
			struct held *gone = h->next;

			h->to = gone->to;
			if (gone->at > h->at)
				h->at = gone->at;
			if (gone->bytes > h->bytes)
				h->bytes = gone->bytes;
			h->next = gone->next;
			free(gone);
		}
	}
}

/* A span behind the one at h, or the first. */
static struct held *
add(struct ship *s, struct held *h, const struct position *to)
{
	struct held **link = h == NULL ? &s->hold.first : &h->next;
	struct held *new = xcalloc(1, sizeof(*new));

	new->to = *to;
	new->next = *link;
	*link = new;
	return new;
}

static struct held *
last(const struct ship *s)
{
	struct held *h = s->hold.first;

	while (h != NULL && h->next != NULL)
		h = h->next;
	return h;
}

void
ship_hold_begin(struct ship *s, const struct position *received)
{
	if (!before(&s->progress.position, received))
		return;
	add(s, NULL, received)->at = clock_monotonic();
	s->progress.received = *received;
}

void
ship_hold_add(struct ship *s, const struct delivery *t)
{
	struct held *h;

	chunk_end(t->chunk, &s->progress.received);
	s->progress.moved = true;
	h = add(s, last(s), &s->progress.received);
	h->before = s->hold.bytes;
	s->hold.bytes += t->bytes + chunk_bytes(t->chunk);
	h->at = t->received;
	h->bytes = s->hold.bytes;
	h->proven = !t->hold;
	if (t->hold && t->connection != s->out.breaks)
		h->state = HELD_AGAIN;
	tidy(s);
}

bool
ship_hold_proven(const struct ship *s, int64_t at, uint64_t bytes, int64_t now)
{
	return now - at >= s->out.hold.time ||
	    s->hold.bytes - bytes >= most_bytes(s);
}

/* Is nothing more to be waited for? */
static bool
old_enough(const struct ship *s, const struct held *h, int64_t now)
{
	if (h->state != HELD_WAITS)
		return false;
	return h->proven || ship_hold_proven(s, h->at, h->bytes, now);
}

void
ship_hold_release(struct ship *s, int64_t now)
{
	struct held *h;

	/* What is to be waited for is known once the output is open. */
	while (s->open && (h = s->hold.first) != NULL &&
	    old_enough(s, h, now)) {
		s->progress.position = h->to;
		s->progress.moved = true;
		s->keeping.passed = true;
		s->hold.first = h->next;
		free(h);
	}
}

int64_t
ship_hold_due(const struct ship *s)
{
	const struct held *h = s->hold.first;

	if (h == NULL || h->state != HELD_WAITS)
		return INT64_MAX;
	return h->proven ? 0 : h->at + s->out.hold.time;
}

void
ship_hold_break(struct ship *s)
{
	for (struct held *h = s->hold.first; h != NULL; h = h->next) {
		if (h->state != HELD_WAITS || h->proven)
			continue;
		if (s->out.hold.trusted)
			h->proven = true;
		else
			h->state = HELD_AGAIN;
	}
	/* And what stands behind something that is late. */
	for (struct delivery *t = s->queue.first; t != NULL; t = t->next) {
		if (s->out.hold.trusted && t->connection != s->out.breaks)
			t->hold = false;
	}
	tidy(s);
}

bool
ship_hold_orderly(const struct ship *s)
{
	for (const struct held *h = s->hold.first; h != NULL; h = h->next) {
		if (h->state != HELD_WAITS)
			return false;
	}
	return s->hold.first != NULL;
}

void
ship_hold_free(struct ship *s)
{
	struct held *h;

	while ((h = s->hold.first) != NULL) {
		s->hold.first = h->next;
		free(h);
	}
}

bool
ship_hold_turn(const struct ship *s)
{
	if (s->hold.others >= AGAIN_EVERY)
		return true;
	for (const struct delivery *t = s->queue.first; t != NULL;
	     t = t->next) {
		if (t->state == DELIVERY_WAITING && !t->again && !t->replay &&
		    t->strikes == 0)
			return false;
	}
	return true;
}

/* How many are to be sent or on their way. */
static size_t
under_way(const struct ship *s)
{
	size_t n = 0;

	for (const struct delivery *t = s->queue.first; t != NULL; t = t->next)
		n += t->again && t->state != DELIVERY_SETTLED;
	return n;
}

/* Make a delivery of the beginning of h, which begins at from. */
static int
send_again(struct ship *s, struct held *h, const struct position *from,
    struct err *err)
{
	struct cursor c = { .after = from->batch, .line = from->lines };
	struct chunk *p = chunk_new();
	struct position end;
	struct delivery *t;
	int rc = ship_load(s, &c, &h->to, AGAIN_BYTES, p, err);

	batch_ref_release(c.batch);
	if (chunk_lines(p) == 0) {
		chunk_free(p);
		/* The store was repaired, and no longer has it. */
		h->state = rc == 0 ? HELD_WAITS : h->state;
		h->proven = rc == 0;
		return rc;
	}
	chunk_end(p, &end);
	if (before(&end, &h->to)) {
		add(s, h, &h->to)->state = HELD_AGAIN;
		h->to = end;
	}
	h->state = HELD_UNDER_WAY;
	t = ship_add_delivery(s, NULL, p);
	t->again = true;
	t->held = h;
	return rc;
}

int
ship_hold_fill(struct ship *s, struct err *err)
{
	struct position from = s->progress.position;
	struct held *h = s->hold.first;

	if (h == NULL || under_way(s) >= AGAIN_AHEAD)
		return 0;
	for (; h != NULL; from = h->to, h = h->next) {
		if (h->state == HELD_AGAIN)
			return send_again(s, h, &from, err);
	}
	return 0;
}

void
ship_hold_cut(struct ship *s, struct delivery *t, size_t lines)
{
	struct chunk *rest = chunk_split(t->chunk, lines);
	struct held *h = add(s, t->held, &t->held->to);

	h->state = HELD_AGAIN;
	h->at = t->held->at;
	h->bytes = t->held->bytes;
	chunk_end(t->chunk, &t->held->to);
	chunk_free(rest);
}

void
ship_hold_done(struct ship *s, struct delivery *t)
{
	size_t lines = chunk_open(t->chunk, 0);
	struct held *h = t->held;

	if (lines > 0 && lines < chunk_lines(t->chunk))
		ship_hold_cut(s, t, lines);
	h->state = HELD_AGAIN;
	if (lines > 0 && t->connection == s->out.breaks) {
		h->state = HELD_WAITS;
		h->at = clock_monotonic();
		h->before = s->hold.bytes;
		s->hold.bytes += chunk_bytes(t->chunk);
		h->bytes = s->hold.bytes;
	} else if (lines > 0 && s->out.hold.trusted) {
		h->state = HELD_WAITS;
		h->proven = true;
	}
	t->held = NULL;
	t->state = DELIVERY_SETTLED;
	tidy(s);
}
