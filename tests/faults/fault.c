/*
 * fault.c - makes the n-th call of a library function fail, once.
 *
 * Preloaded into the agent (LD_PRELOAD).  The environment says which:
 *
 *   FAULT_CALL   write, pwrite, fsync, mmap or malloc
 *   FAULT_ROLE   name of the process as in /proc/PID/comm ("sf-collect")
 *   FAULT_NTH    which call of that process, from 1
 *   FAULT_ERRNO  what it fails with (number; default EIO, ENOMEM for mmap)
 *   FAULT_FIRED  file that is made when it happens: it happens once, whoever
 *                is started again afterwards
 *   FAULT_COUNT  file to which each process appends its number of calls when
 *                it ends, so that a run without a fault says how far n goes
 *
 * mmap counts those of files and shared memory, not of the allocator.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum call { CALL_WRITE, CALL_PWRITE, CALL_FSYNC, CALL_MMAP, CALL_MALLOC,
	CALLS };

static const struct {
	const char *name;
	int error;
} calls[] = {
	[CALL_WRITE] = { "write", EIO },
	[CALL_PWRITE] = { "pwrite", EIO },
	[CALL_FSYNC] = { "fsync", EIO },
	[CALL_MMAP] = { "mmap", ENOMEM },
	[CALL_MALLOC] = { "malloc", ENOMEM },
};
_Static_assert(sizeof(calls) / sizeof(calls[0]) == CALLS, "a row a call");

static int chosen = -1; /* enum call */
static int error;
static long nth;
static const char *role, *fired, *count_file;
static atomic_long counted;
static atomic_int counted_pid; /* whose calls counted is about */

__attribute__((constructor)) static void
begin(void)
{
	const char *call = getenv("FAULT_CALL");
	const char *text;

	for (int i = 0; call != NULL && i < CALLS; i++) {
		if (strcmp(call, calls[i].name) == 0)
			chosen = i;
	}
	if (chosen == -1)
		return;
	text = getenv("FAULT_NTH");
	nth = text == NULL ? 0 : atol(text);
	text = getenv("FAULT_ERRNO");
	error = text == NULL ? calls[chosen].error : atoi(text);
	role = getenv("FAULT_ROLE");
	fired = getenv("FAULT_FIRED");
	count_file = getenv("FAULT_COUNT");
}

static bool
in_role(void)
{
	char name[16] = "";

	if (role == NULL || prctl(PR_GET_NAME, name) != 0)
		return role == NULL;
	return strcmp(name, role) == 0;
}

/* Raw system calls: the wrapped functions would count themselves. */
static bool
only_once(void)
{
	long fd;

	if (fired == NULL)
		return true;
	fd = syscall(SYS_openat, AT_FDCWD, fired,
	    O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	(void)syscall(SYS_close, fd);
	return true;
}

static bool
fails(enum call call)
{
	int pid = (int)getpid();

	if ((int)call != chosen || !in_role())
		return false;
	if (atomic_exchange(&counted_pid, pid) != pid)
		atomic_store(&counted, 0);
	if (atomic_fetch_add(&counted, 1) + 1 != nth || !only_once())
		return false;
	errno = error;
	return true;
}

__attribute__((destructor)) static void
end(void)
{
	char line[64];
	long fd;
	int n;

	if (count_file == NULL || chosen == -1 || !in_role())
		return;
	n = snprintf(line, sizeof(line), "%ld\n", atomic_load(&counted));
	fd = syscall(SYS_openat, AT_FDCWD, count_file,
	    O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 || n <= 0)
		return;
	(void)syscall(SYS_write, fd, line, (size_t)n);
	(void)syscall(SYS_close, fd);
}

ssize_t
write(int fd, const void *data, size_t len)
{
	/* Standard error stays, or nobody would hear of it. */
	if (fd != STDERR_FILENO && fails(CALL_WRITE))
		return -1;
	return syscall(SYS_write, fd, data, len);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	if (fails(CALL_PWRITE))
		return -1;
	return syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t
pwrite64(int fd, const void *data, size_t len, off_t at)
{
	return pwrite(fd, data, len, at);
}

int
fsync(int fd)
{
	if (fails(CALL_FSYNC))
		return -1;
	return (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	if (fails(CALL_FSYNC))
		return -1;
	return (int)syscall(SYS_fdatasync, fd);
}

void *
mmap(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	if ((flags & MAP_ANONYMOUS) == 0 && fails(CALL_MMAP))
		return MAP_FAILED;
	/* The system call returns the address as a long. */
	return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, off);
}

void *
mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	return mmap(at, len, prot, flags, fd, off);
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

void *
malloc(size_t size)
{
	return fails(CALL_MALLOC) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails(CALL_MALLOC) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	return fails(CALL_MALLOC) ? NULL : __libc_realloc(p, size);
}
