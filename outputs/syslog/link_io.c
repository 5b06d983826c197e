/*
 * link_io.c - one connection to a syslog receiver: what goes out, what has
 * arrived, and the end.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "outputs/syslog/link_state.h"

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
again(const struct link *l, int rc)
{
	int kind = SSL_get_error(l->session.ssl, rc);

	return kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE;
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
		if (rc > 0 || again(l, rc)) {
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
	l->retry = again(l, rc);
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

int
link_flush(struct link *l)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_do_handshake(l->session.ssl);
	l->asking = rc != 1;
	if (rc == 1 || again(l, rc))
		return 0;
	link_fail_tls(l, rc);
	return -1;
}

bool
link_ask(struct link *l)
{
	if (l->step != STEP_UP || l->retry || l->asking)
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

uint64_t
link_sent(const struct link *l)
{
	return l->sent;
}

uint64_t
link_left(struct link *l)
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

/* See link_close(). */
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
	return rc == 1 && link_left(l) == l->sent;
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
