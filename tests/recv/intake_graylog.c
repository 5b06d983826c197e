/*
 * intake_graylog.c - Graylog's GELF HTTP input, as go2docs.graylog.org ("GELF
 * Inputs", "GELF Payload Specification") and its server's HttpHandler and
 * GelfCodec have it.
 *
 * Looked at in this order: the header, the method, the path, the size (64 KiB
 * unpacked, 413); then 202, before anything is decoded.  Without bulk receiving
 * only the first message of a body is read.  A message needs host and
 * short_message; additional fields begin with an underscore, are words, strings
 * or numbers, and not "_id".
 *
 * Options: token, for Authorization: Bearer; bulk, "1".
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/recv/intake.h"

#define BODY_MAX 65536

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s == NULL ? "" : s;
}

static bool
is_field(const char *name, const json_t *value)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	static const char *const known[] = { "version", "host", "short_message",
		"full_message", "timestamp", "level" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], name) == 0)
			return true;
	return name[0] == '_' && name[1 + strspn(name + 1, word)] == '\0' &&
	    strcmp(name, "_id") != 0 &&
	    (json_is_string(value) || json_is_number(value));
}

static bool
is_message(json_t *m)
{
	const json_t *time = json_object_get(m, "timestamp");
	const char *name;
	json_t *value;

	if (strcmp(text_of(m, "version"), "1.1") != 0 ||
	    text_of(m, "host")[0] == '\0' ||
	    text_of(m, "short_message")[0] == '\0' ||
	    (time != NULL && !json_is_number(time)))
		return false;
	json_object_foreach(m, name, value)
	{
		if (!is_field(name, value))
			return false;
	}
	return true;
}

/* Keep one message, unless something in front of the input does not want it:
 * the input itself takes all; false. */
static bool
keep(struct call *c, const char *at, size_t len)
{
	json_t *m = json_loadb(at, len,
	    JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
	    NULL);
	const json_t *text = json_object_get(m, "short_message");
	const json_t *number = json_object_get(m, "_sealfeed_index");
	unsigned long long index =
	    (unsigned long long)json_integer_value(number);
	const char *feed = text_of(m, "_sealfeed_feed");
	bool wanted = number == NULL || !is_poison_event(c, feed, index);

	if (!is_message(m))
		recv_die("no message in GELF: %.*s", (int)len, at);
	if (number == NULL)
		place_store_line(c, json_string_value(text),
		    json_string_length(text));
	else if (wanted)
		place_store(c, feed, text_of(m, "_sealfeed_agent"), index,
		    json_string_value(text), json_string_length(text));
	json_decref(m);
	return wanted;
}

/* false: one of them is not wanted. */
static bool
keep_all(struct call *c)
{
	char *bulk = place_option(c->place, "bulk", "");
	const char *at = c->body->data, *end = at + c->body->len;
	const char *middle = at + c->body->len / 2;
	bool wanted = true;

	while (at < end) {
		size_t len = (size_t)(end - at);
		const char *lf = memchr(at, '\n', len);

		if (lf != NULL && bulk[0] != '\0')
			len = (size_t)(lf - at);
		if (c->fault != PARTIAL || at < middle)
			wanted = keep(c, at, len) && wanted;
		if (bulk[0] == '\0')
			break;
		at += len + 1;
	}
	free(bulk);
	return wanted;
}

static void
take(struct call *c)
{
	char *token = place_option(c->place, "token", "abc");
	char *want = xasprintf("Bearer %s", token);

	if (strcmp(recv_header(c->rq, "Authorization"), want) != 0)
		reply_text(c, 401, "%s", "");
	else if (strcmp(c->rq->method, "POST") != 0)
		reply_text(c, 405, "%s", "");
	else if (strcmp(c->path, "/gelf") != 0)
		reply_text(c, 404, "%s", "");
	else if (c->body->len > BODY_MAX)
		reply_text(c, 413, "%s", "");
	else if (c->body->len == 0 || !keep_all(c))
		reply_text(c, 400, "%s", "");
	else
		reply_text(c, c->fault == PARTIAL ? 503 : 202, "%s", "");
	free(want);
	free(token);
}

const struct intake_kind intake_graylog = { .name = "graylog", .take = take };
