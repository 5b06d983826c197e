/*
 * test_trace.c - the way of one event.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/batch.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/position.h"
#include "store/report.h"
#include "store/store.h"
#include "store/write_batch.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

static char dir[64];
static char path[128];
static struct err err;
static struct store *s;
static struct feed *f;

static void
set_up(void)
{
	static const char *const names[] = { "copy", "siem" };

	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	err_clear(&err);
	s = store_open(path, STORE_DURABLE, &err);
	ck_assert_msg(s != NULL, "%s", err.text);
	ck_assert_int_eq(position_set_outputs(s, names, 2, &err), 0);
}

static void
tear_down(void)
{
	feed_close(f);
	store_close(s);
	store_help_end(dir);
}

/* One item with two events, "a" and "b". */
static void
collect(int64_t dedupe)
{
	const int64_t now = clock_now();
	struct listed l = { "item-1", "u", now - 5, now + CLOCK_DAY };
	const uint8_t chain[32] = { 0 };
	struct write_batch *p;
	struct item it;

	f = feed_open(s, "contoso/DLP.All", dedupe, &err);
	p = write_batch_new(f);
	write_batch_listed(p, &l);
	ck_assert_int_eq(feed_commit(p, NULL, &err), 0);
	ck_assert_int_eq(item_claim(f, &it, NULL, &err), 1);
	for (int i = 0; i < 2; i++) {
		char data[32];
		struct slice id = { .data = i == 0 ? "a" : "b", .len = 1 };

		(void)snprintf(data, sizeof(data), "{\"Id\":\"%c\"}", 'a' + i);
		ck_assert_int_eq(write_batch_add(p, data, strlen(data), id, now,
				     &err),
		    0);
	}
	write_batch_item(p, it.id, 2, chain, true);
	ck_assert_int_eq(feed_commit(p, NULL, &err), 0);
	ck_assert_int_eq(item_return(f, &it, 0, NULL, &err), 0);
	item_release(&it);
	write_batch_free(p);
}

static size_t
find(const char *id, struct trace *t)
{
	struct trace_place places[4];
	size_t n;

	ck_assert_msg(trace_find(s, id, places, 4, &n, &err) == 0, "%s",
	    err.text);
	if (n > 0)
		ck_assert_int_eq(trace_read(s, &places[0], t, &err), 0);
	return n;
}

static enum trace_state
state_at(const struct trace *t, const char *output, struct trace_output *o)
{
	o->name[0] = '\0';
	while (trace_output(s, t, o->name, o, &err) == 1) {
		if (strcmp(o->name, output) == 0)
			return o->state;
	}
	ck_abort_msg("no output %s", output);
}

START_TEST(every_step)
{
	struct output_state state = { .mode = "confirmed" };
	struct dead_letter d = { .output = "copy",
		.feed = "contoso/DLP.All",
		.index = 1,
		.when = 77,
		.reason = "too large",
		.event = BUF_INIT(10) };
	struct position pos = { .batch = 0, .lines = 1 };
	struct trace_output o;
	struct trace t;

	collect(CLOCK_DAY);
	ck_assert_uint_eq(find("c", &t), 0);
	ck_assert_uint_eq(find("b", &t), 1);
	ck_assert_str_eq(t.feed, "contoso/DLP.All");
	ck_assert_uint_eq(t.place.index, 1);
	ck_assert_str_eq(t.key, "item-1");
	ck_assert_int_le(t.created, t.listed);
	ck_assert_int_le(t.listed, t.fetched);
	ck_assert_int_le(t.fetched, t.committed);
	ck_assert_int_eq(t.sealed, INT64_MIN);
	ck_assert_int_eq(state_at(&t, "siem", &o), TRACE_WAITING);

	ck_assert_int_eq(store_help_seal(s, &err), 1);
	ck_assert_uint_eq(find("b", &t), 1);
	ck_assert_int_le(t.committed, t.sealed);

	/* The first of two lines. */
	ck_assert_int_eq(position_move(s, "siem", &pos, &state, &err), 0);
	ck_assert_int_eq(state_at(&t, "siem", &o), TRACE_WAITING);
	ck_assert_uint_eq(find("a", &t), 1);
	ck_assert_int_eq(state_at(&t, "siem", &o), TRACE_DELIVERED);
	ck_assert_str_eq(o.mode, "confirmed");
	ck_assert(!o.held);

	/* All, and one refused. */
	ck_assert_uint_eq(find("b", &t), 1);
	pos = (struct position){ .batch = t.batch };
	ck_assert_int_eq(position_move(s, "siem", &pos, &state, &err), 0);
	ck_assert_int_eq(dead_letter_add(s, &d, &err), 0);
	ck_assert_int_eq(state_at(&t, "siem", &o), TRACE_DELIVERED);
	ck_assert_int_ge(o.time, t.sealed);
	ck_assert_int_eq(state_at(&t, "copy", &o), TRACE_DEAD_LETTER);
	ck_assert_str_eq(o.reason, "too large");
	ck_assert_int_eq(o.time, 77);

	/* When the events are gone, too. */
	ck_assert_int_eq(position_move(s, "copy", &pos, &state, &err), 0);
	ck_assert_int_eq(store_clean(s, 0, &err), 0);
	ck_assert_uint_eq(find("a", &t), 1);
	ck_assert_int_eq(state_at(&t, "copy", &o), TRACE_DELIVERED);
	ck_assert_int_ge(o.time, t.sealed);
}
END_TEST

START_TEST(without_dedupe)
{
	struct trace t;

	collect(0);
	ck_assert_uint_eq(find("c", &t), 0);
	ck_assert_uint_eq(find("b", &t), 1);
	ck_assert_uint_eq(t.place.index, 1);
}
END_TEST

START_TEST(by_index)
{
	struct trace_place places[4];
	size_t n;

	collect(0);
	ck_assert_int_eq(trace_find_index(s, "contoso/DLP.All", 1, places, 4,
			     &n, &err),
	    0);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(places[0].feed, feed_id(f));
	ck_assert_int_eq(trace_find_index(s, "contoso/DLP.All", 2, places, 4,
			     &n, &err),
	    0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(held)
{
	const struct position received = { .batch = 0, .lines = 2 };
	const struct position pos = { .batch = 0, .lines = 1 };
	struct output_state state = { .mode = "relayed" };
	struct trace_output o;
	struct trace t;

	collect(CLOCK_DAY);
	ck_assert_int_eq(store_help_seal(s, &err), 1);
	ck_assert_uint_eq(find("b", &t), 1);
	ck_assert_int_eq(position_move(s, "siem", &pos, &state, &err), 0);
	ck_assert_int_eq(state_at(&t, "siem", &o), TRACE_WAITING);
	ck_assert_str_eq(o.mode, "relayed");
	ck_assert(!o.held);

	/* It has a receipt, which proves too little. */
	state.received = &received;
	ck_assert_int_eq(position_move(s, "siem", &pos, &state, &err), 0);
	ck_assert_int_eq(state_at(&t, "siem", &o), TRACE_DELIVERED);
	ck_assert(o.held);
}
END_TEST

Suite *
suite_trace(void)
{
	Suite *suite = suite_create("trace");
	TCase *tc = tcase_create("trace");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, every_step);
	tcase_add_test(tc, held);
	tcase_add_test(tc, without_dedupe);
	tcase_add_test(tc, by_index);
	suite_add_tcase(suite, tc);
	return suite;
}
