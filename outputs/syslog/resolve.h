/*
 * resolve.h - names to addresses without blocking.
 */
#ifndef OUTPUTS_SYSLOG_RESOLVE_H
#define OUTPUTS_SYSLOG_RESOLVE_H

#include <netdb.h>

struct err;
struct resolve;

/* Begin; host and port are copied. */
struct resolve *resolve_begin(const char *host, const char *port);

/* 1 and *list (freed by the caller with freeaddrinfo()), 0 not yet, -1. */
int resolve_end(struct resolve *r, struct addrinfo **list, struct err *err);

/* Free, finished or not. */
void resolve_free(struct resolve *r);

#endif /* OUTPUTS_SYSLOG_RESOLVE_H */
