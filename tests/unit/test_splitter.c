/*
 * test_splitter.c - the splitter over its vectors, with every kind of scan
 * and every size of push.
 *
 * A vector is a folder: input, expect (one element a line, or "error: " and
 * what the error holds), and where it matters
 *
 *   path     pointers to the arrays, one a line
 *   arrays   expected: the number of its array for each element
 *   values   pointers to the values that are kept
 *   kept     expected: a token for each, "-" where there is none
 *   options  "absent_is_empty", "object_is_element", one a line
 *   keys     expected: "id time" a line
 *   most     bytes; a longer element is the line "longer"
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/splitter_private.h"
#include "tests/lib/split.h"
#include "tests/unit/unit.h"

#define FOLDER VECTORS "splitter"
#define MOST_VECTORS 500
#define MOST_PATHS 8
#define LARGEST_CHUNK 70
#define LONGEST (1 << 20)

struct vector {
	struct buf input;
	struct buf expect;
	struct buf path;
	struct buf values;
	struct buf options;
	struct buf arrays; /* data NULL: not compared, as the next two */
	struct buf kept;
	struct buf keys;
	struct buf max; /* data NULL: LONGEST, and longer is an error */
	const char *array_at[MOST_PATHS + 1];
	const char *value_at[MOST_PATHS + 1];
};

static const struct splitter_spec plain = { .id = "Id",
	.time = "CreationTime",
	.max = LONGEST };

static int
read_part(const char *name, const char *part, struct buf *b)
{
	char path[1024];

	(void)snprintf(path, sizeof(path), FOLDER "/%s/%s", name, part);
	buf_init(b, LONGEST);
	return file_read(path, b, NULL);
}

/* A part's lines, NULL behind the last. */
static void
read_lines(const char *name, const char *part, struct buf *b,
    const char *lines[MOST_PATHS + 1])
{
	size_t n = 0;

	if (read_part(name, part, b) == 0) {
		for (char *s = strtok(b->data, "\n"); s != NULL;
		     s = strtok(NULL, "\n")) {
			ck_assert_uint_lt(n, MOST_PATHS);
			lines[n++] = s;
		}
	}
	lines[n] = NULL;
}

static void
load(const char *name, struct vector *v)
{
	ck_assert_int_eq(read_part(name, "input", &v->input), 0);
	ck_assert_int_eq(read_part(name, "expect", &v->expect), 0);
	(void)read_part(name, "keys", &v->keys);
	(void)read_part(name, "most", &v->max);
	(void)read_part(name, "arrays", &v->arrays);
	(void)read_part(name, "kept", &v->kept);
	(void)read_part(name, "options", &v->options);
	read_lines(name, "path", &v->path, v->array_at);
	read_lines(name, "values", &v->values, v->value_at);
}

static bool
has_option(const struct vector *v, const char *option)
{
	return v->options.data != NULL &&
	    strstr(v->options.data, option) != NULL;
}

static void
unload(struct vector *v)
{
	buf_release(&v->input);
	buf_release(&v->expect);
	buf_release(&v->path);
	buf_release(&v->values);
	buf_release(&v->options);
	buf_release(&v->arrays);
	buf_release(&v->kept);
	buf_release(&v->keys);
	buf_release(&v->max);
}

static void
assert_same(const char *name, const char *part, const struct buf *got,
    const struct buf *wanted)
{
	ck_assert_msg(got->len == wanted->len &&
		(got->len == 0 ||
		    memcmp(got->data, wanted->data, got->len) == 0),
	    "%s: %s: got\n%s\nwanted\n%s", name, part,
	    got->data == NULL ? "" : got->data,
	    wanted->data == NULL ? "" : wanted->data);
}

static void
assert_expected(const char *name, const struct vector *v,
    const struct split_result *r)
{
	static const char error[] = "error: ";
	const char *wanted = v->expect.data == NULL ? "" : v->expect.data;

	if (strncmp(wanted, error, strlen(error)) == 0) {
		char *line = xstrdup(wanted + strlen(error));

		line[strcspn(line, "\n")] = '\0';
		ck_assert_msg(r->rc == -1 && strstr(r->err.text, line) != NULL,
		    "%s: got \"%s\", wanted \"%s\"", name, r->err.text, line);
		free(line);
		return;
	}
	ck_assert_msg(r->rc == 0, "%s: %s", name, r->err.text);
	assert_same(name, "elements", &r->elements, &v->expect);
	if (v->keys.data != NULL)
		assert_same(name, "keys", &r->keys, &v->keys);
	if (v->arrays.data != NULL)
		assert_same(name, "arrays", &r->arrays, &v->arrays);
	if (v->kept.data != NULL)
		assert_same(name, "kept", &r->values, &v->kept);
}

/* The same document in every way must give what first gave. */
static void
every_way(const char *name, const struct splitter_spec *spec,
    const struct buf *in, const struct split_result *first)
{
	const char *data = in->data == NULL ? "" : in->data;

	for (const struct scan_kind *k = scan_kinds; k->name != NULL; k++) {
		if (!k->usable())
			continue;
		for (size_t chunk = 0; chunk <= unit_rounds(LARGEST_CHUNK);
		     chunk++) {
			struct split_way way = { .scan = k, .chunk = chunk };
			struct split_result r;

			split_run(spec, &way, data, in->len, &r);
			ck_assert_msg(split_compare(&r, first) == 0,
			    "%s: differs with %s, pushes of %zu: \"%s\" and "
			    "\"%s\"",
			    name, k->name, chunk, r.err.text, first->err.text);
			split_release(&r);
		}
	}
}

static void
check_vector(const char *name)
{
	struct vector v;
	struct splitter_spec spec = plain;
	struct split_way way = { .scan = scan_best() };
	struct split_result r;

	load(name, &v);
	if (v.array_at[0] != NULL)
		spec.arrays = v.array_at;
	spec.values = v.value_at;
	spec.absent_is_empty = has_option(&v, "absent_is_empty");
	spec.object_is_element = has_option(&v, "object_is_element");
	if (v.max.data != NULL) {
		spec.max = strtoul(v.max.data, NULL, 10);
		spec.pass_longer = true;
	}
	split_run(&spec, &way, v.input.data == NULL ? "" : v.input.data,
	    v.input.len, &r);
	assert_expected(name, &v, &r);
	every_way(name, &spec, &v.input, &r);
	split_release(&r);
	unload(&v);
}

START_TEST(vectors)
{
	struct dirent **names;
	int n = scandir(FOLDER, &names, NULL, alphasort);

	ck_assert_int_gt(n, 50);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.')
			check_vector(names[i]->d_name);
		free(names[i]);
	}
	free(names);
}
END_TEST

START_TEST(kinds_of_scan_agree)
{
	char block[2 * SCAN_BLOCK];
	uint32_t x = (uint32_t)_i + 1;

	for (size_t i = 0; i < sizeof(block); i++) {
		static const char often[] = "{}[]\":\\\n\r,;Z\x1b\xdb\xfb ";

		x = x * 1664525 + 1013904223;
		block[i] =
		    (x >> 8 & 1) != 0 ? often[(x >> 9) % 16] : (char)(x >> 16);
	}
	for (const struct scan_kind *k = scan_kinds; k->name != NULL; k++) {
		struct scan_masks m[2];

		if (!k->usable())
			continue;
		k->classify(block, 2, m);
		for (size_t i = 0; i < sizeof(block); i++) {
			const struct scan_masks *at = &m[i / SCAN_BLOCK];
			unsigned bit = i % SCAN_BLOCK;
			char c = block[i];

			ck_assert((at->backslash >> bit & 1) == (c == '\\'));
			ck_assert((at->quote >> bit & 1) == (c == '"'));
			ck_assert((at->colon >> bit & 1) == (c == ':'));
			ck_assert((at->newline >> bit & 1) ==
			    (c == '\n' || c == '\r'));
			ck_assert((at->bracket >> bit & 1) ==
			    (c == '{' || c == '}' || c == '[' || c == ']'));
		}
	}
}
END_TEST

START_TEST(longest_element)
{
	static const char *const rows[] = { "[{\"a\":\"0123456789\"}]",
		"[\"0123456789012345\"]", "[123456789012345678]",
		"[{\"a\"   \n   : 1}, {\"b\"          \n:1}]",
		"[[1,[2,[3,[4]]]]", "[{\"a\":\"0123456789\"]",
		"[{\"a\":\"0123456789\n\"}]", "[{          }",
		"[[                ]]" };
	struct buf in = BUF_INIT(1000);
	const char *row = rows[_i];

	ck_assert_int_eq(buf_adds(&in, row), 0);
	for (size_t max = 1; max < 24; max++) {
		struct splitter_spec spec = { .id = "a", .max = max };
		struct split_way way = { .scan = scan_best() };
		struct split_result r;

		split_run(&spec, &way, row, strlen(row), &r);
		if (max < 10) {
			ck_assert_int_eq(r.rc, -1);
			ck_assert_ptr_nonnull(strstr(r.err.text,
			    "longer than"));
		}
		every_way(row, &spec, &in, &r);
		split_release(&r);
		/* Whether that is passed or there is another fault. */
		spec.pass_longer = true;
		split_run(&spec, &way, row, strlen(row), &r);
		ck_assert_ptr_null(strstr(r.err.text, "longer than"));
		if (max < 10 && r.rc == 0)
			ck_assert_ptr_nonnull(strstr(r.elements.data,
			    "longer\n"));
		every_way(row, &spec, &in, &r);
		split_release(&r);
	}
	buf_release(&in);
}
END_TEST

static int
refuse(void *ctx, const struct element *el, struct err *err)
{
	int *calls = ctx;

	(*calls)++;
	if (el->len == 1 && el->data[0] == '2')
		return err_set(err, "the store is full");
	return 0;
}

START_TEST(the_taker_can_stop)
{
	struct err err = ERR_INIT;
	int calls = 0;
	struct splitter *s = splitter_new(&plain, refuse, &calls);

	ck_assert_int_eq(splitter_push(s, "[1,2,3]", 7, &err), -1);
	ck_assert_str_eq(err.text, "the store is full");
	ck_assert_int_eq(calls, 2);
	err_clear(&err);
	ck_assert_int_eq(splitter_push(s, ",4]", 3, &err), -1);
	ck_assert_int_eq(splitter_end(s, NULL), -1);
	ck_assert_int_eq(calls, 2);
	splitter_reset(s);
	err_clear(&err);
	ck_assert_int_eq(splitter_push(s, "[1]", 3, &err), 0);
	ck_assert_int_eq(splitter_end(s, &err), 0);
	ck_assert_int_eq(calls, 3);
	splitter_free(s);
}
END_TEST

START_TEST(reset_in_the_middle)
{
	static const char *const starts[] = { "[{\"a\":\"b\\", "[{\"a\":\"b",
		"{\"x", "[{\"a\": \n", "[1", "\xef", "[{\"Id\":\"x\"" };
	int calls = 0;
	struct splitter *s = splitter_new(&plain, refuse, &calls);

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct err err = ERR_INIT;

		(void)splitter_push(s, starts[i], strlen(starts[i]), &err);
		splitter_reset(s);
		err_clear(&err);
		ck_assert_int_eq(splitter_push(s, "[{},\"\"]", 7, &err), 0);
		ck_assert_int_eq(splitter_end(s, &err), 0);
		splitter_reset(s);
	}
	ck_assert_int_eq(calls, 14);
	splitter_free(s);
}
END_TEST

START_TEST(long_and_absent_keys)
{
	/* Longer than a block: no filter, the same answers. */
	static const char key[] =
	    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
	    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";
	struct splitter_spec spec = { .id = key, .max = LONGEST };
	struct splitter_spec none = { .max = LONGEST };
	struct split_way way = { .scan = scan_best() };
	struct split_result r;
	struct buf in = BUF_INIT(10000);

	ck_assert_int_eq(
	    buf_addf(&in, "[{\"%s\":1},{\"x%s\":2},{\"a\":3,\"%s\" : \"4\"}]",
		key, key, key),
	    0);
	split_run(&spec, &way, in.data, in.len, &r);
	ck_assert_str_eq(r.keys.data, "1 -\n- -\n4 -\n");
	every_way("long key", &spec, &in, &r);
	split_release(&r);
	split_run(&none, &way, in.data, in.len, &r);
	ck_assert_str_eq(r.keys.data, "- -\n- -\n- -\n");
	split_release(&r);
	buf_release(&in);
}
END_TEST

static int
take_any(void *ctx, const struct element *el, struct err *e)
{
	(void)el;
	(void)e;
	++*(unsigned *)ctx;
	return 0;
}

/* An aside is kept whatever it is, a value only where it is no container, and
 * what is in an element is of neither. */
START_TEST(asides)
{
	static const char *const arrays[] = { "/a", NULL };
	static const char *const values[] = { "/v", "/o", NULL };
	static const char *const aside[] = { "/e", "/o", "/n", NULL };
	static const char text[] =
	    "{\"o\":{\"o\":[1,\"]\"]},\"v\":{\"x\":1},\"a\":[{\"n\":1},2],"
	    "\"e\":[{\"m\":\"}\"},null],\"z\":[]}";
	static const char *const kept[] = { NULL, NULL, "[{\"m\":\"}\"},null]",
		"{\"o\":[1,\"]\"]}", NULL };
	const struct splitter_spec spec = {
		.arrays = arrays, .values = values, .asides = aside, .max = 99
	};

	for (size_t step = 1; step < sizeof(text); step++) {
		unsigned n = 0;
		struct splitter *s = splitter_new(&spec, take_any, &n);
		struct err e = ERR_INIT;

		for (size_t i = 0; i < sizeof(text) - 1; i += step) {
			const size_t left = sizeof(text) - 1 - i;

			ck_assert_int_eq(splitter_push(s, text + i,
					     left < step ? left : step, &e),
			    0);
		}
		ck_assert_int_eq(splitter_end(s, &e), 0);
		ck_assert_uint_eq(n, 2);
		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
			const struct slice v = splitter_value(s, i);

			if (kept[i] == NULL) {
				ck_assert_ptr_null(v.data);
				continue;
			}
			ck_assert_uint_eq(v.len, strlen(kept[i]));
			ck_assert_mem_eq(v.data, kept[i], v.len);
		}
		splitter_free(s);
	}
}
END_TEST

Suite *
suite_splitter(void)
{
	Suite *s = suite_create("splitter");
	TCase *tc = tcase_create("splitter");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, vectors);
	tcase_add_loop_test(tc, kinds_of_scan_agree, 0, 200);
	tcase_add_loop_test(tc, longest_element, 0, 9);
	tcase_add_test(tc, the_taker_can_stop);
	tcase_add_test(tc, reset_in_the_middle);
	tcase_add_test(tc, long_and_absent_keys);
	tcase_add_test(tc, asides);
	suite_add_tcase(s, tc);
	return s;
}
