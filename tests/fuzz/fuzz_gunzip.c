/*
 * fuzz_gunzip.c - gzip data that comes in pieces: any bytes, and, by the first
 * byte, bytes that were packed well, and then perhaps altered.  However it is
 * cut, the outcome is the same; what is let through is what zlib makes of it.
 */
#include <stdbool.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/gunzip.h"
#include "tests/fuzz/fuzz.h"

#define CEILING ((size_t)4 << 20)

struct sink {
	struct buf out;
	bool full;
};

static int
take(void *ctx, const char *data, size_t len, struct err *err)
{
	struct sink *s = ctx;

	FUZZ_CHECK(len > 0);
	s->full = buf_add(&s->out, data, len) != 0;
	return s->full ? err_set(err, "enough") : 0;
}

/* All of data through g, the length of each piece out of seed; 0: in one.
 * Returns whether it is sound and whole. */
static bool
unpack(struct gunzip *g, const uint8_t *data, size_t size, uint32_t seed,
    struct sink *s)
{
	struct err err = ERR_INIT;
	int rc = 0;

	s->full = false;
	buf_clear(&s->out);
	gunzip_begin(g, take, s);
	for (size_t at = 0, len; at < size && rc == 0; at += len) {
		len = size - at;
		if (seed != 0) {
			size_t most = 1 + (seed >> 16) % 64;

			seed = seed * 1103515245u + 12345u;
			len = len < most ? len : most;
		}
		rc = gunzip_push(g, data + at, len, &err);
	}
	if (rc == 0)
		rc = gunzip_end(g, &err);
	FUZZ_CHECK((rc == 0) == (err.text[0] == '\0'));
	return rc == 0;
}

/* What zlib says of gzip data. */
enum zlib_word { ZLIB_GOOD, ZLIB_BAD, ZLIB_PEDANTIC };

/* Bytes of data that zlib takes for one member, appended to out; 0: none.
 * *word: why. */
static size_t
zlib_member(const uint8_t *data, size_t size, struct buf *out,
    enum zlib_word *word)
{
	z_stream z = { .next_in = data, .avail_in = (uInt)size };
	size_t used = 0;
	int rc = Z_OK;

	FUZZ_CHECK(inflateInit2(&z, 16 + MAX_WBITS) == Z_OK);
	while (rc == Z_OK) {
		char *room = buf_room(out, 65536);

		if (room == NULL)
			break;
		z.next_out = (Bytef *)room;
		z.avail_out = 65536;
		rc = inflate(&z, Z_NO_FLUSH);
		out->len += 65536 - z.avail_out;
	}
	*word = ZLIB_GOOD;
	if (rc == Z_STREAM_END)
		used = size - z.avail_in;
	/* Whether the data is there and right; in the rest libraries differ:
	 * ISA-L passes over flags without a meaning and codes without a use. */
	else if (z.msg == NULL || strstr(z.msg, "incorrect") != NULL)
		*word = ZLIB_BAD;
	else
		*word = ZLIB_PEDANTIC;
	(void)inflateEnd(&z);
	return used;
}

static enum zlib_word
zlib_unpack(const uint8_t *data, size_t size, struct buf *out)
{
	enum zlib_word word = ZLIB_GOOD;

	for (size_t at = 0; at < size && word == ZLIB_GOOD;)
		at += zlib_member(data + at, size - at, out, &word);
	return word;
}

/* What is let through is what zlib makes of it, and what zlib lets through is.
 */
static void
against_zlib(const uint8_t *data, size_t size, bool sound,
    const struct sink *whole)
{
	struct buf zlib = BUF_INIT(2 * CEILING);
	enum zlib_word word = ZLIB_PEDANTIC;

	if (!whole->full)
		word = zlib_unpack(data, size, &zlib);
	if (word != ZLIB_PEDANTIC)
		FUZZ_CHECK(sound == (word == ZLIB_GOOD));
	if (word == ZLIB_GOOD) {
		FUZZ_CHECK(zlib.len == whole->out.len);
		FUZZ_CHECK(zlib.len == 0 ||
		    memcmp(zlib.data, whole->out.data, zlib.len) == 0);
	}
	buf_release(&zlib);
}

/* Every way to cut it says the same.  Returns whether it is sound. */
static bool
all_ways(const uint8_t *data, size_t size, struct buf *out)
{
	static struct gunzip *g;
	struct sink whole = { .out = BUF_INIT(CEILING) };
	struct sink pieces = { .out = BUF_INIT(CEILING) };
	size_t least;
	bool sound;

	/* One for all: it must begin anew, whatever became of the last. */
	if (g == NULL)
		g = gunzip_new();
	sound = unpack(g, data, size, 0, &whole);
	for (uint32_t seed = 1; seed < 4; seed++) {
		FUZZ_CHECK(unpack(g, data, size, seed + (uint32_t)size,
			       &pieces) == sound);
		least = pieces.out.len < whole.out.len ? pieces.out.len
						       : whole.out.len;
		/* Damage may be met earlier or later; before it, all is the
		 * same. */
		FUZZ_CHECK(!sound || pieces.out.len == whole.out.len);
		FUZZ_CHECK(least == 0 ||
		    memcmp(pieces.out.data, whole.out.data, least) == 0);
	}
	against_zlib(data, size, sound, &whole);
	if (sound)
		FUZZ_CHECK(whole.out.len == 0 ||
		    buf_add(out, whole.out.data, whole.out.len) == 0);
	buf_release(&whole.out);
	buf_release(&pieces.out);
	return sound;
}

/* Append data as a member by zlib, with a window of its own. */
static void
pack(const uint8_t *data, size_t size, uint8_t how, struct buf *out)
{
	z_stream z = { .next_in = data, .avail_in = (uInt)size };
	char *room = buf_room(out, size + size / 8 + 1024);

	FUZZ_CHECK(room != NULL);
	FUZZ_CHECK(deflateInit2(&z, how % 10, Z_DEFLATED, 16 + 9 + how % 7,
		       1 + how % 9, how % 5) == Z_OK);
	z.next_out = (Bytef *)room;
	z.avail_out = (uInt)(size + size / 8 + 1024);
	FUZZ_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	out->len += size + size / 8 + 1024 - z.avail_out;
	FUZZ_CHECK(deflateEnd(&z) == Z_OK);
}

/* Two members that hold data, repeated; altered: one bit of them, or their
 * end, is lost. */
static void
good(const uint8_t *data, size_t size, uint8_t how, uint16_t altered)
{
	struct buf text = BUF_INIT(CEILING), packed = BUF_INIT(CEILING);
	struct buf out = BUF_INIT(CEILING);
	bool sound;

	for (int i = 0; i < 1 + how % 32; i++)
		FUZZ_CHECK(size == 0 || buf_add(&text, data, size) == 0);
	pack((uint8_t *)text.data, text.len / 3, how, &packed);
	pack((uint8_t *)text.data + text.len / 3, text.len - text.len / 3,
	    (uint8_t)(how + 1), &packed);
	if (altered % 4 == 1)
		packed.data[altered / 4 % packed.len] ^= (char)(1 << how % 8);
	if (altered % 4 == 2)
		packed.len -= 1 + altered / 4 % (packed.len - 1);
	sound = all_ways((uint8_t *)packed.data, packed.len, &out);
	if (altered % 4 == 0 || altered % 4 == 3) {
		FUZZ_CHECK(sound && out.len == text.len);
		FUZZ_CHECK(text.len == 0 ||
		    memcmp(out.data, text.data, text.len) == 0);
	}
	buf_release(&text);
	buf_release(&packed);
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = BUF_INIT(CEILING);

	/* gzip begins with 0x1f. */
	if (size > 4 && data[0] < 4)
		good(data + 4, size - 4, data[1],
		    (uint16_t)(data[2] << 8 | data[3]));
	else
		(void)all_ways(data, size, &out);
	buf_release(&out);
	return 0;
}
