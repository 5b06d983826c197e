/*
 * test_google_secops.c - logs.import: logs, log types, answers, check --live.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define INSTANCE "projects/siem-1/locations/eu/instances/i-1"
#define IMPORT "/v1/" INSTANCE "/logTypes/OFFICE_365/logs:import"

static char *options;

static void
make_options(const char *more)
{
	char *key = rig_google_key();

	options =
	    xasprintf("token_url: \"@/token\", project: siem-1, location: "
		      "eu, instance: i-1, forwarder: f-1%s, key: %s",
		more, key);
	free(key);
}

static void
begin(size_t n, const char *event, const char *more)
{
	rig_expect("/token", 200,
	    "{\"access_token\":\"abc\",\"expires_in\":9}");
	make_options(more);
	rig_begin(n, event, options, "");
}

static void
end(void)
{
	rig_end();
	free(options);
}

static void
set_up(void)
{
	rig_set_up(&output_google_secops);
}

START_TEST(logs)
{
	const char *body;

	rig_expect(IMPORT, 200, "{}\n");
	begin(2, "{\"Id\":\"a\"}", ", namespace: corp");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_ptr_nonnull(strstr(rig_body(0),
	    "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&"
	    "assertion=ey"));
	ck_assert_ptr_nonnull(strstr(rig_request(1),
	    "\r\nAuthorization: Bearer abc\r\n"));
	body = rig_body(1);
	ck_assert_int_eq(strncmp(body,
			     "{\"inlineSource\":{\"logs\":[{\"logEntryTime\":"
			     "\"1970-01-02T00:00:00.000000Z\","
			     "\"collectionTime\":\"20",
			     85),
	    0);
	ck_assert_ptr_nonnull(strstr(body,
	    "Z\",\"environmentNamespace\":\"corp\",\"labels\":{"
	    "\"sealfeed_agent\":{\"value\":\"fra1\"},\"sealfeed_feed\":{"
	    "\"value\":\"contoso/Audit.Exchange\"},\"sealfeed_index\":{"
	    "\"value\":\"42\"}},\"data\":\"eyJJZCI6ImEifQ==\"},{"));
	ck_assert_ptr_nonnull(strstr(body,
	    "\"data\":\"eyJJZCI6ImIifQ==\"}],\"forwarder\":\"" INSTANCE
	    "/forwarders/f-1\"}}"));
	end();
}
END_TEST

static const struct {
	const char *types;
	const char *type;
	const char *source; /* its type; NULL: office365 */
} types[] = {
	{ "", "OFFICE_365", NULL },
	{ "", "AWS_CLOUDTRAIL", "aws-cloudtrail" },
	{ "", "WORKSPACE_ACTIVITY", "google-workspace" },
	{ "", "MONGODB_ATLAS", "mongodb-atlas" },
	{ ", log_types: [office365=O365_OWN]", "O365_OWN", NULL },
	{ ", log_types: [okta=X, contoso/Audit.Exchange=EXCHANGE_AUDIT]",
	    "EXCHANGE_AUDIT", NULL },
	{ ", log_types: [contoso/Audit.General=X]", "OFFICE_365", NULL },
	{ ", api_version: v1alpha, own_log_type: SEALFEED", "OFFICE_365",
	    NULL },
};

START_TEST(log_types)
{
	char *want = xasprintf("/logTypes/%s/logs:import HTTP", types[_i].type);

	if (types[_i].source != NULL)
		courier_type = types[_i].source;
	rig_expect("/v1", 200, "{}");
	begin(1, "{}", types[_i].types);
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_msg(strstr(rig_request(1), want) != NULL, "%.200s",
	    rig_request(1));
	ck_assert_int_eq(strncmp(rig_request(1), "POST /v1alpha/", 14) == 0,
	    strstr(types[_i].types, "v1alpha") != NULL);
	courier_type = "office365";
	free(want);
	end();
}
END_TEST

START_TEST(what_never_fits_is_told_alone)
{
	char *event = xcalloc(3000001, 1);

	memset(event, ' ', 3000000);
	memcpy(event, "{}", 2);
	rig_expect(IMPORT, 200, "{}");
	begin(2, event, "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(intake_rig.c.refused, 1);
	end();
	free(event);
}
END_TEST

#define STATUS(code, status, text)                                \
	"{\"error\":{\"code\":" code ",\"message\":\"" text "\"," \
	"\"status\":\"" status "\"}}"

static const struct {
	int status;
	const char *body;
	enum verdict verdict;
	const char *why;
} answers[] = {
	{ 200, "", VERDICT_DELIVERED, "" },
	{ 200, "{}", VERDICT_DELIVERED, "" },
	{ 200, "OK", VERDICT_BLOCKED, "not an empty object" },
	{ 200, STATUS("400", "INVALID_ARGUMENT", "x"), VERDICT_BLOCKED,
	    "tells of an error" },
	{ 400, STATUS("400", "INVALID_ARGUMENT", "invalid log type: X"),
	    VERDICT_BLOCKED, "invalid log type: X; check log_types" },
	{ 400, STATUS("400", "INVALID_ARGUMENT", "Base64 decoding failed"),
	    VERDICT_REFUSED, "Base64 decoding failed" },
	{ 400, STATUS("400", "INVALID_ARGUMENT", "payload size exceeds"),
	    VERDICT_REFUSED, "payload size" },
	{ 401, STATUS("401", "UNAUTHENTICATED", "x"), VERDICT_BLOCKED,
	    "the access token is refused" },
	{ 403,
	    STATUS("403", "PERMISSION_DENIED",
		"Permission 'chronicle.logs.import' denied on resource"),
	    VERDICT_BLOCKED, "Chronicle API Editor" },
	{ 403,
	    STATUS("403", "PERMISSION_DENIED",
		"Chronicle API has not been used in project 7 before or it is "
		"disabled."),
	    VERDICT_BLOCKED, "enable the Chronicle API" },
	{ 404, STATUS("404", "NOT_FOUND", "Requested entity was not found."),
	    VERDICT_BLOCKED, "check project, location, instance" },
	{ 429, STATUS("429", "RESOURCE_EXHAUSTED", "Quota exceeded"),
	    VERDICT_RETRY, "429" },
	{ 500, STATUS("500", "INTERNAL", "x"), VERDICT_RETRY, "500" },
	{ 503, "<html>", VERDICT_RETRY, "503" },
};

START_TEST(other_answers)
{
	rig_expect(IMPORT, answers[_i].status, answers[_i].body);
	begin(3, "{}", "");
	intake_rig.c.out.blocked = true; /* no benefit of the doubt: sooner */
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == answers[_i].verdict, "%s: %s",
	    answers[_i].body, intake_rig.c.why);
	ck_assert_msg(strstr(intake_rig.c.why, answers[_i].why) != NULL, "%s",
	    intake_rig.c.why);
	ck_assert_uint_eq(intake_rig.c.refused, 0);
	end();
}
END_TEST

static const struct {
	int status;
	const char *body;
	int rc;
	const char *says;
} probes[] = {
	{ 200, "{}", 0, "takes the service account's requests" },
	{ 400, STATUS("400", "INVALID_ARGUMENT", "logs must not be empty"), 0,
	    "takes the service account's requests" },
	{ 400, STATUS("400", "INVALID_ARGUMENT", "invalid forwarder"), -1,
	    "check forwarder" },
	{ 403, STATUS("403", "PERMISSION_DENIED", "denied"), -1,
	    "chronicle.logs.import" },
	{ 404, "{}", -1, "check project" },
};

START_TEST(live)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const char *said;

	rig_expect(IMPORT, probes[_i].status, probes[_i].body);
	begin(1, "{}", "");
	ck_assert_msg(output_google_secops.probe(&intake_rig.c.out, &message,
			  &err) == probes[_i].rc,
	    "%s", err.text);
	said = probes[_i].rc == 0 ? message.data : err.text;
	ck_assert_msg(strstr(said, probes[_i].says) != NULL, "%s", said);
	ck_assert_ptr_nonnull(strstr(rig_body(1), "{\"logs\":[],"));
	buf_release(&message);
	end();
}
END_TEST

Suite *
suite_google_secops(void)
{
	Suite *s = suite_create("google_secops");
	TCase *tc = tcase_create("google_secops");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, logs);
	tcase_add_loop_test(tc, log_types, 0, ROWS(types));
	tcase_add_test(tc, what_never_fits_is_told_alone);
	tcase_add_loop_test(tc, other_answers, 0, ROWS(answers));
	tcase_add_loop_test(tc, live, 0, ROWS(probes));
	suite_add_tcase(s, tc);
	return s;
}
