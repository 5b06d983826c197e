/*
 * otlp_presets.c - services whose intake is OTLP/HTTP.
 *
 * docs.newrelic.com, "New Relic OTLP endpoint": license key in api-key; 10^6
 * bytes a request, more is refused; a receipt has no body, an error no message.
 * "Find data in long logs (blobs)": of a message 4,094 characters and 128,000
 * bytes are kept, the rest is dropped.  "Log event data": what is older than 48
 * hours may be dropped; "Timestamp formats in logs": a member "timestamp" of a
 * message that is JSON takes the place of the record's time.
 *
 * axiom.co/docs, "Send OpenTelemetry data to Axiom": token, and the data set in
 * a header; "Limits": 1 MB a field, of which more is replaced, 10,000 events a
 * batch, and none for the bytes of a request, so max_body is a choice.
 */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "outputs/http/explain.h"
#include "outputs/http/otlp.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"

#define OFFSET(member) offsetof(struct otlp_conf, member)

#define URL(default_url, text)                                    \
	{                                                         \
		.key = "url", .type = SETTING_STRING,             \
		.offset = OFFSET(http.url), .def = (default_url), \
		.help = text HTTP_ENDPOINT("/v1/logs")            \
	}

#define OTLP_TYPE(type_name, type_title, what, table)          \
	{                                                      \
		.type = { .name = (type_name),                 \
			.title = (type_title),                 \
			.before = (what),                      \
			.settings = (table),                   \
			.conf_size = sizeof(struct otlp_conf), \
			.check = http_output_check },          \
		.dialect = &otlp_dialect, HTTP_TRANSPORT       \
	}

static const struct explained axiom_meanings[] = {
	{ 401, NULL, VERDICT_BLOCKED,
	    "check token: it must be an API token of this organisation" },
	{ 403, NULL, VERDICT_BLOCKED,
	    "check token: it must be allowed to ingest into dataset" },
	{ 404, NULL, VERDICT_BLOCKED,
	    "there is no such data set; make it, or check dataset and url" },
	{ 400, "dataset", VERDICT_BLOCKED, "check dataset" },
	{ .status = 0 },
};

#define LICENSE_KEY                                                         \
	"check license_key: it must be an ingest key of type License, and " \
	"url "                                                              \
	"the endpoint of its region"

static const struct explained new_relic_meanings[] = {
	{ 401, NULL, VERDICT_BLOCKED, LICENSE_KEY },
	{ 403, NULL, VERDICT_BLOCKED, LICENSE_KEY },
	{ .status = 0 },
};

static const struct otlp_preset presets[] = {
	{ .type = "axiom",
	    .meanings = axiom_meanings,
	    .lines_max = 10000,
	    .record_max = 1000000 },
	{ .type = "new-relic",
	    .token_header = "api-key: ",
	    .meanings = new_relic_meanings,
	    .record_max = 128000,
	    /* With room for the way there. */
	    .past = 47 * CLOCK_HOUR,
	    .time = "/timestamp" },
};

const struct otlp_preset *
otlp_preset_of(const char *type)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
		if (strcmp(presets[i].type, type) == 0)
			return &presets[i];
	return NULL;
}

static const struct setting axiom_settings[] = {
	URL("https://api.axiom.co",
	    "Base of the API, or of the edge deployment of the data set."),
	HTTP_TOKEN("API token that may ingest into the data set."),
	{ .key = "dataset",
	    .type = SETTING_STRING,
	    .offset = OFFSET(dataset),
	    .required = true,
	    .help = "Data set, for X-Axiom-Dataset." },
	HTTP_HEADERS, OTLP_ENCODING, HTTP_MAX_BODY("1MB", 64 << 20),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

static const struct setting new_relic_settings[] = {
	URL("https://otlp.nr-data.net",
	    "OTLP endpoint; that of the EU is https://otlp.eu01.nr-data.net."),
	{ .key = "license_key",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(http.token),
	    .required = true,
	    .help = "License key of the account (ingest), for api-key." },
	HTTP_HEADERS, OTLP_ENCODING, HTTP_MAX_BODY("1MB", 1000000),
	{ .key = "how", .type = SETTING_TABLE, .table = http_request_settings },
	SETTING_END
};

const struct output_type output_axiom = OTLP_TYPE("axiom", "Axiom",
    "In Axiom: a data set of the kind for logs of OpenTelemetry, and an API "
    "token that\n"
    "may ingest into it and do nothing else.\n",
    axiom_settings);
const struct output_type output_new_relic = OTLP_TYPE("new-relic", "New Relic",
    "In New Relic: an API key of the type Ingest - License.\n",
    new_relic_settings);
