/*
 * test_presets.c - outputs that are another one with other defaults.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define EVENT "{\"Id\":\"a-1\"}"

static const struct {
	const struct output_type *type;
	const char *options;
	const char *path;   /* behind the host of url */
	const char *target; /* that is asked */
	const char *header;
	const char *type_header;
	const char *body; /* begins so */
	const char *probe;
	const char *receipt;
} presets[] = {
	{ &output_logstash, "basic: \"u:p\"", "", "/",
	    "\r\nAuthorization: Basic dTpw\r\n",
	    "\r\nContent-Type: application/json\r\n",
	    "[{\"feed\":\"contoso/Audit.Exchange\",\"index\":42,\"agent\":"
	    "\"fra1\",\"event\":" EVENT "}",
	    "[]", "ok" },
	{ &output_panther, "headers: {x-api-key: abc}", "/http/1", "/http/1",
	    "\r\nx-api-key: abc\r\n",
	    "\r\nContent-Type: application/x-ndjson\r\n",
	    EVENT "\n{\"Id\":\"b\"}\n", "", "{}" },
	{ &output_axiom, "token: abc, dataset: m365, encoding: json", "",
	    "/v1/logs",
	    "\r\nAuthorization: Bearer abc\r\n"
	    "X-Axiom-Dataset: m365\r\n",
	    "\r\nContent-Type: application/json\r\n", "{\"resourceLogs\":[",
	    "{\"resourceLogs\":[", "{}" },
	{ &output_new_relic, "license_key: abc, encoding: json", "/v1/logs",
	    "/v1/logs", "\r\napi-key: abc\r\n",
	    "\r\nContent-Type: application/json\r\n", "{\"resourceLogs\":[",
	    "{\"resourceLogs\":[", "" },
};

START_TEST(delivered)
{
	rig_set_up(presets[_i].type);
	rig_expect(presets[_i].target, 200, presets[_i].receipt);
	rig_begin(2, EVENT, presets[_i].options, presets[_i].path);
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_msg(strstr(rig_request(0), presets[_i].header) != NULL, "%s",
	    rig_request(0));
	ck_assert_ptr_nonnull(strstr(rig_request(0), presets[_i].type_header));
	ck_assert_msg(strncmp(rig_body(0), presets[_i].body,
			  strlen(presets[_i].body)) == 0,
	    "%s", rig_body(0));
	rig_end();
}
END_TEST

/* Larger than what the service keeps of an event, which it would cut under its
 * receipt. */
static const struct {
	const struct output_type *type;
	const char *options;
	const char *target;
	size_t most;
} cut[] = {
	{ &output_crowdstrike_logscale, "token: abc", "/api/v1/ingest/hec",
	    1000000 },
	{ &output_axiom, "token: abc, dataset: m365", "/v1/logs", 1000000 },
	{ &output_new_relic, "license_key: abc", "/v1/logs", 128000 },
	{ &output_new_relic, "license_key: abc, encoding: json", "/v1/logs",
	    128000 },
};

START_TEST(what_would_be_cut_is_a_dead_letter)
{
	size_t len = cut[_i].most + 1;
	char *event = xcalloc(1, len + 1);

	memset(event, 'x', len);
	memcpy(event, "{\"Id\":\"", 7);
	memcpy(event + len - 2, "\"}", 2);
	rig_set_up(cut[_i].type);
	rig_expect(cut[_i].target, 200, "{}");
	rig_begin(3, event, cut[_i].options, "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(intake_rig.c.refused, 1);
	ck_assert_int_eq(chunk_mark(intake_rig.c.chunk, 0), CHUNK_REFUSED);
	rig_end();
	/* One that is not larger goes. */
	memcpy(event + len - 3, "\"}", 3);
	rig_set_up(cut[_i].type);
	rig_expect(cut[_i].target, 200, "{}");
	rig_begin(1, event, cut[_i].options, "");
	courier_deliver(&intake_rig.c);
	ck_assert_uint_eq(intake_rig.c.refused, 0);
	free(event);
	rig_end();
}
END_TEST

/* An event's time goes as the record's where a receiver keeps that. */
#define OWN(nanoseconds) "{\"timeUnixNano\":\"" nanoseconds "\",\"observed"
#define APART(time)                                                            \
	"{\"key\":\"sealfeed.time\",\"value\":{\"stringValue\":\"" time "\"}}" \
	"]}"
#define YEAR_2262 INT64_C(9223372036854775)
#define YEAR_9999 INT64_C(253402300799999999)
static const struct {
	const struct output_type *type;
	const char *options;
	int64_t when;
	const char *sent;
} times[] = {
	/* 0 would be none. */
	{ &output_otlp, "encoding: json", 0,
	    APART("1970-01-01T00:00:00.000000Z") },
	{ &output_otlp, "encoding: json", 1, OWN("1000") },
	{ &output_otlp, "encoding: json", CLOCK_DAY, OWN("86400000000000") },
	{ &output_otlp, "encoding: json", YEAR_2262,
	    OWN("9223372036854775000") },
	/* Nanoseconds of later ones are no number of 64 bits. */
	{ &output_otlp, "encoding: json", YEAR_2262 + 1,
	    APART("2262-04-11T23:47:16.854776Z") },
	{ &output_otlp, "encoding: json", YEAR_9999,
	    APART("9999-12-31T23:59:59.999999Z") },
	{ &output_otlp, "", YEAR_9999, "9999-12-31T23:59:59.999999Z" },
	{ &output_otlp, "encoding: json, late_after: 23h", CLOCK_DAY,
	    APART("1970-01-02T00:00:00.000000Z") },
	{ &output_otlp, "encoding: json, late_after: 0s", CLOCK_DAY,
	    OWN("86400000000000") },
	{ &output_axiom, "encoding: json, token: abc, dataset: m365", CLOCK_DAY,
	    OWN("86400000000000") },
	{ &output_new_relic, "encoding: json, license_key: abc", CLOCK_DAY,
	    APART("1970-01-02T00:00:00.000000Z") },
};

START_TEST(times_that_are_kept)
{
	courier_when = times[_i].when;
	rig_set_up(times[_i].type);
	rig_expect("/v1/logs", 200, "{}");
	rig_begin(1, EVENT, times[_i].options, "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_msg(memmem(canned_requests(intake_rig.server),
			  canned_len(intake_rig.server), times[_i].sent,
			  strlen(times[_i].sent)) != NULL,
	    "%s", rig_body(0));
	courier_when = CLOCK_DAY;
	rig_end();
}
END_TEST

/* New Relic goes by a time in the event in place of the record's, and drops
 * what is old by it: such an event goes in its line, where it finds none. */
#define LINE(event)                                                      \
	"\"body\":{\"stringValue\":\"{\\\"feed\\\":"                     \
	"\\\"contoso/Audit.Exchange\\\",\\\"index\\\":42,\\\"agent\\\":" \
	"\\\"fra1\\\",\\\"event\\\":" event "}\"}"
#define ALONE(event) "\"body\":{\"stringValue\":\"" event "\"}"
static const struct {
	const struct output_type *type;
	int64_t age; /* INT64_MIN: its time is not known */
	const char *event;
	const char *body;
} inner_times[] = {
	{ &output_new_relic, 48 * CLOCK_HOUR, "{\"timestamp\":1}",
	    LINE("{\\\"timestamp\\\":1}") },
	{ &output_new_relic, 48 * CLOCK_HOUR, "{\"timestamp\":\"1970\"}",
	    LINE("{\\\"timestamp\\\":\\\"1970\\\"}") },
	{ &output_new_relic, INT64_MIN, "{\"timestamp\":1}",
	    LINE("{\\\"timestamp\\\":1}") },
	/* What it keeps, and what has no time, or none that it finds. */
	{ &output_new_relic, CLOCK_HOUR, "{\"timestamp\":1}",
	    ALONE("{\\\"timestamp\\\":1}") },
	{ &output_new_relic, 48 * CLOCK_HOUR, "{\"time\":1}",
	    ALONE("{\\\"time\\\":1}") },
	{ &output_new_relic, 48 * CLOCK_HOUR, "{\"a\":{\"timestamp\":1}}",
	    ALONE("{\\\"a\\\":{\\\"timestamp\\\":1}}") },
	{ &output_new_relic, 48 * CLOCK_HOUR, "{\"timestamp\":01}",
	    ALONE("{\\\"timestamp\\\":01}") },
	{ &output_axiom, 48 * CLOCK_HOUR, "{\"timestamp\":1}",
	    ALONE("{\\\"timestamp\\\":1}") },
};

START_TEST(times_in_events)
{
	courier_when = inner_times[_i].age == INT64_MIN
	    ? INT64_MIN
	    : clock_now() - inner_times[_i].age;
	rig_set_up(inner_times[_i].type);
	rig_expect("/v1/logs", 200, "{}");
	rig_begin(1, inner_times[_i].event,
	    inner_times[_i].type == &output_axiom
		? "encoding: json, token: abc, dataset: m365"
		: "encoding: json, license_key: abc",
	    "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_msg(strstr(rig_body(0), inner_times[_i].body) != NULL, "%s",
	    rig_body(0));
	courier_when = CLOCK_DAY;
	rig_end();
}
END_TEST

/* How each dialect says by which way an event came. */
static const struct {
	const struct output_type *type;
	const char *options;
	const char *path;
	const char *target;
	const char *mark;
} ways[] = {
	{ &output_elasticsearch, "api_key: abc", "/es", "/es/_bulk",
	    "\"via\":\"backfill\"" },
	{ &output_splunk_hec, "token: abc", "", "/services/collector/event",
	    "\"sealfeed_via\":\"backfill\"" },
	{ &output_datadog, "api_key: abc", "", "/api/v2/logs",
	    "\"via\":\"backfill\"" },
	{ &output_loki, "encoding: json", "", "/loki/api/v1/push",
	    "\"sealfeed_via\":\"backfill\"" },
	{ &output_graylog, "parallel: 1", "", "/gelf",
	    "\"_sealfeed_via\":\"backfill\"" },
	{ &output_otlp, "encoding: json, bearer: abc", "", "/v1/logs",
	    "{\"key\":\"sealfeed.via\",\"value\":{\"stringValue\":"
	    "\"backfill\"}}" },
	{ &output_logstash, "basic: \"u:p\"", "", "/",
	    ",\"via\":\"backfill\",\"event\":" },
};

START_TEST(other_ways_are_said)
{
	courier_via = VIA_BACKFILL;
	rig_set_up(ways[_i].type);
	rig_expect(ways[_i].target, 200, "{}");
	rig_begin(1, EVENT, ways[_i].options, ways[_i].path);
	courier_deliver(&intake_rig.c);
	ck_assert_msg(strstr(rig_body(0), ways[_i].mark) != NULL, "%s",
	    rig_body(0));
	courier_via = VIA_FEED;
	rig_end();
}
END_TEST

START_TEST(live)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const struct output_type *type = presets[_i].type;

	rig_set_up(type);
	rig_expect(presets[_i].target, 200, presets[_i].receipt);
	rig_begin(1, EVENT, presets[_i].options, presets[_i].path);
	ck_assert_msg(type->probe(&intake_rig.c.out, &message, &err) == 0, "%s",
	    err.text);
	ck_assert_ptr_nonnull(strstr(message.data, "acknowledged"));
	ck_assert_int_eq(strncmp(rig_body(0), presets[_i].probe,
			     strlen(presets[_i].probe)),
	    0);
	ck_assert_ptr_null(strstr(rig_body(0), "a-1"));
	buf_release(&message);
	rig_end();
}
END_TEST

/*
 * What a receiver, or whoever stands in front of it, may answer to three
 * events.
 */

static const struct {
	const struct output_type *type;
	const char *options;
	const char *path;
	const char *target;
	int good;            /* its own status, … */
	const char *receipt; /* … and body */
	enum {
		OWN,
		EMPTY,
		ANY
	} others;         /* nothing else is a receipt, its own
			     status with nothing in it is, or
			     any 2xx with that */
	enum verdict bad; /* of "bad" under 400 */
} receivers[] = {
	{ &output_crowdstrike_logscale, "token: abc", "", "/api/v1/ingest/hec",
	    200, "{}", EMPTY, VERDICT_REFUSED },
	{ &output_cribl, "token: abc", "", "/services/collector/event", 200,
	    "{\"text\":\"Success\",\"code\":0}", ANY, VERDICT_REFUSED },
	{ &output_vector, "token: abc", "", "/services/collector/event", 200,
	    "{\"text\":\"Success\",\"code\":0}", OWN, VERDICT_REFUSED },
	{ &output_fluent_bit, "token: abc", "", "/services/collector/event",
	    200, "{\"text\":\"Success\",\"code\":0}", OWN, VERDICT_BLOCKED },
	{ &output_logstash, "basic: \"u:p\"", "", "/", 200, "ok", ANY,
	    VERDICT_REFUSED },
	{ &output_axiom, "token: abc, dataset: m365, encoding: json", "",
	    "/v1/logs", 200, "{}", ANY, VERDICT_REFUSED },
	{ &output_new_relic, "license_key: abc, encoding: json", "", "/v1/logs",
	    200, "", ANY, VERDICT_REFUSED },
	{ &output_panther, "headers: {x-api-key: abc}", "/http/1", "/http/1",
	    200, "{}", ANY, VERDICT_REFUSED },
	{ &output_datadog, "api_key: abc", "", "/api/v2/logs", 202, "{}", EMPTY,
	    VERDICT_REFUSED },
	{ &output_sumologic, "", "/receiver/v1/http/abc",
	    "/receiver/v1/http/abc", 200, "", EMPTY, VERDICT_REFUSED },
};

#define SERVER "Server: x"

static const struct {
	int status;
	const char *headers;
	const char *body; /* NULL: the receiver's own */
	enum verdict verdict;
	int64_t delay;
} hostile[] = {
	{ 0, SERVER, NULL, VERDICT_DELIVERED, 0 },
	/* A proxy, a login page, a gateway: nothing is delivered. */
	{ 0, "Content-Type: text/html", "<!DOCTYPE html><title>Log in</title>",
	    VERDICT_BLOCKED, 0 },
	{ 0, "Content-Type: text/html", "moved", VERDICT_BLOCKED, 0 },
	{ 0, SERVER, "{\"error\":\"unauthorized\"}", VERDICT_BLOCKED, 0 },
	{ 0, SERVER, "{\"error\":{\"code\":401}}", VERDICT_BLOCKED, 0 },
	{ 0, SERVER, "{\"errors\":[{\"title\":\"Forbidden\"}]}",
	    VERDICT_BLOCKED, 0 },
	{ 207, SERVER, "{}", VERDICT_BLOCKED, 0 },
	{ 302, "Location: /login", "", VERDICT_BLOCKED, 0 },
	/* It will not go until somebody does something. */
	{ 401, SERVER, "no", VERDICT_BLOCKED, 0 },
	{ 401, SERVER, "<html>no", VERDICT_BLOCKED, 0 },
	{ 403, SERVER, "no", VERDICT_BLOCKED, 0 },
	{ 404, SERVER, "no", VERDICT_BLOCKED, 0 },
	{ 407, SERVER, "", VERDICT_BLOCKED, 0 },
	{ 415, SERVER, "", VERDICT_BLOCKED, 0 },
	/* One of the three may be to blame: none is lost before that is known.
	 */
	{ 400, SERVER, "bad", VERDICT_REFUSED, 0 }, /* or its own */
	{ 413, SERVER, "<html>too large", VERDICT_REFUSED, 0 },
	/* Later. */
	{ 408, SERVER, "", VERDICT_RETRY, 0 },
	{ 429, SERVER, "", VERDICT_RETRY, 0 },
	{ 429, "Retry-After: 7", "", VERDICT_RETRY, 7 * CLOCK_SECOND },
	{ 500, SERVER, "", VERDICT_RETRY, 0 },
	{ 502, SERVER, "<html>bad gateway", VERDICT_RETRY, 0 },
	{ 503, "Retry-After: 7", "", VERDICT_RETRY, 7 * CLOCK_SECOND },
};

START_TEST(hostile_answers)
{
	int status = hostile[_i].status;
	const char *body = hostile[_i].body;

	for (size_t i = 0; i < ROWS(receivers); i++) {
		rig_set_up(receivers[i].type);
		rig_expect_with(receivers[i].target,
		    status == 0 ? receivers[i].good : status,
		    hostile[_i].headers,
		    body == NULL ? receivers[i].receipt : body);
		rig_begin(3, EVENT, receivers[i].options, receivers[i].path);
		/* No benefit of the doubt: sooner. */
		intake_rig.c.out.blocked = true;
		courier_deliver(&intake_rig.c);
		ck_assert_msg(intake_rig.c.verdict ==
			    (status == 400 ? receivers[i].bad
					   : hostile[_i].verdict) &&
			intake_rig.c.delay == hostile[_i].delay,
		    "%s: %d: %d after %lld: %s", receivers[i].type->type.name,
		    status, intake_rig.c.verdict, (long long)intake_rig.c.delay,
		    intake_rig.c.why);
		ck_assert_uint_eq(intake_rig.c.refused, 0);
		rig_end();
	}
}
END_TEST

/* 2xx with nothing in it. */
START_TEST(other_receipts)
{
	static const int statuses[] = { 200, 202, 204 };
	int status = statuses[_i];

	for (size_t i = 0; i < ROWS(receivers); i++) {
		bool good = receivers[i].others == ANY ||
		    (receivers[i].others == EMPTY &&
			status == receivers[i].good);

		rig_set_up(receivers[i].type);
		rig_expect(receivers[i].target, status, "");
		rig_begin(3, EVENT, receivers[i].options, receivers[i].path);
		intake_rig.c.out.blocked = true;
		courier_deliver(&intake_rig.c);
		ck_assert_msg(intake_rig.c.verdict ==
			(good ? VERDICT_DELIVERED : VERDICT_BLOCKED),
		    "%s: %d: %d: %s", receivers[i].type->type.name, status,
		    intake_rig.c.verdict, intake_rig.c.why);
		rig_end();
	}
}
END_TEST

Suite *
suite_presets(void)
{
	Suite *s = suite_create("presets");
	TCase *tc = tcase_create("presets");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, delivered, 0, ROWS(presets));
	tcase_add_loop_test(tc, what_would_be_cut_is_a_dead_letter, 0,
	    ROWS(cut));
	tcase_add_loop_test(tc, times_that_are_kept, 0, ROWS(times));
	tcase_add_loop_test(tc, times_in_events, 0, ROWS(inner_times));
	tcase_add_loop_test(tc, other_ways_are_said, 0, ROWS(ways));
	tcase_add_loop_test(tc, live, 0, ROWS(presets));
	tcase_add_loop_test(tc, hostile_answers, 0, ROWS(hostile));
	tcase_add_loop_test(tc, other_receipts, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}
