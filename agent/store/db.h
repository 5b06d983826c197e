/*
 * db.h - the handle behind struct store, for the modules over its tables.
 *
 * Every public function of the store takes the handle with db_lock(), or with
 * db_begin() where it writes, and gives it back before it returns.  SQL
 * stands where it is used; its text, a string literal, is the key under which
 * the prepared statement is kept.
 *
 * Arguments are bound by a string of types, one letter each:
 *   i int64_t   t const char * (NULL: null)   b const void *, size_t
 *   m int64_t, INT64_MIN: null
 *   c const uint64_t *, size_t: so many arguments
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

struct buf;
struct err;
struct filter;
struct scratch;

/* Pages of the file, in kB, that a handle keeps: while it commits; and one
 * which only looks, at what the kernel has in its memory as well. */
#define DB_CACHE_BUSY "-1024"
#define DB_CACHE_REST "-16"

#define DB_STATEMENTS 256 /* a power of two, twice what there are */

struct store {
	sqlite3 *db;
	char *path;
	bool durable;              /* writes are synchronous=FULL by default */
	bool relaxed;              /* synchronous is NORMAL now */
	bool copy;                 /* opened as STORE_COPY */
	bool reads;                /* opened as that, or as STORE_READ */
	bool rests;                /* since store_rest(), until store_wake() */
	_Atomic int64_t committed; /* see store_committed() */
	pthread_mutex_t mutex;
	struct {
		const char *sql;
		sqlite3_stmt *st;
	} kept[DB_STATEMENTS];
	bool misspoke; /* a statement of ours was wrong: see db_blame() */
	bool tight;    /* the disk was full: make room in the WAL first */
	size_t feeds;  /* that were opened: the reserve is for others */
	int size_log;  /* descriptor, -1: none */
	int64_t max_size;
	int64_t min_free;
	bool full;
	int64_t starved;          /* see store_starved() */
	char agent[64];           /* store_agent() */
	struct filter *filter;    /* of the seen-set; see seen.h */
	pthread_rwlock_t filling; /* for its readers */
	size_t filter_bytes;      /* at most; a power of two */
	/* See pack.h: those that are not in use, and how many there are. */
	pthread_mutex_t scratch_mutex;
	pthread_cond_t scratch_given;
	struct scratch *scratch;
	size_t n_scratch;
};

/* The damage flag, PATH.suspect: someone has found the file at path damaged,
 * and all of it is read at the next store_check(), which takes it down. */
void db_flag_damage(const char *path);
bool db_damage_flagged(const char *path);
void db_unflag_damage(const char *path);

/* Does SQLite's answer speak of the bytes of the file, which may be those of
 * its schema?  A lock, a full disk, a lack of memory or a statement that is
 * wrong by itself is no damage. */
bool db_means_damage(const struct store *s, int rc);

/* What SQLite's rc for a statement that cannot be prepared comes from:
 * SQLITE_CORRUPT where the tables and indexes of the file are not those that
 * the text is about; SQLITE_ERROR, the text itself is wrong; else rc. */
int db_blame(struct store *s, const char *sql, int rc);

/* Who may only read the WAL's index waits a while for somebody to begin it, or
 * to make it anew after the end of a process that was about to change it: true,
 * it has slept a little and the call that gave rc is to be made again.  tries
 * begins with 0. */
bool db_awaits_index(int rc, int *tries);

/* SQLite's busy handler: sleeps a little.  What is called, once, when it has
 * done so for half a second. */
int db_busy(void *ctx, int tries);
void db_on_wait(void (*fn)(void *ctx), void *ctx);

void db_lock(struct store *s);
void db_unlock(struct store *s);

/* Lock, and begin to write: synchronous as the handle was opened, FULL where
 * a promise depends on it, or NORMAL where a crash may lose it. */
int db_begin(struct store *s, struct err *err);
int db_begin_durable(struct store *s, struct err *err);
int db_begin_relaxed(struct store *s, struct err *err);

/* Commit when rc is 0, else roll back; unlock.  Returns rc, or -1 when the
 * commit failed. */
int db_end(struct store *s, int rc, struct err *err);

/* What is read until db_view_end() is of one moment, in one read transaction;
 * the lock is the caller's affair. */
int db_view_begin(struct store *s, struct err *err);
void db_view_end(struct store *s);

/* Run a statement to its end. */
int db_run(struct store *s, struct err *err, const char *sql, const char *types,
    ...);

/* Begin a query; step with db_step().  NULL on failure. */
sqlite3_stmt *db_query(struct store *s, struct err *err, const char *sql,
    const char *types, ...);

/* 1: there is a row; 0: no more; -1.  The statement is ready for its next use
 * after 0 and -1. */
int db_step(struct store *s, sqlite3_stmt *st, struct err *err);

/* Leave a query before its end; NULL is fine. */
void db_done(sqlite3_stmt *st);

/* Keep no prepared statement: under db_lock(), where none is in use. */
void db_forget(struct store *s);

/* The one integer that a query gives; def where it gives no row or null. */
int db_number(struct store *s, struct err *err, int64_t def, int64_t *n,
    const char *sql, const char *types, ...);

/* Columns; a null time is INT64_MIN, a null text "".  A time before 1970, which
 * nobody wrote, counts as null, or as 1970 where there is always one: then it
 * can be reckoned with. */
int64_t db_time(sqlite3_stmt *st, int column);
int64_t db_when(sqlite3_stmt *st, int column);
void db_text(sqlite3_stmt *st, int column, char *out, size_t size);

/* Of a list that goes on from the last key that was read: 1 where order, which
 * compares the key of the new row of table with it, says that it lies behind.
 * A key that nobody wrote, as a blob or a text that does not fit its place,
 * would be found again for ever: -1. */
int db_goes_on(const char *table, int order, struct err *err);
/* Replace what b holds. */
int db_blob(sqlite3_stmt *st, int column, struct buf *b, struct err *err);

/* How many rows the last statement changed. */
size_t db_changes(struct store *s);

/* Something in the store cannot be: what says which; returns -1.  At the next
 * start it is repaired. */
int db_damaged(struct store *s, struct err *err, const char *what, ...)
    __attribute__((format(printf, 3, 4)));

/* What SQLite's rc means for the administrator; returns -1. */
int db_fail(struct store *s, int rc, struct err *err);

/* Carry the WAL over into the file and begin it anew if nobody stands in the
 * way just now; truncate: cut it off, too.  Outside transactions. */
bool db_checkpoint(struct store *s, bool truncate);

/* Bare SQL, without arguments, not kept. */
int db_exec(struct store *s, const char *sql, struct err *err);

#endif /* STORE_DB_H */
