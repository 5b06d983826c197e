/*
 * status.c - the state of the agent, and what follows from it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_put.h"
#include "base/mem.h"
#include "config/config.h"
#include "sources/source.h"
#include "watch/status.h"

/* Make room for row n of an array that grows by doubling. */
static void *
grow(void *rows, size_t n, size_t size)
{
	if (n > 0 && (n & (n - 1)) != 0)
		return rows;
	return xreallocarray(rows, n == 0 ? 1 : 2 * n, size);
}

static int
read_feeds(struct store *s, struct status *st, struct err *err)
{
	int64_t after;
	int rc;

	for (;; st->n_feeds++) {
		st->feeds = grow(st->feeds, st->n_feeds, sizeof(st->feeds[0]));
		after = st->n_feeds == 0 ? 0 : st->feeds[st->n_feeds - 1].id;
		rc = report_feed(s, after, &st->feeds[st->n_feeds], err);
		if (rc != 1)
			return rc;
	}
}

static int
read_outputs(struct store *s, struct status *st, struct err *err)
{
	const char *after;
	int rc;

	for (;; st->n_outputs++) {
		st->outputs =
		    grow(st->outputs, st->n_outputs, sizeof(st->outputs[0]));
		after = st->n_outputs == 0
		    ? ""
		    : st->outputs[st->n_outputs - 1].name;
		rc = report_output(s, after, &st->outputs[st->n_outputs], err);
		if (rc != 1)
			return rc;
	}
}

static int
read_troubles(struct store *s, struct status *st, struct err *err)
{
	int rc;

	for (;; st->n_troubles++) {
		struct trouble *t;

		st->troubles =
		    grow(st->troubles, st->n_troubles, sizeof(*st->troubles));
		t = &st->troubles[st->n_troubles];
		*t = (struct trouble){ .since = 0 };
		if (st->n_troubles > 0)
			*t = st->troubles[st->n_troubles - 1];
		rc = trouble_next(s, t, err);
		if (rc != 1)
			return rc;
	}
}

int
status_read(struct store *s, const struct config *config, struct status *st,
    struct err *err)
{
	st->config = config;
	st->now = clock_now();
	store_limits(s, config->agent.store.max_size,
	    config->agent.store.min_free);
	if (store_room_now(s, &st->room, err) != 0)
		return -1;
	if (read_feeds(s, st, err) != 0 || read_outputs(s, st, err) != 0)
		return -1;
	if (read_troubles(s, st, err) != 0)
		return -1;
	return report_gaps(s, &st->gaps, &st->gaps_open, err);
}

/* The agent's own feed gets an event every minute. */
#define HEARTBEAT_LATE (3 * CLOCK_MINUTE)

void
status_release(struct status *st)
{
	free(st->feeds);
	free(st->outputs);
	free(st->troubles);
	*st = (struct status){ .now = 0 };
}

/* How long the vendor of a feed keeps what it made available; 0: unknown. */
static int64_t
retention(const struct config *config, const char *feed)
{
	size_t len = strcspn(feed, "/");
	struct source_definition d;

	for (size_t i = 0; i < config->n_sources; i++) {
		const struct config_entry *s = &config->sources[i];

		if (strlen(s->name) != len || strncmp(s->name, feed, len) != 0)
			continue;
		source_type_of(s->type)->define(s->conf, &d);
		return d.retention;
	}
	return 0;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	if (a == REPORT_NEVER)
		return b;
	return b == REPORT_NEVER || a < b ? a : b;
}

int64_t
status_deletion(const struct config *config, const struct feed_report *f)
{
	int64_t keeps = retention(config, f->name);
	int64_t until = REPORT_NEVER;

	if (f->items > 0 && f->items_expire != INT64_MAX)
		until = f->items_expire;
	if (!f->closed && keeps > 0 && f->horizon != REPORT_NEVER)
		until = earlier(until, f->horizon + keeps);
	return until;
}

int64_t
status_first_deletion(const struct status *st)
{
	int64_t first = REPORT_NEVER;

	for (size_t i = 0; i < st->n_feeds; i++)
		first =
		    earlier(first, status_deletion(st->config, &st->feeds[i]));
	return first;
}

int64_t
status_silent_since(const struct status *st)
{
	int64_t last = REPORT_NEVER;
	char own[sizeof(st->feeds->name)];

	(void)snprintf(own, sizeof(own), "%s/agent", st->config->agent.name);
	for (size_t i = 0; i < st->n_feeds; i++)
		if (!st->feeds[i].closed && strcmp(st->feeds[i].name, own) == 0)
			last = st->feeds[i].committed;
	/* A full store takes no heartbeat. */
	if (st->room.full || last == REPORT_NEVER ||
	    st->now - last < HEARTBEAT_LATE)
		return REPORT_NEVER;
	return last;
}

/* A span that may be unknown. */
static void
put_span(struct json_put *j, const char *key, int64_t until, int64_t from)
{
	if (until == REPORT_NEVER || from == REPORT_NEVER)
		json_put_null(j, key);
	else
		json_put_seconds(j, key, until - from);
}

static void
put_error(struct json_put *j, const char *error)
{
	if (error[0] == '\0')
		json_put_null(j, "error");
	else
		json_put_text(j, "error", error);
}

static void
put_feed(struct json_put *j, const struct status *st,
    const struct feed_report *f)
{
	int64_t deletion = status_deletion(st->config, f);
	int64_t lag = report_lag(f, st->now);

	json_put_open(j, NULL, '{');
	json_put_text(j, "feed", f->tree);
	json_put_bool(j, "closed", f->closed);
	if (f->cause[0] == '\0')
		json_put_null(j, "new_tree_because");
	else
		json_put_text(j, "new_tree_because", f->cause);
	json_put_count(j, "events", f->size);
	json_put_count(j, "sealed", f->sealed);
	json_put_count(j, "duplicates", f->duplicates);
	put_span(j, "lag_seconds", lag, 0);
	json_put_time(j, "last_success", f->success);
	json_put_time(j, "last_failure", f->failure);
	put_error(j, f->error);
	json_put_time(j, "next_poll", f->due);
	json_put_time(j, "last_commit", f->committed);
	json_put_time(j, "newest_event", f->newest);
	json_put_count(j, "listed", f->items);
	json_put_time(j, "vendor_deletes", deletion);
	put_span(j, "vendor_deletes_seconds", deletion, st->now);
	for (size_t i = 0; i < FEED_COUNTERS; i++)
		json_put_count(j, feed_counters[i].key, f->count[i]);
	json_put_close(j, '}');
}

static void
put_output(struct json_put *j, const struct status *st,
    const struct output_report *o)
{
	json_put_open(j, NULL, '{');
	json_put_text(j, "output", o->name);
	if (o->mode[0] == '\0')
		json_put_null(j, "mode");
	else
		json_put_text(j, "mode", o->mode);
	json_put_count(j, "backlog", o->backlog_events);
	json_put_count(j, "backlog_bytes", o->backlog_bytes);
	json_put_count(j, "held", o->held_events);
	json_put_count(j, "held_bytes", o->held_bytes);
	put_span(j, "oldest_undelivered_seconds",
	    o->backlog_events == 0 ? REPORT_NEVER : st->now, o->oldest);
	json_put_time(j, "moved", o->moved);
	json_put_count(j, "dead_letters", o->dead_letters);
	put_error(j, o->error);
	json_put_time(j, "error_since",
	    o->error[0] == '\0' ? REPORT_NEVER : o->failed);
	for (size_t i = 0; i < OUTPUT_COUNTERS; i++)
		json_put_count(j, output_counters[i].key, o->count[i]);
	json_put_close(j, '}');
}

static void
put_store(struct json_put *j, const struct status *st)
{
	json_put_open(j, "store", '{');
	json_put_text(j, "path", st->config->agent.store.path);
	json_put_count(j, "used_bytes", (uint64_t)st->room.used);
	json_put_count(j, "wal_bytes", (uint64_t)st->room.wal);
	json_put_count(j, "max_bytes", (uint64_t)st->room.max_size);
	json_put_count(j, "free_bytes", (uint64_t)st->room.free);
	json_put_count(j, "min_free_bytes", (uint64_t)st->room.min_free);
	json_put_bool(j, "full", st->room.full);
	json_put_close(j, '}');
}

static void
put_trouble(struct json_put *j, const struct trouble *t)
{
	json_put_open(j, NULL, '{');
	json_put_text(j, "subject", t->subject);
	json_put_text(j, "class", t->class);
	if (t->code[0] == '\0')
		json_put_null(j, "code");
	else
		json_put_text(j, "code", t->code);
	json_put_time(j, "since", t->since);
	json_put_time(j, "waits_until", t->until);
	json_put_text(j, "text", t->text);
	json_put_close(j, '}');
}

int
status_json(const struct status *st, struct buf *out)
{
	struct json_put j = JSON_PUT_INIT(out);

	json_put_open(&j, NULL, '{');
	json_put_text(&j, "agent", st->config->agent.name);
	json_put_time(&j, "time", st->now);
	json_put_time(&j, "silent_since", status_silent_since(st));
	put_store(&j, st);
	json_put_count(&j, "gaps", st->gaps_open);
	json_put_count(&j, "gaps_closed", st->gaps - st->gaps_open);
	json_put_open(&j, "troubles", '[');
	for (size_t i = 0; i < st->n_troubles; i++)
		put_trouble(&j, &st->troubles[i]);
	json_put_close(&j, ']');
	json_put_open(&j, "feeds", '[');
	for (size_t i = 0; i < st->n_feeds; i++)
		put_feed(&j, st, &st->feeds[i]);
	json_put_close(&j, ']');
	json_put_open(&j, "outputs", '[');
	for (size_t i = 0; i < st->n_outputs; i++)
		put_output(&j, st, &st->outputs[i]);
	json_put_close(&j, ']');
	json_put_close(&j, '}');
	return j.rc != 0 ? -1 : buf_adds(out, "\n");
}
