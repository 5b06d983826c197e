/*
 * test_oauth.c - tokens: what is asked for, granted and refused.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/secret.h"
#include "http/auth.h"
#include "http/auth_jwt.h"
#include "http/auth_oauth2.h"
#include "http/client.h"
#include "http/token.h"
#include "sources/office365/office365.h"
#include "tests/unit/http_help.h"
#include "tests/unit/pair_help.h"
#include "tests/unit/unit.h"

#define REPLY(status, length, body)                                 \
	"HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" \
	"Content-Length: " length "\r\n\r\n" body

static const struct canned_reply table[] = {
	{ .path = "/good",
	    .bytes = REPLY("200 OK", "41",
		"{\"access_token\":\"T1\",\"expires_in\":\"3599\"}") },
	{ .path = "/good",
	    .bytes = REPLY("200 OK", "39",
		"{\"access_token\":\"T2\",\"expires_in\":3599}") },
	{ .path = "/expired",
	    .bytes = REPLY("401 Unauthorized", "67",
		"{\"error\":\"invalid_client\",\"error_description\":"
		"\"AADSTS7000222: old\"}") },
	{ .path = "/t1/",
	    .bytes = REPLY("400 Bad Request", "27",
		"{\"error\":\"AADSTS500011: x\"}") },
	{ .path = "/refused",
	    .bytes = REPLY("401 Unauthorized", "26",
		"{\"error\":\"invalid_client\"}") },
	{ .path = "/nowhere",
	    .bytes =
		REPLY("404 Not Found", "23", "{\"message\":\"Not Found\"}") },
	{ .path = "/forbidden",
	    .bytes = REPLY("403 Forbidden", "16", "{\"message\":\"no\"}") },
	{ .path = "/dpop",
	    .bytes = REPLY("400 Bad Request", "30",
		"{\"error\":\"invalid_dpop_proof\"}") },
	{ .path = "/limited",
	    .bytes = REPLY("403 Forbidden", "37",
		"{\"message\":\"API rate limit exceeded\"}") },
	{ .path = "/undelegated",
	    .bytes = REPLY("401 Unauthorized", "108",
		"{\"error\":\"unauthorized_client\",\"error_"
		"description\":\"Client not authorized for "
		"any of the scopes requested.\"}") },
	{ .path = "/nobody",
	    .bytes = REPLY("400 Bad Request", "72",
		"{\"error\":\"invalid_grant\",\"error_"
		"description\":\"Invalid email or User ID\"}") },
	{ .path = "/odd",
	    .bytes = REPLY("200 OK", "23", "{\"access_token\":\"a\\nb\"}") },
	{ .path = "/any",
	    .bytes = REPLY("200 OK", "20", "{\"access_token\":\"T\"}") },
	{ .path = NULL },
};

static void
set_up(void)
{
	http_help_begin(table);
}

static struct oauth *
make(const char *path)
{
	char *url = xasprintf("%s%s", canned_url(http_rig.server), path);
	const struct oauth_conf oc = { .token_url = url,
		.scope = "https://api/.default",
		.client_id = "me",
		.client_secret = "${env:SEALFEED_TEST_SECRET}",
		.options = "who and what" };
	struct oauth *o;

	ck_assert_int_eq(setenv("SEALFEED_TEST_SECRET", "p&q", 1), 0);
	o = oauth_new(&oc);
	free(url);
	return o;
}

START_TEST(a_token_is_kept_until_it_is_rejected)
{
	struct oauth *o = make("/good");
	struct outcome r;
	char *t = oauth_token(o, http_rig.http, &r), *again;
	struct oauth_user user = { .refused = 0 };

	ck_assert_msg(t != NULL, "%s", r.text);
	ck_assert_str_eq(t, "T1");
	ck_assert(strstr(canned_requests(http_rig.server),
		      "grant_type=client_credentials&client_id=me&"
		      "client_secret=p%26q&scope=https%3A%2F%2Fapi%2F"
		      ".default") != NULL);
	again = oauth_token(o, http_rig.http, &r);
	ck_assert_str_eq(again, "T1");
	ck_assert_uint_eq(canned_count(http_rig.server), 1);
	secret_free(again);
	ck_assert(oauth_reject(o, "another", &user));
	ck_assert(oauth_reject(o, t, &user));
	again = oauth_token(o, http_rig.http, &r);
	ck_assert_msg(again != NULL, "%s", r.text);
	ck_assert_str_eq(again, "T2");
	secret_free(again);
	secret_free(t);
	oauth_free(o);
}
END_TEST

/* The token is given up for a user who was refused, and another one is got. */
static char *
another_token(struct oauth *o, char *token, struct oauth_user *user)
{
	const size_t before = canned_count(http_rig.server);
	struct outcome r;

	ck_assert(oauth_reject(o, token, user));
	secret_free(token);
	token = oauth_token(o, http_rig.http, &r);
	ck_assert_msg(token != NULL, "%s", r.text);
	ck_assert_uint_eq(canned_count(http_rig.server), before + 1);
	return token;
}

/* One feed is refused for its own sake: that costs a token now and then, and
 * not one each time. */
START_TEST(a_token_that_is_good_for_others_is_kept)
{
	struct oauth *o = make("/good");
	struct oauth_user refused = { .refused = 0 }, other = { .refused = 0 };
	struct outcome r;
	char *t = another_token(o, oauth_token(o, http_rig.http, &r), &refused);
	int64_t waits = refused.again;

	for (int i = 0; i < 50; i++) {
		oauth_accept(o, t, &other);
		ck_assert(!oauth_reject(o, t, &refused));
	}
	/* A permission that was granted is in no token yet. */
	refused.again = 0;
	t = another_token(o, t, &refused);
	oauth_accept(o, t, &other);
	ck_assert(!oauth_reject(o, t, &refused));
	ck_assert_int_gt(refused.again, waits);
	/* Accepted, it is a user like any other. */
	oauth_accept(o, t, &refused);
	t = another_token(o, t, &refused);
	secret_free(t);
	oauth_free(o);
}
END_TEST

/* A token dies again and again in the hands of those who share it: whoever
 * meets that gets another one for all, whatever it was refused before. */
START_TEST(a_token_that_died_is_replaced_for_all)
{
	struct oauth *o = make("/good");
	struct oauth_user users[4] = { { .refused = 0 } }, other = users[0];
	struct outcome r;
	char *t = oauth_token(o, http_rig.http, &r);

	for (int i = 0; i < 4; i++) {
		oauth_accept(o, t, &other);
		t = another_token(o, t, &users[i]);
	}
	/* All have been refused; to be accepted once is enough. */
	oauth_accept(o, t, &users[0]);
	t = another_token(o, t, &users[0]);
	secret_free(t);
	oauth_free(o);
}
END_TEST

/* Where no token is any good they are got less and less often, and what was
 * good for an earlier one says nothing. */
START_TEST(tokens_that_are_no_good_are_got_seldom)
{
	struct oauth *o = make("/good");
	struct oauth_user user = { .refused = 0 };
	struct outcome r;
	char *t = another_token(o, oauth_token(o, http_rig.http, &r), &user);

	for (int i = 0; i < 50; i++) {
		struct oauth_user one = { .refused = 0 };

		oauth_accept(o, "an earlier one", &one);
		ck_assert(!oauth_reject(o, t, &one));
	}
	secret_free(t);
	oauth_free(o);
}
END_TEST

START_TEST(a_refusal_names_cause_and_remedy)
{
	struct oauth *o = make("/expired");
	struct outcome r;

	ck_assert(oauth_token(o, http_rig.http, &r) == NULL);
	ck_assert_int_eq(r.class, REPLY_CREDENTIALS);
	ck_assert_str_eq(r.code, "AADSTS7000222");
	ck_assert(strstr(r.text, "has expired; create a new one") != NULL);
	ck_assert(strstr(r.text, "p&q") == NULL);
	ck_assert_int_gt(r.wait, 0);
	/* The server is left alone … */
	ck_assert(oauth_token(o, http_rig.http, &r) == NULL);
	ck_assert_uint_eq(canned_count(http_rig.server), 1);
	/* … until there is another secret to try. */
	ck_assert_int_eq(setenv("SEALFEED_TEST_SECRET", "new", 1), 0);
	ck_assert(oauth_token(o, http_rig.http, &r) == NULL);
	ck_assert_uint_eq(canned_count(http_rig.server), 2);
	oauth_free(o);
}
END_TEST

static const struct {
	const char *path;
	const char *says;
	bool names; /* the options */
} refusals[] = {
	{ "/refused", "the client's credentials are refused", true },
	{ "/nowhere", "there is no token endpoint", true },
	{ "/dpop", "(DPoP), which this agent does not; switch that off", true },
	{ "/forbidden", "check the permissions", true },
	{ "/limited", "status 403: too many requests", false },
	{ "/expired", "create a new one", false },
};

/* The options are the source's own, where they are to blame. */
START_TEST(a_refusal_names_the_options)
{
	struct oauth *o = make(refusals[_i].path);
	struct outcome r;

	ck_assert(oauth_token(o, http_rig.http, &r) == NULL);
	ck_assert_msg(strstr(r.text, refusals[_i].says) != NULL, "%s", r.text);
	ck_assert_msg((strstr(r.text, "; check who and what") != NULL) ==
		refusals[_i].names,
	    "%s", r.text);
	oauth_free(o);
}
END_TEST

/* What a service account lacks to act for somebody. */
static const struct {
	const char *path;
	const char *says;
} strangers[] = {
	{ "/undelegated", "under domain-wide delegation" },
	{ "/nobody", "check subject" },
};

START_TEST(nobody_to_act_for)
{
	struct oauth *o = make(strangers[_i].path);
	struct outcome r;

	ck_assert(oauth_token(o, http_rig.http, &r) == NULL);
	ck_assert_int_eq(r.class, REPLY_CONFIG);
	ck_assert_msg(strstr(r.text, strangers[_i].says) != NULL, "%s", r.text);
	oauth_free(o);
}
END_TEST

/* Two APIs of one source: the remedy is about the one that the token is for. */
START_TEST(a_remedy_is_about_the_api)
{
	static char id[] = "me", tenant[] = "t1", secret[] = "s",
		    api[] = "https://a", graph[] = "https://g";
	char *login = xstrdup(canned_url(http_rig.server));
	const struct office365_conf conf = { .tenant = tenant,
		.client_id = id,
		.client_secret = secret,
		.login_url = login,
		.api_url = api,
		.graph_url = graph };
	struct err err = ERR_INIT;
	struct auth *a = office365_auth(&conf, _i == 0 ? api : graph, &err);
	struct http_request req = { .url = "https://a/x" };
	struct auth_proof proof;
	struct outcome r;

	memset(&proof, 0, sizeof(proof));
	ck_assert_msg(a != NULL, "%s", err.text);
	ck_assert_int_eq(auth_apply(a, http_rig.http, &req, &proof, &r),
	    REPLY_CONFIG);
	auth_proof_release(&proof);
	ck_assert_msg(strstr(r.text,
			  _i == 0 ? "api_url, and that the tenant has the "
				    "Office 365"
				  : "graph_url, and that the tenant has "
				    "Microsoft Graph") != NULL,
	    "%s", r.text);
	auth_free(a);
	free(login);
}
END_TEST

START_TEST(a_token_that_no_header_can_carry)
{
	struct oauth *o = make("/odd");
	struct outcome r;

	ck_assert(oauth_token(o, http_rig.http, &r) == NULL);
	ck_assert_int_eq(r.class, REPLY_RETRY);
	oauth_free(o);
}
END_TEST

/* What is granted, and for how many seconds; NULL: nothing is. */
#define NOW INT64_C(1700000000)
static const struct {
	const char *body;
	const char *token;
	int64_t seconds;
	struct token_shape shape;
} grants[] = {
	{ "{\"access_token\":\"t\",\"expires_in\":60}", "t", 60,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":\"60\"}", "t", 60,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":60.9}", "t", 60,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\"}", "t", 300, { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":null}", "t", 300,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":-5}", "t", 300,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":-1e300}", "t", 300,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":1e300}", "t", 86400,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":9223372036854775807}", "t",
	    86400, { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":\"99999999999999999999\"}",
	    "t", 86400, { .life = 0 } },
	{ "{\"access_token\":\"\"}", NULL, 0, { .life = 0 } },
	{ "{\"access_token\":\"a b\"}", NULL, 0, { .life = 0 } },
	{ "{\"access_token\":\"a\\u0000b\"}", NULL, 0, { .life = 0 } },
	{ "{\"access_token\":\"\xc3\xa9\"}", NULL, 0, { .life = 0 } },
	{ "{\"access_token\":7}", NULL, 0, { .life = 0 } },
	{ "[]", NULL, 0, { .life = 0 } },
	{ "", NULL, 0, { .life = 0 } },
	/* Names of their own, and a time instead of a life. */
	{ "{\"token\":\"ghs_1\",\"expires_at\":\"2023-11-14T23:13:20Z\"}",
	    "ghs_1", 3600, { .token = "/token", .expires_at = "/expires_at" } },
	{ "{\"data\":[{\"t\":\"x\",\"until\":1700000900}]}", "x", 900,
	    { .token = "/data/0/t", .expires_at = "/data/0/until" } },
	{ "{\"t\":\"x\",\"until\":\"1700000900000\"}", "x", 900,
	    { .token = "/t", .expires_at = "/until" } },
	{ "{\"t\":\"x\",\"until\":1600000000}", "x", 300,
	    { .token = "/t", .expires_at = "/until" } },
	{ "{\"access_token\":\"x\"}", "x", 7200, { .life = 7200000000 } },
	{ "{\"access_token\":\"x\",\"valid\":90}", "x", 90,
	    { .expires_in = "/valid" } },
	/* One that says itself when it ends: {"exp":1700001000}. */
	{ "{\"token\":\"e30.eyJleHAiOjE3MDAwMDEwMDB9.c2ln\"}",
	    "e30.eyJleHAiOjE3MDAwMDEwMDB9.c2ln", 1000, { .token = "/token" } },
	{ "{\"token\":\"e30.eyJleHAiOiJvZGQifQ.c2ln\"}",
	    "e30.eyJleHAiOiJvZGQifQ.c2ln", 300, { .token = "/token" } },
	{ "{\"token\":\"e30.!!!.c2ln\"}", "e30.!!!.c2ln", 300,
	    { .token = "/token" } },
	{ "{}", "h1", 300, { .header = "X-Auth-Token" } },
	{ "", "h1", 300, { .header = "x-auth-token" } },
	{ "{}", NULL, 0, { .header = "X-Other" } },
};

START_TEST(grant)
{
	static char headers[] = "HTTP/1.1 200 OK\r\nX-Auth-Token: h1\r\n\r\n";
	const struct http_reply reply = {
		.body = { .data = (char *)(uintptr_t)grants[_i].body,
		    .len = strlen(grants[_i].body) },
		.headers = { .data = headers, .len = sizeof(headers) - 1 }
	};
	struct token t;

	token_read(&grants[_i].shape, &reply, NOW * CLOCK_SECOND, &t);
	if (grants[_i].token == NULL) {
		ck_assert_msg(t.access == NULL, "%s", grants[_i].body);
	} else {
		ck_assert_msg(t.access != NULL, "%s", grants[_i].body);
		ck_assert_str_eq(t.access, grants[_i].token);
		ck_assert_int_eq(t.life, grants[_i].seconds * CLOCK_SECOND);
	}
	token_release(&t);
}
END_TEST

/* How a token is asked for, by each kind of grant, client and body: what the
 * request has, the claim or assertion cut off. */
static const struct http_pair account[] = { { "account_id", "a/1" },
	{ "password", "${env:SEALFEED_TEST_SECRET}" }, { NULL, NULL } };
static const struct {
	struct oauth_conf conf;
	const char *has[3];
} requests[] = {
	{ { .grant = GRANT_ACCOUNT_CREDENTIALS,
	      .client = CLIENT_BASIC,
	      .body = OAUTH_QUERY,
	      .client_id = "me",
	      .client_secret = "p&q",
	      .fields = account },
	    { "POST /any?grant_type=account_credentials&account_id=a%2F1&"
	      "password=p%26q HTTP",
		"Authorization: Basic bWU6cCZx\r\n", "\r\n\r\n" } },
	{ { .grant = GRANT_CLIENT_CREDENTIALS,
	      .body = OAUTH_JSON,
	      .client_id = "me",
	      .client_secret = "p\"q",
	      .fields = account },
	    { "Content-Type: application/json\r\n",
		"\r\n\r\n{\"grant_type\":\"client_credentials\",\"client_id\":"
		"\"me\",\"client_secret\":\"p\\\"q\",\"account_id\":\"a/1\","
		"\"password\":\"p&q\"}",
		NULL } },
	{ { .grant = GRANT_NONE, .body = OAUTH_JSON, .fields = account },
	    { "\r\n\r\n{\"account_id\":\"a/1\",\"password\":\"p&q\"}", NULL,
		NULL } },
	{ { .grant = GRANT_REFRESH_TOKEN,
	      .client_id = "me",
	      .refresh_token = "r 1" },
	    { "\r\n\r\ngrant_type=refresh_token&refresh_token=r%201&"
	      "client_id=me",
		NULL, NULL } },
	{ { .grant = GRANT_JWT_BEARER, .private_key = "KEY", .issuer = "i" },
	    { "\r\n\r\ngrant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3A"
	      "jwt-bearer&assertion=eyJ",
		NULL, NULL } },
	{ { .grant = GRANT_JWT_BEARER,
	      .private_key = "KEY",
	      .client_id = "box",
	      .client_secret = "s" },
	    { "&client_id=box&client_secret=s", NULL, NULL } },
	{ { .grant = GRANT_CLIENT_CREDENTIALS,
	      .private_key = "KEY",
	      .client_id = "okta",
	      .scope = "okta.logs.read" },
	    { "\r\n\r\ngrant_type=client_credentials&client_id=okta&"
	      "client_assertion_type=urn%3Aietf%3Aparams%"
	      "3Aoauth%3Aclient-"
	      "assertion-type%3Ajwt-bearer&client_assertion=eyJ",
		"&scope=okta.logs.read", NULL } },
	{ { .grant = GRANT_NONE,
	      .client = CLIENT_BEARER,
	      .private_key = "KEY",
	      .client_id = "app" },
	    { "POST /any HTTP", "Authorization: Bearer eyJ", "\r\n\r\n" } },
};

START_TEST(request)
{
	struct oauth_conf oc = requests[_i].conf;
	char *key, *cert,
	    *url = xasprintf("%s/any", canned_url(http_rig.server));
	const char *sent;
	struct oauth *o;
	struct outcome r;
	char *t;

	ck_assert_int_eq(setenv("SEALFEED_TEST_SECRET", "p&q", 1), 0);
	pair_make(&key, &cert);
	if (oc.private_key != NULL)
		oc.private_key = key;
	oc.token_url = url;
	o = oauth_new(&oc);
	t = oauth_token(o, http_rig.http, &r);
	ck_assert_msg(t != NULL, "%s", r.text);
	ck_assert_str_eq(t, "T");
	sent = canned_requests(http_rig.server);
	for (size_t i = 0; i < 3 && requests[_i].has[i] != NULL; i++)
		ck_assert_msg(strstr(sent, requests[_i].has[i]) != NULL,
		    "%s is not in\n%s", requests[_i].has[i], sent);
	ck_assert(strstr(sent, "client_assertion") == NULL ||
	    strstr(sent, "client_secret") == NULL);
	secret_free(t);
	oauth_free(o);
	free(url);
	free(key);
	free(cert);
}
END_TEST

Suite *
suite_oauth(void)
{
	Suite *s = suite_create("oauth");
	TCase *tc = tcase_create("oauth");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, http_help_end);
	tcase_add_loop_test(tc, request, 0,
	    sizeof(requests) / sizeof(requests[0]));
	tcase_add_test(tc, a_token_is_kept_until_it_is_rejected);
	tcase_add_test(tc, a_token_that_is_good_for_others_is_kept);
	tcase_add_test(tc, a_token_that_died_is_replaced_for_all);
	tcase_add_test(tc, tokens_that_are_no_good_are_got_seldom);
	tcase_add_test(tc, a_refusal_names_cause_and_remedy);
	tcase_add_loop_test(tc, a_refusal_names_the_options, 0,
	    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_loop_test(tc, nobody_to_act_for, 0,
	    sizeof(strangers) / sizeof(strangers[0]));
	tcase_add_loop_test(tc, a_remedy_is_about_the_api, 0, 2);
	tcase_add_test(tc, a_token_that_no_header_can_carry);
	tcase_add_loop_test(tc, grant, 0, sizeof(grants) / sizeof(grants[0]));
	suite_add_tcase(s, tc);
	return s;
}
