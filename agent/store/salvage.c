/*
 * salvage.c - copies what is readable in a damaged store.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/db.h"
#include "store/salvage.h"

#define NONE SIZE_MAX

static const struct table {
	const char *name;
	const char *order; /* its key: read from both ends up to the damage */
	const char *from_end;
	size_t whole; /* offset of the flag in struct salvage, NONE: without */
} tables[] = {
	{ .name = "feed",
	    .order = "id",
	    .from_end = "id DESC",
	    .whole = offsetof(struct salvage, whole_feeds) },
	{ .name = "batch",
	    .order = "id",
	    .from_end = "id DESC",
	    .whole = offsetof(struct salvage, whole_batches) },
	{ .name = "payload",
	    .order = "batch",
	    .from_end = "batch DESC",
	    .whole = NONE },
	{ .name = "checkpoint",
	    .order = "batch",
	    .from_end = "batch DESC",
	    .whole = NONE },
	{ .name = "item",
	    .order = "id",
	    .from_end = "id DESC",
	    .whole = offsetof(struct salvage, whole_items) },
	{ .name = "piece",
	    .order = "feed, first",
	    .from_end = "feed DESC, first DESC",
	    .whole = offsetof(struct salvage, whole_pieces) },
	{ .name = "run", .order = "id", .from_end = "id DESC", .whole = NONE },
	{ .name = "seen", .order = "id", .from_end = "id DESC", .whole = NONE },
	{ .name = "output",
	    .order = "name",
	    .from_end = "name DESC",
	    .whole = NONE },
	{ .name = "passed",
	    .order = "output, batch",
	    .from_end = "output DESC, batch DESC",
	    .whole = NONE },
	{ .name = "dead_letter",
	    .order = "id",
	    .from_end = "id DESC",
	    .whole = NONE },
	{ .name = "gap", .order = "id", .from_end = "id DESC", .whole = NONE },
	{ .name = "request",
	    .order = "id",
	    .from_end = "id DESC",
	    .whole = NONE },
};

/* The statement that inserts rows with the columns of st. */
static sqlite3_stmt *
inserter(struct store *to, const char *table, sqlite3_stmt *st)
{
	struct buf sql = BUF_INIT(4096);
	sqlite3_stmt *in = NULL;
	const int n = sqlite3_column_count(st);
	int rc = buf_addf(&sql, "INSERT OR IGNORE INTO %s (", table);

	for (int i = 0; i < n && rc == 0; i++)
		rc = buf_addf(&sql, "%s%s", i == 0 ? "" : ", ",
		    sqlite3_column_name(st, i));
	for (int i = 0; i < n && rc == 0; i++)
		rc = buf_adds(&sql, i == 0 ? ") VALUES (?" : ", ?");
	if (rc == 0)
		rc = buf_adds(&sql, ")");
	/* A table that is not ours any more cannot be copied. */
	if (rc == 0 &&
	    sqlite3_prepare_v2(to->db, sql.data, -1, &in, NULL) != SQLITE_OK)
		in = NULL;
	buf_release(&sql);
	return in;
}

static int
copy_row(struct store *to, sqlite3_stmt *in, sqlite3_stmt *st, struct err *err)
{
	const int n = sqlite3_column_count(st);
	int rc = SQLITE_OK;

	for (int i = 0; i < n && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_value(in, i + 1, sqlite3_column_value(st, i));
	if (rc == SQLITE_OK)
		rc = sqlite3_step(in);
	(void)sqlite3_reset(in);
	/* What breaks a rule of the table is damaged, and stays out. */
	if (rc == SQLITE_DONE || (rc & 0xff) == SQLITE_CONSTRAINT ||
	    (rc & 0xff) == SQLITE_MISMATCH)
		return 0;
	return db_fail(to, rc, err);
}

/* Copy rows up to the end, 1, or up to the first that cannot be read, 0. */
static int
copy_rows(struct store *from, struct store *to, const char *table,
    const char *order, struct err *err)
{
	sqlite3_stmt *st = NULL, *in = NULL;
	char sql[128];
	int rc, done = 0;

	(void)snprintf(sql, sizeof(sql), "SELECT * FROM %s ORDER BY %s", table,
	    order);
	if (sqlite3_prepare_v2(from->db, sql, -1, &st, NULL) == SQLITE_OK)
		in = inserter(to, table, st);
	rc = 0;
	while (in != NULL && rc == 0) {
		const int step = sqlite3_step(st);

		if (step != SQLITE_ROW) {
			done = step == SQLITE_DONE;
			break;
		}
		rc = copy_row(to, in, st, err);
	}
	(void)sqlite3_finalize(in);
	(void)sqlite3_finalize(st);
	return rc != 0 ? -1 : done;
}

static int
copy_table(struct store *from, struct store *to, const struct table *t,
    struct salvage *v, struct err *err)
{
	int rc;

	if (db_begin(to, err) != 0)
		return -1;
	rc = copy_rows(from, to, t->name, t->order, err);
	if (rc == 0) {
		if (t->whole != NONE)
			*(bool *)((char *)v + t->whole) = false;
		rc = copy_rows(from, to, t->name, t->from_end, err);
	}
	return db_end(to, rc < 0 ? -1 : 0, err);
}

/* Ids must not be given out again: positions refer to those of batches. */
static int
copy_sequences(struct store *from, struct store *to, struct err *err)
{
	int rc;

	if (db_begin(to, err) != 0)
		return -1;
	rc = db_run(to, err, "DELETE FROM sqlite_sequence", "");
	if (rc == 0 && copy_rows(from, to, "sqlite_sequence", "rowid", err) < 0)
		rc = -1;
	if (rc == 0)
		rc = db_run(to, err,
		    "DELETE FROM sqlite_sequence WHERE name = 'batch'", "");
	if (rc == 0)
		rc = db_run(to, err,
		    "INSERT INTO sqlite_sequence (name, seq) SELECT 'batch',"
		    " max((SELECT coalesce(max(position), 0) + 1 FROM output),"
		    " (SELECT coalesce(max(id), 0) FROM batch))",
		    "");
	return db_end(to, rc, err);
}

int
salvage_copy(struct store *from, struct store *to, struct salvage *v,
    struct err *err)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (copy_table(from, to, &tables[i], v, err) != 0)
			return -1;
	}
	return copy_sequences(from, to, err);
}
