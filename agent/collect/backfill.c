/*
 * backfill.c - spans of time are read again, as the command line asks: one
 * thread for each source that has such a request, as long as it has one.
 *
 * It is the last in every queue.  A request is made where half of the budget is
 * left and no output has much to deliver; items that are listed so are fetched
 * where no others are, by no more than half of the threads; and listing waits
 * for fetching.  What the requests say is durable in the store, so a crash
 * costs a part that is read again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "collect/collect_private.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "store/backfill.h"
#include "store/feed.h"
#include "store/report.h"

/* Listing waits while so many items are still to be fetched. */
#define LISTED_MAX 500
/* Reading waits while an output has so many events to deliver. */
#define BACKLOG_MAX 10000
/* It looks so often whether it need not wait any more. */
#define LOOK (CLOCK_SECOND / 2)
/* A clock may be so far off that a span is just not kept any more. */
#define JUST CLOCK_MINUTE

static const struct retry_policy retry = { .soon = 10,
	.soon_max = 4 * CLOCK_SECOND,
	.max = CLOCK_MINUTE };

/* One request under way. */
struct run {
	struct source_runner *runner;
	struct worker w;
	struct stream stream;
	struct backfill now;
	int64_t failures; /* in a row */
};

int64_t
collect_spare(struct collector *c)
{
	int64_t wait;

	(void)pthread_mutex_lock(&c->lock);
	wait = c->paused || c->crowded ? LOOK : 0;
	(void)pthread_mutex_unlock(&c->lock);
	return wait;
}

bool
collect_may_backfill(struct source_runner *r)
{
	const size_t most = r->n_fetchers > 1 ? r->n_fetchers / 2 : 1;

	return r->backfilling < most && !r->collector->crowded &&
	    rate_spare(r->source.rate, clock_monotonic()) == 0;
}

static struct feed_worker *
worker_of(struct source_runner *r, const char *feed)
{
	for (size_t i = 0; i < r->n_workers; i++)
		if (strcmp(feed_name(r->workers[i].stream.feed), feed) == 0)
			return &r->workers[i];
	return NULL;
}

/* The stream beside the one that is polled. */
static void
open_stream(struct run *run, struct feed_worker *j)
{
	struct source *s = &run->runner->source;

	run->stream = (struct stream){ .source = s,
		.name = j->stream.name,
		.feed = j->stream.feed,
		.via = VIA_BACKFILL,
		.worker = j,
		.listed = INT64_MIN };
	stream_begin(&run->stream);
	run->w.stream = &run->stream;
}

static void
close_stream(struct run *run)
{
	stream_end(&run->stream);
	run->w.stream = NULL;
}

static bool
rest_a_while(struct run *run, int64_t us)
{
	struct source *s = &run->runner->source;

	return s->rest(s->ctx, us);
}

/* The store fails: it is told by those who collect. */
static bool
store_failed(struct run *run, const struct err *err)
{
	log_err("%s: %s", run->now.feed, err->text);
	return rest_a_while(run, COLLECT_IDLE);
}

/* End the request; false when stopping. */
static bool
end(struct run *run, const char *how, const char *error)
{
	struct err err = ERR_INIT;

	if (backfill_end(run->runner->collector->store, run->now.id, how, error,
		&err) != 0)
		return store_failed(run, &err);
	log_notice("%s: backfill %lld is %s: %llu events were new, %llu were "
		   "there%s%s",
	    run->now.feed, (long long)run->now.id, how,
	    (unsigned long long)run->now.events,
	    (unsigned long long)run->now.repeats, *error != '\0' ? "; " : "",
	    error);
	return true;
}

static bool
move(struct run *run, const char *error)
{
	struct err err = ERR_INIT;

	(void)snprintf(run->now.error, sizeof(run->now.error), "%s", error);
	if (backfill_move(run->runner->collector->store, &run->now, &err) != 0)
		return store_failed(run, &err);
	return true;
}

/* What the vendor does not keep any more is not asked for; false: that is all
 * of it. */
static bool
bound(struct run *run, const struct source_bounds *b)
{
	const int64_t oldest =
	    server_clock_now(run->runner->source.clock) - b->kept + JUST;

	if (b->kept == 0)
		return true;
	if (run->now.reached < oldest)
		run->now.reached = oldest;
	return run->now.reached < run->now.to;
}

/* A part could not be read. */
static bool
failed(struct run *run, const struct outcome *r)
{
	if (r->class == REPLY_STOPPED)
		return false;
	if (r->class == REPLY_CLOCK || r->class == REPLY_GONE)
		return end(run, "refused", r->text);
	if (!move(run, r->text))
		return false;
	return rest_a_while(run,
	    collect_retry_delay(&retry, r, ++run->failures));
}

/* Read the next part, or end the request; false when stopping. */
static bool
step(struct run *run)
{
	struct source *s = &run->runner->source;
	struct outcome r = { .class = REPLY_OK };
	struct source_bounds b;
	struct span span;
	int64_t to;

	if (s->type->bounds(s->conf, run->stream.name, &b) != NULL)
		return end(run, "refused",
		    "the source is not configured so any more that a span can "
		    "be asked for");
	if (run->now.reached < run->now.to && !bound(run, &b))
		return end(run, "refused",
		    "the vendor does not keep that long any more");
	if (run->now.open > 0 &&
	    (run->now.open >= LISTED_MAX || run->now.reached >= run->now.to))
		return rest_a_while(run, LOOK);
	if (run->now.reached >= run->now.to)
		return end(run, "complete", "");
	span = (struct span){ run->now.reached, run->now.to };
	to = span.from;
	s->type->backfill(&run->w, &run->stream, &span, &to, &r);
	if (r.class != REPLY_OK)
		return failed(run, &r);
	run->failures = 0;
	run->now.reached = to;
	return move(run, "");
}

/* Begin with what is asked for; false when stopping. */
static bool
begin(struct run *run)
{
	struct feed_worker *j = worker_of(run->runner, run->now.feed);

	if (j == NULL) {
		close_stream(run);
		return end(run, "refused",
		    "the source has no such feed any more");
	}
	if (run->stream.state == NULL || run->stream.worker != j) {
		close_stream(run);
		open_stream(run, j);
	}
	if (run->now.begun != INT64_MIN)
		return true;
	run->now.begun = clock_now();
	log_notice("%s: backfill %lld begins", run->now.feed,
	    (long long)run->now.id);
	return move(run, "");
}

static void *
backfill_thread(void *arg)
{
	struct source_runner *r = arg;
	struct collector *c = r->collector;
	struct source *s = &r->source;
	struct run run = { .runner = r,
		.w = { .source = s, .background = true } };
	struct err err = ERR_INIT;
	bool go = true;
	int rc = 0;

	run.w.http = http_new(s->access, s->stop, s->ctx);
	while (go && !s->stop(s->ctx)) {
		rc = backfill_next(c->store, s->name, &run.now, &err);
		if (rc == 0)
			break;
		if (rc == -1)
			go = store_failed(&run, &err);
		else
			go = begin(&run) &&
			    (run.stream.state == NULL || step(&run));
	}
	close_stream(&run);
	write_batch_free(run.w.spare);
	http_free(run.w.http);
	(void)pthread_mutex_lock(&c->lock);
	r->backfills = false;
	(void)pthread_mutex_unlock(&c->lock);
	collect_thread_ends(c);
	return NULL;
}

/* Has some output, of those that work, much to deliver?  Live events would wait
 * behind more. */
static bool
is_crowded(struct collector *c)
{
	struct output_report *o = xcalloc(1, sizeof(*o));
	struct err err = ERR_INIT;
	char after[sizeof(o->name)] = "";
	bool crowded = false;

	while (!crowded && report_output(c->store, after, o, &err) == 1) {
		(void)snprintf(after, sizeof(after), "%s", o->name);
		crowded =
		    o->error[0] == '\0' && o->backlog_events > BACKLOG_MAX;
	}
	free(o);
	return crowded;
}

/* Those of sources that are not configured any more. */
static void
refuse_strangers(struct collector *c)
{
	struct backfill b = { .id = 0 };
	struct err err = ERR_INIT;

	while (backfill_after(c->store, b.id, &b, &err) == 1) {
		bool known = b.ended != INT64_MIN;

		for (size_t i = 0; i < c->n_runners && !known; i++) {
			const char *name = c->runners[i].source.name;
			const size_t len = strlen(name);

			known = strncmp(b.feed, name, len) == 0 &&
			    b.feed[len] == '/';
		}
		if (!known &&
		    backfill_end(c->store, b.id, "refused",
			"there is no such source any more", &err) != 0)
			log_err("%s", err.text);
	}
}

/* Start the thread of a source, with the lock held, and let items that an
 * earlier one has listed be seen. */
static void
start(struct source_runner *r)
{
	struct err err = ERR_INIT;

	r->backfills =
	    collect_thread(r->collector, backfill_thread, r, &err) == 0;
	if (!r->backfills)
		log_err("%s: %s", r->source.name, err.text);
	for (size_t i = 0; i < r->n_workers && r->backfills; i++)
		if (r->workers[i].item_due == INT64_MAX)
			r->workers[i].item_due = 0;
	if (r->backfills)
		collect_fetch(r);
}

static void
serve(struct source_runner *r)
{
	struct collector *c = r->collector;
	struct backfill b;
	struct err err = ERR_INIT;

	if (!r->started || r->source.type->backfill == NULL ||
	    backfill_next(c->store, r->source.name, &b, &err) != 1)
		return;
	(void)pthread_mutex_lock(&c->lock);
	if (!r->backfills && !c->stopping)
		start(r);
	(void)pthread_mutex_unlock(&c->lock);
}

void
collect_backfill(struct collector *c)
{
	struct err err = ERR_INIT;
	const int any = backfill_any(c->store, &err);
	bool crowded = false;

	if (any == -1)
		return;
	if (any == 1) {
		refuse_strangers(c);
		crowded = is_crowded(c);
	}
	(void)pthread_mutex_lock(&c->lock);
	c->crowded = crowded;
	(void)pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < c->n_runners && any == 1; i++)
		serve(&c->runners[i]);
}
