/*
 * key.c - keys that sign and keys that verify.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/openssl.h"
#include "base/text.h"
#include "config/secret.h"
#include "evidence/key.h"
#include "evidence/token.h"
#include "evidence/tpm.h"

struct signer {
	char *name;
	EVP_PKEY *key;       /* NULL: it is in token */
	struct token *token; /* NULL: it is in key */
	struct tpm *tpm;     /* that does what key is asked for; NULL: none */
	struct public_key public;
	uint8_t id[KEY_ID_LEN];
	char *rotations; /* "" where there are none */
};

/* Keys are read by services: a passphrase is never asked for. */
static int
no_passphrase(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static bool
name_is_good(const char *name, size_t len)
{
	if (len == 0 || len >= sizeof(((struct verifier *)NULL)->name))
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '+')
			return false;
	return true;
}

bool
signer_is_uri(const char *text)
{
	size_t n = strspn(text,
	    "abcdefghijklmnopqrstuvwxyz0123456789+.-"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return n >= 2 && text[n] == ':';
}

bool
signer_is_elsewhere(const char *text)
{
	return signer_is_uri(text) || tpm_has(text);
}

static EVP_PKEY *
key_from_pem(const char *pem, const struct tpm *tpm)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey_ex(bio, NULL, no_passphrase, NULL,
		    tpm_context(tpm), tpm_properties(tpm));
	BIO_free(bio);
	return key;
}

static EVP_PKEY *
key_from_uri(const char *uri, const struct tpm *tpm)
{
	OSSL_STORE_CTX *store;
	EVP_PKEY *key = NULL;

	store = OSSL_STORE_open_ex(uri, tpm_context(tpm), tpm_properties(tpm),
	    UI_null(), NULL, NULL, NULL, NULL);
	if (store == NULL)
		return NULL;
	(void)OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
	while (key == NULL && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info == NULL) {
			if (OSSL_STORE_error(store))
				break;
			continue;
		}
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			key = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	(void)OSSL_STORE_close(store);
	return key;
}

/* The notes behind the key in its file, whose last LF may have been dropped. */
static char *
rotations_of(const char *pem)
{
	const char *at = strstr(pem, "\n" KEY_ROTATION_TITLE);
	size_t len = at == NULL ? 0 : strlen(++at);

	if (len == 0 || len >= KEY_ROTATIONS_MAX)
		return xstrdup("");
	return xasprintf("%s%s", at, at[len - 1] == '\n' ? "" : "\n");
}

/* Say why there is no such key in a text that should be PEM; returns -1. */
static int
pem_unread(const char *text, const char *kind, struct err *err)
{
	const char *reason = openssl_reason();

	if (strstr(text, "KEY-----") == NULL)
		return err_set(err,
		    "no %s is in it, which begins with a line -----BEGIN %s "
		    "KEY-----",
		    kind, kind[1] == 'r' ? "PRIVATE" : "PUBLIC");
	if (strstr(text, "ENCRYPTED") != NULL)
		return err_set(err,
		    "the %s in it is encrypted with a passphrase, for which "
		    "nobody can be asked; decrypt it with \"openssl pkey\", "
		    "and let none but the agent read it",
		    kind);
	return err_set(err,
	    "the %s in it is cut off or damaged (%s); take it from its backup",
	    kind, reason);
}

/* A URI of PKCS#11 is OpenSSL's where it has a provider for it. */
static int
open_key(struct signer *s, const char *text, struct err *err)
{
	const bool uri = signer_is_uri(text);

	if (tpm_has(text)) {
		s->tpm = tpm_open(err);
		if (s->tpm == NULL)
			return -1;
	}
	s->key = uri ? key_from_uri(text, s->tpm) : key_from_pem(text, s->tpm);
	if (s->key != NULL)
		return public_of(s->key, &s->public, err);
	if (!uri)
		return pem_unread(text, "private key", err);
	if (strncmp(text, TOKEN_SCHEME, strlen(TOKEN_SCHEME)) != 0)
		return err_set(err,
		    "OpenSSL finds no private key by this URI (%s); see that "
		    "it is right, and that OpenSSL has the provider for its "
		    "scheme",
		    openssl_reason());
	ERR_clear_error();
	s->token = token_open(text, &s->public, err);
	return s->token != NULL ? 0 : -1;
}

/* The URI alone, where notes stand behind it; PEM ends by itself. */
static int
open_first(struct signer *s, const char *text, struct err *err)
{
	char *uri;
	int rc;

	if (!signer_is_uri(text))
		return open_key(s, text, err);
	uri = xstrndup(text, strcspn(text, "\r\n"));
	rc = open_key(s, uri, err);
	OPENSSL_cleanse(uri, strlen(uri));
	free(uri);
	return rc;
}

void
signer_free(struct signer *s)
{
	if (s == NULL)
		return;
	EVP_PKEY_free(s->key);
	token_free(s->token);
	tpm_free(s->tpm);
	free(s->rotations);
	free(s->name);
	free(s);
}

int
signer_generate(const struct key_kind *kind, struct buf *pem, struct err *err)
{
	EVP_PKEY *key =
	    EVP_PKEY_Q_keygen(NULL, NULL, kind->algorithm, kind->group);
	BIO *bio = BIO_new(BIO_s_secmem());
	char *data;
	long len;
	int rc = -1;

	if (key == NULL || bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL,
		NULL) != 1) {
		(void)err_set(err, "OpenSSL creates no key: %s",
		    openssl_reason());
		goto out;
	}
	len = BIO_get_mem_data(bio, &data);
	if (len <= 0 || buf_add(pem, data, (size_t)len) == -1)
		(void)err_set(err, "the new key does not fit its buffer");
	else
		rc = 0;
out:
	BIO_free(bio);
	EVP_PKEY_free(key);
	return rc;
}

int
signer_vkey(const struct signer *s, struct buf *out, struct err *err)
{
	uint8_t typed[1 + KEY_LEN_MAX];
	char hex[2 * KEY_ID_LEN + 1];

	typed[0] = (uint8_t)s->public.type;
	memcpy(typed + 1, s->public.data, s->public.len);
	text_hex(hex, s->id, KEY_ID_LEN);
	if (buf_addf(out, "%s+%s+", s->name, hex) == -1 ||
	    text_base64(out, typed, 1 + s->public.len) == -1)
		return err_set(err, "the verifier key does not fit its buffer");
	return 0;
}

const char *
signer_name(const struct signer *s)
{
	return s->name;
}

const uint8_t *
signer_id(const struct signer *s)
{
	return s->id;
}

const char *
signer_rotations(const struct signer *s)
{
	return s->rotations;
}

/* By OpenSSL, whoever does it for it. */
static int
sign(const struct signer *s, const char *data, size_t len,
    struct signature *out, struct err *err)
{
	const char *digest = key_kind(s->public.type)->digest;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = 0;

	out->len = sizeof(out->data);
	if (ctx == NULL ||
	    EVP_DigestSignInit_ex(ctx, NULL, digest, tpm_context(s->tpm),
		tpm_properties(s->tpm), s->key, NULL) != 1 ||
	    EVP_DigestSign(ctx, out->data, &out->len,
		(const unsigned char *)data, len) != 1)
		rc = err_set(err,
		    "the key does not sign (%s); see that what holds it is "
		    "there and lets this user sign",
		    openssl_reason());
	EVP_MD_CTX_free(ctx);
	return rc;
}

int
signer_sign(const struct signer *s, const char *data, size_t len,
    struct signature *signature, struct err *err)
{
	int rc = s->token != NULL
	    ? token_sign(s->token, data, len, signature, err)
	    : sign(s, data, len, signature, err);

	if (rc == 0 && public_tidy(&s->public, signature) != 0)
		rc = err_set(err, "what the key signs is no signature of %s",
		    key_kind(s->public.type)->name);
	return rc;
}

/* A file that was damaged, or a token with halves of two keys, signs what
 * nobody can check. */
static int
try_key(const struct signer *s, struct err *err)
{
	static const char text[] = "sealfeed tries its key\n";
	struct signature signature;

	if (signer_sign(s, text, strlen(text), &signature, err) != 0)
		return -1;
	if (public_check(&s->public, signature.data, signature.len, text,
		strlen(text)))
		return 0;
	return err_set(err,
	    "the private key and its public half do not belong together; take "
	    "the key from its backup");
}

struct signer *
signer_open(const char *name, const char *text, struct err *err)
{
	struct signer *s = xcalloc(1, sizeof(*s));

	s->name = xstrdup(name);
	if (!name_is_good(name, strlen(name))) {
		(void)err_set(err,
		    "\"%s\" cannot name a signing key: use printable ASCII "
		    "without spaces and \"+\"",
		    name);
		goto bad;
	}
	if (open_first(s, text, err) != 0 || try_key(s, err) != 0)
		goto bad;
	public_id(&s->public, s->name, s->id);
	s->rotations = rotations_of(text);
	return s;
bad:
	signer_free(s);
	return NULL;
}

struct signer *
signer_load(const char *name, const char *key, struct err *err)
{
	char *text = secret_resolve_pem(key, err);
	struct signer *s = NULL;

	if (text != NULL) {
		s = signer_open(name, text, err);
		if (s == NULL)
			(void)secret_blame(key, err);
	}
	secret_free(text);
	return s;
}

bool
verifier_check(const struct verifier *v, const uint8_t *signature, size_t n,
    const char *data, size_t len)
{
	return public_check(&v->key, signature, n, data, len);
}

bool
verifier_is(const struct verifier *v, const char *name,
    const uint8_t id[KEY_ID_LEN])
{
	uint8_t own[KEY_ID_LEN];

	if (!v->any_name)
		return strcmp(v->name, name) == 0 &&
		    memcmp(v->id, id, KEY_ID_LEN) == 0;
	public_id(&v->key, name, own);
	return memcmp(own, id, KEY_ID_LEN) == 0;
}

static int
parse_vkey(const char *s, size_t len, struct verifier *v)
{
	const char *end = s + len;
	const char *hash = memchr(s, '+', len);
	struct buf raw = BUF_INIT(2 * KEY_LEN_MAX);
	char hex[2 * KEY_ID_LEN + 1];
	int rc = -1;

	if (hash == NULL || !name_is_good(s, (size_t)(hash - s)) ||
	    end - hash < 2 * KEY_ID_LEN + 2 || hash[2 * KEY_ID_LEN + 1] != '+')
		return -1;
	*v = (struct verifier){ .any_name = false };
	memcpy(v->name, s, (size_t)(hash - s));
	s = hash + 2 * KEY_ID_LEN + 2;
	if (text_unbase64(&raw, s, (size_t)(end - s)) == 0 &&
	    public_parse((const uint8_t *)raw.data, raw.len, &v->key) == 0) {
		public_id(&v->key, v->name, v->id);
		text_hex(hex, v->id, KEY_ID_LEN);
		if (memcmp(hex, hash + 1, 2 * KEY_ID_LEN) == 0)
			rc = 0;
	}
	buf_release(&raw);
	return rc;
}

static int
parse_pem(const char *text, struct verifier *v, struct err *err)
{
	const bool private = strstr(text, "PRIVATE KEY-----") != NULL;
	BIO *bio = BIO_new_mem_buf(text, -1);
	EVP_PKEY *key = NULL;
	int rc;

	if (private)
		key = key_from_pem(text, NULL);
	else if (bio != NULL)
		key = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
	*v = (struct verifier){ .any_name = true };
	if (key == NULL)
		rc = pem_unread(text, private ? "private key" : "public key",
		    err);
	else
		rc = public_of(key, &v->key, err);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return rc;
}

int
verifier_parse(const char *text, struct verifier *v, struct err *err)
{
	const char *line = text;

	if (strstr(text, "-----BEGIN ") != NULL)
		return parse_pem(text, v, err);
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");
		size_t skip = strspn(line, " \t");
		size_t used = len;

		while (used > skip && strchr(" \t\r", line[used - 1]) != NULL)
			used--;
		if (skip < used && parse_vkey(line + skip, used - skip, v) == 0)
			return 0;
		line += len + (line[len] == '\n');
	}
	return err_set(err,
	    "neither a verifier key (NAME+HASH+KEY, as "
	    "`sealfeed keygen` prints it) nor a key in PEM");
}
