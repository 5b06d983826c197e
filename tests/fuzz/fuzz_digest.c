/*
 * fuzz_digest.c - any bytes as a digest of CloudTrail's, as its signature, and
 * as the list of keys that it may be signed with.  No signature is good but one
 * that was made of these very words.
 */
#include <string.h>

#include <openssl/rsa.h>

#include "tests/fuzz/fuzz.h"

/* What reads them is the module's own: with its file here, the library's is
 * not linked. */
#include "sources/aws/digest.c"

#define MAX ((size_t)1 << 20)
#define FINGERPRINT "f1"

static EVP_PKEY *pair;
static char *keys; /* the list that has its public half */

static void
begin(void)
{
	struct buf list = BUF_INIT(MAX);
	unsigned char *der = NULL;
	int n;

	pair = EVP_RSA_gen(1024);
	FUZZ_CHECK(pair != NULL);
	n = i2d_PublicKey(pair, &der);
	FUZZ_CHECK(n > 0 &&
	    buf_adds(&list,
		"[{\"Fingerprint\":\"" FINGERPRINT "\",\"Value\":\"") == 0 &&
	    text_base64(&list, der, (size_t)n) == 0 &&
	    buf_adds(&list, "\"}]") == 0);
	OPENSSL_free(der);
	keys = buf_take(&list, NULL);
}

/* What the signature of a digest is over, by the book: digest.c's own words are
 * what is tested. */
static void
sign(const json_t *top, struct digest_file *f)
{
	const char *before = text(top, "previousDigestSignature");
	char *words = xasprintf("%s\n%s/%s\n%s\n%s", text(top, "digestEndTime"),
	    text(top, "digestS3Bucket"), text(top, "digestS3Object"), f->hash,
	    *before != '\0' ? before : "null");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[SIGNATURE_MAX];
	size_t len = sizeof(signature);

	FUZZ_CHECK(ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pair) == 1 &&
	    EVP_DigestSign(ctx, signature, &len, (const uint8_t *)words,
		strlen(words)) == 1);
	text_hex(f->signature, signature, len);
	EVP_MD_CTX_free(ctx);
	free(words);
}

static void
as_digest(const char *s, size_t len, EVP_PKEY *key)
{
	struct digest_file f = { .top = len > 0 ? json_loadb(s, len, 0, NULL)
						: NULL };

	if (!json_is_object(f.top)) {
		json_decref(f.top);
		return;
	}
	sha256(s, len, f.hash);
	FUZZ_CHECK(!is_signed(&f, key));
	sign(f.top, &f);
	FUZZ_CHECK(is_signed(&f, key));
	f.hash[0] ^= 1;
	FUZZ_CHECK(!is_signed(&f, key));
	json_decref(f.top);
}

/* A header's value ends at its first NUL. */
static void
as_signature(const char *s, size_t len, EVP_PKEY *key)
{
	struct digest_file f = { .top = json_object() };

	if (len >= sizeof(f.signature))
		len = sizeof(f.signature) - 1;
	memcpy(f.signature, s, len);
	FUZZ_CHECK(!is_signed(&f, key));
	json_decref(f.top);
}

static void
as_keys(const char *s, size_t len)
{
	json_t *list = len > 0 ? json_loadb(s, len, 0, NULL) : NULL;
	struct buf der = BUF_INIT(MAX);
	json_t *entry;

	EVP_PKEY_free(pick_key(list, FINGERPRINT));
	json_decref(list);
	/* And as a key's bytes. */
	FUZZ_CHECK(text_base64(&der, s, len) == 0);
	entry = json_pack("[{s:s,s:s}]", "Fingerprint", FINGERPRINT, "Value",
	    der.data != NULL ? der.data : "");
	EVP_PKEY_free(pick_key(entry, FINGERPRINT));
	json_decref(entry);
	buf_release(&der);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = size > 0 ? (const char *)data : "";
	json_t *list;
	EVP_PKEY *key;

	if (pair == NULL)
		begin();
	list = json_loads(keys, 0, NULL);
	key = pick_key(list, FINGERPRINT);
	FUZZ_CHECK(key != NULL && pick_key(list, "f2") == NULL);
	as_digest(s, size, key);
	as_signature(s, size, key);
	as_keys(s, size);
	EVP_PKEY_free(key);
	json_decref(list);
	return 0;
}
