/*
 * child.c - the role processes as the supervisor sees them.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/child.h"
#include "run/hand_over.h"
#include "run/roles.h"

#define BACKOFF_FIRST (CLOCK_SECOND / 10)
#define BACKOFF_MAX (30 * CLOCK_SECOND)
#define SILENCE_MAX CLOCK_MINUTE
/* Roles show life every ten seconds; one that is late is told of. */
#define SILENCE_TOLD (20 * CLOCK_SECOND)

int
children_open(struct children *all)
{
	void *map;

	all->dropped_fd = memfd_create("dropped", MFD_CLOEXEC);
	if (all->dropped_fd < 0 ||
	    ftruncate(all->dropped_fd, HAND_OVER_DROPPED) != 0)
		return -1;
	map = mmap(NULL, HAND_OVER_DROPPED, PROT_READ | PROT_WRITE, MAP_SHARED,
	    all->dropped_fd, 0);
	if (map == MAP_FAILED)
		return -1;
	all->dropped = map;
	log_count_dropped(&all->dropped[0]);
	return 0;
}

/* Where the child counts the lines that its log did not take; NULL: of so many
 * children it is not counted. */
static _Atomic uint64_t *
dropped_by(const struct children *all, const struct child *c)
{
	const size_t at = (size_t)(c - all->slot) + 1;

	return at < HAND_OVER_DROPPED / sizeof(*all->dropped)
	    ? &all->dropped[at]
	    : NULL;
}

/* Take the slot of an output that is gone, or make a new slot with its
 * descriptors. */
static struct child *
free_slot(struct children *all, enum role_kind kind)
{
	struct child *c;
	int wake, alive;

	for (size_t i = 0; i < all->n; i++) {
		c = &all->slot[i];
		if (c->wanted || c->pid > 0 || c->kind != kind)
			continue;
		*c = (struct child){ .kind = kind,
			.wake_fd = c->wake_fd,
			.alive_fd = c->alive_fd };
		if (dropped_by(all, c) != NULL)
			*dropped_by(all, c) = 0;
		return c;
	}
	wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	alive = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (wake < 0 || alive < 0) {
		(void)close(wake);
		(void)close(alive);
		return NULL;
	}
	all->slot = xreallocarray(all->slot, all->n + 1, sizeof(*all->slot));
	c = &all->slot[all->n++];
	*c = (struct child){ .kind = kind, .wake_fd = wake, .alive_fd = alive };
	return c;
}

struct child *
children_slot(struct children *all, enum role_kind kind, const char *output)
{
	struct child *c;

	if (output == NULL)
		output = "";
	for (size_t i = 0; i < all->n; i++) {
		c = &all->slot[i];
		if (c->kind == kind && strcmp(c->output, output) == 0)
			return c;
	}
	c = free_slot(all, kind);
	if (c == NULL)
		return NULL;
	(void)snprintf(c->output, sizeof(c->output), "%s", output);
	(void)snprintf(c->name, sizeof(c->name), "%s%s%s", roles[kind].name,
	    output[0] == '\0' ? "" : " ", output);
	return c;
}

/* The descriptors that a child is to have. */
static int *
descriptors(const struct children *all, const struct child *c, const int *keep)
{
	size_t n = 0, kept = 0;
	int *list;

	while (keep[kept] != -1)
		kept++;
	list = xcalloc(all->n + kept + 4, sizeof(*list));
	for (size_t i = 0; i < all->n; i++)
		list[n++] = all->slot[i].wake_fd;
	list[n++] = c->alive_fd;
	list[n++] = all->dropped_fd;
	if (c->kind == ROLE_WATCH)
		list[n++] = all->verdict[1];
	memcpy(list + n, keep, kept * sizeof(*keep));
	list[n + kept] = -1;
	return list;
}

static void
set_ready(struct child *c, bool ready)
{
	if (c->ready != ready || c->changed == 0)
		c->changed = clock_now();
	c->ready = ready;
}

int
child_start(struct children *all, struct child *c, const struct config *config,
    const int *keep)
{
	struct hand_over_peer *peers = xcalloc(all->n, sizeof(*peers));
	int *list = descriptors(all, c, keep);
	struct hand_over h = {
		.kind = c->kind,
		.wake_fd = c->wake_fd,
		.alive_fd = c->alive_fd,
		.verdict_fd = c->kind == ROLE_WATCH ? all->verdict[1] : -1,
		.result_fd = -1,
		.dropped_fd = all->dropped_fd,
		.slot = (size_t)(c - all->slot) + 1,
		.log_level = config->agent.log_level,
		.again = c->deaths > 0,
		.started = all->began,
		.n_peers = all->n,
	};
	uint64_t before;
	pid_t pid;

	(void)snprintf(h.name, sizeof(h.name), "%s", c->name);
	(void)snprintf(h.output, sizeof(h.output), "%s", c->output);
	(void)snprintf(h.cause, sizeof(h.cause), "%s",
	    c->deaths > 0 ? "restart" : all->cause);
	memcpy(h.public_digest, config->public_digest, sizeof(h.public_digest));
	for (size_t i = 0; i < all->n; i++)
		peers[i] = (struct hand_over_peer){ all->slot[i].kind,
			all->slot[i].wake_fd };
	/* What the one before it said. */
	if (read(c->alive_fd, &before, sizeof(before)) < 0)
		errno = 0;
	pid = hand_over_start(&h, peers, config, list);
	free(list);
	free(peers);
	if (pid < 0)
		return -1;
	c->pid = pid;
	c->started = c->last_sign = clock_monotonic();
	set_ready(c, false);
	c->asked = false;
	c->restart = 0;
	return 0;
}

void
child_signal(const struct child *c, int sig)
{
	if (c->pid > 0)
		(void)kill(c->pid, sig);
}

/* Describe in words how the child ended, for the log. */
static void
describe(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		(void)snprintf(out, size, "killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		(void)snprintf(out, size, "exited with status %d",
		    WEXITSTATUS(status));
}

struct child *
children_reap(struct children *all, pid_t pid, int status, bool stopping)
{
	struct child *c = NULL;
	char how[sizeof(c->how)];

	for (size_t i = 0; i < all->n && c == NULL; i++) {
		if (all->slot[i].pid == pid)
			c = &all->slot[i];
	}
	if (c == NULL)
		return NULL;
	c->pid = 0;
	set_ready(c, false);
	describe(status, how, sizeof(how));
	if (stopping || !c->wanted) {
		if (status != 0)
			log_warn("%s: %s while stopping", c->name, how);
		return c;
	}
	if (c->asked && status == 0) {
		c->restart = clock_monotonic();
		return c;
	}
	if (clock_monotonic() - c->started > BACKOFF_MAX)
		c->backoff = 0;
	c->backoff = c->backoff == 0 ? BACKOFF_FIRST : c->backoff * 2;
	if (c->backoff > BACKOFF_MAX)
		c->backoff = BACKOFF_MAX;
	c->restart = clock_monotonic() + c->backoff;
	c->deaths++;
	c->restarts++;
	memcpy(c->how, how, sizeof(how));
	log_err("%s: %s; restarting in %.1f s", c->name, how,
	    (double)c->backoff / (double)CLOCK_SECOND);
	return c;
}

void
children_watch(struct children *all)
{
	int64_t now = clock_monotonic();

	for (size_t i = 0; i < all->n; i++) {
		struct child *c = &all->slot[i];
		uint64_t count;

		if (read(c->alive_fd, &count, sizeof(count)) > 0) {
			c->last_sign = now;
			if (count >= ROLE_READY)
				set_ready(c, true);
		}
		if (c->pid == 0 || now - c->last_sign < SILENCE_MAX)
			continue;
		log_err("%s: no heartbeat for a minute; killing it", c->name);
		child_signal(c, SIGKILL);
		c->last_sign = now;
	}
}

size_t
children_running(const struct children *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += all->slot[i].pid > 0;
	return n;
}

bool
children_ready(const struct children *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct child *c = &all->slot[i];

		if (c->wanted && (!c->ready || c->asked))
			return false;
	}
	return true;
}

static enum role_state
state_of(const struct child *c)
{
	if (c->pid == 0)
		return ROLE_DOWN;
	if (clock_monotonic() - c->last_sign > SILENCE_TOLD)
		return ROLE_SILENT;
	return c->ready ? ROLE_WORKS : ROLE_STARTS;
}

void
children_tell(const struct children *all, struct roles *r)
{
	r->role = xcalloc(all->n + 1, sizeof(*r->role));
	if (all->dropped != NULL)
		r->dropped = all->dropped[0];
	for (size_t i = 0; i < all->n; i++) {
		const struct child *c = &all->slot[i];
		struct role_report *o = &r->role[r->n];

		if (!c->wanted)
			continue;
		o->state = state_of(c);
		o->since = c->changed != 0 ? c->changed : all->began;
		o->deaths = c->deaths;
		o->restarts = c->restarts;
		if (dropped_by(all, c) != NULL)
			o->dropped = *dropped_by(all, c);
		memcpy(o->name, c->name, sizeof(o->name));
		memcpy(o->how, c->how, sizeof(o->how));
		r->n++;
	}
}
