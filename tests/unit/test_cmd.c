/*
 * test_cmd.c - the command line.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "cmd/cmd.h"
#include "config/config.h"
#include "tests/unit/unit.h"

/* What the subcommand was called with. */
static struct {
	int calls;
	char key[64];
	bool fast;
	bool json;
	char config[64];
	char first[64];
	int argc;
} got;

static int
copy_run(const struct cmd *cmd, struct cmd_line *line)
{
	const char *key = cmd_value(line, "key");

	(void)cmd;
	got.calls++;
	(void)snprintf(got.key, sizeof(got.key), "%s",
	    key == NULL ? "(none)" : key);
	got.fast = cmd_value(line, "fast") != NULL;
	got.json = line->json;
	(void)snprintf(got.config, sizeof(got.config), "%s", line->config);
	(void)snprintf(got.first, sizeof(got.first), "%s",
	    line->argc > 0 ? line->argv[0] : "");
	got.argc = line->argc;
	return 7;
}

static const struct cmd_option copy_options[] = {
	{ .name = "key", .value = "KEY", .help = "A key." },
	{ .name = "fast", .help = "Hurry." },
	{ .name = NULL },
};

static const struct cmd cmd_copy = {
	.name = "copy",
	.arguments = "FILE…",
	.summary = "Copy.",
	.help = "Copy. More about it.",
	.options = copy_options,
	.min = 1,
	.max = 2,
	.run = copy_run,
};

static const struct cmd *const table[] = { &cmd_help, &cmd_copy, NULL };

/* Run with what the words of line say; message gets what went to fd. */
static int
run_to(int fd, const char *line, char *message, size_t size)
{
	char copy[200], *argv[20] = { NULL }, *save = NULL;
	FILE *err = tmpfile();
	int argc = 0, kept = dup(fd), rc;
	size_t n;

	memset(&got, 0, sizeof(got));
	(void)snprintf(copy, sizeof(copy), "sealfeed %s", line);
	for (char *w = strtok_r(copy, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	(void)fflush(NULL);
	ck_assert_int_ge(dup2(fileno(err), fd), 0);
	rc = cmd_main(table, argc, argv);
	(void)fflush(NULL);
	ck_assert_int_ge(dup2(kept, fd), 0);
	(void)close(kept);
	rewind(err);
	n = fread(message, 1, size - 1, err);
	message[n] = '\0';
	(void)fclose(err);
	return rc;
}

static int
run(const char *line, char *message, size_t size)
{
	return run_to(STDERR_FILENO, line, message, size);
}

START_TEST(options_and_arguments_in_any_order)
{
	char message[1000];

	ck_assert_int_eq(run("copy a --key=k --fast b --json", message, 1000),
	    7);
	ck_assert_str_eq(got.key, "k");
	ck_assert(got.fast);
	ck_assert(got.json);
	ck_assert_str_eq(got.config, CONFIG_PATH);
	ck_assert_str_eq(got.first, "a");
	ck_assert_int_eq(got.argc, 2);
	ck_assert_int_eq(run("copy --config c --key 1 --key 2 -- --key",
			     message, 1000),
	    7);
	ck_assert_str_eq(got.key, "2");
	ck_assert_str_eq(got.config, "c");
	ck_assert_str_eq(got.first, "--key");
	ck_assert(!got.fast);
}
END_TEST

static const struct {
	const char *line;
	const char *message;
} misuses[] = {
	{ "", "usage: sealfeed SUBCOMMAND" },
	{ "cpoy a", "unknown subcommand \"cpoy\"; did you mean \"copy\"?" },
	{ "help cpoy", "unknown subcommand \"cpoy\"; did you mean \"copy\"?" },
	{ "copy",
	    "sealfeed copy: an argument is missing\nusage: sealfeed "
	    "copy [--key KEY] [--fast] FILE…\n" },
	{ "copy a b c", "too many arguments: \"c\"" },
	{ "copy --kye 1 a",
	    "unknown option \"--kye\"; did you mean "
	    "\"--key\"?" },
	{ "copy -x a", "unknown option \"-x\"" },
	{ "copy a --key", "option --key needs a value" },
	{ "copy a --fast=1", "option --fast takes no value" },
};

START_TEST(wrong_usage_is_64_and_says_why)
{
	char message[1000];

	ck_assert_int_eq(run(misuses[_i].line, message, sizeof(message)),
	    EXIT_USE);
	ck_assert_msg(strstr(message, misuses[_i].message) != NULL, "%s",
	    message);
	ck_assert_int_eq(got.calls, 0);
}
END_TEST

/* The same with --json: an object on standard output, and nothing else. */
START_TEST(wrong_usage_as_json)
{
	char line[200], out[2000], message[1000];
	const char *colon = strstr(misuses[_i].message, ": ");
	json_t *o;

	(void)snprintf(line, sizeof(line), "%s%s--json", misuses[_i].line,
	    misuses[_i].line[0] == '\0' ? "" : " ");
	/* That would be the value. */
	if (strcmp(misuses[_i].line, "copy a --key") == 0)
		(void)snprintf(line, sizeof(line), "copy a --json --key");
	ck_assert_int_eq(run_to(STDOUT_FILENO, line, out, sizeof(out)),
	    EXIT_USE);
	ck_assert_int_eq(run(line, message, sizeof(message)), EXIT_USE);
	ck_assert_str_eq(message, "");
	o = json_loads(out, 0, NULL);
	ck_assert_msg(json_is_object(o), "%s", out);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "exit_code")),
	    EXIT_USE);
	ck_assert_ptr_nonnull(json_string_value(json_object_get(o, "subject")));
	ck_assert_ptr_nonnull(json_string_value(json_object_get(o, "cause")));
	if (colon == NULL && misuses[_i].line[0] != '\0')
		ck_assert_msg(strstr(json_string_value(json_object_get(o,
					 "error")),
				  misuses[_i].message) != NULL,
		    "%s", out);
	json_decref(o);
}
END_TEST

START_TEST(an_error_has_subject_and_cause)
{
	static const struct cmd cmd = { .name = "copy" };
	json_t *o = cmd_error_json(&cmd, EXIT_WRONG,
	    "/a/b: cannot be read: No such file; make\x1b it");

	ck_assert_str_eq(json_string_value(json_object_get(o, "subject")),
	    "/a/b");
	ck_assert_str_eq(json_string_value(json_object_get(o, "cause")),
	    "cannot be read: No such file; make\\x1b it");
	ck_assert_str_eq(json_string_value(json_object_get(o, "command")),
	    "copy");
	json_decref(o);
	o = cmd_error_json(&cmd, EXIT_WRONG, "there is none");
	ck_assert_str_eq(json_string_value(json_object_get(o, "subject")),
	    "copy");
	ck_assert_str_eq(json_string_value(json_object_get(o, "cause")),
	    "there is none");
	ck_assert_int_eq(json_integer_value(json_object_get(o, "exit_code")),
	    1);
	json_decref(o);
}
END_TEST

Suite *
suite_cmd(void)
{
	Suite *s = suite_create("cmd");
	TCase *tc = tcase_create("cmd");

	tcase_add_test(tc, options_and_arguments_in_any_order);
	tcase_add_loop_test(tc, wrong_usage_is_64_and_says_why, 0,
	    sizeof(misuses) / sizeof(misuses[0]));
	tcase_add_loop_test(tc, wrong_usage_as_json, 0,
	    sizeof(misuses) / sizeof(misuses[0]));
	tcase_add_test(tc, an_error_has_subject_and_cause);
	suite_add_tcase(s, tc);
	return s;
}
