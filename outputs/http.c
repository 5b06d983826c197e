/*
 * http.c - NDJSON posted over HTTPS.
 */
#include "outputs/http.h"
#include "output.h"

const struct output_type output_http = {
	.name = "http",
	.settings = http_output_settings,
	.conf_size = sizeof(struct http_output_conf),
	.check = http_output_check,
};
