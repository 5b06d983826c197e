/*
 * test_ship.c - the ship role on a real store, against a destination that
 * judges as each test says.
 *
 * The role runs in a process of its own, as it does in life; what it delivers
 * is written to a file that the test reads at the end.
 */
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/role.h"
#include "config/config.h"
#include "delivery/batch_reader.h"
#include "delivery/chunk.h"
#include "ship/ship.h"
#include "store/batch.h"
#include "store/commit.h"
#include "store/feed.h"
#include "store/position.h"
#include "store/replay.h"
#include "store/report.h"
#include "store/store.h"
#include "store/write_batch.h"
#include "tests/unit/canned.h"
#include "tests/unit/fake_output.h"
#include "tests/unit/store_help.h"
#include "tests/unit/trial_dialect.h"
#include "tests/unit/unit.h"

#define FEED "contoso/Audit.Exchange"
#define DEADLINE (60 * CLOCK_SECOND)

static char dir[64];
static char path[128];
static char received[160]; /* what was delivered, a line each */
static char sent[160];     /* what was sent, where lines are judged alone */
static char cured[160];    /* once it is there, nothing is refused */
static char receiver[128]; /* URL, for the dialect of trial_dialect.h */
static struct err err;

static void
set_up(void)
{
	static const char *const names[] = { "siem" };
	struct store *s;

	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	(void)snprintf(received, sizeof(received), "%s/received", dir);
	(void)snprintf(sent, sizeof(sent), "%s/sent", dir);
	err_clear(&err);
	(void)snprintf(cured, sizeof(cured), "%s/cured", dir);
	fake_script = (struct fake_script){
		.received = received, .sent = sent, .max = 1 << 20, .run = 1
	};
	s = store_open(path, STORE_DURABLE, &err);
	ck_assert_msg(s != NULL, "%s", err.text);
	ck_assert_msg(position_set_outputs(s, names, 1, &err) == 0, "%s",
	    err.text);
	store_close(s);
}

static void
tear_down(void)
{
	store_help_end(dir);
}

/* Commit and seal batches of so many events each; those from number bad on, a
 * run of them, carry word. */
static void
fill(int batches, int events, int bad, const char *word)
{
	struct store *s = store_open(path, STORE_DURABLE, &err);
	struct feed *f = feed_open(s, FEED, 0, &err);
	struct write_batch *p = write_batch_new(f);
	struct commit_result res;
	struct slice none = { .data = NULL };
	char text[128];

	for (int n = 0; n < batches * events; n++) {
		(void)snprintf(text, sizeof(text), "{\"n\":%d,\"w\":\"%s\"}",
		    fake_script.base + n,
		    n >= bad && n < bad + fake_script.run ? word : "");
		ck_assert_int_eq(write_batch_add(p, text, strlen(text), none,
				     CLOCK_DAY, &err),
		    0);
		if ((n + 1) % events == 0)
			ck_assert_int_eq(feed_commit(p, &res, &err), 0);
	}
	while (store_help_seal(s, &err) == 1)
		continue;
	write_batch_free(p);
	feed_close(f);
	store_close(s);
}

/* The role's process. */
static void
child(int wake, int alive)
{
	static const int peers[] = { -1 };
	static char agent[] = "fra1", siem[] = "siem";
	struct config config = { .agent.name = agent };
	struct config_entry output = { .name = siem,
		.type = &fake_output.type };
	struct trial_conf trial = { .http.url = receiver,
		.http.parallel = 2,
		.http.max_body = 1 << 20,
		.http.common.timeout = 5 * CLOCK_SECOND,
		.poll_timeout = CLOCK_MINUTE,
		.path = "/bulk",
		.header = "7c" };
	struct role role = { .kind = ROLE_SHIP,
		.config = &config,
		.output = &output,
		.wake_fd = wake,
		.alive_fd = alive,
		.peers = peers };

	if (receiver[0] != '\0') {
		output.type = &output_trial.type;
		output.conf = &trial;
	}
	config.agent.retain = CLOCK_DAY;
	config.agent.store.path = path;
	role_signals(&role);
	_exit(ship_run(&role));
}

/* What the test waits for. */
typedef bool wanted_fn(struct store *s);

/* Run the role until wanted holds, then end it with the signal how. */
static void
ship_until_then(wanted_fn *wanted, int how)
{
	int wake = eventfd(0, EFD_NONBLOCK), status = -1;
	struct pollfd alive = { .fd = eventfd(0, EFD_NONBLOCK),
		.events = POLLIN };
	int64_t until = clock_monotonic() + DEADLINE;
	struct store *s;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		child(wake, alive.fd);
	/* Then its signals are set up. */
	ck_assert_int_eq(poll(&alive, 1, (int)(DEADLINE / 1000)), 1);
	s = store_open(path, STORE_READ, &err);
	ck_assert_msg(s != NULL, "%s", err.text);
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
	(void)close(alive.fd);
}

static void
ship_until(wanted_fn *wanted)
{
	ship_until_then(wanted, SIGTERM);
}

/* Nothing is left beyond the position. */
static bool
all_settled(struct store *s)
{
	struct position pos;
	struct batch b;
	int rc;

	ck_assert_int_eq(position_read(s, "siem", &pos, NULL, NULL, &err), 0);
	batch_init(&b);
	rc = batch_next_sealed(s, pos.batch, &b, &err);
	batch_release(&b);
	ck_assert_int_ge(rc, 0);
	return rc == 0;
}

/* How often each number in [0, n) was received; other lines, checkpoints, are
 * counted at n. */
static void
count(int n, int *times)
{
	FILE *f = fopen(received, "r");
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

static void
each_once(int n, int but, int checkpoints)
{
	int *times = calloc((size_t)n + 1, sizeof(*times));

	count(n, times);
	for (int i = 0; i < n; i++)
		ck_assert_msg(times[i] == (i == but ? 0 : 1),
		    "event %d came %d times", i, times[i]);
	ck_assert_int_eq(times[n], checkpoints);
	free(times);
}

/* The only dead letter, or none when index is -1. */
static void
one_letter(int index, const char *reason, size_t len)
{
	struct store *s = store_open(path, STORE_READ, &err);
	struct dead_letter d = { .id = 0 };
	int rc;

	buf_init(&d.event, 4096);
	rc = dead_letter_next(s, "siem", 0, &d, &err);
	ck_assert_int_eq(rc, index < 0 ? 0 : 1);
	if (rc == 1) {
		ck_assert_uint_eq(d.index, (uint64_t)index);
		ck_assert_ptr_nonnull(strstr(d.reason, reason));
		ck_assert_uint_eq(d.event.len, len);
		ck_assert_str_eq(d.feed, FEED);
		ck_assert_int_eq(dead_letter_next(s, "siem", d.id, &d, &err),
		    0);
	}
	buf_release(&d.event);
	store_close(s);
}

START_TEST(everything_is_delivered_once)
{
	fake_script.max = (size_t)_i;
	fill(5, 40, -1, "");
	ship_until(all_settled);
	each_once(200, -1, 1);
	one_letter(-1, "", 0);
}
END_TEST

START_TEST(position_survives_a_restart)
{
	fill(3, 10, -1, "");
	ship_until(all_settled);
	ship_until(all_settled);
	each_once(30, -1, 1);
}
END_TEST

START_TEST(retry_is_until_it_works)
{
	fake_script.failures = 3;
	fill(2, 10, -1, "");
	ship_until(all_settled);
	each_once(20, -1, 1);
	one_letter(-1, "", 0);
}
END_TEST

static enum verdict
no_bad(const char *text)
{
	return strstr(text, "bad") == NULL ? VERDICT_DELIVERED
					   : VERDICT_REFUSED;
}

START_TEST(line_at_fault_becomes_a_dead_letter)
{
	fake_script.judge = no_bad;
	fill(4, 50, 117, "bad");
	ship_until(all_settled);
	each_once(200, 117, 1);
	one_letter(117, "no", strlen("{\"n\":117,\"w\":\"bad\"}"));
}
END_TEST

START_TEST(line_is_refused_alone)
{
	fake_script.mark = true;
	fake_script.failures = 1;
	fill(2, 50, 60, "big");
	ship_until(all_settled);
	each_once(100, 60, 1);
	one_letter(60, "too big", strlen("{\"n\":60,\"w\":\"big\"}"));
}
END_TEST

static void
sql(const char *text)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK,
	    "%s", sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static bool repaired; /* the store works again */

/* Repairs the store as soon as what comes before its fault has arrived. */
static bool
arrived_then_repaired(struct store *s)
{
	struct position pos;

	if (repaired)
		return all_settled(s);
	ck_assert_int_eq(position_read(s, "siem", &pos, NULL, NULL, &err), 0);
	if (pos.batch < 2)
		return false;
	sql("DROP VIEW payload; ALTER TABLE kept RENAME TO payload");
	repaired = true;
	return false;
}

/* The store fails in the middle of what would be one chunk. */
START_TEST(failing_read_skips_nothing)
{
	repaired = false;
	fill(4, 10, -1, "");
	sql("ALTER TABLE payload RENAME TO kept; CREATE VIEW payload AS SELECT"
	    " batch, CASE batch WHEN 3 THEN abs(-9223372036854775808) ELSE"
	    " lines END AS lines, times FROM kept");
	ship_until(arrived_then_repaired);
	each_once(40, -1, 1);
}
END_TEST

static bool
reported(struct store *s)
{
	(void)s;
	return store_damaged(path);
}

/* Nothing of it is delivered, nothing goes past it for good; the store gives
 * it up to be fetched again. */
START_TEST(damaged_batch_is_reported)
{
	char message[1024];
	int times[41];

	fake_script.max = (size_t)_i;
	fill(4, 10, -1, "");
	sql("UPDATE payload SET lines = substr(lines, 1, 20) || x'00' || "
	    "substr(lines, 22) WHERE batch = (SELECT min(batch) + 1 FROM "
	    "payload)");
	ship_until(reported);
	ck_assert_int_eq(store_check(path, message, sizeof(message), &err), 0);
	ck_assert_msg(strstr(message, " events are to be fetched") != NULL,
	    "%s", message);
	ck_assert(!store_damaged(path));
	ship_until(all_settled);
	one_letter(-1, "", 0);
	count(40, times);
	for (int i = 10; i < 20; i++)
		ck_assert_int_eq(times[i], 0);
}
END_TEST

static bool
no_letters(struct store *s)
{
	struct dead_letter d = { .id = 0 };
	int rc;

	buf_init(&d.event, 4096);
	rc = dead_letter_next(s, "siem", 0, &d, &err);
	buf_release(&d.event);
	ck_assert_int_ge(rc, 0);
	return rc == 0;
}

static void
ask_for(const char *kind)
{
	struct store *s = store_open(path, STORE_RELAXED, &err);
	struct request r = { .number = 0 };

	(void)snprintf(r.kind, sizeof(r.kind), "%s", kind);
	(void)snprintf(r.target, sizeof(r.target), "siem");
	ck_assert_msg(request_add(s, &r, &err) == 0, "%s", err.text);
	store_close(s);
}

/* Can the lines [from, to) of the batch be read, as a chunk of theirs is? */
static bool
readable(struct batch_ref *c, size_t from, size_t to)
{
	struct chunk *p = chunk_new();
	struct chunk_line line;
	int rc;

	ck_assert_int_eq(chunk_add(p, c, from, to, 1), 0);
	rc = chunk_line(p, to - from - 1, &line, &err);
	chunk_unload(p);
	chunk_free(p);
	return rc == 0;
}

/* A batch that goes in several chunks is unpacked for the first one. */
START_TEST(batch_is_unpacked_once)
{
	struct batch_reader *k;
	struct batch_ref *c;
	struct store *s;

	fill(1, 100, -1, "");
	s = store_open(path, STORE_DURABLE, &err);
	k = batch_reader_new(s, NULL);
	ck_assert_int_eq(batch_reader_next(k, 0, &c, &err), 1);
	ck_assert(readable(c, 0, 10));
	sql("UPDATE payload SET lines = x'00'");
	ck_assert(readable(c, 10, 20));
	ck_assert(readable(c, 0, 10));
	/* At rest nothing is held. */
	batch_reader_rest(k);
	ck_assert(!readable(c, 20, 30));
	batch_ref_release(c);
	batch_reader_free(k);
	store_close(s);
}
END_TEST

START_TEST(dead_letter_is_sent_again)
{
	fake_script.judge = no_bad;
	fill(1, 10, 3, "bad");
	ship_until(all_settled);
	one_letter(3, "no", strlen("{\"n\":3,\"w\":\"bad\"}"));
	fake_script.judge = NULL;
	ask_for("retry");
	ship_until(no_letters);
	each_once(10, -1, 1);
}
END_TEST

START_TEST(dead_letter_is_dropped)
{
	fake_script.judge = no_bad;
	fill(1, 10, 3, "bad");
	ship_until(all_settled);
	ask_for("drop");
	ship_until(no_letters);
	each_once(10, 3, 1);
}
END_TEST

static enum verdict
nothing_until_cured(const char *text)
{
	return access(cured, F_OK) == 0 || strstr(text, "\"event\"") == NULL
	    ? VERDICT_DELIVERED
	    : VERDICT_REFUSED;
}

static uint64_t
letters(struct store *s, char *trouble, size_t size)
{
	struct output_report r;

	ck_assert_int_eq(report_output(s, "", &r, &err), 1);
	(void)snprintf(trouble, size, "%s", r.error);
	return r.dead_letters;
}

static void
dead_letters_in_the_end(uint64_t n)
{
	struct store *s = store_open(path, STORE_READ, &err);
	char trouble[512];

	ck_assert_uint_eq(letters(s, trouble, sizeof(trouble)), n);
	ck_assert_str_eq(trouble, "");
	store_close(s);
}

/* The first events of all, and the others are kept; of those a single one is
 * tried now and then, which becomes another dead letter until what is wrong
 * has been put right. */
static bool
refused_then_cured(struct store *s)
{
	char trouble[512];
	uint64_t n;

	if (access(cured, F_OK) == 0)
		return all_settled(s);
	n = letters(s, trouble, sizeof(trouble));
	if (n < 21)
		return false;
	ck_assert_msg(strstr(trouble, "refuses every event") != NULL, "%s",
	    trouble);
	ck_assert_int_eq(symlink("/dev/null", cured), 0);
	return false;
}

START_TEST(receiver_that_refuses_all_is_not_fed_all)
{
	int times[301], missing = 0;

	fake_script.judge = nothing_until_cured;
	fill(3, 100, -1, "");
	ship_until(refused_then_cured);
	dead_letters_in_the_end(21);
	count(300, times);
	for (int i = 0; i < 300; i++) {
		ck_assert_int_le(times[i], 1);
		missing += times[i] == 0;
	}
	ck_assert_int_eq(missing, 21);
	ck_assert_int_eq(times[300], 1);
}
END_TEST

/* The receiver takes what comes behind a run of bad events, so it is they. */
static bool
run_is_over(struct store *s)
{
	char trouble[512];

	(void)letters(s, trouble, sizeof(trouble));
	if (fake_script.base == 0 && trouble[0] != '\0') {
		fake_script.base = 200;
		fill(1, 1, -1, "");
	}
	return fake_script.base != 0 && all_settled(s);
}

START_TEST(run_of_bad_events_holds_up_nobody)
{
	int times[202];

	fake_script.max = 4000;
	fake_script.judge = no_bad;
	fake_script.run = 35;
	fill(2, 100, 20, "bad");
	ship_until(run_is_over);
	dead_letters_in_the_end(35);
	count(201, times);
	for (int i = 0; i < 201; i++)
		ck_assert_int_eq(times[i], i < 20 || i >= 55);
}
END_TEST

/* What was sent, a line for each chunk. */
static void
sent_is(const char *want)
{
	FILE *f = fopen(sent, "r");
	char text[4096];
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	ck_assert_str_eq(text, want);
}

static size_t
chunks_sent(void)
{
	FILE *f = fopen(sent, "r");
	size_t n = 0;
	int c;

	ck_assert_ptr_nonnull(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	(void)fclose(f);
	return n;
}

/* Splunk HEC: earlier events are in, this one is bad, the others again. */
static enum verdict
up_to_four(int n, const struct chunk_line *line)
{
	if (n > 0 || (!line->checkpoint && line->number < 4))
		return VERDICT_DELIVERED;
	return !line->checkpoint && line->number == 4 ? VERDICT_REFUSED
						      : VERDICT_RETRY;
}

START_TEST(first_lines_and_one_bad_are_settled)
{
	fake_script.each = up_to_four;
	fill(2, 5, -1, "");
	ship_until(all_settled);
	sent_is("0 1 2 3 4 5 6 7 8 9 c\n5 6 7 8 9 c\n");
	each_once(10, 4, 1);
	one_letter(4, "not this one", strlen("{\"n\":4,\"w\":\"\"}"));
}
END_TEST

static enum verdict
all_in(int n, const struct chunk_line *line)
{
	(void)n;
	(void)line;
	return VERDICT_DELIVERED;
}

START_TEST(each_batch_goes_alone)
{
	fake_script.each = all_in;
	fake_script.batches = true;
	fill(3, 2, -1, "");
	ship_until(all_settled);
	sent_is("0 1\n2 3\n4 5 c\n");
}
END_TEST

/* Elasticsearch: some are in, some again, here and there. */
static enum verdict
holes(int n, const struct chunk_line *line)
{
	bool in = line->number == 3 || line->number == 4 || line->number == 5 ||
	    line->number == 8;

	return n > 0 || (in && !line->checkpoint) ? VERDICT_DELIVERED
						  : VERDICT_RETRY;
}

START_TEST(only_what_is_not_settled_is_sent_again)
{
	fake_script.each = holes;
	fill(2, 5, -1, "");
	ship_until(all_settled);
	sent_is("0 1 2 3 4 5 6 7 8 9 c\n0 1 2 6 7 9 c\n");
	each_once(10, -1, 1);
	one_letter(-1, "", 0);
}
END_TEST

/* Every third, so that the chunk has more parts than CHUNK_RANGES, and again
 * every third of the rest. */
static enum verdict
every_third(int n, const struct chunk_line *line)
{
	return n > 3 || (line->number + (uint64_t)n) % 3 == 0
	    ? VERDICT_DELIVERED
	    : VERDICT_RETRY;
}

START_TEST(many_holes)
{
	fake_script.each = every_third;
	fill(3, 500, -1, "");
	ship_until(all_settled);
	each_once(1500, -1, 1);
	one_letter(-1, "", 0);
}
END_TEST

/* Event 2 is never taken by this process. */
static enum verdict
never_two(int n, const struct chunk_line *line)
{
	(void)n;
	return line->number == 2 ? VERDICT_RETRY : VERDICT_DELIVERED;
}

static bool
behind_two(struct store *s)
{
	struct position pos;
	int times[21];

	count(20, times);
	ck_assert_int_eq(position_read(s, "siem", &pos, NULL, NULL, &err), 0);
	ck_assert_int_eq(pos.batch, 0);
	ck_assert_uint_le(pos.lines, 2);
	ck_assert_int_eq(times[2], 0);
	return pos.lines == 2 && times[3] > 0 && chunks_sent() > 1;
}

START_TEST(crash_loses_no_line_between_settled_ones)
{
	int times[21];

	fake_script.max = 700;
	fake_script.each = never_two;
	fill(4, 5, -1, "");
	ship_until_then(behind_two, SIGKILL);
	fake_script.each = NULL;
	ship_until(all_settled);
	count(20, times);
	for (int i = 0; i < 20; i++)
		ck_assert_msg(times[i] >= 1, "event %d is lost", i);
	ck_assert_int_eq(times[0], 1);
	ck_assert_int_eq(times[2], 1);
	one_letter(-1, "", 0);
}
END_TEST

static enum verdict
none_until_cured(int n, const struct chunk_line *line)
{
	(void)n;
	return access(cured, F_OK) == 0 || line->checkpoint ? VERDICT_DELIVERED
							    : VERDICT_REFUSED;
}

START_TEST(lines_refused_alone_are_counted)
{
	int times[301], missing = 0;

	fake_script.each = none_until_cured;
	fill(3, 100, -1, "");
	ship_until(refused_then_cured);
	dead_letters_in_the_end(21);
	count(300, times);
	for (int i = 0; i < 300; i++)
		missing += times[i] == 0;
	ck_assert_int_eq(missing, 21);
}
END_TEST

static enum verdict
refuse_bad(int n, const struct chunk_line *line)
{
	(void)n;
	return memmem(line->value, line->len, "bad", 3) == NULL
	    ? VERDICT_DELIVERED
	    : VERDICT_REFUSED;
}

/* The others of the chunk are taken, so the receiver is well. */
START_TEST(many_bad_lines_among_good_ones)
{
	fake_script.each = refuse_bad;
	fake_script.run = 70;
	fill(1, 100, 20, "bad");
	ship_until(all_settled);
	ck_assert_uint_eq(chunks_sent(), 1);
	dead_letters_in_the_end(70);
}
END_TEST

static bool
no_requests(struct store *s)
{
	struct request r = { .id = 0 };
	int rc = request_next(s, "retry", "siem", &r, &err);

	ck_assert_int_ge(rc, 0);
	return rc == 0;
}

START_TEST(dead_letter_is_refused_again)
{
	fake_script.each = refuse_bad;
	fill(1, 10, 3, "bad");
	ship_until(all_settled);
	one_letter(3, "not this one", strlen("{\"n\":3,\"w\":\"bad\"}"));
	ask_for("retry");
	ship_until(no_requests);
	one_letter(3, "not this one", strlen("{\"n\":3,\"w\":\"bad\"}"));
}
END_TEST

static struct canned *server;

/* Taken, not confirmed, not confirmed, confirmed; nothing has moved before the
 * last. */
static bool
confirmed(struct store *s)
{
	struct position pos;

	ck_assert_int_eq(position_read(s, "siem", &pos, NULL, NULL, &err), 0);
	ck_assert(canned_count(server) >= 4 ||
	    (pos.batch == 0 && pos.lines == 0));
	return canned_count(server) >= 4 && all_settled(s);
}

#define TAKEN "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"ack\":1}"
#define ACK_NO                                          \
	"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" \
	"{\"acks\":{\"1\":false}}"
#define ACK_YES                                         \
	"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n" \
	"{\"acks\":{\"1\":true}}"

START_TEST(position_moves_when_confirmed)
{
	static const struct canned_reply table[] = {
		{ .path = "/in/bulk", .bytes = TAKEN },
		{ .path = "/in/ack", .bytes = ACK_NO },
		{ .path = "/in/ack", .bytes = ACK_NO },
		{ .path = "/in/ack", .bytes = ACK_YES },
		{ .path = NULL },
	};

	server = canned_start(table);
	(void)snprintf(receiver, sizeof(receiver), "%s/in", canned_url(server));
	fill(1, 10, -1, "");
	ship_until(confirmed);
	ck_assert_uint_eq(canned_count(server), 4);
	one_letter(-1, "", 0);
	canned_stop(server);
}
END_TEST

static struct output_report
report(struct store *s)
{
	struct output_report r;

	ck_assert_int_eq(report_output(s, "", &r, &err), 1);
	return r;
}

static bool
all_received(struct store *s)
{
	struct position pos = { .batch = 0 };
	struct output_report r = report(s);

	ck_assert_int_eq(position_read(s, "siem", &pos, NULL, NULL, &err), 0);
	ck_assert_int_eq(pos.batch, 0);
	ck_assert_uint_eq(pos.lines, 0);
	return r.received.batch == 3;
}

static void
each_came(int n, int least, int most)
{
	int *times = calloc((size_t)n + 1, sizeof(*times));

	count(n, times);
	for (int i = 0; i < n; i++)
		ck_assert_msg(times[i] >= least && times[i] <= most,
		    "event %d came %d times", i, times[i]);
	free(times);
}

/* What is held is shown as that and not as backlog, and the store keeps it;
 * after an orderly stop it is not sent again, and let go once it is time. */
START_TEST(receipts_are_held)
{
	struct output_report r;
	struct store *s;

	fake_script.max = 700;
	fake_script.hold = CLOCK_HOUR;
	fill(3, 10, -1, "");
	ship_until(all_received);
	ship_until(all_received);
	s = store_open(path, STORE_READ, &err);
	r = report(s);
	ck_assert_uint_eq(r.held_events, 30);
	ck_assert_uint_eq(r.backlog_events, 0);
	store_close(s);
	fake_script.hold = 1;
	ship_until(all_settled);
	each_came(30, 1, 1);
	s = store_open(path, STORE_READ, &err);
	ck_assert_uint_eq(report(s).held_events, 0);
	store_close(s);
}
END_TEST

START_TEST(crash_sends_what_is_held_again)
{
	fake_script.hold = CLOCK_HOUR;
	fill(3, 10, -1, "");
	ship_until_then(all_received, SIGKILL);
	fake_script.hold = 1;
	ship_until(all_settled);
	each_came(30, 2, 2);
}
END_TEST

/* Every break sends again what had receipts, unless these can be trusted. */
START_TEST(break_sends_what_is_held_again)
{
	fake_script.max = 700;
	fake_script.hold = CLOCK_SECOND;
	fake_script.trusted = _i == 1;
	fake_script.breaks = 5;
	fill(3, 10, -1, "");
	ship_until(all_settled);
	each_came(30, 1, _i == 1 ? 1 : 7);
	if (_i == 0) {
		int times[31];

		count(30, times);
		ck_assert_int_ge(times[0], 2);
	}
	one_letter(-1, "", 0);
}
END_TEST

static void
ask_for_replay(void)
{
	struct store *s = store_open(path, STORE_DURABLE, &err);
	struct replay r = { .output = "siem", .to = INT64_MAX };

	ck_assert_int_eq(replay_add(s, &r, &err), 0);
	store_close(s);
}

static bool
all_replayed(struct store *s)
{
	struct replay r;

	return replay_next(s, "siem", &r, &err) == 0;
}

/* Everything came twice, and nothing of the second time is noted. */
static bool
replay_held(struct store *s)
{
	struct replay r;
	int times[31];

	ck_assert_int_eq(replay_next(s, "siem", &r, &err), 1);
	ck_assert_int_eq(r.after, 0);
	ck_assert_uint_eq(r.sent, 0);
	count(30, times);
	for (int i = 0; i < 30; i++)
		if (times[i] < 2)
			return false;
	return true;
}

/* What is sent again on demand is held like what is sent for the first time. */
START_TEST(replay_is_held)
{
	fake_script.max = 700;
	fill(3, 10, -1, "");
	ship_until(all_settled);
	ask_for_replay();
	fake_script.hold = CLOCK_HOUR;
	ship_until_then(replay_held, SIGKILL);
	fake_script.hold = 1;
	ship_until(all_replayed);
	each_came(30, 3, 3);
}
END_TEST

/* And a break sends it once more, unless receipts can be trusted. */
START_TEST(break_sends_what_is_replayed_again)
{
	int times[31];

	fake_script.max = 700;
	fill(3, 10, -1, "");
	ship_until(all_settled);
	ask_for_replay();
	fake_script.hold = CLOCK_SECOND;
	fake_script.trusted = _i == 1;
	fake_script.breaks = 2;
	ship_until(all_replayed);
	each_came(30, 2, _i == 1 ? 2 : 5);
	count(30, times);
	ck_assert_int_eq(times[0] > 2, _i == 0);
}
END_TEST

static bool
one_is_dead(struct store *s)
{
	struct output_report r = report(s);

	return r.dead_letters == 1 && r.backlog_events == 0;
}

/* Others pass each time, since what is held is sent again. */
START_TEST(event_that_breaks_connections_becomes_a_dead_letter)
{
	int times[121];

	fake_script.poison = true;
	fake_script.hold = CLOCK_HOUR;
	fill(2, 60, 37, "bad");
	ship_until(one_is_dead);
	count(120, times);
	for (int i = 0; i < 120; i++)
		ck_assert_int_eq(times[i] > 0, i != 37);
	one_letter(37, "alone it ended the connection 10 times",
	    strlen("{\"n\":37,\"w\":\"bad\"}"));
}
END_TEST

static bool
waits_for_it(struct store *s)
{
	struct output_report r = report(s);

	ck_assert_uint_eq(r.dead_letters, 0);
	ck_assert_uint_ge(r.backlog_events, 83);
	return strstr(r.error, "poison: wait") != NULL;
}

START_TEST(event_that_breaks_connections_is_waited_for)
{
	fake_script.poison = true;
	fake_script.poison_waits = true;
	fake_script.hold = CLOCK_HOUR;
	fill(2, 60, 37, "bad");
	ship_until(waits_for_it);
	fake_script.poison = false;
	fake_script.hold = 0;
	ship_until(all_settled);
	each_came(120, 1, INT_MAX);
	one_letter(-1, "", 0);
}
END_TEST

/* Where nothing passes, it is not the event. */
static bool
tried_often(struct store *s)
{
	struct output_report r = report(s);

	ck_assert_uint_eq(r.dead_letters, 0);
	return r.count[OUTPUT_RETRIES] >= 12;
}

START_TEST(outage_is_no_poison)
{
	fake_script.poison = true;
	fake_script.run = 4;
	fill(1, 4, 0, "bad");
	sql("DELETE FROM checkpoint");
	ship_until(tried_often);
	one_letter(-1, "", 0);
	fake_script.poison = false;
	ship_until(all_settled);
	each_once(4, -1, 0);
}
END_TEST

Suite *
suite_ship(void)
{
	/* A chunk of one line each, of parts of a batch, of several. */
	static const int sizes[] = { 1, 700, 1 << 20 };
	Suite *s = suite_create("ship");
	TCase *tc = tcase_create("ship");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 120);
	for (size_t i = 0; i < 3; i++) {
		tcase_add_loop_test(tc, everything_is_delivered_once, sizes[i],
		    sizes[i] + 1);
		tcase_add_loop_test(tc, damaged_batch_is_reported, sizes[i],
		    sizes[i] + 1);
	}
	tcase_add_test(tc, receiver_that_refuses_all_is_not_fed_all);
	tcase_add_test(tc, run_of_bad_events_holds_up_nobody);
	tcase_add_test(tc, position_survives_a_restart);
	tcase_add_test(tc, retry_is_until_it_works);
	tcase_add_test(tc, line_at_fault_becomes_a_dead_letter);
	tcase_add_test(tc, line_is_refused_alone);
	tcase_add_test(tc, failing_read_skips_nothing);
	tcase_add_test(tc, batch_is_unpacked_once);
	tcase_add_test(tc, dead_letter_is_sent_again);
	tcase_add_test(tc, dead_letter_is_dropped);
	tcase_add_test(tc, first_lines_and_one_bad_are_settled);
	tcase_add_test(tc, each_batch_goes_alone);
	tcase_add_test(tc, only_what_is_not_settled_is_sent_again);
	tcase_add_test(tc, many_holes);
	tcase_add_test(tc, crash_loses_no_line_between_settled_ones);
	tcase_add_test(tc, lines_refused_alone_are_counted);
	tcase_add_test(tc, many_bad_lines_among_good_ones);
	tcase_add_test(tc, dead_letter_is_refused_again);
	tcase_add_test(tc, position_moves_when_confirmed);
	tcase_add_test(tc, receipts_are_held);
	tcase_add_test(tc, crash_sends_what_is_held_again);
	tcase_add_loop_test(tc, break_sends_what_is_held_again, 0, 2);
	tcase_add_test(tc, replay_is_held);
	tcase_add_loop_test(tc, break_sends_what_is_replayed_again, 0, 2);
	tcase_add_test(tc, event_that_breaks_connections_becomes_a_dead_letter);
	tcase_add_test(tc, event_that_breaks_connections_is_waited_for);
	tcase_add_test(tc, outage_is_no_poison);
	suite_add_tcase(s, tc);
	return s;
}
