/*
 * sealed.h - a feed sealed by the book, for tests of what reads it.
 */
#ifndef TESTS_LIB_SEALED_H
#define TESTS_LIB_SEALED_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/merkle.h"

struct signer;

struct sealed {
	char name[128];
	struct merkle_range peaks;
	struct merkle_range before; /* of the last checkpoint */
	struct buf check;
};

void sealed_begin(struct sealed *s, const char *name);
void sealed_end(struct sealed *s);

/* Make the event a leaf; returns its index. */
uint64_t sealed_event(struct digest *d, struct sealed *s, const char *value,
    size_t len);

/* Append the value of a checkpoint over all events so far; returns the size
 * of the tree.  Dies when it can't. */
uint64_t sealed_checkpoint(struct digest *d, struct sealed *s,
    const struct signer *signer, const char *agent, struct buf *value);

#endif /* TESTS_LIB_SEALED_H */
