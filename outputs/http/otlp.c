/*
 * otlp.c - logs by OTLP/HTTP, OpenTelemetry's protocol, in protobuf or JSON.
 *
 * opentelemetry.io/docs/specs/otlp, "OTLP/HTTP"; the messages are those of
 * opentelemetry-proto (collector/logs/v1, logs/v1, common/v1, resource/v1),
 * whose field numbers are the names below; protobuf.dev, "Encoding".
 *
 * A request has one resource, the agent, and one scope.  A record's body is the
 * text of the event; what tells where it belongs are attributes, and
 * log.record.uid makes repeats known for what they are (semantic conventions,
 * "General logs attributes").
 *
 * A receiver that rejects records of a request says how many, and not which.
 * The protocol has no retry of that request, and what is sent instead are
 * smaller ones, down to the records that are rejected alone.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/json_valid.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/event_shape.h"
#include "delivery/chunk.h"
#include "delivery/member.h"
#include "outputs/http/exchange.h"
#include "outputs/http/explain.h"
#include "outputs/http/otlp.h"
#include "outputs/http/protobuf.h"
#include "outputs/http/status.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"
#include "store/line.h"

#define LOGS "/v1/logs"

/* logs.proto, SEVERITY_NUMBER_INFO. */
#define SEVERITY 9
#define SEVERITY_TEXT "INFO"

/* Resource and scope of a request, with what stands around them. */
#define HEAD_MAX 1024

enum otlp_encoding { OTLP_PROTOBUF, OTLP_JSON };

struct otlp {
	const struct otlp_preset *preset; /* NULL: none */
	bool json;
	struct gzip *gzip;   /* NULL: nothing is packed here */
	struct buf begin;    /* of JSON: what stands in front of the records */
	struct buf resource; /* of protobuf: the fields of these names */
	struct buf scope;
	struct buf record;
	struct buf line;
	struct buf whole; /* a request before it is packed */
};

/*
 * What both encodings say of a line.
 */

struct attribute {
	const char *key;
	struct slice text; /* data NULL: it is number */
	uint64_t number;
};

#define ATTRIBUTES_MAX 8

struct record {
	int64_t when; /* INT64_MIN: not known */
	int64_t observed;
	struct slice body;
	bool text; /* the body is UTF-8 */
	struct attribute list[ATTRIBUTES_MAX];
	size_t n;
	char uid[512];
	char time[CLOCK_TEXT];
};

static void
add_text(struct record *r, const char *key, struct slice text)
{
	if (text.len > 0)
		r->list[r->n++] = (struct attribute){ key, text, 0 };
}

static struct slice
text_of(const char *s)
{
	return (struct slice){ s, s == NULL ? 0 : strlen(s) };
}

/* Nanoseconds have 64 bits, 0 is none, and some receivers drop what is old:
 * such a time is an attribute, and the record counts from when it is sent
 * ("time_unix_nano if it is present, otherwise observed_time_unix_nano",
 * logs.proto). */
static bool
has_own_time(const struct intake *in, const struct record *r)
{
	const struct otlp_conf *conf = in->conf;
	const struct otlp *o = in->state;
	int64_t past = o->preset == NULL ? conf->late_after : o->preset->past;

	return r->when > 0 && r->when <= INT64_MAX / 1000 &&
	    (past == 0 || r->when >= r->observed - past);
}

/* Would the service go by a time in the event, though the record has none? */
static bool
tells_time(struct intake *in, const struct chunk_line *line)
{
	const struct otlp *o = in->state;
	const char *time = o->preset == NULL ? NULL : o->preset->time;

	return !line->checkpoint &&
	    member_text(in->members, time, line->value, line->len).len > 0 &&
	    json_valid(line->value, line->len);
}

static int
put_in_line(struct intake *in, const struct chunk_line *line, struct record *r)
{
	struct otlp *o = in->state;
	const struct line_name name = { in->out->agent, line->feed, line->via };

	buf_clear(&o->line);
	if (line_add(&o->line, LINE_EVENT, name, line->number, line->value,
		line->len) != 0)
		return -1;
	r->body = (struct slice){ o->line.data, o->line.len - 1 };
	return 0;
}

static int
describe(struct intake *in, const struct chunk_line *line, struct record *r)
{
	const char *agent = in->out->agent;

	r->when = line->when;
	r->observed = clock_now();
	r->body = intake_text(in, line);
	r->text = text_is_utf8(r->body);
	r->n = 0;
	(void)snprintf(r->uid, sizeof(r->uid), "%s/%s%c%llu", agent, line->feed,
	    line->checkpoint ? '@' : '/', (unsigned long long)line->number);
	add_text(r, "log.record.uid", text_of(r->uid));
	add_text(r, "sealfeed.feed", text_of(line->feed));
	r->list[r->n++] = (struct attribute){
		.key = line->checkpoint ? "sealfeed.size" : "sealfeed.index",
		.number = line->number,
	};
	add_text(r, "sealfeed.agent", text_of(agent));
	add_text(r, "sealfeed.id", intake_plain_id(in, line));
	add_text(r, "sealfeed.version_of", text_of(line->version_of));
	add_text(r, "sealfeed.via", text_of(line->via));
	if (r->when != INT64_MIN && !has_own_time(in, r)) {
		(void)clock_format(r->when, 6, r->time);
		add_text(r, "sealfeed.time", text_of(r->time));
		r->when = INT64_MIN;
	}
	return r->when == INT64_MIN && tells_time(in, line)
	    ? put_in_line(in, line, r)
	    : 0;
}

/*
 * JSON: names in lowerCamelCase, enums and 64-bit integers as the protocol's
 * "JSON Protobuf Encoding" wants them.
 */

/* A value; bytes go as base64. */
static int
json_value(struct buf *b, struct slice s, bool text)
{
	if (buf_addf(b, "{\"%s\":", text ? "stringValue" : "bytesValue") != 0)
		return -1;
	if (text ? text_json_string(b, s.data, s.len) != 0
		 : buf_adds(b, "\"") != 0 ||
		    text_base64(b, s.data, s.len) != 0 ||
		    buf_adds(b, "\"") != 0)
		return -1;
	return buf_adds(b, "}");
}

static int
json_attribute(struct buf *b, const struct attribute *a)
{
	if (buf_addf(b, "{\"key\":\"%s\",\"value\":", a->key) != 0)
		return -1;
	if (a->text.data == NULL ? buf_addf(b, "{\"intValue\":\"%llu\"}",
				       (unsigned long long)a->number) != 0
				 : json_value(b, a->text, true) != 0)
		return -1;
	return buf_adds(b, "}");
}

static int
json_record(struct buf *b, const struct record *r)
{
	if (buf_adds(b, "{") != 0 ||
	    (r->when != INT64_MIN &&
		buf_addf(b, "\"timeUnixNano\":\"%lld000\",",
		    (long long)r->when) != 0) ||
	    buf_addf(b,
		"\"observedTimeUnixNano\":\"%lld000\",\"severityNumber\":%d,"
		"\"severityText\":\"" SEVERITY_TEXT "\",\"body\":",
		(long long)r->observed, SEVERITY) != 0 ||
	    json_value(b, r->body, r->text) != 0 ||
	    buf_adds(b, ",\"attributes\":[") != 0)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		if ((i > 0 && buf_adds(b, ",") != 0) ||
		    json_attribute(b, &r->list[i]) != 0)
			return -1;
	return buf_adds(b, "]}");
}

/*
 * Protobuf.
 */

/* AnyValue: string_value 1, int_value 3, bytes_value 7.  KeyValue: key 1,
 * value 2. */
static int
put_attribute(struct buf *b, unsigned field, const struct attribute *a)
{
	struct buf number = BUF_INIT(16);
	struct slice key = text_of(a->key);
	size_t value;
	int rc = 0;

	if (a->text.data == NULL)
		rc = protobuf_number(&number, 3, a->number);
	value = a->text.data == NULL ? number.len : protobuf_size(a->text.len);
	if (rc == 0)
		rc = protobuf_head(b, field,
		    protobuf_size(key.len) + protobuf_size(value));
	if (rc == 0)
		rc = protobuf_bytes(b, 1, key);
	if (rc == 0)
		rc = protobuf_head(b, 2, value);
	if (rc == 0)
		rc = a->text.data == NULL ? buf_add(b, number.data, number.len)
					  : protobuf_bytes(b, 1, a->text);
	buf_release(&number);
	return rc;
}

/* LogRecord. */
static int
put_record(struct buf *b, const struct record *r)
{
	if ((r->when != INT64_MIN &&
		protobuf_fixed64(b, 1, (uint64_t)r->when * 1000) != 0) ||
	    protobuf_number(b, 2, SEVERITY) != 0 ||
	    protobuf_bytes(b, 3, text_of(SEVERITY_TEXT)) != 0 ||
	    protobuf_head(b, 5, protobuf_size(r->body.len)) != 0 ||
	    protobuf_bytes(b, r->text ? 1 : 7, r->body) != 0)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		if (put_attribute(b, 6, &r->list[i]) != 0)
			return -1;
	return protobuf_fixed64(b, 11, (uint64_t)r->observed * 1000);
}

/*
 * Opening.
 */

static void
otlp_close(struct intake *in)
{
	struct otlp *o = in->state;

	gzip_free(o->gzip);
	buf_release(&o->begin);
	buf_release(&o->resource);
	buf_release(&o->scope);
	buf_release(&o->record);
	buf_release(&o->line);
	buf_release(&o->whole);
	free(o);
	in->state = NULL;
}

static int
make_json_begin(struct otlp *o, const struct attribute *list, size_t n)
{
	if (buf_adds(&o->begin,
		"{\"resourceLogs\":[{\"resource\":{\"attributes\":[") != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if ((i > 0 && buf_adds(&o->begin, ",") != 0) ||
		    json_attribute(&o->begin, &list[i]) != 0)
			return -1;
	return buf_adds(&o->begin,
	    "]},\"scopeLogs\":[{\"scope\":{\"name\":\"sealfeed\",\"version\":"
	    "\"" PACKAGE_VERSION "\"},\"logRecords\":[");
}

/* Resource: attributes 1.  InstrumentationScope: name 1, version 2. */
static int
make_fields(struct otlp *o, const struct attribute *list, size_t n)
{
	struct buf b = BUF_INIT(HEAD_MAX);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = put_attribute(&b, 1, &list[i]);
	if (rc == 0)
		rc = protobuf_bytes(&o->resource, 1,
		    (struct slice){ b.data, b.len });
	buf_clear(&b);
	if (rc == 0)
		rc = protobuf_bytes(&b, 1, text_of("sealfeed"));
	if (rc == 0)
		rc = protobuf_bytes(&b, 2, text_of(PACKAGE_VERSION));
	if (rc == 0)
		rc = protobuf_bytes(&o->scope, 1,
		    (struct slice){ b.data, b.len });
	buf_release(&b);
	return rc;
}

static int
otlp_open(struct intake *in, struct err *err)
{
	const struct otlp_conf *conf = in->conf;
	const struct attribute list[] = {
		{ "service.name", text_of("sealfeed"), 0 },
		{ "service.version", text_of(PACKAGE_VERSION), 0 },
		{ "service.instance.id", text_of(in->out->agent), 0 },
	};
	const size_t n = sizeof(list) / sizeof(list[0]);
	struct otlp *o = xcalloc(1, sizeof(*o));

	in->state = o;
	o->preset = otlp_preset_of(in->out->type->type.name);
	if (o->preset != NULL && o->preset->token_header != NULL)
		in->token_header = o->preset->token_header;
	if (o->preset != NULL)
		in->lines_max = o->preset->lines_max;
	o->json = conf->encoding == OTLP_JSON;
	buf_init(&o->begin, HEAD_MAX);
	buf_init(&o->resource, HEAD_MAX);
	buf_init(&o->scope, HEAD_MAX);
	buf_init(&o->record, EXCHANGE_BODY_MAX);
	buf_init(&o->line, EXCHANGE_BODY_MAX);
	buf_init(&o->whole, EXCHANGE_BODY_MAX);
	in->content_type =
	    o->json ? "application/json" : "application/x-protobuf";
	if ((o->json ? make_json_begin : make_fields)(o, list, n) != 0) {
		otlp_close(in);
		return err_set(err, "agent.name: too long");
	}
	/* Records are the body until all of them are there: the lengths of
	 * what is around them stand in front, and then it is packed. */
	if (in->compress)
		o->gzip = gzip_new();
	in->compress = false;
	in->body_max -= in->body_max > 2 * HEAD_MAX ? HEAD_MAX : 0;
	return 0;
}

/*
 * Requests.
 */

static int
otlp_render(struct intake *in, const struct chunk_line *line, struct buf *body,
    struct err *err)
{
	struct otlp *o = in->state;
	struct record r;
	int rc;

	if (describe(in, line, &r) != 0)
		return err_set(err, "request: too large");
	if (o->preset != NULL && o->preset->record_max > 0 &&
	    r.body.len > o->preset->record_max)
		return err_set(err,
		    "the event of %zu bytes is larger than the %zu that are "
		    "kept of one",
		    r.body.len, o->preset->record_max);
	if (o->json) {
		rc = body->len == 0 ? 0 : buf_adds(body, ",");
		if (rc == 0)
			rc = json_record(body, &r);
	} else {
		buf_clear(&o->record);
		rc = put_record(&o->record, &r);
		if (rc == 0)
			rc = protobuf_bytes(body, 2,
			    (struct slice){ o->record.data, o->record.len });
	}
	return rc == 0 ? 0 : err_set(err, "request: too large");
}

/* ExportLogsServiceRequest: resource_logs 1; ResourceLogs: resource 1,
 * scope_logs 2; ScopeLogs: scope 1, log_records 2, which the records are. */
static int
add_around(const struct otlp *o, struct slice records, struct buf *b)
{
	size_t scope_logs = o->scope.len + records.len;

	if (o->json)
		return buf_add(b, o->begin.data, o->begin.len) != 0 ||
			buf_add(b, records.data, records.len) != 0
		    ? -1
		    : buf_adds(b, "]}]}]}");
	if (protobuf_head(b, 1, o->resource.len + protobuf_size(scope_logs)) !=
		0 ||
	    buf_add(b, o->resource.data, o->resource.len) != 0 ||
	    protobuf_head(b, 2, scope_logs) != 0 ||
	    buf_add(b, o->scope.data, o->scope.len) != 0)
		return -1;
	return buf_add(b, records.data, records.len);
}

/* Make the records in r's body a request, packed where the output packs. */
static int
wrap(struct otlp *o, struct intake_request *r, struct err *err)
{
	struct slice records = { r->body.len == 0 ? "" : r->body.data,
		r->body.len };
	struct buf keep;
	int rc;

	buf_clear(&o->whole);
	if (add_around(o, records, &o->whole) != 0)
		return err_set(err, "request: too large");
	if (o->gzip == NULL) {
		keep = o->whole;
		o->whole = r->body;
		r->body = keep;
		return 0;
	}
	intake_header(r, "Content-Encoding", "gzip");
	buf_clear(&r->body);
	rc = gzip_pack(o->gzip, o->whole.data, o->whole.len, &r->body, err);
	/* An output at rest holds little. */
	buf_release(&o->whole);
	buf_release(&o->record);
	buf_release(&o->line);
	return rc;
}

static int
otlp_prepare(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct otlp_conf *conf = in->conf;
	struct otlp *o = in->state;

	intake_url(r, LOGS, NULL);
	if (conf->dataset != NULL)
		intake_header(r, "X-Axiom-Dataset", conf->dataset);
	return wrap(o, r, err);
}

/*
 * Answers.
 */

struct answer {
	bool good; /* it is what such a receiver answers */
	uint64_t rejected;
	char message[256];
};

static void
set_message(struct answer *a, struct slice s)
{
	(void)snprintf(a->message, sizeof(a->message), "%.*s",
	    (int)(s.len < sizeof(a->message) ? s.len : sizeof(a->message) - 1),
	    s.data == NULL ? "" : s.data);
}

static const json_t *
member(const json_t *o, const char *name, const char *proto_name)
{
	const json_t *found = json_object_get(o, name);

	return found != NULL ? found : json_object_get(o, proto_name);
}

static void
read_json(const struct intake_response *r, struct answer *a)
{
	json_t *o = json_loadb(r->body, r->len, 0, NULL);
	const json_t *partial = member(o, "partialSuccess", "partial_success");
	const json_t *n =
	    member(partial, "rejectedLogRecords", "rejected_log_records");
	const json_t *message = r->status < 300
	    ? member(partial, "errorMessage", "error_message")
	    : json_object_get(o, "message");
	long long rejected = json_is_string(n)
	    ? strtoll(json_string_value(n), NULL, 10)
	    : json_integer_value(n);

	a->good = json_is_object(o);
	a->rejected = rejected > 0 ? (uint64_t)rejected : 0;
	set_message(a, text_of(json_string_value(message)));
	json_decref(o);
}

/* ExportLogsPartialSuccess: rejected_log_records 1, error_message 2. */
static void
read_partial(struct slice s, struct answer *a)
{
	struct protobuf_reader r = { .rest = s };
	struct protobuf_field f;

	while (protobuf_next(&r, &f)) {
		if (f.number == 1 && f.value <= INT64_MAX)
			a->rejected = f.value;
		else if (f.number == 2)
			set_message(a, f.bytes);
	}
	a->good = a->good && !r.broken;
}

/* ExportLogsServiceResponse: partial_success 1; google.rpc.Status, which other
 * answers are: message 2. */
static void
read_protobuf(const struct intake_response *answer, struct answer *a)
{
	struct protobuf_reader r = { .rest = { answer->body, answer->len } };
	struct protobuf_field f;

	a->good = true;
	while (protobuf_next(&r, &f)) {
		if (answer->status < 300 && f.number == 1)
			read_partial(f.bytes, a);
		else if (answer->status >= 300 && f.number == 2)
			set_message(a, f.bytes);
	}
	a->good = a->good && !r.broken;
}

static void
read_answer(const struct intake_response *r, struct answer *a)
{
	char type[128];

	*a = (struct answer){ .good = r->len == 0 };
	(void)intake_answer_header(r, "content-type", type, sizeof(type));
	if (r->len > 0 && !r->cut && strstr(type, "protobuf") != NULL)
		read_protobuf(r, a);
	else if (r->len > 0 && !r->cut)
		read_json(r, a);
}

/* Records are rejected: all that there are, or nobody knows which. */
static void
tell_rejected(const struct intake *in, const struct intake_response *r,
    const struct answer *a, struct intake_verdicts *v)
{
	size_t n = a->rejected < r->lines ? r->lines : 1;

	for (; n <= r->lines; n++)
		intake_verdict(v, n, VERDICT_REFUSED,
		    "%s: answers %d and rejects %llu of %zu log records: %s",
		    in->shown, r->status, (unsigned long long)a->rejected,
		    r->lines, a->message);
}

static bool
otlp_judge(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v)
{
	const struct http_meaning *m = http_meaning(r->status);
	const struct otlp *o = in->state;
	const char *hint = r->status == 415
	    ? "it does not take this encoding; try encoding: json, or "
	      "compress: "
	      "false"
	    : m->hint;
	struct answer a;

	if (o->preset != NULL && explain_judge(o->preset->meanings, in, r, v))
		return true;
	read_answer(r, &a);
	if (m->verdict == VERDICT_DELIVERED && !a.good)
		intake_verdict(v, r->lines, VERDICT_BLOCKED,
		    "%s: answers %d with something that is no answer of an "
		    "OTLP receiver, so nothing counts as delivered; check url",
		    in->shown, r->status);
	else if (m->verdict == VERDICT_DELIVERED && a.rejected > 0 &&
	    r->lines > 0)
		tell_rejected(in, r, &a, v);
	else if (m->verdict == VERDICT_DELIVERED ||
	    (a.message[0] == '\0' && r->status != 415))
		return false;
	else
		intake_verdict(v, r->lines, m->verdict,
		    "%s: answers %d: %s%s%s", in->shown, r->status, a.message,
		    hint == NULL ? "" : "; ", hint == NULL ? "" : hint);
	return true;
}

/*
 * check --live.
 */

/* A request without records, which a receiver has to take. */
static int
otlp_probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err)
{
	return step > 0 ? 1 : otlp_prepare(in, r, err);
}

/*
 * Options.
 */

const struct http_dialect otlp_dialect = {
	.token_header = "Authorization: Bearer ",
	.open = otlp_open,
	.close = otlp_close,
	.render = otlp_render,
	.prepare = otlp_prepare,
	.judge = otlp_judge,
	.probe = otlp_probe,
};

const char *const otlp_encodings[] = { "protobuf", "json", NULL };

static const struct setting settings[] = {
	HTTP_BASE_URL("Base of the OTLP endpoint,", LOGS),
	{ .key = "login", .type = SETTING_TABLE, .table = http_login_settings },
	OTLP_ENCODING,
	{ .key = "late_after",
	    .type = SETTING_DURATION,
	    .offset = offsetof(struct otlp_conf, late_after),
	    .def = "0s",
	    .min = 0,
	    .max = 366 * CLOCK_DAY,
	    .help = "An event older than this has no time of its own but that "
		    "of sending, with its own in sealfeed.time, for a receiver "
		    "that drops or refuses what is old (Dynatrace after 24 "
		    "hours, Loki). 0s: none." },
	HTTP_MAX_BODY("1MiB", 64 << 20),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

const struct output_type output_otlp = {
	.type.name = "otlp",
	.type.title = "OpenTelemetry (OTLP over HTTPS)",
	.type.before = "A receiver of OTLP over HTTP with TLS (an "
		       "OpenTelemetry Collector's otlp, port\n"
		       "4318), with logs in its pipelines.\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct otlp_conf),
	.type.check = http_output_check,
	.dialect = &otlp_dialect,
	HTTP_TRANSPORT,
};
