/*
 * seccomp.h - the system calls that this process may make.
 */
#ifndef SANDBOX_SECCOMP_H
#define SANDBOX_SECCOMP_H

#include <stdatomic.h>
#include <stdint.h>

struct err;

/* Note in *call, which lives as long as the process, the number of a call that
 * ends this process, and 1. */
void seccomp_note(_Atomic uint64_t *call);

/* Can it be used: is the library there, and the kernel's filter?  -1 with err.
 */
int seccomp_available(struct err *err);

/*
 * Allow this process, for good, the calls of calls.c that these who (CALLS_…)
 * make.  Another one is not executed: the log gets a line with its name, once,
 * and it fails with ENOSYS, or EPERM where only its arguments are not allowed;
 * one that is deadly ends the process by SIGSYS.  One thread, no_new_privs set.
 * 0 or -1.
 */
int seccomp_enter(unsigned who, struct err *err);

#endif /* SANDBOX_SECCOMP_H */
