/*
 * fuzz_store.c - a store that is damaged, and what the roles get out of it.
 *
 * An input's first byte says how it is damaged (enum kind) and under which
 * circumstances (the bits above).  Whatever it was, a few starts later the
 * store can be used and is found sound, an event is delivered as it was made,
 * and what the vendor lists from then on arrives.  Where the damage is one that
 * must be seen, because bytes are missing, nothing is lost at all: each event
 * that was not delivered before is delivered or fetched again.
 *
 * The clock is a counter, so that an input does the same each time.  Files live
 * in memory where there is /dev/shm, in a folder that the process removes.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/recovery.h"
#include "store/repair.h"
#include "store/seen.h"
#include "store/store.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/roles.h"

#define MAX ((size_t)64 << 20)
#define COLUMNS 256
#define PAGE 1024 /* the smaller the file, the more runs */
#define STARTS 4  /* until all is well again */

enum kind {
	KIND_BYTES, /* a byte here and there */
	KIND_END,   /* the end of the file is missing */
	KIND_ROWS,  /* rows say something else than they did */
	KIND_PAGES, /* pages are empty, of others, or of an earlier time */
	KIND_WAL,   /* what is not in the file yet */
	KIND_OPEN   /* rows, under a handle that stays open; and all above */
};

#define NO_MARK 0x08 /* the file beside the store is gone, too */
#define FLAGGED 0x10 /* a role has met the damage already */
#define LATER 0x20   /* and how it is when much has become too old */

/* In memory. */
struct image {
	struct buf file;
	struct buf wal;
	struct buf mark;
};

static char dir[64];
static char path[96];

/* A store whose handle stays open, and its file: to open and to check takes
 * most of the time of a run.  Without a WAL, so that the file can be put back
 * under the handle. */
static char open_path[96];
static struct store *open_store;
static struct image calm;

/* The store before it is damaged, and some time before that; where there is
 * something in the first, and what an SQL statement may change of it. */
static struct image whole, earlier;
static size_t *place, places;
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

#define BEGIN (INT64_C(1767225600) * CLOCK_SECOND) /* 2026-01-01 */

static int64_t now;

/* In place of clock_now(), by the linker. */
int64_t __wrap_clock_now(void);

int64_t
__wrap_clock_now(void)
{
	return now++;
}

/* In place of reserve_keep(): to fill its file would be most of the work. */
bool __wrap_reserve_keep(const char *store);

bool
__wrap_reserve_keep(const char *store)
{
	(void)store;
	return true;
}

/* -- files --------------------------------------------------------------- */

/* Of files whose names begin with store, or all. */
static void
clear_folder(bool all)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	FUZZ_CHECK(d != NULL);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] == 's' || (all && e->d_name[0] != '.'))
			FUZZ_CHECK(unlinkat(dirfd(d), e->d_name, 0) == 0);
	(void)closedir(d);
}

static void
remove_folder(void)
{
	clear_folder(true);
	(void)rmdir(dir);
}

static void
put(const char *name, const char *tail, const void *data, size_t size)
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

static void
take_image(const char *name, struct image *image)
{
	take(name, "", &image->file);
	take(name, "-wal", &image->wal);
	take(name, ".mark", &image->mark);
}

/* -- before -------------------------------------------------------------- */

/* Each column of each table becomes a statement that sets it in one row, and
 * one that removes that row. */
static void
list_changes(sqlite3 *db)
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

static void
list_places(void)
{
	place = xcalloc(whole.file.len, sizeof(*place));
	for (size_t i = 0; i < whole.file.len; i++)
		if (whole.file.data[i] != 0)
			place[places++] = i;
	FUZZ_CHECK(places > 1000);
}

/* One more commit that stays in the WAL, as when the machine goes down. */
static void
take_whole(void)
{
	struct err err = ERR_INIT;
	sqlite3 *db = NULL;
	struct store *s;

	FUZZ_CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	list_changes(db);
	s = store_open(path, STORE_DURABLE, &err);
	FUZZ_CHECK(s != NULL);
	FUZZ_CHECK(roles_collect(s, ROLES_ITEMS, &err) == 0);
	take_image(path, &whole);
	FUZZ_CHECK(whole.wal.len > 0);
	store_close(s);
	(void)sqlite3_close(db);
}

/* SQLite goes on with the size of pages that a file has. */
static void
small_pages(const char *name)
{
	sqlite3 *db = NULL;
	char sql[96];

	(void)snprintf(sql, sizeof(sql),
	    "PRAGMA page_size=%d; PRAGMA auto_vacuum=INCREMENTAL; VACUUM",
	    PAGE);
	FUZZ_CHECK(sqlite3_open(name, &db) == SQLITE_OK &&
	    sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
	(void)sqlite3_close(db);
}

static void
keep_open(void)
{
	struct err err = ERR_INIT;

	put(open_path, "", whole.file.data, whole.file.len);
	put(open_path, "-wal", whole.wal.data, whole.wal.len);
	put(open_path, ".mark", whole.mark.data, whole.mark.len);
	open_store = store_open(open_path, STORE_RELAXED, &err);
	FUZZ_CHECK(open_store != NULL &&
	    sqlite3_exec(open_store->db, "PRAGMA journal_mode=MEMORY", NULL,
		NULL, NULL) == SQLITE_OK);
	take_image(open_path, &calm);
	FUZZ_CHECK(calm.wal.len == 0);
}

/* The file as it was, with another count of changes (at offsets 24 and 92), by
 * which SQLite knows that its cache is of no use any more. */
static void
put_back(void)
{
	static uint32_t count = UINT32_C(1) << 30;
	const uint32_t next = htonl(++count);

	memcpy(calm.file.data + 24, &next, sizeof(next));
	memcpy(calm.file.data + 92, &next, sizeof(next));
	put(open_path, "", calm.file.data, calm.file.len);
	put(open_path, ".mark", calm.mark.data, calm.mark.len);
	filter_free(open_store->filter);
	open_store->filter = NULL;
	db_unflag_damage(open_path);
}

static void
begin(void)
{
	now = BEGIN;
	(void)snprintf(dir, sizeof(dir), "%s/sealfeed-fuzz-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	FUZZ_CHECK(mkdtemp(dir) != NULL && atexit(remove_folder) == 0);
	(void)snprintf(path, sizeof(path), "%s/store.db", dir);
	(void)snprintf(open_path, sizeof(open_path), "%s/open.db", dir);
	small_pages(path);
	roles_fill(path, ROLES_ITEMS - 2);
	take_image(path, &earlier);
	clear_folder(false);
	small_pages(path);
	roles_fill(path, ROLES_ITEMS - 1);
	take_whole();
	list_places();
	keep_open();
}

/* -- damage -------------------------------------------------------------- */

/* Three bytes where, one what. */
static void
damage_bytes(struct image *i, const uint8_t *data, size_t size)
{
	for (; size >= 4; data += 4, size -= 4) {
		size_t at = (size_t)(data[0] << 16 | data[1] << 8 | data[2]);

		i->file.data[place[at % places]] ^= (char)data[3];
	}
}

/* One byte which, one from where, one how.  Returns whether pages are missing,
 * and nothing else. */
static bool
damage_pages(struct image *i, const uint8_t *data, size_t size)
{
	const size_t pages = i->file.len / PAGE;
	bool missing = true;

	for (; size >= 3; data += 3, size -= 3) {
		char *to = i->file.data + data[0] % pages * PAGE;
		const size_t from = data[1] % pages * PAGE;

		if (data[2] % 3 == 0) {
			memset(to, 0, PAGE);
			continue;
		}
		missing = false;
		if (data[2] % 3 == 1)
			memcpy(to, whole.file.data + from, PAGE);
		else if (from < earlier.file.len)
			memcpy(to, earlier.file.data + from, PAGE);
	}
	return missing;
}

/* Two bytes where it ends now. */
static void
damage_end(struct buf *b, const uint8_t *data, size_t size)
{
	const size_t len = size < 2 ? 0 : (size_t)(data[0] << 8 | data[1]);

	b->len = b->len * len / 65536;
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

static void
change_rows(sqlite3 *db, const uint8_t *data, size_t size)
{
	size_t n;

	FUZZ_CHECK(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK);
	while ((n = change_row(db, data, size)) > 0) {
		data += n;
		size -= n;
	}
	FUZZ_CHECK(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
}

static void
damage_rows(const uint8_t *data, size_t size)
{
	sqlite3 *db = NULL;

	FUZZ_CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	change_rows(db, data, size);
	(void)sqlite3_close(db);
}

/* Put the damaged store into its place.  Returns whether its damage is one
 * that must be seen. */
static bool
damage(uint8_t how, const uint8_t *data, size_t size)
{
	const enum kind kind = how % 8;
	const bool mark = (how & NO_MARK) == 0;
	struct image i = { BUF_INIT(MAX), BUF_INIT(MAX), whole.mark };
	bool seen = mark;

	FUZZ_CHECK(buf_add(&i.file, whole.file.data, whole.file.len) == 0 &&
	    buf_add(&i.wal, whole.wal.data, whole.wal.len) == 0);
	if (kind == KIND_BYTES)
		damage_bytes(&i, data, size);
	else if (kind == KIND_END || kind == KIND_WAL)
		damage_end(kind == KIND_END ? &i.file : &i.wal, data, size);
	else if (kind == KIND_PAGES)
		seen = damage_pages(&i, data, size) && mark;
	put(path, "", i.file.data, i.file.len);
	put(path, "-wal", i.wal.data, i.wal.len);
	if (mark)
		put(path, ".mark", i.mark.data, i.mark.len);
	buf_release(&i.file);
	buf_release(&i.wal);
	if (kind == KIND_ROWS)
		damage_rows(data, size);
	return seen && kind != KIND_BYTES && kind != KIND_ROWS;
}

/* -- and after ----------------------------------------------------------- */

/* What the roles do between two starts; the vendor has so many items. */
static int
use(struct store *s, int items, struct roles_siem *siem, struct err *err)
{
	int rc = roles_collect(s, items, err);

	if (rc == 0)
		rc = roles_seal(s, err);
	if (rc == 0)
		rc = roles_watch(s, err);
	if (rc == 0)
		rc = roles_ship(s, siem, err);
	if (rc == 0)
		rc = store_forget(s, now, err);
	if (rc == 0)
		rc = store_clean(s, 0, err);
	return rc;
}

static int
open_and_use(int items, struct roles_siem *siem, struct err *err)
{
	struct store *s = store_open(path, STORE_RELAXED, err);
	int rc = s == NULL ? -1 : use(s, items, siem, err);

	store_close(s);
	return rc;
}

/* Start, use, and start again where that has met damage, until all is well.
 * Returns whether it is: nothing but a store of somebody else is refused. */
static bool
starts(int items, struct roles_siem *siem)
{
	char message[1024];
	struct err err = ERR_INIT;

	for (int i = 0; i < STARTS; i++) {
		err_clear(&err);
		if (store_check(path, message, sizeof(message), &err) != 0) {
			(void)fprintf(stderr, "%s\n", err.text);
			FUZZ_CHECK(strstr(err.text, "newer version") != NULL ||
			    strstr(err.text, "another program") != NULL);
			return false;
		}
		if (open_and_use(items, siem, &err) == 0 &&
		    !store_damaged(path))
			return true;
		if (!store_damaged(path))
			break;
	}
	(void)fprintf(stderr, "not well after %d starts: %s\n", STARTS,
	    err.text);
	abort();
}

static void
arrived(const struct roles_siem *siem, int from, int items)
{
	for (int feed = 0; feed < ROLES_FEEDS; feed++)
		for (int i = from; i < items; i++)
			FUZZ_CHECK((siem->has[feed] & roles_item(i)) ==
			    roles_item(i));
}

static void
recover(bool seen, bool later)
{
	struct roles_siem siem = { .has = { 0 } };
	char message[1024];
	struct err err = ERR_INIT;

	if (!starts(ROLES_ITEMS + 1, &siem))
		return;
	arrived(&siem, seen ? 1 : ROLES_ITEMS, ROLES_ITEMS + 1);
	if (!later)
		return;
	now += 3 * CLOCK_DAY;
	FUZZ_CHECK(starts(ROLES_ITEMS + 2, &siem));
	arrived(&siem, ROLES_ITEMS + 1, ROLES_ITEMS + 2);
	FUZZ_CHECK(store_check(path, message, sizeof(message), &err) == 0);
	FUZZ_CHECK(message[0] == '\0');
}

/* The rows change, are repaired and used under the handle that stays open.
 * What then is damage to a role has been flagged for the next start. */
static void
repair_open(const uint8_t *data, size_t size)
{
	struct recovery v = { .whole_feeds = true,
		.whole_batches = true,
		.whole_items = true,
		.whole_pieces = true };
	struct roles_siem siem = { .has = { 0 } };
	struct err err = ERR_INIT;
	int rc;

	put_back();
	change_rows(open_store->db, data, size);
	rc = repair_all(open_store, &v, &err);
	FUZZ_CHECK(v.lost >= 0 && v.batches >= 0 && v.feeds >= 0);
	if (rc == 0)
		rc = use(open_store, ROLES_ITEMS + 1, &siem, &err);
	if (rc == 0)
		arrived(&siem, ROLES_ITEMS, ROLES_ITEMS + 1);
	else
		FUZZ_CHECK(store_damaged(open_path));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool seen;

	if (whole.file.data == NULL)
		begin();
	if (size == 0)
		return 0;
	now = BEGIN + CLOCK_HOUR;
	if (data[0] % 8 >= KIND_OPEN) {
		repair_open(data + 1, size - 1);
		return 0;
	}
	clear_folder(false);
	seen = damage(data[0], data + 1, size - 1);
	if ((data[0] & FLAGGED) != 0)
		put(path, ".suspect", "", 0);
	recover(seen, (data[0] & LATER) != 0);
	return 0;
}
