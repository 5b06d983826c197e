/*
 * migrate.h - the version of the store's schema, and how an older one is
 * brought up to it.
 *
 * schema.sql is version 1, schema_N.sql leads to version N.  All steps are one
 * transaction: a program that is killed meanwhile, or whose disk is full, has
 * changed nothing.  A table "written" says which version of sealfeed wrote
 * which version of the schema, so that an older sealfeed can name the one that
 * it is asked to stand in for.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct store;

/* Bring the schema to the present version.  -1 with everything as it was: it
 * is newer, older and read_only, another program's, or cannot be written. */
int migrate(struct store *s, bool read_only, struct err *err);

/* The present version. */
int64_t migrate_newest(void);

/* The version of the file; 0: no tables yet. */
int migrate_version(struct store *s, int64_t *version, struct err *err);

/* Is that version newer than the present one?  Then err says which program
 * wrote it and what the way back is.  Returns 0 or -1. */
int migrate_newer(struct store *s, int64_t version, struct err *err);

/* The name of the backup that is made of a store of that version before it is
 * brought to a newer one: PATH.version-N.  The caller frees it. */
char *migrate_backup_name(const char *path, int64_t version);

#endif /* STORE_MIGRATE_H */
