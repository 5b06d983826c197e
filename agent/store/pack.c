/*
 * pack.c - packing: repeats (identity.h) are left out, indexes assigned, lines
 * built, hashed and compressed.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/feed_private.h"
#include "store/line.h"
#include "store/pack.h"
#include "store/seen.h"
#include "store/write_batch_private.h"

#define LINE_FRAME 400 /* more than line_add() puts around an event */
#define LINES_MAX (WRITE_BATCH_BYTES_MAX + LINE_FRAME)
/* A batch of usual size: made once, used again and again. */
#define LINES_USUAL (BATCH_BYTES + LINE_FRAME)
#define CHECK_LEN 4
#define TIME_MAX (INT64_MAX / 4) /* differences stay in range */

/* So many packs at a time: one is written while another is packed. */
#define SCRATCH_MAX 2

/* What a pack needs; kept for the next. */
struct scratch {
	struct digest *digest;
	struct gzip *gzip;
	struct buf lines;
	struct scratch *next;
};

static struct scratch *
scratch_new(void)
{
	struct scratch *scratch = xcalloc(1, sizeof(*scratch));

	scratch->digest = digest_new();
	scratch->gzip = gzip_new();
	buf_init(&scratch->lines, LINES_MAX);
	return scratch;
}

/* Get a pack, waiting for one if all are in use. */
static struct scratch *
scratch_take(struct store *s)
{
	struct scratch *scratch;

	(void)pthread_mutex_lock(&s->scratch_mutex);
	while (s->scratch == NULL && s->n_scratch == SCRATCH_MAX)
		(void)pthread_cond_wait(&s->scratch_given, &s->scratch_mutex);
	scratch = s->scratch;
	if (scratch != NULL)
		s->scratch = scratch->next;
	else
		s->n_scratch++;
	(void)pthread_mutex_unlock(&s->scratch_mutex);
	return scratch != NULL ? scratch : scratch_new();
}

static void
scratch_give(struct store *s, struct scratch *scratch)
{
	if (scratch->lines.size > 2 * LINES_USUAL)
		buf_release(&scratch->lines);
	else
		buf_clear(&scratch->lines);
	(void)pthread_mutex_lock(&s->scratch_mutex);
	scratch->next = s->scratch;
	s->scratch = scratch;
	(void)pthread_cond_signal(&s->scratch_given);
	(void)pthread_mutex_unlock(&s->scratch_mutex);
}

void
pack_release(struct store *s)
{
	(void)pthread_mutex_lock(&s->scratch_mutex);
	while (s->scratch != NULL) {
		struct scratch *scratch = s->scratch;

		s->scratch = scratch->next;
		s->n_scratch--;
		digest_free(scratch->digest);
		gzip_free(scratch->gzip);
		buf_release(&scratch->lines);
		free(scratch);
	}
	(void)pthread_mutex_unlock(&s->scratch_mutex);
}

void
pack_init(struct pack *k, struct feed *f)
{
	*k = (struct pack){
		.feed = f,
		.scratch = scratch_take(f->store),
		.next = f->size,
	};
	k->known.feed = f;
	k->known.digest = k->scratch->digest;
}

void
pack_clear(struct pack *k)
{
	for (size_t i = 0; i < k->n; i++) {
		buf_release(&k->batch[i].payload);
		buf_release(&k->batch[i].times);
		buf_release(&k->batch[i].checks);
		hours_release(&k->batch[i].hours);
	}
	free(k->batch);
	identities_release(&k->known);
	free(k->version);
	scratch_give(k->feed->store, k->scratch);
}

static struct packed *
batch_begin(struct pack *k)
{
	struct packed *b;

	if (k->n == k->room) {
		k->room = k->room == 0 ? 1 : k->room * 2;
		k->batch = xreallocarray(k->batch, k->room, sizeof(*k->batch));
	}
	b = &k->batch[k->n++];
	*b = (struct packed){
		.first = k->next,
		.oldest = INT64_MIN,
		.newest = INT64_MIN,
	};
	buf_init(&b->payload, LINES_MAX);
	buf_init(&b->times, BATCH_EVENTS * 10);
	buf_init(&b->checks, BATCH_EVENTS * CHECK_LEN);
	merkle_range_init(&b->range, k->next);
	buf_clear(&k->scratch->lines);
	/* Where there is no room for it now, line_add() will say so. */
	(void)!buf_room(&k->scratch->lines, LINES_USUAL);
	k->last_time = 0;
	return b;
}

/* Times as differences to the one before, zigzag, plus one, in groups of
 * seven bits, lowest first; 0 stands for none. */
static int
add_time(struct pack *k, struct packed *b, int64_t when)
{
	uint8_t bytes[10];
	uint64_t n = 0;
	size_t len = 0;

	if (when > -TIME_MAX && when < TIME_MAX) {
		const int64_t diff = when - k->last_time;

		n = (((uint64_t)diff << 1) ^ (uint64_t)(diff >> 63)) + 1;
		k->last_time = when;
		if (b->oldest == INT64_MIN || when < b->oldest)
			b->oldest = when;
		if (when > b->newest)
			b->newest = when;
	}
	do {
		bytes[len++] = (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
		n >>= 7;
	} while (n > 0);
	return buf_add(&b->times, bytes, len);
}

static int
add_event(struct pack *k, const struct write_batch_event *ev, const char *data,
    const uint8_t leaf[DIGEST_LEN], bool version, struct err *err)
{
	const size_t len = ev->len;
	struct buf *lines = &k->scratch->lines;
	struct packed *b = k->n > 0 ? &k->batch[k->n - 1] : NULL;

	if (b == NULL || b->payload.len > 0) {
		b = batch_begin(k);
	} else if (b->count == BATCH_EVENTS ||
	    lines->len + len + LINE_FRAME > BATCH_BYTES) {
		if (pack_end(k, err) != 0)
			return -1;
		b = batch_begin(k);
	}
	merkle_append(k->scratch->digest, &b->range, leaf);
	if (buf_add(&b->checks, leaf, CHECK_LEN) != 0 ||
	    add_time(k, b, ev->when) != 0 ||
	    line_add(lines, LINE_EVENT,
		(struct line_name){
		    k->feed->store->agent, k->feed->tree, via_name(k->via) },
		k->next, data, len) != 0)
		return err_set(err,
		    "%s: no memory for a batch with an event of %zu bytes",
		    k->feed->name, len);
	if (k->feed->hours)
		hours_add(&b->hours, ev->when, version, k->via);
	b->count++;
	k->next++;
	return 0;
}

static void
add_version(struct pack *k, const struct sighting *seen)
{
	if (k->n_versions == k->room_versions) {
		k->room_versions =
		    k->room_versions == 0 ? 16 : k->room_versions * 2;
		k->version = xreallocarray(k->version, k->room_versions,
		    sizeof(*k->version));
	}
	k->version[k->n_versions++] = (struct version){
		.index = k->next, .of_feed = seen->feed, .of = seen->index
	};
}

/* How late is a new event of that time? */
static void
measure(struct write_batch *p, int64_t when)
{
	int64_t late;

	/* Times that nobody wrote would not stay in range. */
	if (p->asked == 0 || when <= -TIME_MAX || when > p->covered)
		return;
	late = p->asked - when;
	p->result.late[lateness_bucket(late)]++;
	if (late > 0)
		p->result.late_sum +=
		    (uint64_t)((late + CLOCK_SECOND / 2) / CLOCK_SECOND);
	if (late > p->result.latest)
		p->result.latest = late;
}

/* Add an event of p unless it is a repeat. */
static int
add_new(struct pack *k, struct write_batch *p,
    const struct write_batch_event *ev, struct err *err)
{
	const char *data = p->data.data + ev->at;
	struct sighting seen = { .repeat = false };
	uint8_t leaf[DIGEST_LEN];
	struct identity e = { .scope = p->scoped ? p->scope : NULL,
		.leaf = leaf,
		.index = k->next };

	if (ev->hashed)
		memcpy(leaf, ev->leaf, DIGEST_LEN);
	else
		merkle_leaf(k->scratch->digest, data, ev->len, leaf);
	if (ev->id_len != SIZE_MAX)
		e.id =
		    (struct slice){ .data = data + ev->len, .len = ev->id_len };
	if (k->feed->dedupe > 0 && identity_see(&k->known, &e, &seen, err) != 0)
		return -1;
	if (p->judge != NULL)
		p->judge(p->judge_ctx, p, e.id, ev->when,
		    seen.repeat || seen.version);
	if (seen.repeat) {
		p->result.duplicates++;
		return 0;
	}
	if (seen.version)
		add_version(k, &seen);
	p->result.events++;
	measure(p, ev->when);
	return add_event(k, ev, data, leaf, seen.version, err);
}

int
pack_write_batch(struct pack *k, struct write_batch *p, struct err *err)
{
	p->first = k->next;
	k->via = p->via;
	p->result = (struct commit_result){ .events = 0 };
	for (size_t i = 0; i < p->n_events; i++) {
		if (add_new(k, p, &p->events[i], err) != 0)
			return -1;
	}
	return 0;
}

int
pack_end(struct pack *k, struct err *err)
{
	struct buf *lines = &k->scratch->lines;
	struct packed *b;

	if (k->n == 0 || k->batch[k->n - 1].payload.len > 0)
		return 0;
	b = &k->batch[k->n - 1];
	b->raw_len = lines->len;
	return gzip_pack(k->scratch->gzip, lines->data, lines->len, &b->payload,
	    err);
}
