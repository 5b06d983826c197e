/*
 * users.h - who the agent runs as, when root starts it.
 *
 * Under systemd, or started by anybody else, it runs as who started it.
 */
#ifndef RUN_USERS_H
#define RUN_USERS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/role.h"

struct config;
struct err;

/* Whom roles run as. */
struct users {
	bool each; /* each kind of role has its own, in uid */
	gid_t group;
	uid_t uid[ROLE_KINDS];
};

/*
 * Become the user of the configuration, for good and with no group but its
 * own; where each role has its own, learn who they are, and stay root to start
 * them.  Folders of the store, of the log of what was signed and of what
 * collect keeps that are not there are made as that user's.  0, where root is
 * what is wanted or the default user is not there, too; -1 with err, which
 * names the option.
 */
int users_settle(const struct config *config, struct users *users,
    struct err *err);

/* Do both name the same users? */
struct agent_conf;
bool users_same(const struct agent_conf *a, const struct agent_conf *b);

/* In the new process of a role: become its user, with no capability.  0 or -1
 * with errno. */
int users_become(const struct users *users, enum role_kind kind);

#endif /* RUN_USERS_H */
