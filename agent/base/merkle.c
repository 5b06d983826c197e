/*
 * merkle.c - the append-only Merkle tree of RFC 6962 as ranges of nodes.
 *
 * A subtree of 2^level leaves that ends at end, a multiple of 2^level, has
 * the subtree left of it as its sibling when end is a multiple of
 * 2^(level + 1), too; the sibling is in the range when that one's start is.
 */
#include <string.h>

#include "base/merkle.h"

#define MAX_LEVEL 63

static const uint8_t leaf_prefix = 0;
static const uint8_t node_prefix = 1;

void
merkle_range_init(struct merkle_range *r, uint64_t first)
{
	r->first = first;
	r->end = first;
	r->n = 0;
}

void
merkle_leaf(struct digest *d, const void *data, size_t len,
    uint8_t out[DIGEST_LEN])
{
	digest_sha256(d, &leaf_prefix, 1, data, len, out);
}

/* Put the root of 2^level leaves behind r and merge what is now complete. */
static void
add_subtree(struct digest *d, struct merkle_range *r, unsigned level,
    const uint8_t root[DIGEST_LEN])
{
	memcpy(r->node[r->n++], root, DIGEST_LEN);
	r->end += UINT64_C(1) << level;
	for (; level < MAX_LEVEL; level++) {
		uint64_t pair = UINT64_C(2) << level;

		if (r->end % pair != 0 || r->end < pair ||
		    r->end - pair < r->first)
			return;
		r->n--;
		digest_sha256(d, &node_prefix, 1, r->node[r->n - 1],
		    2 * DIGEST_LEN, r->node[r->n - 1]);
	}
}

void
merkle_append(struct digest *d, struct merkle_range *r,
    const uint8_t leaf[DIGEST_LEN])
{
	add_subtree(d, r, 0, leaf);
}

/* Level of the first subtree of [at, end). */
static unsigned
level_at(uint64_t at, uint64_t end)
{
	unsigned level = 0;

	while (level < MAX_LEVEL && at % (UINT64_C(2) << level) == 0 &&
	    (UINT64_C(2) << level) <= end - at)
		level++;
	return level;
}

int
merkle_join(struct digest *d, struct merkle_range *left,
    const struct merkle_range *right)
{
	uint64_t at = right->first;

	if (right->first != left->end || right->end > MERKLE_MAX)
		return -1;
	for (size_t i = 0; i < right->n; i++) {
		unsigned level = level_at(at, right->end);

		add_subtree(d, left, level, right->node[i]);
		at += UINT64_C(1) << level;
	}
	return 0;
}

void
merkle_root(struct digest *d, const struct merkle_range *peaks,
    uint8_t out[DIGEST_LEN])
{
	uint8_t pair[2][DIGEST_LEN];

	if (peaks->n == 0) {
		digest_sha256(d, NULL, 0, NULL, 0, out);
		return;
	}
	memcpy(pair[1], peaks->node[peaks->n - 1], DIGEST_LEN);
	for (size_t i = peaks->n - 1; i-- > 0;) {
		memcpy(pair[0], peaks->node[i], DIGEST_LEN);
		digest_sha256(d, &node_prefix, 1, pair, sizeof(pair), pair[1]);
	}
	memcpy(out, pair[1], DIGEST_LEN);
}

size_t
merkle_count(uint64_t first, uint64_t end)
{
	size_t n = 0;

	for (; first < end; n++)
		first += UINT64_C(1) << level_at(first, end);
	return n;
}

int
merkle_load(struct merkle_range *r, uint64_t first, uint64_t end,
    const void *nodes, size_t bytes)
{
	size_t n;

	if (first > end || end > MERKLE_MAX)
		return -1;
	n = merkle_count(first, end);
	if (bytes != n * DIGEST_LEN)
		return -1;
	r->first = first;
	r->end = end;
	r->n = n;
	if (n > 0)
		memcpy(r->node, nodes, bytes);
	return 0;
}
