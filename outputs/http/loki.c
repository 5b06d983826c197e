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
#include "base/mem.h"
#include "config/secret.h"
#include "outputs/http/exchange.h"
#include "outputs/http/loki_push.h"
#include "outputs/http/status.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"

#define PUSH "/loki/api/v1/push"

/* Events that are less late than this are not told from others. */
#define LATE_MIN CLOCK_MINUTE

/*
 * Opening.
 */

static void
loki_close(struct intake *in)
{
	struct loki *l = in->state;

	buf_release(&l->labels);
	buf_release(&l->entry);
	buf_release(&l->whole);
	free(l->streams);
	free(l->feed);
	free(l);
	in->state = NULL;
}

static int
add_label(struct loki *l, const struct setting_pair *label, struct err *err)
{
	char *value = secret_resolve(label->value, err);
	int rc;

	if (value == NULL)
		return err_prefix(err, "labels.%s", label->name);
	rc = loki_label(l, &l->labels, label->name,
	    (struct slice){ value, strlen(value) });
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
	l->protobuf = conf->encoding == LOKI_PROTOBUF;
	buf_init(&l->labels, LOKI_LABELS_MAX);
	buf_init(&l->entry, EXCHANGE_BODY_MAX);
	buf_init(&l->whole, EXCHANGE_BODY_MAX);
	if (l->protobuf) {
		in->content_type = "application/x-protobuf";
		in->compress = false; /* Snappy is part of it */
		in->suffix = NULL;
	}
	for (; label != NULL && label->name != NULL; label++) {
		if (add_label(l, label, err) != 0) {
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
loki_prepare(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct loki_conf *conf = in->conf;

	intake_url(r, PUSH, NULL);
	if (conf->tenant != NULL)
		intake_header(r, "X-Scope-OrgID", conf->tenant);
	return loki_finish(in, r, err);
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
	const struct refusal *f = find_refusal(r->body);
	enum verdict verdict = http_meaning(r->status)->verdict;

	if (r->status == 204)
		return false;
	if (verdict == VERDICT_DELIVERED) {
		intake_verdict(v, r->lines, VERDICT_BLOCKED,
		    "%s: answers %d and not 204, which is all that Loki "
		    "confirms with, so nothing counts as delivered: %.200s",
		    in->shown, r->status, r->body);
		return true;
	}
	if (f == NULL || r->status == 429 || r->status >= 500)
		return false;
	if (f->fault == FAULT_SETTINGS)
		verdict = VERDICT_BLOCKED;
	else if (f->fault == FAULT_TIME && learn(in->state))
		verdict = VERDICT_RETRY;
	intake_verdict(v, r->lines, verdict, "%s: answers %d: %.300s; %s",
	    in->shown, r->status, r->body, f->hint);
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
	if (!((const struct loki *)in->state)->protobuf &&
	    buf_adds(&r->body, LOKI_PREFIX "]}") != 0)
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
	.suffix = LOKI_SUFFIX,
	.render = loki_render,
	.prepare = loki_prepare,
	.judge = loki_judge,
	.probe = loki_probe,
	.probed = loki_probed,
};

static const char *const envelopes[] = { "metadata", "seal", NULL };
static const char *const encodings[] = { "json", "protobuf", NULL };

#define OFFSET(member) offsetof(struct loki_conf, member)

static const struct setting settings[] = { HTTP_BASE_URL("Address of Loki,",
					       PUSH),
	{ .key = "login", .type = SETTING_TABLE, .table = http_login_settings },
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
	{ .key = "encoding",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(encoding),
	    .def = "json",
	    .choices = encodings,
	    .help = "json, packed with gzip where compress is set; protobuf, "
		    "always packed with Snappy, which costs Loki less "
		    "(libsnappy, where it is installed, makes it smaller)." },
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
	.type.before = "In Loki: allow_structured_metadata (on since 3.0), and "
		       "max_line_size of at least\n"
		       "the largest event. In Grafana Cloud: an access policy "
		       "token with logs:write.\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct loki_conf),
	.type.check = loki_check,
	.dialect = &loki,
	HTTP_TRANSPORT,
};
