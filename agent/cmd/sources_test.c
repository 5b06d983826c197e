/*
 * sources_test.c - `sealfeed sources --test`: a definition is run once, and
 * tells what it does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/text.h"
#include "base/when.h"
#include "cmd/cmd.h"
#include "cmd/cmd_store.h"
#include "cmd/sources_private.h"
#include "config/config.h"
#include "config/tree.h"
#include "run/types.h"
#include "setup/answers.h"
#include "sources/rest/definition.h"
#include "sources/rest/pick.h"
#include "sources/rest/rest.h"
#include "sources/source.h"
#include "sources/trial.h"

#define EVENTS 5
#define EVENTS_MAX 10000
#define REQUESTS 20
#define STORE_PATH "/var/lib/sealfeed/store.db"

struct test {
	const struct cmd *cmd;
	const struct cmd_line *line;
	const struct config_type *type;
	const struct definition *def;
	struct config_errors errors;
	struct config_entry entry; /* what is tested; conf NULL: not read */
	char *folder, *old_folder; /* of its agent, as in struct source */
	int64_t events;
	/* Of the stream at hand. */
	const struct def_stream *stream;
	json_t *steps;
	json_t *rows;
};

/* -- the source's options -------------------------------------------------- */

/* The entry of the configuration that is meant; NULL: there is none. */
static const struct node *
find_entry(const struct test *t, struct node *tree)
{
	const char *name = cmd_value(t->line, "source");
	const struct node *all = node_get(tree, "sources"), *type;

	for (const struct node *n = all != NULL ? all->child : NULL; n != NULL;
	     n = n->next) {
		type = n->type == NODE_MAP ? node_get(n, "type") : NULL;
		if (name != NULL ? strcmp(n->key, name) == 0
				 : type != NULL && type->text != NULL &&
			    strcmp(type->text, t->def->name) == 0)
			return n;
	}
	return NULL;
}

static void
take_folders(struct test *t, const struct node *tree)
{
	const struct node *path = node_find(tree, "agent.store.path");
	const struct node *own = node_find(tree, "agent.collect.folder");
	const char *store =
	    path != NULL && path->text != NULL ? path->text : STORE_PATH;

	t->folder = own != NULL && own->text != NULL
	    ? xstrdup(own->text)
	    : config_collect_folder(store);
	t->old_folder = file_folder(store);
}

/* Take what the configuration says of the source; what else is wrong with it
 * does not matter here. */
static int
take_configured(struct test *t, struct answers *a, struct err *err)
{
	const char *name = cmd_value(t->line, "source");
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct node *tree = NULL;
	const struct node *entry = NULL;

	if (t->line->argc == 0 || name != NULL ||
	    access(t->line->config, R_OK) == 0)
		tree = config_tree(t->line->config, NULL, &errors);
	if (tree != NULL)
		entry = find_entry(t, tree);
	if (entry != NULL) {
		take_folders(t, tree);
		t->entry.name = xstrdup(entry->key);
		node_put(node_map(a->tree, "sources"), node_copy(entry));
	} else if (name != NULL) {
		(void)err_set(err, "%s: there is no source \"%s\" in it%s%s",
		    t->line->config, name, errors.n > 0 ? ": " : "",
		    errors.n > 0 ? errors.line[0] : "");
	} else if (t->line->argc == 0) {
		(void)err_set(err,
		    "%s: has no source of type %s; give its options behind "
		    "--test FILE, KEY=VALUE%s%s",
		    t->line->config, t->def->name, errors.n > 0 ? ": " : "",
		    errors.n > 0 ? errors.line[0] : "");
	}
	config_errors_release(&errors);
	node_free(tree);
	return err->text[0] == '\0' ? 0 : -1;
}

static int
take_words(struct test *t, struct answers *a, struct err *err)
{
	struct answers_word *words =
	    xcalloc((size_t)t->line->argc + 2, sizeof(*words));
	char *type = xasprintf("type=%s", t->def->name);
	int rc;

	if (t->entry.name == NULL)
		t->entry.name = xstrdup(t->def->name);
	words[0] = (struct answers_word){ "sources", t->entry.name };
	words[1] = (struct answers_word){ NULL, type };
	for (int i = 0; i < t->line->argc; i++)
		words[i + 2] = (struct answers_word){ NULL, t->line->argv[i] };
	rc = answers_words(a, words, (size_t)t->line->argc + 2, err);
	free(words);
	free(type);
	return rc;
}

/* The options as the agent would read them; faults go to t->errors. */
static void
fill(struct test *t, const struct node *map)
{
	static const char *const ours[] = { "type", NULL };
	char *where = xasprintf("sources.%s", t->entry.name);
	struct config_section b = {
		.map = map, .where = where, .errors = &t->errors
	};

	t->entry.type = t->type;
	t->entry.conf = xcalloc(1, t->type->conf_size);
	t->type->prepare(t->type, t->entry.conf);
	settings_fill(t->type->settings, map, where, ours, t->entry.conf,
	    &t->errors);
	b.filled = t->errors.n;
	t->type->check(t->entry.conf, &b);
	free(where);
}

static int
read_options(struct test *t, struct err *err)
{
	struct answers a;
	struct node *map;
	int rc;

	answers_init(&a, &agent_types, t->line->config);
	rc = take_configured(t, &a, err);
	if (rc == 0)
		rc = take_words(t, &a, err);
	map = rc == 0 ? answers_entry(&a, "sources", t->entry.name) : NULL;
	if (map != NULL)
		fill(t, map);
	answers_free(&a);
	return rc;
}

/* -- what is told ---------------------------------------------------------- */

/* trial.step */
static void
step(void *ctx, const char *kind, const char *text)
{
	struct test *t = ctx;
	struct buf out = BUF_INIT(SIZE_MAX / 2);
	struct err err = ERR_INIT;

	if (t->line->json)
		(void)json_array_append_new(t->steps,
		    json_pack("{s:s, s:s}", "step", kind, "text", text));
	else if (buf_addf(&out, "  %-8s ", kind) == 0 &&
	    text_printable(&out, text, strlen(text)) == 0 &&
	    buf_adds(&out, "\n") == 0)
		(void)cmd_print(&out, &err);
	buf_release(&out);
}

/* The parts of a row's id, as the definition finds them. */
static void
find_id(const struct def_stream *s, struct slice row, struct buf *out)
{
	for (char **p = s->id; p != NULL && *p != NULL; p++) {
		const struct slice part = pick(row, *p);

		if ((p != s->id && buf_adds(out, " + ") != 0) ||
		    (part.data != NULL &&
			buf_add(out, part.data, part.len) != 0))
			return;
	}
}

static bool
find_time(const struct def_stream *s, struct slice row, char when[CLOCK_TEXT])
{
	const struct slice text = s->time.at != NULL
	    ? pick(row, s->time.at)
	    : (struct slice){ .data = NULL };
	int64_t us;

	if (text.data == NULL ||
	    when_read((enum when_format)s->time.format, text, &us) != 0)
		return false;
	(void)clock_format(us, 3, when);
	return true;
}

static json_t *
event_json(const char *data, size_t len)
{
	json_t *v = json_loadb(data, len, JSON_DECODE_ANY, NULL);

	return v != NULL ? v : json_null();
}

/* trial.event */
static void
event(void *ctx, const char *data, size_t len)
{
	struct test *t = ctx;
	const struct slice row = { data, len };
	struct buf id = BUF_INIT(4096), out = BUF_INIT(SIZE_MAX / 2);
	char when[CLOCK_TEXT];
	bool timed = find_time(t->stream, row, when);
	struct err err = ERR_INIT;

	find_id(t->stream, row, &id);
	if (t->line->json)
		(void)json_array_append_new(t->rows,
		    json_pack("{s:s?, s:s?, s:o}", "id",
			id.len > 0 ? id.data : NULL, "time",
			timed ? when : NULL, "event", event_json(data, len)));
	else if (buf_addf(&out, "  event    time %s, id ",
		     timed ? when : "not found: see time") == 0 &&
	    text_printable(&out, id.len > 0 ? id.data : "none",
		id.len > 0 ? id.len : 4) == 0 &&
	    buf_adds(&out, "\n           ") == 0 &&
	    text_printable(&out, data, len) == 0 && buf_adds(&out, "\n") == 0)
		(void)cmd_print(&out, &err);
	buf_release(&id);
	buf_release(&out);
}

/* -- the streams ----------------------------------------------------------- */

/* Read one; its part of the JSON goes to list.  0, -1: it failed. */
static int
test_stream(struct test *t, const char *name, json_t *list)
{
	struct trial trial = { .conf = &t->entry,
		.folder = t->folder,
		.old_folder = t->old_folder,
		.stream = name,
		.events = (uint64_t)t->events,
		.requests = REQUESTS,
		.step = step,
		.event = event,
		.ctx = t };
	struct err err = ERR_INIT;
	int rc;

	t->stream = definition_stream(t->def, name);
	t->steps = json_array();
	t->rows = json_array();
	if (!t->line->json)
		(void)printf("%s/%s\n", t->entry.name, name);
	rc = trial_run(&trial, &err);
	if (!t->line->json && rc != 0)
		step(t, "failed", err.text);
	else if (!t->line->json)
		(void)printf("  good     %llu event%s in %u request%s\n",
		    (unsigned long long)trial.collected,
		    trial.collected == 1 ? "" : "s", trial.asked,
		    trial.asked == 1 ? "" : "s");
	(void)json_array_append_new(list,
	    json_pack("{s:s, s:b, s:s?, s:I, s:I, s:I, s:o, s:o}", "stream",
		name, "ok", rc == 0, "error", rc == 0 ? NULL : err.text,
		"requests", (json_int_t)trial.asked, "collected",
		(json_int_t)trial.collected, "repeats",
		(json_int_t)trial.repeats, "steps", t->steps, "events",
		t->rows));
	return rc;
}

static int
test_all(struct test *t)
{
	struct source_definition d;
	const char *only = cmd_value(t->line, "stream");
	json_t *list = json_array();
	int rc = EXIT_FINE;

	source_type_of(t->type)->define(t->entry.conf, &d);
	for (size_t i = 0; only == NULL && d.streams[i] != NULL; i++)
		if (test_stream(t, d.streams[i], list) != 0)
			rc = EXIT_WRONG;
	if (only != NULL && test_stream(t, only, list) != 0)
		rc = EXIT_WRONG;
	if (t->line->json &&
	    cmd_print_json(json_pack("{s:s, s:s, s:s, s:b, s:O}", "type",
			       t->def->name, "definition", t->def->file,
			       "source", t->entry.name, "ok", rc == EXIT_FINE,
			       "streams", list),
		stdout) != 0)
		rc = EXIT_WRONG;
	json_decref(list);
	return rc;
}

/* --stream and --events; 0, or the exit status. */
static int
read_wishes(struct test *t)
{
	const char *stream = cmd_value(t->line, "stream");
	const char *events = cmd_value(t->line, "events");

	t->events = EVENTS;
	if (events != NULL &&
	    (cmd_number(events, &t->events) != 0 || t->events < 1 ||
		t->events > EVENTS_MAX))
		return cmd_misused(t->cmd,
		    "--events %s: not a number from 1 to %d", events,
		    EVENTS_MAX);
	if (stream != NULL && definition_stream(t->def, stream) == NULL)
		return cmd_misused(t->cmd, "--stream %s: %s has no such stream",
		    stream, t->def->file);
	return 0;
}

static void
release(struct test *t)
{
	if (t->entry.conf != NULL)
		settings_release(t->type->settings, t->entry.conf);
	free(t->entry.conf);
	free(t->entry.name);
	free(t->folder);
	free(t->old_folder);
	config_errors_release(&t->errors);
}

int
sources_test(const struct cmd *cmd, const struct cmd_line *line,
    const char *file)
{
	struct test t = {
		.cmd = cmd, .line = line, .errors = CONFIG_ERRORS_INIT
	};
	struct err err = ERR_INIT;
	int rc;

	t.type = rest_use(NULL, file, &t.errors);
	if (t.type == NULL) {
		rc = cmd_faulty(cmd, &t.errors);
		release(&t);
		return rc;
	}
	t.def = rest_definition(t.type);
	rc = read_wishes(&t);
	if (rc != 0)
		/* It was said. */;
	else if (read_options(&t, &err) != 0)
		rc = cmd_failed(cmd, &err);
	else if (t.errors.n > 0)
		rc = cmd_faulty(cmd, &t.errors);
	else
		rc = test_all(&t);
	release(&t);
	return rc;
}
