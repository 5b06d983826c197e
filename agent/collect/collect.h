/*
 * collect.h - the role that asks the vendors what is new and makes it durable:
 * the only role that holds vendor credentials.
 */
#ifndef COLLECT_COLLECT_H
#define COLLECT_COLLECT_H

struct role;

/* Run until the role is asked to stop; returns its exit status (base/role.h).
 */
int collect_run(const struct role *r);

#endif /* COLLECT_COLLECT_H */
