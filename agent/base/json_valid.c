/*
 * json_valid.c - is it JSON?
 *
 * One loop over values; which of the brackets around are objects is kept as
 * bits, so hostile depth costs nothing.
 */
#include <stdint.h>
#include <string.h>

#include "base/json_valid.h"
#include "base/text.h"

struct scan {
	const char *at;
	const char *end;
	size_t depth;
	uint8_t object[JSON_DEPTH_MAX / 8 + 1]; /* a bit each level */
};

static void
skip_space(struct scan *s)
{
	while (s->at < s->end &&
	    (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' ||
		*s->at == '\r'))
		s->at++;
}

static bool
take(struct scan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static bool
is_digit(const struct scan *s)
{
	return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

static bool
digits(struct scan *s)
{
	if (!is_digit(s))
		return false;
	while (is_digit(s))
		s->at++;
	return true;
}

static bool
number(struct scan *s)
{
	(void)take(s, '-');
	if (!take(s, '0') && !digits(s))
		return false;
	if (take(s, '.') && !digits(s))
		return false;
	if (!take(s, 'e') && !take(s, 'E'))
		return true;
	if (!take(s, '+'))
		(void)take(s, '-');
	return digits(s);
}

static bool
escape(struct scan *s)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	if (s->at == s->end)
		return false;
	if (*s->at++ != 'u')
		return memchr("\"\\/bfnrt", s->at[-1], 8) != NULL;
	for (size_t i = 0; i < 4; i++, s->at++) {
		if (s->at == s->end ||
		    memchr(hex, *s->at, sizeof(hex) - 1) == NULL)
			return false;
	}
	return true;
}

/* Behind the quote that opens it. */
static bool
string(struct scan *s)
{
	while (s->at < s->end) {
		size_t n = text_plain(s->at, (size_t)(s->end - s->at));
		uint8_t c;

		s->at += n;
		if (s->at == s->end)
			return false;
		c = (uint8_t)*s->at;
		n = 1;
		if (c < 0x20)
			return false;
		if (c >= 0x80)
			n = text_utf8(s->at, (size_t)(s->end - s->at));
		if (n == 0)
			return false;
		s->at += n;
		if (c == '"')
			return true;
		if (c == '\\' && !escape(s))
			return false;
	}
	return false;
}

static bool
word(struct scan *s, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(s->end - s->at) < n || memcmp(s->at, w, n) != 0)
		return false;
	s->at += n;
	return true;
}

/* A value that has no others inside. */
static bool
scalar(struct scan *s)
{
	if (take(s, '"'))
		return string(s);
	return word(s, "true") || word(s, "false") || word(s, "null") ||
	    number(s);
}

static bool
in_object(const struct scan *s)
{
	return s->depth > 0 &&
	    (s->object[(s->depth - 1) / 8] >> ((s->depth - 1) % 8) & 1) != 0;
}

static bool
enter(struct scan *s, bool object)
{
	uint8_t bit = (uint8_t)(1U << (s->depth % 8));

	if (s->depth == JSON_DEPTH_MAX)
		return false;
	if (object)
		s->object[s->depth / 8] |= bit;
	else
		s->object[s->depth / 8] &= (uint8_t)~bit;
	s->depth++;
	return true;
}

static bool
key(struct scan *s)
{
	skip_space(s);
	if (!take(s, '"') || !string(s))
		return false;
	skip_space(s);
	return take(s, ':');
}

/* Close the brackets that end here; *more: another value follows. */
static bool
after_value(struct scan *s, bool *more)
{
	*more = false;
	while (s->depth > 0) {
		skip_space(s);
		if (take(s, ',')) {
			*more = true;
			return !in_object(s) || key(s);
		}
		if (!take(s, in_object(s) ? '}' : ']'))
			return false;
		s->depth--;
	}
	return true;
}

/* From a value's begin to what is behind it; *inside: that is the first one
 * inside of it. */
static bool
value(struct scan *s, bool *inside)
{
	bool object;

	*inside = false;
	skip_space(s);
	if (s->at == s->end || (*s->at != '{' && *s->at != '['))
		return scalar(s);
	object = *s->at++ == '{';
	if (!enter(s, object))
		return false;
	skip_space(s);
	if (s->at < s->end && *s->at == (object ? '}' : ']'))
		return true; /* after_value() closes it */
	*inside = true;
	return !object || key(s);
}

bool
json_valid(const char *data, size_t len)
{
	struct scan s = { .at = data, .end = data + len };
	bool more = true;

	while (more) {
		if (!value(&s, &more))
			return false;
		if (!more && !after_value(&s, &more))
			return false;
	}
	skip_space(&s);
	return s.at == s.end;
}
