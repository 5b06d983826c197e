/*
 * key.h - Ed25519 keys: made, read from PEM or a provider, and named as C2SP
 * signed notes name them.
 *
 * Key id: the first four bytes of SHA-256(name || 0x0A || 0x01 || 32-byte
 * Ed25519 key).  vkey: "<name>+<hex key id>+<base64(0x01 || key)>"
 * (c2sp.org/signed-note).
 */
#ifndef EVIDENCE_KEY_H
#define EVIDENCE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct signer;

#define KEY_LEN 32
#define KEY_ID_LEN 4

/* A key that can sign.  pem_or_uri: PEM text, or a URI that an OpenSSL
 * provider understands, or one of a PKCS#11 token (token.h).  name: of the
 * agent, printable ASCII without a space or "+".  NULL: no such key, or not an
 * Ed25519 one. */
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

const char *signer_name(const struct signer *s);

/* Sign len bytes; -1 if the provider fails to. */
#define KEY_SIGNATURE_LEN 64
int signer_sign(const struct signer *s, const char *data, size_t len,
    uint8_t signature[KEY_SIGNATURE_LEN], struct err *err);

/* The id that the key has in notes. */
const uint8_t *signer_id(const struct signer *s);

/* The notes about earlier keys that stand behind the key in its file, one
 * behind the other, "" where there are none; each begins with this line
 * (rotation.h). */
#define KEY_ROTATION_TITLE "sealfeed next key\n"
const char *signer_rotations(const struct signer *s);

/* Most bytes of all notes of a key together. */
#define KEY_ROTATIONS_MAX (16 * 1024)

/* A public key that is trusted. */
struct verifier {
	char name[256];
	uint8_t id[KEY_ID_LEN];
	uint8_t key[KEY_LEN];
	bool any_name; /* read from a bare public key, whose name is unknown */
};

/* Read a vkey, or the content of a file that holds one, or a PEM public or
 * private Ed25519 key. */
int verifier_parse(const char *text, struct verifier *v, struct err *err);

/* Whether v is the key with that name and id. */
bool verifier_is(const struct verifier *v, const char *name,
    const uint8_t id[KEY_ID_LEN]);

/* Whether signature is v's over len bytes. */
bool verifier_check(const struct verifier *v,
    const uint8_t signature[KEY_SIGNATURE_LEN], const char *data, size_t len);

#endif /* EVIDENCE_KEY_H */
