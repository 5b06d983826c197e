/*
 * request.h - one request on its way through the simulator, and its answer.
 */
#ifndef TESTS_SIM_REQUEST_H
#define TESTS_SIM_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/sim/sim.h"

#define HEADERS_MAX 6

struct request {
	struct sim *sim;
	struct MHD_Connection *conn;
	const char *method;
	const char *url;
	struct buf upload;
	char host[256]; /* of the Host header: what our URLs begin with */
	/* What the rest decides. */
	enum content content; /* CONTENTS: none */
	enum fault fault;
};

struct reply {
	int status;
	const char *type;
	struct buf body;
	struct {
		char name[32];
		char value[1024];
	} header[HEADERS_MAX];
	size_t n_headers;
	struct blob *blob; /* what the body holds, to mark it as sent */
	bool packed;       /* body is a gzip member already */
};

/* An argument of the query, or NULL. */
const char *request_argument(const struct request *rq, const char *name);

/* Does its Accept-Encoding say so, and may we? */
bool request_wants_gzip(const struct request *rq);

void reply_header(struct reply *r, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void reply_printf(struct reply *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* {"error":{"code":…,"message":…}}, as the Management Activity API does. */
void reply_error(struct reply *r, int status, const char *code, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/* Send r, distorted as rq->fault says; takes r's body. */
int reply_send(struct request *rq, struct reply *r);

/* The faults that replace an answer: fills r and returns true when rq->fault
 * is one. */
bool reply_fault(const struct request *rq, struct reply *r);

/* login.c: POST …/oauth2/token and …/oauth2/v2.0/token. */
void login_answer(struct request *rq, struct reply *r);
/* True when the request has a token that is good now. */
bool login_check(struct request *rq);
/* Make the token of this request, or all of them, worthless. */
void login_expire(struct sim *s, const struct request *rq);

/* assertion.c: NULL when the client assertion is good, or the AADSTS code
 * and text of what is wrong with it. */
const char *assertion_check(struct sim *s, const char *jwt,
    const char *token_url);

/* graph.c: is it a request for audit log queries?  And its answer. */
bool graph_is_asked(const struct request *rq);
void graph_answer(struct request *rq, struct reply *r);

/* api.c: everything below /api/. */
void api_answer(struct request *rq, struct reply *r);
/* What api_answer() is going to do, for the dice. */
enum scope api_scope(const struct request *rq, enum content *content);

#endif /* TESTS_SIM_REQUEST_H */
