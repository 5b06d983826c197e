/*
 * reader.c - the lines of an input, plain or gzip.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "verify/reader.h"

#define CHUNK (128 * 1024)

struct reader {
	struct buf held; /* bytes without an LF so far, then what was read */
	size_t searched; /* of held: surely without an LF */
	struct reader_line line;
	bool skipping; /* the rest of a line that is too long */
	size_t max;    /* bytes of a line */
	reader_fn *fn;
	void *ctx;
};

static void
give(struct reader *r, const char *data, size_t len)
{
	r->line.data = r->skipping || len > r->max ? NULL : data;
	r->line.len = len;
	r->line.number++;
	r->skipping = false;
	r->fn(r->ctx, &r->line);
}

/* Give all whole lines in held and keep the rest. */
static void
give_lines(struct reader *r)
{
	const char *data = r->held.data;
	const char *end = data + r->held.len;
	const char *lf =
	    memchr(data + r->searched, '\n', r->held.len - r->searched);

	while (lf != NULL) {
		give(r, data, (size_t)(lf - data));
		data = lf + 1;
		lf = memchr(data, '\n', (size_t)(end - data));
	}
	buf_drop(&r->held, (size_t)(data - r->held.data));
	if (r->held.len > r->max) {
		r->skipping = true;
		buf_clear(&r->held);
	}
	r->searched = r->held.len;
}

static int
read_all(struct reader *r, gzFile in, struct err *err)
{
	for (;;) {
		char *room = buf_room(&r->held, CHUNK);
		int n, code;

		if (room == NULL)
			return err_set(err, "out of memory");
		n = gzread(in, room, CHUNK);
		if (n < 0) {
			const char *why = gzerror(in, &code);

			return err_set(err, "%s",
			    code == Z_ERRNO ? strerror(errno) : why);
		}
		if (n == 0)
			break;
		r->held.len += (size_t)n;
		give_lines(r);
	}
	r->line.cut = true;
	if (r->held.len > 0 || r->skipping)
		give(r, r->held.data, r->held.len);
	return 0;
}

int
reader_lines(const char *path, reader_fn *fn, void *ctx, struct err *err)
{
	return reader_lines_upto(path, READER_LINE_MAX, fn, ctx, err);
}

int
reader_lines_upto(const char *path, size_t max, reader_fn *fn, void *ctx,
    struct err *err)
{
	struct reader r = {
		.held = BUF_INIT(max + (size_t)2 * CHUNK),
		.max = max,
		.fn = fn,
		.ctx = ctx,
	};
	bool standard = strcmp(path, "-") == 0;
	int fd =
	    standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	gzFile in = fd == -1 ? NULL : gzdopen(fd, "rb");
	int rc = 0;

	if (in == NULL) {
		rc = err_set(err, "%s: %s", path, strerror(errno));
		if (fd != -1)
			(void)close(fd);
		return rc;
	}
	(void)gzbuffer(in, CHUNK / 2);
	if (read_all(&r, in, err) == -1)
		rc = err_prefix(err, "%s: cannot be read to its end", path);
	/* A member without its end shows only here. */
	if (gzclose_r(in) != Z_OK && rc == 0)
		rc = err_set(err, "%s: the compressed data is truncated", path);
	buf_release(&r.held);
	return rc;
}
