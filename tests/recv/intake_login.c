/*
 * intake_login.c - a server for access tokens, as Microsoft Entra and Google's
 * are:
 * learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-
 * flow; developers.google.com/identity/protocols/oauth2/service-account.
 *
 * POST /TENANT/oauth2/v2.0/token with a form of grant_type, client_id, scope
 * and client_secret; POST /token with a form of grant_type and an assertion
 * that is signed with the key in DIR/NAME/public.pem.  Any secret will do, and
 * any id of a key, since the token is made of it: the intake that gets the
 * token knows whether it is the right one.
 *
 * Options: life, seconds of a token; scope, the one that there is.
 */
#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* One part of a JWT, decoded; the caller frees it. */
static unsigned char *
part(const char *jwt, size_t n, size_t *len)
{
	const char *at = jwt;
	size_t size, k;
	char *text;
	unsigned char *out;

	for (; n > 0 && at != NULL; n--) {
		at = strchr(at, '.');
		at = at == NULL ? NULL : at + 1;
	}
	if (at == NULL)
		return NULL;
	size = strcspn(at, ".");
	text = xasprintf("%.*s====", (int)size, at);
	for (k = 0; text[k] != '\0'; k++)
		text[k] = text[k] == '-' ? '+' : text[k] == '_' ? '/' : text[k];
	text[(size + 3) / 4 * 4] = '\0';
	out = xcalloc(size + 4, 1);
	if (EVP_DecodeBlock(out, (unsigned char *)text, (int)strlen(text)) < 0)
		out[0] = '\0';
	*len = size * 3 / 4;
	free(text);
	return out;
}

/* Has the key signed it? */
static bool
is_signed(const struct call *c, const char *jwt)
{
	char *path = xasprintf("%s/public.pem", c->place->dir);
	FILE *in = fopen(path, "r");
	EVP_PKEY *key =
	    in == NULL ? NULL : PEM_read_PUBKEY(in, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const char *end = strrchr(jwt, '.');
	size_t len = 0;
	unsigned char *signature = part(jwt, 2, &len);
	bool good = key != NULL && end != NULL && signature != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, signature, len, (const unsigned char *)jwt,
		(size_t)(end - jwt)) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	free(signature);
	free(path);
	if (in != NULL)
		(void)fclose(in);
	return good;
}

static json_t *
json_part(const char *jwt, size_t n)
{
	size_t len = 0;
	unsigned char *text = part(jwt, n, &len);
	json_t *out = text == NULL ? NULL : json_loads((char *)text, 0, NULL);

	free(text);
	return out;
}

static const char *
claim(const json_t *claims, const char *name)
{
	const char *value = json_string_value(json_object_get(claims, name));

	return value == NULL ? "" : value;
}

/* Google's: the claim is in the assertion. */
static void
take_assertion(struct call *c, const char *jwt)
{
	json_t *head = json_part(jwt, 0), *claims = json_part(jwt, 1);
	json_int_t iat = json_integer_value(json_object_get(claims, "iat")),
		   exp = json_integer_value(json_object_get(claims, "exp")),
		   now = (json_int_t)time(NULL);

	if (strcmp(claim(head, "alg"), "RS256") != 0 || !is_signed(c, jwt))
		refuse(c, 400, "invalid_grant", "Invalid JWT Signature.");
	else if (strstr(claim(claims, "iss"), ".iam.gserviceaccount.com") ==
		NULL ||
	    strstr(claim(claims, "aud"), "/token") == NULL)
		refuse(c, 400, "invalid_grant",
		    "Invalid grant: account not found.");
	else if (strncmp(claim(claims, "scope"),
		     "https://www.googleapis.com/auth/", 32) != 0)
		refuse(c, 400, "invalid_scope",
		    "Invalid OAuth scope or ID token audience provided.");
	else if (exp - iat > 3660 || exp < now || iat > now + 300)
		refuse(c, 400, "invalid_grant",
		    "Invalid JWT: Token must be a short-lived token.");
	else
		grant(c, claim(head, "kid"));
	json_decref(head);
	json_decref(claims);
}

static void
take_form(struct call *c)
{
	char *kind = field(c, "grant_type"), *jwt = field(c, "assertion");

	if (kind == NULL || jwt == NULL ||
	    strcmp(kind, "urn:ietf:params:oauth:grant-type:jwt-bearer") != 0)
		refuse(c, 400, "unsupported_grant_type", "Invalid grant_type.");
	else
		take_assertion(c, jwt);
	free(kind);
	free(jwt);
}

static void
take_secret(struct call *c)
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

static void
take(struct call *c)
{
	if (strcmp(c->path, "/token") == 0)
		take_form(c);
	else
		take_secret(c);
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

const struct intake_kind intake_login = { .name = "login", .take = take };
