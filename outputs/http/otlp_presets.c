/*
 * otlp_presets.c - services whose intake is OTLP/HTTP.
 *
 * docs.newrelic.com, "New Relic OTLP endpoint": license key in api-key, 1 MB a
 * request.  axiom.co/docs, "Send OpenTelemetry data to Axiom": token, and the
 * data set in a header.
 */
#include <stddef.h>

#include "outputs/http/otlp.h"
#include "outputs/http/transport.h"
#include "outputs/output.h"

#define OFFSET(member) offsetof(struct otlp_conf, member)

#define URL(default_url, text)                                                 \
	{                                                                      \
		.key = "url", .type = SETTING_STRING,                          \
		.offset = OFFSET(http.url), .def = (default_url), .help = text \
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
    "In Axiom: a data set of the kind Events, and an API token that may "
    "ingest\n"
    "into it and do nothing else.\n",
    axiom_settings);
const struct output_type output_new_relic = OTLP_TYPE("new-relic", "New Relic",
    "In New Relic: an API key of the type Ingest - License.\n",
    new_relic_settings);
