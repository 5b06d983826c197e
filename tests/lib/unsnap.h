/*
 * unsnap.h - unpacks a block of Snappy, strictly.
 */
#ifndef TESTS_LIB_UNSNAP_H
#define TESTS_LIB_UNSNAP_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Append what is in the block; false: it is broken, or of another length than
 * it says. */
bool unsnap(const char *data, size_t len, struct buf *out);

#endif /* TESTS_LIB_UNSNAP_H */
