/*
 * race.c - a TCP connection to the first address of a name that answers.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "outputs/syslog/race.h"

/* RFC 8305 section 8, Connection Attempt Delay. */
#define DELAY (CLOCK_SECOND / 4)
#define DELAY_LATER (CLOCK_SECOND / 10) /* its least */
#define PATIENT 4                       /* addresses */

/* How often several connections are looked at. */
#define LOOK (10 * CLOCK_SECOND / 1000)

struct runner {
	const struct addrinfo *address;
	int fd;    /* -1: not under way */
	bool over; /* it failed, or won */
};

struct race {
	struct runner runner[RACE_MAX];
	size_t n;
	int64_t next; /* when the next one may begin */
	int error;    /* of the last that failed */
};

/* The next address of the family, or of any other one, behind a. */
static const struct addrinfo *
next_of(const struct addrinfo *a, int family, bool other)
{
	while (a != NULL && (a->ai_family == family) == other)
		a = a->ai_next;
	return a;
}

static void
add(struct race *r, const struct addrinfo *a)
{
	if (r->n < RACE_MAX)
		r->runner[r->n++] = (struct runner){ .address = a, .fd = -1 };
}

struct race *
race_new(const struct addrinfo *list)
{
	struct race *r = xcalloc(1, sizeof(*r));
	const struct addrinfo *first = list, *second = list;
	const int family = list == NULL ? 0 : list->ai_family;

	r->error = EADDRNOTAVAIL;
	while (first != NULL || second != NULL) {
		first = next_of(first, family, false);
		if (first != NULL) {
			add(r, first);
			first = first->ai_next;
		}
		second = next_of(second, family, true);
		if (second != NULL) {
			add(r, second);
			second = second->ai_next;
		}
	}
	return r;
}

static void
stop(struct runner *u)
{
	if (u->fd >= 0)
		(void)close(u->fd);
	u->fd = -1;
}

void
race_free(struct race *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++)
		stop(&r->runner[i]);
	free(r);
}

static void
fail(struct race *r, struct runner *u, int error, int64_t now)
{
	stop(u);
	u->over = true;
	r->error = error;
	r->next = now;
}

static void
begin(struct race *r, struct runner *u, int64_t now)
{
	const struct addrinfo *a = u->address;

	u->fd = socket(a->ai_family,
	    a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
	if (u->fd < 0 ||
	    (connect(u->fd, a->ai_addr, a->ai_addrlen) != 0 &&
		errno != EINPROGRESS))
		fail(r, u, errno, now);
	else
		r->next = now + (u - r->runner < PATIENT ? DELAY : DELAY_LATER);
}

/* Has u ended?  True: it has won. */
static bool
look(struct race *r, struct runner *u, int64_t now)
{
	struct pollfd p = { .fd = u->fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;

	if (u->fd < 0 || poll(&p, 1, 0) != 1)
		return false;
	if (getsockopt(u->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error == 0)
		return true;
	fail(r, u, error, now);
	return false;
}

/* u has won: the others need not go on. */
static int
win(struct race *r, struct runner *u, int64_t now)
{
	int fd = u->fd;

	u->fd = -1;
	u->over = true;
	for (size_t i = 0; i < r->n; i++)
		stop(&r->runner[i]);
	r->next = now;
	return fd;
}

static size_t
under_way(const struct race *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->runner[i].fd >= 0;
	return n;
}

int
race_step(struct race *r, int64_t now, int *fd, int *error)
{
	for (size_t i = 0; i < r->n; i++) {
		if (look(r, &r->runner[i], now)) {
			*fd = win(r, &r->runner[i], now);
			return 1;
		}
	}
	for (size_t i = 0; i < r->n && now >= r->next; i++) {
		if (!r->runner[i].over && r->runner[i].fd < 0)
			begin(r, &r->runner[i], now);
	}
	*error = r->error;
	return race_left(r) > 0 ? 0 : -1;
}

int64_t
race_due(const struct race *r, int64_t now, int *fd)
{
	size_t n = under_way(r);

	*fd = -1;
	if (n > 1)
		return now + LOOK;
	for (size_t i = 0; i < r->n; i++) {
		if (r->runner[i].fd >= 0)
			*fd = r->runner[i].fd;
	}
	return race_left(r) > n ? r->next : INT64_MAX;
}

size_t
race_left(const struct race *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += !r->runner[i].over;
	return n;
}
