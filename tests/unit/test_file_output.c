/*
 * test_file_output.c - lines in a file: whole, and in the right one.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "outputs/output.h"
#include "tests/unit/output_help.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define EVENT "{\"Id\":\"x\"}"
#define LINE                                                                \
	"{\"feed\":\"contoso/"                                              \
	"Audit.Exchange\",\"index\":42,\"agent\":\"fra1\",\"event\":" EVENT \
	"}\n"

static char dir[64];
static char path[128];

/* As the output's own struct, which nobody else needs. */
static struct {
	char *path;
	int format;
} conf = { .path = path };

static void
set_up(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
}

static void
tear_down(void)
{
	store_help_end(dir);
}

static void
has(const char *file, const char *text)
{
	struct buf b = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	ck_assert_msg(file_read(file, &b, &err) == 0, "%s", err.text);
	ck_assert_str_eq(b.len == 0 ? "" : b.data, text);
	buf_release(&b);
}

static void
put(const char *text)
{
	struct err err = ERR_INIT;

	ck_assert_msg(file_replace(path, text, strlen(text), 0600, &err) == 0,
	    "%s", err.text);
}

START_TEST(lines_are_appended)
{
	struct courier c;

	put("before\n");
	courier_open(&c, &output_file, &conf, EVENT);
	courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	courier_deliver(&c);
	has(path, "before\n" LINE LINE);
	ck_assert_uint_eq(c.out.bytes, 2 * strlen(LINE));
	courier_close(&c);
}
END_TEST

/* What a crash may leave. */
START_TEST(part_of_a_line_is_cut_off)
{
	static const char *const left[] = { "one\ntwo\nthr", "thr" };
	static const char *const whole[] = { "one\ntwo\n" LINE, LINE };
	struct courier c;

	put(left[_i]);
	courier_open(&c, &output_file, &conf, EVENT);
	courier_deliver(&c);
	has(path, whole[_i]);
	courier_close(&c);
}
END_TEST

START_TEST(long_part_is_cut_off)
{
	char *text = malloc(200001);
	struct courier c;

	memset(text, 'x', 200000);
	text[200000] = '\0';
	memcpy(text, "one\n", 4);
	put(text);
	free(text);
	courier_open(&c, &output_file, &conf, EVENT);
	courier_deliver(&c);
	has(path, "one\n" LINE);
	courier_close(&c);
}
END_TEST

START_TEST(renamed_file_is_left_behind)
{
	char old[140];
	struct courier c;

	(void)snprintf(old, sizeof(old), "%s.1", path);
	courier_open(&c, &output_file, &conf, EVENT);
	courier_deliver(&c);
	ck_assert_int_eq(rename(path, old), 0);
	courier_deliver(&c);
	has(old, LINE);
	has(path, LINE);
	ck_assert_int_eq(unlink(path), 0);
	courier_deliver(&c);
	has(path, LINE);
	c.out.type->reopen(&c.out);
	courier_deliver(&c);
	has(path, LINE LINE);
	courier_close(&c);
}
END_TEST

START_TEST(full_disk_leaves_no_part)
{
	const struct rlimit little = { strlen(LINE) + 10, RLIM_INFINITY };
	const struct rlimit enough = { RLIM_INFINITY, RLIM_INFINITY };
	struct courier c;

	/* A limit of the file's size fails as a full disk does. */
	ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	courier_open(&c, &output_file, &conf, EVENT);
	courier_deliver(&c);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &enough), 0);
	has(path, LINE);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	has(path, LINE LINE);
	courier_close(&c);
}
END_TEST

START_TEST(one_writer_a_file)
{
	struct output other = { .type = &output_file, .conf = &conf };
	struct err err = ERR_INIT;
	struct courier c;

	courier_open(&c, &output_file, &conf, EVENT);
	ck_assert_int_eq(output_file.open(&other, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "another process"));
	courier_close(&c);
}
END_TEST

Suite *
suite_file_output(void)
{
	Suite *s = suite_create("file_output");
	TCase *tc = tcase_create("file_output");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, lines_are_appended);
	tcase_add_loop_test(tc, part_of_a_line_is_cut_off, 0, 2);
	tcase_add_test(tc, long_part_is_cut_off);
	tcase_add_test(tc, renamed_file_is_left_behind);
	tcase_add_test(tc, full_disk_leaves_no_part);
	tcase_add_test(tc, one_writer_a_file);
	suite_add_tcase(s, tc);
	return s;
}
