/*
 * checkpoint.h - the value of a checkpoint line (store/line.h): the signed note
 * and what lets a reader check the events between two checkpoints.
 *
 *   {"note":"…","from":40,"before":["…"],"after":["…"],"check":"…"}
 *
 * Behind "after" may stand "keys": ["…"], notes about keys that followed each
 * other (rotation.h).
 *
 * Only the notes are signed.  The peaks prove themselves: `after` must hash to
 * the note's root, and `before` with the leaves of the events must give
 * `after`.  `check` proves nothing; it narrows down what does not fit.
 */
#ifndef EVIDENCE_CHECKPOINT_H
#define EVIDENCE_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/merkle.h"

struct err;

/* Most bytes of a value: a note, twice 64 peaks and the check codes of a batch
 * many times larger than any that is written. */
#define PROOF_MAX (1024 * 1024)

/* Bytes of a leaf hash that its check code has. */
#define PROOF_CODE 4

/* A value taken apart.  The node lists are hashes one behind the other; how
 * many there must be follows from the tree's sizes, which is for the caller
 * (merkle_load()) to see. */
struct proof {
	struct buf note;
	uint64_t from;
	struct buf before;
	struct buf after;
	struct buf check;
	struct buf keys; /* notes one behind the other, or empty */
};

void proof_init(struct proof *p);
void proof_release(struct proof *p);

/* What a value is made of; all borrowed. */
struct proof_parts {
	const struct buf *note;
	const struct merkle_range *before; /* the tree as it was */
	const struct merkle_range *after;
	const struct buf *check; /* codes of the leaves between, or empty */
	const char *keys;        /* signer_rotations() */
};

/* Append the value. */
int proof_build(struct buf *out, const struct proof_parts *p, struct err *err);

/* Take a value apart into p (initialised; its contents are replaced).
 * Hostile input. */
int proof_parse(const char *value, size_t len, struct proof *p,
    struct err *err);

#endif /* EVIDENCE_CHECKPOINT_H */
