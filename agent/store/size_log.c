/*
 * size_log.c - how many events each feed had, beside the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/mode.h"
#include "store/size_log.h"

#define FEEDS_MAX 65536 /* ids that the log has room for */

struct slot {
	uint64_t size;
	uint64_t check;
};

int
size_log_open(const char *path, struct err *err)
{
	char *name = xasprintf("%s.mark", path);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, STORE_MODE);

	if (fd < 0)
		(void)err_set(err, "%s: %s", name, strerror(errno));
	free(name);
	return fd;
}

void
size_log_set(int fd, int64_t feed, uint64_t size)
{
	const struct slot slot = { .size = size, .check = ~size };

	if (fd < 0 || feed < 1 || feed > FEEDS_MAX)
		return;
	/* A full disk must not stop a commit that is already durable. */
	if (pwrite(fd, &slot, sizeof(slot),
		(feed - 1) * (int64_t)sizeof(slot)) != sizeof(slot))
		return;
}

uint64_t
size_log_get(int fd, int64_t feed)
{
	struct slot slot;

	if (fd < 0 || feed < 1 || feed > FEEDS_MAX ||
	    pread(fd, &slot, sizeof(slot),
		(feed - 1) * (int64_t)sizeof(slot)) != sizeof(slot) ||
	    slot.check != ~slot.size)
		return 0;
	return slot.size;
}

int64_t
size_log_last(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return 0;
	if (st.st_size / (int64_t)sizeof(struct slot) > FEEDS_MAX)
		return FEEDS_MAX;
	return st.st_size / (int64_t)sizeof(struct slot);
}
