/*
 * test_auth.c - schemes that sign: vectors of vendors, and what a server
 * checks.
 */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/secret.h"
#include "http/auth.h"
#include "tests/unit/canned.h"
#include "tests/unit/unit.h"

/* Tue, 21 Aug 2012 17:29:18 */
#define DUO_TIME INT64_C(1345570158000000)

/* Headers as "name: value\n". */
static void
note(void *ctx, const char *name, const char *value)
{
	ck_assert_int_eq(buf_addf(ctx, "%s: %s\n", name, value), 0);
}

static const struct http_pair dated[] = { { "Date", "{request.time|rfc2822}" },
	{ NULL, NULL } };
static const struct http_pair all[] = { { "X-All",
					    "{request.path} {request.target} "
					    "{request.query} "
					    "{request.query_sorted} "
					    "{request.type} "
					    "{request.body_length} "
					    "{request.method_lower}" },
	{ "X-Hash", "{request.body_sha256_base64}" },
	{ "X-Signature", "v0={signature}" }, { NULL, NULL } };

static const struct {
	struct sign_conf conf;
	const char *key;
	struct http_request req;
	const char *headers; /* NULL: refused with … */
	const char *why;
} rows[] = {
	/* The example of Duo's documentation, version 2 of its signatures. */
	{ { .algorithm = SIGN_HMAC_SHA1,
	      .encoding = SIGN_HEX,
	      .key = SIGN_PLAIN,
	      .text = "{request.time|rfc2822}\n{request.method}\n"
		      "{request.host}\n{request.path}\n{request.body}",
	      .headers = dated,
	      .user = "DIWJ8X6AEYOR5OMC6TQ1" },
	    "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep",
	    { .url = "https://API-XXXXXXXX.duosecurity.com/accounts/v1/"
		     "account/list",
		.body = "realname=First%20Last&username=root" },
	    "Date: Tue, 21 Aug 2012 17:29:18 -0000\n"
	    "Authorization: Basic RElXSjhYNkFFWU9SNU9NQzZUUTE6MmQ5N2Q2MTY2MzE5N"
	    "zgxYjVhM2EwN2FmMzlkMzY2ZjQ5MTIzNGVkYw==\n",
	    NULL },
	/* RFC 4231, test case 2. */
	{ { .algorithm = SIGN_HMAC_SHA256,
	      .encoding = SIGN_HEX,
	      .key = SIGN_HEX,
	      .text = "what do ya want for nothing?",
	      .headers = &all[2] },
	    "4A656665", { .url = "https://h" },
	    "X-Signature: v0=5bdcc146bf60754e6a042426089575c75a003f089d2739839d"
	    "ec58b964ec3843\n",
	    NULL },
	{ { .algorithm = SIGN_HMAC_SHA512,
	      .encoding = SIGN_BASE64,
	      .key = SIGN_BASE64,
	      .text = "what do ya want for nothing?",
	      .headers = &all[2] },
	    "SmVmZQ==", { .url = "https://h" },
	    "X-Signature: v0=Fkt6e/z4GeLjlfvnO1bgo4e9ZCIugx/WECcM1+olBVSXWL91"
	    "wFqZSm0DT2X48Ob9yuqxo01Ka0tjbgcKOLznNw==\n",
	    NULL },
	{ { .algorithm = SIGN_HMAC_SHA256,
	      .encoding = SIGN_HEX,
	      .key = SIGN_BASE64,
	      .text = "x",
	      .headers = dated },
	    "not base64!", { .url = "https://h/" }, NULL, "is not in base64" },
	{ { .algorithm = SIGN_RSA_SHA256,
	      .text = "x",
	      .encoding = SIGN_BASE64,
	      .headers = dated },
	    "no key", { .url = "https://h/" }, NULL, "private_key" },
	{ { .algorithm = SIGN_HMAC_SHA256,
	      .encoding = SIGN_HEX,
	      .key = SIGN_PLAIN,
	      .text = "{signature}",
	      .headers = dated },
	    "k", { .url = "https://h/" }, NULL, "too long" },
};

START_TEST(vector)
{
	struct buf out = BUF_INIT(10000);
	struct err err = ERR_INIT;
	int rc = sign_request(&rows[_i].conf, rows[_i].key, &rows[_i].req,
	    DUO_TIME, note, &out, &err);

	if (rows[_i].headers != NULL) {
		ck_assert_msg(rc == 0, "%s", err.text);
		ck_assert_str_eq(out.data, rows[_i].headers);
	} else {
		ck_assert_int_eq(rc, -1);
		ck_assert_msg(strstr(err.text, rows[_i].why) != NULL, "%s",
		    err.text);
		ck_assert(strstr(err.text, rows[_i].key) == NULL);
	}
	buf_release(&out);
}
END_TEST

/* What a request is made of, as it is sent; and the parameters in order. */
START_TEST(places_of_a_request)
{
	const struct sign_conf c = { .algorithm = SIGN_HMAC_SHA256,
		.key = SIGN_PLAIN,
		.text = "x",
		.headers = all };
	const struct http_request req = { .url = "https://h:8443/a%2Fb?"
						 "b=2&a=1:3&a=1&a0=",
		.method = "PUT",
		.body = "{}",
		.type = "application/json" };
	struct buf out = BUF_INIT(10000);
	struct err err = ERR_INIT;
	static const char expected[] =
	    "X-All: /a%2Fb /a%2Fb?b=2&a=1:3&a=1&a0= b=2&a=1:3&a=1&a0= "
	    "a=1&a=1%3A3&a0=&b=2 application/json 2 put\n"
	    "X-Hash: RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=\n";
	struct slice name = { "request.time", strlen("request.time") };
	bool time;

	ck_assert_msg(sign_request(&c, "k", &req, DUO_TIME, note, &out, &err) ==
		0,
	    "%s", err.text);
	ck_assert_msg(strncmp(out.data, expected, strlen(expected)) == 0, "%s",
	    out.data);
	ck_assert(sign_place(name, &time) && time);
	name.len--;
	ck_assert(!sign_place(name, &time));
	buf_release(&out);
}
END_TEST

/* HTTP signatures as Oracle checks them. */
START_TEST(rsa)
{
	static const struct http_pair headers[] = { { "Date",
							"{request.time|http}" },
		{ "Authorization",
		    "Signature version=\"1\",keyId=\"t/u/f\",algorithm=\"rsa-"
		    "sha256\",headers=\"date (request-target) host\",signature="
		    "\"{signature}\"" },
		{ NULL, NULL } };
	static const char text[] = "date: Tue, 21 Aug 2012 17:29:18 GMT\n"
				   "(request-target): get /20190901/"
				   "auditEvents?a=b%20c\n"
				   "host: audit.example.com";
	const struct sign_conf c = { .algorithm = SIGN_RSA_SHA256,
		.encoding = SIGN_BASE64,
		.text = "date: {request.time|http}\n(request-target): "
			"{request.method_lower} {request.target}\nhost: "
			"{request.host}",
		.headers = headers };
	const struct http_request req = {
		.url = "https://audit.example.com/20190901/auditEvents?a=b%20c"
	};
	EVP_PKEY *key = EVP_RSA_gen(2048);
	BIO *bio = BIO_new(BIO_s_mem());
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct buf out = BUF_INIT(10000), raw = BUF_INIT(1000);
	struct err err = ERR_INIT;
	char *pem, *data, *begin;
	long len;

	ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL,
			     NULL),
	    1);
	len = BIO_get_mem_data(bio, &data);
	pem = xstrndup(data, (size_t)len);
	ck_assert_msg(sign_request(&c, pem, &req, DUO_TIME, note, &out, &err) ==
		0,
	    "%s", err.text);
	ck_assert_ptr_nonnull(strstr(out.data,
	    "Date: Tue, 21 Aug 2012 17:29:18 GMT\n"));
	begin = strstr(out.data, "signature=\"");
	ck_assert_ptr_nonnull(begin);
	begin += strlen("signature=\"");
	ck_assert_int_eq(text_unbase64(&raw, begin, strcspn(begin, "\"")), 0);
	ck_assert_int_eq(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL,
			     key),
	    1);
	ck_assert_int_eq(EVP_DigestVerify(ctx, (unsigned char *)raw.data,
			     raw.len, (const unsigned char *)text,
			     strlen(text)),
	    1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	BIO_free(bio);
	free(pem);
	buf_release(&out);
	buf_release(&raw);
}
END_TEST

/* -- over the wire --------------------------------------------------------- */

static const struct canned_reply table[] = {
	{ .path = "/digest",
	    .bytes = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest "
		     "realm=\"MMS Public API\", nonce=\"n1\", "
		     "algorithm=MD5, qop=\"auth\", stale=false\r\n"
		     "Retry-After: 9\r\nContent-Type: text/plain\r\n"
		     "Content-Length: 6\r\n\r\nnobody" },
	{ .path = "/digest",
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		     "Content-Length: 7\r\n\r\n[{\"a\"}]" },
	{ .path = NULL },
};

/* http_take_fn */
static int
take(void *ctx, const char *data, size_t len, struct err *err)
{
	(void)err;
	return buf_add(ctx, data, len);
}

/* The value of a parameter of a header, in quotes or not. */
static char *
parameter(const char *header, const char *name)
{
	char *key = xasprintf("%s=", name);
	const char *at = strstr(header, key);

	ck_assert_msg(at != NULL, "no %s in %s", name, header);
	at += strlen(key);
	free(key);
	if (*at == '"')
		return xstrndup(at + 1, strcspn(at + 1, "\""));
	return xstrndup(at, strcspn(at, ", \r\n"));
}

static void
md5(const char *text, char out[33])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	ck_assert_int_eq(EVP_Digest(text, strlen(text), hash, &len, EVP_md5(),
			     NULL),
	    1);
	text_hex(out, hash, len);
}

/* What the server computes of RFC 7616 section 3.4.1. */
static void
check_digest(const char *header)
{
	char a1[33], a2[33], response[33];
	char *nc = parameter(header, "nc"),
	     *cnonce = parameter(header, "cnonce");
	char *said = parameter(header, "response");
	char *text;

	md5("public:MMS Public API:private-key", a1);
	md5("GET:/digest?x=1", a2);
	text = xasprintf("%s:n1:%s:%s:auth:%s", a1, nc, cnonce, a2);
	md5(text, response);
	ck_assert_str_eq(said, response);
	free(text);
	free(nc);
	free(cnonce);
	free(said);
}

START_TEST(digest)
{
	const struct http_conf conf = { .timeout = UNIT_TIMEOUT };
	const struct auth_conf ac = { .scheme = AUTH_DIGEST,
		.option = "private_key",
		.user = "public",
		.secret = "private-key" };
	struct canned *server = canned_start(table);
	struct err err = ERR_INIT;
	struct http_access *access = http_access_open(&conf, &err);
	struct http *h = http_new(access, NULL, NULL);
	char *url = xasprintf("%s/digest?x=1", canned_url(server));
	struct buf body = BUF_INIT(100);
	struct http_request req = { .url = url, .take = take, .ctx = &body };
	struct auth *a = auth_new(&ac);
	struct auth_proof p = { .secret = NULL };
	struct http_reply reply;
	struct outcome r;
	const char *header;

	http_reply_init(&reply);
	ck_assert_int_eq(auth_apply(a, h, &req, &p, &r), REPLY_OK);
	ck_assert_msg(http_do(h, &req, &reply, &err) == 0, "%s", err.text);
	ck_assert_int_eq(reply.status, 200);
	/* Nothing of the challenge is left. */
	ck_assert_str_eq(body.data, "[{\"a\"}]");
	ck_assert_int_eq(reply.retry_after, -1);
	ck_assert_str_eq(reply.type, "application/json");
	ck_assert_uint_eq(canned_count(server), 2);
	header = strstr(canned_requests(server), "Authorization: Digest ");
	ck_assert_ptr_nonnull(header);
	check_digest(header);
	ck_assert_ptr_null(strstr(canned_requests(server), "private-key"));
	auth_proof_release(&p);
	auth_free(a);
	http_reply_release(&reply);
	buf_release(&body);
	http_free(h);
	http_access_free(access);
	canned_stop(server);
	free(url);
}
END_TEST

/* Several headers, each with its secret; and none where one is missing. */
START_TEST(headers)
{
	static const struct http_pair more[] = { { "DD-API-KEY", "key-1" },
		{ "DD-APPLICATION-KEY", "${env:SEALFEED_TEST_MORE}" },
		{ NULL, NULL } };
	const struct auth_conf ac = { .scheme = AUTH_HEADER, .more = more };
	struct http_request req = { .url = "https://h/" };
	struct auth *a = auth_new(&ac);
	struct auth_proof p = { .secret = NULL };
	struct outcome r;

	ck_assert_int_eq(unsetenv("SEALFEED_TEST_MORE"), 0);
	ck_assert_int_eq(auth_apply(a, NULL, &req, &p, &r), REPLY_CREDENTIALS);
	ck_assert_msg(strstr(r.text, "DD-APPLICATION-KEY") != NULL, "%s",
	    r.text);
	auth_proof_release(&p);
	ck_assert_int_eq(setenv("SEALFEED_TEST_MORE", "key-2", 1), 0);
	ck_assert_int_eq(auth_apply(a, NULL, &req, &p, &r), REPLY_OK);
	ck_assert_str_eq(req.credentials[0].name, "DD-API-KEY");
	ck_assert_str_eq(req.credentials[0].value, "key-1");
	ck_assert_str_eq(req.credentials[1].value, "key-2");
	ck_assert_ptr_null(req.credentials[2].name);
	auth_proof_release(&p);
	auth_free(a);
}
END_TEST

/* The header of Signature Version 4, whose vectors test_aws.c has. */
START_TEST(aws)
{
	const struct auth_conf ac = { .scheme = AUTH_AWS,
		.user = "AKIDEXAMPLE",
		.secret = "wJalrXUtnFEMI",
		.session = "session-1",
		.region = "us-east-1",
		.service = "cloudtrail" };
	struct http_request req = { .url = "https://h/", .body = "{}" };
	struct auth *a = auth_new(&ac);
	struct auth_proof p = { .secret = NULL };
	struct outcome r;
	bool token = false, signed_ = false;

	ck_assert_int_eq(auth_apply(a, NULL, &req, &p, &r), REPLY_OK);
	for (const struct http_pair *h = req.credentials; h->name != NULL;
	     h++) {
		token = token || strcmp(h->value, "session-1") == 0;
		signed_ = signed_ ||
		    (strncmp(h->value, "AWS4-HMAC-SHA256 Credential=AKIDEX",
			 34) == 0 &&
			strstr(h->value,
			    "/us-east-1/cloudtrail/aws4_request") != NULL);
	}
	ck_assert(token && signed_);
	auth_proof_release(&p);
	auth_free(a);
}
END_TEST

Suite *
suite_auth(void)
{
	Suite *s = suite_create("auth");
	TCase *tc = tcase_create("auth");

	tcase_set_timeout(tc, 60);

	tcase_add_loop_test(tc, vector, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, places_of_a_request);
	tcase_add_test(tc, rsa);
	tcase_add_test(tc, digest);
	tcase_add_test(tc, headers);
	tcase_add_test(tc, aws);
	suite_add_tcase(s, tc);
	return s;
}
