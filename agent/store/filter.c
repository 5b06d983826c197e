/*
 * filter.c - the Bloom filter in front of the seen-set, blocked: all bits of
 * a key are in one cache line.
 *
 * Threads read it without a lock while another adds: a word at a time is all
 * that must be whole, and a thread only asks for what it or those before it
 * in the same feed have added.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/filter.h"

#define BLOCK_WORDS 8 /* 64 bytes */
#define BITS 5        /* a key */

struct filter {
	uint64_t *word;
	size_t blocks; /* a power of two, at most 2^32 */
	unsigned bits; /* log2 of that */
	size_t added;
};

struct filter *
filter_new(size_t bytes)
{
	struct filter *f = xcalloc(1, sizeof(*f));

	f->blocks = 1;
	while (f->blocks * 2 * BLOCK_WORDS * sizeof(uint64_t) <= bytes &&
	    f->bits < 32) {
		f->blocks *= 2;
		f->bits++;
	}
	f->word = xcalloc(f->blocks * BLOCK_WORDS, sizeof(uint64_t));
	return f;
}

void
filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	free(f->word);
	free(f);
}

void
filter_empty(struct filter *f)
{
	for (size_t i = 0; i < f->blocks * BLOCK_WORDS; i++)
		__atomic_store_n(&f->word[i], 0, __ATOMIC_RELAXED);
	f->added = 0;
}

void
filter_saturate(struct filter *f)
{
	for (size_t i = 0; i < f->blocks * BLOCK_WORDS; i++)
		__atomic_store_n(&f->word[i], UINT64_MAX, __ATOMIC_RELAXED);
	f->added = filter_good(f);
}

size_t
filter_added(const struct filter *f)
{
	return f->added;
}

size_t
filter_good(const struct filter *f)
{
	return f->blocks * BLOCK_WORDS * 64 / 8;
}

/* The key is a digest already: its bytes are the hash functions.  The first
 * choose the block, so that sorted keys go through memory in order. */
static uint64_t *
block_of(const struct filter *f, const uint8_t key[SEEN_KEY], uint64_t *bits)
{
	const uint64_t first = (uint64_t)key[0] << 24 | (uint64_t)key[1] << 16 |
	    (uint64_t)key[2] << 8 | key[3];

	*bits = 0;
	memcpy(bits, key + 4, SEEN_KEY - 4);
	return f->word + (first >> (32 - f->bits)) * BLOCK_WORDS;
}

bool
filter_has(const struct filter *f, const uint8_t key[SEEN_KEY])
{
	uint64_t bits;
	const uint64_t *word = block_of(f, key, &bits);

	for (int i = 0; i < BITS; i++, bits >>= 9) {
		const uint64_t w =
		    __atomic_load_n(&word[(bits >> 6) & 7], __ATOMIC_RELAXED);

		if ((w >> (bits & 63) & 1) == 0)
			return false;
	}
	return true;
}

void
filter_add(struct filter *f, const uint8_t key[SEEN_KEY])
{
	uint64_t bits;
	uint64_t *word = block_of(f, key, &bits);

	/* One thread writes at a time, so that nothing need be locked. */
	for (int i = 0; i < BITS; i++, bits >>= 9) {
		uint64_t *to = &word[(bits >> 6) & 7];

		__atomic_store_n(to,
		    __atomic_load_n(to, __ATOMIC_RELAXED) |
			UINT64_C(1) << (bits & 63),
		    __ATOMIC_RELAXED);
	}
	f->added++;
}
