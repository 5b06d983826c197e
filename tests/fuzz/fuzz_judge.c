/*
 * fuzz_judge.c - any bytes as what a SIEM answers to a POST, before the judge
 * of each output over HTTP: the first byte says which output, the second the
 * status, and what comes up to an empty line are headers.
 *
 * A judge tells of lines in their order, and no more than there are; each that
 * is not taken has a readable reason; nothing is taken that was not answered
 * with 2xx, but for stores for objects that say that it is there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/text.h"
#include "config/config.h"
#include "config/setting.h"
#include "outputs/http/page.h"
#include "outputs/http/transport_private.h"
#include "tests/fuzz/fuzz.h"

#define EVENTS 3
#define STEPS 4
#define TYPES_MAX 64

/* What an output cannot do without, beside its URL. */
static const struct {
	const char *type;
	const char *options;
} needs[] = {
	{ "axiom", "dataset: audit, token: t" },
	{ "azure-blob", "bucket: audit, account: acme, key: c2VjcmV0" },
	{ "coralogix", "key: abc" },
	{ "cribl", "token: t" },
	{ "crowdstrike-logscale", "token: t" },
	{ "datadog", "api_key: abc" },
	{ "fluent-bit", "token: t" },
	{ "gcs", "bucket: audit, key: metadata" },
	{ "google-secops",
	    "project: p, location: eu, instance: i, forwarder: f, "
	    "key: metadata" },
	{ "new-relic", "license_key: abc" },
	{ "s3", "bucket: m, aws: {region: eu-central-1, key: \"AKID:s\"}" },
	{ "sentinel",
	    "rule: dcr-7, stream: Custom-Own_CL, tenant: t1, client_id: c1, "
	    "client_secret: s1, login_url: \"http://127.0.0.1:1\"" },
	{ "splunk-hec", "token: t" },
	{ "vector", "token: t" },
};

static struct {
	struct output out;
	struct uplink *uplink;
} outputs[TYPES_MAX];
static size_t n_outputs;
static struct chunk *chunk;

static void *
configure(const struct output_type *type)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct err err = ERR_INIT;
	const char *options = "";
	struct node *map;
	void *conf = xcalloc(1, type->type.conf_size);
	char *text;

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (strcmp(needs[i].type, type->type.name) == 0)
			options = needs[i].options;
	text = xasprintf("{url: \"http://127.0.0.1:1/in\", %s}", options);
	map = yaml_parse("conf", text, strlen(text), &err);
	FUZZ_CHECK(map != NULL);
	settings_fill(type->type.settings, map, "outputs.siem", NULL, conf,
	    &errors);
	for (size_t i = 0; i < errors.n; i++)
		(void)fprintf(stderr, "%s: %s\n", type->type.name,
		    errors.line[i]);
	FUZZ_CHECK(errors.n == 0);
	node_free(map);
	free(text);
	return conf;
}

static void
add_event(struct batch_reader *reader, size_t index)
{
	struct dead_letter d = { .feed = "contoso/Audit.Exchange",
		.index = index,
		.event_time = CLOCK_DAY };
	struct batch_ref *ref;

	buf_init(&d.event, 64);
	FUZZ_CHECK(buf_adds(&d.event, "{\"Id\":\"a\"}") == 0);
	ref = batch_reader_dead_letter(reader, &d);
	FUZZ_CHECK(chunk_add(chunk, ref, 0, 1, batch_ref_bytes(ref)) == 0);
	batch_ref_release(ref);
	buf_release(&d.event);
}

static void
begin(void)
{
	static const struct config_type office = { .name = "office365" };
	static char agent[] = "fra1", name[] = "contoso";
	static struct config_entry source = { .name = name, .type = &office };
	static const struct config config = {
		.agent.name = agent, .sources = &source, .n_sources = 1
	};
	struct batch_reader *reader = batch_reader_new(NULL, &config);
	struct err err = ERR_INIT;

	chunk = chunk_new();
	for (size_t i = 0; i < EVENTS; i++)
		add_event(reader, i);
	for (size_t i = 0; output_types[i] != NULL; i++) {
		const struct output_type *type =
		    output_type_of(output_types[i]);
		struct output *out = &outputs[n_outputs].out;

		if (type->dialect == NULL)
			continue;
		FUZZ_CHECK(n_outputs < TYPES_MAX);
		*out = (struct output){ .type = type,
			.name = "siem",
			.agent = "fra1",
			.conf = configure(type) };
		if (type->open(out, &err) != 0)
			(void)fprintf(stderr, "%s: %s\n", type->type.name,
			    err.text);
		FUZZ_CHECK(out->state != NULL);
		outputs[n_outputs++].uplink = out->state;
	}
	FUZZ_CHECK(n_outputs > 10);
}

/* A request for all events, as the dialect writes them. */
static void
make_request(struct uplink *u, struct intake_request *r)
{
	struct err err = ERR_INIT;
	struct chunk_line line;

	buf_clear(&r->body);
	FUZZ_CHECK(intake_request_begin(r, u->conf->url) == 0);
	r->method = "POST";
	r->chunk = chunk;
	r->to = EVENTS;
	r->lines = EVENTS;
	for (size_t i = 0; i < EVENTS; i++)
		FUZZ_CHECK(chunk_line(chunk, i, &line, &err) == 0 &&
		    (u->dialect->render == NULL ||
			u->dialect->render(&u->intake, &line, &r->body, &err) ==
			    0));
}

static void
check_text(const char *s)
{
	struct buf clean = BUF_INIT((size_t)1 << 20);

	FUZZ_CHECK(s != NULL && *s != '\0');
	FUZZ_CHECK(text_printable(&clean, s, strlen(s)) == 0);
	FUZZ_CHECK(strcmp(clean.data, s) == 0);
	buf_release(&clean);
}

static void
check_verdicts(const struct uplink *u, const struct intake_response *r,
    const struct intake_verdicts *v)
{
	size_t to = 0;

	for (size_t i = 0; i < v->n; i++) {
		const struct intake_range *range = &v->list[i];

		FUZZ_CHECK(range->to >= to && range->to <= r->lines);
		FUZZ_CHECK(range->to > to || r->lines == 0);
		to = range->to;
		if (range->verdict != VERDICT_DELIVERED)
			check_text(range->why);
		else
			/* Where an object is said to be there, that is looked
			 * at before it counts. */
			FUZZ_CHECK(r->status / 100 == 2 ||
			    (range->pending && u->dialect->batches));
	}
}

/* The answer to n lines; what begins with a page is never shown to a judge
 * under 2xx. */
static void
judge(struct uplink *u, const struct intake_response *r)
{
	struct intake_verdicts v;

	if (u->dialect->judge == NULL)
		return;
	intake_verdicts_init(&v, r->lines);
	if (u->dialect->judge(&u->intake, r, &v))
		check_verdicts(u, r, &v);
	intake_verdicts_release(&v);
}

static void
look(struct uplink *u, const struct intake_response *r)
{
	struct buf message = BUF_INIT((size_t)1 << 20);
	struct err err = ERR_INIT;

	if (u->dialect->acknowledge != NULL && r->status / 100 == 2)
		u->dialect->acknowledge(&u->intake, r);
	for (unsigned step = 0; step < STEPS && u->dialect->probed != NULL;
	     step++) {
		int rc =
		    u->dialect->probed(&u->intake, step, r, &message, &err);

		FUZZ_CHECK(rc == 0 || rc == 1 || rc == -1);
		if (rc == -1)
			check_text(err.text);
	}
	buf_release(&message);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 200, 201, 202, 204, 206, 301, 400, 401,
		403, 404, 409, 412, 413, 415, 422, 429, 500, 502, 503, 504,
		507 };
	static struct intake_request request;
	const char *s = (const char *)data + 2, *body;
	struct buf headers = BUF_INIT((size_t)1 << 20),
		   text = BUF_INIT((size_t)1 << 20), plain;
	struct intake_response r = {
		.lines = EVENTS, .request = &request, .headers = &headers
	};
	struct uplink *u;
	char type[128] = "";

	if (n_outputs == 0) {
		begin();
		buf_init(&request.body, (size_t)1 << 20);
		buf_init(&request.url, (size_t)1 << 20);
	}
	if (size < 2)
		return 0;
	size -= 2;
	u = outputs[data[0] % n_outputs].uplink;
	make_request(u, &request);
	body = size < 2 ? NULL : memmem(s, size, "\n\n", 2);
	if (body != NULL) {
		FUZZ_CHECK(buf_add(&headers, s, (size_t)(body - s) + 1) == 0);
		size -= (size_t)(body + 2 - s);
		s = body + 2;
	}
	FUZZ_CHECK(buf_adds(&headers, "") == 0);
	FUZZ_CHECK(buf_add(&text, s, size) == 0 && buf_adds(&text, "") == 0);
	r.status = statuses[data[1] % (sizeof(statuses) / sizeof(statuses[0]))];
	r.body = text.data;
	r.len = text.len;
	buf_init(&plain, INTAKE_ANSWER_MAX);
	(void)intake_answer_header(&r, "content-type", type, sizeof(type));
	page_text((struct slice){ r.body, r.len }, &plain);
	if (r.status / 100 != 2 ||
	    !page_is((struct slice){ plain.data, plain.len }, type, false)) {
		judge(u, &r);
		r.lines = 1;
		judge(u, &r);
		r.lines = 0;
		judge(u, &r);
	}
	look(u, &r);
	intake_request_release(&request);
	buf_release(&plain);
	buf_release(&headers);
	buf_release(&text);
	return 0;
}
