/*
 * test_pool.c - connections that clients leave to each other: the next one to
 * the same peer gets them, and nobody who proves or trusts something else.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "http/access.h"
#include "http/client.h"
#include "http/pool.h"
#include "tests/unit/pair_help.h"
#include "tests/unit/unit.h"

/* More handles than there is room for. */
#define MANY 600

static struct {
	struct MHD_Daemon *daemon;
	char url[2][64]; /* the same server by two names */
	atomic_uint connections;
} t;

static enum MHD_Result
handle(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *upload, size_t *size,
    void **state)
{
	static int seen;
	struct MHD_Response *r;
	enum MHD_Result rc;

	(void)cls;
	(void)url;
	(void)method;
	(void)version;
	(void)upload;
	(void)size;
	/* An answer to the head alone would end the connection. */
	if (*state == NULL) {
		*state = &seen;
		return MHD_YES;
	}
	r = MHD_create_response_from_buffer(2, (void *)(uintptr_t) "{}",
	    MHD_RESPMEM_PERSISTENT);
	rc = MHD_queue_response(conn, 200, r);
	MHD_destroy_response(r);
	return rc;
}

static void
on_connection(void *cls, struct MHD_Connection *conn, void **state,
    enum MHD_ConnectionNotificationCode what)
{
	(void)cls;
	(void)conn;
	(void)state;
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		t.connections++;
}

static void
set_up(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int port;

	memset(&t, 0, sizeof(t));
	t.daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL,
	    NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL, MHD_OPTION_END);
	ck_assert_ptr_nonnull(t.daemon);
	port =
	    (int)MHD_get_daemon_info(t.daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	(void)snprintf(t.url[0], sizeof(t.url[0]), "http://127.0.0.1:%d/a?b=1",
	    port);
	(void)snprintf(t.url[1], sizeof(t.url[1]), "http://localhost:%d/c",
	    port);
}

static void
tear_down(void)
{
	MHD_stop_daemon(t.daemon);
}

/* One who asks: an access of its own, as each source has one. */
struct asker {
	struct http_conf conf;
	struct http_access *access;
	struct http *http;
};

static void
begin(struct asker *a, const struct http_conf *conf)
{
	struct err err = ERR_INIT;

	a->conf = *conf;
	a->conf.timeout = 10 * CLOCK_SECOND;
	a->access = http_access_open(&a->conf, &err);
	ck_assert_msg(a->access != NULL, "%s", err.text);
	a->http = http_new(a->access, NULL, NULL);
}

static void
finish(struct asker *a)
{
	http_free(a->http);
	http_access_free(a->access);
}

static void
ask(struct asker *a, const char *url)
{
	const struct http_request req = { .url = url };
	struct err err = ERR_INIT;
	struct http_reply reply;

	http_reply_init(&reply);
	ck_assert_msg(http_do(a->http, &req, &reply, &err) == 0, "%s",
	    err.text);
	ck_assert_int_eq(reply.status, 200);
	http_reply_release(&reply);
}

/* While one is busy with its connection another one has its own; at rest they
 * take turns. */
START_TEST(a_connection_changes_hands)
{
	static const struct http_conf plain = { .proxy = NULL };
	struct asker a, b;

	begin(&a, &plain);
	begin(&b, &plain);
	ask(&a, t.url[0]);
	ask(&b, t.url[0]);
	ck_assert_uint_eq(t.connections, 2);
	for (int i = 0; i < 3; i++) {
		ask(&a, t.url[0]);
		http_rest(a.http);
		ask(&b, t.url[0]);
		http_rest(b.http);
	}
	ck_assert_uint_eq(t.connections, 2);
	/* Another name is another peer, and its connection is apart. */
	ask(&a, t.url[1]);
	ck_assert_uint_eq(t.connections, 3);
	ask(&b, t.url[0]);
	ask(&a, t.url[0]);
	ask(&a, t.url[1]);
	ck_assert_uint_eq(t.connections, 3);
	finish(&a);
	/* Nobody is left who could want one. */
	finish(&b);
	begin(&a, &plain);
	ask(&a, t.url[0]);
	ck_assert_uint_eq(t.connections, 4);
	finish(&a);
}
END_TEST

/* What one proves or trusts is not another one's. */
START_TEST(connections_apart)
{
	char *key[2], *cert[2];
	struct http_conf confs[] = {
		{ .proxy = NULL },
		{ .tls.ca = NULL },
		{ .tls.ca = NULL },
		{ .tls.cert = NULL },
		{ .tls.cert = NULL },
		{ .proxy = NULL },
	};
	const size_t n = sizeof(confs) / sizeof(confs[0]);
	struct asker all[sizeof(confs) / sizeof(confs[0])];

	for (size_t i = 0; i < 2; i++) {
		pair_make(&key[i], &cert[i]);
		confs[1 + i].tls.ca = cert[i];
		confs[3 + i].tls.cert = cert[i];
		confs[3 + i].tls.key = key[i];
	}
	/* By way of the server itself, which takes any target. */
	confs[5].proxy = xstrdup(t.url[0]);
	*strrchr(confs[5].proxy, '/') = '\0';
	for (size_t i = 0; i < n; i++)
		begin(&all[i], &confs[i]);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < n; i++) {
			ask(&all[i], t.url[0]);
			http_rest(all[i].http);
		}
	ck_assert_uint_eq(t.connections, n);
	for (size_t i = 0; i < n; i++)
		finish(&all[i]);
	for (size_t i = 0; i < 2; i++) {
		free(key[i]);
		free(cert[i]);
	}
	free(confs[5].proxy);
}
END_TEST

/* What was made with a certificate that is replaced is not used again. */
START_TEST(a_reload_ends_connections)
{
	char path[] = "/tmp/sealfeed-pool-XXXXXX";
	struct http_conf conf = { .tls.ca = path };
	struct err err = ERR_INIT;
	char *key[2], *cert[2];
	struct asker a;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	pair_make(&key[0], &cert[0]);
	pair_make(&key[1], &cert[1]);
	ck_assert_int_eq(file_replace(path, cert[0], strlen(cert[0]), 0600,
			     &err),
	    0);
	begin(&a, &conf);
	ask(&a, t.url[0]);
	ck_assert_int_eq(http_access_reload(a.access, &err), 0);
	ask(&a, t.url[0]);
	ck_assert_uint_eq(t.connections, 1);
	ck_assert_int_eq(file_replace(path, cert[1], strlen(cert[1]), 0600,
			     &err),
	    0);
	ck_assert_int_eq(http_access_reload(a.access, &err), 0);
	ask(&a, t.url[0]);
	ck_assert_uint_eq(t.connections, 2);
	finish(&a);
	ck_assert_int_eq(unlink(path), 0);
	for (size_t i = 0; i < 2; i++) {
		free(key[i]);
		free(cert[i]);
	}
}
END_TEST

static struct pooled
numbered(unsigned n, bool fresh)
{
	struct pooled p = { .lay = POOL_NEVER };

	memcpy(p.peer, &n, sizeof(n));
	if (fresh)
		p.easy = curl_easy_init();
	return p;
}

/* Is there one of the peer?  It is put back. */
static bool
there(unsigned n)
{
	struct pooled p = numbered(n, false);
	bool is;

	pool_take(&p);
	is = p.easy != NULL;
	pool_put(&p);
	return is;
}

/* Where there are more than there is room for, those that are here stay, since
 * each would else be gone when its turn comes; but one that is used often has
 * its place. */
START_TEST(no_room)
{
	struct rlimit files;
	unsigned first = 0, often = 0;
	struct pooled p;

	pool_enter();
	for (unsigned i = 0; i < MANY; i++) {
		p = numbered(i, true);
		pool_put(&p);
		ck_assert_ptr_null(p.easy);
	}
	for (unsigned i = 0; i < MANY; i++)
		first += there(i) ? 1 : 0;
	ck_assert_uint_ge(first, 32);
	ck_assert_uint_lt(first, MANY);
	for (unsigned i = 0; i < MANY; i++)
		ck_assert(there(i) == (i < first));
	/* All of these lay here for some time; so did this one, but less. */
	p = numbered(MANY, true);
	p.lay = 0;
	pool_put(&p);
	often += there(MANY) ? 1 : 0;
	ck_assert_uint_eq(often, 1);
	pool_leave();
	/* Where descriptors are few, few are kept. */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = 64;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	pool_enter();
	for (unsigned i = 0; i < 20; i++) {
		p = numbered(i, true);
		pool_put(&p);
	}
	for (unsigned i = 0; i < 20; i++)
		ck_assert(there(i) == (i < 8));
	pool_leave();
	/* The last user took all along. */
	pool_enter();
	for (unsigned i = 0; i <= MANY; i++)
		ck_assert(!there(i));
	pool_leave();
}
END_TEST

Suite *
suite_pool(void)
{
	Suite *s = suite_create("pool");
	TCase *tc = tcase_create("pool");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_connection_changes_hands);
	tcase_add_test(tc, connections_apart);
	tcase_add_test(tc, a_reload_ends_connections);
	tcase_add_test(tc, no_room);
	suite_add_tcase(s, tc);
	return s;
}
