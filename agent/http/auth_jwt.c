/*
 * auth_jwt.c - the client assertion: a JWT (RFC 7519) signed RS256 with the
 * key of a certificate that the server knows by its SHA-1 thumbprint (x5t,
 * RFC 7515 section 4.1.7).
 */
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/text.h"
#include "http/auth_jwt.h"
#include "http/pem.h"

#define LIFE (10 * 60) /* seconds */
/* Clocks of a server farm differ. */
#define EARLY 60
#define JWT_MAX (16 * 1024)

static int
add_header(struct buf *jwt, const X509 *cert)
{
	unsigned char sha1[EVP_MAX_MD_SIZE];
	struct buf json = BUF_INIT(1024);
	unsigned int len = 0;
	int rc = -1;

	if (X509_digest(cert, EVP_sha1(), sha1, &len) == 1 &&
	    buf_adds(&json, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"x5t\":\"") ==
		0 &&
	    text_base64url(&json, sha1, len) == 0 &&
	    buf_adds(&json, "\"}") == 0)
		rc = text_base64url(jwt, json.data, json.len);
	buf_release(&json);
	return rc;
}

static int
add_claims(struct buf *jwt, const struct assertion *a)
{
	int64_t now = a->now / CLOCK_SECOND;
	struct buf json = BUF_INIT(8 * 1024);
	char guid[37];
	int rc = -1;

	if (guid_make(guid) == 0 && buf_adds(&json, "{\"aud\":") == 0 &&
	    text_json_string(&json, a->audience, strlen(a->audience)) == 0 &&
	    buf_adds(&json, ",\"iss\":") == 0 &&
	    text_json_string(&json, a->client_id, strlen(a->client_id)) == 0 &&
	    buf_adds(&json, ",\"sub\":") == 0 &&
	    text_json_string(&json, a->client_id, strlen(a->client_id)) == 0 &&
	    buf_addf(&json,
		",\"jti\":\"%s\",\"iat\":%" PRId64 ",\"nbf\":%" PRId64
		",\"exp\":%" PRId64 "}",
		guid, now, now - EARLY, now + LIFE) == 0)
		rc = text_base64url(jwt, json.data, json.len);
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

static int
check_pair(const X509 *cert, EVP_PKEY *key, struct err *err)
{
	int ok;

	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		return err_set(err,
		    "private_key: not an RSA key, which RS256 needs");
	ok = X509_check_private_key(cert, key);
	ERR_clear_error();
	if (ok != 1)
		return err_set(err,
		    "private_key: does not belong to certificate");
	return 0;
}

int
oauth_assertion(const struct assertion *a, struct buf *out, struct err *err)
{
	STACK_OF(X509) * certs;
	EVP_PKEY *key = NULL;
	struct buf jwt = BUF_INIT(JWT_MAX);
	int rc = -1;

	certs = pem_certificates("certificate", a->certificate, err);
	if (certs == NULL)
		return -1;
	key = pem_key("private_key", a->private_key, err);
	if (key == NULL || check_pair(sk_X509_value(certs, 0), key, err) != 0)
		goto out;
	if (add_header(&jwt, sk_X509_value(certs, 0)) != 0 ||
	    buf_adds(&jwt, ".") != 0 || add_claims(&jwt, a) != 0 ||
	    add_signature(&jwt, key) != 0 ||
	    buf_add(out, jwt.data, jwt.len) != 0)
		(void)err_set(err, "certificate: signing with it failed");
	else
		rc = 0;
out:
	buf_release(&jwt);
	EVP_PKEY_free(key);
	pem_certificates_free(certs);
	return rc;
}
