/*
 * gzip_zlib.c - raw deflate with zlib.
 */
#include <stdbool.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/gzip_private.h"
#include "base/mem.h"

#define LEVEL 1
#define RAW (-15)
#define MEM_LEVEL 8

struct zlib {
	z_stream pack;
	z_stream unpack;
	bool packing;   /* pack is initialised */
	bool unpacking; /* unpack is initialised */
};

static const char *
zlib_name(void)
{
	return "zlib " ZLIB_VERSION;
}

static void *
zlib_open(void)
{
	return xcalloc(1, sizeof(struct zlib));
}

static void
zlib_close(void *state)
{
	struct zlib *z = state;

	if (z->packing)
		(void)deflateEnd(&z->pack);
	if (z->unpacking)
		(void)inflateEnd(&z->unpack);
	free(z);
}

static int
zlib_deflate(void *state, const void *data, size_t len, struct buf *out,
    struct err *err)
{
	struct zlib *z = state;
	z_stream *s = &z->pack;
	int rc;

	if (z->packing)
		rc = deflateReset(s);
	else
		rc = deflateInit2(s, LEVEL, Z_DEFLATED, RAW, MEM_LEVEL,
		    Z_DEFAULT_STRATEGY);
	if (rc != Z_OK)
		return err_set(err, "gzip: zlib is out of memory");
	z->packing = true;
	s->next_in = data;
	s->avail_in = (uInt)len;
	do {
		size_t room;
		uint8_t *to = gzip_room(out, &room);

		if (to == NULL)
			return err_set(err,
			    "gzip: the compressed data would exceed %zu bytes",
			    out->ceiling);
		if (room > GZIP_BLOCK)
			room = GZIP_BLOCK;
		s->next_out = to;
		s->avail_out = (uInt)room;
		(void)deflate(s, Z_SYNC_FLUSH);
		out->len += room - s->avail_out;
	} while (s->avail_out == 0);
	return 0;
}

/* One call of inflate(): as much as fits. */
static int
inflate_some(z_stream *s, struct buf *out, struct err *err)
{
	uint8_t scratch;
	size_t room = 1;
	uint8_t *to = gzip_room(out, &room);
	bool full = to == NULL;
	int rc;

	if (room > GZIP_BLOCK)
		room = GZIP_BLOCK;
	s->next_out = full ? &scratch : to;
	s->avail_out = (uInt)room;
	rc = inflate(s, Z_NO_FLUSH);
	room -= s->avail_out;
	if (full && room > 0)
		return err_set(err,
		    "gzip: the data decompresses to more than %zu bytes",
		    out->ceiling);
	out->len += room;
	if (rc == Z_MEM_ERROR)
		return err_set(err, "gzip: zlib is out of memory");
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return err_set(err, "gzip: the data is damaged: %s",
		    s->msg == NULL ? "zlib rejects it" : s->msg);
	return rc;
}

static int
zlib_inflate(void *state, const void *data, size_t len, size_t *used,
    struct buf *out, struct err *err)
{
	struct zlib *z = state;
	z_stream *s = &z->unpack;
	size_t left = len;
	int rc = z->unpacking ? inflateReset(s) : inflateInit2(s, RAW);

	if (rc != Z_OK)
		return err_set(err, "gzip: zlib is out of memory");
	z->unpacking = true;
	s->next_in = data;
	s->avail_in = 0;
	while (rc != Z_STREAM_END) {
		if (s->avail_in == 0) {
			size_t piece = left < GZIP_BLOCK ? left : GZIP_BLOCK;

			s->avail_in = (uInt)piece;
			left -= piece;
		}
		rc = inflate_some(s, out, err);
		if (rc < 0 && rc != Z_BUF_ERROR)
			return -1;
		if (rc == Z_BUF_ERROR && s->avail_in == 0 && left == 0)
			return err_set(err,
			    "gzip: the data ends inside a member");
	}
	*used = len - left - s->avail_in;
	return 0;
}

static uint32_t
zlib_crc(uint32_t crc, const void *data, size_t len)
{
	return (uint32_t)crc32_z(crc, data, len);
}

const struct gzip_engine gzip_zlib = {
	.name = zlib_name,
	.open = zlib_open,
	.close = zlib_close,
	.deflate = zlib_deflate,
	.inflate = zlib_inflate,
	.crc = zlib_crc,
};
