/*
 * child.c - the role processes as the supervisor sees them.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "collect/collect.h"
#include "run/child.h"
#include "seal/seal.h"
#include "ship/ship.h"
#include "watch/watch.h"

#define BACKOFF_FIRST (CLOCK_SECOND / 10)
#define BACKOFF_MAX (30 * CLOCK_SECOND)
#define SILENCE_MAX CLOCK_MINUTE
/* Roles show life every ten seconds; one that is late is told of. */
#define SILENCE_TOLD (20 * CLOCK_SECOND)

/* One row a role. */
static const struct {
	const char *name;
	int (*run)(const struct role *r);
	bool secrets; /* it holds secrets: no core dumps, no debugger */
} kinds[] = {
	[ROLE_COLLECT] = { "collect", collect_run, true },
	[ROLE_SEAL] = { "seal", seal_run, true },
	[ROLE_SHIP] = { "ship", ship_run, true },
	[ROLE_WATCH] = { "watch", watch_run, false },
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == ROLE_KINDS,
    "a row for every role");

/* Take the slot of an output that is gone, or make a new slot with its
 * descriptors. */
static struct child *
free_slot(struct children *all, enum role_kind kind)
{
	struct child *c;
	struct vitals *vitals;
	int wake, alive;

	for (size_t i = 0; i < all->n; i++) {
		c = &all->slot[i];
		if (c->wanted || c->pid > 0 || c->kind != kind)
			continue;
		*c = (struct child){ .kind = kind,
			.wake_fd = c->wake_fd,
			.alive_fd = c->alive_fd,
			.vitals = c->vitals };
		*c->vitals = (struct vitals){ .up = false };
		return c;
	}
	wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	alive = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	vitals = vitals_new();
	if (wake < 0 || alive < 0 || vitals == NULL) {
		(void)close(wake);
		(void)close(alive);
		return NULL;
	}
	all->slot = xreallocarray(all->slot, all->n + 1, sizeof(*all->slot));
	c = &all->slot[all->n++];
	*c = (struct child){ .kind = kind,
		.wake_fd = wake,
		.alive_fd = alive,
		.vitals = vitals };
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
	(void)snprintf(c->name, sizeof(c->name), "%s%s%s", kinds[kind].name,
	    output[0] == '\0' ? "" : " ", output);
	return c;
}

static const struct config_entry *
find_output(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_outputs; i++) {
		if (strcmp(config->outputs[i].name, name) == 0)
			return &config->outputs[i];
	}
	return NULL;
}

/* The vitals of what runs with this configuration, and of the supervisor. */
static const struct vitals_of *
all_vitals(const struct children *all)
{
	struct vitals_of *list = xcalloc(all->n + 2, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		if (all->slot[i].wanted)
			list[n++] = (struct vitals_of){
				.role = kinds[all->slot[i].kind].name,
				.output = all->slot[i].output,
				.vitals = all->slot[i].vitals,
			};
	list[n] = (struct vitals_of){ "supervisor", "", all->own };
	return list;
}

/* The life of a role process. */
static _Noreturn void
run(const struct children *all, const struct child *c,
    const struct config *config, pid_t parent)
{
	int *peers = xcalloc(all->n + 1, sizeof(*peers));
	enum role_kind *peer_kinds = xcalloc(all->n, sizeof(*peer_kinds));
	struct role r = {
		.kind = c->kind,
		.config = config,
		.output = find_output(config, c->output),
		.wake_fd = c->wake_fd,
		.alive_fd = c->alive_fd,
		.verdict_fd = all->verdict[1],
		.peers = peers,
		.peer_kinds = peer_kinds,
		.vitals = all_vitals(all),
		.started = all->began,
		.again = c->deaths > 0,
		.cause = c->deaths > 0 ? "restart" : all->cause,
	};
	char title[16];

	for (size_t i = 0; i < all->n; i++) {
		peers[i] = all->slot[i].wake_fd;
		peer_kinds[i] = all->slot[i].kind;
	}
	peers[all->n] = -1;
	(void)snprintf(title, sizeof(title), "sf-%.12s", c->name);
	(void)prctl(PR_SET_NAME, title);
	/* A supervisor that is killed takes its roles along. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		exit(0); /* the supervisor was killed before prctl() */
	if (kinds[c->kind].secrets)
		(void)prctl(PR_SET_DUMPABLE, 0);
	log_open(c->name, (enum log_level)config->agent.log_level);
	log_count_dropped(&c->vitals->dropped);
	role_signals(&r);
	exit(kinds[c->kind].run(&r));
}

static void
set_ready(struct child *c, bool ready)
{
	if (c->ready != ready || c->changed == 0)
		c->changed = clock_now();
	c->ready = ready;
	c->vitals->up = ready;
}

int
child_start(struct children *all, struct child *c, const struct config *config)
{
	pid_t pid, parent = getpid();
	uint64_t before;

	/* What the one before it said. */
	if (read(c->alive_fd, &before, sizeof(before)) < 0)
		errno = 0;
	(void)fflush(NULL);
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid == 0)
		run(all, c, config, parent);
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
	c->vitals->restarts += 1;
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
	for (size_t i = 0; i < all->n; i++) {
		const struct child *c = &all->slot[i];
		struct role_report *o = &r->role[r->n];

		if (!c->wanted)
			continue;
		o->state = state_of(c);
		o->since = c->changed != 0 ? c->changed : all->began;
		o->deaths = c->deaths;
		memcpy(o->name, c->name, sizeof(o->name));
		memcpy(o->how, c->how, sizeof(o->how));
		r->n++;
	}
}
