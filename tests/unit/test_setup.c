/*
 * test_setup.c - the pieces of `setup`: what it is told, what it makes of that,
 * and how files come to be.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
#include "run/types.h"
#include "setup/answers.h"
#include "setup/dialogue.h"
#include "setup/place.h"
#include "setup/plan.h"
#include "tests/unit/unit.h"

#define TENANT "0873ee4d-d342-44f2-8961-74c442a2fad2"
#define CLIENT "6f9f0d1c-1d3c-4b6e-9d51-0a3b5c7d9e10"

static char folder[64];
static struct place place;
static struct answers answers;
static struct err err;

static char *
path_of(const char *name)
{
	static char path[200];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void
write_to(const char *name, const char *text)
{
	ck_assert_msg(file_replace(path_of(name), text, strlen(text), 0600,
			  &err) == 0,
	    "%s", err.text);
}

static void
begin(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/sealfeed-setup-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	err_clear(&err);
	ck_assert_int_eq(place_open(&place, path_of("c/sealfeed.yaml"), &err),
	    0);
	answers_init(&answers, &agent_types, place.config);
}

static void
end(void)
{
	char command[100];

	place_close(&place);
	answers_free(&answers);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

/* Words as they stand on a command line, "+NAME" a source, "-NAME" an
 * output. */
static int
tell(const char *line)
{
	struct answers_word words[20];
	char copy[1000], *save = NULL;
	size_t n = 0;

	(void)snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = (struct answers_word){
			.section = w[0] == '+' ? "sources"
			    : w[0] == '-'      ? "outputs"
					       : NULL,
			.text = w[0] == '+' || w[0] == '-' ? w + 1 : w,
		};
	err_clear(&err);
	return answers_words(&answers, words, n, &err);
}

static void
is_said(const char *path, const char *text)
{
	const struct node *n = node_find(answers.tree, path);

	ck_assert_msg(n != NULL, "%s is missing", path);
	ck_assert_str_eq(n->text, text);
}

START_TEST(words_become_answers)
{
	write_to("secret", "s3cret value\n");
	ck_assert_msg(tell("+contoso tenant=" TENANT
			   " tls.ca=/ca.pem type=office365 client-id=" CLIENT
			   " content=Audit.Exchange,DLP.All "
			   "-siem type=syslog address=[::1]:6514") == 0,
	    "%s", err.text);
	is_said("sources.contoso.type", "office365");
	is_said("sources.contoso.tenant", TENANT);
	is_said("sources.contoso.client_id", CLIENT);
	is_said("sources.contoso.tls.ca", "/ca.pem");
	is_said("outputs.siem.address", "[::1]:6514");
	ck_assert_int_eq(node_find(answers.tree, "sources.contoso.content")
			     ->type,
	    NODE_LIST);
	ck_assert_int_eq(tell("-lake type=http url=https://x/ "
			      "headers.X-A.b-c=${file:/x}"),
	    0);
	ck_assert_str_eq(node_get(node_find(answers.tree,
				      "outputs.lake.headers"),
			     "X-A.b-c")
			     ->text,
	    "${file:/x}");
}
END_TEST

START_TEST(secrets_come_from_files)
{
	char line[500];

	write_to("secret", "s3cret value\r\n");
	(void)snprintf(line, sizeof(line),
	    "+contoso type=office365 client-secret-file=%s", path_of("secret"));
	ck_assert_msg(tell(line) == 0, "%s", err.text);
	is_said("sources.contoso.client_secret", "s3cret value");
	(void)snprintf(line, sizeof(line),
	    "-lake type=http headers.X-Token_file=%s bearer_file=%s",
	    path_of("secret"), path_of("secret"));
	ck_assert_msg(tell(line) == 0, "%s", err.text);
	is_said("outputs.lake.headers.X-Token", "s3cret value");
	is_said("outputs.lake.bearer", "s3cret value");
}
END_TEST

static const struct {
	const char *line;
	const char *says;
} refused[] = {
	{ "type=office365", "belongs to nothing" },
	{ "+contoso type=office365 tenant", "is not KEY=VALUE" },
	{ "+contoso type=office365 =x", "is not KEY=VALUE" },
	{ "+contoso type=office365 client_secret=abc", "client_secret_file=" },
	{ "+contoso type=office365 proxy=http://u:p@h:1", "proxy_file=" },
	{ "-lake type=http bearer=abc", "bearer_file=" },
	{ "-lake type=http headers.X-Token=abc", "headers.X-Token_file=" },
	{ "-lake type=http headers=abc", "is a map" },
	{ "-lake type=http tls=x tls.ca=/x", "in the way" },
	{ "-lake type=http bearer_file=/nowhere/x", "/nowhere/x" },
	{ "-lake type=http bearer_file=/dev/null", "not a regular file" },
};

START_TEST(words_that_are_refused)
{
	ck_assert_int_eq(tell(refused[_i].line), -1);
	ck_assert_msg(strstr(err.text, refused[_i].says) != NULL, "%s",
	    err.text);
	ck_assert_ptr_null(strstr(err.text, "abc"));
}
END_TEST

START_TEST(references_may_be_seen)
{
	ck_assert_msg(tell("+c type=office365 client_secret=${credential:c} "
			   "proxy=http://h:3128 private_key=/k.pem") == 0,
	    "%s", err.text);
}
END_TEST

/* Read answers with this text: what is wrong with them. */
static struct config_errors
read_answers(const char *text)
{
	struct config_errors faults = CONFIG_ERRORS_INIT;
	int rc;

	write_to("answers", text);
	rc = answers_read(&answers, path_of("answers"), &faults, &err);
	ck_assert_msg(err.text[0] == '\0', "%s", err.text);
	ck_assert_int_eq(rc, faults.n == 0 ? 0 : -1);
	return faults;
}

START_TEST(answers_in_a_file)
{
	struct config_errors faults =
	    read_answers("sources: { c: { type: office365 } }\n"
			 "outputs:\n"
			 "agent: { name: fra1 }\n");

	ck_assert_uint_eq(faults.n, 0);
	ck_assert_int_eq(tell("+c tenant=" TENANT), 0);
	is_said("sources.c.type", "office365");
	is_said("sources.c.tenant", TENANT);
	is_said("agent.name", "fra1");
	ck_assert_int_eq(answers_read(&answers, path_of("none"), &faults, &err),
	    -1);
	ck_assert_ptr_nonnull(strstr(err.text, "; name a file that is there"));
	ck_assert_uint_eq(faults.n, 0);
}
END_TEST

static const struct {
	const char *text;
	const char *says[2];
} shapes[] = {
	{ "[a]", { "answers:1: the answers must be a map", NULL } },
	{ "a: [b", { "answers:", NULL } },
	{ "agent: {}\nagent: {}\n",
	    { "answers:2: key \"agent\" appears twice", NULL } },
	{ "agent: x",
	    { "answers:1: agent: must be a map of its options", NULL } },
	{ "sources: [a]",
	    { "answers:1: sources: must be a map of names", NULL } },
	{ "outputs: x",
	    { "answers:1: outputs: must be a map of names", NULL } },
	{ "sources:\n  a: [b]\n  b:\n",
	    { "answers:2: sources.a: must be a map of its options",
		"answers:3: sources.b: must be a map of its options" } },
	{ "outputs:\n  a: b\n",
	    { "answers:2: outputs.a: must be a map of its options", NULL } },
};

/* What has no options in it is told before anything is asked of it. */
START_TEST(answers_of_another_shape)
{
	struct config_errors faults = read_answers(shapes[_i].text);

	for (size_t i = 0; i < 2 && shapes[_i].says[i] != NULL; i++) {
		ck_assert_uint_gt(faults.n, i);
		ck_assert_msg(strstr(faults.line[i], shapes[_i].says[i]) !=
			NULL,
		    "%s", faults.line[i]);
	}
	ck_assert_ptr_null(node_get(answers.tree, "sources"));
	config_errors_release(&faults);
}
END_TEST

/* -- files ----------------------------------------------------------------- */

static int
put(const char *name, const char *text, enum placed *how)
{
	char *path = xasprintf("%s/%s", place.folder, name);
	int rc;

	err_clear(&err);
	rc = place_file(&place, path, text, strlen(text), how, &err);
	free(path);
	return rc;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

START_TEST(a_file_is_made_once)
{
	enum placed how;

	ck_assert_msg(place_begin(&place, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(mode_of(place.folder), 0700);
	ck_assert_int_eq(put("a", "text", &how), 0);
	ck_assert_int_eq(how, PLACED_NEW);
	ck_assert_uint_eq(mode_of(path_of("c/a")), 0600);
	ck_assert_int_eq(put("a", "text", &how), 0);
	ck_assert_int_eq(how, PLACED_ALREADY);
	ck_assert_int_eq(put("a", "other", &how), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "overwrites nothing"));
	ck_assert_ptr_null(strstr(err.text, "text"));
	ck_assert_int_ne(access(path_of("c/.a.new"), F_OK), 0);
}
END_TEST

START_TEST(what_an_interruption_left_is_no_hindrance)
{
	enum placed how;

	ck_assert_int_eq(place_begin(&place, &err), 0);
	write_to("c/.a.new", "half");
	ck_assert_msg(put("a", "whole", &how) == 0, "%s", err.text);
	ck_assert_int_ne(access(path_of("c/.a.new"), F_OK), 0);
}
END_TEST

START_TEST(where_nothing_can_be_made)
{
	enum placed how;

	ck_assert_int_eq(place_begin(&place, &err), 0);
	ck_assert_int_eq(put("none/x", "x", &how), -1);
	ck_assert_msg(strstr(err.text,
			  "/none/x: cannot be made: No such file or directory; "
			  "make its folder first") != NULL,
	    "%s", err.text);
}
END_TEST

START_TEST(undo_leaves_what_was_there)
{
	enum placed how;

	ck_assert_int_eq(place_begin(&place, &err), 0);
	ck_assert_int_eq(put("a", "text", &how), 0);
	ck_assert_int_eq(place_state(&place, path_of("c/x/y"), &err), 0);
	place_undo(&place);
	ck_assert_int_ne(access(path_of("c"), F_OK), 0);
	ck_assert_int_eq(access(folder, F_OK), 0);
	ck_assert_int_eq(mkdir(path_of("c"), 0755), 0);
	write_to("c/a", "text");
	ck_assert_int_eq(place_begin(&place, &err), 0);
	ck_assert_int_eq(put("a", "text", &how), 0);
	place_undo(&place);
	ck_assert_int_eq(access(path_of("c/a"), F_OK), 0);
	ck_assert_uint_eq(mode_of(path_of("c")), 0755);
}
END_TEST

START_TEST(one_setup_at_a_time)
{
	struct place other;

	ck_assert_int_eq(place_begin(&place, &err), 0);
	ck_assert_int_eq(place_open(&other, place.config, &err), 0);
	ck_assert_int_eq(place_begin(&other, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "another"));
	place_close(&other);
}
END_TEST

/* -- plans ----------------------------------------------------------------- */

static struct plan plan;
static struct config_errors errors;

/* Plan for answers in YAML and a configuration in YAML. */
static int
make(const char *wanted, const char *there)
{
	struct node *w = yaml_parse("answers", wanted, strlen(wanted), &err);
	struct node *t = yaml_parse("there", there, strlen(there), &err);
	int rc;

	ck_assert_msg(w != NULL && t != NULL, "%s", err.text);
	node_merge(answers.tree, w);
	err_clear(&err);
	rc = plan_make(&plan, &place, &answers, t, &errors, &err);
	node_free(t);
	return rc;
}

static void
drop(void)
{
	plan_free(&plan);
	config_errors_release(&errors);
}

static const char *
planned(const char *name)
{
	for (size_t i = 0; i < plan.n; i++)
		if (strcmp(plan.files[i].path + strlen(place.folder) + 1,
			name) == 0)
			return plan.files[i].text.data;
	return NULL;
}

#define AGENT                                    \
	"agent: { name: a, key: /etc/hostname, " \
	"store: { path: /x/y.db }, watch: { listen: /x/w } }\n"
#define SOURCE                                             \
	"sources: { c: { type: office365, tenant: " TENANT \
	", client_id: " CLIENT ", client_secret: 'a~b \"c\"' } }\n"
#define OUTPUT "outputs: { siem: { type: syslog, address: 'h:6514' } }\n"

START_TEST(a_new_configuration)
{
	ck_assert_msg(make("agent: { name: fra1 }\n" SOURCE OUTPUT, "{}") == 0,
	    "%s", err.text);
	ck_assert_ptr_nonnull(strstr(planned("seal.pem"), "PRIVATE KEY"));
	ck_assert_str_eq(planned("source-c.client_secret"), "a~b \"c\"");
	ck_assert_ptr_nonnull(strstr(planned("conf.d/10-agent.yaml"),
	    "name: fra1"));
	ck_assert_ptr_nonnull(strstr(planned("conf.d/20-source-c.yaml"),
	    "client_secret: ${file:"));
	ck_assert_ptr_null(strstr(planned("conf.d/20-source-c.yaml"), "a~b"));
	ck_assert_ptr_nonnull(strstr(planned("conf.d/30-output-siem.yaml"),
	    "address: h:6514"));
	drop();
}
END_TEST

static const char *const broken_lines[] = {
	"sources: { c: { type: office365, tenant: " TENANT
	", client_id: " CLIENT ", client_secret: \"abcdef\\n\\n\" } }\n" OUTPUT,
	SOURCE "outputs: { h: { type: splunk-hec, url: 'https://h/', token: "
	       "\"abcdef\\rabcdef\" } }\n",
	SOURCE "outputs: { h: { type: http, url: 'https://h/', headers: { "
	       "X-A: \"abcdef\\nX-B: abcdef\" } } }\n",
};

START_TEST(a_secret_has_one_line)
{
	ck_assert_int_eq(make(broken_lines[_i], AGENT), -1);
	ck_assert_msg(strstr(err.text, "has a line break in it") != NULL, "%s",
	    err.text);
	ck_assert_ptr_null(strstr(err.text, "abcdef"));
	drop();
}
END_TEST

START_TEST(what_is_there_needs_nothing)
{
	ck_assert_msg(make(SOURCE OUTPUT, AGENT SOURCE OUTPUT) == 0, "%s",
	    err.text);
	ck_assert_uint_eq(plan.n, 0);
	drop();
}
END_TEST

START_TEST(what_is_missing_is_added)
{
	ck_assert_int_eq(make("sources: { c: { interval: 5s, tls: { ca: /ca } "
			      "} }",
			     AGENT SOURCE OUTPUT),
	    0);
	ck_assert_uint_eq(plan.n, 1);
	ck_assert_ptr_nonnull(strstr(planned("conf.d/20-source-c.yaml"),
	    "interval: 5s"));
	ck_assert_ptr_null(strstr(planned("conf.d/20-source-c.yaml"), "type"));
	drop();
}
END_TEST

/* Each contradicts the configuration, and says which option does. */
static const struct {
	const char *wanted;
	const char *key;
} contradictions[] = {
	{ "sources: { c: { client_id: " TENANT " } }", "client_id" },
	{ "sources: { c: { client_secret: s3cret } }", "client_secret" },
	{ "outputs: { siem: { address: 'h:1' } }", "address" },
	{ "agent: { name: b }", "name" },
};

START_TEST(contradictions_are_told)
{
	ck_assert_int_eq(make(contradictions[_i].wanted, AGENT SOURCE OUTPUT),
	    -1);
	ck_assert_uint_eq(plan.conflicts.n, 1);
	ck_assert_ptr_nonnull(strstr(plan.conflicts.line[0],
	    contradictions[_i].key));
	ck_assert_ptr_nonnull(strstr(plan.conflicts.line[0], "there:"));
	ck_assert_ptr_null(strstr(plan.conflicts.line[0], "s3cret"));
	drop();
}
END_TEST

START_TEST(faults_of_the_answers)
{
	ck_assert_int_eq(make("sources: { c: { type: office365, tenent: x } }",
			     AGENT),
	    -1);
	ck_assert_uint_ge(errors.n, 2);
	ck_assert_ptr_nonnull(strstr(errors.line[0], "answers:1: "));
	drop();
}
END_TEST

START_TEST(a_secret_that_was_lost_is_made_again)
{
	char there[1000];

	(void)snprintf(there, sizeof(there),
	    AGENT "sources: { c: { type: office365, tenant: " TENANT
		  ", client_id: " CLIENT
		  ", client_secret: \"${file:%s/source-c.client_secret}\" } }",
	    place.folder);
	ck_assert_msg(make(SOURCE OUTPUT, there) == 0, "%s", err.text);
	ck_assert_str_eq(planned("source-c.client_secret"), "a~b \"c\"");
	ck_assert_ptr_null(planned("conf.d/20-source-c.yaml"));
	drop();
}
END_TEST

START_TEST(certificates_and_credentials)
{
	char wanted[1000];

	write_to("other", "from elsewhere\n");
	(void)snprintf(wanted, sizeof(wanted),
	    "outputs: { lake: { type: http, url: 'https://x/', "
	    "bearer: '${file:%s}', headers: { X-A: plain, "
	    "X-B: '${credential:b}' }, tls: { cert: relative.pem, "
	    "key: \"-----BEGIN PRIVATE KEY-----\\nx\\n\" } } }",
	    path_of("other"));
	ck_assert_msg(make(wanted, AGENT) == 0, "%s", err.text);
	ck_assert_str_eq(planned("output-lake.bearer"), "from elsewhere");
	ck_assert_str_eq(planned("output-lake.headers.X-A"), "plain");
	ck_assert_ptr_null(planned("output-lake.headers.X-B"));
	ck_assert_ptr_nonnull(strstr(planned("output-lake.tls.key"),
	    "BEGIN PRIVATE"));
	ck_assert_ptr_nonnull(strstr(planned("conf.d/30-output-lake.yaml"),
	    "X-B: ${credential:b}"));
	ck_assert_ptr_nonnull(strstr(planned("conf.d/30-output-lake.yaml"),
	    "cert: /"));
	drop();
}
END_TEST

START_TEST(a_plan_is_carried_out_and_resumed)
{
	ck_assert_int_eq(place_begin(&place, &err), 0);
	ck_assert_msg(make(SOURCE OUTPUT, "{}") == 0, "%s", err.text);
	/* As far as it got. */
	plan.n -= 1;
	ck_assert_msg(plan_do(&plan, &place, &err) == 0, "%s", err.text);
	plan.n += 1;
	ck_assert_msg(plan_do(&plan, &place, &err) == 0, "%s", err.text);
	ck_assert_int_eq(plan.files[0].how, PLACED_ALREADY);
	ck_assert_int_eq(plan.files[plan.n - 1].how, PLACED_NEW);
	drop();
}
END_TEST

/* -- what is missing ------------------------------------------------------- */

static const struct {
	const char *wanted;
	const char *there;
	bool needed;
} lacks[] = {
	{ "{}", "{}", true },
	{ SOURCE OUTPUT, "{}", false },
	{ SOURCE, "{}", true },
	{ SOURCE, OUTPUT, false },
	{ "{}", SOURCE OUTPUT, false },
	{ "sources: { c: { client_secret: x } }", OUTPUT, true },
	{ "sources: { d: { type: office365 } }", SOURCE OUTPUT, true },
};

START_TEST(what_has_to_be_asked_for)
{
	struct node *there =
	    yaml_parse("there", lacks[_i].there, strlen(lacks[_i].there), &err);

	node_merge(answers.tree,
	    yaml_parse("w", lacks[_i].wanted, strlen(lacks[_i].wanted), &err));
	ck_assert_int_eq(dialogue_needed(&answers, there, NULL),
	    lacks[_i].needed);
	node_free(there);
}
END_TEST

/* -- YAML ------------------------------------------------------------------ */

static const char *const yamls[] = {
	"a: 1\nb:\n  c: \"x y\"\n  d:\n    e: [\"1\", \"b\"]\n",
	"\"a b\": \"\"\n",
	"a: \"null\"\n",
	"a: null\n",
	"a: {}\n",
	"a: []\n",
	"a: \"- x\"\nb: \"#\"\nc: \"x: y\"\nd: \"x:\"\ne: \" x\"\n",
	"a: \"\\u0007\\n\\\\\\\"\"\n",
	"a: \"über\"\n",
	"a: [{\"b\": \"c\"}, [\"d\"]]\n",
	"a: ${file:/etc/x}\nb: h:6514\nc: /x\n",
};

START_TEST(yaml_is_read_back)
{
	struct buf one = BUF_INIT(10000), two = BUF_INIT(10000);
	struct node *a = yaml_parse("a", yamls[_i], strlen(yamls[_i]), &err);
	struct node *b;

	ck_assert_msg(a != NULL, "%s", err.text);
	ck_assert_int_eq(yaml_print(a, 0, &one), 0);
	ck_assert_str_eq(one.data, yamls[_i]);
	b = yaml_parse("b", one.data, one.len, &err);
	ck_assert_msg(b != NULL, "%s", err.text);
	ck_assert_int_eq(yaml_print(b, 0, &two), 0);
	ck_assert_str_eq(one.data, two.data);
	node_free(a);
	node_free(b);
	buf_release(&one);
	buf_release(&two);
}
END_TEST

/* The dialogue lists types by their titles, and says what to create before it
 * asks for the options. */
START_TEST(every_output_introduces_itself)
{
	for (size_t i = 0; agent_types.outputs[i] != NULL; i++) {
		const struct config_type *type = agent_types.outputs[i];

		ck_assert_msg(type->title != NULL, "%s: no title", type->name);
		ck_assert_msg(type->before != NULL,
		    "%s: what is to be created?", type->name);
	}
}
END_TEST

static const struct {
	const char *type;
	const char *key;
	const char *ask; /* how it begins; NULL: it is not asked for */
	const char *unless;
} questions[] = {
	{ "okta", "token", "API token (token", NULL },
	{ "okta", "client_id", "Client ID", "token" },
	{ "okta", "private_key", "Its RSA", "token" },
	{ "github", "org", "Name of the organisation", NULL },
	{ "github", "enterprise",
	    "Name of the enterprise whose events the streams enterprise.web",
	    NULL },
	{ "github", "token", "Token with", NULL },
	{ "github", "installation", "ID of its", "token" },
	{ "microsoft-graph", "client_secret", "Client secret", NULL },
	{ "microsoft-graph", "certificate", "", "client_secret" },
	{ "mongodb-atlas", "client_id", "", NULL },
	{ "mongodb-atlas", "private_key", "", "client_secret" },
	{ "aws-s3", "aws.key", "Access key", "api_key basic bearer" },
	{ "elasticsearch", "api_key", "API key in its encoded form", NULL },
	{ "elasticsearch", "bearer", "Token", "api_key basic" },
	{ "elasticsearch", "aws.key", "Access key", "api_key basic bearer" },
	{ "okta", "interval", NULL, NULL },
	{ "okta", "hosts.api", NULL, NULL },
	{ "github", "streams", NULL, NULL },
};

static const struct setting *asked_row;
static const char *asked_key;

/* setting_fn */
static void
look_for_row(void *ctx, const struct setting_row *r)
{
	(void)ctx;
	if (strcmp(r->setting->key, asked_key) == 0)
		asked_row = r->setting;
}

/* The type that a definition describes. */
static const struct config_type *
described(const char *name)
{
	struct config_errors faults = CONFIG_ERRORS_INIT;
	const struct config_type *type;

	ck_assert_int_eq(mkdir(path_of("d"), 0700), 0);
	ck_assert_int_eq(symlink(SRCDIR "/agent/sources/definitions",
			     path_of("d/sources.d")),
	    0);
	type =
	    agent_types.find_source(path_of("d/sealfeed.yaml"), name, &faults);
	config_errors_release(&faults);
	return type;
}

/* What all streams need alike is not said forty times. */
START_TEST(permissions_are_told_once)
{
	const struct config_type *google = described("google-workspace");

	ck_assert_ptr_nonnull(google);
	ck_assert_ptr_nonnull(strstr(google->before,
	    "\nPermissions, the same for every stream:\n     https://"));
	ck_assert_ptr_null(strstr(google->before, "access_evaluation"));
}
END_TEST

START_TEST(credentials_are_asked_for)
{
	const struct config_type *type = NULL;
	const char *ask = questions[_i].ask;

	for (size_t i = 0; agent_types.sources[i] != NULL; i++)
		if (strcmp(agent_types.sources[i]->name, questions[_i].type) ==
		    0)
			type = agent_types.sources[i];
	for (size_t i = 0; agent_types.outputs[i] != NULL; i++)
		if (strcmp(agent_types.outputs[i]->name, questions[_i].type) ==
		    0)
			type = agent_types.outputs[i];
	if (type == NULL)
		type = described(questions[_i].type);
	ck_assert_ptr_nonnull(type);
	asked_row = NULL;
	asked_key = questions[_i].key;
	settings_each(type->settings, look_for_row, NULL);
	ck_assert_ptr_nonnull(asked_row);
	if (ask == NULL) {
		ck_assert_ptr_null(asked_row->ask);
		return;
	}
	ck_assert_ptr_nonnull(asked_row->ask);
	ck_assert_msg(strncmp(asked_row->ask, ask, strlen(ask)) == 0, "%s",
	    asked_row->ask);
	ck_assert_pstr_eq(asked_row->unless, questions[_i].unless);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *
suite_setup(void)
{
	Suite *s = suite_create("setup");
	TCase *tc = tcase_create("setup");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, words_become_answers);
	tcase_add_test(tc, secrets_come_from_files);
	tcase_add_loop_test(tc, words_that_are_refused, 0, COUNT(refused));
	tcase_add_test(tc, references_may_be_seen);
	tcase_add_test(tc, answers_in_a_file);
	tcase_add_loop_test(tc, answers_of_another_shape, 0, COUNT(shapes));
	tcase_add_test(tc, a_file_is_made_once);
	tcase_add_test(tc, what_an_interruption_left_is_no_hindrance);
	tcase_add_test(tc, where_nothing_can_be_made);
	tcase_add_test(tc, undo_leaves_what_was_there);
	tcase_add_test(tc, one_setup_at_a_time);
	tcase_add_test(tc, a_new_configuration);
	tcase_add_loop_test(tc, a_secret_has_one_line, 0, COUNT(broken_lines));
	tcase_add_test(tc, what_is_there_needs_nothing);
	tcase_add_test(tc, what_is_missing_is_added);
	tcase_add_loop_test(tc, contradictions_are_told, 0,
	    COUNT(contradictions));
	tcase_add_test(tc, faults_of_the_answers);
	tcase_add_test(tc, a_secret_that_was_lost_is_made_again);
	tcase_add_test(tc, certificates_and_credentials);
	tcase_add_test(tc, a_plan_is_carried_out_and_resumed);
	tcase_add_loop_test(tc, what_has_to_be_asked_for, 0, COUNT(lacks));
	tcase_add_loop_test(tc, yaml_is_read_back, 0, COUNT(yamls));
	tcase_add_test(tc, every_output_introduces_itself);
	tcase_add_test(tc, permissions_are_told_once);
	tcase_add_loop_test(tc, credentials_are_asked_for, 0, COUNT(questions));
	suite_add_tcase(s, tc);
	return s;
}
