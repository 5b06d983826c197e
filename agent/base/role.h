/*
 * role.h - what a role process gets from the supervisor.
 *
 * The supervisor executes one process a role.  A role opens its own store
 * handle, works until role_stopping(), leaves everything durable and returns
 * its exit status: 0 asked to stop, 1 something is wrong (it will be started
 * again with back-off), ROLE_DAMAGED the store's file is damaged or does not
 * hold what was signed (all roles are stopped, store_check() repairs or
 * replaces it, trees that cannot go on are retired, all start again).
 */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct config;
struct config_entry;

#define ROLE_DAMAGED 65 /* EX_DATAERR */

enum role_kind {
	ROLE_COLLECT,
	ROLE_SEAL,
	ROLE_SHIP,
	ROLE_WATCH,
	ROLE_RECOVER, /* before the others; it ends by itself */
	ROLE_KINDS
};

/* What a role lets the supervisor see, in memory that these two share: whoever
 * has taken over a role can't hold up who looks, as with a descriptor. */
struct role_signs {
	_Atomic uint64_t alive; /* it counts: role_alive() */
	atomic_bool ready;      /* role_ready() */
};

struct role {
	enum role_kind kind;
	const struct config *config;
	const struct config_entry *output; /* of a ship, else NULL */
	int wake_fd;              /* readable: look again (base/wake.h);
				     role_rest() and drive() wait on it */
	struct role_signs *signs; /* for role_alive() and role_ready(); NULL:
				     nobody looks */
	int verdict_fd;    /* of watch: a pipe for the lines of what the whole
			      agent does, newline at the end; non-blocking */
	int listen_fd;     /* of watch: its listening socket, non-blocking; -1:
			      nobody may ask */
	int result_fd;     /* of ROLE_RECOVER: where it writes its error */
	bool only_outputs; /* of ROLE_RECOVER: the store is sound, and is to
			      learn of the outputs */
	const int *peers;  /* wake descriptors, ended by -1: of the roles
			      that this one wakes */
	const enum role_kind *peer_kinds; /* the kind of each */
	int64_t started;   /* when the supervisor began, not this process */
	bool again;        /* this role died before and is started again */
	bool renewed;      /* … since a file that it reads was replaced */
	const char *cause; /* for the agent's own feed: "start", "reload",
			      "restart" */
};

/* The signals of a role process, at its begin. */
void role_signals(const struct role *r);

/* SIGTERM came: finish within five seconds.  wake_fd is readable then, too. */
bool role_stopping(const struct role *r);

/* SIGUSR1 came since the last call: reopen files (log rotation), read files
 * of credentials again. */
bool role_reopen(const struct role *r);

/* Tell the supervisor that this process is not hung; call it in every loop,
 * at least every ten seconds. */
void role_alive(const struct role *r);

/* Tell the supervisor that this process does its work now: its store is open,
 * its keys and credentials could be read, its address is bound, its output set
 * up.  Again and again does no harm. */
void role_ready(const struct role *r);

/* Wake all roles of a kind, which must be among the peers. */
void role_wake(const struct role *r, enum role_kind kind);

/* Sleep until woken, stopping, or timeout_ms (-1: for ever is not allowed,
 * at most 10 s) have passed; clears the wake. */
void role_rest(const struct role *r, int timeout_ms);

#endif /* BASE_ROLE_H */
