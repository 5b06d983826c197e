/*
 * hand_over.h - what the supervisor gives a role process, and how the process
 * takes it.
 *
 * A role is the same program, executed anew: it has none of the supervisor's
 * memory, only the part of the configuration that its row in roles.c names,
 * the environment that this part needs, and the descriptors listed here.  The
 * part comes in a memory file that is closed once it was read.
 */
#ifndef RUN_HAND_OVER_H
#define RUN_HAND_OVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/role.h"

struct config;
struct config_share;
struct node;
struct users;

struct sandbox_state;

/* The memory that the supervisor shares with a role, and this with nobody else:
 * what is in it says what the role wants to have believed of itself. */
struct hand_over_slot {
	struct role_signs signs;
	_Atomic uint64_t dropped; /* lines that its log did not take */
	/* What is in force for it: hand_over_tell(), hand_over_told(). */
	_Atomic uint64_t walls;
	_Atomic uint64_t capabilities;
	_Atomic uint64_t call; /* for which it was ended: sandbox_call_name() */
};

/* The memory file is no larger: a thousand sources take some hundred KiB. */
#define HAND_OVER_MAX (256 << 20)

/* Begins the memory file; both ends are the same binary.  Behind it stand
 * n_peers of struct hand_over_peer, then the share of the configuration. */
struct hand_over {
	enum role_kind kind;
	char name[80]; /* "ship siem": in the log, and in ps behind "sf-" */
	char output[64];
	char path[4096]; /* of the configuration; types may be in files there */
	char cause[16];
	char public_digest[65];
	int wake_fd;
	int verdict_fd; /* of ROLE_WATCH, else -1 */
	int result_fd;  /* of ROLE_RECOVER, else -1 */
	int shared_fd;  /* memory file of a struct hand_over_slot; -1 */
	int log_level;
	bool again;
	bool renewed;
	bool only_outputs;
	int64_t started;
	size_t n_peers;
};

/* Whom it wakes. */
struct hand_over_peer {
	enum role_kind kind;
	int wake_fd;
};

/*
 * Fork, and execute the program as the role of h and its user, with the memory
 * file and these descriptors (ended by -1) and no others.  The process ends
 * with the supervisor.  Its number, or -1 with errno.
 */
pid_t hand_over_start(const struct hand_over *h,
    const struct hand_over_peer *peers, const struct config *config,
    const struct users *users, const int *keep);

/* argv[0] of a role process begins with this, argv[1] is the number of the
 * memory file's descriptor. */
#define HAND_OVER_TITLE "sf-"

/* The life of a role process, to be called by main() when argv is one's; the
 * exit status. */
int hand_over_take(int argc, char **argv);

/* The environment of a role that gets this share of config, which is tree: what
 * the libraries listen to (network: that for connections, too), what its
 * sources and outputs do, and the variables and the folder of credentials that
 * tree refers to.  Ended by NULL; the texts are the environment's own, the list
 * the caller's. */
char **hand_over_environment(const struct config *config,
    const struct config_share *share, const struct node *tree, bool network);

/* Let the supervisor know what is in force for the role of that slot; and what
 * it knows: false, nothing yet. */
void hand_over_tell(struct hand_over_slot *slot,
    const struct sandbox_state *state);
bool hand_over_told(const struct hand_over_slot *slot,
    struct sandbox_state *state);

#endif /* RUN_HAND_OVER_H */
