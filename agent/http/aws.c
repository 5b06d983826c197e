/*
 * aws.c - where the keys of an identity at AWS come from.
 *
 * docs.aws.amazon.com: STS API Reference (AssumeRole,
 * AssumeRoleWithWebIdentity), "Use IMDSv2" in the EC2 User Guide, "Container
 * credential provider" in the SDK Reference Guide.
 */
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/xml.h"
#include "config/secret.h"
#include "http/aws.h"
#include "http/client.h"
#include "http/rate.h"
#include "http/server_clock.h"

/* Keys are got anew so long before they end, or at a quarter of their life. */
#define AHEAD (5 * CLOCK_MINUTE)
/* … and not more often than this when AWS does not accept them. */
#define REJECT_AGAIN (2 * CLOCK_SECOND)
#define REJECT_MAX (5 * CLOCK_MINUTE)
/* What is near answers at once, or is not there. */
#define NEAR (3 * CLOCK_SECOND)
#define TRIES 3
#define BODY_MAX (128 * 1024)
#define FIELD_MAX (16 * 1024)
#define METADATA "http://169.254.169.254"
#define METADATA_HOPS                                                       \
	"no answer from the instance's metadata; give aws.key or another "  \
	"identity, or where this runs in a container on EC2 raise the hop " \
	"limit to 2 (aws ec2 modify-instance-metadata-options "             \
	"--http-put-response-hop-limit 2)"

/* What a way to get keys has brought. */
struct grant {
	struct aws_key key;
	int64_t life; /* microseconds from now; INT64_MAX: it does not end */
};

struct aws {
	const struct aws_conf *conf;
	pthread_mutex_t lock;
	struct server_clock *clock; /* of AWS, for signatures */
	struct grant now;           /* key.id NULL: none */
	int64_t renew;              /* monotonic */
	int64_t ends;
	unsigned failures; /* in a row */
	int64_t again;     /* monotonic: not before */
	struct outcome why;
	unsigned rejected;    /* in a row, by a service */
	int64_t reject_again; /* monotonic: not before */
};

struct aws *
aws_new(const struct aws_conf *conf)
{
	struct aws *a = xcalloc(1, sizeof(*a));

	a->conf = conf;
	(void)pthread_mutex_init(&a->lock, NULL);
	a->clock = server_clock_new();
	return a;
}

void
aws_free(struct aws *a)
{
	if (a == NULL)
		return;
	aws_key_release(&a->now.key);
	server_clock_free(a->clock);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}

/* A text that is set and not "". */
static const char *
variable(const char *name)
{
	const char *text = getenv(name);

	return text != NULL && *text != '\0' ? text : NULL;
}

static enum reply_class
fail(struct outcome *r, const struct err *err)
{
	return outcome_set(r, REPLY_CREDENTIALS, "%s", err->text);
}

/* A file's text, without a newline at its end; NULL and r. */
static char *
read_file(const char *what, const char *path, struct outcome *r)
{
	char *reference = xasprintf("${file:%s}", path);
	struct err err = ERR_INIT;
	char *text = secret_resolve(reference, &err);

	free(reference);
	if (text == NULL) {
		(void)err_prefix(&err, "%s", what);
		(void)fail(r, &err);
	}
	return text;
}

/* How long a key lives that ends at that time of the server's; a clock that is
 * ahead of the key's end is wrong. */
static int64_t
life_of(const char *ends, const struct http_reply *reply)
{
	int64_t when, now = reply->date;

	if (now == INT64_MIN)
		now = clock_now();
	if (clock_parse(ends, strlen(ends), &when) != 0 || when <= now)
		return CLOCK_MINUTE;
	return when - now < CLOCK_DAY * 2 ? when - now : CLOCK_DAY * 2;
}

/* Would a header or a signature take it? */
static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
			return false;
	return true;
}

/* Take a key as it was told; false: it is none. */
static bool
take_key(struct grant *g, const char *id, const char *secret, const char *token)
{
	if (id == NULL || secret == NULL || *id == '\0' || *secret == '\0' ||
	    !is_plain(id) || strchr(id, '/') != NULL || !is_plain(secret) ||
	    (token != NULL && !is_plain(token)))
		return false;
	g->key.id = xstrdup(id);
	g->key.secret = secret_copy(secret);
	g->key.token =
	    token != NULL && *token != '\0' ? secret_copy(token) : NULL;
	return true;
}

/* -- requests -------------------------------------------------------------- */

/* Ask and judge; what the reply says is wiped by reply_forget(). */
static enum reply_class
ask(struct aws *a, struct http *h, const struct http_request *req,
    struct http_reply *reply, struct outcome *r)
{
	struct err err = ERR_INIT;

	if (http_do(h, req, reply, &err) != 0) {
		(void)outcome_set(r, REPLY_RETRY, "%s", err.text);
		return r->class;
	}
	rules_judge(aws_rules, reply, r);
	if (req->credentials != NULL)
		server_clock_set(a->clock, reply);
	return r->class;
}

static void
reply_forget(struct http_reply *reply)
{
	if (reply->body.data != NULL)
		explicit_bzero(reply->body.data, reply->body.len);
	http_reply_release(reply);
}

/* {"AccessKeyId":…,"SecretAccessKey":…,"Token":…,"Expiration":…}, as metadata
 * and containers answer. */
static enum reply_class
take_json(struct grant *g, const struct http_reply *reply, const char *whose,
    struct outcome *r)
{
	json_t *top = reply->body.len > 0
	    ? json_loadb(reply->body.data, reply->body.len, 0, NULL)
	    : NULL;
	const char *ends =
	    json_string_value(json_object_get(top, "Expiration"));

	if (take_key(g, json_string_value(json_object_get(top, "AccessKeyId")),
		json_string_value(json_object_get(top, "SecretAccessKey")),
		json_string_value(json_object_get(top, "Token"))))
		g->life = ends != NULL ? life_of(ends, reply) : INT64_MAX;
	else
		(void)outcome_set(r, REPLY_RETRY,
		    "%s: the answer has no usable access key in it", whose);
	json_decref(top);
	return r->class;
}

/* The first text at a path of the reply that begins so; owned. */
static char *
xml_text(const struct http_reply *reply, const char *begin, const char *name)
{
	char *path = xasprintf("%s/%s", begin, name);
	struct buf out = BUF_INIT(FIELD_MAX);
	char *text = NULL;

	if (reply->body.len > 0 &&
	    xml_find(reply->body.data, reply->body.len, path, &out) == 0)
		text = buf_take(&out, NULL);
	if (out.data != NULL)
		explicit_bzero(out.data, out.len);
	buf_release(&out);
	free(path);
	return text;
}

/* <AssumeRoleResponse><AssumeRoleResult><Credentials>… */
static enum reply_class
take_xml(struct grant *g, const char *action, const struct http_reply *reply,
    struct outcome *r)
{
	char *begin =
	    xasprintf("%sResponse/%sResult/Credentials", action, action);
	char *id = xml_text(reply, begin, "AccessKeyId");
	char *secret = xml_text(reply, begin, "SecretAccessKey");
	char *token = xml_text(reply, begin, "SessionToken");
	char *ends = xml_text(reply, begin, "Expiration");

	if (token != NULL && ends != NULL && take_key(g, id, secret, token))
		g->life = life_of(ends, reply);
	else
		rules_unexpected(NULL, reply, "the credentials of a role", r);
	free(begin);
	secret_free(id);
	secret_free(secret);
	secret_free(token);
	secret_free(ends);
	return r->class;
}

struct form {
	const char *name;
	const char *value; /* NULL or "": left out */
};

static int
make_form(struct buf *out, const struct form *f)
{
	for (; f->name != NULL; f++) {
		if (f->value == NULL || *f->value == '\0')
			continue;
		if (buf_addf(out, "%s%s=", out->len > 0 ? "&" : "", f->name) !=
			0 ||
		    aws_encode(out, f->value, false) != 0)
			return -1;
	}
	return 0;
}

/* Send a form to the token service, signed with key unless that is NULL. */
static enum reply_class
ask_sts(struct aws *a, struct http *h, const struct form *form,
    const struct aws_key *key, struct http_reply *reply, struct outcome *r)
{
	const char *type = "application/x-www-form-urlencoded";
	const struct http_pair headers[] = { { "Content-Type", type },
		{ NULL, NULL } };
	struct buf url = BUF_INIT(2048), body = BUF_INIT(BODY_MAX);
	struct aws_signature s = { .headers = { { NULL, NULL } } };
	struct err err = ERR_INIT;
	int rc = a->conf->sts_url != NULL
	    ? buf_adds(&url, a->conf->sts_url)
	    : aws_endpoint(&url, "sts", aws_region(a->conf));

	if (rc != 0 || make_form(&body, form) != 0)
		rc = err_set(&err, "the request for a role is too long");
	if (rc == 0 && strchr(strstr(url.data, "://") + 3, '/') == NULL)
		rc = buf_adds(&url, "/");
	if (rc == 0 && key != NULL) {
		const struct aws_request q = { .method = "POST",
			.url = url.data,
			.region = aws_region(a->conf),
			.service = "sts",
			.headers = headers,
			.body = body.data,
			.len = body.len,
			.now = server_clock_now(a->clock) };

		rc = aws_sign(&q, key, &s, &err);
	}
	if (rc == 0) {
		const struct http_request req = { .url = url.data,
			.body = body.data,
			.type = type,
			.credentials = s.headers };

		(void)ask(a, h, &req, reply, r);
	} else {
		(void)fail(r, &err);
	}
	aws_signature_release(&s);
	if (body.data != NULL)
		explicit_bzero(body.data, body.len);
	buf_release(&body);
	buf_release(&url);
	return r->class;
}

/* -- the ways to get a key ------------------------------------------------- */

static bool
has_option(const struct aws *a)
{
	return a->conf->key != NULL;
}

static enum reply_class
from_option(struct aws *a, struct http *h, struct grant *g, struct outcome *r)
{
	struct err err = ERR_INIT;
	char *pair = secret_resolve(a->conf->key, &err), *token = NULL, *colon;

	(void)h;
	g->life = INT64_MAX;
	if (pair == NULL) {
		(void)err_prefix(&err, "aws.key");
		return fail(r, &err);
	}
	if (a->conf->token != NULL)
		token = secret_resolve(a->conf->token, &err);
	colon = strchr(pair, ':');
	if (a->conf->token != NULL && token == NULL) {
		(void)err_prefix(&err, "aws.token");
		(void)fail(r, &err);
	} else {
		if (colon != NULL)
			*colon = '\0';
		if (!take_key(g, pair, colon != NULL ? colon + 1 : NULL, token))
			(void)outcome_set(r, REPLY_CREDENTIALS,
			    "aws.key: must be the id of the access key, a "
			    "colon and the secret");
		if (colon != NULL)
			*colon = ':';
	}
	secret_free(pair);
	secret_free(token);
	return r->class;
}

static bool
has_variables(const struct aws *a)
{
	return a->conf->identity_file == NULL &&
	    variable("AWS_ACCESS_KEY_ID") != NULL;
}

static enum reply_class
from_variables(struct aws *a, struct http *h, struct grant *g,
    struct outcome *r)
{
	(void)a;
	(void)h;
	g->life = INT64_MAX;
	if (!take_key(g, variable("AWS_ACCESS_KEY_ID"),
		variable("AWS_SECRET_ACCESS_KEY"),
		variable("AWS_SESSION_TOKEN")))
		return outcome_set(r, REPLY_CREDENTIALS,
		    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not a "
		    "usable access key");
	return r->class;
}

static bool
has_identity(const struct aws *a)
{
	return a->conf->identity_file != NULL ||
	    variable("AWS_WEB_IDENTITY_TOKEN_FILE") != NULL;
}

static enum reply_class
from_identity(struct aws *a, struct http *h, struct grant *g, struct outcome *r)
{
	const char *path = a->conf->identity_file != NULL
	    ? a->conf->identity_file
	    : variable("AWS_WEB_IDENTITY_TOKEN_FILE");
	const char *role = a->conf->identity_role != NULL
	    ? a->conf->identity_role
	    : variable("AWS_ROLE_ARN");
	const char *session = variable("AWS_ROLE_SESSION_NAME");
	struct http_reply reply;
	char *token;

	if (role == NULL)
		return outcome_set(r, REPLY_CREDENTIALS,
		    "the web identity has no role; set aws.web_identity_role, "
		    "or AWS_ROLE_ARN");
	token = read_file("the web identity's token", path, r);
	if (token == NULL)
		return r->class;
	http_reply_init(&reply);
	{
		const struct form form[] = {
			{ "Action", "AssumeRoleWithWebIdentity" },
			{ "Version", "2011-06-15" },
			{ "RoleArn", role },
			{ "RoleSessionName",
			    session != NULL ? session : a->conf->session },
			{ "WebIdentityToken", token },
			{ NULL, NULL },
		};

		if (ask_sts(a, h, form, NULL, &reply, r) == REPLY_OK)
			(void)take_xml(g, "AssumeRoleWithWebIdentity", &reply,
			    r);
	}
	reply_forget(&reply);
	secret_free(token);
	return r->class;
}

static bool
has_container(const struct aws *a)
{
	(void)a;
	return variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != NULL ||
	    variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") != NULL;
}

/* What the container's agent wants to see; NULL: nothing, or r says that it
 * cannot be read. */
static char *
container_token(struct outcome *r)
{
	const char *path = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");

	if (path != NULL)
		return read_file("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path,
		    r);
	return token != NULL ? secret_copy(token) : NULL;
}

static enum reply_class
from_container(struct aws *a, struct http *h, struct grant *g,
    struct outcome *r)
{
	const char *path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	char *url = path != NULL
	    ? xasprintf("http://169.254.170.2%s%s", *path == '/' ? "" : "/",
		  path)
	    : xstrdup(variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
	char *token = container_token(r);
	const struct http_pair headers[] = {
		{ token != NULL ? "Authorization" : NULL, token },
		{ NULL, NULL },
	};
	const struct http_request req = {
		.url = url, .headers = headers, .secret = token, .timeout = NEAR
	};
	struct err err = ERR_INIT;
	struct http_reply reply;

	http_reply_init(&reply);
	/* To loopback, to the agents of ECS and EKS, or encrypted. */
	if (http_url_check("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, &err) !=
	    0)
		(void)fail(r, &err);
	else if (r->class == REPLY_OK && ask(a, h, &req, &reply, r) == REPLY_OK)
		(void)take_json(g, &reply, "the container's credentials", r);
	reply_forget(&reply);
	secret_free(token);
	free(url);
	return r->class;
}

static bool
has_instance(const struct aws *a)
{
	(void)a;
	return true;
}

/* Ask the metadata for path, or with method PUT for a token. */
static enum reply_class
ask_metadata(struct aws *a, struct http *h, const char *path, const char *token,
    struct http_reply *reply, struct outcome *r)
{
	static const struct http_pair life[] = {
		{ "X-aws-ec2-metadata-token-ttl-seconds", "21600" },
		{ NULL, NULL },
	};
	const struct http_pair shown[] = {
		{ "X-aws-ec2-metadata-token", token },
		{ NULL, NULL },
	};
	const char *base = a->conf->metadata_url != NULL
	    ? a->conf->metadata_url
	    : variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	size_t len;
	char *url;

	if (base == NULL)
		base = METADATA;
	len = strlen(base);
	while (len > 0 && base[len - 1] == '/')
		len--;
	url = xasprintf("%.*s%s", (int)len, base, path);
	{
		const struct http_request req = { .url = url,
			.method = token == NULL ? "PUT" : NULL,
			.body = token == NULL ? "" : NULL,
			.headers = token == NULL ? life : shown,
			.secret = token,
			.timeout = NEAR };

		(void)ask(a, h, &req, reply, r);
	}
	free(url);
	return r->class;
}

/* The first line of a reply, owned; NULL: it is none that a header or path may
 * have. */
static char *
first_line(const struct http_reply *reply)
{
	char *line = reply->body.len > 0
	    ? xstrndup(reply->body.data, strcspn(reply->body.data, "\r\n"))
	    : NULL;

	if (line != NULL &&
	    (*line == '\0' || !is_plain(line) || strpbrk(line, "?#") != NULL)) {
		secret_free(line);
		line = NULL;
	}
	return line;
}

/* The role of the instance and its key, with a token that was got before. */
static enum reply_class
instance_key(struct aws *a, struct http *h, const char *token, struct grant *g,
    struct outcome *r)
{
#define ROLES "/latest/meta-data/iam/security-credentials/"
	struct http_reply reply;
	char *role, *path;

	http_reply_init(&reply);
	(void)ask_metadata(a, h, ROLES, token, &reply, r);
	role = r->class == REPLY_OK ? first_line(&reply) : NULL;
	if (reply.status == 404 || (r->class == REPLY_OK && role == NULL)) {
		(void)outcome_set(r, REPLY_CREDENTIALS,
		    "the instance has no role; attach an instance profile, or "
		    "give aws.key");
	} else if (r->class == REPLY_OK) {
		path = xasprintf(ROLES "%s", role);
		if (ask_metadata(a, h, path, token, &reply, r) == REPLY_OK)
			(void)take_json(g, &reply, "the instance's metadata",
			    r);
		free(path);
	}
	free(role);
	reply_forget(&reply);
	return r->class;
}

static enum reply_class
from_instance(struct aws *a, struct http *h, struct grant *g, struct outcome *r)
{
	const char *off = variable("AWS_EC2_METADATA_DISABLED");
	struct http_reply reply;
	char *token = NULL, text[sizeof(r->text)];

	if (off != NULL && strcasecmp(off, "true") == 0)
		return outcome_set(r, REPLY_CREDENTIALS,
		    "there are no credentials for AWS; give aws.key, or let "
		    "AWS_EC2_METADATA_DISABLED be");
	http_reply_init(&reply);
	(void)ask_metadata(a, h, "/latest/api/token", NULL, &reply, r);
	if (r->class == REPLY_OK)
		token = first_line(&reply);
	if (token != NULL) {
		(void)instance_key(a, h, token, g, r);
	} else if (reply.status == 0) {
		(void)snprintf(text, sizeof(text), "%s", r->text);
		(void)outcome_set(r, REPLY_RETRY, METADATA_HOPS ": %.400s",
		    text);
	} else {
		(void)outcome_set(r, REPLY_CREDENTIALS,
		    "the instance's metadata gives no session token (status "
		    "%d); enable IMDSv2 there, or give aws.key",
		    reply.status);
	}
	secret_free(token);
	reply_forget(&reply);
	return r->class;
}

/* In the order in which they are looked for. */
static const struct {
	bool (*has)(const struct aws *a);
	enum reply_class (*get)(struct aws *a, struct http *h, struct grant *g,
	    struct outcome *r);
} ways[] = {
	{ has_option, from_option },
	{ has_variables, from_variables },
	{ has_identity, from_identity },
	{ has_container, from_container },
	{ has_instance, from_instance },
};

/* -- roles ----------------------------------------------------------------- */

/* The external id of the i-th of n roles, NULL: none. */
static const char *
external_id(const struct aws_conf *c, size_t i, size_t n)
{
	size_t ids = 0;

	while (c->external_ids != NULL && c->external_ids[ids] != NULL)
		ids++;
	if (ids == n && n > 0)
		return c->external_ids[i];
	return ids == 1 && i + 1 == n ? c->external_ids[0] : NULL;
}

/* Assume the i-th of n roles with the key in g, which becomes the role's. */
static enum reply_class
assume(struct aws *a, struct http *h, size_t i, size_t n, struct grant *g,
    struct outcome *r)
{
	const struct form form[] = {
		{ "Action", "AssumeRole" },
		{ "Version", "2011-06-15" },
		{ "RoleArn", a->conf->roles[i] },
		{ "RoleSessionName", a->conf->session },
		{ "ExternalId", external_id(a->conf, i, n) },
		{ NULL, NULL },
	};
	struct grant next = { .life = 0 };
	char text[sizeof(r->text)];
	struct http_reply reply;

	http_reply_init(&reply);
	if (ask_sts(a, h, form, &g->key, &reply, r) == REPLY_OK &&
	    take_xml(&next, "AssumeRole", &reply, r) == REPLY_OK) {
		aws_key_release(&g->key);
		/* What it was got with may end sooner, which does not end
		 * it. */
		*g = next;
	} else {
		(void)snprintf(text, sizeof(text), "%s", r->text);
		(void)snprintf(r->text, sizeof(r->text), "role %.200s: %.700s",
		    a->conf->roles[i], text);
	}
	reply_forget(&reply);
	return r->class;
}

/* Get keys once. */
static enum reply_class
get(struct aws *a, struct http *h, struct grant *g, struct outcome *r)
{
	size_t i = 0, n = 0;

	*g = (struct grant){ .life = 0 };
	(void)outcome_set(r, REPLY_OK, "there are keys");
	while (!ways[i].has(a))
		i++;
	(void)ways[i].get(a, h, g, r);
	while (a->conf->roles != NULL && a->conf->roles[n] != NULL)
		n++;
	for (i = 0; i < n && r->class == REPLY_OK; i++)
		(void)assume(a, h, i, n, g, r);
	if (r->class != REPLY_OK)
		aws_key_release(&g->key);
	/* What is not accepted here is not accepted anywhere. */
	if (r->class == REPLY_UNAUTHORISED)
		r->class = REPLY_CREDENTIALS;
	return r->class;
}

/* -- the cache ------------------------------------------------------------- */

static void
keep(struct aws *a, const struct grant *g)
{
	int64_t now = clock_monotonic(), ahead;

	aws_key_release(&a->now.key);
	a->now = *g;
	ahead = g->life / 4 < AHEAD ? g->life / 4 : AHEAD;
	a->ends = g->life == INT64_MAX ? INT64_MAX : now + g->life;
	a->renew = g->life == INT64_MAX ? INT64_MAX : a->ends - ahead;
	a->failures = 0;
	a->again = 0;
}

/* Get keys; with the lock held. */
static void
renew(struct aws *a, struct http *h, struct outcome *r)
{
	char text[sizeof(r->text)];
	struct grant g;
	int64_t wait;

	if (clock_monotonic() < a->again) {
		*r = a->why;
		r->wait = a->again - clock_monotonic();
		return;
	}
	/* A hiccup stops everything: look twice.  And a reply that tells of a
	 * wrong clock has told the time. */
	for (int try = 0; try < TRIES; try++)
		if (get(a, h, &g, r) != REPLY_RETRY && r->class != REPLY_CLOCK)
			break;
	if (r->class == REPLY_OK) {
		keep(a, &g);
		return;
	}
	wait = backoff(a->failures++, CLOCK_SECOND / 2, CLOCK_MINUTE);
	(void)snprintf(text, sizeof(text), "%s", r->text);
	(void)snprintf(r->text, sizeof(r->text), "no key for AWS: %.1000s",
	    text);
	if (r->wait < wait)
		r->wait = wait;
	a->again = clock_monotonic() + r->wait;
	a->why = *r;
}

enum reply_class
aws_keys(struct aws *a, struct http *h, struct aws_key *key, struct outcome *r)
{
	const struct aws_key *have = &a->now.key;

	(void)pthread_mutex_lock(&a->lock);
	(void)outcome_set(r, REPLY_OK, "the key is valid");
	if (have->id == NULL || clock_monotonic() >= a->renew)
		renew(a, h, r);
	/* While a renewal fails, the old one is good to its end. */
	if (r->class != REPLY_OK && have->id != NULL &&
	    clock_monotonic() < a->ends)
		(void)outcome_set(r, REPLY_OK, "the key is valid");
	if (r->class == REPLY_OK)
		*key = (struct aws_key){ .id = xstrdup(have->id),
			.secret = secret_copy(have->secret),
			.token = have->token != NULL ? secret_copy(have->token)
						     : NULL };
	(void)pthread_mutex_unlock(&a->lock);
	return r->class;
}

bool
aws_rejected(struct aws *a, const char *secret)
{
	int64_t now = clock_monotonic();
	bool another = true;

	(void)pthread_mutex_lock(&a->lock);
	if (a->now.key.id != NULL && strcmp(a->now.key.secret, secret) == 0) {
		another = now >= a->reject_again;
		if (another) {
			aws_key_release(&a->now.key);
			a->reject_again = now +
			    backoff(a->rejected++, REJECT_AGAIN, REJECT_MAX);
		}
	}
	(void)pthread_mutex_unlock(&a->lock);
	return another;
}

void
aws_accepted(struct aws *a)
{
	(void)pthread_mutex_lock(&a->lock);
	a->rejected = 0;
	a->reject_again = 0;
	(void)pthread_mutex_unlock(&a->lock);
}

enum reply_class
aws_prove(const struct aws_signer *s, struct http *h,
    const struct http_request *req, struct aws_signature *out, char **secret,
    struct outcome *r)
{
	struct aws_key key = { .id = NULL };
	const struct aws_request q = {
		.method = req->method != NULL ? req->method
		    : req->body != NULL       ? "POST"
					      : "GET",
		.url = req->url,
		.region = s->region,
		.service = s->service,
		.headers = req->headers,
		.body = req->body,
		.len = req->body != NULL ? strlen(req->body) : 0,
		.now = server_clock_now(s->clock),
	};
	struct err err = ERR_INIT;

	if (aws_keys(s->keys, h, &key, r) != REPLY_OK)
		return r->class;
	if (aws_sign(&q, &key, out, &err) == 0)
		*secret = secret_copy(key.secret);
	else
		(void)fail(r, &err);
	aws_key_release(&key);
	return r->class;
}
