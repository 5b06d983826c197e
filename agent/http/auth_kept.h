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

/* *token is what stands for the token of this hash, NULL: nothing does.  0, or
 * -1: there is a file and it cannot be read. */
int kept_read(const char *path, const uint8_t origin[DIGEST_LEN], char **token,
    struct err *err);

/* Write it, durably, for nobody else to read; its folder must be there. */
int kept_write(const char *path, const uint8_t origin[DIGEST_LEN],
    const char *token, struct err *err);

#endif /* HTTP_AUTH_KEPT_H */
