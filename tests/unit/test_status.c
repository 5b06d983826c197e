/*
 * test_status.c - how a status reads.
 */
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cmd/columns.h"
#include "cmd/status.h"
#include "cmd/table.h"
#include "config/config.h"
#include "sources/source.h"
#include "tests/unit/unit.h"
#include "watch/status_json.h"

/* 2026-11-22T04:26:58Z */
#define NOW INT64_C(1795321618000000)

static void
define(const void *conf, struct source_definition *d)
{
	(void)conf;
	static const char *const streams[] = { "Audit.Exchange", NULL };

	*d = (struct source_definition){ .streams = streams,
		.retention = 7 * CLOCK_DAY };
}

static const struct source_type vendor = {
	.type.name = "vendor",
	.define = define,
};

static char agent[] = "fra1", path[] = "/var/lib/sealfeed/store.db";
static char source_name[] = "contoso";
static struct config_entry sources[] = {
	{ .name = source_name, .type = &vendor.type },
};
static struct config_entry output_entries[] = {
	{ .name = source_name, .type = &vendor.type },
};
static const struct config config = {
	.agent = { .name = agent, .store = { .path = path } },
	.sources = sources,
	.n_sources = 1,
	.outputs = output_entries,
	.n_outputs = 1,
};

static const struct feed_report exchange = {
	.id = 1,
	.name = "contoso/Audit.Exchange",
	.tree = "contoso/Audit.Exchange",
	.size = 1234567,
	.sealed = 1234560,
	.count = { [FEED_REQUESTS] = 99, [FEED_DUPLICATES] = 12 },
	.due = NOW + 13 * CLOCK_SECOND,
	.success = NOW - 2 * CLOCK_SECOND,
	.failure = REPORT_NEVER,
	.horizon = NOW - 3 * CLOCK_SECOND,
	.committed = NOW - 2 * CLOCK_SECOND,
	.newest = NOW - CLOCK_HOUR,
	.items_expire = INT64_MAX,
	.recent = 600,
	.retention = 7 * CLOCK_DAY,
};

static const struct feed_report own = {
	.id = 2,
	.name = "fra1/agent",
	.tree = "fra1/agent",
	.size = 3,
	.sealed = 3,
	.due = REPORT_NEVER,
	.success = REPORT_NEVER,
	.failure = REPORT_NEVER,
	.horizon = REPORT_NEVER,
	.committed = NOW - CLOCK_MINUTE,
	.newest = REPORT_NEVER,
	.items_expire = INT64_MAX,
};

static const struct output_report siem = {
	.name = "siem",
	.mode = "confirmed",
	.backlog_events = 4,
	.oldest = NOW - 5 * CLOCK_SECOND,
	.moved = NOW - CLOCK_SECOND,
	.count = { [OUTPUT_EVENTS] = 1234563 },
	.failed = REPORT_NEVER,
	.recent = 3,
};

/* A status of copies, which a test spoils. */
static struct feed_report feeds[2];
static struct output_report outputs[1];
static struct status_view view;
#define st (view.st)
static struct status_look look;

static void
begin(void)
{
	look = (struct status_look){ .width = TABLE_WIDTH };
	feeds[0] = exchange;
	feeds[1] = own;
	outputs[0] = siem;
	st = (struct status){
		.config = &config,
		.now = NOW,
		.life = STATUS_RUNS,
		.roles = { .began = NOW - 4 * CLOCK_HOUR,
		    .stopped = REPORT_NEVER },
		.room = { .used = INT64_C(1) << 30,
		    .max_size = INT64_C(20) << 30,
		    .free = INT64_C(35) << 30,
		    .min_free = INT64_C(1) << 30 },
		.feeds = feeds,
		.n_feeds = 2,
		.outputs = outputs,
		.n_outputs = 1,
	};
}

static struct buf text;

static int
render(struct buf *out)
{
	int rc;

	verdict_of(&st, NULL, &view.verdict);
	rc = status_text(&view, &look, out);
	verdict_release(&view.verdict);
	return rc;
}

/* Whether the text has s; lines are never too wide. */
static bool
says(const char *s)
{
	text = (struct buf)BUF_INIT(STATUS_MAX);
	ck_assert_int_eq(render(&text), 0);
	for (const char *at = text.data; *at != '\0';) {
		size_t n = strcspn(at, "\n");

		ck_assert_uint_le(n, look.width);
		at += n + 1;
	}
	bool found = strstr(text.data, s) != NULL;

	buf_release(&text);
	return found;
}

START_TEST(all_is_well)
{
	struct buf b = BUF_INIT(STATUS_MAX);

	begin();
	ck_assert_int_eq(render(&b), 0);
	ck_assert_str_eq(b.data,
	    "running, all well\n"
	    "sealfeed fra1 at 2026-11-22T04:26:58Z, running for 4 h, 2.0/s "
	    "collected\n"
	    "store: 1 GiB of at most 20 GiB used, 35 GiB free on the disk\n"
	    "gaps: none\n"
	    "retention: unread events are deleted by their vendors in 6d 23h "
	    "at the earliest\n"
	    "\n"
	    "OUTPUT  MODE       BACKLOG  OLDEST   RATE  DELIVERED  DEAD  "
	    "RETRIES\n"
	    "siem    confirmed        4      5s  0.1/s    1234563     0     "
	    "   0\n"
	    "\n"
	    "FEED                     EVENTS   RATE  LISTED  LAG  POLLED  NEXT "
	    "  SEALED\n"
	    "contoso/Audit.Exchange  1234567  2.0/s       0   3s      2s   13s "
	    " 1234560\n"
	    "fra1/agent                    3    0/s       0    -       -     - "
	    "       3\n");
	buf_release(&b);
}
END_TEST

START_TEST(troubles_are_said)
{
	begin();
	ck_assert(!says("down"));
	(void)strcpy(feeds[0].error, "the vendor says \x1b[2Jno");
	feeds[0].failure = NOW - 4 * CLOCK_MINUTE;
	feeds[0].items = 5;
	feeds[0].items_expire = NOW + 2 * CLOCK_DAY;
	ck_assert(says("    error 4m ago: the vendor says \\x1b[2Jno\n"
		       "    the vendor deletes the oldest unread events in "
		       "2d\n"));
	(void)strcpy(outputs[0].mode, "unconfirmed");
	(void)strcpy(outputs[0].error, "connection refused");
	outputs[0].failed = NOW - CLOCK_HOUR;
	ck_assert(says("    error for 1h: connection refused\n"
		       "    unconfirmed: the receiver"));
	st.gaps = 5;
	st.gaps_open = 3;
	ck_assert(says("gaps: 3; \"sealfeed gaps\" lists them\n"));
	feeds[0].items_expire = NOW - CLOCK_MINUTE;
	ck_assert(says("vendor may have deleted unread events"));
	feeds[1].committed = NOW - 12 * CLOCK_MINUTE;
	ck_assert(says("no heartbeat of collect for 12 min"));
	feeds[0].closed = true;
	ck_assert(says("an earlier tree"));
}
END_TEST

/* How often the text has s. */
static int
times(const char *s)
{
	int n = 0;

	text = (struct buf)BUF_INIT(STATUS_MAX);
	ck_assert_int_eq(render(&text), 0);
	for (const char *at = text.data; (at = strstr(at, s)) != NULL; at++)
		n++;
	buf_release(&text);
	return n;
}

/* One cause of many is told once, with the names of the first. */
START_TEST(one_cause_of_many)
{
	static struct trouble many[40];

	begin();
	for (int i = 0; i < 40; i++) {
		many[i] = (struct trouble){ .class = "credentials",
			.code = "invalid_client",
			.text = "the secret is wrong",
			.since = NOW - CLOCK_MINUTE,
			.stands = true };
		(void)snprintf(many[i].subject, sizeof(many[i].subject),
		    "c/feed%02d", i);
	}
	st.troubles = many;
	st.n_troubles = 40;
	/* In the verdict, and in the table. */
	ck_assert_int_eq(times("the secret is wrong"), 2);
	ck_assert_int_eq(times("the same of 39 others: c/feed01, c/feed02, "),
	    2);
	ck_assert_int_eq(times(" and 33 more\n"), 2);
	ck_assert(says("c/feed00 stands still for 1 min (39 more): the "
		       "secret "));
	ck_assert(!says("\nand "));
	/* Another cause stands beside it. */
	(void)strcpy(many[7].text, "the consent is missing");
	ck_assert_int_eq(times("the consent is missing"), 2);
	ck_assert_int_eq(times("the same of 38 others: "), 2);
	st.n_troubles = 2;
	ck_assert_int_eq(times("the same of c/feed01\n"), 2);
	/* Causes are bounded, and so are their lines. */
	st.n_troubles = 40;
	for (int i = 0; i < 40; i++)
		(void)snprintf(many[i].text, sizeof(many[i].text), "cause %d",
		    i);
	ck_assert(says("\nand 32 more\n"));
}
END_TEST

START_TEST(one_error_of_many_feeds)
{
	begin();
	for (int i = 0; i < 2; i++) {
		(void)strcpy(feeds[i].error, "the vendor says no");
		feeds[i].failure = NOW - CLOCK_MINUTE;
	}
	ck_assert(says("error 1m ago: the vendor says no\n"));
	ck_assert(says("error 1m ago: the same as contoso/Audit.Exchange\n"));
	(void)strcpy(feeds[1].error, "the vendor says never");
	ck_assert(says("error 1m ago: the vendor says never\n"));
}
END_TEST

START_TEST(a_full_store_names_the_deadline)
{
	begin();
	look.width = 100;
	st.room.full = st.room.by_size = true;
	st.room.used = st.room.max_size;
	feeds[1].committed = NOW - 12 * CLOCK_MINUTE;
	ck_assert(says("The store is full: agent.store.max_size is 20 GiB. "
		       "Collecting pauses"));
	ck_assert(says("turns this into a gap in 6d 23h.\n"));
	st.room.by_size = false;
	st.room.free = 1 << 20;
	ck_assert(says("its disk has 1 MiB free, and 1 GiB must stay free "
		       "(agent.store.min_free)."));
}
END_TEST

/* As wide as it may be, with names that are as long as they may be. */
START_TEST(every_width_is_kept)
{
	static const size_t widths[] = { 40, 60, 80, 100, 132, 250 };

	begin();
	for (size_t i = 0; i < sizeof(feeds[0].tree) - 1; i++)
		feeds[0].tree[i] = "Audit."[i % 6];
	feeds[0].size = feeds[0].sealed = feeds[0].count[FEED_DUPLICATES] =
	    INT64_C(123456789012);
	(void)strcpy(feeds[0].error,
	    "\xe7\x9b\xa3\xe6\x9f\xbb "
	    "\xe7\x9b\xa3\xe6\x9f\xbb\xf0\x9f\x94\x92 no");
	memset(outputs[0].name, 'x', sizeof(outputs[0].name) - 1);
	(void)strcpy(outputs[0].error, feeds[0].error);
	outputs[0].failed = NOW - CLOCK_HOUR;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		struct buf b = BUF_INIT(STATUS_MAX);
		char *save = NULL;

		look.width = widths[i];
		ck_assert_int_eq(render(&b), 0);
		for (char *s = strtok_r(b.data, "\n", &save);
		     s != NULL && widths[i] >= 80;
		     s = strtok_r(NULL, "\n", &save))
			ck_assert_msg(columns_of(s) <= widths[i], "%zu: %s",
			    widths[i], s);
		buf_release(&b);
	}
}
END_TEST

START_TEST(colours_are_asked_for)
{
	begin();
	outputs[0].error[0] = 'x';
	outputs[0].failed = NOW - CLOCK_HOUR;
	ck_assert(!says("\033"));
	look.colours = true;
	look.width = 200;
	ck_assert(says("\033[31m"
		       "siem blocked for 1 h: x\033[0m\n"));
	ck_assert(says("\033[1mFEED "));
}
END_TEST

START_TEST(feeds_are_ordered)
{
	begin();
	feeds[1].recent = 900;
	ck_assert(says("\ncontoso/Audit.Exchange  1234567  2.0/s       0   3s  "
		       "    2s   13s  1234560\nfra1"));
	look.order = ORDER_RATE;
	ck_assert(says("\nfra1/agent                    3  3.0/s       0    -  "
		       "     -     -        3\ncontoso"));
	look.order = ORDER_NAME;
	ck_assert(says("1234560\nfra1"));
}
END_TEST

START_TEST(a_plugin_has_one_line)
{
	struct limits limits;
	struct buf b = BUF_INIT(10000);

	begin();
	limits_default(&limits);
	(void)strcpy(outputs[0].error, "a | b 'c'\nd");
	outputs[0].failed = NOW - CLOCK_HOUR;
	outputs[0].dead_letters = 2;
	verdict_of(&st, &limits, &view.verdict);
	ck_assert_int_eq(status_check_line(&view, &limits, &b), 0);
	ck_assert_str_eq(b.data,
	    "SEALFEED CRITICAL - siem blocked for 1 h (1 more): a ! b "
	    "'c'\\x0ad |"
	    " 'lag'=3s;3600;;0; 'delay'=5s;600;3600;0; 'backlog'=4;;;0;"
	    " 'horizon'=604797s;86400:;3600:;0; 'store'=5%;80;95;0;100"
	    " 'gaps'=0;1;;0; 'dead-letters'=2;1;;0; 'certificate'=U "
	    "'rate'=2.0;;;0;"
	    " 'feeds'=2;;;0; 'backlog siem'=4;;;0;\n");
	verdict_release(&view.verdict);
	buf_release(&b);
}
END_TEST

START_TEST(an_empty_store_reads)
{
	begin();
	st.n_feeds = st.n_outputs = 0;
	ck_assert(says("Nothing has been collected yet.\n"));
}
END_TEST

static const char *
text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

START_TEST(json_has_base_units)
{
	struct buf b = BUF_INIT(STATUS_MAX);
	json_t *root, *feed, *output;

	begin();
	(void)strcpy(outputs[0].error, "a \"quoted\" word");
	outputs[0].failed = NOW;
	verdict_of(&st, NULL, &view.verdict);
	ck_assert_int_eq(status_json(&st, &view.verdict, &b), 0);
	verdict_release(&view.verdict);
	ck_assert_ptr_eq(strchr(b.data, '\n'), b.data + b.len - 1);
	root = json_loadb(b.data, b.len, 0, NULL);
	ck_assert_ptr_nonnull(root);
	ck_assert_str_eq(text_of(root, "agent"), "fra1");
	ck_assert(json_is_null(json_object_get(root, "silent_since")));
	feed = json_array_get(json_object_get(root, "feeds"), 0);
	ck_assert_str_eq(text_of(feed, "feed"), "contoso/Audit.Exchange");
	ck_assert_int_eq(json_integer_value(json_object_get(feed, "events")),
	    1234567);
	ck_assert_double_eq_tol(json_real_value(json_object_get(feed,
				    "lag_seconds")),
	    3, 1e-9);
	ck_assert_double_eq_tol(json_real_value(json_object_get(feed,
				    "vendor_deletes_seconds")),
	    7 * 86400 - 3, 1e-9);
	ck_assert(json_is_null(json_object_get(feed, "error")));
	ck_assert_str_eq(text_of(feed, "next_poll"),
	    "2026-11-22T04:27:11.000000Z");
	feed = json_array_get(json_object_get(root, "feeds"), 1);
	ck_assert(json_is_null(json_object_get(feed, "lag_seconds")));
	output = json_array_get(json_object_get(root, "outputs"), 0);
	ck_assert_str_eq(text_of(output, "mode"), "confirmed");
	ck_assert_str_eq(text_of(output, "error"), "a \"quoted\" word");
	ck_assert_double_eq_tol(json_real_value(json_object_get(output,
				    "oldest_undelivered_seconds")),
	    5, 1e-9);
	ck_assert(json_is_false(json_object_get(json_object_get(root, "store"),
	    "full")));
	json_decref(root);
	buf_release(&b);
}
END_TEST

Suite *
suite_status(void)
{
	Suite *s = suite_create("status");
	TCase *tc = tcase_create("status");

	tcase_add_test(tc, all_is_well);
	tcase_add_test(tc, troubles_are_said);
	tcase_add_test(tc, one_cause_of_many);
	tcase_add_test(tc, one_error_of_many_feeds);
	tcase_add_test(tc, a_full_store_names_the_deadline);
	tcase_add_test(tc, every_width_is_kept);
	tcase_add_test(tc, colours_are_asked_for);
	tcase_add_test(tc, feeds_are_ordered);
	tcase_add_test(tc, a_plugin_has_one_line);
	tcase_add_test(tc, an_empty_store_reads);
	tcase_add_test(tc, json_has_base_units);
	suite_add_tcase(s, tc);
	return s;
}
