/*
 * token.c - a key in a PKCS#11 token.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "evidence/public.h"
#include "evidence/token.h"

#ifdef HAVE_GNUTLS

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/pkcs11.h>

#include "base/late.h"
#include "base/mem.h"

#define FUNCTIONS(EACH)              \
	EACH(global_deinit)          \
	EACH(global_init)            \
	EACH(pkcs11_add_provider)    \
	EACH(pkcs11_deinit)          \
	EACH(pkcs11_init)            \
	EACH(privkey_deinit)         \
	EACH(privkey_import_url)     \
	EACH(privkey_init)           \
	EACH(privkey_sign_data2)     \
	EACH(pubkey_deinit)          \
	EACH(pubkey_export_ecc_raw2) \
	EACH(pubkey_import_privkey)  \
	EACH(pubkey_init)            \
	EACH(strerror)

#define NAME(name) "gnutls_" #name,
#define MEMBER(name) __typeof__(gnutls_##name) *name;

static const char *const names[] = { FUNCTIONS(NAME) };

static union {
	struct {
		FUNCTIONS(MEMBER)
	} call;
	void *any[sizeof(names) / sizeof(names[0])];
} library;

static struct late_library late = {
	.file = LIBGNUTLS_FILE,
	.names = names,
	.functions = library.any,
	.n = sizeof(names) / sizeof(names[0]),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

struct token {
	gnutls_privkey_t key;
	gnutls_sign_algorithm_t algorithm;
};

/* what: to be followed by the reason in brackets, and then by the remedy. */
static int
failed(struct err *err, const char *what, int rc, const char *remedy)
{
	const char *why = library.call.strerror(rc);

	return err_set(err, "%s (%.*s); %s", what, (int)strcspn(why, "."), why,
	    remedy);
}

/* The value of module-path in the URI, as a text of the caller's; NULL: it has
 * none. */
static char *
module_of(const char *uri)
{
	static const char key[] = "module-path=";
	const char *at = strstr(uri, key);

	if (at == NULL)
		return NULL;
	at += strlen(key);
	return xstrndup(at, strcspn(at, "&;"));
}

/* The URI with the plain path of the PIN's file, of which p11-kit knows no
 * other form; the caller frees it, wiped. */
static char *
plain_source(const char *uri)
{
	static const char key[] = "pin-source=file:";
	char *copy = xstrdup(uri), *at = strstr(copy, key), *path;

	if (at == NULL)
		return copy;
	path = at + strlen(key);
	if (strncmp(path, "//", 2) == 0)
		path += 2;
	at += strlen(key) - strlen("file:");
	memmove(at, path, strlen(path) + 1);
	return copy;
}

/* Load the modules: 0 or -1. */
static int
load_modules(const char *uri, struct err *err)
{
	char *module = module_of(uri);
	int rc =
	    library.call.pkcs11_init(module != NULL ? GNUTLS_PKCS11_FLAG_MANUAL
						    : GNUTLS_PKCS11_FLAG_AUTO,
		NULL);

	if (rc == 0 && module != NULL)
		rc = library.call.pkcs11_add_provider(module, NULL);
	free(module);
	return rc == 0 ? 0
		       : failed(err, "the PKCS#11 module cannot be loaded", rc,
			     "see that it is installed, and that "
			     "the URI's module-path is right");
}

/* A number of the key, in so many bytes: 0, or -1 and it is larger. */
static int
number_of(const gnutls_datum_t *d, uint8_t out[KEY_NUMBER])
{
	const unsigned char *at = d->data;
	size_t len = d->size;

	for (; len > KEY_NUMBER && *at == 0; at++)
		len--;
	if (len > KEY_NUMBER)
		return -1;
	memset(out, 0, KEY_NUMBER);
	if (len > 0)
		memcpy(out + KEY_NUMBER - len, at, len);
	return 0;
}

/* The public half of the key: 0 or -1. */
static int
public_half(struct token *t, struct public_key *out, struct err *err)
{
	gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
	gnutls_datum_t x = { .data = NULL }, y = { .data = NULL };
	uint8_t number[2][KEY_NUMBER];
	gnutls_pubkey_t pub;
	int rc = library.call.pubkey_init(&pub);

	if (rc != 0)
		return failed(err, "the public key cannot be read", rc,
		    "see that there is memory");
	rc = library.call.pubkey_import_privkey(pub, t->key, 0, 0);
	if (rc == 0)
		rc =
		    library.call.pubkey_export_ecc_raw2(pub, &curve, &x, &y, 0);
	library.call.pubkey_deinit(pub);
	if (rc != 0) {
		rc = failed(err, "the token's public key cannot be read", rc,
		    "put it into the token beside the private one");
	} else if (curve == GNUTLS_ECC_CURVE_ED25519 && x.size == KEY_NUMBER) {
		t->algorithm = GNUTLS_SIGN_EDDSA_ED25519;
		public_ed25519(out, x.data);
	} else if (curve == GNUTLS_ECC_CURVE_SECP256R1 &&
	    number_of(&x, number[0]) == 0 && number_of(&y, number[1]) == 0) {
		t->algorithm = GNUTLS_SIGN_ECDSA_SHA256;
		public_p256(out, number[0], number[1]);
	} else {
		rc = err_set(err,
		    "the token's key is neither an Ed25519 key nor an ECDSA "
		    "key of P-256");
	}
	free(x.data);
	free(y.data);
	return rc;
}

struct token *
token_open(const char *uri, struct public_key *public, struct err *err)
{
	struct token *t;
	char *plain;
	int rc;

	if (!late_try(&late)) {
		(void)err_set(err, "%s cannot be loaded; install it",
		    LIBGNUTLS_FILE);
		return NULL;
	}
	t = xcalloc(1, sizeof(*t));
	(void)library.call.global_init();
	if (load_modules(uri, err) != 0)
		goto bad;
	plain = plain_source(uri);
	rc = library.call.privkey_init(&t->key);
	if (rc == 0)
		rc = library.call.privkey_import_url(t->key, plain, 0);
	explicit_bzero(plain, strlen(plain));
	free(plain);
	if (rc != 0) {
		(void)failed(err,
		    "the token has no such private key, or does not give it",
		    rc,
		    "see that the token is there, and that its URI and PIN "
		    "are right");
		goto bad;
	}
	if (public_half(t, public, err) == 0)
		return t;
bad:
	token_free(t);
	return NULL;
}

int
token_sign(struct token *t, const char *data, size_t len,
    struct signature *signature, struct err *err)
{
	gnutls_datum_t text = { .data = (unsigned char *)(uintptr_t)data,
		.size = (unsigned)len };
	gnutls_datum_t got = { .data = NULL };
	int rc = library.call.privkey_sign_data2(t->key, t->algorithm, 0, &text,
	    &got);

	if (rc != 0)
		rc = failed(err, "the token does not sign", rc,
		    "see that it is there, and that the key may sign");
	else if (got.size > SIGNATURE_MAX)
		rc = err_set(err, "the token's signature is too long");
	else
		memcpy(signature->data, got.data, got.size);
	if (rc == 0)
		signature->len = got.size;
	free(got.data);
	return rc;
}

void
token_free(struct token *t)
{
	if (t == NULL)
		return;
	if (t->key != NULL)
		library.call.privkey_deinit(t->key);
	library.call.pkcs11_deinit();
	library.call.global_deinit();
	free(t);
}

#else

struct token *
token_open(const char *uri, struct public_key *public, struct err *err)
{
	(void)uri;
	(void)public;
	(void)err_set(err, "this program was built without GnuTLS");
	return NULL;
}

int
token_sign(struct token *t, const char *data, size_t len,
    struct signature *signature, struct err *err)
{
	(void)t;
	(void)data;
	(void)len;
	(void)signature;
	return err_set(err, "this program was built without GnuTLS");
}

void
token_free(struct token *t)
{
	(void)t;
}

#endif
