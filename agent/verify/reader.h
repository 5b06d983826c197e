/*
 * reader.h - the records of an input: lines; rows of CSV or TSV, where the
 * first line is a header; JSON objects, however many lines they take, and the
 * elements of arrays of them, such as the hits of a search.
 *
 * What is packed or in UTF-16 is read, too (source.h).  Memory is bounded by
 * the longest record, not by the input.
 */
#ifndef VERIFY_READER_H
#define VERIFY_READER_H

#include <stddef.h>

#include "verify/record.h"

struct err;

typedef void reader_fn(void *ctx, const struct reader_line *line);

/* Give every record of path ("-": standard input) to fn.  -1: it can't be
 * read or is damaged; what came before has been given. */
int reader_lines(const char *path, reader_fn *fn, void *ctx, struct err *err);

/* Like reader_lines(), with another bound than READER_LINE_MAX. */
int reader_lines_upto(const char *path, size_t max, reader_fn *fn, void *ctx,
    struct err *err);

#endif /* VERIFY_READER_H */
