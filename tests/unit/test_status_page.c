/*
 * test_status_page.c - the status page, and the past that its lines show.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "config/config.h"
#include "sources/source.h"
#include "tests/unit/unit.h"
#include "watch/history.h"
#include "watch/page.h"
#include "watch/status.h"
#include "watch/verdict.h"

#define NOW INT64_C(1795321618000000)
#define PAGE_MAX (8 << 20)
#define EVIL "</td><script>alert(1)</script>\"'&\x1b[2J\u202e"

static char agent[] = "fra1", path[] = "/nowhere/store.db";
static const struct config config = {
	.agent = { .name = agent, .store = { .path = path } },
};

static struct feed_report feeds[1000];
static struct output_report outputs[1];
static struct trouble troubles[1];
static struct role_report roles[1];
static struct status st;
static struct verdict verdict;
static struct buf page;

static void
begin(void)
{
	memset(feeds, 0, sizeof(feeds));
	for (size_t i = 0; i < 1000; i++) {
		feeds[i].id = (int64_t)i + 1;
		(void)snprintf(feeds[i].tree, sizeof(feeds[i].tree),
		    "tenant%zu/Audit.Exchange", i);
		feeds[i].horizon = NOW - CLOCK_SECOND;
		feeds[i].items_expire = INT64_MAX;
	}
	outputs[0] = (struct output_report){
		.name = "siem", .mode = "relayed", .oldest = NOW
	};
	troubles[0] = (struct trouble){ .subject = "contoso/x",
		.class = "retry",
		.since = NOW - CLOCK_HOUR,
		.until = INT64_MIN };
	roles[0] = (struct role_report){
		.name = "seal", .state = ROLE_WORKS, .since = NOW
	};
	st = (struct status){ .config = &config,
		.now = NOW,
		.life = STATUS_RUNS,
		.roles = { .began = NOW - CLOCK_HOUR,
		    .stopped = REPORT_NEVER,
		    .role = roles,
		    .n = 1 },
		.feeds = feeds,
		.n_feeds = 3,
		.outputs = outputs,
		.n_outputs = 1,
		.troubles = troubles };
	page = (struct buf)BUF_INIT(PAGE_MAX);
}

static void
end(void)
{
	buf_release(&page);
}

static const char *
render(const struct history *h)
{
	buf_clear(&page);
	verdict_of(&st, NULL, &verdict);
	ck_assert_int_eq(page_write(&st, &verdict, h, false, &page), 0);
	verdict_release(&verdict);
	return page.data;
}

static size_t
times(const char *s, const char *what)
{
	size_t n = 0;

	for (; (s = strstr(s, what)) != NULL; s++)
		n++;
	return n;
}

START_TEST(nothing_gets_out_of_its_place)
{
	size_t scripts = times(render(NULL), "<script");
	const char *s;

	ck_assert_uint_eq(scripts, 1);
	(void)strcpy(feeds[0].tree, EVIL);
	(void)strcpy(feeds[1].error, EVIL);
	(void)strcpy(outputs[0].error, EVIL);
	outputs[0].failed = NOW - CLOCK_HOUR;
	(void)strcpy(outputs[0].mode, "<u>");
	(void)strcpy(troubles[0].class, "<i>");
	(void)strcpy(troubles[0].code, "<b>");
	(void)strcpy(troubles[0].subject, EVIL);
	(void)strcpy(troubles[0].text, EVIL);
	troubles[0].stands = true;
	st.n_troubles = 1;
	(void)strcpy(roles[0].how, EVIL);
	s = render(NULL);
	ck_assert_uint_eq(times(s, "<script"), scripts);
	ck_assert_ptr_null(strstr(s, "<b>"));
	ck_assert_ptr_null(strstr(s, "<i>"));
	ck_assert_ptr_null(strstr(s, "<u>"));
	ck_assert_ptr_null(strchr(s, '\x1b'));
	ck_assert_ptr_null(strstr(s, "\u202e"));
	ck_assert_uint_ge(times(s,
			      "&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;"
			      "&quot;&#39;&amp;\\x1b[2J\\xe2\\x80\\xae"),
	    6);
}
END_TEST

START_TEST(the_policy_names_what_stands_there)
{
	const char *p = page_policy();

	ck_assert_ptr_nonnull(strstr(p, "default-src 'none'; "));
	ck_assert_uint_eq(times(p, "'sha256-"), 2);
	ck_assert_ptr_nonnull(strstr(p, "frame-ancestors 'none'"));
	ck_assert_ptr_null(strstr(p, "unsafe"));
	/* Such a policy knows neither. */
	ck_assert_ptr_null(strstr(render(NULL), " style="));
	ck_assert_ptr_null(strstr(page.data, " onclick="));
}
END_TEST

START_TEST(what_it_proves)
{
	const char *s = render(NULL);

	ck_assert_ptr_nonnull(strstr(s, status_proves("relayed")));
	ck_assert_ptr_nonnull(strstr(s, "<dt>Gaps</dt><dd>none"));
	ck_assert_ptr_nonnull(strstr(s, "<dt>seal</dt><dd>works"));
	ck_assert_ptr_null(strstr(s, "<polyline points"));
}
END_TEST

START_TEST(a_thousand_feeds)
{
	struct history *h = history_new();
	const char *s;

	st.n_feeds = 1000;
	(void)strcpy(feeds[777].error, "connection refused");
	for (int i = 0; i < 2 * HISTORY_SAMPLES; i++, st.now += HISTORY_EVERY)
		history_add(h, &st);
	s = render(h);
	ck_assert_uint_eq(times(s, "/Audit.Exchange</bdi>"), 1000);
	ck_assert_uint_eq(times(s, "<details"), 1);
	ck_assert_ptr_nonnull(strstr(s, "950 more feeds"));
	/* The one in trouble is among the first. */
	ck_assert(strstr(s, "tenant777/") < strstr(s, "<details"));
	ck_assert_uint_le(times(s, "<polyline points"), 100);
	ck_assert_uint_le(page.len, 1 << 20);
	history_free(h);
}
END_TEST

START_TEST(a_page_without_a_store)
{
	verdict_without_store(&st, "store.db: no", &verdict);
	ck_assert_int_eq(page_write(&st, &verdict, NULL, true, &page), 0);
	verdict_release(&verdict);
	ck_assert_ptr_nonnull(strstr(page.data, "the store cannot be read"));
	ck_assert_ptr_null(strstr(page.data, "id=\"feeds\""));
	page.ceiling = 1000;
	buf_clear(&page);
	ck_assert_int_eq(page_write(&st, &verdict, NULL, true, &page), -1);
}
END_TEST

START_TEST(the_past_is_kept)
{
	struct history *h = history_new();
	float v[HISTORY_SAMPLES];

	ck_assert_uint_eq(history_read(h, 1, HISTORY_LAG, v), 0);
	feeds[0].horizon = NOW - 3 * CLOCK_SECOND;
	feeds[0].size = 100;
	feeds[1].horizon = REPORT_NEVER;
	history_add(h, &st);
	st.now += HISTORY_EVERY;
	feeds[0].size = 150;
	history_add(h, &st);
	ck_assert_uint_eq(history_read(h, 1, HISTORY_LAG, v), 2);
	ck_assert_float_eq(v[0], 3);
	ck_assert_float_eq(v[1], 13);
	ck_assert_uint_eq(history_read(h, 1, HISTORY_RATE, v), 2);
	ck_assert_float_eq(v[0], -1);
	ck_assert_float_eq(v[1], 5);
	ck_assert_uint_eq(history_read(h, 2, HISTORY_LAG, v), 2);
	ck_assert_float_eq(v[1], -1);
	for (int i = 0; i < 2 * HISTORY_SAMPLES; i++) {
		st.now += HISTORY_EVERY;
		feeds[0].size += 10;
		history_add(h, &st);
	}
	ck_assert_uint_eq(history_read(h, 1, HISTORY_RATE, v), HISTORY_SAMPLES);
	ck_assert_float_eq(v[0], 1);
	ck_assert_float_eq(v[HISTORY_SAMPLES - 1], 1);
	/* A feed that is gone is forgotten. */
	st.n_feeds = 1;
	history_add(h, &st);
	ck_assert_uint_eq(history_read(h, 2, HISTORY_LAG, v), 0);
	history_free(h);
}
END_TEST

Suite *
suite_status_page(void)
{
	Suite *s = suite_create("status_page");
	TCase *tc = tcase_create("status_page");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, nothing_gets_out_of_its_place);
	tcase_add_test(tc, the_policy_names_what_stands_there);
	tcase_add_test(tc, what_it_proves);
	tcase_add_test(tc, a_thousand_feeds);
	tcase_add_test(tc, a_page_without_a_store);
	tcase_add_test(tc, the_past_is_kept);
	suite_add_tcase(s, tc);
	return s;
}
