/*
 * table.h - rows under heads, as the subcommands print them: aligned, never
 * wider than TABLE_WIDTH columns, no colours, where nothing else is said.
 *
 * Everything that goes in is made printable (text_printable()): errors and
 * names may be the vendor's.
 */
#ifndef CMD_TABLE_H
#define CMD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json_put.h"

struct buf;
struct err;

#define TABLE_WIDTH 80
#define TABLE_COLUMNS 12

struct column {
	const char *head;
	bool right;    /* numbers and spans */
	bool cut;      /* loses its middle where the row would be too wide; at
			  most one of a table */
	bool optional; /* is left out where the row would be too wide, the last
			  first */
	bool spare;    /* likewise, but only where a short form of the cell that
			  is cut does not help: a figure that does not fit
			  would lose its digits at the edge of the screen */
};

/* Colours (ECMA-48 8.3.117). */
#define COLOUR_HEAD "\033[1m"
#define COLOUR_GOOD "\033[32m"
#define COLOUR_WARNING "\033[33m"
#define COLOUR_BAD "\033[31m"
#define COLOUR_OFF "\033[0m"

struct table;

/* columns (n, at most TABLE_COLUMNS) is borrowed. */
struct table *table_new(const struct column *columns, size_t n);
void table_free(struct table *t);

/* Rows of that width; with a bold head and the colours of rows, or without. */
void table_look(struct table *t, size_t width, bool colours);

/* The last row has that colour, a literal. */
void table_colour(struct table *t, const char *colour);

/* Add the next cell, from the left; a row is full with the last column. */
void table_cell(struct table *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A sentence below the last row, indented and wrapped. */
void table_note(struct table *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* How many rows there are that table_print() has not written yet. */
size_t table_rows(const struct table *t);

/* Append the heads (the first time) and the rows since the last time.  What
 * has been printed sets the least widths of what follows, so that a long list
 * can be printed bit by bit.  -1 at out's ceiling. */
int table_print(struct table *t, struct buf *out);

/* Append a sentence, wrapped at TABLE_WIDTH, each line behind indent
 * blanks, with a newline at the end; made printable. */
int table_wrap(struct buf *out, size_t indent, const char *text);
int table_wrap_in(struct buf *out, size_t width, size_t indent,
    const char *text);

/* A row goes into table, or into json where that is asked for. */
struct listing {
	bool as_json;
	struct table *table;
	struct json_put json;
	struct buf out;
	uint64_t rows;
};

/* columns (n) is borrowed until listing_close(). */
void listing_open(struct listing *l, bool as_json, const struct column *columns,
    size_t n);

/* A row is complete; writes when there are many. */
int listing_next(struct listing *l, struct err *err);

/* Write the rest; none: the sentence that a table without rows is.  rc not 0:
 * something failed before, only free.  Returns rc or -1. */
int listing_close(struct listing *l, int rc, const char *none, struct err *err);

#endif /* CMD_TABLE_H */
