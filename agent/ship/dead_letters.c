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
#define LETTERS_MOST 8
#define DROPS_MOST 256

static size_t
under_way(const struct ship *s)
{
	size_t n = 0;

	for (const struct trip *t = s->trips; t != NULL; t = t->next)
		n += t->letter != 0;
	return n;
}

/* The next letter that the request is about: 1, 0 none, -1. */
static int
next_letter(struct ship *s, struct dead_letter *d, struct err *err)
{
	int64_t only = s->request.number;
	int rc;

	if (only != 0 && s->request_after >= only)
		return 0;
	rc = dead_letter_next(s->store, s->out.name,
	    only != 0 ? only - 1 : s->request_after, d, err);
	if (rc == 1 && only != 0 && d->id != only)
		return 0;
	if (rc == 1)
		s->request_after = d->id;
	return rc;
}

static void
send_again(struct ship *s, const struct dead_letter *d)
{
	struct cargo *c;
	struct parcel *p;

	if (d->event.len == 0) {
		log_warn("dead letter %lld has no bytes and cannot be sent: "
			 "%s",
		    (long long)d->id, d->reason);
		return;
	}
	c = cargo_letter(s->stock, d);
	p = parcel_new();
	(void)parcel_add(p, c, 0, 1, cargo_bytes(c));
	cargo_unref(c);
	ship_trip(s, NULL, p)->letter = d->id;
}

/* Go on with the request: 1 it is done, 0 not yet, -1. */
static int
serve(struct ship *s, struct err *err)
{
	bool drop = strcmp(s->request.kind, "drop") == 0;
	struct dead_letter d = { .id = 0 };
	int rc = 1;

	buf_init(&d.event, SIZE_MAX / 2);
	for (size_t n = under_way(s); n < (drop ? DROPS_MOST : LETTERS_MOST);
	     n++) {
		rc = next_letter(s, &d, err);
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
		rc = request_next(s->store, kinds[i], s->out.name, &s->request,
		    err);
	if (rc != 1)
		s->request.id = 0;
	s->request_after = 0;
	return rc < 0 ? -1 : 0;
}

int
ship_requests(struct ship *s, int64_t now, struct err *err)
{
	int rc;

	if (s->request.id == 0) {
		if (now < s->request_at)
			return 0;
		s->request_at = now + LOOK;
		if (look(s, err) != 0)
			return -1;
	}
	if (s->request.id == 0)
		return 0;
	rc = serve(s, err);
	if (rc != 1)
		return rc;
	rc = request_done(s->store, s->request.id, err);
	log_info("request %lld (%s of dead letters) is done",
	    (long long)s->request.id, s->request.kind);
	s->request.id = 0;
	return rc;
}
