/*
 * test_repair.c - what of an array with broken elements can be taken, with
 * every size of push.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/splitter.h"
#include "tests/unit/unit.h"

#define PUSH_MAX 70

static const struct splitter_spec spec = { .id = "Id",
	.time = "T",
	.max = 4000,
	.pass_longer = true,
	.repairs = true };

/* What came of a document: "+" and a good element, "-" and a broken one, "*"
 * for one that is longer; "." the document is complete, "?" and what is in
 * front of its last bracket, "!" nothing more is known. */
static int
note(void *ctx, const struct element *el, struct err *err)
{
	struct buf *out = ctx;

	(void)err;
	if (el->data == NULL)
		return buf_addf(out, "*%s%zu\n", el->bad != NULL ? "-" : "",
		    el->len);
	ck_assert(el->bad == NULL || strncmp(el->bad, "byte ", 5) == 0);
	ck_assert(el->bad == NULL || el->id.data == NULL);
	return buf_adds(out, el->bad != NULL ? "-" : "+") == 0 &&
		buf_add(out, el->data, el->len) == 0 && buf_adds(out, "\n") == 0
	    ? 0
	    : -1;
}

static void
split(const char *text, size_t len, size_t push, struct buf *out)
{
	struct splitter *s = splitter_new(&spec, note, out);
	struct err err = ERR_INIT;
	struct element tail;
	int rc = 0;

	for (size_t at = 0; at < len && rc == 0; at += push)
		rc = splitter_push(s, text + at,
		    len - at < push ? len - at : push, &err);
	if (rc == 0 && splitter_end(s, &err) == 0) {
		rc = buf_adds(out, ".");
	} else if (rc == 0 && splitter_tail(s, &tail)) {
		rc = buf_adds(out, "?");
		if (rc == 0)
			rc = buf_add(out, tail.data, tail.len);
	} else {
		ck_assert_msg(strncmp(err.text, "byte ", 5) == 0, "%s",
		    err.text);
		rc = buf_adds(out, "!");
	}
	ck_assert_int_eq(rc, 0);
	splitter_free(s);
}

static const struct {
	const char *input;
	const char *result;
} rows[] = {
	/* Nothing is broken. */
	{ "[{\"Id\":1},{\"Id\":2}]", "+{\"Id\":1}\n+{\"Id\":2}\n." },
	{ "[]", "." },
	/* A raw line break in a string. */
	{ "[{\"Id\":1},{\"Id\":\"a\nb\"},{\"Id\":3}]",
	    "+{\"Id\":1}\n-{\"Id\":\"a\nb\"}\n+{\"Id\":3}\n." },
	{ "[{\"Id\":1},{\"Id\":\"a\r\nb\",\"s\":[{\"Id\":7},{\"Id\":8}]}]",
	    "+{\"Id\":1}\n-{\"Id\":\"a\r\nb\",\"s\":[{\"Id\":7},{\"Id\":8}]}"
	    "\n." },
	{ "[{\"a\":\"\n\"},{\"b\":\"\r\"} , \"c\n\",{\"Id\":1}]",
	    "-{\"a\":\"\n\"}\n-{\"b\":\"\r\"}\n-\"c\n\"\n+{\"Id\":1}\n." },
	{ "[\n {\n  \"a\" : 1,\n \"b\":\"\n\"\n},\n {\"Id\":1}\n]\n",
	    "-{\"a\" : 1,\"b\":\"\n\"\n}\n+{\"Id\":1}\n." },
	/* Brackets that do not match. */
	{ "[{\"Id\":1,\"a\":[1},{\"Id\":2},{\"Id\":3}]",
	    "-{\"Id\":1,\"a\":[1}\n+{\"Id\":2}\n+{\"Id\":3}\n." },
	{ "[{\"Id\":1,\"a\":{\"b\":1},{\"Id\":2},{\"Id\":3}]",
	    "-{\"Id\":1,\"a\":{\"b\":1}\n+{\"Id\":2}\n+{\"Id\":3}\n." },
	{ "[{\"Id\":1}},{\"Id\":2}]", "+{\"Id\":1}\n-}\n+{\"Id\":2}\n." },
	{ "[{\"Id\":1]},{\"Id\":2}]", "-{\"Id\":1]}\n+{\"Id\":2}\n." },
	/* Quotes that do not match. */
	{ "[{\"Id\":1,\"a\":\"x\"y\"},{\"Id\":2},{\"Id\":3}]",
	    "-{\"Id\":1,\"a\":\"x\"y\"}\n+{\"Id\":2}\n+{\"Id\":3}\n." },
	{ "[{\"Id\":1,\"a\":\"x},{\"Id\":2,\"b\":\"y\"},{\"Id\":3}]",
	    "-{\"Id\":1,\"a\":\"x}\n+{\"Id\":2,\"b\":\"y\"}\n+{\"Id\":3}\n." },
	/* Objects inside of what is broken are not events. */
	{ "[{\"Id\":0,\"T\":1},{\"Id\":1,\"a\":[{\"Id\":8},{\"Id\":9}],"
	  "\"b\":\"x\"y\",\"c\":[{\"Id\":6},{\"Id\":7}]},{\"Id\":2,\"T\":3}]",
	    "+{\"Id\":0,\"T\":1}\n-{\"Id\":1,\"a\":[{\"Id\":8},{\"Id\":9}],"
	    "\"b\":\"x\"y\",\"c\":[{\"Id\":6},{\"Id\":7}]}\n"
	    "+{\"Id\":2,\"T\":3}\n." },
	/* Outside of strings. */
	{ "[{\"Id\":1,\\\"a\":2},{\"Id\":2}]",
	    "-{\"Id\":1,\\\"a\":2}\n+{\"Id\":2}\n." },
	{ "[{\"Id\":1}x,{\"Id\":2}]", "+{\"Id\":1}\n-x\n+{\"Id\":2}\n." },
	{ "[?,{\"Id\":2}]", "-?\n+{\"Id\":2}\n." },
	{ "[1x#,{\"Id\":2}]", "-1x#\n+{\"Id\":2}\n." },
	/* Commas. */
	{ "[{\"Id\":1}{\"Id\":2}\n{\"Id\":3}]",
	    "+{\"Id\":1}\n+{\"Id\":2}\n+{\"Id\":3}\n." },
	{ "[,{\"Id\":1},,{\"Id\":2},]", "+{\"Id\":1}\n+{\"Id\":2}\n." },
	/* The end of a document cannot be told from a cut. */
	{ "[{\"Id\":1},{\"Id\":2", "+{\"Id\":1}\n!" },
	{ "[{\"Id\":1},{\"Id\":\"a\nb", "+{\"Id\":1}\n!" },
	{ "[{\"Id\":1},{\"Id\":\"a\nb\"}", "+{\"Id\":1}\n!" },
	{ "[{\"Id\":1},", "+{\"Id\":1}\n!" },
	{ "[{\"Id\":1},{\"Id\":2,\"a\":[1]", "+{\"Id\":1}\n!" },
	{ "[{\"Id\":1},{\"Id\":2,\"a\":[{\"Id\":3}]", "+{\"Id\":1}\n!" },
	{ "[{\"Id\":1},{\"Id\":2,\"a\":[1]]",
	    "+{\"Id\":1}\n?{\"Id\":2,\"a\":[1]" },
	{ "[{\"Id\":1},{\"Id\":2,\"a\":\"x\"y\"}]\n",
	    "+{\"Id\":1}\n?{\"Id\":2,\"a\":\"x\"y\"}" },
	/* What is no array of elements is no broken one. */
	{ "{\"Id\":1}", "!" },
	{ "<html>", "!" },
	{ "", "!" },
	{ "[{\"Id\":1}]]", "+{\"Id\":1}\n!" },
};

START_TEST(broken_elements)
{
	size_t len = strlen(rows[_i].input);

	for (size_t push = 1; push < PUSH_MAX; push++) {
		struct buf out = BUF_INIT(1 << 20);

		split(rows[_i].input, len, push, &out);
		ck_assert_msg(strcmp(out.data, rows[_i].result) == 0,
		    "%s\nby %zu: got\n%s\nwanted\n%s", rows[_i].input, push,
		    out.data, rows[_i].result);
		buf_release(&out);
	}
}
END_TEST

/* Thousands of broken elements between good ones, whatever stands where. */
START_TEST(many)
{
	static const char *const kinds[] = { "{\"a\":\"\n\"}", "{\"a\":[1}",
		"#" };
	static const size_t pushes[] = { 1, 61, 4096, 1 << 22 };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct buf in = BUF_INIT(1 << 22), want = BUF_INIT(1 << 22);
		int rc = buf_adds(&in, "[");

		for (int i = 0; i < 3000; i++)
			rc |= buf_addf(&in, "%s,{\"Id\":%d},", kinds[k], i) |
			    buf_addf(&want, "-%s\n+{\"Id\":%d}\n", kinds[k], i);
		in.data[in.len - 1] = ']';
		rc |= buf_adds(&want, ".");
		ck_assert_int_eq(rc, 0);
		for (size_t i = 0; i < sizeof(pushes) / sizeof(pushes[0]);
		     i++) {
			struct buf out = BUF_INIT(1 << 22);

			split(in.data, in.len, pushes[i], &out);
			ck_assert_msg(strcmp(out.data, want.data) == 0,
			    "%s by %zu", kinds[k], pushes[i]);
			buf_release(&out);
		}
		buf_release(&in);
		buf_release(&want);
	}
}
END_TEST

static char *
repeat(const char *what, size_t n)
{
	size_t len = strlen(what);
	char *s = xmalloc(len * n + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(s + i * len, what, len);
	s[len * n] = '\0';
	return s;
}

START_TEST(too_deep)
{
	char *open = repeat("[", SPLITTER_DEPTH + 1);
	char *close = repeat("]", SPLITTER_DEPTH + 1);
	char *in = xasprintf("[{\"Id\":1},%s%s,{\"Id\":2}]", open, close);
	struct buf out = BUF_INIT(1 << 20);

	split(in, strlen(in), 1000, &out);
	/* It is longer than most, too. */
	ck_assert_ptr_nonnull(strstr(out.data, "+{\"Id\":1}\n*"));
	ck_assert_ptr_nonnull(strstr(out.data, "\n+{\"Id\":2}\n."));
	free(open);
	free(close);
	free(in);
	buf_release(&out);
}
END_TEST

/* The one that is long tells its length; broken ones are dropped beyond. */
START_TEST(longer)
{
	char *fill = repeat("x", 9000);
	char *in = xasprintf("[{\"Id\":\"%s\"},{\"Id\":2},{\"a\":\"%s\n\"},"
			     "{\"Id\":3}]",
	    fill, fill);

	for (size_t push = 100; push < 20000; push += 1777) {
		struct buf out = BUF_INIT(1 << 20);

		split(in, strlen(in), push, &out);
		ck_assert_msg(strcmp(out.data,
				  "*9009\n+{\"Id\":2}\n*-9009\n"
				  "+{\"Id\":3}\n.") == 0,
		    "%zu: %.200s", push, out.data);
		buf_release(&out);
	}
	free(fill);
	free(in);
}
END_TEST

Suite *
suite_repair(void)
{
	Suite *s = suite_create("repair");
	TCase *tc = tcase_create("repair");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, broken_elements, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, many);
	tcase_add_test(tc, too_deep);
	tcase_add_test(tc, longer);
	suite_add_tcase(s, tc);
	return s;
}
