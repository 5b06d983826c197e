/*
 * aws_login.h - keys of AWS for outputs (http/aws.h), and requests signed with
 * them.
 *
 * Keys are got anew while requests go on with those that there are; keys that
 * are refused are given up once, and then seldom.
 */
#ifndef OUTPUTS_HTTP_AWS_LOGIN_H
#define OUTPUTS_HTTP_AWS_LOGIN_H

#include <stdbool.h>

struct aws_conf;
struct aws_login;
struct err;
struct http_access;
struct intake;
struct intake_request;

/* Both are borrowed.  Asks for nothing yet. */
struct aws_login *aws_login_new(const struct aws_conf *conf,
    struct http_access *access);
void aws_login_free(struct aws_login *l);

/* Of prepare, poll and probe, and what these return: sign r as it is, with all
 * of its headers, for the service ("s3") in the configured region. */
int aws_login_sign(struct aws_login *l, const struct intake *in,
    struct intake_request *r, const char *service, struct err *err);

/* Of judge: were the keys refused? */
void aws_login_hear(struct aws_login *l, bool refused);

#endif /* OUTPUTS_HTTP_AWS_LOGIN_H */
