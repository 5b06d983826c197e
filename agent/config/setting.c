/*
 * setting.c - options as rows of a table: walking tables, and filling a
 * struct from a map.  What a value of each type looks like is in
 * setting_value.c.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/text.h"
#include "config/setting.h"

/* Keys at one level, with room for those of the caller. */
#define KEYS_MOST 128
#define PATH_MOST 512
/* Of a key that a table knows. */
#define NAME_MOST 64

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
	struct faults *faults;
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
	assert(node != NULL);
	good = setting_set(row, node, f->where, f->conf, f->faults);
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
		faults_add(f->faults, f->map, "%s: \"%s\" is missing", f->where,
		    row->setting->key);
	else
		faults_add(f->faults, node,
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
	char deeper[NAME_MOST];
	/* The names that would be known in its place. */
	char name[KEYS_MOST][NAME_MOST];
	const char *names[KEYS_MOST + 1];
	size_t n;
};

static void
add_name(struct look *l, const char *name, size_t len)
{
	for (size_t i = 0; i < l->n; i++)
		if (strlen(l->name[i]) == len &&
		    strncmp(l->name[i], name, len) == 0)
			return;
	if (l->n == KEYS_MOST)
		return;
	(void)snprintf(l->name[l->n], NAME_MOST, "%.*s", (int)len, name);
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
	size_t used = (size_t)snprintf(out, room, "; known are ");

	for (size_t i = 0; i < l->n && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, "%s%s",
		    i == 0 ? "" : ", ", l->names[i]);
}

static void
unknown(const struct fill *f, struct look *l, const struct node *node,
    const char *path)
{
	char hint[PATH_MOST];
	const char *near;

	for (size_t i = 0;
	     l->prefix == 0 && f->skip != NULL && f->skip[i] != NULL; i++)
		add_name(l, f->skip[i], strlen(f->skip[i]));
	near = text_nearest(node->key, l->names);
	if (l->deeper[0] != '\0' && strchr(l->deeper, '.') != NULL)
		(void)snprintf(hint, sizeof(hint),
		    "; did you mean \"%s\" (a dot is a map within)?",
		    l->deeper);
	else if (near != NULL || l->deeper[0] != '\0')
		(void)snprintf(hint, sizeof(hint), "; did you mean \"%s\"?",
		    near != NULL ? near : l->deeper);
	else
		list_names(l, hint, sizeof(hint));
	faults_add(f->faults, node, "%s: unknown key \"%.60s\"%s", path,
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
	char prefix[PATH_MOST];

	settings_each(f->table, look_at, l);
	if (strchr(n->key, '.') != NULL || !(l->found || l->inner)) {
		unknown(f, l, n, path);
	} else if (l->found) {
		if (!unset(l->row.setting, n))
			(void)setting_set(&l->row, n, f->where, f->conf,
			    f->faults);
	} else if (n->type == NODE_MAP) {
		(void)snprintf(prefix, sizeof(prefix), "%.100s.", l->key);
		fill_map(f, n, prefix);
	} else if (!node_null(n)) {
		faults_add(f->faults, n,
		    "%s: \"%s\" must be a map of further keys", path, n->key);
	}
}

/* The children of map, whose keys in the table begin with prefix ("tls."). */
static void
fill_map(struct fill *f, const struct node *map, const char *prefix)
{
	struct look *l = xmalloc(sizeof(*l));
	char key[PATH_MOST], path[PATH_MOST];
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
    struct faults *faults)
{
	struct fill f = {
		.table = table,
		.map = map,
		.where = where,
		.skip = skip,
		.conf = conf,
		.faults = faults,
	};

	settings_each(table, fill_default, &f);
	settings_each(table, find_missing, &f);
	fill_map(&f, map, "");
}
