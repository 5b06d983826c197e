/*
 * splitter_element.c - the inside of elements, where nearly all bytes are.
 *
 * An element is its bytes in s->kept and those from s->segment on.  While it
 * lies within one push and has no line breaks nothing is copied.
 */
#include <string.h>

#include "base/err.h"
#include "base/splitter_private.h"

int
splitter_keep(struct splitter *s, const char *end)
{
	size_t n;

	if (s->skipping || s->eating)
		return 0;
	n = (size_t)(end - s->segment);
	if (n > s->max - s->kept.len)
		return splitter_too_long(s);
	if (buf_add(&s->kept, s->segment, n) != 0)
		return err_set(s->err,
		    "byte %llu: no memory for an element "
		    "of %zu bytes",
		    (unsigned long long)s->started, s->kept.len + n);
	s->segment = end;
	return 0;
}

int
splitter_begin(struct splitter *s, const struct block *b, unsigned i)
{
	char c = b->p[i];

	if (c == '{' || c == '[')
		s->mode = MODE_CONTAINER;
	else if (c == '"')
		s->mode = MODE_STRING;
	else if (splitter_describe(c) != NULL)
		s->mode = MODE_SCALAR;
	else
		return splitter_wrong(s, b, i,
		    "a value is expected, and none begins like this");
	s->max = s->value != NULL ? SPLITTER_VALUE_MAX : s->spec->max;
	s->started = b->offset + i;
	s->segment = b->p + i;
	s->kept.len = 0;
	s->id_at = 0;
	s->time_at = 0;
	return 0;
}

/* Where the string whose text begins at s ends: its closing quote. */
static const char *
string_end(const char *s, const char *end)
{
	const char *quote = memchr(s, '"', (size_t)(end - s));

	if (quote == NULL || quote == s || quote[-1] != '\\')
		return quote;
	for (; s < end && *s != '"'; s++) {
		if (*s == '\\')
			s++;
	}
	return s < end ? s : NULL;
}

/* The value that begins at data + at, as struct element describes it. */
static struct slice
value_at(const char *data, size_t len, size_t at)
{
	struct slice none = { .data = NULL };
	const char *end = data + len;
	const char *s = data + at;
	const char *stop;

	if (at == 0)
		return none;
	while (s < end && splitter_space(*s))
		s++;
	if (s < end && *s == '"') {
		stop = string_end(++s, end);
		if (stop == NULL)
			return none;
	} else if (s < end && (*s == '-' || (*s >= '0' && *s <= '9'))) {
		for (stop = s; stop < end && *stop != ',' && *stop != '}' &&
		     !splitter_space(*stop);
		     stop++)
			;
	} else {
		return none;
	}
	return (struct slice){ .data = s, .len = (size_t)(stop - s) };
}

/* What was not kept ends before the byte at offset. */
static int
finish_skipped(struct splitter *s, uint64_t offset)
{
	const struct element longer = { .data = NULL,
		.len = (size_t)(offset - s->started),
		.array = s->array };
	bool element = s->longer;

	s->skipping = false;
	s->longer = false;
	return element ? s->take(s->ctx, &longer, s->err) : 0;
}

/* A value outside the arrays ends. */
static int
finish_value(struct splitter *s, const struct element *token)
{
	struct buf *value = s->value;

	s->value = NULL;
	if (buf_add(value, token->data, token->len) != 0)
		return err_set(s->err, "byte %llu: no memory for a value",
		    (unsigned long long)s->started);
	return 0;
}

/* The present element, or value outside, ends before byte i of b. */
static int
finish(struct splitter *s, const struct block *b, unsigned i)
{
	const char *end = b->p + i;
	struct element el = { .array = s->array };

	if (!s->skipping && s->kept.len + (size_t)(end - s->segment) > s->max &&
	    splitter_too_long(s) != 0)
		return -1;
	s->mode = s->after;
	s->expected = splitter_next(s, s->after);
	if (s->skipping)
		return finish_skipped(s, b->offset + i);
	if (s->kept.len > 0) {
		if (splitter_keep(s, end) != 0)
			return -1;
		el.data = s->kept.data;
		el.len = s->kept.len;
	} else {
		el.data = s->segment;
		el.len = (size_t)(end - s->segment);
	}
	if (s->value != NULL)
		return finish_value(s, &el);
	el.id = value_at(el.data, el.len, s->id_at);
	el.time = value_at(el.data, el.len, s->time_at);
	s->untimed = s->untimed || el.time.data == NULL;
	s->timed = !s->untimed;
	return s->take(s->ctx, &el, s->err);
}

/* The byte of the present element that stands n places before at (n > 0),
 * NUL before its beginning. */
static char
byte_before(const struct splitter *s, const char *at, size_t n)
{
	size_t here = (size_t)(at - s->segment);

	if (n <= here)
		return at[-(ptrdiff_t)n];
	n -= here;
	return n <= s->kept.len ? s->kept.data[s->kept.len - n] : '\0';
}

/* Is f's key, with its quotes, in front of the n bytes before at? */
static bool
key_before(const struct splitter *s, const char *at, size_t n,
    const struct key_filter *f)
{
	size_t open = n + f->len + 2;

	if (f->text == NULL || byte_before(s, at, open) != '"' ||
	    byte_before(s, at, open + 1) == '\\')
		return false;
	if (open <= (size_t)(at - s->segment))
		return memcmp(at - open + 1, f->text, f->len) == 0;
	for (size_t i = 1; i <= f->len; i++) {
		if (byte_before(s, at, n + 1 + i) != f->text[f->len - i])
			return false;
	}
	return true;
}

/* A colon of the element's own members at at. */
static void
colon(struct splitter *s, const char *at)
{
	size_t value = s->kept.len + (size_t)(at - s->segment) + 1;
	size_t n = 0;

	while (splitter_space(byte_before(s, at, n + 1)))
		n++;
	if (byte_before(s, at, n + 1) != '"')
		return;
	if (key_before(s, at, n, &s->id))
		s->id_at = value;
	if (key_before(s, at, n, &s->time))
		s->time_at = value;
}

/* Leave out white space from pos on; false when it goes on behind b. */
static bool
eat(struct splitter *s, const struct block *b, unsigned *pos)
{
	while (*pos < b->n && splitter_space(b->p[*pos]))
		(*pos)++;
	s->eating = *pos == b->n;
	s->segment = b->p + *pos;
	return !s->eating;
}

/* The line break at byte i, outside strings: leave out the white space that
 * it is in. */
static int
line_break(struct splitter *s, const struct block *b, unsigned i, unsigned *pos)
{
	const char *end = b->p + i;

	*pos = i + 1;
	if (s->skipping)
		return 0;
	/* White space counts until it is known to be left out. */
	if (s->kept.len + (size_t)(end - s->segment) > s->max)
		return splitter_too_long(s);
	while (end > s->segment && splitter_space(end[-1]))
		end--;
	if (splitter_keep(s, end) != 0)
		return -1;
	while (splitter_space(s->kept.data[s->kept.len - 1]))
		s->kept.len--;
	(void)eat(s, b, pos);
	return 0;
}

/* The open brackets, in registers. */
struct nest {
	size_t depth;
	uint64_t stack;
};

static inline int
open_bracket(struct splitter *s, struct nest *n, const struct block *b,
    unsigned i)
{
	if (n->depth == SPLITTER_DEPTH)
		return splitter_wrong(s, b, i, "nesting is deeper than %d",
		    SPLITTER_DEPTH);
	if (n->depth % 64 == 0)
		s->below[n->depth / 64] = n->stack;
	n->stack = n->stack << 1 | (b->p[i] == '{');
	n->depth++;
	return 0;
}

static inline int
close_bracket(struct splitter *s, struct nest *n, const struct block *b,
    unsigned i)
{
	if ((n->stack & 1) != (b->p[i] == '}'))
		return splitter_wrong(s, b, i, "'%c' closes a '%c'", b->p[i],
		    b->p[i] == '}' ? '[' : '{');
	n->stack >>= 1;
	n->depth--;
	if (n->depth % 64 == 0)
		n->stack = s->below[n->depth / 64];
	return 0;
}

/* An event that is neither a bracket nor a colon. */
static int
odd_byte(struct splitter *s, const struct block *b, unsigned i, unsigned *pos)
{
	if (b->p[i] == '\\')
		return splitter_wrong(s, b, i,
		    "a backslash stands outside a string");
	if ((b->inside >> i & 1) != 0)
		return splitter_wrong(s, b, i,
		    "a string has a line break in it");
	return line_break(s, b, i, pos);
}

int
splitter_container(struct splitter *s, const struct block *b, unsigned *pos)
{
	struct nest nest = { .depth = s->depth, .stack = s->stack };
	uint64_t events;

	if (s->eating && !eat(s, b, pos))
		return 0;
	events = b->event & ~UINT64_C(0) << *pos;
	*pos = b->n;
	while (events != 0) {
		unsigned i = (unsigned)__builtin_ctzll(events);
		char c = b->p[i];

		events &= events - 1;
		if (c == '{' || c == '[') {
			if (open_bracket(s, &nest, b, i) != 0)
				return -1;
		} else if (c == '}' || c == ']') {
			if (close_bracket(s, &nest, b, i) != 0)
				return -1;
			if (nest.depth > 0)
				continue;
			s->depth = 0;
			*pos = i + 1;
			return finish(s, b, i + 1);
		} else if (c == ':') {
			if (nest.depth == 1 && (nest.stack & 1) == 1 &&
			    !s->skipping)
				colon(s, b->p + i);
		} else {
			if (odd_byte(s, b, i, pos) != 0)
				return -1;
			if (*pos >= b->n)
				break;
			events = b->event & ~UINT64_C(0) << *pos;
			*pos = b->n;
		}
	}
	s->depth = nest.depth;
	s->stack = nest.stack;
	return 0;
}

int
splitter_string(struct splitter *s, const struct block *b, unsigned *pos)
{
	uint64_t stops = (b->quote | b->newline) & ~UINT64_C(0) << *pos;
	unsigned i;

	/* The opening quote was not consumed. */
	if (b->offset + *pos == s->started)
		stops &= stops - 1;
	if (stops == 0) {
		*pos = b->n;
		return 0;
	}
	i = (unsigned)__builtin_ctzll(stops);
	if (b->p[i] != '"')
		return splitter_wrong(s, b, i,
		    "a string has a line break in it");
	*pos = i + 1;
	return finish(s, b, i + 1);
}

/* A byte that numbers and literals are made of. */
static bool
scalar_byte(char c)
{
	return (c >= '0' && c <= '9') ||
	    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '+' ||
	    c == '.';
}

int
splitter_scalar(struct splitter *s, const struct block *b, unsigned *pos)
{
	unsigned i = *pos;
	char c;

	while (i < b->n && scalar_byte(b->p[i]))
		i++;
	*pos = i;
	if (i == b->n)
		return 0;
	c = b->p[i];
	if (c != ',' && c != ']' && c != '}' && !splitter_space(c))
		return splitter_wrong(s, b, i,
		    "a number or literal has a wrong character in it");
	return finish(s, b, i);
}
