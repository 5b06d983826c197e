/*
 * roles.h - the roles: what each runs, and what it gets.
 */
#ifndef RUN_ROLES_H
#define RUN_ROLES_H

#include "base/role.h"
#include "config/config.h"

struct role_row {
	const char *name;
	int (*run)(const struct role *r);
	struct config_share share; /* output: set for each ship */
	bool network;              /* it makes connections */
};

/* One row a role. */
extern const struct role_row roles[ROLE_KINDS];

#endif /* RUN_ROLES_H */
