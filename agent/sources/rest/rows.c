/*
 * rows.c - ids for rows that have none: their bytes, and how many equal ones
 * came before.
 *
 * Equal rows have equal times, so that a window has all of them or none, and
 * their numbers are the same whenever they are read.  But a row that comes in
 * while pages are being read moves those behind it, and the next page has again
 * what was told before.  When the pages are read anew, a row that is there
 * twice comes again behind the same rows; one that was moved does not, since
 * what came in is now among those.
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
	uint32_t here; /* of these on a page, while that is looked at */
};

struct rest_rows {
	struct slot *slots;
	size_t size; /* a power of two */
	size_t used;
	uint64_t *page; /* hashes of the rows of this page */
	size_t n_page;
	uint64_t before;               /* hash of the rows of pages before it */
	uint64_t doubted[REST_DOUBTS]; /* of rows, and those before them */
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
	t->before = 0;
}

/* FNV-1a, a word at a time. */
static uint64_t
mix(uint64_t hash, uint64_t row)
{
	return (hash ^ row) * UINT64_C(0x100000001b3);
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
	for (size_t i = 0; i < t->n_page; i++)
		t->before = mix(t->before, t->page[i]);
	t->n_page = 0;
}

/* The first row of the page that is also on an earlier one; n_page: none is.
 * Those that are on this one alone are as many as they count. */
static size_t
known(struct rest_rows *t)
{
	size_t i;

	for (i = 0; i < t->n_page; i++)
		find(t, t->page[i])->here++;
	for (i = 0; i < t->n_page; i++) {
		const struct slot *s = find(t, t->page[i]);

		if (s->count > s->here)
			break;
	}
	for (size_t k = 0; k < t->n_page; k++)
		find(t, t->page[k])->here = 0;
	return i;
}

bool
rest_rows_doubted(struct rest_rows *t)
{
	size_t at = known(t);
	uint64_t doubt;

	if (at == t->n_page || t->n_doubted == REST_DOUBTS)
		return false;
	doubt = mix(t->before, t->page[at]);
	for (size_t i = 0; i < t->n_doubted; i++)
		if (t->doubted[i] == doubt)
			return false;
	t->doubted[t->n_doubted++] = doubt;
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
