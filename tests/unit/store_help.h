/*
 * store_help.h - a store in a folder of its own, for the suites about it.
 */
#ifndef STORE_HELP_H
#define STORE_HELP_H

#include <stddef.h>

struct err;
struct store;

/* Make a folder; path is the store's in it.  And remove it with all in it. */
void store_help_begin(char *dir, size_t dir_size, char *path, size_t path_size);
void store_help_end(const char *dir);

/* Seal what is next, as seal does but with {"size":N} for a checkpoint: 1
 * sealed, 0 nothing to seal, -1. */
int store_help_seal(struct store *s, struct err *err);

#endif /* STORE_HELP_H */
