/*
 * note.h - C2SP signed notes and checkpoints.
 *
 * c2sp.org/signed-note: text lines ending in LF, a blank line, signature
 * lines "— <key name> <base64(4-byte key id || signature)>".  Key id: the
 * first four bytes of SHA-256(name || 0x0A || 0x01 || 32-byte Ed25519 key).
 * vkey: "<name>+<hex key id>+<base64(0x01 || key)>".
 * c2sp.org/tlog-checkpoint: the text is origin, tree size, base64 root.
 */
#ifndef EVIDENCE_NOTE_H
#define EVIDENCE_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct buf;
struct err;
struct signer;

/* A key that can sign.  pem_or_uri: PEM text, or a URI that an OpenSSL
 * provider understands ("pkcs11:…").  name: of the agent, printable ASCII
 * without a space or "+".  NULL: no such key, or not an Ed25519 one. */
struct signer *signer_open(const char *name, const char *pem_or_uri,
    struct err *err);
void signer_free(struct signer *s);

/* Whether text begins with the scheme of a URI (RFC 3986 section 3.1, two
 * characters at least), so is neither PEM nor a file name. */
bool signer_is_uri(const char *text);

/* New Ed25519 private key as PEM (PKCS#8), appended to pem. */
int signer_generate(struct buf *pem, struct err *err);

/* Append the signer's verifier key (no newline). */
int signer_vkey(const struct signer *s, struct buf *out, struct err *err);

/* Append the signed checkpoint.  -1: the provider did not sign, or b's
 * ceiling. */
int note_sign(const struct signer *s, const char *origin, uint64_t size,
    const uint8_t root[DIGEST_LEN], struct buf *out, struct err *err);

/* A public key that is trusted. */
struct verifier {
	char name[256];
	uint8_t id[4];
	uint8_t key[32];
	bool any_name; /* read from a bare public key, whose name is unknown */
};

/* Read a vkey, or the content of a file that holds one, or a PEM public or
 * private Ed25519 key. */
int verifier_parse(const char *text, struct verifier *v, struct err *err);

struct checkpoint {
	char signer[256]; /* name of the key whose signature is good */
	char origin[512];
	uint64_t size;
	uint8_t root[DIGEST_LEN];
};

/* No note is longer, or has more signature lines that are looked at. */
#define NOTE_MOST (64 * 1024)
#define NOTE_SIGNATURES 64

/* Take note apart and check that one of its signatures is by one of the n
 * keys; signatures of others are passed over, a bad one of a known key spoils
 * the note (signed-note, "Signatures").  Hostile input.  0; -1 malformed, no
 * known key, or a bad signature: err says which, and *cp holds what the text
 * says as far as it could be read (signer is empty: unproven). */
int note_open(const char *note, size_t len, const struct verifier *keys,
    size_t n, struct checkpoint *cp, struct err *err);

#endif /* EVIDENCE_NOTE_H */
