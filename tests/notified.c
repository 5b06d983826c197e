/*
 * notified.c - what systemd hears: binds the datagram socket argv[1] and
 * writes every message that arrives there, one assignment a line.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int
main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[4096];
	ssize_t n;

	if (argc != 2 || strlen(argv[1]) >= sizeof(at.sun_path))
		return 64;
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", argv[1]);
	if (fd == -1 || bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1) {
		perror(argv[1]);
		return 1;
	}
	while ((n = recv(fd, text, sizeof(text), 0)) >= 0) {
		(void)printf("%.*s\n", (int)n, text);
		(void)fflush(stdout);
	}
	return 1;
}
