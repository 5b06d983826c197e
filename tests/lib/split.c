/*
 * split.c - one document through the splitter in one way.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/splitter_private.h"
#include "tests/lib/split.h"

#define MAX ((size_t)1 << 30)

/* A test stops at its first surprise; also under a fuzzer. */
static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
add_slice(struct buf *b, struct slice s, const char *behind)
{
	if (s.data == NULL)
		must(buf_adds(b, "-") == 0);
	else
		must(buf_add(b, s.data, s.len) == 0);
	must(buf_adds(b, behind) == 0);
}

static int
take(void *ctx, const struct element *el, struct err *err)
{
	struct split_result *r = ctx;

	(void)err;
	r->count++;
	must(buf_addf(&r->arrays, "%zu\n", el->array) == 0);
	if (el->data == NULL) {
		must(el->id.data == NULL && el->time.data == NULL);
		must(buf_adds(&r->elements, "longer\n") == 0);
		must(buf_adds(&r->keys, "- -\n") == 0);
		return 0;
	}
	must(el->len > 0);
	must(memchr(el->data, '\n', el->len) == NULL);
	must(memchr(el->data, '\r', el->len) == NULL);
	must(buf_add(&r->elements, el->data, el->len) == 0);
	must(buf_adds(&r->elements, "\n") == 0);
	add_slice(&r->keys, el->id, " ");
	add_slice(&r->keys, el->time, "\n");
	return 0;
}

static size_t
next_chunk(const struct split_way *way, uint32_t *x, size_t left)
{
	size_t n = way->chunk == 0 ? left : way->chunk;

	if (way->seed != 0) {
		*x = *x * 1664525 + 1013904223;
		n = 1 + (*x >> 8) % n;
	}
	return n < left ? n : left;
}

void
split_run(const struct splitter_spec *spec, const struct split_way *way,
    const char *data, size_t len, struct split_result *r)
{
	struct splitter *s = splitter_new_with(spec, take, r, way->scan);
	uint32_t x = way->seed;
	size_t room = way->chunk == 0 || way->chunk > len ? len : way->chunk;
	/* Pushes come from the end of memory of their own, so that a sanitizer
	 * sees whoever reads on, and are gone after the push. */
	char *memory = room == 0 ? NULL : xmalloc(room);

	*r = (struct split_result){ .elements = BUF_INIT(MAX),
		.keys = BUF_INIT(MAX),
		.arrays = BUF_INIT(MAX),
		.values = BUF_INIT(MAX) };
	while (len > 0 && r->rc == 0) {
		size_t n = next_chunk(way, &x, len);
		char *chunk = memory + (room - n);

		memcpy(chunk, data, n);
		r->rc = splitter_push(s, chunk, n, &r->err);
		memset(chunk, 0xee, n);
		data += n;
		len -= n;
	}
	if (r->rc == 0)
		r->rc = splitter_end(s, &r->err);
	must((r->rc == 0) == (r->err.text[0] == '\0'));
	for (size_t i = 0;
	     r->rc == 0 && spec->values != NULL && spec->values[i] != NULL; i++)
		add_slice(&r->values, splitter_value(s, i), "\n");
	splitter_free(s);
	free(memory);
}

static int
buf_compare(const struct buf *a, const struct buf *b)
{
	if (a->len != b->len)
		return -1;
	return a->len == 0 ? 0 : memcmp(a->data, b->data, a->len);
}

int
split_compare(const struct split_result *a, const struct split_result *b)
{
	if (a->rc != b->rc || strcmp(a->err.text, b->err.text) != 0)
		return -1;
	if (buf_compare(&a->elements, &b->elements) != 0 ||
	    buf_compare(&a->arrays, &b->arrays) != 0 ||
	    buf_compare(&a->values, &b->values) != 0)
		return -1;
	return buf_compare(&a->keys, &b->keys);
}

void
split_release(struct split_result *r)
{
	buf_release(&r->elements);
	buf_release(&r->keys);
	buf_release(&r->arrays);
	buf_release(&r->values);
}
