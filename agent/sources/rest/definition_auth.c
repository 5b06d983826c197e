/*
 * definition_auth.c - how a definition says that credentials are shown.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/template.h"
#include "http/auth_grant.h"
#include "http/auth_sign.h"
#include "sources/rest/definition_private.h"

#define ACCESS_TOKEN "{access_token}"

static const char *const kinds[] = {
	[KIND_NONE] = "none",
	[KIND_HEADER] = "header",
	[KIND_BASIC] = "basic",
	[KIND_OAUTH2] = "oauth2",
	[KIND_JWT] = "jwt",
	[KIND_SIGNATURE] = "signature",
	[KIND_DIGEST] = "digest",
	[KIND_AWS] = "aws",
	[KIND_KINDS] = NULL,
};
static const char *const grants[] = {
	[GRANT_CLIENT_CREDENTIALS] = "client_credentials",
	[GRANT_ACCOUNT_CREDENTIALS] = "account_credentials",
	[GRANT_JWT_BEARER] = "jwt_bearer",
	[GRANT_REFRESH_TOKEN] = "refresh_token",
	[GRANT_NONE] = "none",
	[OAUTH_GRANTS] = NULL,
};
static const char *const clients[] = {
	[CLIENT_FIELDS] = "fields",
	[CLIENT_BASIC] = "basic",
	[CLIENT_ASSERTION] = "assertion",
	[CLIENT_BEARER] = "bearer",
	[OAUTH_CLIENTS] = NULL,
};
static const char *const bodies[] = {
	[OAUTH_FORM] = "form",
	[OAUTH_JSON] = "json",
	[OAUTH_QUERY] = "query",
	[OAUTH_BODIES] = NULL,
};

/* A key that is a text, with its help. */
#define TEXT(name, member, text)                                          \
	{                                                                 \
		.key = name, .type = SETTING_STRING,                      \
		.offset = offsetof(struct def_auth, member), .help = text \
	}
/* One that is a choice of names, with the one that it is otherwise. */
#define CHOICE(name, member, names, otherwise, text)                           \
	{                                                                      \
		.key = name, .type = SETTING_CHOICE,                           \
		.offset = offsetof(struct def_auth, member), .def = otherwise, \
		.choices = names, .help = text                                 \
	}

const struct setting auth_keys[] = {
	{ .key = "kind",
	    .type = SETTING_CHOICE,
	    .offset = offsetof(struct def_auth, kind),
	    .required = true,
	    .choices = kinds,
	    .help = "none; header, one or more that hold secrets; basic (RFC "
		    "7617); digest (RFC 7616); oauth2, an access token is "
		    "asked for; jwt, a token that is signed here; signature, "
		    "each request is signed; aws, likewise with Signature "
		    "Version 4. Headers of requests need no "
		    "secret and are in headers of request." },
	TEXT("header", header,
	    "header, oauth2, jwt: its name. Default: Authorization."),
	TEXT("value", value,
	    "header: its value, a secret with text in front of it, such as "
	    "\"Bearer {token}\". oauth2, jwt: likewise with {access_token}; "
	    "default: \"Bearer {access_token}\"."),
	TEXT("user", user,
	    "basic, digest: the user; basic without one has the password in "
	    "its place, as API keys are often shown. signature: the header "
	    "Authorization is "
	    "Basic, with this user and the signature as the password. aws: id "
	    "of the access key."),
	TEXT("password", password, "basic, digest: the password, a secret."),
	TEXT("host", host, "oauth2: which of hosts grants tokens."),
	TEXT("path", path, "oauth2: path of the token endpoint."),
	CHOICE("grant", grant, grants, "client_credentials",
	    "oauth2: what a token is asked for with. jwt_bearer: a signed "
	    "claim (RFC 7523), as of a service account. refresh_token: one "
	    "that the vendor may replace with each reply. none: fields say it "
	    "all, or the client does."),
	CHOICE("client", client, clients, "fields",
	    "oauth2: how the client shows itself. fields: client_id and "
	    "client_secret, those that are given; where there is a private_key "
	    "that the grant has no use for, as assertion. basic: the same two "
	    "in the header Authorization. assertion: signed (RFC 7523). "
	    "bearer: the signed claim in the header Authorization, as of a "
	    "GitHub App."),
	CHOICE("body", body, bodies, "form",
	    "oauth2: how the fields are sent; query: in the URL of a POST."),
	TEXT("scope", scope, "oauth2: the scope that is asked for."),
	TEXT("client_id", client_id, "oauth2: who asks."),
	TEXT("client_secret", client_secret, "oauth2: a secret."),
	TEXT("certificate", certificate,
	    "oauth2: the private_key's certificate, for vendors that know the "
	    "key by its thumbprint (x5t)."),
	TEXT("private_key", private_key,
	    "oauth2, jwt, signature: the RSA key that signs, PEM text; where "
	    "it is the JSON of a Google service account, issuer and key_id "
	    "come from that."),
	TEXT("refresh_token", refresh_token,
	    "oauth2: a secret. What the vendor gives in its place is kept "
	    "beside the store, until another one is configured."),
	TEXT("key_id", key_id,
	    "oauth2, jwt: name of the key (kid) in what is signed, …"),
	TEXT("issuer", issuer,
	    "… its issuer, default: client_id; {key.fingerprint} in it is the "
	    "SHA-256 of the public key, …"),
	TEXT("subject", subject,
	    "… whom it speaks for, default of an assertion: client_id, …"),
	TEXT("audience", audience,
	    "… whom it is for, default of oauth2: the token endpoint, …"),
	{ .key = "claim_life",
	    .type = SETTING_DURATION,
	    .offset = offsetof(struct def_auth, claim_life),
	    .def = "10m",
	    .min = 10 * CLOCK_SECOND,
	    .max = CLOCK_DAY,
	    .help = "… and how long it is good." },
	TEXT("token.at", token.token,
	    "oauth2: pointer to the access token in the reply. Default: "
	    "/access_token."),
	TEXT("token.header", token.header,
	    "Header of the reply that has it instead."),
	TEXT("token.expires_in", token.expires_in,
	    "Pointer to its life in seconds, a number or a text. Default: "
	    "/expires_in."),
	TEXT("token.expires_at", token.expires_at,
	    "Pointer to the time at which it ends: RFC 3339, or seconds or "
	    "milliseconds since 1970."),
	TEXT("token.refresh", token.refresh,
	    "Pointer to the refresh token in the reply. Default: "
	    "/refresh_token."),
	{ .key = "token.life",
	    .type = SETTING_DURATION,
	    .offset = offsetof(struct def_auth, token.life),
	    .def = "0",
	    .min = 0,
	    .max = CLOCK_DAY,
	    .help = "How long a token is good where the reply does not say. 0: "
		    "what a JWT says itself, else five minutes." },
	CHOICE("algorithm", algorithm, sign_algorithms, "hmac-sha256",
	    "signature: how requests are signed."),
	CHOICE("encoding", encoding, sign_encodings, "hex",
	    "signature: how the signature is written."),
	CHOICE("key", key, sign_key_encodings, "text",
	    "signature: how the secret is written."),
	{ .key = "text",
	    .type = SETTING_LIST,
	    .offset = offsetof(struct def_auth, text),
	    .help = "signature: the lines of what is signed. Places: "
		    "{request.method}, {request.method_lower}, {request.host}, "
		    "{request.path}, {request.target} (path and query), "
		    "{request.query}, {request.query_sorted}, {request.body}, "
		    "{request.body_length}, {request.body_sha256}, "
		    "{request.body_sha512} (in hex), "
		    "{request.body_sha256_base64}, {request.type}, "
		    "{request.time|FORMAT}, {request.nonce}; in headers "
		    "{signature}, too." },
	TEXT("secret", secret,
	    "signature: the secret of an HMAC. aws: that of the access key."),
	TEXT("region", region, "aws: the region of the host."),
	TEXT("service", service, "aws: the service, as in the host's name."),
	TEXT("session", session, "aws: a session's token, a secret."),
	SETTING_END,
};

/* -- which keys belong to which kind --------------------------------------- */

#define K(kind) (1U << (unsigned)(kind))
#define K_TOKEN (K(KIND_OAUTH2) | K(KIND_JWT))

static const struct key {
	const char *key;
	size_t offset; /* of a text, or of pairs; 0: neither */
	unsigned kinds;
	unsigned needed;
	unsigned allowed;
	bool pairs;
} keys[] = {
#define AT(member) offsetof(struct def_auth, member)
#define TEXT_KEY(name, kinds, needed, allowed)                 \
	{                                                      \
#name, AT(name), kinds, needed, allowed, false \
	}
	TEXT_KEY(header, K(KIND_HEADER) | K_TOKEN, 0, 0),
	TEXT_KEY(value, K(KIND_HEADER) | K_TOKEN, 0, PLACE_SECRET),
	TEXT_KEY(user,
	    K(KIND_BASIC) | K(KIND_DIGEST) | K(KIND_SIGNATURE) | K(KIND_AWS),
	    K(KIND_DIGEST) | K(KIND_AWS), PLACE_VARIABLE),
	TEXT_KEY(password, K(KIND_BASIC) | K(KIND_DIGEST),
	    K(KIND_BASIC) | K(KIND_DIGEST), PLACE_SECRET),
	TEXT_KEY(host, K(KIND_OAUTH2), K(KIND_OAUTH2), 0),
	TEXT_KEY(path, K(KIND_OAUTH2), K(KIND_OAUTH2), PLACE_VARIABLE),
	TEXT_KEY(scope, K(KIND_OAUTH2), 0, PLACE_VARIABLE | PLACE_HOST),
	TEXT_KEY(client_id, K(KIND_OAUTH2), 0, PLACE_VARIABLE),
	TEXT_KEY(client_secret, K(KIND_OAUTH2), 0, PLACE_SECRET),
	TEXT_KEY(certificate, K(KIND_OAUTH2), 0, PLACE_SECRET),
	TEXT_KEY(private_key, K_TOKEN | K(KIND_SIGNATURE), K(KIND_JWT),
	    PLACE_SECRET),
	TEXT_KEY(refresh_token, K(KIND_OAUTH2), 0, PLACE_SECRET),
	TEXT_KEY(key_id, K_TOKEN, 0, PLACE_VARIABLE),
	TEXT_KEY(issuer, K_TOKEN, 0, PLACE_VARIABLE | PLACE_KEY),
	TEXT_KEY(subject, K_TOKEN, 0, PLACE_VARIABLE),
	TEXT_KEY(audience, K_TOKEN, 0, PLACE_VARIABLE | PLACE_HOST),
	TEXT_KEY(secret, K(KIND_SIGNATURE) | K(KIND_AWS), K(KIND_AWS),
	    PLACE_SECRET),
	TEXT_KEY(region, K(KIND_AWS), K(KIND_AWS), PLACE_VARIABLE),
	TEXT_KEY(service, K(KIND_AWS), K(KIND_AWS), PLACE_VARIABLE),
	TEXT_KEY(session, K(KIND_AWS), 0, PLACE_SECRET),
	{ "headers", AT(headers), K(KIND_HEADER) | K(KIND_SIGNATURE), 0,
	    PLACE_VARIABLE | PLACE_SECRET | PLACE_SIGNED, true },
	{ "fields", AT(fields), K(KIND_OAUTH2), 0,
	    PLACE_VARIABLE | PLACE_SECRET | PLACE_HOST, true },
	{ "claims", AT(claims), K_TOKEN, 0, PLACE_VARIABLE | PLACE_HOST, true },
	{ "text", 0, K(KIND_SIGNATURE), 0, 0, false },
	{ "grant", 0, K(KIND_OAUTH2), 0, 0, false },
	{ "client", 0, K(KIND_OAUTH2), 0, 0, false },
	{ "body", 0, K(KIND_OAUTH2), 0, 0, false },
	{ "claim_life", 0, K_TOKEN, 0, 0, false },
	{ "token", 0, K(KIND_OAUTH2), 0, 0, false },
	{ "algorithm", 0, K(KIND_SIGNATURE), 0, 0, false },
	{ "encoding", 0, K(KIND_SIGNATURE), 0, 0, false },
	{ "key", 0, K(KIND_SIGNATURE), 0, 0, false },
#undef AT
#undef TEXT_KEY
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* One place, a secret's, and for a header text in front of it. */
static void
check_secret(const struct key *k, const char *text,
    const struct config_section *b)
{
	struct template_place p;
	bool one = template_next(text, 0, &p) && text[p.end] == '\0';

	if (!one || (p.begin != 0 && strcmp(k->key, "value") != 0))
		config_error(b, "%s: must %s a secret's place, such as {token}",
		    k->key, strcmp(k->key, "value") == 0 ? "end with" : "be");
}

/* The value of a header that gets an access token. */
static void
check_access_token(const char *value, const struct config_section *b)
{
	const size_t len = strlen(value), end = strlen(ACCESS_TOKEN);

	if (len < end || strcmp(value + len - end, ACCESS_TOKEN) != 0)
		config_error(b, "value: must end with " ACCESS_TOKEN);
}

static void
check_text(struct definition *d, struct def_auth *a, const struct key *k,
    const char *text, const struct config_section *b)
{
	struct template_place p;

	definition_check_text(d, b, k->key, text,
	    a->kind == KIND_SIGNATURE ? k->allowed
				      : k->allowed & ~(unsigned)PLACE_SIGNED);
	for (size_t at = 0; template_next(text, at, &p); at = p.end) {
		size_t v = definition_variable(d, p.name);

		if (v < d->n_variables)
			a->uses |= UINT32_C(1) << v;
	}
}

static void
check_key(struct definition *d, struct def_auth *a, const struct key *k,
    const struct config_section *b)
{
	const void *member = (char *)a + k->offset;
	const bool given = node_get(b->map, k->key) != NULL;
	const char *text =
	    k->offset != 0 && !k->pairs ? *(char *const *)member : NULL;

	if (given && (k->kinds & K(a->kind)) == 0) {
		config_error(b, "%s: is not of this kind", k->key);
		return;
	}
	if (text == NULL && (k->needed & K(a->kind)) != 0)
		config_error(b, "%s: is missing; this kind needs it", k->key);
	if (k->pairs && given)
		for (const struct http_pair *h =
			 *(struct http_pair *const *)member;
		     h->name != NULL; h++)
			check_text(d, a, k, h->value, b);
	if (text == NULL)
		return;
	if (strcmp(k->key, "value") == 0 && a->kind != KIND_HEADER) {
		check_access_token(text, b);
		return;
	}
	check_text(d, a, k, text, b);
	if (k->allowed == PLACE_SECRET)
		check_secret(k, text, b);
}

/* -- what is needed beside each other -------------------------------------- */

static void
check_endpoint(const struct definition *d, const struct def_auth *a,
    const struct config_section *b)
{
	if (a->host != NULL &&
	    definition_host(d, (struct slice){ a->host, strlen(a->host) }) ==
		d->n_hosts)
		config_error(b, "host: \"%.60s\" is none of hosts", a->host);
	for (size_t i = 0; a->host != NULL && i < d->n_hosts; i++)
		if (d->hosts[i].from_token != NULL &&
		    strcmp(d->hosts[i].name, a->host) == 0)
			config_error(b,
			    "host: comes with the token, and cannot grant it");
	if (a->path != NULL && a->path[0] != '/')
		config_error(b, "path: must begin with \"/\"");
}

/* What a grant takes, and what it cannot do without. */
static void
check_grant(const struct def_auth *a, const struct config_section *b)
{
	const bool own = a->grant == GRANT_CLIENT_CREDENTIALS ||
	    a->grant == GRANT_ACCOUNT_CREDENTIALS;

	if (own && (a->client_secret == NULL) == (a->private_key == NULL))
		config_error(b, "client_secret: give it, or private_key");
	if (own && a->client_id == NULL)
		config_error(b, "client_id: is missing; this grant needs it");
	if (a->grant == GRANT_JWT_BEARER && a->private_key == NULL)
		config_error(b, "private_key: is missing; this grant needs it");
	if ((a->grant == GRANT_REFRESH_TOKEN) != (a->refresh_token != NULL))
		config_error(b,
		    "refresh_token: belongs to the grant of that name, and is "
		    "needed there");
	if (a->grant == GRANT_NONE && a->fields == NULL &&
	    a->client == CLIENT_FIELDS)
		config_error(b,
		    "fields: are missing; this grant has nothing else to say, "
		    "and client is fields");
}

static void
check_client(const struct def_auth *a, const struct config_section *b)
{
	const bool signs =
	    a->client == CLIENT_ASSERTION || a->client == CLIENT_BEARER;

	if (signs && a->private_key == NULL)
		config_error(b,
		    "private_key: is missing; this client signs with it");
	if (a->client == CLIENT_BASIC && a->client_id == NULL)
		config_error(b, "client_id: is missing; basic needs it");
	if (a->certificate != NULL && a->private_key == NULL)
		config_error(b, "certificate: needs private_key");
	if (a->private_key == NULL &&
	    (a->key_id != NULL || a->issuer != NULL || a->subject != NULL ||
		a->audience != NULL || a->claims != NULL))
		config_error(b,
		    "private_key: is missing; key_id, issuer, subject, "
		    "audience and claims are of what it signs");
}

static void
check_reply(const struct def_auth *a, const struct config_section *b)
{
	const struct {
		const char *key;
		const char *pointer;
	} pointers[] = {
		{ "token.at", a->token.token },
		{ "token.expires_in", a->token.expires_in },
		{ "token.expires_at", a->token.expires_at },
		{ "token.refresh", a->token.refresh },
	};

	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++)
		if (pointers[i].pointer != NULL)
			(void)definition_check_pointer(b, pointers[i].key,
			    pointers[i].pointer);
	if (a->token.token != NULL && a->token.header != NULL)
		config_error(b, "token: give at or header, not both");
}

static bool
signs_headers(const struct def_auth *a)
{
	const struct http_pair *h = a->headers;

	while (h != NULL && h->name != NULL &&
	    !definition_has_place(h->value, "signature"))
		h++;
	return h != NULL && h->name != NULL;
}

static void
check_signature(struct definition *d, struct def_auth *a,
    const struct config_section *b)
{
	static const struct key text = { .key = "text",
		.allowed = PLACE_VARIABLE | PLACE_SIGNED };
	const bool rsa = a->algorithm == SIGN_RSA_SHA256;

	if (a->text == NULL || a->text[0] == NULL)
		config_error(b, "text: is missing; this kind needs it");
	for (char **line = a->text; line != NULL && *line != NULL; line++)
		check_text(d, a, &text, *line, b);
	if (rsa && (a->private_key == NULL || a->secret != NULL))
		config_error(b,
		    "private_key: signs with this algorithm, and no secret");
	if (!rsa && (a->secret == NULL || a->private_key != NULL))
		config_error(b,
		    "secret: signs with this algorithm, and no private_key");
	if (a->user == NULL && !signs_headers(a))
		config_error(b,
		    "headers: none has {signature}, and user is missing: where "
		    "does the signature go?");
}

static void
check_auth(struct definition *d, struct def_auth *a,
    const struct config_section *b)
{
	if (a->kind == KIND_HEADER && a->value == NULL && a->headers == NULL)
		config_error(b, "value: is missing; this kind needs it");
	for (size_t i = 0; i < KEYS; i++)
		check_key(d, a, &keys[i], b);
	if (a->kind == KIND_SIGNATURE)
		check_signature(d, a, b);
	if (a->kind != KIND_OAUTH2)
		return;
	check_endpoint(d, a, b);
	check_grant(a, b);
	check_client(a, b);
	check_reply(a, b);
}

/* -- loading --------------------------------------------------------------- */

static void
load_one(struct loading *l, const struct node *map)
{
	static const char *const ours[] = { "headers", "fields", "claims",
		NULL };
	struct def_auth *a = &l->d->auth[l->d->n_auth];
	struct http_pair **pairs[] = { &a->headers, &a->fields, &a->claims };
	const size_t before = l->errors->n;
	struct config_section b;

	if (!definition_is_map(l, map, "auth"))
		return;
	l->d->n_auth++;
	b = definition_fill(l, auth_keys, map, "auth", ours, a);
	for (size_t i = 0; ours[i] != NULL; i++)
		if (node_get(map, ours[i]) != NULL)
			*pairs[i] = definition_pairs(l, node_get(map, ours[i]),
			    ours[i]);
	/* Of a kind that is not known nothing can be said. */
	if (l->errors->n == before)
		check_auth(l->d, a, &b);
}

void
definition_load_auth(struct loading *l, const struct node *top)
{
	const struct node *n = node_get(top, "auth");
	size_t ways = 1;

	if (n == NULL) {
		config_errors_add(l->errors, top,
		    "\"auth\" is missing; kind: none where there is none");
		return;
	}
	for (const struct node *c = n->child; c != NULL; c = c->next)
		ways++;
	l->d->auth = xcalloc(ways, sizeof(*l->d->auth));
	if (n->type == NODE_LIST)
		for (n = n->child; n != NULL; n = n->next)
			load_one(l, n);
	else
		load_one(l, n);
}

void
definition_free_auth(struct def_auth *a)
{
	settings_release(auth_keys, a);
	definition_free_pairs(a->headers);
	definition_free_pairs(a->fields);
	definition_free_pairs(a->claims);
}
