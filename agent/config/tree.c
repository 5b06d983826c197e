/*
 * tree.c - the configuration's files as one tree.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/text.h"
#include "config/errors.h"
#include "config/stand_in.h"
#include "config/tree.h"

/* Largest configuration file, far above any real one; reading a wrong path (a
 * log, a disk) ends early. */
#define FILE_MAX (1 << 20)
#define FILES_MAX 1000

static struct node *
read_file(const char *path, struct config_errors *errors)
{
	struct buf text = BUF_INIT(FILE_MAX);
	struct err err = ERR_INIT;
	struct node *tree = NULL;

	if (file_read(path, &text, &err) == 0)
		tree = yaml_parse(path, text.data == NULL ? "" : text.data,
		    text.len, &err);
	if (tree == NULL) {
		config_errors_add_err(errors, err.text);
	} else if (tree->type != NODE_MAP) {
		config_errors_add(errors, tree,
		    "the file must be a map of agent, sources and outputs");
		node_free(tree);
		tree = NULL;
	} else {
		config_errors_repeats(errors, tree);
	}
	buf_release(&text);
	return tree;
}

static bool
ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len > n && strcmp(name + len - n, end) == 0;
}

/* One of the other ending is a fault, and not passed over. */
static int
is_dropin(const struct dirent *d)
{
	return config_is_dropin(d->d_name) ||
	    (d->d_name[0] != '.' && ends_in(d->d_name, ".yml"));
}

/* By bytes, not by locale: the order must be the same everywhere. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Merge a file into tree; false: it has a fault. */
static bool
add_file(struct node *tree, const char *path, struct config_errors *errors)
{
	struct node *over = read_file(path, errors);

	if (over != NULL)
		node_merge(tree, over);
	return over != NULL;
}

/* Merge one file of conf.d into tree; false: it has a fault. */
static bool
add_dropin(struct node *tree, const char *dir, const char *name,
    struct config_errors *errors)
{
	char *path = xasprintf("%s/%s", dir, name);
	bool good = false;

	if (ends_in(name, ".yml"))
		config_errors_add(errors, NULL,
		    "%s: only *.yaml is read here; rename it to %.*s.yaml",
		    path, (int)strlen(name) - 4, name);
	else
		good = add_file(tree, path, errors);
	free(path);
	return good;
}

/* Merge the n drop-ins, and the one that stands in for one of them or stands
 * between two. */
static bool
add_all(struct node *tree, const char *dir, struct dirent **entries, int n,
    const struct stand_in *s, struct config_errors *errors)
{
	const char *name = s != NULL ? s->name : NULL;
	bool good = true;

	for (int i = 0; i <= n; i++) {
		const char *there = i < n ? entries[i]->d_name : NULL;
		int order =
		    name == NULL || there == NULL ? -1 : strcmp(name, there);

		if (name != NULL && order <= 0) {
			good = add_file(tree, s->file, errors) && good;
			name = NULL;
		}
		if (there != NULL && order != 0)
			good = add_dropin(tree, dir, there, errors) && good;
	}
	return good;
}

static bool
add_dropins(struct node *tree, const char *path, const struct stand_in *s,
    struct config_errors *errors)
{
	char *dir = config_dropin_dir(path);
	struct dirent **entries = NULL;
	bool good = true;
	int n;

	n = scandir(dir, &entries, is_dropin, by_name);
	if (n < 0 && errno != ENOENT && errno != ENOTDIR) {
		config_errors_add(errors, NULL, "%s: %s", dir, strerror(errno));
		good = false;
	}
	if (n > FILES_MAX) {
		config_errors_add(errors, NULL, "%s: more than %d files", dir,
		    FILES_MAX);
		good = false;
	} else {
		good = add_all(tree, dir, entries, n > 0 ? n : 0, s, errors) &&
		    good;
	}
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	free(dir);
	return good;
}

static struct node *
empty_map(const char *file)
{
	struct node *map = xcalloc(1, sizeof(*map));

	map->type = NODE_MAP;
	map->file = xstrdup(file);
	map->line = 1;
	return map;
}

/* The main file; one that is not there yet is empty if a drop-in is judged. */
static struct node *
read_main(const char *path, const struct stand_in *s,
    struct config_errors *errors)
{
	if (s != NULL && s->name == NULL)
		return read_file(s->file, errors);
	if (s != NULL && access(path, F_OK) != 0 && errno == ENOENT)
		return empty_map(path);
	return read_file(path, errors);
}

struct node *
config_tree(const char *path, const struct stand_in *s,
    struct config_errors *errors)
{
	struct node *tree = read_main(path, s, errors);
	bool good = tree != NULL;

	/* The drop-ins' own faults are wanted even without the main file. */
	if (tree == NULL)
		tree = empty_map(path);
	good = add_dropins(tree, path, s, errors) && good;
	if (good)
		return tree;
	node_free(tree);
	return NULL;
}

static int
by_key(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

/* Write node so that no two different ones are written alike. */
static void
write_node(FILE *out, const struct node *node)
{
	const struct node **kids;
	size_t n = 0;

	if (node->type == NODE_SCALAR) {
		(void)fprintf(out, "s%zu:%s", strlen(node->text), node->text);
		return;
	}
	for (const struct node *c = node->child; c != NULL; c = c->next)
		n++;
	(void)fprintf(out, "%c%zu:", node->type == NODE_MAP ? 'm' : 'l', n);
	kids = xcalloc(n + 1, sizeof(struct node *));
	n = 0;
	for (const struct node *c = node->child; c != NULL; c = c->next)
		kids[n++] = c;
	if (node->type == NODE_MAP)
		qsort(kids, n, sizeof(struct node *), by_key);
	for (size_t i = 0; i < n; i++) {
		if (node->type == NODE_MAP)
			(void)fprintf(out, "k%zu:%s", strlen(kids[i]->key),
			    kids[i]->key);
		write_node(out, kids[i]);
	}
	free(kids);
}

void
config_tree_digest(const struct node *node, const char *salt, char out[65])
{
	uint8_t hash[DIGEST_LEN];
	struct digest *digest = digest_new();
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	if (stream == NULL)
		abort(); /* memory is gone, as in mem.c */
	(void)fprintf(stream, "%zu:%s", strlen(salt), salt);
	if (node != NULL)
		write_node(stream, node);
	if (fclose(stream) != 0)
		abort();
	digest_sha256(digest, "", 0, text, len, hash);
	text_hex(out, hash, sizeof(hash));
	free(text);
	digest_free(digest);
}
