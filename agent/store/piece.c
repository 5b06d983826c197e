/*
 * piece.c - what one reader wants to become durable together.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/inside.h"

#define ROOM_LEAST 16
#define LINE_USUAL 80               /* bytes that a line adds to its event */
#define KEEP_MOST (2 * BATCH_BYTES) /* that an empty piece holds on to */

/* Room for one more element of size bytes in a growing array. */
static void *
grow(void *array, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return array;
	*room = *room == 0 ? ROOM_LEAST : *room * 2;
	return xreallocarray(array, *room, size);
}

struct piece *
piece_new(struct feed *f)
{
	struct piece *p = xcalloc(1, sizeof(*p));

	p->feed = f;
	buf_init(&p->data, PIECE_BYTES_MOST);
	return p;
}

static void
free_contents(struct piece *p)
{
	for (size_t i = 0; i < p->n_listed; i++) {
		free(p->listed[i].key);
		free(p->listed[i].uri);
	}
	p->n_listed = 0;
	p->n_events = 0;
	p->n_progress = 0;
	p->n_gaps = 0;
	p->bytes = 0;
	free(p->cursor);
	p->cursor = NULL;
}

void
piece_clear(struct piece *p)
{
	free_contents(p);
	if (p->data.size > KEEP_MOST)
		buf_release(&p->data);
	else
		buf_clear(&p->data);
}

struct piece *
piece_again(struct piece *old, struct feed *f)
{
	if (old == NULL)
		return piece_new(f);
	piece_clear(old);
	old->feed = f;
	return old;
}

struct piece *
piece_move(struct piece *p)
{
	struct piece *to = xmalloc(sizeof(*to));
	struct buf room = p->data;

	*to = *p;
	buf_init(&to->data, PIECE_BYTES_MOST);
	if (buf_add(&to->data, room.data, room.len) != 0) {
		free(to);
		return NULL;
	}
	*p = (struct piece){ .feed = to->feed, .data = room };
	buf_clear(&p->data);
	return to;
}

void
piece_free(struct piece *p)
{
	if (p == NULL)
		return;
	free_contents(p);
	buf_release(&p->data);
	free(p->events);
	free(p->listed);
	free(p->progress);
	free(p->gaps);
	free(p);
}

static int
add(struct piece *p, struct slice event, struct slice id, struct err *err)
{
	const char *data = event.data;
	const size_t at = p->data.len, len = event.len;

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
	p->events[p->n_events++] = (struct piece_event){
		.at = at,
		.len = len,
		.id_len = id.data == NULL ? SIZE_MAX : id.len,
	};
	p->bytes += len + LINE_USUAL;
	return 0;
}

int
piece_event(struct piece *p, const char *data, size_t len, struct slice id,
    int64_t when, struct err *err)
{
	const struct slice event = { .data = data, .len = len };

	if (add(p, event, id, err) != 0)
		return -1;
	p->events[p->n_events - 1].when = when;
	return 0;
}

int
piece_hashed(struct piece *p, struct slice event, struct slice id, int64_t when,
    const uint8_t leaf[DIGEST_LEN], struct err *err)
{
	struct piece_event *ev;

	if (add(p, event, id, err) != 0)
		return -1;
	ev = &p->events[p->n_events - 1];
	ev->when = when;
	ev->hashed = true;
	memcpy(ev->leaf, leaf, DIGEST_LEN);
	return 0;
}

size_t
piece_bytes(const struct piece *p)
{
	return p->bytes;
}

size_t
piece_events(const struct piece *p)
{
	return p->n_events;
}

void
piece_cursor(struct piece *p, const char *json)
{
	free(p->cursor);
	p->cursor = xstrdup(json);
}

void
piece_listed(struct piece *p, const struct listed *l)
{
	p->listed =
	    grow(p->listed, p->n_listed, &p->room_listed, sizeof(*p->listed));
	p->listed[p->n_listed++] = (struct piece_listed){
		.key = xstrdup(l->key),
		.uri = l->uri == NULL ? NULL : xstrdup(l->uri),
		.created = l->created,
		.expires = l->expires,
	};
}

void
piece_item(struct piece *p, int64_t item, uint64_t elements,
    const uint8_t chain[32], bool complete)
{
	struct piece_progress progress = {
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
piece_gap(struct piece *p, const struct gap_row *g)
{
	p->gaps = grow(p->gaps, p->n_gaps, &p->room_gaps, sizeof(*p->gaps));
	p->gaps[p->n_gaps++] = *g;
}
