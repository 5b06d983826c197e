/*
 * conf.h - what the HTTP output is told by the configuration.
 */
#ifndef OUTPUTS_HTTP_CONF_H
#define OUTPUTS_HTTP_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "config/setting.h"
#include "http/client.h"

enum http_envelope { HTTP_ENVELOPE_SEAL, HTTP_ENVELOPE_NONE };

struct http_output_conf {
	char *url;
	char *bearer;
	char *basic;
	struct setting_pair *headers;
	int envelope;
	bool compress;
	int64_t parallel;
	int64_t max_body; /* bytes of lines, before compression */
	struct http_conf common;
};

struct err;

extern const struct setting http_output_settings[];

/* The pure checks of these options; see output_type.check. */
struct config_section;
void http_output_check(const void *conf, const struct config_section *b);

#endif /* OUTPUTS_HTTP_CONF_H */
