/*
 * rest.h - sources that a definition describes: their types, made when a
 * configuration names them.
 *
 * A definition is NAME.yaml in sources.d beside the configuration, else among
 * those that come with the program.
 */
#ifndef SOURCES_REST_REST_H
#define SOURCES_REST_REST_H

#include <stddef.h>

struct config_errors;
struct config_type;

/* The source type of this name; NULL: there is no such file, or it has faults,
 * which were added to errors.  It lives as long as the process; a file that
 * has changed gives another type.  One thread at a time. */
const struct config_type *rest_find(const char *config, const char *name,
    struct config_errors *errors);

/* Take the definition in that file in place of whatever is found by its name,
 * from now on; name: what it must call itself, NULL: anything.  NULL: it has
 * faults, which were added to errors. */
const struct config_type *rest_use(const char *name, const char *file,
    struct config_errors *errors);

/* What a type was made of, borrowed; NULL: it is none of these. */
struct definition;
const struct definition *rest_definition(const struct config_type *type);

/* Add to errors what is wrong with sources.d itself, which may be missing: it
 * is no folder, or holds files that look like definitions and are not read
 * (config/folder.h). */
void rest_check_place(const char *config, struct config_errors *errors);

/* The same, and load all that is in sources.d beside the configuration, used or
 * not, but for what has that name (NULL: nothing); adds what is wrong to
 * errors. */
void rest_check_folder(const char *config, const char *except,
    struct config_errors *errors);

/* Names of all that there are, sorted, NULL-terminated; the caller frees them
 * and the list.  config may be NULL: those of the program alone. */
char **rest_names(const char *config);

/* The file of that name, which the caller frees; NULL: there is none. */
char *rest_file(const char *config, const char *name);

#endif /* SOURCES_REST_REST_H */
