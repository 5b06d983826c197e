/*
 * status.h - what the status of an answer to a POST means.
 */
#ifndef OUTPUTS_HTTP_STATUS_H
#define OUTPUTS_HTTP_STATUS_H

#include "outputs/output.h"

struct http_meaning {
	int from; /* first status */
	int to;   /* last one */
	enum verdict verdict;
	const char *hint; /* for the administrator, or NULL */
};

/*
 * The meaning of status: faults of the endpoint are to be retried or block,
 * faults of a record are refused, so that ship finds that record.  413 is
 * refused: half the lines may fit.  Never NULL.
 */
const struct http_meaning *http_meaning(int status);

#endif /* OUTPUTS_HTTP_STATUS_H */
