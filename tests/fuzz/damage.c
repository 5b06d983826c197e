/*
 * damage.c - a store in memory whose rows say something else than they did.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/store.h"
#include "tests/fuzz/blocks.h"
#include "tests/fuzz/damage.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/roles.h"

#define MAX ((size_t)64 << 20)
#define COLUMNS 256

static char dir[64];
static char *change[COLUMNS], *removal[COLUMNS];
static size_t changes;

/* SQLite asks for memory all the time: what it gives back is used again soon,
 * so that it is in the processor's cache. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "quarantine_size_mb=4:max_malloc_fill_size=0"
	       ":malloc_context_size=4";
}

/* -- the clock ----------------------------------------------------------- */

int64_t damage_now;

/* In place of clock_now(), by the linker. */
int64_t __wrap_clock_now(void);

int64_t
__wrap_clock_now(void)
{
	return damage_now++;
}

/* In place of reserve_keep(): to fill its file would be most of the work. */
bool __wrap_reserve_keep(const char *store);

bool
__wrap_reserve_keep(const char *store)
{
	(void)store;
	return true;
}

/* -- SQLite --------------------------------------------------------------- */

/* A store with tables and without rows. */
static struct buf blank = BUF_INIT(MAX);

/* In place of sqlite3_open_v2(): the store that a recovery fills has its tables
 * already, since to make them was a third of the work. */
int __real_sqlite3_open_v2(const char *name, sqlite3 **db, int flags,
    const char *vfs);
int __wrap_sqlite3_open_v2(const char *name, sqlite3 **db, int flags,
    const char *vfs);

int
__wrap_sqlite3_open_v2(const char *name, sqlite3 **db, int flags,
    const char *vfs)
{
	const char *tail = strrchr(name, '.');
	struct stat st;

	if (blank.len > 0 && tail != NULL && strcmp(tail, ".new") == 0 &&
	    stat(name, &st) == 0 && st.st_size == 0)
		damage_put(name, "", blank.data, blank.len);
	return __real_sqlite3_open_v2(name, db, flags, vfs);
}

static void
make_blank(const char *path)
{
	struct err err = ERR_INIT;

	damage_small_pages(path);
	store_close(store_open(path, STORE_DURABLE, &err));
	FUZZ_CHECK(file_read(path, &blank, &err) == 0);
	damage_clear();
}

/* -- files --------------------------------------------------------------- */

void
damage_clear(void)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	FUZZ_CHECK(d != NULL);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			FUZZ_CHECK(unlinkat(dirfd(d), e->d_name, 0) == 0);
	(void)closedir(d);
}

static void
remove_folder(void)
{
	damage_clear();
	(void)rmdir(dir);
}

void
damage_put(const char *name, const char *tail, const void *data, size_t size)
{
	char *file = xasprintf("%s%s", name, tail);
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_CHECK(fd != -1 && file_write_all(fd, data, size) == 0);
	(void)close(fd);
	free(file);
}

static void
take(const char *name, const char *tail, struct buf *b)
{
	char *file = xasprintf("%s%s", name, tail);
	struct err err = ERR_INIT;

	buf_init(b, MAX);
	if (access(file, F_OK) == 0)
		FUZZ_CHECK(file_read(file, b, &err) == 0);
	free(file);
}

void
damage_take(const char *name, struct damage_image *image)
{
	take(name, "", &image->file);
	take(name, "-wal", &image->wal);
	take(name, ".mark", &image->mark);
}

void
damage_begin(char *path, size_t size)
{
	damage_now = DAMAGE_BEGIN;
	(void)snprintf(dir, sizeof(dir), "%s/sealfeed-fuzz-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	FUZZ_CHECK(mkdtemp(dir) != NULL && atexit(remove_folder) == 0);
	(void)snprintf(path, size, "%s/store.db", dir);
	blocks_set_up();
	make_blank(path);
}

/* SQLite goes on with the size of pages that a file has. */
void
damage_small_pages(const char *name)
{
	sqlite3 *db = NULL;
	char sql[96];

	(void)snprintf(sql, sizeof(sql),
	    "PRAGMA page_size=%d; PRAGMA auto_vacuum=INCREMENTAL; VACUUM",
	    DAMAGE_PAGE);
	FUZZ_CHECK(sqlite3_open(name, &db) == SQLITE_OK &&
	    sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
	(void)sqlite3_close(db);
}

/* -- rows ----------------------------------------------------------------- */

/* Each column of each table becomes a statement that sets it in one row, and
 * one that removes that row. */
void
damage_list(sqlite3 *db)
{
	static const char tables[] =
	    "SELECT t.name, c.name, coalesce((SELECT k.name FROM"
	    " pragma_table_info(t.name) k WHERE k.pk = 1), 'rowid')"
	    " FROM sqlite_schema t, pragma_table_info(t.name) c"
	    " WHERE t.type = 'table' ORDER BY t.name, c.cid";
	sqlite3_stmt *st = NULL;

	FUZZ_CHECK(sqlite3_prepare_v2(db, tables, -1, &st, NULL) == SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW && changes < COLUMNS) {
		const char *table = (const char *)sqlite3_column_text(st, 0);
		const char *key = (const char *)sqlite3_column_text(st, 2);
		char *where = xasprintf("WHERE \"%s\" = (SELECT \"%s\" FROM %s"
					" LIMIT 1 OFFSET ?2)",
		    key, key, table);

		change[changes] = xasprintf("UPDATE %s SET \"%s\" = ?1 %s",
		    table, (const char *)sqlite3_column_text(st, 1), where);
		removal[changes++] =
		    xasprintf("DELETE FROM %s %s", table, where);
		free(where);
	}
	(void)sqlite3_finalize(st);
	FUZZ_CHECK(changes > 100 && changes < COLUMNS);
}

/* What a row may say: kind picks a kind of value. */
static void
bind_value(sqlite3_stmt *st, int kind, const uint8_t bytes[8])
{
	static const int64_t ends[] = { INT64_MIN, -1, 0, 1, INT64_MAX - 1,
		INT64_MAX, INT64_C(1) << 62, INT64_C(1) << 32 };
	int64_t value;

	memcpy(&value, bytes, sizeof(value));
	switch (kind % 6) {
	case 0:
		(void)sqlite3_bind_int64(st, 1, value);
		break;
	case 1:
		(void)sqlite3_bind_int64(st, 1, value % 64);
		break;
	case 2:
		(void)sqlite3_bind_blob(st, 1, bytes, kind / 6 % 9,
		    SQLITE_STATIC);
		break;
	case 3:
		(void)sqlite3_bind_null(st, 1);
		break;
	case 4:
		(void)sqlite3_bind_int64(st, 1, ends[bytes[0] % 8]);
		break;
	default:
		(void)sqlite3_bind_text(st, 1, (const char *)bytes,
		    kind / 6 % 9, SQLITE_STATIC);
	}
}

/* One change: which column, which row, a kind of value, and its eight bytes.
 * Returns how many bytes that took, 0: there are no more. */
static size_t
change_row(sqlite3 *db, const uint8_t *data, size_t size)
{
	const size_t column = size < 11 ? 0 : data[0] % changes;
	const bool remove = size >= 11 && data[2] == UINT8_MAX;
	sqlite3_stmt *st = NULL;

	if (size < 11)
		return 0;
	FUZZ_CHECK(sqlite3_prepare_v2(db,
		       remove ? removal[column] : change[column], -1, &st,
		       NULL) == SQLITE_OK);
	bind_value(st, data[2], data + 3);
	(void)sqlite3_bind_int(st, 2, data[1]);
	/* What a rule of the table forbids is not changed. */
	(void)sqlite3_step(st);
	(void)sqlite3_finalize(st);
	return 11;
}

void
damage_rows(sqlite3 *db, const uint8_t *data, size_t size)
{
	size_t n;

	FUZZ_CHECK(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK);
	while ((n = change_row(db, data, size)) > 0) {
		data += n;
		size -= n;
	}
	FUZZ_CHECK(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
}

/* -- and after ------------------------------------------------------------ */

/* What the roles do between two starts; the vendor has so many items. */
int
damage_use(struct store *s, int items, struct roles_siem *siem, struct err *err)
{
	int rc = roles_collect(s, items, err);

	if (rc == 0)
		rc = roles_seal(s, err);
	if (rc == 0)
		rc = roles_watch(s, err);
	if (rc == 0)
		rc = roles_ship(s, siem, err);
	if (rc == 0)
		rc = store_forget(s, damage_now, err);
	if (rc == 0)
		rc = store_clean(s, 0, err);
	return rc;
}

void
damage_arrived(const struct roles_siem *siem, int from, int items)
{
	for (int feed = 0; feed < ROLES_FEEDS; feed++)
		for (int i = from; i < items; i++)
			FUZZ_CHECK((siem->has[feed] & roles_item(i)) ==
			    roles_item(i));
}
