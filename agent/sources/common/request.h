/*
 * request.h - one request to a vendor's API: its URL, its turn in the budget,
 * its credentials, and what the answer means.
 */
#ifndef SOURCES_COMMON_REQUEST_H
#define SOURCES_COMMON_REQUEST_H

#include <stdbool.h>

#include "http/client.h"
#include "http/rules.h"

struct auth;
struct buf;
struct feed;
struct worker;

/* An API as a source has opened it. */
struct api {
	const char *base; /* paths follow it; credentials go to its origin */
	const char *own;  /* the vendor's URL, where base is another; or NULL */
	const char *option; /* that says where it is, for messages: "api_url" */
	struct auth *auth;
	const struct rule *rules;
	/* What to look at when access is denied, a clause; NULL: nothing. */
	const char *denied;
	/* How long a throttled reply without Retry-After asks to wait, 0: it
	 * does not say.  NULL: none of this API's do. */
	int64_t (*wait)(const void *ctx, const struct http_reply *reply);
	const void *ctx;
};

struct request {
	const char *url;  /* request_url()'s, or one of the vendor's own, … */
	const char *what; /* … who calls it this: "contentUri"; or NULL */
	const char *method;
	const char *body;
	const char *type;
	const struct http_pair *headers; /* see struct http_request */
	int reserve;                     /* see rate_take() */
	struct feed *feed;               /* for its counters, or NULL */
	http_take_fn *take; /* of a 200 that is an array; NULL: kept in reply */
	bool objects;       /* likewise of one that is an object */
	bool any;           /* … or anything but a page of HTML, … */
	bool file;          /* … or a page with an ETag, … */
	bool xml;           /* … which is to be XML */
	bool no_content;    /* a 204 is a good reply */
	bool once;          /* see struct http_request */
	bool patient;       /* the answer may take its time */
	void *ctx;
};

/* Append base without slashes at its end, path as it is, and the query, which
 * may be NULL.  -1 at out's ceiling. */
int request_url(struct buf *out, const char *base, const char *path,
    const struct http_pair *query);

/* Append the query to a URL, whether that has one already or not. */
int request_query(struct buf *url, const struct http_pair *query);

/* Append a URL that the vendor gives.  One of its own, which own is a URL of,
 * is asked for at base, where the configuration says that the vendor is: a
 * proxy in between changes no bodies.  own may be NULL: base is the vendor's.
 * One of either by http is asked for by https: a vendor behind a proxy that
 * ends TLS may not know better. */
int request_link(struct buf *out, const char *own, const char *base,
    const char *url);

/* Has url, which the vendor calls what, the origin of the API?  If not, r says
 * so.  To be asked before any such URL is followed. */
bool request_allowed(const struct api *api, const char *what, const char *url,
    struct outcome *r);

/*
 * Wait for the budget, prove who we are, ask, judge; after a 401 once more
 * with credentials that are got anew, but for those that are good for others.
 * A URL of another origin is refused.  A wait that the vendor asks for is
 * bounded; who is throttled again waits alone, and then goes on with one
 * request.  reply is initialised and reused.  Returns r->class.
 */
enum reply_class request_send(struct worker *w, const struct api *api,
    const struct request *q, struct http_reply *reply, struct outcome *r);

#endif /* SOURCES_COMMON_REQUEST_H */
