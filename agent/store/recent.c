/*
 * recent.c - how much went through lately.
 *
 * Batches are looked at from the last one backwards, so that it costs no more
 * than what there was in that time.
 */
#include <stdlib.h>

#include "base/err.h"
#include "store/db.h"
#include "store/recent.h"
#include "store/report.h"

static int
by_id(const void *a, const void *b)
{
	const struct feed_report *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

int
recent_feeds(struct store *s, int64_t since, struct feed_report *feeds,
    size_t n, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	for (size_t i = 0; i < n; i++)
		feeds[i].recent = 0;
	db_lock(s);
	st = db_query(s, err,
	    "SELECT feed, count, committed FROM batch ORDER BY id DESC", "");
	rc = st == NULL ? -1 : 1;
	while (rc == 1 && (rc = db_step(s, st, err)) == 1) {
		const struct feed_report key = { .id = sqlite3_column_int64(st,
						     0) };
		struct feed_report *f;

		if (sqlite3_column_int64(st, 2) < since)
			break;
		f = bsearch(&key, feeds, n, sizeof(key), by_id);
		if (f != NULL)
			f->recent += (uint64_t)sqlite3_column_int64(st, 1);
	}
	if (rc == 1)
		db_done(st);
	db_unlock(s);
	return rc < 0 ? -1 : 0;
}

/* The events of all feeds up to and with a batch; where it is no longer there,
 * up to the first that is. */
static int
events_until(struct store *s, int64_t batch, int64_t *n, struct err *err)
{
	return db_number(s, err, 0, n,
	    "SELECT coalesce((SELECT total_events FROM batch WHERE id <= ?"
	    "  ORDER BY id DESC LIMIT 1),"
	    " (SELECT total_events - count FROM batch ORDER BY id LIMIT 1))",
	    "i", batch);
}

int
recent_output(struct store *s, int64_t since, struct output_report *o,
    struct err *err)
{
	int64_t before = 0, from = 0, to = 0;
	int rc;

	db_lock(s);
	rc = db_number(s, err, 0, &before,
	    "SELECT batch FROM passed WHERE output = ? AND time <= ?"
	    " ORDER BY time DESC LIMIT 1",
	    "ti", o->name, since);
	if (rc == 0)
		rc = events_until(s, before, &from, err);
	if (rc == 0)
		rc = events_until(s, o->received.batch, &to, err);
	db_unlock(s);
	o->recent = rc == 0 && to > from ? (uint64_t)(to - from) : 0;
	return rc;
}

int
recent_gaps(struct store *s, int64_t since, uint64_t *n, struct err *err)
{
	int64_t rows = 0;
	int rc;

	db_lock(s);
	rc = db_number(s, err, 0, &rows,
	    "SELECT count(*) FROM gap g WHERE g.recorded >= ? AND g.closes = 0"
	    " AND NOT EXISTS (SELECT 1 FROM gap c WHERE c.closes = g.id)",
	    "i", since);
	db_unlock(s);
	*n = (uint64_t)rows;
	return rc;
}
