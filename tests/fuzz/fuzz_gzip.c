/*
 * fuzz_gzip.c - any bytes as gzip data, with every library; and any bytes
 * packed, joined and unpacked again.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/gzip_private.h"
#include "tests/fuzz/fuzz.h"

#define CEILING ((size_t)4 << 20)

static const struct gzip_engine *const engines[] = {
	&gzip_zlib,
#ifdef HAVE_ISAL
	&gzip_isal,
#endif
};
#define ENGINES (sizeof(engines) / sizeof(engines[0]))

static void
assert_same(const struct buf *b, const void *data, size_t size)
{
	FUZZ_CHECK(b->len == size);
	FUZZ_CHECK(size == 0 || memcmp(b->data, data, size) == 0);
}

static void
unpack(const uint8_t *data, size_t size)
{
	struct buf out[ENGINES];
	int rc[ENGINES];

	for (size_t i = 0; i < ENGINES; i++) {
		struct gzip *g = gzip_new_with(engines[i]);
		struct err err = ERR_INIT;

		buf_init(&out[i], CEILING);
		rc[i] = gzip_unpack(g, data, size, &out[i], &err);
		FUZZ_CHECK((rc[i] == 0) == (err.text[0] == '\0'));
		FUZZ_CHECK(rc[i] == 0 || out[i].len == 0);
		gzip_free(g);
	}
	/* Libraries differ in what they let pass, never in what it means. */
	for (size_t i = 1; i < ENGINES; i++) {
		if (rc[0] == 0 && rc[i] == 0)
			assert_same(&out[i], out[0].data, out[0].len);
	}
	for (size_t i = 0; i < ENGINES; i++)
		buf_release(&out[i]);
}

static void
pack(const uint8_t *data, size_t size)
{
	size_t half = size / 2;

	for (size_t i = 0; i < ENGINES; i++) {
		struct gzip *g = gzip_new_with(engines[i]);
		struct buf joined = BUF_INIT(CEILING);
		struct buf part = BUF_INIT(CEILING);
		struct buf out = BUF_INIT(CEILING);
		struct err err = ERR_INIT;

		FUZZ_CHECK(gzip_pack(g, data, half, &joined, &err) == 0);
		FUZZ_CHECK(gzip_pack(g, data + half, size - half, &part,
			       &err) == 0);
		FUZZ_CHECK(gzip_join(&joined, part.data, part.len, &err) == 0);
		FUZZ_CHECK(gzip_unpack(g, joined.data, joined.len, &out,
			       &err) == 0);
		assert_same(&out, data, size);
		/* Not made by us, most of the time; never a crash. */
		(void)gzip_join(&joined, data, size, &err);
		buf_release(&joined);
		buf_release(&part);
		buf_release(&out);
		gzip_free(g);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unpack(data, size);
	pack(data, size);
	return 0;
}
