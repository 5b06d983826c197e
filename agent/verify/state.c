/*
 * state.c - the known states of a feed's tree.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "verify/state.h"

static int
by_size(const void *a, const void *b)
{
	const struct state *x = a;
	const struct state *y = b;
	const struct mark *m = x->mark != NULL ? x->mark : x->claimer;
	const struct mark *n = y->mark != NULL ? y->mark : y->claimer;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	/* The empty tree, then signed ones, then claims. */
	if (m == NULL || n == NULL)
		return (m != NULL) - (n != NULL);
	if ((x->mark == NULL) != (y->mark == NULL))
		return (x->mark == NULL) - (y->mark == NULL);
	return m->place < n->place ? -1 : m->place > n->place;
}

/* All states that are said, one or several a size. */
static void
collect(const struct stream *s, struct states *out)
{
	bool empty = s->seen.n > 0 && s->seen.list[0].index == 0;

	out->list = xcalloc(2 * s->n_marks + 1, sizeof(*out->list));
	out->n = 0;
	for (size_t i = 0; i < s->n_marks; i++) {
		const struct mark *m = &s->mark[i];
		struct state *st = &out->list[out->n++];

		st->size = m->size;
		st->mark = m;
		memcpy(st->root, m->root, DIGEST_LEN);
		st->n = m->n_after;
		if (m->n_after > 0)
			st->peaks = m->peaks + m->n_before * DIGEST_LEN;
		if (m->from == 0) {
			empty = true;
			continue;
		}
		st = &out->list[out->n++];
		st->size = m->from;
		st->claimer = m;
		memcpy(st->root, m->before, DIGEST_LEN);
		st->n = m->n_before;
		st->peaks = m->peaks;
	}
	if (empty) {
		out->list[out->n].peaks = (const uint8_t *)"";
		out->list[out->n++].authentic = true;
	}
}

/* Two statements about the same size: keep the first, say it when they
 * contradict each other. */
static void
unite(const struct chain *c, const struct stream *s, struct state *kept,
    const struct state *next)
{
	char place[2][CHAIN_PLACE];

	if (memcmp(kept->root, next->root, DIGEST_LEN) == 0) {
		if (kept->peaks == NULL) {
			kept->peaks = next->peaks;
			kept->n = next->n;
		}
		if (next->mark != NULL && kept->mark->check == NULL)
			kept->mark = next->mark;
		return;
	}
	if (next->mark != NULL)
		found_checkpoint(c->founds, s->name, next->size,
		    "signed twice with different roots (%s, %s): two histories",
		    chain_place(c, kept->mark->place, place[0]),
		    chain_place(c, next->mark->place, place[1]));
	else if (kept->mark != NULL)
		found_checkpoint(c->founds, s->name, next->claimer->size,
		    "its peaks before do not hash to the root of checkpoint "
		    "%" PRIu64 " (%s)",
		    kept->size, chain_place(c, next->claimer->place, place[0]));
	else
		found_checkpoint(c->founds, s->name, next->claimer->size,
		    "its peaks before are not those of checkpoint %" PRIu64
		    " (%s)",
		    kept->claimer->size,
		    chain_place(c, next->claimer->place, place[0]));
}

void
states_make(const struct chain *c, const struct stream *s, struct states *out)
{
	size_t n = 0;

	collect(s, out);
	if (out->n > 1)
		qsort(out->list, out->n, sizeof(*out->list), by_size);
	for (size_t i = 0; i < out->n; i++) {
		if (n > 0 && out->list[n - 1].size == out->list[i].size)
			unite(c, s, &out->list[n - 1], &out->list[i]);
		else
			out->list[n++] = out->list[i];
	}
	out->n = n;
	for (size_t i = 0; i < n; i++)
		if (out->list[i].mark != NULL)
			out->list[i].authentic = true;
}

void
states_release(struct states *st)
{
	for (size_t i = 0; i < st->n; i++)
		free(st->list[i].own);
	free(st->list);
}

size_t
state_steps(const struct state *b)
{
	return b->peaks == NULL ? 1 : b->n;
}

/* The leaves below peak j of a tree with so many. */
static struct range
peak_leaves(uint64_t size, size_t j)
{
	struct range r = { .first = 0, .end = 0 };

	for (unsigned bit = 64; bit-- > 0;) {
		if ((size >> bit & 1) == 0)
			continue;
		r.first = r.end;
		r.end += UINT64_C(1) << bit;
		if (j-- == 0)
			break;
	}
	return r;
}

enum state_step
state_step(const struct state *a, const struct state *b, size_t j,
    struct segment *g)
{
	struct range leaves = { .first = 0, .end = b->size };

	g->is_root = b->peaks == NULL;
	g->want = b->root;
	g->codes = b->mark;
	if (!g->is_root) {
		leaves = peak_leaves(b->size, j);
		g->want = b->peaks + j * DIGEST_LEN;
	}
	g->end = leaves.end;
	if (leaves.first >= a->size) {
		merkle_range_init(&g->start, leaves.first);
		return STEP_LEAVES;
	}
	/* The peaks left of a peak of b are peaks of a, too: the highest bits
	 * of the two sizes are the same as far as that. */
	if (leaves.end <= a->size) {
		merkle_range_init(&g->start, leaves.end);
		if (a->peaks == NULL)
			return STEP_UNKNOWN;
		if (memcmp(a->peaks + j * DIGEST_LEN, g->want, DIGEST_LEN) == 0)
			return STEP_SAME;
		return STEP_DIFFERENT;
	}
	if (a->peaks != NULL &&
	    merkle_load(&g->start, leaves.first, a->size,
		a->peaks + j * DIGEST_LEN, (a->n - j) * DIGEST_LEN) == 0)
		return STEP_LEAVES;
	merkle_range_init(&g->start, a->size);
	return STEP_UNKNOWN;
}
