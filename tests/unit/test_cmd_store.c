/*
 * test_cmd_store.c - what the subcommands have in common that read the store,
 * and the shorter ones of them.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "store/feed.h"
#include "store/position.h"
#include "store/write_batch.h"
#include "tests/unit/cmd_rig.h"

/* Patience in milliseconds. */
#define DEADLINE 20000

static const char *const misuses[] = {
	"export --from 1",
	"export --feed f --from x",
	"export --feed f --to -1",
	"export --feed f --from 2 --to 1",
	"gaps extra",
	"dead-letters list 1",
	"dead-letters retry",
	"dead-letters drop",
	"dead-letters drop 1 --all",
	"dead-letters drop 0",
	"dead-letters retry 1x",
	"dead-letters forget 1",
	"dead-letters --show x",
	"dead-letters list --show 1",
	"status extra",
	"status --warning lag=soon",
	"status --critical speed=1",
	"status --color blue",
};

START_TEST(misuse_is_64)
{
	ck_assert_msg(rig_run(misuses[_i]) == EXIT_USE, "%s", misuses[_i]);
	ck_assert_ptr_nonnull(strstr(rig.message.data, "usage: sealfeed "));
}
END_TEST

START_TEST(no_store_is_said)
{
	static const char *const lines[] = { "status", "gaps", "dead-letters",
		"dead-letters drop --all", "export" };

	rig_close_store();
	(void)unlink(rig_path("store.db"));
	(void)unlink(rig_path("store.db-wal"));
	(void)unlink(rig_path("store.db-shm"));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ck_assert_int_eq(rig_run(lines[i]), EXIT_WRONG);
		ck_assert_ptr_nonnull(strstr(rig.message.data, "store.db"));
		ck_assert_int_eq(access(rig_path("store.db"), F_OK), -1);
	}
}
END_TEST

START_TEST(wrong_configuration_is_78)
{
	rig_config(", retian: 1");
	ck_assert_int_eq(rig_run("status"), EXIT_CONF);
	ck_assert_ptr_nonnull(strstr(rig.message.data, "sealfeed.yaml:1: "));
}
END_TEST

START_TEST(gaps_are_listed)
{
	struct gap_row span = {
		.from = INT64_C(1795321618000000),
		.to = INT64_C(1795325218000000),
		.cause = "the vendor \x1b[2J deleted it",
	};
	json_t *root, *gap;

	ck_assert_int_eq(rig_run("gaps"), EXIT_FINE);
	ck_assert_str_eq(rig.out.data, "There are no gaps.\n");
	ck_assert_int_eq(rig_run("gaps --json"), EXIT_FINE);
	ck_assert_str_eq(rig.out.data, "[]\n");
	rig_commit(0, 0, &span);
	ck_assert_int_eq(rig_run("gaps"), EXIT_FINE);
	ck_assert_ptr_nonnull(strstr(rig.out.data,
	    "    from 2026-11-22T04:26:58Z to 2026-11-22T05:26:58Z\n"
	    "    the vendor \\x1b[2J deleted it\n"));
	ck_assert_int_eq(rig_run("gaps --json"), EXIT_FINE);
	root = json_loads(rig.out.data, 0, NULL);
	gap = json_array_get(root, 0);
	ck_assert_str_eq(json_string_value(json_object_get(gap, "feed")),
	    RIG_FEED);
	ck_assert_str_eq(json_string_value(json_object_get(gap, "cause")),
	    span.cause);
	json_decref(root);
}
END_TEST

START_TEST(status_tells_the_store)
{
	const char *const names[] = { "siem" };
	struct err err = ERR_INIT;
	json_t *root, *row;

	ck_assert_int_eq(position_set_outputs(rig.store, names, 1, &err), 0);
	rig_commit(0, 3, NULL);
	rig_seal("{}");
	rig_commit(3, 1, NULL);
	ck_assert_int_eq(rig_run("status"), EXIT_FINE);
	ck_assert_ptr_nonnull(strstr(rig.out.data, "sealfeed fra1 at "));
	ck_assert_ptr_nonnull(strstr(rig.out.data, RIG_FEED));
	ck_assert_int_eq(rig_run("status --json"), EXIT_FINE);
	root = json_loads(rig.out.data, 0, NULL);
	ck_assert_ptr_nonnull(root);
	row = json_array_get(json_object_get(root, "feeds"), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(row, "events")), 4);
	ck_assert_int_eq(json_integer_value(json_object_get(row, "sealed")), 3);
	row = json_array_get(json_object_get(root, "outputs"), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(row, "backlog")),
	    4);
	json_decref(root);
}
END_TEST

/* A monitoring plugin has one line, whatever happens, and no other exit
 * statuses than these. */
START_TEST(check_is_a_plugin)
{
	static const struct {
		const char *line;
		int status;
		const char *says;
	} rows[] = {
		{ "status --check", 2, "SEALFEED CRITICAL - " },
		{ "status --check --warning lag=1s,gaps=none", 2,
		    " 'gaps'=0;;;" },
		{ "status --check --critical nothing=1", 3,
		    "SEALFEED UNKNOWN - \"nothing\" has no limit" },
		{ "status --check --watch", 3, "SEALFEED UNKNOWN - " },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *s;

		ck_assert_msg(rig_run(rows[i].line) == rows[i].status, "%s: %s",
		    rows[i].line, rig.out.data);
		s = rig.out.data;
		ck_assert_msg(strstr(s, rows[i].says) != NULL, "%s", s);
		ck_assert_ptr_eq(strchr(s, '\n'), s + strlen(s) - 1);
	}
	rig_config(", retian: 1");
	ck_assert_int_eq(rig_run("status --check"), 3);
	ck_assert_ptr_nonnull(strstr(rig.out.data, "SEALFEED UNKNOWN - "));
}
END_TEST

/* The agent does not run, which its verdict says in any form. */
START_TEST(the_verdict_is_in_every_form)
{
	json_t *root, *verdict;

	ck_assert_int_eq(rig_run("status"), EXIT_FINE);
	ck_assert_int_eq(strncmp(rig.out.data, "never started", 13), 0);
	ck_assert_int_eq(rig_run("status --json"), EXIT_FINE);
	root = json_loads(rig.out.data, 0, NULL);
	verdict = json_object_get(root, "verdict");
	ck_assert_str_eq(json_string_value(json_object_get(verdict, "level")),
	    "CRITICAL");
	ck_assert(json_is_false(json_object_get(verdict, "works")));
	ck_assert(json_is_false(json_object_get(root, "running")));
	json_decref(root);
}
END_TEST

/* Read from fd until there have been n newlines, false: too late. */
static bool
read_lines(int fd, int n)
{
	int64_t until = clock_monotonic() + DEADLINE * INT64_C(1000);
	char c;

	while (n > 0 && clock_monotonic() < until) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, DEADLINE) == 1 && read(fd, &c, 1) == 1)
			n -= c == '\n';
	}
	return n == 0;
}

START_TEST(watching_ends_with_an_interrupt)
{
	char words[5][16] = { "sealfeed", "status", "--watch", "--json",
		"--config" };
	char *argv[] = { words[0], words[1], words[2], words[3], words[4],
		rig_path("sealfeed.yaml"), NULL };
	int fds[2], status;
	pid_t pid;

	/* The other process would inherit it. */
	rig_close_store();
	ck_assert_int_eq(pipe(fds), 0);
	(void)fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)dup2(fds[1], STDOUT_FILENO);
		_exit(cmd_main(rig_cmds, 6, argv));
	}
	(void)close(fds[1]);
	/* An object a second. */
	ck_assert(read_lines(fds[0], 2));
	ck_assert_int_eq(kill(pid, SIGINT), 0);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	(void)close(fds[0]);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EXIT_FINE);
}
END_TEST

Suite *
suite_cmd_store(void)
{
	Suite *s = suite_create("cmd_store");
	TCase *tc = rig_case("cmd_store");

	tcase_add_loop_test(tc, misuse_is_64, 0,
	    sizeof(misuses) / sizeof(misuses[0]));
	tcase_add_test(tc, no_store_is_said);
	tcase_add_test(tc, wrong_configuration_is_78);
	tcase_add_test(tc, gaps_are_listed);
	tcase_add_test(tc, status_tells_the_store);
	tcase_add_test(tc, check_is_a_plugin);
	tcase_add_test(tc, the_verdict_is_in_every_form);
	tcase_add_test(tc, watching_ends_with_an_interrupt);
	suite_add_tcase(s, tc);
	return s;
}
