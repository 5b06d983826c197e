/*
 * rotation.h - a change of the signing key, told by the old one.
 *
 * "This key follows" is a C2SP signed note by the old key:
 *
 *   sealfeed next key
 *   fra1+<hex key id>+<base64 key>
 *
 *   — fra1 <base64 signature>
 *
 * `sealfeed keygen --follows` puts it behind the new key in the key's file,
 * together with those that the old key had.  seal carries it in every
 * checkpoint ("keys"), so that whoever trusts an old key can follow.
 */
#ifndef EVIDENCE_ROTATION_H
#define EVIDENCE_ROTATION_H

#include <stddef.h>

#include "base/text.h"
#include "evidence/key.h"

/* Append the notes that old has, and a new one that says that next follows;
 * both sign by the same name. */
int rotation_sign(const struct signer *old, const struct signer *next,
    struct buf *out, struct err *err);

/* Take the next note off the front of rest; its data is NULL behind the last
 * one. */
struct slice rotation_next(struct slice *rest);

/* Read a note: when one of the n keys signed it, *next is the key that
 * follows.  Hostile input. */
int rotation_open(struct slice note, const struct verifier *keys, size_t n,
    struct verifier *next, struct err *err);

#endif /* EVIDENCE_ROTATION_H */
