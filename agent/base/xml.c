/*
 * xml.c - the XML of a reply, read strictly.
 *
 * XML 1.0, sections 2.4, 2.5, 2.7, 3.1 and 4.1, and nothing of a DTD.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xml.h"

#define TEXT_MAX (1 << 20)

enum {
	STATE_PROLOG,
	STATE_OPENED, /* nothing of the element has come yet … */
	STATE_EMPTY,  /* … and nothing will */
	STATE_INSIDE, /* it has children */
	STATE_ENDED,  /* it is the last one of path */
	STATE_BEHIND, /* the root has ended */
	STATE_BAD
};

void
xml_begin(struct xml *x, const char *data, size_t len, struct buf *decoded)
{
	*x = (struct xml){ .at = data,
		.end = data + len,
		.decoded = decoded,
		.state = STATE_PROLOG };
	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		x->at += 3;
}

static enum xml_piece
bad(struct xml *x)
{
	x->state = STATE_BAD;
	return XML_BAD;
}

static bool
begins(const struct xml *x, const char *with)
{
	size_t len = strlen(with);

	return (size_t)(x->end - x->at) >= len && memcmp(x->at, with, len) == 0;
}

/* Move behind the next occurrence of text; false: there is none. */
static bool
pass(struct xml *x, const char *text)
{
	const char *found =
	    memmem(x->at, (size_t)(x->end - x->at), text, strlen(text));

	if (found == NULL)
		return false;
	x->at = found + strlen(text);
	return true;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
pass_space(struct xml *x)
{
	while (x->at < x->end && is_space(*x->at))
		x->at++;
}

/* Length of the name that text begins with; 0: none. */
static size_t
name_len(const char *at, const char *end)
{
	size_t n = 0;

	while (at + n < end &&
	    ((unsigned)((at[n] | 0x20) - 'a') < 26u || at[n] == '_' ||
		(n > 0 &&
		    ((at[n] >= '0' && at[n] <= '9') || at[n] == '-' ||
			at[n] == '.' || at[n] == ':'))))
		n++;
	return n;
}

/* Append a character by its number. */
static int
add_utf8(struct buf *out, unsigned long c)
{
	char s[4];

	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return -1;
	if (c < 0x80) {
		s[0] = (char)c;
		return buf_add(out, s, 1);
	}
	if (c < 0x800) {
		s[0] = (char)(0xc0 | c >> 6);
		s[1] = (char)(0x80 | (c & 0x3f));
		return buf_add(out, s, 2);
	}
	if (c < 0x10000) {
		s[0] = (char)(0xe0 | c >> 12);
		s[1] = (char)(0x80 | (c >> 6 & 0x3f));
		s[2] = (char)(0x80 | (c & 0x3f));
		return buf_add(out, s, 3);
	}
	s[0] = (char)(0xf0 | c >> 18);
	s[1] = (char)(0x80 | (c >> 12 & 0x3f));
	s[2] = (char)(0x80 | (c >> 6 & 0x3f));
	s[3] = (char)(0x80 | (c & 0x3f));
	return buf_add(out, s, 4);
}

/* Append what the reference at s, of len bytes between & and ;, stands for. */
static int
add_reference(struct buf *out, const char *s, size_t len)
{
	static const struct {
		const char *name;
		const char *text;
	} known[] = {
		{ "amp", "&" },
		{ "lt", "<" },
		{ "gt", ">" },
		{ "quot", "\"" },
		{ "apos", "'" },
	};
	char digits[12], *end;
	unsigned long c;
	int base = 10;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (len == strlen(known[i].name) &&
		    memcmp(s, known[i].name, len) == 0)
			return buf_adds(out, known[i].text);
	if (len < 2 || len >= sizeof(digits) || *s != '#')
		return -1;
	memcpy(digits, s + 1, len - 1);
	digits[len - 1] = '\0';
	if (digits[0] == 'x') {
		digits[0] = '0';
		base = 16;
	}
	if (strspn(digits,
		base == 16 ? "0123456789abcdefABCDEF" : "0123456789") !=
	    len - 1)
		return -1;
	c = strtoul(digits, &end, base);
	return *end == '\0' ? add_utf8(out, c) : -1;
}

/* The text up to the next tag, with its references replaced. */
static int
read_text(struct xml *x)
{
	buf_clear(x->decoded);
	if (buf_adds(x->decoded, "") != 0)
		return -1;
	while (x->at < x->end && (*x->at != '<' || begins(x, "<![CDATA["))) {
		const char *from = x->at, *stop;

		if (*from == '<') {
			from += strlen("<![CDATA[");
			if (!pass(x, "]]>") ||
			    buf_add(x->decoded, from,
				(size_t)(x->at - from) - 3) != 0)
				return -1;
		} else if (*from == '&') {
			stop = memchr(from, ';', (size_t)(x->end - from));
			if (stop == NULL ||
			    add_reference(x->decoded, from + 1,
				(size_t)(stop - from) - 1) != 0)
				return -1;
			x->at = stop + 1;
		} else {
			while (x->at < x->end && *x->at != '<' && *x->at != '&')
				x->at++;
			if (buf_add(x->decoded, from, (size_t)(x->at - from)) !=
			    0)
				return -1;
		}
	}
	x->text = x->decoded->data;
	x->len = x->decoded->len;
	/* Text would end early for who takes it as a string. */
	return memchr(x->text, '\0', x->len) == NULL ? 0 : -1;
}

/* Pass white space and comments, and in front of the root the declaration. */
static bool
pass_misc(struct xml *x)
{
	for (;;) {
		pass_space(x);
		if (begins(x, "<!--")) {
			x->at += 4;
			if (!pass(x, "-->"))
				return false;
		} else if (x->state == STATE_PROLOG && begins(x, "<?xml") &&
		    x->end - x->at > 5 && is_space(x->at[5])) {
			if (!pass(x, "?>"))
				return false;
		} else {
			return true;
		}
	}
}

/* Pass attributes, up to the end of a tag. */
static bool
pass_attributes(struct xml *x)
{
	for (;;) {
		size_t n;
		char quote;

		pass_space(x);
		if (x->at == x->end || *x->at == '>' || *x->at == '/')
			return x->at < x->end;
		n = name_len(x->at, x->end);
		x->at += n;
		if (n == 0 || x->end - x->at < 2 || *x->at != '=')
			return false;
		quote = x->at[1];
		if (quote != '"' && quote != '\'')
			return false;
		x->at += 2;
		while (x->at < x->end && *x->at != quote && *x->at != '<')
			x->at++;
		if (x->at == x->end || *x->at != quote)
			return false;
		x->at++;
	}
}

/* A tag that opens an element; x->at is behind its bracket. */
static enum xml_piece
open_element(struct xml *x)
{
	size_t n = name_len(x->at, x->end), used = strlen(x->path);

	if (n == 0 || x->depth == XML_DEPTH || used + n + 2 > sizeof(x->path))
		return bad(x);
	x->names[x->depth++] = used;
	if (used > 0)
		x->path[used++] = '/';
	memcpy(x->path + used, x->at, n);
	x->path[used + n] = '\0';
	x->at += n;
	if (!pass_attributes(x))
		return bad(x);
	x->state = STATE_OPENED;
	if (begins(x, "/>")) {
		x->at += 2;
		x->state = STATE_EMPTY;
	} else if (*x->at++ != '>') {
		return bad(x);
	}
	return XML_OPEN;
}

/* The last element of the path has ended. */
static void
leave(struct xml *x)
{
	x->path[x->names[--x->depth]] = '\0';
	x->state = x->depth > 0 ? STATE_INSIDE : STATE_BEHIND;
}

/* A tag that shuts the last element of the path; false: it is another's. */
static bool
shut_element(struct xml *x)
{
	const char *name = x->path + x->names[x->depth - 1];
	size_t n;

	name += *name == '/';
	n = strlen(name);
	if (!begins(x, "</") || (size_t)(x->end - x->at) < n + 3 ||
	    memcmp(x->at + 2, name, n) != 0)
		return false;
	x->at += 2 + n;
	pass_space(x);
	if (x->at == x->end || *x->at != '>')
		return false;
	x->at++;
	return true;
}

/* The element has ended, as its path still says. */
static enum xml_piece
ended(struct xml *x, enum xml_piece piece)
{
	x->state = STATE_ENDED;
	return piece;
}

/* What comes inside of an element: a child, its end, or its text. */
static enum xml_piece
inside(struct xml *x)
{
	const bool alone = x->state == STATE_OPENED;
	const char *from = x->at;

	x->text = "";
	x->len = 0;
	if (!pass_misc(x))
		return bad(x);
	if (begins(x, "</"))
		return shut_element(x) ? ended(x, alone ? XML_TEXT : XML_SHUT)
				       : bad(x);
	if (begins(x, "<") && !begins(x, "<![CDATA[")) {
		x->at++;
		return open_element(x);
	}
	x->at = from;
	if (!alone || read_text(x) != 0 || !shut_element(x))
		return bad(x);
	return ended(x, XML_TEXT);
}

enum xml_piece
xml_next(struct xml *x)
{
	if (x->state == STATE_ENDED)
		leave(x);
	switch (x->state) {
	case STATE_PROLOG:
		if (!pass_misc(x) || !begins(x, "<"))
			return bad(x);
		x->at++;
		return open_element(x);
	case STATE_OPENED:
	case STATE_INSIDE:
		return inside(x);
	case STATE_EMPTY:
		x->text = "";
		x->len = 0;
		return ended(x, XML_TEXT);
	case STATE_BEHIND:
		return pass_misc(x) && x->at == x->end ? XML_END : bad(x);
	default:
		return XML_BAD;
	}
}

int
xml_find(const char *data, size_t len, const char *path, struct buf *out)
{
	struct buf decoded = BUF_INIT(TEXT_MAX);
	enum xml_piece piece;
	struct xml x;
	int found = 0;

	xml_begin(&x, data, len, &decoded);
	while ((piece = xml_next(&x)) != XML_END && piece != XML_BAD &&
	    found >= 0)
		if (piece == XML_TEXT && found == 0 &&
		    strcmp(x.path, path) == 0)
			found = buf_add(out, x.text, x.len) == 0 ? 1 : -1;
	buf_release(&decoded);
	return piece == XML_END && found == 1 ? 0 : -1;
}
