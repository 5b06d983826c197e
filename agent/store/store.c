/*
 * store.c - the one SQLite file that the roles share: open and migrate.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/mark.h"
#include "store/pack.h"
#include "store/seen.h"

/* Each step brings user_version from its place in the table to the next. */
static const char schema[] = {
#include "store/schema.inc"
	0
};

static const char *const migrations[] = {
	schema,
};

#define NEWEST ((int64_t)(sizeof(migrations) / sizeof(migrations[0])))

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
			       "PRAGMA cache_size=-1024;"
			       "PRAGMA mmap_size=0;"
			       "PRAGMA temp_store=MEMORY;";

static const char settings_read[] = "PRAGMA query_only=ON;"
				    "PRAGMA cache_size=-512;"
				    "PRAGMA mmap_size=0;"
				    "PRAGMA temp_store=MEMORY;";

/* A database with tables and no version is not ours to write to. */
static int
refuse_foreign(struct store *s, struct err *err)
{
	int64_t tables;

	if (db_number(s, err, 0, &tables, "SELECT count(*) FROM sqlite_schema",
		"") != 0)
		return -1;
	if (tables > 0)
		return err_set(err,
		    "%s: a database of another program; name another file in "
		    "agent.store.path",
		    s->path);
	return 0;
}

/* In one transaction each, so that two roles may try at once. */
static int
migrate(struct store *s, struct err *err)
{
	int64_t version;
	char pragma[64];

	if (db_number(s, err, 0, &version, "PRAGMA user_version", "") != 0)
		return -1;
	if (version > NEWEST)
		return err_set(err,
		    "%s: written by a newer version of sealfeed; install that "
		    "version or name another file in agent.store.path",
		    s->path);
	while (version < NEWEST) {
		int rc;

		if (db_begin(s, err) != 0)
			return -1;
		rc = db_number(s, err, 0, &version, "PRAGMA user_version", "");
		if (rc == 0 && version == 0)
			rc = refuse_foreign(s, err);
		if (rc == 0 && version < NEWEST) {
			(void)snprintf(pragma, sizeof(pragma),
			    "PRAGMA user_version=%d", (int)version + 1);
			rc = db_exec(s, migrations[version], err);
			if (rc == 0)
				rc = db_exec(s, pragma, err);
			version++;
		}
		if (db_end(s, rc, err) != 0)
			return -1;
	}
	return 0;
}

/* SQLite would let everyone read it; its other files get the mode of this one.
 * What goes wrong here, SQLite will tell. */
static void
create_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd >= 0)
		(void)close(fd);
}

static int
connect_file(struct store *s, struct err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int rc;

	if (s->access != STORE_READ) {
		flags |= SQLITE_OPEN_CREATE;
		create_file(s->path);
	}
	rc = sqlite3_open_v2(s->path, &s->db, flags, NULL);
	if (rc != SQLITE_OK)
		return err_set(err, "%s: cannot be opened: %s", s->path,
		    s->db == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(s->db));
	(void)sqlite3_extended_result_codes(s->db, 1);
	(void)sqlite3_busy_handler(s->db, db_busy, NULL);
	if (s->access != STORE_READ)
		return db_exec(s, settings, err);
	/* Looking must not carry over the WAL of a store that is down. */
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
	    NULL);
	return db_exec(s, settings_read, err);
}

static int
set_up(struct store *s, struct err *err)
{
	if (s->access == STORE_READ && access(s->path, F_OK) != 0)
		return err_set(err,
		    "%s: %s; the agent makes it when it first runs, or "
		    "agent.store.path names another",
		    s->path, strerror(errno));
	if (s->access != STORE_READ && file_parents(s->path, err) != 0)
		return -1;
	if (connect_file(s, err) != 0 || migrate(s, err) != 0)
		return -1;
	if (s->access == STORE_READ)
		return 0;
	(void)mark_keep_reserve(s);
	s->relaxed = s->access != STORE_DURABLE;
	if (db_exec(s,
		s->relaxed ? "PRAGMA synchronous=NORMAL"
			   : "PRAGMA synchronous=FULL",
		err) != 0)
		return -1;
	return mark_open(s, err);
}

static struct store *
new_handle(const char *path, enum store_access access)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->path = xstrdup(path);
	s->access = access;
	s->mark = -1;
	s->filter_bytes = SEEN_FILTER;
	(void)pthread_mutex_init(&s->mutex, NULL);
	(void)pthread_mutex_init(&s->kit_mutex, NULL);
	(void)pthread_cond_init(&s->kit_given, NULL);
	(void)pthread_rwlock_init(&s->filling, NULL);
	return s;
}

struct store *
db_open_bare(const char *path, struct err *err)
{
	struct store *s = new_handle(path, STORE_READ);
	int rc = sqlite3_open_v2(path, &s->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK) {
		(void)sqlite3_busy_handler(s->db, db_busy, NULL);
		return s;
	}
	(void)err_set(err, "%s: cannot be opened: %s", path,
	    sqlite3_errstr(rc));
	store_close(s);
	return NULL;
}

int64_t
db_version(void)
{
	return NEWEST;
}

struct store *
store_open(const char *path, enum store_access access, struct err *err)
{
	struct store *s = new_handle(path, access);

	if (set_up(s, err) == 0)
		return s;
	store_close(s);
	return NULL;
}

void
store_rest(struct store *s)
{
	pack_release(s);
	db_lock(s);
	(void)sqlite3_db_release_memory(s->db);
	db_unlock(s);
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < DB_STATEMENTS; i++)
		(void)sqlite3_finalize(s->kept[i].st);
	seen_release(s);
	pack_release(s);
	(void)sqlite3_close_v2(s->db);
	mark_close(s);
	(void)pthread_rwlock_destroy(&s->filling);
	(void)pthread_mutex_destroy(&s->mutex);
	(void)pthread_mutex_destroy(&s->kit_mutex);
	(void)pthread_cond_destroy(&s->kit_given);
	free(s->path);
	free(s);
}
