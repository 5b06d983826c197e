/*
 * login.h - access tokens of OAuth 2.0 for outputs (http/auth_oauth2.h).
 *
 * A token is kept in memory and renewed before it ends, while requests go on
 * with the one that there is.  A token that the receiver refuses (401) is given
 * up once, and then seldom: another one would not be better.
 */
#ifndef OUTPUTS_HTTP_LOGIN_H
#define OUTPUTS_HTTP_LOGIN_H

struct err;
struct http_access;
struct intake;
struct intake_request;
struct intake_response;
struct login;
struct oauth_conf;

/* Copies conf; access is borrowed.  Asks for nothing yet. */
struct login *login_new(const struct oauth_conf *conf,
    struct http_access *access);
void login_free(struct login *l);

/* Of prepare and probe, and what these return: the token as Authorization:
 * Bearer.  Where there is none yet, waits a little while for it. */
int login_sign(struct login *l, const struct intake *in,
    struct intake_request *r, struct err *err);

/* Of judge: each answer. */
void login_hear(struct login *l, const struct intake_response *r);

#endif /* OUTPUTS_HTTP_LOGIN_H */
