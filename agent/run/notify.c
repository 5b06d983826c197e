/*
 * notify.c - readiness and watchdog for systemd, without its library.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "run/notify.h"

static struct sockaddr_un where;
static socklen_t where_len;
static int sock = -1;
static int64_t interval;

static void
watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");

	if (usec == NULL || (pid != NULL && atol(pid) != (long)getpid()))
		return;
	/* Keep-alives are sent twice as often as the limit demands, as
	 * sd_watchdog_enabled(3) advises. */
	interval = strtoll(usec, NULL, 10) / 2;
}

void
notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len;

	watchdog();
	len = path == NULL ? 0 : strlen(path);
	if (len > 1 && len < sizeof(where.sun_path)) {
		where.sun_family = AF_UNIX;
		memcpy(where.sun_path, path, len);
		if (path[0] == '@') /* abstract socket */
			where.sun_path[0] = '\0';
		where_len =
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
		sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

void
notify_send(const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	if (sock < 0)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return;
	/* A lost keep-alive shows: systemd restarts the service. */
	(void)sendto(sock, text, (size_t)n, MSG_NOSIGNAL,
	    (const struct sockaddr *)&where, where_len);
}

int64_t
notify_interval(void)
{
	return interval;
}
