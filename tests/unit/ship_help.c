/*
 * ship_help.c - the ship role in a process of its own, as it is in life, on a
 * real store.
 */
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/role.h"
#include "base/wake.h"
#include "config/config.h"
#include "ship/ship.h"
#include "store/batch.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/write_batch.h"
#include "tests/unit/fake_output.h"
#include "tests/unit/ship_help.h"
#include "tests/unit/store_help.h"
#include "tests/unit/trial_dialect.h"
#include "tests/unit/unit.h"

#define DEADLINE (60 * CLOCK_SECOND)

struct ship_rig ship_rig;

void
ship_help_begin(void)
{
	static const char *const names[] = { "siem" };
	struct store *s;

	store_help_begin(ship_rig.dir, sizeof(ship_rig.dir), ship_rig.path,
	    sizeof(ship_rig.path));
	(void)snprintf(ship_rig.received, sizeof(ship_rig.received),
	    "%s/received", ship_rig.dir);
	(void)snprintf(ship_rig.sent, sizeof(ship_rig.sent), "%s/sent",
	    ship_rig.dir);
	err_clear(&ship_rig.err);
	(void)snprintf(ship_rig.cured, sizeof(ship_rig.cured), "%s/cured",
	    ship_rig.dir);
	fake_script = (struct fake_script){ .received = ship_rig.received,
		.sent = ship_rig.sent,
		.max = 1 << 20,
		.run = 1 };
	s = store_open(ship_rig.path, STORE_DURABLE, &ship_rig.err);
	ck_assert_msg(s != NULL, "%s", ship_rig.err.text);
	ck_assert_msg(position_set_outputs(s, names, 1, &ship_rig.err) == 0,
	    "%s", ship_rig.err.text);
	store_close(s);
}

void
ship_help_end(void)
{
	store_help_end(ship_rig.dir);
}

/* Commit and seal batches of so many events each; those from number bad on, a
 * run of them, carry word. */
void
ship_help_fill(int batches, int events, int bad, const char *word)
{
	struct store *s =
	    store_open(ship_rig.path, STORE_DURABLE, &ship_rig.err);
	struct feed *f = feed_open(s, SHIP_FEED, 0, &ship_rig.err);
	struct write_batch *p = write_batch_new(f);
	struct commit_result res;
	struct slice none = { .data = NULL };
	char text[128];

	for (int n = 0; n < batches * events; n++) {
		(void)snprintf(text, sizeof(text), "{\"n\":%d,\"w\":\"%s\"}",
		    fake_script.base + n,
		    n >= bad && n < bad + fake_script.run ? word : "");
		ck_assert_int_eq(write_batch_add(p, text, strlen(text), none,
				     CLOCK_DAY, &ship_rig.err),
		    0);
		if ((n + 1) % events == 0)
			ck_assert_int_eq(feed_commit(p, &res, &ship_rig.err),
			    0);
	}
	while (store_help_seal(s, &ship_rig.err) == 1)
		continue;
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}

/* The role's process. */
static void
child(int wake, struct role_signs *signs)
{
	static const int peers[] = { -1 };
	static char agent[] = "fra1", siem[] = "siem";
	struct config config = { .agent.name = agent };
	struct config_entry output = { .name = siem,
		.type = &fake_output.type };
	struct trial_conf trial = { .http.url = ship_rig.receiver,
		.http.parallel = 2,
		.http.max_body = 1 << 20,
		.http.common.timeout = UNIT_TIMEOUT,
		.poll_every = CLOCK_SECOND / 50,
		.poll_timeout = CLOCK_MINUTE,
		.path = "/bulk",
		.header = "7c" };
	struct role role = { .kind = ROLE_SHIP,
		.config = &config,
		.output = &output,
		.wake_fd = wake,
		.signs = signs,
		.peers = peers };

	if (ship_rig.receiver[0] != '\0') {
		output.type = &output_trial.type;
		output.conf = &trial;
	}
	if (ship_rig.type != NULL) {
		output.type = &ship_rig.type->type;
		output.conf = (void *)(uintptr_t)ship_rig.conf;
	}
	config.agent.retain = CLOCK_DAY;
	config.agent.store.path = ship_rig.path;
	role_signals(&role);
	_exit(ship_run(&role));
}

/* Run the role until wanted holds, then end it with the signal how. */
void
ship_help_until_then(ship_wanted_fn *wanted, int how)
{
	int wake = wake_make(), status = -1;
	struct role_signs *signs = mmap(NULL, sizeof(*signs),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t until = clock_monotonic() + DEADLINE;
	struct store *s;
	pid_t pid;

	ck_assert_ptr_ne(signs, MAP_FAILED);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		child(wake, signs);
	/* Then its signals are set up. */
	while (signs->alive == 0) {
		ck_assert_msg(clock_monotonic() < until, "not in time");
		(void)poll(NULL, 0, 5);
	}
	s = store_open(ship_rig.path, STORE_READ, &ship_rig.err);
	ck_assert_msg(s != NULL, "%s", ship_rig.err.text);
	while (!wanted(s)) {
		ck_assert_msg(clock_monotonic() < until, "not in time");
		(void)poll(NULL, 0, 5);
	}
	store_close(s);
	ck_assert_int_eq(kill(pid, how), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WIFEXITED(status), how == SIGTERM);
	ck_assert(how != SIGTERM || WEXITSTATUS(status) == 0);
	(void)close(wake);
	(void)munmap(signs, sizeof(*signs));
}

void
ship_help_until(ship_wanted_fn *wanted)
{
	ship_help_until_then(wanted, SIGTERM);
}

/* Nothing is left beyond the position. */
bool
ship_help_all_settled(struct store *s)
{
	struct position pos;
	struct batch b;
	int rc;

	ck_assert_int_eq(position_read(s, "siem", &pos, NULL, NULL,
			     &ship_rig.err),
	    0);
	batch_init(&b);
	rc = batch_next_sealed(s, pos.batch, &b, &ship_rig.err);
	batch_release(&b);
	ck_assert_int_ge(rc, 0);
	return rc == 0;
}

/* How often each number in [0, n) was received; other lines, checkpoints, are
 * counted at n. */
void
ship_help_count(int n, int *times)
{
	FILE *f = fopen(ship_rig.received, "r");
	char line[4096];
	const char *at;

	memset(times, 0, sizeof(*times) * (size_t)(n + 1));
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		at = strstr(line, "{\"n\":");
		times[at == NULL ? n : atoi(at + 5)]++;
	}
	if (f != NULL)
		(void)fclose(f);
}

void
ship_help_each_once(int n, int but, int checkpoints)
{
	int *times = calloc((size_t)n + 1, sizeof(*times));

	ship_help_count(n, times);
	for (int i = 0; i < n; i++)
		ck_assert_msg(times[i] == (i == but ? 0 : 1),
		    "event %d came %d times", i, times[i]);
	ck_assert_int_eq(times[n], checkpoints);
	free(times);
}

/* The only dead letter, or none when index is -1. */
void
ship_help_one_letter(int index, const char *reason, size_t len)
{
	struct store *s = store_open(ship_rig.path, STORE_READ, &ship_rig.err);
	struct dead_letter d = { .id = 0 };
	int rc;

	buf_init(&d.event, 4096);
	rc = dead_letter_next(s, "siem", 0, &d, &ship_rig.err);
	ck_assert_int_eq(rc, index < 0 ? 0 : 1);
	if (rc == 1) {
		ck_assert_uint_eq(d.index, (uint64_t)index);
		ck_assert_ptr_nonnull(strstr(d.reason, reason));
		ck_assert_uint_eq(d.event.len, len);
		ck_assert_str_eq(d.feed, SHIP_FEED);
		ck_assert_int_eq(dead_letter_next(s, "siem", d.id, &d,
				     &ship_rig.err),
		    0);
	}
	buf_release(&d.event);
	store_close(s);
}

void
ship_help_sql(const char *text)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(ship_rig.path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK,
	    "%s", sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

size_t
ship_help_chunks_sent(void)
{
	FILE *f = fopen(ship_rig.sent, "r");
	size_t n = 0;
	int c;

	ck_assert_ptr_nonnull(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	(void)fclose(f);
	return n;
}
