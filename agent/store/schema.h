/*
 * schema.h - the tables of a store, as SQL.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <stdbool.h>

/* The present version. */
#define SCHEMA_NEWEST INT64_C(2)

/* Each step brings the version from its place in the table to the next. */
extern const char *const schema_steps[SCHEMA_NEWEST];

/* Of a table, the column of a counter (counters.h); for printf(3). */
#define SCHEMA_ADD_COLUMN \
	"ALTER TABLE %s ADD COLUMN %s INTEGER NOT NULL DEFAULT 0"

/* Can this statement be prepared for a store with the present schema, whatever
 * that of the file at hand has become? */
bool schema_understands(const char *sql);

#endif /* STORE_SCHEMA_H */
