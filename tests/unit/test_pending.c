/*
 * test_pending.c - requests that a receiver confirms later: what is asked of it
 * meanwhile, and what goes again.
 */
#include <string.h>

#include "base/clock.h"
#include "tests/unit/trial_rig.h"
#include "tests/unit/unit.h"

static bool
four_requests(void *ctx)
{
	(void)ctx;
	return canned_count(intake_rig.server) >= 4;
}

static bool
is_decided(void *ctx)
{
	(void)ctx;
	return intake_rig.c.decided;
}

/* Not before the number is confirmed, and meanwhile another may be sent. */
START_TEST(delivered_when_confirmed)
{
	trial_expect("/in/bulk", 200, "{\"ack\":7}");
	trial_expect("/in/ack", 200, "{\"acks\":{\"7\":false}}");
	trial_expect("/in/ack", 503, "busy");
	trial_expect("/in/ack", 200, "{\"acks\":{\"7\":false,\"8\":true}}");
	trial_expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	trial_begin(3, 0, 0);
	courier_drive(&intake_rig.c, four_requests, NULL);
	ck_assert(!intake_rig.c.decided);
	ck_assert_uint_eq(rig_marked(CHUNK_OPEN), 3);
	ck_assert_uint_eq(output_trial.window(&intake_rig.c.out), 3);
	courier_wait(&intake_rig.c, is_decided, NULL);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(canned_count(intake_rig.server), 5);
	ck_assert_ptr_nonnull(strstr(canned_requests(intake_rig.server),
	    "POST /in/ack?key=1 HTTP"));
	ck_assert_ptr_nonnull(strstr(canned_requests(intake_rig.server),
	    "\r\n\r\n{\"acks\":[7]}"));
	rig_end();
}
END_TEST

/* What waits for its confirmation keeps no other from being sent. */
START_TEST(room_is_told)
{
	int64_t begun = clock_monotonic();

	trial_conf.poll_timeout = CLOCK_MINUTE;
	trial_expect("/in/bulk", 200, "{\"ack\":7}");
	trial_expect("/in/ack", 200, "{\"acks\":{\"7\":false}}");
	trial_begin(3, 0, 0);
	output_trial.send(&intake_rig.c.out, intake_rig.c.chunk);
	output_trial.drive(&intake_rig.c.out, intake_rig.c.wake, 20000);
	ck_assert_int_lt(clock_monotonic() - begun, 15 * CLOCK_SECOND);
	ck_assert(!intake_rig.c.decided);
	ck_assert_uint_eq(output_trial.waiting(&intake_rig.c.out), 1);
	ck_assert_uint_eq(output_trial.window(&intake_rig.c.out), 3);
	rig_end();
}
END_TEST

START_TEST(never_confirmed_is_sent_again)
{
	trial_conf.poll_timeout = 150 * (CLOCK_SECOND / 1000);
	trial_expect("/in/bulk", 200, "{\"ack\":7}");
	trial_expect("/in/ack", 200, "{\"acks\":{\"7\":false}}");
	trial_begin(3, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_uint_eq(rig_marked(CHUNK_OPEN), 3);
	ck_assert_msg(strstr(intake_rig.c.why,
			  "not confirm them within 150ms") != NULL,
	    "%s", intake_rig.c.why);
	rig_end();
}
END_TEST

/* What does not tell of what is promised, once: it is asked again, and nothing
 * goes twice. */
static const struct {
	int status; /* 0: the connection is reset */
	const char *body;
} blips[] = {
	{ 0, "" },
	{ 503, "no server is available" },
	{ 502, "<html>" },
	{ 429, "later" },
	{ 200, "<html>" },
	{ 302, "" },
	{ 400, "no" },
	{ 403, "no" },
	{ 404, "<html>" },
	{ 500, "{\"items\":[{\"status\":500,\"error\":\"no\"}]}" },
	{ 400, "{\"items\":[{\"status\":400,\"error\":\"no\"}]}" },
	{ 403, "{\"items\":[{\"status\":403,\"error\":\"no\"}]}" },
};

START_TEST(a_blip_of_a_poll)
{
	trial_expect("/in/bulk", 200, "{\"ack\":7}");
	trial_expect("/in/ack", blips[_i].status, blips[_i].body);
	trial_expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	trial_begin(3, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(rig_marked(CHUNK_DELIVERED), 3);
	ck_assert_uint_eq(canned_count(intake_rig.server), 3);
	rig_end();
}
END_TEST

/* Retry-After counts, up to a part of the time for confirmations. */
START_TEST(a_poll_waits_as_it_is_told)
{
	static const char *const asked[] = { "Retry-After: 2",
		"Retry-After: 3600" };
	int64_t began = clock_monotonic();

	trial_expect("/in/bulk", 200, "{\"ack\":7}");
	rig_expect_with("/in/ack", 503, asked[_i], "");
	trial_expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	trial_begin(3, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(canned_count(intake_rig.server), 3);
	ck_assert_int_ge(clock_monotonic() - began, 2 * CLOCK_SECOND);
	rig_end();
}
END_TEST

START_TEST(a_poll_that_has_to_wait)
{
	trial_conf.poll_later = true;
	trial_expect("/in/bulk", 200, "{\"ack\":7}");
	trial_expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	trial_begin(3, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(canned_count(intake_rig.server), 2);
	rig_end();
}
END_TEST

static bool
is_unheard(void *ctx)
{
	(void)ctx;
	return intake_rig.c.out.unheard[0] != '\0';
}

/* Twice in a row it is said, until there is an answer. */
START_TEST(polls_that_fail_are_told)
{
	trial_expect("/in/bulk", 200, "{\"ack\":7}");
	trial_expect("/in/ack", 503, "busy");
	trial_expect("/in/ack", 502, "bad gateway");
	trial_expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	trial_begin(3, 0, 0);
	courier_drive(&intake_rig.c, is_unheard, NULL);
	ck_assert(!intake_rig.c.decided);
	ck_assert_msg(strstr(intake_rig.c.out.unheard,
			  "asking whether accepted events are kept fails: "
			  "http") != NULL &&
		strstr(intake_rig.c.out.unheard, "answers 502: bad gateway") !=
		    NULL,
	    "%s", intake_rig.c.out.unheard);
	courier_wait(&intake_rig.c, is_decided, NULL);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_str_eq(intake_rig.c.out.unheard, "");
	ck_assert_uint_eq(canned_count(intake_rig.server), 4);
	rig_end();
}
END_TEST

/* What is answered whenever somebody asks.  Within five seconds that is at
 * once, after half a second and after two more; the next time would be at seven
 * and a half. */
static const struct {
	int status;
	const char *body;
	int64_t timeout;
	enum verdict verdict;
	unsigned requests;
	const char *why;
} lost[] = {
	{ 0, "", 5 * CLOCK_SECOND, VERDICT_RETRY, 4,
	    "within 5s; asking whether" },
	{ 503, "busy", 5 * CLOCK_SECOND, VERDICT_RETRY, 4,
	    "answers 503: busy" },
	{ 400, "no", 5 * CLOCK_SECOND, VERDICT_RETRY, 4, "answers 400: no" },
	{ 403, "no", 5 * CLOCK_SECOND, VERDICT_RETRY, 4, "answers 403: no" },
	/* The receiver itself says that it never will tell. */
	{ 400, "{\"items\":[{\"status\":400,\"error\":\"unknown\"}]}",
	    CLOCK_MINUTE, VERDICT_RETRY, 5, "item 0: unknown" },
	{ 403, "{\"items\":[{\"status\":403,\"error\":\"disabled\"}]}",
	    CLOCK_MINUTE, VERDICT_BLOCKED, 5, "item 0: disabled" },
};

START_TEST(lost_confirmations_are_sent_again)
{
	trial_conf.poll_timeout = lost[_i].timeout;
	trial_expect("/in/bulk", 200, "{\"ack\":7}");
	trial_expect("/in/ack", lost[_i].status, lost[_i].body);
	trial_begin(3, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, lost[_i].verdict);
	ck_assert_msg(strstr(intake_rig.c.why, lost[_i].why) != NULL, "%s",
	    intake_rig.c.why);
	ck_assert_str_eq(intake_rig.c.out.unheard, "");
	ck_assert_uint_eq(rig_marked(CHUNK_OPEN), 3);
	ck_assert_uint_eq(canned_count(intake_rig.server), lost[_i].requests);
	rig_end();
}
END_TEST

/* Two requests of one chunk, one of them confirmed: the other goes again. */
START_TEST(part_is_confirmed)
{
	trial_conf.lines_max = 2;
	/* Enough for the second one's answer on a busy machine. */
	trial_conf.poll_timeout = 5 * CLOCK_SECOND;
	trial_expect("/in/bulk", 200, "{\"ack\":1}");
	trial_expect("/in/bulk", 200, "{\"ack\":2}");
	trial_expect("/in/ack", 200, "{\"acks\":{\"1\":false,\"2\":true}}");
	trial_begin(4, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 1), CHUNK_OPEN);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 2), CHUNK_DELIVERED);
	ck_assert_uint_eq(rig_marked(CHUNK_OPEN), 2);
	rig_end();
}
END_TEST

START_TEST(closed_while_pending)
{
	trial_expect("/in/bulk", 200, "{\"ack\":7}");
	trial_expect("/in/ack", 200, "{\"acks\":{\"7\":false}}");
	trial_begin(3, 0, 0);
	courier_drive(&intake_rig.c, four_requests, NULL);
	rig_end();
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_str_eq(intake_rig.c.why, "the output was closed");
}
END_TEST

/* A number of before would confirm what is not there any more. */
START_TEST(forgotten_promises_are_sent_again)
{
	trial_conf.lines_max = 2;
	/* Nobody asks before both are promised. */
	trial_conf.poll_every = 5 * CLOCK_SECOND;
	trial_expect("/in/bulk", 200, "{\"ack\":7}");
	trial_expect("/in/bulk", 200, "{\"ack\":7,\"forget\":true}");
	trial_expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	trial_begin(4, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_str_eq(intake_rig.c.why, "it began anew");
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 0), CHUNK_OPEN);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 2), CHUNK_DELIVERED);
	rig_end();
}
END_TEST

/* Whoever shares out requests knows by its cookie where they belong. */
START_TEST(cookies_go_back)
{
	rig_expect_with("/in/bulk", 200, "Set-Cookie: node=b2", "{\"ack\":7}");
	trial_expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	trial_begin(1, 0, 0);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_ptr_nonnull(strstr(strstr(canned_requests(intake_rig.server),
					 "POST /in/ack"),
	    "\r\nCookie: node=b2\r\n"));
	rig_end();
}
END_TEST

Suite *
suite_pending(void)
{
	Suite *s = suite_create("pending");
	TCase *tc = tcase_create("pending");

	tcase_add_checked_fixture(tc, trial_set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, delivered_when_confirmed);
	tcase_add_test(tc, room_is_told);
	tcase_add_test(tc, never_confirmed_is_sent_again);
	tcase_add_loop_test(tc, lost_confirmations_are_sent_again, 0,
	    sizeof(lost) / sizeof(lost[0]));
	tcase_add_loop_test(tc, a_blip_of_a_poll, 0,
	    sizeof(blips) / sizeof(blips[0]));
	tcase_add_test(tc, a_poll_that_has_to_wait);
	tcase_add_loop_test(tc, a_poll_waits_as_it_is_told, 0, 2);
	tcase_add_test(tc, polls_that_fail_are_told);
	tcase_add_test(tc, part_is_confirmed);
	tcase_add_test(tc, closed_while_pending);
	tcase_add_test(tc, forgotten_promises_are_sent_again);
	tcase_add_test(tc, cookies_go_back);
	suite_add_tcase(s, tc);
	return s;
}
