/*
 * listen.h - where watch listens: loopback or a unix socket, nowhere else.
 */
#ifndef BASE_LISTEN_H
#define BASE_LISTEN_H

struct err;

/* "127.0.0.1:9469", "[::1]:9469", "localhost:9469" or "/path/of/socket":
 * -1 when where is none of these or names an address beyond loopback. */
int listen_check(const char *where, struct err *err);

/* Open a listening, non-blocking socket there; -1 with err.  A unix socket
 * is made with mode 0660; one that nobody listens on is replaced. */
int listen_open(const char *where, struct err *err);

#endif /* BASE_LISTEN_H */
