/*
 * fetch.c - the threads that bring what was listed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "collect/collect_private.h"
#include "http/server_clock.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/store.h"
#include "store/write_batch.h"

/* Small items of a backlog are committed together: so many, or for so long;
 * and all threads together keep no more of a feed than it can have claimed. */
#define GATHER_ITEMS 32
#define GATHER_TIME (CLOCK_SECOND / 5)
#define CLAIMS 200

/* So often it is seen whether a backfill's items may be fetched. */
#define BACKFILL_LOOK (CLOCK_SECOND / 5)

/* So often the vendor must say that something is gone. */
#define GONE_TRIES 3

static const struct retry_policy item_retry = { .soon = 20,
	.any = true,
	.soon_max = 4 * CLOCK_SECOND,
	.max = 5 * CLOCK_MINUTE };

/* May j have one more fetch?  Every other feed keeps a thread in reserve, so
 * that four dripping blobs here hold up nobody there.  With the lock held. */
static bool
has_turn(const struct feed_worker *j)
{
	const struct source_runner *r = j->runner;
	size_t busy = 0, waiting = 0;

	for (size_t i = 0; i < r->n_workers; i++) {
		busy += r->workers[i].active;
		if (&r->workers[i] != j && r->workers[i].active == 0)
			waiting++;
	}
	if (r->n_fetchers < r->n_workers)
		waiting = 0;
	return busy + waiting < r->n_fetchers;
}

/* When j may fetch something, monotonic: an item is due, and the vendor does
 * not have it wait.  With the lock held. */
static int64_t
ready_at(struct feed_worker *j)
{
	int64_t hold = j->stream.hold;

	return hold > j->item_due ? hold : j->item_due;
}

/* The store fails.  The next fetch waits: what cannot be noted as tried would
 * be asked for at once, again and again. */
static void
store_fails(const struct feed_worker *j, const struct err *err)
{
	struct collector *c = j->runner->collector;
	int64_t now = clock_monotonic();
	bool say;

	(void)pthread_mutex_lock(&c->lock);
	c->hold = now + COLLECT_IDLE;
	say = now >= c->failure_logged;
	if (say)
		c->failure_logged = now + CLOCK_MINUTE;
	(void)pthread_mutex_unlock(&c->lock);
	if (say)
		log_err("%s: %s", feed_name(j->stream.feed), err->text);
}

/* Claim an item for j, whose count of fetches has this one in it: 1, 0 none,
 * and then j->item_due is set.  With the lock held, which is released
 * meanwhile. */
static int
claim(struct feed_worker *j, struct item *it)
{
	struct collector *c = j->runner->collector;
	unsigned listings = j->listings;
	const bool all = collect_may_backfill(j->runner);
	int64_t next = INT64_MAX, most = COLLECT_IDLE, wait;
	struct err err = ERR_INIT;
	int rc;

	(void)pthread_mutex_unlock(&c->lock);
	rc = (all ? item_claim : item_claim_polled)(j->stream.feed, it, &next,
	    &err);
	if (rc == -1)
		store_fails(j, &err);
	(void)pthread_mutex_lock(&c->lock);
	if (rc == 1) {
		j->runner->backfilling += it->via != VIA_FEED;
		return 1;
	}
	/* One that was listed or given back meanwhile may be due at once. */
	if (rc == 0 && j->listings != listings)
		return 0;
	/* What is left may be a backfill's, whose turn comes soon. */
	if (!all && j->runner->backfills)
		most = BACKFILL_LOOK;
	else if (rc == 0 && next == INT64_MAX) {
		j->item_due = INT64_MAX;
		return 0;
	}
	wait = rc == 0 && next != INT64_MAX ? next - clock_now() : most;
	if (wait > most)
		wait = most;
	j->item_due = clock_monotonic() + (wait > 0 ? wait : 0);
	return 0;
}

/* Claim what is due of any feed of the source; NULL: nothing is, and *next says
 * when that may be so.  With the lock held, which is released meanwhile. */
static struct feed_worker *
claim_any(struct source_runner *r, struct item *it, int64_t *next)
{
	const struct collector *c = r->collector;
	const int64_t now = clock_monotonic();

	*next = INT64_MAX;
	for (size_t i = 0; i < r->n_workers && !c->paused && c->hold <= now;
	     i++) {
		struct feed_worker *j =
		    &r->workers[(r->turn + i) % r->n_workers];

		if (ready_at(j) > now || !has_turn(j))
			continue;
		j->active++;
		if (claim(j, it) == 1) {
			r->turn = (r->turn + i + 1) % r->n_workers;
			return j;
		}
		j->active--;
	}
	for (size_t i = 0; i < r->n_workers; i++)
		if (has_turn(&r->workers[i]) &&
		    ready_at(&r->workers[i]) < *next)
			*next = ready_at(&r->workers[i]);
	if (c->paused)
		*next = now + COLLECT_IDLE;
	if (*next < c->hold)
		*next = c->hold;
	return NULL;
}

/* May a thread end that has had nothing to do since then?  One stays as long as
 * anything is to be tried again. */
static bool
is_spare(const struct source_runner *r, int64_t since)
{
	bool pending = false;

	for (size_t i = 0; i < r->n_workers; i++)
		pending = pending || r->workers[i].item_due != INT64_MAX;
	return clock_monotonic() - since >= COLLECT_IDLE &&
	    (!pending || r->idle > 0);
}

/* Wait for an item of any feed of the source.  NULL: the thread is to end. */
static struct feed_worker *
pick(struct source_runner *r, struct item *it)
{
	struct collector *c = r->collector;
	const int64_t begin = clock_monotonic();
	struct feed_worker *found = NULL;
	int64_t next;

	(void)pthread_mutex_lock(&c->lock);
	while (!c->stopping && (found = claim_any(r, it, &next)) == NULL &&
	    !is_spare(r, begin)) {
		const int64_t soon = clock_monotonic() + COLLECT_IDLE;

		if (c->stopping || clock_monotonic() >= next)
			continue;
		r->idle++;
		collect_wait(c, &r->work, next < soon ? next : soon);
		r->idle--;
	}
	if (found == NULL)
		r->fetching--;
	else
		collect_fetch(r);
	(void)pthread_mutex_unlock(&c->lock);
	return found;
}

/* Another item of the same feed, if one is due now: it may keep its thread
 * as long as no other feed waits for one. */
static bool
pick_same(struct feed_worker *j, struct item *it)
{
	struct collector *c = j->runner->collector;
	bool found = false;

	(void)pthread_mutex_lock(&c->lock);
	if (!c->stopping && !c->paused && ready_at(j) <= clock_monotonic())
		found = claim(j, it) == 1;
	(void)pthread_mutex_unlock(&c->lock);
	return found;
}

/* Has the vendor taken the item away before its time, beyond doubt? */
static bool
is_gone(const struct feed_worker *j, const struct item *it,
    const struct outcome *r)
{
	const struct source *s = &j->runner->source;
	int64_t from = it->created + s->definition.gone_after;

	return s->definition.gone_after > 0 && r->class == REPLY_GONE &&
	    *r->code != '\0' && it->attempts + 1 >= GONE_TRIES &&
	    collect_local_now(j->runner->collector) >= from &&
	    server_clock_now(s->clock) >= from;
}

/*
 * Is it proven that what r is about is not to be had any more?  Its time must
 * be over by both clocks; where this machine's does not say so, the vendor must
 * have said again and again that it is gone, beyond that time by its own.
 */
static bool
is_over(const struct feed_worker *j, const struct item *it,
    const struct outcome *r)
{
	struct server_clock *there = j->runner->source.clock;
	bool here = collect_local_now(j->runner->collector) >= it->expires;

	if (is_gone(j, it, r))
		return true;
	if (!server_clock_dated(there))
		return here;
	if (server_clock_now(there) < it->expires)
		return false;
	/* Without a code anybody may have said that it is gone. */
	return here ||
	    (r->class == REPLY_GONE && *r->code != '\0' &&
		it->attempts + 1 >= GONE_TRIES);
}

/* How long the next try of an item waits: not far beyond its end, since what is
 * lost is to be told soon. */
static int64_t
item_delay(const struct feed_worker *j, const struct item *it,
    const struct outcome *r)
{
	int64_t wait = collect_retry_delay(&item_retry, r, it->attempts);
	int64_t here = collect_local_now(j->runner->collector);
	int64_t there = server_clock_now(j->runner->source.clock);
	int64_t left = it->expires - (here < there ? here : there);

	if (left > 0 && left + CLOCK_SECOND < wait)
		return left + CLOCK_SECOND;
	return wait;
}

/* Record as a gap what is gone; 0, or -1 when that is not durable. */
static int
give_up(struct feed_worker *j, const struct item *it, const struct outcome *r,
    struct err *err)
{
	struct write_batch *p = write_batch_new(j->stream.feed);
	struct gap_row *g = xcalloc(1, sizeof(*g));
	struct commit_result res;
	int rc;

	g->item = it->id;
	g->from = it->created;
	g->to = it->created;
	(void)snprintf(g->key, sizeof(g->key), "%s", it->key);
	(void)snprintf(g->cause, sizeof(g->cause),
	    "expired at the vendor before it could be read: %.400s", r->text);
	write_batch_gap(p, g);
	rc = feed_commit(p, &res, err);
	if (rc == 0)
		j->stream.gaps++;
	free(g);
	write_batch_free(p);
	return rc;
}

/* The survey tells how many. */
static void
count_lost(struct feed_worker *j)
{
	struct collector *c = j->runner->collector;

	(void)pthread_mutex_lock(&c->lock);
	j->lost++;
	(void)pthread_mutex_unlock(&c->lock);
}

/* Give the item back as its fetch ended, and release it. */
static void
settle(struct feed_worker *j, struct item *it, const struct outcome *r)
{
	struct collector *c = j->runner->collector;
	int64_t wait = item_delay(j, it, r);
	const char *why = r->class == REPLY_OK ? NULL : r->text;
	struct err err = ERR_INIT;

	collect_fetched(j, it, r, wait);
	if (why != NULL && r->class != REPLY_STOPPED && is_over(j, it, r)) {
		if (give_up(j, it, r, &err) == 0) {
			why = NULL;
			count_lost(j);
		} else {
			store_fails(j, &err);
		}
	}
	err_clear(&err);
	if (item_return(j->stream.feed, it, clock_now() + wait, why, &err) != 0)
		store_fails(j, &err);
	item_release(it);
	if (why == NULL)
		return;
	feed_count(j->stream.feed, FEED_RETRIES, 1);
	(void)pthread_mutex_lock(&c->lock);
	j->listings++;
	if (clock_monotonic() + wait < j->item_due)
		j->item_due = clock_monotonic() + wait;
	/* This thread may be busy elsewhere when it is due. */
	collect_fetch(j->runner);
	(void)pthread_mutex_unlock(&c->lock);
}

/* A fetching thread: items of one feed whose write batches wait to be
 * committed. */
struct fetcher {
	struct worker w;
	struct feed_worker *worker;
	struct item item[GATHER_ITEMS];
	struct write_batch *batch[GATHER_ITEMS];
	size_t n;
	size_t bytes;
	int64_t since; /* monotonic: the first of them is complete */
};

/* Commit what waits. */
static void
flush(struct fetcher *f)
{
	struct source_runner *r = f->worker != NULL ? f->worker->runner : NULL;
	int rc[GATHER_ITEMS] = { 0 };
	struct err err = ERR_INIT;

	if (f->n == 0)
		return;
	(void)feed_commit_all(f->batch, f->n, rc, &err);
	for (size_t i = 0; i < f->n; i++) {
		struct outcome outcome;

		(void)outcome_set(&outcome, rc[i] == 0 ? REPLY_OK : REPLY_RETRY,
		    "%s", rc[i] == 0 ? "committed" : err.text);
		settle(f->worker, &f->item[i], &outcome);
		write_batch_free(f->batch[i]);
	}
	f->n = 0;
	f->bytes = 0;
	r->source.committed(r->source.ctx, &f->worker->stream);
}

/* http_stop_fn: a transfer that takes its time must not hold up what came
 * before it. */
static bool
stop_or_flush(void *ctx)
{
	struct fetcher *f = ctx;

	if (f->n > 0 && clock_monotonic() - f->since > GATHER_TIME)
		flush(f);
	return f->w.source->stop(f->w.source->ctx);
}

/* Fetch one item; what it leaves waits for more of its kind. */
static void
fetch(struct fetcher *f, struct item *it)
{
	struct outcome outcome = { .class = REPLY_OK };
	size_t share = CLAIMS / (f->worker->runner->n_fetchers + 1);

	f->w.gather = true;
	f->w.left = NULL;
	f->w.stream = &f->worker->stream;
	f->w.source->type->fetch(&f->w, &f->worker->stream, it, &outcome);
	if (f->w.left == NULL) {
		settle(f->worker, it, &outcome);
		return;
	}
	if (f->n == 0)
		f->since = clock_monotonic();
	f->bytes += write_batch_bytes(f->w.left);
	f->batch[f->n] = f->w.left;
	f->item[f->n++] = *it;
	if (f->n >= GATHER_ITEMS || f->n >= share || f->bytes >= GATHER_BYTES ||
	    clock_monotonic() - f->since > GATHER_TIME)
		flush(f);
}

static void
fetch_claimed(struct fetcher *f, struct item *it)
{
	struct source_runner *r = f->worker->runner;
	const bool backfill = it->via != VIA_FEED;

	fetch(f, it);
	if (!backfill)
		return;
	(void)pthread_mutex_lock(&r->collector->lock);
	r->backfilling--;
	(void)pthread_mutex_unlock(&r->collector->lock);
}

/* Fetch items of one source until there are none for a while. */
static void *
fetch_thread(void *arg)
{
	struct source_runner *r = arg;
	struct collector *c = r->collector;
	struct fetcher *f = xcalloc(1, sizeof(*f));
	struct item it;
	bool last;

	f->w.source = &r->source;
	f->w.http = http_new(r->source.access, stop_or_flush, f);
	while ((f->worker = pick(r, &it)) != NULL) {
		do
			fetch_claimed(f, &it);
		while (f->n > 0 && pick_same(f->worker, &it));
		flush(f);
		(void)pthread_mutex_lock(&c->lock);
		last = --f->worker->active == 0;
		(void)pthread_mutex_unlock(&c->lock);
		if (last)
			collect_fetched_all(f->worker);
	}
	write_batch_free(f->w.spare);
	http_free(f->w.http);
	free(f);
	collect_thread_ends(c);
	return NULL;
}

void
collect_fetch(struct source_runner *r)
{
	struct collector *c = r->collector;
	const size_t before = c->threads;

	if (r->idle > 0) {
		(void)pthread_cond_signal(&r->work);
	} else if (!c->stopping && r->fetching < r->n_fetchers) {
		collect_another_thread(c, fetch_thread, r);
		r->fetching += c->threads - before;
	}
}

void
collect_fetch_wake(struct collector *c)
{
	for (size_t i = 0; i < c->n_runners; i++)
		(void)pthread_cond_broadcast(&c->runners[i].work);
}
