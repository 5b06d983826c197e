/*
 * test_share.c - what a role gets of the configuration and the environment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/pack.h"
#include "config/config.h"
#include "run/hand_over.h"
#include "run/roles.h"
#include "run/types.h"
#include "tests/unit/unit.h"

#define NOBODY 0
#define TO(role) (1u << (role))

static const char text[] =
    "agent: { name: fra1, key: '${credential:seal-7e1}' }\n"
    "sources:\n"
    "  contoso: { type: office365, tenant: "
    "0873ee4d-d342-44f2-8961-74c442a2fad2,\n"
    "    client_id: 6f9f0d1c-8f1e-4b35-9a53-0d5f3c1a7e42,\n"
    "    client_secret: 'source-7e2', proxy: "
    "'http://u:proxy-7e3@p.example.com:3128' }\n"
    "  fabrikam: { type: office365, tenant: "
    "1873ee4d-d342-44f2-8961-74c442a2fad2,\n"
    "    client_id: 7f9f0d1c-8f1e-4b35-9a53-0d5f3c1a7e42,\n"
    "    client_secret: '${env:SOURCE_7E4}' }\n"
    "outputs:\n"
    "  lake: { type: http, url: 'https://lake.example.com/in', bearer: "
    "lake-7e5,\n"
    "    headers: { X-Key: '${env:LAKE_7E6}' } }\n"
    "  siem: { type: http, url: 'https://siem.example.com/in', bearer: "
    "'${file:/etc/siem-7e7}' }\n";

/* Who may see what; of the ships it is that of lake. */
static const struct {
	const char *secret;
	unsigned roles;
} secrets[] = {
	{ "seal-7e1", TO(ROLE_SEAL) },
	{ "source-7e2", TO(ROLE_COLLECT) },
	{ "proxy-7e3", TO(ROLE_COLLECT) },
	{ "SOURCE_7E4", TO(ROLE_COLLECT) },
	{ "lake-7e5", TO(ROLE_SHIP) },
	{ "LAKE_7E6", TO(ROLE_SHIP) },
	{ "siem-7e7", NOBODY },
};

static struct config *config;

static void
load(const char *yaml)
{
	char dir[] = "/tmp/sealfeed-share-XXXXXX", *path;
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct err err = ERR_INIT;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	path = xasprintf("%s/sealfeed.yaml", dir);
	ck_assert_int_eq(file_create(path, yaml, strlen(yaml), 0600, &err), 0);
	config = config_load(path, &agent_types, &errors);
	ck_assert_msg(config != NULL, "%s", errors.n > 0 ? errors.line[0] : "");
	ck_assert_int_eq(remove(path) | remove(dir), 0);
	free(path);
}

static void
set_up(void)
{
	load(text);
}

static void
tear_down(void)
{
	config_free(config);
}

static void
share(enum role_kind kind, struct buf *out)
{
	struct config_share what = roles[kind].share;

	if (kind == ROLE_SHIP)
		what.output = "lake";
	buf_init(out, 1 << 20);
	ck_assert_int_eq(config_share(config, &what, out), 0);
}

START_TEST(secrets_go_to_their_role)
{
	const enum role_kind kind = (enum role_kind)_i;
	struct buf b;

	share(kind, &b);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		ck_assert_msg((memmem(b.data, b.len, secrets[i].secret,
				   strlen(secrets[i].secret)) != NULL) ==
			((secrets[i].roles & TO(kind)) != 0),
		    "%s: %s", roles[kind].name, secrets[i].secret);
	buf_release(&b);
}
END_TEST

START_TEST(a_share_is_a_configuration)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct config *c;
	struct buf b;

	share(ROLE_SHIP, &b);
	c = config_shared(b.data, b.len, config->path, &agent_types, &errors);
	ck_assert_ptr_nonnull(c);
	ck_assert_str_eq(c->agent.name, "fra1");
	ck_assert_str_eq(c->agent.store.path, config->agent.store.path);
	ck_assert_uint_eq(c->n_outputs, 1);
	ck_assert_str_eq(c->outputs[0].name, "lake");
	ck_assert_uint_eq(c->n_sources, 2);
	ck_assert_str_eq(c->sources[1].name, "fabrikam");
	config_free(c);
	config_errors_release(&errors);
	buf_release(&b);
	share(ROLE_SEAL, &b);
	errors = (struct config_errors)CONFIG_ERRORS_INIT;
	c = config_shared(b.data, b.len, config->path, &agent_types, &errors);
	ck_assert_ptr_nonnull(c);
	ck_assert_str_eq(c->agent.key, "${credential:seal-7e1}");
	ck_assert_uint_eq(c->n_sources + c->n_outputs, 0);
	config_free(c);
	config_errors_release(&errors);
	buf_release(&b);
}
END_TEST

/* A file of a type that is gone must not leave a source out in silence. */
START_TEST(a_type_that_is_gone_is_told)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct buf b;
	char *at;

	share(ROLE_COLLECT, &b);
	at = memmem(b.data, b.len, "office365", 9);
	ck_assert_ptr_nonnull(at);
	memcpy(at, "office364", 9);
	ck_assert_ptr_null(config_shared(b.data, b.len, config->path,
	    &agent_types, &errors));
	ck_assert_uint_gt(errors.n, 0);
	ck_assert_ptr_nonnull(strstr(errors.line[0], "office364"));
	config_errors_release(&errors);
	buf_release(&b);
}
END_TEST

static bool
has(char *const *environment, const char *name)
{
	const size_t len = strlen(name);

	for (; *environment != NULL; environment++)
		if (strncmp(*environment, name, len) == 0 &&
		    (*environment)[len] == '=')
			return true;
	return false;
}

START_TEST(the_environment_is_the_roles)
{
	static const struct {
		const char *name;
		unsigned roles;
	} rows[] = {
		{ "SOURCE_7E4", TO(ROLE_COLLECT) },
		{ "LAKE_7E6", TO(ROLE_SHIP) },
		{ "CREDENTIALS_DIRECTORY", TO(ROLE_SEAL) },
		{ "https_proxy", TO(ROLE_COLLECT) | TO(ROLE_SHIP) },
		{ "NO_PROXY", TO(ROLE_COLLECT) | TO(ROLE_SHIP) },
		{ "PKCS11_PROVIDER_MODULE", TO(ROLE_SEAL) },
		{ "SOFTHSM2_CONF", TO(ROLE_SEAL) },
		{ "TPM2OPENSSL_TCTI", TO(ROLE_SEAL) },
		{ "AWS_SECRET_ACCESS_KEY", NOBODY },
		{ "NOTIFY_SOCKET", NOBODY },
		{ "SSL_CERT_FILE", ~0u },
		{ "LC_ALL", ~0u },
		{ "LANGUAGE_MODEL_KEY", NOBODY },
		{ "TZ", ~0u },
		{ "TZX", NOBODY },
	};
	const enum role_kind kind = (enum role_kind)_i;
	struct config_share what = roles[kind].share;
	struct node *tree;
	struct buf b;
	char **list;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_int_eq(setenv(rows[i].name, "x", 1), 0);
	share(kind, &b);
	tree = pack_read(b.data, b.len);
	ck_assert_ptr_nonnull(tree);
	list = hand_over_environment(config, &what, tree, roles[kind].network);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(has(list, rows[i].name) ==
			((rows[i].roles & TO(kind)) != 0),
		    "%s: %s", roles[kind].name, rows[i].name);
	free(list);
	node_free(tree);
	buf_release(&b);
}
END_TEST

/* The environment's keys for AWS go to who has something there. */
START_TEST(keys_for_aws)
{
	static const char aws[] =
	    "agent: { name: fra1, key: /k }\n"
	    "sources: { trail: { type: aws-s3, buckets: [b] } }\n"
	    "outputs:\n  f: { type: file, path: /o }\n"
	    "  lake: { type: s3, bucket: b, url: 'https://s3.example.com' }\n";
	const enum role_kind kind = (enum role_kind)_i;
	struct config_share what = roles[kind].share;
	char **list;

	config_free(config);
	load(aws);
	ck_assert_int_eq(setenv("AWS_SECRET_ACCESS_KEY", "x", 1), 0);
	ck_assert_int_eq(setenv("AWSOME", "x", 1), 0);
	for (int i = 0; i < 2; i++) {
		what.output = kind != ROLE_SHIP ? NULL : i == 0 ? "f" : "lake";
		list = hand_over_environment(config, &what, NULL,
		    roles[kind].network);
		ck_assert_int_eq(has(list, "AWS_SECRET_ACCESS_KEY"),
		    kind == ROLE_COLLECT || (kind == ROLE_SHIP && i == 1));
		ck_assert(!has(list, "AWSOME"));
		free(list);
	}
}
END_TEST

START_TEST(trees_come_back)
{
	static const char yaml[] = "a: { b: [1, 'x', null, ''], c: {} }\n"
				   "\"d:1\": \"l\\n\\u00e4\"\n";
	struct buf whole = BUF_INIT(4096), again = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct node *n = yaml_parse("f", yaml, strlen(yaml), &err);
	struct node *copy;

	ck_assert_int_eq(pack_write(n, PACK_WHOLE, &whole), 0);
	copy = pack_read(whole.data, whole.len);
	ck_assert_ptr_nonnull(copy);
	ck_assert(node_find(copy, "a.b")->child->plain);
	ck_assert(!node_find(copy, "a.b")->child->next->plain);
	ck_assert_str_eq(node_get(copy, "d:1")->text, "l\nä");
	ck_assert_int_eq(pack_write(copy, PACK_WHOLE, &again), 0);
	ck_assert_uint_eq(whole.len, again.len);
	ck_assert_mem_eq(whole.data, again.data, whole.len);
	/* Nothing less is a tree, nothing more either. */
	for (size_t i = 0; i < whole.len; i++)
		ck_assert_ptr_null(pack_read(whole.data, i));
	ck_assert_int_eq(buf_adds(&whole, "s0:"), 0);
	ck_assert_ptr_null(pack_read(whole.data, whole.len));
	node_free(n);
	node_free(copy);
	buf_release(&whole);
	buf_release(&again);
}
END_TEST

START_TEST(what_is_no_tree_is_refused)
{
	static const char *const bad[] = { "", "x1:a", "s:", "s1", "s2:a",
		"s99999999999999999999:a", "m1:1:a", "m1:s1:a",
		"l1:", "l2:s0:", "s-1:a", "p1:ab" };
	char deep[200];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(pack_read(bad[i], strlen(bad[i])) == NULL, "%s",
		    bad[i]);
	for (size_t i = 0; i + 3 < sizeof(deep); i += 3)
		memcpy(deep + i, "l1:", 3);
	ck_assert_ptr_null(pack_read(deep, 198));
}
END_TEST

Suite *
suite_share(void)
{
	Suite *s = suite_create("share");
	TCase *tc = tcase_create("share");
	TCase *pack = tcase_create("pack");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, secrets_go_to_their_role, 0, ROLE_KINDS);
	tcase_add_test(tc, a_share_is_a_configuration);
	tcase_add_test(tc, a_type_that_is_gone_is_told);
	tcase_add_loop_test(tc, the_environment_is_the_roles, 0, ROLE_KINDS);
	tcase_add_loop_test(tc, keys_for_aws, 0, ROLE_KINDS);
	suite_add_tcase(s, tc);
	tcase_add_test(pack, trees_come_back);
	tcase_add_test(pack, what_is_no_tree_is_refused);
	suite_add_tcase(s, pack);
	return s;
}
