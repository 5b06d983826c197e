/*
 * intake_loki.c - Loki's push API, as grafana.com/docs/loki describes it: "Loki
 * HTTP API, Ingest logs", "Request validation and rate limit errors" with its
 * texts, and the defaults of limits_config.
 *
 * JSON with streams of string labels (at most 15), and of entries: a decimal
 * string of nanoseconds, the line, structured metadata of strings.  Refused
 * with 400, while the other entries are kept: older than a week, ten minutes
 * ahead, behind the newest of the stream by half of max_chunk_age, over 256
 * KiB.
 *
 * Options: token, for Authorization: Bearer; tenant, that has to be named;
 * behind, seconds (3600); plain, "1": no structured metadata.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/lib/unsnap.h"
#include "tests/recv/intake.h"

#define LABELS_MAX 15
#define LINE_MAX_BYTES 262144

struct stream {
	struct stream *next;
	char *labels;
	long long newest; /* ns */
};

static struct stream *
stream_of(struct place *p, const json_t *labels)
{
	char *text = json_dumps(labels, JSON_SORT_KEYS);
	struct stream *s = p->state;

	while (s != NULL && strcmp(s->labels, text) != 0)
		s = s->next;
	if (s != NULL) {
		free(text);
		return s;
	}
	s = xcalloc(1, sizeof(*s));
	s->labels = text;
	s->next = p->state;
	p->state = s;
	return s;
}

static bool
all_strings(json_t *o)
{
	const char *name;
	json_t *value;

	if (!json_is_object(o))
		return false;
	json_object_foreach(o, name, value)
	{
		if (!json_is_string(value) || name[0] == '\0' ||
		    name[strspn(name, "abcdefghijklmnopqrstuvwxyz_")] != '\0')
			return false;
	}
	return true;
}

/* Are the types right?  Otherwise nothing of the request is looked at. */
static bool
is_push(const json_t *top)
{
	json_t *streams = json_object_get(top, "streams"), *s, *e;
	size_t i, k;

	if (!json_is_array(streams) || json_object_size(top) != 1)
		return false;
	json_array_foreach(streams, i, s)
	{
		json_t *values = json_object_get(s, "values");

		if (!all_strings(json_object_get(s, "stream")) ||
		    !json_is_array(values) || json_object_size(s) != 2)
			return false;
		json_array_foreach(values, k, e)
		{
			const char *time =
			    json_string_value(json_array_get(e, 0));
			size_t n = json_array_size(e);

			if (time == NULL || strlen(time) != 19 ||
			    time[strspn(time, "0123456789")] != '\0' ||
			    !json_is_string(json_array_get(e, 1)) || n > 3 ||
			    (n == 3 && !all_strings(json_array_get(e, 2))))
				return false;
		}
	}
	return true;
}

/* Why Loki would not keep the entry, NULL: it does. */
static const char *
fault_of(struct call *c, struct stream *s, const json_t *entry)
{
	char *behind = place_option(c->place, "behind", "3600");
	char *plain = place_option(c->place, "plain", "");
	long long when =
	    strtoll(json_string_value(json_array_get(entry, 0)), NULL, 10);
	long long now = clock_now() * 1000, second = 1000000000;
	const char *why = NULL;

	if (when < now - 7 * 86400 * second)
		why = "has timestamp too old";
	else if (when > now + 600 * second)
		why = "has timestamp too new";
	else if (json_string_length(json_array_get(entry, 1)) > LINE_MAX_BYTES)
		why = "Max entry size '262144' bytes exceeded";
	else if (json_array_size(entry) == 3 && plain[0] != '\0')
		why = "includes structured metadata, but this feature is "
		      "disallowed";
	else if (when < s->newest - strtoll(behind, NULL, 10) * second)
		why = "entry too far behind";
	if (why == NULL && when > s->newest)
		s->newest = when;
	free(behind);
	free(plain);
	return why;
}

/* Keep it; false: it is not wanted. */
static bool
keep(struct call *c, const json_t *labels, const json_t *entry)
{
	const json_t *text = json_array_get(entry, 1);
	const char *index =
	    json_string_value(json_object_get(json_array_get(entry, 2),
		"sealfeed_index"));
	const char *feed =
	    json_string_value(json_object_get(labels, "sealfeed_feed"));
	const char *agent =
	    json_string_value(json_object_get(labels, "sealfeed_agent"));

	if (feed == NULL || agent == NULL)
		recv_die("no stream of sealfeed");
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

static void
take_streams(struct call *c, const json_t *top)
{
	json_t *streams = json_object_get(top, "streams"), *s, *e;
	const char *why = NULL, *fault;
	bool half = false;
	size_t i, k;

	json_array_foreach(streams, i, s)
	{
		json_t *labels = json_object_get(s, "stream");
		struct stream *stream = stream_of(c->place, labels);

		if (json_object_size(labels) > LABELS_MAX)
			why = "has 16 label names; limit 15";
		json_array_foreach(json_object_get(s, "values"), k, e)
		{
			if (c->fault == PARTIAL && k % 2 == 1) {
				half = true;
				continue;
			}
			fault = fault_of(c, stream, e);
			if (fault == NULL && !keep(c, labels, e))
				fault = "Max entry size '1' bytes exceeded";
			why = fault != NULL ? fault : why;
		}
	}
	if (half)
		reply_text(c, 500, "at least 2 live replicas required\n");
	else if (why != NULL)
		reply_text(c, 400, "entry for stream '{…}' %s, user 'fake'\n",
		    why);
	else
		reply_text(c, 204, "%s", "");
}

/*
 * Protobuf, packed with Snappy: Loki's pkg/push/push.proto and protobuf.dev,
 * "Encoding".
 */

static size_t
varint(struct slice *s)
{
	size_t n = 0;

	for (unsigned shift = 0; s->len > 0 && shift < 64; shift += 7) {
		unsigned char c = (unsigned char)*s->data++;

		s->len--;
		n |= (size_t)(c & 0x7f) << shift;
		if (c < 0x80)
			break;
	}
	return n;
}

/* The next field, whose number must be at most max; 0: the end, or broken, and
 * then s is not empty. */
static unsigned
field(struct slice *s, unsigned max, struct slice *bytes, size_t *n)
{
	struct slice rest = *s;
	size_t tag = varint(&rest);

	*bytes = (struct slice){ "", 0 };
	*n = 0;
	if (s->len == 0 || tag >> 3 > max || ((tag & 7) != 0 && (tag & 7) != 2))
		return 0;
	*n = varint(&rest);
	if ((tag & 7) == 2) {
		if (*n > rest.len)
			return 0;
		*bytes = (struct slice){ rest.data, *n };
		rest.data += *n;
		rest.len -= *n;
	}
	*s = rest;
	return (unsigned)(tag >> 3);
}

static json_t *
string_of(struct slice s)
{
	return json_stringn(s.data, s.len); /* NULL: no UTF-8 */
}

/* {name="value", name="value"}, whose strings are quoted as in JSON here. */
static json_t *
read_labels(struct slice s)
{
	struct buf text = BUF_INIT(1 << 16);
	bool quoted = false,
	     good = s.len >= 2 && s.data[0] == '{' && s.data[s.len - 1] == '}';
	json_t *labels;

	if (!good || buf_adds(&text, "{\"") != 0)
		return NULL;
	for (size_t i = 1; i + 1 < s.len; i++) {
		char put[3] = { s.data[i] };

		if (quoted && put[0] == '\\')
			put[1] = s.data[++i];
		else if (put[0] == '"')
			quoted = !quoted;
		else if (!quoted && put[0] == '=')
			(void)strcpy(put, "\":");
		else if (!quoted && put[0] == ',')
			(void)strcpy(put, ",\"");
		if (buf_adds(&text, put) != 0)
			return NULL;
	}
	if (buf_adds(&text, "}") != 0)
		return NULL;
	labels = json_loads(text.data, JSON_REJECT_DUPLICATES, NULL);
	buf_release(&text);
	return labels;
}

static json_t *
read_entry(struct slice s)
{
	json_t *entry = json_pack("[s, s]", "", ""), *meta = json_object();
	struct slice bytes, part, name;
	size_t n, seconds = 0, nanos = 0;
	char time[64];
	unsigned f;

	while ((f = field(&s, 3, &bytes, &n)) != 0) {
		if (f == 1) {
			while ((f = field(&bytes, 2, &part, &n)) != 0)
				*(f == 1 ? &seconds : &nanos) = n;
		} else if (f == 2) {
			(void)json_array_set_new(entry, 1, string_of(bytes));
		} else {
			(void)field(&bytes, 1, &name, &n);
			(void)field(&bytes, 2, &part, &n);
			(void)json_object_setn_new(meta, name.data, name.len,
			    string_of(part));
		}
	}
	(void)snprintf(time, sizeof(time), "%zu%09zu", seconds, nanos);
	(void)json_array_set_new(entry, 0, json_string(time));
	if (json_object_size(meta) > 0)
		(void)json_array_append(entry, meta);
	json_decref(meta);
	return entry;
}

/* As JSON has it: NULL where it cannot be read. */
static json_t *
read_protobuf(const struct buf *b)
{
	struct slice s = { b->data, b->len }, stream, bytes;
	json_t *streams = json_array(), *labels, *values;
	bool broken = false;
	size_t n;

	while (!broken && field(&s, 1, &stream, &n) == 1) {
		labels = NULL;
		values = json_array();
		for (unsigned f; (f = field(&stream, 3, &bytes, &n)) != 0;) {
			if (f == 1 && labels == NULL)
				labels = read_labels(bytes);
			else if (f == 2)
				(void)json_array_append_new(values,
				    read_entry(bytes));
		}
		broken = labels == NULL || stream.len > 0;
		(void)json_array_append_new(streams,
		    json_pack("{s:o?, s:o}", "stream", labels, "values",
			values));
	}
	if (broken || s.len > 0) {
		json_decref(streams);
		return NULL;
	}
	return json_pack("{s:o}", "streams", streams);
}

static bool
authorized(struct call *c)
{
	char *token = place_option(c->place, "token", "abc");
	char *tenant = place_option(c->place, "tenant", "");
	char *want = xasprintf("Bearer %s", token);
	bool good = false;

	if (strcmp(recv_header(c->rq, "Authorization"), want) != 0)
		reply_text(c, 401, "the gateway does not know the token\n");
	else if (tenant[0] != '\0' &&
	    recv_header(c->rq, "X-Scope-OrgID")[0] == '\0')
		reply_text(c, 401, "no org id\n");
	else
		good = true;
	free(want);
	free(tenant);
	free(token);
	return good;
}

/* The push in the body, as JSON has it; NULL: it cannot be read. */
static json_t *
read_push(const struct call *c)
{
	const char *type = recv_header(c->rq, "Content-Type");
	struct buf plain = BUF_INIT(RECV_BODY_MAX);
	json_t *top = NULL;

	if (strcmp(type, "application/x-protobuf") == 0 &&
	    recv_header(c->rq, "Content-Encoding")[0] == '\0') {
		if (c->body->len > 0 &&
		    unsnap(c->body->data, c->body->len, &plain))
			top = read_protobuf(&plain);
	} else if (strcmp(type, "application/json") == 0 && c->body->len > 0) {
		top = json_loadb(c->body->data, c->body->len,
		    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	}
	buf_release(&plain);
	return top;
}

static void
take(struct call *c)
{
	json_t *top;

	if (strcmp(c->path, "/loki/api/v1/push") != 0) {
		reply_text(c, 404, "404 page not found\n");
		return;
	}
	if (strcmp(c->rq->method, "POST") != 0) {
		reply_text(c, 405, "%s", "");
		return;
	}
	if (!authorized(c))
		return;
	top = read_push(c);
	if (!is_push(top))
		reply_text(c, 400, "loghttp.PushRequest: cannot be read\n");
	else if (json_array_size(json_object_get(top, "streams")) == 0)
		reply_text(c, 422,
		    "error at least one valid stream is required for "
		    "ingestion\n");
	else
		take_streams(c, top);
	json_decref(top);
}

const struct intake_kind intake_loki = { .name = "loki", .take = take };
