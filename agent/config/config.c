/*
 * config.c - the configuration: from a tree to structs, by the tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/listen.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/pack.h"
#include "base/text.h"
#include "config/config.h"
#include "config/config_private.h"
#include "config/doubt.h"
#include "config/setting.h"
#include "config/stand_in.h"
#include "config/strip.h"
#include "config/tree.h"

#define NAME_LEN_MAX 63

/* The levels from LOG_LEVEL_ERR on. */
static const char *const log_levels[] = { "err", "warn", "notice", "info",
	"debug", NULL };

/* enum users_wish */
static const char *const users_wishes[] = { "shared", "per-role", NULL };

/* enum sandbox_wish */
static const char *const sandbox_wishes[] = { "auto", "required", "off", NULL };

const struct setting agent_settings[] = {
	{ .key = "name",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct agent_conf, name),
	    .help =
		"The agent's name: first part of every checkpoint's origin, "
		"HOSTNAME of syslog messages, name of the signing key. "
		"Letters, digits, \".\", \"_\" and \"-\". It must not change "
		"during the life of a store. Default: the host name." },
	{ .key = "key",
	    .type = SETTING_SECRET,
	    .offset = offsetof(struct agent_conf, key),
	    .def = "/etc/sealfeed/seal.pem",
	    .help =
		"The key that signs checkpoints, Ed25519 or ECDSA on P-256: a "
		"file, PEM text, the URI of a key in a PKCS#11 token "
		"(pkcs11:token=T;object=O?pin-source=/FILE), in a TPM 2.0 "
		"(handle:0x81000001), or of another provider of OpenSSL. "
		"\"sealfeed keygen\" creates one." },
	{ .key = "retain",
	    .type = SETTING_DURATION,
	    .offset = offsetof(struct agent_conf, retain),
	    .def = "0",
	    .min = 0,
	    .max = INT64_C(3650) * 86400 * 1000000,
	    .help = "How long events stay in the store after every output has "
		    "them, so that \"export\", \"verify\" and \"trace\" can "
		    "still use them." },
	{ .key = "log_level",
	    .type = SETTING_CHOICE,
	    .offset = offsetof(struct agent_conf, log_level),
	    .def = "notice",
	    .choices = log_levels,
	    .help = "Least severe messages that are logged to standard error. "
		    "Events, tokens and secrets are never logged." },
	{ .key = "sandbox",
	    .type = SETTING_CHOICE,
	    .offset = offsetof(struct agent_conf, sandbox),
	    .def = "auto",
	    .choices = sandbox_wishes,
	    .help =
		"Whether the kernel confines each role to its own files, ports "
		"(Landlock) and system calls (seccomp), so that one that is "
		"taken over reaches nothing else. \"auto\": as far as the "
		"kernel can; \"required\": the agent does not start where it "
		"cannot do both; \"off\": not at all. \"sealfeed status\" "
		"says what is in force." },
	{ .key = "user",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct agent_conf, user),
	    .help =
		"The user that the agent becomes when root starts it, without "
		"any group but its own; it must be able to read the "
		"configuration and the files that this names. \"root\": it "
		"stays root. Started by anyone else, as by the systemd unit, "
		"it runs as who started it. Default: sealfeed, where there is "
		"such a user." },
	{ .key = "users",
	    .type = SETTING_CHOICE,
	    .offset = offsetof(struct agent_conf, users),
	    .def = "shared",
	    .choices = users_wishes,
	    .help =
		"\"per-role\": when root starts it, each kind of role runs as "
		"a user of its own, _sealfeed-collect, _sealfeed-seal, "
		"_sealfeed-ship and _sealfeed-watch, and only the group of "
		"the store, which has the name of \"user\", is everybody's; "
		"the supervisor stays root to start them. Each user must be "
		"able to read the files of its role's secrets." },
	{ .key = "store.path",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct agent_conf, store.path),
	    .writes = true,
	    .def = "/var/lib/sealfeed/store.db",
	    .help = "The store, an SQLite file. Its directory must be writable "
		    "and on a local file system." },
	{ .key = "store.max_size",
	    .type = SETTING_SIZE,
	    .offset = offsetof(struct agent_conf, store.max_size),
	    .def = "20GiB",
	    .min = INT64_C(16) << 20,
	    .max = INT64_C(64) << 40,
	    .help = "Collecting pauses while the store is this large. Nothing "
		    "is ever evicted; the vendor keeps the rest." },
	{ .key = "store.min_free",
	    .type = SETTING_SIZE,
	    .offset = offsetof(struct agent_conf, store.min_free),
	    .def = "1GiB",
	    .min = 0,
	    .max = INT64_C(64) << 40,
	    .help =
		"Collecting pauses while less than this is free on the store's "
		"file system; at least 4MiB stay free in any case." },
	{ .key = "seal.log",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct agent_conf, seal.log),
	    .writes = true,
	    .help =
		"The log of what was signed, kept outside of the store: a "
		"store that does not extend it, such as an old copy that was "
		"put back, begins new trees. It must not be in the same backup "
		"as the store. Default: the store's name and \".log\" in a "
		"directory beside the store's, with \"-seal\" behind its "
		"name." },
	{ .key = "collect.folder",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct agent_conf, collect.folder),
	    .writes = true,
	    .help =
		"A directory of what collecting alone has to keep and no other "
		"role may read: the refresh tokens that vendors gave in place "
		"of the configured ones. Default: beside the store's "
		"directory, with \"-collect\" behind its name." },
	{ .key = "watch.listen",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct agent_conf, watch.listen),
	    .def = "127.0.0.1:9469",
	    .help =
		"Where the status page (/), /metrics, /healthz and /readyz are "
		"served: a loopback address and port, or the path of a unix "
		"socket. \"none\": nowhere." },
	{ .key = "watch.textfile",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct agent_conf, watch.textfile),
	    .writes = true,
	    .help =
		"A file that gets what /metrics serves every 15 seconds, for "
		"the textfile collector of Prometheus' node_exporter: an "
		"absolute path that ends in \".prom\". Its directory must "
		"exist and be writable for the agent, which under systemd also "
		"takes ReadWritePaths= in the unit." },
	SETTING_END,
};

/* What differs between the sections "sources" and "outputs". */
struct section {
	const char *name;
	const char *noun; /* "source" */
	const struct config_type *const *types;
	struct config_errors *warnings;
	/* As in struct config_types; NULL: none */
	const struct config_type *(*find)(const char *path, const char *name,
	    struct config_errors *errors);
	char **(*names)(const char *path);
	const char *path;
	bool good; /* the options were checked before */
};

/* [A-Za-z0-9._-]{1,63}: names become file names, labels and origins. */
bool
config_good_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len <= NAME_LEN_MAX && strspn(name, allowed) == len;
}

static void
check_name(const struct node *at, const char *section,
    struct config_errors *errors)
{
	if (!config_good_name(at->key))
		config_errors_add(errors, at,
		    "%s: the name \"%.80s\" must be 1 to %d letters, digits, "
		    "\".\", \"_\" or \"-\"",
		    section, at->key, NAME_LEN_MAX);
}

/* The name of the type nearest to text, which is then in out; false: none is
 * near. */
static bool
nearest_type(const struct section *s, const char *text, char *out, size_t size)
{
	char **more = s->names != NULL ? s->names(s->path) : NULL;
	const char **names, *near;
	size_t n = 0, k = 0;

	while (s->types[n] != NULL)
		n++;
	while (more != NULL && more[k] != NULL)
		k++;
	names = xcalloc(n + k + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = s->types[i]->name;
	for (size_t i = 0; i < k; i++)
		names[n + i] = more[i];
	near = text_nearest(text, names);
	(void)snprintf(out, size, "%s", near != NULL ? near : "");
	for (size_t i = 0; i < k; i++)
		free(more[i]);
	free(more);
	free(names);
	return *out != '\0';
}

static void
unknown_type(const struct section *s, const struct node *at, const char *where,
    struct config_errors *errors)
{
	char near[NAME_LEN_MAX + 1];
	bool any = nearest_type(s, at->text, near, sizeof(near));

	config_errors_add(errors, at,
	    "%s: unknown %s type \"%.60s\"; %s%s%s`sealfeed options` lists all",
	    where, s->noun, at->text, any ? "did you mean \"" : "", near,
	    any ? "\"? " : "");
}

/* The type that the entry names; NULL: there is none, which was said. */
static const struct config_type *
find_type(const struct section *s, const struct node *map, const char *where,
    struct config_errors *errors)
{
	const struct node *type = node_get(map, "type");
	const size_t before = errors->n;
	const struct config_type *found;

	if (type == NULL || type->type != NODE_SCALAR ||
	    type->text[0] == '\0') {
		config_errors_add(errors, type == NULL ? map : type,
		    "%s: \"type\" is missing", where);
		return NULL;
	}
	for (size_t i = 0; s->types[i] != NULL; i++)
		if (strcmp(s->types[i]->name, type->text) == 0)
			return s->types[i];
	found = s->find != NULL ? s->find(s->path, type->text, errors) : NULL;
	if (found == NULL && errors->n == before)
		unknown_type(s, type, where, errors);
	return found;
}

struct doubts {
	const void *conf;
	const struct config_section *section;
};

/* A secret that is text alone, and no PEM, which may stand in a file. */
static void
doubt_row(void *ctx, const struct setting_row *row)
{
	const struct doubts *d = ctx;
	const char *key = row->setting->key, *text, *why;

	if (!setting_is_text_secret(row->setting))
		return;
	memcpy(&text, (const char *)d->conf + row->offset, sizeof(text));
	why = text != NULL ? doubt_secret(text, node_find(d->section->map, key))
			   : NULL;
	if (why != NULL)
		config_warning(d->section, "%s: %s", key, why);
}

static void
judge_entry(const struct config_entry *e, const struct config_section *b)
{
	struct doubts doubt = { .conf = e->conf, .section = b };

	if (e->type->check != NULL)
		e->type->check(e->conf, b);
	settings_each(e->type->settings, doubt_row, &doubt);
}

/* Read one source or output; false: it can't be read. */
static bool
read_entry(const struct section *s, const struct node *map,
    struct config_entry *e, struct config_errors *errors)
{
	static const char *const ours[] = { "type", NULL };
	char where[128], salt[160];
	struct config_section b = { .map = map,
		.where = where,
		.errors = errors,
		.warnings = s->warnings };

	check_name(map, s->name, errors);
	(void)snprintf(where, sizeof(where), "%s.%.80s", s->name, map->key);
	if (map->type != NODE_MAP) {
		config_errors_add(errors, map,
		    "%s: must be a map of its options", where);
		return false;
	}
	e->type = find_type(s, map, where, errors);
	if (e->type == NULL)
		return false;
	e->conf = xcalloc(1, e->type->conf_size);
	if (e->type->prepare != NULL)
		e->type->prepare(e->type, e->conf);
	settings_fill(e->type->settings, map, where, ours, e->conf, errors);
	b.filled = errors->n;
	e->name = xstrdup(map->key);
	if (s->good)
		return true;
	judge_entry(e, &b);
	(void)snprintf(salt, sizeof(salt), "%.80s%s", map->key,
	    e->type->digest != NULL ? e->type->digest : "");
	config_tree_digest(map, salt, e->digest);
	return true;
}

/* Read all entries of a section into *list. */
static void
read_section(const struct section *s, const struct node *tree,
    struct config_entry **list, size_t *n, struct config_errors *errors)
{
	const struct node *map = node_get(tree, s->name);

	if (map == NULL || node_null(map))
		return;
	if (map->type != NODE_MAP) {
		config_errors_add(errors, map, "%s: must be a map", s->name);
		return;
	}
	for (const struct node *c = map->child; c != NULL; c = c->next) {
		*list = xreallocarray(*list, *n + 1, sizeof(**list));
		if (read_entry(s, c, &(*list)[*n], errors))
			++*n;
	}
}

/* The agent's name, or the host's where it has none. */
static void
settle_name(struct agent_conf *a, const struct config_section *b)
{
	char host[256] = "";

	if (a->name == NULL && gethostname(host, sizeof(host) - 1) == 0) {
		a->name = xstrdup(host);
		if (!config_good_name(host))
			config_error(b,
			    "name: the host name \"%.80s\" cannot be the "
			    "agent's name; set agent.name to 1 to %d letters, "
			    "digits, \".\", \"_\" or \"-\"",
			    host, NAME_LEN_MAX);
	} else if (a->name != NULL && !config_good_name(a->name)) {
		config_error(b,
		    "name: \"%.80s\" must be 1 to %d letters, digits, \".\", "
		    "\"_\" or \"-\"",
		    a->name, NAME_LEN_MAX);
	}
}

/* The folder NAME-use beside the store's folder NAME; to be freed. */
static char *
folder_beside(const char *store, const char *use)
{
	const char *slash = strrchr(store, '/');
	const int dir = slash == NULL ? 0 : (int)(slash - store);

	return xasprintf("%.*s%s%s", dir, store,
	    dir > 0             ? "-"
		: slash == NULL ? ""
				: "/",
	    use);
}

char *
config_collect_folder(const char *store)
{
	return folder_beside(store, "collect");
}

/* /var/lib/sealfeed-seal/store.db.log for /var/lib/sealfeed/store.db: who puts
 * back the store's directory as it was leaves the log as it is; and
 * /var/lib/sealfeed-collect: what lies in the store's is everybody's. */
static void
settle_beside(struct agent_conf *a)
{
	const char *slash = strrchr(a->store.path, '/');
	char *folder;

	if (a->collect.folder == NULL)
		a->collect.folder = config_collect_folder(a->store.path);
	if (a->seal.log != NULL)
		return;
	folder = folder_beside(a->store.path, "seal");
	a->seal.log = xasprintf("%s/%s.log", folder,
	    slash == NULL ? a->store.path : slash + 1);
	free(folder);
}

/* node_exporter reads *.prom, and nothing else. */
static bool
names_textfile(const char *path)
{
	static const char suffix[] = ".prom";
	const size_t n = sizeof(suffix) - 1, len = strlen(path);

	return path[0] == '/' && len > n && path[len - n - 1] != '/' &&
	    strcmp(path + len - n, suffix) == 0;
}

static void
settle_watch(struct agent_conf *a, const struct config_section *b)
{
	struct err err = ERR_INIT;

	if (a->watch.listen != NULL && strcmp(a->watch.listen, "none") == 0) {
		free(a->watch.listen);
		a->watch.listen = NULL;
	} else if (listen_check(a->watch.listen, &err) < 0) {
		config_error(b, "watch.listen: %s", err.text);
	}
	if (a->watch.textfile != NULL && !names_textfile(a->watch.textfile))
		config_error(b,
		    "watch.textfile: \"%.200s\" must be an absolute path that "
		    "ends in \".prom\", or node_exporter does not read it",
		    a->watch.textfile);
}

static void
read_agent(struct config *c, const struct node *tree, bool good,
    struct config_errors *errors)
{
	const struct node nothing = {
		.type = NODE_MAP, .file = tree->file, .line = tree->line
	};
	const struct node *agent = node_get(tree, "agent");
	struct config_section b = { .where = "agent", .errors = errors };

	if (agent != NULL && !node_null(agent) && agent->type != NODE_MAP)
		config_errors_add(errors, agent, "agent: must be a map");
	if (agent == NULL || agent->type != NODE_MAP)
		agent = &nothing;
	b.map = agent;
	settings_fill(agent_settings, agent, "agent", NULL, &c->agent, errors);
	c->agent.log_level += LOG_LEVEL_ERR;
	b.filled = errors->n;
	settle_name(&c->agent, &b);
	settle_beside(&c->agent);
	settle_watch(&c->agent, &b);
	/* The host's name is part of what the roles were started with. */
	if (!good)
		config_tree_digest(agent,
		    c->agent.name == NULL ? "" : c->agent.name,
		    c->agent_digest);
}

static void
check_sections(const struct node *tree, struct config_errors *errors)
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
			config_errors_add(errors, n,
			    "unknown key \"%.60s\"; did you mean \"%s\"?",
			    n->key, near);
		else
			config_errors_add(errors, n,
			    "unknown key \"%.60s\"; known: agent, sources, "
			    "outputs",
			    n->key);
	}
}

/* The child of map for one of n entries; names come from the map's keys. */
struct node *
config_node(struct node *section, const char *name)
{
	for (struct node *n = section->child; n != NULL; n = n->next)
		if (strcmp(n->key, name) == 0)
			return n;
	return NULL;
}

static void
strip_section(struct node *tree, const char *name,
    const struct config_entry *list, size_t n)
{
	struct node *section = config_node(tree, name);

	for (size_t i = 0; i < n; i++)
		config_strip(list[i].type->settings,
		    config_node(section, list[i].name));
}

/* What else the configuration was made from: the host's name, and the files of
 * its types.  The caller frees it. */
static char *
made_from(const struct config *c)
{
	char *salt = xstrdup(c->agent.name == NULL ? "" : c->agent.name);

	for (size_t i = 0; i < c->n_sources; i++) {
		const char *digest = c->sources[i].type->digest;
		char *longer =
		    xasprintf("%s%s", salt, digest != NULL ? digest : "");

		free(salt);
		salt = longer;
	}
	return salt;
}

/* The digest that may be published; the tree is of no other use then. */
static void
digest_public(struct config *c, struct node *tree, const char *salt)
{
	struct node *agent = config_node(tree, "agent");

	if (agent != NULL)
		config_strip(agent_settings, agent);
	strip_section(tree, "sources", c->sources, c->n_sources);
	strip_section(tree, "outputs", c->outputs, c->n_outputs);
	config_tree_digest(tree, salt, c->public_digest);
}

static struct section
section_of(const struct config_kind *kind, struct config_errors *warnings)
{
	if (strcmp(kind->section, "outputs") == 0)
		return (struct section){ .name = kind->section,
			.noun = "output",
			.types = kind->types->outputs,
			.warnings = warnings };
	return (struct section){ .name = kind->section,
		.noun = "source",
		.types = kind->types->sources,
		.warnings = warnings,
		.find = kind->types->find_source,
		.names = kind->types->source_names,
		.path = kind->path };
}

void
config_judge(const struct config_kind *kind, const struct node *entry,
    struct config_errors *errors, struct config_errors *warnings)
{
	const struct section s = section_of(kind, warnings);
	struct config_entry e = { .name = NULL };

	if (!read_entry(&s, entry, &e, errors))
		return;
	settings_release(e.type->settings, e.conf);
	free(e.conf);
	free(e.name);
}

const struct config_type *
config_type_of(const struct config_kind *kind, const char *name)
{
	const struct section s = section_of(kind, NULL);
	struct config_errors errors = CONFIG_ERRORS_INIT;
	const struct config_type *found = NULL;

	for (size_t i = 0; s.types[i] != NULL; i++)
		if (strcmp(s.types[i]->name, name) == 0)
			return s.types[i];
	/* What is wrong with its file, the check of the entry says. */
	if (s.find != NULL)
		found = s.find(s.path, name, &errors);
	config_errors_release(&errors);
	return found;
}

char **
config_type_names(const struct config_kind *kind)
{
	const struct section s = section_of(kind, NULL);
	char **more = s.names != NULL ? s.names(s.path) : NULL;
	char **names;
	size_t n = 0, k = 0;

	while (s.types[n] != NULL)
		n++;
	while (more != NULL && more[k] != NULL)
		k++;
	names = xcalloc(n + k + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = xstrdup(s.types[i]->name);
	for (size_t i = 0; i < k; i++)
		names[n + i] = more[i];
	free(more);
	return names;
}

void
config_read(struct config *c, const struct node *tree,
    const struct config_types *types, bool good, struct config_errors *errors)
{
	const struct config_kind kinds[] = { { "sources", types, c->path },
		{ "outputs", types, c->path } };
	struct section sources = section_of(&kinds[0], &c->warnings);
	struct section outputs = section_of(&kinds[1], &c->warnings);

	sources.good = outputs.good = good;
	check_sections(tree, errors);
	if (!good && types->check_sources != NULL)
		types->check_sources(c->path, errors);
	read_agent(c, tree, good, errors);
	read_section(&sources, tree, &c->sources, &c->n_sources, errors);
	read_section(&outputs, tree, &c->outputs, &c->n_outputs, errors);
}

static void
keep_tree(struct config *c, const struct node *tree)
{
	struct buf packed = BUF_INIT(SIZE_MAX / 2);

	if (pack_write(tree, PACK_WHOLE, &packed) < 0)
		mem_gone();
	c->packed = buf_take(&packed, &c->packed_len);
}

struct config *
config_load_as(const char *path, const struct stand_in *s,
    const struct config_types *types, struct config_errors *errors)
{
	struct node *tree = config_tree(path, s, errors);
	struct config *c =
	    tree == NULL ? NULL : config_from_tree(tree, path, types, errors);

	if (s != NULL) {
		config_errors_rename(errors, s->file, s->place);
		if (c != NULL)
			config_errors_rename(&c->warnings, s->file, s->place);
	}
	config_errors_sort(errors);
	return c;
}

struct config *
config_load(const char *path, const struct config_types *types,
    struct config_errors *errors)
{
	return config_load_as(path, NULL, types, errors);
}

struct config *
config_from_tree(struct node *tree, const char *path,
    const struct config_types *types, struct config_errors *errors)
{
	struct config *c = xcalloc(1, sizeof(*c));
	char *salt;

	c->path = xstrdup(path);
	config_read(c, tree, types, false, errors);
	salt = made_from(c);
	config_tree_digest(tree, salt, c->digest);
	if (errors->n == 0) {
		keep_tree(c, tree);
		digest_public(c, tree, salt);
	}
	free(salt);
	node_free(tree);
	config_errors_sort(errors);
	if (errors->n == 0)
		return c;
	config_free(c);
	return NULL;
}

static void
free_entries(struct config_entry *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		settings_release(list[i].type->settings, list[i].conf);
		free(list[i].conf);
		free(list[i].name);
	}
	free(list);
}

void
config_free(struct config *c)
{
	if (c == NULL)
		return;
	free_entries(c->sources, c->n_sources);
	free_entries(c->outputs, c->n_outputs);
	config_errors_release(&c->warnings);
	settings_release(agent_settings, &c->agent);
	if (c->packed != NULL)
		explicit_bzero(c->packed, c->packed_len);
	free(c->packed);
	free(c->path);
	free(c);
}
