/*
 * lock.h - one agent a store.
 *
 * The lock is on files, not on names: on PATH.lock beside the database's real
 * file, whatever links and mounts lead there, and on the database itself,
 * which may have another name in another directory.  It is held by an open
 * descriptor and by all processes that inherited it.
 */
#ifndef RUN_LOCK_H
#define RUN_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct err;

struct store_lock {
	int name; /* descriptors of the two files, -1: not open */
	int file;
};

/* Lock the store at path, waiting up to wait microseconds for whoever has it.
 * -1: another sealfeed runs on it. */
int lock_store(struct store_lock *l, const char *path, int64_t wait,
    struct err *err);

/* The database may be another file than before, since it was recovered or
 * created: lock that one. */
int lock_again(struct store_lock *l, const char *path, struct err *err);

/* Does an agent run on the store at path?  1, 0; -1: that can't be told, since
 * its lock can't be opened.  Holds the lock for no longer than it looks. */
int lock_is_held(const char *path);

/* Is it one that has the database by another name, a hard link or a mount of
 * the file?  SQLite's WAL stands beside that name: whoever comes by this one
 * does not see it, and must not write. */
bool lock_is_elsewhere(const char *path);

void lock_release(struct store_lock *l);

#endif /* RUN_LOCK_H */
