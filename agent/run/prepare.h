/*
 * prepare.h - what must be true of the store before the roles start.
 */
#ifndef RUN_PREPARE_H
#define RUN_PREPARE_H

struct config;
struct err;

/* Make the store know the configured outputs, and no others. */
int prepare_outputs(const struct config *c, struct err *err);

/* Make it a sound store that knows the outputs and holds what was signed:
 * checked, repaired or replaced.  Takes as long as that takes; nobody else may
 * have it open. */
int prepare_contents(const struct config *config, struct err *err);

#endif /* RUN_PREPARE_H */
