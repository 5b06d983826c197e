/*
 * definition_whole.c - what cannot be right in a stream as a whole, each of
 * whose blocks may be right.
 */
#include <string.h>

#include "base/node.h"
#include "base/template.h"
#include "sources/rest/definition_private.h"

/* Is pointer a on the way to b, or b itself? */
static bool
leads_to(const char *a, const char *b)
{
	size_t len = strlen(a);

	return strncmp(a, b, len) == 0 && (b[len] == '\0' || b[len] == '/');
}

/* The splitter finds arrays beside each other, and values beside them. */
static void
check_paths(const struct def_stream *s, const struct config_section *b)
{
	char **at = s->records.at;
	size_t n = 0;

	for (; at != NULL && at[n] != NULL; n++)
		for (size_t i = 0; i < n; i++)
			if (leads_to(at[i], at[n]) || leads_to(at[n], at[i]))
				config_errors_add(b->errors, b->map,
				    "records: \"at\": \"%.60s\" and \"%.60s\" "
				    "are in one another",
				    at[i], at[n]);
	if (n > DEFINITION_POINTERS)
		config_errors_add(b->errors, b->map,
		    "records: \"at\": more than %d", DEFINITION_POINTERS);
	if (at != NULL && n == 0)
		config_errors_add(b->errors, b->map,
		    "records: \"at\": is empty; \"\" is the document itself");
	for (const char *const *v = s->values; *v != NULL; v++)
		for (size_t i = 0; i < n; i++)
			if (leads_to(at[i], *v))
				config_errors_add(b->errors, b->map,
				    "page: \"%.60s\" is inside of the events "
				    "at \"%.60s\"",
				    *v, at[i]);
}

/* Does what a page says of the next one get into a request? */
static void
check_next(const struct def_stream *s, const struct config_section *b)
{
	const bool goes = definition_page_goes(s);
	const bool next = s->next.path != NULL;

	if (goes && s->page.to == NULL &&
	    !(next && definition_request_has(&s->next, "page")))
		config_errors_add(b->errors, b->map,
		    "page: \"to\" is missing, and there is no next with "
		    "{page} in its path, query, headers or body: how are "
		    "further pages asked for?");
	if (!goes && next && s->cursor.kind != CURSOR_ITERATOR)
		config_errors_add(b->errors, b->map,
		    "next: is never asked for; this kind of page has a URL, or "
		    "none");
	if (s->page.kind == PAGE_LAST_ID && s->id_key == NULL)
		config_errors_add(b->errors, b->map,
		    "page: kind last_id needs one id at the top of an event");
}

/* A bound in a form that cuts off what granularity lets stand would leave out
 * the end of every window. */
static void
check_format(const struct def_stream *s, const struct config_section *b,
    const char *text)
{
	struct template_place p;

	for (size_t at = 0; text != NULL && template_next(text, at, &p);
	     at = p.end) {
		const enum when_format format = p.format.data != NULL
		    ? when_by_name(p.format)
		    : WHEN_FORMATS;

		if (format != WHEN_FORMATS &&
		    s->cursor.granularity % when_unit(format) != 0)
			config_errors_add(b->errors, b->map,
			    "cursor: \"granularity\" must be a multiple of "
			    "what "
			    "the format %s of a bound can say",
			    when_names[format]);
	}
}

static void
check_formats(const struct def_stream *s, const struct config_section *b)
{
	check_format(s, b, s->request.path);
	check_format(s, b, s->request.body);
	for (const struct http_pair *q = s->request.query;
	     q != NULL && q->name != NULL; q++)
		check_format(s, b, q->value);
}

/* Where a list can be asked for a span of time, it is. */
static void
check_bounds(const struct def_stream *s, const struct config_section *b)
{
	const struct def_cursor *c = &s->cursor;
	const struct def_request *first =
	    s->job.used ? &s->job.submit : &s->request;

	if (!definition_request_has(first, "window.start"))
		config_errors_add(b->errors, b->map,
		    "request: {window.start} is missing in its path, query, "
		    "headers and body: a cursor of kind window asks for spans "
		    "of time, unless page has row_older_than or a job has it");
	if (c->end != BOUND_OPEN &&
	    !definition_request_has(first, "window.end"))
		config_errors_add(b->errors, b->map,
		    "request: {window.end} is missing in its path, query, "
		    "headers and body; where the request has no end, say end: "
		    "open in cursor");
	if (c->end == BOUND_OPEN && s->page.kind == PAGE_NONE &&
	    s->page.size > 0 && c->order != ORDER_OLDEST)
		config_errors_add(b->errors, b->map,
		    "page: \"size\" needs order: oldest in cursor: what a full "
		    "reply lacks of a list without an end is behind its newest "
		    "row");
	if (c->end == BOUND_OPEN && definition_request_has(first, "window.end"))
		config_errors_add(b->errors, b->map,
		    "request: has {window.end}, but the end of the cursor is "
		    "open");
}

static void
check_window(const struct def_stream *s, const struct config_section *b)
{
	const struct def_cursor *c = &s->cursor;

	if (s->page.older == 0)
		check_bounds(s, b);
	for (size_t i = 0; i < DEF_SWEEPS && c->sweeps[i].every != 0; i++)
		if (c->sweeps[i].back > s->retention)
			config_errors_add(b->errors, b->map,
			    "cursor: \"sweeps\" go further back than "
			    "retention");
	check_formats(s, b);
	if (c->overlap >= s->retention)
		config_errors_add(b->errors, b->map,
		    "cursor: \"overlap\" is not shorter than retention");
	if (s->page.total != NULL && s->fetch.used)
		config_errors_add(b->errors, b->map,
		    "page: \"total\" counts rows, which lead to events where "
		    "there is fetch, and not events; leave it out");
}

/* A reader has a name of its own with every request, and events are told apart
 * from those of a batch that is sent again. */
static void
check_iterator(const struct def_stream *s, const struct config_section *b)
{
	if (s->cursor.kind != CURSOR_ITERATOR) {
		if (s->resend.path != NULL)
			config_errors_add(b->errors, b->map,
			    "resend: is never asked for; only a cursor of kind "
			    "iterator has it");
		return;
	}
	if (s->next.path == NULL)
		config_errors_add(b->errors, b->map,
		    "next: is missing; a cursor of kind iterator goes on with "
		    "it");
	if (!definition_request_has(&s->request, "start"))
		config_errors_add(b->errors, b->map,
		    "request: {start} is missing in its path, query, headers "
		    "and body; a cursor of kind iterator begins there");
	if (!definition_request_has(&s->request, "iterator") ||
	    (s->next.path != NULL &&
		!definition_request_has(&s->next, "iterator")) ||
	    (s->resend.path != NULL &&
		!definition_request_has(&s->resend, "iterator")))
		config_errors_add(b->errors, b->map,
		    "request: {iterator} is missing in its path, query, "
		    "headers or body, or in those of next or resend; another "
		    "reader would move the position");
	if (s->id == NULL)
		config_errors_add(b->errors, b->map,
		    "id: can't be hash where the cursor is of kind iterator; "
		    "events could not be told from those of a batch that comes "
		    "again");
}

/* Where one is missing, that is said already. */
static bool
is_host_of(const struct def_request *a, const struct def_request *b)
{
	return a->host == NULL || b->host == NULL ||
	    strcmp(a->host, b->host) == 0;
}

/* Credentials go to one host. */
static void
check_hosts(const struct def_stream *s, const struct config_section *b)
{
	const struct {
		const char *name;
		const struct def_request *r;
	} others[] = { { "next", &s->next }, { "resend", &s->resend },
		{ "bootstrap", &s->bootstrap }, { "submit", &s->job.submit },
		{ "poll", &s->job.poll } };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].r->path != NULL &&
		    !is_host_of(others[i].r, &s->request))
			config_errors_add(b->errors, b->map,
			    "%s: \"host\" must be the one of request",
			    others[i].name);
	if (s->fetch.used && s->fetch.url == NULL &&
	    !is_host_of(&s->fetch.request, &s->request))
		config_errors_add(b->errors, b->map,
		    "fetch: \"host\" must be the one of request, unless rows "
		    "have a url");
}

void
definition_check_stream(const struct definition *d, const struct def_stream *s,
    const struct config_section *b)
{
	check_paths(s, b);
	check_next(s, b);
	check_iterator(s, b);
	check_hosts(s, b);
	if (s->job.used && s->job.id == NULL &&
	    (definition_request_has(&s->job.poll, "job.id") ||
		definition_request_has(&s->request, "job.id")))
		config_errors_add(b->errors, b->map,
		    "job: \"id\" is missing; a request has {job.id}");
	if (s->cursor.kind == CURSOR_WINDOW)
		check_window(s, b);
	for (size_t i = 0; i < d->n_streams; i++)
		if (s == &d->streams[d->n_streams - 1] && s != &d->streams[i] &&
		    strcmp(d->streams[i].name, s->name) == 0)
			config_errors_add(b->errors, b->map,
			    "streams: \"%s\" is there twice", s->name);
}
