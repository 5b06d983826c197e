/*
 * test_frame.c - lines of exports, as servers write them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"
#include "verify/frame.h"
#include "verify/reader.h"

#define SD "[sealfeed@32473 feed=\"contoso/Audit.Exchange\" index=\"42\"]"
#define FRAME \
	"<110>1 2026-03-01T10:00:00.123Z fra1 sealfeed - Audit.Exchange " SD

/* Each is event 42 with the bytes {"a":1}. */
static const char *const good[] = {
	FRAME " {\"a\":1}",
	FRAME " {\"a\":1}\r",
	FRAME "   {\"a\":1}",
	FRAME "{\"a\":1}",
	FRAME " \xef\xbb\xbf{\"a\":1}",
	"131 " FRAME " {\"a\":1}",
	"Nov 22 04:59:57 fra1 " FRAME " {\"a\":1}",
	"1 2026-03-01T10:00:00.123Z fra1 sealfeed - Audit.Exchange " SD
	" {\"a\":1}",
	"2026-03-01T10:00:00+00:00 fra1 sealfeed " SD " {\"a\":1}",
	"<1>1 - - - - - [meta sequenceId=\"1\"]" SD " {\"a\":1}",
	"<1>1 - - - - - " SD "[meta sequenceId=\"1\"] {\"a\":1}",
	"<1>1 - - - - - " SD "[meta x=\"a\\]\\\"b\\\\\"][y] {\"a\":1}",
	"<1>1 - - - - - [x@1 y=\"[sealfeed@1 \"]" SD " {\"a\":1}",
	"[sealfeed@1 index=\"42\" x=\"\" feed=\"contoso/Audit.Exchange\"] "
	"{\"a\":1}",
	"{\"feed\":\"contoso/"
	"Audit.Exchange\",\"index\":42,\"event\":{\"a\":1}}",
};

START_TEST(events)
{
	const char *line = good[_i];
	struct frame f;

	ck_assert_int_eq(frame_parse(line, strlen(line), &f), FRAME_EVENT);
	ck_assert_uint_eq(f.number, 42);
	ck_assert_uint_eq(f.part, 0);
	ck_assert_uint_eq(f.feed.len, strlen("contoso/Audit.Exchange"));
	ck_assert_mem_eq(f.feed.data, "contoso/Audit.Exchange", f.feed.len);
	ck_assert_uint_eq(f.value.len, 7);
	ck_assert_mem_eq(f.value.data, "{\"a\":1}", 7);
}
END_TEST

static const struct {
	const char *line;
	enum frame_kind kind;
} others[] = {
	{ "", FRAME_NOTHING },
	{ "Mar  1 10:00:00 host cron: nothing", FRAME_NOTHING },
	{ "see [sealfeed@32473 for more", FRAME_NOTHING },
	{ "[sealfeed@", FRAME_NOTHING },
	{ "{\"feed\":", FRAME_BROKEN },
	{ "{\"feed\":\"a/b\",\"index\":1,\"event\":", FRAME_BROKEN },
	{ "{\"feed\":\"a\\u0000b\",\"index\":1,\"event\":1}", FRAME_BROKEN },
	{ "[sealfeed@1 feed=\"a/b\" index=\"x\"] 1", FRAME_BROKEN },
	{ "[sealfeed@1 feed=\"a/b\" index=\"1\" 1", FRAME_BROKEN },
	{ "[sealfeed@1 feed=\"a/b\" index=\"\"] 1", FRAME_BROKEN },
	{ "[sealfeed@1 feed=\"a/b\"] 1", FRAME_BROKEN },
	{ "[sealfeed@1 feed=\"\x1b[0m\" index=\"1\"] 1", FRAME_BROKEN },
	{ "[sealfeed@1 feed=\"a/b\" index=\"1\" checkpoint=\"1\"] 1",
	    FRAME_BROKEN },
	{ "[sealfeed@1 feed=\"a/b\" index=\"1\" index=\"1\"] 1", FRAME_BROKEN },
	{ "[sealfeed@1 feed=\"a/b\" index=\"1\" part=\"3\" parts=\"2\"] 1",
	    FRAME_BROKEN },
	{ "[sealfeed@1 feed=\"a/b\" index=\"1\" part=\"1\"] 1", FRAME_BROKEN },
	{ "[sealfeed@1 feed=\"a/b\" index=\"9223372036854775808\"] 1",
	    FRAME_BROKEN },
	{ "[sealfeed@1 feed=\"a/b\" index=\"18446744073709551617\"] 1",
	    FRAME_BROKEN },
	{ "[sealfeed@1 feed=\"a/b\" checkpoint=\"1\"] {}", FRAME_CHECKPOINT },
	{ "{\"feed\":\"a/b\",\"size\":1,\"checkpoint\":{}}", FRAME_CHECKPOINT },
};

START_TEST(other_lines)
{
	struct frame f;

	ck_assert_int_eq(frame_parse(others[_i].line, strlen(others[_i].line),
			     &f),
	    others[_i].kind);
}
END_TEST

/* A JSON array as event, and nothing between it and the structured data. */
START_TEST(array_behind_the_data)
{
	static const char *const lines[] = {
		"h [sealfeed@1 feed=\"a/b\" index=\"1\"][1,2]",
		"h [sealfeed@1 feed=\"a/b\" index=\"1\"] [1,2]",
		"h [sealfeed@1 feed=\"a/b\" index=\"1\"][m x=\"1\"] [1,2]",
	};

	for (size_t i = 0; i < 3; i++) {
		struct frame f;

		ck_assert_int_eq(frame_parse(lines[i], strlen(lines[i]), &f),
		    FRAME_EVENT);
		ck_assert_uint_eq(f.value.len, 5);
		ck_assert_mem_eq(f.value.data, "[1,2]", 5);
	}
}
END_TEST

START_TEST(unescape)
{
	static const struct {
		const char *in;
		bool everywhere;
		const char *out;
		size_t len;
	} cases[] = {
		{ "{\"a\":#0111,\"b\":\"#011\"}", false,
		    "{\"a\":\t1,\"b\":\"#011\"}", 19 },
		{ "{\"a\":#0111,\"b\":\"#011\"}", true,
		    "{\"a\":\t1,\"b\":\"\t\"}", 16 },
		{ "{\"\\\"#011\":#000}", false, "{\"\\\"#011\":\0}", 12 },
		{ "#01", false, "#01", 3 },
		{ "#040#177#01x", false, "#040#177#01x", 12 },
		{ "\"\\", true, "\"\\", 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].in);
		char *out = malloc(len);

		ck_assert_ptr_nonnull(out);
		ck_assert_uint_eq(frame_unescape(cases[i].in, len,
				      cases[i].everywhere, out),
		    cases[i].len);
		ck_assert_mem_eq(out, cases[i].out, cases[i].len);
		free(out);
	}
}
END_TEST

static void
collect(void *ctx, const struct frame *whole, uint64_t place)
{
	struct buf *b = ctx;

	(void)place;
	ck_assert_int_eq(buf_add(b, whole->value.data, whole->value.len), 0);
	ck_assert_int_eq(buf_addf(b, "(%u)", whole->part), 0);
}

static void
part(struct parts *p, unsigned number, const char *value, struct buf *got)
{
	struct frame f = { .kind = FRAME_EVENT,
		.feed = { .data = "a/b", .len = 3 },
		.number = 7,
		.part = number,
		.parts = 3,
		.value = { .data = value, .len = strlen(value) } };

	ck_assert_int_eq(parts_add(p, &f, number, collect, got), 0);
}

START_TEST(parts_in_any_order)
{
	struct parts *p = parts_new();
	struct buf got = BUF_INIT(1000);

	part(p, 3, "c", &got);
	part(p, 1, "a", &got);
	part(p, 1, "a", &got);
	ck_assert_uint_eq(got.len, 0);
	part(p, 2, "b", &got);
	ck_assert_str_eq(got.data, "abc(0)");
	buf_clear(&got);
	part(p, 2, "b", &got);
	parts_left(p, collect, &got);
	ck_assert_str_eq(got.data, "(1)");
	parts_free(p);
	buf_release(&got);
}
END_TEST

START_TEST(parts_with_other_bytes)
{
	struct parts *p = parts_new();
	struct buf got = BUF_INIT(1000);

	part(p, 1, "a", &got);
	part(p, 2, "b", &got);
	part(p, 2, "x", &got);
	part(p, 3, "c", &got);
	ck_assert_str_eq(got.data, "abc(0)axc(0)");
	parts_free(p);
	buf_release(&got);
}
END_TEST

/* The first part of one agent's event between those of another's, under headers
 * as they are sent and as receivers write them. */
START_TEST(parts_of_two_hosts)
{
	static const char *const headers[][2] = {
		{ "<110>1 2026-03-01T10:00:00.123Z ", "sealfeed - x " },
		{ "1 2026-03-01T10:00:00.123Z ", "sealfeed - x " },
		{ "2026-03-01T10:00:00+01:00 ", "sealfeed: " },
		{ "Mar  1 10:00:00 relay <110>1 2026-03-01T10:00:00Z ",
		    "a b c " },
	};
	static const struct {
		const char *host;
		const char *text;
	} lines[] = {
		{ "fra1", "part=\"1\"] a" },
		{ "fra2", "part=\"1\"] c" },
		{ "fra1", "part=\"2\"] b" },
		{ "fra2", "part=\"2\"] d" },
	};
	struct parts *p = parts_new();
	struct buf got = BUF_INIT(1000);

	for (size_t i = 0; i < 4; i++) {
		char line[400];
		struct frame f = { .kind = FRAME_NOTHING };

		(void)snprintf(line, sizeof(line),
		    "%s%s %s[sealfeed@1 feed=\"a/b\" index=\"7\" parts=\"2\" "
		    "%s",
		    headers[_i][0], lines[i].host, headers[_i][1],
		    lines[i].text);
		ck_assert_int_eq(frame_parse(line, strlen(line), &f),
		    FRAME_EVENT);
		ck_assert_int_eq(parts_add(p, &f, i, collect, &got), 0);
	}
	ck_assert_str_eq(got.data, "ab(0)cd(0)");
	parts_left(p, collect, &got);
	ck_assert_str_eq(got.data, "ab(0)cd(0)");
	parts_free(p);
	buf_release(&got);
}
END_TEST

/* Without such a header the parts belong together, whatever stands in it. */
START_TEST(parts_without_a_host)
{
	static const char *const headers[] = { "Mar 1 10:00:01 h1 ",
		"Mar 1 10:00:02 h2 ", "" };
	struct parts *p = parts_new();
	struct buf got = BUF_INIT(1000);

	for (unsigned i = 0; i < 3; i++) {
		struct frame f = { .kind = FRAME_NOTHING };
		char line[400];

		(void)snprintf(line, sizeof(line),
		    "%s[sealfeed@1 feed=\"a/b\" index=\"7\" parts=\"3\" "
		    "part=\"%u\"] %u",
		    headers[i], i + 1, i);
		ck_assert_int_eq(frame_parse(line, strlen(line), &f),
		    FRAME_EVENT);
		ck_assert_int_eq(parts_add(p, &f, i, collect, &got), 0);
	}
	ck_assert_str_eq(got.data, "012(0)");
	parts_free(p);
	buf_release(&got);
}
END_TEST

/* More incomplete events than are held are refused, not lost in silence. */
START_TEST(parts_have_a_bound)
{
	struct parts *p = parts_new();
	struct frame f = { .kind = FRAME_EVENT,
		.feed = { .data = "a/b", .len = 3 },
		.part = 1,
		.parts = 2,
		.value = { .data = "x", .len = 1 } };
	int rc = 0;

	while (rc == 0 && f.number < 100000) {
		f.number++;
		rc = parts_add(p, &f, 1, collect, NULL);
	}
	ck_assert_int_eq(rc, -1);
	ck_assert_uint_gt(f.number, 1000);
	parts_free(p);
}
END_TEST

struct lines {
	struct buf text;
	size_t too_long;
	bool cut;
};

static void
take_line(void *ctx, const struct reader_line *line)
{
	struct lines *l = ctx;

	l->cut = line->cut;
	if (line->data == NULL)
		l->too_long = line->number;
	else
		ck_assert_int_eq(buf_addf(&l->text, "%d:%.*s|",
				     (int)line->number, (int)line->len,
				     line->data),
		    0);
}

/* A line that is longer than allowed, and than what is read at once, between
 * two others.  Memory that is touched for the first time is dear under the
 * sanitizers: the bound is a small one. */
#define SHORT_LINE_MAX (2 * 1024 * 1024)

START_TEST(reader_line_too_long)
{
	char path[] = "/tmp/sealfeed-test-XXXXXX";
	struct lines l = { .text = BUF_INIT(1000) };
	struct err err = ERR_INIT;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	ck_assert_ptr_nonnull(f);
	(void)fputs("one\n", f);
	ck_assert_int_eq(fseek(f, (long)SHORT_LINE_MAX + 10, SEEK_CUR), 0);
	(void)fputs("\n\nlast", f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(reader_lines_upto(path, SHORT_LINE_MAX, take_line, &l,
			     &err),
	    0);
	ck_assert_str_eq(l.text.data, "1:one|3:|4:last|");
	ck_assert_uint_eq(l.too_long, 2);
	ck_assert(l.cut);
	ck_assert_int_eq(remove(path), 0);
	ck_assert_int_eq(reader_lines(path, take_line, &l, &err), -1);
	ck_assert_str_ne(err.text, "");
	buf_release(&l.text);
}
END_TEST

Suite *
suite_frame(void)
{
	Suite *s = suite_create("frame");
	TCase *tc = tcase_create("frame");

	tcase_add_loop_test(tc, events, 0,
	    (int)(sizeof(good) / sizeof(good[0])));
	tcase_add_loop_test(tc, other_lines, 0,
	    (int)(sizeof(others) / sizeof(others[0])));
	tcase_add_test(tc, array_behind_the_data);
	tcase_add_test(tc, unescape);
	tcase_add_test(tc, parts_in_any_order);
	tcase_add_test(tc, parts_with_other_bytes);
	tcase_add_loop_test(tc, parts_of_two_hosts, 0, 4);
	tcase_add_test(tc, parts_without_a_host);
	tcase_add_test(tc, parts_have_a_bound);
	tcase_add_test(tc, reader_line_too_long);
	suite_add_tcase(s, tc);
	return s;
}
