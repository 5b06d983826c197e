/*
 * seen.c - which event ids a feed has had within its dedupe time.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/db.h"
#include "store/filter.h"
#include "store/seen.h"

#define FAN 8           /* runs that are merged into one */
#define EXPIRE_ROWS 500 /* a step of seen_expire() deletes */
#define CLOSE_LEAST 3   /* runs that a finished bucket may keep */

/* Filling the filter from more than this many times what keeps it sharp would
 * only read. */
#define FILL_MOST 4

void
seen_entry_set(struct seen_entry *e, const uint8_t key[SEEN_KEY],
    uint64_t index)
{
	memcpy(e->key, key, SEEN_KEY);
	for (int i = SEEN_INDEX - 1; i >= 0; i--, index >>= 8)
		e->index[i] = (uint8_t)index;
}

uint64_t
seen_entry_index(const struct seen_entry *e)
{
	uint64_t index = 0;

	for (int i = 0; i < SEEN_INDEX; i++)
		index = index << 8 | e->index[i];
	return index;
}

static int
fill_empty(struct store *s, struct err *err)
{
	sqlite3_stmt *st;
	int64_t count;
	int rc;

	if (db_number(s, err, 0, &count, "SELECT sum(count) FROM run", "") != 0)
		return -1;
	if (count > (int64_t)filter_good(s->filter) * FILL_MOST) {
		filter_saturate(s->filter);
		return 0;
	}
	st = db_query(s, err, "SELECT entries FROM seen", "");
	if (st == NULL)
		return -1;
	while ((rc = db_step(s, st, err)) == 1) {
		const struct seen_entry *e = sqlite3_column_blob(st, 0);
		size_t n = (size_t)sqlite3_column_bytes(st, 0) / sizeof(*e);

		for (size_t i = 0; i < n; i++)
			filter_add(s->filter, e[i].key);
	}
	return rc;
}

/* By the first eight bytes, which nearly always decide. */
static int
compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	if (x == y)
		return memcmp(a, b, sizeof(struct seen_entry));
	return be64toh(x) < be64toh(y) ? -1 : 1;
}

/* While it is filled, nobody may take it for an answer. */
static int
fill(struct store *s, struct err *err)
{
	int rc;

	(void)pthread_rwlock_wrlock(&s->filling);
	filter_empty(s->filter);
	rc = fill_empty(s, err);
	if (rc != 0)
		filter_saturate(s->filter);
	(void)pthread_rwlock_unlock(&s->filling);
	return rc;
}

int
seen_open(struct store *s, struct err *err)
{
	int rc = 0;

	db_lock(s);
	if (s->filter == NULL) {
		s->filter = filter_new(s->filter_bytes);
		rc = fill(s, err);
	}
	db_unlock(s);
	return rc;
}

void
seen_release(struct store *s)
{
	filter_free(s->filter);
	s->filter = NULL;
}

bool
seen_maybe(struct store *s, const uint8_t key[SEEN_KEY])
{
	bool has;

	(void)pthread_rwlock_rdlock(&s->filling);
	has = filter_has(s->filter, key);
	(void)pthread_rwlock_unlock(&s->filling);
	return has;
}

int
seen_find(struct store *s, const char *name, const uint8_t key[SEEN_KEY],
    uint64_t *index, struct err *err)
{
	sqlite3_stmt *st;
	int rc, found = 0;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT r.first, r.rows FROM feed f"
	    " CROSS JOIN run r ON r.feed = f.id"
	    " WHERE f.name = ? ORDER BY r.id DESC",
	    "t", name);
	rc = st == NULL ? -1 : 1;
	while (rc == 1 && found == 0) {
		struct seen_run run;

		rc = db_step(s, st, err);
		if (rc != 1)
			break;
		run.first = sqlite3_column_int64(st, 0);
		run.rows = sqlite3_column_int64(st, 1);
		found = seen_search(s, &run, key, index, err);
	}
	if (found != 0)
		db_done(st);
	db_unlock(s);
	return found != 0 ? found : rc;
}

/* A bucket begins: those before are merged for good, and the filter is filled
 * again if what was dropped meanwhile may be much of it. */
static int
begin_bucket(struct store *s, int64_t feed, int64_t bucket, struct err *err)
{
	int64_t before;

	if (db_number(s, err, -1, &before,
		"SELECT max(bucket) FROM run WHERE feed = ?", "i", feed) != 0)
		return -1;
	if (before < 0 || before == bucket)
		return 0;
	if (seen_merge(s, feed, before, -1, CLOSE_LEAST, err) < 0)
		return -1;
	if (filter_added(s->filter) > filter_good(s->filter) / 2)
		return fill(s, err);
	return 0;
}

int
seen_add(struct store *s, int64_t feed, int64_t dedupe, struct seen_entry *e,
    size_t n, struct err *err)
{
	const int64_t width = dedupe / SEEN_BUCKETS + 1;
	const int64_t bucket = clock_now() / width;
	struct seen_writer w = { .s = s };
	int64_t level = 0;
	int rc;

	if (n == 0)
		return 0;
	qsort(e, n, sizeof(*e), compare);
	if (begin_bucket(s, feed, bucket, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (seen_write(&w, &e[i], err) != 0)
			return -1;
		/* Should the transaction fail, it does no harm there. */
		filter_add(s->filter, e[i].key);
	}
	if (seen_write_end(&w, err) != 0 ||
	    db_run(s, err,
		"INSERT INTO run (feed, width, bucket, level, count, first,"
		" rows) VALUES (?, ?, ?, 0, ?, ?, ?)",
		"iiiiii", feed, width, bucket, (int64_t)n, w.run.first,
		w.run.rows) != 0)
		return -1;
	do {
		rc = seen_merge(s, feed, bucket, level++, FAN, err);
	} while (rc == 1);
	return rc;
}

/* Delete rows of an old run, from its end, and the run with its first row. */
static int
expire_run(struct store *s, int64_t run, int64_t first, int64_t rows,
    struct err *err)
{
	const int64_t left = rows > EXPIRE_ROWS ? rows - EXPIRE_ROWS : 0;

	if (db_run(s, err, "DELETE FROM seen WHERE id >= ? AND id < ?", "ii",
		first + left, first + rows) != 0)
		return -1;
	if (left > 0)
		return db_run(s, err, "UPDATE run SET rows = ? WHERE id = ?",
		    "ii", left, run);
	return db_run(s, err, "DELETE FROM run WHERE id = ?", "i", run);
}

int
seen_expire(struct store *s, int64_t now, struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT r.id, r.first, r.rows FROM run r"
	    " JOIN feed f ON f.id = r.feed"
	    " WHERE (r.bucket + 1) * r.width <= ? - f.dedupe LIMIT 1",
	    "i", now);
	int64_t run, first, rows;
	int rc = st == NULL ? -1 : db_step(s, st, err);

	if (rc != 1)
		return rc;
	run = sqlite3_column_int64(st, 0);
	first = sqlite3_column_int64(st, 1);
	rows = sqlite3_column_int64(st, 2);
	db_done(st);
	return expire_run(s, run, first, rows, err) == 0 ? 1 : -1;
}
