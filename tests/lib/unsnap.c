/*
 * unsnap.c - unpacks a block of Snappy (google/snappy, format_description.txt).
 */
#include "tests/lib/unsnap.h"

#include "base/buf.h"

/* A copy of bytes that were written before. */
static bool
copy_back(struct buf *out, size_t offset, size_t len)
{
	if (offset == 0 || offset > out->len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (buf_add(out, &(char){ out->data[out->len - offset] }, 1) !=
		    0)
			return false;
	return true;
}

/* n bytes, the lowest first. */
static size_t
little(const unsigned char *p, size_t n)
{
	size_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

/* One element at *p; false: it is broken. */
static bool
element(const unsigned char **p, const unsigned char *end, struct buf *out)
{
	unsigned tag = *(*p)++, kind = tag & 3, more;
	size_t len = (tag >> 2) + 1, left = (size_t)(end - *p);
	const unsigned char *at = *p;

	if (kind == 0) {
		more = len > 60 ? (unsigned)len - 60 : 0;
		if (left < more)
			return false;
		len = more > 0 ? little(at, more) + 1 : len;
		*p += more + len;
		return len <= left - more && buf_add(out, at + more, len) == 0;
	}
	more = kind == 1 ? 1 : kind == 2 ? 2 : 4;
	if (left < more)
		return false;
	*p += more;
	if (kind == 1)
		return copy_back(out, (size_t)(tag >> 5) << 8 | at[0],
		    (tag >> 2 & 7) + 4);
	return copy_back(out, little(at, more), len);
}

bool
unsnap(const char *data, size_t len, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)data;
	const unsigned char *end = p + len;
	size_t want = 0;
	unsigned shift = 0;

	for (; p<end && * p> 0x7f && shift < 28; shift += 7)
		want |= (size_t)(*p++ & 0x7f) << shift;
	if (p == end)
		return false;
	want |= (size_t)*p++ << shift;
	while (p < end)
		if (!element(&p, end, out))
			return false;
	return out->len == want;
}
