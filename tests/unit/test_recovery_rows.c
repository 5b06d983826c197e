/*
 * test_recovery_rows.c - a store whose file is whole, and whose schema, indexes
 * or rows are not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/batch.h"
#include "store/expiry.h"
#include "store/feed.h"
#include "store/report.h"
#include "store/store.h"
#include "store/trouble.h"
#include "tests/unit/recovery_help.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

static void
sql(const char *text)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(recovery.path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK,
	    "%s", sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* An index that names a row which is gone, or lacks one, as a write that was
 * cut off leaves it behind. */
static const char *const index_changes[] = {
	"DELETE FROM feed WHERE name = 'gone';",
	"INSERT INTO feed (name, tree) VALUES ('more', 'more');",
	"UPDATE feed SET name = 'other' WHERE name = 'gone';",
};

START_TEST(an_index_of_other_days)
{
	char tree[256],
	    *change = xasprintf("%sPRAGMA writable_schema=ON;"
				"INSERT INTO sqlite_schema SELECT * FROM kept",
		index_changes[_i]);

	recovery_help_fill(3);
	sql("CREATE TABLE kept AS SELECT * FROM sqlite_schema"
	    " WHERE name = 'feed_name';"
	    "INSERT INTO feed (name, tree) VALUES ('gone', 'gone');"
	    "PRAGMA writable_schema=ON;"
	    "DELETE FROM sqlite_schema WHERE name = 'feed_name'");
	sql(change);
	free(change);
	sql("DROP TABLE kept");
	recovery_help_check();
	ck_assert_ptr_nonnull(strstr(recovery.message, "index feed_name"));
	ck_assert_int_gt(recovery_help_damaged(), 0);
	recovery_help_go_on(tree, sizeof(tree));
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
}
END_TEST

/* An index that is not the one our statements name, as a changed byte of the
 * schema makes it: no check of SQLite's finds that. */
START_TEST(another_schema)
{
	struct store *s;
	struct feed *f;
	struct item it;
	char tree[256];

	recovery_help_fill(3);
	sql("PRAGMA writable_schema=ON;"
	    "UPDATE sqlite_schema SET sql = replace(sql, 'state = 0',"
	    " 'state = 7') WHERE name LIKE 'item_%'");
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
	s = store_open(recovery.path, STORE_DURABLE, &recovery.err);
	f = feed_open(s, RECOVERY_FEED, CLOCK_DAY, &recovery.err);
	ck_assert_msg(f != NULL, "%s", recovery.err.text);
	ck_assert_int_eq(item_claim(f, &it, NULL, &recovery.err), -1);
	ck_assert_ptr_nonnull(strstr(recovery.err.text, "damaged"));
	err_clear(&recovery.err);
	feed_close(f);
	store_close(s);
	ck_assert(store_damaged(recovery.path));
	recovery_help_check();
	ck_assert_ptr_nonnull(strstr(recovery.message, "its use met damage"));
	recovery_help_go_on(tree, sizeof(tree));
	ck_assert_str_eq(tree, RECOVERY_FEED);
	ck_assert_uint_eq(recovery_help_deliverable(), 3 * 4);
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
}
END_TEST

/* A column that has another name: what asks for it at the start gets an error
 * that is none of damage. */
START_TEST(another_column)
{
	static const struct {
		const char *table, *column;
	} rows[] = {
		{ "output", "received_lines" },
		{ "output", "position" },
		{ "payload", "lines" },
		{ "batch", "raw_len" },
		{ "batch", "total_events" },
		{ "run", "level" },
		{ "feed", "sealed" },
	};
	char text[300], tree[256];

	recovery_help_fill(3);
	(void)snprintf(text, sizeof(text),
	    "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql ="
	    " replace(sql, '%s', 'xx') WHERE name = '%s'",
	    rows[_i].column, rows[_i].table);
	sql(text);
	recovery_help_check();
	ck_assert_msg(strstr(recovery.message, ": damaged (") != NULL, "%s",
	    recovery.message);
	recovery_help_go_on(tree, sizeof(tree));
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
}
END_TEST

/* Numbers of a row that no batch or run can have, and how many of the events
 * of six batches can be delivered all the same. */
static const struct {
	const char *change;
	uint64_t left;
} numbers[] = {
	{ "UPDATE batch SET count = 9223372036854775807 WHERE id = 3", 6 },
	{ "UPDATE batch SET count = -3 WHERE id = 1", 0 },
	{ "UPDATE batch SET count = 4 WHERE id = 6", 15 },
	{ "UPDATE batch SET first = -9223372036854775807 WHERE id = 1", 0 },
	{ "UPDATE batch SET first = 9223372036854775807 WHERE id = 6", 15 },
	{ "UPDATE batch SET first = 1 << 48 WHERE id = 6", 15 },
	{ "UPDATE batch SET raw_len = -1 WHERE id = 2", 3 },
	{ "UPDATE payload SET lines = (SELECT lines FROM payload WHERE batch ="
	  " 2) WHERE batch = 4; UPDATE batch SET raw_len = (SELECT raw_len FROM"
	  " batch WHERE id = 2) WHERE id = 4",
	    9 },
	{ "UPDATE batch SET count = 2 WHERE id = 5;"
	  "UPDATE run SET first = 1, rows = 9223372036854775807",
	    12 },
	{ "UPDATE batch SET count = 2 WHERE id = 5;"
	  "UPDATE run SET first = -9223372036854775807, rows = -1",
	    12 },
	{ "UPDATE batch SET count = 2 WHERE id = 5;"
	  "UPDATE feed SET size = 9223372036854775807",
	    12 },
};

START_TEST(impossible_numbers)
{
	struct batch b;
	struct store *s;
	char tree[256];
	int rc;

	recovery_help_fill_with(6, true);
	sql(numbers[_i].change);
	/* Before anything is found, nobody asks for memory by them. */
	s = store_open(recovery.path, STORE_DURABLE, &recovery.err);
	batch_init(&b);
	while ((rc = batch_next_sealed(s, b.id, &b, &recovery.err)) == 1)
		ck_assert_uint_le(b.count, BATCH_EVENTS);
	ck_assert(rc == 0 || store_damaged(recovery.path));
	err_clear(&recovery.err);
	batch_release(&b);
	store_close(s);
	recovery_help_check();
	ck_assert_uint_eq(recovery_help_deliverable(), numbers[_i].left);
	recovery_help_go_on(tree, sizeof(tree));
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
}
END_TEST

/* Rows that say what cannot be, in a file without a damaged page, and how many
 * of the events of six batches can be delivered once they are repaired. */
static const struct {
	const char *change;
	const char *says;
	uint64_t left;
} rows[] = {
	{ "UPDATE run SET first = -1", "table run", 18 },
	{ "UPDATE run SET rows = 9223372036854775807 WHERE id = 1", "table run",
	    18 },
	{ "UPDATE run SET rows = 4294967296, count = 1 WHERE id = 1",
	    "table run", 18 },
	{ "UPDATE run SET count = -3 WHERE id = 2", "table run", 18 },
	{ "UPDATE run SET level = 9223372036854775807", "table run", 18 },
	{ "UPDATE run SET id = 9223372036854775807 WHERE id = 1", "table run",
	    18 },
	{ "UPDATE run SET rows = x'0102' WHERE id = 3", "table run", 18 },
	{ "UPDATE feed SET size = -1", "table feed", 18 },
	{ "UPDATE feed SET size = 1 << 62", "table feed", 18 },
	{ "UPDATE feed SET size = 1 << 58", "table feed", 18 },
	{ "UPDATE feed SET sealed = (1 << 47) + 1", "table feed", 18 },
	{ "UPDATE feed SET sealed = -5", "table feed", 18 },
	{ "UPDATE feed SET sealed = x'00', size = 'x'", "table feed", 18 },
	{ "UPDATE feed SET tree = ''", "table feed", 0 },
	{ "UPDATE feed SET id = 1 << 62", "table feed", 0 },
	{ "UPDATE output SET position = 9223372036854775807", "table output",
	    18 },
	{ "UPDATE output SET position = -1", "table output", 18 },
	{ "UPDATE output SET lines = 1 << 40", "table output", 18 },
	{ "UPDATE output SET received = 77", "table output", 18 },
	{ "INSERT INTO output (name, position) VALUES ('x' || char(0), 0)",
	    "table output", 18 },
	{ "INSERT INTO output (name, position) VALUES (printf('%0100d', 7), 0)",
	    "table output", 18 },
	{ "INSERT INTO output (name, position) VALUES (x'78', 0)",
	    "table output", 18 },
	{ "INSERT INTO trouble (subject, class, code, text, since) VALUES"
	  " ('a' || char(0) || 'b', 'c', '', '', 1)",
	    "table trouble", 18 },
	{ "INSERT INTO trouble (subject, class, code, text, since) VALUES"
	  " ('a', 'c', printf('%0100d', 7), '', 1)",
	    "table trouble", 18 },
	{ "INSERT INTO trouble (subject, class, code, text, since) VALUES"
	  " ('a', x'c3', '', '', 1)",
	    "table trouble", 18 },
	{ "INSERT INTO expiry VALUES (x'c3', 1)", "table expiry", 18 },
	{ "INSERT INTO expiry VALUES (printf('%0200d', 7), 1)", "table expiry",
	    18 },
	{ "UPDATE sqlite_sequence SET seq = 9223372036854775807",
	    "table sqlite_sequence", 18 },
	{ "UPDATE batch SET total_events = 9223372036854775807", "table batch",
	    18 },
	{ "UPDATE batch SET total_bytes = -9223372036854775807", "table batch",
	    18 },
	{ "UPDATE batch SET feed = 77 WHERE id = 4", "table batch", 9 },
	{ "UPDATE item SET id = 9223372036854775807 WHERE id = 2", "table item",
	    18 },
	{ "UPDATE item SET feed = 0 WHERE id = 2", "table item", 18 },
};

/* The end of a list, or what is told of a table instead. */
static void
ends(int rc, const char *table)
{
	ck_assert_int_ne(rc, 1);
	ck_assert(rc == 0 || strstr(recovery.err.text, table) != NULL);
	err_clear(&recovery.err);
}

/* Whoever reads meanwhile comes to an end. */
static void
lists_end(void)
{
	struct store *s =
	    store_open(recovery.path, STORE_DURABLE, &recovery.err);
	struct trouble t = { .since = 0 };
	struct expiry e = { .ends = 0 };
	struct output_report o = { .name = "" };
	int rc = 1;

	ck_assert_ptr_nonnull(s);
	for (int i = 0; i < 9 && rc == 1; i++)
		rc = trouble_next(s, &t, &recovery.err);
	ends(rc, "table trouble");
	rc = 1;
	for (int i = 0; i < 9 && rc == 1; i++)
		rc = expiry_next(s, INT64_MAX, &e, &recovery.err);
	ends(rc, "table expiry");
	rc = 1;
	for (int i = 0; i < 9 && rc == 1; i++)
		rc = report_output(s, o.name, &o, &recovery.err);
	ends(rc, "table output");
	store_close(s);
}

/* Told and repaired at the start, without another file; then the store goes on,
 * with events that it knows, too. */
START_TEST(impossible_rows)
{
	char tree[256];

	recovery_help_fill_with(6, true);
	sql(rows[_i].change);
	lists_end();
	recovery_help_check();
	ck_assert_msg(strstr(recovery.message, rows[_i].says) != NULL, "%s",
	    recovery.message);
	ck_assert_int_eq(recovery_help_damaged(), 0);
	ck_assert_uint_eq(recovery_help_deliverable(), rows[_i].left);
	recovery_help_go_on(tree, sizeof(tree));
	ck_assert_uint_eq(recovery_help_deliverable(), rows[_i].left + 3);
	recovery_help_come_again(1);
	ck_assert(!store_damaged(recovery.path));
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
}
END_TEST

/* The tree that a feed says is not the one that its batches go on from. */
START_TEST(a_feed_behind_its_batches)
{
	static const char *const changes[] = {
		"UPDATE feed SET sealed = 0, peaks = x''",
		"UPDATE feed SET sealed = 3, peaks = (SELECT hex(zeroblob(0)))",
		"UPDATE feed SET peaks = zeroblob(64)",
	};
	struct store *s;
	struct feed *f;
	char tree[256];

	recovery_help_fill_with(3, true);
	sql(changes[_i]);
	/* Met by the next one to seal. */
	s = store_open(recovery.path, STORE_DURABLE, &recovery.err);
	f = feed_open(s, RECOVERY_FEED, CLOCK_DAY, &recovery.err);
	ck_assert_msg(f != NULL, "%s", recovery.err.text);
	recovery_help_fill_one(f, 500, "");
	(void)store_help_seal(s, &recovery.err);
	err_clear(&recovery.err);
	feed_close(f);
	store_flag_damage(s);
	store_close(s);
	recovery_help_check();
	ck_assert_str_ne(recovery.message, "");
	recovery_help_go_on(tree, sizeof(tree));
	ck_assert(!store_damaged(recovery.path));
	ck_assert_uint_ge(recovery_help_deliverable(), 9);
	recovery_help_check();
	ck_assert_str_eq(recovery.message, "");
}
END_TEST

START_TEST(a_newer_version_is_no_damage)
{
	recovery_help_fill(1);
	/* user_version is at 60 in the header, big-endian. */
	recovery_help_overwrite(recovery.path, 60, "\0\0\0\x63", 4);
	ck_assert_int_eq(store_check(recovery.path, recovery.message,
			     sizeof(recovery.message), &recovery.err),
	    -1);
	ck_assert_ptr_nonnull(strstr(recovery.err.text, "newer"));
	ck_assert_int_eq(recovery_help_damaged(), 0);
	err_clear(&recovery.err);
	ck_assert_ptr_null(store_open(recovery.path, STORE_DURABLE,
	    &recovery.err));
	ck_assert_ptr_nonnull(strstr(recovery.err.text, "newer"));
}
END_TEST

Suite *
suite_recovery_rows(void)
{
	Suite *s = suite_create("recovery_rows");
	TCase *tc = tcase_create("recovery_rows");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, recovery_help_begin, recovery_help_end);
	tcase_add_loop_test(tc, an_index_of_other_days, 0, 3);
	tcase_add_test(tc, another_schema);
	tcase_add_loop_test(tc, another_column, 0, 7);
	tcase_add_loop_test(tc, impossible_numbers, 0,
	    sizeof(numbers) / sizeof(numbers[0]));
	tcase_add_loop_test(tc, impossible_rows, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tc, a_feed_behind_its_batches, 0, 3);
	tcase_add_test(tc, a_newer_version_is_no_damage);
	suite_add_tcase(s, tc);
	return s;
}
