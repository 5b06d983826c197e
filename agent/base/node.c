/*
 * node.c - YAML files as a tree that remembers where each node stood.
 *
 * libyaml's events are read rather than its documents: only so can depth and
 * number of nodes be bounded before memory is spent on them.
 */
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/node.h"

struct reader {
	yaml_parser_t parser;
	const char *file;
	const char *text;
	size_t len;
	size_t nodes;
	struct err *err;
};

static struct node *read_node(struct reader *r, const yaml_event_t *ev,
    int depth);

/* Line of a byte, for the reader's own errors, which have no mark. */
static size_t
line_of(const struct reader *r, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset && i < r->len; i++)
		line += r->text[i] == '\n';
	return line;
}

static void
complain(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem == NULL ? "not YAML" : p->problem;
	size_t at = p->problem_mark.index;
	const char *hint = "";

	if (p->error == YAML_MEMORY_ERROR) {
		(void)err_set(r->err, "%s:1: out of memory", r->file);
		return;
	}
	if (p->error == YAML_READER_ERROR) {
		(void)err_set(r->err, "%s:%zu: %s; the file must be UTF-8",
		    r->file, line_of(r, p->problem_offset), problem);
		return;
	}
	if (at < r->len && r->text[at] == '\t')
		hint = "; indent with spaces, not with tabs";
	if (p->context != NULL && p->context_mark.line != p->problem_mark.line)
		(void)err_set(r->err, "%s:%zu: %s %s that begins on line %zu%s",
		    r->file, p->problem_mark.line + 1, problem, p->context,
		    p->context_mark.line + 1, hint);
	else
		(void)err_set(r->err, "%s:%zu: %s%s", r->file,
		    p->problem_mark.line + 1, problem, hint);
}

/* The next event, which the caller deletes. */
static int
next(struct reader *r, yaml_event_t *ev)
{
	if (yaml_parser_parse(&r->parser, ev))
		return 0;
	complain(r);
	return -1;
}

static struct node *
refuse(struct reader *r, const yaml_event_t *ev, const char *why)
{
	(void)err_set(r->err, "%s:%zu: %s", r->file, ev->start_mark.line + 1,
	    why);
	return NULL;
}

static struct node *
new_node(struct reader *r, const yaml_event_t *ev, enum node_type type)
{
	struct node *n;

	if (++r->nodes > YAML_NODES_MAX)
		return refuse(r, ev, "the file has too many entries");
	n = xcalloc(1, sizeof(*n));
	n->type = type;
	n->file = xstrdup(r->file);
	n->line = ev->start_mark.line + 1;
	return n;
}

/* The text of a scalar event; NULL when C text can't hold it. */
static char *
scalar_text(struct reader *r, const yaml_event_t *ev)
{
	const char *value = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;

	if (memchr(value, '\0', len) != NULL) {
		(void)refuse(r, ev, "a NUL character is not allowed");
		return NULL;
	}
	return xstrndup(value, len);
}

static struct node *
read_scalar(struct reader *r, const yaml_event_t *ev)
{
	struct node *n = new_node(r, ev, NODE_SCALAR);

	if (n == NULL)
		return NULL;
	n->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	n->text = scalar_text(r, ev);
	if (n->text != NULL)
		return n;
	node_free(n);
	return NULL;
}

static struct node *
read_list(struct reader *r, const yaml_event_t *start, int depth)
{
	struct node *list = new_node(r, start, NODE_LIST);
	struct node **end = list == NULL ? NULL : &list->child;
	yaml_event_t ev;

	while (list != NULL) {
		if (next(r, &ev) < 0)
			goto fail;
		if (ev.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&ev);
			return list;
		}
		*end = read_node(r, &ev, depth);
		yaml_event_delete(&ev);
		if (*end == NULL)
			goto fail;
		end = &(*end)->next;
	}
fail:
	node_free(list);
	return NULL;
}

/* The value that belongs to a key event, with that key. */
static struct node *
read_pair(struct reader *r, const yaml_event_t *key, int depth)
{
	struct node *n = NULL;
	yaml_event_t ev;

	if (key->type != YAML_SCALAR_EVENT)
		return refuse(r, key, "a key must be text");
	if (next(r, &ev) < 0)
		return NULL;
	n = read_node(r, &ev, depth);
	yaml_event_delete(&ev);
	if (n == NULL)
		return NULL;
	n->line = key->start_mark.line + 1;
	n->key = scalar_text(r, key);
	if (n->key != NULL)
		return n;
	node_free(n);
	return NULL;
}

static struct node *
read_map(struct reader *r, const yaml_event_t *start, int depth)
{
	struct node *map = new_node(r, start, NODE_MAP);
	struct node **end = map == NULL ? NULL : &map->child;
	struct node *n, *before;
	yaml_event_t ev;

	while (map != NULL) {
		if (next(r, &ev) < 0)
			goto fail;
		if (ev.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&ev);
			return map;
		}
		n = read_pair(r, &ev, depth);
		yaml_event_delete(&ev);
		if (n == NULL)
			goto fail;
		before = node_get(map, n->key);
		if (before != NULL)
			n->first = before->line;
		*end = n;
		end = &n->next;
	}
fail:
	node_free(map);
	return NULL;
}

static bool
tagged(const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return ev->data.scalar.tag != NULL;
	case YAML_SEQUENCE_START_EVENT:
		return ev->data.sequence_start.tag != NULL;
	case YAML_MAPPING_START_EVENT:
		return ev->data.mapping_start.tag != NULL;
	default:
		return false;
	}
}

static struct node *
read_node(struct reader *r, const yaml_event_t *ev, int depth)
{
	if (depth >= YAML_DEPTH_MAX)
		return refuse(r, ev, "the file is nested too deeply");
	if (tagged(ev))
		return refuse(r, ev, "a tag (!name) is not supported");
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(r, ev);
	case YAML_SEQUENCE_START_EVENT:
		return read_list(r, ev, depth + 1);
	case YAML_MAPPING_START_EVENT:
		return read_map(r, ev, depth + 1);
	case YAML_ALIAS_EVENT:
		return refuse(r, ev,
		    "an alias (*name) is not supported; write the value out, "
		    "or put quotes around a text that begins with *");
	default:
		return refuse(r, ev, "a value is missing");
	}
}

/* The one document of the stream, NULL with an empty err: there is none. */
static struct node *
read_stream(struct reader *r, bool *empty)
{
	struct node *root = NULL;
	yaml_event_t ev;
	int depth = 0;

	for (;;) {
		if (next(r, &ev) < 0)
			goto fail;
		switch (ev.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			break;
		case YAML_STREAM_END_EVENT:
			yaml_event_delete(&ev);
			*empty = root == NULL;
			return root;
		case YAML_DOCUMENT_START_EVENT:
			if (root == NULL)
				break;
			(void)refuse(r, &ev, "a second document begins here");
			yaml_event_delete(&ev);
			goto fail;
		default:
			root = read_node(r, &ev, depth);
			if (root != NULL)
				break;
			yaml_event_delete(&ev);
			goto fail;
		}
		yaml_event_delete(&ev);
	}
fail:
	node_free(root);
	return NULL;
}

struct node *
yaml_parse(const char *file, const char *text, size_t len, struct err *err)
{
	struct reader r = {
		.file = file, .text = text, .len = len, .err = err
	};
	struct node *root;
	bool empty = false;

	if (!yaml_parser_initialize(&r.parser)) {
		(void)err_set(err, "%s:1: out of memory", file);
		return NULL;
	}
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text,
	    len);
	root = read_stream(&r, &empty);
	if (empty || (root != NULL && node_null(root))) {
		node_free(root);
		root = xcalloc(1, sizeof(*root));
		root->type = NODE_MAP;
		root->file = xstrdup(file);
		root->line = 1;
	}
	yaml_parser_delete(&r.parser);
	return root;
}

struct node *
node_get(const struct node *map, const char *key)
{
	if (map == NULL || map->type != NODE_MAP)
		return NULL;
	for (struct node *n = map->child; n != NULL; n = n->next)
		if (strcmp(n->key, key) == 0)
			return n;
	return NULL;
}

const struct node *
node_find(const struct node *map, const char *path)
{
	size_t len;
	char *part;

	for (; map != NULL; path += len + 1) {
		len = strcspn(path, ".");
		part = xstrndup(path, len);
		map = node_get(map, part);
		free(part);
		if (path[len] == '\0')
			return map;
	}
	return NULL;
}

bool
node_null(const struct node *n)
{
	if (n->type != NODE_SCALAR || !n->plain)
		return false;
	return n->text[0] == '\0' || strcmp(n->text, "~") == 0 ||
	    strcmp(n->text, "null") == 0 || strcmp(n->text, "Null") == 0 ||
	    strcmp(n->text, "NULL") == 0;
}

/* Put one child of another map into base. */
static void
merge_child(struct node *base, struct node *n)
{
	struct node **at = &base->child;
	struct node *old;

	while (*at != NULL && strcmp((*at)->key, n->key) != 0)
		at = &(*at)->next;
	old = *at;
	if (old != NULL && old->type == NODE_MAP && n->type == NODE_MAP) {
		node_merge(old, n);
	} else if (old != NULL && old->type == NODE_MAP && node_null(n)) {
		node_free(n);
	} else {
		*at = n;
		if (old == NULL)
			return;
		n->next = old->next;
		old->next = NULL;
		node_free(old);
	}
}

void
node_merge(struct node *base, struct node *over)
{
	struct node *n;

	while ((n = over->child) != NULL) {
		over->child = n->next;
		n->next = NULL;
		merge_child(base, n);
	}
	node_free(over);
}

static char *
copy_text(const char *s)
{
	return s == NULL ? NULL : xstrdup(s);
}

struct node *
node_copy(const struct node *n)
{
	struct node *copy = xcalloc(1, sizeof(*copy));
	struct node **end = &copy->child;

	*copy = *n;
	copy->key = copy_text(n->key);
	copy->text = copy_text(n->text);
	copy->file = copy_text(n->file);
	copy->next = copy->child = NULL;
	for (const struct node *c = n->child; c != NULL; c = c->next) {
		*end = node_copy(c);
		end = &(*end)->next;
	}
	return copy;
}

static struct node *
new_child(const struct node *map, enum node_type type, const char *key)
{
	struct node *n = xcalloc(1, sizeof(*n));

	n->type = type;
	n->key = copy_text(key);
	n->file = copy_text(map->file);
	n->line = map->line;
	return n;
}

struct node *
node_scalar(const struct node *map, const char *key, const char *text)
{
	struct node *n = new_child(map, NODE_SCALAR, key);

	n->text = xstrdup(text);
	return n;
}

void
node_put(struct node *map, struct node *child)
{
	struct node **at = &map->child;
	struct node *old;

	while (*at != NULL && strcmp((*at)->key, child->key) != 0)
		at = &(*at)->next;
	old = *at;
	*at = child;
	child->next = NULL;
	if (old == NULL)
		return;
	child->next = old->next;
	old->next = NULL;
	node_free(old);
}

struct node *
node_map(struct node *map, const char *key)
{
	struct node *n = node_get(map, key);

	if (n == NULL || node_null(n)) {
		n = new_child(map, NODE_MAP, key);
		node_put(map, n);
	}
	return n->type == NODE_MAP ? n : NULL;
}

/* Depth is bounded by YAML_DEPTH_MAX, length by a loop; texts may be
 * secrets. */
void
node_free(struct node *n)
{
	struct node *following;

	for (; n != NULL; n = following) {
		following = n->next;
		node_free(n->child);
		free(n->key);
		if (n->text != NULL)
			explicit_bzero(n->text, strlen(n->text));
		free(n->text);
		free(n->file);
		free(n);
	}
}

void
node_remove(struct node *map, struct node *child)
{
	for (struct node **at = &map->child; *at != NULL; at = &(*at)->next) {
		if (*at != child)
			continue;
		*at = child->next;
		child->next = NULL;
		node_free(child);
		return;
	}
}
