/*
 * sign_log.h - what seal has signed, remembered outside of the store.
 *
 * A text file to which lines are only ever added:
 *
 *   sealfeed seal log 1 <32 digits, the log's id>
 *   <time> <size> <base64 root> <origin> <8 digits>
 *
 * A line says that a tree head was, or was about to be, signed; it is durable
 * before the checkpoint is.  The digits at its end begin the SHA-256 of what
 * stands before them and the space.  What a crash left of a last line was
 * never published; it is ended with "#torn".  A log beyond 8 MiB is replaced
 * by one with only the last line of each origin.
 *
 * The origin "*" of an agent says that the log does not know what was signed
 * before it: then no tree may begin that has the name of its feed.
 *
 * One process at a time (the store's lock).
 */
#ifndef SEAL_SIGN_LOG_H
#define SEAL_SIGN_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct err;
struct sign_log;

/* Most origins that a log may have; far more than an agent has trees. */
#define SIGN_LOG_ORIGINS 65536

/* No log is larger: twice what makes it be replaced, and a line. */
#define SIGN_LOG_MAX (32 << 20)
#define SIGN_LOG_MODE 0640

struct sign_head {
	char *origin;
	uint64_t size;
	uint8_t root[DIGEST_LEN];
};

/* Read the log at path: 1 and *log, 0 there is no such file, -1 it cannot be
 * read or added to, or is damaged. */
int sign_log_open(const char *path, struct sign_log **log, struct err *err);
void sign_log_close(struct sign_log *log);

/* Begin a log with these heads, durable; another file at path is replaced, and
 * missing directories are made. */
int sign_log_create(const char *path, const struct sign_head *heads, size_t n,
    struct err *err);

const char *sign_log_id(const struct sign_log *log);

/* The last head of an origin, NULL: none; and the one at i, NULL behind the
 * last.  Borrowed until the next call of sign_log_append(). */
const struct sign_head *sign_log_find(const struct sign_log *log,
    const char *origin);
const struct sign_head *sign_log_at(const struct sign_log *log, size_t i);

/* Add a head; on success it is durable.  After a failure the log must be
 * closed, and opened anew: its last line may be torn. */
int sign_log_append(struct sign_log *log, const struct sign_head *head,
    struct err *err);

#endif /* SEAL_SIGN_LOG_H */
