/*
 * test_splunk_hec.c - Splunk's HTTP event collector: envelopes, codes, and
 * acknowledgement.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define EVENTS "/services/collector/event"
#define ACKS "/services/collector/ack"
#define SUCCESS "{\"text\":\"Success\",\"code\":0}"
#define EVENT "{\"CreationTime\":\"x\",\"Id\":\"a-1\"}"

static void
set_up(void)
{
	rig_set_up(&output_splunk_hec);
}

static void
begin(size_t n)
{
	rig_begin(n, EVENT, "token: abc", "");
}

START_TEST(envelope)
{
	rig_expect(EVENTS, 200, SUCCESS);
	begin(1);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_int_eq(strncmp(rig_request(0), "POST " EVENTS " HTTP", 35),
	    0);
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nAuthorization: Splunk abc\r\n"));
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nX-Splunk-Request-Channel: "));
	ck_assert_str_eq(rig_body(0),
	    "{\"source\":\"contoso/Audit.Exchange\",\"host\":\"fra1\","
	    "\"sourcetype\":\"_json\",\"time\":86400.000000,\"fields\":{"
	    "\"sealfeed_feed\":\"contoso/Audit.Exchange\","
	    "\"sealfeed_index\":\"42\",\"sealfeed_agent\":\"fra1\"},"
	    "\"event\":" EVENT "}");
	rig_end();
}
END_TEST

START_TEST(configured_names)
{
	rig_expect("/in/raw", 200, SUCCESS);
	rig_begin(1, EVENT,
	    "token: abc, path: /in/raw, index: \"a\\\"b\", sourcetype: st, "
	    "host: h1",
	    "/in/raw?x=1");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(strncmp(rig_request(0), "POST /in/raw?x=1 HTTP", 21),
	    0);
	ck_assert_ptr_nonnull(strstr(rig_body(0),
	    ",\"host\":\"h1\",\"index\":\"a\\\"b\",\"sourcetype\":\"st\","
	    "\"time\""));
	rig_end();
}
END_TEST

/* What is no object would not be an event for a collector. */
START_TEST(odd_events_are_strings)
{
	static const struct {
		const char *event;
		const char *sent;
	} rows[] = {
		{ "\"\"", ",\"event\":\"\\\"\\\"\"}" },
		{ "null", ",\"event\":\"null\"}" },
		{ "false", ",\"event\":\"false\"}" },
		{ "[1]", ",\"event\":\"[1]\"}" },
		{ "{\"Id\":\"a\xff\"}",
		    ",\"event\":\"{\\\"Id\\\":\\\"a\xef\xbf\xbd\\\"}\"}" },
		{ "{\"Id\":01}", ",\"event\":\"{\\\"Id\\\":01}\"}" },
	};

	rig_expect(EVENTS, 200, SUCCESS);
	rig_begin(1, rows[_i].event, "token: abc", "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(strstr(rig_body(0), rows[_i].sent) != NULL, "%s",
	    rig_body(0));
	rig_end();
}
END_TEST

/* Of three events. */
static const struct {
	int status;
	const char *body;
	enum verdict verdict;
	const char *why; /* a part */
} answers[] = {
	{ 200, SUCCESS, VERDICT_DELIVERED, NULL },
	{ 200, "{\"text\":\"Success\",\"code\":24}", VERDICT_DELIVERED, NULL },
	{ 200, "{\"text\":\"Success\",\"code\":25}", VERDICT_DELIVERED, NULL },
	{ 200, "", VERDICT_BLOCKED, "without the code" },
	{ 200, "{}", VERDICT_BLOCKED, "without the code" },
	{ 200, "{\"text\":\"HEC is healthy\",\"code\":17}", VERDICT_BLOCKED,
	    "without the code" },
	{ 200, "<html><title>Login</title>", VERDICT_BLOCKED, "web page" },
	{ 403, "{\"text\":\"Token disabled\",\"code\":1}", VERDICT_BLOCKED,
	    "token is disabled" },
	{ 401, "{\"text\":\"Token is required\",\"code\":2}", VERDICT_BLOCKED,
	    "removes Authorization" },
	{ 401, "{\"text\":\"Invalid authorization\",\"code\":3}",
	    VERDICT_BLOCKED, "malformed" },
	{ 403, "{\"text\":\"Invalid token\",\"code\":4}", VERDICT_BLOCKED,
	    "not known" },
	{ 400,
	    "{\"text\":\"Incorrect index\",\"code\":7,"
	    "\"invalid-event-number\":1}",
	    VERDICT_BLOCKED, "allowed indexes" },
	{ 500, "{\"text\":\"Internal server error\",\"code\":8}", VERDICT_RETRY,
	    "internal" },
	{ 503, "{\"text\":\"Server is busy\",\"code\":9}", VERDICT_RETRY,
	    "busy" },
	{ 400, "{\"text\":\"Data channel is missing\",\"code\":10}",
	    VERDICT_BLOCKED, "X-Splunk-Request-Channel" },
	{ 400, "{\"text\":\"Invalid data channel\",\"code\":11}",
	    VERDICT_BLOCKED, "channel" },
	{ 400, "{\"text\":\"ACK is disabled\",\"code\":14}", VERDICT_BLOCKED,
	    "acknowledgement" },
	{ 400, "{\"text\":\"Error in handling indexed fields\",\"code\":15}",
	    VERDICT_REFUSED, "indexed fields" },
	{ 400,
	    "{\"text\":\"Query string authorization is not enabled\","
	    "\"code\":16}",
	    VERDICT_BLOCKED, "query" },
	{ 503, "{\"text\":\"HEC is unhealthy\",\"code\":18}", VERDICT_RETRY,
	    "queues" },
	{ 503, "{\"text\":\"Server is shutting down\",\"code\":23}",
	    VERDICT_RETRY, "shutting down" },
	{ 400, "{\"text\":\"No data\",\"code\":5}", VERDICT_REFUSED,
	    "no data" },
	{ 400, "{\"text\":\"Event field is required\",\"code\":12}",
	    VERDICT_REFUSED, "missing" },
	{ 400, "{\"text\":\"Event field cannot be blank\",\"code\":13}",
	    VERDICT_REFUSED, "blank" },
	{ 503, "{\"text\":\"HEC is unhealthy\",\"code\":19}", VERDICT_RETRY,
	    "acknowledgements" },
	{ 503, "{\"text\":\"HEC is unhealthy\",\"code\":20}", VERDICT_RETRY,
	    "queues" },
	{ 400, "{\"text\":\"Invalid token\",\"code\":21}", VERDICT_BLOCKED,
	    "check token" },
	{ 400, "{\"text\":\"Token disabled\",\"code\":22}", VERDICT_BLOCKED,
	    "disabled" },
	{ 429, "{\"text\":\"Queue is full\",\"code\":26}", VERDICT_RETRY,
	    "queue" },
	{ 429, "{\"text\":\"Ack channel is full\",\"code\":27}", VERDICT_RETRY,
	    "open numbers" },
	{ 404, "{\"text\":\"The requested URL was not found\",\"code\":404}",
	    VERDICT_BLOCKED, "check url" },
	{ 413, "<!doctype html><title>413</title>", VERDICT_REFUSED,
	    "too large" },
	{ 415, "<!doctype html><title>415</title>", VERDICT_BLOCKED,
	    "compress" },
	{ 400, "{\"text\":\"Invalid data format\",\"code\":6}", VERDICT_REFUSED,
	    "format" },
	{ 400,
	    "{\"text\":\"Invalid data format\",\"code\":6,"
	    "\"invalid-event-number\":9}",
	    VERDICT_REFUSED, "format" },
	{ 400,
	    "{\"text\":\"Invalid data format\",\"code\":6,"
	    "\"invalid-event-number\":-1}",
	    VERDICT_REFUSED, "format" },
};

START_TEST(codes)
{
	rig_expect(EVENTS, answers[_i].status, answers[_i].body);
	begin(3);
	intake_rig.c.out.blocked = true; /* no benefit of the doubt: sooner */
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == answers[_i].verdict, "%d %s: %s",
	    answers[_i].status, answers[_i].body, intake_rig.c.why);
	if (answers[_i].why != NULL)
		ck_assert_msg(strstr(intake_rig.c.why, answers[_i].why) != NULL,
		    "%s", intake_rig.c.why);
	ck_assert_uint_eq(intake_rig.c.refused, 0);
	rig_end();
}
END_TEST

/* What stands in front of it is in, what stands behind goes at once. */
START_TEST(one_event_at_fault)
{
	rig_expect(EVENTS, 400,
	    "{\"text\":\"Invalid data format\",\"code\":6,"
	    "\"invalid-event-number\":1}");
	rig_expect(EVENTS, 200, SUCCESS);
	begin(4);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 1), CHUNK_REFUSED);
	ck_assert_uint_eq(rig_marked(CHUNK_DELIVERED), 3);
	ck_assert_uint_eq(intake_rig.c.refused, 1);
	ck_assert_uint_eq(canned_count(intake_rig.server), 2);
	ck_assert_ptr_null(strstr(strstr(rig_body(0), "POST "),
	    "_index\":\"42\""));
	ck_assert_ptr_nonnull(strstr(strstr(rig_body(0), "POST "),
	    "_index\":\"44\""));
	rig_end();
}
END_TEST

/* Others need not have kept what stood in front. */
START_TEST(others_keep_nothing)
{
	rig_set_up(&output_cribl);
	rig_expect(EVENTS, 400,
	    "{\"text\":\"Invalid data format\",\"code\":6,"
	    "\"invalid-event-number\":1}");
	begin(4);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 1), CHUNK_REFUSED);
	ck_assert_uint_eq(rig_marked(CHUNK_OPEN), 3);
	rig_end();
}
END_TEST

START_TEST(presets)
{
	rig_set_up(&output_crowdstrike_logscale);
	rig_expect("/api/v1/ingest/hec", 200, "{}");
	begin(1);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nAuthorization: Bearer abc\r\n"));
	rig_end();
}
END_TEST

START_TEST(delivered_when_indexed)
{
	int64_t asked;

	rig_expect(EVENTS, 200,
	    "{\"text\":\"Success\",\"code\":0,\"ackId\":0}");
	rig_expect(ACKS, 200, "{\"acks\":{\"0\":false}}");
	rig_expect(ACKS, 200, "{\"acks\":{\"0\":true}}");
	begin(3);
	asked = clock_monotonic();
	courier_deliver(&intake_rig.c);
	/* Two questions, a second apart, would take as long. */
	ck_assert_int_lt(clock_monotonic() - asked, 2 * CLOCK_SECOND);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(canned_count(intake_rig.server), 3);
	ck_assert_str_eq(intake_rig.c.out.mode, "confirmed by the indexers");
	ck_assert_ptr_nonnull(strstr(rig_request(0), "\r\n\r\n{\"acks\":[0]}"));
	rig_end();
}
END_TEST

/* The same number twice: the first one's events are not known any more. */
START_TEST(numbers_begin_anew)
{
	rig_expect(EVENTS, 200, "{\"code\":0,\"ackId\":7}");
	rig_expect(EVENTS, 200, "{\"code\":0,\"ackId\":0}");
	rig_expect(EVENTS, 200, "{\"code\":0,\"ackId\":0}");
	rig_expect(ACKS, 200, "{\"acks\":{\"7\":true,\"0\":true}}");
	rig_begin(3, EVENT, "token: abc, max_body: 1KiB", "");
	for (int i = 0; i < 9; i++)
		courier_add(&intake_rig.c, "{\"Id\":\"b\"}");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_ptr_nonnull(strstr(intake_rig.c.why, "restarted"));
	ck_assert_uint_gt(rig_marked(CHUNK_OPEN), 0);
	ck_assert_uint_gt(rig_marked(CHUNK_DELIVERED), 0);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 0), CHUNK_OPEN);
	rig_end();
}
END_TEST

/* What is asked about with number 7 is confirmed by nothing but a true 7. */
static const struct {
	const char *promise; /* of the first answer */
	const char *acks;    /* that come first */
	bool confirms;
} promises[] = {
	{ "7", "{\"7\":true}", true },
	{ "\"7\"", "{\"7\":true}", true },
	{ "7", "{}", false },
	{ "7", "{\"7\":false}", false },
	{ "7", "{\"8\":true,\"7 \":true,\" 7\":true,\"+7\":true,\"7.0\":true}",
	    false },
	{ "7", "{\"7\":\"true\"}", false },
	{ "7", "{\"18446744073709551623\":true}", false },
	{ "0", "{\"\":true,\"x\":true,\"-0\":true}", false },
};

START_TEST(only_a_true_number_confirms)
{
	char *promise =
		 xasprintf("{\"code\":0,\"ackId\":%s}", promises[_i].promise),
	     *first = xasprintf("{\"acks\":%s}", promises[_i].acks);

	rig_expect(EVENTS, 200, promise);
	rig_expect(ACKS, 200, first);
	rig_expect(ACKS, 200, "{\"acks\":{\"0\":true,\"7\":true}}");
	begin(2);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(canned_count(intake_rig.server),
	    promises[_i].confirms ? 2 : 3);
	rig_end();
	free(first);
	free(promise);
}
END_TEST

/* A promise of what is no number is none, and no receipt. */
static const char *const no_numbers[] = { "\"\"", "\"x\"", "-1", "1.5", "[7]",
	"true", "\"99999999999999999999\"" };

START_TEST(no_number_no_receipt)
{
	char *promise = xasprintf("{\"code\":0,\"ackId\":%s}", no_numbers[_i]);

	rig_expect(EVENTS, 200, promise);
	begin(2);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_ptr_nonnull(strstr(intake_rig.c.why, "ackId"));
	rig_end();
	free(promise);
}
END_TEST

/* The channel is found fault with where acknowledgements are asked for. */
static const struct {
	int status;
	const char *body;
	const char *why;
} poll_faults[] = {
	{ 400, "{\"text\":\"Data channel is missing\",\"code\":10}",
	    "no channel arrives" },
	{ 400, "{\"text\":\"Invalid data channel\",\"code\":11}",
	    "channel is invalid" },
	{ 400, "{\"text\":\"ACK is disabled\",\"code\":14}",
	    "no indexer acknowledgement" },
};

START_TEST(polls_are_refused)
{
	rig_expect(EVENTS, 200, "{\"code\":0,\"ackId\":0}");
	rig_expect(ACKS, poll_faults[_i].status, poll_faults[_i].body);
	begin(2);
	intake_rig.c.out.blocked = true;
	courier_deliver(&intake_rig.c);
	ck_assert_int_ne(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_msg(strstr(intake_rig.c.why, poll_faults[_i].why) != NULL,
	    "%s", intake_rig.c.why);
	ck_assert_uint_eq(rig_marked(CHUNK_OPEN), 2);
	rig_end();
}
END_TEST

/* Nothing of that tells of what is promised: it is asked again. */
static const struct {
	int status;
	const char *body;
} poll_blips[] = {
	{ 500, "{\"text\":\"Internal server error\",\"code\":8}" },
	{ 503, "{\"text\":\"Server is busy\",\"code\":9}" },
	{ 503, "{\"text\":\"Server is shutting down\",\"code\":23}" },
	{ 404, "<html><title>404</title>" },
	{ 400, "{\"text\":\"Invalid data channel\",\"code\":11}" },
	{ 400, "{\"text\":\"ACK is disabled\",\"code\":14}" },
	{ 200, "{\"acks\":{\"1\":false,\"0\":fal" },
	{ 200, "" },
};

START_TEST(polls_are_repeated)
{
	rig_expect(EVENTS, 200, "{\"code\":0,\"ackId\":0}");
	rig_expect(ACKS, poll_blips[_i].status, poll_blips[_i].body);
	rig_expect(ACKS, 200, "{\"acks\":{\"0\":true,\"0\":true}}");
	begin(2);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(canned_count(intake_rig.server), 3);
	rig_end();
}
END_TEST

/* check --live: the answer, and what is said. */
static const struct {
	int status;
	const char *body;
	int rc;
	const char *says;
} probes[] = {
	{ 400, "{\"text\":\"Event field cannot be blank\",\"code\":13}", 0,
	    "the token is accepted" },
	{ 400, "{\"text\":\"No data\",\"code\":5}", 0, "accepted" },
	{ 400, "{\"text\":\"Incorrect index\",\"code\":7}", -1,
	    "allowed indexes" },
	{ 403, "{\"text\":\"Token disabled\",\"code\":1}", -1,
	    "token is disabled" },
	{ 403, "{\"text\":\"Invalid token\",\"code\":4}", -1, "check token" },
	{ 404, "nothing", -1, "check url" },
	{ 200, "<html><title>Login</title>", -1, "web page" },
	{ 503, "{\"text\":\"Server is busy\",\"code\":9}", -1, "busy" },
};

START_TEST(live)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const char *said;

	rig_expect(EVENTS, probes[_i].status, probes[_i].body);
	begin(1);
	ck_assert_msg(output_splunk_hec.probe(&intake_rig.c.out, &message,
			  &err) == probes[_i].rc,
	    "%s", err.text);
	said = probes[_i].rc == 0 ? message.data : err.text;
	ck_assert_msg(strstr(said, probes[_i].says) != NULL, "%s", said);
	ck_assert_ptr_nonnull(strstr(rig_body(0),
	    "{\"event\":\"\",\"host\":\"fra1\"}"));
	buf_release(&message);
	rig_end();
}
END_TEST

Suite *
suite_splunk_hec(void)
{
	Suite *s = suite_create("splunk_hec");
	TCase *tc = tcase_create("splunk_hec");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, envelope);
	tcase_add_test(tc, configured_names);
	tcase_add_loop_test(tc, odd_events_are_strings, 0, 6);
	tcase_add_loop_test(tc, codes, 0, ROWS(answers));
	tcase_add_test(tc, one_event_at_fault);
	tcase_add_test(tc, others_keep_nothing);
	tcase_add_test(tc, presets);
	tcase_add_test(tc, delivered_when_indexed);
	tcase_add_test(tc, numbers_begin_anew);
	tcase_add_loop_test(tc, only_a_true_number_confirms, 0, ROWS(promises));
	tcase_add_loop_test(tc, no_number_no_receipt, 0, ROWS(no_numbers));
	tcase_add_loop_test(tc, polls_are_refused, 0, ROWS(poll_faults));
	tcase_add_loop_test(tc, polls_are_repeated, 0, ROWS(poll_blips));
	tcase_add_loop_test(tc, live, 0, ROWS(probes));
	suite_add_tcase(s, tc);
	return s;
}
