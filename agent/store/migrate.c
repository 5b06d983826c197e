/*
 * migrate.c - the version of the store's schema, and how an older one is
 * brought up to it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/counters.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store/schema.h"

int64_t
migrate_newest(void)
{
	return SCHEMA_NEWEST;
}

int
migrate_version(struct store *s, int64_t *version, struct err *err)
{
	return db_number(s, err, 0, version, "PRAGMA user_version", "");
}

char *
migrate_backup_name(const char *path, int64_t version)
{
	return xasprintf("%s.version-%lld", path, (long long)version);
}

/* Which sealfeed wrote the newest version there is; "" where a newer schema
 * does not say. */
static void
find_writer(struct store *s, char *program, size_t size)
{
	sqlite3_stmt *st = NULL;

	program[0] = '\0';
	if (sqlite3_prepare_v2(s->db,
		"SELECT program FROM written ORDER BY version DESC LIMIT 1", -1,
		&st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		db_text(st, 0, program, size);
	(void)sqlite3_finalize(st);
}

int
migrate_newer(struct store *s, int64_t version, struct err *err)
{
	char *backup;
	char program[64];

	if (version <= SCHEMA_NEWEST)
		return 0;
	backup = migrate_backup_name(s->path, SCHEMA_NEWEST);
	find_writer(s, program, sizeof(program));
	(void)err_set(err,
	    "%s: written by a newer version of sealfeed (%s; store version "
	    "%lld, this is sealfeed " PACKAGE_VERSION " with %lld); install "
	    "that version again, or put back %s%s; "
	    "docs/operations.md, \"Upgrade and downgrade\", says how",
	    s->path, program[0] == '\0' ? "it does not say which" : program,
	    (long long)version, (long long)SCHEMA_NEWEST,
	    access(backup, F_OK) == 0 ? "the backup " : "a backup",
	    access(backup, F_OK) == 0 ? backup : " that this version made");
	free(backup);
	return -1;
}

/* A database with tables and no version is not ours to write to. */
static int
refuse_foreign(struct store *s, struct err *err)
{
	int64_t tables;

	if (db_number(s, err, 0, &tables, "SELECT count(*) FROM sqlite_schema",
		"") != 0)
		return -1;
	if (tables > 0)
		return err_set(err,
		    "%s: a database of another program; name %s", s->path,
		    s->copy ? "a store or its backup"
			    : "another file in agent.store.path");
	return 0;
}

/* Does the table lack the column of a counter? */
static int
lacks(struct store *s, const char *table, const char *column, bool *lacking,
    struct err *err)
{
	int64_t there;

	if (db_number(s, err, 0, &there,
		"SELECT count(*) FROM pragma_table_info(?) WHERE name = ?",
		"tt", table, column) != 0)
		return -1;
	*lacking = there == 0;
	return 0;
}

/* Add the column of each counter that the table lacks. */
static int
add_counters(struct store *s, const char *table, const struct counter *counters,
    size_t n, struct err *err)
{
	bool lacking;
	char sql[256];

	for (size_t i = 0; i < n; i++) {
		if (lacks(s, table, counters[i].column, &lacking, err) != 0)
			return -1;
		(void)snprintf(sql, sizeof(sql), SCHEMA_ADD_COLUMN, table,
		    counters[i].column);
		if (lacking && db_exec(s, sql, err) != 0)
			return -1;
	}
	return 0;
}

/* Has the table the column of each counter? */
static int
has_counters(struct store *s, const char *table, const struct counter *counters,
    size_t n, bool *all, struct err *err)
{
	struct buf sql = BUF_INIT(64 * 1024);
	int64_t there = 0;
	int rc = buf_addf(&sql,
	    "SELECT count(*) FROM pragma_table_info('%s') WHERE name IN (''",
	    table);

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = buf_addf(&sql, ",'%s'", counters[i].column);
	if (rc != 0 || buf_adds(&sql, ")") != 0)
		rc = err_set(err, "no memory for the names of counters");
	else
		rc = db_number(s, err, 0, &there, sql.data, "");
	buf_release(&sql);
	*all = (size_t)there == n;
	return rc;
}

static int
counters_complete(struct store *s, bool *complete, struct err *err)
{
	bool feed, output;

	if (has_counters(s, "feed", feed_counters, FEED_COUNTERS, &feed, err) !=
		0 ||
	    has_counters(s, "output", output_counters, OUTPUT_COUNTERS, &output,
		err) != 0)
		return -1;
	*complete = feed && output;
	return 0;
}

static int
run_steps(struct store *s, int64_t version, struct err *err)
{
	char pragma[64];

	for (int64_t i = version; i < SCHEMA_NEWEST; i++) {
		if (db_exec(s, schema_steps[i], err) != 0)
			return -1;
	}
	(void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d",
	    (int)SCHEMA_NEWEST);
	if (db_exec(s, pragma, err) != 0)
		return -1;
	return db_run(s, err,
	    "INSERT OR REPLACE INTO written (version, program, time)"
	    " VALUES (?, ?, ?)",
	    "iti", SCHEMA_NEWEST, PACKAGE_VERSION, clock_now());
}

/* In one transaction, in which it is seen again what there is to do: two roles
 * may try at once. */
static int
bring_up(struct store *s, struct err *err)
{
	int64_t version;
	int rc;

	if (db_begin(s, err) != 0)
		return -1;
	rc = migrate_version(s, &version, err);
	if (rc == 0 && version == 0)
		rc = refuse_foreign(s, err);
	if (rc == 0 && version < SCHEMA_NEWEST)
		rc = run_steps(s, version, err);
	if (rc == 0)
		rc = add_counters(s, "feed", feed_counters, FEED_COUNTERS, err);
	if (rc == 0)
		rc = add_counters(s, "output", output_counters, OUTPUT_COUNTERS,
		    err);
	return db_end(s, rc, err);
}

int
migrate(struct store *s, bool read_only, struct err *err)
{
	int64_t version;
	bool complete = false;

	if (migrate_version(s, &version, err) != 0 ||
	    migrate_newer(s, version, err) != 0)
		return -1;
	if (version == SCHEMA_NEWEST &&
	    counters_complete(s, &complete, err) != 0)
		return -1;
	if (complete)
		return 0;
	if (read_only && version == 0 && refuse_foreign(s, err) != 0)
		return -1;
	if (read_only && version == 0)
		return err_set(err,
		    "%s: holds nothing yet; start the agent once, then ask "
		    "again",
		    s->path);
	if (read_only)
		return err_set(err,
		    "%s: last written by an older version of sealfeed; start "
		    "the agent once, then ask again",
		    s->path);
	return bring_up(s, err);
}
