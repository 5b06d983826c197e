/*
 * google_secops.c - Google SecOps, by logs.import of the Chronicle API.
 *
 * docs.cloud.google.com/chronicle/docs/reference/rest, "Method: logs.import".
 * A request has logs of one type, which stands in its path: events of sources
 * that have another begin a new one.  The older Ingestion API ends on 20 July
 * 2027 and is not spoken.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/errors.h"
#include "config/event_shape.h"
#include "delivery/chunk.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"
#include "outputs/http/explain.h"
#include "outputs/http/google.h"
#include "outputs/http/login.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"
#include "store/line.h"

#define SCOPE "https://www.googleapis.com/auth/cloud-platform"

/* Bytes of a request; Google's own agents stop there. */
#define CALL_MAX 4000000

#define LOG_TYPES "check log_types: the instance must know that log type"

/* Longest name of a log type. */
#define TYPE_MAX 96

struct secops_conf {
	struct http_output_conf http; /* must stand first */
	struct google_conf google;
	int version;
	char *project;
	char *location;
	char *instance;
	char *forwarder;
	char *space;
	char **types; /* "okta=OKTA" */
	char *own_type;
};

struct secops {
	struct login *login;
	char *instance;      /* "projects/P/locations/L/instances/I" */
	char *tail;          /* what stands behind the logs */
	char type[TYPE_MAX]; /* of the request that is rendered */
};

static const char *const versions[] = { "v1", "v1beta", "v1alpha", NULL };

/* Log types of the default parsers ("Supported default parsers"), by source or
 * data set, and by stream of one. */
static const struct {
	const char *source;
	const char *stream; /* the feed's name ends so; NULL: any */
	const char *type;
} types[] = {
	{ "1password", NULL, "ONEPASSWORD" },
	{ "aws-cloudtrail", NULL, "AWS_CLOUDTRAIL" },
	{ "aws.cloudtrail", NULL, "AWS_CLOUDTRAIL" },
	{ "github", NULL, "GITHUB" },
	{ "google-workspace", NULL, "WORKSPACE_ACTIVITY" },
	{ "microsoft-graph", "/directoryAudits", "AZURE_AD_AUDIT" },
	{ "microsoft-graph", NULL, "AZURE_AD" },
	{ "office365", NULL, "OFFICE_365" },
	{ "okta", NULL, "OKTA" },
	{ "slack", NULL, "SLACK_AUDIT" },
};

/*
 * Log types.
 */

/* Value of "name=VALUE" in a list; NULL: it has none. */
static const char *
configured(char *const *list, const char *name, size_t len)
{
	for (; list != NULL && *list != NULL; list++)
		if (strncmp(*list, name, len) == 0 && (*list)[len] == '=')
			return *list + len + 1;
	return NULL;
}

static bool
ends(const char *s, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && memcmp(s + len - n, with, n) == 0;
}

/* The log type of a line; "": it is left out.  Of a source that nobody knows
 * its name in capitals, which Google tells if it is wrong. */
static void
type_of(const struct secops_conf *conf, const struct chunk_line *line,
    char out[TYPE_MAX])
{
	const char *source = line->source_type;
	const char *set =
	    line->shape->dataset == NULL ? "" : line->shape->dataset;
	size_t len = strcspn(line->feed, "~"), i = 0;
	const char *type = configured(conf->types, line->feed, len);

	if (line->checkpoint || strcmp(source, "agent") == 0)
		type = conf->own_type != NULL ? conf->own_type : "";
	if (type == NULL)
		type = configured(conf->types, source, strlen(source));
	for (; type == NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if ((strcmp(types[i].source, source) == 0 ||
			strcmp(types[i].source, set) == 0) &&
		    (types[i].stream == NULL ||
			ends(line->feed, len, types[i].stream)))
			type = types[i].type;
	if (type != NULL) {
		(void)snprintf(out, TYPE_MAX, "%s", type);
		return;
	}
	for (i = 0; i < TYPE_MAX - 1 && source[i] != '\0'; i++)
		out[i] = source[i] >= 'a' && source[i] <= 'z'
		    ? (char)(source[i] - 'a' + 'A')
		    : source[i] == '-' ? '_'
				       : source[i];
	out[i] = '\0';
	if (i == 0)
		(void)snprintf(out, TYPE_MAX, "%s", "UNSPECIFIED");
}

/*
 * Opening.
 */

static void
secops_close(struct intake *in)
{
	struct secops *s = in->state;

	login_free(s->login);
	free(s->instance);
	free(s->tail);
	free(s);
	in->state = NULL;
}

static int
secops_open(struct intake *in, struct err *err)
{
	const struct secops_conf *conf = in->conf;
	struct secops *s = xcalloc(1, sizeof(*s));
	const char *f = conf->forwarder;

	(void)err;
	in->state = s;
	s->login = google_login(&conf->google, SCOPE, in->access);
	s->instance = xasprintf("projects/%s/locations/%s/instances/%s",
	    conf->project, conf->location, conf->instance);
	s->tail = xasprintf("],\"forwarder\":\"%s%s%s\"}}",
	    strchr(f, '/') == NULL ? s->instance : "",
	    strchr(f, '/') == NULL ? "/forwarders/" : "", f);
	in->suffix = s->tail;
	return 0;
}

/*
 * Logs.
 */

static int
add_label(struct buf *body, const char *name, const char *value)
{
	return buf_addf(body, "%s\"%s\":{\"value\":\"%s\"}",
	    body->data[body->len - 1] == '{' ? "" : ",", name, value);
}

/* Which event it is: labels can be searched, and outlive the parser. */
static int
add_labels(struct intake *in, const struct chunk_line *line, struct buf *body)
{
	char number[24];

	(void)snprintf(number, sizeof(number), "%llu",
	    (unsigned long long)line->number);
	if (buf_adds(body, ",\"labels\":{") != 0 ||
	    add_label(body, "sealfeed_agent", in->out->agent) != 0 ||
	    add_label(body, "sealfeed_feed", line->feed) != 0 ||
	    add_label(body,
		line->checkpoint ? "sealfeed_size" : "sealfeed_index",
		number) != 0 ||
	    (line->version_of != NULL &&
		add_label(body, "sealfeed_version_of", line->version_of) !=
		    0) ||
	    (line->via != NULL &&
		add_label(body, "sealfeed_via", line->via) != 0))
		return -1;
	return buf_add(body, "}", 1);
}

static int
add_data(const struct chunk_line *line, const char *agent, struct buf *body)
{
	const struct line_name name = { agent, line->feed, line->via };
	struct buf text = BUF_INIT(line->len + 1024);
	int rc;

	if (!line->checkpoint)
		return text_base64(body, line->value, line->len);
	rc = line_add(&text, LINE_CHECKPOINT, name, line->number, line->value,
	    line->len);
	if (rc == 0)
		rc = text_base64(body, text.data, text.len - 1);
	buf_release(&text);
	return rc;
}

static int
add_log(struct intake *in, const struct chunk_line *line, struct buf *body)
{
	const struct secops_conf *conf = in->conf;
	int64_t now = clock_now(),
		when = line->when == INT64_MIN ? now : line->when;
	char entry[CLOCK_TEXT], collection[CLOCK_TEXT];

	/* "collectionTime" is not before "logEntryTime", or the log is
	 * refused. */
	(void)clock_format(when, 6, entry);
	(void)clock_format(when > now ? when : now, 6, collection);
	if (buf_addf(body, "{\"logEntryTime\":\"%s\",\"collectionTime\":\"%s\"",
		entry, collection) != 0 ||
	    (conf->space != NULL &&
		(buf_adds(body, ",\"environmentNamespace\":") != 0 ||
		    text_json_string(body, conf->space, strlen(conf->space)) !=
			0)) ||
	    add_labels(in, line, body) != 0 ||
	    buf_adds(body, ",\"data\":\"") != 0 ||
	    add_data(line, in->out->agent, body) != 0)
		return -1;
	return buf_adds(body, "\"}");
}

static int
secops_render(struct intake *in, const struct chunk_line *line,
    struct buf *body, struct err *err)
{
	struct secops *s = in->state;
	size_t before = body->len;
	char type[TYPE_MAX];

	type_of(in->conf, line, type);
	if (type[0] == '\0')
		return 0;
	memcpy(s->type, type, sizeof(type));
	if (add_log(in, line, body) != 0)
		return err_set(err, "request: too large");
	if (body->len - before > CALL_MAX - 1024)
		return err_set(err,
		    "it is a log of %zu bytes in base64, and Google SecOps "
		    "takes requests of %d at most",
		    body->len - before, CALL_MAX);
	return 0;
}

static bool
secops_apart(struct intake *in, const struct chunk_line *line)
{
	const struct secops *s = in->state;
	char type[TYPE_MAX];

	type_of(in->conf, line, type);
	return type[0] != '\0' && strcmp(type, s->type) != 0;
}

static int
secops_prepare(struct intake *in, struct intake_request *r, struct err *err)
{
	const struct secops_conf *conf = in->conf;
	struct secops *s = in->state;
	char *path = xasprintf("/%s/%s/logTypes/%s/logs:import",
	    versions[conf->version], s->instance, s->type);

	intake_url(r, path, NULL);
	free(path);
	return login_sign(s->login, in, r, err);
}

/*
 * Answers: google.rpc.Status.
 */

static const struct explained meanings[] = {
	{ 400, "log type", VERDICT_BLOCKED, LOG_TYPES },
	{ 400, "log_type", VERDICT_BLOCKED, LOG_TYPES },
	{ 400, "logType", VERDICT_BLOCKED, LOG_TYPES },
	{ 400, "forwarder", VERDICT_BLOCKED,
	    "check forwarder: it must be one of this instance" },
	{ 400, "instance", VERDICT_BLOCKED,
	    "check project, location and instance" },
	{ 401, NULL, VERDICT_BLOCKED,
	    "the access token is refused; check key and the clock" },
	{ 403, "disabled", VERDICT_BLOCKED,
	    "enable the Chronicle API in the project" },
	{ 403, NULL, VERDICT_BLOCKED,
	    "give the service account the permission chronicle.logs.import on "
	    "this project, as the role Chronicle API Editor has it" },
	{ 404, "log", VERDICT_BLOCKED, LOG_TYPES },
	{ 404, NULL, VERDICT_BLOCKED,
	    "check project, location, instance and forwarder, and that url is "
	    "the endpoint of that location" },
	{ 413, NULL, VERDICT_REFUSED, "lower max_body" },
	{ .status = 0 },
};

/* The receipt is an empty object. */
static bool
secops_judge(struct intake *in, const struct intake_response *r,
    struct intake_verdicts *v)
{
	struct secops *s = in->state;
	json_t *top;
	bool good;

	login_hear(s->login, r);
	if (r->status < 200 || r->status >= 300)
		return explain_judge(meanings, in, r, v);
	top = json_loadb(r->body, r->len, 0, NULL);
	good = r->len == 0 ||
	    (json_is_object(top) && json_object_get(top, "error") == NULL);
	json_decref(top);
	if (!good)
		intake_verdict(v, r->lines, VERDICT_BLOCKED,
		    "%s: answers %d with what is not an empty object, so "
		    "nothing counts as delivered; check url and what is on "
		    "the way",
		    in->shown, r->status);
	return !good;
}

/* A request without logs: Google looks at everything else first. */
static int
secops_probe(struct intake *in, unsigned step, struct intake_request *r,
    struct err *err)
{
	struct secops *s = in->state;
	const struct secops_conf *conf = in->conf;
	const char *type = configured(conf->types, "office365", 9);

	if (step > 0)
		return 1;
	(void)snprintf(s->type, TYPE_MAX, "%s",
	    type != NULL ? type : "OFFICE_365");
	if (buf_addf(&r->body, "{\"inlineSource\":{\"logs\":[%s", s->tail) != 0)
		return err_set(err, "request: too large");
	return secops_prepare(in, r, err);
}

static int
secops_probed(struct intake *in, unsigned step, const struct intake_response *r,
    struct buf *message, struct err *err)
{
	(void)step;
	return explain_probe(meanings, in, r,
	    "a token was issued, and the instance takes the service account's "
	    "requests; delivery is acknowledged",
	    message, err);
}

/*
 * Options.
 */

static void
check_part(const char *key, const char *s, const char *others,
    const struct config_section *b)
{
	if (s != NULL && !http_is_part(s, others))
		config_error(b,
		    "%s: \"%.60s\" has a character that Google has in no such "
		    "name",
		    key, s);
}

static void
secops_check(const void *conf, const struct config_section *b)
{
	const struct secops_conf *c = conf;

	http_output_check(conf, b);
	google_check(&c->google, b);
	check_part("project", c->project, "-.:", b);
	check_part("location", c->location, "-", b);
	check_part("instance", c->instance, "-", b);
	check_part("forwarder", c->forwarder, "-_/.:", b);
	check_part("own_log_type", c->own_type, "_", b);
	for (char **t = c->types; t != NULL && *t != NULL; t++) {
		const char *type = strchr(*t, '=');

		if (type == NULL || type == *t || type[1] == '\0' ||
		    strlen(type) >= TYPE_MAX || !http_is_part(type + 1, "_"))
			config_error(b,
			    "log_types: \"%.60s\" is not SOURCE=LOG_TYPE, as "
			    "okta=OKTA, or FEED=LOG_TYPE",
			    *t);
	}
}

static const struct http_dialect secops = {
	.content_type = "application/json",
	.open = secops_open,
	.close = secops_close,
	.prefix = "{\"inlineSource\":{\"logs\":[",
	.separator = ",",
	.apart = secops_apart,
	.render = secops_render,
	.prepare = secops_prepare,
	.judge = secops_judge,
	.probe = secops_probe,
	.probed = secops_probed,
};

#define OFFSET(member) offsetof(struct secops_conf, member)

static const struct setting settings[] = {
	HTTP_BASE_URL("Endpoint of the Chronicle API in the instance's "
		      "location,",
	    "/VERSION/projects/…/logs:import"),
	{ .key = "project",
	    .type = SETTING_STRING,
	    .offset = OFFSET(project),
	    .required = true,
	    .help = "Google Cloud project that the instance is bound to, its "
		    "ID or number.",
	    .ask = "Google Cloud project" },
	{ .key = "location",
	    .type = SETTING_STRING,
	    .offset = OFFSET(location),
	    .required = true,
	    .help = "Location of the instance, as eu, us or europe-west2.",
	    .ask = "Location of the instance (eu, us, europe-west2 …)" },
	{ .key = "instance",
	    .type = SETTING_STRING,
	    .offset = OFFSET(instance),
	    .required = true,
	    .help = "Instance, which is the customer ID, a GUID.",
	    .ask = "Customer ID (GUID)" },
	{ .key = "forwarder",
	    .type = SETTING_STRING,
	    .offset = OFFSET(forwarder),
	    .required = true,
	    .help = "ID of the forwarder that logs are said to come from, a "
		    "GUID.",
	    .ask = "ID of a forwarder (GUID)" },
	{ .key = "login",
	    .type = SETTING_TABLE,
	    .offset = OFFSET(google),
	    .table = google_settings },
	{ .key = "log_types",
	    .type = SETTING_LIST,
	    .offset = OFFSET(types),
	    .help = "Log types of sources or feeds, as okta=OKTA. Default: "
		    "those of Google's own parsers." },
	{ .key = "own_log_type",
	    .type = SETTING_STRING,
	    .offset = OFFSET(own_type),
	    .help = "Log type of checkpoints and of the agent's own feed. "
		    "Without it they are left out." },
	{ .key = "namespace",
	    .type = SETTING_STRING,
	    .offset = OFFSET(space),
	    .help = "Environment namespace of the logs." },
	{ .key = "api_version",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(version),
	    .def = "v1",
	    .choices = versions,
	    .help = "Version of the Chronicle API." },
	HTTP_HEADERS, HTTP_MAX_BODY("1MB", CALL_MAX),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

const struct output_type output_google_secops = {
	.type.name = "google-secops",
	.type.title = "Google SecOps",
	.type.before =
	    "In Google Cloud: the Chronicle API enabled, and a service account "
	    "that has\n"
	    "chronicle.logs.import, with its JSON key. In SecOps: a forwarder "
	    "(Settings,\n"
	    "Forwarders); Settings, Profile shows customer ID and region.\n",
	.type.settings = settings,
	.type.conf_size = sizeof(struct secops_conf),
	.type.check = secops_check,
	.dialect = &secops,
	HTTP_TRANSPORT,
};
