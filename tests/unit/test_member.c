/*
 * test_member.c - one member out of the bytes of an event.
 */
#include <string.h>

#include "delivery/member.h"
#include "tests/unit/unit.h"

START_TEST(found_or_not)
{
	static const struct {
		const char *pointer;
		const char *event;
		const char *text; /* NULL: none */
	} rows[] = {
		{ "/Id", "{\"Id\":\"abc\",\"x\":1}", "abc" },
		{ "/Id", "{\"x\":[{\"Id\":\"no\"}],\"Id\" : \"abc\"}", "abc" },
		{ "/Id", "{\"x\":{\"Id\":\"no\"}}", NULL },
		{ "/Id", "{\"Id\":\"a\\\"\\u00e9\"}", "a\\\"\\u00e9" },
		{ "/Id", "{\"Id\":\"\"}", "" },
		{ "/Id", "{\"Id\":-17.5e3}", "-17.5e3" },
		{ "/Id", "{\"Id\":null}", NULL },
		{ "/Id", "{\"Id\":true}", NULL },
		{ "/Id", "{\"Id\":{\"a\":1}}", NULL },
		{ "/Id", "{\"Id\":\"cut", NULL },
		{ "/Id", "{}", NULL },
		{ "/Id", "[\"Id\"]", NULL },
		{ "/Id", "\"Id\"", NULL },
		{ "/Id", "", NULL },
		{ "/id/uniqueQualifier",
		    "{\"id\":{\"time\":\"x\",\"uniqueQualifier\":\"-82\"}}",
		    "-82" },
		{ NULL, "{\"Id\":\"abc\"}", NULL },
	};
	struct member_reader *m = member_reader_new();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice s = member_text(m, rows[i].pointer, rows[i].event,
		    strlen(rows[i].event));

		ck_assert_msg((s.data == NULL) == (rows[i].text == NULL), "%s",
		    rows[i].event);
		if (s.data != NULL)
			ck_assert_msg(s.len == strlen(rows[i].text) &&
				memcmp(s.data, rows[i].text, s.len) == 0,
			    "%s: %.*s", rows[i].event, (int)s.len, s.data);
	}
	member_reader_free(m);
}
END_TEST

Suite *
suite_member(void)
{
	Suite *s = suite_create("member");
	TCase *tc = tcase_create("member");

	tcase_add_test(tc, found_or_not);
	suite_add_tcase(s, tc);
	return s;
}
