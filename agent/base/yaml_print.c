/*
 * yaml_print.c - a tree as YAML that people read and yaml_parse() reads back.
 */
#include <string.h>

#include "base/buf.h"
#include "base/node.h"
#include "base/text.h"

/* May it stand without quotes and be read as the same text?  What a person
 * would write so, and nothing else. */
static bool
is_plain(const char *s)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789/$";
	static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz0123456789"
				   "/$._-+@:{}=";
	size_t len = strlen(s);

	return len > 0 && strchr(first, s[0]) != NULL &&
	    strspn(s, rest) == len && s[len - 1] != ':' &&
	    strcasecmp(s, "null") != 0;
}

/* A JSON string is one of YAML, too. */
static int
print_text(const char *s, struct buf *out)
{
	return is_plain(s) ? buf_adds(out, s)
			   : text_json_string(out, s, strlen(s));
}

static int
print_scalar(const struct node *n, struct buf *out)
{
	return node_null(n) ? buf_adds(out, "null") : print_text(n->text, out);
}

/* One entry of a list; maps and lists within are in flow style. */
static int
print_flow(const struct node *n, struct buf *out)
{
	const char *brackets = n->type == NODE_MAP ? "{}" : "[]";

	if (n->type == NODE_SCALAR)
		return node_null(n)
		    ? buf_adds(out, "null")
		    : text_json_string(out, n->text, strlen(n->text));
	if (buf_add(out, &brackets[0], 1) != 0)
		return -1;
	for (const struct node *c = n->child; c != NULL; c = c->next)
		if ((n->type == NODE_MAP &&
			(text_json_string(out, c->key, strlen(c->key)) != 0 ||
			    buf_adds(out, ": ") != 0)) ||
		    print_flow(c, out) != 0 ||
		    (c->next != NULL && buf_adds(out, ", ") != 0))
			return -1;
	return buf_add(out, &brackets[1], 1);
}

static int
print_child(const struct node *n, size_t indent, struct buf *out)
{
	int rc;

	if (n->type == NODE_MAP && n->child != NULL)
		return buf_adds(out, "\n") != 0
		    ? -1
		    : yaml_print(n, indent + 2, out);
	rc = buf_adds(out, " ");
	if (rc == 0)
		rc = n->type == NODE_SCALAR ? print_scalar(n, out)
					    : print_flow(n, out);
	return rc == 0 ? buf_adds(out, "\n") : -1;
}

int
yaml_print(const struct node *map, size_t indent, struct buf *out)
{
	for (const struct node *n = map->child; n != NULL; n = n->next)
		if (buf_addf(out, "%*s", (int)indent, "") != 0 ||
		    print_text(n->key, out) != 0 || buf_adds(out, ":") != 0 ||
		    print_child(n, indent, out) != 0)
			return -1;
	return 0;
}
