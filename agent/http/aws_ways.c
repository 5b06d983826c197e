/*
 * aws_ways.c - where the first key comes from.
 *
 * docs.aws.amazon.com: "Use IMDSv2" in the EC2 User Guide, "Container
 * credential provider" in the SDK Reference Guide.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/secret.h"
#include "http/aws_private.h"

/* What is near answers at once, or is not there. */
#define NEAR (3 * CLOCK_SECOND)
#define FIELD_MAX (16 * 1024)
#define METADATA "http://169.254.169.254"
#define METADATA_HOPS                                                       \
	"no answer from the instance's metadata; give aws.key or another "  \
	"identity, or where this runs in a container on EC2 raise the hop " \
	"limit to 2 (aws ec2 modify-instance-metadata-options "             \
	"--http-put-response-hop-limit 2)"

/* A text that is set and not "". */
static const char *
variable(const char *name)
{
	const char *text = getenv(name);

	return text != NULL && *text != '\0' ? text : NULL;
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
		(void)aws_fail(r, &err);
	}
	return text;
}

static bool
has_option(const struct aws *a)
{
	return a->conf->key != NULL;
}

static enum reply_class
from_option(struct aws *a, struct http *h, struct aws_grant *g,
    struct outcome *r)
{
	struct err err = ERR_INIT;
	char *pair = secret_resolve(a->conf->key, &err), *token = NULL, *colon;

	(void)h;
	g->life = INT64_MAX;
	if (pair == NULL) {
		(void)err_prefix(&err, "aws.key");
		return aws_fail(r, &err);
	}
	if (a->conf->token != NULL)
		token = secret_resolve(a->conf->token, &err);
	colon = strchr(pair, ':');
	if (a->conf->token != NULL && token == NULL) {
		(void)err_prefix(&err, "aws.token");
		(void)aws_fail(r, &err);
	} else {
		if (colon != NULL)
			*colon = '\0';
		if (!aws_take_key(g, pair, colon != NULL ? colon + 1 : NULL,
			token))
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
from_variables(struct aws *a, struct http *h, struct aws_grant *g,
    struct outcome *r)
{
	(void)a;
	(void)h;
	g->life = INT64_MAX;
	if (!aws_take_key(g, variable("AWS_ACCESS_KEY_ID"),
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
from_identity(struct aws *a, struct http *h, struct aws_grant *g,
    struct outcome *r)
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
		const struct aws_form form[] = {
			{ "Action", "AssumeRoleWithWebIdentity" },
			{ "Version", "2011-06-15" },
			{ "RoleArn", role },
			{ "RoleSessionName",
			    session != NULL ? session : a->conf->session },
			{ "WebIdentityToken", token },
			{ NULL, NULL },
		};

		if (aws_ask_sts(a, h, form, NULL, &reply, r) == REPLY_OK)
			(void)aws_take_xml(g, "AssumeRoleWithWebIdentity",
			    &reply, r);
	}
	aws_reply_forget(&reply);
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
from_container(struct aws *a, struct http *h, struct aws_grant *g,
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
		(void)aws_fail(r, &err);
	else if (r->class == REPLY_OK &&
	    aws_ask(a, h, &req, &reply, r) == REPLY_OK)
		(void)aws_take_json(g, &reply, "the container's credentials",
		    r);
	aws_reply_forget(&reply);
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

		(void)aws_ask(a, h, &req, reply, r);
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
	    (*line == '\0' || !aws_is_plain(line) ||
		strpbrk(line, "?#") != NULL)) {
		secret_free(line);
		line = NULL;
	}
	return line;
}

/* The role of the instance and its key, with a token that was got before. */
static enum reply_class
instance_key(struct aws *a, struct http *h, const char *token,
    struct aws_grant *g, struct outcome *r)
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
			(void)aws_take_json(g, &reply,
			    "the instance's metadata", r);
		free(path);
	}
	free(role);
	aws_reply_forget(&reply);
	return r->class;
}

static enum reply_class
from_instance(struct aws *a, struct http *h, struct aws_grant *g,
    struct outcome *r)
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
	aws_reply_forget(&reply);
	return r->class;
}

/* In the order in which they are looked for. */
static const struct {
	bool (*has)(const struct aws *a);
	enum reply_class (*get)(struct aws *a, struct http *h,
	    struct aws_grant *g, struct outcome *r);
} ways[] = {
	{ has_option, from_option },
	{ has_variables, from_variables },
	{ has_identity, from_identity },
	{ has_container, from_container },
	{ has_instance, from_instance },
};

enum reply_class
aws_first_key(struct aws *a, struct http *h, struct aws_grant *g,
    struct outcome *r)
{
	size_t i = 0;

	while (!ways[i].has(a))
		i++;
	return ways[i].get(a, h, g, r);
}
