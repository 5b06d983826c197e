/*
 * test_rate.c - the shared budget of requests, and back-off.
 */
#include "base/clock.h"
#include "http/rate.h"
#include "tests/unit/unit.h"

#define T0 (1000 * CLOCK_SECOND)

/* How many requests pass in one go at now. */
static int
burst(struct rate *r, int64_t now)
{
	int n = 0;

	while (n < 100000 && rate_take(r, now, 0) == 0)
		n++;
	return n;
}

START_TEST(a_full_bucket_and_its_refill)
{
	struct rate *r = rate_new(60, 60);

	ck_assert_int_eq(burst(r, T0), 15);
	ck_assert_int_gt(rate_take(r, T0, 0), 0);
	ck_assert_int_le(rate_take(r, T0, 0), CLOCK_SECOND + 1);
	ck_assert_int_eq(burst(r, T0 + 3 * CLOCK_SECOND), 3);
	rate_free(r);
}
END_TEST

START_TEST(downloads_leave_room_for_listings)
{
	struct rate *r = rate_new(60, 60);

	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(rate_take(r, T0, 5), 0);
	ck_assert_int_gt(rate_take(r, T0, 5), 0);
	ck_assert_int_eq(burst(r, T0), 5);
	rate_free(r);
}
END_TEST

START_TEST(what_may_wait_leaves_half)
{
	struct rate *r = rate_new(60, 60), *small = rate_new(1, 1);
	int n = 0;

	while (rate_take_spare(r, T0) == 0)
		n++;
	ck_assert_int_eq(n, 7);
	ck_assert_int_gt(rate_spare(r, T0), 0);
	ck_assert_int_eq(burst(r, T0), 8);
	/* It asks for no more budget, and gets what nobody wants. */
	ck_assert_double_eq_tol(rate_budget(r), 60, 0.1);
	ck_assert_int_eq(rate_spare(r, T0 + 9 * CLOCK_SECOND), 0);
	/* A bucket that never holds half of more than one. */
	ck_assert_int_gt(rate_take_spare(small, T0), 0);
	rate_free(small);
	rate_free(r);
}
END_TEST

START_TEST(grows_while_nobody_objects)
{
	struct rate *r = rate_new(600, 6000);
	int64_t now = T0;

	for (int i = 0; i < 60; i++, now += CLOCK_SECOND)
		(void)burst(r, now);
	ck_assert_double_eq_tol(rate_budget(r), 6000, 0.1);
	rate_throttled(r, now, now, 0);
	ck_assert_double_eq_tol(rate_budget(r), 4200, 0.1);
	now += 3 * CLOCK_SECOND;
	(void)burst(r, now);
	(void)burst(r, now + CLOCK_SECOND);
	ck_assert_double_eq_tol(rate_budget(r), 4200, 0.1);
	for (int i = 0; i < 50; i++, now += CLOCK_MINUTE)
		rate_throttled(r, now, now, 0);
	ck_assert_double_eq_tol(rate_budget(r), 600, 0.1);
	rate_free(r);
}
END_TEST

START_TEST(a_storm_counts_once)
{
	struct rate *r = rate_new(600, 6000);

	for (int i = 0; i < 50; i++)
		rate_throttled(r, T0 - CLOCK_SECOND, T0 + i, 0);
	ck_assert_int_gt(rate_take(r, T0, 0), 0);
	ck_assert_int_le(rate_take(r, T0, 0), CLOCK_SECOND);
	rate_free(r);
}
END_TEST

START_TEST(the_vendors_pause_is_kept)
{
	struct rate *r = rate_new(600, 6000);

	rate_throttled(r, T0, T0, 30 * CLOCK_SECOND);
	ck_assert_int_eq(rate_take(r, T0 + 10 * CLOCK_SECOND, 0),
	    20 * CLOCK_SECOND);
	ck_assert_int_eq(rate_take(r, T0 + 30 * CLOCK_SECOND, 0), 0);
	rate_free(r);
}
END_TEST

START_TEST(an_outage_opens_the_breaker)
{
	struct rate *r = rate_new(600, 6000);

	for (int i = 0; i < 15; i++)
		rate_bad(r, T0);
	ck_assert_int_eq(rate_take(r, T0, 0), 0);
	rate_bad(r, T0);
	ck_assert_int_gt(rate_take(r, T0, 0), 0);
	rate_good(r);
	rate_bad(r, T0);
	ck_assert_int_eq(rate_take(r, T0 + 2 * CLOCK_SECOND, 0), 0);
	rate_free(r);
}
END_TEST

START_TEST(backoff_doubles_to_its_cap)
{
	for (unsigned n = 0; n < 70; n++) {
		int64_t full = n < 9 ? CLOCK_SECOND << n : 5 * CLOCK_MINUTE;
		int64_t wait = backoff(n, CLOCK_SECOND, 5 * CLOCK_MINUTE);

		ck_assert_int_le(wait, full);
		ck_assert_int_ge(wait, full / 2);
	}
}
END_TEST

Suite *
suite_rate(void)
{
	Suite *s = suite_create("rate");
	TCase *tc = tcase_create("rate");

	tcase_add_test(tc, a_full_bucket_and_its_refill);
	tcase_add_test(tc, downloads_leave_room_for_listings);
	tcase_add_test(tc, what_may_wait_leaves_half);
	tcase_add_test(tc, grows_while_nobody_objects);
	tcase_add_test(tc, a_storm_counts_once);
	tcase_add_test(tc, the_vendors_pause_is_kept);
	tcase_add_test(tc, an_outage_opens_the_breaker);
	tcase_add_test(tc, backoff_doubles_to_its_cap);
	suite_add_tcase(s, tc);
	return s;
}
