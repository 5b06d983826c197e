/*
 * test_kept_token.c - refresh tokens that the server replaces.
 */
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

static void
set_up(void)
{
	http_help_begin(table);
}

static struct oauth *
make_moved(const char *token, const char *keep, const char *kept)
{
	char *url = xasprintf("%s/rotating", canned_url(http_rig.server));
	const struct oauth_conf oc = { .token_url = url,
		.grant = GRANT_REFRESH_TOKEN,
		.client_id = "me",
		.refresh_token = token,
		.keep = keep,
		.kept = kept };
	struct oauth *o = oauth_new(&oc);

	free(url);
	return o;
}

static struct oauth *
make_refresh(const char *token, const char *keep)
{
	return make_moved(token, keep, NULL);
}

/* The one that the server gave is used by the next request and the next
 * process, until another one is configured. */
START_TEST(a_refresh_token_is_replaced)
{
	char dir[] = "/tmp/sealfeed-oauth-XXXXXX";
	char *keep;
	struct outcome r;
	struct oauth *o;
	uint64_t accepts = OAUTH_NEVER;
	struct stat st;
	char *t;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	keep = xasprintf("%s/v", dir);
	o = make_refresh("first-token", keep);
	t = oauth_token(o, http_rig.http, &r);
	ck_assert_msg(t != NULL, "%s", r.text);
	ck_assert_str_eq(t, "A1");
	ck_assert(strstr(canned_requests(http_rig.server),
		      "refresh_token=first-token&") != NULL);
	ck_assert_int_eq(stat(keep, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert(oauth_reject(o, t, &accepts));
	secret_free(t);
	t = oauth_token(o, http_rig.http, &r);
	ck_assert_str_eq(t, "A2");
	ck_assert(strstr(canned_requests(http_rig.server),
		      "refresh_token=second-token&") != NULL);
	secret_free(t);
	oauth_free(o);
	/* Another process. */
	o = make_refresh("first-token", keep);
	t = oauth_token(o, http_rig.http, &r);
	ck_assert_ptr_nonnull(t);
	ck_assert(strstr(canned_requests(http_rig.server),
		      "refresh_token=third-token&") != NULL);
	secret_free(t);
	oauth_free(o);
	/* The administrator has a new one. */
	o = make_refresh("other-token", keep);
	t = oauth_token(o, http_rig.http, &r);
	ck_assert_ptr_nonnull(t);
	ck_assert(strstr(canned_requests(http_rig.server),
		      "refresh_token=other-token&") != NULL);
	secret_free(t);
	oauth_free(o);
	ck_assert_int_eq(unlink(keep), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	free(keep);
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
	const char *own, *old; /* what stands for the configured token, in its
				  own and in the old file */
	const char *other;     /* whom the old file is for instead */
	const char *used;
	bool stays; /* the old file */
} moves[] = {
	{ NULL, "from-before", NULL, "from-before", false },
	{ "moved", "moved", NULL, "moved", false },
	{ "newer", "from-before", NULL, "newer", false },
	{ NULL, "from-before", "another", "configured", true },
};

/* A token that an earlier version kept in the store's folder is moved to its
 * own, whatever a crash in between left. */
START_TEST(a_kept_token_is_moved)
{
	char dir[] = "/tmp/sealfeed-oauth-XXXXXX";
	char *keep, *kept, *folder, *sent, *t;
	struct outcome r;
	struct oauth *o;
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	folder = xasprintf("%s/own", dir);
	keep = xasprintf("%s/v", folder);
	kept = xasprintf("%s/v", dir);
	if (moves[_i].own != NULL) {
		ck_assert_int_eq(mkdir(folder, 0700), 0);
		write_kept(keep, "configured", moves[_i].own);
	}
	write_kept(kept,
	    moves[_i].other != NULL ? moves[_i].other : "configured",
	    moves[_i].old);
	o = make_moved("configured", keep, kept);
	t = oauth_token(o, http_rig.http, &r);
	ck_assert_msg(t != NULL, "%s", r.text);
	sent = xasprintf("refresh_token=%s&", moves[_i].used);
	ck_assert_msg(strstr(canned_requests(http_rig.server), sent) != NULL,
	    "%s", canned_requests(http_rig.server));
	ck_assert_int_eq(stat(keep, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(folder, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert(access(kept, F_OK) == (moves[_i].stays ? 0 : -1));
	secret_free(t);
	oauth_free(o);
	(void)unlink(kept);
	ck_assert_int_eq(unlink(keep), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	free(sent);
	free(folder);
	free(keep);
	free(kept);
}
END_TEST

/* Whoever has the folder of the store for it keeps the token. */
START_TEST(a_kept_token_stays_in_its_place)
{
	char dir[] = "/tmp/sealfeed-oauth-XXXXXX";
	char *keep, *kept, *t;
	struct outcome r;
	struct oauth *o;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	keep = xasprintf("%s/v", dir);
	kept = xasprintf("%s/./v", dir);
	write_kept(keep, "configured", "from-before");
	o = make_moved("configured", keep, kept);
	t = oauth_token(o, http_rig.http, &r);
	ck_assert_msg(t != NULL, "%s", r.text);
	ck_assert_int_eq(access(keep, F_OK), 0);
	secret_free(t);
	oauth_free(o);
	ck_assert_int_eq(unlink(keep), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	free(keep);
	free(kept);
}
END_TEST

/* An old token whose new place cannot be written is not used, and stays. */
START_TEST(a_kept_token_that_cannot_be_moved)
{
	char dir[] = "/tmp/sealfeed-oauth-XXXXXX";
	char *keep, *kept, *folder, *t;
	struct outcome r;
	struct oauth *o;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	folder = xasprintf("%s/own", dir);
	keep = xasprintf("%s/v", folder);
	kept = xasprintf("%s/v", dir);
	ck_assert_int_eq(symlink("/nowhere/at/all", folder), 0);
	write_kept(kept, "configured", "from-before");
	o = make_moved("configured", keep, kept);
	ck_assert_ptr_null(oauth_token(o, http_rig.http, &r));
	ck_assert_msg(strstr(r.text, "/own") != NULL, "%s", r.text);
	ck_assert_uint_eq(canned_count(http_rig.server), 0);
	ck_assert_int_eq(access(kept, F_OK), 0);
	ck_assert_int_eq(unlink(folder), 0);
	oauth_free(o);
	o = make_moved("configured", keep, kept);
	t = oauth_token(o, http_rig.http, &r);
	ck_assert_msg(t != NULL, "%s", r.text);
	ck_assert(strstr(canned_requests(http_rig.server),
		      "refresh_token=from-before&") != NULL);
	secret_free(t);
	oauth_free(o);
	ck_assert_int_ne(access(kept, F_OK), 0);
	ck_assert_int_eq(unlink(keep), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	free(folder);
	free(keep);
	free(kept);
}
END_TEST

Suite *
suite_kept_token(void)
{
	Suite *s = suite_create("kept_token");
	TCase *tc = tcase_create("kept_token");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, http_help_end);
	tcase_add_test(tc, a_refresh_token_is_replaced);
	tcase_add_loop_test(tc, a_kept_token_is_moved, 0,
	    sizeof(moves) / sizeof(moves[0]));
	tcase_add_test(tc, a_kept_token_stays_in_its_place);
	tcase_add_test(tc, a_kept_token_that_cannot_be_moved);
	suite_add_tcase(s, tc);
	return s;
}
