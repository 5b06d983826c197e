/*
 * aws_sign.c - Signature Version 4.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/secret.h"
#include "http/aws_sign.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define CANONICAL_MAX (512 * 1024)
/* Of a query, and headers that are signed: more are not sent. */
#define PAIRS_MAX 64

void
aws_key_release(struct aws_key *k)
{
	free(k->id);
	secret_free(k->secret);
	secret_free(k->token);
	*k = (struct aws_key){ .id = NULL };
}

void
aws_signature_release(struct aws_signature *s)
{
	for (size_t i = 0; i < AWS_HEADERS; i++)
		secret_free(s->values[i]);
	*s = (struct aws_signature){ .headers = { { NULL, NULL } } };
}

static int
encode(struct buf *out, struct slice text, const char *also)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (size_t i = 0; i < text.len; i++) {
		const char c = text.data[i];
		int rc;

		if (c != '\0' &&
		    (strchr(plain, c) != NULL || strchr(also, c) != NULL))
			rc = buf_add(out, &c, 1);
		else
			rc = buf_addf(out, "%%%02X", (unsigned char)c);
		if (rc != 0)
			return -1;
	}
	return 0;
}

int
aws_encode(struct buf *out, const char *text, bool path)
{
	return encode(out, (struct slice){ text, strlen(text) },
	    path ? "/" : "");
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Append text without its percent-encoding, then encoded as AWS does. */
static int
encode_again(struct buf *out, struct slice text, const char *also)
{
	char *plain = xmalloc(text.len + 1);
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < text.len; i++) {
		const char *s = text.data + i;

		if (*s == '%' && text.len - i > 2 && digit(s[1]) >= 0 &&
		    digit(s[2]) >= 0) {
			plain[n++] = (char)(digit(s[1]) * 16 + digit(s[2]));
			i += 2;
		} else {
			plain[n++] = *s;
		}
	}
	rc = encode(out, (struct slice){ plain, n }, also);
	free(plain);
	return rc;
}

/* The parts of a URL, which point into it. */
struct parts {
	struct slice host; /* as the header Host has it */
	struct slice path;
	struct slice query;
};

static int
split(const char *url, struct parts *p)
{
	const char *s = strstr(url, "://");
	const char *usual;
	size_t len;

	if (s == NULL)
		return -1;
	s += 3;
	len = strcspn(s, "/?#");
	p->host = (struct slice){ s, len };
	usual = strncasecmp(url, "https:", 6) == 0 ? ":443" : ":80";
	if (len > strlen(usual) &&
	    strncmp(s + len - strlen(usual), usual, strlen(usual)) == 0)
		p->host.len -= strlen(usual);
	s += len;
	len = strcspn(s, "?#");
	p->path = len > 0 ? (struct slice){ s, len } : (struct slice){ "/", 1 };
	s += len;
	len = *s == '?' ? strcspn(++s, "#") : 0;
	p->query = (struct slice){ s, len };
	return p->host.len > 0 ? 0 : -1;
}

/* Append path without "." and "..", and with one slash for several (RFC 3986
 * section 5.2.4). */
static int
normalise(struct buf *out, struct slice path)
{
	const char *s = path.data, *end = s + path.len;
	bool dir = false;

	while (s < end) {
		const char *from = s, *slash;

		while (from < end && *from == '/')
			from++;
		slash = memchr(from, '/', (size_t)(end - from));
		s = slash != NULL ? slash : end;
		dir = from == s;
		if (s - from == 1 && *from == '.') {
			dir = true;
		} else if (s - from == 2 && memcmp(from, "..", 2) == 0) {
			while (out->len > 0 && out->data[--out->len] != '/')
				;
			dir = true;
		} else if (!dir &&
		    (buf_adds(out, "/") != 0 ||
			buf_add(out, from, (size_t)(s - from)) != 0)) {
			return -1;
		}
	}
	return dir || out->len == 0 ? buf_adds(out, "/") : 0;
}

/* Of S3 objects a path is a name, encoded once; elsewhere it is normalised, and
 * encoded as it stands in the URL, so twice. */
static int
add_path(struct buf *out, const struct aws_request *r, struct slice path)
{
	struct buf normal = BUF_INIT(CANONICAL_MAX);
	int rc;

	if (strcmp(r->service, "s3") == 0)
		return encode_again(out, path, "/");
	rc = normalise(&normal, path);
	if (rc == 0)
		rc =
		    encode(out, (struct slice){ normal.data, normal.len }, "/");
	buf_release(&normal);
	return rc;
}

/* A parameter of the query or a header, in its canonical form. */
struct pair {
	char *name;
	char *value;
};

struct pairs {
	struct pair list[PAIRS_MAX];
	size_t n;
};

static void
pairs_release(struct pairs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->list[i].name);
		free(p->list[i].value);
	}
}

static int
by_name(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : strcmp(x->value, y->value);
}

static char *
encoded(struct slice text)
{
	struct buf out = BUF_INIT(CANONICAL_MAX);

	if (buf_adds(&out, "") != 0 || encode_again(&out, text, "") != 0)
		buf_clear(&out);
	return buf_take(&out, NULL);
}

static int
add_query(struct buf *out, struct slice query)
{
	struct pairs p = { .n = 0 };
	const char *s = query.data, *end = s + query.len;
	int rc = 0;

	while (s < end && p.n < PAIRS_MAX) {
		const char *stop = memchr(s, '&', (size_t)(end - s));
		const char *equal;

		if (stop == NULL)
			stop = end;
		equal = memchr(s, '=', (size_t)(stop - s));
		if (equal == NULL)
			equal = stop;
		p.list[p.n].name =
		    encoded((struct slice){ s, (size_t)(equal - s) });
		if (equal < stop)
			equal++;
		p.list[p.n++].value =
		    encoded((struct slice){ equal, (size_t)(stop - equal) });
		s = stop < end ? stop + 1 : end;
	}
	qsort(p.list, p.n, sizeof(p.list[0]), by_name);
	for (size_t i = 0; i < p.n && rc == 0; i++)
		rc = buf_addf(out, "%s%s=%s", i > 0 ? "&" : "", p.list[i].name,
		    p.list[i].value);
	pairs_release(&p);
	return s < end ? -1 : rc;
}

/* A header in its canonical form: the name in lower case, the value without
 * white space around it, and with one space where it has several. */
static void
add_header(struct pairs *p, const char *name, const char *value, size_t len)
{
	struct pair *h = &p->list[p->n++];
	size_t n = 0;

	h->name = xstrdup(name);
	for (char *c = h->name; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c |= 0x20;
	h->value = xmalloc(len + 1);
	for (size_t i = 0; i < len; i++)
		if (value[i] != ' ' || (n > 0 && h->value[n - 1] != ' '))
			h->value[n++] = value[i];
	while (n > 0 && h->value[n - 1] == ' ')
		n--;
	h->value[n] = '\0';
}

static void
hex_sha256(const char *data, size_t len, char out[2 * DIGEST_LEN + 1])
{
	struct digest *d = digest_new();
	uint8_t hash[DIGEST_LEN];

	digest_sha256(d, NULL, 0, data, len, hash);
	digest_free(d);
	text_hex(out, hash, DIGEST_LEN);
}

static void
hmac(const uint8_t *key, size_t key_len, const char *text,
    uint8_t out[DIGEST_LEN])
{
	if (HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text,
		strlen(text), out, NULL) == NULL)
		mem_gone();
}

/* The signature of a text, whose scope is "DAY/REGION/SERVICE/aws4_request". */
static void
make_signature(const char *secret, const struct aws_request *r, const char *day,
    const char *text, char out[2 * DIGEST_LEN + 1])
{
	const char *parts[] = { day, r->region, r->service, "aws4_request" };
	char *first = xasprintf("AWS4%s", secret);
	uint8_t key[DIGEST_LEN];

	hmac((const uint8_t *)first, strlen(first), parts[0], key);
	for (size_t i = 1; i < sizeof(parts) / sizeof(parts[0]); i++) {
		uint8_t next[DIGEST_LEN];

		hmac(key, sizeof(key), parts[i], next);
		memcpy(key, next, sizeof(key));
	}
	hmac(key, sizeof(key), text, key);
	text_hex(out, key, DIGEST_LEN);
	explicit_bzero(key, sizeof(key));
	secret_free(first);
}

/* Append the canonical request, and to names what is signed of its headers. */
static int
canonical(const struct aws_request *r, const struct parts *u,
    const struct pairs *h, const char *hash, struct buf *out, struct buf *names)
{
	if (buf_addf(out, "%s\n", r->method) != 0 ||
	    add_path(out, r, u->path) != 0 || buf_adds(out, "\n") != 0 ||
	    add_query(out, u->query) != 0 || buf_adds(out, "\n") != 0)
		return -1;
	for (size_t i = 0; i < h->n; i++)
		if (buf_addf(out, "%s:%s\n", h->list[i].name,
			h->list[i].value) != 0 ||
		    buf_addf(names, "%s%s", i > 0 ? ";" : "",
			h->list[i].name) != 0)
			return -1;
	return buf_addf(out, "\n%s\n%s", names->data, hash);
}

/* Let the signature have a header of its own. */
static void
put(struct aws_signature *s, struct pairs *h, const char *name,
    const char *value)
{
	size_t n = 0;

	while (s->headers[n].name != NULL)
		n++;
	s->values[n] = xstrdup(value);
	s->headers[n] =
	    (struct http_pair){ .name = name, .value = s->values[n] };
	if (h != NULL)
		add_header(h, name, value, strlen(value));
}

/* "20150830T123600Z" */
#define STAMP 17
static void
stamp(int64_t now, char out[STAMP])
{
	char text[CLOCK_TEXT];

	(void)clock_format(now, 0, text);
	(void)snprintf(out, STAMP, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", text, text + 5,
	    text + 8, text + 11, text + 14, text + 17);
}

/* Sign what is in canonical form. */
static int
finish(const struct aws_request *r, const struct aws_key *key, const char *when,
    const struct buf *request, const char *names, struct aws_signature *out)
{
	char hash[2 * DIGEST_LEN + 1], signature[2 * DIGEST_LEN + 1], day[9];
	char *scope, *text, *value;

	(void)snprintf(day, sizeof(day), "%.8s", when);
	scope = xasprintf("%s/%s/%s/aws4_request", day, r->region, r->service);
	hex_sha256(request->data, request->len, hash);
	text = xasprintf(ALGORITHM "\n%s\n%s\n%s", when, scope, hash);
	make_signature(key->secret, r, day, text, signature);
	value = xasprintf(ALGORITHM
	    " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
	    key->id, scope, names, signature);
	put(out, NULL, "Authorization", value);
	free(scope);
	free(text);
	free(value);
	return 0;
}

int
aws_sign(const struct aws_request *r, const struct aws_key *key,
    struct aws_signature *out, struct err *err)
{
	struct buf request = BUF_INIT(CANONICAL_MAX);
	struct buf names = BUF_INIT(CANONICAL_MAX);
	struct pairs h = { .n = 0 };
	char hash[2 * DIGEST_LEN + 1], when[STAMP];
	struct parts u;
	int rc = -1;

	*out = (struct aws_signature){ .headers = { { NULL, NULL } } };
	if (split(r->url, &u) != 0)
		return err_set(err, "%s: not an absolute URL", r->url);
	hex_sha256(r->body != NULL ? r->body : "", r->len, hash);
	stamp(r->now, when);
	add_header(&h, "host", u.host.data, u.host.len);
	for (const struct http_pair *p = r->headers;
	     p != NULL && p->name != NULL && h.n < PAIRS_MAX - AWS_HEADERS; p++)
		add_header(&h, p->name, p->value, strlen(p->value));
	put(out, &h, "X-Amz-Date", when);
	/* Others than S3 and OpenSearch Serverless look at the body itself. */
	if (strcmp(r->service, "s3") == 0 || strcmp(r->service, "aoss") == 0)
		put(out, &h, "X-Amz-Content-Sha256", hash);
	if (key->token != NULL)
		put(out, &h, "X-Amz-Security-Token", key->token);
	qsort(h.list, h.n, sizeof(h.list[0]), by_name);
	if (canonical(r, &u, &h, hash, &request, &names) == 0)
		rc = finish(r, key, when, &request, names.data, out);
	else
		(void)err_set(err, "%.*s: the request is too long to be signed",
		    (int)strcspn(r->url, "?"), r->url);
	if (rc != 0)
		aws_signature_release(out);
	if (request.data != NULL)
		explicit_bzero(request.data, request.len);
	pairs_release(&h);
	buf_release(&request);
	buf_release(&names);
	return rc;
}
