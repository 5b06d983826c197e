/*
 * cmd.h - the subcommands: one file agent/cmd/NAME.c and one row in main.c
 * for each.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "base/exit_status.h"

/* An option of a subcommand: `--name VALUE`, or a flag where value is NULL. */
struct cmd_option {
	const char *name;
	const char *value; /* "FILE" in the usage text */
	const char *help;
};

struct cmd;

/* What the command line said. */
struct cmd_line {
	const struct cmd *cmd;        /* the subcommand that runs */
	const struct cmd *const *all; /* for help */
	const char *config;           /* --config, or the default path */
	bool json;                    /* --json */
	char **argv;                  /* arguments, without options */
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
	const char *summary;   /* one line in the list of subcommands */
	const char *help;      /* sentences */
	const struct cmd_option *options; /* ended by a NULL name; NULL: none.
					     --config, --json and --help come
					     free */
	int min, max;                     /* arguments; most -1: any number */
	bool mixed; /* arguments belong to the options before them: they stand
		       in given, too, under the name "", and argv is empty */
	int (*run)(const struct cmd *cmd, struct cmd_line *line);
};

/* Options that every subcommand has, ended by a NULL name. */
extern const struct cmd_option cmd_common[];

/* The program: find the subcommand in all (ended by NULL), read its options,
 * run it.  Returns the exit status. */
int cmd_main(const struct cmd *const *all, int argc, char **argv);

/*
 * Errors.  For people they are a line on standard error, "sealfeed status:
 * SUBJECT: CAUSE; REMEDY", made printable.  With --json they are an object in
 * one line of standard output:
 *
 *   {"error": the sentence, "command": "status", "subject": what stands
 *    before the first ": ", or the subcommand, "cause": the rest,
 *    "exit_code": 1}
 *
 * and "faults", [{"file", "line", "fault"}, …], where the configuration has
 * some.  Subcommands whose result says what is wrong (check, verify) put these
 * members into it.
 */
struct err;
struct config_errors;

/* Say the sentence; returns status. */
int cmd_error(const struct cmd *cmd, int status, const char *sentence);

/* The same with EXIT_WRONG. */
int cmd_failed(const struct cmd *cmd, const struct err *err);

/* Say what is wrong with the usage of cmd, and the usage; returns EXIT_USE. */
int cmd_misused(const struct cmd *cmd, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Say what is wrong with the configuration, each fault a line without
 * "sealfeed status: "; returns EXIT_CONF. */
int cmd_faulty(const struct cmd *cmd, const struct config_errors *f);

/* The members above, and the list of faults, for a result that has them. */
json_t *cmd_error_json(const struct cmd *cmd, int status, const char *sentence);
json_t *cmd_faults_json(const struct config_errors *f);

/* Print in one line; takes all.  0, -1. */
int cmd_print_json(json_t *all, FILE *to);

/* From now on errors are objects in that stream; NULL: lines for people.  A
 * subcommand whose data fill standard output gives standard error. */
void cmd_errors_json(FILE *to);

/* The exit statuses that a subcommand may have, ended by a NULL meaning. */
struct cmd_exit {
	int code;
	const char *meaning;
};
extern const struct cmd_exit cmd_exits[];

/* Append "sealfeed verify [--key KEY] INPUT…" (no newline); -1: too long. */
struct buf;
int cmd_usage(const struct cmd *cmd, struct buf *out);

/* Print "usage: sealfeed verify …" in lines of at most 80 columns. */
void cmd_print_usage(const struct cmd *cmd, FILE *to);

/* The subcommand by that name; NULL: there is none, which was said with the
 * nearest there is. */
const struct cmd *cmd_find(const struct cmd *const *all, const char *name);

/* Print the list of subcommands; the usage and options of one. */
void cmd_print_all(const struct cmd *const *all, FILE *to);
void cmd_print_help(const struct cmd *cmd, bool json);

/* What may stand in place of the last of n words behind "sealfeed", each a line
 * "WORD TAB HELP"; "./" stands for files.  0; -1: something was left out, since
 * the table of the subcommand has a placeholder that is not known. */
int cmd_complete(const struct cmd *const *all, char **words, int n);

/* The last value given for an option, NULL if it was not. */
const char *cmd_value(const struct cmd_line *line, const char *name);

extern const struct cmd cmd_backfill;
extern const struct cmd cmd_check;
extern const struct cmd cmd_dead_letters;
extern const struct cmd cmd_export;
extern const struct cmd cmd_gaps;
extern const struct cmd cmd_help;
extern const struct cmd cmd_keygen;
extern const struct cmd cmd_options;
extern const struct cmd cmd_reconcile;
extern const struct cmd cmd_replay;
extern const struct cmd cmd_run;
extern const struct cmd cmd_setup;
extern const struct cmd cmd_sources;
extern const struct cmd cmd_status;
extern const struct cmd cmd_store_state;
extern const struct cmd cmd_trace;
extern const struct cmd cmd_verify;
extern const struct cmd cmd_version;

#endif /* CMD_CMD_H */
