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
#include "outputs/http/dialect.h"

struct http_access;
struct transfer;

struct exchange {
	CURL *easy;
	bool busy;                 /* the transport: it is under way */
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
	struct curl_slist *headers; /* the request's and the common ones; NULL:
				       the common ones */
	struct buf answer;
	bool cut; /* the answer is longer */
	struct buf answer_headers;
	char trouble[CURL_ERROR_SIZE];
};

/* x is zeroed.  judged: a dialect wants to see whole answers. */
int exchange_init(struct exchange *x, bool judged, struct err *err);
void exchange_release(struct exchange *x);

/* Make the handle ready for x->request, which is begun, and for a new answer.
 * common: headers beside those of the request, borrowed until it is over. */
int exchange_aim(struct exchange *x, struct http_access *access,
    struct curl_slist *common, struct err *err);

/* What the end of the transfer means by the status of its answer, or by why
 * there is none; why gets a sentence about url. */
enum verdict exchange_judge(const struct exchange *x, const char *url,
    CURLcode rc, char *why, size_t size);

/* Microseconds that the answer asks to wait, 0: does not; a time in it is by
 * its own clock. */
int64_t exchange_delay(const struct exchange *x);

/* Borrowed until the next exchange_aim(). */
struct intake_response exchange_response(const struct exchange *x);

#endif /* OUTPUTS_HTTP_EXCHANGE_H */
