/*
 * late.h - a shared library that is loaded when it is first needed.
 *
 * A library and all that it needs in turn have pages of their own in every
 * process that is linked with them, if only because they are relocated there.
 * What most processes of the agent never call is loaded by those that do.
 */
#ifndef BASE_LATE_H
#define BASE_LATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Static and borrowed, like all that it points to. */
struct late_library {
	const char *file;         /* "libcurl.so.4" */
	const char *const *names; /* of the functions that are used */
	void **functions;         /* where they go, in that order */
	size_t n;
	pthread_mutex_t lock; /* PTHREAD_MUTEX_INITIALIZER */
	void *_Atomic handle; /* NULL: not loaded */
};

/* Have the library at hand: to be called before each use of a function, by any
 * thread.  Says why and ends the process where it or a function is missing, as
 * the loader does with a library that a program is linked with. */
void late_load(struct late_library *l);

/* The same; false where it is missing. */
bool late_try(struct late_library *l);

/* Unload it, if it is loaded, when nothing of it is in use.  What it has
 * registered to stay in the process stays. */
void late_unload(struct late_library *l);

#endif /* BASE_LATE_H */
