/*
 * canned.h - an HTTP server on loopback that answers with given bytes, right
 * or wrong.
 */
#ifndef TESTS_UNIT_CANNED_H
#define TESTS_UNIT_CANNED_H

#include <stddef.h>

struct canned;

/* What is sent, as it is but for "<n>", the number of the request, for a
 * request whose target begins with path; the connection is closed behind it.
 * Each answers once; the last for a path answers again and again. */
struct canned_reply {
	const char *path; /* NULL ends the table */
	const char *bytes;
	size_t len; /* 0: of a string */
};

/* table is borrowed.  Dies when it can't listen. */
struct canned *canned_start(const struct canned_reply *table);
void canned_stop(struct canned *c);

/* "http://127.0.0.1:PORT", borrowed. */
const char *canned_url(const struct canned *c);

/* Requests so far, heads and bodies, one behind the other; borrowed until the
 * next request. */
const char *canned_requests(struct canned *c);
size_t canned_len(struct canned *c); /* their bytes */
size_t canned_count(struct canned *c);

#endif /* TESTS_UNIT_CANNED_H */
