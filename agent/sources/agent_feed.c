/*
 * agent_feed.c - the agent's own feed.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "sources/agent_feed.h"
#include "store/backfill.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/position.h"
#include "store/reconcile.h"
#include "store/replay.h"
#include "store/report.h"
#include "store/store.h"
#include "store/tree.h"
#include "store/write_batch.h"

/* Events that wait for the store; more are counted and told as a number. */
#define QUEUE_MAX 4096
/* Rows of each kind a commit. */
#define ROWS_MAX 500
#define FEEDS_PER_EVENT 100
#define VERSIONS_PER_EVENT 100
/* Bytes of a broken event that one of ours carries: it goes through most
 * receivers. */
#define PIECE ((size_t)24 * 1024)
/* Of a number: the nearest double of a thousandth has more, which say
 * nothing.  It is enough for the seconds of thirty thousand years. */
#define DIGITS JSON_REAL_PRECISION(15)

struct agent_feed {
	struct store *store;
	struct feed *feed;
	char *name;
	pthread_mutex_t lock;
	json_t *queue;  /* array */
	size_t dropped; /* beyond QUEUE_MAX */
	/* The last rows that became events. */
	int64_t gap;
	int64_t dead_letter;
	int64_t backfill;
	int64_t span;
	int64_t replay;
	int64_t tree;
	int64_t version;
};

/* {"gap":12,"dead_letter":3,"version":4,"tree":5,"replay":6,
 * "backfill":7,"span":7} */
static void
read_cursor(struct agent_feed *a)
{
	char *text = feed_cursor(a->feed);
	json_t *top = json_loads(text, 0, NULL);

	a->gap = json_integer_value(json_object_get(top, "gap"));
	a->dead_letter =
	    json_integer_value(json_object_get(top, "dead_letter"));
	a->replay = json_integer_value(json_object_get(top, "replay"));
	a->backfill = json_integer_value(json_object_get(top, "backfill"));
	a->span = json_integer_value(json_object_get(top, "span"));
	a->tree = json_integer_value(json_object_get(top, "tree"));
	a->version = json_integer_value(json_object_get(top, "version"));
	json_decref(top);
	free(text);
}

struct agent_feed *
agent_feed_open(struct store *s, const char *agent, struct err *err)
{
	struct agent_feed *a = xcalloc(1, sizeof(*a));

	a->store = s;
	a->name = xasprintf("%s/agent", agent);
	a->queue = json_array();
	(void)pthread_mutex_init(&a->lock, NULL);
	a->feed = feed_open(s, a->name, 0, err);
	if (a->feed == NULL) {
		agent_feed_close(a);
		return NULL;
	}
	read_cursor(a);
	return a;
}

void
agent_feed_close(struct agent_feed *a)
{
	if (a == NULL)
		return;
	feed_close(a->feed);
	json_decref(a->queue);
	(void)pthread_mutex_destroy(&a->lock);
	free(a->name);
	free(a);
}

json_t *
agent_feed_time(int64_t when)
{
	char text[CLOCK_TEXT];

	(void)clock_format(when, 3, text);
	return json_string(text);
}

json_t *
agent_feed_seconds(int64_t span)
{
	if (span == INT64_MIN)
		return json_null();
	return json_real((double)(span / 1000) / 1000.0);
}

json_t *
agent_feed_text(const char *s)
{
	json_t *text = json_string(s);
	char *copy;

	if (text != NULL)
		return text;
	/* Not UTF-8: what a vendor made of it. */
	copy = xstrdup(s);
	for (char *c = copy; *c != '\0'; c++)
		if ((*c & 0x80) != 0)
			*c = '?';
	text = json_string(copy);
	free(copy);
	return text;
}

static json_t *
make(const char *type, json_t *more)
{
	json_t *event = json_object();

	(void)json_object_set_new(event, "type", json_string(type));
	(void)json_object_set_new(event, "time", agent_feed_time(clock_now()));
	if (more != NULL)
		(void)json_object_update(event, more);
	json_decref(more);
	return event;
}

void
agent_feed_say(struct agent_feed *a, const char *type, json_t *more)
{
	json_t *event = make(type, more);

	(void)pthread_mutex_lock(&a->lock);
	if (json_array_size(a->queue) < QUEUE_MAX)
		(void)json_array_append(a->queue, event);
	else
		a->dropped++;
	(void)pthread_mutex_unlock(&a->lock);
	json_decref(event);
}

/* Take what is queued. */
static json_t *
take_queue(struct agent_feed *a)
{
	json_t *queue;

	(void)pthread_mutex_lock(&a->lock);
	queue = a->queue;
	a->queue = json_array();
	if (a->dropped > 0)
		(void)json_array_append_new(queue,
		    make("overflow",
			json_pack("{s:I}", "events", (json_int_t)a->dropped)));
	a->dropped = 0;
	(void)pthread_mutex_unlock(&a->lock);
	return queue;
}

/* Put a queue that could not be committed before what came meanwhile. */
static void
give_back(struct agent_feed *a, json_t *queue)
{
	(void)pthread_mutex_lock(&a->lock);
	(void)json_array_extend(queue, a->queue);
	json_decref(a->queue);
	a->queue = queue;
	(void)pthread_mutex_unlock(&a->lock);
}

static int
add_event(struct write_batch *p, const json_t *event, struct err *err)
{
	const struct slice none = { .data = NULL };
	char *text = json_dumps(event, JSON_COMPACT | DIGITS);
	int rc;

	if (text == NULL)
		return err_set(err, "an event of the agent is not valid UTF-8");
	rc = write_batch_add(p, text, strlen(text), none, clock_now(), err);
	free(text);
	return rc;
}

/* A piece of the bytes that are kept with a gap. */
static int
set_piece(json_t *to, const struct buf *bytes, size_t piece, struct err *err)
{
	struct buf text = BUF_INIT(2 * PIECE);
	size_t at = piece * PIECE, left = bytes->len - at;
	size_t pieces = (bytes->len + PIECE - 1) / PIECE;
	int rc =
	    text_base64(&text, bytes->data + at, left < PIECE ? left : PIECE);

	if (rc == 0 && pieces > 1) {
		(void)json_object_set_new(to, "part",
		    json_integer((json_int_t)piece + 1));
		(void)json_object_set_new(to, "parts",
		    json_integer((json_int_t)pieces));
	}
	if (rc == 0)
		rc = json_object_set_new(to, "event", json_string(text.data));
	buf_release(&text);
	return rc == 0 ? 0 : err_set(err, "no memory for an event");
}

/* The event of a gap, which is taken, with the bytes that are kept with it;
 * where they are many, in further events. */
static int
add_gap(struct agent_feed *a, struct write_batch *p, const struct gap_row *g,
    json_t *event, struct err *err)
{
	struct buf bytes = BUF_INIT(GAP_EVENT_MAX);
	int rc = report_gap_event(a->store, g->id, &bytes, err);

	if (rc == 1)
		rc = set_piece(event, &bytes, 0, err);
	if (rc == 0)
		rc = add_event(p, event, err);
	json_decref(event);
	for (size_t i = 1; rc == 0 && i * PIECE < bytes.len; i++) {
		event = make("gap-event",
		    json_pack("{s:I, s:s}", "gap", (json_int_t)g->id, "feed",
			g->feed));
		rc = set_piece(event, &bytes, i, err);
		if (rc == 0)
			rc = add_event(p, event, err);
		json_decref(event);
	}
	buf_release(&bytes);
	return rc;
}

static int
add_gaps(struct agent_feed *a, struct write_batch *p, int64_t *last,
    struct err *err)
{
	struct gap_row *g = xcalloc(1, sizeof(*g));
	int found = 1;

	for (int i = 0; i < ROWS_MAX && found == 1; i++) {
		json_t *event, *more;

		found = report_gap(a->store, *last, g, err);
		if (found != 1)
			break;
		more = json_pack("{s:I, s:s, s:o, s:o, s:o, s:o}", "gap",
		    (json_int_t)(g->closes != 0 ? g->closes : g->id), "feed",
		    g->feed, "cause", agent_feed_text(g->cause), "from",
		    agent_feed_time(g->from), "to", agent_feed_time(g->to),
		    "recorded", agent_feed_time(g->recorded));
		if (more != NULL && g->key[0] != '\0')
			(void)json_object_set_new(more, "content",
			    agent_feed_text(g->key));
		event = make(g->closes != 0 ? "gap-closed" : "gap", more);
		if (add_gap(a, p, g, event, err) != 0)
			found = -1;
		*last = g->id;
		/* What waits is bounded. */
		if (write_batch_bytes(p) > BATCH_BYTES)
			break;
	}
	free(g);
	return found == -1 ? -1 : 0;
}

static int
add_dead_letters(struct agent_feed *a, struct write_batch *p, int64_t *last,
    struct err *err)
{
	struct dead_letter *d = xcalloc(1, sizeof(*d));
	int found = 1;

	buf_init(&d->event, SIZE_MAX);
	for (int i = 0; i < ROWS_MAX && found == 1; i++) {
		json_t *event;

		found = dead_letter_next(a->store, NULL, *last, d, err);
		if (found != 1)
			break;
		*last = d->id;
		/* An output that refuses these would get one more for each
		 * that it refuses. */
		if (strcmp(d->feed, a->name) == 0)
			continue;
		event = make("dead-letter",
		    json_pack("{s:I, s:s, s:s, s:I, s:o, s:o}", "dead_letter",
			(json_int_t)d->id, "output", d->output, "feed", d->feed,
			"index", (json_int_t)d->index, "reason",
			agent_feed_text(d->reason), "recorded",
			agent_feed_time(d->when)));
		if (add_event(p, event, err) != 0)
			found = -1;
		json_decref(event);
	}
	buf_release(&d->event);
	free(d);
	return found == -1 ? -1 : 0;
}

static int
add_trees(struct agent_feed *a, struct write_batch *p, int64_t *last,
    struct err *err)
{
	struct tree_begun *b = xcalloc(1, sizeof(*b));
	int found = 1;

	for (int i = 0; i < ROWS_MAX && found == 1; i++) {
		json_t *event;

		found = tree_begun_next(a->store, *last, b, err);
		if (found != 1)
			break;
		*last = b->id;
		event = make("new-tree",
		    json_pack("{s:s, s:s, s:s?, s:o}", "feed", b->feed, "tree",
			b->name, "before",
			b->before[0] == '\0' ? NULL : b->before, "cause",
			agent_feed_text(b->cause)));
		if (add_event(p, event, err) != 0)
			found = -1;
		json_decref(event);
	}
	free(b);
	return found == -1 ? -1 : 0;
}

static int
add_replays(struct agent_feed *a, struct write_batch *p, int64_t *last,
    struct err *err)
{
	struct replay r;
	int found = 1;

	for (int i = 0; i < ROWS_MAX && found == 1; i++) {
		json_t *event;

		found = replay_news(a->store, *last, &r, err);
		if (found != 1)
			break;
		*last = r.id;
		event = make("replay",
		    json_pack("{s:s, s:s, s:o, s:o, s:I}", "state",
			r.ended ? "ended" : "begun", "output", r.output, "from",
			agent_feed_time(r.from), "to", agent_feed_time(r.to),
			"events", (json_int_t)r.sent));
		if (add_event(p, event, err) != 0)
			found = -1;
		json_decref(event);
	}
	return found == -1 ? -1 : 0;
}

static int
add_backfills(struct agent_feed *a, struct write_batch *p, int64_t *last,
    struct err *err)
{
	struct backfill b;
	bool ended;
	int found = 1;

	for (int i = 0; i < ROWS_MAX && found == 1; i++) {
		json_t *event;

		found = backfill_news(a->store, last, &b, &ended, err);
		if (found != 1)
			break;
		event = make("backfill",
		    json_pack("{s:s, s:I, s:s, s:o, s:o, s:I, s:I}", "state",
			!ended              ? "begun"
			    : b.how[0] != 0 ? b.how
					    : "ended",
			"backfill", (json_int_t)b.id, "feed", b.feed, "from",
			agent_feed_time(b.from), "to", agent_feed_time(b.to),
			"events", (json_int_t)(ended ? b.events : 0), "repeats",
			(json_int_t)(ended ? b.repeats : 0)));
		if (ended && b.error[0] != '\0')
			(void)json_object_set_new(event, "error",
			    agent_feed_text(b.error));
		if (add_event(p, event, err) != 0)
			found = -1;
		json_decref(event);
	}
	return found == -1 ? -1 : 0;
}

/* The ends of spans that a vendor was asked for independently. */
static int
add_spans(struct agent_feed *a, struct write_batch *p, int64_t *last,
    struct err *err)
{
	struct span_row r;
	int found = 1;

	for (int i = 0; i < ROWS_MAX && found == 1; i++) {
		json_t *event;

		found = span_news(a->store, last, &r, err);
		if (found != 1)
			break;
		if (r.subject[0] == '\0')
			continue; /* it has become a part of another */
		event = make("reconcile",
		    json_pack("{s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I}",
			"state",
			strcmp(r.how, "complete") != 0 ? "unconfirmed"
			    : r.missing > 0            ? "missing"
						       : "confirmed",
			"source", r.subject, "from", agent_feed_time(r.from),
			"to", agent_feed_time(r.to), "listed",
			(json_int_t)r.listed, "confirmed",
			(json_int_t)r.confirmed, "missing",
			(json_int_t)r.missing, "without_id",
			(json_int_t)r.unnamed));
		if (r.error[0] != '\0')
			(void)json_object_set_new(event, "error",
			    agent_feed_text(r.error));
		if (add_event(p, event, err) != 0)
			found = -1;
		json_decref(event);
	}
	return found == -1 ? -1 : 0;
}

/* Versions of one feed that follow one another, as one event. */
static int
add_versions(struct agent_feed *a, struct write_batch *p, int64_t *last,
    struct err *err)
{
	struct version_row v;
	json_t *events = NULL, *event;
	char feed[sizeof(v.feed)] = "";
	int found = 1, rc = 0;

	for (int i = 0; rc == 0 && found == 1; i++) {
		found =
		    i < ROWS_MAX ? report_version(a->store, *last, &v, err) : 0;
		if (events != NULL &&
		    (found != 1 || strcmp(v.feed, feed) != 0 ||
			json_array_size(events) == VERSIONS_PER_EVENT)) {
			event = make("version",
			    json_pack("{s:s, s:o}", "feed", feed, "events",
				events));
			events = NULL;
			rc = add_event(p, event, err);
			json_decref(event);
		}
		if (found != 1)
			break;
		if (events == NULL)
			events = json_array();
		memcpy(feed, v.feed, sizeof(feed));
		(void)json_array_append_new(events,
		    json_pack("{s:I, s:s}", "index", (json_int_t)v.index,
			"version_of", v.of));
		*last = v.id;
	}
	json_decref(events);
	return rc != 0 || found == -1 ? -1 : 0;
}

/* What has been told up to these is not kept any longer; should that fail, the
 * next flush does it. */
static void
forget_told(const struct agent_feed *a, int64_t gap, int64_t replay,
    int64_t backfill, int64_t span)
{
	struct err err = ERR_INIT;

	if (gap > a->gap && report_gap_events_told(a->store, gap, &err) != 0)
		log_warn("%s", err.text);
	if (replay > a->replay && replay_told(a->store, replay, &err) != 0)
		log_warn("%s", err.text);
	if (backfill > a->backfill &&
	    backfill_told(a->store, backfill, &err) != 0)
		log_warn("%s", err.text);
	if (span > a->span && span_told(a->store, span, &err) != 0)
		log_warn("%s", err.text);
}

int
agent_feed_flush(struct agent_feed *a, struct err *err)
{
	struct write_batch *p = write_batch_new(a->feed);
	json_t *queue = take_queue(a);
	int64_t gap = a->gap, dead_letter = a->dead_letter;
	int64_t version = a->version, tree = a->tree, replay = a->replay;
	int64_t backfill = a->backfill, span = a->span;
	struct commit_result res;
	char cursor[240];
	json_t *event;
	size_t i;
	int rc = -1;

	json_array_foreach(queue, i, event)
	{
		if (add_event(p, event, err) != 0)
			goto out;
	}
	if (add_gaps(a, p, &gap, err) != 0 ||
	    add_dead_letters(a, p, &dead_letter, err) != 0 ||
	    add_versions(a, p, &version, err) != 0 ||
	    add_trees(a, p, &tree, err) != 0 ||
	    add_replays(a, p, &replay, err) != 0 ||
	    add_backfills(a, p, &backfill, err) != 0 ||
	    add_spans(a, p, &span, err) != 0)
		goto out;
	rc = 0;
	if (write_batch_events(p) == 0 && dead_letter == a->dead_letter)
		goto out;
	(void)snprintf(cursor, sizeof(cursor),
	    "{\"gap\":%lld,\"dead_letter\":%lld,\"version\":%lld,"
	    "\"tree\":%lld,\"replay\":%lld,\"backfill\":%lld,"
	    "\"span\":%lld}",
	    (long long)gap, (long long)dead_letter, (long long)version,
	    (long long)tree, (long long)replay, (long long)backfill,
	    (long long)span);
	write_batch_cursor(p, cursor);
	rc = feed_commit(p, &res, err) == 0 ? 1 : -1;
	if (rc == 1) {
		forget_told(a, gap, replay, backfill, span);
		a->span = span;
		a->backfill = backfill;
		a->replay = replay;
		a->gap = gap;
		a->dead_letter = dead_letter;
		a->tree = tree;
		a->version = version;
	}
out:
	if (rc == -1)
		give_back(a, queue);
	else
		json_decref(queue);
	write_batch_free(p);
	return rc;
}

static json_t *
feed_counts(const struct feed_report *f, int64_t now)
{
	json_t *o = json_pack("{s:s, s:I, s:I, s:I}", "feed", f->tree, "size",
	    (json_int_t)f->size, "sealed", (json_int_t)f->sealed, "backlog",
	    (json_int_t)f->items);

	if (o == NULL)
		return NULL;
	for (size_t i = 0; i < FEED_COUNTERS; i++)
		(void)json_object_set_new(o, feed_counters[i].column,
		    json_integer((json_int_t)f->count[i]));
	(void)json_object_set_new(o, "lag_seconds",
	    agent_feed_seconds(report_lag(f, now)));
	(void)json_object_set_new(o, "last_success_seconds",
	    agent_feed_seconds(f->success == REPORT_NEVER ? REPORT_NEVER
							  : now - f->success));
	if (f->items > 0 && f->items_expire != REPORT_NEVER &&
	    f->items_expire != INT64_MAX)
		(void)json_object_set_new(o, "gap_in_seconds",
		    json_integer((f->items_expire - now) / CLOCK_SECOND));
	if (f->error[0] != '\0')
		(void)json_object_set_new(o, "error",
		    agent_feed_text(f->error));
	return o;
}

json_t *
agent_feed_counts(struct store *s, int64_t *after, struct err *err)
{
	struct feed_report *f = xcalloc(1, sizeof(*f));
	json_t *feeds = json_array();
	int64_t now = clock_now();
	int found = 1;

	for (int i = 0; i < FEEDS_PER_EVENT && found == 1; i++) {
		found = report_feed(s, *after, f, err);
		if (found != 1)
			break;
		(void)json_array_append_new(feeds, feed_counts(f, now));
		*after = f->id;
	}
	free(f);
	if (found == -1) {
		json_decref(feeds);
		return NULL;
	}
	return feeds;
}
