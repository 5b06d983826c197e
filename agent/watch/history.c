/*
 * history.c - the last quarter of an hour of each feed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/history.h"
#include "watch/status.h"

struct past {
	int64_t id;
	uint64_t size; /* of the feed at the last sample */
	size_t n;
	float line[HISTORY_LINES][HISTORY_SAMPLES];
};

struct history {
	struct past *feed; /* in the order of their ids */
	size_t n;
	int64_t at; /* wall clock of the last sample */
};

struct history *
history_new(void)
{
	return xcalloc(1, sizeof(struct history));
}

void
history_free(struct history *h)
{
	if (h == NULL)
		return;
	free(h->feed);
	free(h);
}

static int
by_id(const void *a, const void *b)
{
	const struct past *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static struct past *
find(const struct history *h, int64_t id)
{
	const struct past key = { .id = id };

	if (h->n == 0)
		return NULL;
	return bsearch(&key, h->feed, h->n, sizeof(key), by_id);
}

static void
push(struct past *p, const struct feed_report *f, int64_t now, int64_t before)
{
	const int64_t lag = report_lag(f, now);
	const float sample[HISTORY_LINES] = {
		[HISTORY_LAG] =
		    lag == REPORT_NEVER ? -1 : (float)lag / (float)CLOCK_SECOND,
		[HISTORY_RATE] = p->id == 0 || before >= now
		    ? -1
		    : (float)(f->size - p->size) * (float)CLOCK_SECOND /
			(float)(now - before),
	};

	for (int k = 0; k < HISTORY_LINES; k++) {
		if (p->n == HISTORY_SAMPLES)
			memmove(p->line[k], p->line[k] + 1,
			    sizeof(p->line[k]) - sizeof(p->line[k][0]));
		p->line[k][p->n == HISTORY_SAMPLES ? p->n - 1 : p->n] =
		    sample[k];
	}
	if (p->n < HISTORY_SAMPLES)
		p->n++;
	p->id = f->id;
	p->size = f->size;
}

void
history_add(struct history *h, const struct status *st)
{
	size_t n = st->n_feeds < HISTORY_FEEDS ? st->n_feeds : HISTORY_FEEDS;
	struct past *feed = xcalloc(n + 1, sizeof(*feed));

	for (size_t i = 0; i < n; i++) {
		const struct past *before = find(h, st->feeds[i].id);

		if (before != NULL)
			feed[i] = *before;
		push(&feed[i], &st->feeds[i], st->now, h->at);
	}
	free(h->feed);
	h->feed = feed;
	h->n = n;
	h->at = st->now;
}

size_t
history_read(const struct history *h, int64_t id, enum history_line line,
    float out[HISTORY_SAMPLES])
{
	const struct past *p = find(h, id);

	if (p == NULL)
		return 0;
	memcpy(out, p->line[line], p->n * sizeof(out[0]));
	return p->n;
}
