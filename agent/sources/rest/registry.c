/*
 * registry.c - where definitions are, and the source types that they make.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/data.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/folder.h"
#include "config/stand_in.h"
#include "sources/rest/rest.h"
#include "sources/rest/rest_private.h"

/* A type made of a definition. */
struct made {
	struct source_type source; /* must stand first */
	struct definition *def;
	const char **streams; /* all names, NULL-terminated */
	struct setting *rows;
	char **texts; /* that rows point to */
	size_t n_texts;
	struct stat read; /* of the file, as it was last read */
	struct made *next;
};

static struct made *all;

/* What rest_use() took. */
static const struct made *used;

/* That of what comes with this program. */
static char *
own_folder(void)
{
	return data_folder("sources", "agent/sources/definitions");
}

/* folder/name.yaml if it is there; takes folder. */
static char *
file_in(char *folder, const char *name)
{
	char *file = xasprintf("%s/%s.yaml", folder, name);

	free(folder);
	if (access(file, F_OK) == 0)
		return file;
	free(file);
	return NULL;
}

char *
rest_file(const char *config, const char *name)
{
	char *file = NULL;

	if (!config_good_name(name))
		return NULL;
	if (config != NULL)
		file = file_in(config_sources_dir(config), name);
	return file != NULL ? file : file_in(own_folder(), name);
}

/* Add the names of a folder's definitions to list; takes folder. */
static void
add_names(char *folder, char ***list, size_t *n, struct config_errors *errors)
{
	char **files = config_folder(folder, errors);

	free(folder);
	for (size_t k = 0; files[k] != NULL; k++) {
		const size_t len = strlen(files[k]) - strlen(".yaml");
		bool known = false;

		for (size_t i = 0; i < *n; i++)
			known = known ||
			    (strlen((*list)[i]) == len &&
				strncmp((*list)[i], files[k], len) == 0);
		if (known)
			continue;
		*list = xreallocarray(*list, *n + 2, sizeof(**list));
		(*list)[(*n)++] = xstrndup(files[k], len);
		(*list)[*n] = NULL;
	}
	config_folder_free(files);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **
rest_names(const char *config)
{
	char **list = xcalloc(1, sizeof(*list));
	size_t n = 0;

	if (config != NULL)
		add_names(config_sources_dir(config), &list, &n, NULL);
	add_names(own_folder(), &list, &n, NULL);
	qsort(list, n, sizeof(*list), by_name);
	return list;
}

/* Keep a text for the life of the type. */
static const char *
keep(struct made *m, char *text)
{
	m->texts = xreallocarray(m->texts, m->n_texts + 1, sizeof(*m->texts));
	m->texts[m->n_texts] = text;
	return m->texts[m->n_texts++];
}

static const char *
duration(struct made *m, int64_t us)
{
	char text[32];

	text_duration_format(text, us);
	return keep(m, xstrdup(text));
}

/* Events are known for as long as any stream may bring them again, and twice
 * that, since a store is older than its last sweep. */
static int64_t
longest_look_back(const struct definition *d)
{
	int64_t most = CLOCK_DAY / 2;

	for (size_t i = 0; i < d->n_streams; i++) {
		const struct def_cursor *c = &d->streams[i].cursor;

		if (c->overlap > most)
			most = c->overlap;
		for (size_t k = 0; k < DEF_SWEEPS && c->sweeps[k].every != 0;
		     k++)
			if (c->sweeps[k].back > most)
				most = c->sweeps[k].back;
	}
	return 2 * most;
}

/* More than the names in any file. */
#define STREAMS_MAX ((size_t)1 << 20)

/* "[a, b]": the streams that are collected where a source does not say. */
static const char *
default_streams(struct made *m)
{
	struct buf list = BUF_INIT(STREAMS_MAX);
	const struct definition *d = m->def;
	int rc = 0;

	for (size_t i = 0; i < d->n_streams; i++)
		if (!d->streams[i].off)
			rc |= buf_addf(&list, "%s%s", list.len > 0 ? ", " : "[",
			    d->streams[i].name);
	rc |= buf_adds(&list, list.len > 0 ? "]" : "");
	if (rc != 0)
		mem_gone();
	return keep(m, buf_take(&list, NULL));
}

#define FIELD(name) offsetof(struct rest_conf, name)
#define OPTIONS 8

/* Some streams can be asked by time beside their cursor. */
static bool
is_bounded(const struct definition *d)
{
	for (size_t i = 0; i < d->n_streams; i++)
		if (d->streams[i].bounded != NULL)
			return true;
	return false;
}

/* Those that say how far back. */
static void
add_spans(struct made *m, struct setting *s)
{
	const struct definition *d = m->def;

	s[0] = (struct setting){ .key = "initial",
		.type = SETTING_DURATION,
		.offset = FIELD(initial),
		.def = duration(m, d->initial),
		.min = 0,
		.max = 3650 * CLOCK_DAY,
		.help = "How far back a new feed begins; no further than the "
			"vendor keeps its events." };
	s[1] = (struct setting){ .key = "overlap",
		.type = SETTING_DURATION,
		.offset = FIELD(overlap),
		.min = CLOCK_SECOND,
		.max = 30 * CLOCK_DAY,
		.help = "How far every poll of a window goes back, for events "
			"that appear late. Default: the stream's own." };
	s[2] = (struct setting){ .key = "dedupe",
		.type = SETTING_DURATION,
		.offset = FIELD(dedupe),
		.def = duration(m, longest_look_back(d)),
		.min = CLOCK_HOUR,
		.max = 3650 * CLOCK_DAY,
		.help = "How long an event is remembered, by its id and a hash "
			"of its bytes, to drop repeats. Other bytes under the "
			"same id are a version of the first." };
	s[3] = (struct setting){ .key = "retention",
		.type = SETTING_DURATION,
		.offset = FIELD(retention),
		.min = CLOCK_HOUR,
		.max = 3650 * CLOCK_DAY,
		.help = "How long the vendor keeps events, where your plan or "
			"instance has less than a stream says: what is older "
			"is a gap. Default: the stream's own." };
}

/* The options that every such source has. */
static void
add_options(struct made *m, struct setting *s)
{
	const struct definition *d = m->def;
	const char *streams = default_streams(m);

	s[0] = (struct setting){ .key = "streams",
		.type = SETTING_LIST,
		.offset = FIELD(streams),
		.required = *streams == '\0',
		.def = *streams != '\0' ? streams : NULL,
		.choices = m->streams,
		.help = "What to collect; each stream is a feed." };
	s[1] = (struct setting){ .key = "interval",
		.type = SETTING_DURATION,
		.offset = FIELD(interval),
		.def = duration(m, d->interval),
		.min = 50000,
		.max = CLOCK_DAY,
		.help = "Time between two polls of a feed; shorter while there "
			"is a backlog." };
	add_spans(m, &s[2]);
	s[6] = (struct setting){ .key = "retry_after_max",
		.type = SETTING_DURATION,
		.offset = FIELD(retry_after_max),
		.def = "5m",
		.min = CLOCK_SECOND,
		.max = CLOCK_DAY,
		.help = "Longest wait that the vendor gets when it throttles "
			"and asks for more; then one request shows whether all "
			"may go on." };
	s[7] = (struct setting){ .key = "http",
		.type = SETTING_TABLE,
		.offset = FIELD(http),
		.table = http_settings };
}

/* The secret by which the first way logs in, where i belongs to another way;
 * NULL: it does not. */
static const char *
other_way(const struct definition *d, size_t i)
{
	for (size_t a = 0; a < d->n_auth; a++) {
		if ((d->auth[a].uses & UINT32_C(1) << i) == 0)
			continue;
		for (size_t k = 0; a > 0 && k < d->n_variables; k++) {
			const int type = d->variables[k].type;

			if ((d->auth[0].uses & UINT32_C(1) << k) != 0 &&
			    (type == VARIABLE_SECRET || type == VARIABLE_PEM))
				return d->variables[k].name;
		}
		return NULL;
	}
	return NULL;
}

/* `setup` asks for what no default stands in for: of several ways to log in
 * for the first, and for the others where that is left out. */
static void
add_question(struct made *m, struct setting *s, size_t i)
{
	const struct def_variable *v = &m->def->variables[i];

	const char *end = strstr(v->help, ". "); /* of its first sentence */
	size_t len = end != NULL ? (size_t)(end - v->help) : strlen(v->help);

	if (v->required || v->def != NULL)
		return;
	if (len > 0 && v->help[len - 1] == '.')
		len--;
	s->ask = keep(m,
	    xasprintf("%.*s (%s; Enter: none)", (int)len, v->help, v->name));
	s->unless = other_way(m->def, i);
}

static void
add_variable(struct made *m, struct setting *s, size_t i)
{
	static const enum setting_type types[VARIABLE_TYPES] = {
		[VARIABLE_TEXT] = SETTING_STRING,
		[VARIABLE_HOST] = SETTING_STRING,
		[VARIABLE_SECRET] = SETTING_SECRET,
		[VARIABLE_PEM] = SETTING_SECRET,
		[VARIABLE_CHOICE] = SETTING_CHOICE,
	};
	const struct def_variable *v = &m->def->variables[i];
	struct buf quoted = BUF_INIT(8192);

	*s = (struct setting){ .key = v->name,
		.type = types[v->type],
		.offset = FIELD(values) + i * sizeof(union rest_value),
		.required = v->required,
		.choices = (const char *const *)v->values,
		.help = v->help };
	/* In quotes: text that looks like something else in YAML is text. */
	if (v->def != NULL &&
	    text_json_string(&quoted, v->def, strlen(v->def)) == 0)
		s->def = keep(m, buf_take(&quoted, NULL));
	buf_release(&quoted);
	add_question(m, s, i);
}

static void
add_host(struct made *m, struct setting *s, size_t i)
{
	const struct definition *d = m->def;

	*s = (struct setting){ .key = keep(m,
				   xasprintf("hosts.%s", d->hosts[i].name)),
		.type = SETTING_STRING,
		.offset = FIELD(values) +
		    (d->n_variables + i) * sizeof(union rest_value),
		.help = "URL instead of the vendor's, for a proxy in between "
			"or another instance." };
}

/* The conf knows its definition before anything is read into it. */
static void
prepare(const struct config_type *type, void *conf)
{
	struct rest_conf *c = conf;

	c->def = ((const struct made *)source_type_of(type))->def;
}

static struct made *
make(struct definition *d)
{
	struct made *m = xcalloc(1, sizeof(*m));
	size_t n = OPTIONS + d->n_variables + d->n_hosts;
	const bool bounded = is_bounded(d);

	m->def = d;
	m->streams = xcalloc(d->n_streams + 1, sizeof(*m->streams));
	for (size_t i = 0; i < d->n_streams; i++)
		m->streams[i] = d->streams[i].name;
	m->rows = xcalloc(n + 2, sizeof(*m->rows));
	for (size_t i = 0; i < d->n_variables; i++)
		add_variable(m, &m->rows[i], i);
	add_options(m, &m->rows[d->n_variables]);
	for (size_t i = 0; i < d->n_hosts; i++)
		add_host(m, &m->rows[d->n_variables + OPTIONS + i], i);
	if (bounded)
		m->rows[n] = (struct setting){ .key = "reconcile",
			.type = SETTING_TABLE,
			.offset = FIELD(reconcile),
			.table = rest_reconcile_settings };
	m->source = rest_calls;
	m->source.type = (struct config_type){ .name = d->name,
		.settings = m->rows,
		.conf_size = sizeof(struct rest_conf) +
		    (d->n_variables + d->n_hosts) * sizeof(union rest_value),
		.title = d->title,
		.before = rest_notes(d),
		.digest = d->digest,
		.prepare = prepare,
		.check = rest_check,
		.shape = rest_shape };
	return m;
}

/* The type of d, which is taken; NULL: d is. */
static struct made *
made_of(struct definition *d)
{
	struct made *m = all;

	if (d == NULL)
		return NULL;
	while (m != NULL &&
	    (strcmp(m->def->digest, d->digest) != 0 ||
		strcmp(m->def->file, d->file) != 0))
		m = m->next;
	if (m != NULL) {
		definition_free(d);
		return m;
	}
	m = make(d);
	m->next = all;
	all = m;
	return m;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) == 0 &&
	    memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim)) == 0;
}

/* Many sources may have one type: what did not change since is not read again
 * for each. */
static struct made *
made_before(const char *file, const struct stat *st)
{
	struct made *m = all;

	while (m != NULL &&
	    (strcmp(m->def->file, file) != 0 || !same_file(&m->read, st)))
		m = m->next;
	return m;
}

/* NULL with errors. */
static struct made *
read_type(const char *name, const char *file, struct config_errors *errors)
{
	struct stat st;
	const bool known = stat(file, &st) == 0;
	struct made *m = known ? made_before(file, &st) : NULL;

	if (m != NULL)
		return m;
	m = made_of(definition_load(name, file, errors));
	if (m != NULL && known)
		m->read = st;
	return m;
}

const struct config_type *
rest_find(const char *config, const char *name, struct config_errors *errors)
{
	char *file;
	struct made *m = NULL;

	if (used != NULL && strcmp(used->def->name, name) == 0)
		return &used->source.type;
	file = rest_file(config, name);
	if (file != NULL)
		m = read_type(name, file, errors);
	free(file);
	return m != NULL ? &m->source.type : NULL;
}

const struct config_type *
rest_use(const char *name, const char *file, struct config_errors *errors)
{
	const struct made *m = made_of(definition_load(name, file, errors));

	if (m == NULL)
		return NULL;
	used = m;
	return &m->source.type;
}

const struct definition *
rest_definition(const struct config_type *type)
{
	for (const struct made *m = all; m != NULL; m = m->next)
		if (&m->source.type == type)
			return m->def;
	return NULL;
}

static bool
is_own_type(const char *name)
{
	for (size_t i = 0; source_types[i] != NULL; i++)
		if (strcmp(source_types[i]->name, name) == 0)
			return true;
	return false;
}

void
rest_check_place(const char *config, struct config_errors *errors)
{
	char *folder = config_sources_dir(config);
	struct stat st;

	/* Who may not see the configuration has the program's own types. */
	if (lstat(folder, &st) == 0)
		config_folder_free(config_folder(folder, errors));
	free(folder);
}

void
rest_check_folder(const char *config, const char *except,
    struct config_errors *errors)
{
	char **list = xcalloc(1, sizeof(*list));
	size_t n = 0;

	add_names(config_sources_dir(config), &list, &n, errors);
	qsort(list, n, sizeof(*list), by_name);
	for (size_t i = 0; i < n; i++) {
		char *folder = config_sources_dir(config);
		char *file = xasprintf("%s/%s.yaml", folder, list[i]);

		if (except != NULL && strcmp(except, list[i]) == 0)
			/* It is about to be replaced. */;
		else if (!config_good_name(list[i]))
			config_errors_add(errors, NULL,
			    "%s: is no name of a source type; use letters, "
			    "digits, \".\", \"_\" and \"-\"",
			    file);
		else if (is_own_type(list[i]))
			config_errors_add(errors, NULL,
			    "%s: is never used, since \"%s\" is a source type "
			    "of the program itself; take another name",
			    file, list[i]);
		else
			definition_free(definition_load(list[i], file, errors));
		free(folder);
		free(file);
		free(list[i]);
	}
	free(list);
}
