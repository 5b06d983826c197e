/*
 * tree.c - the trees of the feeds, and how another is begun.
 */
#include <string.h>

#include "base/digest.h"
#include "base/err.h"
#include "store/db.h"
#include "store/feed_private.h"
#include "store/repair.h"
#include "store/tree.h"

static void
read_tree(sqlite3_stmt *st, struct tree *t)
{
	t->id = sqlite3_column_int64(st, 0);
	db_text(st, 1, t->feed, sizeof(t->feed));
	db_text(st, 2, t->name, sizeof(t->name));
	t->closed = sqlite3_column_int(st, 3) != 0;
	t->size = (uint64_t)sqlite3_column_int64(st, 4);
	t->sound =
	    merkle_load(&t->peaks, 0, (uint64_t)sqlite3_column_int64(st, 5),
		sqlite3_column_blob(st, 6),
		(size_t)sqlite3_column_bytes(st, 6)) == 0;
}

int
tree_next(struct store *s, int64_t after, struct tree *t, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT id, name, tree, EXISTS (SELECT 1 FROM feed g"
	    " WHERE g.name = f.name AND g.id > f.id), size, sealed, peaks"
	    " FROM feed f WHERE id > ? ORDER BY id LIMIT 1",
	    "i", after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		read_tree(st, t);
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

/* Join batches to range until it ends at size, or no longer fits: 1, 0, -1. */
static int
grow(struct store *s, const struct tree *t, struct digest *d, uint64_t size,
    struct merkle_range *range, struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT first, count, nodes FROM batch INDEXED BY batch_unsealed"
	    " WHERE feed = ? AND sealed IS NULL ORDER BY id",
	    "i", t->id);
	int rc = st == NULL ? -1 : 1;

	while (rc == 1 && range->end < size &&
	    (rc = db_step(s, st, err)) == 1) {
		const uint64_t first = (uint64_t)sqlite3_column_int64(st, 0);
		const uint64_t count = (uint64_t)sqlite3_column_int64(st, 1);
		struct merkle_range next;

		if (first > size || count > size - first ||
		    merkle_load(&next, first, first + count,
			sqlite3_column_blob(st, 2),
			(size_t)sqlite3_column_bytes(st, 2)) != 0 ||
		    merkle_join(d, range, &next) != 0)
			break;
	}
	if (rc == 1)
		db_done(st);
	return rc < 0 ? -1 : range->end == size;
}

int
tree_root(struct store *s, const struct tree *t, uint64_t size,
    uint8_t root[DIGEST_LEN], struct err *err)
{
	struct merkle_range range = t->peaks;
	struct digest *d = digest_new();
	int rc;

	db_lock(s);
	rc = grow(s, t, d, size, &range, err);
	db_unlock(s);
	if (rc == 1)
		merkle_root(d, &range, root);
	digest_free(d);
	return rc;
}

static int
renew(struct store *s, const struct tree *t, const char *cause, struct err *err)
{
	const int64_t sealed = t->sound ? (int64_t)t->peaks.end : 0;

	if ((uint64_t)sealed < t->size)
		return repair_give_up(s, t->id, sealed, cause, err);
	return t->closed ? 0 : feed_renew(s, t->id, t->feed, cause, err);
}

int
tree_renew(struct store *s, const struct tree *t, const char *cause,
    struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s, renew(s, t, cause, err), err);
}

int
tree_retire(struct store *s, const char *name, const char *cause,
    struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err,
		"INSERT OR IGNORE INTO retired (tree, cause) VALUES (?, ?)",
		"tt", name, cause),
	    err);
}

int
tree_known(struct store *s, const char *name, struct err *err)
{
	int64_t there;
	int rc;

	db_lock(s);
	rc = db_number(s, err, 0, &there,
	    "SELECT EXISTS (SELECT 1 FROM feed WHERE tree = ?1)"
	    " OR EXISTS (SELECT 1 FROM retired WHERE tree = ?1)",
	    "t", name);
	db_unlock(s);
	return rc != 0 ? -1 : there != 0;
}

int
tree_begun_next(struct store *s, int64_t after, struct tree_begun *b,
    struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT id, name, tree, (SELECT tree FROM feed g"
	    " WHERE g.name = f.name AND g.id < f.id ORDER BY g.id DESC LIMIT "
	    "1),"
	    " cause FROM feed f WHERE id > ? AND tree <> name"
	    " ORDER BY id LIMIT 1",
	    "i", after);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		b->id = sqlite3_column_int64(st, 0);
		db_text(st, 1, b->feed, sizeof(b->feed));
		db_text(st, 2, b->name, sizeof(b->name));
		db_text(st, 3, b->before, sizeof(b->before));
		db_text(st, 4, b->cause, sizeof(b->cause));
		db_done(st);
	}
	db_unlock(s);
	return rc;
}

int
tree_log_id(struct store *s, char id[TREE_LOG_ID], struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	id[0] = '\0';
	db_lock(s);
	st = db_query(s, err, "SELECT log FROM signed WHERE id = 1", "");
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		db_text(st, 0, id, TREE_LOG_ID);
		db_done(st);
	}
	db_unlock(s);
	return rc < 0 ? -1 : 0;
}

int
tree_set_log_id(struct store *s, const char *id, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err,
		"INSERT INTO signed (id, log) VALUES (1, ?1)"
		" ON CONFLICT (id) DO UPDATE SET log = ?1",
		"t", id),
	    err);
}
