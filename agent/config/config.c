/*
 * config.c - the configuration: from a tree to structs, by the tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/listen.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/text.h"
#include "config/config.h"
#include "config/setting.h"
#include "config/tree.h"
#include "outputs/output.h"
#include "run/child.h"
#include "sources/source.h"

#define TYPES_MOST 64
#define NAME_MOST 63
#define SOURCES_MOST 1024

/* From LOG_LEVEL_ERR on. */
static const char *const log_levels[] = { "err", "warn", "notice", "info",
	"debug", NULL };

const struct setting agent_settings[] = {
	{ .key = "name",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct agent_conf, name),
	    .help = "First part of every checkpoint's origin, HOSTNAME of "
		    "syslog messages, name of the signing key: letters, "
		    "digits, \".\", \"_\" and \"-\". It stays the same for "
		    "the life of a store. Default: the host's name." },
	{ .key = "key",
	    .type = SETTING_SECRET,
	    .offset = offsetof(struct agent_conf, key),
	    .def = "/etc/sealfeed/seal.pem",
	    .help = "The Ed25519 key that signs checkpoints: a file, PEM "
		    "text, or the URI of an OpenSSL provider (pkcs11:...). "
		    "\"sealfeed keygen\" makes one." },
	{ .key = "retain",
	    .type = SETTING_DURATION,
	    .offset = offsetof(struct agent_conf, retain),
	    .def = "0",
	    .min = 0,
	    .max = INT64_C(3650) * 86400 * 1000000,
	    .help = "How long events stay in the store after every output "
		    "has them; \"export\", \"verify\" and \"trace\" can "
		    "then still use them." },
	{ .key = "log_level",
	    .type = SETTING_CHOICE,
	    .offset = offsetof(struct agent_conf, log_level),
	    .def = "notice",
	    .choices = log_levels,
	    .help = "The least important messages that go to standard "
		    "error. Events, tokens and secrets never do." },
	{ .key = "store.path",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct agent_conf, store.path),
	    .def = "/var/lib/sealfeed/store.db",
	    .help = "The store, an SQLite file; its directory must be "
		    "writable, on a local file system." },
	{ .key = "store.max_size",
	    .type = SETTING_SIZE,
	    .offset = offsetof(struct agent_conf, store.max_size),
	    .def = "20GiB",
	    .min = INT64_C(16) << 20,
	    .max = INT64_C(64) << 40,
	    .help = "Collecting pauses while the store holds this much: "
		    "nothing is ever evicted, the vendor keeps the rest." },
	{ .key = "store.min_free",
	    .type = SETTING_SIZE,
	    .offset = offsetof(struct agent_conf, store.min_free),
	    .def = "1GiB",
	    .min = 0,
	    .max = INT64_C(64) << 40,
	    .help = "Collecting pauses while the store's file system has "
		    "less than this left, 4MiB at the least." },
	{ .key = "watch.listen",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct agent_conf, watch.listen),
	    .def = "127.0.0.1:9469",
	    .help = "Where /metrics, /healthz, /readyz and the status page "
		    "are served: an address and port of loopback, or the "
		    "path of a unix socket." },
	SETTING_END,
};

/* What sources and outputs have in common, so that one function reads both. */
struct entry {
	const char *section; /* "sources" */
	const char *noun;    /* "source" */
	const char *types[TYPES_MOST + 1];
	struct {
		const struct setting *settings;
		size_t conf_size;
		void (*check)(const void *conf, const struct blame *b);
	} type[TYPES_MOST];
	/* Of the one that was read last. */
	size_t found;
	void *conf;
};

/* [A-Za-z0-9._-]{1,63}: names become file names, labels and origins. */
bool
config_good_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MOST && strspn(name, allowed) == len;
}

static void
check_name(const struct node *at, const char *section, struct faults *faults)
{
	if (!config_good_name(at->key))
		faults_add(faults, at,
		    "%s: the name \"%.80s\" must be 1 to %d letters, digits, "
		    "\".\", \"_\" or \"-\"",
		    section, at->key, NAME_MOST);
}

static void
unknown_type(const struct entry *e, const struct node *at, const char *where,
    struct faults *faults)
{
	const char *near = text_nearest(at->text, e->types);
	char known[512] = "";
	size_t used = 0;

	for (size_t i = 0; e->types[i] != NULL && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used,
		    "%s%s", i == 0 ? "" : ", ", e->types[i]);
	if (near != NULL)
		faults_add(faults, at,
		    "%s: unknown %s type \"%.60s\" (known: %s); did you mean "
		    "\"%s\"?",
		    where, e->noun, at->text, known, near);
	else
		faults_add(faults, at,
		    "%s: unknown %s type \"%.60s\"; known are %s", where,
		    e->noun, at->text, known);
}

/* Set e->found; false: there is no such type. */
static bool
find_type(struct entry *e, const struct node *map, const char *where,
    struct faults *faults)
{
	const struct node *type = node_get(map, "type");

	if (type == NULL || type->type != NODE_SCALAR ||
	    type->text[0] == '\0') {
		faults_add(faults, type == NULL ? map : type,
		    "%s: \"type\" is missing", where);
		return false;
	}
	for (e->found = 0; e->types[e->found] != NULL; e->found++)
		if (strcmp(e->types[e->found], type->text) == 0)
			return true;
	unknown_type(e, type, where, faults);
	return false;
}

/* Read one source or output into e->conf; false: it can't be read. */
static bool
read_entry(struct entry *e, const struct node *map, struct faults *faults)
{
	static const char *const ours[] = { "type", NULL };
	char where[128];
	struct blame b = { .map = map, .where = where, .faults = faults };

	check_name(map, e->section, faults);
	(void)snprintf(where, sizeof(where), "%s.%.80s", e->section, map->key);
	if (map->type != NODE_MAP) {
		faults_add(faults, map, "%s: must be a map of its options",
		    where);
		return false;
	}
	if (!find_type(e, map, where, faults))
		return false;
	e->conf = xcalloc(1, e->type[e->found].conf_size);
	settings_fill(e->type[e->found].settings, map, where, ours, e->conf,
	    faults);
	b.filled = faults->n;
	if (e->type[e->found].check != NULL)
		e->type[e->found].check(e->conf, &b);
	return true;
}

/* The map of a section, NULL: it is not there or empty. */
static const struct node *
find_section(const struct node *tree, const char *name, size_t most,
    struct faults *faults)
{
	const struct node *section = node_get(tree, name);
	size_t n = 0;

	if (section == NULL || node_null(section))
		return NULL;
	if (section->type != NODE_MAP) {
		faults_add(faults, section, "%s: must be a map", name);
		return NULL;
	}
	for (const struct node *c = section->child; c != NULL; c = c->next)
		n++;
	if (n <= most)
		return section;
	faults_add(faults, section, "%s: %zu entries; %zu is the most", name, n,
	    most);
	return NULL;
}

static void
read_sources(struct config *c, const struct node *tree, struct faults *faults)
{
	const struct node *section =
	    find_section(tree, "sources", SOURCES_MOST, faults);
	struct entry e = { .section = "sources", .noun = "source" };
	struct source_conf *s;

	for (size_t i = 0; source_types[i] != NULL && i < TYPES_MOST; i++) {
		e.types[i] = source_types[i]->name;
		e.type[i].settings = source_types[i]->settings;
		e.type[i].conf_size = source_types[i]->conf_size;
		e.type[i].check = source_types[i]->check;
	}
	for (const struct node *n = section == NULL ? NULL : section->child;
	     n != NULL; n = n->next) {
		if (!read_entry(&e, n, faults))
			continue;
		c->sources = xreallocarray(c->sources, c->n_sources + 1,
		    sizeof(*c->sources));
		s = &c->sources[c->n_sources++];
		s->name = xstrdup(n->key);
		s->type = source_types[e.found];
		s->conf = e.conf;
		config_tree_digest(n, n->key, s->digest);
	}
}

static void
read_outputs(struct config *c, const struct node *tree, struct faults *faults)
{
	const struct node *section =
	    find_section(tree, "outputs", CHILD_OUTPUTS, faults);
	struct entry e = { .section = "outputs", .noun = "output" };
	struct output_conf *o;

	for (size_t i = 0; output_types[i] != NULL && i < TYPES_MOST; i++) {
		e.types[i] = output_types[i]->name;
		e.type[i].settings = output_types[i]->settings;
		e.type[i].conf_size = output_types[i]->conf_size;
		e.type[i].check = output_types[i]->check;
	}
	for (const struct node *n = section == NULL ? NULL : section->child;
	     n != NULL; n = n->next) {
		if (!read_entry(&e, n, faults))
			continue;
		c->outputs = xreallocarray(c->outputs, c->n_outputs + 1,
		    sizeof(*c->outputs));
		o = &c->outputs[c->n_outputs++];
		o->name = xstrdup(n->key);
		o->type = output_types[e.found];
		o->conf = e.conf;
		config_tree_digest(n, n->key, o->digest);
	}
}

/* The agent's name, or the host's where it has none. */
static void
settle_name(struct agent_conf *a, const struct blame *b)
{
	char host[256] = "";

	if (a->name == NULL && gethostname(host, sizeof(host) - 1) == 0) {
		a->name = xstrdup(host);
		if (!config_good_name(host))
			blame(b,
			    "name: this host's name \"%.80s\" can't be the "
			    "agent's; set agent.name to 1 to %d letters, "
			    "digits, \".\", \"_\" or \"-\"",
			    host, NAME_MOST);
	} else if (a->name != NULL && !config_good_name(a->name)) {
		blame(b,
		    "name: \"%.80s\" must be 1 to %d letters, digits, \".\", "
		    "\"_\" or \"-\"",
		    a->name, NAME_MOST);
	}
}

static void
read_agent(struct config *c, const struct node *tree, struct faults *faults)
{
	const struct node nothing = {
		.type = NODE_MAP, .file = tree->file, .line = tree->line
	};
	const struct node *agent = node_get(tree, "agent");
	struct blame b = { .where = "agent", .faults = faults };
	struct err err = ERR_INIT;

	if (agent != NULL && !node_null(agent) && agent->type != NODE_MAP)
		faults_add(faults, agent, "agent: must be a map");
	if (agent == NULL || agent->type != NODE_MAP)
		agent = &nothing;
	b.map = agent;
	settings_fill(agent_settings, agent, "agent", NULL, &c->agent, faults);
	c->agent.log_level += LOG_LEVEL_ERR;
	b.filled = faults->n;
	settle_name(&c->agent, &b);
	if (listen_check(c->agent.watch.listen, &err) < 0)
		blame(&b, "watch.listen: %s", err.text);
	/* The host's name is part of what the roles were started with. */
	config_tree_digest(agent, c->agent.name == NULL ? "" : c->agent.name,
	    c->agent_digest);
}

static void
check_sections(const struct node *tree, struct faults *faults)
{
	static const char *const known[] = { "agent", "sources", "outputs",
		NULL };
	const char *near;

	for (const struct node *n = tree->child; n != NULL; n = n->next) {
		bool found = false;

		for (size_t i = 0; known[i] != NULL; i++)
			found = found || strcmp(known[i], n->key) == 0;
		if (found)
			continue;
		near = text_nearest(n->key, known);
		if (near != NULL)
			faults_add(faults, n,
			    "unknown key \"%.60s\"; did you mean \"%s\"?",
			    n->key, near);
		else
			faults_add(faults, n,
			    "unknown key \"%.60s\"; known are agent, sources, "
			    "outputs",
			    n->key);
	}
}

struct config *
config_load(const char *path, struct faults *faults)
{
	struct node *tree = config_tree(path, faults);
	struct config *c;

	faults_sort(faults);
	if (tree == NULL)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	check_sections(tree, faults);
	read_agent(c, tree, faults);
	read_sources(c, tree, faults);
	read_outputs(c, tree, faults);
	config_tree_digest(tree, c->agent.name == NULL ? "" : c->agent.name,
	    c->digest);
	node_free(tree);
	faults_sort(faults);
	if (faults->n == 0)
		return c;
	config_free(c);
	return NULL;
}

void
config_free(struct config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n_sources; i++) {
		settings_release(c->sources[i].type->settings,
		    c->sources[i].conf);
		free(c->sources[i].conf);
		free(c->sources[i].name);
	}
	for (size_t i = 0; i < c->n_outputs; i++) {
		settings_release(c->outputs[i].type->settings,
		    c->outputs[i].conf);
		free(c->outputs[i].conf);
		free(c->outputs[i].name);
	}
	settings_release(agent_settings, &c->agent);
	free(c->sources);
	free(c->outputs);
	free(c);
}
