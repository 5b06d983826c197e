/*
 * reconcile.c - `sealfeed reconcile`: hour by hour, what the vendor listed,
 * what was collected, sealed and delivered of it, and what was confirmed
 * independently.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_put.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "cmd/span.h"
#include "cmd/table.h"
#include "config/config.h"
#include "sources/source.h"
#include "store/attest.h"
#include "store/hours.h"
#include "store/reconcile.h"

#define TEXT_MAX ((size_t)64 << 20)

static const struct column columns[] = {
	{ .head = "HOUR" },
	{ .head = "LISTED", .right = true },
	{ .head = "COLLECTED", .right = true },
	{ .head = "SEALED", .right = true },
	{ .head = "DELIVERED", .right = true },
	{ .head = "CONFIRMED", .right = true },
	{ .head = "MISSING", .right = true },
	{ .head = "ONLY", .right = true },
};

/* An hour of a source, over all of its feeds. */
struct hour {
	struct hour_row sum; /* known, error: of all */
	uint64_t *delivered; /* by output */
	struct hour_row *feed;
	size_t n;
};

struct job {
	const struct cmd_line *line;
	const struct config *config;
	struct store *store;
	int64_t from;
	int64_t to;
	/* Of the source at hand. */
	const struct audit_calls *calls;
	const struct config_entry *conf;
	int64_t settle;
	bool wrong; /* an hour is not as it should be */
	struct buf out;
	struct json_put json;
};

static const struct audit_calls *
audit_of(const struct config_entry *c, struct source_audit *bounds)
{
	const struct audit_calls *a = source_type_of(c->type)->audit;

	return a != NULL && a->bounds(c->conf, bounds) ? a : NULL;
}

static bool
is_accounted(const struct job *j, const char *stream)
{
	return j->calls->accounts != NULL &&
	    j->calls->accounts(j->conf->conf, stream);
}

static void
add(const struct job *j, struct hour *h, struct hour_row *f)
{
	if (j->calls->all_or_none && f->known &&
	    is_accounted(j, strchr(f->feed, '/') + 1)) {
		f->confirmed = f->collected;
		f->only = 0;
	}
	h->feed = xreallocarray(h->feed, h->n + 1, sizeof(*h->feed));
	h->feed[h->n++] = *f;
	h->sum.listed += f->listed;
	h->sum.collected += f->collected;
	h->sum.sealed += f->sealed;
	h->sum.confirmed += f->confirmed;
	h->sum.missing += f->missing;
	h->sum.only += f->only;
}

/* Was all of the hour answered: of the source, or of each of its feeds that are
 * asked for on their own? */
static int
read_state(const struct job *j, struct hour_row *h, struct err *err)
{
	const char *source = j->conf->name;
	struct source_definition d;
	int rc = 0;

	if (j->calls->covers == NULL)
		return hour_state(j->store, source, h->hour, &h->known,
		    h->error, err);
	h->known = true;
	source_type_of(j->conf->type)->define(j->conf->conf, &d);
	for (size_t i = 0; d.streams[i] != NULL && rc == 0; i++) {
		char *feed = xasprintf("%s/%s", source, d.streams[i]);
		char why[sizeof(h->error)] = "";
		bool known = true;

		if (j->calls->covers(j->conf->conf, d.streams[i]) ||
		    is_accounted(j, d.streams[i]))
			rc = hour_state(j->store, feed, h->hour, &known, why,
			    err);
		if (!known && h->error[0] == '\0')
			memcpy(h->error, why, sizeof(why));
		h->known = h->known && known;
		free(feed);
	}
	return rc;
}

/* Say why the hour is not confirmed where nothing else is said of it. */
static int
explain(const struct job *j, struct hour_row *h, struct err *err)
{
	const char *source = j->conf->name;
	struct source_definition d;
	char chain[ATTEST_CHAIN];
	int rc = 0;

	if (h->known || h->error[0] != '\0' ||
	    clock_now() < h->hour + CLOCK_HOUR + j->settle)
		return 0;
	(void)snprintf(h->error, sizeof(h->error), "%s",
	    j->calls->lacks != NULL ? j->calls->lacks : "it was not asked for");
	source_type_of(j->conf->type)->define(j->conf->conf, &d);
	for (size_t i = 0; d.streams[i] != NULL && rc == 0; i++) {
		char *feed = xasprintf("%s/%s", source, d.streams[i]);

		rc = attest_lacks(j->store, feed, h->hour, chain, err);
		free(feed);
	}
	if (rc == 1 && j->calls->lacks != NULL)
		(void)snprintf(h->error, sizeof(h->error), "%s: %s",
		    j->calls->lacks, chain);
	return rc == -1 ? -1 : 0;
}

/* Read one hour of the source. */
static int
read_hour(const struct job *j, int64_t when, struct hour *h, struct err *err)
{
	struct hour_row at = { .hour = INT64_MIN };
	int rc = 1;

	*h = (struct hour){ .sum.hour = when,
		.delivered =
		    xcalloc(j->config->n_outputs + 1, sizeof(*h->delivered)) };
	if (read_state(j, &h->sum, err) != 0 || explain(j, &h->sum, err) != 0)
		return -1;
	while (rc == 1 &&
	    (rc = hour_next(j->store, j->conf->name, when, when + CLOCK_HOUR,
		 &at, err)) == 1) {
		add(j, h, &at);
		for (size_t i = 0; i < j->config->n_outputs && rc == 1; i++) {
			uint64_t n;

			if (hour_delivered(j->store, &at,
				j->config->outputs[i].name, &n, err) != 0)
				rc = -1;
			h->delivered[i] += rc == 1 ? n : 0;
		}
	}
	return rc;
}

static void
release(struct hour *h)
{
	free(h->delivered);
	free(h->feed);
}

/* The least that an output has. */
static uint64_t
delivered(const struct job *j, const struct hour *h)
{
	uint64_t least = h->sum.sealed;

	for (size_t i = 0; i < j->config->n_outputs; i++)
		if (h->delivered[i] < least)
			least = h->delivered[i];
	return least;
}

/* How an hour stands, in a word; the last two are as it should be. */
static const char *
state(const struct job *j, const struct hour *h)
{
	if (!h->sum.known)
		return h->sum.error[0] == '\0' ? "later" : "unconfirmed";
	if (h->sum.listed != h->sum.collected ||
	    h->sum.collected != h->sum.sealed)
		return "behind";
	return delivered(j, h) < h->sum.sealed ? "behind" : "confirmed";
}

static void
put_counts(struct json_put *p, const struct hour_row *h)
{
	if (h->known)
		json_put_count(p, "listed", h->listed);
	else
		json_put_null(p, "listed");
	json_put_count(p, "collected", h->collected);
	json_put_count(p, "sealed", h->sealed);
}

static void
put_findings(struct json_put *p, const struct hour_row *h)
{
	json_put_count(p, "confirmed", h->confirmed);
	json_put_count(p, "missing", h->missing);
	if (h->known)
		json_put_count(p, "only_in_feed", h->only);
	else
		json_put_null(p, "only_in_feed");
}

static void
put_hour(struct job *j, const struct hour *h)
{
	struct json_put *p = &j->json;

	json_put_open(p, NULL, '{');
	json_put_time(p, "hour", h->sum.hour);
	json_put_text(p, "state", state(j, h));
	put_counts(p, &h->sum);
	json_put_open(p, "delivered", '{');
	for (size_t i = 0; i < j->config->n_outputs; i++)
		json_put_count(p, j->config->outputs[i].name, h->delivered[i]);
	json_put_close(p, '}');
	put_findings(p, &h->sum);
	json_put_open(p, "feeds", '[');
	for (size_t i = 0; i < h->n; i++) {
		json_put_open(p, NULL, '{');
		json_put_text(p, "feed", h->feed[i].feed);
		put_counts(p, &h->feed[i]);
		put_findings(p, &h->feed[i]);
		json_put_close(p, '}');
	}
	json_put_close(p, ']');
	if (h->sum.error[0] == '\0' || h->sum.known)
		json_put_null(p, "error");
	else
		json_put_text(p, "error", h->sum.error);
	json_put_close(p, '}');
}

static void
show_hour(const struct job *j, const struct hour *h, struct table *t)
{
	const bool known = h->sum.known;
	char hour[CLOCK_TEXT];

	(void)clock_format(h->sum.hour, 0, hour);
	table_cell(t, "%.13sZ", hour);
	if (known)
		table_cell(t, "%" PRIu64, h->sum.listed);
	else
		table_cell(t, "-");
	table_cell(t, "%" PRIu64, h->sum.collected);
	table_cell(t, "%" PRIu64, h->sum.sealed);
	table_cell(t, "%" PRIu64, delivered(j, h));
	table_cell(t, "%" PRIu64, h->sum.confirmed);
	table_cell(t, "%" PRIu64, h->sum.missing);
	if (known)
		table_cell(t, "%" PRIu64, h->sum.only);
	else
		table_cell(t, "-");
	if (strcmp(state(j, h), "unconfirmed") == 0)
		table_note(t, "not confirmed: %s", h->sum.error);
	for (size_t i = 0; i < j->config->n_outputs; i++)
		if (h->delivered[i] < h->sum.sealed)
			table_note(t, "%s has %" PRIu64 " of them",
			    j->config->outputs[i].name, h->delivered[i]);
}

static int
show_hours(struct job *j, struct table *t, struct err *err)
{
	int rc = 0;

	for (int64_t when = hours_of(j->from); when < j->to && rc == 0;
	     when += CLOCK_HOUR) {
		struct hour h;

		rc = read_hour(j, when, &h, err);
		if (rc == 0) {
			const char *how = state(j, &h);

			j->wrong = j->wrong ||
			    strcmp(how, "unconfirmed") == 0 ||
			    strcmp(how, "behind") == 0;
			if (j->line->json)
				put_hour(j, &h);
			else
				show_hour(j, &h, t);
		}
		release(&h);
	}
	return rc;
}

static int
show_missing(struct job *j, const char *source, struct err *err)
{
	struct missing_row m = { .id = 0 };
	struct json_put *p = &j->json;
	int rc;

	while ((rc = missing_next(j->store, source, j->from, j->to, m.id, &m,
		    err)) == 1) {
		char when[CLOCK_TEXT];

		if (j->line->json) {
			json_put_open(p, NULL, '{');
			json_put_text(p, "feed", m.feed);
			json_put_text(p, "id", m.record);
			json_put_time(p, "time", m.time);
			json_put_time(p, "found", m.found);
			json_put_close(p, '}');
			continue;
		}
		(void)clock_format(m.time, 0, when);
		if (buf_addf(&j->out, "missing: %s %s ", m.feed, when) != 0 ||
		    text_printable(&j->out, m.record, strlen(m.record)) != 0 ||
		    buf_adds(&j->out, "\n") != 0)
			return err_set(err, "too much to say");
	}
	return rc;
}

static int
show_source(struct job *j, const struct config_entry *c, struct err *err)
{
	struct json_put *p = &j->json;
	struct table *t =
	    table_new(columns, sizeof(columns) / sizeof(columns[0]));
	int rc;

	if (j->line->json) {
		json_put_open(p, NULL, '{');
		json_put_text(p, "source", c->name);
		json_put_open(p, "hours", '[');
	}
	rc = show_hours(j, t, err);
	if (rc == 0 && j->line->json) {
		json_put_close(p, ']');
		json_put_open(p, "missing", '[');
	} else if (rc == 0 &&
	    (buf_addf(&j->out, "%s\n", c->name) != 0 ||
		table_print(t, &j->out) != 0)) {
		rc = err_set(err, "too much to say");
	}
	if (rc == 0)
		rc = show_missing(j, c->name, err);
	if (rc == 0 && j->line->json) {
		json_put_close(p, ']');
		json_put_close(p, '}');
	}
	table_free(t);
	return rc;
}

/* All that are reconciled, or the one that is named. */
static int
show_sources(struct job *j, const char *only, struct err *err)
{
	size_t shown = 0;

	for (size_t i = 0; i < j->config->n_sources; i++) {
		const struct config_entry *c = &j->config->sources[i];
		struct source_audit bounds;

		if ((only != NULL && strcmp(c->name, only) != 0) ||
		    (j->calls = audit_of(c, &bounds)) == NULL)
			continue;
		j->conf = c;
		j->settle = bounds.settle + bounds.span + bounds.every;
		shown++;
		if (show_source(j, c, err) != 0)
			return -1;
	}
	if (shown == 0)
		return err_set(err,
		    "%s: %s%s is reconciled; set reconcile.every, or "
		    "digests.validate of aws-s3",
		    j->config->path, only != NULL ? "no source " : "no source",
		    only != NULL ? only : "");
	return 0;
}

static int
show(struct job *j, struct err *err)
{
	struct json_put *p = &j->json;
	int rc;

	if (j->line->json) {
		json_put_open(p, NULL, '{');
		json_put_time(p, "from", j->from);
		json_put_time(p, "to", j->to);
		json_put_open(p, "sources", '[');
	}
	rc = show_sources(j, cmd_value(j->line, "source"), err);
	if (rc == 0 && j->line->json) {
		json_put_close(p, ']');
		json_put_bool(p, "confirmed", !j->wrong);
		json_put_close(p, '}');
		rc = p->rc != 0 || buf_adds(&j->out, "\n") != 0
		    ? err_set(err, "too much to say")
		    : 0;
	}
	return rc == 0 ? cmd_print(&j->out, err) : rc;
}

static int
reconcile_command(const struct cmd *cmd, struct cmd_line *line)
{
	struct job j = { .line = line, .out = BUF_INIT(TEXT_MAX) };
	struct err err = ERR_INIT;
	struct config *config;
	int rc = cmd_span(cmd, line, &j.from, &j.to);

	if (rc != 0)
		return rc;
	config = cmd_config(line);
	if (config == NULL)
		return EXIT_CONF;
	j.config = config;
	j.json = (struct json_put)JSON_PUT_INIT(&j.out);
	j.store = cmd_store(config, STORE_READ, &err);
	if (j.store == NULL || show(&j, &err) != 0)
		rc = cmd_failed(cmd, &err);
	else if (j.wrong)
		rc = EXIT_WRONG;
	store_close(j.store);
	buf_release(&j.out);
	config_free(config);
	return rc;
}

static const struct cmd_option reconcile_options[] = {
	{ .name = "source",
	    .value = "SOURCE",
	    .help = "Only this source. Default: all that are reconciled." },
	{ .name = "from",
	    .value = "TIME",
	    .help = "Hours of events from then on: a time as "
		    "2026-11-22T04:00:00Z or 2026-11-22, or how long ago, as "
		    "24h." },
	{ .name = "to",
	    .value = "TIME",
	    .help = "… and before this time. Default: now." },
	{ .name = NULL },
};

const struct cmd cmd_reconcile = {
	.name = "reconcile",
	.summary = "Show hour by hour what was collected, and confirmed.",
	.help =
	    "Show for each hour, by the events' own time, how many events the "
	    "vendor listed, how many are collected, sealed and delivered (at "
	    "the output that has least), and how many the vendor named "
	    "independently, too, by a query of its audit log "
	    "(reconcile.every): "
	    "confirmed, those that the feeds delivered as well; missing, those "
	    "that the feeds never delivered, which are forwarded as the query "
	    "has them, with \"via\":\"audit-query\" beside them, and listed "
	    "with their ids; only, those that only the feeds have. For "
	    "CloudTrail its digests confirm (digests.validate). An hour is "
	    "asked for when it has been over for reconcile.settle, and known "
	    "for 35 days. The exit status is 0 when all hours that should be "
	    "are confirmed, and all they have is sealed and delivered, else 1.",
	.options = reconcile_options,
	.run = reconcile_command,
};
