/*
 * walls.h - how far roles are confined, told at the start and when it changes.
 */
#ifndef RUN_WALLS_H
#define RUN_WALLS_H

struct config;
struct err;
struct users;

/* Log one line of what keeps roles from being confined as far as they could be
 * with config, where there is something that the line before did not say.  -1
 * with err: agent.sandbox is "required", and this kernel or program cannot do
 * it. */
int walls_check(const struct config *config, const struct users *users,
    struct err *err);

#endif /* RUN_WALLS_H */
