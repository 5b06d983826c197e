/*
 * roles.h - the roles: what each runs, and what it gets.
 */
#ifndef RUN_ROLES_H
#define RUN_ROLES_H

#include "base/role.h"
#include "config/config.h"

struct role_row {
	const char *name;
	/* What it can do only before the walls are up (sandbox/sandbox.h): 0,
	 * or -1 and it was said why.  NULL: nothing. */
	int (*prepare)(struct role *r);
	int (*run)(const struct role *r);
	struct config_share share; /* output: set for each ship */
	bool network;              /* it makes connections */
	unsigned wakes;            /* the kinds that it wakes, as bits */
};

/* One row a role. */
extern const struct role_row roles[ROLE_KINDS];

#endif /* RUN_ROLES_H */
