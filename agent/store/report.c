/*
 * report.c - what status, metrics and the agent's own feed tell.
 */
#include <string.h>

#include "base/err.h"
#include "store/db.h"
#include "store/report.h"

static void
read_feed(sqlite3_stmt *st, struct feed_report *r)
{
	r->id = sqlite3_column_int64(st, 0);
	db_text(st, 1, r->name, sizeof(r->name));
	db_text(st, 2, r->tree, sizeof(r->tree));
	r->closed = sqlite3_column_int(st, 3) != 0;
	r->size = (uint64_t)sqlite3_column_int64(st, 4);
	r->sealed = (uint64_t)sqlite3_column_int64(st, 5);
	r->duplicates = (uint64_t)sqlite3_column_int64(st, 6);
	r->count[FEED_REQUESTS] = (uint64_t)sqlite3_column_int64(st, 7);
	r->count[FEED_ERRORS] = (uint64_t)sqlite3_column_int64(st, 8);
	r->count[FEED_THROTTLED] = (uint64_t)sqlite3_column_int64(st, 9);
	r->count[FEED_BYTES] = (uint64_t)sqlite3_column_int64(st, 10);
	r->due = db_time(st, 11);
	r->success = db_time(st, 12);
	r->failure = db_time(st, 13);
	db_text(st, 14, r->error, sizeof(r->error));
	r->horizon = db_time(st, 15);
	r->committed = db_time(st, 16);
	r->newest = db_time(st, 17);
	r->items = (uint64_t)sqlite3_column_int64(st, 18);
	r->items_expire = db_time(st, 19);
	r->items_created = db_time(st, 20);
}

int
report_feed(struct store *s, int64_t after, struct feed_report *r,
    struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT f.id, f.name, f.tree, EXISTS(SELECT 1 FROM feed g"
	    "  WHERE g.name = f.name AND g.id > f.id),"
	    " f.size, f.sealed, f.duplicates, f.requests, f.errors,"
	    " f.throttled, f.bytes, f.due, f.success, f.failure, f.error,"
	    " f.horizon, f.committed, f.newest,"
	    " count(i.id), min(i.expires), min(i.created)"
	    " FROM feed f LEFT JOIN item i ON i.feed = f.id AND i.state = 0"
	    " WHERE f.id = (SELECT min(id) FROM feed WHERE id > ?)"
	    " GROUP BY f.id",
	    "i", after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		read_feed(st, r);
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

int64_t
report_lag(const struct feed_report *r, int64_t now)
{
	if (r->closed || r->horizon == REPORT_NEVER)
		return REPORT_NEVER;
	return r->horizon > now ? 0 : now - r->horizon;
}

static void
read_output(sqlite3_stmt *st, struct output_report *r)
{
	db_text(st, 0, r->name, sizeof(r->name));
	db_text(st, 1, r->mode, sizeof(r->mode));
	r->position.batch = sqlite3_column_int64(st, 2);
	r->position.lines = (size_t)sqlite3_column_int64(st, 3);
	r->moved = db_time(st, 4);
	r->count[DELIVERY_EVENTS] = (uint64_t)sqlite3_column_int64(st, 5);
	r->count[DELIVERY_BYTES] = (uint64_t)sqlite3_column_int64(st, 6);
	r->count[DELIVERY_RETRIES] = (uint64_t)sqlite3_column_int64(st, 7);
	r->count[DELIVERY_REFUSED] = (uint64_t)sqlite3_column_int64(st, 8);
	r->count[DELIVERY_CONNECTS] = (uint64_t)sqlite3_column_int64(st, 9);
	r->dead_letters = (uint64_t)sqlite3_column_int64(st, 10);
	db_text(st, 11, r->error, sizeof(r->error));
	r->failed = db_time(st, 12);
}

/* What is behind the position: running totals make it two rows, however long
 * the backlog is. */
static int
read_backlog(struct store *s, struct output_report *r, struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT l.total_events - n.total_events + n.count,"
	    " l.total_bytes - n.total_bytes + n.raw_len, n.committed, n.count"
	    " FROM batch n, batch l"
	    " WHERE n.id = (SELECT min(id) FROM batch WHERE id > ?)"
	    " AND l.id = (SELECT max(id) FROM batch)",
	    "i", r->position.batch);
	int rc = st == NULL ? -1 : db_step(s, st, err);

	r->backlog_events = 0;
	r->backlog_bytes = 0;
	r->oldest = REPORT_NEVER;
	if (rc != 1)
		return rc;
	r->backlog_events = (uint64_t)sqlite3_column_int64(st, 0);
	/* The last of the lines passed may be its checkpoint. */
	if (r->position.lines < (uint64_t)sqlite3_column_int64(st, 3))
		r->backlog_events -= r->position.lines;
	else
		r->backlog_events -= (uint64_t)sqlite3_column_int64(st, 3);
	r->backlog_bytes = (uint64_t)sqlite3_column_int64(st, 1);
	r->oldest = sqlite3_column_int64(st, 2);
	db_done(st);
	return 0;
}

int
report_output(struct store *s, const char *after, struct output_report *r,
    struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT name, mode, position, lines, moved, events, bytes,"
	    " retries, refused, connects,"
	    " (SELECT count(*) FROM dead_letter d WHERE d.output = o.name),"
	    " error, failed FROM output o WHERE name > ?"
	    " ORDER BY name LIMIT 1",
	    "t", after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		read_output(st, r);
		db_done(st);
		if (read_backlog(s, r, err) != 0)
			rc = -1;
	}
	db_unlock(s);
	return rc;
}

int
report_gap(struct store *s, int64_t after, struct gap_row *g, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT g.id, g.feed, f.name, g.item, g.key, g.since, g.until,"
	    " g.recorded, g.cause FROM gap g LEFT JOIN feed f ON f.id = g.feed"
	    " WHERE g.id > ? ORDER BY g.id LIMIT 1",
	    "i", after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		g->id = sqlite3_column_int64(st, 0);
		g->feed_id = sqlite3_column_int64(st, 1);
		db_text(st, 2, g->feed, sizeof(g->feed));
		g->item = sqlite3_column_int64(st, 3);
		db_text(st, 4, g->key, sizeof(g->key));
		g->from = sqlite3_column_int64(st, 5);
		g->to = sqlite3_column_int64(st, 6);
		g->recorded = sqlite3_column_int64(st, 7);
		db_text(st, 8, g->cause, sizeof(g->cause));
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

int
report_gaps(struct store *s, uint64_t *n, struct err *err)
{
	int64_t count = 0;
	int rc;

	db_lock(s);
	rc = db_number(s, err, 0, &count, "SELECT count(*) FROM gap", "");
	db_unlock(s);
	if (rc == 0)
		*n = (uint64_t)count;
	return rc;
}
