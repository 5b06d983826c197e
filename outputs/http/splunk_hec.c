/*
 * splunk_hec.c - Splunk's HTTP event collector, and others that speak it.
 *
 * help.splunk.com, "HTTP Event Collector REST API endpoints", "About HTTP Event
 * Collector Indexer Acknowledgment" and "Troubleshoot HTTP Event Collector",
 * which has the codes.  Each event goes in an envelope of its own to /event:
 * /raw would glue lines together, and an array of envelopes is not taken
 * everywhere.
 *
 * A token with indexer acknowledgement answers with a number instead of a
 * receipt.  Numbers count from 0 in each channel, "true" is said once, and a
 * restart forgets all of them.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/json_valid.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/event_shape.h"
#include "delivery/chunk.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"

#define CHANNEL "X-Splunk-Request-Channel"
/* Of a configured name. */
#define NAME_MAX_LEN 4096

/* So many numbers are remembered behind the highest one: answers overtake each
 * other. */
#define ACKS_SEEN 4096

struct hec_conf {
	struct http_output_conf http; /* must stand first */
	char *path;
	char *index;
	char *sourcetype;
	char *host;
};

/* What differs between those who speak it. */
struct hec_kind {
	const char *name;   /* of the output type */
	const char *scheme; /* of the token */
	/* It keeps to Splunk's answers: what stands in front of the event that
	 * it finds fault with is in, and a blank event is refused. */
	bool splunk;
	bool coded;       /* a receipt has a code */
	bool texts;       /* a 400 without a code is not about the events */
	int status;       /* of its only receipt; 0: any 2xx */
	size_t event_max; /* it cuts what is larger, under a receipt; 0: none */
};

static const struct hec_kind kinds[] = {
	{ .name = "splunk-hec",
	    .scheme = "Authorization: Splunk ",
	    .splunk = true,
	    .coded = true },
	/* library.humio.com, "Ingest API Response Codes": 200 is "received and
	 * committed", 201 to 399 are errors, and nothing is said of bodies;
	 * "Limits and Standards": "Max event size 1 MB", beyond which
	 * @rawstring is cut. */
	{ .name = "crowdstrike-logscale",
	    .scheme = "Authorization: Bearer ",
	    .status = 200,
	    .event_max = 1000000 },
	/* docs.cribl.io, "Splunk HEC Source", shows errors with a code, and no
	 * receipt. */
	{ .name = "cribl", .scheme = "Authorization: Splunk " },
	/* plugins/in_splunk/splunk_prot.c: code 0, 5 or 6; texts are about
	 * path, method and form of the request. */
	{ .name = "fluent-bit",
	    .scheme = "Authorization: Splunk ",
	    .coded = true,
	    .texts = true },
	/* src/sources/splunk_hec sends on what is in front of a bad event. */
	{ .name = "vector",
	    .scheme = "Authorization: Splunk ",
	    .splunk = true,
	    .coded = true },
};

struct hec {
	const struct hec_kind *kind;
	const char *endpoint; /* for events; borrowed */
	char *ack;            /* the one beside it for acknowledgements */
	char channel[GUID_TEXT];
	/* Members of every envelope, of configured names. */
	struct buf members;
	/* Numbers that were given: next is above the highest. */
	uint64_t next;
	uint8_t seen[ACKS_SEEN / 8];
};

/*
 * Opening.
 */

/* Endpoints for events: a URL that ends so is whole. */
static const char *const endpoints[] = { "/services/collector/event/1.0",
	"/services/collector/event", "/services/collector",
	"/api/v1/ingest/hec", NULL };

/* The one that conf's URL ends in, or conf's path. */
static const char *
endpoint_of(const struct hec_conf *conf)
{
	struct intake_request r = { .failed = false };
	const char *const *e = endpoints;

	if (intake_request_begin(&r, conf->http.url) == 0)
		while (*e != NULL && !intake_ends(&r, *e))
			e++;
	intake_request_release(&r);
	return *e == NULL ? conf->path : *e;
}

/* Acknowledgements are asked for beside events. */
static char *
ack_path(const char *endpoint)
{
	static const char root[] = "/services/collector";
	const char *found = strstr(endpoint, root);
	size_t len = found != NULL
	    ? (size_t)(found - endpoint) + strlen(root)
	    : (size_t)(strrchr(endpoint, '/') - endpoint);

	return xasprintf("%.*s/ack", (int)len, endpoint);
}

static int
add_member(struct buf *b, const char *key, const char *value)
{
	if (value == NULL)
		return 0;
	if (buf_addf(b, ",\"%s\":", key) != 0)
		return -1;
	return text_json_string(b, value, strlen(value));
}

static const struct hec_kind *
kind_of(const char *name)
{
	const struct hec_kind *k = kinds;

	while (strcmp(k->name, name) != 0)
		k++;
	return k;
}

static void
hec_close(struct intake *in)
{
	struct hec *h = in->state;

	free(h->ack);
	buf_release(&h->members);
	free(h);
	in->state = NULL;
}

static int
hec_open(struct intake *in, struct err *err)
{
	const struct hec_conf *conf = in->conf;
	struct hec *h = xcalloc(1, sizeof(*h));
	const char *host = conf->host != NULL ? conf->host : in->out->agent;

	in->state = h;
	h->kind = kind_of(in->out->type->type.name);
	in->token_header = h->kind->scheme;
	h->endpoint = endpoint_of(conf);
	h->ack = ack_path(h->endpoint);
	buf_init(&h->members, NAME_MAX_LEN);
	if (guid_make(h->channel) != 0)
		(void)err_set(err, "channel: the system has no randomness");
	else if (add_member(&h->members, "host", host) != 0 ||
	    add_member(&h->members, "index", conf->index) != 0 ||
	    add_member(&h->members, "sourcetype", conf->sourcetype) != 0)
		(void)err_set(err, "index, sourcetype, host: too long");
	else
		return 0;
	hec_close(in);
	return -1;
}

/*
 * Requests.
 */

/* What stands under "event": the line of a checkpoint, an event that is an
 * object as it is.  Anything else would be no event for a collector, or a blank
 * one: it goes as a string. */
static int
add_event(struct intake *in, const struct chunk_line *line, bool object,
    struct buf *body)
{
	struct slice text = intake_text(in, line);

	if (object || line->checkpoint)
		return buf_add(body, text.data, text.len);
	return text_json_string(body, text.data, text.len);
}

/* Indexed fields; "index" and "source" would be Splunk's own. */
static int
add_fields(struct intake *in, const struct chunk_line *line, bool object,
    struct buf *body)
{
	struct slice id = { .data = NULL };

	if (buf_addf(body,
		",\"fields\":{\"sealfeed_feed\":\"%s\",\"sealfeed_%s\":\"%"
		"llu\","
		"\"sealfeed_agent\":\"%s\"",
		line->feed, line->checkpoint ? "size" : "index",
		(unsigned long long)line->number, in->out->agent) != 0)
		return -1;
	if (object)
		id = intake_id(in, line);
	if (id.len > 0 &&
	    (buf_adds(body, ",\"sealfeed_id\":\"") != 0 ||
		buf_add(body, id.data, id.len) != 0 ||
		buf_adds(body, "\"") != 0))
		return -1;
	if (line->version_of != NULL &&
	    buf_addf(body, ",\"sealfeed_version_of\":\"%s\"",
		line->version_of) != 0)
		return -1;
	if (line->via != NULL &&
	    buf_addf(body, ",\"sealfeed_via\":\"%s\"", line->via) != 0)
		return -1;
	return buf_adds(body, "}");
}

static int
add_envelope(struct intake *in, const struct chunk_line *line, struct buf *body)
{
	const struct hec *h = in->state;
	const struct hec_conf *conf = in->conf;
	bool object = !line->checkpoint && line->value[0] == '{' &&
	    json_valid(line->value, line->len);
	const char *type = line->checkpoint   ? "sealfeed:checkpoint"
	    : line->shape->sourcetype != NULL ? line->shape->sourcetype
					      : "_json";

	if (buf_addf(body, "{\"source\":\"%s\"%s", line->feed,
		h->members.data) != 0 ||
	    (conf->sourcetype == NULL &&
		add_member(body, "sourcetype", type) != 0) ||
	    (line->when != INT64_MIN &&
		buf_addf(body, ",\"time\":%lld.%06lld",
		    (long long)(line->when / CLOCK_SECOND),
		    (long long)(line->when % CLOCK_SECOND)) != 0) ||
	    add_fields(in, line, object, body) != 0 ||
	    buf_adds(body, ",\"event\":") != 0 ||
	    add_event(in, line, object, body) != 0)
		return -1;
	return buf_adds(body, "}");
}

static int
hec_render(struct intake *in, const struct chunk_line *line, struct buf *body,
    struct err *err)
{
	const struct hec *h = in->state;

	if (h->kind->event_max > 0 && line->len > h->kind->event_max)
		return err_set(err,
		    "the event of %zu bytes is larger than the %zu that are "
		    "kept of one; it would be cut",
		    line->len, h->kind->event_max);
	if (add_envelope(in, line, body) != 0)
		return err_set(err, "request: too large");
	return 0;
}

static int
hec_prepare(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct hec *h = in->state;

	(void)err;
	intake_url(r, h->endpoint, NULL);
	intake_header(r, CHANNEL, h->channel);
	return 0;
}

/*
 * Answers.
 */

static const struct hec_code {
	int code;
	enum verdict verdict;
	const char *meaning;
} codes[] = {
	{ 1, VERDICT_BLOCKED,
	    "the token is disabled; enable it in Settings, Data inputs, HTTP "
	    "Event Collector" },
	{ 2, VERDICT_BLOCKED,
	    "no token arrives; something on the way removes Authorization" },
	{ 3, VERDICT_BLOCKED, "the authorization is malformed; check token" },
	{ 4, VERDICT_BLOCKED, "the token is not known there; check token" },
	{ 5, VERDICT_REFUSED, "no data" },
	{ 6, VERDICT_REFUSED, "the data format is invalid" },
	{ 7, VERDICT_BLOCKED,
	    "the token may not write to that index; add it to the token's "
	    "allowed indexes, create it, or change index" },
	{ 8, VERDICT_RETRY, "internal error" },
	{ 9, VERDICT_RETRY, "the server is busy" },
	{ 10, VERDICT_BLOCKED,
	    "no channel arrives; something on the way removes " CHANNEL },
	{ 11, VERDICT_BLOCKED, "the channel is invalid" },
	{ 12, VERDICT_REFUSED, "the event is missing" },
	{ 13, VERDICT_REFUSED, "the event is blank" },
	{ 14, VERDICT_BLOCKED,
	    "the token has no indexer acknowledgement, though it gave numbers; "
	    "all indexers behind a load balancer need the same tokens" },
	{ 15, VERDICT_REFUSED, "the indexed fields are not taken" },
	{ 16, VERDICT_BLOCKED, "tokens in the query are not allowed" },
	{ 18, VERDICT_RETRY, "unhealthy: the queues are full" },
	{ 19, VERDICT_RETRY, "unhealthy: acknowledgements are not available" },
	{ 20, VERDICT_RETRY,
	    "unhealthy: the queues are full, acknowledgements are not "
	    "available" },
	{ 21, VERDICT_BLOCKED, "the token is invalid; check token" },
	{ 22, VERDICT_BLOCKED, "the token is disabled" },
	{ 23, VERDICT_RETRY, "the server is shutting down" },
	{ 26, VERDICT_RETRY, "the queue is full" },
	{ 27, VERDICT_RETRY, "the channel has too many open numbers" },
};

static const struct hec_code *
find_code(json_int_t code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code)
			return &codes[i];
	return NULL;
}

/* Was the number given before?  Then whoever gave it has begun anew. */
static bool
is_repeated(struct hec *h, uint64_t n)
{
	bool old = n + ACKS_SEEN < h->next;

	if (old || (n < h->next && h->seen[n % ACKS_SEEN / 8] & 1 << n % 8)) {
		memset(h->seen, 0, sizeof(h->seen));
		h->next = n;
		old = true;
	}
	if (n >= h->next + ACKS_SEEN)
		memset(h->seen, 0, sizeof(h->seen));
	else
		for (; h->next <= n; h->next++)
			h->seen[h->next % ACKS_SEEN / 8] &=
			    (uint8_t) ~(1 << h->next % 8);
	h->next = h->next > n ? h->next : n + 1;
	h->seen[n % ACKS_SEEN / 8] |= (uint8_t)(1 << n % 8);
	return old;
}

static void
promised(struct intake *in, const struct intake_response *r, json_int_t number,
    struct intake_verdicts *v)
{
	in->out->mode = "confirmed by the indexers";
	if (is_repeated(in->state, (uint64_t)number))
		intake_forget(in,
		    "the collector gives numbers of acknowledgement again "
		    "that it gave before: it was restarted, or a load balancer "
		    "in front of several has no sticky sessions");
	intake_pending(v, r->lines, (uint64_t)number);
}

/* A 2xx that says what this collector says. */
static bool
is_receipt(const struct hec_kind *k, const struct intake_response *r,
    const json_t *answer)
{
	const json_t *code = json_object_get(answer, "code");
	json_int_t n = json_integer_value(code);

	if (k->status != 0 && r->status != k->status)
		return false;
	if (!json_is_integer(code))
		return !k->coded && (r->len == 0 || json_is_object(answer));
	return n == 0 || n == 24 || n == 25;
}

/* Fault is found with one event. */
static void
judge_event(const struct hec *h, size_t n, const struct intake_response *r,
    const char *why, struct intake_verdicts *v)
{
	if (n > 0 && h->kind->splunk)
		intake_verdict(v, n, VERDICT_DELIVERED, "%s", "");
	else if (n > 0)
		intake_verdict(v, n, VERDICT_RETRY, "%s", why);
	intake_verdict(v, n + 1, VERDICT_REFUSED, "%s", why);
	if (n + 1 < r->lines && h->kind->splunk)
		intake_again(v);
}

static void
judge_code(struct intake *in, const struct hec_code *c, const json_t *answer,
    const struct intake_response *r, struct intake_verdicts *v)
{
	json_int_t at = -1;
	char why[512];

	(void)snprintf(why, sizeof(why), "%s: answers %d, code %d (%.120s): %s",
	    in->shown, r->status, c->code,
	    json_string_value(json_object_get(answer, "text")) == NULL
		? ""
		: json_string_value(json_object_get(answer, "text")),
	    c->meaning);
	if (json_is_integer(json_object_get(answer, "invalid-event-number")))
		at = json_integer_value(json_object_get(answer,
		    "invalid-event-number"));
	if (c->verdict == VERDICT_REFUSED && at >= 0 && (size_t)at < r->lines)
		judge_event(in->state, (size_t)at, r, why, v);
	else
		intake_verdict(v, r->lines, c->verdict, "%s", why);
}

/* A number of acknowledgement, also one that is written as a string; -1: it is
 * none. */
static json_int_t
number_of(const json_t *ack)
{
	const char *s = json_string_value(ack);

	if (s == NULL)
		return json_is_integer(ack) ? json_integer_value(ack) : -1;
	/* Of so many digits it cannot overflow. */
	return s[0] != '\0' && strlen(s) <= 18 &&
		s[strspn(s, "0123456789")] == '\0'
	    ? (json_int_t)strtoll(s, NULL, 10)
	    : -1;
}

/* An answer without any of the codes; false: its status counts. */
static bool
judge_uncoded(const struct intake *in, const json_t *answer,
    const struct intake_response *r, struct intake_verdicts *v)
{
	const struct hec_kind *k = ((const struct hec *)in->state)->kind;

	if (r->status / 100 == 2 && !is_receipt(k, r, answer))
		intake_verdict(v, r->lines, VERDICT_BLOCKED,
		    "%s: answers %d %s, so nothing counts as delivered; check "
		    "url",
		    in->shown, r->status,
		    k->coded ? "without the code of an HTTP event collector"
			     : "and not as it confirms events");
	else if (r->status == 400 && k->texts)
		intake_verdict(v, r->lines, VERDICT_BLOCKED,
		    "%s: answers 400: %.200s; check url and path", in->shown,
		    r->body);
	else
		return false;
	return true;
}

static bool
judge_answer(struct intake *in, const json_t *answer,
    const struct intake_response *r, struct intake_verdicts *v)
{
	const json_t *ack = json_object_get(answer, "ackId");
	const struct hec_code *c =
	    find_code(json_integer_value(json_object_get(answer, "code")));

	if (c != NULL) {
		judge_code(in, c, answer, r, v);
		return true;
	}
	if (judge_uncoded(in, answer, r, v))
		return true;
	if (r->status / 100 != 2 || ack == NULL || json_is_null(ack))
		return false;
	if (number_of(ack) < 0)
		intake_verdict(v, r->lines, VERDICT_RETRY,
		    "%s: answers with an ackId that is no number, so nothing "
		    "counts as delivered",
		    in->shown);
	else
		promised(in, r, number_of(ack), v);
	return true;
}

static bool
hec_judge(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v)
{
	json_t *answer = json_loadb(r->body, r->len, 0, NULL);
	bool told = judge_answer(in, answer, r, v);

	json_decref(answer);
	return told;
}

/*
 * Indexer acknowledgement.
 */

static int
hec_poll(struct intake *in, const uint64_t *numbers, size_t n,
    struct intake_request *r, struct err *err)
{
	const struct hec *h = in->state;

	intake_base(r, h->endpoint);
	intake_url(r, h->ack, NULL);
	intake_header(r, CHANNEL, h->channel);
	intake_header(r, "Content-Type", "application/json");
	for (size_t i = 0; i < n; i++)
		if (buf_addf(&r->body, "%s%llu", i == 0 ? "{\"acks\":[" : ",",
			(unsigned long long)numbers[i]) != 0)
			return err_set(err, "acknowledgements: too many");
	if (buf_adds(&r->body, "]}") != 0)
		return err_set(err, "acknowledgements: too many");
	return 0;
}

static void
hec_acknowledge(struct intake *in, const struct intake_response *r)
{
	json_t *answer = json_loadb(r->body, r->len, 0, NULL), *value, *text;
	const char *name;

	json_object_foreach(json_object_get(answer, "acks"), name, value)
	{
		text = json_string(name);
		if (json_is_true(value) && number_of(text) >= 0)
			intake_confirmed(in, (uint64_t)number_of(text));
		json_decref(text);
	}
	json_decref(answer);
}

/*
 * check --live.
 */

/* A blank event, which is refused (code 13) behind a token that is good; the
 * health endpoint does not look at tokens. */
static int
hec_probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err)
{
	const struct hec *h = in->state;

	if (step > 0)
		return 1;
	(void)hec_prepare(in, r, err);
	if (h->kind->splunk &&
	    buf_addf(&r->body, "{\"event\":\"\"%s}", h->members.data) != 0)
		return err_set(err, "request: too large");
	return 0;
}

static int
hec_probed(struct intake *in, unsigned step, const struct intake_response *r,
    struct buf *message, struct err *err)
{
	const struct hec_conf *conf = in->conf;
	json_t *answer = json_loadb(r->body, r->len, 0, NULL);
	json_int_t code = json_integer_value(json_object_get(answer, "code"));
	const struct hec_code *c = find_code(code);
	int rc = 1;

	(void)step;
	if (c != NULL && c->verdict == VERDICT_REFUSED)
		rc = buf_addf(message,
		    "the token is accepted (code %d to a blank event); "
		    "whether it may write to %s%s is not tested",
		    c->code,
		    conf->index == NULL ? "its default index" : "index ",
		    conf->index == NULL ? "" : conf->index);
	else if (c != NULL)
		rc = err_set(err, "%s: answers %d, code %d: %s", in->shown,
		    r->status, c->code, c->meaning);
	json_decref(answer);
	return rc;
}

/* A URL that ends in an endpoint for something else would get another one
 * behind it. */
static void
check_endpoint(const struct hec_conf *c, const struct config_section *b)
{
	static const char *const others[] = { "/collector/raw",
		"/collector/raw/1.0", "/collector/ack", "/collector/health",
		"/collector/health/1.0", "/ingest/hec/raw", NULL };
	struct intake_request r = { .failed = false };

	if (c->http.url == NULL || intake_request_begin(&r, c->http.url) != 0)
		return;
	for (size_t i = 0; others[i] != NULL; i++)
		if (intake_ends(&r, others[i]) && !intake_ends(&r, c->path))
			config_error(b,
			    "url: ends in %s, which does not take events one "
			    "by one; leave the endpoint out, or end it in %s",
			    others[i], c->path);
	intake_request_release(&r);
}

static void
hec_check(const void *conf, const struct config_section *b)
{
	const struct hec_conf *c = conf;

	http_output_check(conf, b);
	if (c->path == NULL || c->path[0] != '/')
		config_error(b, "path: must begin with a slash");
	else
		check_endpoint(c, b);
}

static const struct http_dialect hec = {
	.content_type = "application/json",
	.open = hec_open,
	.close = hec_close,
	.render = hec_render,
	.prepare = hec_prepare,
	.judge = hec_judge,
	.poll = hec_poll,
	.acknowledge = hec_acknowledge,
	.probe = hec_probe,
	.probed = hec_probed,
};

/* Splunk Cloud takes a megabyte. */
#define HEC_SETTINGS(default_path)                                           \
	{                                                                    \
		HTTP_URL("URL of the collector, \"https://siem:8088\";"),    \
		    HTTP_TOKEN("The token of the intake."),                  \
		    { .key = "path",                                         \
			    .type = SETTING_STRING,                          \
			    .offset = offsetof(struct hec_conf, path),       \
			    .def = default_path,                             \
			    .help = "Endpoint for events, which is "         \
				    "added to url's path, unless that "      \
				    "ends so or in /services/collector." },  \
		    { .key = "index",                                        \
			    .type = SETTING_STRING,                          \
			    .offset = offsetof(struct hec_conf, index),      \
			    .help = "Index for the events. Default: the "    \
				    "token's." },                            \
		    { .key = "sourcetype",                                   \
			    .type = SETTING_STRING,                          \
			    .offset = offsetof(struct hec_conf, sourcetype), \
			    .help =                                          \
				"Source type for all events. Default: that " \
				"of the vendor's add-on, as "                \
				"o365:management:activity." },               \
		    { .key = "host",                                         \
			    .type = SETTING_STRING,                          \
			    .offset = offsetof(struct hec_conf, host),       \
			    .help =                                          \
				"Host of the events. Default: the agent's "  \
				"name." },                                   \
		    HTTP_HEADERS, HTTP_MAX_BODY("1MB", 512 << 20),           \
		    { .key = "how",                                          \
			    .type = SETTING_TABLE,                           \
			    .table = http_request_settings },                \
		    SETTING_END                                              \
	}

#define HEC_TYPE(type_name, type_title, what, table)          \
	{                                                     \
		.type = { .name = (type_name),                \
			.title = (type_title),                \
			.before = (what),                     \
			.settings = (table),                  \
			.conf_size = sizeof(struct hec_conf), \
			.check = hec_check },                 \
		.dialect = &hec, HTTP_TRANSPORT               \
	}

static const struct setting splunk_settings[] =
    HEC_SETTINGS("/services/collector/event");
static const struct setting logscale_settings[] =
    HEC_SETTINGS("/api/v1/ingest/hec");

const struct output_type output_splunk_hec =
    HEC_TYPE("splunk-hec", "Splunk (HTTP Event Collector)",
	"In Splunk: an index, and a token of the HTTP Event Collector "
	"(Settings, Data\n"
	"inputs) with that index allowed, and indexer acknowledgement on "
	"Enterprise.\n",
	splunk_settings);
const struct output_type output_crowdstrike_logscale =
    HEC_TYPE("crowdstrike-logscale", "CrowdStrike Falcon LogScale",
	"In LogScale: a repository, and an ingest token of it (Settings).\n",
	logscale_settings);
const struct output_type output_cribl = HEC_TYPE("cribl",
    "Cribl Stream (Splunk HEC)",
    "In Cribl: a source Splunk HEC with TLS and a token.\n", splunk_settings);
const struct output_type output_fluent_bit =
    HEC_TYPE("fluent-bit", "Fluent Bit (input splunk)",
	"In Fluent Bit: an input splunk with TLS and splunk_token.\n",
	splunk_settings);
const struct output_type output_vector =
    HEC_TYPE("vector", "Vector (source splunk_hec)",
	"In Vector: a source splunk_hec with TLS and valid_tokens.\n",
	splunk_settings);
