/*
 * entra.c - tokens of Microsoft Entra for outputs: learn.microsoft.com/entra/
 * identity-platform/v2-oauth2-client-creds-grant-flow and authentication-
 * national-cloud.
 */
#include "outputs/http/entra.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/errors.h"
#include "http/access.h"
#include "http/auth_oauth2.h"
#include "outputs/http/conf.h"
#include "outputs/http/login.h"

/* ship pauses, too: it must not wait for longer than that here. */
#define WAIT_MAX CLOCK_MINUTE

static const char *const cloud_names[] = {
	[ENTRA_COMMERCIAL] = "commercial",
	[ENTRA_GCC] = "gcc",
	[ENTRA_GCC_HIGH] = "gcc-high",
	[ENTRA_DOD] = "dod",
	[ENTRA_CHINA] = "china",
	[ENTRA_CLOUDS] = NULL,
};

static const char *const login_urls[] = {
	[ENTRA_COMMERCIAL] = "https://login.microsoftonline.com",
	[ENTRA_GCC] = "https://login.microsoftonline.com",
	[ENTRA_GCC_HIGH] = "https://login.microsoftonline.us",
	[ENTRA_DOD] = "https://login.microsoftonline.us",
	[ENTRA_CHINA] = "https://login.partner.microsoftonline.cn",
};

#define OFFSET(member) offsetof(struct entra_conf, member)

const struct setting entra_settings[] = {
	{ .key = "tenant",
	    .type = SETTING_STRING,
	    .offset = OFFSET(tenant),
	    .help = "Directory (tenant) ID of the app registration.",
	    .ask = "Directory (tenant) ID" },
	{ .key = "client_id",
	    .type = SETTING_STRING,
	    .offset = OFFSET(client_id),
	    .help = "Application (client) ID of the app registration.",
	    .ask = "Application (client) ID" },
	{ .key = "client_secret",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(client_secret),
	    .help = "Client secret of the app registration.",
	    .ask = "Client secret (Enter if you use a certificate)" },
	{ .key = "certificate",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(certificate),
	    .help = "Certificate of the app registration, instead of a "
		    "secret; a file or PEM text.",
	    .ask = "File of the certificate (PEM)",
	    .unless = "client_secret" },
	{ .key = "private_key",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(private_key),
	    .help = "RSA private key of the certificate, a file or PEM text.",
	    .ask = "File of its private key (PEM)",
	    .unless = "client_secret" },
	{ .key = "cloud",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(cloud),
	    .def = "commercial",
	    .choices = cloud_names,
	    .help = "Microsoft cloud; sets login_url and what tokens are "
		    "for." },
	{ .key = "login_url",
	    .type = SETTING_STRING,
	    .offset = OFFSET(login_url),
	    .help = "Where tokens are got, instead of the cloud's: "
		    "{login_url}/{tenant}/oauth2/v2.0/token." },
	SETTING_END
};

/* Each of them goes into a URL or a form as it is. */
static void
check_name(const char *key, const char *value, const struct config_section *b)
{
	if (value == NULL)
		config_error(b,
		    "%s: is missing; the app registration's overview shows it",
		    key);
	else if (value[0] == '\0' || !http_is_part(value, ".-_"))
		config_error(b,
		    "%s: \"%.60s\" is not an ID; the app registration's "
		    "overview shows it",
		    key, value);
}

void
entra_check(const struct entra_conf *c, const struct config_section *b)
{
	check_name("tenant", c->tenant, b);
	check_name("client_id", c->client_id, b);
	if (c->client_secret != NULL && c->certificate != NULL)
		config_error(b,
		    "client_secret: a certificate is set, too; keep one of the "
		    "two");
	else if (c->certificate != NULL && c->private_key == NULL)
		config_error(b,
		    "private_key: is missing; a certificate needs its private "
		    "key to sign");
	else if (c->private_key != NULL && c->certificate == NULL)
		config_error(b,
		    "certificate: is missing; private_key needs its "
		    "certificate");
	else if (c->client_secret == NULL && c->certificate == NULL)
		config_error(b,
		    "client_secret: is missing; give a client_secret, or a "
		    "certificate and its private_key");
	http_url_check_setting("login_url", c->login_url, b);
}

struct login *
entra_login(const struct entra_conf *c, const char *scope,
    const struct rule *rules, struct http_access *access)
{
	const char *server =
	    c->login_url != NULL ? c->login_url : login_urls[c->cloud];
	size_t len = strlen(server);
	char *url;
	struct oauth_conf oauth = {
		.scope = scope,
		.client_id = c->client_id,
		.client_secret = c->client_secret,
		.certificate = c->certificate,
		.private_key = c->private_key,
		.rules = rules,
		.options = "tenant, client_id, client_secret or certificate, "
			   "cloud and login_url",
		.wait_max = WAIT_MAX,
	};
	struct login *l;

	while (len > 0 && server[len - 1] == '/')
		len--;
	url =
	    xasprintf("%.*s/%s/oauth2/v2.0/token", (int)len, server, c->tenant);
	oauth.token_url = url;
	l = login_new(&oauth, access);
	free(url);
	return l;
}
