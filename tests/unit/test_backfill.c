/*
 * test_backfill.c - spans that are to be read again, in the store.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/backfill.h"
#include "store/report.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define FEED "v/audit"

static char dir[64], path[128];
static struct store *s;
static struct err err;

static void
begin(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	s = store_help_open(path, STORE_DURABLE);
}

static void
end(void)
{
	store_close(s);
	store_help_end(dir);
}

static struct backfill
span(const char *feed, int64_t from, int64_t to)
{
	struct backfill b = { .from = from, .to = to };

	(void)snprintf(b.feed, sizeof(b.feed), "%s", feed);
	return b;
}

START_TEST(asked_for_once)
{
	struct backfill b = span(FEED, 10, 20), again = b;
	struct backfill other = span(FEED, 10, 21), next;

	ck_assert_int_eq(backfill_any(s, &err), 0);
	ck_assert_int_eq(backfill_add(s, &b, &err), 0);
	ck_assert_int_eq(b.reached, 10);
	ck_assert_int_eq(b.begun, INT64_MIN);
	ck_assert_int_eq(backfill_add(s, &again, &err), 0);
	ck_assert_int_eq(again.id, b.id);
	ck_assert_int_eq(backfill_add(s, &other, &err), 0);
	ck_assert_int_ne(other.id, b.id);
	ck_assert_int_eq(backfill_any(s, &err), 1);
	ck_assert_int_eq(backfill_next(s, "v", &next, &err), 1);
	ck_assert_int_eq(next.id, b.id);
	/* No prefix of a name is one. */
	ck_assert_int_eq(backfill_next(s, "va", &next, &err), 0);
	ck_assert_int_eq(backfill_next(s, "", &next, &err), 0);
	ck_assert_int_eq(backfill_of(s, FEED, &next, &err), 1);
	ck_assert_int_eq(next.id, b.id);
	ck_assert_int_eq(backfill_of(s, "v/other", &next, &err), 0);
	ck_assert_int_eq(next.id, 0);
}
END_TEST

START_TEST(lives_until_it_ends)
{
	struct backfill b = span(FEED, 10, 20), got;

	ck_assert_int_eq(backfill_add(s, &b, &err), 0);
	b.reached = 15;
	b.begun = 7;
	(void)snprintf(b.error, sizeof(b.error), "throttled");
	ck_assert_int_eq(backfill_move(s, &b, &err), 0);
	/* As after a crash. */
	store_close(s);
	s = store_help_open(path, STORE_DURABLE);
	ck_assert_int_eq(backfill_next(s, "v", &got, &err), 1);
	ck_assert_int_eq(got.reached, 15);
	ck_assert_int_eq(got.begun, 7);
	ck_assert_str_eq(got.error, "throttled");
	ck_assert_int_eq(backfill_end(s, b.id, "complete", "", &err), 0);
	ck_assert_int_eq(backfill_next(s, "v", &got, &err), 0);
	/* What has ended stays so. */
	ck_assert_int_eq(backfill_end(s, b.id, "refused", "why", &err), 0);
	ck_assert_int_eq(backfill_get(s, b.id, &got, &err), 1);
	ck_assert_str_eq(got.how, "complete");
	ck_assert_str_eq(got.error, "");
	ck_assert_int_eq(backfill_add(s, &b, &err), 0);
	ck_assert_int_ne(b.id, got.id);
}
END_TEST

START_TEST(counts_what_came)
{
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	struct backfill b = span(FEED, 10, 20);
	struct feed_report r;
	const struct listed item = { "k", "u", 1, clock_now() + CLOCK_DAY };

	ck_assert_int_eq(backfill_add(s, &b, &err), 0);
	store_help_add(p, "a", "{\"n\":1}");
	(void)store_help_commit(p);
	write_batch_via(p, VIA_BACKFILL);
	write_batch_listed(p, &item);
	store_help_add(p, "a", "{\"n\":1}");
	store_help_add(p, "b", "{\"n\":2}");
	store_help_add(p, "c", "{\"n\":3}");
	(void)store_help_commit(p);
	ck_assert_int_eq(backfill_get(s, b.id, &b, &err), 1);
	ck_assert_uint_eq(b.events, 2);
	ck_assert_uint_eq(b.repeats, 1);
	ck_assert_uint_eq(b.open, 1);
	write_batch_free(p);
	feed_close(f);
	ck_assert_int_eq(report_feed(s, 0, &r, &err), 1);
	ck_assert_uint_eq(r.count[FEED_BACKFILLED], 2);
	ck_assert_uint_eq(r.items, 0);
	ck_assert_int_eq(r.backfill.id, b.id);
}
END_TEST

START_TEST(its_news_are_told_once)
{
	struct backfill b = span(FEED, 10, 20), got;
	int64_t at = 0;
	bool ended;

	ck_assert_int_eq(backfill_add(s, &b, &err), 0);
	ck_assert_int_eq(backfill_end(s, b.id, "cancelled", "", &err), 0);
	ck_assert_int_eq(backfill_news(s, &at, &got, &ended, &err), 1);
	ck_assert(!ended);
	ck_assert_str_eq(got.feed, FEED);
	ck_assert_int_eq(backfill_news(s, &at, &got, &ended, &err), 1);
	ck_assert(ended);
	ck_assert_str_eq(got.how, "cancelled");
	ck_assert_int_eq(backfill_news(s, &at, &got, &ended, &err), 0);
	ck_assert_int_eq(backfill_told(s, at, &err), 0);
	at = 0;
	ck_assert_int_eq(backfill_news(s, &at, &got, &ended, &err), 0);
}
END_TEST

Suite *
suite_backfill(void)
{
	Suite *suite = suite_create("backfill");
	TCase *tc = tcase_create("backfill");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, asked_for_once);
	tcase_add_test(tc, lives_until_it_ends);
	tcase_add_test(tc, counts_what_came);
	tcase_add_test(tc, its_news_are_told_once);
	suite_add_tcase(suite, tc);
	return suite;
}
