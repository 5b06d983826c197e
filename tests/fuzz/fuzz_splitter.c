/*
 * fuzz_splitter.c - any bytes through the splitter: every kind of scan and
 * every way to cut the input must say the same, and what jansson finds at the
 * paths must come out.
 */
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "tests/fuzz/fuzz.h"
#include "tests/lib/split.h"

#define MOST_FOR_JANSSON 65536

static uint32_t
seed_of(const uint8_t *data, size_t size)
{
	uint32_t x = 2166136261u;

	for (size_t i = 0; i < size; i++)
		x = (x ^ data[i]) * 16777619u;
	return x | 1;
}

static void
one_way(const struct splitter_spec *spec, const struct split_way *way,
    const uint8_t *data, size_t size, const struct split_result *first)
{
	struct split_result r;

	split_run(spec, way, (const char *)data, size, &r);
	FUZZ_CHECK(split_compare(&r, first) == 0);
	split_release(&r);
}

/* Every kind of scan in one push, and each way to cut with one of them, which
 * the input picks. */
static void
all_ways(const struct splitter_spec *spec, const uint8_t *data, size_t size,
    const struct split_result *first)
{
	uint32_t seed = seed_of(data, size);
	struct split_way ways[] = {
		{ .chunk = 1 },
		{ .chunk = 3 },
		{ .chunk = 64 },
		{ .chunk = 200, .seed = seed },
	};
	const struct scan_kind *usable[8];
	size_t kinds = 0;

	for (const struct scan_kind *k = scan_kinds; k->name != NULL; k++) {
		struct split_way whole = { .scan = k };

		if (!k->usable())
			continue;
		one_way(spec, &whole, data, size, first);
		FUZZ_CHECK(kinds < sizeof(usable) / sizeof(usable[0]));
		usable[kinds++] = k;
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		ways[i].scan = usable[(seed / 2 + i) % kinds];
		one_way(spec, &ways[i], data, size, first);
	}
}

/* What jansson has at a pointer without escapes; NULL: nothing.  *odd: there
 * is something else than an object on the way. */
static const json_t *
at_pointer(const json_t *v, const char *pointer, bool *odd)
{
	char key[64];

	*odd = false;
	while (v != NULL && *pointer == '/') {
		size_t len = strcspn(++pointer, "/");

		*odd = !json_is_object(v) && !json_is_null(v);
		memcpy(key, pointer, len);
		key[len] = '\0';
		v = json_object_get(v, key);
		pointer += len;
	}
	return v;
}

/* The next line of text must mean v; text is moved behind it. */
static void
check_line(const char **text, const json_t *v)
{
	const char *end = strchr(*text, '\n');
	json_t *got;

	FUZZ_CHECK(end != NULL);
	got = json_loadb(*text, (size_t)(end - *text),
	    JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	FUZZ_CHECK(json_equal(got, v));
	json_decref(got);
	*text = end + 1;
}

/* The elements that r has of array number n. */
static size_t
count_of(const struct split_result *r, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < r->arrays.len; i += 2)
		count += r->arrays.data[i] == (char)('0' + n);
	return count;
}

/* Is array i what the spec takes for one?  Then r has all of it. */
static bool
check_array(const struct splitter_spec *spec, size_t i, const json_t *document,
    const struct split_result *r)
{
	bool odd;
	const json_t *v = at_pointer(document, spec->arrays[i], &odd);
	bool absent = !odd && (v == NULL || json_is_null(v));

	if (json_is_array(v)) {
		FUZZ_CHECK(r->rc != 0 || count_of(r, i) == json_array_size(v));
		return true;
	}
	if (json_is_object(v) && spec->object_is_element) {
		FUZZ_CHECK(r->rc != 0 || count_of(r, i) == 1);
		return true;
	}
	return absent && spec->absent_is_empty;
}

/* Does each element stand in its array at its place? */
static void
check_elements(const struct splitter_spec *spec, const json_t *document,
    const struct split_result *r)
{
	const char *line = r->elements.data;
	size_t next[8] = { 0 };

	for (size_t i = 0; i < r->count; i++) {
		size_t n = (size_t)(r->arrays.data[2 * i] - '0');
		bool odd;
		const json_t *v = at_pointer(document, spec->arrays[n], &odd);

		check_line(&line,
		    json_is_array(v) ? json_array_get(v, next[n]++) : v);
	}
}

static void
check_values(const struct splitter_spec *spec, const json_t *document,
    const struct split_result *r)
{
	const char *line = r->values.data;

	for (size_t i = 0; spec->values != NULL && spec->values[i] != NULL;
	     i++) {
		bool odd;
		const json_t *v = at_pointer(document, spec->values[i], &odd);

		if (v != NULL && !json_is_object(v) && !json_is_array(v)) {
			check_line(&line, v);
		} else {
			FUZZ_CHECK(line[0] == '-' && line[1] == '\n');
			line += 2;
		}
	}
}

/* Repeated keys count as the last in jansson, escapes in keys are undone there,
 * and a NUL behind a number is overlooked: such documents are left to the
 * vectors. */
static void
against_jansson(const struct splitter_spec *spec, const uint8_t *data,
    size_t size, const struct split_result *r)
{
	json_t *document;
	bool good = true;

	if (size >= MOST_FOR_JANSSON || memchr(data, '\0', size) != NULL ||
	    (spec->arrays[0][0] != '\0' && memchr(data, '\\', size) != NULL))
		return;
	document = json_loadb((const char *)data, size,
	    JSON_DECODE_ANY | JSON_ALLOW_NUL |
		(spec->arrays[0][0] != '\0' ? JSON_REJECT_DUPLICATES : 0),
	    NULL);
	if (document == NULL)
		return;
	for (size_t i = 0; spec->arrays[i] != NULL; i++)
		good = check_array(spec, i, document, r) && good;
	FUZZ_CHECK(good == (r->rc == 0));
	if (good) {
		check_elements(spec, document, r);
		check_values(spec, document, r);
	}
	json_decref(document);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const whole[] = { "", NULL };
	static const char *const one[] = { "/value", NULL };
	static const char *const several[] = { "/value", "/a/b", "/a/c/d",
		NULL };
	static const char *const values[] = { "/next", "/a/n", "/a/c", "/a/c/n",
		NULL };
	const struct splitter_spec specs[] = {
		{ .arrays = whole,
		    .id = "Id",
		    .time = "CreationTime",
		    .max = 1 << 20 },
		{ .id = "Id", .max = 1 + size / 3 },
		{ .id = "Id", .max = 1 + size / 5, .pass_longer = true },
		{ .arrays = one, .id = "Id", .time = "t", .max = 1 << 20 },
		{ .arrays = several,
		    .values = values,
		    .max = 1 << 20,
		    .absent_is_empty = true },
		{ .arrays = several,
		    .values = values,
		    .max = 1 << 20,
		    .absent_is_empty = true,
		    .object_is_element = true },
		{ .arrays = several,
		    .values = values,
		    .max = 1 + size / 5,
		    .pass_longer = true },
	};

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct split_way way = { .scan = scan_best() };
		struct split_result r;

		split_run(&specs[i], &way, (const char *)data, size, &r);
		all_ways(&specs[i], data, size, &r);
		if (specs[i].arrays != NULL && !specs[i].pass_longer)
			against_jansson(&specs[i], data, size, &r);
		split_release(&r);
	}
	return 0;
}
