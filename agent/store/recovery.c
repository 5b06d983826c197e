/*
 * recovery.c - copies out of a damaged store what can be read, in parts that
 * each are a transaction, so that it can be gone on with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/merkle.h"
#include "store/db.h"
#include "store/feed_private.h"
#include "store/line.h"
#include "store/recovery.h"
#include "store/seen.h"
#include "store/write_batch_private.h"

#define NONE SIZE_MAX
#define PART_BYTES (32 << 20) /* of a large table, a transaction */

static const struct table {
	const char *name;
	const char *order; /* its key: read from both ends up to the damage */
	const char *from_end;
	const char *key; /* where it is one number: copied in parts */
	size_t whole; /* offset of the flag in struct recovery, NONE: without */
} tables[] = {
	{ .name = "feed",
	    .order = "id",
	    .key = "id",
	    .from_end = "id DESC",
	    .whole = offsetof(struct recovery, whole_feeds) },
	{ .name = "batch",
	    .order = "id",
	    .key = "id",
	    .from_end = "id DESC",
	    .whole = offsetof(struct recovery, whole_batches) },
	{ .name = "payload",
	    .order = "batch",
	    .key = "batch",
	    .from_end = "batch DESC",
	    .whole = NONE },
	{ .name = "checkpoint",
	    .order = "batch",
	    .key = "batch",
	    .from_end = "batch DESC",
	    .whole = NONE },
	{ .name = "item",
	    .order = "id",
	    .key = "id",
	    .from_end = "id DESC",
	    .whole = offsetof(struct recovery, whole_items) },
	{ .name = "piece",
	    .order = "feed, first",
	    .from_end = "feed DESC, first DESC",
	    .whole = offsetof(struct recovery, whole_pieces) },
	{ .name = "run",
	    .order = "id",
	    .key = "id",
	    .from_end = "id DESC",
	    .whole = NONE },
	{ .name = "seen",
	    .order = "id",
	    .key = "id",
	    .from_end = "id DESC",
	    .whole = NONE },
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
	    .key = "id",
	    .from_end = "id DESC",
	    .whole = NONE },
	{ .name = "gap",
	    .order = "id",
	    .key = "id",
	    .from_end = "id DESC",
	    .whole = NONE },
	{ .name = "version",
	    .order = "id",
	    .key = "id",
	    .from_end = "id DESC",
	    .whole = NONE },
	{ .name = "request",
	    .order = "id",
	    .key = "id",
	    .from_end = "id DESC",
	    .whole = NONE },
	{ .name = "backfill",
	    .order = "id",
	    .key = "id",
	    .from_end = "id DESC",
	    .whole = NONE },
	{ .name = "span",
	    .order = "id",
	    .key = "id",
	    .from_end = "id DESC",
	    .whole = NONE },
	{ .name = "hour",
	    .order = "feed, hour, batch",
	    .from_end = "feed DESC, hour DESC, batch DESC",
	    .whole = NONE },
	{ .name = "confirmed",
	    .order = "feed, hour",
	    .from_end = "feed DESC, hour DESC",
	    .whole = NONE },
	{ .name = "missing",
	    .order = "id",
	    .key = "id",
	    .from_end = "id DESC",
	    .whole = NONE },
	{ .name = "retired",
	    .order = "tree",
	    .from_end = "tree DESC",
	    .whole = NONE },
	{ .name = "signed",
	    .order = "id",
	    .key = "id",
	    .from_end = "id DESC",
	    .whole = NONE },
};

/* The statement that inserts rows with the columns of st from first on. */
static sqlite3_stmt *
inserter(struct store *to, const char *table, sqlite3_stmt *st, int first)
{
	struct buf sql = BUF_INIT(4096);
	sqlite3_stmt *in = NULL;
	const int n = sqlite3_column_count(st);
	int rc = buf_addf(&sql, "INSERT OR IGNORE INTO %s (", table);

	for (int i = first; i < n && rc == 0; i++)
		rc = buf_addf(&sql, "%s%s", i == first ? "" : ", ",
		    sqlite3_column_name(st, i));
	for (int i = first; i < n && rc == 0; i++)
		rc = buf_adds(&sql, i == first ? ") VALUES (?" : ", ?");
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
copy_row(struct store *to, sqlite3_stmt *in, sqlite3_stmt *st, int first,
    struct err *err)
{
	const int n = sqlite3_column_count(st);
	int rc = SQLITE_OK;

	for (int i = first; i < n && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_value(in, i + 1 - first,
		    sqlite3_column_value(st, i));
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
		in = inserter(to, table, st, 0);
	rc = 0;
	while (in != NULL && rc == 0) {
		const int step = sqlite3_step(st);

		if (step != SQLITE_ROW) {
			done = step == SQLITE_DONE;
			break;
		}
		rc = copy_row(to, in, st, 0, err);
	}
	(void)sqlite3_finalize(in);
	(void)sqlite3_finalize(st);
	return rc != 0 ? -1 : done;
}

/* How far the copy of a table has got: up from its first row to low, and, where
 * that ended at something unreadable, down from its last row to high. */
enum phase { PHASE_UP, PHASE_DOWN, PHASE_WHOLE, PHASE_PARTLY };

struct progress {
	int64_t phase;
	int64_t low;
	int64_t high;
};

static int
load_progress(struct store *to, const char *table, struct progress *p,
    struct err *err)
{
	sqlite3_stmt *st = db_query(to, err,
	    "SELECT phase, low, high FROM recovering WHERE name = ?", "t",
	    table);
	int rc = st == NULL ? -1 : db_step(to, st, err);

	*p = (struct progress){ .low = INT64_MIN, .high = INT64_MAX };
	if (rc == 1) {
		p->phase = sqlite3_column_int64(st, 0);
		p->low = sqlite3_column_int64(st, 1);
		p->high = sqlite3_column_int64(st, 2);
		db_done(st);
	}
	return rc < 0 ? -1 : 0;
}

static int
save_progress(struct store *to, const char *table, const struct progress *p,
    struct err *err)
{
	return db_run(to, err,
	    "INSERT OR REPLACE INTO recovering (name, phase, low, high)"
	    " VALUES (?, ?, ?, ?)",
	    "tiii", table, p->phase, p->low, p->high);
}

static int64_t
row_bytes(sqlite3_stmt *st)
{
	int64_t n = 0;

	for (int i = 0; i < sqlite3_column_count(st); i++)
		n += sqlite3_column_bytes(st, i);
	return n;
}

/* Where the next part of the table begins: the key stands first. */
static sqlite3_stmt *
part_query(struct store *from, const struct table *t, const struct progress *p)
{
	sqlite3_stmt *st = NULL;
	char sql[200];

	(void)snprintf(sql, sizeof(sql),
	    "SELECT %s, * FROM %s WHERE %s > ?1 AND %s < ?2 ORDER BY %s %s",
	    t->key, t->name, t->key, t->key, t->key,
	    p->phase == PHASE_UP ? "ASC" : "DESC");
	if (sqlite3_prepare_v2(from->db, sql, -1, &st, NULL) == SQLITE_OK) {
		(void)sqlite3_bind_int64(st, 1, p->low);
		(void)sqlite3_bind_int64(st, 2, p->high);
	}
	return st;
}

/* Copy rows of st until there are enough for a transaction: 1; there are no
 * more: 0, and whether what follows was readable in *whole; -1. */
static int
copy_part(struct store *to, const struct table *t, sqlite3_stmt *st,
    struct progress *p, bool *whole, struct err *err)
{
	sqlite3_stmt *in = st == NULL ? NULL : inserter(to, t->name, st, 1);
	int64_t bytes = 0;
	int step = SQLITE_ERROR, rc = 0;

	while (in != NULL && rc == 0 && bytes < PART_BYTES &&
	    (step = sqlite3_step(st)) == SQLITE_ROW) {
		const int64_t key = sqlite3_column_int64(st, 0);

		rc = copy_row(to, in, st, 1, err);
		bytes += row_bytes(st);
		if (p->phase == PHASE_UP)
			p->low = key;
		else
			p->high = key;
	}
	(void)sqlite3_finalize(in);
	*whole = step == SQLITE_DONE;
	return rc != 0 ? -1 : step == SQLITE_ROW;
}

/* Copy the next part in a transaction of its own, which says how far it got. */
static int
copy_next(struct store *from, struct store *to, const struct table *t,
    struct progress *p, struct err *err)
{
	sqlite3_stmt *st;
	bool whole;
	int rc;

	if (db_begin(to, err) != 0)
		return -1;
	st = part_query(from, t, p);
	rc = copy_part(to, t, st, p, &whole, err);
	(void)sqlite3_finalize(st);
	if (rc == 0 && p->phase == PHASE_UP)
		p->phase = whole ? PHASE_WHOLE : PHASE_DOWN;
	else if (rc == 0)
		p->phase = PHASE_PARTLY;
	if (rc >= 0)
		rc = save_progress(to, t->name, p, err);
	return db_end(to, rc, err);
}

static int
copy_parts(struct store *from, struct store *to, const struct table *t,
    struct recovery *v, struct err *err)
{
	struct progress p;

	if (load_progress(to, t->name, &p, err) != 0)
		return -1;
	while (p.phase == PHASE_UP || p.phase == PHASE_DOWN)
		if (copy_next(from, to, t, &p, err) != 0)
			return -1;
	if (p.phase == PHASE_PARTLY && t->whole != NONE)
		*(bool *)((char *)v + t->whole) = false;
	return 0;
}

static int
copy_table(struct store *from, struct store *to, const struct table *t,
    struct recovery *v, struct err *err)
{
	int rc;

	if (t->key != NULL)
		return copy_parts(from, to, t, v, err);
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
		    " max((SELECT coalesce(max(position), 0) + 1 FROM output"
		    "  WHERE position BETWEEN 0 AND 1 << 62),"
		    " (SELECT coalesce(max(id), 0) FROM batch))",
		    "");
	return db_end(to, rc, err);
}

bool
recovery_begun(struct store *to, const char *source)
{
	struct err err = ERR_INIT;
	sqlite3_stmt *st = db_query(to, &err,
	    "SELECT 1 FROM recovering WHERE name = ? AND phase = -1", "t",
	    source);
	const bool there = st != NULL && db_step(to, st, &err) == 1;

	if (there)
		db_done(st);
	return there;
}

int
recovery_begin(struct store *to, const char *source, struct err *err)
{
	static const struct progress none = { .phase = -1 };
	int rc;

	if (db_begin(to, err) != 0)
		return -1;
	rc = db_exec(to,
	    "CREATE TABLE recovering (name TEXT PRIMARY KEY,"
	    " phase INTEGER NOT NULL, low INTEGER NOT NULL,"
	    " high INTEGER NOT NULL)",
	    err);
	if (rc == 0)
		rc = save_progress(to, source, &none, err);
	return db_end(to, rc, err);
}

int
recovery_end(struct store *to, struct err *err)
{
	/* The statements that know the table are of no use any more. */
	return db_exec(to, "DROP TABLE recovering", err);
}

int
recovery_copy(struct store *from, struct store *to, struct recovery *v,
    struct err *err)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (copy_table(from, to, &tables[i], v, err) != 0)
			return -1;
	}
	return copy_sequences(from, to, err);
}
