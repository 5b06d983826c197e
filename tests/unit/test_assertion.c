/*
 * test_assertion.c - assertions, and the certificates that they are made with.
 */
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/secret.h"
#include "http/auth_jwt.h"
#include "http/auth_oauth2.h"
#include "http/client.h"
#include "http/pem.h"
#include "tests/unit/pair_help.h"
#include "tests/unit/unit.h"

/* Decode base64url without padding. */
static void
decode(const char *s, size_t len, struct buf *out)
{
	char *copy = xasprintf("%.*s===", (int)len, s);

	copy[(len + 3) / 4 * 4] = '\0';
	for (char *c = copy; *c != '\0'; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	ck_assert_int_eq(text_unbase64(out, copy, strlen(copy)), 0);
	free(copy);
}

static json_t *
decode_json(const char *s, size_t len)
{
	struct buf b = BUF_INIT(10000);
	json_t *o;

	decode(s, len, &b);
	o = json_loadb(b.data, b.len, 0, NULL);
	ck_assert(json_is_object(o));
	buf_release(&b);
	return o;
}

static void
verify(const char *jwt, size_t signed_len, const char *cert_pem)
{
	BIO *bio = BIO_new_mem_buf(cert_pem, -1);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const char *sig = jwt + signed_len + 1;
	struct buf raw = BUF_INIT(10000), thumb = BUF_INIT(100);
	unsigned char sha1[EVP_MAX_MD_SIZE];
	unsigned int sha1_len;
	json_t *header;

	decode(sig, strlen(sig), &raw);
	ck_assert_int_eq(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL,
			     X509_get0_pubkey(cert)),
	    1);
	ck_assert_int_eq(EVP_DigestVerify(ctx, (unsigned char *)raw.data,
			     raw.len, (const unsigned char *)jwt, signed_len),
	    1);
	header = decode_json(jwt, strcspn(jwt, "."));
	ck_assert_int_eq(X509_digest(cert, EVP_sha1(), sha1, &sha1_len), 1);
	ck_assert_int_eq(text_base64url(&thumb, sha1, sha1_len), 0);
	if (json_object_get(header, "x5t") != NULL)
		ck_assert_str_eq(json_string_value(json_object_get(header,
				     "x5t")),
		    thumb.data);
	ck_assert_str_eq(json_string_value(json_object_get(header, "alg")),
	    "RS256");
	json_decref(header);
	buf_release(&thumb);
	buf_release(&raw);
	EVP_MD_CTX_free(ctx);
	X509_free(cert);
	BIO_free(bio);
}

/* Sign, check the signature, and give the claims and the header. */
static json_t *
sign(const struct jwt *t, const char *cert, json_t **header)
{
	struct buf jwt = BUF_INIT(20000);
	struct err err = ERR_INIT;
	const char *dot1, *dot2;
	json_t *claims;

	ck_assert_msg(jwt_sign(t, &jwt, &err) == 0, "%s", err.text);
	dot1 = strchr(jwt.data, '.');
	ck_assert(dot1 != NULL);
	dot2 = strchr(dot1 + 1, '.');
	ck_assert(dot2 != NULL);
	verify(jwt.data, (size_t)(dot2 - jwt.data), cert);
	*header = decode_json(jwt.data, (size_t)(dot1 - jwt.data));
	claims = decode_json(dot1 + 1, (size_t)(dot2 - dot1 - 1));
	buf_release(&jwt);
	return claims;
}

static const char *
text_of(const json_t *top, const char *key)
{
	const char *text = json_string_value(json_object_get(top, key));

	return text != NULL ? text : "";
}

static int64_t
number_of(const json_t *top, const char *key)
{
	return (int64_t)json_integer_value(json_object_get(top, key));
}

START_TEST(assertion)
{
	char *key, *cert, *other_key, *other_cert;
	struct jwt t = { .audience = "https://login/t/oauth2/v2.0/token",
		.issuer = "me",
		.subject = "me",
		.now = INT64_C(1700000000) * CLOCK_SECOND };
	struct buf jwt = BUF_INIT(20000);
	struct err err = ERR_INIT;
	json_t *claims, *header;

	pair_make(&key, &cert);
	pair_make(&other_key, &other_cert);
	t.certificate = cert;
	t.private_key = key;
	claims = sign(&t, cert, &header);
	ck_assert_str_eq(text_of(claims, "aud"), t.audience);
	ck_assert_str_eq(text_of(claims, "iss"), "me");
	ck_assert_str_eq(text_of(claims, "sub"), "me");
	ck_assert_uint_eq(strlen(text_of(claims, "jti")), 36);
	ck_assert_int_eq(number_of(claims, "exp"), 1700000540);
	ck_assert_int_eq(number_of(claims, "iat"), 1699999940);
	ck_assert_int_eq(number_of(claims, "nbf"), 1699999940);
	ck_assert(*text_of(header, "x5t") != '\0');
	ck_assert_ptr_null(json_object_get(header, "kid"));
	json_decref(claims);
	json_decref(header);
	t.private_key = other_key;
	ck_assert_int_eq(jwt_sign(&t, &jwt, &err), -1);
	ck_assert(strstr(err.text, "does not belong") != NULL);
	buf_release(&jwt);
	free(key);
	free(cert);
	free(other_key);
	free(other_cert);
}
END_TEST

/* The file that Google hands out names the key and its owner. */
/* The content of a file of a service account that
 * has the line breaks of Windows, with as much around the key as fits.
 */
static char *
secret_file(const char *quoted_key)
{
	char path[] = "/tmp/sealfeed-oauth-XXXXXX";
	struct err err = ERR_INIT;
	char *text, *content, *reference;
	int fd = mkstemp(path);

	ck_assert_int_ne(fd, -1);
	(void)close(fd);
	text = xasprintf("{\r\n  \"note\": \"%050000d\",\r\n  "
			 "\"private_key\": %s,\r\n  \"private_key_id\": "
			 "\"k1\",\r\n  \"client_email\": "
			 "\"robot@example.com\"\r\n}\r\n",
	    7, quoted_key);
	ck_assert_int_eq(file_replace(path, text, strlen(text), 0600, &err), 0);
	reference = xasprintf("${file:%s}", path);
	content = secret_resolve_pem(reference, &err);
	ck_assert_msg(content != NULL, "%s", err.text);
	ck_assert_int_eq(unlink(path), 0);
	free(reference);
	free(text);
	return content;
}

START_TEST(a_service_account)
{
	static const struct http_pair claims[] = { { "scope", "a \"b\"" },
		{ NULL, NULL } };
	char *key, *cert, *json;
	struct jwt t = { .audience = "https://token.example.com",
		.subject = "admin@example.com",
		.claims = claims,
		.life = CLOCK_HOUR,
		.now = INT64_C(1700000000) * CLOCK_SECOND };
	struct buf quoted = BUF_INIT(10000), jwt = BUF_INIT(10000);
	struct err err = ERR_INIT;
	json_t *said, *header;

	pair_make(&key, &cert);
	ck_assert_int_eq(text_json_string(&quoted, key, strlen(key)), 0);
	json = xasprintf("\n{\"type\":\"service_account\",\"private_key\":%s,"
			 "\"private_key_id\":\"k1\",\"client_email\":"
			 "\"robot@example.com\"}",
	    quoted.data);
	t.private_key = json;
	said = sign(&t, cert, &header);
	ck_assert_str_eq(text_of(header, "kid"), "k1");
	ck_assert_ptr_null(json_object_get(header, "x5t"));
	ck_assert_str_eq(text_of(said, "iss"), "robot@example.com");
	ck_assert_str_eq(text_of(said, "sub"), "admin@example.com");
	ck_assert_str_eq(text_of(said, "scope"), "a \"b\"");
	/* Google refuses more than an hour. */
	ck_assert_int_eq(number_of(said, "exp") - number_of(said, "iat"), 3600);
	json_decref(said);
	json_decref(header);
	/* The same from a file, as it comes from other systems. */
	free(json);
	json = secret_file(quoted.data);
	t.private_key = json;
	said = sign(&t, cert, &header);
	ck_assert_str_eq(text_of(said, "iss"), "robot@example.com");
	json_decref(said);
	json_decref(header);
	t.private_key = "{\"private_key\":7}";
	ck_assert_int_eq(jwt_sign(&t, &jwt, &err), -1);
	ck_assert_msg(strstr(err.text, "key file of a service account") != NULL,
	    "%s", err.text);
	buf_release(&jwt);
	buf_release(&quoted);
	free(json);
	free(key);
	free(cert);
}
END_TEST

/* Snowflake knows a key by the hash of its public half. */
START_TEST(a_fingerprint)
{
	char *key, *cert;
	struct jwt t = { .issuer = "ACME.ROBOT." JWT_FINGERPRINT,
		.subject = "ACME.ROBOT",
		.life = CLOCK_MINUTE,
		.now = INT64_C(1700000000) * CLOCK_SECOND };
	struct buf raw = BUF_INIT(100);
	json_t *said, *header;
	const char *issuer;

	pair_make(&key, &cert);
	t.private_key = key;
	said = sign(&t, cert, &header);
	issuer = text_of(said, "iss");
	ck_assert_int_eq(strncmp(issuer, "ACME.ROBOT.SHA256:", 18), 0);
	ck_assert_int_eq(text_unbase64(&raw, issuer + 18, strlen(issuer + 18)),
	    0);
	ck_assert_uint_eq(raw.len, 32);
	ck_assert_ptr_null(json_object_get(said, "aud"));
	/* A token of a minute is not over when it begins. */
	ck_assert_int_gt(number_of(said, "exp"), 1700000030);
	ck_assert_int_le(number_of(said, "exp"), 1700000060);
	json_decref(said);
	json_decref(header);
	buf_release(&raw);
	free(key);
	free(cert);
}
END_TEST

/* One that is damaged is not the end of a file: those behind it would be
 * trusted no more. */
START_TEST(a_certificate_that_is_damaged)
{
	static const char damaged[] = "-----BEGIN CERTIFICATE-----\nMIIB\n"
				      "-----END CERTIFICATE-----\n";
	char *key, *cert, *text;
	struct err err = ERR_INIT;
	STACK_OF(X509) * certs;

	pair_make(&key, &cert);
	text = xasprintf("%s%s# the end\n", cert, cert);
	certs = pem_certificates("tls.ca", text, &err);
	ck_assert_msg(certs != NULL, "%s", err.text);
	ck_assert_int_eq(sk_X509_num(certs), 2);
	pem_certificates_free(certs);
	free(text);
	text = xasprintf("%s%s%s", cert, damaged, cert);
	ck_assert(pem_certificates("tls.ca", text, &err) == NULL);
	ck_assert_msg(strstr(err.text, "tls.ca: certificate 2 in it") != NULL,
	    "%s", err.text);
	free(text);
	free(key);
	free(cert);
}
END_TEST

Suite *
suite_assertion(void)
{
	Suite *s = suite_create("assertion");
	TCase *tc = tcase_create("assertion");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, assertion);
	tcase_add_test(tc, a_service_account);
	tcase_add_test(tc, a_fingerprint);
	tcase_add_test(tc, a_certificate_that_is_damaged);
	suite_add_tcase(s, tc);
	return s;
}
