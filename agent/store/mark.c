/*
 * mark.c - small files beside the store that outlive damage to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/mark.h"

#define FEEDS_MOST 65536          /* ids that the mark has room for */
#define RESERVE (5 * 1024 * 1024) /* more than carrying over a WAL takes */
#define RESERVE_PART 4            /* of a small file system at most */

struct slot {
	uint64_t size;
	uint64_t check;
};

static char *
beside(const char *path, const char *what)
{
	return xasprintf("%s.%s", path, what);
}

int
mark_open(struct store *s, struct err *err)
{
	char *name = beside(s->path, "mark");
	int rc = 0;

	s->mark = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (s->mark < 0)
		rc = err_set(err, "%s: %s", name, strerror(errno));
	free(name);
	return rc;
}

void
mark_close(struct store *s)
{
	if (s->mark >= 0)
		(void)close(s->mark);
	s->mark = -1;
}

void
mark_set(struct store *s, int64_t feed, uint64_t size)
{
	const struct slot slot = { .size = size, .check = ~size };

	if (s->mark < 0 || feed < 1 || feed > FEEDS_MOST)
		return;
	/* A full disk must not stop a commit that is already durable. */
	if (pwrite(s->mark, &slot, sizeof(slot),
		(feed - 1) * (int64_t)sizeof(slot)) != sizeof(slot))
		return;
}

uint64_t
mark_get(const struct store *s, int64_t feed)
{
	struct slot slot;

	if (s->mark < 0 || feed < 1 || feed > FEEDS_MOST ||
	    pread(s->mark, &slot, sizeof(slot),
		(feed - 1) * (int64_t)sizeof(slot)) != sizeof(slot) ||
	    slot.check != ~slot.size)
		return 0;
	return slot.size;
}

int64_t
mark_last(const struct store *s)
{
	struct stat st;

	if (s->mark < 0 || fstat(s->mark, &st) != 0)
		return 0;
	if (st.st_size / (int64_t)sizeof(struct slot) > FEEDS_MOST)
		return FEEDS_MOST;
	return st.st_size / (int64_t)sizeof(struct slot);
}

void
mark_suspect(const char *path)
{
	char *name = beside(path, "suspect");
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

	if (fd >= 0)
		(void)close(fd);
	free(name);
}

bool
mark_suspected(const char *path)
{
	char *name = beside(path, "suspect");
	bool there = access(name, F_OK) == 0;

	free(name);
	return there;
}

void
mark_trust(const char *path)
{
	char *name = beside(path, "suspect");

	(void)unlink(name);
	free(name);
}

/* Its size on a file system of that many bytes. */
static int64_t
reserve_size(int64_t all)
{
	return all / RESERVE_PART < RESERVE ? all / RESERVE_PART : RESERVE;
}

int64_t
mark_reserve_wants(const struct store *s)
{
	char *name = beside(s->path, "reserve");
	struct statvfs fs;
	struct stat st;
	int64_t size = RESERVE;

	if (statvfs(s->path, &fs) == 0)
		size = reserve_size((int64_t)(fs.f_blocks * fs.f_frsize));
	if (stat(name, &st) == 0 && st.st_size == size)
		size = 0;
	free(name);
	return 2 * size;
}

bool
mark_keep_reserve(struct store *s)
{
	const int64_t want = mark_reserve_wants(s);
	char *name = beside(s->path, "reserve");
	bool there = want == 0;
	struct statvfs fs;
	int fd;

	if (!there && statvfs(s->path, &fs) == 0 &&
	    (int64_t)(fs.f_bavail * fs.f_frsize) >= want) {
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
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
mark_spend_reserve(struct store *s)
{
	char *name = beside(s->path, "reserve");

	(void)unlink(name);
	free(name);
}
