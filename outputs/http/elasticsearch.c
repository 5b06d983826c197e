/*
 * elasticsearch.c - the bulk API of Elasticsearch, OpenSearch and of stores
 * that speak it.
 *
 * elastic.co/docs, "Bulk index or delete documents"; docs.opensearch.org,
 * "Bulk".  Every event is created under an id of agent, feed and index: what
 * comes again is a conflict (409), so it was stored before.  The answer tells
 * of each event, in their order; "errors": false alone is no receipt, since
 * some stores answer so and keep nothing.
 *
 * elastic.co/docs, "Failure store": where a data stream has one, what its
 * mapping or pipeline refuses is answered 201 and kept beside the stream, where
 * neither rules nor searches look: for us it is refused.
 *
 * Documents have the shape that Elastic's integrations ingest: the event's text
 * as event.original, or in the member that an integration's pipeline reads, and
 * the event parsed where one expects that, in the data stream of its data set.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json_valid.h"
#include "base/mem.h"
#include "base/splitter.h"
#include "base/text.h"
#include "config/event_shape.h"
#include "delivery/chunk.h"
#include "http/aws.h"
#include "outputs/http/aws_login.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"

/* What is told of an item; the rest of an answer would be repeated names.  In
 * the order and form that AWS signs. */
#define BULK "/_bulk"
#define QUERY                                               \
	"filter_path=errors%2Citems.%2A.error%2Citems.%2A." \
	"failure_store%2Citems.%2A.status"

/* Longest item of an answer: reasons quote documents. */
#define ITEM_MAX (256 * 1024)

struct elastic_conf {
	struct http_output_conf http; /* must stand first; token: the API key */
	char *index;
	char *space;
	struct aws_conf aws;
	char *service;
};

/*
 * Opening.
 */

/* Whoever says anything of AWS has requests signed. */
static bool
is_signed(const struct aws_conf *aws)
{
	return aws->region != NULL || aws->key != NULL || aws->roles != NULL ||
	    aws->identity_file != NULL;
}

static void
elastic_close(struct intake *in)
{
	aws_login_free(in->state);
	in->state = NULL;
}

static int
elastic_open(struct intake *in, struct err *err)
{
	const struct elastic_conf *conf = in->conf;

	if (!is_signed(&conf->aws))
		return 0;
	if (aws_region(&conf->aws)[0] == '\0')
		return err_set(err,
		    "aws.region: is missing, and so is AWS_REGION; requests "
		    "are signed for the domain's region");
	in->state = aws_login_new(&conf->aws, in->access);
	return 0;
}

/*
 * Documents.
 */

/* The data set of the line, and in module its first part. */
static const char *
dataset_of(const struct chunk_line *line, struct slice *module)
{
	const char *set = line->checkpoint ? "sealfeed.checkpoint"
	    : line->shape->dataset != NULL ? line->shape->dataset
					   : "sealfeed.unknown";

	*module = (struct slice){ set, strcspn(set, ".") };
	return set;
}

static int
add_action(const struct elastic_conf *conf, const struct chunk_line *line,
    const char *agent, const char *set, struct buf *body)
{
	if (buf_adds(body, "{\"create\":{\"_index\":") != 0)
		return -1;
	if (conf->index != NULL
		? text_json_string(body, conf->index, strlen(conf->index)) != 0
		: buf_addf(body, "\"logs-%s-%s\"", set, conf->space) != 0)
		return -1;
	return buf_addf(body, ",\"_id\":\"%s/%s%c%llu\"}}\n", agent, line->feed,
	    line->checkpoint ? '@' : '/', (unsigned long long)line->number);
}

static int
add_document(struct intake *in, const struct chunk_line *line, const char *set,
    struct slice module, struct buf *body)
{
	const struct elastic_conf *conf = in->conf;
	const char *agent = in->out->agent, *record = line->shape->record;
	const char *member = line->checkpoint ? NULL : line->shape->text;
	const struct slice text = intake_text(in, line);
	char when[CLOCK_TEXT];

	(void)clock_format(line->when == INT64_MIN ? clock_now() : line->when,
	    6, when);
	if (buf_addf(body,
		"{\"@timestamp\":\"%s\",\"event\":{\"dataset\":\"%s\","
		"\"module\":\"%.*s\"%s,\"%s\":",
		when, set, (int)module.len, module.data,
		member != NULL ? "}" : "",
		member != NULL ? member : "original") != 0 ||
	    text_json_string(body, text.data, text.len) != 0 ||
	    buf_addf(body,
		"%s,\"tags\":[\"forwarded\",\"preserve_original_event\"],"
		"\"sealfeed\":{\"feed\":\"%s\",\"%s\":%llu,\"agent\":\"%s\"",
		member != NULL ? "" : "}", line->feed,
		line->checkpoint ? "size" : "index",
		(unsigned long long)line->number, agent) != 0 ||
	    (line->version_of != NULL &&
		buf_addf(body, ",\"version_of\":\"%s\"", line->version_of) !=
		    0) ||
	    (line->via != NULL &&
		buf_addf(body, ",\"via\":\"%s\"", line->via) != 0) ||
	    buf_adds(body, "}") != 0)
		return -1;
	if (conf->index == NULL &&
	    buf_addf(body,
		",\"data_stream\":{\"type\":\"logs\",\"dataset\":\"%s\","
		"\"namespace\":\"%s\"}",
		set, conf->space) != 0)
		return -1;
	if (!line->checkpoint && record != NULL && line->value[0] == '{' &&
	    json_valid(line->value, line->len) &&
	    (buf_addf(body, ",\"%s\":", record) != 0 ||
		buf_add(body, line->value, line->len) != 0))
		return -1;
	return buf_adds(body, "}\n");
}

static int
elastic_render(struct intake *in, const struct chunk_line *line,
    struct buf *body, struct err *err)
{
	struct slice module;
	const char *set = dataset_of(line, &module);

	if (add_action(in->conf, line, in->out->agent, set, body) != 0 ||
	    add_document(in, line, set, module, body) != 0)
		return err_set(err, "request: too large");
	return 0;
}

/* Sign r where conf wants that; the last thing that is done to it. */
static int
sign(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct elastic_conf *conf = in->conf;

	return in->state == NULL
	    ? 0
	    : aws_login_sign(in->state, in, r, conf->service, err);
}

static int
elastic_prepare(struct intake *in, struct intake_request *r, struct err *err)
{
	intake_url(r, BULK, QUERY);
	return sign(in, r, err);
}

/*
 * Answers.
 */

/* Of the items of an answer, one by one. */
struct items {
	const char *url;
	struct intake_verdicts *verdicts;
	size_t n;         /* so far */
	enum verdict run; /* of the last ones, not told yet */
	size_t told;      /* items before them */
	char why[512];
};

static void
tell_run(struct items *s)
{
	if (s->n > s->told)
		intake_verdict(s->verdicts, s->n, s->run, "%s", s->why);
	s->told = s->n;
}

/* What is no fault of the event, though an item ends in 400: the next one would
 * end so, too.  Elasticsearch's names of exceptions, and what they say. */
static const struct {
	const char *type;
	const char *reason; /* a part; "": any */
} settings_faults[] = {
	{ "index_closed_exception", "" },
	{ "invalid_index_name_exception", "" },
	{ "validation_exception", "maximum normal shards open" },
	{ "validation_exception", "maximum shards open" },
	{ "illegal_argument_exception", "pipeline with id" },
	{ "illegal_argument_exception", "no matching index template" },
	{ "illegal_argument_exception", "no write index is defined" },
	/* Of Amazon OpenSearch Serverless: only its search collections take
	 * ids. */
	{ "illegal_argument_exception", "Document ID is not supported" },
};

static enum verdict
meaning_of(int status, const char *type, const char *reason)
{
	if ((status >= 200 && status < 300) ||
	    (status == 409 &&
		(type[0] == '\0' || strstr(type, "version_conflict") != NULL)))
		return VERDICT_DELIVERED;
	if (status == 401 || status == 403 || status == 404)
		return VERDICT_BLOCKED;
	if (status < 400 || status >= 500 || status == 429 || status == 409)
		return VERDICT_RETRY;
	for (size_t i = 0;
	     i < sizeof(settings_faults) / sizeof(settings_faults[0]); i++)
		if (strcmp(type, settings_faults[i].type) == 0 &&
		    strstr(reason, settings_faults[i].reason) != NULL)
			return VERDICT_BLOCKED;
	return VERDICT_REFUSED;
}

/* A number, which some speakers write as a string; 0: it is none. */
static int
status_of(const json_t *item)
{
	const json_t *status = json_object_get(item, "status");
	long long n = json_is_string(status)
	    ? strtoll(json_string_value(status), NULL, 10)
	    : (long long)json_number_value(status);

	return n >= 100 && n < 600 ? (int)n : 0;
}

/* Whether one item is stored. */
static enum verdict
judge_item(const struct items *s, const struct element *el, char *why,
    size_t size)
{
	json_t *top = json_loadb(el->data, el->len, 0, NULL), *item, *error;
	const char *type, *reason, *aside;
	enum verdict v;
	int status;

	item = json_object_iter_value(json_object_iter(top));
	error = json_object_get(item, "error");
	status = status_of(item);
	type = json_string_value(json_object_get(error, "type"));
	reason = json_string_value(json_object_get(error, "reason"));
	(void)snprintf(why, size, "%s: an event ends in %d: %.80s: %.300s",
	    s->url, status, type == NULL ? "" : type,
	    reason == NULL ? "" : reason);
	v = meaning_of(status, type == NULL ? "" : type,
	    reason == NULL ? "" : reason);
	aside = json_string_value(json_object_get(item, "failure_store"));
	if (aside != NULL && strcmp(aside, "used") == 0) {
		(void)snprintf(why, size,
		    "%s: an event went into the failure store: its data "
		    "stream's mapping or pipeline refuses it; search "
		    "DATA-STREAM::failures for why",
		    s->url);
		v = VERDICT_REFUSED;
	}
	json_decref(top);
	return v;
}

/* splitter_fn */
static int
take_item(void *ctx, const struct element *el, struct err *err)
{
	static const char created[] = "{\"create\":{\"status\":201}}";
	struct items *s = ctx;
	enum verdict v = VERDICT_DELIVERED;
	char why[sizeof(s->why)] = "";

	(void)err;
	if (el->len != strlen(created) ||
	    memcmp(el->data, created, el->len) != 0)
		v = judge_item(s, el, why, sizeof(why));
	/* Each that is refused is told of alone: it is the one at fault. */
	if (v != s->run || v == VERDICT_REFUSED)
		tell_run(s);
	s->run = v;
	memcpy(s->why, why, sizeof(why));
	s->n++;
	return 0;
}

/* What AWS says where it does not know the keys, or no more. */
static bool
is_unknown_key(const struct intake_response *r)
{
	static const char *const texts[] = { "security token", "expired",
		"signature", "UnrecognizedClient", "InvalidClientTokenId" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcasestr(r->body, texts[i]) != NULL)
			return r->status == 401 || r->status == 403;
	return false;
}

/* However the answer ends, what it told before counts. */
static bool
elastic_judge(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v)
{
	static const char *const items[] = { "/items", NULL };
	const struct splitter_spec spec = { .arrays = items, .max = ITEM_MAX };
	struct items s = { .url = in->shown, .verdicts = v };
	struct splitter *splitter;

	if (in->state != NULL)
		aws_login_hear(in->state, is_unknown_key(r));
	if (r->status != 200)
		return false;
	splitter = splitter_new(&spec, take_item, &s);
	(void)splitter_push(splitter, r->body, r->len, NULL);
	tell_run(&s);
	splitter_free(splitter);
	if (s.n == 0)
		intake_verdict(v, r->lines, VERDICT_BLOCKED,
		    "%s: answers 200 and does not tell of a single event, so "
		    "nothing counts as delivered; check that url is that of a "
		    "bulk API",
		    in->shown);
	return true;
}

/*
 * check --live.
 */

enum { STEP_WHO, STEP_BULK, STEP_MAY, STEPS };

static int
ask_privileges(struct intake *in, struct intake_request *r)
{
	const struct elastic_conf *conf = in->conf;
	char *name = conf->index != NULL
	    ? xstrdup(conf->index)
	    : xasprintf("logs-sealfeed.agent-%s", conf->space);
	int rc = -1;

	intake_url(r, "/_security/user/_has_privileges", NULL);
	intake_header(r, "Content-Type", "application/json");
	if (buf_adds(&r->body, "{\"index\":[{\"names\":[") == 0 &&
	    text_json_string(&r->body, name, strlen(name)) == 0)
		rc = buf_adds(&r->body, "],\"privileges\":[\"create_doc\"]}]}");
	free(name);
	return rc;
}

static int
elastic_probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err)
{
	if (step == STEPS)
		return 1;
	r->plain = true; /* what is signed is what is sent */
	intake_base(r, BULK);
	if (step == STEP_BULK) {
		intake_header(r, "Content-Type", "application/x-ndjson");
		return buf_adds(&r->body, "\n") != 0
		    ? err_set(err, "request: too large")
		    : elastic_prepare(in, r, err);
	}
	if (step == STEP_WHO)
		r->method = "GET";
	else if (ask_privileges(in, r) != 0)
		return err_set(err, "index: too long");
	return sign(in, r, err);
}

/* "Elasticsearch 8.15.0" of what stands at the root. */
static int
tell_version(const json_t *answer, struct buf *message)
{
	const json_t *version = json_object_get(answer, "version");
	const char *number =
	    json_string_value(json_object_get(version, "number"));
	const char *kind =
	    json_string_value(json_object_get(version, "distribution"));

	if (number == NULL)
		return 0;
	return buf_addf(message, "%s %.32s\n",
	    kind == NULL                          ? "Elasticsearch"
		: strcmp(kind, "opensearch") == 0 ? "OpenSearch"
						  : kind,
	    number);
}

static int
tell_privileges(const struct intake *in, const json_t *answer,
    struct buf *message, struct err *err)
{
	const struct elastic_conf *conf = in->conf;
	const json_t *all = json_object_get(answer, "has_all_requested");
	const char *where = conf->index != NULL ? conf->index : "logs-*-*";

	if (json_is_false(all))
		return err_set(err,
		    "%s: the credentials lack the privilege create_doc on %s; "
		    "add it to their role, with auto_configure",
		    in->shown, where);
	if (json_is_true(all))
		return buf_addf(message, "it may write to %s\n", where);
	return buf_addf(message, "whether it may write to %s is not tested\n",
	    where);
}

static int
elastic_probed(struct intake *in, unsigned step,
    const struct intake_response *r, struct buf *message, struct err *err)
{
	json_t *answer = json_loadb(r->body, r->len, 0, NULL);
	const json_t *error = json_object_get(answer, "error");
	const char *reason =
	    json_string_value(json_object_get(error, "reason"));
	int rc = 0;

	/* The root may be closed to who may write. */
	if (step != STEP_MAY &&
	    (r->status == 401 || (r->status == 403 && step == STEP_BULK)))
		rc = err_set(err, "%s: answers %d: %.300s; check %s", in->shown,
		    r->status, reason == NULL ? "" : reason,
		    in->state != NULL ? "aws.key, aws.region and the clock"
				      : "api_key, basic or bearer and "
					"what they may do");
	else if (step == STEP_WHO)
		rc = tell_version(answer, message);
	else if (step == STEP_MAY)
		rc = tell_privileges(in, answer, message, err);
	else if (r->status != 400 && r->status != 200)
		rc = 1;
	json_decref(answer);
	return rc;
}

/*
 * Options.
 */

static void
elastic_check(const void *conf, const struct config_section *b)
{
	const struct elastic_conf *c = conf;
	int ways = (c->http.token != NULL) + (c->http.basic != NULL) +
	    (c->http.bearer != NULL) + is_signed(&c->aws);

	http_output_check(conf, b);
	aws_conf_check(&c->aws, b);
	if (ways > 1 && (c->http.basic == NULL || c->http.bearer == NULL))
		config_error(b,
		    "api_key: only one of api_key, basic, bearer and aws can "
		    "be used; remove the others");
	if (c->index == NULL && c->space != NULL &&
	    strcspn(c->space, "\\/*?\"<>| ,#:-") != strlen(c->space))
		config_error(b,
		    "namespace: \"%.60s\" has a character that the name of a "
		    "data stream cannot have there",
		    c->space);
}

static const struct http_dialect elastic = {
	.content_type = "application/x-ndjson",
	.token_header = "Authorization: ApiKey ",
	.open = elastic_open,
	.close = elastic_close,
	.render = elastic_render,
	.prepare = elastic_prepare,
	.judge = elastic_judge,
	.probe = elastic_probe,
	.probed = elastic_probed,
};

#define OFFSET(member) offsetof(struct elastic_conf, member)

static const struct setting settings[] = {
	HTTP_BASE_URL("Address of the cluster, or of one of its paths,", BULK),
	{ .key = "api_key",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(http.token),
	    .help = "API key in its encoded form, for Authorization: ApiKey.",
	    .ask = "API key in its encoded form (Enter: none)" },
	{ .key = "login", .type = SETTING_TABLE, .table = http_login_settings },
	{ .key = "index",
	    .type = SETTING_STRING,
	    .offset = OFFSET(index),
	    .help = "Index, alias or data stream for all events. Default: the "
		    "data stream of the vendor's integration, as "
		    "logs-o365.audit-default." },
	{ .key = "namespace",
	    .type = SETTING_STRING,
	    .offset = OFFSET(space),
	    .def = "default",
	    .help = "Last part of the names of data streams." },
	{ .key = "aws.service",
	    .type = SETTING_STRING,
	    .offset = OFFSET(service),
	    .def = "es",
	    .help = "Service that requests are signed for where any of aws is "
		    "set; aoss for a serverless collection." },
	{ .key = "identity",
	    .type = SETTING_TABLE,
	    .offset = OFFSET(aws),
	    .table = aws_settings },
	HTTP_MAX_BODY("2MiB", 64 << 20),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

const struct output_type output_elasticsearch = {
	.type.name = "elasticsearch",
	.type.title = "Elasticsearch, Elastic Cloud and OpenSearch",
	.type.before =
	    "In Kibana, the assets of the vendor's integration (no agent "
	    "policy), and an API\n"
	    "key with \"monitor\" on the cluster, \"auto_configure\" and "
	    "\"create_doc\" on\n"
	    "logs-*-*, and nothing else: its \"encoded\" form is asked for.\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct elastic_conf),
	.type.check = elastic_check,
	.type.environment = aws_environment,
	.dialect = &elastic,
	HTTP_TRANSPORT,
};
