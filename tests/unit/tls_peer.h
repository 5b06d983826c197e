/*
 * tls_peer.h - a syslog receiver over TLS, with a certificate of its own.
 */
#ifndef TESTS_UNIT_TLS_PEER_H
#define TESTS_UNIT_TLS_PEER_H

#include <stdbool.h>

struct tls_peer;

struct tls_peer_spec {
	int version;       /* the only one it speaks: TLS1_3_VERSION … */
	bool expired;      /* its certificate */
	const char *names; /* of its certificate, as openssl-x509v3_config(5)
			      writes subjectAltName; NULL: see below */
	bool client;       /* it wants a certificate of the other side */
	int deaf;          /* connections, the first ones, that it closes after
			      the handshake with everything unread */
	bool plain;        /* no TLS at all */
};

/* Listens on 127.0.0.1 with a certificate, signed by itself, for localhost
 * and 127.0.0.1. */
struct tls_peer *tls_peer_start(const struct tls_peer_spec *spec);
void tls_peer_stop(struct tls_peer *p);

const char *tls_peer_address(const struct tls_peer *p); /* "127.0.0.1:PORT" */
const char *tls_peer_pem(const struct tls_peer *p);     /* its certificate */
const char *tls_peer_key(const struct tls_peer *p);
const char *tls_peer_fingerprint(const struct tls_peer *p); /* "sha-256:…" */

/* Whether text has been read so far. */
bool tls_peer_has(struct tls_peer *p, const char *text);

#endif /* TESTS_UNIT_TLS_PEER_H */
