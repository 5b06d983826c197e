/*
 * test_replay.c - what an output is to be sent again, in the store.
 */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/batch.h"
#include "store/replay.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define BATCHES 4

static char dir[64], path[128];
static struct store *s;
static struct err err;
/* Of the batches, in their order. */
static int64_t id[BATCHES], committed[BATCHES];

/* Four batches of one, two, three and four events, each at a time of its own.
 */
static void
begin(void)
{
	struct feed *f;
	struct batch b;
	int64_t at = 0;

	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	s = store_help_open(path, STORE_DURABLE);
	f = store_help_feed(s, "v/audit", 0);
	for (int i = 0; i < BATCHES; i++) {
		struct write_batch *p = write_batch_new(f);

		for (int k = 0; k <= i; k++)
			store_help_add(p, NULL, "{\"n\":1}");
		(void)store_help_commit(p);
		write_batch_free(p);
		(void)usleep(1000);
		while (store_help_seal(s, &err) == 1)
			continue;
	}
	feed_close(f);
	batch_init(&b);
	for (int i = 0; i < BATCHES; i++) {
		ck_assert_int_eq(batch_next_sealed(s, at, &b, &err), 1);
		at = id[i] = b.id;
		committed[i] = b.committed;
	}
	batch_release(&b);
}

static void
end(void)
{
	store_close(s);
	store_help_end(dir);
}

static struct replay
span(int64_t from, int64_t to)
{
	return (struct replay){ .output = "siem", .from = from, .to = to };
}

START_TEST(a_span_is_half_open)
{
	struct replay r = span(committed[1], committed[3]);
	uint64_t kept, gone;
	int64_t first, last;

	ck_assert_int_eq(replay_count(s, &r, &kept, &gone, &err), 0);
	ck_assert_uint_eq(kept, 2 + 3);
	ck_assert_uint_eq(gone, 0);
	ck_assert_int_eq(replay_run(s, &r, id[3], &first, &last, &err), 1);
	ck_assert_int_eq(first, id[1]);
	ck_assert_int_eq(last, id[2]);
	r.after = id[1];
	ck_assert_int_eq(replay_run(s, &r, id[3], &first, &last, &err), 1);
	ck_assert_int_eq(first, id[2]);
	ck_assert_int_eq(replay_count(s, &r, &kept, &gone, &err), 0);
	ck_assert_uint_eq(kept, 3);
	r.after = id[2];
	ck_assert_int_eq(replay_run(s, &r, id[3], &first, &last, &err), 0);
}
END_TEST

START_TEST(nothing_behind_the_position_is_sent)
{
	struct replay r = span(0, clock_now() + CLOCK_HOUR);
	int64_t first, last;

	ck_assert_int_eq(replay_run(s, &r, id[1], &first, &last, &err), 1);
	ck_assert_int_eq(first, id[0]);
	ck_assert_int_eq(last, id[1]);
	r.after = id[1];
	ck_assert_int_eq(replay_run(s, &r, id[1], &first, &last, &err), 0);
}
END_TEST

START_TEST(it_lives_as_long_as_it_takes)
{
	const struct replay want = span(committed[0], committed[3]);
	struct replay r;

	ck_assert_int_eq(replay_next(s, "siem", &r, &err), 0);
	ck_assert_int_eq(replay_add(s, &want, &err), 0);
	ck_assert_int_eq(replay_next(s, "other", &r, &err), 0);
	ck_assert_int_eq(replay_next(s, "siem", &r, &err), 1);
	ck_assert_int_eq(r.from, want.from);
	ck_assert_int_eq(r.to, want.to);
	r.after = id[1];
	r.sent = 3;
	ck_assert_int_eq(replay_move(s, &r, &err), 0);
	/* As after a crash. */
	store_close(s);
	s = store_help_open(path, STORE_DURABLE);
	ck_assert_int_eq(replay_next(s, "siem", &r, &err), 1);
	ck_assert_int_eq(r.after, id[1]);
	ck_assert_uint_eq(r.sent, 3);
	ck_assert_int_eq(replay_end(s, &r, &err), 0);
	ck_assert_int_eq(replay_next(s, "siem", &r, &err), 0);
}
END_TEST

START_TEST(its_news_are_told_once)
{
	struct replay want = span(committed[0], committed[3]), r;

	ck_assert_int_eq(replay_add(s, &want, &err), 0);
	ck_assert_int_eq(replay_next(s, "siem", &want, &err), 1);
	want.sent = 6;
	ck_assert_int_eq(replay_end(s, &want, &err), 0);
	ck_assert_int_eq(replay_news(s, 0, &r, &err), 1);
	ck_assert(!r.ended);
	ck_assert_str_eq(r.output, "siem");
	ck_assert_int_eq(replay_news(s, r.id, &r, &err), 1);
	ck_assert(r.ended);
	ck_assert_uint_eq(r.sent, 6);
	ck_assert_int_eq(r.to, committed[3]);
	ck_assert_int_eq(replay_news(s, r.id, &want, &err), 0);
	ck_assert_int_eq(replay_told(s, r.id, &err), 0);
	ck_assert_int_eq(replay_news(s, 0, &r, &err), 0);
}
END_TEST

Suite *
suite_replay(void)
{
	Suite *suite = suite_create("replay");
	TCase *tc = tcase_create("replay");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, a_span_is_half_open);
	tcase_add_test(tc, nothing_behind_the_position_is_sent);
	tcase_add_test(tc, it_lives_as_long_as_it_takes);
	tcase_add_test(tc, its_news_are_told_once);
	suite_add_tcase(suite, tc);
	return suite;
}
