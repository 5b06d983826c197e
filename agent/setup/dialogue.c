/*
 * dialogue.c - asks for what the answers still lack.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/text.h"
#include "config/config.h"
#include "config/secret.h"
#include "setup/answers.h"
#include "setup/dialogue.h"
#include "setup/terminal.h"

#define PROMPT_MAX 1024
#define COLUMNS 78

/* What a section is to people. */
static const struct section {
	const char *name;
	const char *noun;
	const char *about;
	const char *default_name; /* NULL: the type's */
} sections[] = {
	{ "sources", "source",
	    "the account at a vendor whose audit log is read", NULL },
	{ "outputs", "output", "where the events go", "siem" },
};

#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

/* One entry that is asked for. */
struct talk {
	struct answers *answers;
	const struct section *section;
	const struct node *there; /* of this entry, or NULL */
	struct node *entry;
	const struct config_type *type;
	bool anew;
	FILE *out;
	struct err *err;
};

static void
wrap(FILE *out, const char *text)
{
	struct buf lines = BUF_INIT(SIZE_MAX / 2);

	if (text_wrap(&lines, COLUMNS, "  ", "  ", text) != 0)
		mem_gone();
	(void)fputs(lines.data, out);
	buf_release(&lines);
}

/* All that is known of an entry: what is there, and the answers. */
static struct node *
whole_entry(const struct node *there, const struct node *entry)
{
	struct node *whole = node_copy(entry);
	struct node *base;

	if (there == NULL || there->type != NODE_MAP)
		return whole;
	base = node_copy(there);
	node_merge(base, whole);
	return base;
}

static void
judge(const struct talk *t, struct config_errors *errors,
    struct config_errors *warnings)
{
	const struct config_kind part =
	    answers_part(t->answers, t->section->name);
	struct node *whole = whole_entry(t->there, t->entry);

	config_judge(&part, whole, errors, warnings);
	node_free(whole);
}

/* Take back what was said of the entry since it was copied. */
static void
restore(struct talk *t, struct node *copy)
{
	struct node *said = t->entry->child;

	t->entry->child = copy->child;
	copy->child = said;
}

static bool
complete(const struct talk *t)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	bool good;

	judge(t, &errors, NULL);
	good = errors.n == 0;
	config_errors_release(&errors);
	return good;
}

/* What is said about the answer of this line; true: something was. */
static bool
tell(const struct talk *t, const struct config_errors *list, const char *kind,
    size_t line)
{
	bool told = false;

	for (size_t i = 0; i < list->n; i++) {
		const struct config_error_place *p = &list->place[i];

		if (line != 0 &&
		    (p->line != line || p->file == NULL ||
			strcmp(p->file, t->entry->file) != 0))
			continue;
		(void)fprintf(t->out, "  %s%s\n", kind, p->text);
		told = true;
	}
	return told;
}

/* Is the answer good?  It was the last one, and has its line. */
static bool
accept(const struct talk *t, bool *doubted)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct config_errors warnings = CONFIG_ERRORS_INIT;
	bool good;

	judge(t, &errors, &warnings);
	good = !tell(t, &errors, "", t->answers->line);
	if (good && !*doubted && tell(t, &warnings, "", t->answers->line)) {
		(void)fprintf(t->out, "  Enter it once more if it is right.\n");
		*doubted = true;
		good = false;
	}
	config_errors_release(&errors);
	config_errors_release(&warnings);
	return good;
}

static const char *
text_of(const struct node *map, const char *key)
{
	const struct node *n = node_find(map, key);

	return n == NULL || n->type != NODE_SCALAR || node_null(n) ? NULL
								   : n->text;
}

/* One of the options with these names, blanks between them, has a value. */
static bool
any_of(const struct talk *t, const char *names)
{
	char key[64];
	int n;

	for (; names != NULL && sscanf(names, "%63s%n", key, &n) == 1;
	     names += n)
		if (text_of(t->entry, key) != NULL ||
		    text_of(t->there, key) != NULL)
			return true;
	return false;
}

/* What was answered before, lists as they are typed; "": nothing.  The caller
 * wipes what is secret and frees. */
static char *
answer_before(const struct talk *t, const char *key)
{
	const struct node *n = node_find(t->entry, key);
	struct buf list = BUF_INIT(SIZE_MAX / 2);

	if (n == NULL || n->type != NODE_LIST)
		return xstrdup(n == NULL || n->type != NODE_SCALAR ? ""
								   : n->text);
	if (buf_adds(&list, "") != 0)
		mem_gone();
	for (n = n->child; n != NULL; n = n->next)
		if (n->type == NODE_SCALAR &&
		    buf_addf(&list, "%s%s", list.len == 0 ? "" : ",",
			n->text) != 0)
			mem_gone();
	return buf_take(&list, NULL);
}

/* Nothing is said about this option any more: true. */
static bool
take_back(struct talk *t, const char *key)
{
	struct node *map = t->entry;
	const char *dot;

	while (map != NULL && (dot = strchr(key, '.')) != NULL) {
		char *part = xstrndup(key, (size_t)(dot - key));

		map = node_get(map, part);
		key = dot + 1;
		free(part);
	}
	if (map != NULL)
		node_remove(map, node_get(map, key));
	return true;
}

static void
explain(const struct talk *t, const struct setting *row)
{
	struct buf range = BUF_INIT(4096);

	wrap(t->out, row->help);
	if (row->choices != NULL && setting_range(row, &range) == 0)
		(void)fprintf(t->out, "  One of: %s.\n", range.data);
	if (setting_is_text_secret(row))
		(void)fprintf(t->out,
		    "  It is not shown, and kept in a file of its own. "
		    "${file:PATH} takes it from a file.\n");
	buf_release(&range);
}

/* Take an answer; false: it is no good, which was said. */
static bool
take(struct talk *t, const char *key, const char *text, bool *doubted)
{
	struct node *copy = node_copy(t->entry);
	bool good = answers_set(t->answers, t->entry, t->type->settings, key,
			text, t->err) == 0;

	if (!good) {
		(void)fprintf(t->out, "  %s\n", t->err->text);
		err_clear(t->err);
	}
	good = good && accept(t, doubted);
	if (!good)
		restore(t, copy);
	node_free(copy);
	return good;
}

/* The question, with what Enter means in brackets. */
static void
ask_with(char *prompt, size_t size, const struct setting *row, const char *def,
    bool secret, bool optional)
{
	(void)snprintf(prompt, size,
	    "%s%s%.200s%s%s: ", row->ask != NULL ? row->ask : row->key,
	    def[0] == '\0' ? "" : " [",
	    secret && def[0] != '\0' ? "as before" : def,
	    optional ? ", - for none" : "", def[0] == '\0' ? "" : "]");
}

/* Ask for one option until the answer is good, or none where none is
 * needed. */
static int
ask_row(struct talk *t, const struct setting *row)
{
	char *def = answer_before(t, row->key);
	const bool secret = setting_is_text_secret(row);
	const enum terminal_shows shows = secret ? TERMINAL_NOTHING
	    : setting_is_pem(row)                ? TERMINAL_NO_PEM
						 : TERMINAL_ALL;
	const bool optional = def[0] != '\0' && !row->required;
	char prompt[PROMPT_MAX], *line = NULL;
	bool doubted = false, done = false;

	if (def[0] == '\0' && !secret && row->def != NULL) {
		free(def);
		def = xstrdup(row->def);
	}
	ask_with(prompt, sizeof(prompt), row, def,
	    secret || strstr(def, "-----BEGIN") != NULL, optional);
	if (row->ask == NULL)
		wrap(t->out, row->help);
	while (!done) {
		line = terminal_line(t->out, prompt, shows, t->err);
		if (line == NULL)
			break;
		if (strcmp(line, "?") == 0)
			explain(t, row);
		else if (optional && strcmp(line, "-") == 0)
			done = take_back(t, row->key);
		else if (line[0] != '\0')
			done = take(t, row->key, line, &doubted);
		else if (def[0] == '\0' && row->required)
			(void)fprintf(t->out, "  It is needed.\n");
		else
			done = true;
		OPENSSL_cleanse(line, strlen(line));
		free(line);
	}
	OPENSSL_cleanse(def, strlen(def));
	free(def);
	return done ? 0 : -1;
}

/* setting_fn */
static void
consider_row(void *ctx, const struct setting_row *r)
{
	const struct setting *row = r->setting;
	struct talk *t = ctx;

	if (t->err->text[0] != '\0' || (row->ask == NULL && !row->required) ||
	    node_find(t->there, row->key) != NULL ||
	    (!t->anew && node_find(t->entry, row->key) != NULL) ||
	    any_of(t, row->unless))
		return;
	(void)ask_row(t, row);
}

/* Anything else that the type has: "KEY=VALUE", or a name alone, which is then
 * asked for. */
static int
one_more(struct talk *t, const char *line)
{
	const char *equals = strchr(line, '=');
	char *key = xstrndup(line, strcspn(line, "="));
	const struct setting *row = answers_row(t->type->settings, key);
	bool doubted = true;
	int rc = 0;

	if (equals != NULL && row != NULL && setting_is_text_secret(row))
		(void)fprintf(t->out,
		    "  %s is a secret: type its name alone, and it is asked "
		    "for.\n",
		    key);
	else if (equals != NULL)
		(void)take(t, key, equals + 1, &doubted);
	else if (row != NULL)
		rc = ask_row(t, row);
	else
		(void)fprintf(t->out, "  \"sealfeed options %s\" lists them.\n",
		    t->type->name);
	free(key);
	return rc;
}

static int
ask_more(struct talk *t)
{
	char *line;
	int rc;

	for (;;) {
		line = terminal_line(t->out,
		    "Another option, as KEY=VALUE (Enter: none): ",
		    TERMINAL_ALL, t->err);
		if (line == NULL)
			return -1;
		rc = line[0] == '\0' ? 1 : one_more(t, line);
		free(line);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
}

/* The types, with the numbers by which they may be named. */
static void
list_types(const struct talk *t, const struct config_kind *part, char **names)
{
	for (int i = 0; names[i] != NULL; i++) {
		const struct config_type *type = config_type_of(part, names[i]);

		(void)fprintf(t->out, "  %2d  %-20s %s\n", i + 1, names[i],
		    type == NULL || type->title == NULL ? "" : type->title);
	}
}

/* By number or by name. */
static const struct config_type *
type_by(const struct config_kind *part, char **names, const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	for (long i = 0; *end == '\0' && names[i] != NULL; i++)
		if (n == i + 1)
			return config_type_of(part, names[i]);
	return config_type_of(part, text);
}

static const struct config_type *
ask_type(const struct talk *t)
{
	const struct config_kind part =
	    answers_part(t->answers, t->section->name);
	char **names = config_type_names(&part);
	const struct config_type *type = NULL;
	char prompt[PROMPT_MAX], *line = NULL;

	list_types(t, &part, names);
	(void)snprintf(prompt, sizeof(prompt),
	    "Type, by number or name [%s]: ", names[0]);
	do {
		free(line);
		line = terminal_line(t->out, prompt, TERMINAL_ALL, t->err);
		if (line != NULL)
			type = type_by(&part, names,
			    line[0] == '\0' ? names[0] : line);
		if (line != NULL && type == NULL)
			(void)fprintf(t->out, "  There is no type \"%s\".\n",
			    line);
	} while (line != NULL && type == NULL);
	free(line);
	for (size_t i = 0; names[i] != NULL; i++)
		free(names[i]);
	free(names);
	return type;
}

/* A name for the entry; the caller frees it. */
static char *
ask_name(const struct talk *t, const char *def)
{
	char prompt[PROMPT_MAX], *line;

	(void)snprintf(prompt, sizeof(prompt),
	    "Name of this %s [%s]: ", t->section->noun, def);
	for (;;) {
		line = terminal_line(t->out, prompt, TERMINAL_ALL, t->err);
		if (line == NULL)
			return NULL;
		if (line[0] == '\0') {
			free(line);
			return xstrdup(def);
		}
		if (config_good_name(line))
			return line;
		(void)fprintf(t->out,
		    "  1 to 63 letters, digits, \".\", \"_\" or \"-\".\n");
		free(line);
	}
}

/* All questions about one entry whose type is known. */
static int
ask_entry(struct talk *t)
{
	struct config_errors errors;

	if (!t->anew && t->type->before != NULL)
		(void)fprintf(t->out, "\n%s\n", t->type->before);
	do {
		settings_each(t->type->settings, consider_row, t);
		if (t->err->text[0] != '\0' || ask_more(t) != 0)
			return -1;
		errors = (struct config_errors)CONFIG_ERRORS_INIT;
		judge(t, &errors, NULL);
		(void)tell(t, &errors, "", 0);
		t->anew = true;
		config_errors_release(&errors);
	} while (!complete(t));
	return 0;
}

static void
begin_entry(struct talk *t, const char *name, const struct node *there)
{
	t->entry = answers_entry(t->answers, t->section->name, name);
	t->there = node_get(node_get(there, t->section->name), name);
	t->type = answers_type(t->answers, t->section->name, t->entry);
	if (t->type == NULL && t->there != NULL)
		t->type = answers_type(t->answers, t->section->name, t->there);
}

static int
ask_new(struct talk *t, const struct node *there)
{
	const struct config_type *type;
	char *name;

	(void)fprintf(t->out, "\nThe %s: %s\n", t->section->noun,
	    t->section->about);
	type = ask_type(t);
	if (type == NULL)
		return -1;
	name = ask_name(t,
	    t->section->default_name != NULL ? t->section->default_name
					     : type->name);
	if (name == NULL)
		return -1;
	begin_entry(t, name, there);
	free(name);
	(void)answers_set(t->answers, t->entry, NULL, "type", type->name,
	    t->err);
	t->type = type;
	return ask_entry(t);
}

/* Entries of this section that were begun, and lack something. */
static int
ask_begun(struct talk *t, const struct node *all, const struct node *there)
{
	const bool anew = t->anew;

	for (const struct node *n = all == NULL ? NULL : all->child; n != NULL;
	     n = n->next) {
		begin_entry(t, n->key, there);
		t->anew = anew;
		if (t->type == NULL || (!anew && complete(t)))
			continue;
		(void)fprintf(t->out, "\nThe %s %s\n", t->section->noun,
		    n->key);
		if (ask_entry(t) != 0)
			return -1;
	}
	return 0;
}

static bool
has_entries(const struct node *tree, const char *section)
{
	const struct node *all = node_get(tree, section);

	return all != NULL && all->type == NODE_MAP && all->child != NULL;
}

static int
ask_agent(struct answers *a, const struct node *there, bool anew, FILE *out,
    struct err *err)
{
	static const struct section agent = { .name = "agent",
		.noun = "agent" };
	struct talk t = {
		.answers = a, .section = &agent, .out = out, .err = err
	};
	struct node *map = node_map(a->tree, "agent");
	char host[256] = "";
	char *name;

	if (map == NULL || text_of(node_get(there, "agent"), "name") != NULL ||
	    (!anew && text_of(map, "name") != NULL))
		return 0;
	if (text_of(map, "name") != NULL)
		(void)snprintf(host, sizeof(host), "%s", text_of(map, "name"));
	else if (gethostname(host, sizeof(host) - 1) != 0 ||
	    !config_good_name(host))
		(void)snprintf(host, sizeof(host), "agent");
	name = ask_name(&t, host);
	if (name == NULL)
		return -1;
	node_put(map, node_scalar(map, "name", name));
	free(name);
	return 0;
}

int
dialogue(struct answers *a, const struct node *there, bool anew, FILE *out,
    struct err *err)
{
	struct talk t = { .answers = a, .out = out, .err = err };

	free(a->tree->file);
	a->tree->file = xstrdup(ANSWERS_DIALOGUE);
	(void)fprintf(out,
	    "Enter takes the answer in [brackets], \"?\" explains a question, "
	    "Ctrl-C ends\nsetup and leaves everything as it was.\n\n");
	if (ask_agent(a, there, anew, out, err) != 0)
		return -1;
	for (size_t i = 0; i < SECTIONS; i++) {
		t.section = &sections[i];
		t.anew = anew;
		if (has_entries(a->tree, sections[i].name)) {
			if (ask_begun(&t, node_get(a->tree, sections[i].name),
				there) != 0)
				return -1;
		} else if (!has_entries(there, sections[i].name)) {
			if (ask_new(&t, there) != 0)
				return -1;
		}
	}
	return 0;
}

bool
dialogue_needed(struct answers *a, const struct node *there,
    struct config_errors *says)
{
	struct talk t = { .answers = a };
	bool needed = false;

	for (size_t i = 0; i < SECTIONS; i++) {
		struct node *all = node_get(a->tree, sections[i].name);

		t.section = &sections[i];
		if (!has_entries(a->tree, sections[i].name) &&
		    !has_entries(there, sections[i].name)) {
			needed = true;
			if (says != NULL)
				config_errors_add(says, NULL,
				    "%s: there is none; give one by --%s NAME "
				    "type=TYPE KEY=VALUE… or --answers FILE, "
				    "or "
				    "run setup on a terminal",
				    sections[i].name, sections[i].noun);
		}
		for (struct node *n = all == NULL ? NULL : all->child;
		     n != NULL; n = n->next) {
			t.entry = n;
			t.there =
			    node_get(node_get(there, t.section->name), n->key);
			needed = needed || !complete(&t);
		}
	}
	return needed;
}

char
dialogue_choice(const char *question, const char *letters, FILE *out)
{
	struct err err = ERR_INIT;
	char *line, c = 0;

	while (c == 0) {
		line = terminal_line(out, question, TERMINAL_ALL, &err);
		if (line == NULL)
			return 0;
		c = line[0] == '\0' ? letters[0]
				    : (char)tolower((unsigned char)line[0]);
		if (strchr(letters, c) == NULL)
			c = 0;
		free(line);
	}
	return c;
}
