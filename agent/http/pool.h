/*
 * pool.h - curl handles at rest with their connections, for whoever speaks to
 * the same peer next: of a thousand sources many read the same vendor, and a
 * TLS handshake costs more than the rest of a poll.
 *
 * A handle is in one place at a time, here or with one user, and has been to
 * one peer only: the same host and port, reached with the same proxy, CA and
 * client certificate.  What says who asks is in each request and not kept.
 */
#ifndef HTTP_POOL_H
#define HTTP_POOL_H

#include <stdint.h>

#include <curl/curl.h>

#include "base/digest.h"

/* A handle, and what is known of it. */
struct pooled {
	CURL *easy;
	uint8_t peer[DIGEST_LEN]; /* whom its connections lead to */
	/* How long it lay here the last time, microseconds; POOL_NEVER. */
	int64_t lay;
};
#define POOL_NEVER INT64_MAX

/* There is one more user of handles, and one less: the last one takes all that
 * are here along.  Any thread, as all of these. */
void pool_enter(void);
void pool_leave(void);

/* The handle that led to p->peer last, reset; without one easy is NULL. */
void pool_take(struct pooled *p);

/* Leave a handle, which is closed where others that are here are wanted sooner.
 * p->easy is NULL afterwards; NULL is fine before. */
void pool_put(struct pooled *p);

#endif /* HTTP_POOL_H */
