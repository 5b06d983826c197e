/*
 * rows.c - ids for rows that have none: their bytes, and how many equal ones
 * came before.
 *
 * Equal rows have equal times, so that a window has all of them or none, and
 * their numbers are the same whenever they are read.  But a row that comes in
 * while pages are being read moves those behind it, and the next page begins
 * with what was told before.  What one page has twice is two events; what is on
 * two pages may be one that has moved, and is taken for one, until the pages
 * are read again and are the same: then nothing has moved, and it is two.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "sources/rest/rest_private.h"

/* No window has more rows. */
#define ROWS_MAX (1 << 20)
#define ROWS_BEGIN 1024 /* a power of two */

struct slot {
	uint64_t hash; /* 0: free */
	uint32_t count;
	uint32_t here; /* of these on one page, … */
	size_t page;   /* … which is the page of this number, from 1 on */
};

/* What the rows of all pages so far are, one number a page. */
struct sums {
	uint64_t *at;
	size_t n;
};

struct rest_rows {
	struct slot *slots;
	size_t size; /* a power of two */
	size_t used;
	uint64_t *page; /* hashes of the rows of this page */
	size_t n_page;
	bool moves;    /* rows may move between pages */
	bool same;     /* up to here pages are as when they were read before */
	bool twice;    /* what was told before came on another page */
	unsigned read; /* again, so often */
	struct sums now;
	struct sums before;
};

struct rest_rows *
rest_rows_new(bool moves)
{
	struct rest_rows *t = xcalloc(1, sizeof(*t));

	t->moves = moves;
	t->size = ROWS_BEGIN;
	t->slots = xcalloc(t->size, sizeof(*t->slots));
	return t;
}

void
rest_rows_free(struct rest_rows *t)
{
	if (t == NULL)
		return;
	free(t->slots);
	free(t->page);
	free(t->now.at);
	free(t->before.at);
	free(t);
}

void
rest_rows_reset(struct rest_rows *t)
{
	memset(t->slots, 0, t->size * sizeof(*t->slots));
	t->used = 0;
	t->n_page = 0;
	t->now.n = 0;
	t->same = t->before.n > 0;
	t->twice = false;
}

static struct slot *
find(const struct rest_rows *t, uint64_t hash)
{
	size_t at = hash & (t->size - 1);

	while (t->slots[at].hash != 0 && t->slots[at].hash != hash)
		at = (at + 1) & (t->size - 1);
	return &t->slots[at];
}

static void
grow(struct rest_rows *t)
{
	struct slot *old = t->slots;
	size_t size = t->size;

	t->size = 2 * size;
	t->slots = xcalloc(t->size, sizeof(*t->slots));
	for (size_t i = 0; i < size; i++)
		if (old[i].hash != 0)
			*find(t, old[i].hash) = old[i];
	free(old);
}

void
rest_rows_undo(struct rest_rows *t)
{
	while (t->n_page > 0) {
		struct slot *slot = find(t, t->page[--t->n_page]);

		slot->count--;
		slot->here--;
	}
}

static uint64_t
sum_of(const struct rest_rows *t)
{
	uint64_t sum = t->now.n > 0 ? t->now.at[t->now.n - 1]
				    : UINT64_C(1469598103934665603);

	for (size_t i = 0; i < t->n_page; i++)
		sum = (sum ^ t->page[i]) * UINT64_C(1099511628211);
	return (sum ^ t->n_page) * UINT64_C(1099511628211);
}

void
rest_rows_keep(struct rest_rows *t)
{
	struct sums *s = &t->now;

	if (s->n % 64 == 0)
		s->at = xreallocarray(s->at, s->n + 64, sizeof(*s->at));
	s->at[s->n] = sum_of(t);
	s->n++;
	t->n_page = 0;
}

/* Has this page what an earlier one had, too? */
static bool
repeats(const struct rest_rows *t)
{
	for (size_t i = 0; i < t->n_page; i++) {
		const struct slot *slot = find(t, t->page[i]);

		if (slot->count > slot->here)
			return true;
	}
	return false;
}

bool
rest_rows_doubted(struct rest_rows *t, bool last)
{
	const bool again = repeats(t), was_same = t->same;

	t->same = was_same && t->now.n < t->before.n &&
	    t->before.at[t->now.n] == sum_of(t);
	t->twice = t->twice || (again && !t->same);
	if (was_same && !t->same) {
		t->before.n = 0;
		/* It was numbered as if nothing had moved. */
		if (again) {
			t->read++;
			return true;
		}
	}
	if (!last || !t->twice || t->read > 0)
		return false;
	rest_rows_keep(t);
	free(t->before.at);
	t->before = t->now;
	t->now = (struct sums){ .at = NULL };
	t->read++;
	return true;
}

int
rest_rows_id(struct rest_rows *t, const uint8_t leaf[DIGEST_LEN],
    char out[REST_ROW_ID])
{
	struct slot *slot;
	uint32_t number;
	uint64_t hash;

	memcpy(&hash, leaf, sizeof(hash));
	hash |= 1;
	if (t->used >= t->size / 2)
		grow(t);
	slot = find(t, hash);
	if (slot->hash == 0) {
		if (t->used == ROWS_MAX)
			return -1;
		slot->hash = hash;
		t->used++;
	}
	if (t->n_page % 256 == 0)
		t->page =
		    xreallocarray(t->page, t->n_page + 256, sizeof(*t->page));
	t->page[t->n_page++] = hash;
	if (slot->page != t->now.n + 1) {
		slot->page = t->now.n + 1;
		slot->here = 0;
	}
	number = t->moves && !t->same ? slot->here : slot->count;
	slot->here++;
	slot->count++;
	text_hex(out, leaf, DIGEST_LEN);
	(void)snprintf(out + 2 * DIGEST_LEN, REST_ROW_ID - 2 * DIGEST_LEN,
	    "#%u", number);
	return 0;
}
