/*
 * test_datadog.c - Datadog's intake for logs: what a log has, limits, answers.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "outputs/http/dialect.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define LOGS "/api/v2/logs"
#define EVENT "{\"Id\":\"a-1\"}"
#define BEHIND                                                            \
	"\"sealfeed\":{\"feed\":\"contoso/Audit.Exchange\",\"index\":42," \
	"\"agent\":\"fra1\",\"time\":\"1970-01-02T00:00:00.000000Z\"}}"

static void
set_up(void)
{
	rig_set_up(&output_datadog);
}

#define LINE(event)                                                      \
	"{\\\"feed\\\":\\\"contoso/Audit.Exchange\\\",\\\"index\\\":42," \
	"\\\"agent\\\":\\\"fra1\\\",\\\"event\\\":" event "}"

/* A time of 1970 is no timestamp: the log would be dropped.  So it would by the
 * event's own, which stands in its line. */
static const struct {
	const char *options;
	const char *sent;
} logs[] = {
	{ "",
	    "[{\"message\":\"" LINE(
		"{\\\"Id\\\":\\\"a-1\\\"}") "\",\"ddsource\":"
					    "\"microsoft-365\",\"service\":"
					    "\"microsoft-365\",\"hostname\":"
					    "\"fra1\"," BEHIND "]" },
	{ ", source: a, service: b, host: h, tags: [\"env:p\\\"1\", \"x:y\"]",
	    "[{\"message\":\"" LINE(
		"{\\\"Id\\\":\\\"a-1\\\"}") "\",\"ddsource\":\"a\","
					    "\"service\":\"b\",\"hostname\":"
					    "\"h\",\"ddtags\":\"env:p\\\"1,x:"
					    "y\""
					    "," BEHIND "]" },
};

START_TEST(a_log)
{
	char *options = xasprintf("api_key: abc%s", logs[_i].options);

	rig_expect(LOGS, 202, "{}");
	rig_begin(1, EVENT, options, "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_int_eq(strncmp(rig_request(0), "POST " LOGS " HTTP", 22), 0);
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nDD-API-KEY: abc\r\n"));
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nContent-Type: application/json\r\n"));
	ck_assert_str_eq(rig_body(0), logs[_i].sent);
	free(options);
	rig_end();
}
END_TEST

/* What Datadog would find no time in, or one that it keeps, is alone. */
static const struct {
	int64_t age; /* INT64_MIN: its time is not known */
	const char *event;
	const char *message;
} times[] = {
	{ 0, "{\"eventTime\":1}", "{\\\"eventTime\\\":1}" },
	{ 16 * CLOCK_HOUR, "{\"a\":1}", "{\\\"a\\\":1}" },
	{ 18 * CLOCK_HOUR, "{\"a\":1}", LINE("{\\\"a\\\":1}") },
	{ -2 * CLOCK_HOUR, "{\"a\":1}", LINE("{\\\"a\\\":1}") },
	{ 18 * CLOCK_HOUR, "{\"a\":01}", "{\\\"a\\\":01}" },
	{ INT64_MIN, "{\"a\":1}", "{\\\"a\\\":1}" },
	{ INT64_MIN, "{\"a\":{\"date\":1}}", "{\\\"a\\\":{\\\"date\\\":1}}" },
	{ INT64_MIN, "{\"timestamp\":1}", LINE("{\\\"timestamp\\\":1}") },
	{ INT64_MIN, "{\"eventTime\":\"1970\"}",
	    LINE("{\\\"eventTime\\\":\\\"1970\\\"}") },
	{ INT64_MIN, "{\"syslog\":{\"timestamp\":1}}",
	    LINE("{\\\"syslog\\\":{\\\"timestamp\\\":1}}") },
};

START_TEST(times_in_events)
{
	char *sent =
	    xasprintf("[{\"message\":\"%s\",\"ddsource\"", times[_i].message);

	courier_when = times[_i].age == INT64_MIN ? INT64_MIN
						  : clock_now() - times[_i].age;
	rig_expect(LOGS, 202, "{}");
	rig_begin(1, times[_i].event, "api_key: abc", "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_msg(strncmp(rig_body(0), sent, strlen(sent)) == 0, "%s",
	    rig_body(0));
	courier_when = CLOCK_DAY;
	free(sent);
	rig_end();
}
END_TEST

/* It would be cut: a dead letter by itself, and the others go on. */
START_TEST(large)
{
	char *event = xcalloc(1, 1000001);

	memset(event, 'x', 1000000);
	memcpy(event, "{\"Id\":\"", 7);
	memcpy(event + 999998, "\"}", 2);
	rig_expect(LOGS, 202, "{}");
	rig_begin(2, event, "api_key: abc", LOGS);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 0), CHUNK_REFUSED);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 1), CHUNK_DELIVERED);
	free(event);
	rig_end();
}
END_TEST

START_TEST(at_most_a_thousand)
{
	const struct intake *in;

	rig_begin(1, EVENT, "api_key: abc", "");
	in = intake_rig.c.out.state;
	ck_assert_uint_eq(in->lines_max, 1000);
	ck_assert_uint_le(in->body_max, 5000000);
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
	{ 202, "{}", VERDICT_DELIVERED, NULL },
	{ 202, "", VERDICT_DELIVERED, NULL },
	{ 200, "{}", VERDICT_BLOCKED, "not 202" },
	{ 202, "<html><title>Login</title>", VERDICT_BLOCKED, "web page" },
	{ 400, "{\"errors\":[]}", VERDICT_REFUSED, "400" },
	{ 401, "{}", VERDICT_BLOCKED, "site" },
	{ 403, "{\"errors\":[{\"title\":\"Forbidden\"}]}", VERDICT_BLOCKED,
	    "api_key" },
	{ 404, "", VERDICT_BLOCKED, "check url" },
	{ 408, "", VERDICT_RETRY, "408" },
	{ 413, "{}", VERDICT_REFUSED, "max_body" },
	{ 429, "{}", VERDICT_RETRY, "429" },
	{ 500, "{}", VERDICT_RETRY, "500" },
	{ 503, "{}", VERDICT_RETRY, "503" },
};

START_TEST(meanings)
{
	rig_expect(LOGS, answers[_i].status, answers[_i].body);
	rig_begin(3, EVENT, "api_key: abc", "");
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
	int status;
	const char *body;
	int rc;
	const char *says;
} probes[] = {
	{ 202, "{}", 0, "the API key is accepted" },
	{ 400, "{\"errors\":[]}", 0, "the API key is accepted" },
	{ 403, "{}", -1, "the key's own site" },
	{ 404, "{}", -1, "check url" },
};

START_TEST(live)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const char *said;

	rig_expect(LOGS, probes[_i].status, probes[_i].body);
	rig_begin(1, EVENT, "api_key: abc", "");
	ck_assert_msg(output_datadog.probe(&intake_rig.c.out, &message, &err) ==
		probes[_i].rc,
	    "%s", err.text);
	said = probes[_i].rc == 0 ? message.data : err.text;
	ck_assert_msg(strstr(said, probes[_i].says) != NULL, "%s", said);
	ck_assert_str_eq(rig_body(0), "[]");
	buf_release(&message);
	rig_end();
}
END_TEST

/* By which Datadog's own pipelines find them. */
static const struct {
	const char *type;
	const char *source;
} sources[] = {
	{ "office365", "\"ddsource\":\"microsoft-365\"" },
	{ "aws-cloudtrail", "\"ddsource\":\"cloudtrail\"" },
	{ "google-workspace", "\"ddsource\":\"gsuite\"" },
	{ "okta", "\"ddsource\":\"okta\"" },
};

START_TEST(names_of_sources)
{
	courier_type = sources[_i].type;
	rig_expect("", 202, "{}");
	rig_begin(1, "{}", "api_key: abc", "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(strstr(rig_body(0), sources[_i].source) != NULL, "%s",
	    rig_body(0));
	courier_type = "office365";
	rig_end();
}
END_TEST

Suite *
suite_datadog(void)
{
	Suite *s = suite_create("datadog");
	TCase *tc = tcase_create("datadog");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_log, 0, ROWS(logs));
	tcase_add_loop_test(tc, times_in_events, 0, ROWS(times));
	tcase_add_test(tc, large);
	tcase_add_test(tc, at_most_a_thousand);
	tcase_add_loop_test(tc, meanings, 0, ROWS(answers));
	tcase_add_loop_test(tc, live, 0, ROWS(probes));
	tcase_add_loop_test(tc, names_of_sources, 0, ROWS(sources));
	suite_add_tcase(s, tc);
	return s;
}
