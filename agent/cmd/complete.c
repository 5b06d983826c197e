/*
 * complete.c - what may stand at a place of the command line, for shells:
 * read from the tables of the subcommands, so that nothing is forgotten.
 */
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "config/config.h"
#include "evidence/public.h"
#include "outputs/output.h"
#include "run/types.h"
#include "sources/source.h"
#include "watch/limits.h"

/* The line as far as it was typed. */
struct place {
	const struct cmd *const *all;
	const struct cmd *cmd;
	const struct cmd_option *waits; /* for its value; NULL: none does */
	const char *config;
	const char *prefix;  /* of each word: "--output=" of "--output=si" */
	const char *section; /* that KEY=VALUE is about; NULL: none yet */
	const char *type;    /* its type, if it was given */
	char **arguments;    /* before the word in question */
	int n_arguments;
};

static void
say(const struct place *p, const char *word, const char *help)
{
	(void)printf("%s%s\t%s\n", p->prefix, word, help);
}

static void
say_subcommands(const struct place *p)
{
	for (size_t i = 0; p->all[i] != NULL; i++)
		say(p, p->all[i]->name, p->all[i]->summary);
}

static void
say_vendors(const struct place *p)
{
	const struct config_kind kind = {
		.section = "sources", .types = &agent_types, .path = p->config
	};
	char **names = config_type_names(&kind);

	for (size_t i = 0; names[i] != NULL; i++) {
		say(p, names[i], "source");
		free(names[i]);
	}
	free(names);
}

static void
say_types(const struct place *p)
{
	say_vendors(p);
	for (size_t i = 0; output_types[i] != NULL; i++)
		say(p, output_types[i]->name, "output");
}

/* Whoever may not read the configuration, or has none, gets no names. */
static struct config *
read_config(const struct place *p)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct config *c = config_load(p->config, &agent_types, &errors);

	config_errors_release(&errors);
	return c;
}

static void
say_feeds(const struct place *p)
{
	struct config *c = read_config(p);

	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n_sources; i++) {
		struct source_definition d;

		source_type_of(c->sources[i].type)
		    ->define(c->sources[i].conf, &d);
		for (size_t k = 0; d.streams[k] != NULL; k++)
			(void)printf("%s%s/%s\tfeed\n", p->prefix,
			    c->sources[i].name, d.streams[k]);
	}
	(void)printf("%s%s/agent\tthe agent's own feed\n", p->prefix,
	    c->agent.name);
	config_free(c);
}

static void
say_outputs(const struct place *p)
{
	struct config *c = read_config(p);

	for (size_t i = 0; c != NULL && i < c->n_outputs; i++)
		say(p, c->outputs[i].name, c->outputs[i].type->name);
	config_free(c);
}

static void
say_sources(const struct place *p)
{
	struct config *c = read_config(p);

	for (size_t i = 0; c != NULL && i < c->n_sources; i++)
		say(p, c->sources[i].name, c->sources[i].type->name);
	config_free(c);
}

static void
say_agent(const struct place *p)
{
	struct config *c = read_config(p);

	if (c != NULL)
		say(p, c->agent.name, "agent");
	config_free(c);
}

static void
say_when(const struct place *p)
{
	say(p, "auto", "on a terminal");
	say(p, "always", "");
	say(p, "never", "");
}

static void
say_kinds(const struct place *p)
{
	for (const struct key_kind *k = key_kinds; k->name != NULL; k++)
		say(p, k->name, "");
}

static void
say_limits(const struct place *p)
{
	char word[64];

	for (int i = 0; i < FIGURES; i++) {
		(void)snprintf(word, sizeof(word), "%s=", figure_kinds[i].name);
		say(p, word, "");
	}
}

/* Where a file of the configuration may stand, as those stand that are there.
 */
static void
say_places(const struct place *p)
{
	static const char *const folders[] = { "conf.d", "sources.d" };
	char *folder = file_folder(p->config);
	const size_t above = strlen(folder) + 1;
	const char *name = strrchr(p->config, '/');

	say(p, name == NULL ? p->config : name + 1, "the main file");
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char *pattern = xasprintf("%s/%s/*.yaml", folder, folders[i]);
		glob_t found = { .gl_pathc = 0 };

		if (glob(pattern, 0, NULL, &found) == 0)
			for (size_t k = 0; k < found.gl_pathc; k++)
				say(p, found.gl_pathv[k] + above, "");
		globfree(&found);
		free(pattern);
	}
	free(folder);
}

/* setting_fn: an option, a secret by a file of its own. */
static void
say_key(void *ctx, const struct setting_row *row)
{
	const struct setting *s = row->setting;
	char word[128];

	(void)snprintf(word, sizeof(word), "%s%s=", s->key,
	    setting_is_text_secret(s) ? "_file" : "");
	say(ctx, word, "");
}

/* "type=" of a source or an output first, and then what that type has. */
static void
say_pairs(const struct place *p)
{
	const struct config_kind kind = {
		.section = p->section, .types = &agent_types, .path = p->config
	};
	const struct config_type *type = NULL;
	struct place whom = *p;
	char **names;

	if (p->section == NULL)
		return;
	if (p->type != NULL)
		type = config_type_of(&kind, p->type);
	if (type != NULL) {
		settings_each(type->settings, say_key, &whom);
		return;
	}
	names = config_type_names(&kind);
	for (size_t i = 0; names[i] != NULL; i++) {
		(void)printf("type=%s\t\n", names[i]);
		free(names[i]);
	}
	free(names);
}

static void
say_files(const struct place *p)
{
	(void)p;
	(void)printf("./\tfiles\n");
}

/* What the placeholders of usage texts stand for; without a function: nothing
 * that could be guessed. */
static const struct {
	const char *name;
	void (*say)(const struct place *p);
} kinds[] = {
	{ "AGENT", say_agent },
	{ "FEED", say_feeds },
	{ "FILE", say_files },
	{ "ID", NULL },
	{ "INDEX", NULL },
	{ "INPUT", say_files },
	{ "KEY", say_files },
	{ "KEY=VALUE", say_pairs },
	{ "KIND", say_kinds },
	{ "N", NULL },
	{ "NAME", NULL },
	{ "NAME=LIMIT", say_limits },
	{ "OLD", say_files },
	{ "OUTPUT", say_outputs },
	{ "PLACE", say_places },
	{ "SOURCE", say_sources },
	{ "SUBCOMMAND", say_subcommands },
	{ "TIME", NULL },
	{ "TYPE", say_types },
	{ "VENDOR", say_vendors },
	{ "WHEN", say_when },
};

/* A placeholder, or a word that is meant as it stands. */
static int
say_word(const struct place *p, const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].name) != len ||
		    strncmp(kinds[i].name, word, len) != 0)
			continue;
		if (kinds[i].say != NULL)
			kinds[i].say(p);
		return 0;
	}
	if (len == 0)
		return 0;
	if (word[0] >= 'A' && word[0] <= 'Z') {
		(void)fprintf(stderr,
		    "sealfeed help: what %.*s of \"%s\" stands for is not "
		    "known\n",
		    (int)len, word, p->cmd->name);
		return -1;
	}
	(void)printf("%.*s\t\n", (int)len, word);
	return 0;
}

/* One argument of the usage text, as "[list|retry|drop]": its words. */
static int
say_argument(const struct place *p, const char *s, size_t size)
{
	int rc = 0;

	while (size > 0) {
		size_t len = strcspn(s, "[]|. ");

		len = len < size ? len : size;
		if (len > 0 && say_word(p, s, len) != 0)
			rc = -1;
		len += len == 0;
		s += len;
		size -= len;
	}
	return rc;
}

/* How long the argument at s is: "[agent | TYPE]..." is one. */
static size_t
argument_len(const char *s)
{
	size_t len = s[0] == '[' ? strcspn(s, "]") : 0;

	return len + strcspn(s + len, " ");
}

static bool
comes_again(const char *s, size_t len)
{
	return len > 3 && strncmp(s + len - 3, "...", 3) == 0;
}

/* May word stand there?  A word that is meant as it stands only there. */
static bool
fits(const char *s, size_t len, const char *word)
{
	bool plain = s[0] >= 'a' && s[0] <= 'z';

	return !plain || (strlen(word) == len && strncmp(s, word, len) == 0);
}

/* One of the forms of the usage text, which *s is left behind. */
static int
say_form(const struct place *p, const char **s)
{
	bool fitting = true;
	int rc = 0;

	for (int i = 0; **s != '\0' && **s != '|';) {
		size_t len = argument_len(*s);

		if (fitting && i == p->n_arguments)
			rc = say_argument(p, *s, len);
		fitting = fitting && i < p->n_arguments &&
		    fits(*s, len, p->arguments[i]);
		if (comes_again(*s, len) && fitting) {
			i++;
			continue;
		}
		i++;
		*s += len;
		*s += strspn(*s, " ");
	}
	return rc;
}

/* "check [FILE] | compact" has two forms. */
static int
say_arguments(const struct place *p)
{
	const char *s = p->cmd->arguments == NULL ? "" : p->cmd->arguments;
	int rc = 0;

	if (!p->cmd->mixed && p->cmd->max >= 0 && p->n_arguments >= p->cmd->max)
		return 0;
	while (*s != '\0') {
		if (say_form(p, &s) != 0)
			rc = -1;
		s += strspn(s, "| ");
	}
	return rc;
}

static void
say_options(const struct place *p, const struct cmd_option *o)
{
	char word[80];

	for (; o != NULL && o->name != NULL; o++) {
		(void)snprintf(word, sizeof(word), "--%s", o->name);
		say(p, word, o->help);
	}
}

static const struct cmd_option *
find_option(const struct cmd_option *o, const char *name, size_t len)
{
	for (; o != NULL && o->name != NULL; o++)
		if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

/* One word that was typed to its end. */
static void
pass(struct place *p, char *word)
{
	const struct cmd_option *o = p->waits;
	size_t len;

	if (o == NULL && strncmp(word, "--", 2) == 0) {
		word += 2;
		len = strcspn(word, "=");
		o = find_option(p->cmd->options, word, len);
		if (o == NULL)
			o = find_option(cmd_common, word, len);
		p->waits = o != NULL && o->value != NULL && word[len] == '\0'
		    ? o
		    : NULL;
		word += len + (word[len] == '=');
		if (p->waits != NULL)
			return;
	} else if (o == NULL) {
		if (strncmp(word, "type=", 5) == 0)
			p->type = word + 5;
		p->arguments[p->n_arguments++] = word;
	}
	if (o != NULL && strcmp(o->name, "config") == 0)
		p->config = word;
	if (o != NULL && strcmp(p->cmd->name, "setup") == 0) {
		p->section = strcmp(o->name, "source") == 0 ? "sources"
		    : strcmp(o->name, "output") == 0        ? "outputs"
							    : p->section;
		p->type = NULL;
	}
	p->waits = NULL;
}

int
cmd_complete(const struct cmd *const *all, char **words, int n)
{
	struct place p = { .all = all, .config = CONFIG_PATH, .prefix = "" };
	const struct cmd_option *o;
	char *last, *equals;

	if (n <= 1) {
		say_subcommands(&p);
		return 0;
	}
	for (size_t i = 0; all[i] != NULL && p.cmd == NULL; i++)
		if (strcmp(all[i]->name, words[0]) == 0)
			p.cmd = all[i];
	if (p.cmd == NULL)
		return 0;
	/* There are never more than words that were looked at. */
	p.arguments = words;
	for (int i = 1; i < n - 1; i++)
		pass(&p, words[i]);
	if (p.waits != NULL)
		return say_word(&p, p.waits->value, strlen(p.waits->value));
	last = words[n - 1];
	if (last[0] != '-')
		return say_arguments(&p);
	equals = strchr(last, '=');
	if (equals != NULL) {
		o = find_option(p.cmd->options, last + 2,
		    (size_t)(equals - last) - 2);
		equals[1] = '\0';
		p.prefix = last;
		return o == NULL || o->value == NULL
		    ? 0
		    : say_word(&p, o->value, strlen(o->value));
	}
	say_options(&p, p.cmd->options);
	say_options(&p, cmd_common);
	return 0;
}
