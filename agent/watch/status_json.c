/*
 * status_json.c - a status for programs.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_put.h"
#include "config/config.h"
#include "watch/status.h"
#include "watch/status_json.h"
#include "watch/verdict.h"

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
put_rate(struct json_put *j, const struct status *st, uint64_t recent)
{
	json_put_seconds(j, "events_per_second",
	    (int64_t)(status_rate(st, recent) * (double)CLOCK_SECOND));
}

/* That part of the events came within so many seconds after their own time. */
static void
put_late(struct json_put *j, const char *key, const struct feed_report *f,
    double part)
{
	int64_t late = lateness_within(f->count, part);

	if (late < 0)
		json_put_null(j, key);
	else
		json_put_seconds(j, key, late);
}

static void
put_backfill(struct json_put *j, const struct backfill *b)
{
	if (b->id == 0) {
		json_put_null(j, "backfill");
		return;
	}
	json_put_open(j, "backfill", '{');
	json_put_time(j, "from", b->from);
	json_put_time(j, "to", b->to);
	json_put_time(j, "reached", b->reached);
	json_put_count(j, "events", b->events);
	json_put_count(j, "repeats", b->repeats);
	json_put_count(j, "listed", b->open);
	put_error(j, b->error);
	json_put_close(j, '}');
}

static void
put_reconciled(struct json_put *j, const struct feed_reconciled *r)
{
	if (!r->any) {
		json_put_null(j, "reconciled");
		return;
	}
	json_put_open(j, "reconciled", '{');
	json_put_time(j, "until", r->until);
	json_put_count(j, "open", (uint64_t)r->open);
	json_put_count(j, "unconfirmed", r->failed);
	put_error(j, r->error);
	json_put_close(j, '}');
}

static void
put_feed(struct json_put *j, const struct status *st,
    const struct feed_report *f)
{
	int64_t deletion = status_deletion(f);
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
	put_rate(j, st, f->recent);
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
	put_late(j, "lateness_p50_seconds", f, 0.5);
	put_late(j, "lateness_p99_seconds", f, 0.99);
	put_late(j, "lateness_max_seconds", f, 1);
	put_backfill(j, &f->backfill);
	put_reconciled(j, &f->reconciled);
	json_put_close(j, '}');
}

static void
put_replay(struct json_put *j, const struct output_report *o)
{
	if (o->replay.id == 0) {
		json_put_null(j, "replay");
		return;
	}
	json_put_open(j, "replay", '{');
	json_put_time(j, "from", o->replay.from);
	json_put_time(j, "to", o->replay.to);
	json_put_count(j, "sent", o->replay.sent);
	json_put_count(j, "left", o->replay_left);
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
	put_rate(j, st, o->recent);
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
	put_replay(j, o);
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

static void
put_walls(struct json_put *j, const struct role_walls *w)
{
	char bits[20];

	if (!w->known) {
		json_put_null(j, "confined");
		return;
	}
	(void)snprintf(bits, sizeof(bits), "%016" PRIx64, w->capabilities);
	json_put_open(j, "confined", '{');
	json_put_count(j, "uid", w->uid);
	json_put_text(j, "capabilities", bits);
	json_put_bool(j, "no_new_privs", w->no_new_privs);
	json_put_bool(j, "seccomp", w->seccomp);
	json_put_count(j, "landlock_abi", w->landlock);
	json_put_count(j, "landlock_rules", w->rules);
	json_put_close(j, '}');
}

static void
put_roles(struct json_put *j, const struct roles *r)
{
	json_put_time(j, "started", r->began);
	json_put_time(j, "stopped", r->stopped);
	json_put_open(j, "roles", '[');
	for (size_t i = 0; i < r->n; i++) {
		const struct role_report *o = &r->role[i];

		json_put_open(j, NULL, '{');
		json_put_text(j, "role", o->name);
		json_put_text(j, "state", role_state_name(o->state));
		json_put_time(j, "since", o->since);
		json_put_count(j, "deaths", o->deaths);
		put_walls(j, &o->walls);
		json_put_close(j, '}');
	}
	json_put_close(j, ']');
}

/* The head of it, and all that is known without the store. */
static void
put_head(struct json_put *j, const struct status *st, const struct verdict *v)
{
	json_put_text(j, "agent", st->config->agent.name);
	json_put_time(j, "time", st->now);
	verdict_json(v, j);
	if (st->life == STATUS_LIFE_UNKNOWN)
		json_put_null(j, "running");
	else
		json_put_bool(j, "running", st->life == STATUS_RUNS);
	put_roles(j, &st->roles);
}

int
status_json(const struct status *st, const struct verdict *v, struct buf *out)
{
	struct json_put j = JSON_PUT_INIT(out);

	json_put_open(&j, NULL, '{');
	put_head(&j, st, v);
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

int
status_json_without_store(const struct status *st, const struct verdict *v,
    struct buf *out)
{
	struct json_put j = JSON_PUT_INIT(out);

	json_put_open(&j, NULL, '{');
	put_head(&j, st, v);
	json_put_close(&j, '}');
	return j.rc != 0 ? -1 : buf_adds(out, "\n");
}
