/*
 * key.h - keys that sign and keys that verify: made, read from PEM, a token, a
 * TPM or another provider, and named as C2SP signed notes name them.
 *
 * vkey: "<name>+<hex key id>+<base64(type || key)>" (c2sp.org/signed-note);
 * public.h has the types.
 */
#ifndef EVIDENCE_KEY_H
#define EVIDENCE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evidence/public.h"

struct buf;
struct err;
struct signer;

/* A key that can sign.  text: PEM, or a URI of a PKCS#11 token (token.h), a TPM
 * (tpm.h) or another provider of OpenSSL; behind either may stand notes on
 * lines of their own, see signer_rotations().  name: of the agent, printable
 * ASCII without a space or "+".  NULL: no such key, or one of a kind that does
 * not sign notes. */
struct signer *signer_open(const char *name, const char *text, struct err *err);
void signer_free(struct signer *s);

/* The same of what the setting agent.key has: a text that secret_resolve_pem()
 * takes.  The error names its file or credential. */
struct signer *signer_load(const char *name, const char *key, struct err *err);

/* Whether text begins with the scheme of a URI (RFC 3986 section 3.1, two
 * characters at least), so is neither PEM nor a file name. */
bool signer_is_uri(const char *text);

/* Whether it is somewhere else that the key of that text signs, and may be slow
 * or gone: a token, a TPM, another provider. */
bool signer_is_elsewhere(const char *text);

/* New private key as PEM (PKCS#8), appended to pem. */
int signer_generate(const struct key_kind *kind, struct buf *pem,
    struct err *err);

/* Append the signer's verifier key (no newline). */
int signer_vkey(const struct signer *s, struct buf *out, struct err *err);

const char *signer_name(const struct signer *s);

/* Sign len bytes; -1 if the provider fails to. */
int signer_sign(const struct signer *s, const char *data, size_t len,
    struct signature *signature, struct err *err);

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
	struct public_key key;
	bool any_name; /* read from a bare public key, whose name is unknown */
};

/* Read a vkey, or the content of a file that holds one, or a PEM public or
 * private key. */
int verifier_parse(const char *text, struct verifier *v, struct err *err);

/* Whether v is the key with that name and id. */
bool verifier_is(const struct verifier *v, const char *name,
    const uint8_t id[KEY_ID_LEN]);

/* Whether the n bytes of signature are v's over len bytes, in their only form.
 * Hostile input. */
bool verifier_check(const struct verifier *v, const uint8_t *signature,
    size_t n, const char *data, size_t len);

#endif /* EVIDENCE_KEY_H */
