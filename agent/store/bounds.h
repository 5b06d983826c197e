/*
 * bounds.h - numbers in the store that cannot be.
 *
 * SQLite finds pages that are damaged, not a row that says what nobody wrote.
 * Such a row must not be reckoned with: an id beyond all others ends a table,
 * a position beyond all batches delivers nothing any more.
 */
#ifndef STORE_BOUNDS_H
#define STORE_BOUNDS_H

#include <stddef.h>

struct err;
struct recovery;
struct store;

/* 1: every number is one that can be; 0: what names the table with one that
 * cannot; -1.  Reads small tables only. */
int bounds_kept(struct store *s, char *what, size_t size, struct err *err);

/* Put right what can be, and remove the rows that cannot, in the caller's
 * transaction, and note in v which tables are not whole then.  The size of a
 * feed is left to repair.h. */
int bounds_restore(struct store *s, struct recovery *v, struct err *err);

#endif /* STORE_BOUNDS_H */
