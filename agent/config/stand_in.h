/*
 * stand_in.h - a file that is judged as if it stood in the configuration
 * already, for tools that check a file before they put it in place.
 */
#ifndef CONFIG_STAND_IN_H
#define CONFIG_STAND_IN_H

#include <stdbool.h>

struct err;

/* The folder of the drop-ins of a configuration, which the caller frees;
 * whether a name in it is read as one. */
char *config_dropin_dir(const char *config);
bool config_is_dropin(const char *name);

struct stand_in {
	char *place;      /* the name it will have, in messages too */
	const char *name; /* in conf.d, part of place; NULL: it will be the
			     main file */
	const char *file; /* what is read, borrowed */
	char *source;     /* it will be the definition of that source type, and
			     config_load_as() can't read it; NULL: it will
			     not */
};

/* The folder of the definitions of a configuration, which the caller frees. */
char *config_sources_dir(const char *config);

/* Find out what place means beside the configuration: the main file's name,
 * conf.d/NAME.yaml or sources.d/NAME.yaml, relative to its folder or absolute;
 * nothing of these needs to exist.  -1: it is a place that is not read; err
 * says which are. */
int stand_in_open(struct stand_in *s, const char *config, const char *place,
    const char *file, struct err *err);
void stand_in_release(struct stand_in *s);

#endif /* CONFIG_STAND_IN_H */
