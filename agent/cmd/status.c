/*
 * status.c - `sealfeed status`: feeds, outputs and the store.
 *
 * The exit status says whether the status could be read, not whether it is
 * good: what is good enough is for the metrics and /healthz.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/human.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "cmd/table.h"
#include "config/config.h"
#include "watch/status.h"

static const struct column feed_columns[] = {
	{ .head = "FEED", .cut = true },
	{ .head = "EVENTS", .right = true },
	{ .head = "SEALED", .right = true },
	{ .head = "REPEATS", .right = true },
	{ .head = "LISTED", .right = true },
	{ .head = "LAG", .right = true },
	{ .head = "POLLED", .right = true },
	{ .head = "NEXT", .right = true },
};

static const struct column trouble_columns[] = {
	{ .head = "TROUBLE", .cut = true },
	{ .head = "CLASS" },
	{ .head = "CODE" },
	{ .head = "FOR", .right = true },
};

static const struct column output_columns[] = {
	{ .head = "OUTPUT", .cut = true },
	{ .head = "MODE" },
	{ .head = "BACKLOG", .right = true },
	{ .head = "OLDEST", .right = true },
	{ .head = "DELIVERED", .right = true },
	{ .head = "RETRIES", .right = true },
	{ .head = "DEAD LETTERS", .right = true },
};

/* A WAL that is larger could not be carried over in time. */
#define WAL_LARGE (32 << 20)

/* A feed with more lag than this says when its vendor deletes events. */
#define BEHIND CLOCK_HOUR

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A span, or "-" where the time at its other end is not known. */
static const char *
span(char *out, int64_t until, int64_t from)
{
	if (until == REPORT_NEVER || from == REPORT_NEVER)
		return "-";
	return human_span(out, until - from);
}

static void
feed_notes(const struct status *st, const struct feed_report *f,
    struct table *t)
{
	int64_t deletion = status_deletion(st->config, f);
	char text[HUMAN_TEXT];

	if (f->closed)
		table_note(t,
		    "an earlier tree of its feed; it no longer grows");
	else if (f->cause[0] != '\0')
		table_note(t, "a new tree, because %s", f->cause);
	if (f->error[0] != '\0')
		table_note(t, "error %s ago: %s",
		    span(text, st->now, f->failure), f->error);
	if (deletion == REPORT_NEVER)
		return;
	if (deletion <= st->now)
		table_note(t,
		    "the vendor may have deleted unread events: the oldest "
		    "reached its retention %s ago",
		    human_span(text, st->now - deletion));
	else if (f->items > 0 || f->error[0] != '\0' || st->room.full ||
	    report_lag(f, st->now) > BEHIND)
		table_note(t,
		    "the vendor deletes the oldest unread events in %s",
		    human_span(text, deletion - st->now));
}

static void
feed_row(const struct status *st, const struct feed_report *f, struct table *t)
{
	char text[HUMAN_TEXT];
	int64_t lag = report_lag(f, st->now);

	table_cell(t, "%s", f->tree);
	table_cell(t, "%" PRIu64, f->size);
	table_cell(t, "%" PRIu64, f->sealed);
	table_cell(t, "%" PRIu64, f->duplicates);
	table_cell(t, "%" PRIu64, f->items);
	table_cell(t, "%s", lag == REPORT_NEVER ? "-" : human_span(text, lag));
	table_cell(t, "%s", span(text, st->now, f->success));
	table_cell(t, "%s", f->closed ? "-" : span(text, f->due, st->now));
	feed_notes(st, f, t);
}

/* What a mode of delivery proves, where that is less than it seems. */
static const struct {
	const char *mode;
	const char *proves;
} modes[] = {
	{ "relayed",
	    "the other end of TLS has read what has a receipt; it may be a "
	    "load balancer, so the last part is held (receipts: direct if "
	    "nothing is in between)" },
	{ "unconfirmed",
	    "the receiver does not confirm what it has read; after an abnormal "
	    "disconnect the last part is sent again" },
};

static void
output_row(const struct status *st, const struct output_report *o,
    struct table *t)
{
	char text[HUMAN_TEXT];

	table_cell(t, "%s", o->name);
	table_cell(t, "%s", o->mode[0] == '\0' ? "-" : o->mode);
	table_cell(t, "%" PRIu64, o->backlog_events);
	table_cell(t, "%s",
	    o->backlog_events == 0 ? "-" : span(text, st->now, o->oldest));
	table_cell(t, "%" PRIu64, o->count[OUTPUT_EVENTS]);
	table_cell(t, "%" PRIu64, o->count[OUTPUT_RETRIES]);
	table_cell(t, "%" PRIu64, o->dead_letters);
	if (o->error[0] != '\0')
		table_note(t, "error for %s: %s",
		    span(text, st->now, o->failed), o->error);
	if (o->held_events > 0)
		table_note(t,
		    "held: %" PRIu64 " events (%s), sent again if the "
		    "connection breaks",
		    o->held_events, human_bytes(text, o->held_bytes));
	for (size_t i = 0; i < COUNT(modes); i++) {
		if (strcmp(o->mode, modes[i].mode) == 0)
			table_note(t, "%s: %s", o->mode, modes[i].proves);
	}
}

static int
print_table(struct table *t, struct buf *out)
{
	int rc = 0;

	if (table_rows(t) > 0 &&
	    (buf_adds(out, "\n") != 0 || table_print(t, out) != 0))
		rc = -1;
	table_free(t);
	return rc;
}

static int
print_feeds(const struct status *st, struct buf *out)
{
	struct table *t = table_new(feed_columns, COUNT(feed_columns));

	for (size_t i = 0; i < st->n_feeds; i++)
		feed_row(st, &st->feeds[i], t);
	return print_table(t, out);
}

static int
print_outputs(const struct status *st, struct buf *out)
{
	struct table *t = table_new(output_columns, COUNT(output_columns));

	for (size_t i = 0; i < st->n_outputs; i++)
		output_row(st, &st->outputs[i], t);
	return print_table(t, out);
}

/* Say that collecting pauses, why, and when that becomes a gap. */
static int
say_full(const struct status *st, struct buf *out)
{
	const struct store_room *r = &st->room;
	int64_t deletion = status_first_deletion(st);
	struct buf text = BUF_INIT(1024);
	char a[HUMAN_TEXT], b[HUMAN_TEXT];
	int rc;

	if (r->used >= r->max_size)
		rc = buf_addf(&text,
		    "The store is full: agent.store.max_size is %s.",
		    human_bytes(a, (uint64_t)r->max_size));
	else
		rc = buf_addf(&text,
		    "The store is full: its disk has %s free, and %s must stay "
		    "free (agent.store.min_free).",
		    human_bytes(a, (uint64_t)r->free),
		    human_bytes(b, (uint64_t)r->min_free));
	if (rc == 0)
		rc = buf_adds(&text,
		    " Collecting pauses until the outputs catch up or there is "
		    "more room");
	if (rc == 0 && deletion > st->now)
		rc = buf_addf(&text,
		    "; the vendor's retention turns this into a gap in %s",
		    human_span(a, deletion - st->now));
	else if (rc == 0 && deletion != REPORT_NEVER)
		rc = buf_adds(&text,
		    "; the vendor's retention is turning this into a gap now");
	if (rc == 0)
		rc = buf_adds(&text, ".");
	if (rc == 0)
		rc = table_wrap(out, 0, text.data);
	buf_release(&text);
	return rc;
}

/* What stands still or waits, each with its cause. */
static int
print_troubles(const struct status *st, struct buf *out)
{
	struct table *t = table_new(trouble_columns, COUNT(trouble_columns));

	for (size_t i = 0; i < st->n_troubles; i++) {
		const struct trouble *o = &st->troubles[i];
		char text[HUMAN_TEXT], when[CLOCK_TEXT];

		table_cell(t, "%s", o->subject);
		table_cell(t, "%s", o->class);
		table_cell(t, "%s", o->code[0] == '\0' ? "-" : o->code);
		table_cell(t, "%s", span(text, st->now, o->since));
		table_note(t, "%s", o->text);
		if (o->until > st->now) {
			(void)clock_format(o->until, 0, when);
			table_note(t, "waits until %s, %s more", when,
			    human_span(text, o->until - st->now));
		}
	}
	return print_table(t, out);
}

static int
print_store(const struct status *st, struct buf *out)
{
	const struct store_room *r = &st->room;
	char used[HUMAN_TEXT], max[HUMAN_TEXT], left[HUMAN_TEXT];

	(void)human_bytes(used, (uint64_t)r->used);
	(void)human_bytes(max, (uint64_t)r->max_size);
	(void)human_bytes(left, (uint64_t)r->free);
	if (buf_addf(out, "store: %s of at most %s used, %s free on the disk\n",
		used, max, left) != 0)
		return -1;
	if (r->wal > WAL_LARGE &&
	    buf_addf(out,
		"%s of the store are in its WAL, which grows while "
		"a process reads an old state of it\n",
		human_bytes(used, (uint64_t)r->wal)) != 0)
		return -1;
	return r->full ? say_full(st, out) : 0;
}

static int
print_head(const struct status *st, struct buf *out)
{
	int64_t silent = status_silent_since(st);
	int64_t deletion = status_first_deletion(st);
	char when[CLOCK_TEXT], text[HUMAN_TEXT];
	int rc;

	(void)clock_format(st->now, 0, when);
	if (buf_addf(out, "sealfeed %s at %s\n", st->config->agent.name,
		when) != 0)
		return -1;
	if (silent != REPORT_NEVER &&
	    buf_addf(out,
		"The agent seems to be down: its last heartbeat was "
		"%s ago.\n",
		human_span(text, st->now - silent)) != 0)
		return -1;
	if (print_store(st, out) != 0)
		return -1;
	if (st->gaps_open == 0)
		rc = buf_adds(out, "gaps: none\n");
	else
		rc = buf_addf(out,
		    "gaps: %" PRIu64 "; \"sealfeed gaps\" lists them\n",
		    st->gaps_open);
	if (rc != 0 || deletion == REPORT_NEVER || deletion <= st->now)
		return rc;
	return buf_addf(out,
	    "retention: unread events are deleted by their vendors in %s at "
	    "the earliest\n",
	    human_span(text, deletion - st->now));
}

int
status_text(const struct status *st, struct buf *out)
{
	if (print_head(st, out) != 0 || print_troubles(st, out) != 0 ||
	    print_feeds(st, out) != 0 || print_outputs(st, out) != 0)
		return -1;
	if (st->n_feeds > 0)
		return 0;
	return buf_adds(out, "\nNothing has been collected yet.\n");
}

/* Cursor to the upper left, erase what is below (ECMA-48 8.3.21, 8.3.39). */
#define HOME_AND_ERASE "\033[H\033[J"

static const struct cmd_option status_options[] = {
	{ .name = "watch", .help = "Redraw every second until interrupted." },
	{ .name = NULL },
};

/* Read the store, which may have been replaced since the last time. */
static int
draw(const struct config *config, bool json, struct buf *out, struct err *err)
{
	struct status st = { .now = 0 };
	struct store *s = cmd_store(config, STORE_READ, err);
	int rc = -1;

	if (s == NULL)
		return -1;
	if (status_read(s, config, &st, err) != 0)
		goto out;
	rc = json ? status_json(&st, out) : status_text(&st, out);
	if (rc != 0)
		(void)err_set(err, "the status is larger than %d bytes",
		    STATUS_MAX);
out:
	status_release(&st);
	store_close(s);
	return rc;
}

static int
show_once(const struct config *config, bool json, struct err *err)
{
	struct buf out = BUF_INIT(STATUS_MAX);
	int rc = draw(config, json, &out, err);

	if (rc == 0)
		rc = cmd_print(&out, err);
	buf_release(&out);
	return rc;
}

/* With --watch, a store that cannot be read now may be readable in a second. */
static int
show_again(const struct config *config, bool json, struct err *err)
{
	struct buf out = BUF_INIT(STATUS_MAX);
	struct err why = ERR_INIT;
	int rc = 0;

	if (!json && isatty(STDOUT_FILENO))
		rc = buf_adds(&out, HOME_AND_ERASE);
	if (rc == 0 && draw(config, json, &out, &why) != 0)
		rc = json ? err_set(err, "%s", why.text)
			  : table_wrap(&out, 0, why.text);
	if (rc == 0)
		rc = cmd_print(&out, err);
	buf_release(&out);
	return rc;
}

/* Wait a second; true when a signal came that ends the watch.  The signals
 * are blocked, so that none is missed while drawing. */
static bool
interrupted(const sigset_t *ends)
{
	const struct timespec second = { .tv_sec = 1 };

	return sigtimedwait(ends, NULL, &second) > 0;
}

static int
watch(const struct config *config, bool json, struct err *err)
{
	sigset_t ends, before;
	int rc;

	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGINT);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &ends, &before);
	do {
		rc = show_again(config, json, err);
	} while (rc == 0 && !interrupted(&ends));
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static int
status_run(const struct cmd *cmd, struct cmd_line *line)
{
	struct config *config = cmd_config(line);
	struct err err = ERR_INIT;
	int rc;

	if (config == NULL)
		return EXIT_CONF;
	if (cmd_value(line, "watch") != NULL)
		rc = watch(config, line->json, &err);
	else
		rc = show_once(config, line->json, &err);
	config_free(config);
	return rc != 0 ? cmd_failed(cmd, &err) : EXIT_FINE;
}

const struct cmd cmd_status = {
	.name = "status",
	.summary = "Show the feeds, the outputs and the store.",
	.help =
	    "Print what stands still or waits with its cause, the feeds with "
	    "their lag, the outputs with their backlog, "
	    "and the room in the store. The status is read from the store, so "
	    "it works while the agent is down. POLLED is the time since the "
	    "last successful poll, NEXT the time until the next one, LISTED "
	    "the number of listed items that are not fetched yet, REPEATS the "
	    "number of events dropped because their id was already seen. The "
	    "exit status is 0 if the status could be read, whatever it says.",
	.options = status_options,
	.run = status_run,
};
