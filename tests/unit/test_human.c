/*
 * test_human.c - spans and sizes for people.
 */
#include "base/clock.h"
#include "base/human.h"
#include "tests/unit/unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const struct {
	int64_t us;
	const char *text;
} spans[] = {
	{ INT64_MIN, "0s" },
	{ -1, "0s" },
	{ 0, "0s" },
	{ 999999, "0s" },
	{ 3 * CLOCK_SECOND, "3s" },
	{ 59 * CLOCK_SECOND + 999999, "59s" },
	{ CLOCK_MINUTE, "1m" },
	{ CLOCK_HOUR - 1, "59m" },
	{ 4 * CLOCK_HOUR, "4h" },
	{ CLOCK_DAY - 1, "23h" },
	{ 7 * CLOCK_DAY, "7d" },
	{ 7 * CLOCK_DAY - 1, "6d 23h" },
	{ INT64_MAX, "106751991d 4h" },
};

START_TEST(span_reads)
{
	char out[HUMAN_TEXT];

	ck_assert_str_eq(human_span(out, spans[_i].us), spans[_i].text);
}
END_TEST

static const struct {
	int64_t us;
	const char *text;
} words[] = {
	{ -1, "0 s" },
	{ 12 * CLOCK_SECOND, "12 s" },
	{ 3 * CLOCK_MINUTE, "3 min" },
	{ 7 * CLOCK_DAY - 1, "6 d 23 h" },
	{ 7 * CLOCK_DAY, "7 d" },
};

START_TEST(words_read)
{
	char out[HUMAN_TEXT];

	ck_assert_str_eq(human_words(out, words[_i].us), words[_i].text);
}
END_TEST

static const struct {
	uint64_t bytes;
	const char *text;
} sizes[] = {
	{ 0, "0 B" },
	{ 1023, "1023 B" },
	{ 1024, "1 KiB" },
	{ 1536, "1.5 KiB" },
	{ UINT64_C(20) << 30, "20 GiB" },
	{ (UINT64_C(20) << 30) - 1, "19 GiB" },
	{ (UINT64_C(10) << 20) - 1, "9.9 MiB" },
	{ UINT64_MAX, "15 EiB" },
};

START_TEST(size_reads)
{
	char out[HUMAN_TEXT];

	ck_assert_str_eq(human_bytes(out, sizes[_i].bytes), sizes[_i].text);
}
END_TEST

Suite *
suite_human(void)
{
	Suite *s = suite_create("human");
	TCase *tc = tcase_create("human");

	tcase_add_loop_test(tc, span_reads, 0, COUNT(spans));
	tcase_add_loop_test(tc, words_read, 0, COUNT(words));
	tcase_add_loop_test(tc, size_reads, 0, COUNT(sizes));
	suite_add_tcase(s, tc);
	return s;
}
