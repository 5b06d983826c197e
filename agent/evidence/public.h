/*
 * public.h - public keys and signatures, as C2SP signed notes have them.
 *
 * Type 0x01 is Ed25519: the key is its 32 bytes, a signature has 64, and the
 * key id is the first four bytes of SHA-256(name || 0x0A || 0x01 || key).
 *
 * Type 0x02 is ECDSA, here on P-256 with SHA-256, which TPM 2.0 and most tokens
 * know: the key is its SubjectPublicKeyInfo in DER (91 bytes, the point not
 * compressed), the key id the first four bytes of SHA-256 of that, and a
 * signature the DER of its two numbers.  Of each pair (r, s) there is another,
 * (r, n - s), which is as good; so that no signature can be altered and still
 * be good, s is at most n / 2 in what is signed here and in what is accepted.
 */
#ifndef EVIDENCE_PUBLIC_H
#define EVIDENCE_PUBLIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct evp_pkey_st; /* EVP_PKEY */

enum key_type { KEY_ED25519 = 0x01, KEY_ECDSA = 0x02 };

#define KEY_LEN_MAX 91
#define KEY_ID_LEN 4

/* Bytes of the numbers of P-256, and of an Ed25519 key. */
#define KEY_NUMBER 32

/* Unused bytes are 0. */
struct public_key {
	enum key_type type;
	size_t len;
	uint8_t data[KEY_LEN_MAX];
};

#define SIGNATURE_MAX 72

struct signature {
	size_t len;
	uint8_t data[SIGNATURE_MAX];
};

/* "ed25519", "ecdsa-p256": as `keygen --type` has them, and OpenSSL's names of
 * algorithm and group (NULL: it has none). */
struct key_kind {
	enum key_type type;
	const char *name;
	const char *algorithm;
	const char *group;
	const char *digest; /* of what is signed; NULL: it is the algorithm's */
};
extern const struct key_kind key_kinds[]; /* ends with a NULL name */
const struct key_kind *key_kind(enum key_type type);

/* Of its raw bytes: one of Ed25519; a point of P-256, that is on the curve or
 * not. */
void public_ed25519(struct public_key *p, const uint8_t key[KEY_NUMBER]);
void public_p256(struct public_key *p, const uint8_t x[KEY_NUMBER],
    const uint8_t y[KEY_NUMBER]);

/* The public half of a key of OpenSSL's: 0, or -1 and it is of another kind. */
int public_of(struct evp_pkey_st *key, struct public_key *p, struct err *err);

/* Of the bytes in a verifier key: type and key.  Hostile input.  0 or -1. */
int public_parse(const uint8_t *typed, size_t len, struct public_key *p);

bool public_same(const struct public_key *a, const struct public_key *b);

/* The id of a key by that name. */
void public_id(const struct public_key *p, const char *name,
    uint8_t id[KEY_ID_LEN]);

/* The one form of a signature that public_check() accepts, of any DER that a
 * provider makes: 0, or -1 and it is no signature of such a key. */
int public_tidy(const struct public_key *p, struct signature *s);

/* Whether the signature is good.  Hostile input. */
bool public_check(const struct public_key *p, const uint8_t *signature,
    size_t n, const char *data, size_t len);

#endif /* EVIDENCE_PUBLIC_H */
