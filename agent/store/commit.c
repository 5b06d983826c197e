/*
 * commit.c - write batches become durable: one thread leads, takes what others
 * have queued meanwhile, packs it without a lock, and writes it in one
 * transaction.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/backfill.h"
#include "store/commit.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/feed_private.h"
#include "store/hours.h"
#include "store/pack.h"
#include "store/reconcile.h"
#include "store/seen.h"
#include "store/size_log.h"
#include "store/write_batch_private.h"

#define TOTAL_MAX (INT64_MAX / 2)

/* What one leader commits. */
struct commit {
	struct feed *feed;
	struct write_batch *first; /* a list, through next */
	struct pack pack;
	struct feed_news news; /* and what is counted here */
	uint64_t duplicates;
	struct {
		uint64_t events;
		uint64_t repeats;
	} backfilled;
	int64_t now;
};

static int
put_batch(struct commit *c, const struct packed *b, const int64_t total[2],
    struct err *err)
{
	struct store *s = c->feed->store;
	int64_t id;

	if (db_run(s, err,
		"INSERT INTO batch (feed, first, count, committed, oldest,"
		" newest, raw_len, total_events, total_bytes, nodes, checks)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"iiiimmiiibb", c->feed->id, (int64_t)b->first,
		(int64_t)b->count, c->now, b->oldest, b->newest,
		(int64_t)b->raw_len, total[0], total[1], b->range.node,
		b->range.n * DIGEST_LEN, b->checks.data, b->checks.len) != 0)
		return -1;
	id = sqlite3_last_insert_rowid(s->db);
	if (hours_put(s, c->feed->id, id, &b->hours, err) != 0)
		return -1;
	return db_run(s, err,
	    "INSERT INTO payload (batch, lines, times) VALUES (?, ?, ?)", "ibb",
	    id, b->payload.data, b->payload.len, b->times.data, b->times.len);
}

static int
put_batches(struct commit *c, struct err *err)
{
	struct store *s = c->feed->store;
	int64_t total[2] = { 0, 0 };
	sqlite3_stmt *st;
	int rc;

	if (c->pack.n == 0)
		return 0;
	st = db_query(s, err,
	    "SELECT total_events, total_bytes FROM batch"
	    " ORDER BY id DESC LIMIT 1",
	    "");
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc < 0)
		return -1;
	if (rc == 1) {
		total[0] = sqlite3_column_int64(st, 0);
		total[1] = sqlite3_column_int64(st, 1);
		db_done(st);
	}
	if (total[0] < 0 || total[0] > TOTAL_MAX || total[1] < 0 ||
	    total[1] > TOTAL_MAX)
		return db_damaged(s, err,
		    "the last batch has impossible totals");
	for (size_t i = 0; i < c->pack.n; i++) {
		const struct packed *b = &c->pack.batch[i];

		total[0] += (int64_t)b->count;
		total[1] += (int64_t)b->raw_len;
		if (put_batch(c, b, total, err) != 0)
			return -1;
	}
	return 0;
}

/*
 * A gap whose item is listed again comes back to life, and is closed.  One
 * that did so before must have time left at the vendor: else a list that holds
 * what has expired would open and close it for ever.  *n says whether it did.
 */
static int
revive(struct commit *c, const struct write_batch_listed *l, size_t *n,
    struct err *err)
{
	struct store *s = c->feed->store;

	if (db_run(s, err,
		"UPDATE item SET state = 0, uri = ?3, expires = ?4,"
		" next_try = NULL, attempts = 0, error = ''"
		" WHERE feed = ?1 AND key = ?2 AND state = ?5 AND (?4 > ?6"
		" OR NOT EXISTS (SELECT 1 FROM gap g JOIN gap c"
		"  ON c.closes = g.id WHERE g.item = item.id))",
		"ittiii", c->feed->id, l->key, l->uri, l->expires,
		(int64_t)ITEM_GAP, c->now) != 0)
		return -1;
	*n = db_changes(s);
	if (*n == 0)
		return 0;
	return db_run(s, err,
	    "INSERT INTO gap (feed, item, key, since, until, recorded, cause,"
	    " closes) SELECT feed, item, key, since, until, ?3,"
	    " 'listed again by the vendor, and fetched again', id FROM gap"
	    " WHERE id = (SELECT max(id) FROM gap WHERE closes = 0 AND item ="
	    "  (SELECT id FROM item WHERE feed = ?1 AND key = ?2))",
	    "iti", c->feed->id, l->key, c->now);
}

static int
put_listed(struct commit *c, struct write_batch *p, struct err *err)
{
	p->result.listed = 0;
	for (size_t i = 0; i < p->n_listed; i++) {
		const struct write_batch_listed *l = &p->listed[i];
		size_t n;

		if (db_run(c->feed->store, err,
			"INSERT INTO item (feed, key, uri, created, expires,"
			" listed, via) VALUES (?, ?, ?, ?, ?, ?, ?)"
			" ON CONFLICT DO NOTHING",
			"ittiiii", c->feed->id, l->key, l->uri, l->created,
			l->expires, c->now, (int64_t)p->via) != 0)
			return -1;
		n = db_changes(c->feed->store);
		if (n == 0 && revive(c, l, &n, err) != 0)
			return -1;
		p->result.listed += n;
	}
	return 0;
}

static int
put_progress(struct commit *c, struct write_batch *p, struct err *err)
{
	struct store *s = c->feed->store;

	for (size_t i = 0; i < p->n_progress; i++) {
		const struct write_batch_progress *g = &p->progress[i];
		const int64_t state = g->complete ? ITEM_DONE : ITEM_LISTED;

		if (db_run(s, err,
			"UPDATE item SET elements = ?2, chain = ?3,"
			" state = ?4, uri = iif(?4 = 0, uri, NULL),"
			" fetched = coalesce(fetched, ?5),"
			" done = iif(?4 = 0, NULL, ?6) WHERE id = ?1",
			"iibimi", g->item, (int64_t)g->elements, g->chain,
			sizeof(g->chain), state, feed_claimed(c->feed, g->item),
			c->now) != 0)
			return -1;
		if (db_changes(s) != 1)
			return err_set(err,
			    "%s: item %lld is not in the ledger", c->feed->name,
			    (long long)g->item);
		if (p->result.events > 0 &&
		    db_run(s, err,
			"INSERT INTO piece (feed, first, count, item)"
			" VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
			"iiii", c->feed->id, (int64_t)p->first,
			(int64_t)p->result.events, g->item) != 0)
			return -1;
	}
	return 0;
}

/* An item that is a gap is no longer to be fetched. */
static int
put_gap_item(struct store *s, const struct gap_row *g, struct err *err)
{
	return db_run(s, err,
	    "UPDATE item SET state = ?2, uri = NULL, next_try = NULL,"
	    " error = ?3 WHERE id = ?1 AND state = 0",
	    "iit", g->item, (int64_t)ITEM_GAP, g->cause);
}

static int
put_gaps(struct commit *c, struct write_batch *p, struct err *err)
{
	for (size_t i = 0; i < p->n_gaps; i++) {
		const struct gap_row *g = &p->gaps[i];

		const bool item = g->item != 0 && !g->part;

		if (item && put_gap_item(c->feed->store, g, err) != 0)
			return -1;
		/* Twice for one item would be told twice. */
		if (item && db_changes(c->feed->store) == 0)
			continue;
		if (db_run(c->feed->store, err,
			"INSERT INTO gap (feed, item, key, since, until,"
			" recorded, cause, event)"
			" SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, x'')"
			" WHERE ?2 = 0 OR NOT EXISTS (SELECT 1 FROM gap"
			"  g WHERE feed = ?1 AND item = ?2 AND cause = ?7"
			"  AND NOT EXISTS (SELECT 1 FROM gap c"
			"   WHERE c.closes = g.id))",
			"iitiiitb", c->feed->id, g->item, g->key, g->from,
			g->to, c->now, g->cause, g->event, g->event_len) != 0)
			return -1;
	}
	return 0;
}

static int
put_versions(struct commit *c, struct err *err)
{
	for (size_t i = 0; i < c->pack.n_versions; i++) {
		const struct version *v = &c->pack.version[i];

		if (db_run(c->feed->store, err,
			"INSERT INTO version (feed, number, of_feed, of_number)"
			" VALUES (?, ?, ?, ?)",
			"iiii", c->feed->id, (int64_t)v->index, v->of_feed,
			(int64_t)v->of) != 0)
			return -1;
	}
	return 0;
}

/* What a backfill brought counts for the one that is under way. */
static int
put_backfill(struct commit *c, struct err *err)
{
	if (c->backfilled.events + c->backfilled.repeats == 0)
		return 0;
	return backfill_count(c->feed->store, c->feed->name,
	    c->backfilled.events, c->backfilled.repeats, err);
}

static int
put_missing(struct commit *c, const struct write_batch *p, struct err *err)
{
	for (size_t i = 0; i < p->n_missing; i++)
		if (missing_put(c->feed->store, c->feed->name,
			p->missing[i].record, p->missing[i].when, err) != 0)
			return -1;
	return 0;
}

static int
put_attested(struct commit *c, const struct write_batch *p, struct err *err)
{
	for (size_t i = 0; i < p->n_attested; i++)
		if (attest_put(c->feed->store, c->feed->name, &p->attested[i].a,
			err) != 0)
			return -1;
	return 0;
}

/* The row of the feed, which must be as this process left it. */
static int
put_feed(struct commit *c, const char *cursor, struct err *err)
{
	struct feed *f = c->feed;
	const bool any = c->pack.n > 0;
	int64_t newest = INT64_MIN;

	for (size_t i = 0; i < c->pack.n; i++) {
		if (c->pack.batch[i].newest > newest)
			newest = c->pack.batch[i].newest;
	}
	if (db_run(f->store, err,
		"UPDATE feed SET size = ?3, cursor = coalesce(?4, cursor),"
		" committed = coalesce(?5, committed),"
		" newest = max(coalesce(?6, newest), coalesce(newest, ?6)),"
		" counted = iif(?7,"
		"  coalesce(counted, iif(?2 = 0, 0, ?8)), counted)"
		" WHERE id = ?1 AND size = ?2",
		"iiitmmii", f->id, (int64_t)f->size, (int64_t)c->pack.next,
		cursor, any ? c->now : INT64_MIN, newest, (int64_t)f->hours,
		c->now) != 0)
		return -1;
	if (db_changes(f->store) != 1)
		return err_set(err,
		    "%s: another process has added to this feed; only one "
		    "collect may run on a store",
		    f->name);
	return feed_news_write(f, &c->news, err);
}

static const char *
last_cursor(const struct commit *c)
{
	const char *cursor = NULL;

	for (const struct write_batch *p = c->first; p != NULL; p = p->next) {
		if (p->cursor != NULL)
			cursor = p->cursor;
	}
	return cursor;
}

static int
put_all(struct commit *c, struct err *err)
{
	struct feed *f = c->feed;

	if (c->pack.n > 0)
		store_wake(f->store);
	if (put_feed(c, last_cursor(c), err) != 0 || put_batches(c, err) != 0 ||
	    put_versions(c, err) != 0 || put_backfill(c, err) != 0 ||
	    seen_add(f->store, f->id, f->dedupe, c->pack.known.entries,
		c->pack.known.n, err) != 0)
		return -1;
	for (struct write_batch *p = c->first; p != NULL; p = p->next) {
		if (put_listed(c, p, err) != 0 ||
		    put_progress(c, p, err) != 0 || put_gaps(c, p, err) != 0 ||
		    put_missing(c, p, err) != 0 || put_attested(c, p, err) != 0)
			return -1;
	}
	return 0;
}

/* Does c hold no more than how far polls that found nothing new have come?  If
 * the machine loses the last of these, the vendor is asked the same once more:
 * they are not worth a wait for the disk each, of which a thousand sources at
 * rest would have many a second. */
static bool
is_cursor(const struct commit *c)
{
	if (c->pack.n > 0)
		return false;
	for (const struct write_batch *p = c->first; p != NULL; p = p->next) {
		if (p->n_listed + p->n_progress + p->n_missing + p->n_attested +
			p->n_gaps >
		    0)
			return false;
	}
	return true;
}

/* Has all that is in c been written before?  Repeats have. */
static bool
is_written(const struct commit *c)
{
	return is_cursor(c) && c->backfilled.repeats == 0 &&
	    feed_cursor_written(c->feed, last_cursor(c));
}

static int
pack_all(struct commit *c, struct err *err)
{
	pack_init(&c->pack, c->feed);
	for (struct write_batch *p = c->first; p != NULL; p = p->next) {
		if (pack_write_batch(&c->pack, p, err) != 0)
			return -1;
		c->duplicates += p->result.duplicates;
		if (p->via == VIA_BACKFILL) {
			c->backfilled.events += p->result.events;
			c->backfilled.repeats += p->result.duplicates;
		}
	}
	return pack_end(&c->pack, err);
}

/* One transaction, with the news of the feed. */
static int
write_all(struct commit *c, struct err *err)
{
	struct feed *f = c->feed;
	struct feed_news said;
	int rc;

	feed_news_take(f, &said);
	c->news = said;
	c->news.any = true;
	c->news.count[FEED_DUPLICATES] += c->duplicates;
	c->news.count[FEED_VERSIONS] += c->pack.n_versions;
	c->news.count[FEED_BACKFILLED] += c->backfilled.events;
	/* A write batch has a newer one. */
	if (last_cursor(c) != NULL)
		c->news.cursor = NULL;
	c->now = clock_now();
	rc = is_cursor(c) ? db_begin_relaxed(f->store, err)
			  : db_begin(f->store, err);
	if (rc == 0)
		rc = db_end(f->store, put_all(c, err), err);
	feed_news_done(f, &said, rc);
	return rc;
}

/* Commit the write batches of c; called by the leader, without the feed's
 * mutex. */
static int
lead(struct commit *c, struct err *err)
{
	struct feed *f = c->feed;

	if (pack_all(c, err) != 0)
		return -1;
	if (is_written(c)) {
		feed_count(f, FEED_DUPLICATES, c->duplicates);
		return 0;
	}
	if (write_all(c, err) != 0)
		return -1;
	if (c->pack.n > 0)
		size_log_set(f->store->size_log, f->id, c->pack.next);
	return 0;
}

/* Take from the queue what goes into about one batch, at least one write batch.
 */
static struct write_batch *
take_queued(struct feed *f)
{
	struct write_batch *first = f->queue, *p = first;
	size_t bytes = p->bytes, events = p->n_events;

	while (p->next != NULL && bytes + p->next->bytes <= BATCH_BYTES &&
	    events + p->next->n_events <= BATCH_EVENTS) {
		p = p->next;
		bytes += p->bytes;
		events += p->n_events;
	}
	f->queue = p->next;
	if (f->queue == NULL)
		f->tail = &f->queue;
	p->next = NULL;
	return first;
}

/* Tell the threads that wait for the write batches of c. */
static void
settle(struct commit *c, int rc, const struct err *err)
{
	struct feed *f = c->feed;
	const char *cursor = last_cursor(c);

	if (rc == 0) {
		f->size = c->pack.next;
		if (cursor != NULL) {
			free(f->cursor);
			f->cursor = xstrdup(cursor);
		}
	}
	for (struct write_batch *p = c->first, *next; p != NULL; p = next) {
		next = p->next;
		p->next = NULL;
		p->rc = rc;
		if (rc != 0)
			(void)err_set(p->err, "%s", err->text);
		p->done = true;
	}
}

/* Queue p behind what other threads have queued; the caller holds the feed's
 * mutex. */
static void
enqueue(struct feed *f, struct write_batch *p, struct err *err)
{
	p->done = false;
	p->err = err;
	p->next = NULL;
	*f->tail = p;
	f->tail = &p->next;
}

/* Return once p is done: lead if no thread does, else wait for the leader.  The
 * caller holds the feed's mutex. */
static void
see_to(struct feed *f, struct write_batch *p)
{
	while (!p->done) {
		struct err why = ERR_INIT;
		struct commit c = { .feed = f };
		int rc;

		if (f->led) {
			(void)pthread_cond_wait(&f->changed, &f->mutex);
			continue;
		}
		f->led = true;
		c.first = take_queued(f);
		(void)pthread_mutex_unlock(&f->mutex);
		rc = lead(&c, &why);
		(void)pthread_mutex_lock(&f->mutex);
		settle(&c, rc, &why);
		f->led = false;
		(void)pthread_cond_broadcast(&f->changed);
		(void)pthread_mutex_unlock(&f->mutex);
		pack_clear(&c.pack);
		(void)pthread_mutex_lock(&f->mutex);
	}
}

int
feed_commit(struct write_batch *p, struct commit_result *res, struct err *err)
{
	struct feed *f = p->feed;

	(void)pthread_mutex_lock(&f->mutex);
	enqueue(f, p, err);
	see_to(f, p);
	(void)pthread_mutex_unlock(&f->mutex);
	if (p->rc != 0)
		return -1;
	if (res != NULL)
		*res = p->result;
	write_batch_clear(p);
	return 0;
}

int
feed_commit_all(struct write_batch *const *p, size_t n, int *rc,
    struct err *err)
{
	struct feed *f = n > 0 ? p[0]->feed : NULL;
	int all = 0;

	if (n == 0)
		return 0;
	(void)pthread_mutex_lock(&f->mutex);
	for (size_t i = 0; i < n; i++)
		enqueue(f, p[i], err);
	for (size_t i = 0; i < n; i++)
		see_to(f, p[i]);
	(void)pthread_mutex_unlock(&f->mutex);
	for (size_t i = 0; i < n; i++) {
		rc[i] = p[i]->rc;
		if (rc[i] == 0)
			write_batch_clear(p[i]);
		else
			all = -1;
	}
	return all;
}
