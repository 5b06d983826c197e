/*
 * test_window.c - which windows are listed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "sources/common/window.h"
#include "tests/unit/unit.h"

/* 2026-03-29T01:30:00Z: European clocks just went to summer time, which must
 * not matter. */
#define NOW (INT64_C(1774747800) * CLOCK_SECOND)
#define HALF_HOUR (30 * CLOCK_MINUTE)

/* Those of Microsoft 365. */
static const struct window_spec spec = {
	.unit = CLOCK_SECOND,
	.span = CLOCK_DAY,
	.kept = 7 * CLOCK_DAY,
	.late = CLOCK_MINUTE,
	.slack = 5 * CLOCK_MINUTE,
	.ahead = CLOCK_SECOND,
	.settle = 5 * CLOCK_SECOND,
	.initial = CLOCK_DAY,
	.overlap = HALF_HOUR,
	.sweeps = { { "hourly", CLOCK_HOUR, CLOCK_DAY },
	    { "daily", CLOCK_DAY, 7 * CLOCK_DAY } },
	.own = { "started" },
};
#define HOURLY (&spec.sweeps[0])
#define DAILY (&spec.sweeps[1])

START_TEST(cursor_there_and_back)
{
	struct window_cursor a = { .from = NOW,
		.listed = NOW + 5,
		.swept = { NOW + 6, NOW + 7 },
		.own = { NOW + 8 } };
	struct window_cursor b;
	struct buf json = BUF_INIT(1000);

	ck_assert_int_eq(window_cursor_write(&spec, &a, &json), 0);
	ck_assert_str_eq(json.data,
	    "{\"from\":\"2026-03-29T01:30:00.000000Z\","
	    "\"listed_to\":\"2026-03-29T01:30:00.000005Z\","
	    "\"hourly\":\"2026-03-29T01:30:00.000006Z\","
	    "\"daily\":\"2026-03-29T01:30:00.000007Z\","
	    "\"started\":\"2026-03-29T01:30:00.000008Z\"}");
	ck_assert_int_eq(window_cursor_read(&spec, json.data, &b), 0);
	ck_assert_int_eq(memcmp(&a, &b, sizeof(a)), 0);
	ck_assert_int_eq(window_cursor_read(&spec, "", &b), 0);
	ck_assert_int_eq(b.from, 0);
	ck_assert_int_eq(window_cursor_read(&spec, "{}", &b), -1);
	ck_assert_int_eq(window_cursor_read(&spec, "[", &b), -1);
	ck_assert_int_eq(window_cursor_read(&spec, "{\"from\":7}", &b), -1);
	buf_release(&json);
}
END_TEST

START_TEST(a_new_feed)
{
	struct window_cursor c = { .from = 0 };
	struct window w, gap;

	window_cursor_begin(&spec, &c, NOW + 700000, CLOCK_DAY);
	w = window_next(&spec, &c, NOW + 700000, HALF_HOUR, &gap);
	ck_assert_int_eq(w.from, NOW - CLOCK_DAY);
	ck_assert_int_eq(w.to, NOW);
	ck_assert_int_eq(gap.from, gap.to);
	c.listed = window_listed(&spec, &w, NOW);
	ck_assert_int_eq(c.listed, NOW - 5 * CLOCK_SECOND);
	w = window_next(&spec, &c, NOW, HALF_HOUR, &gap);
	ck_assert_int_eq(w.from, NOW - 5 * CLOCK_SECOND - HALF_HOUR);
	ck_assert_int_gt(w.to, NOW);
	ck_assert_int_le(w.to, NOW + 2 * CLOCK_SECOND);
}
END_TEST

START_TEST(seven_days_back_leave_time_for_the_first_call)
{
	struct window_cursor c = { .from = 0 };
	struct window w, gap;

	window_cursor_begin(&spec, &c, NOW, 7 * CLOCK_DAY);
	w = window_next(&spec, &c, NOW + 3 * CLOCK_MINUTE, HALF_HOUR, &gap);
	ck_assert_int_eq(gap.from, gap.to);
	ck_assert_int_ge(w.from, NOW + 3 * CLOCK_MINUTE - 7 * CLOCK_DAY);
	ck_assert_int_eq(w.to - w.from, CLOCK_DAY);
}
END_TEST

/* However long the outage: windows of at most a day, no hole between them,
 * and what fell out of seven days is said exactly. */
START_TEST(after_an_outage)
{
	static const int64_t outages[] = { CLOCK_SECOND, CLOCK_HOUR,
		23 * CLOCK_HOUR, CLOCK_DAY, CLOCK_DAY + CLOCK_SECOND,
		3 * CLOCK_DAY, 7 * CLOCK_DAY, 30 * CLOCK_DAY };
	static const int64_t overlaps[] = { 0, CLOCK_SECOND, HALF_HOUR,
		23 * CLOCK_HOUR };

	for (size_t i = 0; i < sizeof(outages) / sizeof(outages[0]); i++)
		for (size_t k = 0; k < 4; k++) {
			struct window_cursor c = { .from = NOW - 60 * CLOCK_DAY,
				.listed = NOW - outages[i] };
			int64_t done = c.listed, lost = 0;
			int rounds = 0;

			while (done < NOW - 5 * CLOCK_SECOND) {
				struct window gap,
				    w = window_next(&spec, &c, NOW, overlaps[k],
					&gap);

				ck_assert_int_lt(rounds++, 200);
				ck_assert_int_le(w.to - w.from, CLOCK_DAY);
				ck_assert_int_ge(w.from, NOW - 7 * CLOCK_DAY);
				ck_assert_int_eq(w.from % CLOCK_SECOND, 0);
				ck_assert_int_eq(w.to % CLOCK_SECOND, 0);
				if (gap.from < gap.to) {
					ck_assert_int_eq(gap.from, done);
					ck_assert_int_eq(gap.to, w.from);
					lost += gap.to - gap.from;
					done = gap.to;
				}
				ck_assert_int_le(w.from, done);
				c.listed = window_listed(&spec, &w, NOW);
				ck_assert_int_ge(c.listed, done);
				done = c.listed;
			}
			if (outages[i] < 7 * CLOCK_DAY)
				ck_assert_int_eq(lost, 0);
			else
				ck_assert_int_eq(lost,
				    outages[i] - 7 * CLOCK_DAY + CLOCK_MINUTE);
		}
}
END_TEST

START_TEST(nothing_before_the_beginning)
{
	struct window_cursor c = { .from = NOW - CLOCK_MINUTE,
		.listed = NOW - CLOCK_MINUTE };
	struct window gap, w = window_next(&spec, &c, NOW, HALF_HOUR, &gap);
	struct sweep s;

	ck_assert_int_eq(w.from, NOW - CLOCK_MINUTE);
	window_sweep_due(&spec, &c, NOW, &s);
	ck_assert_ptr_eq(s.kind, DAILY);
	w = window_sweep_slice(&spec, &s, NOW);
	ck_assert_int_eq(w.from, NOW - CLOCK_MINUTE);
	ck_assert_int_eq(w.to, NOW);
}
END_TEST

START_TEST(a_clock_that_was_ahead)
{
	struct window_cursor c = { .from = NOW - CLOCK_DAY,
		.listed = NOW + 2 * CLOCK_HOUR,
		.swept = { NOW + 2 * CLOCK_HOUR, NOW - CLOCK_HOUR } };
	struct window gap, w = window_next(&spec, &c, NOW, HALF_HOUR, &gap);
	struct sweep s;

	ck_assert_int_eq(w.from, NOW - HALF_HOUR);
	ck_assert_int_ge(w.to, NOW);
	ck_assert_int_eq(gap.from, gap.to);
	window_sweep_due(&spec, &c, NOW, &s);
	ck_assert_ptr_eq(s.kind, HOURLY);
}
END_TEST

START_TEST(sweeps)
{
	struct window_cursor c = { .from = NOW - 60 * CLOCK_DAY,
		.swept = { NOW - CLOCK_HOUR + 1, NOW - CLOCK_DAY + 1 } };
	int64_t now = NOW, at;
	struct sweep s;
	struct window w;
	int slices = 0;

	window_sweep_due(&spec, &c, now, &s);
	ck_assert_ptr_null(s.kind);
	c.swept[0]--;
	window_sweep_due(&spec, &c, now, &s);
	ck_assert_ptr_eq(s.kind, HOURLY);
	w = window_sweep_slice(&spec, &s, now);
	ck_assert_int_eq(w.from, NOW - CLOCK_DAY);
	ck_assert_int_eq(w.to, NOW);
	window_sweep_done(&spec, &s, &w, now, &c);
	ck_assert_ptr_null(s.kind);
	ck_assert_int_eq(c.swept[0], NOW);
	ck_assert_int_lt(c.swept[1], NOW);
	c.swept[1]--;
	window_sweep_due(&spec, &c, now, &s);
	ck_assert_ptr_eq(s.kind, DAILY);
	for (at = 0; s.kind == DAILY; slices++) {
		w = window_sweep_slice(&spec, &s, now);
		ck_assert_int_ge(w.from, now - 7 * CLOCK_DAY);
		ck_assert_int_le(w.to - w.from, CLOCK_DAY);
		if (at != 0)
			ck_assert_int_eq(w.from, at);
		at = w.to;
		window_sweep_done(&spec, &s, &w, now, &c);
		now += CLOCK_SECOND;
	}
	ck_assert_int_eq(slices, 7);
	ck_assert_int_eq(at, NOW);
	ck_assert_int_eq(c.swept[1], now - CLOCK_SECOND);
	ck_assert_int_eq(c.swept[0], c.swept[1]);
}
END_TEST

/* Whatever a poll of the whole overlap takes: the next one is soon enough for
 * what is late, and leaves most of the time to others. */
START_TEST(the_whole_overlap)
{
	static const struct {
		int64_t took;
		int64_t pause;
	} rows[] = {
		{ 0, 15 },
		{ 1, 15 },
		{ 10, 100 },
		{ 44, 440 },
		{ 46, 450 }, /* a quarter of half an hour */
		{ 60, 450 },
		{ 112, 450 },
		{ 120, 480 },
		{ 1000, 4000 },
	};
	struct window_cursor c = { .from = NOW - CLOCK_DAY };
	struct window_spec small = spec;
	struct window gap, w;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_int_eq(window_full_pause(&spec,
				     rows[i].took * CLOCK_SECOND),
		    rows[i].pause * CLOCK_SECOND);

	/* What appears behind one is in the next, if it is late by less than
	 * the overlap. */
	ck_assert_int_eq(window_full_overlap(&spec, NOW, 0), HALF_HOUR);
	ck_assert_int_eq(window_full_overlap(&spec, NOW, NOW + 1), HALF_HOUR);
	ck_assert_int_eq(window_full_overlap(&spec, NOW,
			     NOW - 7 * CLOCK_MINUTE),
	    HALF_HOUR + 7 * CLOCK_MINUTE);

	/* And there is always progress. */
	small.span = HALF_HOUR + 2 * CLOCK_MINUTE;
	c.listed = NOW - CLOCK_HOUR;
	w = window_next(&small, &c, NOW,
	    window_full_overlap(&small, c.listed, c.listed - CLOCK_HOUR), &gap);
	ck_assert_int_eq(w.to, c.listed + CLOCK_MINUTE);
}
END_TEST

Suite *
suite_window(void)
{
	Suite *s = suite_create("window");
	TCase *tc = tcase_create("window");

	tcase_add_test(tc, cursor_there_and_back);
	tcase_add_test(tc, a_new_feed);
	tcase_add_test(tc, seven_days_back_leave_time_for_the_first_call);
	tcase_add_test(tc, after_an_outage);
	tcase_add_test(tc, nothing_before_the_beginning);
	tcase_add_test(tc, a_clock_that_was_ahead);
	tcase_add_test(tc, sweeps);
	tcase_add_test(tc, the_whole_overlap);
	suite_add_tcase(s, tc);
	return s;
}
