/*
 * http_conf.c - the options of the HTTP output and their checks.
 */
#include <string.h>

#include "err.h"
#include "outputs/http.h"

#define OFFSET(member) offsetof(struct http_output_conf, member)

static const char *const envelopes[] = { "seal", "none", NULL };

const struct setting http_output_settings[] = {
	{ .key = "url",
	    .type = SETTING_STRING,
	    .offset = OFFSET(url),
	    .required = true,
	    .help = "Where lines are posted, https://…; plain http:// only "
		    "to loopback." },
	{ .key = "bearer",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(bearer),
	    .help = "Token for Authorization: Bearer." },
	{ .key = "basic",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(basic),
	    .help = "user:password for Authorization: Basic." },
	{ .key = "headers",
	    .type = SETTING_SECRETS,
	    .offset = OFFSET(headers),
	    .help = "Further headers, name to value." },
	{ .key = "envelope",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(envelope),
	    .def = "seal",
	    .choices = envelopes,
	    .help = "seal: lines of feed, index and event, with checkpoints. "
		    "none: the events alone, which cannot be verified." },
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
	    .help = "Requests in flight." },
	{ .key = "max_body",
	    .type = SETTING_SIZE,
	    .offset = OFFSET(max_body),
	    .def = "1MiB",
	    .min = 1024,
	    .max = 64 << 20,
	    .help = "Lines in one request, in bytes before compression; a "
		    "single longer line is sent alone." },
	{ .key = "http",
	    .type = SETTING_TABLE,
	    .offset = OFFSET(common),
	    .table = http_settings },
	SETTING_END
};

/* RFC 9110 section 5.6.2, token. */
static bool
is_token(const char *s)
{
	static const char extra[] = "!#$%&'*+-.^_`|~";

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		bool alnum = (*s >= '0' && *s <= '9') ||
		    (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z');

		if (!alnum && strchr(extra, *s) == NULL)
			return false;
	}
	return true;
}

/* Headers that this output decides itself. */
static const char *const own_headers[] = { "content-encoding", "content-length",
	"content-type", "host", "transfer-encoding", NULL };

static int
check_headers(const struct http_output_conf *conf, struct err *err)
{
	const struct setting_pair *h = conf->headers;

	for (; h != NULL && h->name != NULL; h++) {
		if (!is_token(h->name))
			return err_set(err,
			    "headers: \"%s\" is not a header name", h->name);
		for (size_t i = 0; own_headers[i] != NULL; i++) {
			if (strcasecmp(h->name, own_headers[i]) == 0)
				return err_set(err,
				    "headers: %s is set by this output; leave "
				    "it out",
				    h->name);
		}
		if (strcasecmp(h->name, "authorization") == 0 &&
		    (conf->bearer != NULL || conf->basic != NULL))
			return err_set(err,
			    "headers: Authorization is given twice; leave out "
			    "bearer and basic, or this header");
	}
	return 0;
}

int
http_output_check(const void *c, struct err *err)
{
	const struct http_output_conf *conf = c;

	if (conf->bearer != NULL && conf->basic != NULL)
		return err_set(err,
		    "bearer, basic: both are given; leave one out");
	if (http_url_check("url", conf->url, err) != 0 ||
	    http_conf_check(&conf->common, err) != 0)
		return -1;
	return check_headers(conf, err);
}
