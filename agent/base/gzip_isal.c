/*
 * gzip_isal.c - raw deflate with Intel ISA-L: five times as fast as zlib at
 * a better ratio.
 */
#include "base/gzip_private.h"

#ifdef HAVE_ISAL
#include <stdbool.h>
#include <stdlib.h>

#include <isa-l.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#define LEVEL 1
/* Tokens of one block are kept here; larger brings next to nothing. */
#define LEVEL_BUFFER ISAL_DEF_LVL1_MEDIUM

#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)

struct packer {
	struct isal_zstream stream;
	uint8_t level[LEVEL_BUFFER];
};

struct isal {
	struct packer *pack;          /* NULL until used */
	struct inflate_state *unpack; /* NULL until used */
};

/* ISA-L 2.30 returns with dirty upper halves of the vector registers, which
 * makes SSE code (zlib, OpenSSL) in the same thread half as fast until they
 * are cleared. */
#if defined(__x86_64__)
__attribute__((target("avx"))) static void
zero_upper(void)
{
	__builtin_ia32_vzeroupper();
}

void
gzip_clean_vectors(void)
{
	if (__builtin_cpu_supports("avx"))
		zero_upper();
}
#else
void
gzip_clean_vectors(void)
{
}
#endif

static const char *
isal_name(void)
{
	return "ISA-L " TEXT(ISAL_MAJOR_VERSION) "." TEXT(
	    ISAL_MINOR_VERSION) "." TEXT(ISAL_PATCH_VERSION);
}

static void *
isal_open(void)
{
	return xcalloc(1, sizeof(struct isal));
}

static void
isal_close(void *state)
{
	struct isal *z = state;

	free(z->pack);
	free(z->unpack);
	free(z);
}

static struct isal_zstream *
packer(struct isal *z)
{
	struct isal_zstream *s;

	if (z->pack == NULL) {
		z->pack = xmalloc(sizeof(*z->pack));
		isal_deflate_init(&z->pack->stream);
	}
	s = &z->pack->stream;
	isal_deflate_reset(s);
	s->level = LEVEL;
	s->level_buf = z->pack->level;
	s->level_buf_size = sizeof(z->pack->level);
	s->gzip_flag = IGZIP_DEFLATE;
	s->flush = SYNC_FLUSH;
	s->end_of_stream = 0;
	return s;
}

static int
isal_pack(void *state, const void *data, size_t len, struct buf *out,
    struct err *err)
{
	struct isal_zstream *s = packer(state);

	s->next_in = (uint8_t *)(uintptr_t)data; /* only read */
	s->avail_in = (uint32_t)len;
	do {
		size_t room;
		uint8_t *to = gzip_room(out, &room);
		int rc;

		if (to == NULL)
			return err_set(err,
			    "gzip: the compressed data would exceed %zu bytes",
			    out->ceiling);
		if (room > GZIP_BLOCK)
			room = GZIP_BLOCK;
		s->next_out = to;
		s->avail_out = (uint32_t)room;
		rc = isal_deflate(s);
		gzip_clean_vectors();
		if (rc != COMP_OK)
			return err_set(err, "gzip: ISA-L failed (%d)", rc);
		out->len += room - s->avail_out;
	} while (s->avail_out == 0);
	return 0;
}

/* One call of isal_inflate(): as much as fits; *made says how much that was. */
static int
inflate_some(struct inflate_state *s, struct buf *out, size_t *made,
    struct err *err)
{
	uint8_t scratch;
	size_t room = 1;
	uint8_t *to = gzip_room(out, &room);
	bool full = to == NULL;
	int rc;

	if (room > GZIP_BLOCK)
		room = GZIP_BLOCK;
	s->next_out = full ? &scratch : to;
	s->avail_out = (uint32_t)room;
	rc = isal_inflate(s);
	gzip_clean_vectors();
	*made = room - s->avail_out;
	if (full && *made > 0)
		return err_set(err,
		    "gzip: the data decompresses to more than %zu bytes",
		    out->ceiling);
	out->len += *made;
	if (rc < 0)
		return err_set(err, "gzip: the data is damaged (ISA-L %d)", rc);
	return 0;
}

static int
isal_unpack(void *state, const void *data, size_t len, size_t *used,
    struct buf *out, struct err *err)
{
	struct isal *z = state;
	struct inflate_state *s;
	size_t left = len;

	if (z->unpack == NULL)
		z->unpack = xmalloc(sizeof(*z->unpack));
	s = z->unpack;
	isal_inflate_init(s);
	s->crc_flag = ISAL_DEFLATE;
	s->next_in = (uint8_t *)(uintptr_t)data; /* only read */
	s->avail_in = 0;
	while (s->block_state != ISAL_BLOCK_FINISH) {
		size_t made;

		if (s->avail_in == 0) {
			size_t piece = left < GZIP_BLOCK ? left : GZIP_BLOCK;

			s->avail_in = (uint32_t)piece;
			left -= piece;
		}
		if (inflate_some(s, out, &made, err) != 0)
			return -1;
		if (made == 0 && s->avail_in == 0 && left == 0 &&
		    s->block_state != ISAL_BLOCK_FINISH)
			return err_set(err,
			    "gzip: the data ends inside a member");
	}
	/* Whole bytes that it has read ahead belong to the trailer. */
	*used = len - left - s->avail_in - (size_t)s->read_in_length / 8;
	return 0;
}

static uint32_t
isal_crc(uint32_t crc, const void *data, size_t len)
{
	crc = crc32_gzip_refl(crc, data, len);
	gzip_clean_vectors();
	return crc;
}

const struct gzip_engine gzip_isal = {
	.name = isal_name,
	.open = isal_open,
	.close = isal_close,
	.deflate = isal_pack,
	.inflate = isal_unpack,
	.crc = isal_crc,
};
#endif /* HAVE_ISAL */
