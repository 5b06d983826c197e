/*
 * options.c - print every option of the configuration as text, as JSON and as
 * the body of sealfeed.yaml(5), from the tables that the parser uses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/roff.h"
#include "config/config.h"
#include "outputs/output.h"
#include "sources/rest/definition.h"
#include "sources/rest/rest.h"
#include "sources/source.h"

#define RANGE_MAX 4096

/* A table and where it stands in the file. */
struct section {
	const char *name; /* "agent", or the type's */
	const char *kind; /* "" for the agent, else "source" or "output" */
	const struct setting *rows;
	/* Of a block of vendors' definitions, whose name is DEFINITION: what
	 * it is called there and what it is; else NULL. */
	const char *block;
	const char *help;
};

/* Vendors that are read by a definition have options only where they are
 * asked for; and so have the definitions themselves. */
#define DEFINITION "definition"

struct sections {
	struct section *list;
	const char **names; /* names of the sections, ended by NULL */
	size_t n;
};

static void
add_section(struct sections *s, const char *name, const char *kind,
    const struct setting *rows)
{
	s->list = xreallocarray(s->list, s->n + 1, sizeof(*s->list));
	s->names = xreallocarray(s->names, s->n + 2, sizeof(*s->names));
	s->list[s->n] =
	    (struct section){ .name = name, .kind = kind, .rows = rows };
	s->names[s->n++] = name;
	s->names[s->n] = NULL;
}

static void
add_blocks(struct sections *s)
{
	for (const struct definition_block *b = definition_blocks;
	     b->name != NULL; b++) {
		add_section(s, DEFINITION, "source", b->rows);
		s->list[s->n - 1].block = b->name;
		s->list[s->n - 1].help = b->help;
	}
}

/* The types of definitions that the arguments name. */
static void
add_defined(struct sections *s, const struct cmd_line *line)
{
	for (int a = 0; a < line->argc; a++) {
		struct config_errors errors = CONFIG_ERRORS_INIT;
		const struct config_type *type =
		    rest_find(line->config, line->argv[a], &errors);

		if (type != NULL)
			add_section(s, type->name, "source", type->settings);
		for (size_t i = 0; i < errors.n; i++)
			(void)fprintf(stderr, "%s\n", errors.line[i]);
		config_errors_release(&errors);
	}
}

static void
find_sections(struct sections *s)
{
	add_section(s, "agent", "", agent_settings);
	for (size_t i = 0; source_types[i] != NULL; i++)
		add_section(s, source_types[i]->name, "source",
		    source_types[i]->settings);
	for (size_t i = 0; output_types[i] != NULL; i++)
		add_section(s, output_types[i]->name, "output",
		    output_types[i]->settings);
}

/* "number, 1 to 64, default 8" */
static void
describe(const struct setting *s, struct buf *out)
{
	struct buf range = BUF_INIT(RANGE_MAX);
	const char *def = s->def == NULL ? "" : s->def;
	bool good;

	good = setting_range(s, &range) == 0 &&
	    buf_adds(out, setting_type_name(s)) == 0 &&
	    (range.len == 0 ||
		buf_addf(out, "%s%s", s->choices != NULL ? " of " : ", ",
		    range.data) == 0) &&
	    (!s->required || buf_adds(out, ", required") == 0) &&
	    (def[0] == '\0' || buf_addf(out, ", default %s", def) == 0);
	if (!good)
		buf_clear(out);
	buf_release(&range);
}

static void
text_row(void *ctx, const struct setting_row *row)
{
	struct buf about = BUF_INIT(2 * RANGE_MAX);

	(void)ctx;
	describe(row->setting, &about);
	(void)printf("  %s\n", row->setting->key);
	roff_wrap(stdout, 6, about.data == NULL ? "" : about.data);
	roff_wrap(stdout, 6, row->setting->help);
	buf_release(&about);
}

static void
text_section(void *ctx, const struct section *s)
{
	(void)ctx;
	if (s->block != NULL)
		(void)printf("%s of a definition: %s\n\n",
		    *s->block != '\0' ? s->block : "top", s->help);
	else if (s->kind[0] == '\0')
		(void)printf("%s\n\n", s->name);
	else
		(void)printf("%s of type %s\n\n", s->kind, s->name);
	settings_each(s->rows, text_row, NULL);
	(void)putchar('\n');
}

static void
man_row(void *ctx, const struct setting_row *row)
{
	struct buf about = BUF_INIT(2 * RANGE_MAX);

	(void)ctx;
	describe(row->setting, &about);
	(void)fputs(".TP\n\\fB", stdout);
	roff_text(stdout, row->setting->key);
	(void)fputs("\\fR (", stdout);
	roff_text(stdout, about.data == NULL ? "" : about.data);
	(void)fputs(")\n", stdout);
	roff_text(stdout, row->setting->help);
	(void)fputc('\n', stdout);
	buf_release(&about);
}

static void
man_section(void *ctx, const struct section *s)
{
	(void)ctx;
	if (s->block != NULL) {
		(void)printf(".SS Definitions of vendors%s%s\n",
		    *s->block != '\0' ? ": " : "", s->block);
		roff_text(stdout, s->help);
		(void)putchar('\n');
	} else if (s->kind[0] == '\0')
		(void)printf(".SS The agent\n");
	else
		(void)printf(".SS %c%s of type %s\n",
		    s->kind[0] == 's' ? 'S' : 'O', s->kind + 1, s->name);
	settings_each(s->rows, man_row, NULL);
}

static json_t *
choices_json(const struct setting *s)
{
	json_t *list = json_array();

	for (size_t i = 0; s->choices[i] != NULL; i++)
		(void)json_array_append_new(list, json_string(s->choices[i]));
	return list;
}

static void
json_row(void *ctx, const struct setting_row *row)
{
	const struct setting *s = row->setting;
	struct buf range = BUF_INIT(RANGE_MAX);
	json_t *list = ctx;
	json_t *one = json_pack("{s:s, s:s, s:b, s:s?, s:s}", "key", s->key,
	    "type", setting_type_name(s), "required", s->required, "default",
	    s->def, "help", s->help);

	if (s->choices != NULL)
		(void)json_object_set_new(one, "choices", choices_json(s));
	else if (setting_range(s, &range) == 0 && range.len > 0)
		(void)json_object_set_new(one, "range",
		    json_string(range.data));
	(void)json_array_append_new(list, one);
	buf_release(&range);
}

static void
json_section(void *ctx, const struct section *s)
{
	json_t *list = json_array();

	settings_each(s->rows, json_row, list);
	(void)json_array_append_new(ctx,
	    json_pack("{s:s, s:s, s:o}", "section",
		s->kind[0] == '\0' ? s->name : s->kind, "type", s->name,
		"options", list));
}

/* Call fn for the sections named in the arguments, for all if there are
 * none. */
static void
each_section(const struct sections *all, const struct cmd_line *line,
    void (*fn)(void *ctx, const struct section *s), void *ctx)
{
	for (size_t i = 0; i < all->n; i++) {
		bool wanted = line->argc == 0 &&
		    (all->list[i].block == NULL ||
			cmd_value(line, "man") != NULL);

		for (int a = 0; a < line->argc; a++)
			wanted = wanted ||
			    strcmp(line->argv[a], all->list[i].name) == 0;
		if (wanted)
			fn(ctx, &all->list[i]);
	}
}

/* Returns 0, or the exit status if an argument is not a section. */
static int
check_names(const struct cmd *cmd, const struct sections *all,
    const struct cmd_line *line)
{
	for (int a = 0; a < line->argc; a++) {
		const char *near = text_nearest(line->argv[a], all->names);
		bool known = false;

		for (size_t i = 0; i < all->n; i++)
			known =
			    known || strcmp(line->argv[a], all->names[i]) == 0;
		if (known)
			continue;
		return cmd_misused(cmd, "there are no options for \"%s\"%s%s%s",
		    line->argv[a], near == NULL ? "" : "; did you mean \"",
		    near == NULL ? "" : near, near == NULL ? "" : "\"?");
	}
	return 0;
}

static int
options_run(const struct cmd *cmd, struct cmd_line *line)
{
	struct sections all = { .n = 0 };
	json_t *list;
	int rc;

	if (line->json && cmd_value(line, "man") != NULL)
		return cmd_misused(cmd, "--man and --json exclude each other");
	find_sections(&all);
	add_blocks(&all);
	add_defined(&all, line);
	rc = check_names(cmd, &all, line);
	if (rc != 0) {
		/* check_names() has said what is wrong. */
	} else if (cmd_value(line, "man") != NULL) {
		each_section(&all, line, man_section, NULL);
	} else if (line->json) {
		list = json_array();
		each_section(&all, line, json_section, list);
		if (json_dumpf(list, stdout, JSON_INDENT(2)) == 0)
			(void)putchar('\n');
		json_decref(list);
	} else {
		each_section(&all, line, text_section, NULL);
	}
	free(all.list);
	free(all.names);
	return rc;
}

static const struct cmd_option options_options[] = {
	{ .name = "man",
	    .help =
		"Print this part of sealfeed.yaml(5) as manual page source." },
	{ .name = NULL },
};

const struct cmd cmd_options = {
	.name = "options",
	.arguments = "[agent | TYPE | definition]...",
	.summary = "Print the options of the configuration.",
	.help = "Print the options of the configuration: key, type, range, "
		"default and meaning. With arguments, print only the options "
		"of the agent or of the named source and output types; those "
		"of vendors that are read by a definition, such as okta, are "
		"printed by name. \"definition\" prints the keys of a "
		"definition.",
	.options = options_options,
	.max = -1,
	.run = options_run,
};
