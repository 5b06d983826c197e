/*
 * test_slow.c - a key that takes its time.
 */
#include <semaphore.h>

#include "base/err.h"
#include "base/role.h"
#include "seal/slow.h"
#include "tests/unit/unit.h"

#define TOLD 3

struct rig {
	sem_t go;
	struct role role;
	struct role_signs signs;
	int told;
	bool waits; /* the work does, until it was told TOLD times */
	int rc;
};

static int
work(void *ctx, struct err *err)
{
	struct rig *r = ctx;

	if (r->waits)
		(void)sem_wait(&r->go);
	return r->rc == 0 ? 0 : err_set(err, "no key");
}

static void
lasts(void *ctx)
{
	struct rig *r = ctx;

	if (++r->told == TOLD)
		(void)sem_post(&r->go);
}

static void
begin(struct rig *r, bool waits)
{
	*r = (struct rig){ .waits = waits };
	ck_assert_int_eq(sem_init(&r->go, 0, 0), 0);
	r->role.signs = &r->signs;
}

/* How often the supervisor was told that it is alive; the last thing. */
static uint64_t
end(struct rig *r)
{
	(void)sem_destroy(&r->go);
	return r->signs.alive;
}

START_TEST(what_answers_is_not_told)
{
	struct err err = ERR_INIT;
	struct rig r;
	const struct slow s = { .role = &r.role,
		.told = INT64_MAX,
		.max = INT64_MAX,
		.lasts = lasts,
		.ctx = &r };

	begin(&r, false);
	ck_assert_int_eq(slow_do(&s, work, &r, &err), 0);
	r.rc = -1;
	ck_assert_int_eq(slow_do(&s, work, &r, &err), -1);
	ck_assert_str_eq(err.text, "no key");
	ck_assert_int_eq(r.told, 0);
	(void)end(&r);
}
END_TEST

START_TEST(what_is_slow_is_told)
{
	struct err err = ERR_INIT;
	struct rig r;
	const struct slow s = { .role = &r.role,
		.told = 0,
		.max = INT64_MAX,
		.lasts = lasts,
		.ctx = &r };

	begin(&r, true);
	ck_assert_int_eq(slow_do(&s, work, &r, &err), 0);
	ck_assert_int_ge(r.told, TOLD);
	ck_assert_uint_ge(end(&r), TOLD);
}
END_TEST

/* It is for the supervisor to end what does not come back. */
START_TEST(what_lasts_too_long_is_not_alive)
{
	struct err err = ERR_INIT;
	struct rig r;
	const struct slow s = {
		.role = &r.role, .told = 0, .max = 0, .lasts = lasts, .ctx = &r
	};

	begin(&r, true);
	ck_assert_int_eq(slow_do(&s, work, &r, &err), 0);
	ck_assert_uint_eq(end(&r), 0);
}
END_TEST

Suite *
suite_slow(void)
{
	Suite *s = suite_create("slow");
	TCase *tc = tcase_create("slow");

	tcase_add_test(tc, what_answers_is_not_told);
	tcase_add_test(tc, what_is_slow_is_told);
	tcase_add_test(tc, what_lasts_too_long_is_not_alive);
	suite_add_tcase(s, tc);
	return s;
}
