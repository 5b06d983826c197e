/*
 * definition.c - a definition's file becomes a struct, block by block.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
#include "sources/rest/definition_private.h"

/* Ten times the largest that is needed. */
#define FILE_MAX (256 * 1024)
#define STREAMS_MAX 64
#define RULES_MAX 100

struct config_section
definition_fill(struct loading *l, const struct setting *table,
    const struct node *map, const char *where, const char *const *skip,
    void *out)
{
	struct config_section b = {
		.map = map, .where = where, .errors = l->errors
	};

	settings_fill(table, map, where, skip, out, l->errors);
	b.filled = l->errors->n;
	return b;
}

bool
definition_is_map(struct loading *l, const struct node *n, const char *where)
{
	if (n->type == NODE_MAP)
		return true;
	if (n->key != NULL && strcmp(n->key, where) != 0)
		config_errors_add(l->errors, n,
		    "%s: \"%.60s\" must be a map of further keys", where,
		    n->key);
	else
		config_errors_add(l->errors, n,
		    "%s: must be a map of further keys", where);
	return false;
}

const struct node *
definition_need(struct loading *l, const struct node *map, const char *key,
    const char *where)
{
	const struct node *n = node_get(map, key);

	if (n == NULL) {
		config_errors_add(l->errors, map, "%s: \"%s\" is missing",
		    where, key);
		return NULL;
	}
	return definition_is_map(l, n, key) ? n : NULL;
}

static size_t
count(const struct node *n)
{
	size_t children = 0;

	for (n = n->child; n != NULL; n = n->next)
		children++;
	return children;
}

/* The key of an entry of a map that people name. */
static void
check_name(struct loading *l, const struct node *n, const char *what,
    const char *letters)
{
	if (*n->key == '\0' || strlen(n->key) > 48 ||
	    strspn(n->key, letters) != strlen(n->key))
		config_errors_add(l->errors, n,
		    "%s: the name \"%.60s\" must be 1 to 48 of %s", what,
		    n->key, letters);
}

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789_"
#define WORDS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static void
load_variables(struct loading *l, const struct node *map)
{
	struct definition *d = l->d;

	if (map == NULL || !definition_is_map(l, map, "variables"))
		return;
	d->variables = xcalloc(VARIABLES_MAX, sizeof(*d->variables));
	for (const struct node *n = map->child; n != NULL; n = n->next) {
		struct def_variable *v = &d->variables[d->n_variables];
		struct config_section b;
		char where[80];

		if (d->n_variables == VARIABLES_MAX) {
			config_errors_add(l->errors, n,
			    "variables: more than %d", VARIABLES_MAX);
			return;
		}
		check_name(l, n, "variables", LOWER);
		(void)snprintf(where, sizeof(where), "variables.%.48s", n->key);
		if (!definition_is_map(l, n, where))
			continue;
		v->name = xstrdup(n->key);
		d->n_variables++;
		b = definition_fill(l, variable_keys, n, where, NULL, v);
		definition_check_variable(d, v, &b);
	}
}

/* One base URL. */
static void
add_url(struct loading *l, struct def_host *h, const struct node *n,
    size_t place)
{
	const struct config_section b = {
		.map = n, .where = "hosts", .errors = l->errors
	};

	if (n->type != NODE_SCALAR || n->text[0] == '\0') {
		config_errors_add(l->errors, n, "hosts: \"%s\" must be a URL",
		    n->key);
		return;
	}
	h->url[place] = xstrdup(n->text);
	definition_check_host(l->d, n->text, &b);
}

/* The choice that a map of URLs goes by; NULL: none, which was said. */
static const struct def_variable *
read_by(struct loading *l, struct def_host *h, const struct node *map)
{
	const struct node *by = node_get(map, "by");
	const struct definition *d = l->d;

	if (by == NULL && map->child != NULL) {
		config_errors_add(l->errors, map->child,
		    "hosts.%.48s: \"%.60s\" comes before \"by\", which is "
		    "missing: the variable that these are values of",
		    h->name, map->child->key);
		return NULL;
	}
	if (by != NULL && by->type == NODE_SCALAR)
		h->by = definition_variable(d,
		    (struct slice){ by->text, strlen(by->text) });
	if (h->by < d->n_variables &&
	    d->variables[h->by].type == VARIABLE_CHOICE &&
	    d->variables[h->by].values != NULL) {
		d->variables[h->by].used = true;
		return &d->variables[h->by];
	}
	config_errors_add(l->errors, by != NULL ? by : map,
	    "hosts.%.48s: \"by\" must name a variable of type choice, which "
	    "\"%.60s\" is not",
	    h->name, by != NULL && by->text != NULL ? by->text : "");
	h->by = VARIABLES_MAX;
	return NULL;
}

/* Base URLs by a choice: { by: cloud, VALUE: URL, … }. */
static void
load_host_by(struct loading *l, struct def_host *h, const struct node *map)
{
	const struct def_variable *v = read_by(l, h, map);
	size_t n = 0;

	if (v == NULL)
		return;
	while (v->values[n] != NULL)
		n++;
	free(h->url);
	h->url = xcalloc(n + 1, sizeof(*h->url));
	for (size_t i = 0; i < n; i++) {
		const struct node *url = node_get(map, v->values[i]);

		if (url != NULL)
			add_url(l, h, url, i);
		else
			config_errors_add(l->errors, map,
			    "hosts.%.48s: \"%.60s\" is missing, a value of %s",
			    h->name, v->values[i], v->name);
	}
	for (const struct node *c = map->child; c != NULL; c = c->next) {
		size_t i = 0;

		while (i < n && strcmp(v->values[i], c->key) != 0)
			i++;
		if (i == n && strcmp(c->key, "by") != 0)
			config_errors_add(l->errors, c,
			    "hosts.%.48s: \"%.60s\" is no value of %s", h->name,
			    c->key, v->name);
	}
}

/* One that only the token server knows. */
static void
load_host_of_token(struct loading *l, struct def_host *h,
    const struct node *map)
{
	struct config_section b =
	    definition_fill(l, host_keys, map, "hosts", NULL, h);

	if (h->from_token != NULL)
		(void)definition_check_pointer(&b, "from_token", h->from_token);
	if (h->suffixes != NULL && h->suffixes[0] == NULL)
		config_error(&b,
		    "suffixes: are missing; credentials could go anywhere");
	for (char **s = h->suffixes; s != NULL && *s != NULL; s++)
		if ((*s)[0] != '.' || strchr(*s + 1, '.') == NULL)
			config_error(&b,
			    "suffixes: \"%.60s\" must be a dot and a domain, "
			    "such as .example.com",
			    *s);
	h->url[0] = xstrdup("");
}

static void
load_hosts(struct loading *l, const struct node *map)
{
	struct definition *d = l->d;

	if (map == NULL)
		return;
	d->hosts = xcalloc(count(map) + 1, sizeof(*d->hosts));
	for (const struct node *n = map->child; n != NULL; n = n->next) {
		struct def_host *h = &d->hosts[d->n_hosts++];

		check_name(l, n, "hosts", LOWER);
		*h = (struct def_host){ .name = xstrdup(n->key),
			.by = VARIABLES_MAX,
			.url = xcalloc(2, sizeof(*h->url)) };
		if (n->type == NODE_MAP && node_get(n, "from_token") != NULL)
			load_host_of_token(l, h, n);
		else if (n->type == NODE_MAP)
			load_host_by(l, h, n);
		else
			add_url(l, h, n, 0);
	}
}

static struct def_rule *
new_rule(struct definition *d)
{
	struct def_rule *r = xcalloc(1, sizeof(*r));

	d->pool = xreallocarray(d->pool, d->n_pool + 1, sizeof(*d->pool));
	d->pool[d->n_pool++] = r;
	return r;
}

static struct def_rule *
load_rule(struct loading *l, const struct node *map)
{
	struct def_rule *r = new_rule(l->d);
	struct config_section b;

	b = definition_fill(l, rule_keys, map, "rules", NULL, r);
	definition_check_rule(r, &b);
	return r;
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL ? b == NULL : b != NULL && strcmp(a, b) == 0;
}

/* A fault if one of the rules before is for the same replies. */
static void
refuse_shadowed(struct loading *l, const struct rule *rules,
    const struct def_rule *r, const struct node *n)
{
	for (; rules->cause != NULL; rules++)
		if (rules->status == (int)r->status &&
		    is_same(rules->code, r->code) &&
		    is_same(rules->header, r->header) &&
		    is_same(rules->value, r->value) &&
		    is_same(rules->text, r->text)) {
			config_errors_add(l->errors, n,
			    "rules: \"class\": the rule is never used; one "
			    "before has the same status, code, header, value "
			    "and text");
			return;
		}
}

struct rule *
definition_rules(struct loading *l, const struct node *list,
    const struct rule *more)
{
	struct rule *rules = xcalloc(2 * RULES_MAX + 2, sizeof(*rules));
	size_t n = 0;

	if (list != NULL && list->type != NODE_LIST) {
		config_errors_add(l->errors, list, "rules: must be a list");
		list = NULL;
	}
	for (list = list != NULL ? list->child : NULL; list != NULL;
	     list = list->next) {
		const struct def_rule *r;

		if (n == RULES_MAX) {
			config_errors_add(l->errors, list,
			    "rules: more than %d", RULES_MAX);
			break;
		}
		if (!definition_is_map(l, list, "rules"))
			continue;
		r = load_rule(l, list);
		refuse_shadowed(l, rules, r, list);
		rules[n++] = (struct rule){ .status = (int)r->status,
			.code = r->code,
			.header = r->header,
			.value = r->value,
			.text = r->text,
			.class = rule_classes[r->class],
			.cause = r->cause != NULL ? r->cause : "",
			.hint = r->hint };
	}
	for (; more != NULL && more->cause != NULL; more++)
		rules[n++] = *more;
	return rules;
}

/* Behind all rules: a refusal of credentials that are shown as they are names
 * their options.  Tokens that are asked for are told of in general. */
static void
add_refusal(struct definition *d)
{
	struct buf hint = BUF_INIT(1000);
	struct rule *rule = d->rules;
	struct def_rule *own;
	uint32_t uses = 0;

	for (size_t i = 0; i < d->n_auth; i++) {
		const int kind = d->auth[i].kind;

		if (kind != KIND_HEADER && kind != KIND_BASIC &&
		    kind != KIND_DIGEST)
			return;
		uses |= d->auth[i].uses;
	}
	for (size_t i = 0; i < d->n_variables; i++)
		if ((uses & UINT32_C(1) << i) != 0)
			(void)!buf_addf(&hint, "%s%s",
			    hint.len == 0 ? "check " : " and ",
			    d->variables[i].name);
	if (hint.len > 0) {
		own = new_rule(d);
		own->cause = xstrdup("the credentials are refused");
		own->hint =
		    xasprintf("%s, and whether that has expired", hint.data);
		while (rule->cause != NULL)
			rule++;
		*rule = (struct rule){ .status = 401,
			.class = REPLY_UNAUTHORISED,
			.cause = own->cause,
			.hint = own->hint };
	}
	buf_release(&hint);
}

static void
load_rate(struct loading *l, const struct node *top)
{
	const struct node *map = definition_need(l, top, "rate", "rate");
	struct def_rate *rate = &l->d->rate;
	struct config_section b;

	if (map == NULL)
		return;
	b = definition_fill(l, rate_keys, map, "rate", NULL, rate);
	if (rate->most != 0 && rate->most < rate->requests)
		config_error(&b, "most: is below requests");
}

/* A block that streams share and that is none would be replaced by theirs. */
static void
check_common(struct loading *l, const struct node *common,
    const struct node *stream)
{
	if (common == NULL || stream->type != NODE_MAP)
		return;
	for (const struct node *c = common->child; c != NULL; c = c->next) {
		const struct node *own = node_get(stream, c->key);

		if (c->type == NODE_SCALAR && !node_null(c) && own != NULL &&
		    own->type == NODE_MAP)
			config_errors_add(l->errors, c,
			    "common: \"%.60s\" must be a map, as in \"%.60s\"",
			    c->key, stream->key);
	}
}

/* What a stream says together with what all say: faults in a block that both
 * have are told where the stream has it. */
static struct node *
with_common(const struct node *common, const struct node *stream)
{
	struct node *whole = node_copy(common != NULL ? common : stream);

	if (common != NULL)
		node_merge(whole, node_copy(stream));
	whole->line = stream->line;
	for (struct node *c = whole->child; c != NULL; c = c->next) {
		const struct node *own = node_get(stream, c->key);

		if (own != NULL)
			c->line = own->line;
	}
	return whole;
}

static void
load_streams(struct loading *l, const struct node *top)
{
	const struct node *map = definition_need(l, top, "streams", "streams");
	const struct node *common = node_get(top, "common");
	struct definition *d = l->d;
	size_t n = map != NULL ? count(map) : 0;

	if (common != NULL && !definition_is_map(l, common, "common"))
		return;
	if (map != NULL && (n == 0 || n > STREAMS_MAX))
		config_errors_add(l->errors, map,
		    "streams: there must be 1 to %d", STREAMS_MAX);
	if (n == 0 || n > STREAMS_MAX)
		return;
	d->streams = xcalloc(n, sizeof(*d->streams));
	for (const struct node *c = map->child; c != NULL; c = c->next) {
		struct node *whole;

		check_name(l, c, "streams", WORDS);
		if (!definition_is_map(l, c, "streams"))
			continue;
		check_common(l, common, c);
		whole = with_common(common, c);
		d->streams[d->n_streams].name = xstrdup(c->key);
		definition_load_stream(l, &d->streams[d->n_streams++], whole);
		node_free(whole);
	}
}

/* A variable that nothing uses is a place that was left out.  Behind another
 * fault that says nothing. */
static void
check_used(struct loading *l, const struct node *map)
{
	const struct definition *d = l->d;

	for (size_t i = 0; i < d->n_variables; i++)
		if (!d->variables[i].used)
			config_errors_add(l->errors,
			    node_get(map, d->variables[i].name),
			    "variables.%.48s: nothing in the definition uses "
			    "it; write {%.48s} where its value belongs, or "
			    "remove it",
			    d->variables[i].name, d->variables[i].name);
}

static void
load_all(struct loading *l, const char *name, const struct node *top)
{
	static const char *const ours[] = { "variables", "hosts", "auth",
		"rate", "rules", "common", "streams", NULL };
	struct definition *d = l->d;
	struct config_section b =
	    definition_fill(l, definition_keys, top, "definition", ours, d);
	const struct node *hosts;

	if (name != NULL && d->name != NULL && strcmp(name, d->name) != 0)
		config_error(&b,
		    "name: is \"%.60s\", but the file is that of \"%.60s\"",
		    d->name, name);
	load_variables(l, node_get(top, "variables"));
	hosts = definition_need(l, top, "hosts", "hosts");
	load_hosts(l, hosts);
	definition_load_auth(l, top);
	load_rate(l, top);
	d->rules = definition_rules(l, node_get(top, "rules"), NULL);
	add_refusal(d);
	load_streams(l, top);
	if (l->errors->n == 0)
		check_used(l, node_get(top, "variables"));
}

/* A key without a value is neither set nor left out: whoever left it so may
 * have meant anything but its default. */
static void
refuse_nulls(struct loading *l, const struct node *n, const char *where)
{
	for (const struct node *c = n->child; c != NULL; c = c->next) {
		char path[200];

		(void)snprintf(path, sizeof(path), "%.120s%s%.60s", where,
		    *where != '\0' && c->key != NULL ? "." : "",
		    c->key != NULL ? c->key : "");
		if (c->type == NODE_SCALAR && node_null(c))
			config_errors_add(l->errors, c,
			    "%s: has no value; leave it out for its default",
			    path);
		else
			refuse_nulls(l, c, path);
	}
}

static void
digest_text(const char *text, size_t len, char out[65])
{
	struct digest *digest = digest_new();
	uint8_t hash[DIGEST_LEN];

	digest_sha256(digest, NULL, 0, text, len, hash);
	text_hex(out, hash, DIGEST_LEN);
	digest_free(digest);
}

/* What streams share is read once for each, and its faults are told once. */
static void
tell_once(const struct config_errors *from, struct config_errors *to)
{
	for (size_t i = 0; i < from->n; i++) {
		bool told = false;

		for (size_t k = 0; k < i && !told; k++)
			told = strcmp(from->line[i], from->line[k]) == 0;
		if (!told)
			config_errors_add_err(to, from->line[i]);
	}
}

struct definition *
definition_parse(const char *name, const char *file, const char *text,
    size_t len, struct config_errors *errors)
{
	struct definition *d = xcalloc(1, sizeof(*d));
	struct config_errors own = CONFIG_ERRORS_INIT;
	struct loading l = { .d = d, .errors = &own };
	struct err err = ERR_INIT;
	struct node *top = yaml_parse(file, text, len, &err);
	bool good;

	d->file = xstrdup(file);
	if (top == NULL) {
		config_errors_add_err(&own, err.text);
	} else if (top->type != NODE_MAP) {
		config_errors_add(&own, top,
		    "the file must be a map of the keys of a definition");
	} else {
		config_errors_repeats(&own, top);
		refuse_nulls(&l, top, "");
		digest_text(text, len, d->digest);
		load_all(&l, name, top);
	}
	node_free(top);
	good = own.n == 0;
	tell_once(&own, errors);
	config_errors_release(&own);
	if (good)
		return d;
	definition_free(d);
	return NULL;
}

struct definition *
definition_load(const char *name, const char *file,
    struct config_errors *errors)
{
	struct buf text = BUF_INIT(FILE_MAX);
	struct definition *d = NULL;
	struct err err = ERR_INIT;

	if (file_read(file, &text, &err) != 0)
		config_errors_add_err(errors, err.text);
	else
		d = definition_parse(name, file, text.data, text.len, errors);
	buf_release(&text);
	return d;
}

static void
free_hosts(struct definition *d)
{
	for (size_t i = 0; i < d->n_hosts; i++) {
		struct def_host *h = &d->hosts[i];
		size_t n = 1;

		if (h->by < d->n_variables)
			for (n = 0; d->variables[h->by].values[n] != NULL;)
				n++;
		for (size_t k = 0; k < n; k++)
			free(h->url[k]);
		free(h->url);
		free(h->name);
		settings_release(host_keys, h);
	}
	free(d->hosts);
}

void
definition_free(struct definition *d)
{
	if (d == NULL)
		return;
	free_hosts(d);
	for (size_t i = 0; i < d->n_streams; i++)
		definition_release_stream(&d->streams[i]);
	for (size_t i = 0; i < d->n_variables; i++) {
		settings_release(variable_keys, &d->variables[i]);
		free(d->variables[i].name);
	}
	for (size_t i = 0; i < d->n_auth; i++)
		definition_free_auth(&d->auth[i]);
	for (size_t i = 0; i < d->n_pool; i++) {
		settings_release(rule_keys, d->pool[i]);
		free(d->pool[i]);
	}
	settings_release(rate_keys, &d->rate);
	settings_release(definition_keys, d);
	free(d->pool);
	free(d->rules);
	free(d->streams);
	free(d->variables);
	free(d->auth);
	free(d->file);
	free(d);
}

const struct def_stream *
definition_stream(const struct definition *d, const char *name)
{
	for (size_t i = 0; i < d->n_streams; i++)
		if (strcmp(d->streams[i].name, name) == 0)
			return &d->streams[i];
	return NULL;
}

static bool
is_name(const char *name, struct slice text)
{
	return strlen(name) == text.len &&
	    memcmp(name, text.data, text.len) == 0;
}

size_t
definition_variable(const struct definition *d, struct slice name)
{
	size_t i = 0;

	while (i < d->n_variables && !is_name(d->variables[i].name, name))
		i++;
	return i;
}

size_t
definition_host(const struct definition *d, struct slice name)
{
	size_t i = 0;

	while (i < d->n_hosts && !is_name(d->hosts[i].name, name))
		i++;
	return i;
}
