/*
 * certificate.h - what is said of a peer's certificate.
 *
 * Nobody has vouched for it when it is spoken of: every field may hold any
 * bytes, of any length.  What comes out is UTF-8 without control characters,
 * and no name reads like another one.
 */
#ifndef OUTPUTS_SYSLOG_CERTIFICATE_H
#define OUTPUTS_SYSLOG_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdint.h>

#include "base/clock.h"

struct buf;

#define CERTIFICATE_NAME 256

/* A subject or issuer, "CN = siem.example.com", cut where it is longer. */
void certificate_name(const X509_NAME *name, char out[CERTIFICATE_NAME]);

/* "2027-01-01T00:00:00Z"; "an unreadable time". */
void certificate_time(const ASN1_TIME *when, char out[CLOCK_TEXT]);

/* "sha-256:AA:BB:…", as tls.fingerprint takes it. */
#define CERTIFICATE_PRINT 104
void certificate_print(const uint8_t digest[32], char out[CERTIFICATE_PRINT]);

/* Append the DNS names and addresses that cert is for, ", " between them, or
 * "no name (subject …)".  What no name has is written \xNN.  -1 at out's
 * ceiling, with those that fit. */
int certificate_names(X509 *cert, struct buf *out);

#endif /* OUTPUTS_SYSLOG_CERTIFICATE_H */
