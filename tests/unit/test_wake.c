/*
 * test_wake.c - base/wake.h
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/wake.h"
#include "tests/unit/unit.h"

static bool
is_woken(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1 && pfd.revents == POLLIN;
}

START_TEST(wakes)
{
	const int kept = wake_make(), own = wake_open(kept, O_RDWR);
	const int other = wake_open(kept, O_WRONLY);

	ck_assert_int_ge(kept, 0);
	ck_assert_int_ge(own, 0);
	ck_assert_int_ge(other, 0);
	ck_assert(!is_woken(own));
	wake_clear(own); /* does not wait */
	for (int i = 0; i < 3; i++)
		wake_up(other);
	ck_assert(is_woken(own));
	wake_clear(own);
	ck_assert(!is_woken(own));
	wake_up(own); /* as its signal handlers do */
	ck_assert(is_woken(own));
	/* Who sleeps while the other begins anew is woken in the end. */
	ck_assert_int_eq(close(own), 0);
	ck_assert_int_eq(close(other), 0);
	ck_assert(is_woken(kept));
	ck_assert_int_eq(close(kept), 0);
}
END_TEST

/* Would hang if a flag were shared. */
START_TEST(holds_nobody_up)
{
	static const char much[8192] = "";
	const int kept = wake_make(), own = wake_open(kept, O_RDWR);
	const int other = wake_open(kept, O_WRONLY);
	char byte;
	int again;

	while (write(own, much, sizeof(much)) > 0)
		continue;
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(fcntl(own, F_SETFL, 0), 0);
	errno = ENOENT;
	wake_up(other);
	wake_up(kept);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(read(other, &byte, 1), -1);
	ck_assert_int_eq(errno, EBADF);
	/* Nor who takes its place, or wakes with it. */
	ck_assert_int_eq(fcntl(other, F_SETFL, 0), 0);
	again = wake_open(kept, O_RDWR);
	for (int i = 0; is_woken(again); i++) {
		ck_assert_int_lt(i, 1000);
		wake_clear(again);
	}
	wake_clear(again);
	ck_assert(!is_woken(own));
	(void)close(again);
	(void)close(other);
	(void)close(own);
	(void)close(kept);
}
END_TEST

START_TEST(none_left)
{
	errno = 0;
	ck_assert_int_eq(wake_open(9999, O_RDWR), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

Suite *
suite_wake(void)
{
	Suite *s = suite_create("wake");
	TCase *tc = tcase_create("wake");

	tcase_add_test(tc, wakes);
	tcase_add_test(tc, holds_nobody_up);
	tcase_add_test(tc, none_left);
	suite_add_tcase(s, tc);
	return s;
}
