/*
 * test_http.c - the HTTP client: URLs, origins, and replies of every quality.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/client.h"
#include "tests/unit/canned.h"
#include "tests/unit/unit.h"

#define JSON "Content-Type: application/json; charset=utf-8\r\n"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"

/* gzip of "[1,2,3]", whole. */
static const unsigned char packed[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x02, 0x03, 0x8b, 0x36, 0xd4, 0x31, 0xd2, 0x31, 0x8e, 0x05,
	0x00, 0xe9, 0xb3, 0x6d, 0xfd, 0x07, 0x00, 0x00, 0x00 };

static const struct canned_reply table[] = {
	{ .path = "/ok",
	    .bytes = "HTTP/1.1 200 OK\r\n" JSON
		     "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		     "nextpageURI: \thttps://x/next \r\n"
		     "Content-Length: 7\r\n\r\n[1,2,3]" },
	{ .path = "/html",
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
		     "Content-Length: 6\r\n\r\n<html>" },
	{ .path = "/short",
	    .bytes =
		"HTTP/1.1 200 OK\r\n" JSON "Content-Length: 100\r\n\r\n[1,2" },
	{ .path = "/chunks",
	    .bytes = "HTTP/1.1 200 OK\r\n" JSON
		     "Transfer-Encoding: chunked\r\n\r\n4\r\n[1,2\r\n" },
	{ .path = "/redirect",
	    .bytes = "HTTP/1.1 302 Found\r\nLocation: /ok\r\n"
		     "Content-Length: 0\r\n\r\n" },
	{ .path = "/later",
	    .bytes = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n"
		     "Content-Length: 2\r\n\r\nno" },
	{ .path = "/echo",
	    .bytes = "HTTP/1.1 400 Bad\r\n" JSON
		     "Content-Length: 24\r\n\r\n{\"error\":\"token s3cret\"}" },
	{ .path = "/page",
	    .bytes =
		"HTTP/1.1 403 No\r\nContent-Type: text/html\r\n\r\n"
		"client_secret=a%2Fb%2Bc%3D%3D&x=a/b+c==a/b+c== ****** a/b+" },
	{ .path = "/date/two",
	    .bytes = "HTTP/1.1 200 OK\r\n" JSON DATE
		     "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n" EMPTY },
	{ .path = "/date/twice",
	    .bytes = "HTTP/1.1 200 OK\r\n" JSON DATE
		     "date:Sunday, 06-Nov-94 08:49:37 GMT\r\n" EMPTY },
	{ .path = "/date/bad",
	    .bytes = "HTTP/1.1 200 OK\r\n" JSON "Date: \r\n"
		     "Date: yesterday\r\n" DATE EMPTY },
	{ .path = "/date/old",
	    .bytes = "HTTP/1.1 200 OK\r\n" JSON
		     "DATE:\tSun Nov  6 08:49:37 1994 \r\n" EMPTY },
	{ .path = "/date/moved",
	    .bytes = "HTTP/1.1 302 Found\r\nLocation: /ok\r\n" DATE EMPTY },
	{ .path = "/date/interim",
	    .bytes = "HTTP/1.1 103 Early\r\n"
		     "Date: Sun, 06 Nov 1994 08:00:00 GMT\r\n\r\n"
		     "HTTP/1.1 200 OK\r\n" JSON DATE EMPTY },
	{ .path = "/date/none",
	    .bytes = "HTTP/1.1 200 OK\r\n" JSON
		     "X-Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		     "Date: 784111777\r\n"
		     "Date: Sun, 31 Nov 1994 08:49:37 GMT\r\n" EMPTY },
	{ .path = "/badgzip",
	    .bytes = "HTTP/1.1 200 OK\r\n" JSON "Content-Encoding: gzip\r\n"
		     "Content-Length: 5\r\n\r\nnogz!" },
	{ .path = NULL },
};

struct fixture {
	struct canned *server;
	struct http_conf conf;
	struct http_access *access;
	struct http *http;
	struct http_reply reply;
	struct buf body;
};

static struct fixture f;

static void
set_up(void)
{
	struct err err = ERR_INIT;

	f = (struct fixture){ .conf = { .timeout = UNIT_TIMEOUT } };
	f.server = canned_start(table);
	f.access = http_access_open(&f.conf, &err);
	ck_assert_msg(f.access != NULL, "%s", err.text);
	f.http = http_new(f.access, NULL, NULL);
	http_reply_init(&f.reply);
	buf_init(&f.body, 1000);
}

static void
tear_down(void)
{
	http_free(f.http);
	http_access_free(f.access);
	http_reply_release(&f.reply);
	buf_release(&f.body);
	canned_stop(f.server);
}

static int
take(void *ctx, const char *data, size_t len, struct err *err)
{
	(void)ctx;
	if (buf_add(&f.body, data, len) != 0)
		return err_set(err, "too much");
	return 0;
}

static const char *secret = "s3cret";

static int
get(const char *path, struct err *err)
{
	char *url = xasprintf("%s%s", canned_url(f.server), path);
	static const struct http_pair credentials[] = {
		{ "Authorization", "Bearer s3cret" },
		{ NULL, NULL },
	};
	struct http_request req = { .url = url,
		.credentials = credentials,
		.secret = secret,
		.take = take };
	int rc;

	buf_clear(&f.body);
	rc = http_do(f.http, &req, &f.reply, err);
	free(url);
	return rc;
}

START_TEST(good_reply)
{
	struct err err = ERR_INIT;
	char next[100];

	ck_assert_msg(get("/ok", &err) == 0, "%s", err.text);
	ck_assert_int_eq(f.reply.status, 200);
	ck_assert_str_eq(f.body.data, "[1,2,3]");
	ck_assert_str_eq(f.reply.type, "application/json");
	ck_assert_int_eq(f.reply.date, INT64_C(784111777) * CLOCK_SECOND);
	ck_assert(http_header(&f.reply, "NextPageUri", next, sizeof(next)));
	ck_assert_str_eq(next, "https://x/next");
	ck_assert(!http_header(&f.reply, "NextPage", next, sizeof(next)));
	ck_assert(strstr(canned_requests(f.server), "Bearer s3cret") != NULL);
}
END_TEST

/* Of two that differ neither counts. */
START_TEST(dates)
{
	static const struct {
		const char *path;
		bool good;
	} rows[] = {
		{ "/date/two", false },
		{ "/date/twice", true },
		{ "/date/bad", true },
		{ "/date/old", true },
		{ "/date/moved", true },
		{ "/date/interim", true },
		{ "/date/none", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const int64_t want = rows[i].good
		    ? INT64_C(784111777) * CLOCK_SECOND
		    : INT64_MIN;
		struct err err = ERR_INIT;

		ck_assert_msg(get(rows[i].path, &err) == 0, "%s: %s",
		    rows[i].path, err.text);
		ck_assert_msg(f.reply.date == want, "%s: %lld", rows[i].path,
		    (long long)f.reply.date);
	}
}
END_TEST

/* What ends a line or a text, within the value of a header. */
START_TEST(a_header_on_one_line)
{
	static const char lines[] = "A: x\ry\0z\r\nB: 1\r\n";
	struct http_reply r;
	char value[16];

	http_reply_init(&r);
	ck_assert_int_eq(buf_add(&r.headers, lines, sizeof(lines) - 1), 0);
	ck_assert(http_header(&r, "a", value, sizeof(value)));
	ck_assert_str_eq(value, "x y z");
	http_reply_release(&r);
}
END_TEST

START_TEST(an_incomplete_body_is_an_error)
{
	static const char *const paths[] = { "/short", "/chunks", "/badgzip",
		"/html" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct err err = ERR_INIT;

		ck_assert_msg(get(paths[i], &err) == -1, "%s", paths[i]);
		ck_assert_msg(strstr(err.text, paths[i]) != NULL, "%s",
		    err.text);
	}
	ck_assert_uint_eq(f.body.len, 0);
}
END_TEST

START_TEST(redirects_are_not_followed)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(get("/redirect", &err), 0);
	ck_assert_int_eq(f.reply.status, 302);
	ck_assert_uint_eq(canned_count(f.server), 1);
}
END_TEST

START_TEST(errors_are_kept_without_secrets)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(get("/later", &err), 0);
	ck_assert_int_eq(f.reply.retry_after, 7 * CLOCK_SECOND);
	ck_assert_str_eq(f.reply.body.data, "no");
	ck_assert_uint_eq(f.body.len, 0);
	ck_assert_int_eq(get("/echo", &err), 0);
	ck_assert_str_eq(f.reply.body.data, "{\"error\":\"token ******\"}");
}
END_TEST

/* As the body of the request had it, more than once, or not at all. */
START_TEST(secrets_of_every_kind)
{
	static const struct {
		const char *secret;
		const char *says;
	} rows[] = {
		{ "a/b+c==",
		    "client_secret=***************&x=************** ****** "
		    "a/b+" },
		/* What is too short would be found everywhere. */
		{ "a",
		    "client_secret=a%2Fb%2Bc%3D%3D&x=a/b+c==a/b+c== ****** "
		    "a/b+" },
		{ "secr",
		    "client_secret=a%2Fb%2Bc%3D%3D&x=a/b+c==a/b+c== "
		    "****** a/b+" },
		{ "",
		    "client_secret=a%2Fb%2Bc%3D%3D&x=a/b+c==a/b+c== ****** "
		    "a/b+" },
		/* What it is replaced by. */
		{ "******",
		    "client_secret=a%2Fb%2Bc%3D%3D&x=a/b+c==a/b+c== "
		    "****** a/b+" },
		{ "secret=",
		    "client_*******a%2Fb%2Bc%3D%3D&x=a/b+c==a/b+c== ****** "
		    "a/b+" },
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		secret = rows[i].secret;
		ck_assert_int_eq(get("/page", &err), 0);
		ck_assert_str_eq(f.reply.body.data, rows[i].says);
	}
	secret = "s3cret";
}
END_TEST

START_TEST(gzip_is_unpacked)
{
	static const char head[] =
	    "HTTP/1.1 200 OK\r\n" JSON "Content-Encoding: gzip\r\n"
	    "Content-Length: 27\r\n\r\n";
	char whole[sizeof(head) + sizeof(packed)];
	struct canned_reply one[] = {
		{ .path = "/",
		    .bytes = whole,
		    .len = sizeof(head) - 1 + sizeof(packed) },
		{ .path = NULL },
	};
	struct err err = ERR_INIT;

	memcpy(whole, head, sizeof(head) - 1);
	memcpy(whole + sizeof(head) - 1, packed, sizeof(packed));
	canned_stop(f.server);
	f.server = canned_start(one);
	ck_assert_msg(get("/", &err) == 0, "%s", err.text);
	ck_assert_str_eq(f.body.data, "[1,2,3]");
}
END_TEST

START_TEST(no_one_there)
{
	struct http_request req = { .url = "http://127.0.0.1:1/" };
	struct err err = ERR_INIT;

	ck_assert_int_eq(http_do(f.http, &req, &f.reply, &err), -1);
	ck_assert_int_eq(f.reply.status, 0);
	ck_assert(strstr(err.text, "firewall") != NULL);
}
END_TEST

START_TEST(urls)
{
	static const struct {
		const char *url;
		int rc;
	} rows[] = {
		{ "https://manage.office.com", 0 },
		{ "https://manage.office.com:8443/base/", 0 },
		{ "http://127.0.0.1:8080", 0 },
		{ "http://localhost", 0 },
		{ "http://[::1]:99/x", 0 },
		{ "http://manage.office.com", -1 },
		{ "http://127.0.0.1.example.com", -1 },
		{ "http://127.evil", -1 },
		{ "https://user:pw@manage.office.com", -1 },
		{ "https://x/#y", -1 },
		{ "ftp://x/", -1 },
		{ "manage.office.com", -1 },
		{ "", -1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = ERR_INIT;

		ck_assert_msg(http_url_check("api_url", rows[i].url, &err) ==
			rows[i].rc,
		    "%s: %s", rows[i].url, err.text);
	}
}
END_TEST

START_TEST(origins)
{
	static const char own[] = "https://manage.office.com/api";
	static const struct {
		const char *url;
		bool same;
	} rows[] = {
		{ "https://manage.office.com/x?y=https://evil/", true },
		{ "https://manage.office.com:443/x", true },
		{ "https://MANAGE.office.com/x", true },
		{ "http://manage.office.com/x", false },
		{ "https://manage.office.com:444/x", false },
		{ "https://manage.office.com.evil.example/x", false },
		{ "https://manage.office.com@evil.example/x", false },
		{ "https://evil.example/manage.office.com", false },
		{ "https://evil.example\\@manage.office.com/", false },
		{ "//manage.office.com/x", false },
		{ "/x", false },
		{ "", false },
	};
	struct buf b = BUF_INIT(100);
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(http_same_origin(rows[i].url, own) ==
			rows[i].same,
		    "%s", rows[i].url);
	ck_assert_int_eq(http_origin("https://x.example:443/y", &b, &err), 0);
	ck_assert_str_eq(b.data, "https://x.example");
	buf_clear(&b);
	ck_assert_int_eq(http_origin("https://x.example:8443/y", &b, &err), 0);
	ck_assert_str_eq(b.data, "https://x.example:8443");
	buf_release(&b);
}
END_TEST

START_TEST(retry_after)
{
	int64_t now = INT64_C(784111777) * CLOCK_SECOND;

	ck_assert_int_eq(http_retry_after("120", now), 120 * CLOCK_SECOND);
	ck_assert_int_eq(http_retry_after("0", now), 0);
	ck_assert_int_eq(http_retry_after("1.5", now), 2 * CLOCK_SECOND);
	ck_assert_int_eq(http_retry_after("99999999999999999999", now),
	    CLOCK_DAY);
	ck_assert_int_eq(http_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now),
	    CLOCK_MINUTE);
	ck_assert_int_eq(http_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now),
	    0);
	ck_assert_int_eq(http_retry_after("soon", now), -1);
	ck_assert_int_eq(http_retry_after("12 seconds", now), -1);
	/* Times, as Zoom has them and as others do. */
	ck_assert_int_eq(http_retry_after("1994-11-06T08:50:37Z", now),
	    http_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now));
	ck_assert_int_eq(http_retry_after("1700000030",
			     INT64_C(1700000000) * CLOCK_SECOND),
	    30 * CLOCK_SECOND);
	ck_assert_int_eq(http_retry_after("1700000030001",
			     INT64_C(1700000000) * CLOCK_SECOND),
	    31 * CLOCK_SECOND);
	ck_assert_int_eq(http_retry_after("1699999999",
			     INT64_C(1700000000) * CLOCK_SECOND),
	    0);
	ck_assert_int_eq(http_retry_after("-5", now), -1);
	ck_assert_int_eq(http_retry_after("5x", now), -1);
	ck_assert_int_eq(http_retry_after("", now), -1);
}
END_TEST

/* Who takes connections and never says a word is told as such, each time, where
 * the name has no other address. */
START_TEST(a_mute_address_alone)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct http_request req = { .url = NULL };
	char *url;

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, len), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	url = xasprintf("https://127.0.0.1:%d/", ntohs(a.sin_port));
	req.url = url;
	f.conf.timeout = CLOCK_SECOND / 4;
	for (int i = 0; i < 3; i++) {
		struct err err = ERR_INIT;

		ck_assert_int_eq(http_do(f.http, &req, &f.reply, &err), -1);
		ck_assert_msg(strstr(err.text, "connect or stall timeout") !=
			NULL,
		    "%s", err.text);
	}
	free(url);
	(void)close(fd);
}
END_TEST

Suite *
suite_http(void)
{
	Suite *s = suite_create("http");
	TCase *tc = tcase_create("http");
	TCase *pure = tcase_create("pure");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, good_reply);
	tcase_add_test(tc, dates);
	tcase_add_test(tc, a_header_on_one_line);
	tcase_add_test(tc, an_incomplete_body_is_an_error);
	tcase_add_test(tc, redirects_are_not_followed);
	tcase_add_test(tc, errors_are_kept_without_secrets);
	tcase_add_test(tc, secrets_of_every_kind);
	tcase_add_test(tc, gzip_is_unpacked);
	tcase_add_test(tc, no_one_there);
	tcase_add_test(tc, a_mute_address_alone);
	suite_add_tcase(s, tc);
	tcase_add_test(pure, urls);
	tcase_add_test(pure, origins);
	tcase_add_test(pure, retry_after);
	suite_add_tcase(s, pure);
	return s;
}
