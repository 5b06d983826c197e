/*
 * test_reader.c - reading a store of which nothing can be written, as watch
 * does from within its walls, while those who write come and are killed, and
 * as one does where it is mounted so.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "sandbox/landlock.h"
#include "sandbox/plan.h"
#include "store/db.h"
#include "store/store.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define DEADLINE (60 * CLOCK_SECOND)
#define KILLS 12
#define COUNT "SELECT coalesce(max(batch), 0) FROM payload"

static char dir[64], path[128];

/* What the processes let each other see. */
static struct shared {
	_Atomic int64_t payloads; /* as the reader counted them last */
	_Atomic uint64_t reads;
	atomic_bool end; /* of the reader */
	char why[512];
} * shared;

static void
begin(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
}

static void
end(void)
{
	(void)munmap(shared, sizeof(*shared));
	store_help_end(dir);
}

/* Only read the folder from now on, where the kernel can have that. */
static void
only_read(void)
{
	struct place place = { .path = dir, .access = PLACE_READ };
	const struct sandbox_plan plan = { .places = &place, .n_places = 1 };
	struct err err = ERR_INIT;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (landlock_abi() > 0 &&
	    landlock_enter(&plan, landlock_abi(), &err) < 0)
		(void)snprintf(shared->why, sizeof(shared->why), "%s",
		    err.text);
}

/* Count until the end; what goes wrong is in shared->why. */
static _Noreturn void
read_on(void)
{
	struct err err = ERR_INIT;
	struct store *s;
	int64_t n, before = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* As watch does: its index is there before the wall is. */
	store_close(store_open(path, STORE_READ, &err));
	only_read();
	s = store_open(path, STORE_READ, &err);
	while (s != NULL && !shared->end &&
	    db_number(s, &err, -1, &n, COUNT, "") == 0) {
		if (n < before)
			(void)err_set(&err, "%lld payloads, %lld before",
			    (long long)n, (long long)before);
		shared->payloads = before = n;
		shared->reads++;
		(void)poll(NULL, 0, 1);
	}
	(void)snprintf(shared->why, sizeof(shared->why), "%s", err.text);
	store_close(s);
	_exit(0);
}

static int
write_one(struct store *s, struct err *err)
{
	static const char filler[100 * 1024];

	if (db_begin(s, err) != 0)
		return -1;
	return db_end(s,
	    db_run(s, err, "INSERT INTO payload (lines, times) VALUES (?, '')",
		"b", filler, sizeof(filler)),
	    err);
}

/* Write until killed. */
static _Noreturn void
write_on(void)
{
	struct err err = ERR_INIT;
	struct store *s;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	s = store_open(path, STORE_DURABLE, &err);
	while (s != NULL && write_one(s, &err) == 0)
		continue;
	(void)snprintf(shared->why, sizeof(shared->why), "%s", err.text);
	_exit(1);
}

static pid_t
start(void (*what)(void))
{
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		what();
	return pid;
}

static void
kill_it(pid_t pid)
{
	int status;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
}

/* Until the reader has counted that many payloads, that often. */
static void
await(int64_t payloads, uint64_t reads)
{
	const int64_t until = clock_monotonic() + DEADLINE;

	while (shared->payloads < payloads || shared->reads < reads) {
		ck_assert_msg(shared->why[0] == '\0', "%s", shared->why);
		ck_assert_msg(clock_monotonic() < until, "not in time");
		(void)poll(NULL, 0, 2);
	}
}

/* While this process has no store open: a child would take that for its own. */
static pid_t
start_reader(void)
{
	pid_t pid;

	store_close(store_help_open(path, STORE_DURABLE));
	pid = start(read_on);
	await(0, 3);
	return pid;
}

static void
end_reader(pid_t pid)
{
	int status;

	shared->end = true;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_msg(shared->why[0] == '\0', "%s", shared->why);
}

/* It begins alone, and goes on whoever else comes and is killed. */
START_TEST(writers_are_killed)
{
	struct err err = ERR_INIT;
	pid_t reader = start_reader(), writer;
	struct store *s;

	for (int i = 0; i < KILLS; i++) {
		writer = start(write_on);
		await(shared->payloads + 20, shared->reads + 3);
		kill_it(writer);
	}
	/* A reader that rests holds up nobody: all is carried over. */
	s = store_help_open(path, STORE_DURABLE);
	ck_assert_int_eq(write_one(s, &err), 0);
	end_reader(reader);
	ck_assert(db_checkpoint(s, true));
	store_close(s);
}
END_TEST

/* What the end of a writer at the wrong moment leaves of the index.  In a
 * process of its own: closing the file gives up SQLite's locks. */
static _Noreturn void
spoil_index(void)
{
	static const char nothing[96];
	char name[sizeof(path) + 8];
	int fd;

	(void)snprintf(name, sizeof(name), "%s-shm", path);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	_exit(pwrite(fd, nothing, sizeof(nothing), 0) != sizeof(nothing));
}

/* Until the reader, which cannot do that itself, waits for it; it may have one
 * read under way. */
static void
await_rest(void)
{
	const int64_t until = clock_monotonic() + DEADLINE;
	uint64_t reads;

	do {
		ck_assert_msg(clock_monotonic() < until, "it can write");
		reads = shared->reads;
		(void)poll(NULL, 0, 20);
	} while (shared->reads != reads);
}

START_TEST(the_index_is_made_anew)
{
	struct err err = ERR_INIT;
	pid_t reader = start_reader(), pid;
	struct store *s = store_help_open(path, STORE_DURABLE);
	int status;

	for (int i = 1; i <= 10; i++) {
		ck_assert_msg(write_one(s, &err) == 0, "%s", err.text);
		await(i, shared->reads + 2);
		pid = start(spoil_index);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
		if (landlock_abi() > 0)
			await_rest();
	}
	ck_assert_msg(write_one(s, &err) == 0, "%s", err.text);
	await(11, shared->reads + 2);
	end_reader(reader);
	store_close(s);
}
END_TEST

#define NOT_ALLOWED 77

/* Mount the folder for reading only, for this process alone. */
static bool
mount_to_read(void)
{
	const int more = geteuid() == 0 ? 0 : CLONE_NEWUSER;

	return unshare(CLONE_NEWNS | more) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount(dir, dir, NULL, MS_BIND, NULL) == 0 &&
	    mount(NULL, dir, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0;
}

static void
count(int64_t *n)
{
	struct err err = ERR_INIT;
	struct store *s = store_open(path, STORE_READ, &err);

	if (s == NULL || db_number(s, &err, -1, n, COUNT, "") != 0)
		(void)snprintf(shared->why, sizeof(shared->why), "%s",
		    err.text);
	store_close(s);
}

static _Noreturn void
count_where_mounted(void)
{
	int64_t n = -1;

	if (!mount_to_read())
		_exit(NOT_ALLOWED);
	count(&n);
	shared->payloads = n;
	_exit(0);
}

/* Count, in a process that has it mounted so. */
static int
count_mounted(void)
{
	const pid_t pid = start(count_where_mounted);
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_msg(shared->why[0] == '\0', "%s", shared->why);
	return WEXITSTATUS(status);
}

/* Write some, and be killed before all of it is in the file; less than what has
 * the WAL carried over. */
static _Noreturn void
write_some(void)
{
	struct err err = ERR_INIT;
	struct store *s = store_open(path, STORE_DURABLE, &err);

	for (int i = 0; s != NULL && i < 5; i++)
		(void)write_one(s, &err);
	(void)snprintf(shared->why, sizeof(shared->why), "%s", err.text);
	(void)raise(SIGKILL);
	_exit(1);
}

/* Where SQLite cannot make the index of the WAL, and then no WAL. */
START_TEST(a_mount_is_read_whole)
{
	char name[sizeof(path) + 8];
	int64_t n = -1;
	int status, rc;

	ck_assert_int_gt(waitpid(start(write_some), &status, 0), 0);
	ck_assert(WIFSIGNALED(status));
	(void)snprintf(name, sizeof(name), "%s-shm", path);
	ck_assert_int_eq(unlink(name), 0);
	rc = count_mounted();
	ck_assert(rc == 0 || rc == NOT_ALLOWED);
	ck_assert_int_eq(shared->payloads, rc == 0 ? 5 : 0);
	store_close(store_help_open(path, STORE_DURABLE));
	(void)snprintf(name, sizeof(name), "%s-wal", path);
	ck_assert_int_ne(access(name, F_OK), 0);
	shared->payloads = 0;
	ck_assert_int_eq(count_mounted(), rc);
	ck_assert_int_eq(shared->payloads, rc == 0 ? 5 : 0);
	count(&n);
	ck_assert_int_eq(n, 5);
}
END_TEST

Suite *
suite_reader(void)
{
	Suite *s = suite_create("reader");
	TCase *tc = tcase_create("reader");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, writers_are_killed);
	tcase_add_test(tc, the_index_is_made_anew);
	tcase_add_test(tc, a_mount_is_read_whole);
	suite_add_tcase(s, tc);
	return s;
}
