/*
 * source.c - the text of an input, whatever it is packed and encoded in.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <zlib.h>

#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/buf.h"
#include "base/err.h"
#include "base/late.h"
#include "base/mem.h"
#include "base/utf16.h"
#include "verify/source.h"

/* Bytes that are read, and unpacked, at once. */
#define PIECE ((size_t)256 * 1024)

/* What a packed file may ask for to be unpacked: as much as `xz -9` and
 * `zstd --ultra -22` do. */
#define WINDOW_MAX ((uint64_t)160 << 20)

#define MAGIC_MAX 6

/* What unpacks is loaded for the first input that is packed so: the agent,
 * which is the same program, has no use for it. */
#define MEMBER(name) __typeof__(name) *name;
#define NAME(name) #name,
#define LATE(library, file_name, FUNCTIONS)                               \
	static const char *const library##_names[] = { FUNCTIONS(NAME) }; \
	static union {                                                    \
		struct {                                                  \
			FUNCTIONS(MEMBER)                                 \
		} call;                                                   \
		void *any[sizeof(library##_names) / sizeof(char *)];      \
	} library;                                                        \
	static struct late_library library##_late = {                     \
		.file = (file_name),                                      \
		.names = library##_names,                                 \
		.functions = library.any,                                 \
		.n = sizeof(library##_names) / sizeof(char *),            \
		.lock = PTHREAD_MUTEX_INITIALIZER,                        \
	}

#ifdef HAVE_LZMA
#define LZMA_FUNCTIONS(EACH) \
	EACH(lzma_code)      \
	EACH(lzma_end)       \
	EACH(lzma_stream_decoder)
LATE(xz, LIBLZMA_FILE, LZMA_FUNCTIONS);
#endif
#ifdef HAVE_ZSTD
#define ZSTD_FUNCTIONS(EACH)        \
	EACH(ZSTD_createDStream)    \
	EACH(ZSTD_freeDStream)      \
	EACH(ZSTD_decompressStream) \
	EACH(ZSTD_isError)          \
	EACH(ZSTD_getErrorName)
LATE(zstd, LIBZSTD_FILE, ZSTD_FUNCTIONS);
#endif

/* Unpack from in, of which used is, into out: 1 go on, -1. */
typedef int unpack_fn(struct source *s, char *out, size_t room, size_t *got,
    struct err *err);

struct source {
	char *path;
	int fd;
	bool begun; /* packing is known */
	bool ended; /* the file, not what came out of it */
	char in[PIECE];
	size_t at;
	size_t len;
	unpack_fn *unpack;
	bool inside;     /* of a member that has to end */
	struct err late; /* stands behind what came out last */
	z_stream gzip;
#ifdef HAVE_LZMA
	lzma_stream xz;
#endif
#ifdef HAVE_ZSTD
	ZSTD_DStream *zstd;
#endif
	bool text_begun; /* encoding is known */
	struct utf16 utf16;
	struct buf piece; /* unpacked, before UTF-16 is decoded */
};

static int
fail(const struct source *s, struct err *err, const char *why)
{
	return err_set(err, "%s: cannot be read to its end: %s", s->path, why);
}

/* Have some bytes in s->in, unless the file is at its end. */
static int
fill(struct source *s, struct err *err)
{
	ssize_t n;

	if (s->at > 0) {
		memmove(s->in, s->in + s->at, s->len - s->at);
		s->len -= s->at;
		s->at = 0;
	}
	while (!s->ended && s->len < MAGIC_MAX) {
		n = read(s->fd, s->in + s->len, sizeof(s->in) - s->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return fail(s, err, strerror(errno));
		s->ended = n == 0;
		s->len += (size_t)n;
	}
	return 0;
}

static int
unpack_plain(struct source *s, char *out, size_t room, size_t *got,
    struct err *err)
{
	size_t n = s->len - s->at < room ? s->len - s->at : room;

	(void)err;
	memcpy(out, s->in + s->at, n);
	s->at += n;
	*got = n;
	return 0;
}

static int
unpack_gzip(struct source *s, char *out, size_t room, size_t *got,
    struct err *err)
{
	int rc;

	s->gzip.next_in = (unsigned char *)s->in + s->at;
	s->gzip.avail_in = (uInt)(s->len - s->at);
	s->gzip.next_out = (unsigned char *)out;
	s->gzip.avail_out = (uInt)room;
	/* Zeros behind the last member are padding. */
	if (!s->inside)
		while (s->gzip.avail_in > 0 && *s->gzip.next_in == 0) {
			s->gzip.next_in++;
			s->gzip.avail_in--;
		}
	rc = s->gzip.avail_in == 0 && !s->inside
	    ? Z_BUF_ERROR
	    : inflate(&s->gzip, Z_NO_FLUSH);
	s->inside = s->inside || rc == Z_OK;
	if (rc == Z_STREAM_END) {
		s->inside = false;
		(void)inflateReset(&s->gzip);
	}
	*got = room - s->gzip.avail_out;
	s->at = s->len - s->gzip.avail_in;
	if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
		return 0;
	return fail(s, err,
	    s->gzip.msg == NULL ? "damaged gzip data" : s->gzip.msg);
}

static int
begin_gzip(struct source *s, struct err *err)
{
	s->unpack = unpack_gzip;
	return inflateInit2(&s->gzip, 15 + 16) == Z_OK
	    ? 0
	    : err_set(err, "%s: zlib cannot be initialised", s->path);
}

#ifdef HAVE_LZMA
static int
unpack_xz(struct source *s, char *out, size_t room, size_t *got,
    struct err *err)
{
	lzma_ret rc;

	s->xz.next_in = (uint8_t *)s->in + s->at;
	s->xz.avail_in = s->len - s->at;
	s->xz.next_out = (uint8_t *)out;
	s->xz.avail_out = room;
	rc = xz.call.lzma_code(&s->xz, s->ended ? LZMA_FINISH : LZMA_RUN);
	*got = room - s->xz.avail_out;
	s->at = s->len - s->xz.avail_in;
	s->inside = rc != LZMA_STREAM_END;
	if (rc == LZMA_OK || rc == LZMA_STREAM_END || rc == LZMA_BUF_ERROR)
		return 0;
	return fail(s, err,
	    rc == LZMA_MEMLIMIT_ERROR
		? "its xz data wants too much memory; unpack it first"
		: "damaged xz data");
}
#endif

static int
begin_xz(struct source *s, struct err *err)
{
#ifdef HAVE_LZMA
	if (!late_try(&xz_late))
		return err_set(err,
		    "%s: it is packed by xz, and " LIBLZMA_FILE
		    " cannot be loaded; install its package, or unpack the "
		    "file: xz -dc %s | sealfeed verify --key … -",
		    s->path, s->path);
	s->xz = (lzma_stream)LZMA_STREAM_INIT;
	s->unpack = unpack_xz;
	return xz.call.lzma_stream_decoder(&s->xz, WINDOW_MAX,
		   LZMA_CONCATENATED) == LZMA_OK
	    ? 0
	    : err_set(err, "%s: liblzma cannot be initialised", s->path);
#else
	return err_set(err,
	    "%s: it is packed by xz, which this sealfeed is built without; "
	    "unpack it: xz -dc %s | sealfeed verify --key … -",
	    s->path, s->path);
#endif
}

#ifdef HAVE_ZSTD
static int
unpack_zstd(struct source *s, char *out, size_t room, size_t *got,
    struct err *err)
{
	ZSTD_inBuffer in = { s->in, s->len, s->at };
	ZSTD_outBuffer to = { out, room, 0 };
	size_t rc = 0;

	if (in.pos < in.size || s->inside)
		rc = zstd.call.ZSTD_decompressStream(s->zstd, &to, &in);
	*got = to.pos;
	s->at = in.pos;
	if (zstd.call.ZSTD_isError(rc))
		return fail(s, err, zstd.call.ZSTD_getErrorName(rc));
	s->inside = rc != 0;
	return 0;
}
#endif

static int
begin_zstd(struct source *s, struct err *err)
{
#ifdef HAVE_ZSTD
	if (!late_try(&zstd_late))
		return err_set(err,
		    "%s: it is packed by zstd, and " LIBZSTD_FILE
		    " cannot be loaded; install its package, or unpack the "
		    "file: zstd -dc %s | sealfeed verify --key … -",
		    s->path, s->path);
	s->unpack = unpack_zstd;
	s->zstd = zstd.call.ZSTD_createDStream();
	return s->zstd != NULL
	    ? 0
	    : err_set(err, "%s: libzstd cannot be initialised", s->path);
#else
	return err_set(err,
	    "%s: it is packed by zstd, which this sealfeed is built without; "
	    "unpack it: zstd -dc %s | sealfeed verify --key … -",
	    s->path, s->path);
#endif
}

static int begin_foreign(struct source *s, struct err *err);

static int
begin_plain(struct source *s, struct err *err)
{
	(void)err;
	s->unpack = unpack_plain;
	return 0;
}

static const struct packing {
	const char *magic;
	size_t len;
	unsigned char any; /* bits of the first byte that may be others */
	int (*begin)(struct source *s, struct err *err);
	const char *what; /* of those that are not read here */
	const char *unpack;
} packings[] = {
	{ .magic = "\x1f\x8b", .len = 2, .begin = begin_gzip },
	{ .magic = "\xfd\x37zXZ\0", .len = 6, .begin = begin_xz },
	{ .magic = "\x28\xb5\x2f\xfd", .len = 4, .begin = begin_zstd },
	/* RFC 8878 section 3.1.2: a skippable frame, with which pzstd begins.
	 */
	{ .magic = "\x50\x2a\x4d\x18",
	    .len = 4,
	    .any = 0x0f,
	    .begin = begin_zstd },
	{ .magic = "BZh",
	    .len = 3,
	    .begin = begin_foreign,
	    .what = "packed by bzip2",
	    .unpack = "bzip2 -dc" },
	{ .magic = "\x5d\0\0",
	    .len = 3,
	    .begin = begin_foreign,
	    .what = "packed by lzma",
	    .unpack = "xz -dc" },
	{ .magic = "\x04\x22\x4d\x18",
	    .len = 4,
	    .begin = begin_foreign,
	    .what = "packed by lz4",
	    .unpack = "lz4 -dc" },
	{ .magic = "\x1f\x9d",
	    .len = 2,
	    .begin = begin_foreign,
	    .what = "packed by compress",
	    .unpack = "gzip -dc" },
	{ .magic = "7z\xbc\xaf\x27\x1c",
	    .len = 6,
	    .begin = begin_foreign,
	    .what = "a 7z archive" },
	{ .magic = "PK\x03\x04",
	    .len = 4,
	    .begin = begin_foreign,
	    .what = "a zip archive (perhaps a workbook)" },
	{ .magic = "PAR1",
	    .len = 4,
	    .begin = begin_foreign,
	    .what = "a Parquet file" },
	{ .magic = "", .len = 0, .begin = begin_plain },
};

static const struct packing *
find_packing(const char *data, size_t len)
{
	const struct packing *p = packings;

	while (p->len > 0 &&
	    (len < p->len || (data[0] ^ p->magic[0]) & ~p->any & 0xff ||
		memcmp(data + 1, p->magic + 1, p->len - 1) != 0))
		p++;
	return p;
}

static int
begin_foreign(struct source *s, struct err *err)
{
	const struct packing *p = find_packing(s->in, s->len);

	if (p->unpack == NULL)
		return err_set(err,
		    "%s: it is %s, which sealfeed does not read; unpack it, or "
		    "export CSV or JSON",
		    s->path, p->what);
	return err_set(err,
	    "%s: it is %s, which sealfeed does not read; unpack it: %s %s | "
	    "sealfeed verify --key … -",
	    s->path, p->what, p->unpack, s->path);
}

static int
begin(struct source *s, struct err *err)
{
	if (fill(s, err) != 0)
		return -1;
	s->begun = true;
	return find_packing(s->in, s->len)->begin(s, err);
}

/* Is it one that gives bytes without end, /dev/zero or /dev/urandom?  Terminals
 * and /dev/null (in Linux, 1:3) end. */
static bool
is_endless(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && !isatty(fd) &&
	    st.st_rdev != makedev(1, 3);
}

struct source *
source_open(const char *path, struct err *err)
{
	bool standard = strcmp(path, "-") == 0;
	struct source *s = xcalloc(1, sizeof(*s));

	s->path = xstrdup(standard ? "standard input" : path);
	s->piece = (struct buf)BUF_INIT(2 * PIECE);
	s->fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd == -1)
		(void)err_set(err, "%s: %s", s->path, strerror(errno));
	else if (is_endless(s->fd))
		(void)err_set(err,
		    "%s: a character device, which does not end; name a file",
		    s->path);
	else if (begin(s, err) == 0)
		return s;
	source_close(s);
	return NULL;
}

void
source_close(struct source *s)
{
	if (s->fd != -1)
		(void)close(s->fd);
	(void)inflateEnd(&s->gzip);
#ifdef HAVE_LZMA
	if (s->unpack == unpack_xz)
		xz.call.lzma_end(&s->xz);
#endif
#ifdef HAVE_ZSTD
	if (s->zstd != NULL)
		(void)zstd.call.ZSTD_freeDStream(s->zstd);
#endif
	buf_release(&s->piece);
	free(s->path);
	free(s);
}

/* Have the next unpacked bytes in s->piece: 1, 0 the end, -1.  What came out in
 * front of a damage is text like any other: the damage is told behind it. */
static int
next_piece(struct source *s, struct err *err)
{
	char *room = buf_room(&s->piece, PIECE);
	size_t got = 0;

	if (s->late.text[0] != '\0')
		return err_set(err, "%s", s->late.text);
	if (room == NULL)
		return fail(s, err, "out of memory");
	while (got == 0) {
		size_t before;

		if (fill(s, err) != 0)
			return -1;
		before = s->len - s->at;
		if (s->unpack(s, room, PIECE, &got, &s->late) != 0 && got == 0)
			return err_set(err, "%s", s->late.text);
		if (got > 0 || before > s->len - s->at)
			continue;
		if (!s->ended)
			continue;
		if (s->inside)
			return err_set(err,
			    "%s: the compressed data is truncated", s->path);
		return 0;
	}
	s->piece.len += got;
	return 1;
}

/* UTF-32 has four bytes a character, of which one is not zero in ASCII; a mark
 * may stand in front of them. */
static const char *
utf32_order(const char *s, size_t len)
{
	static const struct {
		const char *name;
		const char *mark;
		size_t ascii; /* which byte is not zero */
	} orders[] = { { "UTF-32LE", "\xff\xfe\0\0", 0 },
		{ "UTF-32BE", "\0\0\xfe\xff", 3 } };

	for (size_t i = 0; len >= 8 && i < sizeof(orders) / sizeof(orders[0]);
	     i++) {
		size_t from = memcmp(s, orders[i].mark, 4) == 0 ? 4 : 0, at;

		for (at = from; at < from + 4; at++)
			if ((s[at] != '\0') != (at - from == orders[i].ascii))
				break;
		if (at == from + 4)
			return orders[i].name;
	}
	return NULL;
}

/* What is told of an input that is text, but not of a kind that is read. */
static int
refuse_text(const struct source *s, struct err *err)
{
	const char *order = utf32_order(s->piece.data, s->piece.len);

	if (order != NULL)
		return err_set(err,
		    "%s: it is encoded in %s, which sealfeed does not read; "
		    "convert it: iconv -f %s -t UTF-8 %s | sealfeed verify "
		    "--key … -",
		    s->path, order, order, s->path);
	if (s->piece.len >= 5 && memcmp(s->piece.data, "<?xml", 5) == 0)
		return err_set(err,
		    "%s: it is XML, which sealfeed does not read; export JSON, "
		    "CSV or the raw events",
		    s->path);
	return 0;
}

/* How the text is encoded, by its first bytes; the mark is taken off. */
static int
begin_text(struct source *s, struct err *err)
{
	size_t mark;

	if (refuse_text(s, err) != 0)
		return -1;
	if (s->unpack != unpack_plain &&
	    find_packing(s->piece.data, s->piece.len)->len > 0)
		return err_set(err,
		    "%s: it is packed twice; unpack it once, and give sealfeed "
		    "what comes out",
		    s->path);
	s->text_begun = true;
	s->utf16.order = utf16_guess(s->piece.data, s->piece.len, &mark);
	if (s->utf16.order == UTF16_NONE && s->piece.len >= 3 &&
	    memcmp(s->piece.data, "\xef\xbb\xbf", 3) == 0)
		mark = 3;
	buf_drop(&s->piece, mark);
	return 0;
}

int
source_read(struct source *s, struct buf *out, struct err *err)
{
	int rc = next_piece(s, err);

	/* The mark may come byte by byte. */
	while (rc == 1 && !s->text_begun && s->piece.len < 64)
		rc = next_piece(s, err);
	if (rc < 0)
		return -1;
	if (!s->text_begun && s->piece.len > 0 && begin_text(s, err) != 0)
		return -1;
	if (s->piece.len == 0 && rc == 0)
		return s->utf16.half || s->utf16.high != 0
		    ? utf16_end(&s->utf16, out)
		    : 0;
	if (s->piece.len > 0 &&
	    (s->utf16.order == UTF16_NONE
		    ? buf_add(out, s->piece.data, s->piece.len)
		    : utf16_add(&s->utf16, s->piece.data, s->piece.len, out)) !=
		0)
		return fail(s, err, "out of memory");
	buf_clear(&s->piece);
	return 1;
}
