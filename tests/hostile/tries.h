/*
 * tries.h - what somebody who has taken over a role would try.
 */
#ifndef TESTS_HOSTILE_TRIES_H
#define TESTS_HOSTILE_TRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What there is around the role, all of it of this run alone. */
struct scene {
	const char *key, *config, *source_secret, *output_secret, *other_secret;
	const char *program, *archive, *sign_log, *store, *store_index, *folder;
	const char *kept; /* the refresh token that a vendor gave */
	pid_t neighbour;  /* another role */
	uint16_t port;    /* something listens there that no role is told of */
	const char *socket; /* a unix socket that is listened to, elsewhere */
	int terminal;       /* of the machine, open */
	const char *name;   /* of an abstract socket that is listened to */
};

struct
try {
	const char *what;
	/* true: it worked. */
	bool (*worked)(const struct scene *s);
	/* As bits of enum role_kind: whose task it is; whom Landlock alone
	 * must keep from it, whom seccomp alone, and whom its own user, where
	 * each kind of role has one. */
	unsigned task, landlock, seccomp, users;
};

extern const struct try tries[];
extern const size_t n_tries;

#endif /* TESTS_HOSTILE_TRIES_H */
