/*
 * auth.c - the schemes, and the secrets of those that keep theirs.
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/secret.h"
#include "http/auth.h"
#include "http/auth_jwt.h"
#include "http/aws_sign.h"
#include "http/server_clock.h"

#define BASIC_MAX (128 * 1024)

struct auth {
	const struct scheme *scheme;
	char *option;
	char *text; /* the secret as it is configured */
	char *user;
	char *header;
	char *prefix;
	struct http_pair *more; /* owned, its values secret texts */
	struct oauth *oauth;    /* NULL: not used by the scheme */
	struct oauth_conf conf; /* AUTH_JWT: its texts are in texts, … */
	struct sign_conf sign;  /* … and AUTH_SIGNED's */
	struct http_pair *pairs;
	char *texts[9];
	const char *region; /* AUTH_AWS: likewise */
	const char *service;
	const char *session;
	struct server_clock *clock;
	struct aws_signer aws; /* AUTH_AWS_IDENTITY */

	pthread_mutex_t lock;
	char *secret; /* text, resolved; NULL: to be read */
};

struct scheme {
	/* Add to p what req has to carry. */
	enum reply_class (*apply)(struct auth *a, struct http *h,
	    const struct http_request *req, struct auth_proof *p,
	    struct outcome *r);
	bool (*reject)(struct auth *a, const struct auth_proof *p,
	    struct oauth_user *user);
	/* NULL: nothing to learn from it. */
	void (*accept)(struct auth *a, const struct auth_proof *p,
	    struct oauth_user *user);
};

/* Add a header; the conf has no more of them than there is room for. */
static void
add_value(struct auth_proof *p, const char *name, char *value)
{
	size_t n = 0;

	while (n < AUTH_HEADERS && p->headers[n].name != NULL)
		n++;
	assert(n < AUTH_HEADERS);
	p->names[n] = xstrdup(name);
	p->values[n] = value;
	p->headers[n] =
	    (struct http_pair){ .name = p->names[n], .value = value };
}

/* One whose value is prefix and secret; p->secret is to be secret. */
static void
add_header(struct auth_proof *p, const char *name, const char *prefix)
{
	add_value(p, name, xasprintf("%s%s", prefix, p->secret));
}

static enum reply_class
apply_none(struct auth *a, struct http *h, const struct http_request *req,
    struct auth_proof *p, struct outcome *r)
{
	(void)a;
	(void)h;
	(void)req;
	(void)p;
	return outcome_set(r, REPLY_OK, "no credentials are needed");
}

/* Copy the configured secret, read if need be, to p. */
static enum reply_class
read_secret(struct auth *a, struct auth_proof *p, struct outcome *r)
{
	struct err err = ERR_INIT;

	(void)outcome_set(r, REPLY_OK, "the secret is there");
	(void)pthread_mutex_lock(&a->lock);
	if (a->secret == NULL)
		a->secret = secret_resolve(a->text, &err);
	if (a->secret != NULL)
		p->secret = xstrdup(a->secret);
	else
		(void)outcome_set(r, REPLY_CREDENTIALS, "%s: %s", a->option,
		    err.text);
	(void)pthread_mutex_unlock(&a->lock);
	return r->class;
}

static enum reply_class
apply_header(struct auth *a, struct http *h, const struct http_request *req,
    struct auth_proof *p, struct outcome *r)
{
	struct err err = ERR_INIT;

	(void)h;
	(void)req;
	(void)outcome_set(r, REPLY_OK, "the secrets are there");
	if (*a->text != '\0' && read_secret(a, p, r) == REPLY_OK)
		add_header(p, a->header, a->prefix);
	for (const struct http_pair *m = a->more;
	     r->class == REPLY_OK && m->name != NULL; m++) {
		char *value = secret_resolve(m->value, &err);

		if (value != NULL)
			add_value(p, m->name, value);
		else
			(void)outcome_set(r, REPLY_CREDENTIALS, "%s: %s",
			    m->name, err.text);
	}
	return r->class;
}

static enum reply_class
apply_basic(struct auth *a, struct http *h, const struct http_request *req,
    struct auth_proof *p, struct outcome *r)
{
	struct buf encoded = BUF_INIT(BASIC_MAX);
	char *pair;

	(void)h;
	(void)req;
	if (read_secret(a, p, r) != REPLY_OK)
		return r->class;
	pair = *a->user != '\0' ? xasprintf("%s:%s", a->user, p->secret)
				: xasprintf("%s:", p->secret);
	secret_free(p->secret);
	p->secret = NULL;
	if (text_base64(&encoded, pair, strlen(pair)) == 0) {
		p->secret = buf_take(&encoded, NULL);
		add_header(p, "Authorization", "Basic ");
	} else {
		(void)outcome_set(r, REPLY_CREDENTIALS, "%s: too long",
		    a->option);
	}
	secret_free(pair);
	buf_release(&encoded);
	return r->class;
}

static enum reply_class
apply_token(struct auth *a, struct http *h, const struct http_request *req,
    struct auth_proof *p, struct outcome *r)
{
	(void)req;
	p->secret = oauth_token(a->oauth, h, r);
	if (p->secret != NULL)
		add_header(p, a->header, a->prefix);
	return r->class;
}

/* A token of our own making; it is made anew for each request, since to sign
 * costs less than to ask. */
static enum reply_class
apply_jwt(struct auth *a, struct http *h, const struct http_request *req,
    struct auth_proof *p, struct outcome *r)
{
	const struct oauth_conf *c = &a->conf;
	struct buf jwt = BUF_INIT(BASIC_MAX);
	struct err err = ERR_INIT;
	char *key = secret_resolve_pem(a->text, &err);
	const struct jwt t = { .private_key = key,
		.key_id = c->key_id,
		.issuer = c->issuer,
		.subject = c->subject,
		.audience = c->audience,
		.claims = c->claims,
		.life = c->claim_life,
		.now = server_clock_now(a->clock) };

	(void)h;
	(void)req;
	(void)outcome_set(r, REPLY_OK, "the token is signed");
	if (key == NULL || jwt_sign(&t, &jwt, &err) != 0) {
		(void)outcome_set(r, REPLY_CREDENTIALS, "%s", err.text);
	} else {
		p->secret = buf_take(&jwt, NULL);
		add_header(p, a->header, a->prefix);
	}
	secret_free(key);
	buf_release(&jwt);
	return r->class;
}

/* sign_header_fn */
static void
give_header(void *ctx, const char *name, const char *value)
{
	add_value(ctx, name, xstrdup(value));
}

static enum reply_class
apply_signature(struct auth *a, struct http *h, const struct http_request *req,
    struct auth_proof *p, struct outcome *r)
{
	const bool pem = a->sign.algorithm == SIGN_RSA_SHA256;
	struct err err = ERR_INIT;

	(void)h;
	(void)outcome_set(r, REPLY_OK, "the request is signed");
	p->secret = pem ? secret_resolve_pem(a->text, &err)
			: secret_resolve(a->text, &err);
	if (p->secret == NULL)
		(void)outcome_set(r, REPLY_CREDENTIALS, "%s: %s", a->option,
		    err.text);
	else if (sign_request(&a->sign, p->secret, req,
		     server_clock_now(a->clock), give_header, p, &err) != 0)
		(void)outcome_set(r, REPLY_CREDENTIALS, "%s", err.text);
	return r->class;
}

/* What AWS wants signed of a request's own headers. */
#define SIGNED_MAX 8
static void
choose_signed(const struct http_request *req, struct http_pair *out)
{
	size_t n = 0;

	if (req->body != NULL && req->type != NULL)
		out[n++] = (struct http_pair){ "content-type", req->type };
	for (const struct http_pair *p = req->headers;
	     p != NULL && p->name != NULL && n < SIGNED_MAX; p++)
		if (strncasecmp(p->name, "x-amz-", 6) == 0)
			out[n++] = *p;
	out[n] = (struct http_pair){ NULL, NULL };
}

static enum reply_class
apply_aws(struct auth *a, struct http *h, const struct http_request *req,
    struct auth_proof *p, struct outcome *r)
{
	struct err err = ERR_INIT;
	struct aws_key key = { .id = a->user };
	struct aws_signature signature = { .values = { NULL } };
	struct http_pair chosen[SIGNED_MAX + 1];
	const struct aws_request q = { .method = req->method != NULL
		    ? req->method
		    : req->body != NULL ? "POST"
					: "GET",
		.url = req->url,
		.headers = chosen,
		.region = a->region,
		.service = a->service,
		.body = req->body,
		.len = req->body != NULL ? strlen(req->body) : 0,
		.now = server_clock_now(a->clock) };

	(void)h;
	choose_signed(req, chosen);
	if (read_secret(a, p, r) != REPLY_OK)
		return r->class;
	key.secret = p->secret;
	if (a->session != NULL)
		key.token = secret_resolve(a->session, &err);
	if ((a->session != NULL && key.token == NULL) ||
	    aws_sign(&q, &key, &signature, &err) != 0)
		(void)outcome_set(r, REPLY_CREDENTIALS, "%s", err.text);
	else
		for (size_t i = 0; signature.headers[i].name != NULL; i++)
			give_header(p, signature.headers[i].name,
			    signature.headers[i].value);
	aws_signature_release(&signature);
	secret_free(key.token);
	return r->class;
}

_Static_assert(AWS_HEADERS <= AUTH_HEADERS, "a proof has room");

static enum reply_class
apply_aws_identity(struct auth *a, struct http *h,
    const struct http_request *req, struct auth_proof *p, struct outcome *r)
{
	struct aws_signature s;

	if (aws_prove(&a->aws, h, req, &s, &p->secret, r) != REPLY_OK)
		return r->class;
	memcpy(p->headers, s.headers, sizeof(s.headers));
	memcpy(p->values, s.values, sizeof(s.values));
	return r->class;
}

static bool
reject_aws_identity(struct auth *a, const struct auth_proof *p,
    struct oauth_user *user)
{
	(void)user;
	return aws_rejected(a->aws.keys, p->secret);
}

static void
accept_aws_identity(struct auth *a, const struct auth_proof *p,
    struct oauth_user *user)
{
	(void)p;
	(void)user;
	aws_accepted(a->aws.keys);
}

/* The HTTP library answers the server's challenge. */
static enum reply_class
apply_digest(struct auth *a, struct http *h, const struct http_request *req,
    struct auth_proof *p, struct outcome *r)
{
	(void)h;
	(void)req;
	return read_secret(a, p, r);
}

/* Reading it again costs nothing. */
static bool
reject_secret(struct auth *a, const struct auth_proof *p,
    struct oauth_user *user)
{
	(void)p;
	(void)user;
	(void)pthread_mutex_lock(&a->lock);
	secret_free(a->secret);
	a->secret = NULL;
	(void)pthread_mutex_unlock(&a->lock);
	return true;
}

static bool
reject_token(struct auth *a, const struct auth_proof *p,
    struct oauth_user *user)
{
	return oauth_reject(a->oauth, p->secret, user);
}

static void
accept_token(struct auth *a, const struct auth_proof *p,
    struct oauth_user *user)
{
	oauth_accept(a->oauth, p->secret, user);
}

static const struct scheme schemes[] = {
	[AUTH_NONE] = { apply_none, reject_secret, NULL },
	[AUTH_BEARER] = { apply_header, reject_secret, NULL },
	[AUTH_BASIC] = { apply_basic, reject_secret, NULL },
	[AUTH_HEADER] = { apply_header, reject_secret, NULL },
	[AUTH_OAUTH2_SECRET] = { apply_token, reject_token, accept_token },
	[AUTH_OAUTH2_ASSERTION] = { apply_token, reject_token, accept_token },
	[AUTH_JWT] = { apply_jwt, reject_secret, NULL },
	[AUTH_SIGNED] = { apply_signature, reject_secret, NULL },
	[AUTH_DIGEST] = { apply_digest, reject_secret, NULL },
	[AUTH_AWS] = { apply_aws, reject_secret, NULL },
	[AUTH_AWS_IDENTITY] = { apply_aws_identity, reject_aws_identity,
	    accept_aws_identity },
};
_Static_assert(sizeof(schemes) / sizeof(schemes[0]) == AUTH_SCHEMES,
    "a scheme has no row");

static char *
copy(const char *s, const char *otherwise)
{
	return xstrdup(s != NULL ? s : otherwise);
}

static struct http_pair *
copy_pairs(const struct http_pair *p)
{
	struct http_pair *out;
	size_t n = 0;

	while (p != NULL && p[n].name != NULL)
		n++;
	out = xcalloc(n + 1, sizeof(*out));
	for (size_t i = 0; i < n; i++)
		out[i] = (struct http_pair){ xstrdup(p[i].name),
			secret_copy(p[i].value) };
	return out;
}

static void
free_pairs(struct http_pair *p)
{
	for (struct http_pair *h = p; h->name != NULL; h++) {
		free((void *)(uintptr_t)h->name);
		secret_free((char *)(uintptr_t)h->value);
	}
	free(p);
}

/* Have a copy of what *text points to for the life of a. */
static void
own(struct auth *a, const char **text)
{
	size_t n = 0;

	while (a->texts[n] != NULL)
		n++;
	if (*text != NULL)
		*text = a->texts[n] = xstrdup(*text);
}

/* What the schemes that sign here need of their conf. */
static void
open_signing(struct auth *a, const struct auth_conf *conf)
{
	const bool jwt = conf->scheme == AUTH_JWT;

	a->conf = conf->oauth;
	a->sign = conf->sign;
	a->pairs = copy_pairs(jwt ? conf->oauth.claims : conf->sign.headers);
	a->conf.claims = a->sign.headers = a->pairs;
	own(a, &a->conf.key_id);
	own(a, &a->conf.issuer);
	own(a, &a->conf.subject);
	own(a, &a->conf.audience);
	own(a, &a->sign.text);
	own(a, &a->sign.user);
	a->region = conf->region;
	a->service = conf->service;
	a->session = conf->session;
	own(a, &a->region);
	own(a, &a->service);
	own(a, &a->session);
	a->clock = server_clock_new();
}

struct auth *
auth_new(const struct auth_conf *conf)
{
	struct auth *a = xcalloc(1, sizeof(*a));
	const bool bearer = conf->scheme == AUTH_BEARER;
	bool token;

	a->scheme = &schemes[conf->scheme];
	token = a->scheme->apply == apply_token || conf->scheme == AUTH_JWT;
	a->option = copy(conf->option, "secret");
	a->text = secret_copy(conf->secret != NULL ? conf->secret : "");
	a->user = copy(conf->user, "");
	a->header = copy(bearer ? NULL : conf->header, "Authorization");
	a->prefix = copy(bearer ? NULL : conf->prefix,
	    bearer || token ? "Bearer " : "");
	a->more = copy_pairs(conf->more);
	if (a->scheme->apply == apply_token)
		a->oauth = oauth_new(&conf->oauth);
	if (conf->scheme == AUTH_JWT || conf->scheme == AUTH_SIGNED ||
	    conf->scheme == AUTH_AWS)
		open_signing(a, conf);
	a->aws = conf->aws;
	(void)pthread_mutex_init(&a->lock, NULL);
	return a;
}

void
auth_free(struct auth *a)
{
	if (a == NULL)
		return;
	oauth_free(a->oauth);
	free(a->option);
	secret_free(a->text);
	free(a->user);
	free(a->header);
	free(a->prefix);
	free_pairs(a->more);
	if (a->pairs != NULL)
		free_pairs(a->pairs);
	for (size_t i = 0; i < sizeof(a->texts) / sizeof(a->texts[0]); i++)
		secret_free(a->texts[i]);
	server_clock_free(a->clock);
	secret_free(a->secret);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}

enum reply_class
auth_apply(struct auth *a, struct http *h, struct http_request *req,
    struct auth_proof *p, struct outcome *r)
{
	if (a->scheme->apply(a, h, req, p, r) == REPLY_OK) {
		req->credentials = p->headers;
		req->secret = p->secret;
		if (a->scheme->apply == apply_digest)
			req->digest_user = a->user;
	}
	return r->class;
}

void
auth_proof_release(struct auth_proof *p)
{
	for (size_t i = 0; i < AUTH_HEADERS; i++)
		secret_free(p->values[i]);
	for (size_t i = 0; i < AUTH_HEADERS; i++)
		free(p->names[i]);
	secret_free(p->secret);
	*p = (struct auth_proof){ .secret = NULL };
}

bool
auth_rejected(struct auth *a, const struct auth_proof *p,
    struct oauth_user *user)
{
	return a->scheme->reject(a, p, user);
}

void
auth_accepted(struct auth *a, const struct auth_proof *p,
    struct oauth_user *user)
{
	if (a->scheme->accept != NULL)
		a->scheme->accept(a, p, user);
}

bool
auth_late(struct auth *a, const struct http_reply *reply)
{
	struct server_clock *clock =
	    a->aws.clock != NULL ? a->aws.clock : a->clock;

	if (clock == NULL || reply->date == INT64_MIN)
		return false;
	server_clock_set(clock, reply);
	return true;
}

char *
auth_host(struct auth *a)
{
	return a->oauth != NULL ? oauth_host(a->oauth) : xstrdup("");
}
