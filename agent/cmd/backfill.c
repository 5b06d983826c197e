/*
 * backfill.c - `sealfeed backfill`: have a span of time read from a vendor
 * again.
 *
 * What is asked for lies in the store, and the agent does it: the command only
 * looks on, may be killed, and finds its request again when it is called with
 * the same span.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/human.h"
#include "base/json_put.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "cmd/span.h"
#include "config/config.h"
#include "run/lock.h"
#include "sources/source.h"
#include "store/backfill.h"

#define LOOK_US (CLOCK_SECOND / 2)
/* A vendor may give what its clock is just about to leave out. */
#define JUST CLOCK_HOUR
/* An agent that is started again is away for less than that. */
#define AWAY_MAX CLOCK_MINUTE
#define BAR 24
#define TEXT_MAX ((size_t)1 << 20)

/* What is asked for. */
struct job {
	const struct cmd_line *line;
	const struct config *config;
	const struct config_entry *conf;
	struct source_definition definition;
	bool asks; /* for a span of time */
	int64_t from;
	int64_t to;
	struct backfill *feeds;
	size_t n;
	struct buf notes; /* sentences, each with a newline */
};

static const struct source_type *
type_of(const struct job *j)
{
	return source_type_of(j->conf->type);
}

static int
find_source(struct job *j, const char *name, struct err *err)
{
	struct buf names = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < j->config->n_sources; i++) {
		const struct config_entry *c = &j->config->sources[i];

		if (strcmp(c->name, name) == 0)
			j->conf = c;
		(void)!buf_addf(&names, "%s%s", i > 0 ? ", " : "", c->name);
	}
	if (j->conf == NULL)
		(void)err_set(err, "%s: there is no source \"%s\"; there is %s",
		    j->config->path, name, names.len > 0 ? names.data : "none");
	else
		type_of(j)->define(j->conf->conf, &j->definition);
	buf_release(&names);
	return j->conf != NULL ? 0 : -1;
}

/* Is the stream one of those that --feed names, as "Audit.Exchange" or with the
 * source in front? */
static bool
is_named(const struct job *j, const char *stream, const char *feed)
{
	const size_t len = strlen(j->conf->name);

	if (strncmp(feed, j->conf->name, len) == 0 && feed[len] == '/')
		feed += len + 1;
	return strcmp(stream, feed) == 0;
}

/* All of --feed must be there. */
static int
check_feeds(const struct job *j, struct err *err)
{
	const char *const *streams = j->definition.streams;

	for (size_t i = 0; i < j->line->n_given; i++) {
		const char *feed = j->line->given[i].value;
		size_t k = 0;

		if (strcmp(j->line->given[i].name, "feed") != 0)
			continue;
		while (streams[k] != NULL && !is_named(j, streams[k], feed))
			k++;
		if (streams[k] == NULL)
			return err_set(err,
			    "%s: the source %s has no feed \"%s\"; \"sealfeed "
			    "status\" lists them",
			    j->config->path, j->conf->name, feed);
	}
	return 0;
}

static bool
is_wanted(const struct job *j, const char *stream, bool *named)
{
	bool any = false;

	*named = false;
	for (size_t i = 0; i < j->line->n_given; i++) {
		if (strcmp(j->line->given[i].name, "feed") != 0)
			continue;
		any = true;
		*named = *named || is_named(j, stream, j->line->given[i].value);
	}
	return *named || !any;
}

static void
note(struct job *j, const char *feed, const char *why)
{
	(void)!buf_addf(&j->notes, "%s is left out: %s\n", feed, why);
}

/* Add a feed, where its span can be had; -1 where it should be and cannot. */
static int
add_feed(struct job *j, const char *stream, bool named, struct err *err)
{
	const struct source_type *type = type_of(j);
	char *feed = xasprintf("%s/%s", j->conf->name, stream);
	struct source_bounds b = { .kept = 0 };
	const char *why = type->bounds == NULL
	    ? "sources of this type cannot be asked for a span of time"
	    : type->bounds(j->conf->conf, stream, &b);
	struct backfill *f;
	int64_t oldest;
	int rc = 0;

	oldest = clock_now() - b.kept;
	if (why != NULL && named) {
		rc = err_set(err, "%s: no span of time can be asked for: %s",
		    feed, why);
	} else if (why != NULL) {
		note(j, feed, why);
	} else if (b.kept > 0 && j->from < oldest - JUST) {
		char kept[32], at[CLOCK_TEXT], from[CLOCK_TEXT];

		text_duration_format(kept, b.kept);
		(void)clock_format(oldest, 0, at);
		(void)clock_format(j->from, 0, from);
		rc = err_set(err,
		    "%s: the vendor keeps events for %s, since %s, and %s is "
		    "before that; ask for --from %s or later",
		    feed, kept, at, from, kept);
	} else {
		f = &j->feeds[j->n++];
		*f = (struct backfill){ .from = j->from,
			.to = j->to,
			.begun = INT64_MIN,
			.ended = INT64_MIN };
		(void)snprintf(f->feed, sizeof(f->feed), "%s", feed);
	}
	free(feed);
	return rc;
}

static int
find_feeds(struct job *j, struct err *err)
{
	const char *const *streams = j->definition.streams;
	size_t n = 0;

	if (check_feeds(j, err) != 0)
		return -1;
	while (streams[n] != NULL)
		n++;
	j->feeds = xcalloc(n + 1, sizeof(*j->feeds));
	for (size_t i = 0; i < n; i++) {
		bool named;

		if (is_wanted(j, streams[i], &named) &&
		    add_feed(j, streams[i], named, err) != 0)
			return -1;
	}
	if (j->n == 0)
		return err_set(err,
		    "%s: no feed of this source can be asked "
		    "for a span of time: %s",
		    j->conf->name,
		    j->notes.len > 0 ? strchr(j->notes.data, ':') + 2
				     : "it has none");
	/* Ids are forgotten after a while. */
	if (j->definition.dedupe > 0 &&
	    j->from < clock_now() - j->definition.dedupe) {
		char text[32];

		text_duration_format(text, j->definition.dedupe);
		(void)!buf_addf(&j->notes,
		    "What was collected more than %s ago (dedupe) is no longer "
		    "known by its id; of it, repeats are delivered again.\n",
		    text);
	}
	return 0;
}

/* What the vendor said is shown as far as it can be. */
static int
add_error(struct buf *out, const struct backfill *f)
{
	if (f->error[0] == '\0')
		return 0;
	return buf_adds(out, "; ") != 0 ||
		text_printable(out, f->error, strlen(f->error)) != 0
	    ? -1
	    : 0;
}

/* -- what it says -----------------------------------------------------------
 */

static double
share(const struct backfill *f)
{
	const double all = (double)(f->to - f->from);

	return f->ended != INT64_MIN ? 1 : (double)(f->reached - f->from) / all;
}

static const char *
state(const struct backfill *f)
{
	if (f->ended != INT64_MIN)
		return f->how;
	return f->begun == INT64_MIN ? "waiting" : "running";
}

/* How long the rest takes at the pace so far; -1: it cannot be told yet. */
static int64_t
left(const struct job *j)
{
	double done = 0;
	int64_t begun = INT64_MAX;

	for (size_t i = 0; i < j->n; i++) {
		done += share(&j->feeds[i]) / (double)j->n;
		if (j->feeds[i].begun != INT64_MIN && j->feeds[i].begun < begun)
			begun = j->feeds[i].begun;
	}
	if (done <= 0 || begun == INT64_MAX)
		return -1;
	return (int64_t)((double)(clock_now() - begun) * (1 - done) / done);
}

static void
put_feed(struct json_put *p, const struct backfill *f)
{
	json_put_open(p, NULL, '{');
	json_put_text(p, "feed", f->feed);
	if (f->id != 0)
		json_put_count(p, "id", (uint64_t)f->id);
	json_put_time(p, "from", f->from);
	json_put_time(p, "to", f->to);
	if (f->id != 0) {
		json_put_text(p, "state", state(f));
		json_put_time(p, "reached", f->reached);
		json_put_count(p, "percent", (uint64_t)(100 * share(f)));
		json_put_count(p, "events", f->events);
		json_put_count(p, "repeats", f->repeats);
		json_put_count(p, "listed", f->open);
		json_put_time(p, "asked", f->asked);
		json_put_time(p, "begun", f->begun);
		json_put_time(p, "ended", f->ended);
	}
	if (f->error[0] == '\0')
		json_put_null(p, "error");
	else
		json_put_text(p, "error", f->error);
	json_put_close(p, '}');
}

static int
say_json(const struct job *j, bool dry, struct err *err)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	struct json_put p = JSON_PUT_INIT(&out);
	const int64_t rest = left(j);
	int rc;

	json_put_open(&p, NULL, '{');
	json_put_text(&p, "source", j->conf->name);
	json_put_bool(&p, "dry_run", dry);
	json_put_open(&p, "feeds", '[');
	for (size_t i = 0; i < j->n; i++)
		put_feed(&p, &j->feeds[i]);
	json_put_close(&p, ']');
	if (rest < 0)
		json_put_null(&p, "seconds_left");
	else
		json_put_seconds(&p, "seconds_left", rest);
	json_put_text(&p, "notes", j->notes.len > 0 ? j->notes.data : "");
	json_put_close(&p, '}');
	rc = p.rc != 0 || buf_adds(&out, "\n") != 0
	    ? err_set(err, "too much to say")
	    : cmd_print(&out, err);
	buf_release(&out);
	return rc;
}

static int
say_text(const struct job *j, const char *text, struct err *err)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	int rc = 0;

	if (j->line->json)
		return 0;
	for (size_t i = 0; rc == 0 && i < j->n; i++) {
		const struct backfill *f = &j->feeds[i];
		char from[CLOCK_TEXT], to[CLOCK_TEXT];

		(void)clock_format(f->from, 0, from);
		(void)clock_format(f->to, 0, to);
		rc = buf_addf(&out, "%s from %s to %s", f->feed, from, to);
		if (rc == 0 && f->id != 0)
			rc = buf_addf(&out,
			    ": %s, %" PRIu64 " new event%s, %" PRIu64
			    " that were there",
			    state(f), f->events, f->events == 1 ? "" : "s",
			    f->repeats);
		if (rc == 0)
			rc = add_error(&out, f);
		if (rc == 0)
			rc = buf_adds(&out, "\n");
	}
	if (rc == 0 &&
	    (buf_add(&out, j->notes.data, j->notes.len) != 0 ||
		buf_adds(&out, text) != 0))
		rc = -1;
	rc = rc != 0 ? err_set(err, "too much to say") : cmd_print(&out, err);
	buf_release(&out);
	return rc;
}

/* One line that is written over and over. */
static void
draw(const struct job *j)
{
	const int64_t rest = left(j);
	struct buf why = BUF_INIT(TEXT_MAX);
	char bar[BAR + 1], text[HUMAN_TEXT] = "";
	uint64_t events = 0, repeats = 0;
	double done = 0;

	for (size_t i = 0; i < j->n; i++) {
		const struct backfill *f = &j->feeds[i];

		done += share(f) / (double)j->n;
		events += f->events;
		repeats += f->repeats;
		if (why.len == 0 && f->ended == INT64_MIN)
			(void)!add_error(&why, f);
	}
	for (int i = 0; i < BAR; i++)
		bar[i] = i < (int)(done * BAR) ? '#' : '.';
	bar[BAR] = '\0';
	if (rest > 0)
		(void)human_words(text, rest);
	(void)printf("\r\033[K[%s] %3d %%, %" PRIu64 " new, %" PRIu64
		     " known%s%s%.40s",
	    bar, (int)(done * 100), events, repeats, rest > 0 ? ", about " : "",
	    text, why.len > 0 ? why.data : "");
	(void)fflush(stdout);
	buf_release(&why);
}

/* -- what it does -----------------------------------------------------------
 */

static int
read_again(struct job *j, struct store *s, bool *ended, struct err *err)
{
	*ended = true;
	for (size_t i = 0; i < j->n; i++) {
		struct backfill *f = &j->feeds[i];
		int rc;

		if (f->ended != INT64_MIN)
			continue;
		rc = backfill_get(s, f->id, f, err);
		if (rc == -1)
			return -1;
		if (rc == 0)
			return err_set(err,
			    "%s: the request is no longer in the store; was "
			    "it replaced?",
			    f->feed);
		*ended = *ended && f->ended != INT64_MIN;
	}
	return 0;
}

/* Look on until all have ended. */
static int
wait_for(struct job *j, struct store *s, struct err *err)
{
	const char *path = j->config->agent.store.path;
	const bool bar = !j->line->json && isatty(STDOUT_FILENO) == 1;
	int64_t alive = clock_monotonic();
	bool ended = false;
	int rc = 0;

	while (rc == 0 && !ended) {
		rc = read_again(j, s, &ended, err);
		if (rc == 0 && bar)
			draw(j);
		if (rc != 0 || ended)
			break;
		if (lock_is_held(path) != 0)
			alive = clock_monotonic();
		else if (clock_monotonic() - alive > AWAY_MAX)
			rc = err_set(err,
			    "the agent does not run any more; the backfill "
			    "goes on when it does, and without --from this "
			    "command shows it again");
		(void)usleep((useconds_t)LOOK_US);
	}
	if (bar)
		(void)printf("\r\033[K");
	return rc;
}

static int
ask(struct job *j, struct store *s, struct err *err)
{
	for (size_t i = 0; i < j->n; i++)
		if (backfill_add(s, &j->feeds[i], err) != 0)
			return -1;
	return 0;
}

/* Those that are open of the source's feeds that are meant; end them? */
static int
find_open(struct job *j, struct store *s, bool cancel, struct err *err)
{
	struct backfill b = { .id = 0 };
	const size_t len = strlen(j->conf->name);
	size_t n = 0;
	int rc;

	while ((rc = backfill_after(s, b.id, &b, err)) == 1) {
		bool named;

		if (b.ended != INT64_MIN ||
		    strncmp(b.feed, j->conf->name, len) != 0 ||
		    b.feed[len] != '/' ||
		    !is_wanted(j, b.feed + len + 1, &named))
			continue;
		if (cancel &&
		    (backfill_end(s, b.id, "cancelled", "", err) != 0 ||
			backfill_get(s, b.id, &b, err) != 1))
			return -1;
		j->feeds = xreallocarray(j->feeds, n + 1, sizeof(*j->feeds));
		j->feeds[n++] = b;
	}
	j->n = n;
	if (rc == 0 && n == 0)
		return err_set(err, "%s: no backfill is open%s", j->conf->name,
		    cancel ? "" : "; --from TIME asks for one");
	return rc;
}

/* Of those that ended, one not as it should. */
static int
judge(const struct job *j, struct err *err)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct backfill *f = &j->feeds[i];

		if (f->ended != INT64_MIN && strcmp(f->how, "complete") != 0)
			return err_set(err, "%s: the backfill is %s%s%s",
			    f->feed, f->how, f->error[0] != '\0' ? ": " : "",
			    f->error);
	}
	return 0;
}

/* With the store. */
static int
serve(struct job *j, struct store *s, struct err *err)
{
	const bool waits = cmd_value(j->line, "no-wait") == NULL;
	const bool runs = lock_is_held(j->config->agent.store.path) != 0;
	int rc;

	if (cmd_value(j->line, "cancel") != NULL) {
		if (find_open(j, s, true, err) != 0)
			return -1;
		return j->line->json ? say_json(j, false, err)
				     : say_text(j, "", err);
	}
	if ((j->asks ? ask(j, s, err) : find_open(j, s, false, err)) != 0)
		return -1;
	if (waits && !runs)
		return err_set(err,
		    "the agent does not run: what was asked for is kept, and "
		    "done beside live collection when it runs; with --no-wait "
		    "this is no error");
	rc = waits ? wait_for(j, s, err) : 0;
	if (rc == 0 && waits && j->line->json && judge(j, err) != 0)
		return -1;
	if (rc == 0 && j->line->json)
		return say_json(j, false, err);
	if (rc == 0)
		rc = say_text(j,
		    waits ? ""
			: runs
			? "The agent does it beside live collection; "
			  "\"sealfeed status\" shows how far it is, and "
			  "without "
			  "--from this command.\n"
			: "The agent does not run; it begins when it does.\n",
		    err);
	return rc == 0 ? judge(j, err) : rc;
}

static int
open_and_serve(struct job *j, struct err *err)
{
	struct store *s;
	int rc;

	/* Not to make a store, which is for the agent. */
	s = cmd_store(j->config, STORE_READ, err);
	if (s == NULL)
		return -1;
	store_close(s);
	if (cmd_as_owner(j->config, err) != 0)
		return -1;
	s = cmd_store(j->config, STORE_DURABLE, err);
	if (s == NULL)
		return -1;
	rc = serve(j, s, err);
	store_close(s);
	return rc;
}

static int
do_all(struct job *j, struct err *err)
{
	if (find_source(j, cmd_value(j->line, "source"), err) != 0)
		return -1;
	if (!j->asks)
		return check_feeds(j, err) != 0 ? -1 : open_and_serve(j, err);
	if (find_feeds(j, err) != 0)
		return -1;
	if (cmd_value(j->line, "dry-run") == NULL)
		return open_and_serve(j, err);
	return j->line->json
	    ? say_json(j, true, err)
	    : say_text(j, "Nothing was asked for: this is a dry run.\n", err);
}

static int
backfill_command(const struct cmd *cmd, struct cmd_line *line)
{
	struct job j = { .line = line, .notes = BUF_INIT(TEXT_MAX) };
	struct err err = ERR_INIT;
	struct config *config;
	int rc = 0;

	if (cmd_value(line, "source") == NULL)
		return cmd_misused(cmd, "--source SOURCE is missing");
	j.asks = cmd_value(line, "cancel") == NULL &&
	    (cmd_value(line, "from") != NULL || cmd_value(line, "to") != NULL ||
		cmd_value(line, "dry-run") != NULL);
	if (j.asks)
		rc = cmd_span(cmd, line, &j.from, &j.to);
	if (rc != 0)
		return rc;
	config = cmd_config(line);
	if (config == NULL)
		return EXIT_CONF;
	j.config = config;
	if (do_all(&j, &err) != 0)
		rc = cmd_failed(cmd, &err);
	free(j.feeds);
	buf_release(&j.notes);
	config_free(config);
	return rc;
}

static const struct cmd_option backfill_options[] = {
	{ .name = "source",
	    .value = "SOURCE",
	    .help = "The source whose vendor is asked." },
	{ .name = "feed",
	    .value = "FEED",
	    .help = "Only this feed of it; may be given again. Default: all "
		    "whose vendor can be asked for a span of time." },
	{ .name = "from",
	    .value = "TIME",
	    .help = "What the vendor has from then on: a time as "
		    "2026-11-22T04:00:00Z or 2026-11-22, or how long ago, as "
		    "6h. Without it the backfills that are open are shown." },
	{ .name = "to",
	    .value = "TIME",
	    .help = "… and before this time. Default: now." },
	{ .name = "dry-run",
	    .help = "Only check, and say what would be asked for; the vendor "
		    "is not asked." },
	{ .name = "no-wait",
	    .help = "Say how far it is, and do not wait for its end." },
	{ .name = "cancel",
	    .help = "End those that are open; what is listed already is still "
		    "fetched." },
	{ .name = NULL },
};

const struct cmd cmd_backfill = {
	.name = "backfill",
	.summary = "Read a span of time from a vendor again.",
	.help =
	    "Have the running agent ask a vendor again for a span of time, as "
	    "far as the vendor keeps it: for what happened before the source "
	    "was configured, and for gaps. Times are the vendor's: of Office "
	    "365 when content became available, of S3 when objects were "
	    "written, else of the events. What was collected before stays "
	    "out; what is new has \"via\":\"backfill\" beside it. Live events "
	    "go first: the backfill uses half of the budget of requests at "
	    "most, makes one request at a time, and waits while an output has "
	    "much to deliver. The request lies in the store, so a crash of "
	    "the agent or of this command loses nothing: without --from it "
	    "shows what is open. It ends with status 0 when all is read.",
	.options = backfill_options,
	.run = backfill_command,
};
