/*
 * google.h - what an output needs for tokens of a Google service account.
 */
#ifndef OUTPUTS_HTTP_GOOGLE_H
#define OUTPUTS_HTTP_GOOGLE_H

#include "config/setting.h"

struct config_section;
struct http_access;
struct login;

struct google_conf {
	char *key; /* secret text: the JSON key of the account, or its file */
	char *token_url;
};

/* Its options, for SETTING_TABLE. */
extern const struct setting google_settings[];

/* Pure cross-check, for an output that needs a token. */
void google_check(const struct google_conf *c, const struct config_section *b);

/* Tokens for one scope; access is borrowed. */
struct login *google_login(const struct google_conf *c, const char *scope,
    struct http_access *access);

#endif /* OUTPUTS_HTTP_GOOGLE_H */
