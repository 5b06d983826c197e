/*
 * test_continuity.c - the log of what was signed, and a store that is held
 * against it: what extends it goes on, anything else begins a new tree.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "seal/continuity.h"
#include "seal/sign_log.h"
#include "store/batch.h"
#include "store/store.h"
#include "store/tree.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define FEED "contoso/Audit.Exchange"
#define ORIGIN "fra1/" FEED

static char dir[64];
static char path[128];
static char log_path[160];
static struct err err;

static void
set_up(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	(void)snprintf(log_path, sizeof(log_path), "%s/seal.log", dir);
	err_clear(&err);
}

static void
tear_down(void)
{
	store_help_end(dir);
}

/* -- the log -------------------------------------------------------------- */

static struct sign_log *
log_open(void)
{
	struct sign_log *log = NULL;

	ck_assert_msg(sign_log_open(log_path, &log, &err) == 1, "%s", err.text);
	return log;
}

static void
log_add(struct sign_log *log, char *origin, uint64_t size, uint8_t byte)
{
	struct sign_head head = { .origin = origin, .size = size };

	memset(head.root, byte, sizeof(head.root));
	ck_assert_msg(sign_log_append(log, &head, &err) == 0, "%s", err.text);
}

static void
append_text(const char *text, size_t len)
{
	int fd = open(log_path, O_WRONLY | O_APPEND);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	(void)close(fd);
}

START_TEST(the_last_head_counts)
{
	char a[] = "fra1/a", b[] = "fra1/b with space";
	struct sign_log *log;
	char id[64];
	struct stat st;

	ck_assert_int_eq(sign_log_open(log_path, &log, &err), 0);
	ck_assert_int_eq(sign_log_create(log_path, NULL, 0, &err), 0);
	ck_assert_int_eq(stat(log_path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0640);
	log = log_open();
	(void)snprintf(id, sizeof(id), "%s", sign_log_id(log));
	ck_assert_ptr_null(sign_log_find(log, a));
	log_add(log, a, 1, 1);
	log_add(log, b, UINT64_C(1) << 61, 2);
	log_add(log, a, 9, 3);
	sign_log_close(log);
	log = log_open();
	ck_assert_str_eq(sign_log_id(log), id);
	ck_assert_uint_eq(sign_log_find(log, a)->size, 9);
	ck_assert_int_eq(sign_log_find(log, a)->root[31], 3);
	ck_assert_uint_eq(sign_log_find(log, b)->size, UINT64_C(1) << 61);
	ck_assert_ptr_null(sign_log_at(log, 2));
	sign_log_close(log);
}
END_TEST

START_TEST(a_torn_line_is_ended)
{
	static const struct {
		const char *text;
		size_t len;
	} torn[] = {
		{ "2", 1 },
		{ "2026-03-01T10:00:00.000Z 12 AAAA", 32 },
		{ "\0\0\0\0\0\0", 6 },
		{ "x#to", 4 },
	};
	char a[] = "fra1/a";
	struct sign_log *log;

	ck_assert_int_eq(sign_log_create(log_path, NULL, 0, &err), 0);
	for (size_t i = 0; i < sizeof(torn) / sizeof(torn[0]); i++) {
		append_text(torn[i].text, torn[i].len);
		log = log_open();
		log_add(log, a, i + 1, 1);
		sign_log_close(log);
		log = log_open();
		ck_assert_uint_eq(sign_log_find(log, a)->size, i + 1);
		sign_log_close(log);
	}
}
END_TEST

START_TEST(a_damaged_log_is_refused)
{
	static const char *const lines[] = {
		"\n",
		"x\n",
		"2026-03-01T10:00:00.000Z 12 AAAA fra1/a 00000000\n",
		"2026-03-01T10:00:00.000Z 99999999999999999999999 AA= a b\n",
		"#torn\nmore\n",
	};
	struct sign_log *log;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ck_assert_int_eq(sign_log_create(log_path, NULL, 0, &err), 0);
		append_text(lines[i], strlen(lines[i]));
		ck_assert_int_eq(sign_log_open(log_path, &log, &err), -1);
		ck_assert_ptr_nonnull(strstr(err.text, "damaged at line "));
		ck_assert_ptr_nonnull(strstr(err.text, "store restored"));
		err_clear(&err);
	}
	/* No log at all. */
	ck_assert_int_eq(file_replace(log_path, "", 0, 0640, &err), 0);
	ck_assert_int_eq(sign_log_open(log_path, &log, &err), -1);
	err_clear(&err);
	ck_assert_int_eq(unlink(log_path) | mkfifo(log_path, 0600), 0);
	ck_assert_int_eq(sign_log_open(log_path, &log, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "a FIFO, not a regular file"));
}
END_TEST

START_TEST(a_log_that_is_moved_is_not_written)
{
	char a[] = "fra1/a";
	struct sign_head head = { .origin = a, .size = 1 };
	struct sign_log *log;

	ck_assert_int_eq(sign_log_create(log_path, NULL, 0, &err), 0);
	log = log_open();
	ck_assert_int_eq(unlink(log_path), 0);
	ck_assert_int_eq(sign_log_append(log, &head, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "moved or deleted"));
	sign_log_close(log);
}
END_TEST

/* A log does not grow for ever. */
START_TEST(a_large_log_is_made_small)
{
	static char long_name[400];
	struct sign_log *log;
	struct stat st;

	memset(long_name, 'n', sizeof(long_name) - 1);
	ck_assert_int_eq(sign_log_create(log_path, NULL, 0, &err), 0);
	for (int i = 0; i < 1000; i++) {
		/* Fast: lines that count for nothing. */
		char text[9000];

		memset(text, 'x', sizeof(text));
		memcpy(text + sizeof(text) - 6, "#torn\n", 6);
		append_text(text, sizeof(text));
	}
	log = log_open();
	log_add(log, long_name, 7, 7);
	log_add(log, long_name, 8, 8);
	ck_assert_int_eq(stat(log_path, &st), 0);
	ck_assert_int_lt(st.st_size, 4096);
	sign_log_close(log);
	log = log_open();
	ck_assert_uint_eq(sign_log_find(log, long_name)->size, 8);
	sign_log_close(log);
}
END_TEST

/* -- the store and the log ------------------------------------------------ */

static struct store *store;

static struct continuity
begin(void)
{
	store = store_help_open(path, STORE_DURABLE);
	return (struct continuity){
		.agent = "fra1", .path = log_path, .store = store
	};
}

static void
collect(int first, int n)
{
	struct feed *f = store_help_feed(store, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);

	for (int i = first; i < first + n; i++) {
		char id[16], data[64];

		(void)snprintf(id, sizeof(id), "id-%d", i);
		(void)snprintf(data, sizeof(data), "{\"Id\":\"%s\"}", id);
		store_help_add(p, id, data);
	}
	(void)store_help_commit(p);
	write_batch_free(p);
	feed_close(f);
}

/* What seal does: 1 signed, 0 it may not be, 2 there is nothing to sign.
 * commit false: it is killed between the log and the store. */
static int
sign(bool commit)
{
	struct unsealed u = { .feed_id = 0 };
	struct sign_log *log = log_open();
	struct digest *d = digest_new();
	struct merkle_range after;
	uint64_t until = 0;
	char origin[300];
	int rc = batch_next_unsealed(store, &u, &err);

	if (rc == 1) {
		(void)snprintf(origin, sizeof(origin), "fra1/%s", u.feed);
		rc = continuity_allows(log, origin, &u, &until, &err);
		if (rc == 0 && until != 0) {
			u.until = until;
			ck_assert_int_eq(batch_next_unsealed(store, &u, &err),
			    1);
			rc = continuity_allows(log, origin, &u, NULL, &err);
		}
		after = u.peaks;
		ck_assert_int_eq(merkle_join(d, &after, &u.added), 0);
		if (rc == 0) {
			struct sign_head head = { .origin = origin,
				.size = after.end };

			merkle_root(d, &after, head.root);
			ck_assert_int_eq(sign_log_append(log, &head, &err), 0);
			if (commit)
				ck_assert_int_eq(batch_seal(store, &u, &after,
						     "{}", &err),
				    0);
		}
		rc = rc == 0;
	} else {
		rc = 2;
	}
	buf_release(&u.check);
	digest_free(d);
	sign_log_close(log);
	return rc;
}

static void
check_says(const struct continuity *c, const char *words)
{
	struct continuity_news news;

	ck_assert_msg(continuity_check(c, &news, &err) == 0, "%s", err.text);
	if (words[0] == '\0')
		ck_assert_str_eq(news.text, "");
	else
		ck_assert_msg(strstr(news.text, words) != NULL, "%s",
		    news.text);
}

/* The tree in use has that name and so many events; a part of its cause. */
static void
tree_is(bool renewed, uint64_t size, const char *cause)
{
	struct tree t = { .id = 0 }, last = { .id = 0 };
	struct tree_begun b = { .id = 0 };

	while (tree_next(store, t.id, &t, &err) == 1)
		last = t;
	ck_assert_int_eq(strchr(last.name, '~') != NULL, renewed);
	ck_assert_str_eq(last.feed, FEED);
	ck_assert_uint_eq(last.size, size);
	if (!renewed)
		return;
	ck_assert_int_eq(tree_begun_next(store, last.id - 1, &b, &err), 1);
	ck_assert_str_eq(b.name, last.name);
	ck_assert_msg(strstr(b.cause, cause) != NULL, "%s", b.cause);
}

static void
copy(const char *from, const char *to)
{
	struct buf b = BUF_INIT(1 << 24);

	ck_assert_int_eq(file_read(from, &b, &err), 0);
	ck_assert_int_eq(file_replace(to, b.data, b.len, 0640, &err), 0);
	buf_release(&b);
}

/* Keep a copy of the store, or put it back. */
static void
backup(bool back)
{
	char kept[160], other[160];

	(void)snprintf(kept, sizeof(kept), "%s/kept", dir);
	store_close(store);
	if (back) {
		(void)snprintf(other, sizeof(other), "%s.mark", path);
		(void)unlink(other);
		copy(kept, path);
	} else {
		copy(path, kept);
	}
	store = store_help_open(path, STORE_DURABLE);
}

static void
sql(const char *text)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

START_TEST(what_extends_the_log_goes_on)
{
	struct continuity c = begin();

	check_says(&c, "");
	collect(0, 3);
	ck_assert_int_eq(sign(true), 1);
	check_says(&c, "");
	collect(3, 4);
	ck_assert_int_eq(sign(true), 1);
	ck_assert_int_eq(sign(true), 2);
	check_says(&c, "");
	tree_is(false, 7, "");
	store_close(store);
}
END_TEST

START_TEST(a_store_without_a_log_is_adopted)
{
	struct continuity c = begin();

	collect(0, 3);
	ck_assert_int_eq(store_help_seal(store, &err), 1);
	check_says(&c, "begins with the 1 trees of the store");
	tree_is(false, 3, "");
	collect(3, 4);
	ck_assert_int_eq(sign(true), 1);
	check_says(&c, "");
	store_close(store);
}
END_TEST

START_TEST(a_crash_before_the_commit_is_made_good)
{
	struct continuity c = begin();

	check_says(&c, "");
	collect(0, 3);
	ck_assert_int_eq(sign(true), 1);
	collect(3, 4);
	ck_assert_int_eq(sign(false), 1);
	/* More comes before seal is back: it signs what it had logged first. */
	collect(7, 5);
	check_says(&c, "");
	ck_assert_int_eq(sign(true), 1);
	tree_is(false, 12, "");
	ck_assert_int_eq(sign(true), 1);
	ck_assert_int_eq(sign(true), 2);
	check_says(&c, "");
	store_close(store);
}
END_TEST

START_TEST(an_older_copy_begins_a_new_tree)
{
	struct continuity c = begin();

	check_says(&c, "");
	collect(0, 3);
	ck_assert_int_eq(sign(true), 1);
	collect(3, 2); /* in the copy, not signed there */
	backup(false);
	collect(5, 4);
	ck_assert_int_eq(sign(true), 1);
	backup(true);
	c.store = store;
	/* Seal does not sign it, even if nobody has looked before. */
	ck_assert_int_eq(sign(true), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "restored from an older copy"));
	err_clear(&err);
	check_says(&c,
	    FEED " begins a new tree: 9 of its events were signed, "
		 "of which the store has only the first 3");
	tree_is(true, 0, "restored from an older copy");
	check_says(&c, "");
	/* What was not signed is collected again. */
	collect(3, 6);
	tree_is(true, 6, "restored");
	ck_assert_int_eq(sign(true), 1);
	ck_assert_int_eq(sign(true), 2);
	store_close(store);
}
END_TEST

START_TEST(a_copy_with_the_same_future_goes_on)
{
	struct continuity c = begin();

	check_says(&c, "");
	collect(0, 3);
	backup(false);
	ck_assert_int_eq(sign(true), 1);
	backup(true);
	c.store = store;
	check_says(&c, "");
	ck_assert_int_eq(sign(true), 1);
	tree_is(false, 3, "");
	store_close(store);
}
END_TEST

/* By size and by content; what is not signed yet and what is. */
START_TEST(a_changed_store_begins_a_new_tree)
{
	static const struct {
		const char *sql;
		const char *says;
		bool logged; /* the log is ahead */
	} rows[] = {
		{ "UPDATE feed SET peaks = randomblob(length(peaks))",
		    "are not those that were signed", false },
		{ "UPDATE feed SET sealed = 4, peaks = randomblob(32)",
		    "says that 4 of its events were signed", false },
		{ "UPDATE feed SET sealed = 2, peaks = randomblob(32)",
		    "only the first 2", false },
		{ "UPDATE batch SET nodes = randomblob(length(nodes))"
		  " WHERE sealed IS NULL",
		    "restored from an older copy, or changed", true },
	};
	struct continuity c = begin();

	check_says(&c, "");
	collect(0, 3);
	ck_assert_int_eq(sign(true), 1);
	collect(3, 1);
	if (rows[_i].logged)
		ck_assert_int_eq(sign(false), 1);
	sql(rows[_i].sql);
	ck_assert_int_ne(sign(true), 1);
	err_clear(&err);
	check_says(&c, rows[_i].says);
	tree_is(true, 0, rows[_i].says);
	store_close(store);
}
END_TEST

START_TEST(a_store_that_is_gone_begins_new_trees)
{
	struct continuity c = begin();
	char name[160];

	check_says(&c, "");
	collect(0, 3);
	ck_assert_int_eq(sign(true), 1);
	store_close(store);
	(void)snprintf(name, sizeof(name), "%s.mark", path);
	ck_assert_int_eq(unlink(path) | unlink(name), 0);
	c = begin();
	check_says(&c, "the store has none of the events");
	check_says(&c, "");
	collect(0, 3);
	tree_is(true, 3, "begun anew");
	ck_assert_int_eq(sign(true), 1);
	check_says(&c, "");
	store_close(store);
}
END_TEST

START_TEST(a_log_that_is_gone_stops_all)
{
	struct continuity c = begin();
	struct continuity_news news;
	struct sign_log *log;
	size_t n;

	check_says(&c, "");
	collect(0, 3);
	ck_assert_int_eq(sign(true), 1);
	ck_assert_int_eq(unlink(log_path), 0);
	ck_assert_int_eq(continuity_check(&c, &news, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "is gone"));
	err_clear(&err);
	ck_assert_int_eq(continuity_open(&c, &log, &news, &err), -1);
	err_clear(&err);
	ck_assert_int_eq(access(log_path, F_OK), -1);
	tree_is(false, 3, "");

	ck_assert_int_eq(continuity_restored(&c, &n, &err), 0);
	ck_assert_uint_eq(n, 1);
	tree_is(true, 0, "the administrator says");
	check_says(&c, "");
	collect(3, 2);
	ck_assert_int_eq(sign(true), 1);
	check_says(&c, "");
	store_close(store);
}
END_TEST

static void
begins_anew(struct store *s, const char *name)
{
	struct tree t = { .id = 0 };
	bool found = false;

	feed_close(store_help_feed(s, name, CLOCK_DAY));
	while (tree_next(s, t.id, &t, &err) == 1)
		found = found ||
		    (!t.closed && strcmp(t.feed, name) == 0 &&
			strchr(t.name, '~') != NULL);
	ck_assert_msg(found, "%s", name);
}

/* What was signed of feeds that the restored store does not know, nobody can
 * tell any more. */
START_TEST(a_lost_log_allows_no_plain_name)
{
	struct continuity c = begin();
	size_t n;

	check_says(&c, "");
	feed_close(store_help_feed(store, "contoso/empty", CLOCK_DAY));
	ck_assert_int_eq(unlink(log_path), 0);
	ck_assert_int_eq(continuity_restored(&c, &n, &err), 0);
	ck_assert_uint_eq(n, 0);
	begins_anew(store, "contoso/empty");
	begins_anew(store, "contoso/new");
	store_close(store);
	ck_assert_int_eq(unlink(path), 0);
	c = begin();
	check_says(&c, "");
	begins_anew(store, "contoso/another");
	store_close(store);
}
END_TEST

/* A copy of a tree that was just begun, which was signed later on, and the log
 * is a copy, too. */
START_TEST(a_tree_without_events_is_retired)
{
	struct continuity c = begin();
	struct tree t = { .id = 0 };
	char name[sizeof(t.name)] = "";
	size_t n;

	check_says(&c, "");
	collect(0, 3);
	ck_assert_int_eq(sign(true), 1);
	ck_assert_int_eq(continuity_restored(&c, &n, &err), 0);
	ck_assert_uint_eq(n, 1);
	for (int i = 0; i < 3; i++) {
		feed_close(store_help_feed(store, FEED, CLOCK_DAY));
		for (t.id = 0; tree_next(store, t.id, &t, &err) == 1;)
			;
		ck_assert_uint_eq(t.size, 0);
		ck_assert(!t.closed && strchr(t.name, '~') != NULL);
		ck_assert_str_ne(t.name, name);
		(void)snprintf(name, sizeof(name), "%s", t.name);
		ck_assert_int_eq(continuity_restored(&c, &n, &err), 0);
		ck_assert_uint_eq(n, 0);
		check_says(&c, "");
	}
	store_close(store);
}
END_TEST

START_TEST(a_damaged_log_is_moved_aside)
{
	struct continuity c = begin();
	struct continuity_news news;
	size_t n;

	check_says(&c, "");
	collect(0, 3);
	ck_assert_int_eq(sign(true), 1);
	append_text("nonsense\n", 9);
	ck_assert_int_eq(continuity_check(&c, &news, &err), -1);
	err_clear(&err);
	ck_assert_msg(continuity_restored(&c, &n, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(n, 1);
	check_says(&c, "");
	store_close(store);
}
END_TEST

Suite *
suite_continuity(void)
{
	Suite *s = suite_create("continuity");
	TCase *tc = tcase_create("continuity");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, the_last_head_counts);
	tcase_add_test(tc, a_torn_line_is_ended);
	tcase_add_test(tc, a_damaged_log_is_refused);
	tcase_add_test(tc, a_log_that_is_moved_is_not_written);
	tcase_add_test(tc, a_large_log_is_made_small);
	tcase_add_test(tc, what_extends_the_log_goes_on);
	tcase_add_test(tc, a_store_without_a_log_is_adopted);
	tcase_add_test(tc, a_crash_before_the_commit_is_made_good);
	tcase_add_test(tc, an_older_copy_begins_a_new_tree);
	tcase_add_test(tc, a_copy_with_the_same_future_goes_on);
	tcase_add_loop_test(tc, a_changed_store_begins_a_new_tree, 0, 4);
	tcase_add_test(tc, a_store_that_is_gone_begins_new_trees);
	tcase_add_test(tc, a_log_that_is_gone_stops_all);
	tcase_add_test(tc, a_lost_log_allows_no_plain_name);
	tcase_add_test(tc, a_tree_without_events_is_retired);
	tcase_add_test(tc, a_damaged_log_is_moved_aside);
	suite_add_tcase(s, tc);
	return s;
}
