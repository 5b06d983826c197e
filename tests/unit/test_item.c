/*
 * test_item.c - the ledger: what is listed is fetched once, bit by bit,
 * or becomes a gap.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/feed.h"
#include "store/report.h"
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

/* List three items in f and claim them: the first to expire, the newest, then
 * again the first to expire. */
static void
list_and_claim(struct feed *f, struct write_batch *p, int64_t now,
    struct item it[3])
{
	const struct listed l[3] = {
		{ "one", "https://x/1", now - 9, now + CLOCK_DAY },
		{ "two", "https://x/2", now - 5, now + 2 * CLOCK_DAY },
		{ "three", NULL, now - 7, now + CLOCK_HOUR },
	};
	int64_t next;

	for (int i = 0; i < 3; i++)
		write_batch_listed(p, &l[i]);
	ck_assert_uint_eq(store_help_commit(p).listed, 3);
	write_batch_listed(p, &l[0]);
	ck_assert_uint_eq(store_help_commit(p).listed, 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(item_claim(f, &it[i], &next, &err), 1);
}

START_TEST(a_backfill_waits)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	const int64_t now = clock_now();
	const struct listed old = { "old", "u", now - CLOCK_DAY, now + 9 };
	const struct listed fresh = { "new", "u", now, now + CLOCK_DAY };
	int64_t created, expires;
	struct item it;

	write_batch_via(p, VIA_BACKFILL);
	write_batch_listed(p, &old);
	(void)store_help_commit(p);
	/* Nothing is behind for it. */
	ck_assert_int_eq(item_oldest(f, &created, &expires, &err), 0);
	ck_assert_int_eq(created, INT64_MAX);
	p = write_batch_reuse(p, f);
	write_batch_listed(p, &fresh);
	(void)store_help_commit(p);
	ck_assert_int_eq(item_claim(f, &it, NULL, &err), 1);
	ck_assert_str_eq(it.key, "new");
	ck_assert_int_eq(it.via, VIA_FEED);
	item_release(&it);
	ck_assert_int_eq(item_claim_polled(f, &it, NULL, &err), 0);
	ck_assert_int_eq(item_claim(f, &it, NULL, &err), 1);
	ck_assert_str_eq(it.key, "old");
	ck_assert_int_eq(it.via, VIA_BACKFILL);
	item_release(&it);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

START_TEST(ledger)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	const int64_t now = clock_now();
	const uint8_t chain[32] = { 1, 2, 3 };
	struct item it[3], none;
	int64_t next, created, expires;
	bool failing;

	list_and_claim(f, p, now, it);
	ck_assert_str_eq(it[0].key, "three");
	ck_assert_ptr_null(it[0].uri);
	ck_assert_str_eq(it[1].key, "two");
	ck_assert_str_eq(it[2].key, "one");
	ck_assert_int_eq(item_claim(f, &none, &next, &err), 0);
	ck_assert_int_eq(next, INT64_MAX);

	/* Progress, then a failure. */
	store_help_add(p, "a", "{}");
	write_batch_item(p, it[0].id, 1, chain, false);
	(void)store_help_commit(p);
	ck_assert_int_eq(item_return(f, &it[0], now + CLOCK_HOUR, "reset",
			     &err),
	    0);
	ck_assert_int_eq(item_claim(f, &none, &next, &err), 0);
	ck_assert_int_eq(next, now + CLOCK_HOUR);
	ck_assert_int_eq(item_return(f, &it[1], now - 1, "reset", &err), 0);
	ck_assert_int_eq(item_claim(f, &none, &next, &err), 1);
	ck_assert_str_eq(none.key, "two");
	ck_assert_int_eq(none.attempts, 1);
	item_release(&none);

	/* Complete. */
	write_batch_item(p, it[1].id, 0, chain, true);
	(void)store_help_commit(p);
	ck_assert_int_eq(item_return(f, &it[1], 0, NULL, &err), 0);
	ck_assert_int_eq(item_oldest(f, &created, &expires, &err), 0);
	ck_assert_int_eq(created, now - 7);
	ck_assert_int_eq(expires, now + CLOCK_HOUR);

	ck_assert_int_eq(item_failing(f, &failing, &err), 0);
	ck_assert(failing);
	for (int i = 0; i < 3; i++)
		item_release(&it[i]);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

START_TEST(part_of_an_item_is_a_gap)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	const uint8_t chain[32] = { 9 };
	struct listed l = { "one", "u", 1, INT64_MAX };
	struct gap_row g = { .part = true, .from = 1, .to = 1 };
	struct item it;
	uint64_t n, open;

	write_batch_listed(p, &l);
	(void)store_help_commit(p);
	ck_assert_int_eq(item_claim(f, &it, NULL, &err), 1);
	g.item = it.id;
	/* The same once more, when the item is read from its start again. */
	for (int i = 0; i < 3; i++) {
		(void)snprintf(g.cause, sizeof(g.cause), "event %d", i / 2);
		write_batch_gap(p, &g);
		write_batch_item(p, it.id, (uint64_t)i, chain, false);
		(void)store_help_commit(p);
	}
	ck_assert_int_eq(report_gaps(s, &n, &open, &err), 0);
	ck_assert_uint_eq(n, 2);
	/* The item goes on. */
	ck_assert_int_eq(item_return(f, &it, 0, NULL, &err), 0);
	item_release(&it);
	ck_assert_int_eq(item_claim(f, &it, NULL, &err), 1);
	ck_assert_uint_eq(it.elements, 2);
	item_release(&it);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

START_TEST(progress_is_kept_for_the_next_try)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	const uint8_t chain[32] = { 9 };
	struct listed l = { "one", "u", 1, INT64_MAX };
	struct item it;

	write_batch_listed(p, &l);
	(void)store_help_commit(p);
	ck_assert_int_eq(item_claim(f, &it, NULL, &err), 1);
	ck_assert_uint_eq(it.elements, 0);
	write_batch_item(p, it.id, 5, chain, false);
	(void)store_help_commit(p);
	item_release(&it);
	write_batch_free(p);
	feed_close(f);
	f = store_help_feed(s, FEED, CLOCK_DAY);
	ck_assert_int_eq(item_claim(f, &it, NULL, &err), 1);
	ck_assert_uint_eq(it.elements, 5);
	ck_assert_mem_eq(it.chain, chain, 32);
	item_release(&it);
	feed_close(f);
	store_close(s);
}
END_TEST

/* The item of l is a gap. */
static void
lose(struct feed *f, struct write_batch *p, const char *cause)
{
	struct gap_row g = { .from = 1, .to = 1 };
	struct item it;

	ck_assert_int_eq(item_claim(f, &it, NULL, &err), 1);
	g.item = it.id;
	(void)snprintf(g.key, sizeof(g.key), "%s", it.key);
	(void)snprintf(g.cause, sizeof(g.cause), "%s", cause);
	write_batch_gap(p, &g);
	(void)store_help_commit(p);
	ck_assert_int_eq(item_return(f, &it, 0, NULL, &err), 0);
	item_release(&it);
}

static void
gaps_are(struct store *s, uint64_t all, uint64_t open)
{
	uint64_t n, left;

	ck_assert_int_eq(report_gaps(s, &n, &left, &err), 0);
	ck_assert_uint_eq(n, all);
	ck_assert_uint_eq(left, open);
}

START_TEST(a_gap_that_is_listed_again_is_closed)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	const int64_t now = clock_now();
	struct listed l = { "one", "u", 1, now + CLOCK_DAY };
	struct gap_row g = { .id = 0 };
	struct item it;

	write_batch_listed(p, &l);
	(void)store_help_commit(p);
	lose(f, p, "gone");
	gaps_are(s, 1, 1);
	ck_assert_int_eq(item_claim(f, &it, NULL, &err), 0);
	/* Back to life, at another place. */
	l.uri = "v";
	write_batch_listed(p, &l);
	ck_assert_uint_eq(store_help_commit(p).listed, 1);
	gaps_are(s, 1, 0);
	ck_assert_int_eq(report_gap(s, 0, &g, &err), 1);
	ck_assert_int_ge(g.closed, now);
	ck_assert_int_eq(report_gap(s, g.id, &g, &err), 1);
	ck_assert_int_eq(g.closes, 1);
	ck_assert_str_eq(g.key, "one");
	write_batch_listed(p, &l);
	ck_assert_uint_eq(store_help_commit(p).listed, 0);
	/* The same gap once more, and closed once more while there is time. */
	lose(f, p, "gone");
	gaps_are(s, 2, 1);
	write_batch_listed(p, &l);
	ck_assert_uint_eq(store_help_commit(p).listed, 1);
	gaps_are(s, 2, 0);
	ck_assert_int_eq(item_claim(f, &it, NULL, &err), 1);
	ck_assert_str_eq(it.uri, "v");
	ck_assert_int_eq(item_return(f, &it, 0, NULL, &err), 0);
	item_release(&it);
	/* But not for ever. */
	lose(f, p, "gone");
	l.expires = now - 1;
	write_batch_listed(p, &l);
	ck_assert_uint_eq(store_help_commit(p).listed, 0);
	gaps_are(s, 3, 1);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

START_TEST(what_expired_gets_one_more_chance_when_it_is_listed)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	struct listed l = { "one", "u", 1, 2 };

	write_batch_listed(p, &l);
	(void)store_help_commit(p);
	for (int i = 0; i < 3; i++) {
		if (i < 2)
			lose(f, p, "expired");
		write_batch_listed(p, &l);
		ck_assert_uint_eq(store_help_commit(p).listed, i == 0);
	}
	gaps_are(s, 2, 1);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

Suite *
suite_item(void)
{
	Suite *s = suite_create("item");
	TCase *tc = tcase_create("item");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_backfill_waits);
	tcase_add_test(tc, ledger);
	tcase_add_test(tc, part_of_an_item_is_a_gap);
	tcase_add_test(tc, progress_is_kept_for_the_next_try);
	tcase_add_test(tc, a_gap_that_is_listed_again_is_closed);
	tcase_add_test(tc, what_expired_gets_one_more_chance_when_it_is_listed);
	suite_add_tcase(s, tc);
	return s;
}
