/*
 * auth_grant.c - the request for an access token.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/secret.h"
#include "http/auth_grant.h"
#include "http/auth_jwt.h"

/* -- credentials ----------------------------------------------------------- */

static int
resolve(const char *text, const char *option, bool pem, char **out,
    struct err *err)
{
	if (text == NULL)
		return 0;
	*out = pem ? secret_resolve_pem(text, err) : secret_resolve(text, err);
	return *out != NULL ? 0 : err_prefix(err, "%.60s", option);
}

static void
add_digest(struct digest *d, const char *text, uint8_t hash[DIGEST_LEN])
{
	if (text == NULL)
		text = "";
	digest_sha256(d, hash, DIGEST_LEN, text, strlen(text), hash);
}

static void
credentials_digest(struct credentials *c)
{
	const char *all[] = { c->secret, c->certificate, c->private_key,
		c->refresh_token };
	struct digest *d = digest_new();

	memset(c->digest, 0, DIGEST_LEN);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		add_digest(d, all[i], c->digest);
	for (size_t i = 0; i < GRANT_FIELDS && c->fields[i] != NULL; i++)
		add_digest(d, c->fields[i], c->digest);
	digest_free(d);
}

int
credentials_read(const struct oauth_conf *c, struct credentials *out,
    struct err *err)
{
	*out = (struct credentials){ .secret = NULL };
	if (resolve(c->client_secret, "client_secret", false, &out->secret,
		err) != 0 ||
	    resolve(c->certificate, "certificate", true, &out->certificate,
		err) != 0 ||
	    resolve(c->private_key, "private_key", true, &out->private_key,
		err) != 0 ||
	    resolve(c->refresh_token, "refresh_token", false,
		&out->refresh_token, err) != 0)
		return -1;
	for (size_t i = 0; c->fields != NULL && c->fields[i].name != NULL; i++)
		if (i == GRANT_FIELDS)
			return err_set(err,
			    "a token request of more than %d fields",
			    GRANT_FIELDS);
		else if (resolve(c->fields[i].value, c->fields[i].name, false,
			     &out->fields[i], err) != 0)
			return -1;
	credentials_digest(out);
	return 0;
}

void
credentials_release(struct credentials *c)
{
	secret_free(c->secret);
	secret_free(c->certificate);
	secret_free(c->private_key);
	secret_free(c->refresh_token);
	for (size_t i = 0; i < GRANT_FIELDS; i++)
		secret_free(c->fields[i]);
}

/* -- fields ---------------------------------------------------------------- */

/* Append "&name=value" in the form encoding. */
static int
add_form(struct buf *out, const char *name, const char *value)
{
	const char *mark =
	    strchr("?&", out->len > 0 ? out->data[out->len - 1] : '?') != NULL
	    ? ""
	    : "&";
	char *escaped = curl_easy_escape(NULL, value, 0);
	int rc = -1;

	if (escaped == NULL)
		return -1;
	if (buf_addf(out, "%s%s=", mark, name) == 0)
		rc = buf_adds(out, escaped);
	explicit_bzero(escaped, strlen(escaped));
	curl_free(escaped);
	return rc;
}

static int
add_json(struct buf *out, const char *name, const char *value)
{
	if (buf_adds(out, out->len > 0 ? "," : "{") != 0 ||
	    text_json_string(out, name, strlen(name)) != 0 ||
	    buf_adds(out, ":") != 0)
		return -1;
	return text_json_string(out, value, strlen(value));
}

/* Add a field where this request has its fields; NULL: nothing. */
static int
add(struct grant_request *q, const struct oauth_conf *c, const char *name,
    const char *value)
{
	if (value == NULL)
		return 0;
	switch (c->body) {
	case OAUTH_JSON:
		return add_json(&q->body, name, value);
	case OAUTH_QUERY:
		if (strchr(q->url.data, '?') == NULL &&
		    buf_adds(&q->url, "?") != 0)
			return -1;
		return add_form(&q->url, name, value);
	default:
		return add_form(&q->body, name, value);
	}
}

/* -- what is signed -------------------------------------------------------- */

/* A client's assertion speaks for the client; a claim in the place of a grant
 * for whom the settings name. */
static int
sign(const struct oauth_conf *c, const struct credentials *with, int64_t now,
    bool assertion, struct buf *out, struct err *err)
{
	const struct jwt t = { .private_key = with->private_key,
		.certificate = with->certificate,
		.key_id = c->key_id,
		.issuer = c->issuer != NULL ? c->issuer : c->client_id,
		.subject = c->subject != NULL || !assertion ? c->subject
							    : c->client_id,
		.audience = c->audience != NULL ? c->audience : c->token_url,
		.claims = c->claims,
		.life = c->claim_life,
		.now = now };

	if (with->private_key == NULL)
		return err_set(err, "private_key: is missing");
	return jwt_sign(&t, out, err);
}

static int
too_long(struct err *err)
{
	return err_set(err,
	    "the token request is too long; see whether "
	    "the secrets are what they should be");
}

/* -- grants ---------------------------------------------------------------- */

static int
add_claim(const struct oauth_conf *c, const struct credentials *with,
    int64_t now, struct grant_request *q, struct err *err)
{
	struct buf jwt = BUF_INIT(GRANT_MAX);
	int rc = sign(c, with, now, false, &jwt, err);

	if (rc == 0 && add(q, c, "assertion", jwt.data) != 0)
		rc = too_long(err);
	buf_release(&jwt);
	return rc;
}

static int
add_grant(const struct oauth_conf *c, const struct credentials *with,
    int64_t now, struct grant_request *q, struct err *err)
{
	static const char *const types[OAUTH_GRANTS] = {
		[GRANT_CLIENT_CREDENTIALS] = "client_credentials",
		[GRANT_ACCOUNT_CREDENTIALS] = "account_credentials",
		[GRANT_JWT_BEARER] =
		    "urn:ietf:params:oauth:grant-type:jwt-bearer",
		[GRANT_REFRESH_TOKEN] = "refresh_token",
		[GRANT_NONE] = NULL,
	};

	if (add(q, c, "grant_type", types[c->grant]) != 0)
		return too_long(err);
	if (c->grant == GRANT_JWT_BEARER)
		return add_claim(c, with, now, q, err);
	if (c->grant == GRANT_REFRESH_TOKEN &&
	    add(q, c, "refresh_token", with->refresh_token) != 0)
		return too_long(err);
	return 0;
}

/* -- clients --------------------------------------------------------------- */

static int
client_fields(const struct oauth_conf *c, const struct credentials *with,
    int64_t now, struct grant_request *q, struct err *err)
{
	(void)now;
	if (add(q, c, "client_secret", with->secret) != 0)
		return too_long(err);
	return 0;
}

static int
client_basic(const struct oauth_conf *c, const struct credentials *with,
    int64_t now, struct grant_request *q, struct err *err)
{
	struct buf encoded = BUF_INIT(GRANT_MAX);
	char *pair =
	    xasprintf("%s:%s", c->client_id != NULL ? c->client_id : "",
		with->secret != NULL ? with->secret : "");
	int rc = text_base64(&encoded, pair, strlen(pair));

	(void)now;
	if (rc == 0)
		q->value = xasprintf("Basic %s", encoded.data);
	else
		(void)too_long(err);
	secret_free(pair);
	buf_release(&encoded);
	return rc;
}

static int
client_assertion(const struct oauth_conf *c, const struct credentials *with,
    int64_t now, struct grant_request *q, struct err *err)
{
	static const char type[] =
	    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
	struct buf jwt = BUF_INIT(GRANT_MAX);
	int rc = sign(c, with, now, true, &jwt, err);

	if (rc == 0 &&
	    (add(q, c, "client_assertion_type", type) != 0 ||
		add(q, c, "client_assertion", jwt.data) != 0))
		rc = too_long(err);
	buf_release(&jwt);
	return rc;
}

static int
client_bearer(const struct oauth_conf *c, const struct credentials *with,
    int64_t now, struct grant_request *q, struct err *err)
{
	struct buf jwt = BUF_INIT(GRANT_MAX);
	int rc = sign(c, with, now, false, &jwt, err);

	if (rc == 0)
		q->value = xasprintf("Bearer %s", jwt.data);
	buf_release(&jwt);
	return rc;
}

static int (*const clients[])(const struct oauth_conf *c,
    const struct credentials *with, int64_t now, struct grant_request *q,
    struct err *err) = {
	[CLIENT_FIELDS] = client_fields,
	[CLIENT_BASIC] = client_basic,
	[CLIENT_ASSERTION] = client_assertion,
	[CLIENT_BEARER] = client_bearer,
};
_Static_assert(sizeof(clients) / sizeof(clients[0]) == OAUTH_CLIENTS,
    "a kind of client has no row");

/* -- the request ----------------------------------------------------------- */

static int
fill(const struct oauth_conf *c, const struct credentials *with, int64_t now,
    struct grant_request *q, struct err *err)
{
	const bool named =
	    c->client == CLIENT_FIELDS || c->client == CLIENT_ASSERTION;

	if (buf_adds(&q->url, c->token_url) != 0)
		return too_long(err);
	if (add_grant(c, with, now, q, err) != 0)
		return -1;
	if (named && add(q, c, "client_id", c->client_id) != 0)
		return too_long(err);
	if (clients[c->client](c, with, now, q, err) != 0)
		return -1;
	if (add(q, c, "scope", c->scope) != 0)
		return too_long(err);
	for (size_t i = 0; c->fields != NULL && c->fields[i].name != NULL; i++)
		if (add(q, c, c->fields[i].name, with->fields[i]) != 0)
			return too_long(err);
	if (c->body == OAUTH_JSON &&
	    buf_adds(&q->body, q->body.len > 0 ? "}" : "{}") != 0)
		return too_long(err);
	return 0;
}

int
grant_make(const struct oauth_conf *c, const struct credentials *with,
    int64_t now, struct grant_request *out, struct err *err)
{
	*out = (struct grant_request){ .value = NULL };
	buf_init(&out->url, GRANT_MAX);
	buf_init(&out->body, GRANT_MAX);
	if (fill(c, with, now, out, err) != 0)
		return -1;
	if (out->value != NULL)
		out->headers[0] =
		    (struct http_pair){ "Authorization", out->value };
	out->q = (struct http_request){ .url = out->url.data,
		.method = "POST",
		.body = out->body.len > 0 ? out->body.data : "",
		.type = c->body == OAUTH_JSON
		    ? "application/json"
		    : "application/x-www-form-urlencoded",
		.credentials = out->value != NULL ? out->headers : NULL,
		/* A refresh token may be good for one request. */
		.once = c->grant == GRANT_REFRESH_TOKEN,
		.secret = with->secret };
	return 0;
}

static void
wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->len);
	buf_release(b);
}

void
grant_release(struct grant_request *q)
{
	wipe(&q->url);
	wipe(&q->body);
	secret_free(q->value);
}
