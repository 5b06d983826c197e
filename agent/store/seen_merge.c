/*
 * seen_merge.c - several sorted runs of the seen-set become one, streaming.
 */
#include <string.h>

#include "base/err.h"
#include "store/db.h"
#include "store/seen.h"

#define RUNS_MOST 64       /* merged at once */
#define MERGE_MOST 2000000 /* entries: some 100 ms of a commit */

/* One run being read. */
struct reader {
	int64_t run;
	sqlite3_stmt *st;
	const struct seen_entry *e; /* the row's, borrowed from st */
	size_t at, n;
};

struct merge {
	struct store *s;
	struct reader reader[RUNS_MOST];
	size_t n;
	int64_t width;
	int64_t level;
	int64_t count;
	struct seen_entry out[SEEN_ROW];
	size_t n_out;
};

int
seen_insert(struct store *s, int64_t run, const struct seen_entry *e, size_t n,
    struct err *err)
{
	return db_run(s, err, "INSERT INTO seen (run, entries) VALUES (?, ?)",
	    "ib", run, e, n * sizeof(*e));
}

/* Collect the runs to be merged. */
static int
choose(struct merge *m, int64_t feed, int64_t bucket, int64_t level,
    struct err *err)
{
	sqlite3_stmt *st = db_query(m->s, err,
	    "SELECT id, width, level, count FROM run"
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
		m->reader[m->n++] = (struct reader){
			.run = sqlite3_column_int64(st, 0),
		};
		m->width = sqlite3_column_int64(st, 1);
		if (sqlite3_column_int64(st, 2) > m->level)
			m->level = sqlite3_column_int64(st, 2);
		m->count += count;
	}
	return rc;
}

/* Make the next entry of r present; at == n at its end. */
static int
advance(struct merge *m, struct reader *r, struct err *err)
{
	int rc;

	if (++r->at < r->n)
		return 0;
	r->at = 0;
	r->n = 0;
	rc = sqlite3_step(r->st);
	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return db_fail(m->s, rc, err);
	r->e = sqlite3_column_blob(r->st, 0);
	r->n = (size_t)sqlite3_column_bytes(r->st, 0) / sizeof(*r->e);
	return 0;
}

/* Each run needs a statement of its own, so these are not the kept ones. */
static int
open_readers(struct merge *m, struct err *err)
{
	static const char sql[] =
	    "SELECT entries FROM seen WHERE run = ? ORDER BY entries";

	for (size_t i = 0; i < m->n; i++) {
		struct reader *r = &m->reader[i];
		int rc = sqlite3_prepare_v2(m->s->db, sql, -1, &r->st, NULL);

		if (rc == SQLITE_OK)
			rc = sqlite3_bind_int64(r->st, 1, r->run);
		if (rc != SQLITE_OK)
			return db_fail(m->s, rc, err);
		if (advance(m, r, err) != 0)
			return -1;
	}
	return 0;
}

static void
close_readers(struct merge *m)
{
	for (size_t i = 0; i < m->n; i++)
		(void)sqlite3_finalize(m->reader[i].st);
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
		if (low == NULL ||
		    memcmp(&r->e[r->at], &low->e[low->at], sizeof(*r->e)) < 0)
			low = r;
	}
	return low;
}

static int
flush(struct merge *m, int64_t run, struct err *err)
{
	size_t n = m->n_out;

	m->n_out = 0;
	return n == 0 ? 0 : seen_insert(m->s, run, m->out, n, err);
}

static int
copy(struct merge *m, int64_t run, struct err *err)
{
	struct reader *r;

	while ((r = lowest(m)) != NULL) {
		m->out[m->n_out++] = r->e[r->at];
		if (m->n_out == SEEN_ROW && flush(m, run, err) != 0)
			return -1;
		if (advance(m, r, err) != 0)
			return -1;
	}
	return flush(m, run, err);
}

static int
drop(struct merge *m, struct err *err)
{
	for (size_t i = 0; i < m->n; i++) {
		if (db_run(m->s, err, "DELETE FROM seen WHERE run = ?", "i",
			m->reader[i].run) != 0 ||
		    db_run(m->s, err, "DELETE FROM run WHERE id = ?", "i",
			m->reader[i].run) != 0)
			return -1;
	}
	return 0;
}

int
seen_merge(struct store *s, int64_t feed, int64_t bucket, int64_t level,
    size_t least, struct err *err)
{
	struct merge m = { .s = s };
	int64_t run;
	int rc;

	if (choose(&m, feed, bucket, level, err) != 0)
		return -1;
	if (m.n < least)
		return 0;
	rc = db_run(s, err,
	    "INSERT INTO run (feed, width, bucket, level, count)"
	    " VALUES (?, ?, ?, ?, ?)",
	    "iiiii", feed, m.width, bucket, m.level + 1, m.count);
	run = sqlite3_last_insert_rowid(s->db);
	if (rc == 0)
		rc = open_readers(&m, err);
	if (rc == 0)
		rc = copy(&m, run, err);
	close_readers(&m);
	if (rc == 0)
		rc = drop(&m, err);
	return rc == 0 ? 1 : -1;
}
