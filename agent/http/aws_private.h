/*
 * aws_private.h - what the files share that get the keys of an identity: the
 * cache and roles (aws.c), the ways (aws_ways.c), the questions (aws_ask.c).
 */
#ifndef HTTP_AWS_PRIVATE_H
#define HTTP_AWS_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/aws.h"
#include "http/client.h"

struct err;

/* What a way to get keys has brought. */
struct aws_grant {
	struct aws_key key;
	int64_t life; /* microseconds from now; INT64_MAX: it does not end */
};

struct aws {
	const struct aws_conf *conf;
	pthread_mutex_t lock;
	struct server_clock *clock; /* of AWS, for signatures */
	struct aws_grant now;       /* key.id NULL: none */
	int64_t renew;              /* monotonic */
	int64_t ends;
	unsigned failures; /* in a row */
	int64_t again;     /* monotonic: not before */
	struct outcome why;
	unsigned rejected;    /* in a row, by a service */
	int64_t reject_again; /* monotonic: not before */
};

/* A parameter of the token service; a list ends with a NULL name. */
struct aws_form {
	const char *name;
	const char *value; /* NULL or "": left out */
};

/* r says what err does: that there are no credentials. */
enum reply_class aws_fail(struct outcome *r, const struct err *err);

/* Ask and judge; what the reply says is wiped by aws_reply_forget(). */
enum reply_class aws_ask(struct aws *a, struct http *h,
    const struct http_request *req, struct http_reply *reply,
    struct outcome *r);
void aws_reply_forget(struct http_reply *reply);

/* Send a form to the token service, signed with key unless that is NULL. */
enum reply_class aws_ask_sts(struct aws *a, struct http *h,
    const struct aws_form *form, const struct aws_key *key,
    struct http_reply *reply, struct outcome *r);

/* Would a header or a signature take it? */
bool aws_is_plain(const char *text);

/* Take a key as it was told (false: it is none), out of JSON as metadata and
 * containers answer (whose: of whom that is, for the sentence), or out of XML
 * as the token service does to that action. */
bool aws_take_key(struct aws_grant *g, const char *id, const char *secret,
    const char *token);
enum reply_class aws_take_json(struct aws_grant *g,
    const struct http_reply *reply, const char *whose, struct outcome *r);
enum reply_class aws_take_xml(struct aws_grant *g, const char *action,
    const struct http_reply *reply, struct outcome *r);

/* Get the key that the configuration, the environment or the machine has,
 * whichever is first; of no role. */
enum reply_class aws_first_key(struct aws *a, struct http *h,
    struct aws_grant *g, struct outcome *r);

#endif /* HTTP_AWS_PRIVATE_H */
