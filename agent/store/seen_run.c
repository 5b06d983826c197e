/*
 * seen_run.c - one sorted run of the seen-set: written in rows with
 * consecutive ids, searched by guessing.
 *
 * Keys are digests, spread evenly, so that the row of a key is near where a
 * straight line says; where it is not, bisection finds it.
 */
#include <string.h>

#include "base/err.h"
#include "store/db.h"
#include "store/seen.h"

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

int
seen_write(struct seen_writer *w, const struct seen_entry *e, struct err *err)
{
	w->e[w->n++] = *e;
	return w->n == SEEN_ROW ? put_row(w, err) : 0;
}

int
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

/* A recovery has left out rows: look into every one. */
static int
search_all(struct store *s, const struct seen_run *run,
    const uint8_t key[SEEN_KEY], uint64_t *index, struct err *err)
{
	struct seen_entry e[SEEN_ROW];
	int rc, side;
	size_t n;

	for (int64_t row = 0; row < run->rows; row++) {
		rc = seen_row(s, run->first + row, e, &n, err);
		if (rc == 1)
			rc = search_row(e, n, key, index, &side);
		if (rc != 0)
			return rc;
	}
	return 0;
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
