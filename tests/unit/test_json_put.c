/*
 * test_json_put.c - writing JSON member by member.
 */
#include "base/buf.h"
#include "base/json_put.h"
#include "tests/unit/unit.h"

START_TEST(commas_and_nesting)
{
	struct buf b = BUF_INIT(1000);
	struct json_put j = JSON_PUT_INIT(&b);

	json_put_open(&j, NULL, '{');
	json_put_text(&j, "a\"b", "x\n\xff");
	json_put_count(&j, "n", UINT64_MAX);
	json_put_open(&j, "list", '[');
	json_put_open(&j, NULL, '{');
	json_put_close(&j, '}');
	json_put_open(&j, NULL, '[');
	json_put_close(&j, ']');
	json_put_bool(&j, NULL, true);
	json_put_null(&j, NULL);
	json_put_close(&j, ']');
	json_put_bool(&j, "no", false);
	json_put_close(&j, '}');
	ck_assert_int_eq(j.rc, 0);
	ck_assert_str_eq(b.data,
	    "{\"a\\\"b\":\"x\\n\xef\xbf\xbd\",\"n\":18446744073709551615,"
	    "\"list\":[{},[],true,null],\"no\":false}");
	buf_release(&b);
}
END_TEST

START_TEST(spans_and_times)
{
	struct buf b = BUF_INIT(1000);
	struct json_put j = JSON_PUT_INIT(&b);

	json_put_open(&j, NULL, '[');
	json_put_seconds(&j, NULL, 0);
	json_put_seconds(&j, NULL, 1234567);
	json_put_seconds(&j, NULL, -1500000);
	json_put_seconds(&j, NULL, INT64_MIN);
	json_put_time(&j, NULL, 0);
	json_put_time(&j, NULL, INT64_MIN);
	json_put_time(&j, NULL, INT64_MAX);
	json_put_close(&j, ']');
	ck_assert_int_eq(j.rc, 0);
	ck_assert_str_eq(b.data,
	    "[0.000,1.234,-1.500,-9223372036854.775,"
	    "\"1970-01-01T00:00:00.000000Z\",null,null]");
	buf_release(&b);
}
END_TEST

START_TEST(a_full_buffer_is_remembered)
{
	struct buf b = BUF_INIT(8);
	struct json_put j = JSON_PUT_INIT(&b);

	json_put_open(&j, NULL, '[');
	json_put_text(&j, NULL, "too long");
	json_put_close(&j, ']');
	ck_assert_int_eq(j.rc, -1);
	buf_release(&b);
}
END_TEST

Suite *
suite_json_put(void)
{
	Suite *s = suite_create("json_put");
	TCase *tc = tcase_create("json_put");

	tcase_add_test(tc, commas_and_nesting);
	tcase_add_test(tc, spans_and_times);
	tcase_add_test(tc, a_full_buffer_is_remembered);
	suite_add_tcase(s, tc);
	return s;
}
