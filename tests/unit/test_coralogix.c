/*
 * test_coralogix.c - Coralogix's intake for logs: what a log has, and answers.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define SINGLES "/logs/v1/singles"
#define EVENT "{\"Id\":\"a-1\"}"
#define BEHIND                                                              \
	",\"computerName\":\"fra1\",\"severity\":3,\"category\":\"event\"," \
	"\"threadId\":\"42\",\"timestamp\":86400000.000}]"

static void
set_up(void)
{
	rig_set_up(&output_coralogix);
}

static const struct {
	const char *options;
	const char *path;
	const char *sent;
} logs[] = {
	{ "key: abc", "",
	    "[{\"text\":\"{\\\"Id\\\":\\\"a-1\\\"}\",\"applicationName\":"
	    "\"sealfeed\",\"subsystemName\":\"contoso/"
	    "Audit.Exchange\"" BEHIND },
	{ "key: abc, application: \"a\\\"b\", subsystem: m365, envelope: seal",
	    SINGLES,
	    "[{\"text\":\"{\\\"feed\\\":\\\"contoso/Audit.Exchange\\\","
	    "\\\"index\\\":42,\\\"agent\\\":\\\"fra1\\\",\\\"event\\\":"
	    "{\\\"Id\\\":\\\"a-1\\\"}}\",\"applicationName\":\"a\\\"b\","
	    "\"subsystemName\":\"m365\"" BEHIND },
};

START_TEST(a_log)
{
	rig_expect(SINGLES, 200, "{}");
	rig_begin(1, EVENT, logs[_i].options, logs[_i].path);
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_int_eq(strncmp(rig_request(0), "POST " SINGLES " HTTP", 26),
	    0);
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nAuthorization: Bearer abc\r\n"));
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nContent-Type: application/json\r\n"));
	ck_assert_str_eq(rig_body(0), logs[_i].sent);
	rig_end();
}
END_TEST

/* More than a request may have: a dead letter, and the others go on. */
START_TEST(large)
{
	char *event = xcalloc(1, 2100000);

	memset(event, 'x', 2099999);
	rig_expect(SINGLES, 200, "");
	rig_begin(3, event, "key: abc", "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 0), CHUNK_REFUSED);
	ck_assert_ptr_null(strstr(rig_body(0), "xxx"));
	free(event);
	rig_end();
}
END_TEST

/* Of three events, and of a probe. */
static const struct {
	int status;
	const char *body;
	enum verdict verdict;
	const char *why;
	int rc;
} answers[] = {
	{ 200, "{}", VERDICT_DELIVERED, NULL, 0 },
	{ 200, "<html><title>Login</title>", VERDICT_BLOCKED, "web page", -1 },
	{ 400, "{\"message\":\"applicationName is missing\"}", VERDICT_REFUSED,
	    "applicationName", 0 },
	{ 401, "", VERDICT_BLOCKED, "Send-Your-Data", -1 },
	{ 402, "", VERDICT_BLOCKED, "quota", -1 },
	{ 403, "", VERDICT_BLOCKED, "its domain", -1 },
	{ 404, "", VERDICT_BLOCKED, "check url", -1 },
	{ 413, "", VERDICT_REFUSED, "max_body", -2 },
	{ 429, "", VERDICT_RETRY, "429", -1 },
	{ 503, "", VERDICT_RETRY, "503", -1 },
};

START_TEST(meanings)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	int rc;

	rig_expect(SINGLES, answers[_i].status, answers[_i].body);
	rig_begin(3, EVENT, "key: abc", "");
	intake_rig.c.out.blocked = true; /* no benefit of the doubt: sooner */
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == answers[_i].verdict, "%d: %s",
	    answers[_i].status, intake_rig.c.why);
	if (answers[_i].why != NULL)
		ck_assert_msg(strstr(intake_rig.c.why, answers[_i].why) != NULL,
		    "%s", intake_rig.c.why);
	rc = output_coralogix.probe(&intake_rig.c.out, &message, &err);
	if (answers[_i].rc > -2)
		ck_assert_msg(rc == answers[_i].rc, "%s", err.text);
	ck_assert(rc == 0 || answers[_i].why == NULL ||
	    strstr(err.text, answers[_i].why) != NULL);
	buf_release(&message);
	rig_end();
}
END_TEST

Suite *
suite_coralogix(void)
{
	Suite *s = suite_create("coralogix");
	TCase *tc = tcase_create("coralogix");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_log, 0, ROWS(logs));
	tcase_add_test(tc, large);
	tcase_add_loop_test(tc, meanings, 0, ROWS(answers));
	suite_add_tcase(s, tc);
	return s;
}
