/*
 * state.h - the known states of a feed's tree, by size; see chain.h.
 */
#ifndef VERIFY_STATE_H
#define VERIFY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/chain.h"
#include "verify/match.h"

struct state {
	uint64_t size;
	const uint8_t *peaks; /* n hashes; NULL: not known */
	size_t n;
	uint8_t root[DIGEST_LEN];
	const struct mark *mark;    /* that signs it; NULL: only claimed */
	const struct mark *claimer; /* whose peaks `before` these are */
	uint8_t *own;   /* peaks that were worked out, else NULL; owned */
	bool linked;    /* the events lead from here to the next state */
	bool authentic; /* signed, empty, or linked to an authentic one */
};

struct states {
	struct state *list;
	size_t n;
};

/* Work out the states of a stream; contradictions are said. */
void states_make(const struct chain *c, const struct stream *s,
    struct states *out);
void states_release(struct states *st);

/* What must hold for peak j of b, given a: the leaves of a segment, or, for a
 * peak that lies in a already, that it is the same one. */
enum state_step { STEP_LEAVES, STEP_SAME, STEP_DIFFERENT, STEP_UNKNOWN };
enum state_step state_step(const struct state *a, const struct state *b,
    size_t j, struct segment *g);

/* How many steps lead to b: its peaks, or one where only its root is known. */
size_t state_steps(const struct state *b);

#endif /* VERIFY_STATE_H */
