/*
 * lines.c - a document of lines becomes events.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_valid.h"
#include "base/mem.h"
#include "base/text.h"
#include "sources/common/lines.h"

/* What a text may become longer by: each byte as \u00XX, and the frame. */
#define TEXT_GROWS 6
#define TEXT_FRAME 64

struct lines {
	const struct splitter_spec *spec;
	bool text;
	splitter_fn *take;
	void *ctx;
	struct buf line; /* what there is of the next one */
	size_t len;      /* … of all its bytes: it may be too long */
	struct buf event;
	/* Finds id and time of a line that is JSON. */
	struct splitter_spec inner_spec;
	struct splitter *inner;
};

/* splitter_fn: a line in brackets is an array of one element. */
static int
take_inner(void *ctx, const struct element *el, struct err *err)
{
	struct lines *l = ctx;

	return l->take(l->ctx, el, err);
}

struct lines *
lines_new(const struct splitter_spec *spec, bool text, splitter_fn *take,
    void *ctx)
{
	struct lines *l = xcalloc(1, sizeof(*l));

	l->spec = spec;
	l->text = text;
	l->take = take;
	l->ctx = ctx;
	buf_init(&l->line, spec->max);
	buf_init(&l->event, spec->max * TEXT_GROWS + TEXT_FRAME);
	l->inner_spec = (struct splitter_spec){
		.id = spec->id, .time = spec->time, .max = spec->max
	};
	l->inner = splitter_new(&l->inner_spec, take_inner, l);
	return l;
}

void
lines_free(struct lines *l)
{
	if (l == NULL)
		return;
	splitter_free(l->inner);
	buf_release(&l->line);
	buf_release(&l->event);
	free(l);
}

void
lines_reset(struct lines *l)
{
	buf_clear(&l->line);
	l->len = 0;
}

static bool
is_utf8(const char *s, size_t len)
{
	while (len > 0) {
		size_t n = text_utf8(s, len);

		if (n == 0)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

static int
take_text(struct lines *l, struct err *err)
{
	const char *s = l->line.data;
	const size_t len = l->line.len;
	struct element el = { .data = NULL };
	int rc;

	buf_clear(&l->event);
	if (is_utf8(s, len))
		rc = buf_adds(&l->event, "{\"message\":") != 0 ||
		    text_json_string(&l->event, s, len) != 0;
	else
		rc = buf_adds(&l->event, "{\"message_base64\":\"") != 0 ||
		    text_base64(&l->event, s, len) != 0 ||
		    buf_adds(&l->event, "\"") != 0;
	if (rc != 0 || buf_adds(&l->event, "}") != 0)
		return err_set(err, "out of memory");
	el.data = l->event.data;
	el.len = l->event.len;
	return l->take(l->ctx, &el, err);
}

static int
take_json(struct lines *l, struct err *err)
{
	struct element el = { .data = l->line.data,
		.len = l->line.len,
		.bad = "not one JSON value" };

	while (el.len > 0 && strchr(" \t\r", el.data[el.len - 1]) != NULL)
		el.len--;
	while (el.len > 0 && strchr(" \t\r", *el.data) != NULL) {
		el.data++;
		el.len--;
	}
	if (el.len == 0)
		return 0;
	if (!json_valid(el.data, el.len))
		return l->take(l->ctx, &el, err);
	splitter_reset(l->inner);
	if (splitter_push(l->inner, "[", 1, err) != 0 ||
	    splitter_push(l->inner, el.data, el.len, err) != 0 ||
	    splitter_push(l->inner, "]", 1, err) != 0)
		return -1;
	return splitter_end(l->inner, err);
}

/* The line is complete. */
static int
take_line(struct lines *l, struct err *err)
{
	const struct element longer = { .data = NULL, .len = l->len };
	int rc = 0;

	if (l->len > l->spec->max)
		rc = l->take(l->ctx, &longer, err);
	else if (l->len > 0)
		rc = l->text ? take_text(l, err) : take_json(l, err);
	lines_reset(l);
	return rc;
}

int
lines_push(struct lines *l, const char *data, size_t len, struct err *err)
{
	while (len > 0) {
		const char *lf = memchr(data, '\n', len);
		const size_t n = lf != NULL ? (size_t)(lf - data) : len;

		l->len += n;
		if (l->len > l->spec->max)
			buf_clear(&l->line);
		else if (buf_add(&l->line, data, n) != 0)
			return err_set(err, "out of memory");
		if (lf == NULL)
			return 0;
		if (take_line(l, err) != 0)
			return -1;
		data += n + 1;
		len -= n + 1;
	}
	return 0;
}

int
lines_end(struct lines *l, struct err *err)
{
	return take_line(l, err);
}
