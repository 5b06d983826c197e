/*
 * public.c - public keys and signatures, as C2SP signed notes have them.
 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/digest.h"
#include "base/err.h"
#include "evidence/public.h"

const struct key_kind key_kinds[] = {
	{ .type = KEY_ED25519,
	    .name = "ed25519",
	    .algorithm = "ED25519",
	    .group = NULL,
	    .digest = NULL },
	{ .type = KEY_ECDSA,
	    .name = "ecdsa-p256",
	    .algorithm = "EC",
	    .group = "P-256",
	    .digest = "SHA256" },
	{ .name = NULL },
};

/* What a SubjectPublicKeyInfo of P-256 has before the point's numbers (RFC 5480
 * section 2). */
static const uint8_t p256_head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a,
	0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
	0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };

_Static_assert(sizeof(p256_head) + 2 * KEY_NUMBER == KEY_LEN_MAX, "a key");

/* The order of P-256 (SEC 2 section 2.4.2), and half of it, rounded down. */
static const uint8_t p256_order[KEY_NUMBER] = { 0xff, 0xff, 0xff, 0xff, 0x00,
	0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
	0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc,
	0x63, 0x25, 0x51 };
static const uint8_t p256_half[KEY_NUMBER] = { 0x7f, 0xff, 0xff, 0xff, 0x80,
	0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xde,
	0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e,
	0x31, 0x92, 0xa8 };

const struct key_kind *
key_kind(enum key_type type)
{
	const struct key_kind *k = key_kinds;

	while (k->name != NULL && k->type != type)
		k++;
	return k->name != NULL ? k : NULL;
}

void
public_ed25519(struct public_key *p, const uint8_t key[KEY_NUMBER])
{
	*p = (struct public_key){ .type = KEY_ED25519, .len = KEY_NUMBER };
	memcpy(p->data, key, KEY_NUMBER);
}

void
public_p256(struct public_key *p, const uint8_t x[KEY_NUMBER],
    const uint8_t y[KEY_NUMBER])
{
	*p = (struct public_key){ .type = KEY_ECDSA, .len = KEY_LEN_MAX };
	memcpy(p->data, p256_head, sizeof(p256_head));
	memcpy(p->data + sizeof(p256_head), x, KEY_NUMBER);
	memcpy(p->data + sizeof(p256_head) + KEY_NUMBER, y, KEY_NUMBER);
}

static int
failed(struct err *err)
{
	ERR_clear_error();
	return err_set(err, "the public key cannot be read from the key");
}

static int
ed25519_of(EVP_PKEY *key, struct public_key *p, struct err *err)
{
	uint8_t raw[KEY_NUMBER];
	size_t len = sizeof(raw);

	/* A key in hardware may show its public half only as a parameter. */
	if ((EVP_PKEY_get_raw_public_key(key, raw, &len) != 1 ||
		len != sizeof(raw)) &&
	    (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, raw,
		 sizeof(raw), &len) != 1 ||
		len != sizeof(raw)))
		return failed(err);
	public_ed25519(p, raw);
	return 0;
}

/* Whatever form the point has in the key, its numbers are one. */
static int
p256_of(EVP_PKEY *key, struct public_key *p, struct err *err)
{
	static const char *const names[] = { OSSL_PKEY_PARAM_EC_PUB_X,
		OSSL_PKEY_PARAM_EC_PUB_Y };
	uint8_t number[2][KEY_NUMBER];
	char group[32] = "";

	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1 ||
	    (strcmp(group, "prime256v1") != 0 && strcmp(group, "P-256") != 0)) {
		ERR_clear_error();
		return err_set(err,
		    "an ECDSA key of another curve than P-256, which is the "
		    "only one that signs here");
	}
	for (int i = 0; i < 2; i++) {
		BIGNUM *n = NULL;
		const bool got =
		    EVP_PKEY_get_bn_param(key, names[i], &n) == 1 &&
		    BN_bn2binpad(n, number[i], KEY_NUMBER) == KEY_NUMBER;

		BN_free(n);
		if (!got)
			return failed(err);
	}
	public_p256(p, number[0], number[1]);
	return 0;
}

int
public_of(EVP_PKEY *key, struct public_key *p, struct err *err)
{
	if (EVP_PKEY_is_a(key, "ED25519"))
		return ed25519_of(key, p, err);
	if (EVP_PKEY_is_a(key, "EC"))
		return p256_of(key, p, err);
	return err_set(err, "neither an Ed25519 key nor an ECDSA key of P-256");
}

/* NULL: OpenSSL finds no key in it, as where the point is not on the curve. */
static EVP_PKEY *
open_public(const struct public_key *p)
{
	const uint8_t *at = p->data;
	EVP_PKEY *key;

	key = p->type == KEY_ECDSA
	    ? d2i_PUBKEY(NULL, &at, (long)p->len)
	    : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, p->data,
		  p->len);
	ERR_clear_error();
	return key;
}

int
public_parse(const uint8_t *typed, size_t len, struct public_key *p)
{
	EVP_PKEY *key;

	if (len == 1 + KEY_NUMBER && typed[0] == KEY_ED25519) {
		public_ed25519(p, typed + 1);
		return 0;
	}
	if (len != 1 + KEY_LEN_MAX || typed[0] != KEY_ECDSA ||
	    memcmp(typed + 1, p256_head, sizeof(p256_head)) != 0)
		return -1;
	typed += 1 + sizeof(p256_head);
	public_p256(p, typed, typed + KEY_NUMBER);
	key = open_public(p);
	EVP_PKEY_free(key);
	return key != NULL ? 0 : -1;
}

bool
public_same(const struct public_key *a, const struct public_key *b)
{
	return a->type == b->type &&
	    memcmp(a->data, b->data, sizeof(a->data)) == 0;
}

void
public_id(const struct public_key *p, const char *name, uint8_t id[KEY_ID_LEN])
{
	uint8_t hash[DIGEST_LEN];
	uint8_t tail[2 + KEY_LEN_MAX] = { '\n', KEY_ED25519 };
	struct digest *d = digest_new();

	memcpy(tail + 2, p->data, p->len);
	if (p->type == KEY_ECDSA)
		digest_sha256(d, NULL, 0, p->data, p->len, hash);
	else
		digest_sha256(d, name, strlen(name), tail, 2 + p->len, hash);
	digest_free(d);
	memcpy(id, hash, KEY_ID_LEN);
}

/* -- ECDSA ----------------------------------------------------------------- */

/* The numbers of a signature in DER, where nothing follows; to be freed. */
static ECDSA_SIG *
read_der(const uint8_t *signature, size_t n)
{
	const uint8_t *at = signature;
	ECDSA_SIG *sig =
	    n <= SIGNATURE_MAX ? d2i_ECDSA_SIG(NULL, &at, (long)n) : NULL;

	ERR_clear_error();
	if (sig != NULL && at == signature + n)
		return sig;
	ECDSA_SIG_free(sig);
	return NULL;
}

/* s as bytes: 0, or -1 and it is none of 1 to n - 1. */
static int
s_of(const ECDSA_SIG *sig, uint8_t out[KEY_NUMBER])
{
	const BIGNUM *s = ECDSA_SIG_get0_s(sig);

	if (BN_is_zero(s) || BN_is_negative(s) ||
	    BN_bn2binpad(s, out, KEY_NUMBER) != KEY_NUMBER ||
	    memcmp(out, p256_order, KEY_NUMBER) >= 0)
		return -1;
	return 0;
}

static int
write_der(const ECDSA_SIG *sig, struct signature *s)
{
	uint8_t *at = s->data;
	const int len = i2d_ECDSA_SIG(sig, NULL);

	if (len <= 0 || len > SIGNATURE_MAX)
		return -1;
	*s = (struct signature){ .len = (size_t)len };
	return i2d_ECDSA_SIG(sig, &at) == len ? 0 : -1;
}

/* n - s in the place of s. */
static int
lower(ECDSA_SIG *sig)
{
	BIGNUM *r = BN_dup(ECDSA_SIG_get0_r(sig)), *s = BN_new();
	BIGNUM *order = BN_bin2bn(p256_order, sizeof(p256_order), NULL);
	int rc = -1;

	if (r != NULL && s != NULL && order != NULL &&
	    BN_sub(s, order, ECDSA_SIG_get0_s(sig)) == 1 &&
	    ECDSA_SIG_set0(sig, r, s) == 1)
		rc = 0;
	BN_free(order);
	if (rc != 0) {
		BN_free(r);
		BN_free(s);
	}
	return rc;
}

int
public_tidy(const struct public_key *p, struct signature *s)
{
	uint8_t number[KEY_NUMBER];
	ECDSA_SIG *sig;
	int rc = -1;

	if (p->type == KEY_ED25519)
		return s->len == (size_t)2 * KEY_NUMBER ? 0 : -1;
	sig = read_der(s->data, s->len);
	if (sig != NULL && s_of(sig, number) == 0 &&
	    (memcmp(number, p256_half, KEY_NUMBER) <= 0 || lower(sig) == 0))
		rc = write_der(sig, s);
	ECDSA_SIG_free(sig);
	return rc;
}

/* Is this what public_tidy() makes of it? */
static bool
is_tidy(const struct public_key *p, const uint8_t *signature, size_t n)
{
	struct signature s = { .len = n };

	if (n > SIGNATURE_MAX)
		return false;
	memcpy(s.data, signature, n);
	return public_tidy(p, &s) == 0 && s.len == n &&
	    memcmp(s.data, signature, n) == 0;
}

bool
public_check(const struct public_key *p, const uint8_t *signature, size_t n,
    const char *data, size_t len)
{
	EVP_PKEY *key = is_tidy(p, signature, n) ? open_public(p) : NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = key != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit_ex(ctx, NULL, key_kind(p->type)->digest, NULL,
		NULL, key, NULL) == 1 &&
	    EVP_DigestVerify(ctx, signature, n, (const unsigned char *)data,
		len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good;
}
