/*
 * match.c - whether the events that were seen are the leaves of a node.
 */
#include <string.h>

#include "evidence/checkpoint.h"
#include "verify/match.h"

/* Combinations that are tried; each hashes the segment once. */
#define TRIES 64

struct cursor
cursor_at(const struct stream *s, uint64_t index)
{
	return (struct cursor){ .stream = s,
		.seen = seen_list_find(&s->seen, index),
		.other = seen_list_find(&s->other, index) };
}

bool
cursor_next(struct cursor *c, struct group *g)
{
	const struct seen_list *seen = &c->stream->seen;
	const struct seen_list *other = &c->stream->other;

	if (c->seen == seen->n)
		return false;
	*g = (struct group){ .index = seen->list[c->seen].index,
		.seen = seen->list + c->seen };
	while (c->seen < seen->n && seen->list[c->seen].index == g->index) {
		c->seen++;
		g->n_seen++;
	}
	if (c->other < other->n && other->list[c->other].index == g->index)
		g->other = other->list + c->other;
	while (c->other < other->n && other->list[c->other].index == g->index) {
		c->other++;
		g->n_other++;
	}
	return true;
}

const uint8_t *
code_of(const struct mark *m, uint64_t index)
{
	if (m == NULL || m->check == NULL || index < m->from ||
	    index >= m->size)
		return NULL;
	return m->check + (index - m->from) * PROOF_CODE;
}

/* The reading k of a group: the seen ones, then the others. */
static const struct seen *
group_reading(const struct group *g, size_t k)
{
	return k < g->n_seen ? &g->seen[k] : &g->other[k - g->n_seen];
}

size_t
group_agree(const struct group *g, const uint8_t *code)
{
	size_t n = 0;

	for (size_t k = 0; k < g->n_seen + g->n_other; k++)
		n += memcmp(group_reading(g, k)->leaf, code, PROOF_CODE) == 0;
	return n;
}

/* The reading to begin with; sure: the code leaves no other. */
static size_t
likeliest(const struct group *g, const uint8_t *code, bool *sure)
{
	size_t agree = code == NULL ? 0 : group_agree(g, code);
	size_t k = 0;

	*sure = agree == 1;
	if (agree == 0)
		return g->n_other > 0 ? g->n_seen : 0;
	while (memcmp(group_reading(g, k)->leaf, code, PROOF_CODE) != 0)
		k++;
	return k;
}

/* The reading that choice, a number of mixed radix, means for this group; its
 * digit is taken off. */
static const struct seen *
choose(const struct group *g, const struct mark *codes, uint64_t *choice,
    uint64_t *combinations)
{
	size_t n = g->n_seen + g->n_other;
	size_t k;
	bool sure;

	if (n == 1)
		return g->seen;
	k = likeliest(g, code_of(codes, g->index), &sure);
	if (!sure) {
		k = (k + *choice % n) % n;
		*choice /= n;
		if (*combinations < TRIES)
			*combinations *= n;
	}
	return group_reading(g, k);
}

static bool
is_wanted(struct digest *d, const struct segment *g,
    const struct merkle_range *r)
{
	uint8_t root[DIGEST_LEN];

	if (!g->is_root)
		return r->n == 1 &&
		    memcmp(r->node[0], g->want, DIGEST_LEN) == 0;
	merkle_root(d, r, root);
	return memcmp(root, g->want, DIGEST_LEN) == 0;
}

int
fit(struct digest *d, const struct stream *s, const struct segment *g,
    struct merkle_range *got)
{
	uint64_t combinations = 1;
	struct merkle_range r;
	struct group group;

	for (uint64_t try = 0; try < combinations && try < TRIES; try++) {
		struct cursor c = cursor_at(s, g->start.end);
		uint64_t choice = try;

		combinations = 1;
		r = g->start;
		while (r.end < g->end) {
			if (!cursor_next(&c, &group) || group.index != r.end)
				return -1;
			merkle_append(d, &r,
			    choose(&group, g->codes, &choice, &combinations)
				->leaf);
		}
		if (is_wanted(d, g, &r)) {
			if (got != NULL)
				*got = r;
			return (int)try;
		}
	}
	return -1;
}

void
match_ambiguous(const struct stream *s, const struct segment *g, int choice,
    match_fn *fn, void *ctx)
{
	struct cursor c = cursor_at(s, g->start.end);
	uint64_t rest = (uint64_t)choice;
	uint64_t combinations = 1;
	struct group group;

	while (cursor_next(&c, &group) && group.index < g->end) {
		const struct seen *right =
		    choose(&group, g->codes, &rest, &combinations);

		if (group.n_seen > 1)
			fn(ctx, &group, right);
	}
}
