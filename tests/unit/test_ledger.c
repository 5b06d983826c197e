/*
 * test_ledger.c - what a listing remembers of the ledger: all of what it lists
 * again and again, in little room.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "sources/common/ledger.h"
#include "sources/source.h"
#include "store/store.h"
#include "store/write_batch.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

static struct {
	char dir[64];
	char path[128];
	struct store *s;
	struct source source;
	struct stream st;
	struct ledger_known known;
} t;

static void
listed(void *ctx, struct stream *st)
{
	(void)ctx;
	(void)st;
}

static void
set_up(void)
{
	store_help_begin(t.dir, sizeof(t.dir), t.path, sizeof(t.path));
	t.s = store_help_open(t.path, STORE_DURABLE);
	t.source = (struct source){ .listed = listed };
	t.st = (struct stream){ .source = &t.source,
		.feed = store_help_feed(t.s, "contoso/Audit.Exchange", 0) };
}

static void
tear_down(void)
{
	ledger_known_release(&t.known);
	feed_close(t.st.feed);
	store_close(t.s);
	store_help_end(t.dir);
}

/* List items from to to: how many of them the listing did not know. */
static unsigned
list(unsigned from, unsigned to, bool thorough)
{
	struct ledger *l = ledger_new(&t.st, &t.known, thorough);
	struct err err = ERR_INIT;
	unsigned asked = 0;
	char key[32];

	for (unsigned i = from; i < to; i++) {
		int n = snprintf(key, sizeof(key), "item-%u", i);

		if (ledger_has(l, (struct slice){ key, (size_t)n }))
			continue;
		asked++;
		ck_assert_int_eq(ledger_add(l,
				     &(struct listed){ key, "https://x/", 1,
					 clock_now() + CLOCK_DAY },
				     &err),
		    0);
	}
	ck_assert_int_eq(ledger_flush(l, &err), 0);
	ck_assert_uint_le(ledger_fresh(l), asked);
	ledger_free(l);
	return asked;
}

START_TEST(what_is_listed_again_is_known)
{
	static const struct {
		unsigned items;
		size_t most; /* places */
	} sizes[] = { { 1, 64 }, { 20, 128 }, { 300, 2048 }, { 2000, 8192 } };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned before = i == 0 ? 0 : sizes[i - 1].items;

		ck_assert_uint_eq(list(0, sizes[i].items, false),
		    sizes[i].items - before);
		ck_assert_uint_eq(list(0, sizes[i].items, false), 0);
		ck_assert_uint_le(t.known.places, sizes[i].most);
	}
	ck_assert_uint_eq(list(0, 2000, true), 2000);
}
END_TEST

START_TEST(the_latest_win)
{
	ck_assert_uint_eq(list(0, 20000, false), 20000);
	ck_assert_uint_eq(t.known.places, 8192);
	ck_assert_uint_lt(list(19000, 20000, false), 200);
}
END_TEST

START_TEST(a_gap_makes_all_unknown)
{
	ck_assert_uint_eq(list(0, 100, false), 100);
	t.st.gaps++;
	ck_assert_uint_eq(list(0, 100, false), 100);
	ck_assert_uint_eq(list(0, 100, false), 0);
}
END_TEST

Suite *
suite_ledger(void)
{
	Suite *s = suite_create("ledger");
	TCase *tc = tcase_create("ledger");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, what_is_listed_again_is_known);
	tcase_add_test(tc, the_latest_win);
	tcase_add_test(tc, a_gap_makes_all_unknown);
	suite_add_tcase(s, tc);
	return s;
}
