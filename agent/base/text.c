/*
 * text.c - small conversions between bytes and text.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/* Names longer than this are not compared letter by letter. */
#define LONGEST_NAME 64

/* Most bytes that one has in a string, and what snprintf() puts behind. */
#define JSON_ESCAPE 7

struct unit {
	const char *name;
	int64_t value;
};

/* Largest first, for text_duration_format(). */
static const struct unit durations[] = {
	{ .name = "d", .value = INT64_C(86400000000) },
	{ .name = "h", .value = INT64_C(3600000000) },
	{ .name = "m", .value = INT64_C(60000000) },
	{ .name = "s", .value = INT64_C(1000000) },
	{ .name = "ms", .value = INT64_C(1000) },
	{ .name = "us", .value = INT64_C(1) },
	{ .name = NULL },
};

static const struct unit sizes[] = {
	{ .name = "", .value = INT64_C(1) },
	{ .name = "B", .value = INT64_C(1) },
	{ .name = "KiB", .value = INT64_C(1) << 10 },
	{ .name = "MiB", .value = INT64_C(1) << 20 },
	{ .name = "GiB", .value = INT64_C(1) << 30 },
	{ .name = "TiB", .value = INT64_C(1) << 40 },
	{ .name = "KB", .value = INT64_C(1000) },
	{ .name = "MB", .value = INT64_C(1000000) },
	{ .name = "GB", .value = INT64_C(1000000000) },
	{ .name = "TB", .value = INT64_C(1000000000000) },
	{ .name = NULL },
};

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz0123456789-_";

static int
encode(struct buf *b, const uint8_t *data, size_t len, const char *set,
    bool pad)
{
	size_t rest = len % 3;
	size_t need = len / 3 * 4;
	char *to;

	if (rest > 0)
		need += pad ? 4 : rest + 1;
	to = buf_room(b, need);
	if (to == NULL)
		return -1;
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t v = (uint32_t)data[i] << 16;

		if (left > 1)
			v |= (uint32_t)data[i + 1] << 8;
		if (left > 2)
			v |= data[i + 2];
		*to++ = set[v >> 18];
		*to++ = set[v >> 12 & 63];
		if (left > 1 || pad)
			*to++ = left > 1 ? set[v >> 6 & 63] : '=';
		if (left > 2 || pad)
			*to++ = left > 2 ? set[v & 63] : '=';
	}
	b->len += need;
	b->data[b->len] = '\0';
	return 0;
}

int
text_base64(struct buf *b, const void *data, size_t len)
{
	return encode(b, data, len, base64_digits, true);
}

int
text_base64url(struct buf *b, const void *data, size_t len)
{
	return encode(b, data, len, base64url_digits, false);
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

int
text_unbase64(struct buf *b, const char *s, size_t len)
{
	if (len % 4 != 0)
		return -1;
	for (size_t i = 0; i < len; i += 4) {
		size_t used = 4;
		uint32_t v = 0;
		uint8_t out[3];

		if (i + 4 == len && s[i + 3] == '=')
			used = s[i + 2] == '=' ? 2 : 3;
		for (size_t k = 0; k < 4; k++) {
			int digit = k < used ? base64_value(s[i + k]) : 0;

			if (digit < 0)
				return -1;
			v = v << 6 | (uint32_t)digit;
		}
		out[0] = (uint8_t)(v >> 16);
		out[1] = (uint8_t)(v >> 8);
		out[2] = (uint8_t)v;
		/* Bits behind the last byte must be zero, or one value had
		 * several spellings. */
		for (size_t k = used - 1; k < 3; k++) {
			if (out[k] != 0)
				return -1;
		}
		if (buf_add(b, out, used - 1) != 0)
			return -1;
	}
	return 0;
}

void
text_hex(char *out, const void *data, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	const uint8_t *from = data;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digit[from[i] >> 4];
		out[2 * i + 1] = digit[from[i] & 15];
	}
	out[2 * len] = '\0';
}

size_t
text_utf8(const char *data, size_t len)
{
	const uint8_t *s = (const uint8_t *)data;
	static const struct {
		uint8_t first, last; /* byte 1 */
		uint8_t low, high;   /* byte 2 */
		size_t len;
	} rows[] = {
		{ .first = 0x00, .last = 0x7f, .len = 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t k;

		if (*s < rows[i].first || *s > rows[i].last)
			continue;
		if (rows[i].len > len)
			return 0;
		if (rows[i].len > 1 &&
		    (s[1] < rows[i].low || s[1] > rows[i].high))
			return 0;
		for (k = 2; k < rows[i].len; k++) {
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		}
		return rows[i].len;
	}
	return 0;
}

uint32_t
text_code_point(const char *s, size_t n)
{
	const uint8_t *at = (const uint8_t *)s;
	uint32_t c = n == 1 ? *at : *at & (0x7fU >> n);

	while (--n > 0)
		c = c << 6 | (*++at & 0x3f);
	return c;
}

size_t
text_visible(const char *s, size_t len)
{
	static const struct {
		uint32_t first, last;
	} unseen[] = {
		{ 0, 0x1f },
		{ 0x7f, 0x9f }, /* some terminals obey U+0080 and on */
		{ 0x61c, 0x61c },
		{ 0x180e, 0x180e },
		{ 0x200b, 0x200b },
		{ 0x200e, 0x200f },
		{ 0x2028, 0x202e },
		{ 0x2060, 0x206f },
		{ 0xfeff, 0xfeff },
		{ 0xfff9, 0xfffb },
		{ 0xe0000, 0xe007f },
	};
	const size_t n = text_utf8(s, len);
	const uint32_t c = n > 0 ? text_code_point(s, n) : 0;

	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
		if (c >= unseen[i].first && c <= unseen[i].last)
			return 0;
	return n;
}

bool
text_is_utf8(struct slice s)
{
	for (size_t i = 0, n; i < s.len; i += n) {
		n = text_utf8(s.data + i, s.len - i);
		if (n == 0)
			return false;
	}
	return true;
}

/* Every byte of w is ASCII, and none a control character, quote or backslash.
 */
static bool
all_plain(uint64_t w)
{
	const uint64_t ones = UINT64_MAX / 0xff, high = ones << 7;
	const uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';

	/* Subtraction borrows into the high bit where a byte is too small. */
	return ((w | (w - ones * ' ') | ((quote - ones) & ~quote) |
		    ((slash - ones) & ~slash)) &
		   high) == 0;
}

size_t
text_plain(const char *s, size_t len)
{
	size_t n = 0;
	uint64_t w;

	for (; len - n >= sizeof(w); n += sizeof(w)) {
		memcpy(&w, s + n, sizeof(w));
		if (!all_plain(w))
			break;
	}
	while (n < len && (uint8_t)s[n] >= ' ' && (uint8_t)s[n] < 0x80 &&
	    s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

/* A byte that a string cannot have as it is, as it has it; returns its length.
 * Where it is no character at all that is U+FFFD. */
static size_t
json_escape(uint8_t c, char out[JSON_ESCAPE])
{
	static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	if (c >= 0x80) {
		memcpy(out, "\xef\xbf\xbd", 3);
		return 3;
	}
	for (const char *p = named; *p != '\0'; p += 2) {
		if (c == (uint8_t)*p) {
			out[0] = '\\';
			out[1] = p[1];
			return 2;
		}
	}
	return (size_t)snprintf(out, JSON_ESCAPE, "\\u%04x", c);
}

/* How much of s a string has as it is. */
static size_t
json_run(const char *s, size_t len)
{
	size_t n = text_plain(s, len), more;

	while (n < len && (uint8_t)s[n] >= 0x80 &&
	    (more = text_utf8(s + n, len - n)) > 0) {
		n += more;
		n += text_plain(s + n, len - n);
	}
	return n;
}

int
text_json_string(struct buf *b, const char *s, size_t len)
{
	char escape[JSON_ESCAPE];
	size_t n;

	if (buf_add(b, "\"", 1) != 0)
		return -1;
	for (;;) {
		n = json_run(s, len);
		if (buf_add(b, s, n) != 0)
			return -1;
		if (n == len)
			return buf_add(b, "\"", 1);
		s += n;
		len -= n + 1;
		n = json_escape((uint8_t)*s++, escape);
		if (buf_add(b, escape, n) != 0)
			return -1;
	}
}

int
text_printable(struct buf *b, const char *s, size_t len)
{
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = text_visible(s + i, len - i);
		if (n > 0 && buf_add(b, s + i, n) != 0)
			return -1;
		if (n > 0)
			continue;
		n = text_utf8(s + i, len - i);
		n = n > 0 ? n : 1;
		for (size_t k = 0; k < n; k++)
			if (buf_addf(b, "\\x%02x", (uint8_t)s[i + k]) != 0)
				return -1;
	}
	return 0;
}

void
text_quote(char *out, size_t room, const char *s, size_t len)
{
	size_t n = 0, k, step;

	for (size_t i = 0; i < len; i += step) {
		const char *c = s + i;

		k = text_visible(c, len - i);
		step = k > 0 ? k : text_utf8(c, len - i);
		if (step == 0) {
			step = k = 1;
			c = "?";
		} else if (k == 0 || *c == ' ') {
			k = n > 0 && out[n - 1] != ' ' ? 1 : 0;
			c = " ";
		}
		if (n + k >= room)
			break;
		memcpy(out + n, c, k);
		n += k;
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

void
text_cut(char *s)
{
	size_t len = strlen(s), at = len;

	while (at > 0 && len - at < 3 && (s[at - 1] & 0xc0) == 0x80)
		at--;
	if (at > 0 && (s[at - 1] & 0xc0) == 0xc0 &&
	    text_utf8(s + at - 1, len - at + 1) == 0)
		s[at - 1] = '\0';
}

/* Digits and a unit of the table. */
static int
quantity(const char *s, const struct unit *units, int64_t *value)
{
	const char *at = s;
	int64_t v = 0;

	for (; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, *at - '0', &v))
			return -1;
	}
	if (at == s)
		return -1;
	for (; units->name != NULL; units++) {
		if (strcmp(at, units->name) == 0)
			return __builtin_mul_overflow(v, units->value, value)
			    ? -1
			    : 0;
	}
	return -1;
}

int
text_duration(const char *s, int64_t *us)
{
	static const struct unit bare[] = {
		{ .name = "", .value = INT64_C(1000000) },
		{ .name = NULL },
	};
	int64_t value;

	if (quantity(s, durations, &value) != 0 &&
	    quantity(s, bare, &value) != 0)
		return -1;
	*us = value;
	return 0;
}

int
text_size(const char *s, int64_t *bytes)
{
	int64_t value;

	if (quantity(s, sizes, &value) != 0)
		return -1;
	*bytes = value;
	return 0;
}

void
text_duration_format(char *out, int64_t us)
{
	const struct unit *u = durations;

	if (us == 0) {
		memcpy(out, "0", 2);
		return;
	}
	while (us % u->value != 0)
		u++;
	(void)snprintf(out, 32, "%lld%s", (long long)(us / u->value), u->name);
}

static size_t
min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours that make b of a. */
static size_t
distance(const char *a, size_t an, const char *b, size_t bn)
{
	size_t rows[3][LONGEST_NAME + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t k = 0; k <= bn; k++)
		row[k] = k;
	for (size_t i = 1; i <= an; i++) {
		size_t *recycled = before;

		before = above;
		above = row;
		row = recycled;
		row[0] = i;
		for (size_t k = 1; k <= bn; k++) {
			row[k] = min(above[k - 1] + (a[i - 1] != b[k - 1]),
			    min(above[k], row[k - 1]) + 1);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
			    a[i - 2] == b[k - 1])
				row[k] = min(row[k], before[k - 2] + 1);
		}
	}
	return row[bn];
}

const char *
text_nearest(const char *s, const char *const *names)
{
	const char *found = NULL;
	size_t len = strlen(s);
	/* One slip in every three letters, or it is another word. */
	size_t best = (len + 2) / 3 + 1;

	if (len > LONGEST_NAME)
		return NULL;
	for (; *names != NULL; names++) {
		size_t n = strlen(*names);
		size_t d;

		if (n > LONGEST_NAME)
			continue;
		d = distance(s, len, *names, n);
		if (d < best && d < n) {
			best = d;
			found = *names;
		}
	}
	return found;
}

int
text_wrap(struct buf *b, size_t columns, const char *first, const char *others,
    const char *text)
{
	size_t begin = b->len;

	if (buf_adds(b, first) != 0)
		return -1;
	for (bool fresh = true; text[strspn(text, " \n")] != '\0';
	     fresh = false) {
		const char *word = text + strspn(text, " \n");
		const size_t len = strcspn(word, " \n");

		if (!fresh && b->len - begin + 1 + len > columns) {
			begin = b->len + 1;
			if (buf_addf(b, "\n%s", others) != 0)
				return -1;
			fresh = true;
		}
		if ((!fresh && buf_adds(b, " ") != 0) ||
		    text_printable(b, word, len) != 0)
			return -1;
		text = word + len;
	}
	return buf_adds(b, "\n");
}

void
text_one_line(char *out, size_t room, const char *in)
{
	size_t n = 0, k;

	for (size_t len = strlen(in); len > 0; in += k, len -= k) {
		const size_t seen = text_visible(in, len);

		k = seen > 0 ? seen : text_utf8(in, len);
		k = k > 0 ? k : 1;
		if (n + (seen > 0 ? seen : 4 * k) >= room)
			break;
		if (seen > 0)
			memcpy(out + n, in, k);
		for (size_t i = 0; seen == 0 && i < k; i++) {
			memcpy(out + n + 4 * i, "\\x", 2);
			text_hex(out + n + 4 * i + 2, in + i, 1);
		}
		n += seen > 0 ? seen : 4 * k;
	}
	out[n] = '\0';
}

int
text_percent(struct buf *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~:";

	while (*text != '\0') {
		size_t n = strspn(text, plain);

		if (buf_add(out, text, n) != 0)
			return -1;
		text += n;
		if (*text != '\0' &&
		    buf_addf(out, "%%%02X", (unsigned char)*text++) != 0)
			return -1;
	}
	return 0;
}
