/*
 * recover.h - the role that runs before the others and ends: a sound store.
 */
#ifndef RUN_RECOVER_H
#define RUN_RECOVER_H

struct role;

/* Check and repair the store, tell it the outputs, compare it with the log of
 * what was signed; or only the second of these, r->only_outputs.  What goes
 * wrong is written to r->result_fd.  Killed at any moment, the next goes on
 * from there. */
int recover_run(const struct role *r);

#endif /* RUN_RECOVER_H */
