/*
 * error.c - how a subcommand says that it failed: a line for people, or an
 * object for programs; and the exit statuses.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "config/errors.h"

const struct cmd_exit cmd_exits[] = {
	{ EXIT_FINE, "All is well." },
	{ EXIT_WRONG,
	    "Something is wrong with the data, the store, a file or a peer; "
	    "each subcommand says what it means there." },
	{ 2,
	    "Of \"status --check\", whose statuses are those of monitoring "
	    "plugins: critical; 1 is a warning." },
	{ 3, "Of \"status --check\": it could not be found out." },
	{ EXIT_USE, "The command line is wrong; nothing was done." },
	{ EXIT_CONF,
	    "The configuration is wrong. Trying again changes nothing, so the "
	    "unit does not restart the agent after this status and 64." },
	{ -1, NULL },
};

/* A process runs one subcommand: how it tells its errors is kept here. */
static FILE *json_to; /* NULL: lines on standard error */

void
cmd_errors_json(FILE *to)
{
	json_to = to;
}

/* Append text, made printable, or nothing. */
static const char *
printable(struct buf *out, const char *text)
{
	if (text_printable(out, text, strlen(text)) != 0 || out->data == NULL)
		return "";
	return out->data;
}

json_t *
cmd_error_json(const struct cmd *cmd, int status, const char *sentence)
{
	struct buf clean = BUF_INIT(8 * sizeof(struct err));
	const char *text = printable(&clean, sentence);
	const char *name = cmd == NULL ? "sealfeed" : cmd->name;
	const char *colon = strstr(text, ": ");
	json_t *all = json_pack("{s:s, s:s, s:s%, s:s, s:i}", "error", text,
	    "command", name, "subject", colon == NULL ? name : text,
	    colon == NULL ? strlen(name) : (size_t)(colon - text), "cause",
	    colon == NULL ? text : colon + 2, "exit_code", status);

	buf_release(&clean);
	return all;
}

int
cmd_print_json(json_t *all, FILE *to)
{
	int rc = json_dumpf(all, to, 0);

	if (rc == 0)
		(void)fputc('\n', to);
	json_decref(all);
	return rc;
}

int
cmd_error(const struct cmd *cmd, int status, const char *sentence)
{
	struct buf clean = BUF_INIT(8 * sizeof(struct err));

	if (json_to != NULL)
		(void)cmd_print_json(cmd_error_json(cmd, status, sentence),
		    json_to);
	else
		(void)fprintf(stderr, "sealfeed%s%s: %s\n",
		    cmd == NULL ? "" : " ", cmd == NULL ? "" : cmd->name,
		    printable(&clean, sentence));
	buf_release(&clean);
	return status;
}

int
cmd_failed(const struct cmd *cmd, const struct err *err)
{
	return cmd_error(cmd, EXIT_WRONG, err->text);
}

int
cmd_misused(const struct cmd *cmd, const char *fmt, ...)
{
	struct err err = ERR_INIT;
	va_list ap;

	va_start(ap, fmt);
	(void)err_vset(&err, fmt, ap);
	va_end(ap);
	(void)cmd_error(cmd, EXIT_USE, err.text);
	if (json_to == NULL)
		cmd_print_usage(cmd, stderr);
	return EXIT_USE;
}

json_t *
cmd_faults_json(const struct config_errors *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n; i++) {
		const struct config_error_place *p = &f->place[i];

		(void)json_array_append_new(list,
		    json_pack("{s:s?, s:I, s:s}", "file", p->file, "line",
			(json_int_t)p->line, "fault", p->text));
	}
	return list;
}

int
cmd_faulty(const struct cmd *cmd, const struct config_errors *f)
{
	json_t *all;

	if (json_to == NULL) {
		for (size_t i = 0; i < f->n; i++)
			(void)fprintf(stderr, "%s\n", f->line[i]);
		return EXIT_CONF;
	}
	all = cmd_error_json(cmd, EXIT_CONF, f->n > 0 ? f->line[0] : "");
	(void)json_object_set_new(all, "faults", cmd_faults_json(f));
	(void)cmd_print_json(all, json_to);
	return EXIT_CONF;
}
