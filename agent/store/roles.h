/*
 * roles.h - how the roles of an agent do, as its supervisor tells it: a small
 * file beside the store, PATH.roles, which outlives the agent.
 *
 * It is replaced whole when something changes, without fsync: after a crash of
 * the machine the agent begins anew anyhow.
 */
#ifndef STORE_ROLES_H
#define STORE_ROLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

enum role_state {
	ROLE_STARTS, /* it is not ready since its start */
	ROLE_WORKS,  /* it said so (role_ready()) */
	ROLE_SILENT, /* it works, and shows no life */
	ROLE_DOWN,   /* it is not running, and is started again */
	ROLE_STATES
};

/* What confines a role (sandbox/sandbox.h). */
struct role_walls {
	bool known; /* it has told since it was started first */
	uint32_t uid;
	uint64_t capabilities; /* effective ones, as bits */
	bool no_new_privs;
	bool seccomp;
	unsigned landlock; /* version of the kernel's interface; 0: none */
	unsigned rules;    /* of Landlock */
};

struct role_report {
	char name[80]; /* "collect", "ship siem" */
	enum role_state state;
	int64_t since;     /* it works, or does not; wall clock */
	uint64_t deaths;   /* since its configuration changed */
	uint64_t restarts; /* because it died, since the agent began */
	uint64_t dropped;  /* lines that its log did not take */
	struct role_walls walls;
	char how[96]; /* its last end that nobody asked for; "" none */
};

struct roles {
	int64_t began;    /* the supervisor; INT64_MIN: not known */
	int64_t stopped;  /* it said that it ended; INT64_MIN: it did not */
	int64_t written;  /* the file */
	uint64_t dropped; /* lines that the supervisor's log did not take */
	char note[512];   /* what keeps all roles from running, or why it
			     stopped; "" nothing */
	struct role_report *role;
	size_t n;
};

/* The name of a state, "works". */
const char *role_state_name(enum role_state state);

/* What confines a role in words, "uid 998, no capabilities, no_new_privs,
 * seccomp, Landlock 7 with 45 rules"; "" where it is not known. */
#define ROLES_WALLS 160
void roles_walls(const struct role_walls *w, char *out, size_t size);

/* Append the text of the file. */
int roles_format(const struct roles *r, struct buf *out);

/* Replace the file of the store at path by text. */
int roles_write(const char *path, const struct buf *text, struct err *err);

/* Read the file of the store at path: 1; 0 there is none, or none that can be
 * read, and r holds that nothing is known; -1 with err, likewise.  Release r in
 * any case. */
int roles_read(const char *path, struct roles *r, struct err *err);
void roles_release(struct roles *r);

#endif /* STORE_ROLES_H */
