/*
 * seen.c - which keys of events a feed has had within its dedupe time.
 */
#include <stdlib.h>
#include <string.h>

#include <endian.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/seen.h"

#define RUN_ROWS_MAX (INT64_C(1) << 32)
#define RUN_PLACE_MAX (INT64_C(1) << 62)
#define LEVEL_MAX 64
#define BLOCK_WORDS 8 /* 64 bytes */
#define BITS 5        /* a key */

struct filter {
	uint64_t *word;
	size_t blocks; /* a power of two, at most 2^32 */
	unsigned bits; /* log2 of that */
	size_t added;
};

struct filter *
filter_new(size_t bytes)
{
	struct filter *f = xcalloc(1, sizeof(*f));

	f->blocks = 1;
	while (f->blocks * 2 * BLOCK_WORDS * sizeof(uint64_t) <= bytes &&
	    f->bits < 32) {
		f->blocks *= 2;
		f->bits++;
	}
	f->word = xcalloc(f->blocks * BLOCK_WORDS, sizeof(uint64_t));
	return f;
}

void
filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	free(f->word);
	free(f);
}

void
filter_empty(struct filter *f)
{
	for (size_t i = 0; i < f->blocks * BLOCK_WORDS; i++)
		__atomic_store_n(&f->word[i], 0, __ATOMIC_RELAXED);
	f->added = 0;
}

void
filter_saturate(struct filter *f)
{
	for (size_t i = 0; i < f->blocks * BLOCK_WORDS; i++)
		__atomic_store_n(&f->word[i], UINT64_MAX, __ATOMIC_RELAXED);
	f->added = filter_good(f);
}

/* Keys added since it was empty, and how many keep it sharp. */
static size_t
filter_added(const struct filter *f)
{
	return f->added;
}

static size_t
filter_bytes(const struct filter *f)
{
	return f->blocks * BLOCK_WORDS * sizeof(uint64_t);
}

size_t
filter_good(const struct filter *f)
{
	return filter_bytes(f);
}

/* The key is a digest already: its bytes are the hash functions.  The first
 * choose the block, so that sorted keys go through memory in order. */
static uint64_t *
block_of(const struct filter *f, const uint8_t key[SEEN_KEY], uint64_t *bits)
{
	const uint64_t first = (uint64_t)key[0] << 24 | (uint64_t)key[1] << 16 |
	    (uint64_t)key[2] << 8 | key[3];

	*bits = 0;
	memcpy(bits, key + 4, SEEN_KEY - 4);
	return f->word + (first >> (32 - f->bits)) * BLOCK_WORDS;
}

bool
filter_has(const struct filter *f, const uint8_t key[SEEN_KEY])
{
	uint64_t bits;
	const uint64_t *word = block_of(f, key, &bits);

	for (int i = 0; i < BITS; i++, bits >>= 9) {
		const uint64_t w =
		    __atomic_load_n(&word[(bits >> 6) & 7], __ATOMIC_RELAXED);

		if ((w >> (bits & 63) & 1) == 0)
			return false;
	}
	return true;
}

void
filter_add(struct filter *f, const uint8_t key[SEEN_KEY])
{
	uint64_t bits;
	uint64_t *word = block_of(f, key, &bits);

	/* One thread writes at a time, so that nothing need be locked. */
	for (int i = 0; i < BITS; i++, bits >>= 9) {
		uint64_t *to = &word[(bits >> 6) & 7];

		__atomic_store_n(to,
		    __atomic_load_n(to, __ATOMIC_RELAXED) |
			UINT64_C(1) << (bits & 63),
		    __ATOMIC_RELAXED);
	}
	f->added++;
}

#define GUESSES 4

static int
put_row(struct seen_writer *w, struct err *err)
{
	if (db_run(w->s, err, "INSERT INTO seen (entries) VALUES (?)", "b",
		w->e, w->n * sizeof(w->e[0])) != 0)
		return -1;
	/* One writer at a time: the next id is one more. */
	if (w->run.rows++ == 0)
		w->run.first = sqlite3_last_insert_rowid(w->s->db);
	w->n = 0;
	return 0;
}

static int
seen_write(struct seen_writer *w, const struct seen_entry *e, struct err *err)
{
	w->e[w->n++] = *e;
	return w->n == SEEN_ROW ? put_row(w, err) : 0;
}

static int
seen_write_end(struct seen_writer *w, struct err *err)
{
	return w->n > 0 ? put_row(w, err) : 0;
}

int
seen_row(struct store *s, int64_t row, struct seen_entry e[SEEN_ROW], size_t *n,
    struct err *err)
{
	sqlite3_stmt *st =
	    db_query(s, err, "SELECT entries FROM seen WHERE id = ?", "i", row);
	int rc = st == NULL ? -1 : db_step(s, st, err);

	if (rc != 1)
		return rc;
	*n = (size_t)sqlite3_column_bytes(st, 0) / sizeof(e[0]);
	if (*n > SEEN_ROW)
		*n = SEEN_ROW;
	if (*n > 0)
		memcpy(e, sqlite3_column_blob(st, 0), *n * sizeof(e[0]));
	db_done(st);
	return 1;
}

/* Search a row: 1 and *index; 0 and *side: below it, in it or above it is
 * where the key would be. */
static int
search_row(const struct seen_entry *e, size_t n, const uint8_t key[SEEN_KEY],
    uint64_t *index, int *side)
{
	size_t low = 0, high = n;

	while (low < high) {
		const size_t at = low + (high - low) / 2;
		const int diff = memcmp(key, e[at].key, SEEN_KEY);

		if (diff == 0) {
			*index = seen_entry_index(&e[at]);
			return 1;
		}
		if (diff < 0)
			high = at;
		else
			low = at + 1;
	}
	*side = low == 0 ? -1 : low == n ? 1 : 0;
	return 0;
}

/* Can a run lie there?  What a store says is not reckoned with before. */
static int
check_run(struct store *s, const struct seen_run *run, struct err *err)
{
	if (run->first >= 0 && run->first <= RUN_PLACE_MAX && run->rows >= 0 &&
	    run->rows <= RUN_ROWS_MAX)
		return 0;
	return db_damaged(s, err, "a run of ids has impossible numbers");
}

/* A recovery has left out rows: look into every one that there is. */
static int
search_all(struct store *s, const struct seen_run *run,
    const uint8_t key[SEEN_KEY], uint64_t *index, struct err *err)
{
	const int64_t end = run->first + run->rows;
	struct seen_entry e[SEEN_ROW];
	int64_t row = run->first;
	int rc, side;
	size_t n;

	for (;; row++) {
		if (db_number(s, err, INT64_MAX, &row,
			"SELECT min(id) FROM seen WHERE id >= ?", "i",
			row) != 0)
			return -1;
		if (row >= end)
			return 0;
		rc = seen_row(s, row, e, &n, err);
		if (rc == 1)
			rc = search_row(e, n, key, index, &side);
		if (rc != 0)
			return rc;
	}
}

int
seen_search(struct store *s, const struct seen_run *run,
    const uint8_t key[SEEN_KEY], uint64_t *index, struct err *err)
{
	const int64_t share =
	    (int64_t)((uint32_t)key[0] << 16 | (uint32_t)key[1] << 8 | key[2]);
	int64_t low = 0, high = run->rows, guess;
	struct seen_entry e[SEEN_ROW];
	int rc, side;
	size_t n;

	if (check_run(s, run, err) != 0)
		return -1;
	/* The guess, then its neighbours, then halves. */
	guess = run->rows * share >> 24;
	for (int tries = 0; low < high; tries++) {
		if (guess < low || guess >= high || tries > GUESSES)
			guess = low + (high - low) / 2;
		rc = seen_row(s, run->first + guess, e, &n, err);
		if (rc < 0)
			return -1;
		if (rc == 0 || n == 0)
			return search_all(s, run, key, index, err);
		rc = search_row(e, n, key, index, &side);
		if (rc == 1 || side == 0)
			return rc;
		if (side < 0)
			high = guess;
		else
			low = guess + 1;
		guess += side;
	}
	return 0;
}

#define RUNS_MAX 64       /* merged at once */
#define MERGE_MAX 2000000 /* entries: some 100 ms of a commit */

/* One run being read. */
struct reader {
	int64_t id;
	struct seen_run run;
	int64_t row;   /* the next one */
	uint64_t head; /* first eight bytes of the present entry, as a number */
	size_t at, n;  /* n is 0 at the end */
	struct seen_entry e[SEEN_ROW];
};

struct merge {
	struct store *s;
	struct reader *reader;
	size_t n;
	int64_t width;
	int64_t level;
	int64_t count;
};

/* Add the run in the row of st. */
static int
add_reader(struct merge *m, sqlite3_stmt *st, int64_t count, struct err *err)
{
	const int64_t level = sqlite3_column_int64(st, 2);
	const struct seen_run run = {
		.first = sqlite3_column_int64(st, 4),
		.rows = sqlite3_column_int64(st, 5),
	};

	if (check_run(m->s, &run, err) != 0)
		return -1;
	if (count < 0 || level < 0 || level > LEVEL_MAX)
		return db_damaged(m->s, err,
		    "a run of ids has impossible numbers");
	m->reader = xreallocarray(m->reader, m->n + 1, sizeof(*m->reader));
	m->reader[m->n++] = (struct reader){
		.id = sqlite3_column_int64(st, 0),
		.run = run,
	};
	m->width = sqlite3_column_int64(st, 1);
	if (level > m->level)
		m->level = level;
	m->count += count;
	return 0;
}

/* Collect the runs to be merged. */
static int
choose_runs(struct merge *m, int64_t feed, int64_t bucket, int64_t level,
    struct err *err)
{
	sqlite3_stmt *st = db_query(m->s, err,
	    "SELECT id, width, level, count, first, rows FROM run"
	    " WHERE feed = ?1 AND bucket = ?2 AND (?3 < 0 OR level = ?3)"
	    " ORDER BY level, id",
	    "iii", feed, bucket, level);
	int rc;

	if (st == NULL)
		return -1;
	while ((rc = db_step(m->s, st, err)) == 1) {
		const int64_t count = sqlite3_column_int64(st, 3);

		if (m->n == RUNS_MAX || count > MERGE_MAX - m->count) {
			db_done(st);
			return 0;
		}
		if (add_reader(m, st, count, err) != 0) {
			db_done(st);
			return -1;
		}
	}
	return rc;
}

static uint64_t
head_of(const struct seen_entry *e)
{
	uint64_t head = 0;

	for (size_t i = 0; i < sizeof(head); i++)
		head = head << 8 | e->key[i];
	return head;
}

/* Make the next entry of r present. */
static int
advance(struct merge *m, struct reader *r, struct err *err)
{
	r->at++;
	while (r->at >= r->n) {
		r->at = 0;
		r->n = 0;
		if (r->row == r->run.rows)
			return 0;
		if (seen_row(m->s, r->run.first + r->row++, r->e, &r->n, err) <
		    0)
			return -1;
	}
	r->head = head_of(&r->e[r->at]);
	return 0;
}

/* The reader with the lowest entry, NULL: all are at their end. */
static struct reader *
lowest(struct merge *m)
{
	struct reader *low = NULL;

	for (size_t i = 0; i < m->n; i++) {
		struct reader *r = &m->reader[i];

		if (r->n == 0)
			continue;
		if (low == NULL || r->head < low->head ||
		    (r->head == low->head &&
			memcmp(&r->e[r->at], &low->e[low->at], sizeof(*r->e)) <
			    0))
			low = r;
	}
	return low;
}

static int
copy(struct merge *m, struct seen_writer *w, struct err *err)
{
	struct reader *r;

	for (size_t i = 0; i < m->n; i++) {
		if (advance(m, &m->reader[i], err) != 0)
			return -1;
	}
	while ((r = lowest(m)) != NULL) {
		if (seen_write(w, &r->e[r->at], err) != 0 ||
		    advance(m, r, err) != 0)
			return -1;
	}
	return seen_write_end(w, err);
}

static int
drop(struct merge *m, struct err *err)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct reader *r = &m->reader[i];

		if (db_run(m->s, err,
			"DELETE FROM seen WHERE id >= ? AND id < ?", "ii",
			r->run.first, r->run.first + r->run.rows) != 0 ||
		    db_run(m->s, err, "DELETE FROM run WHERE id = ?", "i",
			r->id) != 0)
			return -1;
	}
	return 0;
}

static int
merge(struct merge *m, int64_t feed, int64_t bucket, struct err *err)
{
	struct seen_writer w = { .s = m->s };

	if (copy(m, &w, err) != 0 || drop(m, err) != 0)
		return -1;
	return db_run(m->s, err,
	    "INSERT INTO run (feed, width, bucket, level, count, first, rows)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?)",
	    "iiiiiii", feed, m->width, bucket, m->level + 1, m->count,
	    w.run.first, w.run.rows);
}

/* For seen_add(): merge the runs of a feed and bucket on level (-1: all), if
 * there are at least that many: 1 done, 0 not, -1. */
static int
seen_merge(struct store *s, int64_t feed, int64_t bucket, int64_t level,
    size_t min, struct err *err)
{
	struct merge m = { .s = s };
	int rc = choose_runs(&m, feed, bucket, level, err);

	if (rc == 0 && m.n >= min)
		rc = merge(&m, feed, bucket, err) == 0 ? 1 : -1;
	free(m.reader);
	return rc;
}

#define FAN 8           /* runs that are merged into one */
#define EXPIRE_ROWS 500 /* rows that one step of seen_expire() deletes */
#define CLOSE_MIN 3     /* runs that a finished bucket may keep */

/* Filling the filter from more than this many times what keeps it sharp would
 * only read. */
#define FILL_MAX 4

/* The filter begins small, and has room for twice as many keys as there are,
 * for as long as that is not beyond s->filter_bytes. */
#define FILTER_MIN (64 << 10)

void
seen_entry_set(struct seen_entry *e, const uint8_t key[SEEN_KEY],
    uint64_t index)
{
	memcpy(e->key, key, SEEN_KEY);
	for (int i = SEEN_INDEX - 1; i >= 0; i--, index >>= 8)
		e->index[i] = (uint8_t)index;
}

uint64_t
seen_entry_index(const struct seen_entry *e)
{
	uint64_t index = 0;

	for (int i = 0; i < SEEN_INDEX; i++)
		index = index << 8 | e->index[i];
	return index;
}

/* How large the filter should be for so many keys. */
static size_t
filter_size(const struct store *s, int64_t keys)
{
	size_t bytes = FILTER_MIN;

	while (bytes < s->filter_bytes && (int64_t)bytes < 2 * keys)
		bytes *= 2;
	return bytes < s->filter_bytes ? bytes : s->filter_bytes;
}

/* Fill it, which has nothing to tell yet, or has to be larger. */
static int
fill_empty(struct store *s, struct err *err)
{
	sqlite3_stmt *st;
	int64_t count;
	int rc;

	if (db_number(s, err, 0, &count, "SELECT sum(count) FROM run", "") != 0)
		return -1;
	if (filter_size(s, count) > filter_bytes(s->filter)) {
		filter_free(s->filter);
		s->filter = filter_new(filter_size(s, count));
	}
	if (count > (int64_t)filter_good(s->filter) * FILL_MAX) {
		filter_saturate(s->filter);
		return 0;
	}
	st = db_query(s, err, "SELECT entries FROM seen", "");
	if (st == NULL)
		return -1;
	while ((rc = db_step(s, st, err)) == 1) {
		const struct seen_entry *e = sqlite3_column_blob(st, 0);
		size_t n = (size_t)sqlite3_column_bytes(st, 0) / sizeof(*e);

		for (size_t i = 0; i < n; i++)
			filter_add(s->filter, e[i].key);
	}
	return rc;
}

/* By the first eight bytes, which nearly always decide. */
static int
compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	if (x == y)
		return memcmp(a, b, sizeof(struct seen_entry));
	return be64toh(x) < be64toh(y) ? -1 : 1;
}

/* While it is filled, nobody may take it for an answer. */
static int
fill(struct store *s, struct err *err)
{
	int rc;

	(void)pthread_rwlock_wrlock(&s->filling);
	filter_empty(s->filter);
	rc = fill_empty(s, err);
	if (rc != 0)
		filter_saturate(s->filter);
	(void)pthread_rwlock_unlock(&s->filling);
	return rc;
}

int
seen_open(struct store *s, struct err *err)
{
	int rc = 0;

	db_lock(s);
	if (s->filter == NULL) {
		s->filter = filter_new(filter_size(s, 0));
		rc = fill(s, err);
	}
	db_unlock(s);
	return rc;
}

void
seen_release(struct store *s)
{
	filter_free(s->filter);
	s->filter = NULL;
}

bool
seen_maybe(struct store *s, const uint8_t key[SEEN_KEY])
{
	bool has;

	(void)pthread_rwlock_rdlock(&s->filling);
	has = filter_has(s->filter, key);
	(void)pthread_rwlock_unlock(&s->filling);
	return has;
}

int
seen_find(struct store *s, const char *name, const uint8_t key[SEEN_KEY],
    uint64_t *index, struct err *err)
{
	int64_t feed;

	return seen_place(s, name, key, &feed, index, err);
}

int
seen_place(struct store *s, const char *name, const uint8_t key[SEEN_KEY],
    int64_t *feed, uint64_t *index, struct err *err)
{
	sqlite3_stmt *st;
	int rc, found = 0;

	db_lock(s);
	st = db_query(s, err,
	    "SELECT r.first, r.rows, r.feed FROM feed f"
	    " CROSS JOIN run r ON r.feed = f.id"
	    " WHERE f.name = ? ORDER BY r.id DESC",
	    "t", name);
	rc = st == NULL ? -1 : 1;
	while (rc == 1 && found == 0) {
		struct seen_run run;

		rc = db_step(s, st, err);
		if (rc != 1)
			break;
		run.first = sqlite3_column_int64(st, 0);
		run.rows = sqlite3_column_int64(st, 1);
		*feed = sqlite3_column_int64(st, 2);
		found = seen_search(s, &run, key, index, err);
	}
	if (found != 0)
		db_done(st);
	db_unlock(s);
	return found != 0 ? found : rc;
}

/* Let the filter grow with the keys: read what there is again. */
static int
keep_sharp(struct store *s, struct err *err)
{
	const size_t bytes = filter_bytes(s->filter);

	if (bytes < s->filter_bytes &&
	    filter_added(s->filter) > filter_good(s->filter) / 2)
		return fill(s, err);
	return 0;
}

/* A bucket begins: those before are merged for good, and the filter is filled
 * again if what was dropped meanwhile may be much of it. */
static int
begin_bucket(struct store *s, int64_t feed, int64_t bucket, struct err *err)
{
	int64_t before;

	if (db_number(s, err, -1, &before,
		"SELECT max(bucket) FROM run WHERE feed = ?", "i", feed) != 0)
		return -1;
	if (before < 0 || before == bucket)
		return 0;
	if (seen_merge(s, feed, before, -1, CLOSE_MIN, err) < 0)
		return -1;
	if (filter_added(s->filter) > filter_good(s->filter) / 2)
		return fill(s, err);
	return 0;
}

int
seen_add(struct store *s, int64_t feed, int64_t dedupe, struct seen_entry *e,
    size_t n, struct err *err)
{
	const int64_t width = dedupe / SEEN_BUCKETS + 1;
	const int64_t bucket = clock_now() / width;
	struct seen_writer w = { .s = s };
	int64_t level = 0;
	int rc;

	if (n == 0)
		return 0;
	qsort(e, n, sizeof(*e), compare);
	if (begin_bucket(s, feed, bucket, err) != 0 || keep_sharp(s, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (seen_write(&w, &e[i], err) != 0)
			return -1;
		/* Should the transaction fail, it does no harm there. */
		filter_add(s->filter, e[i].key);
	}
	if (seen_write_end(&w, err) != 0 ||
	    db_run(s, err,
		"INSERT INTO run (feed, width, bucket, level, count, first,"
		" rows) VALUES (?, ?, ?, 0, ?, ?, ?)",
		"iiiiii", feed, width, bucket, (int64_t)n, w.run.first,
		w.run.rows) != 0)
		return -1;
	do {
		rc = seen_merge(s, feed, bucket, level++, FAN, err);
	} while (rc == 1);
	return rc;
}

/* Delete rows of an old run, from its end, and the run with its first row. */
static int
expire_run(struct store *s, int64_t id, const struct seen_run *run,
    struct err *err)
{
	const int64_t left =
	    run->rows > EXPIRE_ROWS ? run->rows - EXPIRE_ROWS : 0;

	if (check_run(s, run, err) != 0 ||
	    db_run(s, err, "DELETE FROM seen WHERE id >= ? AND id < ?", "ii",
		run->first + left, run->first + run->rows) != 0)
		return -1;
	if (left > 0)
		return db_run(s, err, "UPDATE run SET rows = ? WHERE id = ?",
		    "ii", left, id);
	return db_run(s, err, "DELETE FROM run WHERE id = ?", "i", id);
}

int
seen_expire(struct store *s, int64_t now, struct err *err)
{
	sqlite3_stmt *st = db_query(s, err,
	    "SELECT r.id, r.first, r.rows FROM run r"
	    " JOIN feed f ON f.id = r.feed"
	    " WHERE (r.bucket + 1) * r.width <= ? - f.dedupe LIMIT 1",
	    "i", now);
	int rc = st == NULL ? -1 : db_step(s, st, err);
	struct seen_run run;
	int64_t id;

	if (rc != 1)
		return rc;
	id = sqlite3_column_int64(st, 0);
	run.first = sqlite3_column_int64(st, 1);
	run.rows = sqlite3_column_int64(st, 2);
	db_done(st);
	return expire_run(s, id, &run, err) == 0 ? 1 : -1;
}
