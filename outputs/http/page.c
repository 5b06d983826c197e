/*
 * page.c - web pages, where the answer of a machine is expected.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/gunzip.h"
#include "base/json_valid.h"
#include "base/text.h"
#include "base/utf16.h"
#include "outputs/http/page.h"

#define BOM "\xef\xbb\xbf"

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* gunzip_fn: as much as there is room for. */
static int
take(void *ctx, const char *data, size_t len, struct err *err)
{
	struct buf *out = ctx;
	size_t room = out->ceiling - out->len;

	if (buf_add(out, data, len < room ? len : room) != 0 || len > room)
		return err_set(err, "too large");
	return 0;
}

bool
page_unpack(struct slice s, struct buf *out)
{
	struct gunzip *g;
	struct err err = ERR_INIT;

	if (s.len < 2 || memcmp(s.data, "\x1f\x8b", 2) != 0)
		return false;
	g = gunzip_new();
	gunzip_begin(g, take, out);
	/* A part is enough to know a page by. */
	(void)!gunzip_push(g, s.data, s.len, &err);
	gunzip_free(g);
	return true;
}

static void
from_utf16(struct slice s, struct buf *out)
{
	size_t mark;
	struct utf16 u = { .order = utf16_guess(s.data, s.len, &mark) };

	if (u.order == UTF16_NONE)
		(void)!buf_add(out, s.data,
		    s.len < out->ceiling ? s.len : out->ceiling);
	else if (utf16_add(&u, s.data + mark, s.len - mark, out) == 0)
		(void)!utf16_end(&u, out);
}

static struct slice
trim(struct slice s)
{
	bool more = true;

	while (more) {
		more = false;
		if (s.len >= 3 && memcmp(s.data, BOM, 3) == 0) {
			s = (struct slice){ s.data + 3, s.len - 3 };
			more = true;
		}
		while (s.len > 0 && is_space(s.data[0])) {
			s = (struct slice){ s.data + 1, s.len - 1 };
			more = true;
		}
	}
	while (s.len > 0 && is_space(s.data[s.len - 1]))
		s.len--;
	return s;
}

void
page_text(struct slice body, struct buf *text)
{
	struct buf plain = BUF_INIT(text->ceiling);
	struct slice s = body;

	if (page_unpack(s, &plain))
		s = (struct slice){ plain.data, plain.len };
	buf_clear(text);
	if (s.len > 0)
		from_utf16(s, text);
	s = trim((struct slice){ text->data, text->len });
	if (s.len > 0)
		memmove(text->data, s.data, s.len);
	if (text->data != NULL)
		text->data[s.len] = '\0';
	text->len = s.len;
	buf_release(&plain);
}

/* Where what is found in s, in any case; s.len: nowhere. */
static size_t
find(struct slice s, const char *what)
{
	size_t n = strlen(what);

	for (size_t i = 0; i + n <= s.len; i++)
		if (strncasecmp(s.data + i, what, n) == 0)
			return i;
	return s.len;
}

static struct slice
behind(struct slice s, size_t n)
{
	return n >= s.len ? (struct slice){ s.data + s.len, 0 }
			  : (struct slice){ s.data + n, s.len - n };
}

static bool
begins(struct slice s, const char *what)
{
	size_t n = strlen(what);

	return s.len >= n && strncasecmp(s.data, what, n) == 0;
}

/* Does s begin with the tag what ("<html"), and no longer name? */
static bool
begins_tag(struct slice s, const char *what)
{
	size_t n = strlen(what);

	return begins(s, what) &&
	    (s.len == n || is_space(s.data[n]) || s.data[n] == '>' ||
		s.data[n] == '/');
}

/* Pass over comments and what is for XML parsers. */
static struct slice
skip_preamble(struct slice s)
{
	for (;;) {
		const char *end = begins(s, "<!--") ? "-->"
		    : begins(s, "<?")               ? "?>"
						    : NULL;

		if (end == NULL)
			return s;
		s = trim(behind(s, find(s, end) + strlen(end)));
	}
}

static bool
begins_like_a_page(struct slice s)
{
	/* Of whole pages, and of fragments as gateways send them. */
	static const char *const tags[] = { "<!doctype html", "<html", "<head",
		"<body", "<title", "<meta", "<script", "<frameset", "<link",
		"<base", "<style", "<noscript", "<center", "<h1", "<h2", "<h3",
		"<h4", "<div", "<p", "<form", "<iframe", "<table", "<img",
		"<font", "<span", "<br", "<hr", "<a", "<b", "<strong", "<pre",
		"<main", "<section", "<header", "<ul" };

	s = skip_preamble(s);
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (begins_tag(s, tags[i]))
			return true;
	return false;
}

static bool
has_tag(struct slice s, const char *what)
{
	for (size_t at = find(s, what); at < s.len; at = find(s, what)) {
		s = behind(s, at);
		if (begins_tag(s, what))
			return true;
		s = behind(s, 1);
	}
	return false;
}

static bool
is_json(struct slice s, bool cut)
{
	return (s.data[0] == '{' || s.data[0] == '[') &&
	    (cut || json_valid(s.data, s.len));
}

static bool
is_page_type(const char *type)
{
	/* And what only browsers ask for: challenges come as a script. */
	static const char *const types[] = { "text/html", "application/xhtml",
		"text/javascript", "application/javascript",
		"application/x-javascript", "text/css", "image/" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strncasecmp(type, types[i], strlen(types[i])) == 0)
			return true;
	return false;
}

bool
page_is(struct slice s, const char *type, bool cut)
{
	if (s.len == 0)
		return false;
	if (begins_like_a_page(s))
		return true;
	return !is_json(s, cut) && (is_page_type(type) || has_tag(s, "<html"));
}

/* The names of the entities that titles have. */
static const struct {
	const char *name;
	const char *text;
} entities[] = {
	{ "amp;", "&" },
	{ "lt;", "<" },
	{ "gt;", ">" },
	{ "quot;", "\"" },
	{ "apos;", "'" },
	{ "nbsp;", " " },
	{ "ndash;", "\xe2\x80\x93" },
	{ "mdash;", "\xe2\x80\x94" },
	{ "hellip;", "\xe2\x80\xa6" },
	{ "copy;", "\xc2\xa9" },
	{ "reg;", "\xc2\xae" },
	{ "trade;", "\xe2\x84\xa2" },
	{ "raquo;", "\xc2\xbb" },
	{ "laquo;", "\xc2\xab" },
};

/* "#38;" or "#x26;": append the character; how long it was, 0: none. */
static size_t
add_number(struct slice s, struct buf *out)
{
	bool hex = s.len > 1 && (s.data[1] | ' ') == 'x';
	size_t i = hex ? 2 : 1;
	unsigned long c = 0;
	char unit[4];
	struct utf16 u = { .order = UTF16_BE };

	for (; i < s.len && i < 10 && s.data[i] != ';'; i++) {
		const char digit[2] = { s.data[i], '\0' };
		char *end;

		c = c * (hex ? 16 : 10) + strtoul(digit, &end, hex ? 16 : 10);
		if (*end != '\0' || end == digit)
			return 0;
	}
	if (i == s.len || s.data[i] != ';' || i == (hex ? 2 : 1) ||
	    c > 0x10ffff)
		return 0;
	if (c >= 0x10000) {
		unit[0] = (char)(0xd8 | (c - 0x10000) >> 18);
		unit[1] = (char)((c - 0x10000) >> 10 & 0xff);
		unit[2] = (char)(0xdc | (c >> 8 & 3));
		unit[3] = (char)(c & 0xff);
	} else {
		unit[0] = (char)(c >> 8);
		unit[1] = (char)(c & 0xff);
	}
	if (utf16_add(&u, unit, c >= 0x10000 ? 4 : 2, out) != 0 ||
	    utf16_end(&u, out) != 0)
		return 0;
	return i + 1;
}

/* s follows an "&": append what it stands for; how long it was, 0: it is no
 * entity. */
static size_t
add_entity(struct slice s, struct buf *out)
{
	if (begins(s, "#"))
		return add_number(s, out);
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (begins(s, entities[i].name) &&
		    buf_adds(out, entities[i].text) == 0)
			return strlen(entities[i].name);
	return 0;
}

void
page_title(struct slice text, char out[PAGE_TITLE])
{
	struct buf plain = BUF_INIT(8 * PAGE_TITLE);
	struct slice s = text;
	size_t n;

	out[0] = '\0';
	do {
		s = behind(s, find(s, "<title"));
		if (s.len == 0)
			return;
	} while (!begins_tag(s, "<title") && (s = behind(s, 1)).len > 0);
	s = behind(s, find(s, ">") + 1);
	s.len = find(s, "</title");
	s = trim(s);
	while (s.len > 0) {
		n = s.data[0] == '&' ? add_entity(behind(s, 1), &plain) : 0;
		if (n == 0 && buf_add(&plain, s.data, 1) != 0)
			break;
		s = behind(s, 1 + n);
	}
	text_quote(out, PAGE_TITLE, plain.data, plain.len);
	buf_release(&plain);
}
