/*
 * calls.h - the system calls that roles make.
 */
#ifndef SANDBOX_CALLS_H
#define SANDBOX_CALLS_H

#include <stdbool.h>
#include <stddef.h>

/* Who makes a call. */
#define CALLS_EVERY 1U     /* every role */
#define CALLS_CONNECTS 2U  /* those with connections */
#define CALLS_SERVES 4U    /* watch */
#define CALLS_SANITIZER 8U /* a build that has one */
#define CALLS_LOCAL 16U    /* with a key, or names, by a unix socket */
#define CALLS_NAMES 32U    /* those that look up names of hosts */

/* An argument, the first is 0, that must have this value in these bits; or
 * another value. */
struct call_argument {
	unsigned at;
	unsigned long bits;
	unsigned long value;
	bool other;
};

struct call {
	const char *name;
	unsigned roles;
	struct call_argument argument[2]; /* as long as bits are not 0 */
};

/* In place of a value: the number of this process. */
#define CALLS_OWN_PROCESS 0xffffffffUL

/* What is allowed; a call may have several rows. */
extern const struct call calls_allowed[];
extern const size_t n_calls_allowed;

/* What gets an error without a word, since libraries try it. */
struct call_refusal {
	const char *name;
	int error;              /* errno */
	unsigned roles, unless; /* who gets it, but not those who make it */
	struct call_argument argument[2]; /* as of a call */
};
extern const struct call_refusal calls_refused[];
extern const size_t n_calls_refused;

/* No role has any use for it, and who takes over one has: it ends the role. */
bool calls_is_deadly(const char *name);

/* The name of the call with a number, "?": it has none.  For signal handlers,
 * too. */
const char *calls_name(int number);

#endif /* SANDBOX_CALLS_H */
