/*
 * test_config.c - whole configurations: each folder of vectors/config is one
 * (sealfeed.yaml, conf.d/), with the faults that it must have in "expect";
 * none where the name begins with "good".
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
#include "config/config.h"
#include "config/secret.h"
#include "config/strip.h"
#include "outputs/output.h"
#include "run/types.h"
#include "sources/source.h"
#include "tests/unit/unit.h"

#define CONFIGS VECTORS "config/"
#define EXPECT_MAX 65536

static struct dirent **names;
static int n_names;

static int
is_case(const struct dirent *d)
{
#ifndef HAVE_RDKAFKA
	if (strcmp(d->d_name, "bad-kafka") == 0)
		return false;
#endif
	return d->d_name[0] != '.';
}

static struct config *
load(const char *name, struct config_errors *errors)
{
	char *path = xasprintf("%s%s/sealfeed.yaml", CONFIGS, name);
	struct config *c;

	*errors = (struct config_errors)CONFIG_ERRORS_INIT;
	c = config_load(path, &agent_types, errors);
	free(path);
	return c;
}

/* Append the faults as `expect` has them: without the folder's path. */
static void
write_faults(const char *name, const struct config_errors *errors,
    struct buf *out)
{
	char *folder = xasprintf("%s%s/", CONFIGS, name);

	for (size_t i = 0; i < errors->n; i++) {
		const char *line = errors->line[i];

		if (strncmp(line, folder, strlen(folder)) == 0)
			line += strlen(folder);
		ck_assert_int_eq(buf_addf(out, "%s\n", line), 0);
	}
	free(folder);
}

START_TEST(every_fault_is_found)
{
	const char *name = names[_i]->d_name;
	char *path = xasprintf("%s%s/expect", CONFIGS, name);
	struct buf expect = BUF_INIT(EXPECT_MAX), got = BUF_INIT(EXPECT_MAX);
	struct err err = ERR_INIT;
	struct config_errors errors;
	struct config *c = load(name, &errors);

	ck_assert_msg(file_read(path, &expect, &err) == 0, "%s", err.text);
	ck_assert_int_eq(buf_adds(&expect, "") | buf_adds(&got, ""), 0);
	write_faults(name, &errors, &got);
	ck_assert_msg(strcmp(got.data, expect.data) == 0,
	    "%s: got:\n%sexpected:\n%s", name, got.data, expect.data);
	ck_assert_int_eq(c != NULL, strncmp(name, "good", 4) == 0);
	ck_assert_int_eq(c == NULL, errors.n > 0);
	config_free(c);
	config_errors_release(&errors);
	buf_release(&expect);
	buf_release(&got);
	free(path);
}
END_TEST

START_TEST(values_arrive)
{
	struct config_errors errors;
	struct config *c = load("good-merged", &errors);

	ck_assert_ptr_nonnull(c);
	ck_assert_str_eq(c->agent.name, "fra1");
	ck_assert_str_eq(c->agent.key, "/etc/sealfeed/seal.pem");
	ck_assert_int_eq(c->agent.store.max_size, INT64_C(20) << 30);
	ck_assert_str_eq(c->agent.watch.listen, "127.0.0.1:9469");
	ck_assert_uint_eq(c->n_sources, 1);
	ck_assert_str_eq(c->sources[0].name, "contoso");
	ck_assert_ptr_eq(c->sources[0].type, &source_office365);
	ck_assert_uint_eq(c->n_outputs, 1);
	ck_assert_str_eq(c->outputs[0].name, "siem");
	ck_assert_ptr_eq(c->outputs[0].type, &output_syslog);
	config_free(c);
}
END_TEST

START_TEST(the_host_names_the_agent)
{
	char dir[] = "/tmp/sealfeed-config-XXXXXX", *path;
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct err err = ERR_INIT;
	struct config *c;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	path = xasprintf("%s/sealfeed.yaml", dir);
	ck_assert_int_eq(file_create(path, "{}", 2, 0600, &err), 0);
	c = config_load(path, &agent_types, &errors);
	/* A host's name may be one that the agent can't have. */
	if (c == NULL)
		ck_assert_ptr_nonnull(strstr(errors.line[0], "agent.name"));
	else
		ck_assert(config_good_name(c->agent.name));
	config_free(c);
	config_errors_release(&errors);
	ck_assert_int_eq(remove(path) | remove(dir), 0);
	free(path);
}
END_TEST

static struct config *
load_text(const char *text)
{
	char dir[] = "/tmp/sealfeed-config-XXXXXX", *path;
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct err err = ERR_INIT;
	struct config *c;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	path = xasprintf("%s/sealfeed.yaml", dir);
	ck_assert_int_eq(file_create(path, text, strlen(text), 0600, &err), 0);
	c = config_load(path, &agent_types, &errors);
	ck_assert_msg(c != NULL, "%s", errors.n > 0 ? errors.line[0] : "");
	ck_assert_int_eq(remove(path) | remove(dir), 0);
	free(path);
	return c;
}

START_TEST(digests_tell_what_changed)
{
	struct config *a = load_text("agent: {name: a, retain: 1d}\n"
				     "outputs:\n"
				     "  x: {type: file, path: /x}\n"
				     "  y: {type: file, path: /y}\n");
	struct config *b = load_text("# the same in other words\n"
				     "outputs:\n"
				     "  x:\n    path: \"/x\"\n    type: file\n"
				     "  y: {type: file, path: /z}\n"
				     "agent: {retain: 1d, name: a}\n");
	struct config *c = load_text("agent: {name: b, retain: 1d}\n"
				     "outputs:\n"
				     "  y: {type: file, path: /y}\n"
				     "  x: {type: file, path: /x}\n");

	ck_assert_uint_eq(strlen(a->digest), 64);
	ck_assert_str_eq(a->agent_digest, b->agent_digest);
	ck_assert_str_eq(a->outputs[0].digest, b->outputs[0].digest);
	ck_assert_str_ne(a->outputs[1].digest, b->outputs[1].digest);
	ck_assert_str_ne(a->digest, b->digest);
	ck_assert_str_ne(a->agent_digest, c->agent_digest);
	ck_assert_str_eq(a->outputs[1].digest, c->outputs[0].digest);
	ck_assert_str_ne(a->outputs[0].digest, a->outputs[1].digest);
	config_free(a);
	config_free(b);
	config_free(c);
}
END_TEST

/* One configuration, with values that differ from one to the other. */
static struct config *
load_with(const char *secret, const char *token, const char *url)
{
	char *text = xasprintf("agent: {name: a, key: '%s'}\n"
			       "outputs:\n"
			       "  x:\n"
			       "    type: http\n"
			       "    url: '%s'\n"
			       "    headers: {X-Token: '%s'}\n",
	    secret, url, token);
	struct config *c = load_text(text);

	free(text);
	return c;
}

START_TEST(the_public_digest_knows_no_secret)
{
	static const struct {
		const char *secret, *token, *url;
		bool same;
	} rows[] = {
		{ "/key", "a", "https://h:8443/in", true },
		{ "hunter2", "a", "https://h:8443/in", true },
		{ "/key", "hunter2", "https://h:8443/in", true },
		{ "/key", "a", "https://h:8443/in?token=hunter2", true },
		{ "/key", "a", "https://h:8443/hooks/T0/hunter2", true },
		{ "/key", "a", "https://h:8443/hooks/T0@hunter2", true },
		{ "/key", "a", "https://h:8443/in?sig=a@hunter2", true },
		/* What is no secret still counts. */
		{ "/key", "a", "https://other:8443/in", false },
		{ "/key", "a", "https://h:8444/in", false },
		{ "${file:/key}", "a", "https://h:8443/in", false },
		{ "/key", "Bearer ${env:TOKEN}", "https://h:8443/in", false },
	};
	struct config *first = load_with("/key", "a", "https://h:8443/in");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *c =
		    load_with(rows[i].secret, rows[i].token, rows[i].url);

		ck_assert_msg((strcmp(c->public_digest, first->public_digest) ==
				  0) == rows[i].same,
		    "row %zu", i);
		/* Roles are restarted for the smallest change. */
		ck_assert((strcmp(c->digest, first->digest) == 0) == (i == 0));
		config_free(c);
	}
	config_free(first);
}
END_TEST

/* Passwords that should have been encoded: nothing of them is left. */
START_TEST(of_urls_the_host_is_left)
{
	struct err err = ERR_INIT;
	static const char *const rows[][2] = {
		{ "https://h:8443/in@x?a=b@c", "https://h:8443" },
		{ "https://u:pw@h:1/in", "https://h:1" },
		{ "https://u:p@w@h#x", "https://h" },
		{ "u:p@w@h:1", "h:1" },
		{ "https://u:pw@h/in@x", "https://" },
		{ "https://u:p/w@h/in", "https://" },
		{ "https://u:1p#w@h:1", "https://" },
		{ "https://u:p@w/x@h", "https://" },
		{ "h1:9093", "h1:9093" },
		{ "/services/collector/event?token=pw",
		    "/services/collector/event" },
		{ "/in?u=https://a@b#c", "/in" },
		{ "https://[::1]:1/x", "https://[::1]:1" },
	};
	static const struct setting table[] = {
		{ .key = "url", .type = SETTING_STRING, .help = "" },
		SETTING_END,
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = xasprintf("url: '%s'\n", rows[i][0]);
		struct node *map = yaml_parse("x", text, strlen(text), &err);

		ck_assert_msg(map != NULL, "%s", err.text);
		config_strip(table, map);
		ck_assert_str_eq(node_find(map, "url")->text, rows[i][1]);
		node_free(map);
		free(text);
	}
}
END_TEST

START_TEST(references_stay_and_literals_go)
{
	static const char *const rows[][2] = {
		{ "hunter2", "" },
		{ "", "" },
		{ "${file:/s}", "${file:/s}" },
		{ "Bearer ${env:A}x${credential:b}y",
		    "${env:A}${credential:b}" },
		{ "${other:x}${env:A}", "${env:A}" },
		{ "${", "" },
		{ "${env:A", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = xstrdup(rows[i][0]);

		secret_keep_references(text);
		ck_assert_str_eq(text, rows[i][1]);
		free(text);
	}
}
END_TEST

/* Give the map what an option of that type may have, with a secret in it. */
static void
put_secret(void *ctx, const struct setting_row *row)
{
	static const char *const texts[] = { "hunter2", "a ${env:A}hunter2",
		"https://u:hunter2@h:1/hunter2?a=hunter2#hunter2" };
	static const char *const keys[] = { "a", "b", "c" };
	const struct setting *s = row->setting;
	const bool secret =
	    s->type == SETTING_SECRET || s->type == SETTING_SECRETS;
	struct node *map = ctx, *in;
	char *key = xstrdup(s->key), *at = key, *dot;

	if (!secret && s->type != SETTING_STRING && s->type != SETTING_LIST) {
		free(key);
		return;
	}
	for (in = map; (dot = strchr(at, '.')) != NULL; at = dot + 1) {
		*dot = '\0';
		in = node_map(in, at);
		ck_assert_ptr_nonnull(in);
	}
	if (s->type == SETTING_LIST || s->type == SETTING_SECRETS)
		in = node_map(in, at);
	ck_assert_ptr_nonnull(in);
	for (size_t i = secret ? 0 : 2; i < 3; i++)
		node_put(in,
		    node_scalar(map, s->type == SETTING_SECRETS ? keys[i] : at,
			texts[i]));
	free(key);
}

/* Of no type of source or output, in whatever option it stands. */
START_TEST(no_option_leaves_a_secret)
{
	const struct config_type *const *all[] = { source_types, output_types };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; all[i][k] != NULL; k++) {
			struct node *map = yaml_parse("x", "{}", 2, &err);
			struct buf out = BUF_INIT((size_t)1 << 20);

			settings_each(all[i][k]->settings, put_secret, map);
			config_strip(all[i][k]->settings, map);
			ck_assert_int_eq(yaml_print(map, 0, &out), 0);
			ck_assert_ptr_nonnull(strstr(out.data, "h:1"));
			ck_assert_msg(strstr(out.data, "hunter2") == NULL,
			    "%s: %s", all[i][k]->name, out.data);
			buf_release(&out);
			node_free(map);
		}
}
END_TEST

static void
good_row(void *ctx, const struct setting_row *row)
{
	const struct setting *s = row->setting;
	size_t *n = ctx;

	(*n)++;
	ck_assert_msg(s->help != NULL && strlen(s->help) > 10, "%s", s->key);
	ck_assert_msg(s->help[strlen(s->help) - 1] == '.', "%s: %s", s->key,
	    s->help);
	ck_assert_msg(s->min <= s->max, "%s", s->key);
	ck_assert_msg(s->type != SETTING_CHOICE || s->choices != NULL, "%s",
	    s->key);
	ck_assert_msg(!s->required || s->def == NULL, "%s", s->key);
}

START_TEST(every_row_has_help)
{
	size_t n = 0;

	settings_each(agent_settings, good_row, &n);
	for (size_t i = 0; source_types[i] != NULL; i++)
		settings_each(source_types[i]->settings, good_row, &n);
	for (size_t i = 0; output_types[i] != NULL; i++)
		settings_each(output_types[i]->settings, good_row, &n);
	ck_assert_uint_gt(n, 40);
}
END_TEST

Suite *
suite_config(void)
{
	Suite *s = suite_create("config");
	TCase *tc = tcase_create("config");

	n_names = scandir(CONFIGS, &names, is_case, alphasort);
	tcase_add_loop_test(tc, every_fault_is_found, 0,
	    n_names < 0 ? 0 : n_names);
	tcase_add_test(tc, values_arrive);
	tcase_add_test(tc, the_host_names_the_agent);
	tcase_add_test(tc, digests_tell_what_changed);
	tcase_add_test(tc, the_public_digest_knows_no_secret);
	tcase_add_test(tc, of_urls_the_host_is_left);
	tcase_add_test(tc, references_stay_and_literals_go);
	tcase_add_test(tc, no_option_leaves_a_secret);
	tcase_add_test(tc, every_row_has_help);
	suite_add_tcase(s, tc);
	return s;
}
