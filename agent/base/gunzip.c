/*
 * gunzip.c - gzip that is unpacked while it comes.  Both libraries read the
 * header and check length and CRC-32 themselves.
 */
#include "base/gunzip.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef HAVE_ISAL
#include <isa-l.h>
#else
#define ZLIB_CONST
#include <zlib.h>
#endif

#include "base/err.h"
#include "base/gzip_private.h"
#include "base/mem.h"

#define PIECE ((size_t)32 * 1024)

struct gunzip {
	gunzip_fn *take;
	void *ctx;
	enum gunzip_kind kind;
	bool inside; /* a member has begun and not ended */
	bool ended;  /* one has */
	bool padded; /* zeros came behind it */
#ifdef HAVE_ISAL
	struct inflate_state state;
#else
	z_stream state;
	bool opened; /* state is to be ended */
#endif
	uint8_t out[PIECE];
};

#ifdef HAVE_ISAL
static void
close_state(struct gunzip *g)
{
	(void)g;
}

static int
begin_member(struct gunzip *g, struct err *err)
{
	static const uint32_t flags[] = {
		[GUNZIP_GZIP] = ISAL_GZIP,
		[GUNZIP_ZLIB] = ISAL_ZLIB,
		[GUNZIP_DEFLATE] = ISAL_DEFLATE,
	};

	(void)err;
	isal_inflate_init(&g->state);
	g->state.crc_flag = flags[g->kind];
	return 0;
}

static int
inflate_some(struct gunzip *g, bool *ended, struct err *err)
{
	int rc = isal_inflate(&g->state);

	gzip_clean_vectors();
	*ended = g->state.block_state == ISAL_BLOCK_FINISH;
	return rc >= 0 ? 0 : err_set(err, "damaged gzip (ISA-L %d)", rc);
}
#else
static void
close_state(struct gunzip *g)
{
	if (g->opened)
		(void)inflateEnd(&g->state);
}

static int
begin_member(struct gunzip *g, struct err *err)
{
	static const int bits[] = {
		[GUNZIP_GZIP] = 16 + MAX_WBITS,
		[GUNZIP_ZLIB] = MAX_WBITS,
		[GUNZIP_DEFLATE] = -MAX_WBITS,
	};
	int rc = g->opened ? inflateReset2(&g->state, bits[g->kind])
			   : inflateInit2(&g->state, bits[g->kind]);

	if (rc != Z_OK)
		return err_set(err, "zlib is out of memory");
	g->opened = true;
	return 0;
}

static int
inflate_some(struct gunzip *g, bool *ended, struct err *err)
{
	int rc = inflate(&g->state, Z_NO_FLUSH);

	*ended = rc == Z_STREAM_END;
	if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
		return 0;
	return err_set(err, "damaged gzip: %s",
	    g->state.msg == NULL ? "zlib rejects it" : g->state.msg);
}
#endif /* HAVE_ISAL */

struct gunzip *
gunzip_new(void)
{
	return xcalloc(1, sizeof(struct gunzip));
}

void
gunzip_free(struct gunzip *g)
{
	if (g != NULL)
		close_state(g);
	free(g);
}

void
gunzip_begin_as(struct gunzip *g, enum gunzip_kind kind, gunzip_fn *take,
    void *ctx)
{
	g->kind = kind;
	g->take = take;
	g->ctx = ctx;
	g->inside = false;
	g->ended = false;
	g->padded = false;
}

void
gunzip_begin(struct gunzip *g, gunzip_fn *take, void *ctx)
{
	gunzip_begin_as(g, GUNZIP_GZIP, take, ctx);
}

/* Some writers fill blocks up with zeros behind the last member.  Moves past
 * them; -1: something else follows that cannot be a member. */
static int
skip_padding(struct gunzip *g, const uint8_t **in, size_t *len, struct err *err)
{
	while (*len > 0 && **in == 0) {
		g->padded = true;
		(*in)++;
		(*len)--;
	}
	if (*len > 0 && (g->padded || g->kind != GUNZIP_GZIP))
		return err_set(err, "damaged gzip: bytes after its end");
	return 0;
}

int
gunzip_push(struct gunzip *g, const void *data, size_t len, struct err *err)
{
	const uint8_t *in = data;
	size_t made = 0;

	if (len > GZIP_BLOCK)
		return err_set(err, "%zu bytes are too many at once", len);
	/* A full write batch may not be all: more can come without input. */
	while (len > 0 || (g->inside && made == PIECE)) {
		bool ended;

		if (!g->inside && g->ended) {
			if (skip_padding(g, &in, &len, err) != 0)
				return -1;
			if (len == 0)
				return 0;
		}
		if (!g->inside && begin_member(g, err) != 0)
			return -1;
		g->inside = true;
		g->state.next_in = (uint8_t *)(uintptr_t)in; /* only read */
		g->state.avail_in = (uint32_t)len;
		g->state.next_out = g->out;
		g->state.avail_out = PIECE;
		if (inflate_some(g, &ended, err) != 0)
			return -1;
		in += len - g->state.avail_in;
		made = PIECE - g->state.avail_out;
		if (len > 0 && len == g->state.avail_in && made == 0 && !ended)
			return err_set(err, "damaged gzip: no progress");
		len = g->state.avail_in;
		g->inside = !ended;
		g->ended = g->ended || ended;
		if (made > 0 && g->take(g->ctx, (char *)g->out, made, err) != 0)
			return -1;
	}
	return 0;
}

int
gunzip_end(const struct gunzip *g, struct err *err)
{
	return g->inside ? err_set(err, "the gzip data is truncated") : 0;
}
