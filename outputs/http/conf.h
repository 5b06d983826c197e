/*
 * conf.h - what every output over HTTP is told by the configuration.
 */
#ifndef OUTPUTS_HTTP_CONF_H
#define OUTPUTS_HTTP_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "config/setting.h"
#include "http/access.h"

/* The conf of a dialect begins with it. */
struct http_output_conf {
	char *url;
	char *bearer; /* secret text, like basic; at most one of them */
	char *basic;
	struct setting_pair *headers;
	bool compress;
	int64_t parallel;
	int64_t max_body; /* bytes of a request, before compression */
	char *expect;     /* regular expression for answers, or NULL */
	struct http_conf common;
};

/* Where to: url, bearer, basic, headers.  How: compress, parallel, max_body,
 * expect, and the options of every connection.  A dialect takes both into its
 * table as SETTING_TABLE at offset 0, with its own between them; it leaves one
 * out that makes no sense there and writes the rows that it needs itself. */
extern const struct setting http_target_settings[];
extern const struct setting http_request_settings[];

/* The pure checks of these options; see config_type.check. */
struct config_section;
void http_output_check(const void *conf, const struct config_section *b);

#endif /* OUTPUTS_HTTP_CONF_H */
