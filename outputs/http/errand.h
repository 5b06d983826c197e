/*
 * errand.h - something that an output has to fetch from elsewhere while it goes
 * on delivering: a token, credentials.
 *
 * A thread of its own does it, since those servers hang, too.  What the errand
 * reads and writes belongs to it from errand_begin() until errand_busy() says
 * that it is back.
 */
#ifndef OUTPUTS_HTTP_ERRAND_H
#define OUTPUTS_HTTP_ERRAND_H

#include <stdbool.h>
#include <stdint.h>

struct errand;
struct err;
struct http;
struct http_access;

/* h is the errand's own client. */
typedef void errand_fn(void *ctx, struct http *h);

/* Starts nothing.  access and ctx are borrowed. */
struct errand *errand_new(struct http_access *access, errand_fn *fn, void *ctx);

/* Break it off where it is under way; waits for that, about a second. */
void errand_free(struct errand *e);

/* Send it; it must not be under way. */
int errand_begin(struct errand *e, struct err *err);

/* Is it under way?  Waits for its end up to so many microseconds. */
bool errand_busy(struct errand *e, int64_t wait);

#endif /* OUTPUTS_HTTP_ERRAND_H */
