/*
 * kill_vfs.c - a file system for SQLite whose n-th change of a file ends the
 * process, or fails.
 */
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tests/unit/kill_vfs.h"
#include "tests/unit/unit.h"

/* The file of the real VFS stands behind ours. */
struct file {
	sqlite3_file base;
	sqlite3_file *real;
};

static sqlite3_vfs vfs;
static sqlite3_vfs *real_vfs;
static enum kill_how kind;
static int left;

/* Is this change the one, or one after it? */
static int
hit(void)
{
	if (--left > 0)
		return SQLITE_OK;
	if (kind == KILL_PROCESS)
		(void)kill(getpid(), SIGKILL);
	return SQLITE_IOERR;
}

static sqlite3_file *
real(sqlite3_file *f)
{
	return ((struct file *)(void *)f)->real;
}

#define M(f) real(f)->pMethods
#define PASS(name, args, call)     \
	static int name args       \
	{                          \
		return M(f)->call; \
	}
#define CHANGE(name, args, call)                          \
	static int name args                              \
	{                                                 \
		int rc = hit();                           \
                                                          \
		return rc != SQLITE_OK ? rc : M(f)->call; \
	}

PASS(x_close, (sqlite3_file * f), xClose(real(f)))
PASS(x_read, (sqlite3_file * f, void *to, int n, sqlite3_int64 at),
    xRead(real(f), to, n, at))
CHANGE(x_write, (sqlite3_file * f, const void *from, int n, sqlite3_int64 at),
    xWrite(real(f), from, n, at))
CHANGE(x_truncate, (sqlite3_file * f, sqlite3_int64 n), xTruncate(real(f), n))
CHANGE(x_sync, (sqlite3_file * f, int flags), xSync(real(f), flags))
PASS(x_size, (sqlite3_file * f, sqlite3_int64 *n), xFileSize(real(f), n))
PASS(x_lock, (sqlite3_file * f, int how), xLock(real(f), how))
PASS(x_unlock, (sqlite3_file * f, int how), xUnlock(real(f), how))
PASS(x_reserved, (sqlite3_file * f, int *out), xCheckReservedLock(real(f), out))
PASS(x_control, (sqlite3_file * f, int op, void *arg),
    xFileControl(real(f), op, arg))
PASS(x_sector, (sqlite3_file * f), xSectorSize(real(f)))
PASS(x_traits, (sqlite3_file * f), xDeviceCharacteristics(real(f)))
PASS(x_shm_map, (sqlite3_file * f, int i, int n, int more, void volatile **to),
    xShmMap(real(f), i, n, more, to))
PASS(x_shm_lock, (sqlite3_file * f, int at, int n, int flags),
    xShmLock(real(f), at, n, flags))
PASS(x_shm_unmap, (sqlite3_file * f, int gone), xShmUnmap(real(f), gone))

static void
x_shm_barrier(sqlite3_file *f)
{
	M(f)->xShmBarrier(real(f));
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = x_close,
	.xRead = x_read,
	.xWrite = x_write,
	.xTruncate = x_truncate,
	.xSync = x_sync,
	.xFileSize = x_size,
	.xLock = x_lock,
	.xUnlock = x_unlock,
	.xCheckReservedLock = x_reserved,
	.xFileControl = x_control,
	.xSectorSize = x_sector,
	.xDeviceCharacteristics = x_traits,
	.xShmMap = x_shm_map,
	.xShmLock = x_shm_lock,
	.xShmBarrier = x_shm_barrier,
	.xShmUnmap = x_shm_unmap,
};

static int
x_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct file *file = (struct file *)(void *)f;
	int rc;

	(void)v;
	file->real = (sqlite3_file *)(void *)(file + 1);
	file->real->pMethods = NULL;
	rc = real_vfs->xOpen(real_vfs, name, file->real, flags, out);
	f->pMethods = file->real->pMethods == NULL ? NULL : &methods;
	return rc;
}

void
kill_vfs(enum kill_how how, int n)
{
	kind = how;
	left = n;
	real_vfs = sqlite3_vfs_find(NULL);
	vfs = *real_vfs;
	vfs.zName = "kill";
	vfs.szOsFile += (int)sizeof(struct file);
	vfs.xOpen = x_open;
	ck_assert_int_eq(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}
