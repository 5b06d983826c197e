/*
 * tls_check.h - what tls.c and tls_check.c share.
 */
#ifndef TLS_CHECK_H
#define TLS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls.h"

struct tls {
	SSL_CTX *ctx;
	const char *name;
	uint8_t (*fingerprint)[32];
	size_t n_fingerprints;
	bool authority; /* check chain and name, not the fingerprint alone */
};

/* For SSL_CTX_set_cert_verify_callback(): fingerprint, chain and name, as
 * configured; sets the session's why. */
int tls_check(X509_STORE_CTX *store, void *ctx);

#endif /* TLS_CHECK_H */
