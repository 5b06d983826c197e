/*
 * test_splitter_made.c - the splitter over made-up documents: what jansson
 * finds in them, and in every way to cut them the same.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/splitter_private.h"
#include "tests/lib/split.h"
#include "tests/unit/unit.h"

#define LONGEST (1 << 20)

static const struct splitter_spec plain = { .id = "Id",
	.time = "CreationTime",
	.max = LONGEST };

/* Any valid JSON, with white space anywhere. */
struct maker {
	struct buf b;
	uint32_t x;
};

static uint32_t
dice(struct maker *m, uint32_t n)
{
	m->x = m->x * 1664525 + 1013904223;
	return (m->x >> 8) % n;
}

static void
put(struct maker *m, const char *s)
{
	ck_assert_int_eq(buf_adds(&m->b, s), 0);
}

static void
put_space(struct maker *m)
{
	static const char *const spaces[] = { " ", "\n", "\r\n", "\t", "    " };

	while (dice(m, 4) == 0)
		put(m, spaces[dice(m, 5)]);
}

static void
put_string(struct maker *m)
{
	static const char *const parts[] = { "a", "Id", "\\\\", "\\\"", "{",
		"}", "[", "]", ",", ":", "\\n", "\\u00e9", "\xc3\xa9", " ",
		"\t", "0123456789abcdef0123456789abcdef", "\\/" };
	uint32_t n = dice(m, 8);

	put(m, "\"");
	while (n-- > 0) {
		uint32_t i = dice(m, 17);

		/* jansson refuses a raw tab, rightly. */
		put(m, parts[i][0] == '\t' ? "\\t" : parts[i]);
	}
	put(m, "\"");
}

static void put_value(struct maker *m, unsigned depth);

static void
put_members(struct maker *m, unsigned depth, bool object)
{
	static const char *const keys[] = { "Id", "CreationTime", "Other",
		"I" };

	put(m, object ? "{" : "[");
	put_space(m);
	for (uint32_t n = dice(m, 5), i = 0; i < n; i++) {
		if (i > 0)
			put(m, ",");
		put_space(m);
		if (object) {
			put(m, "\"");
			put(m, keys[dice(m, 4)]);
			ck_assert_int_eq(buf_addf(&m->b, "%s\"",
					     i < 2 ? "" : "x"),
			    0);
			put_space(m);
			put(m, ":");
			put_space(m);
		}
		put_value(m, depth + 1);
		put_space(m);
	}
	put(m, object ? "}" : "]");
}

static void
put_value(struct maker *m, unsigned depth)
{
	static const char *const scalars[] = { "0", "-12", "1.5e3", "true",
		"false", "null" };
	uint32_t kind = dice(m, depth > 6 ? 2 : 4);

	if (kind == 0)
		put(m, scalars[dice(m, 6)]);
	else if (kind == 1)
		put_string(m);
	else
		put_members(m, depth, kind == 2);
}

static void
make_document(struct maker *m, uint32_t seed)
{
	uint32_t n;

	buf_clear(&m->b);
	m->x = seed;
	n = dice(m, 20);
	put_space(m);
	put(m, "[");
	for (uint32_t i = 0; i < n; i++) {
		put(m, i > 0 ? "," : "");
		put_space(m);
		put_value(m, 0);
		put_space(m);
	}
	put(m, "]");
	put_space(m);
}

/* The member's value as struct element describes it: text or "-". */
static void
assert_key(const json_t *element, const char *key, const char *got)
{
	const json_t *value = json_object_get(element, key);

	if (!json_is_string(value) && !json_is_number(value))
		ck_assert_str_eq(got, "-");
	else if (json_is_integer(value))
		ck_assert_int_eq(atoll(got), json_integer_value(value));
	else if (json_is_real(value))
		ck_assert(strtod(got, NULL) == json_real_value(value));
	else if (strchr(got, '\\') == NULL)
		ck_assert_str_eq(got, json_string_value(value));
}

/* Does each line of r mean what jansson finds at its place? */
static void
assert_means(const json_t *document, struct split_result *r)
{
	char *line = r->elements.data;
	char *keys = r->keys.data;

	ck_assert_uint_eq(r->count, json_array_size(document));
	for (size_t i = 0; i < r->count; i++) {
		char *end = strchr(line, '\n');
		char *keys_end = strchr(keys, '\n');
		json_t *el = json_loadb(line, (size_t)(end - line),
		    JSON_DECODE_ANY, NULL);

		ck_assert_ptr_nonnull(el);
		ck_assert(json_equal(el, json_array_get(document, i)));
		*keys_end = '\0';
		if (strchr(keys, ' ') == strrchr(keys, ' ')) {
			char *space = strchr(keys, ' ');

			*space = '\0';
			assert_key(el, "Id", keys);
			assert_key(el, "CreationTime", space + 1);
		}
		json_decref(el);
		line = end + 1;
		keys = keys_end + 1;
	}
}

START_TEST(made_up_documents)
{
	struct maker m = { .b = BUF_INIT(LONGEST) };
	struct split_way way = { .scan = scan_best() };

	for (uint32_t seed = 1; seed <= unit_rounds(400); seed++) {
		struct split_result r, other;
		json_t *document;

		make_document(&m, seed);
		document = json_loadb(m.b.data, m.b.len, 0, NULL);
		ck_assert_ptr_nonnull(document);
		split_run(&plain, &way, m.b.data, m.b.len, &r);
		ck_assert_msg(r.rc == 0, "%u: %s", seed, r.err.text);
		for (const struct scan_kind *k = scan_kinds; k->name != NULL;
		     k++) {
			struct split_way random = {
				.scan = k, .chunk = 1 + seed % 200, .seed = seed
			};

			if (!k->usable())
				continue;
			split_run(&plain, &random, m.b.data, m.b.len, &other);
			ck_assert_msg(split_compare(&r, &other) == 0, "%u: %s",
			    seed, other.err.text);
			split_release(&other);
		}
		assert_means(document, &r);
		json_decref(document);
		split_release(&r);
	}
	buf_release(&m.b);
}
END_TEST

/* Every document cut off anywhere is an error, in every way the same one. */
START_TEST(cut_documents)
{
	struct maker m = { .b = BUF_INIT(LONGEST) };
	struct split_way whole = { .scan = scan_best() };
	struct split_way bytes = { .scan = scan_best(), .chunk = 1 };

	for (uint32_t seed = 1; seed <= 10; seed++) {
		size_t end;

		make_document(&m, seed);
		end = m.b.len;
		while (splitter_space(m.b.data[end - 1]))
			end--;
		for (size_t len = 0; len < end; len++) {
			struct split_result a, b;

			split_run(&plain, &whole, m.b.data, len, &a);
			split_run(&plain, &bytes, m.b.data, len, &b);
			ck_assert_int_eq(a.rc, -1);
			ck_assert_int_eq(split_compare(&a, &b), 0);
			split_release(&a);
			split_release(&b);
		}
	}
	buf_release(&m.b);
}
END_TEST

Suite *
suite_splitter_made(void)
{
	Suite *s = suite_create("splitter_made");
	TCase *tc = tcase_create("splitter_made");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, made_up_documents);
	tcase_add_test(tc, cut_documents);
	suite_add_tcase(s, tc);
	return s;
}
