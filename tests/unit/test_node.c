/*
 * test_node.c - YAML files as a tree.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/node.h"
#include "tests/unit/unit.h"

static struct node *
parse(const char *text)
{
	struct err err = ERR_INIT;
	struct node *n = yaml_parse("f.yaml", text, strlen(text), &err);

	ck_assert_msg(n != NULL, "%s", err.text);
	return n;
}

static void
refused(const char *text, const char *why)
{
	struct err err = ERR_INIT;

	ck_assert_ptr_null(yaml_parse("f.yaml", text, strlen(text), &err));
	ck_assert_msg(strncmp(err.text, why, strlen(why)) == 0, "%s", err.text);
}

START_TEST(nodes_know_their_lines)
{
	struct node *n = parse("# head\na:\n  b: 1\n  c: [x,\n    'y']\n");

	ck_assert_uint_eq(node_get(n, "a")->line, 2);
	ck_assert_uint_eq(node_find(n, "a.b")->line, 3);
	ck_assert_uint_eq(node_find(n, "a.c")->child->next->line, 5);
	ck_assert(node_find(n, "a.b")->plain);
	ck_assert(!node_find(n, "a.c")->child->next->plain);
	ck_assert_ptr_null(node_find(n, "a.d"));
	ck_assert_ptr_null(node_find(n, "a.b.c"));
	node_free(n);
}
END_TEST

START_TEST(json_is_yaml)
{
	struct node *n = parse("{\"a\": {\"b\": [1, true, null]},\n"
			       "\t\"c\": \"\\u00e4\"}");

	ck_assert(node_null(node_find(n, "a.b")->child->next->next));
	ck_assert_str_eq(node_get(n, "c")->text, "ä");
	node_free(n);
}
END_TEST

START_TEST(nothing_is_an_empty_map)
{
	static const char *const nothing[] = { "", "# x\n", "---\n", "~\n" };

	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		struct node *n = parse(nothing[i]);

		ck_assert_int_eq(n->type, NODE_MAP);
		ck_assert_ptr_null(n->child);
		node_free(n);
	}
}
END_TEST

START_TEST(config_errors_name_the_line)
{
	char deep[200] = "a: ";

	refused("a: 1\nb: [1, 2\n", "f.yaml:3: ");
	refused("a: 1\n\tb: 2\n", "f.yaml:2: ");
	refused("a: &x 1\nb: *x\n", "f.yaml:2: an alias");
	refused("a: !!str 1\n", "f.yaml:1: a tag");
	refused("a: 1\n---\nb: 2\n", "f.yaml:2: a second document");
	refused("? [a]\n: 1\n", "f.yaml:1: a key must be text");
	refused("a: \"x\\0y\"\n", "f.yaml:1: a NUL");
	refused("a: 1\nb: \xff\xfe\n", "f.yaml:2: ");
	memset(deep + 3, '[', 40);
	refused(deep, "f.yaml:1: the file is nested too deeply");
}
END_TEST

START_TEST(too_many_nodes_are_refused)
{
	struct buf b = BUF_INIT(1 << 20);

	ck_assert_int_eq(buf_adds(&b, "["), 0);
	for (int i = 0; i <= YAML_NODES_MAX; i++)
		ck_assert_int_eq(buf_adds(&b, "1,"), 0);
	refused(b.data, "f.yaml:1: the file has too many");
	buf_release(&b);
}
END_TEST

START_TEST(repeated_keys_are_marked)
{
	struct node *n = parse("a: 1\nb: 2\na: 3\n");

	ck_assert_str_eq(node_get(n, "a")->text, "1");
	ck_assert_uint_eq(n->child->next->next->first, 1);
	ck_assert_uint_eq(n->child->next->first, 0);
	node_free(n);
}
END_TEST

START_TEST(maps_merge_and_all_else_is_replaced)
{
	struct node *n = parse("a: {x: 1, y: [1, 2]}\nb: 1\nc: {z: 1}\n");

	node_merge(n, parse("a: {y: [3], w: 4}\nb: {q: 1}\nc:\nd: 5\n"));
	ck_assert_str_eq(node_find(n, "a.x")->text, "1");
	ck_assert_str_eq(node_find(n, "a.y")->child->text, "3");
	ck_assert_ptr_null(node_find(n, "a.y")->child->next);
	ck_assert_str_eq(node_find(n, "a.w")->text, "4");
	ck_assert_str_eq(node_find(n, "b.q")->text, "1");
	ck_assert_str_eq(node_find(n, "c.z")->text, "1");
	ck_assert_str_eq(node_find(n, "d")->text, "5");
	node_free(n);
}
END_TEST

Suite *
suite_node(void)
{
	Suite *s = suite_create("node");
	TCase *tc = tcase_create("node");

	tcase_add_test(tc, nodes_know_their_lines);
	tcase_add_test(tc, json_is_yaml);
	tcase_add_test(tc, nothing_is_an_empty_map);
	tcase_add_test(tc, config_errors_name_the_line);
	tcase_add_test(tc, too_many_nodes_are_refused);
	tcase_add_test(tc, repeated_keys_are_marked);
	tcase_add_test(tc, maps_merge_and_all_else_is_replaced);
	suite_add_tcase(s, tc);
	return s;
}
