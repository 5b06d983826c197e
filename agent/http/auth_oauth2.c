/*
 * auth_oauth2.c - access tokens, cached in memory only.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/secret.h"
#include "http/auth_jwt.h"
#include "http/auth_oauth2.h"
#include "http/client.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "http/token.h"

/* A token is renewed so long before it ends, or at a quarter of its life. */
#define AHEAD (5 * CLOCK_MINUTE)

/* Tokens that are refused are got anew no more often than this, growing. */
#define REJECT_AGAIN (2 * CLOCK_SECOND)
#define REJECT_MAX (5 * CLOCK_MINUTE)

/* Requests at once for one token. */
#define TRIES 3

#define BODY_MAX (32 * 1024)

struct oauth {
	pthread_mutex_t lock;
	char *token_url;
	char *scope;
	char *client_id;
	char *client_secret;
	char *certificate;
	char *private_key;
	struct server_clock *clock;

	char *token;   /* NULL: none */
	int64_t renew; /* monotonic */
	int64_t ends;

	int64_t wait_max;
	unsigned rejected;    /* in a row, by a server */
	int64_t reject_again; /* monotonic: not before */
	uint64_t accepts;     /* by a server, ever */
	unsigned failures;
	int64_t again;              /* monotonic: not before */
	uint8_t failed[DIGEST_LEN]; /* the credentials that did */
	struct outcome why;
};

/* What Microsoft Entra answers: "Microsoft Entra authentication and
 * authorization error codes". */
static const struct rule rules[] = {
	{ .code = "AADSTS7000222",
	    .class = REPLY_CREDENTIALS,
	    .cause = "the client secret or certificate has expired",
	    .hint = "create a new one in the app registration and put it where "
		    "client_secret or certificate points" },
	{ .code = "AADSTS7000215",
	    .class = REPLY_CREDENTIALS,
	    .cause = "the client secret is wrong",
	    .hint = "client_secret must be the secret's value, not its ID" },
	{ .code = "AADSTS7000216",
	    .class = REPLY_CREDENTIALS,
	    .cause = "no secret or assertion arrived",
	    .hint = "set client_secret, or certificate and private_key" },
	{ .code = "AADSTS700027",
	    .class = REPLY_CREDENTIALS,
	    .cause = "the assertion's certificate is not registered",
	    .hint = "upload certificate to the app registration" },
	{ .code = "AADSTS700024",
	    .class = REPLY_CLOCK,
	    .cause = "the assertion is outside its time",
	    .hint = "set this machine's clock; the next assertion uses the "
		    "server's" },
	{ .code = "AADSTS700016",
	    .class = REPLY_CONFIG,
	    .cause = "the application is unknown in this tenant",
	    .hint = "check client_id, tenant and cloud" },
	{ .code = "AADSTS700021",
	    .class = REPLY_CONFIG,
	    .cause = "the assertion's client is not the application",
	    .hint = "check client_id" },
	{ .code = "AADSTS90002",
	    .class = REPLY_CONFIG,
	    .cause = "the tenant is unknown",
	    .hint = "check tenant and cloud" },
	{ .code = "AADSTS900023",
	    .class = REPLY_CONFIG,
	    .cause = "the tenant is not a valid one",
	    .hint = "check tenant" },
	{ .code = "AADSTS500011",
	    .class = REPLY_CONFIG,
	    .cause = "the API is unknown in this tenant",
	    .hint = "check cloud and api_url, and that the tenant has the "
		    "Office 365 Management APIs" },
	{ .code = "AADSTS7000112",
	    .class = REPLY_CONFIG,
	    .cause = "the application is disabled",
	    .hint = "enable the enterprise application in the tenant" },
	{ .code = "AADSTS65001",
	    .class = REPLY_CONFIG,
	    .cause = "nobody has consented to the permissions",
	    .hint = "grant admin consent to the application" },
	{ .code = "AADSTS53003",
	    .class = REPLY_CONFIG,
	    .cause = "a conditional access policy blocks the application",
	    .hint = "exempt this workload identity or this network" },
	{ .code = "AADSTS90033",
	    .class = REPLY_RETRY,
	    .cause = "Microsoft Entra is temporarily unavailable" },
	{ .code = "AADSTS90012",
	    .class = REPLY_RETRY,
	    .cause = "Microsoft Entra timed out" },
	{ .code = "invalid_client",
	    .class = REPLY_CREDENTIALS,
	    .cause = "the client's credentials are refused",
	    .hint = "check client_id and client_secret or certificate" },
	{ .code = "unauthorized_client",
	    .class = REPLY_CONFIG,
	    .cause = "the application may not use this grant",
	    .hint = "check the app registration" },
	{ .code = "invalid_scope",
	    .class = REPLY_CONFIG,
	    .cause = "the scope is refused",
	    .hint = "check cloud and api_url" },
	{ .status = 400,
	    .class = REPLY_CONFIG,
	    .cause = "the token request is refused",
	    .hint = "check tenant, client_id and cloud" },
	{ .status = 401,
	    .class = REPLY_CREDENTIALS,
	    .cause = "the client's credentials are refused",
	    .hint = "check client_id and client_secret or certificate" },
	{ .status = 404,
	    .class = REPLY_CONFIG,
	    .cause = "there is no token endpoint",
	    .hint = "check login_url and tenant" },
	{ .status = 0 },
};

static char *
copy(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

struct oauth *
oauth_new(const struct oauth_conf *conf)
{
	struct oauth *o = xcalloc(1, sizeof(*o));

	(void)pthread_mutex_init(&o->lock, NULL);
	o->token_url = xstrdup(conf->token_url);
	o->scope = xstrdup(conf->scope);
	o->client_id = xstrdup(conf->client_id);
	o->client_secret = copy(conf->client_secret);
	o->certificate = copy(conf->certificate);
	o->private_key = copy(conf->private_key);
	o->wait_max = conf->wait_max;
	o->accepts = OAUTH_NEVER + 1;
	o->clock = server_clock_new();
	return o;
}

void
oauth_free(struct oauth *o)
{
	if (o == NULL)
		return;
	free(o->token_url);
	free(o->scope);
	free(o->client_id);
	secret_free(o->client_secret);
	secret_free(o->certificate);
	secret_free(o->private_key);
	secret_free(o->token);
	server_clock_free(o->clock);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
}

/* The credentials, resolved for one request. */
struct credentials {
	char *secret;
	char *certificate;
	char *private_key;
	uint8_t digest[DIGEST_LEN];
};

static void
credentials_release(struct credentials *c)
{
	secret_free(c->secret);
	secret_free(c->certificate);
	secret_free(c->private_key);
}

static void
credentials_digest(struct credentials *c)
{
	const char *all[] = { c->secret, c->certificate, c->private_key };
	struct digest *d = digest_new();

	memset(c->digest, 0, DIGEST_LEN);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *s = all[i] != NULL ? all[i] : "";

		digest_sha256(d, c->digest, DIGEST_LEN, s, strlen(s),
		    c->digest);
	}
	digest_free(d);
}

static int
credentials_read(const struct oauth *o, struct credentials *c, struct err *err)
{
	*c = (struct credentials){ .secret = NULL };
	if (o->client_secret != NULL) {
		c->secret = secret_resolve(o->client_secret, err);
		if (c->secret == NULL)
			return err_prefix(err, "client_secret");
	}
	if (o->certificate != NULL) {
		c->certificate = secret_resolve_pem(o->certificate, err);
		if (c->certificate == NULL)
			return err_prefix(err, "certificate");
	}
	if (o->private_key != NULL) {
		c->private_key = secret_resolve_pem(o->private_key, err);
		if (c->private_key == NULL)
			return err_prefix(err, "private_key");
	}
	credentials_digest(c);
	return 0;
}

/* Append "&name=value" in the form encoding. */
static int
add_field(struct buf *body, const char *name, const char *value)
{
	char *escaped = curl_easy_escape(NULL, value, 0);
	int rc = -1;

	if (escaped == NULL)
		return -1;
	if (buf_addf(body, "%s%s=", body->len > 0 ? "&" : "", name) == 0)
		rc = buf_adds(body, escaped);
	explicit_bzero(escaped, strlen(escaped));
	curl_free(escaped);
	return rc;
}

static int
add_assertion(const struct oauth *o, const struct credentials *c,
    struct buf *body, struct err *err)
{
	const struct assertion a = { .audience = o->token_url,
		.client_id = o->client_id,
		.certificate = c->certificate,
		.private_key = c->private_key,
		.now = server_clock_now(o->clock) };
	struct buf jwt = BUF_INIT(BODY_MAX);
	int rc = -1;

	if (oauth_assertion(&a, &jwt, err) == 0) {
		rc = add_field(body, "client_assertion_type",
		    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
		if (rc == 0)
			rc = add_field(body, "client_assertion", jwt.data);
		if (rc != 0)
			(void)err_set(err, "the token request is too long");
	}
	buf_release(&jwt);
	return rc;
}

static int
make_body(const struct oauth *o, const struct credentials *c, struct buf *body,
    struct err *err)
{
	if (add_field(body, "grant_type", "client_credentials") != 0 ||
	    add_field(body, "client_id", o->client_id) != 0 ||
	    add_field(body, "scope", o->scope) != 0)
		return err_set(err, "the token request is too long");
	if (c->certificate != NULL)
		return add_assertion(o, c, body, err);
	if (add_field(body, "client_secret", c->secret) != 0)
		return err_set(err, "client_secret: too long");
	return 0;
}

/* What is no token is told with its begin, but for what may be one. */
static void
tell_no_token(const struct http_reply *reply, struct outcome *r)
{
	if (reply->body.len > 0 &&
	    strcasestr(reply->body.data, "token") != NULL)
		(void)outcome_set(r, REPLY_RETRY,
		    "status %d without a usable access token (type %s); check "
		    "login_url and any proxy in between",
		    reply->status, reply->type);
	else
		rules_unexpected(rules, reply, "an access token", r);
}

static void
keep_token(struct oauth *o, const struct http_reply *reply, struct outcome *r)
{
	int64_t life, ahead;
	char *token =
	    token_read(reply->body.data != NULL ? reply->body.data : "",
		reply->body.len, &life);

	if (token == NULL) {
		tell_no_token(reply, r);
		return;
	}
	ahead = life / 4 < AHEAD ? life / 4 : AHEAD;
	secret_free(o->token);
	o->token = token;
	o->ends = clock_monotonic() + life;
	o->renew = o->ends - ahead;
	(void)outcome_set(r, REPLY_OK, "a token was issued");
}

static void
ask(struct oauth *o, struct http *h, const struct credentials *c,
    struct outcome *r)
{
	struct buf body = BUF_INIT(BODY_MAX);
	struct err err = ERR_INIT;
	struct http_reply reply;

	http_reply_init(&reply);
	if (make_body(o, c, &body, &err) != 0) {
		(void)outcome_set(r, REPLY_CREDENTIALS, "%s", err.text);
	} else {
		const struct http_request req = { .url = o->token_url,
			.body = body.data,
			.type = "application/x-www-form-urlencoded",
			.secret = c->secret };
		int rc = http_do(h, &req, &reply, &err);

		server_clock_set(o->clock, &reply);
		if (rc != 0) {
			(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
		} else {
			rules_judge(rules, &reply, r);
			if (r->class == REPLY_OK)
				keep_token(o, &reply, r);
		}
	}
	if (body.data != NULL)
		explicit_bzero(body.data, body.len);
	if (reply.body.data != NULL)
		explicit_bzero(reply.body.data, reply.body.len);
	buf_release(&body);
	http_reply_release(&reply);
}

/* Get a token; with the lock held. */
static void
renew(struct oauth *o, struct http *h, struct outcome *r)
{
	int64_t now = clock_monotonic();
	struct credentials c;
	struct err err = ERR_INIT;
	char text[sizeof(r->text)];

	if (credentials_read(o, &c, &err) != 0) {
		(void)outcome_set(r, REPLY_CREDENTIALS, "%s", err.text);
	} else if (now < o->again &&
	    memcmp(c.digest, o->failed, DIGEST_LEN) == 0) {
		*r = o->why;
		r->wait = o->again - now;
		credentials_release(&c);
		return;
	} else {
		/* A hiccup of this server stops everything: look twice.  And
		 * a reply that tells of a wrong clock has told the time. */
		for (int try = 0; try < TRIES; try++) {
			ask(o, h, &c, r);
			if (r->class != REPLY_RETRY && r->class != REPLY_CLOCK)
				break;
		}
	}
	if (r->class == REPLY_OK) {
		o->failures = 0;
		o->again = 0;
	} else {
		int64_t wait =
		    backoff(o->failures++, CLOCK_SECOND / 2, CLOCK_MINUTE);

		(void)snprintf(text, sizeof(text), "%s", r->text);
		(void)snprintf(r->text, sizeof(r->text),
		    "no access token: %.1000s", text);
		if (o->wait_max > 0 && r->wait > o->wait_max)
			r->wait = o->wait_max;
		if (r->wait < wait)
			r->wait = wait;
		o->again = clock_monotonic() + r->wait;
		memcpy(o->failed, c.digest, DIGEST_LEN);
		o->why = *r;
	}
	credentials_release(&c);
}

char *
oauth_token(struct oauth *o, struct http *h, struct outcome *r)
{
	char *token = NULL;

	(void)pthread_mutex_lock(&o->lock);
	(void)outcome_set(r, REPLY_OK, "the token is valid");
	if (o->token == NULL || clock_monotonic() >= o->renew)
		renew(o, h, r);
	/* While a renewal fails, the old one is good to its end. */
	if (r->class != REPLY_OK && o->token != NULL &&
	    clock_monotonic() < o->ends)
		(void)outcome_set(r, REPLY_OK, "the token is valid");
	if (r->class == REPLY_OK)
		token = xstrdup(o->token);
	(void)pthread_mutex_unlock(&o->lock);
	return token;
}

void
oauth_times(struct oauth *o, int64_t *renew, int64_t *ends)
{
	(void)pthread_mutex_lock(&o->lock);
	*renew = o->renew;
	*ends = o->ends;
	(void)pthread_mutex_unlock(&o->lock);
}

bool
oauth_reject(struct oauth *o, const char *token, uint64_t *accepts)
{
	int64_t now = clock_monotonic();
	bool another = true;

	(void)pthread_mutex_lock(&o->lock);
	if (o->token != NULL && strcmp(o->token, token) == 0) {
		bool over = now >= o->ends;

		another = over ||
		    (now >= o->reject_again &&
			(*accepts == OAUTH_NEVER || *accepts == o->accepts));
		if (another) {
			secret_free(o->token);
			o->token = NULL;
		}
		if (another && !over)
			o->reject_again = now +
			    backoff(o->rejected++, REJECT_AGAIN, REJECT_MAX);
	}
	*accepts = o->accepts;
	(void)pthread_mutex_unlock(&o->lock);
	return another;
}

void
oauth_accept(struct oauth *o)
{
	(void)pthread_mutex_lock(&o->lock);
	o->rejected = 0;
	o->reject_again = 0;
	o->accepts++;
	(void)pthread_mutex_unlock(&o->lock);
}
