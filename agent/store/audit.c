/*
 * audit.c - a look at the whole store.
 */
#include <stdio.h>

#include "base/err.h"
#include "store/audit.h"
#include "store/bounds.h"
#include "store/db.h"

#define ROWS_MAX 10 /* of a kind */

int
audit_begin(struct store *s, struct err *err)
{
	db_lock(s);
	if (db_view_begin(s, err) == 0)
		return 0;
	db_unlock(s);
	return -1;
}

void
audit_end(struct store *s)
{
	db_view_end(s);
	db_unlock(s);
}

/* Hand on the first column of each row of sql behind the words of what. */
static int
report(struct store *s, const char *sql, const char *what, audit_fn *fn,
    void *ctx, struct err *err)
{
	sqlite3_stmt *st = db_query(s, err, sql, "");
	char row[256], text[512];
	int rc = st == NULL ? -1 : 1, n = 0;

	while (rc == 1 && (rc = db_step(s, st, err)) == 1) {
		db_text(st, 0, row, sizeof(row));
		if (n++ == ROWS_MAX) {
			(void)snprintf(text, sizeof(text), "%s: and more",
			    what);
			fn(ctx, text);
			db_done(st);
			return 0;
		}
		(void)snprintf(text, sizeof(text), "%s: %s", what, row);
		fn(ctx, text);
	}
	return rc;
}

int
audit_pages(struct store *s, audit_fn *fn, void *ctx, struct err *err)
{
	sqlite3_stmt *st = db_query(s, err, "PRAGMA integrity_check", "");
	char text[512];
	int rc = st == NULL ? -1 : 1;

	while (rc == 1 && (rc = db_step(s, st, err)) == 1) {
		db_text(st, 0, text, sizeof(text));
		if (sqlite3_stricmp(text, "ok") != 0)
			fn(ctx, text);
	}
	return rc;
}

/* What no row may be like: the query gives those that are. */
static const struct {
	const char *what;
	const char *sql;
} rules[] = {
	{ "a batch of no feed",
	    "SELECT id FROM batch WHERE feed NOT IN (SELECT id FROM feed)" },
	{ "events of no batch",
	    "SELECT batch FROM payload WHERE batch NOT IN"
	    " (SELECT id FROM batch)" },
	{ "a checkpoint of no events",
	    "SELECT batch FROM checkpoint WHERE batch NOT IN"
	    " (SELECT batch FROM payload)" },
	{ "a batch that is not delivered everywhere has no events",
	    "SELECT id FROM batch b WHERE id > (SELECT min(position)"
	    " FROM output) AND NOT EXISTS (SELECT 1 FROM payload p"
	    " WHERE p.batch = b.id)" },
	{ "a batch does not follow the one before it in its feed",
	    "SELECT id FROM (SELECT id, first, lag(first + count) OVER"
	    " (PARTITION BY feed ORDER BY first) AS follows FROM batch)"
	    " WHERE first <> follows" },
	{ "the batches of a feed do not end where it ends",
	    "SELECT tree FROM feed f WHERE size <> (SELECT first + count"
	    " FROM batch b WHERE b.feed = f.id ORDER BY first DESC LIMIT 1)" },
	{ "a feed says that more or fewer of its events are sealed than are",
	    "SELECT tree FROM feed f WHERE sealed <> coalesce((SELECT first"
	    " FROM batch b WHERE b.feed = f.id AND b.sealed IS NULL"
	    " ORDER BY first LIMIT 1), size)" },
	{ "a batch was sealed before an earlier one of its feed",
	    "SELECT id FROM batch b WHERE sealed IS NOT NULL AND EXISTS"
	    " (SELECT 1 FROM batch c WHERE c.feed = b.feed"
	    " AND c.first < b.first AND c.sealed IS NULL)" },
	{ "an output is past the last batch",
	    "SELECT name FROM output WHERE position > coalesce((SELECT seq"
	    " FROM sqlite_sequence WHERE name = 'batch'), 0)" },
	{ "an output has more lines of its next batch than that has",
	    "SELECT name FROM output o WHERE lines > coalesce((SELECT count + 1"
	    " FROM batch b WHERE b.id > o.position ORDER BY b.id LIMIT 1),"
	    " lines)" },
	{ "an item of no feed",
	    "SELECT key FROM item WHERE feed NOT IN (SELECT id FROM feed)" },
	{ "an item in a state that there is not",
	    "SELECT key FROM item WHERE state NOT IN (0, 1, 2)" },
	{ "an open item without an address",
	    "SELECT key FROM item WHERE state = 0 AND uri IS NULL" },
	{ "a run of seen ids lacks rows",
	    "SELECT id FROM run r WHERE rows <> (SELECT count(*) FROM seen"
	    " WHERE seen.id >= r.first AND seen.id < r.first + r.rows)" },
	{ "seen ids of no run",
	    "SELECT id FROM seen WHERE NOT EXISTS (SELECT 1 FROM run r"
	    " WHERE seen.id >= r.first AND seen.id < r.first + r.rows)" },
};

int
audit_tables(struct store *s, audit_fn *fn, void *ctx, struct err *err)
{
	char what[128];
	const int kept = bounds_kept(s, what, sizeof(what), err);

	if (kept < 0)
		return -1;
	if (kept == 0)
		fn(ctx, what);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (report(s, rules[i].sql, rules[i].what, fn, ctx, err) != 0)
			return -1;
	}
	return 0;
}

static struct audit_bytes
bytes(sqlite3_stmt *st, int column)
{
	return (struct audit_bytes){ .data = sqlite3_column_blob(st, column),
		.len = (size_t)sqlite3_column_bytes(st, column) };
}

int
audit_batches(struct store *s, audit_batch_fn *fn, void *ctx, struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT b.id, f.id, f.tree, b.first, b.count, b.raw_len,"
	    " b.sealed IS NOT NULL, p.lines, b.nodes, b.checks, k.value, k.size"
	    " FROM feed f CROSS JOIN batch b ON b.feed = f.id"
	    " JOIN payload p ON p.batch = b.id"
	    " LEFT JOIN checkpoint k ON k.batch = b.id"
	    " ORDER BY f.id, b.first",
	    "");
	int rc = st == NULL ? -1 : 1;

	while (rc == 1 && (rc = db_step(s, st, err)) == 1) {
		const struct audit_batch b = {
			.id = sqlite3_column_int64(st, 0),
			.feed = sqlite3_column_int64(st, 1),
			.tree = (const char *)sqlite3_column_text(st, 2),
			.first = sqlite3_column_int64(st, 3),
			.count = sqlite3_column_int64(st, 4),
			.raw_len = sqlite3_column_int64(st, 5),
			.sealed = sqlite3_column_int(st, 6) != 0,
			.lines = bytes(st, 7),
			.nodes = bytes(st, 8),
			.checks = bytes(st, 9),
			.checkpoint = bytes(st, 10),
			.size = sqlite3_column_int64(st, 11),
		};

		if (fn(ctx, &b, err) != 0) {
			db_done(st);
			return -1;
		}
	}
	return rc;
}
