/*
 * produce.c - makes records available at the asked rate.
 */
#include <stdlib.h>

#include "tests/sim/content.h"

#define TICK 20 /* ms */

/* How a tenant's events are spread over the content types. */
static const unsigned shares[CONTENTS] = {
	[CONTENT_AAD] = 25,
	[CONTENT_EXCHANGE] = 35,
	[CONTENT_SHAREPOINT] = 25,
	[CONTENT_GENERAL] = 12,
	[CONTENT_DLP] = 3,
};

/* With --records: what is left of that type; without: its share. */
static uint64_t
weight(const struct sim *s, const struct feed *f, bool need_enabled)
{
	if (need_enabled && !f->enabled)
		return 0;
	if (s->opt.records == NULL)
		return shares[f->content];
	if (s->opt.fresh_ids)
		return f->n_lines;
	return f->n_lines - f->next_line;
}

static struct feed *
choose(struct sim *s, bool need_enabled)
{
	uint64_t total = 0, at;

	for (int c = 0; c < CONTENTS; c++)
		total += weight(s, &s->feed[c], need_enabled);
	if (total == 0)
		return NULL;
	at = rng_below(&s->rng, total);
	for (int c = 0; c < CONTENTS; c++) {
		uint64_t w = weight(s, &s->feed[c], need_enabled);

		if (at < w)
			return &s->feed[c];
		at -= w;
	}
	abort();
}

static size_t
blob_size(struct sim *s, const struct feed *f, int64_t left)
{
	int64_t n = s->opt.blob_least +
	    (int64_t)rng_below(&s->rng,
		(uint64_t)(s->opt.blob_most - s->opt.blob_least + 1));

	if (left >= 0 && n > left)
		n = left;
	if (s->opt.records != NULL && !s->opt.fresh_ids &&
	    (size_t)n > f->n_lines - f->next_line)
		n = (int64_t)(f->n_lines - f->next_line);
	return (size_t)n;
}

/* One blob with the faults of making; returns its number of events. */
static size_t
make_one(struct sim *s, struct feed *f, size_t n)
{
	struct make make = { .age = 0 };
	enum fault fault =
	    config_errors_roll(&s->faults, &s->rng, SCOPE_MAKE, f->content);

	if (fault == FAULT_LATE)
		make.hold =
		    1 + (int64_t)rng_below(&s->rng, (uint64_t)s->opt.late);
	make.repeat = fault == FAULT_DUP_ID;
	content_make(s, f, n, &make);
	if (fault == FAULT_DUP_BLOB)
		content_again(s, f);
	return n;
}

/* What was there before the agent came, oldest first. */
static void
make_backlog(struct sim *s)
{
	int64_t left = s->opt.backlog, step;

	for (int64_t made = 0; left > 0; made = s->opt.backlog - left) {
		struct feed *f = choose(s, false);
		struct make make = { .age = 0 };
		size_t n;

		if (f == NULL)
			return;
		step = s->opt.backlog_span * made / s->opt.backlog;
		make.age = s->opt.backlog_span - step;
		n = blob_size(s, f, left);
		content_make(s, f, n, &make);
		left -= (int64_t)n;
	}
}

/* Make what is due; false when all that was asked for is made. */
static bool
make_due(struct sim *s, double *due, int64_t *left)
{
	while (*due >= 1 && *left != 0) {
		struct feed *f = choose(s, true);
		size_t n;

		if (f == NULL) {
			/* Nothing subscribed yet, or no lines left. */
			*due = 0;
			return choose(s, false) != NULL;
		}
		n = blob_size(s, f, *left);
		/* At slow rates a full blob would take too long to fill. */
		if (s->opt.rate > 0 && (double)n > s->opt.rate)
			n = (size_t)s->opt.rate + 1;
		if ((double)n > *due)
			return true;
		n = make_one(s, f, n);
		*due -= (double)n;
		if (*left > 0)
			*left -= (int64_t)n;
	}
	return *left != 0;
}

static void *
produce(void *arg)
{
	struct sim *s = arg;
	int64_t begin = sim_ticks(), last = begin, left = s->opt.events;
	double due = 0;
	bool more = true;

	if (left > 0 && s->opt.backlog > 0)
		left = left > s->opt.backlog ? left - s->opt.backlog : 0;
	while (more) {
		int64_t now = sim_ticks();

		(void)pthread_mutex_lock(&s->lock);
		if (s->paused)
			last = now;
		due += s->opt.rate > 0
		    ? s->opt.rate * (double)(now - last) / (double)MS
		    : (double)(s->paused ? 0 : 2000);
		last = now;
		more = !s->enough && (s->paused || make_due(s, &due, &left)) &&
		    (s->opt.seconds < 0 || now - begin < s->opt.seconds * MS);
		s->finished = !more;
		(void)pthread_mutex_unlock(&s->lock);
		if (more)
			sim_sleep(TICK);
	}
	return NULL;
}

void
produce_start(struct sim *s)
{
	pthread_t thread;

	make_backlog(s);
	if (pthread_create(&thread, NULL, produce, s) != 0)
		sim_die("no thread could be started");
}
