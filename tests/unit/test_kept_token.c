/*
 * test_kept_token.c - refresh tokens that the server replaces.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/secret.h"
#include "http/auth_oauth2.h"
#include "http/client.h"
#include "http/token.h"
#include "tests/unit/http_help.h"
#include "tests/unit/unit.h"

#define REPLY(status, length, body)                                 \
	"HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" \
	"Content-Length: " length "\r\n\r\n" body

static const struct canned_reply table[] = {
	{ .path = "/rotating",
	    .bytes = REPLY("200 OK", "52",
		"{\"access_token\":\"A1\",\"refresh_token\":"
		"\"second-token\"}") },
	{ .path = "/rotating",
	    .bytes = REPLY("200 OK", "51",
		"{\"access_token\":\"A2\",\"refresh_token\":"
		"\"third-token\"}") },
	{ .path = "/rotating",
	    .bytes = REPLY("200 OK", "21", "{\"access_token\":\"A3\"}") },
	{ .path = NULL },
};

/* The folder of a test, its own in it, and what the token is kept in. */
static struct {
	char dir[64];
	char *folder, *keep;
	char *old[2];
} t;

static void
set_up(void)
{
	http_help_begin(table);
	(void)snprintf(t.dir, sizeof(t.dir), "/tmp/sealfeed-oauth-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(t.dir));
	t.folder = xasprintf("%s/own", t.dir);
	t.keep = xasprintf("%s/token", t.folder);
	t.old[0] = xasprintf("%s/token.name", t.folder);
	t.old[1] = xasprintf("%s/token.name", t.dir);
}

static void
remove_all(const char *folder)
{
	char *pattern = xasprintf("%s/token*", folder);
	glob_t left;

	(void)glob(pattern, 0, NULL, &left);
	for (size_t i = 0; i < left.gl_pathc; i++)
		ck_assert_int_eq(unlink(left.gl_pathv[i]), 0);
	globfree(&left);
	free(pattern);
	(void)rmdir(folder);
}

static void
tear_down(void)
{
	remove_all(t.folder);
	remove_all(t.dir);
	free(t.folder);
	free(t.keep);
	free(t.old[0]);
	free(t.old[1]);
	http_help_end();
}

static struct oauth *
make(const char *token)
{
	char *url = xasprintf("%s/rotating", canned_url(http_rig.server));
	const struct oauth_conf oc = { .token_url = url,
		.grant = GRANT_REFRESH_TOKEN,
		.client_id = "me",
		.refresh_token = token,
		.server = "https://vendor.example",
		.keep = t.keep,
		.kept = { t.old[0], t.old[1] } };
	struct oauth *o = oauth_new(&oc);

	free(url);
	return o;
}

/* How many files keep a token, which nobody else may read. */
static size_t
kept_files(void)
{
	char *pattern = xasprintf("%s.*", t.keep);
	size_t n = 0;
	glob_t all;
	struct stat st;

	(void)glob(pattern, 0, NULL, &all);
	for (size_t i = 0; i < all.gl_pathc; i++) {
		const char *path = all.gl_pathv[i];

		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_uint_eq(st.st_mode & 07777, 0600);
		if (strcmp(path, t.old[0]) != 0 &&
		    strstr(path, ".lock") == NULL)
			n++;
		else if (strstr(path, ".lock") != NULL)
			ck_assert_int_eq(st.st_size, 0);
	}
	globfree(&all);
	free(pattern);
	return n;
}

/* Ask with the refresh token used, and get this access token; NULL: any. */
static void
expect(struct oauth *o, const char *used, const char *access)
{
	char *sent = xasprintf("refresh_token=%s&", used);
	struct oauth_user user = { .refused = 0 };
	struct outcome r;
	char *token = oauth_token(o, http_rig.http, &r);
	const char *last = "";

	ck_assert_msg(token != NULL, "%s", r.text);
	if (access != NULL)
		ck_assert_str_eq(token, access);
	for (const char *at = canned_requests(http_rig.server); at != NULL;
	     at = strstr(at + 1, "refresh_token="))
		last = at;
	ck_assert_msg(strncmp(last, sent, strlen(sent)) == 0, "not %s: %s",
	    sent, last);
	(void)oauth_reject(o, token, &user);
	secret_free(token);
	free(sent);
}

/* The one that the server gave is used by the next request and the next
 * process, until another one is configured. */
START_TEST(a_refresh_token_is_replaced)
{
	struct oauth *o = make("first-token");

	expect(o, "first-token", "A1");
	ck_assert_uint_eq(kept_files(), 1);
	expect(o, "second-token", "A2");
	oauth_free(o);
	/* Another process. */
	o = make("first-token");
	expect(o, "third-token", NULL);
	oauth_free(o);
	/* The administrator has a new one. */
	o = make("other-token");
	expect(o, "other-token", NULL);
	oauth_free(o);
	/* … and the old one again. */
	o = make("first-token");
	expect(o, "third-token", NULL);
	oauth_free(o);
}
END_TEST

static void
write_kept(const char *path, const char *configured, const char *token)
{
	struct err err = ERR_INIT;
	struct digest *d = digest_new();
	uint8_t hash[DIGEST_LEN];
	char hex[2 * DIGEST_LEN + 1];
	char *text;

	digest_sha256(d, NULL, 0, configured, strlen(configured), hash);
	digest_free(d);
	text_hex(hex, hash, DIGEST_LEN);
	text = xasprintf("%s\n%s\n", hex, token);
	ck_assert_int_eq(file_replace(path, text, strlen(text), 0600, &err), 0);
	free(text);
}

static const struct {
	const char *old[2]; /* what stands for the configured token there */
	size_t latest;      /* of these */
	const char *other;  /* whom they are for instead */
	const char *used;
} moves[] = {
	{ { NULL, "stores" }, 1, NULL, "stores" },
	{ { "own", NULL }, 0, NULL, "own" },
	{ { "own", "stores" }, 0, NULL, "own" },
	{ { "own", "stores" }, 1, NULL, "stores" },
	{ { "own", "stores" }, 1, "another", "configured" },
};

/* A token that an earlier version kept by the source's name, in the folder of
 * the store or its own, is moved, whatever a crash in between left. */
START_TEST(a_kept_token_is_moved)
{
	struct oauth *o;

	ck_assert_int_eq(mkdir(t.folder, 0700), 0);
	for (size_t i = 0; i < 2; i++) {
		const struct timespec when[2] = { { .tv_nsec = UTIME_NOW },
			{ .tv_sec = 1700000000 + (i == moves[_i].latest) } };

		if (moves[_i].old[i] == NULL)
			continue;
		write_kept(t.old[i],
		    moves[_i].other != NULL ? moves[_i].other : "configured",
		    moves[_i].old[i]);
		ck_assert_int_eq(utimensat(AT_FDCWD, t.old[i], when, 0), 0);
	}
	o = make("configured");
	expect(o, moves[_i].used, NULL);
	ck_assert_uint_eq(kept_files(), 1);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(access(t.old[i], F_OK),
		    moves[_i].other != NULL && moves[_i].old[i] != NULL ? 0
									: -1);
	oauth_free(o);
}
END_TEST

/* An old token whose new place cannot be written is not used, and stays. */
START_TEST(a_kept_token_that_cannot_be_moved)
{
	struct outcome r;
	struct oauth *o;

	ck_assert_int_eq(symlink("/nowhere/at/all", t.folder), 0);
	write_kept(t.old[1], "configured", "from-before");
	o = make("configured");
	ck_assert_ptr_null(oauth_token(o, http_rig.http, &r));
	ck_assert_msg(strstr(r.text, "/own") != NULL, "%s", r.text);
	ck_assert_uint_eq(canned_count(http_rig.server), 0);
	ck_assert_int_eq(access(t.old[1], F_OK), 0);
	ck_assert_int_eq(unlink(t.folder), 0);
	oauth_free(o);
	o = make("configured");
	expect(o, "from-before", NULL);
	oauth_free(o);
	ck_assert_int_ne(access(t.old[1], F_OK), 0);
}
END_TEST

/* Of another server or client it is another token, whatever it looks like. */
START_TEST(credentials_apart)
{
	char *url = xasprintf("%s/rotating", canned_url(http_rig.server));
	const struct oauth_conf all[] = {
		{ .client_id = "me", .server = "https://vendor.example" },
		{ .client_id = "me", .server = "https://other.example" },
		{ .client_id = "you", .server = "https://vendor.example" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct oauth_conf oc = all[i];
		struct oauth *o;

		oc.token_url = url;
		oc.grant = GRANT_REFRESH_TOKEN;
		oc.refresh_token = "first-token";
		oc.keep = t.keep;
		o = oauth_new(&oc);
		expect(o, "first-token", NULL);
		oauth_free(o);
		ck_assert_uint_eq(kept_files(), i < 2 ? i + 1 : 2);
	}
	free(url);
}
END_TEST

Suite *
suite_kept_token(void)
{
	Suite *s = suite_create("kept_token");
	TCase *tc = tcase_create("kept_token");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_refresh_token_is_replaced);
	tcase_add_loop_test(tc, a_kept_token_is_moved, 0,
	    sizeof(moves) / sizeof(moves[0]));
	tcase_add_test(tc, a_kept_token_that_cannot_be_moved);
	tcase_add_test(tc, credentials_apart);
	suite_add_tcase(s, tc);
	return s;
}
