/*
 * client.h - the one HTTP client, on libcurl.
 *
 * TLS is always verified, redirects are never followed, plain http:// goes to
 * loopback only, bodies stream into the caller's function without a size
 * limit, and everything else that a peer can make long has a bound.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/access.h"
#include "http/body.h"

struct err;

/* One thread's requests, and the connection to the peer of the last one; those
 * to others are left in the pool (pool.h), where all clients find them. */
struct http;

/* stop(ctx) true ends a transfer at once; NULL: never.  a is borrowed for the
 * life of the client. */
typedef bool http_stop_fn(void *ctx);
struct http *http_new(struct http_access *a, http_stop_fn *stop, void *ctx);
void http_free(struct http *h);

/* There will be nothing to do for a while: others may have the connection. */
void http_rest(struct http *h);

/* Takes the next bytes of the body of a 200 reply; 0, or -1 with err to end
 * the transfer. */
typedef int http_take_fn(void *ctx, const char *data, size_t len,
    struct err *err);

/* A header, or a parameter of a query.  Lists end with a NULL name. */
struct http_pair {
	const char *name;
	const char *value;
};

struct http_request {
	const char *url;
	const char *method; /* NULL: GET, POST where there is a body */
	const char *body;   /* NULL: none, "": an empty one */
	const char *type;   /* Content-Type of the body */
	/* Lists of headers, or NULL; credentials apart from the others.
	 * "Accept: application/json" is sent where headers has none. */
	const struct http_pair *headers;
	const struct http_pair *credentials;
	const char *secret; /* text to keep out of the reply, or NULL */
	/* User of HTTP Digest (RFC 7616), whose password is secret: the
	 * request is made twice, since the first one is challenged. */
	const char *digest_user;
	int64_t timeout; /* of all of it, microseconds; 0: the access's */
	/* Gets the body of a 200 that is a JSON array, whatever its type and
	 * packing are said to be.  An object goes to reply.body, any other
	 * body of a 2xx is an error (a login page), and so is another 2xx.
	 * NULL: every body goes to reply.body. */
	http_take_fn *take;
	bool objects; /* … and an object, whose begin is in reply.body, too */
	bool any;     /* … and any other that is no page of HTML, or empty */
	bool file; /* … a page, too, with the ETag that stored files have */
	bool xml;  /* … but an XML document is what is wanted */
	/* A 204 is a good reply without a body; else it is an error where take
	 * is set. */
	bool no_content;
	/* On a connection of its own, since libcurl sends a request again that
	 * an old one did not take. */
	bool once;
	void *ctx;
};

/* Most of a body that is kept for judging, and of all headers together. */
#define HTTP_BODY_MAX (256 * 1024)
#define HTTP_HEADERS_MAX (64 * 1024)

struct http_reply {
	int status;          /* 0: no answer */
	int64_t date;        /* the Date header; INT64_MIN: none */
	int64_t date_at;     /* clock_monotonic() when that came */
	int64_t retry_after; /* microseconds; -1: not said */
	char type[96];       /* media type in lower case, "" if not said */
	uint64_t bytes;      /* of the body, decoded */
	bool partial;        /* some of the body has been given to take */
	bool sent;           /* the server may have seen the request */
	enum http_shape shape;
	const char *odd;    /* code of why http_do() failed, "page"; or NULL */
	struct buf body;    /* what take did not get, without byte order mark */
	struct buf headers; /* raw lines */
};

void http_reply_init(struct http_reply *r);
void http_reply_release(struct http_reply *r);

/* Value of a header, trimmed, in out (size bytes); false where it is absent
 * or longer.  The name is compared without regard to case. */
bool http_header(const struct http_reply *r, const char *name, char *out,
    size_t size);

/*
 * Make one request and fill reply (initialised, reused).  0: a whole answer
 * came, whatever its status says (but 206, which is a part of one).  -1: none
 * or half of one came, or take refused it; err says cause and remedy, reply
 * what there was of it.
 */
int http_do(struct http *h, const struct http_request *req,
    struct http_reply *reply, struct err *err);

/* What an administrator can do when a proxy's answer to CONNECT ended a
 * transfer of easy, a CURL handle; NULL: that was not what ended it, or it
 * may pass. */
const char *http_tunnel_hint(void *easy);

/* Retry-After (RFC 9110 section 10.2.3) as microseconds from now (the time of
 * the Date header), a day at most; a time may be in RFC 3339 (Zoom) or since
 * 1970, too.  -1: not one. */
int64_t http_retry_after(const char *value, int64_t now);

#endif /* HTTP_CLIENT_H */
