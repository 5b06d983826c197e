/*
 * splitter_private.h - what the files of the splitter share.
 *
 * A push is cut into blocks of at most 64 bytes.  What can be known of all
 * bytes of a block at once, strings above all, is found first, as masks; then
 * the steps of the present mode walk over the few bytes that matter.
 */
#ifndef BASE_SPLITTER_PRIVATE_H
#define BASE_SPLITTER_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/splitter.h"
#include "base/splitter_scan.h"

struct block {
	const char *p;    /* its bytes, in what was pushed */
	unsigned n;       /* 1 to SCAN_BLOCK */
	uint64_t offset;  /* of p in the document */
	uint64_t quote;   /* quotes that begin or end a string */
	uint64_t inside;  /* of strings, with the opening quote */
	uint64_t newline; /* CR and LF */
	uint64_t event;   /* what matters in a container, see refine() */
};

/* What the masks of a block need to know of the bytes before it. */
struct carry {
	uint64_t inside;  /* all ones within a string */
	uint64_t escaped; /* 1: the first byte is behind a backslash */
	uint64_t quotes;  /* of 64 bytes, the last one in bit 63 */
};

enum mode {
	MODE_OUTER,     /* from the document's root along the paths */
	MODE_KEY,       /* inside a key there */
	MODE_BETWEEN,   /* in an array, not in an element */
	MODE_CONTAINER, /* in an element that is an object or array */
	MODE_STRING,    /* … a string */
	MODE_SCALAR,    /* … a number or literal */
	MODE_FAILED,
	MODES
};

/* What may come next, in MODE_OUTER and MODE_BETWEEN. */
enum expected {
	EXPECT_VALUE, /* the root, or the value of a key */
	EXPECT_FIRST, /* a key or element, or the end */
	EXPECT_NEXT,  /* a key or element: there was a comma */
	EXPECT_COLON,
	EXPECT_COMMA, /* or the end */
	EXPECT_NOTHING
};

/* Paths as bits: first those of the arrays, then those of the values and
 * asides. */
typedef uint32_t path_set;
_Static_assert(SPLITTER_PATHS == 32, "one bit a path");

struct path {
	const char *keys[SPLITTER_KEYS + 1]; /* NULL behind the last */
};

struct key_filter {
	const char *text; /* NULL: not wanted */
	size_t len;
	unsigned shift; /* from the opening quote to the colon */
	uint64_t mask;  /* 0: not wanted, or too long for shift */
};

struct splitter {
	const struct scan_kind *scan;
	const struct splitter_spec *spec;
	splitter_fn *take;
	void *ctx;
	struct err *err; /* of the present push */

	/* The paths of spec. */
	struct path *paths;
	size_t n_paths;
	path_set arrays;                  /* those of arrays */
	path_set asides;                  /* those of asides */
	path_set ends[SPLITTER_KEYS + 1]; /* those of so many keys */
	char *keys;                       /* their texts */
	struct buf *values;               /* by path, what was kept */

	/* Between blocks. */
	uint64_t offset; /* bytes of the document so far */
	struct carry carry;
	unsigned bom; /* bytes of a byte order mark so far, 3: past it */

	enum mode mode;
	enum expected expected;

	/* The way along the paths. */
	size_t level;                     /* open objects, or keys, to here */
	path_set open[SPLITTER_KEYS + 1]; /* that lead into each, 0: all */
	path_set here;  /* … to the value here, as far as its key is read */
	size_t key_len; /* of that key so far */
	path_set found; /* of the arrays */
	size_t array;   /* the present or last one */

	/* The present element, or value outside: kept[] and the bytes from
	 * segment on. */
	enum mode after; /* it, MODE_OUTER or MODE_BETWEEN */
	size_t max;
	struct buf *value; /* where it goes when it is a value to keep */
	bool skipping;     /* it is not kept: nobody wants it, … */
	bool longer;       /* … or an element is too long */
	bool eating;       /* in white space that is left out */
	struct buf kept;
	const char *segment;
	uint64_t started; /* its offset */
	struct key_filter id;
	struct key_filter time;
	uint64_t any_colon; /* all ones: a key is too long to filter */
	size_t id_at;       /* behind its colon, in the element; 0: none */
	size_t time_at;

	/* The last fault, see splitter_wrong(). */
	bool odd;
	const char *wrong;
	uint64_t wrong_offset;

	/* Elements that are broken, see splitter_repair.c: bytes from repair_at
	 * on are still to be split, or, repairing, to be looked at. */
	bool repairing;
	bool repair_between; /* the fault is between elements */
	struct buf repair;   /* empty: none */
	size_t repair_at;
	uint64_t repair_offset; /* of its first byte */
	size_t repair_dropped;  /* of the broken element, that were too many */
	size_t repair_next;     /* it is looked at again with so many bytes */
	char why[192];
	bool timed;   /* elements so far had a time */
	bool untimed; /* … or one had not */

	/* Kinds of the open brackets, 1 an object; the innermost in bit 0.
	 * Every 64 levels stack moves to below[]. */
	size_t depth;
	uint64_t stack;
	uint64_t below[SPLITTER_DEPTH / 64];
};

/* A step walks from *pos on, moves *pos, and returns 0 at the end of the block
 * or when the mode has changed, -1 with s->err. */
typedef int splitter_step(struct splitter *s, const struct block *b,
    unsigned *pos);

splitter_step splitter_outer;

/* The document is over: -1 where it lacks an array that it should have.  What
 * an object is that has none, whoever reads it may tell better. */
int splitter_outer_end(const struct splitter *s, struct err *err);
splitter_step splitter_key;
splitter_step splitter_between;
splitter_step splitter_container;
splitter_step splitter_string;
splitter_step splitter_scalar;

/* Say what is wrong with byte i of b; -1. */
int splitter_wrong(struct splitter *s, const struct block *b, unsigned i,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The element, or the value outside, that begins at byte i; its kind follows
 * from the byte.  Not consumed. */
int splitter_begin(struct splitter *s, const struct block *b, unsigned i);

/* A value ends, behind which mode goes on: what may come then? */
static inline enum expected
splitter_next(const struct splitter *s, enum mode mode)
{
	return mode == MODE_OUTER && s->level == 0 ? EXPECT_NOTHING
						   : EXPECT_COMMA;
}

/* Keep what the present element has up to end; -1 when it is too long and
 * may not be. */
int splitter_keep(struct splitter *s, const char *end);

/* The present element is too long: keep no more of it, or say so and -1. */
int splitter_too_long(struct splitter *s);

/* A fault has been met whose element or separator begins at from, or, where
 * some of it is kept already, goes on there: look for its end from now on. */
int splitter_repair_begin(struct splitter *s, const char *from,
    struct err *err);

/* Gather some of *p, moving it. */
int splitter_repair_add(struct splitter *s, const char **p, size_t *len,
    struct err *err);

/* Look for the end in what is gathered, last: there will be no more.  1: the
 * split goes on behind it, 0: it is not known, -1: take said so. */
int splitter_repair(struct splitter *s, bool last, struct err *err);

/* Like splitter_new(), with a kind of scan other than the best. */
struct splitter *splitter_new_with(const struct splitter_spec *spec,
    splitter_fn *take, void *ctx, const struct scan_kind *scan);

/* "an object", "a number", … by the first byte. */
const char *splitter_describe(char c);

static inline bool
splitter_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool
splitter_in_element(const struct splitter *s)
{
	return s->mode == MODE_CONTAINER || s->mode == MODE_STRING ||
	    s->mode == MODE_SCALAR;
}

#endif /* BASE_SPLITTER_PRIVATE_H */
