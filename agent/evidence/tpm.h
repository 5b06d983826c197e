/*
 * tpm.h - keys in a TPM 2.0, by OpenSSL's provider tpm2 (tpm2-openssl).
 *
 * The provider is loaded for such a key alone, into a context of its own, so
 * that nothing else of this process is done by the TPM.  It finds the TPM by
 * itself, or where the variable TPM2OPENSSL_TCTI says.
 */
#ifndef EVIDENCE_TPM_H
#define EVIDENCE_TPM_H

#include <stdbool.h>

#include <openssl/types.h>

struct err;
struct tpm;

/* Whether text names a key in a TPM: the URI of a persistent one
 * ("handle:0x81000001"), or of one in a file ("object:/FILE"); or is PEM of one
 * that only the TPM can open ("TSS2 PRIVATE KEY"). */
bool tpm_has(const char *text);

/* Connect to the TPM.  NULL with err. */
struct tpm *tpm_open(struct err *err);

/* What OpenSSL's functions take to have the TPM do it; NULL of NULL. */
OSSL_LIB_CTX *tpm_context(const struct tpm *t);
const char *tpm_properties(const struct tpm *t);

/* NULL is fine.  The keys of its context must be freed before; the next
 * tpm_open() connects anew. */
void tpm_free(struct tpm *t);

#endif /* EVIDENCE_TPM_H */
