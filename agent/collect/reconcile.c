/*
 * reconcile.c - spans of time that are over are asked for by another way than
 * the feeds, and what these never had is added to them.
 *
 * A round looks after all spans of a source: it adds those that are over, asks
 * for them, sees how far the vendor has got, and reads what it found.  One
 * thread does it, as the last in every queue, and ends; the next round is due a
 * moment or minutes later.  What there is of a span is durable in the store,
 * and a query is gone on with by its id, whoever was killed.
 *
 * Nothing that fails here holds up a feed: the other way has its own token,
 * clock and pauses, and each of its requests a place in the source's budget,
 * too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "collect/collect_private.h"
#include "collect/finding.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "sources/agent_feed.h"
#include "store/feed.h"
#include "store/hours.h"
#include "store/reconcile.h"
#include "store/write_batch.h"

/* A query is looked at again after a quarter of the time that it has taken, but
 * not sooner or later than this. */
#define LOOK_LEAST CLOCK_SECOND
#define LOOK_MOST (5 * CLOCK_MINUTE)
/* A query that failed is asked anew so often. */
#define TRIES_MAX 4
/* Clocks may be so far off when it is judged whether ids are still known. */
#define JUST CLOCK_HOUR
/* Requests a minute beside those of the feeds. */
#define BUDGET 600.0

static const struct retry_policy retry = { .soon = 6,
	.soon_max = CLOCK_MINUTE,
	.max = CLOCK_HOUR };

/* Of a source that is reconciled. */
struct reconciler {
	struct source_audit bounds;
	struct rate *rate;
	struct server_clock *clock;
	/* With collector.lock held. */
	bool runs;
	int64_t due; /* monotonic, of the next round */
	/* Of the thread that runs. */
	int64_t plan;     /* monotonic: spans are added again */
	int64_t failures; /* of requests, in a row */
	char told[sizeof(((struct outcome *)0)->code) + 16];
};

/* A round. */
struct round {
	struct source_runner *runner;
	struct reconciler *a;
	const struct audit_calls *calls;
	struct source source; /* as the runner's, with a budget of its own */
	struct worker w;
	int64_t next; /* monotonic: the next one */
	bool blocked; /* nothing more can be asked for now */
};

/* -- what it gives to the source --------------------------------------------
 */

static bool
round_stop(void *ctx)
{
	const struct round *d = ctx;

	return d->runner->source.stop(d->runner->source.ctx);
}

static bool
round_rest(void *ctx, int64_t us)
{
	const struct round *d = ctx;

	return d->runner->source.rest(d->runner->source.ctx, us);
}

static int64_t
round_spare(void *ctx)
{
	const struct round *d = ctx;
	const int64_t wait = collect_spare(d->runner->collector);

	return wait > 0
	    ? wait
	    : rate_take_spare(d->runner->source.rate, clock_monotonic());
}

/* It is tried again at once, and its end is told. */
static void
round_trouble(void *ctx, struct stream *st, const struct outcome *r)
{
	const struct round *d = ctx;

	(void)st;
	log_info("%s: reconcile: %s", d->source.name, r->text);
}

static struct store *
store_of(const struct round *d)
{
	return d->runner->collector->store;
}

/* The store fails; it is told by those who collect. */
static void
store_failed(struct round *d, const struct err *err)
{
	log_err("%s: reconcile: %s", d->source.name, err->text);
	d->blocked = true;
	d->next = clock_monotonic() + COLLECT_IDLE;
}

/* -- how it goes ------------------------------------------------------------
 */

/* What stands in the way is told once, until something else does or it is
 * over. */
static void
tell(struct round *d, const struct outcome *r)
{
	char key[sizeof(d->a->told)];

	(void)snprintf(key, sizeof(key), "%d %s", (int)r->class, r->code);
	if (strcmp(key, d->a->told) == 0)
		return;
	memcpy(d->a->told, key, sizeof(key));
	log_err("%s: reconcile: %s", d->source.name, r->text);
	agent_feed_say(d->runner->collector->own, "reconcile",
	    json_pack("{s:s, s:s, s:s, s:s, s:o}", "state", "waiting", "source",
		d->source.name, "class", reply_class_name(r->class), "code",
		r->code, "error", agent_feed_text(r->text)));
}

static void
note(struct round *d, struct span_row *span, const char *error)
{
	struct err err = ERR_INIT;

	(void)snprintf(span->error, sizeof(span->error), "%s", error);
	if (span_note(store_of(d), span, &err) != 0)
		store_failed(d, &err);
}

/* A request failed: no more of them in this round. */
static void
failed(struct round *d, struct span_row *span, const struct outcome *r)
{
	d->blocked = true;
	if (r->class == REPLY_STOPPED)
		return;
	tell(d, r);
	d->next = clock_monotonic() +
	    collect_retry_delay(&retry, r, d->a->failures++);
	note(d, span, r->text);
}

static void
went_well(struct round *d)
{
	d->a->failures = 0;
	if (d->a->told[0] != '\0')
		log_notice("%s: reconcile: it goes on", d->source.name);
	d->a->told[0] = '\0';
}

static void
end(struct round *d, struct span_row *span, const char *how, const char *error,
    const struct span_hour *hours, size_t n)
{
	struct err err = ERR_INIT;

	(void)snprintf(span->how, sizeof(span->how), "%s", how);
	(void)snprintf(span->error, sizeof(span->error), "%s", error);
	if (span_end(store_of(d), span, hours, n, &err) != 0)
		store_failed(d, &err);
	else if (*error != '\0')
		log_warn("%s: reconcile: a span cannot be confirmed: %s",
		    d->source.name, error);
	else if (span->missing > 0)
		log_warn("%s: reconcile: %" PRIu64 " of %" PRIu64
			 " events were never delivered by the feeds, and are "
			 "now forwarded",
		    d->source.name, span->missing, span->listed);
}

/* The answer is too large: in halves, if that can be; else that is how it ends.
 */
static void
halve(struct round *d, struct span_row *span, const char *why)
{
	struct err err = ERR_INIT;
	int64_t middle = span->from + (span->to - span->from) / 2;

	middle -= middle % d->a->bounds.least;
	if (middle <= span->from || middle >= span->to)
		end(d, span, "unconfirmed", why, NULL, 0);
	else if (span_halve(store_of(d), span, middle, &err) != 0)
		store_failed(d, &err);
}

/* The query has come to nothing; another one is made, a number of times. */
static void
again(struct round *d, struct span_row *span, const char *why)
{
	if (span->tries >= TRIES_MAX) {
		end(d, span, "unconfirmed", why, NULL, 0);
		return;
	}
	span->query[0] = '\0';
	log_info("%s: reconcile: %s; it is asked anew", d->source.name, why);
	note(d, span, why);
}

/* -- reading ----------------------------------------------------------------
 */

/* Read what the query found. */
static void
read_all(struct round *d, struct span_row *span)
{
	struct outcome r = { .class = REPLY_OK };
	struct err err = ERR_INIT;
	struct finding f;

	finding_open(&f, d->runner, d->a->bounds.via, span);
	(void)d->calls->read(&d->w, span->query, finding_take, &f, &r);
	if (f.many) {
		halve(d, span,
		    "a second of it has more records than can be told apart");
	} else if (r.class == REPLY_GONE) {
		again(d, span, r.text);
	} else if (r.class != REPLY_OK) {
		failed(d, span, &r);
	} else {
		went_well(d);
		if (finding_commit(&f, &err) != 0)
			store_failed(d, &err);
		else
			end(d, span, "complete", "", f.hours, f.n_hours);
	}
	finding_close(&f);
}

/* Has what the feeds (or j's alone) had at that time been read?  If not, wait
 * for it, but not for ever: what no feed brings any more is missing. */
static bool
is_collected(struct round *d, const struct feed_worker *j, int64_t when)
{
	struct source_runner *r = d->runner;
	struct err err = ERR_INIT;
	bool all = true;

	if (clock_now() - when > d->a->bounds.patience)
		return true;
	for (size_t i = 0; i < r->n_workers; i++)
		if (collect_look(&r->workers[i], &err) != 0)
			return false;
	(void)pthread_mutex_lock(&r->collector->lock);
	for (size_t i = 0; i < r->n_workers; i++)
		all = all &&
		    ((j != NULL && j != &r->workers[i]) ||
			collect_horizon(&r->workers[i]) >= when);
	(void)pthread_mutex_unlock(&r->collector->lock);
	return all;
}

/* Ask for the span, and read the answer. */
static void
read_at_once(struct round *d, struct span_row *span, struct feed_worker *j)
{
	struct source *s = &d->runner->source;
	struct outcome r = { .class = REPLY_OK };
	struct finding f;
	struct stream st = { .source = s,
		.name = j->stream.name,
		.feed = j->stream.feed,
		.via = d->a->bounds.via,
		.judge = finding_judge,
		.judge_ctx = &f,
		.worker = j,
		.listed = INT64_MIN };
	struct worker w = { .source = s,
		.http = http_new(s->access, s->stop, s->ctx),
		.stream = &st,
		.background = true };
	struct span left = { span->from, span->to };

	stream_begin(&st);
	finding_open(&f, d->runner, d->a->bounds.via, span);
	while (r.class == REPLY_OK && left.from < left.to) {
		int64_t to = left.from;

		s->type->backfill(&w, &st, &left, &to, &r);
		if (r.class == REPLY_OK && to <= left.from)
			(void)outcome_set(&r, REPLY_RETRY,
			    "nothing of the span was read");
		left.from = to;
	}
	if (r.class != REPLY_OK) {
		failed(d, span, &r);
	} else {
		went_well(d);
		end(d, span, "complete", "", f.hours, f.n_hours);
	}
	finding_close(&f);
	stream_end(&st);
	write_batch_free(w.spare);
	http_free(w.http);
}

/* -- a round ----------------------------------------------------------------
 */

static void
look_again(struct round *d, const struct span_row *span)
{
	int64_t wait = (clock_now() - span->asked) / 4;

	if (wait < LOOK_LEAST)
		wait = LOOK_LEAST;
	if (wait > LOOK_MOST)
		wait = LOOK_MOST;
	if (clock_monotonic() + wait < d->next)
		d->next = clock_monotonic() + wait;
}

/* Begin a query, where the budget has one more. */
static void
ask(struct round *d, struct span_row *span)
{
	const struct source_audit *b = &d->a->bounds;
	const struct span what = { span->from, span->to };
	struct outcome r = { .class = REPLY_OK };
	struct err err = ERR_INIT;
	int64_t begun, running;

	if (span_load(store_of(d), span->subject, clock_now() - CLOCK_DAY,
		&begun, &running, &err) != 0) {
		store_failed(d, &err);
		return;
	}
	if (begun >= b->per_day || running >= b->at_once)
		return;
	if (d->calls->ask(&d->w, &what, span->query, &r) != REPLY_OK) {
		span->query[0] = '\0';
		failed(d, span, &r);
		return;
	}
	went_well(d);
	span->asked = clock_now();
	span->tries++;
	log_info("%s: reconcile: query %s is made", d->source.name,
	    span->query);
	note(d, span, "");
	look_again(d, span);
}

static void
look(struct round *d, struct span_row *span)
{
	enum audit_state state = AUDIT_RUNNING;
	struct outcome r = { .class = REPLY_OK };

	(void)d->calls->look(&d->w, span->query, &state, &r);
	if (r.class == REPLY_GONE ||
	    (r.class == REPLY_OK && state == AUDIT_FAILED))
		again(d, span, r.text);
	else if (r.class != REPLY_OK)
		failed(d, span, &r);
	else if (state == AUDIT_TRUNCATED)
		halve(d, span,
		    "the vendor has more records of it than one query gives");
	else if (state == AUDIT_READY && is_collected(d, NULL, span->asked))
		read_all(d, span);
	else if (state == AUDIT_RUNNING &&
	    clock_now() - span->asked > d->a->bounds.patience)
		again(d, span, "the query took longer than reconcile.patience");
	else
		look_again(d, span);
}

/* Ids are remembered since they were collected, which was after their time, and
 * after the subject's begin: are all of the time from known? */
static bool
is_known(struct round *d, const char *subject, int64_t from)
{
	const int64_t known =
	    clock_now() - (d->runner->source.definition.dedupe - JUST);
	struct err err = ERR_INIT;
	int64_t begun;

	if (from >= known)
		return true;
	if (span_begun(store_of(d), subject, &begun, &err) == 0)
		return begun >= known;
	store_failed(d, &err);
	return true;
}

static void
see_to(struct round *d, struct span_row *span, struct feed_worker *j)
{
	const bool known = is_known(d, span->subject, span->from);

	if (d->blocked)
		return;
	/* What was collected then can't be told from what was not. */
	if (!known)
		end(d, span, "unconfirmed",
		    span->error[0] != '\0'
			? span->error
			: "it was not answered as long as the ids of what was "
			  "collected are remembered",
		    NULL, 0);
	else if (d->calls->ask == NULL && is_collected(d, j, span->to))
		read_at_once(d, span, j);
	else if (d->calls->ask == NULL)
		d->next = clock_monotonic() + LOOK_LEAST;
	else if (span->query[0] == '\0')
		ask(d, span);
	else
		look(d, span);
}

/* When all feeds had begun that have, or j's; INT64_MIN: none has. */
static int64_t
first(const struct round *d, const struct feed_worker *j)
{
	const struct source_runner *r = d->runner;
	int64_t from = INT64_MIN;

	for (size_t i = 0; i < r->n_workers; i++) {
		const int64_t since = j == NULL || j == &r->workers[i]
		    ? d->calls->since(&r->source, r->workers[i].stream.feed)
		    : INT64_MIN;

		if (since > from)
			from = since;
	}
	return from;
}

/* Note where the first span begins: not before the feeds did, and where events
 * were collected that are not counted by hour, now. */
static int
begin(struct round *d, const char *subject, const struct feed_worker *j,
    int64_t *from, struct err *err)
{
	bool whole;

	*from = first(d, j);
	if (*from == INT64_MIN)
		return 0;
	if (hours_whole(store_of(d), d->source.name, &whole, err) != 0)
		return -1;
	if (!whole)
		*from = clock_now();
	return span_begin(store_of(d), subject, *from, err);
}

/* Add the spans that are over; each begins and ends at a multiple of its
 * length. */
static void
plan(struct round *d, const char *subject, const struct feed_worker *j)
{
	const struct source_audit *b = &d->a->bounds;
	const int64_t over = clock_now() - b->settle;
	const int64_t known = over - d->runner->source.definition.dedupe;
	struct err err = ERR_INIT;
	int64_t from;
	int rc;

	rc = span_last(store_of(d), subject, &from, &err);
	if (rc == 0 && from == INT64_MIN)
		rc = begin(d, subject, j, &from, &err);
	if (rc == 0 && from == INT64_MIN) {
		d->a->plan = clock_monotonic() + LOOK_LEAST;
		return;
	}
	/* Of a longer time without the agent, or without this option. */
	if (rc == 0 && from < known && !is_known(d, subject, from))
		from = known;
	while (rc == 0) {
		/* The first may be shorter: it begins with the feed's. */
		const int64_t to = from - from % b->span + b->span;

		if (to > over)
			break;
		rc = span_add(store_of(d), subject, from, to, &err);
		from = to;
	}
	if (rc != 0)
		store_failed(d, &err);
}

/* All that there is to do of one subject: the source, or the feed of j. */
static void
serve(struct round *d, const char *subject, struct feed_worker *j, bool plans)
{
	struct span_row span = { .id = 0 };
	struct err err = ERR_INIT;
	int rc;

	if (plans)
		plan(d, subject, j);
	while (!d->blocked && !round_stop(d) &&
	    (rc = span_open(store_of(d), subject, span.id, &span, &err)) != 0) {
		if (rc == -1)
			store_failed(d, &err);
		else
			see_to(d, &span, j);
	}
}

static void
serve_all(struct round *d)
{
	struct source_runner *r = d->runner;
	const bool plans = clock_monotonic() >= d->a->plan;

	if (plans)
		d->a->plan = clock_monotonic() + d->a->bounds.every;
	if (d->calls->covers == NULL) {
		serve(d, d->source.name, NULL, plans);
		return;
	}
	for (size_t i = 0; i < r->n_workers; i++) {
		struct feed_worker *j = &r->workers[i];

		if (d->calls->covers(r->source.conf, j->stream.name))
			serve(d, feed_name(j->stream.feed), j, plans);
	}
}

static void *
reconcile_thread(void *arg)
{
	struct source_runner *r = arg;
	struct collector *c = r->collector;
	struct round d = { .runner = r,
		.a = r->reconciler,
		.calls = r->source.type->audit,
		.source = r->source,
		.next = clock_monotonic() + LOOK_MOST };

	d.source.rate = d.a->rate;
	d.source.clock = d.a->clock;
	d.source.stop = round_stop;
	d.source.rest = round_rest;
	d.source.spare = round_spare;
	d.source.trouble = round_trouble;
	d.source.ctx = &d;
	d.w = (struct worker){ .source = &d.source,
		.http = http_new(d.source.access, round_stop, &d),
		.background = true };
	serve_all(&d);
	if (!d.blocked && d.a->plan < d.next)
		d.next = d.a->plan;
	http_free(d.w.http);
	(void)pthread_mutex_lock(&c->lock);
	d.a->due = d.next;
	d.a->runs = false;
	(void)pthread_mutex_unlock(&c->lock);
	collect_thread_ends(c);
	return NULL;
}

void
collect_reconcile(struct collector *c)
{
	const int64_t now = clock_monotonic();
	struct err err = ERR_INIT;

	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->n_runners; i++) {
		struct source_runner *r = &c->runners[i];
		struct reconciler *a = r->reconciler;

		if (a == NULL || a->runs || !r->started || now < a->due ||
		    c->stopping || c->paused)
			continue;
		a->runs = collect_thread(c, reconcile_thread, r, &err) == 0;
		if (!a->runs)
			a->due = now + COLLECT_IDLE;
	}
	(void)pthread_mutex_unlock(&c->lock);
}

void
collect_reconciler_open(struct source_runner *r)
{
	const struct source *s = &r->source;
	const struct audit_calls *a = s->type->audit;
	struct source_audit bounds;

	for (size_t i = 0; a != NULL && a->accounts != NULL && i < r->n_workers;
	     i++)
		if (a->accounts(s->conf, r->workers[i].stream.name))
			feed_hours(r->workers[i].stream.feed);
	if (a == NULL || !a->bounds(s->conf, &bounds) || bounds.every == 0)
		return;
	r->reconciler = xcalloc(1, sizeof(*r->reconciler));
	*r->reconciler = (struct reconciler){ .bounds = bounds,
		.rate = rate_new(BUDGET, BUDGET),
		.clock = server_clock_new() };
	for (size_t i = 0; i < r->n_workers; i++)
		feed_hours(r->workers[i].stream.feed);
}

void
collect_reconciler_close(struct source_runner *r)
{
	if (r->reconciler == NULL)
		return;
	rate_free(r->reconciler->rate);
	server_clock_free(r->reconciler->clock);
	free(r->reconciler);
}
