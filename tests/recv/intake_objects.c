/*
 * intake_objects.c - a store for objects, as
 * docs.aws.amazon.com/AmazonS3/latest
 * ("PutObject", "GetObject", "Conditional writes", "Error responses") describes
 * S3.
 *
 * PUT /BUCKET/KEY, signed (Signature Version 4) with the key AKID and the
 * secret in the option token; the body has the digests that its headers say.
 * Under If-None-Match: * an object that is there stays (412).  GET gives its
 * headers, and one byte of it.  What is put are lines, packed with gzip where
 * the key ends in .gz.
 *
 * Options: token; bucket; occupied, a key under which somebody else's object
 * is.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/aws_sign.h"
#include "tests/recv/intake.h"

/* What the stores differ by. */
struct kind {
	const char *digest; /* header that is kept with an object */
	const char *guard, *guard_value;
	unsigned there;
	const char *there_code;
	unsigned stored;
	const char *needed[4]; /* headers of each request */
	bool (*authorized)(struct call *c);
};

struct object {
	struct object *next;
	char *key;
	char etag[40];
	char digest[80]; /* the header that came with it */
};

static void
refuse(struct call *c, unsigned status, const char *code, const char *text)
{
	reply_text(c, status,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code>"
	    "<Message>%s</Message><RequestId>7</RequestId></Error>",
	    code, text);
	c->reply->type = "application/xml";
}

static void
digest_of(const struct buf *b, const EVP_MD *md, unsigned char out[64],
    unsigned int *n)
{
	if (EVP_Digest(b->data == NULL ? "" : b->data, b->len, out, n, md,
		NULL) != 1)
		recv_die("no digest");
}

static const struct kind *kind_of(const struct call *c);

static struct object *
find(const struct call *c, const char *key)
{
	struct object *o = c->place->state;

	while (o != NULL && strcmp(o->key, key) != 0)
		o = o->next;
	return o;
}

/*
 * Signatures.
 */

static void
add_header(struct call *c, struct http_pair *pairs, char **names, size_t *n,
    const char *name, size_t len)
{
	names[*n] = xasprintf("%.*s", (int)len, name);
	pairs[*n].name = names[*n];
	pairs[*n].value = recv_header(c->rq, names[*n]);
	++*n;
}

/* Sign what came with the key that is expected: is that what came along?  The
 * date, the digest of the body and the host are added by the signer. */
static bool
is_signed(struct call *c, const char *authorization)
{
	static const char own[] = "host;x-amz-date;x-amz-content-sha256;";
	struct http_pair pairs[32] = { { NULL, NULL } };
	char *names[32] = { NULL }, *secret, *url, *host;
	const char *at = strstr(authorization, "SignedHeaders=");
	struct aws_key key = { .id = (char *)(uintptr_t) "AKID" };
	struct aws_signature s;
	struct err err = ERR_INIT;
	size_t n = 0;
	int64_t when;
	bool good = false;

	if (at == NULL ||
	    clock_parse_http(recv_header(c->rq, "Date"), &when) == 0)
		return false;
	for (at += 14; *at != ',' && *at != '\0'; at += strspn(at, ";")) {
		size_t len = strcspn(at, ";,");
		char *name = xasprintf("%.*s;", (int)len, at);

		if (strstr(own, name) == NULL && n < 31)
			add_header(c, pairs, names, &n, at, len);
		free(name);
		at += len;
	}
	secret = place_option(c->place, "token", "abc");
	host = xstrdup(recv_header(c->rq, "Host"));
	url = xasprintf("https://%s%s", host, c->rq->path);
	key.secret = secret;
	const char *d = recv_header(c->rq, "X-Amz-Date");
	char *text = xasprintf("%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", d, d + 4,
	    d + 6, d + 9, d + 11, d + 13);
	const struct aws_request q = { .method = c->rq->method,
		.url = url,
		.region = "eu-central-1",
		.service = "s3",
		.headers = pairs,
		.body = c->rq->body.data,
		.len = c->rq->body.len,
		.now = clock_parse(text, strlen(text), &when) == 0 ? when : 0 };

	if (aws_sign(&q, &key, &s, &err) == 0) {
		for (size_t i = 0; s.headers[i].name != NULL; i++)
			good = good ||
			    strcmp(s.headers[i].value, authorization) == 0;
		aws_signature_release(&s);
	}
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(secret);
	free(host);
	free(url);
	free(text);
	return good;
}

static bool
authorized_token(struct call *c)
{
	if (has_access_token(c))
		return true;
	refuse(c, 401, "InvalidAuthenticationInfo", "The token is invalid.");
	return false;
}

static bool
authorized_aws(struct call *c)
{
	const char *a = recv_header(c->rq, "Authorization");
	unsigned char digest[64];
	char hex[129];
	unsigned int n;

	digest_of(&c->rq->body, EVP_sha256(), digest, &n);
	text_hex(hex, digest, n);
	if (strncmp(a, "AWS4-HMAC-SHA256 Credential=AKID/", 33) != 0)
		refuse(c, 403, "InvalidAccessKeyId",
		    "The AWS Access Key Id you provided does not exist.");
	else if (strcmp(recv_header(c->rq, "X-Amz-Content-Sha256"), hex) != 0)
		refuse(c, 400, "XAmzContentSHA256Mismatch",
		    "The provided header does not match what was computed.");
	else if (!is_signed(c, a))
		refuse(c, 403, "SignatureDoesNotMatch",
		    "The request signature we calculated does not match.");
	else
		return true;
	return false;
}

/*
 * Objects.
 */

static void
tell(struct call *c, const struct object *o)
{
	c->reply->headers[0].name = "ETag";
	(void)snprintf(c->reply->headers[0].value, 128, "%s", o->etag);
	if (o->digest[0] == '\0')
		return;
	c->reply->headers[1].name = kind_of(c)->digest;
	(void)snprintf(c->reply->headers[1].value, 128, "%s", o->digest);
}

static void
keep(struct call *c, const char *key, const struct buf *lines)
{
	struct object *o = xcalloc(1, sizeof(*o));
	unsigned char digest[64];
	unsigned int n;

	digest_of(&c->rq->body, EVP_md5(), digest, &n);
	o->etag[0] = '"';
	text_hex(o->etag + 1, digest, n);
	o->etag[33] = '"';
	(void)snprintf(o->digest, sizeof(o->digest), "%s",
	    recv_header(c->rq, kind_of(c)->digest));
	o->key = xstrdup(key);
	o->next = c->place->state;
	c->place->state = o;
	if (strstr(key, "sealfeed-check") == NULL)
		for (size_t i = 0, len; i < lines->len; i += len + 1) {
			len = strcspn(lines->data + i, "\n");
			place_store_line(c, lines->data + i, len);
		}
	reply_text(c, kind_of(c)->stored, "%s", "");
	tell(c, o);
}

/* The lines of an object; what is wrong with it, or NULL. */
static const char *
read_lines(struct call *c, const char *key, struct buf *lines)
{
	size_t n = strlen(key);

	if (n > 3 && strcmp(key + n - 3, ".gz") == 0)
		return recv_unpack(&c->rq->body, lines);
	return buf_add(lines, c->rq->body.data == NULL ? "" : c->rq->body.data,
		   c->rq->body.len) == 0
	    ? NULL
	    : "too large";
}

/* Has the body the MD5 that a header says? */
static bool
is_md5(const struct call *c)
{
	const char *sum = recv_header(c->rq, "Content-MD5");
	struct buf text = BUF_INIT(64);
	unsigned char digest[64];
	unsigned int n;
	bool good;

	if (strncmp(recv_header(c->rq, "x-goog-hash"), "md5=", 4) == 0)
		sum = recv_header(c->rq, "x-goog-hash") + 4;
	digest_of(&c->rq->body, EVP_md5(), digest, &n);
	good = sum[0] == '\0' ||
	    (text_base64(&text, digest, n) == 0 && strcmp(text.data, sum) == 0);
	buf_release(&text);
	return good;
}

static void
put(struct call *c, const char *key)
{
	const char *sum = recv_header(c->rq, "x-amz-checksum-sha256");
	struct buf text = BUF_INIT(64), lines = BUF_INIT(RECV_BODY_MAX);
	unsigned char digest[64];
	unsigned int n;
	const struct kind *k = kind_of(c);
	const char *why;

	digest_of(&c->rq->body, EVP_sha256(), digest, &n);
	if (text_base64(&text, digest, n) != 0)
		recv_die("no digest");
	why = read_lines(c, key, &lines);
	if (why == NULL && !is_md5(c))
		why = "md5";
	if (sum[0] != '\0' && strcmp(sum, text.data) != 0)
		refuse(c, 400, "BadDigest", "The checksum does not match.");
	else if (why != NULL || is_poison(c, lines.data, lines.len))
		refuse(c, 400, "InvalidRequest", why == NULL ? "poison" : why);
	else if (strcmp(recv_header(c->rq, k->guard), k->guard_value) == 0 &&
	    find(c, key) != NULL)
		refuse(c, k->there, k->there_code,
		    "At least one of the pre-conditions you specified did not "
		    "hold");
	else
		keep(c, key, &lines);
	buf_release(&text);
	buf_release(&lines);
}

static void
get(struct call *c, const char *key)
{
	const struct object *o = find(c, key);

	if (o == NULL) {
		refuse(c, 404, "NoSuchKey",
		    "The specified key does not exist.");
		return;
	}
	reply_text(c, 206, "%s", "{");
	tell(c, o);
}

/* Somebody else's object. */
static void
occupy(struct call *c)
{
	char *key = place_option(c->place, "occupied", "");

	if (key[0] != '\0' && find(c, key) == NULL) {
		struct object *o = xcalloc(1, sizeof(*o));

		o->key = xstrdup(key);
		(void)snprintf(o->etag, sizeof(o->etag), "\"7\"");
		o->next = c->place->state;
		c->place->state = o;
	}
	free(key);
}

static void
take(struct call *c)
{
	char *bucket = place_option(c->place, "bucket", "m365");
	size_t n = strlen(bucket);

	occupy(c);
	for (size_t i = 0; kind_of(c)->needed[i] != NULL; i++)
		if (recv_header(c->rq, kind_of(c)->needed[i])[0] == '\0')
			refuse(c, 400, "MissingRequiredHeader",
			    kind_of(c)->needed[i]);
	if (c->reply->status != 0 || !kind_of(c)->authorized(c))
		;
	else if (strncmp(c->path + 1, bucket, n) != 0 || c->path[n + 1] != '/')
		refuse(c, 404, "NoSuchBucket",
		    "The specified bucket does not exist");
	else if (strcmp(c->rq->method, "PUT") == 0)
		put(c, c->path + n + 2);
	else if (strcmp(c->rq->method, "GET") == 0)
		get(c, c->path + n + 2);
	else
		refuse(c, 405, "MethodNotAllowed", "PUT and GET only");
	free(bucket);
}

const struct intake_kind intake_azure_blob = { .name = "azure-blob",
	.take = take };
const struct intake_kind intake_gcs = { .name = "gcs", .take = take };
const struct intake_kind intake_s3 = { .name = "s3", .take = take };

static const struct kind *
kind_of(const struct call *c)
{
	static const struct kind azure = { "x-ms-meta-sealfeed_sha256",
		"If-None-Match", "*", 409, "BlobAlreadyExists", 201,
		{ "x-ms-version", "x-ms-date", NULL }, authorized_token },
				 gcs = { "x-goog-meta-sealfeed-sha256",
					 "x-goog-if-generation-match", "0", 412,
					 "PreconditionFailed", 200, { NULL },
					 authorized_token },
				 s3 = { "x-amz-meta-sealfeed-sha256",
					 "If-None-Match", "*", 412,
					 "PreconditionFailed", 200, { NULL },
					 authorized_aws };

	return c->place->kind == &intake_azure_blob ? &azure
	    : c->place->kind == &intake_gcs         ? &gcs
						    : &s3;
}
