/*
 * tls.h - the client side of TLS as RFC 5425 and RFC 9662 want it: 1.2 or
 * 1.3, the receiver authenticated, no renegotiation, no early data.
 */
#ifndef OUTPUTS_SYSLOG_TLS_H
#define OUTPUTS_SYSLOG_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct syslog_conf;

/* What connections to one receiver are made with; everything in memory. */
struct tls;

/* Resolve and load CA, certificate, key; name is what the certificate must
 * have, borrowed.  err names the setting at fault. */
struct tls *tls_open(const struct syslog_conf *conf, const char *name,
    struct err *err);
void tls_close(struct tls *t);

/* The TLS side of one connection. */
struct tls_session {
	SSL *ssl;
	const struct tls *tls;
	struct err *why;  /* borrowed: what the check of the certificate
			     found, for tls_explain() */
	uint64_t answers; /* KeyUpdates of the peer that answer one */
	bool asked;       /* it sent one that wants an answer itself */
};

/* Begin a session over a connected descriptor; the caller frees s->ssl. */
int tls_begin(const struct tls *t, struct tls_session *s, int fd,
    struct err *err);

/* Say why the last operation on s, which returned rc, failed.  Returns true
 * when that is a matter of settings or credentials, at either side, and not
 * of the network. */
bool tls_explain(const struct tls_session *s, int rc, struct err *err);

/* Append "TLSv1.3 with TLS_AES_128_GCM_SHA256, certificate of CN valid until
 * 2027-01-01T00:00:00Z" for probe().  -1 at out's ceiling. */
int tls_describe(const struct tls_session *s, struct buf *out);

#endif /* OUTPUTS_SYSLOG_TLS_H */
