/*
 * size_log.h - how many events each feed had, in a file beside the store that
 * outlives damage to it.
 *
 * PATH.mark has 16 bytes a feed at (id - 1) * 16: the number and its
 * complement, both in the machine's byte order.  It is written after each
 * commit, so a store that has fewer events has lost some: SQLite itself takes
 * a file without its WAL for a good one.  No fsync: it is never ahead of what
 * is durable.
 */
#ifndef STORE_SIZE_LOG_H
#define STORE_SIZE_LOG_H

#include <stdint.h>

struct err;

/* In place of a size: events were lost, who knows how many. */
#define SIZE_LOG_LOST UINT64_MAX

/* Open the size log of the store at path, creating it if missing.  Returns the
 * descriptor, or -1 with err. */
int size_log_open(const char *path, struct err *err);

/* Note the size of a feed; a failure only weakens the check.  fd may be -1. */
void size_log_set(int fd, int64_t feed, uint64_t size);

/* The noted size, 0 where there is none. */
uint64_t size_log_get(int fd, int64_t feed);

/* The highest feed id that the log knows. */
int64_t size_log_last(int fd);

#endif /* STORE_SIZE_LOG_H */
