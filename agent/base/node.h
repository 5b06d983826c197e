/*
 * node.h - YAML 1.1 files (JSON included) as a tree that remembers where each
 * node stood, read with libyaml.
 */
#ifndef BASE_NODE_H
#define BASE_NODE_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum node_type { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_type type;
	char *key;    /* in a map; NULL elsewhere */
	char *text;   /* of a scalar; NULL elsewhere */
	bool plain;   /* scalar without quotes: may be null, true, 12 … */
	char *file;   /* every node its own copy: nodes move between trees */
	size_t line;  /* from 1; of the key where there is one */
	size_t first; /* line where this map has the same key before; 0: it
			 has not */
	struct node *child;
	struct node *next;
};

/* More nodes than any configuration needs; keeps hostile files cheap. */
#define YAML_NODES_MAX 20000
#define YAML_DEPTH_MAX 32

/*
 * Parse text (named file in messages).  Returns a tree that the caller frees
 * with node_free(), or NULL: not YAML, more than one document, an alias or a
 * tag, nesting above YAML_DEPTH_MAX, too many nodes; err then begins with
 * "FILE:LINE: ".  An empty file is an empty map.  A key that a map has twice
 * stays in the tree, with first set; node_get() finds the first.
 */
struct node *yaml_parse(const char *file, const char *text, size_t len,
    struct err *err);

/* Move what over holds into base, key by key at every depth: maps merge,
 * anything else is replaced, but a map is never replaced by null ("sources:"
 * with nothing below).  Takes over. */
void node_merge(struct node *base, struct node *over);

/* Child of a map by key, NULL if none. */
struct node *node_get(const struct node *map, const char *key);

/* The node at a path of keys, "tls.ca", NULL if there is none. */
const struct node *node_find(const struct node *map, const char *path);

/* A plain scalar that YAML takes as null: empty, "~", "null". */
bool node_null(const struct node *n);

/* A tree is built: a copy with all below it, which the caller frees; the map
 * that another has under a key, made where it is missing (NULL: something else
 * is in the way); a child of a map, taken over, in place of what has its key; a
 * scalar with that text.  New nodes stand where map does. */
struct node *node_copy(const struct node *n);
struct node *node_map(struct node *map, const char *key);
void node_put(struct node *map, struct node *child);
struct node *node_scalar(const struct node *map, const char *key,
    const char *text);

/* Append the map as YAML in block style, each line behind indent blanks.
 * Reading it back gives the same tree.  -1 at out's ceiling. */
struct buf;
int yaml_print(const struct node *map, size_t indent, struct buf *out);

/* Free n with all its siblings behind it and what is below; texts are
 * wiped. */
void node_free(struct node *n);

/* Take child, which may be NULL, out of map and free it. */
void node_remove(struct node *map, struct node *child);

#endif /* BASE_NODE_H */
