/*
 * test_definition_rules.c - what vendors answer in their own ways, judged by
 * the rules of the definitions that ship.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "sources/rest/definition.h"
#include "tests/unit/unit.h"

#define SHIPPED SRCDIR "/agent/sources/definitions"

#define GOOGLE_LIMIT                                                         \
	"{\"error\":{\"code\":403,\"message\":\"User Rate Limit Exceeded\"," \
	"\"errors\":[{\"domain\":\"usageLimits\",\"reason\":"                \
	"\"userRateLimitExceeded\"}]}}"

static const struct {
	const char *definition;
	int status;
	const char *headers;
	const char *body;
	enum reply_class class;
} said[] = {
	/* Too many requests. */
	{ "google-workspace", 403, "",
	    "{\"error\":{\"code\":403,\"message\":\"Daily Limit Exceeded\","
	    "\"errors\":[{\"domain\":\"usageLimits\",\"reason\":"
	    "\"dailyLimitExceeded\"}]}}",
	    REPLY_THROTTLED },
	{ "google-workspace", 403, "",
	    "{\"error\":{\"code\":403,\"message\":\"Quota exceeded for quota "
	    "metric 'Queries' and limit 'Queries per minute per user'\","
	    "\"errors\":[{\"domain\":\"usageLimits\",\"reason\":"
	    "\"rateLimitExceeded\"}]}}",
	    REPLY_THROTTLED },
	{ "google-alert-center", 403, "", GOOGLE_LIMIT, REPLY_THROTTLED },
	{ "google-cloud", 403, "", GOOGLE_LIMIT, REPLY_THROTTLED },
	{ "google-workspace", 503, "", "{}", REPLY_THROTTLED },
	{ "google-workspace", 429, "", "{}", REPLY_THROTTLED },
	{ "github", 403, "x-ratelimit-remaining: 0\r\n",
	    "{\"message\":\"API rate limit exceeded\"}", REPLY_THROTTLED },
	{ "github", 403, "Retry-After: 60\r\n",
	    "{\"message\":\"You have exceeded a secondary rate limit\"}",
	    REPLY_THROTTLED },
	{ "aws-cloudtrail", 400, "",
	    "{\"__type\":\"ThrottlingException\",\"message\":\"Rate "
	    "exceeded\"}",
	    REPLY_THROTTLED },
	{ "salesforce", 403, "",
	    "[{\"message\":\"TotalRequests Limit exceeded.\",\"errorCode\":"
	    "\"REQUEST_LIMIT_EXCEEDED\"}]",
	    REPLY_THROTTLED },
	/* Too many at once: the time of the reset means little. */
	{ "okta", 429, "X-Rate-Limit-Limit: 0\r\nX-Rate-Limit-Reset: 9\r\n",
	    "{\"errorCode\":\"E0000047\"}", REPLY_RETRY },
	{ "okta", 429, "X-Rate-Limit-Limit: 50\r\n",
	    "{\"errorCode\":\"E0000047\"}", REPLY_THROTTLED },
	/* No use in asking again. */
	{ "anthropic", 500, "x-should-retry: false\r\n", "{\"type\":\"error\"}",
	    REPLY_CONFIG },
	{ "anthropic", 500, "", "{\"type\":\"error\"}", REPLY_RETRY },
	/* Lost cursors. */
	{ "dropbox", 409, "",
	    "{\"error_summary\":\"reset/..\",\"error\":{\".tag\":\"reset\","
	    "\"reset\":\"2026-11-01T00:00:00Z\"}}",
	    REPLY_CURSOR },
	{ "slack", 200, "", "{\"ok\":false,\"error\":\"invalid_cursor\"}",
	    REPLY_CURSOR },
	{ "microsoft-graph", 400, "",
	    "{\"error\":{\"code\":\"BadRequest\",\"message\":\"Invalid "
	    "$skiptoken\"}}",
	    REPLY_CURSOR },
	{ "aws-cloudtrail", 400, "",
	    "{\"__type\":\"InvalidNextTokenException\"}", REPLY_CURSOR },
	{ "pagerduty", 400, "",
	    "{\"error\":{\"message\":\"Invalid Input Provided\",\"code\":2001,"
	    "\"errors\":[\"Cursor is invalid.\"]}}",
	    REPLY_CURSOR },
	{ "zoom", 400, "",
	    "{\"code\":300,\"message\":\"The next page token is invalid or "
	    "expired.\"}",
	    REPLY_CURSOR },
	/* Times that are refused. */
	{ "duo", 401, "",
	    "{\"code\":40105,\"message\":\"Bad request timestamp\",\"stat\":"
	    "\"FAIL\"}",
	    REPLY_CLOCK },
	/* What an administrator must see to. */
	{ "pagerduty", 402, "", "{}", REPLY_CONFIG },
	{ "slack", 200, "", "{\"ok\":false,\"error\":\"feature_not_enabled\"}",
	    REPLY_CONFIG },
	{ "cloudflare", 403, "",
	    "{\"success\":false,\"errors\":[{\"code\":10000,\"message\":"
	    "\"Authentication error\"}]}",
	    REPLY_CONFIG },
	{ "cloudflare", 400, "",
	    "{\"success\":false,\"errors\":[{\"code\":6003,\"message\":"
	    "\"Invalid request headers\",\"error_chain\":[{\"code\":6111,"
	    "\"message\":\"Invalid format for Authorization header\"}]}]}",
	    REPLY_CREDENTIALS },
	{ "cloudflare", 403, "",
	    "{\"success\":false,\"errors\":[{\"code\":9109,\"message\":"
	    "\"Invalid access token\"}]}",
	    REPLY_CREDENTIALS },
	{ "cloudflare", 404, "",
	    "{\"success\":false,\"errors\":[{\"code\":7003,\"message\":"
	    "\"Could not route to /accounts/x\"}]}",
	    REPLY_CONFIG },
	{ "zoom", 401, "", "{\"message\":\"It does not contain scopes:[x]\"}",
	    REPLY_CONFIG },
	{ "google-workspace", 400, "",
	    "{\"error\":{\"message\":\"Invalid string value: 'x'. Allowed "
	    "values: [y]\"}}",
	    REPLY_CONFIG },
	{ "zoom", 400, "", "{\"code\":200,\"message\":\"No permission.\"}",
	    REPLY_CONFIG },
	{ "zoom", 400, "", "{\"message\":\"Only available for Paid or ZMP\"}",
	    REPLY_CONFIG },
	{ "netskope", 403, "", "{}", REPLY_CONFIG },
	{ "netskope", 404, "", "{}", REPLY_CURSOR },
};

/* A reply is judged by the rules of the first stream of a definition. */
static void
judge_shipped(const char *name, int status, const char *headers,
    const char *body, struct outcome *r)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	char *path = xasprintf("%s/%s.yaml", SHIPPED, name);
	struct definition *d = definition_load(name, path, &errors);
	struct http_reply reply;

	ck_assert_ptr_nonnull(d);
	http_reply_init(&reply);
	reply.status = status;
	(void)snprintf(reply.type, sizeof(reply.type), "application/json");
	reply.shape = HTTP_OBJECT;
	ck_assert_int_eq(buf_adds(&reply.headers, headers), 0);
	ck_assert_int_eq(buf_adds(&reply.body, body), 0);
	if (status == 200)
		rules_unexpected(d->streams[0].rules, &reply, "events", r);
	else
		rules_judge(d->streams[0].rules, &reply, r);
	http_reply_release(&reply);
	definition_free(d);
	config_errors_release(&errors);
	free(path);
}

START_TEST(what_vendors_say)
{
	struct outcome r;

	judge_shipped(said[_i].definition, said[_i].status, said[_i].headers,
	    said[_i].body, &r);
	ck_assert_msg(r.class == said[_i].class, "%s: %d %s is %s: %s",
	    said[_i].definition, said[_i].status, said[_i].body,
	    reply_class_name(r.class), r.text);
}
END_TEST

/* What an administrator is told of it. */
static const struct {
	const char *definition;
	int status;
	const char *body;
	enum reply_class class;
	const char *tells;
} told[] = {
	{ "microsoft-graph", 403,
	    "{\"error\":{\"code\":\"Authentication_"
	    "RequestFromNonPremiumTenantOrB2CTenant\",\"message\":\"Neither "
	    "tenant is B2C or tenant doesn't have premium license\"}}",
	    REPLY_CONFIG, "sign-ins need Entra ID P1 or P2" },
	{ "microsoft-graph", 400,
	    "{\"error\":{\"code\":\"BadRequest\",\"message\":\"Specified "
	    "argument was out of the range of valid values. (Parameter "
	    "'Minimum allowed time for activityDateTime is 2/5/2023 12:00:00 "
	    "AM')\"}}",
	    REPLY_GONE, "kept for 7 days" },
	{ "microsoft-graph", 400,
	    "{\"error\":{\"code\":\"BadRequest\",\"message\":\"Request not "
	    "applicable to target tenant.\"}}",
	    REPLY_CONFIG, "licence of Intune" },
	/* Credentials that are shown as they are. */
	{ "jira", 401, "Client must be authenticated to access this resource.",
	    REPLY_UNAUTHORISED, "refused; check email and token, and" },
	{ "atlassian", 401, "{\"code\":401,\"message\":\"Unauthorized\"}",
	    REPLY_UNAUTHORISED, "refused; check token, and" },
	{ "1password", 401, "{\"Error\":{\"Message\":\"Unauthorized access\"}}",
	    REPLY_UNAUTHORISED, "issued for the events of this stream" },
	{ "jira", 403, "{\"errorMessages\":[\"No.\"]}", REPLY_CONFIG,
	    "on a paid plan" },
	{ "microsoft-graph", 401, "", REPLY_UNAUTHORISED,
	    "the access token is rejected" },
};

START_TEST(what_is_told)
{
	struct outcome r;

	judge_shipped(told[_i].definition, told[_i].status, "", told[_i].body,
	    &r);
	ck_assert_msg(r.class == told[_i].class &&
		strstr(r.text, told[_i].tells) != NULL,
	    "%s: %d %s is %s: %s", told[_i].definition, told[_i].status,
	    told[_i].body, reply_class_name(r.class), r.text);
}
END_TEST

Suite *
suite_definition_rules(void)
{
	Suite *s = suite_create("definition_rules");
	TCase *t = tcase_create("definition_rules");

	tcase_add_loop_test(t, what_vendors_say, 0,
	    sizeof(said) / sizeof(said[0]));
	tcase_add_loop_test(t, what_is_told, 0, sizeof(told) / sizeof(told[0]));
	suite_add_tcase(s, t);
	return s;
}
