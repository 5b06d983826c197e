/*
 * auth.h - how a client proves to its peer who it is: one table of schemes.
 *
 * A scheme gives a request headers of its own.  Secrets are read when they are
 * first needed and again when the vendor does not accept them, so that a
 * rotation needs no restart; they are kept in memory only.  A new scheme is a
 * row in auth.c.
 */
#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "http/auth_oauth2.h"
#include "http/auth_sign.h"
#include "http/aws.h"
#include "http/client.h"
#include "http/rules.h"

struct auth;

enum auth_scheme {
	AUTH_NONE,
	AUTH_BEARER,           /* RFC 6750, a token that does not change */
	AUTH_BASIC,            /* RFC 7617 */
	AUTH_HEADER,           /* a vendor's own, "Authorization: SSWS …" */
	AUTH_OAUTH2_SECRET,    /* RFC 6749 section 4.4 */
	AUTH_OAUTH2_ASSERTION, /* … with RFC 7523, signed with a certificate */
	AUTH_JWT,              /* a token that is signed here, as it is */
	AUTH_SIGNED,           /* signature of each request: auth_sign.h */
	AUTH_DIGEST,           /* RFC 7616 */
	AUTH_AWS,              /* Signature Version 4, with a key of its own */
	AUTH_AWS_IDENTITY,     /* … and with those of an identity, aws.h */
	AUTH_SCHEMES
};

struct auth_conf {
	enum auth_scheme scheme;
	const char *option; /* that holds secret, for messages: "token" */
	/* Secret text: token, password, header's value, key to sign with. */
	const char *secret;
	/* AUTH_BASIC, AUTH_DIGEST, AUTH_AWS: key's id.  AUTH_BASIC without one
	 * has secret in its place, and an empty password. */
	const char *user;
	const char *header; /* AUTH_HEADER, and of tokens: its name, … */
	/* … and what stands before secret in its value.  NULL: header
	 * Authorization, "Bearer " before a token, nothing before a secret. */
	const char *prefix;
	const struct http_pair *more; /* AUTH_HEADER: others, secret texts */
	struct oauth_conf oauth;      /* AUTH_JWT: what it says of claims */
	struct sign_conf sign;
	const char *region; /* AUTH_AWS, … */
	const char *service;
	const char *session;   /* … secret text of a session; NULL: none */
	struct aws_signer aws; /* AUTH_AWS_IDENTITY */
};

/* Copies conf, whose secrets stay unresolved until they are needed. */
struct auth *auth_new(const struct auth_conf *conf);
void auth_free(struct auth *a);

/* What one request carries; zeroed at first. */
#define AUTH_HEADERS 10
struct auth_proof {
	struct http_pair headers[AUTH_HEADERS + 1];
	char *values[AUTH_HEADERS]; /* owned, of the headers */
	char *names[AUTH_HEADERS];  /* likewise, those that are not others' */
	char *secret;               /* owned, as http_request.secret */
};
void auth_proof_release(struct auth_proof *p);

/*
 * Make the proof for req, whose credentials and secret then point into it; h
 * is for asking a token server, which is done by one thread at a time.
 * REPLY_OK, or r says why not and how long to wait.
 */
enum reply_class auth_apply(struct auth *a, struct http *h,
    struct http_request *req, struct auth_proof *p, struct outcome *r);

/* The vendor did not accept p, or did.  True: another one is made next time;
 * false: it is kept for now.  As oauth_reject(), oauth_accept(). */
bool auth_rejected(struct auth *a, const struct auth_proof *p,
    struct oauth_user *user);
void auth_accepted(struct auth *a, const struct auth_proof *p,
    struct oauth_user *user);

/* The server objects to the time of what was signed.  True: its own is known
 * now, and it is worth another try. */
bool auth_late(struct auth *a, const struct http_reply *reply);

/* The host that came with the token, "" where none did; to be freed. */
char *auth_host(struct auth *a);

#endif /* HTTP_AUTH_H */
