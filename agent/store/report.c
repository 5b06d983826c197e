/*
 * report.c - what status, metrics and the agent's own feed tell.
 */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/gzip.h"
#include "store/db.h"
#include "store/line.h"
#include "store/report.h"
#include "store/seen.h"
#include "store/write_batch_private.h"

/* Pages that each feed wants anew: a dozen, in kB. */
#define CACHE_REPORT "-192"

int
report_begin(struct store *s, struct err *err)
{
	int rc;

	db_lock(s);
	(void)sqlite3_exec(s->db, "PRAGMA cache_size=" CACHE_REPORT, NULL, NULL,
	    NULL);
	rc = db_view_begin(s, err);
	db_unlock(s);
	return rc;
}

void
report_end(struct store *s)
{
	db_lock(s);
	db_view_end(s);
	(void)sqlite3_exec(s->db, "PRAGMA cache_size=" DB_CACHE_REST, NULL,
	    NULL, NULL);
	(void)sqlite3_db_release_memory(s->db);
	db_unlock(s);
}

#define COUNTER_FEED(id, column, key, metric, help) ", f." column
#define COUNTER_NAME(id, column, key, metric, help) ", " column

/* Counters stand last, from column first on. */
static void
read_counts(sqlite3_stmt *st, int first, uint64_t *count, int n)
{
	for (int i = 0; i < n; i++)
		count[i] = (uint64_t)sqlite3_column_int64(st, first + i);
}

static void
read_feed(sqlite3_stmt *st, struct feed_report *r)
{
	r->id = sqlite3_column_int64(st, 0);
	db_text(st, 1, r->name, sizeof(r->name));
	db_text(st, 2, r->tree, sizeof(r->tree));
	r->closed = sqlite3_column_int(st, 3) != 0;
	r->size = (uint64_t)sqlite3_column_int64(st, 4);
	r->sealed = (uint64_t)sqlite3_column_int64(st, 5);
	r->due = db_time(st, 6);
	r->success = db_time(st, 7);
	r->failure = db_time(st, 8);
	db_text(st, 9, r->error, sizeof(r->error));
	r->horizon = db_time(st, 10);
	r->committed = db_time(st, 11);
	r->newest = db_time(st, 12);
	r->items = (uint64_t)sqlite3_column_int64(st, 13);
	r->items_expire = db_time(st, 14);
	r->items_created = db_time(st, 15);
	db_text(st, 16, r->cause, sizeof(r->cause));
	read_counts(st, 17, r->count, FEED_COUNTERS);
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
	    " f.size, f.sealed, f.due, f.success, f.failure,"
	    " f.error, f.horizon, f.committed, f.newest,"
	    " count(i.id), min(i.expires), min(i.created), "
	    "f.cause" FEED_COUNTER_ROWS(
		COUNTER_FEED) " FROM feed f LEFT JOIN item i ON i.feed = f.id "
			      "AND i.state = 0 AND i.via = 0"
			      " WHERE f.id = (SELECT min(id) FROM feed WHERE "
			      "id > ?)",
	    "i", after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	/* A row of aggregates there is always. */
	if (rc == 1 && sqlite3_column_type(st, 0) == SQLITE_NULL) {
		db_done(st);
		rc = 0;
	} else if (rc == 1) {
		read_feed(st, r);
		db_done(st);
	}
	db_unlock(s);
	if (rc == 1 &&
	    (backfill_of(s, r->name, &r->backfill, err) == -1 ||
		reconciled_feed(s, r->name, &r->reconciled, err) != 0))
		rc = -1;
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
read_output_report(sqlite3_stmt *st, struct output_report *r)
{
	db_text(st, 0, r->name, sizeof(r->name));
	db_text(st, 1, r->mode, sizeof(r->mode));
	r->position.batch = sqlite3_column_int64(st, 2);
	r->position.lines = (size_t)sqlite3_column_int64(st, 3);
	r->moved = db_time(st, 4);
	r->dead_letters = (uint64_t)sqlite3_column_int64(st, 5);
	db_text(st, 6, r->error, sizeof(r->error));
	r->failed = db_time(st, 7);
	r->received.batch = sqlite3_column_int64(st, 8);
	r->received.lines = (size_t)sqlite3_column_int64(st, 9);
	read_counts(st, 10, r->count, OUTPUT_COUNTERS);
}

/* Events and bytes that are committed behind a position, and when the first of
 * them was. */
struct behind {
	uint64_t events;
	uint64_t bytes;
	int64_t oldest;
};

/* Running totals make it two rows, however much it is. */
static int
read_behind(struct store *s, const struct position *pos, struct behind *b,
    struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT l.total_events - n.total_events + n.count,"
	    " l.total_bytes - n.total_bytes + n.raw_len, n.committed, n.count"
	    " FROM batch n, batch l"
	    " WHERE n.id = (SELECT min(id) FROM batch WHERE id > ?)"
	    " AND l.id = (SELECT max(id) FROM batch)",
	    "i", pos->batch);
	int rc = st == NULL ? -1 : db_step(s, st, err);

	*b = (struct behind){ .oldest = REPORT_NEVER };
	if (rc != 1)
		return rc;
	b->events = (uint64_t)sqlite3_column_int64(st, 0);
	/* The last of the lines passed may be its checkpoint. */
	if (pos->lines < (uint64_t)sqlite3_column_int64(st, 3))
		b->events -= pos->lines;
	else
		b->events -= (uint64_t)sqlite3_column_int64(st, 3);
	b->bytes = (uint64_t)sqlite3_column_int64(st, 1);
	b->oldest = db_when(st, 2);
	db_done(st);
	return 0;
}

/* The backlog begins behind the receipts; what is held lies before them. */
static int
read_backlog(struct store *s, struct output_report *r, struct err *err)
{
	struct behind all, open;

	if (read_behind(s, &r->position, &all, err) != 0 ||
	    read_behind(s, &r->received, &open, err) != 0)
		return -1;
	r->backlog_events = open.events;
	r->backlog_bytes = open.bytes;
	r->oldest = open.oldest;
	r->held_events =
	    all.events > open.events ? all.events - open.events : 0;
	r->held_bytes = all.bytes > open.bytes ? all.bytes - open.bytes : 0;
	return 0;
}

static int
read_replay(struct store *s, struct output_report *r, struct err *err)
{
	uint64_t gone;
	int rc = replay_next(s, r->name, &r->replay, err);

	r->replay_left = 0;
	if (rc == 1)
		return replay_count(s, &r->replay, &r->replay_left, &gone, err);
	r->replay.id = 0;
	return rc;
}

int
report_output(struct store *s, const char *after, struct output_report *r,
    struct err *err)
{
	char last[sizeof(r->name)];
	sqlite3_stmt *st;
	int rc;

	(void)snprintf(last, sizeof(last), "%s", after);
	db_lock(s);
	st = db_query(s, err,
	    "SELECT name, mode, position, lines, moved,"
	    " (SELECT count(*) FROM dead_letter d WHERE d.output = o.name),"
	    " error, failed, coalesce(received, position),"
	    " coalesce(received_lines, lines)" OUTPUT_COUNTER_ROWS(
		COUNTER_NAME) " FROM output o WHERE name > ?"
			      " ORDER BY name LIMIT 1",
	    "t", last);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		read_output_report(st, r);
		db_done(st);
		rc = db_goes_on("output", strcmp(r->name, last), err);
		if (rc == 1 && read_backlog(s, r, err) != 0)
			rc = -1;
	}
	db_unlock(s);
	if (rc == 1 && read_replay(s, r, err) != 0)
		rc = -1;
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
	    " g.recorded, g.cause, g.closes, (SELECT c.recorded FROM gap c"
	    "  WHERE c.closes = g.id LIMIT 1)"
	    " FROM gap g LEFT JOIN feed f ON f.id = g.feed"
	    " WHERE g.id > ? ORDER BY g.id LIMIT 1",
	    "i", after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		g->id = sqlite3_column_int64(st, 0);
		g->feed_id = sqlite3_column_int64(st, 1);
		db_text(st, 2, g->feed, sizeof(g->feed));
		g->item = sqlite3_column_int64(st, 3);
		db_text(st, 4, g->key, sizeof(g->key));
		g->from = db_when(st, 5);
		g->to = db_when(st, 6);
		g->recorded = db_when(st, 7);
		db_text(st, 8, g->cause, sizeof(g->cause));
		g->closes = sqlite3_column_int64(st, 9);
		g->closed = db_time(st, 10);
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

int
report_gaps(struct store *s, uint64_t *n, uint64_t *open, struct err *err)
{
	int64_t rows = 0, closing = 0;
	int rc;

	db_lock(s);
	rc = db_number(s, err, 0, &rows, "SELECT count(*) FROM gap", "");
	if (rc == 0)
		rc = db_number(s, err, 0, &closing,
		    "SELECT count(*) FROM gap WHERE closes <> 0", "");
	db_unlock(s);
	if (rc == 0) {
		*n = (uint64_t)(rows - closing);
		*open = (uint64_t)(rows - 2 * closing);
	}
	return rc;
}

int
report_gap_event(struct store *s, int64_t id, struct buf *out, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT event FROM gap WHERE id = ? AND event IS NOT NULL", "i",
	    id);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		if (db_blob(st, 0, out, err) != 0)
			rc = -1;
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

int
report_gap_events_told(struct store *s, int64_t last, struct err *err)
{
	if (db_begin_relaxed(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err,
		"UPDATE gap SET event = NULL WHERE id <= ?"
		" AND event IS NOT NULL",
		"i", last),
	    err);
}

int
report_version(struct store *s, int64_t after, struct version_row *v,
    struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT v.id, f.tree, v.number,"
	    " coalesce(o.tree, f.tree) || ':' || v.of_number FROM version v"
	    " JOIN feed f ON f.id = v.feed"
	    " LEFT JOIN feed o ON o.id = v.of_feed"
	    " WHERE v.id > ? ORDER BY v.id LIMIT 1",
	    "i", after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		v->id = sqlite3_column_int64(st, 0);
		db_text(st, 1, v->feed, sizeof(v->feed));
		v->index = (uint64_t)sqlite3_column_int64(st, 2);
		db_text(st, 3, v->of, sizeof(v->of));
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

/* Room for places that fills up. */
struct finds {
	struct trace_place *places;
	size_t max;
	size_t n;
};

static void
add_place(struct finds *f, int64_t feed, uint64_t index)
{
	if (f->n < f->max)
		f->places[f->n++] = (struct trace_place){
			.feed = feed,
			.index = index,
		};
}

/* Add the versions of the event at a place. */
static int
add_versions(struct store *s, struct trace_place of, struct finds *f,
    struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT v.feed, v.number FROM version v"
	    " JOIN feed f ON f.id = v.feed"
	    " WHERE v.of_feed = ? AND v.of_number = ? ORDER BY v.id",
	    "ii", of.feed, (int64_t)of.index);
	int rc = st == NULL ? -1 : 1;

	while (rc == 1 && (rc = db_step(s, st, err)) == 1)
		add_place(f, sqlite3_column_int64(st, 0),
		    (uint64_t)sqlite3_column_int64(st, 1));
	return rc;
}

static int
find_seen(struct store *s, const char *id, struct finds *f, struct err *err)
{
	struct digest *d = digest_new();
	uint8_t hash[DIGEST_LEN];
	sqlite3_stmt *st;
	int rc;

	digest_sha256(d, NULL, 0, id, strlen(id), hash);
	digest_free(d);
	st = db_query(s, err,
	    "SELECT r.feed, r.first, r.rows FROM run r"
	    " JOIN feed f ON f.id = r.feed ORDER BY r.id",
	    "");
	rc = st == NULL ? -1 : 1;
	while (rc == 1 && (rc = db_step(s, st, err)) == 1) {
		struct seen_run run = {
			.first = sqlite3_column_int64(st, 1),
			.rows = sqlite3_column_int64(st, 2),
		};
		uint64_t index;

		rc = seen_search(s, &run, hash, &index, err);
		if (rc == 1)
			add_place(f, sqlite3_column_int64(st, 0), index);
		else if (rc == 0)
			rc = 1;
	}
	if (rc < 0)
		db_done(st);
	return rc;
}

/* Look for quoted in the events of lines. */
static void
scan_lines(const struct buf *lines, const struct buf *quoted, int64_t feed,
    struct finds *f)
{
	const char *at = lines->data, *end = at + lines->len, *lf;
	struct line l;

	for (; at < end; at = lf + 1) {
		lf = memchr(at, '\n', (size_t)(end - at));
		if (lf == NULL)
			return;
		if (line_parse(at, (size_t)(lf - at), &l) == 0 &&
		    memmem(l.value.data, l.value.len, quoted->data,
			quoted->len) != NULL)
			add_place(f, feed, l.number);
	}
}

/* Events of feeds without dedupe, or from before it began. */
static int
scan(struct store *s, const char *id, struct finds *f, struct err *err)
{
	struct buf lines = BUF_INIT(WRITE_BATCH_BYTES_MAX + BATCH_BYTES);
	struct buf quoted = BUF_INIT(4096);
	struct gzip *g = gzip_new();
	sqlite3_stmt *st = NULL;
	int rc = 0;

	if (buf_addf(&quoted, "\"%s\"", id) != 0)
		rc = err_set(err, "an id of %zu bytes is too long", strlen(id));
	if (rc == 0)
		st = db_query(s, err,
		    "SELECT b.feed, p.lines FROM payload p"
		    " CROSS JOIN batch b ON b.id = p.batch"
		    " JOIN feed f ON f.id = b.feed ORDER BY b.id",
		    "");
	if (st == NULL)
		rc = -1;
	while (rc == 0 && f->n < f->max) {
		rc = db_step(s, st, err);
		if (rc != 1)
			break;
		buf_clear(&lines);
		rc = gzip_unpack(g, sqlite3_column_blob(st, 1),
		    (size_t)sqlite3_column_bytes(st, 1), &lines, err);
		if (rc == 0)
			scan_lines(&lines, &quoted, sqlite3_column_int64(st, 0),
			    f);
	}
	db_done(st);
	gzip_free(g);
	buf_release(&quoted);
	buf_release(&lines);
	return rc;
}

int
trace_find(struct store *s, const char *id, struct trace_place *places,
    size_t max, size_t *n, struct err *err)
{
	struct finds f = { .places = places, .max = max };
	int rc;

	db_lock(s);
	rc = find_seen(s, id, &f, err);
	for (size_t i = 0, firsts = f.n; i < firsts && rc == 0; i++)
		rc = add_versions(s, places[i], &f, err);
	if (rc == 0 && f.n == 0)
		rc = scan(s, id, &f, err);
	db_unlock(s);
	*n = f.n;
	return rc;
}

int
trace_find_index(struct store *s, const char *feed, uint64_t index,
    struct trace_place *places, size_t max, size_t *n, struct err *err)
{
	struct finds f = { .places = places, .max = max };
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT id FROM feed WHERE (name = ?1 OR tree = ?1) AND size > ?2"
	    " ORDER BY id",
	    "ti", feed, (int64_t)index);
	rc = st == NULL ? -1 : 1;
	while (rc == 1 && (rc = db_step(s, st, err)) == 1)
		add_place(&f, sqlite3_column_int64(st, 0), index);
	db_unlock(s);
	*n = f.n;
	return rc;
}

static void
read_trace(sqlite3_stmt *st, struct trace *t)
{
	db_text(st, 0, t->feed, sizeof(t->feed));
	t->batch = sqlite3_column_int64(st, 1);
	t->committed = db_time(st, 2);
	t->sealed = db_time(st, 3);
	t->item = sqlite3_column_int64(st, 4);
	db_text(st, 5, t->key, sizeof(t->key));
	t->created = db_time(st, 6);
	t->listed = db_time(st, 7);
	t->fetched = db_time(st, 8);
	db_text(st, 9, t->version_of, sizeof(t->version_of));
}

int
trace_read(struct store *s, const struct trace_place *place, struct trace *t,
    struct err *err)
{
	const int64_t index = (int64_t)place->index;
	sqlite3_stmt *st;
	int rc;

	*t = (struct trace){ .place = *place };
	db_lock(s);
	st = db_query(s, err,
	    "SELECT f.tree, b.id, b.committed, b.sealed, i.id, i.key,"
	    " i.created, i.listed, i.fetched,"
	    " (SELECT coalesce(o.tree, f.tree) || ':' || v.of_number"
	    "  FROM version v LEFT JOIN feed o ON o.id = v.of_feed"
	    "  WHERE v.feed = ?1 AND v.number = ?2 LIMIT 1) FROM feed f"
	    " LEFT JOIN batch b ON b.id = (SELECT id FROM batch"
	    "  WHERE feed = ?1 AND first <= ?2 AND first + count > ?2"
	    "  ORDER BY first DESC LIMIT 1)"
	    " LEFT JOIN piece p ON p.feed = ?1 AND p.first = (SELECT first"
	    "  FROM piece WHERE feed = ?1 AND first <= ?2"
	    "  AND first + count > ?2 ORDER BY first DESC LIMIT 1)"
	    " LEFT JOIN item i ON i.id = p.item WHERE f.id = ?1",
	    "ii", place->feed, index);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		read_trace(st, t);
		db_done(st);
	}
	db_unlock(s);
	if (rc == 0)
		return err_set(err, "%s: there is no feed %lld", s->path,
		    (long long)place->feed);
	return rc == 1 ? 0 : -1;
}

/* Is the event before the position in the columns from at on, which may be in
 * the batch that follows?  Its id and first index are in columns 3 and 4. */
static bool
settled(sqlite3_stmt *st, const struct trace *t, int at)
{
	return sqlite3_column_int64(st, at) >= t->batch ||
	    (t->batch == sqlite3_column_int64(st, 3) &&
		t->place.index < (uint64_t)sqlite3_column_int64(st, 4) +
			(uint64_t)sqlite3_column_int64(st, at + 1));
}

static void
read_trace_output(sqlite3_stmt *st, const struct trace *t,
    struct trace_output *o)
{
	/* Of the batch that follows the position, so many are settled. */
	const bool inside =
	    sqlite3_column_int64(st, 1) < t->batch && settled(st, t, 1);

	db_text(st, 0, o->name, sizeof(o->name));
	db_text(st, 7, o->reason, sizeof(o->reason));
	db_text(st, 8, o->mode, sizeof(o->mode));
	o->time = INT64_MIN;
	o->held = false;
	o->state = TRACE_WAITING;
	if (sqlite3_column_type(st, 6) != SQLITE_NULL) {
		o->state = TRACE_DEAD_LETTER;
		o->time = db_time(st, 6);
	} else if (settled(st, t, 1)) {
		o->state = TRACE_DELIVERED;
		o->time = inside ? INT64_MIN : db_time(st, 5);
		o->held = !settled(st, t, 9);
	}
}

int
trace_output(struct store *s, const struct trace *t, const char *after,
    struct trace_output *o, struct err *err)
{
	char last[sizeof(o->name)];
	sqlite3_stmt *st;
	int rc;

	(void)snprintf(last, sizeof(last), "%s", after);
	db_lock(s);
	st = db_query(s, err,
	    "SELECT o.name, coalesce(o.received, o.position),"
	    " coalesce(o.received_lines, o.lines), b.id, b.first,"
	    " (SELECT time FROM passed p WHERE p.output = o.name"
	    "  AND p.batch >= ?2 ORDER BY p.batch LIMIT 1), d.time, d.reason,"
	    " o.mode, o.position, o.lines"
	    " FROM output o LEFT JOIN batch b ON b.id ="
	    "  (SELECT min(id) FROM batch"
	    "   WHERE id > coalesce(o.received, o.position))"
	    " LEFT JOIN dead_letter d ON d.output = o.name AND d.feed = ?3"
	    "  AND d.number = ?4"
	    " WHERE o.name > ?1 ORDER BY o.name LIMIT 1",
	    "titi", last, t->batch, t->feed, (int64_t)t->place.index);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		read_trace_output(st, t, o);
		db_done(st);
		rc = db_goes_on("output", strcmp(o->name, last), err);
	}
	db_unlock(s);
	return rc;
}
