/*
 * share.c - the part of a configuration that another process gets.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/pack.h"
#include "config/config.h"
#include "config/config_private.h"
#include "config/strip.h"

static size_t
entries(const struct node *tree, const char *section)
{
	const struct node *map = node_get(tree, section);
	size_t n = 0;

	for (map = map == NULL ? NULL : map->child; map != NULL;
	     map = map->next)
		n++;
	return n;
}

struct config *
config_shared(const char *data, size_t len, const char *path,
    const struct config_types *types, struct config_errors *errors)
{
	struct node *tree = pack_read(data, len);
	struct config *c = xcalloc(1, sizeof(*c));
	bool whole = tree != NULL;

	c->path = xstrdup(path);
	if (whole) {
		/* Whoever made the share has told of faults; what was left out
		 * of it is missing on purpose. */
		config_read(c, tree, types, true, errors);
		whole = c->n_sources == entries(tree, "sources") &&
		    c->n_outputs == entries(tree, "outputs");
	}
	node_free(tree);
	if (whole)
		return c;
	config_free(c);
	return NULL;
}

/* Cut one section of a copy of the tree down to a part; only the entry of
 * that name stays, where one is given. */
static void
share_section(struct node *section, const struct config_entry *list, size_t n,
    enum config_part part, const char *only)
{
	for (size_t i = 0; section != NULL && i < n; i++) {
		struct node *entry = config_node(section, list[i].name);

		if (part == CONFIG_NONE ||
		    (only != NULL && strcmp(list[i].name, only) != 0))
			node_remove(section, entry);
		else if (part == CONFIG_PUBLIC)
			config_strip_secrets(list[i].type->settings, entry);
	}
}

int
config_share(const struct config *c, const struct config_share *share,
    struct buf *out)
{
	struct node *tree = pack_read(c->packed, c->packed_len);
	struct node *agent = config_node(tree, "agent");
	int rc;

	if (agent != NULL && !share->key)
		node_remove(agent, config_node(agent, "key"));
	share_section(config_node(tree, "sources"), c->sources, c->n_sources,
	    share->sources, NULL);
	share_section(config_node(tree, "outputs"), c->outputs, c->n_outputs,
	    share->outputs, share->output);
	rc = pack_write(tree, PACK_WHOLE, out);
	node_free(tree);
	return rc;
}
