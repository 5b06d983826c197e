/*
 * trust.h - the certificates that a peer's own is judged by, one set of them
 * in memory for all who trust the same: the system's are the better part of a
 * megabyte, which a thousand sources must not have each.
 */
#ifndef HTTP_TRUST_H
#define HTTP_TRUST_H

#include <openssl/x509.h>

struct err;

/* Those of the PEM text ca, NULL: the system's.  Any thread.  NULL with err:
 * they cannot be read. */
X509_STORE *trust_open(const char *ca, struct err *err);

/* Give one back; NULL is fine. */
void trust_close(X509_STORE *certificates);

#endif /* HTTP_TRUST_H */
