/*
 * coralogix.c - the intake for logs of Coralogix.
 *
 * coralogix.com/docs, "Coralogix REST API /singles": an array of logs, each
 * with names of application and subsystem; "Limitations": 2 MB a request.  A
 * log has no room for attributes beside its text, but for some fields of
 * programs: the index stands in threadId, what it is in category, and what
 * brought it (via) in className.
 */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "delivery/chunk.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"
#include "outputs/http/explain.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"
#include "store/line.h"

#define SINGLES "/logs/v1/singles"
#define REQUEST_MAX 2000000

enum coralogix_envelope { CORALOGIX_NONE, CORALOGIX_SEAL };

struct coralogix_conf {
	struct http_output_conf http; /* must stand first; token: the key */
	char *application;
	char *subsystem;
	int envelope;
};

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

/* The event alone, or the line that it is in. */
static int
add_text(struct intake *in, const struct chunk_line *line, struct buf *b)
{
	const struct coralogix_conf *conf = in->conf;
	const struct line_name name = { in->out->agent, line->feed, line->via };
	const struct slice alone = intake_text(in, line);
	struct buf text = BUF_INIT(line->len + 4096);
	int rc;

	if (conf->envelope == CORALOGIX_NONE || line->checkpoint)
		return text_json_string(b, alone.data, alone.len);
	rc = line_add(&text, LINE_EVENT, name, line->number, line->value,
	    line->len);
	if (rc == 0)
		rc = text_json_string(b, text.data, text.len - 1);
	buf_release(&text);
	return rc;
}

static int
coralogix_render(struct intake *in, const struct chunk_line *line,
    struct buf *b, struct err *err)
{
	const struct coralogix_conf *conf = in->conf;
	size_t before = b->len;

	if (buf_adds(b, "{\"text\":") != 0 || add_text(in, line, b) != 0 ||
	    add_string(b, "applicationName", conf->application) != 0 ||
	    add_string(b, "subsystemName",
		conf->subsystem == NULL ? line->feed : conf->subsystem) != 0 ||
	    add_string(b, "computerName", in->out->agent) != 0 ||
	    buf_addf(b,
		",\"severity\":3,\"category\":\"%s\",\"threadId\":\"%llu\"",
		line->checkpoint ? "checkpoint" : "event",
		(unsigned long long)line->number) != 0 ||
	    (line->when >= 0 &&
		buf_addf(b, ",\"timestamp\":%lld.%03lld",
		    (long long)(line->when / 1000),
		    (long long)(line->when % 1000)) != 0) ||
	    (line->via != NULL && add_string(b, "className", line->via) != 0) ||
	    buf_adds(b, "}") != 0)
		return err_set(err, "request: too large");
	if (b->len - before + strlen("[]") > REQUEST_MAX)
		return err_set(err,
		    "the log of %zu bytes is larger than the 2 MB that "
		    "Coralogix takes",
		    b->len - before);
	return 0;
}

static int
coralogix_prepare(struct intake *in, struct intake_request *r, struct err *err)
{
	(void)in;
	(void)err;
	intake_url(r, SINGLES, NULL);
	return 0;
}

/*
 * Answers.
 */

#define KEY                                                                   \
	"check key: the token must be a Send-Your-Data API key of the team, " \
	"and url the ingress of its domain"

static const struct explained meanings[] = {
	{ 401, NULL, VERDICT_BLOCKED, KEY },
	{ 403, NULL, VERDICT_BLOCKED, KEY },
	{ 402, NULL, VERDICT_BLOCKED, "the team's quota is used up" },
	{ .status = 0 },
};

static bool
coralogix_judge(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v)
{
	return explain_judge(meanings, in, r, v);
}

/*
 * check --live.
 */

/* An array of no logs. */
static int
coralogix_probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err)
{
	if (step > 0)
		return 1;
	if (buf_adds(&r->body, "[]") != 0)
		return err_set(err, "request: too large");
	return coralogix_prepare(in, r, err);
}

static int
coralogix_probed(struct intake *in, unsigned step,
    const struct intake_response *r, struct buf *message, struct err *err)
{
	(void)step;
	return explain_probe(meanings, in, r,
	    "the key is accepted (to an array without logs); delivery is "
	    "acknowledged",
	    message, err);
}

/*
 * Options.
 */

static const struct http_dialect coralogix = {
	.content_type = "application/json",
	.token_header = "Authorization: Bearer ",
	.prefix = "[",
	.separator = ",",
	.suffix = "]",
	.render = coralogix_render,
	.prepare = coralogix_prepare,
	.judge = coralogix_judge,
	.probe = coralogix_probe,
	.probed = coralogix_probed,
};

static const char *const envelopes[] = { "none", "seal", NULL };

#define OFFSET(member) offsetof(struct coralogix_conf, member)

static const struct setting settings[] = {
	HTTP_BASE_URL("Ingress of your domain, as "
		      "\"https://ingress.eu2.coralogix.com\";",
	    SINGLES),
	{ .key = "key",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(http.token),
	    .required = true,
	    .help = "Send-Your-Data API key." },
	{ .key = "application",
	    .type = SETTING_STRING,
	    .offset = OFFSET(application),
	    .def = "sealfeed",
	    .help = "applicationName of all logs." },
	{ .key = "subsystem",
	    .type = SETTING_STRING,
	    .offset = OFFSET(subsystem),
	    .help = "subsystemName of all logs. Default: the feed." },
	{ .key = "envelope",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(envelope),
	    .def = "none",
	    .choices = envelopes,
	    .help = "none: a log is the event alone, which cannot be "
		    "verified. seal: the line of feed, index and event." },
	HTTP_HEADERS, HTTP_MAX_BODY("1900KB", REQUEST_MAX),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

const struct output_type output_coralogix = {
	.type.name = "coralogix",
	.type.title = "Coralogix",
	.type.before = "In Coralogix: an API key of the kind Send-Your-Data "
		       "(Data Flow, API Keys).\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct coralogix_conf),
	.type.check = http_output_check,
	.dialect = &coralogix,
	HTTP_TRANSPORT,
};
