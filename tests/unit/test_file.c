/*
 * test_file.c - whole files: read with a bound, replaced whole or not at all.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "tests/unit/unit.h"

static char folder[64];
static char path[128];
static struct err err;

static void
setup(void)
{
	(void)snprintf(folder, sizeof(folder), "%s", "/tmp/sf-file-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	err_clear(&err);
}

static void
teardown(void)
{
	char sub[256];

	(void)unlink(path);
	(void)snprintf(sub, sizeof(sub), "%s/a/b", folder);
	(void)rmdir(sub);
	(void)snprintf(sub, sizeof(sub), "%s/a", folder);
	(void)rmdir(sub);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing else is left behind */
}

static void
assert_holds(const char *text)
{
	struct buf b = BUF_INIT(100);

	ck_assert_int_eq(file_read(path, &b, &err), 0);
	ck_assert_str_eq(b.data, text);
	buf_release(&b);
}

START_TEST(replaces_whole)
{
	struct stat st;

	ck_assert_int_eq(file_replace(path, "one", 3, 0640, &err), 0);
	assert_holds("one");
	ck_assert_int_eq(file_replace(path, "two!", 4, 0600, &err), 0);
	assert_holds("two!");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(old_file_stays_on_failure)
{
	char inside[256];

	ck_assert_int_eq(mkdir(path, 0700), 0);
	(void)snprintf(inside, sizeof(inside), "%s/x", path);
	ck_assert_int_eq(file_create(inside, "x", 1, 0600, &err), 0);
	/* A folder cannot be replaced by a file. */
	ck_assert_int_eq(file_replace(path, "one", 3, 0600, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_int_eq(unlink(inside), 0);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(creates_once)
{
	ck_assert_int_eq(file_create(path, "one", 3, 0600, &err), 0);
	ck_assert_int_eq(file_create(path, "two", 3, 0600, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "exists"));
	err_clear(&err);
	assert_holds("one");
}
END_TEST

START_TEST(reads_up_to_the_ceiling)
{
	struct buf b = BUF_INIT(5);

	ck_assert_int_eq(file_replace(path, "abcd", 4, 0600, &err), 0);
	ck_assert_int_eq(buf_adds(&b, "x"), 0);
	ck_assert_int_eq(file_read(path, &b, &err), 0);
	ck_assert_str_eq(b.data, "xabcd");
	ck_assert_int_eq(file_read(path, &b, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "larger than"));
	ck_assert_str_eq(b.data, "xabcd");
	buf_release(&b);
}
END_TEST

START_TEST(nothing_is_a_string)
{
	struct buf b = BUF_INIT(5);

	ck_assert_int_eq(file_create(path, "", 0, 0600, &err), 0);
	ck_assert_int_eq(file_read(path, &b, &err), 0);
	ck_assert_str_eq(b.data, "");
	buf_release(&b);
}
END_TEST

START_TEST(names_what_is_not_there)
{
	struct buf b = BUF_INIT(5);

	ck_assert_int_eq(file_read(path, &b, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_ptr_null(b.data);
}
END_TEST

/* Nothing waits for a writer that never comes, or reads a device for ever. */
START_TEST(only_regular_files_are_read)
{
	static const char *const kinds[] = { "a FIFO", "a socket",
		"a directory", "a character device", "a FIFO" };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct buf b = BUF_INIT(100);
	char fifo[160];
	int s = -1;

	(void)snprintf(fifo, sizeof(fifo), "%s.fifo", path);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%.90s", path);
	switch (_i) {
	case 0:
		ck_assert_int_eq(mkfifo(path, 0600), 0);
		break;
	case 1:
		s = socket(AF_UNIX, SOCK_STREAM, 0);
		ck_assert_int_eq(bind(s, (struct sockaddr *)&at, sizeof(at)),
		    0);
		break;
	case 2:
		ck_assert_int_eq(mkdir(path, 0700), 0);
		break;
	case 3:
		ck_assert_int_eq(symlink("/dev/zero", path), 0);
		break;
	default:
		ck_assert_int_eq(mkfifo(fifo, 0600) | symlink(fifo, path), 0);
	}
	ck_assert_int_eq(file_read(path, &b, &err), -1);
	ck_assert_msg(strstr(err.text, kinds[_i]) != NULL, "%s", err.text);
	ck_assert_ptr_nonnull(strstr(err.text, "not a regular file"));
	if (s >= 0)
		(void)close(s);
	ck_assert_int_eq(remove(path), 0);
	(void)unlink(fifo);
	buf_release(&b);
}
END_TEST

START_TEST(large_files_come_whole)
{
	struct buf b = BUF_INIT(1 << 20), back = BUF_INIT(1 << 20);

	for (int i = 0; i < 50000; i++)
		ck_assert_int_eq(buf_addf(&b, "%d,", i), 0);
	ck_assert_int_eq(file_replace(path, b.data, b.len, 0600, &err), 0);
	ck_assert_int_eq(file_read(path, &back, &err), 0);
	ck_assert_uint_eq(back.len, b.len);
	ck_assert_mem_eq(back.data, b.data, b.len);
	buf_release(&b);
	buf_release(&back);
}
END_TEST

START_TEST(makes_parents)
{
	char deep[256];
	struct stat st;

	(void)snprintf(deep, sizeof(deep), "%s//a/b/c", folder);
	ck_assert_int_eq(file_parents(deep, &err), 0);
	ck_assert_int_eq(file_parents(deep, &err), 0);
	(void)snprintf(deep, sizeof(deep), "%s/a/b", folder);
	ck_assert_int_eq(stat(deep, &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	(void)snprintf(deep, sizeof(deep), "%s/a/b/c", folder);
	ck_assert_int_ne(stat(deep, &st), 0);
	ck_assert_int_eq(file_parents("here", &err), 0);
}
END_TEST

START_TEST(a_file_is_no_parent)
{
	char deep[256];

	ck_assert_int_eq(file_create(path, "", 0, 0600, &err), 0);
	(void)snprintf(deep, sizeof(deep), "%s/b/c", path);
	ck_assert_int_eq(file_parents(deep, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "not a directory"));
}
END_TEST

static const struct {
	const char *path;
	bool wants;
} shells[] = {
	{ "~", true },
	{ "~/store.db", true },
	{ "~root/store.db", true },
	{ "$HOME", true },
	{ "$HOME/store.db", true },
	{ "${HOME}", true },
	{ "${HOME}/store.db", true },
	{ "", false },
	{ "/var/lib/sealfeed/store.db", false },
	{ "store.db", false },
	{ "./~/store.db", false },
	{ "/srv/~/x", false },
	{ "/srv/$HOME/x", false },
	{ "~archive", false },
	{ "$", false },
	{ "$/x", false },
	{ "$1/x", false },
	{ "$HOME.db", false },
	{ "${}/x", false },
	{ "${env:HOME}/x", false },
};

START_TEST(what_a_shell_would_replace)
{
	ck_assert_msg(file_wants_shell(shells[_i].path) == shells[_i].wants,
	    "%s", shells[_i].path);
}
END_TEST

START_TEST(write_errors_are_told)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(file_write_all(fd, "x", 1), -1);
	ck_assert_int_eq(file_write_all(fd, "", 0), 0);
	(void)close(fd);
}
END_TEST

Suite *
suite_file(void)
{
	Suite *s = suite_create("file");
	TCase *tc = tcase_create("file");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, replaces_whole);
	tcase_add_test(tc, old_file_stays_on_failure);
	tcase_add_test(tc, creates_once);
	tcase_add_test(tc, reads_up_to_the_ceiling);
	tcase_add_test(tc, nothing_is_a_string);
	tcase_add_test(tc, names_what_is_not_there);
	tcase_add_loop_test(tc, only_regular_files_are_read, 0, 5);
	tcase_add_test(tc, large_files_come_whole);
	tcase_add_test(tc, makes_parents);
	tcase_add_test(tc, a_file_is_no_parent);
	tcase_add_test(tc, write_errors_are_told);
	tcase_add_loop_test(tc, what_a_shell_would_replace, 0,
	    sizeof(shells) / sizeof(shells[0]));
	suite_add_tcase(s, tc);
	return s;
}
