/*
 * splitter_shape.h - where a value that is not quite JSON ends.
 *
 * Slow and careful, for the few elements that the splitter stumbles over: it
 * follows the grammar of RFC 8259 but leaves numbers, literals, escapes and
 * the characters of strings alone, as the splitter does.
 */
#ifndef BASE_SPLITTER_SHAPE_H
#define BASE_SPLITTER_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

enum shape_kind {
	SHAPE_WHOLE,
	SHAPE_CUT,  /* more bytes could make it whole */
	SHAPE_WRONG /* none could */
};

struct shape {
	enum shape_kind kind;
	size_t end;    /* behind it, or where it is wrong or cut */
	size_t string; /* where the last string begins, 0: there is none */
	bool clean;    /* what the splitter takes as it is */
	bool id;       /* an object with a member of that name … */
	bool time;     /* … and of that one */
};

/* Look at the value that p begins with.  id and time are names of members, or
 * NULL; nesting up to depth is clean. */
void shape_scan(const char *p, size_t len, const char *id, const char *time,
    size_t depth, struct shape *out);

#endif /* BASE_SPLITTER_SHAPE_H */
