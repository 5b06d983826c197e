/*
 * batch.c - reading batches.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/batch.h"
#include "store/db.h"
#include "store/inside.h"

void
batch_init(struct batch *b)
{
	*b = (struct batch){ .id = 0 };
	buf_init(&b->payload, PIECE_BYTES_MOST);
	buf_init(&b->times, PIECE_BYTES_MOST);
	buf_init(&b->checkpoint, PIECE_BYTES_MOST);
}

void
batch_release(struct batch *b)
{
	buf_release(&b->payload);
	buf_release(&b->times);
	buf_release(&b->checkpoint);
}

/* The payload leads: batches without one are only remembered. */
#define BATCH_SELECT                                                   \
	"SELECT b.id, b.feed, f.tree, b.first, b.count, b.committed,"  \
	" b.oldest, b.newest, b.raw_len, p.lines, p.times, c.value,"   \
	" c.size FROM payload p CROSS JOIN batch b ON b.id = p.batch"  \
	" CROSS JOIN feed f ON f.id = b.feed"                          \
	" LEFT JOIN checkpoint c ON c.batch = b.id WHERE p.batch > ?1" \
	" AND b.sealed IS NOT NULL AND p.batch < coalesce("            \
	"(SELECT min(id) FROM batch WHERE sealed IS NULL), 1 << 62)"

static int
read_batch(sqlite3_stmt *st, struct batch *b, struct err *err)
{
	b->id = sqlite3_column_int64(st, 0);
	b->feed_id = sqlite3_column_int64(st, 1);
	db_text(st, 2, b->feed, sizeof(b->feed));
	b->first = (uint64_t)sqlite3_column_int64(st, 3);
	b->count = (size_t)sqlite3_column_int64(st, 4);
	b->committed = sqlite3_column_int64(st, 5);
	b->oldest = db_time(st, 6);
	b->newest = db_time(st, 7);
	b->raw_len = (size_t)sqlite3_column_int64(st, 8);
	b->size = (uint64_t)sqlite3_column_int64(st, 12);
	if (db_blob(st, 9, &b->payload, err) != 0 ||
	    db_blob(st, 10, &b->times, err) != 0 ||
	    db_blob(st, 11, &b->checkpoint, err) != 0)
		return -1;
	return 1;
}

int
batch_next_sealed(struct store *s, int64_t after, struct batch *b,
    struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err, BATCH_SELECT " ORDER BY p.batch LIMIT 1", "i",
	    after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		rc = read_batch(st, b, err);
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

/* Take one number in groups of seven bits; 0 or -1. */
static int
take_number(const struct buf *b, size_t *at, uint64_t *n)
{
	*n = 0;
	for (unsigned shift = 0; *at < b->len && shift < 64; shift += 7) {
		const uint8_t byte = (uint8_t)b->data[(*at)++];

		*n |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return 0;
	}
	return -1;
}

int
batch_times(const struct batch *b, int64_t *when, struct err *err)
{
	uint64_t last = 0;
	size_t at = 0;

	for (size_t i = 0; i < b->count; i++) {
		uint64_t n;

		if (take_number(&b->times, &at, &n) != 0)
			return err_set(err,
			    "batch %lld of %s: its event times are damaged",
			    (long long)b->id, b->feed);
		if (n == 0) {
			when[i] = b->committed;
			continue;
		}
		n--;
		last += (n >> 1) ^ (UINT64_C(0) - (n & 1));
		when[i] = (int64_t)last;
	}
	return 0;
}

/* The sealed batch of a feed (NULL: any) that follows after. */
static int
next_of(struct store *s, const char *feed, int64_t after, struct batch *b,
    struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (feed == NULL)
		return batch_next_sealed(s, after, b, err);
	db_lock(s);
	st = db_query(s, err,
	    BATCH_SELECT " AND (f.name = ?2 OR f.tree = ?2)"
			 " ORDER BY p.batch LIMIT 1",
	    "it", after, feed);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		rc = read_batch(st, b, err);
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

int
batch_walk(struct store *s, const char *feed, batch_fn *fn, void *ctx,
    struct err *err)
{
	struct batch b;
	int rc;

	batch_init(&b);
	do {
		rc = next_of(s, feed, b.id, &b, err);
		if (rc == 1 && fn(ctx, &b, err) != 0)
			rc = -1;
	} while (rc == 1);
	batch_release(&b);
	return rc;
}
