/*
 * pack.c - pieces become batches.
 */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/feed_private.h"
#include "store/line.h"
#include "store/pack.h"

#define LINE_FRAME 320 /* more than line_add() puts around an event */
#define LINES_MOST (PIECE_BYTES_MOST + LINE_FRAME)
/* A batch of usual size: made once, used again and again. */
#define LINES_USUAL (BATCH_BYTES + LINE_FRAME)
#define CHECK_LEN 4
#define SET_LEAST 64
#define TIME_MOST (INT64_MAX / 4) /* differences stay in range */

/* So many packs at a time: one is written while another is packed. */
#define KITS 2

/* What a pack needs; kept for the next. */
struct kit {
	struct digest *digest;
	struct gzip *gzip;
	struct buf lines;
	struct kit *next;
};

static struct kit *
kit_new(void)
{
	struct kit *kit = xcalloc(1, sizeof(*kit));

	kit->digest = digest_new();
	kit->gzip = gzip_new();
	buf_init(&kit->lines, LINES_MOST);
	return kit;
}

/* Waits for one where all are in use. */
static struct kit *
kit_take(struct store *s)
{
	struct kit *kit;

	(void)pthread_mutex_lock(&s->kit_mutex);
	while (s->kits == NULL && s->n_kits == KITS)
		(void)pthread_cond_wait(&s->kit_given, &s->kit_mutex);
	kit = s->kits;
	if (kit != NULL)
		s->kits = kit->next;
	else
		s->n_kits++;
	(void)pthread_mutex_unlock(&s->kit_mutex);
	return kit != NULL ? kit : kit_new();
}

static void
kit_give(struct store *s, struct kit *kit)
{
	if (kit->lines.size > 2 * LINES_USUAL)
		buf_release(&kit->lines);
	else
		buf_clear(&kit->lines);
	(void)pthread_mutex_lock(&s->kit_mutex);
	kit->next = s->kits;
	s->kits = kit;
	(void)pthread_cond_signal(&s->kit_given);
	(void)pthread_mutex_unlock(&s->kit_mutex);
}

void
pack_release(struct store *s)
{
	(void)pthread_mutex_lock(&s->kit_mutex);
	while (s->kits != NULL) {
		struct kit *kit = s->kits;

		s->kits = kit->next;
		s->n_kits--;
		digest_free(kit->digest);
		gzip_free(kit->gzip);
		buf_release(&kit->lines);
		free(kit);
	}
	(void)pthread_mutex_unlock(&s->kit_mutex);
}

void
pack_init(struct pack *k, struct feed *f)
{
	*k = (struct pack){
		.feed = f,
		.kit = kit_take(f->store),
		.next = f->size,
	};
}

void
pack_clear(struct pack *k)
{
	for (size_t i = 0; i < k->n; i++) {
		buf_release(&k->batch[i].payload);
		buf_release(&k->batch[i].times);
		buf_release(&k->batch[i].checks);
	}
	free(k->batch);
	free(k->entries);
	free(k->set);
	kit_give(k->feed->store, k->kit);
}

/* The place of key in the set: where it is, or the free one for it. */
static size_t
set_find(const struct pack *k, const uint8_t key[SEEN_KEY])
{
	uint64_t at;

	memcpy(&at, key, sizeof(at));
	for (at &= k->set_size - 1; k->set[at] != 0;
	     at = (at + 1) & (k->set_size - 1)) {
		if (memcmp(k->entries[k->set[at] - 1].key, key, SEEN_KEY) == 0)
			break;
	}
	return (size_t)at;
}

static void
set_grow(struct pack *k)
{
	k->room_entries =
	    k->room_entries == 0 ? SET_LEAST / 2 : k->room_entries * 2;
	k->entries =
	    xreallocarray(k->entries, k->room_entries, sizeof(*k->entries));
	free(k->set);
	k->set_size = k->room_entries * 2;
	k->set = xcalloc(k->set_size, sizeof(*k->set));
	for (size_t i = 0; i < k->n_entries; i++)
		k->set[set_find(k, k->entries[i].key)] = (uint32_t)i + 1;
}

/* 1: the id is new and remembered; 0: it was there; -1. */
static int
is_new(struct pack *k, const char *id, size_t len, struct err *err)
{
	struct feed *f = k->feed;
	uint8_t hash[DIGEST_LEN];
	uint64_t index;
	size_t at;
	int rc;

	digest_sha256(k->kit->digest, NULL, 0, id, len, hash);
	if (k->n_entries == k->room_entries)
		set_grow(k);
	at = set_find(k, hash);
	if (k->set[at] != 0)
		return 0;
	if (seen_maybe(f->store, hash)) {
		rc = seen_find(f->store, f->name, hash, &index, err);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
	seen_entry_set(&k->entries[k->n_entries], hash, k->next);
	k->set[at] = (uint32_t)++k->n_entries;
	return 1;
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
	buf_init(&b->payload, LINES_MOST);
	buf_init(&b->times, BATCH_EVENTS * 10);
	buf_init(&b->checks, BATCH_EVENTS * CHECK_LEN);
	merkle_range_init(&b->range, k->next);
	buf_clear(&k->kit->lines);
	/* Where there is no room for it now, line_add() will say so. */
	(void)!buf_room(&k->kit->lines, LINES_USUAL);
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

	if (when > -TIME_MOST && when < TIME_MOST) {
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
add_event(struct pack *k, const struct piece_event *ev, const char *data,
    struct err *err)
{
	const size_t len = ev->len;
	struct buf *lines = &k->kit->lines;
	struct packed *b = k->n > 0 ? &k->batch[k->n - 1] : NULL;
	uint8_t leaf[DIGEST_LEN];

	if (b == NULL || b->payload.len > 0) {
		b = batch_begin(k);
	} else if (b->count == BATCH_EVENTS ||
	    lines->len + len + LINE_FRAME > BATCH_BYTES) {
		if (pack_end(k, err) != 0)
			return -1;
		b = batch_begin(k);
	}
	if (ev->hashed)
		memcpy(leaf, ev->leaf, DIGEST_LEN);
	else
		merkle_leaf(k->kit->digest, data, len, leaf);
	merkle_append(k->kit->digest, &b->range, leaf);
	if (buf_add(&b->checks, leaf, CHECK_LEN) != 0 ||
	    add_time(k, b, ev->when) != 0 ||
	    line_add(lines, LINE_EVENT, k->feed->tree, k->next, data, len) != 0)
		return err_set(err,
		    "%s: no memory for a batch with an event of %zu bytes",
		    k->feed->name, len);
	b->count++;
	k->next++;
	return 0;
}

int
pack_piece(struct pack *k, struct piece *p, struct err *err)
{
	p->first = k->next;
	p->result = (struct commit_result){ .events = 0 };
	for (size_t i = 0; i < p->n_events; i++) {
		const struct piece_event *ev = &p->events[i];
		const char *data = p->data.data + ev->at;
		int rc = 1;

		if (k->feed->dedupe > 0 && ev->id_len != SIZE_MAX)
			rc = is_new(k, data + ev->len, ev->id_len, err);
		if (rc < 0)
			return -1;
		if (rc == 0) {
			p->result.duplicates++;
			continue;
		}
		if (add_event(k, ev, data, err) != 0)
			return -1;
		p->result.events++;
	}
	return 0;
}

int
pack_end(struct pack *k, struct err *err)
{
	struct buf *lines = &k->kit->lines;
	struct packed *b;

	if (k->n == 0 || k->batch[k->n - 1].payload.len > 0)
		return 0;
	b = &k->batch[k->n - 1];
	b->raw_len = lines->len;
	return gzip_pack(k->kit->gzip, lines->data, lines->len, &b->payload,
	    err);
}
