/*
 * trace.c - `sealfeed trace`: the path of one event.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_put.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "config/config.h"
#include "store/report.h"

/* An id may be in several feeds and trees. */
#define PLACES_MAX 64
#define OUT_MAX (1 << 20)

/* The states in words, for people and for --json. */
static const struct {
	const char *people;
	const char *json;
} states[] = {
	[TRACE_WAITING] = { "waiting", "waiting" },
	[TRACE_DELIVERED] = { "delivered", "delivered" },
	[TRACE_DEAD_LETTER] = { "dead letter", "dead_letter" },
};

/* Steps before the outputs. */
static const struct {
	const char *name;
	size_t offset;
	bool needs_item;
} steps[] = {
	{ "available", offsetof(struct trace, created), true },
	{ "listed", offsetof(struct trace, listed), true },
	{ "fetched", offsetof(struct trace, fetched), true },
	{ "committed", offsetof(struct trace, committed), false },
	{ "sealed", offsetof(struct trace, sealed), false },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static int64_t
step_time(const struct trace *t, size_t step)
{
	int64_t when;

	memcpy(&when, (const char *)t + steps[step].offset, sizeof(when));
	return when;
}

/* Print one line: what happened, when, and a detail. */
static int
add_step(struct buf *out, const char *what, int64_t when, const char *otherwise,
    const char *more)
{
	char time[CLOCK_TEXT] = "";

	if (when != INT64_MIN)
		(void)clock_format(when, 6, time);
	if (buf_adds(out, "  ") != 0 ||
	    text_printable(out, what, strlen(what)) != 0 ||
	    buf_addf(out, "%*s %s",
		(int)(strlen(what) < 14 ? 14 - strlen(what) : 0), "",
		when == INT64_MIN ? otherwise : time) != 0)
		return -1;
	if (more[0] != '\0' &&
	    (buf_adds(out, "  ") != 0 ||
		text_printable(out, more, strlen(more)) != 0))
		return -1;
	return buf_adds(out, "\n");
}

static int
say_output(struct buf *out, const struct trace_output *o)
{
	char more[700] = "";

	if (o->state == TRACE_WAITING)
		return add_step(out, o->name, INT64_MIN, "waiting", "");
	if (o->state == TRACE_DELIVERED && o->mode[0] != '\0')
		(void)snprintf(more, sizeof(more), "delivered, %s%s", o->mode,
		    o->held ? ", held for now" : "");
	else
		(void)snprintf(more, sizeof(more), "%s%s%s",
		    states[o->state].people, o->reason[0] == '\0' ? "" : ": ",
		    o->reason);
	return add_step(out, o->name, o->time,
	    o->held ? "lately" : "some time ago", more);
}

int
cmd_trace_text(struct store *s, const struct trace *t, struct buf *out,
    struct err *err)
{
	struct trace_output o = { .name = "" };
	int rc =
	    buf_addf(out, "%s, index %" PRIu64 "\n", t->feed, t->place.index);

	if (rc == 0 && t->version_of[0] != '\0')
		rc = buf_addf(out, "  a version of   %s, which has its id\n",
		    t->version_of);

	for (size_t i = 0; i < STEPS && rc == 0; i++) {
		if (steps[i].needs_item && t->item == 0)
			continue;
		rc = add_step(out, steps[i].name, step_time(t, i),
		    t->batch == 0 ? "no longer known" : "not yet",
		    i == 0 ? t->key : "");
	}
	while (rc == 0 && (rc = trace_output(s, t, o.name, &o, err)) == 1)
		rc = say_output(out, &o);
	return rc;
}

int
cmd_trace_json(struct store *s, const struct trace *t, struct json_put *j,
    struct err *err)
{
	struct trace_output o = { .name = "" };
	int rc;

	json_put_open(j, NULL, '{');
	json_put_text(j, "feed", t->feed);
	json_put_count(j, "index", t->place.index);
	if (t->version_of[0] == '\0')
		json_put_null(j, "version_of");
	else
		json_put_text(j, "version_of", t->version_of);
	if (t->item == 0)
		json_put_null(j, "item");
	else
		json_put_text(j, "item", t->key);
	for (size_t i = 0; i < STEPS; i++)
		json_put_time(j, steps[i].name,
		    steps[i].needs_item && t->item == 0 ? INT64_MIN
							: step_time(t, i));
	json_put_open(j, "outputs", '[');
	while ((rc = trace_output(s, t, o.name, &o, err)) == 1) {
		json_put_open(j, NULL, '{');
		json_put_text(j, "output", o.name);
		json_put_text(j, "state", states[o.state].json);
		json_put_time(j, "time", o.time);
		json_put_text(j, "mode", o.mode);
		json_put_bool(j, "held", o.held);
		if (o.reason[0] == '\0')
			json_put_null(j, "reason");
		else
			json_put_text(j, "reason", o.reason);
		json_put_close(j, '}');
	}
	json_put_close(j, ']');
	json_put_close(j, '}');
	return rc;
}

/* What the argument means: "FEED:INDEX", else an id. */
static int
find(struct store *s, const char *what, struct trace_place *places, size_t *n,
    struct err *err)
{
	const char *colon = strrchr(what, ':');
	char feed[256];
	int64_t index;

	*n = 0;
	if (colon != NULL && (size_t)(colon - what) < sizeof(feed) &&
	    cmd_number(colon + 1, &index) == 0) {
		(void)snprintf(feed, sizeof(feed), "%.*s", (int)(colon - what),
		    what);
		if (trace_find_index(s, feed, (uint64_t)index, places,
			PLACES_MAX, n, err) != 0)
			return -1;
	}
	if (*n == 0 && trace_find(s, what, places, PLACES_MAX, n, err) != 0)
		return -1;
	if (*n == 0)
		return err_set(err,
		    "no event with the id \"%s\" is known: it was never "
		    "collected, or was delivered to every output long ago",
		    what);
	return 0;
}

static int
trace(struct store *s, const char *what, bool json, struct err *err)
{
	struct trace_place places[PLACES_MAX];
	struct buf out = BUF_INIT(OUT_MAX);
	struct json_put j = JSON_PUT_INIT(&out);
	struct trace t;
	size_t n;
	int rc = find(s, what, places, &n, err);

	if (rc == 0 && json)
		json_put_open(&j, NULL, '[');
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = trace_read(s, &places[i], &t, err);
		if (rc == 0)
			rc = json ? cmd_trace_json(s, &t, &j, err)
				  : cmd_trace_text(s, &t, &out, err);
	}
	if (rc == 0 && json) {
		json_put_close(&j, ']');
		if (j.rc != 0 || buf_adds(&out, "\n") != 0)
			rc = err_set(err, "the result is too large");
	}
	if (rc == 0)
		rc = cmd_print(&out, err);
	buf_release(&out);
	return rc;
}

static int
trace_run(const struct cmd *cmd, struct cmd_line *line)
{
	struct config *config = cmd_config(line);
	struct err err = ERR_INIT;
	struct store *s;
	int rc = -1;

	if (config == NULL)
		return EXIT_CONF;
	s = cmd_store(config, STORE_READ, &err);
	if (s != NULL)
		rc = trace(s, line->argv[0], line->json, &err);
	store_close(s);
	config_free(config);
	return rc != 0 ? cmd_failed(cmd, &err) : EXIT_FINE;
}

const struct cmd cmd_trace = {
	.name = "trace",
	.arguments = "ID",
	.summary = "Show the path of one event.",
	.help =
	    "Show the path of one event with the time of each step: listed, "
	    "fetched, committed, sealed, delivered to each output. ID is the "
	    "vendor's id of the event, or FEED:INDEX. Events that have one id "
	    "and different bytes are all shown, the later ones as versions of "
	    "the first. An event is known for a "
	    "day after every output has it, or for the feed's dedupe time if "
	    "that is longer. The exit status is 1 if the event is not known.",
	.min = 1,
	.max = 1,
	.run = trace_run,
};
