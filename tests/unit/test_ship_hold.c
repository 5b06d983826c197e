/*
 * test_ship_hold.c - what had receipts is held, and sent again after a
 * break; events that break connections.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/replay.h"
#include "store/report.h"
#include "tests/unit/fake_output.h"
#include "tests/unit/ship_help.h"
#include "tests/unit/unit.h"

static struct output_report
report(struct store *s)
{
	struct output_report r;

	ck_assert_int_eq(report_output(s, "", &r, &ship_rig.err), 1);
	return r;
}

static bool
all_received(struct store *s)
{
	struct position pos = { .batch = 0 };
	struct output_report r = report(s);

	ck_assert_int_eq(position_read(s, "siem", &pos, NULL, NULL,
			     &ship_rig.err),
	    0);
	ck_assert_int_eq(pos.batch, 0);
	ck_assert_uint_eq(pos.lines, 0);
	return r.received.batch == 3;
}

static void
each_came(int n, int least, int most)
{
	int *times = calloc((size_t)n + 1, sizeof(*times));

	ship_help_count(n, times);
	for (int i = 0; i < n; i++)
		ck_assert_msg(times[i] >= least && times[i] <= most,
		    "event %d came %d times", i, times[i]);
	free(times);
}

/* What is held is shown as that and not as backlog, and the store keeps it;
 * after an orderly stop it is not sent again, and let go once it is time. */
START_TEST(receipts_are_held)
{
	struct output_report r;
	struct store *s;

	fake_script.max = 700;
	fake_script.hold = CLOCK_HOUR;
	ship_help_fill(3, 10, -1, "");
	ship_help_until(all_received);
	ship_help_until(all_received);
	s = store_open(ship_rig.path, STORE_READ, &ship_rig.err);
	r = report(s);
	ck_assert_uint_eq(r.held_events, 30);
	ck_assert_uint_eq(r.backlog_events, 0);
	store_close(s);
	fake_script.hold = 1;
	ship_help_until(ship_help_all_settled);
	each_came(30, 1, 1);
	s = store_open(ship_rig.path, STORE_READ, &ship_rig.err);
	ck_assert_uint_eq(report(s).held_events, 0);
	store_close(s);
}
END_TEST

START_TEST(crash_sends_what_is_held_again)
{
	fake_script.hold = CLOCK_HOUR;
	ship_help_fill(3, 10, -1, "");
	ship_help_until_then(all_received, SIGKILL);
	fake_script.hold = 1;
	ship_help_until(ship_help_all_settled);
	each_came(30, 2, 2);
}
END_TEST

/* Every break sends again what had receipts, unless these can be trusted. */
START_TEST(break_sends_what_is_held_again)
{
	fake_script.max = 700;
	fake_script.hold = CLOCK_SECOND;
	fake_script.trusted = _i == 1;
	fake_script.breaks = 5;
	ship_help_fill(3, 10, -1, "");
	ship_help_until(ship_help_all_settled);
	each_came(30, 1, _i == 1 ? 1 : 7);
	if (_i == 0) {
		int times[31];

		ship_help_count(30, times);
		ck_assert_int_ge(times[0], 2);
	}
	ship_help_one_letter(-1, "", 0);
}
END_TEST

static void
ask_for_replay(void)
{
	struct store *s =
	    store_open(ship_rig.path, STORE_DURABLE, &ship_rig.err);
	struct replay r = { .output = "siem", .to = INT64_MAX };

	ck_assert_int_eq(replay_add(s, &r, &ship_rig.err), 0);
	store_close(s);
}

static bool
all_replayed(struct store *s)
{
	struct replay r;

	return replay_next(s, "siem", &r, &ship_rig.err) == 0;
}

/* Everything came twice, and nothing of the second time is noted. */
static bool
replay_held(struct store *s)
{
	struct replay r;
	int times[31];

	ck_assert_int_eq(replay_next(s, "siem", &r, &ship_rig.err), 1);
	ck_assert_int_eq(r.after, 0);
	ck_assert_uint_eq(r.sent, 0);
	ship_help_count(30, times);
	for (int i = 0; i < 30; i++)
		if (times[i] < 2)
			return false;
	return true;
}

/* What is sent again on demand is held like what is sent for the first time. */
START_TEST(replay_is_held)
{
	fake_script.max = 700;
	ship_help_fill(3, 10, -1, "");
	ship_help_until(ship_help_all_settled);
	ask_for_replay();
	fake_script.hold = CLOCK_HOUR;
	ship_help_until_then(replay_held, SIGKILL);
	fake_script.hold = 1;
	ship_help_until(all_replayed);
	each_came(30, 3, 3);
}
END_TEST

/* And a break sends it once more, unless receipts can be trusted. */
START_TEST(break_sends_what_is_replayed_again)
{
	int times[31];

	fake_script.max = 700;
	ship_help_fill(3, 10, -1, "");
	ship_help_until(ship_help_all_settled);
	ask_for_replay();
	fake_script.hold = CLOCK_SECOND;
	fake_script.trusted = _i == 1;
	fake_script.breaks = 2;
	ship_help_until(all_replayed);
	each_came(30, 2, _i == 1 ? 2 : 5);
	ship_help_count(30, times);
	ck_assert_int_eq(times[0] > 2, _i == 0);
}
END_TEST

static bool
one_is_dead(struct store *s)
{
	struct output_report r = report(s);

	return r.dead_letters == 1 && r.backlog_events == 0;
}

/* Others pass each time, since what is held is sent again, or some are kept for
 * it. */
START_TEST(event_that_breaks_connections_becomes_a_dead_letter)
{
	int times[121];

	fake_script.poison = true;
	fake_script.hold = _i == 0 ? CLOCK_HOUR : 0;
	ship_help_fill(2, 60, 37, "bad");
	ship_help_until(one_is_dead);
	ship_help_count(120, times);
	for (int i = 0; i < 120; i++)
		ck_assert_int_eq(times[i] > 0, i != 37);
	ship_help_one_letter(37, "alone it ended the connection 10 times",
	    strlen("{\"n\":37,\"w\":\"bad\"}"));
}
END_TEST

/* A receiver that ends each connection behind a line or two: the next one is
 * not to blame, though it is alone and others pass each time. */
START_TEST(short_connections_are_no_poison)
{
	fake_script.budget = (size_t)_i;
	ship_help_fill(1, 14, -1, "");
	ship_help_until(ship_help_all_settled);
	ship_help_each_once(14, -1, 1);
	ship_help_one_letter(-1, "", 0);
}
END_TEST

static bool
waits_for_it(struct store *s)
{
	struct output_report r = report(s);

	ck_assert_uint_eq(r.dead_letters, 0);
	ck_assert_uint_ge(r.backlog_events, 83);
	return strstr(r.error, "poison: wait") != NULL;
}

START_TEST(event_that_breaks_connections_is_waited_for)
{
	fake_script.poison = true;
	fake_script.poison_waits = true;
	fake_script.hold = CLOCK_HOUR;
	ship_help_fill(2, 60, 37, "bad");
	ship_help_until(waits_for_it);
	fake_script.poison = false;
	fake_script.hold = 0;
	ship_help_until(ship_help_all_settled);
	each_came(120, 1, INT_MAX);
	ship_help_one_letter(-1, "", 0);
}
END_TEST

/* Where nothing passes, it is not the event. */
static bool
tried_often(struct store *s)
{
	struct output_report r = report(s);

	ck_assert_uint_eq(r.dead_letters, 0);
	return r.count[OUTPUT_RETRIES] >= 12;
}

START_TEST(outage_is_no_poison)
{
	fake_script.poison = true;
	fake_script.run = 4;
	ship_help_fill(1, 4, 0, "bad");
	ship_help_sql("DELETE FROM checkpoint");
	ship_help_until(tried_often);
	ship_help_one_letter(-1, "", 0);
	fake_script.poison = false;
	ship_help_until(ship_help_all_settled);
	ship_help_each_once(4, -1, 0);
}
END_TEST

Suite *
suite_ship_hold(void)
{
	Suite *s = suite_create("ship_hold");
	TCase *tc = tcase_create("ship_hold");

	tcase_add_checked_fixture(tc, ship_help_begin, ship_help_end);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, receipts_are_held);
	tcase_add_test(tc, crash_sends_what_is_held_again);
	tcase_add_loop_test(tc, break_sends_what_is_held_again, 0, 2);
	tcase_add_test(tc, replay_is_held);
	tcase_add_loop_test(tc, break_sends_what_is_replayed_again, 0, 2);
	tcase_add_loop_test(tc,
	    event_that_breaks_connections_becomes_a_dead_letter, 0, 2);
	tcase_add_test(tc, event_that_breaks_connections_is_waited_for);
	tcase_add_loop_test(tc, short_connections_are_no_poison, 1, 3);
	tcase_add_test(tc, outage_is_no_poison);
	suite_add_tcase(s, tc);
	return s;
}
