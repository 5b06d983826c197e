/*
 * test_content.c - content lists and blobs over the wire: what can be taken of
 * them is, and the rest is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "sources/common/request.h"
#include "sources/office365/office365.h"
#include "sources/source.h"
#include "store/commit.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/store.h"
#include "tests/unit/canned.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define TENANT "0fd4a6f1-95a8-4e43-9f43-3a7b5b9c2d11"
#define FEED "/api/v1.0/" TENANT "/activity/feed"
#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

/* Of the list, of each blob, of a start, and of an audit log query. */
static char body[4][1 << 17];
#define QUERIES "/beta/security/auditLog/queries"
static char content[] = "Audit.General", tenant[] = TENANT,
	    secret[] = "s3cret-value";
static char *contents[] = { content, NULL };
static struct canned_reply table[] = {
	{ .path = "/" TENANT "/oauth2",
	    .bytes =
		HEAD "\xef\xbb\xbf{\"access_token\":\"t\",\"expires_in\":9}" },
	{ .path = FEED "/subscriptions/content", .bytes = body[0] },
	{ .path = FEED "/audit/", .bytes = body[1] },
	{ .path = FEED "/subscriptions/start", .bytes = body[2] },
	{ .path = FEED "/subscriptions/list", .bytes = HEAD "[]" },
	{ .path = QUERIES, .bytes = body[3] },
	{ .path = NULL },
};

static struct {
	char dir[64], path[128];
	struct canned *server;
	struct office365_conf conf;
	struct source source;
	struct stream stream;
	struct worker w;
	struct store *s;
	struct outcome told;
	unsigned troubles;
	struct window_list list;
} t;
static struct err err;

static bool
never(void *ctx)
{
	(void)ctx;
	return false;
}

static bool
rest(void *ctx, int64_t us)
{
	(void)ctx;
	(void)us;
	return true;
}

static void
ignore(void *ctx, struct stream *st)
{
	(void)ctx;
	(void)st;
}

static void
trouble(void *ctx, struct stream *st, const struct outcome *r)
{
	(void)ctx;
	(void)st;
	t.told = *r;
	t.troubles++;
}

static void
set_up(void)
{
	const int64_t now = clock_now();
	char *url;

	memset(&t, 0, sizeof(t));
	err_clear(&err);
	store_help_begin(t.dir, sizeof(t.dir), t.path, sizeof(t.path));
	t.s = store_help_open(t.path, STORE_DURABLE);
	t.server = canned_start(table);
	url = xstrdup(canned_url(t.server));
	t.conf = (struct office365_conf){ .login_url = url,
		.api_url = url,
		.tenant = tenant,
		.client_id = tenant,
		.client_secret = secret,
		.content = contents,
		.graph_url = url,
		.reconcile = { .every = CLOCK_HOUR, .version = 1 },
		.parallel = 1,
		.dedupe = CLOCK_DAY,
		.http = { .timeout = UNIT_TIMEOUT } };
	t.source = (struct source){ .type = &source_office365,
		.name = "contoso",
		.conf = &t.conf,
		.access = http_access_open(&t.conf.http, &err),
		.rate = rate_new(60000, 60000),
		.clock = server_clock_new(),
		.stop = never,
		.rest = rest,
		.listed = ignore,
		.committed = ignore,
		.trouble = trouble };
	ck_assert_ptr_nonnull(t.source.access);
	source_office365.define(&t.conf, &t.source.definition);
	ck_assert_int_eq(source_office365.open(&t.source, &err), 0);
	t.stream = (struct stream){ .source = &t.source,
		.name = content,
		.feed =
		    store_help_feed(t.s, "contoso/Audit.General", CLOCK_DAY) };
	stream_begin(&t.stream);
	t.w = (struct worker){ .source = &t.source,
		.http = http_new(t.source.access, NULL, NULL) };
	t.list.window = (struct window){ .from = now - CLOCK_HOUR, .to = now };
}

static void
tear_down(void)
{
	write_batch_free(t.w.spare);
	http_free(t.w.http);
	feed_close(t.stream.feed);
	stream_end(&t.stream);
	source_office365.close(&t.source);
	http_access_free(t.source.access);
	rate_free(t.source.rate);
	server_clock_free(t.source.clock);
	canned_stop(t.server);
	free(t.conf.api_url);
	store_close(t.s);
	store_help_end(t.dir);
}

static enum reply_class
list(const char *rows)
{
	struct outcome r;

	(void)snprintf(body[0], sizeof(body[0]), HEAD "%s", rows);
	(void)office365_list(&t.w, &t.stream, &t.list, &r);
	ck_assert_msg(r.class == REPLY_OK, "%s", r.text);
	return r.class;
}

static const struct {
	const char *row;
	size_t items;
	const char *says;
} odd[] = {
	{ "{\"contentId\":\"a\",\"contentUri\":null,\"contentCreated\":"
	  "null}",
	    1, "no usable contentCreated: {" },
	{ "{\"contentId\":\"a\",\"contentCreated\":"
	  "\"0001-01-01T00:00:00\",\"contentExpiration\":"
	  "\"9999-12-31T23:59:59\"}",
	    1, "contentExpiration" },
	{ "{\"contentId\":null,\"contentUri\":\"http://h/x/b$1?y\"}", 1,
	    "contentCreated" },
	{ "{\"contentId\":17,\"contentUri\":[]}", 1, "no usable" },
	{ "{\"contentId\":\"\",\"contentUri\":\"\"}", 0,
	    "1 of them lead to nothing" },
	{ "{\"contentId\":\" \\t\",\"contentUri\":\"\\n \"}", 0,
	    "1 of them lead to nothing" },
	{ "{\"contentId\":\"a\",\"contentUri\":\"null\"}", 1, "no usable" },
	{ "{\"contentId\":\"a\",\"contentUri\":\" \"}", 1, "no usable" },
	{ "{\"contentId\":true,\"contentUri\":\"http://h/x/c\"}", 1,
	    "no usable" },
	{ "{\"contentId\":{},\"contentUri\":{}}", 0,
	    "1 of them lead to nothing" },
	{ "null", 0, "not a JSON object: null" },
	{ "\"\"", 0, "not a JSON object" },
	{ "{}", 0, "no usable contentCreated: {}" },
	{ "17", 0, "not a JSON object: 17" },
	{ "[{\"contentId\":\"a\"}]", 0, "not a JSON object" },
	{ "{\"contentId\":\"a\nb\"}", 0, "not JSON: " },
	{ "{\"contentId\":\"a\",\"x\":[1}", 0, "\"x\":[1}" },
};

START_TEST(odd_rows)
{
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		char now[CLOCK_TEXT], *all;

		(void)clock_format(clock_now(), 3, now);
		all = xasprintf("[{\"contentId\":\"good%zu\","
				"\"contentUri\":\"http://h/g\","
				"\"contentCreated\":\"%s\"},%s,{"
				"\"contentId\":\"more%zu\"}]",
		    i, now, odd[i].row, i);

		t.troubles = 0;
		tear_down();
		set_up();
		(void)list(all);
		ck_assert_msg(t.list.fresh == 2 + odd[i].items, "%zu: %zu", i,
		    t.list.fresh);
		ck_assert_uint_eq(t.troubles, 1);
		ck_assert_str_eq(t.told.code, REPLY_ODD_ROW);
		ck_assert_msg(strstr(t.told.text, odd[i].says) != NULL,
		    "%zu: %s", i, t.told.text);
		/* The same once more is not told again. */
		(void)list(all);
		ck_assert_uint_eq(t.troubles, 1);
		free(all);
	}
}
END_TEST

START_TEST(a_long_key_and_many_odd_rows)
{
	struct buf all = BUF_INIT(1 << 17);
	int rc = buf_adds(&all, "[{\"contentId\":\"");

	for (int i = 0; i < 1 << 16; i++)
		rc |= buf_adds(&all, "k");
	rc |= buf_adds(&all, "\",\"contentUri\":\"http://h/x/k\"}");
	for (int i = 0; i < 3000; i++)
		rc |= buf_adds(&all, ",null");
	rc |= buf_adds(&all, "]");
	ck_assert_int_eq(rc, 0);
	(void)list(all.data);
	ck_assert_uint_eq(t.list.fresh, 1);
	ck_assert_uint_eq(t.troubles, 1);
	ck_assert_ptr_nonnull(strstr(t.told.text, "3001 rows"));
	ck_assert_ptr_nonnull(strstr(t.told.text, "3000 of them"));
	buf_release(&all);
}
END_TEST

static uint64_t
count(const char *sql)
{
	int64_t n;

	ck_assert_int_eq(db_number(t.s, &err, 0, &n, sql, ""), 0);
	return (uint64_t)n;
}

/* Rows without an id, or with ids that differ little, are as many items. */
START_TEST(what_looks_alike_is_not_the_same)
{
	(void)list("[{\"contentUri\":\"http://h/x/?a=1\"},"
		   "{\"contentUri\":\"http://h/x/?a=2\"},"
		   "{\"contentUri\":\"http://h/x/y?p=/z\"},"
		   "{\"contentUri\":\"http://h/x/v?p=/z\"},"
		   "{\"contentUri\":\"?\"},{\"contentUri\":\"#\"},"
		   "{\"contentId\":\"k\"},{\"contentId\":\"K\"},"
		   "{\"contentId\":\" k\"},{\"contentId\":\"k\\t\"}]");
	ck_assert_uint_eq(t.list.fresh, 10);
	ck_assert_uint_eq(count("SELECT count(*) FROM item WHERE key = ''"), 0);
	ck_assert_uint_eq(count("SELECT count(*) FROM item WHERE key IN"
				" ('y', 'v', 'k', 'K')"),
	    4);
}
END_TEST

/* Events and gaps of a blob, fetched once; last is the outcome. */
static struct outcome last;
static void
fetch(const char *blob, enum reply_class class, uint64_t events, uint64_t gaps)
{
	struct item it;

	tear_down();
	set_up();
	last = (struct outcome){ .class = REPLY_OK };
	(void)snprintf(body[1], sizeof(body[1]), "%s", blob);
	(void)list("[{\"contentId\":\"1\"}]");
	ck_assert_int_eq(item_claim(t.stream.feed, &it, NULL, &err), 1);
	office365_fetch(&t.w, &t.stream, &it, &last);
	ck_assert_msg(last.class == class, "%s: %s", blob, last.text);
	ck_assert_msg(count("SELECT size FROM feed") == events, "%s", blob);
	ck_assert_msg(count("SELECT count(*) FROM gap") == gaps, "%s", blob);
	ck_assert_int_eq(item_return(t.stream.feed, &it, 0, NULL, &err), 0);
	item_release(&it);
}

START_TEST(blobs)
{
	fetch(HEAD "[{\"Id\":\"1\"},{\"Id\":\"a\nb\"},{\"Id\":\"3\"}]",
	    REPLY_OK, 2, 1);
	fetch(HEAD "[{\"Id\":\"1\"},{\"Id\":\"2\",\"x\":[1},{\"Id\":\"3\"}]",
	    REPLY_OK, 2, 1);
	/* What was cut off is no gap; what came before is kept. */
	fetch(HEAD "[{\"Id\":\"1\"},{\"Id\":\"2\",\"x\":[1]", REPLY_RETRY, 1,
	    0);
	ck_assert_str_eq(last.code, "not-json");
	fetch("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n[{\"Id\":\"1\"},{",
	    REPLY_RETRY, 1, 0);
	/* Nor is what is not of the API. */
	fetch("HTTP/1.1 206 X\r\n\r\n[{\"Id\":\"1\"}]", REPLY_RETRY, 0, 0);
	fetch("HTTP/1.1 404 X\r\n\r\n<html>AF20050</html>", REPLY_RETRY, 0, 0);
	fetch(HEAD "<html>[{}]</html>", REPLY_RETRY, 0, 0);
	fetch(HEAD "{\"value\":[{\"Id\":\"1\"}]}", REPLY_RETRY, 0, 0);
	fetch(HEAD, REPLY_RETRY, 0, 0);
	fetch("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
	      "Content-Encoding: utf-8\r\n\r\n\xef\xbb\xbf[{\"Id\":\"1\"}]",
	    REPLY_OK, 1, 0);
}
END_TEST

static int
requests_of(const char *path)
{
	const char *at = canned_requests(t.server);
	int n = 0;

	while ((at = strstr(at, path)) != NULL) {
		at += strlen(path);
		n++;
	}
	return n;
}

/* What the API gives as a URL, and what is asked for; %s is api_url. */
static const struct {
	const char *given, *asked;
	bool allowed;
} links[] = {
	{ "https://manage.office.com/a?x=1", "%s/a?x=1&", true },
	{ "https://MANAGE.office.com:443/a", "%s/a?", true },
	{ "https://manage.office.com", "%s?", true },
	{ "http://manage.office.com/a", "%s/a?", true },
	{ "%s/a", "%s/a?", true },
	/* Of nobody or another cloud: neither is where requests go. */
	{ "http://manage.office.com:8080/a", "http://manage.office.com:8080/a?",
	    false },
	{ "https://manage.office.com.example.com/a",
	    "https://manage.office.com.example.com/a?", false },
	{ "https://manage.office365.us/a", "https://manage.office365.us/a?",
	    false },
	{ "https://me@manage.office.com/a", "https://me@manage.office.com/a?",
	    false },
};

/* Behind a proxy the API's links lead past it: they are asked for at the
 * proxy. */
START_TEST(links_of_the_clouds_own)
{
	struct item it;
	struct outcome r = { .class = REPLY_OK };

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		const struct office365 *o = t.source.state;
		const char *api = canned_url(t.server);
		const char *in[] = { links[i].given, links[i].asked };
		struct buf text[2] = { BUF_INIT(1024), BUF_INIT(1024) };
		struct buf url = BUF_INIT(1024);

		for (size_t k = 0; k < 2; k++) {
			const bool own = strncmp(in[k], "%s", 2) == 0;

			ck_assert_int_eq(buf_addf(&text[k], "%s%s",
					     own ? api : "",
					     in[k] + (own ? 2 : 0)),
			    0);
		}
		ck_assert_int_eq(office365_publish(o, text[0].data, &url), 0);
		ck_assert_msg(strncmp(url.data, text[1].data, text[1].len) ==
			    0 &&
			strncmp(url.data + text[1].len, "PublisherIdentifier",
			    19) == 0,
		    "%s: %s", text[0].data, url.data);
		ck_assert_msg(request_allowed(&o->api, "x", url.data, &r) ==
			links[i].allowed,
		    "%s", url.data);
		buf_release(&text[0]);
		buf_release(&text[1]);
		buf_release(&url);
	}
	(void)snprintf(body[1], sizeof(body[1]), HEAD "[{\"Id\":\"1\"}]");
	(void)list("[{\"contentId\":\"1\",\"contentUri\":"
		   "\"https://manage.office.com" FEED "/audit/1\"}]");
	ck_assert_int_eq(item_claim(t.stream.feed, &it, NULL, &err), 1);
	office365_fetch(&t.w, &t.stream, &it, &r);
	ck_assert_msg(r.class == REPLY_OK, "%s", r.text);
	ck_assert(count("SELECT size FROM feed") == 1);
	ck_assert_int_eq(requests_of(FEED "/audit/1?"), 1);
	item_release(&it);
}
END_TEST

/* What tokens are for. */
static const struct {
	const char *login, *api, *resource;
} resources[] = {
	{ NULL, NULL, "https://manage.office.com" },
	{ NULL, "https://proxy.example.com", "https://manage.office.com" },
	{ "https://login.microsoftonline.com", "https://proxy.example.com",
	    "https://manage.office.com" },
	{ NULL, "https://manage-gcc.office.com",
	    "https://manage-gcc.office.com" },
	/* A cloud that is not known. */
	{ "https://login.example.com", "https://manage.example.com",
	    "https://manage.example.com" },
};

START_TEST(tokens_of_the_cloud)
{
	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
		const struct office365_conf c = {
			.login_url = (char *)(uintptr_t)resources[i].login,
			.api_url = (char *)(uintptr_t)resources[i].api
		};

		ck_assert_str_eq(office365_resource(&c), resources[i].resource);
	}
}
END_TEST

/* What a start is answered with, and whether it is one. */
static const struct {
	const char *reply;
	bool started;
} starts[] = {
	{ "{\"contentType\":\"Audit.General\",\"status\":\"enabled\","
	  "\"webhook\":null}",
	    true },
	{ "{\"status\":\"Enabled\",\"error\":null}", true },
	{ "{\"contentType\":\"Audit.General\"}", true },
	{ "{\"contentType\":\"Audit.General\",\"status\":\"disabled\"}",
	    false },
	{ "{\"Error\":{\"Code\":\"AF10001\",\"Message\":\"no\"}}", false },
	{ "{\"odata.error\":{\"code\":\"x\"}}", false },
	{ "{\"Message\":\"Authorization has been denied\"}", false },
	{ "{\"fault\":{\"faultstring\":\"blocked\"}}", false },
	{ "{\"status\":\"error\"}", false },
	{ "{}", false },
	{ "[]", false },
	{ "null", false },
	{ "\"enabled\"", false },
	{ "", false },
	{ "<html><title>Sign in</title>", false },
	{ "{\"error\":\"access_denied\"}", false },
};

START_TEST(started_or_not)
{
	struct outcome r;

	(void)snprintf(body[0], sizeof(body[0]), HEAD "[]");
	(void)snprintf(body[2], sizeof(body[2]), HEAD "%s", starts[_i].reply);
	(void)source_office365.poll(&t.w, &t.stream, &r);
	ck_assert_msg((r.class == REPLY_OK) == starts[_i].started, "%s: %s",
	    starts[_i].reply, r.text);
	/* One that was none is sent again at once. */
	(void)source_office365.poll(&t.w, &t.stream, &r);
	ck_assert_int_eq(requests_of("/subscriptions/start"),
	    starts[_i].started ? 1 : 2);
}
END_TEST

#define FORBIDDEN                                                          \
	"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n\r\n" \
	"{\"error\":{\"code\":\"UnknownError\",\"message\":\"\"}}"

START_TEST(a_query_is_made)
{
	const struct span span = { 0, CLOCK_HOUR };
	char query[AUDIT_QUERY] = "";
	struct outcome r;

	(void)snprintf(body[3], sizeof(body[3]), "%s",
	    "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n"
	    "{\"id\":\"q 1\",\"status\":\"notStarted\"}");
	ck_assert_int_eq(office365_audit.ask(&t.w, &span, query, &r), REPLY_OK);
	ck_assert_str_eq(query, "q 1");
	ck_assert_ptr_nonnull(strstr(canned_requests(t.server),
	    "\"filterStartDateTime\":\"1970-01-01T00:00:00Z\","
	    "\"filterEndDateTime\":\"1970-01-01T01:00:00Z\""));
	(void)snprintf(body[3], sizeof(body[3]), HEAD "{\"id\":\"\"}");
	ck_assert_int_eq(office365_audit.ask(&t.w, &span, query, &r),
	    REPLY_RETRY);
	(void)snprintf(body[3], sizeof(body[3]), FORBIDDEN);
	ck_assert_int_eq(office365_audit.ask(&t.w, &span, query, &r),
	    REPLY_CONFIG);
	ck_assert_ptr_nonnull(strstr(r.text, "AuditLogsQuery.Read.All"));
}
END_TEST

static const struct {
	const char *reply;
	enum reply_class class;
	enum audit_state state;
} looks[] = {
	{ "{\"status\":\"notStarted\"}", REPLY_OK, AUDIT_RUNNING },
	{ "{\"status\":\"running\"}", REPLY_OK, AUDIT_RUNNING },
	{ "{\"status\":\"unknownFutureValue\"}", REPLY_OK, AUDIT_RUNNING },
	{ "{\"status\":\"succeeded\"}", REPLY_OK, AUDIT_READY },
	{ "{\"status\":\"succeeded\",\"isRecordCountLimitExceeded\":false}",
	    REPLY_OK, AUDIT_READY },
	{ "{\"status\":\"succeeded\",\"isRecordCountLimitExceeded\":true}",
	    REPLY_OK, AUDIT_TRUNCATED },
	{ "{\"status\":\"failed\"}", REPLY_OK, AUDIT_FAILED },
	{ "{\"status\":\"cancelled\"}", REPLY_OK, AUDIT_FAILED },
	{ "{\"status\":null}", REPLY_RETRY, AUDIT_RUNNING },
	{ "[]", REPLY_RETRY, AUDIT_RUNNING },
	{ "", REPLY_RETRY, AUDIT_RUNNING },
};

START_TEST(a_query_is_looked_at)
{
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		enum audit_state state;
		struct outcome r;

		(void)snprintf(body[3], sizeof(body[3]), HEAD "%s",
		    looks[i].reply);
		ck_assert_msg(office365_audit.look(&t.w, "q 1", &state, &r) ==
			looks[i].class,
		    "%s: %s", looks[i].reply, r.text);
		ck_assert_int_eq(state, looks[i].state);
	}
}
END_TEST

static const struct {
	const char *record;
	const char *id; /* NULL: none */
	const char *event;
	const char *stream; /* NULL: it is not collected */
	int64_t when;
} records[] = {
	{ "{\"id\":\"x\",\"auditData\":{\"Id\":\"a\",\"CreationTime\":"
	  "\"1970-01-01T00:00:01\",\"Workload\":\"Yammer\"}}",
	    "a",
	    "{\"Id\":\"a\",\"CreationTime\":\"1970-01-01T00:00:01\","
	    "\"Workload\":\"Yammer\"}",
	    "Audit.General", CLOCK_SECOND },
	{ "{\"createdDateTime\":\"1970-01-01T00:00:02Z\",\"auditData\":"
	  "\"{\\\"Id\\\":\\\"a\\\"}\"}",
	    "a", "{\"Id\":\"a\"}", "Audit.General", 2 * CLOCK_SECOND },
	{ "{\"id\":\"x\",\"auditData\":{\"n\":1}}", "x",
	    "{\"id\":\"x\",\"auditData\":{\"n\":1}}", "Audit.General",
	    INT64_MIN },
	{ "{\"id\":\"x\",\"auditData\":\"[1\"}", "x",
	    "{\"id\":\"x\",\"auditData\":\"[1\"}", "Audit.General", INT64_MIN },
	{ "{\"id\":\"00000000-0000-0000-0000-000000000000\"}", NULL,
	    "{\"id\":\"00000000-0000-0000-0000-000000000000\"}",
	    "Audit.General", INT64_MIN },
	{ "{\"id\":\"x\",\"service\":\"Exchange\"}", "x",
	    "{\"id\":\"x\",\"service\":\"Exchange\"}", NULL, INT64_MIN },
	{ "{\"id\":\"x\",\"auditLogRecordType\":\"complianceDLPExchange\"}",
	    "x",
	    "{\"id\":\"x\",\"auditLogRecordType\":"
	    "\"complianceDLPExchange\"}",
	    NULL, INT64_MIN },
	{ "17", NULL, NULL, NULL, INT64_MIN },
};

static bool
same_text(struct slice s, const char *want)
{
	return want == NULL ? s.data == NULL
			    : s.data != NULL && s.len == strlen(want) &&
		memcmp(s.data, want, s.len) == 0;
}

/* audit_take_fn */
static int
take(void *ctx, const struct audit_record *a, struct err *e)
{
	const size_t i = *(const size_t *)ctx;

	(void)e;
	ck_assert_msg(same_text(a->id, records[i].id), "id of %s",
	    records[i].record);
	ck_assert_msg(same_text(a->event, records[i].event), "event of %s",
	    records[i].record);
	if (records[i].event != NULL)
		ck_assert_msg((a->stream == NULL) ==
			    (records[i].stream == NULL) &&
			(a->stream == NULL ||
			    strcmp(a->stream, records[i].stream) == 0),
		    "stream of %s", records[i].record);
	ck_assert_int_eq(a->when, records[i].when);
	t.troubles++;
	return 0;
}

START_TEST(records_are_read)
{
	struct outcome r = { .class = REPLY_OK };

	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		t.troubles = 0;
		(void)snprintf(body[3], sizeof(body[3]),
		    HEAD "{\"@odata.context\":\"x\",\"value\":[%s]}",
		    records[i].record);
		ck_assert_msg(office365_audit.read(&t.w, "q 1", take, &i, &r) ==
			REPLY_OK,
		    "%s: %s", records[i].record, r.text);
		ck_assert_uint_eq(t.troubles, 1);
	}
}
END_TEST

START_TEST(no_page_of_records)
{
	static const char *const pages[] = {
		"{}",
		"[]",
		"{\"value\":null}",
		"{\"value\":[],\"@odata.nextLink\":17}",
		"{\"value\":[],\"@odata.nextLink\":\"http://other/x\"}",
		"{\"value\":[",
	};
	struct outcome r = { .class = REPLY_OK };
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		(void)snprintf(body[3], sizeof(body[3]), HEAD "%s", pages[i]);
		ck_assert_msg(office365_audit.read(&t.w, "q 1", take, &i, &r) ==
			REPLY_RETRY,
		    "%s", pages[i]);
	}
	ck_assert_ptr_null(strstr(canned_requests(t.server), "other/x"));
}
END_TEST

Suite *
suite_content(void)
{
	Suite *suite = suite_create("content");
	TCase *tc = tcase_create("content");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, odd_rows);
	tcase_add_test(tc, a_long_key_and_many_odd_rows);
	tcase_add_test(tc, what_looks_alike_is_not_the_same);
	tcase_add_test(tc, blobs);
	tcase_add_test(tc, links_of_the_clouds_own);
	tcase_add_test(tc, tokens_of_the_cloud);
	tcase_add_loop_test(tc, started_or_not, 0,
	    sizeof(starts) / sizeof(starts[0]));
	tcase_add_test(tc, a_query_is_made);
	tcase_add_test(tc, a_query_is_looked_at);
	tcase_add_test(tc, records_are_read);
	tcase_add_test(tc, no_page_of_records);
	suite_add_tcase(suite, tc);
	return suite;
}
