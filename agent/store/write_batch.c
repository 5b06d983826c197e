/*
 * commit.c - pieces become durable: one thread leads, takes what others have
 * queued meanwhile, packs it without a lock, and writes it in one
 * transaction.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/feed_private.h"
#include "store/pack.h"
#include "store/seen.h"
#include "store/size_log.h"

#define ROOM_LEAST 16
#define LINE_USUAL 80               /* bytes that a line adds to its event */
#define KEEP_MOST (2 * BATCH_BYTES) /* that an empty piece holds on to */

/* Room for one more element of size bytes in a growing array. */
static void *
grow(void *array, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return array;
	*room = *room == 0 ? ROOM_LEAST : *room * 2;
	return xreallocarray(array, *room, size);
}

struct piece *
piece_new(struct feed *f)
{
	struct piece *p = xcalloc(1, sizeof(*p));

	p->feed = f;
	buf_init(&p->data, PIECE_BYTES_MOST);
	return p;
}

static void
free_contents(struct piece *p)
{
	for (size_t i = 0; i < p->n_listed; i++) {
		free(p->listed[i].key);
		free(p->listed[i].uri);
	}
	p->n_listed = 0;
	p->n_events = 0;
	p->n_progress = 0;
	p->n_gaps = 0;
	p->bytes = 0;
	free(p->cursor);
	p->cursor = NULL;
}

void
piece_clear(struct piece *p)
{
	free_contents(p);
	if (p->data.size > KEEP_MOST)
		buf_release(&p->data);
	else
		buf_clear(&p->data);
}

struct piece *
piece_again(struct piece *old, struct feed *f)
{
	if (old == NULL)
		return piece_new(f);
	piece_clear(old);
	old->feed = f;
	return old;
}

struct piece *
piece_move(struct piece *p)
{
	struct piece *to = xmalloc(sizeof(*to));
	struct buf room = p->data;

	*to = *p;
	buf_init(&to->data, PIECE_BYTES_MOST);
	if (buf_add(&to->data, room.data, room.len) != 0) {
		free(to);
		return NULL;
	}
	*p = (struct piece){ .feed = to->feed, .data = room };
	buf_clear(&p->data);
	return to;
}

void
piece_free(struct piece *p)
{
	if (p == NULL)
		return;
	free_contents(p);
	buf_release(&p->data);
	free(p->events);
	free(p->listed);
	free(p->progress);
	free(p->gaps);
	free(p);
}

static int
add(struct piece *p, struct slice event, struct slice id, struct err *err)
{
	const char *data = event.data;
	const size_t at = p->data.len, len = event.len;

	if (memchr(data, '\n', len) != NULL)
		return err_set(err,
		    "%s: an event with a line feed in it cannot be kept",
		    feed_name(p->feed));
	if (buf_add(&p->data, data, len) != 0 ||
	    (id.data != NULL && buf_add(&p->data, id.data, id.len) != 0)) {
		p->data.len = at;
		return err_set(err,
		    "%s: an event of %zu bytes does not fit into memory",
		    feed_name(p->feed), len);
	}
	p->events =
	    grow(p->events, p->n_events, &p->room_events, sizeof(*p->events));
	p->events[p->n_events++] = (struct piece_event){
		.at = at,
		.len = len,
		.id_len = id.data == NULL ? SIZE_MAX : id.len,
	};
	p->bytes += len + LINE_USUAL;
	return 0;
}

int
piece_event(struct piece *p, const char *data, size_t len, struct slice id,
    int64_t when, struct err *err)
{
	const struct slice event = { .data = data, .len = len };

	if (add(p, event, id, err) != 0)
		return -1;
	p->events[p->n_events - 1].when = when;
	return 0;
}

int
piece_hashed(struct piece *p, struct slice event, struct slice id, int64_t when,
    const uint8_t leaf[DIGEST_LEN], struct err *err)
{
	struct piece_event *ev;

	if (add(p, event, id, err) != 0)
		return -1;
	ev = &p->events[p->n_events - 1];
	ev->when = when;
	ev->hashed = true;
	memcpy(ev->leaf, leaf, DIGEST_LEN);
	return 0;
}

size_t
piece_bytes(const struct piece *p)
{
	return p->bytes;
}

size_t
piece_events(const struct piece *p)
{
	return p->n_events;
}

void
piece_cursor(struct piece *p, const char *json)
{
	free(p->cursor);
	p->cursor = xstrdup(json);
}

void
piece_listed(struct piece *p, const struct listed *l)
{
	p->listed =
	    grow(p->listed, p->n_listed, &p->room_listed, sizeof(*p->listed));
	p->listed[p->n_listed++] = (struct piece_listed){
		.key = xstrdup(l->key),
		.uri = l->uri == NULL ? NULL : xstrdup(l->uri),
		.created = l->created,
		.expires = l->expires,
	};
}

void
piece_item(struct piece *p, int64_t item, uint64_t elements,
    const uint8_t chain[32], bool complete)
{
	struct piece_progress progress = {
		.item = item,
		.elements = elements,
		.complete = complete,
	};

	memcpy(progress.chain, chain, sizeof(progress.chain));
	p->progress = grow(p->progress, p->n_progress, &p->room_progress,
	    sizeof(*p->progress));
	p->progress[p->n_progress++] = progress;
}

void
piece_gap(struct piece *p, const struct gap_row *g)
{
	p->gaps = grow(p->gaps, p->n_gaps, &p->room_gaps, sizeof(*p->gaps));
	p->gaps[p->n_gaps++] = *g;
}

/* What one leader commits. */
struct commit {
	struct feed *feed;
	struct piece *first; /* a list, through next */
	struct pack pack;
	struct feed_news news;
	uint64_t duplicates;
	int64_t now;
};

static int
put_batch(struct commit *c, const struct packed *b, const int64_t total[2],
    struct err *err)
{
	struct store *s = c->feed->store;

	if (db_run(s, err,
		"INSERT INTO batch (feed, first, count, committed, oldest,"
		" newest, raw_len, total_events, total_bytes, nodes, checks)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"iiiimmiiibb", c->feed->id, (int64_t)b->first,
		(int64_t)b->count, c->now, b->oldest, b->newest,
		(int64_t)b->raw_len, total[0], total[1], b->range.node,
		b->range.n * DIGEST_LEN, b->checks.data, b->checks.len) != 0)
		return -1;
	return db_run(s, err,
	    "INSERT INTO payload (batch, lines, times) VALUES (?, ?, ?)", "ibb",
	    (int64_t)sqlite3_last_insert_rowid(s->db), b->payload.data,
	    b->payload.len, b->times.data, b->times.len);
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
	for (size_t i = 0; i < c->pack.n; i++) {
		const struct packed *b = &c->pack.batch[i];

		total[0] += (int64_t)b->count;
		total[1] += (int64_t)b->raw_len;
		if (put_batch(c, b, total, err) != 0)
			return -1;
	}
	return 0;
}

static int
put_listed(struct commit *c, struct piece *p, struct err *err)
{
	p->result.listed = 0;
	for (size_t i = 0; i < p->n_listed; i++) {
		const struct piece_listed *l = &p->listed[i];

		if (db_run(c->feed->store, err,
			"INSERT INTO item (feed, key, uri, created, expires,"
			" listed) VALUES (?, ?, ?, ?, ?, ?)"
			" ON CONFLICT DO NOTHING",
			"ittiii", c->feed->id, l->key, l->uri, l->created,
			l->expires, c->now) != 0)
			return -1;
		p->result.listed += db_changes(c->feed->store);
	}
	return 0;
}

static int
put_progress(struct commit *c, struct piece *p, struct err *err)
{
	struct store *s = c->feed->store;

	for (size_t i = 0; i < p->n_progress; i++) {
		const struct piece_progress *g = &p->progress[i];
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
put_gaps(struct commit *c, struct piece *p, struct err *err)
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
			" recorded, cause) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7"
			" WHERE ?2 = 0 OR NOT EXISTS (SELECT 1 FROM gap"
			"  WHERE feed = ?1 AND item = ?2 AND cause = ?7)",
			"iitiiit", c->feed->id, g->item, g->key, g->from, g->to,
			c->now, g->cause) != 0)
			return -1;
	}
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
		" duplicates = duplicates + ?7"
		" WHERE id = ?1 AND size = ?2",
		"iiitmmi", f->id, (int64_t)f->size, (int64_t)c->pack.next,
		cursor, any ? c->now : INT64_MIN, newest,
		(int64_t)c->duplicates) != 0)
		return -1;
	if (db_changes(f->store) != 1)
		return err_set(err,
		    "%s: another process has added to this feed; only one "
		    "collect may run on a store",
		    f->name);
	return c->news.any ? feed_news_write(f, &c->news, err) : 0;
}

static const char *
last_cursor(const struct commit *c)
{
	const char *cursor = NULL;

	for (const struct piece *p = c->first; p != NULL; p = p->next) {
		if (p->cursor != NULL)
			cursor = p->cursor;
	}
	return cursor;
}

static int
put_all(struct commit *c, struct err *err)
{
	struct feed *f = c->feed;

	if (put_feed(c, last_cursor(c), err) != 0 || put_batches(c, err) != 0 ||
	    seen_add(f->store, f->id, f->dedupe, c->pack.entries,
		c->pack.n_entries, err) != 0)
		return -1;
	for (struct piece *p = c->first; p != NULL; p = p->next) {
		if (put_listed(c, p, err) != 0 ||
		    put_progress(c, p, err) != 0 || put_gaps(c, p, err) != 0)
			return -1;
	}
	return 0;
}

/* Commit the pieces of c; called by the leader, without the feed's mutex. */
static int
lead(struct commit *c, struct err *err)
{
	struct feed *f = c->feed;
	int rc = 0;

	pack_init(&c->pack, f);
	for (struct piece *p = c->first; p != NULL && rc == 0; p = p->next) {
		rc = pack_piece(&c->pack, p, err);
		c->duplicates += p->result.duplicates;
	}
	if (rc == 0)
		rc = pack_end(&c->pack, err);
	if (rc == 0) {
		feed_news_take(f, &c->news);
		c->now = clock_now();
		rc = db_begin(f->store, err);
		if (rc == 0)
			rc = db_end(f->store, put_all(c, err), err);
		if (rc != 0)
			feed_news_back(f, &c->news);
	}
	if (rc == 0 && c->pack.n > 0)
		size_log_set(f->store->size_log, f->id, c->pack.next);
	return rc;
}

/* Take from the queue what goes into about one batch, at least one piece. */
static struct piece *
take(struct feed *f)
{
	struct piece *first = f->queue, *p = first;
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

/* Tell the threads that wait for the pieces of c. */
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
	for (struct piece *p = c->first, *next; p != NULL; p = next) {
		next = p->next;
		p->next = NULL;
		p->rc = rc;
		if (rc != 0)
			(void)err_set(p->err, "%s", err->text);
		p->done = true;
	}
}

/* Behind what other threads have queued; under the feed's mutex. */
static void
enqueue(struct feed *f, struct piece *p, struct err *err)
{
	p->done = false;
	p->err = err;
	p->next = NULL;
	*f->tail = p;
	f->tail = &p->next;
}

/* Until p is done: lead when no one does, else wait for who does.  Under the
 * feed's mutex. */
static void
see_to(struct feed *f, struct piece *p)
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
		c.first = take(f);
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
feed_commit(struct piece *p, struct commit_result *res, struct err *err)
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
	piece_clear(p);
	return 0;
}

int
feed_commit_all(struct piece *const *p, size_t n, int *rc, struct err *err)
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
			piece_clear(p[i]);
		else
			all = -1;
	}
	return all;
}
