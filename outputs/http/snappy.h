/*
 * snappy.h - blocks of Snappy (github.com/google/snappy,
 * format_description.txt), without frames.
 */
#ifndef OUTPUTS_HTTP_SNAPPY_H
#define OUTPUTS_HTTP_SNAPPY_H

#include <stddef.h>

struct buf;
struct err;

/* Append data as a block.  libsnappy makes it smaller, where it is installed;
 * without it the block is a literal. */
int snappy_pack(const void *data, size_t len, struct buf *out, struct err *err);

/* The same as one literal: as long as the data, and read as any block is. */
int snappy_literal(const void *data, size_t len, struct buf *out,
    struct err *err);

#endif /* OUTPUTS_HTTP_SNAPPY_H */
