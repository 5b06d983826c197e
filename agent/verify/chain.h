/*
 * chain.h - the proof of one feed: from checkpoint to checkpoint.
 *
 * The states of a feed's tree that are known stand in a row by size: those
 * that a checkpoint signs, the empty tree, and those that a checkpoint only
 * claims as its peaks `before`.  Between two neighbours a < b the events are
 * the leaves that lead from the peaks of a to the root of b.  Where they do
 * and b is authentic, the events are proven, and a with them, since hashes
 * leave no other.  So a checkpoint that is lost loses nothing but its own
 * statement, and an input may begin anywhere.
 *
 * Where they do not, each peak of b is tried by itself, so that one missing
 * event does not take the proof from all the others; then the check codes
 * narrow down what is left.
 */
#ifndef VERIFY_CHAIN_H
#define VERIFY_CHAIN_H

#include "base/digest.h"
#include "verify/claims.h"
#include "verify/finding.h"
#include "verify/stream.h"

struct chain {
	struct digest *digest;
	struct findings *findings;
	const struct claims *claims;
	char *const *inputs; /* names, for "FILE line 12" */
};

/* Check a sorted stream; says what is found, and sets what is proven. */
void chain_check(const struct chain *c, struct stream *s);

/* "FILE line 12" into out. */
#define CHAIN_PLACE 512
const char *chain_place(const struct chain *c, uint64_t place,
    char out[CHAIN_PLACE]);

/* Report events [first, end) as missing, those explained that became dead
 * letters.  why is put behind, "" or "; …". */
void chain_missing(const struct chain *c, const struct stream *s,
    uint64_t first, uint64_t end, const char *why);

#endif /* VERIFY_CHAIN_H */
