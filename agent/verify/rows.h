/*
 * rows.h - CSV (RFC 4180) and its kin, with a header: which character parts
 * the cells, and the cells of a row.
 */
#ifndef VERIFY_ROWS_H
#define VERIFY_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/text.h"

struct rows {
	char delimiter;  /* '\0': it is no table */
	bool backslash;  /* how quotes in a cell are written: see rows_row() */
	struct buf text; /* the cells of the last row, one behind the other */
	size_t *end;     /* where each ends in it */
	size_t n;
	size_t cells; /* the same, with those that are passed over */
	size_t width; /* cells of the first row; 0: there was none */
};

/* Whether a first line (without its LF) is a header, and by what its cells are
 * parted: a comma, a semicolon, a tab or a bar. */
char rows_delimiter(const char *line, size_t len);

/* Room for cells of so many bytes altogether. */
void rows_init(struct rows *t, char delimiter, size_t max);
void rows_release(struct rows *t);

/*
 * Take the row that begins at s apart: cells in quotes may span lines, quotes
 * in them are doubled or stand behind a backslash.  A table has one of both, so
 * the row is read as the last one was, and the other way where it is no row
 * then, or has more or fewer cells than the first.  Returns its length with its
 * LF; 0: more bytes are needed, unless ended; SIZE_MAX: it is no row, or too
 * long.  Cells beyond most are passed over.
 */
size_t rows_row(struct rows *t, const char *s, size_t len, bool ended,
    size_t most);

/* Cell i, < n, of the last row. */
struct slice rows_cell(const struct rows *t, size_t i);

#endif /* VERIFY_ROWS_H */
