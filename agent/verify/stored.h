/*
 * stored.h - does the store still hold what was collected and signed?
 *
 * Every event that is kept is unpacked and hashed again: what is not sealed yet
 * must give the hashes of its commit, what is sealed the root that its
 * checkpoint signs.  Signatures are not looked at, since that takes a key:
 * `sealfeed export` and `sealfeed verify` do so.
 */
#ifndef VERIFY_STORED_H
#define VERIFY_STORED_H

#include <stdint.h>

#include "store/audit.h"

struct stored {
	audit_fn *finding;
	/* Called now and then with the number of batches that were read; other
	 * than 0 ends the check.  May be NULL. */
	int (*progress)(void *ctx, uint64_t batches);
	void *ctx;
	/* What was found. */
	uint64_t findings;
	uint64_t batches;
	uint64_t events;
	uint64_t checkpoints;
	uint64_t uncovered; /* sealed events whose checkpoint needs others that
			       were delivered and deleted */
};

/* Check all of the store; v zeroed but for the functions.  0, also with
 * findings; -1: it could not be checked to its end. */
int stored_check(struct store *s, struct stored *v, struct err *err);

#endif /* VERIFY_STORED_H */
