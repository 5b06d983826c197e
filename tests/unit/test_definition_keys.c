/*
 * test_definition_keys.c - each key of each definition that ships, broken in
 * each way, one at a time: a fault with file and line that names the key, or
 * the definition is right where the key may be absent; never anything else.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
#include "sources/rest/definition.h"
#include "tests/unit/unit.h"

#define SHIPPED SRCDIR "/agent/sources/definitions/*.yaml"
#define TEXT_MAX (1024 * 1024)
#define HUGE_TEXT (64 * 1024)

enum damage { REMOVED, MISSPELLED, RETYPED, EMPTY, TOO_LARGE, TWICE, DAMAGES };
static const char *const damages[] = { [REMOVED] = "removed",
	[MISSPELLED] = "misspelled",
	[RETYPED] = "of another type",
	[EMPTY] = "null",
	[TOO_LARGE] = "huge",
	[TWICE] = "there twice" };

/* Maps whose keys the author of a definition names. */
static const char *const named[] = { "variables", "hosts", "streams", "query",
	"headers", "fields", "claims", "url", "values" };

static struct {
	const char *file;
	struct node *top;
	char huge[HUGE_TEXT + 1];
	size_t seen;   /* keys and ways */
	size_t broken; /* of them */
	size_t right;  /* of them */
} t;

static bool
is_named(const struct node *map)
{
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (strcmp(map->key, named[i]) == 0)
			return true;
	return false;
}

/* Does a fault say where it is, and name the key?  Without a key that had a
 * variable nothing uses that one. */
static bool
names_key(const struct config_errors *errors, const char *key, enum damage how)
{
	bool found = false;

	for (size_t i = 0; i < errors->n; i++) {
		ck_assert_msg(errors->place[i].file != NULL &&
			errors->place[i].line > 0,
		    "%s: no place in \"%s\"", t.file, errors->line[i]);
		found = found || strstr(errors->line[i], key) != NULL ||
		    (how == REMOVED &&
			strstr(errors->line[i],
			    "nothing in the definition uses it") != NULL);
	}
	return found;
}

/* A key that is gone is named, unless what is told is what it had: a name that
 * an author chose is missed where it is used, a stream by streams, and what
 * streams had in common by each. */
static bool
must_name(const char *key, enum damage how, bool author)
{
	if (author)
		return how == TWICE || how == RETYPED || how == EMPTY;
	return how != TOO_LARGE &&
	    (how != REMOVED || strcmp(key, "common") != 0);
}

/* The tree as it is: is it right only where that may be so, and does the fault
 * name the key? */
static void
judge(const char *key, enum damage how, bool author)
{
	const bool must_fail = how == TWICE || how == RETYPED || how == EMPTY ||
	    (how == MISSPELLED && !author);
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct buf text = BUF_INIT(TEXT_MAX);
	struct definition *d;
	bool told;

	ck_assert_int_eq(yaml_print(t.top, 0, &text), 0);
	d = definition_parse(NULL, t.file, text.data, text.len, &errors);
	told = names_key(&errors, key, how);
	ck_assert_msg((d == NULL) == (errors.n > 0), "%s: %s %s: no fault",
	    t.file, key, damages[how]);
	ck_assert_msg(d == NULL || !must_fail, "%s: %s %s: is taken", t.file,
	    key, damages[how]);
	ck_assert_msg(told || d != NULL || !must_name(key, how, author),
	    "%s: %s %s: \"%s\" does not name it", t.file, key, damages[how],
	    errors.n > 0 ? errors.line[0] : "");
	t.broken++;
	t.right += d != NULL;
	definition_free(d);
	config_errors_release(&errors);
	buf_release(&text);
}

/* Break the node at *at, look what comes of it, and put it back.  author: its
 * key is one that the author of a definition names. */
static void
break_one(struct node **at, enum damage how, bool author)
{
	static char null_text[] = "null";
	struct node *n = *at, was = *n, child, copy;

	child = (struct node){ .key = (char[]){ "zq" },
		.text = (char[]){ "text" },
		.file = n->file,
		.line = n->line };
	copy = was;
	switch (how) {
	case REMOVED:
		*at = n->next;
		break;
	case MISSPELLED:
		n->key = xasprintf("%szq", was.key);
		break;
	case RETYPED:
		n->type = was.type == NODE_SCALAR ? NODE_MAP : NODE_SCALAR;
		n->child = was.type == NODE_SCALAR ? &child : NULL;
		n->text = was.type == NODE_SCALAR ? NULL : child.text;
		break;
	case EMPTY:
	case TOO_LARGE:
		n->type = NODE_SCALAR;
		n->child = NULL;
		n->plain = true;
		n->text = how == EMPTY ? null_text : t.huge;
		break;
	default:
		n->next = &copy;
		break;
	}
	judge(how == MISSPELLED ? n->key : was.key, how, author);
	if (how == MISSPELLED)
		free(n->key);
	*n = was;
	*at = n;
}

/* Streams have much the same keys: of the first ones it is done. */
#define STREAMS 3

static void
break_all(struct node *map, bool author)
{
	const bool few = map->key != NULL && strcmp(map->key, "streams") == 0;
	size_t n = 0;

	for (struct node **at = &map->child; *at != NULL; at = &(*at)->next) {
		for (int how = 0; map->type == NODE_MAP && how < DAMAGES; how++)
			if (t.seen++ % 20 < unit_rounds(20))
				break_one(at, (enum damage)how, author);
		if ((*at)->type != NODE_SCALAR && (!few || n++ < STREAMS))
			break_all(*at,
			    (*at)->key != NULL ? is_named(*at) : author);
	}
}

START_TEST(each_key_is_broken)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	struct err err = ERR_INIT;
	glob_t files;

	ck_assert_int_eq(glob(SHIPPED, 0, NULL, &files), 0);
	if ((size_t)_i < files.gl_pathc) {
		t.file = files.gl_pathv[_i];
		memset(t.huge, '9', HUGE_TEXT);
		ck_assert_int_eq(file_read(t.file, &text, &err), 0);
		t.top = yaml_parse(t.file, text.data, text.len, &err);
		ck_assert_msg(t.top != NULL, "%s", err.text);
		break_all(t.top, false);
		ck_assert_uint_gt(t.broken, unit_rounds(200));
		ck_assert_uint_lt(t.right, t.broken / 2);
		node_free(t.top);
		buf_release(&text);
	}
	globfree(&files);
}
END_TEST

Suite *
suite_definition_keys(void)
{
	Suite *s = suite_create("definition_keys");
	TCase *tc = tcase_create("definition_keys");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, each_key_is_broken, 0, 60);
	suite_add_tcase(s, tc);
	return s;
}
