/*
 * dead_letters.c - `sealfeed dead-letters`: list, retry, drop and show.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/human.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "cmd/table.h"
#include "config/config.h"
#include "store/position.h"

/* Ceiling of buffers that take an event; any event in the store fits. */
#define DEAD_LETTER_BYTES_MAX (SIZE_MAX / 2)

struct dead_letters_verb {
	const char *name; /* also the kind of the request */
	const char *will; /* what happens to them, in words */
	bool here;        /* can be done without the output's process */
};

struct dead_letters_order {
	const struct config *config;
	const struct dead_letters_verb *verb;
	const char *output; /* NULL: any */
	const int64_t *id;  /* n of them; n 0: all */
	size_t n;
};

/* What was done with the dead letters. */
struct dead_letters_told {
	uint64_t letters; /* requested by their ids */
	uint64_t outputs; /* outputs all of whose letters were requested */
	uint64_t gone;    /* removed here, since nobody would read a request */
	uint64_t left;    /* their outputs are gone and cannot send them */
};

static const struct dead_letters_verb verbs[] = {
	{ .name = "retry", .will = "will be sent again" },
	{ .name = "drop", .will = "will be dropped", .here = true },
};

/* The verb "retry" or "drop"; NULL for any other word. */
static const struct dead_letters_verb *
dead_letters_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* The letter with that id into *d; there must be one. */
static int
dead_letters_find(struct store *s, int64_t id, struct dead_letter *d,
    struct err *err)
{
	int rc = dead_letter_next(s, NULL, id - 1, d, err);

	if (rc < 0)
		return -1;
	if (rc == 0 || d->id != id)
		return err_set(err, "there is no dead letter %" PRId64, id);
	return 0;
}

static bool
configured(const struct config *config, const char *output)
{
	for (size_t i = 0; i < config->n_outputs; i++)
		if (strcmp(config->outputs[i].name, output) == 0)
			return true;
	return false;
}

/* Check that the order can be carried out for the letter. */
static int
check(const struct dead_letters_order *o, const struct dead_letter *d,
    struct err *err)
{
	if (o->output != NULL && strcmp(d->output, o->output) != 0)
		return err_set(err,
		    "dead letter %" PRId64 " belongs to output %s", d->id,
		    d->output);
	if (!o->verb->here && !configured(o->config, d->output))
		return err_set(err,
		    "dead letter %" PRId64 " cannot be sent again: its output "
		    "%s is no longer configured",
		    d->id, d->output);
	return 0;
}

/* Request it from the output of the letter; if that output is no longer
 * configured, nobody would read the request, so do it here. */
static int
ask_one(const struct dead_letters_order *o, struct store *s,
    const struct dead_letter *d, struct dead_letters_told *told,
    struct err *err)
{
	struct request r = { .number = d->id };

	if (!configured(o->config, d->output)) {
		told->gone++;
		return dead_letter_remove(s, d->id, err);
	}
	(void)snprintf(r.kind, sizeof(r.kind), "%s", o->verb->name);
	(void)snprintf(r.target, sizeof(r.target), "%s", d->output);
	told->letters++;
	return request_add(s, &r, err);
}

static int
ask_given(const struct dead_letters_order *o, struct store *s,
    struct dead_letters_told *told, struct err *err)
{
	struct dead_letter d = { .event = BUF_INIT(DEAD_LETTER_BYTES_MAX) };
	int rc = 0;

	/* All letters are checked before the first one is touched. */
	for (size_t i = 0; i < o->n && rc == 0; i++) {
		rc = dead_letters_find(s, o->id[i], &d, err);
		if (rc == 0)
			rc = check(o, &d, err);
	}
	for (size_t i = 0; i < o->n && rc == 0; i++) {
		rc = dead_letters_find(s, o->id[i], &d, err);
		if (rc == 0)
			rc = ask_one(o, s, &d, told, err);
	}
	buf_release(&d.event);
	return rc;
}

/* Whether an output has any dead letters. */
static int
any(struct store *s, const char *output, struct err *err)
{
	struct dead_letter d = { .event = BUF_INIT(DEAD_LETTER_BYTES_MAX) };
	int rc = dead_letter_next(s, output, 0, &d, err);

	buf_release(&d.event);
	return rc;
}

/* Make one request for all dead letters of each output. */
static int
ask_outputs(const struct dead_letters_order *o, struct store *s,
    struct dead_letters_told *told, struct err *err)
{
	struct request r = { .number = 0 };
	int rc = 0;

	(void)snprintf(r.kind, sizeof(r.kind), "%s", o->verb->name);
	for (size_t i = 0; i < o->config->n_outputs && rc >= 0; i++) {
		const char *name = o->config->outputs[i].name;

		if (o->output != NULL && strcmp(o->output, name) != 0)
			continue;
		rc = any(s, name, err);
		if (rc != 1)
			continue;
		(void)snprintf(r.target, sizeof(r.target), "%s", name);
		rc = request_add(s, &r, err);
		told->outputs++;
	}
	return rc < 0 ? -1 : 0;
}

/* Dead letters of outputs that are no longer configured are dropped, or stay
 * where they are. */
static int
ask_orphans(const struct dead_letters_order *o, struct store *s,
    struct dead_letters_told *told, struct err *err)
{
	struct dead_letter d = { .event = BUF_INIT(DEAD_LETTER_BYTES_MAX) };
	int rc;

	while ((rc = dead_letter_next(s, o->output, d.id, &d, err)) == 1) {
		if (configured(o->config, d.output))
			continue;
		if (o->verb->here)
			rc = dead_letter_remove(s, d.id, err);
		else
			told->left++;
		if (rc < 0)
			break;
		told->gone += o->verb->here;
	}
	buf_release(&d.event);
	return rc;
}

/* Ask (s open for writing) and add to *told.  A letter that is not there or
 * can't be sent again is an error before anything is asked. */
static int
dead_letters_ask(struct store *s, const struct dead_letters_order *o,
    struct dead_letters_told *told, struct err *err)
{
	if (o->n > 0)
		return ask_given(o, s, told, err);
	if (ask_outputs(o, s, told, err) != 0)
		return -1;
	return ask_orphans(o, s, told, err);
}

static const struct cmd_option dead_letter_options[] = {
	{ .name = "all",
	    .help = "Retry or drop all dead letters, or all of --output." },
	{ .name = "output",
	    .value = "OUTPUT",
	    .help = "Only the dead letters of this output." },
	{ .name = "show",
	    .value = "ID",
	    .help = "Print the bytes of the event; control characters are "
		    "escaped on a terminal. With --json, the letter with its "
		    "event as text." },
	{ .name = NULL },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
	{ .head = "ID", .right = true },
	{ .head = "OUTPUT" },
	{ .head = "FEED", .cut = true },
	{ .head = "INDEX", .right = true },
	{ .head = "SIZE", .right = true },
	{ .head = "REFUSED" },
};

/* What the command line wants. */
struct order {
	const struct cmd *cmd;
	const struct cmd_line *line;
	const struct config *config;
	const struct dead_letters_verb *verb; /* NULL: list */
	const char *output;                   /* NULL: any */
	int64_t show;                         /* 0: nothing */
	int64_t *id;
	size_t n;
};

static void
put_dead_letter(struct json_put *j, const struct dead_letter *d)
{
	json_put_count(j, "id", (uint64_t)d->id);
	json_put_text(j, "output", d->output);
	json_put_text(j, "feed", d->feed);
	json_put_count(j, "index", d->index);
	json_put_count(j, "bytes", d->event.len);
	json_put_time(j, "event_time", d->event_time);
	json_put_time(j, "refused", d->when);
	json_put_text(j, "reason", d->reason);
}

static void
add_dead_letter(struct table *t, const struct dead_letter *d)
{
	char when[CLOCK_TEXT], size[HUMAN_TEXT];

	(void)clock_format(d->when, 0, when);
	table_cell(t, "%" PRId64, d->id);
	table_cell(t, "%s", d->output);
	table_cell(t, "%s", d->feed);
	table_cell(t, "%" PRIu64, d->index);
	table_cell(t, "%s", human_bytes(size, d->event.len));
	table_cell(t, "%s", when);
	table_note(t, "%s", d->reason);
}

static int
list_dead_letters(const struct order *o, struct store *s, struct err *err)
{
	struct dead_letter d = { .event = BUF_INIT(DEAD_LETTER_BYTES_MAX) };
	struct listing l;
	int rc;

	listing_open(&l, o->line->json, columns, COUNT(columns));
	while ((rc = dead_letter_next(s, o->output, d.id, &d, err)) == 1) {
		if (o->line->json) {
			json_put_open(&l.json, NULL, '{');
			put_dead_letter(&l.json, &d);
			json_put_close(&l.json, '}');
		} else {
			add_dead_letter(l.table, &d);
		}
		rc = listing_next(&l, err);
		if (rc != 0)
			break;
	}
	rc = listing_close(&l, rc, "There are no dead letters.", err);
	buf_release(&d.event);
	return rc;
}

/* The event's bytes as they are, escaped on a terminal, or as a member of the
 * letter; 0, -1: they do not fit. */
static int
write_event(const struct order *o, const struct dead_letter *d, struct buf *out)
{
	struct json_put j = JSON_PUT_INIT(out);
	const char *event = d->event.data == NULL ? "" : d->event.data;
	int rc;

	if (o->line->json) {
		json_put_open(&j, NULL, '{');
		put_dead_letter(&j, d);
		json_put_text(&j, "event", event);
		json_put_close(&j, '}');
		rc = j.rc;
	} else if (isatty(STDOUT_FILENO)) {
		rc = text_printable(out, event, d->event.len);
	} else {
		rc = buf_add(out, event, d->event.len);
	}
	return rc != 0 ? rc : buf_add(out, "\n", 1);
}

static int
show_dead_letter(const struct order *o, struct store *s, struct err *err)
{
	struct dead_letter d = { .event = BUF_INIT(DEAD_LETTER_BYTES_MAX) };
	struct buf out = BUF_INIT(DEAD_LETTER_BYTES_MAX);
	int rc = dead_letters_find(s, o->show, &d, err);

	if (rc == 0 && write_event(o, &d, &out) != 0)
		rc = err_set(err,
		    "dead letter %" PRId64 " does not fit into memory",
		    o->show);
	else if (rc == 0)
		rc = cmd_print(&out, err);
	buf_release(&out);
	buf_release(&d.event);
	return rc;
}

static void
say_json(const struct order *o, const struct dead_letters_told *told)
{
	struct buf out = BUF_INIT(4096);
	struct json_put j = JSON_PUT_INIT(&out);

	json_put_open(&j, NULL, '{');
	json_put_text(&j, "request", o->verb->name);
	json_put_count(&j, "letters", told->letters);
	json_put_count(&j, "outputs", told->outputs);
	json_put_count(&j, "removed", told->gone);
	json_put_count(&j, "left", told->left);
	json_put_close(&j, '}');
	if (j.rc == 0)
		(void)printf("%s\n", out.data);
	buf_release(&out);
}

static const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void
print_told(const struct order *o, const struct dead_letters_told *told)
{
	if (told->letters > 0)
		(void)printf("%" PRIu64 " dead letter%s %s.\n", told->letters,
		    plural(told->letters), o->verb->will);
	if (told->outputs > 0)
		(void)printf("All dead letters of %" PRIu64 " output%s %s.\n",
		    told->outputs, plural(told->outputs), o->verb->will);
	if (told->letters + told->outputs > 0)
		(void)printf("The agent does this within seconds, or when it "
			     "next runs.\n");
	if (told->gone > 0)
		(void)printf("Dropped, because their output is no longer "
			     "configured: %" PRIu64 "\n",
		    told->gone);
	if (told->left > 0)
		(void)printf("Kept, because their output is no longer "
			     "configured: %" PRIu64 "\n",
		    told->left);
	if (told->letters + told->outputs + told->gone + told->left == 0)
		(void)printf("There are no dead letters.\n");
}

static int
ask(const struct order *o, struct store *s, struct err *err)
{
	const struct dead_letters_order order = {
		.config = o->config,
		.verb = o->verb,
		.output = o->output,
		.id = o->id,
		.n = o->n,
	};
	struct dead_letters_told told = { .letters = 0 };
	int rc = dead_letters_ask(s, &order, &told, err);

	if (rc == 0 && o->line->json)
		say_json(o, &told);
	else if (rc == 0)
		print_told(o, &told);
	return rc;
}

/* Read the arguments behind the verb; 0 or the exit status. */
static int
read_ids(struct order *o, int argc, char **argv)
{
	bool all = cmd_value(o->line, "all") != NULL;

	if (o->verb == NULL && (argc > 0 || all))
		return cmd_misused(o->cmd,
		    "list takes neither an ID nor --all");
	if (o->verb != NULL && all == (argc > 0))
		return cmd_misused(o->cmd, "%s needs at least one ID, or --all",
		    o->verb->name);
	if (argc > 0)
		o->id = xcalloc((size_t)argc, sizeof(*o->id));
	for (; o->n < (size_t)argc; o->n++)
		if (cmd_number(argv[o->n], &o->id[o->n]) != 0 ||
		    o->id[o->n] == 0)
			return cmd_misused(o->cmd,
			    "\"%s\" is not the ID of a dead letter",
			    argv[o->n]);
	return 0;
}

/* Read the command line; 0 or the exit status. */
static int
read_order(struct order *o)
{
	const char *id = cmd_value(o->line, "show");
	int argc = o->line->argc;
	char **argv = o->line->argv;

	o->output = cmd_value(o->line, "output");
	if (id != NULL && argc > 0)
		return cmd_misused(o->cmd,
		    "--show cannot be combined with anything else");
	if (id != NULL && (cmd_number(id, &o->show) != 0 || o->show == 0))
		return cmd_misused(o->cmd,
		    "\"%s\" is not the ID of a dead letter", id);
	if (argc == 0)
		return read_ids(o, 0, argv);
	o->verb = dead_letters_verb(argv[0]);
	if (o->verb == NULL && strcmp(argv[0], "list") != 0)
		return cmd_misused(o->cmd,
		    "\"%s\" is neither list, retry nor drop", argv[0]);
	return read_ids(o, argc - 1, argv + 1);
}

/* Carry out the order on a store that exists already. */
static int
carry_out(const struct order *o, struct err *err)
{
	struct store *s = cmd_store(o->config, STORE_READ, err);
	int rc = -1;

	if (s != NULL && o->verb != NULL) {
		store_close(s);
		s = cmd_store(o->config, STORE_DURABLE, err);
	}
	if (s == NULL)
		return -1;
	if (o->verb != NULL)
		rc = ask(o, s, err);
	else if (o->show != 0)
		rc = show_dead_letter(o, s, err);
	else
		rc = list_dead_letters(o, s, err);
	store_close(s);
	return rc;
}

static int
dead_letters_run(const struct cmd *cmd, struct cmd_line *line)
{
	struct order o = { .cmd = cmd, .line = line };
	struct config *config = NULL;
	struct err err = ERR_INIT;
	int rc = read_order(&o);

	if (rc != 0)
		goto out;
	config = cmd_config(line);
	o.config = config;
	if (config == NULL)
		rc = EXIT_CONF;
	else if (carry_out(&o, &err) != 0)
		rc = cmd_failed(cmd, &err);
out:
	config_free(config);
	free(o.id);
	return rc;
}

const struct cmd cmd_dead_letters = {
	.name = "dead-letters",
	.arguments = "[list|retry|drop] [ID...]",
	.summary =
	    "List, retry or drop events that an output refused for good.",
	.help =
	    "List the events that an output refused for good, send them again, "
	    "or drop them. The process of the output carries out retry and "
	    "drop within seconds, or when the agent next runs; for an output "
	    "that is no longer configured, drop takes effect immediately and "
	    "retry is refused. A receiver that refuses every event does not "
	    "turn them all into dead letters: after twenty refusals in a row, "
	    "a single event is tried at a time, at intervals that grow to five "
	    "minutes, until the receiver accepts one; status says so.",
	.options = dead_letter_options,
	.max = -1,
	.run = dead_letters_run,
};
