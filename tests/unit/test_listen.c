/*
 * test_listen.c - where watch listens: loopback or a unix socket.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/listen.h"
#include "tests/unit/unit.h"

static const struct {
	const char *where;
	int rc;
} addresses[] = {
	{ "127.0.0.1:9469", 0 },
	{ "127.1.2.3:0", 0 },
	{ "[::1]:9469", 0 },
	{ "localhost:9469", 0 },
	{ "/run/sealfeed/watch.sock", 0 },
	{ "0.0.0.0:9469", -1 },
	{ "192.0.2.1:9469", -1 },
	{ "[::]:9469", -1 },
	{ "127.0.0.1", -1 },
	{ "127.0.0.1:", -1 },
	{ "127.0.0.1:65536", -1 },
	{ "127.0.0.1:94x", -1 },
	{ "siem.example.com:9469", -1 },
	{ "", -1 },
};

START_TEST(only_loopback_and_sockets)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(listen_check(addresses[_i].where, &err),
	    addresses[_i].rc);
	ck_assert_int_eq(err.text[0] != '\0', addresses[_i].rc != 0);
}
END_TEST

START_TEST(stale_socket_is_replaced_and_a_file_is_not)
{
	char dir[] = "/tmp/sealfeed-listen-XXXXXX", path[64];
	struct err err = ERR_INIT;
	struct stat st;
	FILE *f;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/watch.sock", dir);
	fd = listen_open(path, &err);
	ck_assert_msg(fd >= 0, "%s", err.text);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0660);
	(void)close(fd); /* as if killed: the file stays */
	fd = listen_open(path, &err);
	ck_assert_msg(fd >= 0, "%s", err.text);
	ck_assert_int_eq(listen_open(path, &err), -1); /* somebody listens */
	(void)close(fd);
	(void)unlink(path);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fclose(f);
	ck_assert_int_eq(listen_open(path, &err), -1);
	(void)unlink(path);
	(void)rmdir(dir);
}
END_TEST

Suite *
suite_listen(void)
{
	Suite *s = suite_create("listen");
	TCase *tc = tcase_create("listen");

	tcase_add_loop_test(tc, only_loopback_and_sockets, 0,
	    (int)(sizeof(addresses) / sizeof(addresses[0])));
	tcase_add_test(tc, stale_socket_is_replaced_and_a_file_is_not);
	suite_add_tcase(s, tc);
	return s;
}
