/*
 * chain.c - the proof of one feed: from checkpoint to checkpoint.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "evidence/checkpoint.h"
#include "verify/chain.h"
#include "verify/match.h"

struct state {
	uint64_t size;
	const uint8_t *peaks; /* n hashes; NULL: not known */
	size_t n;
	uint8_t root[DIGEST_LEN];
	const struct mark *mark;    /* that signs it; NULL: only claimed */
	const struct mark *claimer; /* whose peaks `before` these are */
	uint8_t *own;   /* peaks that were worked out, else NULL; owned */
	bool linked;    /* the events lead from here to the next state */
	bool authentic; /* signed, empty, or linked to an authentic one */
};

struct states {
	struct state *list;
	size_t n;
};

/* What must hold for peak j of b, given a: the leaves of a segment, or, for a
 * peak that lies in a already, that it is the same one. */
enum state_step { STEP_LEAVES, STEP_SAME, STEP_DIFFERENT, STEP_UNKNOWN };

static int
states_by_size(const void *a, const void *b)
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

static void
state_of_mark(struct state *st, const struct mark *m)
{
	st->size = m->size;
	st->mark = m;
	memcpy(st->root, m->root, DIGEST_LEN);
	st->n = m->n_after;
	if (m->n_after > 0)
		st->peaks = m->peaks + m->n_before * DIGEST_LEN;
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

		state_of_mark(st, m);
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
unite_states(const struct chain *c, const struct stream *s, struct state *kept,
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
		finding_checkpoint(c->findings, s->label, next->size,
		    "signed twice with different roots (%s, %s): two histories",
		    chain_place(c, kept->mark->place, place[0]),
		    chain_place(c, next->mark->place, place[1]));
	else if (kept->mark != NULL)
		finding_checkpoint(c->findings, s->label, next->claimer->size,
		    "its peaks before do not hash to the root of checkpoint "
		    "%" PRIu64 " (%s)",
		    kept->size, chain_place(c, next->claimer->place, place[0]));
	else
		finding_checkpoint(c->findings, s->label, next->claimer->size,
		    "its peaks before are not those of checkpoint %" PRIu64
		    " (%s)",
		    kept->claimer->size,
		    chain_place(c, next->claimer->place, place[0]));
}

/* Work out the states of a stream; contradictions are said. */
static void
states_make(const struct chain *c, const struct stream *s, struct states *out)
{
	size_t n = 0;

	collect(s, out);
	if (out->n > 1)
		qsort(out->list, out->n, sizeof(*out->list), states_by_size);
	for (size_t i = 0; i < out->n; i++) {
		if (n > 0 && out->list[n - 1].size == out->list[i].size)
			unite_states(c, s, &out->list[n - 1], &out->list[i]);
		else
			out->list[n++] = out->list[i];
	}
	out->n = n;
	for (size_t i = 0; i < n; i++)
		if (out->list[i].mark != NULL)
			out->list[i].authentic = true;
}

static void
states_release(struct states *st)
{
	for (size_t i = 0; i < st->n; i++)
		free(st->list[i].own);
	free(st->list);
}

/* How many steps lead to b: its peaks, or one where only its root is known. */
static size_t
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

static enum state_step
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

/* One stream under examination; runs of one kind become one finding. */
struct diagnosis {
	const struct chain *c;
	struct stream *s;
	struct finding_run run[FINDING_KINDS];
	uint64_t place[FINDING_KINDS]; /* where the run's first event stood */
	uint64_t begins; /* indexes below may lie before the input */
};

static const char *const run_text[FINDING_KINDS] = {
	[FINDING_ALTERED] = "altered",
	[FINDING_PARSED] =
	    "re-serialised: what wrote the input has parsed the event and "
	    "written it anew, so these are not the sealed bytes, and nothing "
	    "is proven of it; export the text as it came, such as _raw, "
	    "message or event.original",
	[FINDING_TRUNCATED] = "truncated by the receiver, whose limit for a "
			      "message is too low",
	[FINDING_UNSEALED] = "no checkpoint in the input covers it",
	[FINDING_NOT_YET] = "not yet covered by a checkpoint",
	[FINDING_BEGINS] = "not covered, because the span of its checkpoint "
			   "begins before the input",
	[FINDING_UNPROVEN] = "present, but not proven, because other events in "
			     "its span are missing or altered",
};

const char *
chain_place(const struct chain *c, uint64_t place, char out[CHAIN_PLACE])
{
	(void)snprintf(out, CHAIN_PLACE, "%s line %" PRIu64,
	    c->inputs[PLACE_INPUT(place)], PLACE_LINE(place));
	return out;
}

static void
missing(const struct chain *c, const struct stream *s, uint64_t first,
    uint64_t end, const char *why)
{
	if (end - first == 1)
		finding_events(c->findings, FINDING_MISSING, s->label, first,
		    first, "missing%s", why);
	else if (first < end)
		finding_events(c->findings, FINDING_MISSING, s->label, first,
		    end - 1, "missing, %" PRIu64 " events%s", end - first, why);
}

void
chain_missing(const struct chain *c, const struct stream *s, uint64_t first,
    uint64_t end, const char *why)
{
	const struct claims_dead_letter *l =
	    claims_dead_letter(c->claims, s->agent, s->name, first, end);

	for (; l != NULL;
	     l = claims_dead_letter(c->claims, s->agent, s->name, first, end)) {
		missing(c, s, first, l->index, why);
		finding_events(c->findings, FINDING_MISSING, s->label, l->index,
		    l->index, "missing: %s", l->text);
		first = l->index + 1;
	}
	missing(c, s, first, end, why);
}

static void
flush(struct diagnosis *x, enum finding_kind kind)
{
	struct finding_run *r = &x->run[kind];
	char place[CHAIN_PLACE];

	if (r->first == r->end)
		return;
	if (kind == FINDING_MISSING)
		chain_missing(x->c, x->s, r->first, r->end, "");
	else
		finding_events(x->c->findings, kind, x->s->label, r->first,
		    r->end - 1, "%s (%s%s)", run_text[kind],
		    r->end - r->first > 1 ? "from " : "",
		    chain_place(x->c, x->place[kind], place));
	*r = (struct finding_run){ .first = 0 };
}

static void
run_add(struct diagnosis *x, enum finding_kind kind, uint64_t first,
    uint64_t end, uint64_t place)
{
	if (first >= end)
		return;
	if (!finding_run_extend(&x->run[kind], first, end)) {
		flush(x, kind);
		(void)finding_run_extend(&x->run[kind], first, end);
	}
	if (x->run[kind].first == first)
		x->place[kind] = place;
}

/* A gap at the very beginning may be what is before the input. */
static void
gap(struct diagnosis *x, uint64_t first, uint64_t end)
{
	if (first < x->begins)
		first = x->begins < end ? x->begins : end;
	run_add(x, FINDING_MISSING, first, end, 0);
}

/* Several events with one index, and the tree does not say which is true. */
static void
conflict(struct diagnosis *x, const struct group *g, const uint8_t *code)
{
	char place[2][CHAIN_PLACE];
	const struct seen *likely = NULL;

	for (size_t i = 0; i < g->n_seen && code != NULL; i++)
		if (memcmp(g->seen[i].leaf, code, PROOF_CODE) == 0)
			likely = &g->seen[i];
	finding_events(x->c->findings, FINDING_CONFLICT, x->s->label, g->index,
	    g->index,
	    "%zu different events have this index (%s, %s%s); which one was "
	    "sealed is not proven%s%s",
	    g->n_seen, chain_place(x->c, g->seen[0].place, place[0]),
	    chain_place(x->c, g->seen[1].place, place[1]),
	    g->n_seen > 2 ? ", …" : "",
	    likely == NULL ? "" : "; the check code matches ",
	    likely == NULL              ? ""
		: likely == &g->seen[0] ? place[0]
					: place[1]);
}

/* What an event that does not match is called, by its place. */
static enum finding_kind
altered(uint64_t place)
{
	if ((place & PLACE_CUT) != 0)
		return FINDING_TRUNCATED;
	return (place & PLACE_PARSED) != 0 ? FINDING_PARSED : FINDING_ALTERED;
}

/* All are there, none is what the codes call altered, yet they do not fit. */
static void
unnarrowed(struct diagnosis *x, uint64_t first, uint64_t end)
{
	const struct seen_list *seen = &x->s->seen;
	size_t at = seen_list_find(seen, first), likely = at;

	if (end - first == 1) {
		run_add(x, altered(seen->list[at].place), first, end,
		    seen->list[at].place);
		return;
	}
	while (likely < seen->n && seen->list[likely].index < end &&
	    altered(seen->list[likely].place) == FINDING_ALTERED)
		likely++;
	finding_events(x->c->findings, FINDING_UNNARROWED, x->s->label, first,
	    end - 1,
	    "one or more of these events are %s; which ones is not known",
	    likely == seen->n || seen->list[likely].index >= end
		? "altered"
		: run_text[altered(seen->list[likely].place)]);
}

/* match_fn: all readings but the right one were put in by someone. */
static void
forged(void *ctx, const struct group *g, const struct seen *right)
{
	struct diagnosis *x = ctx;
	char place[2][CHAIN_PLACE];
	bool seen = right >= g->seen && right < g->seen + g->n_seen;

	for (size_t i = 0; i < g->n_seen; i++) {
		/* The right one may be another reading of the same line. */
		if ((!seen && g->seen[i].place == right->place) ||
		    memcmp(g->seen[i].leaf, right->leaf, DIGEST_LEN) == 0)
			continue;
		finding_events(x->c->findings, FINDING_FORGED, x->s->label,
		    g->index, g->index,
		    "forged: %s is not the sealed event, the one in %s is",
		    chain_place(x->c, g->seen[i].place, place[0]),
		    chain_place(x->c, right->place, place[1]));
	}
}

/* The events [first, end) do not lead where they should, or it is not known
 * where that is (not suspect): say which are missing, which the codes call
 * altered, and what that leaves. */
static void
diagnose(struct diagnosis *x, uint64_t first, uint64_t end,
    const struct mark *codes, bool suspect)
{
	enum finding_kind rest = FINDING_UNPROVEN;
	struct cursor c = cursor_at(x->s, first);
	struct group g;
	uint64_t at = first;
	uint64_t mismatches = 0;
	uint64_t holes = 0;

	for (; cursor_next(&c, &g) && g.index < end; at = g.index + 1) {
		const uint8_t *code = code_of(codes, g.index);

		gap(x, at, g.index);
		holes += at < g.index && g.index > x->begins;
		if (g.n_seen > 1)
			conflict(x, &g, code);
		if (code == NULL || group_agree(&g, code) > 0)
			continue;
		mismatches++;
		run_add(x, altered(g.seen[0].place), g.index, g.index + 1,
		    g.seen[0].place);
	}
	gap(x, at, end);
	holes += at < end && end > x->begins;
	if (suspect && holes + mismatches == 0) {
		if (first >= x->begins) {
			unnarrowed(x, first, end);
			return;
		}
		rest = FINDING_BEGINS;
	}
	c = cursor_at(x->s, first);
	while (cursor_next(&c, &g) && g.index < end) {
		const uint8_t *code = code_of(codes, g.index);

		if (code == NULL || group_agree(&g, code) > 0)
			run_add(x, rest, g.index, g.index + 1, g.seen[0].place);
	}
}

/* The events from one state to the next. */
static void
examine(struct diagnosis *x, const struct state *a, const struct state *b)
{
	struct segment g;

	if (!b->authentic) {
		diagnose(x, a->size, b->size, NULL, false);
		return;
	}
	for (size_t j = 0; j < state_steps(b); j++) {
		enum state_step step = state_step(a, b, j, &g);
		int choice = -1;

		if (step == STEP_DIFFERENT) {
			finding_checkpoint(x->c->findings, x->s->label, b->size,
			    "inconsistent with the tree of %" PRIu64
			    " events before it: another history",
			    a->size);
			continue;
		}
		if (step == STEP_LEAVES)
			choice = fit(x->c->digest, x->s, &g, NULL);
		if (choice == -1) {
			diagnose(x, g.start.end, g.end, b->mark,
			    step == STEP_LEAVES);
			continue;
		}
		stream_prove(x->s, g.start.end, g.end);
		match_ambiguous(x->s, &g, choice, forged, x);
	}
}

/* Whether the events lead from a to b; the peaks of b become known. */
static bool
link_states(const struct chain *c, const struct stream *s,
    const struct state *a, struct state *b)
{
	struct merkle_range got;
	struct segment g;

	for (size_t j = 0; j < state_steps(b); j++) {
		enum state_step step = state_step(a, b, j, &g);

		if (step == STEP_SAME)
			continue;
		if (step != STEP_LEAVES || fit(c->digest, s, &g, &got) == -1)
			return false;
	}
	if (b->peaks == NULL) {
		b->own = xmalloc(got.n * DIGEST_LEN);
		memcpy(b->own, got.node, got.n * DIGEST_LEN);
		b->peaks = b->own;
		b->n = got.n;
	}
	return true;
}

static void
link_all(const struct chain *c, const struct stream *s, struct states *st)
{
	for (size_t i = 1; i < st->n; i++)
		st->list[i - 1].linked =
		    link_states(c, s, &st->list[i - 1], &st->list[i]);
	for (size_t i = st->n; i-- > 1;)
		if (st->list[i - 1].linked && st->list[i].authentic)
			st->list[i - 1].authentic = true;
}

/*
 * Histories.
 *
 * A checkpoint can be signed well and yet be of another history: then the
 * events lead past it, from a checkpoint before to one behind.  It must not
 * stand between those.
 */

/* How many checkpoints behind one that does not fit are tried. */
#define AHEAD_MAX 32
#define BUDGET_MIN 100000

/* The checkpoints of a stream, without what they claim, and what is known of
 * each: events lead to or from it; they lead past it. */
struct history {
	struct states st;
	bool *linked;
	bool *foreign;
	uint64_t budget; /* events that may be gone through in vain */
};

/* Is the tree of a, which is no larger, not the one that b grew from? */
static bool
contradicts(const struct state *a, const struct state *b)
{
	struct segment g;

	if (a->size == b->size)
		return memcmp(a->root, b->root, DIGEST_LEN) != 0;
	for (size_t j = 0; j < state_steps(b); j++)
		if (state_step(a, b, j, &g) == STEP_DIFFERENT)
			return true;
	return false;
}

/* The first of the next states to which the events lead from a; n: none.  Where
 * all is altered one try each has to do. */
static size_t
next_linked(const struct chain *c, const struct stream *s, struct history *h,
    const struct state *a, size_t from)
{
	for (size_t j = from; j < h->st.n && j < from + AHEAD_MAX; j++) {
		struct state *b = &h->st.list[j];

		if (j > from && b->size - a->size > h->budget)
			break;
		if (j > from)
			h->budget -= b->size - a->size;
		if (b->size == a->size
			? memcmp(b->root, a->root, DIGEST_LEN) == 0
			: link_states(c, s, a, b))
			return j;
	}
	return h->st.n;
}

/* Go from state to state; what is gone past is foreign. */
static void
follow(const struct chain *c, const struct stream *s, struct history *h)
{
	struct state empty = { .peaks = (const uint8_t *)"" };
	bool begins = s->seen.n > 0 && s->seen.list[0].index == 0;
	const struct state *a = begins ? &empty : &h->st.list[0];
	size_t at = 0, i = begins ? 0 : 1, j;

	while (i < h->st.n) {
		j = next_linked(c, s, h, a, i);
		if (j < h->st.n) {
			h->linked[j] = true;
			if (a != &empty)
				h->linked[at] = true;
			for (; i < j; i++)
				h->foreign[i] = true;
		}
		at = i++;
		a = &h->st.list[at];
	}
}

/* What nothing leads to, and contradicts the nearest before or behind it that
 * is linked, is of another history, too. */
static void
compare_histories(struct history *h)
{
	const struct state *near = NULL, *st = h->st.list;

	for (size_t i = 0; i < h->st.n; i++) {
		if (h->linked[i])
			near = &st[i];
		else if (near != NULL && contradicts(near, &st[i]))
			h->foreign[i] = true;
	}
	near = NULL;
	for (size_t i = h->st.n; i-- > 0;) {
		if (h->linked[i])
			near = &st[i];
		else if (near != NULL && contradicts(&st[i], near))
			h->foreign[i] = true;
	}
}

static void
report_foreign(const struct chain *c, const struct stream *s,
    const struct history *h, size_t i)
{
	const struct state *st = &h->st.list[i];
	char place[2][CHAIN_PLACE];

	for (size_t j = 0; j < h->st.n; j++)
		if (h->linked[j] && h->st.list[j].size == st->size) {
			finding_checkpoint(c->findings, s->label, st->size,
			    "signed twice with different roots (%s, %s): two "
			    "histories; the events lead to the second",
			    chain_place(c, st->mark->place, place[0]),
			    chain_place(c, h->st.list[j].mark->place,
				place[1]));
			return;
		}
	finding_checkpoint(c->findings, s->label, st->size,
	    "two histories: it is signed, and other checkpoints and the events "
	    "between them contradict it (%s)",
	    chain_place(c, st->mark->place, place[0]));
}

/* Take the foreign ones out of the stream. */
static void
drop_foreign(const struct chain *c, struct stream *s, const struct history *h)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_marks; i++)
		if (h->foreign[i])
			report_foreign(c, s, h, i);
	for (size_t i = 0; i < s->n_marks; i++) {
		if (!h->foreign[i]) {
			s->mark[n++] = s->mark[i];
			continue;
		}
		free(s->mark[i].peaks);
		free(s->mark[i].check);
	}
	s->n_marks = n;
}

/* Leave only checkpoints of one history in the stream, as far as events and
 * the others tell. */
static void
one_history(const struct chain *c, struct stream *s)
{
	struct history h = { .st.n = s->n_marks,
		.budget = 4 * (uint64_t)s->seen.n + BUDGET_MIN };

	if (s->n_marks < 2)
		return;
	h.st.list = xcalloc(s->n_marks, sizeof(*h.st.list));
	h.linked = xcalloc(s->n_marks, sizeof(*h.linked));
	h.foreign = xcalloc(s->n_marks, sizeof(*h.foreign));
	for (size_t i = 0; i < s->n_marks; i++)
		state_of_mark(&h.st.list[i], &s->mark[i]);
	follow(c, s, &h);
	compare_histories(&h);
	drop_foreign(c, s, &h);
	states_release(&h.st);
	free(h.linked);
	free(h.foreign);
}

/* Events of [first, end) that no checkpoint reaches. */
static void
outside(struct diagnosis *x, uint64_t first, uint64_t end,
    enum finding_kind kind)
{
	struct cursor c = cursor_at(x->s, first);
	struct group g;

	for (; cursor_next(&c, &g) && g.index < end; first = g.index + 1) {
		gap(x, first, g.index);
		if (g.n_seen > 1)
			conflict(x, &g, NULL);
		run_add(x, kind, g.index, g.index + 1, g.seen[0].place);
	}
	if (end != UINT64_MAX)
		gap(x, first, end);
}

/* Events that name no agent, behind the trees of all that have the feed: of
 * which one they are is not known, so nothing is missing between them. */
static void
tail(struct diagnosis *x)
{
	const struct seen_list *seen = &x->s->seen;

	for (size_t i = 0; i < seen->n; i++)
		if (i == 0 || seen->list[i - 1].index != seen->list[i].index)
			run_add(x, FINDING_NOT_YET, seen->list[i].index,
			    seen->list[i].index + 1, seen->list[i].place);
}

/* From where on gaps are gaps: an input may begin inside a feed, and there
 * inside the span of a checkpoint. */
static uint64_t
beginning(const struct stream *s, const struct states *st)
{
	uint64_t first = s->seen.n > 0 ? s->seen.list[0].index : UINT64_MAX;

	if (st->n < 2 || st->list[0].size == 0 || first < st->list[0].size)
		return 0;
	return first < st->list[1].size ? first : st->list[1].size;
}

/* The events from one state to the next, quickly where all is well. */
static void
pass(struct diagnosis *x, const struct state *a, const struct state *b)
{
	size_t seen = seen_list_find(&x->s->seen, b->size) -
	    seen_list_find(&x->s->seen, a->size);

	if (a->linked && b->authentic && seen == b->size - a->size)
		stream_prove(x->s, a->size, b->size);
	else
		examine(x, a, b);
}

void
chain_check(const struct chain *c, struct stream *s)
{
	struct diagnosis x = { .c = c, .s = s };
	uint64_t first = s->seen.n > 0 ? s->seen.list[0].index : 0;
	struct states st;

	one_history(c, s);
	states_make(c, s, &st);
	link_all(c, s, &st);
	if (st.n < 2 && s->owned) {
		tail(&x);
	} else if (st.n < 2) {
		finding_feed(c->findings, FINDING_UNSEALED, s->label,
		    "no valid checkpoint, so none of its events is proven");
		outside(&x, first, UINT64_MAX, FINDING_NOT_YET);
	} else {
		x.begins = beginning(s, &st);
		if (first < st.list[0].size)
			outside(&x, first, st.list[0].size, FINDING_UNSEALED);
		if (st.list[0].size > 0)
			finding_feed(c->findings, FINDING_BEGINS, s->label,
			    "the input begins at index %" PRIu64,
			    s->seen.n > 0 ? first : st.list[1].size);
		for (size_t i = 1; i < st.n; i++)
			pass(&x, &st.list[i - 1], &st.list[i]);
		outside(&x, st.list[st.n - 1].size, UINT64_MAX,
		    FINDING_NOT_YET);
	}
	for (int kind = 0; kind < FINDING_KINDS; kind++)
		flush(&x, (enum finding_kind)kind);
	states_release(&st);
}
