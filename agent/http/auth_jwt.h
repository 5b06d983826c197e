/*
 * auth_jwt.h - signed tokens (JWT, RFC 7519) that say who a client is: client
 * assertions and grants (RFC 7523), and tokens of their own right.
 */
#ifndef HTTP_AUTH_JWT_H
#define HTTP_AUTH_JWT_H

#include <stdint.h>

#include "http/client.h"

struct buf;
struct err;

/* In an issuer, "SHA256:" and the base64 of the SHA-256 of the public key. */
#define JWT_FINGERPRINT "{key.fingerprint}"

/* What a token says; NULL leaves a claim out. */
struct jwt {
	/* PEM text, or the JSON in which Google hands out a service account's
	 * key: its private_key_id and client_email then stand in for key_id
	 * and issuer. */
	const char *private_key;
	const char *certificate; /* PEM text: names the key by x5t */
	const char *key_id;      /* kid */
	const char *issuer;
	const char *subject;
	const char *audience;
	const struct http_pair *claims; /* further ones, or NULL */
	int64_t life;                   /* microseconds, 0: ten minutes */
	int64_t now;                    /* of the server, likewise */
};

/* Append the token, signed RS256; it is valid from a little before now on. */
int jwt_sign(const struct jwt *t, struct buf *out, struct err *err);

/* When the token of another says that it ends, microseconds since 1970;
 * INT64_MIN: it does not say, or is no JWT.  Nothing else of it is read. */
int64_t jwt_expires(const char *token);

#endif /* HTTP_AUTH_JWT_H */
