/*
 * test_doubt.c - what is well-formed and not what was meant.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "config/doubt.h"
#include "tests/unit/unit.h"

/* A value, and a word of what is said about it; NULL: nothing. */
struct row {
	const char *value;
	const char *says;
};

static void
check_rows(const struct row *rows, size_t n, const char *(*ask)(const char *))
{
	for (size_t i = 0; i < n; i++) {
		const char *why = ask(rows[i].value);

		if (rows[i].says == NULL)
			ck_assert_msg(why == NULL, "%s: %s", rows[i].value,
			    why);
		else
			ck_assert_msg(why != NULL &&
				strstr(why, rows[i].says) != NULL,
			    "%s: %s", rows[i].value, why);
	}
}

#define CHECK(rows, ask) check_rows(rows, sizeof(rows) / sizeof((rows)[0]), ask)

START_TEST(guids)
{
	static const struct row rows[] = {
		{ "0873ee4d-d342-44f2-8961-74c442a2fad2", NULL },
		{ "0873EE4D-D342-44F2-8961-74C442A2FAD2", NULL },
		{ "6f9f0d1c-0000-4000-8000-000000000001", NULL },
		{ "0873ee4d-d342-44f2-8961-74c442a2fad", "not a GUID" },
		{ "0873ee4d-d342-44f2-8961-74c442a2fad22", "not a GUID" },
		{ "0873ee4dd34244f2896174c442a2fad2", "not a GUID" },
		{ "0873ee4d-d342-44f28961-74c442a2fad2-", "not a GUID" },
		{ "00000000-0000-0000-0000-000000000000", "example" },
		{ "ffffffff-ffff-ffff-ffff-ffffffffffff", "example" },
		{ "12345678-1234-1234-1234-123456789012", "example" },
		{ "11111111-2222-3333-4444-555555555555", "example" },
		{ "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "example" },
		{ "contoso.onmicrosoft.com", "domain" },
		{ "contoso.com", "domain" },
		{ "TENANT", "placeholder" },
		{ "<tenant-id>", "placeholder" },
		{ "your-tenant-id", "placeholder" },
		{ "{{ tenant }}", "placeholder" },
		{ "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "placeholder" },
		{ "AUDIT7LOGS", "not a GUID" },
	};

	CHECK(rows, doubt_guid);
}
END_TEST

static const char *
literal(const char *text)
{
	return doubt_secret(text, NULL);
}

START_TEST(secrets_of_the_configuration)
{
	static const struct row rows[] = {
		{ "kX~8Q~abcDEFghiJKLmnoPQRstuVWXyz01234567", NULL },
		{ "/abc8Q~DEFghi", NULL },
		{ "$8Q~abcDEF", NULL },
		{ "${file:/etc/sealfeed/secret}", NULL },
		{ "${env:SECRET}", NULL },
		{ "first-secret-8", NULL },
		{ "/run/secrets/app", "file" },
		{ "/etc/sealfeed/secret", "file" },
		{ "./secret", "file" },
		{ "~/secret", "file" },
		{ "file:///etc/x", "file" },
		{ "C:\\secrets\\app", "file" },
		{ "contoso.pem", "file" },
		{ "$SECRET", "variable" },
		{ "$env:SECRET", "variable" },
		{ "$ANSIBLE_VAULT;1.1;AES256", "vault" },
		{ "vault:secret/data/app", "vault" },
		{ "op://it/app/secret", "vault" },
		{ "@Microsoft.KeyVault(SecretUri=https://v/s)", "vault" },
		{ "$client_secret", "variable" },
		{ "%SECRET%", "variable" },
		{ "$(cat /x)", "variable" },
		{ "{{ vault_secret }}", "variable" },
		{ "changeme", "placeholder" },
		{ "<client secret>", "placeholder" },
		{ "YOUR_SECRET", "placeholder" },
		{ "TODO", "placeholder" },
		{ "****", "placeholder" },
		{ "........", "placeholder" },
		{ "11111111-2222-4333-8444-555555555555", "ID" },
		{ "abc8Q~ ", "white space" },
	};

	CHECK(rows, literal);
}
END_TEST

START_TEST(secrets_as_they_are_sent)
{
	static const struct row rows[] = {
		{ "kX~8Q~abc", NULL },
		{ "changeme", NULL },
		{ "", "empty" },
		{ " \t\r\n", "nothing but white space" },
		{ "\xef\xbb\xbfkX~8Q", "byte order mark" },
		{ "\xff\xfek", "byte order mark" },
		{ " kX~8Q", "begins with white space" },
		{ "kX~8Q ", "ends with white space" },
		{ "kX~8Q\n", "ends with white space" },
		{ "kX~8Q\r", "ends with white space" },
		{ "\"kX~8Q\"", "quotes" },
		{ "'kX~8Q'", "quotes" },
		{ "\xe2\x80\x9ckX~8Q~\xe2\x80\x9d", "typographic" },
		{ "\xe2\x80\x98kX~8Q~\xe2\x80\x99", "typographic" },
		{ "kX~8Q~\nkX~8Q~", "more than one line" },
		{ "kX~8Q\xc2\xa0", "printable" },
		{ "kX~\x01Q", "printable" },
		{ "22222222-1111-4333-8444-555555555556", "ID" },
		{ "x", "fewer than six" },
		{ "e\"", "fewer than six" },
		{ "kX~8Q", "fewer than six" },
		{ "kX~8Q~", NULL },
	};
	static char longest[16 * 1024 + 2];

	CHECK(rows, doubt_resolved);
	memset(longest, 'x', sizeof(longest) - 1);
	ck_assert_ptr_nonnull(strstr(doubt_resolved(longest), "16 KiB"));
}
END_TEST

static char folder[64];

static void
begin_files(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/sealfeed-doubt-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void
end_files(void)
{
	char *file = xasprintf("%s/f", folder);

	(void)chmod(folder, 0700);
	(void)unlink(file);
	ck_assert_int_eq(rmdir(folder), 0);
	free(file);
}

/* A file in a folder, by their modes, and what is said; NULL: nothing. */
static const struct {
	mode_t file, folder;
	const char *says;
} modes[] = {
	{ 0600, 0700, NULL },
	{ 0640, 0755, NULL },
	{ 0600, 01777, NULL },
	{ 0644, 0755, "/f can be read by every user (mode 0644)" },
	{ 0604, 0700, "/f can be read by every user (mode 0604)" },
	{ 0602, 0755, "/f can be written by every user (mode 0602)" },
	{ 0600, 0777, "(mode 0777); chmod 0750 the folder" },
};

START_TEST(files_with_secrets)
{
	char *file = xasprintf("%s/f", folder);
	struct buf text = BUF_INIT(1000);
	struct err err = ERR_INIT;

	ck_assert(!doubt_file(file, &text));
	ck_assert_int_eq(file_create(file, "x", 1, 0600, &err), 0);
	ck_assert_int_eq(chmod(file, modes[_i].file), 0);
	ck_assert_int_eq(chmod(folder, modes[_i].folder), 0);
	ck_assert_int_eq(doubt_file(file, &text), modes[_i].says != NULL);
	if (modes[_i].says != NULL)
		ck_assert_msg(strstr(text.data, modes[_i].says) != NULL, "%s",
		    text.data);
	buf_release(&text);
	free(file);
}
END_TEST

START_TEST(configuration_that_the_service_may_change)
{
	char *file = xasprintf("%s/f", folder);
	struct buf text = BUF_INIT(1000);
	struct err err = ERR_INIT;
	const uid_t us = geteuid(), other = us + 4711;
	const gid_t group = getegid();

	ck_assert_int_eq(file_create(file, "x", 1, 0600, &err), 0);
	ck_assert(!doubt_writable(file, other, group, &text));
	ck_assert_int_eq(chmod(file, 0660), 0);
	ck_assert(!doubt_writable(file, other, group + 4711, &text));
	ck_assert(doubt_writable(file, other, group, &text));
	ck_assert_ptr_nonnull(strstr(text.data, "chmod 0640"));
	buf_clear(&text);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	ck_assert(doubt_writable(folder, other, group + 4711, &text));
	ck_assert_ptr_nonnull(strstr(text.data, "chmod 0750"));
	ck_assert_int_eq(chmod(file, 0400), 0);
	/* Who owns a file can change its mode; root can do so anyway. */
	ck_assert_int_eq(doubt_writable(file, us, group, &text), us != 0);
	buf_release(&text);
	free(file);
}
END_TEST

Suite *
suite_doubt(void)
{
	Suite *s = suite_create("doubt");
	TCase *tc = tcase_create("doubt");

	tcase_add_test(tc, guids);
	tcase_add_test(tc, secrets_of_the_configuration);
	tcase_add_test(tc, secrets_as_they_are_sent);
	suite_add_tcase(s, tc);
	tc = tcase_create("files");
	tcase_add_checked_fixture(tc, begin_files, end_files);
	tcase_add_loop_test(tc, files_with_secrets, 0,
	    sizeof(modes) / sizeof(modes[0]));
	tcase_add_test(tc, configuration_that_the_service_may_change);
	suite_add_tcase(s, tc);
	return s;
}
