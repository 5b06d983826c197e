/*
 * splitter.h - finds the elements of JSON arrays in a stream, byte-exact.
 *
 * The hot path: one pass over the bytes as they arrive, no DOM, memory for
 * one element.  It tracks strings, escapes, bracket kinds and commas, so that
 * truncated input, trailing garbage and unbalanced brackets are errors, but
 * leaves numbers, literals and escapes alone: an element that a JSON parser
 * refuses (a huge integer, a lone surrogate, invalid UTF-8, duplicate keys)
 * is still delivered, as it came.  Where spec.repairs is set, only the ends of
 * the document and what is outside its arrays must be right.
 *
 * The bytes of an element are those of the vendor but for one thing: a run of
 * white space outside strings that contains a CR or LF is left out, so that
 * an element is one line.  A raw CR or LF inside a string is not JSON
 * (RFC 8259 section 7) and an error.
 *
 * What surrounds the arrays is an envelope of objects.  Values in it that are
 * wanted (the link to the next page, a cursor) are kept; all else is passed.
 */
#ifndef BASE_SPLITTER_H
#define BASE_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct err;

struct splitter;

/* An element nested deeper is an error; so is what stands beside the paths. */
#define SPLITTER_DEPTH 4096

/* Bounds of a spec: paths in all, and keys of one. */
#define SPLITTER_PATHS 32
#define SPLITTER_KEYS 16

/* A value outside the arrays that is longer is an error. */
#define SPLITTER_VALUE_MAX (16 * 1024)

struct element {
	/* Borrowed until the function returns.  NULL: the element is longer
	 * than most; there is neither id nor time, and len is its length in the
	 * document. */
	const char *data;
	size_t len;
	/* What is wrong with it, where spec.repairs allows that: a sentence
	 * with the place.  There is neither id nor time, and its bytes, which
	 * may have line breaks, are those of the document but for white space
	 * around line breaks before the fault.  NULL: nothing. */
	const char *bad;
	/* Text between the quotes of the member's value where that is a
	 * string, the token where it is a number; NULL where there is none.
	 * The last one wins where a key repeats, as in jansson. */
	struct slice id;
	struct slice time;
	size_t array; /* which of spec.arrays it is from */
};

struct splitter_spec {
	/* Where the arrays are: JSON pointers (RFC 6901), each a chain of
	 * object keys, NULL behind the last.  NULL: "", the document itself is
	 * the array.  Keys are compared as the document spells them.  No
	 * array may be on the way to another. */
	const char *const *arrays;
	/* Likewise of values outside them that are kept, or NULL. */
	const char *const *values;
	/* Likewise, kept whatever they are, objects and arrays, too. */
	const char *const *asides;
	const char *id;   /* key of the element's own id, or NULL */
	const char *time; /* key of its time, or NULL */
	size_t max;       /* longest element in bytes */
	/* What is longer is passed without its bytes, its end found as that
	 * of any other and nothing of it kept; false: it is an error. */
	bool pass_longer;
	/* An element of an array that is broken (a line break in a string,
	 * brackets or quotes that do not match, too deep) is passed on as such
	 * once it is known where the next one begins, and the split goes on;
	 * commas too many or too few are left out.  false: it is an error. */
	bool repairs;
	/* An array that is missing or null is an empty one; false: an error. */
	bool absent_is_empty;
	/* An object in the place of an array is its only element; false: an
	 * error. */
	bool object_is_element;
};

/* Takes one element; 0, or -1 with err to stop the split. */
typedef int splitter_fn(void *ctx, const struct element *el, struct err *err);

/* spec and what it points to are borrowed for the splitter's life. */
struct splitter *splitter_new(const struct splitter_spec *spec,
    splitter_fn *take, void *ctx);
void splitter_free(struct splitter *s);

/* Make ready for another document. */
void splitter_reset(struct splitter *s);

/* Feed the next bytes, of any length.  -1: not JSON, not an array where one
 * was expected, or take said so; err names the byte offset.  No further push
 * is allowed then. */
int splitter_push(struct splitter *s, const void *data, size_t len,
    struct err *err);

/* The input is complete: -1 unless the document is, too. */
int splitter_end(struct splitter *s, struct err *err);

/* After splitter_end() has failed: true, and what *el is then, if the document
 * ends with the bracket of its array, and what is in front of that is broken:
 * no document that is right begins like this one, however it goes on. */
bool splitter_tail(const struct splitter *s, struct element *el);

/* The token at spec.values[i] of this document, or behind those at
 * spec.asides, with its quotes where it is a
 * string and its escapes as they came; data NULL where there is none yet, or
 * an object or array that is no aside.  The last one wins where a key repeats
 * (of an array, the elements of all come).  Borrowed until the next push or
 * reset. */
struct slice splitter_value(const struct splitter *s, size_t i);

#endif /* BASE_SPLITTER_H */
