/*
 * human.h - spans of time and amounts of bytes as people read them.
 */
#ifndef BASE_HUMAN_H
#define BASE_HUMAN_H

#include <stdint.h>

#define HUMAN_TEXT 32

/* Write a span (microseconds) as "3s", "2m", "4h", "7d", "6d 23h": cut, not
 * rounded; a negative one is "0s".  Returns out[HUMAN_TEXT]. */
const char *human_span(char *out, int64_t us);

/* The same in words: "3 s", "5 min", "4 h", "6 d 23 h".  Returns
 * out[HUMAN_TEXT]. */
const char *human_words(char *out, int64_t us);

/* Write bytes as "512 B", "1.5 GiB", "20 GiB".  Returns out[HUMAN_TEXT]. */
const char *human_bytes(char *out, uint64_t bytes);

#endif /* BASE_HUMAN_H */
