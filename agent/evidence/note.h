/*
 * note.h - C2SP signed notes and checkpoints.
 *
 * c2sp.org/signed-note: text lines ending in LF, a blank line, signature
 * lines "— <key name> <base64(4-byte key id || signature)>".
 * c2sp.org/tlog-checkpoint: the text is origin, tree size, base64 root.
 */
#ifndef EVIDENCE_NOTE_H
#define EVIDENCE_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/text.h"
#include "evidence/key.h"

struct buf;
struct err;

/* Append the signed checkpoint.  -1 if the provider fails to sign, or at b's
 * ceiling. */
int note_sign(const struct signer *s, const char *origin, uint64_t size,
    const uint8_t root[DIGEST_LEN], struct buf *out, struct err *err);

struct checkpoint {
	char signer[256]; /* name of the key whose signature is good */
	char origin[512];
	uint64_t size;
	uint8_t root[DIGEST_LEN];
};

/* No note is longer, or has more signature lines that are looked at. */
#define NOTE_MAX (64 * 1024)
#define NOTE_SIGNATURES 64

/* Take note apart and check that one of its signatures is by one of the n
 * keys; signatures of others are passed over, a bad one of a known key spoils
 * the note (signed-note, "Signatures").  Hostile input.  0; -1 malformed, no
 * known key, or a bad signature: err says which, and *cp holds what the text
 * says as far as it could be read (signer is empty: unproven). */
int note_open(const char *note, size_t len, const struct verifier *keys,
    size_t n, struct checkpoint *cp, struct err *err);

/* A note with any text: sign what out holds from start on; take apart a note
 * whose form is good; check its signatures, where signer gets the name of a
 * trusted key, "" on failure. */
struct trust {
	const struct verifier *keys;
	size_t n;
};
int note_finish(const struct signer *s, struct buf *out, size_t start,
    struct err *err);
int note_split(const char *note, size_t len, struct slice *text,
    struct err *err);
int note_check(const char *note, size_t len, struct slice text,
    struct trust trust, char signer[256], struct err *err);

#endif /* EVIDENCE_NOTE_H */
