/*
 * test_room.c - when a store is full, and what its WAL has to do with it.
 */
#include <stdint.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/store.h"
#include "store/write_batch.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define FEED "contoso/Audit.Exchange"

static char dir[64];
static char path[128];
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

START_TEST(full_is_what_reaches_a_limit)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct store_room r;

	store_limits(s, 1 << 30, 0);
	ck_assert_int_eq(store_room_now(s, &r, &err), 0);
	ck_assert(!r.full);
	ck_assert_int_gt(r.used, 0);
	store_limits(s, r.used - r.wal, 0);
	ck_assert_int_eq(store_room_now(s, &r, &err), 0);
	ck_assert(r.full);
	/* It takes a little more than one byte to go on. */
	store_limits(s, r.used - r.wal + 1, 0);
	ck_assert_int_eq(store_room_now(s, &r, &err), 0);
	ck_assert(r.full);
	store_limits(s, r.used * 2, 0);
	ck_assert_int_eq(store_room_now(s, &r, &err), 0);
	ck_assert(!r.full);
	store_limits(s, 1 << 30, INT64_MAX);
	ck_assert_int_eq(store_room_now(s, &r, &err), 0);
	ck_assert(r.full);
	store_close(s);
}
END_TEST

/* Commit more than a WAL may have. */
static void
fill_wal(struct store *s, int mebibytes)
{
	struct feed *f = store_help_feed(s, FEED, 0);
	char *data = xcalloc(1, (1 << 19) + 1);
	uint64_t x = 1;

	for (int i = 0; i < 2 * mebibytes; i++) {
		struct write_batch *p = write_batch_new(f);

		for (size_t k = 0; k < 1 << 19; k++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			data[k] = (char)('0' + (x >> 58) % 64);
		}
		store_help_add(p, NULL, data);
		(void)store_help_commit(p);
		write_batch_free(p);
	}
	feed_close(f);
	free(data);
}

/* A reader that stays holds the WAL up: it counts as used, and is found. */
START_TEST(a_reader_that_stays_is_found)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct store_room room;
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;

	fill_wal(s, 1);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT id FROM batch", -1, &st,
			     NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	fill_wal(s, 24);
	ck_assert_int_eq(store_clean(s, CLOCK_DAY, &err), 0);
	ck_assert_int_ne((int)(store_starved(s) != 0), 0);
	store_limits(s, 16 << 20, 0);
	ck_assert_int_eq(store_room_now(s, &room, &err), 0);
	ck_assert_int_gt(room.wal, 16 << 20);
	ck_assert_int_ge(room.used, room.wal);
	ck_assert(room.full);
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	ck_assert_int_eq(store_clean(s, CLOCK_DAY, &err), 0);
	ck_assert(store_starved(s) == 0);
	ck_assert_int_eq(store_room_now(s, &room, &err), 0);
	ck_assert_int_eq(room.wal, 0);
	store_close(s);
}
END_TEST

/* What was carried over long ago does not make a small store look full. */
START_TEST(the_wal_of_a_small_store_is_small)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct store_room room;

	fill_wal(s, 6);
	ck_assert_int_eq(store_clean(s, CLOCK_DAY, &err), 0);
	ck_assert_int_eq(store_room_now(s, &room, &err), 0);
	ck_assert_int_gt(room.wal, 2 << 20);
	store_limits(s, 16 << 20, 0);
	ck_assert_int_eq(store_clean(s, CLOCK_DAY, &err), 0);
	ck_assert_int_eq(store_room_now(s, &room, &err), 0);
	ck_assert_int_le(room.wal, 2 << 20);
	store_close(s);
}
END_TEST

/* Nothing pauses for a WAL that only has to be carried over, and who only reads
 * leaves it and says the same; but for one that cannot be. */
START_TEST(a_wal_alone_makes_no_store_full)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct store *reader = store_help_open(path, STORE_READ);
	struct store_room room;
	int64_t limit, wal;

	fill_wal(s, 3);
	ck_assert_int_eq(store_room_now(s, &room, &err), 0);
	wal = room.wal;
	ck_assert_int_gt(wal, 3 << 20);
	limit = room.used - wal / 2;
	store_limits(s, limit, 0);
	store_limits(reader, limit, 0);
	ck_assert_int_eq(store_room_now(reader, &room, &err), 0);
	ck_assert(!room.full);
	ck_assert_int_eq(room.wal, wal);
	ck_assert_int_eq(db_view_begin(reader, &err), 0);
	ck_assert_int_eq(store_room_now(s, &room, &err), 0);
	ck_assert(room.full);
	store_was_full(reader, true);
	ck_assert_int_eq(store_room_now(reader, &room, &err), 0);
	ck_assert(room.full);
	db_view_end(reader);
	ck_assert_int_eq(store_room_now(s, &room, &err), 0);
	ck_assert(!room.full);
	ck_assert_int_eq(room.wal, 0);
	/* Once more, without a pause. */
	fill_wal(s, 1);
	ck_assert_int_eq(store_room_now(s, &room, &err), 0);
	store_limits(s, room.used - room.wal + 1, 0);
	ck_assert_int_eq(store_room_now(s, &room, &err), 0);
	ck_assert(!room.full);
	ck_assert_int_eq(room.wal, 0);
	store_close(reader);
	store_close(s);
}
END_TEST

Suite *
suite_room(void)
{
	Suite *s = suite_create("room");
	TCase *tc = tcase_create("room");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, full_is_what_reaches_a_limit);
	tcase_add_test(tc, a_reader_that_stays_is_found);
	tcase_add_test(tc, the_wal_of_a_small_store_is_small);
	tcase_add_test(tc, a_wal_alone_makes_no_store_full);
	suite_add_tcase(s, tc);
	return s;
}
