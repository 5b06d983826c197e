/*
 * wake.c - waking another process that sleeps in poll(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/wake.h"

#define CLEAR_MAX 4096

int
wake_open(int fd, int mode)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return open(name, mode | O_NONBLOCK | O_CLOEXEC);
}

int
wake_make(void)
{
	int ends[2], fd, why;

	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0)
		return -1;
	fd = wake_open(ends[0], O_RDWR);
	why = errno;
	(void)close(ends[0]);
	(void)close(ends[1]);
	errno = why;
	return fd;
}

void
wake_up(int fd)
{
	const int saved = errno;

	if (write(fd, "", 1) < 0)
		errno = saved;
}

void
wake_clear(int fd)
{
	const int saved = errno;
	char some[CLEAR_MAX];

	if (read(fd, some, sizeof(some)) < 0)
		errno = saved;
}
