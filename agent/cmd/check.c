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
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "cmd/check_private.h"
#include "cmd/cmd.h"
#include "cmd/service.h"
#include "config/config.h"
#include "config/secret.h"
#include "config/stand_in.h"
#include "evidence/note.h"
#include "outputs/format.h"
#include "outputs/output.h"
#include "run/types.h"
#include "sources/rest/rest.h"
#include "sources/source.h"

#define MESSAGE_MAX (64 * 1024)

void
check_warn(struct check *c, const char *text)
{
	(void)json_array_append_new(c->warnings, json_string(text));
	if (!c->line->json)
		(void)fprintf(stderr, "%s: warning: %s\n", c->path, text);
}

void
check_fail(struct check *c, const char *subject, const char *text)
{
	c->failed++;
	(void)err_set(&c->first, "%s: %s", subject, text);
	if (!c->line->json)
		(void)fprintf(stderr, "%s: %s\n", subject, text);
}

/* Warnings with their places. */
static void
warn_places(struct check *c, const struct config_errors *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct config_error_place *p = &w->place[i];

		(void)json_array_append_new(c->warnings,
		    json_string(w->line[i]));
		if (!c->line->json)
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
			check_warn(c, text);
		}
	}
}

/* Events of a type without a mapping have no fields for a SIEM's rules. */
static void
look_for_mappings(struct check *c, const struct config *config,
    const struct config_entry *output)
{
	const struct output_type *type = output_type_of(output->type);
	int kind =
	    type->format == NULL ? FORMAT_RAW : type->format(output->conf);
	struct err err = ERR_INIT;
	struct format *f;
	char text[512];

	if (kind != FORMAT_CEF && kind != FORMAT_LEEF)
		return;
	f = format_new((enum format_kind)kind, config->agent.name, NULL, &err);
	if (f == NULL) {
		(void)snprintf(text, sizeof(text), "outputs.%s: format: %s",
		    output->name, err.text);
		check_warn(c, text);
		return;
	}
	for (size_t i = 0; i < config->n_sources; i++) {
		const struct config_entry *s = &config->sources[i];

		if (format_knows(f, s->type->name))
			continue;
		(void)snprintf(text, sizeof(text),
		    "outputs.%s: format: no mapping is there for sources.%s "
		    "(%s), whose events go as sealfeed|%s|1|event with all of "
		    "them in rawEvent; add share/sealfeed/formats/%s.yaml, or "
		    "use another format",
		    output->name, s->name, s->type->name, s->type->name,
		    s->type->name);
		check_warn(c, text);
	}
	format_free(f);
}

/* Warn of a configuration that is allowed, since drop-ins may still be missing,
 * but that collects or delivers nothing. */
static void
look_for_gaps(struct check *c, const struct config *config)
{
	warn_places(c, &config->warnings);
	look_for_twins(c, config);
	for (size_t i = 0; i < config->n_outputs; i++)
		look_for_mappings(c, config, &config->outputs[i]);
	if (config->n_sources == 0)
		check_warn(c,
		    "no sources: only the agent's own feed is delivered");
	if (config->n_outputs == 0)
		check_warn(c,
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
	bool all = strstr(text, "not tested") == NULL;

	(void)json_array_append_new(c->live,
	    json_pack("{s:s, s:b, s:s, s:s}", "subject", subject, "ok", good,
		"found", text, "error", err->text));
	while (*text != '\0' && !c->line->json) {
		int len = (int)strcspn(text, "\n");

		(void)printf("%s: %.*s\n", subject, len, text);
		text += len + (text[len] == '\n');
	}
	if (!good)
		check_fail(c, subject, err->text);
	else if (!c->line->json)
		(void)printf("%s: %s\n", subject,
		    c->doubts > 0 ? "works, but see the warnings"
			: all     ? "good"
				  : "good as far as it is tested");
	(void)fflush(stdout);
}

static void
look_at_secrets(struct check *c, const char *subject,
    const struct setting *table, const void *conf)
{
	c->doubts = 0;
	check_each_secret(subject, table, conf, check_modes, c);
	check_each_secret(subject, table, conf, check_text, c);
}

static void
live_key(struct check *c, const struct agent_conf *agent)
{
	struct buf message = BUF_INIT(MESSAGE_MAX);
	struct err err = ERR_INIT;
	struct signer *signer;

	look_at_secrets(c, "agent", agent_settings, agent);
	signer = signer_load(agent->name, agent->key, &err);
	if (signer != NULL && buf_adds(&message, "verifier key ") == 0)
		(void)signer_vkey(signer, &message, &err);
	live_result(c, "agent.key", &message, &err);
	signer_free(signer);
	buf_release(&message);
}

static void
live_source(struct check *c, const struct config *config,
    const struct config_entry *s)
{
	char *folder = file_folder(config->agent.store.path);
	struct buf message = BUF_INIT(MESSAGE_MAX);
	struct err err = ERR_INIT;
	char subject[128];

	(void)snprintf(subject, sizeof(subject), "sources.%s", s->name);
	look_at_secrets(c, subject, s->type->settings, s->conf);
	(void)source_live(s, config->agent.collect.folder, folder, &message,
	    &err);
	free(folder);
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
		live_source(c, config, &config->sources[i]);
	for (size_t i = 0; i < config->n_outputs; i++)
		live_output(c, config, &config->outputs[i]);
}

/* Everything that was found, as one object. */
static void
print_json(const struct check *c, int rc)
{
	const char *faults = c->errors.n > 0 ? c->errors.line[0] : "";
	json_t *all = json_pack("{s:b, s:s, s:o, s:O}", "ok", rc == EXIT_FINE,
	    "config", c->path, "faults", cmd_faults_json(&c->errors),
	    "warnings", c->warnings);

	if (rc != EXIT_FINE)
		(void)json_object_update_new(all,
		    cmd_error_json(c->line->cmd, rc,
			rc == EXIT_CONF ? faults : c->first.text));
	if (c->config != NULL)
		(void)json_object_set_new(all, "digest",
		    json_string(c->config->public_digest));
	if (c->stand_in != NULL)
		(void)json_object_set_new(all, "as",
		    json_string(c->stand_in->place));
	if (c->live != NULL && c->config != NULL)
		(void)json_object_set(all, "live", c->live);
	if (c->service != NULL && c->config != NULL)
		(void)json_object_set(all, "service", c->service);
	if (json_dumpf(all, stdout, JSON_INDENT(2)) == 0)
		(void)putchar('\n');
	json_decref(all);
}

static void
print_text(const struct check *c)
{
	const struct config *config = c->config;

	for (size_t i = 0; i < c->errors.n; i++)
		(void)fprintf(stderr, "%s\n", c->errors.line[i]);
	if (config != NULL)
		(void)printf("%s: good: %zu source%s, %zu output%s\n",
		    c->stand_in == NULL ? c->path : c->stand_in->place,
		    config->n_sources, config->n_sources == 1 ? "" : "s",
		    config->n_outputs, config->n_outputs == 1 ? "" : "s");
}

/* service_fn: what is asked beyond the configuration itself; err: why this is
 * not the service that asks.  Ends with the JSON, which has all of it. */
static int
judge(void *ctx, const struct err *err)
{
	struct check *c = ctx;
	int rc = EXIT_CONF;

	if (err->text[0] != '\0')
		check_fail(c, "service", err->text);
	else if (c->as != NULL)
		check_service(c);
	if (c->config != NULL && c->live != NULL)
		live(c, c->config);
	if (c->config != NULL)
		rc = c->failed == 0 ? EXIT_FINE : EXIT_WRONG;
	if (c->line->json)
		print_json(c, rc);
	return rc;
}

static int
judge_as_service(struct check *c)
{
	struct service service;
	struct err err = ERR_INIT;
	int rc;

	if (service_open(&service, &err) != 0) {
		rc = judge(c, &err);
	} else {
		c->as = &service;
		if (c->live == NULL)
			check_all_secrets(c->config, check_modes, c);
		check_credential_modes(c);
		rc = service_run(&service, judge, c);
	}
	service_close(&service);
	return rc;
}

/* A drop-in may be put in place before the main file is. */
static void
look_for_main(struct check *c)
{
	if (c->stand_in != NULL && c->stand_in->name != NULL &&
	    access(c->path, F_OK) != 0)
		check_warn(c, "this file is not there yet");
}

/* Load the configuration, and the definitions beside it, used or not. */
static void
load(struct check *c)
{
	const struct stand_in *s = c->stand_in;

	if (s == NULL || s->source == NULL) {
		c->config =
		    config_load_as(c->path, s, &agent_types, &c->errors);
	} else if (rest_use(s->source, s->file, &c->errors) == NULL) {
		config_errors_rename(&c->errors, s->file, s->place);
	} else {
		c->config = config_load(c->path, &agent_types, &c->errors);
	}
	rest_check_folder(c->path, s != NULL ? s->source : NULL, &c->errors);
	if (c->errors.n == 0)
		return;
	config_errors_sort(&c->errors);
	config_free(c->config);
	c->config = NULL;
}

static int
check(struct check *c)
{
	const struct err none = ERR_INIT;

	load(c);
	if (!c->line->json)
		print_text(c);
	if (c->config != NULL) {
		look_for_main(c);
		look_for_gaps(c, c->config);
	}
	if (c->config != NULL && c->service != NULL)
		return judge_as_service(c);
	return judge(c, &none);
}

static int
check_run(const struct cmd *cmd, struct cmd_line *line)
{
	const char *place = cmd_value(line, "as");
	const char *file = line->argc > 0 ? line->argv[0] : NULL;
	struct stand_in as = { .place = NULL };
	struct err err = ERR_INIT;
	struct check c = {
		.line = line,
		.stand_in = place != NULL ? &as : NULL,
		.path = place == NULL && file != NULL ? file : line->config,
		.errors = CONFIG_ERRORS_INIT,
		.warnings = json_array(),
		.live = cmd_value(line, "live") != NULL ? json_array() : NULL,
		.service = cmd_value(line, "as-service") != NULL ? json_object()
								 : NULL,
	};
	int rc;

	if (place != NULL && file == NULL)
		rc = cmd_misused(cmd,
		    "--as needs the FILE that is to be put "
		    "there");
	else if (place != NULL &&
	    stand_in_open(&as, line->config, place, file, &err) != 0)
		rc = cmd_misused(cmd, "%s", err.text);
	else
		rc = check(&c);
	stand_in_release(&as);
	config_free(c.config);
	config_errors_release(&c.errors);
	json_decref(c.warnings);
	json_decref(c.live);
	json_decref(c.service);
	return rc;
}

static const struct cmd_option check_options[] = {
	{ .name = "as",
	    .value = "PLACE",
	    .help =
		"Judge the configuration as if FILE stood at PLACE already: "
		"conf.d/NAME.yaml, sources.d/NAME.yaml, or the main file's "
		"name, relative to the folder of --config. Faults name PLACE "
		"and the line in FILE. "
		"For Ansible's \"validate\" and Puppet's \"validate_cmd\", "
		"which check a temporary file before they put it in place." },
	{ .name = "as-service",
	    .help =
		"Also look at everything as the installed unit, with its "
		"drop-ins, would have it: load its credentials "
		"(LoadCredential=), take its environment and, as root, its "
		"user; say of each file that the configuration names whether "
		"the service can read it; and warn of keys and secrets that "
		"others can read or replace, and of a configuration that the "
		"service may change." },
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
		"a secret should stand. Without --live and --as-service, only "
		"the configuration is read (FILE or the one given with "
		"--config, conf.d beside it, and the definitions in sources.d, "
		"used or not), so no network, secrets or "
		"privileges are needed. The exit status is 0 if the "
		"configuration is good, 78 if it has faults, and 1 if "
		"something fails with --live or --as-service.",
	.options = check_options,
	.max = 1,
	.run = check_run,
};
