/*
 * digest.h - SHA-256.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_LEN 32

/* One hasher a thread: fetches the algorithm and the context once, which is
 * a fifth cheaper an event than the one-shot calls. */
struct digest;

struct digest *digest_new(void); /* dies when OpenSSL has no SHA-256 */
void digest_free(struct digest *d);

/* out[DIGEST_LEN] = SHA-256(prefix bytes || data); prefix may be empty. */
void digest_sha256(struct digest *d, const void *prefix, size_t prefix_len,
    const void *data, size_t len, uint8_t *out);

#endif /* BASE_DIGEST_H */
