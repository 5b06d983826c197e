/*
 * test_race.c - a connection to the first address that answers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "outputs/syslog/race.h"
#include "tests/unit/unit.h"

#define LISTENERS 3

/* Addresses of this machine, in the order of a resolver's answer. */
struct place {
	struct sockaddr_in at;
	struct addrinfo info;
	int fd;        /* listens */
	int filler[2]; /* fill its queue, so that more SYNs are swallowed */
};

static struct place places[LISTENERS];

static void
open_place(struct place *p, const char *address, bool swallows)
{
	socklen_t len = sizeof(p->at);

	*p = (struct place){ .at.sin_family = AF_INET, .filler = { -1, -1 } };
	ck_assert_int_eq(inet_pton(AF_INET, address, &p->at.sin_addr), 1);
	p->info = (struct addrinfo){ .ai_family = AF_INET,
		.ai_socktype = SOCK_STREAM,
		.ai_addr = (struct sockaddr *)&p->at,
		.ai_addrlen = len };
	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(p->fd, (struct sockaddr *)&p->at, len), 0);
	ck_assert_int_eq(getsockname(p->fd, (struct sockaddr *)&p->at, &len),
	    0);
	ck_assert_int_eq(listen(p->fd, swallows ? 0 : 8), 0);
	for (int i = 0; swallows && i < 2; i++) {
		p->filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(p->filler[i], (struct sockaddr *)&p->at, len);
		(void)poll(NULL, 0, 20);
	}
}

static void
close_place(struct place *p)
{
	if (p->fd >= 0)
		(void)close(p->fd);
	for (int i = 0; i < 2; i++) {
		if (p->filler[i] >= 0)
			(void)close(p->filler[i]);
	}
	p->fd = -1;
}

static struct race *
race_of(size_t n)
{
	for (size_t i = 0; i < n; i++)
		places[i].info.ai_next = i + 1 < n ? &places[i + 1].info : NULL;
	return race_new(&places[0].info);
}

/* Until it is decided; the address that won, -1 for none. */
static int
run(struct race *r, int *error)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	struct pollfd p = { .events = POLLOUT };
	int64_t until = clock_monotonic() + 20 * CLOCK_SECOND, now, due;
	int fd = -1, rc;

	while ((rc = race_step(r, clock_monotonic(), &fd, error)) == 0) {
		now = clock_monotonic();
		ck_assert_int_lt(now, until);
		due = race_due(r, now, &p.fd);
		if (due > now + CLOCK_SECOND)
			due = now + CLOCK_SECOND;
		(void)poll(&p, 1,
		    due > now ? (int)((due - now) / 1000) + 1 : 0);
	}
	if (rc < 0)
		return -1;
	ck_assert_int_eq(getpeername(fd, (struct sockaddr *)&peer, &len), 0);
	(void)close(fd);
	for (int i = 0; i < LISTENERS; i++) {
		if (places[i].at.sin_port == peer.sin_port)
			return i;
	}
	ck_abort_msg("connected to nobody");
}

START_TEST(swallowed_syns_cost_little)
{
	int64_t begun;
	struct race *r;
	int error;

	open_place(&places[0], "127.0.0.2", true);
	open_place(&places[1], "127.0.0.3", true);
	open_place(&places[2], "127.0.0.1", false);
	r = race_of(3);
	begun = clock_monotonic();
	ck_assert_int_eq(run(r, &error), 2);
	/* Not before the two had their time, and long before a timeout. */
	ck_assert_int_ge(clock_monotonic() - begun, CLOCK_SECOND / 2);
	ck_assert_int_lt(clock_monotonic() - begun, 5 * CLOCK_SECOND);
	race_free(r);
	for (int i = 0; i < 3; i++)
		close_place(&places[i]);
}
END_TEST

/* The next one is tried at once, and the last error is told. */
START_TEST(refusals_cost_nothing)
{
	int64_t begun = clock_monotonic();
	struct race *r;
	int error = 0;

	for (int i = 0; i < 3; i++)
		open_place(&places[i], "127.0.0.1", false);
	close_place(&places[0]);
	close_place(&places[1]);
	r = race_of(3);
	ck_assert_int_eq(run(r, &error), 2);
	/* It has won, and is of no use: there is no other. */
	ck_assert_uint_eq(race_left(r), 0);
	ck_assert_int_eq(run(r, &error), -1);
	ck_assert_int_eq(error, ECONNREFUSED);
	ck_assert_int_lt(clock_monotonic() - begun, 5 * CLOCK_SECOND);
	race_free(r);
	close_place(&places[2]);
}
END_TEST

/* A name with many addresses, of which the last one is alive. */
START_TEST(many_may_be_dead)
{
	static struct addrinfo dead[RACE_MAX - 1];
	struct race *r;
	int error, fd = -1, rc;

	open_place(&places[0], "127.0.0.1", false);
	open_place(&places[1], "127.0.0.1", false);
	close_place(&places[0]);
	for (size_t i = 0; i < RACE_MAX - 1; i++) {
		dead[i] = places[0].info;
		dead[i].ai_next =
		    i + 2 < RACE_MAX ? &dead[i + 1] : &places[1].info;
	}
	r = race_new(dead);
	ck_assert_uint_ge(race_left(r), 50);
	while ((rc = race_step(r, clock_monotonic(), &fd, &error)) == 0)
		(void)poll(NULL, 0, 1);
	ck_assert_int_eq(rc, 1);
	(void)close(fd);
	race_free(r);
	close_place(&places[1]);
}
END_TEST

START_TEST(bad_winner_leaves_the_others)
{
	struct race *r;
	int error;

	for (int i = 0; i < 2; i++)
		open_place(&places[i], "127.0.0.1", false);
	r = race_of(2);
	ck_assert_int_eq(run(r, &error), 0);
	ck_assert_uint_eq(race_left(r), 1);
	ck_assert_int_eq(run(r, &error), 1);
	ck_assert_int_eq(run(r, &error), -1);
	race_free(r);
	for (int i = 0; i < 2; i++)
		close_place(&places[i]);
}
END_TEST

/* IPv6 is second although the resolver has it last. */
START_TEST(families_take_turns)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct addrinfo info = { .ai_family = AF_INET6,
		.ai_socktype = SOCK_STREAM,
		.ai_addr = (struct sockaddr *)&six,
		.ai_addrlen = sizeof(six) };
	socklen_t len = sizeof(six);
	int fd = socket(AF_INET6, SOCK_STREAM, 0), won = -1, error;
	struct race *r;

	if (fd < 0 || bind(fd, (struct sockaddr *)&six, len) != 0)
		return; /* a machine without IPv6 */
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&six, &len), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	open_place(&places[0], "127.0.0.2", true);
	open_place(&places[1], "127.0.0.1", false);
	places[0].info.ai_next = &places[1].info;
	places[1].info.ai_next = &info;
	r = race_new(&places[0].info);
	while (race_step(r, clock_monotonic(), &won, &error) == 0)
		(void)poll(NULL, 0, 5);
	ck_assert_int_eq(getpeername(won, (struct sockaddr *)&six, &len), 0);
	ck_assert_int_eq(six.sin6_family, AF_INET6);
	(void)close(won);
	race_free(r);
	(void)close(fd);
	close_place(&places[0]);
	close_place(&places[1]);
}
END_TEST

Suite *
suite_race(void)
{
	Suite *s = suite_create("race");
	TCase *tc = tcase_create("race");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, swallowed_syns_cost_little);
	tcase_add_test(tc, refusals_cost_nothing);
	tcase_add_test(tc, many_may_be_dead);
	tcase_add_test(tc, bad_winner_leaves_the_others);
	tcase_add_test(tc, families_take_turns);
	suite_add_tcase(s, tc);
	return s;
}
