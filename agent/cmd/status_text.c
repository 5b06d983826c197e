/*
 * status_text.c - a status for people: the verdict, what else is not well, and
 * tables of troubles, feeds and outputs.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/human.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/columns.h"
#include "cmd/status.h"
#include "cmd/table.h"
#include "config/config.h"

static const struct column feed_columns[] = {
	{ .head = "FEED", .cut = true },
	{ .head = "EVENTS", .right = true },
	{ .head = "RATE", .right = true, .spare = true },
	{ .head = "LISTED", .right = true },
	{ .head = "LAG", .right = true },
	{ .head = "POLLED", .right = true, .spare = true },
	{ .head = "NEXT", .right = true, .optional = true },
	{ .head = "SEALED", .right = true, .optional = true },
	{ .head = "REPEATS", .right = true, .optional = true },
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
	{ .head = "RATE", .right = true, .spare = true },
	{ .head = "DELIVERED", .right = true, .spare = true },
	{ .head = "DEAD", .right = true },
	{ .head = "RETRIES", .right = true, .optional = true },
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

static const char *
rate(char *out, const struct status *st, uint64_t recent)
{
	double n = status_rate(st, recent);

	(void)snprintf(out, HUMAN_TEXT, n < 10 && n > 0 ? "%.1f/s" : "%.0f/s",
	    n > 0 && n < 0.1 ? 0.1 : n);
	return out;
}

static void
backfill_note(const struct backfill *b, struct table *t)
{
	const double share =
	    (double)(b->reached - b->from) / (double)(b->to - b->from);
	char to[CLOCK_TEXT];

	(void)clock_format(b->to, 0, to);
	table_note(t,
	    "backfill up to %s: %d %%, %" PRIu64 " new events, %" PRIu64
	    " that were there%s%s",
	    to, (int)(100 * share), b->events, b->repeats,
	    b->error[0] != '\0' ? "; it waits: " : "", b->error);
}

static void
reconciled_note(const struct feed_report *f, struct table *t)
{
	const struct feed_reconciled *r = &f->reconciled;
	char until[CLOCK_TEXT];

	(void)clock_format(r->until, 0, until);
	/* Where the vendor's count confirms, events are not compared. */
	if (f->count[FEED_CONFIRMED] + f->count[FEED_MISSING] == 0)
		table_note(t, "reconciled up to %s%s%s", until,
		    r->error[0] != '\0' ? "; it waits: " : "", r->error);
	else
		table_note(t,
		    "reconciled up to %s: %" PRIu64
		    " events confirmed, %" PRIu64
		    " were missing and are forwarded%s%s",
		    until, f->count[FEED_CONFIRMED], f->count[FEED_MISSING],
		    r->error[0] != '\0' ? "; it waits: " : "", r->error);
	if (r->failed > 0)
		table_note(t,
		    "%" PRIu64 " spans of the last 35 days could not be "
		    "confirmed (sealfeed reconcile)",
		    r->failed);
}

/* The feed above in the table that has the same error; NULL: none has. */
static const struct feed_report *
same_error(const struct feed_report *const *order, size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (strcmp(order[i]->error, order[row]->error) == 0)
			return order[i];
	return NULL;
}

static void
error_note(const struct status *st, const struct feed_report *const *order,
    size_t row, struct table *t)
{
	const struct feed_report *f = order[row], *same;
	char text[HUMAN_TEXT];

	if (f->error[0] == '\0')
		return;
	same = same_error(order, row);
	table_note(t, "error %s ago: %s%s", span(text, st->now, f->failure),
	    same != NULL ? "the same as " : "",
	    same != NULL ? same->tree : f->error);
}

static void
feed_notes(const struct status *st, const struct feed_report *const *order,
    size_t row, struct table *t)
{
	const struct feed_report *f = order[row];
	int64_t deletion = status_deletion(f);
	char text[HUMAN_TEXT];

	if (f->closed)
		table_note(t,
		    "an earlier tree of its feed; it no longer grows");
	else if (f->cause[0] != '\0')
		table_note(t, "a new tree, because %s", f->cause);
	error_note(st, order, row, t);
	if (f->backfill.id != 0)
		backfill_note(&f->backfill, t);
	if (f->reconciled.any && !f->closed)
		reconciled_note(f, t);
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
feed_row(const struct status *st, const struct feed_report *const *order,
    size_t row, struct table *t)
{
	const struct feed_report *f = order[row];
	char text[HUMAN_TEXT];
	int64_t lag = report_lag(f, st->now);

	table_cell(t, "%s", f->tree);
	table_cell(t, "%" PRIu64, f->size);
	table_cell(t, "%s", rate(text, st, f->recent));
	table_cell(t, "%" PRIu64, f->items);
	table_cell(t, "%s", lag == REPORT_NEVER ? "-" : human_span(text, lag));
	table_cell(t, "%s", span(text, st->now, f->success));
	table_cell(t, "%s", f->closed ? "-" : span(text, f->due, st->now));
	table_cell(t, "%" PRIu64, f->sealed);
	table_cell(t, "%" PRIu64, f->count[FEED_DUPLICATES]);
	if (f->error[0] != '\0')
		table_colour(t, COLOUR_BAD);
	feed_notes(st, order, row, t);
}

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
	table_cell(t, "%s", rate(text, st, o->recent));
	table_cell(t, "%" PRIu64, o->count[OUTPUT_EVENTS]);
	table_cell(t, "%" PRIu64, o->dead_letters);
	table_cell(t, "%" PRIu64, o->count[OUTPUT_RETRIES]);
	if (o->error[0] != '\0')
		table_colour(t, COLOUR_BAD);
	if (o->error[0] != '\0')
		table_note(t, "error for %s: %s",
		    span(text, st->now, o->failed), o->error);
	if (o->held_events > 0)
		table_note(t,
		    "held: %" PRIu64 " events (%s), sent again if the "
		    "connection breaks",
		    o->held_events, human_bytes(text, o->held_bytes));
	if (o->replay.id != 0)
		table_note(t,
		    "replay: %" PRIu64 " events were sent again, %" PRIu64
		    " are left",
		    o->replay.sent, o->replay_left);
	/* It is less than it seems. */
	if (strcmp(o->mode, "relayed") == 0 ||
	    strcmp(o->mode, "unconfirmed") == 0)
		table_note(t, "%s: %s", o->mode, status_proves(o->mode));
}

static int
print_table(struct table *t, const struct status_look *look, struct buf *out)
{
	int rc = 0;

	table_look(t, look->width, look->colours);
	if (table_rows(t) > 0 &&
	    (buf_adds(out, "\n") != 0 || table_print(t, out) != 0))
		rc = -1;
	table_free(t);
	return rc;
}

/* For qsort(), which gives no context. */
static const struct status *sorted;
static enum status_order sorted_by;

static double
weight(const struct feed_report *f)
{
	if (sorted_by == ORDER_LAG)
		return (double)report_lag(f, sorted->now);
	return (double)(sorted_by == ORDER_RATE ? f->recent : f->items);
}

static int
by_order(const void *a, const void *b)
{
	const struct feed_report *x = *(const struct feed_report *const *)a;
	const struct feed_report *y = *(const struct feed_report *const *)b;

	if (sorted_by != ORDER_NAME && weight(x) != weight(y))
		return weight(x) > weight(y) ? -1 : 1;
	return strcmp(x->tree, y->tree);
}

static int
print_feeds(const struct status *st, const struct status_look *look,
    struct buf *out)
{
	struct table *t = table_new(feed_columns, COUNT(feed_columns));
	const struct feed_report **order =
	    xcalloc(st->n_feeds + 1, sizeof(const struct feed_report *));
	int rc;

	for (size_t i = 0; i < st->n_feeds; i++)
		order[i] = &st->feeds[i];
	sorted = st;
	sorted_by = look->order;
	if (look->order != ORDER_AS_ADDED)
		qsort(order, st->n_feeds, sizeof(*order), by_order);
	for (size_t i = 0; i < st->n_feeds; i++)
		feed_row(st, order, i, t);
	rc = print_table(t, look, out);
	free(order);
	return rc;
}

static int
print_outputs(const struct status *st, const struct status_look *look,
    struct buf *out)
{
	struct table *t = table_new(output_columns, COUNT(output_columns));

	for (size_t i = 0; i < st->n_outputs; i++)
		output_row(st, &st->outputs[i], t);
	return print_table(t, look, out);
}

static const struct column role_columns[] = {
	{ .head = "ROLE", .cut = true },
	{ .head = "STATE" },
	{ .head = "UID", .right = true, .spare = true },
	{ .head = "CAPABILITIES", .right = true, .spare = true },
	{ .head = "NO_NEW_PRIVS", .spare = true },
	{ .head = "SECCOMP" },
	{ .head = "LANDLOCK" },
};

static void
role_row(const struct role_report *r, struct table *t)
{
	const struct role_walls *w = &r->walls;

	table_cell(t, "%s", r->name);
	table_cell(t, "%s", role_state_name(r->state));
	if (!w->known) {
		for (size_t i = 2; i < COUNT(role_columns); i++)
			table_cell(t, "-");
		return;
	}
	table_cell(t, "%" PRIu32, w->uid);
	if (w->capabilities == 0)
		table_cell(t, "none");
	else
		table_cell(t, "%" PRIx64, w->capabilities);
	table_cell(t, "%s", w->no_new_privs ? "yes" : "no");
	table_cell(t, "%s", w->seccomp ? "yes" : "no");
	if (w->landlock == 0)
		table_cell(t, "no");
	else
		table_cell(t, "%u, %u rules", w->landlock, w->rules);
}

/* What confines each role. */
static int
print_roles(const struct status *st, const struct status_look *look,
    struct buf *out)
{
	struct table *t = table_new(role_columns, COUNT(role_columns));

	for (size_t i = 0; i < st->roles.n; i++)
		role_row(&st->roles.role[i], t);
	return print_table(t, look, out);
}

/* Say that collecting pauses, why, and when that becomes a gap. */
static int
say_full(const struct status *st, size_t width, struct buf *out)
{
	const struct store_room *r = &st->room;
	int64_t deletion = status_first_deletion(st);
	struct buf text = BUF_INIT(1024);
	char a[HUMAN_TEXT], b[HUMAN_TEXT];
	int rc;

	if (r->by_size)
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
		rc = table_wrap_in(out, width, 0, text.data);
	buf_release(&text);
	return rc;
}

static bool
same_trouble(const struct trouble *a, const struct trouble *b)
{
	return strcmp(a->class, b->class) == 0 &&
	    strcmp(a->code, b->code) == 0 && strcmp(a->text, b->text) == 0 &&
	    a->stands == b->stands;
}

/* False: an earlier one is the same for another subject.  True, with the later
 * ones that are. */
static bool
trouble_leads(const struct status *st, size_t i, struct alike *others)
{
	for (size_t k = 0; k < i; k++)
		if (same_trouble(&st->troubles[k], &st->troubles[i]))
			return false;
	*others = (struct alike){ .n = 0 };
	for (size_t k = i + 1; k < st->n_troubles; k++)
		if (same_trouble(&st->troubles[k], &st->troubles[i]))
			alike_add(others, st->troubles[k].subject);
	return true;
}

/* What stands still or waits, each cause once. */
static int
print_troubles(const struct status *st, const struct status_look *look,
    struct buf *out)
{
	struct table *t = table_new(trouble_columns, COUNT(trouble_columns));

	for (size_t i = 0; i < st->n_troubles; i++) {
		const struct trouble *o = &st->troubles[i];
		char text[HUMAN_TEXT], when[CLOCK_TEXT], same[600];
		struct alike others;

		if (!trouble_leads(st, i, &others))
			continue;
		table_cell(t, "%s", o->subject);
		table_cell(t, "%s", o->class);
		table_cell(t, "%s", o->code[0] == '\0' ? "-" : o->code);
		table_cell(t, "%s", span(text, st->now, o->since));
		table_note(t, "%s", o->text);
		if (others.n > 0) {
			alike_text(&others, same, sizeof(same));
			table_note(t, "%s", same);
		}
		if (o->until > st->now) {
			(void)clock_format(o->until, 0, when);
			table_note(t, "waits until %s, %s more", when,
			    human_span(text, o->until - st->now));
		}
	}
	return print_table(t, look, out);
}

/* Append a sentence of ours that may be as long as it is. */
static int say(struct buf *out, size_t width, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
say(struct buf *out, size_t width, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return table_wrap_in(out, width, 0, text);
}

static int
print_store(const struct status *st, size_t width, struct buf *out)
{
	const struct store_room *r = &st->room;
	char used[HUMAN_TEXT], max[HUMAN_TEXT], left[HUMAN_TEXT];

	(void)human_bytes(used, (uint64_t)r->used);
	(void)human_bytes(max, (uint64_t)r->max_size);
	(void)human_bytes(left, (uint64_t)r->free);
	if (say(out, width, "store: %s of at most %s used, %s free on the disk",
		used, max, left) != 0)
		return -1;
	if (r->wal > WAL_LARGE &&
	    say(out, width,
		"%s of the store are in its WAL, which grows while a process "
		"reads an old state of it",
		human_bytes(used, (uint64_t)r->wal)) != 0)
		return -1;
	return r->full ? say_full(st, width, out) : 0;
}

/* Append one line of text, made printable, cut where it is too wide. */
static int
add_line(const struct status_look *look, const char *colour, const char *text,
    struct buf *out)
{
	struct buf clean = BUF_INIT(out->ceiling);
	int rc = text_printable(&clean, text, strlen(text));
	const char *s = clean.data == NULL ? "" : clean.data;
	size_t fits = columns_fit(s, look->width);

	if (s[fits] != '\0')
		fits = columns_fit(s, look->width - 2);
	if (!look->colours)
		colour = "";
	if (rc == 0)
		rc = buf_addf(out, "%s%.*s%s%s\n", colour, (int)fits, s,
		    s[fits] != '\0' ? ".." : "",
		    colour[0] != '\0' ? COLOUR_OFF : "");
	buf_release(&clean);
	return rc;
}

const char *
status_colour(enum level level)
{
	static const char *const colours[] = { COLOUR_GOOD, COLOUR_WARNING,
		COLOUR_BAD, COLOUR_WARNING };

	return colours[level];
}

/* Most causes that are listed; the tables have them all. */
#define CAUSES 8

/* Append a remark that is not the first. */
static int
add_remark(const struct remark *r, const struct status_look *look,
    struct buf *out)
{
	char line[1500];

	(void)snprintf(line, sizeof(line), "also: %s%s%s", r->state,
	    r->text[0] == '\0' ? "" : ": ", r->text);
	return add_line(look, status_colour(r->level), line, out);
}

/* The verdict, all of the first remark where the line has not the room, and the
 * others, each cause once. */
static int
print_verdict(const struct verdict *v, const struct status_look *look,
    struct buf *out)
{
	size_t causes = 0, told = 0;
	struct alike others;
	char same[600];
	int rc;

	if (add_line(look, status_colour(v->level), v->line, out) != 0)
		return -1;
	if (columns_of(v->line) > look->width &&
	    table_wrap_in(out, look->width, 4, v->remark[0].text) != 0)
		return -1;
	for (size_t i = 0; i < v->n && causes < CAUSES; i++) {
		if (!verdict_leads(v, i, &others))
			continue;
		causes++;
		told += 1 + others.n;
		rc = i == 0 ? 0 : add_remark(&v->remark[i], look, out);
		if (rc == 0 && others.n > 0) {
			alike_text(&others, same, sizeof(same));
			rc = table_wrap_in(out, look->width, 4, same);
		}
		if (rc != 0)
			return -1;
	}
	if (told == v->n)
		return 0;
	return buf_addf(out, "and %zu more\n", v->n - told);
}

static int
print_head(const struct status *st, size_t width, struct buf *out)
{
	int64_t deletion = status_first_deletion(st);
	char when[CLOCK_TEXT], text[HUMAN_TEXT], up[HUMAN_TEXT + 20] = "";
	uint64_t recent = 0;

	for (size_t i = 0; i < st->n_feeds; i++)
		recent += st->feeds[i].recent;
	(void)clock_format(st->now, 0, when);
	if (st->life == STATUS_RUNS && st->roles.began != REPORT_NEVER)
		(void)snprintf(up, sizeof(up), ", running for %s",
		    human_words(text, st->now - st->roles.began));
	if (say(out, width, "sealfeed %s at %s%s, %s collected",
		st->config->agent.name, when, up, rate(text, st, recent)) != 0)
		return -1;
	if (print_store(st, width, out) != 0)
		return -1;
	if (st->gaps_open == 0
		? say(out, width, "gaps: none") != 0
		: say(out, width,
		      "gaps: %" PRIu64 "; \"sealfeed gaps\" lists them",
		      st->gaps_open) != 0)
		return -1;
	if (deletion == REPORT_NEVER || deletion <= st->now)
		return 0;
	return say(out, width,
	    "retention: unread events are deleted by their vendors in %s at "
	    "the earliest",
	    human_span(text, deletion - st->now));
}

int
status_text(const struct status_view *v, const struct status_look *look,
    struct buf *out)
{
	const struct status *st = &v->st;

	if (print_verdict(&v->verdict, look, out) != 0)
		return -1;
	if (v->why.text[0] != '\0')
		return 0;
	if (print_head(st, look->width, out) != 0 ||
	    print_troubles(st, look, out) != 0 ||
	    print_outputs(st, look, out) != 0 ||
	    print_feeds(st, look, out) != 0 ||
	    (look->roles && print_roles(st, look, out) != 0))
		return -1;
	if (st->n_feeds > 0)
		return 0;
	return buf_adds(out, "\nNothing has been collected yet.\n");
}

const char *
status_order_name(enum status_order order)
{
	static const char *const names[ORDERS] = { "as added", "name", "lag",
		"rate", "listed" };

	return names[order];
}
