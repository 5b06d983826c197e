/*
 * supervise.c - `sealfeed run`: one process a role, kept running.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/exit_status.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "http/curl_late.h"
#include "run/child.h"
#include "run/hand_over.h"
#include "run/lock.h"
#include "run/notify.h"
#include "run/supervise.h"
#include "run/tell.h"
#include "run/types.h"
#include "run/users.h"
#include "run/walls.h"
#include "store/store.h"

/* How long a predecessor may still take to finish (its own limit is five). */
#define LOCK_TIMEOUT (10 * CLOCK_SECOND)
#define TICK_MS 500
#define APART_TICK_MS 50

/* How often systemd is asked for more time while the store is checked before
 * the first start, and for how much. */
#define EXTEND_EVERY (5 * CLOCK_SECOND)
#define EXTEND "EXTEND_TIMEOUT_USEC=60000000"

/* Between two attempts to repair or open a store that cannot be written. */
#define REPAIR_AGAIN (10 * CLOCK_SECOND)

/* How long the roles may take to stop before the store is repaired. */
#define REPAIR_TIMEOUT (5 * CLOCK_SECOND)

struct supervisor {
	const char *path;
	struct config *config;
	struct children all;
	struct users users;
	int signals;            /* signalfd */
	struct store_lock lock; /* inherited by the roles on purpose */
	int64_t stop_at; /* monotonic time of the stop's begin, 0: none */
	int64_t pinged;
	bool ready; /* systemd was told */
	struct telling telling;
	bool damaged;        /* or not to be opened: no role runs until it is */
	int64_t repair_at;   /* not before: it failed a moment ago */
	int64_t repair_kill; /* monotonic: no role may run any longer */
	bool apart;          /* the store is being prepared by a child */
	bool reload_due;     /* SIGHUP came meanwhile */
	int64_t want_again;  /* monotonic: a role lacks its slot; 0 */
};

/* When in a stop each kind of role gets its SIGTERM at the latest; earlier
 * when the kinds before it are gone.  What still runs at the end is killed. */
static const struct {
	enum role_kind kind;
	int64_t after;
} stop_order[] = {
	{ ROLE_COLLECT, 0 },
	{ ROLE_SEAL, CLOCK_SECOND },
	{ ROLE_SHIP, 3 * CLOCK_SECOND / 2 },
	{ ROLE_WATCH, 7 * CLOCK_SECOND / 2 },
};
#define STOP_KILL (4 * CLOCK_SECOND) /* of the five that are promised */

/* Keep running the role of kind (and output) with the configuration of these
 * digests; a running one with others is asked to stop and comes back. */
static void
want(struct supervisor *s, enum role_kind kind, const char *output,
    const char *digest, const char *more)
{
	struct child *c = children_slot(&s->all, kind, output);
	char both[sizeof(c->digest)];

	if (c == NULL) {
		log_err("%s: no file descriptor left; raise the limit on open "
			"files; retrying",
		    output == NULL ? "role" : output);
		s->want_again = clock_monotonic() + CLOCK_SECOND;
		return;
	}
	c->wanted = true;
	(void)snprintf(both, sizeof(both), "%.64s %.64s", digest, more);
	if (strcmp(c->digest, both) == 0)
		return;
	memcpy(c->digest, both, sizeof(both));
	c->deaths = 0;
	c->backoff = 0;
	if (c->pid == 0) {
		c->restart = clock_monotonic();
		return;
	}
	c->asked = true;
	c->shared->walls = 0; /* nothing is known until it comes back */
	child_signal(c, SIGTERM);
}

/* Decide what runs with the present configuration.  seal wakes every ship
 * and collect reports the configuration, so both follow any change. */
static void
want_all(struct supervisor *s)
{
	const struct config *c = s->config;

	s->want_again = 0;
	for (size_t i = 0; i < s->all.n; i++)
		s->all.slot[i].wanted = false;
	for (size_t i = 0; i < c->n_outputs; i++)
		want(s, ROLE_SHIP, c->outputs[i].name, c->agent_digest,
		    c->outputs[i].digest);
	want(s, ROLE_SEAL, NULL, c->digest, "");
	want(s, ROLE_WATCH, NULL, c->digest, "");
	want(s, ROLE_COLLECT, NULL, c->digest, "");
	for (size_t i = 0; i < s->all.n; i++) {
		if (!s->all.slot[i].wanted)
			child_signal(&s->all.slot[i], SIGTERM);
	}
}

static void
start_due(struct supervisor *s)
{
	const int lock[] = { s->lock.name, s->lock.file, -1 };

	for (size_t i = 0; i < s->all.n; i++) {
		struct child *c = &s->all.slot[i];

		if (!c->wanted || c->pid > 0 || c->restart == 0 ||
		    c->restart > clock_monotonic())
			continue;
		if (child_start(&s->all, c, s->config, lock) == 0)
			continue;
		log_err("%s: cannot be started: %s; retrying", c->name,
		    strerror(errno));
		c->restart = clock_monotonic() + CLOCK_SECOND;
	}
}

static void take_signal(struct supervisor *s);
static void ping(struct supervisor *s);

/* Start the role that repairs the store, or only tells it the outputs of the
 * configuration: what goes wrong it writes to fd. */
static pid_t
start_recover(struct supervisor *s, const struct config *config,
    bool only_outputs, int fd)
{
	const int keep[] = { fd, s->lock.name, s->lock.file, -1 };
	struct hand_over h = {
		.kind = ROLE_RECOVER,
		.name = "recover",
		.wake_fd = -1,
		.verdict_fd = -1,
		.result_fd = fd,
		.shared_fd = -1,
		.log_level = config->agent.log_level,
		.only_outputs = only_outputs,
		.started = s->all.began,
	};

	return hand_over_start(&h, NULL, config, &s->users, keep);
}

/* What the child said before it ended with status. */
static int
repair_result(int fd, int status, struct err *err)
{
	char text[sizeof(err->text)] = "";
	ssize_t n = read(fd, text, sizeof(text) - 1);

	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FINE)
		return 0;
	if (n > 0)
		return err_set(err, "%s", text);
	if (WIFSIGNALED(status))
		return err_set(err,
		    "the check of the store was killed by signal %d (%s); it "
		    "goes on at the next start",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	return err_set(err, "the check of the store ended without a word");
}

/* Say why it takes long, which systemd must not take for a start that
 * failed. */
static void
ask_for_time(struct supervisor *s)
{
	tell_status(&s->telling, &s->all);
	if (!s->ready)
		notify_send(EXTEND);
}

/* Wait for the child, however long it takes, and keep systemd content. */
static int
await(struct supervisor *s, pid_t pid)
{
	struct pollfd pfd = { .fd = s->signals, .events = POLLIN };
	const int64_t began = clock_monotonic();
	int64_t told = began;
	int status = 0;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 ||
	    (got < 0 && errno == EINTR)) {
		const int64_t now = clock_monotonic();

		if (now - told > EXTEND_EVERY) {
			told = now;
			(void)snprintf(s->telling.note, sizeof(s->telling.note),
			    "the store is checked, for %lld s so far",
			    (long long)((now - began) / CLOCK_SECOND));
			ask_for_time(s);
		}
		take_signal(s);
		if (s->stop_at != 0)
			(void)kill(pid, SIGKILL);
		ping(s);
		(void)poll(&pfd, 1, s->stop_at != 0 ? 10 : APART_TICK_MS);
	}
	if (told != began)
		s->telling.note[0] = '\0';
	return status;
}

/* In a process of its own, behind its walls, since a recovery may take minutes,
 * and whoever has taken over a role can have made the file what it is. */
static int
recover(struct supervisor *s, const struct config *config, bool only_outputs,
    struct err *err)
{
	int fd[2], status, rc;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) != 0)
		return err_set(err, "pipe: %s", strerror(errno));
	pid = start_recover(s, config, only_outputs, fd[1]);
	(void)close(fd[1]);
	if (pid < 0) {
		rc = err_set(err, "recover: cannot be started: %s",
		    strerror(errno));
	} else {
		s->apart = true;
		status = await(s, pid);
		s->apart = false;
		rc = repair_result(fd[0], status, err);
	}
	(void)close(fd[0]);
	return rc;
}

/* Before the roles start: a sound store. */
static int
prepare_store(struct supervisor *s, struct err *err)
{
	if (recover(s, s->config, false, err) != 0)
		return -1;
	return lock_again(&s->lock, s->config->agent.store.path, err);
}

/* A role that may read only the files that were there when it started is
 * started again when others have got their names. */
static void
renew(struct supervisor *s)
{
	for (size_t i = 0; i < s->all.n; i++) {
		struct child *c = &s->all.slot[i];

		if (!child_is_stale(c))
			continue;
		log_notice("%s: a file that it reads was replaced; starting it "
			   "anew",
		    c->name);
		c->asked = c->renewed = true;
		child_signal(c, SIGTERM);
	}
}

/* Files that the configuration names, such as certificates and secrets, may
 * have changed as well, and logs been rotated. */
static void
look_again(struct supervisor *s)
{
	renew(s);
	for (size_t i = 0; i < s->all.n; i++) {
		if (!s->all.slot[i].asked)
			child_signal(&s->all.slot[i], SIGUSR1);
	}
}

/* SIGHUP: keep the old configuration when the new one is wrong. */
static void
reload(struct supervisor *s)
{
	struct config_errors errors = { 0 };
	struct err err = ERR_INIT;
	struct config *fresh;

	notify_send("RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)clock_monotonic());
	fresh = config_load(s->path, &agent_types, &errors);
	curl_late_unload();
	for (size_t i = 0; i < errors.n; i++)
		log_err("%s", errors.line[i]);
	config_errors_release(&errors);
	if (fresh != NULL &&
	    strcmp(fresh->agent.store.path, s->config->agent.store.path) != 0)
		(void)err_set(&err,
		    "agent.store.path: cannot change while the agent runs; "
		    "restart the service");
	else if (fresh != NULL && !users_same(&fresh->agent, &s->config->agent))
		(void)err_set(&err,
		    "agent.user, agent.users: cannot change while the agent "
		    "runs; restart the service");
	else if (fresh != NULL && walls_check(fresh, &s->users, &err) == 0)
		(void)recover(s, fresh, true, &err);
	if (fresh == NULL || err.text[0] != '\0') {
		log_err("%s: configuration not reloaded, the old one stays in "
			"effect%s%s",
		    s->path, err.text[0] == '\0' ? "" : ": ", err.text);
		config_free(fresh);
	} else {
		config_free(s->config);
		s->config = fresh;
		s->all.cause = "reload";
		want_all(s);
		look_again(s);
		log_notice("%s: configuration reloaded", s->path);
		s->ready = false; /* until all roles are ready again */
		tell_begin(&s->telling);
		return;
	}
	if (s->ready)
		notify_send("READY=1");
}

static void
begin_stop(struct supervisor *s)
{
	if (s->stop_at != 0)
		return;
	notify_send("STOPPING=1");
	s->stop_at = clock_monotonic();
	for (size_t i = 0; i < s->all.n; i++)
		s->all.slot[i].wanted = false;
}

static bool
runs_any(const struct supervisor *s, enum role_kind kind)
{
	for (size_t i = 0; i < s->all.n; i++) {
		if (s->all.slot[i].kind == kind && s->all.slot[i].pid > 0)
			return true;
	}
	return false;
}

/* Ask the roles to stop in their order; a role is asked once the ones before
 * it are gone or have had their time. */
static void
go_on_stopping(struct supervisor *s)
{
	int64_t past = clock_monotonic() - s->stop_at;
	bool before = false;

	for (size_t k = 0; k < sizeof(stop_order) / sizeof(stop_order[0]);
	     k++) {
		if (before && past < stop_order[k].after)
			return;
		for (size_t i = 0; i < s->all.n; i++) {
			struct child *c = &s->all.slot[i];

			if (c->kind != stop_order[k].kind || c->pid == 0)
				continue;
			if (!c->asked)
				child_signal(c, SIGTERM);
			c->asked = true;
			if (past >= STOP_KILL)
				child_signal(c, SIGKILL);
		}
		before = before || runs_any(s, stop_order[k].kind);
	}
}

static void
reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = children_reap(&s->all, pid, status,
		    s->stop_at != 0 || s->damaged);

		if (c != NULL && WIFEXITED(status) &&
		    WEXITSTATUS(status) == ROLE_DAMAGED)
			s->damaged = true;
	}
}

/* The store can't be used: it is tried again, and until then that is what
 * there is to tell. */
static void
put_off(struct supervisor *s, const struct err *why)
{
	(void)snprintf(s->telling.note, sizeof(s->telling.note), "%.511s",
	    why->text);
	s->repair_at = clock_monotonic() + REPAIR_AGAIN;
	ask_for_time(s);
}

/* A role found the store's file damaged: nobody may have it open while it is
 * repaired or moved aside. */
static void
repair(struct supervisor *s)
{
	struct err err = ERR_INIT;
	int64_t now = clock_monotonic();

	if (s->repair_kill == 0)
		s->repair_kill = now + REPAIR_TIMEOUT;
	for (size_t i = 0; i < s->all.n; i++)
		child_signal(&s->all.slot[i],
		    now < s->repair_kill ? SIGTERM : SIGKILL);
	if (children_running(&s->all) > 0)
		return;
	s->repair_kill = 0;
	if (clock_monotonic() < s->repair_at)
		return;
	if (prepare_store(s, &err) == -1) {
		if (s->stop_at != 0)
			return;
		log_err("%s", err.text);
		put_off(s, &err);
		return;
	}
	s->damaged = false;
	s->telling.note[0] = '\0';
	if (s->all.n == 0) {
		log_notice("the store can be opened now");
		want_all(s);
	}
	now = clock_monotonic();
	for (size_t i = 0; i < s->all.n; i++)
		/* Who said that it is damaged waits as after any other end. */
		if (s->all.slot[i].restart < now)
			s->all.slot[i].restart = now;
}

/* A full disk gets better without us; a service that is started again and
 * again would not help. */
static int
prepare_or_wait(struct supervisor *s, struct err *err)
{
	if (prepare_store(s, err) == 0) {
		want_all(s);
		return 0;
	}
	if (s->stop_at != 0)
		return 0;
	if (!store_cramped(s->config->agent.store.path))
		return -1;
	log_err("%s; the agent starts as soon as there is room", err->text);
	s->damaged = true;
	put_off(s, err);
	err_clear(err);
	return 0;
}

static void
take_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGTERM:
		case SIGINT:
			begin_stop(s);
			break;
		case SIGHUP:
			s->reload_due = true;
			break;
		case SIGUSR1:
			look_again(s);
			break;
		default: /* SIGCHLD: reap() follows */
			break;
		}
	}
	/* Nobody else may have the store open while it is repaired. */
	if (s->reload_due && !s->apart && s->stop_at == 0) {
		s->reload_due = false;
		reload(s);
	}
}

/* Tell systemd that all is well, as long as it is, and all others who ask. */
static void
ping(struct supervisor *s)
{
	int64_t now = clock_monotonic();

	tell_roles(&s->telling, s->config->agent.store.path, &s->all,
	    INT64_MIN);
	if (s->stop_at == 0)
		tell_status(&s->telling, &s->all);
	if (!s->ready && !s->apart && !s->damaged && s->stop_at == 0)
		tell_late(&s->telling, &s->all);
	if (!s->ready && !s->apart && s->stop_at == 0 && !s->damaged &&
	    children_ready(&s->all)) {
		s->ready = true;
		mem_give_back();
		notify_send("READY=1");
		log_notice("ready: %zu sources, %zu outputs",
		    s->config->n_sources, s->config->n_outputs);
	}
	if (notify_interval() > 0 && now - s->pinged > notify_interval() / 2) {
		s->pinged = now;
		notify_send("WATCHDOG=1");
	}
}

static int
open_signals(struct supervisor *s, struct err *err)
{
	static const int mine[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD };
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(mine) / sizeof(mine[0]); i++)
		(void)sigaddset(&set, mine[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->signals < 0)
		return err_set(err, "signals: %s", strerror(errno));
	return 0;
}

static void
loop(struct supervisor *s)
{
	struct pollfd pfd = { .fd = s->signals, .events = POLLIN };

	for (;;) {
		take_signal(s);
		reap(s);
		if (s->stop_at != 0) {
			go_on_stopping(s);
			if (children_running(&s->all) == 0)
				return;
		} else if (s->damaged ||
		    store_damaged(s->config->agent.store.path)) {
			s->damaged = true;
			repair(s);
		} else {
			if (s->want_again != 0 &&
			    s->want_again <= clock_monotonic())
				want_all(s);
			start_due(s);
			children_watch(&s->all);
			renew(s);
		}
		ping(s);
		(void)poll(&pfd, 1,
		    s->ready && s->stop_at == 0 && children_ready(&s->all)
			? TICK_MS
			: TICK_MS / 10);
	}
}

int
supervise(const char *path, struct config *config, struct err *err)
{
	static _Atomic uint64_t dropped;
	struct supervisor s = {
		.path = path,
		.config = config,
		.signals = -1,
		.lock = { .name = -1, .file = -1 },
		.all = { .began = clock_now(),
		    .cause = "start",
		    .dropped = &dropped,
		    .verdict = { -1, -1 } },
	};
	const struct rlimit none = { 0, 0 };
	int rc = EXIT_WRONG;

	s.all.users = &s.users;
	if (users_settle(config, &s.users, err) == -1 ||
	    walls_check(config, &s.users, err) == -1) {
		log_err("%s", err->text);
		config_free(config);
		return EXIT_CONF;
	}
	log_count_dropped(&dropped);
	curl_late_unload(); /* the configuration's URLs are checked */
	notify_open();
	(void)setrlimit(RLIMIT_CORE, &none); /* secrets stay in memory */
	if (tell_open(&s.telling, &s.all) == -1) {
		(void)err_set(err, "pipe: %s", strerror(errno));
		log_err("%s", err->text);
		goto out;
	}
	tell_begin(&s.telling);
	if (lock_store(&s.lock, config->agent.store.path, LOCK_TIMEOUT, err) ==
		-1 ||
	    open_signals(&s, err) == -1 || prepare_or_wait(&s, err) == -1) {
		log_err("%s", err->text);
		(void)snprintf(s.telling.note, sizeof(s.telling.note), "%.511s",
		    err->text);
		goto out;
	}
	loop(&s);
	s.telling.note[0] = '\0';
	log_notice("stopped");
	rc = EXIT_FINE;
out:
	(void)close(s.signals);
	/* Another agent's store is its own business. */
	if (s.lock.name >= 0)
		tell_roles(&s.telling, s.config->agent.store.path, &s.all,
		    clock_now());
	tell_close(&s.telling, &s.all);
	lock_release(&s.lock);
	children_release(&s.all);
	config_free(s.config);
	return rc;
}
