/*
 * test_server_clock.c - one Date proves nothing.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "http/client.h"
#include "http/server_clock.h"
#include "tests/unit/unit.h"

/* A reply comes so long after the test began, with a Date that is so far ahead
 * of the local clock. */
static void
hear(struct server_clock *c, int64_t after, int64_t ahead)
{
	struct http_reply r = { .status = 200,
		.date = clock_now() + after + ahead,
		.date_at = clock_monotonic() + after };

	server_clock_hear(c, &r);
}

/* Whether the clock is that far ahead, but for a few seconds. */
static bool
is_ahead(struct server_clock *c, int64_t want)
{
	int64_t skew = server_clock_skew(c) - want;

	return skew < 3 * CLOCK_SECOND && skew > -3 * CLOCK_SECOND;
}

START_TEST(two_witnesses_are_believed_at_once)
{
	struct server_clock *c = server_clock_new();

	ck_assert(!server_clock_known(c));
	hear(c, 0, 2 * CLOCK_MINUTE);
	ck_assert(server_clock_known(c));
	ck_assert(server_clock_dated(c));
	ck_assert(is_ahead(c, 2 * CLOCK_MINUTE));
	server_clock_free(c);
}
END_TEST

/* Forward and back, by years and by hours, at first and later. */
START_TEST(a_jump_is_not_believed_at_once)
{
	static const int64_t jumps[] = { 9 * CLOCK_DAY, -9 * CLOCK_DAY,
		CLOCK_HOUR, -3650 * CLOCK_DAY };

	for (size_t i = 0; i < 2 * sizeof(jumps) / sizeof(jumps[0]); i++) {
		struct server_clock *c = server_clock_new();
		int64_t jump = jumps[i / 2];

		if (i % 2 == 0)
			hear(c, 0, 0);
		/* Many at once, or a few over a long time, are too little. */
		for (int k = 0; k < 100; k++)
			hear(c, CLOCK_SECOND, jump);
		ck_assert(is_ahead(c, 0));
		ck_assert(server_clock_dated(c) == (i % 2 == 0));
		ck_assert_int_ge(llabs(server_clock_claim(c)),
		    CLOCK_HOUR - CLOCK_MINUTE);
		/* A good one in between begins all anew. */
		hear(c, 5 * CLOCK_SECOND, 0);
		for (int k = 0; k < 4; k++)
			hear(c, CLOCK_MINUTE * (k + 1), jump);
		ck_assert(is_ahead(c, 0));
		hear(c, 5 * CLOCK_MINUTE, jump);
		ck_assert(is_ahead(c, jump));
		/* Back to what the local clock bears out: at once. */
		hear(c, 6 * CLOCK_MINUTE, 0);
		ck_assert(is_ahead(c, 0));
		server_clock_free(c);
	}
}
END_TEST

START_TEST(replies_that_disagree_with_each_other)
{
	struct server_clock *c = server_clock_new();

	for (int k = 0; k < 50; k++)
		hear(c, k * CLOCK_SECOND, (k % 2 == 0 ? 3 : 4) * CLOCK_DAY);
	ck_assert(!server_clock_dated(c));
	ck_assert(is_ahead(c, 0));
	server_clock_free(c);
}
END_TEST

START_TEST(no_date_means_local_time)
{
	struct http_reply r = { .status = 200, .date = INT64_MIN };
	struct server_clock *c = server_clock_new();

	server_clock_hear(c, &r);
	ck_assert(server_clock_known(c));
	ck_assert(!server_clock_dated(c));
	r.status = 0;
	server_clock_hear(c, &r);
	r = (struct http_reply){ .status = 401,
		.date = clock_now() + CLOCK_DAY,
		.date_at = clock_monotonic() };
	server_clock_set(c, &r);
	ck_assert(is_ahead(c, CLOCK_DAY));
	server_clock_free(c);
}
END_TEST

Suite *
suite_server_clock(void)
{
	Suite *s = suite_create("server_clock");
	TCase *tc = tcase_create("server_clock");

	tcase_add_test(tc, two_witnesses_are_believed_at_once);
	tcase_add_test(tc, a_jump_is_not_believed_at_once);
	tcase_add_test(tc, replies_that_disagree_with_each_other);
	tcase_add_test(tc, no_date_means_local_time);
	suite_add_tcase(s, tc);
	return s;
}
