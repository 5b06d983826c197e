/*
 * connect.c - the connection of a handle to SQLite.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/connect.h"
#include "store/db.h"
#include "store/mode.h"

/*
 * auto_vacuum works only before the first table.  Memory is bounded: a small
 * page cache, no mmap, no temporary files.  Batches fill many pages: large
 * ones cost fewer calls.  A WAL is carried over into the file at 4 MiB and
 * cut back to 16 MiB after a reader has held it up.
 */
static const char settings[] = "PRAGMA page_size=16384;"
			       "PRAGMA auto_vacuum=INCREMENTAL;"
			       "PRAGMA journal_mode=WAL;"
			       "PRAGMA wal_autocheckpoint=256;"
			       "PRAGMA journal_size_limit=16777216;"
			       "PRAGMA cache_size=" DB_CACHE_BUSY ";"
			       "PRAGMA mmap_size=0;"
			       "PRAGMA temp_store=MEMORY;";

static const char settings_read[] = "PRAGMA query_only=ON;"
				    "PRAGMA cache_size=" DB_CACHE_REST ";"
				    "PRAGMA mmap_size=0;"
				    "PRAGMA temp_store=MEMORY;";

/* SQLite would let everyone read it; its other files get the mode of this one.
 * What goes wrong here, SQLite will tell. */
static int
create_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, STORE_MODE);

	if (fd < 0)
		return 0;
	(void)close(fd);
	return file_sync_folder(path, err);
}

/* Bytes in the file beside it whose name ends so; -1: there is none. */
static int64_t
size_beside(const char *path, const char *tail)
{
	char *name = xasprintf("%s%s", path, tail);
	struct stat st;
	int64_t size = stat(name, &st) == 0 ? st.st_size : -1;

	free(name);
	return size;
}

/* A file that is not in WAL mode, such as a backup that was put in the place of
 * the store, has no WAL: one beside it belongs to the store before.  The WAL is
 * looked at first: it is made after the file has said that it has one. */
static bool
has_stale_wal(const char *path)
{
	uint8_t head[20] = { 0 };
	bool stale = false;
	int fd = -1;

	if (size_beside(path, "-wal") > 0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		stale = pread(fd, head, sizeof(head), 0) == sizeof(head) &&
		    head[18] == 1 && head[19] == 1;
		(void)close(fd);
	}
	return stale;
}

/* SQLite would write its pages into this file. */
static int
leave_stale_wal(const char *path, struct err *err)
{
	char *wal, *aside;
	int rc = 0;

	if (!has_stale_wal(path))
		return 0;
	wal = xasprintf("%s-wal", path);
	aside = xasprintf("%s-wal.stale", path);
	if (rename(wal, aside) != 0)
		rc = err_set(err,
		    "%s: does not belong to %s, and cannot be renamed: %s; "
		    "move it away",
		    wal, path, strerror(errno));
	free(aside);
	free(wal);
	return rc;
}

#define AS_EVER ""
#define AS_IT_IS "immutable=1"
#define WITHOUT_LOCKS "vfs=unix-none"

/* Where nothing can be written and nobody writes, SQLite reads a WAL with an
 * index in its own memory, for which it wants a lock that only a file to write
 * could have; or a file as it is, and then it passes over any WAL.  Where
 * there is an index, an agent may run that can write there by another mount;
 * a journal that is left is to be rolled back. */
static const char *
way_to_read(const char *path)
{
	const int64_t wal = size_beside(path, "-wal");

	if (!file_mounted_to_read(path) ||
	    (wal >= 0 && size_beside(path, "-shm") >= 0) ||
	    size_beside(path, "-journal") > 0)
		return AS_EVER;
	return wal > 0 && !has_stale_wal(path) ? WITHOUT_LOCKS : AS_IT_IS;
}

/* What a path may have and a URI keeps for itself is written as %XX. */
static char *
uri_of(const char *path, const char *query)
{
	char *name = xcalloc(3, strlen(path) + 1), *end = name;
	char *uri;

	for (; *path != '\0'; path++) {
		if (strchr("%?#", *path) == NULL)
			*end++ = *path;
		else
			end += sprintf(end, "%%%02X", (unsigned)*path);
	}
	uri = xasprintf("file:%s?%s", name, query);
	free(name);
	return uri;
}

static int
open_file(struct store *s, const char *name, int flags, struct err *err)
{
	int rc = sqlite3_open_v2(name, &s->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | flags, NULL);

	if (rc != SQLITE_OK)
		return err_set(err, "%s: cannot be opened: %s", s->path,
		    s->db == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(s->db));
	(void)sqlite3_busy_handler(s->db, db_busy, NULL);
	return 0;
}

int
connect_bare(struct store *s, struct err *err)
{
	return leave_stale_wal(s->path, err) != 0
	    ? -1
	    : open_file(s, s->path, 0, err);
}

int
connect_to_write(struct store *s, struct err *err)
{
	if (leave_stale_wal(s->path, err) != 0 ||
	    create_file(s->path, err) != 0 ||
	    open_file(s, s->path, SQLITE_OPEN_CREATE, err) != 0)
		return -1;
	(void)sqlite3_extended_result_codes(s->db, 1);
	return db_exec(s, settings, err);
}

int
connect_to_read(struct store *s, struct err *err)
{
	const char *way = way_to_read(s->path);
	char *uri = uri_of(s->path, way);
	int rc = open_file(s, uri, SQLITE_OPEN_URI, err), tries = 0;

	free(uri);
	if (rc != 0)
		return -1;
	(void)sqlite3_extended_result_codes(s->db, 1);
	/* Looking must not carry over the WAL of a store that is down. */
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
	    NULL);
	/* Said before anything is read, it keeps the index in memory. */
	if (strcmp(way, WITHOUT_LOCKS) == 0 &&
	    db_exec(s, "PRAGMA locking_mode=EXCLUSIVE", err) != 0)
		return -1;
	do {
		rc = sqlite3_exec(s->db, settings_read, NULL, NULL, NULL);
	} while (db_awaits_index(rc, &tries));
	return rc == SQLITE_OK ? 0 : db_fail(s, rc, err);
}
