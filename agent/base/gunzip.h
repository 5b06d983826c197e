/*
 * gunzip.h - gzip (RFC 1952), zlib (RFC 1950) and bare deflate (RFC 1951) that
 * is unpacked while it comes, by the library that gzip.h packs with.
 */
#ifndef BASE_GUNZIP_H
#define BASE_GUNZIP_H

#include <stddef.h>

struct err;
struct gunzip;

/* Takes the next bytes of what was packed, which are borrowed; 0, or -1 with
 * err to stop. */
typedef int gunzip_fn(void *ctx, const char *data, size_t len, struct err *err);

/* One decompressor serves any number of streams, one after another. */
struct gunzip *gunzip_new(void);
void gunzip_free(struct gunzip *g);

/* Begin a new stream of members, whatever became of the last one. */
void gunzip_begin(struct gunzip *g, gunzip_fn *take, void *ctx);

/* The same for one stream of another kind. */
enum gunzip_kind { GUNZIP_GZIP, GUNZIP_ZLIB, GUNZIP_DEFLATE };
void gunzip_begin_as(struct gunzip *g, enum gunzip_kind kind, gunzip_fn *take,
    void *ctx);

/* Feed the next bytes, as few as one.  -1 if the data is damaged (a wrong
 * checksum, bytes other than zeros after the end) or take failed. */
int gunzip_push(struct gunzip *g, const void *data, size_t len,
    struct err *err);

/* The input is complete: -1 if its last member is not.  A stream of no bytes
 * at all is complete. */
int gunzip_end(const struct gunzip *g, struct err *err);

#endif /* BASE_GUNZIP_H */
