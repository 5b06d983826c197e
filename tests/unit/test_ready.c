/*
 * test_ready.c - troubles in the store, and what /readyz and /healthz make of
 * them.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/role.h"
#include "config/config.h"
#include "sources/source.h"
#include "store/trouble.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"
#include "watch/ready.h"
#include "watch/status.h"

#define NOW INT64_C(1795321618000000)

static const char *const streams[] = { "Audit.Exchange", NULL };

static void
define(const void *conf, struct source_definition *d)
{
	(void)conf;
	*d = (struct source_definition){ .streams = streams,
		.interval = 15 * CLOCK_SECOND };
}

static const struct source_type vendor = {
	.type.name = "vendor",
	.define = define,
};

static char agent[] = "fra1", source_name[] = "contoso";
static struct config_entry sources[] = {
	{ .name = source_name, .type = &vendor.type },
};
static const struct config config = {
	.agent = { .name = agent },
	.sources = sources,
	.n_sources = 1,
};
static const struct role role = { .config = &config,
	.started = NOW - CLOCK_HOUR };

static struct feed_report feeds[2];
static struct output_report outputs[1];
static struct trouble troubles[1];
static struct status st;

/* All is well. */
static void
set_up(void)
{
	feeds[0] = (struct feed_report){ .id = 1,
		.name = "contoso/Audit.Exchange",
		.success = NOW - CLOCK_SECOND };
	feeds[1] = (struct feed_report){ .id = 2,
		.name = "fra1/agent",
		.size = 3,
		.sealed = 3,
		.committed = NOW - CLOCK_MINUTE };
	outputs[0] = (struct output_report){ .name = "siem" };
	troubles[0] = (struct trouble){ .subject = "contoso/Audit.Exchange",
		.class = "retry",
		.code = "AF20052",
		.text = "the content ID is not valid",
		.since = NOW - CLOCK_MINUTE,
		.stands = true };
	st = (struct status){ .config = &config,
		.now = NOW,
		.feeds = feeds,
		.n_feeds = 2,
		.outputs = outputs,
		.n_outputs = 1,
		.troubles = troubles };
}

/* Neither alive nor at work where ill, not at work where it says text. */
static void
is(bool alive, const char *text)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(ready_alive(&st, &role, &err), alive ? 0 : -1);
	err_clear(&err);
	ck_assert_int_eq(ready_works(&st, &role, &err), text == NULL ? 0 : -1);
	if (text != NULL)
		ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
}

START_TEST(what_is_ready)
{
	is(true, NULL);
	st.room.full = true;
	is(false, "the store is full");
	st.room.full = false;
	feeds[1].committed = NOW - 10 * CLOCK_MINUTE;
	is(false, "no heartbeat for 600 seconds");
	feeds[1].committed = role.started - CLOCK_DAY;
	is(false, "no heartbeat");
	feeds[1].committed = NOW - 2 * CLOCK_MINUTE;
	feeds[1].sealed = 2;
	is(false, "wait for their checkpoint");
	set_up();
	feeds[0].success = role.started - 1;
	is(true, "Audit.Exchange: has not been read since the start");
	feeds[0].success = NOW - CLOCK_HOUR / 2;
	is(true, "has not been read for 1800 seconds");
	set_up();
	st.n_feeds = 1;
	is(false, "no heartbeat");
	set_up();
	(void)strcpy(outputs[0].error, "connection refused");
	outputs[0].failed = NOW - 2 * CLOCK_MINUTE;
	is(true, "siem: connection refused");
	outputs[0].failed = NOW - CLOCK_SECOND;
	is(true, NULL);
}
END_TEST

START_TEST(what_stands_still)
{
	st.n_troubles = 1;
	is(true, "Audit.Exchange: the content ID is not valid");
	/* Others get through. */
	troubles[0].stands = false;
	is(true, NULL);
	/* It may pass. */
	troubles[0].stands = true;
	troubles[0].since = NOW - CLOCK_SECOND;
	is(true, NULL);
	/* Someone has to act. */
	(void)strcpy(troubles[0].class, "clock");
	is(true, "content ID");
}
END_TEST

START_TEST(troubles_of_a_store)
{
	char dir[64], path[128];
	struct store *s;
	struct err err = ERR_INIT;
	struct trouble t = troubles[0], got = { .since = 0 };

	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	s = store_help_open(path, STORE_DURABLE);
	t.until = INT64_MIN;
	ck_assert_int_eq(trouble_set(s, &t, &err), 0);
	/* The same in other words, later. */
	(void)strcpy(t.text, "other words");
	t.until = NOW + CLOCK_MINUTE;
	t.since = NOW;
	ck_assert_int_eq(trouble_set(s, &t, &err), 0);
	(void)strcpy(t.code, "AF20053");
	ck_assert_int_eq(trouble_set(s, &t, &err), 0);
	ck_assert_int_eq(trouble_next(s, &got, &err), 1);
	ck_assert_str_eq(got.code, "AF20052");
	ck_assert_str_eq(got.text, "other words");
	ck_assert_int_eq(got.since, NOW - CLOCK_MINUTE);
	ck_assert_int_eq(got.until, NOW + CLOCK_MINUTE);
	ck_assert(got.stands);
	ck_assert_int_eq(trouble_end(s, &got, &err), 0);
	got = (struct trouble){ .since = 0 };
	ck_assert_int_eq(trouble_next(s, &got, &err), 1);
	ck_assert_str_eq(got.code, "AF20053");
	ck_assert_int_eq(trouble_next(s, &got, &err), 0);
	ck_assert_int_eq(trouble_forget(s, t.subject, &err), 0);
	got = (struct trouble){ .since = 0 };
	ck_assert_int_eq(trouble_next(s, &got, &err), 0);
	store_close(s);
	store_help_end(dir);
}
END_TEST

Suite *
suite_ready(void)
{
	Suite *s = suite_create("ready");
	TCase *tc = tcase_create("ready");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, what_is_ready);
	tcase_add_test(tc, what_stands_still);
	tcase_add_test(tc, troubles_of_a_store);
	suite_add_tcase(s, tc);
	return s;
}
