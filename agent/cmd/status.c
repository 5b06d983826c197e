/*
 * status.c - `sealfeed status`: feeds, outputs and the store.
 *
 * The exit status says whether the status could be read, not whether it is
 * good: what is good enough is for the metrics and /healthz.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "cmd/table.h"
#include "config/config.h"
#include "watch/status.h"

/* Cursor to the upper left, erase what is below (ECMA-48 8.3.21, 8.3.39). */
#define HOME_AND_ERASE "\033[H\033[J"

static const struct cmd_option status_options[] = {
	{ .name = "watch", .help = "Draw anew each second until interrupted." },
	{ .name = NULL },
};

/* Read the store, which may have been replaced since the last time. */
static int
draw(const struct config *config, bool json, struct buf *out, struct err *err)
{
	struct status st = { .now = 0 };
	struct store *s = cmd_store(config, STORE_READ, err);
	int rc = -1;

	if (s == NULL)
		return -1;
	if (status_read(s, config, &st, err) != 0)
		goto out;
	rc = json ? status_json(&st, out) : status_text(&st, out);
	if (rc != 0)
		(void)err_set(err, "the status has more than %d bytes",
		    STATUS_MOST);
out:
	status_release(&st);
	store_close(s);
	return rc;
}

static int
show(const struct config *config, bool json, struct err *err)
{
	struct buf out = BUF_INIT(STATUS_MOST);
	int rc = draw(config, json, &out, err);

	if (rc == 0)
		rc = cmd_print(&out, err);
	buf_release(&out);
	return rc;
}

/* For watching: a store that can't be read now may be there in a second. */
static int
show_again(const struct config *config, bool json, struct err *err)
{
	struct buf out = BUF_INIT(STATUS_MOST);
	struct err why = ERR_INIT;
	int rc = 0;

	if (!json && isatty(STDOUT_FILENO))
		rc = buf_adds(&out, HOME_AND_ERASE);
	if (rc == 0 && draw(config, json, &out, &why) != 0)
		rc = json ? err_set(err, "%s", why.text)
			  : table_wrap(&out, 0, why.text);
	if (rc == 0)
		rc = cmd_print(&out, err);
	buf_release(&out);
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

static int
watch(const struct config *config, bool json, struct err *err)
{
	sigset_t ends, before;
	int rc;

	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGINT);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &ends, &before);
	do {
		rc = show_again(config, json, err);
	} while (rc == 0 && !interrupted(&ends));
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static int
status_run(const struct cmd *cmd, struct cmd_line *line)
{
	struct config *config = cmd_config(line);
	struct err err = ERR_INIT;
	int rc;

	if (config == NULL)
		return EXIT_CONF;
	if (cmd_value(line, "watch") != NULL)
		rc = watch(config, line->json, &err);
	else
		rc = show(config, line->json, &err);
	config_free(config);
	return rc != 0 ? cmd_failed(cmd, &err) : EXIT_FINE;
}

const struct cmd cmd_status = {
	.name = "status",
	.help = "Print feeds with their lag, outputs with their backlog, and "
		"the room in the store. Reads the store, so that it works "
		"while the agent is down. POLLED is the time since the last "
		"poll that succeeded, NEXT the time until the next one, LISTED "
		"what the vendor listed and is still to be fetched, REPEATS "
		"the events kept out because their id was seen. Exits 0 when "
		"the status could be read, whatever it says.",
	.options = status_options,
	.run = status_run,
};
