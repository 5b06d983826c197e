/*
 * auth_grant.h - the request for an access token, as the kinds of grant and of
 * client want it.
 */
#ifndef HTTP_AUTH_GRANT_H
#define HTTP_AUTH_GRANT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "http/client.h"
#include "http/token.h"

struct err;

/* What a token is asked for with. */
enum oauth_grant {
	GRANT_CLIENT_CREDENTIALS,  /* RFC 6749 section 4.4 */
	GRANT_ACCOUNT_CREDENTIALS, /* Zoom's own */
	GRANT_JWT_BEARER,          /* RFC 7523 section 2.1: a signed claim */
	GRANT_REFRESH_TOKEN,       /* RFC 6749 section 6 */
	GRANT_NONE,                /* the fields say it all */
	OAUTH_GRANTS
};

/* How the client shows who it is. */
enum oauth_client {
	CLIENT_FIELDS,    /* client_id and client_secret, where they are set */
	CLIENT_BASIC,     /* RFC 6749 section 2.3.1, without encoding */
	CLIENT_ASSERTION, /* RFC 7523 section 2.2: signed, no secret */
	CLIENT_BEARER,    /* the signed claim in the header Authorization */
	OAUTH_CLIENTS
};

enum oauth_body {
	OAUTH_FORM,
	OAUTH_JSON,
	OAUTH_QUERY, /* fields in the URL, an empty body */
	OAUTH_BODIES
};

/* NULL and 0: not used, or what the field says. */
struct oauth_conf {
	const char *token_url;
	enum oauth_grant grant;
	/* CLIENT_FIELDS becomes CLIENT_ASSERTION where there is a private_key
	 * that the grant has no use for. */
	enum oauth_client client;
	enum oauth_body body;
	const char *scope;
	const char *client_id;
	const char *client_secret; /* secret texts, as the next three are */
	const char *certificate;   /* names the key for who knows it by that */
	const char *private_key;   /* see struct jwt */
	const char *refresh_token;
	/* Begin of the name of the file in which a refresh token is kept that
	 * the server has replaced: behind it come a dot and a hash of server,
	 * client_id and the configured token.  NULL: it is lost with the
	 * process. */
	const char *keep;
	const char *server; /* see keep; NULL: token_url */
	/* Where it was kept by earlier versions, from where it is moved; NULL:
	 * nowhere. */
	const char *kept[2];
	const struct http_pair *fields; /* further ones, of secret texts */
	const char *key_id;             /* of what is signed: see struct jwt */
	const char *issuer;             /* client_id */
	const char *subject;  /* client_id, of a claim in its place: none */
	const char *audience; /* token_url */
	const struct http_pair *claims;
	int64_t claim_life;
	struct token_shape reply;
	/* What refusals mean, in terms of the caller's options and of what the
	 * token is for; static, leads to oauth_rules.  NULL: those alone. */
	const struct rule *rules;
	/* The caller's options that say who asks, a clause such as "client_id
	 * and private_key": what to look at where that is refused, and the
	 * server has said nothing better.  NULL: nothing. */
	const char *options;
	int64_t wait_max; /* longest wait that the server gets, 0: any */
};

/* Most of a request's body. */
#define GRANT_MAX (128 * 1024)
#define GRANT_FIELDS 16

/* The credentials, resolved for one request. */
struct credentials {
	char *secret;
	char *certificate;
	char *private_key;
	char *refresh_token;
	char *fields[GRANT_FIELDS]; /* values of conf->fields */
	uint8_t digest[DIGEST_LEN]; /* of all of them */
};

/* 0, or -1: err names the option.  To be released in either case. */
int credentials_read(const struct oauth_conf *c, struct credentials *out,
    struct err *err);
void credentials_release(struct credentials *c);

/* The request; what it points to is in its buffers. */
struct grant_request {
	struct buf url;
	struct buf body;
	char *value; /* of the header Authorization, NULL: there is none */
	struct http_pair headers[2];
	struct http_request q;
};

/* Make it for now (of the server); to be released in either case. */
int grant_make(const struct oauth_conf *c, const struct credentials *with,
    int64_t now, struct grant_request *out, struct err *err);
void grant_release(struct grant_request *q);

#endif /* HTTP_AUTH_GRANT_H */
