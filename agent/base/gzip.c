/*
 * gzip.c - gzip members (RFC 1952) that can be joined without packing again:
 * headers, trailers and checksums, round the blocks that an engine makes.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/gzip_private.h"
#include "base/mem.h"

#define HEADER 10
#define TRAILER 8
/* Deflate cannot do better than 258 bytes for two bits. */
#define BEST_RATIO 1032
/* Output grows in steps of this. */
#define STEP 65536

enum {
	FLAG_HCRC = 2,
	FLAG_EXTRA = 4,
	FLAG_NAME = 8,
	FLAG_COMMENT = 16,
	FLAG_UNKNOWN = 0xe0
};

struct gzip {
	const struct gzip_engine *engine;
	void *state;
};

/* No flags, no time, "fastest", Unix. */
static const uint8_t header[HEADER] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3 };
/* A sync flush ends with an empty stored block; then the empty final block. */
static const uint8_t flushed[] = { 0x00, 0x00, 0x00, 0xff, 0xff, 0x03, 0x00 };
/* What follows the blocks: the final block and the trailer. */
#define TAIL (2 + TRAILER)

static const struct gzip_engine *
default_engine(void)
{
#ifdef HAVE_ISAL
	return &gzip_isal;
#else
	return &gzip_zlib;
#endif
}

struct gzip *
gzip_new_with(const struct gzip_engine *engine)
{
	struct gzip *g = xmalloc(sizeof(*g));

	g->engine = engine;
	g->state = engine->open();
	return g;
}

struct gzip *
gzip_new(void)
{
	return gzip_new_with(default_engine());
}

void
gzip_free(struct gzip *g)
{
	if (g == NULL)
		return;
	g->engine->close(g->state);
	free(g);
}

const char *
gzip_library(void)
{
	return default_engine()->name();
}

uint8_t *
gzip_room(struct buf *out, size_t *avail)
{
	size_t left = out->ceiling - out->len;

	if (out->size <= out->len + 1) {
		if (left == 0 ||
		    buf_room(out, left < STEP ? left : STEP) == NULL)
			return NULL;
	}
	*avail = out->size - out->len - 1;
	return (uint8_t *)out->data + out->len;
}

static void
put32(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t
get32(const uint8_t *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 |
	    (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* Cut b back to len bytes. */
static void
cut(struct buf *b, size_t len)
{
	b->len = len;
	if (b->data != NULL)
		b->data[len] = '\0';
}

int
gzip_pack(struct gzip *g, const void *data, size_t len, struct buf *out,
    struct err *err)
{
	size_t before = out->len;
	uint8_t tail[TAIL] = { 0x03, 0x00 };

	if (len > GZIP_BLOCK)
		return err_set(err,
		    "gzip: %zu bytes are too many for one "
		    "member",
		    len);
	if (buf_add(out, header, HEADER) != 0)
		goto full;
	if (len == 0) {
		if (buf_add(out, flushed, sizeof(flushed) - 2) != 0)
			goto full;
	} else if (g->engine->deflate(g->state, data, len, out, err) != 0) {
		cut(out, before);
		return -1;
	}
	put32(tail + 2, g->engine->crc(0, data, len));
	put32(tail + 6, (uint32_t)len);
	if (buf_add(out, tail, sizeof(tail)) == 0)
		return 0;
full:
	cut(out, before);
	return err_set(err, "gzip: the compressed data would exceed %zu bytes",
	    out->ceiling);
}

/* Was this made by gzip_pack() or gzip_join()? */
static bool
joinable(const uint8_t *m, size_t len)
{
	return len >= HEADER + sizeof(flushed) + TRAILER - 1 &&
	    memcmp(m, header, HEADER) == 0 &&
	    memcmp(m + len - TRAILER - (sizeof(flushed) - 1), flushed + 1,
		sizeof(flushed) - 1) == 0;
}

int
gzip_join(struct buf *out, const void *member, size_t len, struct err *err)
{
	const uint8_t *m = member;
	uint8_t tail[TAIL] = { 0x03, 0x00 };
	uint8_t *old;
	uint32_t crc, size, added;

	if (!joinable(m, len))
		return err_set(err,
		    "gzip: a member to be joined is damaged or was written by "
		    "another program");
	if (out->len > 0 && !joinable((uint8_t *)out->data, out->len))
		return err_set(err,
		    "gzip: the member to be joined to is damaged or was "
		    "written by another program");
	if (out->len == 0) {
		if (buf_add(out, m, len) != 0)
			goto full;
		return 0;
	}
	if (buf_room(out, len - HEADER - TAIL) == NULL)
		goto full;
	old = (uint8_t *)out->data + out->len - TRAILER;
	added = get32(m + len - 4);
	crc = (uint32_t)crc32_combine(get32(old), get32(m + len - TRAILER),
	    (z_off_t)added);
	size = get32(old + 4) + added;
	put32(tail + 2, crc);
	put32(tail + 6, size);
	out->len -= TAIL;
	/* Room was made for both. */
	if (buf_add(out, m + HEADER, len - HEADER - TAIL) == 0 &&
	    buf_add(out, tail, TAIL) == 0)
		return 0;
full:
	return err_set(err, "gzip: the joined data would exceed %zu bytes",
	    out->ceiling);
}

/* Length of a NUL-terminated header field with its NUL, 0 if it has no end. */
static size_t
field(const uint8_t *m, size_t len)
{
	const uint8_t *nul = len == 0 ? NULL : memchr(m, 0, len);

	return nul == NULL ? 0 : (size_t)(nul - m) + 1;
}

/* Length of the header of a member that anyone may have made, 0 if it is cut
 * off; -1 when it is none. */
static int
read_header(const uint8_t *m, size_t len, size_t *used)
{
	static const int texts[] = { FLAG_NAME, FLAG_COMMENT };
	size_t at = HEADER;
	int flags;

	*used = 0;
	if (memcmp(m, header, len < 3 ? len : 3) != 0)
		return -1;
	if (len < HEADER)
		return 0;
	flags = m[3];
	if ((flags & FLAG_UNKNOWN) != 0)
		return -1;
	if ((flags & FLAG_EXTRA) != 0) {
		if (len - at < 2)
			return 0;
		at += (size_t)2 + m[at] + ((size_t)m[at + 1] << 8);
	}
	for (size_t i = 0; i < 2; i++) {
		size_t n;

		if ((flags & texts[i]) == 0)
			continue;
		n = at >= len ? 0 : field(m + at, len - at);
		if (n == 0)
			return 0;
		at += n;
	}
	if ((flags & FLAG_HCRC) != 0)
		at += 2;
	if (at <= len)
		*used = at;
	return 0;
}

static int
ends_early(struct err *err)
{
	return err_set(err, "gzip: the data ends inside a member");
}

/* Unpack the member at m; *used says how long it is. */
static int
unpack_member(struct gzip *g, const uint8_t *m, size_t len, size_t *used,
    struct buf *out, struct err *err)
{
	size_t before = out->len;
	size_t head, blocks, size;

	if (read_header(m, len, &head) != 0)
		return err_set(err,
		    "gzip: the data is not gzip, or continues after its end");
	if (head == 0)
		return ends_early(err);
	if (g->engine->inflate(g->state, m + head, len - head, &blocks, out,
		err) != 0)
		return -1;
	*used = head + blocks;
	if (len - *used < TRAILER)
		return ends_early(err);
	size = out->len - before;
	if (get32(m + *used + 4) != (uint32_t)size)
		return err_set(err,
		    "gzip: the length does not match: the data "
		    "is damaged");
	if (get32(m + *used) !=
	    g->engine->crc(0, size == 0 ? "" : out->data + before, size))
		return err_set(err,
		    "gzip: the checksum does not match: the "
		    "data is damaged");
	*used += TRAILER;
	return 0;
}

/* The last trailer says how much is coming; it is a hint, and may lie. */
static void
reserve(const uint8_t *m, size_t len, struct buf *out)
{
	size_t left = out->ceiling - out->len;
	size_t want;

	if (len < HEADER + TRAILER)
		return;
	want = get32(m + len - 4);
	if (want <= left && want / BEST_RATIO <= len)
		(void)!buf_room(out, want);
}

int
gzip_unpack(struct gzip *g, const void *data, size_t len, struct buf *out,
    struct err *err)
{
	const uint8_t *m = data;
	size_t before = out->len;

	if (len == 0)
		return ends_early(err);
	reserve(m, len, out);
	while (len > 0) {
		size_t used = 0;

		if (unpack_member(g, m, len, &used, out, err) != 0) {
			cut(out, before);
			return -1;
		}
		m += used;
		len -= used;
	}
	if (buf_add(out, "", 0) != 0) /* nothing is "" */
		return err_set(err, "gzip: out of memory");
	return 0;
}
