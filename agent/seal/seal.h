/*
 * seal.h - the role that signs a checkpoint behind every batch; the only role
 * that holds the signing key, and it talks to nobody.
 */
#ifndef SEAL_SEAL_H
#define SEAL_SEAL_H

struct role;

/* Run until the role is asked to stop; returns its exit status (base/role.h).
 */
int seal_run(const struct role *r);

#endif /* SEAL_SEAL_H */
