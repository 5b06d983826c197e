/*
 * child.h - the role processes as the supervisor sees them.
 */
#ifndef RUN_CHILD_H
#define RUN_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/role.h"
#include "config/config.h"
#include "sandbox/plan.h"
#include "store/roles.h"

struct hand_over_slot;

struct child {
	enum role_kind kind;
	char name[80];    /* "collect", "ship siem" */
	char output[64];  /* name of the output of a ship, else "" */
	char digest[132]; /* digest of the configuration to run with */
	bool wanted;      /* it is kept running */
	bool asked;       /* to stop, in order to start with a new one */
	bool renewed;     /* it was asked since a file was replaced */
	pid_t pid;        /* 0: not running */
	int wake_fd;   /* lives as long as the slot; each role opens it anew */
	int shared_fd; /* memory that it shares with the supervisor */
	struct hand_over_slot *shared;
	uint64_t alive;    /* its sign of life, as seen last */
	bool ready;        /* it said so since its last start */
	int64_t changed;   /* wall clock: it became ready, or ceased to be */
	char how[96];      /* its last end that nobody asked for */
	int64_t last_sign; /* monotonic time of its last sign of life, or of its
			      start */
	int64_t started;   /* monotonic */
	int64_t restart;   /* monotonic time of the next start, 0: not due */
	int64_t backoff;
	struct sandbox_plan plan; /* what it reaches; empty: everything */
	uint64_t mark;            /* of plan, when it was started */
	unsigned deaths;          /* since its configuration changed */
	uint64_t restarts;        /* because it died, since the agent began */
};

struct users;

struct children {
	struct child *slot; /* never fewer */
	size_t n;
	const _Atomic uint64_t *dropped; /* lines that the supervisor's log did
					    not take */
	int64_t began;     /* wall clock at which the supervisor began */
	const char *cause; /* of the starts to come, for the agent's feed */
	const struct users *users; /* whom they run as */
	int verdict[2];            /* the pipe of role.verdict_fd */
};

/* The slot for a role (output: name, NULL for the others); a new one is made
 * where there is none.  Borrowed until the next call.  NULL: no descriptor is
 * left. */
struct child *children_slot(struct children *all, enum role_kind kind,
    const char *output);

/* Start the role of c with its share of config; it keeps these descriptors
 * (ended by -1) as well.  0, or -1 with errno: try again later. */
int child_start(struct children *all, struct child *c,
    const struct config *config, const int *keep);

/* Was a file replaced that it reads, so that it has to start anew to reach the
 * one of that name? */
bool child_is_stale(const struct child *c);

/* Send a signal to the child if it is running. */
void child_signal(const struct child *c, int sig);

void children_release(struct children *all);

/* Note that pid ended with status (waitpid) and say so in the log; sets the
 * time of the restart.  Returns the child, NULL if pid is none of ours. */
struct child *children_reap(struct children *all, pid_t pid, int status,
    bool stopping);

/* Read the children's heartbeats; kill those that have been silent for a
 * minute. */
void children_watch(struct children *all);

/* How many children are running; whether all wanted ones are ready. */
size_t children_running(const struct children *all);
bool children_ready(const struct children *all);

/* What the wanted ones do, for the file of the roles; role is taken by
 * roles_release(). */
void children_tell(const struct children *all, struct roles *r);

#endif /* RUN_CHILD_H */
