/*
 * store.h - the one SQLite file that the roles share.
 *
 * schema.sql is the description of every table.  WAL mode; a process opens
 * its own handle after the fork, threads of a process may share it (a mutex
 * inside serialises them).  Times are microseconds (clock.h).  All functions
 * return 0, or -1 with err, unless they say otherwise; "full" below means
 * that err says how to make room and that nothing was changed.
 *
 * A store that is damaged is moved aside at open (store.db.damaged-TIME),
 * said in the log by the caller, and begun anew with what can still be read
 * of cursors, ledger, positions and batches: never a crash loop.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct store;

enum store_access {
	STORE_DURABLE, /* synchronous=FULL: what is committed stays */
	STORE_RELAXED, /* synchronous=NORMAL: for positions, may fall back */
	STORE_READ     /* for watch and the command line */
};

/* Open, create where missing (not with STORE_READ), migrate forward.  A file
 * written by a newer version is refused. */
struct store *store_open(const char *path, enum store_access access,
    struct err *err);
void store_close(struct store *s);

/* Check the file before the roles start (supervisor): recover or quarantine.
 * said (size bytes) gets a sentence when something was found, else "". */
int store_check(const char *path, char *said, size_t size, struct err *err);

struct store_room {
	int64_t used;     /* bytes of the file that hold data */
	int64_t max_size; /* as configured */
	int64_t free;     /* on its file system */
	int64_t min_free;
	bool full; /* collect pauses */
};

/* Limits for store_room_now(); set once after open. */
void store_limits(struct store *s, int64_t max_size, int64_t min_free);
int store_room_now(struct store *s, struct store_room *room, struct err *err);

/* Housekeeping, by ship and collect: delete payloads of batches that every
 * output has passed for longer than retain, metadata and seen ids older than
 * theirs, give pages back.  outputs: the configured names; positions of
 * others are forgotten by delivery_outputs(). */
int store_clean(struct store *s, int64_t retain, struct err *err);

#endif /* STORE_H */
