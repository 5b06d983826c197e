/*
 * test_framer.c - RFC 5424 messages in octet-counted frames.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "config/event_shape.h"
#include "outputs/output.h"
#include "outputs/syslog/framer.h"
#include "tests/unit/unit.h"

static const struct framer_spec plain = {
	.host = "fra1",
	.app = "sealfeed",
	.priority = 110,
	.enterprise = 32473,
	.max = 65536,
};

/* 2023-11-14T22:13:20.123456Z */
#define WHEN INT64_C(1700000000123456)

static struct chunk_line
event(const char *feed, uint64_t number, const char *value)
{
	return (struct chunk_line){ .feed = feed,
		.number = number,
		.when = WHEN,
		.value = value,
		.len = strlen(value) };
}

/* Frame line by spec; the frames are the caller's. */
static char *
framed(const struct framer_spec *spec, const struct chunk_line *line)
{
	struct framer *f = framer_new(spec);
	struct buf out = BUF_INIT(1 << 20);
	size_t size = 0;

	ck_assert_int_eq(frame_add(f, line, &out, &size), FRAME_ADDED);
	framer_free(f);
	return buf_take(&out, NULL);
}

START_TEST(event_vector)
{
	struct chunk_line line =
	    event("contoso/Audit.Exchange", 42, "{\"Id\":\"x\"}");
	char *s = framed(&plain, &line);

	ck_assert_str_eq(s,
	    "131 <110>1 2023-11-14T22:13:20.123Z fra1 sealfeed - "
	    "Audit.Exchange [sealfeed@32473 feed=\"contoso/Audit.Exchange\" "
	    "index=\"42\"] {\"Id\":\"x\"}");
	free(s);
}
END_TEST

START_TEST(line_feed_vector)
{
	struct chunk_line line =
	    event("contoso/Audit.Exchange", 42, "{\"Id\":\"x\"}");
	struct framer_spec spec = plain;
	char *s, value[100] = "";

	spec.lf = true;
	s = framed(&spec, &line);
	ck_assert_str_eq(s,
	    "<110>1 2023-11-14T22:13:20.123Z fra1 sealfeed - "
	    "Audit.Exchange [sealfeed@32473 feed=\"contoso/Audit.Exchange\" "
	    "index=\"42\"] {\"Id\":\"x\"}\n");
	free(s);
	/* Parts have one each. */
	spec.max = 200;
	spec.split = true;
	memset(value, 'x', sizeof(value) - 1);
	line.value = value;
	line.len = sizeof(value) - 1;
	s = framed(&spec, &line);
	for (const char *at = s; *at != '\0'; at = strchr(at, '\n') + 1)
		ck_assert_int_eq(strncmp(at, "<110>1 ", 7), 0);
	ck_assert_ptr_nonnull(strstr(s, " part=\"2\" parts="));
	free(s);
}
END_TEST

START_TEST(via_vector)
{
	struct chunk_line line = event("a/b", 42, "{\"Id\":\"x\"}");
	struct framer_spec spec = plain;
	char *s;

	line.via = "backfill";
	s = framed(&spec, &line);
	ck_assert_str_eq(s,
	    "114 <110>1 2023-11-14T22:13:20.123Z fra1 sealfeed - b "
	    "[sealfeed@32473 feed=\"a/b\" index=\"42\" via=\"backfill\"] "
	    "{\"Id\":\"x\"}");
	free(s);
}
END_TEST

START_TEST(checkpoint_vector)
{
	struct chunk_line line =
	    event("contoso/Audit.Exchange", 43, "{\"note\":\"n\"}");
	char *s;

	line.checkpoint = true;
	s = framed(&plain, &line);
	ck_assert_str_eq(s,
	    "134 <110>1 2023-11-14T22:13:20.123Z fra1 sealfeed - checkpoint "
	    "[sealfeed@32473 feed=\"contoso/Audit.Exchange\" "
	    "checkpoint=\"43\"] {\"note\":\"n\"}");
	free(s);
}
END_TEST

START_TEST(fields_are_made_fit)
{
	struct framer_spec spec = plain;
	struct chunk_line line =
	    event("a\"]\\b/a-stream-with-a-name-of-more-than-32-characters",
		UINT64_MAX, "{}");
	char *s;

	spec.host = "m\xc3\xbcnchen 1";
	s = framed(&spec, &line);
	ck_assert_ptr_nonnull(strstr(s,
	    "Z m??nchen?1 sealfeed - "
	    "a-stream-with-a-name-of-more-tha ["));
	ck_assert_ptr_nonnull(strstr(s, "feed=\"a\\\"\\]\\\\b/a-stream"));
	ck_assert_ptr_nonnull(strstr(s, "index=\"18446744073709551615\"] {}"));
	free(s);
}
END_TEST

START_TEST(heads_follow_the_feed)
{
	struct framer *f = framer_new(&plain);
	struct buf out = BUF_INIT(1 << 20);
	struct chunk_line a = event("a/x", 1, "{}"), b = event("b/y", 2, "{}");
	size_t size = 0;

	ck_assert_int_eq(frame_add(f, &a, &out, &size), FRAME_ADDED);
	ck_assert_int_eq(frame_add(f, &b, &out, &size), FRAME_ADDED);
	ck_assert_ptr_nonnull(strstr(out.data,
	    "- x [sealfeed@32473 "
	    "feed=\"a/x\""));
	ck_assert_ptr_nonnull(strstr(out.data,
	    "- y [sealfeed@32473 "
	    "feed=\"b/y\""));
	buf_release(&out);
	framer_free(f);
}
END_TEST

/* The limit counts the message, without the count in front of it. */
START_TEST(limit_is_exact)
{
	struct framer_spec spec = plain;
	struct framer *f;
	struct buf out = BUF_INIT(1 << 20);
	struct chunk_line line =
	    event("contoso/Audit.Exchange", 42, "{\"Id\":\"x\"}");
	size_t size = 0;

	spec.max = 131;
	f = framer_new(&spec);
	ck_assert_int_eq(frame_add(f, &line, &out, &size), FRAME_ADDED);
	ck_assert_uint_eq(size, 131);
	ck_assert_uint_eq(out.len, 131 + 4);
	framer_free(f);
	spec.max = 130;
	f = framer_new(&spec);
	ck_assert_int_eq(frame_add(f, &line, &out, &size), FRAME_LARGE);
	ck_assert_uint_eq(size, 131);
	ck_assert_uint_eq(out.len, 131 + 4);
	framer_free(f);
	buf_release(&out);
}
END_TEST

/* Take the next frame off *s: its message is copied to message. */
static bool
next_frame(const char **s, char *message, size_t room)
{
	char *end;
	unsigned long n;

	if (**s == '\0')
		return false;
	n = strtoul(*s, &end, 10);
	ck_assert_int_eq(*end, ' ');
	ck_assert_uint_lt(n, room);
	ck_assert_uint_le(n, strlen(end + 1));
	memcpy(message, end + 1, n);
	message[n] = '\0';
	*s = end + 1 + n;
	return true;
}

START_TEST(parts_join_to_the_event)
{
	struct framer_spec spec = plain;
	char value[20001], whole[20001] = "", message[4097], expected[64];
	struct chunk_line line;
	char *s;
	const char *at;
	int n = 0, parts = 0;

	/* Characters of two bytes, at odd places. */
	value[0] = 'x';
	for (size_t i = 1; i + 1 < sizeof(value); i += 2) {
		value[i] = '\xc3';
		value[i + 1] = '\xa9';
	}
	value[19999] = '\0';
	spec.split = true;
	spec.max = 4096;
	line = event("contoso/Audit.Exchange", 7, value);
	s = framed(&spec, &line);
	for (at = s; next_frame(&at, message, sizeof(message)); n++) {
		const char *msg = strstr(message, "\"] ") + 3;

		ck_assert_uint_le(strlen(message), 4096);
		ck_assert_int_ne(*msg & 0xc0, 0x80);
		strcat(whole, msg);
		ck_assert_int_eq(sscanf(strstr(message, " parts=\""),
				     " parts=\"%d\"", &parts),
		    1);
		(void)snprintf(expected, sizeof(expected),
		    " index=\"7\" part=\"%d\" parts=\"%d\"] ", n + 1, parts);
		ck_assert_ptr_nonnull(strstr(message, expected));
	}
	ck_assert_int_eq(n, parts);
	ck_assert_int_ge(n, 5);
	ck_assert_str_eq(whole, value);
	free(s);
}
END_TEST

/* White space at an end of a message is what receivers take off. */
START_TEST(parts_end_beside_no_white_space)
{
	struct framer_spec spec = plain;
	char value[20001], message[4097];
	struct chunk_line line;
	const char *at;
	char *s;
	size_t len = 0;

	memset(value, ' ', sizeof(value) - 1);
	for (size_t i = 0; i + 1 < sizeof(value); i++)
		if (i % 200 < 7)
			value[i] = i % 200 == 3 ? '\r' : 'x';
	value[20000] = '\0';
	spec.split = true;
	spec.lf = _i == 1;
	spec.max = 4096;
	line = event("contoso/Audit.Exchange", 7, value);
	s = framed(&spec, &line);
	for (at = s; _i == 0 && next_frame(&at, message, sizeof(message));) {
		const char *msg = strstr(message, "\"] ") + 3;

		len += strlen(msg);
		ck_assert(*msg == 'x' && (len == 20000 || at[-1] == 'x'));
	}
	ck_assert(_i == 1 || len == 20000);
	ck_assert(_i == 0 || strstr(s, " \n") == strrchr(s, '\n') - 1);
	ck_assert_ptr_null(strstr(s, "\r\n"));
	free(s);
}
END_TEST

START_TEST(large_checkpoint_goes_without_check)
{
	struct framer_spec spec = plain;
	char value[9000], codes[8001];
	struct chunk_line line;
	char *s;

	memset(codes, 'A', 8000);
	codes[8000] = '\0';
	(void)snprintf(value, sizeof(value),
	    "{\"note\":\"n\",\"from\":40,\"before\":[],\"after\":[\"x\"],"
	    "\"check\":\"%s\"}",
	    codes);
	spec.max = 4096;
	line = event("contoso/Audit.Exchange", 43, value);
	line.checkpoint = true;
	s = framed(&spec, &line);
	ck_assert_ptr_nonnull(strstr(s,
	    "checkpoint=\"43\"] {\"note\":\"n\","
	    "\"from\":40,\"before\":[],\"after\":"
	    "[\"x\"]}"));
	ck_assert_ptr_null(strstr(s, "check\":"));
	ck_assert_ptr_null(strstr(s, "part="));
	free(s);
}
END_TEST

#define GELF(text, size)                                                   \
	"{\"version\":\"1.1\",\"host\":\"fra1\",\"short_message\":\"" text \
	"\",\"timestamp\":1700000000.123,\"level\":6,\"_sealfeed_feed\":"  \
	"\"contoso/Audit.Exchange\",\"_sealfeed_" size                     \
	"\":42,\"_sealfeed_agent\":\"fra1\""

static const struct event_shape shape = { .id = "/Id" };

static struct chunk_line
gelf_event(const char *value)
{
	struct chunk_line line = event("contoso/Audit.Exchange", 42, value);

	line.shape = &shape;
	line.source_type = "office365";
	line.version_of = "contoso/Audit.Exchange:7";
	return line;
}

START_TEST(gelf_vectors)
{
	struct framer_spec spec = plain;
	struct chunk_line line = gelf_event("{\"Id\":\"x\"}");
	struct buf out = BUF_INIT(1 << 20);
	struct framer *f;
	size_t size, first;

	spec.gelf = true;
	f = framer_new(&spec);
	ck_assert_int_eq(frame_add(f, &line, &out, &size), FRAME_ADDED);
	ck_assert_str_eq(out.data,
	    GELF("{\\\"Id\\\":\\\"x\\\"}",
		"index") ",\"_sealfeed_source\":\"office365\",\"_sealfeed_id\":"
			 "\"x\","
			 "\"_sealfeed_version_of\":\"contoso/"
			 "Audit.Exchange:7\"}");
	first = strlen(out.data) + 1;
	ck_assert_uint_eq(out.len, first);
	ck_assert_uint_eq(size, first - 1);
	line = gelf_event("{\"note\":\"n\"}");
	line.checkpoint = true;
	line.version_of = NULL;
	line.source_type = "";
	ck_assert_int_eq(frame_add(f, &line, &out, &size), FRAME_ADDED);
	ck_assert_str_eq(out.data + first,
	    GELF("{\\\"feed\\\":\\\"contoso/Audit.Exchange\\\",\\\"size\\\":42,"
		 "\\\"agent\\\":\\\"fra1\\\",\\\"checkpoint\\\":{\\\"note\\\":"
		 "\\\"n\\\"}}",
		"size") "}");
	buf_release(&out);
	framer_free(f);
}
END_TEST

/* Nothing of it is left; a checkpoint goes without its "check". */
START_TEST(gelf_has_a_limit)
{
	char value[4096] = "{\"note\":\"n\",\"check\":\"";
	struct framer_spec spec = plain;
	struct chunk_line line = gelf_event(value);
	struct buf out = BUF_INIT(1 << 20);
	struct framer *f;
	size_t size, n = strlen(value);

	memset(value + n, 'A', 2048);
	memcpy(value + n + 2048, "\"}", 3);
	line.len = strlen(value);
	spec.gelf = true;
	spec.max = 1024;
	f = framer_new(&spec);
	ck_assert_int_eq(frame_add(f, &line, &out, &size), FRAME_LARGE);
	ck_assert_uint_gt(size, 2048);
	ck_assert_uint_eq(out.len, 0);
	line.checkpoint = true;
	ck_assert_int_eq(frame_add(f, &line, &out, &size), FRAME_ADDED);
	ck_assert_ptr_nonnull(strstr(out.data, "{\\\"note\\\":\\\"n\\\"}"));
	ck_assert_ptr_null(strstr(out.data, "check\\\":\\\"A"));
	ck_assert_uint_eq(out.len, strlen(out.data) + 1);
	buf_release(&out);
	framer_free(f);
}
END_TEST

Suite *
suite_framer(void)
{
	Suite *s = suite_create("framer");
	TCase *tc = tcase_create("frame");

	tcase_add_test(tc, event_vector);
	tcase_add_test(tc, line_feed_vector);
	tcase_add_test(tc, via_vector);
	tcase_add_test(tc, checkpoint_vector);
	tcase_add_test(tc, fields_are_made_fit);
	tcase_add_test(tc, heads_follow_the_feed);
	tcase_add_test(tc, limit_is_exact);
	tcase_add_test(tc, parts_join_to_the_event);
	tcase_add_loop_test(tc, parts_end_beside_no_white_space, 0, 2);
	tcase_add_test(tc, large_checkpoint_goes_without_check);
	tcase_add_test(tc, gelf_vectors);
	tcase_add_test(tc, gelf_has_a_limit);
	suite_add_tcase(s, tc);
	return s;
}
