/*
 * ship_private.h - what the files of the ship role share.
 *
 * A delivery is a chunk and what has become of it.  Deliveries stand in the
 * order of their lines; when the first ones are settled the position moves
 * behind them.  A retried dead letter is a delivery without a place in that
 * order.
 */
#ifndef SHIP_SHIP_PRIVATE_H
#define SHIP_SHIP_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/role.h"
#include "config/config.h"
#include "delivery/chunk.h"
#include "outputs/output.h"
#include "store/position.h"

struct err;
struct store;

/* Deliveries at a time: those in flight, and settled ones behind a late one. */
#define DELIVERIES_MAX 192

enum delivery_state {
	DELIVERY_WAITING, /* to be sent when due */
	DELIVERY_IN_FLIGHT,
	DELIVERY_REFUSED, /* to be cut down to the line at fault */
	DELIVERY_SETTLED  /* delivered, or dead letters */
};

struct delivery {
	struct delivery *next;
	struct chunk *chunk;
	enum delivery_state state;
	unsigned tries;
	int64_t due;         /* monotonic */
	int64_t dead_letter; /* id of the dead letter that it retries, or 0 */
	bool suspect;        /* it, or what it was a part of, was refused */
	/* Since it was sent: events that are delivered, and whether the
	 * receiver refused lines of it one by one. */
	size_t delivered;
	bool refused;
	char why[512]; /* it was refused */
};

/* How the destination is doing; log and status say it when it changes. */
enum ship_health { SHIP_WELL, SHIP_RETRYING, SHIP_BLOCKED, SHIP_REFUSING };

/* How long an output that needs an administrator waits before it tries again,
 * the first time and at most: half a minute with what the dice add. */
#define SHIP_BLOCKED_FIRST (5 * CLOCK_SECOND)
#define SHIP_BLOCKED_MAX (24 * CLOCK_SECOND)

/* The same where each try makes a dead letter. */
#define SHIP_REFUSING_MAX (5 * CLOCK_MINUTE)

struct ship {
	const struct role *role;
	struct store *store;
	struct batch_reader *reader;
	struct output out;
	bool open; /* out has a state */

	struct {
		struct delivery *first; /* oldest first */
		size_t n;
		size_t in_flight;
	} queue;

	/* What comes next: from line of batch on, or where that is NULL from
	 * line of the first batch after after. */
	struct {
		int64_t after;
		struct batch_ref *batch;
		size_t line;
	} next;

	struct {
		enum ship_health state;
		unsigned level;    /* of the back-off, of the whole output */
		unsigned retries;  /* in a row, since the last delivered */
		unsigned refusals; /* of single events, in a row */
		int64_t hold;      /* nothing is sent before (monotonic) */
		uint64_t connects; /* out.connects at the last retry */
		bool shut;         /* close the output: blocked, or to look
				      anew */
	} health;

	struct {
		struct position position;
		bool moved;      /* and not written yet */
		bool changed;    /* what status shows, though nothing moved */
		int64_t move_at; /* when it may be written next */
		/* To be added to what the store counts, and what is counted
		 * already of out. */
		uint64_t add[OUTPUT_COUNTERS];
		uint64_t bytes;
		uint64_t connects;
	} progress;

	struct {
		int64_t clean_at; /* when the store may be cleaned next */
		bool passed;      /* something, since it was cleaned */
		int64_t busy;     /* when something was last under way; 0: at
				     rest */
		int64_t failing;  /* since when the store fails; 0: it does
				     not */
		int64_t turn_at;  /* when the store is used next */
		int64_t dead_letter_logged; /* when one was last logged */
	} keeping;

	struct {
		struct request now; /* being served; id 0: none */
		int64_t after;      /* dead letters up to this id are done */
		int64_t look_at;    /* when to look for one next */
	} requests;
};

/* queue.c */

/* Make deliveries of what the store has, a few ahead of what is sent. */
int ship_fill(struct ship *s, struct err *err);
/* Cut refused deliveries in two; a single line becomes a dead letter. */
int ship_bisect(struct ship *s, struct err *err);
/* What is sent to a destination that refuses everything: one line, of what
 * was not refused yet if there is any, so that a run of bad events is got
 * over.  NULL: the last such line is not decided yet, or there is none. */
struct delivery *ship_probe(struct ship *s);
/* Leave in a delivery only what is to be sent again; lines that are settled
 * before and behind that become deliveries of their own, which are settled.
 * Returns the one for the rest, which may be another than t; NULL: there is no
 * rest, and t is as it was. */
struct delivery *ship_keep_rest(struct ship *s, struct delivery *t);
/* Drop settled deliveries and move s->position. */
void ship_settle(struct ship *s);
/* Put a delivery for p behind the delivery at, NULL: last. */
struct delivery *ship_add_delivery(struct ship *s, struct delivery *at,
    struct chunk *p);
void ship_drop_all(struct ship *s);
/* Line i of p becomes a dead letter. */
int ship_add_dead_letter(struct ship *s, struct chunk *p, size_t i,
    const char *why, struct err *err);

/* dead_letters.c: retry and drop dead letters as the command line asks. */
int ship_requests(struct ship *s, int64_t now, struct err *err);

/* health.c: verdicts, back-off, health. */
extern const struct output_owner ship_owner;
void ship_health(struct ship *s, enum ship_health h, const char *why);
/* A line was refused alone; event: it is one, and no checkpoint. */
void ship_refused(struct ship *s, bool event, const char *why);
/* Has the destination refused so many events in a row that they can't be to
 * blame? */
bool ship_refusing(const struct ship *s);
/* Jittered back-off before the n-th repeat, from 1. */
int64_t ship_backoff(unsigned n, int64_t first, int64_t max);

#endif /* SHIP_SHIP_PRIVATE_H */
