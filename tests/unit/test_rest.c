/*
 * test_rest.c - every definition against its vendor: each script below
 * tests/vectors/source is a vendor that has late events, ties, repeats and
 * versions, throttles, fails in the middle, loses its page tokens, and whose
 * reader is stopped between two pages.  In the end the store has what the
 * vendor has, byte for byte.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/node.h"
#include "sources/rest/decode.h"
#include "sources/rest/rest.h"
#include "sources/rest/rest_private.h"
#include "store/db.h"
#include "store/lateness.h"
#include "store/line.h"
#include "store/via.h"
#include "tests/lib/vendor.h"
#include "tests/unit/rest_rig.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define SCRIPTS VECTORS "source/"
#define BOUNDED VECTORS "bounded/"
#define TEXT_MAX (16 << 20)
#define POLLS 400
#define INITIAL (4 * CLOCK_DAY) /* of the source */

static struct {
	struct vendor *vendor;
	unsigned ids;  /* of events so far */
	unsigned late; /* that were found by sweeps */
} t;

/* -- a configuration for the vendor, and its source ------------------------ */

/* "    hosts: { api: URL, login: URL }", the hosts that are the vendor. */
static void
put_hosts(struct buf *text)
{
	const struct node *hosts = node_get(vendor_script(t.vendor), "hosts");
	const struct node api = { .text = (char[]){ "api" } };
	int rc = buf_adds(text, "    hosts: { ");

	for (const struct node *h = hosts != NULL ? hosts->child : &api;
	     h != NULL; h = h->next)
		rc |= buf_addf(text, "%s: \"%s\"%s", h->text,
		    vendor_url(t.vendor), h->next != NULL ? ", " : "");
	rc |= buf_adds(text, " }\n");
	ck_assert_int_eq(rc, 0);
}

/* The definition is a vector, or ships. */
static void
load_config(const char *type)
{
	struct buf options = BUF_INIT(65536);
	char *file = xasprintf("%sdefinition/%s.yaml", VECTORS, type);

	if (access(file, F_OK) != 0) {
		free(file);
		file = xasprintf("%s/agent/sources/definitions/%s.yaml", SRCDIR,
		    type);
	}
	rest_rig_link(type, file);
	put_hosts(&options);
	ck_assert_int_eq(yaml_print(node_get(vendor_script(t.vendor), "source"),
			     4, &options),
	    0);
	rest_rig_configure(type, options.data);
	free(file);
	buf_release(&options);
}

/* Pages of a few rows are full where the script says so. */
static void
page_size(void)
{
	const struct node *full = node_get(vendor_script(t.vendor), "full");
	const struct rest *r = rest_rig.source.state;
	struct def_stream *def =
	    (struct def_stream *)(uintptr_t)definition_stream(r->def,
		rest_rig.stream.name);

	if (full == NULL)
		return;
	def->page.size = strtol(full->text, NULL, 10);
	vendor_full(t.vendor, (size_t)def->page.size);
}

static void
open_all(void)
{
	rest_rig_open(node_get(vendor_script(t.vendor), "stream")->text);
	page_size();
}

static bool
is_window(void)
{
	return rest_rig_state()->def->cursor.kind == CURSOR_WINDOW;
}

/* The whole overlap is due now. */
static void
make_due(void)
{
	if (rest_rig_state() != NULL)
		rest_rig_state()->window.full = 0;
}

/* And so are the sweeps, which cost many requests. */
static void
make_sweeps_due(void)
{
	struct rest_stream *rs = rest_rig_state();

	memset(rs->window.cursor.swept, 0, sizeof(rs->window.cursor.swept));
}

/* Poll once; false: it failed. */
static bool
poll_once(enum poll_next *next)
{
	struct outcome r = { .class = REPLY_OK };

	*next = rest_rig.source.type->poll(&rest_rig.w, &rest_rig.stream, &r);
	if (r.class != REPLY_OK)
		rest_rig_tell(&r);
	return r.class == REPLY_OK;
}

/* Poll until all is read, whatever goes wrong in between. */
static void
catch_up(void)
{
	enum poll_next next = POLL_AGAIN;
	unsigned good = 0;

	make_due();
	for (unsigned i = 0; i < POLLS && good < 2; i++) {
		if (poll_once(&next) && next == POLL_REST)
			good++;
		else if (good > 0)
			good--;
	}
	ck_assert_msg(good == 2, "no end of polls: %s; %s", rest_rig.last.text,
	    vendor_complaint(t.vendor) != NULL ? vendor_complaint(t.vendor)
					       : "");
}

/* -- what the store has ---------------------------------------------------- */

/* The vendor's events, each once, sorted; borrowed from it. */
static const char **
vendor_events(size_t *n)
{
	const bool twins = node_get(vendor_script(t.vendor), "twins") != NULL;
	const char **list;
	size_t kept = 0;

	*n = vendor_count(t.vendor);
	list = xcalloc(*n + 1, sizeof(*list));
	for (size_t i = 0; i < *n; i++)
		list[i] = vendor_event(t.vendor, i);
	qsort(list, *n, sizeof(*list), rest_rig_by_text);
	for (size_t i = 0; i < *n; i++)
		if (twins || kept == 0 || strcmp(list[kept - 1], list[i]) != 0)
			list[kept++] = list[i];
	*n = kept;
	return list;
}

static void
expect_same(const char *after)
{
	size_t n, wanted;
	const char **theirs = vendor_events(&wanted);
	char **ours = rest_rig_events(&n);

	for (size_t i = 0; i < n && i < wanted; i++)
		ck_assert_msg(strcmp(ours[i], theirs[i]) == 0,
		    "after %s: %s\ninstead of %s", after, ours[i], theirs[i]);
	ck_assert_msg(n == wanted, "after %s: %zu events of %zu", after, n,
	    wanted);
	ck_assert_msg(vendor_complaint(t.vendor) == NULL, "after %s: %s", after,
	    vendor_complaint(t.vendor));
	for (size_t i = 0; i < n; i++)
		free(ours[i]);
	free(ours);
	free(theirs);
}

/* -- what happens ---------------------------------------------------------- */

static const struct def_stream *
stream_def(void)
{
	const struct rest *r = rest_rig.source.state;

	return definition_stream(r->def, rest_rig.stream.name);
}

/* How old events must be for a window to have them; one that ends with a date
 * has all of that day. */
static int64_t
lag(void)
{
	const int64_t l = stream_def()->cursor.lag;

	return l < CLOCK_DAY ? l : 0;
}

/* n events, each so much older than the one before; step 0: ties.  The newest
 * is as old as a window lets it be. */
static void
add(unsigned n, int64_t age, int64_t step)
{
	const int64_t now = clock_now() - lag();

	for (unsigned i = 0; i < n; i++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "event-%u", t.ids++);
		vendor_add(t.vendor, id, now - age - (int64_t)i * step, 1);
	}
}

/* Some more events, two of them of one instant, while a request fails. */
static void
survive(const char *name, enum vendor_fault fault, unsigned after,
    unsigned count)
{
	add(1, CLOCK_MINUTE + 7 * CLOCK_SECOND, 0);
	add(2, CLOCK_MINUTE, 0);
	vendor_fail(t.vendor, fault, after, count);
	catch_up();
	vendor_fail(t.vendor, VENDOR_NONE, 0, 0);
	expect_same(name);
}

/* Events at the very instant at which the last window ended, and the next one
 * begins. */
static void
tie_at_the_bound(void)
{
	if (!is_window())
		return;
	for (unsigned i = 0; i < 4; i++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "event-%u", t.ids++);
		vendor_add(t.vendor, id, rest_rig_state()->window.cursor.listed,
		    1);
	}
	catch_up();
	expect_same("ties at a window's bound");
}

/* How vendors behave that have pages of a kind, each in its own way. */
#define OF(kind) (1U << (kind))
#define BY_LINK (OF(PAGE_LINK) | OF(PAGE_URL) | OF(PAGE_URL_HEADER))
#define BY_TOKEN (OF(PAGE_TOKEN) | OF(PAGE_HEADER))
#define BY_COUNT (OF(PAGE_NUMBER) | OF(PAGE_OFFSET))
static const struct {
	const char *name;
	enum vendor_manner manner;
	unsigned pages;
	bool ids; /* rows must have some, or equal ones are two events */
} manners[] = {
	{ "short pages", VENDOR_SHORT,
	    BY_LINK | BY_TOKEN | OF(PAGE_OFFSET) | OF(PAGE_LAST_ID), false },
	{ "pages without rows", VENDOR_EMPTY, BY_LINK | BY_TOKEN, false },
	{ "rows that are on two pages", VENDOR_TWICE, BY_LINK | BY_TOKEN,
	    true },
	{ "rows that come in between", VENDOR_SHIFT,
	    BY_LINK | BY_TOKEN | BY_COUNT | OF(PAGE_LAST_ID), false },
};

static void
bear_with(void)
{
	const struct def_stream *def = stream_def();

	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		if ((OF(def->page.kind) & manners[i].pages) == 0 ||
		    (manners[i].ids && def->id == NULL) ||
		    def->page.short_is_last)
			continue;
		vendor_behave(t.vendor, manners[i].manner);
		add(1, CLOCK_MINUTE + 7 * CLOCK_SECOND, 0);
		add(2, CLOCK_MINUTE, 0);
		catch_up();
		/* What came in behind where pages were is in the overlap. */
		catch_up();
		expect_same(manners[i].name);
	}
	vendor_behave(t.vendor, VENDOR_PLAIN);
}

/* Stopped between two pages, as by kill -9: nothing is written any more, and
 * another process opens the store, whose page token may be good no longer. */
static void
stop_between_pages(const char *name, enum vendor_fault fault)
{
	enum poll_next next;
	unsigned before;

	add(9, CLOCK_MINUTE, CLOCK_SECOND);
	vendor_fail(t.vendor, VENDOR_FAILED,
	    node_get(vendor_script(t.vendor), "per") != NULL ||
		    stream_def()->page.kind == PAGE_NONE
		? 0
		: 2,
	    1000);
	make_due();
	ck_assert(!poll_once(&next));
	vendor_fail(t.vendor, VENDOR_NONE, 0, 0);
	rest_rig_close();
	open_all();
	before = vendor_requests(t.vendor);
	vendor_fail(t.vendor, fault, 0, 1);
	catch_up();
	vendor_fail(t.vendor, VENDOR_NONE, 0, 0);
	expect_same(name);
	ck_assert_uint_gt(vendor_requests(t.vendor), before);
}

/* Times that a poll has long passed. */
static void
come_late(void)
{
	if (!is_window())
		return;
	/* Found by the overlap, and by each of the sweeps. */
	add(4, 4 * CLOCK_MINUTE, CLOCK_SECOND);
	catch_up();
	expect_same("events that came a little late");
	for (size_t i = 0; rest_rig_state()->spec.sweeps[i].every != 0; i++) {
		const int64_t back = rest_rig_state()->spec.sweeps[i].back;

		add(4, (back < INITIAL ? back : INITIAL) - CLOCK_MINUTE - lag(),
		    CLOCK_SECOND);
		t.late += 4;
		make_sweeps_due();
		catch_up();
		expect_same("events that came late");
	}
}

static int64_t
longest_sweep(void)
{
	const struct window_sweep *s = rest_rig_state()->spec.sweeps;

	while (s->every != 0 && s[1].every != 0)
		s++;
	return s->back;
}

/* A sweep that found events at its end goes further back, also after a
 * restart, but no further than repeats are known. */
static void
stay_wide(void)
{
	const struct def_sweep *s = stream_def()->cursor.sweeps;
	enum poll_next next;
	int64_t back;

	if (!is_window() || s->every == 0)
		return;
	while (s[1].every != 0)
		s++;
	back = longest_sweep();
	ck_assert_int_le(back, rest_rig.source.definition.dedupe);
	if (s->back < INITIAL && 2 * s->back <= stream_def()->retention)
		ck_assert_int_gt(back, s->back);
	catch_up();
	rest_rig_close();
	open_all();
	ck_assert_msg(poll_once(&next), "%s", rest_rig.last.text);
	ck_assert_int_eq(longest_sweep(), back);
}

static void
come_again(void)
{
	const int64_t now = clock_now() - lag();

	vendor_add(t.vendor, "again", now - 30 * CLOCK_SECOND, 1);
	catch_up();
	vendor_add(t.vendor, "again", now - 30 * CLOCK_SECOND, 1);
	catch_up();
	expect_same("a repeat");
	vendor_add(t.vendor, "again", now - 30 * CLOCK_SECOND, 2);
	catch_up();
	expect_same("a version");
}

static bool
has_urls(void)
{
	const int kind = rest_rig_state()->def->page.kind;

	return kind == PAGE_LINK || kind == PAGE_URL || kind == PAGE_URL_HEADER;
}

/* A link to another host is followed by no one, and told of. */
static void
lead_elsewhere(void)
{
	if (!has_urls())
		return;
	rest_rig.last = (struct outcome){ .class = REPLY_OK };
	survive("a link to another host", VENDOR_FOREIGN, 0, 2);
	ck_assert_str_eq(rest_rig.last.code, "foreign-host");
}

/* What came late was measured as such, and what was there when the feed began
 * was not. */
static void
expect_lateness(const char *name)
{
	int64_t usual, late, sum;

	rest_rig.s = store_help_open(rest_rig.path, STORE_DURABLE);
	ck_assert_int_eq(db_number(rest_rig.s, &rest_rig.err, 0, &usual,
			     "SELECT late_1m + late_2m + late_5m FROM feed",
			     ""),
	    0);
	ck_assert_int_eq(db_number(rest_rig.s, &rest_rig.err, 0, &late,
			     "SELECT late_1h + late_4h + late_1d + late_3d + "
			     "late_7d + late_30d FROM feed",
			     ""),
	    0);
	ck_assert_int_eq(db_number(rest_rig.s, &rest_rig.err, 0, &sum,
			     "SELECT sum(late_sum) FROM feed", ""),
	    0);
	ck_assert_msg(usual > 0, "%s: no lateness", name);
	ck_assert_msg(sum >= usual * 10, "%s: a sum of %d s", name, (int)sum);
	ck_assert_msg(late == t.late, "%s: %d late ones of %u", name, (int)late,
	    t.late);
	store_close(rest_rig.s);
}

/* Whatever its windows say: the vendor was just asked for all that it has. */
static void
expect_no_lag(const char *name)
{
	const struct def_cursor *c = &stream_def()->cursor;
	const int64_t apart = c->lag > c->granularity ? c->lag : 0;
	const int64_t behind = clock_now() - rest_rig.stream.listed;

	ck_assert_msg(behind <= apart + CLOCK_MINUTE, "%s lags %d s", name,
	    (int)(behind / CLOCK_SECOND));
}

static void
play(const char *path, const char *name, size_t stream)
{
	bool days;

	memset(&t, 0, sizeof(t));
	/* Whether a disk keeps what is durable is not the question here. */
	if (access("/dev/shm", W_OK) == 0)
		ck_assert_int_eq(setenv("TMPDIR", "/dev/shm", 0), 0);
	rest_rig_begin();
	t.vendor = vendor_start(path, stream, 0);
	load_config(name);
	open_all();
	add(11, 3 * CLOCK_DAY, CLOCK_HOUR);
	catch_up();
	expect_same("the first events");
	catch_up();
	expect_same("nothing new");
	expect_no_lag(name);
	/* More than three pages have. */
	add(8, CLOCK_MINUTE, 7 * CLOCK_SECOND);
	add(4, CLOCK_MINUTE, 0);
	survive("ties", VENDOR_NONE, 0, 0);
	tie_at_the_bound();
	rest_rig.last = (struct outcome){ .class = REPLY_OK };
	survive("a throttled request", VENDOR_THROTTLED, 1, 2);
	ck_assert_msg(rest_rig.last.class == REPLY_THROTTLED, "%s: %s", name,
	    rest_rig.last.text);
	survive("a failed request", VENDOR_FAILED, 1, 3);
	make_sweeps_due();
	survive("a longer failure", VENDOR_FAILED, 1, 12);
	/* CSV does not say where it ends. */
	if (stream_def()->records.format != RECORDS_CSV)
		survive("a body that was cut", VENDOR_BROKEN, 1, 2);
	survive("a login page", VENDOR_PAGE, 1, 2);
	survive("a token that is refused", VENDOR_DENIED, 1, 1);
	survive("a page token that is lost", VENDOR_LOST, 2, 1);
	lead_elsewhere();
	bear_with();
	stop_between_pages("a stop between two pages", VENDOR_NONE);
	stop_between_pages("a stop, and a lost token", VENDOR_LOST);
	come_again();
	come_late();
	stay_wide();
	/* Of a day that is not over, no one can say what was late. */
	days = stream_def()->cursor.lag >= CLOCK_DAY;
	rest_rig_close();
	if (!days)
		expect_lateness(name);
	vendor_stop(t.vendor);
	rest_rig_end();
}

START_TEST(links)
{
	static const struct {
		const char *headers;
		const char *next; /* "": none */
	} rows[] = {
		{ "Link: <https://h/a?x=1,2>; rel=\"next\"\r\n",
		    "https://h/a?x=1,2" },
		{ "link:<https://h/a>;rel=next\r\n", "https://h/a" },
		{ "Link: <https://h/a> ; rel = \"next\"\r\n", "https://h/a" },
		{ "Link: <https://h/s>; rel=\"self\"\r\nX: y\r\n"
		  "Link: <https://h/n>; rel=\"next\"\r\n",
		    "https://h/n" },
		{ "Link: <https://h/f>; rel=\"first\", <https://h/n>; "
		  "title=\"a, b; rel=next\"; rel=\"last next\"\r\n",
		    "https://h/n" },
		{ "Link: <https://h/p>; rel=\"prev\"\r\n", "" },
		{ "Link: <https://h/p>; rel=\"nextish\"\r\n", "" },
		{ "Link: <https://h/p>; rel=\"previous-next\"\r\n", "" },
		{ "Link: </api?after=2>; rel=next\r\n",
		    "https://h/api?after=2" },
		{ "Link: <?after=2>; rel=next\r\n", "https://h/now?after=2" },
		{ "Link: <https://h/a\r\n", "" },
		{ "Link: rel=next\r\n", "" },
		{ "Links: <https://h/a>; rel=next\r\n", "" },
		{ "", "" },
	};
	const struct def_stream def = { .page.kind = PAGE_LINK };
	const struct api api = { .base = "https://h", .option = "hosts.api" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_reply reply;
		struct rest_page p = { .def = &def,
			.api = &api,
			.reply = &reply,
			.url = "https://h/now?a=b" };
		struct buf next = BUF_INIT(1000);
		struct outcome r;

		http_reply_init(&reply);
		ck_assert_int_eq(buf_adds(&reply.headers, rows[i].headers), 0);
		ck_assert_msg(rest_next(&p, &next, &r) == REPLY_OK, "%s",
		    r.text);
		ck_assert_msg(strcmp(next.len > 0 ? next.data : "",
				  rows[i].next) == 0,
		    "%s: %s", rows[i].headers, next.data);
		buf_release(&next);
		http_reply_release(&reply);
	}
}
END_TEST

START_TEST(lateness)
{
	uint64_t count[FEED_COUNTERS] = { 0 };

	ck_assert_int_eq(lateness_within(count, 0.5), -1);
	count[FEED_LATE_10S + (int)lateness_bucket(-5)] += 60;
	count[FEED_LATE_10S + (int)lateness_bucket(10 * CLOCK_SECOND)] += 30;
	count[FEED_LATE_10S + (int)lateness_bucket(4 * CLOCK_MINUTE)] += 9;
	count[FEED_LATE_10S + (int)lateness_bucket(90 * CLOCK_DAY)] += 1;
	ck_assert_int_eq(lateness_within(count, 0.5), 10 * CLOCK_SECOND);
	ck_assert_int_eq(lateness_within(count, 0.99), 5 * CLOCK_MINUTE);
	ck_assert_int_eq(lateness_within(count, 1), 30 * CLOCK_DAY);
}
END_TEST

/* The script that has the nth of all streams, which becomes the stream's number
 * in it; NULL: there are fewer, and n is less by all of them. */
static char *
script_of(const char *folder, size_t *n)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	char *found = NULL;

	while (dir != NULL && found == NULL && (e = readdir(dir)) != NULL) {
		char *path = xasprintf("%s%s", folder, e->d_name);
		size_t streams = strstr(e->d_name, ".yaml") != NULL
		    ? vendor_streams(path)
		    : 0;

		if (*n < streams)
			found = path;
		else
			*n -= streams;
		if (found == NULL)
			free(path);
	}
	if (dir != NULL)
		(void)closedir(dir);
	return found;
}

START_TEST(a_stream)
{
	size_t n = (size_t)_i;
	char *path = script_of(SCRIPTS, &n);
	const char *name = strrchr(path, '/') + 1;
	char *type = xstrndup(name, strlen(name) - strlen(".yaml"));

	play(path, type, n);
	free(type);
	free(path);
}
END_TEST

static int
count_streams(const char *folder)
{
	size_t n = INT_MAX;

	(void)script_of(folder, &n);
	return (int)(INT_MAX - n);
}

/* Read a span of time beside the polls, from which the stream's own state is
 * kept, as often as it takes; and twice at that. */
static void
backfill(int64_t from, int64_t to)
{
	const struct source_type *type = rest_rig.source.type;
	struct stream own = rest_rig.stream;
	struct span span = { from, to };
	unsigned tries = 0;

	own.via = VIA_BACKFILL;
	stream_begin(&own);
	rest_rig.w.stream = &own;
	rest_rig.w.background = true;
	while (span.from < to && tries < POLLS) {
		struct outcome r = { .class = REPLY_OK };
		int64_t reached = span.from;

		type->backfill(&rest_rig.w, &own, &span, &reached, &r);
		if (r.class != REPLY_OK)
			rest_rig_tell(&r);
		ck_assert(r.class != REPLY_OK || reached > span.from);
		span.from = reached;
		tries++;
	}
	ck_assert_msg(span.from == to, "no end: %s; %s", rest_rig.last.text,
	    vendor_complaint(t.vendor) != NULL ? vendor_complaint(t.vendor)
					       : "");
	stream_end(&own);
	rest_rig.w.stream = &rest_rig.stream;
	rest_rig.w.background = false;
}

/* How many lines have the mark, and how many have not. */
static void
count_marks(size_t *marked, size_t *others)
{
	struct buf lines = BUF_INIT(TEXT_MAX);

	*marked = *others = 0;
	rest_rig_lines(&lines);
	for (const char *at = lines.data; at != NULL && *at != '\0';) {
		const char *nl = strchr(at, '\n');
		struct line line;

		ck_assert_int_eq(line_parse(at, (size_t)(nl - at), &line), 0);
		if (via_known(line.via) != NULL)
			++*marked;
		else
			++*others;
		at = nl + 1;
	}
	buf_release(&lines);
}

static void
read_spans(void)
{
	const int64_t now = clock_now();
	size_t marked, others;
	char *cursor;

	add(12, CLOCK_DAY + CLOCK_HOUR, 7 * CLOCK_MINUTE);
	add(5, CLOCK_DAY + 2 * CLOCK_HOUR, 0);
	vendor_fail(t.vendor, VENDOR_FAILED, 2, 2);
	backfill(now - 2 * CLOCK_DAY, now);
	vendor_fail(t.vendor, VENDOR_NONE, 0, 0);
	expect_same("a backfill");
	backfill(now - 2 * CLOCK_DAY, now);
	expect_same("the same again");
	count_marks(&marked, &others);
	ck_assert_uint_gt(marked, 0);
	ck_assert_uint_eq(others, 0);
	cursor = feed_cursor(rest_rig.stream.feed);
	ck_assert_str_eq(cursor, "");
	free(cursor);
}

/* What is read beside the polls is marked and leaves their cursor alone, and
 * comes once, whatever fails. */
START_TEST(a_span)
{
	const bool bounded = _i >= count_streams(SCRIPTS);
	size_t n = (size_t)(bounded ? _i - count_streams(SCRIPTS) : _i);
	char *path = script_of(bounded ? BOUNDED : SCRIPTS, &n);
	const char *name = strrchr(path, '/') + 1;
	char *type = xstrndup(name, strlen(name) - strlen(".yaml"));
	struct source_bounds b = { .kept = 0 };
	const char *why;

	memset(&t, 0, sizeof(t));
	rest_rig_begin();
	t.vendor = vendor_start(path, n, 0);
	load_config(type);
	open_all();
	why = rest_rig.source.type->bounds(rest_rig.source.conf,
	    rest_rig.stream.name, &b);
	ck_assert(why == NULL ||
	    (stream_def()->cursor.kind != CURSOR_WINDOW &&
		stream_def()->bounded == NULL));
	if (why == NULL) {
		ck_assert_int_gt(b.kept, 0);
		ck_assert_int_gt(b.step, 0);
	}
	if (why == NULL &&
	    (bounded || stream_def()->cursor.kind == CURSOR_WINDOW))
		read_spans();
	rest_rig_close();
	vendor_stop(t.vendor);
	rest_rig_end();
	free(type);
	free(path);
}
END_TEST

Suite *
suite_rest(void)
{
	Suite *s = suite_create("rest");
	TCase *tc = tcase_create("rest");

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, links);
	tcase_add_test(tc, lateness);
	tcase_add_loop_test(tc, a_stream, 0, count_streams(SCRIPTS));
	tcase_add_loop_test(tc, a_span, 0,
	    count_streams(SCRIPTS) + count_streams(BOUNDED));
	suite_add_tcase(s, tc);
	return s;
}
