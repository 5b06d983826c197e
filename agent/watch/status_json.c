/*
 * status_json.c - `sealfeed status --json`.
 */
#include "base/buf.h"
#include "base/json_put.h"
#include "config/config.h"
#include "watch/status.h"

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
	static const char *const counters[FEED_COUNTERS] = {
		[FEED_REQUESTS] = "requests",
		[FEED_ERRORS] = "errors",
		[FEED_THROTTLED] = "throttled",
		[FEED_BYTES] = "received_bytes",
	};
	int64_t deletion = status_deletion(st->config, f);
	int64_t lag = report_lag(f, st->now);

	json_put_open(j, NULL, '{');
	json_put_text(j, "feed", f->tree);
	json_put_bool(j, "closed", f->closed);
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
		json_put_count(j, counters[i], f->count[i]);
	json_put_close(j, '}');
}

static void
put_output(struct json_put *j, const struct status *st,
    const struct output_report *o)
{
	static const char *const counters[DELIVERY_COUNTERS] = {
		[DELIVERY_EVENTS] = "delivered",
		[DELIVERY_BYTES] = "sent_bytes",
		[DELIVERY_RETRIES] = "retries",
		[DELIVERY_REFUSED] = "refused",
		[DELIVERY_CONNECTS] = "connects",
	};

	json_put_open(j, NULL, '{');
	json_put_text(j, "output", o->name);
	if (o->mode[0] == '\0')
		json_put_null(j, "mode");
	else
		json_put_text(j, "mode", o->mode);
	json_put_count(j, "backlog", o->backlog_events);
	json_put_count(j, "backlog_bytes", o->backlog_bytes);
	put_span(j, "oldest_undelivered_seconds",
	    o->backlog_events == 0 ? REPORT_NEVER : st->now, o->oldest);
	json_put_time(j, "moved", o->moved);
	json_put_count(j, "dead_letters", o->dead_letters);
	put_error(j, o->error);
	json_put_time(j, "error_since",
	    o->error[0] == '\0' ? REPORT_NEVER : o->failed);
	for (size_t i = 0; i < DELIVERY_COUNTERS; i++)
		json_put_count(j, counters[i], o->count[i]);
	json_put_close(j, '}');
}

static void
put_store(struct json_put *j, const struct status *st)
{
	json_put_open(j, "store", '{');
	json_put_text(j, "path", st->config->agent.store.path);
	json_put_count(j, "used_bytes", (uint64_t)st->room.used);
	json_put_count(j, "max_bytes", (uint64_t)st->room.max_size);
	json_put_count(j, "free_bytes", (uint64_t)st->room.free);
	json_put_count(j, "min_free_bytes", (uint64_t)st->room.min_free);
	json_put_bool(j, "full", st->room.full);
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
	json_put_count(&j, "gaps", st->gaps);
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
