/*
 * test_upgrade.c - a store that sealfeed 0.1.0 left behind, and newer ones.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/backup.h"
#include "store/batch.h"
#include "store/migrate.h"
#include "store/report.h"
#include "store/store.h"
#include "tests/unit/kill_vfs.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"
#include "verify/stored.h"

/* What it holds, see vectors/stores/README.md. */
#define FIXTURE VECTORS "stores/0.1.0/store.db.xz"
#define FEED "contoso/Audit.Exchange"

#define COLUMNS_MAX 2000

static char dir[64];
static char path[128];
static char old[160]; /* the fixture as it was */
static struct err err;

/* Have a program write what it makes of the file from into the file to. */
static void
shell(const char *program, const char *from, const char *to)
{
	char line[600];

	(void)snprintf(line, sizeof(line), "%s '%s' >'%s'", program, from, to);
	ck_assert_msg(system(line) == 0, "%s", line);
}

static void
set_up(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	err_clear(&err);
	(void)snprintf(old, sizeof(old), "%s/old.db", dir);
	shell("xz -dc", FIXTURE, old);
	shell("cat", old, path);
}

static void
tear_down(void)
{
	store_help_end(dir);
}

/* One number out of the database at file, to which the fixture is attached. */
static int64_t
ask(const char *file, const char *sql)
{
	char attach[300];
	sqlite3_stmt *st;
	sqlite3 *db;
	int64_t n;

	(void)snprintf(attach, sizeof(attach), "ATTACH '%s' AS old", old);
	ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, attach, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK,
	    "%s: %s", sql, sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	return n;
}

/* Rows of a table that one of the two has and the other has not. */
static int64_t
differing(const char *file, const char *table, const char *columns)
{
	char sql[2 * COLUMNS_MAX];

	(void)snprintf(sql, sizeof(sql),
	    "SELECT (SELECT count(*) FROM (SELECT %s FROM main.%s EXCEPT"
	    " SELECT %s FROM old.%s)) + (SELECT count(*) FROM (SELECT %s"
	    " FROM old.%s EXCEPT SELECT %s FROM main.%s))",
	    columns, table, columns, table, columns, table, columns, table);
	return ask(file, sql);
}

/* Everything that the fixture holds is in the store at file. */
static void
nothing_lost(const char *file)
{
	sqlite3_stmt *st;
	sqlite3 *db;
	int tables = 0;

	ck_assert_int_eq(sqlite3_open(old, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db,
			     "SELECT name, (SELECT group_concat(name)"
			     " FROM pragma_table_info(s.name))"
			     " FROM sqlite_schema s WHERE type = 'table'",
			     -1, &st, NULL),
	    SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *table = (const char *)sqlite3_column_text(st, 0);
		const char *columns = (const char *)sqlite3_column_text(st, 1);

		ck_assert_msg(differing(file, table, columns) == 0, "%s",
		    table);
		tables++;
	}
	ck_assert_int_ge(tables, 14);
	(void)sqlite3_finalize(st);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static void
print_finding(void *ctx, const char *text)
{
	(void)ctx;
	(void)fprintf(stderr, "%s\n", text);
}

static struct stored
checked(struct store *s)
{
	struct stored v = { .finding = print_finding };

	ck_assert_msg(stored_check(s, &v, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(v.findings, 0);
	return v;
}

START_TEST(it_holds_some_of_everything)
{
	static const char *const some[] = {
		"SELECT count(*) > 4 FROM feed WHERE cursor <> ''",
		"SELECT count(*) > 15 FROM batch WHERE sealed IS NOT NULL",
		"SELECT count(*) FROM batch WHERE sealed IS NULL",
		"SELECT count(*) > 3 FROM payload",
		"SELECT count(*) > 20 FROM item WHERE state = 1",
		"SELECT count(*) FROM item WHERE state = 0",
		"SELECT count(*) > 10 FROM seen",
		"SELECT count(DISTINCT position) = 2 FROM output",
		"SELECT count(*) FROM gap",
		"SELECT count(*) FROM dead_letter",
		"SELECT count(*) FROM passed",
	};

	ck_assert_int_eq(ask(path, "PRAGMA user_version"), 1);
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		ck_assert_msg(ask(path, some[i]) > 0, "%s", some[i]);
}
END_TEST

/* Looking changes nothing; the agent brings it up, and goes on. */
START_TEST(it_is_brought_up)
{
	struct store *s = store_open(path, STORE_READ, &err);
	struct commit_result res;
	struct write_batch *p;
	struct stored v;
	struct feed *f;

	ck_assert_ptr_null(s);
	ck_assert_ptr_nonnull(strstr(err.text, "start the agent once"));
	ck_assert_int_eq(ask(path, "PRAGMA user_version"), 1);

	s = store_help_open(path, STORE_DURABLE);
	nothing_lost(path);
	ck_assert_int_eq(ask(path,
			     "SELECT count(*) FROM written, pragma_user_version"
			     " WHERE version = user_version AND time > 0"
			     " AND program = '" PACKAGE_VERSION "'"),
	    1);
	v = checked(s);
	ck_assert_uint_gt(v.checkpoints, 0);

	f = store_help_feed(s, FEED, 7 * CLOCK_DAY);
	p = write_batch_new(f);
	store_help_add(p, "new", "{\"Id\":\"new\"}");
	store_help_add(p, "new", "{\"Id\":\"new\"}");
	res = store_help_commit(p);
	ck_assert_uint_eq(res.events, 1);
	ck_assert_uint_eq(res.duplicates, 1);
	write_batch_free(p);
	feed_close(f);
	ck_assert_uint_gt(checked(s).events, v.events);
	store_close(s);
}
END_TEST

/* The backup that is made before is the store as it was. */
static void
backup_is_whole(void)
{
	char *name = migrate_backup_name(path, 1);
	struct stat st;

	ck_assert_int_eq(stat(name, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(ask(name, "PRAGMA user_version"), 1);
	nothing_lost(name);
	free(name);
}

static int
upgrade(char *message, size_t size)
{
	struct store *s;

	if (backup_before_migration(path, 0, message, size, &err) != 0)
		return -1;
	s = store_open(path, STORE_DURABLE, &err);
	store_close(s);
	return s == NULL ? -1 : 0;
}

START_TEST(a_backup_is_made_before)
{
	char message[1024];

	ck_assert_msg(upgrade(message, sizeof(message)) == 0, "%s", err.text);
	ck_assert_ptr_nonnull(strstr(message, ".version-1 is a backup"));
	backup_is_whole();
	/* Not again. */
	ck_assert_int_eq(upgrade(message, sizeof(message)), 0);
	ck_assert_str_eq(message, "");
}
END_TEST

START_TEST(without_room_there_is_none)
{
	char *name = migrate_backup_name(path, 1);
	char message[1024];

	ck_assert_int_eq(backup_before_migration(path, INT64_C(1) << 60,
			     message, sizeof(message), &err),
	    0);
	ck_assert_ptr_nonnull(strstr(message, "no backup of it as it was"));
	ck_assert_int_ne(access(name, F_OK), 0);
	free(name);
}
END_TEST

static void
begin_anew(void)
{
	static const char *const tails[] = { "", "-wal", "-shm", "-journal",
		".version-1", ".version-1.part", ".version-1.part-journal" };
	char name[200];

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, tails[i]);
		(void)unlink(name);
	}
	shell("cat", old, path);
}

/* Open, or make the backup and open, in a process whose n-th change of a file
 * is its last; false: it had fewer. */
static bool
killed(int n, bool backup)
{
	char message[1024];
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		kill_vfs(KILL_PROCESS, n);
		if (backup)
			_exit(upgrade(message, sizeof(message)) != 0);
		_exit(store_open(path, STORE_DURABLE, &err) == NULL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		ck_assert_int_eq(WTERMSIG(status), SIGKILL);
		return true;
	}
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	return false;
}

START_TEST(a_kill_at_any_write_changes_nothing)
{
	struct store *s;
	int n = 1;

	for (; killed(n, false); n += (int)unit_step(5)) {
		s = store_help_open(path, STORE_DURABLE);
		(void)checked(s);
		store_close(s);
		nothing_lost(path);
		begin_anew();
	}
	ck_assert_int_gt(n, 5);
}
END_TEST

START_TEST(a_kill_in_the_backup_repeats_it)
{
	char message[1024];
	int n = 1;

	for (; killed(n, true); n *= 2) {
		ck_assert_msg(upgrade(message, sizeof(message)) == 0,
		    "write %d: %s", n, err.text);
		backup_is_whole();
		nothing_lost(path);
		begin_anew();
	}
	ck_assert_int_gt(n, 16);
}
END_TEST

/* The n-th change of a file fails, and those after it. */
static bool
upgrade_failed(int n)
{
	struct store *s;
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		kill_vfs(KILL_CALL, n);
		s = store_open(path, STORE_DURABLE, &err);
		/* What fails at the close is made up for at the next open. */
		store_close(s);
		_exit(s != NULL ? 0 : err.text[0] != '\0' ? 1 : 2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_ne(WEXITSTATUS(status), 2);
	return WEXITSTATUS(status) == 1;
}

START_TEST(a_failure_is_told_and_changes_nothing)
{
	struct store *s;
	int n = 1;

	for (; upgrade_failed(n); n += (int)unit_step(5)) {
		s = store_help_open(path, STORE_DURABLE);
		(void)checked(s);
		store_close(s);
		nothing_lost(path);
		begin_anew();
	}
	ck_assert_int_gt(n, 3);
}
END_TEST

/* A store of a later version; statement by statement what it says of itself. */
static void
make_newer(const char *sql)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	sqlite3 *db;

	store_close(s);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static void
refused(const char *word)
{
	static const enum store_access ways[] = { STORE_READ, STORE_DURABLE };
	char message[1024];

	for (size_t i = 0; i < 2; i++) {
		err_clear(&err);
		ck_assert_ptr_null(store_open(path, ways[i], &err));
		ck_assert_msg(strstr(err.text, word) != NULL, "%s", err.text);
		ck_assert_ptr_nonnull(strstr(err.text, "newer version"));
		ck_assert_ptr_nonnull(strstr(err.text, "store version 99"));
	}
	ck_assert_int_eq(store_check(path, message, sizeof(message), &err), -1);
	ck_assert_msg(strstr(err.text, word) != NULL, "%s", err.text);
	ck_assert_int_eq(ask(path, "PRAGMA user_version"), 99);
	/* Nor is it taken for an older one that needs a backup. */
	ck_assert_int_eq(backup_before_migration(path, 0, message,
			     sizeof(message), &err),
	    0);
	ck_assert_str_eq(message, "");
}

START_TEST(a_newer_store_is_refused_with_the_way_back)
{
	char backup[200];

	make_newer("PRAGMA user_version=99;"
		   "INSERT INTO written VALUES (99, '7.5.0', 1)");
	refused("(7.5.0; store version 99");
	refused("a backup that this version made");
	(void)snprintf(backup, sizeof(backup), "%s.version-2", path);
	shell("cat", old, backup);
	refused("put back the backup ");
	refused(".version-2");
}
END_TEST

/* Whatever became of the table that would tell. */
START_TEST(a_newer_store_need_not_say_by_whom)
{
	make_newer("PRAGMA user_version=99; DROP TABLE written");
	refused("it does not say which");
}
END_TEST

Suite *
suite_upgrade(void)
{
	Suite *suite = suite_create("upgrade");
	TCase *tc = tcase_create("upgrade");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, it_holds_some_of_everything);
	tcase_add_test(tc, it_is_brought_up);
	tcase_add_test(tc, a_backup_is_made_before);
	tcase_add_test(tc, without_room_there_is_none);
	tcase_add_test(tc, a_kill_at_any_write_changes_nothing);
	tcase_add_test(tc, a_kill_in_the_backup_repeats_it);
	tcase_add_test(tc, a_failure_is_told_and_changes_nothing);
	tcase_add_test(tc, a_newer_store_is_refused_with_the_way_back);
	tcase_add_test(tc, a_newer_store_need_not_say_by_whom);
	suite_add_tcase(suite, tc);
	return suite;
}
