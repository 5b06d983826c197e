/*
 * listen.c - where watch listens: loopback or a unix socket, nowhere else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/listen.h"

#define BACKLOG 16

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

/* Split "host:port" or "[host]:port"; host has room for 64 bytes. */
static int
split(const char *where, char *host, uint16_t *port)
{
	const char *colon = strrchr(where, ':');
	size_t len;
	char *end;
	long n;

	if (colon == NULL)
		return -1;
	n = strtol(colon + 1, &end, 10);
	if (end == colon + 1 || *end != '\0' || n < 0 || n > 65535)
		return -1;
	*port = (uint16_t)n;
	len = (size_t)(colon - where);
	if (len > 2 && where[0] == '[' && where[len - 1] == ']') {
		where++;
		len -= 2;
	}
	if (len == 0 || len > 63)
		return -1;
	memcpy(host, where, len);
	host[len] = '\0';
	return 0;
}

static int
parse_inet(const char *where, union address *a, socklen_t *len)
{
	char host[64];
	uint16_t port;

	if (split(where, host, &port) == -1)
		return -1;
	if (strcmp(host, "localhost") == 0)
		(void)snprintf(host, sizeof(host), "127.0.0.1");
	if (inet_pton(AF_INET, host, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		*len = sizeof(a->v4);
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127 ? 0 : -1;
	}
	if (inet_pton(AF_INET6, host, &a->v6.sin6_addr) == 1) {
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons(port);
		*len = sizeof(a->v6);
		return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr) ? 0 : -1;
	}
	return -1;
}

static int
parse(const char *where, union address *a, socklen_t *len, struct err *err)
{
	memset(a, 0, sizeof(*a));
	if (where[0] == '/') {
		if (strlen(where) >= sizeof(a->local.sun_path))
			return err_set(err, "%s: too long for a unix socket",
			    where);
		a->local.sun_family = AF_UNIX;
		memcpy(a->local.sun_path, where, strlen(where));
		*len = sizeof(a->local);
		return 0;
	}
	if (parse_inet(where, a, len) == 0)
		return 0;
	return err_set(err,
	    "%s: not a loopback address with port, nor the "
	    "path of a unix socket; write 127.0.0.1:9469, [::1]:9469 or "
	    "/run/sealfeed/watch.sock",
	    where);
}

int
listen_check(const char *where, struct err *err)
{
	union address a;
	socklen_t len;

	return parse(where, &a, &len, err);
}

/* A socket file left behind refuses connections: remove it.  Anything else
 * of that name stays, and bind() says so. */
static void
remove_stale(const union address *a, socklen_t len)
{
	struct stat st;
	int fd;

	if (lstat(a->local.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, &a->any, len) != 0 && errno == ECONNREFUSED)
		(void)unlink(a->local.sun_path);
	if (fd >= 0)
		(void)close(fd);
}

int
listen_open(const char *where, struct err *err)
{
	const int on = 1;
	union address a;
	socklen_t len;
	bool local;
	int fd;

	if (parse(where, &a, &len, err) == -1)
		return -1;
	local = a.any.sa_family == AF_UNIX;
	if (local && file_parents(where, err) == -1)
		return -1;
	if (local)
		remove_stale(&a, len);
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd < 0)
		return err_set(err, "%s: %s", where, strerror(errno));
	if (!local)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &a.any, len) == 0 && listen(fd, BACKLOG) == 0 &&
	    (!local || chmod(where, 0660) == 0))
		return fd;
	(void)err_set(err, "%s: cannot listen: %s", where, strerror(errno));
	(void)close(fd);
	return -1;
}
