/*
 * ship.h - the role that delivers the sealed batches to one output; each output
 * has a process of its own, which holds the credentials of that output alone.
 */
#ifndef SHIP_SHIP_H
#define SHIP_SHIP_H

struct role;

/* Run until the role is asked to stop; returns its exit status (base/role.h).
 */
int ship_run(const struct role *r);

#endif /* SHIP_SHIP_H */
