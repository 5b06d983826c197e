/*
 * rows.c - ids for rows that have none: their bytes, and how many equal ones
 * came before.
 *
 * Equal rows have equal times, so that a window has all of them or none, and
 * their numbers are the same whenever they are read.  But a row that comes in
 * while pages are being read moves those behind it, and the next page begins
 * with what was told before: that is doubted once.
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
};

struct rest_rows {
	struct slot *slots;
	size_t size; /* a power of two */
	size_t used;
	uint64_t *page; /* hashes of the rows of this page */
	size_t n_page;
	uint64_t doubted[REST_DOUBTS]; /* rows that pages began with again */
	size_t n_doubted;
};

struct rest_rows *
rest_rows_new(void)
{
	struct rest_rows *t = xcalloc(1, sizeof(*t));

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
	free(t);
}

void
rest_rows_reset(struct rest_rows *t)
{
	memset(t->slots, 0, t->size * sizeof(*t->slots));
	t->used = 0;
	t->n_page = 0;
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
	while (t->n_page > 0)
		find(t, t->page[--t->n_page])->count--;
}

void
rest_rows_keep(struct rest_rows *t)
{
	t->n_page = 0;
}

bool
rest_rows_doubted(struct rest_rows *t)
{
	uint32_t here = 0;

	if (t->n_page == 0 || t->n_doubted == REST_DOUBTS)
		return false;
	for (size_t i = 0; i < t->n_page; i++)
		here += t->page[i] == t->page[0];
	if (find(t, t->page[0])->count == here)
		return false;
	for (size_t i = 0; i < t->n_doubted; i++)
		if (t->doubted[i] == t->page[0])
			return false;
	t->doubted[t->n_doubted++] = t->page[0];
	return true;
}

int
rest_rows_id(struct rest_rows *t, const uint8_t leaf[DIGEST_LEN],
    char out[REST_ROW_ID])
{
	struct slot *slot;
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
	text_hex(out, leaf, DIGEST_LEN);
	(void)snprintf(out + 2 * DIGEST_LEN, REST_ROW_ID - 2 * DIGEST_LEN,
	    "#%u", slot->count++);
	return 0;
}
