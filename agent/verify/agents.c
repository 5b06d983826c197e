/*
 * agents.c - whose events are those that name no agent.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "evidence/checkpoint.h"
#include "verify/agents.h"
#include "verify/match.h"

/* A tree, while it is given events in the order of their index. */
struct owner {
	struct stream *s;
	size_t named;   /* events that name it: the first so many */
	uint64_t size;  /* behind the last event it has so far */
	uint64_t place; /* of that event */
	size_t mark;    /* the first that may cover the next index */
};

struct settling {
	struct stream *rest;
	struct owner *owner;
	size_t n;
};

static const uint8_t *
owner_code(struct owner *o, uint64_t index)
{
	const struct stream *s = o->s;
	const uint8_t *code = NULL;

	while (o->mark < s->n_marks && s->mark[o->mark].size <= index)
		o->mark++;
	for (size_t i = o->mark; i < s->n_marks && code == NULL; i++)
		code = code_of(&s->mark[i], index);
	return code;
}

static bool
is_covered(const struct owner *o, uint64_t index)
{
	return o->s->n_marks > 0 && index < o->s->mark[o->s->n_marks - 1].size;
}

static bool
has_index(const struct owner *o, uint64_t index)
{
	const struct seen_list named = { .list = o->s->seen.list,
		.n = o->named };
	size_t at = seen_list_find(&named, index);

	return (at < named.n && named.list[at].index == index) ||
	    (o->s->seen.n > o->named &&
		o->s->seen.list[o->s->seen.n - 1].index == index);
}

/* Whether e, or another reading of its line, has the code. */
static bool
matches(const struct group *g, const struct seen *e, const uint8_t *code)
{
	if (code == NULL)
		return false;
	if (memcmp(e->leaf, code, PROOF_CODE) == 0)
		return true;
	for (size_t i = 0; i < g->n_other; i++)
		if (g->other[i].place == e->place &&
		    memcmp(g->other[i].leaf, code, PROOF_CODE) == 0)
			return true;
	return false;
}

static void
give(struct owner *o, const struct group *g, const struct seen *e)
{
	seen_list_add(&o->s->seen, e->index, e->place, e->leaf);
	for (size_t i = 0; i < g->n_other; i++)
		if (g->other[i].place == e->place)
			seen_list_add(&o->s->other, g->index, e->place,
			    g->other[i].leaf);
	o->s->events++;
	if (e->index + 1 > o->size)
		o->size = e->index + 1;
	o->place = e->place;
}

static uint64_t
distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* The tree that e continues, whose last line stood nearest; NULL: none. */
static struct owner *
continued(struct settling *t, const struct seen *e)
{
	struct owner *best = NULL;

	for (size_t i = 0; i < t->n; i++) {
		struct owner *o = &t->owner[i];

		if (o->size == e->index && !has_index(o, e->index) &&
		    (best == NULL ||
			distance(o->place, e->place) <
			    distance(best->place, e->place)))
			best = o;
	}
	return best;
}

/* e has no tree's code: it fills the gap of each tree that has one there; else
 * it continues one; else it was put into one that covers it.  False: nobody
 * knows. */
static bool
place_leftover(struct settling *t, const struct group *g, const struct seen *e)
{
	struct owner *covering = NULL, *o;
	bool given = false;

	for (size_t i = 0; i < t->n; i++) {
		o = &t->owner[i];
		if (!is_covered(o, e->index))
			continue;
		if (covering == NULL)
			covering = o;
		if (has_index(o, e->index))
			continue;
		give(o, g, e);
		given = true;
	}
	if (given)
		return true;
	o = continued(t, e);
	if (o == NULL)
		o = covering;
	if (o != NULL)
		give(o, g, e);
	return o != NULL;
}

/* Whether the tree has the very event at that index already. */
static bool
has_event(const struct owner *o, const struct seen *e)
{
	const struct seen_list *l = &o->s->seen;

	for (size_t i = l->n; i > o->named && l->list[i - 1].index == e->index;
	     i--)
		if (memcmp(l->list[i - 1].leaf, e->leaf, DIGEST_LEN) == 0)
			return true;
	return false;
}

/* Give e to the trees whose code it has: whether there is one that wants it.  A
 * copy of what they have may be another tree's. */
static bool
place_known(struct settling *t, const struct group *g, const struct seen *e)
{
	bool given = false, copy = false;

	for (size_t i = 0; i < t->n; i++) {
		struct owner *o = &t->owner[i];

		if (!matches(g, e, owner_code(o, e->index)))
			continue;
		if (has_event(o, e)) {
			copy = true;
			continue;
		}
		give(o, g, e);
		given = true;
	}
	return given || (copy && continued(t, e) == NULL);
}

/* All that was seen without an agent at one index; known[]: it has found its
 * tree. */
static void
settle_group(struct settling *t, const struct group *g, struct seen_list *left)
{
	bool *known = xcalloc(g->n_seen, sizeof(*known));

	for (size_t k = 0; k < g->n_seen; k++)
		known[k] = place_known(t, g, &g->seen[k]);
	for (size_t k = 0; k < g->n_seen; k++) {
		const struct seen *e = &g->seen[k];

		if (!known[k] && !place_leftover(t, g, e))
			seen_list_add(left, e->index, e->place, e->leaf);
	}
	free(known);
}

static void
settle_all(struct settling *t)
{
	struct seen_list left = { .n = 0 };
	struct cursor c = cursor_at(t->rest, 0);
	struct group g;

	while (cursor_next(&c, &g))
		settle_group(t, &g, &left);
	free(t->rest->seen.list);
	t->rest->seen = left;
	for (size_t i = 0; i < t->n; i++)
		stream_sort(t->owner[i].s, NULL, NULL);
}

/* All events without an agent are those of the only tree. */
static void
unite(struct stream *rest, struct stream *s)
{
	struct owner o = { .s = s };
	struct cursor c = cursor_at(rest, 0);
	struct group g;

	while (cursor_next(&c, &g))
		for (size_t k = 0; k < g.n_seen; k++)
			give(&o, &g, &g.seen[k]);
	s->repeated += rest->repeated;
	rest->repeated = 0;
	rest->seen.n = 0;
	stream_sort(s, NULL, NULL);
}

static bool
begin_owner(struct owner *o, struct stream *s)
{
	if (s->agent[0] == '\0' || s->n_marks == 0)
		return false;
	*o = (struct owner){ .s = s, .named = s->seen.n };
	o->size = stream_size(s);
	if (s->seen.n > 0)
		o->place = s->seen.list[s->seen.n - 1].place;
	else
		o->place = s->mark[s->n_marks - 1].place;
	return true;
}

void
agents_settle(struct stream **group, size_t n)
{
	struct settling t = { .owner = xcalloc(n, sizeof(*t.owner)) };

	for (size_t i = 0; i < n; i++) {
		if (group[i]->agent[0] == '\0')
			t.rest = group[i];
		else if (begin_owner(&t.owner[t.n], group[i]))
			t.n++;
	}
	if (t.rest != NULL && t.n == 1)
		unite(t.rest, t.owner[0].s);
	else if (t.rest != NULL && t.n > 1)
		settle_all(&t);
	if (t.rest != NULL)
		t.rest->owned = t.n > 0;
	free(t.owner);
}
