/*
 * pem.h - certificates and private keys out of PEM text.
 */
#ifndef HTTP_PEM_H
#define HTTP_PEM_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>

struct err;

/* All certificates of text, in order, at least one; what names the option in
 * messages.  The caller frees with pem_certificates_free().  NULL: none, or
 * one that is damaged, since those behind it would be passed over. */
STACK_OF(X509) *
    pem_certificates(const char *what, const char *text, struct err *err);
void pem_certificates_free(STACK_OF(X509) * certs);

/* The private key of text, which must not be encrypted; the caller frees it.
 * Nothing of text gets into err. */
EVP_PKEY *pem_key(const char *what, const char *text, struct err *err);

/* When a certificate ends, microseconds since 1970; INT64_MAX: unreadable. */
int64_t pem_expires(const X509 *cert);

#endif /* HTTP_PEM_H */
