/*
 * splitter_repair.c - how the split of an array goes on behind an element that
 * is broken.
 *
 * From the fault on bytes are gathered until it is known where the broken
 * element ends: where its brackets do, if they are in order but for what the
 * splitter cannot take (a raw line break in a string), and else before the
 * next object that is whole, looks like an element, and is followed as one
 * should be.  What is behind goes the fast way again.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/splitter_private.h"
#include "base/splitter_shape.h"

/* Gathered at once. */
#define PIECE ((size_t)64 * 1024)

/* So many times the bytes that are gathered may be looked at. */
#define LOOKS 16

/* Where the gathered bytes go on. */
enum verdict {
	REPAIR_WAIT, /* not known yet */
	REPAIR_FOUND,
	REPAIR_NONE /* nothing of them can be an element again */
};

/* The gathered bytes, and what may still be done with them. */
struct sight {
	const struct splitter *s;
	const char *p;
	size_t len;
	bool last;     /* no more bytes come */
	size_t budget; /* bytes that may be looked at */
};

struct cut {
	size_t bad;    /* so many bytes are broken */
	size_t resume; /* from here on the split goes on, … */
	enum expected expected;
};

static void
scan(struct sight *g, size_t at, struct shape *shape)
{
	const struct splitter_spec *spec = g->s->spec;
	size_t cost;

	shape_scan(g->p + at, g->len - at, spec->id, spec->time, SPLITTER_DEPTH,
	    shape);
	cost = shape->end + 1;
	g->budget -= cost < g->budget ? cost : g->budget;
	shape->end += at;
	if (shape->string > 0)
		shape->string += at;
}

/* The first byte from at on that is not white space, or the length. */
static size_t
past_space(const struct sight *g, size_t at)
{
	while (at < g->len && splitter_space(g->p[at]))
		at++;
	return at;
}

/* Is what stands at at what follows an element? */
static enum verdict
followed(const struct sight *g, size_t at)
{
	at = past_space(g, at);
	if (at == g->len)
		return g->last ? REPAIR_NONE : REPAIR_WAIT;
	if (g->p[at] == ',')
		return REPAIR_FOUND;
	if (g->p[at] != ']')
		return REPAIR_NONE;
	if (g->s->level > 0)
		return REPAIR_FOUND;
	/* The document is the array: it ends here, or this is another one. */
	if (past_space(g, at + 1) < g->len)
		return REPAIR_NONE;
	return g->last ? REPAIR_FOUND : REPAIR_WAIT;
}

/* Does an element begin at the brace at at? */
static enum verdict
begins(struct sight *g, size_t at)
{
	const struct splitter_spec *spec = g->s->spec;
	struct shape shape;

	scan(g, at, &shape);
	if (shape.kind == SHAPE_CUT)
		return g->last ? REPAIR_NONE : REPAIR_WAIT;
	if (shape.kind == SHAPE_WRONG || !shape.clean ||
	    (spec->id != NULL && !shape.id) ||
	    (spec->time != NULL && g->s->timed && !shape.time))
		return REPAIR_NONE;
	return followed(g, shape.end);
}

/* The first byte of the white space and commas in front of at. */
static size_t
before(const struct sight *g, size_t at, bool *comma)
{
	*comma = false;
	while (at > 0 &&
	    (splitter_space(g->p[at - 1]) || g->p[at - 1] == ',')) {
		at--;
		*comma = *comma || g->p[at] == ',';
	}
	return at;
}

/* Look for the next element from from on. */
static enum verdict
search(struct sight *g, size_t from, struct cut *cut)
{
	for (size_t at = from; at < g->len && g->budget > 0; at++) {
		const char *brace = memchr(g->p + at, '{', g->len - at);
		enum verdict v;
		bool comma;

		if (brace == NULL)
			break;
		at = (size_t)(brace - g->p);
		cut->bad = before(g, at, &comma);
		if (!comma && cut->bad > 0)
			continue;
		cut->resume = at;
		cut->expected = EXPECT_FIRST;
		v = begins(g, at);
		if (v != REPAIR_NONE)
			return v;
	}
	return g->last ? REPAIR_NONE : REPAIR_WAIT;
}

/* Commas too many or too few between elements: nothing is broken. */
static bool
is_separator(struct sight *g, struct cut *cut)
{
	struct shape shape;
	size_t at = 0;

	while (at < g->len && (g->p[at] == ',' || splitter_space(g->p[at])))
		at++;
	*cut = (struct cut){ .resume = at, .expected = EXPECT_FIRST };
	if (at == g->len)
		return false;
	if (g->p[at] == ']')
		return true;
	scan(g, at, &shape);
	return shape.kind == SHAPE_WHOLE && shape.clean;
}

static enum verdict
decide(struct sight *g, struct cut *cut)
{
	struct shape shape;
	size_t from;

	if (g->s->repair_between && is_separator(g, cut))
		return REPAIR_FOUND;
	scan(g, 0, &shape);
	if (shape.kind == SHAPE_CUT && !g->last)
		return REPAIR_WAIT;
	if (shape.kind == SHAPE_WHOLE) {
		enum verdict v = followed(g, shape.end);

		*cut = (struct cut){ .bad = shape.end,
			.resume = shape.end,
			.expected = EXPECT_COMMA };
		if (v != REPAIR_NONE)
			return v;
	}
	/* A quote too many or too few makes a string of what follows, so the
	 * next element may begin inside the last one. */
	from = shape.end;
	if (shape.string > 0 && shape.string < from)
		from = shape.string;
	return search(g, from, cut);
}

/* The broken element: len of the bytes that are gathered, and what was
 * dropped. */
static struct element
broken(const struct splitter *s, size_t len)
{
	struct element el = {
		.array = s->array, .bad = s->why, .len = s->repair_dropped + len
	};

	if (s->repair_dropped == 0 && len <= s->spec->max)
		el.data = s->repair.data + s->repair_at;
	return el;
}

/* Make the splitter one that stands in the array, where the gathered bytes
 * are now. */
static void
stand(struct splitter *s, enum expected expected)
{
	s->repairing = false;
	s->mode = MODE_BETWEEN;
	s->expected = expected;
	s->carry = (struct carry){ .inside = 0 };
	s->offset = s->repair_offset + s->repair_at;
	s->skipping = false;
	s->longer = false;
	s->eating = false;
	s->depth = 0;
	buf_clear(&s->kept);
}

/* Forget what is gathered in front of n bytes from the end. */
static void
forget(struct splitter *s, size_t n)
{
	size_t gone = s->repair.len - n;

	s->repair_offset += gone;
	buf_drop(&s->repair, gone);
	s->repair_at = 0;
}

/* Of a broken element that is too long the end is looked for in its last
 * bytes. */
static void
drop_some(struct splitter *s)
{
	size_t len = s->repair.len - s->repair_at;
	size_t keep = s->spec->max / 2 < PIECE ? s->spec->max / 2 : PIECE;

	s->repair_dropped += len - keep;
	s->repair_next = 0;
	forget(s, keep);
}

int
splitter_repair(struct splitter *s, bool last, struct err *err)
{
	size_t len = s->repair.len - s->repair_at;
	bool large = len > s->spec->max;
	struct sight g = { .s = s,
		.p = len > 0 ? s->repair.data + s->repair_at : NULL,
		.len = len,
		.last = last || large,
		.budget = LOOKS * len + PIECE };
	struct element el;
	struct cut cut;

	if (len == 0 || (!last && !large && len < s->repair_next))
		return 0;
	if (decide(&g, &cut) != REPAIR_FOUND) {
		/* Each look costs as much as there is: not one a push. */
		s->repair_next = len + len / 2;
		if (large)
			drop_some(s);
		return 0;
	}
	el = broken(s, cut.bad);
	s->repair_at += cut.resume;
	stand(s, cut.expected);
	if (el.len > 0 && s->take(s->ctx, &el, err) != 0)
		return -1;
	return 1;
}

int
splitter_repair_begin(struct splitter *s, const char *from, struct err *err)
{
	size_t at = s->repair.len > 0 ? (size_t)(from - s->repair.data) : 0;

	s->repairing = true;
	s->repair_between = s->mode == MODE_BETWEEN;
	s->repair_dropped = 0;
	s->repair_next = 0;
	if (s->repair_between || s->skipping) {
		if (s->skipping)
			s->repair_dropped = s->wrong_offset - s->started;
		s->repair_at = at;
		s->repair_offset = s->wrong_offset - at;
		return 0;
	}
	/* What was kept goes in front of the rest; it is from there, mostly. */
	if (s->repair.len == 0) {
		s->repair_at = 0;
		s->repair_offset = s->started;
		return buf_add(&s->repair, s->kept.data, s->kept.len) == 0
		    ? 0
		    : err_set(err, "no memory for a broken element");
	}
	if (at < s->kept.len) {
		size_t more = s->kept.len - at;

		if (buf_room(&s->repair, more) == NULL)
			return err_set(err, "no memory for a broken element");
		memmove(s->repair.data + s->kept.len, s->repair.data + at,
		    s->repair.len - at);
		s->repair.len += more;
		at = s->kept.len;
	}
	s->repair_at = at - s->kept.len;
	if (s->kept.len > 0)
		memcpy(s->repair.data + s->repair_at, s->kept.data,
		    s->kept.len);
	s->repair_offset = s->started - s->repair_at;
	return 0;
}

int
splitter_repair_add(struct splitter *s, const char **p, size_t *len,
    struct err *err)
{
	size_t n = *len < PIECE ? *len : PIECE;

	if (s->repair_at > PIECE)
		forget(s, s->repair.len - s->repair_at);
	if (buf_add(&s->repair, *p, n) != 0)
		return err_set(err, "no memory for a broken element");
	*p += n;
	*len -= n;
	return 0;
}

bool
splitter_tail(const struct splitter *s, struct element *el)
{
	struct sight g = { .s = s, .budget = PIECE };
	size_t len = s->repair.len;
	struct shape shape;

	if (!s->repairing || s->level > 0 || len == 0)
		return false;
	g.p = s->repair.data + s->repair_at;
	g.len = len - s->repair_at;
	scan(&g, 0, &shape);
	if (shape.kind != SHAPE_WRONG)
		return false;
	while (len > s->repair_at && splitter_space(s->repair.data[len - 1]))
		len--;
	if (len == s->repair_at || s->repair.data[len - 1] != ']')
		return false;
	*el = broken(s, len - 1 - s->repair_at);
	return true;
}
