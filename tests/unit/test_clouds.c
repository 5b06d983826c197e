/*
 * test_clouds.c - what Azure Blob Storage and Google Cloud Storage have of
 * their own beside S3 (test_s3.c).
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define KEY "c2VjcmV0IG9mIHRoZSBhY2NvdW50" /* "secret of the account" */
#define SHARED "bucket: audit, account: acme, key: " KEY
#define ENTRA                                                                \
	"bucket: audit, tenant: t1, client_id: c1, client_secret: secret1, " \
	"login_url: \"@\""
#define OBJECT                                         \
	"/audit/fra1/contoso/Audit.Exchange/19700102/" \
	"000000000042-000000000042.ndjson"

static void
set_up(void)
{
	rig_set_up(&output_azure_blob);
}

/* Value of a header of a request, up to the line's end. */
static struct slice
header_of(const char *request, const char *name)
{
	const char *at = strstr(request, name);

	ck_assert_msg(at != NULL, "%s", name);
	at += strlen(name);
	return (struct slice){ at, strcspn(at, "\r\n") };
}

#define SLICE(s) (int)(s).len, (s).data

/* The signature as "Authorize with Shared Key" has it. */
START_TEST(shared_key)
{
	const char *head;
	struct buf text = BUF_INIT(4096), want = BUF_INIT(4096);
	struct slice md5, date, digest, length;
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	rig_expect_with(OBJECT, 201, "ETag: \"7\"", "");
	rig_begin(1, "{}", SHARED, "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	head = rig_request(0);
	md5 = header_of(head, "\r\nContent-MD5: ");
	date = header_of(head, "\r\nx-ms-date: ");
	digest = header_of(head, "\r\nx-ms-meta-sealfeed_sha256: ");
	length = header_of(head, "\r\nContent-Length: ");
	ck_assert_int_eq(
	    buf_addf(&text,
		"PUT\n\n\n%.*s\n%.*s\napplication/x-ndjson\n\n\n\n*\n\n\n"
		"x-ms-blob-type:BlockBlob\nx-ms-date:%.*s\n"
		"x-ms-meta-sealfeed_sha256:%.*s\nx-ms-version:2023-11-03\n"
		"/acme" OBJECT,
		SLICE(length), SLICE(md5), SLICE(date), SLICE(digest)),
	    0);
	ck_assert_ptr_nonnull(HMAC(EVP_sha256(), "secret of the account", 21,
	    (unsigned char *)text.data, text.len, mac, &n));
	ck_assert_int_eq(buf_adds(&want, "\r\nAuthorization: SharedKey acme:"),
	    0);
	ck_assert_int_eq(text_base64(&want, mac, n), 0);
	ck_assert_msg(strstr(head, want.data) != NULL, "%s in %.900s",
	    want.data, head);
	buf_release(&text);
	buf_release(&want);
	rig_end();
}
END_TEST

/* What nobody may write is there, too. */
static const char *const there[] = { "BlobAlreadyExists",
	"BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold" };

START_TEST(what_is_there_is_looked_at)
{
	char *body = xasprintf("<Error><Code>%s</Code></Error>", there[_i]);

	rig_expect("/t1/", 200, "{\"access_token\":\"abc\",\"expires_in\":9}");
	rig_expect(OBJECT, 409, body);
	free(body);
	rig_expect_with(OBJECT, 206,
	    "x-ms-meta-sealfeed_sha256: 00\r\nETag: \"7\"", "{");
	rig_expect_with("/audit/", 201, "ETag: \"7\"", "");
	rig_begin(1, "{}", ENTRA, "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_RETRY);
	ck_assert_ptr_nonnull(strstr(rig_request(2),
	    "\r\nAuthorization: Bearer abc\r\n"));
	ck_assert_ptr_nonnull(strstr(intake_rig.c.why, "other contents"));
	rig_end();
}
END_TEST

#define ERROR(code) "<Error><Code>" code "</Code></Error>"

static const struct {
	int status;
	const char *body;
	enum verdict verdict;
	const char *why;
} answers[] = {
	{ 400, ERROR("Md5Mismatch"), VERDICT_RETRY, "on the way" },
	{ 400, ERROR("InvalidInput"), VERDICT_REFUSED, "InvalidInput" },
	{ 401, ERROR("InvalidAuthenticationInfo"), VERDICT_BLOCKED, "token" },
	{ 403, ERROR("AuthenticationFailed"), VERDICT_BLOCKED, "account" },
	{ 403, ERROR("KeyBasedAuthenticationNotPermitted"), VERDICT_BLOCKED,
	    "client_secret" },
	{ 403, ERROR("AuthorizationPermissionMismatch"), VERDICT_BLOCKED,
	    "Storage Blob Data Contributor" },
	{ 404, ERROR("ContainerNotFound"), VERDICT_BLOCKED, "container" },
	{ 403, ERROR("AccountIsDisabled"), VERDICT_BLOCKED, "disabled" },
	{ 409, ERROR("ContainerDisabled"), VERDICT_BLOCKED, "disabled" },
	{ 409, ERROR("LeaseIdMissing"), VERDICT_RETRY, "409" },
	{ 503, ERROR("ServerBusy"), VERDICT_RETRY, "503" },
};

START_TEST(other_answers)
{
	rig_expect("/audit/", answers[_i].status, answers[_i].body);
	rig_begin(2, "{}", SHARED, "");
	intake_rig.c.out.blocked = true; /* no benefit of the doubt: sooner */
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == answers[_i].verdict, "%s: %s",
	    answers[_i].body, intake_rig.c.why);
	ck_assert_msg(strstr(intake_rig.c.why, answers[_i].why) != NULL, "%s",
	    intake_rig.c.why);
	rig_end();
}
END_TEST

/* docs.cloud.google.com/storage/docs/xml-api/reference-status: and what its
 * server for tokens answers, developers.google.com/identity/protocols/oauth2/
 * service-account. */
static const struct {
	int token;
	const char *grant;
	int status;
	const char *body;
	enum verdict verdict;
	const char *why;
} google[] = {
#define GRANT 200, "{\"access_token\":\"t\",\"expires_in\":3600}"
	{ GRANT, 400, ERROR("BadDigest"), VERDICT_RETRY, "on the way" },
	{ GRANT, 400, ERROR("InvalidBucketName"), VERDICT_BLOCKED,
	    "check bucket" },
	{ GRANT, 400, ERROR("InvalidArgument"), VERDICT_REFUSED,
	    "InvalidArgument" },
	{ GRANT, 401, ERROR("AuthenticationRequired"), VERDICT_BLOCKED,
	    "token is refused" },
	{ GRANT, 403, ERROR("AccessDenied"), VERDICT_BLOCKED,
	    "Storage Object Creator" },
	{ GRANT, 403, ERROR("UserProjectAccountProblem"), VERDICT_BLOCKED,
	    "billing" },
	{ GRANT, 404, ERROR("NoSuchBucket"), VERDICT_BLOCKED,
	    "no such bucket" },
	{ GRANT, 409, ERROR("OperationAborted"), VERDICT_RETRY, "409" },
	{ GRANT, 429, ERROR("TooManyRequests"), VERDICT_RETRY, "429" },
	{ GRANT, 503, ERROR("ServiceUnavailable"), VERDICT_RETRY, "503" },
	{ GRANT, 200, "", VERDICT_BLOCKED, "without an ETag" },
	{ GRANT, 200, "<html>Log in", VERDICT_BLOCKED, "web page" },
	/* No token. */
	{ 400,
	    "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT "
	    "Signature.\"}",
	    0, "", VERDICT_BLOCKED, "the key or the service account" },
	{ 400,
	    "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid "
	    "JWT: Token must be a short-lived token (60 minutes) and in a "
	    "reasonable timeframe. Check your iat and exp values in the JWT "
	    "claim.\"}",
	    0, "", VERDICT_RETRY, "clock" },
	{ 401, "{\"error\":\"invalid_client\"}", 0, "", VERDICT_BLOCKED,
	    "the service account is refused" },
	{ 401, "{\"error\":\"unauthorized_client\"}", 0, "", VERDICT_BLOCKED,
	    "check key" },
	{ 404, "", 0, "", VERDICT_BLOCKED, "no token endpoint" },
	{ 404, "<html>", 0, "", VERDICT_RETRY, "let the agent through" },
	{ 429, "", 0, "", VERDICT_RETRY, "429" },
	{ 503, "{\"error\":\"backend\"}", 0, "", VERDICT_RETRY, "503" },
};

START_TEST(google_answers)
{
	char *key = rig_google_key();
	char *options =
	    xasprintf("bucket: audit, token_url: \"@/token\", key: %s", key);

	rig_set_up(&output_gcs);
	rig_expect("/token", google[_i].token, google[_i].grant);
	rig_expect("/audit/", google[_i].status, google[_i].body);
	rig_begin(2, "{}", options, "");
	intake_rig.c.out.blocked = true; /* no benefit of the doubt: sooner */
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == google[_i].verdict, "%s%s: %d %s",
	    google[_i].grant, google[_i].body, intake_rig.c.verdict,
	    intake_rig.c.why);
	ck_assert_msg(strstr(intake_rig.c.why, google[_i].why) != NULL, "%s",
	    intake_rig.c.why);
	ck_assert_ptr_null(strstr(intake_rig.c.why, "PRIVATE"));
	ck_assert_uint_eq(intake_rig.c.refused, 0);
	rig_end();
	free(options);
	free(key);
}
END_TEST

START_TEST(a_key_that_is_none)
{
	rig_expect("/audit/", 500, "");
	rig_begin(1, "{}", "bucket: audit, account: acme, key: \"no base64\"",
	    "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_BLOCKED);
	ck_assert_ptr_nonnull(strstr(intake_rig.c.why, "key: is not"));
	ck_assert_ptr_null(strstr(intake_rig.c.why, "no base64"));
	rig_end();
}
END_TEST

Suite *
suite_clouds(void)
{
	Suite *s = suite_create("clouds");
	TCase *tc = tcase_create("clouds");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, shared_key);
	tcase_add_loop_test(tc, what_is_there_is_looked_at, 0, ROWS(there));
	tcase_add_loop_test(tc, other_answers, 0, ROWS(answers));
	tcase_add_loop_test(tc, google_answers, 0, ROWS(google));
	tcase_add_test(tc, a_key_that_is_none);
	suite_add_tcase(s, tc);
	return s;
}
