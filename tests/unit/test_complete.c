/*
 * test_complete.c - what may stand at a place of the command line.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "tests/unit/unit.h"

static const struct cmd_option options[] = {
	{ .name = "fast", .help = "Hurry." },
	{ .name = "id", .value = "ID", .help = "Which." },
	{ .name = "to", .value = "FILE", .help = "Whereto." },
	{ .name = NULL },
};

/* A usage text, a line, and the words that may stand in place of its last,
 * each ended by a blank. */
static const struct {
	const char *arguments;
	int max;
	const char *line[8];
	const char *words;
} cases[] = {
	{ "", 0, { "" }, "copy " },
	{ "", 0, { "co" }, "copy " },
	{ "", 0, { "paste", "" }, "" },
	{ "", 0, { "copy", "" }, "" },
	{ "FILE", 1, { "copy", "" }, "./ " },
	{ "FILE", 1, { "copy", "a", "" }, "" },
	{ "FILE...", -1, { "copy", "a", "b", "" }, "./ " },
	{ "[one|two] [ID...]", -1, { "copy", "" }, "one two " },
	{ "[one|two] [ID...]", -1, { "copy", "one", "" }, "" },
	{ "[one | FILE]...", -1, { "copy", "" }, "one ./ " },
	{ "[one | FILE]...", -1, { "copy", "x", "y", "" }, "one ./ " },
	{ "one [FILE] | two | three FILE", 2, { "copy", "" },
	    "one two three " },
	{ "one [FILE] | two | three FILE", 2, { "copy", "one", "" }, "./ " },
	{ "one [FILE] | two | three FILE", 2, { "copy", "two", "" }, "" },
	{ "one [FILE] | two | three FILE", 2, { "copy", "three", "x" }, "./ " },
	{ "one [FILE] | two | three FILE", 2, { "copy", "one", "x", "" }, "" },
	{ "FILE", 1, { "copy", "-" },
	    "--fast --id --to --config --json --help " },
	{ "one", 1, { "copy", "--fast", "" }, "one " },
	{ "one", 1, { "copy", "--to", "" }, "./ " },
	{ "one", 1, { "copy", "--to", "x", "" }, "one " },
	{ "one", 1, { "copy", "--to=x", "" }, "one " },
	{ "one", 1, { "copy", "--id", "" }, "" },
	{ "one", 1, { "copy", "--id", "--to", "" }, "one " },
	{ "one", 1, { "copy", "--unknown", "" }, "one " },
};

/* The first words of the lines that cmd_complete() writes. */
static int
complete(const struct cmd *const *all, char **words, int n, char *out,
    size_t size)
{
	FILE *file = tmpfile();
	int saved = dup(STDOUT_FILENO), rc;
	char line[256];

	ck_assert_ptr_nonnull(file);
	(void)fflush(stdout);
	ck_assert_int_ge(dup2(fileno(file), STDOUT_FILENO), 0);
	rc = cmd_complete(all, words, n);
	(void)fflush(stdout);
	ck_assert_int_ge(dup2(saved, STDOUT_FILENO), 0);
	(void)close(saved);
	rewind(file);
	out[0] = '\0';
	while (fgets(line, sizeof(line), file) != NULL) {
		size_t len = strlen(out);

		(void)snprintf(out + len, size - len, "%.*s ",
		    (int)strcspn(line, "\t"), line);
	}
	(void)fclose(file);
	return rc;
}

START_TEST(what_fits_is_said)
{
	const struct cmd copy = { .name = "copy",
		.arguments = cases[_i].arguments,
		.summary = "Copy.",
		.options = options,
		.max = cases[_i].max };
	const struct cmd *const all[] = { &copy, NULL };
	char copies[8][64], *words[8], said[256];
	int n = 0;

	while (cases[_i].line[n] != NULL) {
		(void)snprintf(copies[n], sizeof(copies[n]), "%s",
		    cases[_i].line[n]);
		words[n] = copies[n];
		n++;
	}
	ck_assert_int_eq(complete(all, words, n, said, sizeof(said)), 0);
	ck_assert_str_eq(said, cases[_i].words);
}
END_TEST

/* Whoever adds a placeholder tells what it stands for. */
START_TEST(an_unknown_placeholder_is_an_error)
{
	static const struct cmd copy = { .name = "copy",
		.arguments = "[one|WHATSOEVER]",
		.summary = "Copy.",
		.max = 1 };
	static const struct cmd *const all[] = { &copy, NULL };
	char name[] = "copy", nothing[] = "", *words[] = { name, nothing };
	char said[256];

	ck_assert_int_eq(complete(all, words, 2, said, sizeof(said)), -1);
	ck_assert_str_eq(said, "one ");
}
END_TEST

Suite *
suite_complete(void)
{
	Suite *suite = suite_create("complete");
	TCase *tc = tcase_create("complete");

	tcase_add_loop_test(tc, what_fits_is_said, 0,
	    (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tc, an_unknown_placeholder_is_an_error);
	suite_add_tcase(suite, tc);
	return suite;
}
