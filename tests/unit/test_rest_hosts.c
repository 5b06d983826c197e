/*
 * test_rest_hosts.c - which hosts are asked, and with which credentials: links,
 * files and redirects that lead elsewhere, hosts that come with a token, and
 * credentials that two sources share, that are too long, or that a vendor
 * refuses.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "http/client.h"
#include "http/rules.h"
#include "sources/rest/rest_private.h"
#include "tests/unit/rest_rig.h"
#include "tests/unit/shape_help.h"
#include "tests/unit/unit.h"

#define TRIAL  \
	WINDOW \
	"    page: { kind: none }\n    records: { at: [\"\"] }\n    id: /id\n"

static const struct shape shapes[] = {
	{ .name = "a row that leads elsewhere",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [\"\"] }\n    fetch: "
	    "{ url: /u, records: { at: [\"\"] } }\n    id: /id\n",
	    .replies = { { "/list",
		JSON("[{\"u\":\"https://evil.example.org/x\"}]"), 0 } },
	    .events = "",
	    .trouble = "leads to another host" },
	{ .name = "a link of the vendor's own, where another host is named",
	    .definition = HEAD WINDOW
	    "    page: { kind: url, from: [/next] }\n    records: { at: "
	    "[/value] }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"value\":[{\"id\":1}],\"next\":"
				  "\"https://API.example.com/more?a=%2F\"}"),
			     0 },
		{ "/more", JSON("{\"value\":[{\"id\":2}]}"), 0 } },
	    .asked = { "GET /list?from=", "GET /more?a=%2F HTTP" },
	    .events = "{\"id\":1}\n{\"id\":2}\n" },
	{ .name = "the Link header leads to another host",
	    .definition = HEAD WINDOW "    page: { kind: link }\n    records: "
				      "{ at: [/v] }\n    id: /id\n",
	    .replies = { { "/list",
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLink: "
		"<https://api.example.com.evil.org/x?t=1>; "
		"rel=\"next\"\r\n\r\n{\"v\":[{\"id\":1}]}",
		0 } },
	    .events = "",
	    .trouble = "the link to the next page leads to another host than "
		       "hosts.api and is refused" },
	{ .name = "a header with a URL leads to another host",
	    .definition =
		HEAD WINDOW "    page: { kind: url_header, from: [NextPageUri] "
			    "}\n    records: { at: [/v] }\n    id: /id\n",
	    .replies = { { "/list",
		"HTTP/1.1 200 OK\r\nContent-Type: "
		"application/json\r\nNextPageUri: "
		"//evil.example.org/x\r\n\r\n{\"v\":[{\"id\":1}]}",
		0 } },
	    .events = "",
	    .trouble = "the link to the next page leads to another host than "
		       "hosts.api and is refused" },
	{ .name = "a URL in the body leads to another host",
	    .definition =
		HEAD WINDOW "    page: { kind: url, from: [/next] }\n    "
			    "records: { at: [/v] }\n    id: /id\n",
	    .replies = { { "/list",
		"HTTP/1.1 200 OK\r\nContent-Type: "
		"application/"
		"json\r\n\r\n{\"v\":[{\"id\":1}],\"next\":\"<url>@evil.example."
		"org/x\"}",
		0 } },
	    .events = "",
	    .trouble = "the link to the next page leads to another host than "
		       "hosts.api and is refused" },
	{ .name = "a URL in the body with another port leads to another host",
	    .definition =
		HEAD WINDOW "    page: { kind: url, from: [/next] }\n    "
			    "records: { at: [/v] }\n    id: /id\n",
	    .replies = { { "/list",
		"HTTP/1.1 200 OK\r\nContent-Type: "
		"application/json\r\n\r\n{\"v\":[{\"id\":1}],\"next\":\"http://"
		"127.0.0.1:1/x\"}",
		0 } },
	    .events = "",
	    .trouble = "the link to the next page leads to another host than "
		       "hosts.api and is refused" },
	{ .name = "a redirect of a page",
	    .definition = HEAD WINDOW "    page: { kind: none }\n    records: "
				      "{ at: [/v] }\n    id: /id\n",
	    .replies = { { "/list",
		"HTTP/1.1 302 Found\r\nContent-Type: "
		"application/json\r\nLocation: "
		"https://evil.example.org/x\r\n\r\n{}",
		0 } },
	    .events = "",
	    .trouble = "a redirect to https://evil.example.org/x, which is not "
		       "followed" },
	{ .name = "a redirect of a job",
	    .definition = HEAD
	    "    job: { submit: { method: POST, path: /jobs, body: "
	    "'{\"from\":\"{window.start|rfc3339}\",\"to\":\"{window.end|"
	    "rfc3339}\"}' }, poll: { path: \"/state/{job.id}\" }, id: /id, "
	    "status: /status, running: [running], done: [done] }\n"
	    "    request: { path: \"/result/{job.id}\" }\n    cursor: { kind: "
	    "window, span: 10d, overlap: 1m }\n    page: { kind: none }\n    "
	    "records: { at: [/rows] }\n    id: /id\n",
	    .replies = { { "/jobs",
		"HTTP/1.1 302 Found\r\nContent-Type: "
		"application/json\r\nLocation: "
		"https://evil.example.org/x\r\n\r\n{}",
		0 } },
	    .events = "",
	    .trouble = "a redirect to https://evil.example.org/x, which is not "
		       "followed" },
	{ .name = "a job whose id is a URL is asked for on the same host",
	    .definition = HEAD
	    "    job: { submit: { method: POST, path: /jobs, body: "
	    "'{\"from\":\"{window.start|rfc3339}\",\"to\":\"{window.end|"
	    "rfc3339}\"}' }, poll: { path: \"/state/{job.id}\" }, id: /id, "
	    "status: /status, running: [running], done: [done] }\n"
	    "    request: { path: \"/result/{job.id}\" }\n    cursor: { kind: "
	    "window, span: 10d, overlap: 1m }\n    page: { kind: none }\n    "
	    "records: { at: [/rows] }\n    id: /id\n",
	    .replies = { { "/jobs",
			     JSON("{\"id\":\"https://evil.example.org/../j\"}"),
			     0 },
		{ "/state/https:%2F%2Fevil.example.org%2F..%2Fj",
		    JSON("{\"status\":\"done\"}"), 0 },
		{ "/result/https:%2F%2Fevil.example.org%2F..%2Fj",
		    JSON("{\"rows\":[{\"id\":1}]}"), 0 } },
	    .events = "{\"id\":1}\n" },
	{ .name = "a redirect of the grant",
	    .definition =
		"name: shape\ntitle: T\ndocs: https://docs.example.com\n"
		"variables: { token: { type: secret, help: The token } }\n"
		"hosts: { login: https://login.example.com, api: "
		"https://api.example.com }\n"
		"auth: { kind: oauth2, host: login, path: /token, client_id: "
		"me, client_secret: \"{token}\" }\n"
		"rate: { requests: 600, per: 1s }\nstreams:\n  s:\n    title: "
		"S\n    retention: 30d\n    time: { at: /t, format: epoch "
		"}\n" WINDOW
		"    page: { kind: none }\n    records: { at: [\"\"] }\n"
		"    id: /id\n",
	    .replies = { { "/token",
		"HTTP/1.1 302 Found\r\nContent-Type: "
		"application/json\r\nLocation: "
		"https://evil.example.org/x\r\n\r\n{}",
		0 } },
	    .events = "",
	    .trouble = "a redirect to https://evil.example.org/x, which is not "
		       "followed" },
	{ .name = "files on another host, which their URLs have the proof for",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/v] }\n    fetch: "
	    "{ host: login, url: /u, records: { at: [\"\"] } }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"v\":[{\"u\":\"<url>/f?sig=abc\"}]}"), 0 },
		{ "/f", JSON("[{\"id\":1}]"), 0 } },
	    .asked = { "Authorization: Bearer abcdefgh", "GET /f?sig=abc" },
	    .events = "{\"id\":1}\n",
	    .once = "Authorization:" },
	{ .name = "files on another host than that",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/v] }\n    fetch: "
	    "{ host: login, url: /u, records: { at: [\"\"] } }\n    id: /id\n",
	    .replies = { { "/list",
		JSON("{\"v\":[{\"u\":\"https://evil.example.org/f\"}]}"), 0 } },
	    .events = "",
	    .trouble =
		"the URL of a row leads to another host than hosts.login" },
	{ .name = "a host that comes with the token",
	    .definition =
		"name: shape\ntitle: T\ndocs: https://docs.example.com\n"
		"variables: { token: { type: secret, help: The token } }\n"
		"hosts: { login: https://login.example.com, api: { "
		"from_token: /instance_url, suffixes: [.0.0.1] } }\n"
		"auth: { kind: oauth2, host: login, path: /token, client_id: "
		"me, client_secret: \"{token}\" }\n"
		"rate: { requests: 600, per: 1s }\nstreams:\n  s:\n    title: "
		"S\n    retention: 30d\n    time: { at: /t, format: epoch "
		"}\n" WINDOW
		"    page: { kind: none }\n    records: { at: [\"\"] }\n"
		"    id: /id\n",
	    .replies = { { "/token",
			     JSON("{\"access_token\":\"abcdef\",\"instance_"
				  "url\":\"<url>\"}"),
			     0 },
		{ "/list", JSON("[{\"id\":1}]"), 0 } },
	    .asked = { "POST /token", "GET /list",
		"Authorization: Bearer abcdef" },
	    .events = "{\"id\":1}\n" },
	{ .name = "a host that is none of the vendor's",
	    .definition =
		"name: shape\ntitle: T\ndocs: https://docs.example.com\n"
		"variables: { token: { type: secret, help: The token } }\n"
		"hosts: { login: https://login.example.com, api: { "
		"from_token: /instance_url, suffixes: [.salesforce.com] } }\n"
		"auth: { kind: oauth2, host: login, path: /token, client_id: "
		"me, client_secret: \"{token}\" }\n"
		"rate: { requests: 600, per: 1s }\nstreams:\n  s:\n    title: "
		"S\n    retention: 30d\n    time: { at: /t, format: epoch "
		"}\n" WINDOW
		"    page: { kind: none }\n    records: { at: [\"\"] }\n"
		"    id: /id\n",
	    .replies = { { "/token",
		JSON("{\"access_token\":\"abcdef\",\"instance_url\":\"https://"
		     "salesforce.com.example.org\"}"),
		0 } },
	    .events = "",
	    .trouble = "none of the vendor's" },
};

START_TEST(shape)
{
	shape_play(&shapes[_i]);
}
END_TEST

/* Requests are counted by credential: sources that have the same one share a
 * budget. */
START_TEST(credentials)
{
	static const char yaml[] =
	    "agent: { name: a, key: /tmp/seal.pem }\nsources:\n"
	    "  a: { type: okta, domain: a.okta.com, token: \"${env:A}\" }\n"
	    "  b: { type: okta, domain: a.okta.com, token: \"${env:A}\", "
	    "interval: 1m }\n"
	    "  c: { type: okta, domain: a.okta.com, token: \"${env:B}\" }\n"
	    "  d: { type: okta, domain: b.okta.com, token: \"${env:A}\" }\n"
	    "outputs: { f: { type: file, path: /tmp/out } }\n";
	char *key[4];

	rest_rig_begin();
	rest_rig_link("okta", SRCDIR "/agent/sources/definitions/okta.yaml");
	rest_rig_load(yaml);
	for (size_t i = 0; i < 4; i++)
		key[i] = rest_credential(rest_rig.config->sources[i].conf);
	ck_assert_str_eq(key[0], key[1]);
	ck_assert_str_ne(key[0], key[2]);
	ck_assert_str_ne(key[0], key[3]);
	for (size_t i = 0; i < 4; i++)
		free(key[i]);
	rest_rig_end();
}
END_TEST

/* Whoever is refused is told which options say who asks. */
START_TEST(options_of_credentials)
{
	static const char yaml[] =
	    "agent: { name: a, key: /tmp/seal.pem }\nsources:\n"
	    "  a: { type: okta, domain: a.okta.com, token: \"${env:A}\" }\n"
	    "  b: { type: okta, domain: a.okta.com, client_id: c, key_id: k, "
	    "private_key: \"${file:/tmp/key}\" }\n"
	    "outputs: { f: { type: file, path: /tmp/out } }\n";
	static const char *const expected[] = { "token",
		"domain, client_id, private_key and key_id" };

	rest_rig_begin();
	rest_rig_link("okta", SRCDIR "/agent/sources/definitions/okta.yaml");
	rest_rig_load(yaml);
	for (size_t i = 0; i < 2; i++) {
		const struct rest_conf *c = rest_rig.config->sources[i].conf;
		char *options = rest_auth_options(c, rest_auth(c));

		ck_assert_str_eq(options, expected[i]);
		free(options);
	}
	rest_rig_end();
}
END_TEST

#define GITHUB "org: a, token: abcdefgh"
#define SLACK "token: xoxp-abcdef"
static const struct {
	const char *type, *options;
	int status;
	const char *headers, *body;
	enum reply_class class;
	const char *says;
} refusals[] = {
	{ "github", GITHUB, 403, "X-GitHub-SSO: required; url=x\r\n",
	    "{\"message\":\"Resource protected by organization SAML "
	    "enforcement.\"}",
	    REPLY_CONFIG, "SSO; authorise it there" },
	{ "github", GITHUB, 403, "",
	    "{\"message\":\"Resource not accessible by integration\"}",
	    REPLY_CONFIG, "Administration set to read" },
	{ "github", GITHUB, 403, "Retry-After: 60\r\n",
	    "{\"message\":\"Wait.\"}", REPLY_THROTTLED, "too many requests" },
	{ "github", GITHUB, 403, "X-RateLimit-Remaining: 0\r\n",
	    "{\"message\":\"API rate limit exceeded\"}", REPLY_THROTTLED,
	    "budget" },
	{ "github", GITHUB, 401, "", "{\"message\":\"Bad credentials\"}",
	    REPLY_UNAUTHORISED, "check token" },
	{ "slack", SLACK, 200, "", "{\"ok\":false,\"error\":\"missing_scope\"}",
	    REPLY_CONFIG, "add the user token scope auditlogs:read" },
	{ "slack", SLACK, 401, "",
	    "{\"ok\":false,\"error\":\"invalid_authentication\"}",
	    REPLY_UNAUTHORISED, "check token" },
	{ "slack", SLACK, 403, "",
	    "{\"ok\":false,\"error\":\"not_allowed_token_type\"}", REPLY_CONFIG,
	    "begins with xoxp-" },
};

/* What vendors answer whoever may not read, in their own words. */
START_TEST(a_refusal)
{
	char *yaml = xasprintf(
	    "agent: { name: a, key: /tmp/seal.pem }\nsources:\n  a: { type: "
	    "%s, %s }\noutputs: { f: { type: file, path: /tmp/out } }\n",
	    refusals[_i].type, refusals[_i].options);
	char *file = xasprintf(SRCDIR "/agent/sources/definitions/%s.yaml",
	    refusals[_i].type);
	const struct rest_conf *c;
	struct http_reply reply;
	struct outcome r;

	rest_rig_begin();
	rest_rig_link(refusals[_i].type, file);
	rest_rig_load(yaml);
	c = rest_rig.config->sources[0].conf;
	http_reply_init(&reply);
	reply.status = refusals[_i].status;
	ck_assert_int_eq(buf_adds(&reply.headers, refusals[_i].headers), 0);
	ck_assert_int_eq(buf_adds(&reply.body, refusals[_i].body), 0);
	if (reply.status == 200)
		rules_unexpected(c->def->streams[0].rules, &reply, "events",
		    &r);
	else
		rules_judge(c->def->streams[0].rules, &reply, &r);
	ck_assert_int_eq(r.class, refusals[_i].class);
	ck_assert_msg(strstr(r.text, refusals[_i].says) != NULL, "%s", r.text);
	http_reply_release(&reply);
	rest_rig_end();
	free(file);
	free(yaml);
}
END_TEST

/* What fails makes all of a source wait, which a trial doesn't: nobody has
 * stopped the other streams. */
START_TEST(a_trial_waits_for_nothing)
{
	const struct shape s = { .definition =
				     HEAD_WITH("{ kind: oauth2, host: login, "
					       "path: /token, client_id: me, "
					       "client_secret: \"{token}\" }")
					 TRIAL "  other:\n    title: "
					       "O\n    retention: 30d\n"
					       "    time: { at: /t, "
					       "format: epoch }\n" TRIAL,
		.replies = { { "/token",
		    FAIL("401", "{\"error\":\"invalid_client\"}"), 0 } } };
	struct buf said = BUF_INIT(10000);
	struct err err = ERR_INIT;

	shape_begin(&s, "abcdefgh");
	ck_assert_int_eq(source_live(&rest_rig.config->sources[0], NULL, NULL,
			     &said, &err),
	    -1);
	ck_assert_msg(strstr(err.text, "refused; check token") != NULL, "%s",
	    err.text);
	ck_assert_msg(strstr(said.data,
			  "other: is not tried, since no further request may "
			  "be made") != NULL,
	    "%s", said.data);
	buf_release(&said);
	shape_end();
}
END_TEST

/* A definition that is right, with that auth. */
#define LONG(auth)                                                        \
	HEAD_WITH(auth)                                                   \
	WINDOW                                                            \
	"    page: { kind: none }\n    records: { at: [\"\"] }\n    id: " \
	"/id\n"

/* Definitions, and the key of the auth that the token makes too long; signed
 * text has it within. */
static const struct {
	const char *definition;
	const char *key;
} long_ones[] = {
	{ LONG("{ kind: header, value: \"Bearer {token}\" }"), "value" },
	{ LONG("{ kind: header, headers: { X-Key: \"k{token}\" } }"),
	    "headers" },
	{ LONG("{ kind: basic, user: me, password: \"{token}\" }"),
	    "password" },
	{ LONG("{ kind: digest, user: me, password: \"{token}\" }"),
	    "password" },
	{ LONG("{ kind: oauth2, host: login, path: /t, client_id: me, "
	       "client_secret: \"{token}\" }"),
	    "client_secret" },
	{ LONG("{ kind: oauth2, host: login, path: /t, client_id: me, grant: "
	       "refresh_token, refresh_token: \"{token}\" }"),
	    "refresh_token" },
	{ LONG("{ kind: jwt, issuer: me, private_key: \"{token}\" }"),
	    "private_key" },
	{ LONG("{ kind: signature, algorithm: hmac-sha256, user: me, secret: "
	       "\"{token}\", text: [\"{request.method}\"] }"),
	    "secret" },
};

/* A text that was cut would be other credentials: it is told, whatever it is
 * of, and one that just fits is taken. */
START_TEST(long_credentials)
{
	const struct shape s = { .definition = long_ones[_i].definition };
	const char *text = rest_rig.err.text;
	struct source *source = &rest_rig.source;

	for (int too_long = 0; too_long < 2; too_long++) {
		const size_t len = 64 * 1024 - 16 + (too_long ? 32U : 0U);
		char *token = xcalloc(1, len + 1);
		const struct config_entry *e;
		int rc;

		memset(token, 'x', len);
		shape_begin(&s, token);
		e = &rest_rig.config->sources[0];
		*source = (struct source){ .type = source_type_of(e->type),
			.name = e->name,
			.conf = e->conf };
		rc = source->type->open(source, &rest_rig.err);
		ck_assert_msg(rc == (too_long ? -1 : 0), "%s", text);
		if (rc == 0)
			source->type->close(source);
		else
			ck_assert_msg(strstr(text, long_ones[_i].key) != NULL &&
				strstr(text, "more than 65536 bytes") != NULL &&
				strstr(text, "xxxx") == NULL,
			    "%s", text);
		shape_end();
		free(token);
	}
}
END_TEST

Suite *
suite_rest_hosts(void)
{
	Suite *s = suite_create("rest_hosts");
	TCase *tc = tcase_create("rest_hosts");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, shape, 0, sizeof(shapes) / sizeof(shapes[0]));
	tcase_add_test(tc, credentials);
	tcase_add_test(tc, options_of_credentials);
	tcase_add_loop_test(tc, a_refusal, 0,
	    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(tc, a_trial_waits_for_nothing);
	tcase_add_loop_test(tc, long_credentials, 0,
	    sizeof(long_ones) / sizeof(long_ones[0]));
	suite_add_tcase(s, tc);
	return s;
}
