/*
 * auth_jwt.h - signed client assertions (RFC 7523) for OAuth 2.0.
 */
#ifndef HTTP_AUTH_JWT_H
#define HTTP_AUTH_JWT_H

#include <stdint.h>

struct buf;
struct err;

/* What a client assertion says. */
struct assertion {
	const char *audience; /* the token URL, exactly */
	const char *client_id;
	const char *certificate; /* PEM text */
	const char *private_key; /* PEM text */
	int64_t now;             /* of the server, microseconds */
};

/* Append the signed JWT: RS256, x5t, valid for ten minutes. */
int oauth_assertion(const struct assertion *a, struct buf *out,
    struct err *err);

#endif /* HTTP_AUTH_JWT_H */
