/*
 * test_reconcile.c - spans that a vendor is asked for independently, and hours,
 * in the store.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/commit.h"
#include "store/db.h"
#include "store/hours.h"
#include "store/identity.h"
#include "store/reconcile.h"
#include "store/report.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define SOURCE "v"
#define FEED "v/audit"
#define HOUR CLOCK_HOUR

static char dir[64], path[128];
static struct store *s;
static struct err err;

static void
begin(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	s = store_help_open(path, STORE_DURABLE);
}

static void
end(void)
{
	store_close(s);
	store_help_end(dir);
}

static struct slice
text(const char *t)
{
	return (struct slice){ t, strlen(t) };
}

static void
add(struct write_batch *p, const char *id, const char *data, int64_t when)
{
	ck_assert_int_eq(write_batch_add(p, data, strlen(data), text(id), when,
			     &err),
	    0);
}

START_TEST(a_query_is_gone_on_with)
{
	struct span_row r = { .id = 0 };
	int64_t last, begun, running;

	ck_assert_int_eq(span_last(s, SOURCE, &last, &err), 0);
	ck_assert_int_eq(last, INT64_MIN);
	ck_assert_int_eq(span_begin(s, SOURCE, HOUR / 2, &err), 0);
	ck_assert_int_eq(span_last(s, SOURCE, &last, &err), 0);
	ck_assert_int_eq(last, HOUR / 2);
	ck_assert_int_eq(span_begun(s, SOURCE, &last, &err), 0);
	ck_assert_int_ge(last, clock_now() - CLOCK_MINUTE);
	ck_assert_int_eq(span_begun(s, FEED, &last, &err), 0);
	ck_assert_int_eq(last, INT64_MIN);
	ck_assert_int_eq(span_open(s, SOURCE, 0, &r, &err), 0);
	ck_assert_int_eq(span_add(s, SOURCE, HOUR, 2 * HOUR, &err), 0);
	ck_assert_int_eq(span_open(s, "", 0, &r, &err), 0);
	ck_assert_int_eq(span_open(s, SOURCE, 0, &r, &err), 1);
	ck_assert_int_eq(r.asked, INT64_MIN);
	(void)snprintf(r.query, sizeof(r.query), "q-1");
	(void)snprintf(r.error, sizeof(r.error), "wait");
	r.asked = 77;
	r.tries = 2;
	ck_assert_int_eq(span_note(s, &r, &err), 0);
	/* As after a crash. */
	store_close(s);
	s = store_help_open(path, STORE_DURABLE);
	ck_assert_int_eq(span_open(s, SOURCE, 0, &r, &err), 1);
	ck_assert_str_eq(r.query, "q-1");
	ck_assert_str_eq(r.error, "wait");
	ck_assert_int_eq(r.asked, 77);
	ck_assert_int_eq(span_load(s, SOURCE, 76, &begun, &running, &err), 0);
	ck_assert_int_eq(begun, 2);
	ck_assert_int_eq(running, 1);
	ck_assert_int_eq(span_load(s, SOURCE, 77, &begun, &running, &err), 0);
	ck_assert_int_eq(begun, 0);
}
END_TEST

START_TEST(halves_take_its_place)
{
	struct span_row r = { .id = 0 };
	bool known;
	char why[512];

	ck_assert_int_eq(span_add(s, SOURCE, 0, HOUR, &err), 0);
	ck_assert_int_eq(span_open(s, SOURCE, 0, &r, &err), 1);
	ck_assert_int_eq(span_halve(s, &r, HOUR / 2, &err), 0);
	/* Once. */
	ck_assert_int_eq(span_halve(s, &r, HOUR / 2, &err), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(span_open(s, SOURCE, 0, &r, &err), 1);
		ck_assert_int_eq(r.from, i * HOUR / 2);
		ck_assert_int_eq(r.to, (i + 1) * HOUR / 2);
		ck_assert_int_eq(hour_state(s, FEED, 0, &known, why, &err), 0);
		ck_assert(!known);
		ck_assert_str_eq(why, "it is not answered yet");
		(void)snprintf(r.how, sizeof(r.how), "complete");
		ck_assert_int_eq(span_end(s, &r, NULL, 0, &err), 0);
	}
	ck_assert_int_eq(span_open(s, SOURCE, 0, &r, &err), 0);
	ck_assert_int_eq(hour_state(s, FEED, 0, &known, why, &err), 0);
	ck_assert(known);
	ck_assert_int_eq(hour_state(s, SOURCE, 0, &known, why, &err), 0);
	ck_assert(known);
	ck_assert_int_eq(hour_state(s, "w", 0, &known, why, &err), 0);
	ck_assert(!known);
	ck_assert_str_eq(why, "");
}
END_TEST

/* Four events in the hour, one of them another version, and one that only a
 * query had; one later. */
static void
collect(void)
{
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);

	feed_hours(f);
	add(p, "a", "{\"n\":1}", HOUR);
	add(p, "b", "{\"n\":2}", HOUR + 1);
	add(p, "b", "{\"n\":3}", HOUR + 1);
	add(p, "d", "{\"n\":4}", 2 * HOUR);
	add(p, "a", "{\"n\":1}", HOUR);
	(void)store_help_commit(p);
	write_batch_via(p, VIA_AUDIT_QUERY);
	add(p, "m", "{\"n\":5}", 2 * HOUR - 1);
	write_batch_missing(p, text("m"), 2 * HOUR - 1);
	(void)store_help_commit(p);
	write_batch_free(p);
	feed_close(f);
}

START_TEST(hours_add_up)
{
	struct hour_row h = { .hour = INT64_MIN };
	struct missing_row m;
	struct span_row r = { .id = 0 };
	const struct span_hour hours[] = { { FEED, HOUR, 1 } };
	struct feed_report report;
	uint64_t n;
	bool whole;

	collect();
	ck_assert_int_eq(hours_whole(s, SOURCE, &whole, &err), 0);
	ck_assert(whole);
	ck_assert_int_eq(span_add(s, SOURCE, HOUR, 2 * HOUR, &err), 0);
	ck_assert_int_eq(hour_next(s, SOURCE, HOUR, 3 * HOUR, &h, &err), 1);
	ck_assert(!h.known);
	ck_assert_int_eq(span_open(s, SOURCE, 0, &r, &err), 1);
	(void)snprintf(r.how, sizeof(r.how), "complete");
	r.listed = 2;
	r.confirmed = r.missing = 1;
	ck_assert_int_eq(span_end(s, &r, hours, 1, &err), 0);
	/* Counted once. */
	ck_assert_int_eq(span_end(s, &r, hours, 1, &err), 0);
	h = (struct hour_row){ .hour = INT64_MIN };
	ck_assert_int_eq(hour_next(s, SOURCE, HOUR, 3 * HOUR, &h, &err), 1);
	ck_assert_str_eq(h.feed, FEED);
	ck_assert_int_eq(h.hour, HOUR);
	ck_assert(h.known);
	ck_assert_uint_eq(h.listed, 4);
	ck_assert_uint_eq(h.collected, 4);
	ck_assert_uint_eq(h.sealed, 0);
	ck_assert_uint_eq(h.confirmed, 1);
	ck_assert_uint_eq(h.missing, 1);
	ck_assert_uint_eq(h.only, 1);
	while (store_help_seal(s, &err) == 1)
		;
	h = (struct hour_row){ .hour = INT64_MIN };
	ck_assert_int_eq(hour_next(s, SOURCE, HOUR, 3 * HOUR, &h, &err), 1);
	ck_assert_uint_eq(h.sealed, 4);
	ck_assert_int_eq(hour_delivered(s, &h, "none", &n, &err), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(hour_next(s, SOURCE, HOUR, 3 * HOUR, &h, &err), 1);
	ck_assert_int_eq(h.hour, 2 * HOUR);
	ck_assert_uint_eq(h.collected, 1);
	ck_assert(!h.known);
	ck_assert_int_eq(hour_next(s, SOURCE, HOUR, 3 * HOUR, &h, &err), 0);
	ck_assert_int_eq(missing_has(s, FEED, text("m"), &err), 1);
	ck_assert_int_eq(missing_has(s, FEED, text("a"), &err), 0);
	ck_assert_int_eq(missing_next(s, SOURCE, 0, 9 * HOUR, 0, &m, &err), 1);
	ck_assert_str_eq(m.record, "m");
	ck_assert_int_eq(missing_next(s, SOURCE, 0, 9 * HOUR, m.id, &m, &err),
	    0);
	ck_assert_int_eq(report_feed(s, 0, &report, &err), 1);
	ck_assert_uint_eq(report.count[FEED_CONFIRMED], 1);
	ck_assert_uint_eq(report.count[FEED_MISSING], 1);
	ck_assert_uint_eq(report.count[FEED_UNLISTED], 1);
	ck_assert(report.reconciled.any);
	ck_assert_int_eq(report.reconciled.until, 2 * HOUR);
	ck_assert_int_eq(report.reconciled.open, 0);
}
END_TEST

START_TEST(rows_are_joined)
{
	struct hour_row h = { .hour = INT64_MIN };
	struct feed *f = store_help_feed(s, FEED, CLOCK_DAY);
	struct write_batch *p = write_batch_new(f);
	int64_t rows;

	feed_hours(f);
	for (int i = 0; i < 5; i++) {
		char event[32];

		(void)snprintf(event, sizeof(event), "{\"n\":%d}", i);
		add(p, event, event, HOUR);
		(void)store_help_commit(p);
	}
	while (store_help_seal(s, &err) == 1)
		;
	ck_assert_int_eq(db_begin(s, &err), 0);
	ck_assert_int_eq(hours_join(s, 3, &err), 0);
	ck_assert_int_eq(db_end(s, 0, &err), 0);
	db_lock(s);
	ck_assert_int_eq(db_number(s, &err, 0, &rows,
			     "SELECT count(*) FROM hour", ""),
	    0);
	db_unlock(s);
	ck_assert_int_eq(rows, 3);
	ck_assert_int_eq(hour_next(s, SOURCE, 0, 3 * HOUR, &h, &err), 1);
	ck_assert_uint_eq(h.collected, 5);
	write_batch_free(p);
	feed_close(f);
}
END_TEST

START_TEST(ends_are_told_once)
{
	struct span_row r = { .id = 0 };
	int64_t after = 0;

	ck_assert_int_eq(span_add(s, SOURCE, 0, HOUR, &err), 0);
	ck_assert_int_eq(span_open(s, SOURCE, 0, &r, &err), 1);
	(void)snprintf(r.how, sizeof(r.how), "unconfirmed");
	(void)snprintf(r.error, sizeof(r.error), "too late");
	ck_assert_int_eq(span_end(s, &r, NULL, 0, &err), 0);
	ck_assert_int_eq(span_news(s, &after, &r, &err), 1);
	ck_assert_str_eq(r.how, "unconfirmed");
	ck_assert_str_eq(r.error, "too late");
	ck_assert_int_eq(span_told(s, after, &err), 0);
	after = 0;
	ck_assert_int_eq(span_news(s, &after, &r, &err), 0);
}
END_TEST

START_TEST(ids_are_known)
{
	struct feed *f;
	struct digest *d = digest_new();

	collect();
	f = store_help_feed(s, FEED, CLOCK_DAY);
	ck_assert_int_eq(identity_known(f, d, text("a"), &err), 1);
	ck_assert_int_eq(identity_known(f, d, text("m"), &err), 1);
	ck_assert_int_eq(identity_known(f, d, text("x"), &err), 0);
	digest_free(d);
	feed_close(f);
}
END_TEST

static int64_t
number(const char *sql)
{
	int64_t n = -1;

	db_lock(s);
	ck_assert_int_eq(db_number(s, &err, -1, &n, sql, ""), 0);
	db_unlock(s);
	return n;
}

static const struct {
	const char *chain;
	int64_t from, to; /* minutes */
	const char *error;
	bool known;
	const char *lacks; /* then, of the hour from 60 on */
	uint64_t failed;   /* spans, then */
} accounts[] = {
	{ "eu", 30, 90, NULL, false, "eu", 0 },
	{ "eu", 90, 150, NULL, true, NULL, 0 },
	{ "us", 70, 110, NULL, false, "us", 0 },
	{ "us", 110, 170, "a file differs", false, "us", 1 },
	{ "us", 110, 170, "a file differs", false, "us", 1 },
	{ "us", 40, 70, NULL, false, "us", 1 },
	{ "eu", 110, 170, NULL, false, "us", 1 },
	{ "us", 109, 170, NULL, true, NULL, 0 },
	{ "ap", 120, 180, NULL, true, NULL, 0 },
	{ "us", 180, 180, NULL, true, NULL, 0 },
	{ "us", 120, 130, "another number", true, NULL, 1 },
};

/* Of two chains each accounts for its own time, in any order; an hour is known
 * when both have for all of it. */
START_TEST(chains_account_for_hours)
{
	const struct hour_count hours[] = { { .hour = HOUR, .count = 2 } };
	struct feed *f = store_help_feed(s, FEED, 0);
	char chain[ATTEST_CHAIN], why[512];
	struct feed_reconciled all;
	int64_t after = 0;
	struct span_row r;
	bool known;

	feed_hours(f);
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
		const struct attested a = { .chain = accounts[i].chain,
			.from = accounts[i].from * CLOCK_MINUTE,
			.to = accounts[i].to * CLOCK_MINUTE,
			.error = accounts[i].error,
			.hours = hours,
			.n_hours = i == 0 || accounts[i].error != NULL };
		struct write_batch *p = write_batch_new(f);
		struct commit_result res;

		write_batch_attest(p, &a);
		ck_assert_int_eq(feed_commit(p, &res, &err), 0);
		write_batch_free(p);
		ck_assert_int_eq(hour_state(s, FEED, HOUR, &known, why, &err),
		    0);
		ck_assert_int_eq(known, accounts[i].known);
		ck_assert_int_eq(attest_lacks(s, FEED, HOUR, chain, &err),
		    accounts[i].lacks != NULL);
		if (accounts[i].lacks != NULL)
			ck_assert_str_eq(chain, accounts[i].lacks);
		if (i == 3)
			ck_assert_str_eq(why, "a file differs");
		ck_assert_int_eq(reconciled_feed(s, FEED, &all, &err), 0);
		ck_assert_uint_eq(all.failed, accounts[i].failed);
	}
	ck_assert_int_eq(number("SELECT count(*) FROM span"), 5);
	ck_assert_int_eq(number("SELECT confirmed FROM feed"), 2);
	/* What does not confirm is told once. */
	ck_assert_int_eq(span_news(s, &after, &r, &err), 1);
	ck_assert_str_eq(r.error, "a file differs");
	ck_assert_int_eq(span_news(s, &after, &r, &err), 1);
	ck_assert_str_eq(r.error, "another number");
	ck_assert_int_eq(span_news(s, &after, &r, &err), 0);
	feed_close(f);
}
END_TEST

/* Events that were stored before they were counted by hour are not taken for
 * those that an account names. */
START_TEST(what_is_not_counted_is_not_confirmed)
{
	struct feed *f = store_help_feed(s, FEED, 0);
	struct write_batch *p = write_batch_new(f);
	struct attested a = { .chain = "eu", .from = HOUR, .to = 2 * HOUR };
	struct commit_result res;
	char why[512];
	bool known;

	add(p, "e-1", "{}", HOUR);
	ck_assert_int_eq(feed_commit(p, &res, &err), 0);
	write_batch_free(p);
	feed_hours(f);
	p = write_batch_new(f);
	write_batch_attest(p, &a);
	a.from = hours_of(clock_now());
	a.to = a.from + 2 * HOUR;
	write_batch_attest(p, &a);
	ck_assert_int_eq(feed_commit(p, &res, &err), 0);
	write_batch_free(p);
	ck_assert_int_eq(hour_state(s, FEED, HOUR, &known, why, &err), 0);
	ck_assert(!known);
	ck_assert(strstr(why, "before they were counted by hour") != NULL);
	ck_assert_int_eq(hour_state(s, FEED, a.from, &known, why, &err), 0);
	ck_assert(!known);
	ck_assert_int_eq(hour_state(s, FEED, a.from + HOUR, &known, why, &err),
	    0);
	ck_assert(known);
	feed_close(f);
}
END_TEST

Suite *
suite_reconcile(void)
{
	Suite *suite = suite_create("reconcile");
	TCase *t = tcase_create("store");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, a_query_is_gone_on_with);
	tcase_add_test(t, halves_take_its_place);
	tcase_add_test(t, hours_add_up);
	tcase_add_test(t, rows_are_joined);
	tcase_add_test(t, ends_are_told_once);
	tcase_add_test(t, ids_are_known);
	tcase_add_test(t, chains_account_for_hours);
	tcase_add_test(t, what_is_not_counted_is_not_confirmed);
	suite_add_tcase(suite, t);
	return suite;
}
