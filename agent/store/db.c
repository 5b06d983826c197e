/*
 * db.c - the handle behind struct store: statements, transactions, errors.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/mode.h"
#include "store/reserve.h"
#include "store/schema.h"

/* A writer holds the lock for milliseconds; a recovery or a merge of runs for
 * some seconds. */
#define BUSY_MAX (30 * CLOCK_SECOND)
#define INDEX_MAX (5 * CLOCK_SECOND)
#define BUSY_NAP_MIN 200 /* microseconds */
#define BUSY_NAP_MAX 10000

#define BUSY_TOLD (CLOCK_SECOND / 2)

static struct {
	void (*fn)(void *ctx); /* NULL: nobody, or it was called */
	void *ctx;
} waiting;

void
db_on_wait(void (*fn)(void *ctx), void *ctx)
{
	waiting.fn = fn;
	waiting.ctx = ctx;
}

static void
tell_waiting(void)
{
	void (*fn)(void *ctx) = waiting.fn;

	waiting.fn = NULL;
	if (fn != NULL)
		fn(waiting.ctx);
}

int
db_busy(void *ctx, int tries)
{
	struct timespec nap = { .tv_nsec = BUSY_NAP_MIN * 1000L };

	(void)ctx;
	if (tries > 5)
		nap.tv_nsec = BUSY_NAP_MAX * 1000L;
	if (tries > BUSY_MAX / BUSY_NAP_MAX)
		return 0;
	if (tries == BUSY_TOLD / BUSY_NAP_MAX)
		tell_waiting();
	(void)nanosleep(&nap, NULL);
	return 1;
}

bool
db_awaits_index(int rc, int *tries)
{
	return (rc == SQLITE_READONLY_CANTINIT ||
		   rc == SQLITE_READONLY_RECOVERY) &&
	    *tries < INDEX_MAX / BUSY_NAP_MAX && db_busy(NULL, (*tries)++) != 0;
}

bool
db_means_damage(const struct store *s, int rc)
{
	return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB ||
	    ((rc & 0xff) == SQLITE_ERROR && !s->misspoke);
}

int
db_blame(struct store *s, const char *sql, int rc)
{
	if ((rc & 0xff) != SQLITE_ERROR)
		return rc;
	if (schema_understands(sql))
		return SQLITE_CORRUPT;
	s->misspoke = true;
	return rc;
}

void
db_flag_damage(const char *path)
{
	char *name = xasprintf("%s.suspect", path);
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, STORE_MODE);

	if (fd >= 0)
		(void)close(fd);
	free(name);
}

bool
db_damage_flagged(const char *path)
{
	char *name = xasprintf("%s.suspect", path);
	bool there = access(name, F_OK) == 0;

	free(name);
	return there;
}

void
db_unflag_damage(const char *path)
{
	char *name = xasprintf("%s.suspect", path);

	(void)unlink(name);
	free(name);
}

void
db_lock(struct store *s)
{
	(void)pthread_mutex_lock(&s->mutex);
}

void
db_unlock(struct store *s)
{
	(void)pthread_mutex_unlock(&s->mutex);
}

/* Have the agent repair it, where it is one's. */
static int
tell_damage(struct store *s, const char *what, struct err *err)
{
	if (s->copy)
		return err_set(err,
		    "%s: damaged, or no store of sealfeed (%s); take another "
		    "backup",
		    s->path, what);
	db_flag_damage(s->path);
	return err_set(err,
	    "%s: damaged (%s); it is moved aside and what can be read is "
	    "recovered at the next start",
	    s->path, what);
}

int
db_damaged(struct store *s, struct err *err, const char *what, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, what);
	(void)vsnprintf(text, sizeof(text), what, ap);
	va_end(ap);
	return tell_damage(s, text, err);
}

int
db_fail(struct store *s, int rc, struct err *err)
{
	const int cause = sqlite3_system_errno(s->db);

	switch (rc & 0xff) {
	case SQLITE_FULL:
		s->tight = true;
		return err_set(err,
		    "%s: no space left on its file system; make room there",
		    s->path);
	case SQLITE_IOERR:
		s->tight = cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
		return err_set(err,
		    "%s: cannot be read or written: %s; see to its disk",
		    s->path, cause != 0 ? strerror(cause) : sqlite3_errstr(rc));
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	/* Rules that only rows which contradict each other can break. */
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return tell_damage(s, sqlite3_errmsg(s->db), err);
	case SQLITE_BUSY:
		return err_set(err,
		    "%s: locked by another process for too long; stop whatever "
		    "holds it open for writing",
		    s->path);
	case SQLITE_READONLY:
		if ((rc == SQLITE_READONLY_CANTINIT ||
			rc == SQLITE_READONLY_RECOVERY) &&
		    !file_mounted_to_read(s->path))
			return err_set(err,
			    "%s: the index of its log is to be made anew; "
			    "start the agent, or run this as its user",
			    s->path);
		/* fall through */
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return err_set(err, "%s: %s%s", s->path, sqlite3_errmsg(s->db),
		    file_mounted_to_read(s->path)
			? ", and its file system is mounted for reading only; "
			  "copy it, with its -wal, to where it can be written, "
			  "and name the copy"
			: "; run this as the agent's user");
	default:
		return err_set(err, "%s: %s%s", s->path, sqlite3_errmsg(s->db),
		    (rc & 0xff) == SQLITE_ERROR && s->misspoke
			? ", which is no damage but an error of sealfeed; "
			  "please report it"
			: "");
	}
}

int
db_exec(struct store *s, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_fail(s, rc, err);
}

/* synchronous can be set only between transactions. */
static int
set_relaxed(struct store *s, bool relaxed, struct err *err)
{
	if (s->relaxed == relaxed)
		return 0;
	if (db_exec(s,
		relaxed ? "PRAGMA synchronous=NORMAL"
			: "PRAGMA synchronous=FULL",
		err) != 0)
		return -1;
	s->relaxed = relaxed;
	return 0;
}

bool
db_checkpoint(struct store *s, bool truncate)
{
	int rc;

	(void)sqlite3_busy_handler(s->db, NULL, NULL);
	rc = sqlite3_wal_checkpoint_v2(s->db, NULL,
	    truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART,
	    NULL, NULL);
	(void)sqlite3_busy_handler(s->db, db_busy, NULL);
	return rc == SQLITE_OK;
}

/* On a full disk the WAL cannot grow, yet its content can be moved into the
 * file, and the WAL then be written again from its beginning: so that seal and
 * the deletions which make room still find some.  What collects waits. */
static int
make_room(struct store *s, struct err *err)
{
	if (!s->tight)
		return 0;
	if (s->feeds == 0)
		reserve_release(s->path);
	else if (!reserve_keep(s->path))
		return db_fail(s, SQLITE_FULL, err);
	if (db_checkpoint(s, false))
		s->tight = false;
	return 0;
}

static int
begin(struct store *s, bool relaxed, struct err *err)
{
	db_lock(s);
	if (make_room(s, err) != 0 || set_relaxed(s, relaxed, err) != 0 ||
	    db_run(s, err, "BEGIN IMMEDIATE", "") != 0) {
		db_unlock(s);
		return -1;
	}
	return 0;
}

int
db_begin(struct store *s, struct err *err)
{
	return begin(s, !s->durable, err);
}

int
db_begin_durable(struct store *s, struct err *err)
{
	return begin(s, false, err);
}

int
db_begin_relaxed(struct store *s, struct err *err)
{
	return begin(s, true, err);
}

int
db_end(struct store *s, int rc, struct err *err)
{
	if (rc == 0)
		rc = db_run(s, err, "COMMIT", "");
	/* SQLite may have rolled back already; a second time does no harm and
	 * the failure has been told. */
	if (rc != 0 && sqlite3_get_autocommit(s->db) == 0)
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	db_unlock(s);
	return rc;
}

int
db_view_begin(struct store *s, struct err *err)
{
	return db_exec(s, "BEGIN; SELECT count(*) FROM sqlite_schema", err);
}

void
db_view_end(struct store *s)
{
	/* A failure may have ended it already. */
	if (sqlite3_get_autocommit(s->db) == 0)
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* The statement for the literal sql, prepared at its first use. */
static sqlite3_stmt *
statement(struct store *s, const char *sql, struct err *err)
{
	size_t at = ((uintptr_t)sql >> 3) * 31;
	int rc, tries = 0;

	for (at %= DB_STATEMENTS; s->kept[at].sql != NULL;
	     at = (at + 1) % DB_STATEMENTS) {
		if (s->kept[at].sql == sql)
			return s->kept[at].st;
	}
	do {
		rc = sqlite3_prepare_v3(s->db, sql, -1,
		    SQLITE_PREPARE_PERSISTENT, &s->kept[at].st, NULL);
	} while (db_awaits_index(rc, &tries));
	if (rc != SQLITE_OK) {
		(void)db_fail(s, db_blame(s, sql, rc), err);
		return NULL;
	}
	s->kept[at].sql = sql;
	return s->kept[at].st;
}

static int
bind_counts(sqlite3_stmt *st, int *at, const uint64_t *count, size_t n)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < n && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_int64(st, (*at)++, (int64_t)count[i]);
	return rc;
}

/* Bind the argument of that type and move *at behind it. */
static int
bind_next(sqlite3_stmt *st, int *at, char type, va_list *ap)
{
	const uint64_t *count;
	const void *data;
	int64_t n;

	switch (type) {
	case 'i':
		return sqlite3_bind_int64(st, (*at)++, va_arg(*ap, int64_t));
	case 'm':
		n = va_arg(*ap, int64_t);
		return n == INT64_MIN ? sqlite3_bind_null(st, (*at)++)
				      : sqlite3_bind_int64(st, (*at)++, n);
	case 't':
		return sqlite3_bind_text(st, (*at)++, va_arg(*ap, const char *),
		    -1, SQLITE_STATIC);
	case 'b':
		data = va_arg(*ap, const void *);
		return sqlite3_bind_blob64(st, (*at)++,
		    data == NULL ? "" : data, va_arg(*ap, size_t),
		    SQLITE_STATIC);
	case 'c':
		count = va_arg(*ap, const uint64_t *);
		return bind_counts(st, at, count, va_arg(*ap, size_t));
	default:
		return SQLITE_MISUSE;
	}
}

static sqlite3_stmt *
query(struct store *s, struct err *err, const char *sql, const char *types,
    va_list ap)
{
	sqlite3_stmt *st = statement(s, sql, err);
	va_list rest;
	int rc = SQLITE_OK, at = 1;

	if (st == NULL)
		return NULL;
	va_copy(rest, ap);
	for (; *types != '\0' && rc == SQLITE_OK; types++)
		rc = bind_next(st, &at, *types, &rest);
	va_end(rest);
	if (rc == SQLITE_OK)
		return st;
	(void)db_fail(s, rc, err);
	db_done(st);
	return NULL;
}

sqlite3_stmt *
db_query(struct store *s, struct err *err, const char *sql, const char *types,
    ...)
{
	sqlite3_stmt *st;
	va_list ap;

	va_start(ap, types);
	st = query(s, err, sql, types, ap);
	va_end(ap);
	return st;
}

int
db_step(struct store *s, sqlite3_stmt *st, struct err *err)
{
	int rc, tries = 0;

	do {
		rc = sqlite3_step(st);
	} while (db_awaits_index(rc, &tries));
	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		(void)db_fail(s, rc, err);
	db_done(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

void
db_done(sqlite3_stmt *st)
{
	if (st == NULL)
		return;
	/* Its failure was told by the step. */
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
}

void
db_forget(struct store *s)
{
	for (size_t i = 0; i < DB_STATEMENTS; i++)
		(void)sqlite3_finalize(s->kept[i].st);
	memset(s->kept, 0, sizeof(s->kept));
}

int
db_run(struct store *s, struct err *err, const char *sql, const char *types,
    ...)
{
	sqlite3_stmt *st;
	va_list ap;
	int rc;

	va_start(ap, types);
	st = query(s, err, sql, types, ap);
	va_end(ap);
	if (st == NULL)
		return -1;
	do {
		rc = db_step(s, st, err);
	} while (rc == 1);
	return rc;
}

int
db_number(struct store *s, struct err *err, int64_t def, int64_t *n,
    const char *sql, const char *types, ...)
{
	sqlite3_stmt *st;
	va_list ap;
	int rc;

	va_start(ap, types);
	st = query(s, err, sql, types, ap);
	va_end(ap);
	if (st == NULL)
		return -1;
	rc = db_step(s, st, err);
	if (rc < 0)
		return -1;
	*n = def;
	if (rc == 1) {
		if (sqlite3_column_type(st, 0) != SQLITE_NULL)
			*n = sqlite3_column_int64(st, 0);
		db_done(st);
	}
	return 0;
}

int64_t
db_time(sqlite3_stmt *st, int column)
{
	const int64_t when = sqlite3_column_int64(st, column);

	if (sqlite3_column_type(st, column) == SQLITE_NULL || when < 0)
		return INT64_MIN;
	return when;
}

int64_t
db_when(sqlite3_stmt *st, int column)
{
	const int64_t when = sqlite3_column_int64(st, column);

	return when < 0 ? 0 : when;
}

void
db_text(sqlite3_stmt *st, int column, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(st, column);
	size_t len = (size_t)sqlite3_column_bytes(st, column);

	if (text == NULL)
		len = 0;
	if (len >= size)
		len = size - 1;
	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

int
db_goes_on(const char *table, int order, struct err *err)
{
	if (order > 0)
		return 1;
	return err_set(err,
	    "table %s has a row that nobody wrote; \"sealfeed store check "
	    "--repair\" has the agent repair the store",
	    table);
}

int
db_blob(sqlite3_stmt *st, int column, struct buf *b, struct err *err)
{
	const void *data = sqlite3_column_blob(st, column);
	const size_t len = (size_t)sqlite3_column_bytes(st, column);

	buf_clear(b);
	if (buf_add(b, data, len) != 0)
		return err_set(err, "store: a value of %zu bytes is too large",
		    len);
	return 0;
}

size_t
db_changes(struct store *s)
{
	return (size_t)sqlite3_changes(s->db);
}
