/*
 * seen_merge.c - several sorted runs of the seen-set become one, a row of
 * each in memory.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/seen.h"

#define RUNS_MOST 64       /* merged at once */
#define MERGE_MOST 2000000 /* entries: some 100 ms of a commit */

/* One run being read. */
struct reader {
	int64_t id;
	struct seen_run run;
	int64_t row;   /* the next one */
	uint64_t head; /* first eight bytes of the present entry, as a number */
	size_t at, n;  /* n is 0 at the end */
	struct seen_entry e[SEEN_ROW];
};

struct merge {
	struct store *s;
	struct reader *reader;
	size_t n;
	int64_t width;
	int64_t level;
	int64_t count;
};

/* Collect the runs to be merged. */
static int
choose(struct merge *m, int64_t feed, int64_t bucket, int64_t level,
    struct err *err)
{
	sqlite3_stmt *st = db_query(m->s, err,
	    "SELECT id, width, level, count, first, rows FROM run"
	    " WHERE feed = ?1 AND bucket = ?2 AND (?3 < 0 OR level = ?3)"
	    " ORDER BY level, id",
	    "iii", feed, bucket, level);
	int rc;

	if (st == NULL)
		return -1;
	while ((rc = db_step(m->s, st, err)) == 1) {
		const int64_t count = sqlite3_column_int64(st, 3);

		if (m->n == RUNS_MOST || m->count + count > MERGE_MOST) {
			db_done(st);
			return 0;
		}
		m->reader =
		    xreallocarray(m->reader, m->n + 1, sizeof(*m->reader));
		m->reader[m->n++] = (struct reader){
			.id = sqlite3_column_int64(st, 0),
			.run.first = sqlite3_column_int64(st, 4),
			.run.rows = sqlite3_column_int64(st, 5),
		};
		m->width = sqlite3_column_int64(st, 1);
		if (sqlite3_column_int64(st, 2) > m->level)
			m->level = sqlite3_column_int64(st, 2);
		m->count += count;
	}
	return rc;
}

static uint64_t
head_of(const struct seen_entry *e)
{
	uint64_t head = 0;

	for (size_t i = 0; i < sizeof(head); i++)
		head = head << 8 | e->key[i];
	return head;
}

/* Make the next entry of r present. */
static int
advance(struct merge *m, struct reader *r, struct err *err)
{
	r->at++;
	while (r->at >= r->n) {
		r->at = 0;
		r->n = 0;
		if (r->row == r->run.rows)
			return 0;
		if (seen_row(m->s, r->run.first + r->row++, r->e, &r->n, err) <
		    0)
			return -1;
	}
	r->head = head_of(&r->e[r->at]);
	return 0;
}

/* The reader with the lowest entry, NULL: all are at their end. */
static struct reader *
lowest(struct merge *m)
{
	struct reader *low = NULL;

	for (size_t i = 0; i < m->n; i++) {
		struct reader *r = &m->reader[i];

		if (r->n == 0)
			continue;
		if (low == NULL || r->head < low->head ||
		    (r->head == low->head &&
			memcmp(&r->e[r->at], &low->e[low->at], sizeof(*r->e)) <
			    0))
			low = r;
	}
	return low;
}

static int
copy(struct merge *m, struct seen_writer *w, struct err *err)
{
	struct reader *r;

	for (size_t i = 0; i < m->n; i++) {
		if (advance(m, &m->reader[i], err) != 0)
			return -1;
	}
	while ((r = lowest(m)) != NULL) {
		if (seen_write(w, &r->e[r->at], err) != 0 ||
		    advance(m, r, err) != 0)
			return -1;
	}
	return seen_write_end(w, err);
}

static int
drop(struct merge *m, struct err *err)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct reader *r = &m->reader[i];

		if (db_run(m->s, err,
			"DELETE FROM seen WHERE id >= ? AND id < ?", "ii",
			r->run.first, r->run.first + r->run.rows) != 0 ||
		    db_run(m->s, err, "DELETE FROM run WHERE id = ?", "i",
			r->id) != 0)
			return -1;
	}
	return 0;
}

static int
merge(struct merge *m, int64_t feed, int64_t bucket, struct err *err)
{
	struct seen_writer w = { .s = m->s };

	if (copy(m, &w, err) != 0 || drop(m, err) != 0)
		return -1;
	return db_run(m->s, err,
	    "INSERT INTO run (feed, width, bucket, level, count, first, rows)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?)",
	    "iiiiiii", feed, m->width, bucket, m->level + 1, m->count,
	    w.run.first, w.run.rows);
}

int
seen_merge(struct store *s, int64_t feed, int64_t bucket, int64_t level,
    size_t least, struct err *err)
{
	struct merge m = { .s = s };
	int rc = choose(&m, feed, bucket, level, err);

	if (rc == 0 && m.n >= least)
		rc = merge(&m, feed, bucket, err) == 0 ? 1 : -1;
	free(m.reader);
	return rc;
}
