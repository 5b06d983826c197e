/*
 * splitter_outer.c - outside the elements: the way along the path to the
 * array, its commas, and what follows it.
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

static const char *
wanted_key(const struct splitter *s)
{
	return s->spec->path == NULL ? NULL : s->spec->path[s->level];
}

/* What should be an array (or an object that leads to it) begins otherwise. */
static int
not_wanted(struct splitter *s, const struct block *b, unsigned i)
{
	const char *wanted = wanted_key(s) == NULL ? "an array" : "an object";
	const char *what = splitter_describe(b->p[i]);
	unsigned char c = (unsigned char)b->p[i];

	if (what != NULL && s->level == 0)
		return splitter_wrong(s, b, i, "the document is %s, not %s",
		    what, wanted);
	if (what != NULL)
		return splitter_wrong(s, b, i, "\"%s\" is %s, not %s",
		    s->spec->path[s->level - 1], what, wanted);
	if (s->level == 0 && c == '<')
		return splitter_wrong(s, b, i,
		    "the document is HTML or XML, "
		    "not JSON: it begins with '<'");
	return splitter_wrong(s, b, i,
	    "%s is expected, and there is byte "
	    "0x%02x",
	    wanted, c);
}

static int
value(struct splitter *s, const struct block *b, unsigned i)
{
	bool array = wanted_key(s) == NULL;

	if (b->p[i] != (array ? '[' : '{'))
		return not_wanted(s, b, i);
	s->expected = EXPECT_FIRST;
	if (array) {
		s->mode = MODE_BETWEEN;
		s->found = true;
	} else {
		s->level++;
	}
	return 0;
}

/* An object on the path ends; an array did when level is 0. */
static int
leave(struct splitter *s, const struct block *b, unsigned i)
{
	s->level--;
	s->expected = s->level == 0 ? EXPECT_NOTHING : EXPECT_COMMA;
	if (s->level == 0 && !s->found)
		return splitter_wrong(s, b, i,
		    "the document has no array at "
		    "\"%s\"",
		    s->spec->path[0]);
	return 0;
}

/* A key or the end of an object on the path. */
static int
member(struct splitter *s, const struct block *b, unsigned i)
{
	if (b->p[i] == '}' && s->expected == EXPECT_FIRST)
		return leave(s, b, i);
	if (b->p[i] != '"')
		return splitter_wrong(s, b, i, "a key is expected");
	s->mode = MODE_KEY;
	s->key_len = 0;
	s->key_same = true;
	return 0;
}

static int
comma(struct splitter *s, const struct block *b, unsigned i)
{
	if (b->p[i] == '}')
		return leave(s, b, i);
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
	(*pos)++;
	switch (s->expected) {
	case EXPECT_VALUE:
		return value(s, b, i);
	case EXPECT_FIRST:
	case EXPECT_NEXT:
		return member(s, b, i);
	case EXPECT_COMMA:
		return comma(s, b, i);
	case EXPECT_OTHER_VALUE:
		*pos = i;
		s->skipping = true;
		return splitter_begin(s, b, i);
	case EXPECT_COLON:
		if (b->p[i] != ':')
			return splitter_wrong(s, b, i, "':' is expected");
		s->expected = s->key_same ? EXPECT_VALUE : EXPECT_OTHER_VALUE;
		return 0;
	case EXPECT_NOTHING:
	default:
		return splitter_wrong(s, b, i,
		    "something follows the end of the document");
	}
}

/* The bytes of a key up to its closing quote, compared as they come. */
int
splitter_key(struct splitter *s, const struct block *b, unsigned *pos)
{
	uint64_t stops = (b->quote | b->newline) & ~UINT64_C(0) << *pos;
	unsigned stop = stops == 0 ? b->n : (unsigned)__builtin_ctzll(stops);
	const char *wanted = s->spec->path[s->level - 1];

	for (unsigned i = *pos; i < stop && s->key_same; i++) {
		s->key_same =
		    wanted[s->key_len] != '\0' && wanted[s->key_len] == b->p[i];
		s->key_len++;
	}
	*pos = stop;
	if (stops == 0)
		return 0;
	if (b->p[stop] != '"')
		return splitter_wrong(s, b, stop,
		    "a string has a line break in it");
	if (s->key_same)
		s->key_same = wanted[s->key_len] == '\0';
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
			s->expected =
			    s->level == 0 ? EXPECT_NOTHING : EXPECT_COMMA;
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
