/*
 * yaml.h - YAML 1.1 files (JSON included) as a tree that remembers where each
 * node stood, read with libyaml.
 */
#ifndef YAML_H
#define YAML_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum node_type { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_type type;
	char *key;        /* in a map; NULL elsewhere */
	char *text;       /* of a scalar; NULL elsewhere */
	bool plain;       /* scalar without quotes: may be null, true, 12 … */
	const char *file; /* owned by the root of this file's tree */
	size_t line;      /* from 1 */
	struct node *child;
	struct node *next;
};

/*
 * Parse text (named file in messages).  Returns a tree that the caller frees
 * with node_free(), or NULL: not YAML, more than one document, an alias or a
 * tag, a key twice in one map, nesting above 32; err then begins with
 * "FILE:LINE: ".  An empty file is an empty map.
 */
struct node *yaml_parse(const char *file, const char *text, size_t len,
    struct err *err);

/* Move what over holds into base, key by key at every depth: maps merge,
 * anything else is replaced.  Takes over. */
void node_merge(struct node *base, struct node *over);

/* Child of a map by key, NULL if none. */
struct node *node_get(const struct node *map, const char *key);

void node_free(struct node *n);

#endif /* YAML_H */
