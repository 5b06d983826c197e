/*
 * log.c - what the roles say on standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

#define LOG_LINE_MAX 2048

static char role[64] = "sealfeed";
static enum log_level level = LOG_LEVEL_NOTICE;
static bool prefix = true;

/* Where lines go, and what is left of the last one. */
static struct {
	pthread_mutex_t lock;
	int fd;
	char rest[LOG_LINE_MAX + 80]; /* of a line that was taken in part */
	size_t n_rest;
	uint64_t dropped;
	_Atomic uint64_t *seen; /* all that were dropped; NULL: nobody looks */
} out = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = STDERR_FILENO };

/*
 * A descriptor of our own that never waits: O_NONBLOCK on standard error itself
 * would be there for all who share it.  Files have no need of it, and sockets
 * can't be opened so; put() sees to these.
 */
static void
open_own(void)
{
	struct stat st;
	int fd;

	if (fstat(STDERR_FILENO, &st) != 0 ||
	    (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)))
		return;
	fd = open("/proc/self/fd/2",
	    O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0)
		out.fd = fd;
}

void
log_open(const char *name, enum log_level max)
{
	(void)snprintf(role, sizeof(role), "%s", name);
	level = max;
	prefix = !isatty(STDERR_FILENO);
	if (out.fd == STDERR_FILENO)
		open_own();
}

void
log_count_dropped(_Atomic uint64_t *lines)
{
	out.seen = lines;
}

/* Write without waiting; the bytes that were taken, or -1. */
static ssize_t
put(const char *text, size_t len)
{
	struct pollfd pfd = { .fd = out.fd, .events = POLLOUT };
	ssize_t n = send(out.fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n >= 0 || errno != ENOTSOCK)
		return n;
	/* A pipe that is writable has room for a line. */
	if (poll(&pfd, 1, 0) != 1 || (pfd.revents & POLLOUT) == 0)
		return -1;
	return write(out.fd, text, len);
}

/* One write, so that lines of several processes do not mix; what a socket
 * takes only in part is finished before the next line.  false: not taken. */
static bool
put_line(const char *text, size_t len)
{
	ssize_t n;

	if (out.n_rest > 0) {
		n = put(out.rest, out.n_rest);
		if (n > 0) {
			out.n_rest -= (size_t)n;
			memmove(out.rest, out.rest + n, out.n_rest);
		}
		if (out.n_rest > 0)
			return false;
	}
	n = put(text, len);
	if (n <= 0)
		return false;
	out.n_rest = len - (size_t)n;
	memcpy(out.rest, text + n, out.n_rest);
	return true;
}

static size_t
format(char *line, size_t size, enum log_level at, const char *text)
{
	int n;

	if (prefix)
		n = snprintf(line, size, "<%d>%s: %s\n", (int)at, role, text);
	else
		n = snprintf(line, size, "%s: %s\n", role, text);
	return n < 0 ? 0 : (size_t)n;
}

/* A log that is full or gone must not stop anybody: its lines are counted, and
 * told as a number when it takes some again. */
static void
deliver(enum log_level at, const char *text)
{
	char line[LOG_LINE_MAX + 80], note[80];
	size_t len;

	(void)pthread_mutex_lock(&out.lock);
	if (out.dropped > 0) {
		(void)snprintf(note, sizeof(note),
		    "%" PRIu64 " lines could not be written to this log",
		    out.dropped);
		len = format(line, sizeof(line), LOG_LEVEL_WARN, note);
		if (put_line(line, len))
			out.dropped = 0;
	}
	len = format(line, sizeof(line), at, text);
	if (out.dropped > 0 || !put_line(line, len)) {
		out.dropped++;
		if (out.seen != NULL)
			*out.seen += 1;
	}
	(void)pthread_mutex_unlock(&out.lock);
}

/* Append text to line, of which *len bytes are taken. */
static void
append(char *line, size_t size, size_t *len, const char *text)
{
	while (*text != '\0' && *len < size)
		line[(*len)++] = *text++;
}

void
log_from_handler(enum log_level at, const char *const *parts)
{
	char line[512], severity[] = { '<', (char)('0' + at), '>', '\0' };
	size_t len = 0;

	if (prefix)
		append(line, sizeof(line) - 1, &len, severity);
	append(line, sizeof(line) - 1, &len, role);
	append(line, sizeof(line) - 1, &len, ": ");
	for (; *parts != NULL; parts++)
		append(line, sizeof(line) - 1, &len, *parts);
	line[len++] = '\n';
	if (put(line, len) < 0 && out.seen != NULL)
		*out.seen += 1;
}

static void say(enum log_level at, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
say(enum log_level at, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX], clean[LOG_LINE_MAX];

	if (at > level)
		return;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	text_one_line(clean, sizeof(clean), text);
	deliver(at, clean);
}

#define LOG_FUNCTION(name, at)          \
	void name(const char *fmt, ...) \
	{                               \
		va_list ap;             \
                                        \
		va_start(ap, fmt);      \
		say(at, fmt, ap);       \
		va_end(ap);             \
	}

LOG_FUNCTION(log_err, LOG_LEVEL_ERR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_notice, LOG_LEVEL_NOTICE)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
