/*
 * store_help.h - a store in a folder of its own, for the suites about it.
 */
#ifndef TESTS_UNIT_STORE_HELP_H
#define TESTS_UNIT_STORE_HELP_H

#include <stddef.h>
#include <stdint.h>

#include "store/feed.h"
#include "store/store.h"
#include "store/write_batch.h"

struct err;

/* Make a folder; path is the store's in it.  And remove it with all in it. */
void store_help_begin(char *dir, size_t dir_size, char *path, size_t path_size);
void store_help_end(const char *dir);

/* Seal what is next, as seal does but with {"size":N} for a checkpoint: 1
 * sealed, 0 nothing to seal, -1. */
int store_help_seal(struct store *s, struct err *err);

/* Each fails the test with the reason.  id: NULL, an event without one. */
struct store *store_help_open(const char *path, enum store_access access);
struct feed *store_help_feed(struct store *s, const char *name, int64_t dedupe);
void store_help_add(struct write_batch *p, const char *id, const char *data);
struct commit_result store_help_commit(struct write_batch *p);

#endif /* TESTS_UNIT_STORE_HELP_H */
