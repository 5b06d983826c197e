/*
 * link.c - one connection to a syslog receiver that never blocks: opening,
 * reading, writing.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>
#include <openssl/err.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "outputs/syslog/link.h"
#include "outputs/syslog/race.h"
#include "outputs/syslog/tls.h"

/* In the order in which a connection goes through them. */
enum link_step {
	STEP_DOWN,
	STEP_RESOLVE,
	STEP_CONNECT,
	STEP_HANDSHAKE,
	STEP_UP
};

struct link {
	const char *host;
	const char *port;
	const struct tls *tls; /* NULL: plain TCP */
	int64_t timeout;
	enum link_step step;
	struct resolve *resolve;
	struct addrinfo *list;
	struct race *race; /* of these addresses */
	int fd;
	struct tls_session session;
	struct err cert;      /* what is wrong with the peer's certificate */
	int64_t deadline;     /* for opening */
	int64_t share;        /* of it, for the handshake with one address */
	bool retry;           /* a write waits: nothing else may be written */
	bool asking;          /* a KeyUpdate is still to be flushed */
	uint64_t sent;        /* to the kernel, TCP: to l->fd */
	uint64_t acked;       /* when last looked */
	int64_t moved;        /* when something last did */
	link_heard *listener; /* NULL: nobody */
	void *listener_ctx;
	char heard[64]; /* the first that the receiver said */
	size_t n_heard;
	char why[512];
	bool settings;
};

static void link_drop(struct link *l);
static void read_tls(struct link *l);
static void link_fail_tls(struct link *l, int rc);

struct resolve {
	struct gaicb ask;
	struct addrinfo hints;
	char host[256];
	char port[8];
	int rc; /* EAI_INPROGRESS until it is known */
};

/* Begin; host and port are copied. */
static struct resolve *
resolve_begin(const char *host, const char *port)
{
	struct resolve *r = xcalloc(1, sizeof(*r));
	struct gaicb *list[1] = { &r->ask };

	(void)snprintf(r->host, sizeof(r->host), "%s", host);
	(void)snprintf(r->port, sizeof(r->port), "%s", port);
	r->hints.ai_family = AF_UNSPEC;
	r->hints.ai_socktype = SOCK_STREAM;
	r->hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	r->ask.ar_name = r->host;
	r->ask.ar_service = r->port;
	r->ask.ar_request = &r->hints;
	r->rc = getaddrinfo(r->host, r->port, &r->hints, &r->ask.ar_result);
	if (r->rc != EAI_NONAME)
		return r;
	r->hints.ai_flags = AI_NUMERICSERV;
	r->rc = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
	if (r->rc == 0)
		r->rc = EAI_INPROGRESS;
	return r;
}

/* 1 and *list (freed by the caller with freeaddrinfo()), 0 not yet, -1. */
static int
resolve_end(struct resolve *r, struct addrinfo **list, struct err *err)
{
	if (r->rc == EAI_INPROGRESS)
		r->rc = gai_error(&r->ask);
	if (r->rc == EAI_INPROGRESS)
		return 0;
	if (r->rc != 0)
		return err_set(err,
		    "%s: %s; check the name and the DNS servers of this "
		    "machine",
		    r->host, gai_strerror(r->rc));
	*list = r->ask.ar_result;
	r->ask.ar_result = NULL;
	return 1;
}

/* Free the look-up, whether or not it has finished. */
static void
resolve_free(struct resolve *r)
{
	if (r == NULL)
		return;
	if (r->rc == EAI_INPROGRESS)
		r->rc = gai_error(&r->ask);
	if (r->rc == EAI_INPROGRESS && gai_cancel(&r->ask) != EAI_CANCELED)
		return; /* the library still writes there: leave it */
	if (r->ask.ar_result != NULL)
		freeaddrinfo(r->ask.ar_result);
	free(r);
}

/* How often the kernel is asked for progress where it cannot wake us. */
#define LOOK_MS 5

static size_t
write_plain(struct link *l, const void *data, size_t len)
{
	ssize_t n = send(l->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	l->retry = n < 0 && (errno == EAGAIN || errno == EINTR);
	if (n < 0 && !l->retry)
		link_fail(l, false, strerror(errno));
	if (n <= 0)
		return 0;
	l->sent += (uint64_t)n;
	return (size_t)n;
}

static bool
wants_retry(const struct link *l, int rc)
{
	int kind = SSL_get_error(l->session.ssl, rc);

	return kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE;
}

/* Does what a receiver said begin as web servers begin? */
static bool
is_web(const char *s)
{
	return strncasecmp(s, "HTTP/", 5) == 0 ||
	    strncasecmp(s, "<!DOCTYPE", 9) == 0 ||
	    strncasecmp(s, "<html", 5) == 0;
}

/* The receiver said something.  Syslog has no word for that, and what one says
 * is not kept but for the first ones, which tell what it is. */
static void
hear(struct link *l, const char *said, size_t len)
{
	size_t room = sizeof(l->heard) - 1 - l->n_heard;
	char line[4 * sizeof(l->heard)], why[400];
	size_t all = len;

	if (room == 0) {
		if (l->listener != NULL)
			l->listener(l->listener_ctx, said, all);
		return;
	}
	if (len > room)
		len = room;
	memcpy(l->heard + l->n_heard, said, len);
	l->n_heard += len;
	l->heard[l->n_heard] = '\0';
	if (!is_web(l->heard)) {
		if (l->listener != NULL)
			l->listener(l->listener_ctx, said, all);
		return;
	}
	l->heard[strcspn(l->heard, "\r\n")] = '\0';
	text_one_line(line, sizeof(line), l->heard);
	(void)snprintf(why, sizeof(why),
	    "a web server answers here (\"%s\"), and not a syslog receiver; "
	    "correct address, or use an output of type http",
	    line);
	link_fail(l, true, why);
}

/* The first alert says more than the broken pipe that follows it. */
static void
fail_write(struct link *l, int rc)
{
	char scratch[512];
	int error = errno;

	if (SSL_get_error(l->session.ssl, rc) == SSL_ERROR_SYSCALL) {
		ERR_clear_error();
		rc = SSL_read(l->session.ssl, scratch, sizeof(scratch));
		if (rc > 0)
			hear(l, scratch, (size_t)rc);
		if (link_down(l))
			return;
		if (rc > 0 || wants_retry(l, rc)) {
			link_fail(l, false, strerror(error));
			return;
		}
	}
	link_fail_tls(l, rc);
}

static size_t
write_tls(struct link *l, const void *data, size_t len)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_write(l->session.ssl, data,
	    len > INT32_MAX ? INT32_MAX : (int)len);
	if (rc > 0) {
		l->retry = false;
		l->asking = false; /* went out in front of it */
		l->sent = BIO_number_written(SSL_get_wbio(l->session.ssl));
		return (size_t)rc;
	}
	l->retry = wants_retry(l, rc);
	if (!l->retry)
		fail_write(l, rc);
	return 0;
}

size_t
link_write(struct link *l, const void *data, size_t len)
{
	size_t n = 0;

	if (l->step == STEP_UP && len > 0)
		n = l->tls == NULL ? write_plain(l, data, len)
				   : write_tls(l, data, len);
	if (n > 0)
		l->moved = clock_monotonic();
	return n;
}

bool
link_able(const struct link *l)
{
	return l->session.ssl != NULL &&
	    SSL_version(l->session.ssl) >= TLS1_3_VERSION;
}

/* Go on sending a KeyUpdate: 0, or -1 when the link is down now. */
static int
link_flush(struct link *l)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_do_handshake(l->session.ssl);
	l->asking = rc != 1;
	if (rc == 1 || wants_retry(l, rc))
		return 0;
	link_fail_tls(l, rc);
	return -1;
}

bool
link_ask(struct link *l)
{
	if (l->step != STEP_UP || l->retry || l->asking)
		return false;
	/* A receiver that has refused us says why; once a request for it meets
	 * a broken pipe, OpenSSL reads nothing any more. */
	read_tls(l);
	if (l->step != STEP_UP)
		return false;
	ERR_clear_error();
	if (SSL_key_update(l->session.ssl, SSL_KEY_UPDATE_REQUESTED) != 1) {
		ERR_clear_error();
		return false;
	}
	return link_flush(l) == 0;
}

uint64_t
link_answers(const struct link *l)
{
	return l->session.answers;
}

bool
link_asked(const struct link *l)
{
	return l->session.asked;
}

uint64_t
link_sent(const struct link *l)
{
	return l->sent;
}

uint64_t
link_acknowledged(struct link *l)
{
	int queued = 0;
	uint64_t acked;

	if (l->fd < 0 || ioctl(l->fd, SIOCOUTQ, &queued) != 0 || queued < 0)
		return l->acked;
	acked = l->sent - (uint64_t)queued;
	/* A TLS record that waits to be completed is in sent only later. */
	if (acked <= l->sent && acked > l->acked) {
		l->acked = acked;
		l->moved = clock_monotonic();
	}
	return l->acked;
}

bool
link_stalled(const struct link *l, int64_t now)
{
	if (l->step != STEP_UP || (l->acked >= l->sent && !l->retry))
		return false;
	return now - l->moved > l->timeout;
}

const char *
link_why(const struct link *l)
{
	return l->why;
}

bool
link_settings(const struct link *l)
{
	return l->settings;
}

/* 1: the peer has closed and not thrown anything away, 0: nothing new, -1. */
static int
read_end(struct link *l, bool *bye)
{
	char scratch[4096];
	ssize_t n;
	int rc, kind;

	while (l->tls != NULL && !*bye) {
		ERR_clear_error();
		errno = 0;
		rc = SSL_read(l->session.ssl, scratch, sizeof(scratch));
		if (rc > 0)
			continue;
		kind = SSL_get_error(l->session.ssl, rc);
		if (kind == SSL_ERROR_WANT_READ)
			return 0;
		if (kind != SSL_ERROR_ZERO_RETURN &&
		    ERR_GET_REASON(ERR_peek_error()) !=
			SSL_R_UNEXPECTED_EOF_WHILE_READING)
			return -1;
		*bye = true;
	}
	n = recv(l->fd, scratch, sizeof(scratch), MSG_DONTWAIT);
	if (n == 0)
		return 1;
	return n > 0 || errno == EAGAIN || errno == EINTR ? 0 : -1;
}

/* Close the link gracefully; link_close() has the contract. */
static bool
prove_end(struct link *l, int wait_ms)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	int64_t until = clock_monotonic() + wait_ms * CLOCK_SECOND / 1000;
	bool bye = false;
	int rc = 0;

	(void)shutdown(l->fd, SHUT_WR);
	while (rc == 0 && clock_monotonic() < until) {
		(void)poll(&p, 1, LOOK_MS);
		rc = read_end(l, &bye);
	}
	return rc == 1 && link_acknowledged(l) == l->sent;
}

bool
link_close(struct link *l, int wait_ms)
{
	bool proven = false;

	if (l->step == STEP_UP && !l->retry) {
		ERR_clear_error();
		if (l->tls != NULL)
			(void)SSL_shutdown(l->session.ssl);
		if (l->tls != NULL)
			l->sent =
			    BIO_number_written(SSL_get_wbio(l->session.ssl));
		if (wait_ms > 0)
			proven = prove_end(l, wait_ms);
	}
	link_drop(l);
	return proven;
}

int
link_describe(const struct link *l, struct buf *out)
{
	if (l->session.ssl != NULL)
		return tls_describe(&l->session, out);
	return buf_adds(out, "TCP without TLS");
}

#define RESOLVE_LOOK (20 * CLOCK_SECOND / 1000)

/* Seconds after which a silent peer is asked whether it is there, and between
 * questions, and how many of these. */
#define ALIVE_AFTER 30
#define ALIVE_BETWEEN 10
#define ALIVE_TIMES 3

/* A receiver has nothing to say; one that talks without end is not read
 * without end. */
#define READS_MAX 64

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

void
link_listen(struct link *l, link_heard *fn, void *ctx)
{
	l->listener = fn;
	l->listener_ctx = ctx;
}

/* Free what the connection has; the reason stays. */
static void
link_drop(struct link *l)
{
	resolve_free(l->resolve);
	l->resolve = NULL;
	race_free(l->race);
	l->race = NULL;
	if (l->list != NULL)
		freeaddrinfo(l->list);
	l->list = NULL;
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
static void
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
	l->n_heard = 0;
	err_clear(&l->cert);
	l->sent = 0;
	l->acked = 0;
	l->retry = false;
	l->asking = false;
	l->session.answers = 0;
	l->session.asked = false;
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

	/* A connection without one of these options still works, only less
	 * well. */
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].option,
		    &options[i].value, sizeof(options[i].value));
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
	l->race = race_new(l->list);
	l->step = STEP_CONNECT;
}

static void
step_up(struct link *l)
{
	l->step = STEP_UP;
	l->moved = clock_monotonic();
}

/* For the handshake with one of several addresses. */
#define HANDSHAKE_MIN (3 * CLOCK_SECOND)

static void
step_connect(struct link *l)
{
	int64_t now = clock_monotonic(), share;
	struct err err = ERR_INIT;
	int error = 0, rc = race_step(l->race, now, &l->fd, &error);

	if (rc < 0)
		link_fail(l, false,
		    error == ECONNREFUSED
			? "connection refused; start the receiver or correct "
			  "address"
			: strerror(error));
	if (rc != 1)
		return;
	tune(l, l->fd);
	if (l->tls == NULL) {
		step_up(l);
		return;
	}
	l->session.why = &l->cert;
	if (tls_begin(l->tls, &l->session, l->fd, &err) != 0) {
		link_fail(l, true, err.text);
		return;
	}
	/* The addresses that are left want some of the time, too, but many of
	 * them leave enough for one. */
	share = (l->deadline - now) / (1 + (int64_t)race_left(l->race));
	l->share = now + (share > HANDSHAKE_MIN ? share : HANDSHAKE_MIN);
	if (l->share > l->deadline)
		l->share = l->deadline;
	l->step = STEP_HANDSHAKE;
}

/* The handshake with one address came to nothing for reasons of the network:
 * go on with the others, if there are any. */
static bool
other_address(struct link *l)
{
	if (race_left(l->race) == 0 || clock_monotonic() >= l->deadline)
		return false;
	SSL_free(l->session.ssl);
	l->session.ssl = NULL;
	(void)close(l->fd);
	l->fd = -1;
	err_clear(&l->cert);
	l->step = STEP_CONNECT;
	return true;
}

static void
step_handshake(struct link *l)
{
	struct err err = ERR_INIT;
	bool settings;
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_connect(l->session.ssl);
	if (rc == 1) {
		step_up(l);
		return;
	}
	if (wants_retry(l, rc)) {
		if (clock_monotonic() > l->share)
			(void)other_address(l);
		return;
	}
	settings = tls_explain(&l->session, rc, &err);
	if (settings || !other_address(l))
		link_fail(l, settings, err.text);
}

static void
read_tls(struct link *l)
{
	char scratch[4096];
	int rc;

	for (int i = 0; i < READS_MAX && l->step == STEP_UP; i++) {
		ERR_clear_error();
		errno = 0;
		rc = SSL_read(l->session.ssl, scratch, sizeof(scratch));
		if (rc > 0) {
			hear(l, scratch, (size_t)rc);
			continue;
		}
		if (!wants_retry(l, rc))
			link_fail_tls(l, rc);
		return;
	}
}

static void
read_plain(struct link *l)
{
	char scratch[4096];
	ssize_t rc;

	for (int i = 0; i < READS_MAX && l->step == STEP_UP; i++) {
		rc = recv(l->fd, scratch, sizeof(scratch), MSG_DONTWAIT);
		if (rc > 0) {
			hear(l, scratch, (size_t)rc);
			continue;
		}
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
		    "no answer in time; check the network path and firewalls, "
		    "or raise timeout");
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
	int fd = l->fd;

	*events = POLLIN;
	if (l->step == STEP_RESOLVE)
		due = clock_monotonic() + RESOLVE_LOOK;
	else if (l->step == STEP_CONNECT)
		due = race_due(l->race, clock_monotonic(), &fd);
	else if (l->step == STEP_HANDSHAKE)
		due = l->share;
	if (l->step != STEP_DOWN && l->step != STEP_UP && l->deadline < due)
		due = l->deadline;
	if (due < *wait)
		*wait = due;
	if (l->step == STEP_CONNECT || l->retry || l->asking ||
	    (l->step == STEP_HANDSHAKE && SSL_want_write(l->session.ssl)))
		*events = l->step == STEP_UP ? POLLIN | POLLOUT : POLLOUT;
	return fd;
}

bool
link_rest(const struct link *l, int wake_fd, int64_t wait)
{
	struct pollfd fds[2] = { { .fd = -1 },
		{ .fd = wake_fd, .events = POLLIN } };
	int64_t left;

	fds[0].fd = link_poll(l, &fds[0].events, &wait);
	left = wait - clock_monotonic();
	if (left < 0)
		left = 0;
	return poll(fds, 2, (int)((left + 999) / 1000)) > 0 &&
	    (fds[1].revents & POLLIN) != 0;
}
