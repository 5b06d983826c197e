/*
 * test_sentinel.c - the Logs Ingestion API: rows, answers, check --live.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define LOGIN "/t1/oauth2/v2.0/token"
#define SERVER "Server: x"
#define STREAM_OF "/dce/dataCollectionRules/dcr-7/streams/Custom-Own_CL"
#define OPTIONS                                                           \
	"rule: dcr-7, stream: Custom-Own_CL, tenant: t1, client_id: c1, " \
	"client_secret: secret1, login_url: \"@\""

static void
set_up(void)
{
	rig_set_up(&output_sentinel);
	rig_expect(LOGIN, 200, "{\"access_token\":\"abc\",\"expires_in\":9}");
}

START_TEST(rows)
{
	rig_expect(STREAM_OF, 204, "");
	rig_begin(2, "{\"Id\":\"a\\\"1\"}", OPTIONS, "/dce");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_int_eq(strncmp(rig_request(1),
			     "POST " STREAM_OF
			     "?api-version=2023-01-01 HTTP/1.1\r\n",
			     85),
	    0);
	ck_assert_ptr_nonnull(strstr(rig_request(1),
	    "\r\nContent-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(rig_request(1),
	    "\r\nx-ms-client-request-id: "));
	ck_assert_str_eq(rig_body(1),
	    "[{\"TimeGenerated\":\"1970-01-02T00:00:00.000000Z\","
	    "\"EventTime\":\"1970-01-02T00:00:00.000000Z\","
	    "\"sealfeed_agent\":\"fra1\",\"sealfeed_feed\":"
	    "\"contoso/"
	    "Audit.Exchange\",\"sealfeed_index\":42,\"sealfeed_source\":"
	    "\"office365\","
	    "\"RawData\":\"{\\\"Id\\\":\\\"a\\\\\\\"1\\\"}\"},"
	    "{\"TimeGenerated\":\"1970-01-02T00:00:00.000000Z\","
	    "\"EventTime\":\"1970-01-02T00:00:00.000000Z\","
	    "\"sealfeed_agent\":\"fra1\",\"sealfeed_feed\":"
	    "\"contoso/"
	    "Audit.Exchange\",\"sealfeed_index\":43,\"sealfeed_source\":"
	    "\"office365\","
	    "\"RawData\":\"{\\\"Id\\\":\\\"b\\\"}\"}]");
	rig_end();
}
END_TEST

/* An event of n bytes, of characters of two bytes. */
static char *
event_of(size_t n)
{
	char *event = xcalloc(n + 1, 1);

	memcpy(event, "{\"Id\":\"", 7);
	for (size_t i = 7; i + 2 < n; i += 2)
		memcpy(event + i, i + 3 < n ? "\xc3\xa4" : "x\"", 2);
	memcpy(event + n - 2, "\"}", 2);
	return event;
}

static const struct {
	size_t len;
	size_t columns;
} fields[] = {
	{ 65535, 1 },
	{ 65536, 1 },
	{ 65537, 2 },
	{ 131071, 2 },
	{ 200001, 4 },
	{ 1000000, 16 },
};

START_TEST(no_field_is_cut)
{
	char *event = event_of(fields[_i].len), name[32] = "RawData";
	struct buf text = BUF_INIT(1 << 21);
	json_t *body, *row;
	size_t n = 0;

	rig_expect(STREAM_OF, 204, "");
	rig_begin(1, event, OPTIONS, "/dce");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	body = json_loads(rig_body(1), 0, NULL);
	ck_assert_uint_eq(json_array_size(body), 1);
	row = json_array_get(body, 0);
	for (const json_t *v; (v = json_object_get(row, name)) != NULL;) {
		ck_assert_uint_le(json_string_length(v), 65536);
		ck_assert_int_eq(buf_add(&text, json_string_value(v),
				     json_string_length(v)),
		    0);
		(void)snprintf(name, sizeof(name), "RawData_%zu", ++n + 1);
	}
	ck_assert_uint_eq(n, fields[_i].columns);
	ck_assert_str_eq(text.data, event);
	json_decref(body);
	buf_release(&text);
	rig_end();
	free(event);
}
END_TEST

START_TEST(what_never_fits_is_told_alone)
{
	char *event = event_of(1 << 20);

	rig_expect(STREAM_OF, 204, "");
	rig_begin(2, event, OPTIONS, "/dce");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(intake_rig.c.refused, 1);
	ck_assert_ptr_nonnull(strstr(rig_body(1), "\"sealfeed_index\":43,"));
	rig_end();
	free(event);
}
END_TEST

static const struct {
	int status;
	const char *body;
	enum verdict verdict;
	const char *why;
} answers[] = {
	{ 200, "{}", VERDICT_BLOCKED, "Azure Monitor answers 204" },
	{ 202, "", VERDICT_BLOCKED, "Azure Monitor answers 204" },
	{ 203, "", VERDICT_BLOCKED, "Azure Monitor answers 204" },
	{ 206, "", VERDICT_BLOCKED, "Azure Monitor answers 204" },
	{ 400,
	    "{\"error\":{\"code\":\"InvalidStream\",\"message\":\"The stream "
	    "Custom-Own_CL was not configured for the rule.\"}}",
	    VERDICT_BLOCKED,
	    "answers 400: InvalidStream: The stream Custom-Own_CL was not "
	    "configured for the rule.; check stream" },
	{ 400, "{\"error\":{\"code\":\"InvalidPayload\"}}", VERDICT_REFUSED,
	    "InvalidPayload" },
	{ 403, "{\"error\":{\"code\":\"OperationFailed\"}}", VERDICT_BLOCKED,
	    "Monitoring Metrics Publisher" },
	{ 404,
	    "{\"error\":{\"code\":\"NotFound\",\"message\":\"Data collection "
	    "rule with immutable Id 'dcr-7' not found.\"}}",
	    VERDICT_BLOCKED, "check rule" },
	{ 413, "{\"error\":{\"code\":\"ContentLengthLimitExceeded\"}}",
	    VERDICT_REFUSED, "max_body" },
	{ 429, "", VERDICT_RETRY, "429" },
	{ 500, "", VERDICT_RETRY, "500" },
	{ 503, "<html>busy", VERDICT_RETRY, "503" },
};

START_TEST(other_answers)
{
	rig_expect(STREAM_OF, answers[_i].status, answers[_i].body);
	rig_begin(3, "{}", OPTIONS, "/dce");
	intake_rig.c.out.blocked = true; /* no benefit of the doubt: sooner */
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == answers[_i].verdict, "%s: %s",
	    answers[_i].body, intake_rig.c.why);
	ck_assert_msg(strstr(intake_rig.c.why, answers[_i].why) != NULL, "%s",
	    intake_rig.c.why);
	ck_assert_uint_eq(intake_rig.c.refused, 0);
	rig_end();
}
END_TEST

#define ENTRA(error, code, text)                                       \
	"{\"error\":\"" error "\",\"error_description\":\"AADSTS" code \
	": " text "\",\"error_codes\":[" code "]}"

/* What the server for tokens answers, once and for all: nothing is refused. */
static const struct {
	int status;
	const char *headers;
	const char *body;
	enum verdict verdict;
	const char *why;
} logins[] = {
	{ 401, SERVER,
	    ENTRA("invalid_client", "7000215", "Invalid client secret."),
	    VERDICT_BLOCKED, "value, not its ID" },
	{ 401, SERVER,
	    ENTRA("invalid_client", "7000222", "The keys are expired."),
	    VERDICT_BLOCKED, "has expired" },
	{ 401, SERVER,
	    ENTRA("invalid_client", "700027", "The certificate is not there."),
	    VERDICT_BLOCKED, "upload certificate" },
	{ 401, SERVER,
	    ENTRA("invalid_client", "700024", "Not within its valid time."),
	    VERDICT_RETRY, "clock" },
	{ 400, SERVER,
	    ENTRA("unauthorized_client", "700016", "Application not found."),
	    VERDICT_BLOCKED, "check client_id, tenant and cloud" },
	{ 400, SERVER, ENTRA("invalid_request", "90002", "Tenant not found."),
	    VERDICT_BLOCKED, "check tenant and cloud" },
	{ 400, SERVER, "{\"error\":\"invalid_request\"}", VERDICT_BLOCKED,
	    "the token request is refused; "
	    "check tenant, client_id, client_secret or certificate, cloud and "
	    "login_url" },
	{ 401, SERVER, "{\"error\":\"invalid_client\"}", VERDICT_BLOCKED,
	    "; check tenant, client_id" },
	{ 400, SERVER,
	    ENTRA("invalid_resource", "500011", "Principal not found."),
	    VERDICT_BLOCKED, "tenant" },
	{ 404, SERVER, "", VERDICT_BLOCKED, "no token endpoint; check tenant" },
	{ 429, "Retry-After: 7", "{}", VERDICT_RETRY, "429" },
	{ 503, SERVER, ENTRA("temporarily_unavailable", "90033", "Busy."),
	    VERDICT_RETRY, "temporarily unavailable" },
	{ 500, SERVER, "", VERDICT_RETRY, "500" },
	{ 502, SERVER, "<html>bad gateway", VERDICT_RETRY, "502" },
	/* No token is in it. */
	{ 200, "Content-Type: text/html", "<html>Log in", VERDICT_RETRY, "" },
	{ 200, SERVER, "{}", VERDICT_RETRY, "" },
	{ 200, SERVER, "{\"access_token\":\"\"}", VERDICT_RETRY, "" },
};

START_TEST(token_servers_answer)
{
	rig_set_up(&output_sentinel);
	rig_expect_with(LOGIN, logins[_i].status, logins[_i].headers,
	    logins[_i].body);
	rig_expect(STREAM_OF, 204, "");
	rig_begin(3, "{}", OPTIONS, "/dce");
	intake_rig.c.out.blocked = true; /* no benefit of the doubt: sooner */
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == logins[_i].verdict,
	    "%d %s: %d %s", logins[_i].status, logins[_i].body,
	    intake_rig.c.verdict, intake_rig.c.why);
	ck_assert_msg(strstr(intake_rig.c.why, logins[_i].why) != NULL, "%s",
	    intake_rig.c.why);
	ck_assert_ptr_null(strstr(intake_rig.c.why, "secret1"));
	ck_assert_uint_eq(intake_rig.c.refused, 0);
	ck_assert_uint_eq(rig_marked(CHUNK_OPEN), 3);
	rig_end();
}
END_TEST

static const struct {
	int status;
	const char *body;
	int rc;
	const char *says;
} probes[] = {
	{ 204, "", 0, "takes the app's requests" },
	{ 400, "{\"error\":{\"code\":\"InvalidPayload\"}}", 0,
	    "takes the app's requests" },
	{ 400, "{\"error\":{\"code\":\"InvalidStream\"}}", -1, "check stream" },
	{ 403, "{}", -1, "Monitoring Metrics Publisher" },
	{ 404, "{}", -1, "check rule" },
	{ 200, "{}", -1, "answers 204" },
	{ 503, "{}", -1, "answers 503" },
};

START_TEST(live)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const char *said;

	rig_expect(STREAM_OF, probes[_i].status, probes[_i].body);
	rig_begin(1, "{}", OPTIONS, "/dce");
	ck_assert_msg(output_sentinel.probe(&intake_rig.c.out, &message,
			  &err) == probes[_i].rc,
	    "%s", err.text);
	said = probes[_i].rc == 0 ? message.data : err.text;
	ck_assert_msg(strstr(said, probes[_i].says) != NULL, "%s", said);
	ck_assert_str_eq(rig_body(1), "[]");
	buf_release(&message);
	rig_end();
}
END_TEST

/* The columns of the template are the members of a row, under names that Azure
 * Monitor takes. */
START_TEST(template_has_the_columns)
{
	static const char *const others[] = { "sealfeed_size", "sealfeed_id",
		"sealfeed_version_of", "sealfeed_via" };
	json_t *top =
	    json_load_file(SRCDIR "/packaging/siem/sentinel/template.json", 0,
		NULL);
	json_t *columns = json_object_get(json_object_get(top, "variables"),
		   "columns"),
	       *names = json_object(), *body, *value;
	char *event = event_of(1000000);
	const char *name;
	size_t i;

	ck_assert_msg(json_is_array(columns), "no template");
	json_array_foreach(columns, i, value)
	{
		name = json_string_value(json_object_get(value, "name"));
		ck_assert_uint_le(strlen(name), 45);
		(void)json_object_set(names, name, value);
	}
	rig_expect(STREAM_OF, 204, "");
	rig_begin(1, event, OPTIONS, "/dce");
	courier_deliver(&intake_rig.c);
	body = json_loads(rig_body(1), 0, NULL);
	json_object_foreach(json_array_get(body, 0), name, value)
	    ck_assert_msg(json_object_del(names, name) == 0, "%s", name);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_int_eq(json_object_del(names, others[i]), 0);
	ck_assert_uint_eq(json_object_size(names), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(top, "resources")),
	    5);
	json_decref(body);
	json_decref(names);
	json_decref(top);
	rig_end();
	free(event);
}
END_TEST

Suite *
suite_sentinel(void)
{
	Suite *s = suite_create("sentinel");
	TCase *tc = tcase_create("sentinel");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, rows);
	tcase_add_loop_test(tc, no_field_is_cut, 0, ROWS(fields));
	tcase_add_test(tc, what_never_fits_is_told_alone);
	tcase_add_loop_test(tc, other_answers, 0, ROWS(answers));
	tcase_add_loop_test(tc, token_servers_answer, 0, ROWS(logins));
	tcase_add_loop_test(tc, live, 0, ROWS(probes));
	tcase_add_test(tc, template_has_the_columns);
	suite_add_tcase(s, tc);
	return s;
}
