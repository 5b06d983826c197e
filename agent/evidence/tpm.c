/*
 * tpm.c - keys in a TPM 2.0, by OpenSSL's provider tpm2.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/provider.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/openssl.h"
#include "evidence/tpm.h"

struct tpm {
	OSSL_LIB_CTX *context;
	OSSL_PROVIDER *provider;
	OSSL_PROVIDER *rest; /* of what keys need around them */
};

bool
tpm_has(const char *text)
{
	return strncmp(text, "handle:", strlen("handle:")) == 0 ||
	    strncmp(text, "object:", strlen("object:")) == 0 ||
	    strstr(text, "-----BEGIN TSS2 PRIVATE KEY-----") != NULL;
}

struct tpm *
tpm_open(struct err *err)
{
	struct tpm *t = xcalloc(1, sizeof(*t));

	/* Its own lines would stand between those of the log; the reason comes
	 * as an error, too. */
	(void)setenv("TSS2_LOG", "all+none", 0);
	ERR_clear_error();
	t->context = OSSL_LIB_CTX_new();
	if (t->context != NULL)
		t->rest = OSSL_PROVIDER_load(t->context, "default");
	if (t->rest != NULL)
		t->provider = OSSL_PROVIDER_load(t->context, "tpm2");
	if (t->provider != NULL)
		return t;
	(void)err_set(err,
	    "the TPM cannot be reached (%s); see that tpm2-openssl is "
	    "installed, and that this user may use /dev/tpmrm0 or what "
	    "TPM2OPENSSL_TCTI names",
	    openssl_reason());
	tpm_free(t);
	return NULL;
}

OSSL_LIB_CTX *
tpm_context(const struct tpm *t)
{
	return t != NULL ? t->context : NULL;
}

const char *
tpm_properties(const struct tpm *t)
{
	return t != NULL ? "?provider=tpm2" : NULL;
}

void
tpm_free(struct tpm *t)
{
	if (t == NULL)
		return;
	if (t->provider != NULL)
		(void)OSSL_PROVIDER_unload(t->provider);
	if (t->rest != NULL)
		(void)OSSL_PROVIDER_unload(t->rest);
	OSSL_LIB_CTX_free(t->context);
	free(t);
}
