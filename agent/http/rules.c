/*
 * rules.c - what a reply means.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http/client.h"
#include "http/rules.h"

static const char *const class_names[] = {
	[REPLY_OK] = "ok",
	[REPLY_BENIGN] = "benign",
	[REPLY_RETRY] = "retry",
	[REPLY_THROTTLED] = "throttled",
	[REPLY_UNAUTHORISED] = "unauthorised",
	[REPLY_CREDENTIALS] = "credentials",
	[REPLY_CONFIG] = "configuration",
	[REPLY_CLOCK] = "clock",
	[REPLY_INACTIVE] = "inactive",
	[REPLY_CURSOR] = "cursor",
	[REPLY_GONE] = "gone",
	[REPLY_STOPPED] = "stopped",
};
_Static_assert(sizeof(class_names) / sizeof(class_names[0]) == REPLY_CLASSES,
    "a class has no name");

const char *reply_class_name(enum reply_class class)
{
	return class_names[class];
}

/* What a status means where the vendor has said nothing better. */
static const struct rule general[] = {
	{ .status = 401,
	    .class = REPLY_UNAUTHORISED,
	    .cause = "the access token is rejected" },
	{ .status = 403,
	    .header = "Retry-After",
	    .class = REPLY_THROTTLED,
	    .cause = "too many requests" },
	{ .status = 403,
	    .class = REPLY_CONFIG,
	    .cause = "access is forbidden",
	    .hint = "check the permissions of the application and the admin "
		    "consent" },
	{ .status = 404,
	    .class = REPLY_RETRY,
	    .cause = "not found",
	    .hint = "check the URL in the configuration" },
	{ .status = 407,
	    .class = REPLY_CREDENTIALS,
	    .cause = "the proxy requires a user and a password",
	    .hint = "set them in proxy" },
	{ .status = 408,
	    .class = REPLY_RETRY,
	    .cause = "the request timed out" },
	{ .status = 413,
	    .class = REPLY_CONFIG,
	    .cause = "the request is too large" },
	{ .status = 429,
	    .class = REPLY_THROTTLED,
	    .cause = "too many requests" },
	{ .status = 503,
	    .class = REPLY_RETRY,
	    .cause = "the service is temporarily unavailable" },
	{ .status = 0 },
};

static bool
is_end(const struct rule *r)
{
	return r->class == REPLY_OK && r->cause == NULL;
}

static bool
code_matches(const char *pattern, const char *code)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, code, len - 1) == 0;
	return strcmp(pattern, code) == 0;
}

static const struct rule *
find(const struct rule *rules, const struct http_reply *reply,
    const struct reply_error *e)
{
	char value[256];

	for (const struct rule *r = rules; r != NULL && !is_end(r); r++) {
		if (r->status != 0 && r->status != reply->status)
			continue;
		if (r->code != NULL && !code_matches(r->code, e->code))
			continue;
		if (r->header != NULL &&
		    !http_header(reply, r->header, value, sizeof(value)))
			continue;
		if (r->text != NULL && strstr(e->message, r->text) == NULL)
			continue;
		return r;
	}
	return NULL;
}

enum reply_class
outcome_set(struct outcome *out, enum reply_class class, const char *fmt, ...)
{
	va_list ap;

	out->class = class;
	out->wait = 0;
	out->code[0] = '\0';
	va_start(ap, fmt);
	(void)vsnprintf(out->text, sizeof(out->text), fmt, ap);
	va_end(ap);
	return class;
}

void
rules_judge(const struct rule *rules, const struct http_reply *reply,
    struct outcome *out)
{
	struct reply_error e;
	const struct rule *r;

	if (reply->status / 100 == 2) {
		(void)outcome_set(out, REPLY_OK, "status %d", reply->status);
		return;
	}
	rules_error(reply->body.data, reply->body.len, &e);
	r = find(rules, reply, &e);
	if (r == NULL)
		r = find(general, reply, &e);
	(void)outcome_set(out, r != NULL ? r->class : REPLY_RETRY,
	    "status %d%s%s%s%s%s%s%s%s", reply->status,
	    *e.code != '\0' ? " " : "", e.code, r != NULL ? ": " : "",
	    r != NULL ? r->cause : "", r != NULL && r->hint != NULL ? "; " : "",
	    r != NULL && r->hint != NULL ? r->hint : "",
	    *e.message != '\0' ? "; the server says: " : "", e.message);
	(void)snprintf(out->code, sizeof(out->code), "%s", e.code);
	if (reply->retry_after > 0)
		out->wait = reply->retry_after;
}

/* Copy what can be read on one line. */
static void
take_text(char *out, size_t size, const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20 || c == 0x7f)
			c = ' ';
		if (c != ' ' || (n > 0 && out[n - 1] != ' '))
			out[n++] = (char)c;
	}
	/* Not half a character at the end. */
	while (n > 0 && n + 1 == size && (out[n - 1] & 0x80) != 0)
		n--;
	out[n] = '\0';
}

static void
take_string(char *out, size_t size, const json_t *s)
{
	if (*out == '\0' && json_is_string(s))
		take_text(out, size, json_string_value(s),
		    json_string_length(s));
}

/* "AADSTS7000215: Invalid client secret provided." says more than
 * "invalid_client". */
static void
take_aadsts(struct reply_error *out)
{
	const char *at = strstr(out->message, "AADSTS");
	size_t len;

	if (at == NULL)
		return;
	len = 6 + strspn(at + 6, "0123456789");
	if (len > 6 && len < sizeof(out->code)) {
		memcpy(out->code, at, len);
		out->code[len] = '\0';
	}
}

static void
take_json(const json_t *top, struct reply_error *out)
{
	const json_t *error = json_object_get(top, "error");
	const json_t *inner = json_is_object(error) ? error : top;

	take_string(out->code, sizeof(out->code), error);
	take_string(out->code, sizeof(out->code),
	    json_object_get(inner, "code"));
	take_string(out->message, sizeof(out->message),
	    json_object_get(top, "error_description"));
	take_string(out->message, sizeof(out->message),
	    json_object_get(inner, "message"));
	take_string(out->message, sizeof(out->message),
	    json_object_get(inner, "Message"));
	take_aadsts(out);
}

void
rules_error(const char *body, size_t len, struct reply_error *out)
{
	json_t *top;

	*out = (struct reply_error){ .code = "" };
	if (body == NULL || len == 0)
		return;
	top = json_loadb(body, len, JSON_ALLOW_NUL, NULL);
	if (top == NULL) {
		/* A page, or JSON with a byte order mark: its first words. */
		take_text(out->message, 160, body, len);
		return;
	}
	take_json(top, out);
	json_decref(top);
}
