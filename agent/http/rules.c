/*
 * rules.c - what a reply means.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/xml.h"
#include "http/client.h"
#include "http/error_value.h"
#include "http/rules.h"
#include "http/shown.h"

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
	[REPLY_INCOMPLETE] = "incomplete",
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
	    .text = "rate limit",
	    .class = REPLY_THROTTLED,
	    .cause = "too many requests" },
	{ .status = 403,
	    .class = REPLY_CONFIG,
	    .cause = "access is forbidden",
	    .hint = "check the permissions of the token, user or "
		    "application" },
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

	for (const struct rule *r = rules; r != NULL;
	     r = is_end(r) ? r->next : r + 1) {
		if (is_end(r))
			continue;
		if (r->status != 0 && r->status != reply->status)
			continue;
		if (r->code != NULL && !code_matches(r->code, e->code))
			continue;
		if (r->header != NULL &&
		    !http_header(reply, r->header, value, sizeof(value)))
			continue;
		if (r->header != NULL && r->value != NULL &&
		    strcmp(r->value, value) != 0)
			continue;
		if (r->text != NULL && strcasestr(e->message, r->text) == NULL)
			continue;
		return r;
	}
	return NULL;
}

enum reply_class
outcome_set(struct outcome *out, enum reply_class class, const char *fmt, ...)
{
	char text[sizeof(out->text)];
	va_list ap;

	out->class = class;
	out->wait = 0;
	out->code[0] = '\0';
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_cut(text);
	text_one_line(out->text, sizeof(out->text), text);
	return class;
}

enum reply_class
outcome_unread(struct outcome *out, const char *what, const char *why)
{
	(void)outcome_set(out, REPLY_RETRY, "%s cannot be parsed: %s", what,
	    why);
	(void)snprintf(out->code, sizeof(out->code), "not-json");
	return out->class;
}

/* Tell of a reply by rule r, NULL: none. */
static void
tell(const struct http_reply *reply, const struct rule *r,
    const struct reply_error *e, struct outcome *out)
{
	char begin[200] = "";

	if (*e->message == '\0' && *e->code == '\0' && reply->body.len > 0)
		http_body_quote(reply->body.data, reply->body.len, begin,
		    sizeof(begin));
	(void)outcome_set(out, r != NULL ? r->class : REPLY_RETRY,
	    "status %d%s%s%s%s%s%s%s%s%s%s", reply->status,
	    *e->code != '\0' ? " " : "", e->code, r != NULL ? ": " : "",
	    r != NULL ? r->cause : "", r != NULL && r->hint != NULL ? "; " : "",
	    r != NULL && r->hint != NULL ? r->hint : "",
	    *e->message != '\0' ? "; the server says: " : "", e->message,
	    *begin != '\0' ? "; the reply begins: " : "", begin);
	(void)snprintf(out->code, sizeof(out->code), "%s", e->code);
	if (reply->retry_after > 0)
		out->wait = reply->retry_after;
}

/* Something in between leads elsewhere. */
static void
tell_redirect(const struct http_reply *reply, struct outcome *out)
{
	char value[1024], where[200];
	char *shown;

	if (reply->status == 304) {
		(void)outcome_set(out, REPLY_RETRY,
		    "status 304: not modified, although nothing was asked of "
		    "that kind; a cache in between answers in place of the "
		    "API");
		(void)snprintf(out->code, sizeof(out->code), "cache");
		return;
	}
	if (!http_header(reply, "Location", value, sizeof(value)))
		value[0] = '\0';
	shown = http_shown(value);
	http_body_quote(shown, strlen(shown), where, sizeof(where));
	free(shown);
	(void)outcome_set(out, REPLY_RETRY,
	    "status %d: a redirect%s%s, which is not followed; a login page or "
	    "proxy answers in place of the API",
	    reply->status, *where != '\0' ? " to " : "", where);
	(void)snprintf(out->code, sizeof(out->code), "redirect");
}

/* A page is of something in between, whatever its status says of the API; but
 * to wait is never wrong, and a proxy may want a password. */
static void
tell_page(const struct http_reply *reply, struct outcome *out)
{
	static const struct rule page = { .class = REPLY_RETRY,
		.cause = "a page where an answer of the API was expected",
		.hint = "a proxy, firewall or login is in between; let the "
			"agent through" };
	static const struct rule failed = { .class = REPLY_RETRY,
		.cause = "an error page, of the server or of a proxy in "
			 "between" };
	const int status = reply->status;
	struct reply_error e = { .code = "" };
	const struct rule *r = &page;

	if (status == 407 || status == 429 || status == 503)
		r = find(general, reply, &e);
	else if (status / 100 == 5)
		r = &failed;
	http_body_quote(reply->body.data, reply->body.len, e.message,
	    sizeof(e.message));
	tell(reply, r, &e, out);
	(void)snprintf(out->code, sizeof(out->code), "page");
}

static bool
is_page(const struct http_reply *reply)
{
	return reply->body.len > 0 &&
	    http_body_shape(reply->body.data, reply->body.len) == HTTP_PAGE;
}

/* The error in a reply, if there is one that is no page. */
static bool
has_error(const struct http_reply *reply, struct reply_error *e)
{
	rules_error(reply->body.data, reply->body.len, e);
	return !is_page(reply) || *e->code != '\0';
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
	if (!has_error(reply, &e)) {
		if (reply->status / 100 == 3)
			tell_redirect(reply, out);
		else
			tell_page(reply, out);
		return;
	}
	r = *e.code != '\0' || reply->status / 100 != 3 ? find(rules, reply, &e)
							: NULL;
	if (r == NULL && reply->status / 100 == 3) {
		tell_redirect(reply, out);
		return;
	}
	if (r == NULL)
		r = find(general, reply, &e);
	tell(reply, r, &e, out);
}

/* The list that stands in an object: {"value":[…]}, {"d":{"results":[…]}}. */
static bool
is_envelope(const struct http_reply *reply)
{
	static const char *const lists[] = { "value", "results", "data",
		"items", "records" };
	json_t *top =
	    json_loadb(reply->body.data, reply->body.len, JSON_ALLOW_NUL, NULL);
	bool is = false;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		is = is || json_is_array(json_object_get(top, lists[i]));
	json_decref(top);
	return is;
}

void
rules_unexpected(const struct rule *rules, const struct http_reply *reply,
    const char *expected, struct outcome *out)
{
	struct reply_error e = { .code = "" };
	const struct rule *r;
	const char *code = "not-json";
	char begin[200];

	if (is_page(reply)) {
		tell_page(reply, out);
		return;
	}
	if (reply->body.len > 0)
		rules_error(reply->body.data, reply->body.len, &e);
	if (*e.code != '\0' ||
	    (*e.message != '\0' &&
		http_body_shape(reply->body.data, reply->body.len) ==
		    HTTP_OBJECT &&
		(e.failed || !is_envelope(reply)))) {
		r = find(rules, reply, &e);
		tell(reply, r, &e, out);
		/* Nothing is as one wished, and nothing is lost, by an error
		 * that says that it is none. */
		if (out->class == REPLY_OK || out->class == REPLY_GONE)
			out->class = REPLY_RETRY;
		return;
	}
	http_body_quote(reply->body.data, reply->body.len, begin,
	    sizeof(begin));
	if (reply->body.len == 0)
		code = "empty";
	else if (is_envelope(reply))
		code = "envelope";
	else if (http_body_shape(reply->body.data, reply->body.len) ==
	    HTTP_OBJECT)
		code = "object";
	(void)outcome_set(out, REPLY_RETRY,
	    "status %d with %s where %s was expected (type %s)%s%s",
	    reply->status,
	    strcmp(code, "envelope") == 0     ? "an object around a list"
		: strcmp(code, "object") == 0 ? "an object"
		: strcmp(code, "empty") == 0  ? "an empty body"
					      : "something else",
	    expected, *reply->type != '\0' ? reply->type : "not said",
	    *begin != '\0' ? "; it begins: " : "", begin);
	(void)snprintf(out->code, sizeof(out->code), "%s", code);
}

/* -- errors beside rows ---------------------------------------------------- */

bool
rules_beside(const struct rule *rules, const struct http_reply *reply,
    const char *value, size_t len, struct outcome *out)
{
	json_t *v =
	    json_loadb(value, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	const bool is = v == NULL || error_value(v);
	struct http_reply said = *reply;
	struct outcome why = { .class = REPLY_OK };

	json_decref(v);
	if (!is)
		return false;
	buf_init(&said.body, len + 32);
	if (buf_adds(&said.body,
		*value == '[' ? "{\"errors\":" : "{\"error\":") != 0 ||
	    buf_add(&said.body, value, len) != 0 ||
	    buf_adds(&said.body, "}") != 0)
		buf_clear(&said.body);
	rules_unexpected(rules, &said, "events alone", &why);
	buf_release(&said.body);
	if (why.class == REPLY_BENIGN)
		return false;
	(void)outcome_set(out, why.class,
	    "the reply has events, and says that it has failed: %s", why.text);
	(void)snprintf(out->code, sizeof(out->code), "%s", why.code);
	out->wait = why.wait;
	return true;
}

static void
take_string(char *out, size_t size, const json_t *s)
{
	if (*out == '\0' && json_is_string(s))
		text_quote(out, size, json_string_value(s),
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

/* A number as the code, where there is none of letters; small ones repeat the
 * status, or say that all is well. */
static void
take_number(struct reply_error *out, const json_t *v)
{
	if (*out->code == '\0' && json_is_integer(v) &&
	    json_integer_value(v) > 599)
		(void)snprintf(out->code, sizeof(out->code),
		    "%" JSON_INTEGER_FORMAT, json_integer_value(v));
}

/* A member by a key in any case. */
static const json_t *
member(const json_t *object, const char *key)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		if (strcasecmp(name, key) == 0)
			return value;
	}
	return NULL;
}

/* A message: text, or {"value":text}. */
static void
take_message(struct reply_error *out, const json_t *v)
{
	if (json_is_object(v))
		v = member(v, "value");
	take_string(out->message, sizeof(out->message), v);
}

/* Behind the message, which says less, where it has not been said. */
static void
add_detail(struct reply_error *out, const char *text)
{
	char detail[200];
	size_t n = strlen(out->message);

	text_quote(detail, sizeof(detail), text, strlen(text));
	if (n > 190 || strcasestr(out->message, detail) != NULL)
		return;
	(void)snprintf(out->message + n, sizeof(out->message) - n, "%s%s",
	    n == 0                           ? ""
		: out->message[n - 1] == '.' ? " "
					     : ": ",
	    detail);
}

/* {"PublisherIdentifier":["The value … is not valid."]}: what is wrong with
 * the first one. */
static void
add_model_state(struct reply_error *out, const json_t *states)
{
	const char *name;
	json_t *texts;

	json_object_foreach((json_t *)(uintptr_t)states, name, texts)
	{
		const char *text = json_string_value(json_array_get(texts, 0));

		if (text == NULL)
			continue;
		add_detail(out, text);
		return;
	}
}

/* The first of what stands beside a message such as "Invalid input": a text,
 * or {"field":…,"message":…}. */
static void
add_cause(struct reply_error *out, const json_t *error)
{
	static const char *const lists[] = { "errors", "error_chain",
		"errorCauses", "details" };
	static const char *const texts[] = { "field", "message",
		"errorSummary" };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const json_t *v = json_array_get(member(error, lists[i]), 0);

		if (json_is_string(v))
			add_detail(out, json_string_value(v));
		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
			const json_t *text = member(v, texts[k]);

			if (json_is_string(text))
				add_detail(out, json_string_value(text));
		}
	}
}

/* What stands behind "#" in "com.amazonaws.sqs#QueueDoesNotExist". */
static void
take_type(struct reply_error *out, const json_t *type)
{
	const char *text = json_string_value(type), *name;

	if (*out->code != '\0' || text == NULL)
		return;
	name = strrchr(text, '#');
	name = name != NULL ? name + 1 : text;
	text_quote(out->code, sizeof(out->code), name, strlen(name));
}

/* The object that tells of the error, top itself where none inside does. */
static const json_t *
find_inner(const json_t *top)
{
	static const char *const names[] = { "error", "odata.error", "fault",
		"errors" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const json_t *v = member(top, names[i]);

		if (json_is_array(v))
			v = json_array_get(v, 0);
		if (json_is_object(v))
			return v;
	}
	return top;
}

static void
take_json(const json_t *top, struct reply_error *out)
{
	static const char *const codes[] = { "code", "errorCode", "error_code",
		"faultcode" };
	static const char *const messages[] = { "message", "errorMessage",
		"error_message", "errorSummary", "faultstring", "detail",
		"title", "description", "reason", "msg" };
	const json_t *error = member(top, "error");
	const json_t *inner = find_inner(top);
	const json_t *code = member(inner, "code");
	/* Beside its status in figures it is that in words. */
	const bool status = json_is_integer(member(top, "statusCode"));
	bool text = json_is_string(error) &&
	    (status || strchr(json_string_value(error), ' ') != NULL);

	if (!text)
		take_string(out->code, sizeof(out->code), error);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		take_string(out->code, sizeof(out->code),
		    member(inner, codes[i]));
	take_type(out, member(top, "__type"));
	take_number(out, member(inner, "code"));
	take_message(out, member(top, "error_description"));
	take_message(out, member(top, "error_summary"));
	if (text && !status)
		take_message(out, error);
	/* What is said of all comes before what is said of one. */
	if (member(inner, "message") != NULL)
		take_message(out, member(top, "message"));
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		take_message(out, member(inner, messages[i]));
	if (text)
		take_message(out, error);
	take_message(out, json_array_get(member(top, "errors"), 0));
	take_message(out, json_array_get(member(top, "errorMessages"), 0));
	add_model_state(out, member(inner, "ModelState"));
	add_cause(out, inner);
	add_cause(out, top);
	take_aadsts(out);
	/* Some say there that all is well: 0, or 200. */
	out->failed = *out->message != '\0' && (text || inner != top) &&
	    (!json_is_integer(code) || error_value(code));
}

/* <Error><Code>…, or the same within <ErrorResponse>. */
static void
take_xml(const char *body, size_t len, struct reply_error *out)
{
	static const char *const where[] = { "Error", "ErrorResponse/Error",
		"ErrorResponse/Errors/Error", "Response/Errors/Error" };
	struct buf text = BUF_INIT(HTTP_BODY_MAX);
	char path[64];

	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		buf_clear(&text);
		(void)snprintf(path, sizeof(path), "%s/Code", where[i]);
		if (xml_find(body, len, path, &text) != 0)
			continue;
		text_quote(out->code, sizeof(out->code), text.data, text.len);
		buf_clear(&text);
		(void)snprintf(path, sizeof(path), "%s/Message", where[i]);
		if (xml_find(body, len, path, &text) == 0)
			text_quote(out->message, sizeof(out->message),
			    text.data, text.len);
		break;
	}
	buf_release(&text);
}

void
rules_error(const char *body, size_t len, struct reply_error *out)
{
	json_t *top;

	*out = (struct reply_error){ .code = "" };
	if (body == NULL || len == 0)
		return;
	while (len >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0) {
		body += 3;
		len -= 3;
	}
	top = json_loadb(body, len, JSON_ALLOW_NUL, NULL);
	if (top == NULL)
		take_xml(body, len, out);
	if (top == NULL && *out->code != '\0')
		return;
	if (top == NULL) {
		http_body_quote(body, len, out->message, sizeof(out->message));
		return;
	}
	if (json_is_array(top) && json_array_size(top) == 1)
		take_json(json_array_get(top, 0), out);
	else
		take_json(top, out);
	json_decref(top);
}
