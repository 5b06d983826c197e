/*
 * backup.c - a copy of the store in one file, made while the agent runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/human.h"
#include "base/mem.h"
#include "store/backup.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store/store.h"

#define MODE 0600
#define STEP 256                /* pages: 4 MiB */
#define LOG_MAX (64 << 20)      /* eight times what one grows to */
#define SLACK (1 << 20)         /* for the log and what SQLite needs */
#define UNASKED_MAX (1LL << 30) /* larger ones are not copied at a start */

/* How large the copy will be. */
static int
size_of(struct store *s, int64_t *bytes, struct err *err)
{
	int64_t pages, size;

	if (db_number(s, err, 0, &pages, "PRAGMA page_count", "") != 0 ||
	    db_number(s, err, 0, &size, "PRAGMA page_size", "") != 0)
		return -1;
	*bytes = pages * size;
	return 0;
}

/* What is free on the file system that path will be on; -1. */
static int64_t
free_for(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL
	    ? xstrdup(".")
	    : xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	struct statvfs fs;
	int64_t bytes = -1;

	if (statvfs(dir, &fs) == 0)
		bytes = (int64_t)(fs.f_bavail * fs.f_frsize);
	else
		(void)err_set(err, "%s: %s; make the folder first", dir,
		    strerror(errno));
	free(dir);
	return bytes;
}

static int
have_room(const struct backup *b, struct err *err)
{
	const int64_t need = b->bytes + SLACK + b->min_free;
	const int64_t there = free_for(b->file, err);
	char a[HUMAN_TEXT], c[HUMAN_TEXT], d[HUMAN_TEXT];

	if (there < 0)
		return -1;
	if (there >= need)
		return 0;
	if (b->min_free == 0)
		return err_set(err,
		    "%s: there is no room for it: the store has %s, and %s "
		    "are free; name a file on another file system",
		    b->file, human_bytes(a, (uint64_t)b->bytes),
		    human_bytes(d, (uint64_t)there));
	return err_set(err,
	    "%s: there is no room for it: the store has %s, %s must stay free, "
	    "and %s are; name a file on another file system",
	    b->file, human_bytes(a, (uint64_t)b->bytes),
	    human_bytes(c, (uint64_t)b->min_free),
	    human_bytes(d, (uint64_t)there));
}

/* What the copying said. */
static int
copy_failed(const struct backup *b, sqlite3 *to, int rc, struct err *err)
{
	return err_set(err, "%s: cannot be written: %s", b->file,
	    rc == SQLITE_FULL ? "no space left on its file system"
			      : sqlite3_errmsg(to));
}

/* Copy all pages of the state that s reads. */
static int
copy_pages(struct store *s, struct backup *b, sqlite3 *to, struct err *err)
{
	sqlite3_backup *copy = sqlite3_backup_init(to, "main", s->db, "main");
	bool ended = false;
	int rc, tries = 0;

	if (copy == NULL)
		return copy_failed(b, to, sqlite3_errcode(to), err);
	do {
		rc = sqlite3_backup_step(copy, STEP);
		if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
			rc = db_busy(NULL, tries++) ? SQLITE_OK : rc;
			continue;
		}
		tries = 0;
		ended = rc == SQLITE_OK && b->progress != NULL &&
		    b->progress(b->ctx,
			sqlite3_backup_pagecount(copy) -
			    sqlite3_backup_remaining(copy),
			sqlite3_backup_pagecount(copy)) != 0;
	} while (rc == SQLITE_OK && !ended);
	(void)sqlite3_backup_finish(copy);
	if (ended)
		return err_set(err, "%s: not made: interrupted", b->file);
	if (rc == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_IOERR)
		return db_fail(s, rc, err);
	return rc == SQLITE_DONE ? 0 : copy_failed(b, to, rc, err);
}

/* Without a WAL, and told from a store. */
static int
mark(const struct backup *b, sqlite3 *to, const struct buf *log,
    struct err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_exec(to,
	    "PRAGMA journal_mode=DELETE;"
	    "DROP TABLE IF EXISTS backup;"
	    "CREATE TABLE backup (made INTEGER NOT NULL,"
	    " program TEXT NOT NULL, log BLOB NOT NULL)",
	    NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(to,
		    "INSERT INTO backup VALUES (?, '" PACKAGE_VERSION "', ?)",
		    -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(st, 1, clock_now());
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob64(st, 2,
		    log->data == NULL ? "" : log->data, log->len,
		    SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st) == SQLITE_DONE ? SQLITE_OK
						     : sqlite3_errcode(to);
	(void)sqlite3_finalize(st);
	return rc == SQLITE_OK ? 0 : copy_failed(b, to, rc, err);
}

static int
go_on(void *ctx)
{
	const struct backup *b = ctx;

	return b->progress != NULL && b->progress(b->ctx, 1, 1) != 0;
}

/* Pages are copied as they are: is a store that is damaged without anybody
 * knowing, which no backup should replace an older one for? */
static int
check_copy(struct backup *b, sqlite3 *to, struct err *err)
{
	sqlite3_stmt *st = NULL;
	char what[256] = "";
	int rc;

	sqlite3_progress_handler(to, 100000, go_on, b);
	rc = sqlite3_prepare_v2(to, "PRAGMA integrity_check(1)", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		db_text(st, 0, what, sizeof(what));
	else
		(void)snprintf(what, sizeof(what), "%s", sqlite3_errmsg(to));
	(void)sqlite3_finalize(st);
	sqlite3_progress_handler(to, 0, NULL, NULL);
	for (char *c = what; *c != '\0'; c++)
		if (*c == '\n')
			*c = ' ';
	if (rc == SQLITE_INTERRUPT)
		return err_set(err, "%s: not made: interrupted", b->file);
	if (rc == SQLITE_ROW && strcmp(what, "ok") == 0)
		return 0;
	return err_set(err,
	    "%s: not made: the store is damaged (%s); keep the last backup; "
	    "\"sealfeed store check --repair\" has the agent repair the store",
	    b->file, what);
}

/* Seal writes its log before the store, so the log as it is after the copy
 * knows all that is signed in it. */
static int
read_log(const struct backup *b, struct buf *log, struct err *err)
{
	if (b->log == NULL || access(b->log, F_OK) != 0)
		return 0;
	return file_read(b->log, log, err);
}

static int
fill(struct store *s, struct backup *b, const char *part, struct err *err)
{
	struct buf log = BUF_INIT(LOG_MAX);
	sqlite3 *to = NULL;
	int rc = sqlite3_open_v2(part, &to,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	rc = rc == SQLITE_OK ? 0 : copy_failed(b, to, rc, err);
	if (rc == 0 &&
	    sqlite3_exec(to, "PRAGMA synchronous=OFF", NULL, NULL, NULL) !=
		SQLITE_OK)
		rc = copy_failed(b, to, sqlite3_errcode(to), err);
	if (rc == 0)
		rc = copy_pages(s, b, to, err);
	if (rc == 0)
		rc = read_log(b, &log, err);
	if (rc == 0)
		rc = mark(b, to, &log, err);
	if (rc == 0 && b->sound)
		rc = check_copy(b, to, err);
	if (sqlite3_close(to) != SQLITE_OK && rc == 0)
		rc = err_set(err, "%s: cannot be closed", b->file);
	buf_release(&log);
	return rc;
}

/* Give the finished copy its name, unless another has it by now. */
static int
publish(struct backup *b, int fd, const char *part, struct err *err)
{
	struct stat st;

	if (fsync(fd) != 0 || fstat(fd, &st) != 0)
		return err_set(err, "%s: cannot be written: %s", b->file,
		    strerror(errno));
	b->bytes = st.st_size;
	if (link(part, b->file) == 0)
		(void)unlink(part);
	/* Some file systems have no links. */
	else if (errno == EEXIST || access(b->file, F_OK) == 0 ||
	    rename(part, b->file) != 0)
		return err_set(err, "%s: cannot be created: %s", b->file,
		    strerror(errno));
	return file_sync_folder(b->file, err);
}

/* Into FILE.part, which is ours. */
static int
make_part(struct store *s, struct backup *b, const char *part, struct err *err)
{
	int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
	int rc;

	if (fd < 0 && errno == EEXIST)
		return err_set(err,
		    "%s: there already: another backup is being made, or was "
		    "interrupted; delete it in the latter case",
		    part);
	if (fd < 0)
		return err_set(err,
		    "%s: cannot be created: %s; name a file in a folder that "
		    "you may write to",
		    part, strerror(errno));
	rc = fill(s, b, part, err);
	if (rc == 0)
		rc = publish(b, fd, part, err);
	if (rc != 0)
		(void)unlink(part);
	(void)close(fd);
	return rc;
}

/* The lock on the handle is held. */
static int
make(struct store *s, struct backup *b, struct err *err)
{
	char *part = xasprintf("%s.part", b->file);
	struct stat st;
	int rc = 0;

	if (lstat(b->file, &st) == 0)
		rc = err_set(err,
		    "%s: there already, and is not overwritten; name another "
		    "file",
		    b->file);
	if (rc == 0)
		rc = size_of(s, &b->bytes, err);
	if (rc == 0)
		rc = have_room(b, err);
	if (rc == 0)
		rc = make_part(s, b, part, err);
	free(part);
	return rc;
}

int
backup_make(struct store *s, struct backup *b, struct err *err)
{
	int rc;

	db_lock(s);
	/* A copy outside of a transaction would begin again with every commit
	 * of the agent's. */
	rc = db_view_begin(s, err);
	if (rc == 0)
		rc = make(s, b, err);
	db_view_end(s);
	db_unlock(s);
	return rc;
}

/* Why none is made unasked; "" where nothing speaks against it. */
static int
spared(struct store *s, int64_t min_free, char *why, size_t size,
    struct err *err)
{
	char a[HUMAN_TEXT], c[HUMAN_TEXT];
	int64_t bytes, there;

	why[0] = '\0';
	there = free_for(s->path, err);
	if (there < 0 || size_of(s, &bytes, err) != 0)
		return -1;
	if (bytes > UNASKED_MAX)
		(void)snprintf(why, size, "it has %s",
		    human_bytes(a, (uint64_t)bytes));
	else if (there < bytes + SLACK + min_free)
		(void)snprintf(why, size, "it has %s, and only %s are free",
		    human_bytes(a, (uint64_t)bytes),
		    human_bytes(c, (uint64_t)there));
	return 0;
}

int
backup_before_migration(const char *path, int64_t min_free, char *message,
    size_t size, struct err *err)
{
	struct backup b = { .min_free = min_free };
	struct store *s;
	int64_t version;
	char why[128];
	char *name, *real, *part;
	int rc;

	message[0] = '\0';
	/* What is too damaged to tell its version is for store_check(). */
	if (store_older(path, &version, NULL) != 0 || version == 0)
		return 0;
	s = store_open_bare(path, err);
	if (s == NULL)
		return -1;
	real = store_real_path(path);
	b.file = name = migrate_backup_name(real, version);
	rc = spared(s, min_free, why, sizeof(why), err);
	if (rc == 0 && why[0] != '\0') {
		(void)snprintf(message, size,
		    "%s: brought from version %lld to a newer one; no backup "
		    "of it as it was is made, since %s",
		    path, (long long)version, why);
	} else if (rc == 0) {
		/* Of a start that was killed. */
		part = xasprintf("%s.part", name);
		(void)unlink(part);
		(void)unlink(name);
		free(part);
		rc = backup_make(s, &b, err);
		(void)snprintf(message, size,
		    "%s: brought from version %lld to a newer one; %s is a "
		    "backup of it as it was, to be deleted when you will not "
		    "go back",
		    path, (long long)version, name);
	}
	free(name);
	free(real);
	store_close(s);
	return rc;
}

/* Only a backup has the table. */
static int
has_table(struct store *s, struct err *err)
{
	int64_t n;

	if (db_number(s, err, 0, &n,
		"SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
		" AND name = 'backup'",
		"") != 0)
		return -1;
	return n > 0;
}

int
backup_is(struct store *s, int64_t *made, struct err *err)
{
	int rc;

	db_lock(s);
	rc = has_table(s, err);
	if (rc == 1 &&
	    db_number(s, err, 0, made, "SELECT made FROM backup", "") != 0)
		rc = -1;
	db_unlock(s);
	return rc;
}

int
backup_log(struct store *s, struct buf *log, struct err *err)
{
	sqlite3_stmt *st;
	int rc;

	buf_clear(log);
	db_lock(s);
	rc = has_table(s, err);
	if (rc == 1) {
		st = db_query(s, err, "SELECT log FROM backup", "");
		rc = st == NULL ? -1 : db_step(s, st, err);
		if (rc == 1 && db_blob(st, 0, log, err) != 0)
			rc = -1;
		db_done(st);
	}
	db_unlock(s);
	return rc < 0 ? -1 : 0;
}

int
backup_adopt(struct store *s, struct err *err)
{
	if (db_begin_durable(s, err) != 0)
		return -1;
	return db_end(s, db_exec(s, "DROP TABLE IF EXISTS backup", err), err);
}
