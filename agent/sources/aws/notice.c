/*
 * notice.c - which objects a message tells of.
 *
 * S3 User Guide, "Event message structure" and "EventBridge event message
 * structure"; CloudTrail User Guide, "Configuring SNS notifications"; SNS
 * Developer Guide, "JSON format for messages".
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "sources/aws/s3.h"

/* A topic may be subscribed to a topic, but not endlessly. */
#define WRAPPED_MAX 3

struct reading {
	notice_fn *take;
	void *ctx;
	struct err *err;
	const char *why; /* NULL: nothing is wrong so far */
	int rc;
};

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Can it name an object?  One is UTF-8 of up to 1024 bytes. */
static bool
is_key(const char *s, size_t len)
{
	if (len == 0 || len > 1024 || memchr(s, '\0', len) != NULL)
		return false;
	while (len > 0) {
		size_t n = text_utf8(s, len);

		if (n == 0)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

int
notice_decode(const char *text, struct buf *out)
{
	const size_t begin = out->len;

	for (; *text != '\0'; text++) {
		char c = *text == '+' ? ' ' : *text;

		if (c == '%') {
			if (hex(text[1]) < 0 || hex(text[2]) < 0)
				return -1;
			c = (char)(hex(text[1]) * 16 + hex(text[2]));
			text += 2;
		}
		if (buf_add(out, &c, 1) != 0)
			return -1;
	}
	return out->data != NULL && is_key(out->data + begin, out->len - begin)
	    ? 0
	    : -1;
}

static bool
is_bucket(const char *s)
{
	size_t len = s != NULL ? strlen(s) : 0;

	return len >= 3 && len <= 255 && s[0] != '.' &&
	    strspn(s,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789.-_") == len;
}

static const char *
text(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	const char *s = json_string_value(v);

	return s != NULL && *s != '\0' && strlen(s) == json_string_length(v)
	    ? s
	    : NULL;
}

static int64_t
when(const char *s)
{
	int64_t at;

	return s != NULL && clock_parse(s, strlen(s), &at) == 0 ? at
								: INT64_MIN;
}

static int64_t
size_of(const json_t *object)
{
	const json_t *v = json_object_get(object, "size");

	return json_is_integer(v) && json_integer_value(v) >= 0
	    ? json_integer_value(v)
	    : -1;
}

/* Pass on an object of that bucket; encoded: the key's form. */
static void
take(struct reading *g, struct s3_object *o, const char *key, bool encoded)
{
	struct buf plain = BUF_INIT(S3_KEY_MAX);

	if (g->rc != 0 || g->why != NULL)
		return;
	if (!is_bucket(o->bucket))
		g->why = "it names no bucket";
	else if (key == NULL ||
	    (encoded ? notice_decode(key, &plain) != 0
		     : !is_key(key, strlen(key))))
		g->why = "it has no key that can name an object";
	else {
		o->key = encoded ? plain.data : key;
		g->rc = g->take(g->ctx, o, g->err);
	}
	buf_release(&plain);
}

/* {"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put",
 * "s3":{…}}]}; what others than S3 tell in that form is not S3's. */
static void
read_records(struct reading *g, const json_t *records)
{
	const json_t *record;
	size_t i;

	json_array_foreach(records, i, record)
	{
		const json_t *s3 = json_object_get(record, "s3");
		const json_t *object = json_object_get(s3, "object");
		const char *name = text(record, "eventName");
		struct s3_object o = {
			.bucket = text(json_object_get(s3, "bucket"), "name"),
			.etag = text(object, "eTag"),
			.version = text(object, "versionId"),
			.when = when(text(record, "eventTime")),
			.size = size_of(object),
		};

		if (s3 == NULL || name == NULL) {
			g->why = "a record in it is not one of S3";
			return;
		}
		/* Others than AWS write "s3:ObjectCreated:Put". */
		if (strncmp(name, "s3:", 3) == 0)
			name += 3;
		/* What was removed or tagged has nothing to read. */
		if (strncmp(name, "ObjectCreated:", 14) == 0)
			take(g, &o, text(object, "key"), true);
	}
}

/* {"s3Bucket":"…","s3ObjectKey":["…"]}, as CloudTrail itself tells. */
static void
read_trail(struct reading *g, const json_t *top)
{
	const json_t *keys = json_object_get(top, "s3ObjectKey"), *key;
	size_t i;

	if (!json_is_array(keys))
		g->why = "its s3ObjectKey is no list";
	json_array_foreach(keys, i, key)
	{
		struct s3_object o = { .bucket = text(top, "s3Bucket"),
			.when = INT64_MIN,
			.size = -1 };
		const char *s = json_string_value(key);

		take(g, &o,
		    s != NULL && strlen(s) == json_string_length(key) ? s
								      : NULL,
		    false);
	}
}

/* {"detail-type":"Object Created","detail":{"bucket":{"name":"…"},
 * "object":{"key":"…"}}}, as EventBridge tells: its keys are not encoded. */
static void
read_bridge(struct reading *g, const json_t *top)
{
	const json_t *detail = json_object_get(top, "detail");
	const json_t *object = json_object_get(detail, "object");
	const char *type = text(top, "detail-type");
	struct s3_object o = {
		.bucket = text(json_object_get(detail, "bucket"), "name"),
		.etag = text(object, "etag"),
		.version = text(object, "version-id"),
		.when = when(text(top, "time")),
		.size = size_of(object),
	};

	if (type == NULL || !json_is_object(object))
		g->why = "it is not an event of S3";
	else if (strcmp(type, "Object Created") == 0)
		take(g, &o, text(object, "key"), false);
}

static void
read_object(struct reading *g, const json_t *top, unsigned depth)
{
	const json_t *records = json_object_get(top, "Records"), *message;
	const char *event = text(top, "Event"), *type = text(top, "Type");
	json_t *inner;

	if (json_is_array(records)) {
		read_records(g, records);
	} else if (json_object_get(top, "s3ObjectKey") != NULL) {
		read_trail(g, top);
	} else if (json_object_get(top, "detail-type") != NULL) {
		read_bridge(g, top);
	} else if (event != NULL && strcmp(event, "s3:TestEvent") == 0) {
		return; /* S3 looks whether the queue is there */
	} else if (type != NULL && strcmp(type, "Notification") == 0 &&
	    depth < WRAPPED_MAX) {
		message = json_object_get(top, "Message");
		inner = json_is_string(message)
		    ? json_loadb(json_string_value(message),
			  json_string_length(message), 0, NULL)
		    : NULL;
		if (json_is_object(inner))
			read_object(g, inner, depth + 1);
		else
			g->why = "the notification in it is not one of S3";
		json_decref(inner);
	} else {
		g->why = "it is not a notification of S3, SNS or EventBridge";
	}
}

int
notice_read(const char *body, size_t len, notice_fn *fn, void *ctx,
    enum notice *what, const char **why, struct err *err)
{
	struct reading g = { .take = fn, .ctx = ctx, .err = err };
	json_t *top = len > 0 ? json_loadb(body, len, 0, NULL) : NULL;

	if (json_is_object(top))
		read_object(&g, top, 0);
	else
		g.why = "it is no JSON object";
	json_decref(top);
	*what = g.why != NULL ? NOTICE_ODD : NOTICE_OBJECTS;
	*why = g.why;
	return g.rc;
}
