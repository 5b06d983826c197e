/*
 * conf.c - options of the Microsoft 365 source.
 */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/err.h"
#include "config/doubt.h"
#include "config/event_shape.h"
#include "config/setting.h"
#include "sources/office365/office365.h"

static const char *const cloud_names[] = {
	[CLOUD_COMMERCIAL] = "commercial",
	[CLOUD_GCC] = "gcc",
	[CLOUD_GCC_HIGH] = "gcc-high",
	[CLOUD_DOD] = "dod",
	[CLOUD_CHINA] = "china",
	[CLOUDS] = NULL,
};

/* Hosts of the national clouds: the API reference and Microsoft Entra
 * "National clouds". */
static const struct {
	const char *login;
	const char *api;
	const char *graph; /* with audit log queries; "": they have none */
} clouds[] = {
	[CLOUD_COMMERCIAL] = { "https://login.microsoftonline.com",
	    "https://manage.office.com", "https://graph.microsoft.com" },
	[CLOUD_GCC] = { "https://login.microsoftonline.com",
	    "https://manage-gcc.office.com", "https://graph.microsoft.com" },
	[CLOUD_GCC_HIGH] = { "https://login.microsoftonline.us",
	    "https://manage.office365.us", "" },
	[CLOUD_DOD] = { "https://login.microsoftonline.us",
	    "https://manage.protection.apps.mil", "" },
	[CLOUD_CHINA] = { "https://login.partner.microsoftonline.cn",
	    "https://manage.office365.cn", "" },
};
_Static_assert(sizeof(clouds) / sizeof(clouds[0]) == CLOUDS, "clouds");

static const char *const content_types[] = {
	"Audit.AzureActiveDirectory",
	"Audit.Exchange",
	"Audit.SharePoint",
	"Audit.General",
	"DLP.All",
	NULL,
};

static const char *const graph_versions[] = { "v1.0", "beta", NULL };

#define FIELD(name) offsetof(struct office365_conf, name)

const struct setting office365_settings[] = {
	{ .key = "cloud",
	    .type = SETTING_CHOICE,
	    .offset = FIELD(cloud),
	    .def = "commercial",
	    .choices = cloud_names,
	    .help =
		"Microsoft cloud of the tenant; sets login_url and api_url." },
	{ .key = "login_url",
	    .type = SETTING_STRING,
	    .offset = FIELD(login_url),
	    .help = "Token endpoint instead of the cloud's: "
		    "{login_url}/{tenant}/oauth2/v2.0/token." },
	{ .key = "api_url",
	    .type = SETTING_STRING,
	    .offset = FIELD(api_url),
	    .help = "Management Activity API instead of the cloud's: "
		    "{api_url}/api/v1.0/{tenant}/activity/feed." },
	{ .key = "tenant",
	    .type = SETTING_STRING,
	    .offset = FIELD(tenant),
	    .required = true,
	    .help = "Directory (tenant) ID, a GUID.",
	    .ask = "Directory (tenant) ID" },
	{ .key = "client_id",
	    .type = SETTING_STRING,
	    .offset = FIELD(client_id),
	    .required = true,
	    .help = "Application (client) ID of the app registration, which "
		    "needs the application permissions ActivityFeed.Read and, "
		    "for DLP.All, ActivityFeed.ReadDlp.",
	    .ask = "Application (client) ID" },
	{ .key = "client_secret",
	    .type = SETTING_SECRET,
	    .offset = FIELD(client_secret),
	    .help = "Client secret of the app registration.",
	    .ask = "Client secret (Enter if you use a certificate)" },
	{ .key = "certificate",
	    .type = SETTING_SECRET,
	    .offset = FIELD(certificate),
	    .help = "Certificate of the app registration, instead of a "
		    "secret; a file or PEM text.",
	    .ask = "File of the certificate (PEM)",
	    .unless = "client_secret" },
	{ .key = "private_key",
	    .type = SETTING_SECRET,
	    .offset = FIELD(private_key),
	    .help = "RSA private key of the certificate, a file or PEM "
		    "text.",
	    .ask = "File of its private key (PEM)",
	    .unless = "client_secret" },
	{ .key = "content",
	    .type = SETTING_LIST,
	    .offset = FIELD(content),
	    .def = "[Audit.AzureActiveDirectory, Audit.Exchange, "
		   "Audit.SharePoint, Audit.General, DLP.All]",
	    .choices = content_types,
	    .help = "Content types to collect; each is a feed." },
	{ .key = "publisher",
	    .type = SETTING_STRING,
	    .offset = FIELD(publisher),
	    .help = "PublisherIdentifier, the GUID whose request budget is "
		    "used. Default: the tenant." },
	{ .key = "parallel",
	    .type = SETTING_INTEGER,
	    .offset = FIELD(parallel),
	    .def = "8",
	    .min = 1,
	    .max = 64,
	    .help = "Number of content blobs downloaded at the same time." },
	{ .key = "initial",
	    .type = SETTING_DURATION,
	    .offset = FIELD(initial),
	    .def = "24h",
	    .min = 0,
	    .max = INT64_C(604800000000),
	    .help = "How far back a new feed begins; Microsoft keeps 7d." },
	{ .key = "interval",
	    .type = SETTING_DURATION,
	    .offset = FIELD(interval),
	    .def = "15s",
	    .min = INT64_C(50000),
	    .max = INT64_C(3600000000),
	    .help = "Time between two listings of a feed; shorter while "
		    "there is a backlog." },
	{ .key = "overlap",
	    .type = SETTING_DURATION,
	    .offset = FIELD(overlap),
	    .def = "30m",
	    .min = 0,
	    .max = INT64_C(82800000000),
	    .help = "Overlap of consecutive listings, for blobs that appear "
		    "late." },
	{ .key = "dedupe",
	    .type = SETTING_DURATION,
	    .offset = FIELD(dedupe),
	    .def = "24h",
	    .min = 0,
	    .max = INT64_C(2592000000000),
	    .help = "How long the Id of an event is remembered, with a hash of "
		    "its bytes, to drop repeats; 0 keeps all repeats. Other "
		    "bytes under the same Id are an event of their own, and a "
		    "version of the first; an Id that is empty or zero is "
		    "none, and such events are repeats where one blob has the "
		    "same bytes twice." },
	{ .key = "retry_after_max",
	    .type = SETTING_DURATION,
	    .offset = FIELD(retry_after_max),
	    .def = "5m",
	    .min = INT64_C(1000000),
	    .max = INT64_C(86400000000),
	    .help = "Longest wait that Microsoft gets when it throttles and "
		    "asks for more; then one request shows whether all may go "
		    "on." },
	{ .key = "graph_url",
	    .type = SETTING_STRING,
	    .offset = FIELD(graph_url),
	    .help = "Microsoft Graph instead of the cloud's, for reconcile: "
		    "{graph_url}/v1.0/security/auditLog/queries." },
	{ .key = "reconcile.every",
	    .type = SETTING_DURATION,
	    .offset = FIELD(reconcile.every),
	    .def = "0s",
	    .min = 0,
	    .max = CLOCK_DAY,
	    .help =
		"How often it is looked which spans of time are over, and "
		"Microsoft's audit log is asked for them: what the feeds "
		"never delivered is forwarded, with \"via\":\"audit-query\" "
		"beside it, counted and listed (sealfeed reconcile). 0: "
		"never. The app registration needs the application "
		"permission AuditLogsQuery.Read.All of Microsoft Graph." },
	{ .key = "reconcile.settle",
	    .type = SETTING_DURATION,
	    .offset = FIELD(reconcile.settle),
	    .def = "6h",
	    .min = 0,
	    .max = 7 * CLOCK_DAY,
	    .help = "How long a span has been over when it is asked for. Both "
		    "the feeds and the audit log have events late." },
	{ .key = "reconcile.span",
	    .type = SETTING_DURATION,
	    .offset = FIELD(reconcile.span),
	    .def = "1h",
	    .min = CLOCK_SECOND,
	    .max = CLOCK_DAY,
	    .help = "Time that one query asks for; halved where that has more "
		    "records than Microsoft gives." },
	{ .key = "reconcile.patience",
	    .type = SETTING_DURATION,
	    .offset = FIELD(reconcile.patience),
	    .def = "24h",
	    .min = CLOCK_SECOND,
	    .max = 7 * CLOCK_DAY,
	    .help = "How long a query may take before it is asked anew." },
	{ .key = "reconcile.queries",
	    .type = SETTING_INTEGER,
	    .offset = FIELD(reconcile.queries),
	    .def = "100",
	    .min = 1,
	    .max = 10000,
	    .help = "Queries in 24 hours, at most. Microsoft gives a tenant at "
		    "least 200 for all of its applications." },
	{ .key = "reconcile.version",
	    .type = SETTING_CHOICE,
	    .offset = FIELD(reconcile.version),
	    .def = "v1.0",
	    .choices = graph_versions,
	    .help = "Version of Microsoft Graph whose queries are used." },
	{ .key = "http",
	    .type = SETTING_TABLE,
	    .offset = FIELD(http),
	    .table = http_settings },
	SETTING_END,
};

/* An option that goes into URLs as it is: a GUID, or a domain name. */
static void
check_name(const char *key, const char *value, const struct config_section *b)
{
	static const char taken[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_";

	if (value == NULL ||
	    (*value != '\0' && strspn(value, taken) == strlen(value)))
		return;
	config_error(b,
	    "%s: \"%s\" is not an ID like "
	    "0873ee4d-d342-44f2-8961-74c442a2fad2; copy it from the app "
	    "registration",
	    key, value);
}

/* Well-formed, and yet not what the API takes. */
static void
doubt_ids(const struct office365_conf *c, const struct config_section *b)
{
	const struct {
		const char *key;
		const char *value;
	} ids[] = { { "tenant", c->tenant }, { "client_id", c->client_id },
		{ "publisher", c->publisher } };

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		const char *why =
		    ids[i].value != NULL ? doubt_guid(ids[i].value) : NULL;

		if (why != NULL)
			config_warning(b, "%s: \"%s\" %s", ids[i].key,
			    ids[i].value, why);
		for (size_t k = 0; k < i && ids[i].value != NULL; k++)
			/* The tenant is the publisher by default. */
			if (ids[k].value != NULL && (i != 2 || k != 0) &&
			    strcasecmp(ids[i].value, ids[k].value) == 0)
				config_warning(b,
				    "%s: is the same as %s, but they are two "
				    "IDs; copy both from the app registration",
				    ids[i].key, ids[k].key);
	}
}

/* The cloud that has this URL's origin at host, CLOUDS: none. */
static enum office365_cloud
cloud_of(const char *url, bool login)
{
	for (int i = 0; i < CLOUDS; i++)
		if (http_same_origin(url,
			login ? clouds[i].login : clouds[i].api))
			return (enum office365_cloud)i;
	return CLOUDS;
}

/* A URL instead of the cloud's: of another cloud, or with more than an
 * origin, which paths are put behind. */
static void
doubt_url(const struct office365_conf *c, const char *key, const char *url,
    bool login, const struct config_section *b)
{
	const char *own = login ? clouds[c->cloud].login : clouds[c->cloud].api;
	const char *path = url != NULL ? strstr(url, "://") : NULL;
	enum office365_cloud cloud;

	if (path == NULL)
		return;
	path += 3 + strcspn(path + 3, "/?");
	if (*path != '\0' && path[strspn(path, "/")] != '\0')
		config_warning(b,
		    "%s: \"%.*s\" has a path, and the API's own is put behind "
		    "it; leave out what follows the host",
		    key, (int)strcspn(url, "?"), url);
	cloud = cloud_of(url, login);
	if (cloud == CLOUDS)
		cloud = cloud_of(url, !login);
	if (cloud != CLOUDS && !http_same_origin(url, own))
		config_warning(b,
		    "%s: \"%s\" is not of cloud %s, but %s of cloud %s; set "
		    "cloud alone, or both alike",
		    key, url, cloud_names[c->cloud],
		    cloud_of(url, login) != CLOUDS ? "the one"
			: login                    ? "the API"
						   : "the login",
		    cloud_names[cloud]);
}

static void
check_content(char **content, const struct config_section *b)
{
	for (size_t n = 0; content != NULL && content[n] != NULL; n++)
		for (size_t i = 0; i < n; i++)
			if (strcmp(content[n], content[i]) == 0)
				config_error(b, "content: %s is listed twice",
				    content[n]);
}

static void
check_credentials(const struct office365_conf *c,
    const struct config_section *b)
{
	if (c->client_secret != NULL && c->certificate != NULL)
		config_error(b,
		    "client_secret: a certificate is set, too; keep one of the "
		    "two");
	if (c->client_secret == NULL && c->certificate == NULL &&
	    c->private_key == NULL)
		config_error(b,
		    "client_secret: missing; give a client_secret, or a "
		    "certificate and its private_key");
	if (c->certificate != NULL && c->private_key == NULL)
		config_error(b,
		    "private_key: missing; a certificate needs its private key "
		    "to sign");
	if (c->private_key != NULL && c->certificate == NULL)
		config_error(b,
		    "certificate: missing; private_key needs its certificate");
}

static void
check_reconcile(const struct office365_conf *c, const struct config_section *b)
{
	if (c->reconcile.every == 0)
		return;
	if (c->dedupe == 0)
		config_error(b,
		    "reconcile: needs the ids of events; set dedupe, or leave "
		    "out reconcile");
	if (*office365_graph(c) == '\0')
		config_error(b,
		    "reconcile: Microsoft has audit log queries in its global "
		    "cloud only, and not in %s; leave out reconcile",
		    cloud_names[c->cloud]);
}

void
office365_check(const void *conf, const struct config_section *b)
{
	const struct office365_conf *c = conf;

	check_name("tenant", c->tenant, b);
	check_name("client_id", c->client_id, b);
	check_name("publisher", c->publisher, b);
	check_credentials(c, b);
	check_content(c->content, b);
	http_url_check_setting("login_url", c->login_url, b);
	http_url_check_setting("api_url", c->api_url, b);
	http_url_check_setting("graph_url", c->graph_url, b);
	check_reconcile(c, b);
	http_conf_check(&c->http, b);
	doubt_ids(c, b);
	doubt_url(c, "login_url", c->login_url, true, b);
	doubt_url(c, "api_url", c->api_url, false, b);
}

const char *
office365_login(const struct office365_conf *c)
{
	return c->login_url != NULL ? c->login_url : clouds[c->cloud].login;
}

const char *
office365_cloud(const struct office365_conf *c)
{
	return cloud_names[c->cloud];
}

const char *
office365_graph(const struct office365_conf *c)
{
	return c->graph_url != NULL ? c->graph_url : clouds[c->cloud].graph;
}

const char *
office365_graph_version(const struct office365_conf *c)
{
	return graph_versions[c->reconcile.version];
}

const char *
office365_api(const struct office365_conf *c)
{
	return c->api_url != NULL ? c->api_url : clouds[c->cloud].api;
}

const char *
office365_own_api(const struct office365_conf *c)
{
	return clouds[c->cloud].api;
}

const char *
office365_resource(const struct office365_conf *c)
{
	const bool cloud =
	    c->login_url == NULL || cloud_of(c->login_url, true) != CLOUDS;

	return cloud && c->api_url != NULL &&
		cloud_of(c->api_url, false) == CLOUDS
	    ? clouds[c->cloud].api
	    : office365_api(c);
}

/* One record schema for all content types: Splunk's add-on (4055) and Elastic's
 * integration o365 read them alike. */
const struct event_shape *
office365_shape(const void *conf, const char *stream)
{
	static const struct event_shape shape = { .id = "/Id",
		.sourcetype = "o365:management:activity",
		.dataset = "o365.audit",
		.record = "o365audit" };

	(void)conf;
	(void)stream;
	return &shape;
}
