/*
 * test_recovery.c - a store that is damaged, cut short or set back: it is
 * found, and what is lost is fetched again in a new tree.
 */
#include <dirent.h>
#include <errno.h>
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
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/batch.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/position.h"
#include "store/report.h"
#include "store/store.h"
#include "store/write_batch.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define FEED "contoso/Audit.Exchange"
#define BATCHES 60

static char dir[64];
static char path[128];
static char message[1024];
static struct err err;

static void
set_up(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	err_clear(&err);
}

static void
tear_down(void)
{
	store_help_end(dir);
}

static void
check_ok(void)
{
	ck_assert_msg(store_check(path, message, sizeof(message), &err) == 0,
	    "%s", err.text);
}

static int
damaged_files(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL)
		n += strstr(e->d_name, ".damaged-") != NULL;
	(void)closedir(d);
	return n;
}

/* Add the three events of an item. */
static void
add_events(struct write_batch *p, int number, const char *salt)
{
	char data[200], id[48];

	for (int i = 0; i < 3; i++) {
		struct slice s = { .data = id };

		(void)snprintf(id, sizeof(id), "id-%d-%d", number, i);
		(void)snprintf(data, sizeof(data),
		    "{\"Id\":\"%s\",\"pad\":\"%x%x%x%s\"}", id,
		    (unsigned)number * 2654435761u,
		    (unsigned)(number + i) * 40503u, (unsigned)i * 97u, salt);
		s.len = strlen(id);
		ck_assert_int_eq(write_batch_add(p, data, strlen(data), s, 1,
				     &err),
		    0);
	}
}

/* Commit the item with the number, of three events. */
static void
fill_one(struct feed *f, int number, const char *salt)
{
	struct write_batch *p = write_batch_new(f);
	char key[32];
	struct listed l = { key, "https://x/y", 1, INT64_MAX };
	const uint8_t chain[32] = { 1 };
	struct item it;

	(void)snprintf(key, sizeof(key), "item-%d", number);
	write_batch_listed(p, &l);
	ck_assert_int_eq(feed_commit(p, NULL, &err), 0);
	ck_assert_int_eq(item_claim(f, &it, NULL, &err), 1);
	add_events(p, number, salt);
	write_batch_item(p, it.id, 3, chain, true);
	write_batch_cursor(p, "{\"n\":1}");
	ck_assert_msg(feed_commit(p, NULL, &err) == 0, "%s", err.text);
	ck_assert_int_eq(item_return(f, &it, 0, NULL, &err), 0);
	item_release(&it);
	write_batch_free(p);
}

/* n items; each: a checkpoint for each, else one for all. */
static void
fill_with(int n, bool each)
{
	static const char *const names[] = { "siem" };
	struct store *s = store_open(path, STORE_DURABLE, &err);
	struct feed *f;

	ck_assert_msg(s != NULL, "%s", err.text);
	ck_assert_int_eq(position_set_outputs(s, names, 1, &err), 0);
	f = feed_open(s, FEED, CLOCK_DAY, &err);
	ck_assert_msg(f != NULL, "%s", err.text);
	for (int i = 0; i < n; i++) {
		fill_one(f, i, "");
		if (each)
			ck_assert_int_eq(store_help_seal(s, &err), 1);
	}
	while (store_help_seal(s, &err) == 1)
		;
	feed_close(f);
	store_close(s);
}

static void
fill(int n)
{
	fill_with(n, false);
}

/* Events that were there before come again. */
static void
come_again(int number)
{
	struct store *s = store_open(path, STORE_DURABLE, &err);
	struct feed *f = feed_open(s, FEED, CLOCK_DAY, &err);
	struct write_batch *p;

	ck_assert_msg(f != NULL, "%s", err.text);
	p = write_batch_new(f);
	add_events(p, number, "");
	ck_assert_msg(feed_commit(p, NULL, &err) == 0, "%s", err.text);
	write_batch_free(p);
	feed_close(f);
	ck_assert_msg(store_forget(s, clock_now() + 9 * CLOCK_DAY, &err) == 0,
	    "%s", err.text);
	store_close(s);
}

/* Open the feed, commit one more item, seal; the name of its tree. */
static void
go_on(char *tree, size_t size)
{
	struct store *s = store_open(path, STORE_DURABLE, &err);
	struct feed_report r = { .id = 0 };
	struct feed *f;

	ck_assert_msg(s != NULL, "%s", err.text);
	f = feed_open(s, FEED, CLOCK_DAY, &err);
	ck_assert_msg(f != NULL, "%s", err.text);
	fill_one(f, 1000, "more");
	while (store_help_seal(s, &err) == 1)
		;
	ck_assert_str_eq(err.text, "");
	do {
		(void)report_feed(s, r.id, &r, &err);
	} while (r.id != feed_id(f));
	(void)snprintf(tree, size, "%s", r.tree);
	feed_close(f);
	store_close(s);
}

/* Count what can be delivered, and check that each tree's batches follow one
 * another from 0. */
static uint64_t
deliverable(void)
{
	struct store *s = store_open(path, STORE_DURABLE, &err);
	uint64_t n = 0, next[16] = { 0 };
	struct batch b;
	int rc;

	batch_init(&b);
	while ((rc = batch_next_sealed(s, b.id, &b, &err)) == 1) {
		ck_assert_uint_eq(b.first, next[b.feed_id]);
		next[b.feed_id] += b.count;
		n += b.count;
	}
	ck_assert_msg(rc == 0, "%s", err.text);
	batch_release(&b);
	store_close(s);
	return n;
}

static void
overwrite(const char *name, off_t at, const char *bytes, size_t len)
{
	int fd = open(name, O_RDWR);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bytes, len, at), (ssize_t)len);
	(void)close(fd);
}

START_TEST(a_sound_store_is_left_alone)
{
	char tree[256];

	check_ok();
	ck_assert_str_eq(message, "");
	fill(BATCHES);
	check_ok();
	ck_assert_str_eq(message, "");
	ck_assert_int_eq(damaged_files(), 0);
	go_on(tree, sizeof(tree));
	ck_assert_str_eq(tree, FEED);
	ck_assert_uint_eq(deliverable(), 3 * (BATCHES + 1));
}
END_TEST

START_TEST(no_database)
{
	char tree[256];
	char junk[5000];

	memset(junk, 'x', sizeof(junk));
	fill(3);
	ck_assert_int_eq(file_replace(path, junk, sizeof(junk), 0600, &err), 0);
	check_ok();
	ck_assert_ptr_nonnull(strstr(message, "damaged"));
	ck_assert_int_ge(damaged_files(), 1);
	go_on(tree, sizeof(tree));
	ck_assert_str_ne(tree, FEED);
	ck_assert_int_eq(strncmp(tree, FEED "~", strlen(FEED) + 1), 0);
	check_ok();
	ck_assert_str_eq(message, "");
}
END_TEST

START_TEST(the_file_is_gone)
{
	char tree[256];

	fill(3);
	ck_assert_int_eq(unlink(path), 0);
	check_ok();
	ck_assert_ptr_nonnull(strstr(message, "has lost the last 9 events"));
	go_on(tree, sizeof(tree));
	ck_assert_str_ne(tree, FEED);
	check_ok();
	ck_assert_str_eq(message, "");
}
END_TEST

START_TEST(cut_short)
{
	struct stat st;
	char tree[256];

	fill(BATCHES);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(truncate(path, st.st_size * _i / 10), 0);
	check_ok();
	ck_assert_str_ne(message, "");
	go_on(tree, sizeof(tree));
	(void)deliverable();
	check_ok();
	ck_assert_str_eq(message, "");
}
END_TEST

/* A store as it was before the last commits, as one without its WAL is. */
START_TEST(set_back)
{
	struct buf old = BUF_INIT(64 << 20);
	struct feed_report r;
	struct store *s;
	char tree[256];

	fill(3);
	ck_assert_int_eq(file_read(path, &old, &err), 0);
	go_on(tree, sizeof(tree));
	ck_assert_str_eq(tree, FEED);
	ck_assert_int_eq(file_replace(path, old.data, old.len, 0600, &err), 0);
	check_ok();
	ck_assert_ptr_nonnull(strstr(message, "has lost the last 3 events"));
	go_on(tree, sizeof(tree));
	ck_assert_str_ne(tree, FEED);
	/* What the old copy held is still delivered, in the old tree. */
	ck_assert_uint_eq(deliverable(), 3 * 4);
	s = store_open(path, STORE_READ, &err);
	ck_assert_int_eq(report_feed(s, 0, &r, &err), 1);
	ck_assert(r.closed);
	ck_assert_uint_eq(r.size, 9);
	store_close(s);
	buf_release(&old);
	check_ok();
	ck_assert_str_eq(message, "");
}
END_TEST

/* Where a byte of the payload of a batch is in the file. */
static off_t
find_payload(int64_t which)
{
	struct store *s = store_open(path, STORE_DURABLE, &err);
	struct buf all = BUF_INIT(64 << 20);
	char *at = NULL;
	struct batch b;
	off_t offset;

	batch_init(&b);
	while (batch_next_sealed(s, b.id, &b, &err) == 1 && b.id < which)
		;
	store_close(s);
	ck_assert_int_eq(file_read(path, &all, &err), 0);
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

	fill(BATCHES);
	overwrite(path, find_payload(20), "\x55", 1);
	check_ok();
	ck_assert_ptr_nonnull(strstr(message, "the events of batch 20"));
	ck_assert_int_ge(damaged_files(), 1);
	/* The store holds what was before, and fetches the rest again. */
	lost = 3 * BATCHES - deliverable();
	ck_assert_uint_gt(lost, 0);
	s = store_open(path, STORE_DURABLE, &err);
	f = feed_open(s, FEED, CLOCK_DAY, &err);
	for (int i = 0; i < BATCHES; i++) {
		char key[32];
		struct listed l = { key, "https://x/y", 1, INT64_MAX };
		struct commit_result res;
		struct write_batch *p = write_batch_new(f);

		(void)snprintf(key, sizeof(key), "item-%d", i);
		write_batch_listed(p, &l);
		ck_assert_int_eq(feed_commit(p, &res, &err), 0);
		write_batch_free(p);
		if (res.listed == 0)
			continue;
		/* fill_one() lists it no more, claims and commits it. */
		fill_one(f, i, "");
	}
	while (store_help_seal(s, &err) == 1)
		;
	ck_assert_int_eq(report_feed(s, feed_id(f) - 1, &r, &err), 1);
	ck_assert_uint_eq(r.size, lost);
	ck_assert_uint_eq(r.items, 0);
	feed_close(f);
	store_close(s);
	ck_assert_uint_eq(deliverable(), 3 * BATCHES);
	check_ok();
	ck_assert_str_eq(message, "");
	go_on(tree, sizeof(tree));
}
END_TEST

/* Whatever byte is changed: no crash, and a store that works in the end. */
START_TEST(noise)
{
	struct stat st;
	char tree[256];
	off_t at;

	fill(20);
	ck_assert_int_eq(stat(path, &st), 0);
	srand48(_i);
	for (int k = 0; k < 1 + _i % 4; k++) {
		char bytes[64];

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)(lrand48() & 0xff);
		at = (off_t)(lrand48() % (st.st_size - 64));
		overwrite(path, at, bytes, sizeof(bytes));
	}
	check_ok();
	go_on(tree, sizeof(tree));
	(void)deliverable();
	check_ok();
	ck_assert_str_eq(message, "");
}
END_TEST

/* A recovery that ended between two steps. */
START_TEST(cut_off)
{
	char recovered[160];
	struct buf old = BUF_INIT(64 << 20);

	fill(2);
	ck_assert_int_eq(file_read(path, &old, &err), 0);
	(void)snprintf(recovered, sizeof(recovered), "%s.recovered", path);
	ck_assert_int_eq(file_replace(recovered, old.data, old.len, 0600, &err),
	    0);
	if (_i == 1)
		ck_assert_int_eq(unlink(path), 0);
	check_ok();
	ck_assert_ptr_nonnull(strstr(message, "was damaged"));
	ck_assert_int_ne(access(recovered, F_OK), 0);
	ck_assert_uint_eq(deliverable(), 6);
	buf_release(&old);
}
END_TEST

static void
sql(const char *text)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
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

	fill(3);
	sql("CREATE TABLE kept AS SELECT * FROM sqlite_schema"
	    " WHERE name = 'feed_name';"
	    "INSERT INTO feed (name, tree) VALUES ('gone', 'gone');"
	    "PRAGMA writable_schema=ON;"
	    "DELETE FROM sqlite_schema WHERE name = 'feed_name'");
	sql(change);
	free(change);
	sql("DROP TABLE kept");
	check_ok();
	ck_assert_ptr_nonnull(strstr(message, "index feed_name"));
	ck_assert_int_gt(damaged_files(), 0);
	go_on(tree, sizeof(tree));
	check_ok();
	ck_assert_str_eq(message, "");
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

	fill(3);
	sql("PRAGMA writable_schema=ON;"
	    "UPDATE sqlite_schema SET sql = replace(sql, 'state = 0',"
	    " 'state = 7') WHERE name LIKE 'item_%'");
	check_ok();
	ck_assert_str_eq(message, "");
	s = store_open(path, STORE_DURABLE, &err);
	f = feed_open(s, FEED, CLOCK_DAY, &err);
	ck_assert_msg(f != NULL, "%s", err.text);
	ck_assert_int_eq(item_claim(f, &it, NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "damaged"));
	err_clear(&err);
	feed_close(f);
	store_close(s);
	ck_assert(store_damaged(path));
	check_ok();
	ck_assert_ptr_nonnull(strstr(message, "its use met damage"));
	go_on(tree, sizeof(tree));
	ck_assert_str_eq(tree, FEED);
	ck_assert_uint_eq(deliverable(), 3 * 4);
	check_ok();
	ck_assert_str_eq(message, "");
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

	fill(3);
	(void)snprintf(text, sizeof(text),
	    "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql ="
	    " replace(sql, '%s', 'xx') WHERE name = '%s'",
	    rows[_i].column, rows[_i].table);
	sql(text);
	check_ok();
	ck_assert_msg(strstr(message, ": damaged (") != NULL, "%s", message);
	go_on(tree, sizeof(tree));
	check_ok();
	ck_assert_str_eq(message, "");
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

	fill_with(6, true);
	sql(numbers[_i].change);
	/* Before anything is found, nobody asks for memory by them. */
	s = store_open(path, STORE_DURABLE, &err);
	batch_init(&b);
	while ((rc = batch_next_sealed(s, b.id, &b, &err)) == 1)
		ck_assert_uint_le(b.count, BATCH_EVENTS);
	ck_assert(rc == 0 || store_damaged(path));
	err_clear(&err);
	batch_release(&b);
	store_close(s);
	check_ok();
	ck_assert_uint_eq(deliverable(), numbers[_i].left);
	go_on(tree, sizeof(tree));
	check_ok();
	ck_assert_str_eq(message, "");
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

/* Told and repaired at the start, without another file; then the store goes on,
 * with events that it knows, too. */
START_TEST(impossible_rows)
{
	char tree[256];

	fill_with(6, true);
	sql(rows[_i].change);
	check_ok();
	ck_assert_msg(strstr(message, rows[_i].says) != NULL, "%s", message);
	ck_assert_int_eq(damaged_files(), 0);
	ck_assert_uint_eq(deliverable(), rows[_i].left);
	go_on(tree, sizeof(tree));
	ck_assert_uint_eq(deliverable(), rows[_i].left + 3);
	come_again(1);
	ck_assert(!store_damaged(path));
	check_ok();
	ck_assert_str_eq(message, "");
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

	fill_with(3, true);
	sql(changes[_i]);
	/* Met by the next one to seal. */
	s = store_open(path, STORE_DURABLE, &err);
	f = feed_open(s, FEED, CLOCK_DAY, &err);
	ck_assert_msg(f != NULL, "%s", err.text);
	fill_one(f, 500, "");
	(void)store_help_seal(s, &err);
	err_clear(&err);
	feed_close(f);
	store_flag_damage(s);
	store_close(s);
	check_ok();
	ck_assert_str_ne(message, "");
	go_on(tree, sizeof(tree));
	ck_assert(!store_damaged(path));
	ck_assert_uint_ge(deliverable(), 9);
	check_ok();
	ck_assert_str_eq(message, "");
}
END_TEST

START_TEST(a_newer_version_is_no_damage)
{
	fill(1);
	/* user_version is at 60 in the header, big-endian. */
	overwrite(path, 60, "\0\0\0\x63", 4);
	ck_assert_int_eq(store_check(path, message, sizeof(message), &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "newer"));
	ck_assert_int_eq(damaged_files(), 0);
	err_clear(&err);
	ck_assert_ptr_null(store_open(path, STORE_DURABLE, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "newer"));
}
END_TEST

/* Events that do not shrink, a batch each. */
static void
fill_large(int n)
{
	static const char *const names[] = { "siem" };
	const size_t size = 800000;
	struct store *s = store_open(path, STORE_DURABLE, &err);
	char *data = xcalloc(1, size + 3);
	uint64_t x = 88172645463325252;
	struct feed *f;

	ck_assert_int_eq(position_set_outputs(s, names, 1, &err), 0);
	f = feed_open(s, FEED, CLOCK_DAY, &err);
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
				     (struct slice){ .data = NULL }, 1, &err),
		    0);
		ck_assert_msg(feed_commit(p, NULL, &err) == 0, "%s", err.text);
		write_batch_free(p);
	}
	while (store_help_seal(s, &err) == 1)
		;
	feed_close(f);
	store_close(s);
	free(data);
}

/* The inode of the file, and its size; 0: there is none. */
static ino_t
inode_of(const char *tail, off_t *size)
{
	char *name = xasprintf("%s%s", path, tail);
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

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
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

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
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
	overwrite(path, 16384 * (root_of("request") - 1),
	    "nonsense nonsense nonsense nonsense", 35);
	for (rlim_t most = 20; most <= 50; most += 30) {
		const struct rlimit limit = { most << 20, most << 20 };
		const pid_t pid = fork();

		if (pid == 0) {
			(void)setrlimit(RLIMIT_FSIZE, &limit);
			_exit(store_check(path, message, sizeof(message),
				  &err) == 0);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFSIGNALED(status), "status %x", status);
		ck_assert_int_ne((int)inode_of(".new", &size), 0);
		ck_assert(begun == 0 || begun == inode_of(".new", &size));
		ck_assert_int_gt(size, before);
		begun = inode_of(".new", &size);
		before = size;
	}
	check_ok();
	ck_assert_ptr_nonnull(strstr(message, "recovered"));
	ck_assert(begun == inode_of("", &size));
	ck_assert_uint_eq(deliverable(), (uint64_t)batches);
	ck_assert_int_eq((int)inode_of(".new", &size), 0);
	ck_assert_int_eq((int)inode_of(".new-journal", &size), 0);
	ck_assert_int_eq((int)inode_of(".recovered-journal", &size), 0);
	ck_assert_str_eq(journal_mode(), "wal");
}
END_TEST

Suite *
suite_recovery(void)
{
	Suite *s = suite_create("recovery");
	TCase *tc = tcase_create("recovery");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_sound_store_is_left_alone);
	tcase_add_test(tc, no_database);
	tcase_add_test(tc, the_file_is_gone);
	tcase_add_loop_test(tc, cut_short, 0, (int)unit_rounds(10));
	tcase_add_test(tc, set_back);
	tcase_add_test(tc, a_flipped_bit_in_an_event);
	tcase_add_loop_test(tc, noise, 0, (int)unit_rounds(24));
	tcase_add_loop_test(tc, cut_off, 0, 2);
	tcase_add_loop_test(tc, an_index_of_other_days, 0, 3);
	tcase_add_test(tc, another_schema);
	tcase_add_loop_test(tc, another_column, 0, 7);
	tcase_add_loop_test(tc, impossible_numbers, 0,
	    sizeof(numbers) / sizeof(numbers[0]));
	tcase_add_loop_test(tc, impossible_rows, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tc, a_feed_behind_its_batches, 0, 3);
	tcase_add_test(tc, a_newer_version_is_no_damage);
	tcase_add_test(tc, a_recovery_is_gone_on_with);
	suite_add_tcase(s, tc);
	return s;
}
