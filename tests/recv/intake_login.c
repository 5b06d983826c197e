/*
 * intake_login.c - a server for access tokens, as Microsoft Entra is one:
 * learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow.
 *
 * POST /TENANT/oauth2/v2.0/token with a form of grant_type, client_id, scope
 * and client_secret.  Any secret will do, since the token is made of it: the
 * intake that gets the token knows whether it is the right one.
 *
 * Options: life, seconds of a token; scope, the one that there is.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/recv/intake.h"

static int
hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0'
					 : tolower((unsigned char)c) - 'a' + 10;
}

/* A field of the form, decoded; the caller frees it.  NULL: there is none. */
static char *
field(const struct call *c, const char *name)
{
	const char *at = c->body->data == NULL ? "" : c->body->data;
	size_t n = strlen(name), len = 0;
	char *out;

	while (strncmp(at, name, n) != 0 || at[n] != '=') {
		at = strchr(at, '&');
		if (at++ == NULL)
			return NULL;
	}
	at += n + 1;
	out = xcalloc(strcspn(at, "&") + 1, 1);
	for (; *at != '\0' && *at != '&'; at++) {
		if (*at == '%' && isxdigit((unsigned char)at[1]) &&
		    isxdigit((unsigned char)at[2])) {
			out[len++] = (char)(hex(at[1]) << 4 | hex(at[2]));
			at += 2;
		} else {
			out[len++] = *at == '+' ? ' ' : *at;
		}
	}
	return out;
}

static void
refuse(struct call *c, unsigned status, const char *error, const char *text)
{
	reply_text(c, status,
	    "{\"error\":\"%s\",\"error_description\":\"%s Trace ID: 7\"}",
	    error, text);
}

static void
grant(struct call *c, const char *secret)
{
	char *life = place_option(c->place, "life", "3599");

	reply_text(c, 200,
	    "{\"token_type\":\"Bearer\",\"expires_in\":%s,\"ext_expires_in\":"
	    "%s,\"access_token\":\"fake.%s\"}",
	    life, life, secret);
	free(life);
}

static void
take(struct call *c)
{
	const char *type = recv_header(c->rq, "Content-Type");
	char *kind = field(c, "grant_type"), *id = field(c, "client_id"),
	     *scope = field(c, "scope"), *secret = field(c, "client_secret"),
	     *only = place_option(c->place, "scope", "");

	if (strcmp(c->rq->method, "POST") != 0 ||
	    strstr(c->path, "/oauth2/v2.0/token") == NULL)
		refuse(c, 404, "not_found", "no such endpoint.");
	else if (strncmp(type, "application/x-www-form-urlencoded", 33) != 0 ||
	    kind == NULL || strcmp(kind, "client_credentials") != 0)
		refuse(c, 400, "unsupported_grant_type",
		    "AADSTS70003: The app requested an unsupported grant "
		    "type.");
	else if (id == NULL || id[0] == '\0')
		refuse(c, 400, "invalid_request",
		    "AADSTS900144: The request body must contain the "
		    "following parameter: 'client_id'.");
	else if (scope == NULL || (only[0] != '\0' && strcmp(scope, only) != 0))
		refuse(c, 400, "invalid_scope",
		    "AADSTS70011: The provided value for the input parameter "
		    "'scope' is not valid.");
	else if (secret == NULL || secret[0] == '\0')
		refuse(c, 401, "invalid_client",
		    "AADSTS7000216: 'client_assertion', 'client_secret' or "
		    "'request' is required.");
	else
		grant(c, secret);
	free(kind);
	free(id);
	free(scope);
	free(secret);
	free(only);
}

bool
has_access_token(const struct call *c)
{
	char *secret = place_option(c->place, "token", "abc");
	char *want = xasprintf("Bearer fake.%s", secret);
	bool good = strcmp(recv_header(c->rq, "Authorization"), want) == 0;

	free(secret);
	free(want);
	return good;
}

const struct intake_kind intake_login = { "login", take };
