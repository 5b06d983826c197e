/*
 * cmd_export.c - `sealfeed export`: the lines that the store keeps.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/human.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "cmd/export.h"
#include "config/config.h"
#include "store/report.h"

static const struct cmd_option export_options[] = {
	{ .name = "feed",
	    .value = "FEED",
	    .help = "Only this feed, for example contoso/Audit.Exchange; "
		    "\"sealfeed verify --feed\" then checks it alone." },
	{ .name = "from",
	    .value = "INDEX",
	    .help = "The first event to write; needs --feed." },
	{ .name = "to",
	    .value = "INDEX",
	    .help = "The last event to write; needs --feed." },
	{ .name = "output",
	    .value = "FILE",
	    .help = "Write to FILE (mode 0600), not to standard output." },
	{ .name = NULL },
};

/* Read the options; 0 or the exit status. */
static int
read_want(const struct cmd *cmd, const struct cmd_line *line,
    struct export_want *want)
{
	const char *from = cmd_value(line, "from");
	const char *to = cmd_value(line, "to");
	int64_t n;

	want->feed = cmd_value(line, "feed");
	want->to = UINT64_MAX;
	if (want->feed == NULL && (from != NULL || to != NULL))
		return cmd_misused(cmd, "--from and --to need --feed");
	if (from != NULL) {
		if (cmd_number(from, &n) != 0)
			return cmd_misused(cmd, "--from %s is not an index",
			    from);
		want->from = (uint64_t)n;
	}
	if (to != NULL) {
		if (cmd_number(to, &n) != 0)
			return cmd_misused(cmd, "--to %s is not an index", to);
		want->to = (uint64_t)n;
	}
	if (want->from > want->to)
		return cmd_misused(cmd, "--from is behind --to");
	return 0;
}

/* Whether the store knows the feed: a misspelt name is not an empty one. */
static int
check_feed(struct store *s, const char *feed, struct err *err)
{
	struct feed_report f = { .id = 0 };
	int rc;

	if (feed == NULL)
		return 0;
	while ((rc = report_feed(s, f.id, &f, err)) == 1)
		if (strcmp(f.tree, feed) == 0)
			return 0;
	if (rc == 0)
		rc = err_set(err,
		    "%s: the store has no such feed; \"sealfeed status\" "
		    "lists them",
		    feed);
	return rc;
}

static FILE *
open_output(const char *path, struct err *err)
{
	FILE *to;
	int fd;

	if (path == NULL)
		return stdout;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	to = fd < 0 ? NULL : fdopen(fd, "w");
	if (to == NULL) {
		(void)err_set(err, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
	}
	return to;
}

/* Make a file of our own durable; EINVAL says that it is a pipe or such. */
static int
close_output(FILE *to, const char *path, int rc, struct err *err)
{
	if (path == NULL)
		return rc;
	if (rc == 0 && fsync(fileno(to)) != 0 && errno != EINVAL &&
	    errno != EROFS)
		rc = err_set(err, "%s: %s", path, strerror(errno));
	if (fclose(to) != 0 && rc == 0)
		rc = err_set(err, "%s: %s", path, strerror(errno));
	if (rc != 0)
		(void)err_prefix(err, "%s is incomplete", path);
	return rc;
}

static void
say_feed(const struct export_feed *f)
{
	if (f->events == 0)
		return;
	(void)fprintf(stderr,
	    "%s: %" PRIu64 " events, %" PRIu64 " to %" PRIu64 ", %" PRIu64
	    " checkpoints\n",
	    f->name, f->events, f->first, f->next - 1, f->checkpoints);
	if (f->missing > 0)
		(void)fprintf(stderr,
		    "%s: %" PRIu64 " events between these are not kept\n",
		    f->name, f->missing);
	if (f->covered < f->next)
		(void)fprintf(stderr,
		    "%s: events from %" PRIu64
		    " on have no checkpoint in here\n",
		    f->name, f->covered > f->first ? f->covered : f->first);
}

/* How much that was, on standard error: standard output is the data. */
static int
say(const struct cmd *cmd, const struct config *config,
    const struct export_done *done)
{
	char text[HUMAN_TEXT];
	struct err err = ERR_INIT;

	for (size_t i = 0; i < done->n; i++)
		say_feed(&done->feed[i]);
	if (done->bytes > 0)
		(void)fprintf(stderr, "%s written\n",
		    human_bytes(text, done->bytes));
	else
		(void)fprintf(stderr,
		    "Nothing to export: the store keeps no sealed events that "
		    "were asked for.%s\n",
		    config->agent.retain == 0
			? " agent.retain is 0, so that events are deleted as "
			  "soon as every output has them; set it to keep an "
			  "archive."
			: "");
	if (done->damaged == 0)
		return EXIT_FINE;
	(void)err_set(&err, "%" PRIu64 " batches can't be read, the first: %s",
	    done->damaged, done->trouble);
	return cmd_failed(cmd, &err);
}

static int
export_to(struct store *s, const struct export_want *want, const char *path,
    struct export_done *done, struct err *err)
{
	FILE *to;

	if (check_feed(s, want->feed, err) != 0)
		return -1;
	to = open_output(path, err);
	if (to == NULL)
		return -1;
	return close_output(to, path, export_lines(s, want, to, done, err),
	    err);
}

static int
export_run(const struct cmd *cmd, struct cmd_line *line)
{
	struct export_want want = { .feed = NULL };
	struct export_done done = { .n = 0 };
	struct err err = ERR_INIT;
	struct config *config;
	struct store *s;
	int rc = read_want(cmd, line, &want);

	if (rc != 0)
		return rc;
	config = cmd_config(line);
	if (config == NULL)
		return EXIT_CONF;
	s = cmd_store(config, STORE_READ, &err);
	if (s == NULL ||
	    export_to(s, &want, cmd_value(line, "output"), &done, &err) != 0)
		rc = cmd_failed(cmd, &err);
	else
		rc = say(cmd, config, &done);
	export_release(&done);
	store_close(s);
	config_free(config);
	return rc;
}

const struct cmd cmd_export = {
	.name = "export",
	.help = "Write the sealed events that the store keeps, and their "
		"checkpoints, as NDJSON lines in commit order, fit for "
		"\"sealfeed verify\". Delivered events are kept as long as "
		"agent.retain says. A checkpoint that proves events behind "
		"the last one wanted, too, is left out; what only it covers is "
		"\"not yet covered\" for verify.",
	.options = export_options,
	.run = export_run,
};
