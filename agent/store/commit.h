/*
 * commit.h - the one way into the store for what was read from a vendor.
 */
#ifndef STORE_COMMIT_H
#define STORE_COMMIT_H

#include <stddef.h>

#include "store/write_batch.h"

struct err;
struct store;

/*
 * Make the write batch durable; blocks until it is, together with what other
 * threads commit to the same feed meanwhile (one fsync for all).  Repeats of
 * an id, within the write batch too, are left out.  On success the write batch
 * is empty and can be used again; on failure (disk full, I/O error) nothing has
 * changed, the write batch is as it was and can be committed again.
 */
int feed_commit(struct write_batch *p, struct commit_result *res,
    struct err *err);

/* Commit several write batches of one feed in as few transactions as possible.
 * Each may fail alone: rc[i] is what feed_commit() would return for it; err
 * describes the first failure.  Returns -1 when any failed. */
int feed_commit_all(struct write_batch *const *p, size_t n, int *rc,
    struct err *err);

/* The transaction commits events: keep pages for the next, until store_rest().
 */
void store_wake(struct store *s);

#endif /* STORE_COMMIT_H */
