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

#define BASIC_MAX (128 * 1024)

struct auth {
	const struct scheme *scheme;
	char *option;
	char *text; /* the secret as it is configured */
	char *user;
	char *header;
	char *prefix;
	struct oauth *oauth; /* NULL: not used by the scheme */
	struct aws_signer aws;

	pthread_mutex_t lock;
	char *secret; /* text, resolved; NULL: to be read */
};

struct scheme {
	/* Add to p what req has to carry. */
	enum reply_class (*apply)(struct auth *a, struct http *h,
	    const struct http_request *req, struct auth_proof *p,
	    struct outcome *r);
	bool (*reject)(struct auth *a, const struct auth_proof *p,
	    uint64_t *accepts);
	void (*accept)(struct auth *a);
};

/* Add a header whose value is prefix and secret; p->secret is to be secret. */
static void
add_header(struct auth_proof *p, const char *name, const char *prefix)
{
	size_t n = 0;

	while (p->headers[n].name != NULL)
		n++;
	assert(n < AUTH_HEADERS);
	p->values[n] = xasprintf("%s%s", prefix, p->secret);
	p->headers[n] =
	    (struct http_pair){ .name = name, .value = p->values[n] };
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
	(void)h;
	(void)req;
	if (read_secret(a, p, r) == REPLY_OK)
		add_header(p, a->header, a->prefix);
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
	pair = xasprintf("%s:%s", a->user, p->secret);
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
		add_header(p, "Authorization", "Bearer ");
	return r->class;
}

_Static_assert(AWS_HEADERS <= AUTH_HEADERS, "a proof has room");

static enum reply_class
apply_aws(struct auth *a, struct http *h, const struct http_request *req,
    struct auth_proof *p, struct outcome *r)
{
	struct aws_signature s;

	if (aws_prove(&a->aws, h, req, &s, &p->secret, r) != REPLY_OK)
		return r->class;
	memcpy(p->headers, s.headers, sizeof(s.headers));
	memcpy(p->values, s.values, sizeof(s.values));
	return r->class;
}

static bool
reject_aws(struct auth *a, const struct auth_proof *p, uint64_t *accepts)
{
	(void)accepts;
	return aws_rejected(a->aws.keys, p->secret);
}

static void
accept_aws(struct auth *a)
{
	aws_accepted(a->aws.keys);
}

/* Reading it again costs nothing. */
static bool
reject_secret(struct auth *a, const struct auth_proof *p, uint64_t *accepts)
{
	(void)p;
	(void)accepts;
	(void)pthread_mutex_lock(&a->lock);
	secret_free(a->secret);
	a->secret = NULL;
	(void)pthread_mutex_unlock(&a->lock);
	return true;
}

static void
accept_secret(struct auth *a)
{
	(void)a;
}

static bool
reject_token(struct auth *a, const struct auth_proof *p, uint64_t *accepts)
{
	return oauth_reject(a->oauth, p->secret, accepts);
}

static void
accept_token(struct auth *a)
{
	oauth_accept(a->oauth);
}

static const struct scheme schemes[] = {
	[AUTH_NONE] = { apply_none, reject_secret, accept_secret },
	[AUTH_BEARER] = { apply_header, reject_secret, accept_secret },
	[AUTH_BASIC] = { apply_basic, reject_secret, accept_secret },
	[AUTH_HEADER] = { apply_header, reject_secret, accept_secret },
	[AUTH_OAUTH2_SECRET] = { apply_token, reject_token, accept_token },
	[AUTH_OAUTH2_ASSERTION] = { apply_token, reject_token, accept_token },
	[AUTH_AWS] = { apply_aws, reject_aws, accept_aws },
};
_Static_assert(sizeof(schemes) / sizeof(schemes[0]) == AUTH_SCHEMES,
    "a scheme has no row");

static char *
copy(const char *s, const char *otherwise)
{
	return xstrdup(s != NULL ? s : otherwise);
}

struct auth *
auth_new(const struct auth_conf *conf)
{
	struct auth *a = xcalloc(1, sizeof(*a));
	bool bearer = conf->scheme == AUTH_BEARER;

	a->scheme = &schemes[conf->scheme];
	a->option = copy(conf->option, "secret");
	a->text = copy(conf->secret, "");
	a->user = copy(conf->user, "");
	a->header = copy(bearer ? NULL : conf->header, "Authorization");
	a->prefix = copy(bearer ? "Bearer " : conf->prefix, "");
	if (a->scheme->apply == apply_token)
		a->oauth = oauth_new(&conf->oauth);
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
	}
	return r->class;
}

void
auth_proof_release(struct auth_proof *p)
{
	for (size_t i = 0; i < AUTH_HEADERS; i++)
		secret_free(p->values[i]);
	secret_free(p->secret);
	*p = (struct auth_proof){ .secret = NULL };
}

bool
auth_rejected(struct auth *a, const struct auth_proof *p, uint64_t *accepts)
{
	return a->scheme->reject(a, p, accepts);
}

void
auth_accepted(struct auth *a)
{
	a->scheme->accept(a);
}
