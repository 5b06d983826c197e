/*
 * reserve.c - space that is given up when the disk is full.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/mode.h"
#include "store/reserve.h"

#define RESERVE (5 * 1024 * 1024) /* more than carrying over a WAL takes */
#define RESERVE_PART 4            /* of a small file system at most */

/* Size of the reserve on a file system of that many bytes. */
static int64_t
reserve_size(int64_t all)
{
	return all / RESERVE_PART < RESERVE ? all / RESERVE_PART : RESERVE;
}

int64_t
reserve_needs(const char *path)
{
	char *name = xasprintf("%s.reserve", path);
	struct statvfs fs;
	struct stat st;
	int64_t size = RESERVE;

	if (statvfs(path, &fs) == 0)
		size = reserve_size((int64_t)(fs.f_blocks * fs.f_frsize));
	if (stat(name, &st) == 0 && st.st_size == size)
		size = 0;
	free(name);
	return 2 * size;
}

bool
reserve_keep(const char *path)
{
	const int64_t want = reserve_needs(path);
	char *name = xasprintf("%s.reserve", path);
	bool there = want == 0;
	struct statvfs fs;
	int fd;

	if (!there && statvfs(path, &fs) == 0 &&
	    (int64_t)(fs.f_bavail * fs.f_frsize) >= want) {
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, STORE_MODE);
		there = fd >= 0 && posix_fallocate(fd, 0, want / 2) == 0;
		if (fd >= 0) {
			(void)close(fd);
			if (!there)
				(void)unlink(name);
		}
	}
	free(name);
	return there;
}

void
reserve_release(const char *path)
{
	char *name = xasprintf("%s.reserve", path);

	(void)unlink(name);
	free(name);
}
