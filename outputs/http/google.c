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

#define CHECK_KEY                                                            \
	"check key: it must be the whole JSON file of a key of the service " \
	"account that is neither deleted nor disabled"

/* In terms of the two options. */
static const struct rule rules[] = {
	{ .code = "invalid_grant",
	    .text = "iat",
	    .class = REPLY_CLOCK,
	    .cause = "the signed claim is outside its time",
	    .hint = "set this machine's clock; the next one uses the "
		    "server's" },
	{ .code = "invalid_grant",
	    .class = REPLY_CREDENTIALS,
	    .cause = "the key or the service account is refused",
	    .hint = CHECK_KEY },
	{ .code = "invalid_client",
	    .class = REPLY_CREDENTIALS,
	    .cause = "the service account is refused",
	    .hint = CHECK_KEY },
	{ .code = "unauthorized_client",
	    .class = REPLY_CONFIG,
	    .cause = "the service account may not ask for this token",
	    .hint = CHECK_KEY },
	{ .code = "invalid_scope",
	    .class = REPLY_CONFIG,
	    .cause = "the scope is refused",
	    .hint = "check token_url, which must be Google's" },
	{ .status = 400,
	    .class = REPLY_CONFIG,
	    .cause = "the token request is refused",
	    .hint = "check key and token_url" },
	{ .status = 401,
	    .class = REPLY_CREDENTIALS,
	    .cause = "the service account is refused",
	    .hint = CHECK_KEY },
	{ .status = 404,
	    .class = REPLY_CONFIG,
	    .cause = "there is no token endpoint",
	    .hint = "check token_url" },
	{ .next = oauth_rules },
};

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
		.rules = rules,
		.wait_max = WAIT_MAX,
	};

	return login_new(&oauth, access);
}
