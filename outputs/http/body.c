/*
 * body.c - lines of a chunk become the body of a request.
 */
#include <string.h>

#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "delivery/chunk.h"
#include "outputs/http/body.h"
#include "outputs/http/dialect.h"
#include "outputs/http/exchange.h"
#include "outputs/output.h"

static int
add_text(struct buf *b, const char *s, struct err *err)
{
	if (s != NULL && buf_adds(b, s) != 0)
		return err_set(err, "request: too large");
	return 0;
}

/* Cut b back to len bytes. */
static void
cut_back(struct buf *b, size_t len)
{
	if (b->data != NULL)
		b->data[len] = '\0';
	b->len = len;
}

/* x's request carries line i of its chunk, too. */
static void
carry(struct exchange *x, size_t i)
{
	if (x->carried.n == x->carried.size) {
		x->carried.size = x->carried.size == 0 ? 64 : 2 * x->carried.n;
		x->carried.line = xreallocarray(x->carried.line,
		    x->carried.size, sizeof(*x->carried.line));
	}
	x->carried.line[x->carried.n++] = i;
}

size_t
body_line(const struct exchange *x, size_t k)
{
	return x->carried.all ? x->request.from + k : x->carried.line[k];
}

/* A line that cannot be sent is a dead letter, and left out. */
static int
refuse(const struct body_writer *w, struct chunk *chunk, size_t i,
    struct err *why, struct err *err)
{
	if (output_refuse(w->out, chunk, i, "%s", why->text) != 0)
		return err_set(err, "%s", why->text);
	return 0;
}

enum rendered { RENDER_FAILED = -1, RENDER_NOTHING, RENDER_DONE, RENDER_APART };

/* Render line i of the chunk behind the body. */
static enum rendered
render_line(const struct body_writer *w, struct exchange *x,
    struct chunk *chunk, size_t i, struct err *err)
{
	const struct http_dialect *d = w->dialect;
	const char *lead = x->carried.n == 0 ? d->prefix : d->separator;
	struct buf *text = &x->request.body;
	size_t before = text->len, begin;
	struct chunk_line line;
	struct err why = ERR_INIT;

	if (chunk_line(chunk, i, &line, err) != 0)
		return RENDER_FAILED;
	if (x->carried.n > 0 && d->apart != NULL && d->apart(w->intake, &line))
		return RENDER_APART;
	if (add_text(text, lead, err) != 0)
		return RENDER_FAILED;
	begin = text->len;
	if (d->render(w->intake, &line, text, &why) == 0 && text->len > begin)
		return RENDER_DONE;
	cut_back(text, before);
	return why.text[0] == '\0' || refuse(w, chunk, i, &why, err) == 0
	    ? RENDER_NOTHING
	    : RENDER_FAILED;
}

/* Render lines of the chunk from *next on, up to the limits; the first of those
 * that are wanted goes in whatever its size. */
static int
fill(const struct body_writer *w, struct exchange *x, struct chunk *chunk,
    size_t *next, struct err *err)
{
	const struct intake *in = w->intake;
	const char *suffix = in->suffix;
	size_t tail = suffix == NULL ? 0 : strlen(suffix), before;
	struct buf *text = &x->request.body;
	enum rendered rc;

	for (; *next < chunk_lines(chunk); ++*next) {
		if (in->lines_max > 0 && x->carried.n == in->lines_max)
			break;
		if (chunk_mark(chunk, *next) != CHUNK_OPEN)
			continue;
		before = text->len;
		rc = render_line(w, x, chunk, *next, err);
		if (rc == RENDER_FAILED)
			return -1;
		if (rc == RENDER_APART)
			break;
		if (rc == RENDER_NOTHING) {
			(void)output_settle(w->out, chunk, *next, *next + 1,
			    VERDICT_DELIVERED, "%s", "");
			continue;
		}
		if (x->carried.n > 0 && text->len + tail > in->body_max) {
			cut_back(text, before);
			break;
		}
		carry(x, *next);
	}
	return x->carried.n == 0 ? 0 : add_text(text, suffix, err);
}

/* A body that grows to its size by and by is copied, and its pages are made,
 * again and again: what the last one had is used once more. */
static void
begin(struct body_writer *w, struct exchange *x)
{
	struct buf *body = &x->request.body;

	if (body->data == NULL) {
		*body = w->text;
		buf_init(&w->text, EXCHANGE_BODY_MAX);
	}
	buf_clear(body);
	x->carried.n = 0;
	x->carried.all = false;
}

void
body_end(struct body_writer *w, struct exchange *x)
{
	struct buf *body = &x->request.body, keep = w->text;

	if (body->size > keep.size) {
		w->text = *body;
		*body = keep;
	}
	buf_release(body);
}

int
body_pack(struct body_writer *w, struct buf *body, struct err *err)
{
	struct buf keep = w->text;

	w->text = *body;
	*body = keep;
	buf_clear(body);
	return gzip_pack(w->gzip, w->text.data == NULL ? "" : w->text.data,
	    w->text.len, body, err);
}

int
body_write(struct body_writer *w, struct exchange *x, struct chunk *chunk,
    size_t *next, bool whole, struct err *err)
{
	struct buf *body = &x->request.body;
	int rc = 0;

	begin(w, x);
	if (whole && w->dialect->whole != NULL)
		rc = w->dialect->whole(w->intake, chunk, body, err);
	if (rc == 1) {
		*next = chunk_lines(chunk);
		x->carried.n = *next;
		x->carried.all = true;
	} else if (rc == 0) {
		rc = fill(w, x, chunk, next, err);
	}
	if (rc < 0)
		return -1;
	if (*next == chunk_lines(chunk))
		chunk_unload(chunk);
	return rc == 0 && body->len > 0 && w->intake->compress
	    ? body_pack(w, body, err)
	    : 0;
}

void
body_writer_init(struct body_writer *w)
{
	w->gzip = gzip_new();
	buf_init(&w->text, EXCHANGE_BODY_MAX);
}

void
body_writer_release(struct body_writer *w)
{
	gzip_free(w->gzip);
	buf_release(&w->text);
}
