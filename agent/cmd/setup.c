/*
 * setup.c - `sealfeed setup`: from a package to the first event.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/cmd_setup.h"
#include "config/config.h"
#include "config/secret.h"
#include "config/tree.h"
#include "evidence/note.h"
#include "run/lock.h"
#include "run/types.h"
#include "setup/answers.h"
#include "setup/dialogue.h"
#include "setup/plan.h"
#include "setup/shell_proxy.h"
#include "setup/terminal.h"

#define WAIT_DEFAULT "60s"
#define KEY_MAX 1024

/* What the package installs, too: without it there is no configuration. */
static const char main_file[] =
    "# Configuration of sealfeed.  What \"sealfeed setup\" made is in conf.d.\n"
    "# \"sealfeed options\" and sealfeed.yaml(5) explain every option.\n";

void
setup_fail(struct setup *s, const char *text)
{
	struct buf clean = BUF_INIT(16 * 1024);

	(void)json_array_append_new(s->errors, json_string(text));
	if (!s->json && text_printable(&clean, text, strlen(text)) == 0)
		(void)fprintf(stderr, "sealfeed setup: %s\n", clean.data);
	buf_release(&clean);
}

static void
fail_all(struct setup *s, const struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++) {
		const char *file = errors->place[i].file;
		const bool typed = file != NULL &&
		    (strcmp(file, ANSWERS_LINE) == 0 ||
			strcmp(file, ANSWERS_DIALOGUE) == 0);

		setup_fail(s, typed ? errors->place[i].text : errors->line[i]);
	}
}

/* The words of the command line about sources and outputs. */
static int
take_words(struct setup *s, const struct cmd_line *line, struct err *err)
{
	struct answers_word *words = xcalloc(line->n_given + 1, sizeof(*words));
	struct node *agent = node_map(s->answers.tree, "agent");
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < line->n_given; i++) {
		const char *name = line->given[i].name;
		const char *section = strcmp(name, "source") == 0 ? "sources"
		    : strcmp(name, "output") == 0                 ? "outputs"
								  : NULL;

		if (strcmp(name, "name") == 0 && agent != NULL)
			node_put(agent,
			    node_scalar(agent, "name", line->given[i].value));
		if (section != NULL || name[0] == '\0')
			words[n++] = (struct answers_word){ .section = section,
				.text = line->given[i].value };
	}
	rc = answers_words(&s->answers, words, n, err);
	free(words);
	return rc;
}

/* Secrets are meant to stand in it. */
static void
look_at_answers(const char *file)
{
	struct stat st;

	if (stat(file, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & S_IROTH) != 0)
		(void)fprintf(stderr,
		    "sealfeed setup: warning: %s can be read by every user "
		    "(mode %04o); chmod 0600 it, or remove it afterwards, if "
		    "it has secrets in it\n",
		    file, (unsigned)st.st_mode & 07777);
}

static int
take_answers(struct setup *s, const struct cmd_line *line, struct err *err)
{
	struct config_errors faults = CONFIG_ERRORS_INIT;
	const char *file = cmd_value(line, "answers");
	int rc = 0;

	if (file != NULL)
		look_at_answers(file);
	if (file != NULL && answers_read(&s->answers, file, &faults, err) != 0)
		rc = faults.n > 0 ? EXIT_CONF : EXIT_USE;
	fail_all(s, &faults);
	config_errors_release(&faults);
	if (rc == 0 && take_words(s, line, err) != 0)
		rc = EXIT_USE;
	return rc;
}

/* The folder, a main file, and what the configuration says by now. */
static int
look_around(struct setup *s, struct err *err)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	enum placed how;
	int rc = 0;

	if (place_begin(&s->place, err) != 0)
		return EXIT_WRONG;
	if (access(s->place.config, F_OK) != 0 &&
	    place_file(&s->place, s->place.config, main_file, strlen(main_file),
		&how, err) != 0)
		return EXIT_WRONG;
	node_free(s->there);
	s->there = config_tree(s->place.config, NULL, &errors);
	if (s->there == NULL) {
		fail_all(s, &errors);
		rc = EXIT_CONF;
	}
	config_errors_release(&errors);
	return rc;
}

/* Ask, where somebody can be asked, for what is missing. */
static int
ask(struct setup *s, bool anew, struct err *err)
{
	struct config_errors says = CONFIG_ERRORS_INIT;

	if (!anew && !dialogue_needed(&s->answers, s->there, &says))
		return 0;
	if (!s->may_ask) {
		fail_all(s, &says);
		config_errors_release(&says);
		/* What is wrong with a single entry, the plan says. */
		return json_array_size(s->errors) > 0 ? EXIT_USE : 0;
	}
	config_errors_release(&says);
	s->asked = true;
	return dialogue(&s->answers, s->there, anew, s->out, err) == 0
	    ? 0
	    : EXIT_WRONG;
}

static int
make_plan(struct setup *s, struct err *err)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	int rc = 0;

	if (shell_proxy_take(&s->answers, s->there, s->out, err) != 0)
		return EXIT_WRONG;
	if (plan_make(&s->plan, &s->place, &s->answers, s->there, &errors,
		err) != 0) {
		rc = errors.n > 0 ? EXIT_CONF : EXIT_WRONG;
		fail_all(s, &errors);
		fail_all(s, &s->plan.conflicts);
	}
	config_errors_release(&errors);
	return rc;
}

/* Show what is going to be made; false: it shall not. */
static bool
agreed(struct setup *s)
{
	if (!s->asked || s->plan.n == 0)
		return true;
	(void)fprintf(s->out, "\nThis is going to be made:\n");
	for (size_t i = 0; i < s->plan.n; i++)
		(void)fprintf(s->out, "  %s\n", s->plan.files[i].path);
	return dialogue_choice("Go on? [Y/n] ", "yn", s->out) == 'y';
}

static void
tell_files(struct setup *s)
{
	bool any = false;

	for (size_t i = 0; i < s->place.n_made; i++) {
		(void)json_array_append_new(s->made,
		    json_string(s->place.made[i]));
		(void)fprintf(s->out, "made %s\n", s->place.made[i]);
		any = true;
	}
	if (!any)
		(void)fprintf(s->out,
		    "All of it is there already; nothing was changed.\n");
}

static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL || slash == path
	    ? xstrdup("/")
	    : xstrndup(path, (size_t)(slash - path));
}

/* What the unit's StateDirectory= makes, where the service never ran. */
static int
make_state(struct setup *s, struct err *err)
{
	const struct agent_conf *a = &s->config->agent;
	char *const folders[] = { folder_of(a->store.path),
		folder_of(a->seal.log), xstrdup(a->collect.folder) };
	int rc = 0;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (rc == 0 && s->place.service)
			rc = place_state(&s->place, folders[i], err);
		free(folders[i]);
	}
	return rc;
}

/* Make the files and load what they say: an exit status. */
static int
make_all(struct setup *s, struct err *err)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	int rc = EXIT_FINE;

	if (plan_do(&s->plan, &s->place, err) != 0)
		return EXIT_WRONG;
	s->config = config_load(s->place.config, &agent_types, &errors);
	if (s->config == NULL) {
		fail_all(s, &errors);
		rc = EXIT_CONF;
	} else if (make_state(s, err) != 0) {
		rc = EXIT_WRONG;
	}
	config_errors_release(&errors);
	return rc;
}

static void
forget(struct setup *s)
{
	place_undo(&s->place);
	config_free(s->config);
	s->config = NULL;
	plan_free(&s->plan);
	s->kept = false;
}

static int
check(struct setup *s, struct err *err)
{
	return s->live ? setup_check(s, err) : setup_look(s, err);
}

/* From the plan to a configuration that works: an exit status.  s->kept says
 * whether what was made stays. */
static int
try_once(struct setup *s, struct err *err)
{
	int rc = make_plan(s, err);

	if (rc != 0)
		return rc;
	if (!agreed(s)) {
		(void)err_set(err, "nothing was changed");
		return EXIT_WRONG;
	}
	rc = make_all(s, err);
	if (rc != EXIT_FINE)
		return rc;
	tell_files(s);
	rc = check(s, err);
	s->kept = rc == EXIT_FINE;
	return rc;
}

/* It does not work yet: what now?  Returns what try_once() is to return, with
 * *again set where it is to be called once more. */
static int
settle(struct setup *s, int rc, bool *again, struct err *err)
{
	char c = 0;

	*again = false;
	while (s->asked && s->config != NULL && c != 'k' && c != 'u' &&
	    c != 'c' && rc != EXIT_FINE && !terminal_interrupted()) {
		(void)fprintf(s->out, "\nNot all of it works yet.\n");
		c = dialogue_choice("(t)ry again, (c)hange the answers, (k)eep "
				    "it as it is and "
				    "go on later, (u)ndo? [t] ",
		    "tcku", s->out);
		if (c == 0)
			break;
		if (c == 't')
			rc = check(s, err);
	}
	s->kept = rc == EXIT_FINE || c == 'k';
	if (c == 'c') {
		forget(s);
		*again = true;
		rc = look_around(s, err);
	}
	if (*again && rc == 0)
		rc = ask(s, true, err);
	return rc;
}

/* The verifier key; none where the key is not for this process to read. */
static void
tell_vkey(struct setup *s)
{
	struct buf vkey = BUF_INIT(KEY_MAX);
	struct err err = ERR_INIT;
	struct signer *signer =
	    signer_load(s->config->agent.name, s->config->agent.key, &err);

	if (signer != NULL && signer_vkey(signer, &vkey, &err) == 0) {
		s->vkey = xstrdup(vkey.data);
		(void)fprintf(s->out,
		    "\nThe verifier key, for your auditors:\n  %s\n", s->vkey);
	} else {
		(void)fprintf(s->out, "\nNo verifier key can be shown: %s\n",
		    err.text);
	}
	signer_free(signer);
	buf_release(&vkey);
}

static void
tell_next(struct setup *s)
{
	const bool runs = lock_is_held(s->config->agent.store.path) == 1;

	if (runs && s->plan.n > 0)
		s->next = xstrdup(s->place.service ? "systemctl reload sealfeed"
						   : "kill -HUP its process");
	else if (!runs)
		s->next = s->place.service
		    ? xstrdup("systemctl enable --now sealfeed")
		    : xasprintf("sealfeed run --config %s", s->place.config);
	if (s->next != NULL)
		(void)fprintf(s->out, "\nNext: %s\n", s->next);
	else
		(void)fprintf(s->out,
		    "\nThe agent runs; \"sealfeed status\" shows how.\n");
}

/* All of it: an exit status. */
static int
setup(struct setup *s, const struct cmd_line *line, struct err *err)
{
	bool again = false;
	int rc;

	if (place_open(&s->place, line->config, err) != 0)
		return EXIT_WRONG;
	rc = take_answers(s, line, err);
	if (rc == 0)
		rc = look_around(s, err);
	if (rc == 0)
		rc = ask(s, false, err);
	do {
		if (rc == 0)
			rc = try_once(s, err);
		rc = settle(s, rc, &again, err);
	} while (again && rc == 0);
	if (rc != EXIT_FINE)
		return rc;
	if (s->wait > 0)
		rc = setup_wait(s, err);
	tell_vkey(s);
	tell_next(s);
	return rc;
}

static void
print_json(struct setup *s, int rc)
{
	json_t *all =
	    json_pack("{s:b, s:b, s:s, s:O, s:s?, s:O?, s:O?, s:s?, s:O}", "ok",
		rc == EXIT_FINE, "changed", json_array_size(s->made) > 0,
		"config", s->place.config, "made", s->made, "vkey", s->vkey,
		"check", s->check, "first_event", s->event, "next", s->next,
		"errors", s->errors);
	const char *first = json_string_value(json_array_get(s->errors, 0));

	if (rc != EXIT_FINE)
		(void)json_object_update_new(all,
		    cmd_error_json(s->line->cmd, rc,
			first == NULL ? "it was interrupted" : first));
	if (all != NULL && json_dumpf(all, stdout, JSON_INDENT(2)) == 0)
		(void)putchar('\n');
	json_decref(all);
}

/* What a failure leaves behind. */
static void
end_badly(struct setup *s, const struct err *err)
{
	const bool made = s->place.n_made > 0;

	if (err->text[0] != '\0')
		setup_fail(s, err->text);
	if (s->kept && s->plan.n > 0)
		setup_fail(s,
		    "what was made stays; run \"sealfeed setup\" again to go "
		    "on from here");
	else if (s->plan.n > 0 && made && s->config != NULL)
		setup_fail(s,
		    "what was made is removed again; see to the cause, and run "
		    "setup again");
	if (!s->kept) {
		place_undo(&s->place);
		json_array_clear(s->made);
	}
}

static void
release(struct setup *s)
{
	node_free(s->there);
	answers_free(&s->answers);
	plan_free(&s->plan);
	config_free(s->config);
	place_close(&s->place);
	json_decref(s->errors);
	json_decref(s->made);
	json_decref(s->check);
	json_decref(s->event);
	free(s->vkey);
	free(s->next);
}

static int
setup_run(const struct cmd *cmd, struct cmd_line *line)
{
	const char *wait = cmd_value(line, "wait");
	struct setup s = {
		.line = line,
		.json = line->json,
		.out = line->json ? stderr : stdout,
		.live = cmd_value(line, "no-live") == NULL,
		.may_ask =
		    terminal_there() && cmd_value(line, "answers") == NULL,
		.errors = json_array(),
		.made = json_array(),
		.place.lock = -1,
	};
	const struct rlimit none = { 0, 0 };
	struct err err = ERR_INIT;
	int rc;

	if (text_duration(wait == NULL ? WAIT_DEFAULT : wait, &s.wait) != 0)
		return cmd_misused(cmd,
		    "--wait: \"%s\" is not a duration; write 90s, 5m", wait);
	if (!s.live || cmd_value(line, "no-wait") != NULL)
		s.wait = 0;
	(void)setrlimit(RLIMIT_CORE, &none); /* secrets stay in memory */
	terminal_signals();
	answers_init(&s.answers, &agent_types, line->config);
	rc = setup(&s, line, &err);
	if (rc != EXIT_FINE)
		end_badly(&s, &err);
	if (s.json)
		print_json(&s, rc);
	release(&s);
	return rc;
}

static const struct cmd_option setup_options[] = {
	{ .name = "answers",
	    .value = "FILE",
	    .help = "Take what is to be set up from FILE (YAML or JSON, of the "
		    "shape of a configuration; - is standard input), and ask "
		    "nothing. Secrets may be written out in it." },
	{ .name = "source",
	    .value = "NAME",
	    .help = "A source; the arguments behind it, KEY=VALUE, are its "
		    "options, type=TYPE one of them. KEY_file=FILE takes a "
		    "value from a file, or - from standard input; a secret is "
		    "given in no other way." },
	{ .name = "output", .value = "NAME", .help = "An output, likewise." },
	{ .name = "name",
	    .value = "AGENT",
	    .help = "The agent's name. Default: the host name." },
	{ .name = "no-live",
	    .help = "Connect to nobody: neither check nor wait." },
	{ .name = "no-wait", .help = "Do not wait for the first event." },
	{ .name = "wait",
	    .value = "TIME",
	    .help =
		"Wait so long for the first event; default " WAIT_DEFAULT "." },
	{ .name = NULL },
};

const struct cmd cmd_setup = {
	.name = "setup",
	.arguments = "[KEY=VALUE]...",
	.summary = "Set up a source and an output, and see the first event.",
	.help =
	    "Make a working configuration: ask for a source and an output "
	    "(or take them from --answers, --source and --output), say what "
	    "to create at the vendor, make the signing key, files for the "
	    "secrets and drop-ins in conf.d with the owners and modes that "
	    "the service needs, run \"check --live\" as the service's user "
	    "(so without the environment of the shell; a proxy that its "
	    "https_proxy names becomes the option \"proxy\", but for hosts in "
	    "no_proxy), "
	    "and run the agent until the first event is delivered, whose path "
	    "is printed with the verifier key. Ctrl-C ends the waiting. "
	    "A second run changes nothing, and one that was interrupted goes "
	    "on. Nothing is ever overwritten: what is there and says "
	    "something else is told, and nothing is changed. Where the check "
	    "fails, what was made is removed again. Without --config it needs "
	    "root; with another FILE everything is made beside that, for "
	    "trying. The exit status is 0 if all works, 1 if something does "
	    "not, 64 if something is missing and nobody can be asked, and 78 "
	    "if the options have faults.",
	.options = setup_options,
	.mixed = true,
	.run = setup_run,
};
