/*
 * plan.c - the files that setup makes, from what is wanted and what is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/node.h"
#include "config/config.h"
#include "config/secret.h"
#include "evidence/key.h"
#include "setup/answers.h"
#include "setup/plan.h"

#define FILE_MAX (1 << 20)
#define PATH_LEN_MAX 512
#define HEAD "# Made by \"sealfeed setup\", which never changes it again.\n"

static struct plan_file *
add_file(struct plan *p, const char *path)
{
	struct plan_file *f;

	p->files = xreallocarray(p->files, p->n + 1, sizeof(*p->files));
	f = &p->files[p->n++];
	*f = (struct plan_file){ .path = xstrdup(path),
		.text = BUF_INIT(FILE_MAX) };
	return f;
}

void
plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct plan_file *f = &p->files[i];

		free(f->path);
		if (f->text.data != NULL)
			OPENSSL_cleanse(f->text.data, f->text.size);
		buf_release(&f->text);
	}
	free(p->files);
	config_errors_release(&p->conflicts);
	*p = (struct plan)PLAN_INIT;
}

/* One entry, "source" "contoso", or the agent: what is wanted of it, what is
 * there of it, and what is missing, which goes into its drop-in. */
struct entry {
	struct plan *plan;
	const struct place *place;
	const char *where;           /* "sources.contoso", "agent" */
	const char *file;            /* "source-contoso": begins file names */
	const struct setting *table; /* NULL: the type is not known */
	struct err *err;
};

static bool
is_pem(const char *text)
{
	return strstr(text, "-----BEGIN") != NULL;
}

/* Goes to a server as it is: no key that has lines. */
static bool
is_one_line(const struct setting *row)
{
	return row->type == SETTING_SECRETS || setting_is_text_secret(row);
}

/* Does this text go into a file of its own?  Of a secret that is there already
 * as a reference, or of a file that has a name, it does not. */
static bool
wants_file(const struct entry *e, const struct setting *row, const char *text)
{
	char *own = xasprintf("${file:%s/", e->place->folder);
	char *references = xstrdup(text);
	bool only, wants;

	secret_keep_references(references);
	only = strcmp(references, text) == 0;
	if (row->type != SETTING_SECRET && row->type != SETTING_SECRETS)
		wants = false;
	else if (strstr(text, "${credential:") != NULL ||
	    (only && strncmp(text, own, strlen(own)) == 0))
		wants = false; /* the service reads it as it is */
	else if (is_one_line(row))
		wants = true;
	else if (strcmp(row->key, "proxy") == 0)
		wants = strchr(text, '@') != NULL;
	else
		wants = is_pem(text) || strstr(text, "${") != NULL;
	free(references);
	free(own);
	return wants;
}

/* What the configuration has in the place of a secret in a file: PEM options
 * take the name as it is. */
static char *
reference_to(const struct setting *row, const char *path)
{
	return setting_is_pem(row) ? xstrdup(path)
				   : xasprintf("${file:%s}", path);
}

static char *
resolve(const struct setting *row, const char *text, struct err *err)
{
	return setting_is_pem(row) ? secret_resolve_pem(text, err)
				   : secret_resolve(text, err);
}

/* 1: what is there stands for this secret; 0: for another one; -1: for nothing,
 * since it cannot be read. */
static int
same_secret(const struct setting *row, const char *there, const char *secret)
{
	struct err ignored = ERR_INIT;
	char *is = resolve(row, there, &ignored);
	int same = -1;

	if (is != NULL)
		same = strlen(is) == strlen(secret) &&
		    CRYPTO_memcmp(is, secret, strlen(secret)) == 0;
	secret_free(is);
	return same;
}

static void
conflict(const struct entry *e, const char *key, const struct node *there,
    const char *hint)
{
	config_errors_add(&e->plan->conflicts, there,
	    "%s: \"%s\" is set to something else here, and setup overwrites "
	    "nothing; %s, or leave it out of the answers",
	    e->where, key, hint);
}

/* A wanted secret that goes into a file: that file, unless it is there, and the
 * node that refers to it.  there: of the same option, or NULL. */
static struct node *
secret_leaf(const struct entry *e, const struct setting *row, const char *key,
    const struct node *wanted, const struct node *there)
{
	char *path = xasprintf("%s/%s.%s", e->place->folder, e->file, key);
	char *reference = reference_to(row, path);
	char *secret = resolve(row, wanted->text, e->err);
	struct node *missing = NULL;
	const char *found =
	    there == NULL || there->type != NODE_SCALAR ? NULL : there->text;
	int same = -1;

	if (secret == NULL) {
		(void)err_prefix(e->err, "%s: %s", e->where, key);
		goto out;
	}
	if (strpbrk(secret, "\r\n") != NULL && is_one_line(row)) {
		(void)err_set(e->err,
		    "%s: %s: has a line break in it, which no server takes; "
		    "give the secret alone, in one line",
		    e->where, key);
		goto out;
	}
	if (found != NULL)
		same = same_secret(row, found, secret);
	if (same == 0 ||
	    (same < 0 && found != NULL && strcmp(found, reference) != 0)) {
		conflict(e, key, there,
		    strstr(found, "${") != NULL || found[0] == '/'
			? "put the new one into the file that it names"
			: "change it here");
		goto out;
	}
	if (found == NULL)
		missing = node_scalar(wanted, wanted->key, reference);
	if (same < 0 && buf_adds(&add_file(e->plan, path)->text, secret) != 0)
		(void)err_set(e->err, "%s: %s: is too long", e->where, key);
out:
	secret_free(secret);
	free(reference);
	free(path);
	return missing;
}

static bool
equal(const struct node *a, const struct node *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == NODE_SCALAR)
		return strcmp(a->text, b->text) == 0;
	a = a->child;
	b = b->child;
	for (; a != NULL && b != NULL; a = a->next, b = b->next)
		if (!equal(a, b))
			return false;
	return a == b;
}

/* A file name that is no reference counts from here, not from where the service
 * runs. */
static char *
whole_name(const struct setting *row, const char *text)
{
	char *here, *whole = NULL;

	if (row != NULL && setting_is_pem(row) && text[0] != '/' &&
	    text[0] != '\0' && !is_pem(text) && strstr(text, "${") == NULL &&
	    !signer_is_uri(text)) {
		here = getcwd(NULL, 0);
		if (here != NULL)
			whole = xasprintf("%s/%s", here, text);
		free(here);
	}
	return whole == NULL ? xstrdup(text) : whole;
}

/* A wanted option that is no map: the node that is missing, or NULL. */
static struct node *
leaf(const struct entry *e, const char *key, const struct node *wanted,
    const struct node *there)
{
	const struct setting *row = answers_row(e->table, key);
	struct node *copy;
	char *text;

	if (node_null(wanted))
		return NULL;
	if (wanted->type == NODE_SCALAR && row != NULL &&
	    wants_file(e, row, wanted->text))
		return secret_leaf(e, row, key, wanted, there);
	copy = node_copy(wanted);
	if (copy->type == NODE_SCALAR) {
		text = whole_name(row, copy->text);
		free(copy->text);
		copy->text = text;
	}
	if (there == NULL || node_null(there))
		return copy;
	if (!equal(copy, there))
		conflict(e, key, there, "change it here");
	node_free(copy);
	return NULL;
}

/* What of wanted there does not say yet; prefix is the key of both and a
 * dot. */
static struct node *
difference(const struct entry *e, const struct node *wanted,
    const struct node *there, const char *prefix)
{
	struct node *missing = xcalloc(1, sizeof(*missing)), *n;
	char key[PATH_LEN_MAX], inner[PATH_LEN_MAX];

	missing->type = NODE_MAP;
	missing->key = wanted->key == NULL ? NULL : xstrdup(wanted->key);
	for (const struct node *w = wanted->child; w != NULL; w = w->next) {
		const struct node *t = node_get(there, w->key);

		(void)snprintf(key, sizeof(key), "%.200s%.200s", prefix,
		    w->key);
		if (w->type != NODE_MAP) {
			n = leaf(e, key, w, t);
		} else {
			(void)snprintf(inner, sizeof(inner), "%.500s.", key);
			n = difference(e, w, t, inner);
		}
		if (n != NULL && n->type == NODE_MAP && n->child == NULL) {
			node_free(n);
			n = NULL;
		}
		if (n != NULL)
			node_put(missing, n);
	}
	return missing;
}

/* Write what is missing into the entry's drop-in, as a whole configuration:
 * section may be NULL. */
static void
add_dropin(const struct entry *e, const char *number, const char *section,
    struct node *missing)
{
	char *path = xasprintf("%s/conf.d/%s-%s.yaml", e->place->folder, number,
	    e->file);
	struct node root = { .type = NODE_MAP };
	struct node *map = &root;
	struct plan_file *f = add_file(e->plan, path);

	if (section != NULL)
		map = node_map(&root, section);
	node_put(map, missing);
	if (buf_adds(&f->text, HEAD) != 0 ||
	    yaml_print(&root, 0, &f->text) != 0)
		(void)err_set(e->err, "%s: is too large for a file", e->where);
	node_free(root.child);
	free(path);
}

static void
plan_entry(struct plan *p, const struct place *place, const struct answers *a,
    const char *section, const struct node *wanted, const struct node *there,
    struct err *err)
{
	const bool source = strcmp(section, "sources") == 0;
	const struct node *old =
	    node_get(node_get(there, section), wanted->key);
	const struct config_type *type = answers_type(a, section, wanted);
	char *where = xasprintf("%s.%s", section, wanted->key);
	char *file =
	    xasprintf("%s-%s", source ? "source" : "output", wanted->key);
	struct entry e = { .plan = p,
		.place = place,
		.where = where,
		.file = file,
		.err = err };
	struct node *missing;

	if (type == NULL && old != NULL)
		type = answers_type(a, section, old);
	e.table = type == NULL ? NULL : type->settings;
	missing = difference(&e, wanted, old, "");
	if (missing->child == NULL)
		node_free(missing);
	else
		add_dropin(&e, source ? "20" : "30", section, missing);
	free(where);
	free(file);
}

/* The file that the key is to be read from; NULL: it comes from elsewhere. */
static char *
key_file(const char *key)
{
	const size_t n = strlen("${file:"), len = strlen(key);

	if (strncmp(key, "${file:", n) == 0 && key[len - 1] == '}')
		return xstrndup(key + n, len - n - 1);
	if (strstr(key, "${") != NULL || is_pem(key) || signer_is_uri(key))
		return NULL;
	return xstrdup(key);
}

static void
plan_key(struct plan *p, const char *key, struct err *err)
{
	char *path = key_file(key);
	struct plan_file *f;

	if (path != NULL && access(path, F_OK) != 0) {
		f = add_file(p, path);
		if (buf_room(&f->text, 4096) == NULL)
			(void)err_set(err, "out of memory");
		else
			(void)signer_generate(key_kind(KEY_ED25519), &f->text,
			    err);
	}
	free(path);
}

static void
default_to(struct node *agent, const struct node *there, const char *key,
    const char *text)
{
	if (node_get(agent, key) == NULL && node_get(there, key) == NULL)
		node_put(agent, node_scalar(agent, key, text));
}

/* What nobody needs to be asked for. */
static int
complete(const struct place *place, struct answers *a, const struct node *there,
    struct err *err)
{
	const struct node *old = node_get(there, "agent");
	struct node *agent = node_map(a->tree, "agent"), *part;
	char host[256] = "";
	char *path;

	if (agent == NULL)
		return err_set(err, "agent: must be a map of its options");
	if (gethostname(host, sizeof(host) - 1) == 0 && config_good_name(host))
		default_to(agent, old, "name", host);
	path = xasprintf("%s/seal.pem", place->folder);
	default_to(agent, old, "key", path);
	free(path);
	if (place->service)
		return 0;
	part = node_map(agent, "store");
	path = xasprintf("%s/store/store.db", place->folder);
	if (part != NULL)
		default_to(part, node_get(old, "store"), "path", path);
	free(path);
	part = node_map(agent, "watch");
	path = xasprintf("%s/watch.sock", place->folder);
	if (part != NULL)
		default_to(part, node_get(old, "watch"), "listen", path);
	free(path);
	return 0;
}

/* Faults of the answers together with what is there. */
static int
judge(const struct answers *a, const struct node *there, struct plan *p,
    struct config_errors *errors, struct err *err)
{
	struct node *both = node_copy(there);
	struct config *config;

	node_merge(both, node_copy(a->tree));
	config = config_from_tree(both, a->config, a->types, errors);
	if (config == NULL)
		return -1;
	plan_key(p, config->agent.key, err);
	config_free(config);
	return err->text[0] == '\0' ? 0 : -1;
}

int
plan_make(struct plan *p, const struct place *place, struct answers *a,
    const struct node *there, struct config_errors *errors, struct err *err)
{
	static const char *const sections[] = { "outputs", "sources" };
	struct entry agent = { .plan = p,
		.place = place,
		.where = "agent",
		.file = "agent",
		.table = agent_settings,
		.err = err };
	struct node *missing;

	if (complete(place, a, there, err) != 0 ||
	    judge(a, there, p, errors, err) != 0)
		return -1;
	missing = difference(&agent, node_get(a->tree, "agent"),
	    node_get(there, "agent"), "");
	if (missing->child == NULL)
		node_free(missing);
	else
		add_dropin(&agent, "10", NULL, missing);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		const struct node *all = node_get(a->tree, sections[i]);

		for (const struct node *n = all == NULL ? NULL : all->child;
		     n != NULL; n = n->next)
			plan_entry(p, place, a, sections[i], n, there, err);
	}
	return err->text[0] == '\0' && p->conflicts.n == 0 ? 0 : -1;
}

int
plan_do(struct plan *p, struct place *place, struct err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		struct plan_file *f = &p->files[i];

		if (place_file(place, f->path, f->text.data, f->text.len,
			&f->how, err) != 0)
			return -1;
	}
	return 0;
}
