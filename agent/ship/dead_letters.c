/*
 * dead_letters.c - dead letters, sent again or dropped as the command line
 * asks.
 */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "ship/ship_private.h"

/* How often the store is asked for requests; it has no other way to tell. */
#define LOOK CLOCK_SECOND

/* Letters under way at a time, and dropped in one turn. */
#define DEAD_LETTERS_MAX 8
#define DROPS_MAX 256

static size_t
under_way(const struct ship *s)
{
	size_t n = 0;

	for (const struct delivery *t = s->queue.first; t != NULL; t = t->next)
		n += t->dead_letter != 0;
	return n;
}

/* The next letter that the request is about: 1, 0 none, -1. */
static int
next_dead_letter(struct ship *s, struct dead_letter *d, struct err *err)
{
	int64_t only = s->requests.now.number;
	int rc;

	if (only != 0 && s->requests.after >= only)
		return 0;
	rc = dead_letter_next(s->store, s->out.name,
	    only != 0 ? only - 1 : s->requests.after, d, err);
	if (rc == 1 && only != 0 && d->id != only)
		return 0;
	if (rc == 1)
		s->requests.after = d->id;
	return rc;
}

static void
send_again(struct ship *s, const struct dead_letter *d)
{
	struct batch_ref *c;
	struct chunk *p;

	if (d->event.len == 0) {
		log_warn("dead letter %lld has no bytes and cannot be sent: "
			 "%s",
		    (long long)d->id, d->reason);
		return;
	}
	c = batch_reader_dead_letter(s->reader, d);
	p = chunk_new();
	(void)chunk_add(p, c, 0, 1, batch_ref_bytes(c));
	batch_ref_release(c);
	ship_add_delivery(s, NULL, p)->dead_letter = d->id;
}

/* Go on with the request: 1 it is done, 0 not yet, -1. */
static int
serve(struct ship *s, struct err *err)
{
	bool drop = strcmp(s->requests.now.kind, "drop") == 0;
	struct dead_letter d = { .id = 0 };
	int rc = 1;

	buf_init(&d.event, SIZE_MAX / 2);
	for (size_t n = under_way(s); n < (drop ? DROPS_MAX : DEAD_LETTERS_MAX);
	     n++) {
		rc = next_dead_letter(s, &d, err);
		if (rc != 1)
			break;
		if (!drop)
			send_again(s, &d);
		else if (dead_letter_remove(s->store, d.id, err) != 0) {
			rc = -1;
			break;
		}
	}
	buf_release(&d.event);
	if (rc < 0)
		return -1;
	return rc == 0 && under_way(s) == 0 ? 1 : 0;
}

static int
look(struct ship *s, struct err *err)
{
	static const char *const kinds[] = { "drop", "retry" };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 2; i++)
		rc = request_next(s->store, kinds[i], s->out.name,
		    &s->requests.now, err);
	if (rc != 1)
		s->requests.now.id = 0;
	s->requests.after = 0;
	return rc < 0 ? -1 : 0;
}

int
ship_requests(struct ship *s, int64_t now, struct err *err)
{
	int rc;

	if (s->requests.now.id == 0) {
		if (now < s->requests.look_at)
			return 0;
		s->requests.look_at = now + LOOK;
		if (look(s, err) != 0)
			return -1;
	}
	if (s->requests.now.id == 0)
		return 0;
	rc = serve(s, err);
	if (rc != 1)
		return rc;
	rc = request_done(s->store, s->requests.now.id, err);
	log_info("request %lld (%s of dead letters) is done",
	    (long long)s->requests.now.id, s->requests.now.kind);
	s->requests.now.id = 0;
	return rc;
}
