/*
 * help.c - print the table of subcommands on the terminal and as the body of
 * sealfeed(8).
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cmd/cmd.h"
#include "cmd/roff.h"

#define USAGE_MAX 4096

static void
print_options(const struct cmd_option *o)
{
	for (; o != NULL && o->name != NULL; o++) {
		(void)printf("  --%s%s%s\n", o->name,
		    o->value == NULL ? "" : " ",
		    o->value == NULL ? "" : o->value);
		roff_wrap(stdout, 8, o->help);
	}
}

void
cmd_print_help(const struct cmd *cmd)
{
	cmd_print_usage(cmd, stdout);
	(void)putchar('\n');
	roff_wrap(stdout, 0, cmd->help);
	(void)putchar('\n');
	print_options(cmd->options);
	print_options(cmd_common);
}

void
cmd_print_all(const struct cmd *const *all, FILE *to)
{
	(void)fprintf(to,
	    "usage: sealfeed SUBCOMMAND [--config FILE] "
	    "[--json] ...\n\n");
	for (size_t i = 0; all[i] != NULL; i++)
		(void)fprintf(to, "  %-14s %s\n", all[i]->name,
		    all[i]->summary);
	(void)fprintf(to,
	    "\n\"sealfeed help SUBCOMMAND\" prints the details of one. See "
	    "also sealfeed(8) and\nsealfeed.yaml(5).\n");
}

static void
man_options(const struct cmd_option *o)
{
	for (; o != NULL && o->name != NULL; o++) {
		(void)fputs(".TP\n\\fB", stdout);
		roff_text(stdout, "--");
		roff_text(stdout, o->name);
		(void)fputs("\\fR", stdout);
		if (o->value != NULL) {
			(void)fputs(" \\fI", stdout);
			roff_text(stdout, o->value);
			(void)fputs("\\fR", stdout);
		}
		(void)fputc('\n', stdout);
		roff_text(stdout, o->help);
		(void)fputc('\n', stdout);
	}
}

static void
man_cmd(const struct cmd *cmd)
{
	struct buf usage = BUF_INIT(USAGE_MAX);

	(void)fputs(".SS ", stdout);
	roff_text(stdout, cmd->name);
	if (cmd_usage(cmd, &usage) == 0) {
		(void)fputs("\n.B ", stdout);
		roff_text(stdout, usage.data);
	}
	(void)fputs("\n.PP\n", stdout);
	roff_text(stdout, cmd->help);
	(void)fputc('\n', stdout);
	man_options(cmd->options);
	buf_release(&usage);
}

static int
help_run(const struct cmd *cmd, struct cmd_line *line)
{
	const struct cmd *about;

	if (cmd_value(line, "man") != NULL) {
		for (size_t i = 0; line->all[i] != NULL; i++)
			man_cmd(line->all[i]);
		(void)puts(".SS Options of every subcommand");
		man_options(cmd_common);
		return EXIT_FINE;
	}
	if (cmd_value(line, "complete") != NULL)
		return cmd_complete(line->all, line->argv, line->argc) == 0
		    ? EXIT_FINE
		    : EXIT_WRONG;
	if (line->argc > 1)
		return cmd_misused(cmd, "too many arguments: \"%s\"",
		    line->argv[1]);
	if (line->argc == 0) {
		cmd_print_all(line->all, stdout);
		return EXIT_FINE;
	}
	about = cmd_find(line->all, line->argv[0]);
	if (about == NULL)
		return EXIT_USE;
	cmd_print_help(about);
	return EXIT_FINE;
}

static const struct cmd_option help_options[] = {
	{ .name = "man",
	    .help = "Print this part of sealfeed(8) as manual page source." },
	{ .name = "complete",
	    .help = "Print what may stand in place of the last argument: the "
		    "arguments are the words of a command line. For the "
		    "completion of shells." },
	{ .name = NULL },
};

const struct cmd cmd_help = {
	.name = "help",
	.arguments = "[SUBCOMMAND]",
	.summary = "Print this list, or the help of one subcommand.",
	.help = "List the subcommands, or print the help of one.",
	.options = help_options,
	.max = -1,
	.run = help_run,
};
