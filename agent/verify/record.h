/*
 * record.h - one record of an input, as the reader gives it.
 */
#ifndef VERIFY_RECORD_H
#define VERIFY_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* A longer record is passed over and reported: no receiver takes one message
 * of this length, and memory stays bounded. */
#define READER_LINE_MAX (64 * 1024 * 1024)

/* Columns of a row that are looked at. */
#define READER_COLUMNS 1024

/* A row of a table: its cells without quotes, and the names of the columns;
 * a row may have fewer. */
struct reader_row {
	const struct slice *name;
	const struct slice *cell;
	size_t n;
};

struct reader_line {
	const char *data; /* borrowed, without LF; NULL: too long */
	size_t len;
	uint64_t number;              /* of its first line, from 1 */
	bool cut;                     /* the input ends without an LF */
	const struct reader_row *row; /* NULL: it is none of a table */
};

#endif /* VERIFY_RECORD_H */
