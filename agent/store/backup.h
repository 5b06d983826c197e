/*
 * backup.h - a copy of the store in one file, made while the agent runs.
 *
 * The copy is one state of the store, whatever is written meanwhile; nobody
 * waits for it, and only the WAL grows until it is done.  It has the mode 0600
 * and no WAL of its own.  A table "backup" in it says when and by which version
 * it was made, and keeps the log of what was signed (agent.seal.log): where a
 * backup is put in the place of the store, that table tells that events of
 * later may have been signed already, and every feed goes on in a new tree
 * (seal/continuity.h).
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;
struct store;

/* What is asked for, and in the end bytes. */
struct backup {
	const char *file; /* must not exist */
	const char *log;  /* file to keep in the backup; NULL, or not there:
			     none */
	int64_t min_free; /* bytes that must be free on its file system when it
			     is there */
	/* Called from time to time with the pages that are copied, of how
	 * many; other than 0 ends it.  May be NULL. */
	int (*progress)(void *ctx, int64_t done, int64_t all);
	bool
	    sound; /* read it when it is there, and keep none that is damaged */
	void *ctx;
	int64_t bytes; /* of the backup */
};

/* Make the backup, durable.  On failure there is nothing at b->file.  What is
 * unfinished is in FILE.part, which must not be there before. */
int backup_make(struct store *s, struct backup *b, struct err *err);

/* Make the backup PATH.version-N of a store that the next store_open() brings
 * to a newer version; an earlier one of that name is replaced.  message (size
 * bytes) gets a sentence when there is something to say: that it was made, or
 * that there is no room for it or it would take minutes, and there is none.
 * Nobody else may have the store open. */
int backup_before_migration(const char *path, int64_t min_free, char *message,
    size_t size, struct err *err);

/* Is the store a backup that was put in its place?  1 and *made, 0, -1. */
int backup_is(struct store *s, int64_t *made, struct err *err);

/* The log that it keeps into log (replaced), "" where there is none. */
int backup_log(struct store *s, struct buf *log, struct err *err);

/* From now on it is the store. */
int backup_adopt(struct store *s, struct err *err);

#endif /* STORE_BACKUP_H */
