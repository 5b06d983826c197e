/*
 * role.c - what a role process gets from the supervisor.
 */
#include <poll.h>
#include <signal.h>

#include "base/role.h"
#include "base/wake.h"

#define REST_MAX_MS 10000

static atomic_int stopping; /* every thread of collect asks */
static volatile sig_atomic_t reopen;
static int signal_fd = -1; /* the wake descriptor, for the handlers */

static void
on_signal(int sig)
{
	if (sig == SIGTERM)
		stopping = 1;
	else
		reopen = 1;
	wake_up(signal_fd);
}

void
role_signals(const struct role *r)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t none;

	signal_fd = r->wake_fd;
	(void)sigaction(SIGTERM, &act, NULL);
	(void)sigaction(SIGUSR1, &act, NULL);
	(void)sigaction(SIGINT, &ignore, NULL);
	(void)sigaction(SIGHUP, &ignore, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

bool
role_stopping(const struct role *r)
{
	(void)r;
	return stopping != 0;
}

bool
role_reopen(const struct role *r)
{
	(void)r;
	if (reopen == 0)
		return false;
	reopen = 0;
	return true;
}

void
role_alive(const struct role *r)
{
	if (r->signs != NULL)
		r->signs->alive++;
}

void
role_ready(const struct role *r)
{
	if (r->signs != NULL)
		r->signs->ready = true;
	role_alive(r);
}

void
role_wake(const struct role *r, enum role_kind kind)
{
	for (size_t i = 0; r->peers[i] != -1; i++) {
		if (r->peer_kinds[i] == kind)
			wake_up(r->peers[i]);
	}
}

void
role_rest(const struct role *r, int timeout_ms)
{
	struct pollfd pfd = { .fd = r->wake_fd, .events = POLLIN };

	role_alive(r);
	if (timeout_ms < 0 || timeout_ms > REST_MAX_MS)
		timeout_ms = REST_MAX_MS;
	/* Also stop if the handler could not write to the descriptor. */
	if (stopping)
		timeout_ms = 0;
	/* A signal ends the wait early, which callers expect anyway. */
	if (poll(&pfd, 1, timeout_ms) == 1)
		wake_clear(r->wake_fd);
}
