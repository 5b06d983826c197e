/*
 * recv.h - what our HTTP receivers share: a server, scripted faults, gzip.
 */
#ifndef TESTS_RECV_RECV_H
#define TESTS_RECV_RECV_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define RECV_BODY_MAX ((size_t)256 << 20)

enum fault {
	NONE,
	F401,
	F403,
	F404,
	F413,
	F429,
	F429_BARE,
	F503,
	F500,
	PAGE,
	CLOSE,
	HANG,
	LOST_REPLY,
	SLOW,
	PARTIAL,
	FORGET,
	LOST_ACK,
	FAULTS
};

extern const char *const fault_names[FAULTS];

/* How often each has struck. */
struct fault_state {
	unsigned long struck[FAULTS];
};

/* Which one strikes now, by DIR/faults: "503=5%,401=#3,close=5%,…"; "#3"
 * strikes the first three requests. */
enum fault fault_roll(struct fault_state *s, const char *dir);

/* The status that it stands for; 0: none of its own. */
unsigned fault_status(enum fault f);

struct recv_request {
	struct MHD_Connection *conn;
	const char *method;
	const char *path;
	struct buf body; /* as it came */
	bool too_large;  /* for options.max_body */
};

/* Value of a header, "" where there is none. */
const char *recv_header(const struct recv_request *rq, const char *name);

struct recv_reply {
	unsigned status;  /* 0: the connection ends without an answer */
	const char *type; /* NULL: application/json */
	char *text;       /* freed */
	struct {
		const char *name; /* NULL ends them */
		char value[128];
	} headers[4];
	bool retry_after; /* "1" */
	unsigned hang;    /* seconds before that */
};

/* Any thread. */
typedef void recv_fn(const struct recv_request *rq, struct recv_reply *reply);

struct recv_options {
	const char *dir;
	const char *cert;
	const char *key;       /* NULL: plain HTTP */
	const char *client_ca; /* NULL: no client certificate wanted */
	size_t max_body;
	size_t reset_after; /* bytes of bodies in a connection; 0: never */
	unsigned short port;
	recv_fn *answer;
};

/* Serve until SIGTERM, with the port in DIR/port; does not return. */
void recv_serve(const struct recv_options *opt);

/* Has the client a certificate of client_ca? */
bool recv_client_known(const struct recv_request *rq);

/* Unpack exactly one gzip member; a sentence about what is wrong, or NULL. */
const char *recv_unpack(const struct buf *in, struct buf *out);

/* The same of what HTTP calls deflate, a zlib stream. */
const char *recv_inflate(const struct buf *in, struct buf *out);

/* Open DIR/NAME for appending. */
int recv_open(const char *dir, const char *name);

/* All of it goes to fd. */
void recv_write(int fd, const void *data, size_t len);

void recv_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif /* TESTS_RECV_RECV_H */
