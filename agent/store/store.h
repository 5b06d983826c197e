/*
 * store.h - the one SQLite file that the roles share.
 *
 * schema.sql is the description of every table.  WAL mode; a process opens
 * its own handle after the fork, threads of a process may share it (a mutex
 * inside serialises them).  Times are microseconds (clock.h).  All functions
 * return 0, or -1 with err, unless they say otherwise; "full" below means
 * that err says how to make room and that nothing was changed.
 *
 * Damage.  store_check() finds a file that is damaged, cut short, no database,
 * or sound but with fewer events than it had (an old copy, or one whose WAL is
 * gone; PATH.mark beside it keeps count).  A damaged file is moved aside
 * (PATH.damaged-TIME) and another begun with whatever row can still be read.
 * Events that no output has confirmed and that are lost leave the seen-set,
 * the items they came from leave the ledger, so that the vendor's are fetched
 * again; what has expired there becomes a gap.
 *
 * Trees.  Once an index was shipped under a signature it must never stand for
 * another event.  Where events were lost that may have been shipped, the feed
 * therefore goes on in a new tree, from 0, under the name "FEED~TIME"; what is
 * still whole of the old one is delivered under the old name.  So it does
 * where the store does not extend what was signed (tree.h).  Every
 * checkpoint ever made stays true, and nothing is missing in either tree.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct store;

enum store_access {
	STORE_DURABLE, /* synchronous=FULL: what is committed stays */
	STORE_RELAXED, /* synchronous=NORMAL: for positions, may fall back */
	STORE_READ,    /* for watch and the command line */
	STORE_COPY     /* STORE_READ of a file that no agent runs on, such as a
			  backup: damage is told, and nobody is to repair it */
};

/* Open, create where missing (not to read), migrate forward
 * (migrate.h).  A file written by a newer version is refused. */
struct store *store_open(const char *path, enum store_access access,
    struct err *err);
void store_close(struct store *s);

/* Have fn called, once, when a lock that another process has on a store has
 * been waited for for half a second: of this process. */
void store_on_wait(void (*fn)(void *ctx), void *ctx);

/* Will store_open() bring the file at path to a newer version?  Then *version
 * is what it is now, else 0. */
int store_older(const char *path, int64_t *version, struct err *err);

/* A handle on whatever is at path, for store_check(): nothing is checked, made
 * or migrated. */
struct store *store_open_bare(const char *path, struct err *err);

/* The store's real file, whatever links lead there and however path is
 * spelled; path itself where that cannot be told.  All that belongs to the
 * store stands beside it.  The caller frees it. */
char *store_real_path(const char *path);

/* There will be nothing to do for a while: give back memory that is kept for
 * the next commit.  Any thread. */
void store_rest(struct store *s);

/* When events were last committed, monotonic; 0: not since store_rest(). */
int64_t store_committed(const struct store *s);

/* Check the file before the roles start (supervisor): recover or quarantine.
 * All of it is read where it is small or damage was met; else the tables but
 * not the events.  message (size bytes) gets a sentence when something was
 * found, else "".  Nobody else may have the store open.  -1 leaves all as it
 * was. */
int store_check(const char *path, char *message, size_t size, struct err *err);

/* Since the last store_check(), someone has met damage in the store: SQLite
 * said so to one of its functions, or store_flag_damage() was called, by who
 * found the bytes of an event damaged.  All roles have to end for a
 * store_check(). */
bool store_damaged(const char *path);
void store_flag_damage(struct store *s);

struct store_room {
	int64_t used;     /* bytes that hold data: of the file, and its WAL */
	int64_t wal;      /* of these in the WAL */
	int64_t max_size; /* as configured */
	int64_t free;     /* on its file system */
	int64_t min_free; /* as configured, or what it cannot do without */
	bool full;        /* collect pauses */
	bool by_size; /* since it has max_size, not for want of free space */
};

/* The name of the agent, for the lines of events; set once after open.  Without
 * it they have none. */
void store_agent(struct store *s, const char *name);

/* Limits for store_room_now(); set once after open. */
void store_limits(struct store *s, int64_t max_size, int64_t min_free);

/* Where its WAL alone makes it full, it is carried over first, which a handle
 * that only reads leaves to others. */
int store_room_now(struct store *s, struct store_room *room, struct err *err);

/* Another handle found it full, and not emptier since; or not: full ends a
 * twentieth below a limit, so that collecting does not stop and go. */
void store_was_full(struct store *s, bool full);

/* Is there so little room on the file system of path that a store cannot even
 * be opened? */
bool store_cramped(const char *path);

/* Since when (monotonic) the WAL is too large and cannot be carried over into
 * the file, because someone reads an old state of it and does not end; 0: it
 * can.  As store_clean() found by this handle. */
int64_t store_starved(struct store *s);

/* Housekeeping, by ship and collect, about once a second: delete payloads of
 * batches that every output has passed for longer than retain, and metadata
 * older than theirs, give pages back.  outputs: the configured names;
 * positions of others are forgotten by position_set_outputs(). */
int store_clean(struct store *s, int64_t retain, struct err *err);

/* By collect: forget ids beyond the feeds' dedupe times and items that
 * expired at the vendor long before now.  What is forgotten too early comes
 * again as new, so now should be a time that is surely over, whatever the
 * local clock says. */
int store_forget(struct store *s, int64_t now, struct err *err);

#endif /* STORE_STORE_H */
