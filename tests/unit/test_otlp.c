/*
 * test_otlp.c - logs by OTLP/HTTP: both encodings, and what answers mean.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "outputs/http/conf.h"
#include "outputs/http/protobuf.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define LOGS "/v1/logs"
#define EVENT "{\"Id\":\"a-1\",\"n\":\"\xc3\xa4\"}"
#define RESOURCE                                                            \
	"{\"resourceLogs\":[{\"resource\":{\"attributes\":["                \
	"{\"key\":\"service.name\",\"value\":{\"stringValue\":\"sealfeed\"" \
	"}},{\"key\":\"service.version\",\"value\":{\"stringValue\":"       \
	"\"" PACKAGE_VERSION                                                \
	"\"}},{\"key\":\"service.instance.id\",\"value\":{\"stringValue\":" \
	"\"fra1\"}}]},\"scopeLogs\":[{\"scope\":{\"name\":\"sealfeed\","    \
	"\"version\":\"" PACKAGE_VERSION "\"},\"logRecords\":["

static void
set_up(void)
{
	rig_set_up(&output_otlp);
}

START_TEST(json)
{
	char *body;

	rig_expect(LOGS, 200, "{}");
	rig_begin(1, EVENT, "encoding: json, bearer: abc", "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_int_eq(strncmp(rig_request(0), "POST " LOGS " HTTP", 18), 0);
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nContent-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nAuthorization: Bearer abc\r\n"));
	body = rig_timeless_body(0, "\"observedTimeUnixNano\":\"");
	ck_assert_str_eq(body,
	    RESOURCE
	    "{\"timeUnixNano\":\"86400000000000\",\"observedTimeUnixNano\":\""
	    "0000000000000000000\",\"severityNumber\":9,\"severityText\":"
	    "\"INFO\",\"body\":{\"stringValue\":\"{\\\"Id\\\":\\\"a-1\\\","
	    "\\\"n\\\":\\\"\xc3\xa4\\\"}\"},\"attributes\":[{\"key\":"
	    "\"log.record.uid\",\"value\":{\"stringValue\":"
	    "\"fra1/contoso/Audit.Exchange/42\"}},{\"key\":\"sealfeed.feed\","
	    "\"value\":{\"stringValue\":\"contoso/Audit.Exchange\"}},{\"key\":"
	    "\"sealfeed.index\",\"value\":{\"intValue\":\"42\"}},{\"key\":"
	    "\"sealfeed.agent\",\"value\":{\"stringValue\":\"fra1\"}}]}]}]}]}");
	free(body);
	rig_end();
}
END_TEST

START_TEST(json_of_several)
{
	rig_expect("/otlp" LOGS, 200, "");
	rig_begin(3, EVENT, "encoding: json", "/otlp");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(canned_count(intake_rig.server), 1);
	ck_assert_ptr_nonnull(strstr(rig_body(0), "}]},{\"timeUnixNano\""));
	ck_assert_ptr_nonnull(strstr(rig_body(0), "\"intValue\":\"44\""));
	rig_end();
}
END_TEST

/* What is not UTF-8 keeps its bytes: text cannot have them. */
START_TEST(bytes)
{
	static const char *const options[] = { "encoding: json", "" };
	static const char *const sent[] = {
		"\"body\":{\"bytesValue\":\"eyJJZCI6Iv8ifQ==\"}",
		"\x2a\x0c\x3a\x0a{\"Id\":\"\xff\"}",
	};

	rig_expect(LOGS, 200, "");
	rig_begin(1, "{\"Id\":\"\xff\"}", options[_i], "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_ptr_nonnull(memmem(canned_requests(intake_rig.server),
	    canned_len(intake_rig.server), sent[_i], strlen(sent[_i])));
	rig_end();
}
END_TEST

/* The only field of that number that s has, as bytes. */
static struct slice
field_of(struct slice s, unsigned number)
{
	struct protobuf_reader r = { .rest = s };
	struct protobuf_field f;
	struct slice found = { .data = NULL };

	while (protobuf_next(&r, &f)) {
		if (f.number != number)
			continue;
		ck_assert_ptr_null(found.data);
		found = f.bytes;
	}
	ck_assert(!r.broken);
	ck_assert_ptr_nonnull(found.data);
	return found;
}

static bool
slice_is(struct slice s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

START_TEST(protobuf)
{
	static const char day[] = "\x00\x00\x4f\x91\x94\x4e\x00\x00";
	struct slice body, logs, scope, record;

	rig_expect(LOGS, 200, "");
	rig_begin(1, EVENT, "", LOGS);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nContent-Type: application/x-protobuf\r\n"));
	ck_assert_ptr_null(strstr(rig_request(0), "Content-Encoding"));
	body.data = rig_body(0);
	body.len = (size_t)(canned_requests(intake_rig.server) +
	    canned_len(intake_rig.server) - body.data);
	logs = field_of(body, 1);
	(void)field_of(logs, 1);
	scope = field_of(logs, 2);
	ck_assert(slice_is(field_of(field_of(scope, 1), 1), "sealfeed"));
	record = field_of(scope, 2);
	ck_assert_int_eq(memcmp(field_of(record, 1).data, day, 8), 0);
	ck_assert(slice_is(field_of(record, 3), "INFO"));
	ck_assert(slice_is(field_of(field_of(record, 5), 1), EVENT));
	ck_assert_uint_eq(field_of(record, 11).len, 8);
	rig_end();
}
END_TEST

/* By default a request is packed, its length in front of nothing else. */
START_TEST(packed)
{
	rig_expect(LOGS, 200, "");
	rig_begin(1, EVENT, "max_body: 1KiB", "");
	courier_close(&intake_rig.c);
	((struct http_output_conf *)(uintptr_t)intake_rig.c.out.conf)
	    ->compress = true;
	courier_open(&intake_rig.c, &output_otlp, intake_rig.c.out.conf, EVENT);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nContent-Encoding: gzip\r\n"));
	ck_assert_int_eq(memcmp(rig_body(0), "\x1f\x8b", 2), 0);
	rig_end();
}
END_TEST

#define REJECTED(n)                                 \
	"{\"partialSuccess\":{\"rejectedLogRecords" \
	"\":" n ",\"errorMessage\":\"not wanted\"}}"

/* Of three events. */
static const struct {
	int status;
	const char *body;
	enum verdict verdict;
	size_t refused; /* alone */
	const char *why;
} answers[] = {
	{ 200, "{}", VERDICT_DELIVERED, 0, NULL },
	{ 200, "", VERDICT_DELIVERED, 0, NULL },
	{ 202, "", VERDICT_DELIVERED, 0, NULL },
	{ 200, "{\"partialSuccess\":{}}", VERDICT_DELIVERED, 0, NULL },
	{ 200, REJECTED("\"0\""), VERDICT_DELIVERED, 0, NULL },
	{ 200, REJECTED("-1"), VERDICT_DELIVERED, 0, NULL },
	/* Nobody knows which: halves go out. */
	{ 200, REJECTED("\"1\""), VERDICT_REFUSED, 0, "rejects 1 of 3" },
	{ 200, REJECTED("2"), VERDICT_REFUSED, 0, "not wanted" },
	{ 200, "{\"partial_success\":{\"rejected_log_records\":\"1\"}}",
	    VERDICT_REFUSED, 0, "rejects 1 of 3" },
	{ 200, REJECTED("\"3\""), VERDICT_DELIVERED, 3, NULL },
	{ 200, "stored", VERDICT_BLOCKED, 0, "no answer of an OTLP" },
	{ 200, "<html><title>Login</title>", VERDICT_BLOCKED, 0, "web page" },
	{ 400, "{\"code\":3,\"message\":\"bad data\"}", VERDICT_REFUSED, 0,
	    "answers 400: bad data" },
	{ 401, "{\"code\":16,\"message\":\"no token\"}", VERDICT_BLOCKED, 0,
	    "answers 401: no token; it does not accept" },
	{ 403, "", VERDICT_BLOCKED, 0, "what the token may do" },
	{ 404, "404 page not found", VERDICT_BLOCKED, 0, "check url" },
	{ 413, "", VERDICT_REFUSED, 0, "lower max_body" },
	{ 415, "", VERDICT_BLOCKED, 0, "try encoding: json" },
	{ 429, "{\"code\":8}", VERDICT_RETRY, 0, "429" },
	{ 500, "", VERDICT_RETRY, 0, "500" },
	{ 502, "", VERDICT_RETRY, 0, "502" },
	{ 503, "{\"code\":14,\"message\":\"busy\"}", VERDICT_RETRY, 0, "busy" },
	{ 504, "", VERDICT_RETRY, 0, "504" },
};

START_TEST(meanings)
{
	rig_expect(LOGS, answers[_i].status, answers[_i].body);
	rig_begin(3, EVENT, "", "");
	intake_rig.c.out.blocked = true; /* no benefit of the doubt: sooner */
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == answers[_i].verdict, "%d %s: %s",
	    answers[_i].status, answers[_i].body, intake_rig.c.why);
	if (answers[_i].why != NULL)
		ck_assert_msg(strstr(intake_rig.c.why, answers[_i].why) != NULL,
		    "%s", intake_rig.c.why);
	ck_assert_uint_eq(intake_rig.c.refused, answers[_i].refused);
	rig_end();
}
END_TEST

/* The same by protobuf, whose bodies have no NUL here. */
static const struct {
	int status;
	const char *body;
	enum verdict verdict;
	const char *why;
} binary[] = {
	{ 200, "\x0a\x0e\x08\x01\x12\x0anot wanted", VERDICT_REFUSED,
	    "rejects 1 of 3 log records: not wanted" },
	{ 200, "\x0a\x02\x12\x05", VERDICT_BLOCKED, "no answer of an OTLP" },
	{ 200, "\x0a\xff\xff\xff", VERDICT_BLOCKED, "no answer of an OTLP" },
	/* A warning, and a field that is not known. */
	{ 200, "\x0a\x06\x12\x04slow", VERDICT_DELIVERED, NULL },
	{ 200, "\x7a\x01x", VERDICT_DELIVERED, NULL },
	{ 400,
	    "\x08\x03\x12\x08"
	    "bad data",
	    VERDICT_REFUSED, "400: bad data" },
	{ 503,
	    "\x08\x0e\x12\x04"
	    "busy",
	    VERDICT_RETRY, "503: busy" },
};

START_TEST(binary_meanings)
{
	rig_expect_with(LOGS, binary[_i].status,
	    "Content-Type: application/x-protobuf", binary[_i].body);
	rig_begin(3, EVENT, "", "");
	intake_rig.c.out.blocked = true;
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == binary[_i].verdict, "%d: %s",
	    binary[_i].status, intake_rig.c.why);
	if (binary[_i].why != NULL)
		ck_assert_msg(strstr(intake_rig.c.why, binary[_i].why) != NULL,
		    "%s", intake_rig.c.why);
	rig_end();
}
END_TEST

START_TEST(asked_to_wait)
{
	rig_expect_with(LOGS, 503, "Retry-After: 7", "");
	rig_begin(1, EVENT, "", "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_int_eq(intake_rig.c.delay, 7 * CLOCK_SECOND);
	rig_end();
}
END_TEST

static const struct {
	int status;
	const char *body;
	int rc;
	const char *says;
} probes[] = {
	{ 200, "{}", 0, "delivery is acknowledged" },
	{ 401, "{\"code\":16,\"message\":\"no token\"}", -1, "no token" },
	{ 404, "404 page not found", -1, "check url" },
	{ 200, "hello", -1, "no answer of an OTLP" },
	{ 415, "", -1, "try encoding: json" },
};

START_TEST(live)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const char *said;

	rig_expect(LOGS, probes[_i].status, probes[_i].body);
	rig_begin(1, EVENT, "encoding: json", "");
	ck_assert_msg(output_otlp.probe(&intake_rig.c.out, &message, &err) ==
		probes[_i].rc,
	    "%s", err.text);
	said = probes[_i].rc == 0 ? message.data : err.text;
	ck_assert_msg(strstr(said, probes[_i].says) != NULL, "%s", said);
	ck_assert_str_eq(rig_body(0), RESOURCE "]}]}]}");
	buf_release(&message);
	rig_end();
}
END_TEST

Suite *
suite_otlp(void)
{
	Suite *s = suite_create("otlp");
	TCase *tc = tcase_create("otlp");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, json);
	tcase_add_test(tc, json_of_several);
	tcase_add_loop_test(tc, bytes, 0, 2);
	tcase_add_test(tc, protobuf);
	tcase_add_test(tc, packed);
	tcase_add_loop_test(tc, meanings, 0, ROWS(answers));
	tcase_add_loop_test(tc, binary_meanings, 0, ROWS(binary));
	tcase_add_test(tc, asked_to_wait);
	tcase_add_loop_test(tc, live, 0, ROWS(probes));
	suite_add_tcase(s, tc);
	return s;
}
