/*
 * file.c - whole files: read with a bound, replaced whole or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

#define READ_STEP 16384
#define PARENT_MODE 0750

/* Fill b from fd; one byte more than the ceiling tells a file that fits from
 * one that does not. */
static int
read_all(int fd, const char *path, struct buf *b, struct err *err)
{
	for (;;) {
		size_t left = b->ceiling - b->len;
		size_t want = left < READ_STEP ? left : READ_STEP;
		char one;
		char *to = buf_room(b, want);
		ssize_t n;

		if (to == NULL)
			return err_set(err,
			    "%s: out of memory while reading it", path);
		to[0] = '\0'; /* nothing is "" */
		n = want == 0 ? read(fd, &one, 1) : read(fd, to, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, "%s: cannot be read: %s", path,
			    strerror(errno));
		if (n == 0)
			return 0;
		if (want == 0)
			return err_set(err,
			    "%s: larger than the %zu bytes "
			    "that are allowed here",
			    path, b->ceiling);
		b->len += (size_t)n;
		b->data[b->len] = '\0';
	}
}

static const char *
kind_of(mode_t mode)
{
	static const struct {
		mode_t type;
		const char *name;
	} kinds[] = {
		{ S_IFDIR, "a directory" },
		{ S_IFIFO, "a FIFO" },
		{ S_IFSOCK, "a socket" },
		{ S_IFCHR, "a character device" },
		{ S_IFBLK, "a block device" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((mode & S_IFMT) == kinds[i].type)
			return kinds[i].name;
	return "something else";
}

static int
refuse(const char *path, mode_t mode, int why, struct err *err)
{
	(void)err_set(err, "%s: %s, not a regular file; name a file", path,
	    kind_of(mode));
	errno = why;
	return -1;
}

int
file_is_regular(const char *path, struct err *err)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode)
	    ? refuse(path, st.st_mode, EINVAL, err)
	    : 0;
}

int
file_open_regular(const char *path, int flags, struct err *err)
{
	struct stat st;
	int fd, why;

	/* A device may do something as soon as it is opened. */
	if (file_is_regular(path, err) != 0)
		return -1;
	/* The name may stand for a FIFO by now: that must not block. */
	fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		why = errno;
		(void)err_set(err, "%s: cannot be opened: %s", path,
		    strerror(why));
		errno = why;
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	(void)close(fd);
	return refuse(path, st.st_mode, EINVAL, err);
}

int
file_read(const char *path, struct buf *b, struct err *err)
{
	size_t before = b->len;
	int fd = file_open_regular(path, O_RDONLY, err);
	int rc;

	if (fd < 0)
		return -1;
	rc = read_all(fd, path, b, err);
	(void)close(fd);
	if (rc != 0 && b->data != NULL) {
		b->len = before;
		b->data[before] = '\0';
	}
	return rc;
}

int
file_write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A new name is durable only when its directory is. */
int
file_sync_folder(const char *path, struct err *err)
{
	char *folder = file_folder(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0 || fsync(fd) != 0)
		rc = err_set(err, "%s: cannot be made durable: %s", folder,
		    strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	free(folder);
	return rc;
}

/* Write, fsync and close fd. */
static int
fill(int fd, const char *path, const void *data, size_t len, mode_t mode,
    struct err *err)
{
	int rc = 0;

	if (fchmod(fd, mode) != 0 || file_write_all(fd, data, len) != 0 ||
	    fsync(fd) != 0)
		rc = err_set(err, "%s: cannot be written: %s", path,
		    strerror(errno));
	if (close(fd) != 0 && rc == 0)
		rc = err_set(err, "%s: cannot be written: %s", path,
		    strerror(errno));
	return rc;
}

int
file_replace(const char *path, const void *data, size_t len, mode_t mode,
    struct err *err)
{
	char *temporary = xasprintf("%s.XXXXXX", path);
	bool there = false;
	int fd, rc = -1;

	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		err_set(err, "%s: cannot be created: %s", temporary,
		    strerror(errno));
		goto out;
	}
	there = true;
	if (fill(fd, temporary, data, len, mode, err) != 0)
		goto out;
	if (rename(temporary, path) != 0) {
		err_set(err, "%s: cannot be replaced: %s", path,
		    strerror(errno));
		goto out;
	}
	there = false;
	rc = file_sync_folder(path, err);
out:
	if (there)
		(void)unlink(temporary);
	free(temporary);
	return rc;
}

int
file_create(const char *path, const void *data, size_t len, mode_t mode,
    struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, "%s: cannot be created: %s", path,
		    strerror(errno));
	if (fill(fd, path, data, len, mode, err) != 0) {
		(void)unlink(path);
		return -1;
	}
	return file_sync_folder(path, err);
}

static int
make_folder(const char *path, struct err *err)
{
	struct stat st;
	int why;

	if (mkdir(path, PARENT_MODE) == 0)
		return file_sync_folder(path, err);
	why = errno;
	if (stat(path, &st) != 0)
		return err_set(err, "%s: cannot be created: %s", path,
		    strerror(why));
	if (!S_ISDIR(st.st_mode))
		return err_set(err, "%s: not a directory", path);
	return 0;
}

int
file_parents(const char *path, struct err *err)
{
	char *part = xstrdup(path);
	int rc = 0;

	for (char *s = strchr(part, '/'); s != NULL && rc == 0;
	     s = strchr(s + 1, '/')) {
		if (s == part || s[-1] == '/')
			continue;
		*s = '\0';
		rc = make_folder(part, err);
		*s = '/';
	}
	free(part);
	return rc;
}

bool
file_wants_shell(const char *path)
{
	static const char known[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789_";
	const bool braced = strncmp(path, "${", 2) == 0;
	const char *name, *end;

	if (path[0] == '~')
		return path[1] == '\0' ||
		    path[1 + strcspn(path + 1, "/")] == '/';
	if (path[0] != '$')
		return false;
	name = path + (braced ? 2 : 1);
	end = name + strspn(name, known);
	return end > name && strchr("0123456789", *name) == NULL &&
	    (*end == '\0' || *end == (braced ? '}' : '/'));
}

char *
file_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	return xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}

bool
file_mounted_to_read(const char *path)
{
	char *folder = file_folder(path);
	struct statvfs fs;
	bool so = statvfs(folder, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0;

	free(folder);
	return so;
}
