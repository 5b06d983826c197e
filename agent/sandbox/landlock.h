/*
 * landlock.h - files, folders and ports that this process reaches, by the
 * kernel's Landlock (landlock(7)).
 *
 * Plain system calls: the C library has no functions for them, and the headers
 * of distributions are older than their kernels, so what is needed of
 * linux/landlock.h is in landlock.c.
 */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

struct err;
struct sandbox_plan;

/* The version of the kernel's interface; 0: it has none, or it is off. */
int landlock_abi(void);

/*
 * Restrict this process, for good, to what plan names, as far as that version
 * can: 1 files and folders, 3 truncation, 4 connections and listening by TCP,
 * 5 devices, 6 signals and abstract sockets.  What plan names and is not there
 * is passed over.  One thread, no_new_privs set.  The number of rules, or -1.
 */
int landlock_enter(const struct sandbox_plan *plan, int abi, struct err *err);

#endif /* SANDBOX_LANDLOCK_H */
