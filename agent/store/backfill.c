/*
 * backfill.c - spans of time that the command line wants read again.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/backfill.h"
#include "store/db.h"
#include "store/via.h"

#define BEGUN "backfill-begun"
#define ENDED "backfill-ended"

#define COLUMNS                                                                \
	"SELECT b.id, b.feed, since, until, reached, events, repeats, asked,"  \
	" begun, ended, how, b.error, (SELECT count(*) FROM item i JOIN feed " \
	"f"                                                                    \
	"  ON f.id = i.feed WHERE f.name = b.feed AND i.state = 0"             \
	"  AND i.via = ?1) FROM backfill b "

static void
read_row(sqlite3_stmt *st, struct backfill *b)
{
	*b = (struct backfill){
		.id = sqlite3_column_int64(st, 0),
		.from = db_when(st, 2),
		.to = db_when(st, 3),
		.reached = db_when(st, 4),
		.events = (uint64_t)sqlite3_column_int64(st, 5),
		.repeats = (uint64_t)sqlite3_column_int64(st, 6),
		.asked = db_time(st, 7),
		.begun = db_time(st, 8),
		.ended = db_time(st, 9),
		.open = (uint64_t)sqlite3_column_int64(st, 12),
	};
	db_text(st, 1, b->feed, sizeof(b->feed));
	db_text(st, 10, b->how, sizeof(b->how));
	db_text(st, 11, b->error, sizeof(b->error));
}

/* The row of a query that gives one: 1, 0, -1.  The caller has the lock. */
static int
take_row(struct store *s, sqlite3_stmt *st, struct backfill *b, struct err *err)
{
	int rc = st == NULL ? -1 : db_step(s, st, err);

	if (rc == 1) {
		read_row(st, b);
		db_done(st);
	}
	return rc;
}

static int
tell(struct store *s, const char *kind, int64_t id, struct err *err)
{
	return db_run(s, err,
	    "INSERT INTO request (kind, target, number, argument, made)"
	    " SELECT ?1, feed, id, '', ?3 FROM backfill WHERE id = ?2",
	    "tii", kind, id, clock_now());
}

/* Within a transaction. */
static int
add(struct store *s, struct backfill *b, struct err *err)
{
	int64_t id;

	if (db_number(s, err, 0, &id,
		"SELECT id FROM backfill WHERE feed = ? AND since = ?"
		" AND until = ? AND ended IS NULL",
		"tii", b->feed, b->from, b->to) != 0)
		return -1;
	if (id == 0) {
		if (db_run(s, err,
			"INSERT INTO backfill (feed, since, until, reached,"
			" asked) VALUES (?1, ?2, ?3, ?2, ?4)",
			"tiii", b->feed, b->from, b->to, clock_now()) != 0)
			return -1;
		id = sqlite3_last_insert_rowid(s->db);
		if (tell(s, BEGUN, id, err) != 0)
			return -1;
	}
	return take_row(s,
		   db_query(s, err, COLUMNS "WHERE b.id = ?2", "ii",
		       (int64_t)VIA_BACKFILL, id),
		   b, err) == 1
	    ? 0
	    : -1;
}

int
backfill_add(struct store *s, struct backfill *b, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s, add(s, b, err), err);
}

int
backfill_next(struct store *s, const char *source, struct backfill *b,
    struct err *err)
{
	int rc;

	db_lock(s);
	/* "/" is followed by "0". */
	rc = take_row(s,
	    db_query(s, err,
		COLUMNS "WHERE ended IS NULL AND b.feed > ?2 || '/'"
			" AND b.feed < ?2 || '0' ORDER BY b.id LIMIT 1",
		"it", (int64_t)VIA_BACKFILL, source),
	    b, err);
	db_unlock(s);
	return rc;
}

int
backfill_of(struct store *s, const char *feed, struct backfill *b,
    struct err *err)
{
	int rc;

	b->id = 0;
	db_lock(s);
	rc = take_row(s,
	    db_query(s, err,
		COLUMNS "WHERE ended IS NULL AND b.feed = ?2"
			" ORDER BY b.id LIMIT 1",
		"it", (int64_t)VIA_BACKFILL, feed),
	    b, err);
	db_unlock(s);
	return rc;
}

int
backfill_any(struct store *s, struct err *err)
{
	int64_t any;
	int rc;

	db_lock(s);
	rc = db_number(s, err, 0, &any,
	    "SELECT EXISTS (SELECT 1 FROM backfill WHERE ended IS NULL)", "");
	db_unlock(s);
	return rc != 0 ? -1 : any != 0;
}

int
backfill_get(struct store *s, int64_t id, struct backfill *b, struct err *err)
{
	int rc;

	db_lock(s);
	rc = take_row(s,
	    db_query(s, err, COLUMNS "WHERE b.id = ?2", "ii",
		(int64_t)VIA_BACKFILL, id),
	    b, err);
	db_unlock(s);
	return rc;
}

int
backfill_after(struct store *s, int64_t id, struct backfill *b, struct err *err)
{
	int rc;

	db_lock(s);
	rc = take_row(s,
	    db_query(s, err, COLUMNS "WHERE b.id > ?2 ORDER BY b.id LIMIT 1",
		"ii", (int64_t)VIA_BACKFILL, id),
	    b, err);
	db_unlock(s);
	return rc;
}

int
backfill_move(struct store *s, const struct backfill *b, struct err *err)
{
	if (db_begin_relaxed(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err,
		"UPDATE backfill SET reached = ?2, begun = ?3, error = ?4"
		" WHERE id = ?1 AND ended IS NULL",
		"iimt", b->id, b->reached, b->begun, b->error),
	    err);
}

int
backfill_end(struct store *s, int64_t id, const char *how, const char *error,
    struct err *err)
{
	int rc;

	if (db_begin_durable(s, err) != 0)
		return -1;
	rc = db_run(s, err,
	    "UPDATE backfill SET ended = ?2, how = ?3, error = ?4"
	    " WHERE id = ?1 AND ended IS NULL",
	    "iitt", id, clock_now(), how, error);
	if (rc == 0 && db_changes(s) == 1)
		rc = tell(s, ENDED, id, err);
	return db_end(s, rc, err);
}

int
backfill_count(struct store *s, const char *feed, uint64_t events,
    uint64_t repeats, struct err *err)
{
	return db_run(s, err,
	    "UPDATE backfill SET events = events + ?2, repeats = repeats + ?3"
	    " WHERE id = (SELECT min(id) FROM backfill WHERE feed = ?1"
	    " AND ended IS NULL)",
	    "tii", feed, (int64_t)events, (int64_t)repeats);
}

int
backfill_news(struct store *s, int64_t *after, struct backfill *b, bool *ended,
    struct err *err)
{
	sqlite3_stmt *st;
	int64_t id = 0;
	char kind[32];
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT id, kind, number FROM request"
	    " WHERE kind IN ('" BEGUN "', '" ENDED "') AND id > ?"
	    " ORDER BY id LIMIT 1",
	    "i", *after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		*after = sqlite3_column_int64(st, 0);
		db_text(st, 1, kind, sizeof(kind));
		id = sqlite3_column_int64(st, 2);
		db_done(st);
	}
	db_unlock(s);
	if (rc != 1)
		return rc;
	*ended = strcmp(kind, ENDED) == 0;
	rc = backfill_get(s, id, b, err);
	if (rc == 0)
		*b = (struct backfill){ .id = id };
	return rc < 0 ? -1 : 1;
}

int
backfill_told(struct store *s, int64_t last, struct err *err)
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
