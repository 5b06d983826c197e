/*
 * explain.h - a receiver's errors in its own terms, by a table.
 */
#ifndef OUTPUTS_HTTP_EXPLAIN_H
#define OUTPUTS_HTTP_EXPLAIN_H

#include <stdbool.h>

#include "outputs/output.h"

struct buf;
struct err;
struct intake;
struct intake_response;
struct intake_verdicts;

/* One meaning; the first row that fits counts, status 0 ends the table. */
struct explained {
	int status;
	const char *text; /* part of code or message, in any case; NULL: any */
	enum verdict verdict;
	const char *hint; /* what to do */
};

/* The verdict on all lines of r by the table; false: no row fits. */
bool explain_judge(const struct explained *table, const struct intake *in,
    const struct intake_response *r, struct intake_verdicts *v);

/*
 * For probed: whether a request without lines was taken, of which the dialect
 * says what that shows.  What a row refuses, and not blocks, the receiver may
 * refuse for being empty: all else was in order.  1: no row fits.
 */
int explain_probe(const struct explained *table, const struct intake *in,
    const struct intake_response *r, const char *good, struct buf *message,
    struct err *err);

#endif /* OUTPUTS_HTTP_EXPLAIN_H */
