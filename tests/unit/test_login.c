/*
 * test_login.c - access tokens of outputs, by the output sentinel.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define LOGIN "/login/t1/oauth2/v2.0/token"
#define ROWS_OF "/dataCollectionRules/dcr-7/streams/Custom-Sealfeed"
#define OPTIONS                                                            \
	"rule: dcr-7, tenant: t1, client_id: c1, client_secret: s&cret1, " \
	"login_url: \"@/login/\""

static void
set_up(void)
{
	rig_set_up(&output_sentinel);
}

static void
expect_token(const char *token, int life)
{
	char body[256];

	(void)snprintf(body, sizeof(body),
	    "{\"token_type\":\"Bearer\",\"expires_in\":%d,\"access_token\":"
	    "\"%s\"}",
	    life, token);
	rig_expect(LOGIN, 200, body);
}

/* How often text is in all that was asked so far. */
static size_t
asked(const char *text)
{
	const char *at = canned_requests(intake_rig.server);
	size_t n = 0;

	for (; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

/* A chunk of another one. */
static void
another_event(void)
{
	chunk_free(intake_rig.c.chunk);
	intake_rig.c.chunk = chunk_new();
	courier_add(&intake_rig.c, "{}");
}

START_TEST(one_token_for_many_requests)
{
	expect_token("t-a", 3600);
	rig_expect(ROWS_OF, 204, "");
	rig_begin(1, "{}", OPTIONS, "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	another_event();
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(asked("POST " LOGIN " "), 1);
	ck_assert_uint_eq(asked("\r\nAuthorization: Bearer t-a\r\n"), 2);
	ck_assert_uint_eq(asked("grant_type=client_credentials&"), 1);
	ck_assert_uint_eq(asked("client_id=c1&"), 1);
	ck_assert_uint_eq(asked("client_secret=s%26cret1"), 1);
	ck_assert_uint_eq(
	    asked("scope=https%3A%2F%2Fmonitor.azure.com%2F.default"), 1);
	rig_end();
}
END_TEST

START_TEST(a_refused_one_is_given_up_once)
{
	expect_token("t-a", 3600);
	expect_token("t-b", 3600);
	rig_expect(ROWS_OF, 401, "{}");
	rig_expect(ROWS_OF, 204, "");
	rig_begin(1, "{}", OPTIONS, "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_uint_eq(asked("Bearer t-a\r\n"), 1);
	ck_assert_uint_eq(asked("Bearer t-b\r\n"), 1);
	rig_end();
}
END_TEST

START_TEST(whoever_refuses_all_is_not_asked_for_ever)
{
	expect_token("t-a", 3600);
	rig_expect(ROWS_OF, 401, "{\"error\":{\"code\":\"Nope\"}}");
	rig_begin(1, "{}", OPTIONS, "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_BLOCKED);
	ck_assert_ptr_nonnull(strstr(intake_rig.c.why,
	    "Nope; the access token is refused"));
	ck_assert_uint_eq(asked("POST " LOGIN " "), 2);
	rig_end();
}
END_TEST

static bool
is_over(void *ctx)
{
	return clock_monotonic() > *(int64_t *)ctx;
}

START_TEST(renewed_when_it_ends)
{
	int64_t end;

	expect_token("t-a", 1);
	expect_token("t-b", 3600);
	rig_expect(ROWS_OF, 204, "");
	rig_begin(1, "{}", OPTIONS, "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	end = clock_monotonic() + CLOCK_SECOND;
	courier_wait(&intake_rig.c, is_over, &end);
	another_event();
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(asked("Bearer t-b\r\n"), 1);
	rig_end();
}
END_TEST

static const struct {
	int status;
	const char *body;
	enum verdict verdict;
	const char *why;
} refusals[] = {
	{ 401,
	    "{\"error\":\"invalid_client\",\"error_description\":"
	    "\"AADSTS7000222: The provided client secret keys are expired.\"}",
	    VERDICT_BLOCKED, "no access token: status 401 AADSTS7000222" },
	{ 400, "{\"error\":\"invalid_scope\"}", VERDICT_BLOCKED, "scope" },
	{ 404, "{}", VERDICT_BLOCKED, "login_url" },
	{ 503, "{}", VERDICT_RETRY, "no access token: status 503" },
	{ 429, "{}", VERDICT_RETRY, "no access token: status 429" },
	{ 200, "<html>Log in", VERDICT_RETRY, "no access token: " },
	{ 200, "{\"access_token\":\"a\\r\\nb\"}", VERDICT_RETRY,
	    "without a usable access token" },
};

START_TEST(no_token)
{
	rig_expect(LOGIN, refusals[_i].status, refusals[_i].body);
	rig_expect(ROWS_OF, 204, "");
	rig_begin(1, "{}", OPTIONS, "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == refusals[_i].verdict, "%s",
	    intake_rig.c.why);
	ck_assert_msg(strstr(intake_rig.c.why, refusals[_i].why) != NULL, "%s",
	    intake_rig.c.why);
	ck_assert_uint_eq(asked("POST " ROWS_OF), 0);
	rig_end();
}
END_TEST

/* A remedy is in terms of what the token is for, and of the options that are
 * there: of each type. */
#define ENTRA                                                            \
	"tenant: t1, client_id: c1, client_secret: secret1, login_url: " \
	"\"@/login\", "
static const struct asker {
	const struct output_type *type;
	const char *options;
	const char *login;
	const char *key; /* option of a Google key, or NULL */
} askers[] = {
	{ &output_sentinel, ENTRA "rule: dcr-7, stream: Custom-S_CL", LOGIN,
	    NULL },
	{ &output_azure_blob, ENTRA "bucket: b", LOGIN, NULL },
	{ &output_google_secops,
	    "token_url: \"@/token\", project: p, location: l, instance: i, "
	    "forwarder: f, ",
	    "/token", "key: " },
	{ &output_gcs, "token_url: \"@/token\", bucket: b, ", "/token",
	    "key: " },
};

static const struct {
	int asker;
	int status;
	const char *body;
	const char *says[2];
	const char *never[3];
} remedies[] = {
	{ 0, 400, "AADSTS500011: x", { "check cloud", "Azure Monitor" },
	    { "Office", "api_url", "hosts" } },
	{ 0, 400, "AADSTS650052: x", { "check cloud", "Azure Monitor" },
	    { "Office", "api_url", "hosts" } },
	{ 0, 400, "AADSTS70011: x", { "check cloud", "Azure Monitor" },
	    { "Office", "api_url", "hosts" } },
	{ 0, 400, "AADSTS90038: x", { "check cloud", "another cloud" },
	    { "client_id", "api_url", "hosts" } },
	{ 0, 400, "AADSTS900382: x", { "check cloud", "another cloud" },
	    { "client_id", "api_url", "hosts" } },
	{ 0, 400, "AADSTS900432: x", { "check cloud", "another cloud" },
	    { "client_id", "api_url", "hosts" } },
	{ 1, 401, "AADSTS900439: x", { "check cloud", "another cloud" },
	    { "client_id", "api_url", "hosts" } },
	{ 0, 400, "invalid_scope", { "check cloud", "scope" },
	    { "Office", "api_url", "hosts" } },
	{ 0, 404, "other", { "cloud and login_url", "check tenant" },
	    { "Office", "api_url", "hosts" } },
	{ 1, 400, "AADSTS500011: x", { "check cloud", "Azure Storage" },
	    { "Office", "api_url", "Monitor" } },
	{ 1, 401, "AADSTS7000222: x", { "client_secret", "expired" },
	    { "Office", "api_url", "Monitor" } },
	{ 2, 400, "invalid_grant", { "check key", "service account" },
	    { "client_id", "tenant", "refresh" } },
	{ 2, 401, "invalid_client", { "check key", "service account" },
	    { "client_id", "tenant", "certificate" } },
	{ 2, 400, "other", { "check key", "token_url" },
	    { "client_id", "tenant", "cloud" } },
	{ 3, 404, "other", { "check token_url", "endpoint" },
	    { "login_url", "tenant", "hosts" } },
	{ 3, 400, "invalid_scope", { "token_url", "scope" },
	    { "cloud", "tenant", "api_url" } },
};

START_TEST(remedies_are_the_askers)
{
	const struct asker *a = &askers[remedies[_i].asker];
	char *key = a->key == NULL ? xstrdup("") : rig_google_key();
	char *options =
	    xasprintf("%s%s%s", a->options, a->key == NULL ? "" : a->key, key);
	char *body = xasprintf("{\"error\":\"%s\"}", remedies[_i].body);
	const char *why = intake_rig.c.why;

	rig_set_up(a->type);
	rig_expect(a->login, remedies[_i].status, body);
	rig_begin(1, "{}", options, "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_BLOCKED, "%s", why);
	for (int i = 0; i < 2; i++)
		ck_assert_msg(strstr(why, remedies[_i].says[i]) != NULL, "%s",
		    why);
	for (int i = 0; i < 3; i++)
		ck_assert_msg(strstr(why, remedies[_i].never[i]) == NULL, "%s",
		    why);
	rig_end();
	free(body);
	free(options);
	free(key);
}
END_TEST

Suite *
suite_login(void)
{
	Suite *s = suite_create("login");
	TCase *tc = tcase_create("login");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, one_token_for_many_requests);
	tcase_add_test(tc, a_refused_one_is_given_up_once);
	tcase_add_test(tc, whoever_refuses_all_is_not_asked_for_ever);
	tcase_add_test(tc, renewed_when_it_ends);
	tcase_add_loop_test(tc, no_token, 0, ROWS(refusals));
	tcase_add_loop_test(tc, remedies_are_the_askers, 0, ROWS(remedies));
	suite_add_tcase(s, tc);
	return s;
}
