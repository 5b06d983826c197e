/*
 * auth_jwt.c - JWT (RFC 7519) signed RS256 (RFC 7518 section 3.3) with a key
 * that the server knows by its name (kid) or by the SHA-1 thumbprint of its
 * certificate (x5t, RFC 7515 section 4.1.7).
 */
#include <inttypes.h>
#include <jansson.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/secret.h"
#include "http/auth_jwt.h"
#include "http/pem.h"

#define LIFE (10 * CLOCK_MINUTE)
/* Clocks of a server farm differ. */
#define EARLY CLOCK_MINUTE
#define JWT_MAX (16 * 1024)
#define CLAIMS_MAX (8 * 1024)

/* A key as it is used: of the struct jwt, or of the JSON in it. */
struct signer {
	char *pem;
	char *key_id;
	char *issuer;
	EVP_PKEY *key;
	X509 *cert; /* NULL: none */
	STACK_OF(X509) * certs;
};

static void
signer_release(struct signer *s)
{
	secret_free(s->pem);
	free(s->key_id);
	free(s->issuer);
	EVP_PKEY_free(s->key);
	pem_certificates_free(s->certs);
}

static char *
copy(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

/* A member that is a text, else what there is already. */
static char *
member(const json_t *top, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(top, key));

	return copy(otherwise != NULL ? otherwise : text);
}

/* What the texts say of the key. */
static int
read_texts(const struct jwt *t, struct signer *s, struct err *err)
{
	json_t *top;

	if (t->private_key[strspn(t->private_key, " \t\r\n")] != '{') {
		s->pem = secret_copy(t->private_key);
		s->key_id = copy(t->key_id);
		s->issuer = copy(t->issuer);
		return 0;
	}
	top = json_loads(t->private_key, 0, NULL);
	if (json_string_value(json_object_get(top, "private_key")) == NULL) {
		json_decref(top);
		return err_set(err,
		    "private_key: is JSON without \"private_key\"; use the key "
		    "file of a service account, or PEM text");
	}
	s->pem =
	    secret_copy(json_string_value(json_object_get(top, "private_key")));
	s->key_id = member(top, "private_key_id", t->key_id);
	s->issuer = member(top, "client_email", t->issuer);
	json_decref(top);
	return 0;
}

static int
check_pair(const X509 *cert, EVP_PKEY *key, struct err *err)
{
	int ok;

	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		return err_set(err,
		    "private_key: not an RSA key, which RS256 needs");
	if (cert == NULL)
		return 0;
	ok = X509_check_private_key(cert, key);
	ERR_clear_error();
	if (ok != 1)
		return err_set(err,
		    "private_key: does not belong to certificate");
	return 0;
}

static int
signer_read(const struct jwt *t, struct signer *s, struct err *err)
{
	*s = (struct signer){ .pem = NULL };
	if (read_texts(t, s, err) != 0)
		return -1;
	if (t->certificate != NULL) {
		s->certs = pem_certificates("certificate", t->certificate, err);
		if (s->certs == NULL)
			return -1;
		s->cert = sk_X509_value(s->certs, 0);
	}
	s->key = pem_key("private_key", s->pem, err);
	return s->key != NULL ? check_pair(s->cert, s->key, err) : -1;
}

/* Append "name":"text". */
static int
add_text(struct buf *json, const char *name, const char *text)
{
	if (text == NULL)
		return 0;
	if (buf_adds(json, json->len > 1 ? "," : "") != 0 ||
	    text_json_string(json, name, strlen(name)) != 0 ||
	    buf_adds(json, ":") != 0)
		return -1;
	return text_json_string(json, text, strlen(text));
}

static int
add_thumbprint(struct buf *json, const X509 *cert)
{
	unsigned char sha1[EVP_MAX_MD_SIZE];
	struct buf text = BUF_INIT(100);
	unsigned int len = 0;
	int rc = -1;

	if (X509_digest(cert, EVP_sha1(), sha1, &len) == 1 &&
	    text_base64url(&text, sha1, len) == 0)
		rc = add_text(json, "x5t", text.data);
	buf_release(&text);
	return rc;
}

static int
add_header(struct buf *jwt, const struct signer *s)
{
	struct buf json = BUF_INIT(1024);
	int rc = -1;

	if (buf_adds(&json, "{") == 0 && add_text(&json, "alg", "RS256") == 0 &&
	    add_text(&json, "typ", "JWT") == 0 &&
	    add_text(&json, "kid", s->key_id) == 0 &&
	    (s->cert == NULL || add_thumbprint(&json, s->cert) == 0) &&
	    buf_adds(&json, "}") == 0)
		rc = text_base64url(jwt, json.data, json.len);
	buf_release(&json);
	return rc;
}

/* Append the SHA-256 of the public key, as Snowflake calls keys. */
static int
add_fingerprint(struct buf *out, EVP_PKEY *key)
{
	unsigned char *der = NULL, hash[EVP_MAX_MD_SIZE];
	int len = i2d_PUBKEY(key, &der), rc = -1;
	unsigned int n = 0;

	if (len > 0 &&
	    EVP_Digest(der, (size_t)len, hash, &n, EVP_sha256(), NULL) == 1 &&
	    buf_adds(out, "SHA256:") == 0)
		rc = text_base64(out, hash, n);
	OPENSSL_free(der);
	return rc;
}

/* The issuer, with the fingerprint where that is asked for. */
static int
add_issuer(struct buf *json, const struct signer *s)
{
	const size_t place = strlen(JWT_FINGERPRINT);
	const char *at = s->issuer, *mark;
	struct buf text = BUF_INIT(1024);
	int rc = 0;

	if (at == NULL)
		return 0;
	while (rc == 0 && (mark = strstr(at, JWT_FINGERPRINT)) != NULL) {
		rc = buf_add(&text, at, (size_t)(mark - at));
		if (rc == 0)
			rc = add_fingerprint(&text, s->key);
		at = mark + place;
	}
	if (rc == 0 && buf_adds(&text, at) == 0)
		rc = add_text(json, "iss", text.len > 0 ? text.data : "");
	else
		rc = -1;
	buf_release(&text);
	return rc;
}

static int
add_times(struct buf *json, const struct jwt *t)
{
	const int64_t life = t->life > 0 ? t->life : LIFE;
	const int64_t early = life / 8 < EARLY ? life / 8 : EARLY;
	const int64_t from = (t->now - early) / CLOCK_SECOND;

	/* A life that is the longest allowed counts from its begin. */
	return buf_addf(json,
	    "%s\"iat\":%" PRId64 ",\"nbf\":%" PRId64 ",\"exp\":%" PRId64 "}",
	    json->len > 1 ? "," : "", from, from, from + life / CLOCK_SECOND);
}

static int
add_claims(struct buf *jwt, const struct jwt *t, const struct signer *s)
{
	struct buf json = BUF_INIT(CLAIMS_MAX);
	char guid[37];
	int rc = -1;

	if (guid_make(guid) == 0 && buf_adds(&json, "{") == 0 &&
	    add_text(&json, "aud", t->audience) == 0 &&
	    add_issuer(&json, s) == 0 &&
	    add_text(&json, "sub", t->subject) == 0 &&
	    add_text(&json, "jti", guid) == 0)
		rc = 0;
	for (const struct http_pair *p = t->claims;
	     rc == 0 && p != NULL && p->name != NULL; p++)
		rc = add_text(&json, p->name, p->value);
	if (rc == 0 && add_times(&json, t) == 0)
		rc = text_base64url(jwt, json.data, json.len);
	else
		rc = -1;
	buf_release(&json);
	return rc;
}

/* Append "." and the signature over jwt as it is. */
static int
add_signature(struct buf *jwt, EVP_PKEY *key)
{
	unsigned char signature[1024]; /* RSA of up to 8192 bits */
	size_t len = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, signature, &len,
		(const unsigned char *)jwt->data, jwt->len) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	if (!ok || buf_adds(jwt, ".") != 0)
		return -1;
	return text_base64url(jwt, signature, len);
}

int
jwt_sign(const struct jwt *t, struct buf *out, struct err *err)
{
	struct buf jwt = BUF_INIT(JWT_MAX);
	struct signer s;
	int rc = signer_read(t, &s, err);

	if (rc == 0 &&
	    (add_header(&jwt, &s) != 0 || buf_adds(&jwt, ".") != 0 ||
		add_claims(&jwt, t, &s) != 0 ||
		add_signature(&jwt, s.key) != 0 ||
		buf_add(out, jwt.data, jwt.len) != 0))
		rc = err_set(err,
		    "private_key: signing with it failed, or what is to be "
		    "signed is too long");
	buf_release(&jwt);
	signer_release(&s);
	return rc;
}

/* Append what unpadded base64url stands for. */
static int
decode(const char *s, size_t len, struct buf *out)
{
	char *padded = xasprintf("%.*s===", (int)len, s);
	int rc;

	padded[(len + 3) / 4 * 4] = '\0';
	for (char *c = padded; *c != '\0'; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	rc = text_unbase64(out, padded, strlen(padded));
	free(padded);
	return rc;
}

int64_t
jwt_expires(const char *token)
{
	const char *claims = strchr(token, '.');
	struct buf text = BUF_INIT(JWT_MAX);
	int64_t when = INT64_MIN;
	json_t *top = NULL;
	const json_t *exp;
	size_t len = 0;

	if (claims != NULL)
		len = strcspn(++claims, ".");
	if (len > 0 && len < JWT_MAX && claims[len] == '.' &&
	    decode(claims, len, &text) == 0)
		top = json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL);
	exp = json_object_get(top, "exp");
	if (json_is_number(exp) && json_number_value(exp) > 0 &&
	    json_number_value(exp) < 1e11)
		when = (int64_t)json_number_value(exp) * CLOCK_SECOND;
	json_decref(top);
	buf_release(&text);
	return when;
}
