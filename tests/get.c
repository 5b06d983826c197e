/*
 * get.c - what stories ask again and again while they wait, without the cost
 * of starting curl each time:
 *
 *	get PORT|SOCKET PATH [METRIC]
 *
 * prints the answer's body, from that port of 127.0.0.1 or that socket; with
 * METRIC (name and labels as they stand in it) only this metric's value.
 * Fails when nobody answers within ten seconds, or with another status than
 * 2xx.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int
dial(const char *where)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	struct sockaddr_in port = { .sin_family = AF_INET };
	struct timeval patience = { .tv_sec = 10 };
	int unix_socket = strchr(where, '/') != NULL;
	struct sockaddr *to;
	socklen_t len;
	int fd;

	if (strlen(where) >= sizeof(path.sun_path))
		return -1;
	if (unix_socket) {
		(void)snprintf(path.sun_path, sizeof(path.sun_path), "%s",
		    where);
		to = (struct sockaddr *)&path;
		len = sizeof(path);
	} else {
		port.sin_port = htons((in_port_t)atoi(where));
		port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		to = (struct sockaddr *)&port;
		len = sizeof(port);
	}
	fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof(patience)) == -1 ||
	    connect(fd, to, len) == -1)
		return -1;
	return fd;
}

/* The head of the answer; whether it is 2xx. */
static int
good(FILE *from)
{
	char line[4096];
	int status = 0;

	if (fgets(line, sizeof(line), from) == NULL ||
	    sscanf(line, "HTTP/%*s %d", &status) != 1)
		return 0;
	while (fgets(line, sizeof(line), from) != NULL)
		if (line[strspn(line, "\r\n")] == '\0')
			return status / 100 == 2;
	return 0;
}

static void
body(FILE *from)
{
	char some[4096];
	size_t n;

	while ((n = fread(some, 1, sizeof(some), from)) > 0)
		(void)fwrite(some, 1, n, stdout);
}

static void
metric(FILE *from, const char *name)
{
	char *line = NULL;
	size_t size = 0, len = strlen(name);

	while (getline(&line, &size, from) > 0)
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			(void)fputs(line + len + 1, stdout);
	free(line);
}

int
main(int argc, char **argv)
{
	FILE *from;
	int fd;

	if (argc < 3 || argc > 4)
		return 64;
	fd = dial(argv[1]);
	if (fd == -1 ||
	    dprintf(fd, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", argv[2]) <
		0 ||
	    (from = fdopen(fd, "r")) == NULL || !good(from))
		return 1;
	if (argc == 4)
		metric(from, argv[3]);
	else
		body(from);
	return ferror(from) || fclose(from) != 0 || fflush(stdout) != 0;
}
