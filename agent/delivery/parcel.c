/*
 * parcel.c - runs of lines out of sealed batches.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "delivery/cargo.h"
#include "delivery/parcel.h"
#include "store/line.h"

/* Lines [from, to) of one cargo. */
struct span {
	struct cargo *cargo;
	size_t from;
	size_t to;
	size_t bytes;
	bool using; /* its bytes */
};

struct parcel {
	struct span *span;
	size_t n;
	size_t lines;
	size_t bytes;
	size_t *mark;
	size_t n_marks;
	/* Where the line was that was asked for last: its span, and the
	 * number in p of that span's first line. */
	size_t at;
	size_t base;
};

struct parcel *
parcel_new(void)
{
	return xcalloc(1, sizeof(struct parcel));
}

void
parcel_free(struct parcel *p)
{
	if (p == NULL)
		return;
	parcel_unload(p);
	for (size_t i = 0; i < p->n; i++)
		cargo_unref(p->span[i].cargo);
	free(p->span);
	free(p->mark);
	free(p);
}

int
parcel_add(struct parcel *p, struct cargo *c, size_t from, size_t to,
    size_t bytes)
{
	if (p->n == PARCEL_SPANS)
		return -1;
	/* A power of two is full. */
	if ((p->n & (p->n - 1)) == 0)
		p->span = xreallocarray(p->span, p->n == 0 ? 1 : 2 * p->n,
		    sizeof(*p->span));
	p->span[p->n++] = (struct span){
		.cargo = cargo_ref(c),
		.from = from,
		.to = to,
		.bytes = bytes,
	};
	p->lines += to - from;
	p->bytes += bytes;
	return 0;
}

size_t
parcel_lines(const struct parcel *p)
{
	return p->lines;
}

size_t
parcel_bytes(const struct parcel *p)
{
	return p->bytes;
}

/* The span that line i is in; *base is the number of its first line. */
static size_t
find(const struct parcel *p, size_t i, size_t *base)
{
	size_t at = p->at, first = p->base, lines;

	if (i < first) {
		at = 0;
		first = 0;
	}
	for (;; at++) {
		lines = p->span[at].to - p->span[at].from;
		if (i < first + lines)
			break;
		first += lines;
	}
	*base = first;
	return at;
}

struct cargo *
parcel_cargo(const struct parcel *p, size_t i, size_t *line)
{
	size_t base, at = find(p, i, &base);

	*line = p->span[at].from + (i - base);
	return p->span[at].cargo;
}

/* Cut the span s in two behind n lines: the second goes to rest.  Their bytes
 * are a guess, by the share of lines. */
static void
span_split(struct span *s, size_t n, struct parcel *rest)
{
	size_t bytes = s->bytes / (s->to - s->from) * n;

	(void)parcel_add(rest, s->cargo, s->from + n, s->to, s->bytes - bytes);
	s->to = s->from + n;
	s->bytes = bytes;
}

struct parcel *
parcel_split(struct parcel *p, size_t at)
{
	struct parcel *rest = parcel_new();
	size_t base, keep = find(p, at, &base), kept = 0;

	parcel_unload(p);
	if (at > base)
		span_split(&p->span[keep++], at - base, rest);
	for (size_t i = keep; i < p->n; i++) {
		const struct span *s = &p->span[i];

		(void)parcel_add(rest, s->cargo, s->from, s->to, s->bytes);
		cargo_unref(s->cargo);
	}
	p->n = keep;
	p->lines = at;
	p->bytes -= rest->bytes;
	for (size_t i = 0; i < p->n_marks; i++) {
		if (p->mark[i] >= at)
			parcel_mark(rest, p->mark[i] - at);
		else
			p->mark[kept++] = p->mark[i];
	}
	p->n_marks = kept;
	p->at = 0;
	p->base = 0;
	return rest;
}

void
parcel_end(const struct parcel *p, struct position *pos)
{
	const struct span *last = &p->span[p->n - 1];

	if (last->to == cargo_lines(last->cargo)) {
		pos->batch = last->cargo->id;
		pos->lines = 0;
	} else {
		pos->batch = last->cargo->after;
		pos->lines = last->to;
	}
}

void
parcel_mark(struct parcel *p, size_t i)
{
	if (parcel_marked(p, i))
		return;
	p->mark = xreallocarray(p->mark, p->n_marks + 1, sizeof(*p->mark));
	p->mark[p->n_marks++] = i;
}

bool
parcel_marked(const struct parcel *p, size_t i)
{
	for (size_t k = 0; k < p->n_marks; k++) {
		if (p->mark[k] == i)
			return true;
	}
	return false;
}

size_t
parcel_events(const struct parcel *p)
{
	size_t events = p->lines;

	for (size_t i = 0; i < p->n; i++) {
		if (p->span[i].to > p->span[i].cargo->batch.count)
			events--;
	}
	return events - p->n_marks;
}

static void
use(struct span *s)
{
	if (!s->using)
		cargo_use(s->cargo);
	s->using = true;
}

void
parcel_unload(struct parcel *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->span[i].using)
			cargo_leave(p->span[i].cargo);
		p->span[i].using = false;
	}
}

int
parcel_line(struct parcel *p, size_t i, struct parcel_line *line,
    struct err *err)
{
	struct span *s;
	struct cargo *c;
	struct slice text;
	struct line parsed;
	size_t n;

	p->at = find(p, i, &p->base);
	s = &p->span[p->at];
	c = s->cargo;
	n = s->from + (i - p->base);
	use(s);
	line->feed = c->batch.feed;
	if (n == c->batch.count) {
		line->checkpoint = true;
		line->number = c->batch.size;
		line->when = c->batch.committed;
		line->value = c->batch.checkpoint.data;
		line->len = c->batch.checkpoint.len;
		return 0;
	}
	if (cargo_unpack(c, err) != 0 || cargo_times(c, err) != 0 ||
	    cargo_slice(c, n, n + 1, &text, err) != 0)
		return -1;
	if (line_parse(text.data, text.len - 1, &parsed) != 0 ||
	    parsed.kind != LINE_EVENT || parsed.number != c->batch.first + n)
		return err_set(err, "batch %lld: line %zu is not event %llu",
		    (long long)c->id, n,
		    (unsigned long long)(c->batch.first + n));
	line->checkpoint = false;
	line->number = parsed.number;
	line->when = c->times[n];
	line->value = parsed.value.data;
	line->len = parsed.value.len;
	return 0;
}

/* The events among the lines of s, without the checkpoint. */
static size_t
events_end(const struct span *s)
{
	return s->to > s->cargo->batch.count ? s->cargo->batch.count : s->to;
}

static int
full(struct err *err)
{
	return err_set(err, "parcel: larger than its buffer");
}

/* Append the lines of s; packed leaves out whole batches' events. */
static int
span_text(struct span *s, bool checkpoint_only, struct buf *out,
    struct err *err)
{
	size_t end = events_end(s);
	struct slice text;

	use(s);
	if (!checkpoint_only && s->from < end) {
		if (cargo_unpack(s->cargo, err) != 0 ||
		    cargo_slice(s->cargo, s->from, end, &text, err) != 0)
			return -1;
		if (buf_add(out, text.data, text.len) != 0)
			return full(err);
	}
	if (s->to > end && cargo_checkpoint(s->cargo, out) != 0)
		return full(err);
	return 0;
}

int
parcel_text(struct parcel *p, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		if (span_text(&p->span[i], false, out, err) != 0)
			return -1;
	}
	return 0;
}

static int
span_gzip(struct span *s, struct buf *out, struct err *err)
{
	struct cargo *c = s->cargo;
	struct buf *text = cargo_scratch(c, 0), *member = cargo_scratch(c, 1);
	bool whole = c->id != 0 && s->from == 0 && s->to >= c->batch.count;

	use(s);
	if (whole &&
	    (cargo_pack(c, err) != 0 ||
		gzip_join(out, c->batch.payload.data, c->batch.payload.len,
		    err) != 0))
		return -1;
	if (span_text(s, whole, text, err) != 0)
		return -1;
	if (text->len == 0)
		return 0;
	if (gzip_pack(cargo_gzip(c), text->data, text->len, member, err) != 0)
		return -1;
	return gzip_join(out, member->data, member->len, err);
}

int
parcel_gzip(struct parcel *p, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		if (span_gzip(&p->span[i], out, err) != 0)
			return -1;
	}
	return 0;
}
