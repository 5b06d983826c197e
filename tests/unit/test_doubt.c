/*
 * test_doubt.c - what is well-formed and not what was meant.
 */
#include <string.h>

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
		{ "kX~8Q\xc2\xa0", "printable" },
		{ "kX~\x01Q", "printable" },
		{ "22222222-1111-4333-8444-555555555556", "ID" },
		{ "x", "fewer than six" },
		{ "e\"", "fewer than six" },
		{ "kX~8Q", "fewer than six" },
		{ "kX~8Q~", NULL },
	};

	CHECK(rows, doubt_resolved);
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
	return s;
}
