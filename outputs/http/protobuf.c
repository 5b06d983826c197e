/*
 * protobuf.c - fields of protobuf messages.
 */
#include "outputs/http/protobuf.h"
#include "base/buf.h"

enum wire { VARINT = 0, FIXED64 = 1, LEN = 2, FIXED32 = 5 };

static int
put_varint(struct buf *b, uint64_t n)
{
	unsigned char bytes[10];
	size_t len = 0;

	do {
		bytes[len++] = (unsigned char)(n > 0x7f ? n | 0x80 : n);
		n >>= 7;
	} while (n > 0);
	return buf_add(b, bytes, len);
}

static int
put_tag(struct buf *b, unsigned field, enum wire wire)
{
	return put_varint(b, (uint64_t)field << 3 | wire);
}

int
protobuf_number(struct buf *b, unsigned field, uint64_t n)
{
	return put_tag(b, field, VARINT) != 0 ? -1 : put_varint(b, n);
}

int
protobuf_fixed64(struct buf *b, unsigned field, uint64_t n)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(n >> 8 * i);
	return put_tag(b, field, FIXED64) != 0
	    ? -1
	    : buf_add(b, bytes, sizeof(bytes));
}

int
protobuf_head(struct buf *b, unsigned field, size_t len)
{
	return put_tag(b, field, LEN) != 0 ? -1 : put_varint(b, len);
}

int
protobuf_bytes(struct buf *b, unsigned field, struct slice s)
{
	if (protobuf_head(b, field, s.len) != 0)
		return -1;
	return s.len == 0 ? 0 : buf_add(b, s.data, s.len);
}

size_t
protobuf_size(size_t len)
{
	size_t n = 2 + len;

	for (; len > 0x7f; len >>= 7)
		n++;
	return n;
}

static bool
take_varint(struct slice *s, uint64_t *n)
{
	*n = 0;
	for (unsigned shift = 0; shift < 64 && s->len > 0; shift += 7) {
		unsigned char c = (unsigned char)*s->data++;

		s->len--;
		*n |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			return true;
	}
	return false;
}

static bool
take_bytes(struct slice *s, uint64_t len, struct slice *bytes)
{
	if (len > s->len)
		return false;
	*bytes = (struct slice){ s->data, (size_t)len };
	s->data += len;
	s->len -= (size_t)len;
	return true;
}

static bool
take_value(struct slice *s, unsigned wire, struct protobuf_field *f)
{
	uint64_t len;

	switch (wire) {
	case VARINT:
		return take_varint(s, &f->value);
	case FIXED64:
		return take_bytes(s, 8, &f->bytes);
	case FIXED32:
		return take_bytes(s, 4, &f->bytes);
	case LEN:
		return take_varint(s, &len) && take_bytes(s, len, &f->bytes);
	default:
		return false;
	}
}

bool
protobuf_next(struct protobuf_reader *r, struct protobuf_field *f)
{
	uint64_t tag;

	if (r->broken || r->rest.len == 0)
		return false;
	*f = (struct protobuf_field){ .number = 0 };
	if (!take_varint(&r->rest, &tag) || tag >> 3 == 0 ||
	    tag >> 3 > UINT32_MAX >> 3) {
		r->broken = true;
		return false;
	}
	f->number = (unsigned)(tag >> 3);
	r->broken = !take_value(&r->rest, tag & 7, f);
	return !r->broken;
}
