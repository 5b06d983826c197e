/*
 * check_private.h - shared by the files of `sealfeed check`.
 */
#ifndef CMD_CHECK_PRIVATE_H
#define CMD_CHECK_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/err.h"
#include "config/config.h"

struct cmd_line;
struct service;
struct stand_in;

/* One run; everything is printed as it is found and kept for --json. */
struct check {
	const struct cmd_line *line;
	const struct stand_in *stand_in; /* NULL: --as was not given */
	const char *path;                /* of the configuration */
	struct config *config;           /* NULL: it has faults */
	struct config_errors errors;
	json_t *warnings;
	json_t *live;    /* NULL: not asked for */
	json_t *service; /* NULL: not asked for */
	const struct service *as;
	bool literal;     /* a secret stands in the configuration itself */
	size_t failed;    /* checks of files and peers that failed */
	struct err first; /* what the first of them said */
	size_t doubts;    /* warnings about the secrets of the present one */
};

/* Warn of what is allowed, and yet most likely not meant. */
void check_warn(struct check *c, const char *text);

/* A check of a file or a peer failed: "SUBJECT: TEXT". */
void check_fail(struct check *c, const char *subject, const char *text);

/* A setting that stands for a secret, a key or a certificate. */
struct check_secret {
	const char *subject; /* "sources.contoso" */
	const char *key;
	const char *text; /* as the configuration has it */
	bool plain;       /* goes to a server as it is */
	bool private;     /* not for everybody's eyes */
	bool pem;         /* may be the name of a file */
};

/* Call fn for those of one entry; of the whole configuration. */
typedef void check_secret_fn(void *ctx, const struct check_secret *s);
void check_each_secret(const char *subject, const struct setting *table,
    const void *conf, check_secret_fn *fn, void *ctx);
void check_all_secrets(const struct config *config, check_secret_fn *fn,
    void *ctx);

/* check_secret_fn on a struct check: warn of who else may read or replace the
 * files of a secret; of what a server would get. */
void check_modes(void *ctx, const struct check_secret *s);
void check_text(void *ctx, const struct check_secret *s);

/* Warn of the files that the unit's credentials come from. */
void check_credential_modes(struct check *c);

/* As the service: what it can read and what it may change. */
void check_service(struct check *c);

#endif /* CMD_CHECK_PRIVATE_H */
