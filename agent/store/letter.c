/*
 * letter.c - dead letters, and requests of the command line.
 */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/db.h"
#include "store/delivery.h"

int
dead_letter_add(struct store *s, const struct dead_letter *d, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	/* After a crash the same event may be refused again. */
	return db_end(s,
	    db_run(s, err,
		"INSERT INTO dead_letter (output, feed, number, time, reason,"
		" event, event_time) VALUES (?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT DO NOTHING",
		"ttiitbm", d->output, d->feed, (int64_t)d->index, d->when,
		d->reason, d->event.data, d->event.len, d->event_time),
	    err);
}

int
dead_letter_next(struct store *s, const char *output, int64_t after,
    struct dead_letter *d, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT id, output, feed, number, time, reason, event, event_time"
	    " FROM dead_letter WHERE id > ?1 AND (?2 IS NULL OR output = ?2)"
	    " ORDER BY id LIMIT 1",
	    "it", after, output);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		d->id = sqlite3_column_int64(st, 0);
		db_text(st, 1, d->output, sizeof(d->output));
		db_text(st, 2, d->feed, sizeof(d->feed));
		d->index = (uint64_t)sqlite3_column_int64(st, 3);
		d->when = sqlite3_column_int64(st, 4);
		db_text(st, 5, d->reason, sizeof(d->reason));
		d->event_time = db_time(st, 7);
		if (db_blob(st, 6, &d->event, err) != 0)
			rc = -1;
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

int
dead_letter_remove(struct store *s, int64_t id, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err, "DELETE FROM dead_letter WHERE id = ?", "i", id),
	    err);
}

int
request_add(struct store *s, const struct request *r, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err,
		"INSERT INTO request (kind, target, number, argument, made)"
		" VALUES (?, ?, ?, ?, ?)",
		"ttiti", r->kind, r->target, r->number, r->argument,
		clock_now()),
	    err);
}

int
request_next(struct store *s, const char *kind, const char *target,
    struct request *r, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT id, kind, target, number, argument FROM request"
	    " WHERE kind = ? AND target = ? ORDER BY id LIMIT 1",
	    "tt", kind, target);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		r->id = sqlite3_column_int64(st, 0);
		db_text(st, 1, r->kind, sizeof(r->kind));
		db_text(st, 2, r->target, sizeof(r->target));
		r->number = sqlite3_column_int64(st, 3);
		db_text(st, 4, r->argument, sizeof(r->argument));
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

int
request_done(struct store *s, int64_t id, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err, "DELETE FROM request WHERE id = ?", "i", id), err);
}
