/*
 * tls_check.h - what tls.c and tls_check.c share.
 */
#ifndef OUTPUTS_SYSLOG_TLS_CHECK_H
#define OUTPUTS_SYSLOG_TLS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outputs/syslog/tls.h"

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

#endif /* OUTPUTS_SYSLOG_TLS_CHECK_H */
