/*
 * aws_ask.c - what is asked for keys, and how it is answered.
 *
 * docs.aws.amazon.com: STS API Reference (AssumeRole,
 * AssumeRoleWithWebIdentity).
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/xml.h"
#include "config/secret.h"
#include "http/aws_private.h"
#include "http/server_clock.h"

#define BODY_MAX (128 * 1024)
#define FIELD_MAX (16 * 1024)

enum reply_class
aws_fail(struct outcome *r, const struct err *err)
{
	return outcome_set(r, REPLY_CREDENTIALS, "%s", err->text);
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
bool
aws_is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
			return false;
	return true;
}

/* Take a key as it was told; false: it is none. */
bool
aws_take_key(struct aws_grant *g, const char *id, const char *secret,
    const char *token)
{
	if (id == NULL || secret == NULL || *id == '\0' || *secret == '\0' ||
	    !aws_is_plain(id) || strchr(id, '/') != NULL ||
	    !aws_is_plain(secret) || (token != NULL && !aws_is_plain(token)))
		return false;
	g->key.id = xstrdup(id);
	g->key.secret = secret_copy(secret);
	g->key.token =
	    token != NULL && *token != '\0' ? secret_copy(token) : NULL;
	return true;
}

/* -- requests -------------------------------------------------------------- */

/* Ask and judge; what the reply says is wiped by aws_reply_forget(). */
enum reply_class
aws_ask(struct aws *a, struct http *h, const struct http_request *req,
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

void
aws_reply_forget(struct http_reply *reply)
{
	if (reply->body.data != NULL)
		explicit_bzero(reply->body.data, reply->body.len);
	http_reply_release(reply);
}

/* {"AccessKeyId":…,"SecretAccessKey":…,"Token":…,"Expiration":…}, as metadata
 * and containers answer. */
enum reply_class
aws_take_json(struct aws_grant *g, const struct http_reply *reply,
    const char *whose, struct outcome *r)
{
	json_t *top = reply->body.len > 0
	    ? json_loadb(reply->body.data, reply->body.len, 0, NULL)
	    : NULL;
	const char *ends =
	    json_string_value(json_object_get(top, "Expiration"));

	if (aws_take_key(g,
		json_string_value(json_object_get(top, "AccessKeyId")),
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
enum reply_class
aws_take_xml(struct aws_grant *g, const char *action,
    const struct http_reply *reply, struct outcome *r)
{
	char *begin =
	    xasprintf("%sResponse/%sResult/Credentials", action, action);
	char *id = xml_text(reply, begin, "AccessKeyId");
	char *secret = xml_text(reply, begin, "SecretAccessKey");
	char *token = xml_text(reply, begin, "SessionToken");
	char *ends = xml_text(reply, begin, "Expiration");

	if (token != NULL && ends != NULL && aws_take_key(g, id, secret, token))
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

static int
make_form(struct buf *out, const struct aws_form *f)
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
enum reply_class
aws_ask_sts(struct aws *a, struct http *h, const struct aws_form *form,
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

		(void)aws_ask(a, h, &req, reply, r);
	} else {
		(void)aws_fail(r, &err);
	}
	aws_signature_release(&s);
	if (body.data != NULL)
		explicit_bzero(body.data, body.len);
	buf_release(&body);
	buf_release(&url);
	return r->class;
}
