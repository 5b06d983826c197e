/*
 * protobuf.h - fields of protobuf messages, written and read (protobuf.dev,
 * "Encoding").
 */
#ifndef OUTPUTS_HTTP_PROTOBUF_H
#define OUTPUTS_HTTP_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct buf;

/* Append a field: 0, -1 at b's ceiling. */
int protobuf_number(struct buf *b, unsigned field, uint64_t n);
int protobuf_fixed64(struct buf *b, unsigned field, uint64_t n);
int protobuf_bytes(struct buf *b, unsigned field, struct slice s);

/* Append the head of a field of len bytes, which follow. */
int protobuf_head(struct buf *b, unsigned field, size_t len);

/* Bytes of a field of len bytes, its head included; of fields 1 to 15. */
size_t protobuf_size(size_t len);

struct protobuf_field {
	unsigned number;
	uint64_t value;     /* of a varint; else 0 */
	struct slice bytes; /* of others; borrowed */
};

struct protobuf_reader {
	struct slice rest;
	bool broken;
};

/* The next field of a message; false: there is none, or it is broken.  Hostile
 * input. */
bool protobuf_next(struct protobuf_reader *r, struct protobuf_field *f);

#endif /* OUTPUTS_HTTP_PROTOBUF_H */
