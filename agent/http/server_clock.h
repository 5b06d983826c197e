/*
 * server_clock.h - what time it is at a peer.
 *
 * The Date of its last reply, carried on with the monotonic clock.  Windows
 * and assertions are computed with it, so that it does not matter when the
 * local clock is wrong or steps.
 */
#ifndef HTTP_SERVER_CLOCK_H
#define HTTP_SERVER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct http_reply;
struct server_clock;

struct server_clock *server_clock_new(void);
void server_clock_free(struct server_clock *c);

/* Learn from a reply; one without a Date says that local time must do. */
void server_clock_hear(struct server_clock *c, const struct http_reply *r);

/* Has any reply come yet? */
bool server_clock_known(struct server_clock *c);

/* The time there, at most about a second behind; local time as long as
 * nothing better is known. */
int64_t server_clock_now(struct server_clock *c);

/* How far the peer's clock is ahead of the local one, microseconds; exact to
 * about two seconds. */
int64_t server_clock_skew(struct server_clock *c);

#endif /* HTTP_SERVER_CLOCK_H */
