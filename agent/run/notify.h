/*
 * notify.h - readiness and watchdog for systemd, without its library
 * (sd_notify(3): a datagram to $NOTIFY_SOCKET).
 */
#ifndef RUN_NOTIFY_H
#define RUN_NOTIFY_H

#include <stdint.h>

/* Read $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID and remove them from
 * the environment of the roles.  Does nothing outside systemd. */
void notify_open(void);

/* Send a state ("READY=1"); nothing happens outside systemd. */
void notify_send(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Microseconds between keep-alives that systemd wants, 0: none. */
int64_t notify_interval(void);

#endif /* RUN_NOTIFY_H */
