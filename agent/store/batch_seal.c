/*
 * batch_seal.c - what seal reads and writes.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "store/batch.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/mark.h"

#define CHECK_LEN 4

static int
damaged(struct store *s, const struct unsealed *u, struct err *err)
{
	mark_suspect(s->path);
	return err_set(err,
	    "%s: damaged: the tree of %s does not fit its batches; it is "
	    "moved aside and what can be read is recovered at the next start",
	    s->path, u->feed);
}

/* The feed with the lowest unsealed batch, and its tree; 1, 0, -1. */
static int
choose(struct store *s, struct unsealed *u, int64_t *first_batch,
    struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT f.id, f.tree, f.sealed, f.peaks, b.id FROM batch b"
	    " JOIN feed f ON f.id = b.feed WHERE b.id ="
	    " (SELECT min(id) FROM batch WHERE sealed IS NULL)",
	    "");
	int rc = st == NULL ? -1 : db_step(s, st, err);

	if (rc != 1)
		return rc;
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
	uint64_t events = 0;
	int rc;

	if (st == NULL)
		return -1;
	merkle_range_init(&u->added, u->peaks.end);
	while ((rc = db_step(s, st, err)) == 1) {
		events += (uint64_t)sqlite3_column_int64(st, 2);
		if (events > BATCH_EVENTS && u->check.len > 0)
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
	int64_t first_batch;
	int rc;

	if (u->check.ceiling == 0)
		buf_init(&u->check, BATCH_EVENTS * CHECK_LEN);
	buf_clear(&u->check);
	db_lock(s);
	rc = choose(s, u, &first_batch, err);
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
