/*
 * definition_stream.c - one stream of a definition.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/template.h"
#include "sources/rest/decode.h"
#include "sources/rest/definition_private.h"

#define PAIRS_MAX 64

struct http_pair *
definition_pairs(struct loading *l, const struct node *n, const char *where)
{
	struct http_pair *pairs = xcalloc(PAIRS_MAX + 1, sizeof(*pairs));
	const bool list = n != NULL && n->type == NODE_LIST;
	size_t i = 0;

	if (n == NULL)
		return pairs;
	if (n->type == NODE_SCALAR) {
		config_errors_add(l->errors, n,
		    "%s: must be a map, or a list of maps with one key each",
		    where);
		return pairs;
	}
	for (n = n->child; n != NULL; n = n->next) {
		const struct node *p = list ? n->child : n;

		if (p == NULL || p->type != NODE_SCALAR || node_null(p) ||
		    p->key == NULL || *p->key == '\0' ||
		    (list && p->next != NULL)) {
			config_errors_add(l->errors, n,
			    "%s: \"%.60s\": each must be one name and one text",
			    where, p != NULL && p->key != NULL ? p->key : "");
		} else if (i == PAIRS_MAX) {
			config_errors_add(l->errors, n, "%s: more than %d",
			    where, PAIRS_MAX);
			break;
		} else {
			pairs[i++] = (struct http_pair){ xstrdup(p->key),
				xstrdup(p->text) };
		}
	}
	return pairs;
}

static void
load_request(struct loading *l, struct def_stream *s, struct def_request *r,
    const struct node *map, const char *where, unsigned places)
{
	/* Of blocks that are requests and more. */
	static const char *const ours[] = { "query", "headers", "take", "id",
		"url", "max", "always", "records", NULL };
	static const char *const others[] = { "query", "headers", NULL };
	const struct node *query = node_get(map, "query");
	const struct node *headers = node_get(map, "headers");
	const bool more =
	    strcmp(where, "bootstrap") == 0 || strcmp(where, "fetch") == 0;
	struct config_section b = definition_fill(l, request_keys, map, where,
	    more ? ours : others, r);

	if (query != NULL)
		r->query = definition_pairs(l, query, "query");
	if (headers != NULL)
		r->headers = definition_pairs(l, headers, "headers");
	definition_check_request(l->d, s, r, &b, places);
}

/* Take over's children into base, each in the place of base's of that key. */
static void
override(struct node *base, const struct node *over)
{
	for (const struct node *c = over->child; c != NULL; c = c->next) {
		struct node **at = &base->child, *old;
		struct node *copy = node_copy(c);

		while (*at != NULL && strcmp((*at)->key, c->key) != 0)
			at = &(*at)->next;
		old = *at;
		copy->next = old != NULL ? old->next : NULL;
		*at = copy;
		if (old != NULL) {
			old->next = NULL;
			node_free(old);
		}
	}
}

/* A request that is the first one but for what its block says. */
static void
load_other(struct loading *l, struct def_stream *s, struct def_request *r,
    const struct node *map, const char *where, unsigned places)
{
	const struct node *request = node_get(map, "request");
	const struct node *other = node_get(map, where);
	struct node *whole;

	/* Without a first one, or with one that is no map, is said already. */
	if (other == NULL || request == NULL || request->type != NODE_MAP ||
	    !definition_is_map(l, other, where))
		return;
	whole = node_copy(request);
	override(whole, other);
	load_request(l, s, r, whole, where, places);
	node_free(whole);
}

static void
load_sweeps(struct loading *l, struct def_cursor *c, const struct node *list)
{
	size_t n = 0;

	if (list == NULL)
		return;
	if (list->type != NODE_LIST) {
		config_errors_add(l->errors, list, "sweeps: must be a list");
		return;
	}
	for (list = list->child; list != NULL; list = list->next, n++) {
		if (n == DEF_SWEEPS) {
			config_errors_add(l->errors, list,
			    "sweeps: more than %d", DEF_SWEEPS);
			return;
		}
		if (definition_is_map(l, list, "sweeps"))
			(void)definition_fill(l, sweep_keys, list, "sweeps",
			    NULL, &c->sweeps[n]);
	}
}

static void
load_cursor(struct loading *l, struct def_stream *s, const struct node *map)
{
	static const char *const ours[] = { "sweeps", NULL };
	struct config_section b;

	if (map == NULL)
		return;
	b = definition_fill(l, cursor_keys, map, "cursor", ours, &s->cursor);
	load_sweeps(l, &s->cursor, node_get(map, "sweeps"));
	definition_check_cursor(s, &b);
}

static void
load_page(struct loading *l, struct def_stream *s, const struct node *map)
{
	const size_t before = l->errors->n;
	struct config_section b;

	if (map == NULL)
		return;
	b = definition_fill(l, page_keys, map, "page", NULL, &s->page);
	/* Of a kind that is not known nothing can be said. */
	if (b.filled == before)
		definition_check_page(s, &b);
}

static void
load_records(struct loading *l, struct def_records *r, const struct node *map,
    bool of_fetch)
{
	struct config_section b;

	if (map == NULL)
		return;
	b = definition_fill(l, records_keys, map, "records", NULL, r);
	definition_check_records(r, of_fetch, &b);
}

/* The keys of a block that is a request, too, and of nothing else. */
static struct config_section
fill_beside(struct loading *l, const struct setting *table,
    const struct node *map, const char *where, void *out)
{
	static const char *const request[] = { "method", "host", "path", "body",
		"type", "query", "headers", "records", NULL };

	return definition_fill(l, table, map, where, request, out);
}

static void
load_bootstrap(struct loading *l, struct def_stream *s, const struct node *map)
{
	struct config_section b;

	if (map == NULL || !definition_is_map(l, map, "bootstrap"))
		return;
	b = fill_beside(l, bootstrap_keys, map, "bootstrap", s);
	load_request(l, s, &s->bootstrap, map, "bootstrap", 0);
	if (s->take != NULL)
		(void)definition_check_pointer(&b, "take", s->take);
	if (s->cursor.kind != CURSOR_TOKEN)
		config_error(&b, "take: only a cursor of kind token begins so");
}

static void
load_fetch(struct loading *l, struct def_stream *s, const struct node *map)
{
	struct def_fetch *f = &s->fetch;
	struct node *whole;
	struct config_section b;

	if (map == NULL || !definition_is_map(l, map, "fetch"))
		return;
	f->used = true;
	b = fill_beside(l, fetch_keys, map, "fetch", f);
	whole = node_copy(map);
	/* The row's URL stands for a path. */
	if (f->url != NULL && node_get(map, "path") == NULL) {
		struct err err = ERR_INIT;
		static const char text[] = "path: /";
		struct node *path =
		    yaml_parse(map->file, text, sizeof(text) - 1, &err);

		override(whole, path);
		node_free(path);
	}
	load_request(l, s, &f->request, whole, "fetch", PLACE_FETCH);
	node_free(whole);
	load_records(l, &f->records,
	    definition_need(l, map, "records", "fetch"), true);
	definition_check_fetch(s, &b);
}

static void
load_job(struct loading *l, struct def_stream *s, const struct node *map)
{
	static const char *const ours[] = { "submit", "poll", NULL };
	struct def_job *j = &s->job;
	const struct node *n;
	struct config_section b;

	if (map == NULL || !definition_is_map(l, map, "job"))
		return;
	j->used = true;
	b = definition_fill(l, job_keys, map, "job", ours, j);
	n = definition_need(l, map, "submit", "job");
	if (n != NULL)
		load_request(l, s, &j->submit, n, "submit", 0);
	n = definition_need(l, map, "poll", "job");
	if (n != NULL)
		load_request(l, s, &j->poll, n, "poll", PLACE_JOB);
	definition_check_job(s, &b);
}

static void
load_time(struct loading *l, struct def_stream *s, const struct node *map)
{
	struct config_section b;

	if (map == NULL)
		return;
	b = definition_fill(l, time_keys, map, "time", NULL, &s->time);
	if (s->time.at != NULL)
		(void)definition_check_pointer(&b, "at", s->time.at);
}

/* "id: /uuid", a list of pointers, or "hash". */
static void
load_id(struct loading *l, struct def_stream *s, const struct node *map)
{
	static const struct setting keys[] = {
		{ .key = "id", .type = SETTING_LIST, .offset = 0 },
		SETTING_END,
	};
	const struct node *n = node_get(map, "id");
	struct node list = { .type = NODE_MAP };
	struct config_section b = {
		.map = map, .where = "stream", .errors = l->errors
	};

	if (n == NULL) {
		config_errors_add(l->errors, map,
		    "\"id\" is missing: pointers to what names an event, or "
		    "hash where its rows have none");
		return;
	}
	if (n->type == NODE_SCALAR && strcmp(n->text, "hash") == 0)
		return;
	if (n->type == NODE_SCALAR) {
		s->id = xcalloc(2, sizeof(*s->id));
		s->id[0] = xstrdup(n->text);
	} else {
		struct node *copy = node_copy(n);

		list.child = copy;
		list.file = n->file;
		list.line = n->line;
		(void)definition_fill(l, keys, &list, "stream", NULL, &s->id);
		node_free(copy);
	}
	for (size_t i = 0; s->id != NULL && s->id[i] != NULL; i++)
		if (definition_check_pointer(&b, "id", s->id[i]) &&
		    s->id[i][0] == '\0')
			config_error(&b, "id: \"\" is the whole event");
}

/* What the splitter is to find by itself: a key at the top of an event. */
static const char *
top_key(const char *pointer)
{
	if (pointer == NULL || pointer[0] != '/' ||
	    strpbrk(pointer + 1, "/~") != NULL)
		return NULL;
	return pointer + 1;
}

/* Is a value of a body JSON as it stands? */
static bool
has_json(const char *body)
{
	struct template_place p;
	bool has = false;

	for (size_t at = 0; !has && body != NULL && template_next(body, at, &p);
	     at = p.end)
		has = template_is_json(&p);
	return has;
}

static void
derive(struct def_stream *s)
{
	size_t n = 0, from = 0;
	const bool body = s->page.kind == PAGE_URL ||
	    s->page.kind == PAGE_TOKEN || s->page.kind == PAGE_INDEX;

	if (s->id != NULL && s->id[0] != NULL && s->id[1] == NULL) {
		s->shape.id = s->id[0];
		s->id_key = top_key(s->id[0]);
	}
	s->time_key = top_key(s->time.at);
	if (s->records.at != NULL && s->records.at[0] != NULL &&
	    (s->records.at[0][0] != '\0' || s->records.at[1] != NULL))
		s->arrays = s->records.at;
	while (body && s->page.from != NULL && s->page.from[from] != NULL)
		from++;
	s->token_json = s->page.kind == PAGE_TOKEN && has_json(s->next.body);
	s->whole = s->records.format != RECORDS_JSON || s->page.join != NULL ||
	    s->token_json || s->page.kind == PAGE_INDEX;
	s->values = xcalloc(from + 6, sizeof(*s->values));
	for (; n < from; n++)
		s->values[n] = s->page.from[n];
	if (s->page.more != NULL)
		s->values[n++] = s->page.more;
	if (s->page.wait != NULL)
		s->values[n++] = s->page.wait;
	if (s->page.total != NULL && *s->page.total == '/')
		s->values[n++] = s->page.total;
	if (s->records.success.at != NULL)
		s->values[n++] = s->records.success.at;
	if (s->records.incomplete.at != NULL)
		s->values[n] = s->records.incomplete.at;
}

static void
drop(struct node *map, const char *key)
{
	struct node **at = &map->child, *old;

	while (*at != NULL && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	old = *at;
	if (old == NULL)
		return;
	*at = old->next;
	old->next = NULL;
	node_free(old);
}

/* The stream by spans of time: as it is, but for the blocks that bounded has,
 * and for those that belong to the vendor's own cursor. */
static void
load_bounded(struct loading *l, struct def_stream *s, const struct node *map)
{
	const struct node *bounded = node_get(map, "bounded");
	struct config_section b = {
		.map = bounded, .where = "bounded", .errors = l->errors
	};
	struct node *whole;

	if (bounded == NULL || !definition_is_map(l, bounded, "bounded"))
		return;
	if (s->cursor.kind == CURSOR_WINDOW) {
		config_error(&b,
		    "only where the cursor is the vendor's own; one of kind "
		    "window asks for spans of time anyway");
		return;
	}
	whole = node_copy(map);
	drop(whole, "bounded");
	drop(whole, "next");
	drop(whole, "bootstrap");
	drop(whole, "resend");
	override(whole, bounded);
	whole->line = bounded->line;
	s->bounded = xcalloc(1, sizeof(*s->bounded));
	s->bounded->name = xstrdup(s->name);
	definition_load_stream(l, s->bounded, whole);
	if (s->bounded->cursor.kind != CURSOR_WINDOW)
		config_error(&b, "cursor: must be of kind window");
	if (s->bounded->request.host != NULL && s->request.host != NULL &&
	    strcmp(s->bounded->request.host, s->request.host) != 0)
		config_error(&b, "request: must be to the stream's host");
	node_free(whole);
}

void
definition_load_stream(struct loading *l, struct def_stream *s,
    const struct node *map)
{
	static const char *const ours[] = { "request", "next", "cursor", "page",
		"records", "time", "id", "rules", "bootstrap", "resend",
		"fetch", "job", "bounded", NULL };
	const size_t before = l->errors->n;
	const struct node *request;
	struct config_section b;
	char where[80];

	(void)snprintf(where, sizeof(where), "streams.%.48s", s->name);
	b = definition_fill(l, stream_keys, map, where, ours, s);
	load_cursor(l, s, definition_need(l, map, "cursor", where));
	load_page(l, s, definition_need(l, map, "page", where));
	load_records(l, &s->records, definition_need(l, map, "records", where),
	    false);
	load_time(l, s, definition_need(l, map, "time", where));
	load_id(l, s, map);
	request = definition_need(l, map, "request", where);
	/* Before the requests, which may have its values. */
	load_job(l, s, node_get(map, "job"));
	if (request != NULL)
		load_request(l, s, &s->request, request, "request", 0);
	load_other(l, s, &s->next, map, "next", PLACE_PAGE);
	load_other(l, s, &s->resend, map, "resend", 0);
	load_bootstrap(l, s, node_get(map, "bootstrap"));
	load_fetch(l, s, node_get(map, "fetch"));
	load_bounded(l, s, map);
	s->rules = definition_rules(l, node_get(map, "rules"), l->d->rules);
	derive(s);
	/* Where a block is wrong already, what follows from it is noise. */
	if (l->errors->n == before)
		definition_check_stream(l->d, s, &b);
}

void
definition_free_pairs(struct http_pair *p)
{
	for (size_t i = 0; p != NULL && p[i].name != NULL; i++) {
		free((void *)(uintptr_t)p[i].name);
		free((void *)(uintptr_t)p[i].value);
	}
	free(p);
}

static void
free_request(struct def_request *r)
{
	settings_release(request_keys, r);
	definition_free_pairs(r->query);
	definition_free_pairs(r->headers);
}

static void
free_texts(char **list)
{
	for (char **p = list; p != NULL && *p != NULL; p++)
		free(*p);
	free(list);
}

void
definition_release_stream(struct def_stream *s)
{
	settings_release(stream_keys, s);
	free_request(&s->request);
	free_request(&s->next);
	free_request(&s->bootstrap);
	free_request(&s->resend);
	free_request(&s->fetch.request);
	free_request(&s->job.submit);
	free_request(&s->job.poll);
	free(s->take);
	settings_release(fetch_keys, &s->fetch);
	settings_release(records_keys, &s->fetch.records);
	settings_release(job_keys, &s->job);
	settings_release(cursor_keys, &s->cursor);
	settings_release(page_keys, &s->page);
	settings_release(records_keys, &s->records);
	settings_release(time_keys, &s->time);
	free_texts(s->id);
	free(s->rules);
	free(s->values);
	free(s->name);
	if (s->bounded != NULL)
		definition_release_stream(s->bounded);
	free(s->bounded);
}
