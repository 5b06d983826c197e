/*
 * gzip_private.h - what gzip.c needs of a library: raw deflate (RFC 1951) in
 * both directions and CRC-32.  Only gzip*.c and their tests include it.
 */
#ifndef BASE_GZIP_PRIVATE_H
#define BASE_GZIP_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct gzip;

struct gzip_engine {
	/* "zlib 1.2.13" */
	const char *(*name)(void);
	/* State for both directions; a direction's memory is allocated with
	 * its first use. */
	void *(*open)(void);
	void (*close)(void *state);
	/* Append data as blocks that end with a sync flush.  len is at most
	 * GZIP_BLOCK and not 0. */
	int (*deflate)(void *state, const void *data, size_t len,
	    struct buf *out, struct err *err);
	/* Append what the blocks at data hold, up to and with the final one;
	 * *used says where that ends. */
	int (*inflate)(void *state, const void *data, size_t len, size_t *used,
	    struct buf *out, struct err *err);
	/* CRC-32 (RFC 1952 section 8) of data behind bytes with that crc. */
	uint32_t (*crc)(uint32_t crc, const void *data, size_t len);
};

/* Counters of the libraries have 32 bits. */
#define GZIP_BLOCK ((size_t)1 << 30)

extern const struct gzip_engine gzip_zlib;
#ifdef HAVE_ISAL
extern const struct gzip_engine gzip_isal;

/* To be called behind every call of ISA-L, which leaves the upper halves of
 * the vector registers dirty. */
void gzip_clean_vectors(void);
#endif

/* Like gzip_new(), with a library other than the default. */
struct gzip *gzip_new_with(const struct gzip_engine *engine);

/* For engines: where the next output goes and how much fits there, allocating
 * where needed.  NULL at out's ceiling, or without memory. */
uint8_t *gzip_room(struct buf *out, size_t *avail);

#endif /* BASE_GZIP_PRIVATE_H */
