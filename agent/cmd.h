/*
 * cmd.h - the subcommands, one file cmd_NAME.c each and one row in main.c.
 */
#ifndef CMD_H
#define CMD_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses, of sysexits.h where that has one. */
#define EXIT_FINE 0
#define EXIT_WRONG 1 /* with the data or the peer */
#define EXIT_USE 64
#define EXIT_CONF 78

/* An option of a subcommand: `--name VALUE`, or a flag where value is NULL. */
struct cmd_option {
	const char *name;
	const char *value; /* "FILE" in the usage text */
	const char *help;
};

/* What the command line said. */
struct cmd_line {
	const char *config; /* --config, or the default path */
	bool json;          /* --json */
	char **argv;        /* arguments, without options */
	int argc;
	/* Every option given, in order; value "" for a flag. */
	struct {
		const char *name;
		const char *value;
	} * given;
	size_t n_given;
};

struct cmd {
	const char *name;
	const char *arguments; /* "INPUT…" in the usage text */
	const char *help;
	const struct cmd_option *options; /* ended by a NULL name; NULL: none.
					     --config and --json come free */
	int least, most;                  /* arguments; most -1: any number */
	int (*run)(const struct cmd *cmd, struct cmd_line *line);
};

/* The last value given for an option, NULL if it was not. */
const char *cmd_value(const struct cmd_line *line, const char *name);

extern const struct cmd cmd_check;
extern const struct cmd cmd_dead_letters;
extern const struct cmd cmd_export;
extern const struct cmd cmd_gaps;
extern const struct cmd cmd_keygen;
extern const struct cmd cmd_options;
extern const struct cmd cmd_run;
extern const struct cmd cmd_status;
extern const struct cmd cmd_trace;
extern const struct cmd cmd_verify;
extern const struct cmd cmd_version;

/* All, in the order of the usage text, ended by NULL. */
extern const struct cmd *const cmds[];

#endif /* CMD_H */
