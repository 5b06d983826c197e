/*
 * token.h - the body in which a server grants an access token (RFC 6749
 * section 5.1).
 */
#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include <stddef.h>
#include <stdint.h>

/* Most bytes of a token: headers of servers end far below. */
#define TOKEN_MAX ((size_t)64 * 1024)

/*
 * The token in body, which the caller gives to secret_free(), and how long it
 * lives, microseconds from now: above 0 and a day at most, some minutes where
 * the server does not say.  NULL: there is none that a header can carry.
 */
char *token_read(const char *body, size_t len, int64_t *life);

#endif /* HTTP_TOKEN_H */
