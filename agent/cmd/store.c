/*
 * store.c - `sealfeed store`: check, compact and back up the store, and say
 * that it was restored.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/human.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "config/config.h"
#include "run/lock.h"
#include "seal/continuity.h"
#include "store/backup.h"
#include "store/compact.h"
#include "verify/stored.h"

#define FINDINGS_MAX 1000 /* in JSON */
#define SHOW_EVERY (CLOCK_SECOND / 5)

/* What the actions share. */
struct work {
	const struct config *config;
	const char *file; /* the argument, NULL: none */
	bool json;
	bool repair;
	bool agent;    /* one runs on the store */
	bool terminal; /* standard error is one */
	int64_t shown; /* monotonic: when progress was last shown */
	json_t *findings;
};

static volatile sig_atomic_t ended;

static void
end(int sig)
{
	(void)sig;
	ended = 1;
}

/* What is half done is tidied up first. */
static void
catch_ends(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction act = { .sa_handler = end };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		(void)sigaction(ends[i], &act, NULL);
}

/* Is it time to show progress again? */
static bool
due(struct work *w)
{
	const int64_t now = clock_monotonic();

	if (!w->terminal || now - w->shown < SHOW_EVERY)
		return false;
	w->shown = now;
	return true;
}

static void
clear_progress(const struct work *w)
{
	if (w->shown != 0)
		(void)fprintf(stderr, "\r\033[K");
}

/* Half a minute without a word looks like a fault. */
static void
tell_wait(void *ctx)
{
	const struct work *w = ctx;
	const char *path = w->config->agent.store.path;

	if (w->agent)
		(void)fprintf(stderr,
		    "sealfeed store: %s: the agent, which runs, holds it "
		    "locked; waiting up to 30 s. If this goes on, stop the "
		    "agent (\"systemctl stop sealfeed\") and run this again\n",
		    path);
	else
		(void)fprintf(stderr,
		    "sealfeed store: %s: a process that is no agent holds it "
		    "locked; waiting up to 30 s. \"fuser %s\" says which one: "
		    "stop it and run this again\n",
		    path, path);
}

static int
print_json(json_t *root, struct err *err)
{
	int rc = json_dumpf(root, stdout, JSON_COMPACT | JSON_SORT_KEYS);

	json_decref(root);
	if (rc == 0 && putchar('\n') != EOF)
		return 0;
	return err_set(err, "standard output cannot be written");
}

/* -- backup -----------------------------------------------------------------
 */

static int
show_copied(void *ctx, int64_t done, int64_t all)
{
	struct work *w = ctx;

	if (due(w))
		(void)fprintf(stderr, "\rcopied %3lld %%",
		    (long long)(all == 0 ? 100 : done * 100 / all));
	return ended;
}

/* Must the store's free space be kept where the backup goes to? */
static int64_t
kept_free(const struct config *config, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir = slash == NULL ? xstrdup(".")
				  : xstrndup(file, (size_t)(slash - file) + 1);
	struct stat there, here;
	const bool same = stat(config->agent.store.path, &here) != 0 ||
	    stat(dir, &there) != 0 || here.st_dev == there.st_dev;

	free(dir);
	return same ? config->agent.store.min_free : 0;
}

static int
run_backup(struct work *w, struct err *err)
{
	struct backup b = {
		.file = w->file,
		.log = w->config->agent.seal.log,
		.min_free = kept_free(w->config, w->file),
		.progress = show_copied,
		.ctx = w,
		.sound = true,
	};
	struct store *s = cmd_store(w->config, STORE_READ, err);
	const int64_t began = clock_monotonic();
	char size[HUMAN_TEXT];
	double seconds;
	int rc;

	if (s == NULL)
		return -1;
	catch_ends();
	rc = backup_make(s, &b, err);
	store_close(s);
	clear_progress(w);
	if (rc != 0)
		return -1;
	seconds = (double)(clock_monotonic() - began) / (double)CLOCK_SECOND;
	if (w->json)
		return print_json(json_pack("{s:s, s:I, s:f}", "file", b.file,
				      "bytes", (json_int_t)b.bytes, "seconds",
				      seconds),
		    err);
	(void)printf("%s: %s, made in %.1f s.\n", b.file,
	    human_bytes(size, (uint64_t)b.bytes), seconds);
	return 0;
}

/* -- check ------------------------------------------------------------------
 */

static void
show_finding(void *ctx, const char *text)
{
	struct work *w = ctx;

	clear_progress(w);
	if (!w->json)
		(void)printf("%s\n", text);
	else if (json_array_size(w->findings) < FINDINGS_MAX)
		(void)json_array_append_new(w->findings, json_string(text));
}

static int
show_read(void *ctx, uint64_t batches)
{
	struct work *w = ctx;

	if (due(w))
		(void)fprintf(stderr, "\r%" PRIu64 " batches read", batches);
	return ended;
}

static int
print_checked(struct work *w, const struct stored *v, struct err *err)
{
	if (w->json)
		return print_json(json_pack("{s:O, s:I, s:I, s:I, s:I, s:I}",
				      "findings", w->findings, "found",
				      (json_int_t)v->findings, "batches",
				      (json_int_t)v->batches, "events",
				      (json_int_t)v->events, "checkpoints",
				      (json_int_t)v->checkpoints, "uncovered",
				      (json_int_t)v->uncovered),
		    err);
	(void)printf("%" PRIu64 " batches with %" PRIu64
		     " events read, %" PRIu64 " checkpoints recomputed",
	    v->batches, v->events, v->checkpoints);
	if (v->uncovered > 0)
		(void)printf(", %" PRIu64
			     " events whose checkpoint covers delivered ones, "
			     "too",
		    v->uncovered);
	(void)printf(".\n");
	if (v->findings == 0)
		(void)printf("The store is sound.\n");
	else if (w->repair)
		(void)printf("%" PRIu64 " findings. The agent repairs the "
			     "store now, or when it starts.\n",
		    v->findings);
	else
		(void)printf("%" PRIu64 " findings. \"sealfeed store check "
			     "--repair\" has the agent repair the store.\n",
		    v->findings);
	return 0;
}

/* Returns 1 where something was found. */
static int
run_check(struct work *w, struct err *err)
{
	struct stored v = {
		.finding = show_finding, .progress = show_read, .ctx = w
	};
	struct store *s;
	int rc;

	if (w->repair && w->file != NULL)
		return err_set(err,
		    "--repair is for the agent's store, not for a file");
	if (w->repair && cmd_as_owner(w->config, err) != 0)
		return -1;
	s = w->file == NULL ? cmd_store(w->config, STORE_READ, err)
			    : store_open(w->file, STORE_COPY, err);
	if (s == NULL)
		return -1;
	catch_ends();
	w->findings = json_array();
	rc = stored_check(s, &v, err);
	clear_progress(w);
	if (v.findings > 0 && w->repair)
		store_flag_damage(s);
	store_close(s);
	if (rc == 0)
		rc = print_checked(w, &v, err);
	json_decref(w->findings);
	return rc != 0 ? -1 : v.findings > 0;
}

/* -- compact ----------------------------------------------------------------
 */

/* Not to make a store, which is for the agent. */
static int
there_must_be_one(const struct config *config, const char *remedy,
    struct err *err)
{
	struct stat st;

	if (stat(config->agent.store.path, &st) != 0)
		return err_set(err, "%s: %s; %s", config->agent.store.path,
		    strerror(errno), remedy);
	if (S_ISREG(st.st_mode) && st.st_size == 0)
		return err_set(err, "%s: an empty file; %s",
		    config->agent.store.path, remedy);
	return 0;
}

/* Stopped, or between the transactions of the agent that runs. */
static int
compact(const struct config *config, struct compact *c, bool *running,
    struct err *err)
{
	const char *path = config->agent.store.path;
	struct err busy = ERR_INIT;
	struct store_lock lock;
	struct store *s;
	int rc;

	/* Also to be told of one that is missing, or older. */
	s = cmd_store(config, STORE_RELAXED, err);
	if (s == NULL)
		return -1;
	*running = lock_store(&lock, path, 0, &busy) != 0;
	rc = *running ? compact_running(s, c, err) : 0;
	store_close(s);
	if (*running)
		return rc;
	rc = compact_stopped(path, c, err);
	lock_release(&lock);
	return rc;
}

static int
run_compact(struct work *w, struct err *err)
{
	struct compact c = { .before = 0 };
	char before[HUMAN_TEXT], after[HUMAN_TEXT];
	bool running;

	if (there_must_be_one(w->config, "the agent has not run yet", err) !=
		0 ||
	    cmd_as_owner(w->config, err) != 0 ||
	    compact(w->config, &c, &running, err) != 0)
		return -1;
	if (w->json)
		return print_json(json_pack("{s:I, s:I, s:b}", "before",
				      (json_int_t)c.before, "after",
				      (json_int_t)c.after, "rewritten",
				      !running),
		    err);
	(void)printf("%s: %s, was %s%s.\n", w->config->agent.store.path,
	    human_bytes(after, (uint64_t)c.after),
	    human_bytes(before, (uint64_t)c.before),
	    running ? "; while the agent is stopped it can be rewritten" : "");
	return 0;
}

/* -- restored ---------------------------------------------------------------
 */

/* 0 and *n trees, -1. */
static int
restored(const struct config *config, size_t *n, struct err *err)
{
	struct continuity c = { .agent = config->agent.name,
		.path = config->agent.seal.log };
	struct store_lock lock;
	int rc = -1;

	if (there_must_be_one(config, "put the backup there first", err) != 0 ||
	    cmd_as_owner(config, err) != 0)
		return -1;
	if (lock_store(&lock, config->agent.store.path, 0, err) != 0)
		return -1;
	c.store = store_open(config->agent.store.path, STORE_DURABLE, err);
	if (c.store != NULL)
		rc = continuity_restored(&c, n, err);
	store_close(c.store);
	lock_release(&lock);
	return rc;
}

static int
run_restored(struct work *w, struct err *err)
{
	size_t n = 0;

	if (restored(w->config, &n, err) != 0)
		return -1;
	if (w->json)
		return print_json(json_pack("{s:I}", "new_trees",
				      (json_int_t)n),
		    err);
	(void)printf("%zu feeds begin a new tree when the agent starts.\n", n);
	return 0;
}

/* -- the subcommand ---------------------------------------------------------
 */

static const struct action {
	const char *name;
	int min, max; /* files */
	/* 0, 1 something was found, -1. */
	int (*run)(struct work *w, struct err *err);
} actions[] = {
	{ "check", 0, 1, run_check },
	{ "compact", 0, 0, run_compact },
	{ "backup", 1, 1, run_backup },
	{ "restored", 0, 0, run_restored },
};

static const struct action *
find_action(const char *name)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	}
	return NULL;
}

static int
store_run(const struct cmd *cmd, struct cmd_line *line)
{
	const struct action *a = find_action(line->argv[0]);
	struct work w = {
		.file = line->argc > 1 ? line->argv[1] : NULL,
		.json = line->json,
		.repair = cmd_value(line, "repair") != NULL,
		.terminal = isatty(STDERR_FILENO) == 1,
	};
	struct err err = ERR_INIT;
	struct config *config;
	int rc;

	if (a == NULL)
		return cmd_misused(cmd,
		    "\"%.40s\" is unknown; known: check, compact, backup, "
		    "restored",
		    line->argv[0]);
	if (line->argc - 1 < a->min || (w.file != NULL && w.file[0] == '\0'))
		return cmd_misused(cmd, "%s: name a file", a->name);
	if (line->argc - 1 > a->max)
		return cmd_misused(cmd, "%s: too many arguments", a->name);
	if (w.repair && a->run != run_check)
		return cmd_misused(cmd, "--repair goes with check");
	config = cmd_config(line);
	if (config == NULL)
		return EXIT_CONF;
	w.config = config;
	w.agent = lock_is_held(config->agent.store.path) == 1;
	ended = 0;
	store_on_wait(tell_wait, &w);
	rc = a->run(&w, &err);
	store_on_wait(NULL, NULL);
	config_free(config);
	if (rc < 0)
		return cmd_failed(cmd, &err);
	return rc == 0 ? EXIT_FINE : EXIT_WRONG;
}

static const struct cmd_option store_options[] = {
	{ .name = "repair",
	    .help = "With check: where something is found, have the agent "
		    "repair the store, at once if it runs." },
	{ .name = NULL },
};

const struct cmd cmd_store_state = {
	.name = "store",
	.arguments = "check|compact|backup|restored [FILE]",
	.summary = "Check, compact or back up the store.",
	.help =
	    "\"store check\" reads the whole store, or a backup of it: its "
	    "pages and indexes, tables that contradict each other, and every "
	    "event that is kept, which is hashed again and held against what "
	    "was committed and signed. The exit status is 1 if something is "
	    "found. \"store backup\" copies the store into a new file, "
	    "readable by its owner only, while the agent runs, and with it the "
	    "log of what was signed; key and configuration are not in it. An "
	    "agent that finds a backup in the place of its store goes on with "
	    "it in new trees, so that no index stands for two events. \"store "
	    "compact\" makes the file smaller: in small steps while the agent "
	    "runs; while it is stopped the file is written anew, which needs "
	    "room for another. \"store restored\" says that the store was "
	    "restored in another way, such as by a snapshot of the machine: "
	    "every feed that has events goes on in a new tree. The agent "
	    "notices this by itself as long as the log of what was signed "
	    "(agent.seal.log) is there and newer; the command is for when that "
	    "was lost or restored, too, and begins another log in place of one "
	    "that is gone or damaged. What was collected and not signed is "
	    "fetched again from the vendor; the agent must be stopped. Run "
	    "these as root or as the agent's user.",
	.options = store_options,
	.min = 1,
	.max = 2,
	.run = store_run,
};
