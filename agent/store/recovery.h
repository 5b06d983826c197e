/*
 * recovery.h - a damaged store is replaced by what can be read out of it.
 */
#ifndef STORE_RECOVERY_H
#define STORE_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct store;

/* What could be read. */
struct recovery {
	const char *aside; /* damaged payloads go into files whose names
			      begin so; NULL: they don't */
	bool whole_feeds;  /* every row of that table */
	bool whole_batches;
	bool whole_items;
	bool whole_pieces;
	int64_t batches; /* batches kept with their events */
	int64_t lost;    /* events that were kept before and are not now */
	int64_t feeds;   /* feeds that begin a new tree */
};

/* Begin a recovery into to, a new store, from source, a text that says which
 * file it is and in what state; whether one from there was begun; and end it,
 * when all is copied and repaired. */
int recovery_begin(struct store *to, const char *source, struct err *err);
bool recovery_begun(struct store *to, const char *source);
int recovery_end(struct store *to, struct err *err);

/* Copy, table by table and row by row, what is readable in from (a bare
 * handle) into to, where a recovery was begun, or go on with that.  -1 only
 * when to cannot be written. */
int recovery_copy(struct store *from, struct store *to, struct recovery *v,
    struct err *err);

#endif /* STORE_RECOVERY_H */
