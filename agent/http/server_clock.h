/*
 * server_clock.h - what time it is at a peer.
 *
 * The Date of its replies, carried on with the monotonic clock.  Windows and
 * assertions are computed with it, so that it does not matter when the local
 * clock is wrong or steps.
 *
 * One Date proves nothing: a proxy, a cache or a server that is ill may have
 * made it.  A Date that agrees with the local clock has two witnesses and is
 * believed; one that does not is believed when several replies in a row agree
 * with each other, over some time.  Until then the time stays what it was.
 */
#ifndef HTTP_SERVER_CLOCK_H
#define HTTP_SERVER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct http_reply;
struct server_clock;

/* Clocks that are further apart disagree, which is told. */
#define SERVER_CLOCK_APART (5 * CLOCK_MINUTE)

/* A time that the local clock does not bear out is believed after so many
 * replies in a row, the last of them so long after the first. */
#define SERVER_CLOCK_VOTES 5
#define SERVER_CLOCK_SPAN (10 * CLOCK_SECOND)

struct server_clock *server_clock_new(void);
void server_clock_free(struct server_clock *c);

/* Learn from a reply that is the peer's own beyond doubt: a good one, and not
 * an error or a page.  One without a Date says that local time must do. */
void server_clock_hear(struct server_clock *c, const struct http_reply *r);

/* Take a reply's Date at once.  For what can be done again when that was
 * wrong. */
void server_clock_set(struct server_clock *c, const struct http_reply *r);

/* Is it known what time it is there, or that nothing better than local time
 * can be had? */
bool server_clock_known(struct server_clock *c);

/* Has the peer told the time, and is it believed? */
bool server_clock_dated(struct server_clock *c);

/* The time there, at most about a second behind; local time as long as
 * nothing better is known. */
int64_t server_clock_now(struct server_clock *c);

/* How far the peer's clock is ahead of the local one, microseconds; exact to
 * about two seconds. */
int64_t server_clock_skew(struct server_clock *c);

/* How far the time that the last replies told is ahead of the local one; it
 * differs from the skew while it is not believed. */
int64_t server_clock_claim(struct server_clock *c);

#endif /* HTTP_SERVER_CLOCK_H */
