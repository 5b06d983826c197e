/*
 * ship_private.h - what the files of the ship role share.
 *
 * A trip is a parcel and what has become of it.  Trips stand in the order of
 * their lines; when the first ones are settled the position moves behind
 * them.  A retried dead letter is a trip without a place in that order.
 */
#ifndef SHIP_SHIP_PRIVATE_H
#define SHIP_SHIP_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/role.h"
#include "config/config.h"
#include "delivery/parcel.h"
#include "outputs/output.h"
#include "store/delivery.h"

struct err;
struct store;

/* Trips at a time: those in flight, and settled ones behind a late one. */
#define TRIPS_MOST 192

enum trip_state {
	TRIP_WAITING, /* to be sent when due */
	TRIP_FLIGHT,
	TRIP_REFUSED, /* to be cut down to the line at fault */
	TRIP_SETTLED  /* delivered, or dead letters */
};

struct trip {
	struct trip *next;
	struct parcel *parcel;
	enum trip_state state;
	unsigned tries;
	int64_t due;    /* monotonic */
	int64_t letter; /* id of the dead letter that it retries, or 0 */
	bool suspect;   /* it, or what it was a part of, was refused */
	char why[512];  /* it was refused */
};

/* How the destination is doing; log and status say it when it changes. */
enum ship_health { SHIP_WELL, SHIP_RETRYING, SHIP_BLOCKED, SHIP_REFUSING };

/* How long an output that needs an administrator waits before it tries again,
 * the first time and at most. */
#define SHIP_BLOCKED_FIRST (5 * CLOCK_SECOND)
#define SHIP_BLOCKED_MOST (5 * CLOCK_MINUTE)

struct ship {
	const struct role *role;
	struct store *store;
	struct stock *stock;
	struct output out;
	bool open; /* out has a state */

	struct trip *trips; /* oldest first */
	size_t n_trips;
	size_t n_flight;

	/* What comes next: from line of cargo on, or when that is NULL
	 * from line of the first batch after after. */
	int64_t after;
	struct cargo *cargo;
	size_t line;

	enum ship_health health;
	unsigned level;  /* of the back-off, of the whole output */
	unsigned streak; /* verdicts retry since the last delivered one */
	unsigned row;    /* events refused alone since one was accepted */
	int64_t hold;    /* nothing is sent before (monotonic) */
	uint64_t met;    /* out.connects at the last verdict retry */
	bool shut;       /* close the output: blocked, or to look anew */

	struct position position;
	bool moved;        /* and not written yet */
	int64_t move_at;   /* when it may be written next */
	int64_t clean_at;  /* when the store may be cleaned next */
	bool passed;       /* something, since it was cleaned */
	int64_t busy;      /* when something was last under way; 0: at rest */
	int64_t letter_at; /* when dead letters were last spoken of */
	uint64_t add[DELIVERY_COUNTERS];
	uint64_t bytes; /* of out.bytes, counted */
	uint64_t connects;
	bool news;       /* state to be written, though nothing moved */
	int64_t failing; /* since when the store fails; 0: it does not */
	int64_t turn_at; /* when it is used next */

	struct request request; /* being served; id 0: none */
	int64_t request_after;  /* letters up to this id were seen to */
	int64_t request_at;     /* when to look for one next */
};

/* ship_trip.c */

/* Make trips of what the store has, a few ahead of what is sent. */
int ship_fill(struct ship *s, struct err *err);
/* Cut refused trips in two; a single line becomes a dead letter. */
int ship_bisect(struct ship *s, struct err *err);
/* What is sent to a destination that refuses everything: one line, of what
 * was not refused yet if there is any, so that a run of bad events is got
 * over.  NULL: the last such line is not decided yet, or there is none. */
struct trip *ship_probe(struct ship *s);
/* Drop settled trips and move s->position. */
void ship_settle(struct ship *s);
/* Put a trip for p behind the trip at, NULL: last. */
struct trip *ship_trip(struct ship *s, struct trip *at, struct parcel *p);
void ship_drop_all(struct ship *s);
/* Line i of p becomes a dead letter. */
int ship_letter(struct ship *s, struct parcel *p, size_t i, const char *why,
    struct err *err);

/* ship_request.c: retry and drop dead letters as the command line asks. */
int ship_requests(struct ship *s, int64_t now, struct err *err);

/* ship_state.c: verdicts, back-off, health. */
extern const struct output_owner ship_owner;
void ship_health(struct ship *s, enum ship_health h, const char *why);
/* A line was refused alone; event: it is one, and no checkpoint. */
void ship_refused(struct ship *s, bool event, const char *why);
/* Has the destination refused so many events in a row that they can't be to
 * blame? */
bool ship_refusing(const struct ship *s);
/* Jittered back-off before the n-th repeat, from 1. */
int64_t ship_backoff(unsigned n, int64_t first, int64_t most);

#endif /* SHIP_SHIP_PRIVATE_H */
