/*
 * format_map.c - of what the fields of CEF and LEEF are made.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
#include "outputs/format_map.h"

/* Far more than a file of some thirty lines. */
#define FILE_MAX ((size_t)256 << 10)

#define SEVERITY_MAX 10

/* Most characters of a key, as of any in the dictionaries. */
#define KEY_MAX 63

static void
free_list(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

static void
free_fields(struct format_fields *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->list[i].key);
		free_list(f->list[i].from);
	}
	free(f->list);
}

void
format_maps_free(struct format_map *m)
{
	while (m != NULL) {
		struct format_map *next = m->next;

		free(m->type);
		free(m->vendor);
		free(m->product);
		free(m->wazuh);
		free_list(m->class);
		free_list(m->name);
		free_fields(&m->cef);
		free_fields(&m->leef);
		free(m);
		m = next;
	}
}

static int
wrong(const struct node *n, struct err *err, const char *what)
{
	return err_set(err, "%s:%zu: %s: %s", n->file, n->line,
	    n->key == NULL ? "an entry" : n->key, what);
}

static int
read_text(const struct node *n, char **to, struct err *err)
{
	if (n->type != NODE_SCALAR || n->text[0] == '\0')
		return wrong(n, err, "must be a text");
	free(*to);
	*to = xstrdup(n->text);
	return 0;
}

/* A text or pointer, or a list of those. */
static int
read_from(const struct node *n, char ***to, struct err *err)
{
	const struct node *at = n->type == NODE_LIST ? n->child : n;
	size_t count = 0;
	char **list = xcalloc(1, sizeof(*list));

	for (; at != NULL; at = n->type == NODE_LIST ? at->next : NULL) {
		list = xreallocarray(list, count + 2, sizeof(*list));
		list[count] = NULL;
		if (read_text(at, &list[count], err) != 0) {
			free_list(list);
			return -1;
		}
		list[++count] = NULL;
	}
	free_list(*to);
	*to = list;
	return count > 0 ? 0 : wrong(n, err, "must not be empty");
}

/* Keys of both languages are letters and digits. */
static bool
good_key(const char *key)
{
	size_t len = 0;

	while (isalnum((unsigned char)key[len]) || key[len] == '_')
		len++;
	return key[len] == '\0' && len > 0 && len <= KEY_MAX;
}

static int
read_fields(const struct node *n, struct format_fields *f, struct err *err)
{
	if (n->type != NODE_MAP)
		return wrong(n, err, "must be a map of keys");
	for (const struct node *c = n->child; c != NULL; c = c->next) {
		struct format_field *field;

		if (!good_key(c->key))
			return wrong(c, err,
			    "a key has up to 63 letters, digits and \"_\"");
		if (c->first != 0)
			return wrong(c, err, "stands there twice");
		f->list = xreallocarray(f->list, f->n + 1, sizeof(*f->list));
		field = &f->list[f->n++];
		*field = (struct format_field){ .key = xstrdup(c->key) };
		if (read_from(c, &field->from, err) != 0)
			return -1;
	}
	return 0;
}

static int
read_severity(const struct node *n, long *to, struct err *err)
{
	char *end = NULL;

	if (n->type == NODE_SCALAR)
		*to = strtol(n->text, &end, 10);
	if (end == NULL || end == n->text || *end != '\0' || *to < 0 ||
	    *to > SEVERITY_MAX)
		return wrong(n, err, "must be a number from 0 to 10");
	return 0;
}

static int
read_wazuh(const struct node *n, char **to, struct err *err)
{
	if (read_text(n, to, err) != 0)
		return -1;
	for (const char *s = *to; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && strchr("_-.", *s) == NULL)
			return wrong(n, err,
			    "has letters, digits, \"_\", \"-\" and \".\"");
	return 0;
}

static int
read_member(struct format_map *m, const struct node *n, struct err *err)
{
	if (strcmp(n->key, "vendor") == 0)
		return read_text(n, &m->vendor, err);
	if (strcmp(n->key, "product") == 0)
		return read_text(n, &m->product, err);
	if (strcmp(n->key, "wazuh") == 0)
		return read_wazuh(n, &m->wazuh, err);
	if (strcmp(n->key, "severity") == 0)
		return read_severity(n, &m->severity, err);
	if (strcmp(n->key, "class") == 0)
		return read_from(n, &m->class, err);
	if (strcmp(n->key, "name") == 0)
		return read_from(n, &m->name, err);
	if (strcmp(n->key, "cef") == 0)
		return read_fields(n, &m->cef, err);
	if (strcmp(n->key, "leef") == 0)
		return read_fields(n, &m->leef, err);
	return wrong(n, err,
	    "is none of vendor, product, class, name, severity, wazuh, cef, "
	    "leef");
}

static char **
one(const char *text)
{
	char **list = xcalloc(2, sizeof(*list));

	list[0] = xstrdup(text);
	return list;
}

/* What a file need not say. */
static struct format_map *
map_new(const char *type, size_t len)
{
	struct format_map *m = xcalloc(1, sizeof(*m));

	m->type = xstrndup(type, len);
	m->vendor = xstrdup("sealfeed");
	m->product = xstrdup(len == 0 ? "audit" : m->type);
	m->wazuh = xstrdup(len == 0 ? "audit" : m->type);
	m->severity = 3;
	m->class = one("event");
	m->name = one("event");
	return m;
}

static struct format_map *
map_load(const char *folder, const char *name, size_t len, struct err *err)
{
	struct format_map *m = map_new(name, len);
	char *path = xasprintf("%s/%s", folder, name);
	struct buf text = BUF_INIT(FILE_MAX);
	struct node *tree = NULL;
	int rc = -1;

	if (file_read(path, &text, err) == 0)
		tree = yaml_parse(path, text.len == 0 ? "" : text.data,
		    text.len, err);
	if (tree != NULL) {
		rc = 0;
		for (struct node *c = tree->child; rc == 0 && c != NULL;
		     c = c->next)
			rc = read_member(m, c, err);
	}
	node_free(tree);
	buf_release(&text);
	free(path);
	if (rc == 0)
		return m;
	format_maps_free(m);
	return NULL;
}

struct format_map *
format_maps_load(const char *folder, struct err *err)
{
	struct format_map *all = map_new("", 0), *m = all;
	const size_t end = strlen(".yaml");
	DIR *dir = opendir(folder);
	struct dirent *e;

	if (dir == NULL)
		(void)err_set(err,
		    "%s: %s; the mappings of formats are installed there",
		    folder, strerror(errno));
	while (dir != NULL && m != NULL && (e = readdir(dir)) != NULL) {
		size_t len = strlen(e->d_name);

		if (len <= end || strcmp(e->d_name + len - end, ".yaml") != 0)
			continue;
		m = map_load(folder, e->d_name, len - end, err);
		if (m == NULL)
			break;
		m->next = all;
		all = m;
	}
	if (dir != NULL)
		(void)closedir(dir);
	if (dir != NULL && m != NULL)
		return all;
	format_maps_free(all);
	return NULL;
}

const struct format_map *
format_map_of(const struct format_map *maps, const char *type)
{
	while (maps->next != NULL && strcmp(maps->type, type) != 0)
		maps = maps->next;
	return maps;
}
