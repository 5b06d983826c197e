/*
 * test_clock.c - how times are read and written.
 */
#include <string.h>

#include "base/clock.h"
#include "tests/unit/unit.h"

static const struct {
	const char *text;
	int64_t when;
} good[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1970-01-01", 0 },
	{ "2000-02-29T12:00Z", INT64_C(951825600000000) },
	{ "2026-11-22T04:26:58.123456Z", INT64_C(1795321618123456) },
	{ "2026-11-22t04:26:58.1234567z", INT64_C(1795321618123456) },
	{ "2026-11-22 04:26:58.123456789+00:00", INT64_C(1795321618123456) },
	{ "2026-11-22T04:26:58", INT64_C(1795321618000000) },
	{ "2026-11-22T04:26:58.5", INT64_C(1795321618500000) },
	{ "2026-11-22T06:56:58+02:30", INT64_C(1795321618000000) },
	{ "2026-11-21T23:26:58-05:00", INT64_C(1795321618000000) },
	{ "2016-12-31T23:59:60Z", INT64_C(1483228799000000) },
	{ "9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999) },
};

static const char *const bad[] = { "", "2026", "2026-11", "2026-13-01",
	"2026-00-01", "2026-01-00", "2026-02-29", "1900-02-29", "1969-12-31",
	"2026-1-01", "2026-11-22T", "2026-11-22T04", "2026-11-22T24:00:00Z",
	"2026-11-22T04:60:00Z", "2026-11-22T04:26:61Z", "2026-11-22T04:26:58.Z",
	"2026-11-22T04:26:58.1234567890Z", "2026-11-22T04:26:58ZZ",
	"2026-11-22T04:26:58 ", "2026-11-22T04:26:58+0200",
	"2026-11-22T04:26:58+24:00", "2026-11-22T04:26:58+02", " 2026-11-22",
	"2026-11-22Z", "+026-11-22", "1970-01-01T00:00:00+00:01",
	"9999-12-31T23:59:59-00:01", "2026-11-22T04:26.5Z" };

static const struct {
	const char *text;
	int64_t when;
} http[] = {
	{ "Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777000000) },
	{ "Sunday, 06-Nov-94 08:49:37 GMT", INT64_C(784111777000000) },
	{ "Sun Nov  6 08:49:37 1994", INT64_C(784111777000000) },
	{ "Wed Nov 16 08:49:37 1994", INT64_C(784975777000000) },
	{ "Sun, 22 Nov 2026 04:26:58 GMT", INT64_C(1795321618000000) },
};

static const char *const http_bad[] = { "", "now", "Sun, 06 Nov 1994 08:49:37",
	"Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 1994 08:49:37 CET",
	"Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nix 1994 08:49:37 GMT",
	"Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT" };

START_TEST(reads_what_vendors_write)
{
	int64_t when = -1;

	ck_assert_int_eq(clock_parse(good[_i].text, strlen(good[_i].text),
			     &when),
	    0);
	ck_assert_int_eq(when, good[_i].when);
}
END_TEST

START_TEST(refuses_what_is_no_time)
{
	int64_t when = 42;

	ck_assert_msg(clock_parse(bad[_i], strlen(bad[_i]), &when) == -1, "%s",
	    bad[_i]);
	ck_assert_int_eq(when, 42);
}
END_TEST

START_TEST(uses_no_byte_behind_the_end)
{
	int64_t when;

	ck_assert_int_eq(clock_parse("2026-11-22T04:26:58", 10, &when), 0);
	ck_assert_int_eq(when, INT64_C(1795305600000000));
	ck_assert_int_eq(clock_parse("2026-11-22T04:26:58", 12, &when), -1);
}
END_TEST

START_TEST(reads_http_dates)
{
	int64_t when = -1;

	ck_assert_msg(clock_parse_http(http[_i].text, &when) == 0, "%s",
	    http[_i].text);
	ck_assert_int_eq(when, http[_i].when);
}
END_TEST

START_TEST(refuses_other_http_dates)
{
	int64_t when = 42;

	ck_assert_msg(clock_parse_http(http_bad[_i], &when) == -1, "%s",
	    http_bad[_i]);
	ck_assert_int_eq(when, 42);
}
END_TEST

START_TEST(every_day_comes_back)
{
	char text[CLOCK_TEXT];
	int64_t when;

	/* 400 years are one period of the calendar. */
	for (int64_t day = 0; day < unit_rounds(146097 + 366); day++) {
		int64_t t = day * CLOCK_DAY + day * 589793 % CLOCK_DAY;
		size_t len = clock_format(t, 6, text);

		/* An assertion is a system call, also where it holds. */
		if (len != strlen(text) || clock_parse(text, len, &when) != 0 ||
		    when != t)
			ck_abort_msg("%s", text);
	}
}
END_TEST

START_TEST(writes_with_and_without_fraction)
{
	const int64_t t = INT64_C(1795321618123456);
	char text[CLOCK_TEXT];

	ck_assert_uint_eq(clock_format(t, 0, text), 20);
	ck_assert_str_eq(text, "2026-11-22T04:26:58Z");
	ck_assert_uint_eq(clock_format(t, 3, text), 24);
	ck_assert_str_eq(text, "2026-11-22T04:26:58.123Z");
	ck_assert_uint_eq(clock_format(t, 6, text), 27);
	ck_assert_str_eq(text, "2026-11-22T04:26:58.123456Z");
	clock_format(INT64_MIN, 0, text);
	ck_assert_str_eq(text, "1970-01-01T00:00:00Z");
	clock_format(INT64_MAX, 6, text);
	ck_assert_str_eq(text, "9999-12-31T23:59:59.999999Z");
}
END_TEST

START_TEST(clocks_go)
{
	int64_t before = clock_monotonic();

	ck_assert_int_ge(clock_monotonic(), before);
	/* 2020: any machine that builds this is set later. */
	ck_assert_int_gt(clock_now(), INT64_C(1577836800000000));
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *
suite_clock(void)
{
	Suite *s = suite_create("clock");
	TCase *tc = tcase_create("clock");

	tcase_add_loop_test(tc, reads_what_vendors_write, 0, COUNT(good));
	tcase_add_loop_test(tc, refuses_what_is_no_time, 0, COUNT(bad));
	tcase_add_test(tc, uses_no_byte_behind_the_end);
	tcase_add_loop_test(tc, reads_http_dates, 0, COUNT(http));
	tcase_add_loop_test(tc, refuses_other_http_dates, 0, COUNT(http_bad));
	tcase_add_test(tc, every_day_comes_back);
	tcase_add_test(tc, writes_with_and_without_fraction);
	tcase_add_test(tc, clocks_go);
	suite_add_tcase(s, tc);
	return s;
}
