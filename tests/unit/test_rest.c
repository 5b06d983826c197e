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
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/node.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "run/types.h"
#include "sources/rest/decode.h"
#include "sources/rest/rest.h"
#include "sources/rest/rest_private.h"
#include "store/batch.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/lateness.h"
#include "store/line.h"
#include "store/via.h"
#include "tests/lib/vendor.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define SCRIPTS VECTORS "source/"
#define BOUNDED VECTORS "bounded/"
#define TEXT_MAX (16 << 20)
#define POLLS 400
#define INITIAL (4 * CLOCK_DAY) /* of the source */

static struct {
	char dir[64], path[128], conf[160];
	struct vendor *vendor;
	struct config *config;
	struct store *s;
	struct source source;
	struct stream stream;
	struct worker w;
	struct outcome told;
	unsigned troubles;
	unsigned ids;  /* of events so far */
	unsigned late; /* that were found by sweeps */
} t;
static struct err err;

static bool
never(void *ctx)
{
	(void)ctx;
	return false;
}

/* Nobody waits here: what was to pass by then has passed. */
static bool
rest(void *ctx, int64_t us)
{
	(void)ctx;
	(void)us;
	(void)usleep(1000);
	rate_free(t.source.rate);
	t.source.rate = rate_new(600000, 600000);
	t.stream.hold = 0;
	return true;
}

static void
ignore(void *ctx, struct stream *st)
{
	(void)ctx;
	(void)st;
}

static void
trouble(void *ctx, struct stream *st, const struct outcome *r)
{
	(void)ctx;
	(void)st;
	t.told = *r;
	t.troubles++;
}

/* -- a configuration for the vendor, and its source ------------------------ */

/* "api: URL, login: URL", the hosts that are the vendor. */
static void
put_hosts(struct buf *text)
{
	const struct node *hosts = node_get(vendor_script(t.vendor), "hosts");
	const struct node api = { .text = (char[]){ "api" } };
	int rc = 0;

	for (const struct node *h = hosts != NULL ? hosts->child : &api;
	     h != NULL; h = h->next)
		rc |= buf_addf(text, "%s: \"%s\"%s", h->text,
		    vendor_url(t.vendor), h->next != NULL ? ", " : "");
	ck_assert_int_eq(rc, 0);
}

static void
write_config(const char *type)
{
	const struct node *options =
	    node_get(vendor_script(t.vendor), "source");
	struct buf text = BUF_INIT(65536);
	char *folder = xasprintf("%s/sources.d", t.dir);
	char *link = xasprintf("%s/%s.yaml", folder, type);
	char *file = xasprintf("%sdefinition/%s.yaml", VECTORS, type);
	int rc;

	rc = buf_addf(&text,
	    "agent: { name: a, key: %s/seal.pem }\nsources:\n  v:\n    type: "
	    "\"%s\"\n    initial: 4d\n    hosts: { ",
	    t.dir, type);
	put_hosts(&text);
	rc |= buf_adds(&text, " }\n");
	rc |= yaml_print(options, 4, &text);
	rc |= buf_addf(&text, "outputs: { f: { type: file, path: %s/out } }\n",
	    t.dir);
	ck_assert_int_eq(rc, 0);
	(void)snprintf(t.conf, sizeof(t.conf), "%s/sealfeed.yaml", t.dir);
	ck_assert_int_eq(file_replace(t.conf, text.data, text.len, 0600, &err),
	    0);
	/* Its definition is a vector, or ships. */
	if (access(file, F_OK) != 0) {
		free(file);
		file = xasprintf("%s/agent/sources/definitions/%s.yaml", SRCDIR,
		    type);
	}
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	ck_assert_int_eq(symlink(file, link), 0);
	free(folder);
	free(link);
	free(file);
	buf_release(&text);
}

/* What store_help_end() does not expect in its folder. */
static void
remove_definition(const char *type)
{
	char *folder = xasprintf("%s/sources.d", t.dir);
	char *link = xasprintf("%s/%s.yaml", folder, type);

	ck_assert_int_eq(unlink(link), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	free(link);
	free(folder);
}

static void
load_config(const char *type)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;

	write_config(type);
	t.config = config_load(t.conf, &agent_types, &errors);
	for (size_t i = 0; i < errors.n; i++)
		(void)fprintf(stderr, "%s\n", errors.line[i]);
	ck_assert_ptr_nonnull(t.config);
	config_errors_release(&errors);
}

/* Pages of a few rows are full where the script says so. */
static void
page_size(void)
{
	const struct node *full = node_get(vendor_script(t.vendor), "full");
	const struct rest *r = t.source.state;
	struct def_stream *def =
	    (struct def_stream *)(uintptr_t)definition_stream(r->def,
		t.stream.name);

	if (full == NULL)
		return;
	def->page.size = strtol(full->text, NULL, 10);
	vendor_full(t.vendor, (size_t)def->page.size);
}

/* The source as collect opens it, from what the store has. */
static void
open_all(void)
{
	const struct config_entry *e = &t.config->sources[0];
	const char *name = node_get(vendor_script(t.vendor), "stream")->text;
	struct source *s = &t.source;
	char *feed = xasprintf("v/%s", name);

	t.s = store_help_open(t.path, STORE_DURABLE);
	*s = (struct source){ .type = source_type_of(e->type),
		.name = e->name,
		.conf = e->conf,
		.folder = t.dir,
		.rate = rate_new(600000, 600000),
		.clock = server_clock_new(),
		.stop = never,
		.rest = rest,
		.listed = ignore,
		.committed = ignore,
		.trouble = trouble };
	s->type->define(s->conf, &s->definition);
	s->access = http_access_open(s->definition.http, &err);
	ck_assert_ptr_nonnull(s->access);
	ck_assert_msg(s->type->open(s, &err) == 0, "%s", err.text);
	t.stream = (struct stream){ .source = s,
		.name = name,
		.listed = INT64_MIN,
		.feed = store_help_feed(t.s, feed, s->definition.dedupe),
		.state = xcalloc(1, s->definition.stream_size) };
	t.w = (struct worker){ .source = s,
		.stream = &t.stream,
		.http = http_new(s->access, NULL, NULL) };
	page_size();
	free(feed);
}

static void
close_all(void)
{
	struct source *s = &t.source;

	http_free(t.w.http);
	feed_close(t.stream.feed);
	free(t.stream.state);
	s->type->close(s);
	http_access_free(s->access);
	rate_free(s->rate);
	server_clock_free(s->clock);
	store_close(t.s);
}

static struct rest_stream *
state(void)
{
	return *(struct rest_stream **)t.stream.state;
}

static bool
is_window(void)
{
	return state()->def->cursor.kind == CURSOR_WINDOW;
}

/* The whole overlap is due now. */
static void
make_due(void)
{
	if (state() != NULL)
		state()->window.full = 0;
}

/* And so are the sweeps, which cost many requests. */
static void
make_sweeps_due(void)
{
	struct rest_stream *rs = state();

	memset(rs->window.cursor.swept, 0, sizeof(rs->window.cursor.swept));
}

/* Poll once; false: it failed. */
static bool
poll_once(enum poll_next *next)
{
	struct outcome r = { .class = REPLY_OK };

	*next = t.source.type->poll(&t.w, &t.stream, &r);
	if (r.class != REPLY_OK)
		t.told = r;
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
	ck_assert_msg(good == 2, "no end of polls: %s; %s", t.told.text,
	    vendor_complaint(t.vendor) != NULL ? vendor_complaint(t.vendor)
					       : "");
}

/* -- what the store has ---------------------------------------------------- */

static void
read_store(struct buf *out)
{
	struct gzip *g = gzip_new();
	struct batch b;
	int64_t at = 0;

	batch_init(&b);
	while (store_help_seal(t.s, &err) == 1)
		continue;
	while (batch_next_sealed(t.s, at, &b, &err) == 1) {
		at = b.id;
		ck_assert_int_eq(gzip_unpack(g, b.payload.data, b.payload.len,
				     out, &err),
		    0);
	}
	batch_release(&b);
	gzip_free(g);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The events of the store's lines, sorted. */
static char **
events_of(const struct buf *lines, size_t *n)
{
	char **list = xcalloc(1, sizeof(*list));
	const char *at = lines->data, *end = at + lines->len;

	*n = 0;
	while (at != NULL && at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		struct line line;

		ck_assert_ptr_nonnull(nl);
		if (line_parse(at, (size_t)(nl - at), &line) == 0 &&
		    line.kind == LINE_EVENT) {
			list = xreallocarray(list, *n + 1, sizeof(*list));
			list[(*n)++] =
			    xstrndup(line.value.data, line.value.len);
		}
		at = nl + 1;
	}
	qsort(list, *n, sizeof(*list), by_text);
	return list;
}

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
	qsort(list, *n, sizeof(*list), by_text);
	for (size_t i = 0; i < *n; i++)
		if (twins || kept == 0 || strcmp(list[kept - 1], list[i]) != 0)
			list[kept++] = list[i];
	*n = kept;
	return list;
}

static void
expect_same(const char *after)
{
	struct buf lines = BUF_INIT(TEXT_MAX);
	size_t n, wanted;
	const char **theirs = vendor_events(&wanted);
	char **ours;

	read_store(&lines);
	ours = events_of(&lines, &n);
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
	buf_release(&lines);
}

/* -- what happens ---------------------------------------------------------- */

static const struct def_stream *
stream_def(void)
{
	const struct rest *r = t.source.state;

	return definition_stream(r->def, t.stream.name);
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
		vendor_add(t.vendor, id, state()->window.cursor.listed, 1);
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
	close_all();
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
	for (size_t i = 0; state()->spec.sweeps[i].every != 0; i++) {
		const int64_t back = state()->spec.sweeps[i].back;

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
	const struct window_sweep *s = state()->spec.sweeps;

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
	ck_assert_int_le(back, t.source.definition.dedupe);
	if (s->back < INITIAL && 2 * s->back <= stream_def()->retention)
		ck_assert_int_gt(back, s->back);
	catch_up();
	close_all();
	open_all();
	ck_assert_msg(poll_once(&next), "%s", t.told.text);
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
	const int kind = state()->def->page.kind;

	return kind == PAGE_LINK || kind == PAGE_URL || kind == PAGE_URL_HEADER;
}

/* A link to another host is followed by no one, and told of. */
static void
lead_elsewhere(void)
{
	if (!has_urls())
		return;
	t.told = (struct outcome){ .class = REPLY_OK };
	survive("a link to another host", VENDOR_FOREIGN, 0, 2);
	ck_assert_str_eq(t.told.code, "foreign-host");
}

/* What came late was measured as such, and what was there when the feed began
 * was not. */
static void
expect_lateness(const char *name)
{
	int64_t usual, late, sum;

	t.s = store_help_open(t.path, STORE_DURABLE);
	ck_assert_int_eq(db_number(t.s, &err, 0, &usual,
			     "SELECT late_1m + late_2m + late_5m FROM feed",
			     ""),
	    0);
	ck_assert_int_eq(db_number(t.s, &err, 0, &late,
			     "SELECT late_1h + late_4h + late_1d + late_3d + "
			     "late_7d + late_30d FROM feed",
			     ""),
	    0);
	ck_assert_int_eq(db_number(t.s, &err, 0, &sum,
			     "SELECT sum(late_sum) FROM feed", ""),
	    0);
	ck_assert_msg(usual > 0, "%s: no lateness", name);
	ck_assert_msg(sum >= usual * 10, "%s: a sum of %d s", name, (int)sum);
	ck_assert_msg(late == t.late, "%s: %d late ones of %u", name, (int)late,
	    t.late);
	store_close(t.s);
}

static void
play(const char *path, const char *name, size_t stream)
{
	bool days;

	memset(&t, 0, sizeof(t));
	err_clear(&err);
	/* Whether a disk keeps what is durable is not the question here. */
	if (access("/dev/shm", W_OK) == 0)
		ck_assert_int_eq(setenv("TMPDIR", "/dev/shm", 0), 0);
	store_help_begin(t.dir, sizeof(t.dir), t.path, sizeof(t.path));
	t.vendor = vendor_start(path, stream, 0);
	load_config(name);
	open_all();
	add(11, 3 * CLOCK_DAY, CLOCK_HOUR);
	catch_up();
	expect_same("the first events");
	catch_up();
	expect_same("nothing new");
	/* More than three pages have. */
	add(8, CLOCK_MINUTE, 7 * CLOCK_SECOND);
	add(4, CLOCK_MINUTE, 0);
	survive("ties", VENDOR_NONE, 0, 0);
	tie_at_the_bound();
	t.told = (struct outcome){ .class = REPLY_OK };
	survive("a throttled request", VENDOR_THROTTLED, 1, 2);
	ck_assert_msg(t.told.class == REPLY_THROTTLED, "%s: %s", name,
	    t.told.text);
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
	close_all();
	if (!days)
		expect_lateness(name);
	config_free(t.config);
	vendor_stop(t.vendor);
	remove_definition(name);
	store_help_end(t.dir);
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
	const struct source_type *type = t.source.type;
	struct stream own = t.stream;
	struct span span = { from, to };
	unsigned tries = 0;

	own.via = VIA_BACKFILL;
	own.state = xcalloc(1, t.source.definition.stream_size);
	t.w.stream = &own;
	t.w.background = true;
	while (span.from < to && tries < POLLS) {
		struct outcome r = { .class = REPLY_OK };
		int64_t reached = span.from;

		type->backfill(&t.w, &own, &span, &reached, &r);
		if (r.class != REPLY_OK)
			t.told = r;
		ck_assert(r.class != REPLY_OK || reached > span.from);
		span.from = reached;
		tries++;
	}
	ck_assert_msg(span.from == to, "no end: %s; %s", t.told.text,
	    vendor_complaint(t.vendor) != NULL ? vendor_complaint(t.vendor)
					       : "");
	type->forget(&own);
	free(own.state);
	t.w.stream = &t.stream;
	t.w.background = false;
}

/* How many lines have the mark, and how many have not. */
static void
count_marks(size_t *marked, size_t *others)
{
	struct buf lines = BUF_INIT(TEXT_MAX);

	*marked = *others = 0;
	read_store(&lines);
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
	cursor = feed_cursor(t.stream.feed);
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
	err_clear(&err);
	store_help_begin(t.dir, sizeof(t.dir), t.path, sizeof(t.path));
	t.vendor = vendor_start(path, n, 0);
	load_config(type);
	open_all();
	why = t.source.type->bounds(t.source.conf, t.stream.name, &b);
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
	close_all();
	config_free(t.config);
	vendor_stop(t.vendor);
	remove_definition(type);
	store_help_end(t.dir);
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
