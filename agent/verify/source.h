/*
 * source.h - the text of an input, whatever it is packed and encoded in:
 * plain, gzip, xz or zstd (any number of members), UTF-8 or UTF-16 with or
 * without a byte order mark.  It comes as UTF-8 without a mark, in pieces.
 */
#ifndef VERIFY_SOURCE_H
#define VERIFY_SOURCE_H

#include <stddef.h>

struct buf;
struct err;
struct source;

/* Open path ("-": standard input).  NULL: it cannot be read, or is packed in a
 * way that this program cannot unpack; err says how it can be. */
struct source *source_open(const char *path, struct err *err);
void source_close(struct source *s);

/* Append the next piece to out: how many bytes at most is bounded.  1; 0 the
 * text is at its end; -1 it is damaged behind what came, ends inside of what is
 * packed, or is of a kind that is not read (UTF-32, XML, packed twice). */
int source_read(struct source *s, struct buf *out, struct err *err);

#endif /* VERIFY_SOURCE_H */
