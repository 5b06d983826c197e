/*
 * test_table.c - rows under heads.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cmd/columns.h"
#include "cmd/table.h"
#include "tests/unit/unit.h"

static const struct column columns[] = {
	{ .head = "ID", .right = true },
	{ .head = "NAME", .cut = true },
	{ .head = "WHY" },
};

static struct table *
table_of(const char *const *cells)
{
	struct table *t = table_new(columns, 3);

	for (; *cells != NULL; cells++)
		table_cell(t, "%s", *cells);
	return t;
}

START_TEST(columns_are_aligned)
{
	static const char *const cells[] = { "7", "a", "x", "1234",
		"caf\xc3\xa9 au lait", "", NULL };
	struct table *t = table_of(cells);
	struct buf b = BUF_INIT(1000);

	ck_assert_uint_eq(table_rows(t), 2);
	table_note(t, "one: %d", 1);
	table_note(t, "two");
	ck_assert_int_eq(table_print(t, &b), 0);
	ck_assert_str_eq(b.data,
	    "  ID  NAME          WHY\n"
	    "   7  a             x\n"
	    "1234  caf\xc3\xa9 au lait  \n"
	    "    one: 1\n"
	    "    two\n");
	ck_assert_uint_eq(table_rows(t), 0);
	buf_release(&b);
	table_free(t);
}
END_TEST

START_TEST(the_head_comes_once_and_widths_stay)
{
	static const char *const cells[] = { "12345", "abcdef", "x", NULL };
	struct table *t = table_of(cells);
	struct buf b = BUF_INIT(1000);

	ck_assert_int_eq(table_print(t, &b), 0);
	buf_clear(&b);
	table_cell(t, "1");
	table_cell(t, "a");
	table_cell(t, "y");
	ck_assert_int_eq(table_print(t, &b), 0);
	ck_assert_str_eq(b.data, "    1  a       y\n");
	buf_release(&b);
	table_free(t);
}
END_TEST

START_TEST(nothing_gets_through_to_the_terminal)
{
	static const char *const cells[] = { "1", "a\x1b[31mb", "\n", NULL };
	struct table *t = table_of(cells);
	struct buf b = BUF_INIT(1000);

	table_note(t, "%s", "line\nbreak \xc2\x9b");
	ck_assert_int_eq(table_print(t, &b), 0);
	ck_assert_ptr_nonnull(strstr(b.data, " a\\x1b[31mb  \\x0a\n"));
	ck_assert_ptr_nonnull(strstr(b.data,
	    "    line\\x0abreak \\xc2\\x9b\n"));
	buf_release(&b);
	table_free(t);
}
END_TEST

/* Longest line, in bytes. */
static size_t
widest(const char *s)
{
	size_t max = 0;

	while (*s != '\0') {
		size_t n = strcspn(s, "\n");

		max = n > max ? n : max;
		s += n + (s[n] == '\n');
	}
	return max;
}

START_TEST(a_wide_row_loses_the_middle_of_a_cell)
{
	char name[121];
	const char *const cells[] = { "1", name, "because", NULL };
	struct buf b = BUF_INIT(4000);
	struct table *t;

	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = (char)('a' + i % 26);
	name[sizeof(name) - 1] = '\0';
	t = table_of(cells);
	ck_assert_int_eq(table_print(t, &b), 0);
	ck_assert_uint_eq(widest(b.data), TABLE_WIDTH);
	ck_assert_ptr_nonnull(strstr(b.data, "  abcdef"));
	ck_assert_ptr_nonnull(strstr(b.data, "lmnop  because\n"));
	ck_assert_ptr_nonnull(strstr(b.data, ".."));
	buf_release(&b);
	table_free(t);
}
END_TEST

/* Characters of two columns, of one, and of none. */
START_TEST(columns_are_counted)
{
	static const struct {
		const char *text;
		size_t columns;
	} rows[] = {
		{ "", 0 },
		{ "abc", 3 },
		{ "caf\xc3\xa9", 4 },
		{ "cafe\xcc\x81", 4 },             /* a combining acute */
		{ "\xe7\x9b\xa3\xe6\x9f\xbb", 4 }, /* Chinese */
		{ "\xf0\x9f\x94\x92", 2 },         /* a lock */
		{ "\033[31mred\033[0m", 3 },
		{ "\xff", 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(columns_of(rows[i].text) == rows[i].columns,
		    "%s: %zu", rows[i].text, columns_of(rows[i].text));
	ck_assert_uint_eq(columns_fit("a\xe7\x9b\xa3x", 2), 1);
	ck_assert_uint_eq(columns_fit("a\xe7\x9b\xa3x", 3), 4);
}
END_TEST

START_TEST(columns_are_left_out)
{
	static const struct column some[] = {
		{ .head = "NAME", .cut = true },
		{ .head = "A", .optional = true },
		{ .head = "B" },
		{ .head = "C", .optional = true },
	};
	static const struct {
		size_t width;
		const char *text;
	} rows[] = {
		{ 20, "NAME         A  B  C\ncontoso/DLP  1  2  3\n" },
		{ 19, "NAME         A  B\ncontoso/DLP  1  2\n" },
		{ 16, "NAME         B\ncontoso/DLP  2\n" },
		{ 13, "NAME        B\ncont../DLP  2\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct table *t = table_new(some, 4);
		struct buf b = BUF_INIT(1000);

		table_look(t, rows[i].width, false);
		table_cell(t, "contoso/DLP");
		for (int k = 1; k <= 3; k++)
			table_cell(t, "%d", k);
		ck_assert_int_eq(table_print(t, &b), 0);
		ck_assert_str_eq(b.data, rows[i].text);
		buf_release(&b);
		table_free(t);
	}
}
END_TEST

START_TEST(sentences_wrap_between_words)
{
	char text[600], joined[600] = "";
	struct buf b = BUF_INIT(4000);
	char *save = NULL;

	text[0] = '\0';
	for (int i = 0; i < 50; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%sword%d", i ? " " : "", i);
	ck_assert_int_eq(table_wrap(&b, 2, text), 0);
	ck_assert_uint_le(widest(b.data), TABLE_WIDTH);
	ck_assert_uint_gt(widest(b.data), TABLE_WIDTH - 10);
	for (char *s = strtok_r(b.data, "\n", &save); s != NULL;
	     s = strtok_r(NULL, "\n", &save)) {
		ck_assert(strncmp(s, "  w", 3) == 0);
		(void)snprintf(joined + strlen(joined),
		    sizeof(joined) - strlen(joined), "%s%s",
		    joined[0] == '\0' ? "" : " ", s + 2);
	}
	ck_assert_str_eq(joined, text);
	buf_release(&b);
}
END_TEST

START_TEST(a_word_without_end_is_broken)
{
	char text[301];
	struct buf b = BUF_INIT(4000);

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(table_wrap(&b, 0, text), 0);
	ck_assert_uint_eq(b.len, 304);
	ck_assert_uint_eq(widest(b.data), TABLE_WIDTH);
	buf_release(&b);
}
END_TEST

Suite *
suite_table(void)
{
	Suite *s = suite_create("table");
	TCase *tc = tcase_create("table");

	tcase_add_test(tc, columns_are_aligned);
	tcase_add_test(tc, the_head_comes_once_and_widths_stay);
	tcase_add_test(tc, nothing_gets_through_to_the_terminal);
	tcase_add_test(tc, a_wide_row_loses_the_middle_of_a_cell);
	tcase_add_test(tc, columns_are_counted);
	tcase_add_test(tc, columns_are_left_out);
	tcase_add_test(tc, sentences_wrap_between_words);
	tcase_add_test(tc, a_word_without_end_is_broken);
	suite_add_tcase(s, tc);
	return s;
}
