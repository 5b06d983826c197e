/*
 * test_rules.c - what replies mean.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "http/client.h"
#include "http/rules.h"
#include "sources/office365/office365.h"
#include "tests/unit/unit.h"

static void
judge_by(const struct rule *rules, int status, const char *headers,
    const char *body, struct outcome *r)
{
	struct http_reply reply;
	char value[100];

	http_reply_init(&reply);
	reply.status = status;
	ck_assert_int_eq(buf_adds(&reply.headers, headers), 0);
	ck_assert_int_eq(buf_adds(&reply.body, body), 0);
	if (http_header(&reply, "Retry-After", value, sizeof(value)))
		reply.retry_after = http_retry_after(value, 0);
	rules_judge(rules, &reply, r);
	http_reply_release(&reply);
}

static void
judge(int status, const char *headers, const char *body, struct outcome *r)
{
	judge_by(office365_rules, status, headers, body, r);
}

static const struct {
	int status;
	const char *headers;
	const char *body;
	enum reply_class class;
	const char *says;
} replies[] = {
	{ 200, "", "[]", REPLY_OK, "200" },
	{ 403, "",
	    "{\"error\":{\"code\":\"AF429\",\"message\":\"Too many "
	    "requests. Method=GetBlob, PublisherId="
	    "00000000-0000-0000-0000-000000000000\"}}",
	    REPLY_THROTTLED, "publisher" },
	{ 429, "Retry-After: 3\r\n", "", REPLY_THROTTLED, "too many" },
	{ 503, "Retry-After: 3\r\n", "<html>", REPLY_RETRY, "unavailable" },
	{ 503, "", "<html>", REPLY_RETRY, "503" },
	{ 500, "", "{\"error\":{\"code\":\"AF50000\"}}", REPLY_RETRY,
	    "internal" },
	{ 500, "", "{\"error\":{\"code\":\"AF50005\"}}", REPLY_RETRY,
	    "internal" },
	{ 401, "", "", REPLY_UNAUTHORISED, "token" },
	{ 401, "", "{\"error\":{\"code\":\"AF10001\"}}", REPLY_CONFIG,
	    "ActivityFeed.ReadDlp" },
	{ 400, "", "{\"error\":{\"code\":\"AF20024\"}}", REPLY_BENIGN,
	    "already" },
	{ 400, "", "{\"error\":{\"code\":\"AF20022\"}}", REPLY_INACTIVE,
	    "no subscription" },
	{ 400, "", "{\"error\":{\"code\":\"AF20030\"}}", REPLY_CLOCK,
	    "24 hours" },
	{ 400, "", "{\"error\":{\"code\":\"AF20055\"}}", REPLY_CLOCK,
	    "24 hours" },
	{ 400, "", "{\"error\":{\"code\":\"AF20031\"}}", REPLY_CURSOR,
	    "next page" },
	{ 404, "", "{\"error\":{\"code\":\"AF20050\"}}", REPLY_GONE,
	    "does not exist" },
	{ 400, "", "{\"error\":{\"code\":\"AF20051\"}}", REPLY_GONE, "7 days" },
	{ 404, "", "not here", REPLY_RETRY, "not here" },
	{ 400, "",
	    "{\"error\":{\"code\":\"X\",\"message\":\"Microsoft.Office"
	    ".Compliance.Audit.DataServiceException: Tenant 1 does "
	    "not exist.\"}}",
	    REPLY_CONFIG, "switched off" },
	{ 407, "", "", REPLY_CREDENTIALS, "proxy" },
	{ 302, "", "", REPLY_RETRY, "302" },
	{ 302, "Location: https://login.example/a?secret=1\r\n", "",
	    REPLY_RETRY, "to https://login.example/a, which is not followed" },
	{ 418, "", "", REPLY_RETRY, "418" },
	{ 418, "", "{\"teapot\":true}", REPLY_RETRY,
	    "the reply begins: {\"teapot\":true}" },
	/* Pages are of something in between. */
	{ 401, "", "<html><title>Sign in</title>", REPLY_RETRY,
	    "a proxy, firewall or login is in between" },
	{ 403, "", " \r\n<!DOCTYPE html><title>Denied - Zscaler</title>",
	    REPLY_RETRY, "the server says: Denied - Zscaler" },
	{ 404, "", "<html>AF20050</html>", REPLY_RETRY, "a page" },
	{ 502, "", "<html><title>Bad Gateway</title>", REPLY_RETRY,
	    "status 502: an error page, of the server or of a proxy in "
	    "between; the server says: Bad Gateway" },
	{ 429, "Retry-After: 3\r\n", "<html>", REPLY_THROTTLED, "too many" },
	{ 407, "", "<html>", REPLY_CREDENTIALS, "proxy" },
	{ 401, "",
	    "\f\xef\xbb\xbf <?xml version='1.0'?><html><title>"
	    "F5</title>",
	    REPLY_RETRY, "the server says: F5" },
	{ 503, "Retry-After: 5\r\n", "\n<!-- squid --><HTML>", REPLY_RETRY,
	    "unavailable" },
	{ 304, "", "", REPLY_RETRY, "a cache in between" },
	{ 404, "", "{\"error\":\"blocked by policy AF20050\"}", REPLY_RETRY,
	    "blocked by policy" },
	{ 404, "", "{\"code\":404,\"message\":\"no route\"}", REPLY_RETRY,
	    "no route" },
	/* Whatever form an error has. */
	{ 403, "", "\xef\xbb\xbf{\"error\":{\"code\":\"AF429\"}}",
	    REPLY_THROTTLED, "too many" },
	{ 400, "",
	    "{\"odata.error\":{\"code\":\"AF20022\",\"message\":{\"lang\":"
	    "\"en\",\"value\":\"None.\"}}}",
	    REPLY_INACTIVE, "None." },
};

START_TEST(classes)
{
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct outcome r;

		judge(replies[i].status, replies[i].headers, replies[i].body,
		    &r);
		ck_assert_msg(r.class == replies[i].class, "%zu: %s: %s", i,
		    reply_class_name(r.class), r.text);
		ck_assert_msg(strstr(r.text, replies[i].says) != NULL,
		    "%zu: %s", i, r.text);
	}
}
END_TEST

/* Vendors write their messages now so and now so. */
START_TEST(words_in_any_case)
{
	static const struct rule rules[] = { { .status = 400,
						 .text = "skip token",
						 .class = REPLY_CURSOR,
						 .cause = "lost" },
		{ .status = 0 } };
	struct outcome r;

	judge_by(rules, 400, "",
	    "{\"error\":{\"code\":\"\",\"message\":\"Invalid Skip Token\"}}",
	    &r);
	ck_assert_int_eq(r.class, REPLY_CURSOR);
	judge_by(rules, 400, "", "{\"error\":{\"message\":\"Skipped\"}}", &r);
	ck_assert_int_eq(r.class, REPLY_RETRY);
}
END_TEST

START_TEST(the_vendor_says_how_long)
{
	struct outcome r;

	judge(429, "Retry-After: 3\r\n", "", &r);
	ck_assert_int_eq(r.wait, 3 * CLOCK_SECOND);
	judge(429, "", "", &r);
	ck_assert_int_eq(r.wait, 0);
}
END_TEST

static const struct {
	const char *body;
	const char *code;
	const char *message;
} bodies[] = {
	{ "{\"error\":{\"code\":\"AF1\",\"message\":\"m\"}}", "AF1", "m" },
	{ "{\"error\":\"invalid_client\",\"error_description\":"
	  "\"AADSTS7000222: The provided client secret keys are "
	  "expired.\"}",
	    "AADSTS7000222",
	    "AADSTS7000222: The provided client secret keys are "
	    "expired." },
	{ "{\"Message\":\"denied\\r\\n  twice\"}", "", "denied twice" },
	{ "{\"error\":\"not allowed here\"}", "", "not allowed here" },
	{ "\xef\xbb\xbf{\"Error\":{\"Code\":\"A\",\"Message\":\"m\"}}", "A",
	    "m" },
	{ "\xef\xbb\xbf\xef\xbb\xbf{\"error\":\"not twice\"}", "",
	    "not twice" },
	{ "[{\"error\":{\"code\":\"A\",\"message\":\"m\"}}]", "A", "m" },
	{ "{\"errors\":[{\"code\":\"A\",\"detail\":\"m\"}]}", "A", "m" },
	{ "{\"Message\":\"Invalid.\",\"ModelState\":{\"x\":[\"Not a "
	  "GUID.\"]}}",
	    "", "Invalid. Not a GUID." },
	{ "{\"Message\":\"a\\u009b2Jb\"}", "", "a 2Jb" },
	{ "<Error><Code>No\xcf\xcfKey</Code><Message>\xc3\xa9\xc3"
	  "</Message></Error>",
	    "No??Key", "\xc3\xa9?" },
	{ "{\"errorCode\":\"E1\",\"errorSummary\":\"m\"}", "E1", "m" },
	{ "{\"errorMessages\":[\"m\"],\"errors\":{}}", "", "m" },
	{ "{\"statusCode\":429,\"error\":\"Too Many Requests\","
	  "\"message\":\"m\",\"errorCode\":\"E1\"}",
	    "E1", "m" },
	{ "{\"statusCode\":403,\"error\":\"Forbidden\","
	  "\"message\":\"m\"}",
	    "", "m" },
	{ "{\"statusCode\":403,\"error\":\"Forbidden\"}", "", "Forbidden" },
	{ "{\"errors\":[\"m\",\"n\"]}", "", "m" },
	{ "{\"error\":{\"code\":\"A\",\"message\":\"m\",\"reason\":"
	  "\"r\"}}",
	    "A", "m" },
	{ "{\"code\":7,\"message\":[]}", "", "" },
	{ "{\"code\":40103,\"stat\":\"FAIL\"}", "40103", "" },
	{ "{\"error\":{\"code\":\"A\"},\"code\":7}", "A", "" },
	{ "{\"error_summary\":\"reset/..\",\"error\":{\".tag\":"
	  "\"reset\"}}",
	    "", "reset/.." },
	{ "<html>\n<b>no", "", "<html> <b>no" },
	{ "[]", "", "" },
	{ "", "", "" },
	{ "{\"error\":{\"code\":\"AF1\\u0000x\"}}", "AF1 x", "" },
};

START_TEST(error_bodies)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct reply_error e;

		rules_error(bodies[i].body, strlen(bodies[i].body), &e);
		ck_assert_str_eq(e.code, bodies[i].code);
		ck_assert_str_eq(e.message, bodies[i].message);
	}
}
END_TEST

/* What says more than the message comes behind it, once. */
START_TEST(causes)
{
	static const struct {
		const char *body;
		const char *code;
		const char *message;
	} rows[] = {
		{ "{\"error\":{\"message\":\"Invalid Input Provided\",\"code\":"
		  "2001,\"errors\":[\"Cursor is invalid.\",\"x\"]}}",
		    "2001", "Invalid Input Provided: Cursor is invalid." },
		{ "{\"errors\":[{\"code\":6003,\"message\":\"Invalid request "
		  "headers\",\"error_chain\":[{\"code\":6111,\"message\":"
		  "\"Invalid format\"}]}],\"result\":null}",
		    "6003", "Invalid request headers: Invalid format" },
		{ "{\"code\":300,\"message\":\"Validation Failed.\",\"errors\":"
		  "[{\"field\":\"from\",\"message\":\"Invalid field.\"}]}",
		    "", "Validation Failed. from: Invalid field." },
		{ "{\"errorCode\":\"E1\",\"errorSummary\":\"failed: since\","
		  "\"errorCauses\":[{\"errorSummary\":\"No date\"}]}",
		    "E1", "failed: since: No date" },
		{ "{\"error\":{\"code\":403,\"message\":\"Not  "
		  "here\",\"errors\":"
		  "[{\"message\":\"Not  here\",\"reason\":\"r\"}]}}",
		    "", "Not here" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reply_error e;

		rules_error(rows[i].body, strlen(rows[i].body), &e);
		ck_assert_str_eq(e.code, rows[i].code);
		ck_assert_str_eq(e.message, rows[i].message);
	}
}
END_TEST

/* An answer in the three forms, with the same text in it. */
static void
error_in(int form, const char *text, size_t len, struct reply_error *e)
{
	static const char *const around[3][2] = {
		{ "{\"error\":{\"code\":\"A\",\"message\":\"", "\"}}" },
		{ "<Error><Code>A</Code><Message>", "</Message></Error>" },
		{ "", "" },
	};
	struct buf b = BUF_INIT(1 << 20);

	ck_assert_int_eq(buf_adds(&b, around[form][0]), 0);
	ck_assert_int_eq(buf_add(&b, text, len), 0);
	ck_assert_int_eq(buf_adds(&b, around[form][1]), 0);
	rules_error(b.data, b.len, e);
	buf_release(&b);
}

/* Whatever hides or turns the text around it, in the places where a form can
 * have it. */
START_TEST(only_what_is_seen)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{ "invoice\xe2\x80\xaegpj.exe", "invoice gpj.exe" },
		{ "\xe2\x81\xa6 a \xe2\x81\xa9\xd8\x9c b", "a b" },
		{ "a\xe2\x80\xa8\xe2\x80\xa9 b", "a b" },
		{ "a\xe2\x80\x8b\xef\xbb\xbf"
		  "b\xe2\x81\xa0",
		    "a b" },
		{ "a\xf3\xa0\x81\x81\xf3\xa0\x81\xbf"
		  "b",
		    "a b" },
		{ "a\xc2\x85\xc2\x9b"
		  "b\x7f",
		    "a b" },
		{ "\xd9\x85\xe2\x80\x8c\xd9\x85 \xf0\x9f\x98\x80",
		    "\xd9\x85\xe2\x80\x8c\xd9\x85 \xf0\x9f\x98\x80" },
	};

	for (int form = 0; form < 3; form++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct reply_error e;

			error_in(form, rows[i].text, strlen(rows[i].text), &e);
			ck_assert_str_eq(e.message, rows[i].message);
		}
	}
}
END_TEST

/* Bytes that are no UTF-8: no JSON then, and told as they begin. */
START_TEST(what_is_no_text)
{
	static const char raw[] = "a\xff\xed\xa0\x80\xc0\xaf\0\x1b[2J\xe2\x80";
	struct reply_error e;

	for (int form = 0; form < 3; form++) {
		error_in(form, raw, sizeof(raw) - 1, &e);
		ck_assert(text_is_utf8((struct slice){
		    e.message, strlen(e.message) }));
		ck_assert_ptr_nonnull(strstr(e.message, "a?????? [2J?"));
	}
}
END_TEST

/* Nor does anybody's name, such as that of a message of a queue. */
START_TEST(names_in_a_sentence)
{
	struct outcome out;

	(void)outcome_set(&out, REPLY_RETRY, "message %.4s of %s",
	    "\tb\xe2\x80\xae", "\xff\u20ac\x1b[2J");
	ck_assert_str_eq(out.text,
	    "message \\x09b\\xe2\\x80 of \\xff\u20ac\\x1b[2J");
}
END_TEST

/* Long ones are cut between characters, wherever these begin. */
START_TEST(long_texts)
{
	static const struct rule rules[] = {
		{ .status = 400, .class = REPLY_CONFIG, .cause = NULL },
		{ .status = 0 },
	};
	static char text[70000];

	for (size_t shift = 0; shift < 4; shift++) {
		struct rule own[2] = { rules[0], rules[1] };
		struct outcome out;
		struct reply_error e;

		memset(text, 'x', shift);
		for (size_t i = shift; i + 4 < sizeof(text); i += 4)
			memcpy(text + i, "\xf0\x9f\x98\x80", 5);
		own[0].cause = text;
		for (int form = 0; form < 3; form++) {
			error_in(form, text, strlen(text), &e);
			ck_assert_uint_gt(strlen(e.message), 150);
			ck_assert(text_is_utf8((struct slice){
			    e.message, strlen(e.message) }));
		}
		judge_by(own, 400, "", "{\"message\":\"m\"}", &out);
		ck_assert_uint_gt(strlen(out.text), 1000);
		ck_assert(text_is_utf8((struct slice){
		    out.text, strlen(out.text) }));
	}
}
END_TEST

/* What comes under 200 and is not what was expected. */
START_TEST(unexpected)
{
	static const struct {
		const char *body;
		enum reply_class class;
		const char *code;
		const char *says;
	} rows[] = {
		{ "{\"error\":{\"code\":\"AF20022\",\"message\":\"None.\"}}",
		    REPLY_INACTIVE, "AF20022", "no subscription" },
		{ "{\"error\":{\"code\":\"AF20050\"}}", REPLY_RETRY, "AF20050",
		    "does not exist" },
		{ "{\"Message\":\"denied\"}", REPLY_RETRY, "",
		    "the server says: denied" },
		{ "{\"value\":[{\"Id\":1}]}", REPLY_RETRY, "envelope",
		    "an object around a list where an array was expected" },
		{ "{\"Id\":1}", REPLY_RETRY, "object", "begins: {\"Id\":1}" },
		{ "<html><title>Sign in</title>", REPLY_RETRY, "page",
		    "Sign in" },
		{ "nonsense", REPLY_RETRY, "not-json", "begins: nonsense" },
		{ "", REPLY_RETRY, "empty", "an empty body" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_reply reply;
		struct outcome r;

		http_reply_init(&reply);
		reply.status = 200;
		ck_assert_int_eq(buf_adds(&reply.body, rows[i].body), 0);
		rules_unexpected(office365_rules, &reply, "an array", &r);
		ck_assert_msg(r.class == rows[i].class &&
			strcmp(r.code, rows[i].code) == 0 &&
			strstr(r.text, rows[i].says) != NULL,
		    "%zu: %s, code \"%s\": %s", i, reply_class_name(r.class),
		    r.code, r.text);
		http_reply_release(&reply);
	}
}
END_TEST

Suite *
suite_rules(void)
{
	Suite *s = suite_create("rules");
	TCase *tc = tcase_create("rules");

	tcase_add_test(tc, classes);
	tcase_add_test(tc, words_in_any_case);
	tcase_add_test(tc, the_vendor_says_how_long);
	tcase_add_test(tc, error_bodies);
	tcase_add_test(tc, causes);
	tcase_add_test(tc, only_what_is_seen);
	tcase_add_test(tc, what_is_no_text);
	tcase_add_test(tc, names_in_a_sentence);
	tcase_add_test(tc, long_texts);
	tcase_add_test(tc, unexpected);
	suite_add_tcase(s, tc);
	return s;
}
