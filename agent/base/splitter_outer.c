/*
 * splitter_outer.c - outside the elements: the way along the paths to the
 * arrays and values, and the arrays' commas.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/splitter_private.h"

const char *
splitter_describe(char c)
{
	switch (c) {
	case '{':
		return "an object";
	case '[':
		return "an array";
	case '"':
		return "a string";
	case 't':
	case 'f':
		return "a boolean";
	case 'n':
		return "null";
	default:
		return c == '-' || (c >= '0' && c <= '9') ? "a number" : NULL;
	}
}

/* The key of level (1 is the root's) that the first path of set has. */
static const char *
key_of(const struct splitter *s, path_set set, size_t level)
{
	return s->paths[__builtin_ctz(set)].keys[level - 1];
}

/* What should be an array (or an object that leads to one) begins otherwise.
 * arrays: those that lead here. */
static int
not_wanted(struct splitter *s, const struct block *b, unsigned i,
    path_set arrays)
{
	bool here = (arrays & s->ends[s->level]) != 0;
	const char *wanted = here ? "an array" : "an object";
	const char *what = splitter_describe(b->p[i]);
	unsigned char c = (unsigned char)b->p[i];

	if (what != NULL && s->level == 0)
		return splitter_wrong(s, b, i, "the document is %s, not %s",
		    what, wanted);
	if (what != NULL)
		return splitter_wrong(s, b, i, "\"%s\" is %s, not %s",
		    key_of(s, arrays, s->level), what, wanted);
	if (s->level == 0 && c == '<')
		return splitter_wrong(s, b, i,
		    "the document is HTML or XML, "
		    "not JSON: it begins with '<'");
	return splitter_wrong(s, b, i,
	    "%s is expected, and there is byte "
	    "0x%02x",
	    wanted, c);
}

/* A value that is neither an array nor leads to anything: keep it where it is
 * wanted. */
static int
other_value(struct splitter *s, const struct block *b, unsigned i)
{
	path_set wanted = s->here & s->ends[s->level] & ~s->arrays;

	s->after = MODE_OUTER;
	if (b->p[i] == '{' || b->p[i] == '[')
		wanted &= s->asides;
	s->skipping = wanted == 0;
	if (!s->skipping)
		s->value = &s->values[__builtin_ctz(wanted)];
	return splitter_begin(s, b, i);
}

/* The value at byte *pos; a bracket on the way is consumed. */
static int
value(struct splitter *s, const struct block *b, unsigned *pos)
{
	char c = b->p[*pos];
	path_set arrays = s->here & s->arrays;
	path_set array = arrays & s->ends[s->level];
	path_set through = s->here & ~s->ends[s->level];

	/* Where a key repeats the last one wins, with all below it. */
	for (path_set left = s->here & ~s->arrays; left != 0; left &= left - 1)
		buf_clear(&s->values[__builtin_ctz(left)]);
	if (array != 0 &&
	    (c == '[' || (c == '{' && s->spec->object_is_element))) {
		s->array = (size_t)__builtin_ctz(array);
		s->found |= array;
		s->after = c == '[' ? MODE_BETWEEN : MODE_OUTER;
		if (c == '{')
			return splitter_begin(s, b, *pos);
		s->mode = MODE_BETWEEN;
	} else if (array == 0 && through != 0 && c == '{') {
		s->open[++s->level] = through;
	} else if (arrays == 0 || (c == 'n' && s->spec->absent_is_empty)) {
		return other_value(s, b, *pos);
	} else {
		return not_wanted(s, b, *pos, arrays);
	}
	s->expected = EXPECT_FIRST;
	(*pos)++;
	return 0;
}

/* An object on the way ends. */
static void
leave(struct splitter *s)
{
	s->level--;
	s->expected = splitter_next(s, MODE_OUTER);
}

int
splitter_outer_end(const struct splitter *s, struct err *err)
{
	const path_set missing = s->arrays & ~s->found;

	if (missing == 0 || s->spec->absent_is_empty)
		return 0;
	return err_set(err, "the document has no array at \"%s\"",
	    key_of(s, missing, 1));
}

/* A key or the end of an object on the way. */
static int
member(struct splitter *s, const struct block *b, unsigned i)
{
	if (b->p[i] == '}' && s->expected == EXPECT_FIRST) {
		leave(s);
		return 0;
	}
	if (b->p[i] != '"')
		return splitter_wrong(s, b, i, "a key is expected");
	s->mode = MODE_KEY;
	s->key_len = 0;
	s->here = s->open[s->level];
	return 0;
}

static int
comma(struct splitter *s, const struct block *b, unsigned i)
{
	if (b->p[i] == '}') {
		leave(s);
		return 0;
	}
	if (b->p[i] != ',')
		return splitter_wrong(s, b, i, "',' or '}' is expected");
	s->expected = EXPECT_NEXT;
	return 0;
}

int
splitter_outer(struct splitter *s, const struct block *b, unsigned *pos)
{
	unsigned i = *pos;

	while (i < b->n && splitter_space(b->p[i]))
		i++;
	*pos = i;
	if (i == b->n)
		return 0;
	if (s->expected == EXPECT_VALUE)
		return value(s, b, pos);
	(*pos)++;
	switch (s->expected) {
	case EXPECT_FIRST:
	case EXPECT_NEXT:
		return member(s, b, i);
	case EXPECT_COMMA:
		return comma(s, b, i);
	case EXPECT_COLON:
		if (b->p[i] != ':')
			return splitter_wrong(s, b, i, "':' is expected");
		s->expected = EXPECT_VALUE;
		return 0;
	case EXPECT_VALUE:
	case EXPECT_NOTHING:
	default:
		return splitter_wrong(s, b, i,
		    "something follows the end of the document");
	}
}

/* Those of the paths to the present key that have c at its place n; NUL: that
 * end there. */
static path_set
with_byte(const struct splitter *s, size_t n, char c)
{
	path_set same = 0;

	for (path_set left = s->here; left != 0; left &= left - 1) {
		if (key_of(s, left, s->level)[n] == c)
			same |= left & -left;
	}
	return same;
}

/* The bytes of a key up to its closing quote, compared as they come. */
int
splitter_key(struct splitter *s, const struct block *b, unsigned *pos)
{
	uint64_t stops = (b->quote | b->newline) & ~UINT64_C(0) << *pos;
	unsigned stop = stops == 0 ? b->n : (unsigned)__builtin_ctzll(stops);

	for (unsigned i = *pos; i < stop && s->here != 0; i++) {
		s->here =
		    b->p[i] != '\0' ? with_byte(s, s->key_len, b->p[i]) : 0;
		s->key_len++;
	}
	*pos = stop;
	if (stops == 0)
		return 0;
	if (b->p[stop] != '"')
		return splitter_wrong(s, b, stop,
		    "a string has a line break in it");
	s->here = with_byte(s, s->key_len, '\0');
	s->mode = MODE_OUTER;
	s->expected = EXPECT_COLON;
	(*pos)++;
	return 0;
}

int
splitter_between(struct splitter *s, const struct block *b, unsigned *pos)
{
	for (unsigned i = *pos; i < b->n; i++) {
		char c = b->p[i];

		*pos = i + 1;
		if (splitter_space(c))
			continue;
		if (c == ']' && s->expected != EXPECT_NEXT) {
			s->mode = MODE_OUTER;
			s->expected = splitter_next(s, MODE_OUTER);
			return 0;
		}
		if (s->expected != EXPECT_COMMA) {
			*pos = i;
			return splitter_begin(s, b, i);
		}
		if (c != ',')
			return splitter_wrong(s, b, i,
			    "',' or ']' is expected between elements");
		s->expected = EXPECT_NEXT;
	}
	return 0;
}
