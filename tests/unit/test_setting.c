/*
 * test_setting.c - options as rows of a table.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/node.h"
#include "config/setting.h"
#include "tests/unit/unit.h"

struct inner {
	char *ca;
	int64_t wait;
};

struct thing {
	char *host;
	char **names;
	int64_t count;
	bool on;
	int64_t size;
	int mode;
	char *key;
	struct setting_pair *headers;
	struct inner inner;
};

static const char *const modes[] = { "fast", "slow", NULL };
static const char *const parts[] = { "mail", "files", NULL };

static const struct setting inner_rows[] = {
	{ .key = "tls.ca",
	    .type = SETTING_SECRET,
	    .offset = offsetof(struct inner, ca) },
	{ .key = "wait",
	    .type = SETTING_DURATION,
	    .offset = offsetof(struct inner, wait),
	    .def = "5s",
	    .min = 1000000,
	    .max = 60000000 },
	SETTING_END,
};

static const struct setting rows[] = {
	{ .key = "host",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct thing, host),
	    .required = true },
	{ .key = "names",
	    .type = SETTING_LIST,
	    .offset = offsetof(struct thing, names),
	    .def = "[mail, files]",
	    .choices = parts },
	{ .key = "count",
	    .type = SETTING_INTEGER,
	    .offset = offsetof(struct thing, count),
	    .def = "3",
	    .min = 1,
	    .max = 9 },
	{ .key = "on",
	    .type = SETTING_BOOL,
	    .offset = offsetof(struct thing, on),
	    .def = "true" },
	{ .key = "size",
	    .type = SETTING_SIZE,
	    .offset = offsetof(struct thing, size),
	    .def = "64KiB",
	    .min = 1024,
	    .max = 1048576 },
	{ .key = "mode",
	    .type = SETTING_CHOICE,
	    .offset = offsetof(struct thing, mode),
	    .def = "slow",
	    .choices = modes },
	{ .key = "key",
	    .type = SETTING_SECRET,
	    .offset = offsetof(struct thing, key) },
	{ .key = "headers",
	    .type = SETTING_SECRETS,
	    .offset = offsetof(struct thing, headers) },
	{ .key = "inner",
	    .type = SETTING_TABLE,
	    .offset = offsetof(struct thing, inner),
	    .table = inner_rows },
	SETTING_END,
};

static const char *const skip[] = { "type", NULL };

static void
fill(const char *text, struct thing *t, struct config_errors *f)
{
	struct err err = ERR_INIT;
	struct node *n = yaml_parse("f", text, strlen(text), &err);

	ck_assert_msg(n != NULL, "%s", err.text);
	memset(t, 0, sizeof(*t));
	*f = (struct config_errors)CONFIG_ERRORS_INIT;
	settings_fill(rows, n, "thing", skip, t, f);
	node_free(n);
}

static void
drop(struct thing *t, struct config_errors *f)
{
	settings_release(rows, t);
	config_errors_release(f);
}

START_TEST(defaults_come_first)
{
	struct config_errors f;
	struct thing t;

	fill("host: a\ntype: x\ncount:\n", &t, &f);
	ck_assert_uint_eq(f.n, 0);
	ck_assert_str_eq(t.host, "a");
	ck_assert_str_eq(t.names[1], "files");
	ck_assert_ptr_null(t.names[2]);
	ck_assert_int_eq(t.count, 3);
	ck_assert(t.on);
	ck_assert_int_eq(t.size, 65536);
	ck_assert_int_eq(t.mode, 1);
	ck_assert_ptr_null(t.key);
	ck_assert_ptr_null(t.headers);
	ck_assert_int_eq(t.inner.wait, 5000000);
	drop(&t, &f);
}
END_TEST

START_TEST(values_of_every_type)
{
	struct config_errors f;
	struct thing t;

	fill("{host: 12, names: [mail], count: \"9\", on: No,\n"
	     "size: 1MiB, mode: fast, key: \"a${file:/k}b\",\n"
	     "headers: {X-A: '1', X-B: \"${env:B}\"},\n"
	     "tls: {ca: /ca}, wait: 1m}",
	    &t, &f);
	ck_assert_uint_eq(f.n, 0);
	ck_assert_str_eq(t.host, "12");
	ck_assert_ptr_null(t.names[1]);
	ck_assert_int_eq(t.count, 9);
	ck_assert(!t.on);
	ck_assert_int_eq(t.size, 1048576);
	ck_assert_int_eq(t.mode, 0);
	ck_assert_str_eq(t.key, "a${file:/k}b");
	ck_assert_str_eq(t.headers[1].name, "X-B");
	ck_assert_str_eq(t.headers[1].value, "${env:B}");
	ck_assert_ptr_null(t.headers[2].name);
	ck_assert_str_eq(t.inner.ca, "/ca");
	ck_assert_int_eq(t.inner.wait, 60000000);
	drop(&t, &f);
}
END_TEST

/* One line of text, the one fault it must make. */
static const struct {
	const char *text;
	const char *fault;
} faulty[] = {
	{ "{}", "f:1: thing: \"host\" is missing" },
	{ "host: ''", "f:1: thing: \"host\" is empty; it must be set" },
	{ "host: [a]", "f:1: thing: \"host\" must be text, not a list" },
	{ "host: \"a\\nb\"",
	    "f:1: thing: \"host\" contains a control character" },
	{ "host: '${env:A}'",
	    "f:1: thing: \"host\": \"${env:A}\" is not a secret" },
	{ "{host: a, hots: b}",
	    "f:1: thing: unknown key \"hots\"; did you mean \"host\"?" },
	{ "{host: a, typo: b}",
	    "f:1: thing: unknown key \"typo\"; did you mean \"type\"?" },
	{ "{host: a, xyzzyplugh: b}",
	    "f:1: thing: unknown key \"xyzzyplugh\"; known: host, names" },
	{ "{host: a, tls: {cs: b}}",
	    "f:1: thing.tls: unknown key \"cs\"; did you mean \"ca\"?" },
	{ "{host: a, ca: b}",
	    "f:1: thing: unknown key \"ca\"; did you mean \"tls.ca\" (a dot" },
	{ "{host: a, tls.ca: b}",
	    "f:1: thing: unknown key \"tls.ca\"; a dot stands for a nested "
	    "map: \"tls: { ca: … }\"" },
	{ "{host: a, tls: b}",
	    "f:1: thing: \"tls\" must be a map of further keys" },
	{ "{host: a, names: mail}",
	    "f:1: thing: \"names\" must be a list, such as [a, b]" },
	{ "{host: a, names: []}", "f:1: thing: \"names\" is an empty list" },
	{ "{host: a, names: [mial]}",
	    "f:1: thing: \"names\": unknown \"mial\"; did you mean" },
	{ "{host: a, names: [{}]}",
	    "f:1: thing: \"names\" must contain only plain" },
	{ "{host: a, count: many}",
	    "f:1: thing: \"count\": \"many\" is not a whole number" },
	{ "{host: a, count: 99999999999999999999}",
	    "f:1: thing: \"count\": \"99999999999999999999\" is not a whole" },
	{ "{host: a, count: 10}",
	    "f:1: thing: \"count\": \"10\" is out of range; it must be 1 to "
	    "9" },
	{ "{host: a, count: 0}", "f:1: thing: \"count\": \"0\" is out of" },
	{ "{host: a, on: maybe}",
	    "f:1: thing: \"on\": \"maybe\" is neither true nor false" },
	{ "{host: a, size: 2MiB}",
	    "f:1: thing: \"size\": \"2MiB\" is out of range; it must be 1KiB "
	    "to 1MiB" },
	{ "{host: a, size: big}", "f:1: thing: \"size\": \"big\" is not a si" },
	{ "{host: a, mode: fats}",
	    "f:1: thing: \"mode\": unknown \"fats\"; did you mean \"fast\"?" },
	{ "{host: a, mode: 7up7up7}",
	    "f:1: thing: \"mode\": unknown \"7up7up7\"; known: fast, slow" },
	{ "{host: a, key: 'se${cret'}",
	    "f:1: thing: \"key\" has \"${\" at character 3 that does not" },
	{ "{host: a, headers: [a]}",
	    "f:1: thing: \"headers\" must be a map of names and values" },
	{ "{host: a, headers: {a: [b]}}",
	    "f:1: thing: \"headers\" must contain only plain values" },
	{ "{host: a, headers: {a: 'x${fil:/a}'}}",
	    "f:1: thing: \"headers\" has \"${\" at character 2" },
	{ "{host: a, wait: soon}",
	    "f:1: thing: \"wait\": \"soon\" is not a duration; write" },
	{ "{host: a, wait: 2m}",
	    "f:1: thing: \"wait\": \"2m\" is out of range; it must be 1s to "
	    "1m" },
};

START_TEST(each_fault_says_where_and_what)
{
	struct config_errors f;
	struct thing t;

	fill(faulty[_i].text, &t, &f);
	ck_assert_uint_eq(f.n, 1);
	ck_assert_msg(strncmp(f.line[0], faulty[_i].fault,
			  strlen(faulty[_i].fault)) == 0,
	    "%s", f.line[0]);
	drop(&t, &f);
}
END_TEST

START_TEST(config_errors_come_all_at_once)
{
	struct config_errors f;
	struct thing t;

	fill("count: 0\nmode: x1\ntls:\n  a: b\n  c: d\n", &t, &f);
	ck_assert_uint_eq(f.n, 5);
	ck_assert_uint_eq(f.place[4].line, 5);
	ck_assert_str_eq(f.place[4].file, "f");
	ck_assert_int_eq(strncmp(f.place[4].text, "thing.tls: ", 11), 0);
	drop(&t, &f);
}
END_TEST

/* Blame two keys of the map {host, on}, one of which has a fault already. */
START_TEST(blame_finds_the_line_and_keeps_silent_twice)
{
	static const char text[] = "host: a\ntls:\n  ca: b\ncount: x\n";
	struct config_section b = { .where = "thing" };
	struct config_errors f = CONFIG_ERRORS_INIT;
	struct err err = ERR_INIT;
	struct thing t = { .host = NULL };
	struct node *n = yaml_parse("f", text, strlen(text), &err);

	ck_assert_ptr_nonnull(n);
	settings_fill(rows, n, "thing", NULL, &t, &f);
	ck_assert_uint_eq(f.n, 1);
	b.map = n;
	b.errors = &f;
	b.filled = f.n;
	config_error(&b, "count: is odd");
	config_error(&b, "tls.ca: is bad");
	config_error(&b, "mode: is missing");
	ck_assert_uint_eq(f.n, 3);
	ck_assert_str_eq(f.line[1], "f:3: thing: \"tls.ca\": is bad");
	ck_assert_str_eq(f.line[2], "f:1: thing: \"mode\": is missing");
	config_errors_sort(&f);
	ck_assert_str_eq(f.line[0], "f:1: thing: \"mode\": is missing");
	ck_assert_uint_eq(f.place[2].line, 4);
	node_free(n);
	drop(&t, &f);
}
END_TEST

START_TEST(config_errors_are_bounded_and_clean)
{
	struct config_errors f = CONFIG_ERRORS_INIT;

	for (int i = 0; i < CONFIG_ERRORS_MAX + 10; i++)
		config_errors_add(&f, NULL, "a\nb\x1b%d", i);
	ck_assert_uint_eq(f.n, CONFIG_ERRORS_MAX);
	ck_assert_str_eq(f.line[0], "a\\x0ab\\x1b0");
	ck_assert_str_eq(f.line[f.n - 1], "there are more faults");
	config_errors_release(&f);
	config_errors_add_err(&f, "C:/a b.yaml:12: did not find");
	ck_assert_str_eq(f.place[0].file, "C:/a b.yaml");
	ck_assert_uint_eq(f.place[0].line, 12);
	ck_assert_str_eq(f.place[0].text, "did not find");
	config_errors_release(&f);
}
END_TEST

START_TEST(ranges_are_written_as_in_the_file)
{
	struct buf b = BUF_INIT(100);

	ck_assert_int_eq(setting_range(&rows[2], &b), 0);
	ck_assert_str_eq(b.data, "1 to 9");
	buf_clear(&b);
	ck_assert_int_eq(setting_range(&rows[4], &b), 0);
	ck_assert_str_eq(b.data, "1KiB to 1MiB");
	buf_clear(&b);
	ck_assert_int_eq(setting_range(&inner_rows[1], &b), 0);
	ck_assert_str_eq(b.data, "1s to 1m");
	buf_clear(&b);
	ck_assert_int_eq(setting_range(&rows[5], &b), 0);
	ck_assert_str_eq(b.data, "fast, slow");
	buf_release(&b);
}
END_TEST

Suite *
suite_setting(void)
{
	Suite *s = suite_create("setting");
	TCase *tc = tcase_create("setting");

	tcase_add_test(tc, defaults_come_first);
	tcase_add_test(tc, values_of_every_type);
	tcase_add_loop_test(tc, each_fault_says_where_and_what, 0,
	    sizeof(faulty) / sizeof(faulty[0]));
	tcase_add_test(tc, config_errors_come_all_at_once);
	tcase_add_test(tc, blame_finds_the_line_and_keeps_silent_twice);
	tcase_add_test(tc, config_errors_are_bounded_and_clean);
	tcase_add_test(tc, ranges_are_written_as_in_the_file);
	suite_add_tcase(s, tc);
	return s;
}
