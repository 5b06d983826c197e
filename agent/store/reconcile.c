/*
 * reconcile.c - spans of time that a vendor is asked for by another way than
 * its feeds, and the hours that they confirm.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/db.h"
#include "store/hours.h"
#include "store/reconcile.h"

#define ENDED "reconciled"

#define COLUMNS                                                            \
	"SELECT s.id, subject, since, until, query, asked, tries, listed," \
	" confirmed, missing, unnamed, ended, how, error FROM span s "

/* It could not be confirmed, and no later account of its chain fits it. */
#define FAILED                                                         \
	"how = 'unconfirmed' AND NOT EXISTS (SELECT 1 FROM span later" \
	" WHERE span.chain <> '' AND later.subject = span.subject"     \
	" AND later.chain = span.chain AND later.how = 'complete'"     \
	" AND later.since <= span.since AND later.until >= span.until" \
	" AND later.ended >= span.ended)"

/* A feed belongs to a subject that is itself or its source; ?1 is the feed. */
#define SUBJECTS "(?1, substr(?1, 1, instr(?1, '/') - 1))"

/* The row of a query that gives one: 1, 0, -1.  The caller has the lock. */
static int
take_span(struct store *s, sqlite3_stmt *st, struct span_row *r,
    struct err *err)
{
	int rc = st == NULL ? -1 : db_step(s, st, err);

	if (rc != 1)
		return rc;
	*r = (struct span_row){ .id = sqlite3_column_int64(st, 0),
		.from = db_when(st, 2),
		.to = db_when(st, 3),
		.asked = db_time(st, 5),
		.tries = sqlite3_column_int64(st, 6),
		.listed = (uint64_t)sqlite3_column_int64(st, 7),
		.confirmed = (uint64_t)sqlite3_column_int64(st, 8),
		.missing = (uint64_t)sqlite3_column_int64(st, 9),
		.unnamed = (uint64_t)sqlite3_column_int64(st, 10),
		.ended = db_time(st, 11) };
	db_text(st, 1, r->subject, sizeof(r->subject));
	db_text(st, 4, r->query, sizeof(r->query));
	db_text(st, 12, r->how, sizeof(r->how));
	db_text(st, 13, r->error, sizeof(r->error));
	db_done(st);
	return 1;
}

static int
add(struct store *s, const char *subject, int64_t from, int64_t to,
    struct err *err)
{
	return db_run(s, err,
	    "INSERT INTO span (subject, since, until) VALUES (?, ?, ?)", "tii",
	    subject, from, to);
}

int
span_add(struct store *s, const char *subject, int64_t from, int64_t to,
    struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s, add(s, subject, from, to, err), err);
}

int
span_begin(struct store *s, const char *subject, int64_t from, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err,
		"INSERT INTO span (subject, since, until, ended, how)"
		" VALUES (?1, ?2, ?2, ?3, 'begun')",
		"tii", subject, from, clock_now()),
	    err);
}

int
span_begun(struct store *s, const char *subject, int64_t *when, struct err *err)
{
	int rc;

	db_lock(s);
	rc = db_number(s, err, INT64_MIN, when,
	    "SELECT max(ended) FROM span WHERE subject = ? AND how = 'begun'",
	    "t", subject);
	db_unlock(s);
	return rc;
}

int
span_last(struct store *s, const char *subject, int64_t *to, struct err *err)
{
	int rc;

	db_lock(s);
	rc = db_number(s, err, INT64_MIN, to,
	    "SELECT max(until) FROM span WHERE subject = ?", "t", subject);
	db_unlock(s);
	return rc;
}

int
span_open(struct store *s, const char *subject, int64_t after,
    struct span_row *r, struct err *err)
{
	int rc;

	db_lock(s);
	rc = take_span(s,
	    db_query(s, err,
		COLUMNS "WHERE subject = ? AND s.id > ? AND ended IS NULL"
			" ORDER BY s.id LIMIT 1",
		"ti", subject, after),
	    r, err);
	db_unlock(s);
	return rc;
}

int
span_get(struct store *s, int64_t id, struct span_row *r, struct err *err)
{
	int rc;

	db_lock(s);
	rc = take_span(s, db_query(s, err, COLUMNS "WHERE s.id = ?", "i", id),
	    r, err);
	db_unlock(s);
	return rc;
}

int
span_load(struct store *s, const char *subject, int64_t since, int64_t *begun,
    int64_t *running, struct err *err)
{
	int rc;

	db_lock(s);
	rc = db_number(s, err, 0, begun,
	    "SELECT sum(tries) FROM span WHERE subject = ? AND asked > ?", "ti",
	    subject, since);
	if (rc == 0)
		rc = db_number(s, err, 0, running,
		    "SELECT count(*) FROM span WHERE subject = ?"
		    " AND ended IS NULL AND query <> ''",
		    "t", subject);
	db_unlock(s);
	return rc;
}

int
span_note(struct store *s, const struct span_row *r, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err,
		"UPDATE span SET query = ?2, asked = ?3, tries = ?4,"
		" error = ?5 WHERE id = ?1 AND ended IS NULL",
		"itmit", r->id, r->query, r->asked, r->tries, r->error),
	    err);
}

int
span_halve(struct store *s, const struct span_row *r, int64_t middle,
    struct err *err)
{
	int rc;

	if (db_begin_durable(s, err) != 0)
		return -1;
	rc = db_run(s, err,
	    "UPDATE span SET ended = ?2, how = 'halved', error = ''"
	    " WHERE id = ?1 AND ended IS NULL",
	    "ii", r->id, clock_now());
	if (rc == 0 && db_changes(s) == 1 &&
	    (add(s, r->subject, r->from, middle, err) != 0 ||
		add(s, r->subject, middle, r->to, err) != 0))
		rc = -1;
	return db_end(s, rc, err);
}

int
hour_confirm(struct store *s, const struct span_hour *h, struct err *err)
{
	if (h->confirmed == 0)
		return 0;
	if (db_run(s, err,
		"INSERT INTO confirmed (feed, hour, count) VALUES (?1, ?2, ?3)"
		" ON CONFLICT DO UPDATE SET count = count + ?3",
		"tii", h->feed, h->hour, (int64_t)h->confirmed) != 0)
		return -1;
	return db_run(s, err,
	    "UPDATE feed SET confirmed = confirmed + ?2 WHERE id ="
	    " (SELECT max(id) FROM feed WHERE name = ?1)",
	    "ti", h->feed, (int64_t)h->confirmed);
}

/* How much of an hour has been answered for the feed ?1, microseconds: by the
 * chain (attest.h) that has least of it, where it has any, else by queries. */
#define COVERED                                                           \
	"coalesce((SELECT min(had) FROM (SELECT " SPAN_ANSWERED " AS had" \
	"  FROM span WHERE subject IN " SUBJECTS " AND chain <> ''"       \
	"  AND since < ?2 + 3600000000 GROUP BY chain)),"                 \
	" (SELECT " SPAN_ANSWERED " FROM span WHERE subject IN " SUBJECTS \
	"  AND until > ?2 AND since < ?2 + 3600000000))"

/* Events that only the feed ?1 had in the hour ?2: those with another event's
 * id are not in any query. */
#define ONLY                                                             \
	"max(0, coalesce((SELECT sum(h.count - h.versions - h.queried)"  \
	"  FROM hour h JOIN feed g ON g.id = h.feed"                     \
	"  WHERE g.name = ?1 AND h.hour = ?2), 0)"                       \
	" - coalesce((SELECT k.count FROM confirmed k WHERE k.feed = ?1" \
	"  AND hour = ?2), 0))"

/* The hour is complete with this span: count what only the feeds had. */
static int
complete_hour(struct store *s, const struct span_row *r, int64_t hour,
    struct err *err)
{
	const char *slash = strchr(r->subject, '/');
	sqlite3_stmt *st;
	char feeds[64][256];
	size_t n = 0;
	int rc;

	st = slash != NULL
	    ? db_query(s, err, "SELECT DISTINCT name FROM feed WHERE name = ?",
		  "t", r->subject)
	    : db_query(s, err,
		  "SELECT DISTINCT name FROM feed WHERE name > ?1 || '/'"
		  " AND name < ?1 || '0' LIMIT 64",
		  "t", r->subject);
	rc = st == NULL ? -1 : 1;
	while (rc == 1 && (rc = db_step(s, st, err)) == 1)
		db_text(st, 0, feeds[n++], sizeof(feeds[0]));
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = db_run(s, err,
		    "UPDATE feed SET unlisted = unlisted + " ONLY
		    " WHERE id = (SELECT max(id) FROM feed WHERE name = ?1)"
		    " AND " COVERED " >= 3600000000",
		    "ti", feeds[i], hour);
	return rc;
}

static int
tell(struct store *s, const char *subject, int64_t id, struct err *err)
{
	return db_run(s, err,
	    "INSERT INTO request (kind, target, number, argument, made)"
	    " VALUES ('" ENDED "', ?, ?, '', ?)",
	    "tii", subject, id, clock_now());
}

int
span_tell(struct store *s, const char *subject, struct err *err)
{
	return tell(s, subject, sqlite3_last_insert_rowid(s->db), err);
}

static int
end(struct store *s, const struct span_row *r, const struct span_hour *hours,
    size_t n, struct err *err)
{
	int rc;

	if (db_run(s, err,
		"UPDATE span SET ended = ?2, how = ?3, error = ?4, listed = ?5,"
		" confirmed = ?6, missing = ?7, unnamed = ?8"
		" WHERE id = ?1 AND ended IS NULL",
		"iittiiii", r->id, clock_now(), r->how, r->error,
		(int64_t)r->listed, (int64_t)r->confirmed, (int64_t)r->missing,
		(int64_t)r->unnamed) != 0)
		return -1;
	if (db_changes(s) == 0)
		return 0;
	rc = tell(s, r->subject, r->id, err);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = hour_confirm(s, &hours[i], err);
	if (strcmp(r->how, "complete") != 0)
		return rc;
	for (int64_t h = hours_of(r->from); h < r->to && rc == 0;
	     h += CLOCK_HOUR)
		rc = complete_hour(s, r, h, err);
	return rc;
}

int
span_end(struct store *s, const struct span_row *r,
    const struct span_hour *hours, size_t n, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s, end(s, r, hours, n, err), err);
}

int
span_news(struct store *s, int64_t *after, struct span_row *r, struct err *err)
{
	sqlite3_stmt *st;
	int64_t id = 0;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT id, number FROM request WHERE kind = '" ENDED "' AND id > ?"
	    " ORDER BY id LIMIT 1",
	    "i", *after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		*after = sqlite3_column_int64(st, 0);
		id = sqlite3_column_int64(st, 1);
		db_done(st);
	}
	db_unlock(s);
	if (rc != 1)
		return rc;
	rc = span_get(s, id, r, err);
	if (rc == 0)
		*r = (struct span_row){ .id = id };
	return rc < 0 ? -1 : 1;
}

int
span_told(struct store *s, int64_t last, struct err *err)
{
	if (db_begin(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err,
		"DELETE FROM request WHERE kind = '" ENDED "' AND id <= ?", "i",
		last),
	    err);
}

int
missing_put(struct store *s, const char *feed, const char *record, int64_t when,
    struct err *err)
{
	if (db_run(s, err,
		"INSERT INTO missing (feed, record, time, found)"
		" VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		"ttii", feed, record, when, clock_now()) != 0)
		return -1;
	return db_run(s, err,
	    "UPDATE feed SET missing = missing + ?2 WHERE id ="
	    " (SELECT max(id) FROM feed WHERE name = ?1)",
	    "ti", feed, (int64_t)db_changes(s));
}

int
missing_has(struct store *s, const char *feed, struct slice record,
    struct err *err)
{
	char text[RECONCILE_RECORD];
	int64_t has;
	int rc;

	(void)snprintf(text, sizeof(text), "%.*s", (int)record.len,
	    record.data);
	db_lock(s);
	rc = db_number(s, err, 0, &has,
	    "SELECT EXISTS (SELECT 1 FROM missing WHERE feed = ?"
	    " AND record = ?)",
	    "tt", feed, text);
	db_unlock(s);
	return rc != 0 ? -1 : has != 0;
}

int
missing_next(struct store *s, const char *source, int64_t from, int64_t to,
    int64_t after, struct missing_row *m, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT id, feed, record, time, found FROM missing"
	    " WHERE feed > ?1 || '/' AND feed < ?1 || '0' AND time >= ?2"
	    " AND time < ?3 AND id > ?4 ORDER BY id LIMIT 1",
	    "tiii", source, from, to, after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		*m = (struct missing_row){ .id = sqlite3_column_int64(st, 0),
			.time = db_when(st, 3),
			.found = db_when(st, 4) };
		db_text(st, 1, m->feed, sizeof(m->feed));
		db_text(st, 2, m->record, sizeof(m->record));
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

/* What stands in the way of an hour, of the subject ?1. */
#define WHY                                                          \
	"coalesce((SELECT iif(error = '', 'it is not answered yet'," \
	" error) FROM span WHERE subject IN " SUBJECTS               \
	" AND until > ?2 AND since < ?2 + 3600000000"                \
	" AND how NOT IN ('complete', 'halved', 'begun')"            \
	" ORDER BY id DESC LIMIT 1), '')"

int
hour_state(struct store *s, const char *subject, int64_t hour, bool *known,
    char error[512], struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err, "SELECT " COVERED ", " WHY, "ti", subject, hour);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		*known = sqlite3_column_int64(st, 0) >= CLOCK_HOUR;
		db_text(st, 1, error, 512);
		db_done(st);
	}
	db_unlock(s);
	return rc == 1 ? 0 : -1;
}

static int
read_hour(struct store *s, struct hour_row *h, struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT coalesce(sum(h.count), 0), coalesce(sum(h.versions), 0),"
	    " coalesce(sum(h.queried), 0), coalesce(sum(iif(h.batch <"
	    "  coalesce((SELECT min(id) FROM batch WHERE sealed IS NULL),"
	    "   1 << 62), h.count, 0)), 0),"
	    " coalesce((SELECT k.count FROM confirmed k WHERE k.feed = ?1"
	    "  AND hour = ?2), 0),"
	    " (SELECT count(*) FROM missing WHERE feed = ?1 AND time >= ?2"
	    "  AND time < ?2 + 3600000000), " ONLY ", " COVERED ", " WHY
	    " FROM feed f JOIN hour h ON h.feed = f.id"
	    " WHERE f.name = ?1 AND h.hour = ?2",
	    "ti", h->feed, h->hour);
	int rc = st == NULL ? -1 : db_step(s, st, err);

	if (rc != 1)
		return -1;
	h->collected = (uint64_t)sqlite3_column_int64(st, 0);
	h->versions = (uint64_t)sqlite3_column_int64(st, 1);
	h->queried = (uint64_t)sqlite3_column_int64(st, 2);
	h->sealed = (uint64_t)sqlite3_column_int64(st, 3);
	h->confirmed = (uint64_t)sqlite3_column_int64(st, 4);
	h->missing = (uint64_t)sqlite3_column_int64(st, 5);
	h->known = sqlite3_column_int64(st, 7) >= CLOCK_HOUR;
	h->only = h->known ? (uint64_t)sqlite3_column_int64(st, 6) : 0;
	db_text(st, 8, h->error, sizeof(h->error));
	db_done(st);
	/* What the reconciliation brought is named by it alone; what is to be
	 * added still is, too. */
	h->listed = h->collected;
	if (h->missing > h->queried)
		h->listed += h->missing - h->queried;
	return 0;
}

int
hour_next(struct store *s, const char *source, int64_t from, int64_t to,
    struct hour_row *h, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT feed, hour FROM (SELECT f.name AS feed, h.hour AS hour"
	    "  FROM feed f JOIN hour h ON h.feed = f.id"
	    "  WHERE f.name > ?1 || '/' AND f.name < ?1 || '0'"
	    "  UNION SELECT feed, hour FROM confirmed"
	    "  WHERE feed > ?1 || '/' AND feed < ?1 || '0'"
	    "  UNION SELECT feed, time - time % 3600000000 FROM missing"
	    "  WHERE feed > ?1 || '/' AND feed < ?1 || '0')"
	    " WHERE hour > ?2 - 3600000000 AND hour < ?3"
	    " AND (hour, feed) > (?4, ?5) ORDER BY hour, feed LIMIT 1",
	    "tiiit", source, from, to, h->hour, h->feed);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		*h = (struct hour_row){ .hour = sqlite3_column_int64(st, 1) };
		db_text(st, 0, h->feed, sizeof(h->feed));
		db_done(st);
		rc = read_hour(s, h, err) == 0 ? 1 : -1;
	}
	db_unlock(s);
	return rc;
}

int
hour_delivered(struct store *s, const struct hour_row *h, const char *output,
    uint64_t *n, struct err *err)
{
	int64_t passed, dead;
	int rc;

	db_lock(s);
	rc = db_number(s, err, 0, &passed,
	    "SELECT sum(h.count) FROM feed f JOIN hour h ON h.feed = f.id"
	    " WHERE f.name = ?1 AND h.hour = ?2 AND h.batch <="
	    " coalesce((SELECT position FROM output WHERE name = ?3), 0)",
	    "tit", h->feed, h->hour, output);
	if (rc == 0)
		rc = db_number(s, err, 0, &dead,
		    "SELECT count(*) FROM dead_letter d JOIN feed f"
		    " ON f.tree = d.feed WHERE f.name = ?1"
		    " AND d.event_time >= ?2 AND d.event_time < ?2 + 3600000000"
		    " AND d.output = ?3",
		    "tit", h->feed, h->hour, output);
	db_unlock(s);
	*n = rc == 0 && passed > dead ? (uint64_t)(passed - dead) : 0;
	return rc;
}

int
reconciled_feed(struct store *s, const char *feed, struct feed_reconciled *r,
    struct err *err)
{
	sqlite3_stmt *st;
	int64_t any;
	int rc;

	*r = (struct feed_reconciled){ .until = INT64_MIN };
	db_lock(s);
	/* Most feeds are not reconciled. */
	rc = db_number(s, err, 0, &any,
	    "SELECT EXISTS (SELECT 1 FROM span WHERE subject IN " SUBJECTS ")",
	    "t", feed);
	if (rc != 0 || any == 0) {
		db_unlock(s);
		return rc;
	}
	st = db_query(s, err,
	    "SELECT count(iif(ended IS NULL, 1, NULL)),"
	    " coalesce(min(iif(ended IS NULL, since, NULL)), (SELECT min(last)"
	    "  FROM (SELECT max(until) AS last FROM span WHERE chain <> ''"
	    "  AND subject IN " SUBJECTS " GROUP BY chain)), max(until)),"
	    " count(iif(" FAILED ", 1, NULL)), coalesce((SELECT error"
	    "  FROM span WHERE subject IN " SUBJECTS " AND ended IS NULL"
	    "  AND error <> '' ORDER BY id LIMIT 1), '')"
	    " FROM span WHERE subject IN " SUBJECTS,
	    "t", feed);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		r->any = true;
		r->open = sqlite3_column_int64(st, 0);
		r->until = db_time(st, 1);
		r->failed = (uint64_t)sqlite3_column_int64(st, 2);
		db_text(st, 3, r->error, sizeof(r->error));
		db_done(st);
	}
	db_unlock(s);
	return rc < 0 ? -1 : 0;
}
