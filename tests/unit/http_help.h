/*
 * http_help.h - a server of canned replies and a client that may ask it, for
 * the suites of what asks.
 */
#ifndef TESTS_UNIT_HTTP_HELP_H
#define TESTS_UNIT_HTTP_HELP_H

#include "http/client.h"
#include "tests/unit/canned.h"

struct http_rig {
	struct canned *server;
	struct http_access *access;
	struct http *http;
};
extern struct http_rig http_rig;

/* Fixture: table is borrowed. */
void http_help_begin(const struct canned_reply *table);
void http_help_end(void);

#endif /* TESTS_UNIT_HTTP_HELP_H */
