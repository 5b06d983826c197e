/*
 * when.h - the forms in which vendors write times.
 */
#ifndef BASE_WHEN_H
#define BASE_WHEN_H

#include <stdint.h>

#include "base/text.h"

struct buf;

enum when_format {
	WHEN_RFC3339,    /* 2026-11-22T04:26:58Z; read with any fraction */
	WHEN_RFC3339_MS, /* 2026-11-22T04:26:58.123Z */
	WHEN_RFC3339_US, /* 2026-11-22T04:26:58.123456Z */
	WHEN_EPOCH,      /* seconds since 1970; read with a fraction */
	WHEN_EPOCH_MS,   /* milliseconds */
	WHEN_DATE,       /* 2026-11-22 */
	WHEN_DATETIME,   /* 2026-11-22 04:26:58, in UTC */
	WHEN_COMPACT,    /* 20261122042658, read with .123 */
	WHEN_HTTP,       /* Sun, 22 Nov 2026 04:26:58 GMT (RFC 9110) */
	WHEN_RFC2822,    /* Sun, 22 Nov 2026 04:26:58 -0000 */
	WHEN_ISO8601,    /* 2026-11-22T04:26:58+0000 */
	WHEN_FORMATS
};

/* "rfc3339", …, by enum when_format; NULL-terminated. */
extern const char *const when_names[];

/* The format of that name, WHEN_FORMATS: none. */
enum when_format when_by_name(struct slice name);

/* What a format can say at the finest, microseconds: bounds of windows must be
 * multiples of it. */
int64_t when_unit(enum when_format format);

/* Append a time, microseconds since 1970; what is finer than the format is
 * cut.  -1 at out's ceiling. */
int when_write(enum when_format format, int64_t when, struct buf *out);

/* Read one: the text between the quotes, or the digits.  0, or -1. */
int when_read(enum when_format format, struct slice text, int64_t *when);

#endif /* BASE_WHEN_H */
