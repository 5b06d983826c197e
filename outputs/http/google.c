/*
 * google.c - tokens of a Google service account:
 * developers.google.com/identity/ protocols/oauth2/service-account. The
 * account's key signs a claim, which the server for tokens takes for one (RFC
 * 7523).
 */
#include "outputs/http/google.h"

#include <stddef.h>

#include "base/clock.h"
#include "config/errors.h"
#include "http/access.h"
#include "http/auth_oauth2.h"
#include "outputs/http/login.h"

/* ship pauses, too: it must not wait for longer than that here. */
#define WAIT_MAX CLOCK_MINUTE

#define OFFSET(member) offsetof(struct google_conf, member)

const struct setting google_settings[] = {
	{ .key = "key",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(key),
	    .help = "Key of the service account: the JSON file that Google "
		    "made, or its text.",
	    .ask = "File of the service account's key (JSON)" },
	{ .key = "token_url",
	    .type = SETTING_STRING,
	    .offset = OFFSET(token_url),
	    .def = "https://oauth2.googleapis.com/token",
	    .help = "Where tokens are got." },
	SETTING_END
};

void
google_check(const struct google_conf *c, const struct config_section *b)
{
	if (c->key == NULL)
		config_error(b,
		    "key: is missing; make a JSON key for the service account "
		    "and name its file");
	http_url_check_setting("token_url", c->token_url, b);
}

struct login *
google_login(const struct google_conf *c, const char *scope,
    struct http_access *access)
{
	const struct http_pair claims[] = { { "scope", scope },
		{ NULL, NULL } };
	const struct oauth_conf oauth = {
		.token_url = c->token_url,
		.grant = GRANT_JWT_BEARER,
		.private_key = c->key,
		.claims = claims,
		.wait_max = WAIT_MAX,
	};

	return login_new(&oauth, access);
}
