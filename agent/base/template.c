/*
 * template.c - text with places for values.
 */
#include <string.h>

#include "base/buf.h"
#include "base/template.h"

#define VALUE_MAX (128 * 1024)

static const char names[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";

/* The place that begins with the brace at text + at. */
static bool
read_place(const char *text, size_t at, struct template_place *p)
{
	const char *name = text + at + 1, *end;

	*p = (struct template_place){ .begin = at };
	p->name = (struct slice){ name, strspn(name, names) };
	end = name + p->name.len;
	if (*end == '|') {
		p->format = (struct slice){ end + 1, strspn(end + 1, names) };
		end += 1 + p->format.len;
	}
	p->end = (size_t)(end - text) + 1;
	return p->name.len > 0 && *end == '}';
}

bool
template_next(const char *text, size_t at, struct template_place *p)
{
	const char *brace = text + at;

	while ((brace = strchr(brace, '{')) != NULL) {
		if (read_place(text, (size_t)(brace - text), p))
			return true;
		brace++;
	}
	return false;
}

bool
template_is_json(const struct template_place *p)
{
	static const char json[] = "json";

	return p->format.len == sizeof(json) - 1 &&
	    memcmp(p->format.data, json, sizeof(json) - 1) == 0;
}

bool
template_is_place(const char *text, struct template_place *p)
{
	return template_next(text, 0, p) && p->begin == 0 &&
	    text[p->end] == '\0';
}

static int
add_json(struct buf *out, const struct buf *value)
{
	struct buf quoted = BUF_INIT(6 * VALUE_MAX);
	int rc = -1;

	if (text_json_string(&quoted, value->data, value->len) == 0)
		rc = buf_add(out, quoted.data + 1, quoted.len - 2);
	buf_release(&quoted);
	return rc;
}

static int
add_value(struct buf *out, enum template_encoding encoding,
    const struct buf *value)
{
	if (value->len == 0)
		return 0;
	switch (encoding) {
	case TEMPLATE_URL:
		return text_percent(out, value->data);
	case TEMPLATE_JSON:
		return add_json(out, value);
	default:
		return buf_add(out, value->data, value->len);
	}
}

int
template_fill(const char *text, enum template_encoding encoding,
    template_fn *value, void *ctx, struct buf *out)
{
	struct buf v = BUF_INIT(VALUE_MAX);
	struct template_place p;
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && template_next(text, at, &p)) {
		buf_clear(&v);
		rc = buf_add(out, text + at, p.begin - at);
		if (rc == 0)
			rc = value(ctx, &p, &v);
		if (rc == 0)
			rc = add_value(out,
			    encoding == TEMPLATE_JSON && template_is_json(&p)
				? TEMPLATE_PLAIN
				: encoding,
			    &v);
		at = p.end;
	}
	if (rc == 0)
		rc = buf_adds(out, text + at);
	buf_release(&v);
	return rc;
}
