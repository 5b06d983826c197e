/*
 * test_request.c - what sources share: URLs, credentials, and pages.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/auth.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "sources/common/pages.h"
#include "sources/common/request.h"
#include "sources/source.h"
#include "tests/unit/canned.h"
#include "tests/unit/unit.h"

#define REPLY(status, length, body)                                 \
	"HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" \
	"Content-Length: " length "\r\n\r\n" body

static const struct canned_reply table[] = {
	{ .path = "/ok", .bytes = REPLY("200 OK", "2", "[]") },
	{ .path = "/once",
	    .bytes = REPLY("401 No", "24", "{\"error\":\"bad s3cret!!\"}") },
	{ .path = "/once", .bytes = REPLY("200 OK", "2", "[]") },
	{ .path = "/never",
	    .bytes = REPLY("401 No", "24", "{\"error\":\"bad s3cret!!\"}") },
	{ .path = "/wait",
	    .bytes = "HTTP/1.1 429 No\r\nContent-Length: 0\r\n"
		     "Retry-After: 30000\r\n\r\n" },
	{ .path = NULL },
};

static struct {
	struct canned *server;
	struct http_conf conf;
	struct source source;
	struct worker w;
	struct stream stream;
	struct api api;
	struct http_reply reply;
	struct outcome outcome;
	unsigned troubles;
} f;

static bool
never(void *ctx)
{
	(void)ctx;
	return false;
}

static bool
no_time_passes(void *ctx, int64_t us)
{
	(void)ctx;
	(void)us;
	return true;
}

static void
trouble(void *ctx, struct stream *st, const struct outcome *r)
{
	(void)ctx;
	(void)st;
	(void)r;
	f.troubles++;
}

static void
set_up(void)
{
	struct err err = ERR_INIT;

	f.server = canned_start(table);
	f.conf = (struct http_conf){ .timeout = UNIT_TIMEOUT };
	f.source = (struct source){ .rate = rate_new(60000, 60000),
		.clock = server_clock_new(),
		.access = http_access_open(&f.conf, &err),
		.stop = never,
		.rest = no_time_passes,
		.trouble = trouble };
	ck_assert_msg(f.source.access != NULL, "%s", err.text);
	f.stream = (struct stream){ .source = &f.source };
	f.w = (struct worker){ .source = &f.source,
		.stream = &f.stream,
		.http = http_new(f.source.access, NULL, NULL) };
	f.api =
	    (struct api){ .base = canned_url(f.server), .option = "api_url" };
	f.troubles = 0;
	http_reply_init(&f.reply);
	ck_assert_int_eq(setenv("SEALFEED_TEST_SECRET", "s3cret", 1), 0);
}

static void
tear_down(void)
{
	http_reply_release(&f.reply);
	auth_free(f.api.auth);
	http_free(f.w.http);
	http_access_free(f.source.access);
	server_clock_free(f.source.clock);
	rate_free(f.source.rate);
	canned_stop(f.server);
}

/* Ask for path as conf says, one time after the other. */
static enum reply_class
ask(const struct auth_conf *conf, const char *path)
{
	char *url = xasprintf("%s%s", canned_url(f.server), path);
	const struct request q = { .url = url };

	if (conf != NULL) {
		auth_free(f.api.auth);
		f.api.auth = auth_new(conf);
	}
	(void)request_send(&f.w, &f.api, &q, &f.reply, &f.outcome);
	free(url);
	return f.outcome.class;
}

START_TEST(urls)
{
	static const struct http_pair none[] = { { NULL, NULL } };
	static const struct http_pair query[] = {
		{ "filter[created_at][]", "2026-11-22T04:26:58Z" },
		{ "filter[created_at][]", "a b&c=d#\xc3\xa9+%/~" },
		{ "empty", "" },
		{ NULL, NULL },
	};
	struct buf url = BUF_INIT(1000), small = BUF_INIT(20);

	ck_assert_int_eq(request_url(&url, "https://h/a//", "/b", none), 0);
	ck_assert_str_eq(url.data, "https://h/a/b");
	ck_assert_int_eq(request_query(&url, query), 0);
	ck_assert_str_eq(url.data,
	    "https://h/a/b?filter%5Bcreated_at%5D%5B%5D=2026-11-22T04:26:58Z"
	    "&filter%5Bcreated_at%5D%5B%5D=a%20b%26c%3Dd%23%C3%A9%2B%25%2F~"
	    "&empty=");
	ck_assert_int_eq(request_query(&url, none), 0);
	ck_assert_int_eq(request_query(&url, query + 2), 0);
	ck_assert_str_eq(url.data + url.len - 14, "&empty=&empty=");
	ck_assert_int_eq(request_url(&small, "https://h", "/b", query), -1);
	buf_release(&small);
	buf_release(&url);
}
END_TEST

START_TEST(links)
{
	static const char own[] = "https://git.example.com",
			  proxy[] = "https://proxy.example.net:8443/git";
	static const struct {
		const char *own, *base, *url, *asked;
	} rows[] = {
		{ NULL, own, "https://git.example.com/a?b=c",
		    "https://git.example.com/a?b=c" },
		/* Whoever ends TLS in front of it did not say so. */
		{ NULL, own, "http://git.example.com/a?b=c",
		    "https://git.example.com/a?b=c" },
		{ own, proxy, "https://git.example.com/a?b=c",
		    "https://proxy.example.net:8443/git/a?b=c" },
		{ own, proxy, "HTTP://git.example.com/a?b=c",
		    "https://proxy.example.net:8443/git/a?b=c" },
		{ own, proxy, "http://proxy.example.net:8443/git/a",
		    "https://proxy.example.net:8443/git/a" },
		/* All others are left to be refused. */
		{ NULL, own, "http://git.example.com:8080/a",
		    "http://git.example.com:8080/a" },
		{ NULL, own, "http://git.example.com@evil.example/a",
		    "http://git.example.com@evil.example/a" },
		{ own, proxy, "http://evil.example/a",
		    "http://evil.example/a" },
		{ NULL, "http://127.0.0.1:1", "http://127.0.0.1:2/a",
		    "http://127.0.0.1:2/a" },
	};
	struct buf url = BUF_INIT(200);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&url);
		ck_assert_int_eq(request_link(&url, rows[i].own, rows[i].base,
				     rows[i].url),
		    0);
		ck_assert_str_eq(url.data, rows[i].asked);
	}
	buf_release(&url);
}
END_TEST

START_TEST(schemes)
{
	static const struct {
		struct auth_conf conf;
		const char *header;
	} rows[] = {
		{ { .scheme = AUTH_NONE }, NULL },
		{ { .scheme = AUTH_BEARER }, "Authorization: Bearer s3cret" },
		{ { .scheme = AUTH_BASIC, .user = "me" },
		    "Authorization: Basic bWU6czNjcmV0" },
		{ { .scheme = AUTH_BASIC },
		    "Authorization: Basic czNjcmV0Og==" },
		{ { .scheme = AUTH_HEADER, .prefix = "SSWS " },
		    "Authorization: SSWS s3cret" },
		{ { .scheme = AUTH_HEADER, .header = "x-api-key" },
		    "x-api-key: s3cret" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct auth_conf conf = rows[i].conf;
		const char *last;
		size_t before = canned_count(f.server);

		conf.secret = "${env:SEALFEED_TEST_SECRET}";
		ck_assert_int_eq(ask(&conf, "/ok"), REPLY_OK);
		ck_assert_uint_eq(canned_count(f.server), before + 1);
		last = canned_requests(f.server);
		if (rows[i].header != NULL)
			ck_assert_msg(strstr(last, rows[i].header) != NULL,
			    "%zu: %s", i, last);
		else
			ck_assert_ptr_null(strstr(last, "Authorization"));
	}
}
END_TEST

START_TEST(a_secret_is_read_again_when_it_is_refused)
{
	const struct auth_conf conf = { .scheme = AUTH_BEARER,
		.option = "token",
		.secret = "${env:SEALFEED_TEST_SECRET}" };

	ck_assert_int_eq(ask(&conf, "/ok"), REPLY_OK);
	ck_assert_int_eq(setenv("SEALFEED_TEST_SECRET", "newer", 1), 0);
	ck_assert_int_eq(ask(NULL, "/ok"), REPLY_OK);
	ck_assert_ptr_null(strstr(canned_requests(f.server), "newer"));
	ck_assert_int_eq(ask(NULL, "/once"), REPLY_OK);
	ck_assert_ptr_nonnull(strstr(canned_requests(f.server), "newer"));
	ck_assert_int_eq(unsetenv("SEALFEED_TEST_SECRET"), 0);
	ck_assert_int_eq(ask(NULL, "/never"), REPLY_CREDENTIALS);
	ck_assert_ptr_nonnull(strstr(f.outcome.text, "token: "));
}
END_TEST

START_TEST(refused_for_good)
{
	const struct auth_conf conf = { .scheme = AUTH_BEARER,
		.secret = "s3cret" };

	ck_assert_int_eq(ask(&conf, "/never"), REPLY_RETRY);
	/* What the server says is not the place for it. */
	ck_assert_ptr_null(strstr(f.outcome.text, "s3cret"));
	ck_assert_int_eq(ask(NULL, "/never"), REPLY_CREDENTIALS);
	ck_assert_uint_eq(canned_count(f.server), 4);
}
END_TEST

/* The first one waits alone; then its feed does, and no longer than is
 * configured; and one that goes well ends it. */
START_TEST(a_wait_is_bounded_and_the_feeds_own)
{
	const struct auth_conf conf = { .scheme = AUTH_NONE };
	struct stream other = { .source = &f.source };
	int64_t begun = clock_monotonic();

	f.source.definition.retry_after_max = CLOCK_MINUTE;
	ck_assert_int_eq(ask(&conf, "/wait"), REPLY_THROTTLED);
	ck_assert_int_eq(f.outcome.wait, CLOCK_MINUTE);
	ck_assert_int_eq(f.stream.hold, 0);
	ck_assert_int_eq(ask(NULL, "/wait"), REPLY_THROTTLED);
	ck_assert_int_ge(f.stream.hold, begun + CLOCK_MINUTE);
	/* Others are not held up. */
	f.w.stream = &other;
	ck_assert_int_eq(ask(NULL, "/ok"), REPLY_OK);
	ck_assert_int_ge(f.stream.hold, begun + CLOCK_MINUTE);
	/* The wait is over: one tries, and the next one waits for it. */
	f.w.stream = &f.stream;
	f.stream.hold = begun;
	ck_assert_int_eq(ask(NULL, "/ok"), REPLY_OK);
	ck_assert_int_eq(f.stream.hold, 0);
	ck_assert_int_eq(f.stream.throttled, 0);
}
END_TEST

START_TEST(a_denial_says_where_to_look)
{
	const struct auth_conf conf = { .scheme = AUTH_BEARER,
		.secret = "s3cret" };

	f.api.denied = "check the tenant";
	ck_assert_int_eq(ask(&conf, "/never"), REPLY_RETRY);
	ck_assert_ptr_null(strstr(f.outcome.text, "check the tenant"));
	ck_assert_int_eq(ask(NULL, "/never"), REPLY_CREDENTIALS);
	ck_assert_ptr_nonnull(strstr(f.outcome.text, "; check the tenant"));
	ck_assert_int_eq(ask(NULL, "/ok"), REPLY_OK);
	ck_assert_int_eq(ask(NULL, "/never"), REPLY_RETRY);
}
END_TEST

START_TEST(no_header_can_be_smuggled_in)
{
	const struct auth_conf conf = { .scheme = AUTH_BEARER,
		.secret = "s3cret\r\nX-Other: 1" };

	ck_assert_int_eq(ask(&conf, "/ok"), REPLY_RETRY);
	ck_assert_ptr_nonnull(strstr(f.outcome.text, "header Authorization"));
	ck_assert_ptr_null(strstr(f.outcome.text, "s3cret"));
	ck_assert_uint_eq(canned_count(f.server), 0);
}
END_TEST

START_TEST(another_origin)
{
	const struct request q = { .url = "https://elsewhere/x?y",
		.what = "next" };
	struct auth_conf conf = { .scheme = AUTH_BEARER, .secret = "s3cret" };

	f.api.auth = auth_new(&conf);
	ck_assert_int_eq(request_send(&f.w, &f.api, &q, &f.reply, &f.outcome),
	    REPLY_RETRY);
	ck_assert_str_eq(f.outcome.code, "foreign-host");
	ck_assert_str_eq(f.outcome.text,
	    "next leads to another host than api_url and is refused: "
	    "https://elsewhere/x; no token was sent; if it is the vendor's "
	    "own, let api_url have its host");
}
END_TEST

/* A list: link "N" leads to what next has at N. */
struct list {
	const char *const *next;
	size_t rows;
	unsigned asked;
	unsigned lost; /* so many links are lost first */
};

static enum reply_class
get_page(void *ctx, struct page *p, struct outcome *r)
{
	struct list *l = ctx;

	l->asked++;
	p->rows = l->rows;
	if (l->lost > 0 && *p->link != '0') {
		l->lost--;
		return outcome_set(r, REPLY_CURSOR, "the link is lost");
	}
	ck_assert_int_eq(buf_adds(p->next, l->next[atoi(p->link)]), 0);
	return outcome_set(r, REPLY_OK, "a page");
}

static enum reply_class
follow(struct list *l, bool endless)
{
	const struct pages pages = { .get = get_page,
		.ctx = l,
		.what = "the list",
		.next_name = "next",
		.endless = endless };

	return pages_follow(&f.w, &f.stream, &pages, "0", &f.outcome);
}

START_TEST(pages)
{
	static const char *const straight[] = { "1", "2", "" };
	static const char *const circle[] = { "1", "2", "0" };
	static const char *const self[] = { "1", "1" };
	struct list l = { .next = straight, .rows = 1 };

	ck_assert_int_eq(follow(&l, false), REPLY_OK);
	ck_assert_uint_eq(l.asked, 3);
	l = (struct list){ .next = straight, .lost = 2 };
	ck_assert_int_eq(follow(&l, false), REPLY_OK);
	ck_assert_uint_eq(l.asked, 2 + 2 + 3);
	l = (struct list){ .next = straight, .lost = 9 };
	ck_assert_int_eq(follow(&l, false), REPLY_CURSOR);
	l = (struct list){ .next = circle, .rows = 1 };
	ck_assert_int_eq(follow(&l, true), REPLY_RETRY);
	ck_assert_str_eq(f.outcome.text, "next leads back to an earlier page");
	ck_assert_uint_eq(f.troubles, 7);
	l = (struct list){ .next = self, .rows = 0 };
	ck_assert_int_eq(follow(&l, true), REPLY_OK);
	ck_assert_uint_eq(l.asked, 2);
	ck_assert_int_eq(follow(&l, false), REPLY_RETRY);
}
END_TEST

START_TEST(tokens)
{
	static const struct {
		const char *token;
		const char *text; /* NULL: an error */
	} rows[] = {
		{ "\"https:\\/\\/a\\u0026b\"", "https://a&b" },
		{ "12345678901234567890123", "12345678901234567890123" },
		{ "null", "" },
		{ "false", "" },
		{ "\"\"", "" },
		{ NULL, "" },
		{ "true", NULL },
		{ "nothing", NULL },
		{ "\"a\\u0000b\"", NULL },
		{ "\"longer than there is room\"", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *t = rows[i].token;
		struct slice token = { .data = t,
			.len = t != NULL ? strlen(t) : 0 };
		struct buf out = BUF_INIT(24);
		int rc = pages_token(token, &out);

		ck_assert_int_eq(rc, rows[i].text != NULL ? 0 : -1);
		if (rc == 0)
			ck_assert_str_eq(out.len > 0 ? out.data : "",
			    rows[i].text);
		buf_release(&out);
	}
}
END_TEST

Suite *
suite_request(void)
{
	Suite *s = suite_create("request");
	TCase *tc = tcase_create("request");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, urls);
	tcase_add_test(tc, links);
	tcase_add_test(tc, schemes);
	tcase_add_test(tc, a_secret_is_read_again_when_it_is_refused);
	tcase_add_test(tc, refused_for_good);
	tcase_add_test(tc, a_wait_is_bounded_and_the_feeds_own);
	tcase_add_test(tc, a_denial_says_where_to_look);
	tcase_add_test(tc, no_header_can_be_smuggled_in);
	tcase_add_test(tc, another_origin);
	tcase_add_test(tc, pages);
	tcase_add_test(tc, tokens);
	suite_add_tcase(s, tc);
	return s;
}
