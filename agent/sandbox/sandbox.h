/*
 * sandbox.h - the walls around a role: what it reaches when somebody else has
 * taken it over.
 *
 * Landlock confines it to its own files and ports, seccomp to the system calls
 * that roles make.  Neither can be taken down again by the process.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/role.h"

struct config;
struct err;

/* The walls that there are. */
#define SANDBOX_LANDLOCK 1U
#define SANDBOX_SECCOMP 2U

/* What is in force for a process. */
struct sandbox_state {
	uint32_t uid;
	uint64_t capabilities; /* effective ones, as bits */
	bool no_new_privs;
	bool seccomp;
	unsigned landlock; /* version of the kernel's interface; 0: none */
	unsigned rules;    /* of Landlock */
};

/* Which of the walls this kernel, and this program, can have; err, where it is
 * not NULL, says what keeps it from the others. */
unsigned sandbox_possible(struct err *err);

/*
 * Put these walls around this process, for good, as its kind, configuration and
 * output say: 0; or -1 with err, when some may stand.  One thread; it must have
 * no_new_privs.
 */
int sandbox_enter(const struct role *r, unsigned walls, struct err *err);

/* Have the number of a system call for which the process was ended, and 1, in
 * *call, which lives as long as the process; and its name, of that. */
void sandbox_note_call(_Atomic uint64_t *call);
const char *sandbox_call_name(uint64_t call);

/* What is in force for this process, after sandbox_enter(). */
void sandbox_look(struct sandbox_state *state);

#endif /* SANDBOX_SANDBOX_H */
