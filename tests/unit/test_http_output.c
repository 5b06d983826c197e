/*
 * test_http_output.c - what is posted, and what answers mean.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/gzip.h"
#include "outputs/http/ndjson.h"
#include "tests/unit/canned.h"
#include "tests/unit/output_help.h"
#include "tests/unit/unit.h"

#define EVENT "{\"Id\":\"x\"}"
#define LINE                                                                \
	"{\"feed\":\"contoso/"                                              \
	"Audit.Exchange\",\"index\":42,\"agent\":\"fra1\",\"event\":" EVENT \
	"}\n"

static const struct canned_reply fine[] = {
	{ .path = "/in",
	    .bytes = "HTTP/1.1 202 Accepted\r\n"
		     "Content-Length: 2\r\n\r\nok" },
	{ .path = NULL },
};

static char url[128];

static struct ndjson_conf
conf_for(const struct canned *c)
{
	(void)snprintf(url, sizeof(url), "%s/in", canned_url(c));
	return (struct ndjson_conf){ .http.url = url,
		.http.parallel = 2,
		.http.max_body = 1 << 20,
		.http.common.timeout = UNIT_TIMEOUT };
}

/* Post one event as conf says; the request is in *request. */
static void
post(struct courier *c, const struct ndjson_conf *conf)
{
	courier_open(c, &output_http, conf, EVENT);
	courier_deliver(c);
	courier_close(c);
}

START_TEST(plain_lines)
{
	static char token[] = "t0ken", name[] = "X-Tenant", value[] = "7";
	struct canned *server = canned_start(fine);
	struct ndjson_conf conf = conf_for(server);
	struct setting_pair headers[] = { { name, value }, { NULL, NULL } };
	const char *request;
	struct courier c;

	conf.http.bearer = token;
	conf.http.headers = headers;
	post(&c, &conf);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	request = canned_requests(server);
	ck_assert_int_eq(strncmp(request, "POST /in HTTP/1.1\r\n", 19), 0);
	ck_assert_ptr_nonnull(strstr(request,
	    "\r\nContent-Type: application/x-ndjson\r\n"));
	ck_assert_ptr_nonnull(strstr(request,
	    "\r\nAuthorization: Bearer t0ken\r\n"));
	ck_assert_ptr_nonnull(strstr(request, "\r\nX-Tenant: 7\r\n"));
	ck_assert_ptr_null(strstr(request, "Content-Encoding"));
	ck_assert_ptr_null(strstr(request, "Expect"));
	ck_assert_str_eq(strstr(request, "\r\n\r\n") + 4, LINE);
	ck_assert_uint_eq(canned_count(server), 1);
	canned_stop(server);
}
END_TEST

/* One document a request; what is not JSON goes into it as a string. */
START_TEST(a_json_array)
{
	struct canned *server = canned_start(fine);
	struct ndjson_conf conf = conf_for(server);
	const char *body;
	struct courier c;
	json_t *array;

	courier_open(&c, &output_http_json, &conf.http, EVENT);
	courier_add(&c, "{\"a\":01}");
	courier_deliver(&c);
	courier_close(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_ptr_nonnull(strstr(canned_requests(server),
	    "\r\nContent-Type: application/json\r\n"));
	body = strstr(canned_requests(server), "\r\n\r\n") + 4;
	array = json_loads(body, 0, NULL);
	ck_assert_uint_eq(json_array_size(array), 2);
	ck_assert_str_eq(json_string_value(json_object_get(
			     json_object_get(json_array_get(array, 0), "event"),
			     "Id")),
	    "x");
	ck_assert_int_eq(json_integer_value(json_object_get(
			     json_array_get(array, 1), "index")),
	    43);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(array,
							       1),
			     "event")),
	    "{\"a\":01}");
	json_decref(array);
	canned_stop(server);
}
END_TEST

START_TEST(bare_events)
{
	static char user[] = "Aladdin:open sesame";
	struct canned *server = canned_start(fine);
	struct ndjson_conf conf = conf_for(server);
	const char *request;
	struct courier c;

	conf.http.basic = user;
	conf.envelope = NDJSON_NONE;
	post(&c, &conf);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	request = canned_requests(server);
	/* RFC 7617 section 2. */
	ck_assert_ptr_nonnull(strstr(request,
	    "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
	ck_assert_str_eq(strstr(request, "\r\n\r\n") + 4, EVENT "\n");
	canned_stop(server);
}
END_TEST

/* The body of a request, unpacked. */
static void
unpack_body(const char *request, struct buf *text)
{
	const char *length = strstr(request, "\r\nContent-Length: ");
	struct gzip *g = gzip_new();
	struct err err = ERR_INIT;

	ck_assert_ptr_nonnull(strstr(request,
	    "\r\nContent-Encoding: gzip\r\n"));
	ck_assert_ptr_nonnull(length);
	ck_assert_uint_gt(strtoul(length + 18, NULL, 10), 0);
	ck_assert_msg(gzip_unpack(g, strstr(request, "\r\n\r\n") + 4,
			  strtoul(length + 18, NULL, 10), text, &err) == 0,
	    "%s", err.text);
	gzip_free(g);
}

/* There is nothing in the request, which is packed as others are. */
static void
no_lines(const char *request, bool packed)
{
	struct buf text = BUF_INIT(4096);

	if (packed) {
		unpack_body(request, &text);
		ck_assert_uint_eq(text.len, 0);
	} else {
		ck_assert_str_eq(strstr(request, "\r\n\r\n") + 4, "");
		ck_assert_ptr_null(strstr(request, "Content-Encoding"));
	}
	buf_release(&text);
}

START_TEST(packed_lines)
{
	struct canned *server = canned_start(fine);
	struct ndjson_conf conf = conf_for(server);
	struct buf text = BUF_INIT(1 << 20);
	struct courier c;

	conf.http.compress = true;
	conf.envelope = _i;
	post(&c, &conf);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	unpack_body(canned_requests(server), &text);
	ck_assert_str_eq(text.data, _i == NDJSON_NONE ? EVENT "\n" : LINE);
	buf_release(&text);
	canned_stop(server);
}
END_TEST

/* Answers and what must follow; the reason names the words. */
static const struct {
	const char *answer;
	enum verdict verdict;
	int64_t delay;
	const char *words;
} answers[] = {
	{ "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: "
	  "0\r\n\r\n",
	    VERDICT_RETRY, 7 * CLOCK_SECOND, "429" },
	{ "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", VERDICT_RETRY,
	    0, "503: busy" },
	/* A clock that is years behind. */
	{ "HTTP/1.1 503 Busy\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	  "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\n"
	  "Content-Length: 0\r\n\r\n",
	    VERDICT_RETRY, 30 * CLOCK_SECOND, "503" },
	{ "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", VERDICT_BLOCKED, 0,
	    "credentials" },
	{ "HTTP/1.1 302 Found\r\nLocation: https://else.example/\r\n"
	  "Content-Length: 0\r\n\r\n",
	    VERDICT_BLOCKED, 0, "to https://else.example/; redirects are" },
	/* What a terminal would obey, or read as a line's end. */
	{ "HTTP/1.1 307 Go\r\nLocation: /in/?token=hunter2\r\n"
	  "Content-Length: 0\r\n\r\n",
	    VERDICT_BLOCKED, 0, "in: answers 307 to /in/; " },
	{ "HTTP/1.1 302 Found\r\nLocation: /a\rb\x1b[2J\xff\r\n"
	  "Content-Length: 0\r\n\r\n",
	    VERDICT_BLOCKED, 0, "to /a b\\x1b[2J\\xff; redirects are" },
	/* Pages in the receiver's stead. */
	{ "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 74\r\n"
	  "\r\n<html><head><title>Request Rejected</title></head><body>ID: 7"
	  "</body></html>",
	    VERDICT_BLOCKED, 0,
	    "answers 200 with a web page, \"Request Rejected\"; a firewall" },
	{ "HTTP/1.1 202 Accepted\r\nContent-Type: text/html\r\n"
	  "Content-Length: 2\r\n\r\nok",
	    VERDICT_BLOCKED, 0, "202 with a web page; a firewall" },
	/* What a firewall sends to whom it takes for no browser. */
	{ "HTTP/1.1 202 Accepted\r\nX-Amzn-Waf-Action: challenge\r\n"
	  "Content-Length: 0\r\n\r\n",
	    VERDICT_BLOCKED, 0, "AWS WAF has kept the request" },
	{ "HTTP/1.1 200 OK\r\ncf-mitigated:challenge\r\nContent-Length: 2\r\n"
	  "\r\n{}",
	    VERDICT_BLOCKED, 0, "Cloudflare has kept the request" },
	{ "HTTP/1.1 200 OK\r\nRefresh: 0; url=/login\r\nContent-Length: 0\r\n"
	  "\r\n",
	    VERDICT_BLOCKED, 0, "sends browsers elsewhere" },
	{ "HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\n"
	  "Content-Length: 12\r\n\r\nlocation='/'",
	    VERDICT_BLOCKED, 0, "200 with a web page; a firewall" },
	{ "HTTP/1.1 403 Forbidden\r\nContent-Length: 42\r\n\r\n"
	  "<!DOCTYPE html><title>Access &amp; more</title>",
	    VERDICT_BLOCKED, 0, "answers 403 with a web page" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\x01z", VERDICT_BLOCKED,
	    0, "neither JSON nor text" },
	{ "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n"
	  "\r\n",
	    VERDICT_DELIVERED, 0, "" },
	{ "HTTP/1.1 201 Created\r\nLocation: /in/7\r\nContent-Length: 9\r\n"
	  "\r\n{\"a\":\"<\"}",
	    VERDICT_DELIVERED, 0, "" },
	{ "HTTP/1.1 400 Bad\r\nContent-Length: 8\r\n\r\nno field",
	    VERDICT_REFUSED, 0, "400: no field" },
	{ "HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n", VERDICT_REFUSED, 0,
	    "max_body" },
	/* No answer: what became of the request is not known. */
	{ "", VERDICT_RETRY, 0, "" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", VERDICT_RETRY,
	    0, "" },
};

/* Of the URL, whose query may hold a token, the rest is told. */
START_TEST(answer)
{
	struct canned_reply table[] = {
		{ .path = "/in", .bytes = answers[_i].answer }, { .path = NULL }
	};
	struct canned *server = canned_start(table);
	struct ndjson_conf conf = conf_for(server);
	struct courier c;

	(void)strcat(url, "?token=hunter2");
	courier_open(&c, &output_http, &conf, EVENT);
	c.out.blocked = true; /* no benefit of a doubt */
	courier_deliver(&c);
	courier_close(&c);
	ck_assert_int_eq(c.verdict, answers[_i].verdict);
	ck_assert_int_eq(c.delay, answers[_i].delay);
	ck_assert_msg(strstr(c.why, answers[_i].words) != NULL, "%s", c.why);
	ck_assert_msg(strstr(c.why, "hunter2") == NULL, "%s", c.why);
	ck_assert_ptr_nonnull(strstr(canned_requests(server),
	    "?token=hunter2"));
	canned_stop(server);
}
END_TEST

#define TOKEN "q8Zk2LxV9sWb4TnR7yUcJ1mD"

/* Of a webhook, whose path has it, and who answers with it. */
static const struct {
	const char *answer, *words;
} echoes[] = {
	{ "HTTP/1.1 404 No\r\nContent-Length: 40\r\n\r\nCannot POST /in/" TOKEN,
	    "/in/…: answers 404: Cannot POST /in/*" },
	{ "HTTP/1.1 308 Go\r\nLocation: /in/" TOKEN
	  "/\r\nContent-Length: 0\r\n\r\n",
	    "/in/…: answers 308 to /in/…/; " },
	{ "", "/in/…: " },
};

START_TEST(a_token_in_the_path)
{
	struct canned_reply table[] = { { .path = "/in/" TOKEN,
					    .bytes = echoes[_i].answer },
		{ .path = NULL } };
	struct canned *server = canned_start(table);
	struct ndjson_conf conf = conf_for(server);
	struct courier c;

	(void)strcat(url, "/" TOKEN);
	courier_open(&c, &output_http, &conf, EVENT);
	c.out.blocked = true; /* no benefit of a doubt */
	courier_deliver(&c);
	courier_close(&c);
	ck_assert_msg(strstr(c.why, echoes[_i].words) != NULL, "%s", c.why);
	ck_assert_msg(strstr(c.why, TOKEN) == NULL, "%s", c.why);
	canned_stop(server);
}
END_TEST

/* What was taken a moment ago is not too large now. */
START_TEST(size_is_not_at_fault)
{
	struct canned_reply table[] = {
		{ .path = "/in",
		    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
		{ .path = "/in",
		    .bytes =
			"HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n" },
		{ .path = NULL }
	};
	struct canned *server = canned_start(table);
	struct ndjson_conf conf = conf_for(server);
	struct courier c;

	courier_open(&c, &output_http, &conf, EVENT);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	courier_close(&c);
	canned_stop(server);
}
END_TEST

/* Answers under "expect", and whether they are receipts. */
static const struct {
	const char *expect;
	const char *body;
	enum verdict verdict;
} expected[] = {
	{ "^(OK|stored)$", "stored", VERDICT_DELIVERED },
	{ "^(OK|stored)$", "\xef\xbb\xbfOK\r\n", VERDICT_DELIVERED },
	{ "^(OK|stored)$", "not stored", VERDICT_BLOCKED },
	{ "\"code\": *0[,}]", "{\"text\":\"Success\",\"code\":0}",
	    VERDICT_DELIVERED },
	{ "\"code\": *0[,}]", "{\"text\":\"busy\",\"code\":9}",
	    VERDICT_BLOCKED },
	{ "ok", "", VERDICT_BLOCKED },
	{ "^$", "", VERDICT_DELIVERED },
	{ "<title>done</title>", "<html><title>done</title></html>",
	    VERDICT_DELIVERED },
};

START_TEST(expectation)
{
	static char text[64];
	char bytes[256];
	struct canned_reply table[] = { { .path = "/in", .bytes = bytes },
		{ .path = NULL } };
	struct canned *server = canned_start(table);
	struct ndjson_conf conf = conf_for(server);
	struct courier c;

	(void)snprintf(bytes, sizeof(bytes),
	    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
	    strlen(expected[_i].body), expected[_i].body);
	(void)snprintf(text, sizeof(text), "%s", expected[_i].expect);
	conf.http.expect = text;
	courier_open(&c, &output_http, &conf, EVENT);
	c.out.blocked = true;
	courier_deliver(&c);
	courier_close(&c);
	ck_assert_int_eq(c.verdict, expected[_i].verdict);
	if (c.verdict == VERDICT_BLOCKED)
		ck_assert_msg(strstr(c.why, "expect does not match") != NULL,
		    "%s", c.why);
	canned_stop(server);
}
END_TEST

static void
write_token(const char *path, const char *token)
{
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_int_ge(fputs(token, out), 0);
	ck_assert_int_eq(fclose(out), 0);
}

/* No further chunk is wanted. */
static bool
in_doubt(void *ctx)
{
	const struct courier *c = ctx;

	return !c->decided && output_http.window(&c->out) == 1;
}

static bool
is_decided(void *ctx)
{
	return ((struct courier *)ctx)->decided;
}

/* What comes before a 200; the token is changed behind the first answer. */
static const struct {
	const char *first;
	const char *second;
} blips[] = {
	{ "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
	    "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n" },
	{ "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
	    "HTTP/1.1 302 Go\r\nLocation: /login\r\n\r\n" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
	    "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n" },
};

START_TEST(a_blip_is_no_block)
{
	const struct canned_reply table[] = { { .path = "/in",
						  .bytes = blips[_i].first },
		{ .path = "/in", .bytes = blips[_i].second },
		{ .path = "/in", .bytes = fine[0].bytes }, { .path = NULL } };
	struct canned *server = canned_start(table);
	struct ndjson_conf conf = conf_for(server);
	char path[] = "/tmp/sealfeed-token-XXXXXX", bearer[64];
	int64_t begun = clock_monotonic();
	struct courier c;
	int fd = mkstemp(path);

	ck_assert_int_ne(fd, -1);
	(void)close(fd);
	write_token(path, "old");
	(void)snprintf(bearer, sizeof(bearer), "${file:%s}", path);
	conf.http.bearer = bearer;
	courier_open(&c, &output_http, &conf, EVENT);
	courier_drive(&c, in_doubt, &c);
	write_token(path, "new");
	courier_wait(&c, is_decided, &c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert(!c.out.blocked);
	ck_assert_int_ge(clock_monotonic() - begun, 5 * CLOCK_SECOND / 2);
	ck_assert_uint_eq(canned_count(server), 3);
	ck_assert_ptr_nonnull(strstr(canned_requests(server), "Bearer old"));
	ck_assert_ptr_nonnull(strstr(canned_requests(server), "Bearer new"));
	courier_close(&c);
	(void)unlink(path);
	canned_stop(server);
}
END_TEST

/* Then one request is enough to see that it still is. */
START_TEST(what_goes_on_is_a_block)
{
	const struct canned_reply table[] = {
		{ .path = "/in",
		    .bytes = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n" },
		{ .path = NULL }
	};
	struct canned *server = canned_start(table);
	struct ndjson_conf conf = conf_for(server);
	int64_t begun = clock_monotonic();
	struct courier c;

	courier_open(&c, &output_http, &conf, EVENT);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_BLOCKED);
	ck_assert(c.out.blocked);
	ck_assert_int_ge(clock_monotonic() - begun, 15 * CLOCK_SECOND / 2);
	ck_assert_uint_eq(canned_count(server), 4);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_BLOCKED);
	ck_assert_uint_eq(canned_count(server), 5);
	courier_close(&c);
	canned_stop(server);
}
END_TEST

START_TEST(nobody_there)
{
	struct canned *server = canned_start(fine);
	struct ndjson_conf conf = conf_for(server);
	struct courier c;

	canned_stop(server);
	post(&c, &conf);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
}
END_TEST

/* What a probe finds. */
static const struct {
	const char *answer;
	const char *message; /* NULL: the probe fails … */
	const char *fails;   /* … with this */
} probes[] = {
	{ "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok",
	    "answers 202: ok (to an empty request); ", NULL },
	/* Splunk HEC: the token is right. */
	{ "HTTP/1.1 400 Bad Request\r\nContent-Length: 27\r\n\r\n"
	  "{\"text\":\"No data\",\"code\":5}",
	    "\"No data\",\"code\":5} (to an empty request, which it may",
	    NULL },
	{ "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", NULL,
	    "answers 403; the credentials" },
	{ "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", NULL,
	    "answers 503: busy (to an empty request)" },
};

/* Once as it is, once compressed. */
START_TEST(probe_delivers_nothing)
{
	const struct canned_reply table[] = {
		{ .path = "/in", .bytes = probes[_i / 2].answer },
		{ .path = NULL }
	};
	struct canned *server = canned_start(table);
	struct ndjson_conf conf = conf_for(server);
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct courier c;
	int rc;

	conf.http.compress = _i % 2 == 1;
	courier_open(&c, &output_http, &conf, EVENT);
	rc = output_http.probe(&c.out, &message, &err);
	if (probes[_i / 2].message != NULL) {
		ck_assert_msg(rc == 0, "%s", err.text);
		ck_assert_msg(strstr(message.data, probes[_i / 2].message) !=
			NULL,
		    "%s", message.data);
	} else {
		ck_assert_int_eq(rc, -1);
		ck_assert_msg(strstr(err.text, probes[_i / 2].fails) != NULL,
		    "%s", err.text);
	}
	courier_close(&c);
	buf_release(&message);
	no_lines(canned_requests(server), conf.http.compress);
	canned_stop(server);
}
END_TEST

START_TEST(secret_with_a_line_break)
{
	static char token[] = "a\r\nX-Evil: 1";
	struct ndjson_conf conf = { .http.url = url,
		.http.bearer = token,
		.http.parallel = 1,
		.http.common.timeout = CLOCK_SECOND };
	struct output out = { .type = &output_http, .conf = &conf };
	struct err err = ERR_INIT;

	ck_assert_int_eq(output_http.open(&out, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "line break"));
	ck_assert_ptr_null(strstr(err.text, "Evil"));
}
END_TEST

Suite *
suite_http_output(void)
{
	Suite *s = suite_create("http_output");
	TCase *tc = tcase_create("http_output");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, plain_lines);
	tcase_add_test(tc, a_json_array);
	tcase_add_test(tc, bare_events);
	tcase_add_loop_test(tc, packed_lines, NDJSON_SEAL, NDJSON_NONE + 1);
	tcase_add_loop_test(tc, answer, 0,
	    sizeof(answers) / sizeof(answers[0]));
	tcase_add_loop_test(tc, a_token_in_the_path, 0,
	    sizeof(echoes) / sizeof(echoes[0]));
	tcase_add_test(tc, size_is_not_at_fault);
	tcase_add_loop_test(tc, expectation, 0,
	    sizeof(expected) / sizeof(expected[0]));
	tcase_add_loop_test(tc, a_blip_is_no_block, 0,
	    sizeof(blips) / sizeof(blips[0]));
	tcase_add_test(tc, what_goes_on_is_a_block);
	tcase_add_test(tc, nobody_there);
	tcase_add_loop_test(tc, probe_delivers_nothing, 0,
	    2 * sizeof(probes) / sizeof(probes[0]));
	tcase_add_test(tc, secret_with_a_line_break);
	suite_add_tcase(s, tc);
	return s;
}
