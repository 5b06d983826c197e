/*
 * test_text.c - small conversions between bytes and text.
 */
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "tests/unit/unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* RFC 4648 section 10, and bytes that differ between the two alphabets. */
static const struct {
	const char *bytes;
	const char *text;
	const char *url;
} base64[] = {
	{ "", "", "" },
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xfe", "+//+", "-__-" },
};

static const char *const base64_bad[] = { "Z", "Zg",
	"Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v\n", " Zm9", "Zg==Zm9v",
	"====", "Z===", "-__-", "Zm9\0", "=m9v" };

START_TEST(lines_are_wrapped)
{
	static const struct {
		size_t columns;
		const char *text, *lines;
	} rows[] = {
		{ 10, "one two three", "- one two\n  three\n" },
		{ 9, "one two three", "- one two\n  three\n" },
		{ 8, "one two three", "- one\n  two\n  three\n" },
		{ 4, "much-too-long x", "- much-too-long\n  x\n" },
		{ 10, "", "- \n" },
		{ 20, " a \n b\n", "- a b\n" },
		{ 20, "a\033[1m", "- a\\x1b[1m\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = BUF_INIT(1000);

		ck_assert_int_eq(buf_adds(&b, "before\n"), 0);
		ck_assert_int_eq(text_wrap(&b, rows[i].columns, "- ", "  ",
				     rows[i].text),
		    0);
		ck_assert_str_eq(b.data + 7, rows[i].lines);
		buf_release(&b);
	}
	{
		struct buf b = BUF_INIT(5);

		ck_assert_int_eq(text_wrap(&b, 80, "", "", "too long"), -1);
		buf_release(&b);
	}
}
END_TEST

START_TEST(base64_both_ways)
{
	size_t len = strlen(base64[_i].bytes);
	struct buf b = BUF_INIT(100);

	ck_assert_int_eq(text_base64(&b, base64[_i].bytes, len), 0);
	ck_assert_str_eq(b.data, base64[_i].text);
	buf_clear(&b);
	ck_assert_int_eq(text_base64url(&b, base64[_i].bytes, len), 0);
	ck_assert_str_eq(b.data, base64[_i].url);
	buf_clear(&b);
	ck_assert_int_eq(text_unbase64(&b, base64[_i].text,
			     strlen(base64[_i].text)),
	    0);
	ck_assert_uint_eq(b.len, len);
	ck_assert_str_eq(b.data, base64[_i].bytes);
	buf_release(&b);
}
END_TEST

START_TEST(base64_is_strict)
{
	struct buf b = BUF_INIT(100);
	size_t len = strlen(base64_bad[_i]);

	ck_assert_msg(text_unbase64(&b, base64_bad[_i], len) == -1, "%s",
	    base64_bad[_i]);
	buf_release(&b);
}
END_TEST

START_TEST(base64_minds_the_ceiling)
{
	struct buf b = BUF_INIT(7);

	ck_assert_int_eq(text_base64(&b, "foobar", 6), -1);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_int_eq(text_unbase64(&b, "Zm9vYmFyZm9v", 12), -1);
	buf_release(&b);
}
END_TEST

START_TEST(hex_is_lower_case)
{
	char out[9];

	text_hex(out, "\x00\x9f\xab\xff", 4);
	ck_assert_str_eq(out, "009fabff");
}
END_TEST

static const struct {
	const char *in;
	const char *out;
} strings[] = {
	{ "", "\"\"" },
	{ "abc", "\"abc\"" },
	{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"" },
	{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
	    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
	{ "a\xff"
	  "b",
	    "\"a\xef\xbf\xbd"
	    "b\"" },
	/* overlong, surrogate, beyond U+10FFFF, cut off */
	{ "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xf4\x90\x80\x80",
	    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "x\xe2\x82", "\"x\xef\xbf\xbd\xef\xbf\xbd\"" },
};

START_TEST(json_strings)
{
	struct buf b = BUF_INIT(100);

	ck_assert_int_eq(text_json_string(&b, strings[_i].in,
			     strlen(strings[_i].in)),
	    0);
	ck_assert_str_eq(b.data, strings[_i].out);
	buf_release(&b);
}
END_TEST

/* One byte at each place of a text of each length. */
START_TEST(plain_text)
{
	static const struct {
		char c;
		bool plain;
	} bytes[] = { { '\0', false }, { '\x1f', false }, { ' ', true },
		{ '!', true }, { '"', false }, { '#', true }, { '[', true },
		{ '\\', false }, { ']', true }, { '\x7f', true },
		{ '\x80', false }, { '\xa2', false }, { '\xff', false } };

	for (size_t len = 1; len < 27; len++) {
		for (size_t at = 0; at < len; at++) {
			for (size_t i = 0; i < COUNT(bytes); i++) {
				char text[27];

				memset(text, 'x', len);
				text[at] = bytes[i].c;
				ck_assert_uint_eq(text_plain(text, len),
				    bytes[i].plain ? len : at);
			}
		}
	}
	ck_assert_uint_eq(text_plain("", 0), 0);
}
END_TEST

static const struct {
	const char *text;
	int64_t us;
	const char *again;
} durations[] = {
	{ "0", 0, "0" },
	{ "0s", 0, "0" },
	{ "90s", 90000000, "90s" },
	{ "15m", 900000000, "15m" },
	{ "60m", INT64_C(3600000000), "1h" },
	{ "24h", INT64_C(86400000000), "1d" },
	{ "7d", INT64_C(604800000000), "7d" },
	{ "250ms", 250000, "250ms" },
	{ "1500us", 1500, "1500us" },
	{ "5", 5000000, "5s" },
	{ "9223372036854775807us", INT64_MAX, "9223372036854775807us" },
};

START_TEST(durations_both_ways)
{
	char out[32];
	int64_t us = -1;

	ck_assert_int_eq(text_duration(durations[_i].text, &us), 0);
	ck_assert_int_eq(us, durations[_i].us);
	text_duration_format(out, us);
	ck_assert_str_eq(out, durations[_i].again);
}
END_TEST

static const char *const no_durations[] = { "", "s", "-1s", "+1s", "1 s", "1w",
	"1S", "1.5s", "10s ", "9223372036854775808us", "106751992d",
	"99999999999999999999" };

START_TEST(refuses_other_durations)
{
	int64_t us = 42;

	ck_assert_msg(text_duration(no_durations[_i], &us) == -1, "%s",
	    no_durations[_i]);
	ck_assert_int_eq(us, 42);
}
END_TEST

START_TEST(sizes)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} good[] = {
		{ "0", 0 },
		{ "512", 512 },
		{ "512B", 512 },
		{ "64KiB", 65536 },
		{ "1MiB", 1048576 },
		{ "20GiB", INT64_C(21474836480) },
		{ "10MB", 10000000 },
		{ "2TB", INT64_C(2000000000000) },
	};
	static const char *const bad[] = { "", "KiB", "-1", "1 KiB", "1kib",
		"1.5GiB", "8388608TiB", "9223372036854775808" };
	int64_t bytes;

	for (int i = 0; i < COUNT(good); i++) {
		ck_assert_int_eq(text_size(good[i].text, &bytes), 0);
		ck_assert_int_eq(bytes, good[i].bytes);
	}
	bytes = 42;
	for (int i = 0; i < COUNT(bad); i++)
		ck_assert_msg(text_size(bad[i], &bytes) == -1, "%s", bad[i]);
	ck_assert_int_eq(bytes, 42);
}
END_TEST

START_TEST(nearest_name)
{
	static const char *const names[] = { "tenant", "client_id",
		"client_secret", "content", "interval", "initial", "url",
		NULL };
	static const char *const none[] = { NULL };

	ck_assert_str_eq(text_nearest("tennant", names), "tenant");
	ck_assert_str_eq(text_nearest("clientid", names), "client_id");
	ck_assert_str_eq(text_nearest("client_sercet", names), "client_secret");
	ck_assert_str_eq(text_nearest("ulr", names), "url");
	ck_assert_str_eq(text_nearest("interval", names), "interval");
	ck_assert_ptr_null(text_nearest("banana", names));
	ck_assert_ptr_null(text_nearest("x", names));
	ck_assert_ptr_null(text_nearest("", names));
	ck_assert_ptr_null(text_nearest("tenant", none));
}
END_TEST

static const struct {
	const char *in;
	const char *out;
} printables[] = {
	{ "", "" },
	{ "caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac" },
	{ "\x1b[2Jx", "\\x1b[2Jx" },
	{ "a\r\n\tb\x7f", "a\\x0d\\x0a\\x09b\\x7f" },
	{ "\xc2\x9b"
	  "2J\xc2\xa0",
	    "\\xc2\\x9b2J\xc2\xa0" },
	{ "\xff\xc3", "\\xff\\xc3" },
	{ "a\xe2\x80\xae"
	  "b",
	    "a\\xe2\\x80\\xaeb" },
};

START_TEST(nothing_drives_a_terminal)
{
	struct buf b = BUF_INIT(100);

	ck_assert_int_eq(text_printable(&b, printables[_i].in,
			     strlen(printables[_i].in)),
	    0);
	ck_assert_str_eq(b.len > 0 ? b.data : "", printables[_i].out);
	buf_release(&b);
}
END_TEST

/* In the log the same, cut between characters and escapes. */
START_TEST(nothing_forges_a_line)
{
	const char *want = printables[_i].out;
	char out[40];

	text_one_line(out, sizeof(out), printables[_i].in);
	ck_assert_str_eq(out, want);
	for (size_t room = strlen(want); room > 0; room--) {
		text_one_line(out, room, printables[_i].in);
		ck_assert_uint_lt(strlen(out), room);
		ck_assert_mem_eq(out, want, strlen(out));
		ck_assert(text_is_utf8((struct slice){ out, strlen(out) }));
	}
}
END_TEST

START_TEST(cut_between_characters)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "ab", "ab" },
		{ "a\xc3", "a" },
		{ "a\xc3\xa9", "a\xc3\xa9" },
		{ "a\xf0\x9f\x98", "a" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\x80\x80\x80\x80", "\x80\x80\x80\x80" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char s[8];

		(void)strcpy(s, rows[i][0]);
		text_cut(s);
		ck_assert_str_eq(s, rows[i][1]);
	}
}
END_TEST

Suite *
suite_text(void)
{
	Suite *s = suite_create("text");
	TCase *tc = tcase_create("text");

	tcase_add_loop_test(tc, base64_both_ways, 0, COUNT(base64));
	tcase_add_loop_test(tc, base64_is_strict, 0, COUNT(base64_bad));
	tcase_add_test(tc, lines_are_wrapped);
	tcase_add_test(tc, base64_minds_the_ceiling);
	tcase_add_test(tc, hex_is_lower_case);
	tcase_add_loop_test(tc, json_strings, 0, COUNT(strings));
	tcase_add_test(tc, plain_text);
	tcase_add_loop_test(tc, nothing_drives_a_terminal, 0,
	    COUNT(printables));
	tcase_add_loop_test(tc, nothing_forges_a_line, 0, COUNT(printables));
	tcase_add_test(tc, cut_between_characters);
	tcase_add_loop_test(tc, durations_both_ways, 0, COUNT(durations));
	tcase_add_loop_test(tc, refuses_other_durations, 0,
	    COUNT(no_durations));
	tcase_add_test(tc, sizes);
	tcase_add_test(tc, nearest_name);
	suite_add_tcase(s, tc);
	return s;
}
