/*
 * test_crash.c - a process that is killed at any moment, and a disk that is
 * full, lose and repeat nothing in the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "store/batch.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/line.h"
#include "store/position.h"
#include "store/store.h"
#include "store/write_batch.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define FEED "contoso/Audit.Exchange"
#define PAGE 20 /* events of a page, which repeats half of the one before */
#define KILLS 12

static char dir[64];
static char path[128];
static struct err err;

static void
set_up(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	err_clear(&err);
}

static void
tear_down(void)
{
	store_help_end(dir);
}

static struct feed *
open_feed(struct store **s)
{
	static const char *const names[] = { "siem" };
	struct feed *f;

	*s = store_open(path, STORE_DURABLE, &err);
	if (*s == NULL || position_set_outputs(*s, names, 1, &err) != 0)
		return NULL;
	f = feed_open(*s, FEED, CLOCK_DAY, &err);
	if (f == NULL)
		store_close(*s);
	return f;
}

/* Add a page of events to p; the cursor counts pages. */
static void
add_page(struct write_batch *p, int page)
{
	char data[64], id[32], cursor[32];

	for (int i = 0; i < PAGE; i++) {
		const int n = page * PAGE / 2 + i;
		struct slice slice = { .data = id };

		(void)snprintf(id, sizeof(id), "event-%d", n);
		(void)snprintf(data, sizeof(data), "{\"n\":%d}", n);
		slice.len = strlen(id);
		if (write_batch_add(p, data, strlen(data), slice, n, NULL) != 0)
			abort();
	}
	(void)snprintf(cursor, sizeof(cursor), "%d", page + 1);
	write_batch_cursor(p, cursor);
}

/* Collect and seal page after page, until killed; say each on fd. */
static _Noreturn void
work(int fd)
{
	struct store *s;
	struct feed *f = open_feed(&s);
	char *cursor;
	int page;

	if (f == NULL)
		_exit(1);
	cursor = feed_cursor(f);
	page = atoi(cursor);
	for (;; page++) {
		struct write_batch *p = write_batch_new(f);

		add_page(p, page);
		if (feed_commit(p, NULL, NULL) != 0 ||
		    write(fd, &page, sizeof(page)) != sizeof(page))
			_exit(1);
		write_batch_free(p);
		if (store_help_seal(s, NULL) < 0)
			_exit(1);
	}
}

/* Read all events; they are 0, 1, 2 … in turn, none twice.  How many. */
static int
check_events(struct store *s)
{
	struct buf lines = BUF_INIT(1 << 20);
	struct gzip *g = gzip_new();
	struct batch b;
	int n = 0;

	while (store_help_seal(s, &err) == 1)
		;
	batch_init(&b);
	while (batch_next_sealed(s, b.id, &b, &err) == 1) {
		char *at, *lf;

		buf_clear(&lines);
		ck_assert_int_eq(gzip_unpack(g, b.payload.data, b.payload.len,
				     &lines, &err),
		    0);
		for (at = lines.data; *at != '\0'; at = lf + 1) {
			char want[32];
			struct line l;

			lf = strchr(at, '\n');
			ck_assert_int_eq(line_parse(at, (size_t)(lf - at), &l),
			    0);
			ck_assert_uint_eq(l.number, (uint64_t)n);
			(void)snprintf(want, sizeof(want), "{\"n\":%d}", n);
			ck_assert_uint_eq(l.value.len, strlen(want));
			ck_assert_mem_eq(l.value.data, want, l.value.len);
			n++;
		}
	}
	batch_release(&b);
	gzip_free(g);
	buf_release(&lines);
	return n;
}

/* Kill it after a while, at any moment; the last page it said is there. */
static void
kill_once(long ns)
{
	struct timespec nap = { .tv_nsec = ns };
	int fd[2], page = -1, last = -1, n;
	struct store *s;
	struct feed *f;
	char *cursor;
	pid_t pid;

	ck_assert_int_eq(pipe(fd), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		work(fd[1]);
	(void)close(fd[1]);
	/* At work. */
	ck_assert_int_eq(read(fd[0], &last, sizeof(last)), sizeof(last));
	(void)nanosleep(&nap, NULL);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	while (read(fd[0], &page, sizeof(page)) == sizeof(page))
		last = page;
	(void)close(fd[0]);
	f = open_feed(&s);
	ck_assert_msg(f != NULL, "%s", err.text);
	cursor = feed_cursor(f);
	/* What it said is durable; what it did not say may be. */
	ck_assert_int_ge(atoi(cursor), last + 1);
	ck_assert_int_le(atoi(cursor), last + 2);
	n = check_events(s);
	ck_assert_int_eq(n, (atoi(cursor) + 1) * PAGE / 2);
	free(cursor);
	feed_close(f);
	store_close(s);
}

START_TEST(killed)
{
	srand48((long)getpid());
	for (int i = 0; i < KILLS; i++)
		kill_once(lrand48() % 30000000);
}
END_TEST

/* A page that is not compressed to nothing. */
static void
add_noise(struct write_batch *p, int from)
{
	char data[600];

	for (int i = 0; i < 100; i++) {
		size_t n = (size_t)snprintf(data, sizeof(data), "{\"n\":%d,\"",
		    from + i);

		while (n < 500)
			data[n++] = (char)('a' + lrand48() % 26);
		memcpy(data + n, "\":1}", 5);
		ck_assert_int_eq(write_batch_add(p, data, strlen(data),
				     (struct slice){ .data = NULL }, 1, &err),
		    0);
	}
}

/* A limit on the size of files stands in for a full disk: commits fail, change
 * nothing, and succeed when there is room again; what makes room works all the
 * time. */
static void
fill_up(void)
{
	struct rlimit all, few = { .rlim_cur = 6 << 20 };
	struct output_state state = { .mode = "x" };
	struct position pos = { .batch = 0 };
	int failed = 0, committed = 0;
	struct store *s;
	struct feed *f = open_feed(&s);
	struct write_batch *p = write_batch_new(f);
	struct batch b;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &all), 0);
	few.rlim_max = all.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &few), 0);
	add_noise(p, 0);
	while (failed < 3) {
		struct err why = ERR_INIT;

		if (feed_commit(p, NULL, &why) == 0) {
			committed++;
			add_noise(p, committed * 100);
			ck_assert_int_lt(committed, 1000);
			continue;
		}
		failed++;
		ck_assert_str_ne(why.text, "");
		ck_assert_uint_eq(write_batch_events(p), 100);
	}
	ck_assert_int_gt(committed, 20);
	/* Room is made although there is none. */
	batch_init(&b);
	for (int tries = 0; batch_next_sealed(s, b.id, &b, &err) == 1 ||
	     (tries++ < 5 && store_help_seal(s, &err) != 0);)
		err_clear(&err);
	err_clear(&err);
	pos.batch = b.id;
	for (int tries = 0; pos.batch > 0 && tries < 5; tries++) {
		err_clear(&err);
		if (position_move(s, "siem", &pos, &state, &err) == 0 &&
		    store_clean(s, 0, &err) == 0)
			break;
	}
	ck_assert_str_eq(err.text, "");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
	ck_assert_msg(feed_commit(p, NULL, &err) == 0, "%s", err.text);
	while (store_help_seal(s, &err) == 1)
		;
	ck_assert_str_eq(err.text, "");
	ck_assert_int_eq(batch_next_sealed(s, b.id, &b, &err), 1);
	batch_release(&b);
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}

START_TEST(no_room)
{
	fill_up();
}
END_TEST

Suite *
suite_crash(void)
{
	Suite *s = suite_create("crash");
	TCase *tc = tcase_create("crash");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, killed);
	tcase_add_test(tc, no_room);
	suite_add_tcase(s, tc);
	return s;
}
