/*
 * definition_stream.c - one stream of a definition.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/node.h"
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

		if (p == NULL || p->type != NODE_SCALAR || p->key == NULL ||
		    *p->key == '\0' || (list && p->next != NULL)) {
			config_errors_add(l->errors, n,
			    "%s: each must be one name and one text", where);
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
    const struct node *map, bool next)
{
	static const char *const ours[] = { "query", "headers", NULL };
	const struct node *query = node_get(map, "query");
	const struct node *headers = node_get(map, "headers");
	const char *where = next ? "next" : "request";
	struct config_section b =
	    definition_fill(l, request_keys, map, where, ours, r);

	if (query != NULL)
		r->query = definition_pairs(l, query, "query");
	if (headers != NULL)
		r->headers = definition_pairs(l, headers, "headers");
	definition_check_request(l->d, s, r, &b, next);
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

static void
load_next(struct loading *l, struct def_stream *s, const struct node *request,
    const struct node *next)
{
	struct node *whole;

	if (next == NULL || request == NULL ||
	    !definition_is_map(l, next, "next"))
		return;
	whole = node_copy(request);
	override(whole, next);
	load_request(l, s, &s->next, whole, true);
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
load_records(struct loading *l, struct def_stream *s, const struct node *map)
{
	struct config_section b;

	if (map == NULL)
		return;
	b = definition_fill(l, records_keys, map, "records", NULL, &s->records);
	for (size_t i = 0; s->records.at != NULL && s->records.at[i] != NULL;
	     i++)
		(void)definition_check_pointer(&b, "at", s->records.at[i]);
	if (s->records.success.at != NULL)
		(void)definition_check_pointer(&b, "success.at",
		    s->records.success.at);
	if ((s->records.success.at == NULL) != (s->records.success.is == NULL))
		config_error(&b, "success: needs both at and is");
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

static void
derive(struct def_stream *s)
{
	size_t n = 0, from = 0;
	const bool body =
	    s->page.kind == PAGE_URL || s->page.kind == PAGE_TOKEN;

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
	s->values = xcalloc(from + 3, sizeof(*s->values));
	for (; n < from; n++)
		s->values[n] = s->page.from[n];
	if (s->page.more != NULL)
		s->values[n++] = s->page.more;
	if (s->records.success.at != NULL)
		s->values[n] = s->records.success.at;
}

void
definition_load_stream(struct loading *l, struct def_stream *s,
    const struct node *map)
{
	static const char *const ours[] = { "request", "next", "cursor", "page",
		"records", "time", "id", "rules", NULL };
	const size_t before = l->errors->n;
	const struct node *request;
	struct config_section b;
	char where[80];

	(void)snprintf(where, sizeof(where), "streams.%.48s", s->name);
	b = definition_fill(l, stream_keys, map, where, ours, s);
	load_cursor(l, s, definition_need(l, map, "cursor", where));
	load_page(l, s, definition_need(l, map, "page", where));
	load_records(l, s, definition_need(l, map, "records", where));
	load_time(l, s, definition_need(l, map, "time", where));
	load_id(l, s, map);
	request = definition_need(l, map, "request", where);
	if (request != NULL)
		load_request(l, s, &s->request, request, false);
	load_next(l, s, request, node_get(map, "next"));
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
	settings_release(page_keys, &s->page);
	settings_release(records_keys, &s->records);
	settings_release(time_keys, &s->time);
	free_texts(s->id);
	free(s->rules);
	free(s->values);
	free(s->name);
}
