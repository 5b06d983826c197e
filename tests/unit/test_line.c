/*
 * test_line.c - the one form in which events travel and are kept.
 */
#include <string.h>

#include "base/buf.h"
#include "store/line.h"
#include "store/via.h"
#include "tests/unit/unit.h"

START_TEST(event_line)
{
	struct buf b = BUF_INIT(1000);
	struct line l;

	ck_assert_int_eq(line_add(&b, LINE_EVENT,
			     (struct line_name){ "fra1", "a/B.c", NULL }, 42,
			     "{\"x\":1}", 7),
	    0);
	ck_assert_str_eq(b.data,
	    "{\"feed\":\"a/"
	    "B.c\",\"index\":42,\"agent\":\"fra1\",\"event\":{\"x\":1}}\n");
	ck_assert_uint_eq(b.len, strlen(b.data));
	ck_assert_int_eq(line_parse(b.data, b.len - 1, &l), 0);
	ck_assert_int_eq(l.kind, LINE_EVENT);
	ck_assert_uint_eq(l.number, 42);
	ck_assert_uint_eq(l.feed.len, 5);
	ck_assert_uint_eq(l.agent.len, 4);
	ck_assert_mem_eq(l.agent.data, "fra1", 4);
	ck_assert_mem_eq(l.value.data, "{\"x\":1}", l.value.len);
	ck_assert_uint_eq(l.value.len, 7);
	buf_release(&b);
}
END_TEST

START_TEST(line_of_another_way)
{
	static const char cut[] =
	    "{\"feed\":\"a/b\",\"index\":7,\"via\":\"\",\"event\":{}}";
	struct buf b = BUF_INIT(1000);
	struct line l;

	ck_assert_int_eq(line_add(&b, LINE_EVENT,
			     (struct line_name){ "fra1", "a/b", "backfill" }, 7,
			     "{}", 2),
	    0);
	ck_assert_str_eq(b.data,
	    "{\"feed\":\"a/b\",\"index\":7,\"agent\":\"fra1\","
	    "\"via\":\"backfill\",\"event\":{}}\n");
	ck_assert_uint_eq(b.len, strlen(b.data));
	ck_assert_int_eq(line_parse(b.data, b.len - 1, &l), 0);
	ck_assert_str_eq(via_known(l.via), "backfill");
	ck_assert_mem_eq(l.value.data, "{}", l.value.len);
	ck_assert_ptr_null(via_known((struct slice){ "backfil", 7 }));
	ck_assert_ptr_null(via_known((struct slice){ .data = NULL }));
	ck_assert_int_eq(line_parse(cut, strlen(cut), &l), -1);
	buf_release(&b);
}
END_TEST

START_TEST(checkpoint_line)
{
	struct buf b = BUF_INIT(1000);
	struct line l;

	ck_assert_int_eq(line_add(&b, LINE_CHECKPOINT,
			     (struct line_name){ "", "a/b", NULL }, UINT64_MAX,
			     "{}", 2),
	    0);
	ck_assert_str_eq(b.data,
	    "{\"feed\":\"a/b\",\"size\":18446744073709551615,"
	    "\"checkpoint\":{}}\n");
	ck_assert_int_eq(line_parse(b.data, b.len - 1, &l), 0);
	ck_assert_int_eq(l.kind, LINE_CHECKPOINT);
	ck_assert_uint_eq(l.number, UINT64_MAX);
	ck_assert_ptr_null(l.agent.data);
	buf_release(&b);
}
END_TEST

START_TEST(ceiling_is_kept)
{
	struct buf b = BUF_INIT(40);

	ck_assert_int_eq(line_add(&b, LINE_EVENT,
			     (struct line_name){ "", "a/b", NULL }, 1, "{}", 2),
	    -1);
	ck_assert_uint_eq(b.len, 0);
	buf_release(&b);
}
END_TEST

/* A receiver has cut it. */
START_TEST(cut_line)
{
	static const char cut[] =
	    "{\"feed\":\"a/b\",\"index\":7,\"agent\":\"x\",\"event\":{\"a";
	struct line l;

	ck_assert_int_eq(line_parse(cut, strlen(cut), &l), -1);
	ck_assert_int_eq(line_parse_cut(cut, strlen(cut), &l), 0);
	ck_assert_uint_eq(l.number, 7);
	ck_assert_uint_eq(l.value.len, 3);
	ck_assert_int_eq(line_parse_cut(cut, strlen(cut) - 3, &l), -1);
}
END_TEST

static const char *const wrong[] = {
	"",
	"{",
	"{\"feed\":\"a/b\"",
	"{\"feed\":\"\",\"index\":1,\"event\":{}}",
	"{\"feed\":\"a\\\"b\",\"index\":1,\"event\":{}}",
	"{\"feed\":\"a/b\",\"index\":1,\"agent\":\"\",\"event\":{}}",
	"{\"feed\":\"a/b\",\"index\":1,\"agent\":\"a,\"event\":{}}",
	"{\"feed\":\"a/b\",\"index\":1,\"agent\":1,\"event\":{}}",
	"{\"feed\":\"a/b\",\"index\":,\"event\":{}}",
	"{\"feed\":\"a/b\",\"index\":01,\"event\":{}}",
	"{\"feed\":\"a/b\",\"index\":-1,\"event\":{}}",
	"{\"feed\":\"a/b\",\"index\":18446744073709551616,\"event\":{}}",
	"{\"feed\":\"a/b\",\"index\":1,\"event\":}",
	"{\"feed\":\"a/b\",\"index\":1,\"event\":{",
	"{\"feed\":\"a/b\",\"index\":1,\"checkpoint\":{}}",
	"{\"feed\":\"a/b\",\"size\":1,\"event\":{}}",
	"{\"feed\": \"a/b\",\"index\":1,\"event\":{}}",
};

START_TEST(other_lines_are_refused)
{
	struct line l;

	ck_assert_int_eq(line_parse(wrong[_i], strlen(wrong[_i]), &l), -1);
}
END_TEST

Suite *
suite_line(void)
{
	Suite *s = suite_create("line");
	TCase *tc = tcase_create("line");

	tcase_add_test(tc, event_line);
	tcase_add_test(tc, line_of_another_way);
	tcase_add_test(tc, checkpoint_line);
	tcase_add_test(tc, ceiling_is_kept);
	tcase_add_test(tc, cut_line);
	tcase_add_loop_test(tc, other_lines_are_refused, 0,
	    sizeof(wrong) / sizeof(wrong[0]));
	suite_add_tcase(s, tc);
	return s;
}
