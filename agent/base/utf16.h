/*
 * utf16.h - UTF-16 (Unicode 15, section 3.10) that becomes UTF-8 while it
 * comes.
 */
#ifndef BASE_UTF16_H
#define BASE_UTF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum utf16_order { UTF16_NONE, UTF16_LE, UTF16_BE };

/*
 * Which order of bytes a text has that begins with s: by its byte order mark
 * (mark: its length, or 0), else by the zero bytes that its ASCII characters
 * have, if there are two of them at least and all in the same half.
 * UTF16_NONE: it is no UTF-16 that can be told.
 */
enum utf16_order utf16_guess(const char *s, size_t len, size_t *mark);

/* A text under way; begin with the order alone. */
struct utf16 {
	enum utf16_order order;
	bool half; /* the first byte of a unit is there */
	uint8_t byte;
	uint16_t high; /* a high surrogate that waits for its low one, or 0 */
};

/* Append the next bytes to out, as few as one; what is no character becomes
 * U+FFFD.  -1 at out's ceiling. */
int utf16_add(struct utf16 *u, const char *s, size_t len, struct buf *out)
    __attribute__((warn_unused_result));

/* The text ends: half a character at its end becomes U+FFFD. */
int utf16_end(struct utf16 *u, struct buf *out)
    __attribute__((warn_unused_result));

#endif /* BASE_UTF16_H */
