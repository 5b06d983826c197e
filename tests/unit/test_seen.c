/*
 * test_seen.c - ids keep repeats out, whatever their number, for as long as
 * they should.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/report.h"
#include "store/seen.h"
#include "store/store.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define NAME "contoso/Audit.General"

static char dir[64];
static char path[128];
static struct err err;
static struct store *s;
static int64_t feed;

static void
open_with(size_t filter_bytes)
{
	struct feed *f;

	s = store_open(path, STORE_DURABLE, &err);
	ck_assert_msg(s != NULL, "%s", err.text);
	s->filter_bytes = filter_bytes;
	f = feed_open(s, NAME, CLOCK_DAY, &err);
	ck_assert_msg(f != NULL, "%s", err.text);
	feed = feed_id(f);
	feed_close(f);
}

static void
set_up(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	err_clear(&err);
	open_with(SEEN_FILTER);
}

static void
tear_down(void)
{
	store_close(s);
	store_help_end(dir);
}

/* Keys as evenly spread as digests: a bijection of n (splitmix64). */
static void
key_of(uint64_t n, uint8_t key[SEEN_KEY])
{
	n += UINT64_C(0x9e3779b97f4a7c15);
	n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
	n ^= n >> 31;
	memset(key, 7, SEEN_KEY);
	memcpy(key, &n, sizeof(n));
}

/* Add ids [from, to) in commits of step. */
static void
add(uint64_t from, uint64_t to, size_t step)
{
	struct seen_entry *e = xcalloc(step, sizeof(*e));

	for (uint64_t at = from; at < to; at += step) {
		size_t n = to - at < step ? (size_t)(to - at) : step;
		uint8_t key[SEEN_KEY];

		for (size_t i = 0; i < n; i++) {
			key_of(at + i, key);
			seen_entry_set(&e[i], key, at + i);
		}
		ck_assert_int_eq(db_begin(s, &err), 0);
		ck_assert_msg(db_end(s,
				  seen_add(s, feed, CLOCK_DAY, e, n, &err),
				  &err) == 0,
		    "%s", err.text);
	}
	free(e);
}

static bool
has(uint64_t id)
{
	uint8_t key[SEEN_KEY];
	uint64_t index;
	int rc;

	key_of(id, key);
	if (!seen_maybe(s, key))
		return false;
	rc = seen_find(s, NAME, key, &index, &err);
	ck_assert_msg(rc >= 0, "%s", err.text);
	if (rc == 1)
		ck_assert_uint_eq(index, id);
	return rc == 1;
}

static int64_t
count(const char *sql)
{
	int64_t n;

	ck_assert_int_eq(db_number(s, &err, 0, &n, sql, ""), 0);
	return n;
}

START_TEST(two_million)
{
	const uint64_t n = unit_rounds(2000000);

	add(0, n, 4000);
	for (uint64_t i = 0; i < n; i += 997)
		ck_assert(has(i));
	for (uint64_t i = n; i < n + 2000; i++)
		ck_assert(!has(i));
	/* Merged: few runs, and nothing lost or doubled. */
	ck_assert_int_le(count("SELECT count(*) FROM run"), 32);
	ck_assert_int_eq(count("SELECT sum(count) FROM run"), (int64_t)n);
	ck_assert_int_eq(count("SELECT sum(length(entries)) / 16 FROM seen"),
	    (int64_t)n);
	store_close(s);
	open_with(SEEN_FILTER);
	for (uint64_t i = 0; i < n; i += 9973)
		ck_assert(has(i));
}
END_TEST

/* It begins small, and stays sharp with many keys, whoever opens it. */
START_TEST(the_filter_grows)
{
	const uint64_t n = 150000;
	size_t wrong = 0, good;
	uint8_t key[SEEN_KEY];

	ck_assert_uint_le(filter_good(s->filter), 1 << 16);
	add(0, n, 5000);
	good = filter_good(s->filter);
	ck_assert_uint_ge(good, n);
	ck_assert_uint_le(good, 4 * n);
	for (uint64_t i = 0; i < n; i += 7)
		ck_assert(has(i));
	for (uint64_t i = 0; i < 10000; i++) {
		key_of(i + (UINT64_C(1) << 40), key);
		wrong += seen_maybe(s, key);
	}
	ck_assert_uint_lt(wrong, 600);
	store_close(s);
	open_with(SEEN_FILTER);
	ck_assert_uint_ge(filter_good(s->filter), n);
	ck_assert(has(n - 1));
	ck_assert(!has(n));
}
END_TEST

/* Where the filter says yes to everything, the runs know. */
START_TEST(a_full_filter)
{
	store_close(s);
	open_with(64);
	add(0, 20000, 500);
	for (uint64_t i = 0; i < 20000; i += 7)
		ck_assert(has(i));
	for (uint64_t i = 20000; i < 22000; i++)
		ck_assert(!has(i));
	store_close(s);
	open_with(64);
	ck_assert(has(19999));
	ck_assert(!has(20000));
}
END_TEST

START_TEST(small_commits)
{
	add(0, 3000, 1);
	ck_assert_int_le(count("SELECT count(*) FROM run"), 40);
	for (uint64_t i = 0; i < 3000; i++)
		ck_assert(has(i));
	ck_assert(!has(3000));
}
END_TEST

/* Let time pass: move what there is into the past. */
static void
age(int64_t us)
{
	ck_assert_int_eq(db_run(s, &err,
			     "UPDATE run SET bucket = bucket - ?1 / width", "i",
			     us),
	    0);
}

static void
expire(void)
{
	int rc;

	do {
		ck_assert_int_eq(db_begin(s, &err), 0);
		rc = seen_expire(s, clock_now(), &err);
		ck_assert_int_eq(db_end(s, rc < 0 ? -1 : 0, &err), 0);
	} while (rc == 1);
	ck_assert_int_eq(rc, 0);
}

START_TEST(old_ids_are_dropped)
{
	add(0, 200000, 5000);
	age(CLOCK_DAY - CLOCK_HOUR);
	add(200000, 201000, 500);
	expire();
	ck_assert(has(0));
	ck_assert(has(200000));
	/* A finished bucket is one run. */
	ck_assert_int_le(count("SELECT count(*) FROM run"), 3);
	age(10 * CLOCK_HOUR);
	expire();
	ck_assert(!has(0));
	ck_assert(has(200000));
	ck_assert_int_eq(count("SELECT sum(count) FROM run"), 1000);
	ck_assert_int_eq(count("SELECT sum(length(entries)) / 16 FROM seen"),
	    1000);
	add(0, 10, 10);
	ck_assert(has(0));
}
END_TEST

START_TEST(filter)
{
	struct filter *f = filter_new(1 << 16);
	size_t wrong = 0;
	uint8_t key[SEEN_KEY];

	for (uint64_t i = 0; i < filter_good(f); i++) {
		key_of(i, key);
		filter_add(f, key);
		ck_assert(filter_has(f, key));
	}
	for (uint64_t i = 0; i < 10000; i++) {
		key_of(i + (UINT64_C(1) << 40), key);
		wrong += filter_has(f, key);
	}
	ck_assert_uint_lt(wrong, 600);
	filter_empty(f);
	ck_assert(!filter_has(f, key));
	filter_saturate(f);
	ck_assert(filter_has(f, key));
	filter_free(f);
}
END_TEST

Suite *
suite_seen(void)
{
	Suite *suite = suite_create("seen");
	TCase *tc = tcase_create("seen");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, two_million);
	tcase_add_test(tc, the_filter_grows);
	tcase_add_test(tc, a_full_filter);
	tcase_add_test(tc, small_commits);
	tcase_add_test(tc, old_ids_are_dropped);
	tcase_add_test(tc, filter);
	suite_add_tcase(suite, tc);
	return suite;
}
