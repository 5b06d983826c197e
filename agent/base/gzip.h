/*
 * gzip.h - gzip members (RFC 1952) that can be joined without packing again.
 *
 * A member made here is: a ten-byte header (no name, time 0), deflate blocks
 * of which the last one ends on a byte boundary and is not marked final (a
 * sync flush), the empty final block 03 00, CRC-32 and size.  Any gzip reader
 * reads it.  Since no block refers to data before its own member, members
 * join into one larger member by dropping what is between their blocks and
 * combining the checksums: what the store holds is sent as it is, however
 * many batches go into one request, and readers that stop after a first
 * member lose nothing.
 */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include <stddef.h>

struct buf;
struct err;

struct gzip; /* the state for both directions; one a thread */

struct gzip *gzip_new(void);
void gzip_free(struct gzip *g);

/* Append data as one joinable member to out. */
int gzip_pack(struct gzip *g, const void *data, size_t len, struct buf *out,
    struct err *err);

/* Make member part of out, which is empty or a joinable member. */
int gzip_join(struct buf *out, const void *member, size_t len, struct err *err);

/* Append the contents of all members in data to out; a wrong checksum, a
 * missing end or trailing bytes are errors. */
int gzip_unpack(struct gzip *g, const void *data, size_t len, struct buf *out,
    struct err *err);

/* "zlib 1.2.13" or "ISA-L 2.30.0", for version and bench. */
const char *gzip_library(void);

#endif /* BASE_GZIP_H */
