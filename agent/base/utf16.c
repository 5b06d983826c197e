/*
 * utf16.c - UTF-16 that becomes UTF-8 while it comes.
 */
#include <string.h>

#include "base/buf.h"
#include "base/utf16.h"

/* What is looked at where there is no mark. */
#define LOOKED_AT 64

#define REPLACEMENT 0xfffd

enum utf16_order
utf16_guess(const char *s, size_t len, size_t *mark)
{
	size_t zeros[2] = { 0, 0 };

	*mark = 0;
	if (len >= 2 && memcmp(s, "\xff\xfe", 2) == 0) {
		*mark = 2;
		return UTF16_LE;
	}
	if (len >= 2 && memcmp(s, "\xfe\xff", 2) == 0) {
		*mark = 2;
		return UTF16_BE;
	}
	for (size_t i = 0; i < len && i < LOOKED_AT; i++)
		zeros[i % 2] += s[i] == '\0';
	if (zeros[1] >= 2 && zeros[0] == 0)
		return UTF16_LE;
	if (zeros[0] >= 2 && zeros[1] == 0)
		return UTF16_BE;
	return UTF16_NONE;
}

/* Append one character as UTF-8 (RFC 3629 section 3). */
static int
put(struct buf *out, uint32_t c)
{
	char s[4];
	size_t n;

	if (c < 0x80) {
		s[0] = (char)c;
		n = 1;
	} else if (c < 0x800) {
		s[0] = (char)(0xc0 | c >> 6);
		n = 2;
	} else if (c < 0x10000) {
		s[0] = (char)(0xe0 | c >> 12);
		n = 3;
	} else {
		s[0] = (char)(0xf0 | c >> 18);
		n = 4;
	}
	for (size_t i = 1; i < n; i++)
		s[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
	return buf_add(out, s, n);
}

static int
add_unit(struct utf16 *u, uint16_t unit, struct buf *out)
{
	uint16_t high = u->high;

	u->high = 0;
	if (high != 0 && unit >= 0xdc00 && unit < 0xe000)
		return put(out,
		    0x10000 + ((uint32_t)(high - 0xd800) << 10) +
			(uint32_t)(unit - 0xdc00));
	if (high != 0 && put(out, REPLACEMENT) != 0)
		return -1;
	if (unit >= 0xd800 && unit < 0xdc00) {
		u->high = unit;
		return 0;
	}
	return put(out, unit >= 0xdc00 && unit < 0xe000 ? REPLACEMENT : unit);
}

int
utf16_add(struct utf16 *u, const char *s, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)s[i];
		uint8_t high = u->order == UTF16_BE ? u->byte : byte;
		uint8_t low = u->order == UTF16_BE ? byte : u->byte;

		u->half = !u->half;
		if (u->half)
			u->byte = byte;
		else if (add_unit(u, (uint16_t)(high << 8 | low), out) != 0)
			return -1;
	}
	return 0;
}

int
utf16_end(struct utf16 *u, struct buf *out)
{
	bool cut = u->half || u->high != 0;

	u->half = false;
	u->high = 0;
	return cut ? put(out, REPLACEMENT) : 0;
}
