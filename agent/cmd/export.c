/*
 * export.c - the lines that the store keeps, written out.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/human.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "config/config.h"
#include "store/batch.h"
#include "store/line.h"
#include "store/report.h"

/* A line around a checkpoint's value. */
#define FRAME_MAX 1024

struct export_want {
	const char *agent;
	const char *feed; /* NULL: all */
	uint64_t from;    /* first index */
	uint64_t to;      /* last index, UINT64_MAX: no end */
};

/* What was written of a feed. */
struct export_feed {
	char name[256];
	uint64_t first; /* index of the first event written */
	uint64_t next;  /* index of the last event written, plus one */
	uint64_t events;
	uint64_t missing; /* between first and next, no longer in the store */
	uint64_t checkpoints;
	uint64_t covered; /* size of the last checkpoint written */
};

struct export_done {
	struct export_feed *feed;
	size_t n;
	uint64_t bytes;
	uint64_t damaged;   /* batches in the store that cannot be read */
	char trouble[1024]; /* what is wrong with the first of them */
};

struct feed_worker {
	const struct export_want *want;
	FILE *to;
	struct export_done *done;
	struct gzip *gzip;
	struct buf lines;
	struct buf line;
};

static int
put(struct feed_worker *j, const char *data, size_t len, struct err *err)
{
	if (fwrite(data, 1, len, j->to) != len)
		return err_set(err, "the export cannot be written: %s",
		    strerror(errno));
	j->done->bytes += len;
	return 0;
}

/* The tally of the batch's feed, created with its first batch. */
static struct export_feed *
tally(struct export_done *done, const struct batch *b)
{
	struct export_feed *f;

	for (size_t i = 0; i < done->n; i++)
		if (strcmp(done->feed[i].name, b->feed) == 0)
			return &done->feed[i];
	done->feed =
	    xreallocarray(done->feed, done->n + 1, sizeof(*done->feed));
	f = &done->feed[done->n++];
	*f = (struct export_feed){ .events = 0 };
	(void)snprintf(f->name, sizeof(f->name), "%s", b->feed);
	return f;
}

/* Bytes of the first n lines of s, SIZE_MAX when there are fewer. */
static size_t
skip_lines(const char *s, size_t len, uint64_t n)
{
	const char *at = s, *end = s + len;

	for (; n > 0; n--) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		if (lf == NULL)
			return SIZE_MAX;
		at = lf + 1;
	}
	return (size_t)(at - s);
}

static int
unpack(struct feed_worker *j, const struct batch *b, struct err *err)
{
	buf_clear(&j->lines);
	j->lines.ceiling = b->raw_len;
	if (gzip_unpack(j->gzip, b->payload.data, b->payload.len, &j->lines,
		err) != 0)
		return -1;
	if (j->lines.len == 0 ||
	    skip_lines(j->lines.data, j->lines.len, b->count) != j->lines.len)
		return err_set(err, "it does not hold %zu lines", b->count);
	return 0;
}

/* Write the events [from, to) of the batch, which is decompressed already. */
static int
put_events(struct feed_worker *j, const struct batch *b, uint64_t from,
    uint64_t to, struct err *err)
{
	const struct buf *l = &j->lines;
	size_t at = skip_lines(l->data, l->len, from - b->first);
	size_t end = skip_lines(l->data, l->len, to - b->first);
	struct export_feed *f = tally(j->done, b);

	if (f->events == 0)
		f->first = f->next = from;
	if (from > f->next)
		f->missing += from - f->next;
	f->next = to;
	f->events += to - from;
	return put(j, l->data + at, end - at, err);
}

/* Note a damaged batch and continue: the others are worth having. */
static void
note_damage(struct feed_worker *j, const struct batch *b, struct err *why)
{
	(void)err_prefix(why, "batch %" PRId64 " of %s, events from %" PRIu64,
	    b->id, b->feed, b->first);
	if (j->done->damaged++ == 0)
		(void)snprintf(j->done->trouble, sizeof(j->done->trouble), "%s",
		    why->text);
}

static int
put_checkpoint(struct feed_worker *j, const struct batch *b, struct err *err)
{
	struct export_feed *f = tally(j->done, b);

	buf_clear(&j->line);
	j->line.ceiling = b->checkpoint.len + FRAME_MAX;
	if (line_add(&j->line, LINE_CHECKPOINT,
		(struct line_name){ j->want->agent, b->feed, NULL }, b->size,
		b->checkpoint.data, b->checkpoint.len) != 0)
		return err_set(err, "%s: the checkpoint is too large", b->feed);
	f->checkpoints++;
	f->covered = b->size;
	return put(j, j->line.data, j->line.len, err);
}

static int
put_batch(void *ctx, const struct batch *b, struct err *err)
{
	struct feed_worker *j = ctx;
	const struct export_want *w = j->want;
	struct err why = ERR_INIT;
	uint64_t from = b->first, to = b->first + b->count;

	if (w->from > from)
		from = w->from;
	if (w->to != UINT64_MAX && w->to + 1 < to)
		to = w->to + 1;
	if (from < to && unpack(j, b, &why) != 0)
		note_damage(j, b, &why);
	else if (from < to && put_events(j, b, from, to, err) != 0)
		return -1;
	if (b->checkpoint.len == 0 || b->size <= w->from || b->size - 1 > w->to)
		return 0;
	return put_checkpoint(j, b, err);
}

/* Write to to; *done (zeroed before) is to be released in any case.  -1: the
 * store can't be read or to can't be written. */
static int
export_lines(struct store *s, const struct export_want *want, FILE *to,
    struct export_done *done, struct err *err)
{
	struct feed_worker j = { .want = want, .to = to, .done = done };
	int rc;

	j.gzip = gzip_new();
	rc = batch_walk(s, want->feed, put_batch, &j, err);
	if (rc == 0 && fflush(to) != 0)
		rc = err_set(err, "the export cannot be written: %s",
		    strerror(errno));
	gzip_free(j.gzip);
	buf_release(&j.lines);
	buf_release(&j.line);
	return rc;
}

static void
export_release(struct export_done *done)
{
	free(done->feed);
	*done = (struct export_done){ .n = 0 };
}

static const struct cmd_option export_options[] = {
	{ .name = "feed",
	    .value = "FEED",
	    .help = "Export only this feed, such as contoso/Audit.Exchange; "
		    "check the result with \"sealfeed verify --feed\"." },
	{ .name = "from",
	    .value = "INDEX",
	    .help = "Index of the first event; needs --feed." },
	{ .name = "to",
	    .value = "INDEX",
	    .help = "Index of the last event; needs --feed." },
	{ .name = "output",
	    .value = "FILE",
	    .help = "Write to FILE (mode 0600) instead of standard output." },
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
		return cmd_misused(cmd, "--from is greater than --to");
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
print_feed(const struct export_feed *f)
{
	if (f->events == 0)
		return;
	(void)fprintf(stderr,
	    "%s: %" PRIu64 " events, %" PRIu64 " to %" PRIu64 ", %" PRIu64
	    " checkpoints\n",
	    f->name, f->events, f->first, f->next - 1, f->checkpoints);
	if (f->missing > 0)
		(void)fprintf(stderr,
		    "%s: %" PRIu64
		    " events between these are no longer in the store\n",
		    f->name, f->missing);
	if (f->covered < f->next)
		(void)fprintf(stderr,
		    "%s: events from %" PRIu64
		    " on have no checkpoint in this export\n",
		    f->name, f->covered > f->first ? f->covered : f->first);
}

static const char nothing[] =
    "Nothing to export: the store holds none of the requested events.";
static const char not_kept[] =
    " agent.retain is 0, so events are deleted as soon as every output has "
    "them; raise it to keep an archive.";

static void
print_done(const struct config *config, const struct export_done *done)
{
	char text[HUMAN_TEXT];

	for (size_t i = 0; i < done->n; i++)
		print_feed(&done->feed[i]);
	if (done->bytes > 0)
		(void)fprintf(stderr, "%s written\n",
		    human_bytes(text, done->bytes));
	else
		(void)fprintf(stderr, "%s%s\n", nothing,
		    config->agent.retain == 0 ? not_kept : "");
}

static json_t *
done_json(const struct export_done *done)
{
	json_t *feeds = json_array();

	for (size_t i = 0; i < done->n; i++) {
		const struct export_feed *f = &done->feed[i];

		if (f->events == 0)
			continue;
		(void)json_array_append_new(feeds,
		    json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "feed",
			f->name, "events", (json_int_t)f->events, "first",
			(json_int_t)f->first, "last", (json_int_t)(f->next - 1),
			"missing", (json_int_t)f->missing, "checkpoints",
			(json_int_t)f->checkpoints, "covered",
			(json_int_t)f->covered));
	}
	return json_pack("{s:o, s:I, s:I}", "feeds", feeds, "bytes",
	    (json_int_t)done->bytes, "damaged", (json_int_t)done->damaged);
}

/* Report what was written: on standard error, or for --json with --output on
 * standard output, which has no data then.  Returns the exit status. */
static int
report_done(const struct cmd_line *line, const struct config *config,
    const struct export_done *done)
{
	bool data = cmd_value(line, "output") == NULL;
	int rc = done->damaged == 0 ? EXIT_FINE : EXIT_WRONG;
	struct err err = ERR_INIT;
	json_t *all;

	if (rc != EXIT_FINE)
		(void)err_set(&err,
		    "%" PRIu64 " batches cannot be read, the first: %s",
		    done->damaged, done->trouble);
	if (line->json) {
		all = done_json(done);
		if (rc != EXIT_FINE)
			(void)json_object_update_new(all,
			    cmd_error_json(line->cmd, rc, err.text));
		(void)cmd_print_json(all, data ? stderr : stdout);
		return rc;
	}
	print_done(config, done);
	return rc == EXIT_FINE ? rc : cmd_failed(line->cmd, &err);
}

static int
export_to(struct store *s, const struct export_want *want,
    const struct cmd_line *line, struct export_done *done, struct err *err)
{
	const char *path = cmd_value(line, "output");
	FILE *to;

	if (check_feed(s, want->feed, err) != 0)
		return -1;
	to = open_output(path, err);
	if (to == NULL)
		return -1;
	if (line->json && path == NULL)
		cmd_errors_json(stderr);
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
	want.agent = config->agent.name;
	s = cmd_store(config, STORE_READ, &err);
	if (s == NULL || export_to(s, &want, line, &done, &err) != 0)
		rc = cmd_failed(cmd, &err);
	else
		rc = report_done(line, config, &done);
	export_release(&done);
	store_close(s);
	config_free(config);
	return rc;
}

const struct cmd cmd_export = {
	.name = "export",
	.summary = "Write sealed events and their checkpoints as NDJSON.",
	.help = "Write the sealed events in the store and their checkpoints as "
		"NDJSON lines in commit order, in the form that \"sealfeed "
		"verify\" reads. Delivered events stay in the store for "
		"agent.retain. A checkpoint that also covers events after the "
		"last requested one is left out; events that only it covers "
		"are \"not yet covered\" to verify. What was written is said "
		"on standard error; with --json as an object there, or with "
		"--output on standard output.",
	.options = export_options,
	.run = export_run,
};
