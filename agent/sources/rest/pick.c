/*
 * pick.c - one value out of a JSON text, by its pointer.
 */
#include <stdbool.h>
#include <string.h>

#include "sources/rest/pick.h"

/* What is left of the text. */
struct rest_of {
	const char *at;
	const char *end;
};

/* Nothing is text of no length. */
static struct rest_of
rest_of(struct slice json)
{
	const char *at = json.data == NULL ? "" : json.data;

	return (struct rest_of){ at, at + json.len };
}

/* What a byte is outside of strings. */
enum { PLAIN, SPACE, QUOTE, OPEN, CLOSE, COMMA };
static const unsigned char kinds[256] = {
	[' '] = SPACE,
	['\t'] = SPACE,
	['\r'] = SPACE,
	['\n'] = SPACE,
	['"'] = QUOTE,
	['{'] = OPEN,
	['['] = OPEN,
	['}'] = CLOSE,
	[']'] = CLOSE,
	[','] = COMMA,
};

static int
kind(const struct rest_of *t)
{
	return kinds[(unsigned char)*t->at];
}

static void
skip_space(struct rest_of *t)
{
	while (t->at < t->end && kind(t) == SPACE)
		t->at++;
}

/* Is the next character c?  Then it is passed. */
static bool
take(struct rest_of *t, char c)
{
	skip_space(t);
	if (t->at == t->end || *t->at != c)
		return false;
	t->at++;
	return true;
}

/* Is the quote at at escaped, in a string that begins at begin? */
static bool
is_escaped(const char *begin, const char *at)
{
	const char *p = at;

	while (p > begin && p[-1] == '\\')
		p--;
	return (at - p) % 2 != 0;
}

/* Behind the first quote of a string: what is in it. */
static struct slice
read_string(struct rest_of *t)
{
	const char *begin = t->at, *quote = begin;

	for (;; quote++) {
		quote = memchr(quote, '"', (size_t)(t->end - quote));
		if (quote == NULL || !is_escaped(begin, quote))
			break;
	}
	t->at = quote != NULL ? quote + 1 : t->end;
	return (struct slice){ begin,
		(size_t)((quote != NULL ? quote : t->end) - begin) };
}

/* Behind an object or array, from its bracket on; false: it does not end. */
static bool
skip_nested(struct rest_of *t)
{
	size_t depth = 0;

	while (t->at < t->end) {
		const int what = kind(t);

		t->at++;
		if (what == QUOTE)
			(void)read_string(t);
		else if (what == OPEN)
			depth++;
		else if (what == CLOSE && --depth == 0)
			return true;
	}
	return false;
}

static struct slice
read_nested(struct rest_of *t)
{
	const char *begin = t->at;

	(void)skip_nested(t);
	return (struct slice){ begin, (size_t)(t->at - begin) };
}

/* The next value, whatever it is; data NULL: none, or null. */
static struct slice
read_value(struct rest_of *t)
{
	struct slice v;

	if (take(t, '"'))
		return read_string(t);
	skip_space(t);
	if (t->at < t->end && kind(t) == OPEN)
		return read_nested(t);
	v.data = t->at;
	while (t->at < t->end && kind(t) == PLAIN)
		t->at++;
	v.len = (size_t)(t->at - v.data);
	if (v.len == 0 || (v.len == 4 && memcmp(v.data, "null", 4) == 0))
		v.data = NULL;
	return v;
}

/* Does the text of a key say what the next part of the pointer does? */
static bool
is_key(struct slice key, const char *part, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++, n++) {
		char c = part[i];

		if (c == '~' && i + 1 < len)
			c = part[++i] == '1' ? '/' : '~';
		if (n == key.len || key.data[n] != c)
			return false;
	}
	return n == key.len;
}

/* Go to the value of a key of the object that begins here. */
static bool
enter_object(struct rest_of *t, const char *part, size_t len)
{
	struct slice key;

	do {
		if (!take(t, '"'))
			return false;
		key = read_string(t);
		if (!take(t, ':'))
			return false;
		if (is_key(key, part, len))
			return true;
		(void)read_value(t);
	} while (take(t, ','));
	return false;
}

/* Go to the element of an array that begins here. */
static bool
enter_array(struct rest_of *t, const char *part, size_t len)
{
	size_t n = 0;

	if (len == 0 || len > 6 || strspn(part, "0123456789") < len)
		return false;
	for (size_t i = 0; i < len; i++)
		n = 10 * n + (size_t)(part[i] - '0');
	while (n-- > 0) {
		(void)read_value(t);
		if (!take(t, ','))
			return false;
	}
	skip_space(t);
	return t->at < t->end && *t->at != ']';
}

/* Go to the value at the pointer. */
static bool
enter(struct rest_of *t, const char *pointer)
{
	while (*pointer == '/') {
		const char *part = pointer + 1;
		size_t len = strcspn(part, "/");
		bool in = take(t, '{')
		    ? enter_object(t, part, len)
		    : take(t, '[') && enter_array(t, part, len);

		if (!in)
			return false;
		pointer = part + len;
	}
	return true;
}

struct slice
pick(struct slice json, const char *pointer)
{
	struct rest_of t = rest_of(json);

	return enter(&t, pointer) ? read_value(&t)
				  : (struct slice){ .data = NULL };
}

/* The next value as it stands. */
static struct slice
read_raw(struct rest_of *t)
{
	const char *begin;

	skip_space(t);
	begin = t->at;
	(void)read_value(t);
	return (struct slice){ t->at > begin ? begin : NULL,
		(size_t)(t->at - begin) };
}

struct slice
pick_raw(struct slice json, const char *pointer)
{
	struct rest_of t = rest_of(json);

	return enter(&t, pointer) ? read_raw(&t)
				  : (struct slice){ .data = NULL };
}

size_t
pick_each(struct slice json, pick_fn *fn, void *ctx)
{
	struct rest_of t = rest_of(json);
	const bool object = take(&t, '{');
	size_t n = 0;

	if (!object && !take(&t, '['))
		return 0;
	do {
		struct slice key = { .data = NULL }, value;

		if (object && !take(&t, '"'))
			break;
		if (object)
			key = read_string(&t);
		if (object && !take(&t, ':'))
			break;
		value = read_raw(&t);
		if (value.data == NULL)
			break;
		n++;
		if (fn(ctx, key, value) != 0)
			break;
	} while (take(&t, ','));
	return n;
}

bool
pick_whole(struct slice json)
{
	struct rest_of t = rest_of(json);

	skip_space(&t);
	if (t.at == t.end || kind(&t) != OPEN || !skip_nested(&t))
		return false;
	skip_space(&t);
	return t.at == t.end;
}
