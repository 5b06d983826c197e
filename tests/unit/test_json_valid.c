/*
 * test_json_valid.c - what is JSON, by the book and by another parser.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/json_valid.h"
#include "tests/unit/unit.h"

static const char *const valid[] = { "{}", "[]", " [ ] ", "{\"a\":{}}", "0",
	"-0", "-1.5e+10", "1E-2", "1e999", "123456789012345678901234567890",
	"\"\"", "\"\\u00e9\\n\\\\\\\"\\/\"", "\"\xc3\xa9\"", "true", "false",
	"null", "\n{ \"a\" : [ 1 , { } ] }\t", "{\"a\":1,\"a\":2}",
	"[[],{},[1,[2]],\"x\"]", "\"\x7f\"" };

static const char *const invalid[] = { "", " ", "{", "}", "[", "]", "[1,]",
	"[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:2}",
	"{\"a\":1]", "[1}", "01", "-", "1.", ".5", "1e", "+1", "0x1", "tru",
	"nul", "True", "\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12", "\"\\",
	"\"\n\"", "\"\t\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "\"\xc0\xaf\"",
	"{} {}", "[]x", "\xef\xbb\xbf{}", "'a'", "NaN", "[1,2", "{\"a\":1",
	"{,}", "[/**/]" };

START_TEST(by_the_book)
{
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		ck_assert_msg(json_valid(valid[i], strlen(valid[i])), "%s",
		    valid[i]);
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		ck_assert_msg(!json_valid(invalid[i], strlen(invalid[i])), "%s",
		    invalid[i]);
	ck_assert(!json_valid("\"\0\"", 3));
	ck_assert(!json_valid("{}\0", 3));
}
END_TEST

START_TEST(depth)
{
	char deep[2 * JSON_DEPTH_MAX + 2];

	memset(deep, '[', JSON_DEPTH_MAX + 1);
	memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	ck_assert(!json_valid(deep, sizeof(deep)));
	ck_assert(json_valid(deep + 1, sizeof(deep) - 2));
}
END_TEST

/* Without numbers, whose range jansson limits. */
static const char seed[] =
    "{\"a\":[true,{\"b\":\"x\\u00e9\\n\"},[]],\"c\":{},\"d\":null, \"e\":\"\"}";

START_TEST(as_jansson)
{
	static const char bytes[] = "{}[],:\"\\ntrue x\n\xc3\xa9";
	unsigned accepted = 0, n = unit_rounds(40000);
	char text[sizeof(seed)];

	srand(1);
	for (unsigned i = 0; i < n; i++) {
		size_t len = sizeof(seed) - 1, at;
		json_t *j;

		memcpy(text, seed, sizeof(seed));
		for (int k = rand() % 3; k >= 0; k--) {
			at = (size_t)rand() % len;
			if (rand() % 2 == 0) {
				text[at] =
				    bytes[(size_t)rand() % (sizeof(bytes) - 1)];
				continue;
			}
			memmove(text + at, text + at + 1, len - at);
			len--;
		}
		j = json_loadb(text, len, JSON_DECODE_ANY, NULL);
		ck_assert_msg(json_valid(text, len) == (j != NULL), "%.*s",
		    (int)len, text);
		accepted += j != NULL;
		json_decref(j);
	}
	ck_assert_uint_gt(accepted, n / 100);
	ck_assert_uint_lt(accepted, n);
}
END_TEST

Suite *
suite_json_valid(void)
{
	Suite *s = suite_create("json_valid");
	TCase *tc = tcase_create("json_valid");

	tcase_add_test(tc, by_the_book);
	tcase_add_test(tc, depth);
	tcase_add_test(tc, as_jansson);
	suite_add_tcase(s, tc);
	return s;
}
