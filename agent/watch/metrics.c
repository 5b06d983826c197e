/*
 * metrics.c - what the store knows, in the Prometheus text format.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/role.h"
#include "config/config.h"
#include "store/expiry.h"
#include "store/lateness.h"
#include "store/report.h"
#include "store/store.h"
#include "watch/metrics.h"
#include "watch/status.h"

enum unit {
	UNIT_COUNT,   /* uint64_t, as it is */
	UNIT_INTEGER, /* int64_t, as it is */
	UNIT_TIME,    /* int64_t microseconds since 1970: seconds */
	UNIT_AGE,     /* int64_t microseconds since 1970: age in seconds */
	UNIT_TEXT     /* char[]: 1 when there is something in it */
};

struct family {
	const char *name;
	const char *type;
	enum unit unit;
	size_t offset;
	const char *help;
};

#define FEED(member) offsetof(struct feed_report, member)
static const struct family feed_families[] = {
	{ "sealfeed_feed_events_total", "counter", UNIT_COUNT, FEED(size),
	    "Events collected and durable." },
	{ "sealfeed_feed_sealed_events_total", "counter", UNIT_COUNT,
	    FEED(sealed), "Events covered by a signed checkpoint." },
	{ "sealfeed_feed_failing", "gauge", UNIT_TEXT, FEED(error),
	    "1 if the last poll failed, else 0." },
	{ "sealfeed_feed_last_success_timestamp_seconds", "gauge", UNIT_TIME,
	    FEED(success), "Time of the last successful poll." },
	{ "sealfeed_feed_last_commit_timestamp_seconds", "gauge", UNIT_TIME,
	    FEED(committed), "Time of the last commit with events." },
	{ "sealfeed_feed_newest_event_timestamp_seconds", "gauge", UNIT_TIME,
	    FEED(newest), "Newest event time among the events collected." },
	{ "sealfeed_feed_next_poll_timestamp_seconds", "gauge", UNIT_TIME,
	    FEED(due), "Time of the next poll." },
	{ "sealfeed_feed_backlog_items", "gauge", UNIT_COUNT, FEED(items),
	    "Listed items that are not fetched yet." },
	{ "sealfeed_feed_reconciled_timestamp_seconds", "gauge", UNIT_TIME,
	    FEED(reconciled.until),
	    "All events before were asked for independently; no sample where "
	    "none are." },
	{ "sealfeed_feed_unconfirmed_spans", "gauge", UNIT_COUNT,
	    FEED(reconciled.failed),
	    "Spans of the last 35 days that could not be confirmed, and still "
	    "are not." },
};

static int64_t
lag(const struct feed_report *f, int64_t now)
{
	return report_lag(f, now);
}

static int64_t
retained(const struct feed_report *f, int64_t now)
{
	int64_t until = status_deletion(f);

	return until == REPORT_NEVER ? REPORT_NEVER : until - now;
}

static int64_t
backfill_left(const struct feed_report *f, int64_t now)
{
	(void)now;
	return f->backfill.id == 0 ? REPORT_NEVER
				   : f->backfill.to - f->backfill.reached;
}

/* Gauges of a feed that follow from more than one of its figures. */
static const struct {
	const char *name;
	/* Microseconds; REPORT_NEVER: no sample. */
	int64_t (*span)(const struct feed_report *f, int64_t now);
	const char *help;
} feed_spans[] = {
	{ "sealfeed_feed_lag_seconds", lag,
	    "Age of the oldest content listed but not collected; if there is "
	    "none, time since the vendor last had nothing new." },
	{ "sealfeed_feed_retention_horizon_seconds", retained,
	    "Time until the vendor deletes the oldest unread content." },
	{ "sealfeed_feed_backfill_left_seconds", backfill_left,
	    "Time of the vendor's that a backfill is still to ask for; no "
	    "sample where none is open." },
};

#define OUTPUT(member) offsetof(struct output_report, member)
static const struct family output_families[] = {
	{ "sealfeed_output_position_batch", "gauge", UNIT_INTEGER,
	    OUTPUT(position.batch),
	    "Last batch up to which everything is delivered." },
	{ "sealfeed_output_position_timestamp_seconds", "gauge", UNIT_TIME,
	    OUTPUT(moved), "Time at which the position last moved." },
	{ "sealfeed_output_backlog_events", "gauge", UNIT_COUNT,
	    OUTPUT(backlog_events), "Events collected but not delivered yet." },
	{ "sealfeed_output_backlog_bytes", "gauge", UNIT_COUNT,
	    OUTPUT(backlog_bytes),
	    "Bytes of the lines of events not delivered yet." },
	{ "sealfeed_output_held_events", "gauge", UNIT_COUNT,
	    OUTPUT(held_events),
	    "Events with a receipt that are sent again if the connection "
	    "breaks." },
	{ "sealfeed_output_held_bytes", "gauge", UNIT_COUNT, OUTPUT(held_bytes),
	    "Bytes of the lines of events that are held." },
	{ "sealfeed_output_oldest_undelivered_seconds", "gauge", UNIT_AGE,
	    OUTPUT(oldest),
	    "How long the oldest undelivered event has waited." },
	{ "sealfeed_output_dead_letters", "gauge", UNIT_COUNT,
	    OUTPUT(dead_letters), "Dead letters in the store." },
	{ "sealfeed_output_failing", "gauge", UNIT_TEXT, OUTPUT(error),
	    "1 if the output is failing, else 0." },
};

struct page {
	struct buf *out;
	int64_t now;
	int rc; /* sticky: -1 once the answer does not fit */
};

#define SAY(p, ...)                                        \
	do {                                               \
		if (buf_addf((p)->out, __VA_ARGS__) == -1) \
			(p)->rc = -1;                      \
	} while (0)

static void
family(struct page *p, const char *name, const char *type, const char *help)
{
	SAY(p, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static double
seconds(int64_t us)
{
	return (double)us / (double)CLOCK_SECOND;
}

/* One sample of a table's family; a time that is not known has none. */
static void
sample(struct page *p, const struct family *f, const char *label,
    const char *value, const void *row)
{
	const char *at = (const char *)row + f->offset;
	uint64_t count;
	int64_t n;

	memcpy(&count, at, sizeof(count));
	memcpy(&n, at, sizeof(n));
	if (f->unit == UNIT_TEXT)
		SAY(p, "%s{%s=\"%s\"} %d\n", f->name, label, value,
		    at[0] != '\0');
	else if (f->unit == UNIT_COUNT)
		SAY(p, "%s{%s=\"%s\"} %" PRIu64 "\n", f->name, label, value,
		    count);
	else if (f->unit == UNIT_INTEGER)
		SAY(p, "%s{%s=\"%s\"} %" PRId64 "\n", f->name, label, value, n);
	else if (n != REPORT_NEVER && n != INT64_MAX)
		SAY(p, "%s{%s=\"%s\"} %.3f\n", f->name, label, value,
		    f->unit == UNIT_TIME ? seconds(n) : seconds(p->now - n));
}

/* One sample of a counter. */
static void
count(struct page *p, const char *kind, const struct counter *c,
    const char *value, uint64_t n)
{
	SAY(p, "sealfeed_%s_%s_total{%s=\"%s\"} %" PRIu64 "\n", kind, c->metric,
	    kind, value, n);
}

static void
count_family(struct page *p, const char *kind, const struct counter *c)
{
	SAY(p,
	    "# HELP sealfeed_%s_%s_total %s\n"
	    "# TYPE sealfeed_%s_%s_total counter\n",
	    kind, c->metric, c->help, kind, c->metric);
}

static void
spans(struct page *p, const struct status *st)
{
	for (size_t k = 0; k < sizeof(feed_spans) / sizeof(feed_spans[0]);
	     k++) {
		family(p, feed_spans[k].name, "gauge", feed_spans[k].help);
		for (size_t i = 0; i < st->n_feeds; i++) {
			int64_t span =
			    feed_spans[k].span(&st->feeds[i], p->now);

			if (span != REPORT_NEVER)
				SAY(p, "%s{feed=\"%s\"} %.3f\n",
				    feed_spans[k].name, st->feeds[i].tree,
				    seconds(span));
		}
	}
}

#define LATENESS "sealfeed_feed_lateness_seconds"

/* The samples of one feed; none where the vendor's times tell nothing. */
static void
lateness(struct page *p, const struct feed_report *f)
{
	uint64_t n = 0;

	if (lateness_within(f->count, 1) < 0)
		return;
	for (unsigned i = 0; i < LATE_BUCKETS; i++) {
		n += f->count[FEED_LATE_10S + i];
		if (i + 1 < LATE_BUCKETS)
			SAY(p,
			    LATENESS "_bucket{feed=\"%s\",le=\"%.0f\"} %" PRIu64
				     "\n",
			    f->tree, seconds(lateness_end(i)), n);
	}
	SAY(p, LATENESS "_bucket{feed=\"%s\",le=\"+Inf\"} %" PRIu64 "\n",
	    f->tree, n);
	SAY(p, LATENESS "_sum{feed=\"%s\"} %" PRIu64 "\n", f->tree,
	    f->count[FEED_LATE_SUM]);
	SAY(p, LATENESS "_count{feed=\"%s\"} %" PRIu64 "\n", f->tree, n);
}

static void
feeds(struct page *p, const struct status *st)
{
	const size_t n = sizeof(feed_families) / sizeof(feed_families[0]);

	for (size_t k = 0; k < n; k++) {
		const struct family *f = &feed_families[k];

		family(p, f->name, f->type, f->help);
		for (size_t i = 0; i < st->n_feeds; i++)
			sample(p, f, "feed", st->feeds[i].tree, &st->feeds[i]);
	}
	for (size_t k = 0; k < FEED_COUNTERS; k++) {
		if (feed_counters[k].metric == NULL)
			continue;
		count_family(p, "feed", &feed_counters[k]);
		for (size_t i = 0; i < st->n_feeds; i++)
			count(p, "feed", &feed_counters[k], st->feeds[i].tree,
			    st->feeds[i].count[k]);
	}
	spans(p, st);
	family(p, LATENESS, "histogram",
	    "How long after their own time events were seen first.");
	for (size_t i = 0; i < st->n_feeds; i++)
		lateness(p, &st->feeds[i]);
}

static void
outputs(struct page *p, const struct status *st)
{
	static const char mode[] = "sealfeed_output_mode_info";
	const size_t n = sizeof(output_families) / sizeof(output_families[0]);

	for (size_t k = 0; k < n; k++) {
		const struct family *f = &output_families[k];

		family(p, f->name, f->type, f->help);
		for (size_t i = 0; i < st->n_outputs; i++)
			sample(p, f, "output", st->outputs[i].name,
			    &st->outputs[i]);
	}
	for (size_t k = 0; k < OUTPUT_COUNTERS; k++) {
		count_family(p, "output", &output_counters[k]);
		for (size_t i = 0; i < st->n_outputs; i++)
			count(p, "output", &output_counters[k],
			    st->outputs[i].name, st->outputs[i].count[k]);
	}
	family(p, mode, "gauge", "How deliveries are confirmed.");
	for (size_t i = 0; i < st->n_outputs; i++)
		if (st->outputs[i].mode[0] != '\0')
			SAY(p, "%s{output=\"%s\",mode=\"%s\"} 1\n", mode,
			    st->outputs[i].name, st->outputs[i].mode);
}

/* A label's value: class and code are plain by birth, names by configuration.
 */
static void
troubles(struct page *p, const struct status *st)
{
	static const char since[] = "sealfeed_trouble_since_timestamp_seconds";
	static const char until[] = "sealfeed_trouble_waits_timestamp_seconds";

	family(p, since, "gauge",
	    "Time since which something stands still or waits, by its class "
	    "and code.");
	for (size_t i = 0; i < st->n_troubles; i++) {
		const struct trouble *t = &st->troubles[i];

		SAY(p, "%s{subject=\"%s\",class=\"%s\",code=\"%s\"} %.3f\n",
		    since, t->subject, t->class, t->code, seconds(t->since));
	}
	family(p, until, "gauge", "Time until which it waits.");
	for (size_t i = 0; i < st->n_troubles; i++) {
		const struct trouble *t = &st->troubles[i];

		if (t->until > st->now)
			SAY(p,
			    "%s{subject=\"%s\",class=\"%s\",code=\"%s\"} "
			    "%.3f\n",
			    until, t->subject, t->class, t->code,
			    seconds(t->until));
	}
}

/* Labels of a role by its name, "ship siem". */
static void
role_labels(struct page *p, const char *metric, const char *role)
{
	const char *output = strchr(role, ' ');

	SAY(p, "%s{role=\"%.*s\"", metric, (int)strcspn(role, " "), role);
	if (output != NULL)
		SAY(p, ",output=\"%s\"", output + 1);
	SAY(p, "} ");
}

static double
uid_of(const struct role_walls *w)
{
	return w->uid;
}

static double
capabilities_of(const struct role_walls *w)
{
	return __builtin_popcountll(w->capabilities);
}

static double
no_new_privs_of(const struct role_walls *w)
{
	return w->no_new_privs;
}

static double
seccomp_of(const struct role_walls *w)
{
	return w->seccomp;
}

static double
landlock_of(const struct role_walls *w)
{
	return w->landlock;
}

static double
rules_of(const struct role_walls *w)
{
	return w->rules;
}

/* What confines each role. */
static const struct {
	const char *name, *help;
	double (*value)(const struct role_walls *w);
} wall_metrics[] = {
	{ .name = "sealfeed_role_uid",
	    .help = "The user that the role runs as.",
	    .value = uid_of },
	{ .name = "sealfeed_role_capabilities",
	    .help = "How many capabilities of root the role has.",
	    .value = capabilities_of },
	{ .name = "sealfeed_role_no_new_privs",
	    .help = "1 if the role can gain no privileges, else 0.",
	    .value = no_new_privs_of },
	{ .name = "sealfeed_role_seccomp",
	    .help = "1 if the role's system calls are filtered, else 0.",
	    .value = seccomp_of },
	{ .name = "sealfeed_role_landlock_abi",
	    .help = "Version of Landlock that confines the role; 0: none.",
	    .value = landlock_of },
	{ .name = "sealfeed_role_landlock_rules",
	    .help = "Files, folders and ports that Landlock lets it reach.",
	    .value = rules_of },
};

static void
walls(struct page *p, const struct roles *r)
{
	const size_t n = sizeof(wall_metrics) / sizeof(wall_metrics[0]);

	for (size_t k = 0; k < n; k++) {
		family(p, wall_metrics[k].name, "gauge", wall_metrics[k].help);
		for (size_t i = 0; i < r->n; i++) {
			if (!r->role[i].walls.known)
				continue;
			role_labels(p, wall_metrics[k].name, r->role[i].name);
			SAY(p, "%.0f\n",
			    wall_metrics[k].value(&r->role[i].walls));
		}
	}
}

static void
processes(struct page *p, const struct roles *r)
{
	static const char up[] = "sealfeed_role_up";
	static const char restarts[] = "sealfeed_role_restarts_total";
	static const char dropped[] = "sealfeed_log_dropped_lines_total";

	if (r->began == REPORT_NEVER)
		return; /* no agent has told anything yet */
	family(p, up, "gauge",
	    "1 if the process of the role runs and works, else 0.");
	for (size_t i = 0; i < r->n; i++) {
		role_labels(p, up, r->role[i].name);
		SAY(p, "%d\n", r->role[i].state == ROLE_WORKS);
	}
	family(p, restarts, "counter",
	    "Times that the role died and was started again.");
	for (size_t i = 0; i < r->n; i++) {
		role_labels(p, restarts, r->role[i].name);
		SAY(p, "%" PRIu64 "\n", r->role[i].restarts);
	}
	family(p, dropped, "counter",
	    "Lines that the log did not take: it was full or gone.");
	for (size_t i = 0; i < r->n; i++) {
		role_labels(p, dropped, r->role[i].name);
		SAY(p, "%" PRIu64 "\n", r->role[i].dropped);
	}
	role_labels(p, dropped, "supervisor");
	SAY(p, "%" PRIu64 "\n", r->dropped);
	walls(p, r);
}

static int
certificates(struct page *p, struct store *s, struct err *err)
{
	static const char name[] =
	    "sealfeed_certificate_not_after_timestamp_seconds";
	struct expiry e = { .ends = 0 };
	int rc;

	family(p, name, "gauge",
	    "When a certificate that the configuration names ends; of a "
	    "bundle, the first.");
	while ((rc = expiry_next(s, INT64_MAX, &e, err)) == 1)
		SAY(p, "%s{option=\"%s\"} %.0f\n", name, e.option,
		    seconds(e.ends));
	return rc;
}

static void
whole(struct page *p, const struct status *st, const struct role *r)
{
	family(p, "sealfeed_build_info", "gauge", "Version of the agent.");
	SAY(p, "sealfeed_build_info{version=\"%s\",compression=\"%s\"} 1\n",
	    PACKAGE_VERSION, gzip_library());
	family(p, "sealfeed_metrics_timestamp_seconds", "gauge",
	    "Time at which these figures were read.");
	SAY(p, "sealfeed_metrics_timestamp_seconds %.3f\n", seconds(st->now));
	family(p, "sealfeed_start_time_seconds", "gauge",
	    "Time at which the agent was started.");
	SAY(p, "sealfeed_start_time_seconds %.3f\n", seconds(r->started));
	family(p, "sealfeed_gaps_total", "counter",
	    "Gaps: spans and items that can no longer be read from a vendor.");
	SAY(p, "sealfeed_gaps_total %" PRIu64 "\n", st->gaps);
	family(p, "sealfeed_gaps_open", "gauge",
	    "Gaps that were not closed by fetching the item after all.");
	SAY(p, "sealfeed_gaps_open %" PRIu64 "\n", st->gaps_open);
	family(p, "sealfeed_store_used_bytes", "gauge",
	    "Bytes of the store in use, with its WAL.");
	SAY(p, "sealfeed_store_used_bytes %" PRId64 "\n", st->room.used);
	family(p, "sealfeed_store_wal_bytes", "gauge",
	    "Bytes of the store's WAL; it grows while someone reads an old "
	    "state of the store.");
	SAY(p, "sealfeed_store_wal_bytes %" PRId64 "\n", st->room.wal);
	family(p, "sealfeed_store_max_bytes", "gauge",
	    "Size limit of the store.");
	SAY(p, "sealfeed_store_max_bytes %" PRId64 "\n", st->room.max_size);
	family(p, "sealfeed_store_disk_free_bytes", "gauge",
	    "Bytes free on the file system of the store.");
	SAY(p, "sealfeed_store_disk_free_bytes %" PRId64 "\n", st->room.free);
	family(p, "sealfeed_store_full", "gauge",
	    "1 while collecting is paused for lack of space, else 0.");
	SAY(p, "sealfeed_store_full %d\n", st->room.full);
}

int
metrics_write(struct store *s, const struct role *r, struct buf *out,
    struct err *err)
{
	struct status st = { .now = 0 };
	struct page p = { .out = out };
	int rc = status_read(s, r->config, &st, err);

	if (rc == 0) {
		p.now = st.now;
		whole(&p, &st, r);
		feeds(&p, &st);
		outputs(&p, &st);
		troubles(&p, &st);
		processes(&p, &st.roles);
		rc = certificates(&p, s, err);
		if (rc == 0 && p.rc == -1)
			rc =
			    err_set(err, "metrics: larger than a reply may be");
	}
	status_release(&st);
	return rc;
}
