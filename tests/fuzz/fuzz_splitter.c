/*
 * fuzz_splitter.c - any bytes through the splitter: every kind of scan and
 * every way to cut the input must say the same, and what jansson takes for an
 * array must come out as its elements.
 */
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

/* Each element must mean what jansson has at its place. */
static void
against_jansson(const uint8_t *data, size_t size, const struct split_result *r)
{
	json_t *document = json_loadb((const char *)data, size,
	    JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	const char *line = r->elements.data;

	if (document == NULL)
		return;
	if (!json_is_array(document)) {
		FUZZ_CHECK(r->rc != 0);
		json_decref(document);
		return;
	}
	FUZZ_CHECK(r->rc == 0 && r->count == json_array_size(document));
	for (size_t i = 0; i < r->count; i++) {
		const char *end = strchr(line, '\n');
		json_t *el = json_loadb(line, (size_t)(end - line),
		    JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

		FUZZ_CHECK(json_equal(el, json_array_get(document, i)));
		json_decref(el);
		line = end + 1;
	}
	json_decref(document);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const path[] = { "value", NULL };
	const struct splitter_spec specs[] = {
		{ .id = "Id", .time = "CreationTime", .max = 1 << 20 },
		{ .id = "Id", .max = 1 + size / 3 },
		{ .id = "Id", .max = 1 + size / 5, .pass_longer = true },
		{ .path = path, .id = "Id", .time = "t", .max = 1 << 20 },
	};

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct split_way way = { .scan = scan_best() };
		struct split_result r;

		split_run(&specs[i], &way, (const char *)data, size, &r);
		all_ways(&specs[i], data, size, &r);
		if (i == 0 && size < MOST_FOR_JANSSON)
			against_jansson(data, size, &r);
		split_release(&r);
	}
	return 0;
}
