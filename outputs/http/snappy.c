/*
 * snappy.c - blocks of Snappy.
 */
#include "outputs/http/snappy.h"

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/late.h"

/* Of the library's snappy-c.h, which has been so since its first version. */
struct calls {
	int (*compress)(const char *, size_t, char *, size_t *);
	size_t (*max_compressed_length)(size_t);
};

static const char *const names[] = { "snappy_compress",
	"snappy_max_compressed_length" };

static union {
	struct calls call;
	void *any[sizeof(names) / sizeof(names[0])];
} snappy;

static struct late_library library = {
	.file = "libsnappy.so.1",
	.names = names,
	.functions = snappy.any,
	.n = sizeof(names) / sizeof(names[0]),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

/* A tag says a literal whose length, less one, stands in four bytes. */
#define LITERAL_4 (63 << 2)

int
snappy_literal(const void *data, size_t len, struct buf *out, struct err *err)
{
	unsigned char head[5 + 5], *p = head;

	if (len > UINT32_MAX)
		return err_set(err, "request: too large for Snappy");
	for (size_t n = len;; n >>= 7) {
		*p++ = (unsigned char)(n > 0x7f ? n | 0x80 : n);
		if (n <= 0x7f)
			break;
	}
	if (len > 0)
		*p++ = LITERAL_4;
	for (int i = 0; len > 0 && i < 4; i++)
		*p++ = (unsigned char)((len - 1) >> 8 * i);
	if (buf_add(out, head, (size_t)(p - head)) != 0 ||
	    (len > 0 && buf_add(out, data, len) != 0))
		return err_set(err, "request: too large");
	return 0;
}

int
snappy_pack(const void *data, size_t len, struct buf *out, struct err *err)
{
	size_t size;
	char *room;

	if (len > UINT32_MAX || !late_try(&library))
		return snappy_literal(data, len, out, err);
	size = snappy.call.max_compressed_length(len);
	room = buf_room(out, size);
	if (room == NULL)
		return err_set(err, "request: too large");
	if (snappy.call.compress(data, len, room, &size) != 0)
		return err_set(err, "libsnappy: packs nothing");
	out->len += size;
	out->data[out->len] = '\0';
	return 0;
}
