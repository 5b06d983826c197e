/*
 * limits.c - figures of a status that have limits.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/human.h"
#include "base/mem.h"
#include "base/text.h"
#include "watch/limits.h"
#include "watch/status.h"

const struct figure_kind figure_kinds[FIGURES] = {
	[FIGURE_LAG] = { "lag", FIGURE_SPAN, false, { CLOCK_HOUR, -1 },
	    "what is newer is not read yet; see what the feed waits for" },
	[FIGURE_DELAY] = { "delay", FIGURE_SPAN, false,
	    { 10 * CLOCK_MINUTE, CLOCK_HOUR },
	    "the receiver takes less than is collected; see whether it hangs" },
	[FIGURE_BACKLOG] = { "backlog", FIGURE_COUNT, false, { -1, -1 },
	    "the receiver takes less than is collected; see whether it hangs" },
	[FIGURE_HORIZON] = { "horizon", FIGURE_SPAN, true,
	    { CLOCK_DAY, CLOCK_HOUR }, "what is not read by then is a gap" },
	[FIGURE_STORE] = { "store", FIGURE_PERCENT, false, { 80, 95 },
	    "check which output is behind, or raise agent.store.max_size" },
	[FIGURE_GAPS] = { "gaps", FIGURE_COUNT, false, { 1, -1 },
	    "\"sealfeed gaps\" lists them with their causes" },
	[FIGURE_DEAD_LETTERS] = { "dead-letters", FIGURE_COUNT, false,
	    { 1, -1 },
	    "\"sealfeed dead-letters\" lists, retries and drops them" },
	[FIGURE_CERTIFICATE] = { "certificate", FIGURE_SPAN, true,
	    { 30 * CLOCK_DAY, 3 * CLOCK_DAY }, "replace it" },
};

const char *
level_name(enum level l)
{
	static const char *const names[] = { "OK", "WARNING", "CRITICAL",
		"UNKNOWN" };

	return names[l];
}

void
limits_default(struct limits *l)
{
	for (int f = 0; f < FIGURES; f++)
		memcpy(l->limit[f], figure_kinds[f].limit, sizeof(l->limit[f]));
}

/* A limit as it is written: "15m", "1000", "90%", "none". */
static int
read_limit(enum figure_unit unit, char *text, int64_t *n)
{
	size_t len = strlen(text);
	char *end;

	if (strcmp(text, "none") == 0) {
		*n = -1;
		return 0;
	}
	if (unit == FIGURE_SPAN)
		return text_duration(text, n);
	if (unit == FIGURE_PERCENT && len > 0 && text[len - 1] == '%')
		text[len - 1] = '\0';
	if (text[0] < '0' || text[0] > '9')
		return -1;
	*n = strtoll(text, &end, 10);
	return *end == '\0' && *n < INT64_MAX ? 0 : -1;
}

static int
set_one(struct limits *l, bool critical, char *text, struct err *err)
{
	static const char *const examples[] = {
		[FIGURE_SPAN] = "15m",
		[FIGURE_COUNT] = "1000",
		[FIGURE_PERCENT] = "90%",
	};
	char *value = strchr(text, '=');

	if (value != NULL)
		*value++ = '\0';
	for (int f = 0; f < FIGURES; f++) {
		const struct figure_kind *k = &figure_kinds[f];

		if (strcmp(k->name, text) != 0)
			continue;
		if (value != NULL &&
		    read_limit(k->unit, value, &l->limit[f][critical]) == 0)
			return 0;
		return err_set(err,
		    "\"%s\" is no limit of %s; write %s=%s or "
		    "%s=none",
		    value == NULL ? "" : value, text, text, examples[k->unit],
		    text);
	}
	return err_set(err,
	    "\"%s\" has no limit; there are lag, delay, backlog, horizon, "
	    "store, gaps, dead-letters and certificate",
	    text);
}

int
limits_set(struct limits *l, bool critical, const char *text, struct err *err)
{
	char *copy = xstrdup(text), *rest = copy, *one;
	int rc = 0;

	while (rc == 0 && (one = strsep(&rest, ",")) != NULL)
		rc = set_one(l, critical, one, err);
	free(copy);
	return rc;
}

enum level
limits_level(const struct limits *l, enum figure f, int64_t value)
{
	for (int i = 1; i >= 0 && value >= 0; i--) {
		int64_t limit = l->limit[f][i];

		if (limit >= 0 &&
		    (figure_kinds[f].below ? value <= limit : value >= limit))
			return i == 1 ? LEVEL_CRITICAL : LEVEL_WARNING;
	}
	return LEVEL_OK;
}

/* The figure of one feed; -1: it has none. */
static int64_t
of_feed(const struct status *st, enum figure f, const struct feed_report *r)
{
	int64_t n =
	    f == FIGURE_LAG ? report_lag(r, st->now) : status_deletion(r);

	if (n == REPORT_NEVER)
		return -1;
	if (f == FIGURE_LAG)
		return n;
	return n <= st->now ? 0 : n - st->now;
}

static int64_t
of_output(const struct status *st, enum figure f, const struct output_report *o)
{
	if (f == FIGURE_BACKLOG)
		return (int64_t)o->backlog_events;
	if (o->backlog_events == 0 || o->oldest == REPORT_NEVER)
		return 0;
	return o->oldest > st->now ? 0 : st->now - o->oldest;
}

static void
worst(enum figure f, int64_t n, const char *name, int64_t *all, char *subject,
    size_t size)
{
	if (n < 0 ||
	    (*all >= 0 && (figure_kinds[f].below ? n >= *all : n <= *all)))
		return;
	*all = n;
	(void)snprintf(subject, size, "%s", name);
}

int64_t
figure_read(const struct status *st, enum figure f, char *subject, size_t size)
{
	int64_t all = -1;
	uint64_t dead = 0;

	subject[0] = '\0';
	if (f == FIGURE_LAG || f == FIGURE_HORIZON)
		for (size_t i = 0; i < st->n_feeds; i++)
			worst(f, of_feed(st, f, &st->feeds[i]),
			    st->feeds[i].tree, &all, subject, size);
	if (f == FIGURE_DELAY || f == FIGURE_BACKLOG)
		for (size_t i = 0; i < st->n_outputs; i++)
			worst(f, of_output(st, f, &st->outputs[i]),
			    st->outputs[i].name, &all, subject, size);
	for (size_t i = 0; i < st->n_outputs; i++)
		dead += st->outputs[i].dead_letters;
	if (f == FIGURE_DEAD_LETTERS)
		return (int64_t)dead;
	if (f == FIGURE_GAPS)
		return (int64_t)st->gaps_new;
	if (f == FIGURE_CERTIFICATE && st->first_expiry.option[0] != '\0')
		worst(f,
		    st->first_expiry.ends > st->now
			? st->first_expiry.ends - st->now
			: 0,
		    st->first_expiry.option, &all, subject, size);
	if (f == FIGURE_STORE && st->room.max_size > 0)
		return (int64_t)((double)st->room.used * 100 /
		    (double)st->room.max_size);
	return all;
}

void
figure_words(enum figure f, int64_t value, const char *subject, char *out,
    size_t size)
{
	static const char *const one[] = {
		[FIGURE_GAPS] = "one gap in the last day",
		[FIGURE_DEAD_LETTERS] = "one dead letter",
	};
	static const struct {
		const char *before, *behind;
	} text[FIGURES] = {
		[FIGURE_LAG] = { " lags ", " behind its vendor" },
		[FIGURE_DELAY] = { ": the oldest event has waited for ", "" },
		[FIGURE_BACKLOG] = { " has ", " events to deliver" },
		[FIGURE_HORIZON] = { ": the vendor deletes unread events in ",
		    "" },
		[FIGURE_STORE] = { "the store is ", " % full" },
		[FIGURE_GAPS] = { "", " gaps in the last day" },
		[FIGURE_DEAD_LETTERS] = { "", " dead letters" },
		[FIGURE_CERTIFICATE] = { ": the certificate ends in ", "" },
	};
	char n[HUMAN_TEXT];

	if (figure_kinds[f].unit == FIGURE_SPAN)
		(void)human_words(n, value);
	else
		(void)snprintf(n, sizeof(n), "%" PRId64, value);
	if (value == 1 && (f == FIGURE_GAPS || f == FIGURE_DEAD_LETTERS))
		(void)snprintf(out, size, "%s", one[f]);
	else if (value == 0 && f == FIGURE_HORIZON)
		(void)snprintf(out, size,
		    "%s: the vendor may have deleted unread events", subject);
	else if (value == 0 && f == FIGURE_CERTIFICATE)
		(void)snprintf(out, size, "%s: the certificate has ended",
		    subject);
	else
		(void)snprintf(out, size, "%s%s%s%s", subject, text[f].before,
		    n, text[f].behind);
}
