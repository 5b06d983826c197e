/*
 * auth_sign.c - requests that are signed.
 */
#include <ctype.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/when.h"
#include "http/auth_sign.h"
#include "http/pem.h"

#define TEXT_MAX (512 * 1024)
#define SIGNATURE_MAX 4096
#define PARAMETERS_MAX 256

const char *const sign_algorithms[] = {
	[SIGN_HMAC_SHA1] = "hmac-sha1",
	[SIGN_HMAC_SHA256] = "hmac-sha256",
	[SIGN_HMAC_SHA512] = "hmac-sha512",
	[SIGN_RSA_SHA256] = "rsa-sha256",
	[SIGN_ALGORITHMS] = NULL,
};
const char *const sign_encodings[] = {
	[SIGN_HEX] = "hex",
	[SIGN_BASE64] = "base64",
	NULL,
};
const char *const sign_key_encodings[] = {
	[SIGN_HEX] = "hex",
	[SIGN_BASE64] = "base64",
	[SIGN_PLAIN] = "text",
	NULL,
};

/* One request that is being signed. */
struct signing {
	const struct http_request *req;
	const char *host; /* behind the scheme, len bytes */
	size_t host_len;
	const char *target; /* the path on */
	int64_t now;
	char nonce[37];
	const char *signature; /* NULL: there is none yet */
};

/* -- places ---------------------------------------------------------------- */

static const char *
method(const struct signing *s)
{
	if (s->req->method != NULL)
		return s->req->method;
	return s->req->body != NULL ? "POST" : "GET";
}

static int
add_lower(struct buf *out, const char *text, size_t len)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < len; i++) {
		const char c = (char)tolower((unsigned char)text[i]);

		rc = buf_add(out, &c, 1);
	}
	return rc;
}

static int
put_method(const struct signing *s, struct buf *out)
{
	return buf_adds(out, method(s));
}

static int
put_method_lower(const struct signing *s, struct buf *out)
{
	return add_lower(out, method(s), strlen(method(s)));
}

static int
put_host(const struct signing *s, struct buf *out)
{
	return add_lower(out, s->host, s->host_len);
}

static int
put_path(const struct signing *s, struct buf *out)
{
	return buf_add(out, s->target, strcspn(s->target, "?"));
}

static int
put_target(const struct signing *s, struct buf *out)
{
	return buf_adds(out, s->target);
}

static const char *
query(const struct signing *s)
{
	const char *mark = strchr(s->target, '?');

	return mark != NULL ? mark + 1 : "";
}

static int
put_query(const struct signing *s, struct buf *out)
{
	return buf_adds(out, query(s));
}

static int
compare(struct slice x, struct slice y)
{
	const size_t len = x.len < y.len ? x.len : y.len;
	int order = memcmp(x.data, y.data, len);

	return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

/* By name, then by value. */
static int
by_parameter(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	const char *mark = memchr(x->data, '=', x->len);
	struct slice name = { x->data,
		mark != NULL ? (size_t)(mark - x->data) : x->len };
	struct slice other = { y->data, y->len };
	int order;

	mark = memchr(y->data, '=', y->len);
	if (mark != NULL)
		other.len = (size_t)(mark - y->data);
	order = compare(name, other);
	return order != 0 ? order : compare(*x, *y);
}

/* A colon may stand in a query as it is, but not in its canonical form. */
static int
add_strict(struct slice part, struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < part.len; i++)
		rc = part.data[i] == ':' ? buf_adds(out, "%3A")
					 : buf_add(out, part.data + i, 1);
	return rc;
}

static int
put_query_sorted(const struct signing *s, struct buf *out)
{
	struct slice parts[PARAMETERS_MAX];
	const char *at = query(s);
	size_t n = 0;
	int rc = 0;

	while (*at != '\0') {
		if (n == PARAMETERS_MAX)
			return -1;
		parts[n] = (struct slice){ at, strcspn(at, "&") };
		at += parts[n].len;
		at += *at == '&';
		n++;
	}
	qsort(parts, n, sizeof(*parts), by_parameter);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = i > 0 ? buf_adds(out, "&") : 0;
		if (rc == 0)
			rc = add_strict(parts[i], out);
	}
	return rc;
}

static const char *
body(const struct signing *s)
{
	return s->req->body != NULL ? s->req->body : "";
}

static int
put_body(const struct signing *s, struct buf *out)
{
	return buf_adds(out, body(s));
}

static int
put_body_length(const struct signing *s, struct buf *out)
{
	return buf_addf(out, "%zu", strlen(body(s)));
}

static int
put_type(const struct signing *s, struct buf *out)
{
	const bool has = s->req->body != NULL && s->req->type != NULL;

	return buf_adds(out, has ? s->req->type : "");
}

/* Append the bytes as text. */
static int
encode(enum sign_encoding encoding, const unsigned char *bytes, size_t len,
    struct buf *out)
{
	char hex[2 * SIGNATURE_MAX + 1];

	if (encoding == SIGN_BASE64)
		return text_base64(out, bytes, len);
	text_hex(hex, bytes, len);
	return buf_adds(out, hex);
}

static int
put_hash(const struct signing *s, const EVP_MD *md, enum sign_encoding encoding,
    struct buf *out)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (EVP_Digest(body(s), strlen(body(s)), hash, &len, md, NULL) != 1)
		return -1;
	return encode(encoding, hash, len, out);
}

static int
put_sha256(const struct signing *s, struct buf *out)
{
	return put_hash(s, EVP_sha256(), SIGN_HEX, out);
}

static int
put_sha512(const struct signing *s, struct buf *out)
{
	return put_hash(s, EVP_sha512(), SIGN_HEX, out);
}

static int
put_sha256_base64(const struct signing *s, struct buf *out)
{
	return put_hash(s, EVP_sha256(), SIGN_BASE64, out);
}

static int
put_nonce(const struct signing *s, struct buf *out)
{
	return buf_adds(out, s->nonce);
}

static int
put_signature(const struct signing *s, struct buf *out)
{
	return s->signature != NULL ? buf_adds(out, s->signature) : -1;
}

static const struct {
	const char *name;
	int (*put)(const struct signing *s, struct buf *out);
} places[] = {
	{ "request.time", NULL }, /* with a format */
	{ "request.method", put_method },
	{ "request.method_lower", put_method_lower },
	{ "request.host", put_host },
	{ "request.path", put_path },
	{ "request.target", put_target },
	{ "request.query", put_query },
	{ "request.query_sorted", put_query_sorted },
	{ "request.body", put_body },
	{ "request.body_length", put_body_length },
	{ "request.body_sha256", put_sha256 },
	{ "request.body_sha512", put_sha512 },
	{ "request.body_sha256_base64", put_sha256_base64 },
	{ "request.type", put_type },
	{ "request.nonce", put_nonce },
	{ "signature", put_signature },
};
#define PLACES (sizeof(places) / sizeof(places[0]))

static size_t
find(struct slice name)
{
	size_t i = 0;

	while (i < PLACES &&
	    (strlen(places[i].name) != name.len ||
		memcmp(places[i].name, name.data, name.len) != 0))
		i++;
	return i;
}

bool
sign_place(struct slice name, bool *time)
{
	const size_t i = find(name);

	*time = i < PLACES && places[i].put == NULL;
	return i < PLACES;
}

/* template_fn */
static int
value(void *ctx, const struct template_place *p, struct buf *out)
{
	const struct signing *s = ctx;
	const size_t i = find(p->name);

	if (i == PLACES)
		return -1;
	if (places[i].put != NULL)
		return places[i].put(s, out);
	if (p->format.data == NULL || when_by_name(p->format) == WHEN_FORMATS)
		return -1;
	return when_write(when_by_name(p->format), s->now, out);
}

/* -- signatures ------------------------------------------------------------ */

static int
sign_rsa(const char *pem, const struct buf *text, unsigned char *out,
    size_t *len, struct err *err)
{
	EVP_PKEY *key = pem_key("private_key", pem, err);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const int ok = key != NULL && ctx != NULL &&
	    EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, out, len, (const unsigned char *)text->data,
		text->len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok ? 0
		  : err_set(err, "private_key: not an RSA key that can sign");
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = strchr(digits, tolower((unsigned char)c));

	return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

static int
read_hex(const char *s, struct buf *out)
{
	for (; *s != '\0'; s += 2) {
		const int high = hex_digit(s[0]), low = hex_digit(s[1]);
		const char byte = (char)(16 * high + low);

		if (high < 0 || low < 0 || buf_add(out, &byte, 1) != 0)
			return -1;
	}
	return 0;
}

static int
read_key(enum sign_encoding encoding, const char *key, struct buf *out)
{
	switch (encoding) {
	case SIGN_HEX:
		return read_hex(key, out);
	case SIGN_BASE64:
		return text_unbase64(out, key, strlen(key));
	default:
		return buf_adds(out, key);
	}
}

static int
sign_hmac(const struct sign_conf *c, const char *secret, const struct buf *text,
    unsigned char *out, size_t *len, struct err *err)
{
	const EVP_MD *md = c->algorithm == SIGN_HMAC_SHA1 ? EVP_sha1()
	    : c->algorithm == SIGN_HMAC_SHA256            ? EVP_sha256()
							  : EVP_sha512();
	struct buf key = BUF_INIT(TEXT_MAX);
	unsigned int n = 0;
	int rc = read_key(c->key, secret, &key);

	if (rc != 0)
		(void)err_set(err,
		    "secret: is not in %s, which this signature needs",
		    sign_key_encodings[c->key]);
	else if (HMAC(md, key.len > 0 ? key.data : "", (int)key.len,
		     (const unsigned char *)text->data, text->len, out,
		     &n) == NULL)
		rc = err_set(err, "secret: signing with it failed");
	*len = n;
	if (key.data != NULL)
		explicit_bzero(key.data, key.len);
	buf_release(&key);
	return rc;
}

/* Append the signature over what c->text says. */
static int
sign(const struct sign_conf *c, struct signing *s, const char *key,
    struct buf *out, struct err *err)
{
	unsigned char bytes[SIGNATURE_MAX];
	size_t len = sizeof(bytes);
	struct buf text = BUF_INIT(TEXT_MAX);
	int rc;

	if (template_fill(c->text, TEMPLATE_PLAIN, value, s, &text) != 0)
		rc = err_set(err, "what is to be signed is too long");
	else if (c->algorithm == SIGN_RSA_SHA256)
		rc = sign_rsa(key, &text, bytes, &len, err);
	else
		rc = sign_hmac(c, key, &text, bytes, &len, err);
	if (rc == 0 && encode(c->encoding, bytes, len, out) != 0)
		rc = err_set(err, "the signature is too long");
	buf_release(&text);
	return rc;
}

/* -- headers --------------------------------------------------------------- */

static int
give_basic(const char *user, const char *signature, sign_header_fn *fn,
    void *ctx)
{
	struct buf encoded = BUF_INIT(TEXT_MAX);
	char *pair = xasprintf("%s:%s", user, signature);
	int rc = -1;

	if (buf_adds(&encoded, "Basic ") == 0 &&
	    text_base64(&encoded, pair, strlen(pair)) == 0) {
		fn(ctx, "Authorization", encoded.data);
		rc = 0;
	}
	free(pair);
	buf_release(&encoded);
	return rc;
}

static int
give_headers(const struct sign_conf *c, struct signing *s, sign_header_fn *fn,
    void *ctx)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	int rc = 0;

	for (const struct http_pair *h = c->headers;
	     rc == 0 && h != NULL && h->name != NULL; h++) {
		buf_clear(&text);
		rc = template_fill(h->value, TEMPLATE_PLAIN, value, s, &text);
		if (rc == 0)
			fn(ctx, h->name, text.len > 0 ? text.data : "");
	}
	buf_release(&text);
	if (rc == 0 && c->user != NULL)
		rc = give_basic(c->user, s->signature, fn, ctx);
	return rc;
}

int
sign_request(const struct sign_conf *c, const char *key,
    const struct http_request *req, int64_t now, sign_header_fn *fn, void *ctx,
    struct err *err)
{
	const char *begin = strstr(req->url, "://");
	struct signing s = { .req = req, .now = now, .target = "/" };
	struct buf signature = BUF_INIT(2 * SIGNATURE_MAX + 1);
	int rc;

	if (begin == NULL || guid_make(s.nonce) != 0)
		return err_set(err, "the URL cannot be signed");
	s.host = begin + 3;
	s.host_len = strcspn(s.host, "/?");
	if (s.host[s.host_len] != '\0')
		s.target = s.host + s.host_len;
	rc = sign(c, &s, key, &signature, err);
	if (rc == 0) {
		s.signature = signature.data;
		rc = give_headers(c, &s, fn, ctx);
		if (rc != 0)
			(void)err_set(err, "a signed header is too long");
	}
	buf_release(&signature);
	return rc;
}
