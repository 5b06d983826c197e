/*
 * schema.c - the tables of a store, as SQL.
 */
#include <stdint.h>
#include <stdio.h>

#include <sqlite3.h>

#include "store/counters.h"
#include "store/schema.h"

static const char schema[] = {
#include "store/schema.inc"
	0
};

static const char schema_2[] = {
#include "store/schema_2.inc"
	0
};

const char *const schema_steps[SCHEMA_NEWEST] = {
	schema,
	schema_2,
};

/* A column that is there already is refused. */
static void
add_columns(sqlite3 *db, const char *table, const struct counter *counters,
    size_t n)
{
	char sql[256];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(sql, sizeof(sql), SCHEMA_ADD_COLUMN, table,
		    counters[i].column);
		(void)sqlite3_exec(db, sql, NULL, NULL, NULL);
	}
}

bool
schema_understands(const char *sql)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int rc = sqlite3_open(":memory:", &db);

	for (int64_t i = 0; i < SCHEMA_NEWEST && rc == SQLITE_OK; i++)
		rc = sqlite3_exec(db, schema_steps[i], NULL, NULL, NULL);
	add_columns(db, "feed", feed_counters, FEED_COUNTERS);
	add_columns(db, "output", output_counters, OUTPUT_COUNTERS);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	/* Out of memory: nothing is known against the text. */
	return rc != SQLITE_ERROR;
}
