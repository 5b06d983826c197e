/*
 * test_buf.c - a growing byte buffer with a ceiling.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "tests/unit/unit.h"

START_TEST(ceiling_is_never_passed)
{
	struct buf b = BUF_INIT(10);

	ck_assert_int_eq(buf_add(&b, "0123456789", 10), 0);
	ck_assert_int_eq(buf_add(&b, "x", 1), -1);
	ck_assert_int_eq(buf_addf(&b, "%d", 1), -1);
	ck_assert_str_eq(b.data, "0123456789");
	buf_release(&b);
}
END_TEST

START_TEST(drop_keeps_the_rest)
{
	struct buf b = BUF_INIT(1000);

	ck_assert_int_eq(buf_addf(&b, "%s-%d", "one", 2), 0);
	buf_drop(&b, 4);
	ck_assert_str_eq(b.data, "2");
	buf_drop(&b, 1);
	ck_assert_uint_eq(b.len, 0);
	buf_release(&b);
}
END_TEST

START_TEST(take_hands_over)
{
	struct buf b = BUF_INIT(1000);
	size_t len;
	char *s;

	s = buf_take(&b, &len);
	ck_assert_str_eq(s, "");
	free(s);
	ck_assert_int_eq(buf_adds(&b, "abc"), 0);
	s = buf_take(&b, &len);
	ck_assert_uint_eq(len, 3);
	ck_assert_uint_eq(b.len, 0);
	free(s);
}
END_TEST

Suite *
suite_buf(void)
{
	Suite *s = suite_create("buf");
	TCase *tc = tcase_create("buf");

	tcase_add_test(tc, ceiling_is_never_passed);
	tcase_add_test(tc, drop_keeps_the_rest);
	tcase_add_test(tc, take_hands_over);
	suite_add_tcase(s, tc);
	return s;
}
