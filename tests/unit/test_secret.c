/*
 * test_secret.c - settings that stand for something kept elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "config/secret.h"
#include "tests/unit/unit.h"

static char dir[] = "/tmp/sealfeed-secret-XXXXXX";

static void
setup(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	ck_assert_int_eq(setenv("SEALFEED_TEST", "from env", 1), 0);
}

/* Write name in dir and return its path, which the caller frees. */
static char *
put(const char *name, const char *data, size_t len)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct err err = ERR_INIT;

	ck_assert_int_eq(file_replace(path, data, len, 0600, &err), 0);
	return path;
}

static void
teardown(void)
{
	static const char *const names[] = { "one", "two", "pem", "big" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = xasprintf("%s/%s", dir, names[i]);

		(void)unlink(path);
		free(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
resolves(const char *text, const char *to)
{
	struct err err = ERR_INIT;
	char *s = secret_resolve(text, &err);

	ck_assert_msg(s != NULL, "%s", err.text);
	ck_assert_str_eq(s, to);
	secret_free(s);
}

START_TEST(references_stand_for_content)
{
	char *one = put("one", "first\n", 6), *text;

	free(put("two", "second\n\n", 8));
	text = xasprintf("a ${file:%s} b ${credential:two}${env:SEALFEED_TEST}",
	    one);
	resolves(text, "a first b second\nfrom env");
	resolves("no reference, $5 {x}", "no reference, $5 {x}");
	resolves("", "");
	free(text);
	free(one);
}
END_TEST

START_TEST(content_is_not_resolved_again)
{
	free(put("one", "${env:SEALFEED_TEST}", 20));
	resolves("${credential:one}", "${env:SEALFEED_TEST}");
}
END_TEST

START_TEST(a_rotated_file_is_read_anew)
{
	free(put("one", "old", 3));
	resolves("${credential:one}", "old");
	free(put("one", "new", 3));
	resolves("${credential:one}", "new");
}
END_TEST

static void
fails(const char *text, const char *message)
{
	struct err err = ERR_INIT;

	ck_assert_ptr_null(secret_resolve(text, &err));
	ck_assert_msg(strstr(err.text, message) != NULL, "%s", err.text);
}

START_TEST(what_cannot_be_read_is_named)
{
	char *big = xmalloc(1100000);

	fails("${file:/nonexistent/x}", "/nonexistent/x");
	fails("${env:SEALFEED_UNSET}", "SEALFEED_UNSET is not set");
	fails("${credential:none}", "none");
	memset(big, 'x', 1100000);
	free(put("big", big, 1100000));
	fails("${credential:big}", "big");
	free(put("one", "a\0b", 3));
	fails("${credential:one}", "NUL");
	ck_assert_int_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	fails("${credential:one}", "LoadCredential");
	free(big);
}
END_TEST

START_TEST(malformed_references_are_found_and_not_repeated)
{
	static const char *const bad[] = { "hunter2${", "hunter2${}",
		"hunter2${file:}", "hunter2${file:/x", "hunter2${env:A B}",
		"hunter2${env:1A}", "hunter2${credential:../x}",
		"hunter2${credential:..}", "hunter2${Credential:x}",
		"hunter2${env:A}${" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_INIT;

		ck_assert_int_eq(secret_check(bad[i], &err), -1);
		ck_assert_ptr_null(strstr(err.text, "hunter2"));
	}
	ck_assert_int_eq(
	    secret_check("${file:/a b}${env:_A1}${credential:a.b-c} }", NULL),
	    0);
}
END_TEST

#define PEM "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----"

static void
resolves_pem(const char *text, const char *to)
{
	struct err err = ERR_INIT;
	char *s = secret_resolve_pem(text, &err);

	ck_assert_msg(s != NULL, "%s", err.text);
	ck_assert_str_eq(s, to);
	secret_free(s);
}

START_TEST(pem_is_text_or_a_file)
{
	char *path = put("pem", PEM "\n", strlen(PEM) + 1);

	resolves_pem(path, PEM);
	resolves_pem(PEM, PEM);
	resolves_pem("${credential:pem}", PEM);
	free(put("one", path, strlen(path)));
	resolves_pem("${credential:one}", PEM);
	resolves_pem("pkcs11:token=a;object=b", "pkcs11:token=a;object=b");
	free(path);
}
END_TEST

START_TEST(a_misplaced_key_is_not_repeated)
{
	struct err err = ERR_INIT;

	free(put("one", "hunter2", 7));
	ck_assert_ptr_null(secret_resolve_pem("${credential:one}", &err));
	ck_assert_ptr_null(strstr(err.text, "hunter2"));
	ck_assert_ptr_nonnull(strstr(err.text, "${credential:one}"));
	err_clear(&err);
	ck_assert_ptr_null(secret_resolve_pem("/nonexistent/pem", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/pem"));
}
END_TEST

/* What an error about the content is told of; "": the error stands alone. */
static const struct {
	const char *text, *blamed;
} blames[] = {
	{ "/etc/sealfeed/seal.pem", "/etc/sealfeed/seal.pem: " },
	{ "${file:/etc/sealfeed/seal.pem}", "/etc/sealfeed/seal.pem: " },
	{ "${credential:seal.pem}", "credential seal.pem: " },
	{ "${env:KEY}", "environment variable KEY: " },
	{ PEM, "" },
	{ "pkcs11:token=audit?pin-value=1234", "" },
	{ "", "" },
};

START_TEST(the_place_of_bad_content)
{
	struct err err = ERR_INIT;
	char expected[200];

	(void)snprintf(expected, sizeof(expected), "%sno key",
	    blames[_i].blamed);
	(void)err_set(&err, "no key");
	ck_assert_int_eq(secret_blame(blames[_i].text, &err), -1);
	ck_assert_str_eq(err.text, expected);
}
END_TEST

Suite *
suite_secret(void)
{
	Suite *s = suite_create("secret");
	TCase *tc = tcase_create("secret");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, references_stand_for_content);
	tcase_add_test(tc, content_is_not_resolved_again);
	tcase_add_test(tc, a_rotated_file_is_read_anew);
	tcase_add_test(tc, what_cannot_be_read_is_named);
	tcase_add_test(tc, malformed_references_are_found_and_not_repeated);
	tcase_add_test(tc, pem_is_text_or_a_file);
	tcase_add_test(tc, a_misplaced_key_is_not_repeated);
	tcase_add_loop_test(tc, the_place_of_bad_content, 0,
	    (int)(sizeof(blames) / sizeof(blames[0])));
	suite_add_tcase(s, tc);
	return s;
}
