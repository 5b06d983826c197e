/*
 * entra.h - what an output needs for tokens of Microsoft Entra.
 */
#ifndef OUTPUTS_HTTP_ENTRA_H
#define OUTPUTS_HTTP_ENTRA_H

#include <stdbool.h>

#include "config/setting.h"
#include "http/rules.h"

struct config_section;
struct http_access;
struct login;

enum entra_cloud {
	ENTRA_COMMERCIAL,
	ENTRA_GCC,
	ENTRA_GCC_HIGH,
	ENTRA_DOD,
	ENTRA_CHINA,
	ENTRA_CLOUDS
};

struct entra_conf {
	int cloud;       /* enum entra_cloud */
	char *login_url; /* NULL: the cloud's */
	char *tenant;
	char *client_id;
	char *client_secret; /* secret texts; or both of the others */
	char *certificate;
	char *private_key;
};

/* Its options, for SETTING_TABLE. */
extern const struct setting entra_settings[];

/* Pure cross-check, for an output that needs a token. */
void entra_check(const struct entra_conf *c, const struct config_section *b);

/* Tokens for one scope; access is borrowed, rules are those of oauth_conf and
 * lead to oauth_rules. */
struct login *entra_login(const struct entra_conf *c, const char *scope,
    const struct rule *rules, struct http_access *access);

#endif /* OUTPUTS_HTTP_ENTRA_H */
