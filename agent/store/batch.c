/*
 * batch.c - reading batches.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/batch.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/write_batch_private.h"

void
batch_init(struct batch *b)
{
	*b = (struct batch){ .id = 0 };
	buf_init(&b->payload, WRITE_BATCH_BYTES_MAX);
	buf_init(&b->times, WRITE_BATCH_BYTES_MAX);
	buf_init(&b->checkpoint, WRITE_BATCH_BYTES_MAX);
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

/* Numbers that no batch has are not to be reckoned with: memory would be asked
 * for by them. */
static int
check_numbers(struct store *s, const struct batch *b, struct err *err)
{
	if (b->count > 0 && b->count <= BATCH_EVENTS && b->first < MERKLE_MAX &&
	    b->raw_len <= WRITE_BATCH_BYTES_MAX)
		return 1;
	return db_damaged(s, err, "batch %lld has impossible numbers",
	    (long long)b->id);
}

static int
read_batch(struct store *s, sqlite3_stmt *st, struct batch *b, struct err *err)
{
	b->id = sqlite3_column_int64(st, 0);
	b->feed_id = sqlite3_column_int64(st, 1);
	db_text(st, 2, b->feed, sizeof(b->feed));
	b->first = (uint64_t)sqlite3_column_int64(st, 3);
	b->count = (size_t)sqlite3_column_int64(st, 4);
	b->committed = db_when(st, 5);
	b->oldest = db_time(st, 6);
	b->newest = db_time(st, 7);
	b->raw_len = (size_t)sqlite3_column_int64(st, 8);
	b->size = (uint64_t)sqlite3_column_int64(st, 12);
	if (db_blob(st, 9, &b->payload, err) != 0 ||
	    db_blob(st, 10, &b->times, err) != 0 ||
	    db_blob(st, 11, &b->checkpoint, err) != 0)
		return -1;
	return check_numbers(s, b, err);
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
		rc = read_batch(s, st, b, err);
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

int
batch_versions(struct store *s, const char *tree, uint64_t first, size_t count,
    struct batch_version **list, size_t *n, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	*list = NULL;
	*n = 0;
	db_lock(s);
	st = db_query(s, err,
	    "SELECT v.number, coalesce(o.tree, f.tree) || ':' || v.of_number"
	    " FROM feed f JOIN version v ON v.feed = f.id"
	    " LEFT JOIN feed o ON o.id = v.of_feed"
	    " WHERE f.tree = ?1 AND v.number >= ?2 AND v.number < ?3"
	    " ORDER BY v.number",
	    "tii", tree, (int64_t)first, (int64_t)(first + count));
	rc = st == NULL ? -1 : db_step(s, st, err);
	for (; rc == 1; rc = db_step(s, st, err)) {
		struct batch_version *v;

		*list = xreallocarray(*list, *n + 1, sizeof(**list));
		v = &(*list)[(*n)++];
		v->index = (uint64_t)sqlite3_column_int64(st, 0);
		db_text(st, 1, v->of, sizeof(v->of));
	}
	db_unlock(s);
	return rc;
}

/* Take one number in groups of seven bits; 0 or -1. */
static int
take_varint(const struct buf *b, size_t *at, uint64_t *n)
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

		if (take_varint(&b->times, &at, &n) != 0)
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
		rc = read_batch(s, st, b, err);
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

#define CHECK_LEN 4

static int
damaged(struct store *s, const struct unsealed *u, struct err *err)
{
	return db_damaged(s, err, "the tree of %s does not fit its batches",
	    u->feed);
}

/* The feed with the lowest unsealed batch, and its tree; 1, 0, -1. */
static int
choose_feed(struct store *s, struct unsealed *u, int64_t *first_batch,
    struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT f.id, f.tree, f.sealed, f.peaks, b.id FROM batch b"
	    " LEFT JOIN feed f ON f.id = b.feed WHERE b.id ="
	    " (SELECT min(id) FROM batch WHERE sealed IS NULL)",
	    "");
	int rc = st == NULL ? -1 : db_step(s, st, err);

	if (rc != 1)
		return rc;
	/* It would hold up all that follow. */
	if (sqlite3_column_type(st, 0) == SQLITE_NULL) {
		db_done(st);
		return db_damaged(s, err, "a batch belongs to no feed");
	}
	u->feed_id = sqlite3_column_int64(st, 0);
	db_text(st, 1, u->feed, sizeof(u->feed));
	*first_batch = sqlite3_column_int64(st, 4);
	if (merkle_load(&u->peaks, 0, (uint64_t)sqlite3_column_int64(st, 2),
		sqlite3_column_blob(st, 3),
		(size_t)sqlite3_column_bytes(st, 3)) != 0)
		rc = damaged(s, u, err);
	db_done(st);
	return rc;
}

/* Join one batch, the row of st, to u. */
static int
join(struct store *s, struct unsealed *u, struct digest *d, sqlite3_stmt *st,
    struct err *err)
{
	const uint64_t first = (uint64_t)sqlite3_column_int64(st, 1);
	const uint64_t count = (uint64_t)sqlite3_column_int64(st, 2);
	struct merkle_range range;

	if (merkle_load(&range, first, first + count,
		sqlite3_column_blob(st, 3),
		(size_t)sqlite3_column_bytes(st, 3)) != 0 ||
	    merkle_join(d, &u->added, &range) != 0 ||
	    (size_t)sqlite3_column_bytes(st, 4) != count * CHECK_LEN)
		return damaged(s, u, err);
	if (buf_add(&u->check, sqlite3_column_blob(st, 4), count * CHECK_LEN) !=
	    0)
		return err_set(err, "%s: too many events to seal at once",
		    u->feed);
	u->last_batch = sqlite3_column_int64(st, 0);
	return 0;
}

static int
gather(struct store *s, struct unsealed *u, int64_t first_batch,
    struct digest *d, struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT id, first, count, nodes, checks FROM batch"
	    " INDEXED BY batch_unsealed WHERE feed = ?1 AND sealed IS NULL AND "
	    "id >= ?2 ORDER BY id",
	    "ii", u->feed_id, first_batch);
	const uint64_t until = u->until == 0 ? UINT64_MAX : u->until;
	uint64_t events = 0;
	int rc;

	u->until = 0;
	if (st == NULL)
		return -1;
	merkle_range_init(&u->added, u->peaks.end);
	while ((rc = db_step(s, st, err)) == 1) {
		events += (uint64_t)sqlite3_column_int64(st, 2);
		if ((events > BATCH_EVENTS && u->check.len > 0) ||
		    u->added.end == until)
			break;
		rc = join(s, u, d, st, err);
		if (rc != 0)
			break;
	}
	if (rc != 0)
		db_done(st);
	return rc < 0 ? -1 : 1;
}

int
batch_next_unsealed(struct store *s, struct unsealed *u, struct err *err)
{
	struct digest *d = digest_new();
	int64_t first_batch = 0;
	int rc;

	if (u->check.ceiling == 0)
		buf_init(&u->check, BATCH_EVENTS * CHECK_LEN);
	buf_clear(&u->check);
	db_lock(s);
	rc = choose_feed(s, u, &first_batch, err);
	if (rc == 1)
		rc = gather(s, u, first_batch, d, err);
	db_unlock(s);
	digest_free(d);
	return rc;
}

static int
seal(struct store *s, const struct unsealed *u,
    const struct merkle_range *peaks, const char *value, struct err *err)
{
	if (db_run(s, err,
		"UPDATE feed SET sealed = ?3, peaks = ?4"
		" WHERE id = ?1 AND sealed = ?2",
		"iiib", u->feed_id, (int64_t)u->peaks.end, (int64_t)peaks->end,
		peaks->node, peaks->n * DIGEST_LEN) != 0)
		return -1;
	if (db_changes(s) != 1)
		return err_set(err,
		    "%s: another process has sealed this feed; only one seal "
		    "may run on a store",
		    u->feed);
	if (db_run(s, err,
		"UPDATE batch INDEXED BY batch_unsealed SET sealed = ?3, nodes "
		"= NULL, checks = NULL"
		" WHERE feed = ?1 AND sealed IS NULL AND id <= ?2",
		"iii", u->feed_id, u->last_batch, clock_now()) != 0)
		return -1;
	return db_run(s, err,
	    "INSERT INTO checkpoint (batch, size, value) VALUES (?, ?, ?)",
	    "iit", u->last_batch, (int64_t)peaks->end, value);
}

int
batch_seal(struct store *s, const struct unsealed *u,
    const struct merkle_range *peaks, const char *value, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s, seal(s, u, peaks, value, err), err);
}
