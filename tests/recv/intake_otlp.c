/*
 * intake_otlp.c - a receiver of logs by OTLP/HTTP, as the protocol's document
 * (opentelemetry.io/docs/specs/otlp) and the messages of opentelemetry-proto
 * describe it; stricter where they leave a choice.
 *
 * protobuf and JSON ("JSON Protobuf Encoding": lowerCamelCase names, 64-bit
 * integers as decimal strings, enums as integers, bytes as base64), answered in
 * kind.  Refused with 400 and a google.rpc.Status: unknown fields, text that is
 * not UTF-8, records without an observed time.  A record that is not wanted is
 * rejected by partial success; the others are kept.
 *
 * Options: token, for Authorization: Bearer; max, bytes of an unpacked body.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "tests/recv/intake.h"

/*
 * The messages.
 */

enum type { STRING, BYTES, INT64, FIXED64, ENUM, MESSAGE };

struct field {
	const char *name; /* in JSON; NULL ends a message */
	unsigned number;
	enum type type;
	bool repeated;
	const struct field *of;
};

#define LOGS_PATH "/v1/logs"

#define END                                  \
	{                                    \
		NULL, 0, STRING, false, NULL \
	}

static const struct field any_value[] = {
	{ "stringValue", 1, STRING, false, NULL },
	{ "intValue", 3, INT64, false, NULL },
	{ "bytesValue", 7, BYTES, false, NULL },
	END,
};
static const struct field key_value[] = {
	{ "key", 1, STRING, false, NULL },
	{ "value", 2, MESSAGE, false, any_value },
	END,
};
static const struct field log_record[] = {
	{ "timeUnixNano", 1, FIXED64, false, NULL },
	{ "severityNumber", 2, ENUM, false, NULL },
	{ "severityText", 3, STRING, false, NULL },
	{ "body", 5, MESSAGE, false, any_value },
	{ "attributes", 6, MESSAGE, true, key_value },
	{ "observedTimeUnixNano", 11, FIXED64, false, NULL },
	END,
};
static const struct field scope[] = {
	{ "name", 1, STRING, false, NULL },
	{ "version", 2, STRING, false, NULL },
	END,
};
static const struct field scope_logs[] = {
	{ "scope", 1, MESSAGE, false, scope },
	{ "logRecords", 2, MESSAGE, true, log_record },
	END,
};
static const struct field resource[] = {
	{ "attributes", 1, MESSAGE, true, key_value },
	END,
};
static const struct field resource_logs[] = {
	{ "resource", 1, MESSAGE, false, resource },
	{ "scopeLogs", 2, MESSAGE, true, scope_logs },
	END,
};
static const struct field request[] = {
	{ "resourceLogs", 1, MESSAGE, true, resource_logs },
	END,
};

/*
 * Protobuf becomes JSON.
 */

static bool
varint(const unsigned char **at, const unsigned char *end,
    unsigned long long *n)
{
	*n = 0;
	for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
		*n |= (unsigned long long)(**at & 0x7f) << shift;
		if (*(*at)++ < 0x80)
			return true;
	}
	return false;
}

static json_t *
decimal(unsigned long long n)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%llu", n);
	return json_string(text);
}

static json_t *
base64(const unsigned char *at, size_t len)
{
	struct buf text = BUF_INIT(RECV_BODY_MAX);
	json_t *value = NULL;

	if (text_base64(&text, at, len) == 0)
		value = json_string(text.data == NULL ? "" : text.data);
	buf_release(&text);
	return value;
}

static json_t *message(const unsigned char *at, size_t len,
    const struct field *of);

/* The value of a field whose tag has been read; NULL: it is not one. */
static json_t *
take_value(const unsigned char **at, const unsigned char *end,
    const struct field *f, unsigned wire)
{
	static const unsigned wires[] = {
		[STRING] = 2,
		[BYTES] = 2,
		[INT64] = 0,
		[FIXED64] = 1,
		[ENUM] = 0,
		[MESSAGE] = 2,
	};
	unsigned long long n = 0;
	const unsigned char *value;

	if (wire != wires[f->type])
		return NULL;
	if (wire == 1) {
		if (end - *at < 8)
			return NULL;
		for (int i = 8; i-- > 0;)
			n = n << 8 | (*at)[i];
		*at += 8;
		return decimal(n);
	}
	if (!varint(at, end, &n))
		return NULL;
	if (wire == 0)
		return f->type == ENUM ? json_integer((json_int_t)n)
				       : decimal(n);
	if (n > (unsigned long long)(end - *at))
		return NULL;
	value = *at;
	*at += n;
	if (f->type == STRING)
		return json_stringn((const char *)value, n);
	return f->type == BYTES ? base64(value, n) : message(value, n, f->of);
}

/* A message; NULL: it is none, or has fields that are not known. */
static json_t *
message(const unsigned char *at, size_t len, const struct field *of)
{
	const unsigned char *end = at + len;
	json_t *o = json_object();

	while (at < end) {
		const struct field *f = of;
		unsigned long long tag;
		json_t *value = NULL, *list;

		if (!varint(&at, end, &tag))
			tag = 0;
		while (f->name != NULL && f->number != tag >> 3)
			f++;
		if (f->name != NULL)
			value = take_value(&at, end, f, tag & 7);
		if (value == NULL) {
			json_decref(o);
			return NULL;
		}
		if (!f->repeated) {
			(void)json_object_set_new(o, f->name, value);
			continue;
		}
		list = json_object_get(o, f->name);
		if (list == NULL) {
			list = json_array();
			(void)json_object_set_new(o, f->name, list);
		}
		(void)json_array_append_new(list, value);
	}
	return o;
}

/*
 * JSON.
 */

static bool is_message(json_t *o, const struct field *of);

static bool
is_value(json_t *v, const struct field *f)
{
	const char *s = json_string_value(v);

	switch (f->type) {
	case STRING:
	case BYTES:
		return s != NULL;
	case INT64:
	case FIXED64:
		return s != NULL && s[0] != '\0' &&
		    s[strspn(s, "0123456789")] == '\0';
	case ENUM:
		return json_is_integer(v);
	default:
		return is_message(v, f->of);
	}
}

/* Is it such a message, with no fields that are not known? */
static bool
is_message(json_t *o, const struct field *of)
{
	const char *name;
	json_t *value, *element;
	size_t i;

	if (!json_is_object(o))
		return false;
	json_object_foreach(o, name, value)
	{
		const struct field *f = of;

		while (f->name != NULL && strcmp(f->name, name) != 0)
			f++;
		if (f->name == NULL || (f->repeated && !json_is_array(value)))
			return false;
		if (!f->repeated && !is_value(value, f))
			return false;
		if (!f->repeated)
			continue;
		json_array_foreach(value, i, element)
		{
			if (!is_value(element, f))
				return false;
		}
	}
	return true;
}

/*
 * Answers.
 */

/* In the request's kind: a google.rpc.Status, or the response with so many
 * rejected records. */
static void
reply_status(struct call *c, unsigned status, int code, const char *text)
{
	if (strcmp(recv_header(c->rq, "Content-Type"),
		"application/x-protobuf") != 0) {
		reply_text(c, status, "{\"code\":%d,\"message\":\"%s\"}", code,
		    text);
		return;
	}
	reply_text(c, status, "\x08%c\x12%c%s", code, (int)strlen(text), text);
	c->reply->type = "application/x-protobuf";
}

static void
reply_taken(struct call *c, unsigned rejected)
{
	if (strcmp(recv_header(c->rq, "Content-Type"),
		"application/x-protobuf") != 0) {
		if (rejected == 0)
			reply_text(c, 200, "{}");
		else
			reply_text(c, 200,
			    "{\"partialSuccess\":{\"rejectedLogRecords\":\"%"
			    "u\","
			    "\"errorMessage\":\"not wanted\"}}",
			    rejected);
		return;
	}
	if (rejected == 0)
		reply_text(c, 200, "%s", "");
	else
		reply_text(c, 200, "\x0a\x0e\x08%c\x12\x0anot wanted",
		    (int)(rejected > 127 ? 127 : rejected));
	c->reply->type = "application/x-protobuf";
}

/*
 * Records.
 */

static const char *
attribute(const json_t *record, const char *key)
{
	const json_t *list = json_object_get(record, "attributes"), *a;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, a)
	{
		const json_t *value = json_object_get(a, "value");
		const char *name = json_string_value(json_object_get(a, "key"));

		if (name == NULL || strcmp(name, key) != 0)
			continue;
		if (json_object_get(value, "intValue") != NULL)
			value = json_object_get(value, "intValue");
		else
			value = json_object_get(value, "stringValue");
		return json_string_value(value);
	}
	return NULL;
}

/* Keep it; false: it is rejected. */
static bool
keep(struct call *c, const json_t *record)
{
	const char *feed = attribute(record, "sealfeed.feed");
	const char *agent = attribute(record, "sealfeed.agent");
	const char *index = attribute(record, "sealfeed.index");
	const json_t *body = json_object_get(record, "body");
	const json_t *text = json_object_get(body, "stringValue");

	if (feed == NULL || agent == NULL || text == NULL ||
	    attribute(record, "log.record.uid") == NULL)
		recv_die("no record of sealfeed");
	if (index == NULL) {
		place_store_line(c, json_string_value(text),
		    json_string_length(text));
		return true;
	}
	if (is_poison_event(c, feed, strtoull(index, NULL, 10)))
		return false;
	place_store(c, feed, agent, strtoull(index, NULL, 10),
	    json_string_value(text), json_string_length(text));
	return true;
}

/* All records, one behind the other. */
static json_t *
records_of(const json_t *top)
{
	json_t *all = json_array(), *r, *s;
	size_t i, k;

	json_array_foreach(json_object_get(top, "resourceLogs"), i, r)
	{
		json_array_foreach(json_object_get(r, "scopeLogs"), k, s)
		{
			(void)json_array_extend(all,
			    json_object_get(s, "logRecords"));
		}
	}
	return all;
}

static void
take_records(struct call *c, const json_t *top)
{
	json_t *all = records_of(top), *r;
	unsigned rejected = 0;
	bool good = true;
	size_t i;

	json_array_foreach(all, i, r)
	{
		const char *observed = json_string_value(json_object_get(r,
		    "observedTimeUnixNano"));

		good = good && observed != NULL && strlen(observed) == 19;
	}
	json_array_foreach(all, i, r)
	{
		if (good &&
		    (c->fault != PARTIAL || 2 * i < json_array_size(all)))
			rejected += !keep(c, r);
	}
	if (!good)
		reply_status(c, 400, 3, "a record has no observed time");
	else if (c->fault == PARTIAL)
		reply_status(c, 503, 14, "half of it is stored");
	else
		reply_taken(c, rejected);
	json_decref(all);
}

static json_t *
parse(const struct call *c)
{
	const char *text = c->body->data == NULL ? "" : c->body->data;
	json_t *top;

	if (strcmp(recv_header(c->rq, "Content-Type"),
		"application/x-protobuf") == 0)
		return message((const unsigned char *)text, c->body->len,
		    request);
	top = json_loadb(text, c->body->len,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (is_message(top, request))
		return top;
	json_decref(top);
	return NULL;
}

/* Services with such an intake: axiom.co/docs, "Send OpenTelemetry data to
 * Axiom" and "Limits"; docs.newrelic.com, "New Relic OTLP endpoint" and "Log
 * API" (413).  Where they would cut or drop a record under a receipt it is
 * refused here. */
static const struct service {
	const char *name; /* of the kind */
	const char *header;
	const char *scheme;
	const char *data_set; /* header with its name; NULL: none */
	const char *body_max; /* bytes */
	unsigned too_large;   /* status */
	size_t record_max;    /* bytes of its body; 0: any */
	size_t records_max;   /* of a request; 0: any */
	long long hours;      /* that its time may be past; 0: any */
} services[] = {
	{ .name = "otlp",
	    .header = "Authorization",
	    .scheme = "Bearer ",
	    .body_max = "67108864",
	    .too_large = 400 },
	{ .name = "axiom",
	    .header = "Authorization",
	    .scheme = "Bearer ",
	    .data_set = "X-Axiom-Dataset",
	    .body_max = "67108864",
	    .too_large = 413,
	    .record_max = 1000000,
	    .records_max = 10000 },
	{ .name = "new-relic",
	    .header = "api-key",
	    .scheme = "",
	    .body_max = "1000000",
	    .too_large = 413,
	    .record_max = 128000,
	    .hours = 48 },
};

static const struct service *
service_of(const struct call *c)
{
	const struct service *s = services;

	while (strcmp(s->name, c->place->kind->name) != 0)
		s++;
	return s;
}

/* Would the service cut or drop none of them? */
static bool
are_kept(const struct service *s, const json_t *top)
{
	json_t *all = records_of(top), *r;
	bool good =
	    s->records_max == 0 || json_array_size(all) <= s->records_max;
	size_t i;

	json_array_foreach(all, i, r)
	{
		const char *when =
		    json_string_value(json_object_get(r, "timeUnixNano"));
		const json_t *text =
		    json_object_get(json_object_get(r, "body"), "stringValue");

		if (s->hours > 0 && when != NULL &&
		    strtoll(when, NULL, 10) / 1000000000 <
			(long long)time(NULL) - s->hours * 3600)
			good = false;
		if (s->record_max > 0 &&
		    json_string_length(text) > s->record_max)
			good = false;
	}
	json_decref(all);
	return good;
}

static void
take(struct call *c)
{
	const struct service *s = service_of(c);
	const char *type = recv_header(c->rq, "Content-Type");
	char *token = place_option(c->place, "token", "abc");
	char *max = place_option(c->place, "max", s->body_max);
	char *want = xasprintf("%s%s", s->scheme, token);
	json_t *top = NULL;

	if (strcmp(c->path, LOGS_PATH) != 0)
		reply_text(c, 404, "404 page not found");
	else if (strcmp(c->rq->method, "POST") != 0)
		reply_text(c, 405, "405 method not allowed");
	else if (strcmp(type, "application/x-protobuf") != 0 &&
	    strcmp(type, "application/json") != 0)
		reply_text(c, 415, "415 unsupported media type");
	else if (strcmp(recv_header(c->rq, s->header), want) != 0)
		reply_status(c, 401, 16, "the token is not known");
	else if (s->data_set != NULL &&
	    strcmp(recv_header(c->rq, s->data_set), "m365") != 0)
		reply_status(c, 404, 5, "dataset not found");
	else if (c->body->len > strtoull(max, NULL, 10))
		reply_status(c, s->too_large, 3, "request body too large");
	else if ((top = parse(c)) == NULL)
		reply_status(c, 400, 3, "not an ExportLogsServiceRequest");
	else if (!are_kept(s, top))
		reply_status(c, 400, 3, "a record would not be kept");
	else
		take_records(c, top);
	json_decref(top);
	free(want);
	free(max);
	free(token);
}

const struct intake_kind intake_otlp = { .name = "otlp", .take = take };
const struct intake_kind intake_axiom = { .name = "axiom", .take = take };
const struct intake_kind intake_new_relic = { .name = "new-relic",
	.take = take };
