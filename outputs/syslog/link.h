/*
 * link.h - one connection to a syslog receiver, TCP with or without TLS, that
 * never blocks.
 */
#ifndef OUTPUTS_SYSLOG_LINK_H
#define OUTPUTS_SYSLOG_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct tls;

struct link;

enum link_state {
	LINK_DOWN,    /* failed or closed; link_why() */
	LINK_OPENING, /* name, connect, handshake */
	LINK_UP
};

/* host and port as syslog_address() gives them, t NULL: plain TCP; all
 * borrowed.  timeout: microseconds to open, and over which nothing moves. */
struct link *link_new(const char *host, const char *port, const struct tls *t,
    int64_t timeout);
void link_free(struct link *l); /* closes without close_notify */

/* What the receiver says goes to fn, which may fail the link, and is not
 * discarded. */
typedef void link_heard(void *ctx, const char *said, size_t len);
void link_listen(struct link *l, link_heard *fn, void *ctx);

/* Begin to open; only when it is down. */
void link_open(struct link *l);

/* Continue opening or reading.  What a receiver sends is read and discarded. */
enum link_state link_step(struct link *l);

bool link_down(const struct link *l);

/* Write some of data; returns how much, 0 when it has to wait or the link is
 * down now.  After 0 the same data, or more, must be offered next. */
size_t link_write(struct link *l, const void *data, size_t len);

/* TLS 1.3 is spoken, so that requests can be sent. */
bool link_able(const struct link *l);
/* Send a KeyUpdate request now; false: not at this moment. */
bool link_ask(struct link *l);
/* Answers to requests so far. */
uint64_t link_answers(const struct link *l);
/* The receiver asked for a key update by itself. */
bool link_asked(const struct link *l);

/* Bytes handed to the kernel on this connection, and those of them that the
 * peer's kernel has acknowledged. */
uint64_t link_sent(const struct link *l);
uint64_t link_acknowledged(struct link *l);

/* For poll(): descriptor (-1: none) and events; *wait becomes the time
 * (monotonic) at which link_step() is due, if that is earlier. */
int link_poll(const struct link *l, short *events, int64_t *wait);

/* Sleep until there is something to do for the link, wake_fd (-1: none) is
 * readable, which is true, or the time wait (monotonic) has come. */
bool link_rest(const struct link *l, int wake_fd, int64_t wait);

/* Nothing has moved for the timeout though there is something to move. */
bool link_stalled(const struct link *l, int64_t now);

/* Why the link is down; settings is true when the cause is not the network. */
const char *link_why(const struct link *l);
bool link_settings(const struct link *l);

/* Take the link down and keep the reason. */
void link_fail(struct link *l, bool settings, const char *why);

/*
 * Say goodbye and close.  Returns true when it is sure that the receiver has
 * read everything: all was acknowledged, it closed after that, and without a
 * reset, which Linux and the BSDs send where unread bytes are thrown away.
 * Takes wait_ms at most; 0: does not look.
 */
bool link_close(struct link *l, int wait_ms);

/* Append what was found, for probe().  -1 at out's ceiling. */
int link_describe(const struct link *l, struct buf *out);

#endif /* OUTPUTS_SYSLOG_LINK_H */
