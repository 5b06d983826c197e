/*
 * rest_rig.h - a source of a definition as collect opens it, and one of its
 * streams, for the suites about definitions: nobody waits in it.
 */
#ifndef TESTS_UNIT_REST_RIG_H
#define TESTS_UNIT_REST_RIG_H

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"
#include "sources/source.h"
#include "store/store.h"

struct rest_stream;

struct rest_rig {
	char dir[64], path[128]; /* the folder of all, and the store in it */
	char *definition;        /* the file */
	struct config *config;
	struct store *s;
	struct source source;
	struct stream stream;
	struct worker w;
	struct outcome last; /* trouble that was told of */
	struct buf told;     /* what all of it says, a line each */
	struct err err;
};
extern struct rest_rig rest_rig;

/* A folder, in which a type has that definition, or that file for one. */
void rest_rig_begin(void);
void rest_rig_define(const char *type, const char *definition);
void rest_rig_link(const char *type, const char *file);
void rest_rig_end(void);

/* Load a configuration; or one with the source v of that type, whose options,
 * lines of YAML with an indent of four, are that. */
void rest_rig_load(const char *yaml);
void rest_rig_configure(const char *type, const char *options);

/* Open the store, and the only source with that stream, from what the store
 * has; and close them. */
void rest_rig_open(const char *stream);
void rest_rig_close(void);

/* What the source keeps of the stream; NULL before the first poll. */
struct rest_stream *rest_rig_state(void);

/* Keep the trouble, as the source does while it polls. */
void rest_rig_tell(const struct outcome *r);

/* Seal all, and append the store's lines. */
void rest_rig_lines(struct buf *lines);

/* The same: its n events, sorted, to be freed, and the list. */
char **rest_rig_events(size_t *n);

/* To sort pointers to texts by qsort(). */
int rest_rig_by_text(const void *a, const void *b);

#endif /* TESTS_UNIT_REST_RIG_H */
