/*
 * cargo.c - sealed batches on their way, read from the store when needed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "delivery/cargo.h"
#include "delivery/parcel.h"
#include "store/line.h"

/* A checkpoint's line is its value and at most this. */
#define LINE_AROUND 64

/* More than the largest event that a source takes, and a wrapper. */
#define SCRATCH_MOST ((size_t)1 << 30)

struct stock {
	struct store *store;
	struct gzip *gzip;
	struct batch next; /* where batches are read into */
	struct buf scratch[2];
};

struct stock *
stock_new(struct store *s)
{
	struct stock *k = xcalloc(1, sizeof(*k));

	k->store = s;
	k->gzip = gzip_new();
	batch_init(&k->next);
	buf_init(&k->scratch[0], SCRATCH_MOST);
	buf_init(&k->scratch[1], SCRATCH_MOST);
	return k;
}

void
stock_free(struct stock *k)
{
	if (k == NULL)
		return;
	gzip_free(k->gzip);
	batch_release(&k->next);
	buf_release(&k->scratch[0]);
	buf_release(&k->scratch[1]);
	free(k);
}

struct gzip *
cargo_gzip(const struct cargo *c)
{
	return c->stock->gzip;
}

struct buf *
cargo_scratch(const struct cargo *c, size_t i)
{
	buf_clear(&c->stock->scratch[i]);
	return &c->stock->scratch[i];
}

static struct cargo *
cargo_new(struct stock *k)
{
	struct cargo *c = xcalloc(1, sizeof(*c));

	c->stock = k;
	c->refs = 1;
	batch_init(&c->batch);
	return c;
}

int
cargo_next(struct stock *k, int64_t after, struct cargo **to, struct err *err)
{
	struct cargo *c = cargo_new(k);
	int rc = batch_next_sealed(k->store, after, &c->batch, err);

	if (rc != 1) {
		cargo_unref(c);
		return rc;
	}
	c->id = c->batch.id;
	c->after = after;
	c->packed = true;
	buf_init(&c->raw, c->batch.raw_len);
	*to = c;
	return 1;
}

struct cargo *
cargo_letter(struct stock *k, const struct dead_letter *d)
{
	struct cargo *c = cargo_new(k);

	(void)snprintf(c->batch.feed, sizeof(c->batch.feed), "%s", d->feed);
	c->batch.first = d->index;
	c->batch.count = 1;
	buf_init(&c->raw, SCRATCH_MOST);
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

struct cargo *
cargo_ref(struct cargo *c)
{
	c->refs++;
	return c;
}

void
cargo_unref(struct cargo *c)
{
	if (c == NULL || --c->refs > 0)
		return;
	batch_release(&c->batch);
	buf_release(&c->raw);
	free(c->times);
	free(c);
}

int64_t
cargo_batch(const struct cargo *c)
{
	return c->id;
}

size_t
cargo_events(const struct cargo *c)
{
	return c->batch.count;
}

const char *
cargo_feed(const struct cargo *c)
{
	return c->batch.feed;
}

uint64_t
cargo_first(const struct cargo *c)
{
	return c->batch.first;
}

bool
cargo_has_checkpoint(const struct cargo *c)
{
	return c->batch.checkpoint.len > 0;
}

size_t
cargo_lines(const struct cargo *c)
{
	return c->batch.count + (cargo_has_checkpoint(c) ? 1 : 0);
}

static size_t
checkpoint_bytes(const struct cargo *c)
{
	if (!cargo_has_checkpoint(c))
		return 0;
	return c->batch.checkpoint.len + strlen(c->batch.feed) + LINE_AROUND;
}

size_t
cargo_bytes(const struct cargo *c)
{
	return c->batch.raw_len + checkpoint_bytes(c);
}

int
cargo_checkpoint(const struct cargo *c, struct buf *out)
{
	const struct buf *value = &c->batch.checkpoint;

	return line_add(out, LINE_CHECKPOINT, c->batch.feed, c->batch.size,
	    value->data, value->len);
}

/* -1 with the sentence that says which events are affected. */
static int
damaged(const struct cargo *c, const char *how, struct err *err)
{
	return err_set(err,
	    "batch %lld: events %llu to %llu of %s are damaged in the store "
	    "(%s), which has to be mended",
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
reload(struct cargo *c, struct err *err)
{
	struct batch *next = &c->stock->next;
	int rc = batch_next_sealed(c->stock->store, c->id - 1, next, err);

	if (rc < 0)
		return -1;
	if (rc == 0 || next->id != c->id)
		return 1;
	swap(&c->batch.payload, &next->payload);
	swap(&c->batch.times, &next->times);
	c->packed = true;
	return 0;
}

/* See cargo_check(); the bytes stay. */
static int
load(struct cargo *c, struct err *err)
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
	if (gzip_unpack(c->stock->gzip, c->batch.payload.data,
		c->batch.payload.len, &c->raw, &how) != 0)
		return -damaged(c, how.text, err);
	if (c->raw.len != c->batch.raw_len)
		return -damaged(c, "too short", err);
	c->unpacked = true;
	c->line = 0;
	c->offset = 0;
	return 0;
}

int
cargo_unpack(struct cargo *c, struct err *err)
{
	return load(c, err) == 0 ? 0 : -1;
}

static void
drop(struct cargo *c)
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
cargo_check(struct cargo *c, struct err *err)
{
	int rc = load(c, err);

	if (c->users == 0)
		drop(c);
	return rc;
}

int
cargo_pack(struct cargo *c, struct err *err)
{
	int rc = c->packed ? 0 : reload(c, err);

	return rc == 1 ? damaged(c, "not there", err) : rc;
}

int
cargo_times(struct cargo *c, struct err *err)
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
seek(struct cargo *c, size_t line)
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

int
cargo_slice(struct cargo *c, size_t from, size_t to, struct slice *s,
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
cargo_fit(struct cargo *c, size_t from, size_t room, bool alone, size_t *to,
    size_t *bytes, struct err *err)
{
	size_t begin, all = cargo_bytes(c), lines = cargo_lines(c);
	size_t end = from, size = 0;

	if (from == 0 && (all <= room || lines == 1)) {
		*to = all <= room || alone ? lines : 0;
		*bytes = *to == 0 ? 0 : all;
		return 0;
	}
	if (from < c->batch.count && cargo_unpack(c, err) != 0)
		return -1;
	for (; end < c->batch.count; end++) {
		struct slice s;

		if (cargo_slice(c, end, end + 1, &s, err) != 0)
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

void
cargo_use(struct cargo *c)
{
	c->users++;
}

void
cargo_leave(struct cargo *c)
{
	if (--c->users == 0)
		drop(c);
}
