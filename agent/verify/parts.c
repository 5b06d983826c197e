/*
 * parts.c - puts split events together again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "verify/parts.h"

/* What is held of incomplete events, together: far more than a receiver lets
 * arrive out of order. */
#define HELD_MOST (256 * 1024 * 1024)
#define PENDING_MOST 1024

/* Parts with other bytes than one before, of an event; a forger's doing. */
#define SPARE_MOST 16
#define COMBINATIONS_MOST 64

struct piece {
	unsigned part;
	uint64_t place;
	size_t len;
	char *data;
};

struct pending {
	char feed[FRAME_FEED + 1];
	struct frame frame; /* value unused; feed points to feed */
	uint64_t place;
	unsigned distinct;
	struct piece *piece; /* sorted by part */
	size_t n;
};

struct parts {
	struct pending *pending[PENDING_MOST];
	size_t n;
	size_t held;
};

struct parts *
parts_new(void)
{
	return xcalloc(1, sizeof(struct parts));
}

static void
drop(struct parts *p, size_t at)
{
	struct pending *e = p->pending[at];

	for (size_t i = 0; i < e->n; i++) {
		p->held -= e->piece[i].len;
		free(e->piece[i].data);
	}
	free(e->piece);
	free(e);
	p->pending[at] = p->pending[--p->n];
}

void
parts_free(struct parts *p)
{
	if (p == NULL)
		return;
	while (p->n > 0)
		drop(p, p->n - 1);
	free(p);
}

/* Where the event of f is kept, p->n: nowhere. */
static size_t
find(const struct parts *p, const struct frame *f)
{
	size_t i;

	/* Its other parts came just before, mostly. */
	for (i = p->n; i-- > 0;) {
		const struct frame *e = &p->pending[i]->frame;

		if (e->number == f->number && e->parts == f->parts &&
		    e->kind == f->kind && e->feed.len == f->feed.len &&
		    memcmp(e->feed.data, f->feed.data, f->feed.len) == 0)
			return i;
	}
	return p->n;
}

static size_t
begin(struct parts *p, const struct frame *f, uint64_t place)
{
	struct pending *e = xcalloc(1, sizeof(*e));

	memcpy(e->feed, f->feed.data, f->feed.len);
	e->frame = *f;
	e->frame.feed.data = e->feed;
	e->frame.value = (struct slice){ .data = "" };
	e->place = place;
	p->pending[p->n] = e;
	return p->n++;
}

/* Keep f's bytes in e: 1 kept, 0 known already, -1 too many. */
static int
keep(struct parts *p, struct pending *e, const struct frame *f, uint64_t place)
{
	size_t at = 0;
	size_t same = 0;

	for (; at < e->n && e->piece[at].part <= f->part; at++) {
		const struct piece *k = &e->piece[at];

		if (k->part != f->part)
			continue;
		if (k->len == f->value.len &&
		    memcmp(k->data, f->value.data, k->len) == 0)
			return 0;
		same++;
	}
	if (e->n - e->distinct >= SPARE_MOST && same > 0)
		return -1;
	e->piece = xreallocarray(e->piece, e->n + 1, sizeof(*e->piece));
	memmove(&e->piece[at + 1], &e->piece[at],
	    (e->n - at) * sizeof(*e->piece));
	e->piece[at] = (struct piece){ .part = f->part,
		.place = place,
		.len = f->value.len,
		.data = xstrndup(f->value.data, f->value.len) };
	e->n++;
	e->distinct += same == 0;
	p->held += f->value.len;
	return 1;
}

/* The combination with that number: of each part the (number mod variants)th,
 * as the digits of a mixed-radix number; what is left of number behind the
 * last part is not 0 when there are no more. */
static size_t
combine(const struct pending *e, size_t number, struct buf *out,
    uint64_t *place)
{
	size_t i = 0;

	buf_clear(out);
	while (i < e->n) {
		const struct piece *piece;
		size_t variants = 1;

		while (i + variants < e->n &&
		    e->piece[i + variants].part == e->piece[i].part)
			variants++;
		piece = &e->piece[i + number % variants];
		number /= variants;
		if (variants > 1)
			*place = piece->place;
		i += variants;
		if (buf_add(out, piece->data, piece->len) == -1)
			return 1;
	}
	return number;
}

static void
complete(struct pending *e, uint64_t place, parts_fn *fn, void *ctx)
{
	struct buf whole = BUF_INIT(HELD_MOST);
	struct frame f = e->frame;

	f.part = 0;
	f.parts = 0;
	for (size_t i = 0; i < COMBINATIONS_MOST; i++) {
		uint64_t at = place;

		if (combine(e, i, &whole, &at) != 0)
			break;
		f.value =
		    (struct slice){ .data = whole.data, .len = whole.len };
		fn(ctx, &f, at);
	}
	buf_release(&whole);
}

int
parts_add(struct parts *p, const struct frame *f, uint64_t place, parts_fn *fn,
    void *ctx)
{
	size_t at = find(p, f);

	if (p->held + f->value.len > HELD_MOST)
		return -1;
	if (at == p->n) {
		if (p->n == PENDING_MOST)
			return -1;
		at = begin(p, f, place);
	}
	if (keep(p, p->pending[at], f, place) == -1)
		return -1;
	if (p->pending[at]->distinct == p->pending[at]->frame.parts) {
		complete(p->pending[at], place, fn, ctx);
		drop(p, at);
	}
	return 0;
}

void
parts_left(const struct parts *p, parts_fn *fn, void *ctx)
{
	for (size_t i = 0; i < p->n; i++) {
		struct frame f = p->pending[i]->frame;

		f.part = p->pending[i]->distinct;
		fn(ctx, &f, p->pending[i]->place);
	}
}
