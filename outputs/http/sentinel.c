/*
 * sentinel.c - Microsoft Sentinel, by the Logs Ingestion API of Azure Monitor.
 *
 * learn.microsoft.com/azure/azure-monitor: "Logs Ingestion API in Azure
 * Monitor", "Azure Monitor service limits", "Standard columns in Azure Monitor
 * Logs".  A request is a JSON array of rows for one stream of a data collection
 * rule, all or nothing.  It may have 1,048,576 bytes before compression, and
 * after it.  A text of more than 64 KB is cut without a word, so the text of an
 * event goes on in further columns.  TimeGenerated is replaced where it is more
 * than two days old, so the event's time has a column of its own.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/errors.h"
#include "delivery/chunk.h"
#include "http/auth_oauth2.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"
#include "outputs/http/entra.h"
#include "outputs/http/explain.h"
#include "outputs/http/login.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"
#include "store/line.h"

/* "Maximum allowed content length: 1048576 bytes (1 MB)." */
#define CALL_MAX ((size_t)1 << 20)

/* Bytes of a column. */
#define FIELD_MAX ((size_t)64 * 1024)

#define API_VERSION "2023-01-01"

#define NOT_204                                                             \
	"Azure Monitor answers 204, so nothing counts as delivered; check " \
	"url and what is on the way"
#define STREAM                                                              \
	"check stream: the rule must have it under streamDeclarations and " \
	"dataFlows"

struct sentinel_conf {
	struct http_output_conf http; /* must stand first */
	struct entra_conf entra;
	char *rule;
	char *stream;
};

/* What a token is asked for. */
static const char *const scopes[] = {
	[ENTRA_COMMERCIAL] = "https://monitor.azure.com/.default",
	[ENTRA_GCC] = "https://monitor.azure.com/.default",
	[ENTRA_GCC_HIGH] = "https://monitor.azure.us/.default",
	[ENTRA_DOD] = "https://monitor.azure.us/.default",
	[ENTRA_CHINA] = "https://monitor.azure.cn/.default",
};
_Static_assert(sizeof(scopes) / sizeof(scopes[0]) == ENTRA_CLOUDS, "clouds");

static const struct rule token_rules[] = {
	OAUTH_API_RULES("check cloud and tenant: it must be the tenant of a "
			"subscription with Azure Monitor",
	    "check cloud, which says at which Azure Monitor the token is good"),
	{ .next = oauth_rules }
};

static int
sentinel_open(struct intake *in, struct err *err)
{
	const struct sentinel_conf *conf = in->conf;

	(void)err;
	in->state = entra_login(&conf->entra, scopes[conf->entra.cloud],
	    token_rules, in->access);
	return 0;
}

static void
sentinel_close(struct intake *in)
{
	login_free(in->state);
	in->state = NULL;
}

/*
 * Rows.
 */

/* Bytes of s, at most FIELD_MAX, that end with a whole character. */
static size_t
piece(const char *s, size_t len)
{
	size_t n = FIELD_MAX;

	if (len <= n)
		return len;
	/* What is no UTF-8 has no characters to keep together. */
	while (n > FIELD_MAX - 4 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* RawData, and where it is longer than a column RawData_2 and so on. */
static int
add_raw(struct buf *body, const char *s, size_t len)
{
	unsigned column = 1;

	do {
		size_t n = piece(s, len);

		if ((column == 1 ? buf_adds(body, ",\"RawData\":")
				 : buf_addf(body,
				       ",\"RawData_%u\":", column)) != 0 ||
		    text_json_string(body, s, n) != 0)
			return -1;
		s += n;
		len -= n;
		column++;
	} while (len > 0);
	return 0;
}

/* A checkpoint as its line, which the seal has it in. */
static int
add_text(const struct chunk_line *line, const char *agent, struct buf *body)
{
	const struct line_name name = { agent, line->feed, line->via };
	struct buf text = BUF_INIT(line->len + 1024);
	int rc;

	if (!line->checkpoint)
		return add_raw(body, line->value, line->len);
	rc = line_add(&text, LINE_CHECKPOINT, name, line->number, line->value,
	    line->len);
	if (rc == 0)
		rc = add_raw(body, text.data, text.len - 1);
	buf_release(&text);
	return rc;
}

static int
add_row(struct intake *in, const struct chunk_line *line, struct buf *body)
{
	const char *agent = in->out->agent;
	struct slice id = intake_id(in, line);
	char when[CLOCK_TEXT];

	(void)clock_format(line->when == INT64_MIN ? clock_now() : line->when,
	    6, when);
	if (buf_addf(body,
		"{\"TimeGenerated\":\"%s\",\"EventTime\":\"%s\","
		"\"sealfeed_agent\":\"%s\",\"sealfeed_feed\":\"%s\","
		"\"sealfeed_%s\":%llu",
		when, when, agent, line->feed,
		line->checkpoint ? "size" : "index",
		(unsigned long long)line->number) != 0 ||
	    (line->source_type[0] != '\0' &&
		buf_addf(body, ",\"sealfeed_source\":\"%s\"",
		    line->source_type) != 0) ||
	    (id.data != NULL &&
		buf_addf(body, ",\"sealfeed_id\":\"%.*s\"", (int)id.len,
		    id.data) != 0) ||
	    (line->version_of != NULL &&
		buf_addf(body, ",\"sealfeed_version_of\":\"%s\"",
		    line->version_of) != 0) ||
	    (line->via != NULL &&
		buf_addf(body, ",\"sealfeed_via\":\"%s\"", line->via) != 0) ||
	    add_text(line, agent, body) != 0)
		return -1;
	return buf_add(body, "}", 1);
}

static int
sentinel_render(struct intake *in, const struct chunk_line *line,
    struct buf *body, struct err *err)
{
	size_t before = body->len;

	if (add_row(in, line, body) != 0)
		return err_set(err, "request: too large");
	if (body->len - before + strlen("[]") > CALL_MAX)
		return err_set(err,
		    "it is a row of %zu bytes, and Azure Monitor takes "
		    "requests of %zu at most",
		    body->len - before, CALL_MAX);
	return 0;
}

static int
sentinel_prepare(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct sentinel_conf *conf = in->conf;
	char *path = xasprintf("/dataCollectionRules/%s/streams/%s", conf->rule,
	    conf->stream);
	char id[GUID_TEXT];

	intake_url(r, path, "api-version=" API_VERSION);
	free(path);
	if (guid_make(id) == 0)
		intake_header(r, "x-ms-client-request-id", id);
	return login_sign(in->state, in, r, err);
}

/*
 * Answers.
 */

/* What Azure Monitor says: the settings are to blame for most of it, and must
 * not cost an event. */
static const struct explained meanings[] = {
	{ 200, NULL, VERDICT_BLOCKED, NOT_204 },
	{ 201, NULL, VERDICT_BLOCKED, NOT_204 },
	{ 202, NULL, VERDICT_BLOCKED, NOT_204 },
	{ 203, NULL, VERDICT_BLOCKED, NOT_204 },
	{ 205, NULL, VERDICT_BLOCKED, NOT_204 },
	{ 206, NULL, VERDICT_BLOCKED, NOT_204 },
	{ 400, "InvalidStream", VERDICT_BLOCKED, STREAM },
	{ 400, "not configured", VERDICT_BLOCKED, STREAM },
	{ 400, "api-version", VERDICT_BLOCKED,
	    "check that url is an endpoint of Azure Monitor" },
	{ 401, NULL, VERDICT_BLOCKED,
	    "the access token is refused; check cloud, tenant and client_id" },
	{ 403, NULL, VERDICT_BLOCKED,
	    "give the app the role Monitoring Metrics Publisher on the data "
	    "collection rule (a new role takes up to 30 minutes to work), and "
	    "check that url is an endpoint that the rule is bound to" },
	{ 404, "stream", VERDICT_BLOCKED, STREAM },
	{ 404, NULL, VERDICT_BLOCKED,
	    "check rule, the immutable ID of the data collection rule, and "
	    "that url is in the rule's region" },
	{ 413, NULL, VERDICT_REFUSED, "lower max_body" },
	{ .status = 0 },
};

static bool
sentinel_judge(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v)
{
	login_hear(in->state, r);
	return explain_judge(meanings, in, r, v);
}

static int
sentinel_probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err)
{
	if (step > 0)
		return 1;
	if (buf_adds(&r->body, "[]") != 0)
		return err_set(err, "request: too large");
	return sentinel_prepare(in, r, err);
}

static int
sentinel_probed(struct intake *in, unsigned step,
    const struct intake_response *r, struct buf *message, struct err *err)
{
	(void)step;
	return explain_probe(meanings, in, r,
	    "a token was issued, and the data collection rule takes the app's "
	    "requests; delivery is acknowledged",
	    message, err);
}

/*
 * Options.
 */

static void
sentinel_check(const void *conf, const struct config_section *b)
{
	const struct sentinel_conf *c = conf;

	http_output_check(conf, b);
	entra_check(&c->entra, b);
	if (c->rule != NULL &&
	    (strncmp(c->rule, "dcr-", 4) != 0 || !http_is_part(c->rule, "-")))
		config_error(b,
		    "rule: \"%.60s\" is not the immutable ID of a data "
		    "collection rule, which begins with dcr-; its JSON view "
		    "shows it",
		    c->rule);
	if (c->stream != NULL &&
	    ((strncmp(c->stream, "Custom-", 7) != 0 &&
		 strncmp(c->stream, "Microsoft-", 10) != 0) ||
		!http_is_part(c->stream, "-_")))
		config_error(b,
		    "stream: \"%.60s\" is not the name of a stream, which "
		    "begins with Custom- or Microsoft-; the rule has it under "
		    "dataFlows",
		    c->stream);
}

static const struct http_dialect sentinel = {
	.content_type = "application/json",
	.open = sentinel_open,
	.close = sentinel_close,
	.prefix = "[",
	.separator = ",",
	.suffix = "]",
	.render = sentinel_render,
	.prepare = sentinel_prepare,
	.judge = sentinel_judge,
	.probe = sentinel_probe,
	.probed = sentinel_probed,
};

#define OFFSET(member) offsetof(struct sentinel_conf, member)

static const struct setting settings[] = {
	HTTP_BASE_URL("Logs ingestion endpoint of the data collection rule, or "
		      "of "
		      "a data collection endpoint,",
	    "/dataCollectionRules/RULE/streams/STREAM"),
	{ .key = "rule",
	    .type = SETTING_STRING,
	    .offset = OFFSET(rule),
	    .required = true,
	    .help = "Immutable ID of the data collection rule, dcr-….",
	    .ask = "Immutable ID of the data collection rule (dcr-…)" },
	{ .key = "stream",
	    .type = SETTING_STRING,
	    .offset = OFFSET(stream),
	    .def = "Custom-Sealfeed",
	    .help = "Stream of the rule that takes the rows." },
	{ .key = "login",
	    .type = SETTING_TABLE,
	    .offset = OFFSET(entra),
	    .table = entra_settings },
	HTTP_HEADERS, HTTP_MAX_BODY("1000000", CALL_MAX),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

const struct output_type output_sentinel = {
	.type.name = "sentinel",
	.type.title = "Microsoft Sentinel",
	.type.before = "In Azure: an app registration, the table Sealfeed_CL, "
		       "a data collection rule of\n"
		       "kind Direct with the stream Custom-Sealfeed, and on it "
		       "the role Monitoring\n"
		       "Metrics Publisher for the app. create.sh in "
		       "packaging/siem/sentinel makes all,\n"
		       "and prints what is asked below.\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct sentinel_conf),
	.type.check = sentinel_check,
	.dialect = &sentinel,
	HTTP_TRANSPORT,
};
