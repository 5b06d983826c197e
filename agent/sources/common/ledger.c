/*
 * ledger.c - what a vendor lists, on its way into the feed's ledger.
 */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "sources/common/ledger.h"
#include "sources/source.h"
#include "store/commit.h"

/* Rows a commit. */
#define ROWS 1000

/* Places for what is known: at first, at most, and that one hash may have. */
#define PLACES_MIN 64
#define PLACES_MAX 8192
#define WAYS 8

struct ledger {
	struct stream *st;
	struct ledger_known *known; /* the stream's or own */
	struct ledger_known own;
	bool thorough;
	struct write_batch *batch;
	uint64_t hash[ROWS]; /* of the keys in batch */
	size_t rows;         /* so many */
	uint64_t next;       /* of the key that is added next; 0: not known */
	size_t fresh;
	struct digest *digest;
};

void
ledger_known_release(struct ledger_known *known)
{
	free(known->hash);
	*known = (struct ledger_known){ .gaps = known->gaps };
}

/* The places of a hash. */
static uint64_t *
places(const struct ledger_known *k, uint64_t hash)
{
	return &k->hash[hash % (k->places / WAYS) * WAYS];
}

static bool
is_known(const struct ledger_known *k, uint64_t hash)
{
	for (size_t i = 0; k->places > 0 && i < WAYS; i++) {
		if (places(k, hash)[i] == hash)
			return true;
	}
	return false;
}

/* Put it into one that is free; false: there is none. */
static bool
place(struct ledger_known *k, uint64_t hash)
{
	for (size_t i = 0; k->places > 0 && i < WAYS; i++) {
		uint64_t *at = &places(k, hash)[i];

		if (*at == hash || *at == 0) {
			*at = hash;
			return true;
		}
	}
	return false;
}

/* Twice as many: those of each hash have come from the same ones, and fit. */
static void
grow(struct ledger_known *k)
{
	struct ledger_known more = { .gaps = k->gaps };

	more.places = k->places == 0 ? PLACES_MIN : 2 * k->places;
	more.hash = xcalloc(more.places, sizeof(*more.hash));
	for (size_t i = 0; i < k->places; i++) {
		if (k->hash[i] != 0)
			(void)place(&more, k->hash[i]);
	}
	free(k->hash);
	*k = more;
}

static void
know(struct ledger_known *k, uint64_t hash)
{
	while (!place(k, hash)) {
		if (k->places < PLACES_MAX)
			grow(k);
		else
			places(k, hash)[(hash >> 32) % WAYS] = 0;
	}
}

struct ledger *
ledger_new(struct stream *st, struct ledger_known *known, bool thorough)
{
	struct ledger *l = xcalloc(1, sizeof(*l));

	l->st = st;
	l->known = known != NULL ? known : &l->own;
	l->thorough = thorough;
	/* An item that became a gap comes back to life when it is listed
	 * again, so it must not be taken for known. */
	if (l->known->gaps != st->gaps) {
		ledger_known_release(l->known);
		l->known->gaps = st->gaps;
	}
	l->batch = write_batch_new(st->feed);
	write_batch_via(l->batch, st->via);
	l->digest = digest_new();
	return l;
}

void
ledger_free(struct ledger *l)
{
	if (l == NULL)
		return;
	ledger_known_release(&l->own);
	digest_free(l->digest);
	write_batch_free(l->batch);
	free(l);
}

bool
ledger_has(struct ledger *l, struct slice key)
{
	uint8_t full[DIGEST_LEN];

	l->next = 0;
	if (key.data == NULL)
		return false;
	/* The first bytes of its SHA-256. */
	digest_sha256(l->digest, NULL, 0, key.data, key.len, full);
	memcpy(&l->next, full, sizeof(l->next));
	return !l->thorough && is_known(l->known, l->next);
}

int
ledger_add(struct ledger *l, const struct listed *item, struct err *err)
{
	write_batch_listed(l->batch, item);
	l->hash[l->rows++] = l->next;
	return l->rows < ROWS ? 0 : ledger_flush(l, err);
}

int
ledger_flush(struct ledger *l, struct err *err)
{
	struct commit_result res;

	if (l->rows == 0)
		return 0;
	if (feed_commit(l->batch, &res, err) != 0)
		return -1;
	for (size_t i = 0; i < l->rows; i++)
		know(l->known, l->hash[i]);
	l->rows = 0;
	l->fresh += res.listed;
	if (res.listed > 0)
		l->st->source->listed(l->st->source->ctx, l->st);
	return 0;
}

size_t
ledger_fresh(const struct ledger *l)
{
	return l->fresh;
}
