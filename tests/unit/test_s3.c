/*
 * test_s3.c - objects: names, what is there already, answers, check --live.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define OPTIONS \
	"bucket: m365, aws: {region: eu-central-1, key: \"AKID:secret\"}"
#define FOLDER "/m365/fra1/contoso/Audit.Exchange/19700102/"
#define OBJECT FOLDER "000000000042-000000000043.ndjson"
#define LINES                                                              \
	"{\"feed\":\"contoso/Audit.Exchange\",\"index\":42,\"agent\":"     \
	"\"fra1\",\"event\":{\"Id\":\"a\"}}\n{\"feed\":\"contoso/"         \
	"Audit.Exchange\",\"index\":43,\"agent\":\"fra1\",\"event\":{\"Id" \
	"\":\"b\"}}\n"
/* sha256sum, md5sum of LINES */
#define SHA256 \
	"742951008c2fc4bb6388c3387063a4469044c9b87dca064f6a9e1fc3781eea42"
#define META "x-amz-meta-sealfeed-sha256: "
#define MD5 "e8aab5f125f13e0b8d67c0e328a999e4"

static void
set_up(void)
{
	rig_set_up(&output_s3);
}

START_TEST(an_object)
{
	const char *head;

	rig_expect_with("/m365/", 200, "ETag: \"7\"", "");
	rig_begin(2, "{\"Id\":\"a\"}", OPTIONS, "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	head = rig_request(0);
	ck_assert_int_eq(strncmp(head, "PUT " OBJECT " HTTP/1.1\r\n",
			     strlen(OBJECT) + 15),
	    0);
	ck_assert_ptr_nonnull(strstr(head,
	    "\r\nContent-Type: application/x-ndjson\r\n"));
	ck_assert_ptr_nonnull(strstr(head, "\r\nIf-None-Match: *\r\n"));
	ck_assert_ptr_nonnull(strstr(head, "\r\nx-amz-checksum-sha256: "));
	ck_assert_ptr_nonnull(strstr(head, "\r\nX-Amz-Content-Sha256: "));
	ck_assert_ptr_nonnull(strstr(head,
	    "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKID/"));
	ck_assert_ptr_nonnull(strstr(head,
	    "SignedHeaders=content-type;host;if-none-match;x-amz-checksum-"
	    "sha256;x-amz-content-sha256;x-amz-date;x-amz-meta-sealfeed-"
	    "sha256, "));
	ck_assert_ptr_null(strstr(head, "\r\nContent-Encoding:"));
	ck_assert_ptr_null(strstr(head, "\r\nExpect:"));
	ck_assert_str_eq(rig_body(0), LINES);
	rig_end();
}
END_TEST

/* What lies there under the name: its headers, and whether that is what should
 * be there. */
static const struct {
	int status;
	const char *headers;
	bool same;
} founds[] = {
	{ 206, META SHA256 "\r\nETag: \"x\"", true },
	{ 200, META SHA256 "\r\nETag: \"x\"", true },
	{ 206, "ETag: \"" MD5 "\"", true },
	{ 206, "ETag: \"1b2cf535f27731c974343645a3985328\"", false },
	{ 206, META "00\r\nETag: \"x\"", false },
	{ 206, "Server: x", false },
};

START_TEST(what_is_there_is_looked_at)
{
	rig_expect_with(OBJECT, 412, "Server: x",
	    "<Error><Code>PreconditionFailed</Code></Error>");
	rig_expect_with(OBJECT, founds[_i].status, founds[_i].headers, "{");
	rig_expect_with(FOLDER "000000000042-000000000043-", 200, "ETag: \"7\"",
	    "");
	rig_begin(2, "{\"Id\":\"a\"}", OPTIONS, "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(strncmp(rig_request(1), "GET " OBJECT " HTTP", 70), 0);
	ck_assert_ptr_nonnull(strstr(rig_request(1),
	    "\r\nRange: bytes=0-0\r\n"));
	if (founds[_i].same) {
		ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
		    intake_rig.c.why);
	} else {
		ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
		ck_assert_msg(strstr(intake_rig.c.why,
				  OBJECT
				  ": has other contents already") != NULL,
		    "%s", intake_rig.c.why);
		courier_deliver(&intake_rig.c);
		ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
		    intake_rig.c.why);
	}
	rig_end();
}
END_TEST

#define ERROR(code) \
	"<?xml version=\"1.0\"?><Error><Code>" code "</Code></Error>"

static const struct {
	int status;
	const char *body;
	enum verdict verdict;
	const char *why;
} answers[] = {
	{ 200, "", VERDICT_BLOCKED, "without an ETag" },
	{ 200, ERROR("InternalError"), VERDICT_RETRY, "InternalError" },
	{ 307, ERROR("TemporaryRedirect"), VERDICT_RETRY, "TemporaryRedirect" },
	{ 301, ERROR("PermanentRedirect"), VERDICT_BLOCKED, "another region" },
	{ 400, ERROR("AuthorizationHeaderMalformed"), VERDICT_BLOCKED,
	    "aws.region" },
	{ 400, ERROR("EntityTooLarge"), VERDICT_REFUSED, "EntityTooLarge" },
	{ 403, ERROR("AccessDenied"), VERDICT_BLOCKED, "s3:PutObject" },
	{ 403, ERROR("RequestTimeTooSkewed"), VERDICT_BLOCKED, "clock" },
	{ 403, ERROR("SignatureDoesNotMatch"), VERDICT_BLOCKED, "aws.key" },
	{ 404, ERROR("NoSuchBucket"), VERDICT_BLOCKED, "check bucket" },
	{ 409, ERROR("ConditionalRequestConflict"), VERDICT_RETRY, "409" },
	{ 429, "", VERDICT_RETRY, "429" },
	{ 500, ERROR("InternalError"), VERDICT_RETRY, "500" },
	{ 501, ERROR("NotImplemented"), VERDICT_BLOCKED, "conditional: false" },
	{ 503, ERROR("SlowDown"), VERDICT_RETRY, "503" },
};

START_TEST(other_answers)
{
	rig_expect_with("/m365/", answers[_i].status, "Server: x",
	    answers[_i].body);
	rig_begin(2, "{}", OPTIONS, "");
	intake_rig.c.out.blocked = true; /* no benefit of the doubt: sooner */
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == answers[_i].verdict, "%s: %s",
	    answers[_i].body, intake_rig.c.why);
	ck_assert_msg(strstr(intake_rig.c.why, answers[_i].why) != NULL, "%s",
	    intake_rig.c.why);
	rig_end();
}
END_TEST

/* What only a store says of what it keeps. */
START_TEST(receipts)
{
	static const char *const headers[] = { "ETag: \"7\"",
		"x-amz-request-id: 4442587FB7D0A2F9", "x-ms-request-id: 1",
		"x-goog-generation: 1", "X-Goog-Hash: crc32c=AAAAAA==" };

	rig_expect_with("/m365/", 200, headers[_i], "");
	rig_begin(2, "{}", OPTIONS, "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	rig_end();
}
END_TEST

static const struct {
	const char *options;
	const char *name;
} names[] = {
	{ "", FOLDER "000000000042-000000000042.ndjson HTTP" },
	{ ", path: \"ext/m365/eventDay={day}/{source}/{feed}/\"",
	    "/m365/ext/m365/eventDay%3D19700102/office365/contoso/"
	    "Audit.Exchange/000000000042-000000000042.ndjson HTTP" },
	{ ", path: \"{feed}-\"",
	    "/m365/contoso/Audit.Exchange-000000000042-000000000042.ndjson "
	    "HTTP" },
};

START_TEST(name)
{
	char options[256];

	(void)snprintf(options, sizeof(options), "%s%s", OPTIONS,
	    names[_i].options);
	rig_expect_with("/m365/", 200, "ETag: \"7\"", "");
	rig_begin(1, "{}", options, "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_msg(strstr(rig_request(0), names[_i].name) != NULL, "%.200s",
	    rig_request(0));
	rig_end();
}
END_TEST

static const struct {
	int put;
	int get;
	const char *body;
	int rc;
	const char *says;
} probes[] = {
	{ 200, 206, "{", 0, "wrote sealfeed-check.json\nread it again" },
	{ 403, 206, ERROR("AccessDenied"), -1, "s3:PutObject" },
	{ 412, 206, ERROR("PreconditionFailed"), 0,
	    "sealfeed-check.json is there\nread it again" },
	{ 200, 403, ERROR("AccessDenied"), -1, "reading, which tells" },
	{ 404, 404, ERROR("NoSuchBucket"), -1, "check bucket" },
};

START_TEST(live)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const char *said;

	rig_expect_with("/m365/fra1/sealfeed-check.json", probes[_i].put,
	    "ETag: \"7\"", probes[_i].put == 200 ? "" : probes[_i].body);
	rig_expect_with("/m365/fra1/sealfeed-check.json", probes[_i].get,
	    "ETag: \"7\"", probes[_i].body);
	rig_begin(1, "{}", OPTIONS, "");
	ck_assert_msg(output_s3.probe(&intake_rig.c.out, &message, &err) ==
		probes[_i].rc,
	    "%s", err.text);
	said = probes[_i].rc == 0 ? message.data : err.text;
	ck_assert_msg(strstr(said, probes[_i].says) != NULL, "%s", said);
	buf_release(&message);
	rig_end();
}
END_TEST

Suite *
suite_s3(void)
{
	Suite *s = suite_create("s3");
	TCase *tc = tcase_create("s3");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_object);
	tcase_add_loop_test(tc, what_is_there_is_looked_at, 0, ROWS(founds));
	tcase_add_loop_test(tc, other_answers, 0, ROWS(answers));
	tcase_add_loop_test(tc, receipts, 0, 5);
	tcase_add_loop_test(tc, name, 0, ROWS(names));
	tcase_add_loop_test(tc, live, 0, ROWS(probes));
	suite_add_tcase(s, tc);
	return s;
}
