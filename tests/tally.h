/*
 * tally.h - a sum over a set of events that does not depend on their order.
 *
 * Of each event the first 32 bytes of SHA-256 as four 64-bit numbers, added
 * up modulo 2^64.  Good against accidents, which is all that tests need.
 */
#ifndef TESTS_TALLY_H
#define TESTS_TALLY_H

#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct tally {
	uint64_t count;
	uint64_t sum[4];
};

static inline void
tally_add(struct tally *t, const void *event, size_t len)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	uint64_t part[4];

	(void)EVP_Digest(event, len, hash, NULL, EVP_sha256(), NULL);
	memcpy(part, hash, sizeof(part));
	for (int i = 0; i < 4; i++)
		t->sum[i] += part[i];
	t->count++;
}

/* "0123…", 64 digits, into out[65]. */
static inline void
tally_text(const struct tally *t, char *out)
{
	(void)snprintf(out, 65, "%016llx%016llx%016llx%016llx",
	    (unsigned long long)t->sum[0], (unsigned long long)t->sum[1],
	    (unsigned long long)t->sum[2], (unsigned long long)t->sum[3]);
}

#endif /* TESTS_TALLY_H */
