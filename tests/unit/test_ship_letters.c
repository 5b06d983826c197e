/*
 * test_ship_letters.c - what a destination refuses: which events become
 * dead letters, and what is done with these.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "store/report.h"
#include "tests/unit/fake_output.h"
#include "tests/unit/ship_help.h"
#include "tests/unit/unit.h"

static enum verdict
no_bad(const char *text)
{
	return strstr(text, "bad") == NULL ? VERDICT_DELIVERED
					   : VERDICT_REFUSED;
}

START_TEST(line_at_fault_becomes_a_dead_letter)
{
	fake_script.judge = no_bad;
	ship_help_fill(4, 50, 117, "bad");
	ship_help_until(ship_help_all_settled);
	ship_help_each_once(200, 117, 1);
	ship_help_one_letter(117, "no", strlen("{\"n\":117,\"w\":\"bad\"}"));
}
END_TEST

START_TEST(line_is_refused_alone)
{
	fake_script.mark = true;
	fake_script.failures = 1;
	ship_help_fill(2, 50, 60, "big");
	ship_help_until(ship_help_all_settled);
	ship_help_each_once(100, 60, 1);
	ship_help_one_letter(60, "too big", strlen("{\"n\":60,\"w\":\"big\"}"));
}
END_TEST

static bool
no_letters(struct store *s)
{
	struct dead_letter d = { .id = 0 };
	int rc;

	buf_init(&d.event, 4096);
	rc = dead_letter_next(s, "siem", 0, &d, &ship_rig.err);
	buf_release(&d.event);
	ck_assert_int_ge(rc, 0);
	return rc == 0;
}

static void
ask_for(const char *kind)
{
	struct store *s =
	    store_open(ship_rig.path, STORE_RELAXED, &ship_rig.err);
	struct request r = { .number = 0 };

	(void)snprintf(r.kind, sizeof(r.kind), "%s", kind);
	(void)snprintf(r.target, sizeof(r.target), "siem");
	ck_assert_msg(request_add(s, &r, &ship_rig.err) == 0, "%s",
	    ship_rig.err.text);
	store_close(s);
}

START_TEST(dead_letter_is_sent_again)
{
	fake_script.judge = no_bad;
	ship_help_fill(1, 10, 3, "bad");
	ship_help_until(ship_help_all_settled);
	ship_help_one_letter(3, "no", strlen("{\"n\":3,\"w\":\"bad\"}"));
	fake_script.judge = NULL;
	ask_for("retry");
	ship_help_until(no_letters);
	ship_help_each_once(10, -1, 1);
}
END_TEST

START_TEST(dead_letter_is_dropped)
{
	fake_script.judge = no_bad;
	ship_help_fill(1, 10, 3, "bad");
	ship_help_until(ship_help_all_settled);
	ask_for("drop");
	ship_help_until(no_letters);
	ship_help_each_once(10, 3, 1);
}
END_TEST

static enum verdict
nothing_until_cured(const char *text)
{
	return access(ship_rig.cured, F_OK) == 0 ||
		strstr(text, "\"event\"") == NULL
	    ? VERDICT_DELIVERED
	    : VERDICT_REFUSED;
}

static uint64_t
letters(struct store *s, char *trouble, size_t size)
{
	struct output_report r;

	ck_assert_int_eq(report_output(s, "", &r, &ship_rig.err), 1);
	(void)snprintf(trouble, size, "%s", r.error);
	return r.dead_letters;
}

static void
dead_letters_in_the_end(uint64_t n)
{
	struct store *s = store_open(ship_rig.path, STORE_READ, &ship_rig.err);
	char trouble[512];

	ck_assert_uint_eq(letters(s, trouble, sizeof(trouble)), n);
	ck_assert_str_eq(trouble, "");
	store_close(s);
}

/* The first events of all, and the others are kept; of those a single one is
 * tried now and then, which becomes another dead letter until what is wrong
 * has been put right. */
static bool
refused_then_cured(struct store *s)
{
	char trouble[512];
	uint64_t n;

	if (access(ship_rig.cured, F_OK) == 0)
		return ship_help_all_settled(s);
	n = letters(s, trouble, sizeof(trouble));
	if (n < 21)
		return false;
	ck_assert_msg(strstr(trouble, "refuses every event") != NULL, "%s",
	    trouble);
	ck_assert_int_eq(symlink("/dev/null", ship_rig.cured), 0);
	return false;
}

START_TEST(receiver_that_refuses_all_is_not_fed_all)
{
	int times[301], missing = 0;

	fake_script.judge = nothing_until_cured;
	ship_help_fill(3, 100, -1, "");
	ship_help_until(refused_then_cured);
	dead_letters_in_the_end(21);
	ship_help_count(300, times);
	for (int i = 0; i < 300; i++) {
		ck_assert_int_le(times[i], 1);
		missing += times[i] == 0;
	}
	ck_assert_int_eq(missing, 21);
	ck_assert_int_eq(times[300], 1);
}
END_TEST

/* The receiver takes what comes behind a run of bad events, so it is they. */
static bool
run_is_over(struct store *s)
{
	char trouble[512];

	(void)letters(s, trouble, sizeof(trouble));
	if (fake_script.base == 0 && trouble[0] != '\0') {
		fake_script.base = 200;
		ship_help_fill(1, 1, -1, "");
	}
	return fake_script.base != 0 && ship_help_all_settled(s);
}

START_TEST(run_of_bad_events_holds_up_nobody)
{
	int times[202];

	fake_script.max = 4000;
	fake_script.judge = no_bad;
	fake_script.run = 35;
	ship_help_fill(2, 100, 20, "bad");
	ship_help_until(run_is_over);
	dead_letters_in_the_end(35);
	ship_help_count(201, times);
	for (int i = 0; i < 201; i++)
		ck_assert_int_eq(times[i], i < 20 || i >= 55);
}
END_TEST

static enum verdict
none_until_cured(int n, const struct chunk_line *line)
{
	(void)n;
	return access(ship_rig.cured, F_OK) == 0 || line->checkpoint
	    ? VERDICT_DELIVERED
	    : VERDICT_REFUSED;
}

START_TEST(lines_refused_alone_are_counted)
{
	int times[301], missing = 0;

	fake_script.each = none_until_cured;
	ship_help_fill(3, 100, -1, "");
	ship_help_until(refused_then_cured);
	dead_letters_in_the_end(21);
	ship_help_count(300, times);
	for (int i = 0; i < 300; i++)
		missing += times[i] == 0;
	ck_assert_int_eq(missing, 21);
}
END_TEST

static enum verdict
refuse_bad(int n, const struct chunk_line *line)
{
	(void)n;
	return memmem(line->value, line->len, "bad", 3) == NULL
	    ? VERDICT_DELIVERED
	    : VERDICT_REFUSED;
}

/* The others of the chunk are taken, so the receiver is well. */
START_TEST(many_bad_lines_among_good_ones)
{
	fake_script.each = refuse_bad;
	fake_script.run = 70;
	ship_help_fill(1, 100, 20, "bad");
	ship_help_until(ship_help_all_settled);
	ck_assert_uint_eq(ship_help_chunks_sent(), 1);
	dead_letters_in_the_end(70);
}
END_TEST

static bool
no_requests(struct store *s)
{
	struct request r = { .id = 0 };
	int rc = request_next(s, "retry", "siem", &r, &ship_rig.err);

	ck_assert_int_ge(rc, 0);
	return rc == 0;
}

START_TEST(dead_letter_is_refused_again)
{
	fake_script.each = refuse_bad;
	ship_help_fill(1, 10, 3, "bad");
	ship_help_until(ship_help_all_settled);
	ship_help_one_letter(3, "not this one",
	    strlen("{\"n\":3,\"w\":\"bad\"}"));
	ask_for("retry");
	ship_help_until(no_requests);
	ship_help_one_letter(3, "not this one",
	    strlen("{\"n\":3,\"w\":\"bad\"}"));
}
END_TEST

Suite *
suite_ship_letters(void)
{
	Suite *s = suite_create("ship_letters");
	TCase *tc = tcase_create("ship_letters");

	tcase_add_checked_fixture(tc, ship_help_begin, ship_help_end);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, line_at_fault_becomes_a_dead_letter);
	tcase_add_test(tc, line_is_refused_alone);
	tcase_add_test(tc, dead_letter_is_sent_again);
	tcase_add_test(tc, dead_letter_is_dropped);
	tcase_add_test(tc, receiver_that_refuses_all_is_not_fed_all);
	tcase_add_test(tc, run_of_bad_events_holds_up_nobody);
	tcase_add_test(tc, lines_refused_alone_are_counted);
	tcase_add_test(tc, many_bad_lines_among_good_ones);
	tcase_add_test(tc, dead_letter_is_refused_again);
	suite_add_tcase(s, tc);
	return s;
}
