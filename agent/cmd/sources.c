/*
 * sources.c - `sealfeed sources`: the vendors that can be read, and one of
 * them in full.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "cmd/columns.h"
#include "cmd/sources_private.h"
#include "cmd/table.h"
#include "config/config.h"
#include "run/types.h"
#include "sources/rest/definition.h"
#include "sources/rest/rest.h"
#include "sources/source.h"

#define COLUMNS 76
/* Of a list that goes to no terminal. */
#define WIDE 120

static struct config_kind
kind_of(const struct cmd_line *line)
{
	return (struct config_kind){ .section = "sources",
		.types = &agent_types,
		.path = line->config };
}

static void
free_names(char **names)
{
	for (size_t i = 0; names[i] != NULL; i++)
		free(names[i]);
	free(names);
}

static int64_t
longest(const struct def_cursor *c)
{
	int64_t most = c->overlap;

	for (size_t i = 0; i < DEF_SWEEPS && c->sweeps[i].every != 0; i++)
		if (c->sweeps[i].back > most)
			most = c->sweeps[i].back;
	return most;
}

static void
each_defined(const struct definition *d, sources_stream_fn *fn, void *ctx)
{
	for (size_t i = 0; i < d->n_streams; i++) {
		const struct def_stream *s = &d->streams[i];
		const bool ordered = s->cursor.kind != CURSOR_WINDOW;

		fn(ctx,
		    &(struct sources_stream){ .name = s->name,
			.title = s->title,
			.permissions = s->permissions,
			.off = s->off,
			.ordered = ordered,
			.overlap = ordered ? 0 : s->cursor.overlap,
			.late = ordered ? 0 : longest(&s->cursor),
			.kept = s->retention });
	}
}

void
sources_each(const struct config_type *type, sources_stream_fn *fn, void *ctx)
{
	const struct definition *d = rest_definition(type);
	const struct source_stream *s = source_type_of(type)->all_streams;

	if (d != NULL)
		each_defined(d, fn, ctx);
	for (; d == NULL && s != NULL && s->name != NULL; s++)
		fn(ctx,
		    &(struct sources_stream){
			.name = s->name, .late = s->late, .kept = s->kept });
}

/* -- the list -------------------------------------------------------------- */

static const struct column columns[] = {
	{ .head = "TYPE" },
	{ .head = "STREAM" },
	{ .head = "LATE", .right = true },
	{ .head = "KEPT", .right = true },
	{ .head = "VENDOR", .cut = true },
};

struct row {
	const struct config_type *type;
	struct table *table;
};

/* "7d"; what is not told is a dash. */
static void
span(int64_t us, char text[32])
{
	if (us > 0)
		text_duration_format(text, us);
	else
		(void)snprintf(text, 32, "-");
}

static void
add_row(void *ctx, const struct sources_stream *s)
{
	const struct row *r = ctx;
	char late[32], kept[32];

	span(s->late, late);
	span(s->kept, kept);
	table_cell(r->table, "%s", r->type->name);
	table_cell(r->table, "%s%s", s->name, s->off ? "*" : "");
	table_cell(r->table, "%s", s->ordered ? "none" : late);
	table_cell(r->table, "%s", kept);
	table_cell(r->table, "%s", r->type->title);
}

/* A type whose feeds are its sources' to name has a row, too. */
static void
add_rows(struct row *r)
{
	if (rest_definition(r->type) == NULL &&
	    source_type_of(r->type)->all_streams == NULL)
		add_row(r, &(struct sources_stream){ .name = "-" });
	sources_each(r->type, add_row, r);
}

static json_t *
seconds(int64_t us)
{
	return us > 0 ? json_integer(us / CLOCK_SECOND) : json_null();
}

static void
add_stream(void *ctx, const struct sources_stream *s)
{
	json_t *permissions = json_array();

	for (char **p = s->permissions; p != NULL && *p != NULL; p++)
		(void)json_array_append_new(permissions, json_string(*p));
	(void)json_array_append_new(ctx,
	    json_pack("{s:s, s:s?, s:o, s:b, s:s, s:o, s:o, s:o}", "stream",
		s->name, "title", s->title, "permissions", permissions,
		"default", !s->off, "order",
		s->ordered ? "processing" : "event time", "overlap_seconds",
		seconds(s->overlap), "lateness_seconds",
		s->ordered ? json_integer(0) : seconds(s->late),
		"retention_seconds", seconds(s->kept)));
}

static json_t *
type_json(const struct config_type *type)
{
	const struct definition *d = rest_definition(type);
	json_t *streams = json_array();

	sources_each(type, add_stream, streams);
	return json_pack("{s:s, s:s?, s:s?, s:s?, s:o}", "type", type->name,
	    "vendor", type->title, "definition", d != NULL ? d->file : NULL,
	    "documentation", d != NULL ? d->docs : NULL, "streams", streams);
}

static int
print_table(struct table *t, struct err *err)
{
	struct buf out = BUF_INIT(SIZE_MAX / 2);
	int rc = -1;

	if (table_print(t, &out) != 0 ||
	    table_wrap(&out, 0,
		"LATE: an event that the vendor shows that long after its time "
		"is still found; none: the vendor's own cursor goes in the "
		"order of processing. KEPT: how long the vendor keeps events. "
		"*: collected only where \"streams\" names it.") != 0)
		(void)err_set(err, "the list is too long");
	else
		rc = cmd_print(&out, err);
	buf_release(&out);
	return rc;
}

static bool
is_listed(char **names, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(names[k], names[i]) == 0)
			return true;
	return false;
}

/* What is listed, and the faults of what is not. */
static int
print_json(const struct cmd *cmd, json_t *list,
    const struct config_errors *errors)
{
	json_t *all = json_pack("{s:o, s:o}", "sources", list, "faults",
	    cmd_faults_json(errors));

	if (errors->n > 0)
		(void)json_object_update_new(all,
		    cmd_error_json(cmd, EXIT_CONF, errors->line[0]));
	if (cmd_print_json(all, stdout) != 0)
		return EXIT_WRONG;
	return errors->n > 0 ? EXIT_CONF : EXIT_FINE;
}

static int
print_text(const struct cmd *cmd, struct table *t,
    const struct config_errors *errors)
{
	struct err err = ERR_INIT;

	if (print_table(t, &err) != 0)
		return cmd_failed(cmd, &err);
	return errors->n > 0 ? cmd_faulty(cmd, errors) : EXIT_FINE;
}

/* Those that have faults are told of, the others are listed. */
static int
list(const struct cmd *cmd, const struct cmd_line *line)
{
	const struct config_kind kind = kind_of(line);
	struct table *t =
	    table_new(columns, sizeof(columns) / sizeof(columns[0]));
	struct config_errors errors = CONFIG_ERRORS_INIT;
	char **names = config_type_names(&kind);
	json_t *all = json_array();
	int rc;

	rest_check_place(line->config, &errors);
	table_look(t, isatty(STDOUT_FILENO) ? columns_of_output() : WIDE,
	    false);
	for (size_t i = 0; names[i] != NULL; i++) {
		struct row row = { .type = config_type_of(&kind, names[i]),
			.table = t };

		/* A file may have the name of a type of the program's own,
		 * which is the one that counts. */
		if (is_listed(names, i))
			continue;
		if (row.type == NULL)
			(void)rest_find(line->config, names[i], &errors);
		else if (line->json)
			(void)json_array_append_new(all, type_json(row.type));
		else
			add_rows(&row);
	}
	free_names(names);
	if (line->json) {
		rc = print_json(cmd, all, &errors);
	} else {
		rc = print_text(cmd, t, &errors);
		json_decref(all);
	}
	config_errors_release(&errors);
	table_free(t);
	return rc;
}

/* -- one of them ----------------------------------------------------------- */

/* Paragraphs, which stick at out of memory. */
struct page {
	struct buf out;
	int rc;
};

static void
wrap(struct page *p, const char *first, const char *others, const char *text)
{
	if (p->rc == 0)
		p->rc = text_wrap(&p->out, COLUMNS, first, others, text);
}

static void
add(struct page *p, const char *text)
{
	if (p->rc == 0)
		p->rc = buf_adds(&p->out, text);
}

static void
describe_stream(void *ctx, const struct sources_stream *s)
{
	struct page *p = ctx;
	char late[32], kept[32];
	char *text;

	span(s->late, late);
	span(s->kept, kept);
	text = xasprintf("%s: %s%sKept for %s. %s%s.%s", s->name,
	    s->title != NULL ? s->title : "", s->title != NULL ? ". " : "",
	    kept,
	    s->ordered ? "Read in the order in which the vendor processes "
			 "events, so that none comes late"
		       : "Found when it appears after up to ",
	    s->ordered ? "" : late,
	    s->off ? " Collected only where \"streams\" names it." : "");
	wrap(p, "  ", "    ", text);
	free(text);
}

/* What follows from how a stream is read. */
static void
blind_spot(void *ctx, const struct sources_stream *s)
{
	struct page *p = ctx;
	char late[32], kept[32];
	char *text;

	span(s->late, late);
	span(s->kept, kept);
	if (s->kept <= 0)
		return;
	text = s->ordered || s->late <= 0
	    ? xasprintf("%s: events that are older than %s when a feed begins, "
			"or that the vendor deletes while the agent is off "
			"for longer",
		  s->name, kept)
	    : xasprintf("%s: events that are older than %s when a feed begins, "
			"and those that the vendor shows more than %s after "
			"their time",
		  s->name, kept, late);
	wrap(p, "  ", "    ", text);
	free(text);
}

static void
describe_option(void *ctx, const struct setting_row *row)
{
	const struct setting *s = row->setting;
	struct page *p = ctx;
	char *text = xasprintf("%s (%s%s): %s", s->key, setting_type_name(s),
	    s->required ? ", required" : "", s->help);

	wrap(p, "  ", "    ", text);
	free(text);
}

static void
describe_text(struct page *p, const struct config_type *type)
{
	const struct definition *d = rest_definition(type);
	char *head = xasprintf("%s: %s", type->name,
	    type->title != NULL ? type->title : "");

	wrap(p, "", "  ", head);
	free(head);
	if (d != NULL)
		wrap(p, "Definition: ", "  ", d->file);
	add(p, "\n");
	if (type->before != NULL)
		add(p, type->before);
	add(p, "\nStreams:\n");
	sources_each(type, describe_stream, p);
	add(p, "\nWhat cannot be seen:\n");
	sources_each(type, blind_spot, p);
	add(p, "\nOptions:\n");
	settings_each(type->settings, describe_option, p);
}

static void
option_json(void *ctx, const struct setting_row *row)
{
	const struct setting *s = row->setting;

	(void)json_array_append_new(ctx,
	    json_pack("{s:s, s:s, s:b, s:s?, s:s}", "key", s->key, "type",
		setting_type_name(s), "required", s->required, "default",
		s->def, "help", s->help));
}

static json_t *
describe_json(const struct config_type *type)
{
	const struct definition *d = rest_definition(type);
	json_t *all = type_json(type), *setup = json_array(),
	       *options = json_array();

	for (size_t i = 0; d != NULL && d->setup != NULL && d->setup[i] != NULL;
	     i++)
		(void)json_array_append_new(setup, json_string(d->setup[i]));
	settings_each(type->settings, option_json, options);
	(void)json_object_set_new(all, "setup", setup);
	(void)json_object_set_new(all, "limits",
	    d != NULL && d->limits != NULL ? json_string(d->limits)
					   : json_null());
	(void)json_object_set_new(all, "noise",
	    d != NULL && d->noise != NULL ? json_string(d->noise)
					  : json_null());
	(void)json_object_set_new(all, "text",
	    type->before != NULL ? json_string(type->before) : json_null());
	(void)json_object_set_new(all, "options", options);
	return all;
}

/* The type of that name is not there: is it a faulty file, or a slip? */
static int
unknown(const struct cmd *cmd, const struct config_kind *kind, const char *name)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	char **names = config_type_names(kind);
	const char *near = text_nearest(name, (const char *const *)names);
	struct err err = ERR_INIT;
	int rc;

	(void)rest_find(kind->path, name, &errors);
	if (errors.n > 0) {
		rc = cmd_faulty(cmd, &errors);
	} else {
		(void)err_set(&err, "%s: there is no such source type; %s%s%s",
		    name, near != NULL ? "did you mean \"" : "",
		    near != NULL ? near : "\"sealfeed sources\" lists them",
		    near != NULL ? "\"?" : "");
		rc = cmd_failed(cmd, &err);
	}
	free_names(names);
	config_errors_release(&errors);
	return rc;
}

int
sources_describe(const struct cmd *cmd, const struct cmd_line *line,
    const char *name)
{
	const struct config_kind kind = kind_of(line);
	const struct config_type *type = config_type_of(&kind, name);
	struct page p = { .out = BUF_INIT(SIZE_MAX / 2) };
	struct err err = ERR_INIT;
	int rc = EXIT_FINE;

	if (type == NULL)
		return unknown(cmd, &kind, name);
	if (line->json)
		return cmd_print_json(describe_json(type), stdout) == 0
		    ? EXIT_FINE
		    : EXIT_WRONG;
	describe_text(&p, type);
	if (p.rc != 0)
		mem_gone();
	if (cmd_print(&p.out, &err) != 0)
		rc = cmd_failed(cmd, &err);
	buf_release(&p.out);
	return rc;
}

/* -- the subcommand -------------------------------------------------------- */

static int
sources_run(const struct cmd *cmd, struct cmd_line *line)
{
	static const struct {
		const char *option;
		int (*run)(const struct cmd *cmd, const struct cmd_line *line,
		    const char *value);
	} forms[] = {
		{ "describe", sources_describe },
		{ "new", sources_new },
		{ "test", sources_test },
	};
	const char *value = NULL;
	size_t form = 0, n = 0;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (cmd_value(line, forms[i].option) == NULL)
			continue;
		value = cmd_value(line, forms[i].option);
		form = i;
		n++;
	}
	if (n > 1)
		return cmd_misused(cmd,
		    "--describe, --new and --test exclude each other");
	if ((n == 0 || forms[form].run != sources_test) &&
	    (line->argc > 0 || cmd_value(line, "source") != NULL ||
		cmd_value(line, "stream") != NULL ||
		cmd_value(line, "events") != NULL))
		return cmd_misused(cmd,
		    "options of a source, --source, --stream and --events "
		    "belong to --test");
	return n == 0 ? list(cmd, line) : forms[form].run(cmd, line, value);
}

static const struct cmd_option sources_options[] = {
	{ .name = "describe",
	    .value = "VENDOR",
	    .help = "Say what to create at the vendor step by step, the "
		    "permissions to grant, limits, what cannot be seen, and "
		    "the options of such a source." },
	{ .name = "new",
	    .value = "FILE",
	    .help = "Write the frame of a definition, with a comment for each "
		    "key that most vendors need. FILE is NAME.yaml, and must "
		    "not exist." },
	{ .name = "test",
	    .value = "FILE",
	    .help = "Read each stream of a definition once, into a store that "
		    "is thrown away: every request and reply with what it is "
		    "taken for, where the next poll begins, and the first "
		    "events with the id and the time that were found in "
		    "them." },
	{ .name = "source",
	    .value = "NAME",
	    .help = "With --test: the source of the configuration whose "
		    "options are taken. Default: the first of that type." },
	{ .name = "stream",
	    .value = "NAME",
	    .help = "With --test: only that one." },
	{ .name = "events",
	    .value = "N",
	    .help = "With --test: end behind so many events of a stream. "
		    "Default: 5." },
	{ .name = NULL },
};

const struct cmd cmd_sources = {
	.name = "sources",
	.arguments = "[KEY=VALUE]...",
	.summary = "List the vendors that can be read; write and test one.",
	.help = "List the vendors that can be read, those of sources.d beside "
		"the configuration among them: streams, how late an event may "
		"appear and is still found, and how long the vendor keeps it. "
		"With --test, the arguments are options of the source, "
		"KEY=VALUE, or KEY_file=FILE, in which alone secrets are "
		"given; they come before those of the configuration, which "
		"is not needed then. The test makes real requests, with the "
		"credentials of the source, and changes neither store nor "
		"cursor of the agent.",
	.options = sources_options,
	.max = -1,
	.run = sources_run,
};
