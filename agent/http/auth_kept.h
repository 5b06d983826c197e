/*
 * auth_kept.h - the file in which a refresh token is kept that a server gave
 * in the place of the configured one.
 *
 * Two lines: the SHA-256 of the configured token in hex, the token that stands
 * for it now.  Where another one is configured, the file says nothing any more.
 */
#ifndef HTTP_AUTH_KEPT_H
#define HTTP_AUTH_KEPT_H

#include <stdint.h>

#include "base/digest.h"

struct err;

/* Where it is kept, and where earlier versions did; old may be NULL. */
struct kept {
	const char *path, *old;
};

/* *token is what stands for the token of this hash, NULL: nothing does.  What
 * is found in the old place alone is written, durably, to the new one, and then
 * removed from the old one.  0, or -1: there is a file and it cannot be read or
 * moved. */
int kept_read(const struct kept *k, const uint8_t origin[DIGEST_LEN],
    char **token, struct err *err);

/* Make sure that one can be written: room for it, which is given up when the
 * result, a file descriptor, is closed.  -1: it cannot. */
int kept_room(const struct kept *k, struct err *err);

/* Write it, durably, for nobody else to read; its folder is made where it is
 * missing. */
int kept_write(const struct kept *k, const uint8_t origin[DIGEST_LEN],
    const char *token, struct err *err);

#endif /* HTTP_AUTH_KEPT_H */
