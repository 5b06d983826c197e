/*
 * conf.c - the options of outputs over HTTP and their checks.
 */
#include <string.h>

#include "base/err.h"
#include "outputs/http/conf.h"
#include "outputs/http/receipt.h"

#define OFFSET(member) offsetof(struct http_output_conf, member)

const struct setting http_login_settings[] = {
	{ .key = "bearer",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(bearer),
	    .help = "Token for Authorization: Bearer.",
	    .ask = "Token for Authorization: Bearer (Enter: none)",
	    .unless = "api_key basic" },
	{ .key = "basic",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(basic),
	    .help = "user:password for Authorization: Basic." },
	HTTP_HEADERS, SETTING_END
};

const struct setting http_target_settings[] = {
	HTTP_URL("URL that lines are posted to, as it is;"),
	{ .key = "login", .type = SETTING_TABLE, .table = http_login_settings },
	SETTING_END
};

const struct setting http_request_settings[] = {
	{ .key = "compress",
	    .type = SETTING_BOOL,
	    .offset = OFFSET(compress),
	    .def = "true",
	    .help = "Send with Content-Encoding: gzip." },
	{ .key = "parallel",
	    .type = SETTING_INTEGER,
	    .offset = OFFSET(parallel),
	    .def = "4",
	    .min = 1,
	    .max = 32,
	    .help = "Number of requests in flight." },
	{ .key = "http",
	    .type = SETTING_TABLE,
	    .offset = OFFSET(common),
	    .table = http_settings },
	SETTING_END
};

bool
http_is_part(const char *s, const char *others)
{
	for (; *s != '\0'; s++)
		if (!((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
			(*s >= 'A' && *s <= 'Z') || strchr(others, *s) != NULL))
			return false;
	return true;
}

/* RFC 9110 section 5.6.2, token. */
static bool
is_token(const char *s)
{
	return *s != '\0' && http_is_part(s, "!#$%&'*+-.^_`|~");
}

/* Headers that this output decides itself. */
static const char *const own_headers[] = { "content-encoding", "content-length",
	"content-type", "host", "transfer-encoding", NULL };

static void
check_header(const struct http_output_conf *conf, const char *name,
    const struct config_section *b)
{
	if (!is_token(name))
		config_error(b, "headers: \"%s\" is not a header name", name);
	for (size_t i = 0; own_headers[i] != NULL; i++)
		if (strcasecmp(name, own_headers[i]) == 0)
			config_error(b,
			    "headers: %s is set by this output; leave it out",
			    name);
	if (strcasecmp(name, "authorization") == 0 &&
	    (conf->bearer != NULL || conf->basic != NULL))
		config_error(b,
		    "headers: Authorization is given twice; leave out bearer "
		    "and basic, or this header");
}

static void
check_expect(const char *expect, const struct config_section *b)
{
	struct err err = ERR_INIT;
	struct receipt r;

	if (receipt_init(&r, expect, true, &err) != 0)
		config_error(b, "%s", err.text);
	else
		receipt_release(&r);
}

void
http_output_check(const void *c, const struct config_section *b)
{
	const struct http_output_conf *conf = c;
	const struct setting_pair *h = conf->headers;

	if (conf->bearer != NULL && conf->basic != NULL)
		config_error(b,
		    "basic: bearer is set, too; remove one of the two");
	http_url_check_setting("url", conf->url, b);
	http_conf_check(&conf->common, b);
	check_expect(conf->expect, b);
	for (; h != NULL && h->name != NULL; h++)
		check_header(conf, h->name, b);
}
