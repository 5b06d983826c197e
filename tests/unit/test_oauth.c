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
#include <sys/stat.h>
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

	make_pair(&key, &cert);
	make_pair(&other_key, &other_cert);
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
/* The content of a file of a service account that begins with a byte order
 * mark and has the line breaks of Windows, with as much around the key as fits.
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
	text = xasprintf("\xef\xbb\xbf{\r\n  \"note\": \"%050000d\",\r\n  "
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

	make_pair(&key, &cert);
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

	make_pair(&key, &cert);
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
	{ .path = "/any",
	    .bytes = REPLY("200 OK", "20", "{\"access_token\":\"T\"}") },
	{ .path = "/rotating",
	    .bytes = REPLY("200 OK", "52",
		"{\"access_token\":\"A1\",\"refresh_token\":"
		"\"second-token\"}") },
	{ .path = "/rotating",
	    .bytes = REPLY("200 OK", "51",
		"{\"access_token\":\"A2\",\"refresh_token\":"
		"\"third-token\"}") },
	{ .path = "/rotating",
	    .bytes = REPLY("200 OK", "21", "{\"access_token\":\"A3\"}") },
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
		      "grant_type=client_credentials&client_id=me&"
		      "client_secret=p%26q&scope=https%3A%2F%2Fapi%2F"
		      ".default") != NULL);
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
#define NOW INT64_C(1700000000)
static const struct {
	const char *body;
	const char *token;
	int64_t seconds;
	struct token_shape shape;
} grants[] = {
	{ "{\"access_token\":\"t\",\"expires_in\":60}", "t", 60,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":\"60\"}", "t", 60,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":60.9}", "t", 60,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\"}", "t", 300, { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":null}", "t", 300,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":-5}", "t", 300,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":-1e300}", "t", 300,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":1e300}", "t", 86400,
	    { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":9223372036854775807}", "t",
	    86400, { .life = 0 } },
	{ "{\"access_token\":\"t\",\"expires_in\":\"99999999999999999999\"}",
	    "t", 86400, { .life = 0 } },
	{ "{\"access_token\":\"\"}", NULL, 0, { .life = 0 } },
	{ "{\"access_token\":\"a b\"}", NULL, 0, { .life = 0 } },
	{ "{\"access_token\":\"a\\u0000b\"}", NULL, 0, { .life = 0 } },
	{ "{\"access_token\":\"\xc3\xa9\"}", NULL, 0, { .life = 0 } },
	{ "{\"access_token\":7}", NULL, 0, { .life = 0 } },
	{ "[]", NULL, 0, { .life = 0 } },
	{ "", NULL, 0, { .life = 0 } },
	/* Names of their own, and a time instead of a life. */
	{ "{\"token\":\"ghs_1\",\"expires_at\":\"2023-11-14T23:13:20Z\"}",
	    "ghs_1", 3600, { .token = "/token", .expires_at = "/expires_at" } },
	{ "{\"data\":[{\"t\":\"x\",\"until\":1700000900}]}", "x", 900,
	    { .token = "/data/0/t", .expires_at = "/data/0/until" } },
	{ "{\"t\":\"x\",\"until\":\"1700000900000\"}", "x", 900,
	    { .token = "/t", .expires_at = "/until" } },
	{ "{\"t\":\"x\",\"until\":1600000000}", "x", 300,
	    { .token = "/t", .expires_at = "/until" } },
	{ "{\"access_token\":\"x\"}", "x", 7200, { .life = 7200000000 } },
	{ "{\"access_token\":\"x\",\"valid\":90}", "x", 90,
	    { .expires_in = "/valid" } },
	/* One that says itself when it ends: {"exp":1700001000}. */
	{ "{\"token\":\"e30.eyJleHAiOjE3MDAwMDEwMDB9.c2ln\"}",
	    "e30.eyJleHAiOjE3MDAwMDEwMDB9.c2ln", 1000, { .token = "/token" } },
	{ "{\"token\":\"e30.eyJleHAiOiJvZGQifQ.c2ln\"}",
	    "e30.eyJleHAiOiJvZGQifQ.c2ln", 300, { .token = "/token" } },
	{ "{\"token\":\"e30.!!!.c2ln\"}", "e30.!!!.c2ln", 300,
	    { .token = "/token" } },
	{ "{}", "h1", 300, { .header = "X-Auth-Token" } },
	{ "", "h1", 300, { .header = "x-auth-token" } },
	{ "{}", NULL, 0, { .header = "X-Other" } },
};

START_TEST(grant)
{
	static char headers[] = "HTTP/1.1 200 OK\r\nX-Auth-Token: h1\r\n\r\n";
	const struct http_reply reply = {
		.body = { .data = (char *)(uintptr_t)grants[_i].body,
		    .len = strlen(grants[_i].body) },
		.headers = { .data = headers, .len = sizeof(headers) - 1 }
	};
	struct token t;

	token_read(&grants[_i].shape, &reply, NOW * CLOCK_SECOND, &t);
	if (grants[_i].token == NULL) {
		ck_assert_msg(t.access == NULL, "%s", grants[_i].body);
	} else {
		ck_assert_msg(t.access != NULL, "%s", grants[_i].body);
		ck_assert_str_eq(t.access, grants[_i].token);
		ck_assert_int_eq(t.life, grants[_i].seconds * CLOCK_SECOND);
	}
	token_release(&t);
}
END_TEST

/* How a token is asked for, by each kind of grant, client and body: what the
 * request has, the claim or assertion cut off. */
static const struct http_pair account[] = { { "account_id", "a/1" },
	{ "password", "${env:SEALFEED_TEST_SECRET}" }, { NULL, NULL } };
static const struct {
	struct oauth_conf conf;
	const char *has[3];
} requests[] = {
	{ { .grant = GRANT_ACCOUNT_CREDENTIALS,
	      .client = CLIENT_BASIC,
	      .body = OAUTH_QUERY,
	      .client_id = "me",
	      .client_secret = "p&q",
	      .fields = account },
	    { "POST /any?grant_type=account_credentials&account_id=a%2F1&"
	      "password=p%26q HTTP",
		"Authorization: Basic bWU6cCZx\r\n", "\r\n\r\n" } },
	{ { .grant = GRANT_CLIENT_CREDENTIALS,
	      .body = OAUTH_JSON,
	      .client_id = "me",
	      .client_secret = "p\"q",
	      .fields = account },
	    { "Content-Type: application/json\r\n",
		"\r\n\r\n{\"grant_type\":\"client_credentials\",\"client_id\":"
		"\"me\",\"client_secret\":\"p\\\"q\",\"account_id\":\"a/1\","
		"\"password\":\"p&q\"}",
		NULL } },
	{ { .grant = GRANT_NONE, .body = OAUTH_JSON, .fields = account },
	    { "\r\n\r\n{\"account_id\":\"a/1\",\"password\":\"p&q\"}", NULL,
		NULL } },
	{ { .grant = GRANT_REFRESH_TOKEN,
	      .client_id = "me",
	      .refresh_token = "r 1" },
	    { "\r\n\r\ngrant_type=refresh_token&refresh_token=r%201&"
	      "client_id=me",
		NULL, NULL } },
	{ { .grant = GRANT_JWT_BEARER, .private_key = "KEY", .issuer = "i" },
	    { "\r\n\r\ngrant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3A"
	      "jwt-bearer&assertion=eyJ",
		NULL, NULL } },
	{ { .grant = GRANT_JWT_BEARER,
	      .private_key = "KEY",
	      .client_id = "box",
	      .client_secret = "s" },
	    { "&client_id=box&client_secret=s", NULL, NULL } },
	{ { .grant = GRANT_CLIENT_CREDENTIALS,
	      .private_key = "KEY",
	      .client_id = "okta",
	      .scope = "okta.logs.read" },
	    { "\r\n\r\ngrant_type=client_credentials&client_id=okta&"
	      "client_assertion_type=urn%3Aietf%3Aparams%"
	      "3Aoauth%3Aclient-"
	      "assertion-type%3Ajwt-bearer&client_assertion=eyJ",
		"&scope=okta.logs.read", NULL } },
	{ { .grant = GRANT_NONE,
	      .client = CLIENT_BEARER,
	      .private_key = "KEY",
	      .client_id = "app" },
	    { "POST /any HTTP", "Authorization: Bearer eyJ", "\r\n\r\n" } },
};

START_TEST(request)
{
	struct oauth_conf oc = requests[_i].conf;
	char *key, *cert, *url = xasprintf("%s/any", canned_url(server));
	const char *sent;
	struct oauth *o;
	struct outcome r;
	char *t;

	ck_assert_int_eq(setenv("SEALFEED_TEST_SECRET", "p&q", 1), 0);
	make_pair(&key, &cert);
	if (oc.private_key != NULL)
		oc.private_key = key;
	oc.token_url = url;
	o = oauth_new(&oc);
	t = oauth_token(o, http, &r);
	ck_assert_msg(t != NULL, "%s", r.text);
	ck_assert_str_eq(t, "T");
	sent = canned_requests(server);
	for (size_t i = 0; i < 3 && requests[_i].has[i] != NULL; i++)
		ck_assert_msg(strstr(sent, requests[_i].has[i]) != NULL,
		    "%s is not in\n%s", requests[_i].has[i], sent);
	ck_assert(strstr(sent, "client_assertion") == NULL ||
	    strstr(sent, "client_secret") == NULL);
	secret_free(t);
	oauth_free(o);
	free(url);
	free(key);
	free(cert);
}
END_TEST

/* -- refresh tokens that the server replaces ------------------------------- */

static struct oauth *
make_moved(const char *token, const char *keep, const char *kept)
{
	char *url = xasprintf("%s/rotating", canned_url(server));
	const struct oauth_conf oc = { .token_url = url,
		.grant = GRANT_REFRESH_TOKEN,
		.client_id = "me",
		.refresh_token = token,
		.keep = keep,
		.kept = kept };
	struct oauth *o = oauth_new(&oc);

	free(url);
	return o;
}

static struct oauth *
make_refresh(const char *token, const char *keep)
{
	return make_moved(token, keep, NULL);
}

/* The one that the server gave is used by the next request and the next
 * process, until another one is configured. */
START_TEST(a_refresh_token_is_replaced)
{
	char dir[] = "/tmp/sealfeed-oauth-XXXXXX";
	char *keep;
	struct outcome r;
	struct oauth *o;
	uint64_t accepts = OAUTH_NEVER;
	struct stat st;
	char *t;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	keep = xasprintf("%s/v", dir);
	o = make_refresh("first-token", keep);
	t = oauth_token(o, http, &r);
	ck_assert_msg(t != NULL, "%s", r.text);
	ck_assert_str_eq(t, "A1");
	ck_assert(strstr(canned_requests(server),
		      "refresh_token=first-token&") != NULL);
	ck_assert_int_eq(stat(keep, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert(oauth_reject(o, t, &accepts));
	secret_free(t);
	t = oauth_token(o, http, &r);
	ck_assert_str_eq(t, "A2");
	ck_assert(strstr(canned_requests(server),
		      "refresh_token=second-token&") != NULL);
	secret_free(t);
	oauth_free(o);
	/* Another process. */
	o = make_refresh("first-token", keep);
	t = oauth_token(o, http, &r);
	ck_assert_ptr_nonnull(t);
	ck_assert(strstr(canned_requests(server),
		      "refresh_token=third-token&") != NULL);
	secret_free(t);
	oauth_free(o);
	/* The administrator has a new one. */
	o = make_refresh("other-token", keep);
	t = oauth_token(o, http, &r);
	ck_assert_ptr_nonnull(t);
	ck_assert(strstr(canned_requests(server),
		      "refresh_token=other-token&") != NULL);
	secret_free(t);
	oauth_free(o);
	ck_assert_int_eq(unlink(keep), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	free(keep);
}
END_TEST

static void
write_kept(const char *path, const char *configured, const char *token)
{
	struct err err = ERR_INIT;
	struct digest *d = digest_new();
	uint8_t hash[DIGEST_LEN];
	char hex[2 * DIGEST_LEN + 1];
	char *text;

	digest_sha256(d, NULL, 0, configured, strlen(configured), hash);
	digest_free(d);
	text_hex(hex, hash, DIGEST_LEN);
	text = xasprintf("%s\n%s\n", hex, token);
	ck_assert_int_eq(file_replace(path, text, strlen(text), 0600, &err), 0);
	free(text);
}

static const struct {
	const char *own, *old; /* what stands for the configured token, in its
				  own and in the old file */
	const char *other;     /* whom the old file is for instead */
	const char *used;
	bool stays; /* the old file */
} moves[] = {
	{ NULL, "from-before", NULL, "from-before", false },
	{ "moved", "moved", NULL, "moved", false },
	{ "newer", "from-before", NULL, "newer", false },
	{ NULL, "from-before", "another", "configured", true },
};

/* A token that an earlier version kept in the store's folder is moved to its
 * own, whatever a crash in between left. */
START_TEST(a_kept_token_is_moved)
{
	char dir[] = "/tmp/sealfeed-oauth-XXXXXX";
	char *keep, *kept, *folder, *sent, *t;
	struct outcome r;
	struct oauth *o;
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	folder = xasprintf("%s/own", dir);
	keep = xasprintf("%s/v", folder);
	kept = xasprintf("%s/v", dir);
	if (moves[_i].own != NULL) {
		ck_assert_int_eq(mkdir(folder, 0700), 0);
		write_kept(keep, "configured", moves[_i].own);
	}
	write_kept(kept,
	    moves[_i].other != NULL ? moves[_i].other : "configured",
	    moves[_i].old);
	o = make_moved("configured", keep, kept);
	t = oauth_token(o, http, &r);
	ck_assert_msg(t != NULL, "%s", r.text);
	sent = xasprintf("refresh_token=%s&", moves[_i].used);
	ck_assert_msg(strstr(canned_requests(server), sent) != NULL, "%s",
	    canned_requests(server));
	ck_assert_int_eq(stat(keep, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(folder, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert(access(kept, F_OK) == (moves[_i].stays ? 0 : -1));
	secret_free(t);
	oauth_free(o);
	(void)unlink(kept);
	ck_assert_int_eq(unlink(keep), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	free(sent);
	free(folder);
	free(keep);
	free(kept);
}
END_TEST

/* Whoever has the folder of the store for it keeps the token. */
START_TEST(a_kept_token_stays_in_its_place)
{
	char dir[] = "/tmp/sealfeed-oauth-XXXXXX";
	char *keep, *kept, *t;
	struct outcome r;
	struct oauth *o;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	keep = xasprintf("%s/v", dir);
	kept = xasprintf("%s/./v", dir);
	write_kept(keep, "configured", "from-before");
	o = make_moved("configured", keep, kept);
	t = oauth_token(o, http, &r);
	ck_assert_msg(t != NULL, "%s", r.text);
	ck_assert_int_eq(access(keep, F_OK), 0);
	secret_free(t);
	oauth_free(o);
	ck_assert_int_eq(unlink(keep), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	free(keep);
	free(kept);
}
END_TEST

/* An old token whose new place cannot be written is not used, and stays. */
START_TEST(a_kept_token_that_cannot_be_moved)
{
	char dir[] = "/tmp/sealfeed-oauth-XXXXXX";
	char *keep, *kept, *folder, *t;
	struct outcome r;
	struct oauth *o;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	folder = xasprintf("%s/own", dir);
	keep = xasprintf("%s/v", folder);
	kept = xasprintf("%s/v", dir);
	ck_assert_int_eq(symlink("/nowhere/at/all", folder), 0);
	write_kept(kept, "configured", "from-before");
	o = make_moved("configured", keep, kept);
	ck_assert_ptr_null(oauth_token(o, http, &r));
	ck_assert_msg(strstr(r.text, "/own") != NULL, "%s", r.text);
	ck_assert_uint_eq(canned_count(server), 0);
	ck_assert_int_eq(access(kept, F_OK), 0);
	ck_assert_int_eq(unlink(folder), 0);
	oauth_free(o);
	o = make_moved("configured", keep, kept);
	t = oauth_token(o, http, &r);
	ck_assert_msg(t != NULL, "%s", r.text);
	ck_assert(strstr(canned_requests(server),
		      "refresh_token=from-before&") != NULL);
	secret_free(t);
	oauth_free(o);
	ck_assert_int_ne(access(kept, F_OK), 0);
	ck_assert_int_eq(unlink(keep), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	free(folder);
	free(keep);
	free(kept);
}
END_TEST

Suite *
suite_oauth(void)
{
	Suite *s = suite_create("oauth");
	TCase *tc = tcase_create("oauth");

	tcase_set_timeout(tc, 60);

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, assertion);
	tcase_add_test(tc, a_service_account);
	tcase_add_test(tc, a_fingerprint);
	tcase_add_loop_test(tc, request, 0,
	    sizeof(requests) / sizeof(requests[0]));
	tcase_add_test(tc, a_refresh_token_is_replaced);
	tcase_add_loop_test(tc, a_kept_token_is_moved, 0,
	    sizeof(moves) / sizeof(moves[0]));
	tcase_add_test(tc, a_kept_token_stays_in_its_place);
	tcase_add_test(tc, a_kept_token_that_cannot_be_moved);
	tcase_add_test(tc, a_token_is_kept_until_it_is_rejected);
	tcase_add_test(tc, a_token_that_is_good_for_others_is_kept);
	tcase_add_test(tc, a_refusal_names_cause_and_remedy);
	tcase_add_test(tc, a_token_that_no_header_can_carry);
	tcase_add_test(tc, a_certificate_that_is_damaged);
	tcase_add_loop_test(tc, grant, 0, sizeof(grants) / sizeof(grants[0]));
	suite_add_tcase(s, tc);
	return s;
}
