/*
 * answers.c - what setup was told, by a file and by the command line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
#include "config/secret.h"
#include "config/setting.h"
#include "setup/answers.h"

#define TEXT_MAX (1 << 20)
#define KEY_LEN_MAX 128
#define FILE_SUFFIX "_file"

void
answers_init(struct answers *a, const struct config_types *types,
    const char *config)
{
	*a = (struct answers){ .types = types, .config = config };
	a->tree = xcalloc(1, sizeof(*a->tree));
	a->tree->type = NODE_MAP;
	a->tree->file = xstrdup(ANSWERS_LINE);
}

static void
wipe(struct node *n)
{
	for (; n != NULL; n = n->next) {
		if (n->text != NULL)
			OPENSSL_cleanse(n->text, strlen(n->text));
		wipe(n->child);
	}
}

void
answers_free(struct answers *a)
{
	wipe(a->tree);
	node_free(a->tree);
	a->tree = NULL;
}

/* All of standard input; once. */
static int
read_stdin(struct answers *a, struct buf *out, struct err *err)
{
	char *to;
	ssize_t n;

	if (a->stdin_is_read)
		return err_set(err,
		    "standard input is named twice, and can be read once; give "
		    "one of the two as a file");
	a->stdin_is_read = true;
	if (buf_adds(out, "") != 0)
		return err_set(err, "out of memory");
	for (;;) {
		to = buf_room(out, 4096);
		if (to == NULL || out->len + 4096 > TEXT_MAX)
			return err_set(err,
			    "standard input: more than %d bytes", TEXT_MAX);
		n = read(STDIN_FILENO, to, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err,
			    "standard input: cannot be read: %s",
			    strerror(errno));
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		if (n == 0)
			return 0;
	}
}

static int
read_text(struct answers *a, const char *file, struct buf *out, struct err *err)
{
	struct err why = ERR_INIT;

	/* At once, so that growing leaves no copies of secrets behind. */
	if (buf_room(out, TEXT_MAX - 1) == NULL)
		return err_set(err, "out of memory");
	if (strcmp(file, "-") == 0)
		return read_stdin(a, out, err);
	if (file_read(file, out, &why) == 0)
		return 0;
	return err_set(err, "%s%s", why.text,
	    access(file, R_OK) == 0
		? ""
		: "; name a file that is there and that you may read");
}

static void
release_text(struct buf *b)
{
	if (b->data != NULL)
		OPENSSL_cleanse(b->data, b->size);
	buf_release(b);
}

/* Sections are maps, and what is in them are maps of options. */
static void
judge_shape(const struct node *tree, struct config_errors *faults)
{
	static const char *const sections[] = { "agent", "sources", "outputs" };

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		const struct node *s = node_get(tree, sections[i]);

		if (s == NULL || node_null(s))
			continue;
		if (s->type != NODE_MAP)
			config_errors_add(faults, s, "%s: must be a map of %s",
			    s->key,
			    i == 0 ? "its options"
				   : "names, each with a map of options");
		for (const struct node *n = s->child;
		     i > 0 && s->type == NODE_MAP && n != NULL; n = n->next)
			if (n->type != NODE_MAP)
				config_errors_add(faults, n,
				    "%s.%s: must be a map of its options",
				    s->key, n->key);
	}
}

int
answers_read(struct answers *a, const char *file, struct config_errors *faults,
    struct err *err)
{
	const char *name = strcmp(file, "-") == 0 ? "standard input" : file;
	struct buf text = BUF_INIT(TEXT_MAX);
	struct err why = ERR_INIT;
	struct node *tree = NULL;
	int rc = read_text(a, file, &text, err);

	if (rc == 0) {
		tree = yaml_parse(name, text.data, text.len, &why);
		if (tree == NULL) {
			config_errors_add_err(faults, why.text);
		} else if (tree->type != NODE_MAP) {
			config_errors_add(faults, tree,
			    "the answers must be a map of agent, sources and "
			    "outputs");
		} else {
			config_errors_repeats(faults, tree);
			judge_shape(tree, faults);
		}
	}
	if (rc == 0 && faults->n == 0)
		node_merge(a->tree, tree);
	else
		node_free(tree);
	release_text(&text);
	return rc == 0 && faults->n == 0 ? 0 : -1;
}

struct node *
answers_entry(struct answers *a, const char *section, const char *name)
{
	struct node *all = node_map(a->tree, section);

	return all == NULL ? NULL : node_map(all, name);
}

struct config_kind
answers_part(const struct answers *a, const char *section)
{
	return (struct config_kind){ section, a->types, a->config };
}

const struct config_type *
answers_type(const struct answers *a, const char *section,
    const struct node *entry)
{
	const struct config_kind part = answers_part(a, section);
	const struct node *type = node_get(entry, "type");

	return type == NULL || type->type != NODE_SCALAR
	    ? NULL
	    : config_type_of(&part, type->text);
}

struct find {
	const char *key;
	const struct setting *found;
};

static void
find_row(void *ctx, const struct setting_row *row)
{
	const struct setting *s = row->setting;
	const size_t len = strlen(s->key);
	struct find *f = ctx;

	if (strcmp(s->key, f->key) == 0 ||
	    (s->type == SETTING_SECRETS && strncmp(s->key, f->key, len) == 0 &&
		f->key[len] == '.'))
		f->found = s;
}

const struct setting *
answers_row(const struct setting *table, const char *key)
{
	struct find f = { .key = key };

	if (table != NULL)
		settings_each(table, find_row, &f);
	return f.found;
}

/* "a, b" or "[a, b]" */
static struct node *
list_of(const struct node *map, const char *key, const char *text,
    struct err *err)
{
	char *whole = text[0] == '[' ? xstrdup(text) : xasprintf("[%s]", text);
	struct node *n = yaml_parse(map->file, whole, strlen(whole), err);

	free(whole);
	if (n == NULL)
		return NULL;
	n->key = xstrdup(key);
	return n;
}

/* The last key within the map that it belongs into, which is made: of a map
 * with names of its own, these may have dots in them. */
static struct node *
descend(struct node *map, const struct setting *row, const char **key)
{
	const char *end = row != NULL && row->type == SETTING_SECRETS
	    ? *key + strlen(row->key)
	    : strrchr(*key, '.');

	while (map != NULL && end != NULL && *key < end) {
		size_t len = strcspn(*key, ".");
		char *part = xstrndup(*key, len);

		map = node_map(map, part);
		free(part);
		*key += len + 1;
	}
	return map;
}

int
answers_set(struct answers *a, struct node *entry, const struct setting *table,
    const char *key, const char *text, struct err *err)
{
	const struct setting *row = answers_row(table, key);
	const char *last = key;
	struct node *map, *n;

	if (row != NULL && row->type == SETTING_SECRETS &&
	    strcmp(row->key, key) == 0)
		return err_set(err, "%s: is a map; give %s.NAME", key, key);
	map = descend(entry, row, &last);
	if (map == NULL)
		return err_set(err, "%s: is in the way of another option", key);
	n = row != NULL && row->type == SETTING_LIST
	    ? list_of(map, last, text, err)
	    : node_scalar(map, last, text);
	if (n == NULL)
		return -1;
	n->line = ++a->line;
	node_put(map, n);
	return 0;
}

/* Options are spelled with "_"; people write "-" on command lines.  Names in a
 * map of its own stay as they are. */
static void
spell(const struct setting *table, char *key)
{
	const struct setting *row = answers_row(table, key);

	for (; row == NULL && *key != '\0'; key++)
		if (*key == '-')
			*key = '_';
}

/* May a value stand on a command line, which everybody can read?  References
 * may, and names of files. */
static bool
may_be_seen(const struct setting *row, const char *key, const char *value)
{
	char *references = xstrdup(value);
	bool only;

	secret_keep_references(references);
	only = strcmp(references, value) == 0;
	free(references);
	if (row == NULL || only)
		return true;
	if (row->type == SETTING_SECRETS)
		return strcmp(row->key, key) == 0; /* refused as a whole */
	if (setting_is_text_secret(row))
		return false;
	if (row->type != SETTING_SECRET)
		return true;
	if (strcmp(row->key, "proxy") == 0)
		return strchr(value, '@') == NULL;
	return strstr(value, "PRIVATE KEY") == NULL;
}

/* Cut off the "_file" at the key's end, if it has it and is no option so. */
static bool
is_from_file(const struct setting *table, char *key)
{
	const struct setting *row = answers_row(table, key);
	const size_t len = strlen(key), n = strlen(FILE_SUFFIX);

	if (len <= n || (row != NULL && row->type != SETTING_SECRETS) ||
	    (strcmp(key + len - n, FILE_SUFFIX) != 0 &&
		strcmp(key + len - n, "-file") != 0))
		return false;
	key[len - n] = '\0';
	return true;
}

static int
set_from_file(struct answers *a, struct node *entry,
    const struct setting *table, const char *key, const char *file,
    struct err *err)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	int rc;

	if (file[0] == '\0')
		return err_set(err,
		    "%s%s: names no file; write %s%s=FILE, or - for standard "
		    "input",
		    key, FILE_SUFFIX, key, FILE_SUFFIX);
	rc = read_text(a, file, &text, err);
	if (rc == 0 && text.len != strlen(text.data))
		rc = err_set(err, "%s: not text: it contains NUL bytes", file);
	/* As ${file:…} has it. */
	if (rc == 0 && text.len > 0 && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	if (rc == 0 && text.len > 0 && text.data[text.len - 1] == '\r')
		text.data[--text.len] = '\0';
	if (rc == 0 && text.len == 0)
		rc = err_set(err, "%s: is empty; put the value into it",
		    strcmp(file, "-") == 0 ? "standard input" : file);
	rc = rc == 0 ? answers_set(a, entry, table, key, text.data, err)
		     : err_prefix(err, "%s%s", key, FILE_SUFFIX);
	release_text(&text);
	return rc;
}

static int
take_word(struct answers *a, struct node *entry, const struct setting *table,
    const char *word, struct err *err)
{
	const char *equals = strchr(word, '=');
	const struct setting *row;
	char key[KEY_LEN_MAX];

	if (equals == NULL || equals == word ||
	    (size_t)(equals - word) >= sizeof(key))
		return err_set(err, "\"%s\" is not KEY=VALUE", word);
	(void)snprintf(key, sizeof(key), "%.*s", (int)(equals - word), word);
	spell(table, key);
	if (is_from_file(table, key))
		return set_from_file(a, entry, table, key, equals + 1, err);
	row = answers_row(table, key);
	if (!may_be_seen(row, key, equals + 1))
		return err_set(err,
		    "%s: a secret on the command line is seen by every user of "
		    "the machine; write %s%s=FILE, or - for standard input",
		    key, key, FILE_SUFFIX);
	return answers_set(a, entry, table, key, equals + 1, err);
}

/* The words about one entry: its type before all else, since it says what the
 * others mean. */
static int
take_entry(struct answers *a, const char *section, const char *name,
    const struct answers_word *words, size_t n, struct err *err)
{
	struct node *entry = answers_entry(a, section, name);
	const struct config_type *type;
	int rc = 0;

	if (entry == NULL)
		return err_set(err, "%s.%s: is no map of options in the file",
		    section, name);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (strncmp(words[i].text, "type=", 5) == 0)
			rc = answers_set(a, entry, NULL, "type",
			    words[i].text + 5, err);
	type = answers_type(a, section, entry);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (strncmp(words[i].text, "type=", 5) != 0)
			rc = take_word(a, entry,
			    type == NULL ? NULL : type->settings, words[i].text,
			    err);
	return rc == 0 ? 0 : err_prefix(err, "%s.%s", section, name);
}

int
answers_words(struct answers *a, const struct answers_word *words, size_t n,
    struct err *err)
{
	size_t end;

	for (size_t i = 0; i < n; i = end) {
		if (words[i].section == NULL)
			return err_set(err,
			    "\"%s\" belongs to nothing; write --source NAME or "
			    "--output NAME before it",
			    words[i].text);
		for (end = i + 1; end < n && words[end].section == NULL; end++)
			;
		if (take_entry(a, words[i].section, words[i].text,
			words + i + 1, end - i - 1, err) != 0)
			return -1;
	}
	return 0;
}
