/*
 * stream.c - what an input holds of one feed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "verify/stream.h"

struct stream *
stream_new(struct slice agent, struct slice name)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	if (agent.len < sizeof(s->agent) && agent.len > 0)
		memcpy(s->agent, agent.data, agent.len);
	s->name = xstrndup(name.data, name.len);
	s->label = xstrdup(s->name);
	return s;
}

void
stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_marks; i++) {
		free(s->mark[i].peaks);
		free(s->mark[i].check);
	}
	free(s->mark);
	free(s->seen.list);
	free(s->other.list);
	free(s->proven);
	free(s->name);
	free(s->label);
	free(s);
}

void
seen_list_add(struct seen_list *l, uint64_t index, uint64_t place,
    const uint8_t leaf[DIGEST_LEN])
{
	struct seen *e;

	if (l->n == l->room) {
		l->room = l->room < 64 ? 64 : l->room + l->room / 2;
		l->list = xreallocarray(l->list, l->room, sizeof(*l->list));
	}
	e = &l->list[l->n++];
	e->index = index;
	e->place = place;
	memcpy(e->leaf, leaf, DIGEST_LEN);
}

void
stream_mark(struct stream *s, const struct mark *m)
{
	/* Room doubles: n is a power of two when it is used up. */
	if ((s->n_marks & (s->n_marks - 1)) == 0)
		s->mark = xreallocarray(s->mark,
		    s->n_marks == 0 ? 1 : 2 * s->n_marks, sizeof(*s->mark));
	s->mark[s->n_marks++] = *m;
}

static int
by_index(const void *a, const void *b)
{
	const struct seen *x = a;
	const struct seen *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static void
sort(struct seen_list *l)
{
	for (size_t i = 1; i < l->n; i++) {
		if (by_index(&l->list[i - 1], &l->list[i]) > 0) {
			qsort(l->list, l->n, sizeof(*l->list), by_index);
			return;
		}
	}
}

/* Whether one of kept[from..n) is the same event. */
static bool
is_copy(const struct seen_list *l, size_t from, const struct seen *e)
{
	for (size_t i = from; i < l->n; i++)
		if (memcmp(l->list[i].leaf, e->leaf, DIGEST_LEN) == 0)
			return true;
	return false;
}

/* Different events with one index that are compared with each other; a
 * forger who makes more is told of all the same, as copies of the last. */
#define VARIANTS_MAX 64

static uint64_t
unite_copies(struct seen_list *l, bool shared, stream_repeated *repeated,
    void *ctx)
{
	size_t n = l->n;
	size_t from = 0;
	uint64_t copies = 0;

	l->n = 0;
	for (size_t i = 0; i < n; i++) {
		struct seen e = l->list[i];

		if (l->n > 0 && l->list[l->n - 1].index != e.index)
			from = l->n;
		if (l->n - from >= VARIANTS_MAX ||
		    (!shared && is_copy(l, from, &e))) {
			copies++;
			if (repeated != NULL)
				repeated(ctx, &e);
			continue;
		}
		l->list[l->n++] = e;
	}
	return copies;
}

static int
marks_by_size(const void *a, const void *b)
{
	const struct mark *x = a;
	const struct mark *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

void
stream_sort(struct stream *s, stream_repeated *repeated, void *ctx)
{
	sort(&s->seen);
	sort(&s->other);
	s->repeated += unite_copies(&s->seen, s->shared, repeated, ctx);
	(void)unite_copies(&s->other, s->shared, NULL, NULL);
	if (s->n_marks > 1)
		qsort(s->mark, s->n_marks, sizeof(*s->mark), marks_by_size);
}

size_t
seen_list_find(const struct seen_list *l, uint64_t index)
{
	size_t low = 0;
	size_t high = l->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->list[mid].index < index)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void
stream_prove(struct stream *s, uint64_t first, uint64_t end)
{
	if (s->n_proven > 0 && s->proven[s->n_proven - 1].end == first) {
		s->proven[s->n_proven - 1].end = end;
		return;
	}
	s->proven =
	    xreallocarray(s->proven, s->n_proven + 1, sizeof(*s->proven));
	s->proven[s->n_proven++] = (struct range){ .first = first, .end = end };
}

uint64_t
stream_proven(const struct stream *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n_proven; i++)
		n += s->proven[i].end - s->proven[i].first;
	return n;
}

bool
stream_is_proven(const struct stream *s, uint64_t index)
{
	size_t low = 0;
	size_t high = s->n_proven;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->proven[mid].end <= index)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->n_proven && s->proven[low].first <= index;
}

uint64_t
stream_size(const struct stream *s)
{
	uint64_t size = 0;

	if (s->seen.n > 0)
		size = s->seen.list[s->seen.n - 1].index + 1;
	if (s->n_marks > 0 && s->mark[s->n_marks - 1].size > size)
		size = s->mark[s->n_marks - 1].size;
	return size;
}
