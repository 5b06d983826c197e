/*
 * repair.c - makes a store, or what was copied out of a damaged one, agree with
 * itself.
 *
 * What an output has not passed yet must be whole: per feed, its batches
 * follow one another, each has its payload, those without a checkpoint begin
 * where the tree ends, and the last ends at the feed's size.  From the first
 * one that does not, the feed is cut: the batches are dropped, the ids of
 * their events are forgotten, the items that they came from leave the ledger,
 * so that the vendor lists them anew, and the feed goes on in a new tree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/merkle.h"
#include "store/bounds.h"
#include "store/db.h"
#include "store/feed_private.h"
#include "store/line.h"
#include "store/recovery.h"
#include "store/repair.h"
#include "store/seen.h"
#include "store/write_batch_private.h"

#define CHECK_LEN 4

/* Where a feed must be cut. */
struct cut {
	int64_t feed;
	char name[256];
	int64_t size;
	int64_t sealed;
	bool peaks_good;
	bool closed;    /* an earlier tree of its name */
	int64_t passed; /* batches up to this one need no payload */
	int64_t at;     /* event index */
	int64_t tree;   /* where the tree ends with what was looked at */
	bool size_good;
	bool needed;
};

/* Are these count lines the events of a feed from index first on? */
static bool
lines_fit(const struct buf *lines, int64_t first, int64_t count)
{
	const char *at = lines->data, *end = at + lines->len, *lf;
	struct line line;
	int64_t n = 0;

	if (first < 0 || count < 1 || count > BATCH_EVENTS)
		return false;
	for (; at < end; at = lf + 1, n++) {
		lf = memchr(at, '\n', (size_t)(end - at));
		if (lf == NULL ||
		    line_parse(at, (size_t)(lf - at), &line) != 0 ||
		    line.number != (uint64_t)(first + n))
			return false;
	}
	return n == count;
}

/* The next payload above *id: 1 and whether it is good, 0 none, -1. */
static int
next_payload(struct store *s, struct gzip *g, int64_t *id, bool *good,
    struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT p.batch, p.lines, b.raw_len, b.first, b.count"
	    " FROM payload p"
	    " LEFT JOIN batch b ON b.id = p.batch"
	    " WHERE p.batch > ? ORDER BY p.batch LIMIT 1",
	    "i", *id);
	struct buf raw = BUF_INIT(WRITE_BATCH_BYTES_MAX + BATCH_BYTES);
	struct err why = ERR_INIT;
	int rc = st == NULL ? -1 : db_step(s, st, err);

	if (rc != 1)
		return rc;
	*id = sqlite3_column_int64(st, 0);
	*good = sqlite3_column_type(st, 2) != SQLITE_NULL &&
	    gzip_unpack(g, sqlite3_column_blob(st, 1),
		(size_t)sqlite3_column_bytes(st, 1), &raw, &why) == 0 &&
	    raw.len == (size_t)sqlite3_column_int64(st, 2) &&
	    lines_fit(&raw, sqlite3_column_int64(st, 3),
		sqlite3_column_int64(st, 4));
	buf_release(&raw);
	db_done(st);
	return 1;
}

int
repair_payloads_good(struct store *s, char *what, size_t size, struct err *err)
{
	struct gzip *g = gzip_new();
	struct err why = ERR_INIT;
	int64_t id = 0;
	bool good = true;
	int rc;

	do {
		rc = next_payload(s, g, &id, &good, &why);
	} while (rc == 1 && good);
	gzip_free(g);
	if (rc < 0 && !db_means_damage(s, sqlite3_errcode(s->db)))
		return err_set(err, "%s", why.text);
	if (rc < 0)
		(void)snprintf(what, size, "%s", sqlite3_errmsg(s->db));
	else if (!good)
		(void)snprintf(what, size, "the events of batch %lld",
		    (long long)id);
	return rc == 0 ? 1 : 0;
}

/* Keep the bytes of a payload that is given up in a file of their own. */
static int
put_aside(struct store *s, const char *aside, int64_t id, struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT lines FROM payload WHERE batch = ?", "i", id);
	int rc = st == NULL ? -1 : db_step(s, st, err);
	char *name;

	if (rc != 1)
		return rc;
	name = xasprintf("%s-batch-%lld.gz", aside, (long long)id);
	rc = file_replace(name, sqlite3_column_blob(st, 0),
	    (size_t)sqlite3_column_bytes(st, 0), 0640, err);
	db_done(st);
	free(name);
	return rc;
}

static int
drop_bad_payloads(struct store *s, const char *aside, struct err *err)
{
	struct gzip *g = gzip_new();
	int64_t id = 0;
	bool good;
	int rc;

	while ((rc = next_payload(s, g, &id, &good, err)) == 1) {
		if (good)
			continue;
		if ((aside != NULL && put_aside(s, aside, id, err) != 0) ||
		    db_run(s, err, "DELETE FROM payload WHERE batch = ?", "i",
			id) != 0) {
			rc = -1;
			break;
		}
	}
	gzip_free(g);
	return rc;
}

/* Nobody knows whose they were. */
enum { ORPHANED_ITEMS, ORPHANED_BATCHES };

static const char *const orphans[] = {
	[ORPHANED_ITEMS] =
	    "DELETE FROM item WHERE feed NOT IN (SELECT id FROM feed)",
	[ORPHANED_BATCHES] =
	    "DELETE FROM batch WHERE feed NOT IN (SELECT id FROM feed)",
	"DELETE FROM payload WHERE batch NOT IN (SELECT id FROM batch)",
	"DELETE FROM checkpoint WHERE batch NOT IN (SELECT batch FROM payload)",
	"DELETE FROM piece WHERE feed NOT IN (SELECT id FROM feed)",
	"DELETE FROM version WHERE feed NOT IN (SELECT id FROM feed)",
	"DELETE FROM run WHERE feed NOT IN (SELECT id FROM feed)",
	("DELETE FROM seen WHERE NOT EXISTS (SELECT 1 FROM run r"
	 " WHERE seen.id >= r.first AND seen.id < r.first + r.rows)"),
};

static int
drop_orphans(struct store *s, struct recovery *v, struct err *err)
{
	for (size_t i = 0; i < sizeof(orphans) / sizeof(orphans[0]); i++) {
		if (db_run(s, err, orphans[i], "") != 0)
			return -1;
		if (db_changes(s) == 0)
			continue;
		v->whole_items = v->whole_items && i != ORPHANED_ITEMS;
		v->whole_batches = v->whole_batches && i != ORPHANED_BATCHES;
	}
	return 0;
}

/* The row of the first feed above after: 1, 0 none, -1. */
static int
next_feed(struct store *s, int64_t after, struct cut *c, struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT id, name, size, sealed, peaks, EXISTS (SELECT 1 FROM feed g"
	    " WHERE g.name = f.name AND g.id > f.id),"
	    " coalesce((SELECT min(position) FROM output), 0)"
	    " FROM feed f WHERE id > ? ORDER BY id LIMIT 1",
	    "i", after);
	struct merkle_range peaks;
	int rc = st == NULL ? -1 : db_step(s, st, err);

	if (rc != 1)
		return rc;
	*c = (struct cut){
		.feed = sqlite3_column_int64(st, 0),
		.size = sqlite3_column_int64(st, 2),
		.sealed = sqlite3_column_int64(st, 3),
		.closed = sqlite3_column_int(st, 5) != 0,
		.passed = sqlite3_column_int64(st, 6),
	};
	db_text(st, 1, c->name, sizeof(c->name));
	c->peaks_good = c->sealed >= 0 &&
	    c->sealed <= (int64_t)SEEN_INDEX_MAX &&
	    merkle_load(&peaks, 0, (uint64_t)c->sealed,
		sqlite3_column_blob(st, 4),
		(size_t)sqlite3_column_bytes(st, 4)) == 0;
	db_done(st);
	c->size_good = c->size >= 0 && c->size <= (int64_t)SEEN_INDEX_MAX;
	if (!c->size_good)
		c->size = c->peaks_good ? c->sealed : (int64_t)SEEN_INDEX_MAX;
	c->tree = c->sealed;
	c->needed = !c->size_good;
	return 1;
}

/* Can there be a batch of these events at all? */
static bool
span_good(int64_t first, int64_t count)
{
	return first >= 0 && first <= (int64_t)SEEN_INDEX_MAX && count > 0 &&
	    count <= BATCH_EVENTS;
}

/* Is the batch in the row of st fit to be delivered, or to be sealed next? */
static bool
batch_good(struct cut *c, sqlite3_stmt *st, int64_t first)
{
	const int64_t count = sqlite3_column_int64(st, 2);
	const bool sealed = sqlite3_column_int(st, 3) != 0;
	size_t nodes;

	if (sqlite3_column_int(st, 4) == 0 ||
	    sqlite3_column_int64(st, 1) != first)
		return false;
	if (sealed)
		return true;
	nodes = merkle_count((uint64_t)first, (uint64_t)(first + count));
	if (!c->peaks_good || first != c->tree ||
	    (size_t)sqlite3_column_bytes(st, 6) != nodes * DIGEST_LEN ||
	    sqlite3_column_int64(st, 7) != count * CHECK_LEN)
		return false;
	c->tree = first + count;
	return true;
}

/* Find where the feed must be cut, if it must. */
static int
find_cut(struct store *s, const struct recovery *v, struct cut *c,
    struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT id, first, count, sealed IS NOT NULL,"
	    " EXISTS (SELECT 1 FROM payload p WHERE p.batch = b.id),"
	    " EXISTS (SELECT 1 FROM checkpoint k WHERE k.batch = b.id),"
	    " nodes, length(checks) FROM batch b WHERE feed = ? ORDER BY first",
	    "i", c->feed);
	int64_t next = -1;
	bool bad;
	int rc;

	if (st == NULL)
		return -1;
	while ((rc = db_step(s, st, err)) == 1) {
		const int64_t id = sqlite3_column_int64(st, 0);
		const int64_t first = sqlite3_column_int64(st, 1);
		/* What was passed was sealed. */
		const bool passed =
		    id <= c->passed && sqlite3_column_int(st, 3) != 0;

		if (!span_good(first, sqlite3_column_int64(st, 2))) {
			c->needed = true;
			db_done(st);
			return 0;
		}
		/* Those before it may be lost, and not delivered. */
		bad = next < 0 && first > 0 && id > c->passed + 1 &&
		    !v->whole_batches;
		if (!bad && next < 0)
			c->at = next = first;
		if (passed)
			next = first;
		if (bad || (!passed && !batch_good(c, st, next))) {
			c->needed = true;
			db_done(st);
			return 0;
		}
		next += sqlite3_column_int64(st, 2);
		/* The cut goes behind a checkpoint, or among what has none
		 * yet. */
		if (passed || sqlite3_column_int(st, 3) == 0 ||
		    sqlite3_column_int(st, 5) != 0)
			c->at = next;
	}
	if (next < 0) {
		const bool lost = !v->whole_batches && c->size > 0;

		c->needed = c->needed || lost;
		next = c->size;
		c->at = lost ? 0 : c->size;
	}
	if (next != c->size || c->at != c->size)
		c->needed = true;
	/* A tree that is not added to any more may end as it likes. */
	if (!c->closed && (!c->peaks_good || c->tree != c->size))
		c->needed = true;
	return rc;
}

/* Forget the ids in a row whose events are from the cut on. */
static int
cut_row(struct store *s, const struct cut *c, int64_t row, struct err *err)
{
	struct seen_entry e[SEEN_ROW];
	size_t n = 0, kept = 0;
	int rc = seen_row(s, row, e, &n, err);

	for (size_t i = 0; i < n && rc == 1; i++) {
		if ((int64_t)seen_entry_index(&e[i]) < c->at)
			e[kept++] = e[i];
	}
	if (rc != 1 || kept == n)
		return rc < 0 ? -1 : 0;
	return db_run(s, err, "UPDATE seen SET entries = ? WHERE id = ?", "bi",
	    e, kept * sizeof(e[0]), row);
}

/* The same in those rows from first on that there are: their number may be any.
 */
static int
cut_rows(struct store *s, const struct cut *c, int64_t first, int64_t rows,
    struct err *err)
{
	int64_t row = first;
	int rc = 0;

	while (rc == 0) {
		rc = db_number(s, err, INT64_MAX, &row,
		    "SELECT min(id) FROM seen WHERE id >= ?", "i", row);
		if (rc != 0 || row == INT64_MAX || row < first ||
		    (uint64_t)row - (uint64_t)first >= (uint64_t)rows)
			break;
		rc = cut_row(s, c, row++, err);
	}
	return rc;
}

static int
cut_seen(struct store *s, const struct cut *c, struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT first, rows FROM run WHERE feed = ?", "i", c->feed);
	int rc = st == NULL ? -1 : 1;

	while (rc == 1 && (rc = db_step(s, st, err)) == 1) {
		rc = cut_rows(s, c, sqlite3_column_int64(st, 0),
		    sqlite3_column_int64(st, 1), err);
		if (rc != 0) {
			db_done(st);
			return -1;
		}
		rc = 1;
	}
	return rc;
}

/* Take the items out of the ledger whose events are lost. */
static int
cut_items(struct store *s, const struct recovery *v, const struct cut *c,
    struct err *err)
{
	const int64_t now = clock_now();

	/* Where it is not known which, all. */
	if (!v->whole_pieces &&
	    db_run(s, err,
		"DELETE FROM item WHERE feed IN (SELECT id FROM feed"
		" WHERE name = ?)",
		"t", c->name) != 0)
		return -1;
	if (db_run(s, err,
		"INSERT INTO gap (feed, item, key, since, until, recorded,"
		" cause) SELECT feed, id, key, created, created, ?3,"
		" 'the store was damaged, and it has expired at the vendor'"
		" FROM item WHERE expires <= ?3 AND id IN (SELECT item"
		" FROM piece WHERE feed = ?1 AND first + count > ?2)",
		"iii", c->feed, c->at, now) != 0)
		return -1;
	return db_run(s, err,
	    "DELETE FROM item WHERE id IN (SELECT item FROM piece"
	    " WHERE feed = ?1 AND first + count > ?2)",
	    "ii", c->feed, c->at);
}

static int
cut_batches(struct store *s, const struct cut *c, struct err *err)
{
	if (db_run(s, err,
		"DELETE FROM payload WHERE batch IN (SELECT id FROM batch"
		" WHERE feed = ?1 AND first >= ?2)",
		"ii", c->feed, c->at) != 0 ||
	    db_run(s, err,
		"DELETE FROM checkpoint WHERE batch IN (SELECT id FROM batch"
		" WHERE feed = ?1 AND first >= ?2)",
		"ii", c->feed, c->at) != 0 ||
	    db_run(s, err, "DELETE FROM batch WHERE feed = ?1 AND first >= ?2",
		"ii", c->feed, c->at) != 0 ||
	    db_run(s, err, "DELETE FROM piece WHERE feed = ?1 AND first >= ?2",
		"ii", c->feed, c->at) != 0 ||
	    db_run(s, err,
		"DELETE FROM version WHERE feed = ?1 AND number >= ?2", "ii",
		c->feed, c->at) != 0)
		return -1;
	return db_run(s, err,
	    "UPDATE feed SET size = ?2, cursor = 'lost',"
	    " sealed = iif(?3, sealed, 0), peaks = iif(?3, peaks, x'')"
	    " WHERE id = ?1",
	    "iii", c->feed, c->at, (int64_t)c->peaks_good);
}

static int
cut(struct store *s, struct recovery *v, const struct cut *c, const char *cause,
    struct err *err)
{
	if (cut_items(s, v, c, err) != 0 || cut_seen(s, c, err) != 0 ||
	    cut_batches(s, c, err) != 0)
		return -1;
	if (c->size > c->at && c->size_good)
		v->lost += c->size - c->at;
	v->feeds++;
	if (c->closed)
		return db_run(s, err,
		    "UPDATE feed SET cursor = 'lost' WHERE name = ?", "t",
		    c->name);
	return feed_renew(s, c->feed, c->name, cause, err);
}

static int
repair(struct store *s, struct recovery *v, struct err *err)
{
	struct cut c = { .feed = 0 };
	int rc;

	if (bounds_restore(s, v, err) != 0 ||
	    drop_bad_payloads(s, v->aside, err) != 0 ||
	    drop_orphans(s, v, err) != 0)
		return -1;
	/* Trees that begin here are sound, and found to be so. */
	while ((rc = next_feed(s, c.feed, &c, err)) == 1) {
		if (find_cut(s, v, &c, err) != 0 ||
		    (c.needed &&
			cut(s, v, &c,
			    "the store was damaged and has lost events of the "
			    "tree before",
			    err) != 0))
			return -1;
	}
	/* The batch that an output is in the middle of may be gone. */
	if (rc == 0 && v->feeds > 0)
		rc = db_run(s, err,
		    "UPDATE output SET lines = 0, received = NULL,"
		    " received_lines = NULL, orderly = 0",
		    "");
	/* What was listed and is not known any more is listed again. */
	if (rc == 0 && !v->whole_items)
		rc = db_run(s, err, "UPDATE feed SET cursor = 'lost'", "");
	if (rc == 0)
		rc = db_number(s, err, 0, &v->batches,
		    "SELECT count(*) FROM payload", "");
	return rc;
}

int
repair_give_up(struct store *s, int64_t feed, int64_t at, const char *cause,
    struct err *err)
{
	struct recovery v = { .whole_feeds = true,
		.whole_batches = true,
		.whole_items = true,
		.whole_pieces = true };
	struct cut c;
	int rc = next_feed(s, feed - 1, &c, err);

	if (rc != 1 || c.feed != feed)
		return rc < 0 ? -1 : 0;
	c.at = at;
	return cut(s, &v, &c, cause, err);
}

int
repair_all(struct store *to, struct recovery *v, struct err *err)
{
	if (db_begin(to, err) != 0)
		return -1;
	return db_end(to, repair(to, v, err), err);
}
