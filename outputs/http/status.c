/*
 * status.c - what the status of an answer to a POST means.
 */
#include <stddef.h>

#include "outputs/http/status.h"

/* RFC 9110 section 15; the first row that fits counts. */
static const struct http_meaning meanings[] = {
	/* RFC 4918 section 11.1: what became of the parts is in its body. */
	{ 207, 207, VERDICT_BLOCKED,
	    "that says nothing of what became of the events, so nothing counts "
	    "as delivered; check url and what is on the way" },
	{ 200, 299, VERDICT_DELIVERED, NULL },
	{ 300, 399, VERDICT_BLOCKED,
	    "redirects are not followed: it is a login page or a proxy, or url "
	    "must be the final address" },
	{ 401, 401, VERDICT_BLOCKED,
	    "it does not accept the credentials; check token, bearer, basic "
	    "or headers" },
	{ 402, 402, VERDICT_BLOCKED, "it requires payment" },
	{ 403, 403, VERDICT_BLOCKED,
	    "the credentials do not allow this; check what the token may do" },
	{ 404, 404, VERDICT_BLOCKED,
	    "there is nothing at that path; check "
	    "url" },
	{ 405, 405, VERDICT_BLOCKED, "that path takes no POST; check url" },
	{ 406, 406, VERDICT_BLOCKED, "check headers" },
	{ 407, 407, VERDICT_BLOCKED,
	    "the proxy does not accept the credentials; check proxy" },
	{ 408, 408, VERDICT_RETRY, NULL },
	{ 410, 410, VERDICT_BLOCKED, "that path is gone for good; check url" },
	{ 411, 411, VERDICT_BLOCKED,
	    "a proxy on the way removes Content-Length" },
	{ 413, 413, VERDICT_REFUSED,
	    "the request is too large; lower max_body" },
	{ 415, 415, VERDICT_BLOCKED,
	    "it does not take this kind of body; try compress: false" },
	{ 421, 421, VERDICT_BLOCKED, "another host is meant; check url" },
	{ 425, 425, VERDICT_RETRY, NULL },
	{ 426, 426, VERDICT_BLOCKED,
	    "it requires another protocol; check url" },
	{ 429, 429, VERDICT_RETRY, NULL },
	{ 431, 431, VERDICT_BLOCKED,
	    "the headers are too large; check "
	    "headers" },
	{ 400, 499, VERDICT_REFUSED, NULL },
	{ 500, 599, VERDICT_RETRY, NULL },
};

static const struct http_meaning no_meaning = {
	.verdict = VERDICT_RETRY,
	.hint = "that is not a valid answer to a POST; check url",
};

const struct http_meaning *
http_meaning(int status)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (status >= meanings[i].from && status <= meanings[i].to)
			return &meanings[i];
	}
	return &no_meaning;
}
