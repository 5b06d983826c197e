/*
 * test_recovery.c - a store that is damaged, cut short or set back: it is
 * found, and what is lost is fetched again in a new tree.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/batch.h"
#include "store/commit.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/position.h"
#include "store/report.h"
#include "store/store.h"
#include "store/write_batch.h"
#include "tests/unit/recovery_help.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

START_TEST(a_sound_store_is_left_alone)
{
	char tree[256];

	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
	recovery_help_fill(RECOVERY_BATCHES);
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
	ck_assert_int_eq(recovery_help_damaged(), 0);
	recovery_help_go_on(tree, sizeof(tree));
	ck_assert_str_eq(tree, RECOVERY_FEED);
	ck_assert_uint_eq(recovery_help_deliverable(),
	    3 * (RECOVERY_BATCHES + 1));
}
END_TEST

START_TEST(no_database)
{
	char tree[256];
	char junk[5000];

	memset(junk, 'x', sizeof(junk));
	recovery_help_fill(3);
	ck_assert_int_eq(file_replace(recovery.path, junk, sizeof(junk), 0600,
			     &recovery.err),
	    0);
	recovery_help_check();
	ck_assert_ptr_nonnull(strstr(recovery.message, "damaged"));
	ck_assert_int_ge(recovery_help_damaged(), 1);
	recovery_help_go_on(tree, sizeof(tree));
	ck_assert_str_ne(tree, RECOVERY_FEED);
	ck_assert_int_eq(strncmp(tree, RECOVERY_FEED "~",
			     strlen(RECOVERY_FEED) + 1),
	    0);
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
}
END_TEST

/* The path names something that was never a store: it stays where it is. */
START_TEST(something_else)
{
	static const char *const kinds[] = { "a directory", "a FIFO",
		"a character device" };
	const char *const paths[] = { recovery.path, recovery.path,
		"/dev/null" };
	char inner[300], message[300];
	struct stat st;

	(void)snprintf(inner, sizeof(inner), "%s/file", recovery.path);
	for (size_t i = 0; i < 3; i++) {
		struct err e = ERR_INIT;

		ck_assert(i != 0 || mkdir(recovery.path, 0700) == 0);
		ck_assert(i != 0 || mkdir(inner, 0700) == 0);
		ck_assert(i != 1 || mkfifo(recovery.path, 0600) == 0);
		ck_assert_int_eq(store_check(paths[i], message, sizeof(message),
				     &e),
		    -1);
		ck_assert_msg(strstr(e.text, kinds[i]) != NULL, "%s", e.text);
		ck_assert_int_eq(stat(paths[i], &st), 0);
		ck_assert(!S_ISREG(st.st_mode));
		ck_assert(i != 0 || rmdir(inner) == 0);
		ck_assert(i == 2 || remove(recovery.path) == 0);
	}
}
END_TEST

START_TEST(the_file_is_gone)
{
	char tree[256];

	recovery_help_fill(3);
	ck_assert_int_eq(unlink(recovery.path), 0);
	recovery_help_check();
	ck_assert_ptr_nonnull(strstr(recovery.message,
	    "has lost the last 9 events"));
	recovery_help_go_on(tree, sizeof(tree));
	ck_assert_str_ne(tree, RECOVERY_FEED);
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
}
END_TEST

START_TEST(cut_short)
{
	struct stat st;
	char tree[256];

	recovery_help_fill(RECOVERY_BATCHES);
	ck_assert_int_eq(stat(recovery.path, &st), 0);
	ck_assert_int_eq(truncate(recovery.path, st.st_size * _i / 10), 0);
	recovery_help_check();
	ck_assert_str_ne(recovery.message, "");
	recovery_help_go_on(tree, sizeof(tree));
	(void)recovery_help_deliverable();
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
}
END_TEST

/* A store as it was before the last commits, as one without its WAL is. */
START_TEST(set_back)
{
	struct buf old = BUF_INIT(64 << 20);
	struct feed_report r;
	struct store *s;
	char tree[256];

	recovery_help_fill(3);
	ck_assert_int_eq(file_read(recovery.path, &old, &recovery.err), 0);
	recovery_help_go_on(tree, sizeof(tree));
	ck_assert_str_eq(tree, RECOVERY_FEED);
	ck_assert_int_eq(file_replace(recovery.path, old.data, old.len, 0600,
			     &recovery.err),
	    0);
	recovery_help_check();
	ck_assert_ptr_nonnull(strstr(recovery.message,
	    "has lost the last 3 events"));
	recovery_help_go_on(tree, sizeof(tree));
	ck_assert_str_ne(tree, RECOVERY_FEED);
	/* What the old copy held is still delivered, in the old tree. */
	ck_assert_uint_eq(recovery_help_deliverable(), 3 * 4);
	s = store_open(recovery.path, STORE_READ, &recovery.err);
	ck_assert_int_eq(report_feed(s, 0, &r, &recovery.err), 1);
	ck_assert(r.closed);
	ck_assert_uint_eq(r.size, 9);
	store_close(s);
	buf_release(&old);
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
}
END_TEST

/* Where a byte of the payload of a batch is in the file. */
static off_t
find_payload(int64_t which)
{
	struct store *s =
	    store_open(recovery.path, STORE_DURABLE, &recovery.err);
	struct buf all = BUF_INIT(64 << 20);
	char *at = NULL;
	struct batch b;
	off_t offset;

	batch_init(&b);
	while (batch_next_sealed(s, b.id, &b, &recovery.err) == 1 &&
	    b.id < which)
		;
	store_close(s);
	ck_assert_int_eq(file_read(recovery.path, &all, &recovery.err), 0);
	at = memmem(all.data, all.len, b.payload.data + 10, 40);
	ck_assert_ptr_nonnull(at);
	offset = at - all.data;
	buf_release(&all);
	batch_release(&b);
	return offset + 20;
}

START_TEST(a_flipped_bit_in_an_event)
{
	struct feed_report r;
	struct store *s;
	struct feed *f;
	char tree[256];
	uint64_t lost;

	recovery_help_fill(RECOVERY_BATCHES);
	recovery_help_overwrite(recovery.path, find_payload(20), "\x55", 1);
	recovery_help_check();
	ck_assert_ptr_nonnull(strstr(recovery.message,
	    "the events of batch 20"));
	ck_assert_int_ge(recovery_help_damaged(), 1);
	/* The store holds what was before, and fetches the rest again. */
	lost = 3 * RECOVERY_BATCHES - recovery_help_deliverable();
	ck_assert_uint_gt(lost, 0);
	s = store_open(recovery.path, STORE_DURABLE, &recovery.err);
	f = feed_open(s, RECOVERY_FEED, CLOCK_DAY, &recovery.err);
	for (int i = 0; i < RECOVERY_BATCHES; i++) {
		char key[32];
		struct listed l = { key, "https://x/y", 1, INT64_MAX };
		struct commit_result res;
		struct write_batch *p = write_batch_new(f);

		(void)snprintf(key, sizeof(key), "item-%d", i);
		write_batch_listed(p, &l);
		ck_assert_int_eq(feed_commit(p, &res, &recovery.err), 0);
		write_batch_free(p);
		if (res.listed == 0)
			continue;
		/* fill_one() lists it no more, claims and commits it. */
		recovery_help_fill_one(f, i, "");
	}
	while (store_help_seal(s, &recovery.err) == 1)
		;
	ck_assert_int_eq(report_feed(s, feed_id(f) - 1, &r, &recovery.err), 1);
	ck_assert_uint_eq(r.size, lost);
	ck_assert_uint_eq(r.items, 0);
	feed_close(f);
	store_close(s);
	ck_assert_uint_eq(recovery_help_deliverable(), 3 * RECOVERY_BATCHES);
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
	recovery_help_go_on(tree, sizeof(tree));
}
END_TEST

/* Whatever byte is changed: no crash, and a store that works in the end. */
START_TEST(noise)
{
	struct stat st;
	char tree[256];
	off_t at;

	recovery_help_fill(20);
	ck_assert_int_eq(stat(recovery.path, &st), 0);
	srand48(_i);
	for (int k = 0; k < 1 + _i % 4; k++) {
		char bytes[64];

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)(lrand48() & 0xff);
		at = (off_t)(lrand48() % (st.st_size - 64));
		recovery_help_overwrite(recovery.path, at, bytes,
		    sizeof(bytes));
	}
	recovery_help_check();
	recovery_help_go_on(tree, sizeof(tree));
	(void)recovery_help_deliverable();
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
}
END_TEST

/* A recovery that ended between two steps. */
START_TEST(cut_off)
{
	char recovered[160];
	struct buf old = BUF_INIT(64 << 20);

	recovery_help_fill(2);
	ck_assert_int_eq(file_read(recovery.path, &old, &recovery.err), 0);
	(void)snprintf(recovered, sizeof(recovered), "%s.recovered",
	    recovery.path);
	ck_assert_int_eq(file_replace(recovered, old.data, old.len, 0600,
			     &recovery.err),
	    0);
	if (_i == 1)
		ck_assert_int_eq(unlink(recovery.path), 0);
	recovery_help_check();
	ck_assert_ptr_nonnull(strstr(recovery.message, "was damaged"));
	ck_assert_int_ne(access(recovered, F_OK), 0);
	ck_assert_uint_eq(recovery_help_deliverable(), 6);
	buf_release(&old);
}
END_TEST

/* Events that do not shrink, a batch each. */
static void
fill_large(int n)
{
	static const char *const names[] = { "siem" };
	const size_t size = 800000;
	struct store *s =
	    store_open(recovery.path, STORE_DURABLE, &recovery.err);
	char *data = xcalloc(1, size + 3);
	uint64_t x = 88172645463325252;
	struct feed *f;

	ck_assert_int_eq(position_set_outputs(s, names, 1, &recovery.err), 0);
	f = feed_open(s, RECOVERY_FEED, CLOCK_DAY, &recovery.err);
	for (int i = 0; i < n; i++) {
		struct write_batch *p = write_batch_new(f);

		for (size_t k = 1; k <= size; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			data[k] = (char)('0' + (x >> 20) % 64);
			if (data[k] == '\\')
				data[k] = '~';
		}
		data[0] = data[size + 1] = '"';
		ck_assert_int_eq(write_batch_add(p, data, size + 2,
				     (struct slice){ .data = NULL }, 1,
				     &recovery.err),
		    0);
		ck_assert_msg(feed_commit(p, NULL, &recovery.err) == 0, "%s",
		    recovery.err.text);
		write_batch_free(p);
	}
	while (store_help_seal(s, &recovery.err) == 1)
		;
	feed_close(f);
	store_close(s);
	free(data);
}

/* The inode of the file, and its size; 0: there is none. */
static ino_t
inode_of(const char *tail, off_t *size)
{
	char *name = xasprintf("%s%s", recovery.path, tail);
	struct stat st = { .st_ino = 0 };

	if (stat(name, &st) != 0)
		st.st_ino = 0;
	*size = st.st_size;
	free(name);
	return st.st_ino;
}

/* The first page of a table. */
static off_t
root_of(const char *table)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	off_t page;

	ck_assert_int_eq(sqlite3_open(recovery.path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db,
			     "SELECT rootpage FROM sqlite_schema"
			     " WHERE name = ?",
			     -1, &st, NULL),
	    SQLITE_OK);
	(void)sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	page = sqlite3_column_int(st, 0);
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	return page;
}

/* What the file says of itself. */
static const char *
journal_mode(void)
{
	static char mode[16];
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(recovery.path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &st,
			     NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	(void)snprintf(mode, sizeof(mode), "%s",
	    (const char *)sqlite3_column_text(st, 0));
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	return mode;
}

/* A recovery that is killed again and again, here by a limit on the size of a
 * file, goes on where it was. */
START_TEST(a_recovery_is_gone_on_with)
{
	const int batches = 100;
	off_t size, before = 0;
	ino_t begun = 0;
	int status;

	fill_large(batches);
	/* A table without rows: all is copied. */
	recovery_help_overwrite(recovery.path, 16384 * (root_of("request") - 1),
	    "nonsense nonsense nonsense nonsense", 35);
	for (rlim_t most = 20; most <= 50; most += 30) {
		const struct rlimit limit = { most << 20, most << 20 };
		const pid_t pid = fork();

		if (pid == 0) {
			(void)setrlimit(RLIMIT_FSIZE, &limit);
			_exit(store_check(recovery.path, recovery.message,
				  sizeof(recovery.message),
				  &recovery.err) == 0);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFSIGNALED(status), "status %x", status);
		ck_assert_int_ne((int)inode_of(".new", &size), 0);
		ck_assert(begun == 0 || begun == inode_of(".new", &size));
		ck_assert_int_gt(size, before);
		begun = inode_of(".new", &size);
		before = size;
	}
	recovery_help_check();
	ck_assert_ptr_nonnull(strstr(recovery.message, "recovered"));
	ck_assert(begun == inode_of("", &size));
	ck_assert_uint_eq(recovery_help_deliverable(), (uint64_t)batches);
	ck_assert_int_eq((int)inode_of(".new", &size), 0);
	ck_assert_int_eq((int)inode_of(".new-journal", &size), 0);
	ck_assert_int_eq((int)inode_of(".recovered-journal", &size), 0);
	ck_assert_str_eq(journal_mode(), "wal");
}
END_TEST

/* A statement that is wrong by itself says nothing about the file. */
START_TEST(a_wrong_statement)
{
	static const char *const wrong[] = {
		"SELECT id FROM batch, item",           /* ambiguous */
		"SELECT id FROM batch WHERE",           /* no SQL */
		"SELECT nonsense FROM batch",           /* no column of ours */
		"SELECT 1 FROM nonsense",               /* no table of ours */
		"SELECT nonsense(id) FROM batch",       /* no function */
		"INSERT INTO batch (id) VALUES (1, 2)", /* too many */
	};
	const char *sql = wrong[_i];
	struct store *s;
	int64_t n;

	recovery_help_fill(3);
	s = store_help_open(recovery.path, STORE_DURABLE);
	ck_assert_ptr_null(db_query(s, &recovery.err, sql, ""));
	ck_assert_ptr_null(strstr(recovery.err.text, "damaged ("));
	ck_assert_ptr_nonnull(strstr(recovery.err.text,
	    ", which is no damage but an error of sealfeed"));
	ck_assert(!store_damaged(recovery.path));
	/* The handle goes on. */
	err_clear(&recovery.err);
	ck_assert_int_eq(db_number(s, &recovery.err, 0, &n,
			     "SELECT count(*) FROM batch", ""),
	    0);
	ck_assert_int_eq(n, 3);
	store_close(s);
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
}
END_TEST

/* The same answer of SQLite's, but it is the file that is not ours. */
START_TEST(another_schema)
{
	static const struct {
		const char *change, *sql;
	} ways[] = {
		{ "DROP TABLE request", "SELECT count(*) FROM request" },
		{ "ALTER TABLE batch RENAME COLUMN count TO counted",
		    "SELECT count FROM batch" },
		{ "ALTER TABLE gap RENAME TO gaps",
		    "SELECT count(*) FROM gap" },
		{ "DROP TABLE payload; CREATE VIEW payload AS SELECT 1 AS "
		  "batch",
		    "DELETE FROM payload WHERE batch = 0" },
	};
	struct store *s;
	sqlite3 *db = NULL;

	recovery_help_fill(3);
	ck_assert_int_eq(sqlite3_open(recovery.path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, ways[_i].change, NULL, NULL, NULL),
	    SQLITE_OK);
	(void)sqlite3_close(db);
	s = store_help_open(recovery.path, STORE_DURABLE);
	ck_assert_int_eq(db_run(s, &recovery.err, ways[_i].sql, ""), -1);
	ck_assert_ptr_nonnull(strstr(recovery.err.text, "damaged ("));
	ck_assert(store_damaged(recovery.path));
	store_close(s);
	recovery_help_check();
	ck_assert_str_ne(recovery.message, "");
	ck_assert(!store_damaged(recovery.path));
}
END_TEST

Suite *
suite_recovery(void)
{
	Suite *s = suite_create("recovery");
	TCase *tc = tcase_create("recovery");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, recovery_help_begin, recovery_help_end);
	tcase_add_test(tc, a_sound_store_is_left_alone);
	tcase_add_test(tc, no_database);
	tcase_add_test(tc, something_else);
	tcase_add_test(tc, the_file_is_gone);
	tcase_add_loop_test(tc, cut_short, 0, (int)unit_rounds(10));
	tcase_add_test(tc, set_back);
	tcase_add_test(tc, a_flipped_bit_in_an_event);
	tcase_add_loop_test(tc, noise, 0, (int)unit_rounds(24));
	tcase_add_loop_test(tc, cut_off, 0, 2);
	tcase_add_test(tc, a_recovery_is_gone_on_with);
	tcase_add_loop_test(tc, a_wrong_statement, 0, 6);
	tcase_add_loop_test(tc, another_schema, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}
