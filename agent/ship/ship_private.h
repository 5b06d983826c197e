/*
 * ship_private.h - what the files of the ship role share.
 *
 * A delivery is a chunk and what has become of it.  Deliveries stand in the
 * order of their lines; when the first ones are settled the position moves
 * behind them, as far as nothing is held (hold.c).  A retried dead letter, and
 * what is sent again out of what is held, are deliveries without a place in
 * that order.
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
#include "store/replay.h"

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
	bool again;          /* it is sent again out of what is held */
	bool replay;         /* it was asked for, and is nobody's place */
	struct held *held;   /* of which this is sent again */
	uint64_t connection; /* out.breaks when it was sent */
	/* Once it is settled: is it to be held, since when, and bytes of
	 * others that it now stands for, too. */
	bool hold;
	int64_t received;
	uint64_t bytes;
	/* How often it broke the connection alone while others passed, and
	 * what in_flight.passed must exceed before it is tried again. */
	unsigned strikes;
	uint64_t struck;
	/* Since it was sent: events that are delivered, and whether the
	 * receiver refused lines of it one by one. */
	size_t delivered;
	bool refused;
	char why[512]; /* it was refused, or broke the connection */
};

/* A place in the store: from line of batch on, or where that is NULL from line
 * of the first batch after after. */
struct cursor {
	int64_t after;
	struct batch_ref *batch;
	size_t line;
};

/* A place in a replay that has a receipt. */
struct replay_mark {
	int64_t after;  /* batches up to this one were received */
	uint64_t sent;  /* events until then */
	int64_t at;     /* the receipt (monotonic) */
	uint64_t bytes; /* ship's hold.bytes by then */
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

	struct cursor next; /* what was never sent */

	struct {
		struct held *first; /* oldest first */
		uint64_t bytes;     /* that had receipts so far */
		uint64_t others;    /* bytes sent since something was sent
				       again */
	} hold;

	struct {
		size_t limit;   /* lines in flight; 0: as the output says */
		unsigned taken; /* successes since it changed, of which more
				   than so many double it */
		unsigned steps;
		size_t lowered;  /* limit when a break last lowered it */
		unsigned barren; /* breaks in a row without progress */
		uint64_t passed; /* deliveries that made progress */
		uint64_t breaks; /* out.breaks, taken into account */
		bool progress;   /* of what was never sent, since the last */
		/* What the break cut short: lines, whether some of their
		 * deliveries had come through, and the last delivery. */
		size_t lost;
		bool partly;
		struct delivery *alone;
		unsigned flaps;  /* breaks in a row, each soon after another */
		int64_t broke;   /* when it last did */
		uint64_t before; /* passed by then */
		bool stuck;      /* delivery waits for an event to blame */
	} in_flight;

	struct {
		enum ship_health state;
		unsigned level;    /* of the back-off, of the whole output */
		unsigned retries;  /* in a row, since the last delivered */
		unsigned refusals; /* of single events, in a row */
		int64_t hold;      /* nothing is sent before (monotonic) */
		uint64_t connects; /* out.connects at the last retry */
		int64_t told;      /* when the log last said how it is */
		bool shut;         /* close the output: blocked, or to look
				      anew */
	} health;

	struct {
		struct position position;
		struct position received; /* how far there are receipts */
		bool orderly;             /* what is held was not cut off */
		bool moved;               /* and not written yet */
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
		int64_t certificates_at; /* when they are looked at next */
		bool passed;             /* something, since it was cleaned */
		int64_t busy;    /* when something was last under way; 0: at
				    rest */
		int64_t failing; /* since when the store fails; 0: it does
				    not */
		int64_t turn_at; /* when the store is used next */
		int64_t dead_letter_logged; /* when one was last logged */
	} keeping;

	struct {
		struct request now; /* being served; id 0: none */
		int64_t after;      /* dead letters up to this id are done */
		int64_t look_at;    /* when to look for one next */
	} requests;

	struct {
		struct replay now; /* being served; id 0: none */
		struct cursor at;  /* behind what was loaded of it */
		int64_t end;       /* last batch of the run at hand */
		/* Of what is under way. */
		uint64_t events;
		uint64_t bytes;
		/* How far there are receipts, and marks of them that are held,
		 * the older one first. */
		struct replay_mark reached;
		struct replay_mark mark[2];
		size_t marks;
		uint64_t breaks; /* of out, taken into account */
		int64_t look_at;
	} replay;
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
/* Drop settled deliveries; what stands first moves to what is held. */
void ship_settle(struct ship *s);
/* Load p with what comes at c, up to until (NULL: without end) and so many
 * bytes. */
int ship_load(struct ship *s, struct cursor *c, const struct position *until,
    size_t max, struct chunk *p, struct err *err);
/* Cut t in two before line at; the second part comes behind it. */
struct delivery *ship_split(struct ship *s, struct delivery *t, size_t at);
/* Put a delivery for p behind the delivery at, NULL: last. */
struct delivery *ship_add_delivery(struct ship *s, struct delivery *at,
    struct chunk *p);
void ship_drop_all(struct ship *s);
/* Line i of p becomes a dead letter. */
int ship_add_dead_letter(struct ship *s, struct chunk *p, size_t i,
    const char *why, struct err *err);

/* hold.c */

/* What was received before this start is held from now on. */
void ship_hold_begin(struct ship *s, const struct position *received);
/* t, the first in order, is settled: move progress.received behind it. */
void ship_hold_add(struct ship *s, const struct delivery *t);
/* Move progress.position as far as it may. */
void ship_hold_release(struct ship *s, int64_t now);
/* Is a receipt worth what it says that came then (monotonic), when hold.bytes
 * was so much? */
bool ship_hold_proven(const struct ship *s, int64_t at, uint64_t bytes,
    int64_t now);
/* When that may be next (monotonic). */
int64_t ship_hold_due(const struct ship *s);
/* The connection ended: all that is held is to be sent again. */
void ship_hold_break(struct ship *s);
/* Something is held, and the connection has not ended. */
bool ship_hold_orderly(const struct ship *s);
/* Make deliveries of what is to be sent again. */
int ship_hold_fill(struct ship *s, struct err *err);
/* May what is sent again be sent now, and not what never was? */
bool ship_hold_turn(const struct ship *s);
/* Leave only so many lines in t, which is sent again. */
void ship_hold_cut(struct ship *s, struct delivery *t, size_t lines);
/* t, which was sent again, has its verdict: what of it is still open is to be
 * sent once more. */
void ship_hold_done(struct ship *s, struct delivery *t);
void ship_hold_free(struct ship *s);

/* in_flight.c: how much is on its way at once, and what breaks connections. */

/* How many chunks are on their way, without those that the receiver has only to
 * confirm. */
size_t ship_moving(const struct ship *s);
/* Send what is due; returns whether there was anything. */
bool ship_send_due(struct ship *s, int64_t now);
/* Note that a break cut t short, with so many lines left; partly: others of it
 * had come through. */
void ship_cut_short(struct ship *s, struct delivery *t, size_t lines,
    bool partly, const char *why);
/* Note that t came through; again: it had done so before. */
void ship_came_through(struct ship *s, bool again);
/* How long to wait when a break ended all that was under way. */
int64_t ship_break_pause(struct ship *s);
/* Take breaks into account; events that cause them become dead letters. */
int ship_breaks(struct ship *s, int64_t now, struct err *err);
/* May the output be called well now? */
bool ship_calm(const struct ship *s, int64_t now);

/* dead_letters.c: retry and drop dead letters as the command line asks. */
int ship_requests(struct ship *s, int64_t now, struct err *err);

/* replay.c: send again what the command line asks for. */
int ship_replay(struct ship *s, int64_t now, struct err *err);

/* health.c: verdicts, back-off, health. */
extern const struct output_owner ship_owner;
void ship_health(struct ship *s, enum ship_health h, const char *why);
/* A line was refused alone; event: it is one, and no checkpoint. */
void ship_refused(struct ship *s, bool event, const char *why);
/* Has the destination refused so many events in a row that they can't be to
 * blame? */
bool ship_refusing(const struct ship *s);
/* Pauses of the output as a whole. */
#define SHIP_RETRY_FIRST CLOCK_SECOND
#define SHIP_RETRY_MAX CLOCK_MINUTE

/* Jittered back-off before the n-th repeat, from 1. */
int64_t ship_backoff(unsigned n, int64_t first, int64_t max);

#endif /* SHIP_SHIP_PRIVATE_H */
