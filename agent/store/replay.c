/*
 * replay.c - what an output is to be sent again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/db.h"
#include "store/replay.h"

#define REQUEST "replay"
#define BEGUN "replay-begun"
#define ENDED "replay-ended"
#define ARGUMENT 96

int
replay_count(struct store *s, const struct replay *r, uint64_t *kept,
    uint64_t *gone, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	*kept = *gone = 0;
	db_lock(s);
	st = db_query(s, err,
	    "SELECT coalesce(sum(iif(p.batch IS NULL, 0, b.count)), 0),"
	    " coalesce(sum(iif(p.batch IS NULL, b.count, 0)), 0)"
	    " FROM batch b LEFT JOIN payload p ON p.batch = b.id"
	    " WHERE b.committed >= ? AND b.committed < ? AND b.id > ?",
	    "iii", r->from, r->to, r->after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		*kept = (uint64_t)sqlite3_column_int64(st, 0);
		*gone = (uint64_t)sqlite3_column_int64(st, 1);
		db_done(st);
	}
	db_unlock(s);
	return rc < 0 ? -1 : 0;
}

static void
write_argument(const struct replay *r, char out[ARGUMENT])
{
	(void)snprintf(out, ARGUMENT, "%" PRId64 " %" PRId64 " %" PRIu64,
	    r->from, r->to, r->sent);
}

static int
insert(struct store *s, const char *kind, const struct replay *r,
    struct err *err)
{
	char argument[ARGUMENT];

	write_argument(r, argument);
	return db_run(s, err,
	    "INSERT INTO request (kind, target, number, argument, made)"
	    " VALUES (?, ?, ?, ?, ?)",
	    "ttiti", kind, r->output, r->after, argument, clock_now());
}

int
replay_add(struct store *s, const struct replay *r, struct err *err)
{
	int rc;

	if (db_begin_durable(s, err) != 0)
		return -1;
	rc = insert(s, REQUEST, r, err);
	if (rc == 0)
		rc = insert(s, BEGUN, r, err);
	return db_end(s, rc, err);
}

/* One row of the table; 1, or -1: it is none of ours. */
static int
read_row(struct store *s, sqlite3_stmt *st, struct replay *r, struct err *err)
{
	char kind[32], argument[ARGUMENT];

	r->id = sqlite3_column_int64(st, 0);
	db_text(st, 1, kind, sizeof(kind));
	db_text(st, 2, r->output, sizeof(r->output));
	r->after = sqlite3_column_int64(st, 3);
	db_text(st, 4, argument, sizeof(argument));
	r->ended = strcmp(kind, ENDED) == 0;
	if (sscanf(argument, "%" SCNd64 " %" SCNd64 " %" SCNu64, &r->from,
		&r->to, &r->sent) == 3)
		return 1;
	return db_damaged(s, err, "request %lld has no span of time",
	    (long long)r->id);
}

int
replay_next(struct store *s, const char *output, struct replay *r,
    struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT id, kind, target, number, argument FROM request"
	    " WHERE kind = '" REQUEST "' AND target = ? ORDER BY id LIMIT 1",
	    "t", output);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		rc = read_row(s, st, r, err);
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

int
replay_run(struct store *s, const struct replay *r, int64_t limit,
    int64_t *first, int64_t *end, struct err *err)
{
	int rc;

	db_lock(s);
	rc = db_number(s, err, 0, first,
	    "SELECT min(b.id) FROM batch b JOIN payload p ON p.batch = b.id"
	    " WHERE b.id > ? AND b.id <= ? AND b.committed >= ?"
	    " AND b.committed < ?",
	    "iiii", r->after, limit, r->from, r->to);
	if (rc == 0 && *first > 0)
		rc = db_number(s, err, limit, end,
		    "SELECT min(id) - 1 FROM batch WHERE id > ? AND id <= ?"
		    " AND (committed < ? OR committed >= ?)",
		    "iiii", *first, limit, r->from, r->to);
	db_unlock(s);
	return rc != 0 ? -1 : *first > 0;
}

int
replay_move(struct store *s, const struct replay *r, struct err *err)
{
	char argument[ARGUMENT];

	write_argument(r, argument);
	if (db_begin_relaxed(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err,
		"UPDATE request SET number = ?, argument = ? WHERE id = ?",
		"iti", r->after, argument, r->id),
	    err);
}

int
replay_end(struct store *s, const struct replay *r, struct err *err)
{
	int rc;

	if (db_begin_durable(s, err) != 0)
		return -1;
	rc = db_run(s, err, "DELETE FROM request WHERE id = ?", "i", r->id);
	if (rc == 0)
		rc = insert(s, ENDED, r, err);
	return db_end(s, rc, err);
}

int
replay_news(struct store *s, int64_t after, struct replay *r, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT id, kind, target, number, argument FROM request"
	    " WHERE kind IN ('" BEGUN "', '" ENDED "') AND id > ?"
	    " ORDER BY id LIMIT 1",
	    "i", after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		rc = read_row(s, st, r, err);
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

int
replay_told(struct store *s, int64_t last, struct err *err)
{
	if (db_begin(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err,
		"DELETE FROM request WHERE kind IN ('" BEGUN "', '" ENDED
		"') AND id <= ?",
		"i", last),
	    err);
}
