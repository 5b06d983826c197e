/*
 * auth_oauth2.h - access tokens: OAuth 2.0 (RFC 6749, RFC 7523), and token
 * servers that are like it.
 */
#ifndef HTTP_AUTH_OAUTH2_H
#define HTTP_AUTH_OAUTH2_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/auth_grant.h"
#include "http/rules.h"

struct http;
struct oauth;

/* What servers for tokens answer. */
extern const struct rule oauth_rules[];

/* Rows about what a token is for, with the remedy of whoever asks. */
#define OAUTH_REFUSED(code_, cause_, hint_)                                \
	{                                                                  \
		.code = (code_), .class = REPLY_CONFIG, .cause = (cause_), \
		.hint = (hint_)                                            \
	}
#define OAUTH_API_RULES(api_hint, scope_hint)                                 \
	OAUTH_REFUSED("AADSTS500011", "the API is unknown in this tenant",    \
	    api_hint),                                                        \
	    OAUTH_REFUSED("AADSTS500014",                                     \
		"the API is disabled in this tenant", api_hint),              \
	    OAUTH_REFUSED("AADSTS650052",                                     \
		"the tenant has no subscription to the API", api_hint),       \
	    OAUTH_REFUSED("AADSTS70011", "the scope is refused", scope_hint), \
	    OAUTH_REFUSED("AADSTS1002012", "the scope is refused",            \
		scope_hint),                                                  \
	    OAUTH_REFUSED("invalid_scope", "the scope is refused", scope_hint)

/*
 * Copies conf, whose secrets stay unresolved until they are needed.  Where the
 * server replaces refresh tokens, whoever has the same conf gets the same
 * object, since of such a token only the last grant is good for sure.
 */
struct oauth *oauth_new(const struct oauth_conf *conf);
void oauth_free(struct oauth *o);

/*
 * A token that is valid for some minutes more: the cached one, or a new one
 * got with h.  One thread asks, the others wait for its answer; after a
 * failure the server is left alone for a growing time, unless the credentials
 * have changed meanwhile.  A refresh token that was replaced is durable before
 * the access token that came with it is given to anyone.  The caller gives the
 * token to secret_free().  NULL: r says why and how long to wait.
 */
char *oauth_token(struct oauth *o, struct http *h, struct outcome *r);

/* From when on oauth_token() asks for another one than the last that it gave,
 * and when that one ends; monotonic. */
void oauth_times(struct oauth *o, int64_t *renew, int64_t *ends);

/* The host that came with the last token, "" where none did; to be freed. */
char *oauth_host(struct oauth *o);

/* Of one who uses tokens, all zero at first: refused tokens that were given up
 * for its sake since it was accepted, and when the next one may be
 * (monotonic). */
struct oauth_user {
	_Atomic unsigned refused;
	_Atomic int64_t again;
};

/*
 * A server did not accept this token of the user's; it may be the token or the
 * user, who lacks a permission.  True: the token is given up, or another one is
 * there already.  False: it is kept, since giving up one did not help this user
 * just now, or none that was got was of any use to anyone; both waits grow.
 */
bool oauth_reject(struct oauth *o, const char *token, struct oauth_user *user);

/* A server has accepted this token of the user's. */
void oauth_accept(struct oauth *o, const char *token, struct oauth_user *user);

#endif /* HTTP_AUTH_OAUTH2_H */
