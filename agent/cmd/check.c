/*
 * check.c - is the configuration good?  With --live: do the credentials
 * work, do the outputs answer?
 *
 * Without --live nothing is opened but the configuration, so that a fleet
 * tool can run it on a file before it is put in place.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "config/config.h"
#include "config/doubt.h"
#include "config/secret.h"
#include "evidence/note.h"
#include "outputs/output.h"
#include "run/types.h"
#include "sources/source.h"

#define MESSAGE_MAX (64 * 1024)

/* One run; everything is printed as it is found and kept for --json. */
struct check {
	bool json;
	const char *path;
	struct config_errors errors;
	json_t *warnings;
	json_t *live;
	size_t failed; /* live checks that failed */
	size_t doubts; /* warnings about the secrets of the present one */
};

static void
warn(struct check *c, const char *text)
{
	(void)json_array_append_new(c->warnings, json_string(text));
	if (!c->json)
		(void)fprintf(stderr, "%s: warning: %s\n", c->path, text);
}

/* Warnings with their places. */
static void
warn_places(struct check *c, const struct config_errors *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct config_error_place *p = &w->place[i];

		(void)json_array_append_new(c->warnings,
		    json_string(w->line[i]));
		if (!c->json)
			(void)fprintf(stderr, "%s:%zu: warning: %s\n", p->file,
			    p->line, p->text);
	}
}

/* Two sources that read the same account bring every event twice. */
static void
look_for_twins(struct check *c, const struct config *config)
{
	for (size_t i = 0; i < config->n_sources; i++) {
		const struct config_entry *a = &config->sources[i];
		const struct source_type *type = source_type_of(a->type);

		for (size_t k = 0; k < i && type->account != NULL; k++) {
			const struct config_entry *b = &config->sources[k];
			char text[512];

			if (b->type != a->type ||
			    strcasecmp(type->account(a->conf),
				type->account(b->conf)) != 0)
				continue;
			(void)snprintf(text, sizeof(text),
			    "sources.%s: is the same account as sources.%s: "
			    "both share one budget of requests, and what both "
			    "collect is delivered twice; keep one",
			    a->name, b->name);
			warn(c, text);
		}
	}
}

/* Warn of a configuration that is allowed, since drop-ins may still be missing,
 * but that collects or delivers nothing. */
static void
look_for_gaps(struct check *c, const struct config *config)
{
	warn_places(c, &config->warnings);
	look_for_twins(c, config);
	if (config->n_sources == 0)
		warn(c, "no sources: only the agent's own feed is delivered");
	if (config->n_outputs == 0)
		warn(c,
		    "no outputs: \"sealfeed run\" refuses to start without "
		    "one");
}

/* Report the result of one live check; message may have several lines. */
static void
live_result(struct check *c, const char *subject, const struct buf *message,
    const struct err *err)
{
	const char *text = message->data == NULL ? "" : message->data;
	bool good = err->text[0] == '\0';

	if (!good)
		c->failed++;
	(void)json_array_append_new(c->live,
	    json_pack("{s:s, s:b, s:s, s:s}", "subject", subject, "ok", good,
		"found", text, "error", err->text));
	if (c->json)
		return;
	while (*text != '\0') {
		int len = (int)strcspn(text, "\n");

		(void)printf("%s: %.*s\n", subject, len, text);
		text += len + (text[len] == '\n');
	}
	if (good && c->doubts > 0)
		(void)printf("%s: works, but see the warnings\n", subject);
	else if (good &&
	    strstr(message->data == NULL ? "" : message->data, "not tested") !=
		NULL)
		(void)printf("%s: good as far as it is tested\n", subject);
	else if (good)
		(void)printf("%s: good\n", subject);
	else
		(void)fprintf(stderr, "%s: %s\n", subject, err->text);
	(void)fflush(stdout);
}

/* One entry's secrets, for the functions that look at them. */
struct secrets {
	struct check *check;
	const char *subject;
	const char *key;
	const void *conf;
};

static void
doubt(struct secrets *s, const char *what)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "%s: %s: %s", s->subject, s->key,
	    what);
	s->check->doubts++;
	warn(s->check, text);
}

/* secret_file_fn: a secret that every user of the machine can read is none. */
static void
look_at_file(void *ctx, const char *path)
{
	char text[512];
	struct stat st;

	if (stat(path, &st) != 0 || (st.st_mode & S_IROTH) == 0)
		return;
	(void)snprintf(text, sizeof(text),
	    "%.300s can be read by every user (mode %04o); chmod 0640 and give "
	    "it to the user of the agent",
	    path, (unsigned)st.st_mode & 07777);
	doubt(ctx, text);
}

/* What a server would get. */
static void
look_at_text(struct secrets *s, const char *text)
{
	struct err ignored = ERR_INIT; /* of who uses it */
	char *secret = secret_resolve(text, &ignored);
	const char *why = secret != NULL ? doubt_resolved(secret) : NULL;

	if (why != NULL)
		doubt(s, why);
	secret_free(secret);
}

/* setting_fn */
static void
look_at_secret(void *ctx, const struct setting_row *row)
{
	static const char *const keys[] = { "key", "private_key", "tls.key",
		"proxy" };
	struct secrets *s = ctx;
	bool plain = config_is_text_secret(row->setting), private = plain;
	const char *text;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
	private = private || strcmp(row->setting->key, keys[i]) == 0;
	if (row->setting->type != SETTING_SECRET || !private)
		return;
	memcpy(&text, (const char *)s->conf + row->offset, sizeof(text));
	if (text == NULL)
		return;
	s->key = row->setting->key;
	secret_each_file(text, !plain && strcmp(s->key, "proxy") != 0,
	    look_at_file, s);
	if (plain)
		look_at_text(s, text);
}

static void
look_at_secrets(struct check *c, const char *subject,
    const struct setting *table, const void *conf)
{
	struct secrets s = { .check = c, .subject = subject, .conf = conf };

	c->doubts = 0;
	settings_each(table, look_at_secret, &s);
}

static void
live_key(struct check *c, const struct agent_conf *agent)
{
	struct buf message = BUF_INIT(MESSAGE_MAX);
	struct err err = ERR_INIT;
	struct signer *signer = NULL;
	char *pem;

	look_at_secrets(c, "agent", agent_settings, agent);
	pem = secret_resolve_pem(agent->key, &err);
	if (pem != NULL)
		signer = signer_open(agent->name, pem, &err);
	if (signer != NULL && buf_adds(&message, "verifier key ") == 0)
		(void)signer_vkey(signer, &message, &err);
	live_result(c, "agent.key", &message, &err);
	signer_free(signer);
	secret_free(pem);
	buf_release(&message);
}

static void
live_source(struct check *c, const struct config_entry *s)
{
	struct buf message = BUF_INIT(MESSAGE_MAX);
	struct err err = ERR_INIT;
	char subject[128];

	(void)snprintf(subject, sizeof(subject), "sources.%s", s->name);
	look_at_secrets(c, subject, s->type->settings, s->conf);
	(void)source_live(s, &message, &err);
	live_result(c, subject, &message, &err);
	buf_release(&message);
}

static void
live_output(struct check *c, const struct config *config,
    const struct config_entry *o)
{
	struct output out = {
		.type = output_type_of(o->type),
		.name = o->name,
		.agent = config->agent.name,
		.conf = o->conf,
		.probing = true,
	};
	struct buf message = BUF_INIT(MESSAGE_MAX);
	struct err err = ERR_INIT;
	char subject[128];

	(void)snprintf(subject, sizeof(subject), "outputs.%s", o->name);
	look_at_secrets(c, subject, o->type->settings, o->conf);
	if (out.type->open(&out, &err) == 0) {
		(void)out.type->probe(&out, &message, &err);
		out.type->close(&out);
	}
	live_result(c, subject, &message, &err);
	buf_release(&message);
}

static void
live(struct check *c, const struct config *config)
{
	live_key(c, &config->agent);
	for (size_t i = 0; i < config->n_sources; i++)
		live_source(c, &config->sources[i]);
	for (size_t i = 0; i < config->n_outputs; i++)
		live_output(c, config, &config->outputs[i]);
}

static json_t *
config_errors_json(const struct config_errors *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n; i++) {
		const struct config_error_place *p = &f->place[i];

		(void)json_array_append_new(list,
		    json_pack("{s:s?, s:I, s:s}", "file", p->file, "line",
			(json_int_t)p->line, "fault", p->text));
	}
	return list;
}

static void
print_json(const struct check *c, const struct config *config, bool live_too)
{
	json_t *all = json_pack("{s:b, s:s, s:o, s:O}", "ok",
	    config != NULL && c->failed == 0, "config", c->path, "faults",
	    config_errors_json(&c->errors), "warnings", c->warnings);

	if (config != NULL)
		(void)json_object_set_new(all, "digest",
		    json_string(config->public_digest));
	if (live_too)
		(void)json_object_set(all, "live", c->live);
	if (json_dumpf(all, stdout, JSON_INDENT(2)) == 0)
		(void)putchar('\n');
	json_decref(all);
}

static void
print_text(const struct check *c, const struct config *config)
{
	for (size_t i = 0; i < c->errors.n; i++)
		(void)fprintf(stderr, "%s\n", c->errors.line[i]);
	if (config != NULL)
		(void)printf("%s: good: %zu source%s, %zu output%s\n", c->path,
		    config->n_sources, config->n_sources == 1 ? "" : "s",
		    config->n_outputs, config->n_outputs == 1 ? "" : "s");
}

static int
check_run(const struct cmd *cmd, struct cmd_line *line)
{
	bool live_too = cmd_value(line, "live") != NULL;
	struct check c = {
		.json = line->json,
		.path = line->argc > 0 ? line->argv[0] : line->config,
		.errors = CONFIG_ERRORS_INIT,
		.warnings = json_array(),
		.live = json_array(),
	};
	struct config *config;
	int rc = EXIT_CONF;

	(void)cmd;
	config = config_load(c.path, &agent_types, &c.errors);
	if (!c.json)
		print_text(&c, config);
	if (config != NULL) {
		look_for_gaps(&c, config);
		if (live_too)
			live(&c, config);
		rc = c.failed == 0 ? EXIT_FINE : EXIT_WRONG;
	}
	if (c.json)
		print_json(&c, config, live_too);
	config_free(config);
	config_errors_release(&c.errors);
	json_decref(c.warnings);
	json_decref(c.live);
	return rc;
}

static const struct cmd_option check_options[] = {
	{ .name = "live",
	    .help = "Also load the signing key, get a token for every source, "
		    "list its subscriptions and fetch one blob of each content "
		    "type, and connect to every output; print the cause and "
		    "the remedy of each failure, what could not be tested, and "
		    "what is odd about secrets and the modes of their files." },
	{ .name = NULL },
};

const struct cmd cmd_check = {
	.name = "check",
	.arguments = "[FILE]",
	.summary = "Check a configuration.",
	.help = "Check a configuration and print every fault with file and "
		"line, and warnings of what is allowed and most likely not "
		"what was meant, as a placeholder or the name of a file where "
		"a secret should stand. Without --live, only the configuration "
		"is read (FILE or "
		"the one given with --config, and conf.d beside it), so no "
		"network, secrets or privileges are needed. The exit status is "
		"0 if the configuration is good, 78 if it has faults, and 1 if "
		"something fails with --live.",
	.options = check_options,
	.max = 1,
	.run = check_run,
};
