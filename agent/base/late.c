/*
 * late.c - a shared library that is loaded when it is first needed.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/exit_status.h"
#include "base/late.h"

static _Noreturn void
missing(const char *file)
{
	(void)fprintf(stderr,
	    "<2>sealfeed: %s: cannot be loaded: %s; install the package that "
	    "has it, or repair its files\n",
	    file, dlerror());
	_Exit(EXIT_WRONG);
}

/* false: dlerror() says why not. */
static bool
load(struct late_library *l)
{
	void *handle = dlopen(l->file, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; handle != NULL && i < l->n; i++) {
		l->functions[i] = dlsym(handle, l->names[i]);
		if (l->functions[i] == NULL)
			return false;
	}
	l->handle = handle;
	return handle != NULL;
}

bool
late_try(struct late_library *l)
{
	if (l->handle == NULL) {
		(void)pthread_mutex_lock(&l->lock);
		if (l->handle == NULL)
			(void)load(l);
		(void)pthread_mutex_unlock(&l->lock);
	}
	return l->handle != NULL;
}

void
late_load(struct late_library *l)
{
	if (!late_try(l))
		missing(l->file);
}

void
late_unload(struct late_library *l)
{
	(void)pthread_mutex_lock(&l->lock);
	if (l->handle != NULL)
		(void)dlclose(l->handle);
	l->handle = NULL;
	(void)pthread_mutex_unlock(&l->lock);
}
