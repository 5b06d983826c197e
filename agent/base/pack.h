/*
 * pack.h - a tree of nodes as bytes, for digests and for another process of
 * the same program.
 *
 * A scalar is "s5:hello" ("p4:true" without quotes), a list "l2:" with its
 * elements behind it, a map "m1:" with each key as "4:name" before its value:
 * no two different trees are written alike.  Files and lines are left out.
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct node;

enum pack_how {
	PACK_WHOLE, /* pack_read() makes the same tree of it */
	PACK_SORTED /* for digests: the order of keys and quotes do not count */
};

/* Append node to out: 0, -1 at its ceiling. */
int pack_write(const struct node *node, enum pack_how how, struct buf *out);

/* The tree in data, which must be one whole and nothing else, as PACK_WHOLE
 * wrote it; freed with node_free().  NULL: it is not. */
struct node *pack_read(const char *data, size_t len);

#endif /* BASE_PACK_H */
