/*
 * test_unit_file.c - what the installed unit and its drop-ins say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "cmd/unit.h"
#include "tests/unit/unit.h"

static char folder[64];

static void
begin(void)
{
	char *path;

	(void)snprintf(folder, sizeof(folder), "/tmp/sealfeed-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	path = xasprintf("%s/none:%s/etc:%s/lib", folder, folder, folder);
	ck_assert_int_eq(setenv("SYSTEMD_UNIT_PATH", path, 1), 0);
	free(path);
}

static void
end(void)
{
	char *command = xasprintf("rm -rf %s", folder);

	ck_assert_int_eq(system(command), 0);
	free(command);
}

static void
put(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", folder, name);
	struct err err = ERR_INIT;

	ck_assert_int_eq(file_parents(path, &err), 0);
	ck_assert_int_eq(file_replace(path, text, strlen(text), 0644, &err), 0);
	free(path);
}

static void
load(struct unit *u)
{
	struct err err = ERR_INIT;

	ck_assert_msg(unit_load(u, &err) == 0, "%s", err.text);
}

START_TEST(a_unit_with_everything)
{
	struct unit u;

	put("lib/sealfeed.service",
	    "[Unit]\nUser=other\n# [Service]\n[Service]\n; User=no\n"
	    "User = sealfeed\nGroup=audit\nSupplementaryGroups=a \"b c\"\n"
	    "LoadCredential=seal.pem:/etc/sealfeed/seal.pem\n"
	    "LoadCredential=bare\n"
	    "LoadCredentialEncrypted=\\\n# a comment\n  "
	    "siem:/etc/%N/siem.cred\n"
	    "SetCredential=x:with: colons\n"
	    "Environment=\"A=b c\" D='e' "
	    "F=50%%\nEnvironmentFile=-/etc/default/x\n"
	    "ProtectHome=yes\nPrivateTmp=0\n[Install]\nUser=third\n");
	load(&u);
	ck_assert_str_eq(u.user, "sealfeed");
	ck_assert_str_eq(u.group, "audit");
	ck_assert_uint_eq(u.groups.n, 2);
	ck_assert_str_eq(u.groups.word[1], "b c");
	ck_assert_uint_eq(u.n_credentials, 4);
	ck_assert_str_eq(u.credential[0].id, "seal.pem");
	ck_assert_str_eq(u.credential[0].from, "/etc/sealfeed/seal.pem");
	ck_assert_str_eq(u.credential[1].from, "bare");
	ck_assert_str_eq(u.credential[2].id, "siem");
	ck_assert_str_eq(u.credential[2].from, "/etc/sealfeed/siem.cred");
	ck_assert(u.credential[2].encrypted && !u.credential[2].set);
	ck_assert_str_eq(u.credential[3].from, "with: colons");
	ck_assert(u.credential[3].set && !u.credential[3].encrypted);
	ck_assert_uint_eq(u.environment.n, 3);
	ck_assert_str_eq(u.environment.word[0], "A=b c");
	ck_assert_str_eq(u.environment.word[1], "D=e");
	ck_assert_str_eq(u.environment.word[2], "F=50%");
	ck_assert_str_eq(u.environment_files.word[0], "-/etc/default/x");
	ck_assert(u.protect_home);
	ck_assert(!u.private_tmp);
	unit_release(&u);
}
END_TEST

START_TEST(dropins_in_the_order_of_their_names)
{
	struct unit u;

	put("lib/sealfeed.service",
	    "[Service]\nUser=sealfeed\nLoadCredential=a:/a\n"
	    "Environment=A=1\n");
	put("lib/sealfeed.service.d/20-x.conf", "[Service]\nUser=late\n");
	put("etc/sealfeed.service.d/10-y.conf",
	    "[Service]\nUser=early\nLoadCredential=\nLoadCredential=b:/b\n"
	    "Environment=\nEnvironment=B=2\n");
	put("lib/sealfeed.service.d/10-y.conf", "[Service]\nUser=hidden\n");
	put("etc/service.d/30-z.conf", "[Service]\nPrivateTmp=yes\n");
	put("etc/sealfeed.service.d/40-no", "[Service]\nUser=no\n");
	load(&u);
	ck_assert_str_eq(u.user, "late");
	ck_assert_uint_eq(u.n_credentials, 1);
	ck_assert_str_eq(u.credential[0].id, "b");
	ck_assert_uint_eq(u.environment.n, 1);
	ck_assert_str_eq(u.environment.word[0], "B=2");
	ck_assert(u.private_tmp);
	unit_release(&u);
	put("etc/sealfeed.service", "[Service]\nGroup=g\n");
	put("lib/sealfeed.service.d/20-x.conf", "[Service]\nUser=\n");
	load(&u);
	ck_assert_ptr_null(u.user);
	ck_assert_str_eq(u.group, "g");
	unit_release(&u);
}
END_TEST

START_TEST(no_unit_is_an_error)
{
	struct err err = ERR_INIT;
	struct unit u;

	ck_assert_int_eq(unit_load(&u, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "not installed"));
	unit_release(&u);
}
END_TEST

Suite *
suite_unit_file(void)
{
	Suite *s = suite_create("unit_file");
	TCase *tc = tcase_create("unit_file");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, a_unit_with_everything);
	tcase_add_test(tc, dropins_in_the_order_of_their_names);
	tcase_add_test(tc, no_unit_is_an_error);
	suite_add_tcase(s, tc);
	return s;
}
