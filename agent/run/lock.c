/*
 * lock.c - one agent a store.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "run/lock.h"
#include "store/store.h"

static int
lock_fd(int fd, const char *name, int64_t until, struct err *err)
{
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return err_set(err, "%s: cannot be locked: %s", name,
			    strerror(errno));
		if (clock_monotonic() >= until)
			return err_set(err,
			    "%s: another sealfeed is running on this store; "
			    "stop it or set another agent.store.path",
			    name);
		(void)poll(NULL, 0, 50);
	}
	return 0;
}

/* Lock the database, where there is one. */
static int
lock_file(struct store_lock *l, const char *real, int64_t until,
    struct err *err)
{
	int fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return 0; /* what is wrong with it, opening the store tells */
	if (lock_fd(fd, real, until, err) != 0) {
		(void)close(fd);
		return -1;
	}
	if (l->file >= 0)
		(void)close(l->file);
	l->file = fd;
	return 0;
}

static int
lock_name(struct store_lock *l, const char *real, int64_t until,
    struct err *err)
{
	char *name = xasprintf("%s.lock", real);
	int rc = -1;

	l->name = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (l->name < 0)
		(void)err_set(err,
		    "%s: %s; the agent's user must be able to write into the "
		    "store's folder",
		    name, strerror(errno));
	else
		rc = lock_fd(l->name, name, until, err);
	free(name);
	return rc;
}

int
lock_store(struct store_lock *l, const char *path, int64_t wait,
    struct err *err)
{
	const int64_t until = clock_monotonic() + wait;
	char *real;
	int rc;

	*l = (struct store_lock){ .name = -1, .file = -1 };
	if (file_parents(path, err) != 0)
		return -1;
	real = store_real_path(path);
	rc = lock_name(l, real, until, err);
	if (rc == 0)
		rc = lock_file(l, real, until, err);
	free(real);
	if (rc != 0)
		lock_release(l);
	return rc;
}

int
lock_again(struct store_lock *l, const char *path, struct err *err)
{
	char *real = store_real_path(path);
	struct stat held, now;
	int rc = 0;

	if (stat(real, &now) == 0 &&
	    (l->file < 0 || fstat(l->file, &held) != 0 ||
		held.st_ino != now.st_ino || held.st_dev != now.st_dev))
		rc = lock_file(l, real, clock_monotonic(), err);
	free(real);
	return rc;
}

/* Has somebody locked the file of that name?  1, 0, -1.  A shared lock: two
 * that look do not see each other. */
static int
is_locked(const char *name)
{
	int fd = open(name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	int rc = fd < 0 && errno != ENOENT ? -1 : 0;

	if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0)
		rc = errno == EWOULDBLOCK ? 1 : -1;
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* The database is looked at where its name is free only: an agent locks it a
 * second time, and must not be in its own way. */
static int
look(const char *path, bool *elsewhere)
{
	char *real = store_real_path(path);
	char *name = xasprintf("%s.lock", real);
	int rc = is_locked(name);

	*elsewhere = rc == 0 && is_locked(real) == 1;
	free(name);
	free(real);
	return *elsewhere ? 1 : rc;
}

int
lock_is_held(const char *path)
{
	bool elsewhere;

	return look(path, &elsewhere);
}

bool
lock_is_elsewhere(const char *path)
{
	bool elsewhere;

	(void)look(path, &elsewhere);
	return elsewhere;
}

void
lock_release(struct store_lock *l)
{
	if (l->name >= 0)
		(void)close(l->name);
	if (l->file >= 0)
		(void)close(l->file);
	*l = (struct store_lock){ .name = -1, .file = -1 };
}
