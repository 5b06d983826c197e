/*
 * position.h - how far each output has got, dead letters, requests.
 */
#ifndef STORE_POSITION_H
#define STORE_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/counters.h"
#include "store/via.h"

struct err;
struct store;

/* Make the store's outputs those of names (n): new ones begin at the oldest
 * batch kept, those no longer configured stop holding batches back and are
 * forgotten. */
int position_set_outputs(struct store *s, const char *const *names, size_t n,
    struct err *err);

struct position {
	int64_t batch; /* every line of batches up to this one is settled */
	size_t lines;  /* and this many lines of the next batch, its checkpoint
			  last */
};

/* How far an output is.  *received, if not NULL: how far it has given receipts,
 * not before *pos; *orderly, likewise: the last run and the output parted in
 * order, see output_state. */
int position_read(struct store *s, const char *output, struct position *pos,
    struct position *received, bool *orderly, struct err *err);

/* What status and metrics show about an output. */
struct output_state {
	const char *mode;  /* "confirmed", "unconfirmed", "acknowledged" … */
	const char *error; /* NULL: no error now */
	/* With position_move(): how far there are receipts, of which those
	 * behind the position do not prove enough to pass it (NULL: none is
	 * behind it), and whether they need not be sent again at the next
	 * start. */
	const struct position *received;
	bool orderly;
	uint64_t add[OUTPUT_COUNTERS]; /* to be added to the counters */
};

/* Move the position and note the time at which each batch was passed, for
 * trace.  May be lost by a crash, never torn. */
int position_move(struct store *s, const char *output,
    const struct position *pos, const struct output_state *state,
    struct err *err);

/* Record state without moving. */
int position_note(struct store *s, const char *output,
    const struct output_state *state, struct err *err);

struct dead_letter {
	int64_t id;
	char output[64];
	char feed[256];
	uint64_t index;
	int64_t when;
	char reason[512];
	struct buf event; /* bytes of the event */
	int64_t event_time;
	enum via via;
};

/* Keep a dead letter.  It is durable when this returns, so the position may
 * move past the event. */
int dead_letter_add(struct store *s, const struct dead_letter *d,
    struct err *err);
/* Read the dead letter with the lowest id above after, of all outputs if output
 * is NULL: 1, 0 none, -1. */
int dead_letter_next(struct store *s, const char *output, int64_t after,
    struct dead_letter *d, struct err *err);
int dead_letter_remove(struct store *s, int64_t id, struct err *err);

/* Requests of the command line to a role: kind "retry" (dead letter id, 0 all
 * of the output), "drop". */
struct request {
	int64_t id;
	char kind[32];
	char target[64]; /* output or source */
	int64_t number;
	char argument[256];
};
int request_add(struct store *s, const struct request *r, struct err *err);
/* Read the oldest request for target: 1, 0 none, -1. */
int request_next(struct store *s, const char *kind, const char *target,
    struct request *r, struct err *err);
int request_done(struct store *s, int64_t id, struct err *err);

#endif /* STORE_POSITION_H */
