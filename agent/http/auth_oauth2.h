/*
 * auth_oauth2.h - access tokens by OAuth 2.0 client credentials (RFC 6749
 * section 4.4), with a secret or a signed assertion (RFC 7523), as Microsoft
 * Entra wants it: learn.microsoft.com/entra/identity-platform/
 * v2-oauth2-client-creds-grant-flow and certificate-credentials.
 */
#ifndef HTTP_AUTH_OAUTH2_H
#define HTTP_AUTH_OAUTH2_H

#include <stdbool.h>
#include <stdint.h>

#include "http/rules.h"

struct err;
struct http;
struct oauth;

struct oauth_conf {
	const char *token_url;
	const char *scope;
	const char *client_id;
	const char *client_secret; /* secret texts; NULL with a certificate */
	const char *certificate;
	const char *private_key;
	int64_t wait_max; /* longest wait that the server gets, 0: any */
};

/* Copies conf, whose secrets stay unresolved until they are needed. */
struct oauth *oauth_new(const struct oauth_conf *conf);
void oauth_free(struct oauth *o);

/*
 * A token that is valid for some minutes more: the cached one, or a new one
 * got with h.  One thread asks, the others wait for its answer; after a
 * failure the server is left alone for a growing time, unless the credentials
 * have changed meanwhile.  The caller gives it to secret_free().  NULL: r
 * says why and how long to wait.
 */
char *oauth_token(struct oauth *o, struct http *h, struct outcome *r);

/* From when on oauth_token() asks for another one than the last that it gave,
 * and when that one ends; monotonic. */
void oauth_times(struct oauth *o, int64_t *renew, int64_t *ends);

/*
 * A server did not accept this token.  True: it is given up, or another one is
 * there already.  False: it is kept, since it was good elsewhere after the last
 * time that this caller was refused, or since another one was got just now.
 * accepts is the caller's, OAUTH_NEVER before it is refused for the first time
 * in a row.
 */
#define OAUTH_NEVER 0
bool oauth_reject(struct oauth *o, const char *token, uint64_t *accepts);
void oauth_accept(struct oauth *o);

#endif /* HTTP_AUTH_OAUTH2_H */
