/*
 * compact.c - a smaller store file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/human.h"
#include "base/mem.h"
#include "store/compact.h"
#include "store/db.h"
#include "store/store.h"

#define STEP "PRAGMA incremental_vacuum(128)" /* 2 MiB */
#define NAP 5000000                           /* ns between two steps */
#define SLACK (16 << 20)

static int64_t
size_of(const char *path)
{
	char *wal = xasprintf("%s-wal", path);
	struct stat st;
	int64_t bytes = stat(path, &st) == 0 ? st.st_size : 0;

	if (stat(wal, &st) == 0)
		bytes += st.st_size;
	free(wal);
	return bytes;
}

/* One step, which leaves *left free pages. */
static int
give_back(struct store *s, int64_t *left, struct err *err)
{
	int rc;

	db_lock(s);
	rc = db_exec(s, STEP, err);
	if (rc == 0)
		rc = db_number(s, err, 0, left, "PRAGMA freelist_count", "");
	db_unlock(s);
	return rc;
}

int
compact_running(struct store *s, struct compact *c, struct err *err)
{
	const struct timespec nap = { .tv_nsec = NAP };
	int64_t left = INT64_MAX, before;

	c->before = size_of(s->path);
	do {
		before = left;
		if (give_back(s, &left, err) != 0)
			return -1;
		(void)nanosleep(&nap, NULL);
	} while (left > 0 && left < before);
	/* Where a reader holds it up, the agent cuts the WAL later. */
	db_lock(s);
	(void)db_checkpoint(s, true);
	db_unlock(s);
	c->after = size_of(s->path);
	return 0;
}

/* Is there room for a copy of what the store holds? */
static int
have_room(struct store *s, struct err *err)
{
	char a[HUMAN_TEXT], b[HUMAN_TEXT];
	struct store_room room;

	if (store_room_now(s, &room, err) != 0)
		return -1;
	if (room.free >= room.used + SLACK)
		return 0;
	return err_set(err,
	    "%s: to be rewritten it needs %s on its file system, where %s are "
	    "free; make room, or compact it while the agent runs, which needs "
	    "none",
	    s->path, human_bytes(a, (uint64_t)(room.used + SLACK)),
	    human_bytes(b, (uint64_t)room.free));
}

/* VACUUM alone would build its copy in memory, since that is where the store
 * keeps what is temporary. */
static int
rewrite(struct store *s, const char *fresh, struct err *err)
{
	struct stat old;
	int fd, rc;

	db_lock(s);
	rc = db_checkpoint(s, true) ? 0
				    : err_set(err,
					  "%s: another program reads it; end "
					  "that first",
					  s->path);
	if (rc == 0)
		rc = db_run(s, err, "VACUUM INTO ?", "t", fresh);
	db_unlock(s);
	if (rc != 0)
		return -1;
	fd = file_open_regular(fresh, O_RDWR, err);
	if (fd < 0)
		return -1;
	if (stat(s->path, &old) != 0 || fchmod(fd, old.st_mode & 0777) != 0 ||
	    fsync(fd) != 0)
		rc = err_set(err, "%s: cannot be written: %s", fresh,
		    strerror(errno));
	(void)close(fd);
	return rc;
}

/* Put the new file in the place of the old one, whose WAL is empty. */
static int
exchange(const char *path, const char *fresh, struct err *err)
{
	char *wal = xasprintf("%s-wal", path);
	struct stat st;
	int rc = 0;

	if (stat(wal, &st) == 0 && st.st_size > 0)
		rc = err_set(err,
		    "%s: was written to by another program; stop it first",
		    path);
	else if (rename(fresh, path) != 0)
		rc = err_set(err, "%s: cannot be renamed: %s", fresh,
		    strerror(errno));
	else
		rc = file_sync_folder(path, err);
	free(wal);
	return rc;
}

int
compact_stopped(const char *path, struct compact *c, struct err *err)
{
	struct store *s = store_open(path, STORE_DURABLE, err);
	char *real, *fresh;
	int rc;

	if (s == NULL)
		return -1;
	real = store_real_path(path);
	fresh = xasprintf("%s.compact", real);
	c->before = size_of(real);
	(void)unlink(fresh); /* of one that was killed */
	rc = have_room(s, err);
	if (rc == 0)
		rc = rewrite(s, fresh, err);
	store_close(s);
	if (rc == 0)
		rc = exchange(real, fresh, err);
	if (rc != 0)
		(void)unlink(fresh);
	c->after = size_of(real);
	free(fresh);
	free(real);
	return rc;
}
