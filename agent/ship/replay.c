/*
 * replay.c - what the store keeps is sent again, as the command line asks:
 * one chunk at a time, which waits where live events do.
 *
 * It is held as they are (hold.c): how far it has got is noted when a receipt
 * is old enough, and when the connection ends before that it goes on from what
 * was noted.  Two marks do for that: the older one is waited for, the other one
 * moves with what is received meanwhile.
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
	struct replay rest = s->replay.now;
	int64_t first = 0;
	int rc;

	rest.after = s->replay.at.after;
	rc = replay_run(s->store, &rest, limit, &first, &s->replay.end, err);
	if (rc == 1)
		s->replay.at = (struct cursor){ .after = first - 1 };
	return rc;
}

/* Nothing is left of the run, whose next batch is none of it. */
static void
end_run(struct ship *s)
{
	batch_ref_release(s->replay.at.batch);
	s->replay.at.batch = NULL;
	s->replay.at.after = s->replay.end;
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
	s->replay.bytes = chunk_bytes(p);
	ship_add_delivery(s, NULL, p)->replay = true;
	return rc;
}

/* What was loaded last is received. */
static void
mark(struct ship *s, int64_t now)
{
	const size_t i = s->replay.marks == 0 ? 0 : 1;

	if (s->replay.bytes == 0)
		return;
	s->replay.reached.sent += s->replay.events;
	s->replay.reached.after = s->replay.at.after;
	s->hold.bytes += s->replay.bytes;
	s->replay.reached.at = now;
	s->replay.reached.bytes = s->hold.bytes;
	s->replay.events = 0;
	s->replay.bytes = 0;
	s->replay.mark[i] = s->replay.reached;
	s->replay.marks = i + 1;
}

/* Note the older mark when nothing more is to be waited for. */
static int
release(struct ship *s, int64_t now, struct err *err)
{
	const struct replay_mark *m = s->replay.mark;

	if (s->replay.marks == 0 || !ship_hold_proven(s, m->at, m->bytes, now))
		return 0;
	s->replay.now.after = m->after;
	s->replay.now.sent = m->sent;
	s->replay.mark[0] = s->replay.mark[1];
	s->replay.marks--;
	return replay_move(s->store, &s->replay.now, err);
}

/* Begin behind what is noted. */
static void
begin(struct ship *s)
{
	batch_ref_release(s->replay.at.batch);
	s->replay.at = (struct cursor){ .after = s->replay.now.after };
	s->replay.events = 0;
	s->replay.bytes = 0;
	s->replay.marks = 0;
	s->replay.reached = (struct replay_mark){ .after = s->replay.now.after,
		.sent = s->replay.now.sent };
	s->replay.breaks = s->out.breaks;
}

/* Go on: 1 it has ended, 0 not yet, -1. */
static int
serve(struct ship *s, int64_t now, struct err *err)
{
	int rc;

	if (is_under_way(s))
		return 0;
	if (s->replay.breaks != s->out.breaks && s->out.hold.time > 0 &&
	    !s->out.hold.trusted)
		begin(s);
	s->replay.breaks = s->out.breaks;
	mark(s, now);
	if (release(s, now, err) != 0)
		return -1;
	rc = load(s, err);
	if (rc < 0)
		return -1;
	return rc == 0 && s->replay.marks == 0;
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
		begin(s);
	}
	if (!s->open)
		return 0;
	rc = serve(s, now, err);
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
