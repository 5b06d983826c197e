/*
 * hours.c - how many events of a feed happened in which hour, and how far they
 * have got.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/hours.h"

/* Groups of rows that one transaction joins. */
#define JOINED 200

int64_t
hours_of(int64_t when)
{
	return when - when % CLOCK_HOUR;
}

void
hours_release(struct hours *h)
{
	free(h->row);
	*h = (struct hours){ .n = 0 };
}

static struct hour_count *
row_of(struct hours *h, int64_t hour)
{
	size_t i = h->n;

	/* The last ones are the likely ones. */
	while (i > 0 && h->row[i - 1].hour != hour)
		i--;
	if (i > 0)
		return &h->row[i - 1];
	if (h->n == h->room) {
		h->room = h->room == 0 ? 4 : 2 * h->room;
		h->row = xreallocarray(h->row, h->room, sizeof(*h->row));
	}
	h->row[h->n] = (struct hour_count){ .hour = hour };
	return &h->row[h->n++];
}

void
hours_add(struct hours *h, int64_t when, bool version, enum via via)
{
	struct hour_count *row;

	if (when < 0 || when > INT64_MAX / 4)
		return;
	row = row_of(h, hours_of(when));
	row->count++;
	row->versions += version;
	row->queried += via == VIA_AUDIT_QUERY || via == VIA_QUERY;
}

void
hours_sum(struct hours *h, const struct hours *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct hour_count *row = row_of(h, from->row[i].hour);

		row->count += from->row[i].count;
		row->versions += from->row[i].versions;
		row->queried += from->row[i].queried;
	}
}

static int
put(struct store *s, int64_t feed, int64_t batch, const struct hour_count *c,
    struct err *err)
{
	return db_run(s, err,
	    "INSERT INTO hour (feed, hour, batch, count, versions, queried)"
	    " VALUES (?, ?, ?, ?, ?, ?)",
	    "iiiiii", feed, c->hour, batch, (int64_t)c->count,
	    (int64_t)c->versions, (int64_t)c->queried);
}

int
hours_put(struct store *s, int64_t feed, int64_t batch, const struct hours *h,
    struct err *err)
{
	for (size_t i = 0; i < h->n; i++)
		if (put(s, feed, batch, &h->row[i], err) != 0)
			return -1;
	return 0;
}

/* The rows of a feed and an hour that become one. */
struct joined {
	int64_t feed;
	int64_t batch; /* the last of them */
	struct hour_count sum;
};

/* Find some; *n says how many. */
static int
find(struct store *s, int64_t passed, struct joined *out, size_t *n,
    struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT feed, hour, max(batch), sum(count), sum(versions),"
	    " sum(queried) FROM hour WHERE batch <= ?1 AND batch < coalesce("
	    "(SELECT min(id) FROM batch WHERE sealed IS NULL), 1 << 62)"
	    " GROUP BY feed, hour HAVING count(*) > 1 LIMIT ?2",
	    "ii", passed, (int64_t)JOINED);
	int rc = st == NULL ? -1 : 1;

	*n = 0;
	while (rc == 1 && (rc = db_step(s, st, err)) == 1)
		out[(*n)++] = (struct joined){
			.feed = sqlite3_column_int64(st, 0),
			.batch = sqlite3_column_int64(st, 2),
			.sum = { .hour = sqlite3_column_int64(st, 1),
			    .count = (uint64_t)sqlite3_column_int64(st, 3),
			    .versions = (uint64_t)sqlite3_column_int64(st, 4),
			    .queried = (uint64_t)sqlite3_column_int64(st, 5) }
		};
	return rc;
}

int
hours_join(struct store *s, int64_t passed, struct err *err)
{
	struct joined *all = xcalloc(JOINED, sizeof(*all));
	size_t n;
	int rc = find(s, passed, all, &n, err);

	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct joined *j = &all[i];

		rc = db_run(s, err,
		    "DELETE FROM hour WHERE feed = ? AND hour = ?"
		    " AND batch <= ?",
		    "iii", j->feed, j->sum.hour, j->batch);
		if (rc == 0)
			rc = put(s, j->feed, j->batch, &j->sum, err);
	}
	free(all);
	return rc != 0 ? -1 : n == JOINED;
}

int
hours_whole(struct store *s, const char *source, bool *whole, struct err *err)
{
	int64_t lacking;
	int rc;

	db_lock(s);
	rc = db_number(s, err, 0, &lacking,
	    "SELECT EXISTS (SELECT 1 FROM feed f WHERE f.name > ?1 || '/'"
	    " AND f.name < ?1 || '0' AND f.size > coalesce("
	    "(SELECT sum(count) FROM hour h WHERE h.feed = f.id), 0))",
	    "t", source);
	db_unlock(s);
	*whole = lacking == 0;
	return rc;
}
