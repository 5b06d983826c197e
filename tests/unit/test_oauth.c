/*
 * test_oauth.c - tokens and assertions.
 */
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/secret.h"
#include "http/auth_jwt.h"
#include "http/auth_oauth2.h"
#include "http/client.h"
#include "http/pem.h"
#include "http/token.h"
#include "tests/unit/canned.h"
#include "tests/unit/unit.h"

/* A key and a self-signed certificate for it, as PEM. */
static void
make_pair(char **key_pem, char **cert_pem)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *cert = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	ck_assert(key != NULL && cert != NULL && bio != NULL);
	ck_assert(X509_gmtime_adj(X509_getm_notBefore(cert), 0) != NULL);
	ck_assert(X509_gmtime_adj(X509_getm_notAfter(cert), 3600) != NULL);
	ck_assert_int_eq(X509_set_pubkey(cert, key), 1);
	ck_assert_int_gt(X509_sign(cert, key, EVP_sha256()), 0);
	ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL,
			     NULL),
	    1);
	len = BIO_get_mem_data(bio, &data);
	*key_pem = xstrndup(data, (size_t)len);
	(void)BIO_reset(bio);
	ck_assert_int_eq(PEM_write_bio_X509(bio, cert), 1);
	len = BIO_get_mem_data(bio, &data);
	*cert_pem = xstrndup(data, (size_t)len);
	BIO_free(bio);
	X509_free(cert);
	EVP_PKEY_free(key);
}

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
	ck_assert_str_eq(json_string_value(json_object_get(header, "x5t")),
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

START_TEST(assertion)
{
	char *key, *cert, *other_key, *other_cert;
	struct assertion a = { .audience = "https://login/t/oauth2/v2.0/token",
		.client_id = "me",
		.now = INT64_C(1700000000) * CLOCK_SECOND };
	struct buf jwt = BUF_INIT(20000);
	struct err err = ERR_INIT;
	const char *dot1, *dot2;
	json_t *claims;

	make_pair(&key, &cert);
	make_pair(&other_key, &other_cert);
	a.certificate = cert;
	a.private_key = key;
	ck_assert_msg(oauth_assertion(&a, &jwt, &err) == 0, "%s", err.text);
	dot1 = strchr(jwt.data, '.');
	ck_assert(dot1 != NULL);
	dot2 = strchr(dot1 + 1, '.');
	ck_assert(dot2 != NULL);
	verify(jwt.data, (size_t)(dot2 - jwt.data), cert);
	claims = decode_json(dot1 + 1, (size_t)(dot2 - dot1 - 1));
	ck_assert_str_eq(json_string_value(json_object_get(claims, "aud")),
	    a.audience);
	ck_assert_str_eq(json_string_value(json_object_get(claims, "iss")),
	    "me");
	ck_assert_str_eq(json_string_value(json_object_get(claims, "sub")),
	    "me");
	ck_assert_uint_eq(json_string_length(json_object_get(claims, "jti")),
	    36);
	ck_assert_int_eq(json_integer_value(json_object_get(claims, "exp")),
	    1700000600);
	ck_assert_int_le(json_integer_value(json_object_get(claims, "nbf")),
	    1700000000);
	json_decref(claims);
	a.private_key = other_key;
	ck_assert_int_eq(oauth_assertion(&a, &jwt, &err), -1);
	ck_assert(strstr(err.text, "does not belong") != NULL);
	buf_release(&jwt);
	free(key);
	free(cert);
	free(other_key);
	free(other_cert);
}
END_TEST

#define REPLY(status, length, body)                                 \
	"HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" \
	"Content-Length: " length "\r\n\r\n" body

static const struct canned_reply table[] = {
	{ .path = "/good",
	    .bytes = REPLY("200 OK", "41",
		"{\"access_token\":\"T1\",\"expires_in\":\"3599\"}") },
	{ .path = "/good",
	    .bytes = REPLY("200 OK", "39",
		"{\"access_token\":\"T2\",\"expires_in\":3599}") },
	{ .path = "/expired",
	    .bytes = REPLY("401 Unauthorized", "67",
		"{\"error\":\"invalid_client\",\"error_description\":"
		"\"AADSTS7000222: old\"}") },
	{ .path = "/odd",
	    .bytes = REPLY("200 OK", "23", "{\"access_token\":\"a\\nb\"}") },
	{ .path = NULL },
};

static struct canned *server;
static struct http_conf conf;
static struct http_access *access_;
static struct http *http;

static void
set_up(void)
{
	struct err err = ERR_INIT;

	conf = (struct http_conf){ .timeout = 5 * CLOCK_SECOND };
	server = canned_start(table);
	access_ = http_access_open(&conf, &err);
	ck_assert_msg(access_ != NULL, "%s", err.text);
	http = http_new(access_, NULL, NULL);
}

static void
tear_down(void)
{
	http_free(http);
	http_access_free(access_);
	canned_stop(server);
}

static struct oauth *
make(const char *path)
{
	char *url = xasprintf("%s%s", canned_url(server), path);
	const struct oauth_conf oc = { .token_url = url,
		.scope = "https://api/.default",
		.client_id = "me",
		.client_secret = "${env:SEALFEED_TEST_SECRET}" };
	struct oauth *o;

	ck_assert_int_eq(setenv("SEALFEED_TEST_SECRET", "p&q", 1), 0);
	o = oauth_new(&oc);
	free(url);
	return o;
}

START_TEST(a_token_is_kept_until_it_is_rejected)
{
	struct oauth *o = make("/good");
	struct outcome r;
	char *t = oauth_token(o, http, &r), *again;
	uint64_t accepts = OAUTH_NEVER;

	ck_assert_msg(t != NULL, "%s", r.text);
	ck_assert_str_eq(t, "T1");
	ck_assert(strstr(canned_requests(server),
		      "grant_type=client_credentials&client_id=me&scope="
		      "https%3A%2F%2Fapi%2F.default&client_secret=p%26q") !=
	    NULL);
	again = oauth_token(o, http, &r);
	ck_assert_str_eq(again, "T1");
	ck_assert_uint_eq(canned_count(server), 1);
	secret_free(again);
	ck_assert(oauth_reject(o, "another", &accepts));
	accepts = OAUTH_NEVER;
	ck_assert(oauth_reject(o, t, &accepts));
	again = oauth_token(o, http, &r);
	ck_assert_msg(again != NULL, "%s", r.text);
	ck_assert_str_eq(again, "T2");
	secret_free(again);
	secret_free(t);
	oauth_free(o);
}
END_TEST

/* One feed is refused for its own sake: that costs one token, and not one each
 * time. */
START_TEST(a_token_that_is_good_for_others_is_kept)
{
	struct oauth *o = make("/good");
	uint64_t accepts = OAUTH_NEVER;
	struct outcome r;
	char *t = oauth_token(o, http, &r);

	ck_assert(oauth_reject(o, t, &accepts));
	secret_free(t);
	t = oauth_token(o, http, &r);
	ck_assert_uint_eq(canned_count(server), 2);
	for (int i = 0; i < 50; i++) {
		oauth_accept(o);
		ck_assert(!oauth_reject(o, t, &accepts));
	}
	/* Nobody has used it with success since: it may be dead. */
	ck_assert(oauth_reject(o, t, &accepts));
	secret_free(t);
	/* But where no token is any good they are got less and less often. */
	t = oauth_token(o, http, &r);
	ck_assert_uint_eq(canned_count(server), 3);
	for (int i = 0; i < 50; i++)
		ck_assert(!oauth_reject(o, t, &accepts));
	secret_free(t);
	oauth_free(o);
}
END_TEST

START_TEST(a_refusal_names_cause_and_remedy)
{
	struct oauth *o = make("/expired");
	struct outcome r;

	ck_assert(oauth_token(o, http, &r) == NULL);
	ck_assert_int_eq(r.class, REPLY_CREDENTIALS);
	ck_assert_str_eq(r.code, "AADSTS7000222");
	ck_assert(strstr(r.text, "has expired; create a new one") != NULL);
	ck_assert(strstr(r.text, "p&q") == NULL);
	ck_assert_int_gt(r.wait, 0);
	/* The server is left alone … */
	ck_assert(oauth_token(o, http, &r) == NULL);
	ck_assert_uint_eq(canned_count(server), 1);
	/* … until there is another secret to try. */
	ck_assert_int_eq(setenv("SEALFEED_TEST_SECRET", "new", 1), 0);
	ck_assert(oauth_token(o, http, &r) == NULL);
	ck_assert_uint_eq(canned_count(server), 2);
	oauth_free(o);
}
END_TEST

START_TEST(a_token_that_no_header_can_carry)
{
	struct oauth *o = make("/odd");
	struct outcome r;

	ck_assert(oauth_token(o, http, &r) == NULL);
	ck_assert_int_eq(r.class, REPLY_RETRY);
	oauth_free(o);
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

	make_pair(&key, &cert);
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

/* What is granted, and for how many seconds; NULL: nothing is. */
static const struct {
	const char *body;
	const char *token;
	int64_t seconds;
} grants[] = {
	{ "{\"access_token\":\"t\",\"expires_in\":60}", "t", 60 },
	{ "{\"access_token\":\"t\",\"expires_in\":\"60\"}", "t", 60 },
	{ "{\"access_token\":\"t\",\"expires_in\":60.9}", "t", 60 },
	{ "{\"access_token\":\"t\"}", "t", 300 },
	{ "{\"access_token\":\"t\",\"expires_in\":null}", "t", 300 },
	{ "{\"access_token\":\"t\",\"expires_in\":-5}", "t", 300 },
	{ "{\"access_token\":\"t\",\"expires_in\":-1e300}", "t", 300 },
	{ "{\"access_token\":\"t\",\"expires_in\":1e300}", "t", 86400 },
	{ "{\"access_token\":\"t\",\"expires_in\":9223372036854775807}", "t",
	    86400 },
	{ "{\"access_token\":\"t\",\"expires_in\":\"99999999999999999999\"}",
	    "t", 86400 },
	{ "{\"access_token\":\"\"}", NULL, 0 },
	{ "{\"access_token\":\"a b\"}", NULL, 0 },
	{ "{\"access_token\":\"a\\u0000b\"}", NULL, 0 },
	{ "{\"access_token\":\"\xc3\xa9\"}", NULL, 0 },
	{ "{\"access_token\":7}", NULL, 0 },
	{ "[]", NULL, 0 },
	{ "", NULL, 0 },
};

START_TEST(grant)
{
	int64_t life = 0;
	char *token =
	    token_read(grants[_i].body, strlen(grants[_i].body), &life);

	ck_assert_msg((token == NULL) == (grants[_i].token == NULL), "%s",
	    grants[_i].body);
	if (token != NULL) {
		ck_assert_str_eq(token, grants[_i].token);
		ck_assert_int_eq(life, grants[_i].seconds * CLOCK_SECOND);
	}
	secret_free(token);
}
END_TEST

Suite *
suite_oauth(void)
{
	Suite *s = suite_create("oauth");
	TCase *tc = tcase_create("oauth");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, assertion);
	tcase_add_test(tc, a_token_is_kept_until_it_is_rejected);
	tcase_add_test(tc, a_token_that_is_good_for_others_is_kept);
	tcase_add_test(tc, a_refusal_names_cause_and_remedy);
	tcase_add_test(tc, a_token_that_no_header_can_carry);
	tcase_add_test(tc, a_certificate_that_is_damaged);
	tcase_add_loop_test(tc, grant, 0, sizeof(grants) / sizeof(grants[0]));
	suite_add_tcase(s, tc);
	return s;
}
