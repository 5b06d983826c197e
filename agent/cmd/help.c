/*
 * help.c - print the table of subcommands on the terminal and as the body of
 * sealfeed(8).
 */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

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

static json_t *
options_json(const struct cmd_option *o)
{
	json_t *list = json_array();

	for (; o != NULL && o->name != NULL; o++)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s?, s:s}", "name", o->name, "value",
			o->value, "help", o->help));
	return list;
}

static json_t *
cmd_json(const struct cmd *cmd)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", cmd->name,
	    "arguments", cmd->arguments == NULL ? "" : cmd->arguments,
	    "summary", cmd->summary, "help", cmd->help, "options",
	    options_json(cmd->options));
}

static json_t *
all_json(const struct cmd *const *all)
{
	json_t *subs = json_array(), *exits = json_array();

	for (size_t i = 0; all[i] != NULL; i++)
		(void)json_array_append_new(subs, cmd_json(all[i]));
	for (const struct cmd_exit *e = cmd_exits; e->meaning != NULL; e++)
		(void)json_array_append_new(exits,
		    json_pack("{s:i, s:s}", "code", e->code, "meaning",
			e->meaning));
	return json_pack("{s:o, s:o, s:o}", "subcommands", subs, "options",
	    options_json(cmd_common), "exit_codes", exits);
}

void
cmd_print_help(const struct cmd *cmd, bool json)
{
	if (json) {
		(void)cmd_print_json(cmd_json(cmd), stdout);
		return;
	}
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

static void
man_all(const struct cmd *const *all)
{
	for (size_t i = 0; all[i] != NULL; i++)
		man_cmd(all[i]);
	(void)puts(".SS Options of every subcommand");
	man_options(cmd_common);
	(void)puts(".SH EXIT STATUS");
	for (const struct cmd_exit *e = cmd_exits; e->meaning != NULL; e++) {
		(void)printf(".TP\n.B %d\n", e->code);
		roff_text(stdout, e->meaning);
		(void)fputc('\n', stdout);
	}
}

static int
help_run(const struct cmd *cmd, struct cmd_line *line)
{
	const struct cmd *about;

	if (cmd_value(line, "man") != NULL) {
		if (line->json)
			return cmd_misused(cmd,
			    "--man and --json exclude "
			    "each other");
		man_all(line->all);
		return EXIT_FINE;
	}
	if (cmd_value(line, "complete") != NULL)
		return cmd_complete(line->all, line->argv, line->argc) == 0
		    ? EXIT_FINE
		    : EXIT_WRONG;
	if (line->argc > 1)
		return cmd_misused(cmd, "too many arguments: \"%s\"",
		    line->argv[1]);
	if (line->argc > 0) {
		about = cmd_find(line->all, line->argv[0]);
		if (about == NULL)
			return EXIT_USE;
		cmd_print_help(about, line->json);
	} else if (line->json) {
		(void)cmd_print_json(all_json(line->all), stdout);
	} else {
		cmd_print_all(line->all, stdout);
	}
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
	.help = "List the subcommands, or print the help of one. With --json, "
		"the list has the options and the exit statuses, too.",
	.options = help_options,
	.max = -1,
	.run = help_run,
};
