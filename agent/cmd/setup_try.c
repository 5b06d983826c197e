/*
 * setup_try.c - does what setup made work?  As the service's user, in processes
 * of their own.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_put.h"
#include "cmd/check_private.h"
#include "cmd/cmd.h"
#include "cmd/cmd_setup.h"
#include "cmd/cmd_store.h"
#include "config/config.h"
#include "config/secret.h"
#include "evidence/key.h"
#include "run/lock.h"
#include "run/types.h"
#include "setup/first_event.h"
#include "setup/terminal.h"
#include "store/report.h"
#include "store/trouble.h"

#define OUTPUT_MAX (1 << 20)
#define LOOK_MS 250
#define LOG_LINES 20

/* A child in which signals do what they do by default.  One that comes before
 * that has to wait, or the handler of this process would take it, and the child
 * go on. */
static pid_t
fork_plain(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t all, before;
	pid_t pid;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	for (size_t i = 0; pid == 0 && i < sizeof(ends) / sizeof(ends[0]); i++)
		(void)signal(ends[i], SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* A subcommand as its own user would call it, in a child: its process id.  out
 * and err become its standard streams, -1: as they are. */
static pid_t
start(struct setup *s, const struct cmd *cmd, const char *option, int out,
    int error, struct err *err)
{
	struct cmd_line line = {
		.cmd = cmd,
		.all = s->line->all,
		.config = s->place.config,
		.json = s->json,
	};
	pid_t pid;

	(void)fflush(NULL);
	pid = fork_plain();
	if (pid < 0)
		return err_set(err, "no process can be started: %s",
		    strerror(errno));
	if (pid > 0)
		return pid;
	line.given = calloc(1, sizeof(*line.given));
	if (line.given == NULL || (out >= 0 && dup2(out, STDOUT_FILENO) < 0) ||
	    (error >= 0 && dup2(error, STDERR_FILENO) < 0) ||
	    place_become(&s->place, err) != 0) {
		(void)fprintf(stderr, "sealfeed setup: %s\n", err->text);
		_exit(EXIT_WRONG);
	}
	if (option != NULL) {
		line.given[0].name = option;
		line.given[0].value = "";
		line.n_given = 1;
	}
	out = cmd->run(cmd, &line);
	(void)fflush(NULL);
	_exit(out);
}

/* Its exit status; it is stopped when this process is interrupted. */
static int
finish(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return EXIT_WRONG;
		if (terminal_interrupted())
			(void)kill(pid, SIGTERM);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_WRONG;
}

/* Read what a child says until it ends. */
static void
hear(int fd, struct buf *out)
{
	char *to;
	ssize_t n;

	for (;;) {
		to = buf_room(out, 4096);
		if (to == NULL)
			return;
		n = read(fd, to, 4096);
		if (n < 0 && errno == EINTR && !terminal_interrupted())
			continue;
		if (n <= 0)
			return;
		out->len += (size_t)n;
		out->data[out->len] = '\0';
	}
}

/* Run a subcommand, and with said take what it says, which then ends with NUL:
 * its exit status. */
static int
listen_to(struct setup *s, const struct cmd *cmd, const char *option,
    struct buf *said, struct err *err)
{
	int ends[2] = { -1, -1 }, rc;
	pid_t pid;

	if (said != NULL && pipe(ends) != 0) {
		(void)err_set(err, "no pipe: %s", strerror(errno));
		return EXIT_WRONG;
	}
	pid = start(s, cmd, option, ends[1], -1, err);
	if (ends[1] >= 0)
		(void)close(ends[1]);
	if (pid > 0 && ends[0] >= 0)
		hear(ends[0], said);
	if (ends[0] >= 0)
		(void)close(ends[0]);
	rc = pid > 0 ? finish(pid) : EXIT_WRONG;
	if (rc != EXIT_FINE && terminal_interrupted())
		(void)err_set(err, "interrupted while checking");
	return rc;
}

int
setup_check(struct setup *s, struct err *err)
{
	struct buf said = BUF_INIT(OUTPUT_MAX);
	int rc;

	(void)fprintf(s->out, "\nChecking%s:\n",
	    s->place.service ? " as the user " PLACE_USER : "");
	rc = listen_to(s, &cmd_check, "live", s->json ? &said : NULL, err);
	if (said.len > 0) {
		json_decref(s->check);
		s->check = json_loadb(said.data, said.len, 0, NULL);
	}
	buf_release(&said);
	return rc;
}

static void
say_of(const struct check_secret *secret, bool *found, const struct err *err)
{
	(void)printf("%s: %s: %s\n", secret->subject, secret->key, err->text);
	*found = true;
}

static bool
is_seal_key(const struct check_secret *s)
{
	return strcmp(s->subject, "agent") == 0 && strcmp(s->key, "key") == 0;
}

/* check_secret_fn, of *ctx: something was found. */
static void
read_secret(void *ctx, const struct check_secret *secret)
{
	struct err err = ERR_INIT;
	struct signer *signer;
	bool *found = ctx;
	char *text;

	/* The service manager gives it to the service alone. */
	if (strstr(secret->text, "${credential:") != NULL)
		return;
	text = secret->pem ? secret_resolve_pem(secret->text, &err)
			   : secret_resolve(secret->text, &err);
	if (text == NULL) {
		say_of(secret, found, &err);
	} else if (is_seal_key(secret) && !signer_is_uri(text)) {
		signer = signer_open("any", text, &err);
		if (signer == NULL) {
			(void)secret_blame(secret->text, &err);
			say_of(secret, found, &err);
		}
		signer_free(signer);
	}
	secret_free(text);
}

/* struct cmd: says what cannot be read, a line each. */
static int
look_run(const struct cmd *cmd, struct cmd_line *line)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct config *config =
	    config_load(line->config, &agent_types, &errors);
	bool found = false;

	(void)cmd;
	if (config != NULL)
		check_all_secrets(config, read_secret, &found);
	for (size_t i = 0; i < errors.n; i++)
		(void)printf("%s\n", errors.line[i]);
	found = found || config == NULL;
	config_errors_release(&errors);
	config_free(config);
	return found ? EXIT_WRONG : EXIT_FINE;
}

int
setup_look(struct setup *s, struct err *err)
{
	static const struct cmd look = { .name = "setup", .run = look_run };
	struct buf said = BUF_INIT(OUTPUT_MAX);
	char *line, *save = NULL;
	int rc = listen_to(s, &look, NULL, &said, err);

	line = said.len == 0 ? NULL : strtok_r(said.data, "\n", &save);
	for (; line != NULL; line = strtok_r(NULL, "\n", &save))
		setup_fail(s, line);
	buf_release(&said);
	return rc;
}

/* How the search goes. */
struct search {
	struct trace trace;
	bool own;       /* the agent's own feed serves, too */
	struct err why; /* the store could not be asked; "" it could */
};

/* 1: found; 0: not yet, since the agent may just be making the store, too;
 * -1. */
static int
look(const struct setup *s, struct search *f, struct err *err)
{
	struct store *store;
	int rc;

	if (access(s->config->agent.store.path, F_OK) != 0)
		return 0;
	err_clear(&f->why);
	store = cmd_store(s->config, STORE_READ, &f->why);
	if (store == NULL)
		return 0;
	rc = first_event(store, s->config, f->own, &f->trace, err);
	store_close(store);
	return rc;
}

static int
tell_event(struct setup *s, const struct search *f, const char *title,
    struct err *err)
{
	struct buf out = BUF_INIT(OUTPUT_MAX), json = BUF_INIT(OUTPUT_MAX);
	struct json_put j = JSON_PUT_INIT(&json);
	struct store *store = cmd_store(s->config, STORE_READ, err);
	int rc = -1;

	if (store != NULL)
		rc = cmd_trace_text(store, &f->trace, &out, err);
	if (rc == 0)
		rc = cmd_trace_json(store, &f->trace, &j, err);
	if (rc == 0)
		(void)fprintf(s->out, "\n%s\n%s", title, out.data);
	if (rc == 0 && !f->own)
		s->event = json_loadb(json.data, json.len, 0, NULL);
	store_close(store);
	buf_release(&out);
	buf_release(&json);
	return rc;
}

/* What stands still by now, with its cause. */
static void
tell_troubles(struct setup *s)
{
	struct err ignored = ERR_INIT;
	struct store *store = cmd_store(s->config, STORE_READ, &ignored);
	struct output_report o = { .name = "" };

	while (store != NULL && report_output(store, o.name, &o, &ignored) == 1)
		if (o.error[0] != '\0')
			(void)fprintf(s->out, "  %s: %s\n", o.name, o.error);
	store_close(store);
}

/* No event of a source came in time: say what is known. */
static int
tell_none(struct setup *s, struct err *err)
{
	struct search own = { .own = true };
	int rc = look(s, &own, err);

	(void)fprintf(s->out,
	    "\nNo event of a source has been delivered yet. A quiet account "
	    "has none for a\nwhile, and a new subscription can take the vendor "
	    "hours; the agent goes on from\nhere.\n");
	if (own.why.text[0] != '\0')
		(void)fprintf(s->out, "  %s\n", own.why.text);
	tell_troubles(s);
	if (rc == 1)
		rc = tell_event(s, &own,
		    "The agent's own first event shows that delivery works:",
		    err);
	return rc < 0 ? EXIT_WRONG : EXIT_FINE;
}

/* The agent's last words. */
static void
tell_log(FILE *log)
{
	char line[1024];
	long lines = 0, skip;

	rewind(log);
	while (fgets(line, sizeof(line), log) != NULL)
		lines++;
	skip = lines - LOG_LINES;
	rewind(log);
	while (fgets(line, sizeof(line), log) != NULL)
		if (skip-- <= 0)
			(void)fputs(line, stderr);
}

/* Look again and again, until it is found, time is over, or the agent of our
 * own (0: none) has ended, whose status then is in *ended. */
static int
watch(struct setup *s, struct search *f, pid_t *agent, int *ended,
    struct err *err)
{
	const int64_t until = clock_monotonic() + s->wait;
	int rc = 0, status;

	while (rc == 0 && clock_monotonic() < until &&
	    !terminal_interrupted()) {
		(void)poll(NULL, 0, LOOK_MS);
		if (*agent > 0 && waitpid(*agent, &status, WNOHANG) == *agent) {
			*agent = 0;
			*ended = WIFEXITED(status) ? WEXITSTATUS(status)
						   : EXIT_WRONG;
			return 0;
		}
		rc = look(s, f, err);
	}
	return rc;
}

/* With an agent of our own. */
static int
run_and_watch(struct setup *s, struct search *f, struct err *err)
{
	FILE *log = tmpfile();
	int ended = -1, rc = -1;
	pid_t agent = -1;

	if (log == NULL)
		(void)err_set(err, "no temporary file: %s", strerror(errno));
	else
		agent = start(s, &cmd_run, NULL, fileno(log), fileno(log), err);
	if (agent > 0)
		rc = watch(s, f, &agent, &ended, err);
	if (agent > 0) {
		(void)kill(agent, SIGTERM);
		(void)finish(agent);
	}
	if (ended >= 0 && !terminal_interrupted()) {
		tell_log(log);
		rc = err_set(err,
		    "the agent has ended with status %d; its last words are "
		    "above",
		    ended);
	}
	if (log != NULL)
		(void)fclose(log);
	return rc;
}

int
setup_wait(struct setup *s, struct err *err)
{
	struct search f = { .own = false };
	const bool runs = lock_is_held(s->config->agent.store.path) == 1;
	pid_t nobody = 0;
	int rc, ended;

	if (runs && s->plan.n > 0) {
		(void)fprintf(s->out,
		    "\nThe agent runs, with the configuration of before.\n");
		return EXIT_FINE;
	}
	rc = look(s, &f, err);
	if (rc == 0) {
		(void)fprintf(s->out,
		    "\nWaiting up to %lld s for the first event; Ctrl-C skips "
		    "this ...\n",
		    (long long)(s->wait / CLOCK_SECOND));
		(void)fflush(s->out);
		rc = runs ? watch(s, &f, &nobody, &ended, err)
			  : run_and_watch(s, &f, err);
	}
	if (rc == 1)
		return tell_event(s, &f, "The first event and its way:", err) ==
			0
		    ? EXIT_FINE
		    : EXIT_WRONG;
	return rc == 0 ? tell_none(s, err) : EXIT_WRONG;
}
