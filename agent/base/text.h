/*
 * text.h - small conversions between bytes and text.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* A borrowed run of bytes; data is NULL where there is none. */
struct slice {
	const char *data;
	size_t len;
};

/* Append the base64 (RFC 4648 section 4, padded; url: section 5, unpadded)
 * of data.  0, or -1 at b's ceiling. */
int text_base64(struct buf *b, const void *data, size_t len);
int text_base64url(struct buf *b, const void *data, size_t len);

/* Decode padded base64 strictly (no white space, zero trailing bits) and
 * append the bytes.  0, or -1 (b may then hold a part). */
int text_unbase64(struct buf *b, const char *s, size_t len);

/* Write 2 * len lower-case digits and a NUL. */
void text_hex(char *out, const void *data, size_t len);

/* Length of the well-formed UTF-8 sequence at s (Unicode table 3-7; len > 0),
 * 0 if there is none. */
size_t text_utf8(const char *s, size_t len);

/* The number of the character at s, which is such a sequence of n bytes. */
uint32_t text_code_point(const char *s, size_t n);

/* Like text_utf8() for a character that a reader sees, or a space: 0 for what
 * hides or turns the text around it, too (control characters, line separators,
 * marks of direction, byte order marks, ...). */
size_t text_visible(const char *s, size_t len);

/* How many bytes at s a JSON string has as they are, not counting what is not
 * ASCII. */
size_t text_plain(const char *s, size_t len);

/* Is all of it well-formed UTF-8? */
bool text_is_utf8(struct slice s);

/* Append s as a JSON string with its quotes (RFC 8259 section 7).  Invalid
 * UTF-8 becomes U+FFFD.  0, or -1 at b's ceiling. */
int text_json_string(struct buf *b, const char *s, size_t len);

/* Append text as a part of a path or a value of a query: percent-encoded
 * (RFC 3986 section 2.1) but for unreserved characters and ":", which both may
 * have. */
int text_percent(struct buf *out, const char *text);

/* Append s as it may go to a terminal: what text_visible() does not count
 * becomes \xNN byte by byte.  0, or -1 at b's ceiling. */
int text_printable(struct buf *b, const char *s, size_t len);

/* Append text, made printable, as lines of at most columns bytes, each with its
 * newline: the first behind first, the others behind others.  Longer words stay
 * whole.  0, or -1 at b's ceiling. */
int text_wrap(struct buf *b, size_t columns, const char *first,
    const char *others, const char *text);

/* Copy in to out (room bytes) like text_printable(), cut where it does not fit.
 * Needs no memory: for the log. */
void text_one_line(char *out, size_t room, const char *in);

/* Copy s to out (room bytes), which somebody else wrote, to be quoted: on one
 * line, with a "?" for what is not UTF-8 and one space for any run of white
 * space and of what is not visible, cut between characters where it does not
 * fit. */
void text_quote(char *out, size_t room, const char *s, size_t len);

/* Take the part of a character from the end of s, which was cut. */
void text_cut(char *s);

/* "90s", "15m", "24h", "7d", "250ms", "0"; a bare number counts seconds.
 * Sets microseconds.  0, or -1 (nothing set). */
int text_duration(const char *s, int64_t *us);

/* "20GiB", "64KiB", "10MB", "512"; sets bytes.  0, or -1 (nothing set). */
int text_size(const char *s, int64_t *bytes);

/* Write a duration as text_duration() reads it, in the largest unit that
 * divides it.  out has at least 32 bytes. */
void text_duration_format(char *out, int64_t us);

/* The entry of names (NULL-terminated) nearest to s by edit distance, NULL
 * when none is near enough to be meant. */
const char *text_nearest(const char *s, const char *const *names);

#endif /* BASE_TEXT_H */
