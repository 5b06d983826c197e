/*
 * assertion.c - client assertions: a JWT that the client's certificate signed
 * (RFC 7523; Microsoft identity platform, "certificate credentials").
 */
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/mem.h"
#include "tests/sim/request.h"

#define SKEW 300 /* seconds that clocks may differ */
#define JTIS_MAX 100000

#define BAD_SIGNATURE                                                      \
	"AADSTS700027: The certificate with identifier used to sign the "  \
	"client "                                                          \
	"assertion is not registered on application, or the signature is " \
	"wrong."
#define BAD_TIME \
	"AADSTS700024: Client assertion is not within its valid time range."
#define BAD_AUDIENCE                                                          \
	"AADSTS700023: Client assertion audience claim does not match Realm " \
	"issuer."
#define BAD_ISSUER                                                             \
	"AADSTS700021: Client assertion application identifier doesn't match " \
	"'client_id' parameter."
#define BAD_FORM "AADSTS50027: JWT token is invalid or malformed."
#define REPLAYED \
	"AADSTS700025: The client assertion was used before (jti repeated)."

/* Decode base64url into out (room for len bytes); the length or -1. */
static int
unbase64url(const char *s, size_t len, unsigned char *out)
{
	unsigned bits = 0, have = 0;
	int n = 0;

	for (size_t i = 0; i < len; i++) {
		const char *set = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
				  "qrstuvwxyz0123456789-_";
		const char *p = strchr(set, s[i]);

		if (p == NULL || s[i] == '\0')
			return -1;
		bits = (bits << 6) | (unsigned)(p - set);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (unsigned char)(bits >> have);
		}
	}
	return n;
}

static X509 *
load_cert(const char *path)
{
	BIO *in = path == NULL ? NULL : BIO_new_file(path, "r");
	X509 *cert =
	    in == NULL ? NULL : PEM_read_bio_X509(in, NULL, NULL, NULL);

	BIO_free(in);
	return cert;
}

static json_t *
decode_json(const char *s, size_t len)
{
	unsigned char *raw = xmalloc(len + 1);
	int n = unbase64url(s, len, raw);
	json_t *obj =
	    n < 0 ? NULL : json_loadb((char *)raw, (size_t)n, 0, NULL);

	free(raw);
	return obj;
}

static bool
thumbprint_matches(X509 *cert, const char *x5t)
{
	unsigned char want[EVP_MAX_MD_SIZE], have[64];
	unsigned n = 0;

	if (x5t == NULL || strlen(x5t) > sizeof(have) ||
	    X509_digest(cert, EVP_sha1(), want, &n) != 1)
		return false;
	return unbase64url(x5t, strlen(x5t), have) == (int)n &&
	    memcmp(want, have, n) == 0;
}

static bool
signature_good(X509 *cert, const char *jwt, const char *dot)
{
	unsigned char *sig = xmalloc(strlen(dot) + 1);
	int n = unbase64url(dot + 1, strlen(dot + 1), sig);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *key = X509_get0_pubkey(cert);
	bool good = n > 0 && ctx != NULL &&
	    EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
	    EVP_PKEY_get_bits(key) >= 2048 &&
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, sig, (size_t)n, (const unsigned char *)jwt,
		(size_t)(dot - jwt)) == 1;

	EVP_MD_CTX_free(ctx);
	free(sig);
	return good;
}

static bool
claim_is(const json_t *claims, const char *name, const char *want)
{
	const char *have = json_string_value(json_object_get(claims, name));

	return have != NULL && strcmp(have, want) == 0;
}

/* True when jti is there and was not seen before. */
static bool
jti_fresh(struct sim *s, const char *jti)
{
	bool fresh = jti != NULL;

	(void)pthread_mutex_lock(&s->lock);
	for (size_t i = 0; fresh && i < s->n_jtis; i++)
		fresh = strcmp(s->jtis[i], jti) != 0;
	if (fresh && s->n_jtis < JTIS_MAX) {
		s->jtis =
		    xreallocarray(s->jtis, s->n_jtis + 1, sizeof(s->jtis[0]));
		s->jtis[s->n_jtis++] = xstrdup(jti);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return fresh;
}

static const char *
check_claims(struct sim *s, const json_t *claims, const char *token_url)
{
	json_int_t now = sim_clock(s) / MS;
	json_int_t from = json_integer_value(json_object_get(claims, "nbf"));
	json_int_t to = json_integer_value(json_object_get(claims, "exp"));

	if (!claim_is(claims, "aud", token_url))
		return BAD_AUDIENCE;
	if (!claim_is(claims, "iss", s->opt.client) ||
	    !claim_is(claims, "sub", s->opt.client))
		return BAD_ISSUER;
	if (from == 0 || to == 0 || from > now + SKEW || to < now - SKEW ||
	    to - from > 86400)
		return BAD_TIME;
	if (!jti_fresh(s, json_string_value(json_object_get(claims, "jti"))))
		return REPLAYED;
	return NULL;
}

const char *
assertion_check(struct sim *s, const char *jwt, const char *token_url)
{
	const char *first = strchr(jwt, '.');
	const char *second = first == NULL ? NULL : strchr(first + 1, '.');
	X509 *cert = load_cert(s->opt.assertion_cert);
	json_t *head = NULL, *claims = NULL;
	const char *why = BAD_FORM;

	if (second == NULL)
		goto out;
	head = decode_json(jwt, (size_t)(first - jwt));
	claims = decode_json(first + 1, (size_t)(second - first - 1));
	if (!json_is_object(head) || !json_is_object(claims) ||
	    !claim_is(head, "alg", "RS256"))
		goto out;
	if (cert == NULL ||
	    !thumbprint_matches(cert,
		json_string_value(json_object_get(head, "x5t"))) ||
	    !signature_good(cert, jwt, second))
		why = BAD_SIGNATURE;
	else
		why = check_claims(s, claims, token_url);
out:
	json_decref(head);
	json_decref(claims);
	X509_free(cert);
	return why;
}
