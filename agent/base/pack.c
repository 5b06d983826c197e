/*
 * pack.c - a tree of nodes as bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/pack.h"

struct reading {
	const char *at;
	const char *end;
	int depth;
};

static struct node *read_one(struct reading *r);

static int
by_key(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static int
write_text(const char *text, struct buf *out)
{
	return buf_addf(out, "%zu:", strlen(text)) < 0 ? -1
						       : buf_adds(out, text);
}

static int
write_scalar(const struct node *node, enum pack_how how, struct buf *out)
{
	const bool plain = node->plain && how == PACK_WHOLE;

	return buf_adds(out, plain ? "p" : "s") < 0
	    ? -1
	    : write_text(node->text, out);
}

static int
write_kids(const struct node *node, const struct node **kids, size_t n,
    enum pack_how how, struct buf *out)
{
	if (node->type == NODE_MAP && how == PACK_SORTED)
		qsort(kids, n, sizeof(struct node *), by_key);
	for (size_t i = 0; i < n; i++)
		if ((node->type == NODE_MAP &&
			write_text(kids[i]->key, out) < 0) ||
		    pack_write(kids[i], how, out) < 0)
			return -1;
	return 0;
}

int
pack_write(const struct node *node, enum pack_how how, struct buf *out)
{
	const struct node **kids;
	size_t n = 0;
	int rc;

	if (node->type == NODE_SCALAR)
		return write_scalar(node, how, out);
	for (const struct node *c = node->child; c != NULL; c = c->next)
		n++;
	if (buf_addf(out, "%c%zu:", node->type == NODE_MAP ? 'm' : 'l', n) < 0)
		return -1;
	kids = xcalloc(n + 1, sizeof(struct node *));
	n = 0;
	for (const struct node *c = node->child; c != NULL; c = c->next)
		kids[n++] = c;
	rc = write_kids(node, kids, n, how, out);
	free(kids);
	return rc;
}

/* The number before the next ":". */
static bool
read_number(struct reading *r, size_t *n)
{
	const char *begin = r->at;

	*n = 0;
	while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
		*n = *n * 10 + (size_t)(*r->at++ - '0');
		if (*n > (size_t)(r->end - r->at))
			return false;
	}
	return r->at > begin && r->at < r->end && *r->at++ == ':';
}

static char *
read_text(struct reading *r)
{
	size_t len;
	char *text;

	if (!read_number(r, &len) || len > (size_t)(r->end - r->at))
		return NULL;
	text = xstrndup(r->at, len);
	r->at += len;
	return text;
}

/* Hang the n children behind node; -1: they are not all there. */
static int
read_kids(struct reading *r, struct node *node)
{
	struct node **to = &node->child;
	size_t n;

	if (!read_number(r, &n) || r->depth++ > YAML_DEPTH_MAX)
		return -1;
	for (; n > 0; n--) {
		char *key = NULL;

		if (node->type == NODE_MAP && (key = read_text(r)) == NULL)
			return -1;
		*to = read_one(r);
		if (*to == NULL) {
			free(key);
			return -1;
		}
		(*to)->key = key;
		to = &(*to)->next;
	}
	r->depth--;
	return 0;
}

static struct node *
read_one(struct reading *r)
{
	const char type = r->at < r->end ? *r->at++ : '\0';
	struct node *node = xcalloc(1, sizeof(*node));
	bool good;

	node->type = type == 'm' ? NODE_MAP
	    : type == 'l'        ? NODE_LIST
				 : NODE_SCALAR;
	node->plain = type == 'p';
	node->file = xstrdup("configuration");
	if (type == 'm' || type == 'l')
		good = read_kids(r, node) == 0;
	else
		good = (type == 's' || type == 'p') &&
		    (node->text = read_text(r)) != NULL;
	if (good)
		return node;
	node_free(node);
	return NULL;
}

struct node *
pack_read(const char *data, size_t len)
{
	struct reading r = { .at = data, .end = data + len };
	struct node *node = read_one(&r);

	if (node != NULL && r.at != r.end) {
		node_free(node);
		return NULL;
	}
	return node;
}
