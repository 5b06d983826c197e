/*
 * write_batch.c - what one reader wants to become durable together.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/feed.h"
#include "store/feed_private.h"
#include "store/identity.h"
#include "store/reconcile.h"
#include "store/write_batch_private.h"

#define ROOM_MIN 16
#define LINE_USUAL 80              /* bytes that a line adds to its event */
#define KEEP_MAX (2 * BATCH_BYTES) /* that an empty write batch holds on to */

/* Room for one more element of size bytes in a growing array. */
static void *
grow(void *array, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return array;
	*room = *room == 0 ? ROOM_MIN : *room * 2;
	return xreallocarray(array, *room, size);
}

struct write_batch *
write_batch_new(struct feed *f)
{
	struct write_batch *p = xcalloc(1, sizeof(*p));

	p->feed = f;
	buf_init(&p->data, WRITE_BATCH_BYTES_MAX);
	return p;
}

static void
free_contents(struct write_batch *p)
{
	for (size_t i = 0; i < p->n_listed; i++) {
		free(p->listed[i].key);
		free(p->listed[i].uri);
	}
	for (size_t i = 0; i < p->n_gaps; i++)
		free((void *)(uintptr_t)p->gaps[i].event);
	for (size_t i = 0; i < p->n_missing; i++)
		free(p->missing[i].record);
	for (size_t i = 0; i < p->n_attested; i++) {
		free(p->attested[i].chain);
		free(p->attested[i].error);
		free(p->attested[i].hours);
	}
	p->n_listed = 0;
	p->n_missing = 0;
	p->n_attested = 0;
	p->n_events = 0;
	p->n_progress = 0;
	p->n_gaps = 0;
	p->bytes = 0;
	free(p->cursor);
	p->cursor = NULL;
}

void
write_batch_clear(struct write_batch *p)
{
	free_contents(p);
	if (p->data.size > KEEP_MAX)
		buf_release(&p->data);
	else
		buf_clear(&p->data);
}

struct write_batch *
write_batch_reuse(struct write_batch *old, struct feed *f)
{
	if (old == NULL)
		return write_batch_new(f);
	write_batch_clear(old);
	old->scoped = false;
	old->via = VIA_FEED;
	old->feed = f;
	return old;
}

struct write_batch *
write_batch_move(struct write_batch *p)
{
	struct write_batch *to = xmalloc(sizeof(*to));
	struct buf room = p->data;

	*to = *p;
	buf_init(&to->data, WRITE_BATCH_BYTES_MAX);
	if (buf_add(&to->data, room.data, room.len) != 0) {
		free(to);
		return NULL;
	}
	*p = (struct write_batch){ .feed = to->feed, .data = room };
	buf_clear(&p->data);
	return to;
}

void
write_batch_free(struct write_batch *p)
{
	if (p == NULL)
		return;
	free_contents(p);
	buf_release(&p->data);
	free(p->events);
	free(p->listed);
	free(p->progress);
	free(p->missing);
	free(p->attested);
	free(p->gaps);
	free(p);
}

void
write_batch_via(struct write_batch *p, enum via via)
{
	p->via = via;
}

static int
add(struct write_batch *p, struct slice event, struct slice id, struct err *err)
{
	const char *data = event.data;
	const size_t at = p->data.len, len = event.len;

	if (!identity_named(id))
		id.data = NULL;
	if (memchr(data, '\n', len) != NULL)
		return err_set(err,
		    "%s: an event with a line feed in it cannot be kept",
		    feed_name(p->feed));
	if (buf_add(&p->data, data, len) != 0 ||
	    (id.data != NULL && buf_add(&p->data, id.data, id.len) != 0)) {
		p->data.len = at;
		return err_set(err,
		    "%s: an event of %zu bytes does not fit into memory",
		    feed_name(p->feed), len);
	}
	p->events =
	    grow(p->events, p->n_events, &p->room_events, sizeof(*p->events));
	p->events[p->n_events++] = (struct write_batch_event){
		.at = at,
		.len = len,
		.id_len = id.data == NULL ? SIZE_MAX : id.len,
	};
	p->bytes += len + LINE_USUAL;
	return 0;
}

int
write_batch_add(struct write_batch *p, const char *data, size_t len,
    struct slice id, int64_t when, struct err *err)
{
	const struct slice event = { .data = data, .len = len };

	if (add(p, event, id, err) != 0)
		return -1;
	p->events[p->n_events - 1].when = when;
	return 0;
}

int
write_batch_add_hashed(struct write_batch *p, struct slice event,
    struct slice id, int64_t when, const uint8_t leaf[DIGEST_LEN],
    struct err *err)
{
	struct write_batch_event *ev;

	if (add(p, event, id, err) != 0)
		return -1;
	ev = &p->events[p->n_events - 1];
	ev->when = when;
	ev->hashed = true;
	memcpy(ev->leaf, leaf, DIGEST_LEN);
	return 0;
}

void
write_batch_scope(struct write_batch *p, const char *key)
{
	static const char kind[] = "item";
	struct digest *d = digest_new();

	digest_sha256(d, kind, sizeof(kind), key, strlen(key), p->scope);
	digest_free(d);
	p->scoped = true;
}

void
write_batch_measure(struct write_batch *p, int64_t asked, int64_t covered)
{
	p->asked = asked;
	p->covered = covered;
}

size_t
write_batch_bytes(const struct write_batch *p)
{
	return p->bytes;
}

size_t
write_batch_events(const struct write_batch *p)
{
	return p->n_events;
}

void
write_batch_cursor(struct write_batch *p, const char *json)
{
	free(p->cursor);
	p->cursor = xstrdup(json);
}

void
write_batch_listed(struct write_batch *p, const struct listed *l)
{
	p->listed =
	    grow(p->listed, p->n_listed, &p->room_listed, sizeof(*p->listed));
	p->listed[p->n_listed++] = (struct write_batch_listed){
		.key = xstrdup(l->key),
		.uri = l->uri == NULL ? NULL : xstrdup(l->uri),
		.created = l->created,
		.expires = l->expires,
	};
}

void
write_batch_item(struct write_batch *p, int64_t item, uint64_t elements,
    const uint8_t chain[32], bool complete)
{
	struct write_batch_progress progress = {
		.item = item,
		.elements = elements,
		.complete = complete,
	};

	memcpy(progress.chain, chain, sizeof(progress.chain));
	p->progress = grow(p->progress, p->n_progress, &p->room_progress,
	    sizeof(*p->progress));
	p->progress[p->n_progress++] = progress;
}

void
write_batch_gap(struct write_batch *p, const struct gap_row *g)
{
	p->gaps = grow(p->gaps, p->n_gaps, &p->room_gaps, sizeof(*p->gaps));
	p->gaps[p->n_gaps] = *g;
	p->bytes += g->event_len;
	if (g->event != NULL)
		p->gaps[p->n_gaps].event = xstrndup(g->event, g->event_len);
	p->n_gaps++;
}

void
write_batch_missing(struct write_batch *p, struct slice record, int64_t when)
{
	p->missing = grow(p->missing, p->n_missing, &p->room_missing,
	    sizeof(*p->missing));
	p->missing[p->n_missing++] = (struct write_batch_missing){
		.record = xasprintf("%.*s",
		    record.len < RECONCILE_RECORD ? (int)record.len
						  : RECONCILE_RECORD - 1,
		    record.data),
		.when = when
	};
}

void
write_batch_attest(struct write_batch *p, const struct attested *a)
{
	struct write_batch_attested *to;

	p->attested = grow(p->attested, p->n_attested, &p->room_attested,
	    sizeof(*p->attested));
	to = &p->attested[p->n_attested++];
	*to = (struct write_batch_attested){ .chain = xstrdup(a->chain),
		.error = a->error != NULL ? xstrdup(a->error) : NULL,
		.hours = xcalloc(a->n_hours + 1, sizeof(*to->hours)),
		.a = *a };
	if (a->n_hours > 0)
		memcpy(to->hours, a->hours, a->n_hours * sizeof(*to->hours));
	to->a.chain = to->chain;
	to->a.error = to->error;
	to->a.hours = to->hours;
}

void
write_batch_judge(struct write_batch *p, write_batch_judge_fn *fn, void *ctx)
{
	p->judge = fn;
	p->judge_ctx = ctx;
}
