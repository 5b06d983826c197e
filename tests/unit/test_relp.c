/*
 * test_relp.c - the client's side of RELP, against a strict server that also
 * has bad habits.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "outputs/relp_reply.h"
#include "outputs/syslog/conf.h"
#include "tests/unit/output_help.h"
#include "tests/unit/unit.h"

/* What the server does on its first connection; it behaves on later ones. */
enum habit {
	GOOD,
	SLOW_BYTES, /* answers byte by byte */
	BACKWARDS,  /* answers the last message first */
	REFUSES_OPEN,
	OFFERS_NOTHING,
	REFUSES_ONE, /* the message with "poison" */
	FULL,        /* it twice, and takes it then */
	SKIPS,       /* the first message; ends the connection behind others */
	DROPS,       /* the connection behind its first answer */
	CLOSES,      /* the session instead of its second answer */
	SILENT,      /* does not answer messages */
	TWICE,       /* answers one message twice */
	UNKNOWN,     /* answers number 77 */
	GARBAGE,
	ENDLESS, /* a number without end */
	HUGE,    /* data without end */
	CODELESS
};

struct server {
	int listener;
	enum habit habit;
	pthread_t thread;
	_Atomic unsigned connections;
	_Atomic unsigned refusals;
	_Atomic unsigned wrong; /* faults of the client */
	_Atomic bool closed;    /* a session, by its command */
	pthread_mutex_t lock;
	char seen[4096]; /* the events that were answered with 200, one a
			    line */
};

static void
say(int fd, const char *text, bool slowly)
{
	size_t len = strlen(text), step = slowly ? 1 : len;

	for (size_t i = 0; i < len; i += step)
		if (send(fd, text + i, step, MSG_NOSIGNAL) < 0)
			return;
}

static void
answer(int fd, unsigned number, const char *data, bool slowly)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%u rsp %zu %s\n", number,
	    strlen(data), data);
	say(fd, text, slowly);
}

/* One frame of the client; -1: the end.  data has room for 65536. */
static int
take(FILE *in, unsigned *number, char word[33], char *data, size_t *len)
{
	if (fscanf(in, "%u %32[a-z] %zu", number, word, len) != 3 ||
	    *len > 65535)
		return -1;
	if (*len > 0 && (fgetc(in) != ' ' || fread(data, 1, *len, in) != *len))
		return -1;
	data[*len] = '\0';
	return fgetc(in) == '\n' ? 0 : -1;
}

static void
keep(struct server *s, const char *data)
{
	const char *event = strstr(data, "] ");
	size_t at;

	(void)pthread_mutex_lock(&s->lock);
	at = strlen(s->seen);
	(void)snprintf(s->seen + at, sizeof(s->seen) - at, "%s\n",
	    event == NULL ? "?" : event + 2);
	(void)pthread_mutex_unlock(&s->lock);
}

/* A full queue has room again for the third try. */
static bool
is_refused(struct server *s, const char *data)
{
	return strstr(data, "poison") != NULL &&
	    (s->habit != FULL || atomic_fetch_add(&s->refusals, 1) != 2);
}

/* Answer message number, the count-th; false: end the connection. */
static bool
react(struct server *s, int fd, unsigned number, unsigned count,
    const char *data)
{
	static const char *const words[] = {
		[UNKNOWN] = "77 rsp 6 200 OK\n",
		[GARBAGE] = "HELLO\n",
		[ENDLESS] = "11111111111111111111",
		[HUGE] = "2 rsp 999999999 2",
		[CODELESS] = "2 rsp 2 OK\n",
	};

	switch (atomic_load(&s->connections) > 1 ? GOOD : s->habit) {
	case BACKWARDS:
		if (count < 3)
			return true;
		for (unsigned n = number; n > number - 3; n--)
			answer(fd, n, "200 OK", false);
		keep(s, data);
		return true;
	case FULL:
	case REFUSES_ONE:
		if (!is_refused(s, data))
			break;
		answer(fd, number, "500 cannot store\x1b[0m it", false);
		return true;
	case SKIPS:
		if (count == 1)
			return true;
		answer(fd, number, "200 OK", false);
		keep(s, data);
		return count < 3;
	case DROPS:
		if (count > 1)
			return false;
		break;
	case CLOSES:
		if (count == 1)
			break;
		say(fd, "0 serverclose 0\n", false);
		return false;
	case SILENT:
		return true;
	case TWICE:
		answer(fd, number, "200 OK", false);
		break;
	case UNKNOWN:
	case GARBAGE:
	case ENDLESS:
	case HUGE:
	case CODELESS:
		say(fd, words[s->habit], false);
		return true;
	default:
		break;
	}
	keep(s, data);
	answer(fd, number, "200 OK", s->habit == SLOW_BYTES);
	return true;
}

/* The session of one connection. */
static void
serve(struct server *s, int fd)
{
	static const char good[] =
	    "200 OK\nrelp_version=0\nrelp_software=test\n"
	    "commands=eventlog,syslog";
	static const char nothing[] =
	    "200 OK\nrelp_version=0\ncommands=syslogs";
	bool first = atomic_fetch_add(&s->connections, 1) == 0;
	FILE *in = fdopen(dup(fd), "r");
	char *data = malloc(65536), word[33];
	unsigned number, expected = 1, count = 0;
	size_t len;

	while (take(in, &number, word, data, &len) == 0) {
		if (number != expected++ ||
		    (number == 1) != (strcmp(word, "open") == 0))
			atomic_fetch_add(&s->wrong, 1);
		if (strcmp(word, "close") == 0) {
			atomic_store(&s->closed, true);
			answer(fd, number, "200 OK", false);
			break;
		}
		if (number == 1 && strstr(data, "commands=syslog") == NULL)
			atomic_fetch_add(&s->wrong, 1);
		if (number == 1)
			answer(fd, 1,
			    first && s->habit == REFUSES_OPEN
				? "500 too many sessions"
				: (first && s->habit == OFFERS_NOTHING ? nothing
								       : good),
			    s->habit == SLOW_BYTES);
		else if (!react(s, fd, number, ++count, data))
			break;
	}
	free(data);
	(void)fclose(in);
}

static void *
run(void *ctx)
{
	struct server *s = ctx;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		serve(s, fd);
		(void)close(fd);
	}
	return NULL;
}

static struct server server;
static struct syslog_conf conf;
static char address[32];

static void
start(enum habit habit)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);

	memset(&server, 0, sizeof(server));
	server.habit = habit;
	(void)pthread_mutex_init(&server.lock, NULL);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(server.listener, (struct sockaddr *)(void *)&in,
			     len),
	    0);
	ck_assert_int_eq(listen(server.listener, 5), 0);
	ck_assert_int_eq(getsockname(server.listener,
			     (struct sockaddr *)(void *)&in, &len),
	    0);
	(void)snprintf(address, sizeof(address), "127.0.0.1:%u",
	    (unsigned)ntohs(in.sin_port));
	ck_assert_int_eq(pthread_create(&server.thread, NULL, run, &server), 0);
	conf = (struct syslog_conf){ .address = address,
		.transport = SYSLOG_TCP,
		.facility = 13,
		.severity = 6,
		.max_message = 65536,
		.enterprise = 32473,
		.timeout = CLOCK_SECOND * 20 };
}

static void
stop(void)
{
	(void)shutdown(server.listener, SHUT_RDWR);
	(void)pthread_join(server.thread, NULL);
	(void)close(server.listener);
	ck_assert_uint_eq(atomic_load(&server.wrong), 0);
}

static const struct {
	enum habit habit;
	enum verdict verdict;
	size_t refused;
	const char *why;
	const char *seen; /* after a second try, where there was one */
	unsigned connections;
} cases[] = {
	{ GOOD, VERDICT_DELIVERED, 0, "", "{1}\n{\"poison\":2}\n{3}\n", 1 },
	{ SLOW_BYTES, VERDICT_DELIVERED, 0, "", "{1}\n{\"poison\":2}\n{3}\n",
	    1 },
	{ BACKWARDS, VERDICT_DELIVERED, 0, "", "{3}\n", 1 },
	{ REFUSES_OPEN, VERDICT_RETRY, 0,
	    "refuses the session: 500 too many sessions",
	    "{1}\n{\"poison\":2}\n{3}\n", 2 },
	{ OFFERS_NOTHING, VERDICT_BLOCKED, 0,
	    "does not offer the command syslog", "{1}\n{\"poison\":2}\n{3}\n",
	    2 },
	{ REFUSES_ONE, VERDICT_DELIVERED, 1,
	    "the receiver answered 500 cannot store\\x1b[0m it", "{1}\n{3}\n",
	    1 },
	{ FULL, VERDICT_DELIVERED, 0, "", "{1}\n{3}\n{\"poison\":2}\n", 1 },
	/* Only what has no answer is sent again. */
	{ SKIPS, VERDICT_RETRY, 0, "closed", "{\"poison\":2}\n{3}\n{1}\n", 2 },
	{ DROPS, VERDICT_RETRY, 0, "closed", "{1}\n{\"poison\":2}\n{3}\n", 2 },
	{ CLOSES, VERDICT_RETRY, 0, "closes the session",
	    "{1}\n{\"poison\":2}\n{3}\n", 2 },
	{ SILENT, VERDICT_RETRY, 0, "does not answer",
	    "{1}\n{\"poison\":2}\n{3}\n", 2 },
	{ UNKNOWN, VERDICT_RETRY, 0, "answers what it was not sent",
	    "{1}\n{\"poison\":2}\n{3}\n", 2 },
	{ GARBAGE, VERDICT_RETRY, 0, "is not RELP",
	    "{1}\n{\"poison\":2}\n{3}\n", 2 },
	{ ENDLESS, VERDICT_RETRY, 0, "is not RELP",
	    "{1}\n{\"poison\":2}\n{3}\n", 2 },
	{ HUGE, VERDICT_RETRY, 0, "is not RELP", "{1}\n{\"poison\":2}\n{3}\n",
	    2 },
	{ CODELESS, VERDICT_RETRY, 0, "is not RELP",
	    "{1}\n{\"poison\":2}\n{3}\n", 2 },
};

START_TEST(servers)
{
	struct courier c;

	start(cases[_i].habit);
	if (cases[_i].habit == SILENT)
		conf.timeout = CLOCK_SECOND / 5;
	courier_open(&c, &output_relp, &conf, "{1}");
	courier_add(&c, "{\"poison\":2}");
	courier_add(&c, "{3}");
	courier_deliver(&c);
	ck_assert_msg(c.verdict == cases[_i].verdict, "%d: %s", c.verdict,
	    c.why);
	if (c.verdict != VERDICT_DELIVERED) {
		ck_assert_msg(strstr(c.why, cases[_i].why) != NULL, "%s",
		    c.why);
		conf.timeout = 20 * CLOCK_SECOND;
		chunk_drop_marked(c.chunk);
		courier_deliver(&c);
		ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	}
	courier_close(&c);
	stop();
	ck_assert_str_eq(server.seen, cases[_i].seen);
	ck_assert_uint_eq(atomic_load(&server.connections),
	    cases[_i].connections);
	ck_assert_uint_eq(c.refused, cases[_i].refused);
	ck_assert(atomic_load(&server.closed));
}
END_TEST

/* An answer too many never makes an event delivered that was not answered. */
START_TEST(answers_too_many)
{
	struct courier c;

	start(TWICE);
	courier_open(&c, &output_relp, &conf, "{1}");
	courier_add(&c, "{2}");
	courier_deliver(&c);
	while (c.verdict != VERDICT_DELIVERED) {
		ck_assert_ptr_nonnull(strstr(c.why, "it was not sent"));
		chunk_drop_marked(c.chunk);
		if (chunk_lines(c.chunk) == 0)
			break;
		courier_deliver(&c);
	}
	courier_close(&c);
	stop();
	ck_assert_ptr_nonnull(strstr(server.seen, "{1}\n"));
	ck_assert_ptr_nonnull(strstr(server.seen, "{2}\n"));
}
END_TEST

/* More than a window, in parts and too large ones among them. */
START_TEST(windows_parts_and_sizes)
{
	char large[6000] = "";
	struct courier c;

	start(GOOD);
	conf.max_message = 4096;
	memset(large, 'x', sizeof(large) - 1);
	courier_open(&c, &output_relp, &conf, "{0}");
	for (int i = 1; i < 200; i++)
		courier_add(&c, i % 50 == 7 ? large : "{}");
	courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	ck_assert_uint_eq(c.refused, 4);
	courier_close(&c);
	stop();
	ck_assert_uint_eq(strlen(server.seen), 4 + 195 * 3);

	start(GOOD);
	conf.max_message = 4096;
	conf.oversize = SYSLOG_SPLIT;
	courier_open(&c, &output_relp, &conf, large);
	courier_add(&c, "{}");
	courier_deliver(&c);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	ck_assert_uint_eq(c.refused, 0);
	courier_close(&c);
	stop();
}
END_TEST

START_TEST(probe_opens_a_session)
{
	struct buf message = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;
	struct courier c;

	for (enum habit h = GOOD; h <= REFUSES_OPEN;
	     h = h == GOOD ? REFUSES_OPEN : REFUSES_OPEN + 1) {
		start(h);
		courier_open(&c, &output_relp, &conf, "{1}");
		if (h == GOOD) {
			ck_assert_msg(output_relp.probe(&c.out, &message,
					  &err) == 0,
			    "%s", err.text);
			ck_assert_ptr_nonnull(strstr(message.data,
			    "speaks RELP"));
		} else {
			ck_assert_int_eq(output_relp.probe(&c.out, &message,
					     &err),
			    -1);
			ck_assert_ptr_nonnull(strstr(err.text,
			    "500 too many sessions"));
		}
		courier_close(&c);
		stop();
		ck_assert_str_eq(server.seen, "");
	}
	buf_release(&message);
}
END_TEST

/* Any bytes, in pieces of any size: no frame, or a good one. */
START_TEST(reader_takes_anything)
{
	static struct relp_reader r;
	struct relp_reply reply = { .number = 0 };
	unsigned seed = 1;
	char text[64];

	for (int round = 0; round < 20000; round++) {
		static const char some[] = "0129 rsp serverclose\n 200 OK";
		size_t n = 1 + (size_t)rand_r(&seed) % sizeof(text);
		enum relp_said what = RELP_MORE;

		for (size_t i = 0; i < n; i++)
			text[i] =
			    some[(size_t)rand_r(&seed) % (sizeof(some) - 1)];
		ck_assert_uint_gt(relp_reader_add(&r, text, n), 0);
		while ((what = relp_reader_next(&r, &reply)) == RELP_ANSWER ||
		    what == RELP_CLOSES)
			ck_assert_uint_le(reply.number, RELP_NUMBER_MAX);
		if (what == RELP_WRONG)
			memset(&r, 0, sizeof(r));
	}
	ck_assert_uint_eq(relp_next(RELP_NUMBER_MAX), 1);
}
END_TEST

Suite *
suite_relp(void)
{
	Suite *s = suite_create("relp");
	TCase *tc = tcase_create("relp");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, servers, 0,
	    (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tc, answers_too_many);
	tcase_add_test(tc, windows_parts_and_sizes);
	tcase_add_test(tc, probe_opens_a_session);
	tcase_add_test(tc, reader_takes_anything);
	suite_add_tcase(s, tc);
	return s;
}
