/*
 * replay.c - what the store keeps is sent again, as the command line asks:
 * one chunk at a time, which waits where live events do.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "ship/ship_private.h"

/* How often the store is asked for one; it has no other way to tell. */
#define LOOK CLOCK_SECOND

static bool
is_under_way(const struct ship *s)
{
	for (const struct delivery *t = s->queue.first; t != NULL; t = t->next)
		if (t->replay)
			return true;
	return false;
}

static uint64_t
events_of(const struct chunk *p)
{
	const size_t lines = chunk_lines(p);
	uint64_t events = 0;
	size_t line, end;

	for (size_t i = 0; i < lines; i = end) {
		const struct batch_ref *c = chunk_batch_of(p, i, &line, &end);
		const size_t all = batch_ref_events(c);

		for (size_t k = i; k < end; k++, line++)
			events += line < all;
	}
	return events;
}

/* Have the next run of batches before it: 1, 0 there is none, -1. */
static int
next_run(struct ship *s, struct err *err)
{
	/* What comes behind is still to be delivered anyway. */
	const int64_t limit = s->progress.position.batch;
	int64_t first = 0;
	int rc = replay_run(s->store, &s->replay.now, limit, &first,
	    &s->replay.end, err);

	s->replay.at = (struct cursor){ .after = first - 1 };
	return rc;
}

/* Nothing is left of the run, whose next batch is none of it. */
static void
end_run(struct ship *s)
{
	batch_ref_release(s->replay.at.batch);
	s->replay.at.batch = NULL;
	s->replay.now.after = s->replay.end;
}

/* Make a delivery of the next chunk: 1, 0 there is nothing left, -1. */
static int
load(struct ship *s, struct err *err)
{
	struct chunk *p = chunk_new();
	int rc = 1;

	while (rc == 1 && chunk_lines(p) == 0) {
		struct position until;

		if (s->replay.at.batch == NULL)
			rc = next_run(s, err);
		if (rc != 1)
			break;
		until = (struct position){ .batch = s->replay.end };
		if (ship_load(s, &s->replay.at, &until, s->out.chunk_max, p,
			err) != 0)
			rc = -1;
		else if (chunk_lines(p) == 0)
			end_run(s);
	}
	if (chunk_lines(p) == 0) {
		chunk_free(p);
		return rc;
	}
	s->replay.events = events_of(p);
	ship_add_delivery(s, NULL, p)->replay = true;
	return rc;
}

/* Go on: 1 it has ended, 0 not yet, -1. */
static int
serve(struct ship *s, struct err *err)
{
	struct replay *r = &s->replay.now;
	int rc;

	if (is_under_way(s))
		return 0;
	if (s->replay.events > 0 || s->replay.at.after > r->after) {
		r->sent += s->replay.events;
		s->replay.events = 0;
		if (s->replay.at.after > r->after)
			r->after = s->replay.at.after;
		if (replay_move(s->store, r, err) != 0)
			return -1;
	}
	rc = load(s, err);
	return rc < 0 ? -1 : rc == 0;
}

int
ship_replay(struct ship *s, int64_t now, struct err *err)
{
	int rc;

	if (s->replay.now.id == 0) {
		if (now < s->replay.look_at)
			return 0;
		s->replay.look_at = now + LOOK;
		rc = replay_next(s->store, s->out.name, &s->replay.now, err);
		if (rc != 1) {
			s->replay.now.id = 0;
			return rc;
		}
		s->replay.at = (struct cursor){ .after = 0 };
	}
	if (!s->open)
		return 0;
	rc = serve(s, err);
	if (rc != 1)
		return rc;
	if (replay_end(s->store, &s->replay.now, err) != 0)
		return -1;
	log_info("replay %lld has ended: %llu events were sent again",
	    (long long)s->replay.now.id,
	    (unsigned long long)s->replay.now.sent);
	s->replay.now.id = 0;
	return 0;
}
