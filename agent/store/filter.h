/*
 * filter.h - the Bloom filter in front of the seen-set: fixed size, never a
 * false "not there".
 */
#ifndef STORE_FILTER_H
#define STORE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/seen.h"

struct filter;

/* At most bytes large (at least one block of 64). */
struct filter *filter_new(size_t bytes);
void filter_free(struct filter *f);

/* Any thread. */
bool filter_has(const struct filter *f, const uint8_t key[SEEN_KEY]);

/* One thread at a time: under the store's lock. */
void filter_add(struct filter *f, const uint8_t key[SEEN_KEY]);
void filter_empty(struct filter *f);
/* Everything is in it from now on. */
void filter_saturate(struct filter *f);

/* Keys added since it was empty, and how many keep it sharp. */
size_t filter_added(const struct filter *f);
size_t filter_good(const struct filter *f);

#endif /* STORE_FILTER_H */
