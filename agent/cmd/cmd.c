/*
 * cmd.c - the command line: subcommands and their options, read from tables.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "config/config.h"

/* Most subcommands, and most options of one of them. */
#define NAMES_MAX 64
#define USAGE_MAX 4096
#define COLUMNS 80

const struct cmd_option cmd_common[] = {
	{ .name = "config",
	    .value = "FILE",
	    .help = "Configuration file; default " CONFIG_PATH "." },
	{ .name = "json", .help = "Print JSON for programs." },
	{ .name = "help", .help = "Print this help." },
	{ .name = NULL },
};

const char *
cmd_value(const struct cmd_line *line, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < line->n_given; i++)
		if (strcmp(line->given[i].name, name) == 0)
			value = line->given[i].value;
	return value;
}

static int
usage_options(const struct cmd_option *o, struct buf *out)
{
	for (; o != NULL && o->name != NULL; o++)
		if (buf_addf(out, " [--%s%s%s]", o->name,
			o->value == NULL ? "" : " ",
			o->value == NULL ? "" : o->value) < 0)
			return -1;
	return 0;
}

int
cmd_usage(const struct cmd *cmd, struct buf *out)
{
	if (buf_addf(out, "sealfeed %s", cmd->name) < 0 ||
	    usage_options(cmd->options, out) < 0)
		return -1;
	if (cmd->arguments == NULL || cmd->arguments[0] == '\0')
		return 0;
	return buf_addf(out, " %s", cmd->arguments);
}

/* The length of the word at s; an option in brackets is one word with its
 * value. */
static size_t
usage_word(const char *s)
{
	size_t len = *s == '[' ? strcspn(s, "]") : 0;

	return len + strcspn(s + len, " ");
}

void
cmd_print_usage(const struct cmd *cmd, FILE *to)
{
	struct buf usage = BUF_INIT(USAGE_MAX);
	const char *s = cmd_usage(cmd, &usage) == 0 ? usage.data : "";
	int column = fprintf(to, "usage:");

	while (*s != '\0') {
		int len = (int)usage_word(s);

		if (column + 1 + len > COLUMNS)
			column = fprintf(to, "\n      ") - 1;
		column += fprintf(to, " %.*s", len, s);
		s += len;
		s += strspn(s, " ");
	}
	(void)fputc('\n', to);
	buf_release(&usage);
}

const struct cmd *
cmd_find(const struct cmd *const *all, const char *name)
{
	const char *names[NAMES_MAX + 1] = { NULL };
	struct err err = ERR_INIT;
	const char *near;

	for (size_t i = 0; all[i] != NULL && i < NAMES_MAX; i++) {
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
		names[i] = all[i]->name;
	}
	near = text_nearest(name, names);
	(void)err_set(&err, "unknown subcommand \"%s\"; %s%s%s", name,
	    near == NULL ? "\"sealfeed help\" lists them" : "did you mean \"",
	    near == NULL ? "" : near, near == NULL ? "" : "\"?");
	(void)cmd_error(NULL, EXIT_USE, err.text);
	return NULL;
}

/* What getopt_long() returns for the first option of a subcommand; the others
 * follow.  For an argument among options it returns 1. */
#define FIRST 256
#define ARGUMENT 1

/* The options of a subcommand for getopt_long(). */
struct parse {
	const struct cmd *cmd;
	struct cmd_line *line;
	struct option longs[NAMES_MAX + 1];
	const char *names[NAMES_MAX + 1];
	size_t n;
};

static void
add_options(struct parse *p, const struct cmd_option *o)
{
	for (; o != NULL && o->name != NULL && p->n < NAMES_MAX; o++) {
		p->names[p->n] = o->name;
		p->longs[p->n] = (struct option){
			.name = o->name,
			.has_arg =
			    o->value == NULL ? no_argument : required_argument,
			.val = FIRST + (int)p->n,
		};
		p->n++;
	}
}

/* Say which option getopt_long() did not accept. */
static int
refuse(struct parse *p, int c, char **argv)
{
	const char *given = argv[optind - 1];
	const char *near = NULL;
	char name[64];

	if (optopt >= FIRST && (size_t)(optopt - FIRST) < p->n)
		return cmd_misused(p->cmd, "option --%s %s",
		    p->names[optopt - FIRST],
		    c == ':' ? "needs a value" : "takes no value");
	if (strncmp(given, "--", 2) == 0) {
		(void)snprintf(name, sizeof(name), "%.*s",
		    (int)strcspn(given + 2, "="), given + 2);
		near = text_nearest(name, p->names);
	}
	if (near != NULL)
		return cmd_misused(p->cmd,
		    "unknown option \"%s\"; did you mean \"--%s\"?", given,
		    near);
	return cmd_misused(p->cmd, "unknown option \"%s\"", given);
}

static void
take(struct cmd_line *line, const char *name, const char *value)
{
	line->given =
	    xreallocarray(line->given, line->n_given + 1, sizeof(*line->given));
	line->given[line->n_given].name = name;
	line->given[line->n_given++].value = value == NULL ? "" : value;
}

/* Returns 0, or the exit status. */
static int
parse_options(struct parse *p, int argc, char **argv)
{
	int c;

	optind = 0; /* begin anew (getopt(3), glibc and musl) */
	opterr = 0;
	for (;;) {
		c = getopt_long(argc, argv, p->cmd->mixed ? "-:h" : ":h",
		    p->longs, NULL);
		if (c == -1)
			break;
		if (c == '?' || c == ':')
			return refuse(p, c, argv);
		take(p->line,
		    c == ARGUMENT  ? ""
			: c == 'h' ? "help"
				   : p->names[c - FIRST],
		    optarg);
	}
	p->line->argv = argv + optind;
	p->line->argc = argc - optind;
	return 0;
}

static int
run_cmd(const struct cmd *cmd, struct cmd_line *line, int argc, char **argv)
{
	struct parse p = { .cmd = cmd, .line = line };
	int rc;

	line->cmd = cmd;
	add_options(&p, cmd->options);
	add_options(&p, cmd_common);
	rc = parse_options(&p, argc, argv);
	if (rc != 0)
		return rc;
	line->json = cmd_value(line, "json") != NULL;
	cmd_errors_json(line->json ? stdout : NULL);
	if (cmd_value(line, "help") != NULL) {
		cmd_print_help(cmd, line->json);
		return EXIT_FINE;
	}
	if (line->argc < cmd->min)
		return cmd_misused(cmd, "an argument is missing");
	if (cmd->max >= 0 && line->argc > cmd->max)
		return cmd_misused(cmd, "too many arguments: \"%s\"",
		    line->argv[cmd->max]);
	line->config = cmd_value(line, "config");
	if (line->config == NULL)
		line->config = CONFIG_PATH;
	return cmd->run(cmd, line);
}

/* Errors of the options themselves are told as --json asks, too. */
static bool
asks_for_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0 ||
		    strncmp(argv[i], "--json=", 7) == 0)
			return true;
	return false;
}

int
cmd_main(const struct cmd *const *all, int argc, char **argv)
{
	struct cmd_line line = { .all = all };
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct cmd *cmd;
	int rc;

	cmd_errors_json(asks_for_json(argc, argv) ? stdout : NULL);
	if (name == NULL) {
		cmd_print_all(all, stderr);
		return EXIT_USE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	else if (strcmp(name, "--version") == 0)
		name = "version";
	cmd = cmd_find(all, name);
	if (cmd == NULL)
		return EXIT_USE;
	rc = run_cmd(cmd, &line, argc - 1, argv + 1);
	free(line.given);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return rc;
	(void)fprintf(stderr, "sealfeed: standard output cannot be written\n");
	return rc == EXIT_FINE ? EXIT_WRONG : rc;
}
