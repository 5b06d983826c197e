/*
 * child.c - the role processes as the supervisor sees them.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wake.h"
#include "run/child.h"
#include "run/hand_over.h"
#include "run/roles.h"
#include "sandbox/landlock.h"
#include "sandbox/plan.h"
#include "sandbox/sandbox.h"

#define BACKOFF_FIRST (CLOCK_SECOND / 10)
#define BACKOFF_MAX (30 * CLOCK_SECOND)
#define SILENCE_MAX CLOCK_MINUTE
/* Roles show life every ten seconds; one that is late is told of. */
#define SILENCE_TOLD (20 * CLOCK_SECOND)

/* Make the memory that a child shares with the supervisor.  Its size is fixed,
 * so that reading it can't fail.  -1 with errno. */
static int
share(struct child *c)
{
	void *map = MAP_FAILED;
	int why;

	c->shared_fd = memfd_create("shared", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (c->shared_fd >= 0 &&
	    ftruncate(c->shared_fd, sizeof(*c->shared)) == 0 &&
	    fcntl(c->shared_fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		map = mmap(NULL, sizeof(*c->shared), PROT_READ | PROT_WRITE,
		    MAP_SHARED, c->shared_fd, 0);
	if (map == MAP_FAILED) {
		why = errno;
		(void)close(c->shared_fd);
		errno = why;
		return -1;
	}
	c->shared = map;
	return 0;
}

/* Take the slot of an output that is gone, or make a new slot with its
 * descriptors. */
static struct child *
free_slot(struct children *all, enum role_kind kind)
{
	struct child fresh = { .kind = kind };
	struct child *c;

	for (size_t i = 0; i < all->n; i++) {
		c = &all->slot[i];
		if (c->wanted || c->pid > 0 || c->kind != kind)
			continue;
		sandbox_plan_release(&c->plan);
		*c = (struct child){ .kind = kind,
			.wake_fd = c->wake_fd,
			.shared_fd = c->shared_fd,
			.shared = c->shared };
		c->shared->dropped = 0;
		return c;
	}
	fresh.wake_fd = wake_make();
	if (fresh.wake_fd < 0 || share(&fresh) != 0) {
		(void)close(fresh.wake_fd);
		return NULL;
	}
	all->slot = xreallocarray(all->slot, all->n + 1, sizeof(*all->slot));
	all->slot[all->n] = fresh;
	return &all->slot[all->n++];
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

static bool
wakes(const struct child *c, const struct child *other)
{
	return (roles[c->kind].wakes & 1U << other->kind) != 0;
}

/* Close what open_wakes() opened. */
static void
close_wakes(const struct hand_over *h, const struct hand_over_peer *peers)
{
	for (size_t i = 0; i < h->n_peers; i++)
		(void)close(peers[i].wake_fd);
	if (h->wake_fd >= 0)
		(void)close(h->wake_fd);
}

/* Open the child's own wake-up, and those of whom it wakes, each anew for it
 * alone.  0, or -1 with errno and none open. */
static int
open_wakes(const struct children *all, const struct child *c,
    struct hand_over *h, struct hand_over_peer *peers)
{
	int fd = h->wake_fd = wake_open(c->wake_fd, O_RDWR);
	int why;

	for (size_t i = 0; i < all->n && fd >= 0; i++) {
		const struct child *other = &all->slot[i];

		if (!wakes(c, other))
			continue;
		fd = wake_open(other->wake_fd, O_WRONLY);
		if (fd >= 0)
			peers[h->n_peers++] =
			    (struct hand_over_peer){ other->kind, fd };
	}
	if (fd >= 0)
		return 0;
	why = errno;
	close_wakes(h, peers);
	errno = why;
	return -1;
}

/* The descriptors that a child is to have. */
static int *
descriptors(const struct hand_over *h, const struct hand_over_peer *peers,
    const int *keep)
{
	size_t n = 0, kept = 0;
	int *list;

	while (keep[kept] != -1)
		kept++;
	list = xcalloc(h->n_peers + kept + 4, sizeof(*list));
	for (size_t i = 0; i < h->n_peers; i++)
		list[n++] = peers[i].wake_fd;
	list[n++] = h->wake_fd;
	list[n++] = h->shared_fd;
	if (h->verdict_fd >= 0)
		list[n++] = h->verdict_fd;
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

/* The entry of a ship's output; NULL for the others. */
static const struct config_entry *
output_of(const struct child *c, const struct config *config)
{
	for (size_t i = 0; c->output[0] != '\0' && i < config->n_outputs; i++)
		if (strcmp(config->outputs[i].name, c->output) == 0)
			return &config->outputs[i];
	return NULL;
}

/* Remember which files the child is to read: where Landlock confines it, it
 * reads no others of these names. */
static void
mark_files(struct child *c, const struct config *config)
{
	sandbox_plan_release(&c->plan);
	if (config->agent.sandbox == SANDBOX_OFF || landlock_abi() == 0)
		return;
	sandbox_plan_make(&c->plan, c->kind, config, output_of(c, config),
	    false);
	c->mark = sandbox_plan_mark(&c->plan);
}

bool
child_is_stale(const struct child *c)
{
	return c->pid > 0 && c->wanted && !c->asked && c->plan.n_places > 0 &&
	    sandbox_plan_mark(&c->plan) != c->mark;
}

int
child_start(struct children *all, struct child *c, const struct config *config,
    const int *keep)
{
	struct hand_over_peer *peers = xcalloc(all->n, sizeof(*peers));
	struct hand_over h = {
		.kind = c->kind,
		.verdict_fd = c->kind == ROLE_WATCH ? all->verdict[1] : -1,
		.result_fd = -1,
		.shared_fd = c->shared_fd,
		.log_level = config->agent.log_level,
		.again = c->deaths > 0,
		.renewed = c->renewed,
		.started = all->began,
	};
	int *list, why;
	pid_t pid;

	if (open_wakes(all, c, &h, peers) != 0) {
		free(peers);
		return -1;
	}
	(void)snprintf(h.name, sizeof(h.name), "%s", c->name);
	(void)snprintf(h.output, sizeof(h.output), "%s", c->output);
	(void)snprintf(h.cause, sizeof(h.cause), "%s",
	    c->deaths > 0 ? "restart" : all->cause);
	memcpy(h.public_digest, config->public_digest, sizeof(h.public_digest));
	/* What the one before it said. */
	c->shared->call = 0;
	c->shared->walls = 0;
	c->shared->signs.ready = false;
	mark_files(c, config);
	list = descriptors(&h, peers, keep);
	pid = hand_over_start(&h, peers, config, all->users, list);
	why = errno;
	close_wakes(&h, peers);
	free(list);
	free(peers);
	errno = why;
	if (pid < 0)
		return -1;
	c->pid = pid;
	c->started = c->last_sign = clock_monotonic();
	set_ready(c, false);
	c->asked = false;
	c->renewed = false;
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
describe(int status, uint64_t call, char *out, size_t size)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS && call != 0)
		(void)snprintf(out, size,
		    "ended for the system call %.30s, which it may not make",
		    sandbox_call_name(call));
	else if (WIFSIGNALED(status))
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
	describe(status, c->shared->call, how, sizeof(how));
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
		const uint64_t alive = c->shared->signs.alive;

		if (c->pid == 0)
			continue;
		if (alive != c->alive)
			c->last_sign = now;
		c->alive = alive;
		if (c->shared->signs.ready)
			set_ready(c, true);
		if (now - c->last_sign < SILENCE_MAX)
			continue;
		log_err("%s: no heartbeat for a minute; killing it", c->name);
		child_signal(c, SIGKILL);
		c->last_sign = now;
	}
}

void
children_release(struct children *all)
{
	for (size_t i = 0; i < all->n; i++)
		sandbox_plan_release(&all->slot[i].plan);
	free(all->slot);
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

static void
tell_shared(const struct hand_over_slot *slot, struct role_report *o)
{
	struct sandbox_state state;

	o->dropped = slot->dropped;
	o->walls.known = hand_over_told(slot, &state);
	o->walls.uid = state.uid;
	o->walls.capabilities = state.capabilities;
	o->walls.no_new_privs = state.no_new_privs;
	o->walls.seccomp = state.seccomp;
	o->walls.landlock = state.landlock;
	o->walls.rules = state.rules;
}

void
children_tell(const struct children *all, struct roles *r)
{
	r->role = xcalloc(all->n + 1, sizeof(*r->role));
	r->dropped = *all->dropped;
	for (size_t i = 0; i < all->n; i++) {
		const struct child *c = &all->slot[i];
		struct role_report *o = &r->role[r->n];

		if (!c->wanted)
			continue;
		o->state = state_of(c);
		o->since = c->changed != 0 ? c->changed : all->began;
		o->deaths = c->deaths;
		o->restarts = c->restarts;
		tell_shared(c->shared, o);
		memcpy(o->name, c->name, sizeof(o->name));
		memcpy(o->how, c->how, sizeof(o->how));
		r->n++;
	}
}
