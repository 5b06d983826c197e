/*
 * test_lock.c - one agent a store, whatever name each of two uses for it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "run/lock.h"
#include "store/store.h"
#include "tests/unit/unit.h"

static char dir[64];
static struct err err;

static char *
name(const char *rest)
{
	return xasprintf("%s/%s", dir, rest);
}

static void
make_dir(const char *rest)
{
	char *path = name(rest);

	ck_assert_int_eq(mkdir(path, 0700), 0);
	free(path);
}

static void
set_up(void)
{
	char *to, *from;

	(void)snprintf(dir, sizeof(dir), "/tmp/sealfeed-lock-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	make_dir("real");
	make_dir("other");
	to = name("linked");
	ck_assert_int_eq(symlink("real", to), 0);
	free(to);
	to = name("other/link.db");
	ck_assert_int_eq(symlink("../real/store.db", to), 0);
	free(to);
	to = name("other/again.db");
	from = name("other/link.db");
	ck_assert_int_eq(symlink(from, to), 0);
	free(to);
	free(from);
	err_clear(&err);
}

static void
tear_down(void)
{
	char *command = xasprintf("rm -rf %s", dir);

	ck_assert_int_eq(system(command), 0);
	free(command);
}

static void
make_store(void)
{
	char *path = name("real/store.db");
	struct store *s = store_open(path, STORE_DURABLE, &err);

	ck_assert_msg(s != NULL, "%s", err.text);
	store_close(s);
	free(path);
}

static const char *const spellings[] = { "real/store.db", "real/./store.db",
	"other/../real//store.db", "linked/store.db", "other/link.db",
	"other/again.db" };

/* Without a database yet, and with one. */
START_TEST(every_spelling_is_one_store)
{
	char *first = name("real/store.db");
	struct store_lock held, second;

	if (_i == 1)
		make_store();
	ck_assert_int_eq(lock_store(&held, first, 0, &err), 0);
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		char *path = name(spellings[i]);
		char *real = store_real_path(path);

		ck_assert_msg(lock_store(&second, path, 0, &err) == -1, "%s",
		    path);
		ck_assert_ptr_nonnull(strstr(err.text, "another sealfeed"));
		err_clear(&err);
		ck_assert_str_eq(strrchr(real, '/') - strlen("real"),
		    "real/store.db");
		free(real);
		free(path);
	}
	lock_release(&held);
	ck_assert_int_eq(lock_store(&second, first, 0, &err), 0);
	lock_release(&second);
	free(first);
}
END_TEST

START_TEST(another_name_of_the_file_is_one_store)
{
	char *first = name("real/store.db"), *hard = name("other/hard.db");
	struct store_lock held, second;

	make_store();
	ck_assert_int_eq(link(first, hard), 0);
	ck_assert_int_eq(lock_store(&held, first, 0, &err), 0);
	ck_assert_int_eq(lock_store(&second, hard, 0, &err), -1);
	err_clear(&err);
	ck_assert_int_eq(lock_is_held(first), 1);
	ck_assert_int_eq(lock_is_held(hard), 1);
	ck_assert(!lock_is_elsewhere(first));
	ck_assert(lock_is_elsewhere(hard));
	lock_release(&held);
	ck_assert_int_eq(lock_is_held(hard), 0);
	ck_assert(!lock_is_elsewhere(hard));
	free(first);
	free(hard);
}
END_TEST

START_TEST(a_database_that_is_replaced_is_locked_again)
{
	char *first = name("real/store.db"), *hard = name("other/hard.db");
	struct store_lock held, second;

	ck_assert_int_eq(lock_store(&held, first, 0, &err), 0);
	make_store();
	ck_assert_int_eq(lock_again(&held, first, &err), 0);
	ck_assert_int_eq(unlink(first), 0);
	make_store();
	ck_assert_int_eq(lock_again(&held, first, &err), 0);
	ck_assert_int_eq(link(first, hard), 0);
	ck_assert_int_eq(lock_store(&second, hard, 0, &err), -1);
	lock_release(&held);
	free(first);
	free(hard);
}
END_TEST

START_TEST(others_are_other_stores)
{
	char *first = name("real/store.db"), *other = name("other/store.db");
	struct store_lock held, second;

	ck_assert_int_eq(lock_store(&held, first, 0, &err), 0);
	ck_assert_int_eq(lock_store(&second, other, 0, &err), 0);
	lock_release(&held);
	lock_release(&second);
	free(first);
	free(other);
}
END_TEST

/* All that belongs to the store stands beside its real file. */
START_TEST(companions_stand_beside_the_file)
{
	char *link = name("other/link.db");
	struct store *s = store_open(link, STORE_DURABLE, &err);
	char *mark = name("real/store.db.mark");

	ck_assert_msg(s != NULL, "%s", err.text);
	ck_assert_int_eq(access(mark, F_OK), 0);
	store_flag_damage(s);
	ck_assert(store_damaged(link));
	store_close(s);
	free(mark);
	free(link);
}
END_TEST

Suite *
suite_lock(void)
{
	Suite *s = suite_create("lock");
	TCase *tc = tcase_create("lock");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, every_spelling_is_one_store, 0, 2);
	tcase_add_test(tc, another_name_of_the_file_is_one_store);
	tcase_add_test(tc, a_database_that_is_replaced_is_locked_again);
	tcase_add_test(tc, others_are_other_stores);
	tcase_add_test(tc, companions_stand_beside_the_file);
	suite_add_tcase(s, tc);
	return s;
}
