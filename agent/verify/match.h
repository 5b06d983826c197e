/*
 * match.h - whether the events that were seen are the leaves of a node.
 *
 * Where an index was seen with different bytes the right one is tried out:
 * first what the check codes speak for, then some combinations.
 */
#ifndef VERIFY_MATCH_H
#define VERIFY_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/merkle.h"
#include "verify/stream.h"

/* All that was seen for one index. */
struct group {
	uint64_t index;
	const struct seen *seen; /* n_seen entries */
	size_t n_seen;
	const struct seen *other; /* n_other further readings of them */
	size_t n_other;
};

/* Walks a stream in index order. */
struct cursor {
	const struct stream *stream;
	size_t seen;
	size_t other;
};

struct cursor cursor_at(const struct stream *s, uint64_t index);
bool cursor_next(struct cursor *c, struct group *g);

/* The check code that m has for an index, NULL: none. */
const uint8_t *code_of(const struct mark *m, uint64_t index);

/* How many readings agree with a code. */
size_t group_agree(const struct group *g, const uint8_t *code);

/* Leaves [first, end) behind `start` must give the one node, or (is_root) the
 * tree with the root `want`. */
struct segment {
	struct merkle_range start;
	uint64_t end;
	const uint8_t *want;
	bool is_root;
	const struct mark *codes; /* hints; may be NULL */
};

/* The choice that fits, -1: none does.  got (may be NULL) is the range then.
 */
int fit(struct digest *d, const struct stream *s, const struct segment *g,
    struct merkle_range *got);

/* Tell fn each group of the segment that was seen with several bytes, and the
 * entry that fit() chose. */
typedef void match_fn(void *ctx, const struct group *g,
    const struct seen *right);
void match_ambiguous(const struct stream *s, const struct segment *g,
    int choice, match_fn *fn, void *ctx);

#endif /* VERIFY_MATCH_H */
