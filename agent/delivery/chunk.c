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
#include "config/config.h"
#include "delivery/chunk.h"
#include "store/batch.h"
#include "store/line.h"

/* A checkpoint's line is its value and at most this. */
#define LINE_AROUND 64

/* More than the largest event that a source takes, and a wrapper. */
#define SCRATCH_MAX ((size_t)1 << 30)

struct batch_ref {
	struct batch_reader *reader;
	size_t refs;
	size_t users; /* spans that need the bytes now */
	int64_t id;   /* of the batch, 0: of a dead letter */
	int64_t after;
	const char *source_type;
	bool packed;    /* batch.payload is here */
	bool unpacked;  /* raw is here */
	int64_t *times; /* NULL: not here */
	struct batch batch;
	struct buf raw; /* its lines without the checkpoint */
	/* Where a line begins, the last that was asked for. */
	size_t line;
	size_t offset;
};

struct batch_reader {
	struct store *store;
	const struct config *config; /* or NULL */
	struct gzip *gzip;
	struct batch next; /* where batches are read into */
	struct buf scratch[2];
};

struct batch_reader *
batch_reader_new(struct store *s, const struct config *config)
{
	struct batch_reader *k = xcalloc(1, sizeof(*k));

	k->store = s;
	k->config = config;
	k->gzip = gzip_new();
	batch_init(&k->next);
	buf_init(&k->scratch[0], SCRATCH_MAX);
	buf_init(&k->scratch[1], SCRATCH_MAX);
	return k;
}

void
batch_reader_free(struct batch_reader *k)
{
	if (k == NULL)
		return;
	gzip_free(k->gzip);
	batch_release(&k->next);
	buf_release(&k->scratch[0]);
	buf_release(&k->scratch[1]);
	free(k);
}

static struct gzip *
batch_gzip(const struct batch_ref *c)
{
	return c->reader->gzip;
}

/* Scratch for packing; cleared. */
static struct buf *
batch_scratch(const struct batch_ref *c, size_t i)
{
	buf_clear(&c->reader->scratch[i]);
	return &c->reader->scratch[i];
}

static struct batch_ref *
batch_ref_new(struct batch_reader *k)
{
	struct batch_ref *c = xcalloc(1, sizeof(*c));

	c->reader = k;
	c->refs = 1;
	c->source_type = "";
	batch_init(&c->batch);
	return c;
}

/* Does feed begin with name, and go on with behind? */
static bool
begins(const char *feed, const char *name, const char *behind)
{
	size_t n = strlen(name);

	return strncmp(feed, name, n) == 0 &&
	    strncmp(feed + n, behind, strlen(behind)) == 0;
}

/* See chunk_line.source_type.  The tree of a feed that had to begin anew has
 * "~" and a time behind the feed's name. */
static const char *
source_type(const struct config *config, const char *feed)
{
	if (config == NULL)
		return "";
	if (begins(feed, config->agent.name, "/agent"))
		return "agent";
	for (size_t i = 0; i < config->n_sources; i++) {
		if (begins(feed, config->sources[i].name, "/"))
			return config->sources[i].type->name;
	}
	return "";
}

int
batch_reader_next(struct batch_reader *k, int64_t after, struct batch_ref **to,
    struct err *err)
{
	struct batch_ref *c = batch_ref_new(k);
	int rc = batch_next_sealed(k->store, after, &c->batch, err);

	if (rc != 1) {
		batch_ref_release(c);
		return rc;
	}
	c->id = c->batch.id;
	c->after = after;
	c->packed = true;
	c->source_type = source_type(k->config, c->batch.feed);
	buf_init(&c->raw, c->batch.raw_len);
	*to = c;
	return 1;
}

struct batch_ref *
batch_reader_dead_letter(struct batch_reader *k, const struct dead_letter *d)
{
	struct batch_ref *c = batch_ref_new(k);

	(void)snprintf(c->batch.feed, sizeof(c->batch.feed), "%s", d->feed);
	c->source_type = source_type(k->config, d->feed);
	c->batch.first = d->index;
	c->batch.count = 1;
	buf_init(&c->raw, SCRATCH_MAX);
	if (line_add(&c->raw, LINE_EVENT, d->feed, d->index, d->event.data,
		d->event.len) != 0)
		abort(); /* the store took it, so it is shorter than that */
	c->batch.raw_len = c->raw.len;
	c->times = xcalloc(1, sizeof(*c->times));
	c->times[0] = d->event_time;
	c->unpacked = true;
	c->users = 1; /* there is nowhere to read it again */
	return c;
}

struct batch_ref *
batch_ref_share(struct batch_ref *c)
{
	c->refs++;
	return c;
}

void
batch_ref_release(struct batch_ref *c)
{
	if (c == NULL || --c->refs > 0)
		return;
	batch_release(&c->batch);
	buf_release(&c->raw);
	free(c->times);
	free(c);
}

int64_t
batch_ref_id(const struct batch_ref *c)
{
	return c->id;
}

size_t
batch_ref_events(const struct batch_ref *c)
{
	return c->batch.count;
}

const char *
batch_ref_feed(const struct batch_ref *c)
{
	return c->batch.feed;
}

uint64_t
batch_ref_first(const struct batch_ref *c)
{
	return c->batch.first;
}

static bool
batch_ref_has_checkpoint(const struct batch_ref *c)
{
	return c->batch.checkpoint.len > 0;
}

size_t
batch_ref_lines(const struct batch_ref *c)
{
	return c->batch.count + (batch_ref_has_checkpoint(c) ? 1 : 0);
}

static size_t
checkpoint_bytes(const struct batch_ref *c)
{
	if (!batch_ref_has_checkpoint(c))
		return 0;
	return c->batch.checkpoint.len + strlen(c->batch.feed) + LINE_AROUND;
}

size_t
batch_ref_bytes(const struct batch_ref *c)
{
	return c->batch.raw_len + checkpoint_bytes(c);
}

/* Append the line of the checkpoint. */
static int
batch_ref_checkpoint(const struct batch_ref *c, struct buf *out)
{
	const struct buf *value = &c->batch.checkpoint;

	return line_add(out, LINE_CHECKPOINT, c->batch.feed, c->batch.size,
	    value->data, value->len);
}

/* -1 with the sentence that says which events are affected. */
static int
damaged(const struct batch_ref *c, const char *how, struct err *err)
{
	return err_set(err,
	    "batch %lld: events %llu to %llu of %s are damaged in the store "
	    "(%s), which is repaired next",
	    (long long)c->id, (unsigned long long)c->batch.first,
	    (unsigned long long)(c->batch.first + c->batch.count - 1),
	    c->batch.feed, how);
}

static void
swap(struct buf *a, struct buf *b)
{
	struct buf keep = *a;

	*a = *b;
	*b = keep;
}

/* Read the payload again: 0, 1 when the batch is gone, -1. */
static int
reload(struct batch_ref *c, struct err *err)
{
	struct batch *next = &c->reader->next;
	int rc = batch_next_sealed(c->reader->store, c->id - 1, next, err);

	if (rc < 0)
		return -1;
	if (rc == 0 || next->id != c->id)
		return 1;
	swap(&c->batch.payload, &next->payload);
	swap(&c->batch.times, &next->times);
	c->packed = true;
	return 0;
}

/* See batch_ref_check(); the bytes stay. */
static int
load(struct batch_ref *c, struct err *err)
{
	struct err how = ERR_INIT;
	int rc;

	if (c->unpacked)
		return 0;
	if (!c->packed) {
		rc = reload(c, err);
		if (rc != 0)
			return rc < 0 ? -1 : -damaged(c, "not there", err);
	}
	buf_clear(&c->raw);
	if (gzip_unpack(c->reader->gzip, c->batch.payload.data,
		c->batch.payload.len, &c->raw, &how) != 0)
		return -damaged(c, how.text, err);
	if (c->raw.len != c->batch.raw_len)
		return -damaged(c, "too short", err);
	c->unpacked = true;
	c->line = 0;
	c->offset = 0;
	return 0;
}

static int
batch_ref_unpack(struct batch_ref *c, struct err *err)
{
	return load(c, err) == 0 ? 0 : -1;
}

static void
drop(struct batch_ref *c)
{
	buf_release(&c->raw);
	buf_release(&c->batch.payload);
	buf_release(&c->batch.times);
	free(c->times);
	c->times = NULL;
	c->packed = false;
	c->unpacked = false;
	c->line = 0;
	c->offset = 0;
}

int
batch_ref_check(struct batch_ref *c, struct err *err)
{
	int rc = load(c, err);

	if (c->users == 0)
		drop(c);
	return rc;
}

/* Make the packed bytes, the lines, the event times be there.  -1: damaged,
 * gone or unreadable now. */
static int
batch_ref_pack(struct batch_ref *c, struct err *err)
{
	int rc = c->packed ? 0 : reload(c, err);

	return rc == 1 ? damaged(c, "not there", err) : rc;
}

static int
batch_ref_times(struct batch_ref *c, struct err *err)
{
	if (c->times != NULL)
		return 0;
	c->times = xreallocarray(NULL, c->batch.count, sizeof(*c->times));
	if (batch_times(&c->batch, c->times, err) == 0)
		return 0;
	free(c->times);
	c->times = NULL;
	return -1;
}

/* Move the mark to the begin of line; 0, or -1 when there are not so many. */
static int
seek(struct batch_ref *c, size_t line)
{
	const char *lf;

	if (line < c->line) {
		c->line = 0;
		c->offset = 0;
	}
	while (c->line < line) {
		lf = memchr(c->raw.data + c->offset, '\n',
		    c->raw.len - c->offset);
		if (lf == NULL)
			return -1;
		c->offset = (size_t)(lf - c->raw.data) + 1;
		c->line++;
	}
	return 0;
}

/* The lines [from, to) of the batch's events as they are, unpacked before. */
static int
batch_ref_slice(struct batch_ref *c, size_t from, size_t to, struct slice *s,
    struct err *err)
{
	size_t begin;

	if (seek(c, from) != 0)
		return damaged(c, "lines are missing", err);
	begin = c->offset;
	if (to == c->batch.count && to > from + 1)
		s->len = c->raw.len - begin;
	else if (seek(c, to) != 0)
		return damaged(c, "lines are missing", err);
	else
		s->len = c->offset - begin;
	s->data = c->raw.data + begin;
	return 0;
}

int
batch_ref_fit(struct batch_ref *c, size_t from, size_t room, bool alone,
    size_t *to, size_t *bytes, struct err *err)
{
	size_t begin, all = batch_ref_bytes(c), lines = batch_ref_lines(c);
	size_t end = from, size = 0;

	if (from == 0 && (all <= room || lines == 1)) {
		*to = all <= room || alone ? lines : 0;
		*bytes = *to == 0 ? 0 : all;
		return 0;
	}
	if (from < c->batch.count && batch_ref_unpack(c, err) != 0)
		return -1;
	for (; end < c->batch.count; end++) {
		struct slice s;

		if (batch_ref_slice(c, end, end + 1, &s, err) != 0)
			return -1;
		if (size + s.len > room && !(alone && end == from))
			break;
		size += s.len;
	}
	begin = checkpoint_bytes(c);
	if (end == c->batch.count && end < lines &&
	    (size + begin <= room || (alone && end == from))) {
		size += begin;
		end++;
	}
	*to = end;
	*bytes = size;
	return 0;
}

/* One user more, one fewer; the last one frees the bytes. */
static void
batch_ref_use(struct batch_ref *c)
{
	c->users++;
}

static void
batch_ref_leave(struct batch_ref *c)
{
	if (--c->users == 0)
		drop(c);
}

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
