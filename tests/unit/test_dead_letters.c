/*
 * test_dead_letters.c - `sealfeed dead-letters`.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "cmd/cmd.h"
#include "store/position.h"
#include "tests/unit/cmd_rig.h"

/* A dead letter of an output, with the event "x" times size. */
static void
refuse(const char *output, uint64_t index, size_t size)
{
	struct dead_letter d = { .index = index,
		.when = INT64_C(1795321618000000),
		.event = BUF_INIT(1000),
		.event_time = INT64_MIN };
	struct err err = ERR_INIT;

	(void)snprintf(d.output, sizeof(d.output), "%s", output);
	(void)snprintf(d.feed, sizeof(d.feed), "%s", RIG_FEED);
	(void)snprintf(d.reason, sizeof(d.reason), "too long for %s", output);
	while (d.event.len < size)
		ck_assert_int_eq(buf_adds(&d.event, "x"), 0);
	ck_assert_msg(dead_letter_add(rig.store, &d, &err) == 0, "%s",
	    err.text);
	buf_release(&d.event);
}

/* The request that is there for siem, done now; false: none. */
static bool
requested(const char *kind, int64_t number)
{
	struct request r = { .id = 0 };
	struct err err = ERR_INIT;
	int rc = request_next(rig.store, kind, "siem", &r, &err);

	ck_assert_msg(rc >= 0, "%s", err.text);
	if (rc == 0)
		return false;
	ck_assert_int_eq(r.number, number);
	ck_assert_int_eq(request_done(rig.store, r.id, &err), 0);
	return true;
}

/* How many there are of an output. */
static int
letters(const char *output)
{
	struct dead_letter d = { .event = BUF_INIT(1000) };
	struct err err = ERR_INIT;
	int n = 0;

	while (dead_letter_next(rig.store, output, d.id, &d, &err) == 1)
		n++;
	buf_release(&d.event);
	return n;
}

START_TEST(dead_letters_are_listed)
{
	json_t *root;

	ck_assert_int_eq(rig_run("dead-letters"), EXIT_FINE);
	ck_assert_str_eq(rig.out.data, "There are no dead letters.\n");
	refuse("siem", 7, 42);
	refuse("other", 8, 3);
	ck_assert_int_eq(rig_run("dead-letters"), EXIT_FINE);
	ck_assert_ptr_nonnull(strstr(rig.out.data,
	    " 1  siem    " RIG_FEED "      7  42 B  2026-11-22T04:26:58Z\n"
	    "    too long for siem\n"));
	ck_assert_ptr_nonnull(strstr(rig.out.data, "too long for other"));
	ck_assert_int_eq(rig_run("dead-letters list --output siem --json"),
	    EXIT_FINE);
	root = json_loads(rig.out.data, 0, NULL);
	ck_assert_uint_eq(json_array_size(root), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(root,
								0),
			     "bytes")),
	    42);
	json_decref(root);
	ck_assert_int_eq(rig_run("dead-letters --show 2"), EXIT_FINE);
	ck_assert_str_eq(rig.out.data, "xxx\n");
	ck_assert_int_eq(rig_run("dead-letters --show 3"), EXIT_WRONG);
	ck_assert_ptr_nonnull(strstr(rig.message.data, "no dead letter 3"));
}
END_TEST

START_TEST(dead_letters_by_id)
{
	refuse("siem", 1, 1);
	refuse("siem", 2, 1);
	refuse("other", 3, 1);
	ck_assert_int_eq(rig_run("dead-letters retry 2"), EXIT_FINE);
	ck_assert(requested("retry", 2));
	ck_assert(!requested("retry", 2));
	/* Nothing is asked when one of them can't be. */
	ck_assert_int_eq(rig_run("dead-letters retry 1 3"), EXIT_WRONG);
	ck_assert_ptr_nonnull(strstr(rig.message.data, "no longer configured"));
	ck_assert_int_eq(rig_run("dead-letters drop 1 9"), EXIT_WRONG);
	ck_assert_int_eq(rig_run("dead-letters drop 3 --output siem"),
	    EXIT_WRONG);
	ck_assert(!requested("retry", 0));
	ck_assert(!requested("drop", 0));
	ck_assert_int_eq(rig_run("dead-letters drop 1 3"), EXIT_FINE);
	ck_assert(requested("drop", 1));
	ck_assert_int_eq(letters("siem"), 2);
	ck_assert_int_eq(letters("other"), 0);
}
END_TEST

START_TEST(dead_letters_all)
{
	ck_assert_int_eq(rig_run("dead-letters drop --all"), EXIT_FINE);
	ck_assert_str_eq(rig.out.data, "There are no dead letters.\n");
	ck_assert(!requested("drop", 0));
	refuse("siem", 1, 1);
	refuse("other", 3, 1);
	ck_assert_int_eq(rig_run("dead-letters retry --all"), EXIT_FINE);
	ck_assert(requested("retry", 0));
	ck_assert_ptr_nonnull(strstr(rig.out.data,
	    "no longer configured: 1\n"));
	ck_assert_int_eq(
	    rig_run("dead-letters drop --all --output siem --json"), EXIT_FINE);
	ck_assert_str_eq(rig.out.data,
	    "{\"request\":\"drop\",\"letters\":0,\"outputs\":1,"
	    "\"removed\":0,\"left\":0}\n");
	ck_assert(requested("drop", 0));
	ck_assert_int_eq(letters("other"), 1);
	ck_assert_int_eq(rig_run("dead-letters drop --all"), EXIT_FINE);
	ck_assert(requested("drop", 0));
	ck_assert_int_eq(letters("other"), 0);
	ck_assert_int_eq(letters("siem"), 1);
}
END_TEST

Suite *
suite_dead_letters(void)
{
	Suite *s = suite_create("dead_letters");
	TCase *tc = rig_case("dead_letters");

	tcase_add_test(tc, dead_letters_are_listed);
	tcase_add_test(tc, dead_letters_by_id);
	tcase_add_test(tc, dead_letters_all);
	suite_add_tcase(s, tc);
	return s;
}
