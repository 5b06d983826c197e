/*
 * status.c - `sealfeed status`: what stands still, the feeds, the outputs and
 * the store.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "cmd/columns.h"
#include "cmd/status.h"
#include "cmd/table.h"
#include "config/config.h"
#include "run/lock.h"
#include "watch/status_json.h"

static const struct cmd_option status_options[] = {
	{ .name = "watch",
	    .help =
		"Show it on the full screen until q is pressed, where ? shows "
		"the keys; on what is no terminal, print it every second." },
	{ .name = "check",
	    .help =
		"Print one line with perfdata, as monitoring plugins do; the "
		"exit status is 0 (OK), 1 (WARNING), 2 (CRITICAL) or 3 "
		"(UNKNOWN)." },
	{ .name = "warning",
	    .value = "NAME=LIMIT",
	    .help =
		"More than that (of horizon and certificate: less) is a "
		"warning: lag, delay, horizon and certificate, such as 15m; "
		"backlog, gaps and dead-letters, such as 1000; store, such as "
		"80%; or none. Several are separated by commas. The default is "
		"lag=1h, delay=10m, backlog=none, horizon=24h, store=80%, "
		"gaps=1, dead-letters=1, certificate=30d." },
	{ .name = "critical",
	    .value = "NAME=LIMIT",
	    .help = "The same for what is critical. The default is lag=none, "
		    "delay=1h, backlog=none, horizon=1h, store=95%, gaps=none, "
		    "dead-letters=none, certificate=3d." },
	{ .name = "color",
	    .value = "WHEN",
	    .help =
		"always, never, or auto (the default): on a terminal, unless "
		"NO_COLOR is set or TERM is dumb." },
	{ .name = NULL },
};

void
status_look_at(const struct config *config, const struct limits *limits,
    struct status_view *v)
{
	const char *path = config->agent.store.path;
	struct store *s;
	int held = lock_is_held(path);

	*v = (struct status_view){ .why = ERR_INIT };
	s = cmd_store(config, STORE_READ, &v->why);
	if (s != NULL && status_read(s, config, &v->st, &v->why) != 0) {
		status_release(&v->st);
		store_close(s);
		s = NULL;
	}
	if (s == NULL)
		status_without_store(config, &v->st);
	v->st.life = held < 0 ? STATUS_LIFE_UNKNOWN
	    : held == 1       ? STATUS_RUNS
			      : STATUS_RUNS_NOT;
	if (s == NULL) {
		verdict_without_store(&v->st, v->why.text, &v->verdict);
		return;
	}
	store_close(s);
	verdict_of(&v->st, limits, &v->verdict);
}

void
status_view_release(struct status_view *v)
{
	verdict_release(&v->verdict);
	status_release(&v->st);
}

/* What the command line asks for. */
struct wish {
	bool json, check, colours;
	struct limits limits;
};

static int
render(const struct status_view *v, const struct wish *w, struct buf *out)
{
	const struct status_look look = { .width = columns_of_output(),
		.colours = w->colours,
		.roles = true };

	if (w->json && v->why.text[0] != '\0')
		return status_json_without_store(&v->st, &v->verdict, out);
	if (w->json)
		return status_json(&v->st, &v->verdict, out);
	if (w->check)
		return status_check_line(v, &w->limits, out);
	return status_text(v, &look, out);
}

/* Print it once; *level is what it says.  1: without the store. */
static int
show(const struct config *config, const struct wish *w, enum level *level,
    struct err *err)
{
	struct buf out = BUF_INIT(STATUS_MAX);
	struct status_view v;
	int rc;

	status_look_at(config, &w->limits, &v);
	rc = render(&v, w, &out);
	if (rc != 0)
		(void)err_set(err, "the status is larger than %d bytes",
		    STATUS_MAX);
	if (rc == 0)
		rc = cmd_print(&out, err);
	if (rc == 0 && v.why.text[0] != '\0') {
		(void)err_set(err, "%s", v.why.text);
		rc = 1;
	}
	*level = v.verdict.level;
	buf_release(&out);
	status_view_release(&v);
	return rc;
}

/* Wait a second; true when a signal came that ends the watch.  The signals
 * are blocked, so that none is missed while drawing. */
static bool
interrupted(const sigset_t *ends)
{
	const struct timespec second = { .tv_sec = 1 };

	return sigtimedwait(ends, NULL, &second) > 0;
}

/* Print it every second.  A store that cannot be read now may be readable
 * then. */
static int
repeat(const struct config *config, const struct wish *w, struct err *err)
{
	sigset_t ends, before;
	enum level level;
	int rc;

	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGINT);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &ends, &before);
	do {
		err_clear(err);
		rc = show(config, w, &level, err);
	} while (rc >= 0 && !interrupted(&ends));
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return rc < 0 ? -1 : 0;
}

static bool
is_dumb(void)
{
	const char *term = getenv("TERM");

	return term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0;
}

/* -1: the value is none of those. */
static int
read_colours(const char *when, bool *colours)
{
	const char *no = getenv("NO_COLOR");

	*colours = when != NULL && strcmp(when, "always") == 0;
	if (*colours || (when != NULL && strcmp(when, "never") == 0))
		return 0;
	if (when != NULL && strcmp(when, "auto") != 0)
		return -1;
	*colours = isatty(STDOUT_FILENO) && !is_dumb() &&
	    (no == NULL || no[0] == '\0');
	return 0;
}

static int
read_wish(const struct cmd_line *line, struct wish *w, struct err *err)
{
	const char *when = cmd_value(line, "color");

	w->json = line->json;
	w->check = cmd_value(line, "check") != NULL;
	limits_default(&w->limits);
	for (size_t i = 0; i < line->n_given; i++) {
		const char *name = line->given[i].name;
		bool critical = strcmp(name, "critical") == 0;

		if ((critical || strcmp(name, "warning") == 0) &&
		    limits_set(&w->limits, critical, line->given[i].value,
			err) != 0)
			return -1;
	}
	if (read_colours(when, &w->colours) != 0)
		return err_set(err,
		    "--color: \"%s\" is none of always, never and auto", when);
	if (w->check && cmd_value(line, "watch") != NULL)
		return err_set(err, "--check and --watch exclude each other");
	return 0;
}

/* A plugin that cannot check says so on its line. */
static int
cannot_check(const char *why)
{
	(void)printf("SEALFEED %s - %s\n", level_name(LEVEL_UNKNOWN), why);
	return LEVEL_UNKNOWN;
}

static int
status_of(const struct cmd *cmd, const struct cmd_line *line,
    const struct config *config, const struct wish *w)
{
	struct err err = ERR_INIT;
	enum level level;
	int rc;

	if (cmd_value(line, "watch") == NULL)
		rc = show(config, w, &level, &err);
	else if (!w->json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
	    !is_dumb())
		rc = status_screen(config, &w->limits, w->colours, &err);
	else
		rc = repeat(config, w, &err);
	if (rc >= 0 && w->check)
		return (int)level;
	if (rc > 0 && w->json)
		return EXIT_WRONG; /* it is in there */
	return rc != 0 ? cmd_failed(cmd, &err) : EXIT_FINE;
}

static int
status_run(const struct cmd *cmd, struct cmd_line *line)
{
	struct wish w = { .json = false };
	struct err err = ERR_INIT;
	struct config *config;
	int rc;

	if (read_wish(line, &w, &err) != 0)
		return w.check && !w.json ? cannot_check(err.text)
					  : cmd_misused(cmd, "%s", err.text);
	config = cmd_config(line);
	if (config == NULL)
		return w.check && !w.json
		    ? cannot_check("the configuration has faults; see "
				   "\"sealfeed check\"")
		    : EXIT_CONF;
	rc = status_of(cmd, line, config, &w);
	config_free(config);
	return rc;
}

const struct cmd cmd_status = {
	.name = "status",
	.summary = "Show how the agent does: its feeds, outputs and store.",
	.help =
	    "Print how the agent does in one line, which begins with the worst "
	    "there is; then what stands still or waits with its cause, the "
	    "outputs with their backlog, the feeds with their lag, and the "
	    "room in the store. The status is read from the store and a file "
	    "beside it, so it works while the agent is down. RATE is that of "
	    "the last five minutes, POLLED the time since the last successful "
	    "poll, NEXT the time until the next one, LISTED the number of "
	    "listed items that are not fetched yet, REPEATS the number of "
	    "events dropped because their id was already seen, DEAD the number "
	    "of dead letters. Lines are as wide as the terminal, else 80 "
	    "columns or what COLUMNS says; what there is no room for is left "
	    "out. Without --check the exit status is 0 if the status could be "
	    "read, whatever it says.",
	.options = status_options,
	.run = status_run,
};
