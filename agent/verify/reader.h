/*
 * reader.h - the lines of an input, plain or gzip (any number of members).
 */
#ifndef VERIFY_READER_H
#define VERIFY_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* A longer line is passed over and reported: no receiver takes one message of
 * this length, and memory stays bounded. */
#define READER_LINE_MAX (64 * 1024 * 1024)

struct reader_line {
	const char *data; /* borrowed, without LF; NULL: too long */
	size_t len;
	uint64_t number; /* from 1 */
	bool cut;        /* the input ends without an LF */
};

typedef void reader_fn(void *ctx, const struct reader_line *line);

/* Give every line of path ("-": standard input) to fn.  -1: it can't be read
 * or is damaged as gzip; what came before has been given. */
int reader_lines(const char *path, reader_fn *fn, void *ctx, struct err *err);

/* Like reader_lines(), with another bound than READER_LINE_MAX. */
int reader_lines_upto(const char *path, size_t max, reader_fn *fn, void *ctx,
    struct err *err);

#endif /* VERIFY_READER_H */
