/*
 * test_loki.c - Loki's push API: streams, times, and what it refuses.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "outputs/http/protobuf.h"
#include "outputs/http/snappy.h"
#include "tests/lib/unsnap.h"
#include "tests/unit/intake_help.h"
#include "tests/unit/unit.h"

#define PUSH "/loki/api/v1/push"
#define EVENT "{\"Id\":\"a-1\"}"
#define STREAM                                                              \
	"{\"stream\":{\"service_name\":\"sealfeed\",\"sealfeed_agent\":"    \
	"\"fra1\",\"sealfeed_feed\":\"contoso/Audit.Exchange\",\"source\":" \
	"\"office365\""
#define NOW "[\"0000000000000000000\","

static void
set_up(void)
{
	rig_set_up(&output_loki);
}

/* Of the same feed one stream; times as of 1970 are far too old. */
START_TEST(streams)
{
	char *body;

	rig_expect(PUSH, 204, "");
	rig_begin(2, EVENT,
	    "bearer: abc, tenant: t1, labels: {env: \"p\\\"1\"}", "");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_int_eq(strncmp(rig_request(0), "POST " PUSH " HTTP", 27), 0);
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nX-Scope-OrgID: t1\r\n"));
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nContent-Type: application/json\r\n"));
	body = rig_timeless_body(0, "[\"");
	ck_assert_str_eq(body,
	    "{\"streams\":[" STREAM ",\"env\":\"p\\\"1\"},\"values\":[" NOW
	    "\"{\\\"Id\\\":\\\"a-1\\\"}\",{\"sealfeed_index\":\"42\","
	    "\"sealfeed_time\":\"1970-01-02T00:00:00.000000Z\"}]," NOW
	    "\"{\\\"Id\\\":\\\"b\\\"}\",{\"sealfeed_index\":\"43\","
	    "\"sealfeed_time\":\"1970-01-02T00:00:00.000000Z\"}]]}]}");
	free(body);
	rig_end();
}
END_TEST

START_TEST(sealed)
{
	char *body;

	rig_expect("/prefix" PUSH, 204, "");
	rig_begin(1, EVENT, "envelope: seal", "/prefix" PUSH);
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	body = rig_timeless_body(0, "[\"");
	ck_assert_str_eq(body,
	    "{\"streams\":[" STREAM "},\"values\":[" NOW
	    "\"{\\\"feed\\\":\\\"contoso/Audit.Exchange\\\",\\\"index\\\":42,"
	    "\\\"agent\\\":\\\"fra1\\\",\\\"event\\\":{\\\"Id\\\":\\\"a-1\\\"}"
	    "}\"]]}]}");
	free(body);
	rig_end();
}
END_TEST

/* The body of the first request, of whatever bytes. */
static void
unpacked(struct buf *out)
{
	const char *head = rig_request(0), *body = strstr(head, "\r\n\r\n");
	const char *at = strstr(head, "\r\nContent-Length: ");

	ck_assert_ptr_nonnull(body);
	ck_assert_ptr_nonnull(at);
	ck_assert(unsnap(body + 4, strtoul(at + 18, NULL, 10), out));
}

static struct protobuf_field
field(struct protobuf_reader *r, unsigned number)
{
	struct protobuf_field f;

	ck_assert(protobuf_next(r, &f));
	ck_assert_uint_eq(f.number, number);
	return f;
}

static void
is_text(struct protobuf_reader *r, unsigned number, const char *text)
{
	struct protobuf_field f = field(r, number);

	ck_assert_msg(f.bytes.len == strlen(text) &&
		memcmp(f.bytes.data, text, f.bytes.len) == 0,
	    "\"%.*s\" is not \"%s\"", (int)f.bytes.len, f.bytes.data, text);
}

/* The messages of push.proto, as a reader finds them; the second event is no
 * UTF-8, which a string has to be. */
START_TEST(protobuf)
{
	struct buf body = BUF_INIT(1 << 16);
	struct protobuf_reader push, stream, entry, time, label;
	struct protobuf_field f;

	rig_expect(PUSH, 204, "");
	rig_begin(1, EVENT,
	    "encoding: protobuf, tenant: t1, labels: {env: \"p\\\"1\"}", "");
	courier_add(&intake_rig.c, "{\"Id\":\"\xff\"}");
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == VERDICT_DELIVERED, "%s",
	    intake_rig.c.why);
	ck_assert_ptr_nonnull(strstr(rig_request(0),
	    "\r\nContent-Type: application/x-protobuf\r\n"));
	ck_assert_ptr_null(strstr(rig_request(0), "Content-Encoding"));
	unpacked(&body);
	push = (struct protobuf_reader){ .rest = { body.data, body.len } };
	stream = (struct protobuf_reader){ .rest = field(&push, 1).bytes };
	is_text(&stream, 1,
	    "{service_name=\"sealfeed\",sealfeed_agent=\"fra1\","
	    "sealfeed_feed=\"contoso/Audit.Exchange\",source=\"office365\","
	    "env=\"p\\\"1\"}");
	for (int i = 0; i < 2; i++) {
		entry =
		    (struct protobuf_reader){ .rest = field(&stream, 2).bytes };
		time =
		    (struct protobuf_reader){ .rest = field(&entry, 1).bytes };
		ck_assert_uint_gt(field(&time, 1).value, 1700000000);
		ck_assert_uint_lt(field(&time, 2).value, 1000000000);
		is_text(&entry, 2,
		    i == 0 ? EVENT : "{\"Id\":\"\xef\xbf\xbd\"}");
		label =
		    (struct protobuf_reader){ .rest = field(&entry, 3).bytes };
		is_text(&label, 1, "sealfeed_index");
		is_text(&label, 2, i == 0 ? "42" : "43");
		label =
		    (struct protobuf_reader){ .rest = field(&entry, 3).bytes };
		is_text(&label, 1, "sealfeed_time");
		is_text(&label, 2, "1970-01-02T00:00:00.000000Z");
	}
	ck_assert(!protobuf_next(&stream, &f) && !stream.broken);
	ck_assert(!protobuf_next(&push, &f) && !push.broken);
	buf_release(&body);
	rig_end();
}
END_TEST

/* Whatever its length, a block is what was packed, with the library and
 * without. */
START_TEST(snappy_blocks)
{
	static const size_t sizes[] = { 0, 1, 60, 61, 127, 128, 65536,
		(1 << 20) + 3 };
	struct buf text = BUF_INIT(2 << 20), packed = BUF_INIT(4 << 20);
	struct buf back = BUF_INIT(2 << 20);
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		buf_clear(&text);
		ck_assert_int_eq(buf_adds(&text, ""), 0);
		while (text.len < sizes[i])
			ck_assert_int_eq(buf_add(&text,
					     &(char){
						 (char)(text.len * 7 / 3) },
					     1),
			    0);
		for (int literal = 0; literal < 2; literal++) {
			buf_clear(&packed);
			buf_clear(&back);
			ck_assert_int_eq((literal ? snappy_literal
						  : snappy_pack)(text.data,
					     text.len, &packed, &err),
			    0);
			ck_assert(unsnap(packed.data, packed.len, &back));
			ck_assert_uint_eq(back.len, text.len);
			ck_assert(back.len == 0 ||
			    memcmp(back.data, text.data, back.len) == 0);
		}
	}
	buf_release(&text);
	buf_release(&packed);
	buf_release(&back);
}
END_TEST

/* A request that is full begins a stream anew. */
START_TEST(requests)
{
	rig_expect(PUSH, 204, "");
	rig_begin(12, EVENT, "max_body: 1KiB", "");
	courier_deliver(&intake_rig.c);
	ck_assert_int_eq(intake_rig.c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_gt(canned_count(intake_rig.server), 1);
	for (size_t i = 0; i < canned_count(intake_rig.server); i++) {
		size_t len = strcspn(rig_body(i), "P"); /* of POST */

		ck_assert_uint_le(len, 1024);
		ck_assert_int_eq(strncmp(rig_body(i), "{\"streams\":[" STREAM,
				     strlen("{\"streams\":[" STREAM)),
		    0);
		ck_assert_int_eq(strncmp(rig_body(i) + len - 5, "]]}]}", 5), 0);
	}
	rig_end();
}
END_TEST

/* Of three events. */
static const struct {
	int status;
	const char *body;
	enum verdict verdict;
	const char *why;
} answers[] = {
	{ 204, "", VERDICT_DELIVERED, NULL },
	{ 200, "", VERDICT_BLOCKED, "not 204" },
	{ 260, "ingestion blocked for user t1", VERDICT_BLOCKED, "not 204" },
	{ 200, "<html><title>Login</title>", VERDICT_BLOCKED, "web page" },
	{ 400, "Max entry size '262144' bytes exceeded for stream '{}'",
	    VERDICT_REFUSED, "max_line_size" },
	{ 400, "entry for stream '{}' has timestamp too new: 2030",
	    VERDICT_REFUSED, "clocks" },
	{ 400, "entry for stream '{}' has timestamp too old: 2020",
	    VERDICT_RETRY, "late_after" },
	{ 400, "entry with timestamp x ignored, reason: 'entry too far behind",
	    VERDICT_RETRY, "late_after" },
	{ 400, "entry with timestamp x ignored, reason: 'entry out of order'",
	    VERDICT_RETRY, "parallel: 1" },
	{ 400,
	    "stream '{}' includes structured metadata, but this feature is "
	    "disallowed. Please see",
	    VERDICT_BLOCKED, "envelope: seal" },
	{ 400, "missing required labels env for user t1", VERDICT_BLOCKED,
	    "add them to labels" },
	{ 400, "entry for stream '{}' has 16 label names; limit 15",
	    VERDICT_BLOCKED, "labels" },
	{ 400, "something else", VERDICT_REFUSED, "something else" },
	{ 401, "no org id", VERDICT_BLOCKED, "set tenant" },
	{ 404, "404 page not found", VERDICT_BLOCKED, "check url" },
	{ 413, "", VERDICT_REFUSED, "max_body" },
	{ 429, "Maximum active stream limit exceeded", VERDICT_RETRY,
	    "active stream limit" },
	{ 429, "Ingestion rate limit exceeded for user t1", VERDICT_RETRY,
	    "rate limit" },
	{ 500, "at least 2 live replicas required", VERDICT_RETRY, "replicas" },
};

START_TEST(meanings)
{
	rig_expect(PUSH, answers[_i].status, answers[_i].body);
	rig_begin(3, EVENT, "", "");
	intake_rig.c.out.blocked = true; /* no benefit of the doubt: sooner */
	courier_deliver(&intake_rig.c);
	ck_assert_msg(intake_rig.c.verdict == answers[_i].verdict, "%d %s: %s",
	    answers[_i].status, answers[_i].body, intake_rig.c.why);
	if (answers[_i].why != NULL)
		ck_assert_msg(strstr(intake_rig.c.why, answers[_i].why) != NULL,
		    "%s", intake_rig.c.why);
	ck_assert_uint_eq(intake_rig.c.refused, 0);
	rig_end();
}
END_TEST

/* It learns until nothing is old any more; then an entry is to blame. */
START_TEST(learns)
{
	int tries = 0;

	rig_expect(PUSH, 400, "entry too far behind");
	rig_begin(1, EVENT, "", "");
	do
		courier_deliver(&intake_rig.c);
	while (intake_rig.c.verdict == VERDICT_RETRY && ++tries < 20);
	ck_assert_int_eq(tries, 6);
	ck_assert_uint_eq(intake_rig.c.refused, 1);
	rig_end();
}
END_TEST

static const struct {
	int status;
	const char *body;
	int rc;
	const char *says;
} probes[] = {
	{ 204, "", 0, "pushes are accepted for tenant t1" },
	{ 422, "error at least one valid stream is required for ingestion", 0,
	    "pushes are accepted for tenant t1" },
	{ 401, "no org id", -1, "set tenant" },
	{ 404, "404 page not found", -1, "check url" },
	{ 200, "at least one valid stream", -1, "not 204" },
};

START_TEST(live)
{
	struct buf message = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const char *said;

	rig_expect(PUSH, probes[_i].status, probes[_i].body);
	rig_begin(1, EVENT, "tenant: t1", "");
	ck_assert_msg(output_loki.probe(&intake_rig.c.out, &message, &err) ==
		probes[_i].rc,
	    "%s", err.text);
	said = probes[_i].rc == 0 ? message.data : err.text;
	ck_assert_msg(strstr(said, probes[_i].says) != NULL, "%s", said);
	ck_assert_str_eq(rig_body(0), "{\"streams\":[]}");
	buf_release(&message);
	rig_end();
}
END_TEST

Suite *
suite_loki(void)
{
	Suite *s = suite_create("loki");
	TCase *tc = tcase_create("loki");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, streams);
	tcase_add_test(tc, sealed);
	tcase_add_test(tc, protobuf);
	tcase_add_test(tc, snappy_blocks);
	tcase_add_test(tc, requests);
	tcase_add_loop_test(tc, meanings, 0, ROWS(answers));
	tcase_add_test(tc, learns);
	tcase_add_loop_test(tc, live, 0, ROWS(probes));
	suite_add_tcase(s, tc);
	return s;
}
