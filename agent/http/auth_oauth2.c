/*
 * auth_oauth2.c - access tokens, cached in memory only.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/secret.h"
#include "http/auth_grant.h"
#include "http/auth_kept.h"
#include "http/auth_oauth2.h"
#include "http/client.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "http/token.h"

/* A token is renewed so long before it ends, or at a quarter of its life. */
#define AHEAD (5 * CLOCK_MINUTE)

/* Tokens that nobody can use are got anew no more often than this, growing; …
 */
#define REJECT_AGAIN (CLOCK_SECOND / 2)
/* … and those that one user can't.  The longest wait is what it takes until a
 * permission that was granted is in a token. */
#define REJECT_USER_AGAIN (2 * CLOCK_SECOND)
#define REJECT_MAX (5 * CLOCK_MINUTE)

/* Requests at once for one token. */
#define TRIES 3

struct oauth {
	struct oauth *next; /* of those that are shared */
	size_t users;
	pthread_mutex_t lock;
	struct oauth_conf conf; /* owns its texts */
	struct server_clock *clock;

	char *token;   /* NULL: none */
	char *host;    /* that came with it; NULL: none */
	int64_t renew; /* monotonic */
	int64_t ends;

	struct kept *kept; /* the refresh token that the server gave last */

	unsigned rejected;    /* in a row, by a server */
	int64_t reject_again; /* monotonic: not before */
	unsigned failures;
	int64_t again;              /* monotonic: not before */
	uint8_t failed[DIGEST_LEN]; /* the credentials that did */
	struct outcome why;
};

/* Where a tenant is in another one of Microsoft's clouds. */
#define OTHER_CLOUD(code)                                                  \
	OAUTH_REFUSED(code, "the tenant is in another cloud of Microsoft", \
	    "check cloud")

/* What Microsoft Entra answers: "Microsoft Entra authentication and
 * authorization error codes". */
const struct rule oauth_rules[] = {
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
	OTHER_CLOUD("AADSTS90038"),
	OTHER_CLOUD("AADSTS900382"),
	OTHER_CLOUD("AADSTS900432"),
	OTHER_CLOUD("AADSTS900439"),
	{ .code = "AADSTS900023",
	    .class = REPLY_CONFIG,
	    .cause = "the tenant is not a valid one",
	    .hint = "check tenant" },
	OAUTH_API_RULES("check the options that say which API it is, such as "
			"cloud and hosts, and that the tenant has it",
	    "grant it where the application is registered"),
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
	/* Google says so of a token that is not of its time. */
	{ .code = "invalid_grant",
	    .text = "iat",
	    .class = REPLY_CLOCK,
	    .cause = "the signed claim is outside its time",
	    .hint = "set this machine's clock; the next one uses the "
		    "server's" },
	/* And so of whom a service account is to act for. */
	{ .code = "invalid_grant",
	    .text = "email or user id",
	    .class = REPLY_CONFIG,
	    .cause = "there is no such user to act for",
	    .hint = "check subject" },
	{ .code = "unauthorized_client",
	    .text = "any of the scopes",
	    .class = REPLY_CONFIG,
	    .cause = "the service account may not act for the subject",
	    .hint = "allow its client ID the scope under domain-wide "
		    "delegation, which may take a day to have an effect" },
	{ .code = "invalid_grant",
	    .class = REPLY_CREDENTIALS,
	    .cause = "the grant is refused",
	    .hint = "the refresh token, key or authorisation may have expired "
		    "or been revoked, or is of another user; create a new "
		    "one" },
	{ .code = "invalid_client",
	    .class = REPLY_CREDENTIALS,
	    .cause = "the client's credentials are refused" },
	{ .code = "invalid_dpop_proof",
	    .class = REPLY_CONFIG,
	    .cause = "the application must prove that it holds a key (DPoP), "
		     "which this agent does not",
	    .hint = "switch that off where the application is registered" },
	{ .code = "unauthorized_client",
	    .class = REPLY_CONFIG,
	    .cause = "the application may not use this grant",
	    .hint = "allow it where the application is registered" },
	{ .status = 400,
	    .class = REPLY_CONFIG,
	    .cause = "the token request is refused" },
	{ .status = 401,
	    .class = REPLY_CREDENTIALS,
	    .cause = "the client's credentials are refused" },
	{ .status = 404,
	    .class = REPLY_CONFIG,
	    .cause = "there is no token endpoint" },
	{ .status = 0 },
};

/* The texts of a conf, which are copied and freed one by one. */
static const size_t texts[] = {
#define TEXT(member) offsetof(struct oauth_conf, member)
	TEXT(token_url),
	TEXT(scope),
	TEXT(client_id),
	TEXT(client_secret),
	TEXT(certificate),
	TEXT(private_key),
	TEXT(refresh_token),
	TEXT(keep),
	TEXT(server),
	TEXT(key_id),
	TEXT(issuer),
	TEXT(subject),
	TEXT(audience),
	TEXT(options),
	TEXT(reply.token),
	TEXT(reply.header),
	TEXT(reply.expires_in),
	TEXT(reply.refresh),
	TEXT(reply.expires_at),
	TEXT(reply.host),
#undef TEXT
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static const char **
text_at(const struct oauth_conf *c, size_t i)
{
	return (const char **)((uintptr_t)c + texts[i]);
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
free_pairs(const struct http_pair *p)
{
	for (size_t i = 0; p[i].name != NULL; i++) {
		free((void *)(uintptr_t)p[i].name);
		secret_free((char *)(uintptr_t)p[i].value);
	}
	free((void *)(uintptr_t)p);
}

/* -- objects --------------------------------------------------------------- */

/* Those that others with the same conf share. */
static struct oauth *shared;
static pthread_mutex_t sharing = PTHREAD_MUTEX_INITIALIZER;

/* Are tokens replaced, and where are they kept? */
static bool
keeps(const struct oauth_conf *c)
{
	return c->grant == GRANT_REFRESH_TOKEN && c->keep != NULL;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_pairs(const struct http_pair *a, const struct http_pair *b)
{
	for (; a != NULL && a->name != NULL; a++, b++)
		if (b == NULL || !same_text(a->name, b->name) ||
		    !same_text(a->value, b->value))
			return false;
	return b == NULL || b->name == NULL;
}

static bool
same_conf(const struct oauth_conf *a, const struct oauth_conf *b)
{
	for (size_t i = 0; i < TEXTS; i++)
		if (!same_text(*text_at(a, i), *text_at(b, i)))
			return false;
	return a->grant == b->grant && a->client == b->client &&
	    a->body == b->body && a->claim_life == b->claim_life &&
	    a->reply.life == b->reply.life && a->wait_max == b->wait_max &&
	    same_pairs(a->fields, b->fields) &&
	    same_pairs(a->claims, b->claims);
}

/* Each who shares it may have kept the token in a place of its own once. */
static void
add_old(struct oauth *o, const struct oauth_conf *conf)
{
	for (size_t i = 0; i < sizeof(conf->kept) / sizeof(conf->kept[0]); i++)
		if (conf->kept[i] != NULL)
			kept_add_old(o->kept, conf->kept[i]);
}

static struct oauth *
make(const struct oauth_conf *conf)
{
	struct oauth *o = xcalloc(1, sizeof(*o));
	struct oauth_conf *c = &o->conf;

	(void)pthread_mutex_init(&o->lock, NULL);
	*c = *conf;
	for (size_t i = 0; i < TEXTS; i++)
		if (*text_at(c, i) != NULL)
			*text_at(c, i) = secret_copy(*text_at(c, i));
	c->fields = copy_pairs(conf->fields);
	c->claims = copy_pairs(conf->claims);
	if (c->client == CLIENT_FIELDS && c->private_key != NULL &&
	    c->grant != GRANT_JWT_BEARER)
		c->client = CLIENT_ASSERTION;
	if (c->rules == NULL)
		c->rules = oauth_rules;
	o->kept =
	    kept_new(c->keep, c->server != NULL ? c->server : c->token_url,
		c->client_id != NULL ? c->client_id : "");
	o->clock = server_clock_new();
	return o;
}

struct oauth *
oauth_new(const struct oauth_conf *conf)
{
	struct oauth *o;

	(void)pthread_mutex_lock(&sharing);
	for (o = keeps(conf) ? shared : NULL; o != NULL; o = o->next)
		if (same_conf(&o->conf, conf))
			break;
	if (o == NULL) {
		o = make(conf);
		if (keeps(conf)) {
			o->next = shared;
			shared = o;
		}
	}
	(void)pthread_mutex_lock(&o->lock);
	o->users++;
	add_old(o, conf);
	(void)pthread_mutex_unlock(&o->lock);
	(void)pthread_mutex_unlock(&sharing);
	return o;
}

/* Give one back: is it nobody's any more? */
static bool
leave(struct oauth *o)
{
	struct oauth **at = &shared;
	bool last;

	(void)pthread_mutex_lock(&sharing);
	last = --o->users == 0;
	while (*at != NULL && *at != o)
		at = &(*at)->next;
	if (last && *at != NULL)
		*at = o->next;
	(void)pthread_mutex_unlock(&sharing);
	return last;
}

void
oauth_free(struct oauth *o)
{
	if (o == NULL || !leave(o))
		return;
	for (size_t i = 0; i < TEXTS; i++)
		secret_free((char *)(uintptr_t)*text_at(&o->conf, i));
	free_pairs(o->conf.fields);
	free_pairs(o->conf.claims);
	secret_free(o->token);
	kept_free(o->kept);
	free(o->host);
	server_clock_free(o->clock);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
}

/* -- refresh tokens -------------------------------------------------------- */

/* Use that refresh token instead of the configured one which the server gave in
 * its place, maybe to another source, a process before this one or `check
 * --live`.  A server may replace it with every grant: none is asked for that
 * could not be kept, nor while another one is. */
static int
latest_refresh(struct oauth *o, struct credentials *c, struct outcome *r)
{
	struct err err = ERR_INIT;
	char *latest;

	if (kept_claim(o->kept, c->refresh_token, &err) != 0) {
		(void)outcome_set(r, REPLY_RETRY,
		    "the refresh token that may come with it could not be "
		    "kept: %s",
		    err.text);
		return -1;
	}
	if (kept_latest(o->kept, &latest, &err) != 0) {
		kept_release(o->kept);
		(void)outcome_set(r, REPLY_CREDENTIALS, "%s", err.text);
		return -1;
	}
	if (latest != NULL) {
		secret_free(c->refresh_token);
		c->refresh_token = latest;
	}
	return 0;
}

/* Make the refresh token durable, if it is not; only then may what came with it
 * be used, and another one asked for. */
static enum reply_class
keep_refresh(struct oauth *o, struct outcome *r)
{
	struct err err = ERR_INIT;

	if (kept_save(o->kept, &err) != 0)
		return outcome_set(r, REPLY_RETRY,
		    "the new refresh token cannot be kept, without which the "
		    "next start would have none: %s",
		    err.text);
	kept_release(o->kept);
	return outcome_set(r, REPLY_OK, "the token is valid");
}

/* -- tokens ---------------------------------------------------------------- */

/* What is no token is told with its begin, but for what may be one. */
static void
tell_no_token(const struct rule *rules, const struct http_reply *reply,
    struct outcome *r)
{
	if (reply->body.len > 0 &&
	    strcasestr(reply->body.data, "token") != NULL)
		(void)outcome_set(r, REPLY_RETRY,
		    "status %d without a usable access token (type %s); check "
		    "where tokens are got, and any proxy in between",
		    reply->status, reply->type);
	else
		rules_unexpected(rules, reply, "an access token", r);
}

static void
keep_token(struct oauth *o, const struct credentials *c,
    const struct http_reply *reply, struct outcome *r)
{
	struct token t;
	int64_t ahead;

	token_read(&o->conf.reply, reply, server_clock_now(o->clock), &t);
	if (t.access == NULL) {
		tell_no_token(o->conf.rules, reply, r);
		token_release(&t);
		return;
	}
	ahead = t.life / 4 < AHEAD ? t.life / 4 : AHEAD;
	secret_free(o->token);
	o->token = t.access;
	o->ends = clock_monotonic() + t.life;
	o->renew = o->ends - ahead;
	free(o->host);
	o->host = t.host;
	if (o->conf.grant == GRANT_REFRESH_TOKEN && t.refresh != NULL &&
	    strcmp(t.refresh, c->refresh_token) != 0) {
		kept_take(o->kept, t.refresh);
		t.refresh = NULL;
	}
	t.access = t.host = NULL;
	token_release(&t);
	(void)keep_refresh(o, r);
}

/* Behind a refusal: where to look, but for what Entra explains by a code of its
 * own.  A 403, which is about permissions elsewhere, is CrowdStrike's answer to
 * a wrong secret, too. */
static void
name_options(const struct oauth *o, struct outcome *r)
{
	const size_t len = strlen(r->text);

	if (o->conf.options != NULL &&
	    (r->class == REPLY_CREDENTIALS || r->class == REPLY_CONFIG) &&
	    strncmp(r->code, "AADSTS", 6) != 0)
		(void)snprintf(r->text + len, sizeof(r->text) - len,
		    "; check %s", o->conf.options);
}

static void
ask(struct oauth *o, struct http *h, const struct credentials *c,
    struct outcome *r)
{
	struct grant_request q;
	struct err err = ERR_INIT;
	struct http_reply reply;

	http_reply_init(&reply);
	if (grant_make(&o->conf, c, server_clock_now(o->clock), &q, &err) !=
	    0) {
		(void)outcome_set(r, REPLY_CREDENTIALS, "%s", err.text);
	} else {
		int rc = http_do(h, &q.q, &reply, &err);

		server_clock_set(o->clock, &reply);
		if (rc != 0) {
			(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
		} else {
			rules_judge(o->conf.rules, &reply, r);
			if (r->class == REPLY_OK)
				keep_token(o, c, &reply, r);
			name_options(o, r);
		}
	}
	if (reply.body.data != NULL)
		explicit_bzero(reply.body.data, reply.body.len);
	grant_release(&q);
	http_reply_release(&reply);
}

/* Ask with the credentials; with the lock held. */
static void
ask_again(struct oauth *o, struct http *h, struct credentials *c,
    struct outcome *r)
{
	if (o->conf.grant == GRANT_REFRESH_TOKEN && c->refresh_token != NULL &&
	    latest_refresh(o, c, r) != 0)
		return;
	/* A hiccup of this server stops everything: look twice.  And a reply
	 * that tells of a wrong clock has told the time. */
	for (int try = 0; try < TRIES; try++) {
		ask(o, h, c, r);
		if ((r->class != REPLY_RETRY && r->class != REPLY_CLOCK) ||
		    kept_waits(o->kept))
			break;
	}
	if (!kept_waits(o->kept))
		kept_release(o->kept);
}

/* Get a token; with the lock held. */
static void
renew(struct oauth *o, struct http *h, struct outcome *r)
{
	int64_t now = clock_monotonic();
	struct credentials c;
	struct err err = ERR_INIT;
	char text[sizeof(r->text)];

	if (credentials_read(&o->conf, &c, &err) != 0) {
		(void)outcome_set(r, REPLY_CREDENTIALS, "%s", err.text);
	} else if (now < o->again &&
	    memcmp(c.digest, o->failed, DIGEST_LEN) == 0) {
		*r = o->why;
		r->wait = o->again - now;
		credentials_release(&c);
		return;
	} else {
		ask_again(o, h, &c, r);
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
		if (o->conf.wait_max > 0 && r->wait > o->conf.wait_max)
			r->wait = o->conf.wait_max;
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
	/* No other one is asked for before this one is durable. */
	if (keep_refresh(o, r) == REPLY_OK &&
	    (o->token == NULL || clock_monotonic() >= o->renew))
		renew(o, h, r);
	/* While a renewal fails, the old one is good to its end. */
	if (r->class != REPLY_OK && o->token != NULL && !kept_waits(o->kept) &&
	    clock_monotonic() < o->ends)
		(void)outcome_set(r, REPLY_OK, "the token is valid");
	if (r->class == REPLY_OK)
		token = secret_copy(o->token);
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

char *
oauth_host(struct oauth *o)
{
	char *host;

	(void)pthread_mutex_lock(&o->lock);
	host = xstrdup(o->host != NULL ? o->host : "");
	(void)pthread_mutex_unlock(&o->lock);
	return host;
}

bool
oauth_reject(struct oauth *o, const char *token, struct oauth_user *user)
{
	int64_t now = clock_monotonic();
	bool another = true;

	(void)pthread_mutex_lock(&o->lock);
	if (o->token != NULL && strcmp(o->token, token) == 0) {
		bool over = now >= o->ends;

		another =
		    over || (now >= o->reject_again && now >= user->again);
		if (another) {
			secret_free(o->token);
			o->token = NULL;
		}
		if (another && !over) {
			o->reject_again = now +
			    backoff(o->rejected++, REJECT_AGAIN, REJECT_MAX);
			user->again = now +
			    backoff(user->refused++, REJECT_USER_AGAIN,
				REJECT_MAX);
		}
	}
	(void)pthread_mutex_unlock(&o->lock);
	return another;
}

void
oauth_accept(struct oauth *o, const char *token, struct oauth_user *user)
{
	user->refused = 0;
	user->again = 0;
	(void)pthread_mutex_lock(&o->lock);
	/* That another one was good says nothing of this one. */
	if (o->token != NULL && strcmp(o->token, token) == 0) {
		o->rejected = 0;
		o->reject_again = 0;
	}
	(void)pthread_mutex_unlock(&o->lock);
}
