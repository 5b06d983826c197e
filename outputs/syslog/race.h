/*
 * race.h - a TCP connection to the first address of a name that answers.
 *
 * As RFC 8305 has it: the families take turns, the next address is tried when
 * one has failed or 250 ms after it was begun with (100 ms behind the first
 * four, so that many dead ones do not take all of the time), and the first
 * connection wins.  An address that won and turned out bad is left out when the
 * race goes on; those that were under way then are tried again.
 */
#ifndef OUTPUTS_SYSLOG_RACE_H
#define OUTPUTS_SYSLOG_RACE_H

#include <stddef.h>
#include <stdint.h>

struct addrinfo;

/* Addresses that are tried; further ones of a name are left out. */
#define RACE_MAX 64

struct race;

/* list is borrowed. */
struct race *race_new(const struct addrinfo *list);
void race_free(struct race *r); /* NULL does nothing */

/* Go on: 1 and *fd, non-blocking and the caller's; 0 not yet; -1 and *error,
 * an errno, when no address is left. */
int race_step(struct race *r, int64_t now, int *fd, int *error);

/* When race_step() is due (monotonic); *fd to poll for POLLOUT, or -1 when
 * there is more than one. */
int64_t race_due(const struct race *r, int64_t now, int *fd);

/* Addresses that have neither failed nor won. */
size_t race_left(const struct race *r);

#endif /* OUTPUTS_SYSLOG_RACE_H */
