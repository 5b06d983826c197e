/*
 * setting.c - options as rows of a table: walking tables, reading values, and
 * filling a struct from a map.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/text.h"
#include "config/secret.h"
#include "config/setting.h"

#define SIZE_TEXT 32

bool
setting_is_pem(const struct setting *s)
{
	static const char *const keys[] = { "certificate", "digests.key", "key",
		"private_key", "tls.ca", "tls.cert", "tls.key" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (s->type == SETTING_SECRET && strcmp(s->key, keys[i]) == 0)
			return true;
	return false;
}

bool
setting_is_text_secret(const struct setting *s)
{
	return s->type == SETTING_SECRET && strcmp(s->key, "proxy") != 0 &&
	    !setting_is_pem(s);
}

/* Where a value goes and how to complain about it. */
struct slot {
	const struct setting_row *row;
	const struct node *node;
	const char *where;
	void *to;
	struct config_errors *errors;
};

/* Everything about one type of setting: its name in the manual, how it is read
 * and freed. */
struct kind {
	const char *name;
	bool (*set)(const struct slot *s);
	void (*release)(void *at); /* NULL: nothing to free */
};

static bool
add_error(const struct slot *s, const char *why)
{
	config_errors_add(s->errors, s->node, "%s: \"%s\" %s", s->where,
	    s->row->setting->key, why);
	return false;
}

/* A fault that repeats what the file says; not for secrets. */
static bool
add_value_error(const struct slot *s, const struct node *at, const char *why)
{
	config_errors_add(s->errors, at, "%s: \"%s\": \"%.60s\" %s", s->where,
	    s->row->setting->key, at->text, why);
	return false;
}

static bool
is_text(const struct slot *s, const char *meant)
{
	if (s->node->type == NODE_SCALAR)
		return true;
	config_errors_add(s->errors, s->node, "%s: \"%s\" must be %s, not a %s",
	    s->where, s->row->setting->key, meant,
	    s->node->type == NODE_LIST ? "list" : "map");
	return false;
}

/* Text that goes into messages, headers and file names. */
static bool
good_text(const struct slot *s, const struct node *node)
{
	for (const char *p = node->text; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p))
			return add_error(s, "contains a control character");
	if (strstr(node->text, "${") != NULL)
		return add_value_error(s, node,
		    "is not a secret; ${…} is replaced only in secrets");
	return true;
}

/* A path is opened as it stands.  Faults do not repeat it: what should name a
 * key may be one. */
static bool
good_path(const struct slot *s)
{
	const struct setting *set = s->row->setting;

	if (!set->writes && !set->reads && !setting_is_pem(set))
		return true;
	return !file_wants_shell(s->node->text) ||
	    add_error(s,
		"begins with ~ or $, which a shell would replace, but no shell "
		"reads this file; write the whole path");
}

static void
put_string(void *at, char *text)
{
	char **to = at;

	free(*to);
	*to = text;
}

static bool
set_string(const struct slot *s)
{
	if (!is_text(s, "text") || !good_path(s) || !good_text(s, s->node))
		return false;
	put_string(s->to, xstrdup(s->node->text));
	return true;
}

static void
release_string(void *at)
{
	put_string(at, NULL);
}

/* Faults never repeat the text of a secret, not even of a malformed one. */
static bool
good_secret(const struct slot *s, const struct node *node)
{
	struct err err = ERR_INIT;

	if (secret_check(node->text, &err) == 0)
		return true;
	config_errors_add(s->errors, node, "%s: \"%s\" %s", s->where,
	    s->row->setting->key, err.text);
	return false;
}

static void
release_secret(void *at)
{
	char **to = at;

	secret_free(*to);
	*to = NULL;
}

static bool
set_secret(const struct slot *s)
{
	if (!is_text(s, "text") || !good_path(s) || !good_secret(s, s->node))
		return false;
	release_secret(s->to);
	*(char **)s->to = secret_copy(s->node->text);
	return true;
}

static void
release_secrets(void *at)
{
	struct setting_pair **pairs = at;

	for (struct setting_pair *p = *pairs; p != NULL && p->name != NULL;
	     p++) {
		free(p->name);
		secret_free(p->value);
	}
	free(*pairs);
	*pairs = NULL;
}

static bool
set_secrets(const struct slot *s)
{
	struct setting_pair **to = s->to;
	struct setting_pair *pairs;
	size_t n = 0;

	if (s->node->type != NODE_MAP)
		return add_error(s, "must be a map of names and values");
	for (const struct node *c = s->node->child; c != NULL; c = c->next) {
		if (c->type != NODE_SCALAR)
			return add_error(s, "must contain only plain values");
		if (!good_secret(s, c))
			return false;
		n++;
	}
	pairs = xcalloc(n + 1, sizeof(*pairs));
	n = 0;
	for (const struct node *c = s->node->child; c != NULL; c = c->next) {
		pairs[n].name = xstrdup(c->key);
		pairs[n++].value = secret_copy(c->text);
	}
	release_secrets(to);
	*to = pairs;
	return true;
}

/* Index of text in choices, -1: none. */
static int
choice_of(const char *const *choices, const char *text)
{
	for (int i = 0; choices[i] != NULL; i++)
		if (strcmp(choices[i], text) == 0)
			return i;
	return -1;
}

static bool
not_a_choice(const struct slot *s, const struct node *node)
{
	const char *const *choices = s->row->setting->choices;
	const char *near = text_nearest(node->text, choices);
	struct buf known = BUF_INIT(1000);
	bool whole = true;

	if (near != NULL) {
		config_errors_add(s->errors, node,
		    "%s: \"%s\": unknown \"%.60s\"; did you mean \"%s\"?",
		    s->where, s->row->setting->key, node->text, near);
		return false;
	}
	for (size_t i = 0; choices[i] != NULL && whole; i++)
		whole = buf_addf(&known, "%s%s", i == 0 ? "" : ", ",
			    choices[i]) == 0;
	config_errors_add(s->errors, node,
	    "%s: \"%s\": unknown \"%.60s\"; known: %s", s->where,
	    s->row->setting->key, node->text, known.data);
	buf_release(&known);
	return false;
}

static bool
set_choice(const struct slot *s)
{
	int found;

	if (!is_text(s, "one word"))
		return false;
	found = choice_of(s->row->setting->choices, s->node->text);
	if (found < 0)
		return not_a_choice(s, s->node);
	*(int *)s->to = found;
	return true;
}

static void
release_list(void *at)
{
	char ***list = at;

	for (char **p = *list; p != NULL && *p != NULL; p++)
		free(*p);
	free(*list);
	*list = NULL;
}

static bool
good_entry(const struct slot *s, const struct node *entry)
{
	const char *const *choices = s->row->setting->choices;

	if (entry->type != NODE_SCALAR) {
		config_errors_add(s->errors, entry,
		    "%s: \"%s\" must contain only plain text", s->where,
		    s->row->setting->key);
		return false;
	}
	if (choices != NULL && choice_of(choices, entry->text) < 0)
		return not_a_choice(s, entry);
	return good_text(s, entry);
}

static bool
set_list(const struct slot *s)
{
	char ***to = s->to;
	bool good = true;
	size_t n = 0;
	char **list;

	if (s->node->type != NODE_LIST)
		return add_error(s, "must be a list, such as [a, b]");
	for (const struct node *c = s->node->child; c != NULL; c = c->next) {
		good = good_entry(s, c) && good;
		n++;
	}
	if (!good)
		return false;
	if (n == 0 && s->row->setting->def != NULL)
		return add_error(s,
		    "is an empty list; leave the key out for the default");
	list = xcalloc(n + 1, sizeof(*list));
	n = 0;
	for (const struct node *c = s->node->child; c != NULL; c = c->next)
		list[n++] = xstrdup(c->text);
	release_list(to);
	*to = list;
	return true;
}

static bool
set_bool(const struct slot *s)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "true", true },
		{ "yes", true },
		{ "on", true },
		{ "false", false },
		{ "no", false },
		{ "off", false },
	};

	if (!is_text(s, "true or false"))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(s->node->text, words[i].word) != 0)
			continue;
		*(bool *)s->to = words[i].value;
		return true;
	}
	return add_value_error(s, s->node, "is neither true nor false");
}

static int
parse_integer(const char *text, int64_t *value)
{
	intmax_t n;
	char *end;

	if (!isdigit((unsigned char)text[0]) && text[0] != '-')
		return -1;
	errno = 0;
	n = strtoimax(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < INT64_MIN ||
	    n > INT64_MAX)
		return -1;
	*value = n;
	return 0;
}

static void
format_integer(char *out, int64_t value)
{
	(void)snprintf(out, SIZE_TEXT, "%" PRId64, value);
}

static void
format_size(char *out, int64_t bytes)
{
	static const char *const units[] = { "", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;

	while (unit < 4 && bytes >= 1024 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	(void)snprintf(out, SIZE_TEXT, "%" PRId64 "%s", bytes, units[unit]);
}

/* The three kinds of number. */
struct number {
	enum setting_type type;
	int (*parse)(const char *text, int64_t *value);
	void (*format)(char *out, int64_t value);
	const char *hint;
};

static const struct number *
number_of(enum setting_type type)
{
	static const struct number numbers[] = {
		{ .type = SETTING_INTEGER,
		    .parse = parse_integer,
		    .format = format_integer,
		    .hint = "is not a whole number" },
		{ .type = SETTING_SIZE,
		    .parse = text_size,
		    .format = format_size,
		    .hint = "is not a size; write 512, 64KiB, 10MB, 20GiB" },
		{ .type = SETTING_DURATION,
		    .parse = text_duration,
		    .format = text_duration_format,
		    .hint = "is not a duration; write 250ms, 90s, 15m, 24h, "
			    "7d" },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].type == type)
			return &numbers[i];
	return NULL;
}

static bool
set_number(const struct slot *s)
{
	const struct setting *set = s->row->setting;
	const struct number *kind = number_of(set->type);
	char min[SIZE_TEXT], max[SIZE_TEXT];
	int64_t value;

	if (!is_text(s, "a number"))
		return false;
	if (kind->parse(s->node->text, &value) < 0)
		return add_value_error(s, s->node, kind->hint);
	if (set->min != set->max && (value < set->min || value > set->max)) {
		kind->format(min, set->min);
		kind->format(max, set->max);
		config_errors_add(s->errors, s->node,
		    "%s: \"%s\": \"%.60s\" is out of range; it must be %s to "
		    "%s",
		    s->where, s->row->setting->key, s->node->text, min, max);
		return false;
	}
	*(int64_t *)s->to = value;
	return true;
}

/* SETTING_TABLE has no row: tables are laid flat before. */
static const struct kind kinds[] = {
	[SETTING_STRING] = { .name = "text",
	    .set = set_string,
	    .release = release_string },
	[SETTING_LIST] = { .name = "list",
	    .set = set_list,
	    .release = release_list },
	[SETTING_INTEGER] = { .name = "number", .set = set_number },
	[SETTING_BOOL] = { .name = "true or false", .set = set_bool },
	[SETTING_SIZE] = { .name = "size", .set = set_number },
	[SETTING_DURATION] = { .name = "duration", .set = set_number },
	[SETTING_CHOICE] = { .name = "choice", .set = set_choice },
	[SETTING_SECRET] = { .name = "secret",
	    .set = set_secret,
	    .release = release_secret },
	[SETTING_SECRETS] = { .name = "map of secrets",
	    .set = set_secrets,
	    .release = release_secrets },
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == SETTING_TABLE,
    "a kind for every type");

/*
 * Put the value of node into conf + row->offset, freeing what was there.
 * Returns false when that is a fault, which is then in errors.  (The part of
 * settings_fill() that knows the types.)
 */
static bool
setting_set(const struct setting_row *row, const struct node *node,
    const char *where, void *conf, struct config_errors *errors)
{
	const struct slot s = {
		.row = row,
		.node = node,
		.where = where,
		.to = (char *)conf + row->offset,
		.errors = errors,
	};

	return kinds[row->setting->type].set(&s);
}

static void
release_row(void *conf, const struct setting_row *row)
{
	const struct kind *kind = &kinds[row->setting->type];

	if (kind->release != NULL)
		kind->release((char *)conf + row->offset);
}

void
settings_release(const struct setting *table, void *conf)
{
	settings_each(table, release_row, conf);
}

const char *
setting_type_name(const struct setting *s)
{
	return kinds[s->type].name;
}

int
setting_range(const struct setting *s, struct buf *out)
{
	const struct number *kind = number_of(s->type);
	char min[SIZE_TEXT], max[SIZE_TEXT];

	for (size_t i = 0; s->choices != NULL && s->choices[i] != NULL; i++)
		if (buf_addf(out, "%s%s", i == 0 ? "" : ", ", s->choices[i]) <
		    0)
			return -1;
	if (kind == NULL || s->min == s->max)
		return 0;
	kind->format(min, s->min);
	kind->format(max, s->max);
	return buf_addf(out, "%s to %s", min, max);
}

/* Keys at one level, with room for those of the caller. */
#define KEYS_MAX 128
#define PATH_LEN_MAX 512
/* Most characters of a key that a table knows. */
#define NAME_LEN_MAX 64

static void
each(const struct setting *table, size_t offset, setting_fn *fn, void *ctx)
{
	for (const struct setting *s = table; s->key != NULL; s++) {
		const struct setting_row row = { .setting = s,
			.offset = offset + s->offset };

		if (s->type == SETTING_TABLE)
			each(s->table, row.offset, fn, ctx);
		else
			fn(ctx, &row);
	}
}

void
settings_each(const struct setting *table, setting_fn *fn, void *ctx)
{
	each(table, 0, fn, ctx);
}

/* One run of settings_fill(). */
struct fill {
	const struct setting *table;
	const struct node *map;
	const char *where;
	const char *const *skip;
	void *conf;
	struct config_errors *errors;
};

static void
fill_default(void *ctx, const struct setting_row *row)
{
	const char *def = row->setting->def;
	struct fill *f = ctx;
	struct err err = ERR_INIT;
	struct node *node;
	bool good;

	if (def == NULL)
		return;
	node = yaml_parse("default", def, strlen(def), &err);
	if (node == NULL)
		mem_gone(); /* the unit tests parse every default */
	good = setting_set(row, node, f->where, f->conf, f->errors);
	assert(good);
	(void)good;
	node_free(node);
}

/* Whether node says nothing, as templates write what they leave out. */
static bool
unset(const struct setting *s, const struct node *node)
{
	bool text = s->type == SETTING_STRING || s->type == SETTING_SECRET;

	if (node_null(node))
		return true;
	return text && node->type == NODE_SCALAR && node->text[0] == '\0';
}

static void
find_missing(void *ctx, const struct setting_row *row)
{
	struct fill *f = ctx;
	const struct node *node;

	if (!row->setting->required)
		return;
	node = node_find(f->map, row->setting->key);
	if (node != NULL && !unset(row->setting, node))
		return;
	if (node == NULL)
		config_errors_add(f->errors, f->map, "%s: \"%s\" is missing",
		    f->where, row->setting->key);
	else
		config_errors_add(f->errors, node,
		    "%s: \"%s\" is empty; it must be "
		    "set",
		    f->where, row->setting->key);
}

/* What the table knows of one key of the file. */
struct look {
	const char *key; /* whole, "tls.ca" */
	size_t prefix;   /* length of "tls." in it */
	struct setting_row row;
	bool found; /* row is the one */
	bool inner; /* rows begin with "key." */
	/* A row elsewhere in the table that ends in this key, "" if none. */
	char deeper[NAME_LEN_MAX];
	/* The names that would be known in its place. */
	char name[KEYS_MAX][NAME_LEN_MAX];
	const char *names[KEYS_MAX + 1];
	size_t n;
};

static void
add_name(struct look *l, const char *name, size_t len)
{
	for (size_t i = 0; i < l->n; i++)
		if (strlen(l->name[i]) == len &&
		    strncmp(l->name[i], name, len) == 0)
			return;
	if (l->n == KEYS_MAX)
		return;
	(void)snprintf(l->name[l->n], NAME_LEN_MAX, "%.*s", (int)len, name);
	l->names[l->n] = l->name[l->n];
	l->n++;
}

static void
look_at(void *ctx, const struct setting_row *row)
{
	const char *last = strrchr(row->setting->key, '.');
	struct look *l = ctx;
	size_t len = strlen(l->key);

	if (strcmp(row->setting->key, l->key) == 0) {
		l->row = *row;
		l->found = true;
	}
	if (strncmp(row->setting->key, l->key, len) == 0 &&
	    row->setting->key[len] == '.')
		l->inner = true;
	if (strncmp(row->setting->key, l->key, l->prefix) == 0)
		add_name(l, row->setting->key + l->prefix,
		    strcspn(row->setting->key + l->prefix, "."));
	if (l->deeper[0] == '\0' &&
	    (strcmp(row->setting->key, l->key + l->prefix) == 0 ||
		(last != NULL && strcmp(last + 1, l->key + l->prefix) == 0)))
		(void)snprintf(l->deeper, sizeof(l->deeper), "%s",
		    row->setting->key);
}

/* Write "; known are a, b, c" into out, as far as it fits. */
static void
list_names(const struct look *l, char *out, size_t room)
{
	size_t used = (size_t)snprintf(out, room, "; known: ");

	for (size_t i = 0; i < l->n && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, "%s%s",
		    i == 0 ? "" : ", ", l->names[i]);
}

static void
unknown(const struct fill *f, struct look *l, const struct node *node,
    const char *path)
{
	char hint[PATH_LEN_MAX];
	const char *near;

	for (size_t i = 0;
	     l->prefix == 0 && f->skip != NULL && f->skip[i] != NULL; i++)
		add_name(l, f->skip[i], strlen(f->skip[i]));
	near = text_nearest(node->key, l->names);
	if (strchr(node->key, '.') != NULL && strcmp(l->deeper, node->key) == 0)
		(void)snprintf(hint, sizeof(hint),
		    "; a dot stands for a nested map: \"%.*s: { %s: … }\"",
		    (int)strcspn(l->deeper, "."), l->deeper,
		    strchr(l->deeper, '.') + 1);
	else if (strchr(l->deeper, '.') != NULL)
		(void)snprintf(hint, sizeof(hint),
		    "; did you mean \"%s\" (a dot stands for a nested map)?",
		    l->deeper);
	else if (near != NULL || l->deeper[0] != '\0')
		(void)snprintf(hint, sizeof(hint), "; did you mean \"%s\"?",
		    near != NULL ? near : l->deeper);
	else
		list_names(l, hint, sizeof(hint));
	config_errors_add(f->errors, node, "%s: unknown key \"%.60s\"%s", path,
	    node->key, hint);
}

static bool
skipped(const struct fill *f, const char *prefix, const char *key)
{
	if (prefix[0] != '\0' || f->skip == NULL)
		return false;
	for (size_t i = 0; f->skip[i] != NULL; i++)
		if (strcmp(f->skip[i], key) == 0)
			return true;
	return false;
}

static void fill_map(struct fill *f, const struct node *map,
    const char *prefix);

/* One child of a map, whose whole key is l->key. */
static void
fill_child(struct fill *f, struct look *l, const struct node *n,
    const char *path)
{
	char prefix[PATH_LEN_MAX];

	settings_each(f->table, look_at, l);
	if (strchr(n->key, '.') != NULL || !(l->found || l->inner)) {
		unknown(f, l, n, path);
	} else if (l->found) {
		if (!unset(l->row.setting, n))
			(void)setting_set(&l->row, n, f->where, f->conf,
			    f->errors);
	} else if (n->type == NODE_MAP) {
		(void)snprintf(prefix, sizeof(prefix), "%.100s.", l->key);
		fill_map(f, n, prefix);
	} else if (!node_null(n)) {
		config_errors_add(f->errors, n,
		    "%s: \"%s\" must be a map of further keys", path, n->key);
	}
}

/* The children of map, whose keys in the table begin with prefix ("tls."). */
static void
fill_map(struct fill *f, const struct node *map, const char *prefix)
{
	struct look *l = xmalloc(sizeof(*l));
	char key[PATH_LEN_MAX], path[PATH_LEN_MAX];
	size_t len = strlen(prefix);

	(void)snprintf(path, sizeof(path), "%s%s%.*s", f->where,
	    len == 0 ? "" : ".", len == 0 ? 0 : (int)len - 1, prefix);
	for (const struct node *n = map->child; n != NULL; n = n->next) {
		if (skipped(f, prefix, n->key))
			continue;
		(void)snprintf(key, sizeof(key), "%.*s%.300s", 100, prefix,
		    n->key);
		memset(l, 0, sizeof(*l));
		l->key = key;
		l->prefix = len;
		fill_child(f, l, n, path);
	}
	free(l);
}

void
settings_fill(const struct setting *table, const struct node *map,
    const char *where, const char *const *skip, void *conf,
    struct config_errors *errors)
{
	struct fill f = {
		.table = table,
		.map = map,
		.where = where,
		.skip = skip,
		.conf = conf,
		.errors = errors,
	};

	settings_each(table, fill_default, &f);
	settings_each(table, find_missing, &f);
	fill_map(&f, map, "");
}
