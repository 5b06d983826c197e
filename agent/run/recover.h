/*
 * recover.h - the role that runs before the others and ends: a sound store.
 */
#ifndef RUN_RECOVER_H
#define RUN_RECOVER_H

struct role;
struct config;
struct err;

/* Check and repair the store, tell it the outputs, compare it with the log of
 * what was signed.  What goes wrong is written to r->result_fd.  Killed at any
 * moment, the next goes on from there. */
int recover_run(const struct role *r);

/* Delivery positions of outputs that are gone must not hold batches back, new
 * outputs must be known before the next batch is let go. */
int recover_outputs(const struct config *c, struct err *err);

#endif /* RUN_RECOVER_H */
