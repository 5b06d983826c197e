/*
 * loki.c - Loki's push API.
 *
 * grafana.com/docs/loki, "Loki HTTP API, Ingest logs", "Structured metadata",
 * "Request validation and rate limit errors".  204 is the only receipt.  A
 * stream is a feed, so that labels are few; what differs from event to event is
 * structured metadata.
 *
 * Loki refuses what is older than a week, and what is an hour (half of
 * max_chunk_age) older than the newest of its stream, while vendors are late by
 * hours.  So an event that is late is stored under the time of sending, with
 * its own beside it.  Where a Loki wants more than that is known to, its
 * refusals teach it: of such a request the entries that are good are in, and
 * their repeats are equal to them.
 */
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json_valid.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/event_shape.h"
#include "config/secret.h"
#include "delivery/chunk.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"
#include "outputs/http/status.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"
#include "store/line.h"

#define PUSH "/loki/api/v1/push"
#define PREFIX "{\"streams\":["

#define LABELS_MAX 16384

/* Loki's creation_grace_period is ten minutes. */
#define AHEAD (5 * CLOCK_MINUTE)

/* Events that are less late than this are not told from others. */
#define LATE_MIN CLOCK_MINUTE

enum loki_envelope { LOKI_METADATA, LOKI_SEAL };

struct loki_conf {
	struct http_output_conf http; /* must stand first */
	char *tenant;
	struct setting_pair *labels;
	int envelope;
	int64_t late_after;
};

struct loki {
	struct buf labels; /* configured ones, each behind a comma */
	int64_t late_after;
	/* The stream that the last line was put into. */
	char *feed;
	bool checkpoint;
};

/*
 * Opening.
 */

static void
loki_close(struct intake *in)
{
	struct loki *l = in->state;

	buf_release(&l->labels);
	free(l->feed);
	free(l);
	in->state = NULL;
}

static int
add_label(struct buf *b, const struct setting_pair *label, struct err *err)
{
	char *value = secret_resolve(label->value, err);
	int rc;

	if (value == NULL)
		return err_prefix(err, "labels.%s", label->name);
	rc = buf_addf(b, ",\"%s\":", label->name);
	if (rc == 0)
		rc = text_json_string(b, value, strlen(value));
	secret_free(value);
	return rc == 0 ? 0 : err_set(err, "labels: too long");
}

static int
loki_open(struct intake *in, struct err *err)
{
	const struct loki_conf *conf = in->conf;
	const struct setting_pair *label = conf->labels;
	struct loki *l = xcalloc(1, sizeof(*l));

	in->state = l;
	l->late_after = conf->late_after;
	buf_init(&l->labels, LABELS_MAX);
	for (; label != NULL && label->name != NULL; label++) {
		if (add_label(&l->labels, label, err) != 0) {
			loki_close(in);
			return -1;
		}
	}
	return 0;
}

/*
 * Requests.
 */

static int
add_stream(struct intake *in, const struct chunk_line *line, struct buf *body)
{
	struct loki *l = in->state;

	free(l->feed);
	l->feed = xstrdup(line->feed);
	l->checkpoint = line->checkpoint;
	if (buf_addf(body,
		"{\"stream\":{\"service_name\":\"sealfeed\","
		"\"sealfeed_agent\":\"%s\",\"sealfeed_feed\":\"%s\"",
		in->out->agent, line->feed) != 0 ||
	    (line->source_type[0] != '\0' &&
		buf_addf(body, ",\"source\":\"%s\"", line->source_type) != 0) ||
	    (line->checkpoint &&
		buf_adds(body, ",\"kind\":\"checkpoint\"") != 0) ||
	    (l->labels.len > 0 &&
		buf_add(body, l->labels.data, l->labels.len) != 0))
		return -1;
	return buf_adds(body, "},\"values\":[");
}

/* The time under which Loki is to store it; true: not its own. */
static bool
is_moved(const struct loki *l, const struct chunk_line *line, int64_t *when)
{
	int64_t now = clock_now();

	*when = line->when;
	if (line->when >= now - l->late_after && line->when <= now + AHEAD)
		return false;
	*when = now;
	return true;
}

static int
add_metadata(struct intake *in, const struct chunk_line *line, bool moved,
    struct buf *body)
{
	struct slice id = { .data = NULL };
	char when[CLOCK_TEXT];

	if (buf_addf(body, ",{\"sealfeed_%s\":\"%llu\"",
		line->checkpoint ? "size" : "index",
		(unsigned long long)line->number) != 0)
		return -1;
	if (moved && line->when != INT64_MIN) {
		(void)clock_format(line->when, 6, when);
		if (buf_addf(body, ",\"sealfeed_time\":\"%s\"", when) != 0)
			return -1;
	}
	if (!line->checkpoint && json_valid(line->value, line->len))
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

/* The whole line with its feed and number. */
static int
add_sealed(struct intake *in, const struct chunk_line *line, struct buf *body)
{
	const struct line_name name = { in->out->agent, line->feed, line->via };
	struct buf text = BUF_INIT(line->len + LABELS_MAX);
	int rc =
	    line_add(&text, line->checkpoint ? LINE_CHECKPOINT : LINE_EVENT,
		name, line->number, line->value, line->len);

	if (rc == 0)
		rc = text_json_string(body, text.data, text.len - 1);
	buf_release(&text);
	return rc;
}

static int
add_entry(struct intake *in, const struct chunk_line *line, struct buf *body)
{
	const struct loki_conf *conf = in->conf;
	const struct slice text = intake_text(in, line);
	int64_t when;
	bool moved = is_moved(in->state, line, &when);

	if (buf_addf(body, "[\"%lld000\",", (long long)when) != 0)
		return -1;
	if (conf->envelope == LOKI_SEAL
		? add_sealed(in, line, body) != 0
		: text_json_string(body, text.data, text.len) != 0 ||
		    add_metadata(in, line, moved, body) != 0)
		return -1;
	return buf_adds(body, "]");
}

/* A line of the stream before goes into it. */
static int
loki_render(struct intake *in, const struct chunk_line *line, struct buf *body,
    struct err *err)
{
	const struct loki *l = in->state;
	bool first = body->len == strlen(PREFIX);
	bool same = !first && l->checkpoint == line->checkpoint &&
	    strcmp(l->feed, line->feed) == 0;

	if ((!first && buf_adds(body, same ? "," : "]},") != 0) ||
	    (!same && add_stream(in, line, body) != 0) ||
	    add_entry(in, line, body) != 0)
		return err_set(err, "request: too large");
	return 0;
}

static int
loki_prepare(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct loki_conf *conf = in->conf;

	(void)err;
	intake_url(r, intake_endpoint(conf->http.url, PUSH), NULL);
	if (conf->tenant != NULL)
		intake_header(r, "X-Scope-OrgID", conf->tenant);
	return 0;
}

/*
 * Answers.
 */

enum fault { FAULT_SETTINGS, FAULT_TIME, FAULT_ENTRY };

/* Texts of pkg/validation/validate.go, pkg/ingester/errors.go and of dskit. */
static const struct refusal {
	const char *text; /* a part */
	enum fault fault;
	const char *hint;
} refusals[] = {
	{ "no org id", FAULT_SETTINGS, "set tenant" },
	{ "structured metadata, but this feature is disallowed", FAULT_SETTINGS,
	    "set allow_structured_metadata there, or envelope: seal" },
	{ "missing required labels", FAULT_SETTINGS, "add them to labels" },
	{ "label names; limit", FAULT_SETTINGS, "remove some of labels" },
	{ "label name too long", FAULT_SETTINGS, "correct labels" },
	{ "label value too long", FAULT_SETTINGS, "correct labels" },
	{ "duplicate label name", FAULT_SETTINGS, "correct labels" },
	{ "rror parsing labels", FAULT_SETTINGS, "correct labels" },
	{ "ingestion blocked", FAULT_SETTINGS,
	    "the administrator of Loki has stopped this tenant" },
	{ "timestamp too old", FAULT_TIME, "lower late_after" },
	{ "too far behind", FAULT_TIME, "lower late_after" },
	{ "out of order", FAULT_TIME, "set late_after: 0 and parallel: 1" },
	{ "timestamp too new", FAULT_ENTRY, "compare the clocks" },
	{ "Max entry size", FAULT_ENTRY, "raise max_line_size there" },
	{ "structured metadata too", FAULT_ENTRY,
	    "raise max_structured_metadata_size there, or set envelope: seal" },
};

static const struct refusal *
find_refusal(const char *body)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (strstr(body, refusals[i].text) != NULL)
			return &refusals[i];
	return NULL;
}

/* Something was too old: what is half as late is moved from now on.  false:
 * everything is already. */
static bool
learn(struct loki *l)
{
	if (l->late_after <= 0)
		return false;
	l->late_after = l->late_after / 2 < LATE_MIN ? 0 : l->late_after / 2;
	return true;
}

static bool
loki_judge(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v)
{
	const struct http_output_conf *conf = in->conf;
	const struct refusal *f = find_refusal(r->body);
	enum verdict verdict = http_meaning(r->status)->verdict;

	if (r->status == 204)
		return false;
	if (verdict == VERDICT_DELIVERED) {
		intake_verdict(v, r->lines, VERDICT_BLOCKED,
		    "%s: answers %d and not 204, which is all that Loki "
		    "confirms with, so nothing counts as delivered: %.200s",
		    conf->url, r->status, r->body);
		return true;
	}
	if (f == NULL || r->status == 429 || r->status >= 500)
		return false;
	if (f->fault == FAULT_SETTINGS)
		verdict = VERDICT_BLOCKED;
	else if (f->fault == FAULT_TIME && learn(in->state))
		verdict = VERDICT_RETRY;
	intake_verdict(v, r->lines, verdict, "%s: answers %d: %.300s; %s",
	    conf->url, r->status, r->body, f->hint);
	return true;
}

/*
 * check --live.
 */

/* A push without streams: newer versions refuse that when everything else is
 * good. */
static int
loki_probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err)
{
	if (step > 0)
		return 1;
	if (buf_adds(&r->body, PREFIX "]}") != 0)
		return err_set(err, "request: too large");
	return loki_prepare(in, r, err);
}

static int
loki_probed(struct intake *in, unsigned step, const struct intake_response *r,
    struct buf *message, struct err *err)
{
	const struct loki_conf *conf = in->conf;

	(void)step;
	(void)err;
	if (r->status != 204 &&
	    (r->status < 400 ||
		strstr(r->body, "at least one valid stream") == NULL))
		return 1;
	return buf_addf(message,
	    "pushes are accepted%s%s (one without streams)",
	    conf->tenant == NULL ? "" : " for tenant ",
	    conf->tenant == NULL ? "" : conf->tenant);
}

/*
 * Options.
 */

static bool
is_label(const char *s)
{
	if (*s == '\0' || isdigit((unsigned char)*s))
		return false;
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return false;
	return true;
}

static void
loki_check(const void *conf, const struct config_section *b)
{
	static const char *const own[] = { "service_name", "source", "kind",
		"sealfeed_agent", "sealfeed_feed", NULL };
	const struct loki_conf *c = conf;
	const struct setting_pair *l = c->labels;

	http_output_check(conf, b);
	for (; l != NULL && l->name != NULL; l++) {
		if (!is_label(l->name))
			config_error(b,
			    "labels: \"%.60s\" is not the name of a label; use "
			    "letters, digits and _",
			    l->name);
		for (size_t i = 0; own[i] != NULL; i++)
			if (strcmp(own[i], l->name) == 0)
				config_error(b,
				    "labels: %s is set by this output; leave "
				    "it out",
				    l->name);
	}
}

static const struct http_dialect loki = {
	.content_type = "application/json",
	.open = loki_open,
	.close = loki_close,
	.prefix = PREFIX,
	.suffix = "]}]}",
	.render = loki_render,
	.prepare = loki_prepare,
	.judge = loki_judge,
	.probe = loki_probe,
	.probed = loki_probed,
};

static const char *const envelopes[] = { "metadata", "seal", NULL };

#define OFFSET(member) offsetof(struct loki_conf, member)

static const struct setting settings[] = { { .key = "where",
					       .type = SETTING_TABLE,
					       .table = http_target_settings },
	{ .key = "tenant",
	    .type = SETTING_STRING,
	    .offset = OFFSET(tenant),
	    .help = "Tenant, for X-Scope-OrgID. Default: none, for a Loki "
		    "without tenants." },
	{ .key = "labels",
	    .type = SETTING_SECRETS,
	    .offset = OFFSET(labels),
	    .help =
		"Further labels of all streams, a map of names to values." },
	{ .key = "envelope",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(envelope),
	    .def = "metadata",
	    .choices = envelopes,
	    .help = "metadata: a line is the event alone, index and id are "
		    "structured metadata. seal: a line has feed, index and "
		    "event, for a Loki without structured metadata." },
	{ .key = "late_after",
	    .type = SETTING_DURATION,
	    .offset = OFFSET(late_after),
	    .def = "50m",
	    .min = 0,
	    .max = 7 * CLOCK_DAY,
	    .help = "An event older than this is stored under the time of "
		    "sending, with its own in sealfeed_time, since Loki "
		    "refuses what is half of its max_chunk_age (an hour) older "
		    "than the newest of a stream. It becomes shorter by itself "
		    "where Loki refuses nevertheless." },
	HTTP_MAX_BODY("1MiB", 64 << 20),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END };

const struct output_type output_loki = {
	.type.name = "loki",
	.type.title = "Grafana Loki",
	.type.settings = settings,
	.type.conf_size = sizeof(struct loki_conf),
	.type.check = loki_check,
	.dialect = &loki,
	HTTP_TRANSPORT,
};
