/*
 * definition_check.c - what cannot be right in a definition.
 *
 * Each rule here has cost someone events: a window that leaves out its bounds,
 * an overlap that never ends, a page whose successor nobody asks for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/splitter.h"
#include "base/template.h"
#include "base/text.h"
#include "http/access.h"
#include "http/auth_sign.h"
#include "sources/rest/decode.h"
#include "sources/rest/definition_private.h"

/* Values that are not of the configuration. */
static const struct {
	const char *name;
	unsigned kind;
	bool time;
} built_in[] = {
	{ "start", PLACE_START, true },
	{ "window.start", PLACE_WINDOW, true },
	{ "window.end", PLACE_WINDOW, true },
	{ "page", PLACE_PAGE, false },
	{ "key.fingerprint", PLACE_KEY, false },
	{ "fetch.id", PLACE_FETCH, false },
	{ "fetch.ids", PLACE_FETCH, false },
	{ "job.id", PLACE_JOB, false },
	{ "iterator", PLACE_ITERATOR, false },
};
#define BUILT_IN (sizeof(built_in) / sizeof(built_in[0]))
#define HOSTS_DOT "hosts."

/* What a name stands for, 0: nothing; *time: it needs a format. */
static unsigned
kind_of(const struct definition *d, struct slice name, bool *time)
{
	const size_t dot = strlen(HOSTS_DOT);
	size_t v = definition_variable(d, name);

	*time = false;
	for (size_t i = 0; i < BUILT_IN; i++) {
		if (strlen(built_in[i].name) != name.len ||
		    memcmp(built_in[i].name, name.data, name.len) != 0)
			continue;
		*time = built_in[i].time;
		return built_in[i].kind;
	}
	if (v < d->n_variables) {
		d->variables[v].used = true;
		return d->variables[v].type == VARIABLE_SECRET ||
			d->variables[v].type == VARIABLE_PEM
		    ? PLACE_SECRET
		    : PLACE_VARIABLE;
	}
	if (sign_place(name, time))
		return PLACE_SIGNED;
	if (name.len > dot && memcmp(name.data, HOSTS_DOT, dot) == 0 &&
	    definition_host(d,
		(struct slice){ name.data + dot, name.len - dot }) < d->n_hosts)
		return PLACE_HOST;
	return 0;
}

/* The known name that is nearest to a wrong one, NULL: none is near. */
static const char *
nearest(const struct definition *d, struct slice name)
{
	const char *names[VARIABLES_MAX + BUILT_IN + 1];
	char *wrong = xstrndup(name.data, name.len);
	const char *near;
	size_t n = 0;

	for (size_t i = 0; i < d->n_variables; i++)
		names[n++] = d->variables[i].name;
	for (size_t i = 0; i < BUILT_IN; i++)
		names[n++] = built_in[i].name;
	names[n] = NULL;
	near = text_nearest(wrong, names);
	free(wrong);
	return near;
}

static void
check_place(const struct definition *d, const struct config_section *b,
    const char *key, const struct template_place *p, unsigned allowed)
{
	const int len = (int)(p->name.len < 60 ? p->name.len : 60);
	bool time;
	unsigned kind = kind_of(d, p->name, &time);
	const char *near = kind == 0 ? nearest(d, p->name) : NULL;

	if (kind == 0)
		config_error(b,
		    "%s: {%.*s} is not known, and none of variables%s%s%s", key,
		    len, p->name.data, near != NULL ? "; did you mean {" : "",
		    near != NULL ? near : "", near != NULL ? "}?" : "");
	else if (kind == PLACE_SECRET && (allowed & PLACE_SECRET) == 0)
		config_error(b,
		    "%s: {%.*s} is a secret, which only auth may have", key,
		    len, p->name.data);
	else if ((kind & allowed) == 0)
		config_error(b, "%s: {%.*s} has no value here", key, len,
		    p->name.data);
	else if (time &&
	    (p->format.data == NULL || when_by_name(p->format) == WHEN_FORMATS))
		config_error(b,
		    "%s: {%.*s} needs a format of time, such as "
		    "{%.*s|rfc3339}",
		    key, len, p->name.data, len, p->name.data);
	else if (!time && p->format.data != NULL &&
	    (kind != PLACE_PAGE || !template_is_json(p)))
		config_error(b, "%s: {%.*s} is no time and has no format", key,
		    len, p->name.data);
}

void
definition_check_text(const struct definition *d,
    const struct config_section *b, const char *key, const char *text,
    unsigned allowed)
{
	struct template_place p;

	for (size_t at = 0; text != NULL && template_next(text, at, &p);
	     at = p.end)
		check_place(d, b, key, &p, allowed);
}

bool
definition_has_place(const char *text, const char *name)
{
	struct template_place p;

	for (size_t at = 0; text != NULL && template_next(text, at, &p);
	     at = p.end)
		if (p.name.len == strlen(name) &&
		    memcmp(p.name.data, name, p.name.len) == 0)
			return true;
	return false;
}

bool
definition_request_has(const struct def_request *r, const char *name)
{
	bool has = definition_has_place(r->path, name) ||
	    definition_has_place(r->body, name);

	for (const struct http_pair *q = r->query; q != NULL && q->name != NULL;
	     q++)
		has = has || definition_has_place(q->value, name);
	for (const struct http_pair *h = r->headers;
	     h != NULL && h->name != NULL; h++)
		has = has || definition_has_place(h->value, name);
	return has;
}

/* Options that every source has, or whose blocks it has. */
static const char *const taken[] = { "type", "streams", "hosts", "interval",
	"initial", "overlap", "retention", "dedupe", "retry_after_max", "proxy",
	"tls", "timeout", "http", "reconcile", "start", "page", NULL };

static void
check_default(const struct def_variable *v, const struct config_section *b)
{
	bool known = false;

	if (v->def == NULL) {
		if (v->type == VARIABLE_CHOICE && !v->required)
			config_error(b,
			    "default: is missing; a choice has one, or is "
			    "required");
		return;
	}
	if (v->required)
		config_error(b, "default: is never used, since it is required");
	if (v->type == VARIABLE_SECRET || v->type == VARIABLE_PEM)
		config_error(b, "default: a secret has none");
	for (char **p = v->values; p != NULL && *p != NULL; p++)
		known = known || strcmp(*p, v->def) == 0;
	if (v->type == VARIABLE_CHOICE && !known)
		config_error(b, "default: \"%.60s\" is none of values", v->def);
}

void
definition_check_variable(const struct definition *d,
    const struct def_variable *v, const struct config_section *b)
{
	for (size_t i = 0; taken[i] != NULL; i++)
		if (strcmp(v->name, taken[i]) == 0)
			config_errors_add(b->errors, b->map,
			    "variables: \"%s\" is an option of every source; "
			    "give it another name",
			    v->name);
	for (size_t i = 0; &d->variables[i] != v; i++)
		if (strcmp(d->variables[i].name, v->name) == 0)
			config_errors_add(b->errors, b->map,
			    "variables: \"%s\" is there twice", v->name);
	if (v->type == VARIABLE_CHOICE &&
	    (v->values == NULL || v->values[0] == NULL))
		config_error(b, "values: are missing; a choice has some");
	if (v->type != VARIABLE_CHOICE && v->values != NULL)
		config_error(b, "values: only a choice has some");
	check_default(v, b);
}

void
definition_check_host(const struct definition *d, const char *url,
    const struct config_section *b)
{
	const size_t scheme = strlen("https://");
	const char *key = b->map->key;
	struct template_place p;
	struct err err = ERR_INIT;

	if (strncmp(url, "https://", scheme) != 0) {
		config_error(b, "%s: must begin with https://", key);
		return;
	}
	if (!template_next(url, 0, &p) && http_url_check(key, url, &err) != 0)
		config_error(b, "%s", err.text);
	definition_check_text(d, b, key, url, PLACE_VARIABLE);
	for (size_t at = scheme; template_next(url, at, &p); at = p.end) {
		size_t v = definition_variable(d, p.name);

		if (v < d->n_variables &&
		    d->variables[v].type != VARIABLE_HOST &&
		    d->variables[v].type != VARIABLE_CHOICE &&
		    memchr(url + scheme, '/', p.begin - scheme) == NULL)
			config_error(b,
			    "%s: {%s} must be a variable of type host", key,
			    d->variables[v].name);
	}
}

static void
check_pairs(const struct definition *d, const struct config_section *b,
    const char *key, const struct http_pair *p, unsigned allowed)
{
	for (; p != NULL && p->name != NULL; p++) {
		definition_check_text(d, b, key, p->value, allowed);
		if (strpbrk(p->name, "\r\n") != NULL ||
		    strpbrk(p->value, "\r\n") != NULL ||
		    (strcmp(key, "headers") == 0 &&
			strpbrk(p->name, ": ") != NULL))
			config_error(b,
			    "%s: \"%.60s\" has a character that it can't have",
			    key, p->name);
	}
}

void
definition_check_request(const struct definition *d, const struct def_stream *s,
    const struct def_request *r, const struct config_section *b,
    unsigned places)
{
	unsigned allowed = PLACE_VARIABLE | places |
	    (s->cursor.kind == CURSOR_WINDOW ? PLACE_WINDOW : PLACE_START) |
	    (s->cursor.kind == CURSOR_ITERATOR ? PLACE_ITERATOR : 0) |
	    (s->job.used ? PLACE_JOB : 0);

	definition_check_text(d, b, "path", r->path, allowed);
	definition_check_text(d, b, "body", r->body, allowed);
	check_pairs(d, b, "query", r->query, allowed);
	check_pairs(d, b, "headers", r->headers, allowed);
	if (r->path != NULL &&
	    (r->path[0] != '/' || strpbrk(r->path, "?# ") != NULL))
		config_error(b,
		    "path: must begin with \"/\" and have no \"?\", \"#\" or "
		    "space; query is a key of its own");
	if (r->host != NULL &&
	    definition_host(d, (struct slice){ r->host, strlen(r->host) }) ==
		d->n_hosts)
		config_error(b, "host: \"%.60s\" is none of hosts", r->host);
	if (r->body != NULL && r->method == 0)
		config_error(b,
		    "body: a GET has none, and the request's method is not "
		    "POST");
}

void
definition_check_cursor(const struct def_stream *s,
    const struct config_section *b)
{
	const struct def_cursor *c = &s->cursor;

	if (c->start == BOUND_OPEN)
		config_error(b, "start: can't be open");
	if (c->restart_from != NULL)
		(void)definition_check_pointer(b, "restart_from",
		    c->restart_from);
	if (c->kind != CURSOR_TOKEN && (c->restart_from != NULL || c->back > 0))
		config_error(b,
		    "restart_from: is of kind token, and so is back");
	if (c->kind != CURSOR_WINDOW) {
		if (c->sweeps[0].every != 0)
			config_error(b,
			    "sweeps: a token misses nothing; they are of "
			    "windows");
		return;
	}
	if (c->start == BOUND_EXCLUSIVE && c->end == BOUND_EXCLUSIVE &&
	    c->overlap == 0)
		config_error(b,
		    "overlap: is missing; both bounds are exclusive, so events "
		    "between two windows would be in neither");
	if (c->overlap >= c->span)
		config_error(b,
		    "overlap: must be shorter than span, or windows never get "
		    "any further");
	if (c->span % c->granularity != 0)
		config_error(b, "span: must be a multiple of granularity");
	for (size_t i = 1; i < DEF_SWEEPS && c->sweeps[i].every != 0; i++)
		if (c->sweeps[i].every <= c->sweeps[i - 1].every ||
		    c->sweeps[i].back <= c->sweeps[i - 1].back)
			config_error(b,
			    "sweeps: each must be rarer than the one before "
			    "and go further back");
	if (c->sweeps[0].every != 0 && c->sweeps[0].back <= c->overlap)
		config_error(b, "sweeps: go no further back than overlap");
}

/* Which keys belong to which kind of page. */
static const struct {
	bool from;    /* one text, or pointers */
	bool pointer; /* they are pointers */
	bool to;      /* the value goes into a request */
	bool endless; /* may be a stream's cursor */
} page_of[] = {
	[PAGE_NONE] = { false, false, false, false },
	[PAGE_LINK] = { false, false, false, true },
	[PAGE_URL_HEADER] = { true, false, false, true },
	[PAGE_URL] = { true, true, false, true },
	[PAGE_TOKEN] = { true, true, true, true },
	[PAGE_HEADER] = { true, false, true, true },
	[PAGE_NUMBER] = { false, false, true, false },
	[PAGE_OFFSET] = { false, false, true, false },
	[PAGE_LAST_ID] = { false, false, true, true },
	[PAGE_INDEX] = { true, true, true, false },
};
_Static_assert(sizeof(page_of) / sizeof(page_of[0]) == PAGE_KINDS,
    "a kind of page has no row");

bool
definition_page_goes(const struct def_stream *s)
{
	return page_of[s->page.kind].to;
}

#define NAME_OF_HEADER               \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"abcdefghijklmnopqrstuvwxyz0123456789-_"

static void
check_total(const struct def_stream *s, const struct config_section *b)
{
	const char *total = s->page.total;

	if (*total == '/')
		(void)definition_check_pointer(b, "total", total);
	else if (*total == '\0' || total[strspn(total, NAME_OF_HEADER)] != '\0')
		config_error(b,
		    "total: \"%.60s\" is neither a JSON pointer, such as "
		    "\"/meta/total\", nor the name of a header",
		    total);
	if (s->cursor.kind != CURSOR_WINDOW)
		config_error(b, "total: is of windows");
	if (s->page.older != 0)
		config_error(b,
		    "total: not all rows of such a list are read, since "
		    "row_older_than ends it");
}

void
definition_check_page(const struct def_stream *s,
    const struct config_section *b)
{
	const struct def_page *p = &s->page;
	size_t n = 0;

	for (; p->from != NULL && p->from[n] != NULL; n++)
		if (page_of[p->kind].pointer)
			(void)definition_check_pointer(b, "from", p->from[n]);
	if (page_of[p->kind].from && n == 0)
		config_error(b, "from: is missing; this kind needs it");
	if (!page_of[p->kind].from && n > 0)
		config_error(b, "from: is not of this kind");
	if (n > 1 && !page_of[p->kind].pointer)
		config_error(b, "from: must be one header");
	if (n > DEFINITION_POINTERS)
		config_error(b, "from: more than %d", DEFINITION_POINTERS);
	if (p->to != NULL && !page_of[p->kind].to)
		config_error(b, "to: is not of this kind");
	if (p->more != NULL)
		(void)definition_check_pointer(b, "more", p->more);
	if (p->wait != NULL)
		(void)definition_check_pointer(b, "wait", p->wait);
	if (p->total != NULL)
		check_total(s, b);
	if (s->cursor.kind == CURSOR_ITERATOR &&
	    (p->kind != PAGE_NONE || p->size > 0))
		config_error(b,
		    "kind: must be none, without size, where the cursor is of "
		    "kind iterator: each request brings the next batch");
	if (p->join != NULL && p->kind != PAGE_TOKEN)
		config_error(b, "join: is not of this kind");
	if (p->older != 0 && s->cursor.order != ORDER_NEWEST)
		config_error(b,
		    "row_older_than: needs a cursor with order: newest; in a "
		    "list that is not sorted it would leave out events");
	if (p->short_is_last && p->size == 0)
		config_error(b, "size: is missing; short_is_last needs it");
	if (p->short_is_last && s->cursor.kind == CURSOR_TOKEN)
		config_error(b,
		    "short_is_last: can't be said of a cursor of kind token, "
		    "which goes on behind each page");
	if (p->least &&
	    (s->cursor.kind != CURSOR_TOKEN || p->kind != PAGE_LAST_ID))
		config_error(b,
		    "least: is of pages of kind last_id and a cursor of kind "
		    "token alone");
	if (s->cursor.kind == CURSOR_TOKEN && !page_of[p->kind].endless)
		config_error(b,
		    "kind: can't be the cursor of a stream; a cursor of kind "
		    "token needs link, url_header, url, token, header or "
		    "last_id");
}

/* What a reply says of itself: a pointer and a text, or neither. */
static void
check_match(const struct def_match *m, const char *key,
    const struct config_section *b)
{
	char name[40];

	(void)snprintf(name, sizeof(name), "%s.at", key);
	if (m->at != NULL)
		(void)definition_check_pointer(b, name, m->at);
	if ((m->at == NULL) != (m->is == NULL))
		config_error(b, "%s: needs both at and is", key);
}

void
definition_check_records(const struct def_records *r, bool of_fetch,
    const struct config_section *b)
{
	const bool text =
	    r->format == RECORDS_NDJSON || r->format == RECORDS_CSV;
	size_t n = 0;

	for (; r->at != NULL && r->at[n] != NULL; n++)
		(void)definition_check_pointer(b, "at", r->at[n]);
	check_match(&r->success, "success", b);
	check_match(&r->incomplete, "incomplete", b);
	if (text && (n != 1 || *r->at[0] != '\0'))
		config_error(b, "at: must be [\"\"]; it is no JSON document");
	if (r->format == RECORDS_KEYED && n > 1)
		config_error(b, "at: one place only in this format");
	if (r->names != NULL && (r->format != RECORDS_CSV || *r->names == '\0'))
		config_error(b,
		    "names: is the text of a row of CSV, and format is not "
		    "csv");
	if (text && (r->success.at != NULL || r->incomplete.at != NULL))
		config_error(b,
		    "success: is not of this format, nor is incomplete");
	if ((r->columns != NULL) != (r->format == RECORDS_COLUMNS))
		config_error(b, "columns: belong to the format of that name");
	if (r->columns != NULL)
		(void)definition_check_pointer(b, "columns", r->columns);
	if (r->column != NULL)
		(void)definition_check_pointer(b, "column", r->column);
	if (r->column != NULL && r->columns == NULL)
		config_error(b, "column: of which columns?");
	if (r->inside != NULL)
		(void)definition_check_pointer(b, "inside", r->inside);
	if (of_fetch && r->incomplete.at != NULL)
		config_error(b, "incomplete: is of pages");
}

void
definition_check_fetch(const struct def_stream *s,
    const struct config_section *b)
{
	const struct def_fetch *f = &s->fetch;

	if (f->id != NULL)
		(void)definition_check_pointer(b, "id", f->id);
	if (f->url != NULL)
		(void)definition_check_pointer(b, "url", f->url);
	if (f->url != NULL && f->max > 1)
		config_error(b, "max: a URL is for one row");
	if (f->max > 1 && !definition_has_place(f->request.body, "fetch.ids"))
		config_error(b,
		    "body: has no {fetch.ids}, which more than one row need");
	if (f->url == NULL && f->max == 1 &&
	    !definition_request_has(&f->request, "fetch.id"))
		config_error(b,
		    "path: neither it nor anything else has {fetch.id}, and "
		    "there is no url, nor are there {fetch.ids} of max rows: "
		    "every row would lead to the same");
}

void
definition_check_job(const struct def_stream *s, const struct config_section *b)
{
	const struct def_job *j = &s->job;

	if (j->id != NULL)
		(void)definition_check_pointer(b, "id", j->id);
	if (j->status != NULL)
		(void)definition_check_pointer(b, "status", j->status);
	if (s->cursor.kind != CURSOR_WINDOW)
		config_error(b, "submit: jobs are for windows");
	if (j->every >= j->deadline)
		config_error(b, "every: is not below deadline");
}

void
definition_check_rule(const struct def_rule *r, const struct config_section *b)
{
	if (r->status == 0 && r->code == NULL && r->header == NULL &&
	    r->text == NULL)
		config_error(b,
		    "class: the rule fits every reply; give a status, code, "
		    "header or text");
	if (r->status != 0 && r->status < 100)
		config_error(b, "status: is none of HTTP");
	if (r->value != NULL && r->header == NULL)
		config_error(b, "value: of which header?");
	if (r->code != NULL && strlen(r->code) >= REPLY_CODE)
		config_error(b,
		    "code: is longer than %d bytes, and would match nothing",
		    REPLY_CODE - 1);
}

bool
definition_check_pointer(const struct config_section *b, const char *key,
    const char *pointer)
{
	size_t parts = 0;

	for (const char *p = pointer; *p != '\0'; p++) {
		parts += *p == '/';
		if (*p == '~' && p[1] != '0' && p[1] != '1')
			parts = SPLITTER_KEYS + 1;
	}
	if ((*pointer == '\0' || *pointer == '/') && parts <= SPLITTER_KEYS)
		return true;
	config_error(b,
	    "%s: \"%.60s\" is not a JSON pointer, such as \"\" or "
	    "\"/data/items\"",
	    key, pointer);
	return false;
}
