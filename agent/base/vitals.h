/*
 * vitals.h - how a process of the agent does, in memory that the supervisor
 * and all roles share: what one of them can't tell of itself when it is gone,
 * or has no log to tell it in.
 *
 * Counters begin with the agent and outlive the processes that they are of.
 */
#ifndef BASE_VITALS_H
#define BASE_VITALS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct vitals {
	atomic_bool up;            /* it runs, and has shown life */
	_Atomic uint64_t restarts; /* after it died */
	_Atomic uint64_t dropped;  /* lines that its log did not take */
};

/* Zeroed, shared with every process that is forked from now on; never freed.
 * NULL with errno. */
struct vitals *vitals_new(void);

/* The vitals of a process under the names by which they are told. */
struct vitals_of {
	const char *role;   /* "collect", "ship", "supervisor" */
	const char *output; /* of a ship, else "" */
	const struct vitals *vitals;
};

#endif /* BASE_VITALS_H */
