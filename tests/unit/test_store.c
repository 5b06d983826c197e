/*
 * test_store.c - the store: from a write batch to a batch that every output has
 * passed.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "store/batch.h"
#include "store/commit.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/line.h"
#include "store/position.h"
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

START_TEST(events_come_back_as_lines)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	struct commit_result res;
	struct gzip *g = gzip_new();
	struct buf lines = BUF_INIT(1 << 20);
	int64_t times[3];
	struct batch b;

	store_help_add(p, "a", "{\"Id\":\"a\"}");
	store_help_add(p, "b", "{\"Id\":\"b\"}");
	store_help_add(p, "a", "{\"Id\":\"a\"}");
	write_batch_cursor(p, "{\"until\":1}");
	res = store_help_commit(p);
	ck_assert_uint_eq(res.events, 2);
	ck_assert_uint_eq(res.duplicates, 1);
	ck_assert_uint_eq(write_batch_events(p), 0);

	batch_init(&b);
	ck_assert_int_eq(batch_next_sealed(s, 0, &b, &err), 0);
	ck_assert_int_eq(store_help_seal(s, &err), 1);
	ck_assert_int_eq(batch_next_sealed(s, 0, &b, &err), 1);
	ck_assert_uint_eq(b.count, 2);
	ck_assert_uint_eq(b.first, 0);
	ck_assert_uint_eq(b.size, 2);
	ck_assert_str_eq(b.checkpoint.data, "{\"size\":2}");
	ck_assert_int_eq(gzip_unpack(g, b.payload.data, b.payload.len, &lines,
			     &err),
	    0);
	ck_assert_str_eq(lines.data,
	    "{\"feed\":\"" FEED "\",\"index\":0,\"event\":{\"Id\":\"a\"}}\n"
	    "{\"feed\":\"" FEED "\",\"index\":1,\"event\":{\"Id\":\"b\"}}\n");
	ck_assert_uint_eq(b.raw_len, lines.len);
	ck_assert_int_eq(batch_times(&b, times, &err), 0);
	ck_assert_int_eq(times[1], 1700000000 * CLOCK_SECOND);
	ck_assert_int_eq(batch_next_sealed(s, b.id, &b, &err), 0);
	batch_release(&b);
	buf_release(&lines);
	gzip_free(g);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

/* Has another connection written since the last call? */
static bool
was_written(sqlite3 *db)
{
	static int before;
	sqlite3_stmt *st;
	int now;

	ck_assert_int_eq(sqlite3_prepare_v2(db, "PRAGMA data_version", -1, &st,
			     NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	now = sqlite3_column_int(st, 0);
	(void)sqlite3_finalize(st);
	if (now == before)
		return false;
	before = now;
	return true;
}

static void
cursor_is(struct feed *f, const char *cursor)
{
	char *is = feed_cursor(f);

	ck_assert_str_eq(is, cursor);
	free(is);
}

START_TEST(a_poll_without_news_is_written_once)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	struct feed_report r;
	sqlite3 *db;

	store_help_add(p, "a", "{}");
	write_batch_cursor(p, "{\"n\":1}");
	(void)store_help_commit(p);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	(void)was_written(db);
	/* What is there already, repeats and a cursor too, is not. */
	store_help_add(p, "a", "{}");
	ck_assert_uint_eq(store_help_commit(p).duplicates, 1);
	write_batch_cursor(p, "{\"n\":1}");
	(void)store_help_commit(p);
	feed_cursor_later(f, "{\"n\":2}");
	cursor_is(f, "{\"n\":2}");
	ck_assert(!was_written(db));
	feed_state(f, clock_now() + CLOCK_HOUR, NULL, INT64_MIN);
	ck_assert(was_written(db));
	ck_assert_int_eq(report_feed(s, 0, &r, &err), 1);
	ck_assert_uint_eq(r.count[FEED_DUPLICATES], 1);
	/* One that is still to be written is none that is. */
	feed_cursor_later(f, "{\"n\":3}");
	write_batch_cursor(p, "{\"n\":3}");
	(void)store_help_commit(p);
	ck_assert(was_written(db));
	/* The newest stays. */
	feed_cursor_later(f, "{\"n\":4}");
	write_batch_cursor(p, "{\"n\":5}");
	(void)store_help_commit(p);
	feed_state(f, clock_now() + CLOCK_HOUR, NULL, INT64_MIN);
	feed_close(f);
	f = store_help_feed(s, FEED, CLOCK_DAY);
	cursor_is(f, "{\"n\":5}");
	feed_cursor_later(f, "{\"n\":6}");
	feed_close(f);
	f = store_help_feed(s, FEED, CLOCK_DAY);
	cursor_is(f, "{\"n\":6}");
	(void)sqlite3_close(db);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

START_TEST(memory_comes_and_goes)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, 0);
	struct write_batch *p = write_batch_new(f), *small;

	for (int i = 0; i < 3; i++) {
		store_help_add(p, NULL, "{}");
		store_help_add(p, NULL, "[]");
		small = write_batch_move(p);
		ck_assert_ptr_nonnull(small);
		ck_assert_uint_eq(write_batch_events(small), 2);
		ck_assert_uint_eq(write_batch_events(p), 0);
		ck_assert_int_eq(store_committed(s), 0);
		ck_assert_uint_eq(store_help_commit(small).events, 2);
		ck_assert_int_gt(store_committed(s), 0);
		write_batch_free(small);
		store_help_add(p, NULL, "{}");
		p = write_batch_reuse(p, f);
		ck_assert_uint_eq(write_batch_events(p), 0);
		store_rest(s);
	}
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

/* A disk is waited for where something would be lost. */
START_TEST(what_is_durable)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	const struct listed l = {
		.key = "k", .uri = "u", .expires = INT64_MAX
	};
	const struct gap_row gap = { .cause = "expired" };

	store_help_add(p, "a", "{}");
	(void)store_help_commit(p);
	ck_assert(!s->relaxed);
	write_batch_cursor(p, "{\"n\":1}");
	store_help_add(p, "a", "{}"); /* a repeat */
	(void)store_help_commit(p);
	ck_assert(s->relaxed);
	write_batch_cursor(p, "{\"n\":2}");
	write_batch_listed(p, &l);
	(void)store_help_commit(p);
	ck_assert(!s->relaxed);
	write_batch_cursor(p, "{\"n\":3}");
	(void)store_help_commit(p);
	ck_assert(s->relaxed);
	write_batch_gap(p, &gap);
	(void)store_help_commit(p);
	ck_assert(!s->relaxed);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

START_TEST(state_survives)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	char *cursor;

	store_help_add(p, "a", "{}");
	write_batch_cursor(p, "{\"n\":7}");
	(void)store_help_commit(p);
	write_batch_free(p);
	feed_close(f);
	store_close(s);

	s = store_help_open(path, STORE_DURABLE);
	f = store_help_feed(s, FEED, CLOCK_DAY);
	cursor = feed_cursor(f);
	ck_assert_str_eq(cursor, "{\"n\":7}");
	free(cursor);
	p = write_batch_new(f);
	store_help_add(p, "a", "{}");
	store_help_add(p, "b", "{}");
	ck_assert_uint_eq(store_help_commit(p).events, 1);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

START_TEST(ids_are_not_kept_without_dedupe)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, 0);
	struct write_batch *p = write_batch_new(f);

	store_help_add(p, "a", "{}");
	store_help_add(p, "a", "{}");
	store_help_add(p, NULL, "{}");
	ck_assert_uint_eq(store_help_commit(p).events, 3);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

START_TEST(a_large_piece_becomes_several_batches)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, 0);
	struct write_batch *p = write_batch_new(f);
	const size_t large = BATCH_BYTES + 5000;
	char *big = xmalloc(large + 1);
	uint64_t next = 0;
	struct batch b;

	memset(big, 'x', large);
	big[0] = big[large - 1] = '"';
	big[large] = '\0';
	for (int i = 0; i < BATCH_EVENTS + 10; i++)
		store_help_add(p, NULL, "{}");
	store_help_add(p, NULL, big);
	store_help_add(p, NULL, "{}");
	ck_assert_uint_eq(store_help_commit(p).events, BATCH_EVENTS + 12);
	ck_assert_int_eq(store_help_seal(s, &err), 1);
	while (store_help_seal(s, &err) == 1)
		;
	batch_init(&b);
	while (batch_next_sealed(s, b.id, &b, &err) == 1) {
		ck_assert_uint_eq(b.first, next);
		ck_assert(b.count <= BATCH_EVENTS);
		ck_assert(b.raw_len <= BATCH_BYTES || b.count == 1);
		next += b.count;
	}
	ck_assert_uint_eq(next, BATCH_EVENTS + 12);
	batch_release(&b);
	free(big);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

START_TEST(delivered_batches_are_deleted)
{
	static const char *const names[] = { "siem", "copy" };
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	struct output_state state = { .mode = "confirmed", .add = { 3 } };
	struct position pos;
	struct output_report r;
	struct batch b;

	ck_assert_int_eq(position_set_outputs(s, names, 2, &err), 0);
	for (int i = 0; i < 3; i++) {
		store_help_add(p, NULL, "{}");
		(void)store_help_commit(p);
	}
	while (store_help_seal(s, &err) == 1)
		;
	batch_init(&b);
	ck_assert_int_eq(report_output(s, "", &r, &err), 1);
	ck_assert_str_eq(r.name, "copy");
	ck_assert_uint_eq(r.backlog_events, 3);
	ck_assert_int_eq(position_read(s, "siem", &pos, NULL, NULL, &err), 0);
	ck_assert_int_eq(pos.batch, 0);
	ck_assert_int_eq(batch_next_sealed(s, 0, &b, &err), 1);
	pos.batch = b.id;
	ck_assert_int_eq(position_move(s, "siem", &pos, &state, &err), 0);
	ck_assert_int_eq(store_clean(s, 0, &err), 0);
	ck_assert_int_eq(batch_next_sealed(s, 0, &b, &err), 1);
	ck_assert_int_eq(b.id, pos.batch);
	ck_assert_int_eq(position_move(s, "copy", &pos, &state, &err), 0);
	ck_assert_int_eq(store_clean(s, CLOCK_HOUR, &err), 0);
	ck_assert_int_eq(batch_next_sealed(s, 0, &b, &err), 1);
	ck_assert_int_eq(b.id, pos.batch);
	ck_assert_int_eq(store_clean(s, 0, &err), 0);
	ck_assert_int_eq(batch_next_sealed(s, 0, &b, &err), 1);
	ck_assert_int_gt(b.id, pos.batch);

	ck_assert_int_eq(report_output(s, "copy", &r, &err), 1);
	ck_assert_str_eq(r.name, "siem");
	ck_assert_str_eq(r.mode, "confirmed");
	ck_assert_uint_eq(r.backlog_events, 2);
	ck_assert_uint_eq(r.count[OUTPUT_EVENTS], 3);
	ck_assert_int_eq(report_output(s, "siem", &r, &err), 0);

	/* An output that is no longer configured holds nothing back. */
	ck_assert_int_eq(position_set_outputs(s, names, 1, &err), 0);
	ck_assert_int_eq(position_read(s, "copy", &pos, NULL, NULL, &err), -1);
	batch_release(&b);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

/* What is behind the position may be sent again, for however short a time
 * events are retained and however long ago there were receipts. */
START_TEST(what_is_held_is_kept)
{
	static const char *const names[] = { "siem" };
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	struct position pos = { .batch = 1 }, received = { .batch = 3 };
	struct output_state state = { .mode = "relayed",
		.received = &received };
	struct batch b;

	ck_assert_int_eq(position_set_outputs(s, names, 1, &err), 0);
	for (int i = 0; i < 3; i++) {
		store_help_add(p, NULL, "{}");
		(void)store_help_commit(p);
	}
	while (store_help_seal(s, &err) == 1)
		;
	batch_init(&b);
	ck_assert_int_eq(position_move(s, "siem", &pos, &state, &err), 0);
	ck_assert_int_eq(store_clean(s, 1, &err), 0);
	ck_assert_int_eq(batch_next_sealed(s, 0, &b, &err), 1);
	ck_assert_int_eq(b.id, 2);
	pos.batch = 3;
	ck_assert_int_eq(position_move(s, "siem", &pos, &state, &err), 0);
	ck_assert_int_eq(store_clean(s, 1, &err), 0);
	ck_assert_int_eq(batch_next_sealed(s, 0, &b, &err), 0);
	batch_release(&b);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

START_TEST(dead_letters_and_requests)
{
	struct store *s = store_help_open(path, STORE_RELAXED);
	struct dead_letter d = {
		.output = "siem",
		.feed = FEED,
		.index = 7,
		.when = 5,
		.reason = "too large",
		.event_time = INT64_MIN,
	};
	struct dead_letter back = { .id = 0 };
	struct request r = { .kind = "retry", .target = "siem", .number = 1 };

	buf_init(&d.event, 100);
	buf_init(&back.event, 100);
	ck_assert_int_eq(buf_adds(&d.event, "{}"), 0);
	ck_assert_int_eq(dead_letter_add(s, &d, &err), 0);
	ck_assert_int_eq(dead_letter_add(s, &d, &err), 0);
	ck_assert_int_eq(dead_letter_next(s, "other", 0, &back, &err), 0);
	ck_assert_int_eq(dead_letter_next(s, NULL, 0, &back, &err), 1);
	ck_assert_str_eq(back.reason, "too large");
	ck_assert_uint_eq(back.index, 7);
	ck_assert_str_eq(back.event.data, "{}");
	ck_assert_int_eq(dead_letter_next(s, NULL, back.id, &back, &err), 0);
	ck_assert_int_eq(dead_letter_remove(s, back.id, &err), 0);
	ck_assert_int_eq(dead_letter_next(s, NULL, 0, &back, &err), 0);
	buf_release(&d.event);
	buf_release(&back.event);

	ck_assert_int_eq(request_add(s, &r, &err), 0);
	ck_assert_int_eq(request_next(s, "drop", "siem", &r, &err), 0);
	ck_assert_int_eq(request_next(s, "retry", "siem", &r, &err), 1);
	ck_assert_int_eq(r.number, 1);
	ck_assert_int_eq(request_done(s, r.id, &err), 0);
	ck_assert_int_eq(request_next(s, "retry", "siem", &r, &err), 0);
	store_close(s);
}
END_TEST

/* As if an older version had made the store, which did not count that. */
START_TEST(a_counter_that_a_store_lacks_is_added)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed_report r;
	struct feed *f;
	sqlite3 *db;

	feed_close(store_help_feed(s, FEED, CLOCK_DAY));
	store_close(s);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db,
			     "ALTER TABLE feed DROP COLUMN versions;"
			     "ALTER TABLE feed DROP COLUMN digests_wrong",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	s = store_help_open(path, STORE_DURABLE);
	f = store_help_feed(s, FEED, CLOCK_DAY);
	feed_count(f, FEED_VERSIONS, 7);
	feed_close(f);
	ck_assert_int_eq(report_feed(s, 0, &r, &err), 1);
	ck_assert_uint_eq(r.count[FEED_VERSIONS], 7);
	store_close(s);
}
END_TEST

START_TEST(a_tree_that_is_taken_is_not_begun)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	sqlite3 *db;
	struct feed_report r;

	feed_close(store_help_feed(s, FEED, CLOCK_DAY));
	store_close(s);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "UPDATE feed SET name = 'damaged'",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	s = store_help_open(path, STORE_DURABLE);
	feed_close(store_help_feed(s, FEED, CLOCK_DAY));
	ck_assert_int_eq(report_feed(s, 1, &r, &err), 1);
	ck_assert_str_eq(r.name, FEED);
	ck_assert_int_eq(strncmp(r.tree, FEED "~", strlen(FEED) + 1), 0);
	store_close(s);
}
END_TEST

START_TEST(feeds_are_reported)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	struct store *reader;
	struct feed_report r;

	store_help_add(p, "a", "{}");
	(void)store_help_commit(p);
	feed_count(f, FEED_REQUESTS, 3);
	feed_state(f, clock_now() + CLOCK_MINUTE, "throttled", 12345);
	reader = store_help_open(path, STORE_READ);
	ck_assert_int_eq(report_feed(reader, 0, &r, &err), 1);
	ck_assert_str_eq(r.name, FEED);
	ck_assert_str_eq(r.tree, FEED);
	ck_assert(!r.closed);
	ck_assert_uint_eq(r.size, 1);
	ck_assert_uint_eq(r.sealed, 0);
	ck_assert_uint_eq(r.count[FEED_REQUESTS], 3);
	ck_assert_str_eq(r.error, "throttled");
	ck_assert_int_eq(r.horizon, 12345);
	ck_assert_int_eq(r.success, REPORT_NEVER);
	ck_assert_int_eq(report_lag(&r, 12350), 5);
	ck_assert_int_eq(report_lag(&r, 12340), 0);
	feed_horizon(f, 23456);
	store_help_add(p, "b", "{}");
	(void)store_help_commit(p);
	ck_assert_int_eq(report_feed(reader, 0, &r, &err), 1);
	ck_assert_int_eq(r.horizon, 23456);
	ck_assert_str_eq(r.error, "throttled");
	r.closed = true;
	ck_assert_int_eq(report_lag(&r, 34567), REPORT_NEVER);
	ck_assert_int_eq(report_feed(reader, r.id, &r, &err), 0);
	store_close(reader);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}
END_TEST

/* Threads. */

#define THREADS 8
#define ROUNDS 40

static void *
work(void *ctx)
{
	struct feed *f = ctx;
	struct write_batch *p = write_batch_new(f);
	uint64_t *mine = xcalloc(1, sizeof(*mine));
	char id[64];

	for (int i = 0; i < ROUNDS; i++) {
		struct commit_result res;
		struct err why = ERR_INIT;

		/* Half of the ids are those of all other threads, too. */
		for (int k = 0; k < 4; k++) {
			(void)snprintf(id, sizeof(id), "%d-%d-%p", i, k,
			    k < 2 ? NULL : (void *)mine);
			struct slice slice = { .data = id, .len = strlen(id) };
			if (write_batch_add(p, "{}", 2, slice, 0, &why) != 0)
				return NULL;
		}
		if (feed_commit(p, &res, &why) != 0)
			return NULL;
		*mine += res.events;
	}
	write_batch_free(p);
	return mine;
}

START_TEST(threads_commit_together)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	pthread_t thread[THREADS];
	struct feed_report r;
	uint64_t sum = 0;

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, work, f), 0);
	for (int i = 0; i < THREADS; i++) {
		void *mine;

		ck_assert_int_eq(pthread_join(thread[i], &mine), 0);
		ck_assert_ptr_nonnull(mine);
		sum += *(uint64_t *)mine;
		free(mine);
	}
	ck_assert_uint_eq(sum, ROUNDS * (2 + 2 * THREADS));
	feed_close(f);
	ck_assert_int_eq(report_feed(s, 0, &r, &err), 1);
	ck_assert_uint_eq(r.size, sum);
	ck_assert_uint_eq(r.count[FEED_DUPLICATES], ROUNDS * 4 * THREADS - sum);
	store_close(s);
}
END_TEST

START_TEST(another_writer_is_found)
{
	struct store *s = store_help_open(path, STORE_DURABLE);
	struct feed *f = store_help_feed(s, FEED, 0),
		    *g = store_help_feed(s, FEED, 0);
	struct write_batch *p = write_batch_new(f), *q = write_batch_new(g);

	store_help_add(p, NULL, "{}");
	store_help_add(q, NULL, "{}");
	(void)store_help_commit(p);
	ck_assert_int_eq(feed_commit(q, NULL, &err), -1);
	ck_assert_uint_eq(write_batch_events(q), 1);
	write_batch_free(p);
	write_batch_free(q);
	feed_close(f);
	feed_close(g);
	store_close(s);
}
END_TEST

/* A FIFO or device is named and not opened. */
START_TEST(a_store_is_a_file)
{
	static const enum store_access ways[] = { STORE_READ, STORE_DURABLE };
	const char *const paths[] = { "/dev/zero", path };

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	for (size_t i = 0; i < 4; i++) {
		struct err e = ERR_INIT;

		ck_assert_ptr_null(store_open(paths[i / 2], ways[i % 2], &e));
		ck_assert_msg(strstr(e.text, "not a regular file") != NULL,
		    "%s", e.text);
	}
}
END_TEST

START_TEST(a_missing_store_cannot_be_read)
{
	ck_assert_ptr_null(store_open(path, STORE_READ, &err));
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

Suite *
suite_store(void)
{
	Suite *s = suite_create("store");
	TCase *tc = tcase_create("store");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_counter_that_a_store_lacks_is_added);
	tcase_add_test(tc, what_is_durable);
	tcase_add_test(tc, events_come_back_as_lines);
	tcase_add_test(tc, a_poll_without_news_is_written_once);
	tcase_add_test(tc, memory_comes_and_goes);
	tcase_add_test(tc, state_survives);
	tcase_add_test(tc, ids_are_not_kept_without_dedupe);
	tcase_add_test(tc, a_large_piece_becomes_several_batches);
	tcase_add_test(tc, delivered_batches_are_deleted);
	tcase_add_test(tc, what_is_held_is_kept);
	tcase_add_test(tc, dead_letters_and_requests);
	tcase_add_test(tc, a_tree_that_is_taken_is_not_begun);
	tcase_add_test(tc, feeds_are_reported);
	tcase_add_test(tc, threads_commit_together);
	tcase_add_test(tc, another_writer_is_found);
	tcase_add_test(tc, a_store_is_a_file);
	tcase_add_test(tc, a_missing_store_cannot_be_read);
	suite_add_tcase(s, tc);
	return s;
}
