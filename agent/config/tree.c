/*
 * tree.c - the configuration's files as one tree.
 */
#include <errno.h>
#include <stdint.h>
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
#include "base/pack.h"
#include "base/text.h"
#include "config/errors.h"
#include "config/folder.h"
#include "config/stand_in.h"
#include "config/tree.h"

/* Largest configuration file, far above any real one; reading a wrong path (a
 * log, a disk) ends early. */
#define FILE_MAX (1 << 20)
#define FILES_MAX 1000

static void
suggest_sudo(struct err *err)
{
	const struct err refused = *err;

	err_clear(err);
	(void)err_set(err,
	    "%.800s; the configuration is for root and the service to read: "
	    "run this with sudo",
	    refused.text);
}

static struct node *
read_file(const char *path, struct config_errors *errors)
{
	struct buf text = BUF_INIT(FILE_MAX);
	struct err err = ERR_INIT;
	struct node *tree = NULL;

	if (file_read(path, &text, &err) == 0)
		tree = yaml_parse(path, text.data == NULL ? "" : text.data,
		    text.len, &err);
	else if (errno == EACCES && geteuid() != 0)
		suggest_sudo(&err);
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

/* Merge a file into tree; false: it has a fault. */
static bool
add_file(struct node *tree, const char *path, struct config_errors *errors)
{
	struct node *over = read_file(path, errors);

	if (over != NULL)
		node_merge(tree, over);
	return over != NULL;
}

/* Merge the n drop-ins, and the one that stands in for one of them or stands
 * between two. */
static bool
add_all(struct node *tree, const char *dir, char *const *names, size_t n,
    const struct stand_in *s, struct config_errors *errors)
{
	const char *name = s != NULL ? s->name : NULL;
	bool good = true;

	for (size_t i = 0; i <= n; i++) {
		int order =
		    name == NULL || i == n ? -1 : strcmp(name, names[i]);
		char *path;

		if (name != NULL && order <= 0) {
			good = add_file(tree, s->file, errors) && good;
			name = NULL;
		}
		if (i == n || order == 0)
			continue;
		path = xasprintf("%s/%s", dir, names[i]);
		good = add_file(tree, path, errors) && good;
		free(path);
	}
	return good;
}

static bool
add_dropins(struct node *tree, const char *path, const struct stand_in *s,
    struct config_errors *errors)
{
	const size_t before = errors->n;
	char *dir = config_dropin_dir(path);
	char **names = config_folder(dir, errors);
	bool good = errors->n == before;
	size_t n = 0;

	while (names[n] != NULL)
		n++;
	if (n > FILES_MAX) {
		config_errors_add(errors, NULL, "%s: more than %d files", dir,
		    FILES_MAX);
		good = false;
	} else {
		good = add_all(tree, dir, names, n, s, errors) && good;
	}
	config_folder_free(names);
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

static void
add_missing(struct config_errors *errors, const char *path)
{
	struct err err = ERR_INIT;

	(void)err_set(&err,
	    "%.800s: cannot be opened: %s; \"sealfeed setup\" makes a "
	    "configuration, --config names another",
	    path, strerror(ENOENT));
	config_errors_add_err(errors, err.text);
}

/* The main file; one that is not there yet is empty if a drop-in is judged. */
static struct node *
read_main(const char *path, const struct stand_in *s,
    struct config_errors *errors)
{
	if (s != NULL && s->name == NULL)
		return read_file(s->file, errors);
	if (access(path, F_OK) == 0 || errno != ENOENT)
		return read_file(path, errors);
	if (s != NULL)
		return empty_map(path);
	add_missing(errors, path);
	return NULL;
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

void
config_tree_digest(const struct node *node, const char *salt, char out[65])
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);
	uint8_t hash[DIGEST_LEN];
	struct digest *digest = digest_new();

	if (buf_addf(&text, "%zu:%s", strlen(salt), salt) < 0 ||
	    (node != NULL && pack_write(node, PACK_SORTED, &text) < 0))
		mem_gone();
	digest_sha256(digest, "", 0, text.data, text.len, hash);
	text_hex(out, hash, sizeof(hash));
	explicit_bzero(text.data, text.len);
	buf_release(&text);
	digest_free(digest);
}
