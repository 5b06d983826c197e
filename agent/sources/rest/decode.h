/*
 * decode.h - replies that are no JSON arrays of events: lines of JSON, CSV,
 * rows of values with their names elsewhere, objects under keys.
 *
 * Such a reply is read as a whole.  Of CSV, and of rows of values, events are
 * made here: objects whose members have the names of the columns, texts as the
 * vendor has them.
 */
#ifndef SOURCES_REST_DECODE_H
#define SOURCES_REST_DECODE_H

#include <stdbool.h>

#include "base/text.h"

struct buf;
struct err;

enum record_format {
	RECORDS_JSON,    /* arrays; these stream, and are not decoded here */
	RECORDS_NDJSON,  /* an object a line */
	RECORDS_CSV,     /* RFC 4180, the first row has the names */
	RECORDS_COLUMNS, /* arrays of values, and the names in another one */
	RECORDS_KEYED,   /* an object whose values are the events */
	RECORDS_FORMATS
};

struct decode {
	enum record_format format;
	char *const *at;      /* pointers to the rows, the first counts that is
				 there, of a JSON document */
	const char *names;    /* RECORDS_CSV: what the row with the names begins
				 with; NULL: it is the first */
	const char *columns;  /* RECORDS_COLUMNS: to their names, … */
	const char *column;   /* … and in each of those to the name */
	bool absent_is_empty; /* a document without the rows has none */
	/* The same text came before, so that nobody has cut it off: a row that
	 * it ends within is taken as it is. */
	bool settled;
	/* The text of the columns: kept for pages that have none. */
	struct buf *kept;
};

/* Takes the JSON text of one event.  bad: it is a row that is none, as it came,
 * and what is wrong with it, else NULL.  0; 1: it is no JSON, as err says, and
 * comes again as a bad one unless the reply may end within it; -1 ends it. */
typedef int decode_fn(void *ctx, struct slice event, const char *bad,
    struct err *err);

/* Decode a body.  One odd row stops no other one.  0; 1: it ends within a row
 * and is not settled: fn has had what is in front of that; -1: it is none of
 * that format, or fn said so. */
int decode(const struct decode *d, struct slice body, decode_fn *fn, void *ctx,
    struct err *err);

/* Append what a JSON string's text, without its quotes, stands for. */
int decode_string(struct slice text, struct buf *out);

#endif /* SOURCES_REST_DECODE_H */
