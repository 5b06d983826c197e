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

struct ledger {
	struct stream *st;
	struct ledger_known *known;
	bool thorough;
	struct write_batch *batch;
	uint64_t hash[ROWS]; /* of the keys in batch */
	size_t rows;         /* so many */
	uint64_t next;       /* of the key that is added next; 0: not known */
	size_t fresh;
	struct digest *digest;
};

struct ledger *
ledger_new(struct stream *st, struct ledger_known *known, bool thorough)
{
	struct ledger *l = xcalloc(1, sizeof(*l));

	l->st = st;
	l->known = known;
	l->thorough = thorough;
	/* An item that became a gap comes back to life when it is listed
	 * again, so it must not be taken for known. */
	if (known->gaps != st->gaps) {
		*known = (struct ledger_known){ .gaps = st->gaps };
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
	digest_free(l->digest);
	write_batch_free(l->batch);
	free(l);
}

/* Where a key with this hash is remembered. */
static uint64_t *
place(const struct ledger *l, uint64_t hash)
{
	return &l->known->hash[hash % LEDGER_KNOWN];
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
	return !l->thorough && *place(l, l->next) == l->next;
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
		*place(l, l->hash[i]) = l->hash[i];
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
