/*
 * test_confirm.c - what a TLS 1.3 peer has proven to have read, against peers
 * that answer in each of the ways that were seen.
 */
#include <stdint.h>

#include "base/clock.h"
#include "outputs/syslog/confirm.h"
#include "tests/unit/unit.h"

/* How a peer answers the requests that it has read. */
enum manner {
	AT_ONCE,   /* Go's crypto/tls */
	WITH_NEXT, /* OpenSSL: one request's answer with the next request */
	MERGING,   /* one answer for each two requests */
	NEVER
};

/* A connection on which everything arrives at once. */
struct world {
	struct confirm c;
	enum manner manner;
	int64_t now;
	uint64_t written;
	uint64_t requests;   /* read by the peer */
	uint64_t answers;    /* sent by it */
	uint64_t read[1000]; /* chunks read before request n */
};

static void
begin(struct world *w, enum manner manner)
{
	*w = (struct world){ .manner = manner, .now = 1 };
	confirm_begin(&w->c, true, false);
}

static uint64_t
owed(const struct world *w)
{
	switch (w->manner) {
	case AT_ONCE:
		return w->requests;
	case WITH_NEXT:
		return w->requests == 0 ? 0 : w->requests - 1;
	case MERGING:
		return w->requests / 2;
	case NEVER:
		break;
	}
	return 0;
}

/* Ask while the machine wants to; nothing unread may ever be proven. */
static void
exchange(struct world *w, bool idle)
{
	int64_t wait = INT64_MAX;

	while (confirm_wants(&w->c, idle, w->now, &wait)) {
		confirm_asked(&w->c, w->now);
		w->read[w->requests++] = w->written;
		while (w->answers < owed(w)) {
			w->answers++;
			confirm_answer(&w->c, w->now);
		}
		ck_assert_uint_lt(w->requests, 1000);
		ck_assert_uint_le(w->c.proven, w->written);
	}
	if (wait != INT64_MAX && idle)
		w->now = wait;
}

static void
put(struct world *w)
{
	confirm_wrote(&w->c, ++w->written);
}

START_TEST(everything_is_proven_in_the_end)
{
	struct world w;

	begin(&w, (enum manner)_i);
	for (int i = 0; i < 20; i++) {
		put(&w);
		exchange(&w, false);
	}
	for (int i = 0; i < 10 && w.c.proven < w.written; i++)
		exchange(&w, true);
	ck_assert_uint_eq(w.c.proven, 20);
	ck_assert_int_eq(w.c.mode, CONFIRM_YES);
	ck_assert_int_eq(confirm_owed(&w.c, w.now + CLOCK_HOUR), 0);
}
END_TEST

START_TEST(single_parcels_are_proven_while_idle)
{
	struct world w;

	begin(&w, (enum manner)_i);
	for (uint64_t i = 1; i <= 100; i++) {
		put(&w);
		for (int k = 0; k < 10 && w.c.proven < i; k++)
			exchange(&w, true);
		ck_assert_uint_eq(w.c.proven, i);
	}
}
END_TEST

START_TEST(silent_peer_is_given_up)
{
	struct world w;

	begin(&w, NEVER);
	put(&w);
	for (int i = 0; i < 10; i++)
		exchange(&w, true);
	ck_assert_int_eq(w.c.mode, CONFIRM_NO);
	ck_assert_uint_eq(w.c.proven, 0);
	/* GnuTLS closes when there are more than 8 in a second. */
	ck_assert_uint_le(w.requests, 8);
	ck_assert_int_ge(w.now, 3 * CLOCK_SECOND);
}
END_TEST

/* Go's crypto/tls closes after 16 records in a row without data. */
START_TEST(bare_requests_are_few)
{
	struct world w;

	begin(&w, NEVER);
	w.c.known = true;
	put(&w);
	for (int i = 0; i < 100; i++)
		exchange(&w, true);
	ck_assert_uint_le(w.requests, 10);
	ck_assert_int_eq(w.c.mode, CONFIRM_UNKNOWN);
	ck_assert_int_gt(confirm_owed(&w.c, w.now + CLOCK_HOUR), CLOCK_HOUR);
}
END_TEST

START_TEST(late_answer_brings_confirmation_back)
{
	struct world w;

	begin(&w, NEVER);
	put(&w);
	for (int i = 0; i < 10; i++)
		exchange(&w, true);
	ck_assert_int_eq(w.c.mode, CONFIRM_NO);
	confirm_answer(&w.c, w.now);
	ck_assert_int_eq(w.c.mode, CONFIRM_YES);
	ck_assert_uint_eq(w.c.proven, 1);
}
END_TEST

START_TEST(answers_nobody_asked_for_prove_nothing)
{
	struct world w;

	begin(&w, NEVER);
	put(&w);
	confirm_answer(&w.c, w.now);
	ck_assert_uint_eq(w.c.proven, 0);
	ck_assert_int_eq(w.c.mode, CONFIRM_VOID);
}
END_TEST

/* The last request of a peer that answers with the next one stays open: it owes
 * nothing for the time in which there was nothing to send. */
START_TEST(idle_time_is_not_owed)
{
	struct world w;
	int64_t wait = INT64_MAX;

	begin(&w, WITH_NEXT);
	put(&w);
	for (int i = 0; i < 5; i++)
		exchange(&w, true);
	ck_assert_uint_eq(w.c.proven, 1);
	w.now += CLOCK_HOUR;
	put(&w);
	ck_assert(confirm_wants(&w.c, true, w.now, &wait));
	confirm_asked(&w.c, w.now);
	ck_assert_int_le(confirm_owed(&w.c, w.now + CLOCK_SECOND),
	    CLOCK_SECOND);
	ck_assert_int_gt(confirm_owed(&w.c, w.now + CLOCK_SECOND), 0);
}
END_TEST

/* From then on nothing does, and nobody asks any more. */
START_TEST(surplus_answers_void_receipts)
{
	struct world w;

	begin(&w, AT_ONCE);
	put(&w);
	exchange(&w, true);
	ck_assert_uint_eq(w.c.proven, 1);
	confirm_answer(&w.c, w.now);
	ck_assert_int_eq(w.c.mode, CONFIRM_VOID);
	put(&w);
	exchange(&w, true);
	confirm_answer(&w.c, w.now);
	ck_assert_uint_eq(w.c.proven, 1);
	ck_assert_uint_eq(w.requests, w.answers);
	ck_assert_int_eq(confirm_owed(&w.c, w.now + CLOCK_HOUR), 0);
}
END_TEST

/* It asked for one itself: no answer can be told from its own affairs. */
START_TEST(peer_that_updates_its_keys_proves_nothing)
{
	struct world w;
	int64_t wait = INT64_MAX;

	begin(&w, AT_ONCE);
	put(&w);
	confirm_void(&w.c);
	ck_assert(!confirm_wants(&w.c, true, w.now, &wait));
	confirm_answer(&w.c, w.now);
	ck_assert_uint_eq(w.c.proven, 0);
}
END_TEST

START_TEST(tls_1_2_is_never_asked)
{
	struct confirm c;
	int64_t wait = INT64_MAX;

	confirm_begin(&c, false, false);
	confirm_wrote(&c, 1);
	ck_assert(!confirm_wants(&c, true, 1, &wait));
	ck_assert_int_eq(c.mode, CONFIRM_NO);
}
END_TEST

Suite *
suite_confirm(void)
{
	Suite *s = suite_create("confirm");
	TCase *tc = tcase_create("confirm");

	tcase_add_loop_test(tc, everything_is_proven_in_the_end, AT_ONCE,
	    NEVER);
	tcase_add_loop_test(tc, single_parcels_are_proven_while_idle, AT_ONCE,
	    MERGING);
	tcase_add_test(tc, silent_peer_is_given_up);
	tcase_add_test(tc, bare_requests_are_few);
	tcase_add_test(tc, late_answer_brings_confirmation_back);
	tcase_add_test(tc, answers_nobody_asked_for_prove_nothing);
	tcase_add_test(tc, idle_time_is_not_owed);
	tcase_add_test(tc, surplus_answers_void_receipts);
	tcase_add_test(tc, peer_that_updates_its_keys_proves_nothing);
	tcase_add_test(tc, tls_1_2_is_never_asked);
	suite_add_tcase(s, tc);
	return s;
}
