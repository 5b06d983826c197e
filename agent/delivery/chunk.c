/*
 * chunk.c - runs of lines out of sealed batches.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/batch_reader_private.h"
#include "delivery/chunk.h"
#include "store/batch.h"
#include "store/line.h"
#include "store/via.h"

/* Lines [from, to) of one batch. */
struct line_range {
	struct batch_ref *batch_ref;
	size_t from;
	size_t to;
	size_t bytes;
	bool using; /* its bytes */
};

struct chunk {
	struct line_range *range;
	size_t n;
	size_t lines;
	size_t bytes;
	uint8_t *mark; /* an enum chunk_mark each line; NULL: all are open */
	/* Where the line was that was asked for last: its span, and the
	 * number in p of that span's first line. */
	size_t at;
	size_t base;
};

struct chunk *
chunk_new(void)
{
	return xcalloc(1, sizeof(struct chunk));
}

void
chunk_free(struct chunk *p)
{
	if (p == NULL)
		return;
	chunk_unload(p);
	for (size_t i = 0; i < p->n; i++)
		batch_ref_release(p->range[i].batch_ref);
	free(p->range);
	free(p->mark);
	free(p);
}

static void
add_range(struct chunk *p, struct batch_ref *c, size_t from, size_t to,
    size_t bytes)
{
	/* A power of two is full. */
	if ((p->n & (p->n - 1)) == 0)
		p->range = xreallocarray(p->range, p->n == 0 ? 1 : 2 * p->n,
		    sizeof(*p->range));
	p->range[p->n++] = (struct line_range){
		.batch_ref = batch_ref_share(c),
		.from = from,
		.to = to,
		.bytes = bytes,
	};
	p->lines += to - from;
	p->bytes += bytes;
}

int
chunk_add(struct chunk *p, struct batch_ref *c, size_t from, size_t to,
    size_t bytes)
{
	if (p->n == CHUNK_RANGES)
		return -1;
	add_range(p, c, from, to, bytes);
	return 0;
}

size_t
chunk_lines(const struct chunk *p)
{
	return p->lines;
}

size_t
chunk_bytes(const struct chunk *p)
{
	return p->bytes;
}

/* The span that line i is in; *base is the number of its first line. */
static size_t
find(const struct chunk *p, size_t i, size_t *base)
{
	size_t at = p->at, first = p->base, lines;

	if (i < first) {
		at = 0;
		first = 0;
	}
	for (;; at++) {
		lines = p->range[at].to - p->range[at].from;
		if (i < first + lines)
			break;
		first += lines;
	}
	*base = first;
	return at;
}

struct batch_ref *
chunk_batch_of(const struct chunk *p, size_t i, size_t *line, size_t *end)
{
	size_t base, at = find(p, i, &base);
	const struct line_range *s = &p->range[at];

	*line = s->from + (i - base);
	*end = base + (s->to - s->from);
	return s->batch_ref;
}

/* Add the lines [from, to) of the span s, counted from its first one, to rest.
 * Their bytes are a guess, by the share of lines. */
static void
add_part(struct chunk *rest, const struct line_range *s, size_t from, size_t to)
{
	size_t lines = s->to - s->from;
	size_t bytes = s->bytes / lines * (to - from);

	if (to == lines)
		bytes = s->bytes - s->bytes / lines * from;
	add_range(rest, s->batch_ref, s->from + from, s->from + to, bytes);
}

/* Cut the span s in two behind n lines: the second goes to rest. */
static void
range_split(struct line_range *s, size_t n, struct chunk *rest)
{
	add_part(rest, s, n, s->to - s->from);
	s->bytes -= rest->bytes;
	s->to = s->from + n;
}

struct chunk *
chunk_split(struct chunk *p, size_t at)
{
	struct chunk *rest = chunk_new();
	size_t base, keep = find(p, at, &base);

	chunk_unload(p);
	if (at > base)
		range_split(&p->range[keep++], at - base, rest);
	for (size_t i = keep; i < p->n; i++) {
		const struct line_range *s = &p->range[i];

		add_range(rest, s->batch_ref, s->from, s->to, s->bytes);
		batch_ref_release(s->batch_ref);
	}
	p->n = keep;
	p->lines = at;
	p->bytes -= rest->bytes;
	if (p->mark != NULL) {
		rest->mark = xmalloc(rest->lines);
		memcpy(rest->mark, p->mark + at, rest->lines);
	}
	p->at = 0;
	p->base = 0;
	return rest;
}

void
chunk_end(const struct chunk *p, struct position *pos)
{
	const struct line_range *last = &p->range[p->n - 1];

	if (last->to == batch_ref_lines(last->batch_ref)) {
		pos->batch = last->batch_ref->id;
		pos->lines = 0;
	} else {
		pos->batch = last->batch_ref->after;
		pos->lines = last->to;
	}
}

/* The line of the batch behind the last event of s. */
static size_t
events_end(const struct line_range *s)
{
	return s->to > s->batch_ref->batch.count ? s->batch_ref->batch.count
						 : s->to;
}

/* How many of the lines [from, to) are events. */
static size_t
events_between(const struct chunk *p, size_t from, size_t to)
{
	size_t events = 0, base = 0;

	for (size_t k = 0; k < p->n && base < to; k++) {
		const struct line_range *s = &p->range[k];
		size_t end = base + (events_end(s) - s->from);
		size_t first = from > base ? from : base;
		size_t last = to < end ? to : end;

		events += last > first ? last - first : 0;
		base += s->to - s->from;
	}
	return events;
}

size_t
chunk_set_mark(struct chunk *p, size_t from, size_t to, enum chunk_mark m)
{
	size_t events = 0, line;

	if (p->mark == NULL) {
		p->mark = xcalloc(p->lines, 1);
		memset(p->mark + from, (int)m, to - from);
		return events_between(p, from, to);
	}
	for (size_t i = chunk_open(p, from); i < to; i = chunk_open(p, i)) {
		p->mark[i] = (uint8_t)m;
		p->at = find(p, i, &p->base);
		line = p->range[p->at].from + (i - p->base);
		events += line < p->range[p->at].batch_ref->batch.count;
	}
	return events;
}

size_t
chunk_open(const struct chunk *p, size_t from)
{
	const uint8_t *found;

	if (p->mark == NULL || from >= p->lines)
		return from;
	found = memchr(p->mark + from, CHUNK_OPEN, p->lines - from);
	return found == NULL ? p->lines : (size_t)(found - p->mark);
}

enum chunk_mark
chunk_mark(const struct chunk *p, size_t i)
{
	return p->mark == NULL ? CHUNK_OPEN : (enum chunk_mark)p->mark[i];
}

/* The line behind i, of the first lines, from which on the mark is another. */
static size_t
same_mark(const struct chunk *p, size_t i, size_t lines)
{
	bool open = p->mark[i] == CHUNK_OPEN;

	while (++i < lines && (p->mark[i] == CHUNK_OPEN) == open)
		continue;
	return i;
}

void
chunk_drop_marked(struct chunk *p)
{
	struct chunk left = { .n = 0 };
	size_t base = 0, end, next;

	if (p->mark == NULL)
		return;
	chunk_unload(p);
	for (size_t k = 0; k < p->n; k++, base = end) {
		const struct line_range *s = &p->range[k];

		end = base + (s->to - s->from);
		for (size_t i = base; i < end; i = next) {
			next = same_mark(p, i, end);
			if (p->mark[i] == CHUNK_OPEN)
				add_part(&left, s, i - base, next - base);
		}
		batch_ref_release(s->batch_ref);
	}
	free(p->range);
	free(p->mark);
	*p = left;
}

static void
use(struct line_range *s)
{
	if (!s->using)
		batch_ref_use(s->batch_ref);
	s->using = true;
}

void
chunk_unload(struct chunk *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->range[i].using)
			batch_ref_leave(p->range[i].batch_ref);
		p->range[i].using = false;
	}
}

int
chunk_line(struct chunk *p, size_t i, struct chunk_line *line, struct err *err)
{
	struct line_range *s;
	struct batch_ref *c;
	struct slice text;
	struct line parsed;
	size_t n;

	p->at = find(p, i, &p->base);
	s = &p->range[p->at];
	c = s->batch_ref;
	n = s->from + (i - p->base);
	use(s);
	line->feed = c->batch.feed;
	line->source_type = c->source_type;
	line->shape = c->shape;
	line->version_of = NULL;
	line->via = NULL;
	if (n == c->batch.count) {
		line->checkpoint = true;
		line->number = c->batch.size;
		line->when = c->batch.committed;
		line->value = c->batch.checkpoint.data;
		line->len = c->batch.checkpoint.len;
		return 0;
	}
	if (batch_ref_unpack(c, err) != 0 || batch_ref_times(c, err) != 0 ||
	    batch_ref_slice(c, n, n + 1, &text, err) != 0)
		return -1;
	if (line_parse(text.data, text.len - 1, &parsed) != 0 ||
	    parsed.kind != LINE_EVENT || parsed.number != c->batch.first + n)
		return err_set(err, "batch %lld: line %zu is not event %llu",
		    (long long)c->id, n,
		    (unsigned long long)(c->batch.first + n));
	line->checkpoint = false;
	if (batch_ref_version(c, parsed.number, &line->version_of, err) != 0)
		return -1;
	line->via = via_known(parsed.via);
	line->number = parsed.number;
	line->when = c->times[n];
	line->value = parsed.value.data;
	line->len = parsed.value.len;
	return 0;
}

static int
full(struct err *err)
{
	return err_set(err, "chunk: larger than its buffer");
}

/* Append the lines of s; packed leaves out whole batches' events. */
static int
range_text(struct line_range *s, bool checkpoint_only, struct buf *out,
    struct err *err)
{
	size_t end = events_end(s);
	struct slice text;

	use(s);
	if (!checkpoint_only && s->from < end) {
		if (batch_ref_unpack(s->batch_ref, err) != 0 ||
		    batch_ref_slice(s->batch_ref, s->from, end, &text, err) !=
			0)
			return -1;
		if (buf_add(out, text.data, text.len) != 0)
			return full(err);
	}
	if (s->to > end && batch_ref_checkpoint(s->batch_ref, out) != 0)
		return full(err);
	return 0;
}

int
chunk_text(struct chunk *p, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		if (range_text(&p->range[i], false, out, err) != 0)
			return -1;
	}
	return 0;
}

static int
range_gzip(struct line_range *s, struct buf *out, struct err *err)
{
	struct batch_ref *c = s->batch_ref;
	struct buf *text = batch_scratch(c, 0), *member = batch_scratch(c, 1);
	bool whole = c->id != 0 && s->from == 0 && s->to >= c->batch.count;

	use(s);
	if (whole &&
	    (batch_ref_pack(c, err) != 0 ||
		gzip_join(out, c->batch.payload.data, c->batch.payload.len,
		    err) != 0))
		return -1;
	if (range_text(s, whole, text, err) != 0)
		return -1;
	if (text->len == 0)
		return 0;
	if (gzip_pack(batch_gzip(c), text->data, text->len, member, err) != 0)
		return -1;
	return gzip_join(out, member->data, member->len, err);
}

int
chunk_gzip(struct chunk *p, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		if (range_gzip(&p->range[i], out, err) != 0)
			return -1;
	}
	return 0;
}
