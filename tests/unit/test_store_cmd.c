/*
 * test_store_cmd.c - `sealfeed store`: check, compact, backup, restored, on the
 * store that sealfeed 0.1.0 left behind (vectors/stores), brought up to now.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>
#include <sqlite3.h>

#include "base/err.h"
#include "base/file.h"
#include "base/gzip.h"
#include "cmd/cmd.h"
#include "run/lock.h"
#include "seal/continuity.h"
#include "seal/sign_log.h"
#include "store/backup.h"
#include "store/store.h"
#include "tests/unit/cmd_rig.h"
#include "tests/unit/store_help.h"

#define EXCHANGE "contoso/Audit.Exchange"
#define FILLER "CREATE TABLE filler AS SELECT randomblob(9 << 20) AS data"

static struct err err;

static void
sql(const char *text)
{
	sqlite3 *db;
	char *why = NULL;

	ck_assert_int_eq(sqlite3_open(rig_path("store.db"), &db), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 10000);
	(void)sqlite3_exec(db, text, NULL, NULL, &why);
	ck_assert_msg(why == NULL, "%s: %s", text, why);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static int64_t
ask(const char *file, const char *text)
{
	sqlite3_stmt *st;
	sqlite3 *db;
	int64_t n;

	ck_assert_int_eq(sqlite3_open(rig_path(file), &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, text, -1, &st, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	return n;
}

static int64_t
size_of(const char *name)
{
	struct stat st;

	return stat(rig_path(name), &st) == 0 ? st.st_size : -1;
}

static void
remove_store(void)
{
	static const char *const names[] = { "store.db", "store.db-wal",
		"store.db-shm", "store.db.mark" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(rig_path(names[i]));
}

/* In place of the empty store of the rig. */
static void
begin(void)
{
	char line[600];

	err_clear(&err);
	rig_close_store();
	remove_store();
	(void)snprintf(line, sizeof(line), "xz -dc '%s' >'%s'",
	    VECTORS "stores/0.1.0/store.db.xz", rig_path("store.db"));
	ck_assert_msg(system(line) == 0, "%s", line);
	ck_assert_int_eq(chmod(rig_path("store.db"), 0640), 0);
	store_close(store_help_open(rig_path("store.db"), STORE_DURABLE));
}

static void
end(void)
{
}

/* -- misuse -----------------------------------------------------------------
 */

static const char *const misuses[] = {
	"store",
	"store backup",
	"store backup a b",
	"store check a b",
	"store compact a",
	"store restored a",
	"store vacuum",
	"store compact --repair",
};

START_TEST(misuse_is_64)
{
	ck_assert_msg(rig_run(misuses[_i]) == EXIT_USE, "%s", misuses[_i]);
	ck_assert_ptr_nonnull(strstr(rig.message.data, "usage: sealfeed "));
}
END_TEST

START_TEST(there_must_be_a_store)
{
	static const char *const lines[] = { "store check", "store compact",
		"store backup /nowhere/x", "store check /nowhere/x",
		"store restored" };

	remove_store();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ck_assert_msg(rig_run(lines[i]) == EXIT_WRONG, "%s", lines[i]);
		ck_assert_uint_gt(rig.message.len, 0);
		ck_assert_int_ne(access(rig_path("store.db"), F_OK), 0);
	}
}
END_TEST

/* Files that are no store: what is said of them as FILE, and nothing is left
 * beside them. */
static const struct {
	const char *make, *said;
} strangers[] = {
	{ "head -c 200000 store.db >x", "damaged, or no store of sealfeed (" },
	{ "echo root:x:0:0:root:/root:/bin/bash >x",
	    "damaged, or no store of sealfeed (" },
	{ ": >x", "holds nothing yet" },
	{ "sqlite", "a database of another program; name a store or its" },
};

START_TEST(files_that_are_no_store)
{
	const char *make = strangers[_i].make;
	char line[1000];
	sqlite3 *db;

	if (strcmp(make, "sqlite") == 0) {
		ck_assert_int_eq(sqlite3_open(rig_path("x"), &db), SQLITE_OK);
		ck_assert_int_eq(sqlite3_exec(db, "CREATE TABLE t (a)", NULL,
				     NULL, NULL),
		    SQLITE_OK);
		ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	} else {
		(void)snprintf(line, sizeof(line),
		    "cd \"$(dirname '%s')\" && %s", rig_path("x"), make);
		ck_assert_msg(system(line) == 0, "%s", line);
	}
	(void)snprintf(line, sizeof(line), "store check %s", rig_path("x"));
	ck_assert_int_eq(rig_run(line), EXIT_WRONG);
	ck_assert_msg(strstr(rig.message.data, strangers[_i].said) != NULL,
	    "%s", rig.message.data);
	ck_assert_ptr_null(strstr(rig.message.data, "next start"));
	ck_assert_int_ne(access(rig_path("x.suspect"), F_OK), 0);
}
END_TEST

/* That is for the agent. */
START_TEST(no_store_is_made_of_an_empty_file)
{
	static const char *const lines[] = { "store compact",
		"store restored" };

	remove_store();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int fd = open(rig_path("store.db"), O_WRONLY | O_CREAT, 0640);

		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(close(fd), 0);
		ck_assert_msg(rig_run(lines[i]) == EXIT_WRONG, "%s", lines[i]);
		ck_assert_ptr_nonnull(strstr(rig.message.data,
		    "store.db: an empty file; "));
		ck_assert_int_eq(size_of("store.db"), 0);
	}
}
END_TEST

/* -- check ------------------------------------------------------------------
 */

START_TEST(a_sound_store)
{
	json_t *root;

	ck_assert_msg(rig_run("store check") == EXIT_FINE, "%s", rig.out.data);
	ck_assert_ptr_nonnull(strstr(rig.out.data, "The store is sound.\n"));
	ck_assert_int_eq(rig_run("store check --json"), EXIT_FINE);
	root = json_loads(rig.out.data, 0, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(root, "findings")),
	    0);
	ck_assert_int_eq(json_integer_value(json_object_get(root, "events")),
	    ask("store.db",
		"SELECT sum(count) FROM batch JOIN payload ON batch = id"));
	ck_assert_int_eq(json_integer_value(json_object_get(root,
			     "checkpoints")),
	    ask("store.db", "SELECT count(*) FROM checkpoint"));
	json_decref(root);
}
END_TEST

#define SEALED "(SELECT min(batch) FROM checkpoint)"
#define UNSEALED "(SELECT id FROM batch WHERE sealed IS NULL)"

static const struct {
	const char *damage;
	const char *says;
} damages[] = {
	{ "UPDATE payload SET lines = substr(lines, 1, 40)"
	  " WHERE batch = " SEALED,
	    "cannot be unpacked" },
	{ "UPDATE payload SET lines = x'' WHERE batch = " SEALED,
	    "cannot be unpacked" },
	{ "UPDATE batch SET raw_len = raw_len + 1 WHERE id = " SEALED,
	    "unpacked they have" },
	{ "UPDATE batch SET raw_len = 0 WHERE id = " SEALED,
	    "there can be no such events" },
	{ "UPDATE batch SET nodes = zeroblob(length(nodes))"
	  " WHERE id = " UNSEALED,
	    "not the bytes that were committed" },
	{ "UPDATE batch SET checks = zeroblob(length(checks))"
	  " WHERE id = " UNSEALED,
	    "not the bytes that were committed" },
	{ "UPDATE checkpoint SET value = '{}' WHERE batch = " SEALED,
	    "malformed" },
	{ "UPDATE checkpoint SET value = (SELECT value FROM checkpoint"
	  " ORDER BY batch DESC LIMIT 1) WHERE batch = " SEALED,
	    "one of other events" },
	{ "UPDATE checkpoint SET size = size + 1 WHERE batch = " SEALED,
	    "one of other events" },
	{ "DELETE FROM payload WHERE batch = (SELECT max(batch) FROM payload)",
	    "has no events" },
	{ "DELETE FROM batch WHERE id = " SEALED, "events of no batch" },
	{ "DELETE FROM batch WHERE id = " SEALED, "does not follow the one" },
	{ "DELETE FROM feed WHERE name = '" EXCHANGE "'",
	    "a batch of no feed" },
	{ "DELETE FROM feed WHERE name = '" EXCHANGE "'",
	    "an item of no feed" },
	{ "UPDATE feed SET size = size + 1 WHERE name = '" EXCHANGE "'",
	    "do not end where it ends: " EXCHANGE },
	{ "UPDATE feed SET sealed = sealed - 1 WHERE name = '" EXCHANGE "'",
	    "more or fewer of its events are sealed" },
	{ "UPDATE output SET position = 100000 WHERE name = 'lake'",
	    "past the last batch: lake" },
	{ "UPDATE output SET lines = 10000", "more lines of its next batch" },
	{ "UPDATE item SET state = 7 WHERE id = 1", "a state that there is" },
	{ "UPDATE item SET uri = NULL WHERE state = 0", "without an address" },
	{ "DELETE FROM seen WHERE id = (SELECT min(id) FROM seen)",
	    "lacks rows" },
	{ "DELETE FROM run WHERE id = (SELECT min(id) FROM run)",
	    "seen ids of no run" },
	{ "UPDATE output SET position = 1 << 62",
	    "table output has impossible numbers" },
	{ "PRAGMA writable_schema = ON;"
	  "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM"
	  " sqlite_schema WHERE name = 'gap') WHERE name = 'dead_letter'",
	    "2nd reference to page" },
	{ "PRAGMA writable_schema = ON;"
	  "UPDATE sqlite_schema SET sql = 'CREATE INDEX feed_name ON feed"
	  " (error)' WHERE name = 'feed_name'",
	    "feed_name" },
};

START_TEST(damage_is_found)
{
	json_t *root;

	sql(damages[_i].damage);
	ck_assert_int_eq(rig_run("store check"), EXIT_WRONG);
	ck_assert_msg(strstr(rig.out.data, damages[_i].says) != NULL, "%s: %s",
	    damages[_i].damage, rig.out.data);
	ck_assert_ptr_nonnull(strstr(rig.out.data, " findings. "));
	ck_assert_int_ne(access(rig_path("store.db.suspect"), F_OK), 0);
	ck_assert_int_eq(rig_run("store check --json"), EXIT_WRONG);
	root = json_loads(rig.out.data, 0, NULL);
	ck_assert_uint_gt(json_array_size(json_object_get(root, "findings")),
	    0);
	json_decref(root);
}
END_TEST

/* Give a batch the same lines with one letter changed, well packed. */
static void
alter(const char *batch)
{
	struct buf raw = BUF_INIT(1 << 20), packed = BUF_INIT(1 << 20);
	struct gzip *g = gzip_new();
	sqlite3_stmt *st;
	char text[300];
	sqlite3 *db;
	char *at;

	ck_assert_int_eq(sqlite3_open(rig_path("store.db"), &db), SQLITE_OK);
	(void)snprintf(text, sizeof(text),
	    "SELECT lines FROM payload WHERE batch = %s", batch);
	ck_assert_int_eq(sqlite3_prepare_v2(db, text, -1, &st, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	ck_assert_int_eq(gzip_unpack(g, sqlite3_column_blob(st, 0),
			     (size_t)sqlite3_column_bytes(st, 0), &raw, &err),
	    0);
	(void)sqlite3_finalize(st);
	at = strstr(raw.data, "\"Workload\":\"");
	ck_assert_ptr_nonnull(at);
	at[12] ^= 1;
	ck_assert_int_eq(gzip_pack(g, raw.data, raw.len, &packed, &err), 0);
	(void)snprintf(text, sizeof(text),
	    "UPDATE payload SET lines = ? WHERE batch = %s", batch);
	ck_assert_int_eq(sqlite3_prepare_v2(db, text, -1, &st, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_bind_blob64(st, 1, packed.data, packed.len,
			     SQLITE_STATIC),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_DONE);
	(void)sqlite3_finalize(st);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	gzip_free(g);
	buf_release(&raw);
	buf_release(&packed);
}

START_TEST(one_letter_is_found)
{
	alter(SEALED);
	ck_assert_int_eq(rig_run("store check"), EXIT_WRONG);
	ck_assert_ptr_nonnull(strstr(rig.out.data, "signs another root"));
	ck_assert_ptr_nonnull(strstr(rig.out.data, "\n1 findings. "));
	alter(UNSEALED);
	ck_assert_int_eq(rig_run("store check"), EXIT_WRONG);
	ck_assert_ptr_nonnull(strstr(rig.out.data,
	    "not the bytes that were committed"));
	ck_assert_ptr_nonnull(strstr(rig.out.data, "\n2 findings. "));
}
END_TEST

/* Deleted behind the outputs: the rest of a checkpoint's events proves
 * nothing, and is no finding. */
START_TEST(delivered_events_are_not_missed)
{
	sql("CREATE TEMP TABLE gone AS SELECT batch FROM payload"
	    " WHERE batch < " UNSEALED ";"
	    "UPDATE output SET position = (SELECT max(batch) FROM gone);"
	    "DELETE FROM payload WHERE batch IN (SELECT batch FROM gone);"
	    "DELETE FROM checkpoint WHERE batch IN (SELECT batch FROM gone)");
	ck_assert_msg(rig_run("store check") == EXIT_FINE, "%s", rig.out.data);
}
END_TEST

START_TEST(a_cut_file_is_found)
{
	sql("PRAGMA wal_checkpoint(TRUNCATE)");
	ck_assert_int_eq(truncate(rig_path("store.db"), 200000), 0);
	ck_assert_int_eq(rig_run("store check"), EXIT_WRONG);
	ck_assert_uint_gt(rig.out.len + rig.message.len, 10);
}
END_TEST

START_TEST(repair_is_for_the_agent)
{
	ck_assert_int_eq(rig_run("store check --repair"), EXIT_FINE);
	ck_assert_int_ne(access(rig_path("store.db.suspect"), F_OK), 0);
	sql(damages[0].damage);
	ck_assert_int_eq(rig_run("store check --repair"), EXIT_WRONG);
	ck_assert_ptr_nonnull(strstr(rig.out.data, "repairs the store now"));
	ck_assert_int_eq(access(rig_path("store.db.suspect"), F_OK), 0);
	ck_assert_int_eq(rig_run("store check --repair x"), EXIT_WRONG);
}
END_TEST

/* -- backup -----------------------------------------------------------------
 */

/* The next call of rig_path() is not ours. */
static const char *
target(void)
{
	static char name[200];

	(void)snprintf(name, sizeof(name), "%s", rig_path("backup.db"));
	return name;
}

static int
run_on_target(const char *words)
{
	char line[300];

	(void)snprintf(line, sizeof(line), "%s %s", words, target());
	return rig_run(line);
}

START_TEST(a_backup)
{
	struct stat st;
	json_t *root;

	ck_assert_msg(run_on_target("store backup --json") == EXIT_FINE, "%s",
	    rig.message.data);
	root = json_loads(rig.out.data, 0, NULL);
	ck_assert_int_eq(stat(target(), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(json_integer_value(json_object_get(root, "bytes")),
	    st.st_size);
	ck_assert_str_eq(json_string_value(json_object_get(root, "file")),
	    target());
	json_decref(root);
	ck_assert_int_ne(access(rig_path("backup.db-wal"), F_OK), 0);
	ck_assert_int_eq(ask("backup.db", "SELECT sum(size) FROM feed"),
	    ask("store.db", "SELECT sum(size) FROM feed"));
	ck_assert_msg(run_on_target("store check") == EXIT_FINE, "%s",
	    rig.out.data);

	ck_assert_int_eq(run_on_target("store backup"), EXIT_WRONG);
	ck_assert_ptr_nonnull(strstr(rig.message.data, "not overwritten"));
	ck_assert_int_eq(unlink(target()), 0);
	ck_assert_int_eq(symlink("elsewhere", target()), 0);
	ck_assert_int_eq(run_on_target("store backup"), EXIT_WRONG);
	ck_assert_int_ne(access(rig_path("elsewhere"), F_OK), 0);
}
END_TEST

/* One that nobody has met yet would be copied as it is. */
START_TEST(a_damaged_store_is_not_backed_up)
{
	const int64_t page = ask("store.db",
	    "SELECT rootpage FROM sqlite_schema WHERE name = 'dead_letter'");
	char junk[4000];
	int fd = open(rig_path("store.db"), O_WRONLY);

	memset(junk, 0xa5, sizeof(junk));
	ck_assert_int_eq(pwrite(fd, junk, sizeof(junk), (page - 1) * 16384),
	    (ssize_t)sizeof(junk));
	(void)close(fd);
	ck_assert_int_eq(run_on_target("store backup"), EXIT_WRONG);
	ck_assert_msg(strstr(rig.message.data, "the store is damaged") != NULL,
	    "%s", rig.message.data);
	ck_assert_int_ne(access(target(), F_OK), 0);
	ck_assert_int_ne(access(rig_path("backup.db.part"), F_OK), 0);
}
END_TEST

START_TEST(a_backup_needs_room)
{
	char text[600];
	int n = snprintf(text, sizeof(text),
	    "agent: { name: fra1, key: /nowhere, store: { path: %s,"
	    " min_free: 60TiB } }\n"
	    "outputs: { siem: { type: file, path: /nowhere } }\n",
	    rig_path("store.db"));

	ck_assert_int_eq(file_replace(rig_path("sealfeed.yaml"), text,
			     (size_t)n, 0600, &err),
	    0);
	ck_assert_msg(run_on_target("store backup") == EXIT_WRONG, "%s",
	    rig.message.data);
	ck_assert_msg(strstr(rig.message.data, "there is no room") != NULL,
	    "%s", rig.message.data);
	ck_assert_int_ne(access(target(), F_OK), 0);
}
END_TEST

/* What is written meanwhile is not in it, and does not make it begin anew. */
struct meanwhile {
	int calls;
	bool end;
};

static int
write_meanwhile(void *ctx, int64_t done, int64_t all)
{
	struct meanwhile *m = ctx;

	ck_assert_int_lt(done, all);
	ck_assert_int_eq(done, ++m->calls * 256);
	sql("UPDATE feed SET requests = requests + 1;"
	    "INSERT INTO gap (feed, item, key, since, until, recorded, cause)"
	    " VALUES (1, 0, 'x', 1, 2, 3, 'y')");
	return m->end;
}

START_TEST(writers_do_not_wait)
{
	struct meanwhile m = { .calls = 0 };
	struct backup b = {
		.file = target(), .progress = write_meanwhile, .ctx = &m
	};
	struct store *s;
	int64_t gaps;

	sql(FILLER);
	gaps = ask("store.db", "SELECT count(*) FROM gap");
	s = store_help_open(rig_path("store.db"), STORE_READ);
	ck_assert_msg(backup_make(s, &b, &err) == 0, "%s", err.text);
	ck_assert_int_ge(m.calls, 2);
	ck_assert_int_eq(ask("backup.db", "SELECT count(*) FROM gap"), gaps);
	ck_assert_int_eq(ask("store.db", "SELECT count(*) FROM gap"),
	    gaps + m.calls);

	m = (struct meanwhile){ .end = true };
	ck_assert_int_eq(unlink(target()), 0);
	ck_assert_int_eq(backup_make(s, &b, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "interrupted"));
	ck_assert_int_ne(access(rig_path("backup.db"), F_OK), 0);
	ck_assert_int_ne(access(rig_path("backup.db.part"), F_OK), 0);
	store_close(s);
}
END_TEST

START_TEST(what_is_unfinished_is_not_taken_over)
{
	ck_assert_int_eq(file_create(rig_path("backup.db.part"), "x", 1, 0600,
			     &err),
	    0);
	ck_assert_int_eq(run_on_target("store backup"), EXIT_WRONG);
	ck_assert_ptr_nonnull(strstr(rig.message.data,
	    "backup.db.part: there"));
	ck_assert_int_ne(access(target(), F_OK), 0);
}
END_TEST

/* -- restored ---------------------------------------------------------------
 */

static void
hold_against_log(struct continuity_news *news)
{
	static char log[200];
	struct continuity c = { .agent = "fra1", .path = log };

	(void)snprintf(log, sizeof(log), "%s", rig_path("seal.log"));
	c.store = store_help_open(rig_path("store.db"), STORE_DURABLE);
	ck_assert_msg(continuity_check(&c, news, &err) == 0, "%s", err.text);
	store_close(c.store);
}

static uint64_t
logged(const char *origin)
{
	const struct sign_head *head;
	struct sign_log *log;
	uint64_t size;

	ck_assert_int_eq(sign_log_open(rig_path("seal.log"), &log, &err), 1);
	head = sign_log_find(log, origin);
	size = head == NULL ? UINT64_MAX : head->size;
	sign_log_close(log);
	return size;
}

static void
back_up(bool with_log)
{
	struct backup b = { .file = target() };
	struct store *s = store_help_open(rig_path("store.db"), STORE_READ);

	if (with_log)
		b.log = rig_path("seal.log");
	ck_assert_msg(backup_make(s, &b, &err) == 0, "%s", err.text);
	store_close(s);
}

/* With the log that it kept, and without. */
START_TEST(a_backup_in_the_place_of_the_store)
{
	struct continuity_news news;
	const char *file;
	const int64_t sealed = ask("store.db",
	    "SELECT sealed FROM feed WHERE name = '" EXCHANGE "'");
	const int64_t feeds =
	    ask("store.db", "SELECT count(*) FROM feed WHERE size > 0");

	hold_against_log(&news);
	back_up(_i == 0);
	remove_store();
	(void)unlink(rig_path("seal.log"));
	file = target();
	ck_assert_int_eq(rename(file, rig_path("store.db")), 0);
	hold_against_log(&news);
	ck_assert_msg(strstr(news.text, "restored from a backup of 20") != NULL,
	    "%s", news.text);
	ck_assert_int_eq(ask("store.db",
			     "SELECT count(*) FROM feed WHERE tree LIKE '%~%'"),
	    feeds);
	ck_assert_uint_eq(logged("fra1/" EXCHANGE),
	    _i == 0 ? (uint64_t)sealed : UINT64_MAX);
	ck_assert_uint_eq(logged("fra1/*"), 0);
	/* From now on it is the store. */
	hold_against_log(&news);
	ck_assert_str_eq(news.text, "");
}
END_TEST

/* Whoever forgets what a killed agent left beside its store: its WAL is no part
 * of the backup, and SQLite would take it for one. */
START_TEST(a_wal_of_the_store_before)
{
	const char *file;
	int64_t gaps;
	pid_t pid;

	back_up(false);
	gaps = ask("backup.db", "SELECT count(*) FROM gap");
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)store_help_open(rig_path("store.db"), STORE_DURABLE);
		sql("INSERT INTO gap (feed, item, key, since, until, recorded,"
		    " cause) VALUES (1, 0, 'x', 1, 2, 3, 'y')");
		(void)kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_gt(size_of("store.db-wal"), 0);
	file = target();
	ck_assert_int_eq(rename(file, rig_path("store.db")), 0);
	store_close(store_help_open(rig_path("store.db"), STORE_DURABLE));
	ck_assert_int_eq(ask("store.db", "SELECT count(*) FROM gap"), gaps);
	ck_assert_int_gt(size_of("store.db-wal.stale"), 0);
	ck_assert_msg(rig_run("store check") == EXIT_FINE, "%s", rig.out.data);
}
END_TEST

/* -- compact ----------------------------------------------------------------
 */

static int64_t
file_size(void)
{
	sql("PRAGMA wal_checkpoint(TRUNCATE)");
	return size_of("store.db");
}

/* While the agent is stopped (0), and while it runs (1). */
START_TEST(compacted)
{
	struct store_lock lock;
	int64_t before, sequences, seen;
	struct stat st;
	json_t *root;

	sql(FILLER ";"
		   "DROP TABLE filler");
	before = file_size();
	sequences = ask("store.db", "SELECT sum(seq) FROM sqlite_sequence");
	seen = ask("store.db", "SELECT sum(id) FROM seen");
	if (_i == 1)
		ck_assert_int_eq(lock_store(&lock, rig_path("store.db"), 0,
				     &err),
		    0);
	ck_assert_msg(rig_run("store compact --json") == EXIT_FINE, "%s",
	    rig.message.data);
	if (_i == 1)
		lock_release(&lock);
	root = json_loads(rig.out.data, 0, NULL);
	ck_assert_int_eq(json_is_true(json_object_get(root, "rewritten")),
	    _i == 0);
	ck_assert_int_ge(json_integer_value(json_object_get(root, "before")),
	    before);
	json_decref(root);
	ck_assert_int_lt(file_size(), before - (8 << 20));
	ck_assert_int_eq(ask("store.db",
			     "SELECT sum(seq) FROM sqlite_sequence"),
	    sequences);
	ck_assert_int_eq(ask("store.db", "SELECT sum(id) FROM seen"), seen);
	ck_assert_int_eq(ask("store.db", "PRAGMA auto_vacuum"), 2);
	ck_assert_int_eq(stat(rig_path("store.db"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0640);
	ck_assert_msg(rig_run("store check") == EXIT_FINE, "%s", rig.out.data);
	ck_assert_int_ne(access(rig_path("store.db.compact"), F_OK), 0);
}
END_TEST

/* A process that locks the store for writing until the one that calls this has
 * written something to another standard error: its id. */
static pid_t
hold_store(void)
{
	struct stat before, now;
	char name[64], byte;
	int ready[2];
	sqlite3 *db;
	pid_t pid;

	(void)snprintf(name, sizeof(name), "/proc/%d/fd/2", (int)getpid());
	ck_assert_int_eq(stat(name, &before), 0);
	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid > 0) {
		ck_assert_int_eq(read(ready[0], &byte, 1), 1);
		(void)close(ready[0]);
		(void)close(ready[1]);
		return pid;
	}
	if (sqlite3_open(rig_path("store.db"), &db) != SQLITE_OK ||
	    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
		SQLITE_OK ||
	    write(ready[1], "", 1) != 1)
		_exit(1);
	while (stat(name, &now) == 0 &&
	    (now.st_ino == before.st_ino || now.st_size == 0))
		(void)usleep(10000);
	(void)sqlite3_close(db);
	_exit(0);
}

static const char *const waits[] = { "store compact", "store restored" };

/* By the agent, which runs (the first), or by something else. */
START_TEST(a_lock_is_told_of)
{
	const bool agent = _i == 0;
	struct store_lock lock;
	int status;
	pid_t pid;

	if (agent)
		ck_assert_int_eq(lock_store(&lock, rig_path("store.db"), 0,
				     &err),
		    0);
	pid = hold_store();
	ck_assert_msg(rig_run(waits[_i]) == EXIT_FINE, "%s", rig.message.data);
	ck_assert_msg(strstr(rig.message.data,
			  agent ? "store.db: the agent, which runs, holds it "
				  "locked; waiting up to 30 s. If this goes "
				  "on, stop the agent"
				: "store.db: a process that is no agent holds "
				  "it locked") != NULL,
	    "%s", rig.message.data);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	if (agent)
		lock_release(&lock);
}
END_TEST

/* Only the agent brings an older store up, after its backup. */
START_TEST(an_older_store_is_left_alone)
{
	sql("PRAGMA user_version = 1");
	ck_assert_int_eq(rig_run("store compact"), EXIT_WRONG);
	ck_assert_ptr_nonnull(strstr(rig.message.data, "start the agent once"));
	ck_assert_int_eq(rig_run("dead-letters retry --all"), EXIT_WRONG);
	ck_assert_int_eq(ask("store.db", "PRAGMA user_version"), 1);
}
END_TEST

Suite *
suite_store_cmd(void)
{
	Suite *s = suite_create("store_cmd");
	TCase *tc = rig_case("store_cmd");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_loop_test(tc, misuse_is_64, 0,
	    sizeof(misuses) / sizeof(misuses[0]));
	tcase_add_test(tc, there_must_be_a_store);
	tcase_add_loop_test(tc, files_that_are_no_store, 0,
	    (int)(sizeof(strangers) / sizeof(strangers[0])));
	tcase_add_test(tc, no_store_is_made_of_an_empty_file);
	tcase_add_test(tc, a_sound_store);
	tcase_add_loop_test(tc, damage_is_found, 0,
	    sizeof(damages) / sizeof(damages[0]));
	tcase_add_test(tc, one_letter_is_found);
	tcase_add_test(tc, delivered_events_are_not_missed);
	tcase_add_test(tc, a_cut_file_is_found);
	tcase_add_test(tc, repair_is_for_the_agent);
	tcase_add_test(tc, a_backup);
	tcase_add_test(tc, a_damaged_store_is_not_backed_up);
	tcase_add_test(tc, a_backup_needs_room);
	tcase_add_test(tc, writers_do_not_wait);
	tcase_add_test(tc, what_is_unfinished_is_not_taken_over);
	tcase_add_loop_test(tc, a_backup_in_the_place_of_the_store, 0, 2);
	tcase_add_test(tc, a_wal_of_the_store_before);
	tcase_add_loop_test(tc, compacted, 0, 2);
	tcase_add_loop_test(tc, a_lock_is_told_of, 0, 2);
	tcase_add_test(tc, an_older_store_is_left_alone);
	suite_add_tcase(s, tc);
	return s;
}
