/*
 * test_rotating.c - a vendor that gives another refresh token with every grant:
 * the one before is good until something of the new grant is used.  A process
 * that is killed between any two system calls leaves one that is good.
 */
#include <arpa/inet.h>
#include <glob.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "config/secret.h"
#include "http/auth_oauth2.h"
#include "http/client.h"
#include "tests/unit/unit.h"

/* More points than there are between a grant and its use. */
#define POINTS 2000

static struct {
	char dir[64], url[64];
	char *folder, *keep;
	struct MHD_Daemon *daemon;
	pthread_t server;
	atomic_bool ends;
	atomic_uint issued;        /* grants */
	atomic_uint used;          /* the last of them of which something was */
	atomic_uint asked;         /* requests for a grant */
	atomic_uint refused;       /* of these */
	const char *_Atomic moved; /* a folder that goes away with a grant */
} t;

/* -- the vendor ------------------------------------------------------------ */

static enum MHD_Result
answer(struct MHD_Connection *conn, unsigned status, const char *body)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(body),
	    (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	(void)MHD_add_response_header(r, "Content-Type", "application/json");
	rc = MHD_queue_response(conn, status, r);
	MHD_destroy_response(r);
	return rc;
}

/* A file is where the folder was. */
static void
move_folder(void)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(rename(t.folder, t.moved), 0);
	ck_assert_int_eq(file_create(t.folder, "", 0, 0600, &err), 0);
}

/* The last refresh token is good, and the one before it as long as nothing of
 * the last grant was used. */
static enum MHD_Result
grant(struct MHD_Connection *conn, const char *form)
{
	const char *at = form != NULL ? strstr(form, "refresh_token=r") : NULL;
	unsigned n = at != NULL ? (unsigned)strtoul(at + 15, NULL, 10) : 999;
	char body[160];

	t.asked++;
	if (n != t.issued && !(n + 1 == t.issued && t.used < t.issued)) {
		t.refused++;
		return answer(conn, 400, "{\"error\":\"invalid_grant\"}");
	}
	if (n == t.issued)
		t.used = n;
	t.issued = n + 1;
	if (t.moved != NULL)
		move_folder();
	(void)snprintf(body, sizeof(body),
	    "{\"access_token\":\"access-%u\",\"refresh_token\":\"r%u\","
	    "\"expires_in\":3600}",
	    n + 1, n + 1);
	return answer(conn, 200, body);
}

static enum MHD_Result
handle(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *upload, size_t *size,
    void **state)
{
	const char *bearer;

	(void)cls;
	(void)version;
	if (*state == NULL) {
		*state = xcalloc(1, 512);
		return MHD_YES;
	}
	if (*size > 0) {
		(void)strncat(*state, upload, *size < 256 ? *size : 256);
		*size = 0;
		return MHD_YES;
	}
	if (strcmp(method, "POST") == 0 && strcmp(url, "/token") == 0)
		return grant(conn, *state);
	bearer =
	    MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "Authorization");
	if (bearer == NULL || strncmp(bearer, "Bearer access-", 14) != 0 ||
	    strtoul(bearer + 14, NULL, 10) != t.issued)
		return answer(conn, 401, "{}");
	t.used = t.issued;
	return answer(conn, 200, "{}");
}

static void
completed(void *cls, struct MHD_Connection *conn, void **state,
    enum MHD_RequestTerminationCode why)
{
	(void)cls;
	(void)conn;
	(void)why;
	free(*state);
	*state = NULL;
}

/* The vendor is in none of its code while the process forks: what a thread has
 * locked then (the allocator of a sanitizer) stays locked in the child. */
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

static void *
serve(void *arg)
{
	struct pollfd fd = {
		.fd = MHD_get_daemon_info(t.daemon, MHD_DAEMON_INFO_EPOLL_FD)
			  ->epoll_fd,
		.events = POLLIN,
	};

	while (!t.ends) {
		(void)poll(&fd, 1, 10);
		(void)pthread_mutex_lock(&busy);
		(void)MHD_run(t.daemon);
		(void)pthread_mutex_unlock(&busy);
	}
	return arg;
}

static pid_t
fork_alone(void)
{
	pid_t pid;

	(void)pthread_mutex_lock(&busy);
	pid = fork();
	(void)pthread_mutex_unlock(&busy);
	return pid;
}

static void
set_up(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	memset(&t, 0, sizeof(t));
	(void)snprintf(t.dir, sizeof(t.dir), "/tmp/sealfeed-rotating-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(t.dir));
	t.folder = xasprintf("%s/tokens", t.dir);
	t.keep = xasprintf("%s/v", t.folder);
	t.daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, NULL,
	    MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at,
	    MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
	ck_assert_ptr_nonnull(t.daemon);
	(void)snprintf(t.url, sizeof(t.url), "http://127.0.0.1:%d",
	    (int)MHD_get_daemon_info(t.daemon, MHD_DAEMON_INFO_BIND_PORT)
		->port);
	ck_assert_int_eq(pthread_create(&t.server, NULL, serve, NULL), 0);
}

/* What a folder has of the token: its file, the lock, and what a process that
 * was killed may have left of the next file. */
static void
remove_kept(const char *folder)
{
	char *pattern = xasprintf("%s/v*", folder);
	glob_t left;

	(void)glob(pattern, 0, NULL, &left);
	for (size_t i = 0; i < left.gl_pathc; i++)
		ck_assert_int_eq(unlink(left.gl_pathv[i]), 0);
	globfree(&left);
	free(pattern);
}

static void
tear_down(void)
{
	t.ends = true;
	(void)pthread_join(t.server, NULL);
	MHD_stop_daemon(t.daemon);
	remove_kept(t.folder);
	(void)rmdir(t.folder);
	ck_assert_int_eq(rmdir(t.dir), 0);
	free(t.folder);
	free(t.keep);
}

/* -- the agent ------------------------------------------------------------- */

/* What a process has. */
struct agent {
	struct http_access *access;
	struct http *http;
	struct oauth *o;
};

static void
begin_with(struct agent *a, const char *refresh_token)
{
	static const struct http_conf conf = { .timeout = UNIT_TIMEOUT };
	char *url = xasprintf("%s/token", t.url);
	const struct oauth_conf oc = { .token_url = url,
		.grant = GRANT_REFRESH_TOKEN,
		.client_id = "me",
		.refresh_token = refresh_token,
		.keep = t.keep };
	struct err err = ERR_INIT;

	a->access = http_access_open(&conf, &err);
	ck_assert_msg(a->access != NULL, "%s", err.text);
	a->http = http_new(a->access, NULL, NULL);
	a->o = oauth_new(&oc);
	free(url);
}

static void
begin(struct agent *a)
{
	begin_with(a, "r0");
}

static void
finish(struct agent *a)
{
	oauth_free(a->o);
	http_free(a->http);
	http_access_free(a->access);
}

/* Get a token and use it: the status of the reply; 0: there is no token. */
static int
use(struct agent *a, struct outcome *r)
{
	struct http_pair proof[] = { { "Authorization", NULL },
		{ NULL, NULL } };
	struct http_request req = { .url = t.url, .credentials = proof };
	char *token = oauth_token(a->o, a->http, r), *value;
	struct err err = ERR_INIT;
	struct http_reply reply;
	int status;

	if (token == NULL)
		return 0;
	value = xasprintf("Bearer %s", token);
	proof[0].value = value;
	http_reply_init(&reply);
	(void)http_do(a->http, &req, &reply, &err);
	status = reply.status;
	http_reply_release(&reply);
	free(value);
	secret_free(token);
	return status;
}

static void
expect_use(const char *when)
{
	struct outcome r = { .class = REPLY_OK };
	struct agent a;

	begin(&a);
	ck_assert_msg(use(&a, &r) == 200, "%s: %s", when, r.text);
	finish(&a);
}

static void
run_child(void)
{
	struct outcome r;
	struct agent a;

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(2);
	(void)raise(SIGSTOP);
	begin(&a);
	_exit(use(&a, &r) == 200 ? 0 : 1);
}

/* Run a process up to its nth entry into or return from a system call behind
 * the grant, where it is killed: false, it ended before. */
static bool
kill_at(unsigned n)
{
	const unsigned issued = t.issued;
	const pid_t pid = fork_alone();
	unsigned stops = 0;
	int status = 0, signal = 0;

	if (pid == 0)
		run_child();
	ck_assert_int_gt(pid, 0);
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		if (t.issued != issued && stops++ == n)
			(void)kill(pid, SIGKILL);
		signal = WSTOPSIG(status);
		if (signal == SIGTRAP || signal == SIGSTOP)
			signal = 0;
		(void)ptrace(PTRACE_SYSCALL, pid, NULL, signal);
	}
	ck_assert_msg(!WIFEXITED(status) || WEXITSTATUS(status) == 0,
	    "the process says %d", WEXITSTATUS(status));
	return WIFSIGNALED(status);
}

static bool
may_trace(void)
{
	const pid_t pid = fork_alone();
	int status = 0;

	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : 1);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0;
}

START_TEST(killed_at_any_point)
{
	unsigned n = 0;

	if (!may_trace()) {
		(void)fprintf(stderr, "skipped: ptrace is not allowed\n");
		return;
	}
	/* Between the return from one call and the entry into the next one
	 * nothing happens that a kill could leave behind. */
	for (; n < POINTS; n += 2) {
		bool killed;

		t.issued = t.used = 0;
		remove_kept(t.folder);
		killed = kill_at(n);
		ck_assert_uint_ge(t.issued, 1);
		expect_use("behind the kill");
		expect_use("once more");
		if (!killed)
			break;
	}
	/* It has been through the making of the file, and the request. */
	ck_assert_uint_gt(n, 20);
	ck_assert_uint_lt(n, POINTS);
}
END_TEST

/* Where none can be kept, none is asked for, which would replace the one that
 * is there. */
START_TEST(no_room)
{
	struct outcome r = { .class = REPLY_OK };
	struct rlimit was, none = { 0, 0 };
	struct agent a;

	begin(&a);
	/* A name that leads nowhere, where the folder should be. */
	ck_assert_int_eq(symlink("/nowhere/at/all", t.folder), 0);
	ck_assert_int_eq(use(&a, &r), 0);
	ck_assert_int_eq(r.class, REPLY_RETRY);
	ck_assert_msg(strstr(r.text, "could not be kept") != NULL &&
		strstr(r.text, t.folder) != NULL,
	    "%s", r.text);
	ck_assert_int_eq(unlink(t.folder), 0);
	finish(&a);
	/* As of a full disk. */
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	none.rlim_max = was.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	begin(&a);
	ck_assert_int_eq(use(&a, &r), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	ck_assert_msg(strstr(r.text, "there is no room") != NULL, "%s", r.text);
	ck_assert_uint_eq(t.asked, 0);
	finish(&a);
	expect_use("once there is room");
	ck_assert_uint_eq(t.asked, 1);
}
END_TEST

/* What can't be kept all the same is not used: the process could end at any
 * moment, and the old one is worth nothing any more. */
START_TEST(the_folder_goes_away)
{
	struct outcome r = { .class = REPLY_OK };
	char *away = xasprintf("%s/away", t.dir);
	struct agent a;

	ck_assert_int_eq(mkdir(t.folder, 0700), 0);
	begin(&a);
	t.moved = away;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(use(&a, &r), 0);
		ck_assert_msg(strstr(r.text, "cannot be kept") != NULL, "%s",
		    r.text);
		/* Nothing more is asked for, which would replace it again. */
		ck_assert_uint_eq(t.asked, 1);
	}
	t.moved = NULL;
	ck_assert_int_eq(unlink(t.folder), 0);
	remove_kept(away);
	ck_assert_int_eq(rmdir(away), 0);
	ck_assert_msg(use(&a, &r) == 200, "%s", r.text);
	ck_assert_uint_eq(t.asked, 1);
	finish(&a);
	expect_use("the next process");
	free(away);
}
END_TEST

/* Two sources with the same credential have the same grant: another one would
 * end it. */
START_TEST(two_sources_with_one_token)
{
	struct outcome r;
	struct agent a, b;

	begin(&a);
	begin(&b);
	for (int i = 0; i < 2; i++) {
		ck_assert_msg(use(&a, &r) == 200, "%s", r.text);
		ck_assert_msg(use(&b, &r) == 200, "%s", r.text);
	}
	ck_assert_uint_eq(t.asked, 1);
	/* Either may go first. */
	finish(&a);
	ck_assert_msg(use(&b, &r) == 200, "%s", r.text);
	ck_assert_uint_eq(t.asked, 1);
	finish(&b);
	expect_use("the next process");
}
END_TEST

/* They may have it from different places. */
START_TEST(one_token_from_two_places)
{
	struct outcome r;
	struct agent a, b;

	ck_assert_int_eq(setenv("ROTATING_TOKEN", "r0", 1), 0);
	begin(&a);
	begin_with(&b, "${env:ROTATING_TOKEN}");
	ck_assert_msg(use(&a, &r) == 200, "%s", r.text);
	ck_assert_msg(use(&b, &r) == 200, "%s", r.text);
	ck_assert_uint_eq(t.asked, 2);
	ck_assert_uint_eq(t.refused, 0);
	finish(&a);
	finish(&b);
}
END_TEST

/* Get grants, each for itself, and do not use them.  Whoever has waited long
 * for others is told so, and tries again. */
static void
ask_on(void)
{
	for (int n = 0; n < 8;) {
		struct outcome r;
		struct agent a;
		char *token;

		begin(&a);
		token = oauth_token(a.o, a.http, &r);
		if (token != NULL)
			n++;
		else if (strstr(r.text, "has the same refresh token") == NULL)
			_exit(1);
		secret_free(token);
		finish(&a);
	}
	_exit(0);
}

/* The agent and `check --live`: none asks with a token that another one is
 * replacing. */
START_TEST(processes_with_one_token)
{
	pid_t pids[3];
	int status;

	for (size_t i = 0; i < 3; i++) {
		pids[i] = fork_alone();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0)
			ask_on();
	}
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	ck_assert_uint_eq(t.refused, 0);
	ck_assert_uint_eq(t.asked, 24);
	ck_assert_uint_eq(t.issued, 24);
	expect_use("afterwards");
}
END_TEST

Suite *
suite_rotating(void)
{
	Suite *s = suite_create("rotating");
	TCase *tc = tcase_create("rotating");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, killed_at_any_point);
	tcase_add_test(tc, no_room);
	tcase_add_test(tc, the_folder_goes_away);
	tcase_add_test(tc, two_sources_with_one_token);
	tcase_add_test(tc, one_token_from_two_places);
	tcase_add_test(tc, processes_with_one_token);
	suite_add_tcase(s, tc);
	return s;
}
