/*
 * test_graylog.c - GELF over HTTP, one message a request or many.
 */
#include <string.h>

#include "base/err.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define GELF "/gelf"
#define EVENT "{\"Id\":\"a-1\"}"
#define MESSAGE(text, index)                                               \
	"{\"version\":\"1.1\",\"host\":\"fra1\",\"short_message\":\"" text \
	"\",\"timestamp\":86400.000,\"level\":6,\"_sealfeed_feed\":"       \
	"\"contoso/Audit.Exchange\",\"_sealfeed_index\":" index            \
	",\"_sealfeed_agent\":\"fra1\",\"_sealfeed_source\":\"office365\"}"

static void
set_up(void)
{
	rig_set_up(&output_graylog);
}

START_TEST(one_a_request)
{
	rig_expect(GELF, 202, "");
	rig_begin(2, EVENT, "headers: {X-Key: abc}, parallel: 1", "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_uint_eq(canned_count(intake_rig.server), 2);
	ck_assert_int_eq(strncmp(rig_request(0), "POST " GELF " HTTP", 15), 0);
	ck_assert_ptr_nonnull(strstr(rig_request(0), "\r\nX-Key: abc\r\n"));
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nContent-Type: application/json\r\n"));
	ck_assert_int_eq(strncmp(rig_body(0),
			     MESSAGE("{\\\"Id\\\":\\\"a-1\\\"}", "42") "POST",
			     strlen(MESSAGE("{\\\"Id\\\":\\\"a-1\\\"}", "42")) +
				 4),
	    0);
	ck_assert_str_eq(rig_body(1), MESSAGE("{\\\"Id\\\":\\\"b\\\"}", "43"));
	rig_end();
}
END_TEST

START_TEST(bulk)
{
	rig_expect("/a" GELF, 202, "");
	rig_begin(2, EVENT, "bulk: true", "/a" GELF);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(canned_count(intake_rig.server), 1);
	ck_assert_str_eq(rig_body(0),
	    MESSAGE("{\\\"Id\\\":\\\"a-1\\\"}",
		"42") "\n" MESSAGE("{\\\"Id\\\":\\\"b\\\"}", "43"));
	rig_end();
}
END_TEST

/* Of three events. */
static const struct {
	int status;
	const char *body;
	enum verdict verdict;
	const char *why;
} answers[] = {
	{ 202, "", VERDICT_DELIVERED, NULL },
	{ 200, "", VERDICT_BLOCKED, "not 202" },
	{ 204, "", VERDICT_BLOCKED, "not 202" },
	{ 202, "<html><title>Login</title>", VERDICT_BLOCKED, "web page" },
	{ 400, "", VERDICT_REFUSED, "400" },
	{ 401, "", VERDICT_BLOCKED, "check headers" },
	{ 404, "", VERDICT_BLOCKED, "check url" },
	{ 405, "", VERDICT_BLOCKED, "check url" },
	{ 413, "", VERDICT_REFUSED, "Max. HTTP chunk size" },
	{ 429, "", VERDICT_RETRY, "429" },
	{ 503, "", VERDICT_RETRY, "503" },
};

START_TEST(meanings)
{
	rig_expect(GELF, answers[_i].status, answers[_i].body);
	rig_begin(3, EVENT, "bulk: true", "");
	intake_rig.c.out.blocked = true; /* no benefit of the doubt: sooner */
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == answers[_i].verdict, "%d %s: %s",
	    answers[_i].status, answers[_i].body, intake_rig.c.why);
	if (answers[_i].why != NULL)
		ck_assert_msg(strstr(intake_rig.c.why, answers[_i].why) != NULL,
		    "%s", intake_rig.c.why);
	rig_end();
}
END_TEST

static const struct {
	const char *options;
	int status;
	int rc;
	const char *says;
} probes[] = {
	{ "", 405, 0, "bulk: false, one event a request" },
	{ "bulk: true", 405, 0, "has to have enabled" },
	{ "", 401, -1, "check headers" },
	{ "", 404, -1, "check url" },
	{ "", 200, -1, "not 202" },
};

START_TEST(live)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const char *said;

	rig_expect(GELF, probes[_i].status, "");
	rig_begin(1, EVENT, probes[_i].options, "");
	ck_assert_msg(output_graylog.probe(&intake_rig.c.out, &message, &err) ==
		probes[_i].rc,
	    "%s", err.text);
	said = probes[_i].rc == 0 ? message.data : err.text;
	ck_assert_msg(strstr(said, probes[_i].says) != NULL, "%s", said);
	ck_assert_int_eq(strncmp(rig_request(0), "GET " GELF " HTTP", 14), 0);
	buf_release(&message);
	rig_end();
}
END_TEST

Suite *
suite_graylog(void)
{
	Suite *s = suite_create("graylog");
	TCase *tc = tcase_create("graylog");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, one_a_request);
	tcase_add_test(tc, bulk);
	tcase_add_loop_test(tc, meanings, 0, ROWS(answers));
	tcase_add_loop_test(tc, live, 0, ROWS(probes));
	suite_add_tcase(s, tc);
	return s;
}
