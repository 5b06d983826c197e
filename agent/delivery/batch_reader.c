/*
 * batch_reader.c - sealed batches on their way, read from the store when
 * needed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/event_shape.h"
#include "delivery/batch_reader.h"
#include "delivery/batch_reader_private.h"
#include "store/line.h"
#include "store/via.h"

/* A checkpoint's line is its value, its feed's name and at most this. */
#define LINE_AROUND 160

/* More than the largest event that a source takes, and a wrapper. */
#define SCRATCH_MAX ((size_t)1 << 30)

/* A batch of at most so many bytes stays unpacked from one chunk of its lines
 * to the next. */
#define KEPT_MAX ((size_t)4 << 20)

struct batch_reader {
	struct store *store;
	const struct config *config; /* or NULL */
	struct gzip *gzip;
	struct batch next; /* where batches are read into */
	struct buf scratch[2];
	struct batch_ref *kept; /* that stays; no reference.  NULL: none */
};

static void drop(struct batch_ref *c);

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

/* Let c stay instead of the one before. */
static void
keep(struct batch_reader *k, struct batch_ref *c)
{
	if (k->kept != NULL && k->kept != c && k->kept->users == 0)
		drop(k->kept);
	k->kept = c;
}

void
batch_reader_rest(struct batch_reader *k)
{
	gzip_free(k->gzip);
	k->gzip = gzip_new();
	batch_release(&k->next);
	batch_init(&k->next);
	buf_release(&k->scratch[0]);
	buf_release(&k->scratch[1]);
	keep(k, NULL);
}

struct gzip *
batch_gzip(const struct batch_ref *c)
{
	return c->reader->gzip;
}

struct buf *
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
	batch_init(&c->batch);
	return c;
}

static struct line_name
line_name(const struct batch_ref *c, const char *via)
{
	const struct config *config = c->reader->config;

	return (struct line_name){ config == NULL ? "" : config->agent.name,
		c->batch.feed, via };
}

/* Does feed begin with name, and go on with behind? */
static bool
begins(const char *feed, const char *name, const char *behind)
{
	size_t n = strlen(name);

	return strncmp(feed, name, n) == 0 &&
	    strncmp(feed + n, behind, strlen(behind)) == 0;
}

/* Is it the feed of the agent by that name, or a later tree of it? */
static bool
is_own_feed(const char *feed, const char *agent)
{
	static const char own[] = "/agent";
	size_t n = strlen(agent) + strlen(own);

	return begins(feed, agent, own) && (feed[n] == '\0' || feed[n] == '~');
}

/* The shape of the events of e's feed.  The tree of a feed that had to begin
 * anew has "~" and a time behind the feed's name. */
static const struct event_shape *
shape_of(const struct config_entry *e, const char *feed)
{
	const char *stream = feed + strlen(e->name) + 1;
	char *name = xstrdup(stream);
	const struct event_shape *shape = NULL;

	name[strcspn(name, "~")] = '\0';
	if (e->type->shape != NULL)
		shape = e->type->shape(e->conf, name);
	free(name);
	return shape;
}

/* See chunk_line: source_type and shape of the batch's feed. */
static void
set_kind(struct batch_ref *c, const char *feed)
{
	static const struct event_shape unknown,
	    own = { .sourcetype = "sealfeed:agent",
		    .dataset = "sealfeed.agent" };
	const struct config *config = c->reader->config;

	c->source_type = "";
	c->shape = &unknown;
	if (config == NULL)
		return;
	if (is_own_feed(feed, config->agent.name)) {
		c->source_type = "agent";
		c->shape = &own;
	}
	for (size_t i = 0; i < config->n_sources && c->shape != &own; i++) {
		const struct config_entry *e = &config->sources[i];
		const struct event_shape *shape;

		if (!begins(feed, e->name, "/"))
			continue;
		c->source_type = e->type->name;
		shape = shape_of(e, feed);
		if (shape != NULL)
			c->shape = shape;
	}
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
	set_kind(c, c->batch.feed);
	buf_init(&c->raw, c->batch.raw_len);
	*to = c;
	return 1;
}

struct batch_ref *
batch_reader_dead_letter(struct batch_reader *k, const struct dead_letter *d)
{
	struct batch_ref *c = batch_ref_new(k);

	(void)snprintf(c->batch.feed, sizeof(c->batch.feed), "%s", d->feed);
	set_kind(c, d->feed);
	c->batch.first = d->index;
	c->batch.count = 1;
	buf_init(&c->raw, SCRATCH_MAX);
	if (line_add(&c->raw, LINE_EVENT, line_name(c, via_name(d->via)),
		d->index, d->event.data, d->event.len) != 0)
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
	if (c->reader->kept == c)
		c->reader->kept = NULL;
	batch_release(&c->batch);
	buf_release(&c->raw);
	free(c->times);
	free(c->version);
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

int
batch_ref_checkpoint(const struct batch_ref *c, struct buf *out)
{
	const struct buf *value = &c->batch.checkpoint;

	return line_add(out, LINE_CHECKPOINT, line_name(c, NULL), c->batch.size,
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
	/* At once: what grows by and by is copied as often. */
	if (buf_room(&c->raw, c->batch.raw_len) == NULL)
		return -damaged(c, "too large", err);
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

int
batch_ref_unpack(struct batch_ref *c, struct err *err)
{
	return load(c, err) == 0 ? 0 : -1;
}

int
batch_ref_version(struct batch_ref *c, uint64_t index, const char **of,
    struct err *err)
{
	*of = NULL;
	if (c->reader->store == NULL)
		return 0;
	if (!c->versioned &&
	    batch_versions(c->reader->store, c->batch.feed, c->batch.first,
		c->batch.count, &c->version, &c->n_versions, err) != 0)
		return -1;
	c->versioned = true;
	for (size_t i = 0; i < c->n_versions; i++)
		if (c->version[i].index == index)
			*of = c->version[i].of;
	return 0;
}

static void
drop(struct batch_ref *c)
{
	buf_release(&c->raw);
	buf_release(&c->batch.payload);
	buf_release(&c->batch.times);
	free(c->times);
	free(c->version);
	c->times = NULL;
	c->version = NULL;
	c->versioned = false;
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

int
batch_ref_pack(struct batch_ref *c, struct err *err)
{
	int rc = c->packed ? 0 : reload(c, err);

	return rc == 1 ? damaged(c, "not there", err) : rc;
}

int
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

int
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
	size_t end = from, size = 0, start = 0;

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
		if (end == from)
			start = (size_t)(s.data - c->raw.data);
	}
	/* They are read next. */
	if (end > from && from < c->batch.count) {
		c->line = from;
		c->offset = start;
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
batch_ref_use(struct batch_ref *c)
{
	c->users++;
}

void
batch_ref_leave(struct batch_ref *c)
{
	if (--c->users > 0)
		return;
	if (c->unpacked && c->line < c->batch.count && c->raw.len <= KEPT_MAX)
		keep(c->reader, c);
	else
		drop(c);
}
