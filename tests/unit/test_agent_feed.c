/*
 * test_agent_feed.c - the agent's own feed, and that all who tell how feeds
 * do tell the same.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/role.h"
#include "config/config.h"
#include "sources/agent_feed.h"
#include "store/batch.h"
#include "store/feed.h"
#include "store/report.h"
#include "store/store.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"
#include "watch/metrics.h"
#include "watch/status.h"

static char dir[64];
static char path[128];
static struct err err;
static struct store *s;

static char name[] = "fra1";
static const struct config config = {
	.agent = { .name = name,
	    .store = { .path = path, .max_size = INT64_C(1) << 30 } },
};

static void
set_up(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	err_clear(&err);
	s = store_open(path, STORE_DURABLE, &err);
	ck_assert_msg(s != NULL, "%s", err.text);
}

static void
tear_down(void)
{
	store_close(s);
	store_help_end(dir);
}

/* The value of a feed's sample in what a scraper gets. */
static double
sampled(const char *sample)
{
	const struct role role = { .config = &config };
	struct buf page = BUF_INIT(1 << 20);
	const char *at;
	double value;

	ck_assert_int_eq(metrics_write(s, &role, &page, &err), 0);
	at = strstr(page.data, sample);
	ck_assert_ptr_nonnull(at);
	value = strtod(at + strlen(sample), NULL);
	buf_release(&page);
	return value;
}

static double
told(const char *key)
{
	int64_t after = 0;
	json_t *feeds = agent_feed_counts(s, &after, &err);
	double value;

	ck_assert_ptr_nonnull(feeds);
	value =
	    json_number_value(json_object_get(json_array_get(feeds, 0), key));
	json_decref(feeds);
	return value;
}

/* All feeds are told, however many there are, each once. */
START_TEST(many_feeds_take_several_events)
{
	size_t n = 0, events = 0, size;
	int64_t after = 0;
	json_t *feeds;

	for (int i = 0; i < 250; i++) {
		char *many = xasprintf("contoso/%d", i);

		feed_close(feed_open(s, many, 0, &err));
		free(many);
	}
	do {
		feeds = agent_feed_counts(s, &after, &err);
		ck_assert_ptr_nonnull(feeds);
		size = json_array_size(feeds);
		ck_assert_uint_le(size, 100);
		n += size;
		events += size > 0;
		json_decref(feeds);
	} while (size > 0);
	ck_assert_uint_eq(n, 250);
	ck_assert_uint_eq(events, 3);
}
END_TEST

START_TEST(all_tell_the_same_lag)
{
	struct feed *f = feed_open(s, "contoso/DLP.All", 0, &err);
	struct status st = { .now = 0 };
	double lag;

	feed_state(f, clock_now() + CLOCK_MINUTE, NULL,
	    clock_now() - CLOCK_HOUR);
	ck_assert_int_eq(status_read(s, &config, &st, &err), 0);
	lag = (double)report_lag(&st.feeds[0], st.now) / CLOCK_SECOND;
	ck_assert_double_eq_tol(lag, 3600, 30);
	ck_assert_double_eq_tol(told("lag_seconds"), lag, 30);
	ck_assert_double_eq_tol(sampled("\nsealfeed_feed_lag_seconds"
					"{feed=\"contoso/DLP.All\"} "),
	    lag, 30);

	/* What the vendor's clock was ahead is no debt. */
	feed_state(f, clock_now() + CLOCK_MINUTE, NULL,
	    clock_now() + CLOCK_HOUR);
	ck_assert_double_eq(told("lag_seconds"), 0);
	ck_assert_double_eq(sampled("\nsealfeed_feed_lag_seconds"
				    "{feed=\"contoso/DLP.All\"} "),
	    0);
	status_release(&st);
	feed_close(f);
}
END_TEST

/* batch_fn: the lines of a batch into a buffer. */
static int
add_lines(void *ctx, const struct batch *b, struct err *why)
{
	struct gzip *g = gzip_new();
	int rc = gzip_unpack(g, b->payload.data, b->payload.len, ctx, why);

	gzip_free(g);
	return rc;
}

START_TEST(seconds_are_short)
{
	static const struct {
		int64_t span;
		const char *text;
	} cases[] = {
		{ 5668000, ":5.668" },
		{ 100000, ":0.1" },
		{ 2999999, ":2.999" },
		{ 15 * CLOCK_SECOND, ":15.0" },
		{ 0, ":0.0" },
		{ 1000 * CLOCK_DAY * 365 + 1000, ":31536000000.001" },
		{ INT64_MIN, ":null" },
	};
	struct agent_feed *a = agent_feed_open(s, name, &err);
	struct buf lines = BUF_INIT(1 << 20);
	json_t *spans = json_object();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char key[2] = { (char)('a' + i), '\0' };

		(void)json_object_set_new(spans, key,
		    agent_feed_seconds(cases[i].span));
	}
	agent_feed_say(a, "spans", spans);
	ck_assert_int_eq(agent_feed_flush(a, &err), 1);
	ck_assert_int_eq(store_help_seal(s, &err), 1);
	ck_assert_int_eq(batch_walk(s, NULL, add_lines, &lines, &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[64];

		(void)snprintf(want, sizeof(want), "\"%c\"%s%c",
		    (char)('a' + i), cases[i].text,
		    cases[i].span == INT64_MIN ? '}' : ',');
		ck_assert_msg(strstr(lines.data, want) != NULL, "%s: %s", want,
		    lines.data);
	}
	buf_release(&lines);
	agent_feed_close(a);
}
END_TEST

Suite *
suite_agent_feed(void)
{
	Suite *suite = suite_create("agent_feed");
	TCase *tc = tcase_create("agent_feed");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, seconds_are_short);
	tcase_add_test(tc, all_tell_the_same_lag);
	tcase_add_test(tc, many_feeds_take_several_events);
	suite_add_tcase(suite, tc);
	return suite;
}
