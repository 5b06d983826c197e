/*
 * digest.c - SHA-256 with OpenSSL's EVP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/digest.h"
#include "base/mem.h"

/* Up to this length, that of a tree node, a copy is cheaper than a second
 * call. */
#define SHORT 128

struct digest {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

/* Without SHA-256 nothing can be promised; the supervisor tries again. */
static void
die(void)
{
	(void)fprintf(stderr, "<2>sealfeed: OpenSSL: SHA-256 failed\n");
	_Exit(71); /* EX_OSERR */
}

struct digest *
digest_new(void)
{
	struct digest *d = xmalloc(sizeof(*d));

	d->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	d->ctx = EVP_MD_CTX_new();
	if (d->md == NULL || d->ctx == NULL ||
	    EVP_DigestInit_ex2(d->ctx, d->md, NULL) != 1)
		die();
	return d;
}

void
digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->ctx);
	EVP_MD_free(d->md);
	free(d);
}

void
digest_sha256(struct digest *d, const void *prefix, size_t prefix_len,
    const void *data, size_t len, uint8_t *out)
{
	uint8_t both[SHORT];

	if (prefix_len > 0 && len > 0 && len <= SHORT &&
	    prefix_len <= SHORT - len) {
		memcpy(both, prefix, prefix_len);
		memcpy(both + prefix_len, data, len);
		data = both;
		len += prefix_len;
		prefix_len = 0;
	}
	/* Without a type: the context keeps the one that it has. */
	if (EVP_DigestInit_ex2(d->ctx, NULL, NULL) != 1 ||
	    (prefix_len > 0 &&
		EVP_DigestUpdate(d->ctx, prefix, prefix_len) != 1) ||
	    (len > 0 && EVP_DigestUpdate(d->ctx, data, len) != 1) ||
	    EVP_DigestFinal_ex(d->ctx, out, NULL) != 1)
		die();
}
