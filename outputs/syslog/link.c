/*
 * link.c - one connection to a syslog receiver that never blocks: opening,
 * reading, writing.
 */
#include "outputs/syslog/link.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "outputs/syslog/link_state.h"

#define RESOLVE_LOOK (20 * CLOCK_SECOND / 1000)

/* Seconds after which a silent peer is asked whether it is there, and between
 * questions, and how many of these. */
#define ALIVE_AFTER 30
#define ALIVE_BETWEEN 10
#define ALIVE_TIMES 3

/* A receiver has nothing to say; one that talks without end is not read
 * without end. */
#define READS_MOST 64

struct link *
link_new(const char *host, const char *port, const struct tls *t,
    int64_t timeout)
{
	struct link *l = xcalloc(1, sizeof(*l));

	l->host = host;
	l->port = port;
	l->tls = t;
	l->timeout = timeout;
	l->fd = -1;
	return l;
}

/* Free what the connection has; the reason stays. */
void
link_drop(struct link *l)
{
	resolve_free(l->resolve);
	l->resolve = NULL;
	if (l->list != NULL)
		freeaddrinfo(l->list);
	l->list = NULL;
	l->next = NULL;
	SSL_free(l->session.ssl);
	l->session.ssl = NULL;
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
	l->step = STEP_DOWN;
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	link_drop(l);
	free(l);
}

void
link_fail(struct link *l, bool settings, const char *why)
{
	(void)snprintf(l->why, sizeof(l->why), "%s port %s: %s", l->host,
	    l->port, why);
	l->settings = settings;
	link_drop(l);
}

/* The TLS operation that returned rc failed for good. */
void
link_fail_tls(struct link *l, int rc)
{
	struct err err = ERR_INIT;
	bool settings = tls_explain(&l->session, rc, &err);

	link_fail(l, settings, err.text);
}

void
link_open(struct link *l)
{
	l->why[0] = '\0';
	l->settings = false;
	err_clear(&l->cert);
	l->sent = 0;
	l->acked = 0;
	l->retry = false;
	l->asking = false;
	l->session.answers = 0;
	l->deadline = clock_monotonic() + l->timeout;
	l->resolve = resolve_begin(l->host, l->port);
	l->step = STEP_RESOLVE;
}

static void
tune(const struct link *l, int fd)
{
	const struct {
		int level, option, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, ALIVE_AFTER },
		{ IPPROTO_TCP, TCP_KEEPINTVL, ALIVE_BETWEEN },
		{ IPPROTO_TCP, TCP_KEEPCNT, ALIVE_TIMES },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, (int)(l->timeout / 1000) },
	};

	/* Without one of them the connection works, only worse. */
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].option,
		    &options[i].value, sizeof(options[i].value));
}

/* Begin with the next address that can be begun with. */
static void
connect_next(struct link *l, int error)
{
	const struct addrinfo *a;

	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
	while (l->next != NULL) {
		a = l->next;
		l->next = a->ai_next;
		l->fd = socket(a->ai_family,
		    a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    a->ai_protocol);
		if (l->fd < 0) {
			error = errno;
			continue;
		}
		tune(l, l->fd);
		if (connect(l->fd, a->ai_addr, a->ai_addrlen) == 0 ||
		    errno == EINPROGRESS) {
			l->step = STEP_CONNECT;
			return;
		}
		error = errno;
		(void)close(l->fd);
		l->fd = -1;
	}
	if (error == ECONNREFUSED)
		link_fail(l, false,
		    "connection refused; start the receiver there, or correct "
		    "address");
	else
		link_fail(l, false, strerror(error));
}

static void
step_resolve(struct link *l)
{
	struct err err = ERR_INIT;
	int rc = resolve_end(l->resolve, &l->list, &err);

	if (rc < 0)
		link_fail(l, false, err.text);
	if (rc != 1)
		return;
	l->next = l->list;
	connect_next(l, EADDRNOTAVAIL);
}

static void
step_up(struct link *l)
{
	l->step = STEP_UP;
	l->moved = clock_monotonic();
}

static void
step_connect(struct link *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLOUT };
	struct err err = ERR_INIT;
	socklen_t len = sizeof(int);
	int error = 0;

	if (poll(&p, 1, 0) != 1)
		return;
	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0) {
		connect_next(l, error);
		return;
	}
	if (l->tls == NULL) {
		step_up(l);
		return;
	}
	l->session.why = &l->cert;
	if (tls_begin(l->tls, &l->session, l->fd, &err) != 0) {
		link_fail(l, true, err.text);
		return;
	}
	l->step = STEP_HANDSHAKE;
}

/* Whether a TLS operation that returned rc is to be tried again. */
static bool
again(const struct link *l, int rc)
{
	int kind = SSL_get_error(l->session.ssl, rc);

	return kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE;
}

static void
step_handshake(struct link *l)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_connect(l->session.ssl);
	if (rc == 1)
		step_up(l);
	else if (!again(l, rc))
		link_fail_tls(l, rc);
}

static void
read_tls(struct link *l)
{
	char scratch[4096];
	int rc;

	for (int i = 0; i < READS_MOST; i++) {
		ERR_clear_error();
		errno = 0;
		rc = SSL_read(l->session.ssl, scratch, sizeof(scratch));
		if (rc > 0)
			continue;
		if (!again(l, rc))
			link_fail_tls(l, rc);
		return;
	}
}

static void
read_plain(struct link *l)
{
	char scratch[4096];
	ssize_t rc;

	for (int i = 0; i < READS_MOST; i++) {
		rc = recv(l->fd, scratch, sizeof(scratch), MSG_DONTWAIT);
		if (rc > 0)
			continue;
		if (rc == 0)
			link_fail(l, false,
			    "the receiver closed the connection");
		else if (errno != EAGAIN && errno != EINTR)
			link_fail(l, false, strerror(errno));
		return;
	}
}

static void
step_read(struct link *l)
{
	if (l->tls == NULL) {
		read_plain(l);
		return;
	}
	if (l->asking && link_flush(l) != 0)
		return;
	read_tls(l);
}

enum link_state
link_step(struct link *l)
{
	static void (*const steps[])(struct link *) = {
		[STEP_RESOLVE] = step_resolve,
		[STEP_CONNECT] = step_connect,
		[STEP_HANDSHAKE] = step_handshake,
		[STEP_UP] = step_read,
	};
	enum link_step before;

	do {
		before = l->step;
		if (before != STEP_DOWN)
			steps[before](l);
	} while (l->step > before);
	if (l->step == STEP_DOWN)
		return LINK_DOWN;
	if (l->step == STEP_UP)
		return LINK_UP;
	if (clock_monotonic() > l->deadline) {
		link_fail(l, false,
		    "no answer in time; check the way there and firewalls, or "
		    "raise timeout");
		return LINK_DOWN;
	}
	return LINK_OPENING;
}

bool
link_down(const struct link *l)
{
	return l->step == STEP_DOWN;
}

int
link_poll(const struct link *l, short *events, int64_t *wait)
{
	int64_t due = INT64_MAX;

	*events = POLLIN;
	if (l->step == STEP_RESOLVE)
		due = clock_monotonic() + RESOLVE_LOOK;
	else if (l->step != STEP_DOWN && l->step != STEP_UP)
		due = l->deadline;
	if (due < *wait)
		*wait = due;
	if (l->step == STEP_CONNECT || l->retry || l->asking ||
	    (l->step == STEP_HANDSHAKE && SSL_want_write(l->session.ssl)))
		*events = l->step == STEP_UP ? POLLIN | POLLOUT : POLLOUT;
	return l->fd;
}
