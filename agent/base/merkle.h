/*
 * merkle.h - the append-only Merkle tree of RFC 6962 section 2.1 (RFC 9162
 * section 2.1), SHA-256, kept as its peaks.
 *
 * leaf = H(0x00 || bytes), node = H(0x01 || left || right).  A tree of n
 * leaves is, from left to right, one perfect subtree for each bit set in n,
 * largest first; the roots of these are the peaks, all that appending needs.
 *
 * A range is the same for leaves [first, end) in the middle of a tree: the
 * roots of the largest aligned perfect subtrees that cover it.  A batch is
 * hashed once, where its bytes are, into its range; joining ranges to peaks
 * needs no leaf.
 */
#ifndef BASE_MERKLE_H
#define BASE_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

#define MERKLE_PEAKS 64
#define MERKLE_NODES (2 * MERKLE_PEAKS)
#define MERKLE_MAX (UINT64_C(1) << 62) /* leaves of a tree */

struct merkle_range {
	uint64_t first;
	uint64_t end;
	size_t n; /* nodes used, left to right */
	uint8_t node[MERKLE_NODES][DIGEST_LEN];
};

/* Peaks of a tree with size leaves are the range [0, size). */

void merkle_range_init(struct merkle_range *r, uint64_t first);

/* out = leaf hash of data. */
void merkle_leaf(struct digest *d, const void *data, size_t len,
    uint8_t out[DIGEST_LEN]);

/* Add the leaf with index r->end. */
void merkle_append(struct digest *d, struct merkle_range *r,
    const uint8_t leaf[DIGEST_LEN]);

/* Put right behind left; right->first must be left->end, else -1. */
int merkle_join(struct digest *d, struct merkle_range *left,
    const struct merkle_range *right);

/* Root of peaks (first is 0); of the empty tree H(""). */
void merkle_root(struct digest *d, const struct merkle_range *peaks,
    uint8_t out[DIGEST_LEN]);

/* How many nodes the range [first, end) has; end is at most MERKLE_MAX. */
size_t merkle_count(uint64_t first, uint64_t end);

/* Fill r from stored nodes; -1 (r as it was) when their bytes do not fit
 * [first, end), or first and end are no range. */
int merkle_load(struct merkle_range *r, uint64_t first, uint64_t end,
    const void *nodes, size_t bytes);

#endif /* BASE_MERKLE_H */
