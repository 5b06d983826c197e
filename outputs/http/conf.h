/*
 * conf.h - what every output over HTTP is told by the configuration.
 */
#ifndef OUTPUTS_HTTP_CONF_H
#define OUTPUTS_HTTP_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/setting.h"
#include "http/access.h"

/* The conf of a dialect begins with it. */
struct http_output_conf {
	char *url;
	char *bearer; /* secret texts; at most one of them */
	char *basic;
	char *token; /* of a dialect that has a header of its own for it */
	struct setting_pair *headers;
	bool compress;
	int64_t parallel;
	int64_t max_body; /* bytes of a request, before compression */
	char *expect;     /* regular expression for answers, or NULL */
	struct http_conf common;
};

/* Where to: url, and login, which is bearer, basic, headers.  How: compress,
 * parallel, and the options of every connection.  A dialect takes both into its
 * table as SETTING_TABLE at offset 0, with its own between them; it leaves one
 * out that makes no sense there and writes the rows that it needs itself. */
extern const struct setting http_target_settings[];
extern const struct setting http_login_settings[];
extern const struct setting http_request_settings[];

/* Further rows of a dialect. */
#define HTTP_URL(text)                                                      \
	{                                                                   \
		.key = "url", .type = SETTING_STRING,                       \
		.offset = offsetof(struct http_output_conf, url),           \
		.required = true,                                           \
		.help =                                                     \
		    text " https://…; plain http:// is allowed "          \
			 "to loopback only. Messages leave out its query, " \
			 "and not its path."                                \
	}
/* Of a dialect that appends its endpoint: intake_url(). */
#define HTTP_ENDPOINT(endpoint) \
	" " endpoint " is added to its path, unless that ends so."
#define HTTP_BASE_URL(text, endpoint)                                    \
	{                                                                \
		.key = "url", .type = SETTING_STRING,                    \
		.offset = offsetof(struct http_output_conf, url),        \
		.required = true,                                        \
		.help = text " https://…; plain http:// is allowed "   \
			     "to loopback only." HTTP_ENDPOINT(endpoint) \
	}
#define HTTP_TOKEN(text)                                            \
	{                                                           \
		.key = "token", .type = SETTING_SECRET,             \
		.offset = offsetof(struct http_output_conf, token), \
		.required = true, .help = text                      \
	}
#define HTTP_HEADERS                                                    \
	{                                                               \
		.key = "headers", .type = SETTING_SECRETS,              \
		.offset = offsetof(struct http_output_conf, headers),   \
		.help = "Additional headers, a map of names to values." \
	}
#define HTTP_MAX_BODY(size, largest)                                         \
	{                                                                    \
		.key = "max_body", .type = SETTING_SIZE,                     \
		.offset = offsetof(struct http_output_conf, max_body),       \
		.def = size, .min = 1024, .max = (largest),                  \
		.help = "Largest request body before compression; a single " \
			"longer line is sent alone."                         \
	}
#define HTTP_EXPECT                                                          \
	{                                                                    \
		.key = "expect", .type = SETTING_STRING,                     \
		.offset = offsetof(struct http_output_conf, expect),         \
		.help = "Regular expression (extended, regex(7)) for the "   \
			"body of each answer that counts as a receipt, "     \
			"without the white space around it; it is searched " \
			"for, so ^ and $ bind it to the ends. Without it "   \
			"nothing, JSON and text count, web pages do not."    \
	}

/* Has s only ASCII letters, digits and others?  For what goes into a path as
 * it is. */
bool http_is_part(const char *s, const char *others);

/* The pure checks of these options; see config_type.check. */
struct config_section;
void http_output_check(const void *conf, const struct config_section *b);

#endif /* OUTPUTS_HTTP_CONF_H */
