/*
 * meter.c - what a program and its children cost while they run.
 *
 *	meter PID MILLISECONDS [FILE…]
 *
 * Every so often a row for each of these processes, until PID is gone or a
 * SIGTERM comes (which asks for a last round):
 *
 *	TIME NAME PID CPU PSS DESCRIPTORS
 *
 * TIME is in seconds since the start; CPU in seconds, user and system; PSS in
 * KiB (proc(5), smaps_rollup: each page shared out among those who map it).
 * NAME is the process's own.  The row "(ended)" has what children that are
 * gone have used.  A FILE has a row "TIME FILE - 0 KIB 0".
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES_MAX 256

static volatile sig_atomic_t stopping;
static double tick; /* seconds */

static void
on_stop(int sig)
{
	(void)sig;
	stopping = 1;
}

static double
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A file of /proc as text; false when the process is gone. */
static bool
read_proc(int pid, const char *name, char *out, size_t size)
{
	char path[128];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	n = read(fd, out, size - 1);
	(void)close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static unsigned long long
pss(int pid)
{
	char text[4096];
	const char *at;

	if (!read_proc(pid, "smaps_rollup", text, sizeof(text)))
		return 0;
	at = strstr(text, "\nPss:");
	return at == NULL ? 0 : strtoull(at + 5, NULL, 10);
}

static unsigned
descriptors(int pid)
{
	char path[64];
	unsigned n = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n < 2 ? 0 : n - 2; /* "." and ".." */
}

/* Fields of stat behind the name: utime, stime, cutime, cstime are the 12th to
 * the 15th. */
static bool
times(int pid, char *name, size_t size, double *own, double *ended)
{
	unsigned long long t[4];
	char text[1024], *open, *close;

	if (!read_proc(pid, "stat", text, sizeof(text)))
		return false;
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (open == NULL || close == NULL ||
	    sscanf(close + 1,
		" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu "
		"%llu %llu",
		&t[0], &t[1], &t[2], &t[3]) != 4)
		return false;
	*close = '\0';
	(void)snprintf(name, size, "%s", open + 1);
	for (char *c = name; *c != '\0'; c++)
		*c = *c == ' ' ? '_' : *c;
	*own = (double)(t[0] + t[1]) * tick;
	*ended = (double)(t[2] + t[3]) * tick;
	return true;
}

/* pid and its children, and theirs. */
static size_t
family(int pid, int *out, size_t n)
{
	char name[64], text[4096], *at = text, *end;

	if (n == PROCESSES_MAX)
		return n;
	out[n++] = pid;
	(void)snprintf(name, sizeof(name), "task/%d/children", pid);
	if (!read_proc(pid, name, text, sizeof(text)))
		return n;
	for (;;) {
		long child = strtol(at, &end, 10);

		if (end == at)
			return n;
		n = family((int)child, out, n);
		at = end;
	}
}

static bool
sample(int root, double at)
{
	int pid[PROCESSES_MAX];
	size_t n = family(root, pid, 0);
	double own, ended, all_ended = 0;
	char name[64];
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!times(pid[i], name, sizeof(name), &own, &ended))
			continue;
		any = true;
		all_ended += ended;
		(void)printf("%.2f %s %d %.2f %llu %u\n", at, name, pid[i], own,
		    pss(pid[i]), descriptors(pid[i]));
	}
	if (any)
		(void)printf("%.2f (ended) - %.2f 0 0\n", at, all_ended);
	return any;
}

static void
sample_file(const char *path, double at)
{
	struct stat st;

	if (stat(path, &st) == 0)
		(void)printf("%.2f %s - 0 %lld 0\n", at, path,
		    (long long)st.st_size / 1024);
}

int
main(int argc, char **argv)
{
	struct timespec nap;
	double begin = now();
	long ms;
	int root;

	if (argc < 3) {
		(void)fprintf(stderr,
		    "usage: meter PID MILLISECONDS "
		    "[FILE]...\n");
		return 64;
	}
	root = (int)strtol(argv[1], NULL, 10);
	ms = strtol(argv[2], NULL, 10);
	nap = (struct timespec){ .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000 };
	tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
	(void)signal(SIGTERM, on_stop);
	for (bool last = false; !last;) {
		double at = now() - begin;

		last = stopping != 0;
		if (!sample(root, at))
			break;
		for (int i = 3; i < argc; i++)
			sample_file(argv[i], at);
		(void)fflush(stdout);
		if (!last)
			(void)nanosleep(&nap, NULL);
	}
	return 0;
}
