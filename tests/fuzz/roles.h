/*
 * roles.h - what the roles do with a store, in small, for fuzz_store.c: collect
 * reads a vendor whose events are made by a rule, seal signs nothing, ship has
 * one output that takes everything, watch looks at all there is.
 *
 * Functions return 0, or -1 with err, which the store says when it is damaged;
 * what must never be stops the fuzzer.
 */
#ifndef TESTS_FUZZ_ROLES_H
#define TESTS_FUZZ_ROLES_H

#include <stdint.h>

struct err;
struct store;

#define ROLES_FEEDS 2
#define ROLES_ITEMS 5  /* of a feed, at first */
#define ROLES_MORE 3   /* items that come later */
#define ROLES_EVENTS 3 /* of an item */

/* Which events the output has, a bit each: the lowest of item 0. */
struct roles_siem {
	uint64_t has[ROLES_FEEDS];
};

/* Its events, as bits. */
uint64_t roles_item(int item);

/* Create a store at path with so many items, all of it sealed, the first one
 * delivered, and a row in every table; or a new one in place of it. */
void roles_fill(const char *path, int items);

/* Take what the vendor has listed, which are its first items: where the feed
 * does not know how far it was, all of them. */
int roles_collect(struct store *s, int items, struct err *err);
int roles_seal(struct store *s, struct err *err);
int roles_ship(struct store *s, struct roles_siem *siem, struct err *err);
int roles_watch(struct store *s, struct err *err);

#endif /* TESTS_FUZZ_ROLES_H */
