/*
 * item.c - the ledger.
 *
 * Who works on an item is known in memory only: after a crash all are free.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/inside.h"
#include "store/item.h"

/* What the wall clock may differ by from the monotonic one between two looks
 * without having been set. */
#define STEP (2 * CLOCK_SECOND)

int64_t
feed_claimed(struct feed *f, int64_t item)
{
	int64_t when = INT64_MIN;

	(void)pthread_mutex_lock(&f->mutex);
	for (size_t i = 0; i < f->n_claims; i++) {
		if (f->claims[i].item == item)
			when = f->claims[i].when;
	}
	(void)pthread_mutex_unlock(&f->mutex);
	return when;
}

static int
claim(struct feed *f, int64_t item)
{
	int rc = -1;

	(void)pthread_mutex_lock(&f->mutex);
	if (f->n_claims < CLAIMS_MOST) {
		f->claims[f->n_claims].item = item;
		f->claims[f->n_claims++].when = clock_now();
		f->turn = !f->turn;
		rc = 0;
	}
	(void)pthread_mutex_unlock(&f->mutex);
	return rc;
}

static void
unclaim(struct feed *f, int64_t item)
{
	(void)pthread_mutex_lock(&f->mutex);
	for (size_t i = 0; i < f->n_claims; i++) {
		if (f->claims[i].item == item)
			f->claims[i--] = f->claims[--f->n_claims];
	}
	(void)pthread_mutex_unlock(&f->mutex);
}

static char *
copy_text(sqlite3_stmt *st, int column)
{
	const unsigned char *text = sqlite3_column_text(st, column);

	return text == NULL ? NULL : xstrdup((const char *)text);
}

static void
read_item(sqlite3_stmt *st, struct item *it)
{
	*it = (struct item){
		.id = sqlite3_column_int64(st, 0),
		.key = copy_text(st, 1),
		.uri = copy_text(st, 2),
		.created = sqlite3_column_int64(st, 3),
		.expires = sqlite3_column_int64(st, 4),
		.attempts = sqlite3_column_int64(st, 5),
		.elements = (uint64_t)sqlite3_column_int64(st, 6),
	};
	if (sqlite3_column_bytes(st, 7) == DIGEST_LEN)
		memcpy(it->chain, sqlite3_column_blob(st, 7), DIGEST_LEN);
	else
		it->elements = 0;
}

/* When the first of those that wait is due. */
static int
first_due(struct feed *f, int64_t *due, struct err *err)
{
	int rc;

	db_lock(f->store);
	rc = db_number(f->store, err, INT64_MAX, due,
	    "SELECT min(next_try) FROM item WHERE feed = ? AND state = 0"
	    " AND next_try IS NOT NULL",
	    "i", f->id);
	db_unlock(f->store);
	return rc;
}

/* Has the wall clock stepped since the last claim, or may it have? */
static bool
stepped(struct feed *f)
{
	const int64_t ahead = clock_now() - clock_monotonic();
	int64_t by;

	(void)pthread_mutex_lock(&f->mutex);
	by = ahead - f->ahead;
	f->ahead = ahead;
	(void)pthread_mutex_unlock(&f->mutex);
	return by > STEP || by < -STEP;
}

/* Those whose time to wait is over are ready again. */
static int
wake(struct feed *f, int64_t now, struct err *err)
{
	if (db_begin_relaxed(f->store, err) != 0)
		return -1;
	return db_end(f->store,
	    db_run(f->store, err,
		"UPDATE item SET next_try = NULL WHERE feed = ? AND state = 0"
		" AND next_try IS NOT NULL AND next_try <= ?",
		"ii", f->id, now),
	    err);
}

#define ITEM_COLUMNS \
	"SELECT id, key, uri, created, expires, attempts, elements, chain"

static int
pick(struct feed *f, struct item *it, struct err *err)
{
	static const char expiring[] = ITEM_COLUMNS
	    " FROM item INDEXED BY item_expiring WHERE feed = ? AND state = 0"
	    " AND next_try IS NULL ORDER BY expires";
	static const char newest[] = ITEM_COLUMNS
	    " FROM item INDEXED BY item_newest WHERE feed = ? AND state = 0"
	    " AND next_try IS NULL ORDER BY created DESC";
	sqlite3_stmt *st =
	    db_query(f->store, err, f->turn ? newest : expiring, "i", f->id);
	int rc;

	if (st == NULL)
		return -1;
	while ((rc = db_step(f->store, st, err)) == 1) {
		const int64_t id = sqlite3_column_int64(st, 0);

		if (feed_claimed(f, id) != INT64_MIN)
			continue;
		rc = claim(f, id) == 0 ? 1 : 0;
		if (rc == 1)
			read_item(st, it);
		db_done(st);
		return rc;
	}
	return rc;
}

int
item_claim(struct feed *f, struct item *it, int64_t *next, struct err *err)
{
	/* Times that a clock set which was wrong say nothing. */
	const int64_t now = stepped(f) ? INT64_MAX - 1 : clock_now();
	int64_t due;
	int rc = first_due(f, &due, err);

	if (rc == 0 && due <= now) {
		rc = wake(f, now, err);
		if (rc == 0)
			rc = first_due(f, &due, err);
	}
	if (rc != 0)
		return -1;
	db_lock(f->store);
	rc = pick(f, it, err);
	db_unlock(f->store);
	if (rc == 0 && next != NULL)
		*next = due;
	return rc;
}

int
item_return(struct feed *f, const struct item *it, int64_t when,
    const char *error, struct err *err)
{
	int rc = 0;

	if (error != NULL) {
		rc = db_begin_relaxed(f->store, err);
		if (rc == 0)
			rc = db_end(f->store,
			    db_run(f->store, err,
				"UPDATE item SET attempts = attempts + 1,"
				" next_try = ?2, error = ?3"
				" WHERE id = ?1 AND state = 0",
				"iit", it->id, when, error),
			    err);
	}
	unclaim(f, it->id);
	return rc;
}

void
item_release(struct item *it)
{
	free(it->key);
	free(it->uri);
	*it = (struct item){ .id = 0 };
}

int
item_oldest(struct feed *f, int64_t *created, int64_t *expires, struct err *err)
{
	struct store *s = f->store;
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT created, expires FROM item INDEXED BY item_open"
	    " WHERE feed = ? AND state = 0 ORDER BY expires, created LIMIT 1",
	    "i", f->id);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc >= 0) {
		*created = rc == 1 ? sqlite3_column_int64(st, 0) : INT64_MAX;
		*expires = rc == 1 ? sqlite3_column_int64(st, 1) : INT64_MAX;
	}
	if (rc == 1)
		db_done(st);
	db_unlock(s);
	return rc >= 0 ? 0 : -1;
}

static int
expire_one(struct store *s, int64_t id, int64_t now, struct err *err)
{
	if (db_run(s, err,
		"INSERT INTO gap (feed, item, key, since, until, recorded,"
		" cause) SELECT feed, id, key, created, created, ?2,"
		" 'expired at the vendor before it could be read' ||"
		" iif(error = '', '', ': ' || error)"
		" FROM item WHERE id = ?1",
		"ii", id, now) != 0)
		return -1;
	return db_run(s, err,
	    "UPDATE item SET state = ?2, uri = NULL, next_try = NULL"
	    " WHERE id = ?1",
	    "ii", id, (int64_t)ITEM_GAP);
}

static int
expire_all(struct feed *f, int64_t now, size_t *n, struct err *err)
{
	struct store *s = f->store;
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT id FROM item WHERE feed = ?1 AND state = 0"
	    " AND expires <= ?2 AND id > ?3 ORDER BY id",
	    "iii", f->id, now, (int64_t)0);
	int rc;

	if (st == NULL)
		return -1;
	while ((rc = db_step(s, st, err)) == 1) {
		const int64_t id = sqlite3_column_int64(st, 0);

		/* A fetch that has begun may still succeed. */
		if (feed_claimed(f, id) != INT64_MIN)
			continue;
		if (expire_one(s, id, now, err) != 0) {
			db_done(st);
			return -1;
		}
		++*n;
	}
	return rc;
}

int
item_expire(struct feed *f, int64_t now, size_t *n, struct err *err)
{
	int64_t first;
	int rc;

	*n = 0;
	/* Most of the time there is none, and nothing to write. */
	db_lock(f->store);
	rc = db_number(f->store, err, INT64_MAX, &first,
	    "SELECT min(expires) FROM item WHERE feed = ? AND state = 0", "i",
	    f->id);
	db_unlock(f->store);
	if (rc != 0 || first > now)
		return rc;
	if (db_begin(f->store, err) != 0)
		return -1;
	rc = db_end(f->store, expire_all(f, now, n, err), err);
	if (rc != 0)
		*n = 0;
	return rc;
}
