/*
 * fault.c - makes the n-th call of a library function fail, once.
 *
 * Preloaded into the agent (LD_PRELOAD).  The environment says which:
 *
 *   SEALFEED_FAULT_CALL   write, pwrite, fsync, mmap or malloc
 *   SEALFEED_FAULT_ROLE   name of the process as in /proc/PID/comm
 * ("sf-collect") SEALFEED_FAULT_NTH    which call of that process, from 1
 *   SEALFEED_FAULT_ERRNO  what it fails with (number; default EIO, ENOMEM for
 * mmap) SEALFEED_FAULT_FIRED  file that is made when it happens: it happens
 * once, whoever is started again afterwards SEALFEED_FAULT_COUNT  without
 * SEALFEED_FAULT_CALL: file to which each process, when it ends, appends lines
 * "CALL NTH ROLE" (the role with blanks as it has them), one for each call; of
 * malloc only the first of each call stack, since the others say nothing new
 *
 * mmap counts those of files and shared memory, not of the allocator.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* Call stacks that are told apart, by so many of their frames. */
#define STACKS 16384 /* a power of two */
#define FRAMES 12
#define OWN_FRAMES 3

enum call {
	CALL_WRITE,
	CALL_PWRITE,
	CALL_FSYNC,
	CALL_MMAP,
	CALL_MALLOC,
	CALLS
};

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
static atomic_long counted[CALLS];
static atomic_int counted_pid; /* whose calls counted is about */

static struct {
	_Atomic uint64_t stack; /* 0: free */
	long nth;
} stacks[STACKS];
static _Thread_local bool looking; /* at the stack */

__attribute__((constructor)) static void
begin(void)
{
	const char *call = getenv("SEALFEED_FAULT_CALL");
	const char *text;
	void *frame[2];

	for (int i = 0; call != NULL && i < CALLS; i++) {
		if (strcmp(call, calls[i].name) == 0)
			chosen = i;
	}
	if (chosen == -1) {
		count_file = getenv("SEALFEED_FAULT_COUNT");
		(void)backtrace(frame, 2); /* loads what it needs */
		return;
	}
	text = getenv("SEALFEED_FAULT_NTH");
	nth = text == NULL ? 0 : atol(text);
	text = getenv("SEALFEED_FAULT_ERRNO");
	error = text == NULL ? calls[chosen].error : atoi(text);
	role = getenv("SEALFEED_FAULT_ROLE");
	fired = getenv("SEALFEED_FAULT_FIRED");
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

/* Note where an allocation comes from, if it is the first from there. */
static void
note_stack(long n)
{
	void *frame[FRAMES + OWN_FRAMES];
	uint64_t hash = 14695981039346656037u, none;
	int depth, saved = errno;

	if (looking)
		return;
	looking = true;
	depth = backtrace(frame, FRAMES + OWN_FRAMES);
	for (int i = OWN_FRAMES; i < depth; i++)
		hash = (hash ^ (uintptr_t)frame[i]) * 1099511628211u;
	hash |= 1;
	for (size_t i = 0; i < STACKS; i++) {
		size_t at = (hash + i) % STACKS;

		none = 0;
		if (atomic_compare_exchange_strong(&stacks[at].stack, &none,
			hash))
			stacks[at].nth = n;
		if (none == 0 || none == hash)
			break;
	}
	looking = false;
	errno = saved;
}

static bool
fails(enum call call)
{
	int pid = (int)getpid();
	long n;

	if (count_file == NULL && (int)call != chosen)
		return false;
	if (atomic_exchange(&counted_pid, pid) != pid) {
		for (int i = 0; i < CALLS; i++)
			atomic_store(&counted[i], 0);
		memset(stacks, 0, sizeof(stacks));
	}
	n = atomic_fetch_add(&counted[call], 1) + 1;
	if (count_file != NULL && call == CALL_MALLOC)
		note_stack(n);
	if (count_file != NULL || n != nth || !in_role() || !only_once())
		return false;
	errno = error;
	return true;
}

static void
put(long fd, enum call call, long n, const char *who)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "%s %ld %s\n", calls[call].name,
	    n, who);

	(void)syscall(SYS_write, fd, line, (size_t)len);
}

__attribute__((destructor)) static void
end(void)
{
	char who[16] = "";
	long fd, last[CALLS];

	if (count_file == NULL || prctl(PR_GET_NAME, who) != 0)
		return;
	for (int i = 0; i < CALLS; i++)
		last[i] = atomic_load(&counted[i]);
	fd = syscall(SYS_openat, AT_FDCWD, count_file,
	    O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	for (int i = 0; i < CALL_MALLOC; i++) {
		for (long n = 1; n <= last[i]; n++)
			put(fd, (enum call)i, n, who);
	}
	for (size_t i = 0; i < STACKS; i++) {
		if (stacks[i].nth > 0)
			put(fd, CALL_MALLOC, stacks[i].nth, who);
	}
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
