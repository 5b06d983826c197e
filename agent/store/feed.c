/*
 * feed.c - feeds: find or create, cursor, bookkeeping.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/feed_private.h"
#include "store/seen.h"
#include "store/size_log.h"

#define NEWS_EVERY CLOCK_SECOND

static const struct feed_news no_news = {
	.due = INT64_MIN,
	.success = INT64_MIN,
	.failure = INT64_MIN,
	.horizon = INT64_MIN,
};

static char *
copy_text(sqlite3_stmt *st, int column)
{
	const unsigned char *text = sqlite3_column_text(st, column);

	return text == NULL ? NULL : xstrdup((const char *)text);
}

/* Read the row in use; 1, 0 there is none, -1. */
static int
load(struct feed *f, struct err *err)
{
	struct store *s = f->store;
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT id, tree, size, cursor FROM feed WHERE name = ?"
	    " ORDER BY id DESC LIMIT 1",
	    "t", f->name);
	int rc = st == NULL ? -1 : db_step(s, st, err);

	if (rc != 1)
		return rc;
	f->id = sqlite3_column_int64(st, 0);
	db_text(st, 1, f->tree, sizeof(f->tree));
	f->size = (uint64_t)sqlite3_column_int64(st, 2);
	free(f->cursor);
	f->cursor = copy_text(st, 3);
	if (f->cursor == NULL)
		f->cursor = xstrdup("");
	db_done(st);
	if (f->size > SEEN_INDEX_MAX)
		return db_damaged(s, err, "the size of %s cannot be", f->tree);
	return 1;
}

/* The name of a tree of the feed that begins now and is not its first. */
static char *
later_tree(const char *name)
{
	char when[CLOCK_TEXT];

	(void)clock_format(clock_now(), 6, when);
	for (char *c = when; *c != '\0'; c++) {
		if (*c == ':')
			*c = '-';
	}
	return xasprintf("%s~%s", name, when);
}

int
feed_renew(struct store *s, int64_t old, const char *name, const char *cause,
    struct err *err)
{
	char *tree = later_tree(name);
	int rc;

	rc = db_run(s, err,
	    "INSERT INTO feed (name, tree, cause, cursor, dedupe, due, success,"
	    " horizon, newest, requests, errors, throttled, bytes, duplicates)"
	    " SELECT name, ?2, ?3, iif(cursor = '', 'lost', cursor), dedupe, "
	    "due,"
	    " success, horizon, newest,"
	    " requests, errors, throttled, bytes, duplicates"
	    " FROM feed WHERE id = ?1",
	    "itt", old, tree, cause);
	free(tree);
	if (rc != 0)
		return -1;
	size_log_set(s->size_log, (int64_t)sqlite3_last_insert_rowid(s->db), 0);
	return db_run(s, err, "UPDATE item SET feed = ?2 WHERE feed = ?1", "ii",
	    old, (int64_t)sqlite3_last_insert_rowid(s->db));
}

/* Why the tree in use must not go on: 1 and cause, 0 it may, -1. */
static int
must_renew(struct feed *f, char *cause, size_t size, struct err *err)
{
	struct store *s = f->store;
	sqlite3_stmt *st;
	int rc;

	if (size_log_get(s->size_log, f->id) > f->size) {
		(void)snprintf(cause, size,
		    "the store has lost events of the tree before");
		return 1;
	}
	st = db_query(s, err,
	    "SELECT cause FROM retired WHERE tree = ?1"
	    " OR (tree = '" TREE_ANY "' AND instr(?1, '~') = 0)",
	    "t", f->tree);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		db_text(st, 0, cause, size);
		db_done(st);
	}
	return rc;
}

/* A row that was damaged may have the tree of this name under another one. */
static int
create(struct feed *f, struct err *err)
{
	char *later = later_tree(f->name);
	int rc = db_run(f->store, err,
	    "INSERT INTO feed (name, tree) VALUES (?1,"
	    " iif(EXISTS (SELECT 1 FROM feed WHERE tree = ?1), ?2, ?1))",
	    "tt", f->name, later);

	free(later);
	return rc;
}

static int
find_or_create(struct feed *f, struct err *err)
{
	struct store *s = f->store;
	char cause[512];
	int rc = load(f, err);

	if (rc == 0 && create(f, err) == 0)
		rc = load(f, err);
	if (rc != 1)
		return -1;
	rc = must_renew(f, cause, sizeof(cause), err);
	if (rc < 0 ||
	    (rc == 1 &&
		(feed_renew(s, f->id, f->name, cause, err) != 0 ||
		    load(f, err) != 1)))
		return -1;
	return db_run(s, err,
	    "UPDATE feed SET dedupe = ?2 WHERE name = ?1"
	    " AND dedupe IS NOT ?2",
	    "ti", f->name, f->dedupe);
}

struct feed *
feed_open(struct store *s, const char *name, int64_t dedupe, struct err *err)
{
	struct feed *f;

	if (strlen(name) + CLOCK_TEXT >= sizeof(f->tree)) {
		(void)err_set(err, "%s: name too long", name);
		return NULL;
	}
	f = xcalloc(1, sizeof(*f));
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	f->store = s;
	f->dedupe = dedupe;
	f->tail = &f->queue;
	f->news = no_news;
	f->cursor = xstrdup("");
	(void)pthread_mutex_init(&f->mutex, NULL);
	(void)pthread_cond_init(&f->changed, NULL);
	/* What is lost of it in a crash of the machine is made again: the first
	 * events are committed with it. */
	if ((dedupe > 0 && seen_open(s, err) != 0) ||
	    db_begin_relaxed(s, err) != 0 ||
	    db_end(s, find_or_create(f, err), err) != 0) {
		feed_close(f);
		return NULL;
	}
	s->feeds++;
	return f;
}

void
feed_hours(struct feed *f)
{
	f->hours = true;
}

const char *
feed_name(const struct feed *f)
{
	return f->name;
}

int64_t
feed_id(const struct feed *f)
{
	return f->id;
}

char *
feed_cursor(struct feed *f)
{
	char *cursor;

	(void)pthread_mutex_lock(&f->mutex);
	cursor = xstrdup(f->cursor);
	(void)pthread_mutex_unlock(&f->mutex);
	return cursor;
}

void
feed_news_take(struct feed *f, struct feed_news *n)
{
	(void)pthread_mutex_lock(&f->mutex);
	*n = f->news;
	f->news = no_news;
	f->written = clock_monotonic();
	(void)pthread_mutex_unlock(&f->mutex);
}

/* The caller holds the mutex. */
static void
set_cursor(char **to, const char *cursor)
{
	char *old = *to;

	*to = xstrdup(cursor);
	free(old);
}

void
feed_cursor_later(struct feed *f, const char *cursor)
{
	(void)pthread_mutex_lock(&f->mutex);
	set_cursor(&f->cursor, cursor);
	set_cursor(&f->news.cursor, cursor);
	f->news.any = true;
	(void)pthread_mutex_unlock(&f->mutex);
}

bool
feed_cursor_written(struct feed *f, const char *cursor)
{
	bool written;

	(void)pthread_mutex_lock(&f->mutex);
	written = cursor == NULL ||
	    (f->news.cursor == NULL && strcmp(cursor, f->cursor) == 0);
	(void)pthread_mutex_unlock(&f->mutex);
	return written;
}

static void
newer(int64_t *to, int64_t old)
{
	if (*to == INT64_MIN)
		*to = old;
}

/* What was said since is newer. */
static void
put_back(struct feed_news *to, struct feed_news *n)
{
	to->any = to->any || n->any;
	for (size_t i = 0; i < FEED_COUNTERS; i++)
		to->count[i] += n->count[i];
	newer(&to->due, n->due);
	newer(&to->success, n->success);
	newer(&to->failure, n->failure);
	newer(&to->horizon, n->horizon);
	if (!to->has_error && n->has_error) {
		to->has_error = true;
		memcpy(to->error, n->error, sizeof(to->error));
	}
	if (to->cursor == NULL) {
		to->cursor = n->cursor;
		n->cursor = NULL;
	}
}

void
feed_news_done(struct feed *f, struct feed_news *n, int rc)
{
	if (rc != 0) {
		(void)pthread_mutex_lock(&f->mutex);
		put_back(&f->news, n);
		(void)pthread_mutex_unlock(&f->mutex);
	}
	free(n->cursor);
	n->cursor = NULL;
}

int
feed_news_write(struct feed *f, const struct feed_news *n, struct err *err)
{
	return db_run(f->store, err,
	    "UPDATE feed SET due = coalesce(?2, due),"
	    " success = coalesce(?3, success),"
	    " failure = coalesce(?4, failure),"
	    " horizon = coalesce(?5, horizon),"
	    " error = coalesce(?6, error),"
	    " cursor = coalesce(?7, cursor)" FEED_COUNTER_ROWS(
		COUNTER_ADD) " WHERE id = ?1",
	    "immmmttc", f->id, n->due, n->success, n->failure, n->horizon,
	    n->has_error ? n->error : NULL, n->cursor, n->count,
	    (size_t)FEED_COUNTERS);
}

void
feed_lead(struct feed *f)
{
	(void)pthread_mutex_lock(&f->mutex);
	while (f->led)
		(void)pthread_cond_wait(&f->changed, &f->mutex);
	f->led = true;
	(void)pthread_mutex_unlock(&f->mutex);
}

void
feed_follow(struct feed *f)
{
	(void)pthread_mutex_lock(&f->mutex);
	f->led = false;
	(void)pthread_cond_broadcast(&f->changed);
	(void)pthread_mutex_unlock(&f->mutex);
}

/* Nothing depends on the news: what cannot be written now is written later. */
static void
write_news(struct feed *f)
{
	struct feed_news n;
	struct err err = ERR_INIT;
	int rc;

	feed_lead(f);
	feed_news_take(f, &n);
	if (n.any) {
		rc = db_begin_relaxed(f->store, &err);
		if (rc == 0)
			rc = db_end(f->store, feed_news_write(f, &n, &err),
			    &err);
		feed_news_done(f, &n, rc);
	}
	feed_follow(f);
}

void
feed_count(struct feed *f, enum feed_counter c, uint64_t n)
{
	(void)pthread_mutex_lock(&f->mutex);
	f->news.any = true;
	f->news.count[c] += n;
	(void)pthread_mutex_unlock(&f->mutex);
}

void
feed_state(struct feed *f, int64_t due, const char *error, int64_t horizon)
{
	const int64_t now = clock_now();
	struct feed_news *n = &f->news;
	bool write;

	(void)pthread_mutex_lock(&f->mutex);
	n->any = true;
	n->due = due;
	n->has_error = true;
	if (error == NULL)
		n->success = now;
	else
		n->failure = now;
	(void)snprintf(n->error, sizeof(n->error), "%s",
	    error == NULL ? "" : error);
	if (horizon != INT64_MIN)
		n->horizon = horizon;
	/* Where the next call is near, it will do. */
	write = due - now > NEWS_EVERY || error != NULL ||
	    clock_monotonic() - f->written > NEWS_EVERY;
	(void)pthread_mutex_unlock(&f->mutex);
	if (write)
		write_news(f);
}

void
feed_horizon(struct feed *f, int64_t horizon)
{
	bool write;

	if (horizon == INT64_MIN)
		return;
	(void)pthread_mutex_lock(&f->mutex);
	f->news.any = true;
	f->news.horizon = horizon;
	write = clock_monotonic() - f->written > NEWS_EVERY;
	(void)pthread_mutex_unlock(&f->mutex);
	if (write)
		write_news(f);
}

void
feed_close(struct feed *f)
{
	if (f == NULL)
		return;
	if (f->id != 0)
		write_news(f);
	(void)pthread_cond_destroy(&f->changed);
	(void)pthread_mutex_destroy(&f->mutex);
	free(f->claims);
	free(f->news.cursor);
	free(f->cursor);
	free(f);
}

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
	if (f->n_claims < CLAIMS_MAX) {
		f->claims = xreallocarray(f->claims, f->n_claims + 1,
		    sizeof(*f->claims));
		f->claims[f->n_claims++] =
		    (struct claim){ .item = item, .when = clock_now() };
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

static void
read_item(sqlite3_stmt *st, struct item *it)
{
	*it = (struct item){
		.id = sqlite3_column_int64(st, 0),
		.key = copy_text(st, 1),
		.uri = copy_text(st, 2),
		.created = db_when(st, 3),
		.expires = db_when(st, 4),
		.attempts = sqlite3_column_int64(st, 5),
		.elements = (uint64_t)sqlite3_column_int64(st, 6),
		.via = via_number(sqlite3_column_int64(st, 8)),
	};
	if (sqlite3_column_bytes(st, 7) == DIGEST_LEN)
		memcpy(it->chain, sqlite3_column_blob(st, 7), DIGEST_LEN);
	else
		it->elements = 0;
}

/* When the first of the waiting items is due. */
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

/* Make the items ready again whose waiting time is over. */
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

#define ITEM_COLUMNS                                                         \
	"SELECT id, key, uri, created, expires, attempts, elements, chain, " \
	"via"

static int
pick(struct feed *f, enum via via, struct item *it, struct err *err)
{
	static const char expiring[] = ITEM_COLUMNS
	    " FROM item INDEXED BY item_expiring WHERE feed = ? AND via = ?"
	    " AND state = 0 AND next_try IS NULL ORDER BY expires";
	static const char newest[] = ITEM_COLUMNS
	    " FROM item INDEXED BY item_newest WHERE feed = ? AND via = ?"
	    " AND state = 0 AND next_try IS NULL ORDER BY created DESC";
	sqlite3_stmt *st = db_query(f->store, err, f->turn ? newest : expiring,
	    "ii", f->id, (int64_t)via);
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

static int
claim_up_to(struct feed *f, enum via last, struct item *it, int64_t *next,
    struct err *err)
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
	for (int via = VIA_FEED; rc == 0 && via <= (int)last; via++)
		rc = pick(f, (enum via)via, it, err);
	db_unlock(f->store);
	if (rc == 0 && next != NULL)
		*next = due;
	return rc;
}

int
item_claim(struct feed *f, struct item *it, int64_t *next, struct err *err)
{
	return claim_up_to(f, VIA_BACKFILL, it, next, err);
}

int
item_claim_polled(struct feed *f, struct item *it, int64_t *next,
    struct err *err)
{
	return claim_up_to(f, VIA_FEED, it, next, err);
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
	    " WHERE feed = ? AND via = 0 AND state = 0"
	    " ORDER BY expires, created LIMIT 1",
	    "i", f->id);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc >= 0) {
		*created = rc == 1 ? db_when(st, 0) : INT64_MAX;
		*expires = rc == 1 ? db_when(st, 1) : INT64_MAX;
	}
	if (rc == 1)
		db_done(st);
	db_unlock(s);
	return rc >= 0 ? 0 : -1;
}

int
item_failing(struct feed *f, bool *any, struct err *err)
{
	int64_t there;
	int rc;

	db_lock(f->store);
	rc = db_number(f->store, err, 0, &there,
	    "SELECT EXISTS (SELECT 1 FROM item WHERE feed = ? AND state = 0"
	    " AND attempts > 0)",
	    "i", f->id);
	db_unlock(f->store);
	*any = there != 0;
	return rc;
}

int
item_find(struct feed *f, const char *key, enum item_state *state,
    int64_t *attempts, struct err *err)
{
	struct store *s = f->store;
	sqlite3_stmt *st;
	int rc;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT state, attempts FROM item WHERE feed = ? AND key = ?", "it",
	    f->id, key);
	rc = st == NULL ? -1 : db_step(s, st, err);
	if (rc == 1) {
		*state = (enum item_state)sqlite3_column_int(st, 0);
		*attempts = sqlite3_column_int64(st, 1);
		db_done(st);
	}
	db_unlock(s);
	return rc;
}
