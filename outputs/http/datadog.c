/*
 * datadog.c - the intake for logs of Datadog.
 *
 * docs.datadoghq.com, "Send logs" (v2): an array of at most 1,000 logs and
 * 5 MB before compression, 202.  A log over 1 MB is cut under the same 202, so
 * none is sent.  "Log Date Remapper": a log with a time of more than 18 hours
 * ago, or two hours ahead, is dropped, so such a time is no timestamp.  That
 * time is also looked for in a message that is JSON ("Pipelines",
 * Preprocessing), and by an integration's pipeline where its vendor writes it:
 * an event with such a time goes in its line, where neither finds one.
 */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json_valid.h"
#include "base/text.h"
#include "config/event_shape.h"
#include "delivery/chunk.h"
#include "delivery/member.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"
#include "outputs/http/status.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"
#include "store/line.h"

#define LOGS "/api/v2/logs"
#define LOGS_MAX 1000
#define LOG_BYTES_MAX 1000000

/* With room for the way there. */
#define PAST (17 * CLOCK_HOUR)
#define AHEAD (CLOCK_HOUR)

struct datadog_conf {
	struct http_output_conf http; /* must stand first; token: API key */
	char *source;
	char *service;
	char *host;
	char **tags;
};

/* What Datadog's integrations call the logs of a type of source, or of a data
 * set; others keep their name. */
static const struct {
	const char *type;
	const char *source;
} sources[] = {
	{ "office365", "microsoft-365" },
	{ "agent", "sealfeed" },
	{ "aws-cloudtrail", "cloudtrail" },
	{ "aws.cloudtrail", "cloudtrail" },
	{ "google-workspace", "gsuite" },
};

static const char *
source_of(const struct datadog_conf *conf, const struct chunk_line *line)
{
	const char *set =
	    line->shape->dataset == NULL ? "" : line->shape->dataset;

	if (line->checkpoint)
		return "sealfeed";
	if (conf->source != NULL)
		return conf->source;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (strcmp(sources[i].type, line->source_type) == 0 ||
		    strcmp(sources[i].type, set) == 0)
			return sources[i].source;
	return line->source_type[0] == '\0' ? "sealfeed" : line->source_type;
}

static int
datadog_open(struct intake *in, struct err *err)
{
	(void)err;
	in->lines_max = LOGS_MAX;
	return 0;
}

/*
 * Requests.
 */

static int
add_string(struct buf *b, const char *key, const char *value)
{
	if (buf_addf(b, ",\"%s\":", key) != 0)
		return -1;
	return text_json_string(b, value, strlen(value));
}

static int
add_tags(struct buf *b, const struct datadog_conf *conf)
{
	struct buf all = BUF_INIT(16384);
	int rc = 0;

	for (char **t = conf->tags; rc == 0 && t != NULL && *t != NULL; t++)
		rc = buf_addf(&all, "%s%s", all.len == 0 ? "" : ",", *t);
	if (rc == 0 && all.len > 0)
		rc = add_string(b, "ddtags", all.data);
	buf_release(&all);
	return rc;
}

/* Is it a time of which Datadog keeps logs? */
static bool
is_kept(int64_t when)
{
	int64_t now = clock_now();

	return when >= now - PAST && when <= now + AHEAD;
}

/* Would Datadog find a time in the event by which it may drop it? */
static bool
tells_time(struct intake *in, const struct chunk_line *line)
{
	/* The preprocessing of JSON logs, as it is before anyone changes it. */
	static const char *const dates[] = { "/@timestamp", "/timestamp",
		"/_timestamp", "/Timestamp", "/eventTime", "/date",
		"/published_date", "/syslog/timestamp" };
	bool found = line->when != INT64_MIN; /* a pipeline may */

	for (size_t i = 0; !found && i < sizeof(dates) / sizeof(dates[0]); i++)
		found =
		    member_text(in->members, dates[i], line->value, line->len)
			.len > 0;
	return found;
}

/* The event, or the line that it is in; a checkpoint's line. */
static int
add_message(struct intake *in, const struct chunk_line *line, struct buf *b)
{
	const struct line_name name = { in->out->agent, line->feed, line->via };
	struct buf text = BUF_INIT(line->len + 4096);
	struct slice alone;
	int rc;

	if (line->checkpoint || is_kept(line->when) ||
	    !json_valid(line->value, line->len) || !tells_time(in, line)) {
		alone = intake_text(in, line);
		return text_json_string(b, alone.data, alone.len);
	}
	rc = line_add(&text, LINE_EVENT, name, line->number, line->value,
	    line->len);
	if (rc == 0)
		rc = text_json_string(b, text.data, text.len - 1);
	buf_release(&text);
	return rc;
}

/* Attributes of the log, and its time where that is one that counts. */
static int
add_attributes(struct intake *in, const struct chunk_line *line, struct buf *b)
{
	struct slice id = { .data = NULL };
	char when[CLOCK_TEXT];

	if (is_kept(line->when) &&
	    buf_addf(b, ",\"timestamp\":%lld",
		(long long)(line->when / (CLOCK_SECOND / 1000))) != 0)
		return -1;
	if (buf_addf(b,
		",\"sealfeed\":{\"feed\":\"%s\",\"%s\":%llu,\"agent\":\"%s\"",
		line->feed, line->checkpoint ? "size" : "index",
		(unsigned long long)line->number, in->out->agent) != 0)
		return -1;
	if (line->when != INT64_MIN) {
		(void)clock_format(line->when, 6, when);
		if (add_string(b, "time", when) != 0)
			return -1;
	}
	if (!line->checkpoint && json_valid(line->value, line->len))
		id = intake_id(in, line);
	if (id.len > 0 &&
	    (buf_adds(b, ",\"id\":\"") != 0 ||
		buf_add(b, id.data, id.len) != 0 || buf_adds(b, "\"") != 0))
		return -1;
	if (line->version_of != NULL &&
	    add_string(b, "version_of", line->version_of) != 0)
		return -1;
	if (line->via != NULL && add_string(b, "via", line->via) != 0)
		return -1;
	return buf_adds(b, "}");
}

static int
datadog_render(struct intake *in, const struct chunk_line *line, struct buf *b,
    struct err *err)
{
	const struct datadog_conf *conf = in->conf;
	const char *source = source_of(conf, line);
	size_t before = b->len;

	if (buf_adds(b, "{\"message\":") != 0 ||
	    add_message(in, line, b) != 0 ||
	    add_string(b, "ddsource", source) != 0 ||
	    add_string(b, "service",
		conf->service == NULL ? source : conf->service) != 0 ||
	    add_string(b, "hostname",
		conf->host == NULL ? in->out->agent : conf->host) != 0 ||
	    add_tags(b, conf) != 0 || add_attributes(in, line, b) != 0 ||
	    buf_adds(b, "}") != 0)
		return err_set(err, "request: too large");
	if (b->len - before > LOG_BYTES_MAX)
		return err_set(err,
		    "the log of %zu bytes is larger than the 1 MB that Datadog "
		    "keeps of one; it would be cut",
		    b->len - before);
	return 0;
}

static int
datadog_prepare(struct intake *in, struct intake_request *r, struct err *err)
{
	(void)in;
	(void)err;
	intake_url(r, LOGS, NULL);
	return 0;
}

/*
 * Answers.
 */

static bool
datadog_judge(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v)
{
	enum verdict verdict = http_meaning(r->status)->verdict;

	if (r->status == 401 || r->status == 403) {
		intake_verdict(v, r->lines, VERDICT_BLOCKED,
		    "%s: answers %d: the API key is not accepted: %.200s; "
		    "check "
		    "api_key, and that url is the intake of the key's own site",
		    in->shown, r->status, r->body);
		return true;
	}
	if (verdict != VERDICT_DELIVERED || r->status == 202)
		return false;
	intake_verdict(v, r->lines, VERDICT_BLOCKED,
	    "%s: answers %d and not 202, by which Datadog accepts logs, so "
	    "nothing counts as delivered; check url",
	    in->shown, r->status);
	return true;
}

/*
 * check --live.
 */

/* An array of no logs. */
static int
datadog_probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err)
{
	if (step > 0)
		return 1;
	if (buf_adds(&r->body, "[]") != 0)
		return err_set(err, "request: too large");
	return datadog_prepare(in, r, err);
}

static int
datadog_probed(struct intake *in, unsigned step,
    const struct intake_response *r, struct buf *message, struct err *err)
{
	(void)in;
	(void)step;
	(void)err;
	if (r->status != 202 && r->status != 400)
		return 1;
	return buf_adds(message,
	    "the API key is accepted (to an array without logs)");
}

/*
 * Options.
 */

static const struct http_dialect datadog = {
	.content_type = "application/json",
	.token_header = "DD-API-KEY: ",
	.open = datadog_open,
	.prefix = "[",
	.separator = ",",
	.suffix = "]",
	.render = datadog_render,
	.prepare = datadog_prepare,
	.judge = datadog_judge,
	.probe = datadog_probe,
	.probed = datadog_probed,
};

#define OFFSET(member) offsetof(struct datadog_conf, member)

static const struct setting settings[] = {
	HTTP_BASE_URL("Intake of your site, as "
		      "\"https://http-intake.logs.datadoghq.eu\";",
	    LOGS),
	{ .key = "api_key",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(http.token),
	    .required = true,
	    .help = "API key, for DD-API-KEY." },
	{ .key = "source",
	    .type = SETTING_STRING,
	    .offset = OFFSET(source),
	    .help = "ddsource of all events, by which a pipeline finds them. "
		    "Default: that of the vendor's integration, as "
		    "microsoft-365." },
	{ .key = "service",
	    .type = SETTING_STRING,
	    .offset = OFFSET(service),
	    .help = "service of all logs. Default: their source." },
	{ .key = "host",
	    .type = SETTING_STRING,
	    .offset = OFFSET(host),
	    .help = "hostname of all logs. Default: the agent's name." },
	{ .key = "tags",
	    .type = SETTING_LIST,
	    .offset = OFFSET(tags),
	    .help = "ddtags of all logs, as env:production." },
	HTTP_HEADERS, HTTP_MAX_BODY("4MB", 5000000),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

const struct output_type output_datadog = {
	.type.name = "datadog",
	.type.title = "Datadog",
	.type.before =
	    "In Datadog: an API key (Organization Settings, API Keys), and the "
	    "integration of\n"
	    "each vendor for its pipeline and rules, without a tenant in it.\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct datadog_conf),
	.type.check = http_output_check,
	.dialect = &datadog,
	HTTP_TRANSPORT,
};
