/*
 * keys.h - the keys that are trusted: those given, and those that one of them
 * says to follow it (evidence/rotation.h).
 *
 * An agent's keys follow each other one by one.  A key that names two
 * successors, and one that signs what comes behind its successor's first
 * checkpoint, are in the hands of somebody else, too.
 */
#ifndef VERIFY_KEYS_H
#define VERIFY_KEYS_H

#include <stddef.h>

#include "base/text.h"
#include "verify/finding.h"
#include "verify/stream.h"

struct checkpoint;
struct err;
struct keys;
struct verifier;

/* given: copied. */
struct keys *keys_new(const struct verifier *given, size_t n);
void keys_free(struct keys *k);

/* Read notes about keys, one behind the other; what they mean goes into f. */
void keys_follow(struct keys *k, struct slice notes, struct findings *f);

/* note_open() by these keys; *key is the one that signed, the latest where
 * several did. */
int keys_open(const struct keys *k, struct slice note, struct checkpoint *cp,
    size_t *key, struct err *err);

/*
 * Find the checkpoints by a key whose successor has signed one of a smaller
 * tree, or of an earlier tree of the same feed.  trees: those of one agent's
 * feed, the earliest first, sorted.  name() says where a checkpoint stood.
 */
typedef const char *keys_place(const void *ctx, uint64_t place);
void keys_check(const struct keys *k, struct stream *const *trees, size_t n,
    struct findings *f, keys_place *name, const void *ctx);

#endif /* VERIFY_KEYS_H */
