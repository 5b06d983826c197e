/*
 * test_dialect.c - the seam between transport and dialects.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "outputs/http/dialect.h"
#include "tests/unit/canned.h"
#include "tests/unit/output_help.h"
#include "tests/unit/trial_dialect.h"
#include "tests/unit/unit.h"

#define MS (CLOCK_SECOND / 1000)

/*
 * One output of it, and the receiver.
 */

static struct canned *server;
static struct trial_conf conf;
static struct courier c;
static char url[128];
static struct canned_reply replies[9];

static char *
reply_bytes(int status, const char *body)
{
	return xasprintf("HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n%s",
	    status, strlen(body), body);
}

/* The receiver's next answer; each answers once, the last one always. */
static void
expect(const char *path, int status, const char *body)
{
	struct canned_reply *r = replies;

	while (r->path != NULL)
		r++;
	r->path = path;
	r->bytes = status == 0 ? xstrdup("") : reply_bytes(status, body);
}

static void
set_up(void)
{
	memset(replies, 0, sizeof(replies));
	conf = (struct trial_conf){ .http.url = url,
		.http.parallel = 2,
		.http.max_body = 1 << 20,
		.http.common.timeout = UNIT_TIMEOUT,
		.poll_every = 20 * MS,
		.poll_timeout = 10 * CLOCK_SECOND,
		.path = "/bulk",
		.header = "7c" };
}

/* An output with n small events, one of them of large bytes. */
static void
begin(size_t n, size_t large, size_t bytes)
{
	char *text = xmalloc(bytes + 64);

	server = canned_start(replies);
	(void)snprintf(url, sizeof(url), "%s/in?key=1", canned_url(server));
	courier_open(&c, &output_trial, &conf, "{\"Id\":0}");
	for (size_t i = 1; i < n; i++) {
		(void)sprintf(text, "{\"Id\":%zu,\"pad\":\"%*s\"}", i,
		    i == large ? (int)bytes : 1, "");
		courier_add(&c, text);
	}
	free(text);
}

static void
end(void)
{
	courier_close(&c);
	canned_stop(server);
	for (size_t i = 0; i < 9; i++)
		free((void *)(uintptr_t)replies[i].bytes);
}

static size_t
marked(enum chunk_mark m)
{
	size_t n = 0;

	for (size_t i = 0; i < chunk_lines(c.chunk); i++)
		n += chunk_mark(c.chunk, i) == m;
	return n;
}

static const char *
last_request(void)
{
	const char *s = canned_requests(server), *next;

	while ((next = strstr(s + 1, "PUT /in")) != NULL)
		s = next;
	return s;
}

START_TEST(request_is_the_dialects)
{
	const char *r;

	expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":200}]}");
	begin(1, 0, 0);
	courier_add(&c, "{broken\t\"");
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	r = canned_requests(server);
	ck_assert_int_eq(strncmp(r, "PUT /in/bulk?key=1&from=0&to=2 HTTP", 35),
	    0);
	ck_assert_ptr_nonnull(strstr(r,
	    "\r\nContent-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(r, "\r\nX-Channel: 7c\r\n"));
	ck_assert_str_eq(strstr(r, "\r\n\r\n") + 4,
	    "[{\"feed\":\"contoso/Audit.Exchange\",\"index\":42,"
	    "\"type\":\"office365\",\"time\":86400,\"event\":{\"Id\":0}},"
	    "{\"feed\":\"contoso/Audit.Exchange\",\"index\":43,"
	    "\"type\":\"office365\",\"time\":86400,"
	    "\"text\":\"{broken\\t\\\"\"}]");
	end();
}
END_TEST

/* Items of a bulk answer with reasons of so many bytes: 200, 400 and 429 in
 * turn. */
static char *
bulk_answer(size_t n, int bytes)
{
	struct buf b = BUF_INIT(8 << 20);

	ck_assert_int_eq(buf_adds(&b, "{\"items\":["), 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(buf_addf(&b,
				     "%s{\"status\":%d,\"error\":\"no%*s\"}",
				     i == 0 ? "" : ",",
				     i % 3 == 0       ? 200
					 : i % 3 == 1 ? 400
						      : 429,
				     bytes, ""),
		    0);
	ck_assert_int_eq(buf_adds(&b, "]}"), 0);
	return buf_take(&b, NULL);
}

START_TEST(lines_out_of_a_large_answer)
{
	char *answer = bulk_answer(240, 2000);

	expect("/in/bulk", 200, answer);
	begin(240, 0, 0);
	courier_deliver(&c);
	ck_assert_uint_gt(trial_seen.len, 256 << 10);
	ck_assert(!trial_seen.cut);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	for (size_t i = 0; i < 240; i++)
		ck_assert_int_eq(chunk_mark(c.chunk, i),
		    i % 3 == 0       ? CHUNK_DELIVERED
			: i % 3 == 1 ? CHUNK_REFUSED
				     : CHUNK_OPEN);
	ck_assert_str_eq(c.why, "item 2: no                            ");
	free(answer);
	end();
}
END_TEST

START_TEST(larger_answers_are_cut)
{
	char *answer = bulk_answer(240, 8000);

	expect("/in/bulk", 200, answer);
	begin(240, 0, 0);
	courier_deliver(&c);
	ck_assert(trial_seen.cut);
	ck_assert_uint_eq(trial_seen.len, INTAKE_ANSWER_MAX);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	ck_assert_uint_eq(marked(CHUNK_OPEN), 240);
	free(answer);
	end();
}
END_TEST

START_TEST(what_is_not_told_of_goes_again)
{
	expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":400,\"error\":\"no\"}]}");
	begin(5, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	ck_assert_int_eq(chunk_mark(c.chunk, 0), CHUNK_DELIVERED);
	ck_assert_int_eq(chunk_mark(c.chunk, 1), CHUNK_REFUSED);
	ck_assert_uint_eq(marked(CHUNK_OPEN), 3);
	end();
}
END_TEST

/* Items are of what the request carried. */
START_TEST(lines_left_out_are_not_counted)
{
	expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":400,\"error\":\"no\"},"
	    "{\"status\":429,\"error\":\"later\"}]}");
	begin(1, 0, 0);
	courier_add(&c, "{\"Id\":\"skip\"}");
	courier_add(&c, "{\"Id\":2}");
	courier_add(&c, "{\"Id\":\"skip\"}");
	courier_add(&c, "{\"Id\":4}");
	courier_add(&c, "{\"Id\":\"skip\"}");
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	ck_assert_str_eq(c.why, "item 2: later");
	for (size_t i = 0; i < 6; i++)
		ck_assert_int_eq(chunk_mark(c.chunk, i),
		    i == 2       ? CHUNK_REFUSED
			: i == 4 ? CHUNK_OPEN
				 : CHUNK_DELIVERED);
	end();
}
END_TEST

START_TEST(what_stands_apart_begins_a_request)
{
	expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":200}]}");
	begin(1, 0, 0);
	courier_add(&c, "{\"Id\":\"b\"}");
	courier_add(&c, "{\"Id\":\"apart\"}");
	courier_add(&c, "{\"Id\":\"d\"}");
	courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	ck_assert_uint_eq(canned_count(server), 2);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(chunk_mark(c.chunk, i), CHUNK_DELIVERED);
	end();
}
END_TEST

START_TEST(nothing_wanted_is_no_request)
{
	expect("/", 500, "");
	begin(1, 0, 0);
	chunk_free(c.chunk);
	c.chunk = chunk_new();
	courier_add(&c, "{\"Id\":\"skip\"}");
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(canned_count(server), 0);
	end();
}
END_TEST

/* The rendered bytes of a request and what they are on the wire. */
static size_t
body_size(const char *request, bool packed, size_t *wire)
{
	const char *length = strstr(request, "\r\nContent-Length: ");
	struct buf text = BUF_INIT(1 << 20);
	struct gzip *g = gzip_new();
	struct err err = ERR_INIT;
	size_t n;

	ck_assert_ptr_nonnull(length);
	*wire = strtoul(length + 18, NULL, 10);
	n = *wire;
	if (packed) {
		ck_assert_msg(gzip_unpack(g, strstr(request, "\r\n\r\n") + 4,
				  *wire, &text, &err) == 0,
		    "%s", err.text);
		n = text.len;
	}
	gzip_free(g);
	buf_release(&text);
	return n;
}

/* Ten events, of which one is larger than a request may be: it goes alone. */
START_TEST(limit_is_of_rendered_bytes)
{
	static const char all[] =
	    "{\"items\":[{\"status\":200},{\"status\":200},{\"status\":200},"
	    "{\"status\":200},{\"status\":200},{\"status\":200}]}";
	bool packed = _i == 1;
	size_t n = 0, wire, large = 0;
	const char *r;

	conf.http.compress = packed;
	conf.http.max_body = 450;
	expect("/in/bulk", 200, all);
	begin(10, 5, 5000);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(marked(CHUNK_DELIVERED), 10);
	r = canned_requests(server);
	while (canned_len(server) > (size_t)(r - canned_requests(server))) {
		size_t rendered = body_size(r, packed, &wire);

		if (rendered > 5000) {
			large++;
			ck_assert_ptr_nonnull(strstr(r, "from=5&to=6 "));
		} else {
			ck_assert_uint_le(rendered, 450);
		}
		ck_assert(!packed || rendered < 300 || wire < rendered);
		r = strstr(r, "\r\n\r\n") + 4 + wire;
		n++;
	}
	ck_assert_uint_eq(large, 1);
	/* Four of about 100 bytes fit: 0-3, 4, 5 alone, 6-9. */
	ck_assert_uint_eq(n, 4);
	ck_assert_uint_eq(canned_count(server), 4);
	end();
}
END_TEST

START_TEST(one_event_a_request)
{
	conf.lines_max = 1;
	expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	expect("/in/bulk", 503, "busy");
	begin(5, 0, 0);
	courier_deliver(&c);
	ck_assert_uint_eq(canned_count(server), 3);
	ck_assert_ptr_nonnull(strstr(last_request(), "from=2&to=3 "));
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	ck_assert_uint_eq(marked(CHUNK_DELIVERED), 2);
	ck_assert_uint_eq(marked(CHUNK_OPEN), 3);
	ck_assert_msg(strstr(c.why, "answers 503: busy") != NULL, "%s", c.why);
	end();
}
END_TEST

/* By the status alone, of a request that carries one, and which is refused
 * again and again. */
START_TEST(the_one_event_is_at_fault)
{
	conf.lines_max = 1;
	expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	for (int i = 0; i < 3; i++)
		expect("/in/bulk", 400, "no field");
	expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	begin(3, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_int_eq(chunk_mark(c.chunk, 0), CHUNK_DELIVERED);
	ck_assert_int_eq(chunk_mark(c.chunk, 1), CHUNK_REFUSED);
	ck_assert_int_eq(chunk_mark(c.chunk, 2), CHUNK_DELIVERED);
	end();
}
END_TEST

/* A refusal of one event that does not stay so, whatever it says. */
START_TEST(one_refusal_is_a_weak_hint)
{
	static const int status[] = { 400, 413, 422 };

	conf.lines_max = 1;
	expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	expect("/in/bulk", status[_i], "a moment of its own");
	expect("/in/bulk", status[_i], "a moment of its own");
	expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	begin(3, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(marked(CHUNK_DELIVERED), 3);
	ck_assert_uint_eq(canned_count(server), 5);
	end();
}
END_TEST

/* Gzip that no header announces is unpacked for the judge, too. */
START_TEST(packed_answer)
{
	static const char items[] = "{\"items\":[{\"status\":200},"
				    "{\"status\":400,\"error\":\"no field\"}]}";
	struct buf bytes = BUF_INIT(4096), body = BUF_INIT(4096);
	struct gzip *g = gzip_new();
	struct err err = ERR_INIT;

	ck_assert_int_eq(gzip_pack(g, items, strlen(items), &body, &err), 0);
	gzip_free(g);
	ck_assert_int_eq(buf_addf(&bytes,
			     "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
			     body.len),
	    0);
	ck_assert_int_eq(buf_add(&bytes, body.data, body.len), 0);
	buf_release(&body);
	expect("/in/bulk", 0, "");
	free((void *)(uintptr_t)replies[0].bytes);
	replies[0].len = bytes.len;
	replies[0].bytes = buf_take(&bytes, NULL);
	begin(2, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_int_eq(chunk_mark(c.chunk, 0), CHUNK_DELIVERED);
	ck_assert_int_eq(chunk_mark(c.chunk, 1), CHUNK_REFUSED);
	ck_assert_uint_eq(canned_count(server), 1);
	end();
}
END_TEST

static bool
four_requests(void *ctx)
{
	(void)ctx;
	return canned_count(server) >= 4;
}

static bool
is_decided(void *ctx)
{
	(void)ctx;
	return c.decided;
}

/* Not before the number is confirmed, and meanwhile another may be sent. */
START_TEST(delivered_when_confirmed)
{
	expect("/in/bulk", 200, "{\"ack\":7}");
	expect("/in/ack", 200, "{\"acks\":{\"7\":false}}");
	expect("/in/ack", 503, "busy");
	expect("/in/ack", 200, "{\"acks\":{\"7\":false,\"8\":true}}");
	expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	begin(3, 0, 0);
	courier_drive(&c, four_requests, NULL);
	ck_assert(!c.decided);
	ck_assert_uint_eq(marked(CHUNK_OPEN), 3);
	ck_assert_uint_eq(output_trial.window(&c.out), 3);
	courier_wait(&c, is_decided, NULL);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(canned_count(server), 5);
	ck_assert_ptr_nonnull(strstr(canned_requests(server),
	    "POST /in/ack?key=1 HTTP"));
	ck_assert_ptr_nonnull(strstr(canned_requests(server),
	    "\r\n\r\n{\"acks\":[7]}"));
	end();
}
END_TEST

/* What waits for its confirmation keeps no other from being sent. */
START_TEST(room_is_told)
{
	int64_t begun = clock_monotonic();

	conf.poll_timeout = CLOCK_MINUTE;
	expect("/in/bulk", 200, "{\"ack\":7}");
	expect("/in/ack", 200, "{\"acks\":{\"7\":false}}");
	begin(3, 0, 0);
	output_trial.send(&c.out, c.chunk);
	output_trial.drive(&c.out, c.wake, 20000);
	ck_assert_int_lt(clock_monotonic() - begun, 15 * CLOCK_SECOND);
	ck_assert(!c.decided);
	ck_assert_uint_eq(output_trial.waiting(&c.out), 1);
	ck_assert_uint_eq(output_trial.window(&c.out), 3);
	end();
}
END_TEST

START_TEST(never_confirmed_is_sent_again)
{
	conf.poll_timeout = 150 * MS;
	expect("/in/bulk", 200, "{\"ack\":7}");
	expect("/in/ack", 200, "{\"acks\":{\"7\":false}}");
	begin(3, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	ck_assert_uint_eq(marked(CHUNK_OPEN), 3);
	ck_assert_msg(strstr(c.why, "not confirm them within 150ms") != NULL,
	    "%s", c.why);
	end();
}
END_TEST

/* What does not tell of what is promised, once: it is asked again, and nothing
 * goes twice. */
static const struct {
	int status; /* 0: the connection is reset */
	const char *body;
} blips[] = {
	{ 0, "" },
	{ 503, "no server is available" },
	{ 502, "<html>" },
	{ 429, "later" },
	{ 200, "<html>" },
	{ 302, "" },
	{ 400, "no" },
	{ 403, "no" },
	{ 404, "<html>" },
	{ 500, "{\"items\":[{\"status\":500,\"error\":\"no\"}]}" },
	{ 400, "{\"items\":[{\"status\":400,\"error\":\"no\"}]}" },
	{ 403, "{\"items\":[{\"status\":403,\"error\":\"no\"}]}" },
};

START_TEST(a_blip_of_a_poll)
{
	expect("/in/bulk", 200, "{\"ack\":7}");
	expect("/in/ack", blips[_i].status, blips[_i].body);
	expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	begin(3, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(marked(CHUNK_DELIVERED), 3);
	ck_assert_uint_eq(canned_count(server), 3);
	end();
}
END_TEST

/* Retry-After counts, up to a part of the time for confirmations. */
START_TEST(a_poll_waits_as_it_is_told)
{
	static const char *const asked[] = { "2", "3600" };
	int64_t began = clock_monotonic();

	expect("/in/bulk", 200, "{\"ack\":7}");
	expect("/in/ack", 503, "");
	free((void *)(uintptr_t)replies[1].bytes);
	replies[1].bytes = xasprintf("HTTP/1.1 503 X\r\nRetry-After: %s\r\n"
				     "Content-Length: 0\r\n\r\n",
	    asked[_i]);
	expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	begin(3, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(canned_count(server), 3);
	ck_assert_int_ge(clock_monotonic() - began, 2 * CLOCK_SECOND);
	end();
}
END_TEST

/* ship sends less at once behind a connection that broke, and not behind an
 * answer. */
START_TEST(broken_connections_are_counted)
{
	static const int statuses[] = { 0, 503 };

	expect("/in/bulk", statuses[_i], "");
	begin(3, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	ck_assert_uint_eq(c.out.breaks, statuses[_i] == 0);
	end();
}
END_TEST

START_TEST(a_poll_that_has_to_wait)
{
	conf.poll_later = true;
	expect("/in/bulk", 200, "{\"ack\":7}");
	expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	begin(3, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(canned_count(server), 2);
	end();
}
END_TEST

static bool
is_unheard(void *ctx)
{
	(void)ctx;
	return c.out.unheard[0] != '\0';
}

/* Twice in a row it is said, until there is an answer. */
START_TEST(polls_that_fail_are_told)
{
	expect("/in/bulk", 200, "{\"ack\":7}");
	expect("/in/ack", 503, "busy");
	expect("/in/ack", 502, "bad gateway");
	expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	begin(3, 0, 0);
	courier_drive(&c, is_unheard, NULL);
	ck_assert(!c.decided);
	ck_assert_msg(strstr(c.out.unheard,
			  "asking whether accepted events are kept fails: "
			  "http") != NULL &&
		strstr(c.out.unheard, "answers 502: bad gateway") != NULL,
	    "%s", c.out.unheard);
	courier_wait(&c, is_decided, NULL);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_str_eq(c.out.unheard, "");
	ck_assert_uint_eq(canned_count(server), 4);
	end();
}
END_TEST

/* No dialect is asked about a page; of what it blocks itself only those lines
 * go again. */
START_TEST(blips_of_lines)
{
	expect("/in/bulk", 200, "<!DOCTYPE HTML><title>Login</title>");
	expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":403,\"error\":\"no\"},"
	    "{\"status\":200}]}");
	expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	begin(3, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(marked(CHUNK_DELIVERED), 3);
	ck_assert_uint_eq(canned_count(server), 3);
	ck_assert_ptr_nonnull(strstr(strstr(last_request(), "\r\n\r\n"),
	    "\r\n\r\n[{\"feed\":\"contoso/Audit.Exchange\",\"index\":43,"));
	end();
}
END_TEST

/* What is answered whenever somebody asks.  Within five seconds that is at
 * once, after half a second and after two more; the next time would be at seven
 * and a half. */
static const struct {
	int status;
	const char *body;
	int64_t timeout;
	enum verdict verdict;
	unsigned requests;
	const char *why;
} lost[] = {
	{ 0, "", 5 * CLOCK_SECOND, VERDICT_RETRY, 4,
	    "within 5s; asking whether" },
	{ 503, "busy", 5 * CLOCK_SECOND, VERDICT_RETRY, 4,
	    "answers 503: busy" },
	{ 400, "no", 5 * CLOCK_SECOND, VERDICT_RETRY, 4, "answers 400: no" },
	{ 403, "no", 5 * CLOCK_SECOND, VERDICT_RETRY, 4, "answers 403: no" },
	/* The receiver itself says that it never will tell. */
	{ 400, "{\"items\":[{\"status\":400,\"error\":\"unknown\"}]}",
	    CLOCK_MINUTE, VERDICT_RETRY, 5, "item 0: unknown" },
	{ 403, "{\"items\":[{\"status\":403,\"error\":\"disabled\"}]}",
	    CLOCK_MINUTE, VERDICT_BLOCKED, 5, "item 0: disabled" },
};

START_TEST(lost_confirmations_are_sent_again)
{
	conf.poll_timeout = lost[_i].timeout;
	expect("/in/bulk", 200, "{\"ack\":7}");
	expect("/in/ack", lost[_i].status, lost[_i].body);
	begin(3, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, lost[_i].verdict);
	ck_assert_msg(strstr(c.why, lost[_i].why) != NULL, "%s", c.why);
	ck_assert_str_eq(c.out.unheard, "");
	ck_assert_uint_eq(marked(CHUNK_OPEN), 3);
	ck_assert_uint_eq(canned_count(server), lost[_i].requests);
	end();
}
END_TEST

/* Two requests of one chunk, one of them confirmed: the other goes again. */
START_TEST(part_is_confirmed)
{
	conf.lines_max = 2;
	/* Enough for the second one's answer on a busy machine. */
	conf.poll_timeout = 5 * CLOCK_SECOND;
	expect("/in/bulk", 200, "{\"ack\":1}");
	expect("/in/bulk", 200, "{\"ack\":2}");
	expect("/in/ack", 200, "{\"acks\":{\"1\":false,\"2\":true}}");
	begin(4, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	ck_assert_int_eq(chunk_mark(c.chunk, 1), CHUNK_OPEN);
	ck_assert_int_eq(chunk_mark(c.chunk, 2), CHUNK_DELIVERED);
	ck_assert_uint_eq(marked(CHUNK_OPEN), 2);
	end();
}
END_TEST

START_TEST(closed_while_pending)
{
	expect("/in/bulk", 200, "{\"ack\":7}");
	expect("/in/ack", 200, "{\"acks\":{\"7\":false}}");
	begin(3, 0, 0);
	courier_drive(&c, four_requests, NULL);
	end();
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	ck_assert_str_eq(c.why, "the output was closed");
}
END_TEST

/* Neither leaves this machine. */
START_TEST(wrong_requests_are_not_sent)
{
	if (_i == 0)
		conf.header = "x\r\nX-Evil: 1";
	else
		conf.path = ".evil.example";
	expect("/", 200, "{}");
	begin(2, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_BLOCKED);
	ck_assert_uint_eq(canned_count(server), 0);
	end();
}
END_TEST

static const char *
last_post(void)
{
	const char *s = canned_requests(server), *next;

	while ((next = strstr(s + 1, "POST /in")) != NULL)
		s = next;
	return s;
}

START_TEST(probe_is_the_dialects)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;

	expect("/in/bulk", 200, "{\"items\":[]}");
	begin(1, 0, 0);
	ck_assert_msg(output_trial.probe(&c.out, &message, &err) == 0, "%s",
	    err.text);
	ck_assert_int_eq(strncmp(canned_requests(server),
			     "POST /in/bulk?key=1&probe HTTP", 30),
	    0);
	ck_assert_str_eq(strstr(last_post(), "\r\n\r\n"), "\r\n\r\n[]");
	ck_assert_uint_eq(canned_count(server), 2);
	ck_assert_str_eq(message.data, "step 0: step 1: ");
	buf_release(&message);
	end();
}
END_TEST

START_TEST(probe_in_the_receivers_terms)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;

	expect("/in/bulk", 200, "{\"items\":[]}");
	expect("/in/bulk", 418, "short and stout");
	begin(1, 0, 0);
	ck_assert_int_eq(output_trial.probe(&c.out, &message, &err), -1);
	ck_assert_str_eq(err.text, "step 1: it is a teapot");
	buf_release(&message);
	end();
}
END_TEST

/* The settings are not to blame: it is tried again, and nothing was sent. */
START_TEST(not_yet_is_no_refusal)
{
	conf.later = true;
	expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	begin(1, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	ck_assert_str_eq(c.why, "no token yet");
	ck_assert_uint_eq(canned_count(server), 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	end();
}
END_TEST

START_TEST(tokens_are_renewed)
{
	trial_seen.renewed = 0;
	expect("/in/bulk", 401, "who are you");
	expect("/in/bulk", 200, "{\"items\":[{\"status\":200}]}");
	begin(1, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(trial_seen.renewed, 1);
	end();
}
END_TEST

/* One line that no intake takes, and its neighbours. */
START_TEST(what_cannot_be_rendered_is_a_dead_letter)
{
	expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":200}]}");
	begin(1, 0, 0);
	courier_add(&c, "{\"never\":1}");
	courier_add(&c, "{\"Id\":2}");
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(c.refused, 1);
	ck_assert_int_eq(chunk_mark(c.chunk, 1), CHUNK_REFUSED);
	ck_assert_uint_eq(marked(CHUNK_DELIVERED), 2);
	ck_assert_uint_eq(canned_count(server), 1);
	end();
}
END_TEST

/* The receiver stopped at the line at fault: what follows goes at once. */
START_TEST(the_rest_goes_at_once)
{
	expect("/in/bulk", 200,
	    "{\"again\":true,\"items\":[{\"status\":200},"
	    "{\"status\":400,\"error\":\"no\"}]}");
	expect("/in/bulk", 200,
	    "{\"items\":[{\"status\":200},{\"status\":200}]}");
	begin(4, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(marked(CHUNK_DELIVERED), 3);
	ck_assert_int_eq(chunk_mark(c.chunk, 1), CHUNK_REFUSED);
	ck_assert_uint_eq(canned_count(server), 2);
	end();
}
END_TEST

/* Without a line told of there is no end to it. */
START_TEST(again_needs_progress)
{
	expect("/in/bulk", 200, "{\"again\":true,\"items\":[]}");
	begin(2, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	ck_assert_uint_eq(canned_count(server), 1);
	end();
}
END_TEST

/* A number of before would confirm what is not there any more. */
START_TEST(forgotten_promises_are_sent_again)
{
	conf.lines_max = 2;
	/* Nobody asks before both are promised. */
	conf.poll_every = 5 * CLOCK_SECOND;
	expect("/in/bulk", 200, "{\"ack\":7}");
	expect("/in/bulk", 200, "{\"ack\":7,\"forget\":true}");
	expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	begin(4, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	ck_assert_str_eq(c.why, "it began anew");
	ck_assert_int_eq(chunk_mark(c.chunk, 0), CHUNK_OPEN);
	ck_assert_int_eq(chunk_mark(c.chunk, 2), CHUNK_DELIVERED);
	end();
}
END_TEST

/* Whoever shares out requests knows by its cookie where they belong. */
START_TEST(cookies_go_back)
{
	replies[0] = (struct canned_reply){ .path = "/in/bulk",
		.bytes = xstrdup("HTTP/1.1 200 X\r\nContent-Length: 9\r\n"
				 "Set-Cookie: node=b2\r\n\r\n{\"ack\":7}") };
	expect("/in/ack", 200, "{\"acks\":{\"7\":true}}");
	begin(1, 0, 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_ptr_nonnull(strstr(strstr(canned_requests(server),
					 "POST /in/ack"),
	    "\r\nCookie: node=b2\r\n"));
	end();
}
END_TEST

/* Of which type the source of a feed is, by the feed's name alone. */
START_TEST(type_of_a_feed)
{
	static const struct config_type vendor = { .name = "office365" };
	static char agent[] = "fra1", same[] = "fra1", contoso[] = "contoso";
	struct config_entry sources[] = {
		{ .name = same, .type = &vendor },
		{ .name = contoso, .type = &vendor },
	};
	const struct config config = {
		.agent.name = agent, .sources = sources, .n_sources = 2
	};
	static const struct {
		const char *feed;
		const char *type;
	} feeds[] = {
		{ "contoso/DLP.All", "office365" },
		{ "contoso/DLP.All~20261122T042658Z", "office365" },
		{ "contoso2/DLP.All", "" },
		{ "fra1/agent", "agent" },
		{ "fra1/agent~20261122T042658Z", "agent" },
		{ "fra1/agents", "office365" },
	};
	struct batch_reader *reader = batch_reader_new(NULL, &config);
	struct dead_letter d = { .event = BUF_INIT(16) };
	struct chunk *chunk = chunk_new();
	struct chunk_line line;
	struct err err = ERR_INIT;
	struct batch_ref *event;

	ck_assert_int_eq(buf_adds(&d.event, "{}"), 0);
	(void)snprintf(d.feed, sizeof(d.feed), "%s", feeds[_i].feed);
	event = batch_reader_dead_letter(reader, &d);
	ck_assert_int_eq(chunk_add(chunk, event, 0, 1, batch_ref_bytes(event)),
	    0);
	batch_ref_release(event);
	ck_assert_int_eq(chunk_line(chunk, 0, &line, &err), 0);
	ck_assert_str_eq(line.source_type, feeds[_i].type);
	chunk_free(chunk);
	batch_reader_free(reader);
	buf_release(&d.event);
}
END_TEST

Suite *
suite_dialect(void)
{
	Suite *s = suite_create("dialect");
	TCase *tc = tcase_create("dialect");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, request_is_the_dialects);
	tcase_add_test(tc, lines_out_of_a_large_answer);
	tcase_add_test(tc, larger_answers_are_cut);
	tcase_add_test(tc, what_is_not_told_of_goes_again);
	tcase_add_test(tc, lines_left_out_are_not_counted);
	tcase_add_test(tc, what_stands_apart_begins_a_request);
	tcase_add_test(tc, nothing_wanted_is_no_request);
	tcase_add_loop_test(tc, limit_is_of_rendered_bytes, 0, 2);
	tcase_add_test(tc, one_event_a_request);
	tcase_add_test(tc, the_one_event_is_at_fault);
	tcase_add_loop_test(tc, one_refusal_is_a_weak_hint, 0, 3);
	tcase_add_test(tc, packed_answer);
	tcase_add_test(tc, delivered_when_confirmed);
	tcase_add_test(tc, room_is_told);
	tcase_add_test(tc, never_confirmed_is_sent_again);
	tcase_add_loop_test(tc, lost_confirmations_are_sent_again, 0,
	    sizeof(lost) / sizeof(lost[0]));
	tcase_add_loop_test(tc, a_blip_of_a_poll, 0,
	    sizeof(blips) / sizeof(blips[0]));
	tcase_add_test(tc, a_poll_that_has_to_wait);
	tcase_add_loop_test(tc, a_poll_waits_as_it_is_told, 0, 2);
	tcase_add_loop_test(tc, broken_connections_are_counted, 0, 2);
	tcase_add_test(tc, polls_that_fail_are_told);
	tcase_add_test(tc, blips_of_lines);
	tcase_add_test(tc, part_is_confirmed);
	tcase_add_test(tc, closed_while_pending);
	tcase_add_loop_test(tc, wrong_requests_are_not_sent, 0, 2);
	tcase_add_test(tc, probe_is_the_dialects);
	tcase_add_test(tc, probe_in_the_receivers_terms);
	tcase_add_test(tc, not_yet_is_no_refusal);
	tcase_add_test(tc, tokens_are_renewed);
	tcase_add_test(tc, what_cannot_be_rendered_is_a_dead_letter);
	tcase_add_test(tc, the_rest_goes_at_once);
	tcase_add_test(tc, again_needs_progress);
	tcase_add_test(tc, forgotten_promises_are_sent_again);
	tcase_add_test(tc, cookies_go_back);
	tcase_add_loop_test(tc, type_of_a_feed, 0, 6);
	suite_add_tcase(s, tc);
	return s;
}
