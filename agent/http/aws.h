/*
 * aws.h - who a source or output is at AWS: its options, and the keys that it
 * signs requests with (aws_sign.h).
 *
 * Keys come from the first of these that is there: the options, environment
 * variables, a web identity (a token in a file, as Kubernetes and CI have it),
 * the container's agent (ECS, EKS), the instance's metadata (EC2, version 2
 * only).  With them one role after another is assumed.  Temporary keys are got
 * anew some minutes before they end; all are kept in memory only.
 */
#ifndef HTTP_AWS_H
#define HTTP_AWS_H

#include <stdbool.h>

#include "config/setting.h"
#include "http/aws_sign.h"
#include "http/rules.h"

struct buf;
struct config_section;
struct http;
struct server_clock;

struct aws_conf {
	char *region; /* NULL: the environment's */
	char *key;    /* secret texts: "ID:SECRET" */
	char *token;
	char **roles;        /* ARNs, assumed one after another */
	char **external_ids; /* of roles in their order, or of the last one */
	char *session;       /* name of the session at AWS */
	char *identity_file; /* the web identity's token, … */
	char *identity_role; /* … and the role that it stands for */
	char *sts_url;       /* NULL: AWS's in the region */
	char *metadata_url;  /* NULL: the instance's own */
};

/* "aws.region", "aws.key" …: the rows for a struct aws_conf. */
extern const struct setting aws_settings[];

/* Pure cross-check of the options, for `check`; region: one is needed and may
 * not be in the environment alone. */
void aws_conf_check(const struct aws_conf *c, const struct config_section *b);

/* Of config_type: the variables that an identity is taken from. */
const char *aws_environment(const void *conf);

/* The region as it is configured, else of AWS_REGION or AWS_DEFAULT_REGION,
 * else "". */
const char *aws_region(const struct aws_conf *c);

/* Append "https://SERVICE.REGION.amazonaws.com", or what stands for it in the
 * partition of that region (China, and the isolated ones). */
int aws_endpoint(struct buf *out, const char *service, const char *region);

/* What the services of AWS answer where something is wrong. */
extern const struct rule aws_rules[];

/* Keys of one identity; threads may share it. */
struct aws;

/* conf is borrowed for the life of the result. */
struct aws *aws_new(const struct aws_conf *conf);
void aws_free(struct aws *a);

/*
 * Copy keys that are valid for some minutes more to key: the cached ones, or
 * others got with h.  One thread asks, the others wait for its answer; after a
 * failure nobody asks for a growing time.  REPLY_OK, or r says why not and how
 * long to wait.
 */
enum reply_class aws_keys(struct aws *a, struct http *h, struct aws_key *key,
    struct outcome *r);

/* AWS did not accept the key with this secret.  True: another one may be
 * had. */
bool aws_rejected(struct aws *a, const char *secret);
void aws_accepted(struct aws *a);

/* Who signs requests to a service; what it points to is borrowed. */
struct aws_signer {
	struct aws *keys;
	const char *region;
	const char *service;
	struct server_clock *clock; /* of the service */
};

/* Sign req with its headers; secret gets a copy of the key's, for
 * secret_free(). */
struct http_request;
enum reply_class aws_prove(const struct aws_signer *s, struct http *h,
    const struct http_request *req, struct aws_signature *out, char **secret,
    struct outcome *r);

#endif /* HTTP_AWS_H */
