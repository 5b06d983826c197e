/*
 * tree.c - the configuration's files as one tree.
 */
#include <dirent.h>
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

static bool
ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len > n && strcmp(name + len - n, end) == 0;
}

static int
is_dropin(const struct dirent *d)
{
	return d->d_name[0] != '.' &&
	    (ends_in(d->d_name, ".yaml") || ends_in(d->d_name, ".yml"));
}

/* By bytes, not by locale: the order must be the same everywhere. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static char *
dropin_dir(const char *path)
{
	const char *slash = strrchr(path, '/');

	return xasprintf("%.*sconf.d",
	    slash == NULL ? 0 : (int)(slash + 1 - path), path);
}

/* Merge one file of conf.d into tree; false: it has a fault. */
static bool
add_dropin(struct node *tree, const char *dir, const char *name,
    struct config_errors *errors)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct node *over = NULL;

	if (ends_in(name, ".yml"))
		config_errors_add(errors, NULL,
		    "%s: only *.yaml is read here; rename it to %.*s.yaml",
		    path, (int)strlen(name) - 4, name);
	else
		over = read_file(path, errors);
	if (over != NULL)
		node_merge(tree, over);
	free(path);
	return over != NULL;
}

static bool
add_dropins(struct node *tree, const char *path, struct config_errors *errors)
{
	char *dir = dropin_dir(path);
	struct dirent **entries = NULL;
	bool good = true;
	int n;

	n = scandir(dir, &entries, is_dropin, by_name);
	/* Who may not read the main file need not be told twice. */
	if (n < 0 && errno != ENOENT && errno != ENOTDIR &&
	    (errno != EACCES || errors->n == 0)) {
		config_errors_add(errors, NULL, "%s: %s", dir, strerror(errno));
		good = false;
	}
	if (n > FILES_MAX) {
		config_errors_add(errors, NULL, "%s: more than %d files", dir,
		    FILES_MAX);
		good = false;
	}
	for (int i = 0; i < n; i++) {
		if (n <= FILES_MAX)
			good =
			    add_dropin(tree, dir, entries[i]->d_name, errors) &&
			    good;
		free(entries[i]);
	}
	free(entries);
	free(dir);
	return good;
}

struct node *
config_tree(const char *path, struct config_errors *errors)
{
	struct node *tree = read_file(path, errors);
	struct node *scratch = NULL;
	bool good = tree != NULL;

	/* The drop-ins' own faults are wanted even without the main file. */
	if (tree == NULL) {
		scratch = xcalloc(1, sizeof(*scratch));
		scratch->type = NODE_MAP;
		tree = scratch;
	}
	good = add_dropins(tree, path, errors) && good;
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
