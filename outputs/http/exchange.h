/*
 * exchange.h - one request on a curl handle, and its answer.
 */
#ifndef OUTPUTS_HTTP_EXCHANGE_H
#define OUTPUTS_HTTP_EXCHANGE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/mute.h"
#include "outputs/http/dialect.h"

struct http_access;
struct receipt;
struct transfer;

/* Of a request: more than a chunk, or a single event, has. */
#define EXCHANGE_BODY_MAX ((size_t)1 << 30)

struct exchange {
	CURL *easy;
	bool busy;                 /* the transport: it is under way */
	bool held;                 /* the transport: to be sent again */
	struct transfer *transfer; /* the transport's: of this chunk, or NULL */
	struct intake_request request;
	/* The transport's: which lines of the chunk the request carries, n of
	 * size allocated; all: every one from request.from on. */
	struct {
		size_t *line;
		size_t n;
		size_t size;
		bool all;
	} carried;
	struct curl_slist *headers; /* the common ones and the request's */
	CURLSH *share; /* borrowed: cookies, by which a load balancer knows who
			  is to have the next request, too */
	const struct receipt *receipt; /* for a 2xx, borrowed; NULL: any body
					  but a page */
	struct buf answer;
	bool cut; /* the answer is longer */
	struct buf answer_headers;
	char trouble[CURL_ERROR_SIZE];
	struct mute mute;
};

/* x is zeroed. */
int exchange_init(struct exchange *x, const struct receipt *receipt,
    CURLSH *share, struct err *err);
void exchange_release(struct exchange *x);

/* Make the handle ready for x->request, which is begun, and for a new answer.
 * common: headers beside those of the request, which are copied.  fresh: by a
 * connection of its own, with nothing left of a TLS session before. */
int exchange_aim(struct exchange *x, struct http_access *access,
    const struct curl_slist *common, bool fresh, struct err *err);

/* The transfer ended: an answer that is packed with gzip, which nobody asked
 * for, is unpacked for those who judge it, and repeats no token of the URL. */
void exchange_unpack(struct exchange *x);

/* Did the connection end, or stall, with the request on its way? */
bool exchange_broke(const struct exchange *x, CURLcode rc);

/* What the end of the transfer means by the status of its answer, or by why
 * there is none; why gets a sentence about url.  A 2xx whose body cannot be
 * the receiver's (receipt.h) blocks. */
enum verdict exchange_judge(const struct exchange *x, const char *url,
    CURLcode rc, char *why, size_t size);

/* Microseconds that the answer asks to wait, 0: does not; a time in it is by
 * its own clock. */
int64_t exchange_delay(const struct exchange *x);

/* Borrowed until the next exchange_aim(). */
struct intake_response exchange_response(const struct exchange *x);

#endif /* OUTPUTS_HTTP_EXCHANGE_H */
